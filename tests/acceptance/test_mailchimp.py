import csv
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest

from tests.cli.running import Ran, rows_of, run_well, sendable_in, written

CONFIG = """
[[lists]]
key = "audience"
title = "News"
expect = "what is new, once a week"

[[campaigns]]
key = "news"
to = ["audience"]

[[sources]]
name = "crm"
files = "crm.csv"
format = "contacts"
list = "audience"
columns = {email = "mail", status = "state"}
"""

TABLES = """
[[lists]]
key = "news"
title = "News"
expect = "what is new, once a week"

[[lists]]
key = "welcome"
title = "First steps"
expect = "three mails in the first week"

[[campaigns]]
key = "to-news"
to = ["news"]

[[campaigns]]
key = "to-welcome"
to = ["welcome"]

[[campaigns]]
key = "to-all"
to = ["welcome", "news"]

[[sources]]
files = "mailchimp_warehouse_tables"
format = "mailchimp-tables"
lists = {8e423a4179 = "news", 8e423a4180 = "welcome"}
"""

STATES = ("subscribed", "unsubscribed", "cleaned")


@pytest.fixture
def exports(shared: Path) -> list[Path]:
    """The three files of one audience export."""
    folder = shared / "data/mailchimp_errors_and_exports"
    return [folder / f"{state}_email_audience_export.csv" for state in STATES]


@pytest.fixture
def claims(exports: list[Path], tmp_path: Path) -> list[Path]:
    """Two more files that say of everybody that they are subscribed: an export of another day, and one of a CRM."""
    with exports[0].open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        header = list(rows.fieldnames or ())
        (row,) = rows
    later = tmp_path / "subscribed_members_later.csv"
    with later.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, header)
        out.writeheader()
        for state in STATES:  # with the newest of dates, and in another spelling
            stamps = {"OPTIN_TIME": "2026-01-01 09:00:00", "CONFIRM_TIME": "2026-01-01 09:05:00"}
            out.writerow({**row, **stamps, "Email Address": f"{state.title()}@Example.com"})
    lines = [f"{state}@example.com,subscribed" for state in STATES]
    crm = written(tmp_path / "crm.csv", "mail,state\n" + "\n".join(lines) + "\n")
    return [later, crm]


def _planned(paths: Sequence[Path], folder: Path) -> Ran:
    folder.mkdir(exist_ok=True)
    config = written(folder / "c.toml", CONFIG)
    return run_well("plan", "news", *paths, "-c", config, "--now", "2026-02-03", "--out", folder)


def test_who_left_or_bounced_is_never_sendable(exports: list[Path], tmp_path: Path) -> None:
    """In whatever order the three files of an export come, only the subscriber is sendable (O4, R17)."""
    plans = set()
    for place, order in enumerate(permutations(exports)):
        _planned(order, tmp_path / str(place))
        assert {"subscribed@example.com"} == sendable_in(tmp_path / str(place) / "plan.csv")
        plans.add((tmp_path / str(place) / "plan.csv").read_bytes())
    assert 1 == len(plans)
    reasons = {row["email"]: row["rule"] for row in rows_of(tmp_path / "0/plan.csv")}
    assert {
        "cleaned@example.com": "bounced", "unsubscribed@example.com": "out-of-list",
        "subscribed@example.com": "otherwise",
    } == reasons  # fmt: skip


def test_a_file_that_says_subscribed_brings_nobody_back(
    exports: list[Path], claims: list[Path], tmp_path: Path
) -> None:
    """Later files that list everybody as subscribed change nothing, in any of their 120 orders (O4, F35)."""
    for place, order in enumerate(permutations([*exports, *claims])):
        folder = tmp_path / str(place)
        _planned(order, folder)
        mailed = {email.casefold() for email in sendable_in(folder / "plan.csv")}
        assert {"subscribed@example.com"} == mailed, [path.name for path in order]
        assert 3 == len(rows_of(folder / "plan.csv"))


def test_the_bad_address_is_rejected_with_its_line(exports: list[Path], tmp_path: Path) -> None:
    """The address that is none stands in the rejects with file, line 3, a reason and a fix."""
    ran = _planned(exports, tmp_path / "out")
    assert "read 4 rows: 3 taken, 1 rejected" in ran.err
    (reject,) = rows_of(tmp_path / "out/rejects.csv")
    assert (str(exports[1]), "3", "row") == (reject["file"], reject["line"], reject["refused"])
    assert "not-an-email" in reject["reason"]
    assert "not-an-email" in reject["row"]
    assert reject["fix"]


def _members(shared: Path) -> list[dict[str, str]]:
    return rows_of(shared / "data/mailchimp_warehouse_tables/member.csv")


@pytest.mark.parametrize(("campaign", "list_ids"), [
    ("to-news", {"8e423a4179"}), ("to-welcome", {"8e423a4180"}), ("to-all", {"8e423a4179", "8e423a4180"}),
])  # fmt: skip
def test_only_subscribed_members_of_the_tables_are_sendable(
    campaign: str, list_ids: set[str], shared: Path, tmp_path: Path
) -> None:
    """Of a warehouse's tables, who is sendable is exactly who `member` calls subscribed, list by list (O4)."""
    config = written(tmp_path / "c.toml", TABLES)
    folder = shared / "data/mailchimp_warehouse_tables"
    run_well("plan", campaign, folder, "-c", config, "--now", "2026-02-03", "--out", tmp_path)
    members = [row for row in _members(shared) if row["list_id"] in list_ids]
    subscribed = {row["email_address"] for row in members if row["status"] == "subscribed"}
    assert subscribed == sendable_in(tmp_path / "plan.csv")
    assert {row["email_address"] for row in members} == {row["email"] for row in rows_of(tmp_path / "plan.csv")}


def test_an_unsubscribed_member_stays_out_whatever_else_is_read(shared: Path, tmp_path: Path) -> None:
    """A file that says subscribed of all members, before or after the tables, leaves the one who left withheld (O4)."""
    folder = shared / "data/mailchimp_warehouse_tables"
    everybody = sorted({row["email_address"] for row in _members(shared)})
    left = {row["email_address"] for row in _members(shared) if row["status"] == "unsubscribed"}
    assert {"dylan+testing@example.co"} == left
    crm = written(tmp_path / "crm.csv", "mail,state\n" + "".join(f"{one},subscribed\n" for one in everybody))
    source = '[[sources]]\nfiles = "crm.csv"\nformat = "contacts"\nlist = "news"\n'
    config = written(tmp_path / "c.toml", TABLES + source + 'columns = {email = "mail", status = "state"}\n')
    for place, order in enumerate(permutations([folder, crm])):
        out = tmp_path / str(place)
        run_well("plan", "to-news", *order, "-c", config, "--now", "2026-02-03", "--out", out)
        assert left.isdisjoint(sendable_in(out / "plan.csv"))
        assert set(everybody) - left == sendable_in(out / "plan.csv")


def test_the_tables_without_a_mapping_tell_how_to_go_on(shared: Path, tmp_path: Path) -> None:
    """Without any configuration the tables load, and every member gets a tier."""
    run_well("decide", shared / "data/mailchimp_warehouse_tables", "--now", "2026-02-03", "--out", tmp_path)
    emails = {row["email"] for row in rows_of(tmp_path / "decisions.csv") if row["email"]}
    assert {row["email_address"] for row in _members(shared)} == emails
