"""Names: keys of ours are slugs, ids of contacts are the application's, entry ids are hashes."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Any, NewType, TypeVar

from lifecycle_mail.errors import InvalidInput

E = TypeVar("E", bound=StrEnum)

ContactId = NewType("ContactId", str)
"""The application's opaque id of a contact."""
ListKey = NewType("ListKey", str)
SegmentKey = NewType("SegmentKey", str)
CampaignKey = NewType("CampaignKey", str)
EntryId = NewType("EntryId", str)
"""The hash that makes a log entry or an event the same one however often it arrives."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def require_slug(_instance: object, attribute: Any, value: Any) -> None:
    """Check that a key is a slug, as an attrs validator."""
    check_slug(attribute.name, value)


def check_slug(what: str, value: Any) -> None:
    """Check that a key is a slug, because it ends up in URLs, file names and ESP tags.

    Raises:
        InvalidInput: it is not; the message says what a slug is.
    """
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise InvalidInput(
            f"{what} {str(value)[:70]!r}: a key is 1 to 64 characters of a-z, 0-9, '-' and '_', "
            f"starting with a letter or digit"
        )


def one_of(kind: type[E], value: Any, what: str = "") -> E:
    """Return the member of an enumeration that a word names.

    Args:
        kind: the enumeration.
        value: the word; whoever gives something else is told so as well.
        what: the argument it was given as, for the message.

    Raises:
        InvalidInput: it names none; the message lists them.
    """
    try:
        return kind(value)
    except ValueError:
        shown = repr(value[:70]) if isinstance(value, str) else repr(value)[:70]
        raise InvalidInput(f"{what}{'=' if what else ''}{shown}: one of {', '.join(map(str, kind))}") from None


def entry_id(*parts: object) -> EntryId:
    """Hash the parts that make a thing the same thing; None and the empty text stay apart."""
    # Each part with its length before it: no text, whatever it holds, can pass for two parts or for None.
    packed = "".join(["-" if part is None else f"{len(text := str(part))}:{text}" for part in parts])
    return EntryId(hashlib.blake2b(packed.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest())
