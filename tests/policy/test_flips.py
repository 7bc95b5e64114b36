"""What would flip a decision: every flip that is told is true, and none that is near is missed."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.model.instants import DAY, to_micros
from lifecycle_mail.policy.flips import MOST_FACTS_IN_PAIRS, find_flips
from lifecycle_mail.policy.operators import PlainFacts
from lifecycle_mail.policy.predicates import AllOf, Predicate
from lifecycle_mail.policy.settings import Settings
from lifecycle_mail.policy.sunset import sunset_table, tier_table
from lifecycle_mail.policy.tables import Otherwise, Rule, Table
from lifecycle_mail.policy.where import where
from tests.policy_strategies import GRID, NOW, known_names, predicates, table_facts, tables
from tests.policy_strategies import values_of as grid_values

N = to_micros(NOW)


def table_of(*rules: tuple[Predicate, str], otherwise: str = "keep") -> Table:
    """Make a table of predicates and outcomes."""
    made = [Rule(name=f"r{place}", when=when, then=then) for place, (when, then) in enumerate(rules)]
    return Table(name="t", rules=made, otherwise=Otherwise(then=otherwise))


class TestLaws:
    """Over any table and any facts."""

    @settings(max_examples=300)
    @given(tables(), table_facts)
    def test_true(self, table: Table, facts: dict[str, Any]) -> None:
        """Each flip, put in place, really gives the outcome and the rule that it tells, and another than now."""
        plain = PlainFacts.of(facts)
        now = table.decide(plain).outcome
        for flip in find_flips(table, facts):
            changed = PlainFacts({**plain, **{change.fact: change.after for change in flip.changes}})
            decision = table.decide(changed)
            assert (flip.outcome, flip.rule) == (decision.outcome, decision.rule.name)
            assert now != flip.outcome
            assert [plain[change.fact] for change in flip.changes] == [change.before for change in flip.changes]
            assert str(flip)

    @settings(max_examples=300)
    @given(tables(), table_facts)
    def test_complete(self, table: Table, facts: dict[str, Any]) -> None:
        """Where trying every value of one fact reaches another outcome, a flip of that fact to that outcome is told."""
        now = table.decide(facts).outcome
        told = {(flip.changes[0].fact, flip.outcome) for flip in find_flips(table, facts) if len(flip.changes) == 1}
        for name in GRID:
            for value in grid_values(name, facts[name]):
                outcome = table.decide({**facts, name: value}).outcome
                if outcome != now:
                    assert (name, outcome) in told

    @settings(max_examples=200)
    @given(tables(), table_facts)
    def test_singles_and_pairs(self, table: Table, facts: dict[str, Any]) -> None:
        """One flip for each fact and outcome; a pair of two facts only for an outcome that no single one reaches."""
        flips = find_flips(table, facts)
        singles = [flip for flip in flips if len(flip.changes) == 1]
        pairs = [flip for flip in flips if len(flip.changes) == 2]
        assert [*singles, *pairs] == list(flips)
        assert len(singles) == len({(flip.changes[0].fact, flip.outcome) for flip in singles})
        assert len(pairs) == len({flip.outcome for flip in pairs})
        assert not {flip.outcome for flip in singles} & {flip.outcome for flip in pairs}
        assert all(flip.changes[0].fact != flip.changes[1].fact for flip in pairs)
        assert tuple(singles) == find_flips(table, facts, pairs=False)

    @given(st.lists(predicates(known_names, depth=2), max_size=4), st.data())
    def test_never_raises(self, whens: list[Predicate], data: st.DataObject) -> None:
        """Whatever the literals, and whatever the facts are, explaining does not fail."""
        table = table_of(*((when, f"o{place}") for place, when in enumerate(whens)))
        value = st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.frozensets(st.text(max_size=2)),
            st.sampled_from((10**400, -(10**400), 10**18)),
        )  # fmt: skip
        facts = data.draw(st.fixed_dictionaries(dict.fromkeys(sorted(table.facts() - {"now"}), value)))
        facts["now"] = data.draw(st.sampled_from((N, None)))
        for flip in find_flips(table, facts):
            assert str(flip)
        assert table.decide(facts).explain()


class TestBoundaries:
    """The nearest change that flips is told."""

    @pytest.mark.parametrize(
        ("when", "before", "after", "words"),
        [
            (where.days_inactive >= 75, 80.0, math.nextafter(75, 0), "below 75"),
            (where.days_inactive >= 75, 60.0, 75, "= 75"),
            (where.days_inactive > 75, 60.0, math.nextafter(75, 99), "above 75"),
            (where.days_inactive > 75, 80.0, 75, "= 75"),
            (where.days_inactive <= 75, 80.0, 75, "= 75"),
            (where.days_inactive < 75, 80.0, math.nextafter(75, 0), "below 75"),
            (where.days_inactive == 3, 5, 3, "= 3"),
            (where.days_inactive.is_in([3, 9]), 5, 3, "= 3"),
            (where.days_inactive.is_in([3, 9]), 7, 9, "= 9"),
            (where.sunset == True, True, False, "= no"),  # noqa: E712
            (where.lists.has("news"), frozenset({"tips"}), frozenset({"news", "tips"}), "with 'news'"),
            (where.lists.has("news"), frozenset({"news", "tips"}), frozenset({"tips"}), "without 'news'"),
            (where.last_open.older_than(days=30), N, N - 30 * DAY, "30 days ago"),
            (where.last_open.older_than(days=30), N - 40 * DAY, N - 30 * DAY + 1, "30 days ago"),
            (where.last_open.in_last(days=2), N - 3 * DAY, N - 2 * DAY + 1, "2 days ago"),
            (where.last_open.in_next(days=2), N - DAY, N, "now"),
            (where.signed_up_at >= NOW, N - 9, N, f"= {NOW}"),
            (where.source == "ads", "web", "ads", "= 'ads'"),
            (where.source == "ads", "ads", "ads\x00", "other than 'ads'"),
            (where.source != "ads", "web", "ads", "= 'ads'"),
            (where.source < "b", "c", "", "below 'b'"),
            (where.source.contains("ad"), "web", "ad", "containing 'ad'"),
            (where.last_engagement.is_missing(), None, N, "known"),
            (where.field("vip").is_missing(), True, None, "missing"),
            (where.source.is_missing(), None, "", "known"),
            (where.lists.is_missing(), None, frozenset(), "known"),
            (where.sunset.is_missing(), None, False, "known"),
            (where.mails_tracked.is_missing(), None, 0, "known"),
        ],
        ids=range(28),
    )
    def test_nearest(self, when: Predicate, before: Any, after: Any, words: str) -> None:
        """For one fact and one threshold the change goes to the boundary and no farther."""
        (name,) = when.facts() - {"now"}
        (flip,) = find_flips(table_of((when, "go")), {name: before, "now": NOW})
        (change,) = flip.changes
        assert (after, words) == (change.after, change.words)

    def test_both_sides(self) -> None:
        """Between two thresholds the nearest of each outcome is told."""
        table = table_of((where.days_inactive >= 180, "deep"), (where.days_inactive >= 75, "inactive"))
        found = {flip.outcome: flip.changes[0].after for flip in find_flips(table, {"days_inactive": 100.0})}
        assert {"deep": 180, "keep": math.nextafter(75, 0)} == found

    def test_the_other_end(self) -> None:
        """A relative range has a second end, at now, beyond which nothing is old or recent."""
        for when, after in (
            (where.last_open.in_last(days=2) | where.last_open.older_than(days=1), N + 1),
            (where.last_open.in_next(days=2) | (where.last_open >= NOW), N - 1),
        ):
            (flip,) = (
                one for one in find_flips(table_of((when, "go")), {"last_open": N, "now": NOW}) if one.outcome == "keep"
            )
            assert after == flip.changes[0].after

    def test_what_lifts_comes_first(self) -> None:
        """What lifts the deciding rule is told before what an earlier rule would add."""
        table = table_of((where.erased.as_predicate(), "gone"), (where.paused.as_predicate(), "wait"))
        assert ["keep", "gone"] == [flip.outcome for flip in find_flips(table, {"paused": True, "erased": False})]

    def test_pairs(self) -> None:
        """An outcome that needs two changes is reached by two."""
        table = table_of((where.paused & where.sunset, "both"))
        (flip,) = find_flips(table, {"paused": False, "sunset": False})
        assert "both (r0) if paused = yes (is no) and sunset = yes (is no)" == str(flip)
        assert () == find_flips(table, {"paused": False, "sunset": False}, pairs=False)

    def test_too_many_facts(self) -> None:
        """A table that reads very many facts is spared the pairs."""
        many = AllOf([where.field(f"f{n}") == 1 for n in range(MOST_FACTS_IN_PAIRS + 1)])
        facts = {f"field:f{n}": 1 for n in range(2, MOST_FACTS_IN_PAIRS + 1)}
        assert () == find_flips(table_of((many, "go")), facts)

    def test_nothing_to_flip(self) -> None:
        """A table of one outcome flips by nothing."""
        assert () == find_flips(table_of((where.sunset.as_predicate(), "keep")), {"sunset": True})

    @pytest.mark.parametrize("made", [tier_table, sunset_table])
    def test_of_a_policy(self, made: Any) -> None:
        """The tables of a policy flip too: whoever showed no sign yet is told what one would change."""
        table = made(Settings.for_cadence("weekly"))
        facts = {"mails_tracked": 9, "days_inactive": 10.0, "mails_since_engagement": 1, "days_since_signup": 99.0,
                 "tier": "inactive", "re_engagement_mails": 3, "now": NOW}  # fmt: skip
        assert find_flips(table, facts)
        if made is tier_table:
            assert "last_engagement" in {flip.changes[0].fact for flip in find_flips(table, facts)}
