"""The suite for stores: an erasure that leaves something, or takes too much, is caught."""

# ruff: noqa: ARG002, D102 - the broken ones say in their class's docstring what they break

from collections.abc import Collection, Mapping, Sequence, Set
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import pytest
from attrs import evolve

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.memory.base import Name
from lifecycle_mail.memory.log import Shelf
from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import STATE, AddressChanged, Entry, Lift, OptOut, Record, named_in
from lifecycle_mail.model.names import CampaignKey, ContactId, EntryId
from lifecycle_mail.model.peppers import Peppers, is_hashed
from lifecycle_mail.model.redaction import ERASED, redacted, renamed, with_id
from lifecycle_mail.ports import Claim, ClaimState, SetAside
from tests.testing.suites import breaks, suite_of

T = TypeVar("T", bound=Entry)


class RenamesOnly(MemoryStore):
    """Leaves words and proof where they were written."""

    def _erase_records(self, names: Mapping[str, str]) -> Set[EntryId]:
        for record in list(self._log):
            self._replace_entry(record, renamed(record.entry, names))
        return set()


class KeepsIds(MemoryStore):
    """Leaves ids that anybody could try addresses against."""

    def _new_id(self, entry_id: EntryId, pepper: str | None = None) -> EntryId:
        return entry_id


class KeepsTasks(MemoryStore):
    """Goes on telling others of who was erased."""

    def _erase_tasks(self, contact_id: str, entries: Collection[EntryId]) -> None:
        return


class KeepsWhatIsEarly(MemoryStore):
    """Leaves events of the future."""

    def _remove(self, contact_id: ContactId) -> None:
        early = dict(self._quarantined)
        super()._remove(contact_id)
        self._quarantined = early


class KeepsWhatIsAside(MemoryStore):
    """Leaves what waits for a decision."""

    def _erase_aside(self, names: Collection[str]) -> None:
        return


class DropsWhatIsAside(MemoryStore):
    """Takes others' suppressions away as well."""

    def _erase_aside(self, names: Collection[str]) -> None:
        self._aside.clear()


class LeavesAGap(MemoryStore):
    """Drops the records of who was erased, and with them what bound them."""

    def _erase_records(self, names: Mapping[str, str]) -> Set[EntryId]:
        self._by_key.clear()
        self._by_contact.clear()
        self._log = [record for record in self._log if record.entry.subject.contact_id not in names]
        return set()


class RedactsAgain(MemoryStore):
    """Takes what was erased before for new."""

    def _erase_records(self, names: Mapping[str, str]) -> Set[EntryId]:
        theirs = set(names) | set(names.values())
        for record in list(self._log):
            if theirs & {record.entry.subject.contact_id, record.entry.subject.key}:
                self._replace_entry(record, redacted(record.entry, names, self._new_id))
        return set()


class MendsNothing(MemoryStore):
    """Leaves others with references to ids that are gone."""

    def _erase_records(self, names: Mapping[str, str]) -> Set[EntryId]:
        before = {record.seq: record.entry for record in self._log}
        gone = super()._erase_records(names)
        for record in list(self._log):
            if not is_hashed(record.entry.subject.contact_id or "") and not is_hashed(record.entry.subject.key or ""):
                self._replace_entry(record, before[record.seq])
        return gone


class MendsNoLifts(MemoryStore):
    """Leaves lifts of others with references to ids that are gone."""

    def _erase_records(self, names: Mapping[str, str]) -> Set[EntryId]:
        before = {record.seq: record.entry for record in self._log if isinstance(record.entry, Lift)}
        gone = super()._erase_records(names)
        for seq, entry in before.items():
            self._replace_entry(self._log[seq - 1], entry)
        return gone


class MakesUpWords(MemoryStore):
    """Lets words stand where none stood."""

    def _replace_entry(self, record: Record, entry: Entry) -> None:
        spoken = evolve(entry.provenance, text=ERASED)
        super()._replace_entry(record, with_id(evolve(entry, provenance=spoken), entry.id))


class TakesStatesForEvents(MemoryStore):
    """Leaves nothing by which a state is known for one."""

    def _replace_entry(self, record: Record, entry: Entry) -> None:
        if isinstance(entry, OptOut):
            entry = with_id(evolve(entry, event_id=entry.event_id.removeprefix(STATE)), entry.id)
        super()._replace_entry(record, entry)


class HidesOneForm(MemoryStore):
    """Knows who was erased by one hash alone, though another pepper is in use."""

    def _hide(self, names: Mapping[str, str]) -> None:
        for hashed in names.values():
            self._set(self._erased, hashed, hashed)


class NeedsAnAddress(MemoryStore):
    """Erases nobody who has none."""

    def erase(self, contact_id: ContactId, keys: Collection[MatchKey]) -> None:
        if any(one.address is not None for one in self.get([contact_id]).values()):
            super().erase(contact_id, keys)


class SetsAsideByAddress(MemoryStore):
    """Hides what is set aside only where it names an address that was erased."""

    def set_aside(self, entries: Sequence[SetAside]) -> None:
        plain = [one for one in entries if one.entry.subject.key is None]
        super().set_aside([one for one in entries if one.entry.subject.key is not None])
        self._aside.update({one.entry.id: one for one in plain})


class ForgetsWhomItErased(MemoryStore):
    """Cannot find what it left."""

    def _stored(self, name: Name) -> Name:
        return name


class TellsTheHash(MemoryStore):
    """Answers with hashes to who asked by a name."""

    def _about(self, contact_id: ContactId, keys: Collection[MatchKey], last: int) -> Sequence[Entry]:
        return super()._about(self._stored(contact_id), [self._stored(key) for key in keys], last)


class TellsEveryName(MemoryStore):
    """Names an address that nobody asked for."""

    def _about(self, contact_id: ContactId, keys: Collection[MatchKey], last: int) -> Sequence[Entry]:
        known = getattr(self, "known", {})
        return [renamed(one, known) for one in super()._about(contact_id, keys, last)]

    def erase(self, contact_id: ContactId, keys: Collection[MatchKey]) -> None:
        super().erase(contact_id, keys)
        self.known = {self._stored(name): name for name in (contact_id, *keys)}


class TellsNobody(MemoryStore):
    """Does not say whom it erased."""

    def erased(self, names: Collection[str]) -> Collection[str]:
        return set()


class WritesThePlainKey(MemoryStore):
    """Writes about who was erased as about anybody."""

    def _erased_names(self, entry: Entry) -> dict[str, str]:
        return {}


class WritesTheWords(MemoryStore):
    """Hides the name and keeps the words of what comes later."""

    def _without_names(self, entry: T, names: Mapping[str, str]) -> T:
        return with_id(renamed(entry, names), self._new_id(entry.id)) if names else entry


class WritesTheSameAgain(MemoryStore):
    """Takes what it held before the erasure for new."""

    def _unless_held(self, entry: Entry) -> Entry | None:
        names = self._erased_names(entry)
        return self._without_names(entry, names) if names else super()._unless_held(entry)


class HashesCitations(MemoryStore):
    """Hashes the ids that it gave out itself."""

    def _without_names(self, entry: T, names: Mapping[str, str]) -> T:
        return redacted(entry, names, self._new_id) if names else entry


class ReusesIds(MemoryStore):
    """Writes a contact under an id that was erased."""

    def put(self, contacts: Sequence[Contact]) -> None:
        erased, self._erased = self._erased, {}
        try:
            super().put(contacts)
        finally:
            self._erased = erased


class KeepsProfiles(MemoryStore):
    """Writes the profile of who was erased."""

    def save(self, profiles: Sequence[Any]) -> None:
        self._profiles.update({one.contact_id: one for one in profiles})


class OpensTheDoor(MemoryStore):
    """Forgets which events it has seen."""

    def _erase_events(self, contact_id: ContactId, name: ContactId) -> None:
        super()._erase_events(contact_id, name)
        self._seen = {one: whose for one, whose in self._seen.items() if whose != name}


class ForgetsTheSend(MemoryStore):
    """Lets a campaign go out to the same inbox again."""

    def _erase_claims(self, contact_id: ContactId, names: Mapping[str, str]) -> None:
        for claims in self._claims.values():
            claims.pop(contact_id, None)


class SettlesByName(MemoryStore):
    """Does not find a claim whose contact was erased meanwhile."""

    def settle(
        self, campaign: CampaignKey, contact_ids: Collection[ContactId], state: ClaimState, *, at: datetime
    ) -> None:
        super().settle(campaign, [one for one in contact_ids if self._stored(one) == one], state, at=at)


class HashesWithoutASecret(MemoryStore):
    """Erases without a pepper, so that anybody can try addresses."""

    def erase(self, contact_id: ContactId, keys: Collection[MatchKey]) -> None:
        given, self._peppers = self._peppers, self._peppers or Peppers({"none": "0" * 32})
        super().erase(contact_id, keys)
        self._peppers = given


class NewestPepperOnly(MemoryStore):
    """Loses whom an older pepper hid."""

    def _stored(self, name: Name) -> Name:
        given = self._peppers
        newest = list(given.secrets)[-1:]
        self._peppers = Peppers({one: given.secrets[one] for one in newest})
        try:
            return super()._stored(name)
        finally:
            self._peppers = given


class ErasesForGood(MemoryStore):
    """Does not undo an erasure."""

    def erase(self, contact_id: ContactId, keys: Collection[MatchKey]) -> None:
        undo, self._undo = self._undo, []
        super().erase(contact_id, keys)
        self._undo = undo


class Renumbers(MemoryStore):
    """Dates what it redacts anew."""

    def _replace_entry(self, record: Record, entry: Entry) -> None:
        super()._replace_entry(record, entry)
        self._log[record.seq - 1] = evolve(self._log[record.seq - 1], recorded_at=self._log[-1].recorded_at)


class MatchesNoHashes(MemoryStore):
    """Finds what was told under a hash only after an erasure."""

    def _forms(self, name: str) -> list[str]:
        return super()._forms(name) if self._erased else [name]


class TakesHashesForErasures(MemoryStore):
    """Believes that whoever is known by a hash was erased."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        keys = [one.subject.key for one in entries if one.subject.key and is_hashed(one.subject.key)]
        self._erased |= {key: key for key in keys}
        return super().append(entries, at=at)


class TakesAnyHash(MemoryStore):
    """Keeps hashes under peppers that it has not."""

    def append(self, entries: Sequence[Entry], *, at: datetime) -> Sequence[Record]:
        given, self._peppers = self._peppers, Peppers({**self._peppers.secrets, "1999": "a secret of 16 bytes"})
        try:
            return super().append(entries, at=at)
        finally:
            self._peppers = given


class ForgetsFormerHashes(MemoryStore):
    """Does not look for hashes of addresses that somebody used to have."""

    def about(
        self, whom: Mapping[ContactId, Collection[MatchKey]], *, until: int | None = None
    ) -> Mapping[ContactId, Sequence[Entry]]:
        found = super().about(whom, until=until)
        former = [one.old for entries in found.values() for one in entries if isinstance(one, AddressChanged)]
        return {who: [one for one in entries if one.subject.key not in former] for who, entries in found.items()}


class ErasesPlainNamesOnly(MemoryStore):
    """Leaves what was told of somebody under a hash."""

    def _erase_records(self, names: Mapping[str, str]) -> Set[EntryId]:
        told, self._told_by_hash = self._told_by_hash, set()
        erased, self._erased = self._erased, {}
        try:
            return super()._erase_records(names)
        finally:
            self._told_by_hash, self._erased = told, erased


class TakesHashesForRedacted(MemoryStore):
    """Believes that whatever names a hash was redacted already."""

    def _erase_records(self, names: Mapping[str, str]) -> Set[EntryId]:
        hashes = {name for record in self._log for name in named_in(record.entry) if is_hashed(name)}
        erased, self._erased = self._erased, self._erased | {name: name for name in hashes}
        try:
            return super()._erase_records(names)
        finally:
            self._erased = erased


class HidesOneHash(MemoryStore):
    """Knows who was erased by the newest hash alone, and keeps the words that come under another."""

    def _hide(self, names: Mapping[str, str]) -> None:
        super()._hide(names)
        self._erased = {form: kept for form, kept in self._erased.items() if form == kept}


class TakesAnythingForAHash(MemoryStore):
    """Passes over in silence what begins like a hash."""

    def erase(self, contact_id: ContactId, keys: Collection[MatchKey]) -> None:
        with suppress(InvalidInput):
            super().erase(contact_id, keys)


class KeepsIdsOfTheRemoved(MemoryStore):
    """Forgets whose the events were that a removed contact had."""

    def remove(self, contact_ids: Collection[ContactId]) -> None:
        super().remove(contact_ids)
        self._seen = {one: ContactId("") if whose in contact_ids else whose for one, whose in self._seen.items()}


class LooksAtOneInbox(MemoryStore):
    """Does not ask who was mailed under other hashes of an address."""

    def _holders(self, campaign: CampaignKey, addresses: Collection[str]) -> list[Claim]:
        return super()._holders(campaign, list(addresses)[:1])


class FindsNoHashedIds(MemoryStore):
    """Finds what was told of an address under a hash, and not of an id."""

    def _of_contact(self, contact_id: ContactId) -> Shelf:
        return self._by_contact.get(self._stored(contact_id), {})


STORES: dict[type[MemoryStore], str] = {
    ErasesPlainNamesOnly: "test_who_is_known_by_hashes_alone_can_be_erased",
    TakesHashesForRedacted: "test_a_contact_who_is_known_by_hashes_too_can_be_erased",
    HidesOneHash: "test_what_a_hash_brings_later_cannot_be_read",
    TakesAnythingForAHash: "test_what_only_looks_like_a_hash_is_not_erased_in_silence",
    KeepsIdsOfTheRemoved: "test_who_was_archived_can_be_erased",
    LooksAtOneInbox: "test_an_inbox_that_is_known_by_an_older_hash_gets_one_mail",
    FindsNoHashedIds: "test_an_id_may_be_known_by_a_hash",
    MatchesNoHashes: "test_what_names_a_hash_is_about_whoever_it_is_of",
    TakesHashesForErasures: "test_who_is_known_by_a_hash_was_not_erased",
    TakesAnyHash: "test_a_hash_under_a_pepper_that_is_not_here_is_refused",
    ForgetsFormerHashes: "test_what_was_told_of_a_former_address_follows_the_person",
    RenamesOnly: "test_nothing_can_be_read_of_who_was_erased",
    KeepsIds: "test_nothing_can_be_read_of_who_was_erased",
    KeepsTasks: "test_nothing_can_be_read_of_who_was_erased",
    KeepsWhatIsEarly: "test_nothing_can_be_read_of_who_was_erased",
    KeepsWhatIsAside: "test_who_was_erased_is_nobody",
    DropsWhatIsAside: "test_other_people_keep_all_that_is_theirs",
    LeavesAGap: "test_what_binds_them_still_does",
    RedactsAgain: "test_who_is_erased_twice_is_erased",
    MendsNothing: "test_others_who_cite_what_was_erased_still_do",
    MendsNoLifts: "test_whatever_of_others_cites_what_was_erased_still_does",
    TakesStatesForEvents: "test_one_click_that_was_told_twice_is_one_no_still",
    NeedsAnAddress: "test_whoever_has_no_address_can_be_erased",
    SetsAsideByAddress: "test_what_is_set_aside_under_either_name_cannot_be_read",
    HidesOneForm: "test_a_hash_under_the_pepper_that_hid_others_brings_no_word",
    MakesUpWords: "test_what_was_said_without_words_gets_none",
    ForgetsWhomItErased: "test_somebody_who_was_never_heard_of_can_be_erased",
    TellsTheHash: "test_what_binds_them_still_does",
    TellsEveryName: "test_each_name_is_found_by_itself",
    TellsNobody: "test_a_store_knows_whom_it_erased",
    WritesThePlainKey: "test_what_is_written_later_is_kept_under_the_hash",
    WritesTheWords: "test_somebody_who_was_never_heard_of_can_be_erased",
    WritesTheSameAgain: "test_what_the_log_held_is_not_written_again",
    HashesCitations: "test_what_an_erasure_left_can_be_cited",
    ReusesIds: "test_an_erased_id_is_never_used_again",
    KeepsProfiles: "test_nothing_else_that_is_written_later_can_be_read",
    OpensTheDoor: "test_ids_of_events_stay_seen",
    ForgetsTheSend: "test_the_campaign_goes_to_that_inbox_no_second_time",
    SettlesByName: "test_a_send_that_an_erasure_overtakes_is_settled",
    HashesWithoutASecret: "test_an_erasure_needs_a_pepper",
    NewestPepperOnly: "test_several_peppers_are_valid_at_once",
    ErasesForGood: "test_every_kind_of_write_is_undone_together",
    Renumbers: "test_other_people_keep_all_that_is_theirs",
}


@pytest.mark.parametrize(("broken", "caught_by"), STORES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_store_that_breaks_a_law_of_erasure_is_caught(broken: type[MemoryStore], caught_by: str) -> None:
    """By the test of that law (E5)."""
    assert breaks(suite_of(broken), caught_by)
