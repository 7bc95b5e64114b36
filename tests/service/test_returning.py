"""Whoever comes back, and what must not bring them back or throw them out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from lifecycle_mail import files
from lifecycle_mail.errors import CampaignRefused, OutcomeUnknown, UnknownName
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Joined, Known, Left, Statement, Who
from lifecycle_mail.model.lists import Channel, MailingList, Scope
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.ports import Capability
from tests.service.worlds import (
    BOTH_WAYS,
    NEWS,
    NOW,
    OFFERS,
    PROOF,
    address,
    entries,
    fake,
    mailed,
    needs_confirmation,
    world,
)

HOUR = timedelta(hours=1)
IMPORT = Provenance(actor=Actor.OPERATOR, through=Through.IMPORT, at=NOW, source="file:members.csv")


@pytest.mark.parametrize("scope", [Scope.list("offers"), Scope.all()], ids=str)
def test_the_same_no_between_the_request_and_the_confirmation_counts(scope: Scope) -> None:
    """Who asks to come back, says no once more, and then clicks the old link, stays out (O4)."""
    mail = world("ada")
    mail.opt_out("ada", scope=scope, now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    again = mail.opt_out("ada", scope=scope, through="one-click", now=NOW + 2 * HOUR)
    assert again.is_new
    answer = mail.confirm(asked.token, now=NOW + 3 * HOUR)
    assert ListStanding.ACTIVE is not answer.standing
    assert 0 == mail.plan("spring", now=NOW + 3 * HOUR).sendable


def test_somebody_else_at_the_address_may_say_no_too() -> None:
    """After one of two people at an address came back, the no of the other is no double click (O4, F48)."""
    mail = world("ada")
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="twin")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    assert ListStanding.ACTIVE is mail.confirm(asked.token, now=NOW + HOUR).standing
    assert mail.opt_out("twin", scope=Scope.list("offers"), now=NOW + 2 * HOUR).is_new
    assert 0 == mail.plan("spring", now=NOW + 2 * HOUR).sendable


def test_a_late_echo_in_sendgrids_own_words_does_not_throw_a_returner_out(tmp_path: Path) -> None:
    """We tell SendGrid of a no; its webhook and its export of that no are one no with ours, before and after (F33)."""
    mail = world("ada", esp=MemoryEsp(name="sendgrid"))
    mail.opt_out("ada", scope=Scope.all(), now=NOW)
    mail.drain(now=NOW)
    pushed = int(NOW.timestamp()) + 2
    hook = tmp_path / "events.json"
    hook.write_text(f'[{{"event":"unsubscribe","email":"{address("ada")}","timestamp":{pushed},"sg_event_id":"e1"}}]')
    export = tmp_path / "unsubscribes.json"
    export.write_text(f'[{{"created":{pushed},"email":"{address("ada")}"}}]')
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    taken = mail.receive(files.read([hook, export], received_at=NOW + 2 * HOUR), now=NOW + 2 * HOUR)
    assert 2 == taken.entries
    assert ListStanding.ACTIVE is mail.standing("ada", OFFERS, now=NOW + 2 * HOUR)
    assert 1 == mail.opt_out_causes().total


def test_next_weeks_export_under_another_name_is_no_second_no(tmp_path: Path) -> None:
    """What a mapped file tells is told by the mapping, whatever the file is called this week (F33)."""
    columns = files.Columns(contact_id="id", email="email", status="status")
    source = files.Source(files=("people-*.csv",), format=files.Format.CONTACTS, columns=columns, list="offers")
    for week in ("1", "2"):
        (tmp_path / f"people-{week}.csv").write_text(f"id,email,status\nada,{address('ada')},unsubscribed\n")
    mail = world("ada")
    mail.receive(files.read([tmp_path / "people-1.csv"], received_at=NOW, sources=[source]), now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    mail.receive(
        files.read([tmp_path / "people-2.csv"], received_at=NOW + 2 * HOUR, sources=[source]), now=NOW + 2 * HOUR
    )
    assert ListStanding.ACTIVE is mail.standing("ada", OFFERS, now=NOW + 2 * HOUR)
    assert 1 == len(entries(mail, OptOut))


def test_an_import_does_not_answer_for_who_was_asked() -> None:
    """Double opt-in that nobody has confirmed stays unconfirmed, whatever a file says (O4)."""
    mail = world()
    news = MailingList("news", title="News", double_opt_in=True)
    mail.subscribe(address("ada"), news, proof=PROOF, now=NOW, contact_id="ada")
    mail.receive([Joined(who=Who("ada"), list=NEWS.key, provenance=IMPORT)], now=NOW)
    assert ListStanding.UNCONFIRMED is mail.standing("ada", news, now=NOW)


def test_an_import_that_moves_somebody_does_not_subscribe_the_new_address() -> None:
    """A file with a new address and a subscription: the new address must be confirmed by the person (O4)."""
    mail = world("ada")
    new = Who("ada", parse_address("ada@new.example.com"))
    mail.receive([Known(who=new), Joined(who=new, list=OFFERS.key, provenance=IMPORT)], now=NOW)
    assert ListStanding.UNCONFIRMED is mail.standing("ada", OFFERS, now=NOW)
    assert {"unconfirmed": 1} == mail.plan("spring", now=NOW).withheld


def test_a_no_to_a_list_that_nobody_knows_is_not_swallowed() -> None:
    """A misspelt list is an error where we are called, and a no to all marketing where we are told (O2)."""
    mail = world("ada")
    with pytest.raises(UnknownName, match="offers"):
        mail.opt_out("ada", scope=Scope.list("ofers"), now=NOW)
    report = Left(who=Who("ada"), scope=Scope.list("ofers"), provenance=IMPORT)
    assert (report,) == mail.receive([report], now=NOW).widened
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW)


@pytest.mark.parametrize("capabilities", BOTH_WAYS, ids=["mails", "campaign"])
def test_an_address_that_somebody_takes_over_meanwhile_gets_one_mail(capabilities: frozenset[Capability]) -> None:
    """One's address becomes another's between plan and send: the inbox gets the campaign once."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=capabilities))
    plan = mail.plan("spring", now=NOW)
    mail.change_address("bob", address("ada"), by=Actor.CONTACT, now=NOW)
    assert 1 == mail.send(plan, now=NOW + HOUR).sent
    assert 1 == len(mailed(mail))


def test_transactional_mail_for_a_list_is_for_that_list() -> None:
    """A list behind transactional mail says who is meant: not everybody in the registry (O2)."""
    mail = world("ada")
    mail.subscribe(address("nia"), NEWS, proof=PROOF, now=NOW, contact_id="nia")
    mail.opt_out("ada", scope=Scope.all(), now=NOW)
    plan = mail.plan(Campaign("notice", to=[OFFERS], kind="transactional"), now=NOW)
    assert ["ada"] == [row.contact_id for row in plan if row.sendable]
    assert 1 == plan.audience


def test_a_list_of_another_channel_gets_no_e_mail() -> None:
    """An SMS list is not joined for e-mail (P6)."""
    alerts = MailingList("alerts", title="Alerts", channel=Channel.SMS)
    mail = world()
    mail.subscribe(address("ada"), alerts, proof=PROOF, now=NOW)
    with pytest.raises(CampaignRefused, match="alerts"):
        mail.plan(Campaign("blast", to=[alerts]), now=NOW)


def test_a_no_by_a_shared_or_former_address_after_a_return() -> None:
    """An address alone says no again after one of its people came back: it is another no (O4)."""
    mail = world("ada")
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="twin")
    scope = Scope.list("offers")
    mail.opt_out(address("ada"), scope=scope, now=NOW)
    asked = needs_confirmation(mail.subscribe("twin", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    assert mail.opt_out(address("ada"), scope=scope, now=NOW + 2 * HOUR).is_new
    assert not mail.opt_out(address("ada"), scope=scope, now=NOW + 3 * HOUR).is_new
    assert ListStanding.OUT_OF_LIST is mail.standing("twin", OFFERS, now=NOW + 3 * HOUR)

    moved = world("bob")
    moved.change_address("bob", "bob@new.example.com", by=Actor.CONTACT, now=NOW)
    moved.opt_out(address("bob"), scope=scope, now=NOW)
    asked = needs_confirmation(moved.subscribe("bob", OFFERS, proof=PROOF, now=NOW + HOUR))
    moved.confirm(asked.token, now=NOW + HOUR)
    assert moved.opt_out(address("bob"), scope=scope, now=NOW + 2 * HOUR).is_new
    assert ListStanding.OUT_OF_LIST is moved.standing("bob", OFFERS, now=NOW + 2 * HOUR)


def test_a_no_while_the_address_is_moved_outlives_the_move_back() -> None:
    """A no said at another address is kept for the day that somebody moves them back (O4)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW))
    mail.confirm(asked.token, now=NOW)
    mail.change_address("ada", "typo@example.com", by=Actor.OPERATOR, now=NOW)
    assert mail.opt_out("ada", scope=Scope.list("offers"), now=NOW + HOUR).is_new
    mail.change_address("ada", address("ada"), by=Actor.OPERATOR, now=NOW + HOUR)
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW + HOUR)


def test_a_link_in_a_mail_to_a_former_address_leaves_the_list_it_named() -> None:
    """The claim knows who it was sent to, whatever address they use now (L3, F18)."""
    both = Campaign("both", to=[NEWS, OFFERS])
    mail = world("ada")
    mail.send(mail.plan(both, now=NOW), now=NOW)
    mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW + HOUR)
    left = mail.opt_out(address("ada"), campaign=both, now=NOW + 2 * HOUR)
    assert Scope.list("offers") == left.opt_out.scope
    assert ["both"] == [claim.campaign for claim in left.in_flight]
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW + 2 * HOUR)


def told(event_id: str, hours: float) -> Left:
    """Tell by a webhook that Ada left Offers."""
    at = NOW + hours * HOUR
    said = Provenance(actor=Actor.CONTACT, through=Through.WEBHOOK, at=at, source="crm")
    return Left(who=Who("ada"), scope=Scope.list("offers"), provenance=said, event_id=event_id)


@pytest.mark.parametrize("second", [f"e{n}" for n in range(2, 8)])
def test_two_events_of_one_time_are_two_noes(second: str) -> None:
    """A source that knows only the day: what was told after the return is another no, whatever its id (O4)."""
    mail = world("ada")
    mail.receive([told("e1", 0)], now=NOW + HOUR)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + 2 * HOUR))
    mail.confirm(asked.token, now=NOW + 2 * HOUR)
    mail.receive([told(second, 0)], now=NOW + 3 * HOUR)
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW + 3 * HOUR)


def test_ids_that_begin_anew_in_each_file_are_told_apart_by_time() -> None:
    """Event 1 of this week's file is not event 1 of last week's (F33)."""
    mail = world("ada")
    mail.receive([told("1", 0)], now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    mail.receive([told("1", 0)], now=NOW + 2 * HOUR)
    assert ListStanding.ACTIVE is mail.standing("ada", OFFERS, now=NOW + 2 * HOUR)
    mail.receive([told("1", 100)], now=NOW + 101 * HOUR)
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW + 101 * HOUR)


def test_the_address_of_a_contact_known_by_id_alone_is_no_move() -> None:
    """Events that name an id come before the file with the address: the import counts in either order (O4)."""
    who = Who("ada", parse_address(address("ada")))
    address_file: list[Statement] = [Known(who=who), Joined(who=who, list=OFFERS.key, provenance=IMPORT)]
    mail = world()
    mail.receive([Known(who=Who("ada"))], now=NOW)
    mail.receive(address_file, now=NOW)
    assert ListStanding.ACTIVE is mail.standing("ada", OFFERS, now=NOW)


def test_one_bad_value_does_not_hold_up_the_batch() -> None:
    """A field of the wrong type is refused with its reason, and the no of another person is heard (F41)."""
    mail = world("ada")
    mail.programme = evolve(mail.programme, fields={"spend": FieldType.NUMBER})
    bad = Known(who=Who("bob", parse_address(address("bob"))), fields={"spend": "lots"})
    taken = mail.receive([bad, told("e1", 0)], now=NOW)
    assert [bad] == [statement for statement, _ in taken.refused]
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW)


def test_receipts_for_two_people_at_one_address() -> None:
    """A receipt is for whoever bought; one whose outcome is unknown is not sent again (O2, F22)."""
    mail = world("ada", esp=MemoryEsp())
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="twin")
    receipt = Campaign("receipt", kind="transactional")
    fake(mail).fail("send", OutcomeUnknown, done=True)
    assert 1 == mail.send(mail.plan(receipt, now=NOW, to=["ada", "twin"]), now=NOW).unknown
    assert {"handed-off": 1, "returned": 0, "unknown": 0} == mail.reconcile(receipt, now=NOW)
    mail.send(mail.plan(receipt, now=NOW, to=["ada", "twin"]), now=NOW)
    assert ["ada", "twin"] == mailed(mail, "receipt")


def test_transactional_mail_accounts_for_everybody_it_is_asked_for() -> None:
    """Who is asked for and not on the list has a row that says so."""
    mail = world("ada")
    mail.subscribe(address("zoe"), NEWS, proof=PROOF, now=NOW, contact_id="zoe")
    plan = mail.plan(Campaign("notice", to=[OFFERS], kind="transactional"), now=NOW, to=["ada", "zoe"])
    assert (2, {"not-in-segment": 1}) == (plan.audience, plan.withheld)
