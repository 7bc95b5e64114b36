"""Mails in which every text of the caller's is far too long: nobody writes so, but data may be so."""

from typing import Any, Final

from attrs import evolve, fields

from lifecycle_mail.mails.parts import Item, Way
from lifecycle_mail.mails.specs import Specification
from lifecycle_mail.mails.texts import MAX_LINE
from lifecycle_mail.model.lists import MailingList

WORD: Final = ("Harbour" * MAX_LINE)[:MAX_LINE]
"""A name as long as one may be, without a space."""

LINK_LIKE: Final = ("harbour.example/" + "quiet_anchorages/" * MAX_LINE)[:MAX_LINE]
"""What looks like a link, and is a text: no hyphens at which it could be broken."""

_TEXTS: Final = frozenset({"problem", "ticket", "source", "interest", "place", "what", "code"})


def _longer(value: Any, *, at: int = 0) -> Any:
    match value:
        case str():
            return f"{at}{LINK_LIKE}"[:MAX_LINE]
        case Item():
            return evolve(value, title=_longer(value.title, at=at), summary=WORD)
        case Way():
            return evolve(value, title=_longer(value.title, at=at))
        case MailingList():
            return evolve(value, title=WORD, expect=LINK_LIKE)
        case tuple():
            return tuple(_longer(one, at=place) for place, one in enumerate(value))
    return value


def stretched(spec: Specification) -> Specification:
    """Return a specification with words of 200 characters wherever it takes a text."""
    changes: dict[str, Any] = {}
    for one in fields(type(spec)):
        value = getattr(spec, one.name)
        if one.name == "product":
            changes[one.name] = WORD
        elif one.name in _TEXTS or isinstance(value, MailingList):
            changes[one.name] = _longer(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], str | Item | Way | MailingList):
            # Answers are texts of ours, which are chosen and not written.
            changes[one.name] = value if one.name == "reasons" else _longer(value)
    return evolve(spec, **changes)
