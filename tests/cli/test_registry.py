"""What a command says about registries before it opens one; what it does with one is tested with the store of SQL."""

import warnings
from pathlib import Path

import pytest

from lifecycle_mail.cli import registry
from lifecycle_mail.cli.registry import NoEsp, file_of, read_peppers, url_of
from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.ports import Esp
from tests.cli.running import run, written

SECRET = "0123456789abcdef-secret"  # noqa: S105 - known to everybody

READS = [
    ["optouts", "list"],
    ["optouts", "causes"],
    ["optouts", "as-of", "2026-01-01"],
    ["optouts", "watch"],
    ["optouts", "export", "out.csv"],
    ["screen", "people.csv"],
    ["picture", "ada@example.com"],
    ["outbox", "list"],
    ["outbox", "journal", "9f2c"],
    ["db", "check"],
    ["db", "stats"],
]
WRITES = [
    ["optouts", "add", "ada@example.com", "--all"],
    ["optouts", "import", "people.csv"],
    ["erase", "ada@example.com", "--yes"],
    ["archive", "ada@example.com", "--out", "ada.json", "--why", "x", "--yes"],
    ["restore", "people.csv", "--why", "x"],
    ["outbox", "drain", "--esp", "memory"],
    ["outbox", "retry", "--all"],
    ["db", "init"],
    ["db", "upgrade"],
    ["db", "check", "--rebuild"],
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LIFECYCLE_MAIL_DB", raising=False)
    monkeypatch.delenv("LIFECYCLE_MAIL_PEPPERS", raising=False)
    written(tmp_path / "people.csv", "email\nada@example.com\n")


@pytest.mark.parametrize("arguments", [*READS, *WRITES], ids=" ".join)
def test_without_a_registry_it_says_how_to_name_one(arguments: list[str]) -> None:
    """No command guesses where a registry is: 2, with the option and the variable, and nothing is made."""
    ran = run(*arguments)
    assert 2 == ran.code
    assert "--db" in ran.err
    assert "LIFECYCLE_MAIL_DB" in ran.err
    assert ["people.csv"] == [path.name for path in Path().iterdir()]


@pytest.mark.parametrize("arguments", WRITES, ids=" ".join)
def test_what_writes_must_be_told_the_registry(arguments: list[str], tmp_path: Path) -> None:
    """`mail.db` in the current folder is no answer to where an erasure is meant."""
    written(tmp_path / "mail.db", "a file that would not open")
    ran = run(*arguments)
    assert 2 == ran.code
    assert "say which registry is written to" in ran.err


@pytest.mark.parametrize(
    "arguments", [one for one in [*READS, *WRITES] if one[:2] not in (["db", "init"],)], ids=" ".join
)
def test_a_path_that_is_mistyped_makes_no_registry(arguments: list[str], tmp_path: Path) -> None:
    """Only `db init` makes one: another file is a 3 that says so, and there is still no file, and nothing is empty."""
    for name, text in (("mial.db", None), ("empty.db", "")):
        path = tmp_path / name
        if text is not None:
            written(path, text)
        ran = run(*arguments, "--db", path)
        assert 3 == ran.code
        assert f"lifecycle-mail db init --db {path}" in ran.err
        assert 1 == len(ran.err.strip().splitlines())
        assert (text is not None) == path.exists()


@pytest.mark.parametrize(
    ("db", "says"),
    [
        ("memory:", "forgets all when the command ends"),
        ("mongodb://localhost/mail", "nothing named 'mongodb' is installed"),
        ("what?.db", "a path with a question mark"),
    ],
)
def test_a_registry_that_cannot_be_is_3(db: str, says: str) -> None:
    """Memory, an unknown kind and a path that no URL can hold are refused in one line."""
    ran = run("optouts", "list", "--db", db)
    assert 3 == ran.code
    assert says in ran.err
    assert 1 == len(ran.err.strip().splitlines())


def test_a_registry_is_named_by_url_or_path(tmp_path: Path) -> None:
    """A path is a file of SQLite, wherever it lies; what has a scheme is left as it is; a drive letter is none."""
    assert f"sqlite:///{tmp_path}/mail.db" == url_of("mail.db") == url_of(f"{tmp_path}/mail.db")
    assert tmp_path / "mail.db" == file_of(url_of("mail.db"))
    assert "postgresql://user@host/name" == url_of("postgresql://user@host/name")
    assert file_of("postgresql://user@host/name") is None
    assert tmp_path / "mail.db" == file_of(f"sqlite+pysqlite:///{tmp_path}/mail.db?timeout=3")
    assert tmp_path / "mail.db" == file_of("sqlite:///mail.db")
    assert url_of("C:mail.db").startswith("sqlite:///")


def test_peppers_are_read_from_a_file_or_the_environment(tmp_path: Path) -> None:
    """One a line or parted by commas, the newest last; blank lines and remarks are passed over; the file goes first."""
    file = written(tmp_path / "peppers", f"# ours\n2025 = {SECRET}-old\n\n2026={SECRET}==\n")
    there = {"LIFECYCLE_MAIL_PEPPERS": f"a={SECRET}1,b={SECRET}2"}
    assert [("2025", f"{SECRET}-old"), ("2026", f"{SECRET}==")] == list(read_peppers(file, there).items())
    assert [("a", f"{SECRET}1"), ("b", f"{SECRET}2")] == list(read_peppers(None, there).items())
    assert {} == read_peppers(None, {})


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"{SECRET}==",
        f"={SECRET}",
        f"2026 {SECRET}",
        f"UPPER={SECRET}",
        "2026=secret",
        f"2026={SECRET}\nc2VjcmV0=",
        f"2026={SECRET},and more",
    ],
)
def test_a_pepper_that_is_none_is_never_shown(text: str, tmp_path: Path) -> None:
    """What is wrong is told by file and entry alone, whatever part of a line may be the secret; it is 3."""
    written(tmp_path / "peppers", text)
    written(tmp_path / "mail.db", "never opened")
    ran = run("optouts", "list", "--db", tmp_path / "mail.db", "--pepper-file", tmp_path / "peppers")
    assert 3 == ran.code
    assert "ID=SECRET" in ran.err
    assert "entry " in ran.err
    assert not any(part in ran.err + ran.out for part in ("0123", "-secret", "=secret", "c2Vj", "and more", "UPPER"))


def test_a_pepper_has_one_secret() -> None:
    """An id that stands there twice is a mistake that would make hashes nobody finds."""
    with pytest.raises(Misconfigured, match="'2026' stands there twice"):
        read_peppers(None, {"LIFECYCLE_MAIL_PEPPERS": f"2026={SECRET},2026={SECRET}2"})


def test_what_a_store_warns_of_is_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database on a network disk is opened with a warning, which is no traceback and no line of code (F14)."""

    def opened(url: str, **_options: object) -> MemoryStore:
        warnings.warn(f"{url} lies on a network disk", UserWarning, stacklevel=1)
        return MemoryStore()

    monkeypatch.setattr(registry, "load_store", opened)
    registry.open_store("sqlite:///mail.db", {})
    assert "warning: sqlite:///mail.db lies on a network disk\n" == capsys.readouterr().err


def test_no_esp_can_do_nothing() -> None:
    """Where no ESP is named, nobody is told, and nothing is claimed."""
    esp: Esp = NoEsp()
    assert isinstance(esp, Esp)
    assert not esp.capabilities


@pytest.mark.parametrize("command", [["decide"], ["plan", "weekly"], ["explain", "ada@example.com"]])
def test_files_and_a_registry_are_not_mixed(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One or the other decides: both, or neither, is 2; a registry that the environment names gives way to files."""
    both = run(*command, "people.csv", "--db", "mail.db")
    assert 2 == both.code
    assert "not both" in both.err
    neither = run(*command)
    assert 2 == neither.code
    assert "--db" in neither.err
    monkeypatch.setenv("LIFECYCLE_MAIL_DB", "mail.db")
    files = run(*command, "people.csv")
    assert 3 == files.code
    assert "[[sources]]" in files.err  # it read the file


def test_a_question_mark_in_a_path_is_told() -> None:
    """A URL has options after it, so a path may have none."""
    with pytest.raises(InvalidInput, match="name it otherwise"):
        url_of("what?.db")
