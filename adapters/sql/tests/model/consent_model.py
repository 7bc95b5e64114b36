"""A registry of consent in a plain list: what the real one must agree with.

Facts are kept in the order in which they were told, and how somebody stands is read off by going through all of them.
Nothing here is the library's own code for consent, so that no mistake is made twice. People are ids, addresses are
texts in small letters, scopes are written `all`, `channel:email`, `list:offers`.

What must be true, in short: a no binds whoever it names, and whoever has or ever had the address that it names. Only
the person's own confirmation ends it, for one list, and only those noes that stood when they asked (O4). What an ESP
tells of a no that we told it is the same no. Who was erased is known by a tombstone that nobody else can have (O5).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from attrs import define, evolve, field, frozen

Name = tuple[str, str, str]
"""What makes two reports the same no: who says so, their id of the event, how far it reaches."""


@frozen(kw_only=True)
class Fact:
    """Something that was told, about a contact, an address, or both."""

    who: str | None
    key: str | None


@frozen(kw_only=True)
class No(Fact):
    """The person's no.

    Attributes:
        form: how it was told: `own` to ourselves, or by the ESP as an `event`, as a `dated` state, or as a state that
            is only `seen`.
        at: the stamp.
    """

    scope: str
    name: Name
    form: str
    at: datetime


@frozen(kw_only=True)
class Push(Fact):
    """We told the ESP of a no."""

    scope: str
    name: Name
    at: datetime


@frozen(kw_only=True)
class Ask(Fact):
    """A sign-up that waits to be confirmed; `over` are the noes that this would override."""

    to: str
    token: str
    over: frozenset[Name]


@frozen(kw_only=True)
class Yes(Fact):
    """A yes for one list: imported, or the person's own; `over` are the noes that it overrides."""

    to: str
    imported: bool = False
    over: frozenset[Name] = frozenset()
    token: str | None = None
    at: datetime


@frozen(kw_only=True)
class Hold(Fact):
    """A reason not to mail that is not a no."""

    kind: str
    name: str
    until: datetime | None = None


@frozen(kw_only=True)
class Lift(Fact):
    """The end of holds, by one who may."""

    names: frozenset[str]


@frozen(kw_only=True)
class Move(Fact):
    """A new address, `key`, in the place of an old one; `own` where the person says so."""

    old: str | None
    own: bool


@frozen(kw_only=True)
class Mail:
    """A mail that was handed off."""

    campaign: str
    who: str
    key: str
    leaves: str | None


F = TypeVar("F", bound=Fact)


def covers(scope: str, to: str) -> bool:
    """Whether a no of this scope holds mails of a list back; every list here is one of e-mail."""
    return scope in ("all", "channel:email", f"list:{to}")


_STAYS = {"bounce"}
"""Holds that stay with an address when its person moves on."""
_MAY_LIFT = {
    "bounce": {"operator": "words"},
    "complaint": {"contact": "words"},
    "sunset": {"contact": "", "operator": "words"},
    "pause": {"contact": ""},
    "archive": {"contact": "", "operator": "words"},
}


def may_lift(kind: str, actor: str, text: str) -> bool:
    """Whether somebody may end a hold of this kind, having said this."""
    needed = _MAY_LIFT[kind].get(actor)
    return needed is not None and (needed == "" or bool(text))


@define
class Registry:
    """All that was told.

    Attributes:
        people: the contacts, with the address that each has.
        facts: what was told, in order.
        mails: what was handed off, as far as the registry remembers.
        erased: ids and addresses that were erased.
    """

    people: dict[str, str] = field(factory=dict)
    facts: list[Fact] = field(factory=list)
    mails: list[Mail] = field(factory=list)
    erased: set[str] = field(factory=set)

    # -- writing

    def tell(self, fact: Fact) -> None:
        """Take a fact, of somebody who was erased under their tombstone."""
        self.facts.append(_renamed(fact, self.erased))

    def erase(self, who: str | None) -> None:
        """Forget a contact, and each address of theirs that nobody else uses now."""
        if who is None:
            return
        keys = {fact.key for fact in self.facts if fact.who == who}
        keys |= {fact.old for fact in self.told(Move) if fact.who == who}
        keys |= {mail.key for mail in self.mails if mail.who == who} | {self.people.pop(who, None)}
        self.erase_names(who, *(key for key in keys - set(self.people.values()) if key is not None), whose=who)

    def erase_names(self, *names: str, whose: str | None = None) -> None:
        """Put tombstones in the place of names, all of them a contact's or nobody's."""
        gone = {name for name in names if not name.startswith(_TOMB)}
        self.erased |= gone
        self.facts = [_renamed(fact, gone) for fact in self.facts]
        self.mails = [evolve(one, who=_tomb(one.who, gone), key=_tomb(one.key, gone)) for one in self.mails]
        for name in sorted(gone):
            tomb = _tomb(name, gone)
            by = None if whose is None else _tomb(whose, {whose})
            self.facts.append(Hold(who=by, key=tomb, kind="erasure", name=f"erased {tomb}"))

    # -- who is who

    def told(self, kind: type[F]) -> Iterator[F]:
        """Yield the facts of one kind, in order."""
        return (fact for fact in self.facts if isinstance(fact, kind))

    def at(self, key: str) -> list[str]:
        """Return who has an address."""
        return sorted(who for who, has in self.people.items() if has == key)

    def last_key(self, who: str) -> str | None:
        """Return the address that somebody was known by last, perhaps before they were archived."""
        moves = [move.key for move in self.told(Move) if move.who == who]
        named = [fact.key for fact in self.facts if fact.who == who and fact.key is not None]
        return (moves or named or [None])[-1]

    def ever(self, who: str) -> set[str | None]:
        """Return every address that somebody has or had."""
        moves = [move for move in self.told(Move) if move.who == who]
        return {self.people[who], *(move.key for move in moves), *(move.old for move in moves)} - {None}

    def _agreed(self, who: str) -> set[str | None]:
        """Return the addresses a yes at which counts today: this one, and those from which they moved here."""
        found: set[str | None] = {self.people[who]}
        for _ in self.facts:
            found |= {m.old for m in self.told(Move) if m.who == who and m.own and m.key in found and m.old}
        return found

    def _brought(self, who: str) -> set[str | None]:
        """Return the addresses to which others moved them: no file can say that they agreed there."""
        moves = [move for move in self.told(Move) if move.who == who and move.old is not None]
        return {move.key for move in moves if not move.own} - {move.old for move in moves[:1]}

    # -- how they stand

    def noes(self, who: str) -> list[No]:
        """Return every no that names somebody, or an address that is or was theirs."""
        ever = self.ever(who)
        return [no for no in self.told(No) if no.who == who or no.key in ever]

    def standing_noes(self, who: str, to: str) -> list[No]:
        """Return the noes that keep somebody off a list."""
        over = {name for yes in self._yeses(who) if yes.to == to for name in yes.over}
        noes = [no for no in self.noes(who) if covers(no.scope, to) and no.name not in over]
        return [no for no in noes if not over & self._same_click(no.name)]

    def standing(self, who: str, to: str) -> str:
        """Tell how somebody stands with a list."""
        scopes = {no.scope.partition(":")[0] for no in self.standing_noes(who, to)}
        for scope in ("all", "channel", "list"):
            if scope in scopes:
                return f"out-of-{scope}"
        asks = self._open_asks(who, to)
        for fact in self.facts if asks else ():
            if fact in asks:
                break  # no import after it answers for the person who was asked; what was there before it stays
            if isinstance(fact, Yes) and fact.imported and fact.to == to and fact in self._yeses(who):
                return "active"
        if any(yes.to == to and not (asks and yes.imported) for yes in self._yeses(who)):
            return "active"
        return "unconfirmed" if asks or to in self._elsewhere(who) else "none"

    def confirmed(self, who: str, to: str) -> bool:
        """Whether they clicked for a list, at an address that counts."""
        return any(yes.to == to and yes.token is not None for yes in self._yeses(who))

    def unsure(self, who: str, to: str) -> bool:
        """Whether they agreed to a list, or asked for it, only at an address that others replaced."""
        return to in self._elsewhere(who)

    def lists(self, who: str) -> set[str]:
        """Return each list that they ever agreed to or asked for."""
        asks = {ask.to for ask in self.told(Ask) if ask.who == who}
        return asks | {yes.to for yes in self.told(Yes) if yes.who == who}

    def holds(self, who: str) -> list[Hold]:
        """Return the holds that bind somebody and that nobody ended; some stay with the address."""
        ever = self.ever(who)
        ended = {name for lift in self.told(Lift) if lift.who == who or lift.key in ever for name in lift.names}
        return [
            hold
            for hold in self.told(Hold)
            if hold.name not in ended
            and (
                hold.key == self.people[who]
                if hold.key is not None and (hold.kind in _STAYS or (hold.kind == "erasure" and hold.who is not None))
                else hold.who == who or hold.key in ever
            )
        ]

    def archived_at(self, key: str) -> list[str]:
        """Return who was archived at an address and did not come back."""
        found = set()
        for hold in self.told(Hold):
            who = hold.who
            if hold.kind != "archive" or who is None or who in self.people or self.last_key(who) != key:
                continue
            moves = [move for move in self.told(Move) if move.who == who]
            ever = {key, *(move.key for move in moves), *(move.old for move in moves)}
            if not any(hold.name in lift.names for lift in self.told(Lift) if lift.who == who or lift.key in ever):
                found.add(who)
        return sorted(found)

    def held(self, who: str, now: datetime) -> set[str]:
        """Return the kinds of holds that are in force."""
        return {hold.kind for hold in self.holds(who) if hold.until is None or hold.until > now}

    def may_get(self, who: str, lists: list[str], now: datetime) -> bool:
        """Whether somebody may be mailed for one of these lists."""
        return any(self.standing(who, to) == "active" for to in lists) and not self.held(who, now)

    def answered(self, ask: Ask) -> bool:
        """Whether a request was confirmed before."""
        return any(yes.token == ask.token for yes in self._yeses(ask.who or ""))

    def _yeses(self, who: str) -> list[Yes]:
        """Return each yes that counts: the contact's own, at an address that is theirs by their own word."""
        agreed, brought = self._agreed(who), self._brought(who)
        return [
            yes
            for yes in self.told(Yes)
            if yes.who == who and yes.key in agreed and not (yes.imported and yes.key in brought)
        ]

    def _open_asks(self, who: str, to: str) -> list[Ask]:
        agreed = self._agreed(who)
        found = [ask for ask in self.told(Ask) if ask.who == who and ask.to == to and ask.key in agreed]
        return [ask for ask in found if not self.answered(ask)]

    def _elsewhere(self, who: str) -> set[str]:
        agreed, counted = self._agreed(who), self._yeses(who)
        asked = {ask.to for ask in self.told(Ask) if ask.who == who and ask.key not in agreed}
        return asked | {yes.to for yes in self.told(Yes) if yes.who == who and yes not in counted}

    # -- the same click, told again

    def _same_click(self, name: Name) -> set[Name]:
        """Return the noes of which this is only another report; of several reports, each must be one."""
        reports = [no for no in self.told(No) if no.name == name]
        found = [self._echoed(no) for no in reports]
        return set.intersection(*found) if found else set()

    def _echoed(self, no: No) -> set[Name]:
        if no.form == "own":
            return set()
        pushed = {one.name for one in self.told(Push) if self._is_echo(no, one)}
        told = {one.name for one in self.told(No) if self._is_twin(no, one)}
        return pushed | told

    def _is_echo(self, no: No, push: Push) -> bool:
        return _alike(no, push) and push.name != no.name and self._no_return_between(no, push)

    def _is_twin(self, no: No, other: No) -> bool:
        """Whether the ESP told one click as an event and as a state."""
        if other.form not in ("event", "dated") or (no.form == "event") is (other.form == "event"):
            return False
        return _alike(no, other) and self._no_return_between(no, other)

    def _no_return_between(self, no: No, cause: Push | No) -> bool:
        """Whether it is the same moment, or a state that is only seen later and nobody came back since."""
        if no.form != "seen":
            return no.at == cause.at
        back = [yes for yes in self.told(Yes) if yes.over and _same(yes, no) and cause.at <= yes.at < no.at]
        return cause.at <= no.at and not back


_TOMB = "\n"


def _tomb(name: str, gone: set[str]) -> str:
    return _TOMB + name if name in gone else name


def _renamed(fact: F, gone: set[str]) -> F:
    changed = evolve(fact, who=fact.who and _tomb(fact.who, gone), key=fact.key and _tomb(fact.key, gone))
    if isinstance(changed, Move) and changed.old is not None:
        return evolve(changed, old=_tomb(changed.old, gone))
    return changed


def _same(one: Fact, other: Fact) -> bool:
    return (one.key is not None and one.key == other.key) or (one.who is not None and one.who == other.who)


def _alike(one: No, other: Push | No) -> bool:
    return one.scope == other.scope and _same(one, other)
