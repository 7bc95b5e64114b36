"""`MailchimpEsp`: the ports, put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Final

from lifecycle_mail_http import Transport

from lifecycle_mail.model.contacts import Contact, FieldType
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import CampaignKey, ContactId, ListKey
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.ports import (
    FULL,
    Ability,
    Bindings,
    Capabilities,
    Capability,
    Change,
    Content,
    Delivery,
    Handled,
    Heard,
    Kept,
    Shown,
    not_implemented,
    unsupported,
)
from lifecycle_mail_mailchimp.account import AT_ONCE, NAME, Account
from lifecycle_mail_mailchimp.campaigns import Campaigns
from lifecycle_mail_mailchimp.client import CONNECTIONS, MailchimpClient
from lifecycle_mail_mailchimp.contacts import Contacts
from lifecycle_mail_mailchimp.members_said import Audiences
from lifecycle_mail_mailchimp.opt_outs import OptOuts
from lifecycle_mail_mailchimp.reports import Reports
from lifecycle_mail_mailchimp.segments import Segments
from lifecycle_mail_mailchimp.tags import Tags
from lifecycle_mail_mailchimp.topics import Topic
from lifecycle_mail_mailchimp.webhooks import Hook

_OTHER_PRODUCT: Final = "Mailchimp Transactional is another product, with a key of its own"
_ABILITIES: Final[Mapping[Capability, Ability]] = {
    **dict.fromkeys(Capability, FULL),
    Capability.SINGLE_MAILS: unsupported(_OTHER_PRODUCT),
    Capability.OUTCOMES: unsupported(_OTHER_PRODUCT),
    Capability.SEGMENTS: not_implemented("every segment is computed here, and held there as a list of members"),
}


def _now() -> datetime:
    return datetime.now(UTC)


class MailchimpEsp:
    """Mailchimp, through its official package.

    Args:
        api_key: the key, which ends in the data centre: `...-us6`.
        audience: the id of the audience in which lists are interests.
        own_audiences: lists that are an audience of their own, by key, with its id: who uses Mailchimp's own
            unsubscribe link leaves the whole audience, and so every list that is bound to it (L4).
        interests: lists that are interests already, by key, with the interest's id.
        from_name, reply_to: the sender of every campaign.
        templates: the id of the template of each campaign whose text Mailchimp has, by key.
        webhook_secrets: what the URLs of webhooks end in.
        signing_secrets: what webhooks are signed with, where that is on; Mailchimp makes one for each.
        host: the address of the API, for tests.
        transport: what carries the calls, if it is shared; by default one with 10 connections.
        clock: tells the instant, aware UTC.

    Raises:
        Misconfigured: the key is none, or two lists are the same there.
    """

    CAPABILITIES = Capabilities(_ABILITIES)
    name = NAME
    at_once = AT_ONCE
    connections = CONNECTIONS

    def __init__(
        self,
        api_key: str,
        *,
        audience: str,
        own_audiences: Mapping[str, str] | None = None,
        interests: Mapping[str, str] | None = None,
        from_name: str = "",
        reply_to: str = "",
        templates: Mapping[str, int] | None = None,
        webhook_secrets: str | Iterable[str] = (),
        signing_secrets: str | Iterable[str] = (),
        host: str | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        given = {ListKey(key): Topic(audience, interest) for key, interest in (interests or {}).items()}
        given |= {ListKey(key): Topic(own) for key, own in (own_audiences or {}).items()}
        self.client = MailchimpClient(api_key, host=host, transport=transport)
        self._account = Account(self.client, audience=audience, given=given, clock=clock)
        self._tags = Tags(self._account)
        self._contacts = Contacts(self._account, self._tags)
        self._opt_outs = OptOuts(self._account)
        self._segments = Segments(self._account, self._tags)
        self._reports = Reports(self._account, self._opt_outs)
        self._hook = Hook(secrets=webhook_secrets, signing_secrets=signing_secrets)
        self._campaigns = Campaigns(
            self._account, self._contacts, self._tags, from_name=from_name, reply_to=reply_to,
            templates=templates or {},
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"MailchimpEsp(audience={self._account.audience!r})"

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, and why not the rest."""
        return self.CAPABILITIES

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def keep_in(self, bindings: Bindings) -> None:
        """Keep ids in the registry."""
        self._account.bindings = bindings

    # -- campaigns

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Add recipients to a campaign that is not released."""
        return self._campaigns.stage(campaign, recipients, content=content)

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again."""
        self._campaigns.unstage(campaign, contact_ids)

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is staged."""
        return self._campaigns.staged(campaign)

    def release(self, campaign: CampaignKey) -> None:
        """Send the campaign to all who are staged."""
        self._campaigns.release(campaign)

    def released(self, campaign: CampaignKey) -> bool | None:
        """Tell whether a campaign was released."""
        return self._campaigns.released(campaign)

    # -- noes, tags, forgetting

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        """Tell it of an opt-out."""
        self._opt_outs.suppress(opt_out, contact, at=at)

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        """Yield who is out."""
        return self._opt_outs.opt_outs(since=since, now=now)

    def forget(self, contact: Contact) -> None:
        """Delete somebody for good."""
        self._opt_outs.forget(contact)

    def tag(self, contacts: Sequence[Contact], tag: str, *, present: bool) -> None:
        """Put a tag on contacts or take it off."""
        self._tags.tag(contacts, tag, present=present)

    # -- news

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        """Return what it has to say that was not acknowledged."""
        return self._reports.reports(now=now)

    def acknowledge(self, statements: Sequence[Statement]) -> None:
        """Say that these are stored."""
        self._reports.acknowledge(statements)

    def hear(self, delivery: Delivery, *, now: datetime) -> Heard:
        """Verify and parse one delivery of a webhook."""
        campaigns = {theirs: ours for ours, theirs in self._account.bound("campaign").items()}
        return self._hook.hear(delivery, audiences=Audiences(topics=self._account.topics, campaigns=campaigns), now=now)

    # -- contacts and segments

    def prepare(
        self, fields: Mapping[str, FieldType], lists: Mapping[str, MailingList], *, dry_run: bool
    ) -> Sequence[str]:
        """Make the fields and topics that it lacks."""
        return self._contacts.prepare(fields, lists, dry_run=dry_run)

    def kept(self) -> Iterator[Sequence[Kept]] | None:
        """Yield all that it holds, a page at a time."""
        return self._contacts.kept()

    @property
    def places(self) -> Mapping[str, Set[ListKey]]:
        """Its audiences, with the lists that are in each."""
        return self._contacts.places

    def digest(self, shown: Shown, place: str) -> int:
        """Return the hash of a contact who looks just like this."""
        return self._contacts.digest(shown, place)

    def lane(self, change: Change) -> Hashable:
        """Return what changes have in common that go into one call."""
        return self._contacts.lane(change)

    def show(self, changes: Sequence[Change]) -> Handled:
        """Tell it of changes of one lane."""
        return self._contacts.show(changes)

    def fill_segment(self, segment: Segment, members: Iterable[Contact]) -> Handled:
        """Let just these be in a segment."""
        return self._segments.fill_segment(segment, members)

    def segment_count(self, segment: Segment) -> int | None:
        """Count who is in a segment."""
        return self._segments.segment_count(segment)
