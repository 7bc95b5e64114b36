"""Predicates as text, as Python and as JSON: each reads back as what was written, and hostile input is refused (L6)."""

import datetime
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidDocument, InvalidInput
from lifecycle_mail.policy.as_json import from_json, to_json
from lifecycle_mail.policy.facts import check
from lifecycle_mail.policy.operators import Op
from lifecycle_mail.policy.predicates import EVERYONE, NOBODY, AllOf, AnyOf, Leaf, Not, Predicate
from lifecycle_mail.policy.text import MOST_DEPTH, MOST_TEXT, parse
from lifecycle_mail.policy.where import where
from tests.policy_strategies import ODD_TEXTS, known_names, leaves, predicates

NAMESPACE = {"where": where, "AllOf": AllOf, "AnyOf": AnyOf, "Not": Not, "datetime": datetime, "__builtins__": {}}

every_leaf = st.one_of([leaves(known_names, (op,)) for op in Op])
written = st.one_of(every_leaf, predicates(known_names))


def exactly(predicate: Predicate) -> Any:
    """Tell predicates apart that are equal to Python but differ in a type."""
    if isinstance(predicate, Leaf):
        items = predicate.value if isinstance(predicate.value, tuple) else (predicate.value,)
        return predicate.fact, predicate.op, [(type(item), item) for item in items]
    return type(predicate), [exactly(part) for part in predicate.parts]


class TestRoundTrips:
    """Nothing is lost between a predicate and its written forms."""

    @settings(max_examples=300)
    @given(written)
    def test_text(self, predicate: Predicate) -> None:
        """The text of a predicate parses to that predicate, whatever its fields are called (F57)."""
        again = parse(str(predicate))
        assert again == predicate
        assert exactly(again) == exactly(predicate)
        assert str(again) == str(predicate)

    @settings(max_examples=300)
    @given(written)
    def test_json(self, predicate: Predicate) -> None:
        """A predicate goes to JSON, through a file, and back."""
        again = from_json(json.loads(json.dumps(to_json(predicate))))
        assert again == predicate
        assert exactly(again) == exactly(predicate)

    @settings(max_examples=300)
    @given(written)
    def test_python(self, predicate: Predicate) -> None:
        """The repr of a predicate is the Python that builds it."""
        again = eval(repr(predicate), dict(NAMESPACE))  # noqa: S307 - that is the law
        assert again == predicate
        assert exactly(again) == exactly(predicate)

    @given(written)
    def test_bytes(self, predicate: Predicate) -> None:
        """The text can be hashed, and stored in a file, whatever is in it."""
        assert str(predicate).encode()

    @given(known_names)
    def test_checked_names(self, name: str) -> None:
        """Every name that the catalogue knows can be asked for, and is found by the check."""
        assert [] == list(check(Leaf(name, Op.MISSING)))

    @pytest.mark.parametrize("text", ODD_TEXTS)
    def test_odd_texts(self, text: str) -> None:
        """Names and values that break naive quoting come back as they were (F57)."""
        predicate = Leaf(f"field:{text or 'x'}", Op.EQ, text) & ~Leaf("tags", Op.HAS, text or "x")
        assert parse(str(predicate)) == predicate
        assert from_json(json.loads(json.dumps(to_json(predicate)))) == predicate
        assert eval(repr(predicate), dict(NAMESPACE)) == predicate  # noqa: S307

    @pytest.mark.parametrize(
        ("predicate", "text"),
        [
            (EVERYONE, "everyone"),
            (NOBODY, "nobody"),
            (Not(EVERYONE), "not everyone"),
            (AllOf([where.sunset]), "all_of(sunset)"),
            (AnyOf([AllOf([where.sunset])]), "any_of((all_of(sunset)))"),
            (Not(Not(where.sunset.as_predicate())), "not not sunset"),
            (where.sunset & (where.paused | where.erased), "sunset and (paused or erased)"),
            (~(where.sunset & where.paused), "not (sunset and paused)"),
            (where.sunset == False, "sunset == False"),  # noqa: E712
            (where.field("2020_spend") > 100, 'field("2020_spend") > 100'),
            (where.field("2020_spend") > 100.0, 'field("2020_spend") > 100'),
            (where.opened_mails(10) == 0, "opened_mails(10) == 0"),
            (where.lists.has("Offers"), '"offers" in lists'),
            (where.source.is_in(["b"]), 'source in ("b",)'),
            (where.source.is_in([]), "source in ()"),
            (where.last_open.older_than(days=30), "older_than(last_open, days=30)"),
            (where.source.contains("x"), 'contains(source, "x")'),
            (where.last_open.is_missing(), "missing(last_open)"),
            (where.top(3, by=where.field("spend")), 'rank(field("spend")) <= 3'),
            (
                where.signed_up_at < datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
                'signed_up_at < instant("2026-01-01T00:00:00Z")',
            ),
        ],
    )
    def test_reads_well(self, predicate: Predicate, text: str) -> None:
        """The text of a predicate is what a person would write."""
        assert text == str(predicate)
        assert predicate == parse(text)

    @pytest.mark.parametrize(
        ("text", "predicate"),
        [
            ("  sunset  ", where.sunset.as_predicate()),
            ("75 <= days_inactive", where.days_inactive >= 75),
            ("30 <= days_inactive < 60", where.days_inactive.between(30, 60)),
            ('source not in ("a", "b")', ~where.source.is_in(["a", "b"])),
            ('"x" not in lists', ~where.lists.has("x")),
            ("days_inactive > -3", where.days_inactive > -3),
            (
                'signed_up_at > instant("2026-01-01")',
                where.signed_up_at > datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
            ),
            ('field("x" "y") == 1', where.field("xy") == 1),
            ("sunset == True", where.sunset.as_predicate()),
            ("sunset # a remark", where.sunset.as_predicate()),
            ("all_of()", EVERYONE),
        ],
    )
    def test_other_spellings(self, text: str, predicate: Predicate) -> None:
        """Other ways to write the same are understood."""
        assert predicate == parse(text)


HOSTILE = [
    "", "   ", "sunset.__class__", "sunset.__class__ == 1", "field('x').y == 1", "days_inactive.real > 3",
    "(lambda: 1)() == 2", "lambda: sunset", "[x for x in lists]", "{x for x in lists} == 1", "{**lists}",
    "(x for x in lists)", "[*lists] == 1", 'f"{sunset}" == source', "f'{source!r:>1000000}'",
    "(x := 3) == days_inactive",
    "sunset if paused else erased", "await sunset", "yield", "sunset[0]", "lists[0] == 'x'", "lists['a':'b'] == 1",
    "__import__('os').system('x')", "__import__('os').system == 1", "open('/etc/passwd').read() == source",
    "days_inactive == 10**9", "days_inactive == 9**9**9", "days_inactive > 1 + 1", "days_inactive == +1",
    "days_inactive == ~1", "days_inactive == - - 1", "days_inactive == -True", "days_inactive == 1j",
    "days_inactive == nan",
    "days_inactive == 1e999", "days_inactive == -1e999", "in_last(last_open, days=nan)",
    "in_last(last_open, days=1e999)",
    "in_last(last_open, days=-1)", "in_last(last_open, days=True)", "in_last(last_open, days=1, days=2)",
    "in_last(last_open, 1)", "in_last(last_open, day=1)", "in_last(last_open, **x)", "in_last(*x, days=1)",
    "older_than()", "contains(source)", "contains(source, 1)", 'contains(source, "")', 'contains(source, "a", "b")',
    "missing(missing(sunset))", "missing()", "missing(*sunset)", "all_of(*x)", "all_of(x=sunset)", "source is None",
    "source == None", "source == ...", 'source == b"x"', "source == ()", "source == {}", "source in 5",
    'source in "abc"',
    "source in ((1,),)", "source in [None]", "1 == 1", "days_inactive < days_since_open", "True", "1", '"x"',
    "days_inactive > True",
    'instant("x") == now', 'now == instant("x")', 'now == instant("2026-01-01", "x")',
    'now == instant("2026-01-01", z=1)',
    "now == instant(2026)", "now == instant()", 'now == instant("99999999999999999999")', "field(True)",
    "field(None)", "field(x=1)",
    'field("a", "b")', "rank(rank(days_inactive)) <= 3", "rank(1) <= 3", "opened_mails(10", "opened_mails(10) and",
    "a\x00", "sunset\nand\npaused", "sunset; paused", "import os", "del x", "print('x');", "sunset = 1", "sunset : x",
    "not", "not not", "sunset and", "sunset paused", "sunset & paused", "sunset | paused", "~sunset", "@x", "$x", "`x`",
    'source == "\ud800"', "days_inactive == " + "9" * 5000, "-" * 5000 + "1 == days_inactive",
    "days_inactive == " + "-" * 5000 + "1", "(" * 4000 + "sunset" + ")" * 4000, "[" * 4000, "not " * 2000 + "sunset",
    "all_of(" * 60 + "sunset" + ")" * 60, "rank(" * 1500 + "days_inactive" + ")" * 1500 + " <= 1",
    "sunset" + ".a" * 4000, "sunset" + "[0]" * 3000, "sunset" + "()" * 4000, "1" + "+1" * 4000 + " == days_inactive",
    "x" * 1_000_000, "(" * 1_000_000, '"' * 1_000_000,
]  # fmt: skip


def quickly(read: Callable[[Any], object], given_: Any, error: type[InvalidInput]) -> str:
    """Read what must be refused, and return the message."""
    before = time.perf_counter()
    with pytest.raises(error) as caught:
        read(given_)
    assert time.perf_counter() - before < 2
    message = str(caught.value)
    assert len(message) < 2_000 + 40 * 400
    return message


class TestHostileText:
    """A predicate is read and never evaluated (F53, F57)."""

    @pytest.mark.parametrize("text", HOSTILE, ids=itertools.count())
    def test_refused(self, text: str) -> None:
        """What is outside the grammar is refused quickly, with its place and what to write, and never run."""
        message = quickly(parse, text, InvalidInput)
        assert ": " in message or "longest" in message or "deeper" in message

    @pytest.mark.parametrize("given_", [None, 5, b"sunset", bytearray(b"sunset"), ["sunset"], {"fact": "x"}, 1.5])
    def test_what_is_no_text(self, given_: Any) -> None:
        """Anything but a text is refused."""
        quickly(parse, given_, InvalidInput)

    @given(st.text(alphabet="sunet()[]{}\"'.,:=<>!+-*/ \n\\f0x1_andortifl", max_size=40))
    def test_noise(self, text: str) -> None:
        """Whatever is typed is either a predicate or refused, and nothing else happens."""
        try:
            found = parse(text)
        except InvalidInput:
            return
        assert parse(str(found)) == found

    def test_the_longest(self) -> None:
        """The limit on length is the one that is stated."""
        longest = "sunset" + " " * (MOST_TEXT - 6)
        assert parse(longest) == where.sunset.as_predicate()
        with pytest.raises(InvalidInput, match=f"{MOST_TEXT}"):
            parse(longest + " ")

    def test_the_deepest(self) -> None:
        """The limit on depth is the one that is stated."""
        assert MOST_DEPTH == str(parse("not " * MOST_DEPTH + "sunset")).count("not")
        with pytest.raises(InvalidInput, match="deeper"):
            parse("not " * (MOST_DEPTH + 1) + "sunset")

    @pytest.mark.parametrize(
        "text", ["__class__", "__import__('os') == 1", "print('x')", "open('x')", "eval('x') == 1"]
    )
    def test_names_are_only_names(self, text: str) -> None:
        """A hostile name is no more than a fact that the catalogue does not know."""
        (problem,) = check(parse(text))
        assert problem.message.startswith("no fact named")

    def test_shows_the_place(self) -> None:
        """A refusal quotes the part that is wrong, not the whole text."""
        with pytest.raises(InvalidInput, match=r"^'paused\.x': expected a comparison"):
            parse("sunset and (days_inactive > 3 or paused.x)")
        with pytest.raises(InvalidInput, match="column 13"):
            parse("opened_mails(10")


def nested(depth: int) -> Any:
    """Nest a `not` so deep."""
    data: Any = "sunset"
    for _ in range(depth):
        data = {"not": data}
    return data


class TestHostileJson:
    """JSON from anywhere is a predicate or a list of problems."""

    @pytest.mark.parametrize(
        "data",
        [
            None, 1, True, 1.5, b"sunset", [], ["sunset"], {}, {"all": 1}, {"all": "sunset"}, {"all": None},
            {"not": None},
            {"not": []}, {"all": [], "any": []}, {"fact": "x"}, {"op": "=="}, {"fact": "x", "op": "==", "value": 1,
            "z": 1},
            {"fact": "x", "op": "=", "value": 1}, {"fact": "x", "op": [], "value": 1}, {"fact": "x", "op": {},
            "value": 1},
            {"fact": "x", "op": None, "value": 1}, {"fact": "x", "op": "=="}, {"fact": "x", "op": "==", "value": None},
            {"fact": "x", "op": "==", "value": [1]}, {"fact": "x", "op": "==", "value": {}},
            {"fact": "x", "op": "==", "value": {"instant": "never"}}, {"fact": "x", "op": "==",
            "value": {"instant": 5}},
            {"fact": "x", "op": "==", "value": {"instant": "2026-01-01T00:00:00"}},
            {"fact": "x", "op": "==", "value": {"instant": "2026-01-01T00:00:00Z", "z": 1}},
            {"fact": "x", "op": "==", "value": {"instant": "0001-01-01T00:00:00+14:00"}},
            {"fact": "x", "op": "==", "value": float("nan")}, {"fact": "x", "op": "<", "value": float("inf")},
            {"fact": "x", "op": "in", "value": "abc"}, {"fact": "x", "op": "in", "value": [None]},
            {"fact": "x", "op": "in", "value": [[1]]}, {"fact": "x", "op": "in", "value": [{}]},
            {"fact": "x", "op": "in", "value": [float("nan")]}, {"fact": "x", "op": "missing", "value": 1},
            {"fact": "x", "op": "in_last", "value": float("inf")}, {"fact": "x", "op": "in_last", "value": "3"},
            {"fact": 5, "op": "==", "value": 1}, {"fact": ["x"], "op": "==", "value": 1}, {"fact": "", "op": "==",
            "value": 1},
            {"fact": "sunset or everyone", "op": "==", "value": True}, {"fact": "a" * 1_000_000 + " ", "op": "missing"},
            {"fact": "rank:" * 5000 + "x", "op": "missing"}, {"fact": "x", "op": "x" * 1_000_000, "value": 1},
            {1: 2, "a": 3}, {"not": {"not": "a.b"}}, "a.b", "x" * 1_000_000, nested(MOST_DEPTH + 1), nested(500),
        ],
        ids=itertools.count(),
    )  # fmt: skip
    def test_refused(self, data: Any) -> None:
        """What is no predicate is refused quickly, with a path, and with nothing but a list of problems."""
        before = time.perf_counter()
        with pytest.raises(InvalidDocument) as caught:
            from_json(data)
        assert time.perf_counter() - before < 2
        assert caught.value.problems
        assert all(problem.path.startswith("$") and problem.message for problem in caught.value.problems)

    def test_all_problems(self) -> None:
        """Every problem is listed with its path, not only the first."""
        data = {
            "all": [
                {"fact": "x", "op": "=", "value": 1},
                {"any": [{"fact": "x", "op": "<", "value": True}, "sunset", "a.b"]},
                {"not": {"nothing": 1}},
                {"fact": "", "op": "missing"},
                5,
            ]
        }
        with pytest.raises(InvalidDocument) as caught:
            from_json(data, path="$.where")
        paths = [problem.path for problem in caught.value.problems]
        assert [
            "$.where.all[0].op",
            "$.where.all[1].any[0].value",
            "$.where.all[1].any[2]",
            "$.where.all[2].not",
            "$.where.all[3].fact",
            "$.where.all[4]",
        ] == paths

    def test_text_within(self) -> None:
        """A part may be written as text."""
        found = from_json({"all": ["sunset", {"not": "days_inactive > 3"}]})
        assert where.sunset & ~(where.days_inactive > 3) == found

    def test_an_instant(self) -> None:
        """An instant is written as one, with its zone, and is not a text."""
        found = from_json({"fact": "now", "op": ">=", "value": {"instant": "2026-01-01T02:00:00+02:00"}})
        assert (where.now >= datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)) == found
