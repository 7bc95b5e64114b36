"""A question that a Postgres server works on while whoever asked does something else.

It goes over a connection of its own, outside of any transaction, past psycopg's cursors, which would wait for the
answer. There is no thread: who waits is the caller, who can be interrupted as always. It is never needed: whoever gets
no answer asks again in the ordinary way, and is told there what is wrong.
"""

from __future__ import annotations

import os
import selectors
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, QueuePool

_LEFT: list[Any] = []
"""Connections of a parent, in a process that was forked: closed here, they would be closed to the parent."""


class Ahead:
    """A statement that is under way, and has one value.

    Whoever takes its connection gives it back, or up: who waits for the answer, or who closes it. Nobody else does.

    Args:
        engine: whose pool a connection is taken from.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._pool = engine, engine.pool
        self._held: list[Any] = [engine.raw_connection()]
        self._process = os.getpid()

    @classmethod
    def begin(cls, engine: Engine, statement: str, given: str) -> Ahead | None:
        """Begin a statement with one parameter; None where the server cannot be asked, or connections are scarce."""
        pool = engine.pool
        if not isinstance(pool, QueuePool) or 2 * pool.checkedout() > pool.size():
            return None
        try:
            begun = cls(engine)
        except Exception:  # noqa: BLE001 - as the module says
            return None
        try:
            begun._send(statement.encode(), given.encode())
        except BaseException as error:
            begun.close()
            if isinstance(error, Exception):
                return None
            raise
        return begun

    def _send(self, statement: bytes, given: bytes) -> None:
        wire = self._held[0].driver_connection.pgconn
        wire.send_query_params(statement, [given])
        while wire.flush():
            _wait(wire, selectors.EVENT_WRITE)

    def answer(self) -> str | None:
        """Wait for the value, once; None where there is none, because something went wrong or it was given up."""
        raw = self._take()
        if raw is None:
            return None
        found = None
        try:
            with suppress(Exception):  # as the module says
                found = _value(raw.driver_connection.pgconn)
        except BaseException:
            _give_up(raw)
            raise
        self._give_back(raw, whole=found is not None)
        return found

    def close(self) -> None:
        """Give up what nobody waits for; what somebody waits for is theirs."""
        raw = self._take()
        if raw is None:
            return
        with suppress(Exception):
            if _is_drained(raw.driver_connection.pgconn):
                self._give_back(raw, whole=True)
                return
        _give_up(raw)

    def _give_back(self, raw: Any, *, whole: bool) -> None:
        if whole and self._engine.pool is self._pool:  # a pool that was disposed of closes nothing
            raw.close()
        else:
            raw.invalidate()

    def _take(self) -> Any:
        try:
            raw = self._held.pop()  # by one thread alone
        except IndexError:
            return None
        if self._process == os.getpid():
            return raw
        _LEFT.append(raw)
        return None

    def __del__(self) -> None:
        """Leave nothing to the pool's own cleaning up, which would wait, or end the connection of a parent."""
        with suppress(Exception):
            self.close()


def _value(wire: Any) -> str | None:
    found = None
    while True:
        while wire.is_busy():
            _wait(wire, selectors.EVENT_READ)
            wire.consume_input()
        result = wire.get_result()
        if result is None:
            return found
        value = result.get_value(0, 0) if result.ntuples else None  # of an error there are no rows
        found = None if value is None else value.decode()


def _is_drained(wire: Any) -> bool:
    """Whether the answer is all here; it is thrown away."""
    while True:
        wire.consume_input()
        if wire.is_busy():
            return False
        if wire.get_result() is None:
            return True


def _wait(wire: Any, event: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(wire.socket, event)
        selector.select()


def _give_up(raw: Any) -> None:
    """End a statement at the server, as far as that takes no time, and the connection."""
    with suppress(Exception):
        from psycopg import capabilities

        if capabilities.has_cancel_safe():  # an older libpq would wait for a server that is silent
            raw.driver_connection.cancel_safe(timeout=1.0)
    raw.invalidate()
