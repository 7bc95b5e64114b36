"""A mail of every kind, made up: for previews, for tests, and to see what a specification looks like.

Nobody and nothing in here exists. A sample says much of what its kind can; `bare` leaves out all that need not be said,
so that a template is seen with little to go by, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from attrs import evolve, fields, has

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.brand import Brand, Theme
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.links import LinkPurpose
from lifecycle_mail.mails.parts import Card, Item, Money, Recipient, Way
from lifecycle_mail.mails.reasons import SINGLE_REASONS, SURVEY_REASONS
from lifecycle_mail.mails.specs import (
    CancellationConfirmed,
    CancellationNote,
    CancellationReasonRequest,
    CancellationSurvey,
    ConfirmResubscription,
    ConfirmSubscription,
    FinalNotice,
    FreshLink,
    Goodbye,
    InactivityNotice,
    Incentive,
    IncentiveKind,
    LastChance,
    MembershipEnded,
    PaymentFailed,
    PlanEnding,
    PreferenceRequest,
    PreferenceUpdate,
    Specification,
    Survey,
    TechnicalFollowUp,
    ValueProposition,
    WeMissYou,
)
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.answers import CancellationReason, DriftReason
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId

NOW: Final = datetime(2026, 3, 3, 12, 5, tzinfo=UTC)
"""When the samples are written."""

BRAND: Final = Brand(
    name="Harbour",
    sender="Ines from Harbour",
    address="ines@harbour.example",
    postal_address=["Harbour OÜ", "Sadama 1", "10111 Tallinn", "Estonia"],
    website="https://harbour.example",
    privacy_url="https://harbour.example/privacy",
    help_url="https://harbour.example/help",
    signature="Ines, Harbour",
    theme=Theme.of("#0a5c63"),
)
"""A made-up sender."""

T = TypeVar("T")

_NEWS: Final = MailingList("harbour-news", title="Harbour News", expect="one story a week about sailing in cold water")
_TIPS: Final = MailingList("tips", title="Sailing Tips", expect="a short lesson on the first of the month")
_HARBOUR: Final = "https://harbour.example"
_ITEMS: Final = (
    Item(title="Ten quiet anchorages", url=f"{_HARBOUR}/anchorages", summary="Where nobody else drops anchor."),
    Item(title="Charts that work offline", url=f"{_HARBOUR}/offline"),
)


def samples(to: Recipient, *, confirm: str = "k.AA.AA", now: datetime = NOW) -> Mapping[Kind, Specification]:
    """Return a specification of every kind, in the order of the table of kinds.

    Args:
        to: who gets them.
        confirm: the token that the links of confirmations carry.
        now: when they are written, an aware instant; their deadlines lie after it.
    """
    today = now.date()
    ago = now - timedelta(hours=2)
    programme: dict[str, Any] = {
        "to": to,
        "listed": _NEWS,
        "campaign": "win-back",
        "visit_url": f"{_HARBOUR}/new",
        "joined_on": today - timedelta(days=400),
    }
    product = "Harbour Pro"
    again = f"{_HARBOUR}/start"
    last_day = today + timedelta(days=28)
    specs: tuple[Specification, ...] = (
        CancellationConfirmed(
            to=to, product=product, cancelled_at=ago, card=Card("4242"), keeps=["Your logbook", "Your saved charts"],
            reasons=SURVEY_REASONS, resume_url=again, access_until=last_day,
            refund=Money("4.03", "EUR"), reason=CancellationReason.NO_INTEGRATION,
        ),
        CancellationNote(
            to=to, product=product, cancelled_at=ago, card=Card("4242"), refund=Money("4.03", "EUR"),
            keeps=["Your logbook"], resume_url=again, access_until=last_day, reason=CancellationReason.MISSING_FEATURES,
        ),
        CancellationSurvey(to=to, product=product, reasons=SURVEY_REASONS, cancelled_at=ago),
        CancellationReasonRequest(
            to=to, product=product, cancelled_at=ago, card=Card("4242"), refund=Money("4.03", "EUR"),
            keeps=["Your logbook"], reasons=SINGLE_REASONS, resume_url=again, access_until=last_day,
        ),
        TechnicalFollowUp(
            to=to, product=product, problem="The chart stays white\nwhen I zoom in.", resume_url=again,
            ticket="H-2041", refund=Money("4.03", "EUR"), cancelled_at=ago,
        ),
        PlanEnding(
            to=to, product=product, cancelled_at=ago, ends_on=last_day, card=Card("4242"),
            keeps=["Your logbook", "One chart at a time"], resume_url=again, refund=Money("4.03", "EUR"),
        ),
        MembershipEnded(
            to=to, product="Harbour Club", cancelled_at=ago - timedelta(days=30), ended_on=today - timedelta(days=1),
            card=Card("4242"), refund=Money("4.03", "EUR"), keeps=["Your logbook"],
            benefits=["The winter meetings", "The library of charts"], resume_url=again, help_url=f"{_HARBOUR}/help",
        ),
        InactivityNotice(
            to=to, product="Harbour", inactive_since=today - timedelta(days=365), closes_on=today + timedelta(days=14),
            keep_url=f"{_HARBOUR}/sign-in", export_url=f"{_HARBOUR}/export", help_url=f"{_HARBOUR}/help",
        ),
        PaymentFailed(
            to=to, product=product, cancelled_at=ago, card=Card("4242"), resume_url=f"{_HARBOUR}/card",
            amount=Money("12.00", "EUR"), refund=Money("4.03", "EUR"), keeps=["Your logbook"], access_until=last_day,
            other_ways=[Way(title="Pay by invoice", url=f"{_HARBOUR}/invoice")],
        ),
        WeMissYou(**programme, interest="ice sailing", source="the boat show", news=_ITEMS),
        ValueProposition(**programme, items=_ITEMS, published=47, place="Tallinn"),
        Incentive(
            **programme, incentive=IncentiveKind.DISCOUNT, what="20 % off your next chart",
            expires_on=today + timedelta(days=7), code="BACK20", terms_url=f"{_HARBOUR}/terms",
        ),
        PreferenceUpdate(**programme, topics=[_NEWS, _TIPS]),
        Survey(**programme, reasons=tuple(DriftReason)),
        LastChance(**programme, deadline=now.astimezone(to.zone).date() + timedelta(days=7)),
        FinalNotice(**programme, stops_at=now + timedelta(hours=48), subscribe_url=f"{_HARBOUR}/subscribe"),
        Goodbye(
            to=to, left=_NEWS, left_at=ago, stays=[_TIPS],
            channels=[Way(title="Harbour on your phone", url=f"{_HARBOUR}/app")],
        ),
        ConfirmSubscription(to=to, listed=_NEWS, token=confirm, asked_at=ago, source="the form on harbour.example"),
        PreferenceRequest(to=to, asked_at=ago),
        ConfirmResubscription(
            to=to, listed=_NEWS, token=confirm, asked_at=ago, left_on=today - timedelta(days=90), from_all=True
        ),
        FreshLink(to=to, purpose=LinkPurpose.UNSUBSCRIBE, asked_at=ago, listed=_NEWS),
    )  # fmt: skip
    return {spec.kind: spec for spec in specs}


def sample_reader(locale: str = "en", *, name: str = "Ada Lovelace") -> Recipient:
    """Return a made-up reader in a language."""
    return Recipient(
        contact_id=ContactId("c-17"), address="ada@reader.example", name=name, locale=locale, timezone="Europe/Tallinn"
    )


_PARTS: Final[Mapping[type, tuple[str, ...]]] = {
    EmailAddress: (),
    Recipient: ("name",),
    MailingList: ("expect", "frequency"),
    Item: ("summary",),
}
"""What need not be said of the parts of a specification whose other fields would take anything."""


def bare(said: T) -> T:
    """Return a specification, or a part of one, that says only what it has to: no name, no option, every list empty.

    Where a list may not be empty, as few entries stay as it takes. A brand is stripped in the same way.
    """
    found: Any = said
    if type(said) in _PARTS:
        left_out = {one.name: one.default for one in fields(type(found)) if one.name in _PARTS[type(found)]}
        found = evolve(found, **left_out)
    elif has(type(said)):
        for _ in range(2):  # what stands behind another field may only be left out after it
            for one in fields(type(found)):
                for value in _less(type(found), one.name, getattr(found, one.name)):
                    with suppress(InvalidInput):
                        found = evolve(found, **{one.name: value})
                        break
    least: T = found
    return least


_hints = lru_cache(maxsize=64)(get_type_hints)


def _less(cls: type, name: str, value: Any) -> Iterator[Any]:
    """What might stand there instead, the least first."""
    declared = _hints(cls)[name]
    if type(None) in get_args(declared):
        yield None
    if get_origin(declared) is tuple:
        for length in range(len(value)):
            yield tuple(map(bare, value[:length]))
    if declared is str:
        yield ""
    if declared is bool:
        yield False
    yield tuple(map(bare, value)) if isinstance(value, tuple) else bare(value)
