"""One pooled connection to a provider, under the provider's official package.

- At most so many calls are under way at once: a call waits for its turn, and who waits between two tries holds none.
- A call is made again where that is safe (`retrying`), and becomes an error of our tree where it fails (`judging`).
- Keys, proxies and certificates of the environment stay out: neither `.netrc` nor `HTTPS_PROXY` nor
  `REQUESTS_CA_BUNDLE` is read, since whoever sets them would get the API key. An application that needs a proxy or a
  bundle of its own gives a `requests.Session` that has them. Cookies are not kept, redirects are not followed.
- An address or a key in a path or a query would stand in the debug log of urllib3. No key does; which addresses must is
  said where the vendor leaves no other way.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from threading import BoundedSemaphore
from typing import IO, Final, Self
from urllib.parse import urlsplit

from attrs import field, frozen, validators
from requests import Response, Session
from requests.adapters import HTTPAdapter

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail_http.answers import Answer, masked
from lifecycle_mail_http.calls import Call, Operation, Promise
from lifecycle_mail_http.judging import (
    MALFORMED,
    NO_ANSWER,
    Explain,
    TooLarge,
    TooSlow,
    judge,
    no_answer,
    not_whole,
    refused,
    says_no,
)
from lifecycle_mail_http.keys import Key
from lifecycle_mail_http.retrying import Retries, Trying

_PIECE: Final = 65_536
LIMIT: Final = 64 * 2**20
"""The largest answer that is taken unless a call says otherwise, in bytes as unpacked."""

Query = Iterable[tuple[str, str | int | float]]


@frozen(kw_only=True)
class Timeouts:
    """How long a try may take, in seconds.

    Attributes:
        connect: until the connection stands.
        read: until the next piece of the answer comes.
        total: until the answer is whole.
    """

    connect: float = field(default=5.0, validator=validators.gt(0))
    read: float = field(default=60.0, validator=validators.gt(0))
    total: float = field(default=300.0, validator=validators.gt(0))


def _now() -> datetime:
    return datetime.now(UTC)


# Which operation the calls of this thread, or task, belong to, and through which transport.
_current: ContextVar[tuple[object, Operation] | None] = ContextVar("lifecycle_mail_http.operation", default=None)


class Transport:
    """Connections to one provider, which threads may share.

    Attributes:
        esp: the provider's name.
        timeouts: how long a try may take.
        retries: how often a call is made.
    """

    def __init__(
        self,
        esp: str,
        *,
        connections: int = 10,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], datetime] = _now,
        session: Session | None = None,
    ) -> None:
        """Make a transport. No connection is opened before the first call.

        Args:
            esp: the provider's name.
            connections: at most so many calls are under way at once.
            timeouts: how long a try may take.
            retries: how often a call is made.
            wait: waits so many seconds between two tries.
            clock: tells the instant, in UTC.
            session: one of the application's, with its proxies and certificates; it stays open on `close`.
        """
        if connections < 1:
            raise Misconfigured(f"{esp}: {connections} connections carry no call: give at least 1")
        self.esp = esp
        self.timeouts = timeouts or Timeouts()
        self.retries = retries or Retries()
        self._wait = wait
        self._clock = clock
        self._slots = BoundedSemaphore(connections)
        self._session = session or _session(connections)
        self._owned = session is None

    def __repr__(self) -> str:
        return f"Transport({self.esp!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection that is idle. Calling it twice is fine."""
        if self._owned:
            self._session.close()

    def now(self) -> datetime:
        """Return the instant."""
        return self._clock()

    def wait(self, seconds: float) -> None:
        """Wait, as between two tries: for a job at the provider to end, for example."""
        self._wait(seconds)

    @contextmanager
    def operation(
        self,
        name: str,
        *,
        repeatable: bool | None = None,
        reads: bool | None = None,
        within: timedelta | None = None,
        promise: Promise | None = None,
    ) -> Iterator[None]:
        """Say what the calls are for that this thread makes through this transport from here on.

        An operation within another outranks it. A new thread knows of none.

        Args:
            name: how errors name it, without an address.
            repeatable: whether doing it twice is as doing it once. GET, HEAD, PUT and DELETE are by default, POST and
                PATCH are not.
            reads: whether it changes nothing, for a POST that only asks.
            within: no try begins later than this after the first one.
            promise: what a success carries, where the package does not know.
        """
        said = Operation(name=name, repeatable=repeatable, reads=reads, within=within, promise=promise)
        token = _current.set((self, said))
        try:
            yield
        finally:
            _current.reset(token)

    def send(
        self,
        method: str,
        url: str,
        *,
        name: str = "",
        headers: Mapping[str, str] | None = None,
        query: Query = (),
        body: bytes | None = None,
        auth: Key | None = None,
        promise: Promise = Promise.PERHAPS,
        explain: Explain = refused,
        limit: int = LIMIT,
    ) -> Answer:
        """Make a call, again where that is safe, and return an answer that is a success.

        Args:
            method: the HTTP method.
            url: the address, its path quoted.
            name: how errors name the call where no operation is set: `GET /lists/{list_id}`.
            headers: further headers.
            query: the parameters of the query, in order.
            body: the body; its `Content-Type` is among the headers.
            auth: what authorises the call. Without it no key is sent, which is right for links that carry their own.
            promise: what a success carries.
            explain: reads the vendor's words of a refusal.
            limit: the largest answer that is taken, in bytes.

        Raises:
            EspError: it failed, by the table in `lifecycle_mail_http.judging`.
            Misconfigured: the address or a header is malformed.
        """
        call = self._call(method, url, name, promise)
        request = _Request(
            method=method,
            url=url,
            headers=dict(headers or {}),
            query=tuple(query),
            body=body,
            auth=auth,
            explain=explain,
            limit=limit,
        )
        return self._trying(call).run(lambda: self._once(call, request, io.BytesIO()))

    def fetch(self, url: str, into: IO[bytes], *, name: str, limit: int = LIMIT) -> int:
        """Write what a link of the provider's leads to into a file, without the key, and return how many bytes.

        Args:
            url: the link, which carries its own authority.
            into: where to write; what an earlier try wrote is written over.
            name: how errors name it where no operation is set. The link itself is named nowhere.
            limit: the largest file that is taken, in bytes as unpacked.

        Raises:
            EspError: it failed.
        """
        call = self._call("GET", url, name, Promise.ANYTHING)
        request = _Request(method="GET", url=url, limit=limit)
        start = into.tell()

        def once() -> int:
            into.seek(start)
            into.truncate()
            self._once(call, request, into)
            return into.tell() - start

        return self._trying(call).run(once)

    def _call(self, method: str, url: str, name: str, promise: Promise) -> Call:
        current = _current.get()
        said = current[1] if current is not None and current[0] is self else Operation()
        path = "/".join(masked(part) for part in urlsplit(url).path.split("/"))
        name = name or f"{method} {path}"
        return Call.of(said, esp=self.esp, method=method, name=name, promise=promise)

    def _trying(self, call: Call) -> Trying:
        return Trying(call=call, retries=self.retries, wait=self._wait, clock=self._clock)

    def _once(self, call: Call, request: _Request, into: IO[bytes]) -> Answer:
        """Make one try; the body of a success goes into a file."""
        status, malformed, sink = 0, "", into
        headers: Mapping[str, str] = {}
        trouble: Exception | None = None
        try:
            with self._slots, self._asked(request) as response:
                status, headers = response.status_code, dict(response.headers)
                if not 200 <= status < 300:
                    sink = io.BytesIO()  # what explains an error is no file
                _pour(response, sink, limit=request.limit, until=time.monotonic() + self.timeouts.total)
        except MALFORMED as error:
            malformed = type(error).__name__  # its text may quote a header
        except (TooLarge, TooSlow, *NO_ANSWER) as error:
            trouble = error
        # Raised from out here, an error of ours carries none of the package's, which quotes the address.
        if malformed:
            raise Misconfigured(f"{self.esp}: {call.operation}: the address or a header is malformed ({malformed})")
        if trouble is not None and not status:
            raise no_answer(call, trouble)
        if trouble is not None and not says_no(status):
            raise not_whole(call, status, trouble)
        body = sink.getvalue() if isinstance(sink, io.BytesIO) else b""
        answer = Answer(status, headers, body)
        hidden = request.auth.hidden if request.auth is not None else str
        judge(call, answer, explain=request.explain, hidden=hidden, now=self._clock())
        return answer

    def _asked(self, request: _Request) -> Response:
        return self._session.request(
            request.method,
            request.url,
            params=request.query,
            data=request.body,
            headers=request.headers,
            auth=request.auth,
            timeout=(self.timeouts.connect, self.timeouts.read),
            allow_redirects=False,
            stream=True,
        )


@frozen(kw_only=True)
class _Request:
    """What every try of a call sends."""

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(factory=dict, repr=False)
    query: tuple[tuple[str, str | int | float], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    auth: Key | None = None
    explain: Explain = refused
    limit: int = LIMIT


def _session(connections: int) -> Session:
    """Return a session that trusts nothing of the environment, and keeps no cookies."""
    session = Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = HTTPAdapter(pool_connections=connections, pool_maxsize=connections, pool_block=True)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _pour(response: Response, into: IO[bytes], *, limit: int, until: float) -> None:
    """Write a body into a file as it comes in, unpacked.

    It is read as it comes rather than in pieces of one size, or a body that trickles in would never be too slow.
    urllib3 holds it against its `Content-Length`.
    """
    size = 0
    while piece := response.raw.read1(_PIECE, decode_content=True):
        size += len(piece)
        if size > limit:
            raise TooLarge(f"its answer is larger than {limit:,} bytes")
        if time.monotonic() > until:
            raise TooSlow("its answer trickled in for too long")
        into.write(piece)
