"""Many members of the simulated account in one call: each of them by itself goes well or not."""

from pathlib import Path
from typing import Any

import pytest
from lifecycle_mail_mailchimp.testing import MailchimpSimulator, mailchimp_server

from adapters.mailchimp.tests.simulated import Api, error_details

ADA = "ada@example.com"


def test_a_batch_says_what_became_of_each(api: Api, shared: Path) -> None:
    """One batch takes in, changes and refuses, each for itself (F26-F28)."""
    api.join("ada", "bob", "cyd", "dan")
    api.simulator.audiences.make_field(api.audience, "LTV", "Value", "number")
    api.simulator.person.unsubscribe(api.audience.id, "bob@example.com")
    api.done("POST", f"{api.member('cyd@example.com')}/actions/delete-permanent")
    api.done("DELETE", api.member("dan@example.com"))
    names = ("ada", "bob", "cyd", "dan", "new", "new", "foo", "bad")
    members: list[dict[str, Any]] = [{"email_address": f"{name}@example.com", "status": "subscribed"} for name in names]
    members[-1]["merge_fields"] = {"LTV": "many"}

    done = api.done("POST", api.list, {"members": members, "update_existing": True})
    assert [one["email_address"] for one in done["new_members"]] == ["dan@example.com", "new@example.com"]
    assert [one["email_address"] for one in done["updated_members"]] == ["ada@example.com"]
    assert (done["total_created"], done["total_updated"], done["error_count"]) == (2, 1, 5)
    told = error_details(shared, ADA)
    assert [(one["email_address"].partition("@")[0], one["error"]) for one in done["errors"]] == [
        ("bob", told["Member In Compliance State"].replace("ada", "bob")),
        ("cyd", told["Forgotten Email Not Subscribed"].replace("ada", "cyd")),
        ("new", "new@example.com is in this request more than once"),
        ("foo", "foo@example.com looks fake or invalid, please enter a real email address."),
        ("bad", "Your merge fields were invalid."),
    ]
    assert {one["error_code"] for one in done["errors"]} == {"ERROR_GENERIC"}
    assert (done["errors"][-1]["field"], done["errors"][-1]["field_message"]) == ("LTV", "Please enter a number")


def test_a_batch_leaves_members_alone_unless_told(api: Api) -> None:
    """Without `update_existing`, who is there is an error of its own kind."""
    api.join("ada")
    done = api.done("POST", api.list, {"members": [{"email_address": ADA, "status": "unsubscribed"}]})
    assert done["errors"] == [
        {
            "email_address": ADA,
            "error": f"{ADA} is already a list member, do you want to update? please provide update_existing:true in "
            f"the request body",
            "error_code": "ERROR_CONTACT_EXISTS",
        }
    ]
    assert api.get(api.member(ADA))["status"] == "subscribed"


def test_a_batch_puts_tags_and_replaces_them_when_told(api: Api) -> None:
    """`sync_tags` makes the tags of the request the only ones."""
    for tags, sync in ((["a", "b"], False), (["c"], False), (["c", "d"], True)):
        member = {"email_address": ADA, "status": "subscribed", "tags": tags}
        done = api.done("POST", api.list, {"members": [member], "update_existing": True, "sync_tags": sync})
        assert done["error_count"] == 0
    assert [one["name"] for one in api.get(api.member(ADA))["tags"]] == ["c", "d"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"members": [{"email_address": ADA, "status": "subscribed"}] * 501}, "body.members"),
        ({"members": [{"email_address": ADA, "status_if_new": "subscribed"}]}, "body.members[0]"),
        ({"members": [], "update": True}, "body"),
        ({"members": [{"email_address": ADA, "status": "archived"}]}, "body.members[0].status"),
    ],
)
def test_what_the_specification_does_not_catch_is_caught(spec: Path, body: Any, where: str) -> None:
    """A batch of 501, and keys that nobody specified, are violations of the contract."""
    with mailchimp_server(spec, MailchimpSimulator()) as server:
        api = Api(MailchimpSimulator(), server)
        answer = api.ask("POST", api.list, body)
        api.close()
        assert answer.status_code == 400
        assert [violation.where for violation in server.violations] == [where]
