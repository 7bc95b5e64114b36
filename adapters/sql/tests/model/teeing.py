"""Two stores that are asked the same, and must answer the same: one on disk, one in memory.

So the state of the durable one equals, after every call, that of a `MemoryStore` fed with the same entries.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import evolve

from lifecycle_mail.errors import LifecycleMailError
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.ports import Claim, Store

_TOLD_BOTH = {name for name in dir(Store) if not name.startswith("_")} - {"transaction", "close"}
_IN_NO_ORDER = {"admit", "claim", "erased", "events_of", "reclassify"}
_STREAMS = {"records", "each", "members", "tasks", "tally", "answers"}


class Tee:
    """A store that asks another one the same and compares the answers.

    Args:
        store: whose answers count.
        shadow: the other.
    """

    def __init__(self, store: Any, shadow: MemoryStore) -> None:
        self.store = store
        self.shadow = shadow

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction on both."""
        with self.store.transaction(), self.shadow.transaction():
            yield

    def close(self) -> None:
        """Close the one on disk."""
        self.store.close()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.store, name)
        if name not in _TOLD_BOTH:
            return real
        other = getattr(self.shadow, name)

        def call(*arguments: Any, **named: Any) -> Any:
            answer, second = _told(real, name, arguments, named), _told(other, name, arguments, named)
            assert _plain(answer, name) == _plain(second, name), (
                f"{name}{arguments}{named}: {_plain(answer, name)} on disk, {_plain(second, name)} in memory"
            )
            if isinstance(answer, LifecycleMailError):
                raise answer
            return iter(answer) if name in _STREAMS else answer

        return call


def _told(call: Callable[..., Any], name: str, arguments: Any, named: Any) -> Any:
    try:
        answer = call(*arguments, **named)
        return list(answer) if name in _STREAMS else answer
    except LifecycleMailError as error:
        return error


def _plain(answer: Any, name: str) -> Any:
    """Return an answer in a form in which two stores give the same."""
    if isinstance(answer, LifecycleMailError):
        return type(answer)
    if name == "unseen":
        return {who: set(mails) for who, mails in answer.items() if mails}
    if name in _IN_NO_ORDER:
        return sorted(answer, key=repr)
    if name == "claims":
        return {who: _left(one) for who, one in answer.items()}
    if name == "claims_of":
        return [*map(_left, answer)]
    if isinstance(answer, Mapping):
        return {key: _plain(value, "") for key, value in answer.items()}
    if isinstance(answer, Collection) and not isinstance(answer, str | set | frozenset):
        return list(answer)
    return answer


def _left(claim: Claim) -> Claim:
    """Leave out the address of somebody erased: the inbox may be another's, too, and that one's name for it stays."""
    return evolve(claim, address="") if is_hashed(claim.contact_id) else claim


def copied(shadow: MemoryStore) -> MemoryStore:
    """Return a store in memory as it is now. What it holds never changes; what holds it is copied."""
    made = copy.copy(shadow)
    made.__dict__.update({name: _fresh(value) for name, value in shadow.__dict__.items()})
    return made


def _fresh(value: Any) -> Any:
    if isinstance(value, dict):
        made = copy.copy(value)
        made.update({key: _fresh(one) for key, one in value.items()})
        return made
    return [*map(_fresh, value)] if isinstance(value, list) else set(value) if isinstance(value, set) else value
