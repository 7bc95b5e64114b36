"""Bring the catalogues of the mails up to date with what there is to translate.

Run it after a sentence of a template has changed: `python docs/messages.py`. New sentences are added, those that are
gone are taken out, and translations of the rest stay. `--check` changes nothing and fails where something would be.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from lifecycle_mail.mails.catalogues import SHIPPED, placeholders
from lifecycle_mail.mails.extraction import PLACES, entries

LOCALES = Path(__file__).parent.parent / "src/lifecycle_mail/mails/locales"
HEADER = "# The sentences of the mails of lifecycle_mail.\n# What stands in %(...)s is filled in and stays as it is."


def template() -> Catalog:
    """Return everything that there is to translate."""
    catalog = Catalog(project="lifecycle_mail", version="1", header_comment=HEADER, charset="utf-8", fuzzy=False)
    for entry in entries():
        texts = (entry.message,) if isinstance(entry.message, str) else entry.message
        names = sorted(set().union(*map(placeholders, texts)))
        catalog.add(
            entry.message,
            locations=[(name, None) for name in dict.fromkeys(name for name, _ in entry.places)],
            auto_comments=[f"{name}: {PLACES[name]}" for name in names],
        )
    return catalog


def brought_up_to_date(language: str, path: Path) -> bytes:
    """Return the catalogue of a language with every sentence, and none that is gone."""
    new = template()
    new.locale = language
    if path.exists():
        for message in read_po(BytesIO(path.read_bytes()), locale=language):
            if message.id and message.id in new:
                new[message.id].string = message.string
                new[message.id].flags |= message.flags & {"fuzzy"}
    out = BytesIO()
    write_po(out, new, omit_header=True, width=120, include_lineno=False)
    plural = new.plural_forms
    head = f'{HEADER}\nmsgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Plural-Forms: {plural}\\n"\n'
    head += (
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
    )
    return head.encode() + out.getvalue()


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
