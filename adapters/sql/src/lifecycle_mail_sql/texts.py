"""Texts and checksums as they are stored.

Postgres refuses a NUL in a text, and no database takes half a surrogate pair; sources send both. Such a text is stored
as JSON after a mark, and every other one as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from zlib import crc32

from lifecycle_mail.errors import RegistryDamaged

P = ParamSpec("P")
T = TypeVar("T")

_MARK = "\\json:"
_HARD = re.compile("[\x00\ud800-\udfff]")


def stored(text: str) -> str:
    """Return a text as a database takes it."""
    if text.isprintable() and not text.startswith(_MARK):  # nearly always, and soon told
        return text
    if _HARD.search(text) or text.startswith(_MARK):
        return _MARK + json.dumps(text)
    return text


def plain(text: str) -> str:
    """Return a text as it was before it was stored.

    Raises:
        RegistryDamaged: it is no text: SQLite keeps the type with each value, where damage may hit it (F11).
    """
    if not isinstance(text, str):
        raise RegistryDamaged("a text is not what was written: restore a backup, then sweep")
    return str(json.loads(text[len(_MARK) :])) if text.startswith(_MARK) else text


def twin(text: str) -> str:
    """Return a second form in which a text can be stored: `plain` makes the same of both.

    A name stands in its table once. Where an erasure gives a name the form that another row has, it takes this one.
    """
    return _MARK + json.dumps(text)


def optional(text: str | None) -> str | None:
    """`stored` for a text that may be missing."""
    return None if text is None else stored(text)


def checksum(values: Iterable[object]) -> int:
    """Return the checksum of a row."""
    return crc32(repr(tuple(values)).encode("utf-8", "surrogatepass"))


def verified(values: Iterable[object], crc: int, what: str) -> None:
    """Check a row against its checksum.

    Raises:
        RegistryDamaged: it is not what was written (F11).
    """
    if checksum(values) != crc:
        raise RegistryDamaged(f"{what} is not what was written: restore a backup, then sweep")


def follows(place: Any, before: Any) -> bool:
    """Whether a place in an index comes after another; of a damaged one it may not, or be of another type (F11)."""
    try:
        return bool(place > before)
    except TypeError:
        return False


def reads(what: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let what makes something of a row raise `RegistryDamaged` where nothing can be made of it (F11).

    Not every row has a checksum; one that was damaged may hold what was never written.
    """

    def decorate(make: Callable[P, T]) -> Callable[P, T]:
        @wraps(make)
        def read(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return make(*args, **kwargs)
            except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
                # Without the cause, which may hold what a person's row says.
                raise RegistryDamaged(f"{what} is not what was written: restore a backup, then sweep") from None

        return read

    return decorate
