"""The suites themselves: waivers are honest, and nothing is replaced in silence."""

# ruff: noqa: D102 - the broken ones say in their class's docstring what they break

from collections.abc import Mapping
from typing import ClassVar
from unittest import SkipTest

import pytest

from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.ports import Capability, Esp
from lifecycle_mail.testing import EspConformance, StoreConformance
from lifecycle_mail.testing.conformance import does_not_apply, raises
from tests.test_memory import TestMemoryEsp as MemoryEspSuite
from tests.testing.suites import failing
from tests.testing.test_esps import UnstagesNobody


class Keeps(MemoryEsp):
    """An ESP that cannot take anybody out again."""

    unstage = UnstagesNobody.unstage


class Waived(MemoryEspSuite):
    """Says so."""

    waivers: ClassVar[Mapping[str, str]] = {
        "test_unstage_takes_out": "the provider has no call for it",
    }

    def make_esp(self) -> Esp:
        return Keeps()


def test_a_waived_test_is_skipped_with_its_reason() -> None:
    """And every other test runs, those about waivers among them."""
    assert set() == failing(Waived())
    error = raises(SkipTest, Waived().test_unstage_takes_out)
    assert "the provider has no call for it" in str(error)


@pytest.mark.parametrize(
    ("waivers", "complaint"),
    [
        ({"test_unstage_takes_uot": "typing"}, "no test of this suite is named that"),
        ({"make_esp": "typing"}, "no test of this suite is named that"),
        ({"test_no_test_is_replaced": "I would rather not"}, "no test of this suite is named that"),
        ({"test_every_waiver_is_needed": "I would rather not"}, "no test of this suite is named that"),
        ({"test_unstage_takes_out": "  "}, "without a reason"),
        ({"test_the_staged_read_back": "it did not work last year"}, "take the waiver out"),
    ],
)
def test_a_waiver_that_is_not_honest_fails(waivers: dict[str, str], complaint: str) -> None:
    """It names no test, gives no reason, or is not needed; and the two tests about waivers cannot be waived."""
    given = waivers

    class Suite(MemoryEspSuite):
        waivers: ClassVar[Mapping[str, str]] = given

        def make_esp(self) -> Esp:
            return Keeps()

    with pytest.raises(AssertionError, match=complaint):
        EspConformance.test_every_waiver_is_needed(Suite())


def test_a_waiver_for_what_does_not_apply_is_honest() -> None:
    """A test that the adapter's capabilities leave out anyway may be waived."""

    class Suite(MemoryEspSuite):
        waivers: ClassVar[Mapping[str, str]] = {"test_unstage_takes_out": "sends single mails only"}

        def make_esp(self) -> Esp:
            return MemoryEsp(capabilities={Capability.SINGLE_MAILS})

    assert set() == failing(Suite())


def test_a_test_that_is_replaced_in_silence_fails() -> None:
    """A weaker copy of a law would pass for the law; with a waiver and a reason it may stand."""

    class Silent(MemoryEspSuite):
        def make_esp(self) -> Esp:
            return Keeps()

        def test_unstage_takes_out(self) -> None:
            """Look away."""

    class Open(Silent):
        waivers: ClassVar[Mapping[str, str]] = {"test_unstage_takes_out": "the provider has no call for it"}

    assert {"test_no_test_is_replaced"} == failing(Silent())
    assert set() == failing(Open())


def test_a_suite_of_one_port_can_be_used_alone() -> None:
    """A store for contacts only proves contacts only."""
    from lifecycle_mail.testing.stores import ContactsConformance

    class Suite(ContactsConformance):
        def make_store(self) -> MemoryStore:
            return MemoryStore()

    assert set() == failing(Suite())
    assert not hasattr(Suite, "test_a_campaign_has_one_worker")


def test_every_law_is_written_down() -> None:
    """Each test of each suite has a sentence that says what must hold."""
    for suite in (StoreConformance, EspConformance):
        for name, law in suite._tests.items():
            assert (law.__doc__ or "").rstrip().endswith("."), name


def test_a_helper_that_expects_an_error_fails_without_one() -> None:
    """`raises` returns the error, lets others pass, and complains where none came."""
    assert "x" in str(raises(KeyError, lambda: {"y": 1}["x"]))
    with pytest.raises(AssertionError, match="KeyError, ValueError"):
        raises((KeyError, ValueError), lambda: None)
    with pytest.raises(SkipTest, match="because"):
        does_not_apply("because")
