"""The check of somebody's own translations (C5)."""

from typing import Any, Final

import pytest

from lifecycle_mail.lint.findings import Finding
from lifecycle_mail.lint.templates import check_templates
from lifecycle_mail.mails.catalogues import SHIPPED, Catalogue, shipped
from lifecycle_mail.mails.extraction import entries
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.loading import LAYOUTS, shipped_source
from lifecycle_mail.mails.rendering import FIXED
from lifecycle_mail.mails.samples import BRAND
from lifecycle_mail.mails.subjects import SUBJECTS

HEAD: Final = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
ALL: Final = tuple(one.message if isinstance(one.message, str) else one.message[0] for one in entries())


def check(own: dict[str, str], *catalogues: Catalogue) -> tuple[Finding, ...]:
    """The findings for somebody's own templates and translations."""
    return check_templates(own, brand=BRAND, catalogues=catalogues)


def of(rule: str, *args: Any) -> list[Finding]:
    """The findings of a rule."""
    return [one for one in check(*args) if one.rule == rule]


def made(language: str, *sentences: str) -> Catalogue:
    """A catalogue that translates some sentences."""
    return Catalogue(language, dict.fromkeys(sentences, ("Ahoi",)), lambda _: 0)


def closing(inside: str, *, kind: Kind = Kind.LAST_CHANCE) -> dict[str, str]:
    """A template of a mail with a closing of its own, which begins in line 2."""
    return {str(kind): f'{{% extends "shipped/{kind}" %}}{{% block closing %}}\n{inside}{{% endblock %}}'}


class TestUntranslated:
    """Sentences of somebody's own, for people who have more languages than one."""

    def test_what_is_not_translated(self) -> None:
        """Each sentence is in each of their catalogues, or in those that ship."""
        catalogues = [made(language, "Ahoy") for language in ("et", "de", "en-GB")]
        own = closing("{{ part.p(_('Ahoy')) }}\n{{ part.p(_('All hands')) }}\n{{ part.p(_('Help centre')) }}")
        found = of("untranslated", own, *catalogues)
        assert [("last-chance", 3), ("last-chance", 4)] == [(one.template, one.line) for one in found]
        assert "'All hands' is not translated into et, de" == found[0].message
        assert "'Help centre' is not translated into de" == found[1].message

    def test_one_language_is_enough(self) -> None:
        """Who has no catalogue writes as they like."""
        assert () == check(closing("{{ part.p(_('All hands')) }} Tere"))

    def test_a_region_has_what_its_language_has(self) -> None:
        """However the two are written; and several catalogues of a language fill each other."""
        own = closing("{{ part.p(_('Ahoy')) }}")
        assert [] == of("untranslated", own, made("DE_at"), made("de", "Ahoy"), made("de"))
        (finding,) = of("untranslated", own, made("de_AT", "Ahoy"), made("de"))
        assert "'Ahoy' is not translated into de" == finding.message

    def test_a_language_that_begins_as_english_does_is_none(self) -> None:
        """Tags are compared by their parts, and other words for English translate nothing."""
        (finding,) = of("untranslated", closing("{{ part.p(_('Ahoy')) }}"), made("enm"), made("en", "Ahoy"))
        assert "'Ahoy' is not translated into enm" == finding.message


class TestUnknownSentences:
    """Translations of what no template says."""

    def test_a_typo_is_found_with_its_line_and_a_near_miss(self) -> None:
        """It would never be used, and the sentence it is meant for stays in English."""
        text = (
            HEAD
            + 'msgid "Hello %(name)s,"\nmsgstr "Hei"\n\n# said\nmsgid "Thank you for having reed us."\nmsgstr "x"\n'
        )
        (finding,) = of("unknown-sentence", {}, Catalogue.read(text, language="et"))
        assert ("et.po", 9, ()) == (finding.template, finding.line, finding.kinds)
        assert (
            "'Thank you for having reed us.' stands in no template: did you mean 'Thank you for having read us.'?"
        ) == finding.message

    def test_what_is_unlike_all_others_has_no_near_miss(self) -> None:
        """Of a catalogue that was read from no file no line is known."""
        (finding,) = of("unknown-sentence", {}, made("en-GB", "Ahoy"))
        assert ("en-GB.po", None) == (finding.template, finding.line)
        assert "'Ahoy' stands in no template" == finding.message

    @pytest.mark.parametrize("language", [*SHIPPED[1:], "de", "pt_BR"])
    def test_whatever_ships_is_known(self, language: str) -> None:
        """Sentences of templates, subject lines, reasons and those that stand in code, with their plurals."""
        assert [] == of("unknown-sentence", {}, made(language, *ALL))
        assert [] == of("unknown-sentence", {}, *shipped().values())

    def test_sentences_of_ones_own_are_known(self) -> None:
        """In whichever template, with the English of a plural as it leads to it."""
        own = {**closing("{{ part.p(n_('%(n)s box', '%(n)s boxes', 2, n=2)) }}"), **closing("{{ _('Ahoy') }}")}
        own |= closing("{{ part.p(n_('%(n)s box', '%(n)s boxes', 2, n=2)) }}", kind=Kind.GOODBYE)
        (finding,) = of("unknown-sentence", own, made("et", "Ahoy", "%(n)s box", "%(n)s boxes"))
        assert finding.message.startswith("'%(n)s boxes' stands in no template: did you mean '%(n)s box'?")

    def test_while_a_template_is_broken_nobody_knows(self) -> None:
        """It is mended first: what it says cannot be read, perhaps."""
        own = {**closing("{{ part.p(_('Ahoy')) }}"), **closing("{% if %}", kind=Kind.GOODBYE)}
        assert {"broken", "partly-translated"} == {one.rule for one in check(own, made("de", "Ahoy", "Hoy"))}

    def test_many_are_found_in_a_moment(self) -> None:
        """A catalogue of something else, with all of its sentences."""
        strange = made("et", *(f"{one} {number}{'x' * 500}" for number, one in enumerate(ALL * 10)), "y" * 1_000_000)
        assert len(ALL) * 10 + 1 == len(of("unknown-sentence", {}, strange))


class TestPartlyTranslated:
    """Languages of somebody's own that lack sentences of what ships."""

    def test_each_kind_says_how_much_is_missing(self) -> None:
        """With the first of them, and the layouts by themselves."""
        kind = Kind.CONFIRM_SUBSCRIPTION  # it has no subject lines and asks for no reasons
        said = [one.message for one in entries({kind: shipped_source(kind)}) if isinstance(one.message, str)]
        found = of("partly-translated", {}, made("de", *said[1:]))
        assert len(Kind) + 1 == len(found)
        assert {("de.po", None)} == {(one.template, one.line) for one in found}
        (finding,) = (one for one in found if one.kinds == (kind,))
        assert f"1 of {len(said)} sentences of {kind} is not translated into de: {said[0]!r}" == finding.message
        (layouts,) = (one for one in found if one.kinds == tuple(Kind))
        count = len({one.message for one in entries({name: shipped_source(name) for name in LAYOUTS})} | {*FIXED})
        assert layouts.message.startswith(
            f"{count} of {count} sentences of the layouts are not translated into de: the first "
        )

    @pytest.mark.parametrize("language", ["de", "de-AT"])
    def test_a_whole_language_is_fine(self, language: str) -> None:
        """Its region may differ in a few sentences."""
        assert () == check({}, made("de", *ALL), made(language, FIXED[0]))

    @pytest.mark.parametrize("language", [*SHIPPED, "pt_BR", "en-GB"])
    def test_what_ships_fills_what_is_missing(self, language: str) -> None:
        """Whoever says a few sentences in other words keeps the rest."""
        assert () == check({}, made(language, FIXED[0]))

    def test_subjects_and_reasons_count_for_their_kinds(self) -> None:
        """A subject line in English above a mail in Finnish is the first that is seen."""
        line = next(one for one in SUBJECTS if len(one.kinds) < len(Kind))
        (*found,) = of("partly-translated", {}, made("fi", *({*ALL} - {line.text})))
        assert {*line.kinds} == {kind for one in found for kind in one.kinds}
        reason = "It is hard to use"
        found = of("partly-translated", {}, made("fi", *({*ALL} - {reason})))
        assert Kind.CANCELLATION_REASON in {kind for one in found for kind in one.kinds}
        assert all(repr(reason) in one.message for one in found)

    def test_what_was_replaced_is_not_asked_for(self) -> None:
        """A template of one's own answers for its own sentences, unless it takes some from that which ships."""
        own = dict.fromkeys(map(str, Kind), '{% extends "mail" %}{% block subject %}Hi{% endblock %}')
        own |= {str(Kind.SURVEY): '{% extends "shipped/survey" %}'}
        kinds = {one.kinds for one in of("partly-translated", own, made("fi")) if "layouts" not in one.message}
        assert (Kind.SURVEY,) in kinds
        assert (Kind.CONFIRM_SUBSCRIPTION,) not in kinds
