"""What becomes what in the error tree.

| what happened | it only reads | it changes something |
|---|---|---|
| no connection: refused, unknown host, too slow to stand, bad certificate | `EspUnavailable` | `EspUnavailable` |
| 425, 429, 503, with `retry_after` where they say | `EspUnavailable` | `EspUnavailable` |
| no answer in time, reset in the middle (F22, F23) | `EspUnavailable` | `OutcomeUnknown` |
| a body cut short, broken, HTML, or not what was promised (F25) | `EspUnavailable` | `OutcomeUnknown` |
| 408, another 5xx | `EspUnavailable` | `OutcomeUnknown` |
| another 4xx, a redirect | `EspRefused` | `EspRefused` |
| a body larger than the limit | `EspRefused` | `OutcomeUnknown` |

`EspUnavailable` is tried again whatever the call is, since it was not done; `OutcomeUnknown` only where the call is
repeatable. What is raised is what the last try came to, except that after a try that may have been carried out nothing
says any more that it was not.

A refusal is the vendor's to explain: an adapter gives `send` a function that reads the vendor's words.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen
from requests import exceptions as requests_errors
from urllib3 import exceptions as urllib3_errors

from lifecycle_mail.errors import EspError, EspRefused, EspUnavailable, OutcomeUnknown
from lifecycle_mail_http.answers import Answer, Unfit
from lifecycle_mail_http.calls import Call, Promise
from lifecycle_mail_http.retrying import pause_asked

NOT_DONE: Final = frozenset({425, 429, 503})
"""What a provider answers to a call that it did not carry out."""

NO_ANSWER: Final = (requests_errors.RequestException, urllib3_errors.HTTPError, OSError)
"""What a call raises that brought no answer, or not a whole one."""

MALFORMED: Final = (
    requests_errors.InvalidURL,
    requests_errors.InvalidSchema,
    requests_errors.MissingSchema,
    requests_errors.InvalidHeader,
    UnicodeError,
)
"""What a call raises that could not even be written down."""

# Nothing is sent before these: the handshake is what failed. Other errors of TLS may strike in the middle of an answer.
_HANDSHAKE: Final = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "NO_PROTOCOLS_AVAILABLE",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)


def says_no(status: int) -> bool:
    """Tell whether a status alone says that a call was not carried out."""
    return status in NOT_DONE or (300 <= status < 500 and status != 408)


class TooLarge(Exception):
    """An answer that is larger than its limit."""


class TooSlow(Exception):
    """An answer that trickles in for longer than its limit."""


@frozen
class Refusal:
    """An answer that says no, for the vendor's words to be read.

    Attributes:
        esp, operation: whose it is, and to what.
        status: the status code.
        content: what the body holds, None where it is no JSON.
        text: the body for errors, with addresses masked.
    """

    esp: str
    operation: str
    status: int
    content: Any
    text: str


Explain = Callable[[Refusal], EspError]
"""Turns a vendor's refusal into an error, usually an `EspRefused` with a fix."""


def refused(refusal: Refusal) -> EspRefused:
    """Return the error for a refusal of which nothing more is known."""
    fixes = {
        401: "the API key is not valid any more, or is for another account or region: make a new one",
        403: "the API key may not do this: give it the scope, or the account the plan",
        404: "it is not there, or the path or an id in it is wrong",
        413: "send less at once",
    }
    return EspRefused(
        esp=refusal.esp,
        operation=refusal.operation,
        status=refusal.status,
        body=refusal.text,
        fix=fixes.get(refusal.status, ""),
    )


def uncertain(
    call: Call, why: str, *, status: int | None = None, body: str = "", retry_after: timedelta | None = None
) -> EspError:
    """Return the error for a call that may have been carried out."""
    kind, fix = (EspUnavailable, "try again later") if call.reads else (OutcomeUnknown, "reconcile, do not repeat it")
    return kind(
        esp=call.esp,
        operation=call.operation,
        status=status,
        body=body,
        fix=f"{why}: {fix}" if why else fix,
        retry_after=retry_after,
    )


def no_answer(call: Call, trouble: Exception) -> EspError:
    """Return the error for a call that brought no whole answer, whatever the package or the network raised."""
    chain = _chain(trouble)
    never_stood = _never_stood(chain)
    if never_stood:
        return EspUnavailable(esp=call.esp, operation=call.operation, fix=f"{never_stood}, so nothing was asked of it")
    if any(isinstance(one, requests_errors.Timeout | urllib3_errors.TimeoutError | TimeoutError) for one in chain):
        return uncertain(call, "it did not answer in time")
    return uncertain(call, "the connection broke before the answer was whole")


def not_whole(call: Call, status: int, trouble: Exception) -> EspError:
    """Return the error for an answer whose beginning came, with its status, and the rest did not."""
    if isinstance(trouble, TooLarge):
        if call.reads:
            return EspRefused(esp=call.esp, operation=call.operation, status=status, fix=f"{trouble}: ask for less")
        return uncertain(call, str(trouble), status=status)
    why = str(trouble) if isinstance(trouble, TooSlow) else "its answer was cut short"
    return uncertain(call, why, status=status)


def judge(call: Call, answer: Answer, *, explain: Explain, hidden: Callable[[str], str], now: datetime) -> None:
    """Let an answer pass that says that it was done and holds what was promised.

    Args:
        call: what was asked for.
        answer: the answer.
        explain: reads the vendor's words of a refusal.
        hidden: takes the account's key out of a text.
        now: the instant that a date in `Retry-After` is counted from.

    Raises:
        EspError: by the table above.
    """
    if answer.ok:
        if call.promise is Promise.ANYTHING:
            return
        try:
            answer.json(call.promise)
        except Unfit as unfit:
            why = str(unfit)
        else:
            return
        raise uncertain(call, f"the answer is no success: {why}", status=answer.status, body=hidden(answer.text))
    text = hidden(answer.text)
    if answer.status in NOT_DONE:
        asked = pause_asked(answer.headers, now=now)
        raise EspUnavailable(
            esp=call.esp,
            operation=call.operation,
            status=answer.status,
            body=text,
            fix="try again later" if asked is None else f"try again after {int(asked.total_seconds()):,} s",
            retry_after=asked,
        )
    if not says_no(answer.status):
        raise uncertain(call, "", status=answer.status, body=text, retry_after=pause_asked(answer.headers, now=now))
    if answer.status < 400:
        # The key would travel to wherever it points.
        raise EspRefused(
            esp=call.esp,
            operation=call.operation,
            status=answer.status,
            body=text,
            fix="it points elsewhere, and that is not followed: give the address of the API itself as the host",
        )
    raise explain(
        Refusal(esp=call.esp, operation=call.operation, status=answer.status, content=answer.problem(), text=text)
    )


def _chain(trouble: BaseException) -> list[BaseException]:
    """Return an error and all that caused it: as causes, as contexts, or as arguments, which is urllib3's way."""
    found: list[BaseException] = []
    ahead = [trouble]
    while ahead and len(found) < 50:
        one = ahead.pop()
        if any(one is other for other in found):
            continue
        found.append(one)
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        ahead.extend(other for other in inner if isinstance(other, BaseException))
    return found


def _never_stood(chain: list[BaseException]) -> str:
    """Say why a connection never stood; empty where it did, or where that is not certain."""
    for one in chain:
        if isinstance(one, urllib3_errors.NameResolutionError):
            return "its host name is not known"
        if isinstance(one, urllib3_errors.NewConnectionError):
            return "the connection was refused or its host cannot be reached"
        if isinstance(one, urllib3_errors.ConnectTimeoutError | requests_errors.ConnectTimeout):
            return "no connection stood in time"
        if isinstance(one, ssl.SSLCertVerificationError):
            return "its certificate does not hold: check the host, the clock and the CA bundle"
        if isinstance(one, ssl.SSLError) and one.reason in _HANDSHAKE:
            return "no encrypted connection stood"
    return ""
