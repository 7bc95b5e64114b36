"""One pooled connection: how many at once, what it sends and what it keeps to itself, and which calls are repeated."""

import gzip
import io
import json
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
import requests
from lifecycle_mail_http import Key, Promise, Retries, Timeouts, Transport
from lifecycle_mail_http.testing import Answers, Breaks, FakeTime, FaultyServer, Hangs, When

from adapters.http.tests.conftest import MakeTransport
from lifecycle_mail.errors import EspRefused, EspUnavailable, Misconfigured, OutcomeUnknown

SECRET = "SG.0123456789abcdef"  # noqa: S105 # made up
ANN = "ann@example.com"


class TestConnections:
    """How many there are, and how long they live."""

    def test_one_connection_carries_many_calls(self, server: FaultyServer, transport: Transport) -> None:
        """A connection stays open for the next call, also after an error, a refusal and an empty answer."""
        server.will(Answers(400, json={"title": "no"}), Answers(204, content_type=None), Answers(429, json={}))
        with pytest.raises(EspRefused):
            transport.send("GET", f"{server.url}/a")
        for _ in range(20):
            transport.send("POST", f"{server.url}/b", body=b"{}")
        assert server.connections == 1
        assert len(server.requests) == 22

    def test_at_most_so_many_at_once(self, make: MakeTransport) -> None:
        """All connections are busy, and not one more call is under way, however many threads want one."""
        transport, full, go = make(connections=10, timeouts=Timeouts(read=20)), Barrier(10, timeout=10), Event()

        class Held:
            """Ten requests wait for each other, so that all ten must be under way; then all wait to be let go."""

            def play(self, line: object) -> None:
                """Answer once ten have come."""
                if not go.is_set():
                    full.wait()
                    go.set()
                Answers(json={"ok": True}).play(line)  # type: ignore[arg-type]

        with FaultyServer(otherwise=Held()) as server, ThreadPoolExecutor(40) as threads:
            calls = [threads.submit(transport.send, "GET", f"{server.url}/{n}") for n in range(200)]
            assert all(call.result(timeout=20).status == 200 for call in calls)
            assert server.busiest == 10
            assert server.connections == 10

    def test_all_connections_busy(self, make: MakeTransport, server: FaultyServer) -> None:
        """A call that finds every connection busy waits for one, and does not fail."""
        transport, go = make(connections=2, timeouts=Timeouts(read=20)), Event()
        server.will(*(Hangs(go, then=Answers(json={"held": True})) for _ in range(2)))
        with ThreadPoolExecutor(3) as threads:
            held = [threads.submit(transport.send, "GET", f"{server.url}/held") for _ in range(2)]
            while server.busiest < 2:
                Event().wait(0.005)
            waiting = threads.submit(transport.send, "GET", f"{server.url}/waiting")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.1)
            assert len(server.requests) == 2
            go.set()
            assert waiting.result(timeout=10).json() == {"ok": True}
            assert [call.result(timeout=10).json() for call in held] == [{"held": True}] * 2

    def test_who_waits_to_try_again_holds_no_connection(self, make: MakeTransport, server: FaultyServer) -> None:
        """Between two tries others have the connection."""
        seen = []

        def wait(_: float) -> None:
            seen.append(transport.send("GET", f"{server.url}/other").status)

        transport = make(connections=1, wait=wait)
        server.will(Answers(429, json={}))
        assert transport.send("GET", f"{server.url}/first").status == 200
        assert seen == [200]
        assert [one.path for one in server.requests] == ["/first", "/other", "/first"]

    @pytest.mark.parametrize("connections", [0, -1])
    def test_at_least_one(self, connections: int) -> None:
        """No connection carries no call."""
        with pytest.raises(Misconfigured, match="at least 1"):
            Transport("mailchimp", connections=connections)

    def test_closing(self, server: FaultyServer) -> None:
        """A transport closes its own session, twice if need be, and leaves the application's open."""
        with Transport("mailchimp") as transport:
            transport.send("GET", server.url)
        transport.close()

        class Session(requests.Session):
            closed = False

            def close(self) -> None:
                self.closed = True
                super().close()

        with Session() as session:
            with Transport("mailchimp", session=session) as other:
                other.send("GET", server.url)
            assert not session.closed


class TestEnvironment:
    """The environment gets nothing of the account."""

    def test_proxies_and_netrc_are_not_trusted(
        self,
        server: FaultyServer,
        transport: Transport,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        """Neither a proxy nor a .netrc nor a CA bundle of the environment is used."""
        netrc = tmp_path_factory.mktemp("home") / "netrc"
        netrc.write_text("machine 127.0.0.1 login someone password else\n")
        with FaultyServer() as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv("NETRC", str(netrc))
            monkeypatch.setenv("NO_PROXY", "")
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
            transport.send("GET", server.url)
            assert proxy.requests == []
        assert "Authorization" not in server.requests[0].headers

    def test_a_session_of_the_application_is_used_as_it_is(self, server: FaultyServer) -> None:
        """A proxy that the application sets up itself is used."""
        with requests.Session() as session, Transport("mailchimp", session=session) as transport:
            session.proxies = {"http": server.url}
            session.trust_env = False
            transport.send("GET", "http://127.0.0.1:1/through")
        assert server.requests[0].path == "http://127.0.0.1:1/through"

    def test_redirects_are_not_followed(self, server: FaultyServer, transport: Transport) -> None:
        """The key does not travel to where an answer points."""
        with FaultyServer() as elsewhere:
            server.will(Answers(307, headers={"Location": f"{elsewhere.url}/caught"}))
            with pytest.raises(EspRefused, match="not followed"):
                transport.send("POST", server.url, body=b"{}", auth=Key.bearer(SECRET))
            assert elsewhere.requests == []

    def test_cookies_are_not_kept(self, server: FaultyServer, transport: Transport) -> None:
        """What one call is given, the next does not send."""
        server.will(Answers(json={"a": 1}, headers={"Set-Cookie": "ak=1; path=/"}))
        transport.send("GET", server.url)
        transport.send("GET", server.url)
        assert "Cookie" not in server.requests[1].headers


class TestSecrets:
    """A key is seen by the provider alone."""

    def test_the_key_reaches_the_provider_and_no_log(
        self, server: FaultyServer, transport: Transport, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With every logger at its most talkative, the key, the body and addresses stand in no record (F51)."""
        caplog.set_level(logging.DEBUG)
        server.will(
            Answers(429, json={"detail": f"{ANN} {SECRET}"}),
            Answers(400, json={"detail": f"{ANN} {SECRET}"}),
        )
        body = json.dumps({"email": ANN}).encode()
        with pytest.raises(EspRefused) as raised:
            transport.send("POST", f"{server.url}/lists", body=body, auth=Key.bearer(SECRET))
        assert server.requests[0].headers["Authorization"] == f"Bearer {SECRET}"
        assert raised.value.body == '{"detail": "a***@example.com ***"}'
        shown = [caplog.text, *traceback.format_exception(raised.value), repr(raised.value), repr(transport)]
        shown += [repr(vars(record)) for record in caplog.records]
        assert len(caplog.records) > 3
        assert not [one for one in shown if SECRET in one or "ann@" in one]

    def test_an_error_carries_nothing_of_the_package(self, transport: Transport) -> None:
        """An error of the network quotes the address that was asked for: it is not chained to ours."""
        with pytest.raises(EspUnavailable) as raised:
            transport.send("GET", f"http://127.0.0.1:1/asm/suppressions/global/{ANN}", auth=Key.bearer(SECRET))
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None
        assert raised.value.operation == "GET /asm/suppressions/global/a***@example.com"
        assert "ann@" not in "".join(traceback.format_exception(raised.value))

    @pytest.mark.parametrize(
        ("url", "headers"), [("nowhere", {}), ("http://", {}), ("http://127.0.0.1:1", {"X": f"{SECRET}\r\nY: z"})]
    )
    def test_what_is_malformed_is_not_quoted(self, transport: Transport, url: str, headers: dict[str, str]) -> None:
        """A header with a line break in it is refused before anything is sent, and not quoted."""
        with pytest.raises(Misconfigured, match="malformed") as raised:
            transport.send("GET", url, headers=headers)
        assert SECRET not in "".join(traceback.format_exception(raised.value))


class TestOperations:
    """What an adapter says of its calls."""

    def test_errors_name_it(self, server: FaultyServer, transport: Transport) -> None:
        """An error names the operation, the inner one of two, and else the name of the call, or its path."""
        server.will(*[Answers(400, json={})] * 4)
        with transport.operation("sync"):
            with transport.operation("stage"), pytest.raises(EspRefused, match="answered 400 to stage"):
                transport.send("GET", server.url, name="GET /a")
            with pytest.raises(EspRefused, match="to sync"):
                transport.send("GET", server.url, name="GET /a")
        with pytest.raises(EspRefused, match="to GET /a"):
            transport.send("GET", server.url, name="GET /a")
        with pytest.raises(EspRefused, match="to GET /b"):
            transport.send("GET", f"{server.url}/b?query=1")

    def test_it_is_of_one_transport(self, server: FaultyServer, make: MakeTransport) -> None:
        """What is said of the calls of one provider is not said of another's."""
        one, other = make(), make()
        server.will(Answers(500, json={}), Answers(json={"a": 1}))
        with one.operation("stage", repeatable=True), pytest.raises(OutcomeUnknown, match="to POST /x"):
            other.send("POST", f"{server.url}/x")

    @pytest.mark.parametrize(
        ("method", "said", "tries"),
        [
            ("GET", {}, 4),
            ("HEAD", {}, 4),
            ("PUT", {}, 4),
            ("DELETE", {}, 4),
            ("POST", {}, 1),
            ("PATCH", {}, 1),
            ("POST", {"repeatable": True}, 4),
            ("POST", {"reads": True}, 4),
            ("PUT", {"repeatable": False}, 1),
        ],
    )
    def test_only_what_is_repeatable_is_repeated(
        self, server: FaultyServer, transport: Transport, method: str, said: dict[str, Any], tries: int
    ) -> None:
        """After an answer that leaves the outcome open, only a call that may be made twice is made again."""
        server.will(*[Answers(502, json={})] * 4)
        expected = EspUnavailable if method in ("GET", "HEAD") or said.get("reads") else OutcomeUnknown
        with transport.operation("stage", **said), pytest.raises(expected):
            transport.send(method, server.url)
        assert len(server.requests) == tries

    def test_within(self, server: FaultyServer, transport: Transport, time: FakeTime) -> None:
        """An operation that has only so long is given up in time."""
        server.will(*[Answers(429, json={}, headers={"Retry-After": "8"})] * 4)
        with transport.operation("stage", within=timedelta(seconds=20)), pytest.raises(EspUnavailable):
            transport.send("POST", server.url)
        assert time.waits == [8.0, 8.0]

    def test_promise(self, server: FaultyServer, transport: Transport) -> None:
        """What an operation promises outranks what the client knows."""
        server.will(*[Answers(json={})] * 5)
        assert transport.send("GET", server.url).json() == {}
        with transport.operation("look up", promise=Promise.CONTENT), pytest.raises(EspUnavailable, match="not empty"):
            transport.send("GET", server.url)

    def test_a_thread_knows_of_none(self, server: FaultyServer, transport: Transport) -> None:
        """What one thread says is not said for another."""
        server.will(Answers(400, json={}))
        with (
            ThreadPoolExecutor(1) as threads,
            transport.operation("stage"),
            pytest.raises(EspRefused, match="to GET /x"),
        ):
            threads.submit(transport.send, "GET", f"{server.url}/x").result()


class TestSend:
    """What is sent, and what comes back."""

    def test_request_and_answer(self, server: FaultyServer, transport: Transport) -> None:
        """Query, headers and body leave as given; the answer has its status, headers and body."""
        server.will(Answers(201, json={"id": "a"}, headers={"X-Message-Id": "m"}))
        answer = transport.send(
            "POST",
            f"{server.url}/a%2Fb",
            query=[("n", 1), ("n", 2), ("t", "ä&=")],
            headers={"X-A": "b"},
            body=b'{"c":1}',
        )
        received = server.requests[0]
        assert (received.method, received.path) == ("POST", "/a%2Fb?n=1&n=2&t=%C3%A4%26%3D")
        assert (received.headers["x-a"], received.json) == ("b", {"c": 1})
        assert (answer.status, answer.headers["x-message-id"], answer.json()) == (201, "m", {"id": "a"})

    def test_a_packed_answer_is_unpacked(self, server: FaultyServer, transport: Transport) -> None:
        """gzip is taken."""
        packed = gzip.compress(json.dumps({"a": "b" * 200_000}).encode())
        server.will(Answers(body=packed, headers={"Content-Encoding": "gzip"}))
        assert transport.send("GET", server.url).json() == {"a": "b" * 200_000}

    def test_a_chunked_answer(self, server: FaultyServer, transport: Transport) -> None:
        """An answer in chunks is put together, and its connection stays open."""
        chunked = Answers(body=b'5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n', headers={"Transfer-Encoding": "chunked"})
        server.will(chunked, chunked)
        assert [transport.send("GET", server.url).json() for _ in range(2)] == [{"a": 1}] * 2
        assert server.connections == 1

    @pytest.mark.parametrize("packed", [False, True])
    def test_an_answer_larger_than_the_limit(self, server: FaultyServer, transport: Transport, packed: bool) -> None:
        """An answer that is too large is not taken, however small it is packed; of a change, it says nothing."""
        body = b'{"a": "' + b"b" * 1_000_000 + b'"}'
        large = (
            Answers(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else Answers(body=body)
        )
        server.will(large, large)
        with pytest.raises(EspRefused, match="larger than 100,000 bytes") as refused:
            transport.send("GET", server.url, limit=100_000)
        assert refused.value.status == 200
        with pytest.raises(OutcomeUnknown, match="larger than 100,000 bytes"):
            transport.send("POST", server.url, limit=100_000)

    def test_waiting_is_the_transports(self, transport: Transport, time: FakeTime) -> None:
        """An adapter that waits for a job waits as the transport does."""
        before = transport.now()
        transport.wait(30)
        assert transport.now() - before == timedelta(seconds=30)
        assert time.waits == [30]


class TestFetch:
    """Files that a provider leads to."""

    def test_a_file_is_written_and_the_key_is_not_sent(self, server: FaultyServer, transport: Transport) -> None:
        """The file arrives whole, whatever its type, after a try that broke off; what was written before stays."""
        body = bytes(range(256)) * 1_000
        whole = Answers(body=body, content_type="binary/octet-stream")
        server.will(Breaks(When.WITHIN_BODY, answer=whole), Answers(503, body=b"busy"), whole)
        into = io.BytesIO(b"head")
        into.seek(4)
        assert transport.fetch(f"{server.url}/export?token=a", into, name="fetch the export") == len(body)
        assert into.getvalue() == b"head" + body
        assert all("Authorization" not in one.headers for one in server.requests)

    def test_a_link_that_has_expired(self, server: FaultyServer, transport: Transport) -> None:
        """The error names what it was about, and not the link; the error's page is not in the file."""
        server.will(Answers(403, body=b"<Error>Request has expired</Error>", content_type="application/xml"))
        into = io.BytesIO()
        with pytest.raises(EspRefused, match="answered 403 to fetch the export: <Error>Request has expired") as raised:
            transport.fetch(f"{server.url}/export?token=a", into, name="fetch the export")
        assert "token" not in str(raised.value)
        assert into.getvalue() == b""

    def test_a_file_larger_than_the_limit(self, server: FaultyServer, transport: Transport) -> None:
        """A disk is not filled."""
        server.will(Answers(body=b"x" * 200_000))
        with pytest.raises(EspRefused, match="larger than"):
            transport.fetch(server.url, io.BytesIO(), name="fetch the export", limit=100_000)


def test_retries_are_given_to_the_transport(make: MakeTransport, server: FaultyServer) -> None:
    """How often a call is made is the transport's to say."""
    server.will(*[Answers(503, json={})] * 3)
    with pytest.raises(EspUnavailable):
        make(retries=Retries(tries=2, jitter=timedelta())).send("GET", server.url)
    assert len(server.requests) == 2
