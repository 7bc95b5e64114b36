"""The registry as of any past instant (O10)."""

from datetime import datetime, timedelta

import pytest

from lifecycle_mail.errors import UnknownName
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import said
from tests.service.worlds import DAY, HOUR, NEWS, NOW, OFFERS, PROOF, left, needs_confirmation, world

TICK = timedelta(microseconds=1)
ACTIVE, NONE, OUT = ListStanding.ACTIVE, ListStanding.NONE, ListStanding.OUT_OF_LIST


def story() -> tuple[Lifecycle, list[tuple[datetime, ListStanding]]]:
    """Return a life on the list, and how it stood from each instant on."""
    mail = world()
    told: list[tuple[datetime, ListStanding]] = [(NOW - 99 * DAY, NONE)]

    def then(days: int, standing: ListStanding) -> datetime:
        told.append((NOW + days * DAY, standing))
        return NOW + days * DAY

    mail.subscribe("ada@example.com", OFFERS, proof=PROOF, now=then(0, ACTIVE), contact_id="ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=then(1, OUT))
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=then(2, OUT)))
    mail.confirm(asked.token, now=then(3, ACTIVE))
    mail.change_address("ada", "ada@two.example.com", by=Actor.CONTACT, now=then(4, ACTIVE))
    mail.change_address("ada", "ada@three.example.com", by=Actor.OPERATOR, now=then(5, OUT))
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=then(6, OUT)))
    mail.confirm(asked.token, now=then(7, ACTIVE))
    mail.suppress("ada", "sunset", provenance=said(Actor.POLICY), now=then(8, ACTIVE))
    mail.receive([left("ada", Scope.all(), event_id="w1", with_id=True)], now=then(9, ListStanding.OUT_OF_ALL))
    mail.change_address("ada", "ada@example.com", by=Actor.CONTACT, now=then(10, ListStanding.OUT_OF_ALL))
    return mail, told


def test_every_instant_of_a_story_reads_as_it_was() -> None:
    """At each event, a moment before it, and between: what was true then, however much has happened since (O10)."""
    mail, told = story()
    for (at, standing), (until, _) in zip(told, [*told[1:], (NOW + 99 * DAY, NONE)], strict=True):
        for moment in (at, at + TICK, at + HOUR, until - TICK):
            past = mail.as_of(moment)
            assert standing is past.standing("ada", OFFERS) is past.standing("ada", "offers"), moment
            assert NONE is past.standing("ada", NEWS) or standing is ListStanding.OUT_OF_ALL
            assert past.instant == moment
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW + 99 * DAY)


def test_the_past_does_not_change_when_more_happens() -> None:
    """What `as_of` said of an instant it says for ever."""
    mail, told = story()
    moments = [at for at, _ in told]
    before = [(mail.as_of(at).records(), mail.as_of(at).opt_outs(), mail.as_of(at).person("ada")) for at in moments]
    mail.opt_out("ada", scope=Scope.list("news"), now=NOW + 50 * DAY)
    mail.change_address("ada", "ada@four.example.com", by=Actor.OPERATOR, now=NOW + 51 * DAY)
    after = [(mail.as_of(at).records(), mail.as_of(at).opt_outs(), mail.as_of(at).person("ada")) for at in moments]
    assert before == after


def test_the_past_has_as_many_records_as_it_had() -> None:
    """The log is cut at what was recorded by then; opt-outs come in the order of the log."""
    mail, told = story()
    assert [0, 1, 2, 3, 4] == [mail.as_of(at).position for at, _ in told[:5]]
    assert [0, 0, 1, 1] == [len(mail.as_of(at).opt_outs()) for at, _ in told[:4]]
    assert 2 == len(mail.as_of(NOW + 99 * DAY).opt_outs())
    assert 1 == mail.opt_out_causes(until=NOW + 2 * DAY).total


def test_what_is_recorded_late_belongs_to_its_recording() -> None:
    """`as_of` reads by when we knew, not by when it is said to have happened (O10, F64)."""
    mail = world("ada")
    mail.receive([left("ada", Scope.all(), at=NOW - 30 * DAY, event_id="w1")], now=NOW + DAY)
    assert ACTIVE is mail.as_of(NOW).standing("ada", OFFERS)
    assert ListStanding.OUT_OF_ALL is mail.as_of(NOW + DAY).standing("ada", OFFERS)


@pytest.mark.parametrize("clock", [NOW - DAY, NOW + 3650 * DAY])
def test_a_wrong_clock_brings_nobody_back(clock: datetime) -> None:
    """An opt-out recorded with the clock set back or ahead binds at once and for ever after (F64)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.all(), now=clock)
    for now in (NOW - 30 * DAY, NOW, NOW + 5000 * DAY):
        assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=now)
        assert not mail.plan("spring", now=now).recipients


def test_strangers_have_no_past() -> None:
    """Who is not known today cannot be asked about."""
    with pytest.raises(UnknownName):
        world().as_of(NOW).standing("nobody", OFFERS)
