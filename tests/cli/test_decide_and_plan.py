import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.made_up import NOW, MadeUp
from tests.cli.running import header_of, rows_of, run, run_well, sendable_in, written

DECISIONS = ["contact_id", "email", "tier", "action", "reason", "rule", "policy_version"]
PLAN = ["contact_id", "email", "outcome", "reason", "rule", "leaves_list"]
REJECTS = ["file", "line", "refused", "reason", "fix", "row"]


def _decide(mail: MadeUp, *more: object) -> Any:
    return run_well("decide", *mail.files, "-c", mail.config, "--now", NOW, "--out", mail.folder, *more)


def _plan(mail: MadeUp, *more: object, campaign: str = "weekly") -> Any:
    return run_well("plan", campaign, *mail.files, "-c", mail.config, "--now", NOW, "--out", mail.folder, *more)


def test_tables_have_their_columns(mail: MadeUp) -> None:
    """decisions.csv, plan.csv and rejects.csv have exactly the columns that help and docs name."""
    _decide(mail)
    _plan(mail)
    assert DECISIONS == header_of(mail.folder / "decisions.csv")
    assert PLAN == header_of(mail.folder / "plan.csv")
    assert REJECTS == header_of(mail.folder / "rejects.csv")


def test_decisions_have_a_row_for_each_contact(mail: MadeUp) -> None:
    """Every contact has one row; tier, step, reason, rules and version are filled in (S12)."""
    _decide(mail)
    rows = rows_of(mail.folder / "decisions.csv")
    assert ["1", "2", "3", "4"] == [row["contact_id"] for row in rows]
    assert ["highly-engaged", "inactive", "unknown", "unknown"] == [row["tier"] for row in rows]
    assert ["keep", "re-engage", "wait", "wait"] == [row["action"] for row in rows]
    assert all(all(row[name] for name in DECISIONS if name != "email") for row in rows)


def test_a_plan_accounts_for_everybody(mail: MadeUp) -> None:
    """Each contact who ever joined the list is one row, sendable or withheld with a reason (L3)."""
    ran = _plan(mail, campaign="thanks")
    rows = {row["contact_id"]: row for row in rows_of(mail.folder / "plan.csv")}
    assert {"1": "otherwise", "2": "not-in-segment", "3": "out-of-list", "4": "no-address"} == {
        contact: row["rule"] for contact, row in rows.items()
    }
    assert {"ada@example.com"} == sendable_in(mail.folder / "plan.csv")
    assert "offers" == rows["1"]["leaves_list"]
    assert rows["3"]["reason"].startswith("out-of-list: ")
    assert "audience 4 = sendable 1 + withheld 3 (1 no-address, 1 not-in-segment, 1 out-of-list)" in ran.out


def test_rejects_say_file_line_reason_and_fix(mail: MadeUp) -> None:
    """A refused row and a cell set aside stand in rejects.csv; the counts are printed beside the results."""
    ran = _decide(mail)
    cell, row = rows_of(mail.folder / "rejects.csv")
    assert (str(mail.people), "5", "cell") == (cell["file"], cell["line"], cell["refused"])
    assert (str(mail.people), "6", "row") == (row["file"], row["line"], row["refused"])
    assert "'lost' is not known" in row["reason"]
    assert all((one["fix"], one["row"]) != ("", "") for one in (cell, row))
    assert "1 rejected" in ran.err
    assert "rejects.csv (2 rows)" in ran.err
    assert "decisions.csv" in ran.err


@pytest.mark.parametrize("command", ["decide", "plan"])
def test_summaries_are_printed_in_three_formats(command: str, mail: MadeUp) -> None:
    """JSON and CSV on standard output parse and agree; the table holds the same words; no other word is printed."""
    go = _decide if command == "decide" else _plan
    data = json.loads(go(mail, "--format", "json").out)
    text = go(mail, "--format", "csv").out
    parsed = list(csv.DictReader(io.StringIO(text)))
    assert [{name: str(value) for name, value in row.items()} for row in data] == parsed
    assert 4 == sum(row["count"] for row in data)
    names = ["tier", "action", "rule", "count"] if command == "decide" else ["outcome", "reason", "count"]
    assert names == text.splitlines()[0].split(",")
    table = go(mail, "--format", "table").out
    assert all(str(value) in table for row in data for value in row.values())
    assert table == go(mail).out


def test_cells_of_a_table_are_printed_as_they_are(mail: MadeUp) -> None:
    """A band named like markup of the terminal is printed like any other."""
    policy = written(mail.folder / "p.toml", '[bands]\ncuts = [7]\nnames = ["[red]", "[/] old"]\nmissing = "[bold]"\n')
    out = _decide(mail, "--policy", policy).out
    assert "[/] old" in out
    assert "[bold]" in out


def test_a_narrow_terminal_loses_no_letters(mail: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the table is too narrow, words are broken and not cut off."""
    monkeypatch.setenv("COLUMNS", "60")
    out = _decide(mail).out
    assert "…" not in out
    tiers = "".join(line.split("│")[1].strip() for line in out.splitlines() if line.startswith("│"))
    assert "highly-engaged" in tiers
    assert "inactive" in tiers


def test_jsonl_holds_what_the_table_holds(mail: MadeUp) -> None:
    """With `--jsonl` there is decisions.jsonl, with the same rows, and no decisions.csv."""
    ran = _decide(mail, "--jsonl")
    assert not (mail.folder / "decisions.csv").exists()
    assert "decisions.jsonl" in ran.err
    lines = (mail.folder / "decisions.jsonl").read_text(encoding="utf-8").splitlines()
    _decide(mail)
    assert rows_of(mail.folder / "decisions.csv") == [json.loads(line) for line in lines]
    assert DECISIONS == list(json.loads(lines[0]))


HOSTILE = (
    "=1+2", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "=HYPERLINK(\"http://evil.example\";\"x\")", "'=1", "\uff1d1+1",
)  # fmt: skip


@pytest.mark.parametrize("command", ["decide", "plan"])
def test_formulas_are_neutralised(command: str, mail: MadeUp) -> None:
    """Ids and addresses that a spreadsheet would run are written with an apostrophe before them (F56)."""
    emails = ["=cmd|x@example.com", "+1-2@example.com", "-2@example.com"]
    with mail.people.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([one, "", "subscribed", "2025-01-01", 1] for one in HOSTILE)
        writer.writerows([f"h{place}", one, "subscribed", "", 1] for place, one in enumerate(emails))
        writer.writerow(["=9", "x", "=cmd()", "", 1])
    (_decide if command == "decide" else _plan)(mail)
    name = "decisions.csv" if command == "decide" else "plan.csv"
    rows = rows_of(mail.folder / name)
    ids = {row["contact_id"] for row in rows}
    assert {f"'{one}" for one in HOSTILE} <= ids
    assert {f"'{one}" for one in emails} <= {row["email"] for row in rows}
    for table in (name, "rejects.csv"):
        for row in rows_of(mail.folder / table):
            assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d")) for value in row.values())


def test_a_hostile_id_that_is_no_text_is_rejected(mail: MadeUp) -> None:
    """An id with a tab or a line end within is refused, with its line."""
    with mail.people.open("a", encoding="utf-8", newline="") as file:
        file.write('"a\r=1",z@example.com,subscribed,,1\n"b\t=1",z@example.com,subscribed,,1\n')
    _decide(mail)
    lines = [row["line"] for row in rows_of(mail.folder / "rejects.csv") if row["refused"] == "row"]
    assert ["6", "7", "9"] == lines  # the line end within a cell is a line of its own
    assert all("z@example.com" != row["email"] for row in rows_of(mail.folder / "decisions.csv"))


def test_the_policy_may_be_given_apart(mail: MadeUp) -> None:
    """`--policy` takes a preset or a file instead of the one in the configuration, and the version shows it."""
    _decide(mail)
    weekly = rows_of(mail.folder / "decisions.csv")
    _decide(mail, "--policy", "quarterly")
    quarterly = rows_of(mail.folder / "decisions.csv")
    assert "inactive" == weekly[1]["tier"]
    assert "inactive" != quarterly[1]["tier"]
    assert weekly[0]["policy_version"] != quarterly[0]["policy_version"]
    own = written(mail.folder / "own.toml", '[policy]\ncadence = "weekly"\n')
    _decide(mail, "--policy", own)
    assert weekly == rows_of(mail.folder / "decisions.csv")


def test_now_decides_as_of_an_instant(mail: MadeUp) -> None:
    """The same files give other tiers as of another instant; a date, an instant and seconds since 1970 will do."""
    _decide(mail)
    now = rows_of(mail.folder / "decisions.csv")
    for text in ("2026-02-03T10:00:00Z", "2026-02-03T11:00:00+01:00", "1770112800"):
        _decide(mail, "--now", text)
        assert now == rows_of(mail.folder / "decisions.csv")
    _decide(mail, "--now", "2025-09-01")
    assert now != rows_of(mail.folder / "decisions.csv")


SNAPSHOT = """
[[sources]]
files = "snapshot.csv"
format = "snapshot"
columns = { contact_id = "id", taken_at = "taken", last_open = "opened", mails = "mails" }

[[sources]]
files = "others.csv"
format = "contacts"
columns = { contact_id = "id", email = "email" }
"""


@pytest.fixture
def snapshot(tmp_path: Path) -> tuple[Path, Path]:
    """Two contacts, counted years apart; each had opened 10 days before."""
    rows = "id,taken,opened,mails\nold,2020-01-31,2020-01-21,20\nnew,2025-01-31,2025-01-21,20\n"
    return written(tmp_path / "snapshot.csv", rows), written(tmp_path / "snapshot.toml", SNAPSHOT)


def _tiers(folder: Path) -> dict[str, str]:
    return {row["contact_id"]: row["tier"] for row in rows_of(folder / "decisions.csv")}


def test_snapshots_are_decided_at_their_own_instants(snapshot: tuple[Path, Path], tmp_path: Path) -> None:
    """By default, and with `--now snapshot`, each contact is decided about when it was counted."""
    path, config = snapshot
    for more in ([], ["--now", "snapshot"]):
        run_well("decide", path, "-c", config, "--out", tmp_path, *more)
        assert {"old": "moderately-engaged", "new": "moderately-engaged"} == _tiers(tmp_path)
    run_well("decide", path, "-c", config, "--out", tmp_path, "--now", "2025-01-31")
    assert {"old": "deeply-inactive", "new": "moderately-engaged"} == _tiers(tmp_path)


def test_a_contact_without_a_snapshot_is_decided_about_and_explained(
    snapshot: tuple[Path, Path], tmp_path: Path
) -> None:
    """Beside snapshots, a contact that nobody counted is decided about at the latest instant, and explained at it."""
    path, config = snapshot
    others = written(tmp_path / "others.csv", "id,email\nzed,zed@example.com\n")
    run_well("decide", path, others, "-c", config, "--out", tmp_path)
    assert "unknown" == _tiers(tmp_path)["zed"]
    assert "zed@example.com at 2025-01-31" in run_well("explain", "zed", path, others, "-c", config).out


def test_now_snapshot_needs_snapshots(mail: MadeUp) -> None:
    """`--now snapshot` on files that hold events too says what to give instead."""
    ran = run("decide", *mail.files, "-c", mail.config, "--now", "snapshot", "--out", mail.folder)
    assert 3 == ran.code
    assert "give an instant" in ran.err


def test_without_now_it_is_the_present(mail: MadeUp) -> None:
    """Files with events are decided about as of the present: nobody opened for months."""
    run_well("decide", *mail.files, "-c", mail.config, "--out", mail.folder)
    present = rows_of(mail.folder / "decisions.csv")
    run_well("decide", *mail.files, "-c", mail.config, "--out", mail.folder, "--now", "2026-12-31")
    assert [row["contact_id"] for row in present] == ["1", "2", "3", "4"]
    assert "highly-engaged" not in {row["tier"] for row in rows_of(mail.folder / "decisions.csv")}


def test_nothing_is_written_where_nothing_could_be_read(mail: MadeUp) -> None:
    """A run that fails leaves the folder for its output unmade."""
    out = mail.folder / "out"
    assert 3 == run("decide", *mail.files, "--out", out).code
    assert not out.exists()


@pytest.mark.parametrize(("command", "name"), [("decide", "decisions.csv"), ("plan", "rejects.csv")])
def test_no_file_that_is_read_is_written_over(command: str, name: str, mail: MadeUp) -> None:
    """A list that is called as the results are is the only copy, perhaps: 3, and it stays."""
    read = mail.people.read_text(encoding="utf-8")
    file = written(mail.folder / name, read)
    mail.config.write_text(mail.config.read_text(encoding="utf-8").replace("people.csv", name), encoding="utf-8")
    arguments = ["weekly"] if command == "plan" else []
    ran = run(command, *arguments, file, "-c", mail.config, "--out", mail.folder)
    assert (3, True) == (ran.code, "a file that is read" in ran.err), ran.err
    assert read == file.read_text(encoding="utf-8")
