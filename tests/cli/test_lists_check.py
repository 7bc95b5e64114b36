import csv
import io
import json
import re
from pathlib import Path

import pytest

from lifecycle_mail.lint import RULES
from lifecycle_mail.policy.programme import Programme
from tests.cli.made_up import MadeUp
from tests.cli.running import run, run_well, written

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct")

SOURCE = """
[[sources]]
name = "app"
files = "{name}.csv"
format = "contacts"
list = "{key}"
columns = {{ contact_id = "id", email = "email", status = "status" }}
"""


def _shaped_by_operations(folder: Path) -> tuple[list[Path], Path]:
    """Write a list for each send, and the people on each."""
    config, files = "", []
    for month in MONTHS:
        key = f"2025-{month}-offer-v2-final"
        config += f'[[lists]]\nkey = "{key}"\ntitle = "2025_{month.upper()}_OFFER_v2_FINAL"\n'
        config += f'[[campaigns]]\nkey = "send-{month}"\nto = ["{key}"]\n'
        config += SOURCE.format(name=month, key=key)
        people = "id,email,status\n1,ada@example.com,subscribed\n2,bob@example.com,subscribed\n"
        files.append(written(folder / f"{month}.csv", people))
    return files, written(folder / "lists.toml", config)


def test_topics_have_no_findings(mail: MadeUp) -> None:
    """A list that people know, used by several campaigns, is fine: 0, and the number of lists is said (L5)."""
    ran = run_well("lists", "check", *mail.files, "-c", mail.config)
    assert re.fullmatch(r"1 lists?, no findings\n", ran.out)
    assert [] == json.loads(run_well("lists", "check", *mail.files, "-c", mail.config, "--format", "json").out)
    bare = run_well("lists", "check", *mail.files, "-c", mail.config, "--format", "csv").out
    assert ["rule,lists,message,fix"] == bare.splitlines()


def test_lists_for_each_send_are_found(tmp_path: Path) -> None:
    """A list for each campaign, titles of the team's own, single sends and too many lists end with 1 (L5)."""
    files, config = _shaped_by_operations(tmp_path)
    ran = run("lists", "check", *files, "-c", config, "--format", "json")
    assert 1 == ran.code
    findings = json.loads(ran.out)
    assert {"one-list-per-campaign", "unreadable-title", "single-send", "too-many-lists"} == {
        finding["rule"] for finding in findings
    }
    assert {finding["rule"] for finding in findings} <= set(RULES)
    assert all(finding["lists"] and finding["message"] and finding["fix"] for finding in findings)
    parsed = list(csv.DictReader(io.StringIO(run("lists", "check", *files, "-c", config, "--format", "csv").out)))
    assert findings == parsed


def test_the_table_ends_with_topics_to_use_instead(tmp_path: Path) -> None:
    """In the table the findings are followed by lists and segments that load as a configuration (L5)."""
    files, config = _shaped_by_operations(tmp_path)
    ran = run("lists", "check", *files, "-c", config)
    assert 1 == ran.code
    assert re.search(r"\d+ findings in 10 lists", ran.out)
    proposed = ran.out.partition("Topics and segments instead, to complete:")[2]
    programme = Programme.from_toml(proposed)
    assert programme.lists
    assert len(MONTHS) > len(programme.lists)


@pytest.mark.parametrize(("most", "found"), [(8, True), (9, True), (10, False)])
def test_how_many_lists_are_too_many_is_a_setting(most: int, found: bool, tmp_path: Path) -> None:
    """`--most` says how many lists a page may offer (L5)."""
    files, config = _shaped_by_operations(tmp_path)
    ran = run("lists", "check", *files, "-c", config, "--format", "json", "--most", most)
    assert found == ("too-many-lists" in {finding["rule"] for finding in json.loads(ran.out)})


def test_lists_that_only_a_file_knows_are_checked(tmp_path: Path) -> None:
    """Lists that nobody declared, but that people are on, are looked at as well (L5)."""
    files, _ = _shaped_by_operations(tmp_path)
    config = "".join(SOURCE.format(name=month, key=f"tmp-upload-{month}") for month in MONTHS)
    ran = run("lists", "check", *files, "-c", written(tmp_path / "c.toml", config), "--format", "json")
    assert 1 == ran.code
    assert "tmp-upload-jan" in ran.out


def test_a_high_share_of_master_opt_outs_is_found(tmp_path: Path) -> None:
    """Where many leave everything rather than one list, that is found (L5, O6)."""
    events = "id,at,kind\n" + "".join(f"{n},2026-01-05T10:00:00Z,unsub\n" for n in range(30))
    people = "id,email,status\n" + "".join(f"{n},p{n}@example.com,subscribed\n" for n in range(30))
    config = (
        '[[lists]]\nkey = "offers"\ntitle = "Offers"\nexpect = "one deal a week"\n'
        '[[campaigns]]\nkey = "one"\nto = ["offers"]\n[[campaigns]]\nkey = "two"\nto = ["offers"]\n'
        + SOURCE.format(name="people", key="offers")
        + '[[sources]]\nfiles = "events.csv"\nformat = "events"\n'
        'columns = { contact_id = "id", at = "at", kind = "kind" }\nkinds = { unsub = "unsubscribed" }\n'
    )
    paths = [written(tmp_path / "people.csv", people), written(tmp_path / "events.csv", events)]
    ran = run("lists", "check", *paths, "-c", written(tmp_path / "c.toml", config), "--format", "json")
    assert 1 == ran.code
    assert {"master-opt-outs"} == {finding["rule"] for finding in json.loads(ran.out)}
    assert "30 of 30" in ran.out


def test_a_bad_configuration_is_not_a_finding(mail: MadeUp) -> None:
    """What cannot be read ends with 3, so that 1 always means findings."""
    written(mail.config, "[[lists]]\n")
    assert 3 == run("lists", "check", *mail.files, "-c", mail.config).code
