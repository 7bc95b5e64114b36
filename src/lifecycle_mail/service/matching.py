"""How a registry matches addresses is settled once, and kept in it (F61).

Match keys of two rules never meet, so who opened a registry by other rules than those it was written by would find
nobody's no. Who opens it first settles it, before anything is written: what is asked for must from then on be what is
kept, and who asks for nothing gets what is kept. One that was written before rules were kept tells them by its keys.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.model.addresses import DEFAULT, MatchRules
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.ports import Bookmark, Store
from lifecycle_mail.service.retrying import again, in_transaction

_NAME: Final = "matching"
_ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""It was never otherwise, and no instant is given when a registry is opened."""


def settle(store: Store, wanted: MatchRules | None, *, wait: Callable[[int], None]) -> MatchRules:
    """Return the rules of a registry; one that nobody has opened yet takes those that are wanted, or the defaults.

    Args:
        store: the registry.
        wanted: the rules that the application names, or None for those of the registry.
        wait: called between two tries while the store is busy.

    Raises:
        Misconfigured: it goes by other rules, or by some that this version does not know.
        RegistryBusy: the store was busy each time.
        RegistryUnavailable: it cannot be read, or is new and cannot be written.
    """
    kept = again(lambda: kept_rules(store), wait=wait)
    if kept is None:
        kept = in_transaction(store, lambda: _take(store, wanted or DEFAULT), wait=wait)
    if wanted is not None and wanted != kept:
        raise Misconfigured(
            f"this registry folds {kept.folds} where it looks up a no, and what is wanted folds {wanted.folds}: by "
            f"that nobody's earlier no would be found. Leave out match= (--match) to go by what it keeps for good, or "
            f"make a new registry"
        )
    return kept


def kept_rules(store: Store) -> MatchRules | None:
    """Return the rules that a registry keeps, or None where nobody has opened it yet.

    Raises:
        Misconfigured: this version does not know them.
    """
    mark = store.bookmark(_NAME)
    try:
        return None if mark is None else MatchRules.of_version(mark.note)
    except InvalidInput as problem:
        raise Misconfigured(f"the registry goes by {problem}") from problem


def _take(store: Store, wanted: MatchRules) -> MatchRules:
    kept = kept_rules(store)  # another process may have been first
    if kept is None:
        kept = _written_by(store) or wanted
        store.mark(Bookmark(name=_NAME, place=0, at=_ALWAYS, note=kept.version))
    return kept


def _written_by(store: Store) -> MatchRules | None:
    """Return the rules that made the keys of the log, or None where it has none that can be read."""
    keys = (record.entry.subject.key for record in store.records())
    plain = next((key for key in keys if key is not None and not is_hashed(key)), None)
    return None if plain is None else MatchRules.of_version(plain.partition(":")[0])
