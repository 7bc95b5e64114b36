"""How long a provider asks to be left alone, and how often a call is made."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st
from lifecycle_mail_http import Promise, Retries, pause_asked
from lifecycle_mail_http.calls import Call
from lifecycle_mail_http.retrying import Trying
from lifecycle_mail_http.testing import FakeTime
from requests.structures import CaseInsensitiveDict

from lifecycle_mail.errors import EspError, EspRefused, EspUnavailable, OutcomeUnknown

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


class TestPauseAsked:
    """`Retry-After` and `X-RateLimit-Reset`, in each form (F24)."""

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({"Retry-After": "7"}, 7),
            ({"retry-after": " 7 "}, 7),
            ({"Retry-After": "0"}, 0),
            ({"Retry-After": "1.5"}, 1.5),
            ({"Retry-After": "Sun, 01 Mar 2026 12:01:30 GMT"}, 90),
            ({"Retry-After": "Sunday, 01-Mar-26 12:01:30 GMT"}, 90),
            ({"Retry-After": "Sun Mar  1 12:01:30 2026"}, 90),
            ({"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),
            ({"Retry-After": "9" * 400}, timedelta(days=366).total_seconds()),
            ({"X-RateLimit-Reset": "57"}, 57),
            ({"x-ratelimit-reset": str(EPOCH + 40)}, 40),
            ({"X-RateLimit-Reset": str(EPOCH - 40)}, 0),
            ({"Retry-After": "3", "X-RateLimit-Reset": "57"}, 3),
            ({"Retry-After": "soon", "X-RateLimit-Reset": "57"}, 57),
        ],
    )
    def test_every_form_is_read(self, headers: dict[str, str], seconds: float) -> None:
        """Seconds, a date in each of its three forms, an epoch and the seconds left are read."""
        assert pause_asked(CaseInsensitiveDict(headers), now=NOW) == timedelta(seconds=seconds)

    @pytest.mark.parametrize(
        "said", ["", "soon", "-5", "1e3", "0x10", "٣", "7 s", "Mon, 99 Foo 2026", "nan", "inf", "\x00", "1;2"]
    )
    def test_garbage_is_ignored(self, said: str) -> None:
        """What is neither a count nor a date asks for nothing, and a negative number neither (F24)."""
        assert pause_asked(CaseInsensitiveDict({"Retry-After": said, "X-RateLimit-Reset": said}), now=NOW) is None

    @given(said=st.text(), reset=st.text())
    def test_no_header_raises(self, said: str, reset: str) -> None:
        """Whatever the headers hold, the pause is none or between nothing and a year."""
        pause = pause_asked(CaseInsensitiveDict({"Retry-After": said, "X-RateLimit-Reset": reset}), now=NOW)
        assert pause is None or timedelta() <= pause <= timedelta(days=366)


def call(*, repeatable: bool = False, reads: bool = False, within: timedelta | None = None) -> Call:
    """Return a call."""
    return Call(
        esp="mailchimp", operation="stage", repeatable=repeatable, reads=reads, within=within, promise=Promise.JSON
    )


def unavailable(seconds: float | None = None) -> EspUnavailable:
    """Return the error of a call that was not done."""
    pause = None if seconds is None else timedelta(seconds=seconds)
    return EspUnavailable(esp="mailchimp", operation="stage", status=429, retry_after=pause)


def unknown() -> OutcomeUnknown:
    """Return the error of a call that was perhaps done."""
    return OutcomeUnknown(esp="mailchimp", operation="stage")


class Once:
    """What each try of a call comes to."""

    def __init__(self, *outcomes: EspError | str) -> None:
        self.ahead = list(outcomes)

    def __call__(self) -> str:
        """Make a try."""
        outcome = self.ahead.pop(0)
        if isinstance(outcome, EspError):
            raise outcome
        return outcome


@pytest.fixture
def run() -> Callable[..., str]:
    """Return what runs a call on a clock of its own, with the waits to be looked at."""

    def run(once: Once, what: Call, *, time: FakeTime | None = None, retries: Retries | None = None) -> str:
        time = time or FakeTime(NOW)
        retries = retries or Retries(jitter=timedelta())
        return Trying(call=what, retries=retries, wait=time.wait, clock=time.now).run(once)

    return run


class TestTrying:
    """What is tried again, how often, and after how long."""

    def test_what_was_not_done_is_tried_again(self, run: Callable[..., str]) -> None:
        """A call that was not carried out is made again, repeatable or not, and the pauses double."""
        time = FakeTime(NOW)
        assert run(Once(unavailable(), unavailable(), unavailable(), "done"), call(), time=time) == "done"
        assert time.waits == [0.5, 1.0, 2.0]

    def test_no_more_than_so_often(self, run: Callable[..., str]) -> None:
        """After the last try its error is raised, and not waited for."""
        time, last = FakeTime(NOW), unavailable(9)
        with pytest.raises(EspUnavailable) as raised:
            run(Once(unavailable(), last), call(), time=time, retries=Retries(tries=2, jitter=timedelta()))
        assert raised.value is last
        assert time.waits == [0.5]

    def test_what_is_asked_for_is_obeyed(self, run: Callable[..., str]) -> None:
        """A pause that is asked for goes before one's own (F24)."""
        time = FakeTime(NOW)
        assert run(Once(unavailable(7), unavailable(120), "done"), call(), time=time) == "done"
        assert time.waits == [7.0, 120.0]

    def test_a_pause_of_nothing_is_backed_off_from(self, run: Callable[..., str]) -> None:
        """A provider that refuses and asks for no pause is not hammered."""
        time = FakeTime(NOW)
        assert run(Once(unavailable(0), "done"), call(), time=time) == "done"
        assert time.waits == [0.5]

    def test_what_asks_for_too_long_is_not_waited_for(self, run: Callable[..., str]) -> None:
        """A pause longer than the longest is raised at once, and says how long (F24)."""
        time = FakeTime(NOW)
        with pytest.raises(EspUnavailable) as raised:
            run(Once(unavailable(121), "done"), call(), time=time)
        assert raised.value.retry_after == timedelta(seconds=121)
        assert time.waits == []

    def test_chance_is_added(self, run: Callable[..., str]) -> None:
        """Callers that failed together do not return together, and none before it may."""
        waits = set()
        for _ in range(20):
            time = FakeTime(NOW)
            run(Once(unavailable(7), "done"), call(), time=time, retries=Retries(jitter=timedelta(seconds=1)))
            waits.add(time.waits[0])
        assert len(waits) > 1
        assert all(7 <= wait <= 8 for wait in waits)

    def test_an_unknown_outcome_is_not_repeated(self, run: Callable[..., str]) -> None:
        """What may have been done is left alone, unless it may be done twice (F22)."""
        once = Once(unknown(), "done")
        with pytest.raises(OutcomeUnknown):
            run(once, call())
        assert once.ahead == ["done"]
        assert run(Once(unknown(), "done"), call(repeatable=True)) == "done"

    def test_an_unknown_outcome_stays_unknown(self, run: Callable[..., str]) -> None:
        """After a try that may have been carried out, a later one that was not says nothing about it (F22)."""
        with pytest.raises(OutcomeUnknown) as raised:
            run(Once(unknown(), unavailable(300)), call(repeatable=True))
        assert raised.value.status == 429
        assert raised.value.retry_after == timedelta(seconds=300)
        assert "an earlier try" in raised.value.fix

    def test_a_refusal_is_final(self, run: Callable[..., str]) -> None:
        """What was refused is not asked for again."""
        once = Once(EspRefused(esp="mailchimp", operation="stage", status=400), "done")
        with pytest.raises(EspRefused):
            run(once, call(repeatable=True, reads=True))
        assert once.ahead == ["done"]

    def test_no_try_begins_too_late(self, run: Callable[..., str]) -> None:
        """An operation that has so long is given up when the next pause would end after that."""
        time = FakeTime(NOW)
        with pytest.raises(EspUnavailable):
            run(
                Once(unavailable(4), unavailable(5), unavailable(2), "done"),
                call(within=timedelta(seconds=10)),
                time=time,
            )
        assert time.waits == [4.0, 5.0]

    def test_other_errors_pass(self, run: Callable[..., str]) -> None:
        """A mistake in a program is no failure of the provider."""

        def once() -> str:
            raise KeyError("x")

        with pytest.raises(KeyError):
            run(once, call(repeatable=True))

    def test_stamina_is_heeded(self, run: Callable[..., str]) -> None:
        """An application that turns stamina off, or to testing, gets what stamina promises."""
        stamina.set_active(False)
        try:
            with pytest.raises(EspUnavailable):
                run(Once(unavailable(), "done"), call())
        finally:
            stamina.set_active(True)
        with stamina.set_testing(True, attempts=2):
            time = FakeTime(NOW)
            assert run(Once(unavailable(7), "done"), call(), time=time) == "done"
            assert time.waits == []

    @pytest.mark.parametrize("tries", [0, -1])
    def test_at_least_one_try(self, tries: int) -> None:
        """A call that is never made is no call."""
        with pytest.raises(ValueError, match="tries"):
            Retries(tries=tries)
