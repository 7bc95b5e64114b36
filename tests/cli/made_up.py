"""A small made-up list in files, as a user would have it, and the instant at which its tests decide."""

from pathlib import Path

from attrs import frozen

from tests.cli.running import written

NOW = "2026-02-03T10:00:00Z"

CONFIG = """
[fields]
2025_spend = "number"

[[lists]]
key = "offers"
title = "Offers"
expect = "one deal a week"

[[segments]]
key = "spenders"
of = ["offers"]
where = 'field("2025_spend") > 100'

[[campaigns]]
key = "thanks"
to = ["spenders"]

[[campaigns]]
key = "weekly"
to = ["offers"]

[[campaigns]]
key = "receipt"
kind = "transactional"

[policy]
cadence = "weekly"

[[sources]]
name = "app"
files = "people.csv"
format = "contacts"
list = "offers"
columns = { contact_id = "id", email = "email", status = "status", signed_up_at = "joined" }
fields = { 2025_spend = { column = "spend", type = "number" } }

[[sources]]
name = "app"
files = "events.csv"
format = "events"
columns = { contact_id = "id", at = "at", kind = "kind" }
"""

PEOPLE = """\
id,email,status,joined,spend
1,ada@example.com,subscribed,2025-01-01,250
2,bob@example.com,subscribed,2025-01-01,40
3,cleo@example.com,unsubscribed,2025-01-01,180
4,not an address,subscribed,2025-01-01,500
5,eve@example.com,lost,2025-01-01,500
"""
"""Line 5 has an address that is none, beside an id; line 6 a status that nobody knows."""


@frozen
class MadeUp:
    """Files in a folder of their own."""

    folder: Path
    config: Path
    people: Path
    events: Path

    @property
    def files(self) -> tuple[Path, Path]:
        """The files to read."""
        return self.people, self.events


def made_up(folder: Path) -> MadeUp:
    """Write the files."""
    lines = ["id,at,kind"]
    for month in range(2, 13):
        for contact, opens in (("1", month > 3), ("2", month < 9)):
            lines.append(f"{contact},2025-{month:02d}-10T09:00:00Z,sent")
            if opens:
                lines.append(f"{contact},2025-{month:02d}-10T12:00:00Z,opened")
    return MadeUp(
        folder=folder,
        config=written(folder / "lifecycle.toml", CONFIG),
        people=written(folder / "people.csv", PEOPLE),
        events=written(folder / "events.csv", "\n".join(lines) + "\n"),
    )
