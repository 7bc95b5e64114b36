"""The state machine, the part that operates a registry: mailing, telling, hearing, importing, erasing, backing up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from adapters.sql.tests.model.consent_model import Hold, Lift, Move, Name, No, Yes
from adapters.sql.tests.model.registry_machine import ConsentRules, addresses, lists, some
from adapters.sql.tests.model.worlds import ADDRESSES, CAMPAIGNS, HOUR, NAMES, SKEWS, key_of
from lifecycle_mail.errors import CampaignRefused, ConsentRefused, EspUnavailable, OutcomeUnknown
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.planning import Plan
from lifecycle_mail.ports import Capability

campaigns = st.sampled_from(sorted(CAMPAIGNS))


class OperatingRules(ConsentRules):
    """What an operator does, and what happens to clocks and disks."""

    # -- mailing

    def planned(self, key: str) -> Plan:
        """Plan a campaign: everybody is accounted for, and who may get it is who the model says (O2)."""
        world = self.world
        registry, campaign = world.registry, CAMPAIGNS[key]
        plan = world.mail.plan(campaign, now=world.now)
        to = [str(one) for one in campaign.lists]
        audience = {who for who in registry.people if registry.lists(who) & set(to)}
        assert audience == {str(row.contact_id) for row in plan}
        assert plan.audience == plan.sendable + sum(plan.withheld.values())
        assert {one.contact_id for one in plan.recipients} <= self.may_get(key)
        return plan

    def may_get(self, key: str) -> set[str]:
        """Return who may get a campaign, and did not, as far as the registry remembers."""
        world = self.world
        registry, to = world.registry, [str(one) for one in CAMPAIGNS[key].lists]
        sent = {one.who for one in registry.mails if one.campaign == key}
        return {who for who in registry.people if registry.may_get(who, to, world.now)} - sent

    def send_planned(self, plan: Plan) -> None:
        """Send a plan: all who may still get it do, each inbox once, and nobody else."""
        world, key = self.world, str(plan.campaign.key)
        released = key in world.esp._released
        try:
            report = world.mail.send(plan, now=world.now)
        except CampaignRefused:
            assert released, "refused, and nobody else is sending it"
            report = None
        world.listen()
        new = world.take_mails()
        world.check_mails(new, world.registry)
        if report is None or (released and Capability.CAMPAIGNS in world.esp.capabilities):
            return
        served = {one.key for one in world.registry.mails if one.campaign == key}
        for one in {str(one.contact_id) for one in plan.recipients} & self.may_get(key):
            assert world.registry.people[one] in served, f"{one} may get {key}, and did not"
        fates = report.sent + sum(report.withheld.values()) + len(report.refused) + report.unknown + report.returned
        assert plan.sendable == fates
        assert len(new) == report.sent

    @rule(key=campaigns)
    def send(self, key: str) -> None:
        """Plan and send a campaign, perhaps one that was sent before (F19)."""
        self.tick()
        self.send_planned(self.planned(key))

    @rule(key=campaigns)
    def plan(self, key: str) -> None:
        """Plan a campaign, to be sent later (F17)."""
        self.tick()
        self.waiting = self.planned(key)

    @precondition(lambda self: getattr(self, "waiting", None) is not None)
    @rule()
    def send_late(self) -> None:
        """Send what was planned before whatever came since (F17)."""
        self.tick()
        plan, self.waiting = self.waiting, None
        assert plan is not None
        self.send_planned(plan)

    waiting: Plan | None = None

    @precondition(lambda self: self.has_people())
    @rule(number=some)
    def send_a_receipt(self, number: int) -> None:
        """A receipt reaches whoever bought, opted out or not, unless the mailbox is dead (O2)."""
        world, who = self.tick(), self.person(number)
        receipt = Campaign(f"receipt-{self.step}", kind="transactional")
        plan = world.mail.plan(receipt, now=world.now, to=[who])
        report = world.mail.send(plan, now=world.now)
        world.listen()
        new = world.take_mails()
        dead = {"bounce", "erasure"} & world.registry.held(who, world.now)
        assert report.sent == len(new) == (0 if dead else 1)
        world.check_mails(new, world.registry)

    # -- the ESP

    @rule(fault=st.sampled_from([None, None, None, "not done", "perhaps", "perhaps not"]))
    def drain(self, fault: str | None) -> None:
        """Tell the ESP of every no; a call may fail (E2, F3, F4)."""
        world = self.tick()
        if fault is not None:
            error = EspUnavailable if fault == "not done" else OutcomeUnknown
            world.esp.fail("suppress", error, done=fault == "perhaps")
        done = world.mail.drain(now=world.now)
        world.listen()
        world.esp._failures.clear()
        if not done.problems and not done.left:
            self.check_told()

    def check_told(self) -> None:
        """The ESP knows every no of a contact that it did not say itself and that nobody has overridden (E2, F29)."""
        registry = self.world.registry
        reached = {(key_of(str(address)), str(scope)) for address, scope in self.world.esp.suppressed}
        over = {name for yes in registry.told(Yes) for name in yes.over}
        moved = {move.who for move in registry.told(Move)}
        for no in registry.told(No):
            if no.form == "own" and no.who in registry.people and no.name not in over | self.forgotten:
                keys = registry.ever(no.who) if no.who in moved else {registry.people[no.who]}
                assert any((key, no.scope) in reached for key in keys), f"{no} was never told"

    forgotten: frozenset[Name] = frozenset()
    """Noes of people who were archived when the ESP was to be told: there was nobody to tell of."""

    @rule()
    def sweep(self) -> None:
        """Ask the ESP for all that it knows (F32)."""
        world = self.tick()
        assert world.mail.sweep(now=world.now) is not None
        world.listen()
        world.check_heard()

    @rule(lost=st.booleans())
    def fetch(self, lost: bool) -> None:
        """Fetch the ESP's news; or they are lost, because nobody answered the webhook (F32)."""
        world = self.tick()
        if lost:
            world.esp.lose_news()
        world.mail.fetch(now=world.now)
        world.listen()

    # -- files

    @rule(who=st.lists(addresses, min_size=1, max_size=3), scope=st.sampled_from(["all", "list:offers"]))
    def import_noes(self, who: list[str], scope: str) -> None:
        """Import a list of people who are out, from week to week the same (O4, F6)."""
        world = self.tick()
        path = world.folder / "noes.csv"
        path.write_text("email,scope\n" + "".join(f"{address},{scope}\n" for address in who), encoding="utf-8")
        world.mail.import_opt_outs(path, now=world.now)
        for key in map(key_of, who):
            name = ("file:noes.csv", f"observed:1:{key}", scope)
            if all(no.name != name for no in world.registry.told(No)):
                world.registry.tell(No(who=None, key=key, scope=scope, name=name, form="own", at=world.now))

    @rule(who=st.lists(addresses, min_size=1, max_size=3, unique_by=key_of), to=lists)
    def import_subscriptions(self, who: list[str], to: Any) -> None:
        """Import a list of subscribers that is not of today: nobody comes back by it (O4, F35)."""
        world = self.tick()
        path = world.folder / "members.csv"
        path.write_text("email,list\n" + "".join(f"{address},{to.key}\n" for address in who), encoding="utf-8")
        out = {one for one in world.registry.people if world.registry.standing(one, to.key).startswith("out-of")}
        world.mail.import_subscriptions(path, now=world.now)
        for key in map(key_of, who):
            if len(world.registry.at(key)) > 1:
                continue  # whose it is nobody can tell
            subject = world.subject(key, imported=True)
            if subject is not None:
                world.registry.tell(Yes(who=subject[0], key=key, to=to.key, imported=True, at=world.now))
        assert all(world.registry.standing(one, to.key).startswith("out-of") for one in out)

    # -- leaving the active records

    @precondition(lambda self: self.has_people())
    @rule(number=some)
    def archive(self, number: int) -> None:
        """Take somebody out of the active records (O5)."""
        world, who = self.tick(), self.person(number)
        done = world.mail.archive(who, by=Actor.OPERATOR, now=world.now, text="closed")
        self.documents.append(done.document)
        world.registry.tell(Hold(who=who, key=world.registry.people.pop(who), kind="archive", name=done.entry.id))
        world.forget_past(who)

    @precondition(lambda self: bool(getattr(self, "documents", None)))
    @rule(number=some)
    def restore_from_archive(self, number: int) -> None:
        """Bring somebody back from their document; a no that stood still stands (O5)."""
        world, document = self.tick(), self.documents[-1 - number % len(self.documents)]
        registry = world.registry
        who, key = document["contact"]["id"], key_of(document["contact"]["address"])
        if {who, key} & registry.erased:
            with pytest.raises(ConsentRefused):
                world.mail.restore(document, by=Actor.OPERATOR, now=world.now, text="back")
            return
        world.mail.restore(document, by=Actor.OPERATOR, now=world.now, text="back")
        registry.people.setdefault(who, key)
        ended = frozenset(hold.name for hold in registry.holds(who) if hold.kind == "archive")
        if ended:
            registry.tell(Lift(who=who, key=registry.people[who], names=ended))

    @rule(name=st.sampled_from(NAMES[-2:]))
    def erase(self, name: str) -> None:
        """Erase somebody, active or archived; again it changes nothing (O5, F62)."""
        world = self.tick()
        registry = world.registry
        if name not in registry.people and not any(fact.who == name for fact in registry.facts):
            return
        world.forget_past(name)
        assert world.mail.erase(name, by=Actor.CONTACT, now=world.now).is_new
        registry.erase(name)
        assert not world.mail.erase(name, by=Actor.CONTACT, now=world.now).is_new

    @rule(address=st.sampled_from(ADDRESSES[-2:]))
    def erase_an_address(self, address: str) -> None:
        """Erase an address that no contact has (O5, F62)."""
        world, key = self.tick(), key_of(address)
        registry = world.registry
        named = {fact.who for fact in registry.facts if fact.key == key and fact.who not in registry.people} - {None}
        if registry.at(key) or any(not str(one).startswith("\n") for one in named):
            return
        assert world.mail.erase(address, by=Actor.CONTACT, now=world.now).is_new is (key not in registry.erased)
        registry.erase_names(key)

    # -- clocks and disks

    @rule(skew=st.sampled_from(SKEWS), days=st.integers(0, 40))
    def set_the_clock(self, skew: Any, days: int) -> None:
        """Our clock goes back a day, ahead ten years, or right again; or some days pass (F64)."""
        world = self.tick()
        world.true += 24 * days * HOUR
        world.skew = skew

    @rule()
    def reopen(self) -> None:
        """Close the registry and open it again."""
        self.tick().reopen()
