import re
import tomllib
from pathlib import Path

import pytest

from tests.cli.made_up import CONFIG, NOW, MadeUp
from tests.cli.running import Ran, rows_of, run, run_well, sendable_in, written


def _decide(mail: MadeUp, *more: object, config: str | None = None) -> Ran:
    if config is not None:
        written(mail.config, config)
    return run("decide", *mail.files, "-c", mail.config, "--now", NOW, "--out", mail.folder, *more)


def test_done_is_0_and_rejects_alone_do_not_matter(mail: MadeUp) -> None:
    """A run that rejects rows is done all the same."""
    assert 0 == _decide(mail).code


def test_strict_makes_rejects_1(mail: MadeUp) -> None:
    """With `--strict` any rejected row ends with 1, and everything is written all the same."""
    assert 1 == _decide(mail, "--strict").code
    assert 4 == len(rows_of(mail.folder / "decisions.csv"))
    plan = run("plan", "weekly", *mail.files, "-c", mail.config, "--now", NOW, "--out", mail.folder, "--strict")
    assert 1 == plan.code
    assert (mail.folder / "plan.csv").exists()
    good = "".join(mail.people.read_text(encoding="utf-8").splitlines(keepends=True)[:4])
    written(mail.people, good)
    assert 0 == _decide(mail, "--strict").code


@pytest.mark.parametrize(
    "arguments",
    [
        ["decide"],
        ["decide", "people.csv", "--format", "xml"],
        ["decide", "people.csv", "--unknown"],
        ["decide", "no-such-file.csv"],
        ["decide", "people.csv", "-c", "no-such-file.toml"],
        ["decide", "people.csv", "--now", "tomorrow"],
        ["decide", "people.csv", "--now", "31.12.2026"],
        ["plan", "weekly"],
        ["explain", "ada@example.com"],
        ["explain", "1", "people.csv", "--format", "csv"],
        ["lists"],
        ["lists", "check"],
        ["policy"],
        ["frobnicate"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str], mail: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be understood as typed ends with 2 and a hint, without a traceback."""
    monkeypatch.chdir(mail.folder)
    ran = run(*arguments)
    assert 2 == ran.code
    assert "Usage: " in ran.err
    assert "Traceback" not in ran.err


def test_a_missing_column_is_3_with_what_is_there(mail: MadeUp) -> None:
    """A column that is mapped and not there ends with 3 and names near misses; all files and columns at once."""
    ran = _decide(
        mail, config=CONFIG.replace('status = "status"', 'status = "state"').replace('at = "at"', 'at = "when"')
    )
    assert 3 == ran.code
    assert f"{mail.people}: no column 'state' for status" in ran.err
    assert "did you mean 'status'" in ran.err
    assert f"{mail.events}: no column 'when' for at" in ran.err
    assert "2 problems" in ran.err


def test_a_bad_configuration_is_3_with_all_its_problems(mail: MadeUp) -> None:
    """Lists, segments, campaigns, policy and sources are all checked before anything is said; each has its place."""
    wrong = (
        CONFIG.replace('title = "Offers"', 'titel = "Offers"')
        .replace("> 100", '> "much"')
        .replace('to = ["offers"]', 'to = ["offer"]')
        .replace('cadence = "weekly"', 'cadence = "hourly"')
        .replace('format = "events"', 'format = "happenings"')
    )
    ran = _decide(mail, config=wrong)
    assert 3 == ran.code
    for place in ("$.lists[0]", "$.segments[0]", "$.campaigns[1].to[0]", "$.policy", "$.sources[1]"):
        assert place in ran.err, place
    assert "Traceback" not in ran.err
    assert not (mail.folder / "decisions.csv").exists()


@pytest.mark.parametrize(
    "text", [b"# \xf6\n", b"[[lists", b"sources = 3\n", b"[sources]\nfiles = 'x'\n", b"lists = 3\n", b"policy = 3\n"]
)
def test_a_configuration_that_is_none_is_3(text: bytes, mail: MadeUp) -> None:
    """Another encoding, broken TOML and values of another shape are problems like any other."""
    mail.config.write_bytes(text)
    ran = _decide(mail)
    assert 3 == ran.code
    assert "cannot go on" in ran.err
    policy = run("policy", mail.config)
    assert 3 == policy.code


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plan", "wekly"], "did you mean weekly"),
        (["explain", "nobody@example.com"], "no contact named"),
        (["explain", "1", "--campaign", "thank"], "did you mean thanks"),
    ],
)
def test_a_name_that_is_not_there_is_3(arguments: list[str], says: str, mail: MadeUp) -> None:
    """A campaign or contact that is not there ends with 3 and near misses."""
    command, who, *more = arguments
    ran = run(command, who, *mail.files, "-c", mail.config, "--now", NOW, *more)
    assert 3 == ran.code
    assert says in ran.err


def test_a_damaged_file_is_3(mail: MadeUp) -> None:
    """A file that cannot be opened as what it says it is ends with 3."""
    mail.people.write_bytes(b"PK\x03\x04 a workbook")
    assert 3 == _decide(mail).code


def test_a_marketing_campaign_without_a_list_is_a_fault_of_the_configuration(mail: MadeUp) -> None:
    """A configuration with a marketing campaign that nobody could leave is not taken (L3, O2)."""
    bare = CONFIG + '[[segments]]\nkey = "everybody"\n[[campaigns]]\nkey = "blast"\nto = ["everybody"]\n'
    written(mail.config, bare)
    ran = run("plan", "blast", *mail.files, "-c", mail.config, "--now", NOW, "--out", mail.folder)
    assert "nobody could leave" in ran.err
    assert "$.campaigns[" in ran.err
    assert not (mail.folder / "plan.csv").exists()
    assert 3 == ran.code


def test_a_transactional_campaign_for_nobody_is_refused_with_4(mail: MadeUp) -> None:
    """Transactional mail is for somebody: a plan of it for everybody is refused (O2)."""
    ran = run("plan", "receipt", *mail.files, "-c", mail.config, "--now", NOW, "--out", mail.folder)
    assert 4 == ran.code
    assert "refused" in ran.err


def test_an_ambiguous_address_is_refused_with_4(mail: MadeUp) -> None:
    """An address of two contacts is no way to name one; the error lists both, and an id does."""
    with mail.people.open("a", encoding="utf-8") as file:
        file.write("7,ada@example.com,subscribed,2025-01-01,5\n")
    ran = run("explain", "ada@example.com", *mail.files, "-c", mail.config, "--now", NOW)
    assert 4 == ran.code
    assert "1, 7" in ran.err
    assert "ada@example.com" not in ran.err  # masked
    run_well("explain", "7", *mail.files, "-c", mail.config, "--now", NOW)


LOG = """\
User ID,E-mail,Happened At,Event
1,ada@example.com,2026-01-05 10:00,delivered
1,ada@example.com,2026-01-05 11:00,open
2,bob@example.com,2026-01-05 10:00,delivered
2,bob@example.com,2026-01-06 10:00,unsub
"""


def test_an_unknown_file_shows_a_mapping_that_works_once_completed(tmp_path: Path) -> None:
    """Columns that nobody knows end with 3 and a mapping made of them, which reads the file when it is completed."""
    log = written(tmp_path / "log.csv", LOG)
    ran = run("decide", log, "--out", tmp_path)
    assert 3 == ran.code
    shown = re.search(r"(?ms)^ *\[\[sources\]\].*?(?=^ *\)$)", ran.err)
    assert shown is not None, ran.err
    text = shown[0]
    assert {"log.csv"} == set(tomllib.loads(text)["sources"][0]["files"])
    columns = tomllib.loads(text)["sources"][0]["columns"]
    completed = text.replace("[sources.columns]", '[sources.columns]\nat = "Happened At"\nkind = "Event"')
    completed = completed.replace("contact_id =", "# contact_id =") if "User ID" not in columns.values() else completed
    completed = completed.replace('format = "contacts"', 'format = "events"\nlist = "offers"\nassume_list = "offers"')
    completed = completed.replace(
        "[sources.columns]",
        '[sources.kinds]\nopen = "opened"\ndelivered = "delivered"\nunsub = "unsubscribed"\n[sources.columns]', 1
    )  # fmt: skip
    extra = (
        '[[lists]]\nkey = "offers"\ntitle = "Offers"\nexpect = "a deal"\n[[campaigns]]\nkey = "c"\nto = ["offers"]\n'
    )
    config = written(tmp_path / "c.toml", extra + completed)
    run_well("decide", log, "-c", config, "--now", NOW, "--out", tmp_path)
    assert ["1", "2"] == [row["contact_id"] for row in rows_of(tmp_path / "decisions.csv")]
    run_well("plan", "c", log, "-c", config, "--now", NOW, "--out", tmp_path)
    reasons = {row["contact_id"]: row["rule"] for row in rows_of(tmp_path / "plan.csv")}
    assert "out-of-list" == reasons["2"]


def test_a_guessed_mapping_works_as_it_is(tmp_path: Path) -> None:
    """Where every column is guessed, the mapping shown reads the file as it stands."""
    log = written(
        tmp_path / "log.csv",
        "user_id,email,timestamp,event\n1,ada@example.com,2026-01-05T10:00:00Z,sent\n"
        "1,ada@example.com,2026-01-05T11:00:00Z,email_open\n2,bob@example.com,2026-01-05T10:00:00Z,sent\n",
    )
    ran = run("decide", log, "--out", tmp_path)
    assert 3 == ran.code
    shown = re.search(r"(?ms)^ *\[\[sources\]\].*?(?=^ *\)$)", ran.err)
    assert shown is not None
    config = written(tmp_path / "c.toml", shown[0])
    run_well("decide", log, "-c", config, "--now", NOW, "--out", tmp_path)
    rows = rows_of(tmp_path / "decisions.csv")
    assert {"ada@example.com", "bob@example.com"} == {row["email"] for row in rows}
    assert set() == {row["line"] for row in rows_of(tmp_path / "rejects.csv")}
    assert not sendable_in(_planned(tmp_path, log, shown[0]))


def _planned(folder: Path, log: Path, source: str) -> Path:
    """Plan for a list that nobody joined: a guessed mapping says nothing of consent."""
    extra = '[[lists]]\nkey = "l"\ntitle = "L"\nexpect = "x"\n[[campaigns]]\nkey = "c"\nto = ["l"]\n'
    config = written(folder / "c2.toml", extra + source)
    run_well("plan", "c", log, "-c", config, "--now", NOW, "--out", folder)
    return folder / "plan.csv"


def test_a_list_that_nobody_declares_is_3(mail: MadeUp) -> None:
    """A no to a list that no campaign knows would bind nothing: the configuration and the files are refused (O2)."""
    text = mail.config.read_text(encoding="utf-8")
    listed = next(line for line in text.splitlines() if line.startswith("list = "))
    ran = _decide(mail, config=text.replace(listed, 'list = "ofers"', 1))
    assert 3 == ran.code
    assert "ofers" in ran.err
    assert "[[lists]]" in ran.err
