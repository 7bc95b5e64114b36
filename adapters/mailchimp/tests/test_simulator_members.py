"""Members of the simulated account, one by one."""

from pathlib import Path
from typing import Any

from lifecycle_mail_mailchimp.testing.state import member_hash

from adapters.mailchimp.tests.simulated import Api, error_details

ADA = "ada@example.com"


def test_a_member_is_taken_in_and_read_back(api: Api) -> None:
    """What is given is kept, and what is not given is there all the same."""
    body = {"email_address": ADA, "status": "subscribed", "merge_fields": {"FNAME": "Ada", "LNAME": "Lovelace"}}
    api.done("POST", f"{api.list}/members", body)

    found = api.get(api.member("ADA@example.com"))
    assert (found["id"], found["status"], found["full_name"]) == (member_hash(ADA), "subscribed", "Ada Lovelace")
    assert found["timestamp_opt"] == found["last_changed"] == "2026-03-02T09:00:00+00:00"
    assert "interests" not in found
    assert "unsubscribe_reason" not in found


def test_an_address_must_be_one(api: Api) -> None:
    """What is no address, looks fake, or joins too many lists is refused in the words that were recorded."""
    api.simulator.changes.throttled.add("max@example.com")
    details = [
        api.refused("POST", f"{api.list}/members", {"email_address": email, "status": "subscribed"})
        for email in ("ada", "foo@example.com", "x@fake.example", "max@example.com")
    ]
    assert [detail for _, _, detail in details] == [
        "Please provide a valid email address.",
        "foo@example.com looks fake or invalid, please enter a real email address.",
        "x@fake.example looks fake or invalid, please enter a real email address.",
        "max@example.com has signed up to a lot of lists very recently; we're not allowing more signups for now",
    ]
    assert {(status, title) for status, title, _ in details} == {(400, "Invalid Resource")}


def test_posting_somebody_twice_is_refused(api: Api, shared: Path) -> None:
    """Who is there is not taken in again."""
    api.join("ada")
    refused = api.refused("POST", f"{api.list}/members", {"email_address": ADA, "status": "subscribed"})
    assert refused == (
        400,
        "Member Exists",
        f"{ADA} is already a list member. Use PUT to insert or update list members.",
    )
    assert error_details(shared, ADA)["Member Exists"].split(" ", 1)[1] == refused[2].split(" ", 1)[1]


def test_put_takes_in_or_changes(api: Api) -> None:
    """PUT takes `status_if_new` of a stranger, and of a member leaves the status as it is."""
    body = {"email_address": ADA, "status_if_new": "unsubscribed"}
    assert api.done("PUT", api.member(ADA), body)["status"] == "unsubscribed"
    changed = {"email_address": ADA, "status_if_new": "subscribed", "merge_fields": {"FNAME": "Ada"}}
    found = api.done("PUT", api.member(ADA), changed)
    assert (found["status"], found["merge_fields"]["FNAME"]) == ("unsubscribed", "Ada")
    assert api.refused("PUT", api.member("bob@example.com"), {"status": "subscribed"})[0] == 404


def test_put_of_another_s_address_is_refused(api: Api) -> None:
    """A stranger's hash does not lead to a member by the address in the body."""
    api.join("ada")
    body = {"email_address": ADA, "status_if_new": "subscribed"}
    assert api.refused("PUT", api.member("bob@example.com"), body)[1] == "Member Exists"
    assert api.refused("PUT", api.member("bob@example.com"), {"email_address": "bob@example.com"})[0] == 400


def test_an_address_can_be_cleaned_through_the_api(api: Api) -> None:
    """What is cleaned through the API stays cleaned as well."""
    api.join("ada")
    assert api.done("PATCH", api.member(ADA), {"status": "cleaned", "vip": True})["status"] == "cleaned"
    assert api.refused("PATCH", api.member(ADA), {"status": "subscribed"})[1] == "Member In Compliance State"
    assert api.get(f"{api.list}/members", vip_only="true")["total_items"] == 1


def test_an_address_is_changed_unless_somebody_has_it(api: Api) -> None:
    """A member keeps the contact id under a new address; the address of somebody else is refused."""
    api.join("ada", "bob")
    before = api.get(api.member(ADA))
    after = api.done("PATCH", api.member(ADA), {"email_address": "lady@example.com"})
    assert after["contact_id"] == before["contact_id"]
    assert after["id"] == member_hash("lady@example.com")
    assert api.ask("GET", api.member(ADA)).status_code == 404
    assert (
        api.refused("PATCH", api.member("lady@example.com"), {"email_address": "bob@example.com"})[1] == "Member Exists"
    )


def test_members_are_read_by_pages_and_filters(api: Api) -> None:
    """Pages, filters and fields work as documented; who is archived shows only when asked for."""
    for name in ("ada", "bob", "cyd", "dan"):
        api.join(name)
        api.simulator.wait(minutes=1)
    api.simulator.person.unsubscribe(api.audience.id, "bob@example.com")
    api.done("DELETE", api.member("dan@example.com"))

    def emails(**query: Any) -> list[str]:
        found = api.get(f"{api.list}/members", **query)
        assert found["total_items"] >= len(found["members"])
        return [one["email_address"].partition("@")[0] for one in found["members"]]

    assert emails() == ["ada", "bob", "cyd"]
    assert emails(count=1, offset=1) == ["bob"]
    assert emails(status="archived") == ["dan"]
    assert emails(status="unsubscribed", unsubscribed_since="2026-03-02T09:03:59Z") == ["bob"]
    assert emails(since_last_changed="2026-03-02T09:02:00Z") == ["bob"]
    assert emails(since_last_changed="2026-03-02T09:01:59+00:00") == ["bob", "cyd"]
    assert emails(before_last_changed="2026-03-02T09:01:00Z") == ["ada"]
    assert emails(sort_field="last_changed", sort_dir="DESC") == ["bob", "cyd", "ada"]
    found = api.get(f"{api.list}/members", fields="members.id,members.merge_fields.FNAME,total_items", count=1)
    assert found == {"members": [{"id": member_hash(ADA), "merge_fields": {"FNAME": ""}}], "total_items": 3}
    found = api.get(f"{api.list}/members", exclude_fields="members.merge_fields,_links", count=1)
    assert "merge_fields" not in found["members"][0]
    assert "_links" not in found
    assert api.refused("GET", f"{api.list}/members", status="cleaned", unsubscribed_since="2026-03-02")[0] == 400
    assert api.refused("GET", f"{api.list}/members", since_last_changed="yesterday")[0] == 400


def test_a_write_that_changes_nothing_changes_no_date(api: Api) -> None:
    """The date of the last change moves with changes only."""
    api.join("ada")
    api.simulator.wait(hours=1)
    assert api.done("PUT", api.member(ADA), {"email_address": ADA})["last_changed"] == "2026-03-02T09:00:00+00:00"
    named = {"merge_fields": {"FNAME": "Ada"}}
    assert api.done("PATCH", api.member(ADA), named)["last_changed"] == "2026-03-02T10:00:00+00:00"


def test_what_happened_to_a_member_is_told(api: Api) -> None:
    """The activity feed has the latest first, and says who took somebody off."""
    api.join("ada")
    api.simulator.wait(minutes=1)
    api.done("PATCH", api.member(ADA), {"status": "unsubscribed"})
    feed = api.get(f"{api.member(ADA)}/activity-feed")["activity"]
    assert feed == [
        {
            "activity_type": "unsub",
            "created_at_timestamp": "2026-03-02T09:01:00+00:00",
            "unsubscribe_reason": "N/A (Unsubscribed by admin)",
            "is_admin_unsubscribed": True,
        }
    ]
    assert api.get(f"{api.member(ADA)}/activity-feed", activity_filters="open")["activity"] == []


def test_members_are_found_by_address(api: Api) -> None:
    """A search tells who has the address, and who has it in theirs."""
    api.join("ada", "adam")
    found = api.get("/search-members", query=ADA)
    assert [one["email_address"] for one in found["exact_matches"]["members"]] == [ADA]
    assert api.get("/search-members", query="ada")["full_search"]["total_items"] == 2
