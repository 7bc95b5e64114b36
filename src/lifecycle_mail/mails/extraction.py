"""What there is to translate: every sentence of the templates and of the tables, with where it stands.

`docs/messages.py` writes it into the catalogues; a test holds them against it, so that no sentence is missing and none
is left over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen
from jinja2 import nodes

from lifecycle_mail.errors import InvalidTemplate
from lifecycle_mail.mails.catalogues import Message
from lifecycle_mail.mails.loading import NAMES, Templates, shipped_source
from lifecycle_mail.mails.reasons import LABELS
from lifecycle_mail.mails.rendering import FIXED
from lifecycle_mail.mails.sandbox import MailEnvironment
from lifecycle_mail.mails.subjects import SUBJECTS

PLACES: Final[Mapping[str, str]] = {
    "amount": "a sum of money, with its currency",
    "brand": "the name of the sender",
    "count": "a number",
    "date": "a day, such as 31 March 2026",
    "deadline": "a day, such as 31 March 2026",
    "digits": "four digits",
    "expect": "what a list brings, in the sender's words: one deal a week",
    "incentive": "what is given, in the sender's words: 20 % off your next order",
    "interest": "what the reader came for, in the sender's words: gardening",
    "left": "a day, such as 31 March 2026",
    "list": "the title of a mailing list",
    "moment": "an instant with its zone",
    "name": "what the reader is called",
    "place": "where the reader is, such as Tallinn",
    "product": "the name of a product or plan; its gender is not known",
    "reason": "why somebody left, as it was offered: It costs too much",
    "source": "how they signed up, in the sender's words: the boat show",
    "ticket": "a number or code",
}
"""What is filled in, for translators."""


@frozen(kw_only=True)
class Entry:
    """A sentence to translate.

    Attributes:
        message: the sentence in English, or its singular and plural.
        places: where it stands, as template and line, or the table that holds it.
    """

    message: Message
    places: tuple[tuple[str, int], ...]


def entries(templates: Mapping[str, str] | None = None) -> tuple[Entry, ...]:
    """Return every sentence that there is to translate, in order of first appearance.

    Args:
        templates: somebody's own, by name; None for those that ship, with the tables of reasons and subject lines.

    Raises:
        InvalidTemplate: a template cannot be read, or translates something that is not written out in it.
    """
    found: dict[Message, list[tuple[str, int]]] = {}
    own = {name: shipped_source(name) for name in NAMES} if templates is None else templates
    environment = MailEnvironment(Templates({}, form="html"), html=True, filters={"wrap": str})
    for name, source in own.items():
        for message, line in _of_template(environment, name, source):
            found.setdefault(message, []).append((f"{name}.jinja", line))
    if templates is None:
        tables: list[tuple[str, Message]] = [("subjects", line.message) for line in SUBJECTS]
        tables += [("reasons", label) for labels in LABELS.values() for label in labels.values()]
        tables += [("rendering", one) for one in FIXED]
        for place, message in tables:
            found.setdefault(message, []).append((f"{place}.py", 1))
    return tuple(Entry(message=message, places=tuple(places)) for message, places in found.items())


def _of_template(environment: MailEnvironment, name: str, source: str) -> Iterator[tuple[Message, int]]:
    from jinja2 import TemplateSyntaxError

    try:
        tree = environment.parse(source, name)
    except TemplateSyntaxError as error:
        raise InvalidTemplate(template=name, line=error.lineno or None, reason=str(error.message)) from None
    for call in tree.find_all(nodes.Call):
        if not isinstance(call.node, nodes.Name) or call.node.name not in ("_", "n_"):
            continue
        wanted = 1 if call.node.name == "_" else 2
        texts = [one.value for one in call.args[:wanted] if isinstance(one, nodes.Const) and isinstance(one.value, str)]
        if len(texts) != wanted:
            raise InvalidTemplate(
                template=name, line=call.lineno, reason=f"{call.node.name}() translates a sentence that is written out",
                fix='write _("Hello %(name)s,", name=...)',
            )  # fmt: skip
        yield (texts[0] if wanted == 1 else (texts[0], texts[1])), call.lineno
