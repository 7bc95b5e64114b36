"""What an ESP can do, as data (E1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.plugins import load_capabilities
from lifecycle_mail.ports import (
    FULL,
    Ability,
    Capabilities,
    Capability,
    Support,
    not_implemented,
    unsupported,
    versioned,
)

ALL = dict.fromkeys(Capability, FULL)


def test_each_answer_says_whether_it_may_be_asked_for() -> None:
    """Full may be, versioned where this account has it, the other two never."""
    assert FULL.usable
    assert versioned("the Email Activity add-on", enabled=True).usable
    assert not versioned("the Email Activity add-on", enabled=False).usable
    assert not unsupported("it has no single mails").usable
    assert not not_implemented("nobody has written it").usable


@pytest.mark.parametrize("support", [Support.VERSIONED, Support.UNSUPPORTED, Support.NOT_IMPLEMENTED])
def test_whatever_is_not_simply_there_has_a_reason(support: Support) -> None:
    """An answer without one helps nobody."""
    with pytest.raises(InvalidInput, match="say why"):
        Ability(support)


def test_every_capability_has_an_answer() -> None:
    """What is forgotten is named, all of it."""
    with pytest.raises(InvalidInput, match=r"webhooks.*erasure"):
        Capabilities({one: FULL for one in Capability if one not in (Capability.WEBHOOKS, Capability.ERASURE)})


@given(st.sets(st.sampled_from(Capability)))
def test_it_is_the_set_of_what_is_usable(usable: set[Capability]) -> None:
    """As a set it holds just those, counts them, and meets other sets as sets do."""
    can = Capabilities.of(usable)
    assert usable == set(can)
    assert len(usable) == len(can)
    assert bool(usable) is bool(can)
    assert all((one in can) is (one in usable) for one in Capability)
    assert usable & {Capability.TAGS} == can & {Capability.TAGS}
    assert not can ^ usable
    assert Capabilities.of(can) is can
    assert "tags" not in can or Capability.TAGS in usable


def test_asking_for_what_is_not_there_says_why() -> None:
    """Before anything is sent (E1)."""
    can = Capabilities({**ALL, Capability.SINGLE_MAILS: unsupported("Mandrill is another product")})
    can.require(Capability.CAMPAIGNS, "mailchimp")
    with pytest.raises(Misconfigured, match="mailchimp does not do single-mails: unsupported: Mandrill is another"):
        can.require(Capability.SINGLE_MAILS, "mailchimp")


def test_a_plugin_says_what_it_can_do_without_being_made() -> None:
    """No key is needed to look at the table."""
    assert Capability.CAMPAIGNS in load_capabilities("memory")
    with pytest.raises(Misconfigured, match="nothing named 'acme'"):
        load_capabilities("acme")


def test_each_capability_is_explained() -> None:
    """The table in the docs shows the sentence."""
    assert all(one.says.endswith(".") for one in Capability)
    assert "tags" == f"{Capability.TAGS}"
