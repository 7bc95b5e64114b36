"""News of Mailchimp: what became of the campaigns that we released, and who left since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.model.intake import Happened, Statement, Who
from lifecycle_mail.model.names import entry_id
from lifecycle_mail_mailchimp.account import NAME, Account, address_of
from lifecycle_mail_mailchimp.opt_outs import OptOuts

WATCHED: Final = timedelta(days=30)
"""How long after its release a campaign's activity is asked for."""
PAGE: Final = 500
"""How many rows of activity are asked for at once; a thousand timed out."""
AGAIN: Final = timedelta(hours=1)
"""How much is read once more: clocks differ, and Mailchimp's reports lag."""

_KINDS: Final[Mapping[str, EventKind]] = {
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
}


class Reports:
    """The port `Reports`."""

    def __init__(self, account: Account, opt_outs: OptOuts) -> None:
        self._account = account
        self._opt_outs = opt_outs
        self._asked: datetime | None = None

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        """Return the activity of the campaigns of the last 30 days, and who is out, since what was acknowledged."""
        kept = self._account.bound("reported").get("all")
        since = datetime.fromisoformat(kept) - AGAIN if kept else None
        self._asked = now
        return [*self._opt_outs.opt_outs(since=since, now=now), *self._activity(since, now)]

    def acknowledge(self, statements: Sequence[Statement]) -> None:  # noqa: ARG002 - all of what was asked for last
        """Keep until when everything is stored."""
        if self._asked is not None:
            self._account.bind("reported", "all", self._asked.isoformat())

    def _activity(self, since: datetime | None, now: datetime) -> Iterator[Statement]:
        releases = self._account.bound("releasing")
        for ours, theirs in self._account.bound("campaign").items():
            at = releases.get(ours)
            if not at or datetime.fromisoformat(at) < now - WATCHED:
                continue
            query = {} if since is None else {"since": since.isoformat()}
            for row in self._rows(self._account.client.reports.get_email_activity_for_campaign, theirs, query):
                yield from _happened(row, ours)

    def _rows(
        self, call: Callable[..., Mapping[str, Any]], theirs: str, query: Mapping[str, str]
    ) -> Iterator[Mapping[str, Any]]:
        offset = 0
        while True:
            with self._account.client.transport.operation("reports"):
                page = call(theirs, count=PAGE, offset=offset, **query)
            yield from page["emails"]
            offset += PAGE
            if offset >= int(page.get("total_items", 0)):
                return


def _happened(row: Mapping[str, Any], campaign: str) -> Iterable[Statement]:
    address = address_of(row)
    if address is None:
        return
    for one in row.get("activity") or ():
        action, text = str(one.get("action")), str(one.get("timestamp") or "")
        kind = _KINDS.get(action)
        if action == "bounce":
            kind = EventKind.HARD_BOUNCED if one.get("type") == "hard" else EventKind.SOFT_BOUNCED
        if kind is None or not text:
            continue
        link = str(one.get("url") or "")
        event_id = entry_id("mailchimp activity", campaign, str(row.get("email_id")), action, text, link)
        yield Happened(
            who=Who(None, address), kind=kind, at=parse_instant(text), mail=f"{campaign}:{row.get('email_id')}",
            campaign=campaign, link=link, source=NAME, event_id=event_id,
        )  # fmt: skip
