"""Screening bare addresses: a list that was bought, or an export of a CRM, that nobody here knows yet.

For each address it is told whether it can be mailed at all and what is held against it. Nothing says that its owner
agreed to be mailed: that is asked of contacts, when a campaign is planned. For nearly all addresses the store answers
from what it keeps beside the log (`Marks`), a chunk at a time. Where only the log tells, because somebody came back
or has two addresses, it is read; an address is held where anybody's reading of it holds. The reasons and their order
are those of the gates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

from attrs import frozen

from lifecycle_mail.errors import InvalidAddress
from lifecycle_mail.model.addresses import MatchKey, match_keys, parse_address
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.entries import Entry, SuppressionKind
from lifecycle_mail.model.lists import Channel, MailingList, Scope, ScopeKind
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.eligibility import GATES, Withheld
from lifecycle_mail.ports import AskedMarks, Marks
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.retrying import again

INVALID = "invalid"
"""What holds a text that is no address."""

_SAID = {
    ScopeKind.ALL: Withheld.OUT_OF_ALL,
    ScopeKind.CHANNEL: Withheld.OUT_OF_CHANNEL,
    ScopeKind.LIST: Withheld.OUT_OF_LIST,
}
_HELD = {
    SuppressionKind.ERASURE: Withheld.ERASED,
    SuppressionKind.BOUNCE: Withheld.BOUNCED,
    SuppressionKind.COMPLAINT: Withheld.COMPLAINED,
    SuppressionKind.PAUSE: Withheld.PAUSED,
    SuppressionKind.ARCHIVE: Withheld.ARCHIVED,
    SuppressionKind.SUNSET: Withheld.SUNSET,
}
_PRECEDENCE = {gate.withheld: place for place, gate in enumerate(GATES)}
_BECAUSE = {gate.withheld: gate.because for gate in GATES}


@frozen
class Verdict:
    """What is held against one address.

    Attributes:
        text: the address as it was given.
        held: empty where nothing is; else `invalid`, or why a mail to it is withheld (`Withheld`).
        reason: why, in words.
    """

    text: str
    held: str = ""
    reason: str = ""

    @property
    def address_ok(self) -> bool:
        """Whether it is an address."""
        return self.held != INVALID


@frozen
class _Chunk:
    """Addresses that are screened together.

    Attributes:
        texts: as they were given.
        keys: of each; None of what is no address.
        known: the keys of those that are one.
        ahead: the question what is held against them, where a server works on it.
    """

    texts: Sequence[str]
    keys: Sequence[MatchKey | None]
    known: Sequence[MatchKey]
    ahead: AskedMarks | None


class Screener:
    """Screens bare addresses.

    Args:
        reader: of the store.
        to: the list that they would be mailed for; None asks about marketing by e-mail as such.
        now: the instant of asking.
        wait: see `retrying.again`.
    """

    def __init__(self, reader: Reader, *, to: MailingList | None, now: datetime, wait: Callable[[int], None]) -> None:
        self._reader = reader
        self._store = reader.store
        self._to = to
        self._now = now
        self._sums: dict[Marks, Withheld | None] = {}
        self._wait = wait

    def screen(self, addresses: Iterable[str], *, chunk: int) -> Iterator[Verdict]:
        """Yield a verdict for each address, in order; nothing is kept of those before."""
        waiting: _Chunk | None = None
        try:
            for one in chain(self._chunks(addresses, chunk), [None]):
                told, waiting = waiting, one if isinstance(one, _Chunk) else None
                if told is not None:
                    yield from self._verdicts(told)
                if isinstance(one, Exception):
                    raise one
                if waiting is not None and waiting.ahead is None:  # nobody works on it meanwhile
                    told, waiting = waiting, None
                    yield from self._verdicts(told)
        finally:
            if waiting is not None and waiting.ahead is not None:
                waiting.ahead.close()

    def _chunks(self, addresses: Iterable[str], size: int) -> Iterator[_Chunk | Exception]:
        """Yield chunks that are asked for; at last what the source raises, so that what came before it is told."""
        stream = chunks(addresses, size)
        while True:
            try:
                texts = next(stream, None)
                if texts is None:
                    return
                keys = match_keys(texts, self._reader.rules)
                known = [key for key in keys if key is not None]
                made = _Chunk(texts, keys, known, self._store.ask_marks(known))
            except Exception as error:  # noqa: BLE001 - raised by whoever reads this
                yield error
                return
            yield made

    def _verdicts(self, chunk: _Chunk) -> Iterator[Verdict]:
        marked, read = again(lambda: self._held(chunk), wait=self._wait)
        for text, key in zip(chunk.texts, chunk.keys, strict=True):
            if key is None:
                yield _invalid(text)
            elif key not in marked:
                yield Verdict(text)
            else:
                why = read[key] if key in read else self._sum(marked[key])
                yield Verdict(text) if why is None else Verdict(text, why.value, _BECAUSE[why])

    def _held(self, chunk: _Chunk) -> tuple[Mapping[MatchKey, Marks], Mapping[MatchKey, Withheld | None]]:
        marked = None if chunk.ahead is None else chunk.ahead.answer()
        if marked is None:
            marked = self._store.marks(chunk.known)
        return marked, self._read([key for key, marks in marked.items() if marks.read])

    def _sum(self, marks: Marks) -> Withheld | None:
        # The marks of nearly all addresses are one of a few, so each is added up once.
        if marks not in self._sums:
            self._sums[marks] = self._added_up(marks)
        return self._sums[marks]

    def _added_up(self, marks: Marks) -> Withheld | None:
        return _first([*(_SAID[no.kind] for no in marks.noes if self._covers(no)), *map(_HELD.get, marks.suppressions)])

    def _covers(self, scope: Scope) -> bool:
        """Whether a no reaches what they would be mailed for; without a list, marketing by e-mail as such."""
        if self._to is None:
            return scope.covers("", Channel.EMAIL)  # no list has this key
        return scope.covers(self._to.key, self._to.channel)

    # -- where only the log tells

    def _read(self, keys: Collection[MatchKey]) -> Mapping[MatchKey, Withheld | None]:
        if not keys:
            return {}
        nobody = {key: ContactId(f"\n{key}") for key in keys}  # no contact has such an id
        named = self._store.about({nobody[key]: [key] for key in keys})
        holders = {key: self._holders(key, named[nobody[key]]) for key in keys}
        whom: dict[ContactId, set[MatchKey]] = {}
        for key, ids in holders.items():
            for one in ids:
                whom.setdefault(one, set()).add(key)
        about = self._store.about(whom)
        return {
            key: _first(
                [self._of(Person.read(about[one], one, key)) for one in ids]
                or [self._of(Person.read(named[nobody[key]], nobody[key], key))]
            )
            for key, ids in holders.items()
        }

    def _holders(self, key: MatchKey, named: Iterable[Entry]) -> Collection[ContactId]:
        """Return everybody whom an address may name: who has it, and who used to."""
        ever = {entry.subject.contact_id for entry in named if entry.subject.contact_id is not None}
        return ever.union(self._store.find(key))

    def _of(self, person: Person) -> Withheld | None:
        if self._to is not None:
            noes = [no.scope for no in person.opt_outs_of(self._to.key, self._to.channel)]
        else:
            noes = [no.scope for no in person.opt_outs.values() if self._covers(no.scope)]
        return _first([*(_SAID[no.kind] for no in noes), *map(_HELD.get, person.held_by(now=self._now))])


def _first(found: Iterable[Withheld | None]) -> Withheld | None:
    """Return the reason that the gates would give."""
    return min((one for one in found if one is not None), key=_PRECEDENCE.__getitem__, default=None)


def _invalid(text: str) -> Verdict:
    try:
        parse_address(text)
    except InvalidAddress as error:
        return Verdict(text, INVALID, error.reason)
    return Verdict(text)
