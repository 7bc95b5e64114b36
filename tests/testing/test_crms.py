"""The suite for CRMs: what breaks a law is caught."""

# ruff: noqa: D102 - the broken ones say in their class's docstring what they break

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from lifecycle_mail.errors import EspError, EspUnavailable, OutcomeUnknown
from lifecycle_mail.memory import MemoryCrm
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.pictures import Picture
from lifecycle_mail.ports import Crm
from lifecycle_mail.testing import CrmConformance
from tests.test_memory import TestMemoryCrm as MemoryCrmSuite
from tests.testing.suites import breaks, failing


class ShowsOnce(MemoryCrm):
    """Keeps the first picture."""

    def show(self, pictures: Sequence[Picture]) -> Mapping[ContactId, EspError]:
        return super().show([one for one in pictures if one.contact_id not in self.shown])


class CountsShows(MemoryCrm):
    """Shows how often it was shown somebody."""

    def show(self, pictures: Sequence[Picture]) -> Mapping[ContactId, EspError]:
        before: dict[ContactId, Any] = dict(self.shown)
        refused = super().show(pictures)
        shown: dict[ContactId, Any] = self.shown
        for one in pictures:
            shown[one.contact_id] = (one, before.get(one.contact_id))
        return refused


class OneRefusalStopsAll(MemoryCrm):
    """Fails a whole batch for one contact."""

    def show(self, pictures: Sequence[Picture]) -> Mapping[ContactId, EspError]:
        for error in super().show(pictures).values():
            raise error
        return {}


class TakesLimitsForNo(MemoryCrm):
    """Refuses everybody when it is asked too often."""

    def show(self, pictures: Sequence[Picture]) -> Mapping[ContactId, EspError]:
        try:
            return super().show(pictures)
        except EspUnavailable as error:
            return {one.contact_id: error for one in pictures}


class TakesLostAnswersForDone(MemoryCrm):
    """Turns a cut connection into success."""

    def show(self, pictures: Sequence[Picture]) -> Mapping[ContactId, EspError]:
        try:
            return super().show(pictures)
        except OutcomeUnknown:
            return {}


class TellsOnce(MemoryCrm):
    """Forgets its news when it is fetched."""

    def changes(self, *, now: datetime) -> Sequence[Statement]:
        told = super().changes(now=now)
        self._news = []
        return told


class ForgetsNobody(MemoryCrm):
    """Keeps everybody."""

    def forget(self, contact_id: ContactId) -> None:  # noqa: ARG002
        return


class ForgetsEverybody(MemoryCrm):
    """Cannot tell whom to forget."""

    def forget(self, contact_id: ContactId) -> None:
        super().forget(contact_id)
        self.shown.clear()


CRMS: dict[type[MemoryCrm], str] = {
    ShowsOnce: "test_it_shows_what_it_is_shown",
    CountsShows: "test_showing_the_same_again_changes_nothing",
    OneRefusalStopsAll: "test_who_is_refused_stops_nobody_else",
    TakesLimitsForNo: "test_a_rate_limit_can_be_waited_out",
    TakesLostAnswersForDone: "test_a_lost_answer_is_unknown_and_may_be_repeated",
    TellsOnce: "test_what_it_says_is_told_until_it_is_stored",
    ForgetsNobody: "test_who_is_forgotten_is_unknown",
    ForgetsEverybody: "test_forgetting_again_or_somebody_unknown_changes_nothing",
}


@pytest.mark.parametrize(("broken", "caught_by"), CRMS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_crm_that_breaks_a_law_is_caught(broken: type[MemoryCrm], caught_by: str) -> None:
    """By the test of that law (E5)."""

    class Suite(MemoryCrmSuite):
        def make_crm(self) -> Crm:
            return broken()

    assert breaks(Suite(), caught_by)


def test_a_missing_hook_of_a_crm_fails_the_tests_that_need_it() -> None:
    """All but those that only ask the adapter itself."""

    class Bare(CrmConformance):
        def make_crm(self) -> Crm:
            return MemoryCrm()

    passed = set(Bare._tests) - failing(Bare())
    assert {"test_it_is_a_crm", "test_every_waiver_is_needed", "test_no_test_is_replaced"} == passed
