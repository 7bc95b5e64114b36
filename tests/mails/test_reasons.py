"""Why people leave, the links that ask, and what follows from an answer (C2, C4, S7, O3)."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.mails.kinds import Kind, class_of
from lifecycle_mail.mails.links import LinkPurpose
from lifecycle_mail.mails.parts import Way
from lifecycle_mail.mails.reasons import (
    LABELS,
    MAX_ABOUT,
    NEXT_STEP,
    SINGLE_REASONS,
    SURVEY_REASONS,
    Answering,
    Step,
    most_of,
    next_step,
    question_of,
)
from lifecycle_mail.mails.samples import NOW, sample_reader, samples
from lifecycle_mail.model.answers import ANSWERS, MOST_REASONS, Answer, CancellationReason, DriftReason, Question
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import OptOutReason
from lifecycle_mail.policy.tables import Otherwise, Rule, Table
from lifecycle_mail.policy.where import where
from tests.mails.rendered import LINKS, render

WAYS = {
    name: Way(title=f"Our {name}", url=f"https://harbour.example/{name}") for name in ("pause", "downgrade", "help")
}


def answer(*reasons: CancellationReason, **said: Any) -> Answer:
    """What somebody answers to why they cancelled."""
    return Answer(
        contact_id=ContactId("c-1"), question=Question.CANCELLATION, reasons=reasons, about="Harbour Pro",
        asked_at=NOW, at=NOW + timedelta(hours=1), **said,
    )  # fmt: skip


R = CancellationReason
# For each row an answer, what the application offers, and what follows.
WITNESSES: dict[str, tuple[Answer, tuple[str, ...], Step]] = {
    "technical": (answer(R.TECHNICAL, R.TOO_EXPENSIVE), ("pause", "downgrade", "help"), Step.FOLLOW_UP),
    "pause": (answer(R.TOO_EXPENSIVE), ("pause", "downgrade"), Step.OFFER_PAUSE),
    "downgrade": (answer(R.TOO_EXPENSIVE), ("downgrade",), Step.OFFER_DOWNGRADE),
    "help": (answer(R.NOT_SURE_HOW), (), Step.HELP),
    "support": (answer(R.POOR_SUPPORT), (), Step.PERSON),
    "missing": (answer(R.MISSING_FEATURES), (), Step.REMEMBER),
    "never-signed-up": (
        evolve(answer(), question=Question.OPT_OUT, reasons=[OptOutReason.NEVER_SIGNED_UP]),
        (),
        Step.PERSON,
    ),
    "in-their-words": (answer(R.OTHER, text="I would like to talk."), (), Step.PERSON),
    "otherwise": (answer(R.SWITCHING), ("pause", "downgrade", "help"), Step.THANK),
}


class TestWhatFollows:
    """A table in which each row is needed (C4)."""

    def test_every_row_has_a_witness(self) -> None:
        """And no witness is for a row that there is not."""
        assert [*(rule.name for rule in NEXT_STEP.rules), "otherwise"] == list(WITNESSES)

    @pytest.mark.parametrize("name", WITNESSES)
    def test_a_row_decides_its_witness(self, name: str) -> None:
        """And says why."""
        given_, offered, step = WITNESSES[name]
        found = next_step(given_, ways={way: WAYS[way] for way in offered})
        assert (name, step) == (found.decision.rule.name, found.step)
        assert found.decision.reason

    @pytest.mark.parametrize("name", [name for name in WITNESSES if name != "otherwise"])
    def test_without_a_row_something_else_follows(self, name: str) -> None:
        """So no row is there for nothing."""
        given_, offered, _ = WITNESSES[name]
        without = evolve(NEXT_STEP, rules=[rule for rule in NEXT_STEP.rules if rule.name != name])
        found = next_step(given_, ways={way: WAYS[way] for way in offered}, table=without)
        assert name != found.decision.rule.name
        assert found.step is not WITNESSES[name][2] or name == "support"

    def test_each_step_follows_from_something(self) -> None:
        """No step is there that no answer leads to."""
        assert set(Step) == {step for _, _, step in WITNESSES.values()}

    @pytest.mark.parametrize(
        ("reasons", "step"),
        [
            ((R.HARD_TO_USE,), Step.HELP),
            ((R.NO_INTEGRATION,), Step.REMEMBER),
            ((R.TOO_EXPENSIVE,), Step.THANK),
            ((R.NO_RESULTS,), Step.THANK),
            ((R.TEST_ACCOUNT,), Step.THANK),
            ((R.ORGANISATION_CLOSED,), Step.THANK),
            ((R.OTHER,), Step.THANK),
            ((), Step.THANK),
            ((R.MISSING_FEATURES, R.POOR_SUPPORT), Step.PERSON),
        ],
    )
    def test_where_nothing_is_offered(self, reasons: tuple[CancellationReason, ...], step: Step) -> None:
        """What the application does not have is not offered; the first row that holds decides."""
        found = next_step(answer(*reasons))
        assert step is found.step
        assert found.way is None

    def test_who_writes_is_read(self) -> None:
        """A text, and what should be better, lead to a person; the name of a tool alone does not."""
        assert Step.PERSON is next_step(answer(improve="the charts")).step
        assert Step.PERSON is next_step(answer(R.SWITCHING, text="x")).step
        assert Step.THANK is next_step(answer(R.SWITCHING, tool="Anchor")).step

    def test_only_a_technical_problem_is_followed_by_a_mail(self) -> None:
        """Anything that is offered is for the page, which the person opened (C6)."""
        for name, (given_, offered, step) in WITNESSES.items():
            found = next_step(given_, ways={way: WAYS[way] for way in offered})
            assert (Kind.TECHNICAL_FOLLOW_UP if step is Step.FOLLOW_UP else None) == found.kind
            wanted = {Step.OFFER_PAUSE: "pause", Step.OFFER_DOWNGRADE: "downgrade", Step.HELP: "help"}.get(step, "")
            assert (WAYS[wanted] if wanted in offered else None) == found.way, name

    def test_help_is_shown_where_there_is_some(self) -> None:
        """Its page is what the application says."""
        assert WAYS["help"] == next_step(answer(R.HARD_TO_USE), ways=WAYS).way

    def test_a_table_of_ones_own(self) -> None:
        """Over the same facts; a step that there is not is refused."""
        rule = Rule(name="pause", when=where.field("pause").as_predicate(), then=Step.OFFER_PAUSE)
        table = Table(name="own", rules=[rule], otherwise=Otherwise(then="nonsense"))
        assert Step.OFFER_PAUSE is next_step(answer(), ways=WAYS, table=table).step
        with pytest.raises(InvalidInput, match="nonsense"):
            next_step(answer(), table=table)


class TestQuestions:
    """What is asked, and in which words."""

    @pytest.mark.parametrize("question", Question)
    def test_every_reason_has_a_label(self, question: Question) -> None:
        """Each once, in words that a reader would say."""
        assert set(ANSWERS[question]) == set(LABELS[question])
        assert len(LABELS[question]) == len(set(LABELS[question].values()))

    def test_reasons_are_those_of_the_requirements(self) -> None:
        """Nine in a survey, seven for the one main reason (C2), five of a reader (S7), six of who leaves (O3)."""
        assert (9, 7, 5, 6) == (len(SURVEY_REASONS), len(SINGLE_REASONS), len(DriftReason), len(OptOutReason))
        assert set(CancellationReason) == {*SURVEY_REASONS, *SINGLE_REASONS}

    def test_a_mail_with_reasons_asks_a_question_that_has_them(self) -> None:
        """Each kind whose specification has reasons, and no other that has none to ask."""
        for kind in Kind:
            hints = class_of(kind).__annotations__
            assert "reasons" not in hints or question_of(kind) is not None
        assert {Kind.SURVEY: Question.DRIFT, Kind.GOODBYE: Question.OPT_OUT}.items() <= {
            kind: question_of(kind) for kind in Kind
        }.items()
        assert question_of(Kind.LAST_CHANCE) is None


PRODUCTS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co", "Zl", "Zp"]), min_size=1, max_size=200
).filter(lambda text: bool(text.strip()))
ANSWERINGS = [(question, reason) for question in Question for reason in (*ANSWERS[question], None)]
NAMES = [
    "Harbour Pro",
    "Harbour\u00a0Pro",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "a:b::c",
    ":",
    "x" * 200,
    "\u00e9" * 200,
    "\u65e5\u672c\u8a9e" * 66,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 40,
    "\U0001fae9 new",
    "\u3000wide\u3000",
]


class TestLinks:
    """What the link of a reason says."""

    @pytest.mark.parametrize(("question", "reason"), ANSWERINGS)
    def test_what_is_written_is_read(self, question: Question, reason: Any) -> None:
        """Every question with each of its reasons, and with none."""
        said = Answering(
            question=question, reason=reason, offers=tuple(ANSWERS[question])[::-1], most=MOST_REASONS[question],
            about="Harbour Pro: yearly", occasion=NOW,
        )  # fmt: skip
        assert said == Answering.of_detail(said.as_detail())

    def test_what_a_link_says_stays_as_it_is(self) -> None:
        """Mails that were sent are read for 400 days: a place for each reason, how many, and seconds since 1970."""
        said = Answering(
            question=Question.CANCELLATION, reason=R.OTHER, offers=(R.TECHNICAL, R.NO_RESULTS, R.OTHER), most=1,
            about="Harbour Pro: yearly", occasion=datetime(2026, 3, 2, 9, tzinfo=UTC),
        )  # fmt: skip
        assert "cancellation:l:1gal:69a55190:Harbour Pro: yearly" == said.as_detail()
        assert said == Answering.of_detail("cancellation:l:1gal:69a55190:Harbour Pro: yearly")
        assert Answering(question=Question.DRIFT) == Answering.of_detail("drift::0::")

    def test_the_longest_that_a_link_says_fits(self) -> None:
        """Every reason of the longest question, the earliest instant, and a name without end: with room for more."""
        said = Answering(
            question=Question.CANCELLATION, reason=R.OTHER, offers=tuple(R), most=3, about="x" * 1_000,
            occasion=datetime(2, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        detail = said.as_detail()
        assert evolve(said, about="x" * MAX_ABOUT) == Answering.of_detail(detail)
        longest = max(map(len, Question)) + len(":l:3") + max(map(len, ANSWERS.values())) + len(":-e6082b080:")
        assert longest + MAX_ABOUT == len(detail) <= 200
        assert max(map(len, ANSWERS.values())) <= 26  # letters

    @pytest.mark.parametrize(
        "said",
        [
            {"reason": DriftReason.TOO_BUSY},
            {"offers": (DriftReason.TOO_BUSY,), "most": 1},
            {"offers": (R.OTHER,)},
            {"offers": (R.OTHER,), "most": 2},
            {"offers": (R.OTHER, R.OTHER), "most": 2},
            {"offers": tuple(R), "most": 4},
            {"most": 1},
            {"most": -1},
            {"occasion": datetime(2, 1, 1, tzinfo=timezone(timedelta(minutes=1)))},
            {"occasion": datetime(9998, 12, 31, 23, 59, 30, tzinfo=timezone(timedelta(minutes=-1)))},
            {"occasion": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))},
            {"occasion": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))},
            {"occasion": datetime(2026, 3, 2)},  # noqa: DTZ001 - the mistake
        ],
    )
    def test_what_no_mail_asks_is_refused(self, said: dict[str, Any]) -> None:
        """Reasons of another question, more than there are or are taken, an instant that some zone cannot write."""
        with pytest.raises(InvalidInput):
            Answering(question=Question.CANCELLATION, **said)

    def test_an_occasion_is_kept_to_the_second(self) -> None:
        """Many databases keep no more, and a mail that is rendered from one is about the same cancellation (F48)."""
        exact = Answering(question=Question.CANCELLATION, occasion=NOW)
        for same in (NOW + timedelta(microseconds=999_999), NOW.astimezone(ZoneInfo("Pacific/Kiritimati"))):
            assert exact == Answering(question=Question.CANCELLATION, occasion=same)
        assert exact != Answering(question=Question.CANCELLATION, occasion=NOW + timedelta(seconds=1))

    @pytest.mark.parametrize("about", NAMES)
    def test_all_links_of_a_mail_are_about_one_thing(self, about: str) -> None:
        """Whatever is cut off a long name is cut off for each reason: who clicks twice answers once (F48)."""
        found = {
            Answering.of_detail(Answering(question=Question.CANCELLATION, reason=reason, about=about).as_detail()).about
            for reason in (*CancellationReason, None)
        }
        assert 1 == len(found)
        (kept,) = found
        assert kept.isprintable()
        assert MAX_ABOUT >= len(kept.encode())

    @pytest.mark.parametrize("about", NAMES)
    def test_no_name_of_a_product_keeps_a_mail_from_being_written(self, about: str) -> None:
        """No-break spaces, joiners, emoji, two hundred characters of any script, and the longest id of a contact."""
        for kind in (Kind.CANCELLATION_CONFIRMED, Kind.CANCELLATION_REASON, Kind.CANCELLATION_SURVEY):
            spec: Any = samples(sample_reader())[kind]
            mail = render(evolve(spec, product=about, to=evolve(spec.to, contact_id="c" * 256)))
            tokens = [line.rpartition("/")[2] for line in mail.text.splitlines() if "/m/answer/" in line]
            links = [LINKS.read(token, purpose=LinkPurpose.ANSWER, now=NOW) for token in tokens]
            assert 1 == len({Answering.of_detail(link.detail).about for link in links})
            reasons = {Answering.of_detail(link.detail).reason for link in links}
            assert set(getattr(spec, "reasons", ())) <= reasons or kind is Kind.CANCELLATION_CONFIRMED

    @given(PRODUCTS, st.sampled_from([*CancellationReason, None]))
    def test_any_name_can_be_carried(self, about: str, reason: CancellationReason | None) -> None:
        """A link takes what is written, and that is a name like it: its beginning, without what is not seen."""
        said = Answering(question=Question.CANCELLATION, reason=reason, about=about)
        detail = said.as_detail()
        url = LINKS.url(LinkPurpose.ANSWER, "c-1", now=NOW, detail=detail)
        link = LINKS.read(url.rpartition("/")[2], purpose=LinkPurpose.ANSWER, now=NOW)
        back = Answering.of_detail(link.detail)
        assert (said.question, said.reason) == (back.question, back.reason)
        if about.isprintable():
            assert about.startswith(back.about)

    @pytest.mark.parametrize(
        "detail",
        [
            "",
            ":",
            "cancellation:a:x",
            "cancellation:z:0::x",
            "nonsense::0::",
            "drift:f:0::",
            "drift::0z::",
            "request-1",
        ],
    )
    def test_what_is_no_answer_is_refused(self, detail: str) -> None:
        """A link of another kind, or of another question's reason."""
        with pytest.raises(InvalidInput):
            Answering.of_detail(detail)


# --- the same in plain Python -----------------------------------------------------------------------------------------


def by_hand(said: Answer, offered: set[str]) -> Step:
    """What follows an answer, written out."""
    reasons = set(said.reasons)
    if R.TECHNICAL in reasons:
        return Step.FOLLOW_UP
    if R.TOO_EXPENSIVE in reasons and offered & {"pause", "downgrade"}:
        return Step.OFFER_PAUSE if "pause" in offered else Step.OFFER_DOWNGRADE
    if reasons & {R.NOT_SURE_HOW, R.HARD_TO_USE}:
        return Step.HELP
    if R.POOR_SUPPORT in reasons:
        return Step.PERSON
    if reasons & {R.MISSING_FEATURES, R.NO_INTEGRATION}:
        return Step.REMEMBER
    return Step.PERSON if said.text or said.improve else Step.THANK


@given(
    st.lists(st.sampled_from(CancellationReason), max_size=3, unique=True),
    st.sets(st.sampled_from(sorted(WAYS))),
    st.sampled_from(["", "I would like to talk."]),
    st.sampled_from(["", "The charts."]),
    st.sampled_from(["", "Anchor"]),
)
def test_the_table_says_what_plain_python_says(
    reasons: list[CancellationReason], offered: set[str], text: str, improve: str, tool: str
) -> None:
    """Whatever is chosen, written and offered; and only what the application defined is on the page (C4)."""
    said = answer(*reasons, text=text, improve=improve, tool=tool)
    found = next_step(said, ways={name: WAYS[name] for name in offered})
    assert by_hand(said, offered) is found.step
    assert found.way is None or found.way in [WAYS[name] for name in offered]


@pytest.mark.parametrize("question", [Question.DRIFT, Question.OPT_OUT])
def test_who_only_reads_is_thanked_or_read(question: Question) -> None:
    """The table is about a plan that ends: to why somebody drifts or leaves a list nothing is offered (C7)."""
    for reason in ANSWERS[question]:
        said = evolve(answer(), question=question, reasons=[reason])
        # Who says that they never signed up is no reader who has enough: the list may be wrong about them (R12).
        step = Step.PERSON if reason == OptOutReason.NEVER_SIGNED_UP else Step.THANK
        assert (step, None, None) == ((found := next_step(said, ways=WAYS)).step, found.kind, found.way)
        assert Step.PERSON is next_step(evolve(said, text="Write less."), ways=WAYS).step


def test_a_way_that_there_is_not_is_refused() -> None:
    """A misspelt one would never be offered, and nobody would notice."""
    with pytest.raises(UnknownName, match="no way named 'puase'; did you mean pause"):
        next_step(answer(R.TOO_EXPENSIVE), ways={"puase": WAYS["pause"]})


@pytest.mark.parametrize("way", ["https://harbour.example/pause", None, {"title": "Pause"}])
def test_a_way_is_one(way: Any) -> None:
    """With a title and a link that were checked."""
    with pytest.raises(InvalidInput, match=r"^ways\['pause'\]: a .* is not a Way"):
        next_step(answer(R.TOO_EXPENSIVE), ways={"pause": way})


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_asks_its_question_or_none(kind: Kind) -> None:
    """Cancellations ask why a plan ends, the survey why nobody reads, the goodbye why somebody left (C7)."""
    expected = {
        Kind.SURVEY: Question.DRIFT,
        Kind.GOODBYE: Question.OPT_OUT,
        **dict.fromkeys(
            (
                Kind.CANCELLATION_CONFIRMED, Kind.CANCELLATION_NOTE, Kind.CANCELLATION_SURVEY, Kind.CANCELLATION_REASON,
                Kind.TECHNICAL_FOLLOW_UP,
            ),
            Question.CANCELLATION,
        ),
    }  # fmt: skip
    assert expected.get(kind) is question_of(kind)


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_asks_for_so_many_reasons(kind: Kind) -> None:
    """Up to three of a cancellation, but one where it asks for the main one; one of anything else (C2, S7)."""
    question = question_of(kind)
    one = kind is Kind.CANCELLATION_REASON or question is not Question.CANCELLATION
    assert (0 if question is None else 1 if one else 3) == most_of(kind)


@pytest.mark.parametrize("question", Question)
def test_labels_are_for_readers(question: Question) -> None:
    """Short sentences that begin as such, none a key of ours; nobody can change them for others in the process."""
    for reason, label in LABELS[question].items():
        assert label[0].isupper()
        assert 5 <= len(label) <= 60
        assert "-" not in label
        assert label.lower() != reason
    with pytest.raises(TypeError):
        LABELS[question] = {}  # type: ignore[index]


@given(
    st.sampled_from(Question).flatmap(
        lambda question: st.tuples(
            st.just(question),
            st.lists(st.sampled_from(list(ANSWERS[question])), unique=True),
            st.integers(1, MOST_REASONS[question]),
        )
    ),
    st.none() | st.datetimes(datetime(2, 1, 2), datetime(9998, 12, 30), timezones=st.timezones()),  # noqa: DTZ001
)
def test_whatever_is_offered_reaches_the_page(offered: tuple[Question, list[Any], int], at: datetime | None) -> None:
    """In any order, any number of them, asked about any instant of any zone, before 1970 as well."""
    question, offers, most = offered
    said = Answering(question=question, offers=tuple(offers), most=min(most, len(offers)), occasion=at)
    back = Answering.of_detail(said.as_detail())
    assert said == back
    assert (tuple(offers), None if at is None else at.astimezone(UTC).replace(microsecond=0)) == (
        back.offers, back.occasion,
    )  # fmt: skip


@given(
    st.sampled_from(ANSWERINGS),
    st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=200).map("a:b \u00e9:".__add__),
)
def test_a_long_name_is_cut_between_characters(answering: tuple[Question, Any], about: str) -> None:
    """With colons, in any script: what is read back is its beginning, and is written the same again."""
    question, reason = answering
    detail = Answering(question=question, reason=reason, about=about).as_detail()
    back = Answering.of_detail(detail)
    assert (question, reason) == (back.question, back.reason)
    assert about.startswith(back.about)
    assert about == back.about or MAX_ABOUT - 3 <= len(back.about.encode()) <= MAX_ABOUT
    assert detail == back.as_detail()
    assert len(detail) <= 200
