"""How far a share may lie from what was counted."""

from __future__ import annotations

import math

CONFIDENT = 1.96
"""The z value that chance passes once in twenty times."""


def wilson(hits: int, of: int, *, z: float = CONFIDENT) -> tuple[float, float]:
    """Return the bounds of a share, by Wilson's score interval, which holds for small counts too.

    Args:
        hits: how many; more than `of` count as all of them.
        of: among how many; of nobody, every share is possible.
        z: how sure, in standard errors.
    """
    if of <= 0:
        return 0.0, 1.0
    share = min(hits, of) / of
    middle = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    whole = 1 + z * z / of
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)
