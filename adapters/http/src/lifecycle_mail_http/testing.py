"""A server that misbehaves as told, and a clock that does not wait: for tests of adapters, ours and yours.

    with FaultyServer() as server:
        server.will(Answers(429, headers={"Retry-After": "7"}), Answers(json={"id": "a"}))
        ...
        assert server.connections == 1

It listens on 127.0.0.1 only and speaks HTTP/1.1 with connections that stay open. What it is told to do it does once, in
order; after that it answers 200 with `{"ok": true}`, or what `otherwise` says.
"""

from __future__ import annotations

import json as json_
import select
import socket
import ssl
import struct
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from threading import Event, Lock, Thread
from typing import Any, Final, Protocol, Self, cast

from attrs import field, frozen
from requests.structures import CaseInsensitiveDict

_ABORT: Final = struct.pack("ii", 1, 0)


@frozen
class Received:
    """A request as it came.

    Attributes:
        method, path: its first line; the path with its query, quoted.
        headers: found in upper and lower case.
        body: as it came.
        peer: the port that it came from: one for each connection.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    peer: int

    @property
    def json(self) -> Any:
        """What the body holds."""
        return json_.loads(self.body)


class Behaviour(Protocol):
    """What a server does with one request."""

    def play(self, line: Line) -> None:
        """Read the request from a line, or not, and answer it, or not."""
        ...


@frozen(kw_only=True)
class Answers:
    """It answers.

    Attributes:
        status, headers, body: the answer; `Content-Length` is added unless it is among the headers. After one with
            `Connection: close` the connection is closed.
        json: what the body holds, in place of a body.
        content_type: of the body; None for none.
    """

    status: int = field(default=200, kw_only=False)
    json: Any = None
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict)
    content_type: str | None = "application/json"

    def play(self, line: Line) -> None:
        """Answer."""
        line.read()
        line.write(self.head() + self.whole_body())
        if CaseInsensitiveDict(self.headers).get("Connection", "").lower() == "close":
            line.end(reset=False)

    def whole_body(self) -> bytes:
        """Return the body."""
        return self.body if self.json is None else json_.dumps(self.json).encode()

    def head(self) -> bytes:
        """Return the status and the headers."""
        headers = CaseInsensitiveDict(self.headers)
        if self.content_type is not None:
            headers.setdefault("Content-Type", self.content_type)
        if "Transfer-Encoding" not in headers and self.status != 204:
            headers.setdefault("Content-Length", str(len(self.whole_body())))
        lines = [f"HTTP/1.1 {self.status} Told", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class When(Enum):
    """When a connection breaks."""

    BEFORE_READING = "before the request is read"
    AFTER_READING = "after the request is read, before the answer"
    WITHIN_HEADERS = "within the headers of the answer"
    WITHIN_BODY = "within the body of the answer"


@frozen
class Breaks:
    """The connection breaks.

    Attributes:
        when: how far it gets.
        answer: what is answered until then.
        reset: whether it is reset; otherwise it is closed, as if the answer ended there.
    """

    when: When = When.AFTER_READING
    answer: Answers = field(factory=lambda: Answers(json={"ok": "a body of some length"}))
    reset: bool = True

    def play(self, line: Line) -> None:
        """Go as far as told."""
        if self.when is not When.BEFORE_READING:
            line.read()
        head, body = self.answer.head(), self.answer.whole_body()
        if self.when is When.WITHIN_HEADERS:
            line.write(head[: len(head) // 2])
        if self.when is When.WITHIN_BODY:
            line.write(head + body[: len(body) // 2])
        line.end(reset=self.reset)


@frozen
class Hangs:
    """It reads the request and says nothing, until it is let go or the server closes.

    Attributes:
        until: set to let it go; then it closes the connection, or does what comes next.
        then: what it does after that.
    """

    until: Event = field(factory=Event)
    then: Behaviour | None = None

    def play(self, line: Line) -> None:
        """Wait."""
        line.read()
        line.hold(self.until)
        if self.then is None:
            line.end(reset=False)
        else:
            self.then.play(line)


@frozen
class Drips:
    """It answers byte by byte, and never comes to the end of the body.

    Attributes:
        pause: seconds between two bytes.
    """

    pause: float = 0.01

    def play(self, line: Line) -> None:
        """Drip until the other side has had enough."""
        line.read()
        line.write(Answers(headers={"Content-Length": "1000000"}).head())
        for _ in range(1_000_000):
            line.write(b" ")
            if line.hold(line.closing, most=self.pause):
                break


class Line:
    """One request on a connection, for a behaviour to play on."""

    def __init__(self, handler: _Handler) -> None:
        self._handler = handler
        self._read = False

    @property
    def closing(self) -> Event:
        """Set when the server closes."""
        return self._handler.faulty.closing

    def read(self) -> None:
        """Read the request, once, and keep it among the server's `requests`."""
        if not self._read:
            self._read = True
            self._handler.faulty.requests.append(self._handler.received())

    def write(self, data: bytes) -> None:
        """Send bytes; a client that has gone does not matter."""
        with suppress(OSError):
            self._handler.connection.sendall(data)

    def hold(self, until: Event, *, most: float | None = None) -> bool:
        """Wait until an event is set or the server closes, at most so many seconds; tell whether either happened."""
        waited = 0.0
        while not (until.wait(0.01 if most is None else min(most, 0.01)) or self.closing.is_set()):
            waited += 0.01
            if most is not None and waited >= most:
                return False
        return True

    def end(self, *, reset: bool) -> None:
        """Break the connection off."""
        if reset:
            with suppress(OSError):
                self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self._handler.close_connection = True


class FaultyServer:
    """A server on 127.0.0.1 that does as it is told; see the module.

    Attributes:
        requests: every request that was read, in order.
        connections: how many connections were opened.
        busiest: how many requests were under way at once at most.
        closing: set when it closes.
    """

    def __init__(self, *, otherwise: Behaviour | None = None, context: ssl.SSLContext | None = None) -> None:
        """Make a server; it listens within `with`.

        Args:
            otherwise: what it does when it was told nothing else.
            context: the certificate that it shows, for https.
        """
        self.requests: list[Received] = []
        self.connections = 0
        self.busiest = 0
        self.closing = Event()
        self._otherwise = otherwise or Answers(json={"ok": True})
        self._scheme = "http" if context is None else "https"
        self._told: deque[Behaviour] = deque()
        self._lock = Lock()
        self._under_way = 0
        self._server = _Server(self, context)

    def __enter__(self) -> Self:
        # Its polling is for `shutdown` alone; requests are taken at once.
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def will(self, *behaviours: Behaviour) -> None:
        """Tell it what to do with the next requests, one each."""
        with self._lock:
            self._told.extend(behaviours)

    def play(self, line: Line) -> None:
        """Do with a request what comes next."""
        with self._lock:
            behaviour = self._told.popleft() if self._told else self._otherwise
            self._under_way += 1
            self.busiest = max(self.busiest, self._under_way)
        try:
            behaviour.play(line)
        finally:
            with self._lock:
                self._under_way -= 1


class _Server(ThreadingHTTPServer):
    def __init__(self, faulty: FaultyServer, context: ssl.SSLContext | None) -> None:
        self.faulty = faulty
        self._context = context
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.faulty.connections += 1
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        with suppress(OSError):  # a client that has gone, or that did not like the certificate
            if self._context is None:
                super().finish_request(request, client_address)
            else:
                with self._context.wrap_socket(request, server_side=True) as wrapped:
                    super().finish_request(wrapped, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.close_request(request)  # without the polite end, so that a reset is one


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def faulty(self) -> FaultyServer:
        return self.server.faulty

    def handle_one_request(self) -> None:
        self.close_connection = True
        while not select.select([self.connection], [], [], 0.02)[0]:
            if self.faulty.closing.is_set():
                return
        if cast(BufferedReader, self.rfile).peek(1):  # nothing comes once the client has closed
            self.faulty.play(Line(self))

    def received(self) -> Received:
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.parse_request():
            raise ConnectionError("what came is no request")
        return Received(
            method=self.command,
            path=self.path,
            headers=CaseInsensitiveDict(self.headers.items()),
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            peer=self.client_address[1],
        )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the name is the base class's
        pass


class FakeTime:
    """Time that passes only when somebody waits, for a transport: `Transport(..., wait=time.wait, clock=time.now)`.

    Attributes:
        waits: how long was waited, in order.
    """

    def __init__(self, now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        self.waits: list[float] = []
        self._now = now

    def now(self) -> datetime:
        """Return the instant."""
        return self._now

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        self.waits.append(seconds)
        self._now += timedelta(seconds=seconds)
