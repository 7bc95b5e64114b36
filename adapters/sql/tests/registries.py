"""Registries for the tests of the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lifecycle_mail import Lifecycle, Programme
from lifecycle_mail.cli.registry import NoEsp
from tests.cli.running import Ran, run, run_well

PEPPER_ID = "2026"
PEPPER = f"{PEPPER_ID}=known-to-everybody-as-tests-are"
CONFIG = """
[[lists]]
key = "offers"
title = "Offers"
expect = "one deal a week"

[[lists]]
key = "news"
title = "News"
expect = "a letter each month"

[[campaigns]]
key = "weekly-offer"
to = ["offers"]

[policy]
cadence = "weekly"
"""
"""What the demo has, and a list that nobody is on."""


class Registry:
    """A registry that commands are run on.

    Attributes:
        db: what `--db` is given.
    """

    def __init__(self, db: object) -> None:
        self.db = str(db)

    def run(self, *arguments: object) -> Ran:
        """Run a command on it."""
        return run(*arguments, "--db", self.db)

    def well(self, *arguments: object) -> Ran:
        """Run a command on it that must end with 0."""
        return run_well(*arguments, "--db", self.db)

    def rows(self, *arguments: object) -> list[dict[str, object]]:
        """Run a command on it that must end with 0, and return the rows that it prints."""
        found: list[dict[str, object]] = json.loads(self.well(*arguments, "--format", "json").out)
        return found

    def open(self) -> Lifecycle:
        """Open it as an application does that knows the lists of the demo."""
        url = self.db if "://" in self.db else f"sqlite:///{self.db}"
        return Lifecycle(NoEsp(), url, programme=Programme.from_toml(CONFIG))


def demo_registry(folder: Path) -> Path:
    """Make a registry with the ten people of the demo: three got a mail, one of them left and came back."""
    path = folder / "demo.db"
    run_well("demo", "--db", path)
    return path


def copied(registry: Path, to: Path) -> Registry:
    """Copy a registry, which nobody has open."""
    shutil.copyfile(registry, to)
    return Registry(to)
