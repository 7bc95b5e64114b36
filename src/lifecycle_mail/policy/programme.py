"""A programme: the lists, segments and campaigns of an application, and its policy, as one TOML document.

[fields]
2020_spend = "number"

[[lists]]
key = "offers"
title = "Offers"
expect = "one deal a week"

[[segments]]
key = "spent-over-100-in-2020"
of = ["offers"]
where = 'field("2020_spend") > 100'

[[campaigns]]
key = "thank-you-offer"
to = ["spent-over-100-in-2020"]

[policy]
cadence = "weekly"

[consent]
implied = { purchase = 24, inquiry = 6 }
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from lifecycle_mail.errors import CampaignRefused, InvalidDocument, InvalidInput, Problem, UnknownName
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.events import Purpose
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
from lifecycle_mail.policy.consent_rules import ConsentRules, read_consent_rules
from lifecycle_mail.policy.documents import parse_toml, require_table, structure
from lifecycle_mail.policy.facts import check
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.segments import Segment


def _by_key(items: Iterable[Any]) -> dict[str, Any]:
    return {item.key: item for item in items}


@frozen(kw_only=True)
class Programme:
    """What an application sends, to whom, and by which policy.

    Attributes:
        lists, segments, campaigns: by key.
        fields: the declared types of custom fields; with none declared, any name goes.
        policy: what decides over time.
        consent: what holds for every consent (R10, R12).
    """

    lists: Mapping[str, MailingList] = field(factory=dict)
    segments: Mapping[str, Segment] = field(factory=dict)
    campaigns: Mapping[str, Campaign] = field(factory=dict)
    fields: Mapping[str, FieldType] = field(factory=dict)
    policy: Policy = field(factory=lambda: Policy.for_cadence("weekly"))
    consent: ConsentRules = field(factory=ConsentRules)

    @classmethod
    def of(
        cls,
        *items: MailingList | Segment | Campaign,
        policy: Policy | None = None,
        fields: Mapping[str, FieldType] | None = None,
        consent: ConsentRules | None = None,
    ) -> Programme:
        """Gather lists, segments and campaigns; what a campaign goes to is gathered with it."""
        made = cls(
            fields=dict(fields or {}),
            policy=policy or Policy.for_cadence("weekly"),
            consent=consent or ConsentRules(),
        )
        for item in items:
            made = made.with_(item)
        return made

    def with_(self, item: MailingList | Segment | Campaign) -> Programme:
        """Return the programme with one more list, segment or campaign, or a newer version of one."""
        if isinstance(item, MailingList):
            return evolve(self, lists={**self.lists, item.key: item})
        if isinstance(item, Segment):
            return evolve(self, segments={**self.segments, item.key: item})
        return evolve(self, campaigns={**self.campaigns, item.key: item})

    def campaign(self, key: Campaign | str) -> Campaign:
        """Find a campaign; one given as an object is taken as it is.

        Raises:
            UnknownName: no such campaign.
        """
        if isinstance(key, Campaign):
            return key
        if key not in self.campaigns:
            raise UnknownName("campaign", key, self.campaigns)
        return self.campaigns[key]

    def segment(self, key: Segment | str) -> Segment:
        """Find a segment; one given as an object is taken as it is.

        Raises:
            UnknownName: no such segment.
        """
        if isinstance(key, Segment):
            return key
        if key not in self.segments:
            raise UnknownName("segment", key, self.segments)
        return self.segments[key]

    @classmethod
    def from_toml(cls, text: str, *, what: str = "programme") -> Programme:
        """Read a programme.

        Raises:
            InvalidDocument: with every problem, its path and what to write instead.
        """
        return cls.from_dict(parse_toml(text, what=what), what=what)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, what: str = "programme") -> Programme:
        """Read a programme from plain data; keys of other parts of a configuration must be taken out first."""
        reader = _Reader(what)
        made = reader.read(data)
        if reader.problems or made is None:
            raise InvalidDocument(what, reader.problems)
        return made


class _Reader:
    def __init__(self, what: str) -> None:
        self.what = what
        self.problems: list[Problem] = []

    def read(self, data: Mapping[str, Any]) -> Programme | None:
        known = {"fields", "lists", "segments", "campaigns", "policy", "consent"}
        for key in sorted(set(data) - known):
            self.note(f"$.{key}", "unknown", f"one of {', '.join(sorted(known))}")
        fields = self.fields(data.get("fields", {}))
        lists = _by_key(made for _, made in self.each(data, "lists", MailingList))
        placed = self.each(data, "segments", Segment)
        segments = _by_key(made for _, made in placed)
        for key in lists.keys() & segments.keys():
            self.note(
                "$.segments", f"{key!r} is a list too", "a campaign's `to` must tell them apart: rename the segment"
            )
        for path, segment in placed:
            for missing in [key for key in segment.of if key not in lists]:
                self.note(f"{path}.of", str(UnknownName("list", missing, lists)))
            self.problems += check(
                segment.where, fields=fields or None, lists=frozenset(map(ListKey, lists)), path=f"{path}.where"
            )
        campaigns = _by_key(self.campaigns(data, lists, segments))
        policy = self.policy(data.get("policy"))
        if policy is not None:
            for table, name in ((policy.tiers, "tiers"), (policy.sunset, "sunset")):
                self.problems += table.check(
                    f"$.policy.{name}.rules", fields=fields or None, lists=frozenset(map(ListKey, lists))
                )
        consent, problems = read_consent_rules(data.get("consent", {}), path="$.consent")
        self.problems += problems
        if policy is None or consent is None or self.problems:
            return None
        return Programme(
            lists=lists, segments=segments, campaigns=campaigns, fields=fields, policy=policy, consent=consent
        )

    def note(self, path: str, message: str, fix: str = "") -> None:
        self.problems.append(Problem(path, message, fix))

    def fields(self, data: object) -> dict[str, FieldType]:
        found = {}
        for name, kind in require_table(data, "$.fields", self.problems).items():
            try:
                found[name] = FieldType(kind)
            except ValueError:
                self.note(f"$.fields.{name}", f"{kind!r} is not a type", f"one of {', '.join(FieldType)}")
        return found

    def rows(self, data: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
        rows = data.get(name, [])
        if not isinstance(rows, list):
            self.note(f"$.{name}", "expected an array of tables", f"write [[{name}]]")
            return []
        keys = [row.get("key") for row in rows if isinstance(row, Mapping)]
        for key in sorted({str(key) for key in keys if keys.count(key) > 1}):
            self.note(f"$.{name}", f"{key!r} stands there twice", "keys are unique: rename one")
        return [(f"$.{name}[{place}]", row) for place, row in enumerate(rows)]

    def each(self, data: Mapping[str, Any], name: str, kind: type) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for path, row in self.rows(data, name):
            try:
                found.append((path, structure(_one_as_list(row, "of"), kind, what=self.what, path=path)))
            except InvalidDocument as error:
                self.problems += error.problems
        return found

    def campaigns(
        self, data: Mapping[str, Any], lists: Mapping[str, MailingList], segments: Mapping[str, Segment]
    ) -> list[Campaign]:
        found: list[Campaign] = []
        for path, row in self.rows(data, "campaigns"):
            try:
                written = structure(_one_as_list(row, "to"), _Written, what=self.what, path=path)
            except InvalidDocument as error:
                self.problems += error.problems
                continue
            targets: list[Segment | MailingList] = []
            for place, key in enumerate(written.to):
                target = segments.get(key) or lists.get(key)
                if target is None:
                    self.note(f"{path}.to[{place}]", str(UnknownName("list or segment", key, [*lists, *segments])))
                else:
                    targets.append(target)
            try:
                made = Campaign(
                    written.key, to=targets, kind=written.kind, purpose=written.purpose, title=written.title
                )
                if len(targets) == len(written.to):
                    made.require_list()
                found.append(made)
            except (InvalidInput, CampaignRefused) as error:
                self.note(path, str(error))
        return found

    def policy(self, data: object) -> Policy | None:
        if data is None:
            return Policy.for_cadence("weekly")
        if isinstance(data, str):
            data = {"cadence": data}
        try:
            table = dict(require_table(data, "$.policy", self.problems))
            return Policy.from_dict(table, what=self.what, path="$.policy")
        except InvalidDocument as error:
            self.problems += error.problems
            return None


def _one_as_list(row: Any, key: str) -> Any:
    """Take `of = "offers"` as `of = ["offers"]`, as Python does, and not as a list of letters."""
    if isinstance(row, Mapping) and isinstance(row.get(key), str):
        return {**row, key: [row[key]]}
    return row


@frozen(kw_only=True)
class _Written:
    """A campaign as a document writes it: by keys."""

    key: str
    to: list[str] = field(factory=list)
    kind: CampaignKind = CampaignKind.MARKETING
    purpose: Purpose = Purpose.REGULAR
    title: str = ""
