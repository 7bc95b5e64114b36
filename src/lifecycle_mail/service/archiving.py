"""Taking contacts out of the active records, and back (O5).

What is taken out is the contact with fields, events and profile; a document holds it from then on, and keeping that is
the application's business. The log stays, and with it every no; what they answered stays, and counts still. A
suppression is written with it, so whoever is archived stays unmailed, whatever is imported about them later. It ends as
`SUPPRESSION_RULES` says: by the person's own act, a sign-up too, or by an operator, with a reason.

A registry keeps the ids of events for good, so events that it has seen are not taken again when a contact is restored:
they come back as what they amounted to, the profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from lifecycle_mail.errors import ConsentRefused, UnknownName
from lifecycle_mail.model.addresses import mask
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Suppression, SuppressionKind
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Provenance
from lifecycle_mail.service.archives import (
    ArchivedContact,
    claim_in_words,
    entry_in_words,
    from_document,
    to_document,
)
from lifecycle_mail.service.consenting import Consents


@frozen(kw_only=True)
class Archived:
    """Somebody left the active records.

    Attributes:
        contact_id: who.
        document: all that was known of them, as plain JSON data; keep it where personal data may be kept.
        entry: the suppression that keeps them unmailed.
    """

    contact_id: ContactId
    document: Mapping[str, Any] = field(repr=False)
    entry: Suppression = field(repr=False)


class Archiver:
    """Archives and restores contacts, each in the transaction of the caller.

    Args:
        consents: writes consent to the store.
    """

    def __init__(self, consents: Consents) -> None:
        self._consents = consents
        self._reader = consents.reader
        self._store = consents.store

    def archive(self, contact_id: ContactId, said: Provenance, *, now: datetime, tried: Sequence[Archived]) -> Archived:
        """Take a contact out; see `Lifecycle.archive`.

        `tried` holds what earlier tries of the same call made: where the answer to one was lost, they are gone, and its
        document is the only copy there is (F21).
        """
        contact = self._reader.find(contact_id)
        for before in tried:
            if contact is None and self._store.record(before.entry.id) is not None:
                return before
        if contact is None:
            raise UnknownName("contact", mask(contact_id))
        document = to_document(self._all_about(contact, said))
        entry = self._consents.suppress(contact, SuppressionKind.ARCHIVE, said, now=now, until=None)
        self._store.remove([contact.id])
        return Archived(contact_id=contact.id, document=document, entry=entry)

    def _all_about(self, contact: Contact, said: Provenance) -> ArchivedContact:
        about = self._store.about({contact.id: self._reader.keys(contact)})[contact.id]
        # What another contact at the same address said is theirs.
        own = [entry for entry in about if entry.subject.contact_id in (contact.id, None)]
        return ArchivedContact(
            archived_at=said.at,
            by=said.actor,
            text=said.text,
            match=self._reader.rules.version,
            position=self._store.position(),
            contact=contact,
            profile=self._store.profiles([contact.id]).get(contact.id),
            events=tuple(sorted(self._store.events_of(contact.id), key=lambda event: (event.at, event.id))),
            answers=tuple(self._store.answers_of([contact.id]).get(contact.id, ())),
            log=[entry_in_words(entry) for entry in own],
            claims=[claim_in_words(claim) for claim in self._store.claims_of(contact.id)],
        )

    def restore(self, document: Mapping[str, Any], said: Provenance, *, now: datetime) -> Contact:
        """Bring a contact back; see `Lifecycle.restore`."""
        archived = from_document(document)
        contact = self._restored(archived)
        self._store.put([contact])
        self._restore_engagement(archived)
        self._store.put_answers(archived.answers)  # in another registry, say; here they never left
        held = self._reader.person(contact).suppressions.values()
        if any(one.kind is SuppressionKind.ARCHIVE for one in held):
            self._consents.lift(contact, SuppressionKind.ARCHIVE, said, now=now, tried=[])
        return contact

    def _restored(self, archived: ArchivedContact) -> Contact:
        contact = archived.contact
        if self._store.erased([contact.id, *self._reader.keys(contact)]):
            raise ConsentRefused(
                f"contact {mask(contact.id)} was erased, and nothing of them is written again (O5): delete the document"
            )
        since = self._store.get([contact.id]).get(contact.id)
        if since is None:
            return contact
        # Imported again meanwhile: what is newer counts.
        newer = {name: value for name in ("address", "source", "signed_up_at", "timezone", "locale", "frequency")
                 if (value := getattr(since, name)) is not None}  # fmt: skip
        return evolve(contact, fields={**contact.fields, **since.fields}, tags=contact.tags | since.tags, **newer)

    def _restore_engagement(self, archived: ArchivedContact) -> None:
        then, contact_id = archived.profile, archived.contact.id
        if then is None:
            return
        self._store.admit(archived.events)  # in another registry, say; here they are known, and what they came to
        since = self._store.profiles([contact_id]).get(contact_id)
        if since is None:
            now = then
        elif not _reaches_back(since, then):
            now = then.merge(evolve(since, window=then.window))
        else:  # restored before
            now = since if then.baseline is None else since.with_baseline(then.baseline)
        self._store.save([now])


def _reaches_back(since: EngagementProfile, then: EngagementProfile) -> bool:
    """Whether a profile knows of all that another began with; what came after an archive alone does not."""
    return all(mark in since.first and since.first[mark] <= at for mark, at in then.first.items())
