"""What people were told is done: the part of the simulation that knows nothing of how the library does it.

Times are the simulation's ticks. A call takes from one tick to another, and what happens meanwhile may have come
before or after it; the ledger accuses nobody where both are possible. A call that died may have been done or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from attrs import define, field, frozen


class Broken(AssertionError):
    """A law of the simulation does not hold."""


def covers(scope: str, to: str) -> bool:
    """Whether a no of this scope holds mails of a list back; every list here is one of e-mail."""
    return scope in ("all", "channel:email", f"list:{to}")


@define
class Said:
    """A no, or what may be one.

    Attributes:
        scope: how far it reaches.
        begun: when it was said, at the earliest.
        ended: when it was in the registry or else never will be; None while it may come yet.
        sure: whether we said that it is done.
        hidden: whether nobody was named but by a keyed hash, so that there was no address to tell the ESP of.
    """

    scope: str
    begun: int
    ended: int | None = None
    sure: bool = False
    hidden: bool = False


@frozen
class Back:
    """Somebody came back to a list, or perhaps did.

    Attributes:
        to: the list.
        began, asked: when they began to ask, and when they had asked: noes from before may be overridden.
        sure: whether we said that it is done, and that they are in.
    """

    to: str
    began: int
    asked: int
    sure: bool


@define
class Human:
    """Somebody, as they know themselves.

    Attributes:
        name: the id that the application gives them.
        address: their address now.
        addresses: every one that they ever had.
        noes, backs: what they said.
        tokens: links that they have not followed: (token, list, when they began to ask, when they had asked).
        erased, moved, away: what makes what is known of them less sure: erased, given an address by somebody else,
            or archived.
        dead, angry: whether the registry knows that the mailbox is dead, or that they complained.
        got: the marketing campaigns that have left for them.
        mails: how many mails have left for them, receipts too.
    """

    name: str
    address: str
    addresses: set[str] = field(factory=set)
    noes: list[Said] = field(factory=list)
    backs: list[Back] = field(factory=list)
    tokens: list[tuple[str, str, int, int]] = field(factory=list)
    known: bool = False
    erased: bool = False
    moved: bool = False
    away: bool = False
    dead: bool = False
    angry: bool = False
    got: list[str] = field(factory=list)
    mails: int = 0


class Ledger:
    """Everybody's word, and every mail that left."""

    def __init__(self, humans: Iterable[Human]) -> None:
        self.humans = {human.name: human for human in humans}
        self.at: dict[str, list[Said]] = defaultdict(list)  # noes of whoever has an address
        self.claimed: dict[tuple[str, str], int] = {}
        self.looked: dict[str, int] = {}  # when a worker last began to read the log
        self.inboxes: set[tuple[str, str]] = set()
        self.mailed: dict[tuple[str, str], int] = {}
        self.erased: set[str] = set()

    def of(self, who: str) -> Human | None:
        """Return somebody, unless the registry made them up itself."""
        return self.humans.get(who)

    def noes(self, human: Human, to: str) -> list[Said]:
        """Return every no that may bind somebody on a list."""
        said = [*human.noes, *(no for address in human.addresses for no in self.at.get(address, ()))]
        return [no for no in said if covers(no.scope, to)]

    def is_out(self, human: Human, to: str, *, by: int | None = None) -> bool:
        """Whether somebody is off a list for sure: they were told so, and have not asked since to come back."""
        asked = max((back.asked for back in human.backs if back.to == to), default=-1)
        return any(
            no.sure and no.begun > asked and (by is None or (no.ended is not None and no.ended < by))
            for no in self.noes(human, to)
        )

    def is_in(self, human: Human, to: str) -> bool:
        """Whether somebody is on a list for sure: they were told so, and nothing may have been said since."""
        if human.moved or human.away or human.erased or human.address in self.erased:
            return False
        back = next((one for one in reversed(human.backs) if one.to == to), None)
        if back is None or not back.sure:
            return False
        return all(no.ended is not None and no.ended < back.began for no in self.noes(human, to))

    # -- mails

    def claims(self, campaign: str, who: str, leaves: str | None, tick: int) -> None:
        """A claim was committed: from then on a no comes too late, and none may stand.

        Raises:
            Broken: they are out, or erased, or their mailbox is dead, or they complained.
        """
        self.claimed[campaign, who] = tick
        human = self.of(who)
        if human is None:
            return
        if leaves is not None and self.is_out(human, leaves):
            raise Broken(f"{who} was claimed for {campaign}, and is off {leaves}: {self.noes(human, leaves)}")
        if human.erased or human.dead or (human.angry and leaves is not None):
            raise Broken(f"{human} was claimed for {campaign}")

    def leaves(self, campaign: str, who: str, address: str, leaves: str | None, tick: int) -> None:
        """A mail left.

        Raises:
            Broken: it was not claimed, or is the second one.
        """
        if (campaign, who) not in self.claimed:
            raise Broken(f"a mail of {campaign} left for {who} that nobody had claimed")
        if (campaign, who) in self.mailed or (leaves is not None and (campaign, address) in self.inboxes):
            raise Broken(f"a second mail of {campaign} left for {who}")
        self.mailed[campaign, who] = tick
        self.inboxes.add((campaign, address))
        human = self.of(who)
        if human is not None:
            human.mails += 1
            if leaves is not None:
                human.got.append(campaign)

    def released(self, who: str, leaves: str, worker: str) -> None:
        """A mail left with a campaign that the ESP sends itself.

        Raises:
            Broken: they were off the list when the log was read for the last time.
        """
        human = self.of(who)
        if human is not None and self.is_out(human, leaves, by=self.looked[worker]):
            raise Broken(f"a mail left for {human}, who was off {leaves} before the log was read")

    def standings(self, who: str, standings: Mapping[str, str]) -> None:
        """Hold how the registry says that somebody stands to what they were told.

        Raises:
            Broken: a no was lost, or a yes.
        """
        human = self.of(who)
        if human is None:
            return
        for to, standing in standings.items():
            if standing == "active" and self.is_out(human, to):
                raise Broken(f"{who} said no to {to}, was told so, and is on it: {self.noes(human, to)}")
            if standing != "active" and self.is_in(human, to):
                raise Broken(f"{who} joined {to}, was told so, and is {standing}: {human.backs}")
