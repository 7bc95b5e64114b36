"""Predicates mean what their docs say, and compose (L6)."""

import math
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.policy.facts import CATALOGUE, FAMILIES
from lifecycle_mail.policy.operators import TEXTUAL, Op, PlainFacts, as_fact
from lifecycle_mail.policy.predicates import EVERYONE, NOBODY, AllOf, AnyOf, Leaf, Not, Predicate, Trace, as_predicate
from lifecycle_mail.policy.text import read_predicate
from lifecycle_mail.policy.where import where
from tests.policy_strategies import INSTANTS, NOW, depth_of, numbers, predicates, texts

NAMES = ("alpha", "beta", "gamma")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROS_A_DAY = 86_400_000_000


# --- a second reading of the docs -------------------------------------------------------------------------------------


def micros(instant: datetime) -> int:
    """Count microseconds the long way."""
    span = instant - EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def kind_and_value(value: Any) -> tuple[str, Any]:
    """Tell what type a value is to a predicate, and what it is compared as."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "missing", None
    if isinstance(value, bool):
        return "flag", value
    if isinstance(value, int | float):
        return "number", value
    if isinstance(value, str):
        return "text", value.casefold()
    if isinstance(value, datetime):
        return "number", micros(value)
    return "set", {str(member).casefold() for member in value}


COMPARE: dict[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}


def interpret(predicate: Predicate, facts: Mapping[str, Any]) -> bool:
    """Evaluate a predicate step by step, from the words of the docs alone."""
    match predicate:
        case AllOf():
            return False not in [interpret(part, facts) for part in predicate.parts]
        case AnyOf():
            return True in [interpret(part, facts) for part in predicate.parts]
        case Not():
            return not interpret(predicate.part, facts)
        case Leaf():
            return interpret_leaf(predicate, facts)
    raise AssertionError(predicate)


def interpret_leaf(leaf: Leaf, facts: Mapping[str, Any]) -> bool:
    """Evaluate one fact against one literal."""
    raw = facts.get(leaf.fact)
    kind, value = kind_and_value(raw)
    if leaf.op is Op.MISSING:
        return kind == "missing"
    if kind == "missing":
        return False
    if leaf.op is Op.IN:
        return any(kind_and_value(item) == (kind, value) for item in leaf.value)
    if leaf.op is Op.HAS:
        return kind == "set" and leaf.value.casefold() in value
    if leaf.op in (Op.CONTAINS, Op.STARTS, Op.ENDS):
        wanted = leaf.value.casefold()
        if kind != "text":
            return False
        places = [place for place in range(len(value)) if value[place : place + len(wanted)] == wanted]
        return bool(
            {Op.CONTAINS: places, Op.STARTS: places[:1] == [0], Op.ENDS: len(value) - len(wanted) in places}[leaf.op]
        )
    if leaf.op in (Op.IN_LAST, Op.IN_NEXT, Op.OLDER):
        now = facts.get("now")
        if now is None or kind != "number" or isinstance(raw, float):  # an instant is an int inside
            return False
        age = micros(now) - value
        span = leaf.value * MICROS_A_DAY
        holds: dict[Op, bool] = {
            Op.IN_LAST: 0 <= age < span,
            Op.IN_NEXT: 0 <= -age < span,
            Op.OLDER: age >= span,
        }
        return holds[leaf.op]
    literal_kind, literal = kind_and_value(leaf.value)
    return literal_kind == kind and COMPARE[leaf.op](value, literal)


values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.floats(),
    texts,
    st.sampled_from(INSTANTS),
    st.integers(-50, 50).map(lambda half: NOW + timedelta(days=half / 2)),
    st.frozensets(texts, max_size=3),
)
fact_sets = st.dictionaries(st.sampled_from(NAMES), values).flatmap(
    lambda facts: st.sampled_from(({**facts, "now": NOW}, facts))
)
any_predicates = predicates(st.sampled_from((*NAMES, "now")))


class TestMeaning:
    """The compiled predicate and the docs give one answer."""

    @settings(max_examples=300)
    @given(any_predicates, st.lists(fact_sets, min_size=1, max_size=8))
    def test_compiled_as_documented(self, predicate: Predicate, people: list[dict[str, Any]]) -> None:
        """Whatever the predicate and the facts, the closure gives what an interpreter of the docs gives (L6)."""
        assert depth_of(predicate) <= 5
        for facts in people:
            expected = interpret(predicate, facts)
            assert expected is predicate.holds(facts)
            unsettled = PlainFacts.of(facts)
            unsettled.update({name: value for name, value in facts.items() if value != value})
            assert expected is predicate.test(unsettled)  # NaN is missing there too

    @given(any_predicates, fact_sets)
    def test_trace_mirrors_it(self, predicate: Predicate, facts: dict[str, Any]) -> None:
        """A trace has every part with the answer that part gives alone, short-circuited or not."""

        def same(trace: Trace, part: Predicate) -> None:
            assert part == trace.predicate
            assert part.holds(facts) is trace.holds
            assert len(part.parts) == len(trace.parts)
            for below, under in zip(trace.parts, part.parts, strict=True):
                same(below, under)

        trace = Trace.of(predicate, PlainFacts.of(facts))
        same(trace, predicate)
        assert list(predicate.leaves()) == [leaf.predicate for leaf in trace.leaves()]

    @pytest.mark.parametrize(
        ("op", "days", "edges"),
        [
            # (microseconds from NOW, holds)
            (Op.IN_LAST, 2, {-2 * MICROS_A_DAY: False, -2 * MICROS_A_DAY + 1: True, 0: True, 1: False}),
            (Op.IN_NEXT, 2, {-1: False, 0: True, 2 * MICROS_A_DAY - 1: True, 2 * MICROS_A_DAY: False}),
            (Op.OLDER, 2, {-2 * MICROS_A_DAY: True, -2 * MICROS_A_DAY + 1: False, 0: False, 1: False}),
            (Op.IN_LAST, 0, {0: False}),
            (Op.OLDER, 0, {0: True, 1: False}),
        ],
    )
    def test_relative_ends(self, op: Op, days: int, edges: dict[int, bool]) -> None:
        """The ends of relative ranges are half-open: `older_than` and `in_last` share nobody and miss nobody."""
        leaf = Leaf("moment", op, days)
        found = {edge: leaf.holds({"moment": micros(NOW) + edge, "now": NOW}) for edge in edges}
        assert edges == found

    @pytest.mark.parametrize(
        ("leaf", "value", "expected"),
        [
            (Leaf("x", Op.EQ, True), 1, False),
            (Leaf("x", Op.EQ, 1), True, False),
            (Leaf("x", Op.EQ, False), 0, False),
            (Leaf("x", Op.NE, True), 0, False),
            (Leaf("x", Op.NE, 1), "1", False),
            (Leaf("x", Op.NE, 1), None, False),
            (Leaf("x", Op.NE, 1), math.nan, False),
            (Leaf("x", Op.NE, 1), True, False),
            (Leaf("x", Op.IN, [1, "a"]), True, False),
            (Leaf("x", Op.IN, [True, "a"]), 1, False),
            (Leaf("x", Op.IN, [True, "a"]), True, True),
            (Leaf("x", Op.IN, [1, "A", NOW]), "a", True),
            (Leaf("x", Op.IN, [1, "A", NOW]), NOW, True),
            (Leaf("x", Op.IN, [1, "A", NOW]), 1.0, True),
            (Leaf("x", Op.IN, []), 1, False),
            (Leaf("x", Op.GT, 100), 100.00, False),
            (Leaf("x", Op.GT, 100), 100.01, True),
            (Leaf("x", Op.LT, 2**53 + 1), 2**53, True),
            (Leaf("x", Op.EQ, 2**53 + 1), float(2**53), False),
            (Leaf("x", Op.LT, 10**400), math.inf, False),
            (Leaf("x", Op.MISSING), math.nan, True),
            (Leaf("x", Op.MISSING), "", False),
            (Leaf("x", Op.EQ, "STRASSE"), "straße", True),
            (Leaf("x", Op.CONTAINS, "ẞ"), "STRASSE", True),
            (Leaf("x", Op.HAS, "Ab"), {"aB"}, True),
            (Leaf("x", Op.HAS, "a"), "a", False),
            (Leaf("x", Op.CONTAINS, "a"), {"a"}, False),
            (Leaf("x", Op.IN_LAST, 5), True, False),
            (Leaf("x", Op.IN_LAST, 5), float(micros(NOW)), False),
        ],
    )
    def test_examples(self, leaf: Leaf, value: Any, expected: bool) -> None:
        """Other types compare false, also for `!=`; a flag is no number; text is folded; missing is only missing."""
        assert expected is leaf.holds({"x": value, "now": NOW})
        assert expected is not (~leaf).holds({"x": value, "now": NOW})

    @pytest.mark.parametrize("op", [op for op in Op if op not in (Op.IN_LAST, Op.IN_NEXT, Op.OLDER)])
    def test_nan_is_missing(self, op: Op) -> None:
        """Nothing but `is_missing` holds of NaN, also where nobody has turned it into None."""
        literal: Any = {Op.IN: [1], Op.MISSING: None}.get(op, "a" if op in (*TEXTUAL, Op.HAS) else 1)
        assert (op is Op.MISSING) is Leaf("x", op, literal).test({"x": math.nan})

    def test_absent_now(self) -> None:
        """Without the instant of deciding, nothing is recent."""
        assert not Leaf("x", Op.OLDER, 1).holds({"x": 0})

    @given(values)
    def test_facts_are_settled_once(self, value: Any) -> None:
        """Making a fact of a fact changes nothing."""
        once = as_fact(value)
        assert once == as_fact(once)

    @pytest.mark.parametrize("value", [object(), b"x", 1j, {"a": 1}, datetime(2026, 1, 1)])  # noqa: DTZ001
    def test_what_is_no_fact(self, value: object) -> None:
        """What predicates have no type for is refused, a naive datetime among it."""
        with pytest.raises(InvalidInput):
            as_fact(value)

    def test_instants_are_compared_in_utc(self) -> None:
        """One instant written in two zones is one instant."""
        elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
        assert Leaf("x", Op.EQ, elsewhere) == Leaf("x", Op.EQ, NOW)
        assert Leaf("x", Op.EQ, elsewhere).holds({"x": NOW})

    def test_facts_read(self) -> None:
        """A predicate tells the facts that it reads, `now` for the relative ones."""
        assert {"sunset", "last_open", "now"} == (where.sunset & where.last_open.in_last(days=3)).facts()
        assert {"last_open"} == where.last_open.is_missing().facts()
        assert set() == EVERYONE.facts()


class TestLiterals:
    """A literal that could not be meant is refused where it is written."""

    @pytest.mark.parametrize(
        ("op", "value"),
        [
            *((op, math.nan) for op in Op),
            *((op, math.inf) for op in Op if op is not Op.MISSING),
            *((op, None) for op in Op if op is not Op.MISSING),
            *((op, object()) for op in Op),
            (Op.MISSING, 0),
            (Op.IN, "abc"),
            (Op.IN, 5),
            (Op.IN, [None]),
            (Op.IN, [math.nan]),
            (Op.IN, [[1]]),
            (Op.IN, [{}]),
            (Op.IN, [object(), object()]),
            (Op.LT, True),
            (Op.IN_LAST, -1),
            (Op.IN_LAST, True),
            (Op.IN_NEXT, "3"),
            (Op.OLDER, NOW),
            (Op.HAS, ""),
            (Op.HAS, 1),
            (Op.CONTAINS, ""),
            (Op.STARTS, 5),
            (Op.EQ, (1,)),
            (Op.EQ, b"x"),
        ],
    )
    def test_refused(self, op: Op, value: object) -> None:
        """A literal that does not go with its operator is refused, whatever it is."""
        with pytest.raises(InvalidInput):
            Leaf("x", op, value)

    def test_naive_instants(self) -> None:
        """A datetime without a zone is refused."""
        with pytest.raises(InvalidInput, match="time zone"):
            Leaf("x", Op.LT, datetime(2026, 1, 1))  # noqa: DTZ001

    @pytest.mark.parametrize(
        "name",
        ["", "a b", "sunset or everyone", "everyone", "nobody", "not", "True", "1a", "a.b", "field:", ":x", "é",
         "rank:rank:x", "a\n", None, 5, ["x"]],
    )  # fmt: skip
    def test_names_that_are_none(self, name: Any) -> None:
        """A name that would read back as something else is no name of a fact (F57)."""
        with pytest.raises(InvalidInput, match="name of a fact"):
            Leaf(name, Op.EQ, True)

    def test_a_flag_is_not_one(self) -> None:
        """Predicates that decide otherwise are not equal: `== True` is not `== 1`."""
        assert Leaf("x", Op.EQ, True) != Leaf("x", Op.EQ, 1)
        assert Leaf("x", Op.IN, [True]) != Leaf("x", Op.IN, [1])
        assert Leaf("x", Op.EQ, 1) == Leaf("x", Op.EQ, 1.0)
        assert len({Leaf("x", Op.EQ, True), Leaf("x", Op.EQ, 1), Leaf("x", Op.EQ, 1.0)}) == 2

    def test_order_of_a_list(self) -> None:
        """What is in a list counts, not its order or repetition."""
        assert Leaf("x", Op.IN, ["b", "A", "B", 1]) == Leaf("x", Op.IN, [1, "a", "b"])


class TestComposition:
    """Predicates compose with `&`, `|` and `~`."""

    @given(any_predicates, any_predicates, fact_sets)
    def test_laws(self, p: Predicate, q: Predicate, facts: dict[str, Any]) -> None:
        """De Morgan, absorption, double negation, and the two constants hold of every contact."""
        assert (~(p & q)).holds(facts) is (~p | ~q).holds(facts)
        assert (~(p | q)).holds(facts) is (~p & ~q).holds(facts)
        assert (p & (p | q)).holds(facts) is p.holds(facts)
        assert (~~p).holds(facts) is p.holds(facts)
        assert (p & EVERYONE).holds(facts) is (p | NOBODY).holds(facts) is p.holds(facts)
        assert (p | ~p).holds(facts)  # two-valued: no third answer
        assert not (p & ~p).holds(facts)

    @given(any_predicates, any_predicates, any_predicates)
    def test_flattening(self, p: Predicate, q: Predicate, r: Predicate) -> None:
        """However a conjunction is bracketed, it is one and the same, and so for a disjunction."""
        assert (p & q) & r == p & (q & r) == AllOf([p, q, r])
        assert (p | q) | r == p | (q | r) == AnyOf([p, q, r])
        assert hash((p & q) & r) == hash(p & (q & r))

    def test_constants(self) -> None:
        """Of no parts, all is everyone and any is nobody."""
        assert AllOf() == EVERYONE
        assert AnyOf() == NOBODY
        assert EVERYONE.holds({})
        assert not NOBODY.holds({})
        assert str(EVERYONE) != str(NOBODY)

    def test_inversion(self) -> None:
        """Inverting twice gives the predicate itself; `Not` of `Not` is kept as written."""
        p = where.days_inactive > 3
        assert ~~p == p
        assert Not(Not(p)).parts == (Not(p),)

    def test_flags(self) -> None:
        """A flag composes without a comparison, on either side."""
        flag = Leaf("sunset", Op.EQ, True)
        more = where.days_inactive > 3
        assert where.sunset & more == AllOf([flag, more])
        assert more & where.sunset == AllOf([more, flag])
        assert where.sunset | where.paused == AnyOf([flag, Leaf("paused", Op.EQ, True)])
        assert more | where.sunset == AnyOf([more, flag])
        assert ~where.sunset == Not(flag)
        assert as_predicate(where.sunset) == flag

    @pytest.mark.parametrize(
        "use",
        [
            lambda p: p and p,
            lambda p: p or p,
            lambda p: not p,
            bool,
            lambda p: 1 if p else 2,
            lambda _: 1 < where.days_inactive < 5,
        ],
        ids=["and", "or", "not", "bool", "if", "chain"],
    )
    @pytest.mark.parametrize(
        "thing", [where.days_inactive > 3, where.sunset & where.paused, ~where.sunset, where.sunset], ids=repr
    )
    def test_no_truth(self, use: Callable[[Any], Any], thing: Any) -> None:
        """`and`, `or`, `not` and `if` say what to write instead of answering wrongly."""
        with pytest.raises(TypeError, match=r"& \| ~ \(not and, or, not"):
            use(thing)

    @pytest.mark.parametrize("value", [True, 1, "sunset.x", "", b"sunset", None, object(), where])
    def test_what_is_no_predicate(self, value: object) -> None:
        """Anything else in a composition is refused with an example."""
        with pytest.raises((InvalidInput, UnknownName)):
            as_predicate(value)
        with pytest.raises(InvalidInput):
            (where.days_inactive > 3) & value  # type: ignore[operator]

    def test_text(self) -> None:
        """The text of a predicate is taken for it where one is asked for, but not between operators."""
        more = where.days_inactive > 3
        assert more == read_predicate("days_inactive > 3") == read_predicate(more)
        with pytest.raises(InvalidInput):
            as_predicate("days_inactive > 3")

    def test_frozen(self) -> None:
        """A predicate cannot be changed under a policy that holds it."""
        leaf = where.days_inactive > 3
        with pytest.raises(AttributeError):
            leaf.value = 4  # type: ignore[misc]


class TestWhere:
    """`where` reads like a sentence, and knows the catalogue."""

    def test_every_fact_is_there(self) -> None:
        """Every fact of the catalogue is an attribute, and `dir` lists it for completion."""
        for name in CATALOGUE:
            assert name == getattr(where, name).fact_name
        assert set(dir(where)) >= {*CATALOGUE, *FAMILIES, "top"}

    @pytest.mark.parametrize(
        ("name", "near"),
        [("days_inactiv", "days_inactive"), ("sunst", "sunset"), ("opened_mail", "opened_mails"), ("lsts", "lists")],
    )
    def test_near_misses(self, name: str, near: str) -> None:
        """A misspelt fact is refused at once, with the fact that was probably meant."""
        with pytest.raises(UnknownName, match=f"did you mean .*{near}"):
            getattr(where, name)

    @pytest.mark.parametrize("name", ["_x", "__deepcopy__", "__wrapped__"])
    def test_private_names(self, name: str) -> None:
        """What Python itself looks for is answered as Python expects."""
        assert not hasattr(where, name)

    def test_facts_with_an_argument(self) -> None:
        """`opened_mails(10)` is the fact `opened_mails:10`."""
        assert Leaf("opened_mails:10", Op.EQ, 0) == (where.opened_mails(10) == 0)
        assert "where.opened_mails(10)" == repr(where.opened_mails(10))

    @pytest.mark.parametrize("argument", [0, -1, 3661, 10**9, "x", "", "010", "\u0663", " 1", True, "9" * 5000])
    def test_arguments_out_of_range(self, argument: Any) -> None:
        """An argument is a plain number from 1 to 3660."""
        with pytest.raises(UnknownName):
            where.opened_mails(argument)

    def test_facts_without_an_argument(self) -> None:
        """A fact that takes no argument refuses one."""
        with pytest.raises(UnknownName):
            where.days_inactive(3)

    def test_fields(self) -> None:
        """A field may be called anything but nothing (L4)."""
        assert Leaf("field:2020_spend", Op.GT, 100) == (where.field("2020_spend") > 100)
        with pytest.raises(InvalidInput):
            where.field("")

    def test_top(self) -> None:
        """`top` is a rank of at most N; the count is a whole number from 1."""
        assert Leaf("rank:field:spend", Op.LE, 3) == where.top(3, by=where.field("spend"))
        assert Leaf("rank:opened_mails:10", Op.LE, 1) == where.top(1, by=where.opened_mails(10))
        for count in (0, -1, True):
            with pytest.raises(InvalidInput):
                where.top(count, by=where.days_inactive)

    def test_no_rank_of_a_rank(self) -> None:
        """A rank of a rank would never be filled in, and is refused."""
        with pytest.raises(InvalidInput):
            where.top(3, by=where.rank(where.days_inactive))

    def test_between(self) -> None:
        """`between` holds its lower end and not its upper one: neighbouring bands share nobody (S4)."""
        low, high = where.days_inactive.between(30, 60), where.days_inactive.between(60, 120)
        found = {
            days: (low.holds({"days_inactive": days}), high.holds({"days_inactive": days})) for days in (29, 30, 60)
        }
        assert {29: (False, False), 30: (True, False), 60: (False, True)} == found

    def test_a_text_is_no_list(self) -> None:
        """`is_in("pro")` is not taken for the letters p, r, o."""
        with pytest.raises(InvalidInput, match="list"):
            where.source.is_in("pro")

    def test_methods(self) -> None:
        """Each method is its operator."""
        fact = where.field("x")
        expected = [
            Leaf("field:x", Op.EQ, 1), Leaf("field:x", Op.NE, 1), Leaf("field:x", Op.LT, 1), Leaf("field:x", Op.LE, 1),
            Leaf("field:x", Op.GT, 1), Leaf("field:x", Op.GE, 1), Leaf("field:x", Op.IN, [1]),
            Leaf("field:x", Op.HAS, "a"), Leaf("field:x", Op.CONTAINS, "a"), Leaf("field:x", Op.STARTS, "a"),
            Leaf("field:x", Op.ENDS, "a"), Leaf("field:x", Op.MISSING), Leaf("field:x", Op.IN_LAST, 3),
            Leaf("field:x", Op.IN_NEXT, 3), Leaf("field:x", Op.OLDER, 3),
        ]  # fmt: skip
        found = [
            fact == 1, fact != 1, fact < 1, fact <= 1, fact > 1, fact >= 1, fact.is_in([1]), fact.has("a"),
            fact.contains("a"), fact.startswith("a"), fact.endswith("a"), fact.is_missing(), fact.in_last(days=3),
            fact.in_next(days=3), fact.older_than(days=3),
        ]  # fmt: skip
        assert expected == found

    def test_a_fact_is_no_key(self) -> None:
        """A fact cannot stand in a set, where `==` would mislead."""
        with pytest.raises(TypeError, match="unhashable"):
            {where.sunset}  # noqa: B018
