"""The rows of an import that the registry refused, kept until the import ends.

The latest of them stand in the import's bookmark. Once they are many they go to a bookmark of their own, a page, which
is written once: however many rows are refused, a chunk writes no more than its own (F68).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Self

from attrs import field, frozen

from lifecycle_mail.ports import Bookmark, Store

PAGE: Final = 1_000
"""How many refused rows fill a page."""


@frozen(kw_only=True)
class Refusals:
    """Rows that were refused.

    Attributes:
        latest: those that are on no page, each by its number, with the reason.
        pages: the first and the last number on each page.
    """

    latest: Mapping[int, str] = field(factory=dict)
    pages: tuple[tuple[int, int], ...] = ()

    @classmethod
    def read(cls, note: Mapping[str, Any]) -> Self:
        """Return what a bookmark says."""
        return cls(latest=_by_number(note["latest"]), pages=tuple((first, last) for first, last in note["pages"]))

    def note(self) -> Mapping[str, Any]:
        """Return what a bookmark keeps."""
        return {"latest": _by_reason(self.latest), "pages": self.pages}

    def plus(self, more: Mapping[int, str], store: Store, name: str, *, at: datetime) -> Self:
        """Return these and more; what fills a page is written to one, inside a transaction.

        Args:
            more: the rows that follow.
            store: where pages are kept.
            name: of the import.
            at: the instant.
        """
        latest = {**self.latest, **more}
        if len(latest) < PAGE:
            return type(self)(latest=latest, pages=self.pages)
        page = min(latest), max(latest)
        store.mark(Bookmark(name=_page(name, *page), place=page[1], at=at, note=json.dumps(_by_reason(latest))))
        return type(self)(pages=(*self.pages, page))

    def among(self, before: int, done: int, store: Store, name: str) -> Mapping[int, str]:
        """Return which of the rows with `before <= number < done` were refused, in order."""
        found = dict(self.latest)
        for first, last in self.pages:
            page = store.bookmark(_page(name, first, last)) if first < done and last >= before else None
            found.update({} if page is None else _by_number(json.loads(page.note)))
        return {number: found[number] for number in sorted(found) if before <= number < done}

    def forget(self, store: Store, name: str, *, at: datetime) -> None:
        """Empty the pages, inside a transaction."""
        for first, last in self.pages:
            store.mark(Bookmark(name=_page(name, first, last), place=last, at=at, note="{}"))


def _page(name: str, first: int, last: int) -> str:
    return f"{name}:{first}-{last}"


def _by_reason(refused: Mapping[int, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, reason in refused.items():
        found.setdefault(reason, []).append(number)
    return found


def _by_number(note: Mapping[str, list[int]]) -> dict[int, str]:
    return {number: reason for reason, numbers in note.items() for number in numbers}
