"""Files as lines of text.

What may be wrong with a file is found here once, for every format: compression is told by the first bytes and
not by the name, the encoding by a byte order mark, and what cannot be decoded costs one row and not the file.
Nothing but the current row is kept in memory, and no line is longer than `MAX_LINE`.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from attrs import frozen

from lifecycle_mail.errors import InvalidDocument, Problem

MAX_LINE: Final = 1 << 20
"""The most characters that a line of a table may have."""

BROKEN: Final = (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError)
"""What a file raises that ends too early or is damaged inside."""

_MAX_SHOWN: Final = 500
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

R = TypeVar("R")


@frozen
class Fault:
    """A row that could not even be taken apart.

    Attributes:
        reason: what is wrong with it.
        fix: what to do about it.
        row: its text, as far as it is worth showing.
    """

    reason: str
    fix: str = ""
    row: str = ""


class Rows(Generic[R]):
    """The rows of one open file, each with its line. Iterate once, within a `with` block.

    Attributes:
        header: the names of the columns; empty for JSON.
        encoding: the encoding that the file turned out to have.
    """

    def __init__(self, text: TextFile, header: Sequence[str], rows: Iterator[tuple[int, R | Fault]]) -> None:
        self.header = tuple(header)
        self.encoding = text.encoding
        self._text = text
        self._rows = rows

    def __iter__(self) -> Iterator[tuple[int, R | Fault]]:
        return self._rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._text.close()

    @property
    def bytes_done(self) -> int:
        """How many bytes of the file, as it lies on the disk, have been read."""
        return self._text.bytes_done


class TextFile:
    """A file opened as text.

    Attributes:
        path: where it lies.
        encoding: `utf-8`, `utf-8-sig`, `utf-16`, or the fallback that was allowed.
    """

    def __init__(self, path: Path, *, fallback: str | None = None) -> None:
        """Open it.

        Args:
            path: where it lies; gzip is recognised by its first bytes.
            fallback: the encoding, such as `cp1252`, of a file that has no byte order mark and is not UTF-8
                all through. Without it, each row that is not UTF-8 is refused.

        Raises:
            OSError: the file cannot be opened.
            InvalidDocument: it is an archive and not a text, or the fallback is no encoding.
        """
        self.path = path
        self._raw = path.open("rb")
        try:
            self.encoding = _encoding(path, _start(self._raw), fallback)
        except BaseException:
            self._raw.close()
            raise
        # What is not text becomes lone surrogates, which `fault_in` finds: one bad byte costs one row.
        errors = "surrogatepass" if self.encoding.startswith("utf-16") else "surrogateescape"
        self._text = io.TextIOWrapper(_unpacked(self._raw), encoding=self.encoding, errors=errors, newline="")

    def close(self) -> None:
        """Close the file."""
        self._text.close()
        self._raw.close()

    @property
    def bytes_done(self) -> int:
        """How many bytes of the file, as it lies on the disk, have been read."""
        return self._raw.tell()

    def lines(self, limit: int = MAX_LINE) -> Iterator[str]:
        """Yield the lines with their ends. A longer one is cut to `limit` and has no end."""
        readline = self._text.readline
        while line := readline(limit):
            yield line
            while len(line) == limit and line[-1] not in "\r\n":
                line = readline(limit)


def _start(raw: io.BufferedReader) -> bytes:
    """The first bytes of the text; leaves the file where it was."""
    try:
        return _unpacked(raw).read(4)
    except BROKEN:
        return b""  # an error that belongs to a line, and will be reported with it
    finally:
        raw.seek(0)


def _unpacked(raw: io.BufferedReader) -> io.BufferedReader:
    magic = raw.read(4)
    raw.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw, mode="rb"), 1 << 17)
    return raw


def _encoding(path: Path, start: bytes, fallback: str | None) -> str:
    if start == b"PK\x03\x04":
        raise InvalidDocument(
            "cannot read",
            [Problem(str(path), "it is a zip archive or a workbook", "unpack it, or save it as CSV")],
        )
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        # Before anything else: two bytes a character are seldom wrong as UTF-8, and never right.
        named = None if fallback is None else codecs.lookup(fallback).name
        if named is not None and (named.startswith("utf-16") or not _is_utf8(path)):
            return named
        return "utf-8"
    except LookupError:
        raise InvalidDocument(
            "cannot read", [Problem(str(path), f"{fallback!r} is no encoding", "write for example cp1252")]
        ) from None


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as raw:
        stream = _unpacked(raw)
        try:
            while block := stream.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        except BROKEN:
            pass  # reported with the line on which it happens
    return True


def suspect(line: str, limit: int = MAX_LINE) -> bool:
    """Whether a line needs `fault_in`: nearly all do not, and this is cheap."""
    return not line.isascii() or "\0" in line or len(line) >= limit


def fault_in(line: str, encoding: str, limit: int = MAX_LINE) -> Fault | None:
    """Say what is wrong with a line that cannot be part of a row, or return None."""
    if len(line) >= limit and line[-1] not in "\r\n":
        return Fault(f"the line has more than {limit:,} characters", "is this a table, and is a quote left open?")
    if "\0" in line:
        return Fault("it contains a NUL character", "save the file as UTF-8 text")
    bad = _SURROGATE.search(line)
    if bad is None:
        return None
    plain = {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(encoding, encoding)  # without a mark of its own
    position = len(line[: bad.start()].encode(plain))
    byte = ord(bad[0]) - 0xDC00
    what = f"byte 0x{byte:02X}" if 0x80 <= byte <= 0xFF else "what stands"
    return Fault(
        f"{what} at position {position} of the line is not {encoding}",
        "save the file as UTF-8, or allow the encoding it has, for example cp1252 for Excel on Windows",
    )


def shown(text: str) -> str:
    """Text of a row as it may be kept and written: without lone surrogates, and not too much of it."""
    cut = text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
    if not cut.isascii():
        cut = _SURROGATE.sub(lambda lone: f"\\x{ord(lone[0]) & 0xFF:02x}", cut)
    return cut


def broken(error: BaseException) -> Fault:
    """Say that a file ends too early or is damaged from here on."""
    return Fault(f"from here on the file cannot be read: {error}", "fetch the file again: it looks cut off or damaged")
