"""`Lifecycle`, the part that watches: what is held against addresses, how many leave, and what a breaker set aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.measure.watch import Watch, WatchRules
from lifecycle_mail.model.instants import as_utc, optional_utc
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import one_of
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import LARGEST_CHUNK, SetAside
from lifecycle_mail.service import breaker
from lifecycle_mail.service.breaker import Decided
from lifecycle_mail.service.cleaning import Screener, Verdict
from lifecycle_mail.service.facade.base import Base
from lifecycle_mail.service.watching import Watcher


class Watching(Base):
    """Watches over lists, rates and breakers."""

    def screen_addresses(
        self,
        addresses: Iterable[str],
        *,
        to: MailingList | str | None = None,
        now: datetime,
        chunk: int = LARGEST_CHUNK,
    ) -> Iterator[Verdict]:
        """Tell of each of many bare addresses what is held against it; nothing is written and nobody is looked up.

        For a list that somebody else kept. That nothing is held against an address is no consent: who may be mailed is
        asked with `plan`.

        Args:
            addresses: any number of texts; a part of them is in memory at a time. Where the store has a server, it
                works on a chunk while the verdicts of the one before are told: what others write meanwhile may come
                too late for both.
            to: the list that they would be mailed for; without one, whether marketing by e-mail as such is held back.
            now: the instant of asking.
            chunk: how many are looked up at once.

        Raises:
            UnknownName: no such list.
            RegistryUnavailable: the log cannot be read.
        """
        if chunk < 1:
            raise InvalidInput(f"chunk {chunk!r}: give a whole number above zero")
        listed = None if to is None else self._list(to)
        screener = Screener(self._reader, to=listed, now=as_utc(now), wait=self._wait)
        return screener.screen(addresses, chunk=chunk)

    def opt_out_watch(self, *, now: datetime, since: datetime | None = None, rules: WatchRules | None = None) -> Watch:
        """Compare opt-outs with mails delivered, for each campaign, list, segment and mailbox provider (O6).

        Opt-outs count on the day on which they were said. One of which nobody knows when is left out, and so is
        transactional mail.

        Args:
            now: the present; what is stamped later is left out.
            since: from that UTC day on; left out, all that is known.
            rules: when a rate is an alert.
        """
        begin, now, used = optional_utc(since), as_utc(now), rules or WatchRules()
        return self._again(
            lambda: Watcher(self.store, self.programme, esp=self.esp.name).watch(since=begin, now=now, rules=used)
        )

    # -- what a breaker set aside

    def aside(self) -> Sequence[SetAside]:
        """Return the dead addresses and complaints that wait for a decision, oldest first (F66)."""
        return self._again(self.store.aside)

    def accept_aside(self, entry_ids: Iterable[str] | None = None, *, now: datetime) -> int:
        """Write what was set aside to the log, all or these; return how many entries are new.

        Raises:
            UnknownName: no such entry waits.
        """
        now, kept, tried = as_utc(now), _kept(entry_ids), list[Decided]()
        return self._once(lambda: breaker.accept(self.store, kept, now=now, tried=tried))

    def discard_aside(self, entry_ids: Iterable[str] | None = None, *, by: Actor, now: datetime, text: str) -> int:
        """Let go of what was set aside, all or these, as somebody else's mistake; return how many there were.

        A dead address is written to the log together with its end, so that the same report holds nobody when it comes
        again. A complaint only the person withdraws: it is dropped, and counts where it is told again.

        Raises:
            UnknownName: no such entry waits.
            InvalidInput: no reason is given.
        """
        if not text.strip():
            raise InvalidInput("say why they are let go: text=")
        now, kept, tried = as_utc(now), _kept(entry_ids), list[Decided]()
        said = Provenance(actor=one_of(Actor, by, "by"), through=Through.APPLICATION, at=now, text=text)
        return self._once(lambda: breaker.discard(self.store, kept, said, now=now, tried=tried))


def _kept(entry_ids: Iterable[str] | None) -> frozenset[str] | None:
    """Keep what may be read once alone: a transaction may be tried again."""
    return None if entry_ids is None else frozenset(entry_ids)
