"""`Lifecycle`, the part that sends."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from lifecycle_mail.errors import CampaignRefused, EspError
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.planning import Plan
from lifecycle_mail.ports import Content
from lifecycle_mail.service import sweeping
from lifecycle_mail.service.facade.base import Base
from lifecycle_mail.service.handoff import SendReport, reconcile
from lifecycle_mail.service.sending import send
from lifecycle_mail.service.sending.writing import Writer


class Sending(Base):
    """Hands plans over to the ESP."""

    def send(self, plan: Plan, *, now: datetime, content: Content | Writer | None = None) -> SendReport:
        """Hand a plan over to the ESP. Everybody is screened again from the log as it is now.

        May be called again after an interruption: nobody gets the campaign twice. An ESP that can list who is out
        is swept first, unless this `Lifecycle` swept less than `sweep_every` ago: an old backup may have been
        restored (F13). Where that fails nothing is sent, and the report says why.

        Args:
            plan: what `plan` returned.
            now: the instant of sending.
            content: what the mail says, where the ESP does not hold it; or what writes it for each recipient, such as
                `lambda to: renderer.render(..., now=now)`. Mails that differ leave one by one. For whom none can be
                written is in the report, and may be sent by another call.

        Raises:
            RegistryUnavailable: the log cannot be read; nothing that it had not been read for was sent (F12).
            InvalidTemplate: of a mail that is written for each recipient, several times in a row; who got theirs before
                has it.
            CampaignRefused: another worker is sending it, or sweeping, or it was released before.
        """
        now = as_utc(now)
        if self._again(lambda: sweeping.is_due(self.store, self.esp, self._swept, every=self._sweep_every, now=now)):
            try:
                swept = self._sweep(now=now)
            except EspError as error:
                return SendReport(campaign=plan.campaign.key, returned=plan.sendable, problem=error)
            if swept is None:
                raise CampaignRefused(f"another worker is sweeping {self.esp.name}: call again when it is done")
        if self._swept is not None:
            self._swept = evolve(self._swept, position=self._again(self.store.position))
        return send(
            plan, reader=self._reader, esp=self.esp, policy=self.programme.policy, now=now, ticks=self._ticks,
            wait=self._wait, receive=lambda said: self._receive(said, now=now), content=content,
        )  # fmt: skip

    def reconcile(self, campaign: Campaign | str, *, now: datetime) -> dict[str, int]:
        """Ask the ESP about mails whose outcome is unknown; what it cannot tell stays unknown (F22).

        Returns:
            How many of these mails were handed off, how many were not (`returned`) and may be sent by the next call,
            and how many are `unknown` still.

        Raises:
            CampaignRefused: a worker is sending the campaign.
        """
        found = self.programme.campaign(campaign)
        return reconcile(self.store, self.esp, found, clock=self._clock(as_utc(now)), wait=self._wait)
