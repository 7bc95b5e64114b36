"""The laws of answers."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

from attrs import evolve

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.answers import MAX_TEXT, Answer, CancellationReason, DriftReason, Question
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import OptOutReason
from lifecycle_mail.ports import Store
from lifecycle_mail.testing.builders import contact, frozen_now
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.stores.making import MakesStores, long_text

MICROSECOND, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)
NOON = frozen_now.replace(hour=12)
ADA, BOB = ContactId("ada"), ContactId("bob")


def answer(
    who: str = "ada", *reasons: CancellationReason, at: datetime = frozen_now, asked_at: datetime = frozen_now - DAY,
    **said: Any,
) -> Answer:  # fmt: skip
    """Return what somebody answered, now, about the plan `pro` of yesterday; else that it costs too much."""
    attributes = {
        "question": Question.CANCELLATION, "reasons": reasons or (CancellationReason.TOO_EXPENSIVE,), "about": "pro",
    }  # fmt: skip
    return Answer(contact_id=ContactId(who), asked_at=asked_at, at=at, **attributes | said)


def in_order(answers: Iterable[Answer]) -> list[Answer]:
    """Return answers in the order in which a store tells them."""
    return sorted(answers, key=lambda one: (one.at, one.id))


class AnswersConformance(MakesStores, suite=True):
    """The laws of `ports.Answers`."""

    # -- what is kept

    def test_an_answer_comes_back_whole(self) -> None:
        """Every question, reason and word, in any script, and to the microsecond."""
        spring = CampaignKey("spring")
        every = [
            answer("ada", *list(CancellationReason)[:3], at=frozen_now + MICROSECOND, text="line\nline", tool="Brev'o"),
            answer("ada", at=frozen_now, asked_at=frozen_now - 2 * DAY, improve="\N{SNOWMAN} \U0001f642", text="-- x"),
            answer("bob", question="drift", reasons=[DriftReason.TOO_BUSY], campaign=spring, about="news"),
            answer("bob", question="opt-out", reasons=[OptOutReason.OTHER], about=""),
            answer("Bob", reasons=[], text='\\json:"x"'),
            answer("bob\0", about="odd\0\ud800", text="\N{COMBINING ACUTE ACCENT}e\u200d"),
        ]
        with self.opened() as store:
            assert [] == list(store.answers())
            store.put_answers(every)
            assert in_order(every) == list(store.answers())
            assert {
                ADA: in_order(every[:2]),
                BOB: in_order(every[2:4]),
                ContactId("Bob"): [every[4]],
                ContactId("bob\0"): [every[5]],
            } == dict(store.answers_of([ADA, BOB, ContactId("Bob"), ContactId("bob\0"), ContactId("eve")]))
            assert {} == dict(store.answers_of([]))

    def test_texts_of_any_length_come_back_whole(self) -> None:
        """As long as they may be, in letters of one byte and of four, and each place of its own."""
        for letters in ("abc ", "\U0001f642\U00020000"):
            texts = [long_text(MAX_TEXT - less, letters) for less in range(3)]
            long = answer(text=texts[0], tool=texts[1], improve=texts[2], about=long_text(5_000, letters))
            with self.opened() as store:
                store.put_answers([long])
                assert [long] == list(store.answers())

    def test_nobody_answers(self) -> None:
        """What is nobody's is left by an erasure alone: it could not be told from what is there already."""
        with self.opened() as store:
            raises(InvalidInput, lambda: store.put_answers([answer("bob"), answer("")]))
            assert [] == list(store.answers())
            store.put_answers([])

    # -- which of several holds

    def test_a_later_answer_to_the_same_question_takes_the_place_of_the_first(self) -> None:
        """Who changes their mind is counted once; another person, occasion, plan, campaign or question is not (F48)."""
        first = answer()
        others = [
            answer("bob"), answer(asked_at=frozen_now), answer(about="free"), answer(campaign=CampaignKey("spring")),
            answer(campaign=CampaignKey("autumn")), answer(question="drift", reasons=[DriftReason.OTHER]),
        ]  # fmt: skip
        later = answer("ada", CancellationReason.OTHER, at=frozen_now + MINUTE, text="none of these")
        with self.opened() as store:
            store.put_answers([first, *others])
            store.put_answers([later])
            assert in_order([*others, later]) == list(store.answers())
            store.put_answers([first, *others])
            assert in_order([*others, later]) == list(store.answers())

    def test_whatever_order_they_come_in_the_same_one_holds(self) -> None:
        """In one batch or in several, and however often: two workers may take two clicks (F34)."""
        told = [
            answer(at=frozen_now - MINUTE, text="first"),
            answer(at=frozen_now),
            answer("ada", CancellationReason.OTHER, at=frozen_now),
            answer("ada", CancellationReason.OTHER, CancellationReason.TECHNICAL, at=frozen_now),
            answer("ada", CancellationReason.OTHER, CancellationReason.TECHNICAL, at=frozen_now, text="and more"),
        ]
        for order in permutations(told):
            with self.opened() as store:
                store.put_answers(order[:2])
                for one in order[2:]:
                    store.put_answers([one, one])
                assert [told[-1]] == list(store.answers())

    def test_of_two_that_differ_in_when_it_was_asked_alone_the_same_one_holds(self) -> None:
        """Whichever comes first: a campaign's mail may be rendered again, and asks the same."""
        told = [answer(campaign=CampaignKey("spring"), asked_at=frozen_now - since) for since in (MINUTE, DAY)]
        left = []
        for order in (told, told[::-1]):
            with self.opened() as store:
                for one in order:
                    store.put_answers([one])
                left.append(list(store.answers()))
        assert left[0] == left[1]
        assert 1 == len(left[0])

    # -- asking

    def test_answers_come_in_order_of_the_instant_then_of_the_id(self) -> None:
        """Whatever order they were written in."""
        told = [answer(f"c{number}", at=frozen_now + number % 3 * MINUTE) for number in range(9)]
        with self.opened() as store:
            for one in told:
                store.put_answers([one])
            assert in_order(told) == list(store.answers())

    def test_a_time_begins_with_its_first_instant_and_ends_before_its_last(self) -> None:
        """To the microsecond, for one question and for all, so that months neither overlap nor leave a gap."""
        told = [answer(f"c{turn}", at=frozen_now + turn * MICROSECOND) for turn in range(5)]
        told += [
            evolve(one, question=Question.DRIFT, reasons=[DriftReason.OTHER], at=one.at + MICROSECOND) for one in told
        ]
        times: list[datetime | None] = [None, *(frozen_now + turn * MICROSECOND for turn in range(-1, 8))]
        with self.opened() as store:
            store.put_answers(told)
            for since in times:
                for before in times:
                    within = [
                        one for one in told
                        if (since is None or since <= one.at) and (before is None or one.at < before)
                    ]  # fmt: skip
                    assert in_order(within) == list(store.answers(since=since, before=before))
                    for question in Question:
                        mine = in_order([one for one in within if one.question is question])
                        assert mine == list(store.answers(question=question, since=since, before=before))

    def test_writes_in_between_do_not_upset_the_stream(self) -> None:
        """Who reads them all while others answer gets each of those that were there once."""
        told = [answer(f"c{number}", at=frozen_now + number * MINUTE) for number in range(20)]
        with self.opened() as store:
            store.put_answers(told)
            stream = store.answers()
            read = [next(stream)]
            store.put_answers([answer("early", at=frozen_now - DAY), answer("late", at=frozen_now + DAY)])
            read += stream
            assert told == [one for one in read if one.contact_id not in ("early", "late")]

    def test_who_is_taken_out_of_the_active_records_is_counted_still(self) -> None:
        """An archive is no erasure: numbers go on to add up (O5)."""
        with self.opened() as store:
            store.put([contact("ada")])
            store.put_answers([answer()])
            store.remove([ADA])
            assert [answer()] == list(store.answers()) == list(store.answers_of([ADA])[ADA])

    # -- transactions, restarts, many workers

    def test_answers_are_written_all_or_none(self) -> None:
        """What a transaction that fails wrote or replaced is as it was."""

        def fail(store: Store) -> None:
            with store.transaction():
                store.put_answers([answer(at=frozen_now + DAY, text="changed"), answer("bob")])
                raise KeyError

        with self.opened() as store:
            store.put_answers([answer()])
            raises(KeyError, lambda: fail(store))
            assert [answer()] == list(store.answers())
            assert {ADA: [answer()]} == dict(store.answers_of([ADA, BOB]))

    def test_of_many_workers_the_latest_answer_holds(self) -> None:
        """Eight at once, each with another answer of the same person: one is left, and it is the last (F15, F48)."""
        told = [answer(at=frozen_now + number * MINUTE, text=f"number {number}") for number in range(24)]

        def worker(turn: int) -> Callable[[Store], None]:
            def write(store: Store) -> None:
                for one in told[turn::8]:
                    store.put_answers([one])

            return write

        with self.opened() as store:
            self.at_once(store, *map(worker, range(8)))
            assert [told[-1]] == list(store.answers())

    def test_answers_survive_a_restart(self) -> None:
        """What somebody said is there when the next one is to be compared with it."""
        store = self.make_store()
        store.put_answers([answer(at=frozen_now + MINUTE)])
        with self.reopened(store) as again:
            again.put_answers([answer(text="late"), answer("bob")])
            assert [answer("bob"), answer(at=frozen_now + MINUTE)] == list(again.answers())

    # -- erasure

    def test_what_was_chosen_stays_without_a_name(self) -> None:
        """Of who was erased it is counted that somebody chose it that day; of nobody else a letter changes (O5)."""
        hers = [
            answer("ada", CancellationReason.OTHER, CancellationReason.TECHNICAL, text="I", tool="am", improve="Ada"),
            answer(asked_at=frozen_now, campaign=CampaignKey("spring"), about="for ada@example.org"),
        ]
        his = answer("bob", text="I am Bob")
        with self.opened() as store:
            store.put_answers([*hers, his])
            store.erase(ADA, [])
            left = list(store.answers())
            assert {BOB: [his]} == dict(store.answers_of([ADA, BOB]))
            assert [his] == [one for one in left if one.contact_id]
            nobodys = [one for one in left if not one.contact_id]
            assert sorted(map(_chosen, hers)) == sorted((one.question, one.reasons, one.about) for one in nobodys)
            assert {("", "", "", "", NOON, NOON)} == {
                (one.id, one.text, one.tool, one.improve, one.at, one.asked_at) for one in nobodys
            }
            assert {None, "spring"} == {one.campaign for one in nobodys}

    def test_what_is_nobodys_comes_first_in_its_instant(self) -> None:
        """It has no id to be sorted by, and is found by question and time like any."""
        others = [answer(f"c{number}", at=NOON) for number in range(4)]
        with self.opened() as store:
            store.put_answers([answer(), answer(asked_at=frozen_now), *others])
            store.erase(ADA, [])
            found = list(store.answers())
            assert in_order(others) == found[2:]
            assert found == list(store.answers(question=Question.CANCELLATION, since=NOON, before=NOON + MICROSECOND))
            assert [] == list(store.answers(since=NOON - DAY, before=NOON))
            assert [] == list(store.answers(question=Question.DRIFT))

    def test_nothing_brings_back_what_an_erasure_took(self) -> None:
        """The same answers, later ones and new ones of who was erased are not written, and none counts twice (F62)."""
        hers: Sequence[Answer] = [answer(text="engines"), answer(asked_at=frozen_now)]
        later = [evolve(one, at=one.at + DAY, text="engines again") for one in hers]
        with self.opened() as store:
            store.put_answers(hers)
            store.erase(ADA, [])
            left = list(store.answers())
            for again in (hers, later, [answer(about="another")]):
                store.put_answers([*again, answer("bob")])
                assert [*left] == [one for one in store.answers() if not one.contact_id]
                assert {BOB} == set(store.answers_of([ADA, BOB]))
                assert "engines" not in repr(list(store.answers()))
            store.erase(ADA, [])
            assert left == [one for one in store.answers() if not one.contact_id]

    def test_an_erasure_that_fails_leaves_answers_as_they_were(self) -> None:
        """All of them, or none."""

        def fail(store: Store) -> None:
            with store.transaction():
                store.erase(ADA, [])
                raise KeyError

        with self.opened() as store:
            store.put_answers([answer(text="words"), answer("bob")])
            raises(KeyError, lambda: fail(store))
            assert in_order([answer(text="words"), answer("bob")]) == list(store.answers())

    def test_answers_of_who_was_erased_survive_a_restart(self) -> None:
        """And what comes afterwards still does not."""
        store = self.make_store()
        store.put_answers([answer(text="words")])
        store.erase(ADA, [])
        left = list(store.answers())
        with self.reopened(store) as again:
            again.put_answers([answer(text="words")])
            assert left == list(again.answers())
            assert 1 == len(left)


def _chosen(one: Answer) -> tuple[object, ...]:
    """Return what an erasure leaves of an answer but its instants; a plan that is named with an address is none."""
    return one.question, one.reasons, "" if "@" in one.about else one.about
