"""The registry as it stood at a past instant (O10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from lifecycle_mail.model.consent import ListStanding, Person
from lifecycle_mail.model.entries import OptOut, Record
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.service.reading import Reader


class AsOf:
    """The registry as it stood: the log up to a position, and contacts at the address that they had then.

    Contacts are found by what they are known as today.

    Attributes:
        position: the sequence number of the last record that counts.
        instant: the past instant, aware UTC.
    """

    def __init__(
        self, reader: Reader, position: int, instant: datetime, *, lists: Mapping[str, MailingList] | None = None
    ) -> None:
        self._reader = reader
        self._lists = lists or {}
        self.position = position
        self.instant = instant

    def person(self, who: str) -> Person:
        """Read a contact's consent as it stood."""
        contact = self._reader.require(who)
        return self._reader.person(contact, until=self.position)

    def standing(self, who: str, to: MailingList | str) -> ListStanding:
        """Tell how a contact stood with a list."""
        listed = to if isinstance(to, MailingList) else self._lists.get(to, MailingList(to))
        return self.person(who).standing(listed.key, now=self.instant, channel=listed.channel)

    def records(self) -> list[Record]:
        """Return the log as it stood."""
        return list(self._reader.store.records(until=self.position))

    def opt_outs(self) -> list[OptOut]:
        """Return every opt-out recorded by then, in order."""
        return [record.entry for record in self.records() if isinstance(record.entry, OptOut)]
