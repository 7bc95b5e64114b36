"""Showing a CRM how people now stand (O9): whoever the log speaks of, and whoever is changed otherwise.

Whoever is archived is shown as that: by the id, the last address, and what holds them back, without the fields that
left the active records with them. The CRM is not told to forget them: that is for an erasure, and cannot be undone
(O5). How they engage is shown with the rest, but posts nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from lifecycle_mail.errors import EspError
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Lift, OptOut, Pushed, Record, Suppression, SuppressionKind
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import is_hashed
from lifecycle_mail.model.pictures import Picture
from lifecycle_mail.ports import Crm, Task, TaskKind
from lifecycle_mail.service.leasing import Clock
from lifecycle_mail.service.picturing import Painter
from lifecycle_mail.service.reading import Reader, last_key
from lifecycle_mail.service.telling import BATCH, GONE, Teller, holders, of_crm, whose
from lifecycle_mail.service.telling_whom import address_in


class CrmTeller(Teller):
    """Shows a CRM how people now stand."""

    def __init__(
        self, crm: Crm, reader: Reader, painter: Painter, *, clock: Clock, wait: Callable[[int], None]
    ) -> None:
        super().__init__(of_crm(crm), reader, clock=clock, wait=wait)
        self.crm = crm
        self.painter = painter

    def tasks_of(self, record: Record) -> Iterator[Task]:
        """Yield a task for everybody whose picture a record changes."""
        entry = record.entry
        if isinstance(entry, Pushed):
            return
        ids = set() if entry.subject.contact_id is None else {entry.subject.contact_id}
        if isinstance(entry, OptOut | Suppression | Lift):  # they bind whoever has the address
            ids.update(holders(self.reader, entry.subject.key))
        for one in sorted(ids):
            if not is_hashed(one):
                yield self._task(record, TaskKind.PICTURE, one)

    def step(self, most: int) -> int:
        """Show a batch of people, each once however many tasks speak of them."""
        tasks, pictures = self._once(lambda: self._begin(min(most, BATCH)))
        self._pass_over([task for task in tasks if task.contact_id not in pictures], GONE)
        shown = [task for task in tasks if task.contact_id in pictures]
        if not shown:
            return len(tasks)
        try:
            refused = self.crm.show(list(pictures.values()))
        except EspError as error:
            self._failed(shown, error)
            return len(tasks)
        for one, answer in refused.items():
            self._refuse([task for task in shown if task.contact_id == one], str(answer))

        def changed() -> set[ContactId]:
            now = self._paint(pictures, at=next(iter(pictures.values())).at)
            return {one for one, picture in now.items() if picture != pictures[one]}

        self._settle([task for task in shown if task.contact_id not in refused], changed)
        self._forget_erased(picture.contact for picture in pictures.values())
        return len(tasks)

    def _forget(self, contact: Contact) -> None:
        self.crm.forget(contact.id)

    def _begin(self, most: int) -> tuple[Sequence[Task], Mapping[ContactId, Picture]]:
        tasks = self._take(most)
        return tasks, self._paint({whose(task) for task in tasks}, at=self.clock())

    def _paint(self, ids: Collection[ContactId], *, at: datetime) -> Mapping[ContactId, Picture]:
        contacts = self.store.get(ids)
        pictures = self.painter.paint(list(contacts.values()), now=at)
        gone = self.painter.paint(self._gone(set(ids) - contacts.keys()), now=at)
        archived = [picture for picture in gone if SuppressionKind.ARCHIVE in picture.suppressions]
        return {picture.contact_id: picture for picture in (*pictures, *archived)}

    def _gone(self, ids: Collection[ContactId]) -> list[Contact]:
        """Return what the log knows of contacts who left the active records."""
        left = sorted(set(ids) - set(self.store.erased(ids)))
        about = self.store.about(dict.fromkeys(left, ()))
        return [Contact(id=one, address=address_in(last_key(about[one], one))) for one in left]
