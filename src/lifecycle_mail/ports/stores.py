"""What the service needs of a store: the consent log, contacts, engagement, answers, and forgetting.

A store that cannot be read raises `RegistryUnavailable`, and then nothing is sent (F12).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from lifecycle_mail.errors import Problem
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.answers import Answer, Question
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Entry, Record, Suppression, SuppressionKind
from lifecycle_mail.model.events import EngagementEvent, Evidence
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.ports.claims import Claims, Leases
from lifecycle_mail.ports.outbox import Bindings, Bookmarks, Outbox


@frozen(kw_only=True, cache_hash=True)
class Marks:
    """What the log holds against one address, as far as it simply adds up.

    Attributes:
        noes: the scopes of every opt-out that names the address.
        suppressions: the kinds of every suppression that names it, pauses left out.
        read: whether only a reading of the log tells what stands: somebody at the address came back, was lifted,
            paused, or has more than this one address.
    """

    noes: frozenset[Scope] = frozenset()
    suppressions: frozenset[SuppressionKind] = frozenset()
    read: bool = False


class ConsentLog(Protocol):
    """The append-only log of consent. Only an erasure ever changes what is in it, and then only whom it names."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        """Write what the log does not hold yet, durably and in order, and return the new records.

        An entry is held where one of its id names the same subject: of the rest, the first that came counts.
        """
        ...

    def position(self) -> int:
        """Return the sequence number of the latest record; 0 for an empty log."""
        ...

    def position_at(self, instant: datetime) -> int:
        """Return the sequence number of the last record that was recorded at or before an instant (O10)."""
        ...

    def records(self, *, after: int = 0, until: int | None = None) -> Iterator[Record]:
        """Yield records in order, those with `after < seq <= until`; writes in between do not upset it."""
        ...

    def record(self, entry_id: EntryId) -> Record | None:
        """Find a record by the id of its entry."""
        ...

    def about(
        self, whom: Mapping[ContactId, Collection[MatchKey]], *, until: int | None = None
    ) -> Mapping[ContactId, Sequence[Entry]]:
        """Return for each contact every entry that names them, one of these keys, or a key they used to have.

        The entries of a contact come in the order of the log. What an erasure left under the keyed hash of a key is
        returned under the key that was asked for.
        """
        ...

    def marks(self, keys: Collection[MatchKey]) -> Mapping[MatchKey, Marks]:
        """Return what is held against each of many addresses, those with nothing left out.

        For cleaning a million addresses at once: no reading of the log, one answer from what is kept beside it. What
        an erasure left counts for the address that was erased.
        """
        ...

    def ask_marks(self, keys: Collection[MatchKey]) -> AskedMarks | None:
        """Ask for `marks` ahead, where a server can work on it meanwhile; None where nothing would be gained."""
        ...


class AskedMarks(Protocol):
    """Marks that were asked for ahead. Whoever gets no answer asks for `marks`, which tells what is wrong."""

    def answer(self) -> Mapping[MatchKey, Marks] | None:
        """Wait for the answer, and return it once; None where there is none, or this store has written meanwhile."""
        ...

    def close(self) -> None:
        """Give it up, if it was not answered."""
        ...


class Contacts(Protocol):
    """The people an application knows, and the lists it has."""

    def get(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Contact]:
        """Return those contacts that exist."""
        ...

    def put(self, contacts: Sequence[Contact]) -> None:
        """Write contacts, new or changed."""
        ...

    def remove(self, contact_ids: Collection[ContactId]) -> None:
        """Take contacts out of the active records; the log stays (O5).

        Their profiles and events go with them, those in quarantine too; the ids of events stay seen. What they answered
        stays, and goes on being counted.
        """
        ...

    def find(self, identity: str) -> Sequence[ContactId]:
        """Return who has this address (`EmailAddress.identity`), sorted."""
        ...

    def each(self) -> Iterator[Contact]:
        """Yield every contact, in order of id; writes in between do not upset it."""
        ...

    def members(self, lists: Collection[ListKey]) -> Iterator[Contact]:
        """Yield, in order of id, every contact about whom a consent or a request for one of these lists is in the log.

        That is the audience of a campaign before any gate, found without reading everybody.
        """
        ...

    def count(self) -> int:
        """Return how many contacts there are."""
        ...

    def put_lists(self, lists: Sequence[MailingList]) -> None:
        """Write the lists that the application has, new or changed."""
        ...

    def lists(self) -> Mapping[ListKey, MailingList]:
        """Return the lists that were written."""
        ...


@frozen(kw_only=True)
class Tally:
    """How often something happened, with nobody's name in it (O6).

    Attributes:
        day: the UTC day.
        campaign: the campaign of the events, or empty.
        provider: the mailbox provider that the contact had when the event came (`provider_of`), or empty.
        mark: what happened (`profiles.marks_of`): sent, delivered, opened, machine-opened ...
        count: how often.
    """

    day: date
    campaign: str
    provider: str
    mark: str
    count: int


class Engagement(Protocol):
    """Events behind their door, the profiles folded from them, and the days they are counted by."""

    def admit(self, events: Sequence[EngagementEvent]) -> Sequence[EngagementEvent]:
        """Keep the events whose ids were never seen, for good, and return those. Counts them by day."""
        ...

    def events_of(self, contact_id: ContactId) -> Sequence[EngagementEvent]:
        """Return all events of a contact, in no particular order."""
        ...

    def unseen(self, mails: Mapping[ContactId, Collection[str]]) -> Mapping[ContactId, Collection[str]]:
        """Return which of these mails of each contact no event speaks of; asked before they are admitted."""
        ...

    def reclassify(self, evidence: Mapping[EntryId, Evidence]) -> Collection[ContactId]:
        """Note who really did what these events tell, where it differs; return whose must be recounted.

        The days are counted anew with it; profiles are the service's to recount.
        """
        ...

    def tally(self, *, since: date | None = None) -> Iterator[Tally]:
        """Yield the counts by day, campaign, provider and mark, in that order, from a day on."""
        ...

    def profiles(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, EngagementProfile]:
        """Return the profiles that exist."""
        ...

    def save(self, profiles: Sequence[EngagementProfile]) -> None:
        """Write profiles, new or changed."""
        ...

    def quarantine(self, events: Sequence[EngagementEvent], *, at: datetime) -> None:
        """Set aside events from the future, which nothing counts."""
        ...

    def quarantined(self) -> Sequence[EngagementEvent]:
        """Return the events that were set aside, in order of id."""
        ...


class Answers(Protocol):
    """What people answered to the question why (C4). About who was erased it lets nothing in."""

    def put_answers(self, answers: Sequence[Answer]) -> None:
        """Write answers. Of those with one id the one stays that `outranks` the others, whichever comes first.

        Raises:
            InvalidInput: one is nobody's; none is written.
        """
        ...

    def answers(
        self, *, question: Question | None = None, since: datetime | None = None, before: datetime | None = None
    ) -> Iterator[Answer]:
        """Yield answers, to one question or to all, with `since <= at < before`, in order of the instant, then the id.

        Those of who was erased are nobody's, and come first within their instant. Writes in between do not upset it.
        """
        ...

    def answers_of(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Sequence[Answer]]:
        """Return what these contacts answered, in the same order; who has answered nothing is left out."""
        ...


@frozen(kw_only=True)
class SetAside:
    """A suppression that a breaker kept out of the log until a person decides (F66).

    Attributes:
        entry: what would have been written.
        why: why it was not.
        at: when it came.
    """

    entry: Suppression
    why: str
    at: datetime


class Aside(Protocol):
    """Suppressions that wait for a person's decision."""

    def set_aside(self, entries: Sequence[SetAside]) -> None:
        """Keep them, each once by the id of its entry."""
        ...

    def aside(self) -> Sequence[SetAside]:
        """Return all that wait, in order of the instant, then of the id."""
        ...

    def take_back(self, entry_ids: Collection[EntryId]) -> Sequence[SetAside]:
        """Stop keeping these, and return them."""
        ...


class Erasure(Protocol):
    """Forgetting people for good (O5)."""

    def erase(self, contact_id: ContactId, keys: Collection[MatchKey]) -> None:
        """Remove everything that was written about a contact or under these keys, wherever it was written.

        What stays, under keyed hashes of the id and the keys: that entries of a kind were in the log at a place and
        time, what they bind, which campaign was sent; counts by day; ids of events, hashed; and under no name at all
        what they answered, as `without_person` leaves it. Words, evidence and event ids of entries are gone. From then
        on the id and the keys are found by their hashes alone, and nothing that is written under them makes them
        readable again.

        What was told of them under a keyed hash, as an import of hashes tells it, is theirs, whichever pepper made it,
        and so is what is told under one later. The id and the keys may be such hashes themselves, where nobody knows
        of whom.

        Raises:
            Misconfigured: there is no pepper.
            InvalidInput: a name begins like a keyed hash and is none; under it nothing could be hidden.
        """
        ...

    def erased(self, names: Collection[str]) -> Collection[str]:
        """Return which of these contact ids and match keys, or keyed hashes of such, were erased."""
        ...


@runtime_checkable
class Store(
    ConsentLog, Contacts, Engagement, Answers, Aside, Erasure, Leases, Claims, Outbox, Bookmarks, Bindings, Protocol
):  # fmt: skip
    """Everything the service keeps.

    Calls that read see what is committed, and inside a transaction also what that wrote.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes inside one: all of them or none.

        One transaction at a time writes; reads inside it see nothing that is committed by others meanwhile.

        Raises:
            RegistryBusy: others wrote for too long, or the connection broke: nothing of it is written, or, where it
                broke in the very commit, all of it. The whole may be tried again.
        """
        ...

    def close(self) -> None:
        """Let go of what the store holds open."""
        ...


@runtime_checkable
class InFiles(Protocol):
    """A store that lies in files of its own, which nothing else may be written to."""

    @property
    def files(self) -> Collection[str]:
        """The path of every file that it has or may have, those beside the database among them."""
        ...


@frozen(kw_only=True)
class Checked:
    """What a store found when it looked itself over.

    Attributes:
        problems: what is wrong, each with its place and what to do; none where all is well.
        counted: how much was looked at, by name.
    """

    problems: tuple[Problem, ...] = ()
    counted: Mapping[str, int] = field(factory=dict)


@runtime_checkable
class Maintained(Protocol):
    """A store that outlives the process, and has a schema and files to look after."""

    def upgrade(self) -> tuple[str, str]:
        """Bring the schema to what this version needs, and return the revision before and after."""
        ...

    def check(self) -> Checked:
        """Verify integrity, version, checksums, and what is kept beside the log against the log."""
        ...

    def rebuild(self) -> None:
        """Make anew from the log what is kept beside it."""
        ...

    def scrub(self) -> None:
        """Write anew whatever may still hold, in free space, what was erased (O5)."""
        ...

    def scrub_due(self) -> bool:
        """Whether free space may still hold what was erased."""
        ...

    def stats(self) -> Mapping[str, int | str]:
        """Return how much of what the store holds, by name."""
        ...
