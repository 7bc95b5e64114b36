"""The server that misbehaves does so as told, and no longer."""

import socket
from threading import Event
from urllib.parse import urlsplit

import pytest
import requests
from lifecycle_mail_http.testing import Answers, Breaks, FakeTime, FaultyServer, Hangs, When


def test_it_does_what_it_is_told_and_then_answers(server: FaultyServer) -> None:
    """What it is told comes once and in order; after that it answers, and keeps what it was asked."""
    server.will(Answers(418, body=b"tea"), Answers(204, content_type=None))
    with requests.Session() as session:
        answers = [session.post(f"{server.url}/a?b=c", json={"n": n}) for n in range(3)]
    assert [one.status_code for one in answers] == [418, 204, 200]
    assert (answers[0].content, answers[2].json()) == (b"tea", {"ok": True})
    assert [(one.method, one.path, one.json) for one in server.requests] == [
        ("POST", "/a?b=c", {"n": n}) for n in range(3)
    ]
    assert (server.connections, server.busiest) == (1, 1)


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("reset", [True, False])
def test_it_breaks_the_connection(server: FaultyServer, when: When, reset: bool) -> None:
    """A reset is a reset, and a close a close, before a request is read and after."""
    server.will(Breaks(when, reset=reset))
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        received = b""
        try:
            while piece := connection.recv(1_000):
                received += piece
        except ConnectionResetError:
            assert reset
        else:
            # What was not read when a connection is closed makes a reset of it, too.
            assert not reset or when is When.BEFORE_READING
    assert (len(server.requests) == 0) is (when is When.BEFORE_READING)
    assert (received == b"") is (when in (When.BEFORE_READING, When.AFTER_READING)) or reset


def test_it_hangs_until_it_is_let_go() -> None:
    """A request hangs until its event is set, or the server closes."""
    go = Event()
    with FaultyServer() as server:
        server.will(Hangs(go, then=Answers(json={"at": "last"})))
        with pytest.raises(requests.ReadTimeout):
            requests.get(server.url, timeout=0.05)
        go.set()
        server.will(Hangs(go, then=Answers(json={"at": "last"})), Hangs())
        assert requests.get(server.url, timeout=5).json() == {"at": "last"}
        with pytest.raises(requests.ReadTimeout):
            requests.get(server.url, timeout=0.05)
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=5)


def test_time_passes_when_somebody_waits() -> None:
    """The clock stands until somebody waits."""
    time = FakeTime()
    before = time.now()
    time.wait(90)
    assert (time.now() - before).total_seconds() == 90
    assert time.waits == [90]
