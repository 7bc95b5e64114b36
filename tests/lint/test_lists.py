"""The rules that find lists made for the work (L5)."""

import random
from collections.abc import Iterable

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

import lifecycle_mail.lint as lint
from lifecycle_mail.lint import RULES, Finding, ListUsage, Usage, check_lists
from tests.lint.samples import GOOD, USAGES, page, used


def found(findings: Iterable[Finding]) -> list[tuple[str, tuple[str, ...]]]:
    """Rules and lists, without the words."""
    return [(finding.rule, finding.about) for finding in findings]


def broken(usage: Usage, rule: str) -> list[tuple[str, ...]]:
    """The lists that each finding of this rule is about."""
    return [finding.about for finding in check_lists(usage) if finding.rule == rule]


def many(count: int) -> list[ListUsage]:
    """So many good lists, each on a topic of its own."""
    return [used(f"topic-{chr(97 + place)}", f"Topic {chr(97 + place)}ble", "one", "two") for place in range(count)]


def test_a_well_made_page_gives_no_finding() -> None:
    """Topics that people recognise are left in peace (L1, L5)."""
    assert () == check_lists(page(GOOD, master=5, single=95))


def test_no_lists_give_no_finding() -> None:
    """Nothing is found where nothing is, whatever the thresholds."""
    assert () == check_lists(Usage())
    assert () == check_lists(Usage(), most_lists=0, master_share=0, least_opt_outs=0, several=0)


def test_an_operations_shaped_page_breaks_every_rule() -> None:
    """A list for each send, named as the team names files, is found by every rule (L5)."""
    lists = [used(f"offers_{place}", f"offers_{place}_final", f"sale-{place}", expect="") for place in range(9)]
    assert set(RULES) == {finding.rule for finding in check_lists(page(lists, master=50, single=50))}


class TestOneListPerCampaign:
    """Several campaigns, each with a list of its own."""

    def test_is_found_for_two(self) -> None:
        """Two campaigns with their own lists are one finding about their lists, and not about shared ones."""
        usage = page([*GOOD, used("may", "Deals", "may"), used("june", "Bargains", "june")])
        assert [("june", "may")] == broken(usage, "one-list-per-campaign")

    def test_one_is_no_habit(self) -> None:
        """One campaign with lists of its own is not enough, however many lists they are."""
        usage = page([*GOOD, used("deals", "Deals", "may"), used("bargains", "Bargains", "may")])
        assert [] == broken(usage, "one-list-per-campaign")

    def test_lists_that_share_their_campaigns_are_none(self) -> None:
        """A list that two campaigns used is nobody's own."""
        assert [] == broken(page([used("deals", "Deals", "may", "june")]), "one-list-per-campaign")

    def test_the_threshold_is_an_argument(self) -> None:
        """From `several` campaigns on, and not below."""
        usage = page([used(f"deals-{name}", "Deals", name) for name in ("may", "june", "july")])
        assert "one-list-per-campaign" in {finding.rule for finding in check_lists(usage, several=3)}
        assert "one-list-per-campaign" not in {finding.rule for finding in check_lists(usage, several=4)}

    def test_the_topics_are_proposed(self) -> None:
        """The fix names the topics to have instead (L5)."""
        usage = page([used("a", "offers_2024_05", "may"), used("b", "Offers June", "june")])
        (finding,) = (one for one in check_lists(usage) if one.rule == "one-list-per-campaign")
        assert "one list for each topic ('Offers')" in finding.fix
        assert "'june', 'may'" in finding.message


class TestUnreadableTitle:
    """Titles nobody outside would understand."""

    def test_is_one_finding_a_list(self) -> None:
        """Many reasons are one finding, which names them all and a title to have instead."""
        (finding,) = check_lists(page([*GOOD, used("x", "OFFERS_Q3_final", "one", "two", expect="")]))
        assert ("unreadable-title", ("x",)) == (finding.rule, finding.about)
        for part in ("underscores", "'Q3'", "'final'", "nothing says what to expect"):
            assert part in finding.message
        assert "such as 'Offers'" in finding.fix
        assert "`expect`" in finding.fix

    def test_only_what_is_wrong_is_to_be_mended(self) -> None:
        """A good title is left alone where only the expectation is missing, and the other way round."""
        (silent,) = check_lists(page([used("deals", "Deals", "one", "two", expect="")]))
        assert silent.fix == "say in `expect` what they get and how often"
        (coded,) = check_lists(page([used("deals", "Deals Q3", "one", "two")]))
        assert coded.fix == "give it a title that they would recognise, such as 'Deals'"

    def test_nothing_is_suggested_where_nothing_is_known(self) -> None:
        """A title and a key without a topic lead to no example."""
        (finding,) = check_lists(page([used("q3", "Q3", "one", "two")]))
        assert finding.fix == "give it a title that they would recognise"


class TestSingleSend:
    """Lists that only one send ever used."""

    @pytest.mark.parametrize(
        ("campaigns", "expected"), [((), []), (("may",), [("deals",)]), (("may", "june"), [])], ids=["0", "1", "2"]
    )
    def test_is_exactly_one(self, campaigns: tuple[str, ...], expected: list[tuple[str, ...]]) -> None:
        """A list that no campaign used is brand new, and one that two used is a topic."""
        news = used("news", "News", "july", "august")
        assert expected == broken(page([used("deals", "Deals", *campaigns), news]), "single-send")

    def test_a_first_campaign_tells_nothing(self) -> None:
        """A young programme has to begin with one list and one campaign."""
        assert [] == broken(page([used("deals", "Deals", "may")]), "single-send")

    def test_says_which_and_how_many_it_reached(self) -> None:
        """The message names the campaign, and the fix the topic."""
        news = used("news", "News", "july", "august")
        (finding,) = check_lists(page([used("deals", "Deals", "may"), news]))
        assert "'may'" in finding.message
        assert "100 subscribers" in finding.message
        assert "such as 'Deals'" in finding.fix


class TestTooManyLists:
    """A page that is too long to read."""

    @pytest.mark.parametrize(("count", "is_found"), [(8, False), (9, True)])
    def test_more_than_eight(self, count: int, is_found: bool) -> None:
        """Eight lists fit on a page, nine do not (L5)."""
        expected = [("too-many-lists", tuple(sorted(one.list.key for one in many(count))))]
        assert (expected if is_found else []) == found(check_lists(page(many(count))))

    def test_the_threshold_is_an_argument(self) -> None:
        """The page may be as long as the application says."""
        assert () == check_lists(page(many(9)), most_lists=9)
        assert ["too-many-lists"] == [finding.rule for finding in check_lists(page(many(3)), most_lists=2)]


class TestMasterOptOuts:
    """People leave everything."""

    @pytest.mark.parametrize(
        ("master", "single", "is_found"),
        [
            (6, 14, True),
            (5, 15, False),
            (19, 0, False),
            (20, 0, True),
            (0, 100, False),
            (30, 70, True),
            (29, 71, False),
        ],
    )
    def test_share_and_number(self, master: int, single: int, is_found: bool) -> None:
        """From 30% on, once there are 20 opt-outs in all (L5)."""
        expected = [("master-opt-outs", ("news", "offers", "tips"))]
        assert (expected if is_found else []) == found(check_lists(page(GOOD, master=master, single=single)))

    def test_the_thresholds_are_arguments(self) -> None:
        """Share and least number are as the application says."""
        usage = page(GOOD, master=1, single=9)
        assert () == check_lists(usage, master_share=0.1)
        assert () == check_lists(usage, master_share=0.11, least_opt_outs=10)
        (finding,) = check_lists(usage, master_share=0.1, least_opt_outs=10)
        assert "1 of 10 opt-outs (10%)" in finding.message


def test_findings_come_in_the_order_of_the_rules() -> None:
    """First by rule as the table lists them, then by list."""
    lists = [used(key, title, key, expect="") for key, title in [("b", "Q3"), ("a", "Q4")]]
    assert [
        ("one-list-per-campaign", ("a", "b")),
        ("unreadable-title", ("a",)),
        ("unreadable-title", ("b",)),
        ("single-send", ("a",)),
        ("single-send", ("b",)),
        ("too-many-lists", ("a", "b")),
        ("master-opt-outs", ("a", "b")),
    ] == found(check_lists(page(lists, master=20), most_lists=1))


def test_long_enumerations_are_cut() -> None:
    """Five names are shown and the rest counted."""
    lists = [used(f"deals-{place}", "Deals", f"c{place}") for place in range(7)]
    (finding,) = (one for one in check_lists(page(lists)) if one.rule == "one-list-per-campaign")
    assert finding.message.endswith("'c4' and 2 more")


def test_a_title_to_be_written_is_no_example() -> None:
    """Lists that name no topic lead to no topic in a fix."""
    usage = page([used("q3", "Q3", "may"), used("deals", "Deals", "june")])
    (own,) = (one for one in check_lists(usage) if one.rule == "one-list-per-campaign")
    assert "topic ('Deals')," in own.fix
    (long,) = (one for one in check_lists(page([used("q3", "Q3")]), most_lists=0) if one.rule == "too-many-lists")
    assert "topic (which the titles do not tell)," in long.fix


@given(USAGES)
def test_every_finding_says_what_and_what_to_do(usage: Usage) -> None:
    """Nothing raises; rules are known ones; message and fix are said; lists are there; none twice in one rule."""
    findings = check_lists(usage)
    keys = {used.list.key for used in usage.lists}
    for finding in findings:
        assert finding.rule in RULES
        assert finding.message
        assert finding.fix
        assert keys.issuperset(finding.about)
    named = [(finding.rule, key) for finding in findings for key in finding.about]
    assert len(named) == len(set(named))


@given(USAGES, st.randoms(use_true_random=False))
def test_the_order_of_lists_makes_no_difference(usage: Usage, chance: random.Random) -> None:
    """However lists are put in order, the findings are the same, words included."""
    lists = list(usage.lists)
    chance.shuffle(lists)
    assert check_lists(usage) == check_lists(evolve(usage, lists=tuple(lists)))


def test_all_that_is_exported_is_there() -> None:
    """`__all__` is sorted, and complete for this floor."""
    assert sorted(lint.__all__) == sorted(set(lint.__all__))
    assert all(hasattr(lint, name) for name in lint.__all__)
    assert {"check_lists", "propose", "to_toml", "usage_of"} <= set(lint.__all__)
