"""Painting pictures: all that is known and decided about a contact, read at one instant (O9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lifecycle_mail.model.answers import Answer
from lifecycle_mail.model.consent import ListStanding, Person
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.echoes import distinct
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.lists import MailingList, ScopeKind
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.pictures import Mailed, Picture
from lifecycle_mail.policy.deciding import decide_one
from lifecycle_mail.policy.facts import Subject
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.ports import ClaimState
from lifecycle_mail.service.reading import Reader


class Painter:
    """Paints pictures.

    Args:
        reader: of the store.
        programme: the declared lists, and the policy in force.
        value_field: the field that says what a contact is worth, or None.
    """

    def __init__(self, reader: Reader, programme: Programme, *, value_field: str | None) -> None:
        self._reader = reader
        self._programme = programme
        self._value_field = value_field

    def paint(self, contacts: Sequence[Contact], *, now: datetime) -> list[Picture]:
        """Return the pictures of a chunk of contacts, in their order."""
        answers = self._reader.store.answers_of([contact.id for contact in contacts])
        return [
            self._picture(subject, answers.get(subject.contact.id, ()), now)
            for subject in self._reader.subjects(contacts, now=now)
        ]

    def _picture(self, subject: Subject, answers: Sequence[Answer], now: datetime) -> Picture:
        contact, person = subject.contact, subject.person
        row = decide_one(subject, self._programme.policy)
        return Picture(
            contact=contact,
            at=now,
            lists=self._lists(person, now),
            opt_outs=_noes(person),
            suppressions=person.held_by(now=now),
            engagement=subject.profile,
            tier=row.tier.outcome,
            tier_reason=row.tier.reason,
            step=row.action.outcome,
            step_reason=row.action.reason,
            mails=self._mails(contact.id),
            answers=tuple(answers),
            value=None if self._value_field is None else contact.fields.get(self._value_field),
        )

    def _lists(self, person: Person, now: datetime) -> dict[ListKey, ListStanding]:
        left = {ListKey(no.scope.key) for no in person.opt_outs.values() if no.scope.kind is ScopeKind.LIST}
        declared: dict[str, MailingList] = dict(self._programme.lists)
        keys = sorted({*person.lists(), *left, *map(ListKey, declared)})
        return {key: person.standing(key, now=now, channel=declared.get(key, MailingList(key)).channel) for key in keys}

    def _mails(self, contact_id: ContactId) -> tuple[Mailed, ...]:
        claims = self._reader.store.claims_of(contact_id)
        return tuple(
            Mailed(campaign=one.campaign, state=one.state.value, at=one.at, opted_out_at=one.opted_out_at)
            for one in claims
            if one.state is not ClaimState.RETURNED  # nothing left, and another send may try again
        )


def _noes(person: Person) -> tuple[OptOut, ...]:
    """Return every no once, without the reports that only echo another."""
    said = distinct(person.opt_outs, person.echoes)
    return tuple(sorted((person.opt_outs[one] for one in said), key=lambda no: (no.provenance.at, no.id)))
