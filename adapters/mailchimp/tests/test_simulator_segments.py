"""Segments of the simulated account: static ones, which are tags, and those that conditions select."""

from typing import Any

import pytest

from adapters.mailchimp.tests.simulated import Api

ADA = "ada@example.com"


def emails(*names: str) -> list[str]:
    """Return addresses."""
    return [f"{name}@example.com" for name in names]


def names(rows: list[dict[str, Any]]) -> str:
    """Return whose rows these are, by their first letters."""
    return "".join(one["email_address"][0] for one in rows)


@pytest.fixture
def people(api: Api) -> Api:
    """An audience: Ada is rich and pro, Bob poor and free, of Cyd nothing is known, and Dan has left."""
    make = api.simulator.audiences.make_field
    make(api.audience, "LTV", "Value", "number")
    make(api.audience, "PLAN", "Plan")
    make(api.audience, "SINCE", "Since", "date")
    api.join("ada", "bob", "cyd", "dan")
    for name, ltv, plan, since in (("ada", 250, "Pro", "2026-01-10"), ("bob", 9, "free", "2025-12-01")):
        merge = {"LTV": ltv, "PLAN": plan, "SINCE": since}
        api.done("PATCH", api.member(f"{name}@example.com"), {"merge_fields": merge})
    api.simulator.person.unsubscribe(api.audience.id, "dan@example.com")
    return api


def select(api: Api, *conditions: dict[str, Any], match: str = "all") -> str:
    """Save a segment, and return who is in it; the count must agree."""
    body = {"name": "Segment", "options": {"match": match, "conditions": list(conditions)}}
    made = api.done("POST", f"{api.list}/segments", body)
    assert (made["type"], made["options"]["match"]) == ("saved", match)
    rows = api.get(f"{api.list}/segments/{made['id']}/members", count=100)["members"]
    assert made["member_count"] == len(rows)
    return names(rows)


def text(field: str, op: str, value: str = "") -> dict[str, Any]:
    """Return a condition on a text or a number."""
    return {"condition_type": "TextMerge", "field": field, "op": op, "value": value}


def day(op: str, value: str = "") -> dict[str, Any]:
    """Return a condition on a date."""
    return {"condition_type": "DateMerge", "field": "SINCE", "op": op, "value": value}


@pytest.mark.parametrize(
    ("condition", "selected"),
    [
        (text("PLAN", "is", "pro"), "a"),
        (text("PLAN", "not", "pro"), "bc"),
        (text("PLAN", "contains", "r"), "ab"),
        (text("PLAN", "notcontain", "r"), "c"),
        (text("PLAN", "starts", "F"), "b"),
        (text("PLAN", "ends", "ee"), "b"),
        (text("PLAN", "blank"), "c"),
        (text("PLAN", "blank_not"), "ab"),
        (text("LTV", "greater", "100"), "a"),
        (text("LTV", "less", "100"), "b"),
        (text("LTV", "is", "9"), "b"),
        (text("LTV", "not", "9"), "ac"),
        (day("greater", "2025-12-01"), "a"),
        (day("less", "2026-01-10"), "b"),
        (day("is", "2026-01-10"), "a"),
        (day("not", "2026-01-10"), "bc"),
        (day("blank"), "c"),
        ({"condition_type": "EmailAddress", "field": "EMAIL", "op": "starts", "value": "A"}, "a"),
        ({"condition_type": "SignupSource", "field": "source", "op": "source_is", "value": "API - Generic"}, "abc"),
        ({"condition_type": "SignupSource", "field": "source", "op": "source_not", "value": "API - Generic"}, ""),
        ({"condition_type": "VIP", "field": "gmonkey", "op": "notmember"}, "abc"),
        ({"condition_type": "Language", "field": "language", "op": "not", "value": "en"}, "abc"),
    ],
)
def test_a_condition_selects_members(people: Api, condition: dict[str, Any], selected: str) -> None:
    """Texts are compared without case, numbers as numbers, days strictly; `not` takes in who has nothing there."""
    assert select(people, condition) == selected


def test_conditions_are_joined_by_any_or_all(people: Api) -> None:
    """One match is for all conditions."""
    conditions = text("PLAN", "is", "pro"), text("LTV", "less", "100")
    assert select(people, *conditions, match="any") == "ab"
    assert select(people, *conditions, match="all") == ""


def test_conditions_on_dates_of_membership(people: Api) -> None:
    """Who joined after a day is selected by the day."""
    people.simulator.wait(days=3)
    people.join("eve")
    date = {"condition_type": "Date", "field": "timestamp_opt", "op": "greater", "value": "date", "extra": "2026-03-02"}
    assert select(people, date) == "e"
    assert select(people, {**date, "op": "less", "extra": "2026-03-03"}) == "abc"


def test_conditions_on_tags(people: Api) -> None:
    """Being in a static segment is a condition, and so is not being in it."""
    body = {"name": "vip", "static_segment": emails("ada", "nobody")}
    tag = people.done("POST", f"{people.list}/segments", body)
    assert (tag["type"], tag["member_count"]) == ("static", 1)
    condition = {"condition_type": "StaticSegment", "field": "static_segment", "op": "static_is", "value": tag["id"]}
    assert select(people, condition) == "a"
    assert select(people, {**condition, "op": "static_not"}) == "bc"


def test_conditions_on_interests(people: Api) -> None:
    """Having any, all or none of some interests is a condition, by the category that they are in."""
    category = people.done("POST", f"{people.list}/interest-categories", {"title": "Topics", "type": "checkboxes"})[
        "id"
    ]
    path = f"{people.list}/interest-categories/{category}/interests"
    news, tips = (people.done("POST", path, {"name": name})["id"] for name in ("News", "Tips"))
    people.done("PATCH", people.member(ADA), {"interests": {news: True, tips: True}})
    people.done("PATCH", people.member("bob@example.com"), {"interests": {news: True}})
    for op, selected in (("interestcontains", "ab"), ("interestcontainsall", "a"), ("interestnotcontains", "c")):
        value = [news, tips]
        condition = {"condition_type": "Interests", "field": f"interests-{category}", "op": op, "value": value}
        assert select(people, condition) == selected


@pytest.mark.parametrize(
    "condition",
    [
        text("NOTHING", "is", "x"),
        text("LTV", "greater", "many"),
        day("greater", "soon"),
        {"condition_type": "StaticSegment", "field": "static_segment", "op": "static_is", "value": 1},
        {"condition_type": "Interests", "field": "interests-1", "op": "interestcontains", "value": ["2"]},
        {"condition_type": "Aim", "field": "aim", "op": "open", "value": "17"},
    ],
)
def test_a_condition_on_nothing_is_refused(people: Api, condition: dict[str, Any]) -> None:
    """Fields, segments, interests and campaigns that are not there are refused, and so are values of another kind."""
    body = {"name": "Segment", "options": {"match": "all", "conditions": [condition]}}
    assert people.refused("POST", f"{people.list}/segments", body)[:2] == (400, "Invalid Resource")


def test_a_static_segment_is_a_tag(people: Api) -> None:
    """Its members have the tag, whoever put it there; a name is taken once, whatever its case."""
    made = people.done("POST", f"{people.list}/segments", {"name": "VIP", "static_segment": []})
    refused = people.refused("POST", f"{people.list}/segments", {"name": "vip", "static_segment": []})
    assert refused == (400, "Bad Request", "Sorry, that tag already exists.")

    tags = {"tags": [{"name": "vip", "status": "active"}, {"name": "new", "status": "active"}]}
    assert people.done("POST", f"{people.member(ADA)}/tags", tags) is None
    assert [one["name"] for one in people.get(people.member(ADA))["tags"]] == ["VIP", "new"]
    assert people.get(f"{people.list}/tag-search", name="v")["tags"] == [{"id": made["id"], "name": "VIP"}]
    assert people.get(f"{people.list}/segments", type="static")["total_items"] == 2
    off = {"tags": [{"name": "new", "status": "inactive"}, {"name": "never", "status": "inactive"}]}
    people.done("POST", f"{people.member(ADA)}/tags", off)
    assert [one["name"] for one in people.get(f"{people.member(ADA)}/tags")["tags"]] == ["VIP"]
    assert people.refused("POST", f"{people.member('nobody@example.com')}/tags", off)[0] == 404

    people.done("DELETE", f"{people.list}/segments/{made['id']}")
    assert people.get(people.member(ADA))["tags"] == []


def test_members_are_put_in_and_taken_out_in_batches(people: Api) -> None:
    """Who is not on the list, or not subscribed, is named in the errors; the others are put in (F26)."""
    segment = people.done("POST", f"{people.list}/segments", {"name": "vip", "static_segment": emails("bob")})["id"]
    path = f"{people.list}/segments/{segment}"
    body = {"members_to_add": emails("ada", "bob", "dan", "nobody"), "members_to_remove": emails("bob", "cyd")}
    done = people.done("POST", path, body)
    assert (names(done["members_added"]), names(done["members_removed"])) == ("a", "b")
    assert (done["total_added"], done["total_removed"], done["error_count"]) == (1, 1, 2)
    assert [one["email_addresses"] for one in done["errors"]] == [emails("nobody"), emails("dan")]
    assert names(people.get(f"{path}/members")["members"]) == "a"

    again = people.done("POST", path, {"members_to_add": emails("ada")})
    assert (again["total_added"], again["error_count"]) == (0, 0)


def test_one_member_is_put_in_and_taken_out(people: Api) -> None:
    """Single members are put in if they are subscribed, and taken out if they are in."""
    segment = people.done("POST", f"{people.list}/segments", {"name": "vip", "static_segment": []})["id"]
    path = f"{people.list}/segments/{segment}/members"
    people.done("POST", path, {"email_address": ADA})
    assert people.refused("POST", path, {"email_address": "dan@example.com"})[0] == 400
    member = people.member(ADA).rpartition("/")[2]
    people.done("DELETE", f"{path}/{member}")
    assert people.refused("DELETE", f"{path}/{member}")[0] == 404


def test_who_leaves_is_out_of_every_segment(people: Api) -> None:
    """A segment shows who is subscribed, and the others when asked for."""
    segment = people.done("POST", f"{people.list}/segments", {"name": "vip", "static_segment": emails("ada", "bob")})[
        "id"
    ]
    people.simulator.person.unsubscribe(people.audience.id, ADA)
    path = f"{people.list}/segments/{segment}"
    assert names(people.get(f"{path}/members")["members"]) == "b"
    assert people.get(path)["member_count"] == 1
    assert people.get(path, include_unsubscribed="true")["member_count"] == 2
    assert names(people.get(f"{path}/members", include_unsubscribed="true")["members"]) == "ab"


def test_a_segment_is_changed_and_keeps_its_kind(people: Api) -> None:
    """A static segment gets other members, a saved one other conditions, and neither becomes the other."""
    path = f"{people.list}/segments"
    static = people.done("POST", path, {"name": "vip", "static_segment": emails("ada")})["id"]
    saved = people.done("POST", path, {"name": "Pro", "options": {"match": "all", "conditions": []}})["id"]
    people.simulator.wait(minutes=1)
    done = people.done("PATCH", f"{path}/{static}", {"name": "VIPs", "static_segment": emails("bob", "cyd")})
    assert (done["name"], done["member_count"], done["updated_at"]) == ("VIPs", 2, "2026-03-02T09:01:00+00:00")
    options = {"match": "all", "conditions": [text("PLAN", "is", "pro")]}
    assert people.done("PATCH", f"{path}/{saved}", {"name": "Pro", "options": options})["member_count"] == 1
    assert people.refused("PATCH", f"{path}/{saved}", {"name": "Pro", "static_segment": []})[0] == 400
    assert people.refused("PATCH", f"{path}/{static}", {"name": "vip", "options": options})[0] == 400
    assert people.refused("POST", f"{path}/{saved}", {"members_to_add": emails("ada")})[0] == 400
    assert people.refused("POST", path, {"name": "Neither"})[0] == 400
    assert people.refused("GET", f"{path}/1")[0] == 404


def test_eleven_conditions_break_the_contract(people: Api) -> None:
    """A segment has ten conditions at most."""
    body = {"name": "Many", "options": {"match": "any", "conditions": [text("PLAN", "is", "pro")] * 11}}
    assert people.ask("POST", f"{people.list}/segments", body).status_code == 400
    assert [one.where for one in people.server.violations] == ["body.options.conditions"]
    people.server.violations.clear()


def test_advanced_segments_are_for_other_plans(people: Api) -> None:
    """The newer segments answer 403, which is how an adapter learns that they are not to be had."""
    assert people.refused("POST", "/segments", {"any": "thing"})[:2] == (403, "Forbidden")


def test_what_the_simulator_does_not_do_fails_the_test(people: Api) -> None:
    """An operation that the vendor has and the simulator does not is no quiet success."""
    assert people.ask("GET", "/automations").status_code == 500
    [violation] = people.server.violations
    assert "does not do GET /automations" in violation.message
    people.server.violations.clear()
