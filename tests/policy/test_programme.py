"""A programme is one document, and all its problems are found at once."""

import inspect
from typing import Any

import pytest

from lifecycle_mail.errors import InvalidDocument, UnknownName
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.events import Purpose
from lifecycle_mail.model.lists import Frequency, MailingList
from lifecycle_mail.policy import programme
from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where

LISTS = '[[lists]]\nkey = "offers"\n[[lists]]\nkey = "news"\n'


def problems_of(text: str) -> list[tuple[str, str]]:
    """Read what must be refused, and return the path and the words of each problem."""
    with pytest.raises(InvalidDocument) as caught:
        Programme.from_toml(text)
    return [(problem.path, str(problem)) for problem in caught.value.problems]


class TestReading:
    """What is right is read."""

    def test_the_example(self) -> None:
        """The document of the module's docs is a programme (L4)."""
        text = inspect.getdoc(programme)
        assert text is not None
        found = Programme.from_toml(text[text.index("[fields]") :])
        offers = MailingList("offers", title="Offers", expect="one deal a week")
        spenders = Segment("spent-over-100-in-2020", of=offers, where=where.field("2020_spend") > 100)
        thanks = Campaign("thank-you-offer", to=spenders)
        fields = {"2020_spend": FieldType.NUMBER}
        assert Programme.of(offers, spenders, thanks, fields=fields) == found

    def test_everything(self) -> None:
        """Every key that a list, a segment and a campaign may have is read."""
        text = """
            policy = "monthly"
            [fields]
            vip = "flag"
            [[lists]]
            key = "news"
            title = "News"
            frequency = "weekly"
            double_opt_in = true
            [[lists]]
            key = "offers"
            [[segments]]
            key = "vips"
            title = "VIPs"
            of = ["news", "offers"]
            where = { all = ['field("vip")', { not = "sunset" }] }
            [[segments]]
            key = "all"
            [[campaigns]]
            key = "c"
            title = "C"
            to = ["vips", "news"]
            purpose = "last-chance"
            [[campaigns]]
            key = "receipt"
            to = "all"
            kind = "transactional"
        """
        found = Programme.from_toml(text)
        news = MailingList("news", title="News", frequency=Frequency.WEEKLY, double_opt_in=True)
        vips = Segment("vips", of=["news", "offers"], where=where.field("vip") & ~where.sunset, title="VIPs")
        assert news == found.lists["news"]
        assert vips == found.segments["vips"]
        assert Campaign("c", to=[vips, news], purpose=Purpose.LAST_CHANCE, title="C") == found.campaign("c")
        receipt = Campaign("receipt", to=Segment("all"), kind=CampaignKind.TRANSACTIONAL)
        assert receipt == found.campaign("receipt")
        assert Policy.for_cadence("monthly") == found.policy

    def test_nothing(self) -> None:
        """An empty document is an empty programme with the weekly preset."""
        assert Programme() == Programme.from_toml("")

    def test_one_target(self) -> None:
        """One list or target may be written without brackets, as in Python."""
        found = Programme.from_toml(
            LISTS + '[[segments]]\nkey = "s"\nof = "offers"\n[[campaigns]]\nkey = "c"\nto = "s"\n'
        )
        assert ("offers",) == found.segments["s"].of == found.campaigns["c"].lists

    def test_gathered(self) -> None:
        """A programme of objects is that of the document; one more of the same key replaces the first."""
        news = MailingList("news")
        made = Programme.of(news, Segment("s"), Campaign("c", to=news)).with_(Segment("s", of=news))
        assert ("news",) == made.segments["s"].of
        assert Campaign("c", to=news) == made.campaign("c") == made.campaign(Campaign("c", to=news))
        with pytest.raises(UnknownName, match="did you mean campaign-1"):
            Programme.of(Campaign("campaign-1", to=news)).campaign("campain-1")


class TestProblems:
    """What is wrong is found, all of it."""

    def test_all_at_once(self) -> None:
        """Problems everywhere are found in one go, each with its own place."""
        found = problems_of(
            """
            foo = 1
            [fields]
            plan = "text"
            spend = "numbr"
            [[lists]]
            key = "offers"
            titel = "x"
            [[lists]]
            key = "News Letter"
            [[lists]]
            key = "news"
            [[segments]]
            key = "Bad Key"
            [[segments]]
            key = "s"
            of = ["ofers"]
            where = 'field("plna") == "x" and days_inactve > 3'
            [[segments]]
            key = "t"
            of = ["news"]
            where = 'sunset >'
            [[campaigns]]
            key = "c"
            to = ["z"]
            [[campaigns]]
            key = "e"
            kind = "marketting"
            [[campaigns]]
            key = "f"
            [policy]
            cadence = "hourly"
            [policy.settings]
            new_days = -1
            """
        )
        assert {
            "$.foo", "$.fields.spend", "$.lists[0].titel", "$.lists[1]", "$.segments[0]", "$.segments[1].of",
            "$.segments[1].where",
            "$.segments[2].where", "$.campaigns[0].to[0]", "$.campaigns[1].kind", "$.campaigns[2]", "$.policy.cadence",
            "$.policy.settings.new_days",
        } == {path for path, _ in found}  # fmt: skip
        assert 2 == [path for path, _ in found].count("$.segments[1].where")

    @pytest.mark.parametrize(
        ("text", "path", "words"),
        [
            (LISTS + '[[segments]]\nkey = "s"\nof = ["ofers"]', "$.segments[0].of", "did you mean offers"),
            (LISTS + '[[segments]]\nkey = "s"\nwhere = \'"ofers" in lists\'', "$.segments[0].where",
            "did you mean offers"),
            ('[fields]\nplan = "text"\n[[segments]]\nkey = "s"\nwhere = \'field("plna") == "x"\'',
            "$.segments[0].where",
             "did you mean plan"),
            ('[fields]\nplan = "text"\n[[segments]]\nkey = "s"\nwhere = \'field("plan") > 3\'', "$.segments[0].where",
            "is a text"),
            (LISTS + '[[campaigns]]\nkey = "c"\nto = ["offer"]', "$.campaigns[0].to[0]", "did you mean offers"),
            ('[[segments]]\nkey = "s"\n[[campaigns]]\nkey = "c"\nto = ["s"]', "$.campaigns[0]",
            "no list is behind 's'"),
            (LISTS + '[[campaigns]]\nkey = "c"\nto = []', "$.campaigns[0]", "goes to nobody"),
            (LISTS + '[[lists]]\nkey = "news"', "$.lists", "'news' stands there twice"),
            ('[[segments]]\nkey = "s"\n[[segments]]\nkey = "s"', "$.segments", "'s' stands there twice"),
            (LISTS + '[[campaigns]]\nkey = "c"\nto = "news"\n[[campaigns]]\nkey = "c"\nto = "news"', "$.campaigns",
            "'c' stands"),
            (LISTS + '[[segments]]\nkey = "news"', "$.segments", "'news' is a list too"),
            ('[[lists]]\nkey = "a"\nfrequency = "dayly"', "$.lists[0].frequency", "one of every, daily"),
            ('[[lists]]\nkey = "a"\ndouble_opt_in = "no"', "$.lists[0].double_opt_in", "expected true or false"),
            ('[[lists]]\nkey = "a"\ntitle = 5', "$.lists[0].title", "expected a text"),
            ("[[lists]]\nkey = 5", "$.lists[0].key", "expected a text"),
            ("[[lists]]\ntitle = 'x'", "$.lists[0].key", "required"),
            ("[[lists]]\nkey = 'a'\nkeys = 'b'", "$.lists[0].keys", "unknown field 'keys'"),
            ("lists = [1]", "$.lists[0]", "expected a table"),
            ("lists = 5", "$.lists", "write [[lists]]"),
            ("[lists]\nkey = 'a'", "$.lists", "write [[lists]]"),
            ("fields = 5", "$.fields", "expected a table"),
            ("[fields]\nx = []", "$.fields.x", "one of text, number"),
            ("[[segments]]\nkey = 's'\nof = [5]", "$.segments[0].of[0]", "expected a text"),
            ("[[segments]]\nkey = 's'\nwhere = 5", "$.segments[0].where", "not a predicate"),
            ("[[campaigns]]\nkey = 'c'\npurpose = 'x'", "$.campaigns[0].purpose", "one of regular"),
            ("[[campaigns]]\nkey = 'c'\nlist = 'x'", "$.campaigns[0].list", "unknown field 'list'"),
            ("policy = 7", "$.policy", "expected a table"),
            ("policy = 'hourly'", "$.policy.cadence", "one of daily"),
            ("polcy = 'weekly'", "$.polcy", "one of campaigns"),
            ("x", "$", "not TOML"),
        ],
        ids=range(30),
    )  # fmt: skip
    def test_each(self, text: str, path: str, words: str) -> None:
        """Each problem has its path, and near misses or what to write instead."""
        found = problems_of(text)
        assert any(path == place and words in message for place, message in found), found

    def test_the_policy_is_checked_against_the_rest(self) -> None:
        """A policy may read only the fields and lists that the programme declares."""
        text = """
            [fields]
            plan = "text"
            [[lists]]
            key = "offers"
            [policy]
            cadence = "weekly"
            [policy.settings]
            hold = 'field("plna") == "x" or "ofers" in lists'
        """
        found = problems_of(text)
        assert ["$.policy.sunset.rules[5] (a-person-decides)"] * 2 == [path for path, _ in found]
        assert ["plan", "offers"] == [message.partition("did you mean ")[2].split("?")[0] for _, message in found]

    def test_no_fields_declared(self) -> None:
        """With no fields declared, any name goes."""
        assert Programme.from_toml("[[segments]]\nkey = 's'\nwhere = 'field(\"x\") > 3'").segments

    def test_plain_data(self) -> None:
        """Plain data from elsewhere is held to the same."""
        data: dict[str, Any] = {"lists": [{"key": "a"}], "campaigns": [{"key": "c", "to": ("a",)}]}
        with pytest.raises(InvalidDocument):
            Programme.from_dict({**data, "segments": [{"key": None}]})
        assert Programme.from_dict({**data, "campaigns": [{"key": "c", "to": ["a"]}]}).campaigns
