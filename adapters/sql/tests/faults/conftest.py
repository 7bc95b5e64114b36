"""What the fault tests share."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.sql.tests.faults.nursery import Nursery, nursery
from adapters.sql.tests.faults.scenes import Stage


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Return what starts processes; one for all tests of a module."""
    with nursery(tmp_path_factory.mktemp("children")) as opened:
        yield opened


@contextmanager
def _in_memory() -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
    parent = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="lifecycle-mail-", dir=parent) as made:
        yield Path(made)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return an empty folder, in memory where there is one: a killed process loses nothing of it either."""
    with _in_memory() as made:
        yield made


@pytest.fixture(scope="module")
def kept_folder() -> Iterator[Path]:
    """Return such a folder for what the tests of a module share."""
    with _in_memory() as made:
        yield made


@pytest.fixture(scope="module")
def stage(fork: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Return what sets scenes."""
    return Stage(fork, tmp_path_factory.mktemp("scenes"))
