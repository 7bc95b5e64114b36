import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidAddress, WebhookRefused
from lifecycle_mail.files.bodies import MOST_BYTES, open_body, raw_elements, read_array, read_form, why
from lifecycle_mail.files.reading import RowRefused
from lifecycle_mail.files.text import Fault
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.ports import Delivery

JSON = "application/json"


def opened(body: bytes, **headers: str) -> str:
    """Return the text of a body of JSON that came with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return open_body(Delivery(headers=named, body=body), media_type=JSON).text()


def refused(body: bytes, **headers: str) -> int:
    """Return the status that a body of JSON is refused with."""
    with pytest.raises(WebhookRefused) as caught:
        read_array(opened(body, **headers))
    return caught.value.status


# --- limits (F43) ---------------------------------------------------------------------------------------------------


def test_a_body_that_is_too_large_is_refused() -> None:
    """One byte too many is 413, and what just fits is read (F43)."""
    fits = b"[" + b" " * (MOST_BYTES - 2) + b"]"
    assert MOST_BYTES == len(opened(fits))
    assert 413 == refused(fits + b" ")
    assert 413 == refused(b" " * 50_000_000)


def test_a_bomb_is_stopped_early() -> None:
    """What unpacks to far more than the limit takes no more memory than the limit (F43)."""
    packing = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packing.compress(b" " * 10_000_000) for _ in range(50)) + packing.flush()
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    try:
        assert 413 == refused(bomb, content_encoding="gzip")
        assert tracemalloc.get_traced_memory()[1] < 4 * MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", ["gzip", "x-gzip", "GZIP "])
def test_a_packed_body_is_unpacked(packed: str) -> None:
    """A body that says it is gzip is read as what it holds."""
    assert '[{"a": 1}]' == opened(gzip.compress(b'[{"a": 1}]'), content_encoding=packed)


@pytest.mark.parametrize(
    "body",
    [b"[]", gzip.compress(b"[]")[:-3], gzip.compress(b"[]") * 2, gzip.compress(b"[]") + b"x", b""],
    ids=["plain", "cut off", "two", "more", "empty"],
)
def test_a_damaged_packing_is_refused(body: bytes) -> None:
    """What is said to be gzip and is not, or not one whole, is 400; and not before a signature could be checked."""
    body_opened = open_body(Delivery(headers={"Content-Encoding": "gzip"}, body=body), media_type=JSON)
    with pytest.raises(WebhookRefused) as caught:
        body_opened.text()
    assert 400 == caught.value.status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "text/html"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_type": "application/jsonp"}, 415),
        ({"content_encoding": "br"}, 415),
        ({"content_encoding": "gzip, gzip"}, 415),
    ],
)
def test_what_is_of_another_kind_is_refused(headers: dict[str, str], status: int) -> None:
    """Another type, and any packing but gzip, is 415."""
    assert status == refused(b"[]", **headers)


@pytest.mark.parametrize("said", [JSON, "Application/JSON; charset=utf-8", ""])
def test_the_type_is_read_as_headers_are(said: str) -> None:
    """Case and parameters do not count, and a body that says nothing is read."""
    assert "[]" == opened(b"[]", content_type=said)
    assert "[]" == opened(b"[]")


# --- arrays (F40, F41) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[]", []),
        (b" [ ] \r\n", []),
        (b'[{"a":1}]\r\n', [{"a": 1}]),
        (b'[{"a":1},{"b":[2]},"c",5]', [{"a": 1}, {"b": [2]}, "c", 5]),
        (b'[\n {"a": "\\ud83d\\ude00"} ,\n {"a": "\xc3\xa9"}\n]', [{"a": "😀"}, {"a": "é"}]),
    ],
)
def test_an_array_is_read(body: bytes, expected: list[object]) -> None:
    """The elements are read in order, whatever space stands between them."""
    assert expected == list(read_array(opened(body)))
    assert expected == [json.loads(raw) for raw in raw_elements(opened(body))]


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{}", b'"a"', b"null", b"NaN", b"a=b", b"[", b"[1", b"[1,", b"[,]", b"[1,]", b"[1 2]", b"[1]]",
        b"[1] [2]", b'[{"a":1}', b'[{"a":', b'[{"a":1},{"b":"', b"\xff[]", b"\xef\xbb\xbf[]",
        b'[{"a":NaN}]', b'[{"a":1e999}]', b'[{"a":1,"a":2}]', b'[{"a":"\\ud800"}]', b'[{"a":tru}]',
        b'[{"a":' + b"9" * 5000 + b"}]",
        b"[" * 10_000 + b"]" * 10_000,
        b"[" * 10_000,
        b'[{"a":' * 10_000,
    ],
    ids=lambda body: f"{len(body)} {body[-20:]!r}",
)  # fmt: skip
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    """Malformed JSON, depth 10,000, NaN, duplicate keys and text that is no UTF-8 are 400 (F40)."""
    assert 400 == refused(body)


BAD = {
    "depth": '{"a": ' + "[" * 10_000 + "]" * 10_000 + "}",
    "NaN": '{"a": NaN}',
    "infinity": '{"a": -Infinity}',
    "too large a number": '{"a": 1e999}',
    "too long a number": '{"a": ' + "9" * 5000 + "}",
    "key twice": '{"a": 1, "b": {"c": 1, "c": 2}}',
    "half a character": '{"a": "\\udc00"}',
    "no JSON": '{"a": tru, "b": "]}"}',
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_one_bad_element_costs_itself(bad: str) -> None:
    """One of a thousand that cannot be read is a fault with its text, and 999 are read (F41)."""
    elements = [f'{{"n": {n}}}' for n in range(1000)]
    elements[500] = bad
    text = f"[{', '.join(elements)}]"
    found = read_array(text)
    assert 1000 == len(found)
    assert isinstance(found[500], Fault)
    assert [{"n": n} for n in range(1000) if n != 500] == [one for one in found if not isinstance(one, Fault)]
    assert elements == list(raw_elements(text))


def test_a_body_of_very_many_bad_elements_is_refused() -> None:
    """A thousand bad elements are faults; of more than that the rest is not looked at."""
    assert 1001 == len(read_array(f"[1{',x' * 1000}]"))
    assert 400 == refused(f"[1{',x' * 1_000_000}]".encode())


@pytest.mark.parametrize("first", ["1", "x"])
def test_a_body_of_very_many_elements_is_refused(first: str) -> None:
    """More events than fit into the largest body are 413, whether all of them can be read or not (F43)."""
    assert 50_000 == len(read_array(f"[{first}{',1' * 49_999}]"))
    assert 413 == refused(f"[{first}{',1' * 50_000}]".encode())


def test_the_time_of_a_key_given_twice_grows_with_the_body() -> None:
    """An element with very many keys, one of them twice, is looked at once."""
    keys = ",".join(f'"{n}":1' for n in range(200_000))
    found = read_array(f'[{{{keys},"199999":2}},1]')
    assert isinstance(found[0], Fault)
    assert "the key '199999' is given twice" == found[0].reason


@given(st.text(alphabet='[]{},:" \n\\ud8a1NtrueE-.', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a body holds, it is an array, one with faults, or 400; what is whole JSON is never lost."""
    found, status = None, 0
    try:
        found = read_array(text)
    except WebhookRefused as error:
        status = error.status
    assert (status == 400) is (found is None)
    if found is not None:
        assert len(found) == len(raw_elements(text))
        if not any(isinstance(one, Fault) for one in found):
            assert json.loads(text) == found


# --- forms ----------------------------------------------------------------------------------------------------------


def test_a_form_is_decoded() -> None:
    """Names and values are decoded, empty values kept."""
    body = "type=profile&data%5Bmerges%5D%5BFNAME%5D=Ad%C3%A9la+%26+Co&data[email]=a%2Bb%40example.com&empty=\r\n"
    assert {
        "type": "profile", "data[merges][FNAME]": "Adéla & Co", "data[email]": "a+b@example.com", "empty": "",
    } == read_form(body)  # fmt: skip


@pytest.mark.parametrize(
    "body",
    ["", "\r\n", "type", "a=1&b", '{"a": 1}', "a=%ff", "a=1&a=2", "a=1&%61=2", "&".join(f"a{n}=" for n in range(1001))],
    ids=lambda body: body[:20],
)
def test_what_is_no_form_is_refused(body: str) -> None:
    """A form without names, with bytes that are no UTF-8, with a field twice or with too many is 400 (F40)."""
    with pytest.raises(WebhookRefused) as caught:
        read_form(body)
    assert 400 == caught.value.status


def test_a_form_of_a_thousand_fields_is_read() -> None:
    """As many fields as are allowed are read."""
    assert 1000 == len(read_form("&".join(f"a{n}=" for n in range(1000))))


# --- misfits --------------------------------------------------------------------------------------------------------


def test_why_names_nobody() -> None:
    """What is said of a misfit has its advice, and no address in full."""
    with pytest.raises(InvalidAddress) as caught:
        parse_address("ann@@example.com")
    assert "ann" not in why(caught.value)
    assert "no address that mail can be sent to: it has more than one at sign" == why(caught.value)
    assert "x: 'a***@example.com' is bad (ask)" == why("x: 'ann@example.com' is bad", "ask")
    assert "it is nested too deeply" == why(Fault("it is nested too deeply"))
    assert "no (yes)" == why(RowRefused("no", "yes"))
    assert len(why("x" * 10_000)) == 500
