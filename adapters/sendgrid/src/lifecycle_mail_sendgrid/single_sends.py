"""Campaigns as SendGrid's single sends: recipients are staged in a contact list, and the send goes to that alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from lifecycle_mail.errors import EspError, EspRefused, EspUnavailable, Unscreened
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Content, Handled
from lifecycle_mail_sendgrid.account import CONTACT_FIELD, NAME, OWN, Account, written
from lifecycle_mail_sendgrid.contacts import Contacts

IN_DOUBT: Final = timedelta(minutes=5)
"""How long a release whose answer was lost may still show."""


class SingleSends:
    """The port `SendsCampaigns`.

    Args:
        account: the account.
        contacts: who tells of contacts.
        sender_id: the id of the verified sender of every campaign.
    """

    def __init__(self, account: Account, contacts: Contacts, *, sender_id: int | None) -> None:
        self._account = account
        self._contacts = contacts
        self._sender_id = sender_id

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        """Add recipients to the contact list of a campaign that is not released."""
        for one in recipients:
            if not isinstance(one, Screened):
                raise Unscreened("a send port takes only what the screen made: plan a campaign and send the plan")
            if one.campaign != campaign:
                raise Unscreened(f"screened for campaign {one.campaign!r}, not for {campaign!r}")
        if self._status(campaign) not in (None, "draft"):
            raise _refused("stage", "the campaign was released before", "make a new campaign")
        group = self._group(campaign, recipients)
        field = self._contacts.require_contact_field()
        list_id = self._list(campaign)
        self._write(campaign, list_id, group, content)
        rows = {
            written(one.address): {"email": written(one.address), "custom_fields": {field: one.contact_id}}
            for one in recipients
        }
        refused = self._contacts.put("stage", rows, [list_id])
        by_id: dict[ContactId, EspError] = {
            one.contact_id: refused[written(one.address)] for one in recipients if written(one.address) in refused
        }
        return Handled(accepted={one.contact_id for one in recipients} - by_id.keys(), refused=by_id)

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again."""
        list_id = self._account.bound("staging").get(campaign)
        if list_id is None or not contact_ids:
            return
        gone = set(contact_ids)
        found = [str(row["contact_id"]) for row in self._rows(list_id) if _whose(row) in gone]
        self._account.take_off("unstage", list_id, found)

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is on the list."""
        list_id = self._account.bound("staging").get(campaign)
        return set() if list_id is None else {_whose(row) for row in self._rows(list_id)}

    def release(self, campaign: CampaignKey) -> None:
        """Let SendGrid send the campaign."""
        status = self._status(campaign)
        if status is None:
            raise _refused("release", "there is no such campaign", "stage it with content")
        if status != "draft":
            raise _refused("release", "the campaign was released before", "make a new campaign")
        self._account.bind("releasing", campaign, self._account.clock().isoformat())
        schedule = self._account.client.marketing.singlesends._(self._account.bound("campaign")[campaign]).schedule
        try:
            self._account.ask("release", schedule.put, repeatable=False, request_body={"send_at": "now"})
        except (EspRefused, EspUnavailable):  # not done, and no doubt about it
            self._account.bind("releasing", campaign, "")
            raise

    def released(self, campaign: CampaignKey) -> bool | None:
        """Tell by its status; a while after a release without an answer nobody can tell."""
        status = self._status(campaign)
        if status not in (None, "draft"):
            return True
        tried = self._account.bound("releasing").get(campaign)
        if tried and self._account.clock() < datetime.fromisoformat(tried) + IN_DOUBT:
            return None
        return False

    # -- what there is at SendGrid

    def _rows(self, list_id: str) -> Sequence[Mapping[str, Any]]:
        return list(self._account.exported("read a list", [list_id]))

    def _status(self, campaign: CampaignKey) -> str | None:
        theirs = self._account.bound("campaign").get(campaign)
        if theirs is None:
            return None
        try:
            single = self._account.client.marketing.singlesends._(theirs)
            return str(self._account.ask("read a campaign", single.get)["status"])
        except EspRefused as error:
            if error.status == 404:
                return None
            raise

    def _group(self, campaign: CampaignKey, recipients: Sequence[Screened]) -> int | None:
        topics = self._account.topics
        groups = {topics.of(one.leaves_list).group for one in recipients if one.leaves_list is not None}
        kept = self._account.bound("leaves").get(campaign)
        if kept:
            groups.add(int(kept))
        if len(groups) > 1:
            raise _refused(
                "stage", "its recipients would leave several lists, and a single send has one unsubscribe group",
                "make a campaign for each list, or send the mails one by one",
            )  # fmt: skip
        group = next(iter(groups), None)
        if group is not None:
            self._account.bind("leaves", campaign, str(group))
        return group

    def _list(self, campaign: CampaignKey) -> str:
        known = self._account.bound("staging").get(campaign)
        if known is None:
            known = self._account.contact_list("stage", f"{OWN} {campaign}")
            self._account.bind("staging", campaign, known)
        return known

    def _write(self, campaign: CampaignKey, list_id: str, group: int | None, content: Content | None) -> None:
        """Make the single send, or bring it up to date."""
        name = f"{OWN} {campaign}"[:100]
        body: dict[str, Any] = {"name": name, "send_to": {"list_ids": [list_id]}, "categories": [str(campaign)[:255]]}
        if content is not None:
            body["email_config"] = {
                "subject": content.subject,
                "html_content": content.html or f"<pre>{_escaped(content.text)}</pre>",
                "plain_content": content.text,
                "generate_plain_content": False,
                "sender_id": self._sender_id,
                **({} if group is None else {"suppression_group_id": group}),
            }
        sends = self._account.client.marketing.singlesends
        theirs = self._account.bound("campaign").get(campaign) or self._named(name)
        if theirs is None:
            theirs = str(self._account.ask("make a campaign", sends.post, request_body=body)["id"])
            self._account.bind("campaign", campaign, theirs)
            return
        self._account.bind("campaign", campaign, theirs)
        if content is not None:
            self._account.ask("write a campaign", sends._(theirs).patch, repeatable=True, request_body=body)

    def _named(self, name: str) -> str | None:
        """Find a single send whose id was lost with the answer that told it."""
        search = self._account.client.marketing.singlesends.search
        body = {"name": name, "status": ["draft"]}
        found = self._account.ask("find a campaign", search.post, repeatable=True, request_body=body)
        return next((str(row["id"]) for row in found["result"] if row["name"] == name), None)


def _whose(row: Mapping[str, Any]) -> ContactId:
    return ContactId(str(row.get(CONTACT_FIELD) or f"{NAME}:{row['contact_id']}"))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _refused(operation: str, body: str, fix: str) -> EspRefused:
    return EspRefused(esp=NAME, operation=operation, status=400, body=body, fix=fix)
