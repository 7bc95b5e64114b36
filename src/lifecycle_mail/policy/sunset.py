"""Tiers of engagement and the sunset policy, as tables built from settings (S1, S2, S10-S12).

The first table puts a contact in a tier; the second reads the tier and says what happens next. Sunset suppresses, it
deletes nobody (S11), and only those are sunset who were asked to stay, by re-engagement mails and a last chance, and
did not answer. A campaign of re-engagement ends with the first sign of interest, because every fact it rests on is
counted from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.policy.facts import fact_named
from lifecycle_mail.policy.operators import Op
from lifecycle_mail.policy.predicates import NOBODY, Leaf
from lifecycle_mail.policy.settings import Settings
from lifecycle_mail.policy.tables import Otherwise, Rule, Table
from lifecycle_mail.policy.where import where


class Tier(StrEnum):
    """How engaged a contact is (S2). A policy may name its own instead."""

    NEW = "new"
    UNKNOWN = "unknown"
    DEEPLY_INACTIVE = "deeply-inactive"
    INACTIVE = "inactive"
    AT_RISK = "at-risk"
    HIGHLY_ENGAGED = "highly-engaged"
    MODERATELY_ENGAGED = "moderately-engaged"


class Action(StrEnum):
    """What the sunset policy does next."""

    KEEP = "keep"
    WATCH = "watch"
    WAIT = "wait"
    RE_ENGAGE = "re-engage"
    OBSERVE = "observe"
    LAST_CHANCE = "last-chance"
    HOLD = "hold"
    SUNSET = "sunset"
    WELCOME_BACK = "welcome-back"
    LEAVE = "leave"


UNRESPONSIVE = "unresponsive"
"""The tag of contacts whom a re-engagement campaign may filter by, here and at the ESP (S12)."""

UNRESPONSIVE_ACTIONS = frozenset({Action.RE_ENGAGE, Action.OBSERVE, Action.LAST_CHANCE, Action.HOLD, Action.SUNSET})
"""The next steps of contacts who carry it."""

ENGAGED_ACTIONS = frozenset({Action.KEEP, Action.WATCH, Action.WELCOME_BACK})
"""The next steps of contacts who carry it no longer."""


def tier_table(s: Settings) -> Table:
    """Build the table of tiers. A contact is in the first tier whose row holds."""
    return Table(
        name="tier",
        rules=[
            Rule(name="new", when=where.days_since_signup < s.new_days, then=Tier.NEW,
                 because="signed up {days_since_signup} days ago"),
            Rule(name="too-little-mail", when=where.mails_tracked < s.evidence_mails, then=Tier.UNKNOWN,
                 because=f"{{mails_tracked}} mails tracked, {s.evidence_mails} are needed to tell"),
            Rule(name="deeply-inactive", when=where.days_inactive >= s.deep_days, then=Tier.DEEPLY_INACTIVE,
                 because=f"no sign of interest for {{days_inactive}} days, {s.deep_days:g} make deeply inactive"),
            Rule(name="inactive", when=where.days_inactive >= s.inactive_days, then=Tier.INACTIVE,
                 because=f"no sign of interest for {{days_inactive}} days, {s.inactive_days:g} make inactive"),
            Rule(name="silent-mails", when=where.mails_since_engagement >= s.at_risk_mails, then=Tier.AT_RISK,
                 because="{mails_since_engagement} mails in a row without a sign of interest"),
            Rule(name="rate-fell", when=where.engagement_ratio <= s.at_risk_ratio, then=Tier.AT_RISK,
                 because="engages with {engagement_ratio} times as many mails as before"),
            Rule(name="no-sign-yet", when=where.last_engagement.is_missing(), then=Tier.UNKNOWN,
                 because="no sign of interest, and too few mails without one to tell"),
            Rule(name="highly-engaged", when=where.opened_share(s.high_mails) >= s.high_share, then=Tier.HIGHLY_ENGAGED,
                 because=f"engaged with {{opened_share:{s.high_mails}}} of the latest {s.high_mails} mails"),
        ],
        otherwise=Otherwise(then=Tier.MODERATELY_ENGAGED, because="engages now and then, {days_inactive} days ago"),
    )  # fmt: skip


def sunset_table(s: Settings) -> Table:
    """Build the table of actions over the standard tiers."""
    silent = where.tier.is_in([Tier.INACTIVE, Tier.DEEPLY_INACTIVE])
    asked = where.re_engagement_mails >= s.re_engagement_mails
    long_enough = where.days_inactive >= s.sunset_after_days
    unanswered = where.days_since_last_chance >= s.answer_days + s.observe_days
    answering = where.days_since_last_chance < s.answer_days + s.observe_days
    held = [
        Rule(name="a-person-decides", when=silent & asked & unanswered & long_enough & s.hold, then=Action.HOLD,
             because="would be sunset, but a person decides about such contacts (S10)"),
    ] if s.hold != NOBODY else []  # fmt: skip
    early = [
        Rule(name="asked-early", when=silent & asked, then=Action.OBSERVE,
             because=f"{{re_engagement_mails}} mails unanswered; sunset waits for {s.sunset_after_days:g} days"),
    ] if s.sunset_after_days > s.inactive_days else []  # fmt: skip
    return Table(
        name="sunset action",
        rules=[
            Rule(name="gone", when=where.erased | where.archived | where.bounced | where.complained | where.out_of_all,
                 then=Action.LEAVE, because="already out of all marketing"),
            Rule(name="came-back", when=where.engaged_since_sunset, then=Action.WELCOME_BACK,
                 because="showed interest after being sunset, by their own act (S11)"),
            Rule(name="sunset", when=where.sunset, then=Action.LEAVE, because="sunset before"),
            Rule(name="paused", when=where.paused, then=Action.WAIT, because="asked for a pause"),
            Rule(name="no-evidence", when=where.tier.is_in([Tier.UNKNOWN, Tier.NEW]), then=Action.WAIT,
                 because="nobody is sunset for lack of evidence (S2)"),
            *held,
            Rule(name="unanswered", when=silent & asked & unanswered & long_enough, then=Action.SUNSET,
                 because="did not answer the last chance of {days_since_last_chance} days ago"),
            Rule(name="last-chance-open", when=silent & answering, then=Action.OBSERVE,
                 because="the last chance of {days_since_last_chance} days ago is still open"),
            Rule(name="asked-enough", when=silent & asked & long_enough, then=Action.LAST_CHANCE,
                 because="{re_engagement_mails} re-engagement mails without an answer"),
            *early,
            Rule(name="silent", when=silent, then=Action.RE_ENGAGE,
                 because="asked to stay {re_engagement_mails} times so far"),
            Rule(name="warning", when=where.tier == Tier.AT_RISK, then=Action.WATCH, because="early warning (S16)"),
        ],
        otherwise=Otherwise(then=Action.KEEP, because="engaged"),
    )  # fmt: skip


def band_table(
    fact: str,
    cuts: Sequence[float],
    *,
    upper_included: bool = False,
    names: Sequence[str] | None = None,
    missing: str = "never",
) -> Table:
    """Build a table that only sorts contacts into bands of a number, for example days since the last open (S4).

    Args:
        fact: the number.
        cuts: where bands meet, ascending.
        upper_included: whether a value on a cut belongs to the band below it; else bands are half-open, [30, 60).
        names: one for each band, lowest first (one more than cuts); by default `<30`, `<60`, `60+`.
        missing: the name of the band of those without the number.
    """
    fact_named(fact)
    cuts = list(cuts)
    numbers = all(isinstance(cut, int | float) and not isinstance(cut, bool) for cut in cuts)
    if not cuts or not numbers or cuts != sorted(set(cuts)):
        raise InvalidInput(f"cuts {cuts!r}: give at least one number, ascending, each once")
    sign = "<=" if upper_included else "<"
    if names is None:
        names = [
            *(f"{sign}{cut:g}" for cut in cuts),
            f"{'>' if upper_included else ''}{cuts[-1]:g}{'' if upper_included else '+'}",
        ]
    if not all(isinstance(name, str) for name in [*names, missing]) or not isinstance(upper_included, bool):
        raise InvalidInput("names and `missing` are texts, `upper_included` is true or false")
    if len(names) != len(cuts) + 1 or len({*names, missing}) != len(names) + 1:
        raise InvalidInput(f"names {list(names)!r}: give {len(cuts) + 1} different ones, none of them {missing!r}")
    op = Op.LE if upper_included else Op.LT
    rules = [Rule(name=missing, when=Leaf(fact, Op.MISSING), then=missing, because=f"{fact} is missing")]
    rules += [
        Rule(name=name, when=Leaf(fact, op, cut), then=name, because=f"{{{fact}}} {sign} {cut:g}")
        for name, cut in zip(names, cuts, strict=False)
    ]
    return Table(
        name=f"band of {fact}",
        rules=rules,
        otherwise=Otherwise(then=names[-1], because=f"{{{fact}}} above the last cut"),
    )


def keep_everyone() -> Table:
    """Return the table of a policy that only sorts and never acts."""
    return Table(
        name="sunset action", rules=(), otherwise=Otherwise(then=Action.KEEP, because="this policy only sorts")
    )
