"""Who comes back to the simulated account, and who does not."""

from pathlib import Path

import pytest

from adapters.mailchimp.tests.simulated import Api, error_details

ADA = "ada@example.com"


def test_who_left_by_themselves_only_comes_back_by_themselves(api: Api, shared: Path) -> None:
    """Neither PUT nor PATCH nor a batch brings back who left (F27); they can be asked, and confirm."""
    api.join("ada")
    api.simulator.person.unsubscribe(api.audience.id, ADA)
    wanted = (400, "Member In Compliance State", error_details(shared, ADA)["Member In Compliance State"])

    assert api.refused("PATCH", api.member(ADA), {"status": "subscribed"}) == wanted
    assert api.refused("PUT", api.member(ADA), {"email_address": ADA, "status": "subscribed"}) == wanted
    assert api.get(api.member(ADA))["unsubscribe_reason"] == "normal_unsubscribe"

    assert api.done("PATCH", api.member(ADA), {"status": "pending"})["status"] == "pending"
    assert api.simulator.account.confirmations == [(api.audience.id, ADA)]
    assert api.refused("PATCH", api.member(ADA), {"status": "subscribed"}) == wanted
    api.simulator.person.confirm(api.audience.id, ADA)
    assert api.get(api.member(ADA))["status"] == "subscribed"


@pytest.mark.parametrize("act", ["complain", "bounce"])
@pytest.mark.parametrize("status", ["subscribed", "pending"])
def test_who_complained_or_cannot_be_reached_is_not_asked(api: Api, act: str, status: str) -> None:
    """A complaint and a dead address survive whatever the API says (R23)."""
    api.join("ada")
    getattr(api.simulator.person, act)(api.audience.id, ADA)
    assert api.refused("PATCH", api.member(ADA), {"status": status})[1] == "Member In Compliance State"
    found = api.done("PATCH", api.member(ADA), {"status": "unsubscribed"})
    assert found["status"] == {"complain": "unsubscribed", "bounce": "cleaned"}[act]


def test_what_is_remembered_outlives_being_archived(api: Api) -> None:
    """Archiving somebody who left does not wipe out that they left."""
    api.join("ada")
    api.simulator.person.unsubscribe(api.audience.id, ADA)
    api.done("DELETE", api.member(ADA))
    assert api.refused("PUT", api.member(ADA), {"status": "subscribed"})[1] == "Member In Compliance State"


def test_who_was_taken_off_through_the_api_can_be_set_back(api: Api) -> None:
    """The API undoes what the API did, which the library must not do by itself."""
    api.join("ada", "bob")
    out = api.done("PATCH", api.member(ADA), {"status": "unsubscribed"})
    assert out["unsubscribe_reason"] == "N/A (Unsubscribed by admin)"
    assert api.done("PATCH", api.member(ADA), {"status": "subscribed"})["status"] == "subscribed"

    api.done("DELETE", api.member("bob@example.com"))
    assert api.get(api.member("bob@example.com"))["status"] == "archived"
    back = api.done("POST", f"{api.list}/members", {"email_address": "bob@example.com", "status": "subscribed"})
    assert back["status"] == "subscribed"


def test_who_was_deleted_for_good_is_forgotten(api: Api, shared: Path) -> None:
    """A forgotten address is not found, and not taken in, not even to be asked (F28); its owner may join again."""
    api.join("ada")
    api.done("POST", f"{api.member(ADA)}/actions/delete-permanent")
    wanted = (400, "Forgotten Email Not Subscribed", error_details(shared, ADA)["Forgotten Email Not Subscribed"])

    assert api.ask("GET", api.member(ADA)).status_code == 404
    for status in ("subscribed", "pending"):
        assert api.refused("POST", f"{api.list}/members", {"email_address": ADA, "status": status}) == wanted
        assert api.refused("PUT", api.member(ADA), {"email_address": ADA, "status_if_new": status}) == wanted
    assert api.refused("POST", f"{api.member(ADA)}/actions/delete-permanent")[0] == 404

    api.simulator.person.join(api.audience.id, ADA)
    assert api.get(api.member(ADA))["status"] == "subscribed"


def test_only_who_is_in_can_be_archived(api: Api) -> None:
    """Who bounced, was asked, or is archived is not archived."""
    api.join("ada", "bob", "cyd")
    api.simulator.person.bounce(api.audience.id, "bob@example.com")
    api.done("PATCH", api.member("cyd@example.com"), {"status": "pending"})
    api.done("DELETE", api.member(ADA))
    answers = [api.ask("DELETE", api.member(f"{name}@example.com")) for name in ("ada", "bob", "cyd")]
    assert {(answer.status_code, answer.headers["Allow"]) for answer in answers} == {(405, "GET, PUT")}
