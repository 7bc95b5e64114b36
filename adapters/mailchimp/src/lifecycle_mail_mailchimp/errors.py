"""What Mailchimp's refusals mean, in the words of our error tree.

The same refusal comes in three forms: as the body of an answer (`application/problem+json`), as the result of one
operation of a batch, where that body is text within JSON, and as an entry of the `errors` of `POST /lists/{id}`, which
has other keys and no title. All three become the same error.

::

    EspRefused
    ├── InCompliance      unsubscribed, bounced or under review there: only the person can come back (F27)
    ├── Forgotten         permanently deleted there: only the person can come back, by a form of Mailchimp's (F28)
    ├── NotFound          the id, or the member, is not there
    ├── MemberExists      a member that was to be new is there
    ├── CannotArchive     a member who is bounced, pending or archived cannot be archived
    ├── BadAddress        Mailchimp does not believe in the address
    └── InvalidFields     what was sent does not fit, field by field
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import frozen
from lifecycle_mail_http import Refusal, masked, refused

from lifecycle_mail.errors import EspError, EspRefused, EspUnavailable, OutcomeUnknown

ESP: Final = "mailchimp"

_NOT_DONE: Final = frozenset({425, 429, 503})


class InCompliance(EspRefused):
    """They unsubscribed, bounced or are under review there, and cannot be subscribed by anybody else (F27)."""


class Forgotten(EspRefused):
    """They were deleted for good there, and cannot be added by anybody else (F28)."""


class NotFound(EspRefused):
    """What was asked for is not there."""


class MemberExists(EspRefused):
    """A member that was to be new is there already."""


class CannotArchive(EspRefused):
    """A member who is bounced, pending or archived cannot be archived."""


class BadAddress(EspRefused):
    """Mailchimp does not believe that the address is one."""


class InvalidFields(EspRefused):
    """What was sent does not fit.

    Attributes:
        fields: each field that is wrong, with what is wrong with it.
    """

    fields: tuple[tuple[str, str], ...] = ()


_FIXES: Final[Mapping[type[EspRefused], str]] = {
    InCompliance: "record that they are out here too; only they can come back, by Mailchimp's confirmation mail",
    Forgotten: "take them out here too; only they can come back, by a form of Mailchimp's",
    NotFound: "check the id; a member may never have been added, or was deleted",
    MemberExists: "update the member instead of adding one",
    CannotArchive: "nothing is sent to a member in that state: leave it",
    BadAddress: "ask the person for the address again",
}

# By what the sentence says, since an entry of `POST /lists/{id}` has no title. The order matters: the first that fits.
_SENTENCES: Final[tuple[tuple[str, type[EspRefused]], ...]] = (
    ("is in a compliance state", InCompliance),
    ("was permanently deleted", Forgotten),
    ("already a list member", MemberExists),
    ("can not archive", CannotArchive),
    ("cannot archive", CannotArchive),
    ("looks fake or invalid", BadAddress),
    ("valid email address", BadAddress),
)
_TITLES: Final[Mapping[str, type[EspRefused]]] = {
    "member in compliance state": InCompliance,
    "forgotten email not subscribed": Forgotten,
    "member exists": MemberExists,
    "resource not found": NotFound,
}
_STATUS_FIXES: Final[Mapping[int, str]] = {
    401: "the API key is not valid any more: make a new one in Mailchimp under Extras, API keys",
    403: "the API key's user may not do this, the plan lacks it, or the key belongs to another data centre",
    405: "this cannot be done to what is there as it stands",
    414: "ask for fewer nested fields at once",
}


@frozen(kw_only=True)
class Problem:
    """What a body of `application/problem+json` says.

    Attributes:
        title: which kind of problem: `Invalid Resource`.
        detail: a sentence about it, with the address in it, if there is one.
        fields: each field that is wrong, with what is wrong with it.
    """

    title: str = ""
    detail: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, content: object) -> Problem:
        """Read a body; what is not as expected is left out."""
        if not isinstance(content, Mapping):
            return cls()
        return cls(
            title=_text(content.get("title")),
            detail=_text(content.get("detail")),
            fields=_fields(content.get("errors")),
        )

    @property
    def kind(self) -> type[EspRefused]:
        """The error that it is."""
        titled = _TITLES.get(self.title.lower())
        if titled is not None:
            return titled
        said = self.detail.lower()
        for sentence, kind in _SENTENCES:
            if sentence in said:
                return kind
        return InvalidFields if self.fields else EspRefused


def explain(refusal: Refusal) -> EspError:
    """Return the error for an answer that says no."""
    problem = Problem.read(refusal.content)
    if not problem.title and not problem.detail:
        return refused(refusal)  # a proxy's page, for example
    return _error(problem, operation=refusal.operation, status=refusal.status, body=refusal.text)


def of_batch_result(result: Mapping[str, Any], *, operation: str) -> EspError | None:
    """Return the error of one operation of a batch, or None where it succeeded.

    Args:
        result: what the batch's file holds of it: `status_code`, and `response`, which is JSON as text.
        operation: what it was.
    """
    status = result.get("status_code")
    if not isinstance(status, int) or isinstance(status, bool):
        return OutcomeUnknown(esp=ESP, operation=operation, fix="its result has no status: look the member up")
    if 200 <= status < 300:
        return None
    response = result.get("response")
    body = masked(response) if isinstance(response, str) else masked(json.dumps(response))
    if status in _NOT_DONE:
        return EspUnavailable(esp=ESP, operation=operation, status=status, body=body, fix="put it in the next batch")
    if status >= 500 or status == 408:
        return OutcomeUnknown(esp=ESP, operation=operation, status=status, body=body, fix="look the member up")
    return _error(Problem.read(_parsed(response)), operation=operation, status=status, body=body)


def of_member(entry: Mapping[str, Any], *, operation: str) -> EspError:
    """Return the error of one address in the `errors` of `POST /lists/{id}`, or of a static segment.

    Args:
        entry: `error`, and where it is about a member `error_code`, `field` and `field_message`.
        operation: what was asked for.
    """
    said = _text(entry.get("error"))
    name, message = _text(entry.get("field")), _text(entry.get("field_message"))
    title = "member exists" if entry.get("error_code") == "ERROR_CONTACT_EXISTS" else ""
    problem = Problem(title=title, detail=said, fields=((name, message or said),) if name else ())
    return _error(problem, operation=operation, status=None, body=masked(said))


def _error(problem: Problem, *, operation: str, status: int | None, body: str) -> EspRefused:
    kind = problem.kind
    if status == 404 and kind is EspRefused:
        kind = NotFound
    fix = _FIXES.get(kind, "")
    if problem.fields:
        fix = "; ".join(filter(None, (fix, _listed(problem.fields))))
    error = kind(
        esp=ESP,
        operation=operation,
        status=status,
        body=body,
        fix=fix or _STATUS_FIXES.get(status or 0, ""),
    )
    if isinstance(error, InvalidFields):
        error.fields = problem.fields
    return error


def _listed(fields: Iterable[tuple[str, str]]) -> str:
    return masked("; ".join(f"{name}: {message}" if name else message for name, message in fields)[:1000])


def _fields(errors: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(errors, list):
        return ()
    found = ((_text(one.get("field")), _text(one.get("message"))) for one in errors if isinstance(one, Mapping))
    return tuple((name, message) for name, message in found if name or message)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _parsed(response: object) -> object:
    if not isinstance(response, str):
        return response
    try:
        return json.loads(response)
    except (ValueError, RecursionError):
        return None
