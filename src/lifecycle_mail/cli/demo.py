"""`lifecycle-mail demo`: the whole job on made-up lists, in the order in which one would do it.

Every step may be done again on the same database. So a demo that was killed is started again and goes on, and who got
the campaign does not get it twice.
"""

from __future__ import annotations

import secrets
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.rule import Rule

from lifecycle_mail.cli.demo_esp import FileEsp
from lifecycle_mail.cli.demo_files import NOW, write_files
from lifecycle_mail.cli.loading import id_of, load
from lifecycle_mail.cli.options import errors, guard, say
from lifecycle_mail.cli.printing import Format, print_rows
from lifecycle_mail.cli.registry import url_of
from lifecycle_mail.errors import CampaignRefused, InvalidInput
from lifecycle_mail.files import Config
from lifecycle_mail.plugins import STORES, load_store, names
from lifecycle_mail.policy.eligibility import Withheld
from lifecycle_mail.policy.planning import Plan
from lifecycle_mail.ports import Maintained
from lifecycle_mail.service import Lifecycle, NeedsConfirmation, Subscribed
from lifecycle_mail.service.leasing import LEASE

LATER = NOW + timedelta(hours=2)
ADA = "ada@example.com"
_CLICK = "the click of the demo"
"""The ESP's id of the click by which Ada leaves: told twice, it is one."""


@click.command()
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep the demo's files in this folder.")
@click.option("--db", "path", metavar="PATH", type=click.Path(dir_okay=False, path_type=Path),
              help="Keep the database in this file of SQLite, and the mails in PATH.mails.jsonl.")  # fmt: skip
@guard
def demo(keep: Path | None, path: Path | None) -> None:
    """Show the whole job on small made-up lists: decide, explain, plan, send, opt out, plan again.

    \b
    lifecycle-mail demo --db demo.db

    The registry is a database of SQLite, in a temporary folder where --db does not say. Killed anywhere and started
    again on the same file, the demo goes on, and mails nobody twice.
    """
    if path is not None and not path.name:
        raise click.UsageError("--db: name a file, such as demo.db")
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lifecycle-mail-")))
        place = path or temporary / "mail.db"
        mails = place.with_name(f"{place.name}.mails.jsonl")
        if place.exists() and not mails.exists():
            raise InvalidInput(f"{place}: the demo did not make it, and writes made-up people: give a new --db")
        if _is_empty(place) and not _is_empty(mails):
            raise InvalidInput(f"{mails}: mails of a demo whose database is gone: delete it too, or give a new --db")
        _Story(keep or temporary / "files", mails, _url(path, place)).tell(stack)
        if path is not None:
            say(f"the registry stays in {place}, and the mails in {mails}")
            say(f"look at it with: lifecycle-mail optouts list --db {place}")


def _is_empty(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0


def _url(path: Path | None, place: Path) -> str:
    if path is None and "sqlite" not in names(STORES):
        say("the registry is kept in memory: pip install lifecycle-mail-sql for a database")
        return "memory:"
    return url_of(str(place))


class _Story:
    """What the demo shows, step by step.

    Args:
        folder: where the made-up files go.
        mails: the file of the ESP.
        url: of the registry.
    """

    def __init__(self, folder: Path, mails: Path, url: str) -> None:
        self.folder = folder
        self.mails = mails
        self.url = url
        self.console = Console()

    def step(self, title: str, command: str = "") -> None:
        self.console.print()
        self.console.print(Rule(title, align="left"))
        if command:
            self.console.print(f"[dim]$ {command}[/]")

    def tell(self, stack: ExitStack) -> None:
        """Tell it from the beginning; what was done before is found done."""
        self.step(
            "1. Made-up lists and events, as an ESP exports them",
            "lifecycle-mail decide *_members.csv spend.csv events.jsonl -c lifecycle.toml",
        )
        esp = stack.enter_context(FileEsp(self.mails))
        mail = stack.enter_context(self.load(esp))
        self.decide(mail)
        plan = self.plan(mail)
        self.send(mail, plan)
        self.leave(mail)
        self.come_back(mail)
        self.sum_up(mail, esp)

    def load(self, esp: FileEsp) -> Lifecycle:
        paths = write_files(self.folder)
        config = Config.read(self.folder / "lifecycle.toml")
        mail = Lifecycle(
            esp, load_store(self.url), programme=config.programme, new_id=id_of, signing_keys=[secrets.token_bytes(32)]
        )
        try:
            loaded = load(paths, config, console=errors, mail=mail, now=NOW)
            mail.store.put_lists(list(config.programme.lists.values()))
        except BaseException:
            mail.close()
            raise
        for report in loaded.reading.files.values():
            self.console.print(f"  {Path(report.file).name}: {report.rows} rows, {report.rejected} rejected")
        for reject in loaded.reading.rejects:
            self.console.print(f"  rejected: {Path(reject.file).name}:{reject.line}: {reject.reason}", soft_wrap=True)
        return mail

    def decide(self, mail: Lifecycle) -> None:
        self.step("2. A tier and a next step for every contact, each with its reason")
        decisions = mail.decide(now=NOW)
        print_rows(
            [row.as_row() for row in decisions],
            ("email", "tier", "action", "reason"),
            title=f"policy weekly {decisions.policy.version}",
            form=Format.TABLE,
        )
        self.step("3. Why, and what would flip it", "lifecycle-mail explain eve@example.com ...")
        self.console.print(mail.why("eve@example.com", now=NOW)[0].explain(), markup=False, soft_wrap=True)

    def plan(self, mail: Lifecycle) -> Plan:
        self.step("4. Plan a campaign: everybody is accounted for", "lifecycle-mail plan thank-you-offer ...")
        plan = mail.plan("thank-you-offer", now=NOW)
        self.console.print(str(plan), soft_wrap=True)
        for row in plan:
            self.console.print(f"  {row.email:<18} {'sendable' if row.sendable else row.decision.outcome}")
        return plan

    def send(self, mail: Lifecycle, plan: Plan) -> None:
        self.step("5. Send it through the demo's ESP, which only writes down what would leave")
        already = [row.email for row in plan if row.decision.outcome == Withheld.ALREADY_SENT]
        if already:
            self.console.print(f"already sent to {', '.join(sorted(already))}: nobody gets it twice", soft_wrap=True)
        if plan.sendable:
            self.console.print(str(self._send(mail, plan)))

    @staticmethod
    def _send(mail: Lifecycle, plan: Plan) -> object:
        """Send a plan. What a demo that was killed holds is free once its lease has run out: time flies in a demo."""
        now = NOW
        while True:
            try:
                return mail.send(plan, now=now)
            except CampaignRefused:
                now += LEASE
                if now >= LATER:
                    raise

    def leave(self, mail: Lifecycle) -> None:
        self.step("6. Ada clicks unsubscribe in that mail; the next campaign goes without her")
        before = mail.plan("weekly-offer", now=LATER)
        left = mail.opt_out(ADA, campaign="thank-you-offer", through="one-click", event_id=_CLICK, now=LATER)
        said = "left" if left.is_new else "had already left"
        self.console.print(f"{ADA} {said} {left.opt_out.scope}; nothing else changed for her")
        self.console.print(f"before: {before}", soft_wrap=True)
        self.console.print(f"now:    {mail.plan('weekly-offer', now=LATER)}", soft_wrap=True)

    def come_back(self, mail: Lifecycle) -> None:
        self.step("7. Only she can come back: signing up asks for a confirmation")
        if mail.standing(ADA, "offers", now=LATER) == "active":
            self.console.print("confirmed before: on the list")
            return
        asked = mail.subscribe(ADA, "offers", proof="demo form", now=LATER)
        if isinstance(asked, NeedsConfirmation):
            self.console.print("signed up again: needs confirmation, still off the list")
            back = mail.confirm(asked.token, now=LATER)
            self.console.print("confirmed: " + ("on the list" if isinstance(back, Subscribed) else "still off"))

    def sum_up(self, mail: Lifecycle, esp: FileEsp) -> None:
        self.step("8. What there is now")
        for one in sorted(esp.mails, key=lambda one: one["to"]):
            self.console.print(f"  a mail left for {one['to']}")
        self.console.print(f"  {mail.store.count()} contacts, {mail.opt_out_causes().total} opt-outs")
        if isinstance(mail.store, Maintained):
            problems = mail.store.check().problems
            self.console.print(f"  the registry was verified: {len(problems)} problems")
