"""The in-memory customer database, which a test scripts (E4, O9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from lifecycle_mail.errors import EspError, EspRefused
from lifecycle_mail.memory.scripting import Scripted
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.pictures import Picture


class MemoryCrm(Scripted):
    """A CRM that shows what it was shown.

    Attributes:
        shown: the latest picture of every contact.
        forgotten: whom it was told to forget, in order.
        calls: the operations asked of it, in order.
    """

    def __init__(self, *, name: str = "memory-crm") -> None:
        super().__init__(name)
        self._refusals: dict[ContactId, tuple[int, str]] = {}
        self._news: list[Statement] = []
        self.shown: dict[ContactId, Picture] = {}
        self.forgotten: list[ContactId] = []

    # -- what a test scripts, E4

    def refuse(self, contact_id: str, *, status: int = 400, body: str = "refused") -> None:
        """Refuse the pictures of one contact for good."""
        self._refusals[ContactId(contact_id)] = (status, body)

    def say(self, statement: Statement) -> None:
        """Act as a colleague who changes something in the CRM."""
        self._news.append(statement)

    # -- the port

    def show(self, pictures: Sequence[Picture]) -> Mapping[ContactId, EspError]:
        """Take the pictures of contacts, and return whom it refused."""
        with self._lock, self._operation("show"):
            refused: dict[ContactId, EspError] = {}
            for picture in pictures:
                refusal = self._refusals.get(picture.contact_id)
                if refusal is None:
                    self.shown[picture.contact_id] = picture
                else:
                    status, body = refusal
                    refused[picture.contact_id] = EspRefused(esp=self.name, operation="show", status=status, body=body)
            return refused

    def changes(self, *, now: datetime) -> Sequence[Statement]:  # noqa: ARG002 - it says everything at once
        """Return what was said and not acknowledged."""
        with self._lock, self._operation("changes"):
            return list(self._news)

    def acknowledge(self, statements: Sequence[Statement]) -> None:
        """Forget news that was stored."""
        with self._lock, self._operation("acknowledge"):
            stored = set(map(id, statements))
            self._news = [statement for statement in self._news if id(statement) not in stored]

    def forget(self, contact_id: ContactId) -> None:
        """Remove somebody's picture and what was said of them."""
        with self._lock, self._operation("forget"):
            self.shown.pop(contact_id, None)
            self._news = [statement for statement in self._news if statement.who.contact_id != contact_id]
            self.forgotten.append(contact_id)
