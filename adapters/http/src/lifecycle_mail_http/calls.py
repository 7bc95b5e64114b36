"""What is being asked of a provider: how errors name it, whether it may be asked twice, and what it promises."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen


class Promise(StrEnum):
    """What the answer to a call that succeeded carries. Less than that is no success (F25)."""

    ANYTHING = "anything"
    """Its body is not looked at: a file, for example."""
    PERHAPS = "perhaps JSON"
    """JSON or nothing; what is not JSON is no success."""
    JSON = "JSON"
    """JSON, which may be `{}` or `[]`."""
    CONTENT = "JSON that is not empty"
    """An object or an array with something in it."""
    OBJECT = "a JSON object that is not empty"
    """An object with something in it."""


@frozen(kw_only=True)
class Operation:
    """What an adapter says about the calls that it makes now. What it leaves out, the method decides.

    Attributes:
        name: what is being asked for, as errors name it: `stage`.
        repeatable: whether a call whose outcome is unknown may be made again without harm: doing it twice is as doing
            it once.
        reads: whether it changes nothing. A call that only reads is repeatable, and its outcome is never unknown.
        within: no try begins later than this after the first one.
        promise: what a success carries.
    """

    name: str = ""
    repeatable: bool | None = None
    reads: bool | None = None
    within: timedelta | None = None
    promise: Promise | None = None


READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
REPEATABLE: Final = READS | {"PUT", "DELETE"}


@frozen(kw_only=True)
class Call:
    """One call, with everything decided.

    Attributes:
        esp: the provider's name.
        operation: what is being asked for, in words or as `GET /lists/{list_id}`; without an address.
        repeatable, reads, within, promise: as an `Operation` has them.
    """

    esp: str
    operation: str
    repeatable: bool
    reads: bool
    within: timedelta | None
    promise: Promise

    @classmethod
    def of(cls, operation: Operation, *, esp: str, method: str, name: str, promise: Promise) -> Call:
        """Fill in what an operation leaves open.

        Args:
            operation: what the adapter says.
            esp: the provider's name.
            method: the HTTP method, which decides what the operation does not.
            name: how the call is named where the operation has no name.
            promise: what a success carries, where the operation does not say.
        """
        reads = method in READS if operation.reads is None else operation.reads
        repeatable = method in REPEATABLE if operation.repeatable is None else operation.repeatable
        return cls(
            esp=esp,
            operation=operation.name or name,
            repeatable=repeatable or reads,
            reads=reads,
            within=operation.within,
            promise=operation.promise or promise,
        )
