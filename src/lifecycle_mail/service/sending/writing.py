"""What a mail says: one content for all, or written for each recipient at the last moment.

A mail that was written for one recipient is held against what the screen said of them: it goes to the address that was
screened, leaves the list that their link leaves, and is no marketing where only transactional mail was cleared (O2).
"""

from __future__ import annotations

from collections.abc import Callable

from lifecycle_mail.errors import InvalidInput, MailRefused
from lifecycle_mail.mails import Mail, PersonalReply
from lifecycle_mail.mails.specs import ProgrammeSpecification
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Content

Writer = Callable[[Screened], Mail | PersonalReply | Content]
"""Writes the mail of one recipient, or says that a person answers them (C3)."""


def content_for(content: Content | Writer | None, to: Screened, campaign: Campaign) -> Content | PersonalReply | None:
    """Return what one recipient gets.

    Raises:
        MailRefused: what was written is for somebody else, another list or another campaign, or is marketing where the
            campaign is not, or the reverse.
        InvalidInput: what was written is no mail.
    """
    if content is None or isinstance(content, Content):
        return content
    written = content(to)
    if isinstance(written, Content | PersonalReply):
        return written
    if not isinstance(written, Mail):
        raise InvalidInput(
            f"{to.contact_id}: the writer gave a {type(written).__name__}: give a Mail, a PersonalReply or Content"
        )
    if written.to.contact_id != to.contact_id or written.to.address != to.address:
        raise MailRefused(f"{to.contact_id}: a mail to somebody else was written; take `to` from the recipient")
    if written.marketing and not campaign.marketing:
        raise MailRefused(
            f'{written.kind} is marketing, and {campaign.key!r} has kind="transactional", which reaches those who '
            f'opted out (O2): send it with a campaign of kind="marketing"'
        )
    if campaign.marketing and not written.marketing:
        raise MailRefused(
            f'{written.kind} has no way out in it, and {campaign.key!r} has kind="marketing" (O2): send it with a '
            f'campaign of kind="transactional"'
        )
    if isinstance(written.spec, ProgrammeSpecification) and written.spec.campaign != campaign.key:
        raise MailRefused(
            f"{to.contact_id}: the links of the mail say {written.spec.campaign!r}, and this is {campaign.key!r}: take "
            f"`campaign` from the recipient (O3)"
        )
    if isinstance(written.spec, ProgrammeSpecification) and written.spec.listed.key != to.leaves_list:
        raise MailRefused(
            f"{to.contact_id}: the mail would leave {written.spec.listed.key!r}, and the campaign reached them through "
            f"{to.leaves_list!r}: take `listed` from the recipient's `leaves_list` (L3)"
        )
    return Content(subject=written.subject, text=written.text, html=written.html, headers=written.headers)
