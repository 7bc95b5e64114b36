"""What SendGrid says: the events of its webhook.

Theory of operation
===================

An event is about a mail and may be about the person's consent as well: a bounce is a bounced mail and a dead
address. What follows for consent is decided by these rules, and by nothing else:

- `unsubscribe` is a no to all marketing; `group_unsubscribe` is a no to the list behind the group. A group
  that nobody mapped to a list is taken for all marketing, and noted: losing a no is worse than widening it.
- `group_resubscribe` changes nothing: only the person can come back, to us (O4).
- `bounce` says that the address is dead, unless it is of the type `blocked`, its status is 4.x.x (for now) or
  5.7.x (about the sender): those never suppress anybody (R17). The same rule reads the suppression lists,
  whose `bounces` and `blocks` look alike.
- `dropped` says that SendGrid itself holds the address back, and why; the reasons that are about the person
  hold it here too (F31). A drop of an unsubscribed address is a state seen once more and not another no.
- `spamreport` is a complaint.

What is not known is noted and counted, never fatal (F42).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.cells import instants, someone, text_of
from lifecycle_mail.files.json_rows import open_json
from lifecycle_mail.files.reading import Convert, Note, Part, RowRefused
from lifecycle_mail.model.bounces import spares_address
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind, Evidence
from lifecycle_mail.model.intake import Happened, Held, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor, Provenance, Through

SOURCE: Final = "sendgrid"

MAIL_EVENTS: Final[Mapping[str, EventKind]] = {
    "processed": EventKind.SENT,
    "delivered": EventKind.DELIVERED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "deferred": EventKind.DEFERRED,
    "dropped": EventKind.DROPPED,
    "bounce": EventKind.HARD_BOUNCED,
}
"""Events about a mail."""

CONSENT_EVENTS: Final = frozenset({"spamreport", "unsubscribe", "group_unsubscribe"})
"""Events about the person alone."""

# The other reasons (spam content, an invalid header, a quota) are the sender's business.
DROPPED_FOR: Final[Mapping[str, SuppressionKind | None]] = {
    "bounced address": SuppressionKind.BOUNCE,
    "invalid": SuppressionKind.BOUNCE,
    "spam reporting address": SuppressionKind.COMPLAINT,
    "unsubscribed address": None,
}
"""Why SendGrid drops a mail, where it is about the person; None is the person's no."""

_MAIL: Final = re.compile(r"\.(?:filter|recvd)")

_instant = instants()


def is_soft(status: str, reason: str = "", kind: str = "") -> bool:
    """Whether a bounce says nothing against the address (R17).

    Args:
        status: an enhanced status such as `5.1.1`, or a basic one such as `550`.
        reason: the words of the receiving host, which often hold the enhanced status.
        kind: SendGrid's type of the bounce; `blocked` is never the address's fault.
    """
    if kind == "blocked":
        return True
    return spares_address(status, reason)


def event_statements(
    event: object, *, lists: Mapping[str, str], received_at: datetime, note: Note, evidence: str = ""
) -> list[Statement]:
    """Say what one webhook event says.

    Args:
        event: the decoded event.
        lists: our list keys by the ids of SendGrid's unsubscribe groups.
        received_at: when it reached us; the instant of a no that has none of its own.
        note: told of what is set aside.
        evidence: where it was found, kept with what follows for consent.

    Raises:
        InvalidInput: it is no event, names nobody, or is about a mail and has no instant.
    """
    if not isinstance(event, dict):
        raise RowRefused("it is not an object", "SendGrid sends an array of objects")
    kind = text_of(event.get("event"))
    if kind == "group_resubscribe":
        # O4: whoever left comes back through us, or not at all.
        note("group_resubscribe changes nothing: an ESP resubscribes nobody", "let the person confirm with us")
        return []
    if kind not in MAIL_EVENTS and kind not in CONSENT_EVENTS:
        note(f"the event {kind[:60]!r} is not known and was set aside", "")  # F42
        return []
    who = someone(text_of(event.get("contact_id")), text_of(event.get("email")), note)
    at = at_of(event, "timestamp", note)
    event_id = text_of(event.get("sg_event_id")) or None
    campaign = _campaign(event)

    def provenance(actor: Actor, through: Through = Through.WEBHOOK) -> Provenance:
        reason = text_of(event.get("reason"))[:500]
        return Provenance(
            actor=actor, through=through, at=at or received_at, source=SOURCE, campaign=campaign or None,
            text=reason, evidence=evidence or text_of(event.get("sg_message_id")),
        )  # fmt: skip

    dated = at is not None
    if kind == "spamreport":
        said = provenance(Actor.CONTACT, Through.COMPLAINT)
        return [Held(who=who, kind=SuppressionKind.COMPLAINT, provenance=said, event_id=event_id, dated=dated)]
    if kind in CONSENT_EVENTS:
        scope = Scope.all() if kind == "unsubscribe" else group_scope(event.get("asm_group_id"), lists, note)
        return [Left(who=who, scope=scope, provenance=provenance(Actor.CONTACT), event_id=event_id, dated=dated)]

    what = MAIL_EVENTS[kind]
    status, reason = text_of(event.get("status")), text_of(event.get("reason"))
    if kind == "bounce" and is_soft(status, reason, text_of(event.get("type"))):
        what = EventKind.SOFT_BOUNCED
    said_of_person = _holds(kind, what, status, reason, who, event_id, provenance)
    if at is None:
        if not said_of_person:
            raise RowRefused("it has no timestamp: an event without one cannot be placed")
        return said_of_person
    happened = Happened(
        who=who,
        kind=what,
        at=at,
        mail=_MAIL.split(text_of(event.get("sg_message_id")), maxsplit=1)[0],
        campaign=campaign,
        link=text_of(event.get("url")) if kind == "click" else "",
        evidence=_evidence(event) if kind == "open" else Evidence.UNKNOWN,
        source=SOURCE,
        event_id=event_id,
    )
    return [happened, *said_of_person]


def _holds(
    kind: str,
    what: EventKind,
    status: str,
    reason: str,
    who: Who,
    event_id: str | None,
    provenance: Callable[..., Provenance],
) -> list[Statement]:
    if what is EventKind.HARD_BOUNCED:
        said = provenance(Actor.ESP, Through.BOUNCE)
        return [Held(who=who, kind=SuppressionKind.BOUNCE, provenance=said, event_id=event_id, status=status)]
    why = reason.strip().casefold()
    if kind != "dropped" or why not in DROPPED_FOR:
        return []
    held = DROPPED_FOR[why]
    if held is None:
        # F31. No event id and no date: the state, not a new no, so that a confirmed return is not undone by
        # it.
        return [Left(who=who, scope=Scope.all(), provenance=provenance(Actor.ESP), dated=False)]
    through = Through.COMPLAINT if held is SuppressionKind.COMPLAINT else Through.BOUNCE
    said = provenance(Actor.ESP, through)
    return [Held(who=who, kind=held, provenance=said, event_id=event_id, status=status)]


def at_of(row: Mapping[str, object], name: str, note: Note) -> datetime | None:
    """Read an instant of SendGrid's: seconds since 1970, or UTC without a zone. What is none is set aside."""
    text = text_of(row.get(name)).strip()
    try:
        return _instant(text) if text else None
    except InvalidInput as problem:
        note(f"{name}: {problem}", "")
        return None


def _campaign(event: Mapping[str, object]) -> str:
    category = event.get("category")
    if isinstance(category, list):
        category = category[0] if category else None
    return text_of(category or event.get("singlesend_id") or event.get("marketing_campaign_id"))


def _evidence(event: Mapping[str, object]) -> Evidence:
    machine = event.get("sg_machine_open")
    if machine is None:
        return Evidence.UNKNOWN
    return Evidence.MACHINE if machine is True else Evidence.HUMAN


def group_scope(group: object, lists: Mapping[str, str], note: Note) -> Scope:
    """The scope of leaving an unsubscribe group: its list, or all marketing where nobody mapped it."""
    name = text_of(group).strip()
    if name in lists:
        return Scope.list(lists[name])
    # Fails closed: we cannot tell which list was left, so all are.
    what = f"the unsubscribe group {name[:40]!r} is not mapped to a list" if name else "no unsubscribe group is named"
    note(f"{what}: taken as leaving all marketing", f"map it: lists.{name or 'ID'} = 'our-list'")
    return Scope.all()


def is_event(value: object) -> bool:
    """Whether a value looks like an event of the webhook."""
    return isinstance(value, dict) and "event" in value and ("sg_event_id" in value or "timestamp" in value)


def events_part(
    path: Path, *, lists: Mapping[str, str], received_at: datetime, fallback: str | None = None
) -> Part[object]:
    """A file of webhook events: bodies as they came, or one event a line."""

    def start() -> Convert[object]:
        def convert(line: int, row: object, note: Note) -> Sequence[Statement]:
            return event_statements(
                row, lists=lists, received_at=received_at, note=note, evidence=f"{path.name}:{line}"
            )

        return convert

    return Part(path=path, format="sendgrid-events", open=lambda: open_json(path, fallback=fallback), start=start)
