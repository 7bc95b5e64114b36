"""`Lifecycle`, the part about leaving the active records: archive and erase (O5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.names import one_of
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Capability
from lifecycle_mail.service.archiving import Archived, Archiver
from lifecycle_mail.service.facade.base import Base
from lifecycle_mail.service.forgetting import Erased, Forgetter
from lifecycle_mail.service.outbox import post_pictures
from lifecycle_mail.service.telling_esp import EspTeller


class Forgetting(Base):
    """Takes people out of the active records."""

    def erase(self, who: str, *, by: Actor, now: datetime, text: str = "") -> Erased:
        """Erase somebody for good: personal data goes wherever it was written, and keyed hashes keep them unmailed.

        The ESP and the CRM are told first; an ESP that cannot erase is told of the noes that are due. May be called
        again after an error, and of somebody who was erased before.

        Args:
            who: a contact's id or address, an archived one too; or an address that no contact has.
            by: who asked for it.
            now: when.
            text: why; it is not kept.

        Raises:
            Misconfigured: the store has no pepper, or they may be staged for a campaign at another ESP than this one;
                nobody was told anything.
            UnknownName: nobody goes by it.
            AmbiguousAddress: several contacts have the address: erase the one by its id.
            CampaignRefused: a campaign is being sent that they may be among: call again when it is done.
            EspError: the ESP or the CRM did not do it; nothing was erased here.
        """
        now = as_utc(now)
        forgetter = Forgetter(
            self._reader, esp=self.esp, crm=self.crm, teller=self._esp_teller(now=now), new_id=self._new_id,
            clock=self._clock(now), wait=self._wait,
        )  # fmt: skip
        return forgetter.erase(who, _said(by, now, text), now=now)

    def _esp_teller(self, *, now: datetime) -> EspTeller | None:
        if Capability.OPT_OUTS not in self.esp.capabilities:
            return None
        return EspTeller(self.esp, self._reader, clock=self._clock(now), wait=self._wait, new_id=self._new_id)

    def archive(
        self, who: str, *, by: Actor, now: datetime, text: str, keep: Callable[[Archived], object] | None = None
    ) -> Archived:
        """Take a contact out of the active records: export them, remove them, and keep them suppressed.

        Args:
            who: a contact's id or address.
            by, text: who did it, and why.
            now: when.
            keep: called with what is returned, before any of it is gone: writes the document where it is safe. Where
                it raises, nobody is archived; where the store was busy, it is called again.

        Raises:
            UnknownName: nobody goes by it; somebody who is archived, for one.
            AmbiguousAddress: several contacts have the address.
        """
        now, contact_id = as_utc(now), self.contact(who).id
        said = _said(by, now, text)
        tried: list[Archived] = []

        def take_out() -> Archived:
            done = Archiver(self._consents).archive(contact_id, said, now=now, tried=tried)
            if not any(done is one for one in tried):  # else the try before has kept it
                tried.append(done)
                if keep is not None:
                    keep(done)
            return done

        return self._once(take_out)

    def restore(self, document: Mapping[str, Any], *, by: Actor, now: datetime, text: str = "") -> Contact:
        """Bring a contact back from the document that `archive` returned, and end the archive.

        What was imported about them meanwhile counts before what the document says. A no that stood still stands.

        Args:
            document: as it was returned, or read from JSON.
            by, text: an operator, with the reason, or the contact.
            now: when.

        Raises:
            InvalidDocument: it is not whole, with every problem.
            ConsentRefused: they were erased.
            LiftRefused: this actor may not end an archive, or the reason is missing.
        """
        now = as_utc(now)
        said = _said(by, now, text)

        def bring_back() -> Contact:
            contact = Archiver(self._consents).restore(document, said, now=now)
            post_pictures(self.store, self.crm, [contact.id], now=now)
            return contact

        return self._once(bring_back)


def _said(by: Actor, now: datetime, text: str) -> Provenance:
    return Provenance(actor=one_of(Actor, by, "by"), through=Through.APPLICATION, at=now, text=text)
