"""Seeds: what a test draws by chance is drawn from one, so that it can be drawn again.

`LIFECYCLE_MAIL_SEED=17 pytest ...` runs every test of chance with this seed alone.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

VARIABLE = "LIFECYCLE_MAIL_SEED"


def seeds(count: int, *, first: int = 1) -> Sequence[int]:
    """Return the seeds to run: the one that the environment names, or so many from a first one on."""
    given = os.environ.get(VARIABLE)
    return [int(given)] if given else range(first, first + count)


def dice(*about: object) -> random.Random:
    """Return chance that is the same for the same things."""
    return random.Random("/".join(map(str, about)))  # noqa: S311 - drawn again, not secret


def replay(seed: int) -> str:
    """Say how a failure is seen again."""
    return f"seen again with {VARIABLE}={seed}"
