"""Ports: what the service needs of a store and of an ESP, as small Protocols.

An adapter implements one or several of them; the conformance suites in `lifecycle_mail.testing` say what each must
hold. A store that cannot be read raises `RegistryUnavailable`, and then nothing is sent (F12). Every instant is an
aware UTC datetime that the caller passes in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from lifecycle_mail.errors import EspError
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Entry, OptOut, Record
from lifecycle_mail.model.events import EngagementEvent
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId, ListKey
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.policy.eligibility import Screened

LARGEST_CHUNK = 5_000
"""How many recipients one claim transaction covers at most."""


# --- stores -----------------------------------------------------------------------------------------------------------


class ConsentLog(Protocol):
    """The append-only log of consent. Nothing is ever changed or removed in it."""

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
        """Yield records in order, those with `after < seq <= until`."""
        ...

    def record(self, entry_id: EntryId) -> Record | None:
        """Find a record by the id of its entry."""
        ...

    def about(
        self, whom: Mapping[ContactId, Collection[MatchKey]], *, until: int | None = None
    ) -> Mapping[ContactId, Sequence[Entry]]:
        """Return for each contact every entry that names them, one of these keys, or a key they used to have.

        The entries of a contact come in the order of the log.
        """
        ...


class Contacts(Protocol):
    """The people an application knows."""

    def get(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Contact]:
        """Return those contacts that exist."""
        ...

    def put(self, contacts: Sequence[Contact]) -> None:
        """Write contacts, new or changed."""
        ...

    def find(self, identity: str) -> Sequence[ContactId]:
        """Return who has this address (`EmailAddress.identity`), sorted."""
        ...

    def each(self) -> Iterator[Contact]:
        """Yield every contact, in order of id."""
        ...


class Engagement(Protocol):
    """Events behind their door, and the profiles folded from them."""

    def admit(self, events: Sequence[EngagementEvent]) -> Sequence[EngagementEvent]:
        """Keep the events whose ids were never seen, for good, and return those."""
        ...

    def events_of(self, contact_id: ContactId) -> Sequence[EngagementEvent]:
        """Return all events of a contact, in no particular order."""
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


class ClaimState(StrEnum):
    """How far a mail of a campaign to one contact has come."""

    CLAIMED = "claimed"
    STAGED = "staged"
    RETURNED = "returned"
    REFUSED = "refused"
    HANDED_OFF = "handed-off"
    UNKNOWN = "unknown"


OPEN_STATES = frozenset({ClaimState.CLAIMED, ClaimState.STAGED})
"""States of a send that is under way or was interrupted."""
SPENT_STATES = frozenset({ClaimState.HANDED_OFF, ClaimState.UNKNOWN, ClaimState.REFUSED})
"""States after which nobody sends that campaign to that contact again."""


@frozen(kw_only=True)
class Claim:
    """One campaign's mail to one contact, which exists at most once.

    Attributes:
        campaign, contact_id: what it is.
        state: how far it has come.
        leaves_list: the list that the unsubscribe link in it leaves.
        address: whose inbox it goes to (`EmailAddress.identity`): one campaign goes there once, whoever it names.
        position: the log's sequence number up to which opt-outs were read for it.
        at: when it came to that state.
        opted_out_at: when the person said no after hand-off: the mail was in flight (F18).
    """

    campaign: CampaignKey
    contact_id: ContactId
    state: ClaimState
    leaves_list: ListKey | None
    address: str
    position: int
    at: datetime
    opted_out_at: datetime | None = None


class Claims(Protocol):
    """Who was sent what, however many workers there are (F19).

    At most one mail for each campaign and contact, and of marketing at most one for each campaign and address.
    """

    def begin(self, campaign: CampaignKey, worker: str, *, at: datetime, until: datetime) -> bool:
        """Take the campaign for one worker until an instant; False where another has it."""
        ...

    def finish(self, campaign: CampaignKey, worker: str) -> None:
        """Give the campaign back."""
        ...

    def claim(self, recipients: Sequence[Screened], *, at: datetime) -> Collection[ContactId]:
        """Claim a chunk in one transaction and return those that were free: never claimed, or returned.

        Of marketing, which leaves a list, nobody is free whose address another contact's claim of that campaign holds,
        or that comes twice in the chunk.
        """
        ...

    def settle(
        self, campaign: CampaignKey, contact_ids: Collection[ContactId], state: ClaimState, *, at: datetime
    ) -> None:
        """Move claims to a state."""
        ...

    def claims(self, campaign: CampaignKey) -> Mapping[ContactId, Claim]:
        """Return every claim of a campaign."""
        ...

    def claims_of(self, contact_id: ContactId) -> Sequence[Claim]:
        """Return every claim of a contact, oldest first."""
        ...

    def mark_in_flight(
        self, contact_id: ContactId, campaigns: Collection[CampaignKey], *, opted_out_at: datetime
    ) -> None:
        """Note that the person said no after hand-off; the earliest no stays."""
        ...


@runtime_checkable
class Store(ConsentLog, Contacts, Engagement, Claims, Protocol):
    """Everything the service keeps."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make the writes inside one: all of them or none."""
        ...

    def close(self) -> None:
        """Let go of what the store holds open."""
        ...


# --- ESPs -------------------------------------------------------------------------------------------------------------


class Capability(StrEnum):
    """What an ESP can do; asked before anything is sent (E1)."""

    CAMPAIGNS = "campaigns"
    SINGLE_MAILS = "single-mails"
    OPT_OUTS = "opt-outs"
    TAGS = "tags"


@frozen(kw_only=True)
class Content:
    """What a mail says, where the ESP does not hold it already.

    Attributes:
        subject, text, html: the mail.
        headers: further headers, by name.
    """

    subject: str
    text: str
    html: str = ""
    headers: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Handled:
    """What an ESP did with a chunk of recipients.

    Attributes:
        accepted: whom it took.
        refused: whom it refused for good, with the error of each.
    """

    accepted: Set[ContactId] = frozenset()
    refused: Mapping[ContactId, EspError] = field(factory=dict)


@runtime_checkable
class Esp(Protocol):
    """What every ESP has."""

    @property
    def name(self) -> str:
        """The source that its reports are filed under."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        ...


@runtime_checkable
class SendsMails(Esp, Protocol):
    """An ESP that takes mails one by one. The call is the hand-off."""

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Hand one mail over.

        Raises:
            EspRefused: never repeat.
            EspUnavailable: not done.
            OutcomeUnknown: perhaps done.
        """
        ...

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        """Tell whether a mail whose outcome is unknown left after all; None where the ESP cannot tell yet."""
        ...


@runtime_checkable
class SendsCampaigns(Esp, Protocol):
    """An ESP that sends a campaign itself, to recipients staged before. `release` is the hand-off."""

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Add recipients to a campaign that is not released. Staging somebody twice stages them once."""
        ...

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again."""
        ...

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is staged."""
        ...

    def release(self, campaign: CampaignKey) -> None:
        """Send the campaign to all who are staged."""
        ...

    def released(self, campaign: CampaignKey) -> bool:
        """Tell whether a campaign was released."""
        ...


@runtime_checkable
class TakesOptOuts(Esp, Protocol):
    """An ESP that keeps its own suppression list, so that its other senders respect ours."""

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        """Tell it of an opt-out, at this instant. It may report the same back; that is an echo."""
        ...


@runtime_checkable
class TagsContacts(Esp, Protocol):
    """An ESP whose contacts carry tags that it can filter by."""

    def tag(self, contacts: Sequence[Contact], tag: str, *, present: bool) -> None:
        """Put a tag on contacts or take it off. Repeating it changes nothing."""
        ...


@runtime_checkable
class Reports(Esp, Protocol):
    """An ESP whose news can be fetched."""

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        """Return what it has to say that was not acknowledged, in any order; some of it perhaps again."""
        ...

    def acknowledge(self, statements: Sequence[Statement]) -> None:
        """Say that these are stored, so that they need not be told again."""
        ...
