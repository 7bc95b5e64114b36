"""Walks through docs/worked_example.md on any ESP: its Python as it stands, with other first lines (L4)."""

from __future__ import annotations

import doctest
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from docs.pages import DOCS, write_files
from lifecycle_mail.ports import Esp

PAGE = DOCS / "worked_example.md"
_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)

LEFT_AT = datetime.fromisoformat("2021-01-11T11:00:00+00:00")
"""When Cleo uses the link, as the page says."""


def walk(
    esp: Esp, *, uses_the_unsubscribe_link: Callable[[str], object], time_passes: Callable[[], object], folder: Path
) -> dict[str, Any]:
    """Run every example of the page on an ESP, and return its names at the end.

    Args:
        esp: the ESP, in front of whatever stands in for the provider.
        uses_the_unsubscribe_link: lets somebody leave Offers at the provider, at `LEFT_AT`.
        time_passes: lets the provider come to rest.
        folder: where the files of the page are written.

    Raises:
        AssertionError: something else came out than the page shows.
    """
    write_files(PAGE, folder)
    names: dict[str, Any] = {}
    blocks = [found["code"] for found in _BLOCK.finditer(PAGE.read_text(encoding="utf-8"))]
    before = Path.cwd()
    os.chdir(folder)
    try:
        for number, code in enumerate(blocks):
            if code.startswith(">>>"):
                _require_shown(code, names, number)
                continue
            exec(compile(code, f"{PAGE.name}, example {number}", "exec"), names)  # noqa: S102 - the page is ours
            if number == 0:
                names |= {
                    "esp": esp,
                    "uses_the_unsubscribe_link": uses_the_unsubscribe_link,
                    "time_passes": time_passes,
                }
    finally:
        os.chdir(before)
    return names


def _require_shown(code: str, names: dict[str, Any], number: int) -> None:
    example = doctest.DocTestParser().get_doctest(code, names, f"example {number}", PAGE.name, 0)
    told: list[str] = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(example, out=told.append, clear_globs=False)
    assert failed == 0, "".join(told)
