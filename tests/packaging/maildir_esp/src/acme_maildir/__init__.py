"""An ESP that puts mails into a folder, one file each, and keeps a list of who is out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

from lifecycle_mail.errors import EspRefused, Unscreened
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import FULL, Ability, Capabilities, Capability, Content, not_implemented, unsupported

_ABILITIES: dict[Capability, Ability] = {
    **dict.fromkeys(Capability, unsupported("a folder keeps mails, and nothing else")),
    **dict.fromkeys((Capability.SINGLE_MAILS, Capability.OUTCOMES, Capability.OPT_OUTS, Capability.OPT_OUT_LIST), FULL),
    Capability.ERASURE: not_implemented("delete their mails by hand"),
}


class MaildirEsp:
    """Sends into a folder.

    Args:
        folder: where mails are written, and `out.jsonl` with who is out.
        blocked: addresses that it refuses.
    """

    CAPABILITIES = Capabilities(_ABILITIES)
    name = "maildir"

    def __init__(self, *, folder: str, blocked: Iterable[str] = ()) -> None:
        self.folder = Path(folder)
        self.blocked = {one.casefold() for one in blocked}
        self._out = self.folder / "out.jsonl"

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, and why not the rest."""
        return self.CAPABILITIES

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Write one mail."""
        if not isinstance(recipient, Screened):
            raise Unscreened("a send port takes only what the screen made")
        if str(recipient.address).casefold() in self.blocked:
            raise EspRefused(esp=self.name, operation="send", status=550, body="blocked", fix="remove the block")
        mail = EmailMessage()
        mail["To"] = str(recipient.address)
        mail["Subject"] = content.subject if content else str(recipient.campaign)
        mail.set_content(content.text if content else "")
        path = self.path_of(recipient.campaign, recipient.contact_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(mail))

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        """Look whether the file is there: it is written at once, or not at all."""
        return self.path_of(campaign, contact_id).exists()

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        """Note that somebody is out; noting it again changes nothing."""
        self.put_out(str(contact.address), str(opt_out.scope), at)

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        """Yield who is out."""
        if not self._out.exists():
            return
        for line in self._out.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            at = datetime.fromisoformat(row["at"])
            if at <= now and (since is None or since <= at):
                said = Provenance(actor=Actor.ESP, through=Through.IMPORT, at=at, source=self.name)
                yield Left(
                    who=Who(None, parse_address(row["address"])), scope=Scope.parse(row["scope"]), provenance=said
                )

    def put_out(self, address: str, scope: str, at: datetime) -> None:
        """Write that somebody is out, as whoever has the folder may do by hand."""
        self.folder.mkdir(parents=True, exist_ok=True)
        known = self._out.read_text(encoding="utf-8").splitlines() if self._out.exists() else []
        if not any((row["address"], row["scope"]) == (address, scope) for row in map(json.loads, known)):
            line = json.dumps({"address": address, "scope": scope, "at": at.isoformat()})
            self._out.write_text("\n".join([*known, line]) + "\n", encoding="utf-8")

    def path_of(self, campaign: CampaignKey, contact_id: ContactId) -> Path:
        """Return where a mail lies."""
        return self.folder / campaign / f"{sha256(contact_id.encode()).hexdigest()[:16]}.eml"
