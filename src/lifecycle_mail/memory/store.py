"""The in-memory store: its parts put together."""

from __future__ import annotations

from lifecycle_mail.memory.erasure import Erasing
from lifecycle_mail.memory.marks import Marking


class MemoryStore(Marking, Erasing):
    """Every store port in dictionaries, safe to share between threads.

    Args:
        url: what it was asked for by; it has no other use.
        peppers: secrets by id, the newest last, for the keyed hashes that erasures leave (O5).
    """
