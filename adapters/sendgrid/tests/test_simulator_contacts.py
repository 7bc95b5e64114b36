"""The simulator's contacts: what is taken at once, what comes out later, and how they are found."""

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from lifecycle_mail_sendgrid.testing.contacts import MOST_CONTACTS
from lifecycle_mail_sendgrid.testing.fields import MOST_FIELDS
from lifecycle_mail_sendgrid.testing.simulator import SendgridSimulator

PUT = "PUT /v3/marketing/contacts"
SEARCH = "POST /v3/marketing/contacts/search"
BY_EMAIL = f"{SEARCH}/emails"
BY_IDENTIFIER = f"{SEARCH}/identifiers/{{identifier_type}}"
JOB = "GET /v3/marketing/contacts/imports/{id}"
EXPORT = "POST /v3/marketing/contacts/exports"
EXPORTED = "GET /v3/marketing/contacts/exports/{id}"
LISTS = "POST /v3/marketing/lists"
FIELDS = "POST /v3/marketing/field_definitions"


def put(simulator: SendgridSimulator, *contacts: dict[str, Any], lists: list[str] | None = None) -> Any:
    """Tell of contacts, let the job be done, and return what is said of it."""
    answer = simulator.ask(PUT, {"contacts": list(contacts), "list_ids": lists or []})
    assert 202 == answer.status
    simulator.settle()
    return simulator.ask(JOB, id=answer.json["job_id"]).json


def shown(simulator: SendgridSimulator, email: str) -> Any:
    """Return a contact as it is shown."""
    return simulator.ask(BY_EMAIL, {"emails": [email]}).json["result"][email]["contact"]


def found(simulator: SendgridSimulator, query: str) -> list[str]:
    """Return the addresses that a query finds."""
    return [one["email"] for one in simulator.ask(SEARCH, {"query": query}).json["result"]]


def test_a_contact_shows_only_once_its_job_is_done() -> None:
    """202 says that the job is taken on: until it is done nobody is there."""
    simulator = SendgridSimulator()
    job_id = simulator.ask(PUT, {"contacts": [{"email": "Ada@Example.com"}]}).json["job_id"]
    assert "pending" == simulator.ask(JOB, id=job_id).json["status"]
    assert 404 == simulator.ask(BY_EMAIL, {"emails": ["ada@example.com"]}).status
    simulator.settle()
    job = simulator.ask(JOB, id=job_id).json
    assert ("completed", 1, 0) == (job["status"], job["results"]["created_count"], job["results"]["errored_count"])
    assert "ada@example.com" == shown(simulator, "ada@example.com")["email"]


def test_asking_often_enough_lets_a_job_be_done() -> None:
    """An adapter that polls sees the job done at the poll that the test set."""
    simulator = SendgridSimulator(settle_after=3)
    job_id = simulator.ask(PUT, {"contacts": [{"email": "ada@example.com"}]}).json["job_id"]
    states = [simulator.ask(JOB, id=job_id).json["status"] for _ in range(4)]
    assert ["pending", "pending", "completed", "completed"] == states


def test_nothing_is_left_for_later_where_a_test_wants_none_of_it() -> None:
    """`settle_after=0` does everything at once."""
    simulator = SendgridSimulator(settle_after=0)
    simulator.ask(PUT, {"contacts": [{"email": "ada@example.com"}]})
    assert 1 == len(simulator.contacts)


def test_only_what_is_named_changes_and_empty_text_clears() -> None:
    """Fields that are left out stay; lists are only added to; custom fields are shown by their names."""
    simulator = SendgridSimulator()
    plan, spent, since = (
        simulator.fields.define(*one) for one in (("plan", "Text"), ("spent", "Number"), ("since", "Date"))
    )
    news, offers = simulator.lists.add("News"), simulator.lists.add("Offers")
    told = {plan.id: "pro", spent.id: 15.5, since.id: "2021-02-11T23:03:03.000Z"}
    put(simulator, {"email": "ada@example.com", "first_name": "Ada", "custom_fields": told}, lists=[news.id])
    put(
        simulator,
        {"email": "ada@example.com", "last_name": "Byron", "custom_fields": {plan.id: None}},
        lists=[offers.id],
    )
    one = shown(simulator, "ada@example.com")
    assert ("Ada", "Byron") == (one["first_name"], one["last_name"])
    assert {"spent": 15.5, "since": "2021-02-11T23:03:03Z"} == one["custom_fields"]
    assert sorted([news.id, offers.id]) == one["list_ids"]
    put(simulator, {"email": "ada@example.com", "first_name": ""})
    assert "" == shown(simulator, "ada@example.com")["first_name"]


def test_an_address_that_is_none_refuses_the_whole_call() -> None:
    """400 at once, as recorded: nobody of the call is taken."""
    simulator = SendgridSimulator()
    answer = simulator.ask(PUT, {"contacts": [{"email": "ada@example.com"}, {"email": "000"}, {"first_name": "X"}]})
    assert 400 == answer.status
    assert ["contacts[1].email", "contacts[2]"] == [one["field"] for one in answer.json["errors"]]
    assert "email '000' is not valid" == answer.json["errors"][0]["message"]
    simulator.settle()
    assert 0 == len(simulator.contacts)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"contacts": [{"email": "a@example.com", "custom_fields": {"e9_T": "x"}}]}, 400, "contacts[0].custom_fields"),
        ({"contacts": [{"email": "a@example.com"}], "list_ids": ["nowhere"]}, 404, "list_ids"),
        ({"contacts": []}, 400, "contacts"),
        ({"contacts": [{"email": "a@example.com"}] * (MOST_CONTACTS + 1)}, 400, "contacts"),
        ({"contacts": [{"email": "a@example.com", "city": "x" * 6_000_000}]}, 413, None),
    ],
)
def test_what_is_refused_at_once(body: dict[str, Any], status: int, field: str | None) -> None:
    """Unknown fields and lists, nobody, more than 30,000, and more than 6 MB."""
    answer = SendgridSimulator().ask(PUT, body)
    assert (status, field) == (answer.status, answer.json["errors"][0].get("field"))


def test_values_of_a_wrong_type_fail_only_their_contact() -> None:
    """F26: 202, and later a job with errors behind a link; nothing of that contact was changed."""
    simulator = SendgridSimulator()
    since = simulator.fields.define("since", "Date")
    wrong = {"email": "bob@example.com", "first_name": "Bob", "custom_fields": {since.id: "AAAAA"}}
    job = put(simulator, {"email": "ada@example.com"}, wrong)
    assert ("errored", 1, 1) == (job["status"], job["results"]["created_count"], job["results"]["errored_count"])
    name, _, signature = job["results"]["errors_url"].rpartition("/")[2].partition("?X-Amz-Signature=")
    file = simulator.ask("GET /downloads/{name}", query={"X-Amz-Signature": signature}, name=name)
    assert 400 == file.status, "a link takes no key"
    assert 404 == simulator.ask(BY_EMAIL, {"emails": ["bob@example.com"]}).status


def test_a_job_fails_as_a_whole_where_all_do_or_a_test_says_so() -> None:
    """F26: `failed` is nothing but errors, or work that could not be begun."""
    simulator = SendgridSimulator()
    simulator.contacts.refused["bob@example.com"] = "this contact cannot be stored"
    assert "failed" == put(simulator, {"email": "bob@example.com"})["status"]
    simulator.break_jobs()
    job = put(simulator, {"email": "ada@example.com"})
    assert ("failed", 1) == (job["status"], job["results"]["errored_count"])
    assert 0 == len(simulator.contacts)


def test_who_is_known_must_be_named_by_all_identifiers() -> None:
    """A contact with an address and an id of ours cannot be updated by the address alone; one may be added."""
    simulator = SendgridSimulator()
    put(simulator, {"email": "ada@example.com"})
    assert 1 == put(simulator, {"email": "ada@example.com", "external_id": "ada"})["results"]["updated_count"]
    assert "failed" == put(simulator, {"email": "ada@example.com", "first_name": "Ada"})["status"]
    assert "failed" == put(simulator, {"email": "ada@example.org", "external_id": "ada"})["status"]
    put(simulator, {"email": "bob@example.com", "external_id": "bob"})
    assert "failed" == put(simulator, {"email": "ada@example.com", "external_id": "bob"})["status"]
    one = simulator.ask(BY_IDENTIFIER, {"identifiers": ["ada", "eve"]}, identifier_type="external_id").json["result"]
    assert "ada@example.com" == one["ada"]["contact"]["email"]
    assert {"error": "contact not found"} == one["eve"]


def test_an_identifier_can_be_taken_away_unless_it_is_the_last() -> None:
    """How an address changes: the old one goes, the new one comes."""
    simulator = SendgridSimulator()
    put(simulator, {"email": "ada@example.com", "external_id": "ada"})
    contact_id = shown(simulator, "ada@example.com")["id"]
    away = "DELETE /v3/marketing/contacts/{contact_id}/identifiers"
    simulator.ask(away, {"identifier_type": "EMAIL", "identifier_value": "ada@example.com"}, contact_id=contact_id)
    simulator.settle()
    put(simulator, {"email": "ada@example.org", "external_id": "ada"})
    assert contact_id == shown(simulator, "ada@example.org")["id"]
    put(simulator, {"external_id": "bob"})
    bob = simulator.contacts.named("external_id", "bob")
    assert bob is not None
    body = {"identifier_type": "EXTERNALID", "identifier_value": "bob"}
    job_id = simulator.ask(away, body, contact_id=bob.id).json["job_id"]
    simulator.settle()
    assert "failed" == simulator.ask(JOB, id=job_id).json["status"]


def test_search_by_addresses_takes_a_hundred_and_says_404_of_nobody() -> None:
    """A partly successful search says for each address what is wrong; case and alternate addresses do not matter."""
    simulator = SendgridSimulator()
    put(simulator, {"email": "ada@example.com", "alternate_emails": ["Ada@Work.example"]})
    result = simulator.ask(BY_EMAIL, {"emails": ["ADA@example.com", "ada@work.example", "bob@example.com"]}).json[
        "result"
    ]
    assert {"ada@example.com", "ada@work.example", "bob@example.com"} == set(result)
    assert "contact" in result["ada@example.com"]
    assert "contact" in result["ada@work.example"]
    assert {"error": "contact not found"} == result["bob@example.com"]
    assert 404 == simulator.ask(BY_EMAIL, {"emails": ["bob@example.com"]}).status
    assert 400 == simulator.ask(BY_EMAIL, {"emails": ["bob"]}).status
    assert 400 == simulator.ask(BY_EMAIL, {"emails": [f"a{n}@example.com" for n in range(101)]}).status


def test_a_query_finds_fifty_and_counts_all() -> None:
    """The first 50 are shown; who wants all exports them."""
    simulator = SendgridSimulator()
    for number in range(60):
        simulator.contacts.add(email=f"a{number:02}@example.com")
    answer = simulator.ask(SEARCH, {"query": "email LIKE '%@example.com'"}).json
    assert (60, 50) == (answer["contact_count"], len(answer["result"]))


def test_a_query_can_ask_for_lists_ids_and_fields() -> None:
    """The part of the language that an adapter needs, and what it says of nonsense."""
    simulator = SendgridSimulator()
    news, plan = simulator.lists.add("News"), simulator.fields.define("plan", "Text")
    simulator.contacts.add(
        email="ada@example.com", external_id="ada", custom_fields={plan.id: "pro"}, list_ids=[news.id]
    )
    simulator.contacts.add(email="bob@example.com", external_id="bob")
    assert ["ada@example.com"] == found(simulator, f"CONTAINS(list_ids, '{news.id}')")
    assert ["bob@example.com"] == found(simulator, "external_id = 'bob'")
    assert ["ada@example.com"] == found(simulator, "plan = 'pro' AND NOT email = 'bob@example.com'")
    assert [] == found(simulator, "plan != 'pro'"), "what is missing differs from nothing"
    for nonsense in ("", "email =", "shoe = '1'", "email = 'a' email", "email ~ 'a'", "FLY(email)"):
        assert 400 == simulator.ask(SEARCH, {"query": nonsense}).status


def test_deleting_is_a_job_and_takes_a_list_of_ids() -> None:
    """Nobody is gone before it is done; everybody goes only where that is said."""
    simulator = SendgridSimulator()
    ids = [simulator.contacts.add(email=f"a{number}@example.com").id for number in range(3)]
    assert 400 == simulator.ask("DELETE /v3/marketing/contacts").status
    simulator.ask("DELETE /v3/marketing/contacts", query={"ids": ",".join(ids[:2])})
    assert 3 == simulator.ask("GET /v3/marketing/contacts/count").json["contact_count"]
    simulator.settle()
    assert ["a2@example.com"] == [one.email for one in simulator.contacts]
    simulator.ask("DELETE /v3/marketing/contacts", query={"delete_all_contacts": "true"})
    simulator.settle()
    assert 0 == len(simulator.contacts)


def test_contacts_can_be_had_by_their_ids() -> None:
    """One, a hundred, and a sample of the latest; who is gone is left out."""
    simulator = SendgridSimulator()
    ids = [simulator.contacts.add(email=f"a{number}@example.com").id for number in range(2)]
    assert "a0@example.com" == simulator.ask("GET /v3/marketing/contacts/{id}", id=ids[0]).json["email"]
    assert 404 == simulator.ask("GET /v3/marketing/contacts/{id}", id="nobody").status
    batch = "POST /v3/marketing/contacts/batch"
    assert 2 == len(simulator.ask(batch, {"ids": [*ids, "nobody"]}).json["result"])
    assert 400 == simulator.ask(batch, {"ids": ["x"] * 101}).status
    assert 2 == simulator.ask("GET /v3/marketing/contacts").json["contact_count"]


# -- lists


def test_the_name_of_a_list_is_unique() -> None:
    """Making or renaming one to a name that is taken is refused."""
    simulator = SendgridSimulator()
    made = simulator.ask(LISTS, {"name": "News"})
    assert (201, 0) == (made.status, made.json["contact_count"])
    assert 400 == simulator.ask(LISTS, {"name": "News"}).status
    other = simulator.ask(LISTS, {"name": "Offers"}).json["id"]
    assert 400 == simulator.ask("PATCH /v3/marketing/lists/{id}", {"name": "News"}, id=other).status
    assert "Deals" == simulator.ask("PATCH /v3/marketing/lists/{id}", {"name": "Deals"}, id=other).json["name"]


def test_lists_come_in_pages() -> None:
    """A page says where the next one is, until there is none."""
    simulator = SendgridSimulator()
    made = {simulator.lists.add(f"List {number}").id for number in range(5)}
    seen: list[str] = []
    token = ""
    while True:
        answer = simulator.ask("GET /v3/marketing/lists", query={"page_size": 2, "page_token": token}).json
        seen += [one["id"] for one in answer["result"]]
        if "next" not in answer["_metadata"]:
            break
        token = answer["_metadata"]["next"].rpartition("page_token=")[2]
    assert sorted(made) == seen
    for query in ({"page_size": 0}, {"page_size": 1001}, {"page_token": "nonsense"}):
        assert 400 == simulator.ask("GET /v3/marketing/lists", query=query).status


def test_leaving_a_list_is_a_job_and_deletes_nobody() -> None:
    """Only the membership goes; a list that is deleted leaves its contacts, unless that is said."""
    simulator = SendgridSimulator()
    news = simulator.lists.add("News")
    ada = simulator.contacts.add(email="ada@example.com", list_ids=[news.id])
    off = "DELETE /v3/marketing/lists/{id}/contacts"
    assert 202 == simulator.ask(off, query={"contact_ids": ada.id}, id=news.id).status
    count = "GET /v3/marketing/lists/{id}/contacts/count"
    assert 1 == simulator.ask(count, id=news.id).json["contact_count"]
    simulator.settle()
    assert 0 == simulator.ask(count, id=news.id).json["contact_count"]
    assert 204 == simulator.ask("DELETE /v3/marketing/lists/{id}", id=news.id).status
    assert 404 == simulator.ask(count, id=news.id).status
    again = simulator.lists.add("News")
    simulator.contacts.add(email="ada@example.com", list_ids=[again.id])
    simulator.ask("DELETE /v3/marketing/lists/{id}", query={"delete_contacts": "true"}, id=again.id)
    simulator.settle()
    assert 0 == len(simulator.contacts)


# -- fields


@pytest.mark.parametrize("name", ["Plan", "plan", "EMAIL", "2020_spend", "with space", "é", ""])
def test_names_of_fields_that_are_refused(name: str) -> None:
    """Taken in any case, reserved, beginning with a digit, or with other characters."""
    simulator = SendgridSimulator()
    simulator.ask(FIELDS, {"name": "plan", "field_type": "Text"})
    assert 400 == simulator.ask(FIELDS, {"name": name, "field_type": "Text"}).status


def test_there_are_five_hundred_fields_at_most() -> None:
    """The next one is refused; a deleted one makes room and takes its values along."""
    simulator = SendgridSimulator()
    fields = [simulator.fields.define(f"f{number}", "Text") for number in range(MOST_FIELDS)]
    assert 400 == simulator.ask(FIELDS, {"name": "more", "field_type": "Text"}).status
    simulator.contacts.add(email="ada@example.com", custom_fields={fields[0].id: "x"})
    assert (
        204
        == simulator.ask(
            "DELETE /v3/marketing/field_definitions/{custom_field_id}", custom_field_id=fields[0].id
        ).status
    )
    assert {} == shown(simulator, "ada@example.com")["custom_fields"]
    assert "e501_N" == simulator.ask(FIELDS, {"name": "more", "field_type": "Number"}).json["id"]


# -- exports


def fetched(simulator: SendgridSimulator, url: str) -> Any:
    """Fetch a link without a key, as it must be."""
    name, _, signature = url.rpartition("/")[2].partition("?X-Amz-Signature=")
    operation = "GET /downloads/{name}"
    from lifecycle_mail.testing.contract import Request

    return simulator.answer(
        Request(
            method="GET",
            path=f"/downloads/{name}",
            query={"X-Amz-Signature": [signature]},
            operation=operation,
            path_parameters={"name": name},
        )
    )


def test_an_export_is_made_later_and_fetched_from_links() -> None:
    """Gzip with a line of JSON each; of one list, of everybody, and nobody else."""
    simulator = SendgridSimulator()
    news, plan = simulator.lists.add("News"), simulator.fields.define("plan", "Text")
    simulator.contacts.add(
        email="ada@example.com", external_id="ada", custom_fields={plan.id: "pro"}, list_ids=[news.id]
    )
    simulator.contacts.add(email="bob@example.com")
    ids = [simulator.ask(EXPORT, {**of, "file_type": "json"}).json["id"] for of in ({"list_ids": [news.id]}, {})]
    assert "pending" == simulator.ask(EXPORTED, id=ids[0]).json["status"]
    simulator.settle()
    rows = []
    for export_id in ids:
        export = simulator.ask(EXPORTED, id=export_id).json
        assert "ready" == export["status"]
        text = gzip.decompress(fetched(simulator, export["urls"][0]).body).decode()
        rows.append([json.loads(line) for line in text.splitlines()])
    assert [1, 2] == [len(one) for one in rows]
    assert ("ada@example.com", "ada", "pro") == tuple(rows[0][0][key] for key in ("email", "external_id", "plan"))


def test_a_csv_has_the_columns_that_sendgrid_writes() -> None:
    """Upper case, quoted, nothing where there is nothing; custom fields behind the others."""
    simulator = SendgridSimulator(packing="plain")
    plan = simulator.fields.define("plan", "Text")
    simulator.contacts.add(email="ada@example.com", first_name='The "A"', custom_fields={plan.id: "pro"})
    export_id = simulator.ask(EXPORT, {"file_type": "csv"}).json["id"]
    simulator.settle()
    header, line = fetched(simulator, simulator.ask(EXPORTED, id=export_id).json["urls"][0]).body.decode().splitlines()
    assert header.startswith('"EMAIL","FIRST_NAME","LAST_NAME","ADDRESS_LINE_1"')
    assert header.endswith('"PLAN"')
    assert line.startswith('"ada@example.com","The ""A""",,,')


def test_a_long_export_has_several_links_that_do_not_live_forever() -> None:
    """Each file is whole; a link that is too old, or changed, leads nowhere; so does one with a key."""
    simulator = SendgridSimulator(rows_in_a_file=2, packing="encoding")
    for number in range(5):
        simulator.contacts.add(email=f"a{number}@example.com")
    export_id = simulator.ask(EXPORT, {"file_type": "json"}).json["id"]
    simulator.settle()
    export = simulator.ask(EXPORTED, id=export_id).json
    files = [fetched(simulator, url) for url in export["urls"]]
    assert [2, 2, 1] == [len(gzip.decompress(file.body).splitlines()) for file in files]
    assert {"gzip"} == {file.headers["Content-Encoding"] for file in files}
    assert 403 == fetched(simulator, export["urls"][0] + "0").status
    simulator.now += timedelta(days=4)
    assert 403 == fetched(simulator, export["urls"][0]).status


def test_an_export_can_fail_and_of_a_list_that_is_not_there_is_refused() -> None:
    """`failure` has a message and no links."""
    simulator = SendgridSimulator()
    assert 400 == simulator.ask(EXPORT, {"list_ids": ["nowhere"]}).status
    simulator.break_jobs()
    export_id = simulator.ask(EXPORT, {}).json["id"]
    simulator.settle()
    export = simulator.ask(EXPORTED, id=export_id).json
    assert "failure" == export["status"]
    assert "urls" not in export
