import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest
from attrs import frozen

from tests.cli.running import rows_of, run_well, written

SOURCE = """
[[sources]]
files = "client_snapshot.csv*"
format = "snapshot"
[sources.columns]
contact_id = "client_id"
taken_at = "now_ts"
last_sent = "now_ts"
last_open_days = "TSLO_days"
mails_30d = "messages_last_30d"
unopened_share = "unopened_share_last10"
unopened_streak = "unopened_streak"
"""

BANDS = (
    """
[policy]
name = "bands"
[policy.bands]
fact = "days_since_open"
cuts = [7, 30, 90, 180]
upper_included = true
names = ["≤7d", "8\u201330d", "31\u201390d", "91\u2013180d", ">180d"]
missing = "Never opened"
"""
    + SOURCE
)

WEEKLY = '[policy]\ncadence = "weekly"\n' + SOURCE


@frozen
class Decided:
    """The rows of the source, and the decisions made from them, by client."""

    clients: dict[str, dict[str, str]]
    rows: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def clients(shared: Path) -> dict[str, dict[str, str]]:
    """Read the source with nothing of ours."""
    path = shared / "data/rees46_engagement_snapshot/client_snapshot.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return {row["client_id"]: row for row in csv.DictReader(file)}


def _decided(config: str, shared: Path, folder: Path) -> dict[str, dict[str, str]]:
    path = shared / "data/rees46_engagement_snapshot/client_snapshot.csv.gz"
    run_well("decide", path, "-c", written(folder / "c.toml", config), "--out", folder, "--format", "json")
    return {row["contact_id"]: row for row in rows_of(folder / "decisions.csv")}


@pytest.fixture(scope="module")
def weekly(shared: Path, clients: dict[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Decided:
    """Decide by the preset for weekly mail."""
    return Decided(clients, _decided(WEEKLY, shared, tmp_path_factory.mktemp("weekly")))


def test_every_client_lands_in_the_band_of_the_file(
    shared: Path, clients: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    """All 39,983 clients get the band that the file's own TSLO_segment says, never opened apart (S2, S4)."""
    rows = _decided(BANDS, shared, tmp_path)
    assert 39_983 == len(clients) == len(rows)
    wrong = {
        client: (row["TSLO_segment"], rows[client]["tier"])
        for client, row in clients.items()
        if row["TSLO_segment"] != rows[client]["tier"]
    }
    assert {} == wrong
    assert {
        "Never opened": 20_188,
        "≤7d": 9_188,
        "8\u201330d": 1_411,
        "31\u201390d": 2_201,
        "91\u2013180d": 2_221,
        ">180d": 4_774,
    } == Counter(row["tier"] for row in rows.values())


def _evidence(row: dict[str, str]) -> int:
    """Return the fewest mails that fit a row: those of the month, or those since the last open and that one."""
    opened = 1 if row["TSLO_days"] else 0
    return max(int(row["messages_last_30d"]), int(row["unopened_streak"]) + opened, 1)


def _tier(row: dict[str, str]) -> str:
    """Tell the tier from the row alone, by the rules as the docs state them for weekly mail."""
    days = float(row["TSLO_days"]) if row["TSLO_days"] else None
    if _evidence(row) < 5:
        return "unknown"
    if days is not None and days >= 180:
        return "deeply-inactive"
    if days is not None and days >= 75:
        return "inactive"
    if int(row["unopened_streak"]) >= 3:
        return "at-risk"
    if days is None:
        return "unknown"
    return "highly-engaged" if round(1 - float(row["unopened_share_last10"]), 9) >= 0.5 else "moderately-engaged"


def test_every_client_is_in_one_tier(weekly: Decided) -> None:
    """The tier of every client is the one that its row gives by the rules as written, worked out apart (S2)."""
    assert weekly.rows.keys() == weekly.clients.keys()
    wrong = {
        client: (_tier(row), weekly.rows[client]["tier"])
        for client, row in weekly.clients.items()
        if _tier(row) != weekly.rows[client]["tier"]
    }
    assert {} == wrong
    assert {
        "unknown": 18_126, "deeply-inactive": 4_638, "inactive": 2_598, "at-risk": 10_156, "highly-engaged": 3_094,
        "moderately-engaged": 1_371,
    } == Counter(row["tier"] for row in weekly.rows.values())  # fmt: skip


def test_only_too_little_evidence_makes_unknown(weekly: Decided) -> None:
    """Exactly those with too little mail to tell are unknown, and nobody is acted upon for that (S2)."""
    unknown = {client for client, row in weekly.rows.items() if row["tier"] == "unknown"}
    too_little = {client for client, row in weekly.clients.items() if _evidence(row) < 5}
    assert too_little == unknown
    assert {"wait"} == {weekly.rows[client]["action"] for client in unknown}


def test_nobody_is_sunset_who_was_never_asked(weekly: Decided) -> None:
    """A snapshot shows no re-engagement mails, so the furthest step is to re-engage (S10)."""
    assert {"wait", "keep", "watch", "re-engage"} == {row["action"] for row in weekly.rows.values()}


def test_every_decision_says_why_and_by_which_policy(weekly: Decided) -> None:
    """Each row has a reason, the two rules that decided, and the one version of the policy (S12)."""
    assert all(row["reason"] and row["rule"].count("/") == 1 for row in weekly.rows.values())
    assert 1 == len({row["policy_version"] for row in weekly.rows.values()})


def test_no_reason_contradicts_the_file(weekly: Decided) -> None:
    """A reason that counts opened mails counts as many as the snapshot does (S12)."""
    false = {
        client: (row["reason"], weekly.clients[client]["unopened_share_last10"])
        for client, row in weekly.rows.items()
        if row["tier"] == "highly-engaged" and "engaged with 0 of" in row["reason"]
    }
    assert {} == dict(list(false.items())[:5]), f"{len(false)} reasons say that nothing was opened"
