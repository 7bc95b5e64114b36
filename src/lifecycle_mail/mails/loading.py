"""Where templates come from: those that ship, and somebody's own over them.

A template has a name: that of a kind, or one of the four that lay out every mail (`mail.html`, `mail.text`,
`parts.html`, `parts.text`). Somebody's own takes the place of the one that ships, which can still be reached as
`shipped/NAME`; so a whole mail is replaced by another text, and one block by::

    {% extends "shipped/last-chance" %}
    {% block closing %}{{ part.signed("Ines") }}{% endblock %}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Final

from jinja2 import BaseLoader, Environment, TemplateNotFound

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.mails.kinds import Kind

LAYOUTS: Final = ("mail.html", "mail.text", "parts.html", "parts.text")
"""Templates that every mail is laid out with, for HTML and for plain text."""

NAMES: Final = (*map(str, Kind), *LAYOUTS)
"""Every template that can be replaced."""

_SHIPPED: Final = "shipped/"


@lru_cache(maxsize=64)
def shipped_source(name: str) -> str:
    """Return a template that ships.

    Raises:
        UnknownName: there is none of that name.
    """
    if name not in NAMES:
        raise UnknownName("template", name, NAMES)
    return (resources.files(__package__) / "templates" / f"{name}.jinja").read_text("utf-8")


class Templates(BaseLoader):
    """Finds templates by name.

    Args:
        own: somebody's own, by name.
        form: `html` or `text`: which of the layouts `mail` and `parts` are.

    Raises:
        UnknownName: a name that no template has, so that it would never be used.
        InvalidInput: what is no text.
    """

    def __init__(self, own: Mapping[str, str], *, form: str) -> None:
        for name, source in own.items():
            if name not in NAMES:
                raise UnknownName("template", name, NAMES)
            if not isinstance(source, str):
                raise InvalidInput(f"{name}: a {type(source).__name__} is no template: give its text")
        self.own = {name: source.removeprefix("\ufeff") for name, source in own.items()}  # Windows begins files so
        self.form = form

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Return the source of a template, and the name that its lines go by in errors."""
        del environment  # the same for each
        asked = template.removeprefix(_SHIPPED)
        name = f"{asked}.{self.form}" if asked in ("mail", "parts") else asked
        if template == asked and name in self.own:
            return self.own[name], f"mail:{name}", None
        if name not in NAMES:
            raise TemplateNotFound(template)
        return shipped_source(name), f"mail:{_SHIPPED}{name}", None
