"""What the tests of the command line share."""

from pathlib import Path

import pytest

from tests.cli.made_up import MadeUp, made_up


@pytest.fixture
def mail(tmp_path: Path) -> MadeUp:
    """A small made-up list, its configuration and its events."""
    return made_up(tmp_path)
