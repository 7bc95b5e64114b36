"""Sending a plan, in the way of the ESP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from lifecycle_mail.errors import CampaignRefused
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.policy.planning import Plan
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.ports import Capability, Content, Esp
from lifecycle_mail.service.handoff import SendReport, leaves_whole
from lifecycle_mail.service.reading import Reader
from lifecycle_mail.service.sending.singles import Singles
from lifecycle_mail.service.sending.whole import Whole
from lifecycle_mail.service.sending.writing import Writer


def send(
    plan: Plan, *, reader: Reader, esp: Esp, policy: Policy, now: datetime, ticks: Callable[[], float],
    wait: Callable[[int], None], receive: Callable[[Sequence[Statement]], object], content: Content | Writer | None,
) -> SendReport:  # fmt: skip
    """Send a plan; see `Lifecycle.send`, and `Worker` for what is given."""
    if not esp.capabilities & {Capability.CAMPAIGNS, Capability.SINGLE_MAILS}:
        raise CampaignRefused(f"{esp.name} can send neither campaigns nor single mails")
    singly = callable(content) and Capability.SINGLE_MAILS in esp.capabilities
    worker = Whole if leaves_whole(esp, plan.campaign) and not singly else Singles
    return worker(
        plan, reader=reader, esp=esp, policy=policy, now=now, ticks=ticks, wait=wait, receive=receive
    ).send(content)  # fmt: skip
