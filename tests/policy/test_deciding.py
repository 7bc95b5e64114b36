"""Tiers and sunset: each row of each preset decides somebody, and nobody is sunset unasked (S1, S2, S10-S12)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.profiles import Snapshot
from lifecycle_mail.policy.deciding import decide, decide_one
from lifecycle_mail.policy.facts import Subject
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.settings import INACTIVE_DAYS, Cadence, Settings
from lifecycle_mail.policy.sunset import Action, Tier, sunset_table, tier_table
from lifecycle_mail.policy.tables import Otherwise, Rule, Table
from lifecycle_mail.policy.where import where
from tests.policy_strategies import MICROSECOND, NOW, ago, happened, held, opened, said_no, sent, silent_mails, subject

LONG_AGO = ago(2000)
RE, LAST = Purpose.RE_ENGAGEMENT, Purpose.LAST_CHANCE


def old(*events: Iterable[EngagementEvent], **more: Any) -> Subject:
    """Make somebody who signed up long ago, with this history."""
    return subject(events=[one for some in events for one in some], **{"signed_up_at": LONG_AGO, **more})


def ten_mails(*engaged: int) -> list[EngagementEvent]:
    """Send ten mails on the last ten days, of which these were opened the same day."""
    mails = [sent(day, f"m{day}") for day in range(1, 11)]
    return [*mails, *(opened(day - 0.5, f"m{day}") for day in engaged)]


def from_first(days: float) -> list[EngagementEvent]:
    """Send five mails that nobody opens, the first so many days ago."""
    return silent_mails([days, *(days - step / 10 for step in range(1, 5))])


def tier_witnesses(s: Settings) -> dict[str, tuple[Tier, Subject]]:
    """Return for each row of the tiers somebody whom it decides."""
    return {
        "new": (Tier.NEW, old(ten_mails(1, 3), signed_up_at=ago(29.9))),
        "too-little-mail": (Tier.UNKNOWN, old(silent_mails([900, 800, 700, 600]))),
        "deeply-inactive": (Tier.DEEPLY_INACTIVE, old(from_first(s.deep_days))),
        "inactive": (Tier.INACTIVE, old(from_first(s.inactive_days))),
        "silent-mails": (Tier.AT_RISK, old(from_first(s.inactive_days - 1))),
        "rate-fell": (Tier.AT_RISK, old(ten_mails(1, 3, 6, 7, 8, 9))),
        "no-sign-yet": (Tier.UNKNOWN, old(baseline=Snapshot(taken_at=NOW, mails=40))),
        "highly-engaged": (Tier.HIGHLY_ENGAGED, old(ten_mails(1, 2, 3, 6, 7))),
        "otherwise": (Tier.MODERATELY_ENGAGED, old(ten_mails(1, 3, 6, 8))),
    }


def asked_to_stay(*last_chance: float, first: float = 500) -> list[EngagementEvent]:
    """Ask somebody who never answered three times, and give them last chances."""
    return [
        *silent_mails([first, first - 1]),
        *silent_mails([60, 55, 50], purpose=RE),
        *silent_mails(last_chance, purpose=LAST),
    ]


def action_witnesses(s: Settings) -> dict[str, tuple[Action, Subject]]:
    """Return for each row of the actions somebody whom it decides."""
    suppressed = {kind: held("ann", kind, at=ago(20)) for kind in SuppressionKind}
    between = (s.inactive_days + s.sunset_after_days) / 2
    found = {
        "gone": (Action.LEAVE, old(entries=[suppressed[SuppressionKind.BOUNCE]])),
        "came-back": (
            Action.WELCOME_BACK,
            old([sent(30), opened(5, "d30")], entries=[suppressed[SuppressionKind.SUNSET]]),
        ),
        "sunset": (Action.LEAVE, old(entries=[suppressed[SuppressionKind.SUNSET]])),
        "paused": (Action.WAIT, old(entries=[held("ann", SuppressionKind.PAUSE, until=ago(-1))])),
        "no-evidence": (Action.WAIT, old()),
        "a-person-decides": (Action.HOLD, old(asked_to_stay(8), fields={"vip": True})),
        "unanswered": (Action.SUNSET, old(asked_to_stay(8))),
        "last-chance-open": (Action.OBSERVE, old(asked_to_stay(6))),
        "asked-enough": (Action.LAST_CHANCE, old(asked_to_stay())),
        "asked-early": (Action.OBSERVE, old(silent_mails([between, 62]), silent_mails([60, 55, 50], purpose=RE))),
        "silent": (Action.RE_ENGAGE, old(from_first(s.inactive_days))),
        "warning": (Action.WATCH, old(from_first(s.inactive_days - 1))),
        "otherwise": (Action.KEEP, old(ten_mails(1, 2, 3, 6, 7))),
    }
    if s.sunset_after_days <= s.inactive_days:
        del found["asked-early"]
    return found


HOLD = where.field("vip").as_predicate()
PRESETS = {cadence: Settings.for_cadence(cadence, hold=HOLD) for cadence in Cadence}
POLICIES = {cadence: Policy.for_cadence(cadence, hold=HOLD) for cadence in Cadence}


@pytest.mark.parametrize("cadence", Cadence)
class TestEveryRow:
    """No row of a preset is dead."""

    def test_tiers(self, cadence: Cadence) -> None:
        """Each row of the tiers decides its witness, and every row has one (S2)."""
        witnesses = tier_witnesses(PRESETS[cadence])
        policy = POLICIES[cadence]
        assert [*(rule.name for rule in policy.tiers.rules), "otherwise"] == list(witnesses)
        found = {name: decide_one(who, policy).tier for name, (_, who) in witnesses.items()}
        assert {name: (name, tier) for name, (tier, _) in witnesses.items()} == {
            name: (decision.rule.name, decision.outcome) for name, decision in found.items()
        }
        assert all(decision.reason for decision in found.values())

    def test_actions(self, cadence: Cadence) -> None:
        """Each row of the actions decides its witness, and every row has one (S10)."""
        witnesses = action_witnesses(PRESETS[cadence])
        policy = POLICIES[cadence]
        assert [*(rule.name for rule in policy.sunset.rules), "otherwise"] == list(witnesses)
        found = {name: decide_one(who, policy).action for name, (_, who) in witnesses.items()}
        assert {name: (name, action) for name, (action, _) in witnesses.items()} == {
            name: (decision.rule.name, decision.outcome) for name, decision in found.items()
        }

    def test_boundaries(self, cadence: Cadence) -> None:
        """Inactive begins at exactly so many days, and deeply inactive likewise (S1, S2)."""
        inactive, deep = INACTIVE_DAYS[cadence]
        policy = POLICIES[cadence]
        for days, below, at in ((inactive, Tier.AT_RISK, Tier.INACTIVE), (deep, Tier.INACTIVE, Tier.DEEPLY_INACTIVE)):
            history = from_first(days)
            found = [
                decide_one(old(history, now=NOW + shift), policy).tier.outcome for shift in (-MICROSECOND, timedelta(0))
            ]
            assert [below, at] == found

    def test_boundaries_after_an_open(self, cadence: Cadence) -> None:
        """The same holds from the last sign of interest, whatever was sent before it (S1)."""
        inactive, _ = INACTIVE_DAYS[cadence]
        history = [*from_first(inactive + 100), happened(EventKind.CLICKED, inactive, f"d{inactive + 100:g}")]
        assert Tier.INACTIVE == decide_one(old(history), POLICIES[cadence]).tier.outcome
        assert Tier.INACTIVE != decide_one(old(history, now=NOW - MICROSECOND), POLICIES[cadence]).tier.outcome


WEEKLY = Policy.for_cadence("weekly")


def test_the_numbers_of_the_requirements() -> None:
    """The defaults are those that the requirements give (S1, S2)."""
    assert {"daily": 45, "weekly": 75, "fortnightly": 100, "monthly": 120, "quarterly": 270} == {
        cadence.value: days for cadence, (days, _) in INACTIVE_DAYS.items()
    }
    assert all(deep >= 180 for _, deep in INACTIVE_DAYS.values())
    s = Settings.for_cadence("weekly")
    assert (5, 30, 0.5, 10, 0.5, 180, 7) == (
        s.evidence_mails, s.new_days, s.high_share, s.high_mails, s.at_risk_ratio, s.sunset_after_days, s.answer_days,
    )  # fmt: skip
    assert s.at_risk_mails in (2, 3)


class TestTiers:
    """The examples of S2."""

    @pytest.mark.parametrize(
        ("who", "tier"),
        [
            (old(ten_mails(1, 2), signed_up_at=ago(30) + MICROSECOND), Tier.NEW),
            (old(ten_mails(1, 2, 3, 6, 7), signed_up_at=ago(30)), Tier.HIGHLY_ENGAGED),
            (old(silent_mails([500, 400, 300, 200])), Tier.UNKNOWN),
            (old(silent_mails([500, 400, 300, 200, 100])), Tier.DEEPLY_INACTIVE),
            (old(silent_mails([40, 30, 20, 10]), [sent(5, "x"), happened(EventKind.SOFT_BOUNCED, 5, "x")]),
            Tier.UNKNOWN),
            (old(silent_mails([40, 30, 20, 10]), [sent(5, "x", purpose=Purpose.TRANSACTIONAL)]), Tier.UNKNOWN),
            (old(ten_mails(4, 5, 6, 7, 8)), Tier.AT_RISK),
            (old(ten_mails(3, 5, 6, 8)), Tier.MODERATELY_ENGAGED),
            (old(ten_mails(1, 6, 7)), Tier.AT_RISK),
            (old(ten_mails(1, 2, 6, 7, 8)), Tier.HIGHLY_ENGAGED),
            (old(ten_mails(1, 2, 6, 7, 8, 9)), Tier.AT_RISK),
            (old(ten_mails(1, 6)), Tier.MODERATELY_ENGAGED),
            (old([*ten_mails(), *(happened(EventKind.OPENED, 1, f"m{n}", evidence=Evidence.MACHINE) for n in range(1,
            11))]),
             Tier.AT_RISK),
        ],
        ids=[
            "new until its last microsecond", "new no more", "four mails are no evidence", "five are",
            "a bounce is none",
            "a receipt is none", "three silent mails", "two silent mails", "rate halved", "rate of two thirds",
            "rate halved of four",
            "rate kept", "only machines opened",
        ],
    )  # fmt: skip
    def test_examples(self, who: Subject, tier: Tier) -> None:
        """New, unknown for want of evidence, at risk by silence or a halved rate, highly or moderately engaged (S2)."""
        assert tier == decide_one(who, WEEKLY).tier.outcome

    @pytest.mark.parametrize(
        "kind", [k for k in SuppressionKind if k not in (SuppressionKind.SUNSET, SuppressionKind.PAUSE)]
    )
    def test_gone(self, kind: SuppressionKind) -> None:
        """Nobody is asked, or sunset, who is out already."""
        who = old(asked_to_stay(8), entries=[held("ann", kind)])
        assert Action.LEAVE == decide_one(who, WEEKLY).action.outcome

    def test_out_of_all(self) -> None:
        """Who said no to everything is left alone (O2)."""
        assert (
            Action.LEAVE
            == decide_one(old(asked_to_stay(8), entries=[said_no("ann", Scope.all())]), WEEKLY).action.outcome
        )

    def test_hold(self) -> None:
        """A person decides about those whom the policy holds, when they would be sunset and not before (S10)."""
        policy = POLICIES[Cadence.WEEKLY]
        for events, expected in (
            (asked_to_stay(8), Action.HOLD),
            (asked_to_stay(6), Action.OBSERVE),
            (asked_to_stay(), Action.LAST_CHANCE),
        ):
            assert expected == decide_one(old(events, fields={"vip": True}), policy).action.outcome
        assert Action.SUNSET == decide_one(old(asked_to_stay(8), fields={"vip": False}), policy).action.outcome

    @pytest.mark.parametrize(("days", "expected"), [(7 + 90 - 0.01, Action.OBSERVE), (7 + 90, Action.SUNSET)])
    def test_observe(self, days: float, expected: Action) -> None:
        """The answer's days and the days to observe come one after the other (S7, S10)."""
        policy = Policy.for_cadence("weekly", observe_days=90)
        history = [*silent_mails([500, 490]), *silent_mails([130, 120, 110], purpose=RE), sent(days, purpose=LAST)]
        assert expected == decide_one(old(history), policy).action.outcome

    def test_a_last_chance_alone(self) -> None:
        """A last chance sent by hand sunsets nobody who was not asked before (S10)."""
        history = [*from_first(500), sent(30, purpose=LAST)]
        assert Action.RE_ENGAGE == decide_one(old(history), WEEKLY).action.outcome

    def test_a_sign_ends_it(self) -> None:
        """Any sign of interest at any point starts it all over (S6)."""
        for kind in (EventKind.OPENED, EventKind.CLICKED, EventKind.REPLIED, EventKind.CONVERTED):
            decided = decide_one(old(asked_to_stay(30), [happened(kind, 1, "d500")]), WEEKLY)
            assert Action.SUNSET != decided.action.outcome
            assert Tier.MODERATELY_ENGAGED == decided.tier.outcome


# --- laws -------------------------------------------------------------------------------------------------------------

FATES = ("silent",) * 8 + ("opened", "clicked", "machine", "bounced", "twice")


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, Purpose, str]]:
    """Draw mails with what became of each; many run the whole way to the last chance."""
    purposes = st.sampled_from((Purpose.REGULAR, RE, RE, LAST, Purpose.TRANSACTIONAL))
    mail = st.tuples(st.integers(0, 400), purposes, st.sampled_from(FATES))
    mails: list[tuple[int, Purpose, str]] = draw(st.lists(mail, max_size=6))
    if draw(st.booleans()):
        fate = st.sampled_from((*["silent"] * 30, *FATES))
        first = draw(st.integers(150, 400))
        mails += [(first + n, Purpose.REGULAR, draw(fate)) for n in range(draw(st.integers(0, 3)))]
        mails += [(40 + 5 * n, RE, draw(fate)) for n in range(draw(st.integers(1, 4)))]
        mails += [(draw(st.integers(0, 30)), LAST, draw(fate))]
    return mails


def told(history: Iterable[tuple[int, Purpose, str]]) -> list[EngagementEvent]:
    """Turn such a history into events."""
    events = []
    for number, (day, purpose, fate) in enumerate(history):
        mail = f"m{number}"
        events.append(sent(day, mail, purpose=purpose))
        if fate in ("opened", "clicked"):
            events.append(happened(EventKind[fate.upper()], day - 0.25, mail))
        elif fate == "machine":
            events.append(happened(EventKind.OPENED, day - 0.25, mail, evidence=Evidence.MACHINE))
        elif fate == "bounced":
            events.append(happened(EventKind.SOFT_BOUNCED, day, mail))
        elif fate == "twice":
            events.append(sent(day - 0.1, mail, purpose=purpose))
    return events


def must_be_sunset(history: list[tuple[int, Purpose, str]], s: Settings) -> bool:
    """Judge by hand: enough evidence, silent for long enough, asked often enough, and the last chance unanswered."""
    arrived = [
        (day, purpose) for day, purpose, fate in history if fate != "bounced" and purpose is not Purpose.TRANSACTIONAL
    ]
    signs = [day - 0.25 for day, _, fate in history if fate in ("opened", "clicked")]
    if len(arrived) < s.evidence_mails:
        return False
    silent_for = min(signs) if signs else max(day for day, _ in arrived)
    since = [(day, purpose) for day, purpose in arrived if not signs or day < min(signs)]
    asks = sum(purpose in (RE, LAST) for _, purpose in since)
    last_chances = [day for day, purpose in since if purpose is LAST]
    return (
        silent_for >= max(s.inactive_days, s.sunset_after_days)
        and asks >= s.re_engagement_mails
        and bool(last_chances)
        and min(last_chances) >= s.answer_days + s.observe_days
    )


some_settings = st.builds(
    Settings,
    inactive_days=st.sampled_from((30, 75)),
    deep_days=st.sampled_from((75, 300)),
    evidence_mails=st.sampled_from((1, 5)),
    sunset_after_days=st.sampled_from((20, 180, 365)),
    re_engagement_mails=st.sampled_from((1, 3)),
    answer_days=st.sampled_from((0, 7)),
    observe_days=st.sampled_from((0, 14)),
)


class TestLaws:
    """Of any history."""

    @settings(max_examples=500)
    @given(histories(), some_settings)
    def test_sunset_exactly_those(self, history: list[tuple[int, Purpose, str]], s: Settings) -> None:
        """Sunset are those who were silent, asked, and left the last chance unanswered, and nobody else (S10, S11)."""
        policy = Policy(name="p", tiers=tier_table(s), sunset=sunset_table(s))
        found = decide_one(old(told(history)), policy).action.outcome
        event(found)
        assert must_be_sunset(history, s) is (found == Action.SUNSET)

    @settings(max_examples=200)
    @given(
        st.lists(st.tuples(st.integers(0, 900), st.sampled_from(Purpose), st.sampled_from(FATES)), max_size=12),
        st.sampled_from(Cadence),
    )
    def test_no_evidence_no_sunset(self, history: list[tuple[int, Purpose, str]], cadence: Cadence) -> None:
        """With fewer than five mails that arrived nobody is sunset, however often they were reported (S2)."""
        arrived = [(day, p, fate) for day, p, fate in history if fate != "bounced" and p is not Purpose.TRANSACTIONAL]
        few = [one for one in history if one not in arrived[4:]]
        decided = decide_one(old(told(few)), POLICIES[cadence])
        if len([one for one in few if one in arrived]) < 5:
            assert Tier.UNKNOWN == decided.tier.outcome
            assert Action.WAIT == decided.action.outcome

    @settings(max_examples=50)
    @given(st.lists(histories(), max_size=4), st.randoms())
    def test_same_every_time(self, people: list[list[tuple[int, Purpose, str]]], random: Any) -> None:
        """The same people give the same rows in the same order, whatever order they come in (S12)."""
        subjects = [subject(f"c{place}", events=told(history)) for place, history in enumerate(people)]
        shuffled = random.sample(subjects, len(subjects))
        one, other = decide(subjects, WEEKLY), decide(shuffled, WEEKLY)
        assert [row.as_row() for row in one] == [row.as_row() for row in other]
        assert sorted(row.contact_id for row in one) == [row.contact_id for row in one]
        assert len(people) == len(one) == sum(one.by_tier().values()) == sum(one.by_action().values())
        assert {WEEKLY.version} >= {row.policy_version for row in one}


class TestRows:
    """What is exported, and what is explained."""

    def test_row(self) -> None:
        """A row names tier, action, the reasons of both, both rules, and the version of the policy (S12)."""
        row = decide_one(old(asked_to_stay(8)), WEEKLY).as_row()
        assert {
            "contact_id": "ann",
            "email": "ann@example.com",
            "tier": "deeply-inactive",
            "action": "sunset",
            "rule": "deeply-inactive/unanswered",
            "policy_version": WEEKLY.version,
        } == {name: value for name, value in row.items() if name != "reason"}
        assert row["reason"].endswith("; did not answer the last chance of 8 days ago")
        assert "500 days" in row["reason"]

    def test_nobody_without_an_address(self) -> None:
        """A contact without an address is decided like everybody else."""
        assert "" == decide_one(old(address=None), WEEKLY).as_row()["email"]

    def test_explanation(self) -> None:
        """An explanation has both tables, each with one row that decided."""
        text = decide_one(old(asked_to_stay(8)), WEEKLY).explain()
        assert 2 == text.count("=>")
        assert text.startswith("tier: deeply-inactive")
        assert "\nsunset action: sunset (unanswered)" in text

    def test_summary(self) -> None:
        """The summary counts tiers and next steps, the most frequent first."""
        people = [subject(who, events=ten_mails(1, 2, 3, 6, 7)) for who in ("a", "b")]
        made = decide([*people, subject("c")], WEEKLY)
        assert "3 contacts: highly-engaged 2, unknown 1\nnext: keep 2, wait 1" == str(made)
        assert 3 == len(made)

    def test_a_tier_of_ones_own(self) -> None:
        """The actions read whatever tier the first table gives, its case folded."""
        tiers = Table(name="tier", rules=[], otherwise=Otherwise(then="Inactive"))
        sunset = Table(
            name="a", rules=[Rule(name="r", when=where.tier == "INACTIVE", then="x")], otherwise=Otherwise(then="y")
        )
        assert "x" == decide_one(subject(), Policy(name="p", tiers=tiers, sunset=sunset)).action.outcome
