"""What files, webhooks and ESPs say: in any order, however often, and nobody brought back by it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import RegistryUnavailable
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.entries import AddressChanged, Consent, OptOut, Standing, Suppression, SuppressionKind
from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence
from lifecycle_mail.model.intake import Counted, Happened, Held, Joined, Known, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.profiles import Snapshot, fold, resolve
from lifecycle_mail.model.provenance import Actor, Through
from lifecycle_mail.policy.consent_rules import months_after
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import assert_withheld, days_ago, lifecycle, said
from tests.service.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NEWS,
    NOW,
    OFFERS,
    PROOF,
    SPRING,
    address,
    entries,
    fake,
    left,
    needs_confirmation,
    shelf,
    world,
)

ALL = Scope.all()
IMPORT = said(Actor.OPERATOR, through=Through.IMPORT, at=NOW - 9 * DAY, source="file:members.csv")

# --- any order, any number of times (F33, F34, F35) -----------------------------------------------------------------

PEOPLE = (
    Who("c1", parse_address("one@example.com")),
    Who("c1"),
    Who(None, parse_address("ONE@example.com")),
    Who("c2", parse_address("two@example.com")),
    Who(None, parse_address("three@example.com")),
    Who("c4", parse_address("shared@example.com")),
    Who("c5", parse_address("shared@example.com")),
    Who(None, parse_address("shared@example.com")),
    Who("c6"),
)
INSTANTS = tuple(NOW + hours * HOUR for hours in (-3000, -30, -1, 0, 1))
SCOPES = (ALL, Scope.list("offers"), Scope.list("news"))


def lefts() -> st.SearchStrategy[Left]:
    """Somebody is out: with an event id, with a time of change, or merely observed at receipt."""

    def make(who: Who, scope: Scope, at: int, how: str) -> Left:
        dated = how != "observed"
        when = INSTANTS[at] if dated else NOW
        event_id = f"{who.contact_id}/{who.address}/{scope}/{at}" if how == "event" else None
        provenance = said(Actor.ESP, at=when, through=Through.WEBHOOK, source="memory")
        return Left(who=who, scope=scope, provenance=provenance, event_id=event_id, dated=dated)

    how = st.sampled_from(["event", "dated", "observed"])
    return st.builds(make, st.sampled_from(PEOPLE), st.sampled_from(SCOPES), st.integers(0, 4), how)


def statements() -> st.SearchStrategy[Statement]:
    """Anything that a source may say. One thing said of one person has one content."""

    def held(who: Who, kind: SuppressionKind, at: int) -> Held:
        until = NOW + DAY if kind is SuppressionKind.PAUSE else None
        provenance = said(Actor.ESP, at=INSTANTS[at], through=Through.BOUNCE, source="memory")
        return Held(who=who, kind=kind, provenance=provenance, until=until)

    def joined(who: Who, to: str, at: int, standing: Standing) -> Joined:
        provenance = said(Actor.OPERATOR, at=INSTANTS[at], through=Through.IMPORT, source="file:x")
        return Joined(who=who, list=ListKey(to), provenance=provenance, standing=standing)

    def known(who: Who, tag: str) -> Known:
        return Known(who=who, fields={"spend": len(str(who))}, tags=frozenset({tag}), source="organic")

    def happened(who: Who, kind: EventKind, at: int, mail: str, named: bool) -> Happened:
        event_id = f"{who.contact_id}/{kind}/{at}/{mail}" if named else None
        return Happened(who=who, kind=kind, at=INSTANTS[at], mail=mail, event_id=event_id)

    who, at = st.sampled_from(PEOPLE), st.integers(0, 4)
    return st.one_of(
        lefts(),
        st.builds(held, who, st.sampled_from(SuppressionKind), at),
        st.builds(joined, who, st.sampled_from(["offers", "news"]), at, st.sampled_from(Standing)),
        st.builds(known, who, st.sampled_from(["a", "b"])),
        st.builds(happened, who, st.sampled_from(EventKind), at, st.sampled_from(["", "m1", "m2"]), st.booleans()),
        st.builds(lambda who, at: Counted(who=who, snapshot=Snapshot(taken_at=INSTANTS[at], mails=at)), who, at),
    )


def returner() -> Lifecycle:
    """Return a world in which c1 said no, the ESP was told, and c1 came back."""
    mail = lifecycle(OFFERS, NEWS, SPRING)
    mail.subscribe("one@example.com", OFFERS, proof=PROOF, now=NOW - 9 * DAY, contact_id="c1")
    mail.opt_out("c1", scope=ALL, now=NOW - 2 * DAY)
    mail.drain(now=NOW - 31 * HOUR)
    asked = needs_confirmation(mail.subscribe("one@example.com", OFFERS, proof=PROOF, now=NOW - 31 * HOUR))
    mail.confirm(asked.token, now=NOW - 2 * HOUR)
    return mail


def outcome(mail: Lifecycle) -> dict[str, object]:
    """Return all that is decided about everybody."""
    now = NOW + 2 * HOUR
    return {
        "contacts": list(mail.store.each()),
        "standings": [
            (one.id, to.key, mail.standing(one.id, to, now=now)) for one in mail.store.each() for to in (OFFERS, NEWS)
        ],
        "plan": [row.as_row() for row in mail.plan(SPRING, now=now)],
        "decisions": [row.as_row() for row in mail.decide(now=now)],
        "profiles": dict(mail.store.profiles([one.id for one in mail.store.each()])),
        "bound": [row.subject.person.opt_outs.keys() for row in mail.decide(now=now)],
    }


@settings(max_examples=120)
@given(st.lists(statements(), max_size=14), st.data())
def test_the_order_and_number_of_statements_make_no_difference(batch: list[Statement], data: st.DataObject) -> None:
    """Any permutation with any repetition gives the same contacts, standings, plans and decisions (F33, F34, F35)."""
    repeated = [*batch, *data.draw(st.lists(st.sampled_from(batch), max_size=5))] if batch else []
    shuffled = data.draw(st.permutations(repeated))
    one, other = returner(), returner()
    one.receive(batch, now=NOW)
    other.receive(shuffled, now=NOW)
    assert outcome(one) == outcome(other)


@settings(max_examples=60)
@given(st.lists(statements(), max_size=14))
def test_feeding_a_batch_twice_changes_nothing(batch: list[Statement]) -> None:
    """The second time there is nothing new: no entry, no event, no contact (F33, E2)."""
    mail = returner()
    mail.receive(batch, now=NOW)
    before, position = outcome(mail), mail.store.position()
    again = mail.receive(batch, now=NOW + HOUR)
    assert (0, 0, 0) == (again.contacts, again.entries, again.events)
    assert (before, position) == (outcome(mail), mail.store.position())


@settings(max_examples=60)
@given(st.lists(statements(), max_size=14))
def test_no_statement_brings_anybody_back(batch: list[Statement]) -> None:
    """Who was out of a list before a batch is out of it after it, whatever the batch says (O4, F30)."""
    mail = returner()
    mail.receive([left("bob", ALL, event_id="w")], now=NOW)
    addresses = [one.address for one in PEOPLE if one.address is not None and one.address.local != "shared"]
    mail.receive([Joined(who=Who(None, one), list=OFFERS.key, provenance=IMPORT) for one in addresses], now=NOW)
    out = (ListStanding.OUT_OF_ALL, ListStanding.OUT_OF_LIST)
    before = {
        (one.id, to.key) for one in mail.store.each() for to in (OFFERS, NEWS)
        if mail.standing(one.id, to, now=NOW) in out
    }  # fmt: skip
    mail.receive(batch, now=NOW)
    assert before <= {
        (one.id, to.key) for one in mail.store.each() for to in (OFFERS, NEWS)
        if mail.standing(one.id, to, now=NOW) in out
    }  # fmt: skip


EVENTS = st.lists(
    st.builds(
        lambda kind, hours, mail, evidence: EngagementEvent(
            contact_id=ContactId("c1"),
            kind=kind,
            at=NOW - hours * HOUR,
            mail=mail,
            evidence=evidence,
            link=str(evidence),
        ),
        st.sampled_from(EventKind),
        st.integers(0, 30),
        st.sampled_from(["", "m1", "m2", "m3"]),
        st.sampled_from(Evidence),
    ),
    max_size=14,
)


@settings(max_examples=120)
@given(EVENTS, st.data())
def test_events_in_instalments_fold_as_all_at_once(events: list[EngagementEvent], data: st.DataObject) -> None:
    """However they are cut, shuffled and repeated: one profile, which is that of a rebuild from all events (F34)."""
    shuffled = data.draw(st.permutations([*events, *events[:3]]))
    cut = data.draw(st.integers(0, len(shuffled)))
    mail = lifecycle(OFFERS)
    mail.receive([Known(who=Who("c1"))], now=NOW)
    new = mail.record(shuffled[:cut], now=NOW) + mail.record(shuffled[cut:], now=NOW)
    assert len({event.id for event in events}) == new
    rebuilt = fold(ContactId("c1"), resolve({event.id: event for event in events}.values()))
    found = mail.store.profiles([ContactId("c1")]).get(ContactId("c1"), fold(ContactId("c1"), []))
    assert rebuilt == found


# --- who is meant ---------------------------------------------------------------------------------------------------


def test_people_are_made_once_and_found_again() -> None:
    """By id, by address in any case, and by both, in one batch and over many."""
    mail = lifecycle(OFFERS)
    ada = parse_address("Ada@Example.com")
    batch: Sequence[Statement] = [
        Known(who=Who(None, parse_address("ada@example.com")), tags=frozenset({"x"})),
        Known(who=Who("ada", ada), fields={"spend": 1}),
        Known(who=Who("ada"), fields={"plan": "free"}),
    ]
    assert 1 == mail.receive(batch, now=NOW).contacts
    (one,) = mail.store.each()
    assert ("ada", {"spend": 1, "plan": "free"}, {"x"}) == (one.id, dict(one.fields), set(one.tags))
    assert 0 == mail.receive(batch, now=NOW).contacts
    assert "Ada@example.com" == str(mail.contact("ada").address)


def test_fields_are_read_as_declared() -> None:
    """`"100.00"` of a file is a number where the programme says so (L4)."""
    mail = Lifecycle.in_memory(programme=Programme(fields={"spend": FieldType.NUMBER}))
    mail.receive([Known(who=Who("ada"), fields={"spend": "100.00", "note": "7"})], now=NOW)
    assert {"spend": 100.0, "note": "7"} == dict(mail.contact("ada").fields)


def test_a_missing_value_removes_nothing() -> None:
    """A row that leaves something out says nothing about it."""
    mail = lifecycle(OFFERS)
    full = Known(
        who=Who("ada", parse_address(address("ada"))), fields={"spend": 1}, tags=frozenset({"x"}), source="organic",
        signed_up_at=NOW, timezone="Europe/Tallinn", locale="et",
    )  # fmt: skip
    mail.receive([full], now=NOW)
    before = mail.contact("ada")
    mail.receive([Known(who=Who("ada")), Known(who=Who(None, parse_address(address("ada"))))], now=NOW)
    assert before == mail.contact("ada")


def test_a_row_with_a_new_address_moves_the_contact() -> None:
    """A move by an import: consent stays behind and must be confirmed, opt-outs follow (O4)."""
    mail = world("ada", "bob")
    mail.opt_out("bob", scope=ALL, now=NOW - HOUR)
    moved = [Known(who=Who(one, parse_address(f"{one}@new.example.com"))) for one in ("ada", "bob")]
    mail.receive(moved, now=NOW)
    assert ListStanding.UNCONFIRMED is mail.standing("ada@new.example.com", OFFERS, now=NOW)
    assert ListStanding.OUT_OF_ALL is mail.standing("bob@new.example.com", OFFERS, now=NOW)
    assert [Actor.OPERATOR] * 2 == [change.provenance.actor for change in entries(mail, AddressChanged)]
    before = mail.store.position()
    mail.receive(moved, now=NOW + DAY)
    assert before == mail.store.position()


@pytest.mark.parametrize(
    "late",
    [
        Happened(who=Who("ada", parse_address(address("ada"))), kind=EventKind.OPENED, at=NOW, mail="spring:ada"),
        Left(who=Who("ada", parse_address(address("ada"))), scope=Scope.list("news"), provenance=said(Actor.ESP)),
        Held(
            who=Who("ada", parse_address(address("ada"))), kind=SuppressionKind.BOUNCE, provenance=said(Actor.ESP)
        ),
        Joined(who=Who("ada", parse_address(address("ada"))), list=NEWS.key, provenance=said(Actor.ESP)),
        Counted(who=Who("ada", parse_address(address("ada"))), snapshot=Snapshot(taken_at=NOW)),
    ],
    ids=lambda statement: type(statement).__name__,
)  # fmt: skip
def test_a_late_report_about_the_old_address_moves_nobody_back(late: Statement) -> None:
    """A report names the address that the mail went to; where the person lives now is not its business."""
    mail = world("ada")
    mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW)
    mail.receive([late], now=NOW + HOUR)
    assert "ada@new.example.com" == str(mail.contact("ada").address)
    assert 1 == len(entries(mail, AddressChanged))
    assert mail.plan("spring", now=NOW + HOUR)["ada"].sendable
    if isinstance(late, Left):
        assert ListStanding.OUT_OF_LIST is mail.standing("ada", NEWS, now=NOW + HOUR)
    if isinstance(late, Held):
        assert_bounced_at_the_old_address(mail)


def assert_bounced_at_the_old_address(mail: Lifecycle) -> None:
    """The bounce waits at the old address for whoever has it next."""
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW + DAY, contact_id="next")
    assert_withheld(mail.plan("spring", now=NOW + DAY), "next", reason="bounced")


def test_an_open_that_was_fetched_late_moves_nobody_back() -> None:
    """The same through the ESP: sent, moved, opened, fetched."""
    mail = world("ada")
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW + HOUR)
    fake(mail).happen(EventKind.OPENED, fake(mail).outbox[0], at=NOW + HOUR)
    mail.fetch(now=NOW + DAY)
    assert "ada@new.example.com" == str(mail.contact("ada").address)


@pytest.mark.parametrize("batches", [1, 2])
def test_a_shared_address_is_reported_and_a_no_still_binds(batches: int) -> None:
    """Only a person can place the statement; a no binds the address, whoever uses it (O4)."""
    mail = world()
    twins: list[Statement] = [
        Joined(who=Who(one, parse_address("home@example.com")), list=OFFERS.key, provenance=IMPORT)
        for one in ("c1", "c2")
    ]
    home = Who(None, parse_address("Home@example.com"))
    vague: list[Statement] = [
        Known(who=home, fields={"spend": 1}),
        Happened(who=home, kind=EventKind.OPENED, at=NOW),
        Left(who=home, scope=Scope.list("offers"), provenance=said(Actor.ESP)),
        Held(who=home, kind=SuppressionKind.COMPLAINT, provenance=said(Actor.ESP)),
    ]
    if batches == 1:
        report = mail.receive([*vague, *twins], now=NOW)
    else:
        mail.receive(twins, now=NOW)
        report = mail.receive(vague, now=NOW)
    assert vague == [statement for statement, _ in report.ambiguous]
    assert {("c1", "c2")} == {error.contact_ids for _, error in report.ambiguous}
    assert "4 ambiguous" in str(report)
    for one in ("c1", "c2"):
        assert ListStanding.OUT_OF_LIST is mail.standing(one, OFFERS, now=NOW)
        assert {} == dict(mail.contact(one).fields)
    assert {None} == {entry.subject.contact_id for entry in entries(mail, OptOut) + entries(mail, Suppression)}


def test_an_address_that_was_given_up_is_nobodys_in_the_same_batch() -> None:
    """Who moved away in a batch is not meant by its old address: what is said of that finds a new contact."""
    mail = world("ada")
    batch: list[Statement] = [
        Known(who=Who(None, parse_address(address("ada"))), tags=frozenset({"new owner"})),
        Known(who=Who("ada", parse_address("ada@new.example.com"))),
    ]
    together, apart = world("ada"), world("ada")
    together.receive(batch, now=NOW)
    for statement in reversed(batch):
        apart.receive([statement], now=NOW)
    assert list(apart.store.each()) == list(together.store.each())
    assert frozenset() == together.contact("ada").tags
    assert mail.store.position() < together.store.position()


# --- events ---------------------------------------------------------------------------------------------------------


def test_events_of_the_future_are_set_aside() -> None:
    """More than 24 hours ahead of receipt they count for nothing; on the mark they count (F64)."""
    mail = world("ada")
    at = [NOW + 24 * HOUR, NOW + 24 * HOUR + timedelta(microseconds=1), NOW + 3650 * DAY]
    batch = [Happened(who=Who("ada"), kind=EventKind.OPENED, at=when, mail="m") for when in at]
    report = mail.receive(batch, now=NOW)
    assert (1, 2) == (report.events, len(report.quarantined))
    assert at[1:] == [event.at for event in report.quarantined]
    assert set(report.quarantined) == set(mail.store.quarantined())
    assert 1 == len(mail.store.events_of(ContactId("ada")))
    assert 2 == len(mail.receive(batch, now=NOW).quarantined)
    assert 1 == mail.receive(batch[:2], now=NOW + DAY).events


def test_what_was_received_is_counted() -> None:
    """Statements, contacts, entries, events, duplicates: the report says what became of a batch."""
    mail = lifecycle(OFFERS)
    opened = Happened(who=Who("ada"), kind=EventKind.OPENED, at=NOW, mail="m")
    batch: list[Statement] = [Known(who=Who("ada")), opened, opened, left("bob", ALL, event_id="1")]
    report = mail.receive(batch, now=NOW)
    assert (4, 2, 1, 1, 1) == (
        report.statements, report.contacts, report.entries, report.events, report.duplicates,
    )  # fmt: skip
    assert "4 statements: 2 contacts, 1 entries, 1 events, 1 duplicates" == str(report)


def test_a_snapshot_speaks_for_the_time_before_our_own_events() -> None:
    """Counts of an export and our own events live in one profile, in either order."""
    counted = Counted(who=Who("ada"), snapshot=Snapshot(taken_at=days_ago(30), mails=12, last_open=days_ago(40)))
    opened = Happened(who=Who("ada"), kind=EventKind.OPENED, at=days_ago(1), mail="m")
    profiles = []
    orders: list[list[list[Statement]]] = [[[counted], [opened]], [[opened], [counted]], [[opened, counted]]]
    for batches in orders:
        mail = lifecycle(OFFERS)
        for batch in batches:
            mail.receive(batch, now=NOW)
        profiles.append(mail.store.profiles([ContactId("ada")])[ContactId("ada")])
    assert profiles[0] == profiles[1] == profiles[2]
    assert profiles[0].baseline == counted.snapshot
    assert 1 == profiles[0].count("opened")


def test_a_batch_that_cannot_be_written_changes_nothing() -> None:
    """All of it or none (F10)."""
    mail = world("ada")
    batch: list[Statement] = [
        left("ada", ALL, event_id="1"),
        Known(who=Who("bob")),
        Happened(who=Who("ada"), kind=EventKind.OPENED, at=NOW),
    ]
    for operation in ("put", "append", "admit", "save", "profiles"):
        before = mail.store.position()
        shelf(mail).fail(operation, RegistryUnavailable("disk full"))
        with pytest.raises(RegistryUnavailable):
            mail.receive(batch, now=NOW)
        assert before == mail.store.position()
        assert ["ada"] == [one.id for one in mail.store.each()]
        assert [] == mail.store.events_of(ContactId("ada"))
    assert 1 == mail.receive(batch, now=NOW).entries


# --- fetching -------------------------------------------------------------------------------------------------------


def test_news_of_the_esp_is_fetched_and_counted_once() -> None:
    """Opens and opt-outs come in; fetching again brings nothing."""
    mail = world("ada", "bob")
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    esp = fake(mail)
    esp.happen(EventKind.DELIVERED, esp.outbox[0], at=NOW)
    esp.happen(EventKind.OPENED, esp.outbox[0], at=NOW + MINUTE)
    esp.unsubscribe(parse_address(address("bob")), ALL, at=NOW + MINUTE)
    report = mail.fetch(now=NOW + HOUR)
    assert (2, 1) == (report.events, report.entries)
    assert ListStanding.OUT_OF_ALL is mail.standing("bob", OFFERS, now=NOW + HOUR)
    (sent,) = mail.store.profiles([ContactId("ada")])[ContactId("ada")].mails
    assert sent.opened is not None
    assert 0 == mail.fetch(now=NOW + DAY).statements


def test_news_is_not_lost_when_it_cannot_be_stored() -> None:
    """A fetch that failed is repeated, and the no that somebody said at the ESP is heard (F10, F32)."""
    mail = world("ada")
    fake(mail).unsubscribe(parse_address(address("ada")), ALL, at=NOW)
    shelf(mail).fail("append", RegistryUnavailable("disk full"))
    with pytest.raises(RegistryUnavailable):
        mail.fetch(now=NOW + MINUTE)
    mail.fetch(now=NOW + HOUR)
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW + HOUR)


def test_an_esp_without_reports_says_so() -> None:
    """Its webhooks are to be fed to `receive` (E1)."""
    from lifecycle_mail.errors import Misconfigured
    from lifecycle_mail.ports import Capabilities

    class Silent:
        name = "silent"
        capabilities = Capabilities.of((), otherwise="it posts webhooks")

    with pytest.raises(Misconfigured, match="webhooks"):
        world(esp=Silent()).fetch(now=NOW)
    assert 0 == world(esp=MemoryEsp()).fetch(now=NOW).statements


def test_an_imported_yes_counts_only_where_nothing_stands_against_it() -> None:
    """An import fills lists; who is out, or known there already, stays as they are (O4)."""
    mail = world("ada", "bob")
    mail.opt_out("bob", scope=ALL, now=NOW - HOUR)
    rows = [
        Joined(who=Who(one, parse_address(address(one))), list=OFFERS.key, provenance=IMPORT)
        for one in ("ada", "bob", "cem")
    ]
    mail.receive(rows, now=NOW)
    mail.receive([evolve(row, provenance=evolve(IMPORT, at=NOW)) for row in rows], now=NOW + DAY)
    plan = mail.plan("spring", now=NOW + DAY)
    assert ["ada", "cem"] == [one.contact_id for one in plan.recipients]
    assert_withheld(plan, "bob", reason="out-of-all")


def test_a_no_brings_the_first_address_of_a_known_contact() -> None:
    """Whoever is known by id alone is reachable from then on, and the log says where the address comes from."""
    mail = world()
    mail.receive([Known(who=Who("ada"))], now=NOW)
    mail.receive([left("ada", Scope.list("offers"), with_id=True)], now=NOW)
    assert address("ada") == mail.contact("ada").email
    assert [(None, "1:ada@example.com")] == [(one.old, one.subject.key) for one in entries(mail, AddressChanged)]


def test_another_spelling_is_no_other_address() -> None:
    """The contact is written as it was told last; for the log nothing changed (F61)."""
    mail = world("ada")
    mail.receive([Known(who=Who("ada", parse_address("Ada@Example.com")))], now=NOW)
    assert "Ada@example.com" == mail.contact("ada").email
    assert [] == entries(mail, AddressChanged)


def test_what_a_source_does_not_say_removes_nothing() -> None:
    """How and when they signed up, zone and language: the latest word counts, and silence is none."""
    mail = world()
    first = Known(who=Who("ada"), source="fair", signed_up_at=NOW - DAY, timezone="Europe/Tallinn", locale="et")
    mail.receive([first, Known(who=Who("ada"), tags=frozenset({"x"}))], now=NOW)

    def told() -> tuple[object, ...]:
        contact = mail.contact("ada")
        return contact.source, contact.signed_up_at, contact.timezone, contact.locale

    assert ("fair", NOW - DAY, "Europe/Tallinn", "et") == told()
    mail.receive([Known(who=Who("ada"), source="shop", signed_up_at=NOW, timezone="UTC", locale="en")], now=NOW)
    assert ("shop", NOW, "UTC", "en") == told()


def test_an_id_that_is_too_long_keeps_nobodys_no_out() -> None:
    """O1, F31: one event whose mail has 10,000 characters is refused with the reason; the rest of the batch gets in."""
    mail = world("ada", "bob")
    batch: list[Statement] = [
        Happened(who=Who("bob"), kind=EventKind.OPENED, at=NOW, mail="m" * 10_000, source="memory"),
        Left(who=Who("ada"), scope=Scope.all(), event_id="e" * 10_000, provenance=said(Actor.ESP, at=NOW)),
        Happened(who=Who("bob"), kind=EventKind.OPENED, at=NOW, mail="m1", source="memory"),
    ]
    received = mail.receive(batch, now=NOW)
    assert (1, 1) == (received.entries, received.events)
    assert [batch[0]] == [statement for statement, _ in received.refused]
    assert "10,000 characters, not 512" in str(received.refused[0][1])
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW)


@pytest.mark.parametrize("contact_id", ["x" * 10_000, "hmac:2025:zz"], ids=["too long", "like a hash"])
def test_a_no_with_an_id_that_is_none_binds_the_address(contact_id: str) -> None:
    """O1, F31: the id is refused with the reason, and whoever has the address is out."""
    mail = world("ada")
    no = Left(who=Who(contact_id, parse_address(address("ada"))), scope=Scope.all(), provenance=said(Actor.ESP, at=NOW))
    received = mail.receive([no], now=NOW)
    assert [no] == [statement for statement, _ in received.refused]
    assert 1 == received.entries
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW)


@pytest.mark.parametrize(
    ("told", "ends"),
    [(None, 24), (NOW + 3650 * DAY, 24), (IMPORT.at + DAY, None)],
    ids=["none", "too late", "earlier"],
)
def test_implied_consent_that_is_told_ends(told: datetime | None, ends: int | None) -> None:
    """R10: with the longest that a basis has, or before, where the source says so."""
    mail = world()
    who = Who("ada", parse_address(address("ada")))
    joined = Joined(who=who, list=OFFERS.key, standing=Standing.IMPLIED, provenance=IMPORT, expires_at=told)
    mail.receive([joined], now=NOW)
    expected = told if ends is None else months_after(IMPORT.at, ends)
    assert [expected] == [one.expires_at for one in entries(mail, Consent)]


def test_a_consent_that_names_no_list_keeps_no_no_out() -> None:
    """O1: what is wrong with one statement is told of that one; the noes of the batch get in."""
    mail = lifecycle()
    mail.subscribe(address("ada"), OFFERS, proof="form 7", contact_id="ada", now=NOW - DAY)
    wrong = Joined(who=Who("bob", parse_address(address("bob"))), list=ListKey("No Slug!"), provenance=IMPORT)
    received = mail.receive([wrong, left("ada", Scope.all())], now=NOW)
    assert [wrong] == [statement for statement, _ in received.refused]
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW)
