"""A fake ESP that outlives whoever calls it: all that it was told is a file, one line of JSON for each call.

A line is written and synced before the call is answered, and the state is read from the file, which many processes
share. So what has left is known whatever is killed: the file is the world outside.
"""

# ruff: noqa: ARG002 - it takes what its ports are given

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import field, frozen

from lifecycle_mail.errors import EspRefused
from lifecycle_mail.model.addresses import EmailAddress, parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Capabilities, Capability, Content, Handled

NAME = "disk"
MAILS = frozenset({Capability.SINGLE_MAILS, Capability.OPT_OUTS, Capability.OPT_OUT_LIST, Capability.TAGS})
CAMPAIGNS = frozenset({Capability.CAMPAIGNS, Capability.OPT_OUTS, Capability.OPT_OUT_LIST, Capability.TAGS})
WAYS: Mapping[str, frozenset[Capability]] = {"mails": MAILS, "campaigns": CAMPAIGNS}
"""An ESP that sends mails one by one, and one that sends campaigns."""


@frozen
class Mailed:
    """A mail that left.

    Attributes:
        campaign, contact, address: what it is.
        at: the tick of the machine's clock when it left.
    """

    campaign: str
    contact: str
    address: str
    at: int


@frozen
class World:
    """What the file says.

    Attributes:
        mails: every mail that left, in order.
        staged: who is staged for which campaign, with the address.
        released: which campaigns were released.
        told: every no that it was told: (address, scope).
        out: who is out there: (address, scope, instant, number of the line).
    """

    mails: list[Mailed] = field(factory=list)
    staged: dict[str, dict[str, str]] = field(factory=lambda: defaultdict(dict))
    released: set[str] = field(factory=set)
    told: list[tuple[str, str]] = field(factory=list)
    out: list[tuple[str, str, str, int]] = field(factory=list)

    def take(self, number: int, line: Mapping[str, Any]) -> None:
        """Let one line happen."""
        call = line["call"]
        if call == "send":
            self.mails.append(Mailed(line["campaign"], line["contact"], line["address"], line["tick"]))
        elif call == "stage":
            self.staged[line["campaign"]].update(line["whom"])
        elif call == "unstage":
            for one in line["whom"]:
                self.staged[line["campaign"]].pop(one, None)
        elif call == "release":
            self.released.add(line["campaign"])
            whom = self.staged[line["campaign"]].items()
            self.mails.extend(Mailed(line["campaign"], one, address, line["tick"]) for one, address in whom)
        elif call in ("suppress", "leave"):
            if call == "suppress":
                self.told.append((line["address"], line["scope"]))
            self.out.append((line["address"], line["scope"], line["at"], number))


class DiskEsp:
    """An ESP in a file.

    Args:
        path: the file; made where it is missing.
        way: `mails` or `campaigns`.
        tick: called before and after each line, for what is to happen there.
    """

    def __init__(self, path: Path, way: str, *, tick: Callable[[], None] = lambda: None) -> None:
        self.capabilities = Capabilities.of(WAYS[way])
        self._tick = tick
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._read = 0
        self._lines = 0
        self._world = World()

    @property
    def name(self) -> str:
        """The source of its reports."""
        return NAME

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def world(self) -> World:
        """Return what the file says."""
        with self._alone() as world:
            return world

    # -- the ports

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        """Hand one mail over."""
        with self._alone():
            self._write(
                call="send", campaign=recipient.campaign, contact=recipient.contact_id, address=str(recipient.address)
            )

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        """Tell whether a mail left after all."""
        with self._alone() as world:
            return any(mail.campaign == campaign and mail.contact == contact_id for mail in world.mails)

    def stage(
        self,
        campaign: CampaignKey,
        recipients: Sequence[Screened],
        *,
        content: Content | None,
    ) -> Handled:
        """Add recipients to a campaign that is not released."""
        with self._alone() as world:
            self._require_open(world, campaign, "stage")
            whom = {one.contact_id: str(one.address) for one in recipients}
            self._write(call="stage", campaign=campaign, whom=whom)
            return Handled(accepted=whom.keys())

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        """Take recipients out again."""
        with self._alone() as world:
            self._require_open(world, campaign, "unstage")
            self._write(call="unstage", campaign=campaign, whom=sorted(contact_ids))

    def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
        """Read back who is staged."""
        with self._alone() as world:
            return {ContactId(one) for one in world.staged[campaign]}

    def release(self, campaign: CampaignKey) -> None:
        """Send the campaign to all who are staged."""
        with self._alone() as world:
            self._require_open(world, campaign, "release")
            self._write(call="release", campaign=campaign)

    def released(self, campaign: CampaignKey) -> bool:
        """Tell whether a campaign was released."""
        with self._alone() as world:
            return campaign in world.released

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        """Take an opt-out; who asks for the list of those who are out hears of it again."""
        assert contact.address is not None
        self._put_out("suppress", contact.address, opt_out.scope, at)

    def tag(self, contacts: Sequence[Contact], tag: str, *, present: bool) -> None:
        """Put a tag on contacts or take it off."""
        with self._alone():
            self._write(call="tag", whom=[one.id for one in contacts], tag=tag, present=present)

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        """Say who is out, whatever our clock says: it has one of its own (F64)."""
        with self._alone() as world:
            return [
                _left(address, scope, at, number)
                for address, scope, at, number in world.out
                if since is None or since <= datetime.fromisoformat(at)
            ]

    # -- what happens out there

    def leave(self, address: str, scope: Scope, *, at: datetime) -> None:
        """Act as a person who uses the ESP's own unsubscribe link."""
        self._put_out("leave", parse_address(address), scope, at)

    def _put_out(self, call: str, address: EmailAddress, scope: Scope, at: datetime) -> None:
        with self._alone():
            self._write(call=call, address=str(address), scope=str(scope), at=at.isoformat())

    # -- the file

    @contextmanager
    def _alone(self) -> Iterator[World]:
        """Give what the file says by now, while nobody else writes to it."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self._catch_up()
            yield self._world
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _catch_up(self) -> None:
        more = os.fstat(self._file).st_size - self._read
        for line in os.pread(self._file, more, self._read).splitlines():
            self._lines += 1
            self._world.take(self._lines, json.loads(line))
        self._read += more

    def _write(self, **line: Any) -> None:
        self._tick()
        os.write(self._file, json.dumps({**line, "tick": time.monotonic_ns()}).encode() + b"\n")
        os.fsync(self._file)
        self._tick()
        self._catch_up()

    def _require_open(self, world: World, campaign: CampaignKey, operation: str) -> None:
        if campaign in world.released:
            raise EspRefused(esp=NAME, operation=operation, status=400, body="campaign was sent")


def _left(address: str, scope: str, at: str, number: int) -> Left:
    provenance = Provenance(
        actor=Actor.ESP, through=Through.WEBHOOK, at=datetime.fromisoformat(at), source=NAME
    )  # fmt: skip
    return Left(
        who=Who(None, parse_address(address)), scope=Scope.parse(scope), provenance=provenance,
        event_id=f"{NAME}-{number}",
    )  # fmt: skip
