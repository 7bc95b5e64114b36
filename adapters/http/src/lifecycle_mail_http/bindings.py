"""Bindings of an adapter that nobody has given a registry: kept as long as it lives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping


class OwnBindings:
    """Which id of an ESP stands for which key of ours, in a dictionary; see `lifecycle_mail.ports.Bindings`."""

    def __init__(self) -> None:
        self._bound: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)

    def bind(self, target: str, kind: str, ours: str, theirs: str) -> None:
        """Note that `theirs` stands for our key of this kind; replaces."""
        self._bound[target, kind][ours] = theirs

    def bound(self, target: str, kind: str) -> Mapping[str, str]:
        """Return all of one kind at a target: our key -> their id."""
        return dict(self._bound.get((target, kind), {}))
