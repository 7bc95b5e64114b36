"""The suite for stores: what breaks a law is caught."""

# ruff: noqa: ARG002, D102 - the broken ones say in their class's docstring what they break

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import Consent, Entry, Record
from lifecycle_mail.model.events import EngagementEvent, Evidence
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId, ListKey
from lifecycle_mail.model.peppers import Peppers, pepper_of
from lifecycle_mail.model.providers import provider_of
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Claim, ClaimState, Store, Tally
from lifecycle_mail.testing.stores import NEWER_PEPPERS, PEPPERS
from tests.test_memory import TestMemoryStore as MemoryStoreSuite
from tests.testing.suites import breaks, failing, suite_of


class AppendsAgain(MemoryStore):
    """Takes what it holds already."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        self._by_entry.clear()
        return super().append(entries, at=at)


class KnowsIdsOnly(MemoryStore):
    """Takes an id for the whole entry, and loses the no of a second person."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        return super().append([one for one in entries if one.id not in self._by_entry], at=at)


class FindsTheLast(MemoryStore):
    """Takes the latest of the records that share an id."""

    def record(self, entry_id: EntryId) -> Record | None:
        found = self._by_entry.get(entry_id)
        return found[max(found)] if found else None


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
        return [record.entry for seq, record in sorted(self._by_contact.get(contact_id, {}).items()) if seq <= last]


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


class CutsTexts(MemoryStore):
    """Keeps 255 characters of a text, as a column of that length would."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        return super().append(
            [evolve(one, provenance=evolve(one.provenance, text=one.provenance.text[:255])) for one in entries], at=at
        )


class CutsLinks(MemoryStore):
    """Keeps 255 characters of a link."""

    def admit(self, events: Sequence[EngagementEvent]) -> Sequence[EngagementEvent]:
        return super().admit([evolve(one, link=one.link[:255]) for one in events])


class ForgetfulDoor(MemoryStore):
    """Remembers the ids of the last batch only."""

    def admit(self, events: Sequence[EngagementEvent]) -> Sequence[EngagementEvent]:
        self._seen: dict[str, ContactId] = {one.id: one.contact_id for one in getattr(self, "last", [])}
        self.last = list(events)
        return super().admit(events)


class QuarantineUsesIds(MemoryStore):
    """Takes an event that was set aside for one that was seen."""

    def quarantine(self, events: Sequence[EngagementEvent], *, at: datetime) -> None:
        self._seen |= {one.id: one.contact_id for one in events}


class RemovesTheDoor(MemoryStore):
    """Lets the events of who was removed in again."""

    def remove(self, contact_ids: Collection[ContactId]) -> None:
        super().remove(contact_ids)
        self._seen = {one: whose for one, whose in self._seen.items() if whose not in contact_ids}


class RemovesTheContactOnly(MemoryStore):
    """Keeps the events of who was removed."""

    def remove(self, contact_ids: Collection[ContactId]) -> None:
        events = dict(self._events)
        super().remove(contact_ids)
        self._events.update(events)


class MembersSaidYes(MemoryStore):
    """Passes over who only asked to join."""

    def members(self, lists: Collection[ListKey]) -> Iterator[Contact]:
        said = {r.entry.subject.contact_id for r in self._log if isinstance(r.entry, Consent) and r.entry.list in lists}
        return (one for one in super().members(lists) if one.id in said)


class LooksForYesFirst(MemoryStore):
    """Takes no members from what holds no yes."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        before = {to: dict(found) for to, found in self._by_list.items()}
        written = super().append(entries, at=at)
        if not any(isinstance(one, Consent) for one in entries):
            self._by_list.clear()
            self._by_list.update(before)
        return written


class HeldAreMembers(MemoryStore):
    """Takes whatever names a list, or sounds like one, for a yes to it."""

    def members(self, lists: Collection[ListKey]) -> Iterator[Contact]:
        held = {r.entry.subject.contact_id for r in self._log if getattr(r.entry, "kind", None) in lists}
        known = {*super().members(lists), *self.get([one for one in held if one]).values()}
        return iter(sorted(known, key=lambda one: one.id))


class CountsWhereTheyAreNow(MemoryStore):
    """Takes the provider that a contact has today."""

    def tally(self, *, since: date | None = None) -> Iterator[Tally]:
        now = [provider_of(one.address.domain) for one in self._contacts.values() if one.address]
        return (evolve(one, provider=now[0] if now else "") for one in super().tally(since=since))


class CountsBoth(MemoryStore):
    """Counts who really did it on top of who was said to have."""

    def _count(self, kept: Any, by: int) -> None:
        super()._count(kept, max(by, 0))


class CountsLocalDays(MemoryStore):
    """Begins its days at another hour."""

    def tally(self, *, since: date | None = None) -> Iterator[Tally]:
        return (evolve(one, day=one.day + timedelta(days=1)) for one in super().tally(since=since))


class SeenByAnybody(MemoryStore):
    """Takes a mail to one contact for a mail to all."""

    def unseen(self, mails: Mapping[ContactId, Collection[str]]) -> Mapping[ContactId, Collection[str]]:
        seen = {kept.event.mail for events in self._events.values() for kept in events.values()}
        return {who: set(asked) - seen for who, asked in mails.items()}


class BelievesTheFirst(MemoryStore):
    """Does not change what an event says."""

    def reclassify(self, evidence: Mapping[EntryId, Evidence]) -> Collection[ContactId]:
        return {self._seen[one] for one in evidence if one in self._seen}


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
        claimed: set[ContactId] = set()
        for start in range(0, len(recipients), 100):
            claimed |= {*super().claim(recipients[start : start + 100], at=at)}
        return claimed


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


class SettlesAnyway(MemoryStore):
    """Takes up what was returned, whoever is mailed there by now."""

    def settle(
        self, campaign: CampaignKey, contact_ids: Collection[ContactId], state: ClaimState, *, at: datetime
    ) -> None:
        for one in contact_ids:
            self._claims[campaign][one] = evolve(self._claims[campaign][one], state=state, at=at)


class SettlesTheRest(MemoryStore):
    """Settles whom it finds before it fails."""

    def settle(
        self, campaign: CampaignKey, contact_ids: Collection[ContactId], state: ClaimState, *, at: datetime
    ) -> None:
        for one in contact_ids:
            super().settle(campaign, [one], state, at=at)


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
    FindsTheLast: "test_an_id_of_several_finds_the_first",
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
    CutsTexts: "test_long_texts_come_back_whole",
    CutsLinks: "test_long_texts_are_kept_whole",
    ForgetfulDoor: "test_the_door_lets_each_event_in_once",
    QuarantineUsesIds: "test_quarantine_keeps_events_out",
    RemovesTheDoor: "test_who_was_removed_may_come_back",
    RemovesTheContactOnly: "test_who_is_removed_is_gone_and_the_log_stays",
    MembersSaidYes: "test_members_ever_said_yes_or_asked",
    LooksForYesFirst: "test_whoever_asks_is_a_member_at_once",
    HeldAreMembers: "test_nothing_but_a_yes_or_a_request_makes_a_member",
    CountsWhereTheyAreNow: "test_a_count_keeps_the_provider_of_its_day",
    CountsBoth: "test_days_are_counted_anew_with_the_evidence",
    CountsLocalDays: "test_events_are_counted_by_day_campaign_provider_and_mark",
    SeenByAnybody: "test_a_mail_is_unseen_until_an_event_speaks_of_it",
    BelievesTheFirst: "test_evidence_is_set_right",
    ClaimsAgain: "test_only_what_was_returned_may_be_claimed_again",
    NeverClaimsAgain: "test_only_what_was_returned_may_be_claimed_again",
    EndlessChunks: "test_a_chunk_has_an_end",
    LatestNo: "test_the_earliest_no_after_hand_off_stays",
    SettlesAnyway: "test_what_was_returned_is_not_taken_up_where_another_has_the_inbox",
    SettlesTheRest: "test_who_has_no_claim_is_not_settled",
    SettleForgetsTheNo: "test_the_earliest_no_after_hand_off_stays",
    UnorderedClaims: "test_claims_of_a_contact_come_oldest_first",
    NoTransactions: "test_every_kind_of_write_is_undone_together",
    InnerCommits: "test_a_transaction_within_a_transaction_belongs_to_it",
    WrapsErrors: "test_the_exception_passes_through",
}


@pytest.mark.parametrize(("broken", "caught_by"), STORES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_store_that_breaks_a_law_is_caught(broken: type[MemoryStore], caught_by: str) -> None:
    """By the test of that law; a store that keeps them all passes (E5)."""
    assert breaks(suite_of(broken), caught_by)


def test_a_claim_that_is_not_atomic_can_be_caught() -> None:
    """A race does not show every time; the suite's eight threads show it soon (F19)."""

    names = ["test_what_is_claimed_is_taken", "test_of_many_workers_each_contact_is_claimed_by_one"]
    assert any(breaks(suite_of(ChecksThenClaims), name) for _ in range(20) for name in names)


class DurableSuite(MemoryStoreSuite):
    """A store of which reopening is tried out: the data stays in the process."""

    forgets = False

    def reopen(self, store: Any) -> Any:
        store.close()
        return MemoryStore(peppers=PEPPERS) if self.forgets else store

    def with_peppers(self, store: Store, peppers: Mapping[str, str]) -> Store:
        assert isinstance(store, MemoryStore)
        for one in {pepper_of(hashed) for hashed in store._erased}:
            if not Peppers(peppers).proves(one, Peppers(NEWER_PEPPERS).proof(one)):
                raise Misconfigured("another pepper")
        return super().with_peppers(store, peppers)


def test_what_survives_a_restart_is_asked_of_durable_stores() -> None:
    """Some tests need `reopen`; a store that forgets fails each of them, and no other."""

    class Forgetting(DurableSuite):
        forgets = True

    assert set() == failing(DurableSuite())
    failed = failing(Forgetting())
    assert {name for name in Forgetting._tests if "restart" in name} == failed
    assert len(failed) > 8


class KeysDoNotMatter(DurableSuite):
    """A store that opens with any pepper."""

    def with_peppers(self, store: Store, peppers: Mapping[str, str]) -> Store:
        return MemoryStoreSuite.with_peppers(self, store, peppers)


def test_a_store_that_reads_without_its_pepper_is_caught() -> None:
    """It would mail who was erased (F63)."""
    assert breaks(KeysDoNotMatter(), "test_after_a_restart_nothing_is_read_without_the_right_pepper")
