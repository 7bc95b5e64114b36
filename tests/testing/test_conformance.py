"""The suites themselves: what breaks a law is caught, waivers are honest, and nothing is replaced in silence."""

# ruff: noqa: ARG002, D102 - the broken ones say in their class's docstring what they break

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar, cast
from unittest import SkipTest

import pytest
from attrs import evolve

from lifecycle_mail.errors import EspUnavailable
from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Entry, OptOut, Record
from lifecycle_mail.model.events import EngagementEvent
from lifecycle_mail.model.intake import Left, Statement
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Capability, Claim, ClaimState, Content, Esp, Handled
from lifecycle_mail.testing import EspConformance, StoreConformance
from lifecycle_mail.testing.conformance import Conformance, does_not_apply, raises
from tests.test_memory import TestMemoryEsp as MemoryEspSuite


def failing(suite: Conformance) -> set[str]:
    """Run every test of a suite and return those that fail."""
    failed = set()
    for name in dir(suite):
        if name.startswith("test_"):
            try:
                getattr(type(suite)(), name)()
            except SkipTest:
                pass
            except Exception:  # noqa: BLE001 - any failure is one
                failed.add(name)
    return failed


# --- stores that break one law each ---------------------------------------------------------------------------------


class AppendsAgain(MemoryStore):
    """Takes what it holds already."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        self._by_entry.clear()
        return super().append(entries, at=at)


class KnowsIdsOnly(MemoryStore):
    """Takes an id for the whole entry, and loses the no of a second person."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        return super().append([one for one in entries if one.id not in self._by_entry], at=at)


class CountsFromZero(MemoryStore):
    """Numbers records from 0."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        return [evolve(record, seq=record.seq - 1) for record in super().append(entries, at=at)]


class TrustsTheClock(MemoryStore):
    """Stops at the first record that is later than the instant."""

    def position_at(self, instant: datetime) -> int:
        return next((r.seq - 1 for r in self._log if r.recorded_at > instant), len(self._log))


class ForgetsFormerAddresses(MemoryStore):
    """Reads by the addresses that it is given."""

    def _about(self, contact_id: ContactId, keys: Collection[MatchKey], last: int) -> Sequence[Entry]:
        return [
            record.entry for record in self._log[:last]
            if record.entry.subject.contact_id == contact_id or record.entry.subject.key in keys
        ]  # fmt: skip


class ReadsByIdOnly(MemoryStore):
    """Misses what was said of an address."""

    def _about(self, contact_id: ContactId, keys: Collection[MatchKey], last: int) -> Sequence[Entry]:
        return [record.entry for record in self._by_contact.get(contact_id, ()) if record.seq <= last]


class ReadsTheWholeLog(MemoryStore):
    """Does not stop at a position."""

    def about(
        self, whom: Mapping[ContactId, Collection[MatchKey]], *, until: int | None = None
    ) -> Mapping[ContactId, Sequence[Entry]]:
        return super().about(whom)


class LeavesOutStrangers(MemoryStore):
    """Answers only for those of whom it knows something."""

    def about(
        self, whom: Mapping[ContactId, Collection[MatchKey]], *, until: int | None = None
    ) -> Mapping[ContactId, Sequence[Entry]]:
        return {who: found for who, found in super().about(whom, until=until).items() if found}


class OffByOne(MemoryStore):
    """Includes the record after which it should start."""

    def records(self, *, after: int = 0, until: int | None = None) -> Iterator[Record]:
        return super().records(after=max(after - 1, 0), until=until)


class FindsForEver(MemoryStore):
    """Finds people at addresses that they gave up."""

    def put(self, contacts: Sequence[Contact]) -> None:
        found = {identity: set(ids) for identity, ids in self._by_identity.items()}
        super().put(contacts)
        for identity, ids in found.items():
            self._by_identity[identity] |= ids


class SortsLikePeople(MemoryStore):
    """Orders ids without regard to case."""

    def each(self) -> Iterator[Contact]:
        return iter(sorted(super().each(), key=lambda one: one.id.casefold()))


class LosesTypes(MemoryStore):
    """Keeps every field as text."""

    def put(self, contacts: Sequence[Contact]) -> None:
        super().put([evolve(one, fields={n: str(v) for n, v in one.fields.items()}) for one in contacts])


class OpenDoor(MemoryStore):
    """Lets an event in twice within a batch."""

    def admit(self, events: Sequence[EngagementEvent]) -> Sequence[EngagementEvent]:
        seen = set(self._seen)
        super().admit(events)
        return [one for one in events if one.id not in seen]


class ForgetfulDoor(MemoryStore):
    """Remembers the ids of the last batch only."""

    def admit(self, events: Sequence[EngagementEvent]) -> Sequence[EngagementEvent]:
        self._seen: set[EntryId] = {one.id for one in getattr(self, "last", [])}
        self.last = list(events)
        return super().admit(events)


class QuarantineUsesIds(MemoryStore):
    """Takes an event that was set aside for one that was seen."""

    def quarantine(self, events: Sequence[EngagementEvent], *, at: datetime) -> None:
        self._seen |= {one.id for one in events}


class EternalLease(MemoryStore):
    """Never lets a lease run out."""

    def begin(self, campaign: CampaignKey, worker: str, *, at: datetime, until: datetime) -> bool:
        return super().begin(campaign, worker, at=datetime.min.replace(tzinfo=at.tzinfo), until=until)


class AnybodyFinishes(MemoryStore):
    """Ends anybody's lease."""

    def finish(self, campaign: CampaignKey, worker: str) -> None:
        self._leases.pop(campaign, None)


class ClaimsAgain(MemoryStore):
    """Takes an unknown outcome for a free claim."""

    def claim(self, recipients: Sequence[Screened], *, at: datetime) -> Collection[ContactId]:
        for one in recipients:
            claims = self._claims[one.campaign]
            if one.contact_id in claims and claims[one.contact_id].state is ClaimState.UNKNOWN:
                del claims[one.contact_id]
        return super().claim(recipients, at=at)


class NeverClaimsAgain(MemoryStore):
    """Takes what was returned for taken."""

    def claim(self, recipients: Sequence[Screened], *, at: datetime) -> Collection[ContactId]:
        return super().claim([one for one in recipients if one.contact_id not in self._claims[one.campaign]], at=at)


class ChecksThenClaims(MemoryStore):
    """Looks first and writes later, with others in between."""

    def claim(self, recipients: Sequence[Screened], *, at: datetime) -> Collection[ContactId]:
        held = super().claims(recipients[0].campaign) if recipients else {}
        free = {one.contact_id for one in recipients if one.contact_id not in held}
        super().claim(recipients, at=at)
        return free


class EndlessChunks(MemoryStore):
    """Takes any number at once."""

    def claim(self, recipients: Sequence[Screened], *, at: datetime) -> Collection[ContactId]:
        return {one for start in range(0, len(recipients), 100) for one in super().claim(recipients[start : start + 100], at=at)}  # fmt: skip  # noqa: E501


class LatestNo(MemoryStore):
    """Keeps the latest no after hand-off."""

    def mark_in_flight(
        self, contact_id: ContactId, campaigns: Collection[CampaignKey], *, opted_out_at: datetime
    ) -> None:
        for campaign in campaigns:
            self._claims[campaign][contact_id] = evolve(self._claims[campaign][contact_id], opted_out_at=opted_out_at)


class SettleForgetsTheNo(MemoryStore):
    """Loses the no with the next state."""

    def settle(
        self, campaign: CampaignKey, contact_ids: Collection[ContactId], state: ClaimState, *, at: datetime
    ) -> None:
        super().settle(campaign, contact_ids, state, at=at)
        for one in contact_ids:
            self._claims[campaign][one] = evolve(self._claims[campaign][one], opted_out_at=None)


class UnorderedClaims(MemoryStore):
    """Gives claims in the order of campaigns."""

    def claims_of(self, contact_id: ContactId) -> Sequence[Claim]:
        return sorted(super().claims_of(contact_id), key=lambda claim: claim.campaign)


class NoTransactions(MemoryStore):
    """Undoes nothing."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield


class InnerCommits(MemoryStore):
    """Keeps what an inner transaction wrote when the outer one fails."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        inner = self._undo is not None
        with super().transaction():
            yield
            if inner and self._undo is not None:
                self._undo.clear()


class WrapsErrors(MemoryStore):
    """Lets another exception out than the one that came."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            with super().transaction():
                yield
        except Exception as error:
            raise RuntimeError("rolled back") from error


STORES: dict[type[MemoryStore], str] = {
    AppendsAgain: "test_append_skips_what_the_log_holds",
    KnowsIdsOnly: "test_an_id_that_names_another_subject_is_another_entry",
    CountsFromZero: "test_append_numbers_records_from_1_without_gaps",
    TrustsTheClock: "test_position_at_follows_the_record_even_where_the_clock_did_not",
    ForgetsFormerAddresses: "test_about_follows_every_former_address",
    ReadsByIdOnly: "test_about_finds_entries_by_contact_and_by_address",
    ReadsTheWholeLog: "test_about_stops_at_a_position",
    LeavesOutStrangers: "test_about_answers_for_everybody_asked_of",
    OffByOne: "test_records_lie_after_one_position_and_up_to_another",
    FindsForEver: "test_find_forgets_an_address_that_was_given_up",
    SortsLikePeople: "test_each_yields_everybody_once_in_order_of_id",
    LosesTypes: "test_a_contact_comes_back_whole",
    OpenDoor: "test_the_door_lets_each_event_in_once",
    ForgetfulDoor: "test_the_door_lets_each_event_in_once",
    QuarantineUsesIds: "test_quarantine_keeps_events_out",
    EternalLease: "test_a_worker_that_died_keeps_a_campaign_until_its_lease_ends",
    AnybodyFinishes: "test_a_campaign_that_was_given_back_is_free",
    ClaimsAgain: "test_only_what_was_returned_may_be_claimed_again",
    NeverClaimsAgain: "test_only_what_was_returned_may_be_claimed_again",
    EndlessChunks: "test_a_chunk_has_an_end",
    LatestNo: "test_the_earliest_no_after_hand_off_stays",
    SettleForgetsTheNo: "test_the_earliest_no_after_hand_off_stays",
    UnorderedClaims: "test_claims_of_a_contact_come_oldest_first",
    NoTransactions: "test_every_kind_of_write_is_undone_together",
    InnerCommits: "test_a_transaction_within_a_transaction_belongs_to_it",
    WrapsErrors: "test_the_exception_passes_through",
}


@pytest.mark.parametrize(("broken", "caught_by"), STORES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_store_that_breaks_a_law_is_caught(broken: type[MemoryStore], caught_by: str) -> None:
    """By the test of that law; a store that keeps them all passes (E5)."""

    class Suite(StoreConformance):
        def make_store(self) -> MemoryStore:
            return broken()

    assert caught_by in failing(Suite())


def test_a_claim_that_is_not_atomic_can_be_caught() -> None:
    """A race does not show every time; the suite's eight threads show it soon (F19)."""

    class Suite(StoreConformance):
        def make_store(self) -> MemoryStore:
            return ChecksThenClaims()

    names = {"test_what_is_claimed_is_taken", "test_of_many_workers_each_contact_is_claimed_by_one"}
    assert any(names & failing(Suite()) for _ in range(20))


class DurableSuite(StoreConformance):
    """A store of which reopening is tried out: the data stays in the process."""

    forgets = False

    def make_store(self) -> MemoryStore:
        return MemoryStore()

    def reopen(self, store: Any) -> Any:
        store.close()
        return MemoryStore() if self.forgets else store

    def another(self, store: Any) -> Any:
        return store


def test_what_survives_a_restart_is_asked_of_durable_stores() -> None:
    """Four tests need `reopen`; a store that forgets fails each of them."""

    class Forgetting(DurableSuite):
        forgets = True

    assert set() == failing(DurableSuite())
    assert 4 == len(failing(Forgetting()))
    assert all("restart" in name for name in failing(Forgetting()))


# --- ESPs that break one law each -----------------------------------------------------------------------------------


class StagesAnybody(MemoryEsp):
    """Does not look whether somebody was screened."""

    @staticmethod
    def _require_screened(recipient: Screened, campaign: CampaignKey | None) -> None:
        pass

    def _take(self, recipient: Screened) -> None:
        if isinstance(recipient, Screened):
            super()._take(recipient)

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        return super().stage(campaign, [one for one in recipients if isinstance(one, Screened)], content=content)


class StagesTwice(MemoryEsp):
    """Mails who was staged twice two times."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.again: list[Any] = []

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        known = set(self._staged[campaign])
        handled = super().stage(campaign, recipients, content=content)
        self.again += [self._staged[campaign][one] for one in known & set(handled.accepted)]
        return handled

    def release(self, campaign: CampaignKey) -> None:
        super().release(campaign)
        self.outbox += self.again


class SendsWhileStaging(MemoryEsp):
    """Does not wait for the release."""

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        handled = super().stage(campaign, recipients, content=content)
        self.outbox += self._staged[campaign].values()
        return handled


class ReleasesTwice(MemoryEsp):
    """Sends again when told again."""

    def release(self, campaign: CampaignKey) -> None:
        self._released.discard(campaign)
        super().release(campaign)


class StagesAfterRelease(MemoryEsp):
    """Takes people into a campaign that has left."""

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        released = campaign in self._released
        self._released.discard(campaign)
        handled = super().stage(campaign, recipients, content=content)
        if released:
            self._released.add(campaign)
        return handled


class OneRefusalStopsAll(MemoryEsp):
    """Fails a whole chunk for one recipient."""

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        handled = super().stage(campaign, recipients, content=content)
        for error in handled.refused.values():
            raise error
        return handled


class UnstagesNobody(MemoryEsp):
    """Keeps everybody."""

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        pass


class TakesLostAnswersForNo(MemoryEsp):
    """Turns every cut connection into "not done"."""

    def _as_refusal(self, call: Callable[[], None]) -> None:
        from lifecycle_mail.errors import OutcomeUnknown

        try:
            call()
        except OutcomeUnknown as error:
            raise EspUnavailable(esp=self.name, operation="any") from error

    def release(self, campaign: CampaignKey) -> None:
        self._as_refusal(lambda: super(TakesLostAnswersForNo, self).release(campaign))

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        self._as_refusal(lambda: super(TakesLostAnswersForNo, self).send(recipient, content=content))


class SaysNoTooEasily(MemoryEsp):
    """Denies every mail."""

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        return False


class EchoesLate(MemoryEsp):
    """Dates its report by when the person said no, hours before the push."""

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        super().suppress(opt_out, contact, at=opt_out.provenance.at)


class NewIdsEachTime(MemoryEsp):
    """Reports the same news under new ids and times whenever it is asked."""

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        self.told = [*getattr(self, "told", []), *super().reports(now=now)]
        return [
            evolve(
                one,
                event_id=f"{one.event_id}-{now}-{turn}",
                provenance=evolve(one.provenance, at=now.replace(day=9 + turn)),
            )
            for turn, one in enumerate(self.told * 2)
            if isinstance(one, Left)
        ]


class SaysNothing(MemoryEsp):
    """Reports no opt-out."""

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        super().reports(now=now)
        return []


class ClaimsTooMuch:
    """Claims what it has no methods for."""

    name = "boaster"
    capabilities = frozenset(Capability)


ESPS: dict[type, str] = {
    StagesAnybody: "test_nobody_is_staged_unscreened",
    StagesTwice: "test_staging_twice_stages_once",
    SendsWhileStaging: "test_nothing_leaves_before_release",
    ReleasesTwice: "test_release_sends_to_all_who_are_staged_once",
    StagesAfterRelease: "test_a_released_campaign_takes_nobody_in",
    OneRefusalStopsAll: "test_one_refused_recipient_does_not_stop_the_others",
    UnstagesNobody: "test_unstage_takes_out",
    TakesLostAnswersForNo: "test_a_release_whose_answer_is_lost_is_unknown",
    SaysNoTooEasily: "test_a_mail_is_sent_to_whom_it_is_for",
    EchoesLate: "test_an_echo_is_recognised",
    NewIdsEachTime: "test_a_no_that_is_reported_twice_is_one",
    SaysNothing: "test_a_no_at_the_provider_is_reported",
    ClaimsTooMuch: "test_it_can_do_what_it_claims",
}


@pytest.mark.parametrize(("broken", "caught_by"), ESPS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_an_esp_that_breaks_a_law_is_caught(broken: type, caught_by: str) -> None:
    """By the test of that law (E5)."""

    class Suite(MemoryEspSuite):
        def make_esp(self) -> Esp:
            return cast(Esp, broken())

    assert caught_by in failing(Suite())


def test_a_missing_hook_fails_the_tests_that_need_it() -> None:
    """And says what to define; nothing passes because the suite could not look."""

    class Bare(EspConformance):
        def make_esp(self) -> Esp:
            return MemoryEsp()

    failed = failing(Bare())
    assert {"test_nothing_leaves_before_release", "test_one_refused_recipient_does_not_stop_the_others"} <= failed
    error = raises(NotImplementedError, Bare().test_nothing_leaves_before_release)
    assert "define left()" in str(error)
    assert {"test_the_staged_read_back", "test_it_can_do_what_it_claims"}.isdisjoint(failed)


# --- waivers --------------------------------------------------------------------------------------------------------


class Keeps(MemoryEsp):
    """An ESP that cannot take anybody out again."""

    unstage = UnstagesNobody.unstage


class Waived(MemoryEspSuite):
    """Says so."""

    waivers: ClassVar[Mapping[str, str]] = {
        "test_unstage_takes_out": "the provider has no call for it",
    }

    def make_esp(self) -> Esp:
        return Keeps()


def test_a_waived_test_is_skipped_with_its_reason() -> None:
    """And every other test runs, those about waivers among them."""
    assert set() == failing(Waived())
    error = raises(SkipTest, Waived().test_unstage_takes_out)
    assert "the provider has no call for it" in str(error)


@pytest.mark.parametrize(
    ("waivers", "complaint"),
    [
        ({"test_unstage_takes_uot": "typing"}, "no test of this suite is named that"),
        ({"make_esp": "typing"}, "no test of this suite is named that"),
        ({"test_no_test_is_replaced": "I would rather not"}, "no test of this suite is named that"),
        ({"test_every_waiver_is_needed": "I would rather not"}, "no test of this suite is named that"),
        ({"test_unstage_takes_out": "  "}, "without a reason"),
        ({"test_the_staged_read_back": "it did not work last year"}, "take the waiver out"),
    ],
)
def test_a_waiver_that_is_not_honest_fails(waivers: dict[str, str], complaint: str) -> None:
    """It names no test, gives no reason, or is not needed; and the two tests about waivers cannot be waived."""
    given = waivers

    class Suite(MemoryEspSuite):
        waivers: ClassVar[Mapping[str, str]] = given

        def make_esp(self) -> Esp:
            return Keeps()

    with pytest.raises(AssertionError, match=complaint):
        EspConformance.test_every_waiver_is_needed(Suite())


def test_a_waiver_for_what_does_not_apply_is_honest() -> None:
    """A test that the adapter's capabilities leave out anyway may be waived."""

    class Suite(MemoryEspSuite):
        waivers: ClassVar[Mapping[str, str]] = {"test_unstage_takes_out": "sends single mails only"}

        def make_esp(self) -> Esp:
            return MemoryEsp(capabilities={Capability.SINGLE_MAILS})

    assert set() == failing(Suite())


def test_a_test_that_is_replaced_in_silence_fails() -> None:
    """A weaker copy of a law would pass for the law; with a waiver and a reason it may stand."""

    class Silent(MemoryEspSuite):
        def make_esp(self) -> Esp:
            return Keeps()

        def test_unstage_takes_out(self) -> None:
            """Look away."""

    class Open(Silent):
        waivers: ClassVar[Mapping[str, str]] = {"test_unstage_takes_out": "the provider has no call for it"}

    assert {"test_no_test_is_replaced"} == failing(Silent())
    assert set() == failing(Open())


def test_a_suite_of_one_port_can_be_used_alone() -> None:
    """A store for contacts only proves contacts only."""
    from lifecycle_mail.testing.stores import ContactsConformance

    class Suite(ContactsConformance):
        def make_store(self) -> MemoryStore:
            return MemoryStore()

    assert set() == failing(Suite())
    assert not hasattr(Suite, "test_a_campaign_has_one_worker")


def test_every_law_is_written_down() -> None:
    """Each test of each suite has a sentence that says what must hold."""
    for suite in (StoreConformance, EspConformance):
        for name, law in suite._tests.items():
            assert (law.__doc__ or "").rstrip().endswith("."), name


def test_a_helper_that_expects_an_error_fails_without_one() -> None:
    """`raises` returns the error, lets others pass, and complains where none came."""
    assert "x" in str(raises(KeyError, lambda: {"y": 1}["x"]))
    with pytest.raises(AssertionError, match="KeyError, ValueError"):
        raises((KeyError, ValueError), lambda: None)
    with pytest.raises(SkipTest, match="because"):
        does_not_apply("because")
