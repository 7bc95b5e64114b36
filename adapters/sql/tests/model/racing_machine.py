"""The state machine, the part in which workers race: two send one campaign while somebody says no (F16-F19)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from adapters.sql.tests.model.consent_model import Mail, No, covers
from adapters.sql.tests.model.operating_machine import OperatingRules, campaigns
from adapters.sql.tests.model.registry_machine import scopes, some
from adapters.sql.tests.model.turns import Stepping, Turns
from adapters.sql.tests.model.worlds import HOUR, Backup
from lifecycle_mail.errors import CampaignRefused
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.ports import Capability
from lifecycle_mail.service.consenting import OptedOut
from lifecycle_mail.service.handoff import SendReport

LATE = timedelta(minutes=20)
"""How much later the second worker comes: what the first has leased has run out by then."""


class RacingRules(OperatingRules):
    """What several workers do at once."""

    @precondition(lambda self: self.has_people())
    @rule(key=campaigns, number=some, scope=scopes, order=st.lists(st.integers(0, 2), max_size=60))
    def race(self, key: str, number: int, scope: str, order: list[int]) -> None:
        """Two workers send one campaign, call by call in any order, and somebody says no meanwhile."""
        world, who = self.tick(), self.person(number)
        world.mail.sweep(now=world.now)
        world.listen()
        turns = Turns(order)
        plan = self.planned(key)
        workers = [world.open(Stepping(world.esp, turns), lambda port: Stepping(port, turns)) for _ in range(3)]
        first, second, third = workers
        answers = turns.run(
            lambda: first.send(plan, now=world.now),
            lambda: second.send(plan, now=world.now + LATE),
            lambda: third.opt_out(who, scope=Scope.parse(scope), now=world.now + LATE),
        )
        for worker in workers:
            worker.close()
        for answer in answers[:2]:
            assert isinstance(answer, SendReport | CampaignRefused), answer
        said = answers[2]
        assert isinstance(said, OptedOut), said
        world.listen()
        mails = world.take_mails()
        world.check_mails(mails, world.registry)
        self.check_order(mails, who, scope, turns.trace)
        self.take_no(said, who)
        world.true += HOUR
        self.finish(plan, key)
        self.check_in_flight(mails, who, scope, said)

    def take_no(self, said: OptedOut, who: str) -> None:
        """Let the model learn of the no."""
        registry = self.world.registry
        if said.is_new:
            no, scope = said.opt_out, str(said.opt_out.scope)
            name, at = (no.provenance.source, no.event_id, scope), no.provenance.at
            registry.tell(No(who=who, key=registry.people[who], scope=scope, name=name, form="own", at=at))

    def check_order(self, mails: list[Mail], who: str, scope: str, trace: list[tuple[int, str, Any]]) -> None:
        """What was said before the claim's commit, or the last look at the log before the release, held (F16, F17)."""
        said = next(place for place, (worker, what, _) in enumerate(trace) if worker == 2 and what == "commit")
        for mail in mails:
            if mail.leaves is None or not covers(scope, mail.leaves) or not self.bound(mail, who):
                continue
            if Capability.SINGLE_MAILS in self.world.esp.capabilities:
                claimed = [place for place, (_, what, ids) in enumerate(trace) if what == "commit" and mail.who in ids]
                assert min(claimed) < said, f"{mail} was claimed after the no"
            else:
                worker, released = next((w, at) for at, (w, what, _) in enumerate(trace) if what == "release")
                looks = [at for at, (w, what, _) in enumerate(trace[:released]) if w == worker and what == "records"]
                assert max(looks) < said, f"{mail} was released although the log was read after the no"

    def bound(self, mail: Mail, who: str) -> bool:
        """Whether a no of somebody binds who got a mail."""
        registry = self.world.registry
        return mail.who == who or registry.people[who] in registry.ever(mail.who)

    def finish(self, plan: Any, key: str) -> None:
        """Send again, ask what became of what is unknown, and send once more: then each has one mail (F7, F22)."""
        world = self.world
        for _ in range(2):
            try:
                world.mail.send(plan, now=world.now)
            except CampaignRefused:
                assert key in world.esp._released
            world.listen()
            new = world.take_mails()
            world.check_mails(new, world.registry)
            world.mail.reconcile(key, now=world.now)
        if Capability.CAMPAIGNS not in world.esp.capabilities:
            served = {one.key for one in world.registry.mails if one.campaign == key}
            for one in {str(one.contact_id) for one in plan.recipients} & self.may_get(key):
                assert world.registry.people[one] in served, f"{one} may get {key}, and did not"

    def check_in_flight(self, mails: list[Mail], who: str, scope: str, said: OptedOut) -> None:
        """A mail that left although somebody said no meanwhile is recorded as in flight, with the time (F18)."""
        claims = self.world.mail.store.claims
        for mail in mails:
            if said.is_new and mail.leaves is not None and covers(scope, mail.leaves) and mail.who == who:
                claim = claims(CampaignKey(mail.campaign))[ContactId(mail.who)]
                assert claim.opted_out_at == said.opt_out.provenance.at, claim


class BackingUp(RacingRules):
    """A registry in a file, which can be copied and put back."""

    backup: Backup | None = None

    @rule()
    def back_up(self) -> None:
        """Copy the file."""
        self.backup = self.tick().back_up()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore_the_backup(self) -> None:
        """Put the copy back: what the ESP had heard holds before the next mail, the rest is forgotten (F13)."""
        assert self.backup is not None
        self.waiting = None
        self.tick().restore(self.backup)
