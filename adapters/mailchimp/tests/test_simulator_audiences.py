"""Audiences of the simulated account: their merge fields, their interests, and the account itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lifecycle_mail_mailchimp.testing import MailchimpSimulator, mailchimp_server

from adapters.mailchimp.tests.simulated import Api

ADA = "ada@example.com"


@pytest.mark.parametrize(
    ("tag", "value", "kept"),
    [
        ("FNAME", "x" * 300, "x" * 255),
        ("FNAME", "é" * 130, "é" * 127),
        ("FNAME", 7, "7"),
        ("LTV", 15.5, 15.5),
        ("LTV", "100", 100),
        ("LTV", "", ""),
        ("SINCE", "2026-03-01", "2026-03-01"),
        ("SINCE", "03/01/2026", "2026-03-01"),
        ("SINCE", "2026-03-01T23:00:00Z", "2026-03-01"),
        ("PLAN", "pro", "pro"),
        ("ADDRESS", "1 Main Street", "1 Main Street"),
        (
            "ADDRESS",
            {"addr1": "1 Main Street", "city": "Tallinn", "state": "Harju", "zip": "10111", "country": "EE"},
            {
                "addr1": "1 Main Street",
                "addr2": "",
                "city": "Tallinn",
                "state": "Harju",
                "zip": "10111",
                "country": "EE",
            },
        ),
    ],
)
def test_merge_values_are_kept_as_the_field_keeps_them(api: Api, tag: str, value: Any, kept: Any) -> None:
    """Texts are cut at 255 bytes, numbers are numbers, and of an instant the day is kept."""
    make = api.simulator.audiences.make_field
    make(api.audience, "LTV", "Value", "number")
    make(api.audience, "SINCE", "Since", "date")
    make(api.audience, "PLAN", "Plan", "dropdown", options={"choices": ["free", "pro"]})
    api.join("ada")
    found = api.done("PATCH", api.member(ADA), {"merge_fields": {tag: value, "NOBODY": "knows"}})
    assert found["merge_fields"][tag] == kept
    assert "NOBODY" not in found["merge_fields"]


def test_wrong_merge_values_are_refused_together(api: Api) -> None:
    """Each wrong value is named, and nothing is changed."""
    make = api.simulator.audiences.make_field
    make(api.audience, "LTV", "Value", "number")
    make(api.audience, "SINCE", "Since", "date")
    make(api.audience, "PLAN", "Plan", "radio", options={"choices": ["free", "pro"]}, required=True)
    values = {"LTV": "many", "SINCE": "now", "FNAME": True, "ADDRESS": {"addr1": "1 Main Street"}}
    body = {"email_address": ADA, "status": "subscribed", "merge_fields": values}
    answer = api.ask("POST", f"{api.list}/members", body)
    assert answer.json()["errors"] == [
        {"field": "LTV", "message": "Please enter a number"},
        {"field": "SINCE", "message": "Please enter a valid date"},
        {"field": "FNAME", "message": "This value should be a string."},
        {"field": "ADDRESS", "message": "Please enter a complete address: city, state, zip"},
        {"field": "PLAN", "message": "Please enter a value"},
    ]
    assert answer.json()["detail"] == "Your merge fields were invalid."
    assert api.audience.members == {}
    fine = {**body, "merge_fields": {}}
    assert api.done("POST", f"{api.list}/members", fine, skip_merge_validation="true")["status"] == "subscribed"


def test_merge_fields_are_made_once(api: Api) -> None:
    """A tag is taken once, and has letters, digits and underscores; fields can be deleted with their values."""
    path = f"{api.list}/merge-fields"
    made = api.done("POST", path, {"tag": "LTV", "name": "Value", "type": "number"})
    assert api.get(f"{path}/{made['merge_id']}")["type"] == "number"
    again = api.refused("POST", path, {"tag": "ltv", "name": "Value", "type": "number"})
    assert again[2] == 'A Merge Field with the tag "LTV" already exists for this list.'
    assert api.refused("POST", path, {"tag": "L-T", "name": "Value", "type": "number"})[0] == 400
    api.simulator.audiences.most_fields = 5
    assert api.refused("POST", path, {"name": "More", "type": "text"})[0] == 400
    api.join("ada")
    api.done("PATCH", api.member(ADA), {"merge_fields": {"LTV": 7}})
    api.done("DELETE", f"{path}/{made['merge_id']}")
    assert "LTV" not in api.get(api.member(ADA))["merge_fields"]


def test_an_audience_counts_its_members(api: Api) -> None:
    """Audiences are read with their counts, and made with the usual fields."""
    api.join("ada", "bob", "cyd")
    api.simulator.person.bounce(api.audience.id, ADA)
    api.simulator.person.unsubscribe(api.audience.id, "bob@example.com")
    [found] = api.get("/lists", count=1000)["lists"]
    stats = found["stats"]
    assert (stats["member_count"], stats["unsubscribe_count"], stats["cleaned_count"]) == (1, 1, 1)
    assert api.get(api.list)["name"] == "Customers"
    assert api.refused("GET", "/lists/nothing")[0] == 404
    tags = [one["tag"] for one in api.get(f"{api.list}/merge-fields", count=100)["merge_fields"]]
    assert tags == ["FNAME", "LNAME", "ADDRESS", "PHONE"]


def test_only_the_interests_named_change(api: Api) -> None:
    """Interests that a change does not name stay; those that nobody knows are refused."""
    category = api.done("POST", f"{api.list}/interest-categories", {"title": "Topics", "type": "checkboxes"})["id"]
    path = f"{api.list}/interest-categories/{category}/interests"
    news, tips = (api.done("POST", path, {"name": name})["id"] for name in ("News", "Tips"))
    api.join("ada")
    api.done("PATCH", api.member(ADA), {"interests": {news: True, tips: True}})
    assert api.done("PATCH", api.member(ADA), {"interests": {tips: False}})["interests"] == {news: True, tips: False}
    assert api.ask("PATCH", api.member(ADA), {"interests": {"nothing": True}}).status_code == 400
    assert [one["subscriber_count"] for one in api.get(path)["interests"]] == ["1", "0"]

    api.join("bob")
    for match, count in (("any", 1), ("all", 0), ("none", 1)):
        query = {"interest_category_id": category, "interest_ids": f"{news},{tips}", "interest_match": match}
        assert api.get(f"{api.list}/members", **query)["total_items"] == count, match


def test_an_audience_has_sixty_interests(api: Api) -> None:
    """Interests have names of their own in a category, and there are 60 at most."""
    category = api.done("POST", f"{api.list}/interest-categories", {"title": "Topics", "type": "hidden"})
    path = f"{api.list}/interest-categories/{category['id']}/interests"
    for number in range(60):
        api.done("POST", path, {"name": f"Topic {number}"})
    assert (
        api.refused("POST", path, {"name": "topic 1"})[2]
        == 'Cannot add "topic 1" because it already exists on the list.'
    )
    assert api.refused("POST", path, {"name": "More"})[2] == (
        "Cannot have more than 60 interests per list (Across all categories)"
    )
    first = api.get(path, count=100)["interests"][0]
    assert api.get(f"{path}/{first['id']}")["name"] == "Topic 0"
    api.done("DELETE", f"{path}/{first['id']}")
    assert api.get(path)["total_items"] == 59
    assert [one["title"] for one in api.get(f"{api.list}/interest-categories")["categories"]] == ["Topics"]


def test_a_key_may_be_asked_for(spec: Path) -> None:
    """An account with a key refuses every other one."""
    for key, status in (("key-us6", 200), ("other-us6", 401)):
        simulator = MailchimpSimulator(api_key=key)
        with mailchimp_server(spec, simulator) as server:
            api = Api(simulator, server)
            assert api.ask("GET", "/ping").status_code == status
            api.close()
            server.require_clean()


def test_the_clock_is_the_test_s(api: Api) -> None:
    """Nothing moves until a test moves it."""
    api.simulator.now = datetime(2027, 1, 1, tzinfo=UTC)
    api.join("ada")
    assert api.get(api.member(ADA))["timestamp_opt"] == "2027-01-01T00:00:00+00:00"
    api.simulator.wait(days=1)
    assert api.simulator.now == datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=1)
