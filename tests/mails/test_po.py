"""The form of PO files: every line that is wrong is named, and what gettext's tools write always passes."""

from io import BytesIO

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidDocument
from lifecycle_mail.mails.catalogues import Catalogue
from lifecycle_mail.mails.markup import UNWRITTEN
from lifecycle_mail.mails.po import lines_of, problems_of_form

HEAD = 'msgid ""\nmsgstr ""\n"Language: et\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'


def problems(text: str) -> list[str]:
    """Return what is wrong with a file, each with its place."""
    return [f"{one.path}: {one.message}" for one in problems_of_form("et.po", lines_of(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('msgid "Hello"\nmsgstr "Hei', "et.po:2: '\"Hei' is not a text in quotes"),
        ('msgid "Hello"\nmsgstr Hei', "et.po:2: 'Hei' is not a text in quotes"),
        ('msgid "Hello"\nmsgstr "He" i', "et.po:2: '\"He\" i' is not a text in quotes"),
        ('msgid "Hello"\nmsgstr "a "b" c"', 'et.po:2: \'"a "b" c"\' is not a text in quotes'),
        ('msgid "Hello"\nmsgstr', "et.po:2: '' is not a text in quotes"),
        ('msgid "Hello"\nmsgstr ""\nHei"', "et.po:3: 'Hei\"' is no line of a PO file"),
        ('msgid "Hello"\nmsgstr "Hei\\q"', "et.po:2: \\q is no escape"),
        ('msgid "Hello"\nmsgstr "Hei\\"', "et.po:2: '\"Hei\\\\\"' is not a text in quotes"),
        ('msgid "Hello"\nmsgstr "\\x41"', "et.po:2: \\x is no escape"),
        ('msgid "Hello"\nmsgstr "\\101"', "et.po:2: \\1 is no escape"),
        ('msgid "Hello"\nmsgstr\t"Hei"', "et.po:2: no space follows msgstr"),
        ('msgid"Hello"\nmsgstr "Hei"', "et.po:1: no space follows msgid"),
        ('msgid "Hello"\nmsgstr\u00a0"Hei"', "et.po:2: no space follows msgstr"),
        ('msgid "a"\n# said\nmsgstr "b"', "et.po:2: a comment stands between msgid and its msgstr"),
        ('msgid "a"\n#~ msgid "z"\nmsgstr "b"', "et.po:2: a comment stands between msgid and its msgstr"),
        ('msgid "a"\nmsgstr "b"\n# said\n"c"', "et.po:4: a text stands in no entry"),
        (
            'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\n# said\nmsgstr[1] "d"\n"e"\n\nmsgid "f"\nmsgstr "g"',
            "et.po:5: msgstr[1] stands without a msgid",
        ),
        ('msgstr "Hei"', "et.po:1: msgstr stands without a msgid"),
        ('"Hei"', "et.po:1: a text stands in no entry"),
        ('msgid "a"\nmsgid "b"\nmsgstr "c"', "et.po:2: msgid stands after msgid"),
        ('msgid "a"\nmsgstr "b"\nmsgstr "c"', "et.po:3: msgstr is not what comes here"),
        ('msgid "a"\nmsgstr[0] "b"', "et.po:2: msgstr[0] is not what comes here"),
        ('msgid[0] "a"\nmsgstr "b"', "et.po:1: msgid[0] has a number"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr "c"', "et.po:3: msgstr is not what comes here"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr[1] "c"\nmsgstr[1] "d"', "et.po:3: msgstr[1] is not what comes here"),
        ('msgid "a"\nmsgstr "b"\nmsgid_plural "c"', "et.po:3: msgid_plural stands after msgstr"),
        ('msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"', "et.po:5: the same msgid stands in line 1"),
        ('msgid "a"\n"b"\nmsgstr ""\nmsgid ""\n"ab"\nmsgstr "c"', "et.po:6: the same msgid stands in line 1"),
        ('msgid "a"\nmsgstr "b"\nmsgid "c"', "et.po:3: the last sentence has no msgstr"),
        (HEAD + 'msgid Hello\nmsgstr "Hei"', "et.po:6: 'Hello' is not a text in quotes"),
        ('domain "a"', "et.po:1: 'domain \"a\"' is no line of a PO file"),
    ],
)
def test_a_line_that_is_wrong_is_named(text: str, expected: str) -> None:
    """With what is wrong in it, where Babel would take a part of it for the translation."""
    assert [expected] == problems(text)
    with pytest.raises(InvalidDocument):
        Catalogue.read(HEAD + text, language="et") if text.startswith("msgid") else Catalogue.read(text, language="et")


def test_all_that_is_wrong_is_told_at_once() -> None:
    """A translator mends a file in one go."""
    text = HEAD + 'msgid "a"\nmsgstr "b\n\nmsgid "c"\nmsgstr d\n\nmsgid "e"\nmsgstr "f\\q"\n'
    with pytest.raises(InvalidDocument) as refused:
        Catalogue.read(text, language="et")
    assert ["et.po:7", "et.po:10", "et.po:13"] == [one.path for one in refused.value.problems]
    assert all(one.fix for one in refused.value.problems)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_may_stand_in_a_file_is_read(end: str) -> None:
    """Comments of all kinds, contexts, what is obsolete, what goes on in the next line, and spaces."""
    text = HEAD + (
        '# said\n#. by a program\n#: where\n#, python-format\n#| msgid "before"\n'
        'msgid ""\n  "a \\"b\\" "\n"\\\\ %(c)s"\n'
        'msgstr "d \\"e\\"\\t%(c)s"  \n\nmsgctxt "other"\nmsgid "f"\nmsgstr "g"\n\nmsgid "f"\nmsgstr "h\u00a0i"\n\n'
        'msgid "%(n)s j"\nmsgid_plural "%(n)s k"\nmsgstr[0] "%(n)s l"\nmsgstr[1] ""\n"%(n)s m"\n\n'
        '#~ msgid "gone\n#~ msgstr "gone"\n'
    )
    found = Catalogue.read("\ufeff" + text.replace("\n", end), language="et").texts
    assert {
        'a "b" \\ %(c)s': ('d "e"\t%(c)s',), "f": ("h\u00a0i",), "%(n)s j": ("%(n)s l", "%(n)s m"),
    } == found  # fmt: skip


def test_what_is_obsolete_is_a_comment() -> None:
    """Whatever is in it, it changes no sentence beside it; a guess in front of it is no guess about the next."""
    text = HEAD + (
        'msgid "a"\nmsgstr "b"\n#~ "c"\n\n#, fuzzy\n#~| msgid "before"\n#~ msgid "gone"\n#~ msgstr "d\n#~ nonsense\n\n'
        'msgid "e"\nmsgstr "f"\n#~ msgid "a"\n#~ msgstr "g"\n#~ msgid "h"\n\n'
        '#, fuzzy\n# said\n#: a.py:1 \u2068b\nmsgid "i"\nmsgstr "j"\n\nmsgid "k"\nmsgstr "l"\n#, fuzzy\n'
    )
    assert {"a": ("b",), "e": ("f",), "k": ("l",)} == Catalogue.read(text, language="et").texts


@pytest.mark.parametrize("date", ["", "YEAR-MO-DA HO:MI+ZONE", "2026-03-03T12:00:00Z", "2026-03-03 12:05+0200", "soon"])
def test_a_date_costs_no_translation(date: str) -> None:
    """Tools write placeholders and forms of their own, and nobody here reads it."""
    head = HEAD.rstrip("\n") + f'\n"POT-Creation-Date: {date}\\n"\n"PO-Revision-Date: {date}\\n"\n\n'
    assert {"a": ("b",)} == Catalogue.read(head + 'msgid "a"\nmsgstr "b"\n', language="et").texts
    whole = f'msgid ""\nmsgstr "POT-Creation-Date: {date}\\nLanguage: et\\nPO-Revision-Date: {date}\\n"\n\n'
    assert {"a": ("b",)} == Catalogue.read(whole + 'msgid "a"\nmsgstr "b"\n', language="et").texts


WORDS = st.text(st.characters(exclude_characters="%"), min_size=1).filter(
    lambda text: bool(text.strip()) and UNWRITTEN.search(text) is None
)
NOTES = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])), max_size=2)


@given(
    st.dictionaries(
        st.one_of(WORDS, st.tuples(WORDS, WORDS)), st.tuples(WORDS, WORDS, st.sampled_from(["", "fuzzy", "of"]), NOTES),
        max_size=5,
    ),
    st.dictionaries(WORDS, WORDS, max_size=2),
)  # fmt: skip
def test_what_tools_write_passes_and_reads_back(
    entries: dict[str | tuple[str, str], tuple[str, str, str, list[str]]], obsolete: dict[str, str]
) -> None:
    """Whatever is in it: plurals, quotes, ends of lines, guesses, contexts, comments, and what is obsolete."""
    catalog = Catalog(locale="et")
    expected: dict[str, tuple[str, ...]] = {}
    for message, (one, many, way, notes) in entries.items():
        source = message if isinstance(message, str) else message[0]
        if catalog.get(source) is None:
            texts = (one,) if isinstance(message, str) else (one, many)
            catalog.add(
                message, one if isinstance(message, str) else texts, context="of" if way == "of" else None,
                flags={way} & {"fuzzy"}, user_comments=notes, auto_comments=notes, locations=[("a b.py", 1)],
                previous_id=source if way == "fuzzy" else (),
            )  # fmt: skip
            expected |= {} if way else {source: texts}
    for message, said in obsolete.items():
        catalog.obsolete[message] = Message(message, said, flags={"fuzzy"})
    for width in (0, 20, 76):
        out = BytesIO()
        write_po(out, catalog, width=width, include_previous=True)
        assert expected == Catalogue.read(out.getvalue().decode(), language="et").texts


@pytest.mark.parametrize(
    "hostile", ['"', "\\", '\\"', '"a"\n', "msgid ", "[", " ", 'msgid "a"\nmsgstr "b"\n', "#\n", '"\\']
)
def test_a_file_is_read_in_linear_time(hostile: str) -> None:
    """A million characters take no minute, whatever they are."""
    text = hostile * (1_000_000 // len(hostile))
    for before in ("", 'msgstr "', "msgstr["):
        assert isinstance(problems(before + text), list)
