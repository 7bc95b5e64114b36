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

    Args:
        raw: a connection of the pool, which is given back, or given up.
        statement: with `$1`.
        given: the parameter.
    """

    def __init__(self, raw: Any, statement: str, given: str) -> None:
        self._raw = raw
        self._process = os.getpid()
        self._wire = raw.driver_connection.pgconn
        self._wire.send_query_params(statement.encode(), [given.encode()])
        while self._wire.flush():
            self._wait(selectors.EVENT_WRITE)

    @classmethod
    def begin(cls, engine: Engine, statement: str, given: str) -> Ahead | None:
        """Begin a statement, or return None where the server cannot be asked, or connections are scarce."""
        pool = engine.pool
        if not isinstance(pool, QueuePool) or 2 * pool.checkedout() > pool.size():
            return None
        raw = None
        try:
            raw = engine.raw_connection()
            return cls(raw, statement, given)
        except Exception:  # noqa: BLE001 - as the module says
            if raw is not None:
                raw.invalidate()
            return None

    def answer(self) -> str | None:
        """Wait for the value, once; None where there is none, because something went wrong or it was given up."""
        if self._raw is None or not self._is_ours():
            return None
        try:
            found = self._fetch()
        except Exception:  # noqa: BLE001 - as the module says
            found = None
        except BaseException:
            self.close()
            raise
        raw, self._raw = self._raw, None
        if found is None:
            raw.invalidate()
            return None
        raw.close()
        return found

    def _fetch(self) -> str | None:
        found = None
        while True:
            while self._wire.is_busy():
                self._wait(selectors.EVENT_READ)
                self._wire.consume_input()
            result = self._wire.get_result()
            if result is None:
                return found
            value = result.get_value(0, 0) if result.ntuples else None  # of an error there are no rows
            found = None if value is None else value.decode()

    def _wait(self, event: int) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wire.socket, event)
            selector.select()

    def close(self) -> None:
        """Give up what nobody waits for any more."""
        if self._raw is None or not self._is_ours():
            return
        raw, self._raw = self._raw, None
        with suppress(Exception):  # the server may be gone, and then it works on nothing
            raw.driver_connection.cancel_safe(timeout=1.0)
        raw.invalidate()

    def _is_ours(self) -> bool:
        if self._process == os.getpid():
            return True
        _LEFT.append(self._raw)
        return False
