"""Where in a sequence interest falls off (S3)."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.falloff import FallOff, Step, find_fall_off, steps
from tests.policy_strategies import NOW

SERIES = ("mail-1", "mail-2", "mail-3", "mail-4", "mail-5")


def went(who: int, campaign: str, kind: EventKind, evidence: Evidence = Evidence.UNKNOWN) -> EngagementEvent:
    """Let something happen to a mail of the series."""
    return EngagementEvent(
        contact_id=ContactId(f"c{who}"),
        kind=kind,
        at=NOW,
        mail=f"{campaign}-{who}",
        campaign=campaign,
        evidence=evidence,
    )


def series(opened: dict[str, int], people: int = 100) -> list[EngagementEvent]:
    """Send the series to everybody; so many open each mail."""
    sent = [went(who, key, EventKind.SENT) for key in SERIES for who in range(people)]
    return sent + [went(who, key, EventKind.OPENED) for key, count in opened.items() for who in range(count)]


def test_the_fourth_mail_is_found() -> None:
    """The mail before which most interest is lost is named, with both rates, so that one can mend it."""
    events = series({"mail-1": 60, "mail-2": 58, "mail-3": 55, "mail-4": 20, "mail-5": 19})
    found = find_fall_off(steps(events, SERIES))
    assert found is not None
    assert (4, "mail-4", "mail-3") == (found.place, found.at.campaign, found.before.campaign)
    assert "mail 4 (mail-4): 20% of 100 engaged, after 55% of 100 with the mail before" == str(found)


@pytest.mark.parametrize(
    "opened", [{}, dict.fromkeys(SERIES, 40), {"mail-1": 30, "mail-2": 28}, dict.fromkeys(SERIES, 100)]
)
def test_chance_is_no_fall(opened: dict[str, int]) -> None:
    """No interest at all, a steady one, and a difference that chance explains are no fall."""
    counted = steps(series({**dict.fromkeys(SERIES, 28 if 0 < len(opened) < 5 else 0), **opened}), SERIES)
    assert find_fall_off(counted) is None


def test_machines_and_strangers_do_not_count() -> None:
    """A machine's open is no interest (R18), and an open of a mail that was not sent to them counts for no step."""
    events = [
        went(1, "mail-1", EventKind.SENT),
        went(1, "mail-1", EventKind.OPENED, Evidence.MACHINE),
        went(2, "mail-1", EventKind.CLICKED),
        went(3, "another", EventKind.OPENED),
    ]
    assert (Step(campaign="mail-1", sent=1, engaged=0),) == steps(events, ["mail-1"])
    assert Step(campaign="mail-9", sent=0, engaged=0).rate is None


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 100), min_size=5, max_size=5))
def test_any_order_and_any_repetition(random: Random, opened: list[int]) -> None:
    """Events in any order, told twice, give the same steps; a fall is one between neighbours, and downwards."""
    events = series(dict(zip(SERIES, opened, strict=True)))
    told = [*events, *events[:50]]
    random.shuffle(told)
    counted = steps(events, SERIES)
    assert counted == steps(told, SERIES)
    assert opened == [step.engaged for step in counted]
    found = find_fall_off(counted)
    if isinstance(found, FallOff):
        assert counted[found.place - 2 : found.place] == (found.before, found.at)
        assert found.before.engaged > found.at.engaged
