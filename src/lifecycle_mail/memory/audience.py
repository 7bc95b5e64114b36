"""What the in-memory ESP holds of contacts, and segments of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime

from attrs import define, evolve, frozen

from lifecycle_mail.errors import EspError, EspRefused
from lifecycle_mail.memory.scripting import Scripted
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.contacts import Contact, FieldType, FieldValue
from lifecycle_mail.model.intake import Left, Who
from lifecycle_mail.model.lists import MailingList, Scope, ScopeKind
from lifecycle_mail.model.names import ContactId, ListKey, SegmentKey
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.operators import PlainFacts
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.ports import Change, Handled, Kept, KeptAs, Native, NotNative, Shown

PAGE = 1000
"""How many contacts it shows at once."""


@frozen(kw_only=True)
class Member:
    """A contact as the fake ESP holds it."""

    address: EmailAddress
    contact_id: ContactId | None = None
    state: KeptAs = KeptAs.SUBSCRIBED
    lists: frozenset[ListKey] = frozenset()
    fields: Mapping[str, FieldValue]
    tags: frozenset[str] = frozenset()

    @property
    def digest(self) -> int:
        """A hash of all that it shows."""
        said = (sorted(self.lists), sorted(self.fields.items()), sorted(self.tags), self.contact_id)
        return int.from_bytes(hashlib.blake2b(repr(said).encode(), digest_size=8).digest())


@define
class _Segment:
    native: Segment | None = None
    members: frozenset[str] = frozenset()


class Audience(Scripted):
    """Holds contacts, their fields and topics, and segments.

    Attributes:
        at_once: how many contacts it takes in one call.
        connections: how many calls it takes at the same time.
        members: whom it holds, by the identity of the address.
        fields: the fields that were made there.
        topics: the lists that it knows.
    """

    at_once = 500
    connections = 4

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.members: dict[str, Member] = {}
        self.fields: dict[str, FieldType] = {}
        self.topics: set[ListKey] = set()
        self._would_have: set[ListKey] = set()
        self._segments: dict[SegmentKey, _Segment] = {}
        self._scopes: defaultdict[str, set[Scope]] = defaultdict(set)
        self._unticked: defaultdict[str, list[Left]] = defaultdict(list)

    # -- contacts

    @property
    def places(self) -> Mapping[str, Set[ListKey]]:
        """Its one audience."""
        return {"": frozenset(self.topics | self._would_have)}

    def prepare(
        self, fields: Mapping[str, FieldType], lists: Mapping[str, MailingList], *, dry_run: bool
    ) -> Sequence[str]:
        """Make the fields and topics that it lacks."""
        with self._lock, self._operation("prepare"):
            missing = [*(f"the field {name}" for name in fields if name not in self.fields)]
            self._would_have = set(map(ListKey, lists))
            missing += [f"the topic {key}" for key in lists if key not in self.topics]
            if not dry_run:
                self.fields.update(fields)
                self.topics.update(map(ListKey, lists))
            return missing

    def kept(self) -> Iterator[Sequence[Kept]] | None:
        """Yield all that it holds, a page at a time."""
        with self._lock, self._operation("kept"):
            held = sorted(self.members.values(), key=lambda one: one.address.identity)
            return (
                [
                    Kept(
                        place="", address=one.address, contact_id=one.contact_id, state=one.state, lists=one.lists,
                        digest=one.digest, heard=tuple(self._unticked[one.address.identity]),
                    )
                    for one in held[at : at + PAGE]
                ]
                for at in range(0, len(held), PAGE)
            )  # fmt: skip

    def digest(self, shown: Shown, place: str) -> int:  # noqa: ARG002 - as the port calls it
        """Return the hash that a contact just like this would have."""
        return _member(shown).digest

    def lane(self, change: Change) -> Hashable:
        """Tell new contacts apart from known ones, as Mailchimp does."""
        return change.known is None

    def show(self, changes: Sequence[Change]) -> Handled:
        """Take contacts as they should look; who is out stays out, and the answer says so."""
        with self._lock, self._operation("show"):
            if len(changes) > self.at_once:
                raise EspRefused(esp=self.name, operation="show", status=400, body=f"more than {self.at_once} contacts")
            accepted: set[ContactId] = set()
            refused: dict[ContactId, EspError] = {}
            for change in changes:
                one = change.shown.contact.id
                try:
                    self._take_address(change.shown.address)
                except EspError as error:
                    refused[one] = error
                else:
                    before = self.members.get(change.shown.address.identity)
                    state = KeptAs.SUBSCRIBED if before is None else before.state
                    self.members[change.shown.address.identity] = self._as_it_is(
                        evolve(_member(change.shown), state=state)
                    )
                    accepted.add(one)
            return Handled(accepted=accepted, refused=refused)

    # -- segments

    def compiled(self, segment: Segment, fields: Mapping[str, FieldType]) -> Native | NotNative:  # noqa: ARG002
        """Take what reads fields, tags and lists alone: of engagement the fake knows nothing."""
        foreign = sorted(
            str(leaf)
            for leaf in segment.where.leaves()
            if leaf.fact not in ("tags", "lists") and not leaf.fact.startswith("field:")
        )
        if foreign:
            return NotNative(reasons=tuple(f"{leaf}: {self.name} knows nothing of it" for leaf in foreign))
        return Native(definition=str(segment.where), text=str(segment.where))

    def put_segment(self, segment: Segment, native: Native) -> None:  # noqa: ARG002 - as the port calls it
        """Compute a segment from now on."""
        with self._lock, self._operation("put_segment"):
            self._segments[segment.key] = _Segment(native=segment)

    def fill_segment(self, segment: Segment, members: Iterable[Contact]) -> Handled:
        """Hold just these; whom it does not hold it refuses."""
        with self._lock, self._operation("fill_segment"):
            inside: dict[str, ContactId] = {}
            refused: dict[ContactId, EspError] = {}
            for one in members:
                if one.address is not None and one.address.identity in self.members:
                    inside[one.address.identity] = one.id
                else:
                    refused[one.id] = EspRefused(
                        esp=self.name, operation="fill_segment", status=404, body="no such member"
                    )
            self._segments[segment.key] = _Segment(members=frozenset(inside))
            return Handled(accepted=set(inside.values()), refused=refused)

    def segment_count(self, segment: Segment) -> int | None:
        """Count who is in a segment."""
        with self._lock, self._operation("segment_count"):
            found = self._segments.get(segment.key, _Segment())
            if found.native is None:
                return len(found.members & self.members.keys())
            return sum(_is_in(one, found.native) for one in self.members.values())

    def untick(self, address: EmailAddress, topic: ListKey, *, at: datetime) -> None:
        """Act as a person who takes a topic away on the ESP's own page, of which no report comes."""
        held = self.members[address.identity]
        self.members[address.identity] = evolve(held, lists=held.lists - {topic})
        said = Provenance(actor=Actor.CONTACT, through=Through.PREFERENCE_PAGE, at=at, source=self.name)
        self._unticked[address.identity].append(Left(who=Who(None, address), scope=Scope.list(topic), provenance=said))

    def _leave(self, address: EmailAddress, scope: Scope) -> None:
        """Show somebody as out, of one topic or of all."""
        self._scopes[address.identity].add(scope)
        held = self.members.get(address.identity)
        if held is not None:
            self.members[address.identity] = self._as_it_is(held)

    def _as_it_is(self, member: Member) -> Member:
        """Return a contact as the ESP shows it: whoever left stays out, whatever it is told."""
        left = self._scopes[member.address.identity]
        lists = member.lists - {ListKey(scope.key) for scope in left if scope.kind is ScopeKind.LIST}
        everything = any(scope.kind is not ScopeKind.LIST for scope in left)
        return evolve(member, lists=lists, state=KeptAs.OUT if everything else member.state)

    def _take_address(self, address: EmailAddress) -> None:
        """Raise what a test has scripted for an address."""


def _member(shown: Shown) -> Member:
    contact = shown.contact
    return Member(
        address=shown.address, contact_id=contact.id, lists=frozenset(shown.lists), fields=dict(contact.fields),
        tags=contact.tags,
    )  # fmt: skip


def _is_in(member: Member, segment: Segment) -> bool:
    if member.state is not KeptAs.SUBSCRIBED or (segment.of and not member.lists & set(segment.of)):
        return False
    facts = {f"field:{name}": value for name, value in member.fields.items()}
    return segment.where.holds(PlainFacts.of({**facts, "tags": member.tags, "lists": member.lists}))
