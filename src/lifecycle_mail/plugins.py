"""Plugins: ESPs and stores found by entry point, imported when they are first asked for (E5).

A distribution registers a factory under `lifecycle_mail.esps` or `lifecycle_mail.stores`. An ESP's is called with the
options given; a store's with the URL. A store's name is the URL's scheme, without a driver: `sqlite:///mail.db`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.ports import Capabilities, Esp, Store

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

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


def _find(group: str, name: str) -> Any:
    for point in _points(group).select(name=name):
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            raise Misconfigured(f"the plugin {name!r} of {group} cannot be loaded: {error}") from error
    known = ", ".join(names(group)) or "nothing"
    hint = f": pip install {_DISTRIBUTIONS[name]}" if name in _DISTRIBUTIONS else ""
    raise Misconfigured(f"nothing named {name!r} is installed for {group} (found: {known}){hint}")


def load_esp(name: str, /, **options: Any) -> Esp:
    """Make an ESP by name.

    Raises:
        Misconfigured: no such plugin, it does not take an option or lacks one, or it does not make an ESP; the message
            says what to do.
    """
    make = _find(ESPS, name)
    _require_options(name, make, options)
    made = make(**options)
    if not isinstance(made, Esp):
        raise Misconfigured(
            f"the plugin {name!r} made {type(made).__name__}, which has no name and capabilities: see ports.Esp"
        )
    return made


def load_capabilities(name: str, /) -> Capabilities:
    """Return what the ESP of a name can do, as its factory says without being called: the attribute `CAPABILITIES`.

    Raises:
        Misconfigured: no such plugin, or it does not say.
    """
    make = _find(ESPS, name)
    said = getattr(make, "CAPABILITIES", None)
    if not isinstance(said, Capabilities):
        raise Misconfigured(f"the plugin {name!r} does not say what it can do: give its factory CAPABILITIES")
    return said


def _require_options(name: str, make: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Refuse options that a factory does not know, and name those that it lacks: all at once."""
    import difflib
    import inspect

    takes = inspect.signature(make).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values()):
        return
    problems = []
    for option in sorted(options.keys() - takes.keys()):
        near = difflib.get_close_matches(option, takes, n=1)
        problems.append(f"it takes no {option!r}" + (f": did you mean {near[0]!r}?" if near else ""))
    problems += [
        f"it needs {one.name!r}"
        for one in takes.values()
        if one.default is one.empty and one.kind is not one.VAR_POSITIONAL and one.name not in options
    ]
    if problems:
        raise Misconfigured(f"ESP {name!r}: {'; '.join(problems)} (its options: {', '.join(takes) or 'none'})")


def load_store(url: str, /, **options: Any) -> Store:
    """Make a store from a URL such as `memory:` or `sqlite:///mail.db`.

    Raises:
        Misconfigured: no such plugin, or it does not make a store; the message says what to install.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    made = _find(STORES, scheme)(url, **options)
    if not isinstance(made, Store):
        raise Misconfigured(f"the plugin {scheme!r} made {type(made).__name__}, which lacks a part of ports.Store")
    return made
