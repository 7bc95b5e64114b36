"""What the state machine drives: a registry on disk, the model beside it, an ESP, and clocks that may jump."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from lifecycle_mail_sql import SqlStore

from adapters.sql.tests.model.consent_model import Hold, Mail, No, Push, Registry
from adapters.sql.tests.model.providers import Provider
from adapters.sql.tests.model.teeing import Tee, copied
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.entries import OptOut, Subject
from lifecycle_mail.model.intake import Held, Left
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.ports import Capability
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.past import AsOf
from lifecycle_mail.testing.builders import lifecycle
from lifecycle_mail.testing.stores.making import PEPPERS

OFFERS = MailingList("offers", title="Offers", expect="one deal a week")
NEWS = MailingList("news", title="News", expect="what is new, once a month", double_opt_in=True)
LISTS = (OFFERS, NEWS)
CAMPAIGNS = {
    "spring": Campaign("spring", to=[OFFERS]),
    "digest": Campaign("digest", to=[NEWS, OFFERS]),
    "autumn": Campaign("autumn", to=[OFFERS]),
    "winter": Campaign("winter", to=[NEWS]),
}
NAMES = ("ada", "bob", "cem", "dee")
ADDRESSES = tuple(f"{name}@example.com" for name in (*NAMES, "eve"))
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Never a whole number of hours, so that a clock which is wrong cannot name a moment that was another one.
SKEWS = (timedelta(0), timedelta(hours=-23, minutes=-30), timedelta(days=3650, minutes=30))


def key_of(address: str) -> str:
    """Return how the model writes an address."""
    return address.lower()


def bare(key: str | None) -> str | None:
    """Return how the model writes a match key."""
    return None if key is None else key.partition(":")[2]


@frozen(kw_only=True)
class Seen:
    """How everybody stood at a position of the log."""

    position: int
    now: datetime
    standings: dict[str, dict[str, str]]


@frozen(kw_only=True)
class Backup:
    """A copy of the file, and what the model and the store in memory knew at that time."""

    path: Path
    registry: Registry
    shadow: MemoryStore
    history: list[Seen]
    mailed: int


class World:
    """A registry, its model, and an ESP.

    Args:
        url: of a database that nobody has opened yet.
        folder: for files.
        capabilities: of the ESP.
    """

    def __init__(self, url: str, folder: Path, capabilities: frozenset[Capability]) -> None:
        self.url = url
        self.folder = folder
        self.true = START
        self.skew = timedelta(0)
        self.registry = Registry()
        self.shadow = MemoryStore(peppers=PEPPERS)
        self.esp = Provider(lambda: self.true, capabilities=capabilities)
        self.made: dict[str, str] = {}
        self._numbers = count(1)
        self.history: list[Seen] = []
        self.mailed: list[Mail] = []  # what really left, which no backup takes back
        self.forgiven: set[tuple[str, str]] = set()  # mailed after the backup that was restored: nobody remembers
        self.heard = 0
        self.told = 0
        self.left = 0
        self.mail = self.open()

    # -- the real one

    def open(self, esp: Any = None, wrap: Callable[[Any], Any] = lambda port: port) -> Lifecycle:
        """Open the registry, as one more worker does."""
        store = wrap(Tee(SqlStore(self.url, peppers=PEPPERS), self.shadow))
        return lifecycle(
            *LISTS, *CAMPAIGNS.values(), store=store, esp=esp or self.esp, peppers=PEPPERS, new_id=self._new_id,
            ticks=lambda: 0.0,
        )  # fmt: skip

    def _new_id(self, address: EmailAddress) -> ContactId:
        key = bare(address.identity) or ""
        self.made[key] = f"{key.partition('@')[0]}-{next(self._numbers)}"
        return ContactId(self.made[key])

    @property
    def now(self) -> datetime:
        """What our clock says."""
        return self.true + self.skew

    def reopen(self) -> None:
        """Close and open the registry."""
        self.mail.close()
        self.mail = self.open()

    # -- backups

    def back_up(self) -> Backup:
        """Copy the file: nothing is being written."""
        copy = self.folder / f"backup-{len(self.history)}.db"
        shutil.copy(self._path, copy)
        return Backup(
            path=copy, registry=_copied(self.registry), shadow=copied(self.shadow), history=list(self.history),
            mailed=len(self.mailed),
        )  # fmt: skip

    def restore(self, backup: Backup) -> None:
        """Put an old file in the place of the present one. The ESP keeps what it knows."""
        self.mail.close()
        shutil.copy(backup.path, self._path)
        self.registry, self.shadow = _copied(backup.registry), copied(backup.shadow)
        self.history = list(backup.history)
        self.forgiven |= {(one.campaign, one.key) for one in self.mailed[backup.mailed :]}
        self.mail = self.open()

    @property
    def _path(self) -> Path:
        return Path(self.url.partition("sqlite:///")[2].partition("?")[0])

    # -- what the model learns

    def subject(self, key: str, *, imported: bool = False) -> tuple[str | None, str] | None:
        """Return whom a report about an address names, or an import; None if it was erased.

        Where nobody has it, a report is of who was archived there; or it makes a contact, as an import does.
        """
        if key in self.registry.erased:
            return None
        holders = self.registry.at(key) or ([] if imported else self.registry.archived_at(key))
        if not holders:
            holders = [self.made[key]]
            self.registry.people[holders[0]] = key
        return (holders[0] if len(holders) == 1 else None), key

    def listen(self) -> None:
        """Let the model learn what the ESP has said and was told."""
        for opt_out, at in self.esp.told[self.told :]:
            no = no_of(opt_out, "own")
            self.registry.tell(Push(who=no.who, key=no.key, scope=no.scope, name=no.name, at=at))
        self.told = len(self.esp.told)
        for statement in self.esp.said[self.heard :]:
            if isinstance(statement, Left):
                self.take(statement)
        self.heard = len(self.esp.said)

    def take(self, left: Left) -> None:
        """Let the model take an ESP's word that somebody is out."""
        assert left.who.address is not None
        key = bare(left.who.address.identity) or ""
        subject = self.subject(key)
        if subject is None:
            return
        who, at, scope = subject[0], left.provenance.at, str(left.scope)
        form = "event" if left.event_id else "dated" if left.dated else "seen"
        event = left.event_id or (f"state {key} {at}" if left.dated else f"seen {key}")
        no = No(who=who, key=key, scope=scope, name=("memory", event, scope), form=form, at=at)
        if all((one.name, one.who, one.key) != (no.name, no.who, no.key) for one in self.registry.told(No)):
            self.registry.tell(no)

    def take_held(self, held: Held) -> None:
        """Let the model take an ESP's word that an address is dead, or complained."""
        assert held.who.address is not None
        subject = self.subject(bare(held.who.address.identity) or "")
        if subject is not None:
            self.registry.tell(Hold(who=subject[0], key=subject[1], kind=str(held.kind), name=str(held.event_id)))

    def take_mails(self) -> list[Mail]:
        """Return what left since, and let the model know."""
        new = [
            Mail(
                campaign=sent.recipient.campaign,
                who=sent.recipient.contact_id,
                key=bare(sent.recipient.address.identity) or "",
                leaves=sent.recipient.leaves_list,
            )
            for sent in self.esp.outbox[self.left :]
        ]
        self.left = len(self.esp.outbox)
        return new

    # -- what must hold after each step

    def check_mails(self, new: Sequence[Mail], before: Registry) -> None:
        """Nobody was mailed who may not be, or twice, or before a sweep (O4, F12, F13, F17, F19)."""
        for one in new:
            if one.leaves is not None:
                assert before.may_get(one.who, [one.leaves], self.now), one
            else:
                assert not {"bounce", "erasure"} & before.held(one.who, self.now), one
            twice = [
                two for two in self.mailed
                if two.campaign == one.campaign and (two.who == one.who or (one.leaves and two.key == one.key))
            ]  # fmt: skip
            assert not twice or (one.campaign, one.key) in self.forgiven, f"{one} twice"
            self.mailed.append(one)
            self.registry.mails.append(one)
        if new and Capability.OPT_OUT_LIST in self.esp.capabilities:
            self.check_heard()

    def check_heard(self) -> None:
        """Every no that the ESP shows is known here (F13, F32)."""
        known = {no.name[1] for no in self.registry.told(No)}
        for left in self.esp.everybody_out():
            assert left.who.address is not None
            erased = bare(left.who.address.identity) in self.registry.erased
            assert erased or left.event_id in known, f"the ESP says {left}, and it was not heard"

    def check(self) -> None:
        """The registry stands as the model does."""
        store, registry, now = self.mail.store, self.registry, self.now
        have = {str(one.id): None if one.address is None else bare(one.address.identity) for one in store.each()}
        assert registry.people == have
        standings: dict[str, dict[str, str]] = {}
        for person in self.mail.people():
            who = str(person.contact_id)
            standings[who] = {one.key: str(person.standing(one.key, now=now)) for one in LISTS}
            assert {one.key: registry.standing(who, one.key) for one in LISTS} == standings[who], who
            assert registry.held(who, now) == {str(kind) for kind in person.held_by(now=now)}, who
        position = store.position()
        assert not self.history or self.history[-1].position <= position, "the log shrank"
        if not self.history or self.history[-1].position < position:
            self.history.append(Seen(position=position, now=now, standings=standings))

    def check_past(self, seen: Seen) -> None:
        """A past position still answers as it did then (O10)."""
        past = AsOf(self.mail._reader, seen.position, seen.now)
        for who, standings in seen.standings.items():
            person = past.person(who)
            assert standings == {to: str(person.standing(to, now=seen.now)) for to in standings}, (who, seen.position)

    def forget_past(self, who: str) -> None:
        """Ask no longer how somebody stood: they are found by what they are known as today, or not at all."""
        self.history = [
            evolve(seen, standings={one: how for one, how in seen.standings.items() if one != who})
            for seen in self.history
        ]

    def check_whole(self) -> None:
        """The database is whole, and what it keeps beside the log is what the log says."""
        store: Any = self.mail.store.store  # type: ignore[attr-defined]
        checked = store.check()
        assert checked.problems == (), checked


def _copied(registry: Registry) -> Registry:
    return evolve(
        registry, people=dict(registry.people), facts=list(registry.facts), mails=list(registry.mails),
        erased=set(registry.erased),
    )  # fmt: skip


def no_of(opt_out: OptOut, form: str) -> No:
    """Return an opt-out as the model writes it."""
    said, scope = opt_out.provenance, str(opt_out.scope)
    subject: Subject = opt_out.subject
    name = said.source, opt_out.event_id, scope
    return No(who=subject.contact_id, key=bare(subject.key), scope=scope, name=name, form=form, at=said.at)
