"""Mails one by one: the claim's commit is the hand-off."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from lifecycle_mail.errors import (
    EspError,
    EspUnavailable,
    InvalidInput,
    InvalidTemplate,
    MailRefused,
    OutcomeUnknown,
)
from lifecycle_mail.mails import PersonalReply
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import OPEN_STATES, ClaimState, Content, SendsMails
from lifecycle_mail.service.handoff import SendReport, spent
from lifecycle_mail.service.sending.base import Worker
from lifecycle_mail.service.sending.writing import Writer, content_for

BROKEN = 5
"""How many mails in a row may fail by their template before it is taken to be broken for everybody."""


class Singles(Worker):
    """Sends a plan as mails one by one."""

    def hand_over(self, content: Content | Writer | None) -> SendReport:
        """Claim, send and settle one after the other."""
        esp = cast(SendsMails, self.esp)
        sent: set[ContactId] = set()
        unknown: set[ContactId] = set()
        problem: EspError | None = None
        self._doubt_open()
        already = spent(self.read(lambda: self.store.claims(self.key)))
        broken = 0
        for contact_id in self.ids:
            self.require(self.lease.keep())
            passing, free = self._claim(contact_id, already)
            if not free:
                self.note_taken(passing)
                continue
            state = ClaimState.HANDED_OFF
            try:
                written = content_for(content, passing[0], self.campaign)
            except BaseException as error:
                self.settle([contact_id], ClaimState.RETURNED)
                broken = broken + 1 if isinstance(error, InvalidTemplate) else 0
                if broken == BROKEN or not isinstance(error, InvalidInput | MailRefused):
                    error.add_note(f"while the mail of contact {contact_id!r} was written")
                    raise
                self.unwritten[contact_id] = error
                continue
            broken = 0
            if isinstance(written, PersonalReply):
                self.settle([contact_id], ClaimState.RETURNED)
                self.replies[contact_id] = written
                continue
            try:
                esp.send(passing[0], content=written)
            except OutcomeUnknown:
                state = ClaimState.UNKNOWN
                unknown.add(contact_id)
            except EspUnavailable as error:
                state, problem = ClaimState.RETURNED, error
            except EspError as error:
                state = ClaimState.REFUSED
                self.refused[contact_id] = error
            else:
                sent.add(contact_id)
            if state in (ClaimState.HANDED_OFF, ClaimState.UNKNOWN):
                self.left([contact_id], state, after=passing[0].position)
            else:
                self.settle([contact_id], state)
            if problem is not None:
                break
        return self.report(sent=sent, unknown=unknown, problem=problem)

    def _claim(self, contact_id: ContactId, already: Collection[ContactId]) -> tuple[list[Screened], set[ContactId]]:
        tried: list[Screened] = []

        def claim() -> tuple[list[Screened], set[ContactId]]:
            # Claimed by who has the campaign, or by nobody: what another finds claimed it may take for left behind.
            self.require(self.lease.holds())
            passing = self.passing([contact_id], already)
            ours = bool(tried) and self._is_ours(contact_id)
            tried.extend(passing)
            if ours and passing:
                return passing, {contact_id}
            if ours:  # withheld since
                self.store.settle(self.key, [contact_id], ClaimState.RETURNED, at=self.now)
            return passing, set(self.store.claim(passing, at=self.now))

        passing, free = self.once(claim)
        if len(tried) > 1:  # the tries took their time
            self.require(self.lease.keep())
        return passing, free

    def _is_ours(self, contact_id: ContactId) -> bool:
        """Whether a try of ours whose answer was lost has claimed somebody: nothing has left for them yet."""
        claim = self.store.claims(self.key, [contact_id]).get(contact_id)
        return claim is not None and (claim.state, claim.at) == (ClaimState.CLAIMED, self.now)

    def _doubt_open(self) -> None:
        """What an interrupted run had claimed it may have sent: it is unknown, and in flight against a later no."""
        claims = self.read(lambda: self.store.claims(self.key))
        self.left([one for one, claim in claims.items() if claim.state in OPEN_STATES], ClaimState.UNKNOWN, after=None)
