"""The simulator behind the contract server: it answers as SendGrid was recorded, and as its own files say."""

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import requests
from lifecycle_mail_sendgrid.testing import API_KEY, SendgridServer, sendgrid_server, specs_in, too_many
from lifecycle_mail_sendgrid.testing.hooks import SIGNATURE, TIMESTAMP
from python_http_client.exceptions import BadRequestsError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook

from lifecycle_mail.errors import Misconfigured
from tests.conftest import shared  # noqa: F401 - a fixture

KEY = {"Authorization": f"Bearer {API_KEY}"}
UPSERT = "/v3/marketing/contacts"


@pytest.fixture
def folder(shared: Path) -> Path:  # noqa: F811 - the fixture
    """Return where SendGrid's files are."""
    return shared / "contracts" / "sendgrid"


@pytest.fixture
def server(folder: Path) -> Iterator[SendgridServer]:
    """Return a server in front of an empty account."""
    with sendgrid_server(specs_in(folder)) as started:
        yield started


def call(server: SendgridServer, method: str, path: str, json: Any = None, **query: Any) -> requests.Response:
    """Call the server as a client would."""
    return requests.request(method, server.url + path, json=json, params=query, headers=KEY, timeout=10)


# -- recordings


def recorded(shared: Path) -> list[dict[str, Any]]:  # noqa: F811 - the folder
    """Return the recorded exchanges in the order in which they were made."""
    lines = gzip.decompress((shared / "data" / "esp_http_recordings" / "sendgrid.jsonl.gz").read_bytes()).splitlines()
    return [json.loads(line) for line in lines]


def shape(value: Any) -> Any:
    """Return what a body is made of: its keys and the types of its values."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


class Replay:
    """Sends what was recorded to an account whose ids are others.

    Attributes:
        ids: our ids, by those of the recording.
    """

    def __init__(self, server: SendgridServer) -> None:
        self.server = server
        self.ids: dict[str, str] = {}

    def ours(self, text: str) -> str:
        """Return a text with our ids in the place of recorded ones."""
        for theirs, ours in self.ids.items():
            text = text.replace(theirs, ours)
        return text

    def send(self, exchange: Mapping[str, Any]) -> requests.Response:
        """Send a recorded request, let be done what it asked for, and learn the ids that it gave."""
        body = exchange.get("request_body")
        response = requests.request(
            exchange["method"],
            self.server.url + self.ours(exchange["path"]),
            data=None if body is None else self.ours(json.dumps(body)),
            params={key: unquote(self.ours(value)) for key, value in (exchange.get("query") or {}).items()},
            headers={**KEY, "Content-Type": "application/json"},
            timeout=10,
        )
        self.server.simulator.settle()
        theirs, ours = exchange["response_body"], response.json() if response.content else ""
        if exchange["method"] == "POST" and isinstance(ours, dict):
            pairs = zip(theirs.get("result", [theirs]), ours.get("result", [ours]), strict=True)
            self.ids |= {one["id"]: other["id"] for one, other in pairs if "id" in one}
        return response


def test_the_recorded_session_runs_the_same_way_here(server: SendgridServer, shared: Path) -> None:  # noqa: F811
    """45 exchanges in order: status, shape and, where time plays no part, the values too."""
    exchanges = recorded(shared)
    assert 45 == len(exchanges)
    simulator, replay = server.simulator, Replay(server)
    simulator.fields.skip()
    for name, kind in (("text_field", "Text"), ("number_field", "Number"), ("date_field", "Date")):
        simulator.fields.define(name, kind)
    there_before = next(one for one in exchanges if one["path"] == "/v3/marketing/lists")
    for one in there_before["response_body"]["result"]:
        simulator.lists.add(one["name"], list_id=one["id"])
    for exchange in exchanges:
        simulator.now = parsedate_to_datetime(exchange["response_headers"]["Date"]).astimezone(UTC)
        answer = replay.send(exchange)
        assert exchange["status"] == answer.status_code, exchange["id"]
        theirs, ours = exchange["response_body"], answer.json() if answer.content else ""
        assert shape(theirs) == shape(ours), exchange["id"]
        assert without_times(json.loads(replay.ours(json.dumps(theirs)))) == without_times(ours), exchange["id"]
    server.require_clean()


TIMES = {"created_at", "updated_at", "job_id"}


def without_times(value: Any) -> Any:
    """Return a body without what is another one each time, in an order that does not depend on ids."""
    if isinstance(value, dict):
        return {key: without_times(one) for key, one in value.items() if key not in TIMES}
    if isinstance(value, list):
        return sorted((without_times(one) for one in value), key=repr)
    return value


def test_the_other_recordings_are_part_of_the_same_session(shared: Path) -> None:  # noqa: F811
    """What `recorded_exchanges.json` has is in the session above: the same requests, statuses and bodies."""
    session = [(one["method"], one["path"], one["status"]) for one in recorded(shared)]
    exchanges = json.loads((shared / "contracts" / "sendgrid" / "recorded_exchanges.json").read_bytes())
    assert 10 == len(exchanges)
    assert [] == [one["path"] for one in exchanges if (one["method"], one["path"], one["status"]) not in session]


# -- every operation


class Walk:
    """Goes through an account and fails at whatever is not answered as it should be."""

    def __init__(self, server: SendgridServer) -> None:
        self.server = server

    def __call__(self, method: str, path: str, json: Any = None, *, status: int = 200, **query: Any) -> Any:
        """Call, let be done what is due, and return the body."""
        answer = call(self.server, method, f"/v3/{path}", json, **query)
        assert status == answer.status_code, f"{method} {path}: {answer.status_code} {answer.text}"
        self.server.simulator.settle()
        return answer.json() if answer.content else None


def test_every_operation_is_answered_as_the_files_say(folder: Path) -> None:
    """Each is called at least once, and no answer violates the contract."""
    with sendgrid_server(specs_in(folder), email_activity=True) as server:
        walk = Walk(server)
        walk_contacts(walk)
        walk_suppressions(walk)
        walk_mails(walk)
        walk_the_rest(walk)
        server.require_clean()
        called = {request.operation for request in server.requests}
        assert set() == set(server.simulator.operations) - called


def walk_contacts(walk: Walk) -> None:
    """Lists, fields, contacts, exports, segments."""
    news = walk("POST", "marketing/lists", {"name": "News"}, status=201)["id"]
    plan = walk("POST", "marketing/field_definitions", {"name": "plan", "field_type": "Text"})["id"]
    walk("PATCH", f"marketing/field_definitions/{plan}", {"name": "tier"})
    walk("GET", "marketing/field_definitions")
    contacts = [
        {"email": "ada@example.com", "external_id": "ada", "custom_fields": {plan: "pro"}, "alternate_emails": []},
        {"email": "bob+x/y?z#%@example.com", "phone_number": "+15550100"},
    ]
    job = walk("PUT", "marketing/contacts", {"contacts": contacts, "list_ids": [news]}, status=202)["job_id"]
    assert "completed" == walk("GET", f"marketing/contacts/imports/{job}")["status"]
    found = walk("POST", "marketing/contacts/search", {"query": "email = 'ada@example.com'"})["result"]
    ada = found[0]["id"]
    walk("POST", "marketing/contacts/search/emails", {"emails": ["ada@example.com", "eve@example.technology"]})
    walk("POST", "marketing/contacts/search/emails", {"emails": ["eve@example.com"]}, status=404)
    walk("POST", "marketing/contacts/search/identifiers/external_id", {"identifiers": ["ada", "eve"]})
    walk("POST", "marketing/contacts/search/identifiers/external_id", {"identifiers": ["eve"]}, status=404)
    walk("POST", "marketing/contacts/batch", {"ids": [ada]})
    walk("GET", f"marketing/contacts/{ada}")
    walk("GET", "marketing/contacts")
    walk("GET", "marketing/contacts/count")
    walk("GET", "marketing/lists", page_size=1)
    walk("GET", f"marketing/lists/{news}", contact_sample="true")
    walk("GET", f"marketing/lists/{ada}", status=404)
    walk("GET", f"marketing/lists/{news}/contacts/count")
    walk("PATCH", f"marketing/lists/{news}", {"name": "Newsletter"})
    export = walk("POST", "marketing/contacts/exports", {"list_ids": [news], "file_type": "json"}, status=202)["id"]
    walk("GET", "marketing/contacts/exports")
    (url,) = walk("GET", f"marketing/contacts/exports/{export}")["urls"]
    assert url.startswith(walk.server.url)
    file = requests.get(url, timeout=10)
    assert 2 == len(gzip.decompress(file.content).splitlines())
    assert 400 == requests.get(url, headers=KEY, timeout=10).status_code
    head = "SELECT c.contact_id, c.updated_at FROM contact_data AS c WHERE"
    query = f"{head} array_contains(c.list_ids,['{news}'])"
    segment = walk("POST", "marketing/segments/2.0", {"name": "all", "query_dsl": query}, status=201)["id"]
    assert 2 == walk("GET", f"marketing/segments/2.0/{segment}")["contacts_count"]
    assert 1 == len(walk("GET", "marketing/segments/2.0")["results"])
    walk("PATCH", f"marketing/segments/2.0/{segment}", {"name": "everybody"})
    walk("POST", f"marketing/segments/2.0/refresh/{segment}", {"user_time_zone": "Europe/Berlin"}, status=202)
    walk("DELETE", f"marketing/segments/2.0/{segment}", status=202)
    away = {"identifier_type": "EXTERNALID", "identifier_value": "ada"}
    walk("DELETE", f"marketing/contacts/{ada}/identifiers", away, status=202)
    walk("DELETE", f"marketing/lists/{news}/contacts", contact_ids=ada, status=202)
    walk("DELETE", "marketing/contacts", ids=ada, status=202)
    walk("DELETE", f"marketing/lists/{news}", delete_contacts="true")
    other = walk("POST", "marketing/lists", {"name": "Offers"}, status=201)["id"]
    walk("DELETE", f"marketing/lists/{other}", status=204)
    walk("DELETE", f"marketing/lists/{other}", status=404)
    walk("DELETE", f"marketing/field_definitions/{plan}", status=204)


def walk_suppressions(walk: Walk) -> None:
    """Groups, leaving everything, and the lists; with an address that must be quoted in a path."""
    odd = "o'brien+a/b?c#d%e@example.com"
    group = walk("POST", "asm/groups", {"name": "News", "description": "The news"}, status=201)["id"]
    walk("GET", "asm/groups", id=[group, 999])
    walk("GET", f"asm/groups/{group}")
    walk("PATCH", f"asm/groups/{group}", {"name": "Newsletter"}, status=201)
    walk("POST", f"asm/groups/{group}/suppressions", {"recipient_emails": [odd]}, status=201)
    assert [odd] == walk("GET", f"asm/groups/{group}/suppressions")
    assert [odd] == walk("POST", f"asm/groups/{group}/suppressions/search", {"recipient_emails": [odd]})
    walk("GET", "asm/suppressions")
    assert walk("GET", f"asm/suppressions/{quote(odd, safe='')}")["suppressions"][0]["suppressed"]
    walk("DELETE", f"asm/groups/{group}/suppressions/{quote(odd, safe='')}", status=204)
    walk("DELETE", f"asm/groups/{group}", status=204)
    walk("POST", f"asm/groups/{group}/suppressions", {"recipient_emails": [odd]}, status=201)
    assert {"recipient_email": odd} == walk("GET", f"asm/suppressions/global/{quote(odd, safe='')}")
    walk("DELETE", f"asm/suppressions/global/{quote(odd, safe='')}", status=204)
    assert {} == walk("GET", f"asm/suppressions/global/{quote(odd, safe='')}")
    walk("POST", "asm/suppressions/global", {"recipient_emails": [odd]}, status=201)
    assert 1 == len(walk("GET", "suppression/unsubscribes", limit=500, offset=0))
    person = walk.server.simulator.person
    for email in ("ada@example.com", "bob@example.com"):
        person.bounce(email)
        person.bounce(email, type="blocked", status="4.0.0")
        person.mistype(email)
        person.complain(email)
    for name in ("bounces", "blocks", "invalid_emails", "spam_reports"):
        assert 2 == len(walk("GET", f"suppression/{name}", limit=500, offset=0, start_time=0))
        walk("GET", f"suppression/{name}/ada@example.com")
        walk("DELETE", f"suppression/{name}/ada@example.com", status=204)
        walk("DELETE", f"suppression/{name}", {"delete_all": True}, status=204)


def walk_mails(walk: Walk) -> None:
    """Mail Send and its batches, single sends, activity, erasure."""
    batch = walk("POST", "mail/batch", status=201)["batch_id"]
    walk("GET", f"mail/batch/{batch}")
    walk("POST", "user/scheduled_sends", {"batch_id": batch, "status": "pause"}, status=201)
    walk("GET", "user/scheduled_sends")
    walk("GET", f"user/scheduled_sends/{batch}")
    walk("PATCH", f"user/scheduled_sends/{batch}", {"status": "cancel"}, status=204)
    walk("DELETE", f"user/scheduled_sends/{batch}", status=204)
    mail = {
        "personalizations": [{"to": [{"email": "ada@example.com"}], "custom_args": {"lm_mail": "spring:ada"}}],
        "from": {"email": "news@example.com", "name": "News"},
        "subject": "Spring",
        "content": [{"type": "text/plain", "value": "Hello"}],
        "asm": {"group_id": 101},
        "headers": {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        "categories": ["spring"],
        "batch_id": batch,
        "send_at": int(walk.server.simulator.now.timestamp()),
    }
    walk("POST", "mail/send", mail, status=202)
    walk("POST", "mail/send", mail | {"mail_settings": {"sandbox_mode": {"enable": True}}})
    walk("POST", "mail/send", mail | {"subject": None, "template_id": "d-1"} | {"subject": "x"}, status=202)
    assert 1 <= len(walk("GET", "messages", query="unique_args['lm_mail']=\"spring:ada\"", limit=10)["messages"])
    walk("POST", "recipients/erasejob", {"email_addresses": ["ada@example.com"]}, status=202)
    draft = {
        "name": "spring",
        "categories": ["spring"],
        "send_at": None,
        "send_to": {"all": True},
        "email_config": {
            "subject": "Spring",
            "html_content": "<p>Hello</p>",
            "sender_id": 1,
            "suppression_group_id": None,
            "custom_unsubscribe_url": "https://example.com/leave",
        },
    }
    send = walk("POST", "marketing/singlesends", draft, status=201)["id"]
    walk("PATCH", f"marketing/singlesends/{send}", {"name": "Spring"}, status=202)
    copy = walk("POST", f"marketing/singlesends/{send}", {"name": "copy"}, status=201)["id"]
    tomorrow = (walk.server.simulator.now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    walk("PUT", f"marketing/singlesends/{copy}/schedule", {"send_at": tomorrow}, status=201)
    walk("DELETE", f"marketing/singlesends/{copy}/schedule")
    walk("PUT", f"marketing/singlesends/{send}/schedule", {"send_at": "now"}, status=201)
    assert "triggered" == walk("GET", f"marketing/singlesends/{send}")["status"]
    walk("PUT", f"marketing/singlesends/{send}/schedule", {"send_at": "now"}, status=400)
    assert 2 == len(walk("GET", "marketing/singlesends", page_size=2)["result"])
    walk("POST", "marketing/singlesends/search", {"name": "spring", "status": ["triggered"]})
    walk("GET", "marketing/singlesends/categories")
    walk("DELETE", f"marketing/singlesends/{copy}", status=204)
    walk("DELETE", "marketing/singlesends", ids=send, status=204)


def walk_the_rest(walk: Walk) -> None:
    """Senders, scopes and webhooks."""
    walk("GET", "marketing/senders")
    walk("GET", "marketing/senders/1")
    walk("GET", "verified_senders")
    walk("GET", "scopes")
    hook = {"url": "https://example.com/hook", "enabled": True, "open": True, "friendly_name": "ours"}
    hook_id = walk("POST", "user/webhooks/event/settings", hook, status=201)["id"]
    walk("GET", "user/webhooks/event/settings/all")
    walk("GET", f"user/webhooks/event/settings/{hook_id}")
    walk("PATCH", f"user/webhooks/event/settings/{hook_id}", hook | {"click": True})
    walk("PATCH", f"user/webhooks/event/settings/signed/{hook_id}", {"enabled": True})
    assert walk("GET", f"user/webhooks/event/settings/signed/{hook_id}")["public_key"]
    walk("DELETE", f"user/webhooks/event/settings/{hook_id}", status=204)


# -- the vendor's own package


def test_sendgrids_own_package_talks_to_it(server: SendgridServer) -> None:
    """As an application would use it, without anything of ours between."""
    api = SendGridAPIClient(API_KEY, host=server.url).client
    list_id = api.marketing.lists.post(request_body={"name": "News"}).to_dict["id"]
    contact = {"email": "ada@example.com"}
    api.marketing.contacts.put(request_body={"contacts": [contact], "list_ids": [list_id]})
    server.simulator.settle()
    assert 1 == api.marketing.lists._(list_id).get().to_dict["contact_count"]
    with pytest.raises(BadRequestsError):
        api.marketing.lists.post(request_body={"name": "News"})
    server.require_clean()


def test_sendgrids_own_package_verifies_what_is_posted(server: SendgridServer) -> None:
    """R25: the signature is over the timestamp and the body with its line end; one byte less and it fails (F38)."""
    server.simulator.person.complain("ada@example.com")
    (post,) = server.simulator.webhooks_sent
    hook = EventWebhook(server.simulator.public_key)
    text, signature, timestamp = post.body.decode(), post.headers[SIGNATURE], post.headers[TIMESTAMP]
    assert hook.verify_signature(text, signature, timestamp)
    assert not hook.verify_signature(text.rstrip(), signature, timestamp)


# -- what the contract refuses


def contacts(count: int, **more: Any) -> dict[str, Any]:
    """Return the body of an upsert."""
    return {"contacts": [{"email": f"a{number}@example.com", **more} for number in range(count)]}


@pytest.mark.parametrize(
    ("method", "path", "body", "where"),
    [
        ("PUT", UPSERT, contacts(30_001), "body.contacts"),
        ("PUT", UPSERT, contacts(60, first_name="x" * 50, postal_code="x" * 100_000), "body"),
        ("PUT", UPSERT, contacts(1, nickname="A"), "body.contacts[0]"),
        ("PUT", UPSERT, contacts(1, first_name="x" * 51), "body.contacts[0].first_name"),
        ("PUT", UPSERT, contacts(1) | {"list_ids": ["not an id"], "tags": []}, "body"),
        ("POST", f"{UPSERT}/search/emails", {"emails": ["a@example.com"] * 101}, "body.emails"),
        ("POST", f"{UPSERT}/search/identifiers/external_id", {"identifiers": ["a"] * 101}, "body.identifiers"),
        ("POST", f"{UPSERT}/batch", {"ids": ["a"] * 101}, "body.ids"),
        ("GET", "/v3/suppression/bounces?limit=501", None, "query.limit"),
        ("GET", "/v3/suppression/bounces?page=2", None, "query.page"),
        ("POST", "/v3/asm/groups", {"name": "n" * 31, "description": "d"}, "body.name"),
        ("POST", "/v3/marketing/lists", {"name": "n", "description": "d"}, "body"),
        ("POST", "/v3/marketing/field_definitions", {"name": "n", "field_type": "Boolean"}, "body.field_type"),
        ("POST", "/v3/recipients/erasejob", {"email_addresses": ["a@example.com"] * 5001}, "body.email_addresses"),
        ("POST", "/v3/mail/send", {"personalizations": [], "from": {"email": "a@example.com"}, "x": 1}, "body"),
        ("PUT", "/v3/marketing/contact", {"contacts": []}, "path"),
        ("DELETE", "/v3/marketing/contacts/count", None, "method"),
    ],
)
def test_requests_that_violate_the_contract_never_reach_the_account(
    server: SendgridServer, method: str, path: str, body: Any, where: str
) -> None:
    """Too many, too large, unknown keys and parameters, unknown paths: refused, and kept as violations."""
    answer = call(server, method, path, body)
    assert answer.status_code in (400, 404, 405)
    assert where in [violation.where for violation in server.violations]
    with pytest.raises(AssertionError):
        server.require_clean()
    server.simulator.settle()
    assert 0 == len(server.simulator.contacts)


def test_thirty_thousand_contacts_are_taken(server: SendgridServer) -> None:
    """The limit is what may be sent, and it comes out as a job."""
    job = call(server, "PUT", UPSERT, contacts(30_000)).json()["job_id"]
    server.simulator.settle()
    assert 30_000 == call(server, "GET", f"{UPSERT}/imports/{job}").json()["results"]["created_count"]
    server.require_clean()


def test_without_the_right_key_nothing_is_done(server: SendgridServer) -> None:
    """401 without a key, which violates the contract, and with a wrong one, which does not."""
    url = f"{server.url}/v3/scopes"
    assert 401 == requests.get(url, headers={"Authorization": "Bearer SG.wrong"}, timeout=10).status_code
    server.require_clean()
    assert 401 == requests.get(url, timeout=10).status_code
    assert ["headers.authorization"] == [violation.where for violation in server.violations]


def test_a_rate_limit_is_scripted_and_nothing_is_done(server: SendgridServer) -> None:
    """F24: 429 with the headers that the test says, as often as it says."""
    server.fail("PUT /v3/marketing/contacts", too_many("1772442030", Retry_After="3"))
    refused, taken = (call(server, "PUT", UPSERT, contacts(1)) for _ in range(2))
    assert (429, "1772442030", "3") == (
        refused.status_code,
        refused.headers["X-RateLimit-Reset"],
        refused.headers["Retry-After"],
    )
    assert 202 == taken.status_code
    server.simulator.settle()
    assert 1 == len(server.simulator.contacts)
    server.require_clean()


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    """What is missing, and where to take it from."""
    with pytest.raises(Misconfigured, match=r"tsg_mail_v3\.json.*twilio/sendgrid-oai"):
        specs_in(tmp_path)


def test_the_clock_of_the_account_is_the_tests(folder: Path) -> None:
    """Options reach the simulator."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    with sendgrid_server(specs_in(folder), now=now, settle_after=0) as server:
        call(server, "PUT", UPSERT, contacts(1))
        (one,) = server.simulator.contacts
        assert now == one.created_at
