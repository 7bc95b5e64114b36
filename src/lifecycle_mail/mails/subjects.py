"""Subject lines of the programme's mails, by kind and style (S8).

Theory of operation
===================

A subject line is one row of `SUBJECTS`: a whole sentence in English, the kinds of mail that it may stand above, and
its style. Catalogues translate it as they translate any other sentence. What it fills in says what it needs, and a
line is offered only where all of that is known: who has no name is never greeted as nobody.

What a line promises, every mail of its kind holds. Two rules follow, and the class holds both: urgency names a
deadline, so it exists only for the kinds that have a real one; and each kind has a default that needs nothing but the
brand and the list, which every mail has.

The key of a line goes into the results of A/B tests, so it is never given to another text. Those tests compare lines
that differ in one thing: `personalised` or not, direct or curious (`style`), short or medium (`length`), and with its
emoji in front or without.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.mails.kinds import KINDS, Kind
from lifecycle_mail.model.names import one_of, require_slug


class Style(StrEnum):
    """How a subject line speaks (S8)."""

    CURIOSITY = "curiosity"
    PERSONAL = "personal"
    VALUE = "value"
    URGENCY = "urgency"
    HONEST = "honest"


class Length(StrEnum):
    """How long a line is, for the test of short against medium (S8)."""

    SHORT = "short"
    MEDIUM = "medium"


TYPICAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name": "Marianne",
        "brand": "Harbour",
        "list": "Weekly recipes",
        "count": "47",
        "deadline": "31 March 2026",
        "incentive": "20 % off your next order",
        "interest": "gardening",
        "place": "Tallinn",
    }
)
"""All that a line may fill in, each with a value of usual length.

`name` is what the recipient is called, `brand` who writes, `list` the title of the list behind the mail, `count` how
many things were published since they signed up, `deadline` a day, `incentive` what is given, `interest` what they came
for, `place` where they are.
"""

SHORT: Final = 30
"""Characters, filled in with typical values, up to which a line is short."""

ALWAYS: Final = frozenset({"brand", "list"})
"""What every mail of the programme can fill in."""

DATED: Final = frozenset({Kind.INCENTIVE, Kind.LAST_CHANCE, Kind.FINAL_NOTICE})
"""The kinds that have a real deadline (S8)."""

_ABOUT_THEM: Final = frozenset({"name", "interest", "place"})
_PLACE: Final = re.compile(r"%\((\w+)\)s")


def _as_style(value: Any) -> Style:
    return one_of(Style, value, "style")


def _as_kinds(values: Iterable[Any]) -> frozenset[Kind]:
    return frozenset(one_of(Kind, value, "kinds") for value in values)


@frozen(kw_only=True)
class SubjectLine:
    """A subject line.

    Attributes:
        key: stable; results of A/B tests are kept under it.
        style: how it speaks.
        kinds: the mails of the programme that it may stand above.
        text: the sentence in English, which is also its msgid; `%(name)s` and the like are filled in.
        plural: its plural, or empty; where there is one, `count` decides between them.
        emoji: the one emoji that may be put in front of it, or empty.

    Raises:
        InvalidInput: it could not be filled in, is for a mail that is no marketing, or hurries without a deadline.
    """

    key: str = field(validator=require_slug)
    style: Style = field(converter=_as_style)
    kinds: frozenset[Kind] = field(converter=_as_kinds)
    text: str
    plural: str = ""
    emoji: str = ""

    def __attrs_post_init__(self) -> None:
        strange = self.needs - TYPICAL.keys()
        if strange:
            raise InvalidInput(f"{self.key}: nothing fills in {', '.join(sorted(strange))}: use {', '.join(TYPICAL)}")
        if self.plural and not set(_PLACE.findall(self.text)) == set(_PLACE.findall(self.plural)) >= {"count"}:
            raise InvalidInput(f"{self.key}: let both forms fill in the same, and %(count)s with it")
        if not self.kinds or not all(KINDS[kind].marketing for kind in self.kinds):
            raise InvalidInput(f"{self.key}: give it kinds, all of them of the programme (S7)")
        if self.style is Style.URGENCY and not ("deadline" in self.needs and self.kinds <= DATED):
            raise InvalidInput(f"{self.key}: only a real deadline is urgent: name it, for kinds that have one (S8)")

    @property
    def message(self) -> str | tuple[str, str]:
        """What catalogues translate: the sentence, or its singular and plural."""
        return (self.text, self.plural) if self.plural else self.text

    @property
    def needs(self) -> frozenset[str]:
        """What has to be known to fill it in."""
        return frozenset(_PLACE.findall(self.text + self.plural))

    @property
    def personalised(self) -> bool:
        """Whether it names something of the recipient's own: their name, interest or place."""
        return bool(self.needs & _ABOUT_THEM)

    @property
    def example(self) -> str:
        """The English line, filled in with typical values."""
        return _PLACE.sub(lambda place: TYPICAL[place[1]], self.plural or self.text)

    @property
    def length(self) -> Length:
        """Whether it is short or medium, in English and filled in with typical values."""
        return Length.SHORT if len(self.example) <= SHORT else Length.MEDIUM

    def with_emoji(self, subject: str) -> str:
        """Put its emoji in front of the subject, which is the line translated and filled in."""
        return f"{self.emoji} {subject}" if self.emoji else subject


def _lines(kind: Kind, *rows: tuple[str, Style, str] | tuple[str, Style, str, str]) -> tuple[SubjectLine, ...]:
    return tuple(
        SubjectLine(key=key, style=style, kinds=frozenset({kind}), text=text, emoji="".join(emoji))
        for key, style, text, *emoji in rows
    )


_WAVE: Final = "\N{WAVING HAND SIGN}"
_SEEDLING: Final = "\N{SEEDLING}"
_MAILBOX: Final = "\N{OPEN MAILBOX WITH RAISED FLAG}"
_PRESENT: Final = "\N{WRAPPED PRESENT}"
_HOURGLASS: Final = "\N{HOURGLASS WITH FLOWING SAND}"
_SPEECH: Final = "\N{SPEECH BALLOON}"
_KNOBS: Final = "\N{CONTROL KNOBS}\ufe0f"
_EYES: Final = "\N{EYES}"

SUBJECTS: Final[tuple[SubjectLine, ...]] = (
    *_lines(
        Kind.WE_MISS_YOU,
        ("miss-been-a-while", Style.HONEST, "%(list)s: it has been a while"),
        ("miss-why-you-joined", Style.HONEST, "Why you once joined %(list)s"),
        ("miss-name-a-while", Style.PERSONAL, "%(name)s, it has been a while"),
        ("miss-how-are-you", Style.PERSONAL, "How have you been, %(name)s?", _WAVE),
        ("miss-hello-place", Style.PERSONAL, "A hello to %(place)s from %(brand)s", _WAVE),
        ("miss-remember", Style.CURIOSITY, "Remember why you signed up?"),
        ("miss-interest", Style.CURIOSITY, "Still curious about %(interest)s?", _SEEDLING),
    ),
    SubjectLine(
        key="value-count",
        style=Style.VALUE,
        kinds=frozenset({Kind.VALUE_PROPOSITION}),
        text="%(count)s new thing since you signed up",
        plural="%(count)s new things since you signed up",
        emoji=_SEEDLING,
    ),
    *_lines(
        Kind.VALUE_PROPOSITION,
        ("value-missed", Style.HONEST, "What you missed in %(list)s"),
        ("value-name-missed", Style.PERSONAL, "%(name)s, here is what you missed"),
        ("value-new-at", Style.VALUE, "New at %(brand)s since you last looked", _SEEDLING),
        ("value-worth-a-look", Style.VALUE, "Worth a look in %(list)s", _EYES),
        ("value-while-away", Style.CURIOSITY, "While you were away"),
        ("value-have-you-seen", Style.CURIOSITY, "Have you seen what is new?", _EYES),
    ),
    *_lines(
        Kind.INCENTIVE,
        ("incentive-an-offer", Style.HONEST, "An offer for you from %(brand)s"),
        ("incentive-offer-until", Style.HONEST, "An offer from %(brand)s, until %(deadline)s"),
        ("incentive-for-name", Style.PERSONAL, "For you, %(name)s: %(incentive)s", _PRESENT),
        ("incentive-for-you", Style.VALUE, "For you: %(incentive)s", _PRESENT),
        ("incentive-until", Style.URGENCY, "Until %(deadline)s: %(incentive)s", _HOURGLASS),
        ("incentive-ends-on", Style.URGENCY, "Your offer ends on %(deadline)s", _HOURGLASS),
        ("incentive-something", Style.CURIOSITY, "We have something for you", _PRESENT),
    ),
    *_lines(
        Kind.PREFERENCE_UPDATE,
        ("preferences-choose", Style.HONEST, "Choose what %(brand)s sends you", _KNOBS),
        ("preferences-fewer", Style.HONEST, "Fewer mails, or other topics?"),
        ("preferences-name-how-often", Style.PERSONAL, "%(name)s, how often is right for you?"),
        ("preferences-your-topics", Style.VALUE, "Only the topics you care about", _MAILBOX),
        ("preferences-your-pace", Style.VALUE, "Mails from %(brand)s at your own pace", _MAILBOX),
        ("preferences-rather-read", Style.CURIOSITY, "What would you rather read?"),
        ("preferences-interest", Style.CURIOSITY, "Still %(interest)s, or something else?"),
    ),
    *_lines(
        Kind.SURVEY,
        ("survey-one-question", Style.HONEST, "One question from %(brand)s", _SPEECH),
        ("survey-not-reading", Style.HONEST, "What keeps you from reading %(list)s?"),
        ("survey-name-one-thing", Style.PERSONAL, "%(name)s, may we ask you one thing?", _SPEECH),
        ("survey-better", Style.VALUE, "Help us make %(list)s better for you"),
        ("survey-too-many", Style.CURIOSITY, "Too many mails, or the wrong ones?"),
    ),
    *_lines(
        Kind.LAST_CHANCE,
        ("last-still-want", Style.HONEST, "Do you still want %(list)s?"),
        ("last-stay-or-go", Style.HONEST, "Stay with %(list)s: yes or no?"),
        ("last-name-keep-writing", Style.PERSONAL, "%(name)s, shall we keep writing?", _MAILBOX),
        ("last-one-click", Style.VALUE, "Keep %(list)s with one click", _MAILBOX),
        ("last-answer-by", Style.URGENCY, "Stay or go? Please tell us by %(deadline)s", _HOURGLASS),
        ("last-yes-or-no-by", Style.URGENCY, "A yes or a no by %(deadline)s", _HOURGLASS),
        ("last-name-by", Style.URGENCY, "%(name)s, a yes or a no by %(deadline)s", _HOURGLASS),
        ("last-yes-or-no", Style.CURIOSITY, "Yes or no?"),
    ),
    *_lines(
        Kind.FINAL_NOTICE,
        ("final-we-stop", Style.HONEST, "We will stop sending you %(list)s"),
        ("final-goodbye-name", Style.PERSONAL, "Goodbye for now, %(name)s", _WAVE),
        ("final-all-the-best", Style.PERSONAL, "All the best from %(brand)s, %(name)s", _WAVE),
        ("final-come-back", Style.VALUE, "How to get %(list)s back at any time"),
        ("final-no-more-after", Style.URGENCY, "No more %(list)s after %(deadline)s", _HOURGLASS),
        ("final-before-we-stop", Style.CURIOSITY, "Before we stop writing"),
    ),
)
"""The lines that ship, by kind in the order of the table of kinds. Of a style, the one to be preferred comes first."""

DEFAULTS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.WE_MISS_YOU: "miss-been-a-while",
        Kind.VALUE_PROPOSITION: "value-missed",
        Kind.INCENTIVE: "incentive-an-offer",
        Kind.PREFERENCE_UPDATE: "preferences-choose",
        Kind.SURVEY: "survey-one-question",
        Kind.LAST_CHANCE: "last-still-want",
        Kind.FINAL_NOTICE: "final-we-stop",
    }
)
"""The line that a mail gets if nobody chose one: honest, and it needs only what every mail has."""

_BY_KEY: Final = MappingProxyType({line.key: line for line in SUBJECTS})


def subjects_for(kind: Kind, *, style: Style | None = None, having: Collection[str]) -> tuple[SubjectLine, ...]:
    """Return the lines that a mail of this kind may bear, in the order of the table.

    Args:
        kind: of the mail; a kind that is not of the programme has its subject in its template, and none here.
        style: only lines of this style, or None for all.
        having: the names of what can be filled in; leave out what is not known, or empty. Other names do no harm.
            Without a deadline nothing is urgent.

    Raises:
        InvalidInput: `having` is one text.
    """
    if isinstance(having, str):
        raise InvalidInput(f"having={having[:40]!r}: give the names as a set, not one text")
    known = frozenset(having)
    return tuple(
        line
        for line in SUBJECTS
        if kind in line.kinds and (style is None or line.style == style) and line.needs <= known
    )


def subject_named(key: str) -> SubjectLine:
    """Return the line of a key.

    Raises:
        UnknownName: there is none; the message lists near misses.
    """
    try:
        return _BY_KEY[key]
    except KeyError:
        raise UnknownName("subject line", key, _BY_KEY) from None
