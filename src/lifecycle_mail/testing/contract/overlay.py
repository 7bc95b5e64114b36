"""What the specification of a vendor gets wrong or leaves out, written down as data.

A place is where something stands in an operation::

    body.members[].status        a key of each member in the body of the request
    query.count                  a parameter of the query
    answer 200.members[].tags    a key of each member in the body of that answer
    body                         the whole body
    bytes                        how long the body is
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from lifecycle_mail.testing.contract.exchanges import Answer


@frozen(kw_only=True)
class Correction:
    """A place where the specification is wrong.

    Attributes:
        operation: such as `PUT /lists/{list_id}/members/{subscriber_hash}`, or a pattern with `*`.
        place: where in it (see above); `operation` is the operation itself.
        merge: what to change in the schema there, as a JSON merge patch: a None takes the key away.
        take: another place of the same operation whose schema stands here instead, before `merge`.
        new: whether the specification lacks it: `merge` is then all that is known of it.
        reason: what is wrong, and how one knows.
    """

    operation: str
    place: str
    merge: Mapping[str, Any] = field(factory=dict)
    take: str = ""
    new: bool = False
    reason: str


@frozen(kw_only=True)
class Limit:
    """How much a vendor takes, where the specification does not say.

    Attributes:
        operation: such as `POST /lists/{list_id}`, or a pattern with `*`.
        place: where in it (see above): an array has at most so many items, a text so many characters, a number is at
            most so large.
        most: how many.
        reason: how one knows.
    """

    operation: str
    place: str
    most: int
    reason: str


@frozen(eq=False, kw_only=True)
class Overlay:
    """Everything that is held against requests and answers beside the specification. Unknown keys are always held.

    Attributes:
        corrections: where the specification is wrong.
        limits: what it leaves out.
        beyond: operations that the vendor has and the specification does not know, such as
            `GET /downloads/{name}`: they are answered, and nothing is held against them.
        may_be_empty: formats of text, such as `date-time`, whose values may also be `""`.
        connections: how many requests it takes at once; None is as many as come.
        too_many: what it answers to more than that.
    """

    corrections: tuple[Correction, ...] = ()
    limits: tuple[Limit, ...] = ()
    beyond: tuple[str, ...] = ()
    may_be_empty: frozenset[str] = frozenset()
    connections: int | None = None
    too_many: Answer = field(factory=lambda: Answer(status=429, json={"title": "Too Many Requests", "status": 429}))
