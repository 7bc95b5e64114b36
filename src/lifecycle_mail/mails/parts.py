"""What specifications are made of: who gets a mail, and the texts, links, cards and sums that it states.

Everything is checked here, once, where the caller still knows where it came from. A template can then put any of it
anywhere: no text breaks out of its line into a header (F55), no link is other than https, and no card shows more than
its last four digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.lures import greeting_of
from lifecycle_mail.mails.texts import (
    LANGUAGE_TAG,
    MAX_LINE,
    as_address,
    as_seen,
    as_tuple,
    check_is_text,
    is_line,
    is_line_or_empty,
    is_link,
    is_locale,
)
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.unseen import is_blank

MAX_DECIMALS: Final = 6
"""Of a sum of money."""

_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def _as_name(value: str | None) -> str:
    """Keep a name as it is seen; of what can be none, nothing: nobody goes without their mail for it."""
    seen = as_seen("" if value is None else value)
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
        check_is_text(at.name, value)
        Contact(id=ContactId(value))

    @timezone.validator
    def _known_zone(self, at: Any, value: str) -> None:
        check_is_text(at.name, value)
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
            locale=said if LANGUAGE_TAG.fullmatch(said) else locale, timezone=contact.timezone or timezone,
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
            raise InvalidInput("a card is named by its last four digits and nothing more: a text such as '4242'")


def _as_decimal(value: Decimal | int | str) -> Decimal:
    """Keep a number exactly. What is none is left to the check of the sum, which tells all that is wrong with it."""
    if isinstance(value, float | bool):
        return value  # type: ignore[return-value]
    try:
        found = Decimal(value)
        return abs(found) if found == 0 else found  # nobody is paid -0.00
    except (ArithmeticError, ValueError, TypeError):
        return value  # type: ignore[return-value]


@frozen
class Money:
    """A sum.

    Attributes:
        amount: exact, in units of the currency, with at most six decimals; mails state it unrounded.
        currency: its ISO 4217 code.
    """

    amount: Decimal = field(converter=_as_decimal)
    currency: str = field()

    def __attrs_post_init__(self) -> None:
        wrong = [*_wrong_amounts(self.amount), *_wrong_currencies(self.currency)]
        if wrong:
            raise InvalidInput("; ".join(wrong))


def _wrong_amounts(value: Any) -> Iterator[str]:
    if isinstance(value, float | bool):
        yield f"amount {value!r}: a {type(value).__name__} is no sum of money; write Money('4.03', 'USD')"
    elif not isinstance(value, Decimal):
        yield f"amount {str(value)[:40]!r}: write a number such as '4.03'"
    elif not value.is_finite() or not 0 <= value < Decimal("1e12"):
        yield f"amount {str(value)[:40]}: give a sum from 0 up to a million million"
    # Zeros at the end do not count: a database writes 4.0300000000.
    elif -int(value.normalize().as_tuple().exponent) > MAX_DECIMALS:
        yield f"amount {str(value)[:40]}: round it, {MAX_DECIMALS} decimals fit"


def _wrong_currencies(value: Any) -> Iterator[str]:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        yield f"currency {str(value)[:40]!r}: write its ISO 4217 code, such as EUR"


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
