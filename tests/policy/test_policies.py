"""Policies are read, written, versioned by content, and refused with all that is wrong with them (S12)."""

import random
from typing import Any

import pytest
import tomli_w
from attrs import evolve, fields
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidDocument, InvalidInput, UnknownName
from lifecycle_mail.model.profiles import WINDOW
from lifecycle_mail.policy import policies
from lifecycle_mail.policy.eligibility import Cap, Rest
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.settings import Cadence, Settings
from lifecycle_mail.policy.sunset import Action, band_table, keep_everyone
from lifecycle_mail.policy.tables import Otherwise, Rule, Table
from lifecycle_mail.policy.where import where
from tests.policy_strategies import ODD_TEXTS


def problems_of(text: str) -> dict[str, str]:
    """Read what must be refused, and return the problems by path."""
    with pytest.raises(InvalidDocument) as caught:
        Policy.from_toml(text)
    found = {problem.path: str(problem) for problem in caught.value.problems}
    assert len(found) == len(caught.value.problems)
    return found


shares = st.floats(0, 1, exclude_min=True)
counts = st.integers(1, 3660)
spans = st.one_of(st.integers(1, 4000), st.floats(0.001, 4000))
holds = st.sampled_from(
    [
        where.field("vip").as_predicate(),
        *(where.field(text or "x").contains(text or "x") for text in ODD_TEXTS),
        ~(where.top(10, by=where.field("2020_spend")) | where.tags.has("VIP")) & where.last_conversion.in_last(days=90),
    ]
)


mails = st.integers(1, WINDOW)


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw any settings that make sense."""
    inactive = draw(spans)
    found = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "evidence_mails": mails, "new_days": st.one_of(st.just(0), spans), "high_share": shares,
                "high_mails": mails,
                "at_risk_mails": mails, "at_risk_ratio": shares, "sunset_after_days": spans,
                "re_engagement_mails": mails,
                "answer_days": st.one_of(st.just(0), spans), "observe_days": st.one_of(st.just(0), spans),
                "hold": holds,
            },
        )
    )  # fmt: skip
    return {"inactive_days": inactive, "deep_days": inactive + draw(st.one_of(st.just(0), spans)), **found}


limits = st.one_of(st.none(), st.tuples(mails, counts))


class TestRoundTrips:
    """What is written is what is read."""

    @settings(max_examples=150)
    @given(st.sampled_from(Cadence), changes(), limits, limits, st.text("ab 'x\"\n", min_size=1))
    def test_any_settings(self, cadence: Cadence, changed: dict[str, Any], cap: Any, rest: Any, name: str) -> None:
        """Whatever the settings, the TOML of a policy reads back as that policy, with its version (S12)."""
        policy = Policy.for_cadence(
            cadence,
            name=name,
            cap=None if cap is None else Cap(mails=cap[0], days=cap[1]),
            rest=None if rest is None else Rest(mails=rest[0], days=rest[1]),
            **changed,
        )
        again = Policy.from_toml(policy.to_toml())
        assert policy == again
        assert policy.version == again.version
        assert policy.to_toml() == again.to_toml()

    @settings(max_examples=100)
    @given(st.sampled_from(Cadence), changes())
    def test_short_and_long(self, cadence: Cadence, changed: dict[str, Any]) -> None:
        """A document of a cadence and its changes is the policy that `for_cadence` makes of them."""
        given_ = {name: str(value) if name == "hold" else value for name, value in changed.items()}
        short = Policy.from_toml(tomli_w.dumps({"cadence": cadence.value, "settings": given_}))
        assert Policy.for_cadence(cadence, **changed) == short

    @pytest.mark.parametrize("cadence", Cadence)
    def test_presets(self, cadence: Cadence) -> None:
        """A cadence alone is its preset."""
        assert Policy.for_cadence(cadence) == Policy.from_toml(f'cadence = "{cadence}"')

    def test_bands(self) -> None:
        """A policy that only sorts reads back too, and keeps everybody (S4)."""
        policy = Policy.from_toml("[bands]\ncuts = [30, 60]\n")
        assert policy == Policy.from_toml(policy.to_toml())
        assert (band_table("days_since_open", [30, 60]), keep_everyone()) == (policy.tiers, policy.sunset)

    def test_tables_of_ones_own(self) -> None:
        """A policy may be written out as tables."""
        text = """
            name = "mine"
            [cap]
            mails = 3
            days = 7
            [rest]
            [tiers]
            rules = [{ name = "gone", when = "bounced or erased", then = "x", because = "{source}" }]
            otherwise = { then = "y", because = "else", name = "the rest" }
            [sunset]
            rules = [{ name = "a", when = { not = "sunset" }, then = "keep" }]
            otherwise = { then = "z" }
        """
        policy = Policy.from_toml(text)
        assert (
            Rule(name="gone", when=where.bounced | where.erased, then="x", because="{source}") == policy.tiers.rules[0]
        )
        assert Otherwise(then="y", because="else", name="the rest") == policy.tiers.otherwise
        assert (Cap(mails=3, days=7), Rest()) == (policy.cap, policy.rest)
        assert policy == Policy.from_toml(policy.to_toml())


WEEKLY = Policy.for_cadence("weekly")
VIP = where.field("vip").as_predicate()


class TestVersion:
    """One version for what decides alike, another for what does not."""

    def test_shape(self) -> None:
        """Twelve hex digits."""
        assert 12 == len(WEEKLY.version)
        assert int(WEEKLY.version, 16) >= 0

    @pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
    def test_every_setting(self, name: str) -> None:
        """Any setting that changes changes the version."""
        value = getattr(Settings.for_cadence("weekly"), name)
        changed: dict[str, Any] = {
            name: value / 2 if isinstance(value, float) else value + 1 if name != "hold" else VIP
        }
        assert WEEKLY.version != Policy.for_cadence("weekly", **changed).version

    def test_everything_else(self) -> None:
        """So do a cadence, a limit, and each part of each rule."""
        first, *others = WEEKLY.tiers.rules
        tables = [
            evolve(WEEKLY.tiers, rules=others),
            evolve(WEEKLY.tiers, rules=[*others, first]),
            *(
                evolve(WEEKLY.tiers, rules=[evolve(first, **change), *others])
                for change in ({"name": "x"}, {"when": where.sunset}, {"then": "x"}, {"because": "x"})
            ),
            *(
                evolve(WEEKLY.tiers, otherwise=evolve(WEEKLY.tiers.otherwise, **{part: "x"}))
                for part in ("then", "because", "name")
            ),
        ]
        found = [
            WEEKLY.version,
            *(Policy.for_cadence(cadence).version for cadence in Cadence if cadence is not Cadence.WEEKLY),
            *(evolve(WEEKLY, tiers=table).version for table in tables),
            evolve(WEEKLY, sunset=keep_everyone()).version,
            *(evolve(WEEKLY, cap=Cap(mails=n, days=d)).version for n, d in ((1, 2), (2, 1), (2, 2))),
            *(evolve(WEEKLY, rest=Rest(mails=n, days=d)).version for n, d in ((1, 2), (2, 1), (2, 2))),
        ]
        assert len(found) == len(set(found))

    def test_the_catalogue(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A catalogue of another version makes another version of every policy."""
        before = Policy.for_cadence("weekly").version
        monkeypatch.setattr(policies, "CATALOGUE_VERSION", "another")
        assert before != Policy.for_cadence("weekly").version

    def test_spelling(self) -> None:
        """Comments, the order of keys, a name, and 75.0 for 75 decide nothing, and change no version."""
        texts = [
            'cadence = "weekly"',
            '# mine\nname = "mine"\ncadence = "weekly"  # every Tuesday\n[settings]\n',
            'cadence = "weekly"\n[settings]\ninactive_days = 75.0\ndeep_days = 180\n',
            'settings = { deep_days = 180.0, inactive_days = 75 }\ncadence = "weekly"',
            'cadence = "weekly"\n[settings]\nhold = "nobody"\n',
        ]
        assert {WEEKLY.version} == {Policy.from_toml(text).version for text in texts}

    @given(st.integers(0, 2**32))
    def test_order_of_keys(self, seed: int) -> None:
        """However the keys of a written policy are sorted, it is the same policy."""
        chance = random.Random(seed)  # noqa: S311 - to shuffle

        def shuffled(data: Any) -> Any:
            if isinstance(data, dict):
                return {key: shuffled(data[key]) for key in chance.sample(sorted(data), len(data))}
            return [shuffled(one) for one in data] if isinstance(data, list) else data

        policy = Policy.for_cadence("weekly", cap=Cap(mails=3, days=7))
        again = Policy.from_toml(tomli_w.dumps(shuffled(policy.to_dict())))
        assert (policy, policy.version) == (again, again.version)

    def test_order_of_rules(self) -> None:
        """The order of rules decides, and is not sorted away."""
        data = WEEKLY.to_dict()
        data["tiers"]["rules"].reverse()
        assert WEEKLY.version != Policy.from_dict(data).version

    def test_a_changed_copy(self) -> None:
        """A copy with a change does not keep the version that was read off the original."""
        assert WEEKLY.version != evolve(WEEKLY, cap=Cap(mails=1, days=1)).version


class TestBands:
    """Contacts sorted by a number (S4)."""

    @pytest.mark.parametrize(
        ("upper", "expected"),
        [
            (False, {None: "never", -1: "<30", 29.9: "<30", 30: "<60", 59.9: "<60", 60: "60+", 900: "60+"}),
            (True, {None: "never", -1: "<=30", 30: "<=30", 30.1: "<=60", 60: "<=60", 60.1: ">60"}),
        ],
    )
    def test_ends(self, upper: bool, expected: dict[Any, str]) -> None:
        """A value on a cut belongs to the band above it, or with `upper_included` to the one below."""
        table = band_table("days_since_open", [30, 60], upper_included=upper)
        assert expected == {days: table.decide({"days_since_open": days}).outcome for days in expected}

    def test_names(self) -> None:
        """Bands have the names that are given, lowest first, and a reason with the value."""
        table = band_table("days_inactive", [30], names=["warm", "cold"], missing="unknown")
        assert ("unknown", "warm", "cold") == table.outcomes()
        assert ["12 < 30", "40 above the last cut"] == [table.decide({"days_inactive": d}).reason for d in (12, 40)]

    @given(
        st.lists(st.integers(0, 9), min_size=1, max_size=5, unique=True).map(sorted), st.booleans(), st.integers(-1, 10)
    )
    def test_neighbours(self, cuts: list[int], upper: bool, value: int) -> None:
        """Every value is in the band between the cuts next to it, and in no other."""
        table = band_table("days_inactive", cuts, upper_included=upper, names=[str(n) for n in range(len(cuts) + 1)])
        below = sum(cut < value or (cut == value and not upper) for cut in cuts)
        assert str(below) == table.decide({"days_inactive": value}).outcome

    @pytest.mark.parametrize(
        "wrong",
        [
            {"cuts": []}, {"cuts": [2, 1]}, {"cuts": [1, 1]}, {"cuts": ["a"]}, {"cuts": "ab"}, {"cuts": [True]},
            {"cuts": [float("nan")]},
            {"cuts": [1, float("inf")]}, {"names": ["a"]}, {"names": ["a", "a"]}, {"names": ["a", "never"]},
            {"names": [1, 2]},
            {"missing": 5}, {"upper_included": "yes"}, {"missing": "<1"},
        ],
        ids=range(15),
    )  # fmt: skip
    def test_refused(self, wrong: dict[str, Any]) -> None:
        """Cuts that do not ascend and names that do not fit are refused."""
        with pytest.raises(InvalidInput):
            band_table(**{"fact": "days_inactive", "cuts": [1], **wrong})

    def test_unknown_fact(self) -> None:
        """The number must be a fact."""
        with pytest.raises(UnknownName, match="days_since_open"):
            band_table("days_since_opne", [1])


class TestSettings:
    """Settings that make no sense are refused where they are made."""

    @pytest.mark.parametrize("name", [one.name for one in fields(Settings) if one.name != "hold"])
    @pytest.mark.parametrize("value", [-1, True, "5", None, float("nan"), float("inf"), [1]], ids=str)
    def test_refused(self, name: str, value: Any) -> None:
        """A setting is a finite number that is not negative, and the message names it."""
        with pytest.raises(InvalidInput, match=name):
            Settings.for_cadence("weekly", **{name: value})

    @pytest.mark.parametrize(
        ("name", "value"),
        [("high_share", 0), ("high_share", 1.01), ("at_risk_ratio", 0), ("evidence_mails", 0), ("evidence_mails", 2.5),
         ("high_mails", 3661), ("inactive_days", 0), ("re_engagement_mails", 0), ("sunset_after_days", 0)],
    )  # fmt: skip
    def test_out_of_range(self, name: str, value: Any) -> None:
        """Shares, counts and days have their ranges."""
        with pytest.raises(InvalidInput, match=name):
            Settings.for_cadence("weekly", **{name: value})

    def test_deep_below_inactive(self) -> None:
        """Deeply inactive cannot begin before inactive."""
        with pytest.raises(InvalidInput, match="nobody would be inactive"):
            Settings.for_cadence("weekly", inactive_days=200)
        assert 200 == Settings.for_cadence("weekly", inactive_days=200, deep_days=200).inactive_days

    def test_unknown(self) -> None:
        """An unknown cadence or setting is named, with what there is."""
        with pytest.raises(InvalidInput, match=r"'hourly': one of daily, weekly"):
            Settings.for_cadence("hourly")
        with pytest.raises(InvalidInput, match=r"inactive_day: one of .*inactive_days"):
            Settings.for_cadence("weekly", inactive_day=3)

    def test_a_dead_rule_is_left_out(self) -> None:
        """Where sunset may come as soon as inactivity, no rule waits for it."""
        names = [rule.name for rule in Policy.for_cadence("weekly", sunset_after_days=75).sunset.rules]
        assert "asked-early" not in names
        assert "asked-early" in [rule.name for rule in WEEKLY.sunset.rules]


class TestProblems:
    """A document is refused with all its problems, each with its path."""

    def test_settings(self) -> None:
        """Every wrong setting is found, unknown ones and the predicate among them."""
        found = problems_of(
            'cadence = "weekly"\n[settings]\ninactive_days = -1\nevidence_mails = 2.5\nhigh_share = 2\nnew_days = "x"\n'
            'answer_days = true\ninactive_dais = 1\nhold = "a.b"\n'
        )
        assert {
            f"$.settings.{name}"
            for name in (
                "inactive_days", "evidence_mails", "high_share", "new_days", "answer_days", "inactive_dais", "hold",
            )
        } == set(found)  # fmt: skip
        assert "inactive_days" in found["$.settings.inactive_dais"]

    def test_every_part(self) -> None:
        """Parts do not hide one another's problems."""
        found = problems_of(
            'cadence = "hourly"\nname = 5\nfoo = 1\n[settings]\nnew_days = -1\n'
            '[cap]\nmails = "x"\ndais = 3\n[rest]\ndays = 0\n'
        )
        assert {
            "$.cadence", "$.name", "$.foo", "$.settings.new_days", "$.cap.mails", "$.cap.days", "$.cap.dais",
            "$.rest.days",
        } == set(found)  # fmt: skip
        assert "one of daily, weekly" in found["$.cadence"]
        assert "required" in found["$.cap.days"]

    def test_tables(self) -> None:
        """Every rule's problems are found, with the rule's place."""
        found = problems_of(
            """
            [tiers]
            otherwise = { then = "z", becase = "x" }
            rules = [
                { name = "a", when = "days_inactive > ", then = "x" },
                { name = "b", when = "sunset", then = 5 },
                { name = "c", when = { all = ["a.b", { fact = "x", op = "?" }] }, then = "x", because = "{nope}" },
                { when = "sunset", then = "x" },
            ]
            """
        )
        assert {
            "$.tiers.rules[0].when",
            "$.tiers.rules[1].then",
            "$.tiers.rules[2].when",
            "$.tiers.rules[3].name",
            "$.tiers.otherwise.becase",
        } == set(found)

    def test_checked(self) -> None:
        """What reads well and can be true of nobody is found too."""
        found = problems_of(
            """
            [tiers]
            otherwise = { then = "z" }
            rules = [
                { name = "a", when = "days_inactve > 5", then = "x" },
                { name = "b", when = "sunset > 5", then = "x" },
                { name = "c", when = "sunset", then = "x" },
            ]
            """
        )
        assert {"$.tiers.rules[0] (a)", "$.tiers.rules[1] (b)"} == set(found)
        assert "did you mean days_inactive" in found["$.tiers.rules[0] (a)"]

    @pytest.mark.parametrize(
        ("text", "path", "words"),
        [
            ("x", "$", "not TOML"),
            ("", "$.cadence", "required"),
            ("cadence = 5", "$.cadence", "one of daily"),
            ("cadence = []", "$.cadence", "one of daily"),
            ('cadence = "weekly"\nsettings = 5', "$.settings", "expected a table"),
            ('cadence = "weekly"\ncap = 5', "$.cap", "expected a table"),
            ('cadence = "weekly"\n[settings]\ndeep_days = 10', "$.settings", "nobody would be inactive"),
            ('cadence = "weekly"\n[settings]\nhigh_mails = 5000', "$.settings.high_mails", "32"),
            ('cadence = "weekly"\n[settings]\ninactive_days = inf', "$.settings.inactive_days", "number"),
            (
                'cadence = "weekly"\n[settings]\nhold = "filed(1)"',
                "$.sunset.rules[5] (a-person-decides)",
                "did you mean field",
            ),
            ('cadence = "weekly"\n[cap]\nmails = 3\ndays = 4000', "$.cap.days", "3660"),
            ("bands = 5", "$.bands", "expected a table"),
            ("[bands]\nkuts = [1]\ncuts = [1]", "$.bands.kuts", "unknown"),
            ("[bands]\nfact = 'x'", "$.bands.cuts", "required"),
            ("[bands]\ncuts = ['a']", "$.bands", "ascending"),
            ("[bands]\ncuts = [1]\nfact = 'days_opne'", "$.bands", "no fact named"),
            ("[bands]\ncuts = [1]\nfact = 'source'", "$.tiers.rules[1] (<1)", "is a text"),
            ("[bands]\ncuts = [1]\n[settings]\nnew_days = 1", "$.settings", "without effect"),
            ("tiers = 5", "$.tiers.otherwise", "required"),
            ("[tiers]\nrules = []", "$.tiers.otherwise", "required"),
            ("[tiers]\nrules = [5]\notherwise = { then = 'x' }", "$.tiers.rules[0]", ""),
        ],
        ids=range(21),
    )
    def test_each(self, text: str, path: str, words: str) -> None:
        """Each problem has its path, and says what is wrong or what to write."""
        found = problems_of(text)
        assert path in found
        assert words in found[path]

    def test_two_rules_of_one_name(self) -> None:
        """A name that stands twice is refused with the table's path."""
        rule = '{ name = "a", when = "sunset", then = "x" }'
        found = problems_of(f"[tiers]\nrules = [{rule}, {rule}]\notherwise = {{ then = 'y' }}")
        assert "two rules named 'a'" in found["$.tiers"]


def test_outcomes_are_texts_in_toml() -> None:
    """What a policy decides reads back as text that equals the enumeration it came from."""
    again = Policy.from_toml(WEEKLY.to_toml())
    assert Action.SUNSET in again.sunset.outcomes()
    assert isinstance(again.tiers, Table)
