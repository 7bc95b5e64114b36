"""`Lifecycle`, the part about consent: joining, confirming, leaving, pausing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from lifecycle_mail.errors import AmbiguousAddress, InvalidAddress, InvalidInput
from lifecycle_mail.mails.links import LinkPurpose
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.entries import Lift, Standing, Suppression, SuppressionKind
from lifecycle_mail.model.instants import as_utc, optional_utc
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import EntryId, one_of
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.service.causes import OptOutCauses, opt_out_causes
from lifecycle_mail.service.consenting import NeedsConfirmation, OptedOut, Subscribed
from lifecycle_mail.service.facade.base import Base

if TYPE_CHECKING:
    from lifecycle_mail.mails.specs import FreshLink


class Consenting(Base):
    """Records what people say, and what holds them back."""

    def subscribe(
        self, who: str, to: MailingList | str, *, proof: str, now: datetime, contact_id: str | None = None,
        source: str | None = None, standing: Standing = Standing.EXPRESS, basis: str | None = None,
        expires_at: datetime | None = None,
    ) -> Subscribed | NeedsConfirmation:  # fmt: skip
        """Record that a person signed up for a list, by their own act.

        Args:
            who: their address, or the id of a known contact.
            to: the list.
            proof: which form, from where: what shows the consent later (R12).
            now: when.
            contact_id: the application's id, for a new contact.
            source: how they came (organic, contest ...), for a new contact.
            standing: `EXPRESS`, or `IMPLIED` where the law knows that (R10).
            basis: what implied consent follows from, such as `purchase`: `Programme.consent` knows how long that lasts.
            expires_at: when implied consent ends: where the basis does not say, or before it says so, and never later
                (R10).

        Returns:
            `Subscribed`, or `NeedsConfirmation` where a no stands, the list asks for double opt-in, or the address
            was changed by somebody else (O4), and they have not confirmed the list before.

        Raises:
            InvalidAddress, AmbiguousAddress, InvalidInput.
            ConsentRefused: they were erased (O5).
        """
        listed, now, ends = self._list(to), as_utc(now), optional_utc(expires_at)
        self._keep_list(listed)
        return self._again(
            lambda: self._consents.subscribe(
                who, listed, proof=proof, now=now, contact_id=contact_id, source=source,
                standing=standing, basis=basis, expires_at=ends, rules=self.programme.consent,
            )
        )  # fmt: skip

    def confirm(self, token: str, *, now: datetime, evidence: str = "") -> Subscribed:
        """Record that the person confirmed, with the token of `NeedsConfirmation`.

        Only this overrides opt-outs, those that stood when the token was made, for the one list (O4).

        Raises:
            ConsentRefused: the token is not whole, not ours, of another purpose, or older than an age that was set for
                such links (`Links(ages=...)`); always alike (F44).
        """
        now = as_utc(now)
        return self._again(
            lambda: self._consents.confirm(token, now=now, evidence=evidence, lists=self.programme.lists)
        )

    def opt_out(
        self, who: str, *, now: datetime, scope: Scope | None = None, campaign: Campaign | str | None = None,
        through: Through | str = Through.PREFERENCE_PAGE, actor: Actor = Actor.CONTACT,
        reason: OptOutReason | str | None = None, text: str = "", evidence: str = "", event_id: str | None = None,
        source: str = "app",
    ) -> OptedOut:  # fmt: skip
        """Record the person's no. It holds at once, and only they can reverse it (O1-O4).

        It asks for nothing but the address, and holds before any term that a law sets: no fee, no login, ten business
        days in the United States and Canada, five working days in Australia (R8, R9, R11).

        Args:
            who: a contact's id or address; an unknown address is remembered too.
            now: when.
            scope: one list, one channel, or all marketing; left out, it is the list that the campaign's link leaves.
            campaign: the campaign that led to it.
            through, actor: how and who (O3).
            reason, text: why, where they said.
            evidence: what proves it.
            event_id: the source's own id of the event, by which a repeated report is known for one.
            source: the system that says so.

        Returns:
            The entry, and the mails that were handed off before and can no longer be held back (F18). Of somebody who
            was erased nothing is written, and the answer is that of a no that was said before.
        """
        found = None if campaign is None else self._campaign_left(campaign)
        road, now = one_of(Through, through, "through"), as_utc(now)
        why = None if reason is None else one_of(OptOutReason, reason, "reason")
        tried: set[EntryId] = set()
        return self._again(
            lambda: self._consents.opt_out(
                who, scope=scope, campaign=found, through=road, actor=actor, now=now, reason=why, text=text,
                evidence=evidence, event_id=event_id, source=source, declared=self.programme.lists, tried=tried,
            )
        )  # fmt: skip

    def pause(self, who: str, *, until: datetime, now: datetime) -> Suppression:
        """Stop marketing for a while, as the person asked; it resumes by itself (P3)."""
        provenance = Provenance(actor=Actor.CONTACT, through=Through.PREFERENCE_PAGE, at=now)
        return self.suppress(who, SuppressionKind.PAUSE, provenance=provenance, until=until, now=now)

    def suppress(
        self,
        who: str,
        kind: SuppressionKind | str,
        *,
        provenance: Provenance,
        now: datetime,
        until: datetime | None = None,
    ) -> Suppression:
        """Record a reason not to mail that is not the person's no."""
        kind, now = one_of(SuppressionKind, kind, "kind"), as_utc(now)
        return self._once(
            lambda: self._consents.suppress(self._reader.require(who), kind, provenance, now=now, until=until)
        )

    def lift(
        self, who: str, kind: SuppressionKind | str, *, by: Actor, now: datetime, text: str = "", evidence: str = ""
    ) -> Lift:
        """End the suppressions of one kind. `SUPPRESSION_RULES` says who may; nobody lifts an opt-out.

        Raises:
            LiftRefused: this actor may not, or the reason is missing.
            UnknownName: none of that kind is in force.
        """
        provenance = Provenance(actor=by, through=Through.APPLICATION, at=now, text=text, evidence=evidence)
        kind, now = one_of(SuppressionKind, kind, "kind"), as_utc(now)
        tried: list[Lift] = []
        return self._again(
            lambda: self._consents.lift(self._reader.require(who), kind, provenance, now=now, tried=tried)
        )

    def opt_out_causes(self, *, since: datetime | None = None, until: datetime | None = None) -> OptOutCauses:
        """Count opt-outs by the campaign, segment and reason that led to them (O3).

        Reasons are those that were said with the no; `reasons(question="opt-out")` counts what people answer afterwards
        to a goodbye.

        Args:
            since: those alone that were recorded from this instant on.
            until: as of a past instant.
        """
        position = None if until is None else self.store.position_at(as_utc(until))
        return opt_out_causes(self.store.records(until=position), since=optional_utc(since))

    def _campaign_left(self, campaign: Campaign | str) -> Campaign:
        # Links live for 60 days (R9), longer than many a campaign stays in the programme: its claims know the list.
        if isinstance(campaign, str) and campaign not in self.programme.campaigns:
            return Campaign(campaign)
        return self.programme.campaign(campaign)

    def fresh_link(
        self, address: str, *, now: datetime, purpose: LinkPurpose | str = LinkPurpose.UNSUBSCRIBE,
        to: MailingList | str | None = None, locale: str = "en", timezone: str = "UTC",
    ) -> FreshLink | None:  # fmt: skip
        """Say what somebody gets who asks for a fresh link, as theirs is too old or its key was revoked (F47).

        It goes by mail to the address and nowhere else, so that whoever asks for somebody else's gets nothing. The page
        that was asked says the same whatever comes back (R22).

        Args:
            address: as they typed it.
            now: when they asked.
            purpose: `unsubscribe` or `preferences`.
            to: the list to leave, or None for all marketing.
            locale, timezone: of the page, for somebody of whom neither is known; what is none counts as not given.

        Returns:
            What a `Renderer` makes the mail of, or None where nobody has the address.

        Raises:
            InvalidInput: another purpose.
            UnknownName: no such list.
        """
        from lifecycle_mail.mails.parts import Recipient
        from lifecycle_mail.mails.specs import FRESH, FreshLink

        # All that may be refused is refused before anybody is looked up: an error says nothing of the address (R22).
        now, listed = as_utc(now), None if to is None else self._list(to)
        wanted = one_of(LinkPurpose, purpose, "purpose")
        if wanted not in FRESH:
            raise InvalidInput(f"purpose: a fresh link is for {' or '.join(FRESH)}, not for {wanted}")
        try:
            parsed = parse_address(address)
        except InvalidAddress:
            return None
        try:
            contact = self._again(lambda: self._reader.by_address(parsed))
        except AmbiguousAddress as error:  # they share a mailbox, and an opt-out of one binds the address of all
            first = error.contact_ids[0]
            contact = self._again(lambda: self._reader.require(first))
        if contact is None or contact.address is None:
            return None
        try:
            reader = Recipient.of(contact, locale=locale, timezone=timezone)
        except InvalidInput:
            reader = Recipient.of(contact)
        return FreshLink(to=reader, purpose=wanted, asked_at=now, listed=listed)
