"""Plain data is held to its types: nothing is guessed, and each problem has its path."""

from enum import StrEnum
from typing import Any

import pytest
from attrs import field, frozen

from lifecycle_mail.errors import InvalidDocument
from lifecycle_mail.policy.documents import parse_toml, structure
from lifecycle_mail.policy.predicates import EVERYONE, Predicate
from lifecycle_mail.policy.where import where


class Colour(StrEnum):
    """One of two."""

    RED = "red"
    BLUE = "blue"


@frozen(kw_only=True)
class Part:
    """Something with a value of every type."""

    text: str = ""
    flag: bool = False
    count: int = 0
    number: float = 0.0
    colour: Colour | None = None
    when: Predicate = EVERYONE
    many: tuple[str, ...] = field(default=())


@frozen
class Whole:
    """Something with parts."""

    parts: list[Part]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("text", 5, "expected a text"),
        ("text", True, "expected a text"),
        ("text", None, "expected a text"),
        ("flag", "no", "expected true or false"),
        ("flag", 0, "expected true or false"),
        ("count", 5.5, "expected a whole number"),
        ("count", 5.0, "expected a whole number"),
        ("count", "5", "expected a whole number"),
        ("count", True, "expected a whole number"),
        ("number", "5", "expected a number"),
        ("number", True, "expected a number"),
        ("colour", "green", "one of red, blue"),
        ("colour", 5, "one of red, blue"),
        ("when", 5, "not a predicate"),
        ("when", "a.b", "expected a comparison"),
        ("when", {"all": ["a.b", {"fact": "x", "op": "?"}]}, "is not an operator"),
    ],
)
def test_wrong_types(name: str, value: Any, words: str) -> None:
    """A value of another type is refused with its path, however likely a guess would be."""
    with pytest.raises(InvalidDocument) as caught:
        structure({"parts": [{}, {name: value}]}, Whole, what="whole", path="$.here")
    (problem,) = caught.value.problems
    assert f"$.here.parts[1].{name}" == problem.path
    assert words in problem.message


def test_right_types() -> None:
    """Values of the right types are taken as they are."""
    data = {"text": "x", "flag": True, "count": 3, "number": 2, "colour": "red", "when": "sunset", "many": ["a"]}
    expected = Part(
        text="x", flag=True, count=3, number=2, colour=Colour.RED, when=where.sunset.as_predicate(), many=("a",)
    )
    assert expected == structure(data, Part, what="part")


def test_all_problems() -> None:
    """Problems of one part do not hide those of another, nor unknown keys those of known ones."""
    data = {"parts": [{"text": 5, "flag": "x", "nope": 1}, {"count": "x"}]}
    with pytest.raises(InvalidDocument) as caught:
        structure(data, Whole, what="whole")
    paths = [problem.path for problem in caught.value.problems]
    assert ["$.parts[0].text", "$.parts[0].flag", "$.parts[0].nope", "$.parts[1].count"] == paths
    assert str(caught.value).startswith("whole: 4 problems")


def test_unknown_fields_are_told_with_what_is_near() -> None:
    """Each has a problem of its own at its own place; where nothing is near, all that there are are named."""
    with pytest.raises(InvalidDocument) as caught:
        structure({"colur": "red", "zzz": 1, "whn": "a"}, Part, what="part", path="$.here")
    assert [
        ("$.here.colur", "unknown field 'colur'", "did you mean 'colour' or 'count'?"),
        ("$.here.whn", "unknown field 'whn'", "did you mean 'when'?"),
        ("$.here.zzz", "unknown field 'zzz'", "one of text, flag, count, number, colour, when, many"),
    ] == [(one.path, one.message, one.fix) for one in caught.value.problems]


@pytest.mark.parametrize("wrong", ["Maps", {"a": 1}, 7, None])
def test_a_list_is_no_text(wrong: Any) -> None:
    """Taken apart, the text "Maps" would be four entries of a letter each."""
    with pytest.raises(InvalidDocument) as caught:
        structure({"many": wrong}, Part, what="part")
    assert ["$.many"] == [problem.path for problem in caught.value.problems]
    assert "expected a list, in brackets" in str(caught.value)


@pytest.mark.parametrize("data", [None, 5, "x", [], [1]], ids=str)
def test_no_table(data: Any) -> None:
    """What is no table is said to be none."""
    with pytest.raises(InvalidDocument, match="expected a table"):
        structure(data, Part, what="part")


@pytest.mark.parametrize("text", ["x", "x = ", "[a", "x = 1\nx = 2", "\x00", "x = nope"], ids=repr)
def test_no_toml(text: str) -> None:
    """What is not TOML is refused with its place."""
    with pytest.raises(InvalidDocument, match=r"\$: not TOML"):
        parse_toml(text, what="it")
