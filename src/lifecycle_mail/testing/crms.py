"""The laws of a CRM adapter (O9).

A subclass says how to make the adapter, in front of whatever stands in for the customer database, and defines the
hooks that let the suite see and upset the other side::

    class TestAcme(CrmConformance):
        def make_crm(self): ...
        def shows(self, crm, contact_id): ...
"""

# ruff: noqa: ARG002, S101, SIM300 - a suite is made of tests, and of hooks that a subclass fills in

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from attrs import evolve

from lifecycle_mail.errors import EspError, EspUnavailable, OutcomeUnknown
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut, Suppression, SuppressionKind
from lifecycle_mail.model.intake import Known, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId, ListKey
from lifecycle_mail.model.pictures import Mailed, Picture
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.model.provenance import Actor, OptOutReason, Through
from lifecycle_mail.ports import Crm
from lifecycle_mail.testing.builders import contact, days_ago, frozen_now, said, subject_of
from lifecycle_mail.testing.conformance import Conformance, hook, raises

MINUTE = timedelta(minutes=1)
ADA, BOB = contact("ada", fields={"role": "buyer"}, tags={"vip"}), contact("bob", address=None)


def picture(someone: Contact, standing: ListStanding = ListStanding.ACTIVE) -> Picture:
    """Return a contact's picture, with something of everything that one can show."""
    left = said(at=days_ago(1), through=Through.PREFERENCE_PAGE, reason=OptOutReason.OTHER, text="too \N{SNOWMAN}")
    no = OptOut(subject=subject_of(someone), scope=Scope.list("news"), event_id="1", provenance=left)
    paused = Suppression(
        subject=subject_of(someone),
        kind=SuppressionKind.PAUSE,
        event_id="2",
        provenance=left,
        until=frozen_now + MINUTE,
    )
    mailed = Mailed(campaign=CampaignKey("spring"), state="handed-off", at=days_ago(2), opted_out_at=days_ago(1))
    return Picture(
        contact=someone,
        at=frozen_now,
        lists={ListKey("offers"): standing, ListKey("news"): ListStanding.OUT_OF_LIST},
        opt_outs=(no,),
        suppressions={SuppressionKind.PAUSE: paused},
        engagement=EngagementProfile(contact_id=someone.id),
        tier="warm",
        tier_reason="opened 2 of 5",
        step="none",
        step_reason="not silent",
        mails=(mailed,),
        value=99.5,
    )


class CrmConformance(Conformance, suite=True):
    """Every law of `ports.Crm`; subclass it and define `make_crm` and the hooks."""

    # -- what an adapter's subclass defines

    def make_crm(self) -> Crm:
        """Return an adapter in front of a database of its own, which knows nobody."""
        return hook("make_crm", "return the adapter")

    def shows(self, crm: Crm, contact_id: ContactId) -> object:
        """Return what the other side shows of a contact, in any form that can be compared; None for a stranger."""
        return hook("shows", "say what the database shows")

    def say(self, crm: Crm, statement: Statement) -> None:
        """Let a colleague change something in the database, so that it has this to say."""
        hook("say", "let the database have something to say")

    def refuse(self, crm: Crm, contact_id: ContactId) -> None:
        """Let the database refuse one contact for good."""
        hook("refuse", "let the database refuse one contact")

    def limit(self, crm: Crm, operation: str) -> None:
        """Let the database answer the next call of an operation with 429, whatever a retry policy does about it."""
        hook("limit", "let the database answer 429")

    def cut(self, crm: Crm, operation: str, *, done: bool) -> None:
        """Cut the connection in the next call of an operation, after (`done`) or before the work was done."""
        hook("cut", "let the answer of the database get lost")

    # -- what it is shown

    def test_it_is_a_crm(self) -> None:
        """It has a name, and every method of the port."""
        crm = self.make_crm()
        assert isinstance(crm, Crm)
        assert crm.name == crm.name.strip() != ""

    def test_it_shows_what_it_is_shown(self) -> None:
        """Each contact of a batch, with an address or without; a newer picture replaces an older one."""
        crm = self.make_crm()
        assert [None, None] == self._shown(crm)
        assert {} == dict(crm.show([picture(ADA), picture(BOB)]))
        before = self._shown(crm)
        assert None not in before
        assert {} == dict(crm.show([picture(ADA, ListStanding.OUT_OF_ALL)]))
        after = self._shown(crm)
        assert before[0] != after[0]
        assert before[1] == after[1]
        assert {} == dict(crm.show([]))
        assert after == self._shown(crm)

    def test_showing_the_same_again_changes_nothing(self) -> None:
        """In another batch and within one (E2)."""
        crm = self.make_crm()
        crm.show([picture(ADA), picture(BOB)])
        before = self._shown(crm)
        crm.show([picture(BOB), picture(ADA), picture(ADA)])
        assert before == self._shown(crm)

    def test_who_is_refused_stops_nobody_else(self) -> None:
        """The answer names them, with an error that says not to repeat it; the others are shown (F26)."""
        crm = self.make_crm()
        self.refuse(crm, ADA.id)
        refused = crm.show([picture(ADA), picture(BOB)])
        assert {ADA.id} == set(refused)
        assert isinstance(refused[ADA.id], EspError)
        assert not refused[ADA.id].retryable
        shown = self._shown(crm)
        assert shown[0] is None
        assert shown[1] is not None

    def test_a_rate_limit_can_be_waited_out(self) -> None:
        """429 is "not done, come again", and coming again works (F24)."""
        crm = self.make_crm()
        self.limit(crm, "show")
        error = raises(EspUnavailable, lambda: crm.show([picture(ADA)]))
        assert error.retryable  # type: ignore[attr-defined]
        assert [None, None] == self._shown(crm)
        crm.show([picture(ADA)])
        assert self._shown(crm)[0] is not None

    def test_a_lost_answer_is_unknown_and_may_be_repeated(self) -> None:
        """Whether it was done or not, showing the same again ends with the same (F22)."""
        plain = self.make_crm()
        plain.show([picture(ADA)])
        for done in (True, False):
            crm = self.make_crm()
            self.cut(crm, "show", done=done)
            raises(OutcomeUnknown, lambda crm=crm: crm.show([picture(ADA)]))  # type: ignore[misc]
            assert done is (self._shown(crm)[0] is not None)
            crm.show([picture(ADA)])
            assert self._shown(plain) == self._shown(crm)

    # -- what it says

    def test_what_it_says_is_told_until_it_is_stored(self) -> None:
        """A crash between fetching and storing loses nothing (F4)."""
        crm = self.make_crm()
        assert [] == list(crm.changes(now=frozen_now))
        for statement in self._statements(crm):
            self.say(crm, statement)
        told = list(crm.changes(now=frozen_now + MINUTE))
        assert _known(self._statements(crm)) == _known(told) == _known(crm.changes(now=frozen_now + MINUTE))
        assert {crm.name} == {one.provenance.source for one in told if isinstance(one, Left)}
        crm.acknowledge(told[:1])
        assert _known(told[1:]) == _known(crm.changes(now=frozen_now + MINUTE))
        crm.acknowledge(told)
        assert [] == list(crm.changes(now=frozen_now + MINUTE))

    # -- forgetting

    def test_who_is_forgotten_is_unknown(self) -> None:
        """Their picture is gone and nothing is said of them; others keep theirs (O5)."""
        crm = self.make_crm()
        crm.show([picture(ADA), picture(BOB)])
        for statement in self._statements(crm):
            self.say(crm, statement)
        before = self._shown(crm)
        crm.forget(ADA.id)
        assert [None, before[1]] == self._shown(crm)
        assert {BOB.id} == {one.who.contact_id for one in crm.changes(now=frozen_now + MINUTE)}

    def test_forgetting_again_or_somebody_unknown_changes_nothing(self) -> None:
        """An erasure that was interrupted forgets again."""
        crm = self.make_crm()
        crm.show([picture(BOB)])
        before = self._shown(crm)
        for _ in range(2):
            crm.forget(ADA.id)
        assert before == self._shown(crm)

    # -- inside

    def _shown(self, crm: Crm) -> list[object]:
        return [self.shows(crm, one.id) for one in (ADA, BOB)]

    def _statements(self, crm: Crm) -> list[Statement]:
        """Return what colleagues note: a role, and two noes."""
        by_hand = said(Actor.OPERATOR, at=frozen_now, through=Through.APPLICATION, source=crm.name)
        return [
            Known(who=Who(ADA.id, ADA.address), fields={"role": "owner"}),
            Left(who=Who(ADA.id), scope=Scope.all(), provenance=by_hand, event_id="1"),
            Left(who=Who(BOB.id), scope=Scope.list("news"), provenance=evolve(by_hand, at=days_ago(1)), event_id="2"),
        ]


def _known(statements: Sequence[Statement]) -> list[tuple[str, str | None]]:
    """Return what kinds of statements there are, and about whom, in no particular order."""
    return sorted((type(one).__name__, one.who.contact_id) for one in statements)
