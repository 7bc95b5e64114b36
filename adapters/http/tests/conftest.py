"""What the tests of the transport may count on: a server that misbehaves, and time that does not pass."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from lifecycle_mail_http import Retries, Timeouts, Transport
from lifecycle_mail_http.testing import FakeTime, FaultyServer

import tests.conftest  # noqa: F401 - how generated examples are drawn is said there

MakeTransport = Callable[..., Transport]


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """Return a server that answers as it is told."""
    with FaultyServer() as server:
        yield server


@pytest.fixture
def time() -> FakeTime:
    """Return a clock that waits for nobody."""
    return FakeTime()


@pytest.fixture
def make(time: FakeTime) -> Iterator[MakeTransport]:
    """Return a maker of transports that lose patience quickly."""
    made: list[Transport] = []

    def make(**options: Any) -> Transport:
        given = {
            "timeouts": Timeouts(connect=2, read=0.3),
            "retries": Retries(jitter=timedelta()),
            "wait": time.wait,
            "clock": time.now,
        }
        made.append(Transport("mailchimp", **{**given, **options}))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def transport(make: MakeTransport) -> Transport:
    """Return a transport that loses patience quickly."""
    return make()
