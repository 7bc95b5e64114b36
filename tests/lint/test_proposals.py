"""Topics and segments to have instead (L5)."""

import random
import re

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.lint import Usage, check_lists, propose, to_toml
from lifecycle_mail.lint.titles import EXPECT, UNNAMED
from lifecycle_mail.model.lists import Channel, Frequency, MailingList
from lifecycle_mail.policy.programme import Programme
from tests.lint.samples import GOOD, USAGES, page, used


def lists(*made: MailingList) -> Usage:
    """These lists, used by nobody."""
    return page([evolve(used("x", "X"), list=one) for one in made])


THREE = page(
    [
        used("a", "offers_2024_05", expect=""),
        used("b", "Offers June", expect=""),
        used("c", "OFFERS-Q3-final", expect=""),
    ]
)


def test_lists_on_one_topic_become_one() -> None:
    """What names the topic is the title, and what told the lists apart its segments (L5)."""
    (topic,) = propose(THREE)
    assert ("Offers", "offers", ("a", "b", "c")) == (topic.title, topic.list.key, topic.replaces)
    assert EXPECT == topic.list.expect
    assert {("a",): ("2024", "05"), ("b",): ("June",), ("c",): ("Q3", "final")} == {
        one.replaces: one.told_apart_by for one in topic.segments
    }
    assert {("offers",)} == {one.segment.of for one in topic.segments}


def test_a_proposal_is_a_programme() -> None:
    """The snippet is written as programmes are, with the meaning of each segment left as a comment."""
    text = to_toml(propose(THREE))
    assert '[[lists]]\nkey = "offers"\ntitle = "Offers"\nexpect = "say what to expect, and how often"\n' in text
    assert (
        '[[segments]]\nkey = "offers-june"\ntitle = "Offers: June"\nof = ["offers"]\n# where = \'"b" in tags\'\n'
        in text
    )
    assert "# instead of: a, b, c\n" in text
    assert "" == to_toml(())


def test_a_well_made_page_is_proposed_as_it_is() -> None:
    """Topics are replaced by themselves, without segments (L1)."""
    topics = propose(page(GOOD))
    assert sorted((one.list for one in GOOD), key=lambda one: one.key) == [topic.list for topic in topics]
    assert all(topic.replaces == (topic.list.key,) and not topic.segments for topic in topics)


def test_a_title_that_stands_alone_keeps_its_number() -> None:
    """A number tells apart only where there is something to be told apart from."""
    (alone,) = propose(page([used("ten", "Top 10 tips")]))
    assert ("Top 10 tips", "ten", ()) == (alone.title, alone.list.key, alone.segments)
    (both,) = propose(page([used("ten", "Top 10 tips"), used("five", "Top 5 tips")]))
    assert "Top tips" == both.title
    assert [("10",), ("5",)] == [one.told_apart_by for one in both.segments]
    (coded,) = propose(page([used("ten", "Tips Q3")]))
    assert ("Tips", 1) == (coded.title, len(coded.segments))


def test_the_list_that_is_the_topic_already_is_kept() -> None:
    """Key and title of a list that needed nothing taken away are those of the topic, however it is written."""
    (topic,) = propose(page([used("b", "OFFERS june"), used("deals", "offers"), used("a", "Offers 2024")]))
    assert ("deals", "Offers") == (topic.list.key, topic.title)
    assert [("a",), ("b",)] == [one.replaces for one in topic.segments]
    (named,) = propose(page([used("news", "The iPad"), used("x", "THE IPAD 2")]))
    assert "The iPad" == named.title


def test_a_topic_never_takes_the_key_of_a_list_on_another_matter() -> None:
    """Consent to one matter must not come to count for another because their keys met."""
    topics = propose(page([used("a", "Offers June"), used("offers", "Bargains")]))
    assert {"offers": ("offers",), "offers-2": ("a",)} == {topic.list.key: topic.replaces for topic in topics}


def test_without_a_title_the_key_speaks() -> None:
    """Lists that came without a title are read by their key; letters of codes name no topic."""
    (topic,) = propose(page([used("offers_2024_05", ""), used("offers-import", "Q3")]))
    assert ("Offers", "offers") == (topic.title, topic.list.key)
    assert [("2024", "05"), ("Q3",)] == [one.told_apart_by for one in topic.segments]


def test_a_title_is_written_for_readers() -> None:
    """What was written as a key, or is nothing but a number, is put into words."""
    titles = {"x": "special_offers", "special-news": "special-news", "tips": "10"}
    topics = propose(page([used(key, title) for key, title in titles.items()]))
    assert ["Special news", "Tips", "Special offers"] == [topic.title for topic in topics]
    assert ["special-news", "tips", "x"] == [topic.list.key for topic in topics]


def test_lists_without_a_topic_wait_for_a_title() -> None:
    """What names no topic at all is gathered under a title to be written, which is a finding for as long as it is."""
    (topic,) = propose(page([used("2024-05", ""), used("e", "Q3 final")]))
    assert ("unnamed", UNNAMED, ("2024-05", "e")) == (topic.list.key, topic.title, topic.replaces)
    (finding,) = check_lists(lists(topic.list))
    assert "has yet to be written" in finding.message


def test_same_words_apart_are_one_segment() -> None:
    """Lists that differ in nothing but capitals share a segment, which asks for the tags of both."""
    (topic,) = propose(page([used("a", "Offers June"), used("b", "offers JUNE")]))
    (segment,) = topic.segments
    assert ("a", "b") == segment.replaces
    assert '# where = \'"a" in tags or "b" in tags\'' in to_toml([topic])


def test_channels_are_kept_apart() -> None:
    """A list of text messages is no topic of e-mail, and says so."""
    topics = propose(lists(MailingList("a", title="Offers 1"), MailingList("b", title="Offers 2", channel=Channel.SMS)))
    assert [(Channel.EMAIL, ("a",)), (Channel.SMS, ("b",))] == [
        (topic.list.channel, topic.replaces) for topic in topics
    ]


def test_what_all_lists_say_is_kept() -> None:
    """Frequency and expectation hold where all agree; confirmation where any list asked for it."""
    june = MailingList("a", title="Offers June", expect="deals", frequency=Frequency.WEEKLY, double_opt_in=True)
    july = MailingList("b", title="Offers July", frequency=Frequency.WEEKLY)
    (agreed,) = propose(lists(june, july))
    assert ("deals", Frequency.WEEKLY, True) == (
        agreed.list.expect,
        agreed.list.frequency,
        agreed.list.double_opt_in,
    )
    (apart,) = propose(lists(june, evolve(july, expect="bargains", frequency=Frequency.DAILY)))
    assert (EXPECT, None, True) == (apart.list.expect, apart.list.frequency, apart.list.double_opt_in)


def test_a_title_in_another_script_keeps_a_key() -> None:
    """Where no key can be made of a title, it is made of a key that is replaced."""
    (topic,) = propose(page([used("bargains-2024", "\u4f18\u60e0 2024")]))
    assert ("\u4f18\u60e0", "bargains") == (topic.title, topic.list.key)
    (other,) = propose(page([used("q3", "\u4f18\u60e0 2024")]))
    assert "topic" == other.list.key


@given(USAGES)
def test_every_list_is_replaced_once(usage: Usage) -> None:
    """Topics share out the lists, segments share out some of their topic's; all keys are different (L5)."""
    topics = propose(usage)
    every = sorted(one.list.key for one in usage.lists)
    assert every == sorted(key for topic in topics for key in topic.replaces)
    for topic in topics:
        told = [key for one in topic.segments for key in one.replaces]
        assert len(told) == len(set(told))
        assert set(topic.replaces).issuperset(told)
        assert all(one.told_apart_by for one in topic.segments)
        assert topic.title.strip()
        assert topic.list.key in topic.replaces or topic.list.key not in every
    keys = [key for topic in topics for key in (topic.list.key, *(one.segment.key for one in topic.segments))]
    assert len(keys) == len(set(keys))


@given(USAGES)
def test_every_proposal_loads(usage: Usage) -> None:
    """The snippet is a programme with these lists and segments, with and without the comments (L5)."""
    topics = propose(usage)
    text = to_toml(topics)
    made = Programme.from_toml(text)
    assert {topic.list.key: topic.list for topic in topics} == made.lists
    meant = Programme.from_toml(re.sub(r"(?m)^# where", "where", text))
    assert {one.segment.key: one.segment for topic in topics for one in topic.segments} == meant.segments
    assert {key: (one.of, one.title) for key, one in made.segments.items()} == {
        key: (one.of, one.title) for key, one in meant.segments.items()
    }


@given(USAGES, st.randoms(use_true_random=False))
def test_the_order_of_lists_makes_no_difference(usage: Usage, chance: random.Random) -> None:
    """However lists are put in order, the proposal is the same."""
    shuffled = list(usage.lists)
    chance.shuffle(shuffled)
    assert to_toml(propose(usage)) == to_toml(propose(evolve(usage, lists=tuple(shuffled))))
