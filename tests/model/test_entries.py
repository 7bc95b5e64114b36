"""Entries are the same thing when they say the same, and only the person may cite an opt-out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import ConsentRefused, InvalidInput
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import (
    SUPPRESSION_RULES,
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Standing,
    Subject,
    Suppression,
    SuppressionKind,
    state_event_id,
)
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from tests.strategies import CONTACTS, DAY, KEYS, LISTS, START, logs

ANN_HERE = Subject(contact_id=CONTACTS[0], key=KEYS[0])
BOB_HERE = Subject(contact_id=CONTACTS[1], key=KEYS[0])
ANN_HOME = Subject(contact_id=CONTACTS[0], key=KEYS[1])
NEWS, OFFERS = LISTS
TALLINN = timezone(timedelta(hours=2))
CITED, OTHER = frozenset({EntryId("cited")}), frozenset({EntryId("cited"), EntryId("other")})

CLICK = Provenance(actor=Actor.CONTACT, through=Through.ONE_CLICK, at=START, evidence="a click")
LATER = evolve(CLICK, at=START + DAY)
IN_TALLINN = evolve(CLICK, at=START.astimezone(TALLINN))
AT_MAILCHIMP = evolve(CLICK, source="mailchimp")
BY_OPERATOR = evolve(CLICK, actor=Actor.OPERATOR)
IN_WORDS = evolve(CLICK, text="I changed my mind")

LEFT = OptOut(subject=ANN_HERE, scope=Scope.all(), event_id="e1", provenance=CLICK)
HELD = Suppression(subject=ANN_HERE, kind=SuppressionKind.PAUSE, event_id="e1", provenance=CLICK)
LIFTED = Lift(subject=ANN_HERE, cites=CITED, provenance=CLICK)
ASKED = ConsentRequest(subject=ANN_HERE, list=NEWS, provenance=CLICK, asks=CITED)
AGREED = Consent(subject=ANN_HERE, list=NEWS, standing=Standing.CONFIRMED, provenance=CLICK, cites=CITED)
MOVED = AddressChanged(subject=ANN_HERE, old=KEYS[1], provenance=CLICK)
TOLD = Pushed(subject=ANN_HERE, opt_out=LEFT.id, scope=Scope.all(), provenance=CLICK)
GOLDEN = [
    "9b2ff015b1bfcdd59bb0145bcfe66aa9",
    "f2623ea05cf5d2d613244eae7e2d0624",
    "0e80a8bfd8deff0982f3e227eab2cb94",
    "4ec304b2488d77a2b45b81002480d578",
    "e7f3b5507281f73b8ec55de26b3065ee",
    "6b5f4e25e9ed717de275e044ab86432a",
    "0eb988a2b06c64dc7c4187e9ee5f7ea3",
    "0cff12f9f0541e14ffeaa2f19ea97286",
    "2fb91dd07519083a8d96e3f94d4f464c",
]
"""The ids of `LEFT` and the others."""


class TestIds:
    """An id is made from what makes an entry the same one, and from nothing else."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (LEFT, evolve(LEFT, subject=BOB_HERE)),
            (LEFT, evolve(LEFT, provenance=LATER)),
            (LEFT, evolve(LEFT, dated=False)),
            (HELD, evolve(HELD, until=START + DAY)),
            (HELD, evolve(HELD, provenance=LATER)),
            (LIFTED, evolve(LIFTED, provenance=IN_TALLINN)),
            (ASKED, evolve(ASKED, provenance=IN_TALLINN)),
            (AGREED, evolve(AGREED, provenance=IN_TALLINN)),
            (evolve(AGREED, request=ASKED.id), evolve(AGREED, request=ASKED.id, provenance=LATER)),
            (MOVED, evolve(MOVED, provenance=IN_TALLINN)),
            (TOLD, evolve(TOLD, provenance=IN_TALLINN)),
        ],
    )
    def test_the_same_thing_told_again(self, one: Entry, other: Entry) -> None:
        """One event that is told with another time, subject or zone keeps its id (F33)."""
        assert one.id == other.id

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (LEFT, evolve(LEFT, event_id="e2")),
            (LEFT, evolve(LEFT, scope=Scope.list(NEWS))),
            (LEFT, evolve(LEFT, provenance=AT_MAILCHIMP)),
            (HELD, evolve(HELD, event_id="e2")),
            (HELD, evolve(HELD, kind=SuppressionKind.SUNSET)),
            (HELD, evolve(HELD, provenance=AT_MAILCHIMP)),
            (LIFTED, evolve(LIFTED, cites=OTHER)),
            (LIFTED, evolve(LIFTED, provenance=LATER)),
            (LIFTED, evolve(LIFTED, provenance=BY_OPERATOR)),
            (LIFTED, evolve(LIFTED, provenance=IN_WORDS)),
            (ASKED, evolve(ASKED, asks=OTHER)),
            (ASKED, evolve(ASKED, list=OFFERS)),
            (ASKED, evolve(ASKED, subject=ANN_HOME)),
            (ASKED, evolve(ASKED, subject=BOB_HERE)),
            (ASKED, evolve(ASKED, provenance=LATER)),
            (AGREED, evolve(AGREED, cites=OTHER)),
            (AGREED, evolve(AGREED, list=OFFERS)),
            (AGREED, evolve(AGREED, subject=ANN_HOME)),
            (AGREED, evolve(AGREED, subject=BOB_HERE)),
            (AGREED, evolve(AGREED, provenance=LATER)),
            (AGREED, evolve(AGREED, provenance=AT_MAILCHIMP)),
            (AGREED, evolve(AGREED, request=ASKED.id)),
            (evolve(AGREED, cites=()), evolve(AGREED, cites=(), standing=Standing.EXPRESS)),
            (MOVED, evolve(MOVED, old=None)),
            (MOVED, evolve(MOVED, subject=ANN_HOME)),
            (MOVED, evolve(MOVED, subject=BOB_HERE)),
            (MOVED, evolve(MOVED, provenance=LATER)),
            (MOVED, evolve(MOVED, provenance=BY_OPERATOR)),
            (TOLD, evolve(TOLD, opt_out=EntryId("another"))),
            (TOLD, evolve(TOLD, scope=Scope.list(NEWS))),
            (TOLD, evolve(TOLD, provenance=LATER)),
            (TOLD, evolve(TOLD, provenance=AT_MAILCHIMP)),
        ],
    )
    def test_another_thing(self, one: Entry, other: Entry) -> None:
        """What says something else has another id, so that the door never takes it for a repeat."""
        assert one.id != other.id

    @given(logs())
    def test_kinds_never_share_an_id(self, entries: list[Entry]) -> None:
        """Entries of two kinds never have one id."""
        kinds: dict[EntryId, set[type[Entry]]] = {}
        for one in entries:
            kinds.setdefault(one.id, set()).add(type(one))
        assert all(len(found) == 1 for found in kinds.values())

    def test_an_id_is_the_same_in_every_release(self) -> None:
        """Registries hold these ids: made in another way, all that they hold would come in a second time (F33)."""
        imported = evolve(AGREED, standing=Standing.IMPORTED, cites=())
        entries: list[Entry] = [
            LEFT,
            HELD,
            LIFTED,
            ASKED,
            AGREED,
            evolve(AGREED, request=ASKED.id),
            imported,
            MOVED,
            TOLD,
        ]
        assert GOLDEN == [one.id for one in entries]

    def test_entries_do_not_change(self) -> None:
        """The log is append-only, and what it holds cannot be altered."""
        with pytest.raises(FrozenInstanceError):
            LEFT.scope = Scope.list(NEWS)  # type: ignore[misc]

    @given(st.permutations(["a", "b", "c"]))
    def test_the_order_of_citing_does_not_matter(self, order: list[str]) -> None:
        """A set of cited ids is a set: its order makes no other entry."""
        ids = [EntryId(one) for one in order]
        assert evolve(AGREED, cites=ids).id == evolve(AGREED, cites=sorted(ids)).id
        assert evolve(LIFTED, cites=ids).id == evolve(LIFTED, cites=sorted(ids)).id


class TestStates:
    """A state that is reported without an event id still is one event."""

    def test_the_time_of_change_stands_for_an_event(self) -> None:
        """Two exports of one unchanged state are one event, whatever zone they write in; a new change is another."""
        assert state_event_id(ANN_HERE, START) == state_event_id(ANN_HERE, START.astimezone(TALLINN))
        assert state_event_id(ANN_HERE, START) != state_event_id(ANN_HERE, START + DAY)

    def test_without_a_time_the_subject_does(self) -> None:
        """A state without a time is one event for each subject, and never that of a state with one."""
        assert state_event_id(ANN_HERE, None) == state_event_id(Subject(key=KEYS[0]), None)
        assert state_event_id(ANN_HERE, None) != state_event_id(ANN_HOME, None)
        assert state_event_id(ANN_HERE, None) != state_event_id(ANN_HERE, START)
        assert state_event_id(Subject(contact_id=CONTACTS[0]), None) != state_event_id(
            Subject(contact_id=CONTACTS[1]), None
        )

    def test_a_state_is_known_for_one(self) -> None:
        """By the event id that stands for one, or because it has no time; an event with its own id is none."""
        assert not LEFT.is_state
        assert evolve(LEFT, event_id=state_event_id(ANN_HERE, START)).is_state
        assert evolve(LEFT, event_id=state_event_id(ANN_HERE, None), dated=False).is_state

    @pytest.mark.parametrize("kind", SuppressionKind)
    def test_only_a_pause_ends_by_itself(self, kind: SuppressionKind) -> None:
        """Nothing else has a date on which it is over (P3)."""
        if kind is SuppressionKind.PAUSE:
            assert START == evolve(HELD, until=START).until
            return
        with pytest.raises(InvalidInput, match="does not end by itself"):
            evolve(HELD, kind=kind, until=START)

    def test_a_time_without_a_zone_is_refused(self) -> None:
        """A time of change that names no zone is no instant."""
        with pytest.raises(InvalidInput, match="no time zone"):
            state_event_id(ANN_HERE, START.replace(tzinfo=None))


class TestCiting:
    """Only the person's own confirmation overrides an opt-out (O4)."""

    @pytest.mark.parametrize("evidence", ["", "  ", "a click"])
    @pytest.mark.parametrize("actor", Actor)
    @pytest.mark.parametrize("standing", Standing)
    def test_who_may_cite(self, standing: Standing, actor: Actor, evidence: str) -> None:
        """A consent that cites is the person's, confirmed and proven; any other is refused (O4)."""
        provenance = evolve(CLICK, actor=actor, evidence=evidence)

        def cite(cites: frozenset[EntryId]) -> Consent:
            return Consent(subject=ANN_HERE, list=NEWS, standing=standing, provenance=provenance, cites=cites)

        assert cite(frozenset()).cites == frozenset()
        if standing is Standing.CONFIRMED and actor is Actor.CONTACT and evidence.strip():
            assert cite(CITED).cites == CITED
        else:
            with pytest.raises(ConsentRefused):
                cite(CITED)

    def test_the_refusal_says_what_to_do(self) -> None:
        """The error names the way back: subscribe and confirm, and keep the proof."""
        with pytest.raises(ConsentRefused, match=r"subscribe\(\) and confirm\(\)"):
            evolve(AGREED, standing=Standing.IMPORTED)
        with pytest.raises(ConsentRefused, match="evidence of the confirmation"):
            evolve(AGREED, provenance=evolve(CLICK, evidence=""))


class TestSubject:
    """An entry is about somebody."""

    def test_nobody_is_refused(self) -> None:
        """A subject names a contact, an address, or both."""
        with pytest.raises(InvalidInput, match="a contact, an address, or both"):
            Subject()
        assert Subject(contact_id=ContactId("ann")).key is None
        assert Subject(key=MatchKey("1:a@example.com")).contact_id is None


class TestRules:
    """The table of who may end what."""

    def test_every_kind_has_a_rule_and_a_reason(self) -> None:
        """No kind of suppression is without its rule, and each rule says why."""
        assert SUPPRESSION_RULES.keys() == set(SuppressionKind)
        assert all(rule.because for rule in SUPPRESSION_RULES.values())

    def test_words_are_asked_only_of_those_who_may(self) -> None:
        """Whoever must give words may lift; nobody lifts an erasure; no policy and no ESP lifts anything (O4)."""
        for rule in SUPPRESSION_RULES.values():
            assert rule.needs_text <= rule.lifted_by <= {Actor.CONTACT, Actor.OPERATOR}
        assert not SUPPRESSION_RULES[SuppressionKind.ERASURE].lifted_by

    def test_a_lift_ends_what_it_cites(self) -> None:
        """A lift says itself whether it ends a suppression: only one that it cites."""
        by_ann = evolve(LIFTED, cites=[HELD.id])
        assert by_ann.ends(HELD)
        assert not LIFTED.ends(HELD)
        assert not by_ann.ends(evolve(HELD, kind=SuppressionKind.BOUNCE))


class TestInstants:
    """Every instant of an entry is kept in UTC."""

    @pytest.mark.parametrize(
        "make",
        [
            lambda at: evolve(CLICK, at=at).at,
            lambda at: evolve(HELD, until=at).until,
            lambda at: evolve(AGREED, expires_at=at).expires_at,
        ],
        ids=["at", "until", "expires_at"],
    )
    def test_utc(self, make: Callable[[datetime], datetime]) -> None:
        """An instant in another zone is turned into UTC, and one without a zone is refused."""
        kept = make(START.astimezone(TALLINN))
        assert (kept, kept.tzinfo) == (START, UTC)
        with pytest.raises(InvalidInput, match="no time zone"):
            make(START.replace(tzinfo=None))

    def test_provenance_keeps_all_that_is_known(self) -> None:
        """Who, through what, when, which campaign and segment, the reason, the words, the evidence (O3)."""
        known = Provenance(
            actor=Actor.CONTACT,
            through=Through.PREFERENCE_PAGE,
            at=START,
            source="app",
            campaign="spring",
            segment="spenders",
            reason=OptOutReason.OTHER,
            text="I moved away",
            evidence="form 12",
        )
        entry = OptOut(subject=ANN_HERE, scope=Scope.list(ListKey("news")), event_id="e9", provenance=known)
        assert entry.provenance == known
        assert len(OptOutReason) == 6
