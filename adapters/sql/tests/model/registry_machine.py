"""The state machine: whatever people, ESPs, operators and clocks do, the registry stands as the model does."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.sql.tests.model.consent_model import Ask, Fact, Hold, Lift, Move, No, Yes, covers, may_lift
from adapters.sql.tests.model.worlds import ADDRESSES, HOUR, LISTS, NAMES, World, key_of
from lifecycle_mail.errors import AmbiguousAddress, ConsentRefused, InvalidInput, LiftRefused, UnknownName
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.intake import Held, Left, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Capability
from lifecycle_mail.service.consenting import NeedsConfirmation, Subscribed

SCOPES = ("all", "channel:email", "channel:sms", "list:offers", "list:news")
PROOF = "form 7, 192.0.2.1"
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own is made in it
"""A place in memory, where there is one: a disk that syncs would take most of the time."""
EVERYTHING = frozenset(Capability)
KINDS = [EVERYTHING - {Capability.CAMPAIGNS}, EVERYTHING - {Capability.SINGLE_MAILS}]

some = st.integers(0, 7)
addresses = st.sampled_from([*ADDRESSES, "Ada@Example.COM"])
lists = st.sampled_from(LISTS)
scopes = st.sampled_from(SCOPES)
actors = st.sampled_from([Actor.CONTACT, Actor.OPERATOR])


class ConsentRules(RuleBasedStateMachine):
    """What people, operators and ESPs say."""

    world: World

    def url(self, folder: Path) -> str:
        """Return the URL of an empty database."""
        raise NotImplementedError

    @initialize(kind=st.sampled_from(KINDS), people=st.integers(2, 4))
    def begin(self, kind: frozenset[Capability], people: int) -> None:
        """Open an empty registry, and let some people join."""
        self.folder = tempfile.TemporaryDirectory(prefix="lifecycle-mail-", dir=SCRATCH)
        folder = Path(self.folder.name)
        self.world = World(self.url(folder), folder, kind)
        self.tokens: list[str] = []
        self.documents: list[Any] = []
        self.step = 0
        for name, address in zip(NAMES[:people], ADDRESSES, strict=False):
            for to in LISTS:
                self.sign_up(name, address, to)
        self.follow(self.tokens[0])

    def teardown(self) -> None:
        """Look over the whole, and at the past."""
        if hasattr(self, "world"):
            try:
                self.world.check_whole()
                for seen in self.world.history[::3]:
                    self.world.check_past(seen)
            finally:
                self.world.mail.close()
                self.folder.cleanup()

    @invariant()
    def stands_as_the_model(self) -> None:
        """The registry stands as the model does, now and in the past, and is whole."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.check()
        self.step += 1
        if world.history:
            world.check_past(world.history[self.step * 7 % len(world.history)])
        if self.step % 6 == 0:
            world.check_whole()

    # -- helpers

    def tick(self) -> World:
        """Let an hour pass."""
        self.world.true += HOUR
        return self.world

    def person(self, number: int) -> str:
        """Return one of the contacts."""
        people = sorted(self.world.registry.people)
        return people[number % len(people)]

    def has_people(self) -> bool:
        """Whether there is anybody."""
        return hasattr(self, "world") and bool(self.world.registry.people)

    def speaker(self, address: str) -> tuple[str | None, str]:
        """Return whom something names that is said about an address."""
        holders = self.world.registry.at(key_of(address))
        return (holders[0] if len(holders) == 1 else None), key_of(address)

    # -- joining

    def sign_up(self, who: str | None, address: str, to: Any) -> None:
        """Sign somebody up, as a new contact with an id or by an address alone."""
        world, key = self.tick(), key_of(address)
        registry, holders = world.registry, world.registry.at(key)
        expected: type[Exception] | None = None
        if who is not None and who in registry.people:
            expected = None if registry.people[who] == key else InvalidInput
        elif who is None and len(holders) > 1:
            expected = AmbiguousAddress
        elif not (who is None and holders) and {who, key} & registry.erased:
            expected = ConsentRefused
        if expected is not None:
            with pytest.raises(expected):
                world.mail.subscribe(address, to, proof=PROOF, now=world.now, contact_id=who)
            return
        answer = world.mail.subscribe(address, to, proof=PROOF, now=world.now, contact_id=who)
        whom = who or (holders[0] if holders else world.made[key])
        assert whom == answer.contact_id
        if whom not in registry.people:
            registry.people[whom] = key
            before = registry.last_key(whom)
            if before not in (None, key):  # archived, and back with another address by their own word
                registry.tell(Move(who=whom, key=key, old=before, own=True))
        noes = registry.standing_noes(whom, to.key)
        unclicked = to.double_opt_in and not registry.confirmed(whom, to.key)
        unsure = registry.unsure(whom, to.key) and registry.standing(whom, to.key) != "active"
        if noes or unclicked or unsure:
            assert isinstance(answer, NeedsConfirmation), answer
            assert len({no.name for no in noes}) == len(answer.overrides)
            over = frozenset(no.name for no in noes)
            registry.tell(Ask(who=whom, key=key, to=to.key, token=answer.token, over=over))
            self.tokens.append(answer.token)
        else:
            assert isinstance(answer, Subscribed), answer
            registry.tell(Yes(who=whom, key=key, to=to.key, at=world.now))
            self.welcome(whom)
            assert registry.standing(whom, to.key) == answer.standing

    def welcome(self, who: str) -> None:
        """A person who signs up by their own act is sunset and archived no longer, and nothing else ends (R23, S11)."""
        registry = self.world.registry
        ended = frozenset(hold.name for hold in registry.holds(who) if hold.kind in ("sunset", "archive"))
        if ended:
            registry.tell(Lift(who=who, key=registry.people[who], names=ended))

    @rule(name=st.sampled_from(NAMES), address=addresses, to=lists)
    def sign_up_as(self, name: str, address: str, to: Any) -> None:
        """Sign up with an id of the application."""
        self.sign_up(name, address, to)

    @rule(address=addresses, to=lists)
    def sign_up_by_address(self, address: str, to: Any) -> None:
        """Sign up with an address alone."""
        self.sign_up(None, address, to)

    @precondition(lambda self: bool(getattr(self, "tokens", None)))
    @rule(number=some)
    def confirm(self, number: int) -> None:
        """Follow a link: fresh, old, for the second time, or after a newer no (O4)."""
        self.follow(self.tokens[-1 - number % len(self.tokens)])

    @precondition(has_people)
    @rule(number=some, to=lists, hesitates=st.sampled_from([None, None, *SCOPES]))
    def come_back(self, number: int, to: Any, hesitates: str | None) -> None:
        """Sign up again and confirm, perhaps with another no in between, which holds (O4)."""
        who = self.person(number)
        key, before = self.world.registry.people[who], len(self.tokens)
        self.sign_up(who, key, to)
        if hesitates is not None:
            self.tick()
            self.leave(who, (who, key), hesitates)
        if len(self.tokens) > before:
            self.follow(self.tokens[-1])
            if hesitates is not None and covers(hesitates, to.key):
                assert self.world.registry.standing(who, to.key).startswith("out-of")

    def follow(self, token: str) -> None:
        """Follow a link."""
        world = self.tick()
        registry = world.registry
        ask = next((one for one in registry.told(Ask) if one.token == token), None)
        if ask is None or ask.who not in registry.people:
            with pytest.raises(ConsentRefused):
                world.mail.confirm(token, now=world.now)
            return
        answer = world.mail.confirm(token, now=world.now)
        if not registry.answered(ask):
            registry.tell(Yes(who=ask.who, key=ask.key, to=ask.to, over=ask.over, token=token, at=world.now))
            self.welcome(ask.who)
        assert registry.standing(ask.who, ask.to) == answer.standing

    # -- leaving

    def leave(self, spoken: str, subject: tuple[str | None, str], scope: str | None, **how: Any) -> None:
        """Say no, and hold the answer to what the model knows."""
        world = self.world
        if scope is not None:
            how["scope"] = Scope.parse(scope)
        answer = world.mail.opt_out(spoken, now=world.now, **how)
        registry, (who, key) = world.registry, subject
        if who is None and key in registry.erased:
            assert not answer.is_new
            return
        made = answer.opt_out
        no = No(who=who, key=key, scope=str(made.scope), form="own", at=world.now,
                name=(made.provenance.source, made.event_id, str(made.scope)))  # fmt: skip
        known = any((one.name, one.who, one.key) == (no.name, who, key) for one in registry.told(No))
        if "event_id" in how:
            assert known is not answer.is_new
        elif not answer.is_new:
            for whom in [who] if who is not None else registry.people:
                if whom == who or key in registry.ever(whom):
                    self.said_before(whom, key if who is None else None, no.scope)
        if answer.is_new:
            registry.tell(no)
            covered = {(one.campaign, one.who) for one in registry.mails if one.leaves and covers(no.scope, one.leaves)}
            assert {(one.campaign, one.contact_id) for one in answer.in_flight} <= covered

    def said_before(self, who: str, key: str | None, scope: str) -> None:
        """A no that is only repeated was said before, and they have not asked to come back since (F48)."""
        registry = self.world.registry
        noes = registry.noes(who)
        said = asked = -1
        for place, fact in enumerate(registry.facts):
            if isinstance(fact, No) and fact.scope == scope and fact in noes:
                said = place
            elif fact.who == who and key in (None, fact.key) and _asks(fact):
                asked = place
        assert said > asked, f"{who} says no to {scope} again, and it was not written"

    @precondition(has_people)
    @rule(number=some, scope=scopes, twice=st.booleans())
    def leave_by_id(self, number: int, scope: str, twice: bool) -> None:
        """A contact says no, perhaps with two clicks (O2, F48)."""
        world, who = self.tick(), self.person(number)
        for _ in range(1 + twice):
            self.leave(who, (who, world.registry.people[who]), scope)
        if twice:
            assert not world.mail.opt_out(who, scope=Scope.parse(scope), now=world.now).is_new

    @rule(address=addresses, scope=scopes)
    def leave_by_address(self, address: str, scope: str) -> None:
        """Somebody says no who is known by an address alone: of one contact, of several, or of nobody."""
        self.tick()
        self.leave(address, self.speaker(address), scope)

    @rule(address=addresses, scope=scopes, number=st.integers(0, 2))
    def leave_by_event(self, address: str, scope: str, number: int) -> None:
        """A system reports a no with its own id, perhaps again (F33)."""
        self.tick()
        self.leave(address, self.speaker(address), scope, event_id=f"click-{number}")

    @precondition(lambda self: hasattr(self, "world") and any(one.leaves for one in self.world.registry.mails))
    @rule(number=some)
    def leave_by_mail(self, number: int) -> None:
        """Somebody follows the link in a mail: they leave the list that it named (L3)."""
        world = self.tick()
        mails = [one for one in world.registry.mails if one.leaves and one.who in world.registry.people]
        if not mails:
            return
        mail = mails[number % len(mails)]
        assert mail.leaves is not None
        key = world.registry.people[mail.who]
        before = len(world.registry.facts)
        self.leave(mail.who, (mail.who, key), None, campaign=mail.campaign, through=Through.ONE_CLICK)
        assert all(no.scope == f"list:{mail.leaves}" for no in world.registry.facts[before:] if isinstance(no, No))
        assert world.registry.standing(mail.who, mail.leaves).startswith("out-of")

    # -- what the ESP says

    @rule(address=addresses, scope=st.sampled_from(["all", "list:offers", "list:news"]))
    def leave_at_the_esp(self, address: str, scope: str) -> None:
        """Somebody uses the ESP's own link: we do not know of it yet (F31)."""
        world = self.tick()
        world.esp.unsubscribe(parse_address(address), Scope.parse(scope), at=world.true)

    @precondition(lambda self: hasattr(self, "world") and self.world.esp.everybody_out())
    @rule(number=some, dated=st.booleans())
    def hear_a_state(self, number: int, dated: bool) -> None:
        """An export of the ESP says that somebody is out, with the time of the change or without one (F33)."""
        world = self.tick()
        out = world.esp.everybody_out()
        left = out[-1 - number % len(out)]
        at = left.provenance.at if dated else world.true
        said = Provenance(actor=Actor.ESP, through=Through.IMPORT, at=at, source=world.esp.name)
        state = Left(who=left.who, scope=left.scope, provenance=said, dated=dated)
        world.mail.receive([state, state], now=world.now)
        world.take(state)

    @rule(address=addresses, kind=st.sampled_from(["bounce", "complaint"]))
    def hear_a_hold(self, address: str, kind: str) -> None:
        """The ESP says that a mailbox is dead, or that somebody complained (R23)."""
        world = self.tick()
        said = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=world.true, source=world.esp.name)
        held = Held(who=Who(None, parse_address(address)), kind=SuppressionKind(kind), provenance=said,
                    event_id=f"{kind} {world.true}")  # fmt: skip
        world.mail.receive([held], now=world.now)
        world.take_held(held)

    # -- holds and their ends

    @precondition(has_people)
    @rule(number=some, kind=st.sampled_from(["sunset", "pause"]))
    def hold(self, number: int, kind: str) -> None:
        """The policy stops mailing somebody, or they ask for a pause (P3, S11)."""
        world, who = self.tick(), self.person(number)
        until = world.now + timedelta(days=3) if kind == "pause" else None
        if until is not None:
            made = world.mail.pause(who, until=until, now=world.now)
        else:
            said = Provenance(actor=Actor.POLICY, through=Through.RUN, at=world.now, source="policy:1")
            made = world.mail.suppress(who, kind, provenance=said, now=world.now)
        world.registry.tell(Hold(who=who, key=world.registry.people[who], kind=kind, name=made.id, until=until))

    @precondition(has_people)
    @rule(number=some, kind=st.sampled_from(["sunset", "pause", "bounce", "complaint"]), by=actors, words=st.booleans())
    def lift(self, number: int, kind: str, by: Actor, words: bool) -> None:
        """Somebody ends a hold, with the right to or without (O4, R23)."""
        world, who = self.tick(), self.person(number)
        text = "they asked us to" if words else ""
        names = frozenset(hold.name for hold in world.registry.holds(who) if hold.kind == kind)
        expected = UnknownName if not names else None if may_lift(kind, by, text) else LiftRefused
        if expected is not None:
            with pytest.raises(expected):
                world.mail.lift(who, kind, by=by, now=world.now, text=text)
            return
        world.mail.lift(who, kind, by=by, now=world.now, text=text)
        world.registry.tell(Lift(who=who, key=world.registry.people[who], names=names))

    # -- addresses

    @precondition(lambda self: self.has_people() and not self.world.skew)
    @rule(number=some, address=addresses, by=actors)
    def move(self, number: int, address: str, by: Actor) -> None:
        """Somebody gets another address, by their own word or an operator's (O4)."""
        world, who = self.tick(), self.person(number)
        registry, key = world.registry, key_of(address)
        if key in registry.erased:
            with pytest.raises(ConsentRefused):
                world.mail.change_address(who, address, by=by, now=world.now)
            return
        old = registry.people[who]
        world.mail.change_address(who, address, by=by, now=world.now)
        registry.people[who] = key
        if key != old:
            registry.tell(Move(who=who, key=key, old=old, own=by is Actor.CONTACT))


def _asks(fact: Fact) -> bool:
    return isinstance(fact, Ask) or (isinstance(fact, Yes) and not fact.imported)
