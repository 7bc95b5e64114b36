"""The watch over opt-outs: rates, alerts, and where they come from (O6)."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.measure.watch import Behind, Dimension, Voice, Watch, WatchRow, WatchRules, watch
from lifecycle_mail.model.provenance import OptOutReason
from lifecycle_mail.ports import Tally

DAY = date(2026, 3, 2)
OFFERS = Behind(lists={"offers": 1.0}, segment="spenders")


def counts(campaign: str = "spring", provider: str = "gmail", **marks: int) -> list[Tally]:
    """Return how often each mark was counted; `hard_bounced` is `hard-bounced`."""
    return [
        Tally(day=DAY, campaign=campaign, provider=provider, mark=mark.replace("_", "-"), count=count)
        for mark, count in marks.items()
    ]


def look(
    tallies: Iterable[Tally],
    voices: Iterable[Voice] = (),
    *,
    behind: Mapping[str, Behind] | None = None,
    rules: WatchRules | None = None,
) -> Watch:
    """Put them together."""
    return watch(
        tallies, voices, behind={"spring": OFFERS} if behind is None else behind, since=None, until=DAY,
        rules=rules or WatchRules(),
    )  # fmt: skip


def left(count: int, *, reason: OptOutReason | str = "", complaint: bool = False, **where: str) -> list[Voice]:
    """Return so many people who left through the campaign `spring`."""
    known = {"campaign": "spring", "list": "offers", "segment": "spenders", "provider": "gmail", **where}
    return [Voice(reason=reason, complaint=complaint, **known)] * count


def row(found: Watch, dimension: str, key: str) -> WatchRow:
    """Return one row."""
    (one,) = [each for each in found.of(dimension) if each.key == key]
    return one


# --- what is delivered -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marks", "delivered"),
    [
        ({"sent": 1000}, 1000),
        ({"sent": 1000, "hard_bounced": 20, "soft_bounced": 30, "dropped": 50}, 900),
        ({"sent": 1000, "hard_bounced": 20, "delivered": 970}, 970),
        ({"delivered": 970}, 970),
        ({"opened": 30}, 0),
        ({"hard_bounced": 3}, 0),
    ],
)
def test_what_counts_as_delivered(marks: dict[str, int], delivered: int) -> None:
    """What is reported as delivered; else what was sent without what bounced or was dropped."""
    assert delivered == look(counts("spring", "gmail", **marks)).total.delivered


def test_one_campaign_decides_for_itself() -> None:
    """Whether deliveries are reported is asked of each campaign as a whole, and not of each provider."""
    tallies = [
        *counts(sent=100, delivered=90), *counts(provider="yahoo", sent=100), *counts("news", "yahoo", sent=100),
    ]  # fmt: skip
    found = look(tallies)
    assert (90, 100, 190) == (
        row(found, "campaign", "spring").delivered, row(found, "campaign", "news").delivered, found.total.delivered,
    )  # fmt: skip
    assert (90, 100) == (row(found, "provider", "gmail").delivered, row(found, "provider", "yahoo").delivered)


def test_days_add_up() -> None:
    """The same campaign on two days is one row."""
    assert 300 == row(look([*counts(sent=100), *counts(sent=200)]), "campaign", "spring").delivered


# --- rates and alerts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "leaving", "alert"),
    [
        (1000, 5, False),  # at the threshold
        (1000, 6, True),
        (999, 100, False),  # too few to tell
        (1400, 7, False),
        (1400, 8, True),
        (3000, 15, False),
        (200_000, 1000, False),
        (200_000, 1001, True),
    ],
)
def test_an_alert_is_above_the_threshold_of_enough_mails(sent: int, leaving: int, alert: bool) -> None:
    """Above 0.5 % of at least 1,000 delivered (O6)."""
    found = look(counts(sent=sent), left(leaving))
    assert (alert, leaving / sent) == (row(found, "campaign", "spring").is_alert, found.total.rate)
    names = ["all mails", "campaign spring", "list offers", "provider gmail", "segment spenders"]
    assert (names if alert else []) == [one.name for one in found.alerts]


def test_the_interval_is_told() -> None:
    """A rate of few mails says how unsure it is."""
    one = row(look(counts(sent=1000), left(5)), "campaign", "spring")
    assert pytest.approx((0.00214, 0.01165), abs=5e-5) == one.interval
    assert "campaign spring: 5 of 1,000 left, 0.50 % (0.21 % to 1.17 %)" == str(one)


def test_rules_can_be_set() -> None:
    """Threshold and least number, and a baseline for the industry one is in (O6)."""
    assert look(counts(sent=1), left(1), rules=WatchRules(least=1)).alerts
    tallies, voices = counts(sent=500), left(2)
    assert () == look(tallies, voices).alerts
    assert look(tallies, voices, rules=WatchRules(0.003, 400)).alerts
    retail = WatchRules(0.5, 400, {"retail": 0.003, "software": 0.01}, "retail")
    assert look(tallies, voices, rules=retail).alerts
    software = WatchRules(0.0001, 400, baselines={"retail": 0.003, "software": 0.01}, industry="software")
    assert () == look(tallies, voices, rules=software).alerts


def test_re_engagement_has_its_own_baseline() -> None:
    """Asking the silent to stay loses more of them, and is no alert for that (O6)."""
    asking = {"stay": Behind(lists={"offers": 1.0}, re_engagement=True)}
    tallies = counts("stay", sent=10_000)
    assert () == look(tallies, left(90, campaign="stay"), behind=asking).alerts
    assert "campaign stay" in [one.name for one in look(tallies, left(101, campaign="stay"), behind=asking).alerts]


def test_a_mix_has_the_threshold_of_the_mix() -> None:
    """A list with half its mails of each kind may lose what both may together."""
    behind = {"spring": OFFERS, "stay": Behind(lists={"offers": 1.0}, re_engagement=True)}
    tallies = [*counts(sent=1000), *counts("stay", sent=1000)]
    assert pytest.approx(0.0075) == row(look(tallies, behind=behind), "list", "offers").threshold
    assert not row(look(tallies, left(15), behind=behind), "list", "offers").is_alert
    assert row(look(tallies, left(16), behind=behind), "list", "offers").is_alert


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0},
        {"threshold": 1},
        {"threshold": True},
        {"threshold": "0.5 %"},
        {"least": True},
        {"least": 0},
        {"least": 10.5},
        {"re_engagement": -0.1},
        {"baselines": {"retail": 5}},
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """A percentage written as 0.5 for 0.5 % is the caller's, but 5 is nobody's share."""
    with pytest.raises(InvalidInput):
        WatchRules(**wrong)
    with pytest.raises(UnknownName, match="retail"):
        WatchRules(baselines={"retail": 0.01}, industry="retial")


# --- where it comes from ---------------------------------------------------------------------------------------------


def test_an_alert_names_where_it_comes_from() -> None:
    """Campaigns, lists, segments and providers of those who left, the most first (O6)."""
    tallies = [*counts(sent=1000), *counts(provider="yahoo", sent=500), *counts("news", sent=800)]
    behind = {"spring": OFFERS, "news": Behind(lists={"news": 1.0})}
    voices = [*left(9), *left(3, provider="yahoo"), *left(2, campaign="news", list="news", segment="")]
    found = look(tallies, voices, behind=behind)
    assert "list offers (12), segment spenders (12), provider gmail (9), provider yahoo (3)" == (
        row(found, "campaign", "spring").comes_from
    )
    assert "campaign spring (9), campaign news (2), list offers (9), list news (2), segment spenders (9)" == (
        row(found, "provider", "gmail").comes_from
    )
    assert {"spring": 12, "news": 2} == dict(found.total.sources[Dimension.CAMPAIGN])


def test_lists_share_a_campaign_by_what_they_got() -> None:
    """A campaign behind which two lists stand is delivered to each in its share."""
    behind = {"spring": Behind(lists={"offers": 0.75, "news": 0.25})}
    found = look(counts(sent=1000, hard_bounced=100), behind=behind)
    assert (675, 225) == (row(found, "list", "offers").delivered, row(found, "list", "news").delivered)
    assert 75 == row(found, "list", "offers").marks["hard-bounced"]


def test_who_left_without_a_mail_is_counted() -> None:
    """Whoever leaves on the preference page counts for all, for the list and for the provider."""
    found = look(counts(sent=1000), [Voice(list="offers", provider="gmail")] * 7)
    assert (7, 0, 7) == (
        found.total.opt_outs, row(found, "campaign", "spring").opt_outs, row(found, "list", "offers").opt_outs,
    )  # fmt: skip
    stranger = look([], [Voice(list="offers")])
    assert (1, 0, None) == (stranger.total.opt_outs, stranger.total.delivered, stranger.total.rate)
    assert "list offers: 1 left, nothing delivered" == str(row(stranger, "list", "offers"))


# --- two questions ---------------------------------------------------------------------------------------------------


def test_delivery_and_relevance_are_kept_apart() -> None:
    """What happened to the mails is one list, what people said the other (O6)."""
    marks = {"sent": 2000, "hard_bounced": 60, "soft_bounced": 20, "dropped": 40, "opened": 100, "machine_opened": 300}
    voices = [
        *left(6, reason=OptOutReason.TOO_MANY), *left(3, reason=OptOutReason.NOT_RELEVANT),
        *left(2, reason=OptOutReason.NEVER_SIGNED_UP), *left(9), *left(3, complaint=True),
    ]  # fmt: skip
    one = row(look(counts("spring", "gmail", **marks), voices), "campaign", "spring")
    assert (
        "80 of 2,000 mails bounced (4.00 %): how old are the addresses?",
        "40 of 2,000 mails were dropped before they left: what does the provider hold against them?",
        "3 complained (0.16 %, and the alarm is at 0.1 %): is the way out easy to find?",
        "machines made 300 of 400 opens: who read these mails is hardly known",
    ) == one.delivery
    assert (
        "6 of 20 said too many: offer fewer mails, or a pause",
        "3 of 20 said not relevant: look at whom the segment picks, and at what the list promised",
        "2 of 20 said that they never signed up: look at how they came onto the list",
    ) == one.relevance
    assert 20 == one.opt_outs


@pytest.mark.parametrize("reason", [*OptOutReason, ""])
def test_every_reason_has_words(reason: str) -> None:
    """Each of the six, and none at all."""
    (words,) = row(look(counts(sent=1000), left(3, reason=reason)), "campaign", "spring").relevance
    assert words.startswith("3 of 3 " if reason else "nobody said why")


@pytest.mark.parametrize(("complaints", "asked"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_complaints_are_asked_about_at_a_thousandth(complaints: int, asked: int) -> None:
    """The alarm of the large mailbox providers is at 0.1 % (R7)."""
    one = row(look(counts(sent=2000), left(complaints, complaint=True)), "campaign", "spring")
    assert asked == len(one.delivery)


def test_a_quiet_campaign_raises_no_question() -> None:
    """Two bounces of a hundred are usual."""
    one = row(look(counts(sent=1000, hard_bounced=20, dropped=10, opened=9, machine_opened=9)), "campaign", "spring")
    assert ((), ()) == (one.delivery, one.relevance)


def test_it_reads_well() -> None:
    """A line for the whole, what is an alert with both questions, then the others, the largest first."""
    tallies = [*counts(sent=1000), *(tally for n in range(7) for tally in counts(f"c{n}", sent=100 + n))]
    text = str(look(tallies, left(6)))
    assert text.startswith("opt-outs to 2026-03-02; typical is 0.20 % to 0.50 %\nall mails: 6 of 1,721 left, 0.35 %")
    assert "\nalert: campaign spring: 6 of 1,000 left, 0.60 % (0.28 % to 1.30 %), above 0.50 %\n" in text
    assert (
        "  comes from: list offers (6), segment spenders (6), provider gmail (6)\n  delivery: nothing unusual\n" in text
    )
    assert "  campaign c6: 0 of 106 left, 0.00 % (0.00 % to 3.50 %)\n" in text
    assert "  and 2 of campaigns that are smaller\n" in text


def test_nothing_at_all_is_no_alert() -> None:
    """An empty registry has a watch, too."""
    found = look([])
    assert ((), (), 0, None) == (found.alerts, found.rows, found.total.delivered, found.total.rate)
    assert "all mails: 0 left, nothing delivered" in str(found)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["gmail", "yahoo", ""]), st.integers(0, 500))))
def test_the_parts_are_the_whole(sent: list[tuple[str, str, int]]) -> None:
    """What is delivered by campaign adds up to all, and by provider and list to what of it has one."""
    behind = {key: Behind(lists={"l": 0.5, "m": 0.5}) for key in "abc"}
    tallies = [tally for campaign, provider, count in sent for tally in counts(campaign, provider, sent=count)]
    found = look(tallies, behind=behind)
    total = sum(count for _, _, count in sent)
    assert total == found.total.delivered == sum(one.delivered for one in found.of("campaign"))
    assert sum(c for _, p, c in sent if p) == sum(one.delivered for one in found.of("provider"))
    assert abs(total - sum(one.delivered for one in found.of("list"))) <= 1
