"""Files that must not be written over: the registry itself, and whatever is read to write the new one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from lifecycle_mail.errors import InvalidInput


def require_apart(target: Path, kept: Iterable[tuple[str, Path]]) -> None:
    """Check that what is written takes the place of none of these files, by whatever path or link it is named.

    Args:
        target: the file that is going to be written.
        kept: the files that must stay, each with what it is.

    Raises:
        InvalidInput: it is one of them.
    """
    for what, path in kept:
        if _is_same(target, path):
            raise InvalidInput(f"{target} is {what}, and would be written over: name another file")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there yet
        return os.path.realpath(one) == os.path.realpath(other)
