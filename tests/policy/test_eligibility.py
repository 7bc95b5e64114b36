"""The gates: what withholds a mail, what withholds transactional mail too, and which reason is given first (O2)."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from lifecycle_mail.errors import InvalidInput, Unscreened
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.entries import Entry, Standing, SuppressionKind
from lifecycle_mail.model.events import Purpose
from lifecycle_mail.model.lists import Channel, Frequency, MailingList, Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
from lifecycle_mail.policy.eligibility import (
    GATES,
    SENDABLE,
    Cap,
    Rest,
    Screened,
    Screening,
    Withheld,
    gates,
    screen,
)
from lifecycle_mail.policy.facts import Facts, Subject
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where
from tests.policy_strategies import ago, asked, held, joined, opened, said_no, sent, silent_mails, subject

OFFERS, NEWS, TIPS = MailingList("offers"), MailingList("news"), MailingList("tips")
BUYERS = Segment("buyers", of=OFFERS, where=where.field("buyer"))
JOINED = joined("ann", "offers")


def ann(*entries: Entry, **more: Any) -> Subject:
    """Make a buyer on Offers, and something else about her."""
    return subject("ann", entries=[JOINED, *entries], **{"fields": {"buyer": True}, **more})


def screened(
    who: Subject, campaign: Campaign, *, cap: Cap | None = None, rest: Rest | None = None, already_sent: bool = False
) -> Screening:
    """Screen one contact."""
    table = gates(campaign, cap=cap, rest=rest)
    return screen(Facts(who), campaign, table, position=7, already_sent=already_sent)


MARKETING = Campaign("thank-you", to=BUYERS)
TRANSACTIONAL = Campaign("receipt", to=BUYERS, kind=CampaignKind.TRANSACTIONAL)

Case = tuple[Withheld, Subject, dict[str, Any]]
ONE_GATE_EACH: dict[str, Case] = {
    # what withholds, whom, and how the screen is asked
    "no-address": (
        Withheld.NO_ADDRESS,
        subject("ann", address=None, entries=[evolve(JOINED, subject=evolve(JOINED.subject, key=None))],
        fields={"buyer": True}),
        {},
    ),
    "erased": (Withheld.ERASED, ann(held("ann", SuppressionKind.ERASURE)), {}),
    "bounced": (Withheld.BOUNCED, ann(held("ann", SuppressionKind.BOUNCE)), {}),
    "complained": (Withheld.COMPLAINED, ann(held("ann", SuppressionKind.COMPLAINT)), {}),
    "out-of-all": (Withheld.OUT_OF_ALL, ann(said_no("ann", Scope.all())), {}),
    "out-of-channel": (Withheld.OUT_OF_CHANNEL, ann(said_no("ann", Scope.channel(Channel.EMAIL))), {}),
    "out-of-list": (Withheld.OUT_OF_LIST, ann(said_no("ann", Scope.list("offers"))), {}),
    "not-subscribed": (
        Withheld.NOT_SUBSCRIBED, subject("ann", entries=[joined("ann", "news")], fields={"buyer": True}), {},
    ),
    "unconfirmed": (Withheld.UNCONFIRMED, subject("ann", entries=[asked("ann", "offers")], fields={"buyer": True}), {}),
    "consent-expired": (
        Withheld.EXPIRED,
        subject("ann", entries=[joined("ann", "offers", standing=Standing.IMPLIED, expires_at=ago(0))],
        fields={"buyer": True}),
        {},
    ),
    "paused": (Withheld.PAUSED, ann(held("ann", SuppressionKind.PAUSE, until=ago(-1))), {}),
    "archived": (Withheld.ARCHIVED, ann(held("ann", SuppressionKind.ARCHIVE)), {}),
    "sunset": (Withheld.SUNSET, ann(held("ann", SuppressionKind.SUNSET)), {}),
    "not-in-segment": (Withheld.NOT_IN_SEGMENT, ann(fields={"buyer": False}), {}),
    "already-sent": (Withheld.ALREADY_SENT, ann(), {"already_sent": True}),
    "frequency": (Withheld.FREQUENCY, ann(events=[sent(3)], frequency=Frequency.WEEKLY), {}),
    "cap": (Withheld.FREQUENCY, ann(events=[sent(3), sent(2)]), {"cap": Cap(mails=2, days=7)}),
    "resting": (Withheld.RESTING, ann(events=silent_mails([9, 8, 7, 6, 5])), {"rest": Rest()}),
}  # fmt: skip
TRANSACTIONAL_TOO = {
    Withheld.NO_ADDRESS, Withheld.ERASED, Withheld.BOUNCED, Withheld.NOT_IN_SEGMENT, Withheld.ALREADY_SENT,
}  # fmt: skip


class TestGates:
    """Each gate by itself."""

    def test_every_gate_has_a_case(self) -> None:
        """No reason is without a contact that it withholds; a shared address takes two, and stands with planning."""
        assert set(Withheld) == {reason for reason, _, _ in ONE_GATE_EACH.values()} | {Withheld.SAME_ADDRESS}

    def test_nobody_else(self) -> None:
        """A buyer on the list of whom nothing else is known gets the mail."""
        for campaign in (MARKETING, TRANSACTIONAL):
            assert SENDABLE == screened(ann(), campaign).decision.outcome
            assert screened(ann(), campaign).recipient is not None

    @pytest.mark.parametrize("name", ONE_GATE_EACH)
    def test_marketing(self, name: str) -> None:
        """Each reason withholds a marketing mail, and is the only one that holds."""
        reason, who, asked_for = ONE_GATE_EACH[name]
        found = screened(who, MARKETING, **asked_for)
        assert reason == found.decision.outcome
        assert found.recipient is None
        assert [found.decision.rule.name] == [row.rule.name for row in found.decision.trace() if row.holds]
        assert found.decision.reason

    @pytest.mark.parametrize("name", ONE_GATE_EACH)
    def test_transactional(self, name: str) -> None:
        """Transactional mail goes on in every case but a dead or erased address, and what is not about consent (O2)."""
        reason, who, asked_for = ONE_GATE_EACH[name]
        found = screened(who, TRANSACTIONAL, **asked_for)
        if reason is Withheld.NOT_SUBSCRIBED:  # consent is not asked for, but the list says who is meant
            reason = Withheld.NOT_IN_SEGMENT
        expected = reason if reason in TRANSACTIONAL_TOO else SENDABLE
        assert expected == found.decision.outcome
        assert (expected == SENDABLE) is (found.recipient is not None)
        assert found.leaves_list is None

    def test_those_that_bind_transactional_mail(self) -> None:
        """The table itself says which gates bind transactional mail (O2)."""
        assert TRANSACTIONAL_TOO == {gate.withheld for gate in GATES if gate.transactional}

    def test_every_standing_but_active_withholds(self) -> None:
        """For every way to stand with a list that is not active there is a gate (O2, O4)."""
        read = {leaf.value for gate in GATES for leaf in gate.when.leaves() if leaf.fact == "list_standing"}
        assert {standing.value for standing in ListStanding} - {"active"} == read


ORDER = [
    "no-address", "erased", "bounced", "complained", "out-of-all", "out-of-channel", "out-of-list", "paused",
    "archived", "sunset",
    "not-in-segment", "already-sent", "frequency",
]  # fmt: skip


class TestPrecedence:
    """Where several reasons hold, one is given: what is true of the address, what they said, what we decided."""

    def test_order(self) -> None:
        """With one reason after the other taken away, they come out in the stated order."""
        entries: dict[str, Entry] = {
            "erased": held("ann", SuppressionKind.ERASURE),
            "bounced": held("ann", SuppressionKind.BOUNCE),
            "complained": held("ann", SuppressionKind.COMPLAINT),
            "out-of-all": said_no("ann", Scope.all(), event="1"),
            "out-of-channel": said_no("ann", Scope.channel(Channel.EMAIL), event="2"),
            "out-of-list": said_no("ann", Scope.list("offers"), event="3"),
            "paused": held("ann", SuppressionKind.PAUSE, until=ago(-1)),
            "archived": held("ann", SuppressionKind.ARCHIVE),
            "sunset": held("ann", SuppressionKind.SUNSET),
        }
        found = []
        for place in range(len(ORDER)):
            left = set(ORDER[place:])
            who = ann(
                *[entry for name, entry in entries.items() if name in left],
                fields={"buyer": "not-in-segment" not in left},
                events=[sent(3)],
                frequency=Frequency.WEEKLY,
            )
            if "no-address" in left:
                who = evolve(who, contact=evolve(who.contact, address=None))
            found.append(screened(who, MARKETING, already_sent="already-sent" in left).decision.outcome)
        assert ORDER == found

    @pytest.mark.parametrize("campaign", [MARKETING, TRANSACTIONAL], ids=["marketing", "transactional"])
    def test_the_table_is_in_that_order(self, campaign: Campaign) -> None:
        """The table of a campaign keeps the order of GATES; the policy's own limits come last."""
        names = [rule.name for rule in gates(campaign, cap=Cap(mails=1, days=1), rest=Rest()).rules]
        expected = [gate.withheld.value for gate in GATES if campaign.marketing or gate.transactional]
        assert [*expected, *(["cap", "resting"] if campaign.marketing else [])] == names

    def test_the_best_list_counts(self) -> None:
        """With several lists behind a campaign, out of one and on another is on (L3)."""
        both = Campaign("c", to=[OFFERS, NEWS])
        who = ann(said_no("ann", Scope.list("offers")), joined("ann", "news"))
        assert ("sendable", "news") == (screened(who, both).decision.outcome, screened(who, both).leaves_list)
        out = ann(said_no("ann", Scope.list("offers")), asked("ann", "news"))
        assert Withheld.OUT_OF_LIST == screened(out, both).decision.outcome


class TestLeaving:
    """The list that a link in the mail leaves is the first in `to` that reached the recipient (L3)."""

    @pytest.mark.parametrize(
        ("to", "on", "expected"),
        [
            ([OFFERS, NEWS], ["offers", "news"], "offers"),
            ([NEWS, OFFERS], ["offers", "news"], "news"),
            ([OFFERS, NEWS], ["news"], "news"),
            ([Segment("s", of=[TIPS, NEWS, OFFERS])], ["offers", "news"], "news"),
            ([BUYERS, NEWS], ["offers", "news"], "offers"),
            ([Segment("s", of=OFFERS, where=~where.field("buyer")), NEWS], ["offers", "news"], "news"),
            ([Segment("s", of=TIPS, where=where.field("buyer")), OFFERS], ["offers"], "offers"),
        ],
        ids=range(7),
    )
    def test_first_that_reached(self, to: Any, on: list[str], expected: str) -> None:
        """Only a target whose list they are on and whose segment they are in has reached them."""
        who = subject("ann", entries=[joined("ann", key) for key in on], fields={"buyer": True})
        found = screened(who, Campaign("c", to=to))
        assert found.recipient is not None
        assert expected == found.leaves_list == found.recipient.leaves_list

    def test_of_two_segments(self) -> None:
        """On the list of one segment and in the filter of another is in neither."""
        to = [
            Segment("a", of=OFFERS, where=where.field("vip")),
            Segment("b", of=NEWS, where=where.field("buyer")),
        ]
        assert Withheld.NOT_IN_SEGMENT == screened(ann(), Campaign("c", to=to)).decision.outcome

    def test_everyone_of_one_list(self) -> None:
        """A target without a filter does not open another list's door."""
        to: list[Segment | MailingList] = [Segment("a", of=OFFERS, where=where.field("vip")), NEWS]
        assert Withheld.NOT_IN_SEGMENT == screened(ann(), Campaign("c", to=to)).decision.outcome

    def test_the_explanation_names_the_field(self) -> None:
        """Who is outside reads which field keeps them out."""
        found = screened(ann(fields={"buyer": False}), MARKETING)
        assert 'not field("buyer")' in found.decision.explain()
        assert 'sendable (otherwise) if field:buyer = yes (is no)' in found.decision.explain()  # fmt: skip


class TestFrequency:
    """How often a person, or the policy, allows (P2)."""

    @pytest.mark.parametrize(("days", "sendable"), [(5.99, False), (6.0, True)])
    def test_chosen(self, days: float, sendable: bool) -> None:
        """The gap that they chose binds, to its last second."""
        assert sendable is (
            screened(ann(events=[sent(days)], frequency=Frequency.WEEKLY), MARKETING).recipient is not None
        )

    @pytest.mark.parametrize(("mails", "days", "sendable"), [(3, 7, True), (2, 7, False), (2, 3, True), (2, 4, False)])
    def test_cap(self, mails: int, days: int, sendable: bool) -> None:
        """A cap counts the mails of its days, the oldest end excluded, and says so."""
        found = screened(ann(events=[sent(3), sent(2)]), MARKETING, cap=Cap(mails=mails, days=days))
        assert sendable is (found.recipient is not None)
        if not sendable:
            assert f"2 mails in {days} days, of {mails} at most" == found.decision.reason

    @pytest.mark.parametrize("made", [Cap, Rest])
    @pytest.mark.parametrize("number", [0, -1, 3661, 1.5, True, "3", None])
    def test_limits_that_make_no_sense(self, made: Callable[..., object], number: Any) -> None:
        """Limits are whole numbers from 1, refused where they are written and not when a campaign is planned."""
        for name in ("mails", "days"):
            with pytest.raises(InvalidInput, match=name):
                made(**{"mails": 3, "days": 3, name: number})

    def test_rest(self) -> None:
        """After N silent mails a contact rests so many days, is tried once, and rests again (S3)."""
        rest = Rest(mails=2, days=30)
        silent = [sent(60), sent(31)]
        assert SENDABLE == screened(ann(events=silent), MARKETING, rest=rest).decision.outcome
        tried = [*silent, sent(29)]
        assert Withheld.RESTING == screened(ann(events=tried), MARKETING, rest=rest).decision.outcome
        answered = [*tried, opened(28, "d29")]
        assert SENDABLE == screened(ann(events=answered), MARKETING, rest=rest).decision.outcome

    @pytest.mark.parametrize("purpose", [Purpose.RE_ENGAGEMENT, Purpose.LAST_CHANCE])
    def test_rest_lets_re_engagement_through(self, purpose: Purpose) -> None:
        """Mails that try to win somebody back do not wait for a rest (S3)."""
        campaign = Campaign("c", to=BUYERS, purpose=purpose)
        assert (
            SENDABLE
            == screened(ann(events=silent_mails([3, 2])), campaign, rest=Rest(mails=2, days=30)).decision.outcome
        )


class TestSeal:
    """Nothing reaches an ESP unscreened."""

    def test_made_by_the_screen(self) -> None:
        """What passed says whom, where to, for what, which list it leaves, and up to where the log was read."""
        found = screened(ann(), MARKETING).recipient
        assert found is not None
        assert ("ann", "ann@example.com", "thank-you", "offers", 7) == (
            found.contact_id, str(found.address), found.campaign, found.leaves_list, found.position,
        )  # fmt: skip

    @pytest.mark.parametrize("seal", [None, object(), True, "seal"], ids=range(4))
    def test_made_by_nobody_else(self, seal: object) -> None:
        """Without the screen's seal there is no recipient."""
        with pytest.raises(Unscreened, match="only the screen"):
            Screened(
                contact_id=ContactId("bob"),
                address=parse_address("bob@example.com"),
                campaign=CampaignKey("c"),
                leaves_list=None,
                position=0,
                seal=seal,
            )

    def test_not_made_from_another(self) -> None:
        """A recipient that passed cannot be turned into one that did not."""
        found = screened(ann(), MARKETING).recipient
        assert found is not None
        changes: list[dict[str, Any]] = [
            {"contact_id": ContactId("bob")}, {"address": parse_address("bob@example.com")},
            {"campaign": CampaignKey("x")},
            {"position": 8}, {"seal": found._seal}, {},
        ]  # fmt: skip
        for change in changes:
            with pytest.raises(Unscreened):
                evolve(found, **change)
        with pytest.raises(AttributeError):
            found.contact_id = ContactId("bob")  # type: ignore[misc]

    def test_copies(self) -> None:
        """A copy, or one that went through a queue, is the same recipient."""
        found = screened(ann(), MARKETING).recipient
        assert found == copy.deepcopy(found) == pickle.loads(pickle.dumps(found))  # noqa: S301

    def test_no_address_no_recipient(self) -> None:
        """Even a table that lets everybody through makes no recipient without an address."""
        nowhere = ann(address=None)
        empty = evolve(gates(MARKETING), rules=())
        found = screen(Facts(nowhere), MARKETING, empty, position=0)
        assert SENDABLE == found.decision.outcome
        assert found.recipient is None
