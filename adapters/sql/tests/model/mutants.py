"""Stores, ESPs and services that break one promise each: the simulation must find every one of them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from adapters.sql.tests.model.sim_people import mail_of, somebody
from adapters.sql.tests.model.sim_world import OFFERS, Worker, World
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.ports import ClaimState

Change = Callable[[World], object]
Wrap = Callable[[Any], Any]


class Lying:
    """A store one of whose operations does something else."""

    def __init__(self, store: Any, **lies: Callable[..., Any]) -> None:
        self._store = store
        self._lies = lies

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction."""
        with self._store.transaction():
            yield

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        lie = self._lies.get(name)
        if lie is None:
            return real
        return lambda *arguments, **named: lie(real, *arguments, **named)


def forgets_noes(store: Any) -> Any:
    """Say that noes of people are written, and forget every third of them."""
    numbers = count()

    def append(real: Any, entries: Any, *, at: Any) -> Any:
        said = [one for one in entries if isinstance(one, OptOut) and one.provenance.actor is Actor.CONTACT]
        lost = [one for one in said if next(numbers) % 3 == 0]
        return [*real([one for one in entries if one not in lost], at=at), *lost]

    return Lying(store, append=append)


def forgets_what_the_esp_says(store: Any) -> Any:
    """Forget noes that the ESP tells of."""

    def is_told(one: Any) -> bool:
        return isinstance(one, OptOut) and one.provenance.actor is Actor.ESP

    return Lying(store, append=lambda real, entries, *, at: real([one for one in entries if not is_told(one)], at=at))


def hides_noes(store: Any) -> Any:
    """Leave noes out where people are read."""

    def about(real: Any, whom: Any, **named: Any) -> Any:
        found = real(whom, **named)
        return {who: [one for one in entries if not isinstance(one, OptOut)] for who, entries in found.items()}

    return Lying(store, about=about)


def hides_news(store: Any) -> Any:
    """Say that the log has nothing new, so that nobody is screened again."""

    def records(real: Any, **named: Any) -> Any:
        return iter(()) if named.get("after") else real(**named)

    return Lying(store, records=records)


def stands_still(store: Any) -> Any:
    """Say that the log has nothing new, and that its last record is the one that was seen."""
    seen: list[int] = []

    def records(real: Any, **named: Any) -> Any:
        if not named.get("after"):
            return real(**named)
        seen[:] = [named["after"]]
        return iter(())

    return Lying(store, records=records, position=lambda real: seen.pop() if seen else real())


def claims_twice(store: Any) -> Any:
    """Give everybody to whoever asks, claimed or not."""

    def claim(real: Any, recipients: Any, *, at: Any) -> Any:
        real(recipients, at=at)
        return {one.contact_id for one in recipients}

    return Lying(store, claim=claim)


def forgets_doubt(store: Any) -> Any:
    """Take what may have left for what did not."""

    def settle(real: Any, campaign: Any, ids: Any, state: Any, *, at: Any) -> Any:
        return real(campaign, ids, ClaimState.RETURNED if state is ClaimState.UNKNOWN else state, at=at)

    return Lying(store, settle=settle)


def forgets_flights(store: Any) -> Any:
    """Note nothing on mails in flight."""
    return Lying(store, mark_in_flight=lambda _real, *_arguments, **_named: None)


def forgets_to_erase(store: Any) -> Any:
    """Say that somebody is erased, and leave everything where it is."""
    return Lying(store, erase=lambda _real, _contact_id, _keys: None)


def sends_unclaimed(world: World) -> None:
    """Let a worker call the ESP itself."""

    def call_the_esp(world: World, worker: Worker) -> str:
        """Send a mail that nobody claimed."""
        plan = mail_of(worker).plan(Campaign(f"wild-{next(world.numbers)}", to=[OFFERS]), now=world.now)
        for one in plan.recipients[:1]:
            world.esp.send(one, content=None)
        return somebody(world).name

    weigh = world.weigh
    world.weigh = lambda acts: weigh([*acts, (0.5, call_the_esp)])  # type: ignore[method-assign]


def is_deaf(world: World) -> None:
    """Let the ESP take no noes of ours, and say that it did."""
    world.esp.suppress = lambda *_arguments, **_named: None  # type: ignore[method-assign]


def loses_tags(world: World) -> None:
    """Let the ESP put no tag on anybody."""
    world.esp.tag = lambda *_arguments, **_named: None  # type: ignore[method-assign]
