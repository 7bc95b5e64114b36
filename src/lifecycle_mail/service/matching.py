"""How a registry matches addresses is settled once, and kept in it (F61).

Match keys of two rules never meet, so who opened a registry by other rules than those it was written by would find
nobody's no. What is asked for must therefore be what is kept, and who asks for nothing gets what is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.model.addresses import MatchRules
from lifecycle_mail.ports import Bookmark, Store
from lifecycle_mail.service.retrying import again, in_transaction

_NAME = "matching"
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""It was never otherwise, and no instant is given when a registry is opened."""


def settle(store: Store, wanted: MatchRules | None, *, wait: Callable[[int], None]) -> MatchRules:
    """Return the rules of a registry; one that holds nothing yet takes those that are wanted.

    Args:
        store: the registry.
        wanted: the rules that the application names, or None for those of the registry.
        wait: called between two tries while the store is busy.

    Raises:
        Misconfigured: it was written by other rules.
    """
    found = again(lambda: _read(store.bookmark(_NAME)), wait=wait)
    if wanted is None or wanted == found:
        return found

    def take() -> MatchRules:
        mark = store.bookmark(_NAME)
        if mark is None and not store.position() and not store.count():
            mark = Bookmark(name=_NAME, place=0, at=_ALWAYS, note=wanted.version)
            store.mark(mark)
        kept = _read(mark)
        if kept != wanted:  # another process may have been first, with the same
            raise Misconfigured(
                f"this registry matches addresses with {kept}, and by {wanted} nobody's earlier no would be found: "
                f"leave out match= to take what is kept, or export what it holds into a new registry with these rules"
            )
        return kept

    return in_transaction(store, take, wait=wait)


def _read(mark: Bookmark | None) -> MatchRules:
    return MatchRules() if mark is None else MatchRules.of_version(mark.note)
