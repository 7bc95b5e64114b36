"""Segments at the ESP (L7): the choice, the members, and counting back."""

from typing import Any

import pytest

from lifecycle_mail.errors import EspUnavailable, Misconfigured, UnknownName
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where
from lifecycle_mail.ports import Capability
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.segmenting import Published
from lifecycle_mail.testing import said
from tests.service.worlds import DAY, NEWS, NOW, OFFERS, fake, join, world

SPEND = where.field("2020_spend")
RICH = Segment("spent-over-100-in-2020", of=OFFERS, where=SPEND > 100)
QUIET = Segment("quiet", of=OFFERS, where=(where.days_inactive >= 75) & (SPEND > 100))


def spenders(**options: Any) -> Lifecycle:
    """Return a world in which three have spent, one of them over 100, and are known at the ESP."""
    mail = world("ada", "bob", "cem", fields={"2020_spend": FieldType.NUMBER}, **options)
    for name, spend in (("ada", 250), ("bob", 100), ("cem", 100.01)):
        mail.update(name, {"2020_spend": spend}, now=NOW - DAY)
    if Capability.CONTACTS in mail.esp.capabilities:
        mail.sync(now=NOW)
    return mail


def test_what_the_esp_can_express_is_put_in_its_words() -> None:
    """A number above a bound: the ESP computes it, counts it, and the count agrees (L4)."""
    done = spenders().publish(RICH, now=NOW)
    assert done.native is not None
    assert (2, 2, True) == (done.expected, done.counted, done.agrees)
    assert "memory can express all of it" in str(done)
    assert "it counts 2, as we do" in str(done)


def test_what_it_cannot_express_is_computed_here() -> None:
    """Engagement is ours: its members are told, and the report says why (L7)."""
    mail = spenders()
    done = mail.publish(QUIET, now=NOW)
    assert done.native is None
    assert any("days_inactive" in why for why in done.why)
    assert done.agrees
    assert "as a list of" in str(done)
    assert done.expected == mail.publish(QUIET, now=NOW).expected


@pytest.mark.parametrize("native", [True, False])
def test_both_ways_have_the_same_members(native: bool) -> None:
    """Whichever way is asked for, it is the same people."""
    mail = spenders()
    done = mail.publish(RICH, now=NOW, native=native)
    assert (2, 2) == (done.expected, done.counted)
    assert (done.native is not None) is native


def test_asking_for_what_it_cannot_express_is_an_error() -> None:
    """`native=True` insists, and the message names each part (E1)."""
    with pytest.raises(Misconfigured, match="days_inactive"):
        spenders().publish(QUIET, now=NOW, native=True)
    held = spenders(esp=MemoryEsp(capabilities={Capability.CONTACTS}))
    with pytest.raises(Misconfigured, match="segment-members"):
        held.publish(RICH, now=NOW)
    with pytest.raises(UnknownName):
        held.publish("nobody-declared-it", now=NOW)


def test_an_esp_that_computes_none_holds_it() -> None:
    """Without native segments every segment is a list of members, and the reason is said."""
    mail = spenders(esp=MemoryEsp(capabilities={Capability.CONTACTS, Capability.MEMBERS}))
    done = mail.publish(RICH, now=NOW)
    assert done.native is None
    assert "does not compute segments" in done.why[0]
    assert done.agrees


def test_who_may_not_be_mailed_is_in_no_segment() -> None:
    """Whoever left the list is out of the segment, here and there."""
    mail = spenders()
    mail.opt_out("ada", scope=Scope.list(OFFERS.key), now=NOW)
    join(mail, "ada", NEWS)
    mail.sync(now=NOW)
    for native in (True, False):
        done = mail.publish(RICH, now=NOW, native=native)
        assert (1, 1) == (done.expected, done.counted)


def test_the_top_of_a_list_is_ranked_over_the_list() -> None:
    """The best spenders are a list of members: an ESP ranks nobody."""
    mail = spenders()
    done = mail.publish(Segment("top", of=OFFERS, where=where.top(1, by=SPEND)), now=NOW)
    assert (None, 1, 1) == (done.native, done.expected, done.counted)


def test_a_copy_that_is_out_of_date_is_noticed() -> None:
    """Counting back finds that the ESP's copy is not ours, and the report says what to do."""
    mail = spenders()
    mail.update("bob", {"2020_spend": 101}, now=NOW)
    done = mail.publish(RICH, now=NOW)
    assert (3, 2, False) == (done.expected, done.counted, done.agrees)
    assert "sync, then publish again" in str(done)
    mail.sync(now=NOW + DAY)
    assert mail.publish(RICH, now=NOW + DAY).agrees


def test_whom_the_esp_does_not_hold_is_named() -> None:
    """Who joined after the last sync is refused by name, and the rest is in."""
    mail = spenders()
    join(mail, "zoe")
    mail.update("zoe", {"2020_spend": 500}, now=NOW)
    done = mail.publish(RICH, now=NOW, native=False)
    assert {"zoe"} == set(done.refused)
    assert (3, 2, False) == (done.expected, done.counted, done.agrees)
    assert "refused 1" in str(done)


def test_an_esp_that_cannot_count_yet() -> None:
    """A count that never comes is unknown, and no error."""

    class Slow(MemoryEsp):
        def segment_count(self, segment: object) -> int | None:  # noqa: ARG002 - as the port calls it
            return None

    done = spenders(esp=Slow()).publish(RICH, now=NOW)
    assert isinstance(done, Published)
    assert done.agrees is None
    assert "cannot count it yet" in str(done)


def test_an_esp_that_is_down_is_an_error() -> None:
    """Nothing is said to have been published."""
    mail = spenders()
    fake(mail).fail("put_segment", EspUnavailable)
    with pytest.raises(EspUnavailable):
        mail.publish(RICH, now=NOW)


def test_a_segment_of_all_contacts() -> None:
    """Without a list behind it, everybody who may be mailed at all can be in it."""
    mail = spenders()
    mail.suppress("ada", "bounce", provenance=said(Actor.ESP), now=NOW)
    done = mail.publish(Segment("anybody", where=SPEND > 100), now=NOW, native=False)
    assert 1 == done.expected
