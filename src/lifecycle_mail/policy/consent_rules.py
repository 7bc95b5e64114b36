"""Rules of consent that a law or a sender sets: how long implied consent lasts (R10), and who must confirm (R12).

[consent]
double_opt_in = true

[consent.implied]
purchase = 24
inquiry = 6

Canada's law (CASL, section 10) knows consent that follows from a purchase, for two years, and from an inquiry, for six
months. Months are those of the calendar: two years after the 29th of February is the 28th, the day on which consent
surely still holds. British law (PECR, regulation 22) asks for the sale behind such consent, which the basis names, and
for a way out in every mail, which is why a campaign names the list that its mails leave (R14, L3).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, Problem, UnknownName
from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.names import check_slug
from lifecycle_mail.policy.documents import check_values, require_table

MONTHS: Mapping[str, int] = MappingProxyType({"purchase": 24, "inquiry": 6})
"""How many months implied consent lasts, by what it follows from (R10)."""

_LONGEST = 120


def _check_basis(basis: object, months: object) -> None:
    check_slug("basis", basis)
    if isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= _LONGEST:
        raise InvalidInput(f"{months!r}: give a whole number of months from 1 to {_LONGEST}")


def _bases(_instance: object, attribute: Any, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{attribute.name} {value!r}: give months by basis, such as purchase = 24")
    for basis, months in value.items():
        _check_basis(basis, months)


def _flag(_instance: object, attribute: Any, value: Any) -> None:
    if not isinstance(value, bool):
        raise InvalidInput(f"{attribute.name} {value!r}: expected true or false")


def _kept(months: Any) -> Any:
    return MappingProxyType(dict(months)) if isinstance(months, Mapping) else months


@frozen(kw_only=True)
class ConsentRules:
    """What holds for every consent.

    Attributes:
        implied: how many months implied consent lasts, by its basis; what is given replaces the whole table.
        double_opt_in: whether joining any list needs a click in a confirmation mail. Only a consent that was confirmed,
            and is in force, makes another click needless.
    """

    implied: Mapping[str, int] = field(default=MONTHS, converter=_kept, validator=_bases, hash=False)
    double_opt_in: bool = field(default=False, validator=_flag)

    def expires_at(self, basis: str, at: datetime) -> datetime:
        """Return when consent that is implied by something at an instant ends.

        Raises:
            UnknownName: no rule for that basis.
        """
        if basis not in self.implied:
            raise UnknownName("basis of implied consent", basis, self.implied)
        return months_after(as_utc(at), self.implied[basis])

    def ends_at(self, basis: str | None, given: datetime | None, at: datetime) -> datetime | None:
        """Return when implied consent ends: with its basis, or before, where an earlier end is given (R10).

        Without a basis it ends with the longest that there is. None where neither says when.

        Raises:
            UnknownName: no rule for that basis.
        """
        if basis is not None:
            return min(one for one in (self.expires_at(basis, at), given) if one is not None)
        return None if given is None else self.last_end(given, at)

    def last_end(self, given: datetime | None, at: datetime) -> datetime | None:
        """Return when implied consent ends at the latest: with the longest that there is, or before, where given (R10).

        None where no basis has a rule and no end is given.
        """
        longest = months_after(as_utc(at), max(self.implied.values())) if self.implied else None
        return min((one for one in (longest, given) if one is not None), default=None)


def months_after(instant: datetime, months: int) -> datetime:
    """Return the same time of day so many calendar months later; of a day that month lacks, on its last one."""
    years, month = divmod(instant.month - 1 + months, 12)
    year, month = instant.year + years, month + 1
    return instant.replace(year=year, month=month, day=min(instant.day, monthrange(year, month)[1]))


def read_consent_rules(data: object, *, path: str) -> tuple[ConsentRules | None, list[Problem]]:
    """Read the rules from plain data; with the problems, all of them, where there are any."""
    problems: list[Problem] = []
    given = require_table(data, path, problems)
    problems += check_values({name: one for name, one in given.items() if name != "implied"}, ConsentRules, path=path)
    for basis, months in require_table(given.get("implied", {}), f"{path}.implied", problems).items():
        try:
            _check_basis(basis, months)
        except InvalidInput as error:
            problems.append(Problem(f"{path}.implied.{basis}", str(error)))
    return (None if problems else ConsentRules(**given)), problems
