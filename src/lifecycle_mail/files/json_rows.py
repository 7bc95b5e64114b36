"""Files of JSON: one value a line, an array, or a single value spread over lines.

Elements of an array are rows of their own, so that a bad one costs itself and not the rest (F41). What JSON
does not allow, or leaves open, is refused: NaN and Infinity, a key given twice, numbers beyond a float's
range, text that is no Unicode, nesting too deep to be read (F40). Lines are read one by one; only an array
that is spread over several lines is held in memory, up to `MAX_WHOLE` characters.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from lifecycle_mail.files.text import BROKEN, Fault, Rows, TextFile, broken, fault_in, shown, suspect

MAX_WHOLE: Final = 1 << 26
"""The most characters of a line, or of an array that is spread over lines."""

_ANY_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
# Possessive, so that a quote left open is not looked at twice.
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},\n]', re.DOTALL)
_SPACE: Final = re.compile(r"[ \t\r\n\ufeff]*")


def open_json(path: Path, *, fallback: str | None = None) -> Rows[object]:
    """Open a file of JSON lines, of an array, or of one value.

    Args:
        path: where it lies, plain or gzip.
        fallback: see `TextFile`.

    Raises:
        OSError: the file cannot be opened.
    """
    text = TextFile(path, fallback=fallback)
    return Rows(text, (), _rows(text))


def looks_like_json(line: str) -> bool:
    """Whether the first line of a file begins JSON."""
    return line.lstrip("\ufeff \t\r\n").startswith(("{", "["))


class StrictJson:
    """A decoder that remembers what it should have refused, and so knows where the value ends.

    Not to be shared between threads.
    """

    def __init__(self) -> None:
        self.problem = ""
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._pairs, parse_constant=self._constant, parse_float=self._float
        )

    def _pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            times = Counter(name for name, _ in pairs)
            twice = next(name for name, count in times.items() if count > 1)
            self.problem = f"the key {twice[:40]!r} is given twice"
        return found

    def _constant(self, name: str) -> None:
        self.problem = f"{name} is not JSON"

    def _float(self, text: str) -> float:
        number = float(text)
        if number in (float("inf"), float("-inf")):
            self.problem = f"{text[:40]} is beyond any number"
        return number

    def decode(self, text: str, at: int = 0) -> tuple[object | Fault, int]:
        """Read the value that begins at `at`; return it, or what is wrong with it, and where it ends."""
        self.problem = ""
        try:
            value, end = self._decoder.raw_decode(text, at)
        except RecursionError:
            end = _end_of_value(text, at)
            return Fault("it is nested too deeply", "", shown(text[at:end])), end
        except ValueError as error:
            end = _end_of_value(text, at)
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
            return Fault(f"it is not JSON: {reason}", "", shown(text[at:end])), end
        if not self.problem and _may_be_halved(text, at, end) and not _is_unicode(value):
            self.problem = "it contains half a character (a lone surrogate)"
        if self.problem:
            return Fault(self.problem, "", shown(text[at:end])), end
        return value, end


def _may_be_halved(text: str, at: int, end: int) -> bool:
    if text.isascii() and text.find("\\u", at, end) < 0:  # nearly always, and cheap
        return False
    return _ANY_SURROGATE.search(text, at, end) is not None


def _is_unicode(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _end_of_value(text: str, at: int) -> int:
    """Where a value that cannot be read ends, by its brackets alone."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        mark = token[0]
        if mark in ("{", "["):
            depth += 1
        elif mark in ("}", "]"):
            depth -= 1
            if depth <= 0:
                return token.start() if depth < 0 and token.start() > at else token.end()
        elif depth == 0 and mark in (",", "\n") and token.start() > at:
            return token.start()
    return len(text)


def _rows(text: TextFile) -> Iterator[tuple[int, object | Fault]]:
    strict = StrictJson()
    lines = text.lines(MAX_WHOLE)
    number = 0
    begun = False
    try:
        for line in lines:
            number += 1
            body = line.strip(" \t\r\n\ufeff")
            if not body:
                continue
            if suspect(line, MAX_WHOLE) and (fault := fault_in(line, text.encoding, MAX_WHOLE)) is not None:
                yield number, Fault(fault.reason, fault.fix, shown(body))
            elif not begun and (body in ("{", "[") or (body[0] == "[" and body[-1] != "]")):
                for at, value in _whole(line, lines, strict):
                    yield number - 1 + at, value
                return
            elif body[0] == "[":
                yield from _values(body, number, strict)
            else:
                yield number, _only(body, strict)
            begun = True
    except BROKEN as error:
        yield number + 1, broken(error)


def _only(body: str, strict: StrictJson) -> object | Fault:
    value, end = strict.decode(body)
    if end < len(body) and not isinstance(value, Fault):
        return Fault(f"something follows the value: {body[end : end + 40]!r}", "write one value a line", shown(body))
    return value if end == len(body) or not isinstance(value, Fault) else Fault(value.reason, "", shown(body))


def _whole(first: str, lines: Iterator[str], strict: StrictJson) -> Iterator[tuple[int, object | Fault]]:
    parts, size = [first], len(first)
    for line in lines:
        parts.append(line)
        size += len(line)
        if size > MAX_WHOLE:
            fault = Fault(f"the array has more than {MAX_WHOLE:,} characters", "write one value a line", shown(first))
            yield 1, fault
            return
    yield from _values("".join(parts), 1, strict)


def _values(text: str, number: int, strict: StrictJson) -> Iterator[tuple[int, object | Fault]]:
    """The elements of arrays, or the values that follow each other, each with its line."""
    at = counted = 0
    inside = False
    while (at := _space(text, at)) < len(text):
        number += text.count("\n", counted, at)
        counted = at
        mark = text[at]
        if mark == "[" and not inside:
            inside, at = True, at + 1
        elif mark == "]" and inside:
            inside, at = False, at + 1
        elif mark == "," and inside:
            at += 1
        else:
            value, end = strict.decode(text, at)
            yield number, value
            at = max(end, at + 1)
    if inside:
        number += text.count("\n", counted)
        yield number, Fault("the array is not closed", "fetch the file again: it looks cut off")


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found is not None else at
