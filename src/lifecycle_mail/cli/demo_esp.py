"""The ESP of the demo: it sends nothing, and keeps in a file what was staged and what left.

Each line is on the disk before the call returns, and the file is read again at the start: so a demo that was killed
goes on where it stopped, as with an ESP that lives elsewhere. A release is one line with all its mails: cut off within
it, nothing has left.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lifecycle_mail.errors import EspRefused, Misconfigured, Unscreened
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Capabilities, Capability, Content, Handled

try:
    import fcntl
except ModuleNotFoundError:  # not on Windows: two demos on one file at once are not told apart there
    fcntl = None  # type: ignore[assignment]


class FileEsp:
    """Takes campaigns, and writes down what would have left.

    Args:
        path: the file; it is made where it is missing.

    Raises:
        Misconfigured: another demo uses it, or it holds what no demo wrote.
    """

    name = "demo"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._staged: dict[CampaignKey, dict[ContactId, str]] = {}
        self._left: dict[CampaignKey, list[dict[str, str]]] = {}
        self._file = path.open("a+b")
        try:
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given back when the process ends, however it does
        except OSError:
            raise Misconfigured(f"{self._path}: another demo uses it: wait until it has ended") from None

    def _read(self) -> None:
        self._file.seek(0)
        whole, _, _ = self._file.read().rpartition(b"\n")
        for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
            try:
                self._apply(json.loads(line))
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                raise Misconfigured(
                    f"{self._path}:{number}: no demo wrote this: delete it and its database, or give a new --db"
                ) from None
        self._file.truncate(len(whole) + 1 if whole else 0)  # a line that was cut off was never answered

    def _write(self, did: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(did, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._apply(did)

    def _apply(self, did: Mapping[str, Any]) -> None:
        staged = self._staged.setdefault(did["campaign"], {})
        match did["did"]:
            case "stage":
                staged.update(did["to"])
            case "unstage":
                for contact_id in did["contact_ids"]:
                    staged.pop(contact_id, None)
            case "release":
                mails = [{"to": one["to"], "contact_id": one["contact_id"]} for one in did["mails"]]
                self._left[did["campaign"]] = mails

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities.of({Capability.CAMPAIGNS}, otherwise="it is made for the demo")

    @property
    def mails(self) -> Sequence[Mapping[str, str]]:
        """Every mail that left, in order."""
        return [mail for mails in self._left.values() for mail in mails]

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:  # noqa: ARG002 - a mail of the demo says nothing
        """Add recipients to a campaign that is not released."""
        if campaign in self._left:
            raise EspRefused(esp=self.name, operation="stage", status=400, body="campaign was sent")
        for one in recipients:
            if not isinstance(one, Screened) or one.campaign != campaign:
                raise Unscreened("a campaign takes only whom the screen made for it: plan it, and send the plan")
        to = {one.contact_id: str(one.address) for one in recipients}
        self._write({"did": "stage", "campaign": campaign, "to": to})
        return Handled(accepted=to.keys())

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again."""
        self._write({"did": "unstage", "campaign": campaign, "contact_ids": sorted(contact_ids)})

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is staged."""
        return set(self._staged.get(campaign, ()))

    def release(self, campaign: CampaignKey) -> None:
        """Send the campaign to all who are staged."""
        if campaign in self._left:
            raise EspRefused(esp=self.name, operation="release", status=400, body="campaign was sent")
        mails = [{"to": to, "contact_id": one} for one, to in self._staged.get(campaign, {}).items()]
        self._write({"did": "release", "campaign": campaign, "mails": mails})

    def released(self, campaign: CampaignKey) -> bool:
        """Tell whether a campaign was released."""
        return campaign in self._left
