"""How a registry matches addresses is settled once, and kept in it (F61).

Match keys of two rules never meet, so who opened a registry by other rules than those it was written by would find
nobody's no. Who opens it first settles it, before anything is written: what is asked for must from then on be what is
kept, and who asks for nothing gets what is kept. One that was written before rules were kept tells them by its keys.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.model.addresses import DEFAULT, MatchRules
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.ports import Bookmark, Store
from lifecycle_mail.service.retrying import again, in_transaction

_NAME: Final = "matching"
_ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""It was never otherwise, and no instant is given when a registry is opened."""
_ENOUGH: Final = 10_000
"""How many records tell how a registry was written, while other writers wait."""


def settle(store: Store, wanted: MatchRules | None, *, wait: Callable[[int], None]) -> MatchRules:
    """Return the rules of a registry; one that nobody has opened yet takes those that are wanted, or the defaults.

    Args:
        store: the registry.
        wanted: the rules that the application names, or None for those of the registry.
        wait: called between two tries while the store is busy.

    Raises:
        Misconfigured: it goes by other rules, or by some that this version does not know.
        RegistryBusy: the store was busy each time.
        RegistryUnavailable: it cannot be read; or nobody has opened it yet, and it cannot be written.
    """
    kept = again(lambda: kept_rules(store), wait=wait)
    if kept is None:
        kept = in_transaction(store, lambda: _take(store, wanted), wait=wait)
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
    return None if mark is None else _of(mark.note)


def _take(store: Store, wanted: MatchRules | None) -> MatchRules:
    kept = kept_rules(store)  # another process may have been first
    if kept is None:
        kept = _written_by(store, wanted)
        store.mark(Bookmark(name=_NAME, place=0, at=_ALWAYS, note=kept.version))
    return kept


def _written_by(store: Store, wanted: MatchRules | None) -> MatchRules:
    """Return the rules that made the keys with which the log begins, or what is wanted where none can be read."""
    keys = (record.entry.subject.key for record in islice(store.records(), _ENOUGH))
    versions = {key.partition(":")[0] for key in keys if key is not None and not is_hashed(key)}
    found = [_of(version) for version in sorted(versions)]
    if wanted is not None and (not found or wanted in found):
        return wanted
    if len(found) > 1:
        raise Misconfigured(
            f"this registry was written by several match rules before it kept them, {', '.join(map(str, found))}: "
            f"name one as match=, and import again the noes that were written by the others"
        )
    return found[0] if found else DEFAULT


def _of(version: str) -> MatchRules:
    try:
        return MatchRules.of_version(version)
    except InvalidInput as problem:
        raise Misconfigured(f"the registry goes by {problem}") from problem
