"""The document that an archived contact is kept in: plain JSON data, versioned, and readable by people.

What is needed to restore the contact is written as data. The entries of the log and what was sent are written down to
be read; restoring does not need them, because the log and the claims never left the registry. Neither did what they
answered; it is data all the same, for a registry that has never heard of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from lifecycle_mail.errors import InvalidDocument, Problem
from lifecycle_mail.files.contact_data import contact_converter
from lifecycle_mail.model.answers import Answer
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import (
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Suppression,
)
from lifecycle_mail.model.events import EngagementEvent
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.documents import structure
from lifecycle_mail.ports import Claim

FORMAT = "lifecycle_mail archive"
VERSION = 2
"""Raised when the document changes so that an older reader would not understand it."""
_READ = (1, VERSION)
"""What is read: the first had no answers."""

_WHAT = "archive"


@frozen(kw_only=True)
class ArchivedContact:
    """What a document holds.

    Attributes:
        format, version: what it is.
        archived_at: when it was made, aware UTC.
        by, text: who archived them, and why.
        match: the version of the rules by which addresses were matched.
        position: the log's sequence number when it was made.
        contact: who.
        profile: their folded engagement, or None.
        events: what it was folded from.
        answers: what they answered to the question why, oldest first.
        log: every entry about them, in words, in order.
        claims: what was sent to them, oldest first.
    """

    format: str = FORMAT
    version: int = VERSION
    archived_at: datetime
    by: Actor
    text: str
    match: str
    position: int
    contact: Contact
    profile: EngagementProfile | None = None
    events: tuple[EngagementEvent, ...] = ()
    answers: tuple[Answer, ...] = ()
    log: Sequence[Mapping[str, Any]] = ()
    claims: Sequence[Mapping[str, Any]] = ()


def to_document(archived: ArchivedContact) -> dict[str, Any]:
    """Return the document as plain JSON data."""
    found: dict[str, Any] = contact_converter().unstructure(archived)
    return found


def from_document(document: Mapping[str, Any]) -> ArchivedContact:
    """Read a document.

    Raises:
        InvalidDocument: it is not whole, with every problem.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise InvalidDocument(_WHAT, [Problem("$.format", f"not {FORMAT!r}", "give the document that archive() made")])
    if document.get("version") not in _READ:
        found = document.get("version")
        fix = "read it with the version of lifecycle_mail that made it"
        raise InvalidDocument(_WHAT, [Problem("$.version", f"{found!r} is none of the versions 1 to {VERSION}", fix)])
    made = structure(document, ArchivedContact, what=_WHAT, using=contact_converter())
    whose = [("$.profile.contact_id", made.profile.contact_id)] if made.profile is not None else []
    whose += [(f"$.events[{place}].contact_id", event.contact_id) for place, event in enumerate(made.events)]
    whose += [(f"$.answers[{place}].contact_id", answer.contact_id) for place, answer in enumerate(made.answers)]
    problems = [
        Problem(path, f"{one!r} is not {made.contact.id!r}", "a document holds one contact")
        for path, one in whose
        if one != made.contact.id
    ]
    if made.events and made.profile is None:
        problems.append(Problem("$.profile", "required, and missing: there are events"))
    if problems:
        raise InvalidDocument(_WHAT, problems)
    return made


def entry_in_words(entry: Entry) -> dict[str, Any]:
    """Write an entry of the log down."""
    said = entry.provenance
    words = [_what(entry), f"by {said.actor} through {said.through}", f"told by {said.source}"]
    words += [
        f"{name} {value}"
        for name, value in (("campaign", said.campaign), ("segment", said.segment), ("reason", said.reason))
        if value
    ]
    found = {"id": entry.id, "at": said.at.isoformat(), "about": entry.subject.key, "said": ", ".join(words)}
    return found | {name: value for name, value in (("text", said.text), ("evidence", said.evidence)) if value}


def claim_in_words(claim: Claim) -> dict[str, Any]:
    """Write down what was sent."""
    return {
        "campaign": claim.campaign,
        "state": claim.state.value,
        "at": claim.at.isoformat(),
        "address": claim.address,
        "leaves_list": claim.leaves_list,
        "opted_out_at": None if claim.opted_out_at is None else claim.opted_out_at.isoformat(),
    }


def _what(entry: Entry) -> str:
    match entry:
        case OptOut():
            return f"no to {entry.scope}"
        case Suppression():
            return f"suppressed: {entry.kind}" + (f" until {entry.until.isoformat()}" if entry.until else "")
        case Lift():
            return f"lifted {_listed(entry.cites)}"
        case ConsentRequest():
            return f"asked to join {entry.list}" + (f", which would override {_listed(entry.asks)}" * bool(entry.asks))
        case Consent():
            ends = f" until {entry.expires_at.isoformat()}" if entry.expires_at else ""
            return f"{entry.standing} consent to {entry.list}{ends}" + (
                f", which overrides {_listed(entry.cites)}" * bool(entry.cites)
            )
        case AddressChanged():
            return f"address changed from {entry.old or 'none'}"
        case Pushed():
            return f"{'told' if entry.done else 'began to tell'} of {entry.opt_out}"


def _listed(ids: frozenset[Any]) -> str:
    return " and ".join(sorted(ids))
