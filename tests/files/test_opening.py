import gzip
import tomllib
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lifecycle_mail.files
from lifecycle_mail.errors import InvalidDocument, InvalidInput
from lifecycle_mail.files import Columns, Source, read
from lifecycle_mail.files.cells import text_of
from lifecycle_mail.model.intake import Happened
from tests.files.samples import RECEIVED, events_source, only, read_all, written


def test_the_public_names_are_all_there() -> None:
    """Every name is listed once, sorted, and has a docstring."""
    names = lifecycle_mail.files.__all__
    assert sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name)) == names
    for name in names:
        assert getattr(lifecycle_mail.files, name).__doc__


def test_an_unknown_table_gets_a_mapping_to_complete(tmp_path: Path) -> None:
    """The error holds a mapping made of the file's own columns and values, which works once copied."""
    header = 'User ID,Occurred At,Action,"Say ""x"" "\n'
    path = written(tmp_path, "log.csv", header + "1,2026-01-02,email_open,\n2,2026-01-02,Unsub,\n")
    with pytest.raises(InvalidDocument, match="its columns are not recognised") as caught:
        read([path], received_at=RECEIVED)
    fix = caught.value.problems[0].fix
    document = tomllib.loads(fix[fix.index("[[sources]]") :])
    (made,) = document["sources"]
    assert {"contact_id": "User ID", "at": "Occurred At", "kind": "Action"} == made["columns"]
    assert {"Unsub": "unsubscribed", "email_open": "opened"} == made["kinds"]
    source = Source(files=made["files"], format=made["format"], columns=Columns(**made["columns"]), kinds=made["kinds"])
    assert 2 == len(read_all(path, sources=[source])[0])


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        ("email,last_open\nann@example.com,2026-01-02\n", "snapshot"),
        ("email,city\nann@example.com,Tartu\n", "contacts"),
        ("x,y\n1,2\n", "contacts"),
        ('{"x": 1}\n', "contacts"),
        ("[5]", "contacts"),
    ],
)
def test_a_mapping_is_offered_for_any_file(tmp_path: Path, content: str, format_: str) -> None:
    """Snapshots and contacts are guessed by their columns; what cannot be guessed is left to fill in."""
    with pytest.raises(InvalidDocument) as caught:
        read([written(tmp_path, "x", content)], received_at=RECEIVED)
    fix = caught.value.problems[0].fix
    assert format_ == tomllib.loads(fix[fix.index("[[sources]]") :])["sources"][0]["format"]


def test_the_first_source_that_claims_a_file_reads_it(tmp_path: Path) -> None:
    """Sources are asked in their order, and files may be declared as not to be read."""
    path = written(tmp_path, "log.csv", "id,at,kind\n1,2026-01-02,opened\n")
    never = Source(files=("log.*",), format="ignore")
    statements, reading = read_all(path, sources=[never, events_source()])
    assert ([], {}) == (statements, reading.files)
    assert 1 == len(read_all(path, sources=[events_source(), never])[0])


def test_a_folder_is_read_by_name_and_a_file_once(tmp_path: Path) -> None:
    """Data files of a folder are read in the order of their names; a path given twice counts once."""
    written(tmp_path, "b.csv", "id,at,kind\n2,2026-01-02,opened\n")
    first = written(tmp_path, "a.jsonl", '{"id": 1, "at": "2026-01-02", "kind": "opened"}\n')
    written(tmp_path, "README.md", "not data")
    statements, reading = read_all(tmp_path, first, sources=[events_source()])
    assert ["1", "2"] == [each.who.contact_id for each in only(Happened, statements)]
    assert ["a.jsonl", "b.csv"] == [Path(name).name for name in reading.files]


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    """A file of which nothing can be read is not taken for an empty one."""
    path = written(tmp_path, "x.csv.gz", gzip.compress(b"id,at,kind\n1,2026-01-02,opened\n")[:-12])
    with pytest.raises(InvalidDocument, match="damaged from the start"):
        read([path], received_at=RECEIVED, sources=[events_source()])


def test_a_folder_without_data_is_an_error(tmp_path: Path) -> None:
    """The error says which files would be data."""
    with pytest.raises(InvalidInput, match="no data files"):
        read([tmp_path], received_at=RECEIVED)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """A path that leads nowhere raises what Python raises."""
    with pytest.raises(FileNotFoundError):
        read([tmp_path / "gone.csv"], received_at=RECEIVED)


def test_an_empty_file_is_noted(tmp_path: Path) -> None:
    """It holds nothing, whoever claims it, and is not passed over in silence."""
    path = written(tmp_path, "x.csv", "\n")
    for sources in ([], [events_source()]):
        statements, reading = read_all(path, sources=sources)
        assert [] == statements
        assert [("the file is empty", False)] == [(each.reason, each.whole) for each in reading.rejects]


def test_a_header_alone_is_fine(tmp_path: Path) -> None:
    """A file of nobody is no fault."""
    statements, reading = read_all(written(tmp_path, "x.csv", "id,at,kind\n"), sources=[events_source()])
    assert ([], [], 0) == (statements, reading.rejects, reading.rows)


def test_problems_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    """Nothing is read while anything is wrong."""
    paths = [written(tmp_path, name, "x,y\n1,2\n") for name in ("a.csv", "b.csv")]
    with pytest.raises(InvalidDocument) as caught:
        read(paths, received_at=RECEIVED)
    assert [str(path) for path in paths] == [problem.path for problem in caught.value.problems]


def test_a_format_that_does_not_fit_is_said(tmp_path: Path) -> None:
    """JSON is not an export, a table no webhook body, and a naive instant of receipt no instant."""
    body = written(tmp_path, "x.json", "{}")
    table = written(tmp_path, "x.csv", "a,b\n1,2\n")
    for path, format_, message in (
        (body, "mailchimp", "it is JSON"),
        (table, "sendgrid-events", "it is a table"),
        (table, "mailchimp", "without the column Email Address"),
        (table, "mailchimp-tables", "give the folder"),
    ):
        with pytest.raises(InvalidDocument, match=message):
            read([path], received_at=RECEIVED, sources=[Source(files=("*",), format=format_)])
    with pytest.raises(InvalidInput, match="no time zone"):
        read([table], received_at=datetime(2026, 1, 1))  # noqa: DTZ001 - a naive one is what is tried
    with pytest.raises(InvalidDocument, match=r"read\.list: a list key"):
        read([table], received_at=RECEIVED, audience="My List")


def test_encodings_are_allowed_for_all_files_or_one(tmp_path: Path) -> None:
    """The books say which encoding was used; without leave the row is a reject."""
    path = written(tmp_path, "x.csv", "id,at,kind,ö\n1,2026-01-02,opened,ü\n".encode("cp1252"))
    for options in (
        {"sources": [events_source()], "encoding": "cp1252"},
        {"sources": [events_source(encoding="cp1252")]},
    ):
        assert "cp1252" == read_all(path, **options)[1].files[str(path)].encoding
    with pytest.raises(InvalidDocument, match="byte 0xF6"):
        read([path], received_at=RECEIVED, sources=[events_source()])


def test_progress_is_told(tmp_path: Path) -> None:
    """Bytes never go back, and end at the size of the file."""
    rows = "".join(f"{n},2026-01-02,opened\n" for n in range(20_000))
    path = written(tmp_path, "x.csv", f"id,at,kind\n{rows}")
    told: list[tuple[Path, int, int]] = []
    read_all(path, sources=[events_source()], on_progress=lambda *now: told.append(now))
    size = path.stat().st_size
    assert len(told) > 3
    assert (path, size, size) == told[-1]
    assert sorted(done for _, done, _ in told) == [done for _, done, _ in told]


def test_a_reading_can_be_repeated(tmp_path: Path) -> None:
    """Reading again starts over: the same statements, and books that are not added up."""
    path = written(tmp_path, "x.csv", "id,at,kind\n1,2026-01-02,opened\n1,x,opened\n")
    reading = read([path], received_at=RECEIVED, sources=[events_source(assume_list="news")])
    first, second = list(reading), list(reading)
    assert first == second
    assert 2 == len(first)
    assert (2, 1, 1, 1) == (reading.rows, reading.accepted, reading.rejected, len(reading.rejects))
    assert f"{path}:3: 'x' is not a date" in str(reading.rejects[0])


CELLS = st.lists(st.sampled_from(["1", "2026-01-02", "opened", "", '"', "\n", "é", "x,y", "=1", "\0", "a\r"]))


@given(rows=st.lists(CELLS), noise=st.binary(max_size=40), packed=st.booleans())
def test_the_books_always_balance(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], noise: bytes, packed: bool
) -> None:
    """Whatever stands in a table, reading ends, rows are accepted or rejected, and every reject has a line."""
    content = "id,at,kind\n1,2026-01-02,opened\n" + "\n".join(",".join(row) for row in rows)
    raw = content.encode() + noise
    path = written(tmp_path_factory.mktemp("any"), "x.csv", gzip.compress(raw) if packed else raw)
    statements, reading = read_all(path, sources=[events_source(encoding=None)])
    assert reading.rows == reading.accepted + reading.rejected >= 1
    assert reading.accepted == len(statements)
    lines = content.count("\n") + content.count("\r") + raw.count(b"\n") + raw.count(b"\r") + 2
    assert all(1 < reject.line <= lines and reject.reason for reject in reading.rejects)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Bytes of any kind give books that balance, or the one error that says what is wrong."""
    path = written(tmp_path_factory.mktemp("any"), "x", content)
    for format_ in ("sendgrid-events", "sendgrid-suppressions"):
        with suppress(InvalidDocument):
            read_all(path, sources=[Source(files=("*",), format=format_)])


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (1, "1"), (1.5, "1.5"), ("x", "x"), (["a", "b,c"], 'a,"b,c"'), ({"a": 1}, '{"a": 1}')],
)
def test_values_of_json_are_cells(value: object, text: str) -> None:
    """Each type has one text."""
    assert text == text_of(value)
