"""What there is to translate, and the script that brings the catalogues up to date with it.

That nothing is missing in a language that ships is held in `test_catalogues`; how it is said, in `test_translations`.
"""

import importlib.util
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from lifecycle_mail.errors import InvalidTemplate
from lifecycle_mail.mails.catalogues import SHIPPED, Catalogue
from lifecycle_mail.mails.extraction import PLACES, Entry, entries
from lifecycle_mail.mails.loading import NAMES, shipped_source
from lifecycle_mail.mails.reasons import LABELS
from lifecycle_mail.mails.rendering import FIXED
from lifecycle_mail.mails.subjects import SUBJECTS, TYPICAL

ROOT: Final = Path(__file__).parents[2]


def by_message() -> dict[object, Entry]:
    """Every entry by its message."""
    return {entry.message: entry for entry in entries()}


class TestEntries:
    """Every sentence, once, with all of its places."""

    def test_each_is_there_once(self) -> None:
        """A sentence that stands in two templates is translated once."""
        assert [] == [message for message, count in Counter(one.message for one in entries()).items() if count > 1]
        places = by_message()["Start again"].places
        assert [
            f"{one}.jinja"
            for one in ("cancellation-confirmed", "cancellation-note", "cancellation-reason", "technical-follow-up")
        ] == [name for name, _ in places]

    def test_the_tables_are_among_them(self) -> None:
        """Subject lines with their plurals, the labels of all reasons, and what stands in no template."""
        found = by_message()
        for line in SUBJECTS:
            assert ("subjects.py", 1) in found[line.message].places
        for labels in LABELS.values():
            for label in labels.values():
                assert ("reasons.py", 1) in found[label].places
        for sentence in FIXED:
            assert ("rendering.py", 1) in found[sentence].places

    def test_they_come_in_the_order_in_which_they_are_read(self) -> None:
        """A translator goes through one mail after the other, from its top to its end."""
        firsts = [entry.places[0] for entry in entries()]
        templates = [
            (NAMES.index(name.removesuffix(".jinja")), line) for name, line in firsts if name.endswith(".jinja")
        ]
        assert sorted(templates) == templates
        assert ["subjects.py", "reasons.py", "rendering.py"] == list(
            dict.fromkeys(name for name, _ in firsts if name.endswith(".py"))
        )

    def test_the_parts_of_both_forms_are_read(self) -> None:
        """What stands below the plain text is found as well as what stands below the HTML."""
        places = {name for name, _ in by_message()["Choose what you get"].places}
        assert {"parts.html.jinja", "parts.text.jinja", "preference-update.jinja"} == places

    def test_what_a_subject_fills_in_is_explained(self) -> None:
        """To translators, by the name that it has there."""
        assert PLACES.keys() >= TYPICAL.keys()

    def test_nothing_is_found_where_nothing_is_said(self) -> None:
        """Somebody's own templates are read alone, without those that ship and without the tables."""
        assert () == entries({})
        assert () == entries({"survey": '{% extends "shipped/survey" %}'})

    def test_places_are_counted_in_lines(self) -> None:
        """Comments, blank lines and a block before it do not change where a sentence stands."""
        source = (
            '{# _("no") #}\n\n{% block body %}\n{{ part.p(_("yes")) }}{% raw %}{{ _("no") }}{% endraw %}{% endblock %}'
        )
        assert [("yes", (("survey.jinja", 4),))] == [(one.message, one.places) for one in entries({"survey": source})]

    @pytest.mark.parametrize("source", ["{% for %}", "{{ 2 ** 3 }}", "{{ x | tojson }}", "x" * 200_001])
    def test_a_template_that_would_be_refused_is_refused_here(self, source: str) -> None:
        """With its name: there is nothing to translate in what no mail can be made of."""
        with pytest.raises(InvalidTemplate, match=r"^survey(:1)?: "):
            entries({"survey": source})

    def test_no_sentence_is_put_together_in_a_template(self) -> None:
        """A call is followed by a sentence as it stands, so that a search for it finds it."""
        for name in NAMES:
            for call in re.findall(r"\bn?_\((.)", shipped_source(name)):
                assert '"' == call


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return `docs/messages.py`, which works on copies of the catalogues."""
    spec = importlib.util.spec_from_file_location("messages_script", ROOT / "docs" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path in sorted(module.LOCALES.glob("*.po")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(module, "LOCALES", tmp_path)
    monkeypatch.setattr(module.sys, "argv", ["messages.py"])
    return module


SENTENCE: Final = 'msgid "Tell us why"\nmsgstr "Ütle meile, miks"\n'


class TestTheScript:
    """`docs/messages.py`."""

    def check(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> int:
        """Check, and change nothing."""
        before = {path.name: path.read_bytes() for path in script.LOCALES.iterdir()}
        with monkeypatch.context() as patched:
            patched.setattr(script.sys, "argv", ["messages.py", "--check"])
            found: int = script.main()
        assert before == {path.name: path.read_bytes() for path in script.LOCALES.iterdir()}
        return found

    def test_there_is_nothing_to_do(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The catalogues that ship are as it would write them."""
        assert {f"{language}.po" for language in SHIPPED[1:]} == {path.name for path in script.LOCALES.iterdir()}
        assert (0, 0) == (self.check(script, monkeypatch), script.main())
        assert "" == capsys.readouterr().out

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (SENTENCE, ""),
            (SENTENCE, f'{SENTENCE}\nmsgid "An old sentence"\nmsgstr "Vana lause"\n'),
            (SENTENCE, f'{SENTENCE}\n#~ msgid "An old sentence"\n#~ msgstr "Vana lause"\n'),
        ],
        ids=["missing", "left over", "obsolete"],
    )
    def test_what_is_missing_and_what_is_left_over_is_found(
        self,
        script: ModuleType,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        old: str,
        new: str,
    ) -> None:
        """The check names the file; without it the sentence is added, or taken out, and nothing else changes."""
        path = script.LOCALES / "et.po"
        whole = path.read_text(encoding="utf-8")
        assert 1 == whole.count(old)
        path.write_text(whole.replace(old, new), encoding="utf-8", newline="\n")
        assert 1 == self.check(script, monkeypatch)
        assert "not up to date: et.po\n" == capsys.readouterr().out
        assert 0 == script.main()
        assert "wrote et.po\n" == capsys.readouterr().out
        expected = whole if new else whole.replace("Ütle meile, miks", "", 1)
        assert expected == path.read_text(encoding="utf-8")
        assert 0 == self.check(script, monkeypatch)

    def test_a_guess_stays_a_guess(self, script: ModuleType) -> None:
        """What a tool proposed is kept, and is no translation until somebody has looked at it."""
        path = script.LOCALES / "et.po"
        whole = path.read_text(encoding="utf-8")
        guessed = whole.replace(f"\n{SENTENCE}", f"\n#, fuzzy\n{SENTENCE}")
        path.write_text(guessed, encoding="utf-8", newline="\n")
        assert 0 == script.main()
        assert guessed == path.read_text(encoding="utf-8")
        assert "Tell us why" not in Catalogue.read(guessed, language="et").texts

    def test_a_new_language_begins_with_every_sentence(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its file is written with the plural forms of the language, and without a translation."""
        monkeypatch.setattr(script, "SHIPPED", (*SHIPPED, "pl"))
        assert 0 == script.main()
        text = (script.LOCALES / "pl.po").read_text(encoding="utf-8")
        assert "nplurals=3" in text
        assert len(entries()) == len(re.findall(r"^msgid (?!\"\"\nmsgstr \"\"\n\"Language)", text, re.MULTILINE))
        assert {} == dict(Catalogue.read(text, language="pl").texts)
