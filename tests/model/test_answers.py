"""Answers: which are one, which of several holds, and what an erasure leaves of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.answers import (
    ANSWERS,
    MAX_TEXT,
    MOST_REASONS,
    Answer,
    CancellationReason,
    DriftReason,
    Question,
    those_that_hold,
    without_person,
)
from lifecycle_mail.model.instants import to_micros
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import OptOutReason

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def answer(**said: Any) -> Answer:
    """Return that ada cancels because it costs too much, or what is given."""
    attributes: dict[str, Any] = {
        "contact_id": ContactId("ada"), "question": "cancellation", "reasons": ["too-expensive"], "about": "pro",
        "asked_at": NOW - MINUTE, "at": NOW,
    }  # fmt: skip
    return Answer(**attributes | said)


SAME = st.builds(
    answer,
    reasons=st.lists(st.sampled_from(list(CancellationReason)[:3]), max_size=3),
    text=st.sampled_from(["", "a", "b"]),
    tool=st.sampled_from(["", "c"]),
    improve=st.sampled_from(["", "d"]),
    campaign=st.just(CampaignKey("spring")),
    asked_at=st.sampled_from([NOW - 2 * MINUTE, NOW - MINUTE]),
    at=st.sampled_from([NOW, NOW + MINUTE]),
)
"""Answers of one person to one question, which a campaign asked with mails that were written at two instants."""


# --- what is an answer ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", Question)
def test_each_question_takes_its_own_reasons(question: Question) -> None:
    """And none of another's that it does not have itself."""
    for known in ANSWERS.values():
        for reason in known:
            if reason.value in [one.value for one in ANSWERS[question]]:
                found = answer(question=question, reasons=[reason.value]).reasons
                assert [ANSWERS[question](reason.value)] == list(found)
                assert isinstance(found[0], ANSWERS[question])
            else:
                with pytest.raises(InvalidInput, match="one of"):
                    answer(question=question, reasons=[reason])


def test_a_survey_takes_three_reasons_and_other_questions_one() -> None:
    """Named twice, a reason is one (C2)."""
    three = list(CancellationReason)[:3]
    assert tuple(three) == answer(reasons=[*three, *three]).reasons
    with pytest.raises(InvalidInput, match="4 chosen, and cancellation takes 3"):
        answer(reasons=list(CancellationReason)[:4])
    with pytest.raises(InvalidInput, match="2 chosen, and drift takes 1"):
        answer(question="drift", reasons=[DriftReason.TOO_BUSY, DriftReason.OTHER])
    assert (OptOutReason.OTHER,) == answer(question="opt-out", reasons=iter(["other"])).reasons
    for question, most in MOST_REASONS.items():
        assert most == len(answer(question=question, reasons=list(ANSWERS[question])[:most]).reasons)


@pytest.mark.parametrize(
    ("question", "places"),
    [
        (
            Question.CANCELLATION,
            [
                "no-results", "no-integration", "missing-features", "hard-to-use", "too-expensive", "poor-support",
                "technical", "not-sure-how", "switching", "test-account", "organisation-closed", "other",
            ],
        ),
        (Question.DRIFT, ["too-many", "not-relevant", "too-busy", "elsewhere", "other"]),
        (
            Question.OPT_OUT,
            ["not-relevant", "competitor", "changed-role", "too-many", "never-signed-up", "other"],
        ),
    ],
)  # fmt: skip
def test_reasons_keep_their_places(question: Question, places: Sequence[str]) -> None:
    """Links that people have name a reason by its place: another order would put other words into their mouths."""
    assert places == list(ANSWERS[question])[: len(places)]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"reasons": "other"}, "give a list"),
        ({"question": "why"}, "question='why'"),
        ({"contact_id": "hmac:2026:00"}, "begins keyed hashes"),
        ({"at": datetime(2026, 3, 2)}, "has no time zone"),  # noqa: DTZ001 - the mistake
    ],
)
def test_what_is_no_answer_is_refused(said: dict[str, Any], problem: str) -> None:
    """With what is wrong."""
    with pytest.raises(InvalidInput, match=problem):
        answer(**said)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  It broke.\r\n\r\nTwice.\t\n", "It broke.\n\nTwice."),
        ("old\rline\x0bends", "old\nline ends"),
        ("C'est cher\u00a0!\u3000\u2028Non", "C'est cher !  Non"),
        ("\x00\u202eevil\u202c \ud800\ufeff", "evil"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f680",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f680",
        ),
        ("\u200b \x07", ""),
    ],
)
def test_words_are_kept_as_they_can_be_shown(typed: str, kept: str) -> None:
    """Letters of every script, lines, joined emoji; no controls, no turned letters, no half characters (F55, F59)."""
    said = answer(text=typed, tool=typed, improve=typed)
    assert (kept, kept, kept) == (said.text, said.tool, said.improve)


@given(st.text(), st.integers(0, 5))
def test_words_that_were_kept_are_kept_as_they_are(text: str, more: int) -> None:
    """What was cleaned and cut once is never changed again: a store gives back what it was given."""
    long = (text * (1 + (MAX_TEXT + more) // max(1, len(text))))[: MAX_TEXT + more] if text else text
    for typed in (text, long):
        kept = answer(text=typed).text
        assert kept == answer(text=kept).text
        assert len(kept) <= MAX_TEXT


# --- which are one, and which holds -----------------------------------------------------------------------------------


def test_answers_to_one_question_are_one() -> None:
    """By who, to what, about what, which happened when; what was said, and when, makes no difference (F48)."""
    first = answer()
    for same in ({"at": NOW + MINUTE}, {"reasons": ["other"]}, {"text": "x"}):
        assert first.id == answer(**same).id
    others = [
        answer(contact_id=ContactId("bob")), answer(question="drift", reasons=["other"]), answer(about="free"),
        answer(asked_at=NOW), answer(contact_id=ContactId("ada:"), about="free"),
        answer(campaign=CampaignKey("spring")),
    ]  # fmt: skip
    assert 7 == len({first.id, *(one.id for one in others)})
    in_tallinn = (NOW - MINUTE).astimezone(ZoneInfo("Europe/Tallinn"))
    assert first == answer(asked_at=in_tallinn, at=NOW.astimezone(timezone(timedelta(hours=-5))))


def test_a_campaign_asks_once() -> None:
    """It is one send: whenever its mails were written, they ask one question, and another campaign asks another."""
    spring, autumn = CampaignKey("spring"), CampaignKey("autumn")
    first = answer(campaign=spring)
    assert first.id == answer(campaign=spring, asked_at=NOW).id
    instant = CampaignKey(str(to_micros(first.asked_at)))  # a key may be a number
    others = [
        answer(campaign=autumn), answer(campaign=instant), answer(), answer(campaign=spring, about="free"),
        answer(campaign=spring, question="drift", reasons=["other"]),
        answer(campaign=spring, contact_id=ContactId("bob")),
    ]  # fmt: skip
    assert 7 == len({first.id, *(one.id for one in others)})


@given(SAME, SAME)
def test_of_two_that_differ_one_holds(one: Answer, other: Answer) -> None:
    """Exactly one outranks the other, unless they are the same; the later one does."""
    assert (one != other) == (one.outranks(other) != other.outranks(one))
    assert not one.outranks(one)
    if one.at != other.at:
        assert one.outranks(other) == (one.at > other.at)


@given(st.lists(SAME, max_size=6), st.lists(SAME, max_size=6), st.lists(SAME, max_size=6))
def test_merging_does_not_depend_on_order_or_repetition(
    one: Sequence[Answer], two: Sequence[Answer], three: Sequence[Answer]
) -> None:
    """Commutative, associative, idempotent: workers may take clicks in any order, and twice (F34)."""

    def merged(*parts: Sequence[Answer]) -> list[Answer]:
        return list(those_that_hold([answer for part in parts for answer in part]).values())

    assert merged(one, two) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))
    assert merged(one) == merged(one, one) == merged(merged(one))


@given(SAME, SAME, SAME)
def test_what_outranks_has_an_order(one: Answer, two: Answer, three: Answer) -> None:
    """Of three there is no ring in which each outranks the next."""
    if one.outranks(two) and two.outranks(three):
        assert one.outranks(three)


def test_each_person_and_question_has_one_that_holds() -> None:
    """They are found by their ids; nobody's has none and is refused."""
    said = [answer(), answer(contact_id=ContactId("bob")), answer(at=NOW + MINUTE)]
    assert {said[2].id: said[2], said[1].id: said[1]} == those_that_hold(said)
    with pytest.raises(InvalidInput, match="say whose it is"):
        those_that_hold([answer(contact_id=ContactId(""))])


# --- what an erasure leaves -------------------------------------------------------------------------------------------


def test_without_a_person_it_says_what_was_chosen_and_on_which_day() -> None:
    """Question, reasons, plan and campaign; no id, no words, no instant (O5)."""
    spring = CampaignKey("spring")
    said = answer(reasons=["other", "technical"], text="I am Ada", tool="my", improve="words", campaign=spring)
    left = without_person(said)
    noon = NOW.replace(hour=12)
    assert ("", "", "", "", "") == (left.contact_id, left.id, left.text, left.tool, left.improve)
    assert (said.question, said.reasons, "pro", "spring") == (left.question, left.reasons, left.about, left.campaign)
    assert (noon, noon) == (left.at, left.asked_at)
    assert left == without_person(left) == without_person(evolve(said, asked_at=NOW - 900 * MINUTE, at=NOW + MINUTE))
    assert "" == without_person(answer(about="ada@example.org")).about


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["UTC", "America/Los_Angeles", "Europe/Tallinn", "Asia/Kuala_Lumpur", "Pacific/Pago_Pago"]),
)
def test_its_day_is_the_utc_day_in_every_zone(at: datetime, zone: str) -> None:
    """So that a month of a zone does not lose its first day to the month before."""
    left = without_person(answer(at=at.replace(tzinfo=UTC)))
    assert at.date() == left.at.date() == left.at.astimezone(ZoneInfo(zone)).date()
