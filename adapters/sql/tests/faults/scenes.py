"""Short stories whose last step is the one that a fault hits: each thing that a registry does, once."""

from __future__ import annotations

from pathlib import Path

from adapters.sql.tests.faults.nursery import Nursery
from adapters.sql.tests.faults.story import OFFERS, Step, write_files
from adapters.sql.tests.faults.telling import Telling
from lifecycle_mail.model.lists import Scope

ALL = str(Scope.all())
LIST = str(Scope.list(OFFERS.key))

BEFORE = [
    *(Step("join", name) for name in ("p00", "p01", "p02", "p03")),
    Step("leave", "p00", ALL),
    Step("leave", "stranger00@example.com", ALL),
    Step("leave-there", "p02", LIST),
]
"""What has happened in every scene but the first: four people, two of whom are out, one of them as the ESP knows."""

SCENES = {
    "create": Step("open"),
    "opt-out": Step("leave", "p01", LIST),
    "return": Step("return", "p00"),
    "import": Step("import", "0"),
    "sweep": Step("sweep"),
    "send": Step("send", "0"),
    "drain": Step("drain"),
    "erase": Step("erase", "p01"),
}


class Stage:
    """Sets scenes: plays what came before once, and copies it.

    Args:
        fork: starts processes.
        folder: where.
    """

    def __init__(self, fork: Nursery, folder: Path) -> None:
        self._fork = fork
        self._folder = folder
        self._before: dict[tuple[str, bool], Telling] = {}

    def scene(self, name: str, way: str, folder: Path) -> Telling:
        """Set a scene in a folder: all but the last step has happened."""
        return self.before(way, empty=name == "create").copied(folder, SCENES[name])

    def before(self, way: str, *, empty: bool = False) -> Telling:
        """Return what came before, which is to be copied; or an empty folder."""
        if (way, empty) not in self._before:
            place = self._folder / f"{way}-{empty}"
            place.mkdir()
            write_files(place, seed=0)
            telling = Telling(self._fork, place, way, [] if empty else BEFORE)
            if not empty:
                telling.finish()
            self._before[way, empty] = telling
        return self._before[way, empty]
