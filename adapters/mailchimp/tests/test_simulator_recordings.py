"""The simulator answers as Mailchimp was recorded to answer."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import requests
from attrs import frozen
from lifecycle_mail_mailchimp.testing import Audience, MailchimpSimulator, Member, mailchimp_server
from lifecycle_mail_mailchimp.testing.state import Segment, member_hash

KEY: Final = ("app", "key-us6")
LIST: Final = "a36b032126"

TYPES: Final = {
    "FNAME": "text", "LNAME": "text", "ADDRESS": "address", "PHONE": "phone", "USERID": "number", "LTV": "number",
    "TICKET": "text", "JOINED_AT": "date",
}  # fmt: skip
"""The merge fields that the recorded members have."""

LACKING: Final = {
    "marketing_permissions": "an audience with marketing permissions is not simulated",
    "region": "a place is kept as it was given",
    "contact": "some old audiences show none",
    "_links": "one link stands for the many",
}
"""Keys of recorded answers that may be missing, and why."""

UNUSED: Final = {"mailchimp_test#001": "the sign-in of OAuth is another service"}
"""Recorded exchanges that are not replayed, and why."""


@frozen
class Exchange:
    """A request that was sent to Mailchimp, and what came back."""

    id: str
    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    answer: Any
    at: datetime

    @property
    def hash(self) -> str:
        """The hash of the member that the path names."""
        steps = self.path.split("/")
        return steps[5] if len(steps) > 5 else ""


def exchanges(folder: Path) -> list[Exchange]:
    """Return every recorded exchange, in the order in which they were recorded."""
    with gzip.open(folder / "data" / "esp_http_recordings" / "mailchimp.jsonl.gz", "rt") as lines:
        found = [_recorded(json.loads(line)) for line in lines]
    excerpts = json.loads((folder / "contracts" / "mailchimp" / "recorded_exchanges.json").read_text())
    for index, one in enumerate(excerpts):
        found.append(
            Exchange(
                id=f"contracts#{index:03}",
                method=one["method"],
                path=one["path"],
                query=one["query"] or {},
                body=one["request_json"],
                status=one["status"],
                answer=one["body"],
                at=found[0].at,
            )
        )
    return found


def _recorded(one: dict[str, Any]) -> Exchange:
    headers = {name.lower(): value for name, value in one["response_headers"].items()}
    return Exchange(
        id=one["id"],
        method=one["method"],
        path=one["path"],
        query={name: unquote(value) for name, value in (one.get("query") or {}).items()},
        body=one["request_body"],
        status=one["status"],
        answer=one["response_body"],
        at=parsedate_to_datetime(headers["date"]),
    )


def instant(written: str) -> datetime | None:
    """Read an instant of an answer."""
    return datetime.fromisoformat(written) if written else None


class Past:
    """What was the case before an exchange, as the exchanges before it and its own answer tell."""

    def __init__(self, told: list[Exchange]) -> None:
        self.emails = {
            member_hash(email): email
            for one in told
            for body in (one.body, one.answer)
            if isinstance(body, dict) and (email := body.get("email_address"))
        }
        self.seen: dict[str, dict[str, Any]] = {}

    def prepare(self, simulator: MailchimpSimulator, exchange: Exchange) -> None:
        """Make it so."""
        simulator.now = exchange.at
        answer = exchange.answer if isinstance(exchange.answer, dict) else {}
        audiences = [simulator.audience(list_id=one["id"]) for one in answer.get("lists", [{"id": LIST}])]
        for audience in audiences:
            self._prepare_fields(simulator, audience, answer)
        if "members" in answer:
            self._prepare_page(audiences[0], exchange, answer)
        elif exchange.method == "POST" and exchange.status == 200:
            if answer.get("tags"):  # a stranger would have none: so they were archived
                self._put(audiences[0], {**answer, "status": "archived"})
        elif exchange.hash and exchange.status != 404:
            self._prepare_member(audiences[0], exchange, answer)

    def _prepare_fields(self, simulator: MailchimpSimulator, audience: Audience, answer: dict[str, Any]) -> None:
        fields, told = TYPES, answer.get("merge_fields")
        if isinstance(told, list):
            fields = {one["tag"]: one["type"] for one in told}
        elif answer.get("members"):
            fields = {tag: TYPES[tag] for tag in answer["members"][0]["merge_fields"]}
        elif told:
            fields = {tag: TYPES[tag] for tag in told}
        audience.fields.clear()
        for tag, kind in fields.items():
            simulator.audiences.make_field(audience, tag, tag, kind)

    def _prepare_page(self, audience: Audience, exchange: Exchange, answer: dict[str, Any]) -> None:
        shown = answer["members"]
        before = int(exchange.query.get("offset", "0"))
        for number in range(answer["total_items"] - len(shown)):
            if number == before:
                self._put_all(audience, shown)
            changed = {"last_changed": "2022-02-23T16:25:57+00:00"}
            self._put(audience, {"email_address": f"p{number}@grouparoo.com", "status": "subscribed", **changed})
        if not set(audience.members) & {one["id"] for one in shown}:
            self._put_all(audience, shown)

    def _put_all(self, audience: Audience, bodies: list[dict[str, Any]]) -> None:
        for body in bodies:
            self._put(audience, body)

    def _prepare_member(self, audience: Audience, exchange: Exchange, answer: dict[str, Any]) -> None:
        excerpt = exchange.id.startswith("contracts") and "email_address" in answer  # what went before was cut
        known = answer if exchange.method == "GET" or excerpt else self.seen.get(exchange.hash, {})
        email = self.emails.get(exchange.hash, "somebody@grouparoo.com")
        member = self._put(audience, {"status": "subscribed", **known, "email_address": email, "id": exchange.hash})
        if exchange.method == "DELETE":
            member.status = "archived" if exchange.status == 405 else "subscribed"
        if answer.get("title") == "Member Exists":
            self._put(audience, {"status": "subscribed", "email_address": exchange.body["email_address"]})

    def _put(self, audience: Audience, body: dict[str, Any]) -> Member:
        member = Member(
            email=body["email_address"],
            contact_id=body.get("contact_id", "0"),
            unique_email_id=body.get("unique_email_id", "0"),
            web_id=body.get("web_id", 1),
            status=body["status"],
            reason=body.get("unsubscribe_reason", ""),
            left="api" if body["status"] == "unsubscribed" else "",
            merge={tag: value for tag, value in body.get("merge_fields", {}).items() if value != ""},
            source=body.get("source", ""),
            timestamp_opt=instant(body.get("timestamp_opt", "")),
            last_changed=instant(body.get("last_changed", "")) or datetime(2020, 8, 1, tzinfo=UTC),
        )
        for tag in body.get("tags", []):
            at = audience.created_at
            audience.segments[tag["id"]] = Segment(id=tag["id"], name=tag["name"], created_at=at, updated_at=at)
            member.tags[tag["id"]] = at
        audience.members[body.get("id", member.id)] = member
        return member

    def remember(self, exchange: Exchange) -> None:
        """Keep what an answer tells of somebody."""
        if isinstance(exchange.answer, dict) and "email_address" in exchange.answer:
            self.seen[exchange.answer["id"]] = exchange.answer


def shape(document: Any) -> Any:
    """Return the keys of a document, and the kinds of its values."""
    if isinstance(document, dict):
        return {key: shape(value) for key, value in document.items() if key not in LACKING}
    if isinstance(document, list):
        return [shape(one) for one in document[:1]]
    if isinstance(document, bool) or document is None:
        return type(document).__name__
    return "number" if isinstance(document, int | float) else "text"


def told(document: Any) -> dict[str, Any]:
    """Return what a member's answer tells of them."""
    names = ("id", "email_address", "full_name", "status", "unsubscribe_reason", "merge_fields", "tags_count")
    return {name: document[name] for name in names if name in document}


def test_every_recorded_exchange_is_answered_alike(shared: Path) -> None:
    """Each recorded request gets the recorded status and an answer of the recorded shape; an error, word by word."""
    spec = shared / "contracts/mailchimp/marketing-3.0.55.openapi.json"
    recorded = exchanges(shared)
    past, wrong = Past(recorded), []
    for exchange in recorded:
        if exchange.id in UNUSED:
            continue
        simulator = MailchimpSimulator()
        past.prepare(simulator, exchange)
        with mailchimp_server(spec, simulator) as server:
            answer = requests.request(
                exchange.method,
                server.url.removesuffix("/3.0") + exchange.path,
                params=exchange.query,
                json=exchange.body if exchange.method != "GET" else None,
                auth=KEY,
                timeout=5,
            )
            server.require_clean()
        wrong += [f"{exchange.id}: {difference}" for difference in differences(exchange, answer)]
        past.remember(exchange)
    assert not wrong, "\n".join(wrong)
    assert len(recorded) - len(UNUSED) > 100


def differences(exchange: Exchange, answer: requests.Response) -> Iterator[str]:
    """Yield how an answer differs from the recorded one."""
    if answer.status_code != exchange.status:
        yield f"{exchange.method} {exchange.path} answers {answer.status_code} {answer.text[:300]}"
        return
    if not answer.content:
        if exchange.answer:
            yield f"nothing in place of {exchange.answer}"
        return
    ours, theirs = answer.json(), exchange.answer
    if exchange.status >= 400:
        ours, theirs = ({**one, "instance": ""} for one in (ours, theirs))
        if ours != theirs:
            yield f"{ours} in place of {theirs}"
        return
    if "merge_fields" in theirs and isinstance(theirs["merge_fields"], dict):
        ours["merge_fields"] = {tag: ours["merge_fields"].get(tag, "") for tag in theirs["merge_fields"]}
        if told(ours) != told(theirs):
            yield f"{told(ours)} in place of {told(theirs)}"
        return
    if shape(ours) != shape(theirs):
        yield f"{shape(ours)} in place of {shape(theirs)}"
