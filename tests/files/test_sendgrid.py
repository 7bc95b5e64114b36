import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.sendgrid import event_statements, is_soft
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind, Evidence
from lifecycle_mail.model.intake import Happened, Held, Left, Statement
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor, Through
from tests.files.samples import RECEIVED, only, read_all, written

AT = datetime(2017, 12, 15, 0, 59, 29, tzinfo=UTC)


def said(event: object, lists: dict[str, str] | None = None) -> tuple[list[Statement], list[str]]:
    """Return what an event says, and what was noted."""
    notes: list[str] = []
    statements = event_statements(
        event, lists=lists or {}, received_at=RECEIVED, note=lambda *said: notes.append(said[0])
    )
    return statements, notes


def event(kind: str, **more: Any) -> dict[str, Any]:
    """Return an event of that kind."""
    return {"event": kind, "email": "ann@example.com", "timestamp": 1513299569, "sg_event_id": "e1", **more}


@pytest.mark.parametrize(
    ("name", "happened", "consequence"),
    [
        ("processed", EventKind.SENT, None),
        ("bounced", EventKind.HARD_BOUNCED, SuppressionKind.BOUNCE),
        ("deferred", EventKind.DEFERRED, None),
        ("dropped", EventKind.DROPPED, SuppressionKind.BOUNCE),
        ("blocked", EventKind.SOFT_BOUNCED, None),
        ("delivered", EventKind.DELIVERED, None),
        ("clicked", EventKind.CLICKED, None),
        ("opened", EventKind.OPENED, None),
        ("spamreport", None, SuppressionKind.COMPLAINT),
        ("unsubscribe", None, Scope.all()),
        ("groupunsubscribe", None, Scope.list("news")),
        ("groupresubscribe", None, None),
    ],
)
def test_each_kind_of_event(
    shared: Path, name: str, happened: EventKind | None, consequence: SuppressionKind | Scope | None
) -> None:
    """Each of the twelve events gives what the rules say, with SendGrid's own ids."""
    events = json.loads((shared / "data/webhook_payloads/sendgrid_events_by_type.json").read_text())
    assert 12 == len(events)
    statements, notes = said(events[name], {"10": "news"})
    about_mail = only(Happened, statements)
    assert ([happened] if happened else []) == [each.kind for each in about_mail]
    for each in about_mail:
        assert (AT, "14c5d75ce93.dfd.64b469", "cat facts", "sendgrid", events[name]["sg_event_id"]) == (
            each.at, each.mail, each.campaign, each.source, each.event_id,
        )  # fmt: skip
        assert ("http://www.sendgrid.com/" if name == "clicked" else "") == each.link
    about_person = [each for each in statements if isinstance(each, Left | Held)]
    assert ([consequence] if consequence else []) == [
        each.scope if isinstance(each, Left) else each.kind for each in about_person
    ]
    for person in about_person:
        assert (events[name]["sg_event_id"], AT, "cat facts") == (
            person.event_id, person.provenance.at, person.provenance.campaign,
        )  # fmt: skip
    assert (name == "groupresubscribe") == bool(notes)


def test_real_bodies_give_what_they_say(shared: Path) -> None:
    """Of the recorded bodies, hard bounces and spam reports hold, and addresses that are none are rejected."""
    folder = shared / "data/webhook_payloads/sendgrid_real"
    for number, expected in {
        "01": [("kijitora@example.ne.jp", SuppressionKind.BOUNCE, datetime(2011, 10, 8, 12, 32, 14, tzinfo=UTC))],
        "03": [("kijitora@example.com", SuppressionKind.BOUNCE, datetime(2011, 10, 8, 14, 5, 44, tzinfo=UTC))],
        "05": [("kijitora@example.ne.jp", SuppressionKind.BOUNCE, datetime(2012, 6, 14, 21, 47, 52, tzinfo=UTC))],
        "07": [("mikeneko@example.co.jp", SuppressionKind.BOUNCE, datetime(2013, 7, 6, 3, 31, 31, tzinfo=UTC))],
        "09": [("kijitora@nyaan.example.jp", SuppressionKind.BOUNCE, datetime(2013, 7, 6, 13, 3, 39, tzinfo=UTC))],
        "11": [],
        "13": [("kijitora@example.com", EventKind.DELIVERED, datetime(2017, 9, 4, 18, 0, 7, tzinfo=UTC))],
        "15": [("kijitora@example.com", SuppressionKind.COMPLAINT, datetime(2017, 9, 8, 2, 23, 3, tzinfo=UTC))],
        "17": [("kijitora@mail.example.ru", SuppressionKind.COMPLAINT, datetime(2017, 9, 8, 16, 36, 55, tzinfo=UTC))],
    }.items():
        statements, reading = read_all(folder / f"json-sendgrid-{number}.json")
        found = [
            (str(each.who.address), each.kind, each.at if isinstance(each, Happened) else each.provenance.at)
            for each in statements
            if isinstance(each, Happened | Held)
        ]
        assert expected == found
        assert (3 if number == "11" else 0) == reading.rejected


@pytest.mark.parametrize(
    ("status", "reason", "kind", "soft"),
    [
        ("5.1.1", "", "bounce", False),
        ("5.1.1", "", "blocked", True),
        ("5.0.0", "500 unknown recipient", "", False),
        ("4.2.2", "", "", True),
        ("5.7.1", "", "", True),
        ("5.7.515", "", "", True),
        ("550", "550 5.7.1 message refused", "", True),
        ("550", "550 5.1.1 no such user", "", False),
        ("550", "550 Unknown user", "", False),
        ("421", "421 try later", "", True),
        ("", "451 4.3.0 try later", "", True),
        ("", "452 too busy", "", True),
        ("", "the address is gone", "", False),
        ("", "", "", False),
    ],
)
def test_a_bounce_is_soft_or_hard(status: str, reason: str, kind: str, soft: bool) -> None:
    """For now (4.x) and about the sender (5.7.x) is soft, and so is what SendGrid calls blocked (R17)."""
    assert soft is is_soft(status, reason, kind)


@pytest.mark.parametrize(
    ("machine", "evidence"), [(True, Evidence.MACHINE), (False, Evidence.HUMAN), (None, Evidence.UNKNOWN)]
)
def test_opens_say_who_opened(machine: bool | None, evidence: Evidence) -> None:
    """SendGrid's mark of machine opens is the evidence; without it nobody knows."""
    (opened,), _ = said(event("open", **({} if machine is None else {"sg_machine_open": machine})))
    assert isinstance(opened, Happened)
    assert evidence is opened.evidence


@pytest.mark.parametrize(
    ("reason", "consequence", "actor"),
    [
        ("Bounced Address", SuppressionKind.BOUNCE, Actor.ESP),
        ("Invalid", SuppressionKind.BOUNCE, Actor.ESP),
        ("Spam Reporting Address", SuppressionKind.COMPLAINT, Actor.ESP),
        ("Unsubscribed Address", Scope.all(), Actor.ESP),
        ("Invalid SMTPAPI header", None, None),
        ("Spam Content (if spam checker app enabled)", None, None),
        ("Recipient List over Package Quota", None, None),
    ],
)
def test_a_drop_holds_for_reasons_of_the_person(
    reason: str, consequence: SuppressionKind | Scope | None, actor: Actor | None
) -> None:
    """What SendGrid holds back because of the person is held here; the sender's own troubles are not."""
    (happened, *rest), notes = said(event("dropped", reason=reason))
    assert isinstance(happened, Happened)
    assert EventKind.DROPPED is happened.kind
    assert [] == notes
    found = [
        (each.scope if isinstance(each, Left) else each.kind, each.provenance.actor, each.provenance.text)
        for each in rest
        if isinstance(each, Left | Held)
    ]
    assert ([(consequence, actor, reason)] if consequence else []) == found
    for each in only(Left, rest):
        assert (None, False) == (each.event_id, each.dated)  # a state seen once more is not another no


def test_an_unmapped_group_fails_closed() -> None:
    """A no to a group that is not mapped, or not named, is a no to all marketing, and the note says what to map."""
    for more in ({"asm_group_id": 77}, {}):
        (left,), (note,) = said(event("group_unsubscribe", **more), {"10": "news"})
        assert isinstance(left, Left)
        assert Scope.all() == left.scope
        assert ("'77'" if more else "no unsubscribe group") in note


def test_nobody_comes_back_through_an_esp() -> None:
    """A group_resubscribe says nothing (O4)."""
    statements, (note,) = said(event("group_resubscribe", asm_group_id=10), {"10": "news"})
    assert [] == statements
    assert "resubscribes nobody" in note


def test_an_unknown_event_is_noted() -> None:
    """An event that nobody knows yet, with or without an address, is set aside and not fatal (F42)."""
    for unknown in (event("teleported"), {"event": "teleported", "timestamp": 1}, {"a": 1}):
        statements, (note,) = said(unknown)
        assert [] == statements
        assert "is not known" in note


def test_an_event_about_the_account_is_noted() -> None:
    """What SendGrid does to the account names nobody, and somebody should know of it."""
    statements, notes = said({"event": "account_status_change", "type": "compliance_suspend", "timestamp": 1513299569})
    assert [] == statements
    assert ["SendGrid changed the account: compliance_suspend"] == notes


def test_what_our_adapter_wrote_into_a_mail_comes_first() -> None:
    """Contact, campaign and mail of an event are ours where SendGrid sends them back, whatever else it says."""
    ours = {"lm_contact": "c1", "lm_campaign": "thanks", "lm_mail": "thanks:c1", "contact_id": "other"}
    (happened,), _ = said(event("open", category=["cats"], singlesend_id="s1", sg_message_id="abc.filter0001", **ours))
    assert isinstance(happened, Happened)
    assert ("c1", "ann@example.com", "thanks", "thanks:c1") == (
        happened.who.contact_id, str(happened.who.address), happened.campaign, happened.mail,
    )  # fmt: skip
    (left,), _ = said(event("unsubscribe", **ours))
    assert isinstance(left, Left)
    assert ("c1", "thanks") == (left.who.contact_id, left.provenance.campaign)


def test_an_id_that_is_none_costs_itself() -> None:
    """A no that names an impossible contact binds the address, and the id is noted."""
    (left,), (note,) = said(event("unsubscribe", lm_contact="c" * 300))
    assert isinstance(left, Left)
    assert (None, "ann@example.com") == (left.who.contact_id, str(left.who.address))
    assert note.endswith("the contact is known by the address alone")
    with pytest.raises(InvalidInput):
        said(event("unsubscribe", lm_contact="c" * 300, email="nobody"))


def test_a_single_send_is_a_campaign_of_ours() -> None:
    """An event of a single send belongs to the campaign that it was made for; of others their id is kept."""
    notes: list[str] = []
    for category in ({}, {"category": ["cats"]}):
        (happened,) = event_statements(
            event("delivered", singlesend_id="s1", **category), lists={}, received_at=RECEIVED,
            note=lambda *said: notes.append(said[0]), campaigns={"s1": "thanks"},
        )  # fmt: skip
        assert isinstance(happened, Happened)
        assert "thanks" == happened.campaign
    (happened,), _ = said(event("delivered", singlesend_id="s2"))
    assert isinstance(happened, Happened)
    assert "s2" == happened.campaign


def test_a_no_without_a_time_still_counts() -> None:
    """An unsubscribe whose time is missing or broken is taken as observed; an open is refused."""
    for broken in (None, "soon", 10**30):
        (left,), _ = said(event("unsubscribe", timestamp=broken))
        assert isinstance(left, Left)
        assert (False, RECEIVED) == (left.dated, left.provenance.at)
        (held,), _ = said(event("bounce", timestamp=broken, status="5.1.1"))
        assert isinstance(held, Held)
        with pytest.raises(ValueError, match="no timestamp"):
            said(event("open", timestamp=broken))


def test_the_contact_id_comes_back_with_the_event() -> None:
    """A custom argument `contact_id` names the contact, also where the address is bad or missing."""
    (one,), _ = said(event("open", contact_id=17))
    (two,), notes = said(event("open", contact_id="17", email="nonsense"))
    (three,), _ = said({**event("open", contact_id="17"), "email": None})
    assert isinstance(one, Happened)
    assert ("17", "ann@example.com") == (one.who.contact_id, str(one.who.address))
    for each in (two, three):
        assert isinstance(each, Happened)
        assert ("17", None) == (each.who.contact_id, each.who.address)
    assert 1 == len(notes)


def test_an_event_about_nobody_is_refused() -> None:
    """Without an address and a contact id there is nobody to note it for."""
    with pytest.raises(ValueError, match="names nobody"):
        said(event("open", email=""))
    with pytest.raises(ValueError, match="not an object"):
        said("open")


def test_the_campaign_is_the_first_category() -> None:
    """Categories are a text or a list; without any, the id of the single send stands in."""
    for more, campaign in (
        ({"category": ["a", "b"]}, "a"),
        ({"category": []}, ""),
        ({"singlesend_id": "s1"}, "s1"),
        ({"marketing_campaign_id": 12}, "12"),
        ({}, ""),
    ):
        (happened,), _ = said(event("open", **more))
        assert isinstance(happened, Happened)
        assert campaign == happened.campaign


@pytest.mark.parametrize("mail", ["abc.filter0001.16648.5515E0B88.0", "abc.recvd-7f-x-1-6.0", "abc"])
def test_the_mail_is_named_without_its_route(mail: str) -> None:
    """Of the message id, what comes before the first filter or receiver names the mail."""
    (happened,), _ = said(event("delivered", sg_message_id=mail))
    assert isinstance(happened, Happened)
    assert "abc" == happened.mail


def test_bodies_are_read_in_any_form(tmp_path: Path) -> None:
    """An array, one event a line, bodies a line, and a single object say the same; one bad event costs itself."""
    events = [event("open", sg_event_id=f"e{n}") for n in range(3)]
    one, two, three = (json.dumps(each) for each in events)
    for body in (
        json.dumps(events),
        json.dumps(events, indent=2),
        f"{one}\n{two}\n{three}\n",
        f"[{one}, {two}]\r\n[{three}]\r\n",
    ):
        statements, _ = read_all(written(tmp_path, "body.json", body))
        assert ["e0", "e1", "e2"] == [each.event_id for each in only(Happened, statements)]
    statements, reading = read_all(written(tmp_path, "body.json", json.dumps([*events, {"event": "open"}, 5])))
    assert (5, 3, 2) == (reading.rows, reading.accepted, reading.rejected)
    assert 1 == len(read_all(written(tmp_path, "body.json", json.dumps(events[0], indent=1)))[0])


def test_one_bad_event_among_a_thousand(tmp_path: Path) -> None:
    """999 events are taken and one is set apart (F41)."""
    events = [json.dumps(event("open", sg_event_id=f"e{n}")) for n in range(1000)]
    events[500] = '{"event": "open", "x": ' + "[" * 10_000 + "]" * 10_000 + "}"
    statements, reading = read_all(written(tmp_path, "body.json", f"[{','.join(events)}]"))
    assert (999, 1) == (len(statements), reading.rejected)


def test_a_webhook_event_is_evidence(tmp_path: Path) -> None:
    """What follows for consent says where it was found."""
    statements, _ = read_all(written(tmp_path, "body.json", json.dumps([event("spamreport")])))
    (held,) = only(Held, statements)
    assert ("body.json:1", Through.COMPLAINT, Actor.CONTACT) == (
        held.provenance.evidence, held.provenance.through, held.provenance.actor,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (event("bounce", status="5.1.1", reason="550 5.1.1 no such user"), "5.1.1"),
        (event("bounce", reason="unknown"), ""),
        (event("dropped", reason="Bounced Address", status="5.0.0"), "5.0.0"),
        (event("dropped", reason="Invalid"), ""),
    ],
)
def test_a_dead_address_keeps_its_status(what: dict[str, Any], status: str) -> None:
    """What the receiving host said is told on, so that nobody is suppressed for the sender's trouble (R17, F66)."""
    (held,) = only(Held, said(what)[0])
    assert (status, False) == (held.status, held.blocked)


def test_a_drop_for_the_sender_holds_nobody() -> None:
    """An address that SendGrid holds back for a 5.7.x is not dead (R17)."""
    (held,) = only(Held, said(event("dropped", reason="Bounced Address", status="5.7.515"))[0])
    assert held.blocked


def test_every_status_of_the_shared_bodies_is_kept(shared: Path) -> None:
    """Each bounce and drop of the recorded events says its status."""
    events = json.loads((shared / "data/webhook_payloads/sendgrid_events_by_type.json").read_text())
    held = [one for name in ("bounced", "dropped") for one in only(Held, said(events[name])[0])]
    assert ["5.0.0", "5.0.0"] == [one.status for one in held]
