"""The builders: short, repeatable, and through the same gates as everything else."""

import pytest
from attrs import evolve

from lifecycle_mail.errors import Unscreened
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where
from lifecycle_mail.service import Subscribed
from lifecycle_mail.testing import (
    assert_sendable,
    assert_withheld,
    campaign,
    contact,
    days_ago,
    event,
    frozen_now,
    lifecycle,
    screened,
)

OFFERS = MailingList("offers")


def test_a_contact_is_made_from_an_id() -> None:
    """With an address of its own, another one, or none."""
    ada = contact("ada", fields={"spend": 1}, tags=["x"], locale="et")
    assert ("ada", "ada@example.com", {"spend": 1}, {"x"}, "et") == (
        ada.id, str(ada.address), dict(ada.fields), set(ada.tags), ada.locale,
    )  # fmt: skip
    assert "a@b.example.com" == str(contact(address="a@b.example.com").address)
    assert contact(address=None).address is None
    assert contact() == contact()


def test_a_screened_recipient_went_through_the_gates() -> None:
    """Who would be withheld cannot be built, and the seal cannot be handed on."""
    one = screened(contact("ada"), campaign("spring", OFFERS), position=3)
    assert ("ada", "spring", "offers", 3) == (one.contact_id, one.campaign, one.leaves_list, one.position)
    with pytest.raises(AssertionError, match="no-address"):
        screened(contact("ghost", address=None))
    rich = campaign("rich", Segment("rich", of=OFFERS, where=where.field("spend") > 100))
    with pytest.raises(AssertionError, match="not-in-segment"):
        screened(contact("ada", fields={"spend": 100}), rich)
    assert "ada" == screened(contact("ada", fields={"spend": 101}), rich).contact_id
    with pytest.raises(Unscreened):
        evolve(one, contact_id=contact("bob").id)


def test_events_lie_where_they_are_put() -> None:
    """Of a contact or an id, at an instant that is counted back from the frozen one."""
    assert event("ada") == event(contact("ada"), EventKind.OPENED, at=frozen_now, mail="m1")
    sent = event("ada", "sent", at=days_ago(1.5), campaign="spring")
    assert (EventKind.SENT, 36 * 3600, "spring") == (
        sent.kind, (frozen_now - sent.at).total_seconds(), sent.campaign,
    )  # fmt: skip
    assert days_ago(-1) > frozen_now


def test_a_lifecycle_in_memory_is_the_same_on_every_run() -> None:
    """Ids and tokens repeat, and nothing waits."""
    tokens = []
    for _ in range(2):
        mail = lifecycle(OFFERS, campaign("spring", OFFERS))
        done = mail.subscribe("ada@example.com", "offers", proof="a form", now=frozen_now)
        assert isinstance(done, Subscribed)
        assert "of-1:ada@example.com" == done.contact_id
        mail.opt_out("ada@example.com", scope=Scope.all(), now=frozen_now)
        tokens.append(mail.subscribe("ada@example.com", "offers", proof="a form", now=frozen_now))
        assert mail._wait(30) is None
    assert tokens[0] == tokens[1]


def test_assertions_about_plans_explain_themselves() -> None:
    """A failing one shows every gate."""
    mail = lifecycle(OFFERS, campaign("spring", OFFERS))
    for name in ("ada", "bob"):
        mail.subscribe(f"{name}@example.com", "offers", proof="a form", now=frozen_now, contact_id=name)
    mail.opt_out("bob", scope=Scope.all(), now=frozen_now)
    plan = mail.plan("spring", now=frozen_now)
    assert_sendable(plan, "ada")
    assert_withheld(plan, "bob")
    assert_withheld(plan, "bob@example.com", reason="out-of-all")
    with pytest.raises(AssertionError, match=r"(?s)bob is withheld: out-of-all.*what would flip it"):
        assert_sendable(plan, "bob")
    with pytest.raises(AssertionError, match="ada is sendable"):
        assert_withheld(plan, "ada")
    with pytest.raises(AssertionError, match="as out-of-all, not as bounced"):
        assert_withheld(plan, "bob", reason="bounced")
    with pytest.raises(ValueError, match="bounce"):
        assert_withheld(plan, "bob", reason="bounce")
