"""Runs the Python of each page in a folder of its own, in which the files that the page shows are found.

The examples of a page build on each other. Where they are shared out among processes, or one is picked out, those
before it are run first, and fail under their own names.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sybil.integration.pytest import SybilItem

from docs.pages import DOCS, write_files

_FOLDERS = pytest.StashKey[dict[Path, Path]]()
_RUN = pytest.StashKey[set[str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Change to the folder of the item's page while it runs."""
    if not isinstance(item, SybilItem) or item.path.parent != DOCS:
        return (yield)
    folders = item.session.stash.setdefault(_FOLDERS, {})
    if item.path not in folders:
        factory: pytest.TempPathFactory = item.config._tmp_path_factory  # type: ignore[attr-defined]
        folders[item.path] = factory.mktemp(item.path.stem)
        write_files(item.path, folders[item.path])
    before = Path.cwd()
    os.chdir(folders[item.path])
    try:
        _run_those_before(item)
        return (yield)
    finally:
        os.chdir(before)


def _run_those_before(item: SybilItem) -> None:
    done = item.session.stash.setdefault(_RUN, set())
    for other in item.session.items:
        if other is item:
            break
        if isinstance(other, SybilItem) and other.path == item.path and other.nodeid not in done:
            done.add(other.nodeid)
            with suppress(Exception):
                other.runtest()
    done.add(item.nodeid)
