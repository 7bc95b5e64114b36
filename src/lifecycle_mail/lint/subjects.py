"""Checks a subject line, as the recipient sees it: translated and filled in (S8, C1, C6).

Some of the rules keep a promise (no false hurry, no false reply, no promotion where it may not be, no guilt), the
others keep the line readable. `RULES` says why each counts. A rule gives one finding at most, which names everything
that breaks it; findings come in the order of `RULES`. Words are judged in the language of the line, and not at all in
a language that `lifecycle_mail.lint.words` does not know; prices and discounts are found in any.

Whatever the text, the check is done in time linear in its length: of a text longer than a header line holds, only
that much is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import frozen

from lifecycle_mail.lint.emoji import find_emoji, without_emoji
from lifecycle_mail.lint.words import GUILT, SPAM, URGENCY, find_words
from lifecycle_mail.mails.kinds import KINDS, Kind
from lifecycle_mail.mails.phrases import Folded
from lifecycle_mail.mails.promotions import find_promotion

RULES: Final[Mapping[str, str]] = {
    "empty": "a mail without a subject is taken for an accident, or for spam",
    "too-long": "phones cut what is longer, and the point of it is lost",
    "too-short": "so few letters tell nobody what the mail is about",
    "shouting": "capitals are read as shouting, by people and by filters",
    "punctuation": "one mark says it all; more of them look like spam",
    "fake-reply": "a reply or a forward that is none deceives, and some laws forbid it",
    "emoji": "one emoji in its place can help; more, or one amid the words, is hard to read aloud and looks like spam",
    "urgency": "hurry without a deadline is not true, and is believed once (S8)",
    "promotion": "this mail reaches people who opted out of marketing, so it must not promote anything (C6)",
    "spam-words": "filters and people distrust these words",
    "guilt": "nobody should feel bad for leaving (C1)",
    "hidden-characters": "what cannot be seen deceives readers, or breaks the header (F55, F59)",
    "placeholder": "what was not filled in is seen by everybody",
}
"""Every rule and why it counts."""

MOST: Final = 60
"""Characters from which phones cut a subject line."""
LEAST: Final = 4
"""Characters that a subject line needs to say anything."""
HEADER_LINE: Final = 998
"""Characters of a header line (R5); no more of a text is read."""

_SHOWN: Final = 5
_CAPITALS: Final = 5
_LETTERS: Final = 8
_TOKEN: Final = re.compile(r"[\w-]+")
_MARKS: Final = re.compile(r"[!?\u203c\u2047-\u2049\uff01\uff1f]+")
_DOUBLED: Final = frozenset("\u203c\u2047\u2048\u2049")
_REPLY: Final = re.compile(
    r"\W{0,8}(?:re|fwd?|aw|wg|tr|rv|res|enc|vs|vl|sv|vb|antw)\s{0,2}(?:\[\d{1,3}\]|\(\d{1,3}\))?\s{0,2}[:\uff1a]",
    re.IGNORECASE,
)
_LEFT_OVER: Final = re.compile(r"%\(|\{\{|\{%|\*\||\[\[|\$\{|<%")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that are not seen either."""
_JOINERS: Final = frozenset("\u200c\u200d")


@frozen(kw_only=True)
class Finding:
    """Something about a subject line that stands between it and its reader.

    Attributes:
        rule: one of `RULES`.
        message: what was found.
        fix: what to do about it.
    """

    rule: str
    message: str
    fix: str


def check_subject(
    text: str,
    *,
    kind: Kind | None = None,
    locale: str = "en",
    deadline: bool = False,
    most: int = MOST,
) -> tuple[Finding, ...]:
    """Find what is wrong with a subject line.

    Args:
        text: the subject, translated and filled in.
        kind: the kind of mail that it stands above. Transactional kinds bear no promotion and no emoji; None for a mail
            that is not written here, which is judged as marketing.
        locale: the language tag of the text.
        deadline: whether the mail has a real deadline; then it may hurry.
        most: characters from which it is too long, an emoji counted as one; 60.
    """
    transactional = kind is not None and not KINDS[kind].marketing
    read = text[:HEADER_LINE]
    # A space instead, so that what stands on both sides of an emoji stays apart.
    words = without_emoji(read, " ")
    folded = Folded.of(words)
    return (
        *_length(text, read, words, most),
        *_shouting(words),
        *_punctuation(words),
        *_fake_reply(words.strip()),
        *_emoji(read, transactional),
        *(_urgency(folded, locale) if not deadline else ()),
        *(_promotion(words) if transactional else ()),
        *_spam(folded, locale),
        *_guilt(folded, locale),
        *_hidden(read),
        *_left_over(read),
    )


def _length(text: str, read: str, words: str, most: int) -> Iterator[Finding]:
    length = len(without_emoji(read.strip(), "-"))
    if len(text) > HEADER_LINE:
        yield Finding(
            rule="too-long",
            message=f"{len(text):,} characters are more than a header line holds, {HEADER_LINE} (R5)",
            fix=f"say in {most} characters what the mail is about",
        )
    elif not any(_is_seen(char) for char in read):
        yield Finding(rule="empty", message="nothing is written there", fix="say what the mail is about")
    elif length > most:
        yield Finding(
            rule="too-long",
            message=f"it has {length} characters, more than {most}: phones cut it after {_shown(read.strip()[:most])}",
            fix="shorten it, with what matters first",
        )
    elif length < LEAST or not any(map(str.isalnum, words)):
        yield Finding(
            rule="too-short",
            message=f"{_shown(read.strip())} says too little",
            fix="say in a few words what the mail is about",
        )


def _shouting(words: str) -> Iterator[Finding]:
    # Codes such as RFC8058 and COVID-19 are written so.
    tokens = [token for token in _TOKEN.findall(words) if not any(map(str.isdigit, token))]
    cased = [char for token in tokens for char in token if char.isupper() or char.islower()]
    capitals = sum(map(str.isupper, cased))
    loud = [token for token in tokens if _is_loud(token)]
    fix = "write it as a sentence, with capitals where names have them"
    if len(cased) >= _LETTERS and capitals * 2 > len(cased):
        yield Finding(rule="shouting", message=f"{capitals} of its {len(cased)} letters are capitals", fix=fix)
    elif loud:
        yield Finding(rule="shouting", message=f"{_some(loud)} is in capitals", fix=fix)


def _is_loud(token: str) -> bool:
    letters = [char for char in token if char.isalpha()]
    return len(letters) >= _CAPITALS and all(map(str.isupper, letters))


def _punctuation(words: str) -> Iterator[Finding]:
    runs = [run[0] for run in _MARKS.finditer(words)]
    repeated = [run for run in runs if len(run) > 1 or run in _DOUBLED]
    shouts = sum(run in ("!", "\uff01") for run in runs)
    if repeated:
        yield Finding(rule="punctuation", message=f"it has {_some(repeated)}", fix="end it with one mark, or none")
    elif shouts > 1:
        yield Finding(
            rule="punctuation", message=f"it has {shouts} exclamation marks", fix="keep one of them, or better none"
        )


def _fake_reply(words: str) -> Iterator[Finding]:
    if found := _REPLY.match(words):
        yield Finding(
            rule="fake-reply",
            message=f"{_shown(found[0].strip())} makes it look like an answer to the reader's own mail",
            fix="begin with what the mail is about",
        )


def _emoji(read: str, transactional: bool) -> Iterator[Finding]:
    line = read.strip()
    spans = find_emoji(line)
    count = len(spans)
    if not count:
        return
    if transactional:
        message, fix = "a mail about their own affairs has an emoji", "take it out: this one is not for decoration"
    elif count > 1:
        message, fix = f"it has {count} emoji", "keep one, at the beginning or the end"
    elif spans[0][0] != 0 and spans[0][1] != len(line):
        message, fix = "its emoji stands amid the words", "put it first or last"
    else:
        return
    yield Finding(rule="emoji", message=message, fix=fix)


def _urgency(folded: Folded, locale: str) -> Iterator[Finding]:
    if found := find_words(URGENCY, folded, locale):
        yield Finding(
            rule="urgency",
            message=f"{_some(found)} hurries, and the mail has no deadline",
            fix="name a real deadline, or leave the hurry out",
        )


def _promotion(words: str) -> Iterator[Finding]:
    if found := find_promotion(words):
        yield Finding(
            rule="promotion",
            message=f"{_shown(found)} promotes, in a mail that reaches those who opted out of marketing",
            fix="leave prices, discounts and offers to mails of a list",
        )


def _spam(folded: Folded, locale: str) -> Iterator[Finding]:
    if found := find_words(SPAM, folded, locale):
        yield Finding(
            rule="spam-words",
            message=f"{_some(found)}: filters and people distrust that",
            fix="say plainly what the mail holds",
        )


def _guilt(folded: Folded, locale: str) -> Iterator[Finding]:
    if found := find_words(GUILT, folded, locale):
        yield Finding(
            rule="guilt",
            message=f"{_some(found)} makes people feel bad for leaving",
            fix="thank them, and say what they can do",
        )


def _hidden(read: str) -> Iterator[Finding]:
    plain = without_emoji(read, "x")  # their joiners and tags belong to them
    hidden = dict.fromkeys(
        _name(char)
        for before, char in zip(f" {plain}", plain, strict=False)
        if _is_hidden(char) and not _joins(before, char)
    )
    if hidden:
        yield Finding(
            rule="hidden-characters",
            message=f"it holds what cannot be seen: {', '.join(list(hidden)[:_SHOWN])}",
            fix="take it out; text that was pasted often brings it along",
        )


def _is_seen(char: str) -> bool:
    return not char.isspace() and not _is_hidden(char)


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN or char in _BLANK


def _joins(before: str, char: str) -> bool:
    """Whether a joiner stands where Persian and Hindi spell words with it: after a letter or mark of theirs."""
    return char in _JOINERS and not before.isascii() and unicodedata.category(before)[0] in "LM"


def _name(char: str) -> str:
    return unicodedata.name(char, f"U+{ord(char):04X}")


def _left_over(read: str) -> Iterator[Finding]:
    if found := _LEFT_OVER.search(read):
        yield Finding(
            rule="placeholder",
            message=f"{_shown(read[found.start() : found.start() + 20])} was not filled in",
            fix="fill it in, or choose a line that does without",
        )


def _shown(text: str) -> str:
    return repr(text[:70])


def _some(found: Iterable[str]) -> str:
    return ", ".join(map(_shown, list(dict.fromkeys(found))[:_SHOWN]))
