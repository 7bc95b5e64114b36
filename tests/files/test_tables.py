import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidDocument
from lifecycle_mail.files.tables import open_table, unique_names
from lifecycle_mail.files.text import MAX_LINE, Fault
from tests.files.samples import written


def table(path: Path, **options: str) -> tuple[tuple[str, ...], str, list[tuple[int, list[str] | Fault]]]:
    """Return header, encoding and rows of a table."""
    with open_table(path, **options) as rows:
        return rows.header, rows.encoding, list(rows)


def cells(path: Path, **options: str) -> list[list[str]]:
    """Return the rows of a table in which nothing is wrong."""
    found = []
    for _, row in table(path, **options)[2]:
        assert not isinstance(row, Fault)
        found.append(row)
    return found


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("name,city\nZoë,Tartu\n".encode(), "utf-8"),
        ("name,city\nZoë,Tartu\n".encode("utf-8-sig"), "utf-8-sig"),
        ("name,city\nZoë,Tartu\n".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "name,city\nZoë,Tartu\n".encode("utf-16-be"), "utf-16"),
    ],
)
def test_the_encoding_is_told_by_the_mark(tmp_path: Path, content: bytes, encoding: str) -> None:
    """A byte order mark decides, and without one a file is UTF-8."""
    header, found, rows = table(written(tmp_path, "people.csv", content))
    assert ("name", "city") == header
    assert encoding == found
    assert [(2, ["Zoë", "Tartu"])] == rows


def test_what_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    """Without leave to guess, a row that is not UTF-8 is refused with its byte and the others are read."""
    _, encoding, rows = table(written(tmp_path, "x.csv", "name,city\nZoë,Tartu\nBob,Riga\n".encode("cp1252")))
    assert "utf-8" == encoding
    line, fault = rows[0]
    assert isinstance(fault, Fault)
    assert 2 == line
    assert "byte 0xEB at position 2 of the line is not utf-8" == fault.reason
    assert "cp1252" in fault.fix
    assert "Zo\\xeb,Tartu\n" == fault.row
    assert (3, ["Bob", "Riga"]) == rows[1]


def test_an_allowed_encoding_is_used_for_the_whole_file(tmp_path: Path) -> None:
    """The fallback is used for a file that is not UTF-8 all through, and only for such a file."""
    foreign = written(tmp_path, "foreign.csv", "name\nZoë\n€\n".encode("cp1252"))
    ours = written(tmp_path, "ours.csv", "name\nZoë\n€\n")
    assert ("cp1252", "utf-8") == (table(foreign, fallback="cp1252")[1], table(ours, fallback="cp1252")[1])
    assert [["Zoë"], ["€"]] == cells(foreign, fallback="cp1252") == cells(ours, fallback="cp1252")


def test_a_byte_that_the_allowed_encoding_lacks_costs_its_row(tmp_path: Path) -> None:
    """Byte 0x81 is nothing in cp1252 either."""
    _, _, rows = table(written(tmp_path, "x.csv", b"name\n\x81\nB\xf6b\n"), fallback="cp1252")
    assert isinstance(rows[0][1], Fault)
    assert "byte 0x81" in rows[0][1].reason
    assert (3, ["Böb"]) == rows[1]


def test_utf16_without_a_mark_can_be_allowed(tmp_path: Path) -> None:
    """UTF-16 often passes for UTF-8 with NUL characters, so naming it is enough; unnamed, its header is refused."""
    path = written(tmp_path, "x.csv", "name\nBob\n".encode("utf-16-le"))
    assert [["Bob"]] == cells(path, fallback="utf-16-le")
    with pytest.raises(InvalidDocument, match="NUL character"):
        table(path)


def test_an_unknown_encoding_is_an_error(tmp_path: Path) -> None:
    """The error names a fallback that is no encoding."""
    with pytest.raises(InvalidDocument, match="'cp9999' is no encoding"):
        table(written(tmp_path, "x.csv", "a\n1\n"), fallback="cp9999")


def test_gzip_is_told_by_its_bytes(tmp_path: Path) -> None:
    """A packed file is read whatever it is called, and a plain one that claims to be packed too."""
    assert [["1", "2"]] == cells(written(tmp_path, "packed.csv", gzip.compress(b"a,b\n1,2\n")))
    assert [["1", "2"]] == cells(written(tmp_path, "plain.csv.gz", b"a,b\n1,2\n"))
    assert [["ö"]] == cells(written(tmp_path, "x", gzip.compress("a\nö\n".encode("utf-16"))))


def test_a_packed_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    """The rows before the damage are read, and the damage is a fault with its line."""
    packed = gzip.compress("".join(f"{n},{n * n}\n" for n in range(100_000)).encode())
    _, _, rows = table(written(tmp_path, "x.gz", packed[: len(packed) // 2]))
    assert len(rows) > 1000
    line, fault = rows[-1]
    assert isinstance(fault, Fault)
    assert len(rows) + 1 == line
    assert "cannot be read" in fault.reason
    assert not any(isinstance(row, Fault) for _, row in rows[:-1])


def test_a_packed_file_damaged_from_the_start_cannot_be_opened(tmp_path: Path) -> None:
    """Without a header there is nothing to go by."""
    with pytest.raises(InvalidDocument, match="cannot be read"):
        table(written(tmp_path, "x.gz", gzip.compress(b"a,b\n1,2\n")[:-12]))


def test_utf16_that_ends_within_a_character_says_so(tmp_path: Path) -> None:
    """Half a character at the end is a fault, and reading stops."""
    _, _, rows = table(written(tmp_path, "x.csv", "a\n1\n2\n".encode("utf-16")[:-1]))
    assert isinstance(rows[-1][1], Fault)


def test_a_workbook_is_not_a_table(tmp_path: Path) -> None:
    """A zip archive is refused with what to do about it."""
    with pytest.raises(InvalidDocument, match=r"zip archive or a workbook .*unpack it"):
        table(written(tmp_path, "people.xlsx", b"PK\x03\x04rest"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    """What splits the header most is the delimiter; quoted ones do not count."""
    lines = [delimiter.join(row) for row in (['"a,;\t,;\tx"', "b", "c"], ["1", "2", "3"])]
    header, _, rows = table(written(tmp_path, "x.csv", "\n".join(lines)))
    assert ("a,;\t,;\tx", "b", "c") == header
    assert [(2, ["1", "2", "3"])] == rows


def test_a_delimiter_can_be_given(tmp_path: Path) -> None:
    """A given delimiter is taken, also an unusual one."""
    assert [["1,5", "2"]] == cells(written(tmp_path, "x.csv", "a|b\n1,5|2\n"), delimiter="|")


def test_columns_of_one_name_are_kept_apart() -> None:
    """The second column of a name gets a number, also where that name is taken, and the nameless get their place."""
    assert ["Name", "Name (3)", "Name (2)", "column 4", "Name (4)"] == unique_names(
        ["Name", " Name ", "Name (2)", "", "Name"]
    )


@given(st.lists(st.sampled_from(["a", "a (2)", "", "column 2", "b"]), max_size=8))
def test_names_are_unique(header: list[str]) -> None:
    """However a header repeats itself, each column gets a name of its own, and the first keeps it."""
    names = unique_names(header)
    assert len(names) == len(set(names)) == len(header)


def test_a_row_knows_the_line_on_which_it_begins(tmp_path: Path) -> None:
    """Line ends within quotes are counted, blank lines too, in all three conventions."""
    for end in ("\n", "\r\n", "\r"):
        content = end.join(["a,b", '1,"x', 'y"', "", "2,z", "3", ""])
        _, _, rows = table(written(tmp_path, "x.csv", content))
        assert [2, 5, 6] == [line for line, _ in rows]
        assert ["1", f"x{end}y"] == rows[0][1]


def test_a_ragged_row_says_how_many_cells_were_expected(tmp_path: Path) -> None:
    """Too few and too many cells are refused."""
    _, _, rows = table(written(tmp_path, "x.csv", "a,b\n1\n1,2\n1,2,3\n"))
    short, good, long = (row for _, row in rows)
    assert isinstance(short, Fault)
    assert isinstance(long, Fault)
    assert ["1", "2"] == good
    assert ("2 cells expected, 1 found", "2 cells expected, 3 found") == (short.reason, long.reason)
    assert ("1", "1,2,3") == (short.row, long.row)


def test_a_quote_left_open_costs_its_line_only(tmp_path: Path) -> None:
    """The rows after it are read, whether the file ends or a cell grows too long."""
    for rest in ("2,b\n3,c\n", "2,b\n" * 40_000 + "3,c\n"):
        _, _, rows = table(written(tmp_path, "x.csv", 'a,b\n1,"x\n' + rest))
        assert isinstance(rows[0][1], Fault)
        assert "quote" in rows[0][1].reason + rows[0][1].fix
        assert '1,"x\n' == rows[0][1].row
        assert (3, ["2", "b"]) == rows[1]
        assert ["3", "c"] == rows[-1][1]


def test_quotes_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    """What stands between a closing quote and the delimiter is not guessed at."""
    _, _, rows = table(written(tmp_path, "x.csv", 'a,b\n"x"y,1\n2,3\n'))
    assert isinstance(rows[0][1], Fault)
    assert (3, ["2", "3"]) == rows[1]


def test_an_overlong_line_is_refused_and_the_next_one_read(tmp_path: Path) -> None:
    """No line of a table is kept beyond its limit; what is shown of it is short."""
    _, _, rows = table(written(tmp_path, "x.csv", f"a,b\n1,{'x' * (MAX_LINE + 10)}\n2,3\n"))
    assert isinstance(rows[0][1], Fault)
    assert "more than 1,048,576 characters" in rows[0][1].reason
    assert len(rows[0][1].row) <= 500
    assert (3, ["2", "3"]) == rows[1]


def test_a_nul_character_is_refused(tmp_path: Path) -> None:
    """A row with a NUL character is refused and the next one read."""
    _, _, rows = table(written(tmp_path, "x.csv", "a,b\n1,\0\n2,3\n"))
    assert isinstance(rows[0][1], Fault)
    assert (3, ["2", "3"]) == rows[1]


@pytest.mark.parametrize("content", ["", "\n\n", "a,b\n", "\ufeffa,b"])
def test_a_file_without_rows_has_none(tmp_path: Path, content: str) -> None:
    """Nothing, blank lines and a header alone hold no rows."""
    assert [] == table(written(tmp_path, "x.csv", content))[2]


def test_a_header_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """The error names the line of the header."""
    with pytest.raises(InvalidDocument, match=r"x\.csv:2: the header: byte 0xEB"):
        table(written(tmp_path, "x.csv", "\nZoë,b\n1,2\n".encode("cp1252")))
