"""In which words Mailchimp says no. The texts are recorded or documented ones, wherever there are any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from lifecycle_mail.testing.contract import Answer

DOCS: Final = "https://mailchimp.com/developer/marketing/docs/errors/"


class Refusal(Exception):
    """What Mailchimp says no with: a problem document.

    Attributes:
        status: the status code.
        detail: what is wrong, as a batch repeats it for one of many.
        fields: the fields that are to blame, each with what is wrong with it.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *fields: tuple[str, str],
        linked: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Say what is wrong.

        Args:
            status: the status code.
            title: the kind of problem.
            detail: what is wrong.
            fields: the fields that are to blame, each with what is wrong with it.
            linked: whether the document says where it is documented; some do not.
            headers: further headers.
        """
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.fields = fields
        self._linked = linked
        self._headers = headers or {}

    @property
    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        document: dict[str, Any] = {
            **({"type": DOCS} if self._linked else {}),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": str(uuid5(NAMESPACE_URL, str(self))),
        }
        if self.fields:
            document["errors"] = [{"field": field, "message": message} for field, message in self.fields]
        return document

    @property
    def answer(self) -> Answer:
        """The answer."""
        headers = {"Content-Type": "application/problem+json; charset=utf-8", **self._headers}
        return Answer(status=self.status, json=self.document, headers=headers)


def not_found() -> Refusal:
    """Nothing is there."""
    return Refusal(404, "Resource Not Found", "The requested resource could not be found.")


def invalid(detail: str, *fields: tuple[str, str]) -> Refusal:
    """Something in the body is wrong."""
    return Refusal(400, "Invalid Resource", detail, *fields)


def malformed(*fields: tuple[str, str]) -> Refusal:
    """Something in the body is wrong in its form."""
    return invalid(
        "The resource submitted could not be validated. For field-specific details, see the 'errors' array.", *fields
    )


def bad_request(detail: str) -> Refusal:
    """It cannot be done as things are."""
    return Refusal(400, "Bad Request", detail)


def not_an_address() -> Refusal:
    """The address is none."""
    return invalid("Please provide a valid email address.")


def looks_fake(email: str) -> Refusal:
    """The address looks like one that nobody reads."""
    return invalid(f"{email} looks fake or invalid, please enter a real email address.")


def too_many_signups(email: str) -> Refusal:
    """The address joins more lists than people do."""
    return invalid(f"{email} has signed up to a lot of lists very recently; we're not allowing more signups for now")


def wrong_merge_fields(*fields: tuple[str, str]) -> Refusal:
    """Values of merge fields are wrong."""
    return invalid("Your merge fields were invalid.", *fields)


def member_exists(email: str) -> Refusal:
    """Somebody is a member already."""
    detail = f"{email} is already a list member. Use PUT to insert or update list members."
    return Refusal(400, "Member Exists", detail, linked=False)


def in_compliance(email: str) -> Refusal:
    """Somebody left by themselves, or cannot be reached: only they come back."""
    detail = (
        f"{email} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."
    )
    return Refusal(400, "Member In Compliance State", detail, linked=False)


def forgotten(email: str) -> Refusal:
    """Somebody was deleted for good."""
    detail = (
        f"{email} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the "
        f"list."
    )
    return Refusal(400, "Forgotten Email Not Subscribed", detail, linked=False)


def cannot_archive() -> Refusal:
    """Somebody cannot be archived as they are."""
    detail = "This list member cannot be removed. Can not archive a contact that is bounced, pending or archived"
    return Refusal(405, "Method Not Allowed", detail, headers={"Allow": "GET, PUT"})


def not_ready(why: str) -> Refusal:
    """A campaign lacks something."""
    return bad_request(f"Your Campaign is not ready to send. {why}")


def wrong_key() -> Refusal:
    """The key is not that of the account."""
    return Refusal(
        401,
        "API Key Invalid",
        "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
    )


def forbidden(detail: str) -> Refusal:
    """The plan of the account does not allow it."""
    return Refusal(403, "Forbidden", detail)


def too_many(detail: str) -> Refusal:
    """Too much at once."""
    return Refusal(429, "Too Many Requests", detail)
