"""Whoever comes back, and what must not bring them back or throw them out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from lifecycle_mail import files
from lifecycle_mail.errors import CampaignRefused, UnknownName
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Joined, Known, Left, Who
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
    mail.push_opt_outs(now=NOW)
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
