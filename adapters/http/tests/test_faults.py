"""What becomes what when the network or the provider fails: F22 to F25, against a server that does just that."""

import datetime
import json
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lifecycle_mail_http import Promise, Retries, Timeouts, Transport
from lifecycle_mail_http.testing import Answers, Behaviour, Breaks, Drips, FakeTime, FaultyServer, Hangs, When

from adapters.http.tests.conftest import MakeTransport
from lifecycle_mail.errors import EspError, EspRefused, EspUnavailable, OutcomeUnknown

HTML = Answers(body=b"<html>We are down for maintenance</html>", content_type="text/html")
UNKNOWN: dict[str, Behaviour] = {
    "F22 no answer": Hangs(),
    "F22 a body that stops": Drips(pause=60),
    "F23 reset before reading": Breaks(When.BEFORE_READING),
    "F23 reset after reading": Breaks(When.AFTER_READING),
    "F23 reset in the headers": Breaks(When.WITHIN_HEADERS),
    "F23 reset in the body": Breaks(When.WITHIN_BODY),
    "F23 closed before reading": Breaks(When.BEFORE_READING, reset=False),
    "F23 closed after reading": Breaks(When.AFTER_READING, reset=False),
    "F23 closed in the headers": Breaks(When.WITHIN_HEADERS, reset=False),
    "F25 cut short": Breaks(When.WITHIN_BODY, reset=False),
    "F25 cut short in a chunk": Answers(
        body=b'8\r\n{"a": 1}', headers={"Transfer-Encoding": "chunked", "Connection": "close"}
    ),
    "F25 a broken chunk": Answers(
        body=b"zz\r\n{}\r\n", headers={"Transfer-Encoding": "chunked", "Connection": "close"}
    ),
    "F25 broken gzip": Answers(body=b'{"a": 1}', headers={"Content-Encoding": "gzip"}),
    "F25 HTML": HTML,
    "F25 truncated JSON": Answers(body=b'{"id": "a", "stat'),
    "F25 empty": Answers(body=b""),
    "F25 nothing in it": Answers(json={}),
    "F25 nothing in the array": Answers(json=[]),
    "F25 no content": Answers(204, content_type=None),
    "500": Answers(500, json={"title": "Internal Server Error"}),
    "502 of a proxy": Answers(502, body=b"<html>Bad Gateway</html>", content_type="text/html"),
    "504": Answers(504, body=b"", content_type=None),
    "408": Answers(408, body=b"", content_type=None),
    "500 cut short": Breaks(
        When.WITHIN_BODY, answer=Answers(500, json={"title": "Internal Server Error"}), reset=False
    ),
}


@pytest.fixture
def once(make: MakeTransport) -> Transport:
    """Return a transport that tries once."""
    return make(retries=Retries(tries=1))


class TestUnknown:
    """What leaves it open whether a call was carried out (F22, F23, F25)."""

    @pytest.mark.parametrize("name", UNKNOWN)
    def test_of_a_change_the_outcome_is_unknown(self, server: FaultyServer, transport: Transport, name: str) -> None:
        """A change that may have been made is unknown, and is asked for once (F22, F23, F25)."""
        server.will(UNKNOWN[name])
        with pytest.raises(OutcomeUnknown) as raised:
            transport.send("POST", server.url, body=b'{"a": 1}', promise=Promise.CONTENT)
        assert not raised.value.retryable
        assert "reconcile" in raised.value.fix
        assert len(server.requests) <= 1

    @pytest.mark.parametrize("name", UNKNOWN)
    def test_of_a_question_it_is_unavailable(self, server: FaultyServer, once: Transport, name: str) -> None:
        """What only reads may be asked again (F22, F23, F25)."""
        server.will(UNKNOWN[name])
        with pytest.raises(EspUnavailable):
            once.send("GET", server.url, promise=Promise.CONTENT)

    @pytest.mark.parametrize("name", UNKNOWN)
    @pytest.mark.parametrize("method", ["GET", "PUT"])
    def test_what_is_repeatable_is_repeated(
        self, server: FaultyServer, transport: Transport, method: str, name: str, time: FakeTime
    ) -> None:
        """A call that may be made twice is made again, and succeeds (F22, F23, F25)."""
        server.will(UNKNOWN[name], Answers(json={"id": "a"}))
        assert transport.send(method, server.url, promise=Promise.CONTENT).json() == {"id": "a"}
        assert time.waits == [0.5]

    def test_a_status_that_came_is_told(self, server: FaultyServer, once: Transport) -> None:
        """What was answered is in the error, if anything was."""
        server.will(HTML, Answers(500, json={"title": "x"}), Hangs())
        told = []
        for _ in range(3):
            with pytest.raises(OutcomeUnknown) as raised:
                once.send("POST", server.url)
            told.append((raised.value.status, raised.value.body))
        assert told == [(200, "<html>We are down for maintenance</html>"), (500, '{"title": "x"}'), (None, "")]

    def test_a_body_that_trickles_in(self, server: FaultyServer, make: MakeTransport) -> None:
        """A body that keeps coming, and never ends, is given up (F22)."""
        server.will(Drips())
        with pytest.raises(OutcomeUnknown, match="trickled in for too long"):
            make(timeouts=Timeouts(read=5, total=0.2)).send("POST", server.url)

    def test_a_body_of_a_change_that_promises_nothing(self, server: FaultyServer, once: Transport) -> None:
        """An empty answer is a success where no content is promised, and HTML is none even there (F25)."""
        server.will(Answers(204, content_type=None), Answers(200, body=b"", content_type=None), HTML)
        assert [once.send("POST", server.url).json() for _ in range(2)] == [None, None]
        with pytest.raises(OutcomeUnknown, match="content type"):
            once.send("POST", server.url)

    def test_an_earlier_try_is_not_forgotten(self, server: FaultyServer, transport: Transport) -> None:
        """A change that timed out and was then told to come back later is unknown, not undone (F22)."""
        server.will(Hangs(), *[Answers(429, json={})] * 3)
        with pytest.raises(OutcomeUnknown, match="earlier try") as raised:
            transport.send("PUT", server.url)
        assert raised.value.status == 429


class TestNotDone:
    """What was certainly not carried out."""

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_connection_that_is_refused(self, transport: Transport, method: str, time: FakeTime) -> None:
        """Nobody listens: nothing was asked, so any call may be made again, and is."""
        with pytest.raises(EspUnavailable, match="refused") as raised:
            transport.send(method, "http://127.0.0.1:1/")
        assert raised.value.status is None
        assert len(time.waits) == 3

    def test_a_host_that_is_not_known(self, once: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name that nobody knows leads nowhere."""

        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)  # the resolver is not asked: tests stay on this machine
        with pytest.raises(EspUnavailable, match="host name is not known"):
            once.send("POST", "http://api.invalid/")

    def test_a_connection_that_does_not_stand_in_time(self, make: MakeTransport) -> None:
        """A queue that is full lets nobody in."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            waiting = []
            try:
                for _ in range(8):
                    one = socket.socket()
                    one.setblocking(False)
                    one.connect_ex(full.getsockname())
                    waiting.append(one)
                transport = make(retries=Retries(tries=1), timeouts=Timeouts(connect=0.2))
                with pytest.raises(EspUnavailable, match="in time"):
                    transport.send("POST", f"http://127.0.0.1:{full.getsockname()[1]}/")
            finally:
                for one in waiting:
                    one.close()

    def test_a_certificate_that_does_not_hold(self, untrusted: FaultyServer, once: Transport) -> None:
        """A server that nobody vouches for gets no request, and so no key."""
        with pytest.raises(EspUnavailable, match="certificate"):
            once.send("POST", untrusted.url, body=b"{}")
        assert untrusted.requests == []

    def test_a_server_that_does_not_encrypt(self, server: FaultyServer, once: Transport) -> None:
        """Something that answers without encryption where it is expected gets no request."""
        server.will(Answers(body=b""))
        with pytest.raises(EspError):
            once.send("POST", server.url.replace("http:", "https:"), body=b"{}")
        assert server.requests == []

    @pytest.mark.parametrize("status", [425, 429, 503])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_status_that_says_so(
        self, server: FaultyServer, transport: Transport, method: str, status: int, time: FakeTime
    ) -> None:
        """A provider that is busy did not do it: any call is made again."""
        server.will(*[Answers(status, body=b"", content_type=None)] * 2, Answers(json={"id": "a"}))
        assert transport.send(method, server.url).json() == {"id": "a"}
        assert time.waits == [0.5, 1.0]


class TestStorm:
    """A storm of 429, with each form of Retry-After (F24)."""

    def forms(self, now: datetime.datetime) -> dict[str, float]:
        """Return each form, and how long it asks for."""
        later = now + timedelta(seconds=90)
        return {
            "7": 7,
            f"{later:%a, %d %b %Y %H:%M:%S} GMT": 90,
            "whenever": 0.5,
            "-3": 0.5,
            "0": 0.5,
        }

    @pytest.mark.parametrize("form", range(5))
    def test_it_is_obeyed(self, server: FaultyServer, transport: Transport, time: FakeTime, form: int) -> None:
        """Seconds and dates are waited for; garbage and what is negative leave it to our own backing off (F24)."""
        said, seconds = list(self.forms(time.now()).items())[form]
        server.will(Answers(429, json={}, headers={"Retry-After": said}))
        assert transport.send("POST", server.url).status == 200
        assert time.waits == [seconds]

    @pytest.mark.parametrize("left", ["57", "epoch"])
    def test_sendgrids_way(self, server: FaultyServer, transport: Transport, time: FakeTime, left: str) -> None:
        """`X-RateLimit-Reset` is obeyed as seconds left and as an epoch (F24)."""
        said = str(int(time.now().timestamp()) + 57) if left == "epoch" else left
        server.will(Answers(429, json={}, headers={"X-RateLimit-Reset": said, "X-RateLimit-Remaining": "0"}))
        assert transport.send("POST", server.url).status == 200
        assert time.waits == [57.0]

    @pytest.mark.parametrize("status", [429, 503])
    def test_it_is_capped(self, server: FaultyServer, transport: Transport, time: FakeTime, status: int) -> None:
        """What asks for an hour is not waited for: the caller is told, and may come back then (F24)."""
        server.will(Answers(status, json={}, headers={"Retry-After": "3600"}))
        with pytest.raises(EspUnavailable, match="try again after 3,600 s") as raised:
            transport.send("POST", server.url)
        assert raised.value.retry_after == timedelta(hours=1)
        assert raised.value.retryable
        assert (time.waits, len(server.requests)) == ([], 1)

    def test_a_storm_that_does_not_end(self, server: FaultyServer, transport: Transport, time: FakeTime) -> None:
        """After the last try the caller is told how long to leave it alone (F24)."""
        server.will(*(Answers(429, json={}, headers={"Retry-After": str(n)}) for n in (1, 2, 3, 4)))
        with pytest.raises(EspUnavailable) as raised:
            transport.send("POST", server.url)
        assert raised.value.retry_after == timedelta(seconds=4)
        assert time.waits == [1.0, 2.0, 3.0]


class TestRefused:
    """What the provider says no to, for good."""

    @pytest.mark.parametrize(
        ("status", "fix"),
        [
            (400, ""),
            (401, "make a new one"),
            (403, "scope"),
            (404, "not there"),
            (409, ""),
            (410, ""),
            (413, "send less"),
        ],
    )
    def test_it_is_final(self, server: FaultyServer, transport: Transport, status: int, fix: str) -> None:
        """It is not asked for again, and the error says what to do where that is known."""
        server.will(Answers(status, json={"title": "No", "email": "ann@example.com"}))
        with pytest.raises(EspRefused) as raised:
            transport.send("PUT", server.url)
        assert (raised.value.status, raised.value.body) == (status, '{"title": "No", "email": "a***@example.com"}')
        assert fix in raised.value.fix
        assert len(server.requests) == 1

    def test_a_refusal_that_is_cut_short(self, server: FaultyServer, transport: Transport) -> None:
        """A status that says no is enough, if its body is not whole."""
        server.will(Breaks(When.WITHIN_BODY, answer=Answers(400, json={"title": "Bad Request"}), reset=False))
        with pytest.raises(EspRefused) as raised:
            transport.send("POST", server.url)
        assert raised.value.body == json.dumps({"title": "Bad Request"})[:12]


@pytest.fixture
def untrusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyServer]:
    """Return a server whose certificate it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = Path(tmp_path_factory.mktemp("tls")) / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with FaultyServer(context=context) as server:
        yield server
