"""PO files for translators: every sentence that there is, with where it stands and what is filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Final

from lifecycle_mail.errors import InvalidInput, InvalidTemplate
from lifecycle_mail.mails.catalogues import Message, chain, placeholders, shipped
from lifecycle_mail.mails.extraction import PLACES, Entry, entries
from lifecycle_mail.mails.formats import locale_of
from lifecycle_mail.mails.texts import LANGUAGE_TAG

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

_HEADER: Final = (
    "# The sentences of the mails of lifecycle_mail.\n# What stands in %(...)s is filled in and stays as it is."
)
_ENCODING: Final = (
    '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n\n'
)
_WIDTH: Final = 120


def to_translate(language: str, templates: Mapping[str, str] | None = None) -> str:
    """Return a PO file to translate into a language: what ships in it is filled in, and the rest is empty (C5).

    Args:
        language: its tag, such as fi or pt-BR. What ships in its shorter forms is filled in, too.
        templates: somebody's own, by name. Their sentences come after those that ship.

    Raises:
        InvalidInput: a language that has no days and sums to write, or is no tag at all.
        InvalidTemplate: a template cannot be read, or has a sentence with another plural than it has elsewhere.
    """
    if not LANGUAGE_TAG.fullmatch(language) or locale_of(language) is None:
        raise InvalidInput(f"language {language[:40]!r}: give a tag, such as fi or pt-BR")
    catalog = every_sentence(language, templates)
    ships = [shipped()[one] for one in chain(language) if one in shipped()]
    for message in catalog:
        first = message.id if isinstance(message.id, str) else next(iter(message.id), "")
        forms = next((one.texts[first] for one in ships if first in one.texts), ())
        if not message.pluralizable and forms:
            message.string = forms[0]
        elif message.pluralizable and len(forms) == catalog.num_plurals:
            message.string = forms
    return as_po(catalog)


def every_sentence(language: str, templates: Mapping[str, str] | None = None) -> Catalog:
    """Return everything that there is to translate, with no translation.

    Raises:
        InvalidTemplate: as for `to_translate`.
    """
    from babel.messages.catalog import Catalog

    catalog = Catalog(locale=locale_of(language), charset="utf-8", fuzzy=False)
    ships, own = entries(), entries(templates or {})
    _require_one_form(ships, own)
    for entry in (*ships, *own):
        names = sorted(set().union(*map(placeholders, _texts(entry.message))))
        catalog.add(
            entry.message,
            locations=[(name, 0) for name in dict.fromkeys(name for name, _ in entry.places)],
            auto_comments=[f"{name}: {PLACES[name]}" for name in names if name in PLACES],
        )
    return catalog


def _require_one_form(ships: Iterable[Entry], own: Iterable[Entry]) -> None:
    """Refuse what a PO file cannot hold: one sentence by itself and with a plural, or with two.

    Raises:
        InvalidTemplate: the first template that has another form of a sentence.
    """
    known: dict[str, Message] = {_texts(one.message)[0]: one.message for one in ships}
    for one in own:
        first = _texts(one.message)[0]
        if known.setdefault(first, one.message) != one.message:
            [(place, line), *_] = one.places
            raise InvalidTemplate(
                template=place.removesuffix(".jinja"), line=line, fix="write another sentence",
                reason=f"{first[:60]!r} has another plural than elsewhere, and translations are looked up by it",
            )  # fmt: skip


def as_po(catalog: Catalog) -> str:
    """Write a PO file without a date or a name in its head, so that the same sentences are the same file."""
    from babel.messages.pofile import write_po

    out = BytesIO()
    write_po(out, catalog, omit_header=True, width=_WIDTH, include_lineno=False)
    head = f'msgid ""\nmsgstr ""\n"Language: {catalog.locale}\\n"\n"Plural-Forms: {catalog.plural_forms}\\n"\n'
    return f"{_HEADER}\n{head}{_ENCODING}{out.getvalue().decode()}"


def _texts(message: Message) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else message
