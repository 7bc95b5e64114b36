"""Runs the README's Python where only the built wheels are installed, and compares what it prints with what is shown.

A plain program: `python -I tests/readme_in_fresh_venv.py`, with the Python of the environment to try.
"""

import contextlib
import doctest
import io
import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"

_BLOCK = re.compile(r"^```(?P<language>python|text)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the blocks of Python and of plain text, in order, each with its language."""
    return [(found["language"], found["text"]) for found in _BLOCK.finditer(text)]


def same(shown: str, printed: str) -> bool:
    """Whether what is shown is what was printed; `...` stands for anything."""
    return doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)


def problems(text: str) -> list[str]:
    """Run the Python of a page, top to bottom, and return where it prints something else than the page shows."""
    found = []
    names: dict[str, object] = {"__name__": "readme"}
    printed = ""
    for language, block in blocks(text):
        if language == "text":
            if not same(block, printed):
                found.append(f"the page shows\n{block}\nand this was printed\n{printed}")
            printed = ""
        else:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(block, "README.md", "exec"), names)  # noqa: S102 - our own page
            printed += out.getvalue()
    if printed:
        found.append(f"the page does not show that this is printed\n{printed}")
    return found


def main() -> int:
    """Check the README; say what is wrong with it."""
    text = README.read_text(encoding="utf-8")
    ran = [block for language, block in blocks(text) if language == "python"]
    wrong = problems(text) if ran else ["there is no Python in the README"]
    for problem in wrong:
        sys.stderr.write(f"{problem}\n")
    sys.stdout.write(f"ran {len(ran)} Python blocks of {README.name}: {'failed' if wrong else 'as shown'}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
