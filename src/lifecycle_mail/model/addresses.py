"""E-mail addresses: what may be written, what is sent, and which two are the same for an opt-out.

Theory of operation
===================

An address has three lives, and mixing them up mails the wrong person:

1. what somebody *wrote*, kept exactly (`EmailAddress.written`);
2. what a transport gets (`EmailAddress.deliverable`): the local part in NFC with its case kept, since
   only the receiving host may interpret it (R19), and the domain in lower-case A-labels (R20);
3. what opt-outs are compared by (`EmailAddress.match_key`): coarser, versioned, for suppression only.
   It never leads to a delivery or to a permission, so that merging too much costs a mail and never a
   secret.

`parse_address` is the only door. It refuses rather than repairs:

- **Length** before anything else looks at the text, so that a megabyte costs as much as a byte (F60).
- A **fast path** for plain ASCII addresses. It accepts a proven subset of what email-validator accepts
  and never refuses: what it does not recognise goes the careful way. A property test holds the two
  together.
- **Characters** that cannot be seen or that change how the rest is read: control, bidi, zero width
  (F59).
- **Forms** that no envelope of ours carries: quoted local parts, address literals, comments, display
  names.
- **Syntax** by email-validator, without DNS.
- **Look-alikes**: what is not ASCII but turns into plain ASCII under normalisation (the Kelvin sign,
  full-width letters, the long s) would land in the record of whoever owns the plain spelling. It is
  refused, and the plain spelling is offered as the fix (F59). All other letters and signs make an
  address of their own and are welcome.
- **The result is validated again**, because NFC can create characters that were refused before: U+037E
  becomes `;` (R20).

A local part that is not ASCII needs a transport with SMTPUTF8; `EmailAddress.ascii_only` says so (R21).
An internationalised domain alone does not, its A-labels are ASCII.

Every case of the isemail corpus gets a verdict by these rules and none of its ERR cases passes (F58).
Case variants of an opted-out address always share its match key; plus tags and Gmail dots do where
`MatchRules` says so (F61).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Final, NewType, NoReturn, Self

from attrs import field, frozen

from lifecycle_mail.errors import InvalidAddress, InvalidInput

MatchKey = NewType("MatchKey", str)
"""What opt-outs and suppressions are compared by: `version:local@domain`."""

# RFC 5321 4.5.3.1.3 limits a path to 256 octets, angle brackets included; 4.5.3.1.1 the local part to 64.
_MAX_ADDRESS: Final = 254
_MAX_LOCAL: Final = 64

_ENCODED_WORD: Final = re.compile(r"=\?[^?]{1,40}\?[bBqQ]\?[^?]*\?=")
"""RFC 2047, 2: what a header writes other characters with."""

# The fast path takes whole addresses of at most 64 characters. Then no local part exceeds 64, no label 63
# and no domain 253, so that length needs no further rule.
_MAX_PLAIN: Final = 64
# Without the question mark, which an encoded word would need.
_ATEXT: Final = r"[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+"
# Two hyphens in a row never match: that keeps out xn-- and every other reserved label, whose validity only
# IDNA can tell. Each repetition starts with its own separator, hence there is nothing to backtrack into.
_LABEL: Final = r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_PLAIN: Final = re.compile(rf"({_ATEXT}(?:\.{_ATEXT})*)@({_LABEL}(?:\.{_LABEL})*\.[A-Za-z]{{2,}})", re.ASCII)

# F59: only A-Z. `str.lower` would also change other letters, and Turkish dotted I even into two characters.
_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

_GMAIL: Final = frozenset({"gmail.com", "googlemail.com"})

# What UTS #46 (IDNA) takes for a dot between labels.
_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")

# Unicode's Default_Ignorable_Code_Point outside category C, which is refused as a whole: nothing is drawn for
# these, and UTS #46 drops most of them silently, so that two domains that differ would become one.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

_ASK: Final = "Ask the person for the address again, or keep the contact without one."
_ONE: Final = "Check that the field holds one address and nothing else."
_MAX_REASON: Final = 240


@frozen(kw_only=True)
class MatchRules:
    """Which spellings of an address count as the same when an opt-out is looked up.

    Plus tags and dots belong to the receiving host. Only Gmail is known to ignore dots, and many hosts take
    `a+b` for a mailbox of its own, so both are off until somebody decides otherwise (F61).

    Attributes:
        gmail_dots: dots in the local part of Gmail addresses do not count, and googlemail.com is gmail.com.
        plus_tags: at every domain, a local part ends before its first plus sign.
    """

    gmail_dots: bool = False
    plus_tags: bool = False

    @property
    def version(self) -> str:
        """`1`, `1d`, `1p` or `1dp`: the start of every match key, so that keys of two rules never meet."""
        return "1" + "d" * self.gmail_dots + "p" * self.plus_tags

    @property
    def folds(self) -> str:
        """What does not count, in words: `case`, `case and plus tags`."""
        *most, last = ["case", *(["plus tags"] * self.plus_tags), *(["dots at Gmail"] * self.gmail_dots)]
        return f"{', '.join(most)} and {last}" if most else last

    def cover(self, finer: MatchRules) -> bool:
        """Whether all that other rules fold is folded by these, so that these keys can be made of those."""
        return self.gmail_dots >= finer.gmail_dots and self.plus_tags >= finer.plus_tags

    @classmethod
    def of_version(cls, version: str) -> Self:
        """Return the rules of a version.

        Raises:
            InvalidInput: no rules of this library have it.
        """
        rules = cls(gmail_dots="d" in version, plus_tags="p" in version)
        if rules.version != version:
            raise InvalidInput(f"match rules {version!r}: install the version that wrote them; known: 1, 1d, 1p, 1dp")
        return rules


DEFAULT: Final = MatchRules()


@frozen(kw_only=True)
class EmailAddress:
    """An address that passed `parse_address`, which is how to make one.

    Two addresses are equal when they deliver to the same place, however they were written.

    Attributes:
        written: the text exactly as it was given.
        local: the part before the at sign, in NFC, its case kept (R19).
        domain: the part after it, as lower-case A-labels (R20).
    """

    written: str = field(eq=False)
    local: str
    domain: str

    @property
    def deliverable(self) -> str:
        """What a transport gets."""
        return f"{self.local}@{self.domain}"

    @property
    def ascii_only(self) -> bool:
        """Whether any transport can carry it; if not, only one with SMTPUTF8 can (R21)."""
        return self.local.isascii()

    @property
    def identity(self) -> str:
        """The key by which a contact is found. Plus and dot variants stay apart: they may be two people."""
        return self.match_key(DEFAULT)

    @property
    def masked(self) -> str:
        """A form for logs that shows at most one character of the local part."""
        return mask(str(self))

    def match_key(self, rules: MatchRules = DEFAULT) -> MatchKey:
        """The key by which opt-outs are compared; never an address to deliver to or to authorise by."""
        local = self.local.translate(_ASCII_LOWER)
        key = _folded(local, self.domain, rules)
        if local.isascii():
            return MatchKey(f"{rules.version}:{key}")
        # What was just changed may compose: h with a line below is one character, the capital is two.
        local, _, domain = key.rpartition("@")
        return MatchKey(f"{rules.version}:{unicodedata.normalize('NFC', local)}@{domain}")

    def __str__(self) -> str:
        return self.deliverable


def _folded(local: str, domain: str, rules: MatchRules) -> str:
    """Return the address that these rules take a lower-case one for."""
    if rules.plus_tags:
        # F61. The dot of `a.+tag` goes with the tag, or the rest would be no local part. Where nothing
        # stands before the plus sign, the tag is all there is, and stays.
        local = local.partition("+")[0].rstrip(".") or local
    if rules.gmail_dots and domain in _GMAIL:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def match_keys(texts: Iterable[str], rules: MatchRules = DEFAULT) -> list[MatchKey | None]:
    """Return the match key of each of many texts, None for one that `parse_address` refuses.

    For lists of millions: plain ASCII addresses need no `EmailAddress`, and only what is not plain is parsed.
    """
    plain, special, version = _PLAIN.fullmatch, _special_use_domains(), rules.version
    folding = rules.plus_tags or rules.gmail_dots
    keys: list[MatchKey | None] = []
    for text in texts:
        if len(text) <= _MAX_PLAIN and plain(text) is not None:
            lower = text.lower()  # ASCII by the pattern
            if not lower.endswith(special):
                if folding:
                    local, _, domain = lower.partition("@")
                    lower = _folded(local, domain, rules)
                keys.append(MatchKey(f"{version}:{lower}"))
                continue
        try:
            keys.append(parse_address(text).match_key(rules))
        except InvalidAddress:
            keys.append(None)
    return keys


def domain_of(key: MatchKey) -> str:
    """Return the domain that a match key names."""
    return key.rpartition("@")[2]


def mask(who: str) -> str:
    """Mask an address, for messages and logs; anything else comes back as it is."""
    local, at, domain = who.rpartition("@")
    return f"{local[:1]}***@{domain}" if at else who


def parse_address(text: str) -> EmailAddress:
    """Read one bare address, as in `ann@example.com`.

    White space around it is refused, not stripped: whoever reads a file strips the field, and knows it.

    Args:
        text: the address; no display name, no angle brackets.

    Raises:
        InvalidAddress: it cannot be mailed, with the reason and what to do about it. No text makes any
            other exception come out. Of an overlong text the error keeps the beginning.
    """
    if not isinstance(text, str):
        raise TypeError(f"an address is a str, not {type(text).__name__}")
    # F60: the length decides before anything reads the text.
    if len(text) <= _MAX_PLAIN:
        plain = _PLAIN.fullmatch(text)
        if plain is not None:
            local, domain = plain.groups()
            domain = domain.lower()  # ASCII by the pattern
            # Broader than the rule (`contest` ends in `test`): what is caught merely goes the careful way.
            if not domain.endswith(_special_use_domains()):
                return EmailAddress(written=text, local=local, domain=domain)
    elif len(text) > _MAX_ADDRESS:
        beginning = text[:_MAX_PLAIN] + "…"
        _refuse(
            beginning,
            f"it has {len(text):,} characters, and an address has at most {_MAX_ADDRESS}",
            _ONE,
        )
    return _parse_with_care(text)


def _parse_with_care(text: str) -> EmailAddress:
    _check_characters(text)
    _check_form(text)
    if _ENCODED_WORD.search(text):  # whoever reads the mail would read another address
        _refuse(text, "it holds what a header takes for an encoded word", _ASK)
    written_local, _, written_domain = text.partition("@")
    # Before email-validator, whose complaint about what NFC makes of a look-alike would puzzle the reader.
    if _has_lookalike(written_local):
        _refuse_lookalike(text, "before the at sign")

    # R19: the local part is ours, not email-validator's, which lower-cases role names such as Info and Sales.
    local = unicodedata.normalize("NFC", written_local)
    # RFC 6531 3.3 keeps the limits of RFC 5321 and counts octets of UTF-8.
    if len(local.encode()) > _MAX_LOCAL:
        _refuse(text, f"the part before the at sign is longer than {_MAX_LOCAL} octets", _ASK)

    domain = _checked_domain(text, text)
    if _domain_has_lookalike(written_domain, domain):
        _refuse_lookalike(text, "after the at sign")

    address = EmailAddress(written=text, local=local, domain=domain)
    # R20: validate what normalising made of it, not only what was written.
    if address.deliverable != text and _checked_domain(address.deliverable, text) != domain:
        _refuse(text, "its domain has no stable ASCII form", _ASK)
    if len(address.deliverable.encode()) > _MAX_ADDRESS:
        _refuse(text, f"it is longer than {_MAX_ADDRESS} octets in the form that is sent", _ASK)
    return address


def _check_characters(text: str) -> None:
    """F59: nothing invisible, nothing that reorders what is shown, no white space."""
    if not text or text.isspace():
        _refuse(text, "it is empty", "Leave the address out: a contact may have none.")
    if text != text.strip():
        _refuse(text, "white space stands before or after it", "Strip the text before parsing it.")
    for character in text:
        category = unicodedata.category(character)
        # C: control, format (bidi, zero width), surrogate, private use, unassigned. Z: spaces and separators.
        # The plain space waits for `_check_form`, which knows the forms that contain one.
        if category[0] == "C" or _INVISIBLE.match(character):
            _refuse(text, f"it contains {_name(character)}, invisible or undefined", "Delete that character.")
        if category[0] == "Z" and character != " ":
            _refuse(text, f"it contains {_name(character)}, a kind of space", "Delete that character.")


def _check_form(text: str) -> None:
    """Forms that RFC 5322 knows and that we do not send to, each named so that the fix is plain."""
    if text.startswith('"') and "<" not in text:
        _refuse(text, "its local part is quoted, a form that is not supported", _ASK)
    if "<" in text or ">" in text:
        _refuse(text, "it has angle brackets", "Pass only what stands between the angle brackets.")
    if "(" in text or ")" in text:
        _refuse(text, "it has a comment in parentheses", "Pass the address without the comment.")
    if " " in text:
        _refuse(text, "it contains a space", "Delete the space if it was typed by mistake.")
    if "@" not in text:
        if "@" in unicodedata.normalize("NFKC", text):
            _refuse_lookalike(text, "in place of the at sign")
        _refuse(text, "it has no at sign", _ASK)
    if text.count("@") > 1:
        _refuse(text, "it has more than one at sign", _ONE)
    if "@[" in text:
        _refuse(text, "it names an IP address instead of a domain", _ASK)


def _has_lookalike(local: str) -> bool:
    """Whether a non-ASCII character of a local part has a plain ASCII reading.

    Compatibility (NFKC) decides, although R20 applies only NFC: the Kelvin sign is a K after either, and what
    other systems make of a full-width letter is anybody's guess. By character, so that no part of an accepted
    text would be refused for this.
    """
    if local.isascii():
        return False
    return any(not c.isascii() and unicodedata.normalize("NFKC", c).isascii() for c in local)


def _domain_has_lookalike(written: str, domain: str) -> bool:
    """Whether a non-ASCII label became an ASCII one, or a non-ASCII dot stands between two ASCII labels.

    IDNA folds such letters inside a label that stays non-ASCII, too; that label is still nobody else's.
    """
    if written.isascii():
        return False
    labels, results = _DOTS.split(written), domain.split(".")
    if len(labels) != len(results):
        return True  # something else became a dot, or vanished
    for label, result in zip(labels, results, strict=True):
        if label.isascii():
            continue
        # The second test is for a full-width spelling of an A-label.
        if not result.startswith("xn--") or unicodedata.normalize("NFKC", label).isascii():
            return True
    return any(
        not dot.isascii() and left.isascii() and right.isascii()
        for dot, left, right in zip(_DOTS.findall(written), labels, labels[1:], strict=False)
    )


def _checked_domain(candidate: str, text: str) -> str:
    """The A-label domain of a candidate that email-validator accepts; errors name the text it came from."""
    library = _email_validator()
    try:
        result = library.validate_email(
            candidate,
            allow_smtputf8=True,
            allow_empty_local=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            check_deliverability=False,
            test_environment=False,
            globally_deliverable=True,
        )
    except ValueError as problem:  # EmailNotValidError, and IDNA's UnicodeError should one ever slip through
        fix = _ASK
        if candidate.lower().endswith(_special_use_domains()):
            fix = "In tests and examples, use a domain such as example.com."
        _refuse(text, str(problem).rstrip("."), fix)
    return str(result.ascii_domain)


def _refuse_lookalike(text: str, where: str) -> NoReturn:
    fix = _ASK
    plain = _DOTS.sub(".", unicodedata.normalize("NFKC", text))
    if plain != text:  # and so `plain` is not refused for this reason again
        # Offered, never assumed: only the person can say whether it is theirs.
        with suppress(InvalidAddress):
            fix = f"Ask the person whether {parse_address(plain).written} was meant."
    _refuse(text, f"characters that merely look like plain letters or signs stand {where}", fix)


def _refuse(text: str, reason: str, fix: str) -> NoReturn:
    if len(reason) > _MAX_REASON:
        reason = reason[:_MAX_REASON] + "…"
    # `from None`: the library's traceback adds nothing to its message.
    raise InvalidAddress(written=text, reason=reason, fix=fix) from None


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


@cache
def _email_validator() -> ModuleType:
    """email-validator and, through it, idna: on first use only, so that importing the package stays light."""
    import email_validator

    return email_validator


def _special_use_domains() -> tuple[str, ...]:
    return tuple(_email_validator().SPECIAL_USE_DOMAIN_NAMES)
