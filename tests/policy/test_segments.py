"""Segments filter, and campaigns go to segments of lists (L2, L3, L4)."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import CampaignRefused, InvalidInput
from lifecycle_mail.model.events import Purpose
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
from lifecycle_mail.policy.facts import Facts
from lifecycle_mail.policy.planning import put_ranks
from lifecycle_mail.policy.predicates import EVERYONE
from lifecycle_mail.policy.segments import Segment, rank, ranks_needed
from lifecycle_mail.policy.where import where
from tests.policy_strategies import joined, subject

OFFERS, NEWS = MailingList("offers", title="Offers"), MailingList("news")


class TestSegments:
    """A segment is computed; nobody joins it (L2)."""

    def test_of(self) -> None:
        """A segment is of one list, of several, or of all contacts; lists and keys do, each once."""
        assert () == Segment("s").of
        assert ("offers",) == Segment("s", of=OFFERS).of == Segment("s", of="offers").of
        assert ("offers", "news") == Segment("s", of=[OFFERS, "news", "offers"]).of
        assert EVERYONE == Segment("s").where

    def test_flags_do(self) -> None:
        """A flag is taken as the predicate that it is true, and a text as the predicate that it writes."""
        assert (where.field("2020_spend") > 100) == Segment("s", where='field("2020_spend") > 100').where
        assert where.sunset.as_predicate() == Segment("s", where=where.sunset).where

    @pytest.mark.parametrize("key", ["", "A", "a b", "ä", "-a", "a" * 65, 5, None])
    def test_keys(self, key: Any) -> None:
        """A key is a slug."""
        with pytest.raises(InvalidInput, match="key"):
            Segment(key)

    def test_what_is_no_predicate(self) -> None:
        """Truth values, and text that writes none, are no predicates."""
        for wrong in (True, "sunset.x", None):
            with pytest.raises(InvalidInput):
                Segment("s", where=wrong)

    @pytest.mark.parametrize(
        ("spend", "inside"), [(100.00, False), (100.01, True), (99, False), ("250", False), (None, False)]
    )
    def test_the_worked_example(self, spend: Any, inside: bool) -> None:
        """Spent over 100: 100.00 is out, and so is a spend that is text or unknown (L4)."""
        over_100 = Segment("spent-over-100-in-2020", of=OFFERS, where=where.field("2020_spend") > 100)
        fields = {} if spend is None else {"2020_spend": spend}
        assert inside is over_100.where.holds(Facts(subject(fields=fields)))


numbers = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.floats(-2, 2),
    st.sampled_from((math.nan, math.inf, -math.inf, 10**400)),
)


class TestRanks:
    """Top N by a number, with a stated rule for ties (L6)."""

    @given(st.dictionaries(st.text("abc", min_size=1, max_size=3), numbers))
    def test_rank(self, values: dict[str, Any]) -> None:
        """Places run from 1 without gaps, highest first, ties in order of contact_id; the missing have none."""
        places = rank(list(values.items()))
        known = {who for who, value in values.items() if type(value) in (int, float) and value == value}
        assert known == set(places)
        assert list(range(1, len(known) + 1)) == sorted(places.values())
        for one in known:
            for other in known:
                if values[one] > values[other] or (values[one] == values[other] and one < other):
                    assert places[one] < places[other]

    @given(st.dictionaries(st.text("abc", min_size=1, max_size=3), numbers, max_size=8), st.integers(1, 5))
    def test_top(self, values: dict[str, Any], count: int) -> None:
        """`top(n)` has exactly n members, or all of whom the number is known."""
        usable = {who: value for who, value in values.items() if value is not None}
        audience = [
            Facts(subject(who, entries=[joined(who, "offers")], fields={"x": usable[who]} if who in usable else {}))
            for who in values
        ]
        campaign = Campaign("c", to=Segment("s", of=OFFERS, where=where.top(count, by=where.field("x"))))
        put_ranks(audience, campaign)
        known = [who for who, value in usable.items() if type(value) in (int, float) and value == value]
        members = [facts for facts in audience if campaign.to[0].where.test(facts)]
        assert min(count, len(known)) == len(members)

    def test_ties(self) -> None:
        """Equals are put in order of contact_id, whatever order they come in."""
        assert {"ann": 1, "bob": 2, "eve": 3} == rank([("eve", 5), ("bob", 5.0), ("ann", 5), ("dan", None)])

    def test_needed(self) -> None:
        """The ranks to fill in are read off the predicates, each once."""
        by_spend, by_mails = where.field("spend"), where.opened_mails(10)
        assert ("rank:field:spend", "rank:opened_mails:10") == ranks_needed(
            [where.top(3, by=by_spend) & ~where.top(1, by=by_mails), where.top(5, by=by_spend), EVERYONE]
        )


class TestCampaigns:
    """A campaign is one send, and a marketing campaign can be left (L3)."""

    def test_targets(self) -> None:
        """Lists and segments do, one or several; a list is kept as the segment of all its subscribers."""
        segment = Segment("s", of=[NEWS, OFFERS], where=where.sunset)
        assert (segment,) == Campaign("c", to=segment).to
        assert (Segment("offers", of=OFFERS, title="Offers"),) == Campaign("c", to=OFFERS).to
        assert ("offers", "news") == Campaign("c", to=[OFFERS, segment]).lists

    @pytest.mark.parametrize("to", ["offers", ["offers"], [None], 5, [[OFFERS]]], ids=range(5))
    def test_what_is_no_target(self, to: Any) -> None:
        """A key is no target: it cannot say which list is left."""
        with pytest.raises((InvalidInput, TypeError)):
            Campaign("c", to=to)

    @pytest.mark.parametrize(
        ("to", "named"),
        [((), "goes to nobody"), (Segment("all"), "'all'"), ([OFFERS, Segment("all"), Segment("x")], "'all', 'x'")],
        ids=range(3),
    )
    def test_no_list_behind(self, to: Any, named: str) -> None:
        """A marketing campaign with a target that nobody could leave is refused, and the target is named (L3)."""
        with pytest.raises(CampaignRefused, match=named):
            Campaign("c", to=to).require_list()
        Campaign("c", to=to, kind=CampaignKind.TRANSACTIONAL).require_list()

    def test_a_list_behind(self) -> None:
        """Lists and segments of lists may be marketed to."""
        Campaign("c", to=[OFFERS, Segment("s", of=NEWS)]).require_list()

    def test_kinds(self) -> None:
        """A campaign is marketing unless it says otherwise, and regular unless it has another purpose."""
        campaign = Campaign("c", to=OFFERS)
        assert campaign.marketing
        assert Purpose.REGULAR is campaign.purpose
        assert not Campaign("c", to=OFFERS, kind=CampaignKind.TRANSACTIONAL).marketing
