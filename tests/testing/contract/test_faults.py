"""What a test can let go wrong between an adapter and its vendor (F22-F25), and many requests at once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from lifecycle_mail.errors import UnknownName
from lifecycle_mail.testing.contract import Answer, ContractServer
from tests.testing.contract.books import KEY, Books, serve

CHANGE = "PUT /readers/{reader}"


@pytest.fixture
def books() -> Books:
    """The vendor."""
    return Books()


@pytest.fixture
def server(tmp_path: Path, books: Books) -> Iterator[ContractServer]:
    """Its server."""
    with serve(tmp_path, books) as server:
        yield server
        server.require_clean()


def change(server: ContractServer, timeout: float = 5) -> requests.Response:
    """Change a reader."""
    return requests.put(f"{server.url}/readers/a", json={"status": "in"}, headers=KEY, timeout=timeout)


def read(server: ContractServer, timeout: float = 5) -> requests.Response:
    """Read everybody."""
    return requests.get(f"{server.url}/readers", headers=KEY, timeout=timeout)


@pytest.mark.parametrize("done", [False, True])
def test_an_answer_instead_of_the_work_or_after_it(server: ContractServer, books: Books, done: bool) -> None:
    """An error can stand for work that was done (F22)."""
    server.fail(CHANGE, Answer(status=500), done=done)
    answer = change(server)
    assert (answer.status_code, answer.content, bool(books.readers)) == (500, b"", done)
    assert change(server).status_code == 204


def test_a_fault_happens_as_often_as_scripted(server: ContractServer) -> None:
    """Faults of one operation happen in the order in which they were scripted, and others are spared."""
    server.fail(CHANGE, Answer(status=429, headers={"retry-after": "7"}), times=2)
    server.fail("*", Answer(status=503))
    assert read(server).status_code == 503
    answers = [change(server) for _ in range(3)]
    assert [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers] == [
        (429, "7"),
        (429, "7"),
        (204, None),
    ]
    assert server.unfired == []


def test_what_never_happened_can_be_asked(server: ContractServer) -> None:
    """A test that scripts a fault can make sure that it came to pass."""
    fault = server.cut(CHANGE, done=True)
    assert server.unfired == [fault]


def test_a_fault_must_be_about_something(server: ContractServer) -> None:
    """A fault of an operation that does not exist would never happen, and its test would prove nothing."""
    with pytest.raises(UnknownName, match=r"did you mean PUT /readers/\{reader\}"):
        server.cut("PUT /readers/{email}", done=False)


@pytest.mark.parametrize("done", [False, True])
def test_a_connection_can_be_reset(server: ContractServer, books: Books, done: bool) -> None:
    """The connection is reset without an answer, before the work or after it (F23)."""
    server.cut(CHANGE, done=done)
    with pytest.raises(requests.ConnectionError, match="reset"):
        change(server)
    assert bool(books.readers) is done


@pytest.mark.parametrize("done", [False, True])
def test_an_answer_can_be_held(server: ContractServer, books: Books, done: bool) -> None:
    """A call that timed out was carried out, or will be once the vendor gets to it (F22)."""
    fault = server.stall(CHANGE, done=done)
    with pytest.raises(requests.ReadTimeout):
        change(server, timeout=0.05)
    assert fault.wait_until_held()
    assert bool(books.readers) is done
    fault.release()
    read(server)
    server.close()
    assert books.readers


def test_an_answer_can_end_in_the_middle(server: ContractServer, books: Books) -> None:
    """Half of the body comes, and the connection ends (F23, F25)."""
    books.readers["a"] = {"email": "a"}
    server.truncate("GET /readers")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        read(server)
    assert read(server).json() == {"readers": [{"email": "a"}]}


@pytest.mark.parametrize("label", ["text/html", None])
def test_an_answer_can_be_mislabelled(server: ContractServer, label: str | None) -> None:
    """The right answer comes under a wrong content type, or without any (F25)."""
    server.mislabel("GET /readers", label)
    answer = read(server)
    assert (answer.headers.get("Content-Type"), answer.json()) == (label, {"readers": []})


def test_a_header_can_be_left_out(server: ContractServer) -> None:
    """An answer whose content type is empty has none, as some errors of vendors."""
    server.fail(CHANGE, Answer(status=429, json={}, headers={"Content-Type": ""}))
    answer = change(server)
    assert (answer.headers.get("Content-Type"), answer.content) == (None, b"{}")


def test_a_connection_stays_open(server: ContractServer) -> None:
    """One connection serves many requests, so that a test can count them."""
    with requests.Session() as session:
        for _ in range(5):
            session.get(f"{server.url}/readers", headers=KEY)
    assert server.connections == 1


def test_many_requests_at_once_are_all_served(server: ContractServer) -> None:
    """The simulator is asked one request at a time, and none is lost."""
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda number: requests.post(
                    f"{server.url}/readers",
                    data=json.dumps({"readers": [{"email": str(number)}]}),
                    headers={**KEY, "Content-Type": "application/json"},
                    timeout=5,
                ),
                range(40),
            )
        )
    assert [answer.status_code for answer in answers] == [200] * 40
    assert len(read(server).json()["readers"]) == len(server.calls("POST /readers")) == 40


def test_more_at_once_than_the_vendor_takes_are_turned_away(server: ContractServer) -> None:
    """The vendor takes four requests at once: the fifth gets a 429, and none waits for it."""
    stalled = server.stall(CHANGE, done=False, times=4)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(change, server) for _ in range(4)]
        assert stalled.wait_until_held(4)
        assert read(server).status_code == 429
        stalled.release()
        assert [one.result().status_code for one in waiting] == [204] * 4
    assert server.busiest == 5
    assert read(server).status_code == 200


def test_closing_lets_go_of_what_is_held(tmp_path: Path) -> None:
    """A test that fails while a request is held does not hang."""
    with ThreadPoolExecutor(1) as pool, serve(tmp_path) as server:
        fault = server.stall("*", done=False)
        waiting = pool.submit(change, server)
        assert fault.wait_until_held()
        server.close()
        assert waiting.exception() is None or isinstance(waiting.exception(), requests.ConnectionError)


def test_an_answer_can_take_time(tmp_path: Path) -> None:
    """A benchmark can have every answer held back for a while."""
    with serve(tmp_path, latency=0.02) as server:
        assert read(server).elapsed.total_seconds() >= 0.02
