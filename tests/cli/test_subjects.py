import csv
import io
import json

import pytest

from lifecycle_mail.lint.subjects import RULES, check_subject
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.subjects import DEFAULTS, SUBJECTS, Style
from tests.cli.running import run, run_well


def rows(*options: str) -> list[dict[str, str]]:
    """Return the lines that are listed."""
    found: list[dict[str, str]] = json.loads(run_well("subjects", "list", *options, "--format", "json").out)
    return found


def test_every_line_that_ships_is_listed() -> None:
    """Each is there once for each of its kinds, by its key, with what it needs."""
    found = {(row["kind"], row["key"]): row for row in rows()}
    assert {(kind, line.key) for line in SUBJECTS for kind in line.kinds} == found.keys()
    urgent = found["incentive", "incentive-until"]
    assert ("urgency", "deadline, incentive", "medium") == (urgent["style"], urgent["needs"], urgent["length"])
    assert "Until 31 March 2026: 20 % off your next order" == urgent["line"]


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("kind", DEFAULTS)
def test_lines_are_listed_by_kind_and_style(kind: Kind, style: Style) -> None:
    """A kind and a style name their own lines, and together those that are both."""
    expected = [line.key for line in SUBJECTS if kind in line.kinds and style == line.style]
    assert expected == [row["key"] for row in rows("--kind", kind, "--style", style)]
    assert {kind} == {row["kind"] for row in rows("--kind", kind)}
    assert {style} == {row["style"] for row in rows("--style", style)}


def test_a_kind_whose_subject_is_in_its_template_has_no_lines_to_list() -> None:
    """It is wrong usage, and the kinds that have lines are named."""
    done = run("subjects", "list", "--kind", "payment-failed")
    assert 2 == done.code
    assert all(kind in done.err for kind in DEFAULTS)


def test_a_table_shows_the_lines_and_csv_all_that_is_known() -> None:
    """People see the lines, programs get what they need and their emoji as well."""
    table = run_well("subjects", "list", "--kind", "survey").out
    assert table.startswith("5 subject lines\n")
    header = run_well("subjects", "list", "--format", "csv").out.splitlines()[0]
    assert "kind,style,key,line,needs,length,emoji" == header


def test_a_good_line_passes() -> None:
    """Nothing is found, and it is said; programs get an empty list."""
    assert "nothing to mend\n" == run_well("subjects", "check", "A short hello from Harbour").err
    assert [] == json.loads(run_well("subjects", "check", "A short hello from Harbour", "--format", "json").out)


def test_a_bad_line_fails_with_what_to_do() -> None:
    """It ends with 1, and each finding has its rule and its fix, as the Python function gives them."""
    line = "LAST CHANCE: 20 % off!!"
    done = run("subjects", "check", line, "--format", "csv")
    found = list(csv.DictReader(io.StringIO(done.out)))
    assert 1 == done.code
    assert [(one.rule, one.message, one.fix) for one in check_subject(line)] == [tuple(row.values()) for row in found]
    assert {"shouting", "punctuation", "urgency"} == {row["rule"] for row in found} <= set(RULES)
    table = run("subjects", "check", line)
    assert (1, "3 to mend") == (table.code, table.out.splitlines()[0])


def broken(*arguments: object) -> set[str]:
    """Return the rules that a line breaks."""
    return {row["rule"] for row in json.loads(run("subjects", "check", *arguments, "--format", "json").out)}


def test_the_kind_decides_what_a_line_may_promise() -> None:
    """A price is promotion above a mail about a payment, and none above marketing (C6)."""
    assert set() == broken("20 % off your next order")
    assert set() == broken("20 % off your next order", "--kind", "incentive")
    assert {"promotion"} == broken("20 % off your next order", "--kind", "payment-failed")


def test_a_deadline_lets_a_line_hurry() -> None:
    """Only what is said to have a deadline may hurry (S8)."""
    assert {"urgency"} == broken("Last chance to answer")
    assert set() == broken("Last chance to answer", "--deadline")


def test_a_line_is_as_long_as_one_wants_it() -> None:
    """The limit is an option."""
    assert set() == broken("Do you still want the news?")
    assert {"too-long"} == broken("Do you still want the news?", "--most", "20")


def test_words_are_judged_in_the_language_of_the_line() -> None:
    """A region changes nothing; of a language whose words nobody listed it is said."""
    assert {"urgency"} == broken("Viimane võimalus vastata", "--locale", "et")
    assert {"urgency"} == broken("Viimane võimalus vastata", "--locale", "et-EE")
    assert set() == broken("Viimane võimalus vastata", "--locale", "en")
    done = run_well("subjects", "check", "Hei Mikko, mitä kuuluu", "--locale", "fi")
    assert "of fi no words are known, only those of en, es, pt, ms, et" in done.err
    assert {"punctuation"} == broken("Hei Mikko!!", "--locale", "fi")


@pytest.mark.parametrize("options", [("--locale", "no such"), ("--kind", "newsletter"), ("--most", "0")])
def test_what_is_no_option_is_wrong_usage(options: tuple[str, str]) -> None:
    """It ends with 2, and names the option and what was given."""
    done = run("subjects", "check", "Hello again", *options)
    assert 2 == done.code
    assert all(word in done.err for word in options)


@pytest.mark.parametrize("line", ["", "-5", "[red]%(name)s[/]", "\udcff", "\x1b[2J hello"])
def test_any_line_can_be_checked(line: str) -> None:
    """What the shell may hand over is judged, and printed as nothing but text."""
    for form in ("table", "csv", "json"):
        done = run("subjects", "check", "--format", form, "--", line)
        assert 1 == done.code
        assert "\x1b[2J" not in done.out
