"""What SendGrid's refusals mean, in the words of our error tree.

A body holds `errors`, each with a `message` and perhaps a `field`, an `error_id`, an `id` or a `parameter`; or a single
`error` as text; a proxy's is a page. All of it becomes one error, which names every field that is wrong.

::

    EspRefused
    ├── NotFound          the id, or the path, is not there
    ├── AlreadyThere      something of that name or address exists
    ├── NotInPlan         the account's plan does not have it, or has no more of it
    └── InvalidFields     what was sent does not fit, field by field
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen
from lifecycle_mail_http import Refusal, masked, refused

from lifecycle_mail.errors import EspError, EspRefused

ESP: Final = "sendgrid"


class NotFound(EspRefused):
    """What was asked for is not there; of a search, nobody was found."""


class AlreadyThere(EspRefused):
    """Something of that name or address exists already."""


class NotInPlan(EspRefused):
    """The account's plan does not have it, or has no more of it."""


class InvalidFields(EspRefused):
    """What was sent does not fit.

    Attributes:
        fields: each field that is wrong, with what is wrong with it.
    """

    fields: tuple[tuple[str, str], ...] = ()


_SENTENCES: Final[tuple[tuple[str, type[EspRefused]], ...]] = (
    ("already exists", AlreadyThere),
    ("billing plan", NotInPlan),
)
_FIXES: Final[Mapping[type[EspRefused], str]] = {
    NotFound: "check the id; it may have been deleted",
    AlreadyThere: "use the one that exists, or another name",
    NotInPlan: "remove one that is not needed, or change the plan",
}
_STATUS_FIXES: Final[Mapping[int, str]] = {
    401: "the API key is not valid any more, or belongs to another region: make a new one in SendGrid under Settings",
    403: "give the API key access to what this needs: Marketing, Mail Send, Suppressions or Unsubscribe Groups",
    405: "this cannot be done there",
    413: "send less at once",
    415: "send JSON",
}


@frozen
class Complaint:
    """One thing that SendGrid says is wrong.

    Attributes:
        message: what.
        field: where; empty where no one field is to blame.
    """

    message: str
    field: str = ""


def complaints(content: object) -> tuple[Complaint, ...]:
    """Read the body of an error; what is not as expected is left out."""
    if not isinstance(content, Mapping):
        return ()
    said = content.get("errors", content.get("error", content.get("message")))
    found = (_complaint(one) for one in (said if isinstance(said, list) else [said]))
    return tuple(one for one in found if one is not None)


def explain(refusal: Refusal) -> EspError:
    """Return the error for an answer that says no."""
    said = complaints(refusal.content)
    if not said:
        return refused(refusal)  # a proxy's page, for example
    kind = _kind(refusal.status, said)
    listed = masked("; ".join(f"{one.field}: {one.message}" for one in said if one.field)[:1000])
    fixes = (_FIXES.get(kind) or _STATUS_FIXES.get(refusal.status, ""), listed)
    error = kind(
        esp=refusal.esp,
        operation=refusal.operation,
        status=refusal.status,
        body=refusal.text,
        fix="; ".join(filter(None, fixes)),
    )
    if isinstance(error, InvalidFields):
        error.fields = tuple((one.field, one.message) for one in said)
    return error


def _kind(status: int, said: tuple[Complaint, ...]) -> type[EspRefused]:
    if status in (401, 403):
        return EspRefused
    for sentence, kind in _SENTENCES:
        if any(sentence in one.message.lower() for one in said):
            return kind
    if status == 404:
        return NotFound
    if any(one.field for one in said):
        return InvalidFields
    return EspRefused


def _complaint(one: object) -> Complaint | None:
    if isinstance(one, str):
        return Complaint(one)
    if not isinstance(one, Mapping):
        return None
    message, field = one.get("message"), one.get("field") or one.get("parameter")
    if not isinstance(message, str):
        return None
    return Complaint(message, field if isinstance(field, str) else "")
