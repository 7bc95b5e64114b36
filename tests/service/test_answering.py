"""Asking why, through `Lifecycle`: a click, a change of mind, a survey, words, and links that are not followed."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from lifecycle_mail.errors import InvalidInput, LinkRefused, Misconfigured
from lifecycle_mail.mails import Kind, Links, Renderer, Step, Tokens, Way
from lifecycle_mail.mails.links import PURPOSES, SKEW, Link, LinkPurpose
from lifecycle_mail.mails.reasons import Answering
from lifecycle_mail.mails.samples import BRAND, sample_reader, samples
from lifecycle_mail.mails.specs import Specification
from lifecycle_mail.memory import MemoryCrm
from lifecycle_mail.model.answers import (
    ANSWERS,
    MOST_REASONS,
    Answer,
    CancellationReason,
    DriftReason,
    Question,
    Reason,
)
from lifecycle_mail.model.events import EventKind, Evidence
from lifecycle_mail.model.instants import to_micros
from lifecycle_mail.model.lists import Channel, Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.ports import TaskKind
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import SIGNING_KEY, contact
from lifecycle_mail.testing.stores import PEPPERS
from tests.service.worlds import DAY, HOUR, MINUTE, NOW, SPRING, world

ADA = ContactId("ada")
ASKED = NOW - DAY
"""When the mail was written."""
DEAR, BROKEN = CancellationReason.TOO_EXPENSIVE, CancellationReason.TECHNICAL


def link(
    reason: Any = DEAR, *, who: str = "ada", question: str = "cancellation", about: str = "pro",
    asked_at: datetime = ASKED, key: str = SIGNING_KEY, offers: Sequence[Reason] | None = None, most: int | None = None,
    occasion: datetime | None = None, **said: Any,
) -> str:  # fmt: skip
    """Return the token of a link of ada's mail: that it costs too much, or what is given; it offers all there is."""
    why = Question(question)
    asking = Answering(
        question=why, reason=reason, offers=tuple(ANSWERS[why]) if offers is None else tuple(offers),
        most=MOST_REASONS[why] if most is None else most, about=about, occasion=occasion,
    )  # fmt: skip
    attributes: dict[str, Any] = {
        "purpose": LinkPurpose.ANSWER, "contact_id": ContactId(who), "signed_at": asked_at,
        "detail": asking.as_detail(),
    }  # fmt: skip
    return Tokens([key]).sign(Link(**attributes | said))


def asked(mail: Lifecycle) -> list[Answer]:
    """Return every answer that is kept."""
    return list(mail.store.answers())


def replies(mail: Lifecycle, who: str = "ada") -> list[tuple[str, str]]:
    """Return the mail and the campaign of every reply that was recorded."""
    events = mail.store.events_of(ContactId(who))
    return sorted((one.mail, one.campaign) for one in events if one.kind is EventKind.REPLIED)


# --- answering --------------------------------------------------------------------------------------------------------


def test_a_click_is_an_answer() -> None:
    """The reason of the link is what they say, about what the mail was about, and what follows is decided (C4)."""
    mail = world("ada")
    done = mail.answer(link(BROKEN), now=NOW)
    assert (True, Step.FOLLOW_UP, Kind.TECHNICAL_FOLLOW_UP) == (
        done.is_new, done.next_step.step, done.next_step.kind,
    )  # fmt: skip
    expected = Answer(
        contact_id=ADA, question=Question.CANCELLATION, reasons=[BROKEN], about="pro", asked_at=ASKED, at=NOW
    )
    assert [expected] == [done.answer] == asked(mail)
    assert "technical" == done.next_step.decision.rule.name


def test_the_page_is_told_what_is_asked() -> None:
    """What was clicked, what can be chosen and how much of it, and nothing of who they are."""
    mail = world()
    clicked = mail.asked(link(BROKEN), now=NOW)
    assert (Question.CANCELLATION, "pro", BROKEN, 3) == (clicked.question, clicked.about, clicked.chosen, clicked.most)
    assert tuple(CancellationReason) == clicked.reasons
    survey = mail.asked(link(None, question="drift", about="", scope=Scope.list("news")), now=NOW)
    assert ("news", None, tuple(DriftReason), 1) == (survey.about, survey.chosen, survey.reasons, survey.most)
    assert not hasattr(survey, "contact_id")


def test_the_page_is_told_what_the_mail_offers() -> None:
    """These reasons, in this order, and no others; where it offers none, it asks for words alone (C2)."""
    mail, some = world(), (CancellationReason.OTHER, DEAR, BROKEN)
    for most in (1, 3):
        found = mail.asked(link(BROKEN, offers=some, most=most), now=NOW)
        assert (some, most, BROKEN) == (found.reasons, found.most, found.chosen)
    for question in Question:
        found = mail.asked(link(None, question=question, offers=[], most=0), now=NOW)
        assert ((), 0, None) == (found.reasons, found.most, found.chosen)


def test_no_more_reasons_are_taken_than_the_mail_asks_for() -> None:
    """Any of the question, also one that was not offered, because the page is the application's own."""
    mail = world("ada")
    for turn, (offers, most, taken) in enumerate((([DEAR, BROKEN], 1, 1), ([DEAR, BROKEN], 2, 2), ([], 0, 1))):
        token, now = link(None, offers=offers, most=most), NOW + turn * MINUTE
        chosen = list(CancellationReason)[-taken:]
        assert tuple(chosen) == mail.answer(token, now=now, reasons=[*chosen, *chosen]).answer.reasons
        with pytest.raises(InvalidInput, match=f"^reasons: {taken + 1} chosen, and this mail takes {taken}$"):
            mail.answer(token, now=now, reasons=list(CancellationReason)[-taken - 1 :])
    mail.answer(link(None), now=NOW + HOUR, reasons=list(CancellationReason)[:3])
    joined = mail.answer(link(None, offers=[], most=0), now=NOW + 2 * HOUR, text="words")
    assert 3 == len(joined.answer.reasons)  # it takes no more, and takes none of those away


def test_a_scanner_answers_nothing() -> None:
    """Whoever follows every link of a mail, and asks what the pages ask, has changed nothing (R3, F49)."""
    mail = world("ada")
    mail.answer(link(BROKEN), now=NOW)
    kept, events = asked(mail), list(mail.store.events_of(ADA))
    for reason in (None, *CancellationReason):
        for _ in range(3):
            mail.asked(link(reason), now=NOW + HOUR)
    assert (kept, events) == (asked(mail), list(mail.store.events_of(ADA)))


def test_a_double_click_counts_once() -> None:
    """At one instant or a month later: the answer is that of the first click (F48)."""
    mail = world("ada")
    first = mail.answer(link(), now=NOW)
    for later in (timedelta(0), MINUTE, 31 * DAY):
        again = mail.answer(link(), now=NOW + later)
        assert (first.answer, first.next_step.step, False) == (again.answer, again.next_step.step, again.is_new)
    assert [first.answer] == asked(mail)
    assert 1 == len(replies(mail))
    assert 1 == mail.reasons().total.answers


def test_who_changes_their_mind_is_counted_once() -> None:
    """Another reason of the same mail takes the place of the first, however often (F48)."""
    mail = world("ada")
    for turn, reason in enumerate((DEAR, BROKEN, DEAR, CancellationReason.OTHER)):
        done = mail.answer(link(reason), now=NOW + turn * MINUTE)
        assert ([reason], True) == ([*done.answer.reasons], done.is_new)
    assert [done.answer] == asked(mail)
    assert {"other": 1} == {one.reason: one.count for one in mail.reasons().total.shares}
    assert 1 == len(replies(mail))


def test_a_call_that_comes_late_changes_nothing() -> None:
    """Given before what stands, by a clock that is behind or on its way for long: the later one holds (F64)."""
    mail = world("ada")
    later = mail.answer(link(BROKEN), now=NOW).answer
    done = mail.answer(link(), now=NOW - HOUR)
    assert (later, False, Step.FOLLOW_UP) == (done.answer, done.is_new, done.next_step.step)
    assert [later] == asked(mail)


def test_another_cancellation_is_another_answer() -> None:
    """Who cancels twice is asked twice, and has two reasons; also where a mail does not say when that was."""
    for first, second in (
        (link(occasion=ASKED), link(BROKEN, occasion=ASKED + DAY)),
        (link(occasion=ASKED), link(BROKEN, asked_at=NOW)),
        (link(), link(BROKEN, asked_at=NOW)),
    ):
        mail = world("ada")
        mail.answer(first, now=NOW)
        mail.answer(second, now=NOW + HOUR)
        assert [(DEAR,), (BROKEN,)] == [one.reasons for one in asked(mail)]
        assert 2 == len(replies(mail))


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"occasion": ASKED}, {"occasion": ASKED, "asked_at": ASKED + HOUR}),
        ({"occasion": ASKED}, {"occasion": ASKED + timedelta(microseconds=999_999), "offers": [DEAR], "most": 1}),
        ({"occasion": ASKED}, {"occasion": ASKED.astimezone(ZoneInfo("Asia/Kuala_Lumpur")), "asked_at": NOW}),
        ({"campaign": CampaignKey("spring")}, {"campaign": CampaignKey("spring"), "asked_at": ASKED + HOUR}),
    ],
)
def test_what_is_asked_again_is_answered_once(first: Mapping[str, Any], again: Mapping[str, Any]) -> None:
    """A mail that is rendered again, and a survey after the confirmation: a double click counts once (F48)."""
    mail = world("ada")
    clicked = mail.answer(link(**first), now=NOW)
    for token in (link(**again), link(**first)):
        double = mail.answer(token, now=NOW + MINUTE)
        assert (clicked.answer, False) == (double.answer, double.is_new)
    changed = mail.answer(link(BROKEN, **again), now=NOW + HOUR, text="the chart stays white")
    assert ((BROKEN,), ASKED, True) == (changed.answer.reasons, changed.answer.asked_at, changed.is_new)
    joined = mail.answer(link(None, **first), now=NOW + 2 * HOUR, tool="paper").answer
    assert ((BROKEN,), "the chart stays white", "paper") == (joined.reasons, joined.text, joined.tool)
    late = mail.answer(link(**again), now=NOW)
    assert (joined, False) == (late.answer, late.is_new)
    assert [joined] == asked(mail)
    assert 1 == mail.reasons().total.answers == len(replies(mail))


def test_a_survey_takes_three_reasons_and_words() -> None:
    """Instead of what was clicked: up to three, the tool that is used now, and what to improve (C2)."""
    mail = world("ada")
    chosen = ["too-expensive", CancellationReason.POOR_SUPPORT, "other"]
    done = mail.answer(
        link(BROKEN), now=NOW, reasons=iter(chosen), text="It was\r\nno good.", tool="Rowboat", improve="the price"
    )
    (kept,) = asked(mail)
    assert kept == done.answer
    assert (("too-expensive", "poor-support", "other"), "It was\nno good.", "Rowboat", "the price") == (
        kept.reasons, kept.text, kept.tool, kept.improve,
    )  # fmt: skip
    assert (1, {1}) == (mail.reasons().total.answers, {one.count for one in mail.reasons().total.shares})


def test_a_page_may_say_the_one_reason() -> None:
    """Where it asks for one: it counts instead of that of the link."""
    mail = world("ada")
    assert ("other",) == mail.answer(link(BROKEN), now=NOW, reason="other").answer.reasons
    drifted = link(None, question="drift", scope=Scope.list("news"))
    assert (DriftReason.TOO_BUSY,) == mail.answer(drifted, now=NOW, reason=DriftReason.TOO_BUSY).answer.reasons


def test_words_that_are_written_after_the_click_join_it() -> None:
    """What a call leaves out stays; what it gives, an empty text too, takes its place."""
    mail = world("ada")
    mail.answer(link(BROKEN), now=NOW)
    joined = mail.answer(link(None), now=NOW + MINUTE, text="the chart stays white", tool="paper")
    assert ((BROKEN,), "the chart stays white", "paper", Step.FOLLOW_UP) == (
        joined.answer.reasons, joined.answer.text, joined.answer.tool, joined.next_step.step,
    )  # fmt: skip
    changed = mail.answer(link(DEAR), now=NOW + 2 * MINUTE).answer
    assert ((DEAR,), "the chart stays white", "paper") == (changed.reasons, changed.text, changed.tool)
    taken = mail.answer(link(DEAR), now=NOW + 3 * MINUTE, text="", improve="nothing").answer
    assert ((DEAR,), "", "paper", "nothing") == (taken.reasons, taken.text, taken.tool, taken.improve)
    unticked = mail.answer(link(None), now=NOW + 4 * MINUTE, reasons=[], tool="none").answer
    assert ((), "none", "nothing") == (unticked.reasons, unticked.tool, unticked.improve)
    assert [unticked] == asked(mail)


def test_words_alone_are_an_answer() -> None:
    """Somebody who chooses nothing and writes is read by a person."""
    mail = world("ada")
    done = mail.answer(link(None), now=NOW, text="Nobody ever answered me.")
    assert ((), Step.PERSON) == (done.answer.reasons, done.next_step.step)
    assert [("", 1)] == [(one.reason, one.count) for one in mail.reasons().total.shares]


def test_what_the_application_offers_is_in_the_next_step() -> None:
    """A pause where it has one; else there is nothing to offer (C4, C6)."""
    mail, pause = world("ada"), Way(title="Pause for three months", url="https://harbour.example/pause")
    assert (Step.OFFER_PAUSE, pause) == (
        (step := mail.answer(link(), now=NOW, ways={"pause": pause}).next_step).step, step.way,
    )  # fmt: skip
    assert (Step.THANK, None) == ((step := mail.answer(link(), now=NOW).next_step).step, step.way)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"reasons": ["too-busy"]}, "reason='too-busy'"),
        ({"reasons": "other"}, "give a list"),
        ({"reasons": list(CancellationReason)[:4]}, "4 chosen, and this mail takes 3"),
        ({"reason": "<script>"}, "reason='<script>'"),
        ({"reason": "other", "reasons": ["other"]}, "give one of the two"),
        ({"reasons": []}, "nothing is answered"),
        ({"reasons": [], "text": " \t\r\n \x00"}, "nothing is answered"),
        ({"text": 5}, "text: a int is no text"),
        ({"reasons": 5}, "reasons: a int is no list"),
        ({"tool": b"Excel"}, "tool: a bytes is no text"),
    ],
)
def test_what_is_no_answer_is_refused(said: Mapping[str, Any], problem: str) -> None:
    """With what is wrong; the link is right, and what was answered before stays."""
    mail = world("ada")
    before = mail.answer(link(), now=NOW).answer
    with pytest.raises(InvalidInput, match=re.escape(problem)):
        mail.answer(link(), now=NOW + HOUR, **said)
    assert [before] == asked(mail)


def test_the_link_to_the_questions_alone_is_no_answer() -> None:
    """Nothing is chosen in it, and nothing is said: also of somebody who has answered before."""
    mail = world("ada")
    for _ in range(2):
        with pytest.raises(InvalidInput, match="nothing is answered"):
            mail.answer(link(None), now=NOW + HOUR)
        mail.answer(link(), now=NOW)
    with pytest.raises(InvalidInput, match="2 chosen, and this mail takes 1"):
        mail.answer(link(None, question="drift"), now=NOW, reasons=["too-many", "other"])


# --- what it is about -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "reason", "scope", "about"),
    [
        ("cancellation", "other", None, "pro"),
        ("cancellation", "other", Scope.list("news"), "pro"),
        ("drift", "too-many", Scope.list("news"), "news"),
        ("opt-out", "competitor", Scope.list("news"), "news"),
        ("opt-out", "competitor", Scope.all(), ""),
        ("opt-out", "competitor", Scope.channel(Channel.SMS), "channel:sms"),
        ("opt-out", "competitor", None, "pro"),
    ],
)
def test_an_answer_is_filed_under_what_was_left(question: str, reason: str, scope: Scope | None, about: str) -> None:
    """The plan that was cancelled, the list that was left or not read; cancelling, leaving and drifting apart (C7)."""
    mail = world("ada")
    token = link(reason, question=question, scope=scope, campaign=CampaignKey("spring"))
    assert about == mail.asked(token, now=NOW).about == mail.answer(token, now=NOW).answer.about
    assert "spring" == asked(mail)[0].campaign
    for other in Question:
        assert int(other == question) == mail.reasons(question=other).total.answers


# --- links that are not followed --------------------------------------------------------------------------------------


def refused(mail: Lifecycle, token: Any, *, now: datetime = NOW) -> None:
    """Check that a token is refused alike by both doors, and that nothing came of it."""
    before = asked(mail)
    for follow in (mail.answer, mail.asked):
        with pytest.raises(LinkRefused) as caught:
            follow(token, now=now)
        assert ("this link is not valid, or not any more: ask for a fresh one",) == caught.value.args
        assert (None, None) == (caught.value.__cause__, caught.value.__context__)
    assert before == asked(mail)


def test_a_forged_link_is_refused() -> None:
    """Changed, cut short, signed by somebody else, for another tenant, or no link at all (F44, F45)."""
    mail, whole = world("ada"), link()
    for wrong in (
        whole[:-1], whole[1:], whole.replace(".", ",", 1), whole[::-1], "", "x" * 5_000, None, 7, b"x",
        link(key="another key, known to everybody"),
        *(whole[:place] + ("A" if whole[place] != "A" else "B") + whole[place + 1 :] for place in range(len(whole))),
    ):  # fmt: skip
        refused(mail, wrong)
    of_another = Tokens([SIGNING_KEY], tenant="acme").sign(
        Link(purpose=LinkPurpose.ANSWER, contact_id=ADA, detail="cancellation:l:1el::pro", signed_at=ASKED)
    )
    refused(mail, of_another)
    mail.answer(whole, now=NOW)


@pytest.mark.parametrize("purpose", sorted(set(LinkPurpose) - {LinkPurpose.ANSWER}))
def test_a_link_for_something_else_is_refused(purpose: LinkPurpose) -> None:
    """Whatever it says: who may unsubscribe has not answered (F44)."""
    refused(world("ada"), link(purpose=purpose))


@pytest.mark.parametrize(
    "detail",
    [
        "", "cancellation", "request-1", "cancellation:a:pro", "why:a:1ab::pro", "drift:f:1ab::",
        "cancellation:A:1ab::", "cancellation::0z::pro", "cancellation::4abcd::pro", "cancellation::2a::pro",
        "cancellation::0a::pro",
        "cancellation::1::pro", "drift::2ab::", "cancellation:a:1ab:0x5:pro", "cancellation:a:1ab: 5:pro",
        "cancellation:a:1ab:ffffffffff:pro", "cancellation:a:1ab:-ffffffffff:pro", "cancellation:a:1ab:-e7791f700:pro",
        "cancellation:a:1ab:3afff4417f:pro", "cancellation:a:1ab:69a44f1043afff4417f:pro",
    ],
)  # fmt: skip
def test_a_link_that_says_no_answer_is_refused_alike(detail: str) -> None:
    """It is signed, and another release may have meant something by it; nobody learns more than of any other."""
    refused(world("ada"), link(detail=detail))


def test_the_first_and_the_last_instant_that_a_link_can_say() -> None:
    """A year that some zone cannot write is no occasion; every other is kept to the second."""
    for occasion in (datetime(2, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
                     datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)):  # fmt: skip
        mail = world("ada")
        assert occasion == mail.answer(link(occasion=occasion), now=NOW).answer.asked_at
        assert 1 == len(asked(mail))


def test_an_old_link_is_refused() -> None:
    """After the age of its purpose, or the one that is set; and one that is signed ahead of our clock."""
    mail, age = world("ada"), PURPOSES[LinkPurpose.ANSWER].age
    assert age is not None
    refused(mail, link(), now=ASKED + age + MINUTE)
    refused(mail, link(asked_at=NOW + SKEW + MINUTE))
    assert mail.answer(link(), now=ASKED + age).is_new
    short = Links("https://mail.example.com/m", [SIGNING_KEY], ages={LinkPurpose.ANSWER: 2 * DAY})
    strict = world("ada", signing_keys=short.tokens)
    refused(strict, link(), now=ASKED + 2 * DAY + MINUTE)
    assert strict.answer(link(), now=ASKED + 2 * DAY).is_new


def test_without_keys_nothing_is_read() -> None:
    """Who has none is told so, and not that the link is wrong."""
    with pytest.raises(Misconfigured, match="no signing keys"):
        world(signing_keys=[]).answer(link(), now=NOW)


# --- who answers ------------------------------------------------------------------------------------------------------


def test_who_is_not_known_here_is_believed() -> None:
    """The link is ours, so they are the application's: it is kept under their id, and an erasure finds it (O5)."""
    mail = world(peppers=PEPPERS)
    done = mail.answer(link(BROKEN, who="eve"), now=NOW, text="I am Eve")
    assert (True, "eve") == (done.is_new, done.answer.contact_id)
    assert [done.answer] == asked(mail)
    assert [] == list(mail.store.events_of(ContactId("eve")))
    assert [] == list(mail.store.each())
    assert mail.erase("eve", by=Actor.CONTACT, now=NOW).is_new
    (left,) = asked(mail)
    assert ("", "", (BROKEN,)) == (left.contact_id, left.text, left.reasons)
    assert not mail.erase("eve", by=Actor.CONTACT, now=NOW).is_new


def test_of_who_was_erased_nothing_is_written() -> None:
    """The links of their old mails answer as anybody's: alike, and for nothing (O5, R22)."""
    mail = world("ada", "bob", peppers=PEPPERS)
    mail.answer(link(), now=NOW, text="words of Ada")
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    before, position = asked(mail), mail.store.position()
    assert [("", (DEAR,), "")] == [(one.contact_id, one.reasons, one.text) for one in before]
    for token in (link(BROKEN), link(BROKEN, asked_at=NOW)):
        gone = mail.answer(token, now=NOW + HOUR, text="again")
        other = mail.answer(link(BROKEN, who="bob"), now=NOW + HOUR, text="again")
        assert other.next_step.decision.to_dict() == gone.next_step.decision.to_dict()
        assert (BROKEN,) == gone.answer.reasons == other.answer.reasons
        assert mail.asked(link(BROKEN, who="bob"), now=NOW) == mail.asked(token, now=NOW)
        assert gone.is_new  # as anybody's first click
    assert before == [one for one in asked(mail) if one.contact_id != "bob"]
    assert position == mail.store.position()
    assert [] == list(mail.store.events_of(ADA))
    with pytest.raises(InvalidInput, match="nothing is answered"):
        mail.answer(link(None), now=NOW)


def test_who_is_archived_is_heard() -> None:
    """What they say is kept with what they said before, and makes nobody a contact again (O5)."""
    mail = world("ada")
    mail.archive("ada", by=Actor.OPERATOR, now=NOW, text="gone")
    assert mail.answer(link(), now=NOW).is_new
    assert {ADA} == set(mail.store.answers_of([ADA]))
    assert [] == list(mail.store.each())
    assert [] == list(mail.store.events_of(ADA))


# --- a sign of life ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", Question)
def test_an_answer_is_engagement(question: Question) -> None:
    """A person replied, once an answer; why somebody opted out is no sign that they want mail (S6)."""
    mail = world("ada")
    token = link("other", question=question, about="")
    for turn in range(3):
        mail.answer(token, now=NOW + turn * HOUR, text=f"turn {turn}")
    events = mail.store.events_of(ADA)
    if question is Question.OPT_OUT:
        assert [] == list(events)
        return
    (event,) = events
    assert (EventKind.REPLIED, Evidence.HUMAN, NOW) == (event.kind, event.evidence, event.at)
    profile = mail.store.profiles([ADA])[ADA]
    assert (1, to_micros(NOW)) == (profile.count("replied"), profile.last["replied"])


def test_an_answer_belongs_to_the_mail_that_asked() -> None:
    """To the campaign's own, where we sent one, though another came since; else to the latest."""
    mail = world("ada")
    mail.send(mail.plan(SPRING, now=ASKED), now=ASKED)
    drifted = link("other", question="drift", scope=Scope.list("offers"), campaign=CampaignKey("spring"))
    mail.answer(drifted, now=NOW)
    assert [("spring:ada", "spring")] == replies(mail)
    profile = mail.store.profiles([ADA])[ADA]
    assert [("spring:ada", to_micros(NOW))] == [(one.id, one.clicked) for one in profile.mails]
    mail.answer(link("other", question="drift", campaign=CampaignKey("autumn")), now=NOW)
    assert [("", "autumn"), ("spring:ada", "spring")] == replies(mail)


def test_the_answer_to_a_cancellation_is_no_reader_of_the_newsletter() -> None:
    """It counts as a transactional mail of its own: no newsletter is taken for read because of it (C7)."""
    mail = world("ada")
    mail.send(mail.plan(SPRING, now=ASKED), now=ASKED)
    mail.answer(link(), now=NOW)
    profile = mail.store.profiles([ADA])[ADA]
    clicked = {one.id: (one.purpose.value, one.clicked) for one in profile.mails}
    assert ("regular", None) == clicked.pop("spring:ada")
    assert [("transactional", to_micros(NOW))] == list(clicked.values())


# --- who else hears of it ---------------------------------------------------------------------------------------------


def test_the_picture_shows_what_they_answered() -> None:
    """Here and in the CRM, which is told when somebody answers, and not for a double click (O9)."""
    crm = MemoryCrm()
    mail = world("ada", "bob", crm=crm)
    mail.drain(now=NOW)
    for token in (link(), link(), link("other", question="opt-out", scope=Scope.all())):
        mail.answer(token, now=NOW)
    answers = tuple(asked(mail))
    assert 2 == len(answers)
    assert answers == mail.picture("ada", now=NOW).answers
    assert () == mail.picture("bob", now=NOW).answers
    due = [one.task.contact_id for one in mail.outbox(states=["due"]) if one.task.kind is TaskKind.PICTURE]
    assert [ADA, ADA] == due
    mail.drain(now=NOW)
    assert answers == crm.shown[ADA].answers


# --- counting ---------------------------------------------------------------------------------------------------------


def test_reasons_are_counted_by_plan_and_month() -> None:
    """Of one question, from an instant and before another; the rest is in `measure.reasons` (C4)."""
    mail = world()
    for number in range(6):
        at = NOW + 31 * number * DAY / 2
        mail.answer(link(who=f"c{number}", about=["pro", "team"][number % 2]), now=at)
    mail.answer(link("too-many", question="drift", scope=Scope.list("news")), now=NOW)
    found = mail.reasons()
    assert {"pro": 3, "team": 3} == {one.key: one.answers for one in found.plans}
    assert [("2026-03", 2), ("2026-04", 2), ("2026-05", 2)] == [(one.key, one.answers) for one in found.months]
    assert 2 == mail.reasons(since=NOW, before=NOW + 31 * DAY).total.answers
    assert ["news"] == [one.key for one in mail.reasons(question="drift").plans]
    assert [] == [*found.flagged]
    assert ["too-expensive"] == [share.reason for _, _, share in mail.reasons(least=6).flagged]
    with pytest.raises(InvalidInput, match="question='why'"):
        mail.reasons(question="why")


def test_an_erasure_changes_no_count() -> None:
    """What was chosen stays, without whoever chose it: by reason, plan and month it is as it was (O5)."""
    mail = world(peppers=PEPPERS)
    for number in range(6):
        mail.answer(link(list(CancellationReason)[number % 3], who=f"c{number}"), now=NOW + number * DAY, text="words")
    before = mail.reasons().to_dict()
    for number in range(4):
        mail.erase(f"c{number}", by=Actor.CONTACT, now=NOW + 9 * DAY)
    assert before == mail.reasons().to_dict()
    assert {"", "words"} == {one.text for one in asked(mail)}


# --- from the mail to the count ---------------------------------------------------------------------------------------


LINKS = Links("https://mail.example.com/m", [SIGNING_KEY])


def tokens_of(spec: Specification, *, now: datetime = NOW) -> list[str]:
    """Return the tokens of the answers that a mail links to, in its order."""
    text = Renderer(BRAND, links=LINKS).render(spec, now=now).text
    return list(dict.fromkeys(re.findall(r"https://mail\.example\.com/m/answer/([\w.-]+)", text)))


@pytest.mark.parametrize(
    ("kind", "question", "about", "clicks", "most"),
    [
        (Kind.CANCELLATION_CONFIRMED, Question.CANCELLATION, "Harbour Pro", 0, 3),
        (Kind.CANCELLATION_NOTE, Question.CANCELLATION, "Harbour Pro", 0, 0),
        (Kind.CANCELLATION_REASON, Question.CANCELLATION, "Harbour Pro", 7, 1),
        (Kind.CANCELLATION_SURVEY, Question.CANCELLATION, "Harbour Pro", 9, 3),
        (Kind.SURVEY, Question.DRIFT, "harbour-news", 5, 1),
        (Kind.GOODBYE, Question.OPT_OUT, "harbour-news", 6, 1),
    ],
)
def test_every_link_of_a_mail_can_be_answered(
    kind: Kind, question: Question, about: str, clicks: int, most: int
) -> None:
    """The links that a mail carries are those that `Lifecycle` takes, and offer what the mail does (C4, O7, S7)."""
    reader = sample_reader()
    mail = world(signing_keys=LINKS.tokens)
    mail.store.put([contact(reader.contact_id)])
    spec: Any = samples(reader, now=NOW)[kind]
    spec = evolve(spec, reason=None) if hasattr(spec, "reason") else spec
    tokens = tokens_of(spec)
    chosen = {token: mail.asked(token, now=NOW).chosen for token in tokens}
    assert clicks == len({*chosen.values()} - {None})
    for turn, token in enumerate(tokens):
        found = mail.asked(token, now=NOW)
        assert (question, about, getattr(spec, "reasons", ()), most) == (
            found.question, found.about, found.reasons, found.most,
        )  # fmt: skip
        reasons = [found.chosen] if found.chosen else list(found.reasons)[:most]
        answer = mail.answer(token, now=NOW + turn * MINUTE, reasons=reasons, text=f"turn {turn}").answer
        assert (question, about, tuple(reasons)) == (answer.question, answer.about, answer.reasons)
    assert 1 == mail.reasons(question=question).total.answers == len(asked(mail))


@pytest.mark.parametrize("kind", [Kind.CANCELLATION_REASON, Kind.CANCELLATION_SURVEY, Kind.SURVEY, Kind.GOODBYE])
def test_a_mail_that_is_rendered_again_asks_nothing_new(kind: Kind) -> None:
    """A retry, or a reminder: the later answer holds, and a double click counts once (F48)."""
    mail = world(signing_keys=LINKS.tokens)
    spec = samples(sample_reader(), now=NOW)[kind]
    first, again = tokens_of(spec), tokens_of(spec, now=NOW + HOUR)
    assert not {*first} & {*again}
    clicked = mail.answer(first[0], now=NOW + HOUR).answer
    double = mail.answer(again[0], now=NOW + 2 * HOUR)
    assert (clicked, False) == (double.answer, double.is_new)
    changed = mail.answer(again[1], now=NOW + 3 * HOUR).answer
    assert clicked.reasons != changed.reasons
    assert [changed] == asked(mail)


def test_each_cancellation_is_asked_about_once() -> None:
    """The survey that follows the confirmation asks the same; the same product cancelled again does not (C2, F48)."""
    mail = world(signing_keys=LINKS.tokens)
    made: dict[Kind, Any] = dict(samples(sample_reader(), now=NOW))
    confirmed, survey = evolve(made[Kind.CANCELLATION_CONFIRMED], reason=None), made[Kind.CANCELLATION_SURVEY]
    assert confirmed.cancelled_at == survey.cancelled_at
    mail.answer(tokens_of(confirmed)[0], now=NOW, reasons=[DEAR, CancellationReason.POOR_SUPPORT])
    mail.answer(tokens_of(survey, now=NOW + DAY)[-1], now=NOW + DAY, tool="paper")
    (one,) = asked(mail)
    assert ((DEAR, CancellationReason.POOR_SUPPORT), "paper", confirmed.cancelled_at) == (
        one.reasons, one.tool, one.asked_at,
    )  # fmt: skip
    for other in (evolve(confirmed, cancelled_at=NOW + DAY), evolve(confirmed, product="Harbour Team")):
        mail.answer(tokens_of(other, now=NOW + 2 * DAY)[0], now=NOW + 2 * DAY, reason=DEAR)
    assert 3 == len(asked(mail))


# --- what the application asked itself --------------------------------------------------------------------------------


LEFT: dict[str, Any] = {"product": "Harbour Pro", "cancelled_at": ASKED}


def test_what_the_application_was_told_is_an_answer() -> None:
    """It is kept and counted as any other, and what follows is decided (C4)."""
    mail = world("ada")
    done = mail.told_why("ada", ["technical", BROKEN], **LEFT, now=NOW, text="4111 1111 1111 1111 was charged")
    expected = Answer(
        contact_id=ADA, question=Question.CANCELLATION, reasons=[BROKEN], about="Harbour Pro",
        text="•••• 1111 was charged", asked_at=ASKED, at=NOW,
    )  # fmt: skip
    assert [expected] == [done.answer] == asked(mail)
    assert (True, Step.FOLLOW_UP, True) == (done.is_new, done.next_step.step, done.next_step.to_read)
    assert 1 == mail.reasons().total.count(BROKEN)


def test_it_is_one_answer_with_what_they_say_to_the_mail() -> None:
    """Whichever comes first, to the second, and however long the product's name is (F48)."""
    for product in ("Harbour Pro", "Ü" * 200, "Harbour\u00a0Pro", "\u200eHarbour"):
        mail = world("ada", signing_keys=LINKS.tokens)
        left: dict[str, Any] = {"product": product, "cancelled_at": ASKED + timedelta(microseconds=7)}
        spec: Any = samples(sample_reader(), now=NOW)[Kind.CANCELLATION_CONFIRMED]
        spec, reader = evolve(spec, reason=None, **left), spec.to.contact_id
        (token,) = {*tokens_of(spec)}
        mail.told_why(reader, [DEAR, BROKEN], **left, now=NOW)
        added = mail.answer(token, now=NOW + HOUR, text="and it was slow").answer
        assert ((DEAR, BROKEN), "and it was slow") == (added.reasons, added.text)
        again = mail.told_why(reader, [], **left, now=NOW + 2 * HOUR, tool="paper").answer
        assert ((DEAR, BROKEN), "and it was slow", "paper") == (again.reasons, again.text, again.tool)
        assert [again] == asked(mail)


@pytest.mark.parametrize("kind", [Kind.CANCELLATION_CONFIRMED, Kind.CANCELLATION_NOTE])
def test_what_they_add_to_a_mail_that_thanks_them_takes_nothing_away(kind: Kind) -> None:
    """Of three reasons the mail names one; where nothing is kept of what they said, that one is."""
    mail = world("ada", signing_keys=LINKS.tokens)
    spec: Any = evolve(samples(sample_reader(), now=NOW)[kind], reason=DEAR, cancelled_at=ASKED)  # type: ignore[call-arg]
    (token,) = {*tokens_of(spec)}
    page = mail.asked(token, now=NOW)
    assert (DEAR, (), 0) == (page.chosen, page.reasons, page.most)
    with pytest.raises(InvalidInput, match="nothing is answered"):
        mail.answer(token, now=NOW)
    assert (DEAR,) == mail.answer(token, now=NOW, text="slow").answer.reasons
    mail.told_why(spec.to.contact_id, [DEAR, BROKEN], **LEFT, now=NOW + HOUR)
    added = mail.answer(token, now=NOW + 2 * HOUR, text="very slow").answer
    assert ((DEAR, BROKEN), "very slow") == (added.reasons, added.text)


def test_what_follows_follows_once() -> None:
    """Who adds a word to the reason that is followed up gets no second follow-up; another reason is another step."""
    mail = world("ada")
    assert mail.told_why("ada", [BROKEN], product="pro", cancelled_at=ASKED, now=NOW).step_is_new
    more: list[dict[str, Any]] = [{"text": "white"}, {"tool": "paper"}, {}]
    for turn, said in enumerate(more, start=1):
        done = mail.answer(link(BROKEN, occasion=ASKED), now=NOW + turn * HOUR, **said)
        assert (Step.FOLLOW_UP, False) == (done.next_step.step, done.step_is_new)
    other = mail.answer(link(CancellationReason.POOR_SUPPORT, occasion=ASKED), now=NOW + DAY)
    assert (Step.PERSON, True) == (other.next_step.step, other.step_is_new)


def test_what_the_application_was_told_is_no_sign_that_mail_is_read() -> None:
    """They said it in the application; what they say behind a link is engagement (S6)."""
    mail = world("ada")
    mail.told_why("ada", [DEAR], **LEFT, now=NOW)
    assert [] == replies(mail)


@pytest.mark.parametrize(
    ("reasons", "said", "problem"),
    [
        ("technical", {}, "give a list"),
        (["dear"], {}, "reason='dear'"),
        (list(CancellationReason)[:4], {}, "4 chosen"),
        ([], {}, "nothing is answered"),
        ([], {"text": " "}, "nothing is answered"),
        ([DEAR], {"cancelled_at": NOW.replace(tzinfo=None)}, "time zone"),
        ([DEAR], {"cancelled_at": NOW + DAY}, "still to come"),
        ([DEAR], {"product": ""}, "^product: nothing is written there"),
        ([DEAR], {"product": None}, "^product: NoneType is not a text"),
        ([DEAR], {"improve": ["speed"]}, "^improve: a list is no text"),
        (5, {}, "^reasons: a int is no list"),
    ],
)
def test_what_cannot_be_an_answer_is_refused(reasons: Any, said: Mapping[str, Any], problem: str) -> None:
    """With what is wrong, and nothing is kept."""
    mail = world("ada")
    with pytest.raises(InvalidInput, match=problem):
        mail.told_why("ada", reasons, **{**LEFT, **said}, now=NOW)
    assert [] == asked(mail)


def test_of_who_was_erased_the_application_writes_nothing() -> None:
    """Also where it still asks them (O5)."""
    mail = world("ada", peppers=PEPPERS)
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    assert (DEAR,) == mail.told_why("ada", [DEAR], **LEFT, now=NOW).answer.reasons
    assert [] == asked(mail)


def test_words_can_be_taken_back() -> None:
    """By any link of the same question, and even if nothing is left; a reason that was given stays."""
    mail = world("ada")
    mail.answer(link(), now=NOW, text="a secret")
    assert ((DEAR,), "") == ((one := mail.answer(link(None), now=NOW + HOUR, text="").answer).reasons, one.text)
    mail.answer(link(None, about="team", most=0, offers=[]), now=NOW, text="a secret")
    taken = mail.answer(link(None, about="team", most=0, offers=[]), now=NOW + HOUR, text="")
    assert (True, "", ()) == (taken.is_new, taken.answer.text, taken.answer.reasons)
    assert not any("secret" in one.text for one in asked(mail))


def test_whatever_follows_a_person_reads_what_they_wrote() -> None:
    """The mails promise it (C2): beside any reason, and not for a reason alone."""
    mail = world("ada")
    for turn, reason in enumerate(CancellationReason):
        token, now = link(reason, about=str(turn)), NOW + turn * MINUTE
        assert not mail.answer(token, now=now).next_step.to_read
        assert not mail.answer(token, now=now, tool="paper").next_step.to_read
        assert mail.answer(token, now=now + HOUR, improve="that").next_step.to_read
        assert mail.answer(token, now=now + HOUR, text="why", improve="").next_step.to_read


def test_a_report_of_no_time_is_refused() -> None:
    """Two instants that were mixed up would count nobody, and look like good news."""
    with pytest.raises(InvalidInput, match="is not after since"):
        world().reasons(since=NOW, before=NOW - DAY)
