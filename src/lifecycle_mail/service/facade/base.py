"""What every part of `Lifecycle` stands on: an ESP, a store, a programme, and the reader of the store."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from lifecycle_mail.errors import UnknownName
from lifecycle_mail.mails.links import Tokens
from lifecycle_mail.mails.signing import SigningKey
from lifecycle_mail.model.addresses import EmailAddress, MatchRules
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.plugins import load_esp, load_store
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.ports import Crm, Esp, KeepsBindings, Store
from lifecycle_mail.service import sweeping
from lifecycle_mail.service.breaker import Breaker
from lifecycle_mail.service.consenting import Consents
from lifecycle_mail.service.leasing import Clock
from lifecycle_mail.service.matching import settle
from lifecycle_mail.service.reading import Reader
from lifecycle_mail.service.receiving import Received, Receiver
from lifecycle_mail.service.retrying import again, in_transaction
from lifecycle_mail.service.sweeping import Swept

T = TypeVar("T")

SWEEP_EVERY = timedelta(hours=1)
"""How long a sweep is good for: a send later than that after it sweeps first (F13)."""


def _random_id(_address: EmailAddress) -> ContactId:
    return ContactId(uuid.uuid4().hex)


def _sleep(attempt: int) -> None:
    time.sleep(min(30.0, 0.5 * 2**attempt))


class Base:
    """Holds what the parts share; see `Lifecycle` for the arguments."""

    def __init__(
        self,
        esp: Esp | str,
        store: Store | str,
        *,
        programme: Programme | None = None,
        signing_keys: Sequence[SigningKey | str | bytes] | Tokens = (),
        match: MatchRules | None = None,
        new_id: Callable[[EmailAddress], ContactId] = _random_id,
        wait: Callable[[int], None] = _sleep,
        crm: Crm | None = None,
        peppers: Mapping[str, str | bytes] | None = None,
        breaker: Breaker | None = None,
        value_field: str | None = None,
        sweep_every: timedelta = SWEEP_EVERY,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.esp: Esp = load_esp(esp) if isinstance(esp, str) else esp
        self.crm = crm
        self.peppers = Peppers(peppers or {})
        self.programme = programme or Programme()
        self.breaker = breaker or Breaker()
        self.value_field = value_field
        self._wait = wait
        self._ticks = ticks
        self._sweep_every = sweep_every
        self._swept: Swept | None = None
        self._new_id = new_id
        self._kept_lists: dict[str, MailingList] = {}
        tokens = signing_keys if isinstance(signing_keys, Tokens) else Tokens(signing_keys)
        self.store: Store = load_store(store, peppers=peppers) if isinstance(store, str) else store
        try:
            rules = settle(self.store, match, wait=wait)
        except BaseException:
            if isinstance(store, str):  # nobody else can close it
                self.store.close()
            raise
        if isinstance(self.esp, KeepsBindings):
            self.esp.keep_in(self.store)
        self._reader = Reader(self.store, rules)
        self._consents = Consents(self._reader, tokens=tokens, new_id=new_id)

    @property
    def match(self) -> MatchRules:
        """How addresses are matched for suppression, in this registry."""
        return self._reader.rules

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def contact(self, who: str) -> Contact:
        """Find a contact by id or address.

        Raises:
            UnknownName: nobody goes by it.
            AmbiguousAddress: several contacts have the address.
        """
        return self._again(lambda: self._reader.require(who))

    def _again(self, work: Callable[[], T]) -> T:
        """Do a whole transaction, and do it again while the store is busy (F15, F21)."""
        return again(work, wait=self._wait)

    def _once(self, work: Callable[[], T]) -> T:
        """Do work in one transaction, and all of it again while the store is busy."""
        return in_transaction(self.store, work, wait=self._wait)

    def _receive(self, batch: Sequence[Statement], *, now: datetime) -> Received:
        def take() -> Received:
            receiver = Receiver(  # anew for each try: it keeps what it has placed
                self._reader, fields=self.programme.fields, lists=self.programme.lists, new_id=self._new_id,
                breaker=self.breaker, rules=self.programme.consent, esp=self.esp, crm=self.crm, now=now,
            )  # fmt: skip
            return receiver.take(batch)

        return self._again(take)

    def _sweep(self, *, now: datetime) -> Received | None:
        found = sweeping.sweep(
            self.store,
            self.esp,
            lambda batch: self._receive(batch, now=now),
            clock=self._clock(now),
            wait=self._wait,
        )
        if found is not None:
            self._swept = Swept(now, self._again(self.store.position))
        return found

    def _clock(self, now: datetime) -> Clock:
        return Clock(now, self._ticks)

    def _list(self, to: MailingList | str) -> MailingList:
        if isinstance(to, MailingList):
            self.programme = self.programme.with_(to)
            return to
        if to not in self.programme.lists:
            kept = self._again(self.store.lists)  # of an earlier run, or another process
            if to not in kept:
                raise UnknownName("list", to, [*self.programme.lists, *kept])
            self.programme = self.programme.with_(kept[ListKey(to)])
        return self.programme.lists[to]

    def _keep_list(self, listed: MailingList) -> None:
        """Let the store know a list that people join, once for each version of it."""
        if self._kept_lists.get(listed.key) != listed:
            if self._again(self.store.lists).get(listed.key) != listed:
                self._again(lambda: self.store.put_lists([listed]))
            self._kept_lists[listed.key] = listed
