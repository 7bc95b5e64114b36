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

What is not known is noted and counted, never fatal (F42). What our adapter wrote into a mail (`CONTACT_ARG` and so on)
comes back in its events, and is believed before anything else: whose it is, which campaign, which mail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from attrs import evolve

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.cells import address_in, contact_id_in, instants, someone, text_of
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

RESUBSCRIBED: Final = "group_resubscribe"
"""An event from which nothing follows."""

ACCOUNT_EVENTS: Final = frozenset({"account_status_change"})
"""Events about the account: they name nobody."""

CONTACT_ARG: Final = "lm_contact"
CAMPAIGN_ARG: Final = "lm_campaign"
MAIL_ARG: Final = "lm_mail"
"""The `custom_args` that our adapter gives a mail: the contact's id, the campaign's key, our id of the mail. SendGrid
writes them into each event of the mail."""

# The other reasons (spam content, an invalid header, a quota) are the sender's business.
DROPPED_FOR: Final[Mapping[str, SuppressionKind | None]] = {
    "bounced address": SuppressionKind.BOUNCE,
    "invalid": SuppressionKind.BOUNCE,
    "spam reporting address": SuppressionKind.COMPLAINT,
    "unsubscribed address": None,
}
"""Why SendGrid drops a mail, where it is about the person; None is the person's no."""

# Those that may say something of the person, too.
_FAILURES: Final = frozenset({"bounce", "dropped"})

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
    event: object,
    *,
    lists: Mapping[str, str],
    received_at: datetime,
    note: Note,
    evidence: str = "",
    campaigns: Mapping[str, str] = MappingProxyType({}),
) -> list[Statement]:
    """Say what one webhook event says.

    Args:
        event: the decoded event.
        lists: our list keys by the ids of SendGrid's unsubscribe groups.
        received_at: when it reached us; the instant of a no that has none of its own.
        note: told of what is set aside.
        evidence: where it was found, kept with what follows for consent.
        campaigns: our campaign keys by the ids of SendGrid's single sends.

    Raises:
        InvalidInput: it is no event, names nobody, or is about a mail and has no instant.
    """
    if not isinstance(event, dict):
        raise RowRefused("it is not an object", "SendGrid sends an array of objects")
    kind = _text(event, "event")
    if kind == RESUBSCRIBED:
        # O4: whoever left comes back through us, or not at all.
        note("group_resubscribe changes nothing: an ESP resubscribes nobody", "let the person confirm with us")
        return []
    what = MAIL_EVENTS.get(kind)
    if what is None and kind not in CONSENT_EVENTS:
        if kind in ACCOUNT_EVENTS:
            note(f"SendGrid changed the account: {_text(event, 'type')[:60] or kind}", "look into it at SendGrid")
        else:
            note(f"the event {kind[:60]!r} is not known and was set aside", "")  # F42
        return []
    who = _who(event, note)
    at = at_of(event, "timestamp", note)
    event_id = _text(event, "sg_event_id") or None
    campaign = _campaign(event, campaigns)
    happened = [] if what is None or at is None else [_happened(event, what, who, at, event_id, campaign)]
    if happened and kind not in _FAILURES:
        return happened
    said = Provenance(
        actor=Actor.CONTACT, through=Through.WEBHOOK, at=at or received_at, source=SOURCE, campaign=campaign or None,
        text=_text(event, "reason")[:500], evidence=evidence or _text(event, "sg_message_id"),
    )  # fmt: skip
    if what is None:
        return [_of_person(event, kind, lists, who, event_id, said, at is not None, note)]
    of_address = _of_address(event, kind, who, event_id, said)
    if not happened and not of_address:
        raise RowRefused("it has no timestamp: an event without one cannot be placed")
    return [*happened, *of_address]


def _text(event: Mapping[str, object], name: str) -> str:
    value = event.get(name)
    return value if value.__class__ is str else text_of(value)


def _who(event: Mapping[str, object], note: Note) -> Who:
    """Say whom an event is about. An id that is none costs itself: what binds the address binds all the same."""
    own, email = _text(event, CONTACT_ARG) or _text(event, "contact_id"), _text(event, "email")
    try:
        return _plainly(own, email)
    except InvalidInput:
        pass  # what is wrong, and what is taken all the same, is said with care
    try:
        return someone(own, email, note)
    except InvalidInput as problem:
        if not own:
            raise
        who = someone("", email, note)
        note(f"{problem}; the contact is known by the address alone", "")
        return who


@lru_cache(maxsize=1 << 12)  # the events of one mail come close together; not many are kept, for these are people
def _plainly(own: str, email: str) -> Who:
    return Who(contact_id_in(own) or None, address_in(email))


def _happened(
    event: Mapping[str, object], what: EventKind, who: Who, at: datetime, event_id: str | None, campaign: str
) -> Statement:
    if what is EventKind.HARD_BOUNCED and _is_blocked(event):
        what = EventKind.SOFT_BOUNCED
    return Happened(
        who=who,
        kind=what,
        at=at,
        mail=_text(event, MAIL_ARG) or _mail(_text(event, "sg_message_id")),
        campaign=campaign,
        link=_text(event, "url") if what is EventKind.CLICKED else "",
        evidence=_evidence(event) if what is EventKind.OPENED else Evidence.UNKNOWN,
        source=SOURCE,
        event_id=event_id,
    )


def _is_blocked(event: Mapping[str, object]) -> bool:
    return is_soft(_text(event, "status"), _text(event, "reason"), _text(event, "type"))


def _mail(message_id: str) -> str:
    """Return what names the mail in a message id: the rest tells its route."""
    return message_id.partition(".filter")[0].partition(".recvd")[0]


def _of_person(
    event: Mapping[str, object], kind: str, lists: Mapping[str, str], who: Who, event_id: str | None, said: Provenance,
    dated: bool, note: Note,
) -> Statement:  # fmt: skip
    """Say what follows from an event about the person."""
    if kind == "spamreport":
        said = evolve(said, through=Through.COMPLAINT)
        return Held(who=who, kind=SuppressionKind.COMPLAINT, provenance=said, event_id=event_id, dated=dated)
    scope = Scope.all() if kind == "unsubscribe" else group_scope(event.get("asm_group_id"), lists, note)
    return Left(who=who, scope=scope, provenance=said, event_id=event_id, dated=dated)


def _of_address(
    event: Mapping[str, object], kind: str, who: Who, event_id: str | None, said: Provenance
) -> list[Statement]:
    """Say what follows for the address from a mail that failed."""
    said, status = evolve(said, actor=Actor.ESP), _text(event, "status")
    held: SuppressionKind | None = SuppressionKind.BOUNCE
    if kind == "bounce":
        if _is_blocked(event):
            return []
    else:
        why = _text(event, "reason").strip().casefold()
        if kind != "dropped" or why not in DROPPED_FOR:
            return []
        held = DROPPED_FOR[why]
    if held is None:
        # F31. No event id and no date: the state, not a new no, so that a confirmed return is not undone by
        # it.
        return [Left(who=who, scope=Scope.all(), provenance=said, dated=False)]
    said = evolve(said, through=Through.COMPLAINT if held is SuppressionKind.COMPLAINT else Through.BOUNCE)
    return [Held(who=who, kind=held, provenance=said, event_id=event_id, status=status)]


def at_of(row: Mapping[str, object], name: str, note: Note) -> datetime | None:
    """Read an instant of SendGrid's: seconds since 1970, or UTC without a zone. What is none is set aside."""
    value = row.get(name)
    text = str(value) if value.__class__ is int else text_of(value).strip()
    try:
        return _instant(text) if text else None
    except InvalidInput as problem:
        note(f"{name}: {problem}", "")
        return None


def _campaign(event: Mapping[str, object], campaigns: Mapping[str, str]) -> str:
    ours = _text(event, CAMPAIGN_ARG)
    if ours:
        return ours
    single_send = _text(event, "singlesend_id")
    if single_send in campaigns:
        return campaigns[single_send]
    category = event.get("category")
    if isinstance(category, list):
        category = category[0] if category else None
    return text_of(category) or single_send or _text(event, "marketing_campaign_id")


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
