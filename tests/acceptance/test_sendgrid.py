import json
from itertools import permutations
from pathlib import Path

import pytest

from tests.cli.running import rows_of, run_well, sendable_in, written

CONFIG = """
[[lists]]
key = "digest"
title = "Digest"
expect = "the week, on Mondays"

[[lists]]
key = "offers"
title = "Offers"
expect = "a deal a week"

[[campaigns]]
key = "monday"
to = ["digest"]

[[campaigns]]
key = "deal"
to = ["offers"]

[[sources]]
name = "app"
files = "people.csv"
format = "contacts"
list = "digest"
columns = {email = "email", status = "status"}

[[sources]]
name = "shop"
files = "shoppers.csv"
format = "contacts"
list = "offers"
columns = {email = "email", status = "status"}
"""

GROUPS = """
[[sources]]
files = ["events.json"]
format = "sendgrid-events"
lists = {10 = "digest"}
"""

REAL = {
    "kijitora@example.ne.jp": "bounced",
    "kijitora@example.com": "bounced",  # and reported as spam, and was delivered to: the dead address comes first
    "mikeneko@example.co.jp": "bounced",
    "kijitora@nyaan.example.jp": "bounced",
    "kijitora@mail.example.ru": "complained",
}
"""Whom the real bodies take off, and the gate that says so."""

CONTROL = "nobody-said-anything@example.com"


def _people(path: Path, emails: list[str]) -> Path:
    return written(path, "email,status\n" + "".join(f"{email},subscribed\n" for email in emails))


def _plan(campaign: str, paths: list[Path], folder: Path, config: str = CONFIG) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    settings = written(folder / "c.toml", config)
    run_well("plan", campaign, *paths, "-c", settings, "--now", "2026-02-03", "--out", folder)
    sendable = sendable_in(folder / "plan.csv")
    reasons = {row["email"]: row["rule"] for row in rows_of(folder / "plan.csv")}
    assert all((reasons[email] == "otherwise") == (email in sendable) for email in reasons)
    return {email: "sendable" if email in sendable else rule for email, rule in reasons.items()}


def test_real_bounces_and_complaints_are_withheld(shared: Path, tmp_path: Path) -> None:
    """Who bounced or complained is not sendable though a contacts file says subscribed, in either order (O4, R17)."""
    people = _people(tmp_path / "people.csv", [*REAL, CONTROL])
    bodies = sorted((shared / "data/webhook_payloads/sendgrid_real").glob("*.json"))
    assert 9 == len(bodies)
    expected = {**REAL, CONTROL: "sendable"}
    assert expected == _plan("monday", [people, *bodies], tmp_path / "first")
    assert expected == _plan("monday", [*reversed(bodies), people], tmp_path / "last")


def test_real_addresses_that_are_none_are_rejected(shared: Path, tmp_path: Path) -> None:
    """The three invalid addresses of the suppression list are rejected, each with its file (F58)."""
    people = _people(tmp_path / "people.csv", [CONTROL])
    bodies = sorted((shared / "data/webhook_payloads/sendgrid_real").glob("*.json"))
    _plan("monday", [people, *bodies], tmp_path / "out")
    rejects = rows_of(tmp_path / "out/rejects.csv")
    assert {"json-sendgrid-11.json"} == {Path(row["file"]).name for row in rejects if row["refused"] == "row"}
    found = " ".join(row["reason"] for row in rejects)
    assert all(address in found for address in ("neko@neko", "kijitora@neko", "sironeko@example.invalid"))


@pytest.fixture
def by_type(shared: Path) -> dict[str, dict[str, object]]:
    """One event of each type."""
    text = (shared / "data/webhook_payloads/sendgrid_events_by_type.json").read_text(encoding="utf-8")
    events: dict[str, dict[str, object]] = json.loads(text)
    assert 12 == len(events)
    return events


EXPECTED = {
    "processed": "sendable", "bounced": "bounced", "deferred": "sendable", "dropped": "bounced",
    "blocked": "sendable", "delivered": "sendable", "clicked": "sendable", "opened": "sendable",
    "spamreport": "complained", "unsubscribe": "out-of-all", "groupresubscribe": "sendable",
}  # fmt: skip
"""What one event of each type does to a subscriber."""


def test_each_type_of_event_does_what_it_says(by_type: dict[str, dict[str, object]], tmp_path: Path) -> None:
    """Bounce, drop, complaint and no withhold; a block, a deferral and interest do not (O2, R17, F31)."""
    events = [{**event, "email": f"{kind}@test.com"} for kind, event in by_type.items()]
    path = written(tmp_path / "events.json", json.dumps(events))
    people = _people(tmp_path / "people.csv", [f"{kind}@test.com" for kind in by_type])
    shoppers = _people(tmp_path / "shoppers.csv", [f"{kind}@test.com" for kind in by_type])
    files = [path, people, shoppers]
    # The group is mapped: its list is left, and no other.
    monday = {f"{kind}@test.com": rule for kind, rule in {**EXPECTED, "groupunsubscribe": "out-of-list"}.items()}
    deal = {f"{kind}@test.com": rule for kind, rule in {**EXPECTED, "groupunsubscribe": "sendable"}.items()}
    for place, order in enumerate(permutations(files)):
        folder = tmp_path / str(place)
        assert monday == _plan("monday", list(order), folder, CONFIG + GROUPS)
        assert deal == _plan("deal", list(order), folder, CONFIG + GROUPS)
    # It is not: losing a no is worse than widening it.
    wide = {f"{kind}@test.com": rule for kind, rule in {**EXPECTED, "groupunsubscribe": "out-of-all"}.items()}
    assert wide == _plan("deal", files, tmp_path / "wide")


def test_one_person_with_every_event_is_withheld(by_type: dict[str, dict[str, object]], tmp_path: Path) -> None:
    """The twelve events are about one address; a group_resubscribe, last or first, does not bring it back (O4)."""
    people = _people(tmp_path / "people.csv", ["example@test.com"])
    for place, events in enumerate([[*by_type.values()], [*by_type.values()][::-1]]):
        path = written(tmp_path / "events.json", json.dumps(events))
        assert {"example@test.com": "bounced"} == _plan("monday", [path, people], tmp_path / f"all{place}")


def test_a_resubscribe_by_the_esp_brings_nobody_back(by_type: dict[str, dict[str, object]], tmp_path: Path) -> None:
    """Who left a group stays out although the ESP reports a later group_resubscribe (O4)."""
    left, back = by_type["groupunsubscribe"], by_type["groupresubscribe"]
    later = {**back, "timestamp": 1_713_299_569}
    people = _people(tmp_path / "people.csv", ["example@test.com"])
    for place, events in enumerate([[left, later], [later, left]]):
        path = written(tmp_path / "events.json", json.dumps(events))
        planned = _plan("monday", [path, people], tmp_path / str(place), CONFIG + GROUPS)
        assert {"example@test.com": "out-of-list"} == planned
