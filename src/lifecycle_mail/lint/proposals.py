"""Topics and segments to have instead of lists that were made for the work (L5).

Lists belong together if their titles name the same topic once dates, numbers, codes and workshop words are taken away,
and they travel over the same channel. Such lists are replaced by one, the topic; what was taken away told them apart,
and becomes a segment of it. A list that names no topic, by its title or its key, is gathered with its like under a
title to be written. Every list is replaced by exactly one topic; a good one, standing alone, is replaced by itself.

A proposal moves nobody. The key of a topic is new, or that of a list it replaces: the consent and the opt-outs of a
list on another matter never come to count for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from lifecycle_mail.lint.keys import free_key, slug
from lifecycle_mail.lint.titles import EXPECT, UNNAMED, Mark, read_title, topic_of
from lifecycle_mail.lint.usage import Usage
from lifecycle_mail.model.lists import Channel, MailingList
from lifecycle_mail.policy.predicates import AnyOf
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.text import as_text
from lifecycle_mail.policy.where import where

T = TypeVar("T")

_TELLING: Final = 3
"""How long a word of a key must be to name a topic: shorter ones are the letters of codes."""
_HEADER: Final = """\
# A proposal: fewer lists, with the words that told them apart as segments.
# It moves nobody. A no to a list that is replaced stays a no to its topic; a yes carries over only to what it was
# said to. Tag contacts with the key of the list they came from, or replace each `where` by what it really meant.
"""


@frozen(kw_only=True)
class TopicSegment:
    """What told some lists of a topic apart.

    Attributes:
        segment: of the topic; it reads the tags of contacts, as long as nothing better is known.
        replaces: the keys of these lists.
        told_apart_by: the words that were taken away from their titles.
    """

    segment: Segment
    replaces: tuple[str, ...]
    told_apart_by: tuple[str, ...]


@frozen(kw_only=True)
class Topic:
    """One list in place of several.

    Attributes:
        list: the list to have.
        replaces: the keys of the lists to give up for it; its own key may be among them.
        segments: what told them apart.
    """

    list: MailingList
    replaces: tuple[str, ...]
    segments: tuple[TopicSegment, ...] = ()

    @property
    def title(self) -> str:
        """What the subscriber would read."""
        return self.list.title


@frozen
class _Member:
    """One list, with the words that name its topic and those that were taken away."""

    list: MailingList
    words: tuple[str, ...]
    taken: tuple[str, ...]


def propose(usage: Usage) -> tuple[Topic, ...]:
    """Return the topics to have instead of these lists, by key; the order of the lists makes no difference (L5)."""
    groups: defaultdict[tuple[Channel, tuple[str, ...]], list[_Member]] = defaultdict(list)
    for used in sorted(usage.lists, key=lambda used: used.list.key):
        member = _read(used.list)
        groups[used.list.channel, tuple(word.casefold() for word in member.words)].append(member)
    keys = {str(used.list.key) for used in usage.lists}
    return tuple(sorted((_topic(group, keys) for group in groups.values()), key=lambda topic: topic.list.key))


def _read(mailing_list: MailingList) -> _Member:
    words, taken = topic_of(mailing_list.title)
    if not words:
        words, by_key = topic_of(mailing_list.key)
        taken = taken or by_key
        if not any(len(word) >= _TELLING for word in words):
            words = ()
    return _Member(mailing_list, words, taken)


def _topic(members: Sequence[_Member], keys: set[str]) -> Topic:
    if len(members) == 1 and _has_only_numbers(members[0].list.title):
        # Nothing is there to be told apart from: the number in "Top 10 tips" belongs to its title.
        members = [evolve(members[0], taken=())]
    title = _title(members)
    mailing_list = MailingList(
        _key(members, title, keys),
        title=title,
        expect=_shared([one.list.expect for one in members if one.list.expect.strip()], EXPECT),
        frequency=_shared([one.list.frequency for one in members], None),
        # What one of them asked of people is not waived by putting them together.
        double_opt_in=any(one.list.double_opt_in for one in members),
        channel=members[0].list.channel,
    )
    apart: defaultdict[tuple[str, ...], list[_Member]] = defaultdict(list)
    for one in members:
        if one.taken:
            apart[tuple(word.casefold() for word in one.taken)].append(one)
    return Topic(
        list=mailing_list,
        replaces=tuple(one.list.key for one in members),
        segments=tuple(_segment(mailing_list, apart[words], keys) for words in sorted(apart)),
    )


def _has_only_numbers(title: str) -> bool:
    marks = {word.mark for word in read_title(title)}
    return Mark.WORD in marks and marks <= {Mark.WORD, Mark.NUMBER}


def _shared(values: Sequence[T], otherwise: T) -> T:
    """Return what all of them say, if they say the same."""
    return values[0] if values and all(value == values[0] for value in values) else otherwise


def _title(members: Sequence[_Member]) -> str:
    if not members[0].words:
        return UNNAMED
    written = [" ".join(one.list.title.split()) for one in members if not one.taken and _is_written(one.list)]
    named = written or [" ".join(one.words) for one in members]
    # As somebody wrote it who had readers in mind: not all in capitals, not all in small letters.
    best = min(named, key=lambda text: (text.isupper() or text.islower(), text))
    return best.capitalize() if best.isupper() or best.islower() else best


def _is_written(mailing_list: MailingList) -> bool:
    title = mailing_list.title.strip()
    return bool(read_title(title)) and title != mailing_list.key and "_" not in title


def _key(members: Sequence[_Member], title: str, keys: set[str]) -> str:
    own = [str(one.list.key) for one in members]
    kept = [str(one.list.key) for one in members if one.words and not one.taken]
    if not members[0].words:
        wanted = "unnamed"
    else:
        wanted = kept[0] if kept else slug(title) or slug(" ".join(topic_of(own[0])[0])) or "topic"
    return wanted if wanted in own else free_key(wanted, keys)


def _segment(topic: MailingList, members: Sequence[_Member], keys: set[str]) -> TopicSegment:
    words = members[0].taken
    replaces = tuple(str(one.list.key) for one in members)
    tagged = [where.tags.has(key) for key in replaces]
    return TopicSegment(
        segment=Segment(
            free_key(slug(f"{topic.key} {' '.join(words)}"), keys),
            of=topic,
            where=AnyOf(tagged) if len(tagged) > 1 else tagged[0],
            title=f"{topic.title}: {' '.join(words)}",
        ),
        replaces=replaces,
        told_apart_by=words,
    )


def to_toml(topics: Iterable[Topic]) -> str:
    """Write a proposal the way a programme is written; what only the application knows is left to be said (L5)."""
    topics = list(topics)
    tables = [_HEADER] if topics else []
    for topic in topics:
        made = topic.list
        said: dict[str, Any] = {"key": made.key, "title": made.title, "expect": made.expect}
        if made.frequency is not None:
            said["frequency"] = made.frequency.value
        if made.double_opt_in:
            said["double_opt_in"] = True
        if made.channel is not Channel.EMAIL:
            said["channel"] = made.channel.value
        tables.append(f"# instead of: {', '.join(topic.replaces)}\n[[lists]]\n{_written(said)}")
    for one in (segment for topic in topics for segment in topic.segments):
        segment = one.segment
        # Keys are slugs: neither they nor the text of this predicate hold anything to be escaped.
        behind = ", ".join(f'"{key}"' for key in segment.of)
        tables.append(
            f"# instead of: {', '.join(one.replaces)}\n[[segments]]\n"
            f"{_written({'key': segment.key, 'title': segment.title})}"
            f"of = [{behind}]\n# where = '{as_text(segment.where)}'\n"
        )
    return "\n".join(tables)


def _written(said: dict[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(said, multiline_strings=False)
