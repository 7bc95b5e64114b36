"""HTTP as the server speaks it: connections that stay open, answers byte by byte, and connections that break."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Final

from attrs import frozen

from lifecycle_mail.testing.contract.checking import Sent
from lifecycle_mail.testing.contract.exchanges import Answer

_JSON: Final = "application/json; charset=utf-8"
_RESET: Final = struct.pack("ii", 1, 0)


@frozen
class Taken:
    """A request as it came in.

    Attributes:
        method: in capitals.
        target: the path and the query.
        headers: by name, in lower case.
        body: its bytes.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@frozen
class Reply:
    """What to do with the connection.

    Attributes:
        sent: what to send; None resets the connection without an answer.
        whole: whether all of the body is sent. If not, half of it is, and the connection ends.
    """

    sent: Sent | None
    whole: bool = True


def packed(answer: Answer) -> Sent:
    """Return an answer as it goes out."""
    headers: dict[str, str] = {}
    body = answer.body
    if body is None:
        body = b"" if answer.json is None else json.dumps(answer.json).encode()
        if body:
            headers["Content-Type"] = _JSON
    given = {"-".join(part.capitalize() for part in name.split("-")): value for name, value in answer.headers.items()}
    return Sent(answer.status, {name: value for name, value in {**headers, **given}.items() if value}, body)


class Wire:
    """Listens on a free port of this machine, a thread for each connection.

    Attributes:
        port: where it listens.
    """

    def __init__(self, serve: Callable[[Taken], Reply]) -> None:
        self._server = _Server(serve)
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many connections there have been."""
        return self._server.accepted

    def close(self) -> None:
        """End every connection, and wait for their threads."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, serve: Callable[[Taken], Reply]) -> None:
        self.serve = serve
        self.accepted = 0
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self.accepted += 1
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET)) == _RESET:
            self.close_request(request)  # an orderly end first would be no reset
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the client went away in the middle, as clients with a timeout do."""

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it ended meanwhile


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            self._send(packed(Answer(status=411, json={"title": "Length Required", "status": 411})), whole=True)
            self.close_connection = True
            return
        reply = self.server.serve(
            Taken(
                method=self.command,
                target=self.path,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(length)),
            )
        )
        if reply.sent is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.close_connection = True
        else:
            self._send(reply.sent, whole=reply.whole)

    def _send(self, sent: Sent, *, whole: bool) -> None:
        self.send_response_only(sent.status)
        for name, value in sent.headers.items():
            self.send_header(name, value)
        if sent.status != 204:
            self.send_header("Content-Length", str(len(sent.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent.body if whole else sent.body[: len(sent.body) // 2])
        self.close_connection |= not whole
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - named by the class above

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the class above
        """Say nothing: requests carry keys and addresses."""
