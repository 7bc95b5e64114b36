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
from lifecycle_mail.policy.as_json import from_json
from lifecycle_mail.policy.documents import check_values, converter, parse_toml, require_table, structure
from lifecycle_mail.policy.eligibility import Cap, Rest
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
        rest: after how many mails without a sign of interest contacts rest, and how long (S3), or None.
    """

    name: str
    tiers: Table
    sunset: Table
    cap: Cap | None = None
    rest: Rest | None = None
    _version: list[str] = field(init=False, factory=list, eq=False, repr=False)

    @classmethod
    def for_cadence(
        cls,
        cadence: Cadence | str,
        *,
        name: str = "",
        cap: Cap | None = None,
        rest: Rest | None = None,
        **settings: Any,
    ) -> Policy:
        """Return the preset for how often one sends; any setting can be given.

        Raises:
            InvalidInput: an unknown cadence or setting, or a number that makes no sense.
        """
        numbers = Settings.for_cadence(cadence, **settings)
        tiers, sunset = tier_table(numbers), sunset_table(numbers)
        return cls(name=name or str(cadence), tiers=tiers, sunset=sunset, cap=cap, rest=rest)

    @property
    def version(self) -> str:
        """Twelve hex digits of the hash of everything that can change a decision."""
        if not self._version:
            data = {key: value for key, value in self.to_dict().items() if key != "name"}  # which decides nothing
            content = json.dumps([CATALOGUE_VERSION, data], sort_keys=True, ensure_ascii=False)
            self._version.append(hashlib.sha256(content.encode()).hexdigest()[:12])
        return self._version[0]

    def to_dict(self) -> dict[str, Any]:
        """Return the resolved policy as plain data; predicates as text."""
        data: dict[str, Any] = {"name": self.name}
        if self.cap is not None:
            data["cap"] = converter().unstructure(self.cap)
        if self.rest is not None:
            data["rest"] = converter().unstructure(self.rest)
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
        known = {"name", "cadence", "settings", "bands", "tiers", "sunset", "cap", "rest"}
        problems += [
            Problem(f"{path}.{key}", "unknown", f"one of {', '.join(sorted(known))}")
            for key in sorted(set(data) - known)
        ]
        tiers = _read(problems, lambda: _read_tiers(data, what, path))
        sunset = _read(problems, lambda: _read_sunset(data, what, path))
        if "settings" in data and ("tiers" in data or "bands" in data):
            problems.append(
                Problem(f"{path}.settings", "without effect beside tables or bands", "take one of them out")
            )
        cap = _read(problems, lambda: _read_limit(data, "cap", Cap, what, path))
        rest = _read(problems, lambda: _read_limit(data, "rest", Rest, what, path))
        name = data.get("name", data.get("cadence", "policy"))
        if not isinstance(name, str):
            problems.append(Problem(f"{path}.name", "expected a text"))
        for table, where in ((tiers, "tiers"), (sunset, "sunset")):
            if table is not None:
                problems += table.check(f"{path}.{where}.rules")
        if problems or tiers is None or sunset is None:
            raise InvalidDocument(what, problems)
        return cls(name=str(name), tiers=tiers, sunset=sunset, cap=cap, rest=rest)


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
    try:
        preset = Settings.for_cadence(data.get("cadence", Cadence.WEEKLY))
    except InvalidInput as error:
        problems.append(Problem(f"{path}.cadence", str(error)))
        preset = Settings.for_cadence(Cadence.WEEKLY)  # to find what is wrong with the settings too
    given = {**converter().unstructure(preset), **given}
    problems += check_values(given, Settings, path=f"{path}.settings")
    try:
        given["hold"] = from_json(given["hold"], path=f"{path}.settings.hold")
        made = None if problems else Settings(**given)
    except InvalidDocument as error:
        problems += error.problems
    except InvalidInput as error:
        problems.append(Problem(f"{path}.settings", str(error)))
    if problems or made is None:
        raise InvalidDocument(what, problems)
    return made


def _read_limit(data: dict[str, Any], key: str, kind: type, what: str, path: str) -> Any:
    if key not in data:
        return None
    problems: list[Problem] = []
    given = require_table(data[key], f"{path}.{key}", problems)
    if not problems:
        problems += check_values(given, kind, path=f"{path}.{key}")
    if problems:
        raise InvalidDocument(what, problems)
    return kind(**given)


_BANDS = {"fact", "cuts", "upper_included", "names", "missing"}


def _read_tiers(data: dict[str, Any], what: str, path: str) -> Table:
    if "tiers" in data:
        return structure({"name": "tier", **_as_table(data["tiers"])}, Table, what=what, path=f"{path}.tiers")
    if "bands" in data:
        problems: list[Problem] = []
        bands = require_table(data["bands"], f"{path}.bands", problems)
        problems += [
            Problem(f"{path}.bands.{key}", "unknown", f"one of {', '.join(sorted(_BANDS))}")
            for key in sorted(set(bands) - _BANDS)
        ]
        if not problems and "cuts" not in bands:
            problems.append(Problem(f"{path}.bands.cuts", "required, and missing", "for example [30, 60, 90]"))
        if problems:
            raise InvalidDocument(what, problems)
        try:
            return band_table(**{"fact": "days_since_open", **bands})
        except InvalidInput as error:
            raise InvalidDocument(what, [Problem(f"{path}.bands", str(error))]) from None
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
