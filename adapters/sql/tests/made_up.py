"""What the tests of the store make up."""

from __future__ import annotations

from lifecycle_mail_sql import SqlStore

from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.testing import contact, said
from lifecycle_mail.testing import frozen_now as NOW  # noqa: N812 - a constant
from lifecycle_mail.testing.builders import subject_of
from lifecycle_mail.testing.stores.making import PEPPERS


def opened(url: str) -> SqlStore:
    """Open a registry."""
    return SqlStore(url, peppers=PEPPERS)


def no_of(name: str) -> OptOut:
    """Return somebody's no to everything."""
    return OptOut(subject=subject_of(contact(name)), scope=Scope.all(), event_id=name, provenance=said(at=NOW))
