import csv
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle_mail.files import Reject, raw_cell, safe_cell, write_csv, write_jsonl, write_rejects
from lifecycle_mail.files.tables import open_table

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+372 555 1234", "-2+3", "@SUM(A1)", "\t=1", "\rx", " =1", "\u00a0=1", "\ufeff=1", "\u200b@x",
     "\uff1d1", "\ufe621", "\u2212x", "'=1", "''=1", "=", "-"],
)  # fmt: skip
def test_a_formula_becomes_text(text: str) -> None:
    """What a spreadsheet would run gets an apostrophe, and loses it again (F56)."""
    assert f"'{text}" == safe_cell(text)
    assert text == raw_cell(safe_cell(text))


@pytest.mark.parametrize("text", ["", "Ann", "-5", "+5", "-3.25", "0", "a=b", "'s-Hertogenbosch", "¡hola!", "ann@x"])
def test_other_text_stays(text: str) -> None:
    """Numbers, names and signs within a text are left alone."""
    assert text == safe_cell(text) == raw_cell(text)


@given(st.text() | st.text(alphabet="=+-@\t\r\n '\ufeff\uff1d0a."))
@example("'=x")
def test_no_cell_begins_dangerously_and_each_can_be_undone(text: str) -> None:
    """Every text but a number is safe after its leading white space, and stripping one apostrophe undoes it."""
    safe = safe_cell(text)
    number = safe[1:].replace(".", "", 1).isdecimal()
    assert number or not safe.lstrip().startswith(DANGEROUS)
    assert not safe.startswith(DANGEROUS) or number
    assert text == raw_cell(safe)
    assert safe in (text, f"'{text}")


def test_a_table_is_written_the_same_every_time(tmp_path: Path) -> None:
    """Values of each type have one form; line ends are plain; formulas are text."""
    rows = [
        ("=cmd", -5, 2.5, True, None, datetime(2026, 1, 2, 5, tzinfo=timezone(timedelta(hours=2)))),
        ('say "hi", é', 0, -0.5, False, None, datetime(2026, 1, 2, tzinfo=UTC)),
    ]
    path = tmp_path / "out.csv"
    assert 2 == write_csv(path, ["a", "b", "c", "d", "e", "-f"], rows)
    expected = (
        'a,b,c,d,e,\'-f\n\'=cmd,-5,2.5,true,,2026-01-02T03:00:00Z\n"say ""hi"", é",0,-0.5,false,,2026-01-02T00:00:00Z\n'
    )
    assert expected.encode() == path.read_bytes()


def test_json_lines_are_written(tmp_path: Path) -> None:
    """Objects, sets and instants have one form, and NaN none."""
    path = tmp_path / "out.jsonl"
    write_jsonl(path, [{"b": "é", "a": {"z": frozenset({"y", "x"})}, "at": datetime(2026, 1, 2, tzinfo=UTC)}])
    assert '{"b":"é","a":{"z":["x","y"]},"at":"2026-01-02T00:00:00Z"}\n' == path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_jsonl(path, [{"a": float("nan")}])
    with pytest.raises(TypeError, match="Path cannot be written"):
        write_jsonl(path, [{"a": Path()}])


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """When writing fails, the old file is there and nothing beside it."""
    path = tmp_path / "out.csv"
    write_csv(path, ["a"], [("1",)])

    def rows() -> list[tuple[str]]:
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        write_csv(path, ["a"], (row for row in [("2",), *rows()]))
    assert "a\n1\n" == path.read_text()
    assert [path] == list(tmp_path.iterdir())


def test_rejects_are_written_safely(tmp_path: Path) -> None:
    """The row that was refused is text too, whatever it holds, and half a character does not stop it."""
    path = tmp_path / "rejects.csv"
    rejects = [
        Reject(file="a.csv", line=3, reason="bad", fix="mend it", row="=cmd,1\n"),
        Reject(file="a.csv", line=4, reason="no zone", row="x\udce9", whole=False),
    ]
    assert 2 == write_rejects(path, rejects)
    with open_table(path) as rows:
        assert ("file", "line", "refused", "reason", "fix", "row") == rows.header
        assert [
            ["a.csv", "3", "row", "bad", "mend it", "'=cmd,1\n"],
            ["a.csv", "4", "cell", "no zone", "", "x\\udce9"],
        ] == [row for _, row in rows]


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=2, max_size=2)))
def test_what_is_written_can_be_read(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    """Cells of any text come back as they were."""
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    write_csv(path, ["a", "b"], rows)
    with path.open(encoding="utf-8", newline="") as file:
        assert rows == [[raw_cell(cell) for cell in row] for row in list(csv.reader(file))[1:]]


def test_a_table_written_is_a_table_of_json_too(tmp_path: Path) -> None:
    """JSON lines hold texts as they are, without an apostrophe: no spreadsheet opens them."""
    path = tmp_path / "x.jsonl"
    write_jsonl(path, [{"a": "=1"}])
    assert {"a": "=1"} == json.loads(path.read_text())
