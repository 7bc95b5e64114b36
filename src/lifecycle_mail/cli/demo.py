"""`lifecycle-mail demo`: the whole job on made-up lists, in the order in which one would do it."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

from lifecycle_mail.cli.loading import load
from lifecycle_mail.cli.printing import Format, print_rows
from lifecycle_mail.files import Config
from lifecycle_mail.service import NeedsConfirmation, Subscribed

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


def run_demo(keep: Path | None) -> None:
    """Decide, explain, plan, send through the in-memory ESP, take an opt-out, and plan again."""
    if keep is not None:
        _run(keep)
        return
    with tempfile.TemporaryDirectory(prefix="lifecycle-mail-") as folder:
        _run(Path(folder))


def _run(folder: Path) -> None:
    console = Console()

    def step(title: str, command: str = "") -> None:
        console.print()
        console.print(Rule(title, align="left"))
        if command:
            console.print(f"[dim]$ {command}[/]")

    paths = write_files(folder)
    step(
        "1. Made-up lists and events, as an ESP exports them",
        "lifecycle-mail decide *_members.csv spend.csv events.jsonl -c lifecycle.toml",
    )
    loaded = load(paths, Config.read(folder / "lifecycle.toml"), console=Console(stderr=True))
    mail = loaded.mail
    for report in loaded.reading.files.values():
        console.print(f"  {Path(report.file).name}: {report.rows} rows, {report.rejected} rejected")
    for reject in loaded.reading.rejects:
        console.print(f"  rejected: {Path(reject.file).name}:{reject.line}: {reject.reason}", soft_wrap=True)

    step("2. A tier and a next step for every contact, each with its reason")
    decisions = mail.decide(now=NOW)
    rows = [row.as_row() for row in decisions]
    print_rows(
        rows,
        ("email", "tier", "action", "reason"),
        title=f"policy weekly {decisions.policy.version}",
        form=Format.TABLE,
    )

    step("3. Why, and what would flip it", "lifecycle-mail explain eve@example.com ...")
    console.print(mail.why("eve@example.com", now=NOW)[0].explain(), markup=False, soft_wrap=True)

    step("4. Plan a campaign: everybody is accounted for", "lifecycle-mail plan thank-you-offer ...")
    plan = mail.plan("thank-you-offer", now=NOW)
    console.print(str(plan), soft_wrap=True)
    for row in plan:
        console.print(f"  {row.email:<18} {'sendable' if row.sendable else row.decision.outcome}")

    step("5. Send it through the in-memory ESP")
    console.print(str(mail.send(plan, now=NOW)))

    step("6. Ada clicks unsubscribe in that mail; the next campaign goes without her")
    later = NOW + timedelta(hours=1)
    before = mail.plan("weekly-offer", now=later)
    left = mail.opt_out("ada@example.com", campaign="thank-you-offer", through="one-click", now=later)
    console.print(f"ada@example.com left {left.opt_out.scope}; nothing else changed for her")
    console.print(f"before: {before}", soft_wrap=True)
    console.print(f"now:    {mail.plan('weekly-offer', now=later)}", soft_wrap=True)

    step("7. Only she can come back: signing up asks for a confirmation")
    asked = mail.subscribe("ada@example.com", "offers", proof="demo form", now=later)
    if isinstance(asked, NeedsConfirmation):
        console.print("signed up again: needs confirmation, still off the list")
        back = mail.confirm(asked.token, now=later)
        console.print("confirmed: " + ("on the list" if isinstance(back, Subscribed) else "still off"))
