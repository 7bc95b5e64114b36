"""Bring the catalogues of the mails up to date with what there is to translate.

Run it after a sentence of a template has changed: `python docs/messages.py`. New sentences are added, those that are
gone are taken out, and translations of the rest stay. `--check` changes nothing and fails where something would be.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.pofile import read_po

from lifecycle_mail.files.translating import as_po, every_sentence
from lifecycle_mail.mails.catalogues import SHIPPED

LOCALES = Path(__file__).parent.parent / "src/lifecycle_mail/mails/locales"


def brought_up_to_date(language: str, path: Path) -> bytes:
    """Return the catalogue of a language with every sentence, and none that is gone."""
    new = every_sentence(language)
    if path.exists():
        for message in read_po(BytesIO(path.read_bytes()), locale=language):
            if message.id and message.id in new:
                new[message.id].string = message.string
                new[message.id].flags |= message.flags & {"fuzzy"}
    return as_po(new).encode()


def main() -> int:
    """Write the catalogues, or check them."""
    stale = []
    for language in SHIPPED[1:]:
        path = LOCALES / f"{language}.po"
        fresh = brought_up_to_date(language, path)
        if not path.exists() or path.read_bytes() != fresh:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_bytes(fresh)
    if stale:
        print(("not up to date: " if "--check" in sys.argv else "wrote ") + ", ".join(stale))
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
