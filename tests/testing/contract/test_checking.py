"""What the contract server holds against requests and answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from lifecycle_mail.testing.contract import Answer, ContractServer, Violation
from tests.testing.contract.books import KEY, OVERLAY, Books, serve, spec_file


@pytest.fixture
def books() -> Books:
    """The vendor."""
    return Books()


@pytest.fixture
def server(tmp_path: Path, books: Books) -> Iterator[ContractServer]:
    """Its server."""
    with serve(tmp_path, books) as server:
        yield server


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """A client with a key."""
    with requests.Session() as session:
        session.headers.update(KEY)
        yield session


def test_what_keeps_the_contract_is_answered(server: ContractServer, http: requests.Session) -> None:
    """A request that is right reaches the simulator, and its answer comes back whole."""
    taken = http.post(f"{server.url}/readers", json={"readers": [{"email": "ada@books.org", "since": ""}]})
    found = http.get(f"{server.url}/readers?count=10&fields=a&fields=b")

    assert (taken.status_code, taken.json()) == (200, {"taken": 1})
    assert found.json() == {"readers": [{"email": "ada@books.org", "since": ""}]}
    server.require_clean()


def test_a_request_is_kept_as_it_came(server: ContractServer, http: requests.Session) -> None:
    """Tests can ask what was sent: the operation, the path as written, and what it says when decoded."""
    http.put(f"{server.url}/readers/a%2Fb%20c@books.org", json={"status": "in"})

    [request] = server.calls("PUT /readers/{reader}")
    assert request.operation == "PUT /readers/{reader}"
    assert request.path == "/readers/a%2Fb%20c@books.org"
    assert request.path_parameters == {"reader": "a/b c@books.org"}
    assert request.json == {"status": "in"}
    assert request.body == b'{"status": "in"}'
    assert request.headers["authorization"] == KEY["Authorization"]
    assert "key" not in repr(request)
    assert server.calls("GET *") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "where", "message"),
    [
        ("POST", "/readers", {"readers": [{"status": "in"}]}, "body.readers[0]", "'email' is a required property"),
        ("POST", "/readers", {"readers": [{"email": 1}]}, "body.readers[0].email", "not of type 'string'"),
        ("POST", "/readers", {"readers": [{"email": "a", "since": "now"}]}, "body.readers[0].since", "date-time"),
        ("POST", "/readers", {"readers": [{"email": "a", "name": "b"}]}, "body.readers[0]", "'name' was unexpected"),
        ("POST", "/readers", {"readers": [{"email": "a", "home": {"x": 1}}]}, "body.readers[0].home", "'x' was unexp"),
        ("POST", "/readers", {"more": 1}, "body", "'more' was unexpected"),
        ("POST", "/readers", {"asking": [{"kind": "text", "op": "isnt"}]}, "body.asking[0].op", "'isnt' is not one of"),
        ("POST", "/readers", {"asking": [{"kind": "number", "op": "is"}]}, "body.asking[0]", "'op' was unexpected"),
        ("POST", "/readers", {"readers": [{"email": "a"}] * 4}, "body.readers", "4 items, and 3 are the limit"),
        ("POST", "/readers", {"readers": [{"email": "a" * 21}]}, "body.readers[0].email", "21 characters, and 20 are"),
        ("POST", "/readers", {"readers": [{"email": "a", "fields": {"b": "c" * 500}}]}, "body", "500 are the limit"),
        ("GET", "/readers?count=11", None, "query.count", "11 is greater than the maximum of 10"),
        ("GET", "/readers?count=many", None, "query.count", "many"),
        ("GET", "/readers?page=2", None, "query.page", "not a parameter of GET /readers"),
        ("GET", "/readers?count=1&count=2", None, "query.count", "given 2 times"),
        ("GET", "/readers", {"a": 1}, "body", "GET /readers takes none"),
        ("GET", "/writers", None, "path", "nothing is specified under it"),
        ("DELETE", "/readers", None, "method", "this path takes GET, POST"),
    ],
)
def test_what_breaks_the_contract_is_refused(
    server: ContractServer,
    http: requests.Session,
    books: Books,
    method: str,
    path: str,
    body: Any,
    where: str,
    message: str,
) -> None:
    """A wrong request gets an error that names the place, never reaches the simulator, and is kept."""
    books.breaks = True
    answer = http.request(method, server.url + path, json=body)

    assert answer.status_code == {"path": 404, "method": 405}.get(where, 400)
    [violation] = server.violations
    assert (violation.where, message in violation.message) == (where, True), violation
    assert answer.json()["violations"] == [{"where": violation.where, "message": violation.message}]
    with pytest.raises(AssertionError, match="1 violation of the contract") as failure:
        server.require_clean()
    assert str(violation) in str(failure.value)


def test_what_is_free_may_hold_any_key(server: ContractServer, http: requests.Session) -> None:
    """An object of which no key is named takes every key."""
    assert http.put(f"{server.url}/readers/a", json={"fields": {"any": 1}}).status_code == 204
    server.require_clean()


def test_a_correction_stays_where_it_was_made(server: ContractServer, http: requests.Session) -> None:
    """PUT may leave the address out, by correction; POST, which shares the schema, may not."""
    assert http.put(f"{server.url}/readers/a", json={"status": "in"}).status_code == 204
    assert http.post(f"{server.url}/readers", json={"readers": [{"status": "in"}]}).status_code == 400


@pytest.mark.parametrize("body", [b"", b"null", b"{}"])
def test_no_body_is_no_body(server: ContractServer, http: requests.Session, body: bytes) -> None:
    """What packages send in place of no body is no violation."""
    assert http.get(f"{server.url}/readers", data=body).status_code == 200
    server.require_clean()


def test_a_body_must_be_json_and_say_so(server: ContractServer, http: requests.Session) -> None:
    """Broken JSON and another content type are violations."""
    assert (
        http.post(f"{server.url}/readers", data=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    )
    assert http.post(f"{server.url}/readers", data={"a": "b"}).status_code == 400
    assert len(server.violations) == 2


def test_without_a_key_it_is_a_401(server: ContractServer) -> None:
    """A request without a key, or with one of another kind, is refused as such."""
    assert requests.get(f"{server.url}/readers", timeout=5).status_code == 401
    assert requests.get(f"{server.url}/readers", timeout=5, auth=("me", "key")).status_code == 401
    assert {violation.where for violation in server.violations} == {"headers.authorization"}


def test_a_body_of_unknown_length_is_refused(server: ContractServer, http: requests.Session) -> None:
    """A body in chunks gets a 411, as most vendors give it."""
    assert http.post(f"{server.url}/readers", data=iter([b"{}"])).status_code == 411


def test_a_path_outside_the_prefix_is_a_violation(server: ContractServer, http: requests.Session) -> None:
    """The prefix belongs to the address."""
    assert http.get(server.url.removesuffix("/v1") + "/readers").status_code == 404
    assert [violation.where for violation in server.violations] == ["path"]


@pytest.mark.parametrize(
    ("answer", "where", "message"),
    [
        (Answer(json={"more": 1}), "answer 200", "'readers' is a required property"),
        (Answer(json={"readers": [{"email": "a", "status": "?"}]}), "answer 200.readers[0].status", "'?' is not one"),
        (Answer(body=b"<html>", headers={"Content-Type": "text/html"}), "answer 200", "text/html"),
        (Answer(status=202, json={}), "answer 202", "202"),
        (Answer(status=204, body=b"x"), "answer 204", "a body where there can be none"),
    ],
)
def test_a_wrong_answer_of_the_simulator_is_a_violation(
    server: ContractServer, http: requests.Session, books: Books, answer: Answer, where: str, message: str
) -> None:
    """The simulator is held against the specification as the adapter is, and its answer is sent all the same."""
    books.says["GET /readers"] = answer
    if answer.status != 204:
        assert http.get(f"{server.url}/readers").status_code == answer.status
    else:
        requests.get(f"{server.url}/readers", headers=KEY, timeout=5)
    [violation] = server.violations
    assert (violation.where, message in violation.message) == (where, True), violation


def test_an_answer_may_say_more_than_specified(server: ContractServer, http: requests.Session, books: Books) -> None:
    """Vendors add keys to answers, and answer errors that their specification does not list."""
    books.says["GET /readers"] = Answer(json={"readers": [{"email": "a", "new": 1}], "_links": []})
    books.says["GET /readers/{reader}"] = Answer(status=503, body=b"<html>", headers={"Content-Type": "text/html"})
    assert http.get(f"{server.url}/readers").status_code == 200
    assert http.get(f"{server.url}/readers/a").status_code == 503
    server.require_clean()


def test_a_problem_document_is_read(server: ContractServer, http: requests.Session, books: Books) -> None:
    """Errors as `application/problem+json` are held against the specification, with and without a charset."""
    for title, charset in (("No", ""), ("No", "; charset=utf-8"), (7, "")):
        headers = {"Content-Type": f"application/problem+json{charset}"}
        books.says["POST /readers"] = Answer(status=400, json={"title": title}, headers=headers)
        http.post(f"{server.url}/readers", json={})
    assert [violation.where for violation in server.violations] == ["answer 400.title"]


def test_a_simulator_that_falls_over_fails_the_test(
    server: ContractServer, http: requests.Session, books: Books
) -> None:
    """An exception in the simulator is a 500 and a violation, so that no test takes it for a fault of the vendor."""
    books.breaks = True
    assert http.get(f"{server.url}/readers").status_code == 500
    assert server.violations == [Violation("GET /readers", "simulator", "raised RuntimeError('no books')")]


def test_many_violations_of_one_request_are_cut(tmp_path: Path, http: requests.Session) -> None:
    """Whoever sends thousands of contacts wrong in one way reads twenty of it."""
    with serve(tmp_path, overlay=type(OVERLAY)(), latency=0) as server:
        http.post(f"{server.url}/readers", json={"readers": [{"email": 1}] * 1000})
        assert len(server.violations) == 21
        assert server.violations[-1].message == "and 980 more"


def test_what_is_written_out_outranks_a_parameter(server: ContractServer, http: requests.Session) -> None:
    """`/readers/all` is not a reader named all."""
    http.get(f"{server.url}/readers/all")
    assert server.requests[-1].operation == "GET /readers/all"


def test_beyond_the_specification_nothing_is_held(server: ContractServer, http: requests.Session) -> None:
    """What the vendor has and the specification does not know is answered, and not checked."""
    answer = http.get(f"{server.url}/covers/1.png?any=thing")
    assert (answer.status_code, server.requests[-1].path_parameters) == (200, {"name": "1.png"})
    server.require_clean()


def test_several_files_are_one_contract(tmp_path: Path, http: requests.Session) -> None:
    """Each file is tried until one has the path."""
    more = {"openapi": "3.1.0", "info": {}, "paths": {"/writers": {"get": {"responses": {"200": {}}}}}}
    (tmp_path / "more").mkdir()
    files = [spec_file(tmp_path), spec_file(tmp_path / "more", more)]
    with ContractServer(files, Books(), overlay=OVERLAY, prefix="/v1") as server:
        assert http.get(f"{server.url}/writers").status_code == 200
        assert http.get(f"{server.url}/readers").status_code == 200
        server.require_clean()
