"""A table gives every contact exactly one outcome, by its first rule that holds, and can say why."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.model.instants import to_micros
from lifecycle_mail.policy.facts import FAMILIES, fact_named
from lifecycle_mail.policy.operators import Op, PlainFacts
from lifecycle_mail.policy.predicates import EVERYONE, Leaf
from lifecycle_mail.policy.tables import MOST_FLIPS, Otherwise, Rule, Table, show
from lifecycle_mail.policy.where import where
from tests.policy_strategies import NOW, known_names, table_facts, tables

TABLE = Table(
    name="tier",
    rules=[
        Rule(name="gone", when=where.bounced | where.erased, then="leave", because="cannot be reached"),
        Rule(name="quiet", when=where.days_inactive >= 75, then="inactive", because="quiet for {days_inactive} days"),
        Rule(name="sunset", when=where.sunset, then="leave"),
    ],
    otherwise=Otherwise(then="keep", because="last seen {last_engagement}"),
)


class TestDeciding:
    """The first rule that holds decides."""

    @settings(max_examples=300)
    @given(tables(), table_facts)
    def test_first_match(self, table: Table, facts: dict[str, Any]) -> None:
        """Whatever the table and the facts, exactly one outcome comes out: that of the first rule that holds."""
        holding = [rule for rule in table.rules if rule.when.holds(facts)]
        expected = holding[0] if holding else table.otherwise
        decision = table.decide(facts)
        assert expected is decision.rule
        assert expected.then == decision.outcome
        assert decision.outcome in table.outcomes()

    @given(tables(), table_facts)
    def test_trace(self, table: Table, facts: dict[str, Any]) -> None:
        """The trace has one row for each rule, those after the deciding one too, each with its own answer."""
        decision = table.decide(facts)
        rows = decision.trace()
        assert list(table.rules) == [row.rule for row in rows]
        assert [rule.when.holds(facts) for rule in table.rules] == [row.holds for row in rows]
        assert [rule is decision.rule for rule in table.rules] == [row.decided for row in rows]

    @given(tables(), table_facts)
    def test_explanation(self, table: Table, facts: dict[str, Any]) -> None:
        """An explanation shows every rule once and points at one of them, or at `otherwise`."""
        decision = table.decide(facts)
        lines = decision.explain(flips=False).splitlines()
        assert f"what to do: {decision.outcome} ({decision.rule.name})" == lines[0]
        assert 1 == sum("=>" in line for line in lines)
        shown = [line.removeprefix("  =>").split()[1] for line in lines[1:]]
        names = [rule.name for rule in table.rules]
        assert [*names, *(["otherwise"] if decision.rule is table.otherwise else [])] == shown
        assert decision.explain().startswith("\n".join(lines))

    def test_plain_facts(self) -> None:
        """A plain dict will do: what is absent is missing, and text is folded."""
        table = Table(
            name="t", rules=[Rule(name="a", when=where.source == "Contest", then="x")], otherwise=Otherwise(then="y")
        )
        assert ["y", "x", "x"] == [
            table.decide(facts).outcome for facts in ({}, {"source": "CONTEST"}, {"source": "contest"})
        ]

    def test_no_rules(self) -> None:
        """A table without rules gives what it says otherwise."""
        empty = Table(name="t", rules=[], otherwise=Otherwise(then="x"))
        assert "x" == empty.decide({}).outcome
        assert "=> yes  otherwise" in empty.decide({}).explain()
        assert frozenset() == empty.facts()

    def test_frozen(self) -> None:
        """A table cannot be changed under the policy that holds it."""
        with pytest.raises(AttributeError):
            TABLE.name = "x"  # type: ignore[misc]


class TestReasons:
    """A reason names facts, which are filled in, and nothing else."""

    @pytest.mark.parametrize(
        ("facts", "reason"),
        [
            ({"days_inactive": 80.25}, "quiet for 80.2 days"),
            ({"days_inactive": 75.0}, "quiet for 75 days"),
            ({"bounced": True}, "cannot be reached"),
            ({"sunset": True}, ""),
            ({}, "last seen missing"),
            ({"last_engagement": NOW}, "last seen 2026-06-01 12:00 UTC"),
        ],
    )
    def test_filled_in(self, facts: Mapping[str, Any], reason: str) -> None:
        """Each `{fact}` is replaced by the fact's value as people write it."""
        assert reason == TABLE.decide(facts).reason

    @given(known_names.filter(lambda name: not set("{}") & set(name)))
    def test_any_fact(self, name: str) -> None:
        """Every fact of the catalogue may stand in a reason, with its argument."""
        rule = Rule(name="r", when=EVERYONE, then="x", because=f"<{{{name}}}>")
        table = Table(name="t", rules=[rule], otherwise=Otherwise(then="y"))
        assert "<missing>" == table.decide({}).reason

    @pytest.mark.parametrize("made", [Rule, Otherwise])
    @pytest.mark.parametrize(
        "because",
        [
            "{days_inactiv}", "{}", "{ }", "{0}", "{0.__class__}", "{days_inactive.__class__}", "{days_inactive!r}",
            "{days_inactive:>1000000}", "{days_inactive[0]}", "{opened_mails}", "{opened_mails:>10}",
            "{opened_mails:0}",
            "{{nope}}", "ok {days_inactive} not {nope}", "{" + "x" * 100 + "}", "{a b}", "{rank:rank:days_inactive}",
            "{%s}",
        ],
        ids=itertools.count(),
    )  # fmt: skip
    def test_refused(self, made: type[Rule] | type[Otherwise], because: str) -> None:
        """What is not the name of a fact in braces is refused when the rule is made: no formatting language (F53)."""
        fields = {"name": "r", "when": EVERYONE, "then": "x", "because": because}
        with pytest.raises(UnknownName, match="no fact named"):
            made(**{key: value for key, value in fields.items() if made is Rule or key not in ("when", "name")})  # type: ignore[arg-type]

    def test_nothing_is_formatted(self) -> None:
        """A value with braces, and a field whose name looks like a format, are shown as they are (F53)."""
        rule = Rule(name="r", when=EVERYONE, then="x", because="{field:>10} {source}")
        table = Table(name="t", rules=[rule], otherwise=Otherwise(then="y"))
        facts = {"field:>10": "{0.__class__}", "source": "{days_inactive}"}
        assert "'{0.__class__}' '{days_inactive}'" == table.decide(facts).reason

    @pytest.mark.parametrize(
        ("name", "value", "shown"),
        [
            ("days_inactive", None, "missing"), ("days_inactive", float("nan"), "missing"), ("days_inactive", 3, "3"),
            ("days_inactive", 3.04, "3.0".removesuffix(".0")), ("days_inactive", 3.06, "3.1"), ("sunset", True, "yes"),
            ("sunset", False, "no"), ("source", "x", "'x'"), ("tags", frozenset("ba"), "{a, b}"),
            ("last_open", to_micros(NOW), "2026-06-01 12:00 UTC"), ("last_open", 10**30, str(10**30)),
            ("last_open", -(10**18), str(-(10**18))), ("nobody_knows", 5, "5"), ("opened_share:10", 0.5, "50%"),
            ("machine_share", 1 / 3, "33%"), ("field:x", 10**400, str(10**400)),
        ],
        ids=itertools.count(),
    )  # fmt: skip
    def test_values(self, name: str, value: Any, shown: str) -> None:
        """A value is written for people, whatever it is; one that is no date is shown as it is."""
        assert shown == show(name, value)


class TestNames:
    """A rule's name is how a decision refers to it."""

    @pytest.mark.parametrize(
        ("names", "last"),
        [(["a", "a"], "z"), (["a", "otherwise"], "z"), (["a", "b"], "a"), (["otherwise"], "otherwise")],
    )
    def test_taken(self, names: list[str], last: str) -> None:
        """A name that stands twice is refused, that of `otherwise` among them."""
        rules = [Rule(name=name, when=where.sunset, then="x") for name in names]
        with pytest.raises(InvalidInput, match="named"):
            Table(name="t", rules=rules, otherwise=Otherwise(then="y", name=last))


class TestDrawing:
    """A table can be printed, and drawn in the docs."""

    def test_markdown(self) -> None:
        """The drawing has one row for each rule in order, and the last for `otherwise`."""
        assert [
            "| # | rule | when | then | because |",
            "|--:|---|---|---|---|",
            "| 1 | gone | `bounced or erased` | **leave** | cannot be reached |",
            "| 2 | quiet | `days_inactive >= 75` | **inactive** | quiet for {days_inactive} days |",
            "| 3 | sunset | `sunset` | **leave** |  |",
            "| | otherwise | | **keep** | last seen {last_engagement} |",
        ] == TABLE.to_markdown().splitlines()

    @given(st.text(alphabet="ab|\n", max_size=8))
    def test_escaped(self, text: str) -> None:
        """No pipe and no line break in any cell breaks the drawing."""
        rule = Rule(name=f"n{text}", when=where.field(f"f{text}") == text, then=f"t{text}", because=text)
        table = Table(name="t", rules=[rule], otherwise=Otherwise(then=f"o{text}", because=text, name=f"m{text}"))
        lines = table.to_markdown().split("\n")
        assert 4 == len(lines)
        assert [6] * 4 == [line.replace("\\|", "").count("|") for line in lines]

    def test_printed(self) -> None:
        """Printing shows each rule on a line of its own, and `otherwise`."""
        lines = str(TABLE).splitlines()
        assert ["tier:", "gone", "quiet", "sunset", "otherwise"] == [line.split()[0] for line in lines]

    def test_explained(self) -> None:
        """The whole of an explanation, as a person reads it."""
        facts = PlainFacts.of({"days_inactive": 80.0, "sunset": False, "bounced": False, "erased": False})
        assert [
            "tier: inactive (quiet)",
            "  because quiet for 80 days",
            "     no   gone    bounced or erased   [bounced = no, erased = no]",
            "  => yes  quiet   days_inactive >= 75   [days_inactive = 80]",
            "     no   sunset  [sunset = no]",
            "  what would flip it:",
            "    keep (otherwise) if days_inactive below 75 (is 80)",
            "    leave (gone) if bounced = yes (is no)",
            "    leave (gone) if erased = yes (is no)",
        ] == TABLE.decide(facts).explain().splitlines()

    def test_a_flag_that_must_not_be(self) -> None:
        """A rule on a flag that is not set is shown with its comparison: only `flag` alone goes without saying."""
        table = Table(
            name="t", rules=[Rule(name="r", when=Leaf("sunset", Op.NE, True), then="x")], otherwise=Otherwise(then="y")
        )
        assert "sunset != True   [sunset = no]" in table.decide({"sunset": False}).explain()

    def test_many_flips(self) -> None:
        """An explanation stops after so many flips and says how many more there are."""
        rules = [Rule(name=f"r{n}", when=where.field(f"f{n}") == 1, then=f"t{n}") for n in range(MOST_FLIPS + 3)]
        text = Table(name="t", rules=rules, otherwise=Otherwise(then="y")).decide({}).explain()
        assert text.endswith("    ... and 3 more")

    def test_as_data(self) -> None:
        """The explanation as plain data has every rule, with the facts it read."""
        data = TABLE.decide({"days_inactive": 80.0}).to_dict()
        assert ("inactive", "quiet", "quiet for 80 days") == (data["outcome"], data["rule"], data["reason"])
        assert [False, True, False] == [row["decided"] for row in data["rules"]]
        assert {"bounced": "missing", "erased": "missing"} == data["rules"][0]["facts"]


def test_facts_and_outcomes() -> None:
    """A table tells what it reads and what may come of it."""
    assert {"bounced", "erased", "days_inactive", "sunset"} == TABLE.facts()
    assert ("leave", "inactive", "keep") == TABLE.outcomes()


def test_check() -> None:
    """A table's check names the rule."""
    wrong = Table(
        name="t",
        rules=[TABLE.rules[0], Rule(name="odd", when=Leaf("nope", Op.EQ, 1), then="x")],
        otherwise=Otherwise(then="y"),
    )
    assert ["$.rules[1] (odd)"] == [problem.path for problem in wrong.check("$.rules")]
    assert [] == list(TABLE.check("$.rules"))


def test_families_in_reasons() -> None:
    """Every family can be named with an argument."""
    assert all(fact_named(f"{name}:{'days_inactive' if name == 'rank' else 7}") for name in FAMILIES)
