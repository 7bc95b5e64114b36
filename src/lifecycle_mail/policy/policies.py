"""Policies: tiers, sunset and a cap, loaded from TOML, versioned by content.

The version is a hash of the *resolved* policy, defaults filled in, and of the catalogue of facts: two files that
decide alike have one version, and a change of a default is a change of version. Every decision is exported with it
(S12).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from attrs import field, frozen

from lifecycle_mail.errors import InvalidDocument, InvalidInput, Problem
from lifecycle_mail.policy.documents import converter, parse_toml, require_table, structure
from lifecycle_mail.policy.eligibility import Cap
from lifecycle_mail.policy.facts import CATALOGUE_VERSION
from lifecycle_mail.policy.settings import Cadence, Settings
from lifecycle_mail.policy.sunset import band_table, keep_everyone, sunset_table, tier_table
from lifecycle_mail.policy.tables import Table


@frozen(kw_only=True)
class Policy:
    """What decides about contacts over time.

    Attributes:
        name: for people.
        tiers: the table that puts a contact in a tier.
        sunset: the table that reads the tier and says what happens next.
        cap: at most so many marketing mails in so many days, or None.
    """

    name: str
    tiers: Table
    sunset: Table
    cap: Cap | None = None
    _version: list[str] = field(init=False, factory=list, eq=False, repr=False)

    @classmethod
    def for_cadence(cls, cadence: Cadence | str, *, name: str = "", cap: Cap | None = None, **settings: Any) -> Policy:
        """Return the preset for how often one sends; any setting can be given.

        Raises:
            InvalidInput: an unknown cadence or setting, or a number that makes no sense.
        """
        numbers = Settings.for_cadence(cadence, **settings)
        return cls(name=name or str(cadence), tiers=tier_table(numbers), sunset=sunset_table(numbers), cap=cap)

    @property
    def version(self) -> str:
        """Twelve hex digits of the hash of everything that can change a decision."""
        if not self._version:
            content = json.dumps([CATALOGUE_VERSION, self.to_dict()], sort_keys=True, ensure_ascii=False)
            self._version.append(hashlib.sha256(content.encode()).hexdigest()[:12])
        return self._version[0]

    def to_dict(self) -> dict[str, Any]:
        """Return the resolved policy as plain data; predicates as text."""
        data: dict[str, Any] = {"name": self.name}
        if self.cap is not None:
            data["cap"] = converter().unstructure(self.cap)
        data["tiers"] = _table_data(self.tiers)
        data["sunset"] = _table_data(self.sunset)
        return data

    def to_toml(self) -> str:
        """Write the resolved policy; `from_toml` reads the same policy back."""
        import tomli_w

        return tomli_w.dumps(self.to_dict(), multiline_strings=False)

    @classmethod
    def from_toml(cls, text: str, *, what: str = "policy") -> Policy:
        """Read a policy.

        A short one names a `cadence` and what differs from its preset in `[settings]`, or sorts contacts into
        `[bands]`; a long one gives the tables `[tiers]` and `[sunset]` with `[[tiers.rules]]`.

        Raises:
            InvalidDocument: with every problem, its path and what to write instead.
        """
        return cls.from_dict(parse_toml(text, what=what), what=what)

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, what: str = "policy", path: str = "$") -> Policy:
        """Read a policy from plain data; see `from_toml`."""
        problems: list[Problem] = []
        known = {"name", "cadence", "settings", "bands", "tiers", "sunset", "cap"}
        problems += [
            Problem(f"{path}.{key}", "unknown", f"one of {', '.join(sorted(known))}")
            for key in sorted(set(data) - known)
        ]
        tiers = _read(problems, lambda: _read_tiers(data, what, path))
        sunset = _read(problems, lambda: _read_sunset(data, what, path))
        cap = (
            _read(problems, lambda: structure(data["cap"], Cap, what=what, path=f"{path}.cap"))
            if "cap" in data
            else None
        )
        name = data.get("name", data.get("cadence", "policy"))
        if not isinstance(name, str):
            problems.append(Problem(f"{path}.name", "expected a text"))
        for table, where in ((tiers, "tiers"), (sunset, "sunset")):
            if table is not None:
                problems += table.check(f"{path}.{where}.rules")
        if problems or tiers is None or sunset is None:
            raise InvalidDocument(what, problems)
        return cls(name=str(name), tiers=tiers, sunset=sunset, cap=cap)


def _read(problems: list[Problem], read: Any) -> Any:
    try:
        return read()
    except InvalidDocument as error:
        problems.extend(p for p in error.problems if p not in problems)
    return None


def _settings(data: dict[str, Any], what: str, path: str) -> Settings:
    problems: list[Problem] = []
    given = dict(require_table(data.get("settings", {}), f"{path}.settings", problems))
    if "cadence" not in data:
        problems.append(
            Problem(f"{path}.cadence", "required, unless the tables are given", f"one of {', '.join(Cadence)}")
        )
    if problems:
        raise InvalidDocument(what, problems)
    try:
        defaults = converter().unstructure(Settings.for_cadence(data["cadence"]))
    except InvalidInput as error:
        raise InvalidDocument(what, [Problem(f"{path}.cadence", str(error))]) from None
    return structure({**defaults, **given}, Settings, what=what, path=f"{path}.settings")


def _read_tiers(data: dict[str, Any], what: str, path: str) -> Table:
    if "tiers" in data:
        return structure({"name": "tier", **_as_table(data["tiers"])}, Table, what=what, path=f"{path}.tiers")
    if "bands" in data:
        problems: list[Problem] = []
        bands = require_table(data["bands"], f"{path}.bands", problems)
        try:
            return band_table(**{"fact": "days_since_open", **bands})
        except (InvalidInput, TypeError) as error:
            raise InvalidDocument(
                what, [*problems, Problem(f"{path}.bands", str(error).replace("band_table() ", ""))]
            ) from None
    return tier_table(_settings(data, what, path))


def _read_sunset(data: dict[str, Any], what: str, path: str) -> Table:
    if "sunset" in data:
        return structure(
            {"name": "sunset action", **_as_table(data["sunset"])}, Table, what=what, path=f"{path}.sunset"
        )
    if "cadence" in data and "tiers" not in data and "bands" not in data:
        return sunset_table(_settings(data, what, path))
    return keep_everyone()


def _as_table(data: Any) -> dict[str, Any]:
    return dict(data) if isinstance(data, dict) else {"rules": data}


def _table_data(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "rules": [
            {"name": rule.name, "when": str(rule.when), "then": str(rule.then), "because": rule.because}
            for rule in table.rules
        ],
        "otherwise": {
            "then": str(table.otherwise.then), "because": table.otherwise.because, "name": table.otherwise.name,
        },
    }  # fmt: skip
