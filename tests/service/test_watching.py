"""The watch over opt-outs gathers what was delivered, who left, and what is behind each campaign (O3, O6)."""

from datetime import timedelta
from typing import Any

import pytest

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.measure.watch import WatchRow, WatchRules
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind, Evidence, Purpose
from lifecycle_mail.model.intake import Held, Joined, Left, Who
from lifecycle_mail.model.lists import Channel, Scope
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.provenance import Actor, OptOutReason, Through
from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import event, lifecycle, said
from lifecycle_mail.testing.stores import PEPPERS
from tests.service.worlds import DAY, HOUR, MINUTE, NEWS, NOW, OFFERS, PROOF, SPRING

SPENDERS = Segment("spenders", of=OFFERS, where=where.field("spend") > 100)
DEALS = Campaign("deals", to=[SPENDERS])
BOTH = Campaign("both", to=[OFFERS, NEWS])
STAY = Campaign("stay", to=[OFFERS], purpose=Purpose.RE_ENGAGEMENT)
RECEIPT = Campaign("receipt", kind=CampaignKind.TRANSACTIONAL)
LOOSE = WatchRules(0.005, 4)
PROVIDERS = ("gmail.com", "yahoo.co.uk", "example.com")


def senders(count: int = 12, *, campaigns: tuple[Campaign, ...] = (SPRING,), **options: Any) -> Lifecycle:
    """Return a world of so many subscribers at three providers, each of whom got these campaigns yesterday."""
    mail = lifecycle(OFFERS, NEWS, SPRING, DEALS, BOTH, STAY, RECEIPT, **options)
    for place in range(count):
        mail.subscribe(
            f"p{place}@{PROVIDERS[place % 3]}", OFFERS, proof=PROOF, now=NOW - 9 * DAY, contact_id=f"p{place}"
        )
    for campaign in campaigns:
        mail.record(
            [
                event(f"p{place}", "sent", at=NOW - DAY, mail=f"{campaign.key}{place}", campaign=campaign.key)
                for place in range(count)
            ],
            now=NOW,
        )
    return mail


def row(mail: Lifecycle, dimension: str, key: str, **options: Any) -> WatchRow:
    """Return one row of the watch."""
    options.setdefault("now", NOW)
    (one,) = [each for each in mail.opt_out_watch(**options).of(dimension) if each.key == key]
    return one


def test_a_campaign_that_drives_people_away_is_an_alert() -> None:
    """Three of twelve left through it: by campaign, list, segment and provider, with their reasons (O3, O6)."""
    mail = senders(campaigns=(DEALS, SPRING))
    for place, reason in ((0, OptOutReason.TOO_MANY), (3, OptOutReason.TOO_MANY), (6, None)):
        mail.opt_out(f"p{place}", campaign=DEALS, reason=reason, now=NOW - HOUR)
    deals = row(mail, "campaign", "deals", rules=LOOSE)
    assert (12, 3, 0.25, True) == (deals.delivered, deals.opt_outs, deals.rate, deals.is_alert)
    assert "list offers (3), segment spenders (3), provider gmail (3)" == deals.comes_from
    assert {"too-many": 2} == dict(deals.reasons)
    assert (12, 0) == ((spring := row(mail, "campaign", "spring")).delivered, spring.opt_outs)
    assert (24, 3) == ((offers := row(mail, "list", "offers")).delivered, offers.opt_outs)
    assert (12, 3) == ((spenders := row(mail, "segment", "spenders")).delivered, spenders.opt_outs)
    assert [(8, 3), (8, 0), (8, 0)] == [
        (one.delivered, one.opt_outs) for one in (row(mail, "provider", key) for key in ("gmail", "yahoo", "other"))
    ]
    text = str(mail.opt_out_watch(now=NOW, rules=LOOSE))
    assert "alert: campaign deals: 3 of 12 left, 25.00 %" in text
    assert "relevance: 2 of 3 said too many: offer fewer mails, or a pause" in text


def test_it_is_quiet_where_nothing_is_wrong() -> None:
    """By default a thousand mails are needed to tell (O6)."""
    mail = senders()
    mail.opt_out("p0", campaign=SPRING, now=NOW)
    found = mail.opt_out_watch(now=NOW)
    assert ((), 1) == (found.alerts, found.total.opt_outs)
    assert () == lifecycle(OFFERS).opt_out_watch(now=NOW).rows


def test_delivery_is_asked_apart() -> None:
    """Bounces, drops, complaints and machine opens of a campaign are told with it, and not as reasons."""
    mail = senders()
    happened: list[tuple[int, EventKind, Evidence]] = [
        (0, EventKind.HARD_BOUNCED, Evidence.UNKNOWN), (1, EventKind.SOFT_BOUNCED, Evidence.UNKNOWN),
        (2, EventKind.DROPPED, Evidence.UNKNOWN), (3, EventKind.OPENED, Evidence.MACHINE),
    ]  # fmt: skip
    mail.record(
        [
            event(f"p{place}", kind, at=NOW - HOUR, mail=f"spring{place}", campaign="spring", evidence=who)
            for place, kind, who in happened
        ],
        now=NOW,
    )
    complaint = said(Actor.CONTACT, at=NOW - HOUR, through=Through.COMPLAINT, campaign="spring", source="memory")
    for _ in range(2):
        mail.receive(
            [Held(who=Who("p4"), kind=SuppressionKind.COMPLAINT, provenance=complaint, event_id="c1")], now=NOW
        )
    spring = row(mail, "campaign", "spring")
    assert (9, 1, 0) == (spring.delivered, spring.complaints, spring.opt_outs)
    assert ["2 of 12", "1 of 12", "1 complained", "machines made 1 of 1"] == [
        said_.split(" mails")[0].split(" (")[0].split(" opens")[0] for said_ in spring.delivery
    ]
    assert 1 == row(mail, "provider", "yahoo").complaints
    assert () == spring.relevance


def test_one_click_counts_once() -> None:
    """What came back as an echo is no second person who left (F33)."""
    mail = senders()
    mail.opt_out("p0", campaign=SPRING, now=NOW - HOUR)
    mail.drain(now=NOW - HOUR + MINUTE)
    mail.fetch(now=NOW)
    assert (1, 1) == (row(mail, "campaign", "spring").opt_outs, mail.opt_out_watch(now=NOW).total.opt_outs)


def test_a_no_without_a_campaign_counts_for_the_list_and_the_provider() -> None:
    """Whoever leaves on the preference page is on the list's account, and on nobody's campaign."""
    mail = senders()
    mail.opt_out("p0", scope=Scope.list("offers"), now=NOW)
    mail.opt_out("p1", scope=Scope.all(), now=NOW)
    mail.opt_out("p2", scope=Scope.channel(Channel.EMAIL), now=NOW)
    assert (0, 1, 1, 1) == (
        row(mail, "campaign", "spring").opt_outs, row(mail, "list", "offers").opt_outs,
        row(mail, "provider", "gmail").opt_outs, row(mail, "provider", "yahoo").opt_outs,
    )  # fmt: skip
    assert 3 == mail.opt_out_watch(now=NOW).total.opt_outs


def test_a_no_to_all_through_a_campaign_counts_for_its_list() -> None:
    """The list behind the campaign is what they had enough of."""
    mail = senders()
    mail.opt_out("p0", campaign=SPRING, scope=Scope.all(), now=NOW)
    assert 1 == row(mail, "list", "offers").opt_outs


def test_lists_of_one_campaign_are_told_apart_by_the_claims() -> None:
    """What each recipient's mail would have left is what was delivered for that list (L3)."""
    mail = senders(4, campaigns=())
    for place in range(4, 10):
        mail.subscribe(f"p{place}@example.com", NEWS, proof=PROOF, now=NOW - 9 * DAY, contact_id=f"p{place}")
    mail.send(mail.plan(BOTH, now=NOW - HOUR), now=NOW - HOUR)
    assert (4, 6, 10) == (
        row(mail, "list", "offers").delivered, row(mail, "list", "news").delivered,
        row(mail, "campaign", "both").delivered,
    )  # fmt: skip


def test_a_campaign_that_nobody_declared_is_known_by_its_claims() -> None:
    """A campaign leaves the programme, and its mails are left through for months."""
    mail = senders(4, campaigns=())
    mail.send(mail.plan(Campaign("autumn", to=[OFFERS]), now=NOW - HOUR), now=NOW - HOUR)
    later = lifecycle(OFFERS, store=mail.store)
    assert 4 == row(later, "list", "offers").delivered


def test_re_engagement_has_its_own_threshold() -> None:
    """Told by the campaign, or by what its mails were sent as (O6)."""
    for purpose in ("regular", "re-engagement"):
        mail = senders(campaigns=() if purpose == "re-engagement" else (STAY,))
        if purpose == "re-engagement":
            mail.record(
                [event(f"p{n}", "sent", at=NOW - DAY, mail=f"x{n}", campaign="x", purpose=purpose) for n in range(12)],
                now=NOW,
            )
        key = "x" if purpose == "re-engagement" else "stay"
        assert 0.01 == row(mail, "campaign", key).threshold
        assert pytest.approx(0.01) == row(mail, "provider", "gmail").threshold


def test_receipts_are_watched_by_nobody() -> None:
    """Transactional mail is no marketing: it neither adds to the delivered nor hides a rate (O2)."""
    mail = senders(campaigns=(SPRING, RECEIPT))
    mail.record(
        [
            event(f"p{n}", "sent", at=NOW - DAY, mail=f"o{n}", campaign="order", purpose=Purpose.TRANSACTIONAL)
            for n in range(12)
        ],
        now=NOW,
    )
    found = mail.opt_out_watch(now=NOW)
    assert (12, ["spring"]) == (found.total.delivered, [one.key for one in found.of("campaign")])


def test_since_cuts_both_at_the_day() -> None:
    """Mails and opt-outs of earlier days are left out; those of the day of `since` count whole."""
    mail = senders(campaigns=())
    for days in (0, 1, 2, 3):
        mail.record([event("p0", "sent", at=NOW - days * DAY, mail=f"m{days}", campaign="spring")], now=NOW)
        mail.opt_out(f"p{days}", scope=Scope.list("offers"), now=NOW - days * DAY - 8 * HOUR)
    found = mail.opt_out_watch(now=NOW, since=NOW - 2 * DAY)
    assert (3, 3) == (found.total.delivered, found.total.opt_outs)
    assert (4, 4) == ((all_ := mail.opt_out_watch(now=NOW).total).delivered, all_.opt_outs)
    assert (3, 3) == ((past := mail.opt_out_watch(now=NOW - DAY).total).delivered, past.opt_outs)
    assert str(found).startswith("opt-outs 2026-02-28 to 2026-03-02;")


def test_an_old_no_that_is_imported_counts_on_its_day() -> None:
    """An export of years of opt-outs is no alert of today; one of which nobody knows when is left out."""
    mail = senders()
    imported = said(Actor.OPERATOR, at=NOW - 700 * DAY, through=Through.IMPORT, source="file:old.csv")
    mail.receive(
        [
            Left(who=Who("p0"), scope=Scope.all(), provenance=imported),
            Left(who=Who("p1"), scope=Scope.all(), provenance=said(Actor.ESP, at=NOW, source="x"), dated=False),
            Joined(who=Who("p2"), list=ListKey("news"), provenance=imported),
        ],
        now=NOW,
    )
    assert 0 == mail.opt_out_watch(now=NOW, since=NOW - 30 * DAY).total.opt_outs
    assert 1 == mail.opt_out_watch(now=NOW).total.opt_outs


def test_who_was_erased_still_counts() -> None:
    """Their no and their mails are numbers with nobody's name; the provider is known no more (O5)."""
    mail = senders(peppers=PEPPERS)
    mail.opt_out("p0", campaign=SPRING, now=NOW)
    mail.erase("p0", by=Actor.CONTACT, now=NOW)
    assert (12, 1) == ((spring := row(mail, "campaign", "spring")).delivered, spring.opt_outs)
    assert (4, 0) == ((gmail := row(mail, "provider", "gmail")).delivered, gmail.opt_outs)


def test_the_ids_of_the_esp_are_read_as_our_keys() -> None:
    """A campaign that the ESP reports under its own id is the one that it is bound to."""
    mail = senders(campaigns=())
    mail.store.bind("esp:memory", "campaign", "spring", "42694e9e57")
    mail.record([event("p0", "sent", at=NOW - DAY, mail="m1", campaign="42694e9e57")], now=NOW)
    told = said(Actor.CONTACT, at=NOW - HOUR, through=Through.WEBHOOK, source="memory", campaign="42694e9e57")
    mail.receive([Left(who=Who("p0"), scope=Scope.all(), provenance=told, event_id="u1")], now=NOW)
    assert (1, 1) == ((spring := row(mail, "campaign", "spring")).delivered, spring.opt_outs)


class ReadOnce(MemoryStore):
    """A store whose log is a stream, and says how often it was read."""

    reads = 0

    def records(self, *, after: int = 0, until: int | None = None) -> Any:
        """Read it, and count that."""
        self.reads += 1
        return super().records(after=after, until=until)


def test_the_log_is_read_once() -> None:
    """However many dimensions there are, a log of millions passes by once."""
    store = ReadOnce()
    mail = senders(store=store)
    mail.opt_out("p0", campaign=SPRING, now=NOW)
    store.reads = 0
    mail.opt_out_watch(now=NOW)
    mail.opt_out_causes(since=NOW - DAY)
    assert 2 == store.reads


# --- opt_out_causes --------------------------------------------------------------------------------------------------


def test_causes_can_be_asked_from_an_instant_on() -> None:
    """Those recorded since then, while an echo of an older no stays one (O3, F33)."""
    mail = senders()
    mail.opt_out("p0", campaign=DEALS, reason=OptOutReason.TOO_MANY, now=NOW - DAY)
    mail.drain(now=NOW - DAY + timedelta(minutes=1))
    mail.opt_out("p1", campaign=SPRING, now=NOW)
    mail.fetch(now=NOW)  # the report of what was pushed yesterday
    assert (2, {"deals": 1, "spring": 1}) == ((every := mail.opt_out_causes()).total, dict(every.campaigns))
    today = mail.opt_out_causes(since=NOW)
    assert (1, {"spring": 1}, {"": 1}) == (today.total, dict(today.campaigns), dict(today.segments))
    yesterday = mail.opt_out_causes(until=NOW - HOUR)
    assert ({"deals": 1}, {"spenders": 1}, {"too-many": 1}) == (
        dict(yesterday.campaigns), dict(yesterday.segments), dict(yesterday.reasons),
    )  # fmt: skip
    assert 0 == mail.opt_out_causes(since=NOW + HOUR).total
    with pytest.raises(InvalidInput):
        mail.opt_out_causes(since=NOW.replace(tzinfo=None))
