"""The suite for stores: what breaks a law of answers is caught."""

# ruff: noqa: ARG002, D102 - the broken ones say in their class's docstring what they break

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import pytest
from attrs import evolve

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.model.answers import Answer, Question, without_person
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.testing.stores import StoreConformance
from tests.testing.suites import breaks, suite_of


class KeepsTheFirst(MemoryStore):
    """Hears no change of mind."""

    def put_answers(self, answers: Sequence[Answer]) -> None:
        super().put_answers([one for one in answers if one.id not in self._answers[one.contact_id]])


class KeepsWhatCameLast(MemoryStore):
    """Takes the latest to be written for the latest that was given."""

    def put_answers(self, answers: Sequence[Answer]) -> None:
        for one in answers:
            self._answers[one.contact_id].pop(one.id, None)
            super().put_answers([one])


class CountsEachClick(MemoryStore):
    """Takes a second click for a second answer."""

    def put_answers(self, answers: Sequence[Answer]) -> None:
        for one in answers:
            self._answers[one.contact_id][EntryId(f"{one.id}{one.at}")] = one


class KeepsTheFirstMail(MemoryStore):
    """Lets the order tell, where two differ in little."""

    def put_answers(self, answers: Sequence[Answer]) -> None:
        for one in answers:
            before = self._answers[one.contact_id].get(one.id)
            if before is None or before != evolve(one, asked_at=before.asked_at):
                super().put_answers([one])


class TakesNobodys(MemoryStore):
    """Passes over what is nobody's, and says nothing."""

    def put_answers(self, answers: Sequence[Answer]) -> None:
        for one in answers:
            with suppress(InvalidInput):
                super().put_answers([one])


class EndsWithTheEnd(MemoryStore):
    """Counts the first instant of the next month as well."""

    def answers(
        self, *, question: Question | None = None, since: datetime | None = None, before: datetime | None = None
    ) -> Iterator[Answer]:
        every = super().answers(question=question, since=since)
        return (one for one in every if before is None or one.at <= before)


class BeginsAfterTheBeginning(MemoryStore):
    """Leaves out the first instant."""

    def answers(
        self, *, question: Question | None = None, since: datetime | None = None, before: datetime | None = None
    ) -> Iterator[Answer]:
        return (one for one in super().answers(question=question, before=before) if since is None or one.at > since)


class ForgetsTheQuestion(MemoryStore):
    """Tells all, whatever is asked."""

    def answers(
        self, *, question: Question | None = None, since: datetime | None = None, before: datetime | None = None
    ) -> Iterator[Answer]:
        return super().answers(since=since, before=before)


class TellsByPerson(MemoryStore):
    """Orders by who answered."""

    def answers(
        self, *, question: Question | None = None, since: datetime | None = None, before: datetime | None = None
    ) -> Iterator[Answer]:
        found = super().answers(question=question, since=since, before=before)
        return iter(sorted(found, key=lambda one: one.contact_id))


class NamesTheSilent(MemoryStore):
    """Tells of those who answered nothing, too."""

    def answers_of(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Sequence[Answer]]:
        return {**dict.fromkeys(contact_ids, ()), **super().answers_of(contact_ids)}


class CutsWords(MemoryStore):
    """Keeps 255 characters, as a column of that length would."""

    def put_answers(self, answers: Sequence[Answer]) -> None:
        super().put_answers([evolve(one, text=one.text[:255]) for one in answers])


class ArchivesAnswers(MemoryStore):
    """Lets what somebody answered go with the contact."""

    def _remove(self, contact_id: ContactId) -> None:
        super()._remove(contact_id)
        self._answers.pop(contact_id, None)


class KeepsTheWords(MemoryStore):
    """Takes the name away, and leaves what they wrote."""

    def _erase_answers(self, contact_id: ContactId) -> None:
        for one in (self._drop(self._answers, contact_id) or {}).values():
            self._set(self._answers_of_nobody, len(self._answers_of_nobody), evolve(one, contact_id=ContactId("")))


class KeepsTheMoment(MemoryStore):
    """Leaves the instant, by which a log of requests tells who it was."""

    def _erase_answers(self, contact_id: ContactId) -> None:
        for one in (self._drop(self._answers, contact_id) or {}).values():
            left = evolve(without_person(one), at=one.at)
            self._set(self._answers_of_nobody, len(self._answers_of_nobody), left)


class ForgetsThatItWasSaid(MemoryStore):
    """Deletes what was chosen: last month's numbers change."""

    def _erase_answers(self, contact_id: ContactId) -> None:
        self._drop(self._answers, contact_id)


class CountsThemAgain(MemoryStore):
    """Counts what who was erased says again, as nobody's."""

    def put_answers(self, answers: Sequence[Answer]) -> None:
        super().put_answers(answers)
        for one in answers:
            if self._is_hidden(one.contact_id):
                self._set(self._answers_of_nobody, len(self._answers_of_nobody), without_person(one))


class LetsThemBack(MemoryStore):
    """Writes down what who was erased says later."""

    def put_answers(self, answers: Sequence[Answer]) -> None:
        for one in answers:
            self._answers[one.contact_id][one.id] = one


STORES: dict[type[MemoryStore], str] = {
    KeepsTheFirst: "test_a_later_answer_to_the_same_question_takes_the_place_of_the_first",
    KeepsWhatCameLast: "test_whatever_order_they_come_in_the_same_one_holds",
    CountsEachClick: "test_of_many_workers_the_latest_answer_holds",
    KeepsTheFirstMail: "test_of_two_that_differ_in_when_it_was_asked_alone_the_same_one_holds",
    TakesNobodys: "test_nobody_answers",
    EndsWithTheEnd: "test_a_time_begins_with_its_first_instant_and_ends_before_its_last",
    BeginsAfterTheBeginning: "test_a_time_begins_with_its_first_instant_and_ends_before_its_last",
    ForgetsTheQuestion: "test_a_time_begins_with_its_first_instant_and_ends_before_its_last",
    TellsByPerson: "test_answers_come_in_order_of_the_instant_then_of_the_id",
    NamesTheSilent: "test_an_answer_comes_back_whole",
    CutsWords: "test_texts_of_any_length_come_back_whole",
    ArchivesAnswers: "test_who_is_taken_out_of_the_active_records_is_counted_still",
    KeepsTheWords: "test_nothing_can_be_read_of_who_was_erased",
    KeepsTheMoment: "test_what_was_chosen_stays_without_a_name",
    ForgetsThatItWasSaid: "test_what_was_chosen_stays_without_a_name",
    CountsThemAgain: "test_nothing_brings_back_what_an_erasure_took",
    LetsThemBack: "test_nothing_else_that_is_written_later_can_be_read",
}


@pytest.mark.parametrize(("broken", "caught_by"), STORES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_store_that_breaks_a_law_of_answers_is_caught(broken: type[MemoryStore], caught_by: str) -> None:
    """By the test of that law (E5)."""
    assert breaks(suite_of(broken), caught_by)


def test_no_law_of_a_port_hides_that_of_another() -> None:
    """The suites are put together by inheritance: two laws of one name would be one."""
    seen: dict[str, type] = {}
    for suite in StoreConformance.__mro__[1:]:
        for name in vars(suite):
            if name.startswith("test_"):
                assert name not in seen, f"{name}: in {suite.__name__} and in {seen[name].__name__}"
                seen[name] = suite
