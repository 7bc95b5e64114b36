"""A Postgres that is restarted, that breaks connections, and that asks to try again (F1, F2, F12, F21)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

import pytest
from attrs import define, field
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.made_up import no_of, opened
from adapters.sql.tests.proxies import Cut, Proxy
from adapters.sql.tests.servers import Server, new_schema
from lifecycle_mail.errors import RegistryBusy, RegistryUnavailable
from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.planning import Plan
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.retrying import TRIES
from lifecycle_mail.testing import said
from tests.service.worlds import (
    BOTH_WAYS,
    DAY,
    HOUR,
    MAILS_ONLY,
    NOW,
    OFFERS,
    PROOF,
    Countdown,
    Mortal,
    address,
    fake,
    join,
    mailed,
    needs_confirmation,
    states,
    world,
)

ALL = Scope.all()
PATIENCE = 60.0


@pytest.fixture
def proxy(postgres: Server) -> Iterator[Proxy]:
    """Return a line to the server that can be cut."""
    line = Proxy(postgres.port)
    yield line
    line.close()


# --- restarts (F21) ---------------------------------------------------------------------------------------------------


@define(eq=False)
class Stream:
    """A thread in which people say no, one after the other, until it is told to end.

    While the server is away it waits between two tries, as an application would.

    Attributes:
        up: set while the server is there.
        told: a name for each no that was acknowledged, as it comes.
        acknowledged: the entries, in order.
        error: what the thread raised.
    """

    store: SqlStore
    up: Event = field(factory=Event)
    told: SimpleQueue[str] = field(factory=SimpleQueue)
    acknowledged: list[OptOut] = field(factory=list)
    error: BaseException | None = None
    _ended: Event = field(factory=Event)
    _thread: Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.up.set()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        mail = world(store=self.store, wait=lambda _attempt: self.up.wait(PATIENCE))
        try:
            while not self._ended.is_set():
                name = f"somebody{len(self.acknowledged)}"
                done = mail.opt_out(address(name), scope=ALL, now=NOW)
                assert done.is_new
                self.acknowledged.append(done.opt_out)
                self.told.put(name)
        except BaseException as error:  # noqa: BLE001 - raised again by `end`
            self.error = error
            self.told.put("")

    def wait_for(self, count: int) -> None:
        """Wait until so many more have been acknowledged."""
        for _ in range(count):
            self.told.get(timeout=PATIENCE)

    def end(self) -> list[OptOut]:
        """End it and return what was acknowledged."""
        self._ended.set()
        self._thread.join(PATIENCE)
        if self.error is not None:
            raise self.error
        return self.acknowledged


@pytest.mark.parametrize("how", ["fast", "immediate", "kill -9"])
def test_a_restart_in_a_stream_of_opt_outs_loses_none_and_repeats_none(own_postgres: Server, how: str) -> None:
    """F21, F1, F2: the server is restarted three times; every acknowledged no is in the log once, in order."""
    store = opened(own_postgres.url(new_schema()))
    stream = Stream(store)
    for _ in range(3):
        stream.wait_for(15)
        stream.up.clear()
        if how == "kill -9":
            own_postgres.kill()
        else:
            own_postgres.stop(how)
        own_postgres.start()
        stream.up.set()
    stream.wait_for(5)
    acknowledged = stream.end()
    records = list(store.records())
    assert [one.id for one in acknowledged] == [record.entry.id for record in records]
    assert list(range(1, len(records) + 1)) == [record.seq for record in records]
    assert () == store.check().problems
    store.close()


@pytest.mark.parametrize("capabilities", BOTH_WAYS, ids=["mails", "campaign"])
def test_while_the_server_is_stopped_nothing_is_sent(own_postgres: Server, capabilities: frozenset[Any]) -> None:
    """F12: sending, planning and noes raise; once it runs again the same objects go on, and mail everybody once."""
    store = opened(own_postgres.url(new_schema()))
    waits: list[int] = []
    mail = world("ada", "bob", store=store, esp=MemoryEsp(capabilities=capabilities), wait=waits.append)
    plan = mail.plan("spring", now=NOW)
    own_postgres.stop()
    for call in (
        lambda: mail.send(plan, now=NOW),
        lambda: mail.plan("spring", now=NOW),
        lambda: mail.opt_out("ada", scope=ALL, now=NOW),
        lambda: mail.contact("ada"),
    ):
        with pytest.raises(RegistryUnavailable, match="call again"):
            call()
    assert 4 * list(range(1, TRIES)) == waits
    assert [] == fake(mail).calls
    own_postgres.start()
    mail.opt_out("ada", scope=ALL, now=NOW)
    assert 1 == mail.send(plan, now=NOW).sent
    assert ["bob"] == mailed(mail)
    store.close()


class Outage(Countdown):
    """Breaks every line to the server at the N-th call of a port."""

    def __init__(self, proxy: Proxy, breaks_at: int) -> None:
        super().__init__()
        self.proxy = proxy
        self.breaks_at = breaks_at

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        """Make one call, perhaps as the first without a server."""
        if self.calls + 1 == self.breaks_at:
            self.proxy.down()
        return super().around(name, call)


@pytest.mark.parametrize("capabilities", BOTH_WAYS, ids=["mails", "campaign"])
def test_a_server_that_goes_away_anywhere_in_a_send(
    postgres: Server, proxy: Proxy, capabilities: frozenset[Any]
) -> None:
    """F12, F7: from the N-th call on it is away, for every N: no mail without a claim, and in the end one each."""
    store, esp = opened(postgres.url(new_schema(), port=proxy.port)), MemoryEsp(capabilities=capabilities)
    for breaks_at in count(1):
        to = MailingList(f"list-{breaks_at}")
        spring = Campaign(f"spring-{breaks_at}", to=[to])
        mail = world(store=store, esp=esp)
        join(mail, f"ada{breaks_at}", to)
        plan = mail.plan(spring, now=NOW)
        outage = Outage(proxy, breaks_at)
        if _goes_through(store, esp, plan, outage):
            break
        proxy.up()
        assert set(mailed(mail, spring.key)) <= set(states(mail, spring.key)), breaks_at
        for hours in (1, 2):
            mail.send(plan, now=NOW + hours * HOUR)
            mail.reconcile(spring, now=NOW + hours * HOUR)
        mail.send(plan, now=NOW + 3 * HOUR)
        assert [f"ada{breaks_at}"] == mailed(mail, spring.key), breaks_at
    assert breaks_at > 10
    store.close()


def _goes_through(store: SqlStore, esp: MemoryEsp, plan: Plan, outage: Outage) -> bool:
    try:
        world(store=Mortal(store, outage), esp=Mortal(esp, outage)).send(plan, now=NOW)
    except RegistryUnavailable:
        return False
    return outage.calls < outage.breaks_at


# --- broken connections (F1, F2, F21) ---------------------------------------------------------------------------------


@pytest.mark.parametrize("at_commit", [False, True], ids=["at the next call", "at the commit"])
def test_a_connection_that_is_ended_in_a_transaction_rolls_it_back(postgres: Server, at_commit: bool) -> None:
    """F21: the server ends the connection: busy, nothing is written, and the same store goes on."""
    store = opened(postgres.url(new_schema(), application_name="victim"))
    mail = world("ada", store=store)
    before = store.position()

    def break_off(run: Callable[[str], Any]) -> None:
        with store.transaction():
            mail.suppress("ada", "complaint", provenance=said(Actor.ESP), now=NOW)
            ended = "SELECT bool_and(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity"
            assert run(ended + " WHERE application_name = 'victim'")
            if not at_commit:
                store.position()

    with postgres.beside() as run, pytest.raises(RegistryBusy, match="call again"):
        break_off(run)
    assert before == store.position()
    assert mail.opt_out("ada", scope=ALL, now=NOW).is_new
    assert before + 1 == store.position()
    store.close()


def test_in_a_transaction_that_is_broken_every_call_is_busy(postgres: Server, proxy: Proxy) -> None:
    """F21: whoever goes on after the first error gets the same, in our words, until the transaction is begun again."""
    store = opened(postgres.url(new_schema(), port=proxy.port))
    errors: list[RegistryBusy] = []

    def go_on() -> None:
        with store.transaction():
            store.append([no_of("ada")], at=NOW)
            proxy.down()
            for call in (store.position, store.position, lambda: store.append([no_of("bob")], at=NOW)):
                try:
                    call()
                except RegistryBusy as error:
                    errors.append(error)

    with pytest.raises(RegistryBusy):
        go_on()
    assert 3 == len(errors)
    proxy.up()
    assert 0 == store.position()
    store.close()


def _writes() -> dict[str, Callable[[Lifecycle], object]]:
    tokens: dict[Lifecycle, str] = {}

    def ask(mail: Lifecycle) -> object:
        tokens[mail] = needs_confirmation(mail.subscribe("out", OFFERS, proof=PROOF, now=NOW)).token
        return tokens[mail]

    return {
        "opt_out": lambda mail: mail.opt_out("ada", scope=ALL, now=NOW),
        "opt_out of an event": lambda mail: mail.opt_out("bob", scope=ALL, now=NOW, event_id="e1"),
        "opt_out by address": lambda mail: mail.opt_out("zed@example.com", scope=ALL, now=NOW),
        "subscribe": lambda mail: mail.subscribe("new@example.com", OFFERS, proof=PROOF, now=NOW, contact_id="new"),
        "ask to come back": ask,
        "confirm": lambda mail: mail.confirm(tokens[mail], now=NOW),
        "update": lambda mail: mail.update("cem", {"spend": 3}, tags=["vip"], now=NOW),
        "change_address": lambda mail: mail.change_address("cem", "c2@example.com", by=Actor.CONTACT, now=NOW),
        "pause": lambda mail: mail.pause("cem", until=NOW + DAY, now=NOW),
        "suppress": lambda mail: mail.suppress("cem", "complaint", provenance=said(Actor.ESP), now=NOW),
        "lift": lambda mail: mail.lift("held", "sunset", by=Actor.OPERATOR, text="she wrote", now=NOW),
    }


@pytest.mark.parametrize("where", [Cut.BEFORE, Cut.AFTER])
def test_a_line_that_is_cut_in_the_commit_gives_one_effect_and_the_same_answer(
    postgres: Server, proxy: Proxy, where: Cut
) -> None:
    """F1, F2, F21: whether the server got the commit or not, the next try answers as the first would have."""

    def populated(store: Any) -> Lifecycle:
        mail = world("ada", "bob", "cem", "held", "out", store=store)
        mail.opt_out("out", scope=Scope.list("offers"), now=NOW - DAY)
        mail.suppress("held", "sunset", provenance=said(Actor.POLICY, at=NOW - DAY), now=NOW - DAY)
        return mail

    store = opened(postgres.url(new_schema(), port=proxy.port))
    mail, undisturbed = populated(store), populated(MemoryStore())
    for name, write in _writes().items():
        proxy.cut(where)
        assert write(undisturbed) == write(mail), name
        assert proxy.has_cut, name
    assert [*undisturbed.store.records()] == [*store.records()]
    assert [*undisturbed.store.each()] == [*store.each()]
    assert () == store.check().problems
    store.close()


def test_a_line_that_is_cut_in_the_commit_of_a_claim_is_never_two_mails(postgres: Server, proxy: Proxy) -> None:
    """F7, F21: in whichever commit of a send the answer is lost, everybody gets one mail in the end."""
    esp = MemoryEsp(capabilities=MAILS_ONLY)
    store = opened(postgres.url(new_schema(), port=proxy.port))
    for commit in count(1):
        to = MailingList(f"list-{commit}")
        spring = Campaign(f"spring-{commit}", to=[to])
        mail = world(store=store, esp=esp)
        join(mail, f"ada{commit}", to)
        plan = mail.plan(spring, now=NOW)
        proxy.cut(Cut.AFTER, commit=commit)
        mail.send(plan, now=NOW)
        if not proxy.has_cut:
            break
        for hours in (1, 2):
            mail.send(plan, now=NOW + hours * HOUR)
            mail.reconcile(spring, now=NOW + hours * HOUR)
        mail.send(plan, now=NOW + DAY)
        assert [f"ada{commit}"] == mailed(mail, spring.key), commit
    assert commit > 4
    store.close()
