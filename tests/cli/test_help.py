import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from lifecycle_mail.cli.app import app
from lifecycle_mail.policy.facts import CATALOGUE, FAMILIES
from tests.cli.running import run, run_well


def test_the_first_page_teaches() -> None:
    """`--help` says what the program is for, names every command, gives examples and the exit codes."""
    text = run_well("--help").out
    for command in app.commands:
        assert f"\n  {command} " in text, command
    assert "lifecycle-mail demo" in text
    assert "lifecycle-mail decide subscribed_members_export.csv" in text
    assert "Nothing is ever sent" in text
    assert all(f"{code} " in text.split("Exit codes:")[1] for code in range(5))
    assert text == run_well("-h").out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["demo"], ["decide", "explain", "plan", "--keep", "--db", "mails nobody twice"]),
        (["decide"], ["decisions.csv", "rejects.csv", "contact_id", "policy_version", "--jsonl", "--strict"]),
        (["plan"], ["plan.csv", "rejects.csv", "audience = sendable + withheld", "leaves_list", "Nothing is sent"]),
        (["explain"], ["an address or a contact id", "what would flip it", "--campaign"]),
        (["lists"], ["check"]),
        (["lists", "check"], ["topics and segments", "exit with 1", "--most"]),
        (["policy"], ["CADENCE|FILE", "tiers", "--toml"]),
        (["facts"], ["predicates"]),
        (["db"], ["init", "upgrade", "check", "stats"]),
        (["db", "check"], ["--rebuild", "exit with 1", "LIFECYCLE_MAIL_DB"]),
        (["optouts"], ["add", "list", "causes", "import", "export", "as-of", "watch"]),
        (["optouts", "add"], ["--list", "--channel", "--all", "too-many", "only the person can come back"]),
        (["optouts", "import"], ["--rejects", "goes on where it stopped"]),
        (["optouts", "export"], ["--hashed", "whole or not at all"]),
        (["screen"], ["screened.csv", "address, outcome, held, reason", "is no consent"]),
        (["erase"], ["--yes", "--pepper-file", "LIFECYCLE_MAIL_PEPPERS", "--esp"]),
        (["archive"], ["--out", "--why", "restore"]),
        (["outbox"], ["list", "drain", "journal", "retry"]),
        (["aside"], ["list", "accept", "discard", "--why"]),
        (["sweep"], ["webhooks", "--esp", "backup"]),
        (["picture"], ["known and decided", "--value-field"]),
    ],
)
def test_each_command_teaches(command: list[str], words: list[str]) -> None:
    """The help of each command says what it writes or prints, and names its options."""
    text = " ".join(run_well(*command, "--help").out.split())
    for word in words:
        assert word in text


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for inner, found in command.commands.items():
            yield from _commands(found, f"{name} {inner}")


COMMANDS = dict(_commands(app, "lifecycle-mail"))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_an_example(name: str) -> None:
    """The help of each command shows it as one would type it, in a part whose lines are not broken."""
    parts = inspect.cleandoc(COMMANDS[name].help or "").split("\n\n")
    kept = [line for part in parts if part.startswith("\b\n") for line in part.splitlines()]
    assert any(re.search(rf"(?:^|  ){name}(?: |$)", line) for line in kept)


@pytest.mark.parametrize("command", ["decide", "plan", "explain"])
def test_choices_are_shown_as_they_are_typed(command: str) -> None:
    """Formats are offered in the lower case in which they are taken."""
    text = run_well(command, "--help").out
    assert "table|json" in text
    assert "TABLE" not in text


@pytest.mark.parametrize("name", ["daily", "weekly", "fortnightly", "monthly", "quarterly"])
def test_a_policy_is_printed(name: str, tmp_path: Path) -> None:
    """`policy` prints both tables with the version; its TOML reads back as a policy of the same version."""
    text = run_well("policy", name).out
    assert text.startswith(f"{name}, version ")
    assert "\ntier:\n" in text
    assert "\nsunset action:\n" in text
    assert "otherwise" in text
    toml = tmp_path / "mine.toml"
    toml.write_text(run_well("policy", name, "--toml").out, encoding="utf-8")
    assert text == run_well("policy", toml).out


def test_a_policy_that_is_none_names_the_presets() -> None:
    """An unknown policy ends with 3 and lists what there is."""
    ran = run("policy", "hourly")
    assert 3 == ran.code
    assert "daily, weekly, fortnightly, monthly, quarterly" in ran.err


def test_facts_are_listed() -> None:
    """`facts` prints every fact of the catalogue with its type and a sentence."""
    text = run_well("facts", "--format", "csv").out
    for name in [*CATALOGUE, *FAMILIES]:
        assert f"\n{name}" in text
    table = run_well("facts").out
    assert "days_inactive" in table
    assert len(CATALOGUE) + len(FAMILIES) == int(table.split()[0])


def test_the_version_is_printed() -> None:
    """`--version` prints the version of the distribution."""
    assert "0.1.0" in run_well("--version").out


_WITHOUT = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.partition(".")[0])
sys.meta_path.insert(0, Blocked())
from lifecycle_mail.cli import main
sys.argv = ["lifecycle-mail", "demo"]
main()
"""


@pytest.mark.parametrize("name", ["click", "rich"])
def test_without_the_extra_it_says_what_to_install(name: str) -> None:
    """Where click or rich is not installed, one line says which extra to install, with no traceback."""
    code = _WITHOUT.format(name=name)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    assert 1 == done.returncode
    assert "pip install 'lifecycle-mail[cli]'" in done.stderr
    assert 1 == len(done.stderr.splitlines())
    assert "" == done.stdout


def test_any_other_missing_module_is_not_mistaken_for_the_extra() -> None:
    """A module of ours that is missing is a fault, and shows as one."""
    code = _WITHOUT.format(name="attrs")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    assert 0 != done.returncode
    assert "ModuleNotFoundError" in done.stderr
    assert "pip install" not in done.stderr
