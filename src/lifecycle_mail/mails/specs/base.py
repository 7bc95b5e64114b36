"""What every specification has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from attrs import field, fields, frozen

from lifecycle_mail.errors import InvalidInput, MailRefused, Problem
from lifecycle_mail.mails.kinds import KINDS, Kind, KindRow
from lifecycle_mail.mails.links import SKEW
from lifecycle_mail.mails.parts import Item, Recipient, Way
from lifecycle_mail.mails.texts import MAX_LINE, MAX_PARAGRAPH, are, check_text, is_a
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.lists import MailingList


@frozen(kw_only=True)
class Specification:
    """What one mail to one person says. Each kind has a class of its own.

    Attributes:
        to: who gets it.
    """

    kind: ClassVar[Kind]
    deadline_field: ClassVar[str] = ""
    """The field with the day or instant that the mail announces, if it announces one."""
    notice: ClassVar[timedelta] = timedelta(0)
    """How long before it the mail has to be written."""
    past: ClassVar[tuple[str, ...]] = ()
    """Fields with a day or instant that the mail tells as over."""
    up_to: ClassVar[tuple[str, ...]] = ()
    """Fields with a day until which, and on which, something still holds."""

    to: Recipient = field(validator=is_a(Recipient))

    @property
    def row(self) -> KindRow:
        """What holds for its kind."""
        return KINDS[self.kind]

    def deadline_day(self, zone: ZoneInfo) -> date | None:
        """Return the day in a zone that the mail announces, or None where it announces none."""
        value = getattr(self, self.deadline_field) if self.deadline_field else None
        return value.astimezone(zone).date() if isinstance(value, datetime) else value

    def require_timely(self, now: datetime) -> None:
        """Refuse to announce what is over, and to tell as over what is still to come (S8).

        A day counts as past or to come where it is so anywhere on Earth: whoever gave it may live in another zone than
        the reader. A deadline is a promise, so it goes by the zone of the reader, who is told it.

        Raises:
            MailRefused: it is too late to announce the deadline; or another day or instant is not past, or not to
                come, as the mail would have it. All of them at once.
            InvalidInput: `now` has no time zone.
        """
        wrong = tuple(self.find_untimely(_Values(self), as_instant(now)))
        if wrong:
            raise MailRefused(f"{self.kind}: {'; '.join(f'{one.path} {one.message}' for one in wrong)}", wrong)

    @classmethod
    def find_untimely(cls, values: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
        """Find what a mail of an instant could not say of some days and instants (S8).

        Args:
            values: of fields, by name. What nobody knows is left out; without the reader, whose zone it is that counts,
                nothing is said of a day that is a deadline.
            now: the instant.
        """
        yield from cls._broken_promise(values, now)
        latest, earliest = (now + _AHEAD_OF_UTC).date(), (now - _BEHIND_UTC).date()
        for name in cls.past:
            value = values.get(name)
            if value is not None and value > (now + SKEW if isinstance(value, datetime) else latest):
                yield Problem(name, f"is {value}, which the mail of {now} would tell as past: write it later")
        for name in cls.up_to:
            value = values.get(name)
            if value is not None and value < earliest:
                yield Problem(name, f"is {value}, and the mail of {now} would say that it is to come: leave it out")

    @classmethod
    def _broken_promise(cls, values: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
        value, to = values.get(cls.deadline_field), values.get("to")
        planned = now - LATE if cls.notice else now
        if isinstance(value, datetime):
            least: date = planned + cls.notice
        elif value is None or to is None:
            return
        else:  # a week is seven days of the reader's, one of which may have 23 hours
            least = planned.astimezone(to.zone).date() + cls.notice
        if value < least or (value == least and not cls.notice):
            away = f", {cls.notice // timedelta(hours=1)} hours away or more" if cls.notice else ""
            yield Problem(
                cls.deadline_field,
                f"is {value}, and the mail of {now} would announce it: write again with a later one{away}",
            )


class _Values(Mapping[str, Any]):
    """The fields of a specification, by name: each mail is asked for a few of them."""

    def __init__(self, spec: Specification) -> None:
        self._spec = spec

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self._spec, name)
        except AttributeError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (one.name for one in fields(type(self._spec)))

    def __len__(self) -> int:
        return len(fields(type(self._spec)))


LATE: Final = timedelta(hours=1)
"""How much later than planned a mail may be written that gives notice of a deadline."""
_AHEAD_OF_UTC: Final = timedelta(hours=14)
_BEHIND_UTC: Final = timedelta(hours=12)


def as_instant(value: datetime) -> datetime:
    """Keep an instant in UTC, as an attrs converter.

    Raises:
        InvalidInput: it is no instant, or has no time zone.
    """
    if not isinstance(value, datetime):
        raise InvalidInput(f"{value!r} is not an instant: give an aware datetime")
    return as_utc(value)


def in_utc(value: datetime) -> datetime:
    """Keep an instant in UTC. What is none is left to `is_instant`, which knows the name of the field."""
    return as_utc(value) if _is_instant(value) else value


def _is_instant(value: object) -> bool:
    # The first and the last year: an instant there is one that some zone cannot write.
    return isinstance(value, datetime) and value.tzinfo is not None and MINYEAR < value.year < MAXYEAR


def is_instant(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds an instant, which can be written in any zone."""
    if not _is_instant(value):
        raise InvalidInput(f"{at.name}: {str(value)[:40]!r} is not an instant: give an aware datetime, such as in UTC")


def is_titled(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a list by the title that readers know, and that both its texts can be shown (F55)."""
    _raise(_wrong_titles(at.name, value))


def are_titled(*, least: int = 0) -> Callable[[object, Any, Any], None]:
    """Return a validator of a field that holds several lists by the titles that readers know."""
    several = are(MailingList, least=least)

    def check(instance: object, at: Any, values: Any) -> None:
        several(instance, at, values)
        keys = Counter(value.key for value in values)
        wrong = [said for place, value in enumerate(values) for said in _wrong_titles(f"{at.name}[{place}]", value)]
        # By two titles, perhaps.
        wrong += [f"{at.name}: the list {key!r} is there twice" for key, times in keys.items() if times > 1]
        _raise(wrong)

    return check


def _wrong_titles(what: str, value: Any) -> Iterator[str]:
    if not isinstance(value, MailingList) or not value.title:
        yield f"{what}: give a MailingList with a title, as readers know it"
        return
    for name, text, most in (("title", value.title, MAX_LINE), ("expect", value.expect, MAX_PARAGRAPH)):
        try:
            check_text(f"{what}.{name}", text, most=most, empty=name == "expect")
        except InvalidInput as error:
            yield str(error)


def _raise(wrong: Iterable[str]) -> None:
    if said := "; ".join(wrong):
        raise InvalidInput(said)


def refuse_promotion(spec: Specification) -> None:
    """Keep prices, discounts and other products out of a transactional mail (C6).

    What was charged or is paid back is stated as `Money` and is no promotion. The name of a product is its name: the
    notice that names it is owed, whatever it is called (R15). What stays somebody's may be a credit of 12 EUR.

    Raises:
        MailRefused: texts of the caller's promote; each is named.
    """
    found = tuple(find_promotions(_Values(spec)))
    if found:
        said = ", ".join(f"{one.path} {one.message}" for one in found)
        raise MailRefused(f"{spec.kind}: {said}, and {_PROMOTES_NOTHING}", found)


_PROMOTES_NOTHING: Final = (
    "a transactional mail promotes nothing (C6): say what comes back, and leave prices and offers to a marketing mail"
)


def find_promotions(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the texts for a transactional mail that `refuse_promotion` would refuse (C6).

    Args:
        values: of fields, by name; what nobody knows is left out.
    """
    from lifecycle_mail.mails.promotions import find_promotion, find_sales_words

    for name, text in _texts(values):
        words = find_sales_words(text) if name.startswith("keeps[") else find_promotion(text)
        if words is not None:
            yield Problem(name, f"says {words!r}", _PROMOTES_NOTHING)


_NOT_OURS: Final = frozenset({"to", "product", "problem", "source", "ticket", "token"})
"""Fields whose words are not the sender's to choose: names, what a customer wrote to us, where a form stands; and a
token is chance, some hold what looks like a sum."""


def _texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if name in _NOT_OURS:
            continue
        for place, text in enumerate(value if isinstance(value, tuple) else (value,)):
            where = f"{name}[{place}]" if isinstance(value, tuple) else name
            if isinstance(text, str):
                yield where, text
            elif isinstance(text, Way):
                yield where, text.title
            elif isinstance(text, Item):
                yield where, f"{text.title} {text.summary}"
