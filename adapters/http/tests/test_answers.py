"""What an answer holds, what is less than promised, and how addresses are masked."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifecycle_mail_http import Answer, Promise, Unfit, masked

JSON = {"Content-Type": "application/json; charset=utf-8"}


class TestMasked:
    """Addresses in texts of a provider are masked."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ann@example.com is in a compliance state", "a***@example.com is in a compliance state"),
            (
                '{"detail":"ann.b+c@example.co.uk, bob@example.org"}',
                '{"detail":"a***@example.co.uk, b***@example.org"}',
            ),
            ("/asm/suppressions/global/ann%40example.com?x=1", "/***@example.com?x=1"),
            ("email 'ann@example.com' is not valid", "email '***@example.com' is not valid"),
            ('"response":"{\\"email\\":\\"ann@example.com\\"}"', '"response":"{\\"email\\":\\"a***@example.com\\"}"'),
            ("o'brien@example.com", "o***@example.com"),
            ("jürgen@exämple.de", "j***@exämple.de"),
            ("<ann@example.com>", "<a***@example.com>"),
            ("no address @ all", "no address @ all"),
            ("", ""),
        ],
    )
    def test_each_form(self, text: str, expected: str) -> None:
        """However an address is written into a text, one character of it is left at most."""
        assert masked(text) == expected

    @given(
        local=st.from_regex(r"[a-z0-9.+_'-]{2,64}", fullmatch=True),
        around=st.sampled_from(['"', "<>", "()", ", ", " "]),
    )
    def test_no_local_part_survives(self, local: str, around: str) -> None:
        """No local part of two characters or more is left in a text."""
        assert f"{local}@" not in masked(f"a text{around[0]}{local}@example.com{around[-1]}and more")

    def test_it_takes_no_longer_than_the_text_is_long(self) -> None:
        """A text made to be searched for ever is masked at once."""
        before = time.perf_counter()
        for text in ("a" * 500_000, "@" * 500_000, "a@" * 250_000, "%40" * 160_000):
            masked(text)
        assert time.perf_counter() - before < 5


class TestJson:
    """A body is less than promised, or it is what was promised (F25)."""

    @pytest.mark.parametrize(
        ("promise", "body", "expected"),
        [
            (Promise.PERHAPS, b"", None),
            (Promise.PERHAPS, b" \r\n", None),
            (Promise.PERHAPS, b"{}", {}),
            (Promise.PERHAPS, b"[1]", [1]),
            (Promise.JSON, b"{}", {}),
            (Promise.JSON, b"[]", []),
            (Promise.CONTENT, b'{"a": null}', {"a": None}),
            (Promise.CONTENT, b"[{}]", [{}]),
            (Promise.OBJECT, b'{"a": 1}', {"a": 1}),
            (Promise.OBJECT, '{"a": "é"}'.encode(), {"a": "é"}),
        ],
    )
    def test_what_was_promised(self, promise: Promise, body: bytes, expected: Any) -> None:
        """What holds what was promised is returned parsed."""
        assert Answer(200, JSON, body).json(promise) == expected

    @pytest.mark.parametrize(
        ("promise", "body"),
        [
            *((promise, b"") for promise in (Promise.JSON, Promise.CONTENT, Promise.OBJECT)),
            *((promise, body) for promise in (Promise.CONTENT, Promise.OBJECT) for body in (b"{}", b"[]", b"null")),
            (Promise.OBJECT, b"[1]"),
            *(
                (Promise.PERHAPS, body)
                for body in (b'{"a": 1', b"<html>", b"{'a': 1}", b"1", b'"text"', b"null", b'{"a": NaN}', b"\xff\xfe{")
            ),
            (Promise.PERHAPS, b"[" * 100_000),
            (Promise.PERHAPS, b"1" * 10_000),
            (Promise.ANYTHING, b"{}"),
        ],
    )
    def test_less_than_promised(self, promise: Promise, body: bytes) -> None:
        """What is empty, cut short, not JSON or of another shape is unfit (F25)."""
        with pytest.raises(Unfit):
            Answer(200, JSON, body).json(promise)

    @pytest.mark.parametrize("said", ["text/html", "text/plain; charset=utf-8", "application/octet-stream", "json"])
    def test_another_type(self, said: str) -> None:
        """What does not say that it is JSON is unfit, whatever it holds (F25)."""
        with pytest.raises(Unfit, match="content type"):
            Answer(200, {"Content-Type": said}, b'{"a": 1}').json(Promise.CONTENT)

    @pytest.mark.parametrize(
        "headers",
        [{}, {"content-type": "Application/JSON"}, {"CONTENT-TYPE": "application/problem+json; charset=utf-8"}],
    )
    def test_json_by_any_name(self, headers: dict[str, str]) -> None:
        """Every type of JSON will do, and so will none."""
        assert Answer(200, headers, b'{"a": 1}').json(Promise.CONTENT) == {"a": 1}

    def test_a_problem_is_read_whatever_its_type(self) -> None:
        """The body of an error is read where it can be, and None where it cannot."""
        assert Answer(400, {"Content-Type": "text/html"}, b'{"title": "x"}').problem() == {"title": "x"}
        assert Answer(400, {}, b"<html>").problem() is None


def test_its_text_is_masked_and_cut() -> None:
    """The text for errors names nobody, and is no page of megabytes."""
    answer = Answer(400, {}, b"ann@example.com " + "ü".encode() * 1_000_000 + b"\xff")
    assert answer.text.startswith("a***@example.com ")
    assert len(answer.text) <= 20_000


def test_its_representation_shows_no_content() -> None:
    """Neither headers nor the body stand in a representation."""
    assert repr(Answer(200, {"Set-Cookie": "secret"}, b"secret")) == "Answer(status=200)"
