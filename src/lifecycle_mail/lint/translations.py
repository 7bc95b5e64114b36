"""Checks somebody's own translations, and their own templates by them (C5).

A sentence that is lacking falls back alone, and the mail goes out; a sentence that nobody says is never looked up.
Neither stops anything, so that nobody would notice before a reader does. What is translated is held here against what
there is to translate: sentences of their templates one by one, those that ship by kind of mail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from lifecycle_mail.lint.findings import Finding
from lifecycle_mail.mails.catalogues import Catalogue, Message, chain, shipped
from lifecycle_mail.mails.extraction import entries
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.loading import LAYOUTS, shipped_source
from lifecycle_mail.mails.reasons import LABELS, question_of
from lifecycle_mail.mails.rendering import FIXED
from lifecycle_mail.mails.subjects import SUBJECTS

_NEAR: Final = 0.8
_SHOWN: Final = 60
_WHOLE: Final = 160
"""Characters of a sentence beside its near miss: more than any has that ships, or the difference might not be seen."""


def check_translations(
    own: Mapping[str, str], catalogues: Iterable[Catalogue], *, broken: Collection[str]
) -> Iterator[Finding]:
    """Find what is not translated, and what is translated for nothing.

    Args:
        own: somebody's own templates by name.
        catalogues: their own translations.
        broken: those of the templates that were found to be broken. Perhaps nobody can read them; so what they say is
            not asked for, and while there are any, no translation is said to be left over.
    """
    catalogues = tuple(catalogues)
    if not catalogues:
        return
    readable = {name: source for name, source in own.items() if name not in broken}
    known = _by_language(catalogues)
    yield from _untranslated(readable, known)
    yield from _partly_translated(own, known)
    if not broken:
        yield from _unknown(readable, catalogues)


def _by_language(catalogues: Iterable[Catalogue]) -> dict[str, set[str]]:
    """Return what is translated into each language of theirs, however its region is written; English needs nothing."""
    theirs: dict[str, list[Catalogue]] = {}
    for one in catalogues:
        theirs.setdefault(one.language.replace("_", "-").lower(), []).append(one)
    found: dict[str, set[str]] = {}
    for tag, those in theirs.items():
        *asked, english = chain(tag)
        if english not in asked and tag.partition("-")[0] != english:
            ships = [shipped()[language] for language in asked if language in shipped()]
            further = [one for language in asked for one in theirs.get(language, ())]
            found[those[0].language] = set().union(*(one.texts for one in (*further, *ships)))
    return found


def _untranslated(own: Mapping[str, str], known: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    for name, source in own.items():
        for sentence in entries({name: source}):
            text = _text(sentence.message)
            missing = [language for language, texts in known.items() if text not in texts]
            message = f"{text[:_SHOWN]!r} is not translated into {', '.join(missing)}"
            for _, line in sentence.places if missing else ():
                yield Finding(
                    rule="untranslated", template=name, line=line, message=message, fix="put it into the catalogue"
                )


def _partly_translated(own: Mapping[str, str], known: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    groups = list(_groups(own)) if known else []
    for language, texts in known.items():
        for what, kinds, sentences in groups:
            missing = [text for text in sentences if text not in texts]
            if missing:
                are = "is" if len(missing) == 1 else "are"
                first = f"{'' if len(missing) == 1 else 'the first '}{missing[0][:_SHOWN]!r}"
                count = f"{len(missing)} of {len(sentences)} sentences of {what}"
                yield Finding(
                    rule="partly-translated", template=f"{language}.po", line=None, kinds=kinds,
                    message=f"{count} {are} not translated into {language}: {first}",
                    fix="translate them: until then they come in another language, beside days and sums in this one",
                )  # fmt: skip


def _groups(own: Mapping[str, str]) -> Iterator[tuple[str, tuple[Kind, ...], list[str]]]:
    """Yield what ships and is said: by each kind, with its subject lines and reasons, and by the layouts of all."""
    for kind in Kind:
        question = question_of(kind)
        further: list[Message] = [line.message for line in SUBJECTS if kind in line.kinds]
        further += () if question is None else LABELS[question].values()
        yield str(kind), (kind,), _sentences(own, [str(kind)], further)
    yield "the layouts", tuple(Kind), _sentences(own, LAYOUTS, FIXED)


def _sentences(own: Mapping[str, str], names: Iterable[str], further: Iterable[Message]) -> list[str]:
    """Return what ships under these names, but for templates that were replaced without taking anything from it."""
    used = {name: shipped_source(name) for name in names if name not in own or "shipped/" in own[name]}
    return list(dict.fromkeys(map(_text, (*(one.message for one in entries(used)), *further))))


def _unknown(own: Mapping[str, str], catalogues: Iterable[Catalogue]) -> Iterator[Finding]:
    known = dict.fromkeys(_text(one.message) for one in (*entries(), *entries(own)))
    for catalogue in catalogues:
        for text in catalogue.texts:
            if text not in known:
                near = get_close_matches(text, known, n=1, cutoff=_NEAR)
                hint = f": did you mean {near[0][:_WHOLE]!r}?" if near else ""
                yield Finding(
                    rule="unknown-sentence", template=f"{catalogue.language}.po", line=catalogue.lines.get(text),
                    message=f"{text[:_WHOLE]!r} stands in no template{hint}",
                    fix="write the msgid as the sentence stands in its template, or take it out",
                )  # fmt: skip


def _text(message: Message) -> str:
    return message if isinstance(message, str) else message[0]
