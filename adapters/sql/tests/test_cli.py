"""The command line on a registry: making and verifying it, opt-outs in and out, screening."""

import csv
import io
import json
import re
import sqlite3
from pathlib import Path

import pytest
from attrs import evolve
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.registries import CONFIG, PEPPER, PEPPER_ID, Registry
from lifecycle_mail import Lifecycle, MatchRules, Scope
from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.entries import OptOut, Subject
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.service.moving import IMPORT_CHUNK
from lifecycle_mail.testing import frozen_now
from tests.cli.running import rows_of, run, run_well, written


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with two lists."""
    return written(tmp_path / "lifecycle.toml", CONFIG)


@pytest.fixture
def on(fresh_url: str) -> Registry:
    """A registry that was just made, on either database."""
    run_well("db", "init", "--db", fresh_url)
    return Registry(fresh_url)


@pytest.fixture
def db(tmp_path: Path) -> Registry:
    """A registry in a file, which was just made."""
    run_well("db", "init", "--db", tmp_path / "mail.db")
    return Registry(tmp_path / "mail.db")


# --- the registry itself ----------------------------------------------------------------------------------------------


def test_a_registry_is_made_once(on: Registry, config: Path) -> None:
    """`db init` makes it, and again changes nothing but the lists, which other commands then know (L1)."""
    refused = on.run("optouts", "add", "ada@example.com", "--list", "news")
    assert 3 == refused.code
    assert "declare it in the configuration (-c)" in refused.err
    assert "2 lists" in on.well("db", "init", "-c", config).out
    on.well("optouts", "add", "ada@example.com", "--list", "news")
    assert "2 lists" in on.well("db", "init").out
    assert ["list:news"] == [row["scope"] for row in on.rows("optouts", "list")]


@pytest.mark.parametrize("settled_by", ["the application", "db init"])
def test_commands_match_addresses_as_the_registry_does(fresh_url: str, tmp_path: Path, settled_by: str) -> None:
    """F61: a no that the application or a command writes holds for the other at every spelling."""
    match = MatchRules(plus_tags=True)
    on = Registry(fresh_url)
    if settled_by == "db init":
        on.well("db", "init", "--match", "plus-tags")
    with Lifecycle("memory", fresh_url, match=match) as mail:
        mail.opt_out("ada+shop@example.com", scope=Scope.all(), now=frozen_now)
    on.well("optouts", "import", written(tmp_path / "out.csv", "email\nbob+shop@example.com\n"))
    on.well("optouts", "add", "cy+shop@example.com", "--all")
    people = ["ada@example.com", "bob+x@example.com", "cy@example.com"]
    asked = written(tmp_path / "asked.csv", "\n".join(["email", *people]))
    on.well("screen", asked, "--out", tmp_path)
    assert ["held"] * 3 == [row["outcome"] for row in rows_of(tmp_path / "screened.csv")]
    with Lifecycle("memory", fresh_url) as mail:
        assert ["out-of-all"] * 3 == [one.held for one in mail.screen_addresses(people, now=frozen_now)]
    assert 3 == len(on.rows("optouts", "list"))
    refused = on.run("db", "init", "--match", "gmail-dots")
    assert (3, True) == (refused.code, "folds case and plus tags where it looks up a no" in refused.err)
    assert "folds case and plus tags" in on.well("db", "init").out
    assert "folds case and plus tags" in on.well("db", "stats").out
    assert "1p" == json.loads(on.well("db", "stats", "--format", "json").out)["match_rules"]
    with Lifecycle("memory", fresh_url) as mail:
        (mark,) = mail.store.bookmarks("matching")
        mail.store.mark(evolve(mark, note="2"))
    unknown = on.run("optouts", "list")
    assert (3, True) == (unknown.code, "match rules '2'" in unknown.err)
    assert "match rules that this version does not know" in on.well("db", "stats").out


def test_how_addresses_are_matched_is_settled_before_anything_is_written(fresh_url: str) -> None:
    """F61: what the application that has it open writes later, a command that asks for other rules would not find."""
    with Lifecycle("memory", fresh_url) as mail:
        refused = Registry(fresh_url).run("db", "init", "--match", "plus-tags")
        assert (3, True) == (refused.code, "folds case where it looks up a no" in refused.err)
        mail.opt_out("ada@example.com", scope=Scope.all(), now=frozen_now)
    with Lifecycle("memory", fresh_url) as later:
        assert ["out-of-all"] == [one.held for one in later.screen_addresses(["ada@example.com"], now=frozen_now)]


def test_a_registry_from_before_rules_were_kept_tells_them_by_its_keys(fresh_url: str) -> None:
    """F13: a backup of such a one is opened, and its noes are found."""
    match = MatchRules(plus_tags=True)
    subject = Subject(key=parse_address("ada+shop@example.com").match_key(match))
    said = Provenance(actor=Actor.CONTACT, through=Through.REPLY, at=frozen_now, source="old")
    store = SqlStore(fresh_url)
    store.append([OptOut(subject=subject, scope=Scope.all(), event_id="e1", provenance=said)], at=frozen_now)
    store.close()
    with Lifecycle("memory", fresh_url) as mail:
        assert match == mail.match
        assert ["out-of-all"] == [one.held for one in mail.screen_addresses(["ada@example.com"], now=frozen_now)]


def test_check_stats_and_upgrade_of_a_registry_that_is_whole(on: Registry) -> None:
    """There are no problems, the schema is the newest, and what it holds is counted."""
    on.well("optouts", "add", "ada@example.com", "--all")
    assert on.well("db", "check").out.startswith("no problems: 1 log")
    assert [] == on.rows("db", "check")
    assert "nothing to do" in on.well("db", "upgrade").out
    stats = json.loads(on.well("db", "stats", "--format", "json").out)
    assert (1, 1) == (stats["log"], stats["log: opt-out"])
    assert f"schema {stats['schema']}" in on.well("db", "stats").out
    counted = csv.DictReader(io.StringIO(on.well("db", "stats", "--format", "csv").out))
    assert {"log": "1"}.items() <= {row["what"]: row["count"] for row in counted}.items()


def test_what_stands_beside_the_log_is_checked_and_rebuilt(db: Registry) -> None:
    """State that is not what the log says is a finding, 1, and `--rebuild` makes it anew from the log (F11)."""
    db.well("optouts", "add", "ada@example.com", "--all")
    raw = sqlite3.connect(db.db)
    raw.execute("DELETE FROM marks")
    raw.commit()
    raw.close()
    found = db.run("db", "check", "--format", "json")
    assert 1 == found.code
    assert any("--rebuild" in problem["fix"] for problem in json.loads(found.out))
    assert "--rebuild" in db.run("db", "check").out
    refused = db.run("optouts", "list")
    assert 4 == refused.code
    assert 1 == len(refused.err.strip().splitlines())
    assert "no problems" in db.well("db", "check", "--rebuild").out
    db.well("optouts", "list")


@pytest.mark.parametrize("command", [["optouts", "list"], ["screen", "people.csv"], ["db", "stats"]], ids=" ".join)
def test_a_file_that_is_no_registry_is_refused_in_a_line(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file is damaged as a registry: 4, one line, no traceback, and the file stays as it is (F11)."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "people.csv", "email\nada@example.com\n")
    letter = "Dear Ada, " * 200
    other = written(tmp_path / "letter.txt", letter)
    ran = run(*command, "--db", other)
    assert 4 == ran.code
    assert 1 == len(ran.err.strip().splitlines())
    assert letter == other.read_text(encoding="utf-8")


def test_a_server_that_is_not_there_is_refused_in_a_line() -> None:
    """A registry that cannot be reached is a 4, and the password in its URL is not shown (F12)."""
    ran = run("optouts", "list", "--db", "postgresql://mail:hidden-word@127.0.0.1:9/mail?connect_timeout=1")
    assert 4 == ran.code
    assert "hidden-word" not in ran.err
    assert 1 == len(ran.err.strip().splitlines())


def test_reading_takes_the_registry_of_this_folder(
    db: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What only reads takes `mail.db` here; the variable goes before it, and the option before the variable."""
    monkeypatch.delenv("LIFECYCLE_MAIL_DB", raising=False)
    monkeypatch.chdir(tmp_path)
    db.well("optouts", "add", "ada@example.com", "--all")
    assert "1 opt-outs" in run_well("optouts", "list").out
    run_well("db", "init", "--db", "other.db")
    monkeypatch.setenv("LIFECYCLE_MAIL_DB", "other.db")
    assert "0 opt-outs" in run_well("optouts", "list").out
    assert "1 opt-outs" in run_well("optouts", "list", "--db", "mail.db").out
    run_well("optouts", "add", "bob@example.com", "--all")
    run_well("optouts", "add", "cem@example.com", "--all")
    assert "2 opt-outs" in run_well("optouts", "list", "--db", "other.db").out


# --- opt-outs ---------------------------------------------------------------------------------------------------------


def test_an_opt_out_is_recorded_once(on: Registry) -> None:
    """It holds for an unknown address too, with who said it and why, and said again it is the same (O1, O3)."""
    said = on.well("optouts", "add", "Ada@Example.com", "--all", "--reason", "too-many", "--text", "on the phone")
    assert "out of all\n" == said.out
    assert "as was said before" in on.well("optouts", "add", "ada@example.com", "--all").out
    (row,) = on.rows("optouts", "list")
    assert ("ada@example.com", "all", "stands") == (row["who"], row["scope"], row["standing"])
    assert ("too-many", "application", "command-line") == (row["reason"], row["through"], row["source"])
    ticket = ["optouts", "add", "bob@example.com", "--channel", "sms", "--event-id", "ticket 7"]
    assert "as was said before" not in on.well(*ticket).out
    assert "as was said before" in on.well(*ticket).out
    assert ["all", "channel:sms"] == [row["scope"] for row in on.rows("optouts", "list")]


@pytest.mark.parametrize("scope", [[], ["--all", "--list", "offers"], ["--list", "offers", "--channel", "email"]])
def test_how_far_an_opt_out_reaches_is_always_said(scope: list[str], db: Registry) -> None:
    """Nobody guesses between one list and all marketing: 2, and nothing is written (O2)."""
    ran = db.run("optouts", "add", "ada@example.com", *scope)
    assert 2 == ran.code
    assert "say how far it reaches" in ran.err
    assert [] == db.rows("optouts", "list")


@pytest.fixture
def three(db: Registry) -> Registry:
    """A registry with three noes: of ada, bob and cem, on three days, two of them through a campaign."""
    said = [
        ("ada", Scope.all(), None, "too-many"),
        ("bob", Scope.list("offers"), "weekly-offer", None),
        ("cem", Scope.all(), "weekly-offer", "other"),
    ]
    with db.open() as mail:
        for day, (who, scope, campaign, reason) in enumerate(said, start=2):
            now = frozen_now.replace(day=day)
            mail.opt_out(f"{who}@example.com", scope=scope, campaign=campaign, reason=reason, now=now)
    return db


@pytest.mark.parametrize(
    ("picks", "who"),
    [
        ([], "ada bob cem"),
        (["--campaign", "weekly-offer"], "bob cem"),
        (["--reason", "too-many"], "ada"),
        (["--list", "offers"], "bob"),
        (["--since", "2026-03-03T09:00:00Z"], "bob cem"),
        (["--until", "2026-03-03T09:00:00Z"], "ada"),
        (["--campaign", "weekly-offer", "--reason", "other"], "cem"),
        (["--most", "1"], "cem"),
        (["--most", "0"], "ada bob cem"),
    ],
)
def test_opt_outs_are_listed_by_what_led_to_them(picks: list[str], who: str, three: Registry) -> None:
    """Campaign, reason, list, and when they were recorded pick them; of many the latest are shown (O3)."""
    found = [str(row["who"]).partition("@")[0] for row in three.rows("optouts", "list", *picks)]
    assert who.split() == found


def test_a_list_that_is_cut_says_so(three: Registry) -> None:
    """The table tells how many there are in all, and standard error how to see them."""
    ran = three.well("optouts", "list", "--most", "1")
    assert "3 opt-outs" in ran.out
    assert "ada@" not in ran.out
    assert "2 earlier ones are not shown: --most 0 shows all" in ran.err


def test_causes_are_counted(three: Registry) -> None:
    """By campaign, segment and reason, as the service counts them, since an instant and as of one (O3)."""
    counts = {(row["by"], row["name"]): row["count"] for row in three.rows("optouts", "causes")}
    assert (2, 1) == (counts["campaign", "weekly-offer"], counts["campaign", "(not known)"])
    assert (2, 1) == (counts["scope", "all"], counts["scope", "list:offers"])
    assert "2 opt-outs" in three.well("optouts", "causes", "--since", "2026-03-03").out
    assert "1 opt-outs" in three.well("optouts", "causes", "--until", "2026-03-03").out


def test_the_registry_is_read_as_of_an_instant(three: Registry) -> None:
    """What was recorded by then counts, and no more (O10)."""
    assert "1 opt-outs, 1 records" in three.well("optouts", "as-of", "2026-03-02T09:00:00Z").out
    assert "0 opt-outs, 0 records" in three.well("optouts", "as-of", "2026-03-02T08:59:59Z").out
    assert [{"scope": "all", "count": 1}, {"scope": "list:offers", "count": 1}] == three.rows(
        "optouts", "as-of", "2026-03-03T12:00:00Z"
    )


def test_data_for_programs_holds_no_formula(db: Registry, tmp_path: Path) -> None:
    """A cell with a line end in it is quoted, so that its second line begins no row with a formula (F56)."""
    file = tmp_path / "out.csv"
    file.write_bytes(b'email,campaign,reason\nada@example.com,"a\r=HYPERLINK(1)","b\r=1"\n')
    db.well("optouts", "import", file, "--source", "c\r=1")
    for command in ("list", "causes"):
        out = db.well("optouts", command, "--format", "csv").out
        assert "\r" in out
        assert all(cell[:1] != "=" for row in csv.reader(io.StringIO(out, newline="")) for cell in row)
        assert not any(line.startswith("=") for line in re.sub('"[^"]*"', "", out).replace("\r", "\n").split("\n"))


def test_a_no_to_a_list_that_nobody_declared_is_refused(db: Registry, tmp_path: Path) -> None:
    """Of an imported list too, and where there are no lists at all: 3, and nothing is written."""
    file = written(tmp_path / "out.csv", "email\nada@example.com\n")
    ran = db.run("optouts", "import", file, "--scope", "list:nope")
    assert (3, True) == (ran.code, "no list named 'nope'" in ran.err)
    assert [] == db.rows("optouts", "list")


def test_peppers_that_are_no_text_are_refused(db: Registry, tmp_path: Path) -> None:
    """A file of peppers that is not UTF-8 is 3, in a line, and nothing of it is shown."""
    peppers = tmp_path / "peppers"
    peppers.write_bytes("2026=gehört-niemandem-sonst".encode("cp1252"))
    ran = db.run("optouts", "list", "--pepper-file", peppers)
    assert (3, 1, False) == (ran.code, len(ran.err.strip().splitlines()), "niemandem" in ran.err)
    assert "UTF-8" in ran.err


# --- in and out -------------------------------------------------------------------------------------------------------


def test_opt_outs_are_imported_with_what_is_wrong(on: Registry, tmp_path: Path) -> None:
    """Rows are taken or refused, each refused one with its line; again it is all known; `--strict` exits with 1."""
    file = written(tmp_path / "out.csv", "email,reason\nada@example.com,too-many\nno address,\nbob@example.com,\n")
    rejects = tmp_path / "rejects.csv"
    ran = on.well("optouts", "import", file, "--rejects", rejects)
    assert "3 rows: 2 new, 0 known, 0 passed over, 1 rejected\n" == ran.out
    assert "resumed" not in ran.err
    (refused,) = rows_of(rejects)
    assert ("3", "row") == (refused["line"], refused["refused"])
    again = on.run("optouts", "import", file, "--strict")
    assert 1 == again.code
    assert "0 new, 2 known" in again.out
    assert "import again with --rejects FILE" in again.err
    assert ["ada@example.com", "bob@example.com"] == [row["who"] for row in on.rows("optouts", "list")]


def test_an_import_that_was_cut_off_goes_on(db: Registry, tmp_path: Path) -> None:
    """The same command goes on after the row that was done, and says so; the books are those of one run (F6)."""
    count = IMPORT_CHUNK + 10
    file = written(tmp_path / "out.csv", "email\n" + "".join(f"p{n}@example.com\n" for n in range(count)))

    def cut(_done: int) -> None:
        raise KeyboardInterrupt

    with db.open() as mail, pytest.raises(KeyboardInterrupt):
        mail.import_opt_outs(file, now=frozen_now, progress=cut)
    ran = db.well("optouts", "import", file)
    assert f"resumed at row {IMPORT_CHUNK + 1:,}" in ran.err
    assert f"{count:,} rows: {count:,} new, 0 known" in ran.out
    assert f"{count:,} opt-outs" in db.well("optouts", "list", "--most", "1").out


def test_an_export_brings_opt_outs_back(three: Registry, tmp_path: Path) -> None:
    """Exported and imported into another registry, they are the same; after a position, only what came since."""
    file = tmp_path / "out.csv"
    assert "3 rows, up to position 3" in three.well("optouts", "export", file).out
    other = Registry(tmp_path / "other.db")
    other.well("db", "init")
    assert "3 new" in other.well("optouts", "import", file).out
    seen, back = (
        sorted((row["who"], row["scope"], row["said_at"]) for row in one.rows("optouts", "list"))
        for one in (three, other)
    )
    assert seen == back
    assert "1 rows" in three.well("optouts", "export", file, "--after", "2").out
    assert "2 rows" in three.well("optouts", "export", file, "--until", "2026-03-03T12:00:00Z").out


def test_an_export_as_hashes_names_nobody(three: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a pepper it holds keyed hashes alone, which hold there where the pepper is; without it, 3 (O5)."""
    file = tmp_path / "out.csv"
    assert 3 == three.run("optouts", "export", file, "--hashed", PEPPER_ID).code
    monkeypatch.setenv("LIFECYCLE_MAIL_PEPPERS", PEPPER)
    three.well("optouts", "export", file, "--hashed", PEPPER_ID)
    text = file.read_text(encoding="utf-8")
    assert "example.com" not in text
    assert PEPPER.partition("=")[2] not in text
    assert 3 == text.count(f"hmac:{PEPPER_ID}:")
    other = Registry(tmp_path / "other.db")
    other.well("db", "init")
    other.well("optouts", "import", file)
    people = written(tmp_path / "people.txt", "ada@example.com\nzoe@example.com\n")
    other.well("screen", people, "--out", tmp_path)
    assert ["held", "clear"] == [row["outcome"] for row in rows_of(tmp_path / "screened.csv")]


@pytest.mark.parametrize("beside", ["", "-journal", "-wal", "-shm"])
def test_nothing_is_written_over_the_registry(beside: str, three: Registry, tmp_path: Path) -> None:
    """An export, the rejects of an import and an archive are refused where they would replace it: 3, all is there."""
    registry = Path(three.db)
    target = registry.with_name(registry.name + beside)
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    file = written(tmp_path / "out.csv", "email\ndan@example.com\nno address\n")
    for path in (target, tmp_path / "x" / ".." / target.name, link):
        for command in (
            ["export", path],
            ["import", file, "--rejects", path],
        ):
            ran = three.run("optouts", *command)
            assert (3, True) == (ran.code, "is the registry" in ran.err), command
        with three.open() as mail:
            for write in (mail.export_opt_outs, mail.export_profiles):
                with pytest.raises(InvalidInput, match="is the registry"):
                    write(path)
            with pytest.raises(InvalidInput, match="is the registry"):
                mail.export_subscriptions(path, now=frozen_now)
            with pytest.raises(InvalidInput, match="is the registry"):
                mail.import_opt_outs(file, now=frozen_now, rejects=path)
    assert 3 == three.run("archive", "ada@example.com", "--out", target, "--why", "left", "--yes").code
    assert 3 == len(three.rows("optouts", "list"))
    assert "no problems" in three.well("db", "check").out


def test_nothing_is_written_over_what_is_read(three: Registry, config: Path, tmp_path: Path) -> None:
    """The list that is imported or screened, the configuration and the peppers stay as they are: 3."""
    read = "email\ndan@example.com\nno address\n"
    file, peppers = written(tmp_path / "screened.csv", read), written(tmp_path / "peppers", PEPPER)
    hard = tmp_path / "hard.csv"
    hard.hardlink_to(file)
    options = ["-c", config, "--pepper-file", peppers]
    for target, what in ((config, "configuration"), (peppers, "peppers"), (file, "is read"), (hard, "is read")):
        ran = three.run("optouts", "import", file, "--rejects", target, *options)
        assert (3, True) == (ran.code, what in ran.err)
    for target in (config, peppers):
        assert 3 == three.run("optouts", "export", target, *options).code
    assert 3 == three.run("screen", file, "--out", tmp_path).code
    assert [read, PEPPER, CONFIG] == [one.read_text(encoding="utf-8") for one in (file, peppers, config)]


# --- screening --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("email,name\nada@example.com,A\nzoe@example.com,Z\nno address,N\nbob@example.com,B\n", []),
        ("ada@example.com\nzoe@example.com\nno address\nbob@example.com\n", []),
        ("who;x\nada@example.com;1\nzoe@example.com;2\nno address;3\nbob@example.com;4\n", ["--column", "who"]),
    ],
)
def test_each_address_is_clear_held_or_invalid(text: str, options: list[str], three: Registry, tmp_path: Path) -> None:
    """A table or a bare list: a row for each address, in order, with why; the counts are printed."""
    file = written(tmp_path / "people.csv", text)
    ran = three.well("screen", file, *options, "--out", tmp_path / "out", "--format", "json")
    rows = rows_of(tmp_path / "out" / "screened.csv")
    assert ["ada@example.com", "zoe@example.com", "no address", "bob@example.com"] == [row["address"] for row in rows]
    assert ["held", "clear", "invalid", "clear"] == [row["outcome"] for row in rows]
    assert ["out-of-all", "", "", ""] == [row["held"] for row in rows]
    assert "a space" in rows[2]["reason"]
    counts = {(row["outcome"], row["held"]): row["count"] for row in json.loads(ran.out)}
    assert {("clear", ""): 2, ("held", "out-of-all"): 1, ("invalid", ""): 1} == counts


def test_a_list_is_screened_for(three: Registry, config: Path, tmp_path: Path) -> None:
    """For a list, who left that list is held too; a list that nobody knows is 3 (O2)."""
    file = written(tmp_path / "people.txt", "bob@example.com\n")
    three.well("screen", file, "--list", "offers", "-c", config, "--out", tmp_path)
    assert "out-of-list" == rows_of(tmp_path / "screened.csv")[0]["held"]
    assert 3 == three.run("screen", file, "--list", "ofers", "-c", config, "--out", tmp_path).code


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("name,town\nAda,Tartu\n", [], "no column of addresses: it has name, town"),
        ("", [], "it is empty"),
        ("email\nada@example.com\n", ["--column", "mail"], "no column 'mail'"),
    ],
)
def test_a_file_without_addresses_is_3(text: str, options: list[str], says: str, db: Registry, tmp_path: Path) -> None:
    """Which column holds the addresses is asked for, and no table of nobody is left behind."""
    ran = db.run("screen", written(tmp_path / "people.csv", text), *options, "--out", tmp_path / "out")
    assert 3 == ran.code
    assert says in ran.err
    assert "--column NAME" in ran.err
    assert [] == list((tmp_path / "out").iterdir())


def test_nothing_that_is_screened_runs_in_a_spreadsheet(db: Registry, tmp_path: Path) -> None:
    """Cells that would be formulas are made harmless in what is written (F56)."""
    file = written(tmp_path / "people.csv", "email,x\n=cmd|x@example.com,1\n+1@example.com,2\n")
    db.well("screen", file, "--out", tmp_path)
    assert all(row["address"].startswith("'") for row in rows_of(tmp_path / "screened.csv"))
