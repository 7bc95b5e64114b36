"""Webhooks of Mailchimp's audiences: who may speak, and what is read at all (R24, F36-F43)."""

import gzip
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve
from lifecycle_mail_mailchimp.webhooks import Hook

from adapters.mailchimp.tests.posted import (
    AUDIENCES,
    HOOK,
    HOUR,
    MINUTE,
    NOW,
    OFFERS,
    OTHER,
    SECRET,
    SIGNING,
    encoded,
    form,
    outcome,
    posted,
    said,
    signed,
    world,
)
from lifecycle_mail.errors import Misconfigured, WebhookRefused
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.ports import Delivery, Heard

LEFT = [Scope.list("news"), Scope.list("offers")]
SIGNED = Hook(signing_secrets=SIGNING)


def refused(delivery: Delivery, hook: Hook = HOOK) -> int:
    """Return the status that a delivery is refused with."""
    with pytest.raises(WebhookRefused) as caught:
        hook.hear(delivery, audiences=AUDIENCES, now=NOW)
    return caught.value.status


def taken(delivery: Delivery, hook: Hook) -> bool:
    """Return whether a delivery of an unsubscribe is taken for one."""
    return said(hook.hear(delivery, audiences=AUDIENCES, now=NOW)) == LEFT


# --- the probe (R24) ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "get"])
@pytest.mark.parametrize("hook", [HOOK, SIGNED, Hook()], ids=["secret", "signed", "neither yet"])
def test_a_probe_is_answered_and_says_nothing(method: str, hook: Hook) -> None:
    """Mailchimp asks by GET before any secret is known, and gets its 200; whatever it carries says nothing (R24)."""
    for probe in (Delivery(method=method), evolve(posted(form("unsubscribe"), secret=OTHER), method=method)):
        assert Heard() == hook.hear(probe, audiences=AUDIENCES, now=NOW)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_else_is_heard(method: str) -> None:
    """What Mailchimp does not send is 405."""
    assert 405 == refused(evolve(posted(form("unsubscribe")), method=method))


# --- the secret in the URL (F36, F39) -------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["", OTHER, SECRET[:-1], SECRET + "x", SECRET.upper(), "ä" * 22, "\ud800"])
def test_another_secret_is_refused(secret: str) -> None:
    """Without the secret, or with another, a delivery is 401 and nothing is written (F36)."""
    assert taken(posted(form("unsubscribe")), HOOK)
    assert 401 == refused(posted(form("unsubscribe"), secret=secret))


def test_secrets_may_overlap() -> None:
    """While the URL is changed, the old and the new one are good (F36)."""
    hook = Hook(secrets=[OTHER, SECRET])
    assert taken(posted(form("unsubscribe"), secret=OTHER), hook)
    assert taken(posted(form("unsubscribe"), secret=SECRET), hook)
    assert 401 == refused(posted(form("unsubscribe"), secret=OTHER + SECRET), hook)


def test_without_a_secret_nothing_is_believed() -> None:
    """A hook that was given neither secret says so, whatever the URL holds (F39)."""
    for secret in ("", SECRET):
        with pytest.raises(Misconfigured, match="webhook_secrets="):
            Hook().hear(posted(form("unsubscribe"), secret=secret), audiences=AUDIENCES, now=NOW)


@pytest.mark.parametrize("given", [{"secrets": ["", SECRET]}, {"secrets": "short"}, {"signing_secrets": ""}])
def test_a_secret_that_keeps_nobody_out_is_refused(given: dict[str, Any]) -> None:
    """A secret that is empty or soon guessed is said where it is configured (F39)."""
    with pytest.raises(Misconfigured, match="secret"):
        Hook(**given)


def test_secrets_are_not_shown() -> None:
    """Neither a hook nor a delivery shows secrets, signatures or bodies where it is printed."""
    shown = f"{Hook(secrets=SECRET, signing_secrets=SIGNING)!r} {signed(form('profile'), secret=SECRET)!r}"
    for secret in (SECRET, SIGNING, "v1=", "ada"):
        assert secret not in shown


# --- signatures (F36-F38) -------------------------------------------------------------------------------------------

GOOD = signed(form("unsubscribe"))
HEADER = GOOD.headers["x-mailchimp-signature"]
TIME, MAC = HEADER.removeprefix("t=").split(",v1=")


def test_a_signature_that_was_worked_out_elsewhere_passes() -> None:
    """HMAC-SHA256 over time, dot and body is what OpenSSL's command line makes of the same three."""
    mac = "3dd2c2d0537f7e0fecfafe40a65d8fa7f92cac187c0e096378136585c3b5a635"
    delivery = posted(b"type=unsubscribe&data%5Blist_id%5D=x", **{"X-Mailchimp-Signature": f"t=1718000000,v1={mac}"})
    assert 1 == SIGNED.hear(delivery, audiences=AUDIENCES, now=datetime.fromtimestamp(1718000000, UTC)).events


def test_a_signed_delivery_is_taken() -> None:
    """With the right signature no secret is asked of the URL; with both given, both must be right."""
    assert taken(GOOD, SIGNED)
    both = Hook(secrets=SECRET, signing_secrets=SIGNING)
    assert taken(signed(form("unsubscribe"), secret=SECRET), both)
    assert 401 == refused(GOOD, both)
    assert 401 == refused(posted(form("unsubscribe")), both)


@pytest.mark.parametrize(
    "header",
    [
        "", "x", f"t={TIME}", f"v1={MAC}", f"t={TIME},v1=", f"t={TIME},v1={MAC[:-1]}", f"t={TIME},v1={MAC}0",
        f"t={TIME},v1={'0' * 64}", f"t={TIME},v0={MAC}", f"t={int(TIME) + 1},v1={MAC}", f"t=0{TIME},v1={MAC}",
        f"t=x,v1={MAC}", f"t=-{TIME},v1={MAC}", f"t=ff,v1={MAC}", f"t={'9' * 64},v1={MAC}", f"t={'9' * 30},v1={MAC}",
        f"t={TIME},t={TIME},v1={MAC}", f"t={TIME},v1={MAC.upper()}", f"T={TIME},V1={MAC}", "," * 5000 + HEADER,
        f"t={TIME},v1=ä{MAC[1:]}", f"t={TIME};v1={MAC}",
    ],
)  # fmt: skip
def test_a_signature_that_is_not_theirs_is_refused(header: str) -> None:
    """A header that is missing, malformed, of another time or body is 401 (F36)."""
    assert 401 == refused(evolve(GOOD, headers={**GOOD.headers, "x-mailchimp-signature": header}), SIGNED)


def test_another_tenants_signature_is_refused() -> None:
    """What somebody else's secret signed is 401, and so is what was signed with nothing, or the URL's secret (F36)."""
    for secret in (OTHER, "", SECRET):
        assert 401 == refused(signed(form("unsubscribe"), secret), SIGNED)
    assert 401 == refused(posted(form("unsubscribe")), SIGNED)


def test_a_body_that_was_changed_is_refused() -> None:
    """Any byte that is another, one more, one less, or the same form written anew, is 401 (F38)."""
    for place in range(len(GOOD.body)):
        changed = bytearray(GOOD.body)
        changed[place] ^= 1 << place % 8
        assert 401 == refused(evolve(GOOD, body=bytes(changed)), SIGNED)
    anew = encoded(dict(reversed(form("unsubscribe").items())))
    for body in (GOOD.body + b"&", GOOD.body[:-1], b"", anew, GOOD.body.replace(b"%5B", b"[")):
        assert 401 == refused(evolve(GOOD, body=body), SIGNED)


def test_each_audience_has_a_secret_and_one_may_be_replaced() -> None:
    """Any secret that was given is good, and any of several signatures (F36)."""
    hook = Hook(signing_secrets=[OTHER, SIGNING])
    for secrets in ((SIGNING,), (OTHER,), (SIGNING, "gone"), ("gone", OTHER)):
        assert taken(signed(form("unsubscribe"), *secrets), hook)
    assert 401 == refused(signed(form("unsubscribe"), "gone", "gone too"), hook)


@pytest.mark.parametrize(("minutes", "good"), [(-6, False), (-5, True), (0, True), (75, True), (80, True), (81, False)])
def test_the_last_retry_is_taken_and_what_is_older_is_not(minutes: int, good: bool) -> None:
    """Mailchimp tries for 75 minutes: what was signed up to 80 minutes ago is heard, nothing from the future (F37)."""
    delivery = signed(form("unsubscribe"), at=NOW - minutes * MINUTE)
    assert taken(delivery, SIGNED) if good else 401 == refused(delivery, SIGNED)


def test_a_delivery_that_is_sent_again_has_no_effect() -> None:
    """Within its time a delivery passes as often as it comes, and changes nothing (F33, F37)."""
    mail = world("ada")
    for minutes in (0, 1, 79):
        found = SIGNED.hear(GOOD, audiences=AUDIENCES, now=NOW + minutes * MINUTE)
        got = mail.receive(found.statements, now=NOW + minutes * MINUTE)
        if minutes == 0:
            before = outcome(mail), mail.store.position()
            assert 2 == got.entries
        assert before == (outcome(mail), mail.store.position())
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW + 2 * HOUR)


# --- limits and forms (F40-F43) -------------------------------------------------------------------------------------


def test_what_is_too_large_is_refused_whoever_sent_it() -> None:
    """50 MB and a bomb are 413 before a secret is looked at (F43)."""
    packing = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packing.compress(b"a" * 10_000_000) for _ in range(6)) + packing.flush()
    for secret in (SECRET, ""):
        assert 413 == refused(posted(b"a=" + b"a" * 50_000_000, secret=secret))
        assert 413 == refused(posted(bomb, secret=secret, **{"Content-Encoding": "gzip"}))
    assert 413 == refused(posted(form("unsubscribe")), Hook(secrets=SECRET, most_bytes=50))


def test_a_packed_delivery_is_read() -> None:
    """A form may be gzip."""
    packed = gzip.compress(encoded(form("unsubscribe")))
    assert taken(posted(packed, **{"Content-Encoding": "gzip"}), HOOK)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"unsubscribe", b'{"type": "unsubscribe"}', b"type=unsubscribe&type=subscribe", b"type=%ff", b"\xff=",
        b"&".join(b"a%d=" % n for n in range(1001)), b"[" * 10_000,
    ],
    ids=lambda body: f"{len(body)} {body[:12]!r}",
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(body: bytes) -> None:
    """What is no form, not UTF-8, or has a field twice or too many is 400, though the secret is right (F40)."""
    assert 400 == refused(posted(body))
    assert 401 == refused(posted(body, secret=OTHER))


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_another_type_is_refused(kind: str) -> None:
    """Whatever says that it is no form is 415."""
    assert 415 == refused(posted(form("unsubscribe"), **{"Content-Type": kind}))


def test_no_refusal_is_a_410() -> None:
    """Nothing that is refused turns the hook off (R24)."""
    for delivery in (posted(b""), posted(b"", secret=""), posted(b"", **{"Content-Type": "x"})):
        assert 410 != refused(delivery)
