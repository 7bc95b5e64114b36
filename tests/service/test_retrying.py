"""A store that is busy, or whose answer gets lost: the same is tried again, with the same result (F15, F21)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lifecycle_mail.errors import EspRefused, OutcomeUnknown, RegistryBusy, RegistryUnavailable
from lifecycle_mail.mails.links import Link, LinkPurpose, Tokens
from lifecycle_mail.mails.reasons import Answering
from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import MatchRules
from lifecycle_mail.model.answers import CancellationReason, Question
from lifecycle_mail.model.entries import AddressChanged, Consent, Lift, OptOut, Suppression, SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Held, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.ports import Capability
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.breaker import Breaker
from lifecycle_mail.service.retrying import TRIES, again
from lifecycle_mail.testing import SIGNING_KEY, days_ago, event, said
from lifecycle_mail.testing.stores import PEPPERS
from tests.service.worlds import (
    BOTH_WAYS,
    CAMPAIGNS_ONLY,
    DAY,
    HOUR,
    MAILS_ONLY,
    NEWS,
    NOW,
    OFFERS,
    PROOF,
    accounted,
    address,
    entries,
    fake,
    join,
    left,
    mailed,
    needs_confirmation,
    sent_counts,
    shelf,
    states,
    world,
)

ALL = Scope.all()


class Busy(MemoryStore):
    """A store some of whose outermost transactions raise `RegistryBusy`: rolled back, or after all of it is written.

    Attributes:
        skip: how many transactions work before.
        times: how many then are busy.
        written: whether what they wrote stays, and only the answer is lost.
        whole: how many transactions there were.
    """

    def __init__(self) -> None:
        super().__init__(peppers=PEPPERS)
        self.skip = 0
        self.times = 0
        self.written = False
        self.whole = 0
        self._depth = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Fail as scripted, once the work is done."""
        outermost = self._depth == 0
        self._depth += 1
        try:
            with super().transaction():
                yield
                if outermost and self._is_hit() and not self.written:
                    self.times -= 1
                    raise RegistryBusy("rolled back")
        finally:
            self._depth -= 1
        if outermost:
            self.whole += 1
            if self._is_hit():
                self.times -= 1
                raise RegistryBusy("the answer is lost")
            self.skip -= 1

    def _is_hit(self) -> bool:
        return self.skip <= 0 < self.times


def busy(*names: str, **options: Any) -> tuple[Lifecycle, Busy]:
    """Return a world on a store that can be busy."""
    store = Busy()
    return world(*names, store=store, **options), store


def test_work_is_tried_a_bounded_number_of_times() -> None:
    """It is waited for between two tries, and at last the error is the caller's (F21)."""
    waits: list[int] = []
    tries: list[int] = []

    def work() -> str:
        tries.append(1)
        if len(tries) < succeeds_at:
            raise RegistryBusy("locked")
        return "done"

    succeeds_at = TRIES
    assert "done" == again(work, wait=waits.append)
    assert list(range(1, TRIES)) == waits
    tries.clear()
    succeeds_at = TRIES + 1
    with pytest.raises(RegistryBusy):
        again(work, wait=waits.append)
    assert TRIES == len(tries)


def test_other_errors_are_not_tried_again() -> None:
    """A store that is away or broken is not asked twice."""
    waits: list[int] = []

    def work() -> None:
        raise RegistryUnavailable("gone")

    with pytest.raises(RegistryUnavailable):
        again(work, wait=waits.append)
    assert [] == waits


def token_of(who: str) -> str:
    """Return the token of the link by which somebody says that it cost too much."""
    dear = CancellationReason.TOO_EXPENSIVE
    detail = Answering(question=Question.CANCELLATION, reason=dear, offers=[dear], most=1).as_detail()
    link = Link(purpose=LinkPurpose.ANSWER, contact_id=ContactId(who), detail=detail, signed_at=NOW - 2 * DAY)
    return Tokens([SIGNING_KEY]).sign(link)


WRITES: dict[str, Callable[[Lifecycle], object]] = {
    "opt_out": lambda mail: mail.opt_out("ada", scope=ALL, now=NOW),
    "opt_out of an event": lambda mail: mail.opt_out("ada", scope=ALL, now=NOW, event_id="e1"),
    "opt_out by address": lambda mail: mail.opt_out("zed@example.com", scope=ALL, now=NOW),
    "subscribe": lambda mail: mail.subscribe("new@example.com", OFFERS, proof=PROOF, now=NOW, contact_id="new"),
    "subscribe again": lambda mail: mail.subscribe("out", OFFERS, proof=PROOF, now=NOW),
    "update": lambda mail: mail.update("ada", {"spend": 3}, tags=(one for one in ["vip"]), now=NOW),
    "change_address": lambda mail: mail.change_address(address("ada"), "a2@example.com", by=Actor.CONTACT, now=NOW),
    "pause": lambda mail: mail.pause("ada", until=NOW + DAY, now=NOW),
    "suppress": lambda mail: mail.suppress("ada", "complaint", provenance=said(Actor.ESP), now=NOW),
    "lift": lambda mail: mail.lift("held", "sunset", by=Actor.OPERATOR, text="she wrote", now=NOW),
    "receive": lambda mail: mail.receive(iter([left("ada", ALL, event_id="w1"), left("new", ALL)]), now=NOW),
    "record": lambda mail: mail.record(iter([event("ada", at=days_ago(1))]), now=NOW),
    "send": lambda mail: mail.send(mail.plan("spring", now=NOW), now=NOW).sent,
    "apply": lambda mail: mail.apply(mail.decide(now=NOW), now=NOW),
    "drain": lambda mail: mail.drain(now=NOW),
    "retry_refused": lambda mail: mail.retry_refused(now=NOW),
    "archive": lambda mail: mail.archive("ada", by=Actor.OPERATOR, now=NOW, text="left the club"),
    "restore": lambda mail: mail.restore(STORED[0], by=Actor.OPERATOR, now=NOW, text="joined again"),
    "erase": lambda mail: mail.erase(address("ada"), by=Actor.CONTACT, now=NOW),
    "erase by address": lambda mail: mail.erase("nobody@example.com", by=Actor.CONTACT, now=NOW),
    "accept_aside": lambda mail: mail.accept_aside(now=NOW),
    "accept_aside of some": lambda mail: mail.accept_aside(iter(waiting(mail)[:1]), now=NOW),
    "discard_aside": lambda mail: mail.discard_aside(by=Actor.OPERATOR, now=NOW, text="their mistake"),
    "discard_aside of some": lambda mail: mail.discard_aside(
        iter(waiting(mail)[:1]), by=Actor.OPERATOR, now=NOW, text="their mistake"
    ),
    "answer": lambda mail: mail.answer(token_of("ada"), now=NOW, reasons=iter(["other"]), text="words"),
    "answer again": lambda mail: mail.answer(token_of("bob"), now=NOW, text="words"),
    "told_why": lambda mail: mail.told_why(
        "ada", iter(["other"]), product="pro", cancelled_at=NOW, now=NOW, text="words"
    ),
    "answer of a stranger": lambda mail: mail.answer(token_of("zed"), now=NOW),
    "import_opt_outs": lambda mail: mail.import_opt_outs(FILES[0] / "out.csv", now=NOW, match_contacts=True),
    "import_subscriptions": lambda mail: mail.import_subscriptions(FILES[0] / "in.csv", to=OFFERS, now=NOW),
    "import_profiles": lambda mail: mail.import_profiles(FILES[0] / "profiles.jsonl", now=NOW, replace=True),
}
"""Every public write, on what `populated` makes."""

KEPT = (
    "opt_out", "subscribe", "update", "change_address", "pause", "suppress", "lift", "retry_refused", "archive",
    "restore", "erase", "accept_aside", "discard_aside", "answer", "answer again", "answer of a stranger", "told_why",
    "import_opt_outs", "import_subscriptions", "import_profiles",
)  # fmt: skip
"""Writes whose answer is the same even where the first answer got lost."""

STORED: list[Any] = []
"""The document of somebody who was archived in `populated`."""

FILES: list[Path] = []
"""Where the files are that are imported."""


def test_every_public_write_is_among_them() -> None:
    """Whatever may be called and is not said to read alone is tried here; what is new has to choose (F21)."""
    reading = {
        "aside", "as_of", "asked", "close", "contact", "decide", "explain", "export_opt_outs", "export_profiles",
        "export_subscriptions", "fresh_link", "in_memory", "opt_out_causes", "opt_out_watch", "outbox", "people",
        "picture", "plan", "reasons", "screen_addresses", "standing", "why",
    }  # fmt: skip
    elsewhere = {
        "confirm",
        "fetch",
        "hear_crm",
        "reconcile",
        "sweep",
        "sync",
        "publish",
        "reclassify",
        "segment",
    }  # tried below
    public = {name for name in dir(Lifecycle) if not name.startswith("_") and callable(getattr(Lifecycle, name))}
    assert public - reading - elsewhere == {name.split(" ")[0] for name in WRITES}


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Write the files that are imported."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "out.csv").write_text("email\nada@example.com\nzed@example.com\n", encoding="utf-8")
    (folder / "in.csv").write_text("email\nfay@example.com\nbob@example.com\n", encoding="utf-8")
    mail = world("ada", "gil")
    mail.update("ada", {"spend": 7}, now=NOW)
    mail.export_profiles(folder / "profiles.jsonl")
    FILES[:] = [folder]
    yield
    FILES.clear()


def waiting(mail: Lifecycle) -> list[str]:
    """Return the ids of what a breaker has set aside."""
    return [one.entry.id for one in mail.aside()]


def populated(**options: Any) -> tuple[Lifecycle, Busy]:
    """Return a world in which every one of the writes has something to do."""
    mail, store = busy("ada", "bob", "held", "out", breaker=Breaker(share=0, least=0), **options)
    mail.opt_out("nobody@example.com", scope=ALL, now=NOW - 2 * DAY)
    fake(mail).fail("suppress", EspRefused)
    mail.drain(now=NOW - 2 * DAY)
    mail.receive(
        [
            Held(who=Who(name), kind=kind, provenance=said(Actor.ESP, at=NOW - DAY, source="memory"), event_id=name)
            for name, kind in (("ada", SuppressionKind.BOUNCE), ("bob", SuppressionKind.COMPLAINT))
        ],
        now=NOW - DAY,
    )
    join(mail, "gone")
    mail.update("gone", {"spend": 5}, now=NOW - DAY)
    STORED[:] = [mail.archive("gone", by=Actor.OPERATOR, now=NOW - DAY, text="left the club").document]
    mail.opt_out("out", scope=Scope.list("offers"), now=NOW - DAY)
    mail.suppress("held", "sunset", provenance=said(Actor.POLICY, at=NOW - DAY), now=NOW - DAY)
    mail.subscribe(address("old"), OFFERS, proof=PROOF, now=days_ago(400), contact_id="old")
    mail.answer(token_of("bob"), now=NOW - DAY)
    mail.record((event("old", EventKind.SENT, at=days_ago(390 - 7 * n), mail=f"m{n}") for n in range(20)), now=NOW)
    return mail, store


def everything(mail: Lifecycle) -> dict[str, object]:
    """Return what a store holds."""
    ids = [one.id for one in mail.store.each()]
    return {
        "log": [(record.seq, record.entry) for record in mail.store.records()],
        "contacts": list(mail.store.each()),
        "profiles": dict(mail.store.profiles(ids)),
        "claims": states(mail),
        "tasks": [(posted.task.kind, posted.task.contact_id, posted.state) for posted in mail.outbox()],
        "sent": mailed(mail),
        "aside": list(mail.aside()),
        "answers": list(mail.store.answers()),
    }


@pytest.mark.parametrize("name", WRITES)
def test_a_busy_store_changes_no_result(name: str) -> None:
    """Whichever of its transactions is rolled back, and up to four times, a write does and answers the same (F15)."""
    mail, store = populated()
    before, was = store.whole, everything(mail)
    answer = WRITES[name](mail)
    total = store.whole - before
    expected = everything(mail)
    assert total > 0
    assert was != expected
    for skip in range(total):
        for times in (1, TRIES - 1):
            again, shelved = populated()
            shelved.skip, shelved.times = skip, times
            assert answer == WRITES[name](again), (skip, times)
            assert expected == everything(again), (skip, times)
            assert 0 == shelved.times


class Flaky:
    """A store as a process sees it whose connection breaks once, in its Nth call.

    Attributes:
        calls: how many calls there were.
    """

    def __init__(self, store: object, breaks_at: int | None = None) -> None:
        self._store = store
        self._breaks_at = breaks_at
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._store, name)
        if not callable(value) or name == "transaction":
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self._breaks_at:
                raise RegistryBusy(f"the connection broke in {name}")
            return value(*arguments, **named)

        return call


MORE = {Capability.OPT_OUTS, Capability.TAGS, Capability.REPORTS, Capability.CONTACTS, Capability.MEMBERS}
"""What an ESP can do beside sending, in one way or the other."""


@pytest.mark.parametrize(
    ("name", "capabilities"),
    [(name, MAILS_ONLY) for name in (*WRITES, "sweep", "sync", "publish", "plan", "decide", "picture", "reconcile")]
    + [("send", CAMPAIGNS_ONLY), ("reconcile", CAMPAIGNS_ONLY)],
)
def test_a_connection_that_breaks_anywhere_changes_no_result(name: str, capabilities: frozenset[Any]) -> None:
    """In whichever call of the store, read or write: it is made again, and nobody notices (F21)."""
    asked = {
        "sweep": lambda mail: mail.sweep(now=NOW),
        "sync": lambda mail: str(mail.sync(now=NOW)),
        "publish": lambda mail: str(mail.publish(Segment("all", of=OFFERS), now=NOW)),
        "plan": lambda mail: str(mail.plan("spring", now=NOW)),
        "decide": lambda mail: [row.as_row() for row in mail.decide(now=NOW)],
        "picture": lambda mail: mail.picture("ada", now=NOW),
        "reconcile": lambda mail: mail.reconcile("spring", now=NOW),
        **WRITES,
    }[name]

    def broken(breaks_at: int | None) -> tuple[Lifecycle, Flaky]:
        mail, store = populated(esp=MemoryEsp(capabilities=capabilities | MORE))
        fake(mail).fail("release" if capabilities == CAMPAIGNS_ONLY else "send", OutcomeUnknown)
        if name == "reconcile":
            mail.send(mail.plan("spring", now=NOW - DAY), now=NOW - DAY)
        flaky = Flaky(store, breaks_at)
        return world(store=flaky, esp=mail.esp), flaky

    whole, counted = broken(None)
    answer, total = asked(whole), counted.calls
    assert total > 0
    expected = everything(whole)
    for breaks_at in range(1, total + 1):
        mail, _ = broken(breaks_at)
        assert answer == asked(mail), breaks_at
        assert expected == everything(mail), breaks_at


def test_a_registry_is_opened_though_the_connection_breaks_anywhere() -> None:
    """How it matches addresses is settled once all the same (F21, F61)."""
    rules = MatchRules(plus_tags=True)
    whole = Flaky(MemoryStore())
    world(store=whole, match=rules)
    assert whole.calls > 3
    for breaks_at in range(1, whole.calls + 1):
        store = MemoryStore()
        assert rules == world(store=Flaky(store, breaks_at), match=rules).match == world(store=store).match, breaks_at


@pytest.mark.parametrize("name", WRITES)
def test_a_store_that_stays_busy_is_an_error_and_nothing_is_half_written(name: str) -> None:
    """After the last try the error is raised; the same call works when the store has time again (F21)."""
    mail, store = populated()
    before = everything(mail)
    store.times = TRIES
    with pytest.raises(RegistryBusy):
        WRITES[name](mail)
    store.times = 0
    assert before == everything(mail)
    WRITES[name](mail)


@pytest.mark.parametrize("name", [name for name in WRITES if name.split(" ")[0] in KEPT])
def test_an_answer_that_gets_lost_in_the_commit_is_given_by_the_next_try(name: str) -> None:
    """What the first try wrote is known for the caller's own: one effect, and the answer that was due (F2)."""
    mail, store = populated()
    mail.send(mail.plan("spring", now=NOW - HOUR), now=NOW - HOUR)
    answer = WRITES[name](mail)
    expected = everything(mail)
    other, shelved = populated()
    other.send(other.plan("spring", now=NOW - HOUR), now=NOW - HOUR)
    shelved.skip, shelved.times, shelved.written = 0, 1, True
    assert answer == WRITES[name](other)
    assert 0 == shelved.times
    assert expected == everything(other)
    assert store.whole < shelved.whole


def test_a_confirmation_whose_answer_gets_lost_confirms_once() -> None:
    """The second try finds the request answered, and says so as the first would have (O4)."""
    mail, store = populated()
    token = needs_confirmation(mail.subscribe("out", OFFERS, proof=PROOF, now=NOW)).token
    store.skip, store.times, store.written = 0, 1, True
    assert "active" == mail.confirm(token, now=NOW).standing
    assert 1 == sum(1 for one in entries(mail, Consent) if one.cites)


@pytest.mark.parametrize("name", ["receive", "record", "drain", "send"])
def test_what_is_taken_twice_for_want_of_an_answer_has_one_effect(name: str) -> None:
    """Statements, events, tasks and mails are known again, in whichever transaction the answer is lost (F4, F33)."""
    mail, store = populated()
    before = store.whole
    WRITES[name](mail)
    total, expected = store.whole - before, everything(mail)
    for skip in range(total):
        other, shelved = populated()
        shelved.skip, shelved.times, shelved.written = skip, 1, True
        WRITES[name](other)
        assert expected["log"] == everything(other)["log"]
        assert expected["profiles"] == everything(other)["profiles"] or name == "send"
        assert expected["sent"] == everything(other)["sent"] or name == "send"


@pytest.mark.parametrize("capabilities", BOTH_WAYS, ids=["mails", "campaigns"])
def test_a_claim_whose_answer_gets_lost_is_never_two_mails(capabilities: frozenset[Any]) -> None:
    """Wherever in a send an answer is lost, everybody gets one mail in the end, by reconciling at worst (F7, F21)."""
    names = ["ada", "bob", "cem"]
    mail, store = busy(*names, esp=MemoryEsp(capabilities=capabilities))
    before = store.whole
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    total = store.whole - before
    for skip in range(total):
        mail, store = busy(*names, esp=MemoryEsp(capabilities=capabilities))
        plan = mail.plan("spring", now=NOW)
        store.skip, store.times, store.written = skip, 1, True
        mail.send(plan, now=NOW)
        if capabilities == CAMPAIGNS_ONLY:  # staging is no hand-off: what was claimed is known for ours, and goes out
            assert names == mailed(mail), skip
        for hours in (1, 2):
            mail.send(plan, now=NOW + hours * HOUR)
            mail.reconcile("spring", now=NOW + hours * HOUR)
        mail.send(plan, now=NOW + DAY)
        assert names == mailed(mail), skip
        assert dict.fromkeys(names, 1) == sent_counts(mail, names), skip


def test_a_single_mail_whose_claim_was_written_and_the_answer_lost_is_sent() -> None:
    """The next try finds the claim for its own: one mail, and nobody is reported as sent who was not (F21, F7)."""
    mail, store = busy("ada", "bob", esp=MemoryEsp(capabilities=MAILS_ONLY))
    plan = mail.plan("spring", now=NOW)
    store.skip, store.times, store.written = 0, 1, True
    report = mail.send(plan, now=NOW)
    assert (2, {}, 0) == (report.sent, report.withheld, store.times)
    assert ["ada", "bob"] == mailed(mail)
    assert {"ada": "handed-off", "bob": "handed-off"} == states(mail)


def test_a_claim_of_another_worker_is_not_taken_for_ours() -> None:
    """Rolled back, and before the next try somebody else has claimed the mail: it is theirs to send (F19)."""
    esp = MemoryEsp(capabilities=MAILS_ONLY)

    def overtake(_: int) -> None:
        other = world(store=store, esp=esp)
        (recipient,) = other.plan("spring", now=NOW + HOUR).recipients
        store.claim([recipient], at=NOW + HOUR)

    mail, store = busy("ada", esp=esp, wait=overtake)
    plan = mail.plan("spring", now=NOW)
    store.skip, store.times = 0, 1
    assert {"already-sent": 1} == mail.send(plan, now=NOW).withheld
    assert [] == mailed(mail)


def test_a_claim_whose_answer_was_lost_is_given_up_when_a_no_comes() -> None:
    """The no is recorded before the next try: nothing is sent, and nothing stays claimed (F17)."""
    esp = MemoryEsp(capabilities=MAILS_ONLY)

    def leave(_: int) -> None:
        world(store=store, esp=esp).opt_out("ada", scope=ALL, now=NOW)

    mail, store = busy("ada", esp=esp, wait=leave)
    plan = mail.plan("spring", now=NOW)
    store.skip, store.times, store.written = 0, 1, True
    assert {"out-of-all": 1} == mail.send(plan, now=NOW).withheld
    assert ([], {"ada": "returned"}) == (mailed(mail), states(mail))


def test_a_single_mail_whose_claim_stays_in_doubt_is_not_sent_on_a_guess() -> None:
    """Every try failed: it stays claimed, is unknown to the next call, and the ESP says that it never left (F22)."""
    mail, store = busy("ada", esp=MemoryEsp(capabilities=MAILS_ONLY))
    plan = mail.plan("spring", now=NOW)
    store.skip, store.times, store.written = 0, TRIES, True
    with pytest.raises(RegistryBusy):
        mail.send(plan, now=NOW)
    assert {"ada": "claimed"} == states(mail)
    assert 0 == mail.send(plan, now=NOW + HOUR).sent
    assert {"ada": "unknown"} == states(mail)
    assert 1 == mail.reconcile("spring", now=NOW + HOUR)["returned"]
    assert 1 == mail.send(plan, now=NOW + HOUR).sent


def test_a_lease_that_cannot_be_given_back_costs_no_answer() -> None:
    """What was done is reported, and the lease runs out by itself (F21)."""
    mail, store = busy("ada", "bob")
    mail.opt_out("bob", scope=ALL, now=NOW)
    store.fail("finish", RegistryBusy("locked"), times=4 * TRIES)
    assert 1 == mail.send(mail.plan("spring", now=NOW), now=NOW).sent
    assert 1 == mail.drain(now=NOW + DAY).told.total()


def test_what_a_try_that_came_to_nothing_had_seen_is_forgotten() -> None:
    """Withheld in the first try, and passing in the next: they have one fate in the report (F21)."""
    esp = MemoryEsp(capabilities=MAILS_ONLY)

    def resume(_: int) -> None:
        world(store=store).lift("ada", "pause", by=Actor.CONTACT, now=NOW)

    mail, store = busy("ada", esp=esp, wait=resume)
    plan = mail.plan("spring", now=NOW)
    mail.pause("ada", until=NOW + DAY, now=NOW)
    esp.refuse(address("ada"))
    store.skip, store.times = 0, 1
    report = mail.send(plan, now=NOW)
    assert 0 == store.times
    assert (1, {}) == (len(report.refused), report.withheld)
    assert accounted(plan, report)


def test_a_change_of_address_by_the_old_address_is_found_again() -> None:
    """The second try looks for the contact, not for the address that the first has changed (F21)."""
    mail, store = busy("ada")
    store.skip, store.times, store.written = 0, 1, True
    moved = mail.change_address(address("ada"), "ada@new.example.com", by=Actor.CONTACT, now=NOW)
    assert "ada@new.example.com" == moved.email
    assert 1 == len(entries(mail, AddressChanged))


def test_a_lift_counts_once() -> None:
    """Written and unanswered, it is found by the next try, which writes no second (F21)."""
    mail, store = populated()
    store.skip, store.times, store.written = 0, 1, True
    lift = mail.lift("held", "sunset", by=Actor.OPERATOR, text="she wrote", now=NOW)
    assert [lift] == entries(mail, Lift)
    assert 1 == sum(1 for one in entries(mail, Suppression) if one.kind is SuppressionKind.SUNSET)


def test_a_no_whose_answer_gets_lost_names_the_mails_in_flight() -> None:
    """The next try still says what can no longer be held back (F18)."""
    mail, store = busy("ada", lists=(OFFERS, NEWS))
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    store.skip, store.times, store.written = 0, 1, True
    out = mail.opt_out("ada", campaign="spring", now=NOW + HOUR)
    assert (True, ["spring"]) == (out.is_new, [claim.campaign for claim in out.in_flight])
    assert 1 == len(entries(mail, OptOut))
    assert not mail.opt_out("ada", campaign="spring", now=NOW + HOUR).is_new
    assert shelf(mail) is store
