"""The simulator's segments: checked and counted later, in the subset of SQL that SendGrid has."""

from datetime import timedelta
from typing import Any

import pytest
from lifecycle_mail_sendgrid.testing.simulator import SendgridSimulator

SEGMENTS = "/v3/marketing/segments/2.0"
HEAD = "SELECT c.contact_id, c.updated_at FROM contact_data AS c"


@pytest.fixture
def simulator() -> SendgridSimulator:
    """Return an account with three contacts: Ada pays much, Bob a little, of Eve nothing is known."""
    made = SendgridSimulator()
    plan, spent, since = (
        made.fields.define(*one) for one in (("plan", "Text"), ("spent", "Number"), ("since", "Date"))
    )
    news = made.lists.add("News", list_id="11111111-1111-4111-8111-111111111111")
    made.contacts.add(
        email="ada@example.com",
        first_name="Ada",
        custom_fields={plan.id: "pro", spent.id: 200, since.id: "2026-01-01T00:00:00Z"},
        list_ids=[news.id],
    )
    made.contacts.add(
        email="bob@example.com",
        first_name="O'Bob",
        custom_fields={plan.id: "Pro", spent.id: 9.5, since.id: "2025-06-01T12:00:00Z"},
        list_ids=[news.id],
    )
    made.contacts.add(email="eve@example.com")
    return made


def made(simulator: SendgridSimulator, query: str, name: str = "segment", **more: Any) -> Any:
    """Make a segment."""
    return simulator.ask(f"POST {SEGMENTS}", {"name": name, "query_dsl": query, **more})


def one(simulator: SendgridSimulator, segment_id: str) -> Any:
    """Return a segment as it is shown."""
    return simulator.ask(f"GET {SEGMENTS}/{{segment_id}}", segment_id=segment_id).json


def refreshed(simulator: SendgridSimulator, segment_id: str, *, zone: str = "UTC") -> int:
    """Ask for a refresh, and return the status."""
    operation = f"POST {SEGMENTS}/refresh/{{segment_id}}"
    return simulator.ask(operation, {"user_time_zone": zone}, segment_id=segment_id).status


@pytest.mark.parametrize(
    ("where", "who"),
    [
        ("", "ada bob eve"),
        (" WHERE c.plan='pro'", "ada"),
        (" WHERE c.plan!='pro'", "bob"),
        (" WHERE (c.plan IS NULL OR c.plan!='pro')", "bob eve"),
        (" WHERE LOWER(c.plan) = 'pro'", "ada bob"),
        (" WHERE c.plan IN ('pro', 'free')", "ada"),
        (" WHERE c.spent > 100", "ada"),
        (" WHERE c.spent <= 9.5", "bob"),
        (" WHERE NOT (c.spent > 100)", "bob"),
        (" WHERE c.since >= '2026-01-01T00:00:00Z'", "ada"),
        (" WHERE c.since < '2025-06-01T14:00:01+02:00'", "bob"),
        (" WHERE c.first_name = 'O''Bob'", "bob"),
        (" WHERE c.first_name LIKE 'a%'", ""),
        (" WHERE c.email LIKE '%@example.com' AND c.first_name IS NOT NULL", "ada bob"),
        (" WHERE array_contains(c.list_ids,['11111111-1111-4111-8111-111111111111'])", "ada bob"),
        (" WHERE NOT array_contains(c.list_ids,['x','11111111-1111-4111-8111-111111111111'])", "eve"),
        (" WHERE c.plan='pro' OR c.spent<10 AND c.first_name='nobody'", "ada"),
    ],
)
def test_a_query_selects_whom_sendgrid_would(simulator: SendgridSimulator, where: str, who: str) -> None:
    """L7: what is missing is NULL and differs from nothing; text minds its case; instants compare as instants."""
    segment = made(simulator, HEAD + where).json
    members = simulator.segments.members(segment["id"])
    assert members is not None
    assert who.split() == [one.email.partition("@")[0] for one in simulator.contacts if one.id in members]


def test_a_segment_is_checked_and_counted_later(simulator: SendgridSimulator) -> None:
    """Pending, then valid with its count; the list shows the same under `results`."""
    segment = made(simulator, f"{HEAD} WHERE c.spent > 1").json
    assert ("PENDING", 0) == (segment["status"]["query_validation"], segment["contacts_count"])
    simulator.settle()
    shown = one(simulator, segment["id"])
    assert ("VALID", 2) == (shown["status"]["query_validation"], shown["contacts_count"])
    (row,) = simulator.ask(f"GET {SEGMENTS}").json["results"]
    assert (segment["id"], 2) == (row["id"], row["contacts_count"])


@pytest.mark.parametrize(
    "query",
    [
        "SELECT email FROM contact_data",
        "SELECT contact_id, updated_at, email FROM contact_data",
        f"{HEAD} WHERE c.shoe = 1",
        f"{HEAD} WHERE",
        f"{HEAD}; DROP TABLE contact_data",
        f"{HEAD} -- all of them",
        HEAD + " WHERE c.plan = 'x' UNION SELECT name, sql FROM sqlite_master",  # noqa: S608 - it must be refused
        f"{HEAD} WHERE load_extension('x')",
        f"{HEAD} WHERE array_contains(c.list_ids,[1])",
        "DELETE FROM contact_data",
        "PRAGMA table_info(contact_data)",
    ],
)
def test_a_query_outside_of_the_subset_is_invalid(simulator: SendgridSimulator, query: str) -> None:
    """201 at first; found invalid later, with the reason; nobody is in it (F57)."""
    answer = made(simulator, query)
    assert 201 == answer.status
    simulator.settle()
    status = one(simulator, answer.json["id"])["status"]
    assert "INVALID" == status["query_validation"]
    assert status["error_message"]
    assert set() == simulator.segments.members(answer.json["id"])


def test_text_that_ends_its_own_quotes_is_only_text(simulator: SendgridSimulator) -> None:
    """F57: a doubled quote is a quote."""
    segment = made(simulator, f"{HEAD} WHERE c.plan = ''' OR ''1''=''1'").json
    simulator.settle()
    shown = one(simulator, segment["id"])
    assert ("VALID", 0) == (shown["status"]["query_validation"], shown["contacts_count"])


def test_a_count_is_old_until_an_hour_has_gone_or_a_refresh_was_asked_for(simulator: SendgridSimulator) -> None:
    """Counts lag: nothing but time or a refresh brings a new one."""
    segment = made(simulator, HEAD).json["id"]
    simulator.settle()
    simulator.contacts.add(email="fay@example.com")
    simulator.now += timedelta(minutes=59)
    simulator.settle()
    assert 3 == one(simulator, segment)["contacts_count"]
    assert 202 == refreshed(simulator, segment)
    simulator.settle()
    assert 4 == one(simulator, segment)["contacts_count"]
    simulator.contacts.add(email="gil@example.com")
    simulator.now += timedelta(hours=1)
    simulator.settle()
    assert 5 == one(simulator, segment)["contacts_count"]


def test_refreshes_are_few(simulator: SendgridSimulator) -> None:
    """Once an hour, twice a day, and ten a day for all segments; the day ends at the user's midnight."""
    segments = [made(simulator, HEAD, f"segment {number}").json["id"] for number in range(11)]
    assert [202, 429] == [refreshed(simulator, segments[0]) for _ in range(2)]
    simulator.now += timedelta(hours=1)
    assert 202 == refreshed(simulator, segments[0])
    simulator.now += timedelta(hours=1)
    assert 429 == refreshed(simulator, segments[0])
    assert [202] * 8 + [429] * 2 == [refreshed(simulator, segment) for segment in segments[1:]]
    assert 2 == one(simulator, segments[0])["refreshes_used"]
    simulator.now += timedelta(days=1)
    assert 202 == refreshed(simulator, segments[0])
    assert 404 == refreshed(simulator, "nobody's")
    assert 400 == refreshed(simulator, segments[1], zone="Springfield")


def test_names_are_unique_and_a_change_is_checked_anew(simulator: SendgridSimulator) -> None:
    """A new query is pending again; a parent list narrows; a deleted segment is gone."""
    first = made(simulator, f"{HEAD} WHERE c.plan='pro'", "first").json["id"]
    assert 400 == made(simulator, HEAD, "first").status
    assert 400 == made(simulator, "", "empty").status
    lists = [one.id for one in simulator.lists]
    assert 400 == made(simulator, HEAD, "two parents", parent_list_ids=[*lists, "x"]).status
    second = made(simulator, HEAD, "second", parent_list_ids=lists).json["id"]
    simulator.settle()
    change = f"PATCH {SEGMENTS}/{{segment_id}}"
    assert 400 == simulator.ask(change, {"name": "first"}, segment_id=second).status
    assert 2 == one(simulator, second)["contacts_count"]
    changed = simulator.ask(change, {"query_dsl": HEAD}, segment_id=first).json
    assert "PENDING" == changed["status"]["query_validation"]
    by_parent = {"parent_list_ids": lists[0]}
    assert [second] == [row["id"] for row in simulator.ask(f"GET {SEGMENTS}", query=by_parent).json["results"]]
    assert 202 == simulator.ask(f"DELETE {SEGMENTS}/{{segment_id}}", segment_id=first).status
    assert simulator.segments.members(first) is None


def test_opens_of_single_sends_are_seen_half_an_hour_late(simulator: SendgridSimulator) -> None:
    """A join on `event_data`, and NOT IN for who did not."""
    config = {
        "subject": "S",
        "html_content": "<p>x</p>",
        "sender_id": 1,
        "suppression_group_id": simulator.groups.add("G").id,
    }
    body = {"name": "spring", "send_to": {"all": True}, "email_config": config}
    send = simulator.ask("POST /v3/marketing/singlesends", body).json["id"]
    simulator.ask("PUT /v3/marketing/singlesends/{id}/schedule", {"send_at": "now"}, id=send)
    simulator.settle()
    simulator.person.open("ada@example.com")
    opened = made(
        simulator, f"{HEAD} JOIN event_data AS e ON c.contact_id = e.contact_id WHERE e.event_type = 'opened'", "opened"
    ).json["id"]
    openers = "SELECT contact_id FROM event_data WHERE event_type = 'opened'"
    silent = made(simulator, f"{HEAD} WHERE c.contact_id NOT IN ({openers})", "silent").json["id"]
    assert [0, 3] == [len(simulator.segments.members(segment) or ()) for segment in (opened, silent)]
    simulator.now += timedelta(minutes=30)
    assert [1, 2] == [len(simulator.segments.members(segment) or ()) for segment in (opened, silent)]


def test_asking_often_enough_lets_a_segment_be_counted() -> None:
    """An adapter that polls sees it valid at the poll that the test set."""
    simulator = SendgridSimulator(settle_after=2)
    segment = made(simulator, HEAD).json["id"]
    states = [one(simulator, segment)["status"]["query_validation"] for _ in range(2)]
    assert ["PENDING", "VALID"] == states
