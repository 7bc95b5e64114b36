"""The checks of texts and links: what passes them is seen, stays in its line, and leads where it says."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.links import MAX_URL
from lifecycle_mail.mails.parts import Item, Way
from lifecycle_mail.mails.samples import NOW
from lifecycle_mail.mails.texts import MAX_LINE, MAX_PARAGRAPH, are, check_text, check_url, is_words_or_empty
from lifecycle_mail.model.answers import Answer
from lifecycle_mail.model.names import ContactId
from tests.mails.hidden import HIDDEN

SEEN = [
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "%(name)s",
    "&amp;",
    "\"'",
    "\u0634\u06a9\u0631\u200c\u0647\u0627",
    "\u0915\u094d\u200d\u0937",
    "\U0001f469\u200d\U0001f680",
    "\U0001fa77",
    "\U0001fae9",
    "a\u00a0b",
    "\u3000x",
    "\u05d0\u05d1",
    "e\u0301",
]
BAD_URLS = [
    "",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "http://harbour.example",
    "ftp://harbour.example",
    "//harbour.example",
    "/path",
    "harbour.example",
    "https://",
    "https:///path",
    "https:harbour.example",
    "https://?x",
    "https://user:hunter2@harbour.example",
    "https://user@harbour.example",
    "https://@harbour.example",
    "https://harbour.example:hunter2@evil.example/",
    "mailto:ada@reader.example",
    "https://harbour.example/a b",
    "https://harbour.example/\r\nX: y",
    "https://harbour.example/\t",
    " https://harbour.example",
    "https://harbour.example/<script>",
    'https://harbour.example/"onclick=',
    "https://harbour.example/'",
    "https://evil\\@harbour.example",
    "https://harbour.example/{{7*7}}",
    "https://k\u00f6nig.example",
    "https://harbour.example/\u00e4",
    "https://harbour.example:0",
    "https://harbour.example:99999",
    "https://harbour.example:x",
    "https://[::1",
    "https://[::1]/x",
    "https://x..example",
    "https://harbour",
    "https://harbour.example/" + "a" * MAX_URL,
    "\0https://harbour.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    5,
    None,
    b"https://harbour.example",
    ["https://harbour.example"],
]
GOOD_URLS = [
    "https://harbour.example",
    "https://harbour.example/a/b?c=d&e=f#g",
    "HTTPS://harbour.example/%20",
    "https://xn--knig-5qa.example",
    "https://harbour.example:8443/",
    "https://192.0.2.7/x",
    "http://localhost:8000/x",
    "https://harbour.example/~a;b=(c)!*$",
    "https://harbour.example/" + "a" * (MAX_URL - 24),
]


class TestTexts:
    """What a mail shows."""

    @pytest.mark.parametrize("what", HIDDEN)
    def test_what_cannot_be_seen_is_refused(self, what: str) -> None:
        """Control characters, ends of lines, signs of direction and of no width, each named with its place (F55)."""
        with pytest.raises(InvalidInput, match=r"title: character \d+ is .*cannot be seen") as refused:
            check_text("title", HIDDEN[what])
        assert str(refused.value).isprintable()

    @pytest.mark.parametrize("what", [what for what in HIDDEN if what != "LF"])
    def test_a_paragraph_has_lines_and_nothing_else_unseen(self, what: str) -> None:
        """What somebody wrote may have several lines; all else is as in a line (F55)."""
        check_text("problem", "a\n\nb", lines=True)
        with pytest.raises(InvalidInput, match="problem"):
            check_text("problem", HIDDEN[what], lines=True)

    @pytest.mark.parametrize("text", SEEN)
    def test_what_can_be_seen_is_taken(self, text: str) -> None:
        """Markup, signs of templates, every script, joiners within words, emoji that are newer than Python."""
        check_text("title", text)

    def test_a_text_is_neither_too_long_nor_blank(self) -> None:
        """Two hundred characters fit a line; what is too long is not repeated; spaces are no text."""
        check_text("title", "x" * MAX_LINE)
        check_text("title", "", empty=True)
        for text in ("x" * (MAX_LINE + 1), "x" * 10**6):
            with pytest.raises(InvalidInput, match=r"title: .*too many") as refused:
                check_text("title", text)
            assert 100 > len(str(refused.value))
        for text in ("", " ", "\u3000\u00a0"):
            with pytest.raises(InvalidInput, match="title: nothing is written there"):
                check_text("title", text)
        with pytest.raises(InvalidInput, match="leave it out"):
            check_text("title", " ", empty=True)
        check_text("problem", "x\n" * (MAX_PARAGRAPH // 2), most=MAX_PARAGRAPH, lines=True)

    @pytest.mark.parametrize("value", [5, None, b"text", ["text"], True])
    def test_what_is_no_text_is_refused(self, value: Any) -> None:
        """The type is named, and the value is not repeated."""
        with pytest.raises(InvalidInput, match=f"title: {type(value).__name__} is not a text"):
            check_text("title", value)

    @given(st.text(max_size=300))
    def test_any_text_is_taken_or_refused(self, text: str) -> None:
        """Nothing but `InvalidInput` comes out, and what is taken can be written into a header, a page and a file."""
        try:
            check_text("title", text, empty=True)
        except InvalidInput:
            return
        assert not set("\r\n\0\u202e\u200b") & set(text)
        text.encode()

    @pytest.mark.parametrize("what", HIDDEN)
    def test_every_part_is_held_to_it(self, what: str) -> None:
        """An item's title and summary, and the title of a way (F55)."""
        text, url = HIDDEN[what], GOOD_URLS[0]
        makes: dict[str, Callable[[], object]] = {
            "title": lambda: Item(title=text, url=url),
            "summary": lambda: Item(title="a", url=url, summary=text),
            "title:": lambda: Way(title=text, url=url),
        }
        for name, make in makes.items():
            with pytest.raises(InvalidInput, match=name):
                make()


@frozen
class _Said:
    interest: str = field(default="", validator=is_words_or_empty)


class TestWords:
    """Texts that may come from people."""

    @pytest.mark.parametrize(
        "text", ["", "ice sailing", "the form on harbour.example/offers", "Node.js", "Tallinn 2026"]
    )
    def test_words_are_taken(self, text: str) -> None:
        """A page of the sender's own, a technology, a year are no lures."""
        assert text == _Said(text).interest

    @pytest.mark.parametrize(
        "text", ["https://evil.example", "www\u200d.evil", "ada@evil.example", "call 0900 123 456"]
    )
    def test_a_lure_is_refused(self, text: str) -> None:
        """By the name of the field, with what to do, and without the text."""
        with pytest.raises(
            InvalidInput, match=r"^interest: it holds a link.*write it in words, or leave it out"
        ) as refused:
            _Said(text)
        assert text not in str(refused.value)

    @pytest.mark.parametrize("text", ["two\nlines", " ", "x" * (MAX_LINE + 1), 5, None], ids=repr)
    def test_they_are_one_line(self, text: Any) -> None:
        """As every line is."""
        with pytest.raises(InvalidInput, match="interest"):
            _Said(text)


class TestLinks:
    """Where a mail leads."""

    @pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: repr(url)[:40])
    def test_a_link_that_a_mail_may_not_carry_is_refused(self, url: Any) -> None:
        """Other schemes, user names, spaces, quotes, what is not ASCII or too long; a password is in no message."""
        with pytest.raises(InvalidInput, match="url") as refused:
            check_url("url", url)
        assert "hunter2" not in str(refused.value)
        for make in (lambda: Item(title="a", url=url), lambda: Way(title="a", url=url)):
            with pytest.raises(InvalidInput, match="url"):
                make()

    @pytest.mark.parametrize("url", GOOD_URLS, ids=lambda url: str(url)[:40])
    def test_a_link_is_taken_as_it_is(self, url: str) -> None:
        """With port, query, fragment, an IDNA host, and on this machine without TLS."""
        check_url("url", url)
        assert url == Item(title="a", url=url).url

    @given(st.text(max_size=60).map("https://harbour.example/".__add__))
    def test_any_text_behind_a_host_is_taken_or_refused(self, url: str) -> None:
        """What is taken can stand between quotes in HTML, and in brackets in a header."""
        try:
            check_url("url", url)
        except InvalidInput:
            return
        assert url.isascii()
        assert not set("\"'<>\r\n ") & set(url)


@frozen
class _Several:
    benefits: Any = field(validator=are(least=1, most=3))
    ways: Any = field(default=(), validator=are(Way))
    reasons: Any = field(default=(), validator=are(str, among=("price", "other")))


class TestSeveral:
    """Fields that hold several."""

    def test_every_wrong_entry_is_told_at_once(self) -> None:
        """Each with its place, whatever is wrong with the others, and that one is there twice."""
        with pytest.raises(InvalidInput) as refused:
            _Several(("Maps", "a\nb", "Maps"))
        assert str(refused.value).startswith("benefits[1]: character 2 is ")
        assert "; benefits: an entry is there twice" in str(refused.value)
        with pytest.raises(InvalidInput, match=r"^ways\[0\]: str is not a Way; ways\[1\]: list is not a Way$"):
            _Several(("Maps",), ways=("pause", []))
        with pytest.raises(
            InvalidInput, match=r"^reasons\[0\]: 'prise' is none of price, other; reasons\[2\]: int is not a str$"
        ):
            _Several(("Maps",), reasons=("prise", "other", 7))

    def test_of_too_many_no_more_are_looked_at_than_fit(self) -> None:
        """Their number is said, and what is wrong with the first of them; the message stays short."""
        with pytest.raises(InvalidInput) as refused:
            _Several(("",) * 10**5)
        assert str(refused.value).startswith("benefits: 100,000 entries; give 1 to 3; benefits[0]: nothing is written")
        assert "benefits[2]" in str(refused.value)
        assert "benefits[3]" not in str(refused.value)
        with pytest.raises(InvalidInput, match=r"^benefits: 0 entries; give 1 to 3$"):
            _Several(())


class TestLaws:
    """What holds for any text."""

    @given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=40), st.booleans())
    def test_what_is_let_through_is_seen_in_one_line(self, text: str, lines: bool) -> None:
        """No line break, no control, format, surrogate, private or separating character but joiners, and no filler."""
        try:
            check_text("text", text, lines=lines)
        except InvalidInput:
            return
        if lines:
            text = text.replace("\n", "")
        assert len(text.splitlines()) == 1
        hidden = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
        assert hidden <= {"\u200c", "\u200d"}
        assert not set(text) & set("\u115f\u1160\u17b4\u17b5\u3164\uffa0")
        assert any(unicodedata.category(char)[0] in "LMNPSC" and char not in "\u200c\u200d" for char in text)

    @given(st.text(max_size=60))
    def test_what_an_answer_keeps_can_be_quoted(self, text: str) -> None:
        """Whatever somebody types into a page: the follow-up can say what was kept of it (C4, F55)."""
        kept = Answer(
            contact_id=ContactId("c"), question="cancellation", reasons=[], text=text, asked_at=NOW, at=NOW
        ).text  # fmt: skip
        check_text("problem", kept, most=MAX_PARAGRAPH, lines=True, empty=True)
        assert kept == Answer(
            contact_id=ContactId("c"), question="cancellation", reasons=[], text=kept, asked_at=NOW, at=NOW
        ).text  # fmt: skip
