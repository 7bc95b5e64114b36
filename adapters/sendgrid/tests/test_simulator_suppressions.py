"""The simulator's suppressions: unsubscribe groups with their two traps, and the lists of who is held back."""

from datetime import timedelta
from typing import Any

import pytest
from lifecycle_mail_sendgrid.testing.groups import MOST_GROUPS
from lifecycle_mail_sendgrid.testing.simulator import SendgridSimulator

GROUPS = "POST /v3/asm/groups"
GROUP = "GET /v3/asm/groups/{group_id}"
LEAVE = "POST /v3/asm/groups/{group_id}/suppressions"
LEFT = "GET /v3/asm/groups/{group_id}/suppressions"
GLOBALLY = "GET /v3/asm/suppressions/global/{email}"


def leave(simulator: SendgridSimulator, group: int, *emails: str) -> Any:
    """Put addresses into a group."""
    return simulator.ask(LEAVE, {"recipient_emails": list(emails)}, group_id=group)


def test_who_leaves_a_group_is_in_it_and_nowhere_else() -> None:
    """The group counts and lists them; other groups do not; coming back is one call."""
    simulator = SendgridSimulator()
    news, offers = simulator.groups.add("News").id, simulator.groups.add("Offers").id
    assert (201, {"recipient_emails": ["Ada@Example.com"]}) == (
        (answer := leave(simulator, news, "Ada@Example.com")).status,
        answer.json,
    )
    assert ["ada@example.com"] == simulator.ask(LEFT, group_id=news).json
    assert 1 == simulator.ask(GROUP, group_id=news).json["unsubscribes"]
    assert {} == simulator.ask(GLOBALLY, email="ada@example.com").json
    search = {"recipient_emails": ["ada@example.com", "bob@example.com"]}
    assert ["ada@example.com"] == simulator.ask(f"{LEAVE}/search", search, group_id=news).json
    rows = simulator.ask("GET /v3/asm/suppressions/{email}", email="ada@example.com").json["suppressions"]
    assert {news: True, offers: False} == {row["id"]: row["suppressed"] for row in rows}
    assert [(news, "News")] == [
        (row["group_id"], row["group_name"]) for row in simulator.ask("GET /v3/asm/suppressions").json
    ]
    away = "DELETE /v3/asm/groups/{group_id}/suppressions/{email}"
    assert 204 == simulator.ask(away, group_id=news, email="ada@example.com").status
    assert [] == simulator.ask(LEFT, group_id=news).json


@pytest.mark.parametrize("state", ["never there", "deleted", "too new"])
def test_adding_to_a_group_that_is_not_there_suppresses_globally(state: str) -> None:
    """The answer is the same 201: only looking afterwards tells."""
    simulator = SendgridSimulator(group_delay=timedelta(minutes=1))
    group = simulator.groups.add("News").id
    if state == "never there":
        group = 999
    if state == "deleted":
        simulator.ask("DELETE /v3/asm/groups/{group_id}", group_id=group)
    assert 201 == leave(simulator, group, "ada@example.com").status
    assert {"recipient_email": "ada@example.com"} == simulator.ask(GLOBALLY, email="ada@example.com").json
    simulator.now += timedelta(minutes=1)
    if state == "too new":
        leave(simulator, group, "bob@example.com")
        assert {} == simulator.ask(GLOBALLY, email="bob@example.com").json


def test_deleting_a_group_lets_everybody_in_it_be_mailed() -> None:
    """Nothing of the group is kept, and its number is not used again."""
    simulator = SendgridSimulator()
    group = simulator.groups.add("News").id
    leave(simulator, group, "ada@example.com")
    assert 204 == simulator.ask("DELETE /v3/asm/groups/{group_id}", group_id=group).status
    assert 404 == simulator.ask(LEFT, group_id=group).status
    assert [] == simulator.ask("GET /v3/asm/suppressions").json
    assert group != simulator.groups.add("News").id


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"description": "d"}, "name"),
        ({"name": "n"}, "description"),
        ({"name": "n" * 31, "description": "d"}, "name"),
        ({"name": "n", "description": "d" * 101}, "description"),
        ({"name": "News", "description": "d"}, "name"),
    ],
)
def test_groups_that_are_refused(body: dict[str, str], field: str) -> None:
    """A name and a description are needed, neither too long, the name not taken."""
    simulator = SendgridSimulator()
    simulator.groups.add("News")
    answer = simulator.ask(GROUPS, body)
    assert (400, field) == (answer.status, answer.json["errors"][0]["field"])


def test_there_are_two_hundred_groups_at_most() -> None:
    """They can be asked for all at once, or by several ids; one is the default."""
    simulator = SendgridSimulator()
    ids = [simulator.groups.add(f"Group {number}", is_default=True).id for number in range(MOST_GROUPS)]
    assert 400 == simulator.ask(GROUPS, {"name": "more", "description": "more"}).status
    groups = simulator.ask("GET /v3/asm/groups").json
    assert ids == [one["id"] for one in groups]
    assert [ids[-1]] == [one["id"] for one in groups if one["is_default"]]
    assert ids[:1] == [one["id"] for one in simulator.ask("GET /v3/asm/groups", query={"id": ids[0]}).json]


def test_leaving_everything_and_coming_back() -> None:
    """`{}` is what is said of who did not leave; a wrong address refuses the call."""
    simulator = SendgridSimulator()
    add = "POST /v3/asm/suppressions/global"
    assert 400 == simulator.ask(add, {"recipient_emails": ["ada"]}).status
    assert 400 == simulator.ask(add, {"recipient_emails": []}).status
    assert 201 == simulator.ask(add, {"recipient_emails": ["Ada@example.com"]}).status
    assert "ada@example.com" == simulator.ask(GLOBALLY, email="ADA@example.com").json["recipient_email"]
    assert 204 == simulator.ask("DELETE /v3/asm/suppressions/global/{email}", email="ada@example.com").status
    assert {} == simulator.ask(GLOBALLY, email="ada@example.com").json


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("bounces", {"created", "email", "reason", "status"}),
        ("blocks", {"created", "email", "reason", "status"}),
        ("invalid_emails", {"created", "email", "reason"}),
        ("spam_reports", {"created", "email", "ip"}),
        ("unsubscribes", {"created", "email"}),
    ],
)
def test_each_list_comes_in_pages_and_by_time(name: str, keys: set[str]) -> None:
    """Latest first, 500 a page at most, between two instants that both count."""
    simulator = SendgridSimulator()
    start = simulator.now
    for minute in range(5):
        simulator.suppressions.add(
            name, f"a{minute}@example.com", start + timedelta(minutes=minute), reason="r", ip="i"
        )
    operation = f"GET /v3/suppression/{name}"
    rows = simulator.ask(operation).json
    assert [f"a{minute}@example.com" for minute in (4, 3, 2, 1, 0)] == [row["email"] for row in rows]
    assert keys == set(rows[0])
    pages = [simulator.ask(operation, query={"limit": 2, "offset": offset}).json for offset in (0, 2, 4, 6)]
    assert rows == [row for page in pages for row in page]
    between = {"start_time": rows[3]["created"], "end_time": rows[1]["created"]}
    assert rows[1:4] == simulator.ask(operation, query=between).json
    assert rows[2:3] == simulator.ask(operation, query={"email": "A2@example.com"}).json
    for query in ({"limit": 501}, {"limit": 0}, {"offset": -1}, {"start_time": "yesterday"}):
        assert 400 == simulator.ask(operation, query=query).status


@pytest.mark.parametrize("name", ["bounces", "blocks", "invalid_emails", "spam_reports"])
def test_addresses_are_taken_off_a_list(name: str) -> None:
    """One, several, or all; not several and all in one call; of nobody 404."""
    simulator = SendgridSimulator()
    for number in range(4):
        simulator.suppressions.add(name, f"a{number}@example.com")
    path = f"/v3/suppression/{name}"
    assert 1 == len(simulator.ask(f"GET {path}/{{email}}", email="a0@example.com").json)
    assert 204 == simulator.ask(f"DELETE {path}/{{email}}", email="a0@example.com").status
    assert 404 == simulator.ask(f"DELETE {path}/{{email}}", email="a0@example.com").status
    assert [] == simulator.ask(f"GET {path}/{{email}}", email="a0@example.com").json
    assert 400 == simulator.ask(f"DELETE {path}", {"delete_all": True, "emails": ["a1@example.com"]}).status
    assert 400 == simulator.ask(f"DELETE {path}", {}).status
    simulator.ask(f"DELETE {path}", {"emails": ["a1@example.com"]})
    assert 2 == len(simulator.ask(f"GET {path}").json)
    simulator.ask(f"DELETE {path}", {"delete_all": True})
    assert [] == simulator.ask(f"GET {path}").json
