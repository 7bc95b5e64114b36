"""The files of the demo: made-up lists and events, as an ESP exports them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)

_CONFIG = """\
# Everything in this folder is made up.

[fields]
2025_spend = "number"

[[lists]]
key = "offers"
title = "Offers"
expect = "one deal a week"
frequency = "weekly"

[[segments]]
key = "spent-over-100-in-2025"
of = ["offers"]
where = 'field("2025_spend") > 100'

[[campaigns]]
key = "thank-you-offer"
to = ["spent-over-100-in-2025"]

[[campaigns]]
key = "weekly-offer"
to = ["offers"]

[policy]
cadence = "weekly"

[[sources]]
files = ["*_members.csv"]
format = "mailchimp"
list = "offers"

[[sources]]
files = ["spend.csv"]
format = "contacts"
columns = { email = "email" }
fields = { 2025_spend = { column = "spend", type = "number" } }

[[sources]]
files = ["events.jsonl"]
format = "events"
columns = { email = "email", at = "at", kind = "what", mail = "mail" }
"""

# Who, how many weeks ago they signed up, which of the weekly mails they opened (counted in weeks back), spend in 2025.
_PEOPLE: tuple[tuple[str, int, frozenset[int], float | None], ...] = (
    ("ada@example.com", 40, frozenset(range(1, 30)), 250.0),
    ("bob@example.com", 40, frozenset({1, 4, 9, 12}), 40.0),
    ("cleo@example.com", 40, frozenset({5, 6, 7, 8, 9, 10}), 180.0),
    ("dan@example.com", 2, frozenset({1}), None),
    ("eve@example.com", 40, frozenset({14, 15, 20}), 320.0),
    ("fay@example.com", 40, frozenset({29, 30}), 15.0),
    ("gus@example.com", 40, frozenset({1, 2, 3}), 500.0),
    ("hal@example.com", 40, frozenset({1, 2}), 99.0),
    ("ida@example.com", 6, frozenset(), 100.0),
    ("jon@example.com", 40, frozenset(), 0.0),
)
_UNSUBSCRIBED = "gus@example.com"
_CLEANED = "hal@example.com"
_ASKED = "jon@example.com"
"""Got three re-engagement mails and a last chance, and answered none."""


def _members(state: str) -> str:
    columns = ["Email Address", "Name", "MEMBER_RATING", "OPTIN_TIME", "OPTIN_IP", "LAST_CHANGED"]
    columns += {"unsubscribed": ["UNSUB_TIME", "UNSUB_REASON"], "cleaned": ["CLEAN_TIME"]}.get(state, [])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*columns, "TAGS"])
    for email, weeks, _, _ in _PEOPLE:
        if {_UNSUBSCRIBED: "unsubscribed", _CLEANED: "cleaned"}.get(email, "subscribed") != state:
            continue
        joined = f"{NOW - timedelta(weeks=weeks):%Y-%m-%d %H:%M:%S}"
        left = f"{NOW - timedelta(days=9):%Y-%m-%d %H:%M:%S}"
        more = {"unsubscribed": [left, "NORMAL_UNSUBSCRIBE"], "cleaned": [left]}.get(state, [])
        name = email.partition("@")[0].title()
        writer.writerow([email, name, 3, joined, "192.0.2.7", joined, *more, '"Made up"'])
    if state == "subscribed":
        writer.writerow(["not-an-address", "Nobody", "", "", "", "", ""])
    return out.getvalue()


def _events() -> Iterator[str]:
    def event(email: str, what: str, at: datetime, mail: str) -> str:
        return json.dumps({"email": email, "what": what, "at": at.isoformat(), "mail": mail})

    for email, weeks, opened, _ in _PEOPLE:
        for back in range(min(weeks, 30), 0, -1):
            sent = NOW - timedelta(weeks=back)
            mail = f"weekly-{sent:%Y-%m-%d}"
            yield event(email, "sent", sent, f"{mail}-{email}")
            if back in opened:
                yield event(email, "opened", sent + timedelta(hours=3), f"{mail}-{email}")
    for days, what in ((40, "re-engagement"), (35, "re-engagement"), (30, "re-engagement"), (10, "last-chance")):
        yield event(_ASKED, what, NOW - timedelta(days=days), f"{what}-{days}")


def write_files(folder: Path) -> list[Path]:
    """Write the demo's made-up lists, events and configuration, and return the files to read."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{state}_members.csv": _members(state) for state in ("subscribed", "unsubscribed", "cleaned")}
    texts["spend.csv"] = "email,spend\n" + "".join(f"{p[0]},{p[3]}\n" for p in _PEOPLE if p[3] is not None)
    texts["events.jsonl"] = "".join(f"{line}\n" for line in _events())
    for name, text in {**texts, "lifecycle.toml": _CONFIG}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
