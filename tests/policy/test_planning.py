"""`audience = sendable + the sum of the withheld, by reason`, of any population and any campaign."""

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import CampaignRefused, InvalidInput, UnknownName
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.entries import Consent as ConsentEntry
from lifecycle_mail.model.entries import ConsentRequest, Entry, OptOut, Standing, Suppression, SuppressionKind
from lifecycle_mail.model.events import EngagementEvent, Purpose
from lifecycle_mail.model.lists import Channel, Frequency, MailingList, Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
from lifecycle_mail.policy.eligibility import SENDABLE, Cap, Rest, Withheld
from lifecycle_mail.policy.facts import LEAST_GAP, Subject
from lifecycle_mail.policy.planning import Plan, plan
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where
from tests.policy_strategies import NOW, ago, asked, held, joined, said_no, sent, subject

KEYS = ("offers", "news")
OFFERS, NEWS = (MailingList(key) for key in KEYS)
SCOPES = (Scope.all(), Scope.channel(Channel.EMAIL), Scope.channel(Channel.SMS), *map(Scope.list, KEYS))


@frozen
class Someone:
    """A contact with what was drawn for them, so that a test can judge them by itself."""

    who: str
    address: bool
    entries: tuple[Entry, ...]
    sent_days: tuple[float, ...]
    frequency: Frequency | None
    spend: int | None

    def subject(self) -> Subject:
        """Return them as the policy sees them."""
        return subject(
            self.who,
            address="usual" if self.address else None,
            entries=self.entries,
            events=[sent(days, who=self.who) for days in self.sent_days],
            fields={} if self.spend is None else {"spend": self.spend},
            frequency=self.frequency,
        )

    def of(self, kind: type[Any]) -> list[Any]:
        """Return their entries of one kind."""
        return [entry for entry in self.entries if isinstance(entry, kind)]

    def ever_joined(self, target: Segment) -> bool:
        """Whether they ever said yes to a list behind a segment, or asked to join it; all are in one without lists."""
        said = {entry.list for entry in (*self.of(ConsentEntry), *self.of(ConsentRequest))}
        return not target.of or not said.isdisjoint(target.of)

    def suppressed(self, *kinds: SuppressionKind) -> bool:
        """Whether one of these is in force."""
        return any(s.kind in kinds and (s.until is None or s.until > NOW) for s in self.of(Suppression))

    def out_of(self, key: str) -> bool:
        """Whether a no in scope of the list stands that no consent for that list cites."""
        cited = {cite for consent in self.of(ConsentEntry) if consent.list == key for cite in consent.cites}
        return any(
            no.id not in cited and (no.scope.kind == "all" or str(no.scope) in ("channel:email", f"list:{key}"))
            for no in self.of(OptOut)
        )

    def active(self, key: str) -> bool:
        """Whether they may be mailed for this list, as far as they said."""
        agreed = any(c.list == key and (c.expires_at is None or c.expires_at > NOW) for c in self.of(ConsentEntry))
        return agreed and not self.out_of(key)


@st.composite
def someone(draw: st.DrawFn, who: str) -> Someone:
    """Draw a contact: mostly subscribed, often with some reason not to be mailed."""
    noes = [
        said_no(who, scope, event=str(place))
        for place, scope in enumerate(draw(st.lists(st.sampled_from(SCOPES), max_size=2)))
    ]
    entries: list[Entry] = [*noes]
    for key in draw(st.lists(st.sampled_from((*KEYS, "other")), max_size=3, unique=True)):
        how = draw(st.sampled_from(("confirmed", "confirmed", "confirmed", "cites", "expired", "asked")))
        if how == "asked":
            entries.append(asked(who, key))
        elif how == "expired":
            entries.append(joined(who, key, standing=Standing.IMPLIED, expires_at=ago(1)))
        else:
            entries.append(joined(who, key, cites=[no.id for no in noes] if how == "cites" else []))
    kinds = draw(st.lists(st.sampled_from(SuppressionKind), max_size=1 + draw(st.booleans()), unique=True)) if draw(
        st.sampled_from((False, False, True))
    ) else []  # fmt: skip
    entries += [
        held(who, kind, until=ago(draw(st.sampled_from((1, -1)))) if kind == "pause" else None) for kind in kinds
    ]
    return Someone(
        who,
        draw(st.sampled_from((True, True, True, False))),
        tuple(entries),
        tuple(draw(st.lists(st.sampled_from((1.0, 3.0, 20.0, 40.0)), max_size=3, unique=True))),
        draw(st.sampled_from((None, None, *Frequency))),
        draw(st.one_of(st.none(), st.integers(0, 3))),
    )


populations = st.tuples(*(someone(who) for who in ("ann", "bob", "cid", "dee", "eve"))).map(list)

SEGMENTS: tuple[Segment | MailingList, ...] = (
    OFFERS,
    NEWS,
    Segment("both", of=KEYS),
    Segment("spent", of=OFFERS, where=where.field("spend") > 1),
    Segment("unknown", of=NEWS, where=where.field("spend").is_missing()),
    Segment("two", of=KEYS, where=where.field("spend") <= 2),
    Segment("none-of-it", of=OFFERS, where=~where.lists.has("offers")),
)
TOP = Segment("top", of=KEYS, where=where.top(2, by=where.field("spend")))

targets = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3, unique_by=lambda target: target.key)
caps = st.sampled_from((None, None, Cap(mails=1, days=2), Cap(mails=2, days=30)))


def in_filter(one: Someone, target: Segment) -> bool:
    """Read the filters of SEGMENTS by hand."""
    return {
        "offers": True,
        "news": True,
        "both": True,
        "spent": one.spend is not None and one.spend > 1,
        "unknown": one.spend is None,
        "two": one.spend is not None and one.spend <= 2,
        "none-of-it": not one.active("offers"),
    }[target.key]


def may(one: Someone, campaign: Campaign, cap: Cap | None) -> bool:
    """Judge by hand whether someone may get a marketing campaign."""
    if not one.address or one.suppressed(*SuppressionKind):
        return False
    if not any(in_filter(one, target) and any(one.active(key) for key in target.of) for target in campaign.to):
        return False
    if one.sent_days and min(one.sent_days) < LEAST_GAP.get(one.frequency or "", 0):
        return False
    return cap is None or sum(days < cap.days for days in one.sent_days) < cap.mails


def accounted(made: Plan, expected: set[str]) -> None:
    """Hold a plan to its equation, and its rows to order and uniqueness."""
    assert made.audience == made.sendable + sum(made.withheld.values()) == len(made.rows) == len(expected)
    ids = [row.contact_id for row in made]
    assert sorted(expected) == ids
    assert made.sendable == len(made.recipients)
    assert [row.contact_id for row in made if row.sendable] == [one.contact_id for one in made.recipients]
    assert all((row.recipient is not None) is (row.decision.outcome == SENDABLE) for row in made)
    assert set(made.withheld) <= set(Withheld)
    assert str(made).startswith(
        f"audience {made.audience} = sendable {made.sendable} + withheld {made.audience - made.sendable}"
    )


class TestLaws:
    """Of any population and any campaign."""

    @settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
    @given(populations, targets, caps, st.sets(st.sampled_from(("ann", "bob"))))
    def test_marketing(self, people: list[Someone], to: list[Any], cap: Cap | None, before: set[str]) -> None:
        """Whoever joined or asked is accounted for; who gets it is who may, judged by hand (O2, O4, L3, P2)."""
        campaign = Campaign("c", to=to)
        made = plan(
            [one.subject() for one in people],
            campaign,
            now=NOW,
            cap=cap,
            already_sent={ContactId(who) for who in before},
        )
        joined_or_asked = {
            one.who for one in people
            if one.address and {entry.list for entry in one.entries if hasattr(entry, "list")} & set(campaign.lists)
        }  # fmt: skip
        nowhere = {one.who for one in people if not one.address}
        assert joined_or_asked <= {row.contact_id for row in made} <= joined_or_asked | nowhere
        accounted(made, {row.contact_id for row in made})
        gets = {one.who for one in people if may(one, campaign, cap) and one.who not in before}
        event(f"{len(gets)} get it")
        assert gets == {one.contact_id for one in made.recipients}
        for recipient in made.recipients:
            (one,) = (someone for someone in people if someone.who == recipient.contact_id)
            reached = [key for t in campaign.to if in_filter(one, t) for key in t.of if one.active(key)]
            assert reached[0] == recipient.leaves_list
            assert not all(one.out_of(key) for key in campaign.lists)

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
    @given(populations, targets, caps, st.sets(st.sampled_from(("ann", "bob"))))
    def test_transactional(self, people: list[Someone], to: list[Any], cap: Cap | None, before: set[str]) -> None:
        """Only a dead, erased or missing address, the segment and an earlier send withhold transactional mail (O2)."""
        campaign = Campaign("c", to=to, kind=CampaignKind.TRANSACTIONAL)
        made = plan(
            [one.subject() for one in people], campaign, now=NOW, cap=cap, rest=Rest(mails=1),
            already_sent={ContactId(who) for who in before},
        )  # fmt: skip
        meant = [one for one in people if any(one.ever_joined(target) for target in campaign.to)]
        accounted(made, {one.who for one in meant})
        gone = (SuppressionKind.BOUNCE, SuppressionKind.ERASURE)
        assert {
            one.who for one in meant
            if one.address and not one.suppressed(*gone) and one.who not in before
            and any(in_filter(one, target) and one.ever_joined(target) for target in campaign.to)
        } == {one.contact_id for one in made.recipients}  # fmt: skip
        assert all(one.leaves_list is None for one in made.recipients)

    @settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
    @given(populations, st.lists(st.sampled_from((*SEGMENTS, TOP)), min_size=1, max_size=2), caps, st.randoms())
    def test_order(self, people: list[Someone], to: list[Any], cap: Cap | None, random: Any) -> None:
        """The order in which contacts come changes nothing, ranks and shared addresses included."""
        subjects = [one.subject() for one in people]
        shuffled = random.sample(subjects, len(subjects))
        campaign = Campaign("c", to=to)
        one, other = (plan(these, campaign, now=NOW, cap=cap) for these in (subjects, shuffled))
        assert [row.as_row() for row in one] == [row.as_row() for row in other]
        assert one.recipients == other.recipients


def on_offers(who: str, *, address: str = "usual", **more: Any) -> Subject:
    """Make a subscriber of Offers, at an address that need not be their usual one."""
    made = subject(who, address=address, entries=[joined(who, "offers")], **more)
    if address == "usual":
        return made
    assert made.contact.address is not None
    key = made.contact.address.match_key()
    consent = joined(who, "offers")
    entry = evolve(consent, subject=evolve(consent.subject, key=key))
    return evolve(made, person=Person.read([entry], made.contact.id, key))


class TestExamples:
    """Stories."""

    def test_one_mail_for_one_address(self) -> None:
        """Of two contacts with one address the first gets the mail; a receipt is for each of them (O2)."""
        twins = [on_offers("bob", address="Home@example.com"), on_offers("ann", address="home@example.com")]
        made = plan(twins, Campaign("c", to=OFFERS), now=NOW)
        accounted(made, {"ann", "bob"})
        assert {"same-address": 1} == made.withheld
        assert made["ann"].sendable
        assert 2 == plan(twins, Campaign("c", to=OFFERS, kind=CampaignKind.TRANSACTIONAL), now=NOW).sendable

    def test_one_address_of_which_one_is_withheld(self) -> None:
        """Where the first is withheld, the second gets it: their own yes stands."""
        first = on_offers("ann", address="home@example.com", events=[sent(1)], frequency=Frequency.MONTHLY)
        made = plan([first, on_offers("bob", address="home@example.com")], Campaign("c", to=OFFERS), now=NOW)
        assert ["bob"] == [one.contact_id for one in made.recipients]

    def test_given_twice(self) -> None:
        """A contact given twice would be mailed twice: it is refused, and named."""
        with pytest.raises(InvalidInput, match="ann"):
            plan([on_offers("ann"), on_offers("bob"), on_offers("ann")], Campaign("c", to=OFFERS), now=NOW)

    def test_no_list_behind(self) -> None:
        """A marketing campaign that nobody could leave is not planned (L3)."""
        with pytest.raises(CampaignRefused):
            plan([on_offers("ann")], Campaign("c", to=Segment("all")), now=NOW)

    def test_transactional_without_a_list(self) -> None:
        """Transactional mail needs no list, and reaches those who left all of them (O2)."""
        out = subject("bob", entries=[joined("bob", "offers"), said_no("bob", Scope.all())])
        campaign = Campaign("receipt", to=Segment("all"), kind=CampaignKind.TRANSACTIONAL)
        assert 2 == plan([on_offers("ann"), out], campaign, now=NOW).sendable

    def test_top(self) -> None:
        """The top two by spend, equals in order of contact_id, the unknown not at all (L6)."""
        people = [on_offers(who, fields={"spend": spend}) for who, spend in (("dee", 5), ("cid", 5), ("bob", 9))]
        made = plan([*people, on_offers("ann")], Campaign("c", to=TOP), now=NOW)
        assert ["bob", "cid"] == [one.contact_id for one in made.recipients]
        assert {"not-in-segment": 2} == made.withheld

    def test_rest_and_purpose(self) -> None:
        """A rest withholds the regular mail and not the one that wins people back (S3)."""
        events: Sequence[EngagementEvent] = [sent(day) for day in (5, 4, 3, 2, 1)]
        regular, again = (Campaign("c", to=OFFERS, purpose=p) for p in (Purpose.REGULAR, Purpose.RE_ENGAGEMENT))
        found = [
            plan([on_offers("ann", events=events)], one, now=NOW, rest=Rest()).sendable for one in (regular, again)
        ]
        assert [0, 1] == found

    def test_found(self) -> None:
        """A row is found by id or by address, whatever its case; a stranger is named."""
        made = plan([on_offers("ann"), on_offers("bob")], Campaign("c", to=OFFERS), now=NOW)
        assert made["ann"] is made["Ann@Example.com"]
        with pytest.raises(UnknownName, match="eve"):
            made["eve"]

    def test_explained(self) -> None:
        """An explanation tells the list that a link leaves, to those who get the mail."""
        made = plan(
            [on_offers("ann"), on_offers("bob", fields={"x": 1}, address="bob@example.com")],
            Campaign("c", to=OFFERS),
            now=NOW,
        )
        assert made.explain("ann").endswith("a link in the mail leaves the list 'offers'")
        assert made.explain("ann").startswith("may they get c: sendable (otherwise)")

    def test_rows(self) -> None:
        """A row has the columns of plan.csv, with the reason of whoever is withheld."""
        out = subject("bob", entries=[joined("bob", "offers"), said_no("bob", Scope.list("offers"))])
        made = plan([on_offers("ann"), out], Campaign("c", to=OFFERS), now=NOW, position=3, policy_version="v")
        assert [
            {
                "contact_id": "ann", "email": "ann@example.com", "outcome": "sendable",
                "reason": "no gate withholds it",
                "rule": "otherwise", "leaves_list": "offers",
            },
            {
                "contact_id": "bob", "email": "bob@example.com", "outcome": "withheld",
                "reason": "out-of-list: they left the list (O2)", "rule": "out-of-list", "leaves_list": "",
            },
        ] == [row.as_row() for row in made]  # fmt: skip
        assert (3, "v") == (made.position, made.policy_version)
        assert "audience 2 = sendable 1 + withheld 1 (1 out-of-list)" == str(made)

    def test_nobody(self) -> None:
        """Of nobody, nobody."""
        assert "audience 0 = sendable 0 + withheld 0" == str(plan([], Campaign("c", to=OFFERS), now=NOW))


def test_the_rank_is_read_over_the_lists_of_its_segment() -> None:
    """The top of a list is the same whatever else the campaign goes to (L7)."""
    people = [
        subject(who, entries=[joined(who, key)], fields={"spend": spend})
        for who, key, spend in (("ann", "offers", 1), ("bob", "news", 9), ("cid", "news", 8), ("dee", "offers", 0))
    ]
    top = Segment("top", of=OFFERS, where=where.top(1, by=where.field("spend")))
    alone = plan(people, Campaign("c", to=top), now=NOW)
    beside = plan(people, Campaign("c", to=[top, NEWS]), now=NOW)
    assert ["ann"] == [one.contact_id for one in alone.recipients]
    assert ["ann", "bob", "cid"] == [one.contact_id for one in beside.recipients]
