"""Finds lists that were made for the work and not for those who read (L5).

A list is a topic that people recognise, join and leave (L1). Where every send gets a list of its own, the page on
which people choose fills with names that only the team knows; nobody can find what they would like to leave, so they
leave everything. The rules look for the causes (a list for each campaign, titles that say nothing, lists that were
used once, too many of them) and for the effect (a high share of opt-outs from all marketing). `RULES` says why each
counts. A rule names a list in one finding at most; a list may break several rules, since each is mended in its own
way. Findings come in the order of `RULES`, then of the keys of the lists they are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import frozen

from lifecycle_mail.lint.proposals import propose
from lifecycle_mail.lint.titles import UNNAMED, says_what_to_expect, why_unreadable
from lifecycle_mail.lint.usage import Usage

RULES: Final[Mapping[str, str]] = {
    "one-list-per-campaign": "who leaves such a list has left one send, and the next one reaches them again",
    "unreadable-title": "nobody can choose what they cannot recognise",
    "single-send": "a list that was used once is the audience of a send: a segment",
    "too-many-lists": "a page that is too long to read is left by its last link",
    "master-opt-outs": "people leave everything when they cannot find the one thing that they want less of",
}
"""Every rule and why it counts (L5)."""

_SHOWN: Final = 5


@frozen(kw_only=True)
class Finding:
    """Something about the lists that stands in the way of those who read.

    Attributes:
        rule: one of `RULES`.
        about: the keys of the lists concerned, sorted.
        message: what was found.
        fix: what to do about it.
    """

    rule: str
    about: tuple[str, ...]
    message: str
    fix: str


def check_lists(
    usage: Usage,
    *,
    most_lists: int = 8,
    master_share: float = 0.3,
    least_opt_outs: int = 20,
    several: int = 2,
) -> tuple[Finding, ...]:
    """Find what L5 looks for; nothing is found in lists that are topics.

    Args:
        usage: see `usage_of`.
        most_lists: how many lists a page may have (L5); 8.
        master_share: the share of master opt-outs among all opt-outs from which it is high (L5); 0.3.
        least_opt_outs: how many opt-outs there must be before their share says anything (L5); 20.
        several: how many campaigns with a list of their own make a habit (L5); 2.
    """
    titles = {key: topic.title for topic in propose(usage) for key in topic.replaces}
    found = [
        *_own_lists(usage, titles, several),
        *_unreadable(usage, titles),
        *_single_sends(usage, titles),
        *_too_many(usage, titles, most_lists),
        *_master_opt_outs(usage, master_share, least_opt_outs),
    ]
    order = list(RULES)
    return tuple(sorted(found, key=lambda finding: (order.index(finding.rule), finding.about)))


def _own_lists(usage: Usage, titles: Mapping[str, str], several: int) -> Iterator[Finding]:
    own = {used.list.key: campaign for used in usage.lists if len(used.campaigns) == 1 for campaign in used.campaigns}
    campaigns = set(own.values())
    if campaigns and len(campaigns) >= several:
        yield Finding(
            rule="one-list-per-campaign",
            about=tuple(sorted(own)),
            message=f"{_count(len(campaigns), 'campaign')} had lists of their own that no other campaign used: "
            f"{_some(campaigns)}",
            fix=f"make one list for each topic ({_topics(titles[key] for key in own)}), "
            f"and send campaigns to segments of it",
        )


def _unreadable(usage: Usage, titles: Mapping[str, str]) -> Iterator[Finding]:
    for used in usage.lists:
        reasons = list(why_unreadable(used.list))
        fixes = []
        if reasons:
            fixes.append(f"give it a title that they would recognise{_such_as(titles[used.list.key])}")
        if not says_what_to_expect(used.list):
            reasons.append("nothing says what to expect")
            fixes.append("say in `expect` what they get and how often")
        if reasons:
            yield Finding(
                rule="unreadable-title",
                about=(used.list.key,),
                message=f"a subscriber could not tell what {used.list.key!r} sends: {'; '.join(reasons)}",
                fix=", and ".join(fixes),
            )


def _single_sends(usage: Usage, titles: Mapping[str, str]) -> Iterator[Finding]:
    if len({campaign for used in usage.lists for campaign in used.campaigns}) < 2:
        return  # a young programme has to begin with one
    for used in usage.lists:
        if len(used.campaigns) == 1:
            (campaign,) = used.campaigns
            yield Finding(
                rule="single-send",
                about=(used.list.key,),
                message=f"only one campaign, {campaign!r}, ever used {used.list.key!r} "
                f"({_count(used.subscribers, 'subscriber')})",
                fix=f"make it a segment of a list that people know{_such_as(titles[used.list.key])}, "
                f"or send it more on the same topic",
            )


def _too_many(usage: Usage, titles: Mapping[str, str], most_lists: int) -> Iterator[Finding]:
    if len(usage.lists) > most_lists:
        yield Finding(
            rule="too-many-lists",
            about=_keys(usage),
            message=f"{_count(len(usage.lists), 'list')} stand on one page, more than {most_lists}",
            fix=f"keep one list for each topic ({_topics(titles.values())}), and make the others segments of it",
        )


def _master_opt_outs(usage: Usage, master_share: float, least_opt_outs: int) -> Iterator[Finding]:
    opt_outs = usage.master_opt_outs + usage.list_opt_outs
    if opt_outs and opt_outs >= least_opt_outs and usage.master_opt_outs / opt_outs >= master_share:
        yield Finding(
            rule="master-opt-outs",
            about=_keys(usage),
            message=f"{usage.master_opt_outs} of {opt_outs} opt-outs "
            f"({usage.master_opt_outs / opt_outs:.0%}) were from all marketing",
            fix="offer few lists with titles that people recognise, and fewer mails, before the link that ends all",
        )


def _keys(usage: Usage) -> tuple[str, ...]:
    return tuple(sorted(used.list.key for used in usage.lists))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _some(names: set[str]) -> str:
    first = sorted(names)
    more = len(first) - _SHOWN
    return ", ".join(repr(name[:70]) for name in first[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _topics(titles: Iterable[str]) -> str:
    return _some(set(titles) - {UNNAMED}) or "which the titles do not tell"


def _such_as(title: str) -> str:
    return "" if title == UNNAMED else f", such as {title[:70]!r}"
