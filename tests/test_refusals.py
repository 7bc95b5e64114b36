"""The fake refuses as real ones do: its words against bodies that were recorded (E4)."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle_mail.errors import EspRefused, EspUnavailable, UnknownName
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.memory.refusals import REFUSALS, Refusal
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.testing import campaign, contact, screened

ADDRESS = re.compile(r"EMAIL\b|[\w.+-]+@[\w.-]+|(?<=email ')[^']*(?=' is not valid)")


def told_apart(status: int, body: Any) -> tuple[int, str]:
    """Return what makes a refusal what it is: without whom it is about, and numbers that are never the same."""
    if isinstance(body, dict) and isinstance(body.get("response"), str):  # one answer inside a batch
        body = json.loads(body["response"])
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in ("type", "instance")}
        body.setdefault("status", status) if "title" in body else None
    text = json.dumps(body, sort_keys=True, ensure_ascii=False).replace("{address}", "EMAIL")
    return status, ADDRESS.sub("EMAIL", text)


def recorded(shared: Path) -> Iterator[tuple[str, int, Any]]:
    """Yield every refusal that was recorded, or that the vendors give as an example."""
    lines = (shared / "data/mailchimp_errors_and_exports/mailchimp_error_bodies.jsonl").read_text(encoding="utf-8")
    for line in lines.splitlines():
        row = json.loads(line)
        yield row["source"], row["http_status"], row["body"]
    for row in json.loads((shared / "contracts/mailchimp/documented_errors.json").read_text(encoding="utf-8")):
        yield row["source"], row["status"], row["body"]
    for vendor in ("mailchimp", "sendgrid"):
        for row in json.loads((shared / f"contracts/{vendor}/recorded_exchanges.json").read_text(encoding="utf-8")):
            if row["status"] >= 400:
                yield f"{vendor} {row['recorded_in']}", row["status"], row["body"]
        with gzip.open(shared / f"data/esp_http_recordings/{vendor}.jsonl.gz", "rt", encoding="utf-8") as rows:
            for line in rows:
                row = json.loads(line)
                if row["status"] >= 400:
                    yield row["id"], row["status"], row["response_body"]
    examples = (shared / "data/sendgrid_response_examples/response_examples.jsonl").read_text(encoding="utf-8")
    for line in examples.splitlines():
        row = json.loads(line)
        if int(row["status"]) >= 400:
            yield f"{row['method']} {row['path']} {row['name']}", int(row["status"]), row["body"]


def test_every_recorded_refusal_can_be_scripted(shared: Path) -> None:
    """Whatever a vendor was seen to refuse with, the fake can say in the same words."""
    known = {told_apart(one.status, one.body) for one in REFUSALS.values()}
    seen = list(recorded(shared))
    assert len(seen) > 40
    missing = {told_apart(status, body): where for where, status, body in seen if told_apart(status, body) not in known}
    assert {} == missing


def test_every_refusal_was_recorded_or_is_written_down(shared: Path) -> None:
    """Nothing is made up: what no recording shows stands in the notes on the two vendors."""
    seen = {told_apart(status, body) for _, status, body in recorded(shared)}
    unseen = {name for name, one in REFUSALS.items() if told_apart(one.status, one.body) not in seen}
    assert {"mailchimp/too-many-connections", "sendgrid/too-many-requests"} == unseen  # no body of a 429 could be had


@pytest.mark.parametrize("name", REFUSALS)
def test_a_recipient_is_refused_like_that(name: str) -> None:
    """The error holds the status and the body, about the very address, and one refusal stops nobody else."""
    esp, spring = MemoryEsp(), campaign()
    ada, bob = contact("ada"), contact("bob")
    esp.refuse(ada.email, like=name)
    handled = esp.stage(spring.key, [screened(ada, spring), screened(bob, spring)], content=None)
    error = handled.refused[ContactId("ada")]
    refusal = REFUSALS[name]
    assert refusal.status == error.status
    if "{address}" in json.dumps(refusal.body):
        assert ada.email in error.body
    assert {"bob"} == set(handled.accepted)


@pytest.mark.parametrize(("name", "refusal"), REFUSALS.items())
def test_an_operation_fails_like_that(name: str, refusal: Refusal) -> None:
    """Once, with the error of our tree that the real one is."""
    esp, spring = MemoryEsp(), campaign()
    esp.fail("released", like=name)
    kind = EspUnavailable if refusal.status in (429, 500) else EspRefused
    with pytest.raises(kind) as caught:
        esp.released(spring.key)
    assert refusal.status == caught.value.status
    assert refusal.text()[:2000] == caught.value.body
    assert esp.released(spring.key) is False


def test_an_unknown_refusal_is_named() -> None:
    """A misspelt name would prove nothing."""
    with pytest.raises(UnknownName, match="mailchimp/forgotten-email"):
        MemoryEsp().refuse("ada@example.com", like="mailchimp/forgoten-email")
