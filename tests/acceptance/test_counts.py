import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifecycle_mail.files import Config, Reading, read
from tests.acceptance.test_rees46 import WEEKLY
from tests.acceptance.test_yammer import CONFIG as YAMMER
from tests.cli.running import rows_of, run, run_well, written

RECEIVED = datetime(2026, 2, 3, 10, tzinfo=UTC)

FILES = {
    "rees46": (["rees46_engagement_snapshot/client_snapshot.csv.gz"], WEEKLY),
    "yammer": (["yammer_email_log/email_events.csv.gz", "yammer_email_log/users.csv.gz"], YAMMER),
    "exports": (
        [f"mailchimp_errors_and_exports/{state}_email_audience_export.csv" for state in ("subscribed", "unsubscribed")],
        "",
    ),
    "tables": (["mailchimp_warehouse_tables"], ""),
    "bodies": (["webhook_payloads/sendgrid_real"], ""),
}


def _rows_in(path: Path) -> int:
    """Count the rows of a file with nothing of ours."""
    if path.suffix == ".json":
        return len(json.loads(path.read_text(encoding="utf-8")))
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return sum(1 for row in csv.reader(file) if row) - 1


def _read(name: str, shared: Path, tmp_path: Path) -> tuple[Reading, int]:
    paths, config = FILES[name]
    sources = Config.read(written(tmp_path / "c.toml", config)).sources
    reading = read([shared / "data" / path for path in paths], received_at=RECEIVED, sources=sources)
    return reading, sum(1 for _ in reading)


@pytest.mark.parametrize("name", list(FILES))
def test_every_row_is_accounted_for(name: str, shared: Path, tmp_path: Path) -> None:
    """In each file, the rows are those that are there, and each is taken or rejected, never dropped."""
    reading, statements = _read(name, shared, tmp_path)
    assert reading.files
    for report in reading.files.values():
        assert _rows_in(Path(report.file)) == report.rows == report.accepted + report.rejected, report.file
        whole = [reject for reject in reading.rejects if reject.whole and reject.file == report.file]
        assert len(whole) == report.rejected
        assert report.ignored <= report.accepted
    assert statements == sum(report.statements for report in reading.files.values())


def test_every_statement_is_accounted_for(shared: Path, tmp_path: Path) -> None:
    """The command line says the sums: rows taken and rejected, and as many rows in rejects.csv as it says."""
    folder = shared / "data/webhook_payloads/sendgrid_real"
    ran = run_well("decide", folder, "--out", tmp_path)
    rejects = rows_of(tmp_path / "rejects.csv")
    whole = [row for row in rejects if row["refused"] == "row"]
    assert f"read 11 rows: {11 - len(whole)} taken, {len(whole)} rejected" in ran.err
    assert f"rejects.csv ({len(rejects)} rows)" in ran.err


EVENTS = """
[[sources]]
name = "{name}"
files = "{name}.csv"
format = "events"
columns = {{contact_id = "user", at = "at", kind = "kind", event_id = "id"}}
"""


def test_two_systems_may_number_their_events_alike(tmp_path: Path) -> None:
    """Event 1 of one system and event 1 of another are two events, and neither is dropped as a duplicate."""
    config = written(tmp_path / "c.toml", EVENTS.format(name="shop") + EVENTS.format(name="news"))
    header = "id,user,at,kind\n"
    shop = written(tmp_path / "shop.csv", header + "1,ann,2026-01-05T10:00:00Z,sent\n2,ann,2026-01-06T10:00:00Z,sent\n")
    news = written(tmp_path / "news.csv", header + "1,ann,2026-01-20T10:00:00Z,sent\n2,bob,2026-01-21T10:00:00Z,sent\n")
    ran = run_well("decide", shop, news, "-c", config, "--now", "2026-02-03", "--out", tmp_path)
    assert "duplicates" not in ran.err
    assert "4 events" in ran.err


def test_an_event_from_the_future_is_reported(tmp_path: Path) -> None:
    """An event stamped years ahead counts for nothing, and stands in the rejects with its reason."""
    config = written(tmp_path / "c.toml", EVENTS.format(name="news"))
    lines = "id,user,at,kind\n1,ann,2026-01-05T10:00:00Z,sent\n2,ann,2199-01-05T10:00:00Z,opened\n"
    ran = run("decide", written(tmp_path / "news.csv", lines), "-c", config, "--out", tmp_path, "--strict")
    assert 1 == ran.code
    (reject,) = rows_of(tmp_path / "rejects.csv")
    assert "2199-01-05" in reject["reason"]
    assert "future" in reject["reason"]
    assert (str(tmp_path / "news.csv"), "3") == (reject["file"], reject["line"])
    assert reject["fix"]


ONE_MINUTE = """
[[sources]]
name = "log"
files = "log.csv"
format = "events"
columns = { contact_id = "user", at = "at", kind = "kind", campaign = "campaign" }
"""


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(["ann,2026-01-05T10:00,sent,", "ann,2026-01-05T10:00,re-engagement,"], id="two-purposes"),
        pytest.param(["ann,2026-01-05T10:00,sent,spring", "ann,2026-01-05T10:00,sent,summer"], id="two-campaigns"),
    ],
)
def test_two_mails_of_one_minute_are_two(rows: list[str], tmp_path: Path) -> None:
    """Logs keep minutes: a digest and another mail of the same one are two events, in either order (F16)."""
    config = written(tmp_path / "c.toml", ONE_MINUTE)
    for lines in (rows, rows[::-1]):
        log = written(tmp_path / "log.csv", "\n".join(["user,at,kind,campaign", *lines, ""]))
        ran = run_well("decide", log, "-c", config, "--now", "2026-02-03", "--out", tmp_path)
        assert "2 events" in ran.err
        assert "duplicates" not in ran.err
        assert "2 mails tracked" in (tmp_path / "decisions.csv").read_text(encoding="utf-8")
