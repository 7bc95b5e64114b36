"""The conditions of segments, decided for each member.

Texts are compared without regard to case. A field that is blank is not anything, and so `not` and `notcontain` take
those in of whom nothing is known. Days are compared strictly: `greater` means after that day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, TypeVar

from attrs import frozen

from lifecycle_mail_mailchimp.testing.merging import as_date, is_blank
from lifecycle_mail_mailchimp.testing.problems import malformed
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Campaign, Member

V = TypeVar("V", float, date)
Test = Callable[[Member], bool]
Condition = Mapping[str, Any]

_COUNTERPARTS: Final = {"not": "is", "notcontain": "contains", "blank_not": "blank"}
_DATES: Final = {"timestamp_opt": "timestamp_opt", "info_changed": "last_changed"}


@frozen
class Segmenting:
    """Decides who is in a part of an audience."""

    account: Account
    audience: Audience

    def select(self, segment_opts: Mapping[str, Any]) -> Test:
        """Return the test of a saved segment, of match and conditions, or of both.

        Raises:
            Refusal: it names something that is not there.
        """
        tests: list[Test] = []
        saved = segment_opts.get("saved_segment_id")
        if saved:
            tests.append(self.segment(int(saved)))
        if segment_opts.get("conditions"):
            tests.append(self.matching(segment_opts))
        return lambda member: all(test(member) for test in tests)

    def segment(self, segment_id: int) -> Test:
        """Return the test of a segment."""
        segment = self.audience.segments.get(segment_id)
        if segment is None:
            raise malformed(("saved_segment_id", f"Segment {segment_id} is not in this list."))
        if segment.options is None:
            return lambda member: segment_id in member.tags
        return self.matching(segment.options)

    def matching(self, options: Mapping[str, Any]) -> Test:
        """Return the test of conditions: any of them, or all."""
        tests = [self._test(condition) for condition in options.get("conditions") or ()]
        joined = any if options.get("match") == "any" else all
        return lambda member: joined(test(member) for test in tests)

    def _test(self, condition: Condition) -> Test:
        kind = str(condition.get("condition_type", ""))
        if kind not in _KINDS:
            raise NotImplementedError(f"the simulator does not decide {kind!r} conditions")
        return _KINDS[kind](self, condition)

    def merge(self, condition: Condition) -> Callable[[Member], Any]:
        """Return what reads the merge field of a condition."""
        tag = condition["field"]
        if tag not in self.audience.fields:
            raise malformed(("conditions", f"Merge field {tag} is not in this list."))
        return lambda member: member.merge.get(tag, "")

    def campaign(self, value: object) -> Campaign | None:
        """Return the campaign of a web id; None is any."""
        if value == "any":
            return None
        for campaign in self.account.campaigns.values():
            if str(campaign.web_id) == str(value):
                return campaign
        raise malformed(("conditions", f"Campaign {value} does not exist."))


def _said(negated: str, test: Test) -> Test:
    return (lambda member: not test(member)) if negated else test


def _split(op: str) -> tuple[str, str]:
    """Return an operator without its negation, and the negation."""
    return (_COUNTERPARTS[op], "not") if op in _COUNTERPARTS else (op, "")


def _ordered(op: str, value: V, wanted: V) -> bool:
    return {"is": value == wanted, "greater": value > wanted, "less": value < wanted}[op]


def _compared(op: str, value: str, wanted: str) -> bool:
    value, wanted = value.casefold(), wanted.casefold()
    tests: dict[str, Callable[[], bool]] = {
        "is": lambda: value == wanted,
        "contains": lambda: wanted in value,
        "starts": lambda: value.startswith(wanted),
        "ends": lambda: value.endswith(wanted),
        "greater": lambda: value > wanted,
        "less": lambda: value < wanted,
    }
    return tests[op]()


def _as_number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _text(segmenting: Segmenting, condition: Condition) -> Test:
    read, (op, negated) = segmenting.merge(condition), _split(condition["op"])
    wanted = str(condition.get("value", ""))
    numeric = segmenting.audience.fields[condition["field"]].type == "number" and op in ("is", "greater", "less")
    number = _as_number(wanted)
    if numeric and number is None:
        raise malformed(("conditions", f"Enter a number for {condition['field']}."))

    def test(member: Member) -> bool:
        value = read(member)
        if op == "blank" or is_blank(value):
            return op == "blank" and is_blank(value)
        if numeric and number is not None:
            held = _as_number(value)
            return held is not None and _ordered(op, held, number)
        return _compared(op, str(value), wanted)

    return _said(negated, test)


def _day(segmenting: Segmenting, condition: Condition) -> Test:
    read, (op, negated) = segmenting.merge(condition), _split(condition["op"])
    wanted = as_date(condition.get("value", ""))
    if wanted is None and op != "blank":
        raise malformed(("conditions", f"Enter a valid date for {condition['field']}."))

    def test(member: Member) -> bool:
        value = as_date(read(member))
        if op == "blank" or value is None or wanted is None:
            return op == "blank" and value is None
        return _ordered(op, value, wanted)

    return _said(negated, test)


def _instant(_segmenting: Segmenting, condition: Condition) -> Test:
    (op, negated), name = _split(condition["op"]), _DATES.get(condition["field"])
    wanted = as_date(condition.get("extra", ""))
    if name is None or condition["value"] != "date" or op in ("within", "notwithin"):
        raise NotImplementedError(f"the simulator does not decide {dict(condition)!r}")
    if wanted is None and op != "blank":
        raise malformed(("conditions", "Enter a valid date."))

    def test(member: Member) -> bool:
        at = getattr(member, name)
        if op == "blank" or at is None or wanted is None:
            return op == "blank" and at is None
        return _ordered(op, at.date(), wanted)

    return _said(negated, test)


def _static(segmenting: Segmenting, condition: Condition) -> Test:
    wanted = int(condition["value"])
    segment = segmenting.audience.segments.get(wanted)
    if segment is None or not segment.is_static:
        raise malformed(("conditions", f"Static segment {wanted} is not in this list."))
    return _said("not" * (condition["op"] == "static_not"), lambda member: wanted in member.tags)


def _interests(segmenting: Segmenting, condition: Condition) -> Test:
    category = segmenting.audience.categories.get(str(condition["field"]).removeprefix("interests-"))
    wanted = set(condition["value"])
    if category is None or not wanted <= set(category.interests):
        raise malformed(("conditions", f"{condition['field']} has no such interest."))
    tests: dict[str, Test] = {
        "interestcontains": lambda member: bool(wanted & member.interests),
        "interestcontainsall": lambda member: wanted <= member.interests,
        "interestnotcontains": lambda member: not wanted & member.interests,
    }
    return tests[condition["op"]]


def _aim(segmenting: Segmenting, condition: Condition) -> Test:
    op, campaign = str(condition["op"]), segmenting.campaign(condition["value"])
    kind = op.removeprefix("no")

    def test(member: Member) -> bool:
        return any(
            one.kind == kind and one.campaign is not None and campaign in (None, one.campaign)
            for one in member.happenings
        )

    return _said("not" * op.startswith("no"), test)


def _address(_segmenting: Segmenting, condition: Condition) -> Test:
    op, negated = _split(condition["op"])
    return _said(negated, lambda member: _compared(op, member.email, str(condition.get("value", ""))))


_KINDS: Final[Mapping[str, Callable[[Segmenting, Condition], Test]]] = {
    "TextMerge": _text,
    "SelectMerge": _text,
    "DateMerge": _day,
    "Date": _instant,
    "StaticSegment": _static,
    "Interests": _interests,
    "Aim": _aim,
    "EmailAddress": _address,
    "SignupSource": lambda _segmenting, condition: _said(
        "not" * (condition["op"] == "source_not"), lambda member: member.source == condition.get("value")
    ),
    "Language": lambda _segmenting, condition: _said(
        "not" * (condition["op"] == "not"), lambda member: member.language == condition["value"]
    ),
    "VIP": lambda _segmenting, condition: lambda member: member.vip is (condition["op"] == "member"),
}
