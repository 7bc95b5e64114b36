"""A mapping to complete and use, for a table that is not recognised: made from its own columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

_MAX_KINDS: Final = 12

# Words that names of columns are made of, most telling first.
_GUESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email address", "email", "e mail", "mail address", "recipient"),
    "contact_id": ("contact id", "user id", "client id", "customer id", "member id", "subscriber id", "id"),
    "at": ("occurred at", "timestamp", "event time", "at", "time", "date", "created at", "created"),
    "kind": ("action", "event", "event type", "type", "kind"),
    "campaign": ("campaign id", "campaign"),
    "last_open": ("last open", "last opened", "last open at", "last opened at", "last open date"),
    "last_click": ("last click", "last clicked", "last click at", "last clicked at", "last click date"),
}
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "unsubscribed": ("unsub", "opt out", "optout"),
    "re-engagement": ("reengage", "re engage", "win back", "winback"),
    "last-chance": ("last chance",),
    "complained": ("spam", "complain"),
    "hard-bounced": ("hard", "bounce"),
    "clicked": ("click",),
    "opened": ("open",),
    "delivered": ("deliver",),
    "sent": ("sent", "send"),
}


def snippet(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a TOML table for a file.

    Args:
        path: the file.
        header: its columns.
        rows: some of its rows, from which the values of the kind column are taken.
    """
    said = {name: column for name, words in _GUESSES.items() if (column := _guess(header, words)) is not None}
    snapshot = "last_open" in said or "last_click" in said
    events = not snapshot and "kind" in said and "at" in said
    names = ["contact_id", "email"]
    names += ["last_open", "last_click"] if snapshot else ["at", "kind", "campaign"] if events else []
    lines = ["name a source for it, for example:", "", "[[sources]]", f"files = [{_quoted(path.name)}]"]
    lines.append(f'format = "{"snapshot" if snapshot else "events" if events else "contacts"}"')
    if snapshot:
        lines.append('taken_at = "2026-01-31T00:00:00Z"  # when it was counted')
    lines.append(f"# its columns: {', '.join(_quoted(column) for column in header) or 'none'}")
    lines.append("[sources.columns]")
    lines += [f"{name} = {_quoted(said[name])}" for name in names if name in said]
    if not said.keys() & {"contact_id", "email"}:
        lines.append('contact_id = ""  # or email: whom a row is about')
    if events:
        place = list(header).index(said["kind"])
        values = sorted({row[place].strip() for row in rows})[:_MAX_KINDS]
        lines.append("[sources.kinds]")
        lines += [f"{_quoted(value)} = {_quoted(_meaning(value))}" for value in values if value]
        lines.append("# and what else the column holds")
    lines.append("")
    return "\n    ".join(lines)


def _plain(text: str) -> str:
    return " ".join(re.findall("[a-z0-9]+", text.casefold()))


def _guess(header: Sequence[str], words: Sequence[str]) -> str | None:
    plain = {_plain(column): column for column in reversed(header)}
    return next((plain[word] for word in words if word in plain), None)


def _meaning(value: str) -> str:
    plain = _plain(value)
    return next((kind for kind, words in _VALUES.items() if any(word in plain for word in words)), "ignore")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
