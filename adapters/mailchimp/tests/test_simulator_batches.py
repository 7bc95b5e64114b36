"""Batches of the simulated account: later, in no order, and each operation by itself."""

import io
import json
import tarfile
from typing import Any

import requests

from adapters.mailchimp.tests.simulated import Api


def put(api: Api, name: str, **body: Any) -> dict[str, Any]:
    """Return an operation that takes somebody in."""
    email = f"{name}@example.com"
    told = json.dumps({"email_address": email, "status_if_new": "subscribed", **body})
    return {"method": "PUT", "path": api.member(email), "operation_id": name, "body": told}


def fetch(url: str) -> list[dict[str, Any]]:
    """Return the results behind a link."""
    answer = requests.get(url, timeout=5)
    assert answer.status_code == 200, answer.text
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as archive:
        files = [archive.extractfile(member) for member in archive.getmembers()]
        return [one for file in files if file is not None for one in json.loads(file.read())]


def test_a_batch_is_done_later_and_in_no_order(api: Api) -> None:
    """Nothing is done until time goes by; finished is not success, and the results are in no order."""
    names = [f"p{number}" for number in range(9)]
    batch = api.done("POST", "/batches", {"operations": [*(put(api, name) for name in names), put(api, "foo")]})
    assert (batch["status"], batch["total_operations"], batch["finished_operations"]) == ("pending", 10, 0)
    assert (batch["completed_at"], batch["response_body_url"]) == ("", "")
    assert api.audience.members == {}

    api.simulator.wait(seconds=40)
    assert api.get(f"/batches/{batch['id']}")["status"] == "started"
    api.simulator.wait(seconds=20)
    found = api.get(f"/batches/{batch['id']}")
    assert (found["status"], found["finished_operations"], found["errored_operations"]) == ("finished", 10, 1)
    assert len(api.audience.members) == 9

    results = fetch(found["response_body_url"])
    order = [one["operation_id"] for one in results]
    assert sorted(order) == sorted([*names, "foo"])
    assert order != [*names, "foo"]
    by_id = {one["operation_id"]: (one["status_code"], json.loads(one["response"])) for one in results}
    assert by_id["p3"][1]["email_address"] == "p3@example.com"
    assert (by_id["foo"][0], by_id["foo"][1]["title"]) == (400, "Invalid Resource")


def test_results_are_fetched_without_a_key_and_in_time(api: Api) -> None:
    """A link lives for 10 minutes, a fresh one can be had for 7 days, and a key shown to the storage is refused."""
    batch = api.done("POST", "/batches", {"operations": [{"method": "GET", "path": "/ping", "params": {}}]})["id"]
    api.simulator.wait(minutes=1)
    url = api.get(f"/batches/{batch}")["response_body_url"]
    assert requests.get(url, timeout=5, auth=("app", "key-us6")).status_code == 400
    assert json.loads(fetch(url)[0]["response"]) == {"health_status": "Everything's Chimpy!"}
    api.simulator.wait(minutes=10)
    assert requests.get(url, timeout=5).status_code == 403
    assert fetch(api.get(f"/batches/{batch}")["response_body_url"])
    api.simulator.wait(days=7)
    assert api.get(f"/batches/{batch}")["response_body_url"] == ""
    assert requests.get(url.replace(batch, "other"), timeout=5).status_code == 403


def test_what_a_batch_brings_is_held_against_the_contract(api: Api) -> None:
    """An operation with an unknown key, or for nothing that there is, is a violation as it would be by itself."""
    nowhere = {"method": "GET", "path": "/nowhere"}
    api.done("POST", "/batches", {"operations": [put(api, "ada", state="in"), nowhere]})
    api.simulator.wait(minutes=1)
    assert {(one.request.split(" ")[0], one.where) for one in api.server.violations} == {
        ("PUT", "body"),
        ("GET", "path"),
    }
    assert api.audience.members == {}
    api.server.violations.clear()


def test_the_body_of_an_operation_is_json_in_a_string(api: Api) -> None:
    """A body that is no JSON object is refused at once, and an object in its place breaks the contract."""
    operation = {"method": "PUT", "path": api.member("ada@example.com"), "body": "status=subscribed"}
    assert api.refused("POST", "/batches", {"operations": [operation]})[0] == 400
    assert api.ask("POST", "/batches", {"operations": [{**operation, "body": {"a": 1}}]}).status_code == 400
    assert [one.where for one in api.server.violations] == ["body.operations[0].body"]
    api.server.violations.clear()


def test_a_batch_can_be_given_up(api: Api) -> None:
    """What is not done is not done any more."""
    batch = api.done("POST", "/batches", {"operations": [put(api, "ada")]})["id"]
    assert api.get("/batches")["total_items"] == 1
    api.done("DELETE", f"/batches/{batch}")
    api.simulator.wait(minutes=5)
    assert api.audience.members == {}
    assert api.refused("GET", f"/batches/{batch}")[0] == 404


def test_only_so_many_batches_may_wait(api: Api) -> None:
    """More than so many at once, 500 at Mailchimp, are turned away until some are done (F24)."""
    operations = [{"method": "GET", "path": "/ping"}]
    assert api.simulator.batches.most_pending == 500
    api.simulator.batches.most_pending = 3
    for _ in range(3):
        api.done("POST", "/batches", {"operations": operations})
    assert api.refused("POST", "/batches", {"operations": operations})[:2] == (429, "Too Many Requests")
    api.simulator.wait(minutes=1)
    api.done("POST", "/batches", {"operations": operations})
