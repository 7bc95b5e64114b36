"""Archiving: out of the active records, still suppressed, and back from one document (O5, S11)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import AmbiguousAddress, ConsentRefused, InvalidDocument, LiftRefused, UnknownName
from lifecycle_mail.model.addresses import MatchKey, parse_address
from lifecycle_mail.model.answers import CancellationReason, DriftReason
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import AddressChanged, Lift, OptOut, Suppression, SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.instants import to_micros
from lifecycle_mail.model.intake import Counted, Happened, Held, Joined, Known, Left, Who
from lifecycle_mail.model.lists import Frequency, Scope
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.profiles import EngagementProfile, Snapshot
from lifecycle_mail.model.provenance import Actor, Through
from lifecycle_mail.policy.facts import Facts
from lifecycle_mail.service import Archived, Lifecycle
from lifecycle_mail.testing import assert_sendable, assert_withheld, event, said
from lifecycle_mail.testing.stores import PEPPERS
from lifecycle_mail.testing.stores.answers import answer
from tests.service.worlds import (
    DAY,
    HOUR,
    NEWS,
    NOW,
    OFFERS,
    PROOF,
    SPRING,
    address,
    entries,
    mailed,
    needs_confirmation,
    world,
)
from tests.strategies import histories

ADA, ANN = ContactId("ada"), ContactId("ann")
LATER = NOW + 300 * DAY
GONE = "moved to the archive with the year 2025"


ANSWERED = [
    answer("ada", CancellationReason.OTHER, CancellationReason.TECHNICAL, text="it broke\n\N{SNOWMAN}", tool="none"),
    answer("ada", question="drift", reasons=[DriftReason.TOO_BUSY], about="news", at=NOW + HOUR / 2),
]
"""What ada said of why she leaves."""


def archived_world(**options: Any) -> tuple[Lifecycle, dict[str, Any]]:
    """Return a world in which ada, who has a history, was archived, and the document, read back from JSON."""
    mail = world("ada", "bob", **options)
    mail.update("ada", {"spend": 250, "since": NOW - 9 * DAY, "vip": True}, now=NOW, tags=["b", "a"])
    mail.update("ada", {}, now=NOW, frequency=Frequency.MONTHLY)
    mail.send(mail.plan(SPRING, now=NOW - HOUR), now=NOW - HOUR)
    mail.record(
        [
            event("ada", EventKind.SENT, at=NOW - 3 * DAY, mail="m1"),
            event("ada", EventKind.OPENED, at=NOW - 2 * DAY, mail="m1"),
            event("ada", EventKind.SENT, at=NOW - DAY, mail="m2"),
        ],
        now=NOW,
    )
    mail.opt_out("ada", scope=Scope.list("news"), now=NOW, text="too much news", evidence="192.0.2.9")
    mail.store.put_answers(ANSWERED)
    done = mail.archive("ada", by=Actor.OPERATOR, now=NOW + HOUR, text=GONE)
    return mail, json.loads(json.dumps(done.document))


def test_who_is_archived_is_out_of_the_active_records() -> None:
    """Contact, profile and events are gone from the store; the log and what was sent stay (O1, O5)."""
    mail, _ = archived_world()
    with pytest.raises(UnknownName):
        mail.contact("ada")
    assert {} == mail.store.profiles([ADA])
    assert [] == list(mail.store.events_of(ADA))
    assert ["bob"] == [row.contact_id for row in mail.plan(SPRING, now=LATER)]
    assert 1 == len([one for one in entries(mail, OptOut) if one.subject.contact_id == "ada"])
    assert 1 == len(mail.store.claims_of(ADA))
    with pytest.raises(UnknownName):
        mail.archive("ada", by=Actor.OPERATOR, now=LATER, text="again")


def test_the_document_is_where_it_is_safe_before_anything_is_gone() -> None:
    """What keeps it is called in the transaction: where it fails nobody is archived, and nothing is said (O5, F9)."""
    mail, kept = world("ada"), list[Archived]()

    def fail(_: Archived) -> None:
        assert mail.store.position() > before
        raise OSError("disk full")

    before = mail.store.position()
    with pytest.raises(OSError, match="disk full"):
        mail.archive("ada", by=Actor.OPERATOR, now=NOW, text=GONE, keep=fail)
    assert (before, "ada") == (mail.store.position(), mail.contact("ada").id)
    done = mail.archive("ada", by=Actor.OPERATOR, now=NOW, text=GONE, keep=kept.append)
    assert [done] == kept


def test_the_document_tells_all() -> None:
    """It holds the contact, profile, events, log in words and claims, with versions, as plain JSON data."""
    mail, document = archived_world()
    assert ("lifecycle_mail archive", 2) == (document["format"], document["version"])
    assert ("operator", GONE, "1") == (document["by"], document["text"], document["match"])
    assert mail.store.position() - 1 == document["position"]  # but for the archive itself
    assert {
        "id": "ada",
        "address": "ada@example.com",
        "fields": {"since": {"instant": "2026-02-21T09:00:00+00:00"}, "spend": 250, "vip": True},
        "tags": ["a", "b"],
        "source": None,
        "signed_up_at": "2026-03-01T09:00:00+00:00",
        "timezone": None,
        "locale": None,
        "frequency": "monthly",
    } == document["contact"]
    assert ["sent", "opened", "sent", "sent"] == [one["kind"] for one in document["events"]]
    assert 32 == document["profile"]["window"]
    assert ["spring:ada", "m2", "m1"] == [one["id"] for one in document["profile"]["mails"]]
    assert [
        "express consent to offers, by contact through sign-up, told by app",
        "no to list:news, by contact through preference-page, told by app",
    ] == [one["said"] for one in document["log"]]
    assert ("too much news", "192.0.2.9") == (document["log"][1]["text"], document["log"][1]["evidence"])
    assert [("spring", "handed-off", "offers", "1:ada@example.com", None)] == [
        (one["campaign"], one["state"], one["leaves_list"], one["address"], one["opted_out_at"])
        for one in document["claims"]
    ]


def test_every_kind_of_entry_has_words() -> None:
    """Whatever the log says of somebody stands in the document, in order."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.all(), now=NOW)
    mail.drain(now=NOW + timedelta(minutes=1))
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    mail.change_address("ada", "ada@two.example.com", by=Actor.CONTACT, now=NOW + HOUR)
    mail.pause("ada", until=NOW + DAY, now=NOW + HOUR)
    mail.suppress("ada", "sunset", provenance=said(Actor.POLICY), now=NOW + HOUR)
    mail.lift("ada", "sunset", by=Actor.OPERATOR, text="she wrote", now=NOW + HOUR)
    log = mail.archive("ada", by=Actor.OPERATOR, now=NOW + 2 * HOUR, text=GONE).document["log"]
    no, sunset = entries(mail, OptOut)[0].id, [one.id for one in entries(mail, Suppression)][1]
    assert [
        "express consent to offers",
        "no to all",
        f"began to tell of {no}",
        f"told of {no}",
        f"asked to join offers, which would override {no}",
        f"confirmed consent to offers, which overrides {no}",
        "address changed from 1:ada@example.com",
        "suppressed: pause until 2026-03-03T09:00:00+00:00",
        "suppressed: sunset",
        f"lifted {sunset}",
    ] == [one["said"].partition(", by ")[0] for one in log]
    assert len({one["id"] for one in log}) == len(log)


def test_what_another_said_at_the_same_address_is_theirs() -> None:
    """The document of one contact holds no entry of another who shares the address."""
    mail = world()
    mail.subscribe("home@example.com", OFFERS, proof="eve's form", now=NOW, contact_id="eve")
    mail.receive([Known(who=Who("dan", parse_address("home@example.com")))], now=NOW)
    mail.opt_out("home@example.com", scope=Scope.list("offers"), now=NOW)
    with pytest.raises(AmbiguousAddress):
        mail.archive("home@example.com", by=Actor.OPERATOR, now=NOW, text=GONE)
    log = mail.archive("dan", by=Actor.OPERATOR, now=NOW, text=GONE).document["log"]
    assert ["no to list:offers"] == [one["said"].partition(", by ")[0] for one in log]


def test_the_document_tells_what_they_answered_and_it_counts_still() -> None:
    """In order; the answers stay in the registry as the log does, so that last month's numbers do not change (O5)."""
    mail, document = archived_world()
    assert ANSWERED == list(mail.store.answers()) == list(mail.store.answers_of([ADA])[ADA])
    assert [
        {
            "contact_id": "ada", "question": "cancellation", "reasons": ["other", "technical"], "about": "pro",
            "campaign": None, "text": "it broke\n\N{SNOWMAN}", "tool": "none", "improve": "",
            "asked_at": "2026-03-01T09:00:00+00:00", "at": "2026-03-02T09:00:00+00:00",
        },
        {
            "contact_id": "ada", "question": "drift", "reasons": ["too-busy"], "about": "news", "campaign": None,
            "text": "", "tool": "", "improve": "", "asked_at": "2026-03-01T09:00:00+00:00",
            "at": "2026-03-02T09:30:00+00:00",
        },
    ] == document["answers"]  # fmt: skip


# --- still suppressed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [Who("ada", parse_address(address("ada"))), Who(None, parse_address(address("ada")))])
def test_an_import_brings_a_contact_who_is_withheld(who: Who) -> None:
    """Under the old id or a new one, whoever is imported again is archived until it ends (O5)."""
    mail, _ = archived_world()
    imported = said(Actor.OPERATOR, at=LATER, through=Through.IMPORT, source="file:again.csv")
    mail.receive([Joined(who=who, list=ListKey("offers"), provenance=imported)], now=LATER)
    plan = mail.plan(SPRING, now=LATER)
    assert_withheld(plan, mail.contact(address("ada")).id, reason="archived")
    mail.send(plan, now=LATER)
    assert ["ada", "bob"] == mailed(mail)  # from before


BY_ID, BY_ADDRESS = Who("ada"), Who(None, parse_address(address("ada")))


@pytest.mark.parametrize("who", [BY_ID, BY_ADDRESS, Who("ada", parse_address(address("ada")))], ids=str)
def test_what_is_reported_late_brings_nobody_back(who: Who) -> None:
    """An open, a no and a bounce of a mail from before: they count and bind, and nobody is a contact again (O5)."""
    mail, document = archived_world()
    opened = Happened(who=who, kind=EventKind.OPENED, at=LATER, mail="m2", source="esp", event_id="e1")
    no = Left(who=who, scope=Scope.all(), event_id="e2", provenance=said(Actor.ESP, at=LATER, through=Through.WEBHOOK))
    bounce = Held(
        who=who, kind=SuppressionKind.BOUNCE, event_id="e3", provenance=said(Actor.ESP, at=LATER, source="esp")
    )
    before = sum(one.count for one in mail.store.tally())
    received = mail.receive([opened, no, bounce], now=LATER)
    assert (0, 1, 2, 0) == (received.contacts, received.events, received.entries, len(received.ambiguous))
    assert ["bob"] == [one.id for one in mail.store.each()]
    assert before < sum(one.count for one in mail.store.tally())
    assert {MatchKey("1:ada@example.com")} == {one.subject.key for one in entries(mail, OptOut)[1:]}
    mail.restore(document, by=Actor.OPERATOR, text="a mistake", now=LATER)
    assert to_micros(LATER) == mail.store.profiles([ADA])[ADA].last["opened"]
    assert "out-of-all" == mail.standing("ada", "offers", now=LATER)
    assert 1 == mail.plan(SPRING, now=LATER).withheld["bounced"]


def test_of_two_who_were_archived_at_one_address_neither_is_chosen() -> None:
    """A report that names the address alone is a person's to place; a no in it binds the address (O5)."""
    mail = world("ada")
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW - DAY, contact_id="eve")
    for one in ("ada", "eve"):
        mail.archive(one, by=Actor.OPERATOR, now=NOW, text=GONE)
    no = Left(who=BY_ADDRESS, scope=Scope.all(), event_id="e", provenance=said(Actor.ESP, at=LATER))
    opened = Happened(who=BY_ADDRESS, kind=EventKind.OPENED, at=LATER)
    received = mail.receive([no, opened], now=LATER)
    assert (0, 2, 1) == (received.contacts, len(received.ambiguous), received.entries)
    assert [] == list(mail.store.each())
    assert Scope.all() in mail.store.marks([MatchKey("1:ada@example.com")])[MatchKey("1:ada@example.com")].noes


def test_who_came_back_after_an_archive_is_a_contact_like_any() -> None:
    """Their archive has ended: what is reported under another address of theirs makes them known as it does others."""
    mail, _ = archived_world()
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=LATER, contact_id="ada")
    received = mail.receive([Happened(who=BY_ID, kind=EventKind.OPENED, at=LATER, event_id="e")], now=LATER)
    assert (0, 1) == (received.contacts, received.events)
    assert ["ada", "bob"] == [one.id for one in mail.store.each()]


def test_a_sign_up_of_their_own_ends_it() -> None:
    """Who comes back by their own act is back, as after a sunset (S11)."""
    mail, _ = archived_world()
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=LATER, contact_id="ada2")
    assert_sendable(mail.plan("spring", now=LATER), "ada2")


def test_a_sign_up_that_must_be_confirmed_ends_it_with_the_confirmation() -> None:
    """Anybody may type an address: only the click shows that it was the person (O4)."""
    mail, _ = archived_world()
    asked = needs_confirmation(mail.subscribe(address("ada"), NEWS, proof=PROOF, now=LATER, contact_id="ada2"))
    assert [] == [one for one in entries(mail, Lift) if one.provenance.at >= LATER]
    mail.confirm(asked.token, now=LATER + HOUR)
    (lift,) = [one for one in entries(mail, Lift) if one.provenance.at >= LATER]
    assert [SuppressionKind.ARCHIVE] == [one.kind for one in entries(mail, Suppression) if one.id in lift.cites]


# --- and back --------------------------------------------------------------------------------------------------------


def decided(mail: Lifecycle, at: Any) -> dict[str, Any]:
    """Return every fact that decisions about ada rest on, and the decisions."""
    row = next(row for row in mail.decide(now=at) if row.contact_id == "ada")
    facts = Facts(row.subject)
    names = ("days_inactive", "mails_tracked", "mails_since_engagement", "opened_mails:10", "days_since_open")
    return {name: facts[name] for name in names} | {"tier": row.tier.outcome, "action": row.action.outcome}


def test_restoring_brings_everything_back() -> None:
    """Contact, fields and profile are as they were, what is decided is the same, and mail goes again (O5)."""
    same, _ = archived_world()
    mail, document = archived_world()
    same.restore(document, by=Actor.CONTACT, now=NOW + 2 * HOUR)
    before = world("ada", "bob")
    restored = mail.restore(document, by=Actor.OPERATOR, now=LATER, text="she is a customer again")
    assert restored == mail.contact("ada") == same.contact("ada")
    assert {"spend": 250, "since": NOW - 9 * DAY, "vip": True} == dict(restored.fields)
    assert {"a", "b"} == set(restored.tags)
    assert (Frequency.MONTHLY, NOW - DAY) == (restored.frequency, restored.signed_up_at)
    assert decided(mail, LATER) == decided(same, LATER)
    profile = mail.store.profiles([ADA])[ADA]
    assert ["spring:ada", "m2", "m1"] == [one.id for one in profile.mails]
    assert (1, 3) == (profile.count("opened"), profile.count("sent"))
    assert_withheld(mail.plan("spring", now=LATER), "ada", reason="already-sent")
    assert mail.standing("ada", NEWS, now=LATER) == "out-of-list"  # the no stands
    assert before.contact("bob") == mail.contact("bob")


def test_another_registry_takes_the_events_too() -> None:
    """Where the events were never seen they come in, and the profile is folded from them."""
    _, document = archived_world()
    other = world("bob")
    other.restore(document, by=Actor.CONTACT, now=LATER)
    assert 4 == len(other.store.events_of(ADA))
    profile = other.store.profiles([ADA])[ADA]
    assert (3, None) == (profile.count("sent"), profile.baseline)
    assert 4 == sum(tally.count for tally in other.store.tally())
    other.restore(document, by=Actor.CONTACT, now=LATER)
    assert profile == other.store.profiles([ADA])[ADA]


def test_another_registry_takes_the_answers_too() -> None:
    """Once, however often it is restored; where a later answer to the same mail is there, that one holds (F48)."""
    _, document = archived_world()
    other = world("bob")
    for _ in range(2):
        other.restore(document, by=Actor.CONTACT, now=LATER)
        assert ANSWERED == list(other.store.answers())
    same, document = archived_world()
    changed = evolve(ANSWERED[0], text="on second thoughts", at=NOW + 2 * HOUR)
    same.store.put_answers([changed])
    same.restore(document, by=Actor.CONTACT, now=LATER)
    assert [ANSWERED[1], changed] == list(same.store.answers())


def test_a_document_of_before_there_were_answers_is_restored() -> None:
    """It may be the only copy there is: the first version of the document is read as ever."""
    mail, document = archived_world()
    del document["answers"]
    assert "ada" == mail.restore(document | {"version": 1}, by=Actor.CONTACT, now=LATER).id
    assert 4 == len(document["events"])


def test_nothing_is_counted_twice() -> None:
    """The counts by day are those of before: what was seen once is not seen again (O6)."""
    mail, document = archived_world()
    before = list(mail.store.tally())
    mail.restore(document, by=Actor.CONTACT, now=LATER)
    assert before == list(mail.store.tally())


@settings(max_examples=50, deadline=None)
@given(histories(), st.booleans())
def test_a_late_event_after_the_restoration_loses_nothing(history: list[Any], imported: bool) -> None:
    """Where an event makes it necessary to count anew, what was known before still speaks for that time."""
    mail = world()
    mail.receive([Known(who=Who("ann", parse_address("ann@example.com")))], now=NOW)
    if imported:
        snapshot = Snapshot(taken_at=NOW - 90 * DAY, last_open=NOW - 91 * DAY, mails=4)
        mail.receive([Counted(who=Who("ann"), snapshot=snapshot)], now=NOW)
    mail.record(history, now=NOW)
    before = mail.store.profiles([ANN]).get(ANN)
    document = mail.archive("ann", by=Actor.OPERATOR, now=NOW, text=GONE).document
    mail.restore(document, by=Actor.CONTACT, now=NOW + HOUR)
    again = mail.store.profiles([ANN]).get(ANN)
    assert before == again
    late = [event("ann", EventKind.DEFERRED, at=NOW - days * DAY, mail="old") for days in (400, 401)]
    assert 2 == mail.record(late, now=NOW + HOUR)
    grown = mail.store.profiles([ANN])[ANN]
    known = before or EngagementProfile(contact_id=ANN)
    first = to_micros(late[0].at)
    assert {**known.last, "deferred": max(known.last.get("deferred", first), first)} == grown.last
    assert (known.count("opened"), known.baseline) == (grown.count("opened"), grown.baseline)
    assert known.count("deferred") + 2 == grown.count("deferred")


def test_what_was_imported_meanwhile_counts_first() -> None:
    """A newer field, a new event and a new tag stay; what only the document knows comes back."""
    mail, document = archived_world()
    who = Who("ada", parse_address(address("ada")))
    mail.receive([Known(who=who, fields={"spend": 300}, tags=frozenset({"c"}), locale="et")], now=LATER)
    mail.record([event("ada", EventKind.SENT, at=LATER, mail="m9")], now=LATER)
    restored = mail.restore(document, by=Actor.CONTACT, now=LATER)
    assert (300, True, "et") == (restored.fields["spend"], restored.fields["vip"], restored.locale)
    assert {"a", "b", "c"} == set(restored.tags)
    profile = mail.store.profiles([ADA])[ADA]
    assert (["m9", "spring:ada", "m2", "m1"], 4) == ([one.id for one in profile.mails], profile.count("sent"))


def test_what_happened_meanwhile_is_added() -> None:
    """Of the same kinds of events, later ones are no sign that the earlier ones are known."""
    mail, document = archived_world()
    mail.receive([Known(who=Who("ada", parse_address(address("ada"))))], now=LATER)
    mail.record([event("ada", kind, at=LATER, mail="m9") for kind in ("sent", "opened")], now=LATER)
    mail.restore(document, by=Actor.CONTACT, now=LATER)
    profile = mail.store.profiles([ADA])[ADA]
    assert (4, 2) == (profile.count("sent"), profile.count("opened"))
    mail.restore(document, by=Actor.CONTACT, now=LATER)
    assert profile == mail.store.profiles([ADA])[ADA]


def test_the_newest_count_of_somebody_else_is_kept() -> None:
    """Of the snapshot in the document and one that came since, the later taken counts."""
    for days, newest in ((-9, 4), (9, 7)):
        mail = world("ada")
        before = Snapshot(taken_at=NOW, mails=4)
        mail.receive([Counted(who=Who("ada"), snapshot=before)], now=NOW)
        mail.record([event("ada", at=NOW - DAY)], now=NOW)
        document = mail.archive("ada", by=Actor.OPERATOR, now=NOW, text=GONE).document
        since = Snapshot(taken_at=NOW + days * DAY, mails=7)
        mail.receive([Counted(who=Who("ada", parse_address(address("ada"))), snapshot=since)], now=LATER)
        for _ in range(2):
            mail.restore(document, by=Actor.CONTACT, now=LATER)
            baseline = mail.store.profiles([ADA])[ADA].baseline
            assert newest == (baseline.mails if baseline else None)


def test_restoring_twice_changes_nothing() -> None:
    """The second time there is no archive to end, and nothing is counted again."""
    mail, document = archived_world()
    mail.restore(document, by=Actor.CONTACT, now=LATER)
    first = (mail.contact("ada"), mail.store.profiles([ADA])[ADA], mail.store.position())
    mail.restore(document, by=Actor.CONTACT, now=LATER + DAY)
    assert first == (mail.contact("ada"), mail.store.profiles([ADA])[ADA], mail.store.position())


def test_an_operator_needs_a_reason_and_a_policy_may_not() -> None:
    """As for every lift of an archive; where it is refused, nothing is restored (O5)."""
    mail, document = archived_world()
    for by, text in ((Actor.OPERATOR, " "), (Actor.POLICY, "because"), (Actor.ESP, "because")):
        with pytest.raises(LiftRefused):
            mail.restore(document, by=by, now=LATER, text=text)
        with pytest.raises(UnknownName):
            mail.contact("ada")
    assert {} == mail.store.profiles([ADA])
    mail.restore(document, by=Actor.OPERATOR, now=LATER, text="by mistake")
    assert address("ada") == mail.contact("ada").email


@pytest.mark.parametrize("who", ["ada", address("ada")])
def test_an_erased_contact_is_not_restored(who: str) -> None:
    """The document may lie somewhere still: nothing of it comes back (O5, F62)."""
    mail, document = archived_world(peppers=PEPPERS)
    mail.erase(who, by=Actor.CONTACT, now=LATER)
    position = mail.store.position()
    with pytest.raises(ConsentRefused, match="erased"):
        mail.restore(document, by=Actor.CONTACT, now=LATER)
    assert position == mail.store.position()
    assert ["bob"] == [one.id for one in mail.store.each()]


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("format",), "something else", "$.format"),
        (("version",), 3, "$.version"),
        (("version",), 0, "$.version"),
        (("version",), None, "$.version"),
        (("contact",), None, "$.contact"),
        (("contact", "address"), "not an address", "$.contact.address"),
        (("contact", "tags"), "ab", "$.contact.tags"),
        (("contact", "fields", "spend"), [1], "$.contact.fields['spend']"),
        (("contact", "timezone"), "Mars/Olympus", "$.contact"),
        (("profile",), None, "$.profile"),
        (("profile", "contact_id"), "bob", "$.profile.contact_id"),
        (("events", 0, "contact_id"), "bob", "$.events[0].contact_id"),
        (("events", 0, "kind"), "sneezed", "$.events[0].kind"),
        (("events", 1, "at"), "yesterday", "$.events[1].at"),
        (("answers", 0, "contact_id"), "bob", "$.answers[0].contact_id"),
        (("answers", 0, "contact_id"), "", "$.answers[0].contact_id"),
        (("answers", 0, "reasons"), ["sneezed"], "$.answers[0]"),
        (("answers", 0, "reasons"), [7], "$.answers[0].reasons[0]"),
        (("archived_at",), 7, "$.archived_at"),
        (("surprise",), 1, "$.surprise"),
    ],
)
def test_a_document_that_is_not_whole_is_refused(path: tuple[Any, ...], value: Any, problem: str) -> None:
    """With every problem and its place; nothing of it is written."""
    mail, document = archived_world()
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    with pytest.raises(InvalidDocument) as caught:
        mail.restore(document, by=Actor.CONTACT, now=LATER)
    assert [problem] == [one.path for one in caught.value.problems]
    with pytest.raises(UnknownName):
        mail.contact("ada")


def test_all_problems_are_listed_at_once() -> None:
    """A document with several of them names them all."""
    mail, document = archived_world()
    del document["contact"]["id"]
    document["events"][0]["at"] = "never"
    document["events"][2]["source"] = 5
    with pytest.raises(InvalidDocument) as caught:
        mail.restore(document, by=Actor.CONTACT, now=LATER)
    assert 3 == len(caught.value.problems)
    with pytest.raises(InvalidDocument):
        mail.restore([], by=Actor.CONTACT, now=LATER)  # type: ignore[arg-type]


def test_many_are_archived_one_by_one() -> None:
    """Whoever wants to archive many iterates; each is a transaction of its own."""
    mail = world("ada", "bob", "cleo")
    documents = {one.id: mail.archive(one.id, by=Actor.OPERATOR, now=NOW, text=GONE) for one in mail.store.each()}
    assert 0 == mail.store.count()
    assert {"ada", "bob", "cleo"} == {one.document["contact"]["id"] for one in documents.values()}
    assert 3 == len([one for one in entries(mail, Suppression) if one.kind is SuppressionKind.ARCHIVE])


# --- what is kept beside the log follows from the log ----------------------------------------------------------------


def test_the_first_address_of_a_known_contact_is_in_the_log() -> None:
    """A sign-up that gives a contact their address is a change of address by the person, so that it can be replayed."""
    mail = world()
    mail.receive([Known(who=Who("ada"))], now=NOW - DAY)
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="ada")
    (moved,) = entries(mail, AddressChanged)
    assert (None, "1:ada@example.com", Actor.CONTACT) == (moved.old, moved.subject.key, moved.provenance.actor)
    assert_sendable(mail.plan("spring", now=NOW), "ada")
    assert None is mail.as_of(NOW - HOUR).person("ada").key
    assert "1:ada@example.com" == mail.as_of(NOW).person("ada").key


def test_only_another_address_is_a_change() -> None:
    """Whoever is new, or comes back from an archive as they left, changed nothing."""
    mail, _ = archived_world()
    batch = [Known(who=Who(name, parse_address(address(name)))) for name in ("ada", "new")]
    mail.receive([*batch, Known(who=Who("nowhere"))], now=LATER)
    mail.subscribe(address("other"), OFFERS, proof=PROOF, now=LATER, contact_id="other")
    assert [] == entries(mail, AddressChanged)
    same, _ = archived_world()
    same.subscribe(address("ada"), OFFERS, proof=PROOF, now=LATER, contact_id="ada")
    assert [] == entries(same, AddressChanged)


def test_an_archive_keeps_a_contact_without_an_address() -> None:
    """Nobody needs an address to be archived and restored."""
    mail = world()
    mail.receive([Known(who=Who("ada"), fields={"x": 1})], now=NOW)
    document = json.loads(json.dumps(mail.archive("ada", by=Actor.OPERATOR, now=NOW, text=GONE).document))
    assert None is document["profile"]
    assert Contact(id=ADA, fields={"x": 1}) == mail.restore(document, by=Actor.CONTACT, now=LATER)
