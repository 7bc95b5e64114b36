"""`Lifecycle`, the part about people: who they are and how they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from attrs import evolve

from lifecycle_mail.model.consent import ListStanding, Person
from lifecycle_mail.model.contacts import Contact, FieldValue, read_field
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.lists import Frequency, MailingList
from lifecycle_mail.model.pictures import Picture
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.service.facade.base import Base
from lifecycle_mail.service.outbox import post_pictures
from lifecycle_mail.service.past import AsOf
from lifecycle_mail.service.picturing import Painter
from lifecycle_mail.service.reading import chunks


class People(Base):
    """Looks contacts up and changes what is known of them."""

    def standing(self, who: str, to: MailingList | str, *, now: datetime) -> ListStanding:
        """Tell how a contact stands with a list."""
        listed = self._list(to)
        person = self._again(lambda: self._reader.person(self._reader.require(who)))
        return person.standing(listed.key, now=as_utc(now), channel=listed.channel)

    def update(
        self, who: str, fields: Mapping[str, FieldValue | None], *, now: datetime, frequency: Frequency | None = None,
        tags: Iterable[str] | None = None,
    ) -> Contact:  # fmt: skip
        """Set fields of a contact (None removes one), the frequency they chose (P2), or their tags.

        Raises:
            UnknownName: nobody goes by it.
            InvalidInput: a value is not of the declared type of its field.
        """
        now = as_utc(now)
        declared = self.programme.fields
        typed = {
            name: read_field(name, value, declared[name]) if name in declared and value is not None else value
            for name, value in fields.items()
        }
        kept = None if tags is None else frozenset(tags)

        def change() -> Contact:
            changed = self._reader.require(who).updated(typed, tags=kept)
            if frequency is not None:
                changed = evolve(changed, frequency=Frequency(frequency))
            self.store.put([changed])
            post_pictures(self.store, self.crm, [changed.id], now=now)
            return changed

        return self._once(change)

    def change_address(self, who: str, to: str, *, by: Actor, now: datetime, evidence: str = "") -> Contact:
        """Record a new address. Opt-outs follow the person and stay on the old address.

        Consent follows only where the person made the change; else the new address needs confirmation.
        """
        provenance = Provenance(actor=by, through=Through.APPLICATION, at=now, evidence=evidence)
        now, contact_id = as_utc(now), self.contact(who).id

        def change() -> Contact:
            moved = self._consents.change_address(contact_id, to, provenance, now=now)
            post_pictures(self.store, self.crm, [contact_id], now=now)
            return moved

        return self._once(change)

    def picture(self, who: str, *, now: datetime) -> Picture:
        """Return all that is known and decided about a contact (O9).

        Who they are, how they stand with every list, every no and what else holds mail back, how they engage, what
        the policy makes of them and what happens next, what they were sent, and what they are worth, where
        `Lifecycle(value_field=...)` says which field tells.
        """
        painter = Painter(self._reader, self.programme, value_field=self.value_field)
        now = as_utc(now)
        (picture,) = self._again(lambda: painter.paint([self._reader.require(who)], now=now))
        return picture

    def people(self) -> Iterator[Person]:
        """Yield how the consent log knows every contact, in order of id."""
        for chunk in chunks(self.store.each()):
            yield from self._reader.people(chunk)

    def as_of(self, instant: datetime) -> AsOf:
        """Read the registry as it stood at a past instant (O10)."""
        instant = as_utc(instant)
        return AsOf(self._reader, self.store.position_at(instant), instant, lists=self.programme.lists)
