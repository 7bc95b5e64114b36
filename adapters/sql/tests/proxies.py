"""A line to a Postgres server that a test can cut, also between a commit and its answer."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from threading import Lock, Thread

_COMMIT = b"COMMIT\x00"
"""How the message ends that asks for a commit, and the one that says that it is done."""


class Cut(Enum):
    """Where the line breaks."""

    NEVER = "never"
    BEFORE = "before"
    """The server never hears of the commit."""
    AFTER = "after"
    """The server has committed, and the client never hears of it."""


class Proxy:
    """Passes on what a client and a server say.

    Args:
        port: of the server, on 127.0.0.1.

    Attributes:
        port: where it listens itself.
        commits: how many commits were asked for.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._cut, self._next = Cut.NEVER, 0
        self._is_down = False
        self._lock = Lock()
        self._ends: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.commits = 0
        Thread(target=self._accept, daemon=True).start()

    # -- what a test does

    def cut(self, where: Cut, *, commit: int = 1) -> None:
        """Break the line at the n-th commit from now on, once."""
        with self._lock:
            self._cut, self._next = where, self.commits + commit

    @property
    def has_cut(self) -> bool:
        """Whether the line was broken as it was asked for."""
        return self._cut is Cut.NEVER

    def down(self) -> None:
        """Break every line, and let nobody through."""
        with self._lock:
            self._is_down = True
            ends, self._ends = self._ends, []
        for end in ends:
            _break(end)

    def up(self) -> None:
        """Let them through again."""
        with self._lock:
            self._is_down = False

    def close(self) -> None:
        """Break every line, for good."""
        self.down()
        self._listening.close()

    # -- the lines

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed
                return
            with self._lock:
                refused = self._is_down
                if not refused:
                    try:
                        server = socket.create_connection(("127.0.0.1", self._to))
                    except OSError:
                        refused = True
                    else:
                        self._ends += [client, server]
            if refused:
                _break(client)
                continue
            line = _Line(self, client, server)
            for pump in (line.forth, line.back):
                Thread(target=pump, daemon=True).start()

    def asked(self) -> Cut:
        """Count a commit, and say where the line breaks at it."""
        with self._lock:
            self.commits += 1
            if self.commits != self._next:
                return Cut.NEVER
            found, self._cut = self._cut, Cut.NEVER
            return found


class _Line:
    """One client's line to the server."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._deaf = False

    def forth(self) -> None:
        """Pass on what the client says."""
        self._pass_on(self._client, self._server, self._heard)

    def back(self) -> None:
        """Pass on what the server says."""
        self._pass_on(self._server, self._client, self._answered)

    def _pass_on(self, one: socket.socket, other: socket.socket, may_pass: Callable[[bytes], bool]) -> None:
        with suppress(OSError):
            while (said := one.recv(65536)) and may_pass(said):
                other.sendall(said)
        for end in (one, other):
            _break(end)

    def _heard(self, said: bytes) -> bool:
        if not said.endswith(_COMMIT):
            return True
        where = self._proxy.asked()
        self._deaf = where is Cut.AFTER
        return where is not Cut.BEFORE

    def _answered(self, said: bytes) -> bool:
        return not (self._deaf and _COMMIT in said)


def _break(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # as a line that is cut
        end.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        end.close()
