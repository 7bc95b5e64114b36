import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.files import json_rows
from lifecycle_mail.files.json_rows import open_json
from lifecycle_mail.files.text import Fault
from tests.files.samples import written


def values(path: Path, fallback: str | None = None) -> list[tuple[int, object]]:
    """Return the values of a file with their lines; a fault stands as its reason."""
    with open_json(path, fallback=fallback) as rows:
        return [(line, row.reason if isinstance(row, Fault) else row) for line, row in rows]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"a": 1}\n\n{"a": 2}\n', [(1, {"a": 1}), (3, {"a": 2})]),
        ('[{"a": 1}, {"a": 2}]', [(1, {"a": 1}), (1, {"a": 2})]),
        ('[{"a": 1}, {"a": 2}]\r\n[{"a": 3}]\n', [(1, {"a": 1}), (1, {"a": 2}), (2, {"a": 3})]),
        ('[\n {"a": 1},\n {"a":\n 2},\n {"a": 3}\n]\n', [(2, {"a": 1}), (3, {"a": 2}), (5, {"a": 3})]),
        ('{\n "a": 1\n}\n', [(1, {"a": 1})]),
        ('\ufeff["ann@example.com"]', [(1, "ann@example.com")]),
        ("[]", []),
        ("", []),
    ],
)
def test_lines_arrays_and_single_values_are_read(
    tmp_path: Path, content: str, expected: list[tuple[int, object]]
) -> None:
    """One value a line, arrays a line, an array over lines, and one value over lines give rows with their lines."""
    assert expected == values(written(tmp_path, "x.json", content))
    assert expected == values(written(tmp_path, "x", gzip.compress(content.encode())))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ('{"a": 1e999}', "1e999 is beyond any number"),
        ('{"a": 1, "a": 2}', "the key 'a' is given twice"),
        ('{"a": {"b": 1, "b": 1}}', "the key 'b' is given twice"),
        ('{"a": tru}', "it is not JSON: Expecting value"),
        ('{"a": "\\ud800"}', "it contains half a character (a lone surrogate)"),
        ('{"a": ' + "9" * 5000 + "}", "it is not JSON: a number is too long"),
        ("[" * 100_000 + "]" * 100_000, "it is nested too deeply"),
    ],
    ids=lambda value: value[:20],
)
def test_one_bad_value_costs_itself(tmp_path: Path, bad: str, reason: str) -> None:
    """What JSON forbids is refused as a line and within an array of either form, and the others are read (F40, F41)."""
    assert [(1, {"n": 0}), (2, reason), (3, {"n": 2})] == values(
        written(tmp_path, "lines.json", f'{{"n": 0}}\n{{"x": {bad}}}\n{{"n": 2}}\n')
    )
    assert [(1, {"n": 0}), (1, reason), (1, {"n": 2})] == values(
        written(tmp_path, "array.json", f'[{{"n": 0}}, {{"x": {bad}}}, {{"n": 2}}]')
    )
    assert [(2, {"n": 0}), (3, reason), (4, {"n": 2})] == values(
        written(tmp_path, "spread.json", f'[\n{{"n": 0}},\n{{"x": {bad}}},\n{{"n": 2}}\n]')
    )


def test_a_pair_of_escapes_is_a_character(tmp_path: Path) -> None:
    """Two escapes that make one character together are text like any other."""
    assert [(1, {"a": "😀"})] == values(written(tmp_path, "x.json", '{"a": "\\ud83d\\ude00"}'))


def test_a_broken_line_is_refused(tmp_path: Path) -> None:
    """A line that is cut off, and one with two values, cost themselves."""
    found = values(written(tmp_path, "x.json", '{"a": 1}\n{"a": \n{"a": 2} {"a": 3}\n{"a": 4}\nword\n'))
    assert [1, 2, 3, 4, 5] == [line for line, _ in found]
    assert [{"a": 1}, {"a": 4}] == [value for _, value in found if isinstance(value, dict)]
    assert str(found[2][1]).startswith("something follows the value")


def test_an_array_that_is_cut_off_says_so(tmp_path: Path) -> None:
    """The elements before the cut are read."""
    found = values(written(tmp_path, "x.json", '[\n{"a": 1},\n{"a": 2},\n'))
    assert [(2, {"a": 1}), (3, {"a": 2})] == found[:2]
    assert "the array is not closed" == found[2][1]


def test_what_is_not_utf8_costs_its_line(tmp_path: Path) -> None:
    """A line in another encoding is refused, unless that encoding is allowed."""
    path = written(tmp_path, "x.json", '{"a": 1}\n{"a": "é"}\n'.encode("cp1252"))
    assert (1, {"a": 1}) == values(path)[0]
    assert "byte 0xE9" in str(values(path)[1][1])
    assert [(1, {"a": 1}), (2, {"a": "é"})] == values(path, fallback="cp1252")


def test_a_packed_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    """The lines before the damage are read, and the damage is a fault."""
    packed = gzip.compress("".join(json.dumps({"n": n, "m": n * n}) + "\n" for n in range(50_000)).encode())
    found = values(written(tmp_path, "x.gz", packed[: len(packed) // 2]))
    assert "cannot be read" in str(found[-1][1])
    assert len(found) > 100


def test_an_array_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array over lines is held in memory, so one beyond the limit is refused."""
    monkeypatch.setattr(json_rows, "MAX_WHOLE", 100)
    found = values(written(tmp_path, "x.json", "[\n" + '{"a": 1},\n' * 20 + "]"))
    assert [(1, "the array has more than 100 characters")] == found


@given(st.lists(st.text(), max_size=5), st.sampled_from(["\n", "", ",", "]"]))
def test_any_text_is_read_to_its_end(tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str) -> None:
    """Whatever a file holds, reading ends, and the lines do not go back."""
    path = tmp_path_factory.mktemp("json") / "x.json"
    path.write_text("[" + "\n".join(lines) + end, encoding="utf-8", newline="")
    at = [line for line, _ in values(path)]
    assert sorted(at) == at
