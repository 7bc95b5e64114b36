"""A predicate against the same test written by hand, its explanation, and a table's decision."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lib.people import subjects
from lib.timing import take_turns, timed, verdict

from lifecycle_mail import Policy, Rule, Table, where
from lifecycle_mail.model.instants import DAY
from lifecycle_mail.policy.facts import Facts
from lifecycle_mail.policy.flips import find_flips
from lifecycle_mail.policy.predicates import Predicate, Trace
from lifecycle_mail.policy.tables import Otherwise

# Put so that for nearly everybody no part decides early: the whole predicate is tested.
NINE: Predicate = (
    (where.days_inactive < 3000)
    & (where.mails_tracked >= 5)
    & ~(where.sunset == True)  # noqa: E712
    & where.lists.has("offers")
    & ((where.field("spend") > 1000) | where.tags.has("nobody") | (where.source != "bought"))
    & where.signed_up_at.older_than(days=0)
    & (where.mails_since_engagement < 1000)
)


def by_hand(facts: Mapping[str, Any]) -> bool:
    """Test the same, as one would write it who minds missing values."""
    days, tracked, spend = facts["days_inactive"], facts["mails_tracked"], facts["field:spend"]
    if days is None or not days < 3000:
        return False
    if tracked is None or not tracked >= 5:
        return False
    if facts["sunset"] is True:
        return False
    lists = facts["lists"]
    if lists is None or "offers" not in lists:
        return False
    source, tags = facts["source"], facts["tags"]
    if not (
        (spend is not None and spend > 1000)
        or (tags is not None and "nobody" in tags)
        or (source is not None and source != "bought")
    ):
        return False
    signed_up = facts["signed_up_at"]
    if signed_up is None or not signed_up <= facts["now"] - 0 * DAY:
        return False
    since = facts["mails_since_engagement"]
    return since is not None and since < 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=31)
    given = parser.parse_args()
    leaves = len(list(NINE.leaves()))
    people = subjects(given.contacts)
    warm = [Facts(subject) for subject in people]
    names = sorted(NINE.facts())
    for facts in warm:
        for name in names:
            facts[name]
        assert NINE.test(facts) == by_hand(facts)  # else the two were not the same test
    plain = [dict(facts) for facts in warm]
    held = sum(map(by_hand, warm))
    print(
        f"{leaves} leaves, {len(people)} contacts, of whom it holds for {held}; CPU, median of {given.repeats} repeats"
    )

    tiers = Policy.for_cadence("weekly").tiers
    one_rule = Table(name="nine", rules=[Rule(name="in", when=NINE, then="in")], otherwise=Otherwise(then="out"))
    decided = [Facts(subject) for subject in people]
    for facts in decided:
        tiers.decide(facts).trace()
    few = slice(0, max(1, len(people) // 10))

    def over(items: Sequence[Any], work: Callable[[Any], object]) -> Callable[[], float]:
        def loop() -> None:
            for item in items:
                work(item)

        return timed(loop)

    runs = {
        "by hand, warm facts": over(warm, by_hand),
        "predicate, warm facts": over(warm, NINE.test),
        "by hand, plain dict": over(plain, by_hand),
        "predicate, plain dict": over(plain, NINE.test),
        "by hand, from a subject": over(people, lambda subject: by_hand(Facts(subject))),
        "predicate, from a subject": over(people, lambda subject: NINE.test(Facts(subject))),
        "explanation (trace of all leaves)": over(warm, lambda facts: Trace.of(NINE, facts)),
        "table of tiers, decision": over(decided, tiers.decide),
        "table of tiers, decision and trace": over(decided, lambda facts: tiers.decide(facts).trace()),
        "explanation and flips": over(warm[few], lambda facts: (Trace.of(NINE, facts), find_flips(one_rule, facts))),
        "explanation and single flips": over(
            warm[few], lambda facts: (Trace.of(NINE, facts), find_flips(one_rule, facts, pairs=False))
        ),
        "table of tiers, trace and flips": over(
            decided[few], lambda facts: (tiers.decide(facts).trace(), find_flips(tiers, facts))
        ),
    }
    found = take_turns(runs, repeats=given.repeats)
    few_count = len(people[few])
    calls = {name: few_count if "flips" in name else len(people) for name in runs}
    for name, sample in found.items():
        print(f"  {name:<36} {sample.micros(calls[name])}")

    def ratio(kind: str) -> float:
        return found[f"predicate, {kind}"].median / found[f"by hand, {kind}"].median

    print("predicate / by hand, warm facts:     ", verdict(ratio("warm facts"), 5))
    print("predicate / by hand, plain dict:     ", verdict(ratio("plain dict"), 5))
    print("predicate / by hand, from a subject: ", verdict(ratio("from a subject"), 5))
    trace = found["explanation (trace of all leaves)"].median / len(people) * 1e6
    print("full explanation:                    ", verdict(trace, 25, " us"))


if __name__ == "__main__":
    main()
