"""What every test may count on: repeatable generated examples, and the shared data where there is any."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

settings.register_profile("default", derandomize=True, deadline=None)
settings.register_profile(
    "long",
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "5000")),
    print_blob=True,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of data that is kept outside the repository, or skip the test."""
    folder = Path(os.environ.get("LIFECYCLE_MAIL_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}: set LIFECYCLE_MAIL_SHARED")
    return folder
