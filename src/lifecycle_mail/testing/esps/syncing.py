"""The laws of an ESP that holds contacts, and segments of them."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import cast

from lifecycle_mail.errors import EspRefused, EspUnavailable
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.contacts import Contact, FieldType, FieldValue
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where
from lifecycle_mail.ports import (
    Capability,
    Change,
    CompilesSegments,
    Handled,
    HoldsSegments,
    KeepsContacts,
    Kept,
    KeptAs,
    NotNative,
    Shown,
)
from lifecycle_mail.testing.builders import contact, frozen_now
from lifecycle_mail.testing.conformance import does_not_apply, raises
from lifecycle_mail.testing.esps.making import OFFERS, MakesEsps

FIELDS = {"plan": FieldType.TEXT, "2020_spend": FieldType.NUMBER}
RICH = Segment("rich", of=OFFERS, where=where.field("2020_spend") > 100)


class SyncingConformance(MakesEsps, suite=True):
    """The laws of `ports.KeepsContacts`."""

    def test_what_is_missing_is_made_once(self) -> None:
        """A dry run says what would be made and makes nothing; afterwards nothing is missing."""
        esp = self._keeping(prepare=False)
        would = list(esp.prepare(FIELDS, {OFFERS.key: OFFERS}, dry_run=True))
        assert any("2020_spend" in one for one in would), would
        assert would == list(esp.prepare(FIELDS, {OFFERS.key: OFFERS}, dry_run=False))
        self.settled(esp)
        assert [] == list(esp.prepare(FIELDS, {OFFERS.key: OFFERS}, dry_run=False))
        assert any(OFFERS.key in lists for lists in esp.places.values())

    def test_nobody_was_told_nobody_is_held(self) -> None:
        """A new account is empty, and asking is no error."""
        assert {} == self._kept(self._keeping())

    def test_who_was_shown_is_held_just_so(self) -> None:
        """Fields, whose names may begin with a digit, tags and topics come back, and look right (E2, L4)."""
        esp = self._keeping()
        handled = self._show(esp, *self._people())
        assert {"ada", "bob"} == set(handled.accepted)
        held = self._kept(esp)
        assert {"ada", "bob"} == set(held)
        for one in self._people():
            kept = held[one.contact.id]
            assert (KeptAs.SUBSCRIBED, one.lists, one.address) == (kept.state, set(kept.lists), kept.address)
            assert self._folded(esp.digest(one, kept.place)) == self._folded(kept.digest), f"{one.contact.id} differs"

    def test_showing_again_changes_nothing(self) -> None:
        """A batch whose answer was lost is told again, as new ones and as known ones (F6, F22)."""
        esp = self._keeping()
        self._show(esp, *self._people())
        before = self._kept(esp)
        assert {"ada", "bob"} == set(self._show(esp, *self._people()).accepted)
        assert before == self._kept(esp)
        known = {one: kept.state for one, kept in before.items()}
        assert {"ada", "bob"} == set(self._show(esp, *self._people(), known=known).accepted)
        assert before == self._kept(esp)

    def test_a_change_is_seen(self) -> None:
        """Other fields, other tags, fewer topics: each is told apart, and takes the place of what was there."""
        esp = self._keeping()
        ada, bob = self._people()
        self._show(esp, ada, bob)
        others = [
            Shown(contact=contact("ada", fields={"plan": "free", "2020_spend": 100}), lists=ada.lists),
            Shown(contact=contact("ada", fields={"plan": "pro", "2020_spend": 250}), lists=ada.lists),
            Shown(contact=ada.contact, lists=()),
        ]
        for other in others:
            kept = self._kept(esp)[ContactId("ada")]
            assert self._folded(esp.digest(other, kept.place)) != self._folded(kept.digest)
            self._show(esp, other, known={ContactId("ada"): KeptAs.SUBSCRIBED})
            kept = self._kept(esp)[ContactId("ada")]
            assert self._folded(esp.digest(other, kept.place)) == self._folded(kept.digest)
            assert set(other.lists) == set(kept.lists)
        assert bob.lists == self._kept(esp)[ContactId("bob")].lists

    def test_who_is_out_there_is_never_let_in(self) -> None:
        """However they are told of, new or known: out stays out (E2, F27, F30)."""
        esp = self._keeping()
        ada, bob = self._people()
        self._show(esp, ada, bob)
        self.unsubscribe(esp, ada.address, Scope.all(), at=frozen_now)
        self.settled(esp)
        for known in ({}, {ContactId("ada"): KeptAs.OUT}, {ContactId("ada"): KeptAs.SUBSCRIBED}):
            handled = self._show(esp, ada, known=known)
            assert {"ada"} == {*handled.accepted, *handled.refused}
            held = self._kept(esp)
            assert KeptAs.OUT is held[ContactId("ada")].state
            assert KeptAs.SUBSCRIBED is held[ContactId("bob")].state

    def test_one_refused_contact_does_not_stop_the_others(self) -> None:
        """Partial failures name whom they concern (F26)."""
        esp = self._keeping()
        ada, bob = self._people()
        self.refuse(esp, bob.address)
        try:
            handled = self._show(esp, ada, bob)
        except EspRefused:  # some refuse the whole batch: then each alone, as a sync does
            handled = self._show(esp, ada)
        assert {"ada"} == set(handled.accepted)
        assert {"ada"} == set(self._kept(esp))

    def test_a_rate_limit_while_showing_can_be_waited_out(self) -> None:
        """429 is "not done, come again" (F24)."""
        esp = self._keeping()
        self.limit(esp, "show")
        raises(EspUnavailable, lambda: self._show(esp, *self._people()))
        self._show(esp, *self._people())
        assert {"ada", "bob"} == set(self._kept(esp))

    def _keeping(self, *, prepare: bool = True) -> KeepsContacts:
        esp = self.make_esp()
        self._need(esp, Capability.CONTACTS)
        keeping = cast(KeepsContacts, esp)
        if prepare:
            keeping.prepare(FIELDS, {OFFERS.key: OFFERS}, dry_run=False)
            self.settled(esp)
        return keeping

    def _people(self) -> tuple[Shown, Shown]:
        spent: dict[str, FieldValue] = {"plan": "pro", "2020_spend": 100}
        return (
            Shown(contact=contact("ada", fields=spent, tags=["vip"]), lists=[OFFERS.key]),
            Shown(contact=contact("bob", fields={"2020_spend": 99.5}), lists=[OFFERS.key]),
        )

    def _show(self, esp: KeepsContacts, *people: Shown, known: dict[ContactId, KeptAs] | None = None) -> Handled:
        (place,) = [place for place, lists in esp.places.items() if OFFERS.key in lists]
        asked = known or {}
        lanes: dict[Hashable, list[Change]] = {}
        for one in people:
            change = Change(shown=one, place=place, known=asked.get(one.contact.id))
            lanes.setdefault(esp.lane(change), []).append(change)
        handled = [esp.show(lane) for lane in lanes.values()]
        self.settled(esp)
        return Handled(
            accepted={one for some in handled for one in some.accepted},
            refused={one: error for some in handled for one, error in some.refused.items()},
        )

    def _kept(self, esp: KeepsContacts) -> dict[ContactId, Kept]:
        self.settled(esp)
        pages = esp.kept()
        if pages is None:
            does_not_apply(f"{esp.name} does not show what it holds")
        return {one.contact_id or ContactId(str(one.address)): one for page in pages for one in page}

    @staticmethod
    def _folded(digest: int) -> int:
        return digest % (1 << 64)


class SegmentsConformance(SyncingConformance, suite=True):
    """The laws of `ports.CompilesSegments` and `ports.HoldsSegments`."""

    def test_a_segment_that_it_can_express_has_the_right_members(self) -> None:
        """A number above a bound, of a list: natively or not at all, and exactly (L4, L7)."""
        esp = self._keeping()
        self._need(esp, Capability.SEGMENTS)
        compiling = cast(CompilesSegments, esp)
        self._show(esp, *self._spenders())
        native = compiling.compiled(RICH, FIELDS)
        assert not isinstance(native, NotNative), native.reasons
        assert native.text
        for _ in range(2):  # making it again changes nothing
            compiling.put_segment(RICH, native)
            self.settled(esp)
            assert 2 == cast(HoldsSegments, esp).segment_count(RICH)

    def test_what_it_cannot_express_has_reasons(self) -> None:
        """Our engagement is ours: no provider computes days of inactivity as we do, and each part is named (L7)."""
        esp = self._keeping()
        self._need(esp, Capability.SEGMENTS)
        segment = Segment("quiet", of=OFFERS, where=(where.days_inactive >= 75) & (where.field("2020_spend") > 100))
        answer = cast(CompilesSegments, esp).compiled(segment, FIELDS)
        assert isinstance(answer, NotNative)
        assert any("days_inactive" in reason for reason in answer.reasons)

    def test_a_segment_that_was_computed_here_is_held(self) -> None:
        """Just these are in it; filling it again puts others in their place."""
        esp = self._keeping()
        self._need(esp, Capability.MEMBERS)
        holding = cast(HoldsSegments, esp)
        people = self._spenders()
        self._show(esp, *people)
        rich = [one.contact for one in people if cast(float, one.contact.fields["2020_spend"]) > 100]
        for members in (rich, rich, rich[:1], []):
            handled = holding.fill_segment(RICH, members)
            assert {one.id for one in members} == set(handled.accepted)
            self.settled(esp)
            assert len(members) == holding.segment_count(RICH)

    def test_whom_it_does_not_hold_is_in_no_segment(self) -> None:
        """A stranger is refused by name; the rest is in."""
        esp = self._keeping()
        self._need(esp, Capability.MEMBERS)
        ada, _ = self._people()
        self._show(esp, ada)
        handled = cast(HoldsSegments, esp).fill_segment(RICH, [ada.contact, contact("zoe")])
        assert {"ada"} == set(handled.accepted)
        assert {"zoe"} == set(handled.refused)
        self.settled(esp)
        assert 1 == cast(HoldsSegments, esp).segment_count(RICH)

    def test_who_left_is_counted_in_no_segment(self) -> None:
        """Whoever is out there is not counted among those whom a campaign to the segment would reach."""
        esp = self._keeping()
        self._need(esp, Capability.SEGMENTS)
        compiling = cast(CompilesSegments, esp)
        people = self._spenders()
        self._show(esp, *people)
        native = compiling.compiled(RICH, FIELDS)
        assert not isinstance(native, NotNative)
        self.unsubscribe(esp, cast(EmailAddress, people[0].contact.address), Scope.all(), at=frozen_now)
        compiling.put_segment(RICH, native)
        self.settled(esp)
        assert 1 == cast(HoldsSegments, esp).segment_count(RICH)

    def _spenders(self) -> Sequence[Shown]:
        def spent(name: str, amount: float) -> Contact:
            return contact(name, fields={"2020_spend": amount})

        amounts = (("ada", 250), ("bob", 100.01), ("cem", 100), ("dee", 0))
        return [Shown(contact=spent(*one), lists=[OFFERS.key]) for one in amounts]
