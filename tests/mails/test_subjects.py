"""The table of subject lines, and how a line is chosen (S8)."""

import re
from collections import Counter
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, UnknownName
from lifecycle_mail.lint.emoji import find_emoji
from lifecycle_mail.lint.subjects import check_subject
from lifecycle_mail.mails.kinds import KINDS, Family, Kind
from lifecycle_mail.mails.subjects import (
    ALWAYS,
    DATED,
    DEFAULTS,
    SUBJECTS,
    TYPICAL,
    Length,
    Style,
    SubjectLine,
    subject_named,
    subjects_for,
)

PROGRAMME = [kind for kind, row in KINDS.items() if row.family is Family.PROGRAMME]
EVERY_LINE = pytest.mark.parametrize("line", SUBJECTS, ids=lambda line: line.key)
EVERY_KIND = pytest.mark.parametrize("kind", PROGRAMME)


def a_line(**changes: Any) -> SubjectLine:
    """A line that is fine, changed."""
    fine = SubjectLine(key="a-line", style=Style.HONEST, kinds=frozenset({Kind.SURVEY}), text="One question")
    return evolve(fine, **changes)


class TestTheTable:
    """What holds for all lines together, and for each."""

    def test_each_style_has_three_lines(self) -> None:
        """At least three lines of each style ship (S8)."""
        assert set() == {style for style in Style if Counter(line.style for line in SUBJECTS)[style] < 3}

    def test_no_key_and_no_text_is_there_twice(self) -> None:
        """Keys go into results of tests, and a text that stands twice could not be told apart in them."""
        assert len(SUBJECTS) == len({line.key for line in SUBJECTS}) == len({line.text for line in SUBJECTS})

    @EVERY_KIND
    def test_each_kind_can_choose(self, kind: Kind) -> None:
        """A kind has three lines or more: an honest one, one with the name, one about nobody in particular (S7, S8)."""
        lines = [line for line in SUBJECTS if kind in line.kinds]
        assert 3 <= len(lines)
        assert any(line.style is Style.HONEST for line in lines)
        assert any("name" in line.needs for line in lines)
        assert any(not line.personalised for line in lines)

    @EVERY_KIND
    def test_each_kind_can_be_tested(self, kind: Kind) -> None:
        """The four A/B tests of S8 have both sides: personalised, emoji, direct or curious, short or medium."""
        lines = [line for line in SUBJECTS if kind in line.kinds]
        assert {True, False} == {line.personalised for line in lines}
        assert {True, False} == {bool(line.emoji) for line in lines}
        assert {Style.CURIOSITY, Style.HONEST} <= {line.style for line in lines}
        assert set(Length) == {line.length for line in lines}

    @EVERY_LINE
    def test_only_a_real_deadline_is_urgent(self, line: SubjectLine) -> None:
        """Urgency names the deadline of a kind that has one; no other line hurries (S8)."""
        if line.style is Style.URGENCY:
            assert "deadline" in line.needs
            assert line.kinds <= DATED

    @EVERY_LINE
    def test_a_line_passes_its_own_check(self, line: SubjectLine) -> None:
        """Filled in, with its emoji and without, a line breaks no rule; without a deadline in it, it does not hurry."""
        for kind in line.kinds:
            for subject in (line.example, line.with_emoji(line.example)):
                assert () == check_subject(subject, kind=kind, deadline="deadline" in line.needs)

    @EVERY_LINE
    def test_a_line_is_short_enough(self, line: SubjectLine) -> None:
        """Filled in with typical values a line has 50 characters at most, and both its forms are counted."""
        assert len(line.example) <= 50
        assert len(evolve(line, plural="", text=line.text).example) <= 50

    def test_most_lines_fit_a_phone(self) -> None:
        """Four in five lines have 40 characters at most."""
        assert 0.8 <= sum(len(line.example) <= 40 for line in SUBJECTS) / len(SUBJECTS)

    @EVERY_LINE
    def test_a_line_is_a_sentence(self, line: SubjectLine) -> None:
        """A line is one line in sentence case, without exclamation marks and full stops, in letters of English."""
        for text in filter(None, (line.text, line.plural)):
            assert text == " ".join(text.split())
            assert text.isascii()
            assert not re.search(r"[!.;]|\?.*\?", text)
            assert text.startswith("%(") or text[0].isupper()
            # Capitals begin the line or a second sentence and nothing else.
            assert not re.search(r"(?<!^)(?<!\? )[A-Z]", text)

    @EVERY_LINE
    def test_an_emoji_is_one(self, line: SubjectLine) -> None:
        """What may be put in front is exactly one emoji."""
        if line.emoji:
            assert ((0, len(line.emoji)),) == find_emoji(line.emoji)

    @EVERY_KIND
    def test_a_default_needs_nothing_special(self, kind: Kind) -> None:
        """Each kind has an honest default that fills in only what every mail has."""
        line = subject_named(DEFAULTS[kind])
        assert kind in line.kinds
        assert Style.HONEST is line.style
        assert line.needs <= ALWAYS

    def test_defaults_are_for_the_programme_only(self) -> None:
        """The other kinds have their subjects in their templates."""
        assert list(DEFAULTS) == PROGRAMME

    def test_lines_come_by_kind(self) -> None:
        """The table follows the order of the kinds."""
        order = [PROGRAMME.index(kind) for line in SUBJECTS for kind in line.kinds]
        assert sorted(order) == order


class TestALine:
    """What a line knows of itself."""

    def test_needs_what_it_fills_in(self) -> None:
        """Placeholders of both forms are needed, each once."""
        assert frozenset({"name", "list"}) == a_line(text="%(name)s, %(list)s, %(name)s").needs
        assert frozenset({"count"}) == a_line(text="%(count)s new thing", plural="%(count)s new things").needs
        assert frozenset() == a_line(text="100 % (of it)s").needs

    def test_is_personalised_by_what_is_theirs(self) -> None:
        """Name, interest and place are the recipient's; the brand, the list and a day are not."""
        theirs = {name for name in TYPICAL if a_line(text=f"About %({name})s").personalised}
        assert {"name", "interest", "place"} == theirs

    def test_the_example_is_filled_in(self) -> None:
        """Of a line with a plural the plural is shown."""
        assert (
            "Marianne, 47 things"
            == a_line(text="%(name)s, %(count)s thing", plural="%(name)s, %(count)s things").example
        )

    def test_is_short_up_to_thirty_characters(self) -> None:
        """Thirty characters are short, one more is medium, counted filled in."""
        assert Length.SHORT is a_line(text="x" * 30).length
        assert Length.MEDIUM is a_line(text="x" * 31).length
        assert Length.SHORT is a_line(text="x" * 22 + "%(name)s").length
        assert Length.MEDIUM is a_line(text="x" * 23 + "%(name)s").length

    def test_puts_its_emoji_in_front(self) -> None:
        """The emoji comes first, with a space; a line without one stays as it is."""
        assert "\U0001f44b Tere" == a_line(emoji="\U0001f44b").with_emoji("Tere")
        assert "Tere" == a_line().with_emoji("Tere")

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"key": "A line"}, "key"),
            ({"style": "loud"}, "one of curiosity"),
            ({"kinds": ["newsletter"]}, "one of"),
            ({"kinds": []}, "give it kinds"),
            ({"kinds": [Kind.GOODBYE]}, "of the programme"),
            ({"kinds": [Kind.SURVEY, Kind.PAYMENT_FAILED]}, "of the programme"),
            ({"text": "Hello %(nick)s"}, "nothing fills in nick"),
            ({"text": "One", "plural": "%(count)s"}, "both forms"),
            ({"text": "%(list)s", "plural": "%(list)s, all"}, "both forms"),
            ({"text": "%(count)s", "plural": "%(count)s of %(list)s"}, "both forms"),
            ({"style": Style.URGENCY}, "real deadline"),
            ({"style": Style.URGENCY, "text": "By %(deadline)s"}, "real deadline"),
            ({"style": Style.URGENCY, "kinds": [Kind.LAST_CHANCE]}, "real deadline"),
        ],
    )
    def test_that_is_wrong_is_refused(self, changes: dict[str, object], reason: str) -> None:
        """A line that could not be filled in, or would hurry falsely, is refused when it is made."""
        with pytest.raises(InvalidInput, match=reason):
            a_line(**changes)

    def test_urgency_with_a_deadline_is_fine(self) -> None:
        """The refusals above are not about urgency itself."""
        line = a_line(style="urgency", kinds=[Kind.LAST_CHANCE], text="By %(deadline)s")
        assert Style.URGENCY is line.style


class TestChoosing:
    """Which lines a mail may bear."""

    @EVERY_KIND
    def test_every_mail_may_bear_its_default(self, kind: Kind) -> None:
        """With the brand and the list alone there is a line, and the default is among them."""
        assert subject_named(DEFAULTS[kind]) in subjects_for(kind, having=ALWAYS)

    @EVERY_KIND
    def test_all_known_is_all_lines(self, kind: Kind) -> None:
        """Where everything is known, every line of the kind is offered, in the order of the table."""
        assert tuple(line for line in SUBJECTS if kind in line.kinds) == subjects_for(kind, having=TYPICAL)

    @given(
        st.sampled_from(list(Kind)),
        st.frozensets(st.sampled_from([*TYPICAL, "colour"])),
        st.none() | st.sampled_from(Style),
    )
    def test_a_line_can_be_filled_in(self, kind: Kind, having: frozenset[str], style: Style | None) -> None:
        """Whatever is known, a line that is offered is of the kind and style and fills in only that."""
        for line in subjects_for(kind, style=style, having=having):
            assert kind in line.kinds
            assert line.needs <= having
            assert style in (None, line.style)

    @EVERY_KIND
    def test_nothing_is_urgent_without_a_deadline(self, kind: Kind) -> None:
        """Without a deadline nothing hurries, and with one the dated kinds may (S8)."""
        assert () == subjects_for(kind, style=Style.URGENCY, having=TYPICAL.keys() - {"deadline"})
        assert (kind in DATED) == bool(subjects_for(kind, style=Style.URGENCY, having=TYPICAL))

    def test_other_kinds_have_their_own_subjects(self) -> None:
        """A transactional mail bears no line of the programme."""
        assert () == subjects_for(Kind.GOODBYE, having=TYPICAL)

    def test_one_text_is_refused(self) -> None:
        """A text would be read as names of one letter each."""
        with pytest.raises(InvalidInput, match="not one text"):
            subjects_for(Kind.SURVEY, having="name")

    @EVERY_LINE
    def test_a_key_leads_to_its_line(self, line: SubjectLine) -> None:
        """Every line is found by its key."""
        assert line is subject_named(line.key)

    def test_an_unknown_key_lists_near_misses(self) -> None:
        """Who mistypes a key is told what comes near."""
        with pytest.raises(
            UnknownName, match="no subject line named 'survey-one-qestion'; did you mean survey-one-question"
        ):
            subject_named("survey-one-qestion")
