"""Two workers on one registry, in every order that its locks allow (F16, F17)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
from attrs import field, frozen
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.made_up import opened
from adapters.sql.tests.schedules import Turns, at_once
from lifecycle_mail.errors import CampaignRefused
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.entries import Consent, OptOut
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.ports import Capability, Claim
from lifecycle_mail.service import Lifecycle, NeedsConfirmation
from lifecycle_mail.testing import lifecycle
from tests.service.worlds import CAMPAIGNS_ONLY, DAY, HOUR, MAILS_ONLY, NOW, OFFERS, PROOF, address, left

_people = count(1)


@frozen
class Registry:
    """A registry that two workers have open; neither waits for the other.

    Attributes:
        stores: one for each worker.
    """

    stores: dict[str, SqlStore] = field(factory=dict)

    def workers(self, turns: Turns, *items: MailingList | Campaign, esp: MemoryEsp | None = None) -> list[Lifecycle]:
        """Return both workers, who take turns; one ESP knows them both."""
        esp = esp or MemoryEsp()
        return [
            lifecycle(
                OFFERS, *items, esp=turns.port(name, esp), store=turns.port(name, store), wait=turns.wait(name)
            )
            for name, store in self.stores.items()
        ]  # fmt: skip


@contextmanager
def _opened_by_both(url: str) -> Iterator[Registry]:
    with_both = Registry({name: opened(at_once(url)) for name in ("one", "two")})
    yield with_both
    for store in with_both.stores.values():
        store.close()


@pytest.fixture
def registry(fresh_url: str) -> Iterator[Registry]:
    """Return a registry on either database."""
    with _opened_by_both(fresh_url) as made:
        yield made


def somebody() -> str:
    """Return the id of somebody new."""
    return f"ada{next(_people):04}"


# --- opt-out against opt-in (F16) -------------------------------------------------------------------------------------

Work = Callable[[Lifecycle, str], object]


def _confirm_earlier(mail: Lifecycle, who: str) -> object:
    return mail.confirm(_TOKENS[who], now=NOW)


def _come_back(mail: Lifecycle, who: str) -> object:
    answer = mail.subscribe(who, OFFERS, proof=PROOF, now=NOW)
    return mail.confirm(answer.token, now=NOW) if isinstance(answer, NeedsConfirmation) else answer


_TOKENS: dict[str, str] = {}
NOES: dict[str, Work] = {
    "from the list": lambda mail, who: mail.opt_out(who, scope=Scope.list("offers"), now=NOW),
    "from all, by address": lambda mail, who: mail.opt_out(address(who), scope=Scope.all(), now=NOW),
    "told by the ESP": lambda mail, who: mail.receive([left(who, Scope.all(), event_id=f"hook-{who}")], now=NOW),
}
YESES: dict[str, Work] = {
    "signs up": lambda mail, who: mail.subscribe(who, OFFERS, proof=PROOF, now=NOW),
    "confirms what was asked before": _confirm_earlier,
    "signs up and confirms": _come_back,
}


def _known(mail: Lifecycle, *, asked: bool) -> str:
    """Return somebody who was subscribed, and where it is said left and asked to come back."""
    who = somebody()
    mail.subscribe(address(who), OFFERS, proof=PROOF, now=NOW - DAY, contact_id=who)
    if asked:
        mail.opt_out(who, scope=Scope.list("offers"), now=NOW - HOUR)
        answer = mail.subscribe(who, OFFERS, proof=PROOF, now=NOW - HOUR)
        assert isinstance(answer, NeedsConfirmation)
        _TOKENS[who] = answer.token
    return who


def _check_out(mail: Lifecycle, who: str, trace: object) -> None:
    """Check that they are out, unless they confirmed against every no there is."""
    written = [record.entry for record in mail.store.records() if who in str(record.entry.subject)]
    noes = {entry.id for entry in written if isinstance(entry, OptOut)}
    cited = {one for entry in written if isinstance(entry, Consent) for one in entry.cites}
    assert noes, trace
    is_in = mail.standing(who, OFFERS, now=NOW) is ListStanding.ACTIVE
    assert (noes <= cited) == is_in, trace


PAIRS = [("from the list", yes) for yes in YESES]
PAIRS += [("from all, by address", "signs up and confirms"), ("told by the ESP", "confirms what was asked before")]


def _play(registry: Registry, no: str, yes: str, first: str, switches: Sequence[int]) -> list[int]:
    turns = Turns()
    one, two = registry.workers(turns)
    who = _known(one, asked=yes.startswith("confirms"))
    work = {"one": lambda: NOES[no](one, who), "two": lambda: YESES[yes](two, who)}
    if first == "two":
        work = dict(reversed(work.items()))
    steps = turns.play(work, switches)
    _check_out(one, who, turns.trace)
    return steps


@pytest.mark.parametrize(("no", "yes"), PAIRS)
def test_an_opt_out_wins_over_an_opt_in_in_every_order(registry: Registry, no: str, yes: str) -> None:
    """F16, O4: whoever goes first, and wherever the other comes in between: out, unless the consent cites that no."""
    for first in ("one", "two"):
        steps, _ = _play(registry, no, yes, first, [])
        assert steps > 5
        for switch in range(1, steps):
            _play(registry, no, yes, first, [switch])


@pytest.mark.long
@pytest.mark.parametrize("no", NOES)
@pytest.mark.parametrize("yes", YESES)
def test_an_opt_out_wins_wherever_the_two_take_turns_twice(registry: Registry, no: str, yes: str) -> None:
    """F16, O4: as above, and the first comes in between again."""
    for first in ("one", "two"):
        one, other = _play(registry, no, yes, first, [])
        for switch in range(1, one):
            for back in range(1, other):
                _play(registry, no, yes, first, [switch, back])


# --- opt-out against a send (F17) -------------------------------------------------------------------------------------


@frozen
class _Race:
    """A send of a campaign to two people, while one of them says no.

    Attributes:
        mailed: who got it.
        trace: what happened, in order.
        steps: how many steps the send took.
        claims: by contact.
    """

    mailed: list[str]
    trace: list[tuple[str, str]]
    steps: int
    claims: Mapping[ContactId, Claim]


def _race(registry: Registry, capabilities: frozenset[Capability], switch: int, leave: Work) -> _Race:
    """Let the one send up to a step, the other say no, and the one go on."""
    number = next(_people)
    to = MailingList(f"list-{number}")
    spring = Campaign(f"spring-{number}", to=[to])
    esp, turns = MemoryEsp(capabilities=capabilities), Turns()
    one, two = registry.workers(turns, to, spring, esp=esp)
    stays, goes = f"bob{number:04}", f"eve{number:04}"
    for who in (stays, goes):
        one.subscribe(address(who), to, proof=PROOF, now=NOW - DAY, contact_id=who)
    plan = one.plan(spring, now=NOW)
    assert 2 == plan.sendable

    lost: list[CampaignRefused] = []

    def send() -> None:
        try:
            one.send(plan, now=NOW)
        except CampaignRefused as error:  # to an erasure whose clock says that it is later, the lease has run out
            lost.append(error)

    def say_no() -> None:
        with suppress(CampaignRefused):  # an erasure, while the other is sending
            leave(two, goes)
            turns.note("two", "said")

    steps, _ = turns.play({"one": send, "two": say_no}, [switch])
    if lost:
        one.send(plan, now=NOW + DAY)
    mailed: list[str] = [sent.recipient.contact_id for sent in esp.outbox]
    return _Race(mailed, turns.trace, steps, one.store.claims(CampaignKey(spring.key)))


def _too_late(trace: Sequence[tuple[str, str]], *, whole: bool) -> int:
    """Return from where on in the trace a no is too late: the last claim's commit, or the last look at the log."""
    if whole:
        end = trace.index(("one", "release"))
        return max(place for place in range(end) if trace[place] == ("one", "records"))
    claimed = max(place for place, step in enumerate(trace) if step == ("one", "claim"))
    return trace.index(("one", "commit"), claimed)


@pytest.mark.parametrize("capabilities", [MAILS_ONLY, CAMPAIGNS_ONLY], ids=["mails", "campaign"])
def test_who_said_no_before_hand_off_is_not_mailed(registry: Registry, capabilities: frozenset[Capability]) -> None:
    """F17, F18: between any two calls of a send: no mail after an acknowledged no, or it is marked as in flight."""
    whole = capabilities == CAMPAIGNS_ONLY
    leave: Work = lambda mail, who: mail.opt_out(who, scope=Scope.all(), now=NOW + HOUR)  # noqa: E731 - as above
    seen = set()
    switch, steps = 0, 1
    while switch <= steps:
        race = _race(registry, capabilities, switch, leave)
        steps = race.steps
        stays, *goes = sorted(race.mailed)
        assert stays.startswith("bob"), race.trace
        said = race.trace.index(("two", "said"))
        seen.add(bool(goes))
        if goes:
            assert _too_late(race.trace, whole=whole) < said, race.trace
            assert NOW + HOUR == race.claims[ContactId(goes[0])].opted_out_at, race.trace
        switch += 1
    assert {True, False} == seen
    assert steps > 20


@pytest.mark.parametrize(
    "at", [NOW, NOW + HOUR], ids=["while the other has the campaign", "when its lease has run out"]
)
def test_who_is_erased_before_hand_off_is_not_mailed(at: datetime, tmp_path: Path) -> None:
    """F17, O5: between any two calls of a send, at an ESP that cannot be told: refused, or not among the released."""
    erase: Work = lambda mail, who: mail.erase(who, by=Actor.CONTACT, now=at)  # noqa: E731 - as above
    switch, steps = 0, 1
    seen = set()
    with _opened_by_both(f"sqlite:///{tmp_path}/mail.db") as registry:
        while switch <= steps:
            race = _race(registry, CAMPAIGNS_ONLY, switch, erase)
            steps = race.steps
            erased = ("two", "said") in race.trace
            seen.add((erased, len(race.mailed)))
            assert race.mailed[0].startswith("bob"), race.trace
            if len(race.mailed) == 2 and erased:
                assert race.trace.index(("one", "release")) < race.trace.index(("two", "said")), race.trace
            switch += 1
    assert {(True, 1), (True, 2)} <= seen
    assert ((False, 2) in seen) is (at == NOW)
