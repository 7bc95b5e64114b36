"""Lures: what strangers write into forms, so that a mail of ours carries it to somebody else (F55).

Whoever fills in a sign-up form can put a link, a price or a number to call where a name or an interest belongs, with
somebody else's address. The text is read as a mailbox would read it: without what is not seen, and with full-width
signs as what they stand for; and as people read it: ann[.]com is a host.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from lifecycle_mail.mails.lines import one_line
from lifecycle_mail.model.unseen import without_unseen

MAX_GREETING: Final = 40
"""Characters of a name that a greeting uses. Sign-up forms are filled with whole advertisements."""

_CAN_BE_CALLED: Final = 7  # digits: no name has as many
_DOT: Final = "[.\u3002]"  # browsers take both for one
_LINK: Final = re.compile(rf"://|www{_DOT}|@", re.IGNORECASE)
_OPENS, _SHUTS = r"\s{0,2}[\[({<\u3010]\s{0,2}", r"\s{0,2}[\])}>\u3011]\s{0,2}"
_DOT_IN_BRACKETS: Final = re.compile(f"{_OPENS}(?:{_DOT}|dot|DOT){_SHUTS}")  # a Dorothy (Dot) has a capital
_AT_IN_BRACKETS: Final = re.compile(f"{_OPENS}(?:@|at|AT){_SHUTS}")
_HOST_LIKE: Final = re.compile(rf"\w{_DOT}[^\W\d_]{{2,}}(?!\w)")

_INITIALS: Final = re.compile(r"((?:[^\W\d_]\.)+)([^\W\d_]+)(?:[-'\u2019][^\W\d_]+)*[.,]{0,2}")
_DEGREES: Final = frozenset({"B.Ed", "B.Eng", "B.Sc", "D.Sc", "M.Ed", "M.Eng", "M.Phil", "M.Sc"})
_SURNAME: Final = 4  # letters at least: shorter ones are top-level domains too, all those of countries among them
_ENDINGS: Final = frozenset({
    "blog", "buzz", "chat", "click", "cloud", "club", "deals", "email", "games", "group", "info", "life", "link",
    "live", "media", "mobi", "name", "news", "online", "page", "sale", "shop", "site", "space", "store", "team", "tech",
    "today", "travel", "website", "work", "world", "zone",
    "\u043e\u043d\u043b\u0430\u0439\u043d", "\u0441\u0430\u0439\u0442",
})  # fmt: skip
"""Longer top-level domains that advertisements use. Who is called J.Page is greeted without a name."""


_OF_PROGRAMS: Final = re.compile(r"[{}<>|*%$\\]")
"""What stands in merge tags, and in no name."""
NO_NAMES: Final = frozenset({
    "null", "none", "undefined", "n/a", "unknown", "name", "first name", "first_name", "firstname", "fname",
})  # fmt: skip
"""What tables and forms say where nobody wrote a name."""


def greeting_of(name: str) -> str:
    """Return a name as a greeting uses it.

    It is empty where it is longer than a name, reads like an advertisement, or is what a program left in place of one:
    a merge tag that was not filled in, a null.
    """
    from lifecycle_mail.mails.promotions import find_promotion

    name = one_line(name)
    if len(name) > MAX_GREETING or has_lure(name):
        return ""
    plain = _as_read(name)
    if _OF_PROGRAMS.search(plain) or plain.strip("()[]").casefold() in NO_NAMES or not any(map(_is_read, plain)):
        return ""
    hosts = (word for word in plain.split() if _HOST_LIKE.search(word) and not _begins_with_initials(word))
    return "" if any(hosts) or find_promotion(plain) is not None else name


def _is_read(char: str) -> bool:
    return char.isalpha() or unicodedata.category(char) == "So"  # a picture is a name, a dash is none


def has_lure(text: str) -> bool:
    """Whether a text holds a link, an address or a number to call. What only looks like a host is none: Node.js."""
    plain = _as_read(text)
    return _LINK.search(plain) is not None or sum(map(str.isdigit, plain)) >= _CAN_BE_CALLED


def _as_read(text: str) -> str:
    plain = unicodedata.normalize("NFKC", without_unseen(text))
    return _AT_IN_BRACKETS.sub("@", _DOT_IN_BRACKETS.sub(".", plain))


def _begins_with_initials(word: str) -> bool:
    """Whether a word is a name such as J.R.R.Tolkien, or a degree; T.Me and X.Shop are none."""
    if word.rstrip(".,") in _DEGREES:
        return True
    found = _INITIALS.fullmatch(word)
    if found is None or not found[1].isupper() or not found[2][0].isupper():
        return False
    return len(found[2]) >= _SURNAME and found[2].casefold() not in _ENDINGS
