"""Golden files: every mail as it was when somebody last looked at it.

    python -m tests.mails.golden_files --write

writes them anew. Read the difference before it is kept: it is what readers will see. A text file is there of every kind
in every language, and the HTML of every kind in English and in Estonian, whose letters have accents.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.messages import Mail
from tests.mails.rendered import EVERY, mail

FOLDER: Final = Path(__file__).parent / "golden"

IN_HTML: Final = {"en": "", "et": ".et"}
"""Languages whose HTML is kept, and what its file is named with."""

HOW: Final = (
    "this mail has changed: if that is meant, run `python -m tests.mails.golden_files --write`, and read the difference"
)


def as_text(made: Mail) -> str:
    """Write down a mail: the headers of its message, each as one line that can be read, its preheader, its text."""
    headers = "".join(f"{name}: {value}\n" for name, value in made.to_message().items())
    return f"{headers}\nPreheader: {made.preheader}\n\n{made.text}"


def names() -> Mapping[str, tuple[Kind, str]]:
    """Return the names of all files, with the kind and the language that each is of."""
    texts = {f"{kind}.{language}.txt": (kind, language) for kind, language in EVERY}
    return texts | {f"{kind}{end}.html": (kind, language) for language, end in IN_HTML.items() for kind in Kind}


def content(name: str) -> str:
    """Return what a file of a name has to say."""
    made = mail(*names()[name])
    return as_text(made) if name.endswith(".txt") else f"{made.html}\n"


def write(folder: Path = FOLDER) -> None:
    """Write all files, and take away what is none of them."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name in names():
        (folder / name).write_text(content(name), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"{__doc__}")
    write()
