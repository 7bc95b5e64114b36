"""Who is answered by a person, and what that person gets (C3)."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, MailRefused, UnknownName
from lifecycle_mail.mails.kinds import KINDS, Family, Kind
from lifecycle_mail.mails.messages import FOOTER, Mail
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.replies import MONTHS, SHARE, PersonalReply, personal, reply_or_mail
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader, samples
from lifecycle_mail.policy.facts import Facts
from lifecycle_mail.policy.operators import FactValue
from lifecycle_mail.policy.predicates import Predicate
from lifecycle_mail.policy.where import where
from tests.mails.rendered import LINKS, specifications
from tests.policy_strategies import NOW as PEOPLES_NOW
from tests.policy_strategies import subject

RENDERER = Renderer(BRAND, links=LINKS)
SPECS = samples(sample_reader())
CANCELLATIONS = [kind for kind, row in KINDS.items() if row.family is Family.CANCELLATION]
PROGRAMME = [kind for kind, row in KINDS.items() if row.marketing]


def answered(kind: Kind, facts: Mapping[str, FactValue], to_person: Predicate, **options: Any) -> Mail | PersonalReply:
    """What comes of a sample."""
    return reply_or_mail(RENDERER, SPECS[kind], facts, to_person=to_person, now=NOW, **options)


def is_marked(predicate: Predicate, **facts: Any) -> bool:
    """Whether a customer of whom this is known is marked."""
    known = {"days_since_signup": None, "field:spend": None, **facts}
    return isinstance(answered(Kind.CANCELLATION_NOTE, known, predicate), PersonalReply)


class TestWho:
    """Customers of long standing, and those who spend most."""

    def test_the_defaults_are_those_of_c3(self) -> None:
        """Two years, and the top tenth by spend."""
        assert (24, 0.10) == (MONTHS, SHARE)

    @pytest.mark.parametrize(
        ("days", "expected"), [(0, False), (729, False), (730.4, False), (730.5, True), (4_000, True)]
    )
    def test_long_standing_is_two_years(self, days: float, expected: bool) -> None:
        """Of 365.25 days each, whole."""
        assert expected is is_marked(personal(), days_since_signup=days)

    def test_who_is_not_known_is_not_marked(self) -> None:
        """Neither when they signed up nor what they spent: a mail goes."""
        assert not is_marked(personal([1, 2, 3]))

    def test_months_and_share_are_settings(self) -> None:
        """Every figure is one."""
        assert is_marked(personal(months=12), days_since_signup=366)
        assert not is_marked(personal(months=12), days_since_signup=365)
        assert is_marked(personal(range(1, 11), share=0.5), **{"field:spend": 6})
        assert not is_marked(personal(range(1, 11), share=0.5), **{"field:spend": 5})

    @pytest.mark.parametrize(
        ("spends", "least"),
        [
            ([10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 100),
            ([5], 5),
            ([1, 2], 2),
            (range(1, 12), 10),
            ([7] * 100, 7),
            ([1] * 95 + [9] * 5, 1),
            ([100] + [50] * 19, 50),
            ([0, 0, 0, 8], 8),
            ([-5, 3], 3),
        ],
    )
    def test_the_top_tenth_by_spend(self, spends: Any, least: float) -> None:
        """Rounded up; who spends as much as the last of them is one too, and who spent nothing is none."""
        predicate = personal(spends)
        assert is_marked(predicate, **{"field:spend": least})
        assert not is_marked(predicate, **{"field:spend": least - 0.5})

    def test_a_share_is_of_customers_and_not_of_a_float(self) -> None:
        """Seven of a hundred are seven: 100 times 0.07 is a little more than 7 to a computer."""
        predicate = personal(range(1, 101), share=0.07)
        assert is_marked(predicate, **{"field:spend": 94})
        assert not is_marked(predicate, **{"field:spend": 93})

    @given(st.lists(st.integers(1, 50), min_size=1, max_size=200), st.integers(1, 100))
    def test_no_fewer_than_the_share_and_ties_alike(self, spends: list[int], percent: int) -> None:
        """The share is marked, without the lowest of them it would be less, and who spends more is in it."""
        predicate = personal(spends, share=percent / 100)
        by_spend = {spend: is_marked(predicate, **{"field:spend": spend}) for spend in set(spends)}
        marked = [spend for spend in spends if by_spend[spend]]
        assert len(marked) * 100 >= len(spends) * percent
        assert sum(spend > min(marked) for spend in spends) * 100 < len(spends) * percent
        assert not [spend for spend in spends if spend >= min(marked) and not by_spend[spend]]

    def test_nobody_who_spent_nothing_is_valuable(self) -> None:
        """Without any spend, long standing alone decides."""
        for spends in ([], [0, 0], [-1]):
            assert not is_marked(personal(spends), **{"field:spend": 0})
            assert is_marked(personal(spends), days_since_signup=1_000)

    def test_spend_may_be_another_fact(self) -> None:
        """A field that begins with a digit, too."""
        predicate = personal([1, 2, 3], by=where.field("2020_spend"))
        assert is_marked(predicate, **{"field:2020_spend": 3})
        assert not is_marked(predicate, **{"field:2020_spend": 2, "field:spend": 99})

    @pytest.mark.parametrize("share", [0, -0.1, 1.1, float("nan")])
    def test_a_share_that_is_none_is_refused(self, share: float) -> None:
        """More than none, and not more than all."""
        with pytest.raises(InvalidInput, match="share"):
            personal([1], share=share)

    def test_not_a_number_is_not_the_most(self) -> None:
        """What a column holds where nothing is known is no spend."""
        assert is_marked(personal([float("nan"), 1, 2]), **{"field:spend": 2})


class TestWhat:
    """A task with what is known, and a draft."""

    MARKED = where.field("vip").as_predicate()
    VIP: Mapping[str, FactValue] = {"field:vip": True, "field:spend": 480, "days_since_signup": 900}

    def test_everybody_else_gets_the_mail(self) -> None:
        """The same that the renderer makes."""
        found = answered(Kind.CANCELLATION_NOTE, {"field:vip": False}, self.MARKED)
        assert isinstance(found, Mail)
        assert RENDERER.render(SPECS[Kind.CANCELLATION_NOTE], now=NOW).text == found.text

    @pytest.mark.parametrize("kind", CANCELLATIONS)
    def test_a_draft_is_the_mail_without_what_stands_below(self, kind: Kind) -> None:
        """No footer, no address, no way out; greeting, text and signature stay."""
        found = answered(kind, self.VIP, self.MARKED)
        assert isinstance(found, PersonalReply)
        mail = RENDERER.render(SPECS[kind], now=NOW)
        above, footer, below = mail.text.partition(FOOTER)
        assert footer
        assert above.strip() + "\n" == found.draft
        assert found.draft.startswith("Hello Ada Lovelace,")
        assert found.draft.endswith("Ines, Harbour\n")
        for gone in ("/unsubscribe/", "/preferences/", BRAND.privacy_url, "Sadama 1", "reaches you whatever", below):
            assert gone not in found.draft
        assert mail.subject == found.subject

    @pytest.mark.parametrize("kind", PROGRAMME)
    def test_a_draft_of_marketing_keeps_its_way_out(self, kind: Kind) -> None:
        """And all that stands below it: whoever sends it sends marketing (O2, R8)."""
        found = answered(kind, self.VIP, self.MARKED)
        assert isinstance(found, PersonalReply)
        assert RENDERER.render(SPECS[kind], now=NOW).text == found.draft
        for kept in ("/unsubscribe/", "/preferences/", "Sadama 1"):
            assert kept in found.draft

    def test_a_text_that_looks_like_a_footer_ends_no_draft(self) -> None:
        """What a customer wrote is quoted, whatever its lines are."""
        spec: Any = SPECS[Kind.TECHNICAL_FOLLOW_UP]
        spec = evolve(spec, problem="It broke.\n-- \nMe")
        found = reply_or_mail(RENDERER, spec, self.VIP, to_person=self.MARKED, now=NOW)
        assert isinstance(found, PersonalReply)
        assert "> Me" in found.draft
        assert "Start again" in found.draft

    def test_a_task_says_whom_and_why_and_what_is_known(self) -> None:
        """The facts that decided, and those that are asked for."""
        to_person = personal([100, 480, 20])
        found = answered(Kind.CANCELLATION_NOTE, self.VIP, to_person, telling=["field:vip"])
        assert isinstance(found, PersonalReply)
        assert {"days_since_signup", "field:spend", "field:vip"} == {name for name, _ in found.facts}
        assert ("personal", "person") == (found.decision.rule.name, found.decision.outcome)
        said = str(found)
        for part in (
            "Ada Lovelace",
            "cancellation-note",
            "480",
            "a customer whom a person answers",
            found.draft,
            found.subject,
        ):
            assert part in said

    def test_who_has_no_name_goes_by_their_id(self) -> None:
        """And never by their address."""
        spec: Any = SPECS[Kind.CANCELLATION_NOTE]
        spec = evolve(spec, to=evolve(spec.to, name=""))
        said = str(reply_or_mail(RENDERER, spec, self.VIP, to_person=self.MARKED, now=NOW))
        assert "Please answer c-17 yourself" in said
        assert "ada@reader.example" not in said

    @pytest.mark.parametrize("name", ["Win at evil.example", "Free gift inside", "x" * 41])
    def test_who_has_a_lure_for_a_name_goes_by_their_id(self, name: str) -> None:
        """A task is read by people, too, and in a mailbox as often as not (F55)."""
        spec: Any = SPECS[Kind.CANCELLATION_NOTE]
        spec = evolve(spec, to=evolve(spec.to, name=name))
        said = str(reply_or_mail(RENDERER, spec, self.VIP, to_person=self.MARKED, now=NOW))
        assert said.startswith("Please answer c-17 yourself")
        assert name not in said

    def test_what_may_not_be_mailed_is_no_draft_either(self) -> None:
        """A deadline that is over is refused for everybody."""
        spec = SPECS[Kind.INACTIVITY_NOTICE]
        with pytest.raises(MailRefused, match="closes_on"):
            reply_or_mail(RENDERER, spec, self.VIP, to_person=self.MARKED, now=NOW + timedelta(days=400))

    def test_a_task_is_not_printed_with_all_that_it_holds(self) -> None:
        """Its repr names no draft and no mail."""
        assert "Thank you" not in repr(answered(Kind.CANCELLATION_NOTE, self.VIP, self.MARKED))

    def test_what_is_asked_for_and_not_known_is_missing(self) -> None:
        """A fact that nobody knows is told as that, and stops no reply."""
        found = answered(Kind.CANCELLATION_NOTE, self.VIP, self.MARKED, telling=["field:plan", "field:spend"])
        assert isinstance(found, PersonalReply)
        assert {"field:plan": "missing", "field:spend": "480", "field:vip": "yes"} == dict(found.facts)

    def test_what_is_known_is_told_as_it_is_written(self) -> None:
        """Predicates fold case, people do not; days have one place at most."""
        known: dict[str, FactValue] = {**self.VIP, "field:company": "Harbour O\u00dc", "days_since_signup": 900.25}
        found = answered(Kind.CANCELLATION_NOTE, known, self.MARKED, telling=["field:company", "days_since_signup"])
        assert isinstance(found, PersonalReply)
        expected = {"field:vip": "yes", "field:company": "'Harbour O\u00dc'", "days_since_signup": "900.2"}
        assert expected == dict(found.facts)

    def test_facts_of_the_registry_are_read_as_they_are_asked_for(self) -> None:
        """The catalogue computes a fact when a predicate or the task asks for it; one that it has not is refused."""
        facts = Facts(subject(signed_up_at=PEOPLES_NOW - timedelta(days=1_000), fields={"spend": 480}))
        found = answered(Kind.CANCELLATION_NOTE, facts, personal([480, 20]), telling=["field:spend", "has_address"])
        assert isinstance(found, PersonalReply)
        expected = {"days_since_signup": "1000", "field:spend": "480", "has_address": "yes"}
        assert expected == dict(found.facts)
        with pytest.raises(UnknownName, match="has_adress"):
            answered(Kind.CANCELLATION_NOTE, facts, personal([480, 20]), telling=["has_adress"])


class TestSettings:
    """What can be set, and set wrong."""

    @pytest.mark.parametrize("months", [-1, float("nan"), float("inf"), "24", None, True])
    def test_months_that_are_none_are_refused(self, months: Any) -> None:
        """A negative number would mark everybody."""
        with pytest.raises(InvalidInput, match=r"^months .*such as 24"):
            personal(months=months)

    @pytest.mark.parametrize("share", ["0.1", None, True])
    def test_a_share_of_another_type_is_refused(self, share: Any) -> None:
        """True would be everybody."""
        with pytest.raises(InvalidInput, match=r"^share .*such as 0\.1"):
            personal([1], share=share)

    def test_the_bounds_of_a_share(self) -> None:
        """However small it is, the one who spent most is marked; all who spent anything are at 1."""
        for share, least in ((1e-9, 100), (0.01, 100), (0.011, 99), (1, 1), (1.0, 1)):
            predicate = personal(range(101), share=share)
            assert is_marked(predicate, **{"field:spend": least})
            assert not is_marked(predicate, **{"field:spend": least - 1})

    def test_no_months_mark_everybody_who_signed_up(self) -> None:
        """Zero is a setting; who never signed up is still not known."""
        assert is_marked(personal(months=0), days_since_signup=0)
        assert not is_marked(personal(months=0))

    @pytest.mark.parametrize("spend", ["a", True, object()])
    def test_a_spend_that_is_none_is_refused(self, spend: Any) -> None:
        """And what a table does not know is not counted."""
        with pytest.raises(InvalidInput, match=r"^spends: a \w+ is no sum"):
            personal([1, spend])
        assert is_marked(personal([None, 20, None]), **{"field:spend": 20})

    def test_sums_of_a_database_are_taken(self) -> None:
        """They are decimals there."""
        spends: Any = [Decimal("10.50"), Decimal("20.00"), Decimal("0.00")]
        assert is_marked(personal(spends), **{"field:spend": 20})

    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (*PROGRAMME, Kind.FRESH_LINK)])
    def test_no_other_draft_leads_out(self, kind: Kind) -> None:
        """A person's mail has no way out below it, unless it is marketing; one kind offers it in its text."""
        spec = specifications("en")[kind]
        found = reply_or_mail(RENDERER, spec, {"field:vip": True}, to_person=TestWhat.MARKED, now=NOW)
        assert isinstance(found, PersonalReply)
        assert "/unsubscribe/" not in found.draft
        assert FOOTER not in found.draft
        assert BRAND.privacy_url not in found.draft
