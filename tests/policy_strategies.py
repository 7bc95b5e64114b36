"""What the tests of the policy floor share: made-up people, and strategies for predicates, facts and tables."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from lifecycle_mail.model.addresses import MatchKey, parse_address
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import (
    Consent,
    ConsentRequest,
    Entry,
    OptOut,
    Standing,
    Suppression,
    SuppressionKind,
)
from lifecycle_mail.model.entries import Subject as About
from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.profiles import Snapshot, fold, resolve
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.facts import CATALOGUE, FAMILIES, Subject
from lifecycle_mail.policy.operators import ORDERING, RELATIVE, TEXTUAL, Op
from lifecycle_mail.policy.predicates import AllOf, AnyOf, Leaf, Not, Predicate
from lifecycle_mail.policy.tables import Otherwise, Rule, Table

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""The instant of deciding in these tests."""
MICROSECOND = timedelta(microseconds=1)


def ago(days: float) -> datetime:
    """Return the instant so many days before NOW."""
    return NOW - timedelta(days=days)


# --- people -----------------------------------------------------------------------------------------------------------


def key_of(contact_id: str) -> MatchKey:
    """Return the match key of a contact's usual address."""
    return parse_address(f"{contact_id}@example.com").match_key()


def said(
    actor: Actor = Actor.CONTACT, *, at: datetime | None = None, through: Through = Through.APPLICATION
) -> Provenance:
    """Say who acted, and when: a year ago unless told."""
    return Provenance(actor=actor, through=through, at=at or ago(365), evidence="form")


def about(contact_id: str) -> About:
    """Name a contact at their usual address."""
    return About(contact_id=ContactId(contact_id), key=key_of(contact_id))


def joined(
    contact_id: str,
    list_key: str,
    *,
    standing: Standing = Standing.CONFIRMED,
    cites: Iterable[EntryId] = (),
    at: datetime | None = None,
    expires_at: datetime | None = None,
) -> Consent:
    """Let a contact join a list, by a click in a confirmation mail."""
    return Consent(
        subject=about(contact_id),
        list=ListKey(list_key),
        standing=standing,
        provenance=said(at=at, through=Through.CONFIRMATION),
        cites=frozenset(cites),
        expires_at=expires_at,
    )


def asked(contact_id: str, list_key: str) -> ConsentRequest:
    """Let a contact ask to join a list, without confirming."""
    return ConsentRequest(subject=about(contact_id), list=ListKey(list_key), provenance=said())


def said_no(contact_id: str, scope: Scope, *, event: str = "click") -> OptOut:
    """Let a contact opt out."""
    return OptOut(subject=about(contact_id), scope=scope, event_id=f"{contact_id}:{event}", provenance=said())


def held(
    contact_id: str, kind: SuppressionKind, *, at: datetime | None = None, until: datetime | None = None
) -> Suppression:
    """Suppress a contact."""
    return Suppression(
        subject=about(contact_id),
        kind=kind,
        event_id=f"{contact_id}:{kind}",
        provenance=said(Actor.POLICY, at=at),
        until=until,
    )


def sent(days: float, mail: str = "", *, purpose: Purpose = Purpose.REGULAR, who: str = "ann") -> EngagementEvent:
    """Send a mail so many days ago; its id is the number of days unless told."""
    return EngagementEvent(
        contact_id=ContactId(who), kind=EventKind.SENT, at=ago(days), mail=mail or f"d{days:g}", purpose=purpose
    )


def happened(
    kind: EventKind, days: float, mail: str, *, evidence: Evidence = Evidence.HUMAN, who: str = "ann"
) -> EngagementEvent:
    """Let something happen to a mail so many days ago."""
    return EngagementEvent(contact_id=ContactId(who), kind=kind, at=ago(days), mail=mail, evidence=evidence)


def opened(days: float, mail: str, *, who: str = "ann") -> EngagementEvent:
    """Let a person open a mail so many days ago."""
    return happened(EventKind.OPENED, days, mail, who=who)


def silent_mails(days: Iterable[float], *, purpose: Purpose = Purpose.REGULAR) -> list[EngagementEvent]:
    """Send mails that nobody answers."""
    return [sent(day, purpose=purpose) for day in days]


def subject(
    who: str = "ann",
    *,
    address: str | None = "usual",
    entries: Iterable[Entry] = (),
    events: Iterable[EngagementEvent] = (),
    baseline: Snapshot | None = None,
    now: datetime = NOW,
    **contact: Any,
) -> Subject:
    """Make a contact with their consent and engagement."""
    mailbox = None if address is None else parse_address(f"{who}@example.com" if address == "usual" else address)
    made = Contact(id=ContactId(who), address=mailbox, **contact)
    key = None if mailbox is None else mailbox.match_key()
    profile = fold(made.id, resolve(events), baseline=baseline)
    return Subject(contact=made, person=Person.read(entries, made.id, key), profile=profile, now=now)


# --- predicates -------------------------------------------------------------------------------------------------------

ODD_TEXTS = (
    "", "a", "A", "ß", "ẞ", "\u017f", "İ", "ΑΣ", "ας", "\u212a", 'say "hi"', "it's", "a and b", "{now}",
    "{0.__class__}",
    "line\nbreak", "tab\t", "back\\slash", "\\u0041", "nul\x00", "\x7f", "\u2028", "\U0001f4e7", "\ud800", "x|y", "`",
    "' OR 1=1", "2020_spend", "__class__", "#", "%s", "\\N{BULLET}", "True", "in", "rank:x", ":",
)  # fmt: skip
"""Texts that break naive quoting, folding or parsing (F57)."""

INSTANTS = (
    NOW,
    ago(30),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    datetime(2026, 6, 1, 14, tzinfo=UTC) + MICROSECOND,
)

texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=6))
numbers = st.one_of(
    st.integers(-3, 3),
    st.sampled_from((2**53, 2**53 + 1, -(2**63), 10**40, 10**400, 0.5, -0.0, 0.1 + 0.2, 5e-324, 1.7e308, 100.0)),
    st.floats(allow_nan=False, allow_infinity=False),
)
days = st.one_of(st.integers(0, 40), st.sampled_from((0.5, 1.25, 10**12)))
scalars: st.SearchStrategy[Any] = st.one_of(st.booleans(), numbers, texts, st.sampled_from(INSTANTS))


def literals_for(op: Op) -> st.SearchStrategy[Any]:
    """Draw what goes with an operator."""
    if op is Op.MISSING:
        return st.none()
    if op is Op.IN:
        return st.lists(scalars, max_size=4)
    if op in RELATIVE:
        return days
    if op in TEXTUAL or op is Op.HAS:
        return texts.filter(bool)
    if op in ORDERING:
        return st.one_of(numbers, texts, st.sampled_from(INSTANTS))
    return scalars


field_names = texts.filter(bool).map(lambda name: f"field:{name}")
"""Fields of the application, however they are called."""

known_names = st.one_of(
    st.sampled_from(sorted(CATALOGUE)),
    field_names,
    field_names.map(lambda name: f"rank:{name}"),
    st.sampled_from([f"{name}:{n}" for name, fact in FAMILIES.items() if fact.takes == "a number" for n in (1, 3660)]),
)
"""Facts that the catalogue knows."""


@st.composite
def leaves(draw: st.DrawFn, names: st.SearchStrategy[str], ops: Sequence[Op] = tuple(Op)) -> Leaf:
    """Draw one fact against one literal."""
    op = draw(st.sampled_from(ops))
    return Leaf(draw(names), op, draw(literals_for(op)))


def predicates(names: st.SearchStrategy[str], *, depth: int = 4) -> st.SearchStrategy[Predicate]:
    """Draw predicates that nest up to `depth`, with empty groups, groups of one, and nots of nots."""
    found: st.SearchStrategy[Predicate] = leaves(names)
    for _ in range(depth):
        parts = st.lists(found, max_size=3)
        found = st.one_of(leaves(names), st.builds(AllOf, parts), st.builds(AnyOf, parts), st.builds(Not, found))
    return found


def depth_of(predicate: Predicate) -> int:
    """Tell how deep a predicate nests."""
    return 1 + max(map(depth_of, predicate.parts), default=0)


# --- tables -----------------------------------------------------------------------------------------------------------

LETTERS = ("a", "b", "c")
NUMERIC, ORDERED, TEXT, FLAG, MEMBERS, MOMENT = "amount", "grade", "motto", "vip", "groups", "moment"
OUTCOMES = ("stay", "go", "wait", "ask")


def _table_leaves() -> st.SearchStrategy[Leaf]:
    letters = st.sampled_from(LETTERS)
    compared = st.sampled_from((Op.EQ, Op.NE, *sorted(ORDERING)))
    some = st.lists(letters, max_size=2)
    return st.one_of(
        st.builds(Leaf, st.just(NUMERIC), compared, st.integers(0, 4)),
        st.builds(Leaf, st.just(NUMERIC), st.just(Op.IN), st.lists(st.integers(0, 4), max_size=2)),
        st.builds(Leaf, st.just(ORDERED), compared, letters),
        st.builds(Leaf, st.just(ORDERED), st.just(Op.IN), some),
        st.builds(Leaf, st.just(TEXT), st.sampled_from(sorted(TEXTUAL)), letters),
        st.builds(Leaf, st.just(FLAG), st.sampled_from((Op.EQ, Op.NE)), st.booleans()),
        st.builds(Leaf, st.just(MEMBERS), st.just(Op.HAS), letters),
        st.builds(Leaf, st.just(MOMENT), st.sampled_from(sorted(RELATIVE)), st.integers(0, 3)),
        st.builds(Leaf, st.sampled_from((NUMERIC, ORDERED, TEXT, FLAG, MEMBERS, MOMENT)), st.just(Op.MISSING)),
    )


def tables(*, most: int = 5) -> st.SearchStrategy[Table]:
    """Draw tables over six facts of one type each, with few enough literals that a grid covers them."""
    when: st.SearchStrategy[Predicate] = _table_leaves()
    for _ in range(2):
        parts = st.lists(when, min_size=1, max_size=3)
        when = st.one_of(_table_leaves(), st.builds(AllOf, parts), st.builds(AnyOf, parts), st.builds(Not, when))

    def made(rules: Sequence[tuple[Predicate, str]], last: str) -> Table:
        named = [Rule(name=f"r{place}", when=one, then=then) for place, (one, then) in enumerate(rules)]
        return Table(name="what to do", rules=named, otherwise=Otherwise(then=last))

    rule = st.tuples(when, st.sampled_from(OUTCOMES))
    return st.builds(made, st.lists(rule, max_size=most), st.sampled_from(OUTCOMES))


GRID: dict[str, tuple[Any, ...]] = {
    NUMERIC: (None, *(half / 2 for half in range(-1, 10)), 2, 3),
    ORDERED: (None, "", "a", "aa", "b", "bb", "c", "d"),
    TEXT: (None, "", *LETTERS),
    FLAG: (None, True, False),
    MEMBERS: (None, *(frozenset(some) for some in ("", "a", "b", "c", "ab", "bc", "abc"))),
    MOMENT: (None, *(NOW + timedelta(days=half / 2) for half in range(-8, 9))),
}
"""Values of those facts."""

table_facts: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in GRID.items()}
).map(lambda facts: {**facts, "now": NOW})


def values_of(name: str, before: Any) -> tuple[Any, ...]:
    """Return the values to try instead of one: of a set, those with one member more or less."""
    if name != MEMBERS:
        return GRID[name]
    members = before or frozenset()
    return tuple(members ^ {letter} for letter in LETTERS)
