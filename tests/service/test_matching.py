"""How addresses are matched is settled once for a registry: a no is found by whoever opens it later (F61)."""

import pytest

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.model.addresses import MatchRules, parse_address
from lifecycle_mail.model.intake import Known, Who
from lifecycle_mail.model.lists import Scope
from tests.service.worlds import NOW, world

TAGS = MatchRules(plus_tags=True)
BOTH = MatchRules(plus_tags=True, gmail_dots=True)


def test_a_registry_keeps_its_rules() -> None:
    """Who opens it later and says nothing goes by them, and finds the no of every spelling."""
    mail = world(match=BOTH)
    mail.opt_out("a.da+offers@gmail.com", scope=Scope.all(), now=NOW)
    later = world(store=mail.store)
    assert (BOTH, BOTH) == (mail.match, later.match)
    assert ["out-of-all"] == [one.held for one in later.screen_addresses(["ada@gmail.com"], now=NOW)]
    assert BOTH == world(store=mail.store, match=BOTH).match


@pytest.mark.parametrize("wanted", [TAGS, MatchRules()])
def test_other_rules_than_those_of_the_registry_are_refused(wanted: MatchRules) -> None:
    """By them nobody's earlier no would be found: the defaults that are named are refused like others."""
    mail = world(match=BOTH)
    with pytest.raises(Misconfigured, match=r"matches addresses with .*plus_tags=True.*leave out match="):
        world(store=mail.store, match=wanted)
    assert BOTH == world(store=mail.store).match


def test_a_registry_that_holds_anything_goes_by_the_defaults_for_good() -> None:
    """A no of somebody who is no contact is enough, and so is a contact without a word in the log."""
    ada = parse_address("ada@example.com")
    with_a_no, with_a_contact = world(), world()
    with_a_no.opt_out(str(ada), scope=Scope.all(), now=NOW)
    with_a_contact.receive([Known(who=Who("ada", ada))], now=NOW)
    for mail in (with_a_no, with_a_contact):
        with pytest.raises(Misconfigured, match="export what it holds into a new registry"):
            world(store=mail.store, match=TAGS)
        assert MatchRules() == world(store=mail.store).match


def test_the_first_of_two_that_open_an_empty_registry_settles_it() -> None:
    """Both may ask for the same; one that asks for something else comes too late."""
    store = world().store
    assert TAGS == world(store=store, match=TAGS).match == world(store=store, match=TAGS).match
    with pytest.raises(Misconfigured):
        world(store=store, match=BOTH)


def test_a_version_of_rules_is_read_back() -> None:
    """Each is told by its version, and one that nobody knows is refused."""
    for rules in (MatchRules(), TAGS, MatchRules(gmail_dots=True), BOTH):
        assert rules == MatchRules.of_version(rules.version)
    for unknown in ("", "2", "1pd", "1x"):
        with pytest.raises(InvalidInput, match="1, 1d, 1p, 1dp"):
            MatchRules.of_version(unknown)
