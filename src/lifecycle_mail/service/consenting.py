"""Consent: joining, confirming, leaving, pausing, and who may end what.

Only the person can come back (O4): `subscribe` never overrides a no. Where one stands it returns `NeedsConfirmation`
with a token, and only `confirm` with that token, the person's act, cites the opt-outs that were open when it was
made. A no that comes in between is not among them and keeps them out.

Where a list, or the programme, asks for double opt-in, only a consent that was confirmed makes the click needless.
A no is kept for good, and no mail asks anybody back: a token is made when they sign up, by their own act (R12, R13).

Who was erased is not written about again (O5): they cannot be signed up, and a no of theirs is answered as done,
because nothing is mailed to them anyhow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from attrs import evolve, frozen

from lifecycle_mail.errors import ConsentRefused, InvalidAddress, InvalidInput, LiftRefused, LinkRefused, UnknownName
from lifecycle_mail.mails.links import Link, LinkPurpose, Tokens
from lifecycle_mail.model.addresses import EmailAddress, mask, parse_address
from lifecycle_mail.model.consent import ListStanding, Person
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.echoes import echoes_in
from lifecycle_mail.model.entries import (
    SUPPRESSION_RULES,
    AddressChanged,
    Consent,
    ConsentRequest,
    Lift,
    OptOut,
    Standing,
    Subject,
    Suppression,
    SuppressionKind,
)
from lifecycle_mail.model.lists import Channel, MailingList, Scope, ScopeKind
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.consent_rules import ConsentRules
from lifecycle_mail.ports import Claim
from lifecycle_mail.service.flights import mark_in_flight
from lifecycle_mail.service.reading import Reader, Speaker, last_key


@frozen(kw_only=True)
class Subscribed:
    """Their yes is recorded.

    Attributes:
        standing: how they now stand with the list; not active where a newer no, or a change of address by somebody
            else, still keeps them out.
    """

    contact_id: ContactId
    list: ListKey
    entry: EntryId
    standing: ListStanding


@frozen(kw_only=True)
class NeedsConfirmation:
    """They asked to join and must confirm first; send them a link with the token.

    Attributes:
        token: signed, for `confirm`; nothing personal can be read from it.
        overrides: the opt-outs that the confirmation would override.
    """

    contact_id: ContactId
    list: ListKey
    token: str
    overrides: frozenset[EntryId]


@frozen(kw_only=True)
class OptedOut:
    """A no was recorded.

    Attributes:
        opt_out: the entry; the one that stood before, if the same no was said again.
        in_flight: mails handed off before, which can no longer be held back (F18).
        is_new: whether this call wrote it.
    """

    opt_out: OptOut
    in_flight: tuple[Claim, ...] = ()
    is_new: bool = True


class Consents:
    """Writes consent. See the methods of `Lifecycle` of the same names.

    Args:
        reader: of the store.
        tokens: signs links with the id of a request, and reads them back.
        new_id: makes the id of a new contact.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        tokens: Tokens,
        new_id: Callable[[EmailAddress], ContactId],
    ) -> None:
        self.reader = reader
        self.store = reader.store
        self.tokens = tokens
        self.new_id = new_id

    # -- joining

    def subscribe(
        self, who: str, to: MailingList, *, proof: str, now: datetime, contact_id: str | None, source: str | None,
        standing: Standing, basis: str | None, expires_at: datetime | None, rules: ConsentRules,
    ) -> Subscribed | NeedsConfirmation:  # fmt: skip
        """Record a sign-up by the person."""
        if not proof.strip():
            raise InvalidInput(
                "proof is empty: say which form, when and from where, or consent cannot be shown later (R12)"
            )
        if standing is Standing.CONFIRMED:
            raise ConsentRefused("confirmed consent comes from confirm(), not from subscribe()")
        if standing is Standing.IMPLIED or basis is not None:
            expires_at = _implied_until(standing, basis, expires_at, rules, now=now)
        provenance = Provenance(
            actor=Actor.CONTACT, through=Through.SIGN_UP, at=now, evidence=proof,
            text="" if basis is None else f"implied by {basis}",
        )  # fmt: skip
        with self.store.transaction():
            contact = self._found_or_made(who, contact_id, provenance, source=source, now=now)
            person = self.reader.person(contact)
            asks = frozenset(opt_out.id for opt_out in person.opt_outs_of(to.key, to.channel))
            unclicked = (to.double_opt_in or rules.double_opt_in) and not _has_confirmed(person, to.key, now=now)
            active = person.standing(to.key, now=now, channel=to.channel) is ListStanding.ACTIVE
            if asks or unclicked or (to.key in person.elsewhere and not active):
                request = ConsentRequest(
                    subject=self.reader.named(contact), list=to.key, provenance=provenance, asks=asks
                )
                self.store.append([request], at=now)
                link = Link(
                    purpose=LinkPurpose.CONFIRM, contact_id=contact.id, scope=Scope.list(to.key), detail=request.id,
                    signed_at=now,
                )  # fmt: skip
                token = self.tokens.sign(link)
                return NeedsConfirmation(contact_id=contact.id, list=to.key, token=token, overrides=asks)
            consent = Consent(
                subject=self.reader.named(contact),
                list=to.key,
                standing=standing,
                provenance=provenance,
                expires_at=expires_at,
            )
            self.store.append([consent], at=now)
            self._lift_own(contact, person, provenance, now=now)
            return self._subscribed(contact, consent, to.channel, now=now)

    def confirm(self, token: str, *, now: datetime, evidence: str, lists: Mapping[str, MailingList]) -> Subscribed:
        """Record that the person confirmed."""
        # It has no age unless one is set: it overrides the opt-outs of its day, and no later one (O4).
        try:
            link = self.tokens.follow(token, purpose=LinkPurpose.CONFIRM, now=now)
        except LinkRefused:
            link = None
        record = None if link is None else self.store.record(EntryId(link.detail))
        if record is None or not isinstance(record.entry, ConsentRequest) or record.entry.subject.contact_id is None:
            raise ConsentRefused("this confirmation link is not valid: ask for a new one by signing up again")
        request = record.entry
        channel = lists[request.list].channel if request.list in lists else Channel.EMAIL
        contact_id = record.entry.subject.contact_id
        provenance = Provenance(
            actor=Actor.CONTACT, through=Through.CONFIRMATION, at=now,
            evidence=f"{evidence or 'confirmation link'}; {request.provenance.evidence}",
        )  # fmt: skip
        with self.store.transaction():
            consent = Consent(
                subject=request.subject, list=request.list, standing=Standing.CONFIRMED,
                provenance=provenance, cites=request.asks, request=request.id,
            )  # fmt: skip
            contact = self.store.get([contact_id]).get(contact_id)
            if contact is None:
                raise ConsentRefused("the contact behind this confirmation link is gone: sign up again")
            person = self.reader.person(contact)
            if any(known.request == request.id for known in person.consents):  # a second click on the link
                return self._subscribed(contact, consent, channel, now=now)
            self.store.append([consent], at=now)
            self._lift_own(contact, person, provenance, now=now)
            return self._subscribed(contact, consent, channel, now=now)

    def _subscribed(self, contact: Contact, consent: Consent, channel: Channel, *, now: datetime) -> Subscribed:
        standing = self.reader.person(contact).standing(consent.list, now=now, channel=channel)
        return Subscribed(contact_id=contact.id, list=consent.list, entry=consent.id, standing=standing)

    def _found_or_made(
        self, who: str, contact_id: str | None, provenance: Provenance, *, source: str | None, now: datetime
    ) -> Contact:
        found = self.reader.find(contact_id or who)
        if found is not None and contact_id is None:
            return found
        if found is None:
            self._refuse_erased(contact_id or who)
        address = parse_address(who)
        key = address.match_key(self.reader.rules)
        if found is not None:
            if found.address is None:
                self._refuse_erased(who, key)
                found = evolve(found, address=address)
                self.store.put([found])
                # In the log as well, from which all that is kept beside it can be made anew.
                changed = AddressChanged(subject=self.reader.named(found), old=None, provenance=provenance)
                self.store.append([changed], at=now)
            if self.reader.key(found) != key:
                raise InvalidInput(f"contact {contact_id!r} has another address: use change_address() first")
            return found
        made = Contact(
            id=ContactId(contact_id) if contact_id else self.new_id(address),
            address=address,
            source=source,
            signed_up_at=now,
        )
        self._refuse_erased(who, key, made.id)
        self.store.put([made])
        before = last_key(self.store.about({made.id: ()})[made.id], made.id)
        if before not in (None, key):  # archived, and back with another address
            changed = AddressChanged(subject=self.reader.named(made), old=before, provenance=provenance)
            self.store.append([changed], at=now)
        return made

    def _refuse_erased(self, who: str, *names: str) -> None:
        if self.store.erased([who, *names]):
            raise ConsentRefused(
                f"{mask(who)} was erased and is never mailed again, whoever asks for it (O5, F62): "
                f"nothing was written; who wants mail again signs up with another address, as a new contact"
            )

    def _lift_own(self, contact: Contact, person: Person, provenance: Provenance, *, now: datetime) -> None:
        """End the sunset or archive of a person who signs up by their own act (S11); nothing else ends by it (R23)."""
        own = (SuppressionKind.SUNSET, SuppressionKind.ARCHIVE)
        cites = {one.id for one in person.suppressions.values() if one.kind in own}
        if cites:
            self.store.append([Lift(subject=self.reader.named(contact), cites=cites, provenance=provenance)], at=now)

    # -- leaving

    def opt_out(
        self, who: str, *, scope: Scope | None, campaign: Campaign | None, through: Through, actor: Actor,
        now: datetime, reason: OptOutReason | None, text: str, evidence: str, event_id: str | None, source: str,
        declared: Collection[str], tried: set[EntryId],
    ) -> OptedOut:  # fmt: skip
        """Record the person's no.

        `tried` holds the ids that earlier tries of the same call made: where the answer to one was lost, what it wrote
        is new all the same.
        """
        with self.store.transaction():
            speaker, erased = self._heard(who)
            claims = [claim for one in speaker.holders for claim in self.store.claims_of(one)]
            if erased:
                scope = scope or Scope.all()
            elif scope is None:
                scope = self._scope_of(campaign, claims, speaker, now=now)
            elif scope.kind is ScopeKind.LIST and not self._is_known(scope.key, declared, speaker):
                # A no to a list that nobody knows would bind nothing, and nobody would notice.
                raise UnknownName("list", scope.key, declared)
            repeated = None if event_id is not None else _repeated(speaker, scope)
            if repeated is not None and repeated.id not in tried:  # a double click, or said before: it stands (F48)
                return OptedOut(opt_out=repeated, is_new=False)
            made = repeated or OptOut(
                subject=speaker.subject,
                scope=scope,
                event_id=event_id if event_id is not None else _own_event_id(speaker, scope, through, now),
                provenance=Provenance(
                    actor=actor, through=through, at=now, source=source, campaign=campaign.key if campaign else None,
                    segment=self._segment_of(campaign), reason=reason, text=text, evidence=evidence,
                ),
            )  # fmt: skip
            if erased:  # nothing is mailed to them, and nothing is written about them again
                return OptedOut(opt_out=made, is_new=False)
            ours = made.id in tried
            tried.add(made.id)
            if not self.store.append([made], at=now) and not ours:  # the same event, reported again (F33)
                return OptedOut(opt_out=self._held(made), is_new=False)
            flying = mark_in_flight(self.store, claims, scope, now=now)
        return OptedOut(opt_out=made, in_flight=flying)

    def _heard(self, who: str) -> tuple[Speaker, bool]:
        """Find who says something, and whether they were erased: then nothing more is known of them.

        Raises:
            InvalidAddress: it is neither a contact's id nor an address.
        """
        try:
            speaker = self.reader.speaker(who)
        except InvalidAddress:
            if not self.store.erased([who]):
                raise
            return Speaker(Subject(contact_id=ContactId(who)), (), ()), True
        if speaker.subject.contact_id is not None or not self.store.erased([who, str(speaker.subject.key)]):
            return speaker, False
        return Speaker(speaker.subject, (), ()), True

    def _is_known(self, key: str, declared: Collection[str], speaker: Speaker) -> bool:
        return key in declared or any(key in person.lists() for person in self._people(speaker))

    def _people(self, speaker: Speaker) -> list[Person]:
        return self.reader.people(list(self.store.get(speaker.holders).values()))

    def _held(self, made: OptOut) -> OptOut:
        """Return what the log holds of an event; the same event of another subject is kept beside it."""
        record = self.store.record(made.id)
        if record is not None and isinstance(record.entry, OptOut) and record.entry.subject == made.subject:
            return record.entry
        return made

    def _scope_of(
        self, campaign: Campaign | None, claims: Sequence[Claim], speaker: Speaker, *, now: datetime
    ) -> Scope:
        """Leaving through a campaign leaves the list that its mail named (L3)."""
        if campaign is None:
            raise InvalidInput(
                "say what they leave: scope=Scope.list('offers'), Scope.all(), or the campaign whose link it was"
            )
        for claim in claims:
            if claim.campaign == campaign.key and claim.leaves_list is not None:
                return Scope.list(claim.leaves_list)
        if not campaign.lists:
            raise InvalidInput(
                f"no list is known behind campaign {campaign.key!r}, which sent them nothing: give scope="
            )
        people = self._people(speaker)
        active = [
            key for key in campaign.lists if any(one.standing(key, now=now) is ListStanding.ACTIVE for one in people)
        ]
        return Scope.list((active or list(campaign.lists))[0])

    @staticmethod
    def _segment_of(campaign: Campaign | None) -> str | None:
        lists: set[str] = set(campaign.lists) if campaign else set()
        named = [target.key for target in campaign.to if target.key not in lists] if campaign else []
        return named[0] if named else None

    # -- suppressions

    def suppress(
        self, contact: Contact, kind: SuppressionKind, provenance: Provenance, *, now: datetime, until: datetime | None
    ) -> Suppression:
        """Record a reason not to mail that is not the person's no."""
        if kind is SuppressionKind.PAUSE and until is None:
            raise InvalidInput("a pause has an end: give until=")
        event_id = f"{contact.id}:{now.isoformat()}"
        made = Suppression(
            subject=self.reader.named(contact), kind=kind, event_id=event_id, provenance=provenance, until=until
        )
        self.store.append([made], at=now)
        return made

    def lift(
        self, contact: Contact, kind: SuppressionKind, provenance: Provenance, *, now: datetime, tried: list[Lift]
    ) -> Lift:
        """End suppressions of one kind; `tried` holds what earlier tries of the same call made."""
        with self.store.transaction():
            held = [one for one in self.reader.person(contact).suppressions.values() if one.kind is kind]
            if not held:
                for one in tried:  # written, and the answer lost
                    if self.store.record(one.id) is not None:
                        return one
                raise UnknownName("suppression in force", kind)
            made = Lift(subject=self.reader.named(contact), cites={one.id for one in held}, provenance=provenance)
            if not all(made.ends(one) for one in held):
                rule = SUPPRESSION_RULES[kind]
                who = ", ".join(sorted(rule.lifted_by)) or "nobody"
                words = " with a reason (text=)" if provenance.actor in rule.needs_text else ""
                raise LiftRefused(
                    f"a {kind} is lifted by {who}{words}, not like this by {provenance.actor}: {rule.because}"
                )
            tried.append(made)
            self.store.append([made], at=now)
        return made

    # -- addresses

    def change_address(self, contact_id: ContactId, to: str, provenance: Provenance, *, now: datetime) -> Contact:
        """Record a new address: opt-outs follow the person, and stay on the old one."""
        address = parse_address(to)
        with self.store.transaction():
            contact = self.reader.require(contact_id)
            moved = evolve(contact, address=address)
            self._refuse_erased(to, address.match_key(self.reader.rules))
            changed = AddressChanged(
                subject=self.reader.named(moved), old=self.reader.key(contact), provenance=provenance
            )
            self.store.put([moved])
            if self.reader.key(moved) != self.reader.key(contact):
                self.store.append([changed], at=now)
        return moved


def _has_confirmed(person: Person, list_key: str, *, now: datetime) -> bool:
    """Whether somebody has clicked for a list: what a file, a form or a purchase says of them is no click."""
    return any(
        one.list == list_key and one.standing is Standing.CONFIRMED and (one.expires_at is None or now < one.expires_at)
        for one in person.consents
    )


def _implied_until(
    standing: Standing, basis: str | None, expires_at: datetime | None, rules: ConsentRules, *, now: datetime
) -> datetime:
    """Return when implied consent ends; it always does (R10)."""
    if standing is not Standing.IMPLIED:
        raise InvalidInput("basis= is for implied consent: give standing=Standing.IMPLIED with it, or leave it out")
    until = rules.ends_at(basis, expires_at, now)
    if until is None:
        raise InvalidInput(
            f"implied consent ends (R10): say what it follows from, basis= one of {', '.join(sorted(rules.implied))}, "
            f"or give expires_at="
        )
    return until


def _repeated(speaker: Speaker, scope: Scope) -> OptOut | None:
    """Return the no that a repeated click only repeats.

    Whoever has come back since, or asked to, says another one; and so does somebody else at the same address.
    """
    found: OptOut | None = None
    for log in speaker.logs:
        standing: OptOut | None = None
        echoes = echoes_in(log)
        for entry in log:
            if isinstance(entry, OptOut) and entry.scope == scope and entry.id not in echoes:
                if entry.subject.contact_id == speaker.subject.contact_id:
                    standing = standing or entry
            elif isinstance(entry, ConsentRequest) or (
                isinstance(entry, Consent) and entry.standing is not Standing.IMPORTED
            ):
                standing = None
        if standing is None:
            return None
        found = found or standing
    return found


def _own_event_id(speaker: Speaker, scope: Scope, through: Through, now: datetime) -> str:
    """Name a no that came without an id: with the count of earlier ones, for two within one tick of the clock."""
    said = (entry for log in speaker.logs for entry in log if isinstance(entry, OptOut))
    before = {entry.id for entry in said if entry.scope == scope}
    return f"{speaker.subject.contact_id or speaker.subject.key}:{through}:{now.isoformat()}:{len(before)}"
