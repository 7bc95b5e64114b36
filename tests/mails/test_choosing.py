"""Which notice a cancellation gets: each row is needed, and nothing that is missing keeps it back (C2, R15)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from attrs import NOTHING, evolve, fields
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, MailRefused
from lifecycle_mail.mails.catalogues import SHIPPED, shipped
from lifecycle_mail.mails.choosing import NOTICE, Cancellation, Cause, choose_notice, write_notice
from lifecycle_mail.mails.formats import Formats
from lifecycle_mail.mails.kinds import KINDS, Family, Kind, Point
from lifecycle_mail.mails.parts import Card, Money
from lifecycle_mail.mails.reasons import LABELS
from lifecycle_mail.mails.samples import NOW, sample_reader
from lifecycle_mail.mails.specs import CancellationConfirmed, MembershipEnded, PlanEnding
from lifecycle_mail.model.answers import CancellationReason, Question
from lifecycle_mail.policy.tables import Otherwise, Rule, Table
from lifecycle_mail.policy.where import where
from tests.mails.rendered import render

TODAY = NOW.date()
LEAST = Cancellation(
    to=sample_reader(), product="Harbour Pro", cancelled_at=NOW - timedelta(hours=2),
    resume_url="https://harbour.example/start", help_url="https://harbour.example/help",
)  # fmt: skip
"""A cancellation of which nothing is known that can be left out."""


def known(**said: Any) -> Cancellation:
    """The same, of which something more is known."""
    return evolve(LEAST, **said)


def always(kind: Kind) -> Table:
    """A table of one's own that chooses one kind."""
    return Table(name="own", rules=[], otherwise=Otherwise(then=kind))


# A witness of each row, which differs from what any row below decides of it.
WITNESSES: dict[str, tuple[Cancellation, Kind]] = {
    "payment-failed": (known(cause=Cause.PAYMENT), Kind.PAYMENT_FAILED),
    "membership-ended": (known(cause=Cause.MEMBERSHIP), Kind.MEMBERSHIP_ENDED),
    "paid-for": (known(access_until=TODAY + timedelta(days=28)), Kind.PLAN_ENDING),
    "refund": (known(refund=Money("4.03", "EUR")), Kind.CANCELLATION_CONFIRMED),
    "trial": (known(trial=True, reason=CancellationReason.MISSING_FEATURES), Kind.CANCELLATION_NOTE),
    "no-reason-yet": (LEAST, Kind.CANCELLATION_REASON),
    "otherwise": (known(reason=CancellationReason.SWITCHING), Kind.CANCELLATION_CONFIRMED),
}


class TestTheTable:
    """Each row decides something."""

    def test_every_row_has_a_witness(self) -> None:
        """And no witness is for a row that there is not."""
        assert [*(rule.name for rule in NOTICE.rules), "otherwise"] == list(WITNESSES)

    @pytest.mark.parametrize("name", WITNESSES)
    def test_a_row_decides_its_witness(self, name: str) -> None:
        """The row is the one that decides, and says why in words that are filled in."""
        cancellation, kind = WITNESSES[name]
        decision = choose_notice(cancellation, now=NOW)
        assert (name, kind) == (decision.rule.name, decision.outcome)
        assert decision.reason
        assert "{" not in decision.reason
        assert kind is write_notice(cancellation, now=NOW).kind

    @pytest.mark.parametrize("name", [name for name in WITNESSES if name != "otherwise"])
    def test_without_a_row_its_witness_gets_another_notice(self, name: str) -> None:
        """So no row is there for nothing."""
        without = Table(
            name="without",
            rules=[rule for rule in NOTICE.rules if rule.name != name],
            otherwise=evolve(NOTICE.otherwise, then=Kind.CANCELLATION_SURVEY),
        )
        cancellation, kind = WITNESSES[name]
        assert kind != choose_notice(cancellation, now=NOW, table=without).outcome or name == "refund"
        assert name != choose_notice(cancellation, now=NOW, table=without).rule.name

    def test_every_notice_is_one(self) -> None:
        """What a row chooses is about a cancellation and confirms it: what was cancelled, and when (R15)."""
        for then in (*(rule.then for rule in NOTICE.rules), NOTICE.otherwise.then):
            row = KINDS[Kind(then)]
            assert Family.CANCELLATION is row.family
            assert Point.CONFIRMATION in row.points
            assert "product" in row.points[Point.CONFIRMATION]
            assert {"cancelled_at", "ended_on"} & set(row.points[Point.CONFIRMATION])

    @pytest.mark.parametrize(
        ("left", "kind"), [(-1, Kind.CANCELLATION_REASON), (0, Kind.PLAN_ENDING), (1, Kind.PLAN_ENDING)]
    )
    def test_a_day_that_is_paid_for_is_whole(self, left: int, kind: Kind) -> None:
        """On the last day there is still access; the day after there is none."""
        assert kind == choose_notice(known(access_until=TODAY + timedelta(days=left)), now=NOW).outcome

    @pytest.mark.parametrize(
        ("zone", "kind"), [("UTC", Kind.PLAN_ENDING), ("Pacific/Kiritimati", Kind.CANCELLATION_REASON)]
    )
    def test_days_are_those_of_the_reader(self, zone: str, kind: Kind) -> None:
        """At noon UTC it is tomorrow on an island in the Pacific."""
        cancellation = known(to=evolve(LEAST.to, timezone=zone), access_until=TODAY)
        assert kind == choose_notice(cancellation, now=NOW).outcome

    @pytest.mark.parametrize("reason", [None, *CancellationReason])
    def test_a_trial_is_asked_what_was_missing_where_that_is_the_question(
        self, reason: CancellationReason | None
    ) -> None:
        """Who says that it costs too much is not asked what was missing, and nothing of a trial was paid for."""
        trial = known(trial=True, reason=reason, access_until=TODAY + timedelta(days=5))
        missing = {None, CancellationReason.MISSING_FEATURES, CancellationReason.NO_INTEGRATION}
        expected = Kind.CANCELLATION_NOTE if reason in missing else Kind.CANCELLATION_CONFIRMED
        assert expected == choose_notice(trial, now=NOW).outcome
        assert expected is write_notice(trial, now=NOW).kind

    def test_nothing_is_paid_back_is_no_refund(self) -> None:
        """A sum of zero is none."""
        assert Kind.CANCELLATION_REASON == choose_notice(known(refund=Money(0, "EUR")), now=NOW).outcome

    def test_a_payment_without_its_card_is_a_payment_all_the_same(self) -> None:
        """Whoever paid by transfer is told that the payment failed, and not that they asked for it."""
        without = known(cause=Cause.PAYMENT)
        assert Kind.PAYMENT_FAILED == choose_notice(without, now=NOW).outcome
        text = render(write_notice(without, now=NOW)).text
        assert "The payment failed, so we had to cancel" in text
        assert "asked" not in text

    def test_the_table_is_printed_and_explains(self) -> None:
        """As every table does: with the rule that decided, and what would have changed it."""
        said = choose_notice(known(access_until=TODAY + timedelta(days=28)), now=NOW).explain()
        assert "days left: 28" in said
        for rule in NOTICE.rules:
            assert rule.name in said


MUCH = known(
    refund=Money("4.03", "EUR"), amount=Money("12", "EUR"), card=Card("4242"), keeps=["Your logbook"],
    benefits=["The library"],
)  # fmt: skip
FULL: dict[Kind, Cancellation] = {
    Kind.PAYMENT_FAILED: evolve(MUCH, cause=Cause.PAYMENT, access_until=TODAY + timedelta(days=3)),
    Kind.MEMBERSHIP_ENDED: evolve(MUCH, cause=Cause.MEMBERSHIP, access_until=TODAY - timedelta(days=1)),
    Kind.PLAN_ENDING: evolve(MUCH, access_until=TODAY + timedelta(days=28)),
    Kind.CANCELLATION_CONFIRMED: evolve(MUCH, access_until=TODAY),
    Kind.CANCELLATION_NOTE: evolve(MUCH, access_until=TODAY + timedelta(days=1)),
    Kind.CANCELLATION_REASON: evolve(MUCH, access_until=TODAY + timedelta(days=1)),
}
"""Of each kind of notice a cancellation of which much is known."""


class TestWhatIsWritten:
    """What is known is said, what is not is left out."""

    @pytest.mark.parametrize("kind", FULL)
    def test_what_is_known_is_said(self, kind: Kind) -> None:
        """Each notice states, in both parts, all that the application filled in and that it speaks of."""
        cancellation = FULL[kind]
        mail = render(write_notice(cancellation, now=NOW, table=always(kind)))
        assert kind is mail.kind
        formats = Formats(Locale("en"), cancellation.to.zone)
        assert cancellation.cancelled_at
        assert cancellation.refund
        assert cancellation.amount
        assert cancellation.card
        assert cancellation.access_until
        said = [
            cancellation.product, formats.moment(cancellation.cancelled_at), formats.money(cancellation.refund),
            cancellation.card.last_four, *cancellation.keeps, cancellation.resume_url,
            formats.day(cancellation.access_until),
        ]  # fmt: skip
        if kind is Kind.PAYMENT_FAILED:
            said.append(formats.money(cancellation.amount))
        if kind is Kind.MEMBERSHIP_ENDED:
            said += [*cancellation.benefits, cancellation.help_url]
        for form in (mail.text, unescape(mail.html)):
            plain = " ".join(form.split())
            for one in said:
                assert " ".join(one.split()) in plain

    @pytest.mark.parametrize("locale", SHIPPED)
    @pytest.mark.parametrize("reason", CancellationReason)
    def test_who_said_why_is_thanked_and_not_asked_again(self, reason: CancellationReason, locale: str) -> None:
        """In the words in which it is chosen, in every language. "Another reason" says nothing yet."""
        spec = write_notice(known(reason=reason, to=sample_reader(locale)), now=NOW)
        assert isinstance(spec, CancellationConfirmed)
        mail, unsaid = render(spec), render(evolve(spec, reason=None))
        words = LABELS[Question.CANCELLATION][reason]
        label = words if locale == "en" else shipped()[locale].texts[words][0]
        page = " ".join(unescape(mail.html).split())
        assert (reason is not CancellationReason.OTHER) == (label in page) == (label in " ".join(mail.text.split()))
        assert (mail.text == unsaid.text) == (reason is CancellationReason.OTHER)

    @pytest.mark.parametrize("reason", CancellationReason)
    def test_no_table_asks_again(self, reason: CancellationReason) -> None:
        """One that asks everybody for the reason gives way where it is known; a note thanks."""
        asks = write_notice(known(reason=reason), now=NOW, table=always(Kind.CANCELLATION_REASON))
        assert isinstance(asks, CancellationConfirmed)
        note = render(write_notice(known(reason=reason), now=NOW, table=always(Kind.CANCELLATION_NOTE)))
        assert ("You told us why" in note.text) == (reason is not CancellationReason.OTHER)

    def test_each_notice_was_asked_for(self) -> None:
        """So what was just held holds for every kind that a row chooses."""
        assert FULL.keys() == {kind for _, kind in WITNESSES.values()}

    @pytest.mark.parametrize("kind", sorted({kind for _, kind in WITNESSES.values()}))
    @pytest.mark.parametrize("cause", Cause)
    @pytest.mark.parametrize("left", [None, -1, 0, 1])
    def test_no_notice_tells_another_cause(self, kind: Kind, cause: Cause, left: int | None) -> None:
        """Whichever kind a table of one's own chooses: nobody reads that they asked for what a bank did (C2)."""
        until = None if left is None else TODAY + timedelta(days=left)
        text = render(write_notice(known(cause=cause, access_until=until), now=NOW, table=always(kind))).text
        assert ("as you asked" in text or "You cancelled" in text) <= (cause is Cause.ASKED)
        assert ("payment failed" in text) <= (cause is Cause.PAYMENT)
        assert ("membership" in text) <= (kind is Kind.MEMBERSHIP_ENDED or cause is Cause.MEMBERSHIP)

    def test_a_membership_ended_on_the_readers_day(self) -> None:
        """Where no last day is known, it is the day of the cancellation in the reader's calendar."""
        late = datetime.fromisoformat("2026-03-02T23:30:00+00:00")
        found = write_notice(known(cause=Cause.MEMBERSHIP, cancelled_at=late), now=NOW)
        assert isinstance(found, MembershipEnded)
        assert date(2026, 3, 3) == found.ended_on

    @pytest.mark.parametrize("kind", [Kind.PLAN_ENDING, Kind.PAYMENT_FAILED, Kind.CANCELLATION_CONFIRMED])
    def test_a_table_of_ones_own_cannot_ask_for_what_is_not_known(self, kind: Kind) -> None:
        """A kind that needs a last day, or tells of a payment, gives way to one that does not."""
        table = always(kind)
        assert Kind.CANCELLATION_CONFIRMED is write_notice(LEAST, now=NOW, table=table).kind

    @pytest.mark.parametrize("kind", ["survey", Kind.CANCELLATION_SURVEY, Kind.GOODBYE, "nonsense"])
    def test_a_table_of_ones_own_chooses_among_notices(self, kind: str) -> None:
        """Anything else would leave somebody without what they have to be told (R15)."""
        table = Table(name="own", rules=[], otherwise=Otherwise(then=kind))
        with pytest.raises(InvalidInput, match=r"kind=.*cancellation-confirmed"):
            write_notice(LEAST, now=NOW, table=table)

    def test_a_membership_that_ran_out_was_cancelled_by_nobody(self) -> None:
        """Its notice states its last day, and no cancellation; while it runs there is nothing to tell."""
        over = known(cause=Cause.MEMBERSHIP, cancelled_at=None, access_until=TODAY - timedelta(days=1))
        for table in (NOTICE, always(Kind.CANCELLATION_CONFIRMED), always(Kind.PLAN_ENDING)):
            spec = write_notice(over, now=NOW, table=table)
            assert isinstance(spec, MembershipEnded)
            assert (None, TODAY - timedelta(days=1)) == (spec.cancelled_at, spec.ended_on)
            assert "Cancelled" not in render(spec).text
        with pytest.raises(MailRefused, match=r"nobody cancelled it.*2026-03-03: write its notice the day after"):
            write_notice(evolve(over, access_until=TODAY), now=NOW)

    @pytest.mark.parametrize("cause", Cause)
    def test_when_it_ended_is_known(self, cause: Cause) -> None:
        """Only a membership ends without a cancellation, and then its last day has to be given."""
        over = {"cause": cause, "access_until": TODAY - timedelta(days=1)}
        if cause is Cause.MEMBERSHIP:
            over["access_until"] = None
        with pytest.raises(InvalidInput, match="cancelled_at: None is for a membership that ran out by itself"):
            known(**over, cancelled_at=None)

    def test_a_table_of_ones_own_reads_the_same_facts(self) -> None:
        """By the names that the class lists."""
        rule = Rule(name="short", when=where.field("trial").as_predicate(), then=Kind.CANCELLATION_CONFIRMED)
        table = Table(name="own", rules=[rule], otherwise=Otherwise(then=Kind.CANCELLATION_NOTE))
        assert Kind.CANCELLATION_NOTE is write_notice(LEAST, now=NOW, table=table).kind
        assert Kind.CANCELLATION_CONFIRMED is write_notice(known(trial=True), now=NOW, table=table).kind
        assert {
            "field:cause",
            "field:reason",
            "field:trial",
            "field:refund",
            "field:days_left",
        } == set(LEAST.facts(now=NOW))
        assert NOTICE.facts() <= set(LEAST.facts(now=NOW))


UNSEEN = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and a sign that are drawn as nothing."""

SUMS = st.none() | st.builds(
    Money, st.decimals(min_value=0, max_value=10**6, places=2), st.sampled_from(["EUR", "JPY", "KWD", "XXX"])
)
TEXTS = st.lists(
    st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters=UNSEEN), min_size=1, max_size=200),
    max_size=3,
    unique=True,
)
SAID: dict[str, st.SearchStrategy[Any]] = {
    "cause": st.sampled_from(Cause),
    "reason": st.none() | st.sampled_from(CancellationReason),
    "trial": st.booleans(),
    "refund": SUMS,
    "amount": SUMS,
    "card": st.none() | st.builds(Card, st.from_regex(r"[0-9]{4}", fullmatch=True)),
    "access_until": st.none() | st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    "keeps": TEXTS,
    "benefits": TEXTS,
    "product": st.text(
        st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters=UNSEEN), min_size=1, max_size=200
    ).filter(lambda text: bool(text.strip())),
    "cancelled_at": st.datetimes(datetime(2000, 1, 1), datetime(2026, 3, 3, 12)).map(  # noqa: DTZ001 - made aware below
        lambda at: at.replace(tzinfo=NOW.tzinfo)
    ),
}


def readers(locale: str, zone: str, name: str) -> Any:
    """A reader of a language in a zone."""
    return evolve(sample_reader(locale), timezone=zone, name=name)


@settings(max_examples=200)
@given(
    st.fixed_dictionaries({}, optional=SAID),
    st.builds(
        readers,
        st.sampled_from(["en", "et", "pt-BR", "ar", "xx"]),
        st.sampled_from(["UTC", "Pacific/Kiritimati", "America/St_Johns"]),
        st.sampled_from(["", "Ada", "evil.com"]),
    ),
)
def test_every_cancellation_gets_a_notice_that_can_be_sent(said: dict[str, Any], to: Any) -> None:
    """Whatever is known of it and whatever is not: it is rendered, and says what was cancelled (R15)."""
    try:
        spec = write_notice(evolve(LEAST, to=to, **said), now=NOW)
    except MailRefused as refused:
        # Hypothesis wrote a price into what stays (C6): the application is told, before anything is rendered.
        assert "C6" in str(refused)  # noqa: PT017 - what is refused is refused for this alone
        return
    mail = render(spec)
    assert " ".join(said.get("product", LEAST.product).split()) in " ".join((mail.subject + mail.text).split())
    assert mail.to_message().as_bytes()


CHECKED: list[tuple[dict[str, Any], str]] = [
    ({"to": "ada@reader.example"}, "to"),
    ({"product": ""}, "product"),
    ({"product": "\u200b"}, "product"),
    ({"cancelled_at": "yesterday"}, "cancelled_at"),
    ({"cancelled_at": NOW.replace(tzinfo=None)}, "cancelled_at"),
    ({"resume_url": "http://harbour.example"}, "resume_url"),
    ({"help_url": None}, "help_url"),
    ({"cause": "bored"}, "cause"),
    ({"reason": "bored"}, "reason"),
    ({"trial": "yes"}, "trial"),
    ({"refund": 4.03}, "refund"),
    ({"amount": "12"}, "amount"),
    ({"card": "4111111111111111"}, "card"),
    ({"access_until": NOW}, "access_until"),
    ({"keeps": "logbook"}, "keeps"),
    ({"benefits": [1]}, "benefits"),
]


@pytest.mark.parametrize(("changes", "name"), CHECKED, ids=[name for _, name in CHECKED[:2]] + list("abcdefghijklmn"))
def test_what_is_known_is_checked(changes: dict[str, Any], name: str) -> None:
    """Each field, when the application says it, and the number of a card is in no message."""
    make: Callable[[], object] = lambda: evolve(LEAST, **changes)  # noqa: E731 - called within the check
    with pytest.raises(InvalidInput, match=name) as refused:
        make()
    assert "4111" not in str(refused.value)


def test_now_is_an_instant() -> None:
    """A naive one could be any day."""
    with pytest.raises(InvalidInput, match="no time zone"):
        choose_notice(LEAST, now=NOW.replace(tzinfo=None))


# --- the same in plain Python -----------------------------------------------------------------------------------------


def by_hand(cancellation: Cancellation) -> Kind:
    """What the table decides, written out."""
    today = NOW.astimezone(cancellation.to.zone).date()
    until = cancellation.access_until
    match cancellation.cause:
        case Cause.PAYMENT:
            return Kind.PAYMENT_FAILED
        case Cause.MEMBERSHIP if until is None or until < today:
            return Kind.MEMBERSHIP_ENDED
    if until is not None and until >= today and (not cancellation.trial or cancellation.cause is Cause.MEMBERSHIP):
        return Kind.PLAN_ENDING
    if cancellation.refund is not None:
        return Kind.CANCELLATION_CONFIRMED
    lacking = cancellation.reason in (CancellationReason.MISSING_FEATURES, CancellationReason.NO_INTEGRATION)
    if cancellation.trial and (cancellation.reason is None or lacking):
        return Kind.CANCELLATION_NOTE
    return Kind.CANCELLATION_REASON if cancellation.reason is None else Kind.CANCELLATION_CONFIRMED


DAYS_AROUND = st.integers(-2, 2).map(lambda days: TODAY + timedelta(days=days))
LITTLE = {name: strategy for name, strategy in SAID.items() if name in ("cause", "reason", "trial", "refund", "card")}
ZONES = st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])


@settings(max_examples=300)
@given(st.fixed_dictionaries({}, optional={**LITTLE, "access_until": st.none() | DAYS_AROUND}), ZONES)
def test_the_table_says_what_plain_python_says(said: dict[str, Any], zone: str) -> None:
    """Each option said or left out, around the days on which it matters; and that kind is the one that is written."""
    cancellation = evolve(LEAST, to=evolve(LEAST.to, timezone=zone), **said)
    assert by_hand(cancellation) == choose_notice(cancellation, now=NOW).outcome
    assert by_hand(cancellation) is write_notice(cancellation, now=NOW).kind


class TestNothingThatIsOver:
    """A notice is read as evidence: it states no day that cannot be (R15)."""

    @pytest.mark.parametrize("kind", [Kind.CANCELLATION_CONFIRMED, Kind.PLAN_ENDING])
    def test_nothing_works_until_a_day_that_is_over(self, kind: Kind) -> None:
        """Whichever table chose: what ended yesterday is confirmed, without a promise for the past."""
        over = known(access_until=TODAY - timedelta(days=1), reason=CancellationReason.OTHER)
        for table in (NOTICE, always(kind)):
            spec = write_notice(over, now=NOW, table=table)
            assert isinstance(spec, CancellationConfirmed)
            assert spec.access_until is None
            assert "until" not in render(spec).text

    def test_a_membership_has_not_ended_before_its_last_day(self) -> None:
        """It is paid for until then, and that is what the notice says; its last day is whole."""
        ahead = known(cause=Cause.MEMBERSHIP, access_until=TODAY + timedelta(days=1))
        own = Table(name="own", rules=[], otherwise=Otherwise(then=Kind.MEMBERSHIP_ENDED))
        for table in (NOTICE, own):
            spec = write_notice(ahead, now=NOW, table=table)
            assert isinstance(spec, PlanEnding)
            assert TODAY + timedelta(days=1) == spec.ends_on
        assert Kind.PLAN_ENDING == choose_notice(ahead, now=NOW).outcome
        last = evolve(ahead, access_until=TODAY)
        for table in (NOTICE, own):
            assert isinstance(write_notice(last, now=NOW, table=table), PlanEnding)
        over = write_notice(evolve(ahead, access_until=TODAY - timedelta(days=1)), now=NOW)
        assert isinstance(over, MembershipEnded)
        assert TODAY - timedelta(days=1) == over.ended_on

    def test_nothing_is_neither_paid_back_nor_charged(self) -> None:
        """A mail that pays back 0.00 is a mail that somebody laughs at."""
        nothing = known(refund=Money("0.00", "EUR"), amount=Money(0, "EUR"), cause=Cause.PAYMENT, card=Card("4242"))
        assert (None, None) == (nothing.refund, nothing.amount)
        for cause in (Cause.PAYMENT, Cause.ASKED):
            assert "0.00" not in render(write_notice(evolve(nothing, cause=cause), now=NOW)).text


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(NOTICE.rules), unique_by=lambda rule: rule.name),
    st.sampled_from(sorted({kind for _, kind in WITNESSES.values()})),
    st.fixed_dictionaries({}, optional=SAID),
)
def test_any_table_over_the_same_facts_gives_everybody_a_notice(
    rules: list[Rule], otherwise: Kind, said: dict[str, Any]
) -> None:
    """Rows left out or in another order: whatever is missing, what they choose can be written and rendered."""
    table = Table(name="own", rules=rules, otherwise=Otherwise(then=otherwise))
    try:
        assert render(write_notice(evolve(LEAST, **said), now=NOW, table=table)).text
    except MailRefused as refused:
        assert "C6" in str(refused)  # noqa: PT017 - what is refused is refused for this alone


@pytest.mark.parametrize("name", [one.name for one in fields(Cancellation) if one.default is NOTHING])
def test_what_every_notice_states_cannot_be_left_out(name: str) -> None:
    """Who, what, when, and the ways back: nothing is made without."""
    said = {one.name: getattr(LEAST, one.name) for one in fields(Cancellation) if one.name != name}
    with pytest.raises(TypeError, match=f"'{name}'"):
        Cancellation(**said)
