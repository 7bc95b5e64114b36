"""The entries of the consent log.

The log is append-only; an entry never changes. Each names its subject by contact_id, by match key, or both:
opt-outs and suppressions bind if either matches, consent only if both do. Entries carry ids made from what
they say, so that one click that comes back as our own entry, a webhook, a pull and next week's export is one:

- an opt-out's id is a hash of (source, the source's event id, scope);
- a state that an ESP reports without an event id takes the ESP's own time of change instead of one;
- a state without either takes the subject alone: seen for the first time it opens an opt-out, afterwards it is
  the same one.

`OptOut` and `Suppression` are kept apart on purpose (C7, O4): the first is the person's no and ends only by
the person's own confirmed consent that cites it; the second has another reason and ends by a `Lift`, each kind
under its own rule, which `SUPPRESSION_RULES` states.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from attrs import field, frozen

from lifecycle_mail.errors import ConsentRefused, InvalidInput
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.instants import as_utc, optional_utc
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, EntryId, ListKey, entry_id, require_slug
from lifecycle_mail.model.provenance import Actor, Provenance, Through


class Standing(StrEnum):
    """How firm a consent is, weakest first."""

    IMPORTED = "imported"
    IMPLIED = "implied"
    EXPRESS = "express"
    CONFIRMED = "confirmed"


class SuppressionKind(StrEnum):
    """Reasons not to mail that are not the person's no."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    SUNSET = "sunset"
    PAUSE = "pause"
    ARCHIVE = "archive"
    ERASURE = "erasure"


@frozen
class SuppressionRule:
    """What holds for one kind of suppression.

    Attributes:
        lifted_by: who may end it; nobody for an erasure.
        needs_text: whose lift must give a reason in words.
        follows_person: False for what is a fact about an address alone and stays with it.
        because: why, for the docs.
    """

    lifted_by: frozenset[Actor]
    needs_text: frozenset[Actor]
    follows_person: bool
    because: str


_NOBODY: frozenset[Actor] = frozenset()
_OPERATOR = frozenset({Actor.OPERATOR})

SUPPRESSION_RULES: dict[SuppressionKind, SuppressionRule] = {
    SuppressionKind.BOUNCE: SuppressionRule(
        _OPERATOR,
        _OPERATOR,
        False,
        "the mailbox is dead, not the person: survives a sign-up (R23), stays on the old address",
    ),
    SuppressionKind.COMPLAINT: SuppressionRule(
        frozenset({Actor.CONTACT}),
        frozenset({Actor.CONTACT}),
        True,
        "survives a sign-up (R23); only the person withdraws it, in words that are kept",
    ),
    SuppressionKind.SUNSET: SuppressionRule(
        frozenset({Actor.CONTACT, Actor.OPERATOR}),
        _OPERATOR,
        True,
        "not an opt-out: ends by the person's own act or an operator's, with a reason (O4, S11)",
    ),
    SuppressionKind.PAUSE: SuppressionRule(
        frozenset({Actor.CONTACT}), _NOBODY, True, "ends by itself on its date, or when the person says so (P3)"
    ),
    SuppressionKind.ARCHIVE: SuppressionRule(
        frozenset({Actor.CONTACT, Actor.OPERATOR}), _OPERATOR, True, "out of the active records, still suppressed (O5)"
    ),
    SuppressionKind.ERASURE: SuppressionRule(
        _NOBODY, _NOBODY, True, "the address is never mailed again, whatever is imported later (O5, F62)"
    ),
}
"""Who may end which suppression; the table is printed in the docs."""


def _as_ids(ids: Iterable[EntryId]) -> frozenset[EntryId]:
    return frozenset(ids)


@frozen(kw_only=True)
class Subject:
    """Whom an entry is about: a contact, an address, or both."""

    contact_id: ContactId | None = None
    key: MatchKey | None = None

    def __attrs_post_init__(self) -> None:
        if self.contact_id is None and self.key is None:
            raise InvalidInput("an entry names a contact, an address, or both")


STATE = "state:"
"""How the event id of a state begins that was reported with the time of its change (`state_event_id`)."""


@frozen(kw_only=True)
class OptOut:
    """The person's no.

    Attributes:
        subject: whom it binds, if either matches.
        scope: one list, one channel, or all marketing.
        event_id: the source's own id of the event; see `state_event_id` for reports that have none.
        provenance: who, through what, when, why.
        dated: False where `provenance.at` is only the instant of observation.
        id: hash of (source, event_id, scope).
    """

    subject: Subject
    scope: Scope
    event_id: str
    provenance: Provenance
    dated: bool = True
    id: EntryId = field(init=False)

    @id.default
    def _make_id(self) -> EntryId:
        return entry_id("opt-out", self.provenance.source, self.event_id, self.scope)

    @property
    def is_state(self) -> bool:
        """Whether it was told as a state, without the source's own id of an event (`state_event_id`)."""
        return not self.dated or self.event_id.startswith(STATE)


def state_event_id(subject: Subject, changed_at: datetime | None) -> str:
    """Return the event id of a state that was reported without one: the time of change, or the subject alone."""
    whom = subject.key if subject.key is not None else subject.contact_id
    # In UTC: the same instant written in two zones is one change.
    return f"{STATE}{whom}:{_written(as_utc(changed_at))}" if changed_at is not None else f"observed:{whom}"


@lru_cache(maxsize=1024)
def _written(instant: datetime) -> str:
    """Write an instant; the rows of a list have few days between them."""
    return instant.isoformat()


@frozen(kw_only=True)
class Suppression:
    """A reason not to mail that is not the person's no.

    Attributes:
        until: when a pause ends by itself; nothing else does.
        id: hash of (kind, source, event_id).
    """

    subject: Subject
    kind: SuppressionKind
    event_id: str
    provenance: Provenance
    until: datetime | None = field(default=None, converter=optional_utc)
    id: EntryId = field(init=False)

    @id.default
    def _make_id(self) -> EntryId:
        return entry_id("suppression", self.kind, self.provenance.source, self.event_id)

    def __attrs_post_init__(self) -> None:
        if self.until is not None and self.kind is not SuppressionKind.PAUSE:
            raise InvalidInput(f"a {self.kind} does not end by itself: leave out until=")


@frozen(kw_only=True)
class Lift:
    """The end of suppressions. Counts only for the kinds that its actor may lift (`SUPPRESSION_RULES`)."""

    subject: Subject
    cites: frozenset[EntryId] = field(converter=_as_ids)
    provenance: Provenance
    id: EntryId = field(init=False)

    @id.default
    def _make_id(self) -> EntryId:
        # With the words: a lift refused for want of them must not be taken for the one that then gives them.
        said = self.provenance
        return entry_id("lift", said.actor, said.at.isoformat(), said.text, *sorted(self.cites))

    def ends(self, suppression: Suppression) -> bool:
        """Whether this lift ends that suppression: cited, by one who may, with words where words are due."""
        rule = SUPPRESSION_RULES[suppression.kind]
        actor = self.provenance.actor
        return (
            suppression.id in self.cites
            and actor in rule.lifted_by
            and (actor not in rule.needs_text or bool(self.provenance.text.strip()))
        )


@frozen(kw_only=True)
class ConsentRequest:
    """Someone asked to join and must confirm first: double opt-in, or a return after a no.

    Attributes:
        asks: the opt-outs that the confirmation would override, fixed now: a later no is not among them.
    """

    subject: Subject
    list: ListKey = field(validator=require_slug)
    provenance: Provenance
    asks: frozenset[EntryId] = field(default=frozenset(), converter=_as_ids)
    id: EntryId = field(init=False)

    @id.default
    def _make_id(self) -> EntryId:
        whom = self.subject
        return entry_id(
            "request", whom.contact_id, whom.key, self.list, self.provenance.at.isoformat(), *sorted(self.asks)
        )


_NOT_BY_HAND = frozenset({Through.IMPORT, Through.WEBHOOK, Through.RUN, Through.BOUNCE, Through.COMPLAINT})
"""Roads by which nobody confirms anything, whoever is said to have acted (O4)."""


@frozen(kw_only=True)
class Consent:
    """The person's yes to one list.

    Attributes:
        subject: contact and address; consent counts only where both match.
        standing: imported, implied, express or confirmed.
        cites: the opt-outs it overrides, for this list alone; only the person's confirmation may cite (O4).
        request: the request it confirms.
        expires_at: when implied consent ends (R10), or None.
    """

    subject: Subject
    list: ListKey = field(validator=require_slug)
    standing: Standing
    provenance: Provenance
    cites: frozenset[EntryId] = field(default=frozenset(), converter=_as_ids)
    request: EntryId | None = None
    expires_at: datetime | None = field(default=None, converter=optional_utc)
    id: EntryId = field(init=False)

    @id.default
    def _make_id(self) -> EntryId:
        whom = self.subject
        # An import says the same thing whenever it is read again; a person's own yes has its moment.
        moment = "" if self.standing is Standing.IMPORTED else self.provenance.at.isoformat()
        return entry_id(
            "consent", whom.contact_id, whom.key, self.list, self.standing, self.provenance.source,
            self.request or moment, *sorted(self.cites),
        )  # fmt: skip

    def __attrs_post_init__(self) -> None:
        if not self.cites:
            return
        theirs = self.provenance.actor is Actor.CONTACT and self.provenance.through not in _NOT_BY_HAND
        if self.standing is not Standing.CONFIRMED or not theirs:
            raise ConsentRefused(
                "only a confirmation by the person overrides an opt-out: use subscribe() and confirm()"
            )
        if not self.provenance.evidence.strip():
            raise ConsentRefused(
                "a consent that overrides an opt-out keeps proof: give the evidence of the confirmation"
            )


@frozen(kw_only=True)
class AddressChanged:
    """A contact's address changed. Opt-outs follow the person and stay on the old address.

    Attributes:
        subject: the contact and the *new* key.
        old: the key before, or None.
    """

    subject: Subject
    old: MatchKey | None
    provenance: Provenance
    id: EntryId = field(init=False)

    @id.default
    def _make_id(self) -> EntryId:
        # With the actor: whether consent is carried over depends on it.
        whom, said = self.subject, self.provenance
        return entry_id("address", whom.contact_id, self.old, whom.key, said.actor, said.at.isoformat())


@frozen(kw_only=True)
class Pushed:
    """We tell an ESP of an opt-out; written before the call, so that its echo is known for one, and again after it.

    Attributes:
        opt_out: the opt-out that is pushed.
        provenance: `source` is the ESP, `at` the instant before the call.
        done: whether the ESP took it; what only began is pushed again.
    """

    subject: Subject
    opt_out: EntryId
    scope: Scope
    provenance: Provenance
    done: bool = False
    id: EntryId = field(init=False)

    @id.default
    def _make_id(self) -> EntryId:
        at = self.provenance.at.isoformat()
        return entry_id("pushed", self.opt_out, self.scope, self.provenance.source, at, self.done)


Entry = OptOut | Suppression | Lift | ConsentRequest | Consent | AddressChanged | Pushed
"""Anything the consent log holds."""


def old_key(entry: Entry) -> MatchKey | None:
    """Return the key that a change of address left behind."""
    return entry.old if isinstance(entry, AddressChanged) else None


def named_in(entry: Entry) -> set[str]:
    """Return the contact id and the match keys that an entry names."""
    return {name for name in (entry.subject.contact_id, entry.subject.key, old_key(entry)) if name is not None}


@frozen
class Record:
    """An entry as the log keeps it.

    Attributes:
        seq: its place in the log, from 1, without gaps.
        recorded_at: when the log took it, an aware UTC instant.
        entry: what it says.
    """

    seq: int
    recorded_at: datetime
    entry: Entry
