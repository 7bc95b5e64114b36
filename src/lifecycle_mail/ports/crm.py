"""What the service needs of a customer database (O9): both sides show the same state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from lifecycle_mail.errors import EspError
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.pictures import Picture


@runtime_checkable
class Crm(Protocol):
    """A customer database. What it says goes through `receive` like anybody's word: it brings nobody back (O4)."""

    @property
    def name(self) -> str:
        """The source that its changes are filed under."""
        ...

    def show(self, pictures: Sequence[Picture]) -> Mapping[ContactId, EspError]:
        """Show it contacts as they now are; return whom it refused for good. Showing the same again changes nothing.

        Raises:
            EspUnavailable: not done.
            OutcomeUnknown: perhaps done; the same may be shown again.
        """
        ...

    def changes(self, *, now: datetime) -> Sequence[Statement]:
        """Return what it has to say that was not acknowledged: fields, roles, preferences, noes."""
        ...

    def acknowledge(self, statements: Sequence[Statement]) -> None:
        """Say that these are stored, so that they need not be told again."""
        ...

    def forget(self, contact_id: ContactId) -> None:
        """Remove somebody's data for good (O5). Forgetting somebody unknown changes nothing."""
        ...
