"""What Mail Send refuses: each rule yields the field that is to blame, as SendGrid writes it, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from lifecycle_mail_sendgrid.testing.account import epoch
from lifecycle_mail_sendgrid.testing.contacts import is_address
from lifecycle_mail_sendgrid.testing.groups import MOST_SHOWN

MOST_RECIPIENTS: Final = 1000
MOST_ARGS_BYTES: Final = 10_000
MOST_BYTES: Final = 30_000_000
AHEAD: Final = timedelta(hours=72)
_KEPT_HEADERS: Final = frozenset({
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from",
    "subject", "reply-to", "cc", "bcc",
})  # fmt: skip
_TWICE: Final = "Each email address in the personalization block should be unique between to, cc, and bcc."

Problem = tuple[str, str]


def problems(body: Mapping[str, Any], *, now: datetime, knows_batch: Callable[[str], bool]) -> Iterator[Problem]:
    """Yield everything that is wrong with a mail.

    Args:
        body: of the request.
        now: the clock, which scheduling is measured against.
        knows_batch: whether a batch id was handed out.
    """
    personalizations = body.get("personalizations") or []
    yield from _recipients(personalizations)
    yield from _sender(body, personalizations)
    yield from _contents(body, personalizations)
    yield from _arguments(body, personalizations)
    yield from _times(body, personalizations, now)
    yield from _settings(body)
    batch = body.get("batch_id")
    if batch and not knows_batch(batch):
        yield "batch_id", "The batch_id is not valid."


def _recipients(personalizations: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    if not personalizations:
        yield "personalizations", "The personalizations field is required and must have at least one personalization."
    if len(personalizations) > MOST_RECIPIENTS:
        limit = f"The personalization block is limited to {MOST_RECIPIENTS} personalizations per API request."
        yield "personalizations", f"{limit} You have provided {len(personalizations)} personalizations."
    total = 0
    for index, one in enumerate(personalizations):
        place = f"personalizations.{index}"
        if not one.get("to"):
            yield f"{place}.to", "The to array is required for all personalization objects."
        seen: set[str] = set()
        for kind in ("to", "cc", "bcc"):
            for position, given in enumerate(one.get(kind) or ()):
                total += 1
                email = given.get("email")
                if not is_address(email):
                    yield f"{place}.{kind}.{position}.email", "Does not contain a valid address."
                elif email.lower() in seen:
                    yield (
                        place,
                        f"{_TWICE} We found the first duplicate instance of [{email}] in the {place}.{kind} field.",
                    )
                seen.add(str(email).lower())
    if total > MOST_RECIPIENTS:
        yield "personalizations", f"There is a limit of {MOST_RECIPIENTS} total recipients (to + cc + bcc) per request."


def _sender(body: Mapping[str, Any], personalizations: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    if not is_address((body.get("from") or {}).get("email")):
        yield "from.email", "The from object must be provided for every email send."
    if body.get("reply_to") and not is_address(body["reply_to"].get("email")):
        yield "reply_to.email", "Does not contain a valid address."
    if body.get("reply_to") and body.get("reply_to_list"):
        yield "reply_to", "The reply_to and reply_to_list parameters are mutually exclusive."
    for index, one in enumerate(personalizations):
        if one.get("from") and not is_address(one["from"].get("email")):
            yield f"personalizations.{index}.from.email", "Does not contain a valid address."


def _contents(body: Mapping[str, Any], personalizations: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    template = body.get("template_id")
    if not body.get("subject") and not template and not all(one.get("subject") for one in personalizations):
        yield "subject", "The subject is required."
    contents = body.get("content") or []
    if not contents and not template:
        yield "content", "Unless a valid template_id is provided, the content parameter is required."
    for index, one in enumerate(contents):
        if not one.get("value"):
            yield f"content.{index}.value", "The content value must be a string at least one character in length."
    order = [one.get("type") for one in contents]
    if "text/plain" in order[1:]:
        yield "content", "If present, text/plain and text/html may only be provided once, and text/plain must be first."


def _arguments(body: Mapping[str, Any], personalizations: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for index, one in enumerate(personalizations):
        place = f"personalizations.{index}"
        arguments = one.get("custom_args") or {}
        for name, value in arguments.items():
            if not isinstance(value, str):
                yield f"{place}.custom_args.{name}", "Custom arguments must be strings."
        if len(json.dumps(arguments, separators=(",", ":"), ensure_ascii=False).encode()) > MOST_ARGS_BYTES:
            yield f"{place}.custom_args", f"Custom arguments may not exceed {MOST_ARGS_BYTES} bytes."
    for place, headers in (
        ("headers", body.get("headers") or {}),
        *(
            (f"personalizations.{index}.headers", one.get("headers") or {})
            for index, one in enumerate(personalizations)
        ),
    ):
        for name, value in headers.items():
            if name.lower() in _KEPT_HEADERS:
                yield f"{place}.{name}", f"The header {name} is reserved and may not be set."
            elif not isinstance(value, str) or "\n" in value or "\r" in value:
                yield f"{place}.{name}", "Header values must be strings on one line."
    categories = body.get("categories") or []
    if len(categories) > 10:
        yield "categories", "There is a limit of 10 categories per request."
    if len(set(categories)) < len(categories):
        yield "categories", "Categories must be unique."


def _times(body: Mapping[str, Any], personalizations: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[Problem]:
    latest = epoch(now + AHEAD)
    places = [("send_at", body.get("send_at"))]
    places += [(f"personalizations.{index}.send_at", one.get("send_at")) for index, one in enumerate(personalizations)]
    for place, at in places:
        if at is not None and at > latest:
            yield place, "Scheduling more than 72 hours in advance is forbidden."


def _settings(body: Mapping[str, Any]) -> Iterator[Problem]:
    settings = body.get("mail_settings") or {}
    bypasses = [name for name in settings if name.startswith("bypass_") and settings[name].get("enable")]
    if "bypass_list_management" in bypasses and len(bypasses) > 1:
        yield "mail_settings.bypass_list_management", "It may not be combined with any other bypass."
    shown = (body.get("asm") or {}).get("groups_to_display") or []
    if len(shown) > MOST_SHOWN:
        yield "asm.groups_to_display", f"There is a limit of {MOST_SHOWN} groups to display."
