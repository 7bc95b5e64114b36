"""The query language of contact search and of e-mail activity, as far as it is documented.

It is close to the WHERE of SQL: strings in either quotes with a backslash as escape, names in backticks where they are
unusual, `TIMESTAMP "..."`, `unique_args['name']`, CONTAINS, LOWER, UPPER, LENGTH, CONCAT and NOW. What is missing is
NULL, and what compares with NULL is neither true nor false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from lifecycle_mail_sendgrid.testing.account import instant

Row = Mapping[str, Any]
Term = Callable[[Row], Any]

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*|`[^`]+`)
      | (?P<mark><=|>=|!=|<>|[=<>(),\[\]-])
    )""",
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "<>": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}


class BadQuery(Exception):
    """A query that cannot be read."""


def compiled(query: str, *, names: Collection[str], now: datetime) -> Callable[[Row], bool]:
    """Return what says whether a row matches.

    Args:
        query: as it was sent.
        names: what a row has; any other name is an error.
        now: what NOW() is.

    Raises:
        BadQuery: it cannot be read.
    """
    parser = _Parser(list(_tokens(query)), names, now)
    term = parser.either()
    parser.end()
    return lambda row: term(row) is True


def _tokens(query: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(query.rstrip())
    while at < end:
        match = _TOKEN.match(query, at)
        if match is None:
            raise BadQuery(f"unexpected {query[at : at + 20]!r} at position {at}")
        at = match.end()
        kind = match.lastgroup or ""
        yield kind, match[kind]


def _like(pattern: str) -> re.Pattern[str]:
    """Return the expression of a LIKE: `%` is anything, `%%` is a percent sign."""
    parts = re.split(r"(%%|%)", pattern)
    return re.compile("".join({"%%": "%", "%": ".*"}.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _compared(mark: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    if isinstance(left, datetime) or isinstance(right, datetime):
        left, right = (one if isinstance(one, datetime) else instant(one) for one in (left, right))
    try:
        return _COMPARISONS[mark](left, right)
    except TypeError:
        return None


class _Parser:
    def __init__(self, tokens: Sequence[tuple[str, str]], names: Collection[str], now: datetime) -> None:
        self._tokens = tokens
        self._names = {name.lower(): name for name in names}
        self._now = now
        self._at = 0

    # -- reading tokens

    def _word(self, ahead: int = 0) -> str:
        """Return the next keyword or mark in upper case; nothing where there is a string, a number or the end."""
        if self._at + ahead >= len(self._tokens):
            return ""
        kind, text = self._tokens[self._at + ahead]
        return text.upper() if kind in ("name", "mark") else ""

    def _take(self, *words: str) -> str:
        if self._word() in words:
            self._at += 1
            return self._tokens[self._at - 1][1].upper()
        return ""

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise BadQuery(f"expected {word} {self._place()}")

    def _place(self) -> str:
        return f"before {self._tokens[self._at][1]!r}" if self._at < len(self._tokens) else "at the end"

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise BadQuery(f"something is left over {self._place()}")

    # -- truth, with NULL for what cannot be told

    def either(self) -> Term:
        terms = [self._both()]
        while self._take("OR"):
            terms.append(self._both())
        return _any(terms) if len(terms) > 1 else terms[0]

    def _both(self) -> Term:
        terms = [self._denied()]
        while self._take("AND"):
            terms.append(self._denied())
        return _all(terms) if len(terms) > 1 else terms[0]

    def _denied(self) -> Term:
        return _not(self._denied()) if self._take("NOT") else self._comparison()

    def _comparison(self) -> Term:
        left = self._value()
        mark = self._take(*_COMPARISONS)
        if mark:
            right = self._value()
            return lambda row: _compared(mark, left(row), right(row))
        if self._take("IS"):
            denied = bool(self._take("NOT"))
            self._need("NULL")
            return lambda row: (left(row) is None) is not denied
        denied = bool(self._word() == "NOT" and self._word(1) in ("LIKE", "IN", "BETWEEN") and self._take("NOT"))
        term = self._relation(left)
        return _not(term) if denied else term

    def _relation(self, left: Term) -> Term:
        if self._take("LIKE"):
            pattern = self._value()
            return lambda row: _matched(left(row), pattern(row))
        if self._take("IN"):
            self._need("(")
            among = [self._value()]
            while self._take(","):
                among.append(self._value())
            self._need(")")
            return _any([_pair("=", left, one) for one in among])
        if self._take("BETWEEN"):
            low = self._value()
            self._need("AND")
            return _all([_pair(">=", left, low), _pair("<=", left, self._value())])
        return left

    # -- values

    def _value(self) -> Term:
        if self._take("("):
            term = self.either()
            self._need(")")
            return term
        negative = bool(self._take("-"))
        if self._at >= len(self._tokens):
            raise BadQuery("a value is missing at the end")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            number = float(text) * (-1 if negative else 1)
            return lambda _: number
        if kind == "string":
            written = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
            return lambda _: written
        if kind == "name":
            return self._named(text.strip("`"), plain=text[0] != "`")
        raise BadQuery(f"a value is missing before {text!r}")

    def _named(self, name: str, *, plain: bool) -> Term:
        upper = name.upper() if plain else ""
        if upper in ("TRUE", "FALSE", "NULL"):
            constant = {"TRUE": True, "FALSE": False, "NULL": None}[upper]
            return lambda _: constant
        if upper == "TIMESTAMP" and self._word() != "(":
            value = self._value()
            return lambda row: instant(value(row))
        if plain and self._take("("):
            return self._function(upper)
        if name.lower() not in self._names:
            raise BadQuery(f"there is no field {name!r}")
        key = self._names[name.lower()]
        if self._take("["):
            inner = self._value()
            self._need("]")
            return lambda row: (row[key] or {}).get(inner(row))
        return lambda row: row[key]

    def _function(self, name: str) -> Term:
        arguments: list[Term] = []
        while not self._take(")"):
            if arguments:
                self._need(",")
            arguments.append(self._value())
        if name == "NOW" and not arguments:
            return lambda _: self._now
        if name not in _FUNCTIONS or len(arguments) != _FUNCTIONS[name][0]:
            raise BadQuery(f"there is no function {name} of {len(arguments)} arguments")
        work = _FUNCTIONS[name][1]

        def called(row: Row) -> Any:
            values = [argument(row) for argument in arguments]
            return None if any(value is None for value in values) else work(*values)

        return called


def _contains(collection: Any, value: Any) -> bool:
    return value in collection


_FUNCTIONS: Final[Mapping[str, tuple[int, Callable[..., Any]]]] = {
    "CONTAINS": (2, _contains),
    "LOWER": (1, lambda text: str(text).lower()),
    "UPPER": (1, lambda text: str(text).upper()),
    "LENGTH": (1, lambda text: float(len(text))),
    "CONCAT": (2, lambda first, second: f"{first}{second}"),
}


def _truth(value: Any) -> bool | None:
    """Return what a condition says: a text or a number on its own says nothing."""
    return value if isinstance(value, bool) else None


def _pair(mark: str, left: Term, right: Term) -> Term:
    return lambda row: _compared(mark, left(row), right(row))


def _matched(value: Any, pattern: Any) -> bool | None:
    return None if value is None or pattern is None else _like(str(pattern)).fullmatch(str(value)) is not None


def _not(term: Term) -> Term:
    def denied(row: Row) -> bool | None:
        value = _truth(term(row))
        return None if value is None else not value

    return denied


def _all(terms: Sequence[Term]) -> Term:
    def every(row: Row) -> bool | None:
        values = [_truth(term(row)) for term in terms]
        return False if False in values else None if None in values else True

    return every


def _any(terms: Sequence[Term]) -> Term:
    def some(row: Row) -> bool | None:
        values = [_truth(term(row)) for term in terms]
        return True if True in values else None if None in values else False

    return some
