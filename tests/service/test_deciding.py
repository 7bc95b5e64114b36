"""Deciding and applying through `Lifecycle`: tiers, sunset, welcome back, and why (S10-S12)."""

from datetime import timedelta

import pytest

from lifecycle_mail.errors import InvalidInput, RegistryUnavailable, UnknownName
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.entries import Lift, Suppression, SuppressionKind
from lifecycle_mail.model.events import EventKind, Purpose
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.sunset import UNRESPONSIVE, Action, Tier
from lifecycle_mail.policy.where import where
from lifecycle_mail.ports import Capability
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import assert_sendable, assert_withheld, days_ago, event
from tests.service.worlds import DAY, HOUR, NEWS, NOW, OFFERS, address, entries, fake, join, shelf, world

POLICY = Policy.for_cadence("weekly")


def silent(mail: Lifecycle, name: str, *, asked: bool = True) -> None:
    """Let somebody have had mail for a year, and never a sign of life; and have been asked to stay, in vain."""
    mail.subscribe(address(name), OFFERS, proof="a form", now=days_ago(400), contact_id=name)
    mail.record((event(name, EventKind.SENT, at=days_ago(390 - 7 * n), mail=f"m{n}") for n in range(20)), now=NOW)
    if asked:
        asks = [Purpose.RE_ENGAGEMENT] * 3 + [Purpose.LAST_CHANCE]
        sent = [
            event(name, EventKind.SENT, at=days_ago(40 - 5 * n), mail=f"r{n}", purpose=purpose)
            for n, purpose in enumerate(asks)
        ]
        mail.record(sent, now=NOW)


def actions(mail: Lifecycle) -> dict[str, str]:
    """Return what happens next to everybody."""
    return {row.contact_id: row.action.outcome for row in mail.decide(now=NOW)}


def test_everybody_is_decided_about_in_order() -> None:
    """One row a contact, each with tier, step, reason and the policy's version (S12)."""
    mail = world("zoe", policy=POLICY)
    silent(mail, "bob")
    silent(mail, "ada", asked=False)
    decisions = mail.decide(now=NOW)
    assert ["ada", "bob", "zoe"] == [row.contact_id for row in decisions]
    assert {"ada": Action.RE_ENGAGE, "bob": Action.SUNSET, "zoe": Action.WAIT} == actions(mail)
    assert {Tier.NEW: 1, Tier.DEEPLY_INACTIVE: 2} == decisions.by_tier()
    assert {POLICY.version} == {row.policy_version for row in decisions}
    assert [row.as_row() for row in decisions] == [row.as_row() for row in mail.decide(now=NOW)]


def test_a_sunset_is_written_once_with_the_version_of_the_policy() -> None:
    """Applying is idempotent; the entry says which policy decided and why (S10, S12)."""
    mail = world("zoe", policy=POLICY)
    silent(mail, "bob")
    decisions = mail.decide(now=NOW)
    assert 1 == mail.apply(decisions, now=NOW).sunset
    before = mail.store.position()
    assert 0 == mail.apply(decisions, now=NOW + HOUR).sunset
    assert before == mail.store.position()
    (held,) = entries(mail, Suppression)
    assert (SuppressionKind.SUNSET, Actor.POLICY, f"policy:{POLICY.version}", NOW) == (
        held.kind, held.provenance.actor, held.provenance.source, held.provenance.at,
    )  # fmt: skip
    assert "last chance" in held.provenance.text
    assert_withheld(mail.plan("spring", now=NOW), "bob", reason="sunset")
    assert_sendable(mail.plan(Campaign("receipt", kind="transactional"), now=NOW, to=["bob"]), "bob")
    assert Action.LEAVE == actions(mail)["bob"]


def test_who_engages_again_is_welcomed_back() -> None:
    """An open after the sunset is the person's own act and ends it; nobody else's sunset ends (S11)."""
    mail = world(policy=POLICY)
    for name in ("ada", "bob"):
        silent(mail, name)
    mail.apply(mail.decide(now=NOW), now=NOW)
    mail.record([event("ada", EventKind.CLICKED, at=NOW + HOUR, mail="m1")], now=NOW + DAY)
    decisions = mail.decide(now=NOW + DAY)
    applied = mail.apply(decisions, now=NOW + DAY)
    assert (1, 0) == (applied.welcomed_back, applied.sunset)
    assert 0 == mail.apply(decisions, now=NOW + DAY).welcomed_back
    (lift,) = entries(mail, Lift)
    assert (Actor.CONTACT, "ada") == (lift.provenance.actor, lift.subject.contact_id)
    plan = mail.plan("spring", now=NOW + DAY)
    assert_sendable(plan, "ada")
    assert_withheld(plan, "bob", reason="sunset")


def test_a_sunset_is_no_opt_out_and_lifts_none() -> None:
    """Who said no before being sunset stays out after coming back (O4)."""
    mail = world(policy=POLICY)
    silent(mail, "ada")
    decisions = mail.decide(now=NOW)
    mail.apply(decisions, now=NOW)
    mail.opt_out("ada", scope=Scope.all(), now=NOW + HOUR)
    mail.record([event("ada", EventKind.OPENED, at=NOW + 2 * HOUR, mail="m1")], now=NOW + DAY)
    mail.apply(mail.decide(now=NOW + DAY), now=NOW + DAY)
    assert_withheld(mail.plan("spring", now=NOW + DAY), "ada", reason="out-of-all")


def test_the_unresponsive_carry_a_tag_here_and_at_the_esp() -> None:
    """So that they can be filtered; it goes with the first sign of interest (S12)."""
    mail = world("zoe", policy=POLICY)
    silent(mail, "ada", asked=False)
    assert 1 == mail.apply(mail.decide(now=NOW), now=NOW).tagged
    assert UNRESPONSIVE in mail.contact("ada").tags
    mail.drain(now=NOW)
    assert {"ada"} == fake(mail).tags[UNRESPONSIVE]
    again = mail.apply(mail.decide(now=NOW), now=NOW)
    assert (0, 0) == (again.tagged, again.untagged)
    mail.record([event("ada", EventKind.OPENED, at=NOW + n * HOUR, mail=f"m{n}") for n in range(20)], now=NOW + DAY)
    assert 1 == mail.apply(mail.decide(now=NOW + DAY), now=NOW + DAY).untagged
    assert UNRESPONSIVE not in mail.contact("ada").tags
    assert 1 == mail.drain(now=NOW + DAY).told["untag"]
    assert set() == fake(mail).tags[UNRESPONSIVE]


def test_an_esp_without_tags_is_not_asked_to_tag() -> None:
    """What it cannot do is left out (E1)."""
    mail = world(policy=POLICY, esp=MemoryEsp(capabilities={Capability.CAMPAIGNS}))
    silent(mail, "ada", asked=False)
    assert 1 == mail.apply(mail.decide(now=NOW), now=NOW).tagged
    assert [] == list(mail.outbox())


@pytest.mark.parametrize("fault", ["append", "put", "post"])
def test_applying_that_fails_can_be_repeated(fault: str) -> None:
    """A chunk is written whole or not at all, what the ESP must be told among it (S12, F10)."""
    mail = world(policy=POLICY)
    silent(mail, "ada", asked=False)
    silent(mail, "bob")
    decisions = mail.decide(now=NOW)
    before = mail.store.position()
    shelf(mail).fail(fault, RegistryUnavailable("disk full"))
    with pytest.raises(RegistryUnavailable):
        mail.apply(decisions, now=NOW)
    assert before == mail.store.position()
    assert frozenset() == mail.contact("ada").tags
    applied = mail.apply(decisions, now=NOW)
    assert (1, 2) == (applied.sunset, applied.tagged)
    assert 2 == mail.drain(now=NOW).told["tag"]


def test_deciding_writes_nothing() -> None:
    """Reading never writes: decide, plan and explain as often as one likes."""
    mail = world("zoe", policy=POLICY)
    silent(mail, "bob")
    before = (mail.store.position(), list(mail.store.each()), list(fake(mail).calls))
    mail.decide(now=NOW)
    mail.plan("spring", now=NOW)
    mail.explain("bob", now=NOW)
    mail.explain("bob", now=NOW, campaign="spring")
    list(mail.people())
    assert before == (mail.store.position(), list(mail.store.each()), list(fake(mail).calls))


def test_everybody_can_be_decided_about_at_an_instant_of_their_own() -> None:
    """Snapshots that were taken at different times are read each at its time."""
    mail = world(policy=POLICY)
    silent(mail, "ada")
    silent(mail, "bob")
    early = mail.decide(each_at=lambda one: NOW if one.id == "ada" else days_ago(380))
    assert {"ada": Action.SUNSET, "bob": Action.WAIT} == {row.contact_id: row.action.outcome for row in early}
    for wrong in ({}, {"now": NOW, "each_at": lambda _: NOW}):
        with pytest.raises(InvalidInput, match="each_at"):
            mail.decide(**wrong)  # type: ignore[arg-type]


def test_an_explanation_names_the_gate_that_decided() -> None:
    """Every gate with what it read, the one that decided, and what would flip it."""
    mail = world("ada", "bob")
    mail.opt_out("bob", scope=Scope.list("offers"), now=NOW)
    assert "sendable" in mail.explain("ada", now=NOW, campaign="spring")
    said = mail.explain(address("bob"), now=NOW, campaign="spring")
    assert "out-of-list" in said.splitlines()[0]
    assert "=> yes" in said
    assert "what would flip it" in said
    assert "tier" in mail.explain("bob", now=NOW)


def test_somebody_outside_the_audience_has_an_explanation_too() -> None:
    """Who never joined gets the answer of the gates, and a transactional campaign is asked for that one contact."""
    mail = world("ada", lists=(NEWS,))
    assert "not-subscribed" in mail.explain("ada", now=NOW, campaign="spring").splitlines()[0]
    receipt = Campaign("receipt", kind="transactional")
    assert "sendable" in mail.explain("ada", now=NOW, campaign=receipt).splitlines()[0]
    (decision,) = mail.why("ada", now=NOW, campaign="spring")
    assert "not-subscribed" == decision.outcome
    with pytest.raises(UnknownName):
        mail.explain("nobody", now=NOW)


def test_a_segment_can_ask_for_the_unresponsive() -> None:
    """A re-engagement campaign goes to those who carry the tag (S12)."""
    mail = world("zoe", policy=POLICY)
    silent(mail, "ada", asked=False)
    mail.apply(mail.decide(now=NOW), now=NOW)
    ask = Campaign(
        "we-miss-you", to=[Segment("silent", of=OFFERS, where=where.tags.has(UNRESPONSIVE))], purpose="re-engagement"
    )
    plan = mail.plan(ask, now=NOW)
    assert ["ada"] == [one.contact_id for one in plan.recipients]
    mail.send(plan, now=NOW)
    assert 1 == mail.store.profiles([ContactId("ada")])[ContactId("ada")].count("re-engagement")


def test_people_come_in_order_of_id() -> None:
    """Everybody, with what the log knows of them."""
    mail = world("cem", "ada")
    join(mail, "bob", NEWS)
    assert ["ada", "bob", "cem"] == [person.contact_id for person in mail.people()]
    assert [{"offers"}, {"news"}, {"offers"}] == [set(person.lists()) for person in mail.people()]


def test_a_clock_ten_years_ahead_sunsets_nobody_for_lack_of_evidence() -> None:
    """Who was never asked to stay is not sunset, however long ago their last sign was (F64, S2)."""
    mail = world("zoe", policy=POLICY)
    silent(mail, "ada", asked=False)
    far = NOW + timedelta(days=3650)
    assert 0 == mail.apply(mail.decide(now=far), now=far).sunset


def test_who_signed_up_again_is_not_sunset_by_the_next_run() -> None:
    """Whoever comes back by their own act, or is let back by an operator, is asked anew before any sunset (S11, O4)."""
    for back in ("sign-up", "operator"):
        mail = world(policy=POLICY)
        silent(mail, "ada")
        stale = mail.decide(now=NOW)
        assert 1 == mail.apply(stale, now=NOW).sunset
        if back == "sign-up":
            mail.subscribe("ada", OFFERS, proof="form 8", now=NOW + HOUR)
        else:
            mail.lift("ada", "sunset", by=Actor.OPERATOR, text="she wrote to support", now=NOW + HOUR)
        assert 0 == mail.apply(stale, now=NOW + 2 * HOUR).sunset
        assert 0 == mail.apply(mail.decide(now=NOW + DAY), now=NOW + DAY).sunset
        assert 1 == mail.plan("spring", now=NOW + DAY).sendable
