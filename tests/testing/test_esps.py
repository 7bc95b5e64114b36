"""The suite for ESPs: what breaks a law is caught."""

# ruff: noqa: ARG002, D102 - the broken ones say in their class's docstring what they break

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, cast

import pytest
from attrs import evolve

from lifecycle_mail.errors import EspUnavailable
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.intake import Left, Statement
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Capability, Content, Esp, Handled
from lifecycle_mail.testing import EspConformance
from lifecycle_mail.testing.conformance import raises
from tests.test_memory import TestMemoryEsp as MemoryEspSuite
from tests.testing.suites import breaks, failing


class StagesAnybody(MemoryEsp):
    """Does not look whether somebody was screened."""

    @staticmethod
    def _require_screened(recipient: Screened, campaign: CampaignKey | None) -> None:
        pass

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        return super().stage(campaign, [one for one in recipients if isinstance(one, Screened)], content=content)


class StagesTwice(MemoryEsp):
    """Mails who was staged twice two times."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.again: list[Any] = []

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        known = set(self._staged[campaign])
        handled = super().stage(campaign, recipients, content=content)
        self.again += [self._staged[campaign][one] for one in known & set(handled.accepted)]
        return handled

    def release(self, campaign: CampaignKey) -> None:
        super().release(campaign)
        self.outbox += self.again


class SendsWhileStaging(MemoryEsp):
    """Does not wait for the release."""

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        handled = super().stage(campaign, recipients, content=content)
        self.outbox += self._staged[campaign].values()
        return handled


class ReleasesTwice(MemoryEsp):
    """Sends again when told again."""

    def release(self, campaign: CampaignKey) -> None:
        self._released.discard(campaign)
        super().release(campaign)


class StagesAfterRelease(MemoryEsp):
    """Takes people into a campaign that has left."""

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        released = campaign in self._released
        self._released.discard(campaign)
        handled = super().stage(campaign, recipients, content=content)
        if released:
            self._released.add(campaign)
        return handled


class OneRefusalStopsAll(MemoryEsp):
    """Fails a whole chunk for one recipient."""

    def stage(self, campaign: CampaignKey, recipients: Sequence[Screened], *, content: Content | None) -> Handled:
        handled = super().stage(campaign, recipients, content=content)
        for error in handled.refused.values():
            raise error
        return handled


class UnstagesNobody(MemoryEsp):
    """Keeps everybody."""

    def unstage(self, campaign: CampaignKey, contact_ids: Collection[ContactId]) -> None:
        pass


class TakesLostAnswersForNo(MemoryEsp):
    """Turns every cut connection into "not done"."""

    def _as_refusal(self, call: Callable[[], None]) -> None:
        from lifecycle_mail.errors import OutcomeUnknown

        try:
            call()
        except OutcomeUnknown as error:
            raise EspUnavailable(esp=self.name, operation="any") from error

    def release(self, campaign: CampaignKey) -> None:
        self._as_refusal(lambda: super(TakesLostAnswersForNo, self).release(campaign))

    def send(self, recipient: Screened, *, content: Content | None) -> None:
        self._as_refusal(lambda: super(TakesLostAnswersForNo, self).send(recipient, content=content))


class SaysNoTooEasily(MemoryEsp):
    """Denies every mail."""

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        return False


class EchoesLate(MemoryEsp):
    """Dates its report by when the person said no, hours before the push."""

    def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
        super().suppress(opt_out, contact, at=opt_out.provenance.at)


class NewIdsEachTime(MemoryEsp):
    """Reports the same news under new ids and times whenever it is asked."""

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        self.told = [*getattr(self, "told", []), *super().reports(now=now)]
        return [
            evolve(
                one,
                event_id=f"{one.event_id}-{now}-{turn}",
                provenance=evolve(one.provenance, at=now.replace(day=9 + turn)),
            )
            for turn, one in enumerate(self.told * 2)
            if isinstance(one, Left)
        ]


class SaysNothing(MemoryEsp):
    """Reports no opt-out."""

    def reports(self, *, now: datetime) -> Sequence[Statement]:
        super().reports(now=now)
        return []


class ListsUnderNewIds(MemoryEsp):
    """Gives each no on its list an id of its own, whenever it is asked."""

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        for number, one in enumerate(super().opt_outs(since=since, now=now)):
            assert isinstance(one, Left)
            yield evolve(one, event_id=f"listed-{now}-{number}")


class ListsOnlyTheNews(MemoryEsp):
    """Leaves out of its list what was reported."""

    def opt_outs(self, *, since: datetime | None, now: datetime) -> Iterable[Statement]:
        return [one for one in super().opt_outs(since=since, now=now) if since is not None]


class ForgetsTheListOnly(MemoryEsp):
    """Goes on telling of who was forgotten."""

    def forget(self, contact: Contact) -> None:
        news = list(self._news)
        super().forget(contact)
        self._news = news


class MailsTheForgotten(MemoryEsp):
    """Leaves who was forgotten in its campaigns."""

    def forget(self, contact: Contact) -> None:
        staged = {campaign: dict(found) for campaign, found in self._staged.items()}
        super().forget(contact)
        self._staged.update(staged)


class KnowsWhomItForgets(MemoryEsp):
    """Takes it for an error to forget a stranger."""

    def forget(self, contact: Contact) -> None:
        raise EspUnavailable(esp=self.name, operation="forget", status=404)


class ClaimsTooMuch:
    """Claims what it has no methods for."""

    name = "boaster"
    capabilities = frozenset(Capability)


ESPS: dict[type, str] = {
    StagesAnybody: "test_nobody_is_staged_unscreened",
    StagesTwice: "test_staging_twice_stages_once",
    SendsWhileStaging: "test_nothing_leaves_before_release",
    ReleasesTwice: "test_release_sends_to_all_who_are_staged_once",
    StagesAfterRelease: "test_a_released_campaign_takes_nobody_in",
    OneRefusalStopsAll: "test_one_refused_recipient_does_not_stop_the_others",
    UnstagesNobody: "test_unstage_takes_out",
    TakesLostAnswersForNo: "test_a_release_whose_answer_is_lost_is_unknown",
    SaysNoTooEasily: "test_a_mail_is_sent_to_whom_it_is_for",
    EchoesLate: "test_an_echo_is_recognised",
    NewIdsEachTime: "test_a_no_that_is_reported_twice_is_one",
    SaysNothing: "test_a_no_at_the_provider_is_reported",
    ListsUnderNewIds: "test_a_no_that_is_reported_and_listed_is_one",
    ListsOnlyTheNews: "test_who_left_at_the_provider_is_on_its_list",
    ForgetsTheListOnly: "test_who_was_forgotten_is_told_of_no_more",
    MailsTheForgotten: "test_who_was_forgotten_is_mailed_nothing",
    KnowsWhomItForgets: "test_forgetting_again_or_somebody_unknown_changes_nothing",
    ClaimsTooMuch: "test_it_can_do_what_it_claims",
}


@pytest.mark.parametrize(("broken", "caught_by"), ESPS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_an_esp_that_breaks_a_law_is_caught(broken: type, caught_by: str) -> None:
    """By the test of that law (E5)."""

    class Suite(MemoryEspSuite):
        def make_esp(self) -> Esp:
            return cast(Esp, broken())

    assert breaks(Suite(), caught_by)


def test_a_missing_hook_fails_the_tests_that_need_it() -> None:
    """And says what to define; nothing passes because the suite could not look."""

    class Bare(EspConformance):
        def make_esp(self) -> Esp:
            return MemoryEsp()

    failed = failing(Bare())
    assert {"test_nothing_leaves_before_release", "test_one_refused_recipient_does_not_stop_the_others"} <= failed
    error = raises(NotImplementedError, Bare().test_nothing_leaves_before_release)
    assert "define left()" in str(error)
    assert {"test_the_staged_read_back", "test_it_can_do_what_it_claims"}.isdisjoint(failed)
