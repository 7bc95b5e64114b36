"""Plugins: ESPs and stores found by entry point, imported when they are first asked for (E5).

A distribution registers a factory under `lifecycle_mail.esps` or `lifecycle_mail.stores`. An ESP's is called with the
options given; a store's with the URL. A store's name is the URL's scheme, without a driver: `sqlite:///mail.db`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.ports import Esp, Store

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

ESPS = "lifecycle_mail.esps"
STORES = "lifecycle_mail.stores"

_DISTRIBUTIONS = {
    "mailchimp": "lifecycle-mail-mailchimp",
    "sendgrid": "lifecycle-mail-sendgrid",
    "sqlite": "lifecycle-mail-sql",
    "postgresql": "lifecycle-mail-sql",
}
"""Where a name that is not installed is to be had."""


def _points(group: str) -> EntryPoints:
    from importlib.metadata import entry_points  # slow to import, and needed once

    return entry_points(group=group)


def names(group: str) -> tuple[str, ...]:
    """Return what is registered in a group, sorted; nothing is imported."""
    return tuple(sorted({point.name for point in _points(group)}))


def _find(group: str, name: str) -> EntryPoint:
    for point in _points(group).select(name=name):
        return point
    known = ", ".join(names(group)) or "nothing"
    hint = f": pip install {_DISTRIBUTIONS[name]}" if name in _DISTRIBUTIONS else ""
    raise Misconfigured(f"nothing named {name!r} is installed for {group} (found: {known}){hint}")


def load_esp(name: str, /, **options: Any) -> Esp:
    """Make an ESP by name.

    Raises:
        Misconfigured: no such plugin, or it does not make an ESP; the message says what to install.
    """
    made = _find(ESPS, name).load()(**options)
    if not isinstance(made, Esp):
        raise Misconfigured(
            f"the plugin {name!r} made {type(made).__name__}, which has no name and capabilities: see ports.Esp"
        )
    return made


def load_store(url: str, /, **options: Any) -> Store:
    """Make a store from a URL such as `memory:` or `sqlite:///mail.db`.

    Raises:
        Misconfigured: no such plugin, or it does not make a store; the message says what to install.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    made = _find(STORES, scheme).load()(url, **options)
    if not isinstance(made, Store):
        raise Misconfigured(f"the plugin {scheme!r} made {type(made).__name__}, which lacks a part of ports.Store")
    return made
