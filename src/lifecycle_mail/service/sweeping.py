"""Sweeping: asking the ESP for all that its webhooks may have missed (E3, F32).

A sweep takes the ESP's news, and from an ESP that can list who is out also everybody who left since the last sweep,
an hour earlier to be sure. How far it came is a bookmark in the registry itself. So where an old backup is restored,
the bookmark is as old, and the next sweep, without which nothing is sent, reads anew what the backup has lost (F13).
It only ever takes people off: what the ESP says in their favour brings nobody back (F30, F31).

The ESP dates what it lists by its own clock. So the list is asked for from the latest instant that the ESP itself has
named, if that is earlier than the last sweep by our clock: a clock of ours that is years ahead, and stays so, hides
nobody (F64). From an ESP that has named none everything is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import cast

from attrs import fields, frozen

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.model.instants import optional_utc
from lifecycle_mail.model.intake import Held, Left, Statement
from lifecycle_mail.ports import CLOCKS_APART, LARGEST_CHUNK, Bookmark, Capability, Esp, Reports, Store
from lifecycle_mail.ports.esps import ListsOptOuts
from lifecycle_mail.service.leasing import Clock, Lease
from lifecycle_mail.service.reading import chunks
from lifecycle_mail.service.receiving import Received
from lifecycle_mail.service.retrying import again, in_transaction

AGAIN = timedelta(hours=1)
"""How much of what the last sweep has read is read once more: the ESP's clock is not ours, and its lists lag."""


def lists_opt_outs(esp: Esp) -> bool:
    """Whether an ESP can list who is out; then nothing is sent before a sweep."""
    return Capability.OPT_OUT_LIST in esp.capabilities


def has_news(esp: Esp) -> bool:
    """Whether an ESP has news that can be fetched."""
    return Capability.REPORTS in esp.capabilities


@frozen
class Swept:
    """What a process remembers of its last sweep.

    Attributes:
        at: its instant.
        position: the furthest place of the log that the process has seen since.
    """

    at: datetime
    position: int


def is_due(store: Store, esp: Esp, last: Swept | None, *, every: timedelta, now: datetime) -> bool:
    """Whether a sweep is due before a send.

    Args:
        store: where the bookmark is.
        esp: who would be asked.
        last: what the process remembers, or None.
        every: how long a sweep is good for.
        now: the instant of sending.
    """
    if not lists_opt_outs(esp):
        return False
    if last is None or not last.at <= now < last.at + every:
        return True
    # A log that has become shorter, or a bookmark older than ours: a backup was restored behind our back.
    mark = store.bookmark(_name(esp))
    return mark is None or mark.at < last.at or store.position() < last.position


def sweep(
    store: Store,
    esp: Esp,
    receive: Callable[[Sequence[Statement]], Received],
    *,
    clock: Clock,
    wait: Callable[[int], None],
) -> Received | None:
    """Take everything that an ESP can say; see `Lifecycle.sweep`."""
    if not (has_news(esp) or lists_opt_outs(esp)):
        raise Misconfigured(f"{esp.name} has neither reports nor a list of who is out: feed its webhooks to receive()")
    lease = Lease(store, _name(esp), clock=clock, wait=wait)
    if not lease.take():
        return None
    try:
        return _swept(store, esp, receive, lease, clock=clock, wait=wait)
    finally:
        lease.give_back()


def _swept(
    store: Store,
    esp: Esp,
    receive: Callable[[Sequence[Statement]], Received],
    lease: Lease,
    *,
    clock: Clock,
    wait: Callable[[int], None],
) -> Received | None:
    began = clock()
    total = Received()
    if has_news(esp):
        reporting = cast(Reports, esp)
        news = list(reporting.reports(now=began))
        total = together(total, receive(news))
        reporting.acknowledge(news)
    if not lists_opt_outs(esp):
        return total
    mark = again(lambda: store.bookmark(_name(esp)), wait=wait)
    named = None if mark is None else optional_utc(datetime.fromisoformat(mark.note) if mark.note else None)
    since = None
    if mark is not None and named is not None and mark.at <= began + CLOCKS_APART:  # else a clock ahead set it (F64)
        since = min(mark.at, named) - AGAIN
    read = 0
    for chunk in chunks(cast(ListsOptOuts, esp).opt_outs(since=since, now=began), LARGEST_CHUNK):
        if not lease.keep():
            return None
        total = together(total, receive(chunk))
        read += len(chunk)
        named = max((one for one in (named, _named(chunk, began)) if one is not None), default=None)
    note = "" if named is None else named.isoformat()
    done = Bookmark(name=_name(esp), place=read, at=began, note=note)
    in_transaction(store, lambda: store.mark(done), wait=wait)
    return total


def _named(statements: Iterable[Statement], began: datetime) -> datetime | None:
    """Return the latest instant by which an ESP dates its statements; what it dates ahead of our clock left out."""
    dated = (one.provenance.at for one in statements if isinstance(one, Left | Held) and one.dated)
    return max((at for at in dated if at <= began + CLOCKS_APART), default=None)


def _name(esp: Esp) -> str:
    return f"sweep:{esp.name}"


def together(one: Received, other: Received) -> Received:
    """Return what became of two batches."""
    names = [attribute.name for attribute in fields(Received)]
    return Received(**{name: getattr(one, name) + getattr(other, name) for name in names})
