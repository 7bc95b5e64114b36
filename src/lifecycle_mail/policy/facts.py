"""The catalogue of facts: typed, named statements about one contact at one instant.

A fact is computed when a predicate first asks for it and kept for the contact at hand (`Facts`). Some take an
argument (`opened_mails(10)` is the fact `opened_mails:10`). Three families come from elsewhere: `field:NAME` is the
application's own, `rank:FACT` needs the whole audience and is filled in by whoever has it, and the facts of a campaign
are filled in by the screen. What nobody filled in is missing.

`CATALOGUE_VERSION` is part of every policy's version: a fact whose meaning changes changes the version of every
policy, and a test holds it against the digest of names and types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import evolve, field, frozen

from lifecycle_mail.errors import Problem, UnknownName
from lifecycle_mail.model.consent import ListStanding, Person
from lifecycle_mail.model.contacts import Contact, FieldType
from lifecycle_mail.model.entries import Standing, Suppression, SuppressionKind
from lifecycle_mail.model.instants import DAY, Micros, as_utc, to_micros
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.profiles import EngagementProfile
from lifecycle_mail.policy.engagement import Engagement
from lifecycle_mail.policy.operators import ORDERING, RELATIVE, TEXTUAL, FactValue, Op, as_fact
from lifecycle_mail.policy.predicates import Leaf, Predicate

_COUNT = re.compile("[1-9][0-9]{0,3}")

CATALOGUE_VERSION = "1"
"""Raised when a fact is added, renamed, or changes its type or meaning."""


class FactType(StrEnum):
    """What a fact holds."""

    FLAG = "flag"
    NUMBER = "number"
    TEXT = "text"
    INSTANT = "instant"
    SET = "set"


@frozen(kw_only=True)
class Subject:
    """One contact at one instant, with all that facts are read from.

    Attributes:
        contact: who.
        person: how the consent log knows them.
        profile: their folded engagement.
        now: the instant, aware UTC.
    """

    contact: Contact
    person: Person
    profile: EngagementProfile
    now: datetime = field(converter=as_utc)


class Facts(dict[str, Any]):
    """The facts about a subject, each computed when first asked for.

    Facts that come from elsewhere (a rank, a campaign's) are set as items.
    """

    __slots__ = ("_engagement", "_held", "now_us", "subject")

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.subject = subject
        self.now_us: Micros = to_micros(subject.now)
        self._engagement: Engagement | None = None
        self._held: dict[SuppressionKind, Suppression] | None = None

    @property
    def engagement(self) -> Engagement:
        """The contact's engagement, read once."""
        if self._engagement is None:
            renewed = self.subject.person.renewed_at
            since = None if renewed is None else to_micros(renewed)
            self._engagement = Engagement(self.subject.profile, self.now_us, since)
        return self._engagement

    @property
    def held(self) -> dict[SuppressionKind, Suppression]:
        """The suppressions in force, read once."""
        if self._held is None:
            self._held = self.subject.person.held_by(now=self.subject.now)
        return self._held

    def __missing__(self, name: str) -> FactValue:
        known = CATALOGUE.get(name)
        argument = ""
        if known is None:
            base, _, argument = name.partition(":")
            known = FAMILIES.get(base) if argument else None
        if known is None:
            known = fact_named(name)  # raises, with near misses
        value = known.compute(self, argument) if known.compute is not None else None
        self[name] = value
        return value


Compute = Callable[[Facts, str], FactValue]


@frozen(kw_only=True)
class Fact:
    """An entry of the catalogue.

    Attributes:
        name: as predicates write it.
        type: what it holds.
        doc: what it says, in one sentence.
        group: where it stands in the docs.
        takes: what its argument means, or empty for a fact without one.
        compute: how it is read off, or None where somebody else fills it in.
    """

    name: str
    type: FactType
    doc: str
    group: str
    takes: str = ""
    compute: Compute | None = field(default=None, eq=False, repr=False)


def fact_named(name: str) -> Fact:
    """Find a fact by name, with its argument if it takes one.

    Raises:
        UnknownName: no such fact; near misses are listed.
    """
    found = CATALOGUE.get(name)
    if found is not None:
        return found
    base, colon, argument = name.partition(":")
    family = FAMILIES.get(base)
    if family is None or not (colon and argument):
        if family is not None:
            raise UnknownName("fact", f"{base} without an argument", [f"{base}(10)"])
        raise UnknownName("fact", name, [*CATALOGUE, *FAMILIES])
    if family.takes == "a number" and not (_COUNT.fullmatch(argument) and int(argument) <= 3660):
        raise UnknownName("fact", f"{base}({argument})", [f"{base}(10)"])
    if base == "rank":
        if argument.startswith("rank:"):
            raise UnknownName("fact", "rank of a rank")
        fact_named(argument)
    return evolve(family, name=name)


# --- the catalogue ----------------------------------------------------------------------------------------------------


CATALOGUE: dict[str, Fact] = {}
"""Every fact without an argument, by name."""
FAMILIES: dict[str, Fact] = {}
"""Every fact that takes an argument, by name."""


def _add(group: str, name: str, kind: FactType, doc: str, compute: Compute | None = None, *, takes: str = "") -> None:
    made = Fact(name=name, type=kind, doc=doc, group=group, takes=takes, compute=compute)
    (FAMILIES if takes else CATALOGUE)[name] = made


def _days(facts: Facts, instant: Micros | None) -> float | None:
    return None if instant is None else (facts.now_us - instant) / DAY


def _signed_up(facts: Facts) -> Micros | None:
    subject = facts.subject
    if subject.contact.signed_up_at is not None:
        return to_micros(subject.contact.signed_up_at)
    joined = [c.provenance.at for c in subject.person.consents if c.standing is not Standing.IMPORTED]
    return to_micros(min(joined)) if joined else None


def _custom(facts: Facts, name: str) -> FactValue:
    return as_fact(facts.subject.contact.fields.get(name))


def _active_lists(facts: Facts) -> frozenset[str]:
    person, now = facts.subject.person, facts.subject.now
    return frozenset(key for key in person.lists() if person.standing(key, now=now) is ListStanding.ACTIVE)


def _too_soon(facts: Facts) -> bool:
    gap = LEAST_GAP.get(facts.subject.contact.frequency or "", 0.0)
    since = facts["days_since_sent"]
    return gap > 0 and since is not None and since < gap  # what is sent ahead of our clock is no choice of theirs


LEAST_GAP = {"daily": 20 / 24, "weekly": 6.0, "fortnightly": 13.0, "monthly": 27.0, "quarterly": 85.0}
"""Days between two marketing mails for each frequency a person may choose (P2): a little under the name says, so
that a weekly mail that goes out an hour early is not skipped for a week."""


def _engaged_since_sunset(facts: Facts) -> bool:
    sunset = facts.held.get(SuppressionKind.SUNSET)
    last = facts.engagement.last_engagement
    return sunset is not None and last is not None and last > to_micros(sunset.provenance.at)


def _has(kind: SuppressionKind) -> Compute:
    return lambda facts, _: kind in facts.held


def _since(read: Callable[[Engagement], Micros | None]) -> Compute:
    return lambda facts, _: _days(facts, read(facts.engagement))


def _at(read: Callable[[Engagement], Micros | None]) -> Compute:
    return lambda facts, _: read(facts.engagement)


def _text(value: str | None) -> str | None:
    return None if value is None else value.casefold()


_WHO = "The contact"
_CONSENT = "Consent and suppression"
_ENGAGEMENT = "Engagement"
_CAMPAIGN = "One campaign"
_DERIVED = "Derived"

# One fact a line, as a table.
# fmt: off
_add(_WHO, "now", FactType.INSTANT, "The instant of deciding.", lambda f, _: f.now_us)
_add(_WHO, "has_address", FactType.FLAG, "An e-mail address is known.", lambda f, _: f.subject.contact.address is not None)
_add(_WHO, "email_domain", FactType.TEXT, "The domain of the address, as an A-label.", lambda f, _: f.subject.contact.address.domain if f.subject.contact.address is not None else None)
_add(_WHO, "source", FactType.TEXT, "How they signed up (organic, contest, import ...).", lambda f, _: _text(f.subject.contact.source))
_add(_WHO, "timezone", FactType.TEXT, "Their IANA time zone.", lambda f, _: _text(f.subject.contact.timezone))
_add(_WHO, "locale", FactType.TEXT, "Their language tag.", lambda f, _: _text(f.subject.contact.locale))
_add(_WHO, "tags", FactType.SET, "Their tags.", lambda f, _: as_fact(f.subject.contact.tags))
_add(_WHO, "signed_up_at", FactType.INSTANT, "When they signed up: as the application says, else their first consent that was not imported.", lambda f, _: _signed_up(f))
_add(_WHO, "days_since_signup", FactType.NUMBER, "Days since `signed_up_at`.", lambda f, _: _days(f, _signed_up(f)))
_add(_WHO, "frequency", FactType.TEXT, "How often they chose to hear from us (P2).", lambda f, _: _text(f.subject.contact.frequency))
_add(_WHO, "field", FactType.TEXT, "A field of the application, of its declared type.", _custom, takes="a field's name")

_add(_CONSENT, "lists", FactType.SET, "Lists they are subscribed to, confirmed, and not out of.", lambda f, _: _active_lists(f))
_add(_CONSENT, "ever_lists", FactType.SET, "Lists they ever joined or asked to join.", lambda f, _: frozenset(f.subject.person.lists()))
_add(_CONSENT, "out_of_all", FactType.FLAG, "A no to all marketing stands that no confirmation has overridden (O2).", lambda f, _: f.subject.person.out_of_all)
_add(_CONSENT, "bounced", FactType.FLAG, "The address bounced for good.", _has(SuppressionKind.BOUNCE))
_add(_CONSENT, "complained", FactType.FLAG, "They reported a mail as spam.", _has(SuppressionKind.COMPLAINT))
_add(_CONSENT, "sunset", FactType.FLAG, "The sunset policy stopped marketing to them.", _has(SuppressionKind.SUNSET))
_add(_CONSENT, "engaged_since_sunset", FactType.FLAG, "They opened, clicked or answered after they were sunset (S11).", lambda f, _: _engaged_since_sunset(f))
_add(_CONSENT, "paused", FactType.FLAG, "They asked for a pause that is not over.", _has(SuppressionKind.PAUSE))
_add(_CONSENT, "archived", FactType.FLAG, "They were taken out of the active records.", _has(SuppressionKind.ARCHIVE))
_add(_CONSENT, "erased", FactType.FLAG, "Their data was erased; the address is never mailed again.", _has(SuppressionKind.ERASURE))

_add(_ENGAGEMENT, "last_sent", FactType.INSTANT, "When the latest mail of any kind was sent.", _at(lambda e: e.last_sent))
_add(_ENGAGEMENT, "last_open", FactType.INSTANT, "The last open not known to be a machine's (R18).", _at(lambda e: e.last_open))
_add(_ENGAGEMENT, "last_click", FactType.INSTANT, "The last click not known to be a machine's.", _at(lambda e: e.last_click))
_add(_ENGAGEMENT, "last_conversion", FactType.INSTANT, "The last purchase or other conversion.", _at(lambda e: e.last_conversion))
_add(_ENGAGEMENT, "last_engagement", FactType.INSTANT, "The last open, click, reply or conversion not known to be a machine's.", _at(lambda e: e.last_engagement))
_add(_ENGAGEMENT, "days_since_sent", FactType.NUMBER, "Days since the latest marketing mail.", _since(lambda e: e.last_marketing))
_add(_ENGAGEMENT, "days_since_open", FactType.NUMBER, "Days since `last_open`.", _since(lambda e: e.last_open))
_add(_ENGAGEMENT, "days_since_click", FactType.NUMBER, "Days since `last_click`.", _since(lambda e: e.last_click))
_add(_ENGAGEMENT, "days_since_conversion", FactType.NUMBER, "Days since `last_conversion`.", _since(lambda e: e.last_conversion))
_add(_ENGAGEMENT, "days_inactive", FactType.NUMBER, "Days since `last_engagement`; for those who never engaged, since their first mail.", _since(lambda e: e.inactive_since))
_add(_ENGAGEMENT, "mails_tracked", FactType.NUMBER, "Mails sent that did not fail: the evidence there is.", lambda f, _: f.engagement.mails_tracked)
_add(_ENGAGEMENT, "mails_since_engagement", FactType.NUMBER, "Mails sent after `last_engagement`, or all of them; counted within the window of kept mails.", lambda f, _: f.engagement.mails_since_engagement)
_add(_ENGAGEMENT, "engagement_ratio", FactType.NUMBER, "Share of the latest 5 mails engaged with, divided by that of the 5 before; missing where those were none.", lambda f, _: f.engagement.ratio(5))
_add(_ENGAGEMENT, "re_engagement_mails", FactType.NUMBER, "Re-engagement and last-chance mails since `last_engagement`.", lambda f, _: f.engagement.re_engagement_mails)
_add(_ENGAGEMENT, "days_since_last_chance", FactType.NUMBER, "Days since a last-chance mail that nothing has answered.", _since(lambda e: e.unanswered_last_chance))
_add(_ENGAGEMENT, "machine_share", FactType.NUMBER, "Share of all opens that machines made.", lambda f, _: f.engagement.machine_share)
_add(_ENGAGEMENT, "opened_mails", FactType.NUMBER, "How many of the latest N mails they opened, clicked or answered.", lambda f, n: f.engagement.engaged_of(int(n)), takes="a number")
_add(_ENGAGEMENT, "clicked_mails", FactType.NUMBER, "How many of the latest N mails they clicked or answered.", lambda f, n: f.engagement.clicked_of(int(n)), takes="a number")
_add(_ENGAGEMENT, "opened_share", FactType.NUMBER, "Share of the latest N mails they opened, clicked or answered; missing where there were none.", lambda f, n: f.engagement.share_of(int(n)), takes="a number")
_add(_ENGAGEMENT, "mails_in_days", FactType.NUMBER, "Marketing mails sent in the last N days, within the window of kept mails.", lambda f, n: f.engagement.sent_in(int(n)), takes="a number")

_add(_CAMPAIGN, "list_standing", FactType.TEXT, "How they stand with the lists behind the campaign: active, out-of-all, out-of-channel, out-of-list, unconfirmed, expired or none.")
_add(_CAMPAIGN, "already_sent", FactType.FLAG, "The campaign was handed off to them before, or may have been.")
_add(_CAMPAIGN, "same_address", FactType.FLAG, "Another contact with the same address gets the campaign.")
_add(_CAMPAIGN, "too_soon", FactType.FLAG, "Less than the frequency they chose has passed since the latest marketing mail (P2).", lambda f, _: _too_soon(f))

_add(_DERIVED, "tier", FactType.TEXT, "The engagement tier that the policy's first table gave.")
_add(_DERIVED, "rank", FactType.NUMBER, "Place in the audience by a number, highest first, from 1; equals in order of contact_id.", takes="a fact")
# fmt: on


# --- checking ---------------------------------------------------------------------------------------------------------

_FIELD_TYPES = {
    FieldType.TEXT: FactType.TEXT,
    FieldType.NUMBER: FactType.NUMBER,
    FieldType.FLAG: FactType.FLAG,
    FieldType.INSTANT: FactType.INSTANT,
}


def check(
    predicate: Predicate,
    *,
    fields: dict[str, FieldType] | None = None,
    lists: frozenset[ListKey] | None = None,
    path: str = "$",
) -> Iterator[Problem]:
    """Find what cannot be true of any contact: unknown facts, operators and values of the wrong type.

    Args:
        predicate: what to check.
        fields: the declared fields, or None where none are declared and any name goes.
        lists: the known lists, or None where any key goes.
        path: what to name in the problems.
    """
    for leaf in predicate.leaves():
        try:
            known = fact_named(leaf.fact)
        except UnknownName as error:
            yield Problem(path, str(error))
            continue
        kind = known.type
        base, _, argument = leaf.fact.partition(":")
        if base == "field":
            if fields is None:
                continue
            if argument not in fields:
                yield Problem(
                    path, str(UnknownName("field", argument, fields)), f'declare it: [fields] {argument} = "number"'
                )
                continue
            kind = _FIELD_TYPES[fields[argument]]
        if not _fits(leaf, kind):
            yield Problem(path, f"{leaf}: {leaf.fact} is a {kind}, which {leaf.op} {leaf.value!r} can never match")
        if leaf.op is Op.HAS and leaf.fact in ("lists", "ever_lists") and lists is not None and leaf.value not in lists:
            yield Problem(path, str(UnknownName("list", leaf.value, lists)))


def _fits(leaf: Leaf, kind: FactType) -> bool:
    if leaf.op is Op.MISSING:
        return True
    if leaf.op is Op.HAS:
        return kind is FactType.SET
    if leaf.op in RELATIVE:
        return kind is FactType.INSTANT
    if leaf.op in TEXTUAL:
        return kind is FactType.TEXT
    values = leaf.value if leaf.op is Op.IN else (leaf.value,)
    if kind is FactType.FLAG:
        return leaf.op not in ORDERING and all(isinstance(value, bool) for value in values)
    if kind is FactType.NUMBER:
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if kind is FactType.TEXT:
        return all(isinstance(value, str) for value in values)
    return kind is FactType.INSTANT and all(isinstance(value, datetime) for value in values)
