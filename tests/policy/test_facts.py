"""Each fact of the catalogue says what its sentence says, of people with a history and of people without one."""

import hashlib
from typing import Any

import pytest
from attrs import evolve

from lifecycle_mail.errors import UnknownName
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.entries import Standing, SuppressionKind
from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.instants import DAY, to_micros
from lifecycle_mail.model.lists import Frequency, Scope
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.profiles import WINDOW, Snapshot
from lifecycle_mail.policy.facts import (
    CATALOGUE,
    CATALOGUE_VERSION,
    FAMILIES,
    LEAST_GAP,
    Facts,
    FactType,
    check,
    fact_named,
)
from lifecycle_mail.policy.operators import Op
from lifecycle_mail.policy.predicates import Leaf, Predicate
from lifecycle_mail.policy.where import where
from tests.policy_strategies import (
    NOW,
    ago,
    asked,
    happened,
    held,
    joined,
    opened,
    said_no,
    sent,
    silent_mails,
    subject,
)

PINNED = ("1", "6dc6af5f9c25")
"""The version of the catalogue, and the digest of names and types that it stands for."""

N = to_micros(NOW)


def at(days: float) -> int:
    """Return the instant so many days before NOW, as facts hold it."""
    return N - round(days * DAY)


HISTORY = [
    sent(100, "a"),
    opened(99, "a"),
    sent(60, "b"),
    happened(EventKind.OPENED, 60, "b", evidence=Evidence.MACHINE),
    sent(50, "c"),
    happened(EventKind.CLICKED, 49, "c"),
    happened(EventKind.CONVERTED, 40, "c"),
    sent(30, "d", purpose=Purpose.RE_ENGAGEMENT),
    sent(20, "e", purpose=Purpose.RE_ENGAGEMENT),
    sent(10, "f", purpose=Purpose.LAST_CHANCE),
    sent(5, "g", purpose=Purpose.TRANSACTIONAL),
    sent(4, "h"),
    happened(EventKind.HARD_BOUNCED, 4, "h"),
]
ENTRIES: list[Any] = [
    joined("ann", "news", at=ago(300)),
    joined("ann", "club", standing=Standing.IMPORTED, at=ago(500)),
    joined("ann", "offers"),
    joined("ann", "old", standing=Standing.IMPLIED, expires_at=ago(0)),
    said_no("ann", Scope.list("offers")),
    asked("ann", "tips"),
    held("ann", SuppressionKind.BOUNCE),
    held("ann", SuppressionKind.COMPLAINT),
    held("ann", SuppressionKind.SUNSET, at=ago(45)),
    held("ann", SuppressionKind.PAUSE, until=ago(-1)),
    held("ann", SuppressionKind.ARCHIVE),
    held("ann", SuppressionKind.ERASURE),
]

ROWS: dict[str, tuple[Any, Any]] = {
    # fact: (of Ann, who has all of it; of Bob, of whom nothing is known)
    "now": (N, N),
    "has_address": (True, False),
    "email_domain": ("xn--strae-oqa.example", None),
    "source": ("contest", None),
    "timezone": ("europe/tallinn", None),
    "locale": ("et-ee", None),
    "tags": (frozenset({"vip"}), frozenset()),
    "signed_up_at": (at(400), None),
    "days_since_signup": (400.0, None),
    "frequency": ("weekly", None),
    "lists": (frozenset({"news", "club"}), frozenset()),
    "ever_lists": (frozenset({"news", "club", "offers", "old", "tips"}), frozenset()),
    "out_of_all": (False, False),
    "bounced": (True, False),
    "complained": (True, False),
    "sunset": (True, False),
    "engaged_since_sunset": (True, False),
    "paused": (True, False),
    "archived": (True, False),
    "erased": (True, False),
    "last_sent": (at(4), None),
    "last_open": (at(99), None),
    "last_click": (at(49), None),
    "last_conversion": (at(40), None),
    "last_engagement": (at(40), None),
    "days_since_sent": (4.0, None),
    "days_since_open": (99.0, None),
    "days_since_click": (49.0, None),
    "days_since_conversion": (40.0, None),
    "days_inactive": (40.0, None),
    "mails_tracked": (6, 0),
    "mails_since_engagement": (3, 0),
    "engagement_ratio": (None, None),
    "re_engagement_mails": (3, 0),
    "days_since_last_chance": (10.0, None),
    "machine_share": (0.5, None),
    "list_standing": (None, None),
    "already_sent": (None, None),
    "same_address": (None, None),
    "too_soon": (True, False),
    "tier": (None, None),
    # families, by example
    "field:Plan": ("pro", None),
    "field:2020_spend": (250, None),
    "field:renews": (N, None),
    "field:gone": (None, None),
    "opened_mails:3": (0, 0),
    "opened_mails:4": (1, 0),
    "opened_mails:3660": (2, 0),
    "clicked_mails:3660": (1, 0),
    "opened_share:4": (0.25, None),
    "mails_in_days:30": (2, 0),
    "mails_in_days:31": (3, 0),
    "rank:days_inactive": (None, None),
}


def ann() -> Facts:
    """Return the facts about somebody with a history."""
    return Facts(
        subject(
            "ann",
            address="Ann@straße.example",
            entries=_at_other_address(),
            events=HISTORY,
            fields={"Plan": "Pro", "2020_spend": 250, "renews": NOW},
            tags=["VIP"],
            source="Contest",
            timezone="Europe/Tallinn",
            locale="et-EE",
            frequency=Frequency.WEEKLY,
            signed_up_at=ago(400),
        )
    )


def _at_other_address() -> list[Any]:
    key = parse_address("Ann@straße.example").match_key()
    return [evolve(entry, subject=evolve(entry.subject, key=key)) for entry in ENTRIES]


def test_every_fact_has_a_row() -> None:
    """A fact without a row in this table is a fact that nobody has checked."""
    assert set(CATALOGUE) <= set(ROWS)
    assert set(FAMILIES) == {name.partition(":")[0] for name in ROWS if ":" in name}
    assert set(ROWS) <= {*CATALOGUE, *(name for name in ROWS if ":" in name)}


@pytest.mark.parametrize("name", ROWS)
def test_values(name: str) -> None:
    """Each fact is read off a contact with a history, and is missing or zero for one without."""
    rich, bare = ROWS[name]
    bob = Facts(subject("bob", address=None))
    for expected, found in ((rich, ann()[name]), (bare, bob[name])):
        assert (type(expected), expected) == (type(found), found)


@pytest.mark.parametrize("name", [name for name in ROWS if ROWS[name][0] is not None])
def test_types(name: str) -> None:
    """Each fact holds what its type says; a field is of its declared type."""
    if name.startswith("field:"):
        return
    value = ROWS[name][0]
    types: dict[FactType, tuple[type, ...]] = {
        FactType.FLAG: (bool,),
        FactType.NUMBER: (int, float),
        FactType.TEXT: (str,),
        FactType.INSTANT: (int,),
        FactType.SET: (frozenset,),
    }
    assert isinstance(value, types[fact_named(name).type])
    assert isinstance(value, bool) is (fact_named(name).type is FactType.FLAG)


def test_documented() -> None:
    """Every fact has a sentence, a type, a group, and its name where it is found."""
    for name, fact in {**CATALOGUE, **FAMILIES}.items():
        assert name == fact.name
        assert fact.doc.endswith(".")
        assert fact.doc[0].isupper()
        assert fact.group
        assert isinstance(fact.type, FactType)
    assert all(fact.takes for fact in FAMILIES.values())
    assert not any(fact.takes for fact in CATALOGUE.values())
    assert not CATALOGUE.keys() & FAMILIES.keys()


def test_version() -> None:
    """Raise CATALOGUE_VERSION when this fails: the catalogue is not the one that the version stands for (S12)."""
    rows = sorted(f"{fact.name} {fact.type} {fact.takes}" for fact in (*CATALOGUE.values(), *FAMILIES.values()))
    digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()[:12]
    assert PINNED == (CATALOGUE_VERSION, digest), "raise CATALOGUE_VERSION, then pin both here"


class TestOneByOne:
    """Facts whose rule has more sides than one row shows."""

    def test_signed_up_by_consent(self) -> None:
        """Without a date of the application, the first consent that was not imported counts."""
        entries = [
            joined("ann", "club", standing=Standing.IMPORTED, at=ago(500)),
            joined("ann", "news", at=ago(300)),
            joined("ann", "tips", at=ago(200)),
        ]
        assert at(300) == Facts(subject(entries=entries))["signed_up_at"]
        assert Facts(subject(entries=entries[:1]))["days_since_signup"] is None

    def test_out_of_all(self) -> None:
        """A no to all marketing stands until somebody comes back to any list (O2)."""
        no = said_no("ann", Scope.all())
        assert Facts(subject(entries=[no]))["out_of_all"]
        assert not Facts(subject(entries=[no, joined("ann", "news", cites=[no.id])]))["out_of_all"]
        assert not Facts(subject(entries=[said_no("ann", Scope.list("news"))]))["out_of_all"]

    @pytest.mark.parametrize(("days", "expected"), [(3.0, False), (2.9, True), (10.0, False)])
    def test_engaged_since_sunset(self, days: float, expected: bool) -> None:
        """Only a sign of interest after the sunset counts (S11)."""
        entries = [held("ann", SuppressionKind.SUNSET, at=ago(3))]
        events = [sent(20, "m"), opened(days, "m")]
        assert expected is Facts(subject(entries=entries, events=events))["engaged_since_sunset"]
        assert not Facts(subject(events=events))["engaged_since_sunset"]

    def test_pause_ends(self) -> None:
        """A pause is over on its date (P3)."""
        assert Facts(subject(entries=[held("ann", SuppressionKind.PAUSE, until=ago(-0.001))]))["paused"]
        assert not Facts(subject(entries=[held("ann", SuppressionKind.PAUSE, until=NOW)]))["paused"]

    def test_ratio(self) -> None:
        """The ratio compares the latest five mails with the five before."""
        ten = [sent(day, f"m{day}") for day in range(1, 11)]
        recent, before = [opened(0.5, "m1")], [opened(5.5, f"m{day}") for day in (6, 7, 8, 9)]
        assert 0.25 == Facts(subject(events=[*ten, *recent, *before]))["engagement_ratio"]
        assert Facts(subject(events=[*ten, *recent]))["engagement_ratio"] is None
        assert Facts(subject(events=[*ten[:9], *before[:3]]))["engagement_ratio"] is None
        assert 0.0 == Facts(subject(events=[*ten, *before]))["engagement_ratio"]

    def test_never_engaged(self) -> None:
        """Who never engaged is inactive since their first mail."""
        facts = Facts(subject(events=silent_mails([90, 60, 30])))
        assert 90.0 == facts["days_inactive"]
        assert 3 == facts["mails_since_engagement"] == facts["mails_tracked"]

    def test_receipts_are_no_silence(self) -> None:
        """Silence is counted from the first marketing mail that arrived, not from a receipt (S1, S10)."""
        receipt, bounced = sent(400, purpose=Purpose.TRANSACTIONAL), happened(EventKind.HARD_BOUNCED, 300, "d300")
        assert 20.0 == Facts(subject(events=[receipt, sent(300), bounced, sent(20)]))["days_inactive"]
        assert Facts(subject(events=[receipt]))["days_inactive"] is None

    def test_a_long_silence(self) -> None:
        """Silence is counted from the first mail, also where the window no longer holds it."""
        assert 99.0 == Facts(subject(events=silent_mails(map(float, range(99, 0, -1)))))["days_inactive"]

    def test_purchases_and_replies_count(self) -> None:
        """A reply or a purchase is a sign of interest; a machine's click is none (R18)."""
        mails = silent_mails([40, 30, 20])
        for kind in (EventKind.REPLIED, EventKind.CONVERTED, EventKind.CLICKED, EventKind.OPENED):
            assert 10.0 == Facts(subject(events=[*mails, happened(kind, 10, "d20")]))["days_inactive"]
        machine = happened(EventKind.CLICKED, 10, "d20", evidence=Evidence.MACHINE)
        assert 40.0 == Facts(subject(events=[*mails, machine]))["days_inactive"]

    def test_reports_are_no_mails(self) -> None:
        """Mails are counted, not reports of them: one mail reported sent twice is one mail (S2)."""
        events = [sent(9, "m"), sent(8, "m"), happened(EventKind.DELIVERED, 8, "m"), sent(7, "n")]
        assert 2 == Facts(subject(events=events))["mails_tracked"]

    def test_beyond_the_window(self) -> None:
        """Mails are counted beyond the window that a profile keeps, without those that failed."""
        mails = silent_mails([float(day) for day in range(1, WINDOW + 9)])
        assert WINDOW + 8 == Facts(subject(events=mails))["mails_tracked"]
        failed = [happened(EventKind.SOFT_BOUNCED, day, f"d{day}") for day in (1, 2, 39)]
        assert WINDOW + 5 == Facts(subject(events=[*mails, *failed]))["mails_tracked"]

    def test_a_last_chance_that_bounced(self) -> None:
        """A last chance that never arrived asked nobody, so that nobody failed to answer it (S10)."""
        mail = sent(30, "x", purpose=Purpose.LAST_CHANCE)
        bounce = happened(EventKind.SOFT_BOUNCED, 30, "x")
        assert 30.0 == Facts(subject(events=[mail]))["days_since_last_chance"]
        assert Facts(subject(events=[mail, bounce]))["days_since_last_chance"] is None
        earlier = sent(50, "w", purpose=Purpose.LAST_CHANCE)
        assert 50.0 == Facts(subject(events=[earlier, mail, bounce]))["days_since_last_chance"]

    def test_an_old_last_chance(self) -> None:
        """A last chance that has left the window is remembered."""
        mails = [sent(200, "x", purpose=Purpose.LAST_CHANCE), *silent_mails(map(float, range(1, WINDOW + 5)))]
        assert 200.0 == Facts(subject(events=mails))["days_since_last_chance"]

    @pytest.mark.parametrize("kind", [EventKind.OPENED, EventKind.CLICKED, EventKind.REPLIED, EventKind.CONVERTED])
    def test_an_answered_last_chance(self, kind: EventKind) -> None:
        """Any sign of interest answers the last chance, in whatever mail (S6)."""
        events = [sent(40, "m"), sent(30, "x", purpose=Purpose.LAST_CHANCE), happened(kind, 30, "m")]
        facts = Facts(subject(events=events))
        assert facts["days_since_last_chance"] is None
        assert 0 == facts["re_engagement_mails"]

    @pytest.mark.parametrize("frequency", [*Frequency, None], ids=str)
    def test_too_soon(self, frequency: Frequency | None) -> None:
        """The gap binds up to its length and not beyond; who chose none, or every mail, has none (P2)."""
        gap = LEAST_GAP.get(frequency or "", 0.0)
        inside = Facts(subject(events=[sent(gap - 0.01 if gap else 0)], frequency=frequency))
        beyond = Facts(subject(events=[sent(gap)], frequency=frequency))
        assert (gap > 0) is inside["too_soon"]
        assert not beyond["too_soon"]

    def test_a_clock_behind(self) -> None:
        """A mail stamped a little ahead of our clock withholds nothing from those who chose no frequency (P2)."""
        assert not Facts(subject(events=[sent(-0.001)]))["too_soon"]
        assert Facts(subject(events=[sent(-0.001)], frequency=Frequency.WEEKLY))["too_soon"]

    def test_transactional_mail_is_not_marketing(self) -> None:
        """A receipt neither counts as evidence nor against a frequency (O2)."""
        facts = Facts(subject(events=[sent(1, purpose=Purpose.TRANSACTIONAL)], frequency=Frequency.WEEKLY))
        assert facts["days_since_sent"] is None
        assert not facts["too_soon"]
        assert 0 == facts["mails_tracked"] == facts["mails_in_days:30"] == facts["mails_since_engagement"]
        assert at(1) == facts["last_sent"]

    def test_computed_once(self) -> None:
        """A fact is kept for the contact at hand; one that somebody fills in counts."""
        facts = ann()
        assert facts["lists"] is facts["lists"]
        facts["tier"] = "mine"
        assert "mine" == facts["tier"]

    def test_unknown(self) -> None:
        """A fact that nobody knows is refused, with near misses."""
        with pytest.raises(UnknownName, match="days_inactive"):
            ann()["days_inactiv"]


SNAPSHOT = Snapshot(
    taken_at=ago(10), last_open=ago(80), last_click=ago(90), last_sent=ago(12), first_sent=ago(400), mails=40,
    mails_30d=4, unopened_streak=9, opened_share=0.3,
)  # fmt: skip
SINCE: list[EngagementEvent] = [sent(8, "x"), sent(5, "y"), sent(11, "before")]


@pytest.mark.parametrize(
    ("name", "snapshot_alone", "events_alone", "both"),
    [
        ("last_open", at(80), None, at(80)),
        ("last_click", at(90), None, at(90)),
        ("last_engagement", at(80), None, at(80)),
        ("last_sent", at(12), at(5), at(5)),
        ("days_since_sent", 12.0, 5.0, 5.0),
        ("days_inactive", 80.0, 11.0, 80.0),
        ("mails_tracked", 40, 3, 42),
        ("mails_since_engagement", 9, 3, 11),
        ("opened_share:10", 0.3, 0.0, 0.0),
        ("mails_in_days:30", 0, 3, 3),
    ],
)
def test_snapshots(name: str, snapshot_alone: Any, events_alone: Any, both: Any) -> None:
    """What others counted speaks for the time up to its instant, our own mails for what came after."""
    found = [
        Facts(subject(baseline=SNAPSHOT))[name],
        Facts(subject(events=SINCE))[name],
        Facts(subject(baseline=SNAPSHOT, events=SINCE))[name],
    ]
    assert [snapshot_alone, events_alone, both] == found


class TestSnapshots:
    """The corners of what others counted."""

    def test_an_open_after_it(self) -> None:
        """A sign of interest after the snapshot ends its streak."""
        facts = Facts(subject(baseline=SNAPSHOT, events=[*SINCE, opened(6, "x")]))
        assert 1 == facts["mails_since_engagement"]
        assert 6.0 == facts["days_inactive"]

    def test_never_opened(self) -> None:
        """Without any open, inactivity counts from the first mail that somebody counted."""
        never = Snapshot(taken_at=NOW, first_sent=ago(200), mails=12, unopened_streak=12)
        facts = Facts(subject(baseline=never))
        assert (200.0, 12, 12) == (facts["days_inactive"], facts["mails_tracked"], facts["mails_since_engagement"])

    def test_fresh_thirty_days(self) -> None:
        """A count of thirty days is used at the very instant for which it is true."""
        fresh = Snapshot(taken_at=NOW, mails_30d=7)
        assert 7 == Facts(subject(baseline=fresh))["mails_in_days:30"]
        assert 0 == Facts(subject(baseline=fresh))["mails_in_days:29"]

    def test_nothing_known(self) -> None:
        """A snapshot that says nothing is no evidence."""
        assert 0 == Facts(subject(baseline=Snapshot(taken_at=NOW)))["mails_tracked"]


class TestCheck:
    """The check finds what can be true of nobody."""

    @pytest.mark.parametrize(
        ("predicate", "words"),
        [
            (Leaf("days_inactiv", Op.GT, 3), "no fact named 'days_inactiv'; did you mean days_inactive"),
            (Leaf("opened_mails", Op.GT, 3), "opened_mails without an argument"),
            (Leaf("opened_mails:0", Op.GT, 3), "opened_mails(0)"),
            (Leaf("rank:nothing", Op.LE, 3), "no fact named 'nothing'"),
            (where.days_inactive == "x", "days_inactive is a number"),
            (where.days_inactive == True, "is a number"),  # noqa: E712
            (where.days_inactive.in_last(days=3), "is a number"),
            (where.days_inactive.contains("x"), "is a number"),
            (where.days_inactive.is_in([1, "x"]), "is a number"),
            (where.sunset == 1, "is a flag"),
            (Leaf("sunset", Op.LT, 1), "is a flag"),
            (where.source > 3, "is a text"),
            (where.source.has("x"), "is a text"),
            (where.last_open > 3, "is a instant"),
            (where.last_open.startswith("x"), "is a instant"),
            (where.lists == "offers", "is a set"),
            (where.tags.contains("x"), "is a set"),
            (where.field("plan") > 3, "field:plan is a text"),
            (where.field("plna") == "x", "no field named 'plna'; did you mean plan"),
            (where.field("spend").has("x"), "field:spend is a number"),
            (where.field("vip") == "yes", "field:vip is a flag"),
            (where.field("renews") > 3, "field:renews is a instant"),
            (where.lists.has("ofers"), "no list named 'ofers'; did you mean offers"),
            (where.ever_lists.has("ofers"), "did you mean offers"),
        ],
        ids=range(24),
    )
    def test_found(self, predicate: Predicate, words: str) -> None:
        """Unknown facts, fields and lists, and values of the wrong type, are found with near misses."""
        fields = {"plan": FieldType.TEXT, "spend": FieldType.NUMBER, "vip": FieldType.FLAG, "renews": FieldType.INSTANT}
        (problem,) = check(predicate, fields=fields, lists=frozenset({ListKey("offers")}), path="$.here")
        assert words in problem.message
        assert "$.here" == problem.path

    def test_all_of_them(self) -> None:
        """Every leaf is checked, however deep."""
        wrong = Leaf("nope", Op.EQ, 1)
        assert 3 == len(list(check(~(wrong | ~(wrong & where.sunset)) & wrong)))

    @pytest.mark.parametrize(
        "predicate",
        [
            where.field("anything") > 3,
            where.lists.has("anything"),
            where.tags.has("anything"),
            where.days_inactive.is_missing() | where.lists.is_missing(),
            where.days_inactive.is_in([]),
            where.last_open.is_in([NOW]) | (where.last_open >= NOW),
            where.source.is_in(["a"]) | (where.source < "b"),
            where.sunset != True,  # noqa: E712
            where.sunset.is_in([True]),
            where.top(3, by=where.field("spend")),
        ],
        ids=range(10),
    )
    def test_fine(self, predicate: Predicate) -> None:
        """What can be true is let through; where nothing is declared, any field and list goes."""
        assert [] == list(check(predicate))
