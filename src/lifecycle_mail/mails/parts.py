"""What specifications are made of: who gets a mail, and the texts, links, cards and sums that it states.

Everything is checked here, once, where the caller still knows where it came from. A template can then put any of it
anywhere: no text breaks out of its line into a header (F55), no link is other than https, and no card shows more than
its last four digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.hosts import OURSELVES, is_host
from lifecycle_mail.mails.links import MAX_URL
from lifecycle_mail.mails.lures import greeting_of, has_lure
from lifecycle_mail.model.addresses import EmailAddress, parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId, one_of
from lifecycle_mail.model.unseen import FILLERS, JOINERS, is_blank

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

MAX_LINE: Final = 200
"""Characters of a title, a benefit, a name."""
MAX_PARAGRAPH: Final = 2_000
"""Characters of a text that may run over several lines."""
MAX_DECIMALS: Final = 6
"""Of a sum of money."""
MAX_ITEMS: Final = 12
"""Entries of any list in a mail: more are not read."""

# Characters that are not seen, or that turn round how the rest is read: they end header lines and fake names (F55).
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PICTURES: Final = range(0x1F000, 0x1FB00)  # emoji that are newer than Python's tables are unknown to it, not unseen

_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,7}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def _check_is_text(what: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidInput(f"{what}: {type(value).__name__} is not a text")


def check_text(what: str, value: Any, *, most: int = MAX_LINE, lines: bool = False, empty: bool = False) -> None:
    """Check a text of the caller's that a mail will show.

    Args:
        what: its name, for the message.
        value: the text.
        most: characters at most.
        lines: whether it may have more than one line.
        empty: whether it may be empty.

    Raises:
        InvalidInput: it is no text, empty, too long, or has characters that are not seen.
    """
    _check_is_text(what, value)
    if is_blank(value):
        if empty and not value:
            return
        raise InvalidInput(f"{what}: nothing is written there; give a text{', or leave it out' if empty else ''}")
    if len(value) > most:
        raise InvalidInput(f"{what}: {len(value):,} characters are too many, {most:,} fit: shorten it")
    for place, char in enumerate(value):
        if _is_hidden(char) and not (lines and char == "\n"):
            name = unicodedata.name(char, f"U+{ord(char):04X}")
            raise InvalidInput(f"{what}: character {place + 1} is {name}, which cannot be seen: take it out (F55)")


def _is_hidden(char: str) -> bool:
    return char in FILLERS or (
        unicodedata.category(char) in _HIDDEN and not (char in JOINERS or ord(char) in _PICTURES)
    )


def as_seen(value: str, *, lines: bool = False) -> str:
    """Keep of a text what is seen, as an attrs converter: for what comes from forms, imports and other people's tables.

    Byte-order and direction marks are everyday there, and keep nobody from the notice that they are owed (R15). Ends of
    lines and tabs are spaces. What is no text is left to the validator, which knows the name of the field.

    Args:
        value: as it came.
        lines: whether it may have more than one line.
    """
    if not isinstance(value, str) or not any(map(_is_hidden, value)):
        return value
    kept = []
    for char in value.replace("\r\n", "\n").replace("\r", "\n"):
        if not _is_hidden(char) or (lines and char == "\n"):
            kept.append(char)
        elif char.isspace():
            kept.append(" ")
    return "".join(kept).strip()


def as_seen_lines(value: str) -> str:
    """Keep of a text of several lines what is seen, as an attrs converter."""
    return as_seen(value, lines=True)


def check_url(what: str, value: object) -> None:
    """Check a link: https, a host, nothing that a header line or a reader could be fooled by.

    Raises:
        InvalidInput: it is none; the message says why.
    """
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidInput(f"{what}: a link is ASCII without spaces: percent-encode its path, IDNA-encode its host")
    if len(value) > MAX_URL:
        raise InvalidInput(f"{what}: {len(value)} characters are too many for a link in a mail, {MAX_URL} fit (R5)")
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        # Whole, so that there is no user name, no bracket and no empty port.
        fine = parts.netloc.lower() in (host, f"{host}:{parts.port}") and parts.port != 0
    except ValueError:
        fine = False
    if not fine or any(char in value for char in "<>\"'`\\{}|^"):
        # It is not repeated: it may hold a password.
        raise InvalidInput(f"{what}: not a link that a mail may carry: write https://host/path, with no user name")
    if not is_host(host) or (parts.scheme != "https" and not (parts.scheme == "http" and host in OURSELVES)):
        raise InvalidInput(
            f"{what}: it leads nowhere that a mail may lead: write https:// and the whole name of a host, as in "
            f"https://mail.example.com"
        )


def is_line(_instance: object, at: Any, value: Any) -> None:
    """Check, as an attrs validator, that a field holds a text of one line."""
    check_text(at.name, value)


def is_line_or_empty(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a text of one line, or none."""
    check_text(at.name, value, empty=True)


def is_words_or_empty(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a text of one line, or none, that may come from people: no link, no number to call."""
    check_text(at.name, value, empty=True)
    if has_lure(value):
        # It is not repeated: an error must not carry it any further.
        raise InvalidInput(
            f"{at.name}: it holds a link, an address or seven digits and more, which strangers write into forms for "
            f"others to read: write it in words, or leave it out (F55)"
        )


def is_paragraph_or_empty(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a text of several lines, or none."""
    check_text(at.name, value, most=MAX_PARAGRAPH, lines=True, empty=True)


def is_link(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a link."""
    check_url(at.name, value)


def is_day(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a day: a date without a time, as the reader's calendar has it."""
    if type(value) is not date:
        raise InvalidInput(f"{at.name}: {value!r} is not a day: give datetime.date(2026, 3, 31)")


def is_a(of: type) -> Callable[[object, Any, Any], None]:
    """Return a validator of a field that holds one of a class."""

    def check(_instance: object, at: Any, value: Any) -> None:
        if not isinstance(value, of):
            # It is not repeated: it may be the whole number of a card.
            raise InvalidInput(f"{at.name}: a {type(value).__name__} is not a {of.__name__}")

    return check


def is_flag(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds yes or no."""
    if not isinstance(value, bool):
        raise InvalidInput(f"{at.name}: a {type(value).__name__} is not True or False")


def as_tuple(values: Iterable[T]) -> tuple[T, ...]:
    """Keep several as a tuple. What is not several is left to the validator, which knows the name of the field."""
    several = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)
    return tuple(values) if several else values  # type: ignore[return-value]


def as_members(kind: type[E], values: Iterable[E], what: str) -> tuple[E, ...]:
    """Keep several members of an enumeration, or their words, as a tuple.

    Raises:
        InvalidInput: one is none of them.
    """
    found = as_tuple(values)
    return tuple(one_of(kind, value, what) for value in found) if isinstance(found, tuple) else found


def as_texts(values: Iterable[str]) -> tuple[str, ...]:
    """Keep several texts as a tuple, as an attrs converter."""
    return as_tuple(values)


def as_lists(values: Iterable[MailingList]) -> tuple[MailingList, ...]:
    """Keep several lists as a tuple, as an attrs converter."""
    return as_tuple(values)


def are(
    of: type | None = None, *, least: int = 0, most: int = MAX_ITEMS, among: Collection[object] | None = None
) -> Callable[[object, Any, Any], None]:
    """Return a validator of a field that holds several.

    Args:
        of: their class; None for texts of one line.
        least: how many there are at least.
        most: how many there are at most.
        among: what can be chosen from, or None.
    """

    def check(_instance: object, at: Any, values: Any) -> None:
        if not isinstance(values, tuple):
            raise InvalidInput(f"{at.name}: a {type(values).__name__} is not several: give a list")
        if not least <= len(values) <= most:
            raise InvalidInput(f"{at.name}: {len(values)} entries; give {least} to {most}")
        for place, value in enumerate(values):
            if of is None:
                check_text(f"{at.name}[{place}]", value)
            elif not isinstance(value, of):
                raise InvalidInput(f"{at.name}[{place}]: {type(value).__name__} is not a {of.__name__}")
            if among is not None and value not in among:
                raise InvalidInput(f"{at.name}[{place}]: '{value}' is none of {', '.join(map(str, among))}")
        if len(set(values)) != len(values):
            raise InvalidInput(f"{at.name}: an entry is there twice")

    return check


def as_address(value: EmailAddress | str, what: str = "address") -> EmailAddress:
    """Parse an address, as an attrs converter.

    Raises:
        InvalidAddress: it cannot be mailed.
        InvalidInput: it is no text.
    """
    if not isinstance(value, str | EmailAddress):
        raise InvalidInput(f"{what}: a {type(value).__name__} is not an address: give a text such as ann@example.com")
    return parse_address(value) if isinstance(value, str) else value


def as_reply_to(value: EmailAddress | str | None) -> EmailAddress | None:
    """Parse where replies go, which may be missing."""
    return None if value is None else as_address(value, "reply_to")


def is_locale(_instance: object, at: Any, value: Any) -> None:
    """Check that a field holds a language tag."""
    if not isinstance(value, str) or not _LOCALE.fullmatch(value):
        raise InvalidInput(f"{at.name} {str(value)[:40]!r}: write a language tag such as et, pt-BR or zh-Hant")


def _as_name(value: str) -> str:
    """Keep a name as it is seen; of what can be none, nothing: nobody goes without their mail for it."""
    seen = as_seen(value)
    return "" if isinstance(seen, str) and (is_blank(seen) or len(seen) > MAX_LINE) else seen


@frozen(kw_only=True)
class Recipient:
    """Who gets a mail.

    Attributes:
        contact_id: the application's opaque id, which links carry.
        address: where it goes.
        name: what they are called, as far as it is seen; empty, too, where it is longer than 200 characters.
        locale: their language tag, for example `et` or `pt-BR`; unknown languages fall back.
        timezone: the IANA zone in which they read days and times.
    """

    contact_id: ContactId = field(converter=ContactId)
    address: EmailAddress = field(converter=as_address)
    name: str = field(default="", converter=_as_name, validator=is_line_or_empty)
    locale: str = field(default="en", validator=is_locale)
    timezone: str = field(default="UTC")

    @contact_id.validator
    def _some_id(self, at: Any, value: str) -> None:
        _check_is_text(at.name, value)
        Contact(id=ContactId(value))

    @timezone.validator
    def _known_zone(self, at: Any, value: str) -> None:
        _check_is_text(at.name, value)
        Contact(id=ContactId("any"), timezone=value)

    @classmethod
    def of(cls, contact: Contact, *, name: str = "", locale: str = "en", timezone: str = "UTC") -> Recipient:
        """Take a contact of the registry; what it does not say is as given here.

        A locale of the registry that is no language tag, as some imports write it, says nothing.

        Raises:
            InvalidInput: the contact has no address, or what is given here is wrong.
        """
        if contact.address is None:
            raise InvalidInput(f"contact {contact.id!r} has no address: nothing can be mailed")
        said = contact.locale or ""
        return cls(
            contact_id=contact.id, address=contact.address, name=name,
            locale=said if _LOCALE.fullmatch(said) else locale, timezone=contact.timezone or timezone,
        )  # fmt: skip

    @property
    def greeting(self) -> str:
        """The name that a greeting uses: empty where it is longer than a name, or reads like an advertisement.

        Whoever fills in a sign-up form can put a link, a price or a number to call into its name field, with somebody
        else's address.
        """
        return self._greeting

    @cached_property
    def _greeting(self) -> str:
        return greeting_of(self.name)  # a mail asks for it several times

    @property
    def zone(self) -> ZoneInfo:
        """Their time zone."""
        return ZoneInfo(self.timezone)


@frozen
class Card:
    """A payment card, as far as a mail may name it.

    Attributes:
        last_four: its last four digits. A longer number is refused, and is not in the message that says so.
    """

    last_four: str = field(repr=False)

    @last_four.validator
    def _four_digits(self, _attribute: object, value: Any) -> None:
        if not isinstance(value, str) or len(value) != 4 or not (value.isascii() and value.isdigit()):
            raise InvalidInput("a card is named by its last four digits and nothing more: Card('4242')")


def _as_decimal(value: Decimal | int | str) -> Decimal:
    if isinstance(value, float | bool):
        raise InvalidInput(f"amount {value!r}: a {type(value).__name__} is no sum of money; write Money('4.03', 'USD')")
    try:
        found = Decimal(value)
        return abs(found) if found == 0 else found  # nobody is paid -0.00
    except (ArithmeticError, ValueError, TypeError):
        raise InvalidInput(f"amount {str(value)[:40]!r}: write a number such as '4.03'") from None


@frozen
class Money:
    """A sum.

    Attributes:
        amount: exact, in units of the currency, with at most six decimals; mails state it unrounded.
        currency: its ISO 4217 code.
    """

    amount: Decimal = field(converter=_as_decimal)
    currency: str = field()

    @amount.validator
    def _is_a_sum(self, _attribute: object, value: Decimal) -> None:
        if not value.is_finite() or not 0 <= value < Decimal("1e12"):
            raise InvalidInput(f"amount {str(value)[:40]}: give a sum from 0 up to a million million")
        # Zeros at the end do not count: a database writes 4.0300000000.
        if -int(value.normalize().as_tuple().exponent) > MAX_DECIMALS:
            raise InvalidInput(f"amount {str(value)[:40]}: round it, {MAX_DECIMALS} decimals fit")

    @currency.validator
    def _is_a_code(self, _attribute: object, value: Any) -> None:
        if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
            raise InvalidInput(f"currency {str(value)[:40]!r}: write its ISO 4217 code, such as EUR")


def as_sum(value: Money | None) -> Money | None:
    """Keep a sum that a mail states, as an attrs converter; a sum of zero is none.

    Applications write 0.00 where there is nothing, and a mail would say that it pays that back.
    """
    return None if isinstance(value, Money) and not value.amount else value


@frozen(kw_only=True)
class Item:
    """Something that a mail points to: an article, a feature, a story.

    Attributes:
        title: what the reader sees.
        url: where it is.
        summary: one sentence about it, or empty.
    """

    title: str = field(validator=is_line)
    url: str = field(validator=is_link)
    summary: str = field(default="", validator=is_line_or_empty)


@frozen(kw_only=True)
class Way:
    """Another way than the one that ends here: a pause, a downgrade, another channel.

    Attributes:
        title: what the reader sees.
        url: where it is chosen.
    """

    title: str = field(validator=is_line)
    url: str = field(validator=is_link)


def as_items(values: Iterable[Item]) -> tuple[Item, ...]:
    """Keep several items as a tuple, as an attrs converter."""
    return as_tuple(values)


def as_ways(values: Iterable[Way]) -> tuple[Way, ...]:
    """Keep several ways as a tuple, as an attrs converter."""
    return as_tuple(values)
