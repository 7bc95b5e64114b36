"""Somebody who is no contact, and whom the log knows by a no alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lifecycle_mail.errors import InvalidAddress
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.reading import last_key

_GONE = frozenset({SuppressionKind.ARCHIVE, SuppressionKind.ERASURE})


def known_by_the_log(mail: Lifecycle, who: str, *, now: datetime, until: int | None = None) -> Person | None:
    """Read what the log holds about a contact id or an address, now or at a past position.

    None where it holds nothing, and of who was archived or erased.
    """
    try:
        keys = [parse_address(who).match_key(mail.match)]
    except InvalidAddress:
        keys = []
    whose = ContactId(who)
    known, then = (mail.store.about({whose: keys}, until=position)[whose] for position in (None, until))
    key = keys[0] if keys else last_key(known, whose)
    if not then or _GONE & Person.read(known, whose, key).held_by(now=now).keys():
        return None
    return Person.read(then, whose, key)


def person_as_rows(person: Person, *, now: datetime) -> dict[str, Any]:
    """Return the noes of somebody, oldest first, and what else holds mail back, as plain data."""
    noes = sorted(person.opt_outs.values(), key=lambda no: (no.provenance.at, no.id))
    return {
        "opt_outs": [
            {"said_at": iso(no.provenance.at), "scope": str(no.scope), "through": no.provenance.through.value}
            for no in noes
        ],
        "suppressions": sorted(person.held_by(now=now)),
    }


def iso(at: datetime) -> str:
    """Return an instant as people and programs read it."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
