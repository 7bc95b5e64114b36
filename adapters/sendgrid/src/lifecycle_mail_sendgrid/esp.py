"""`SendgridEsp`: the ports, put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Final

from lifecycle_mail_http import Transport

from lifecycle_mail.errors import InvalidInput, Misconfigured
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
    versioned,
)
from lifecycle_mail_sendgrid.account import NAME, Account, written
from lifecycle_mail_sendgrid.client import EU, GLOBAL, SendgridClient
from lifecycle_mail_sendgrid.contacts import AT_ONCE, Contacts
from lifecycle_mail_sendgrid.mails import Mails
from lifecycle_mail_sendgrid.segments import Segments
from lifecycle_mail_sendgrid.single_sends import SingleSends
from lifecycle_mail_sendgrid.suppressed import Suppressed
from lifecycle_mail_sendgrid.topics import Topic
from lifecycle_mail_sendgrid.webhooks import Hook

CONNECTIONS: Final = 3
_REGIONS: Final[Mapping[str, str]] = {"global": GLOBAL, "eu": EU}


def _abilities(*, email_activity: bool) -> Mapping[Capability, Ability]:
    return {
        **dict.fromkeys(Capability, FULL),
        Capability.OUTCOMES: versioned("the Email Activity add-on: email_activity = true", enabled=email_activity),
        Capability.REPORTS: not_implemented("engagement comes by its webhook"),
        Capability.SEGMENTS: not_implemented("every segment is computed here, and held there as a contact list"),
    }


def _now() -> datetime:
    return datetime.now(UTC)


class SendgridEsp:
    """SendGrid, through its official package.

    Args:
        api_key: the key.
        sender: who mails are from: `email`, and `name` if there is one. Needed for mails one by one.
        sender_id: the id of the verified sender of campaigns.
        groups: the id of the unsubscribe group of each list that has one already, by key.
        contact_lists: the id of the contact list of each of these.
        templates: the id (`d-...`) of the dynamic template of each campaign whose text SendGrid has, by key.
        webhook_keys: the public keys that the event webhook is signed with; several while they change.
        email_activity: whether the account has the Email Activity add-on.
        region: `global` or `eu`.
        on_behalf_of: the subuser for whom every call is made.
        host: the address of the API, for tests.
        transport: what carries the calls, if it is shared.
        clock: tells the instant, aware UTC.

    Raises:
        Misconfigured: the key is none, or two lists share a group.
    """

    CAPABILITIES = Capabilities(_abilities(email_activity=False))
    name = NAME
    at_once = AT_ONCE
    connections = CONNECTIONS

    def __init__(
        self,
        api_key: str,
        *,
        sender: Mapping[str, str] | None = None,
        sender_id: int | None = None,
        groups: Mapping[str, int] | None = None,
        contact_lists: Mapping[str, str] | None = None,
        templates: Mapping[str, str] | None = None,
        webhook_keys: str | Iterable[str] = (),
        email_activity: bool = False,
        region: str = "global",
        on_behalf_of: str | None = None,
        host: str | None = None,
        transport: Transport | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        if region not in _REGIONS:
            raise InvalidInput(f"region {region!r}: write one of {', '.join(_REGIONS)}")
        lists = contact_lists or {}
        if unbound := sorted(set(lists) - set(groups or {})):
            raise Misconfigured(f"contact_lists names {', '.join(unbound)}, and groups does not: name both, or neither")
        given = {ListKey(key): Topic(group, lists.get(key, "")) for key, group in (groups or {}).items()}
        self.client = SendgridClient(
            api_key, transport=transport, host=host or _REGIONS[region], on_behalf_of=on_behalf_of
        )
        self._account = Account(self.client, given=given, clock=clock)
        self._abilities = Capabilities(_abilities(email_activity=email_activity))
        self._suppressed = Suppressed(self._account)
        self._contacts = Contacts(self._account, self._suppressed)
        self._segments = Segments(self._account, self._contacts)
        self._single_sends = SingleSends(self._account, self._contacts, sender_id=sender_id)
        self._mails = Mails(
            self._account, sender=sender or {}, templates=templates or {}, email_activity=email_activity
        )
        self._hook = Hook(keys=webhook_keys)

    def __repr__(self) -> str:
        return "SendgridEsp()"

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, and why not the rest."""
        return self._abilities

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def keep_in(self, bindings: Bindings) -> None:
        """Keep ids in the registry."""
        self._account.bindings = bindings

    # -- mails one by one

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Hand one mail over."""
        self._mails.send(recipient, content=content)

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        """Tell whether a mail whose outcome is unknown left after all."""
        return self._mails.was_sent(campaign, contact_id)

    # -- campaigns

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Add recipients to a campaign that is not released."""
        return self._single_sends.stage(campaign, recipients, content=content)

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again."""
        self._single_sends.unstage(campaign, contact_ids)

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is staged."""
        return self._single_sends.staged(campaign)

    def release(self, campaign: CampaignKey) -> None:
        """Send the campaign to all who are staged."""
        self._single_sends.release(campaign)

    def released(self, campaign: CampaignKey) -> bool | None:
        """Tell whether a campaign was released."""
        return self._single_sends.released(campaign)

    # -- noes, tags, forgetting

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        """Tell it of an opt-out."""
        self._suppressed.suppress(opt_out, contact, at=at)

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        """Yield who is out."""
        return self._suppressed.opt_outs(since=since, now=now)

    def forget(self, contact: Contact) -> None:
        """Delete somebody's data for good; that they are suppressed stays."""
        if contact.address is None:
            return
        contacts = self.client.marketing.contacts
        for row in self._contacts.found([written(contact.address)]):
            job = self._account.ask("forget", contacts.delete, repeatable=True, query_params={"ids": row["id"]})
            self._account.finished("forget", str(job["job_id"]))
        body = {"email_addresses": [written(contact.address)]}
        self._account.ask("forget", self.client.recipients.erasejob.post, repeatable=True, request_body=body)

    def tag(self, contacts: Sequence[Contact], tag: str, *, present: bool) -> None:
        """Put a tag on contacts or take it off."""
        addresses = [written(one.address) for one in contacts if one.address is not None]
        self._contacts.tag(addresses, tag, present=present)

    # -- news

    def hear(self, delivery: Delivery, *, now: datetime) -> Heard:
        """Verify and parse one delivery of the event webhook."""
        campaigns = {theirs: ours for ours, theirs in self._account.bound("campaign").items()}
        return self._hook.hear(delivery, topics=self._account.topics, campaigns=campaigns, now=now)

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
