"""What the service needs of an e-mail service provider."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from lifecycle_mail.errors import EspError
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports.capabilities import Capabilities


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
        refused: whom it did not take, with the error of each; only what is not `retryable` is for good.
        heard: what its answers say of people, beside that: somebody is out, or was forgotten there (F27, F28).
    """

    accepted: Set[ContactId] = frozenset()
    refused: Mapping[ContactId, EspError] = field(factory=dict)
    heard: tuple[Statement, ...] = ()


@runtime_checkable
class Esp(Protocol):
    """What every ESP has."""

    @property
    def name(self) -> str:
        """The source that its reports are filed under."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, and why not the rest."""
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
        """Tell whether a mail whose outcome is unknown left after all; None where the ESP cannot tell yet.

        False is a promise: a call that timed out will not be carried out any more.
        """
        ...


@runtime_checkable
class SendsCampaigns(Esp, Protocol):
    """An ESP that sends a campaign itself, to recipients staged before. `release` is the hand-off."""

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Add recipients to a campaign that is not released. Staging somebody twice stages them once.

        Raises:
            EspRefused: none of them was added.
            EspUnavailable, OutcomeUnknown: some may have been. They are taken out before anything else is done.
        """
        ...

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again, those among them that are in. Once it returns, none of them is in.

        Of a campaign that it does not know, or not any more, nobody is: there is nothing to do, and no error.
        """
        ...

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is staged."""
        ...

    def release(self, campaign: CampaignKey) -> None:
        """Send the campaign to all who are staged."""
        ...

    def released(self, campaign: CampaignKey) -> bool | None:
        """Tell whether a campaign was released; None where the ESP cannot tell yet.

        False is a promise: an earlier call of `release` whose answer was lost will not be carried out any more. So it
        is of a campaign that the ESP does not know, or not any more.
        """
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


@runtime_checkable
class ListsOptOuts(Esp, Protocol):
    """An ESP that can be asked who is out, for whatever reason, beside the news that it sends."""

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        """Yield who is out: noes, dead addresses, complaints; those that changed since an instant, or all.

        What was read before may come again: statements carry what makes them the same (see `model.entries`).
        """
        ...


@runtime_checkable
class Forgets(Esp, Protocol):
    """An ESP that can remove somebody's data for good (O5)."""

    def forget(self, contact: Contact) -> None:
        """Remove it. Forgetting somebody unknown changes nothing."""
        ...
