"""SendGrid's Event Webhook: who may speak, and what is read at all (R25, F36-F43)."""

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lifecycle_mail_sendgrid.webhooks import SIGNATURE, TIMESTAMP, Hook

from adapters.sendgrid.tests.signed import (
    AT,
    HOOK,
    NOW,
    OFFERS,
    OURS,
    THEIRS,
    TOPICS,
    bodied,
    event,
    heard,
    outcome,
    said,
    shown,
    signed,
    take,
    world,
)
from lifecycle_mail.errors import Misconfigured, WebhookRefused
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.ports import Delivery

PAYLOADS = "data/webhook_payloads"
HOUR = timedelta(hours=1)


def refused(delivery: Delivery, hook: Hook = HOOK) -> int:
    """Return the status that a delivery is refused with."""
    with pytest.raises(WebhookRefused) as caught:
        hook.hear(delivery, topics=TOPICS, now=NOW)
    return caught.value.status


def without(delivery: Delivery, header: str) -> Delivery:
    """Return a delivery that lacks a header."""
    return evolve(delivery, headers={name: value for name, value in delivery.headers.items() if name != header})


# --- signatures (F36-F39) -------------------------------------------------------------------------------------------


def real(case: Mapping[str, Any]) -> tuple[Hook, Delivery]:
    """Return a recorded delivery, and a hook with its key."""
    headers = {SIGNATURE: case["signature"], TIMESTAMP: case["timestamp"], "Content-Type": "application/json"}
    return Hook(keys=case["public_key"]), Delivery(headers=headers, body=case["payload"].encode())


def test_the_real_delivery_is_taken_and_the_spoiled_are_refused(shared: Path) -> None:
    """Of the recorded deliveries the valid one says what it says, and the four spoiled ones are 401 (F36, F38)."""
    cases = json.loads((shared / PAYLOADS / "sendgrid_signed_cases.json").read_text())
    assert ["valid", "wrong public key", "other payload", "wrong signature", "wrong timestamp"] == [
        case["case"] for case in cases
    ]
    hook, delivery = real(cases[0])
    found = hook.hear(delivery, topics=TOPICS, now=NOW)
    assert [EventKind.DROPPED, SuppressionKind.BOUNCE] == said(found)
    assert {"hello@world.com"} == {str(one.who.address) for one in found.statements}
    assert (1, ()) == (found.events, found.misfits)
    for case in cases[1:]:
        hook, delivery = real(case)
        assert 401 == refused(delivery, hook)


def test_the_line_end_is_signed_too(shared: Path) -> None:
    """The vector of the official package passes as it stands, and not without its CR LF."""
    case = json.loads((shared / "contracts/sendgrid/event_webhook_signature_vector.json").read_text())
    hook, delivery = real(case)
    assert delivery.body.endswith(b"]\r\n")
    assert 1 == hook.hear(delivery, topics=TOPICS, now=NOW).events
    assert 401 == refused(evolve(delivery, body=delivery.body.rstrip()), hook)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: without(good, SIGNATURE),
        lambda good: without(good, TIMESTAMP),
        lambda good: evolve(good, headers={**good.headers, SIGNATURE: ""}),
        lambda good: evolve(good, headers={**good.headers, SIGNATURE: "no base64!"}),
        lambda good: evolve(good, headers={**good.headers, SIGNATURE: "MEUCIGHQ"}),
        lambda good: evolve(good, headers={**good.headers, SIGNATURE: "ä" * 96}),
        lambda good: evolve(good, headers={**good.headers, SIGNATURE: good.headers[SIGNATURE] * 1000}),
        lambda good: evolve(good, headers={**good.headers, TIMESTAMP: str(AT + 1)}),
        lambda good: evolve(good, headers={**good.headers, TIMESTAMP: f" {AT}"}),
        lambda good: evolve(good, headers={**good.headers, TIMESTAMP: "\ud800"}),
        lambda good: signed(good.body, key=THEIRS),
        lambda good: signed(b"x" + good.body),
    ],
    ids=[
        "no signature", "no timestamp", "empty", "no base64", "no signature in it", "not ASCII", "long", "later",
        "padded", "half a character", "another tenant's", "of another body",
    ],
)  # fmt: skip
def test_a_delivery_that_is_not_theirs_is_refused(spoil: Any) -> None:
    """Without a signature, with a bad one or with another tenant's it is 401, and nothing is written (F36)."""
    mail = world("ada")
    good = signed(bodied([event("unsubscribe")]))
    bad = spoil(good)
    if bad.body != good.body:
        bad = evolve(bad, body=good.body)
    before = mail.store.position()
    assert 401 == refused(bad)
    assert before == mail.store.position()
    take(mail, good)
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW)


def test_a_body_that_was_changed_is_refused() -> None:
    """Any byte of the body that is another, one more, one less, or the same JSON written anew, is 401 (F38)."""
    good = signed(bodied([event("unsubscribe")]))
    for place in range(len(good.body)):
        changed = bytearray(good.body)
        changed[place] ^= 1 << place % 8
        assert 401 == refused(evolve(good, body=bytes(changed)))
    for body in (good.body + b" ", good.body[:-1], b"", json.dumps(json.loads(good.body)).encode()):
        assert 401 == refused(evolve(good, body=body))


def test_keys_may_overlap() -> None:
    """While a key is replaced, both are good; once the old one is gone, what it signed is not (F36)."""
    old, new = signed(bodied([event("open")]), key=THEIRS), signed(bodied([event("open")]))
    for hook in (Hook(keys=[shown(THEIRS), shown(OURS)]), Hook(keys=[shown(OURS), shown(THEIRS)])):
        assert [1, 1] == [hook.hear(one, topics=TOPICS, now=NOW).events for one in (old, new)]
    assert 401 == refused(old)


def test_without_a_key_nothing_is_believed() -> None:
    """A hook that was given no key says so, however good the signature (F39)."""
    with pytest.raises(Misconfigured, match="verification key"):
        Hook().hear(signed(bodied([event("open")])), topics=TOPICS, now=NOW)


def spki(key: Any) -> str:
    """Return a public key of another kind in the same form."""
    return b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "no base64!",
        "ä",
        shown(OURS)[:-8],
        "MFkw",
        spki(ec.derive_private_key(1, ec.SECP384R1()).public_key()),
        spki(rsa.RSAPublicNumbers(65537, (1 << 2047) + 1).public_key()),
    ],
    ids=["empty", "no base64", "not ASCII", "cut off", "four letters", "another curve", "RSA"],
)
def test_a_key_that_is_none_is_refused_at_once(key: str) -> None:
    """What cannot verify anything is said where it is configured, not when somebody leaves (F39)."""
    with pytest.raises(Misconfigured, match="not one of SendGrid's"):
        Hook(keys=key)


def test_a_key_is_read_however_it_was_copied() -> None:
    """White space within a key does not count."""
    whole = shown(OURS)
    assert Hook(keys=f" {whole[:64]}\n{whole[64:]}\n").keys == Hook(keys=[whole]).keys


def test_what_is_signed_is_not_shown() -> None:
    """Neither a hook nor a delivery shows keys, signatures or bodies where it is printed."""
    good = signed(bodied([event("open")]))
    shown_text = f"{HOOK!r} {good!r}"
    assert shown(OURS) not in shown_text
    assert good.headers[SIGNATURE] not in shown_text
    assert "ada@" not in shown_text


def test_an_old_delivery_has_no_effect_and_a_late_one_has() -> None:
    """A delivery that is sent again for months changes nothing, while a retry of a day later is taken (F37)."""
    mail = world("ada")
    first = signed(bodied([event("unsubscribe"), event("delivered", lm_mail="spring:ada")]))
    assert (1, 1) == (lambda got: (got.entries, got.events))(take(mail, first))
    before = outcome(mail), mail.store.position()
    for later in (HOUR, 25 * HOUR, 9000 * HOUR):
        again = take(mail, first, now=NOW + later)
        assert (0, 0, 1) == (again.entries, again.events, again.duplicates)
        assert before == (outcome(mail), mail.store.position())
    late = signed(bodied([event("group_unsubscribe", asm_group_id=11, timestamp=AT)]))
    assert 1 == take(mail, late, now=NOW + 24 * HOUR).entries


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_posts_are_heard(method: str) -> None:
    """SendGrid posts; whatever else comes is 405."""
    assert 405 == refused(evolve(signed(bodied([event("open")])), method=method))


# --- limits and forms (F40-F43) -------------------------------------------------------------------------------------


def test_what_is_too_large_is_refused_whoever_sent_it() -> None:
    """50 MB and a bomb are 413 before a signature is looked at (F43)."""
    packing = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packing.compress(b" " * 10_000_000) for _ in range(6)) + packing.flush()
    for body, packed in ((b"[" + b" " * 50_000_000 + b"]", False), (bomb, True)):
        delivery = signed(body, packed=packed)
        assert 413 == refused(delivery)
        assert 413 == refused(without(delivery, SIGNATURE))
    assert 413 == refused(signed(bodied([event("open")])), Hook(keys=shown(OURS), most_bytes=50))


def test_a_packed_delivery_is_read() -> None:
    """The signature is over the bytes as they came, packed or not; a damaged packing is 400 behind a good one."""
    packed = gzip.compress(bodied([event("open")]))
    assert [EventKind.OPENED] == said(HOOK.hear(signed(packed, packed=True), topics=TOPICS, now=NOW))
    assert 400 == refused(signed(packed[:-4], packed=True))
    assert 401 == refused(evolve(signed(packed, packed=True), body=packed[:-4]))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[", b"{}", b"null", b"[{]", b'[{"event": NaN}]', b'[{"event": "open", "event": "click"}]', b"\xff",
        b"[" * 10_000 + b"]" * 10_000, b'[{"a":' * 10_000 + b"1" + b"}]" * 10_000,
    ],
    ids=lambda body: f"{len(body)} {body[:12]!r}",
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(body: bytes) -> None:
    """Malformed JSON, depth 10,000, NaN and duplicate keys are 400, though they are signed, and write nothing (F40)."""
    mail = world("ada")
    before = mail.store.position()
    assert 400 == refused(signed(body))
    assert before == mail.store.position()


def test_another_type_is_refused() -> None:
    """A form is 415."""
    assert 415 == refused(evolve(signed(b"a=b"), headers={"Content-Type": "application/x-www-form-urlencoded"}))


@pytest.mark.parametrize(
    "bad",
    [
        '{"event": "open", "x": ' + "[" * 10_000 + "]" * 10_000 + "}",
        '{"event": "open", "timestamp": NaN}',
        '{"event": "open", "event": "click"}',
        '{"event": "open", "email": "ada@example.com"}',
        '{"event": "open", "email": "nobody", "timestamp": 1}',
        '{"event": "open"}',
        '"open"',
    ],
    ids=["depth", "NaN", "key twice", "no time", "no address", "nobody", "no object"],
)
def test_one_bad_event_among_a_thousand_costs_itself(bad: str) -> None:
    """999 are applied and one is kept as it came, the same one however often it comes (F41)."""
    events = [json.dumps(event("open", f"p{n}")) for n in range(1000)]
    events[500] = bad
    delivery = signed(f"[{','.join(events)}]".encode())
    found = HOOK.hear(delivery, topics=TOPICS, now=NOW)
    assert (1000, 999, 1) == (found.events, len(found.statements), len(found.misfits))
    (misfit,) = found.misfits
    assert ("sendgrid", bad[:20_000], NOW) == (misfit.source, misfit.raw, misfit.at)
    assert misfit.why
    assert [misfit.id] == [one.id for one in HOOK.hear(delivery, topics=TOPICS, now=NOW + HOUR).misfits]
    assert 999 == world().receive(found.statements, now=NOW).events


def test_what_nobody_knows_is_kept() -> None:
    """An unknown type is a misfit and no error; an unknown field of a known event is none at all (F42)."""
    found = heard(event("teleported", warp=9), event("open", new={"fields": [1, None]}, more=None), event("", "bob"))
    assert [EventKind.OPENED] == said(found)
    assert ["the event 'teleported' is not known and was set aside", "the event '' is not known and was set aside"] == [
        misfit.why for misfit in found.misfits
    ]
    assert {"warp": 9}.items() <= json.loads(found.misfits[0].raw).items()


def test_what_happens_to_the_account_is_for_a_person() -> None:
    """An event about the account follows for nobody, and somebody should look."""
    found = heard({"event": "account_status_change", "type": "compliance_suspend", "timestamp": AT, "sg_event_id": "a"})
    assert () == found.statements
    (misfit,) = found.misfits
    assert "SendGrid changed the account: compliance_suspend (look into it at SendGrid)" == misfit.why


def test_a_misfit_does_not_say_who() -> None:
    """Why something is a misfit names nobody in full; what came does, and is not printed."""
    (misfit,) = heard(event("open", email="ada@@example.com")).misfits
    assert "ada@" not in misfit.why
    assert "ada@" not in repr(misfit)
    assert "ada@@example.com" in misfit.raw
