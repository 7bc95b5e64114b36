"""Messages, judged on their bytes: what goes over SMTP, and what is read out of it again (R4, R5, R21).

Two readers of the standard library are asked. The older one, `email.header` with `policy.compat32`, reads encoded words
as RFC 2047 has it. The newer one, `policy.default`, makes one space of several, and puts one between two encoded words
of a name: names are held against it without their spaces, unless they are short.
"""

import copy
import email
import hashlib
import os
import pickle
import re
import smtplib
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Final

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails import DKIM_HEADERS, CancellationConfirmed, Kind, LastChance, Links, Mail, Recipient, Renderer
from lifecycle_mail.mails.messages import POLICY
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader, samples
from lifecycle_mail.mails.texts import check_text
from lifecycle_mail.model.names import ContactId
from tests.mails.rendered import EVERY, LANGUAGES, LINKS, mail, render, specifications
from tests.mails.stretched import WORD, stretched

MAX_LINE: Final = 998
"""Octets of a header line, its end not counted (RFC 5322, 2.1.1)."""

ROOT: Final = Path(__file__).parents[2]

MARKETING: Final = mail(Kind.LAST_CHANCE)
TRANSACTIONAL: Final = mail(Kind.CANCELLATION_CONFIRMED)

SAID_HERE: Final = ("From", "To", "Reply-To", "Subject", "Message-ID", "List-Id", *DKIM_HEADERS)
"""Headers that say something of ours; the others are those of every message."""

POLICIES: "Final[dict[str, EmailPolicy[Any]]]" = {
    "SMTP": policy.SMTP,
    "SMTPUTF8": policy.SMTPUTF8,
    "default": policy.default,
    "strict": policy.strict,
    "HTTP": policy.HTTP,
    "no limit": policy.SMTP.clone(max_line_length=0),
    "998": policy.SMTP.clone(max_line_length=998),
    "narrow": policy.SMTP.clone(max_line_length=40),
    "7bit": policy.SMTP.clone(cte_type="7bit"),
    "refold": policy.SMTP.clone(refold_source="all"),
}
"""What a caller may write a message by."""

NAMES: Final = {
    "an accent": "Jõgeva Õunad",
    "a comma": "Harbour, Ltd.",
    "a comma and an accent": "Café Le Grand, Tartu",
    "quotes": 'Ines "the Captain" Harbour',
    "quotes and an accent": 'Inês "the Captain" Harbour',
    "backslashes": "Harbour \\ Sons \\\\",
    "a backslash at its end": "Harbour\\",
    "one quote": '"',
    "an emoji": "Ada 🎈",
    "joined emoji": "👩🏽‍🚀👨‍👩‍👧‍👦",
    "from right to left": 'שלום "עולם", יקר',
    "Arabic": "محمد، أحمد",
    "an address": "ines@harbour.example",
    "angle brackets": "Ines <ceo@bank.example>",
    "two senders": 'Ada <ada@bank.example>, "Ines"',
    "parentheses": "Ines (Harbour) [sales]; all: of us",
    "an encoded word": "=?utf-8?q?Bank?=",
    "an encoded line end": "Ada =?utf-8?q?=0D=0ABcc:_all=40bank.example?= Lovelace",
    "half an encoded word": "Ada =?utf-8?q?",
    "its end": "Ada?=",
    "underscores and signs": "a_b=20c",
    "two spaces": "Ada  Lovelace",
    "spaces around": " Ada ",
    "a space without a break": "Ada\u00a0Lovelace",
    "full width": "\uff21\uff44\uff41\uff0c\u3000\uff22",
    "combining": "e\u0301" * 20,
    "40 letters": "A" * 40,
    "40 accents": "é" * 40,
    "40 emoji": "🎈" * 40,
    "200 letters": WORD,
    "200 accents": "é" * 200,
    "200 emoji": "🎈" * 200,
    "200 quotes": '"' * 200,
    "200 with commas": ("Ines, " * 40)[:199] + ".",
    "200 with commas and accents": ("Inés, " * 40)[:199] + ".",
    "200 in words": ("Ines of the Harbour " * 20)[:199] + "s",
    "200 in words with accents": ("Inês of the Härbour " * 20)[:199] + "s",
    "200 in Hebrew": ("נמל " * 50)[:199] + "ם",
    "a long word among short ones": "Ines of " + "H" * 180 + " Ltd",
}
"""Names that are hard to write, and why."""

_HARD: Final = st.text(st.sampled_from(' ,"\\=?_()<>@;:.[]é🎈ש\u200d\u00a0\u3000aA0'), min_size=1, max_size=200)
_ANY: Final = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")), min_size=1, max_size=200
)


def is_name(text: str) -> bool:
    """Whether a sender or a reader may have a name."""
    try:
        check_text("name", text)
    except InvalidInput:
        return False
    return True


ANY_NAME: Final = st.one_of(_HARD, _ANY).filter(is_name)


# -- reading


def head(data: bytes) -> list[bytes]:
    """Return the lines of the headers, as they go over the wire."""
    found, end, _ = data.partition(b"\r\n\r\n")
    assert end
    return found.split(b"\r\n")


def lines_of(data: bytes, name: str) -> list[bytes]:
    """Return the lines of one header; none where it is not there."""
    found: list[list[bytes]] = []
    for line in head(data):
        if line[:1] in (b" ", b"\t"):
            found[-1].append(line)
        else:
            found.append([line])
    wanted = [lines for lines in found if lines[0].lower().startswith(name.lower().encode() + b":")]
    assert len(wanted) <= 1
    return wanted[0] if wanted else []


def unfolded(data: bytes, name: str) -> str:
    """Return the value of a header on one line (RFC 5322, 2.2.3), encoded words as they are."""
    return b"".join(lines_of(data, name)).decode("ascii").partition(": ")[2]


def decoded(value: str) -> str:
    """Read encoded words, as RFC 2047 says."""
    return str(make_header(decode_header(value)))


def who(data: bytes, name: str) -> tuple[str, str]:
    """Return the one name and address of a header, as the older reader has them."""
    ((display, address),) = getaddresses([unfolded(data, name)])
    return decoded(display), address


def newer(data: bytes, name: str) -> tuple[str, str]:
    """Return the one name and address of a header, as the newer reader has them, the name without its spaces."""
    header: Any = email.message_from_bytes(data, policy=policy.default)[name]
    (one,) = header.addresses
    return "".join(one.display_name.split()), one.addr_spec


def check_lines(data: bytes) -> None:
    """Hold every line of the headers against RFC 5322, 2.1.1, and RFC 2047, 2."""
    for line in head(data):
        assert len(line) <= MAX_LINE
        assert b"\r" not in line
        assert b"\n" not in line
        assert line.strip()
        if len(line) > 78:  # then there is no space at which it could be folded
            assert b" " not in re.sub(rb"^([!-9;-~]+:)? ", b"", line)
        words = re.findall(rb"=\?[!->@-~]+\?[bqBQ]\?[!->@-~]*\?=", line)
        assert all(len(word) <= 75 for word in words)
        assert not words or len(line) <= 76


def from_name(name: str, *, of: Mail = MARKETING) -> bytes:
    """Return the bytes of a mail whose sender has a name."""
    return evolve(of, brand=evolve(BRAND, sender=name)).to_message().as_bytes()


def to_name(name: str) -> tuple[Recipient, bytes]:
    """Return a recipient of a name, and the bytes of a mail to them."""
    to = evolve(MARKETING.to, name=name)
    return to, evolve(MARKETING, spec=evolve(MARKETING.spec, to=to)).to_message().as_bytes()


def with_url(length: int) -> Mail:
    """Return a mail whose one-click link has a length."""
    start = "https://m.example/unsubscribe/"
    return evolve(MARKETING, unsubscribe_url=(start + "Az09-_.~" * length)[:length])


# -- the headers of the one click (R4, R5)


@given(st.integers(min_value=50, max_value=900))
@example(50)
@example(58)  # the lengths at which 76 and 78 columns are just full, and just too few
@example(59)
@example(60)
@example(61)
@example(900)
def test_a_link_of_any_length_is_one_plain_line(length: int) -> None:
    """The two headers are single lines of ASCII, never encoded, at most 998 octets, and come back as they were (R5)."""
    made = with_url(length)
    assert made.unsubscribe_url is not None
    assert length == len(made.unsubscribe_url)
    data = made.to_message().as_bytes()
    expected = {"List-Unsubscribe": f"<{made.unsubscribe_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    for name, value in expected.items():
        assert [f"{name}: {value}".encode("ascii")] == lines_of(data, name)
        assert value == email.message_from_bytes(data, policy=policy.default)[name]
        assert value == email.message_from_bytes(data, policy=policy.compat32)[name]
    check_lines(data)


def rendered_at(base: str, contact_id: str = "c-17") -> Mail:
    """Render a mail whose links begin with a base."""
    to = Recipient(contact_id=contact_id, address="ada@reader.example")
    return Renderer(BRAND, links=Links(base, LINKS.keys)).render(samples(to)[Kind.LAST_CHANCE], now=NOW)


def base_for(length: int, contact_id: str) -> str:
    """Return a base with which the one-click link has a length."""
    short = rendered_at("https://m.example/p", contact_id).unsubscribe_url
    assert short is not None
    return "https://m.example/p" + "a" * (length - len(short))


@pytest.mark.parametrize("contact_id", ["1", "c-17", "0a1b2c3d-0000-4000-8000-000000000000", "é" * 100, "x" * 256])
def test_links_of_a_renderer_may_have_900_characters(contact_id: str) -> None:
    """Whatever takes the room, the path or the id, 900 characters go out whole and 901 are refused."""
    made = rendered_at(base_for(900, contact_id), contact_id)
    assert made.unsubscribe_url is not None
    assert 900 == len(made.unsubscribe_url)
    data = made.to_message().as_bytes()
    assert [f"List-Unsubscribe: <{made.unsubscribe_url}>".encode("ascii")] == lines_of(data, "List-Unsubscribe")
    check_lines(data)
    too_long = base_for(901, contact_id)
    with pytest.raises(InvalidInput, match="R5"):
        rendered_at(too_long, contact_id)


@pytest.mark.parametrize(
    "url",
    [
        with_url(901).unsubscribe_url,
        with_url(5_000).unsubscribe_url,
        "https://m.example/u\r\nBcc: all@bank.example",
        "https://m.example/u\n",
        "https://m.example/ü",
        "https://m.example/u v",
        "https://m.example/u>,<mailto:all@bank.example",
        "http://m.example/u",
        "mailto:leave@m.example",
        "",
        None,
    ],
)
def test_a_mail_that_was_changed_has_no_other_link(url: str | None) -> None:
    """What no renderer writes goes into no header: too long, two lines, not ASCII, not https, or none at all (R4)."""
    changed = evolve(MARKETING, unsubscribe_url=url)
    with pytest.raises(InvalidInput, match="unsubscribe_url"):
        changed.headers  # noqa: B018 - reading it is what fails
    with pytest.raises(InvalidInput, match="unsubscribe_url"):
        changed.to_message()


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_marketing_has_the_one_click_and_transactional_mails_have_not(kind: Kind, language: str) -> None:
    """Each kind has both headers, named for DKIM, or neither; the latter say that a machine wrote them (R4, C6)."""
    made = mail(kind, language)
    data = made.to_message().as_bytes()
    has = [bool(lines_of(data, name)) for name in DKIM_HEADERS]
    assert ("List-Unsubscribe", "List-Unsubscribe-Post") == DKIM_HEADERS
    assert [made.marketing] * 2 == has
    assert made.marketing == bool(lines_of(data, "List-Id"))
    assert ([] if made.marketing else [b"Auto-Submitted: auto-generated"]) == lines_of(data, "Auto-Submitted")
    assert dict(made.headers) == {name: unfolded(data, name) for name in made.headers}
    check_lines(data)


def test_a_list_is_named_by_its_key() -> None:
    """List-Id is made of letters, digits and hyphens, as names of hosts are (RFC 2919)."""
    assert isinstance(MARKETING.spec, LastChance)
    listed = evolve(MARKETING.spec.listed, key="cold_water-news")
    made = evolve(MARKETING, spec=evolve(MARKETING.spec, listed=listed))
    assert [b"List-Id: <cold-water-news.harbour.example>"] == lines_of(made.to_message().as_bytes(), "List-Id")


def test_the_headers_of_a_mail_cannot_be_changed() -> None:
    """What an ESP is given is read, not written."""
    headers: Any = MARKETING.headers
    with pytest.raises(TypeError):
        headers["Bcc"] = "all@bank.example"


# -- names


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_name_comes_back_as_it_was(name: str) -> None:
    """Whatever stands in the name of a sender, it is one name before one address, read back as it was."""
    data = from_name(name)
    check_lines(data)
    assert (name, "ines@harbour.example") == who(data, "From")
    assert ("".join(name.split()), "ines@harbour.example") == newer(data, "From")


@pytest.mark.parametrize(
    "name", ["Ada", "Ada Lovelace", "Lovelace, Ada", 'Ada "A." B', "Jõgeva", "Ada 🎈 Õ, \\", "עדה"]
)
def test_a_short_name_comes_back_to_either_reader(name: str) -> None:
    """With its spaces, where one encoded word or none is enough."""
    header: Any = email.message_from_bytes(from_name(name), policy=policy.default)["From"]
    assert [name] == [one.display_name for one in header.addresses]
    assert not header.defects


@given(ANY_NAME)
@example("=??=")
@example("?=")
@example("\u3000a")
def test_any_name_of_a_sender_comes_back(name: str) -> None:
    """Any printable name of up to 200 characters is read back as it was, and makes no line of its own."""
    data = from_name(name)
    check_lines(data)
    assert [line.partition(b":")[0] for line in head(from_name("Ines")) if line[:1] != b" "] == [
        line.partition(b":")[0] for line in head(data) if line[:1] != b" "
    ]
    assert (name, "ines@harbour.example") == who(data, "From")
    assert ("".join(name.split()), "ines@harbour.example") == newer(data, "From")


@given(ANY_NAME)
@example("A" * 40)
@example("🎈" * 40)
@example("A" * 41)
@example("see harbour.example")
def test_any_name_of_a_reader_comes_back_or_is_left_out(name: str) -> None:
    """The name by which the greeting calls them stands in the header, and none that is an advertisement."""
    to, data = to_name(name)
    check_lines(data)
    assert (to.greeting, "ada@reader.example") == who(data, "To")
    if not to.greeting:
        assert [b"To: ada@reader.example"] == lines_of(data, "To")
    assert ("".join(to.greeting.split()), "ada@reader.example") == newer(data, "To")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_replies_have_the_name_of_the_brand(name: str) -> None:
    """Where replies go elsewhere, that address has the brand's name; else there is no such header."""
    brand = evolve(BRAND, name=name, sender="", reply_to="care@harbour.example")
    data = evolve(MARKETING, brand=brand).to_message().as_bytes()
    check_lines(data)
    assert (name, "care@harbour.example") == who(data, "Reply-To")
    assert (name, "ines@harbour.example") == who(data, "From")
    same = evolve(BRAND, reply_to="ines@harbour.example")
    assert [] == lines_of(evolve(MARKETING, brand=same).to_message().as_bytes(), "Reply-To")


@given(st.text(max_size=60))
@example("Ines\r\nBcc: all@bank.example")
@example("Ines\n")
@example("\u2028Bcc: all@bank.example")
@example("\x00")
@example("\ud800")
def test_no_text_whatever_adds_a_line(name: str) -> None:
    """A name or a subject is refused, or stays within its header (F55)."""
    try:
        data = from_name(name)
    except InvalidInput:
        data = b""
    if data:
        check_lines(data)
        assert [] == lines_of(data, "Bcc")
        assert (name or "Harbour") == who(data, "From")[0]


# -- subjects


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["a word of 200 letters", *NAMES])
def test_a_long_subject_comes_back_in_every_language(language: str, name: str) -> None:
    """Whatever is the longest that a subject names, it is read back as it was by both readers."""
    said = NAMES.get(name, WORD)
    brand = evolve(BRAND, name=said)
    confirmed, chance = (specifications(language)[kind] for kind in (Kind.CANCELLATION_CONFIRMED, Kind.LAST_CHANCE))
    assert isinstance(confirmed, CancellationConfirmed)
    assert isinstance(chance, LastChance)
    listed = evolve(chance.listed, title=said)
    for spec in (evolve(confirmed, product=said), evolve(chance, listed=listed, emoji=True)):
        made = render(spec, brand=brand)
        assert said.split()[0] in made.subject
        assert made.subject == " ".join(made.subject.split())
        check_subject(made)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_the_subject_of_every_mail_comes_back(kind: Kind, language: str) -> None:
    """As it is, and with words of 200 characters wherever the specification takes a text."""
    check_subject(mail(kind, language))
    check_subject(render(stretched(specifications(language)[kind])))


def check_subject(made: Mail) -> None:
    """Read a subject back with both readers."""
    data = made.to_message().as_bytes()
    check_lines(data)
    assert made.subject == decoded(unfolded(data, "Subject"))
    assert made.subject.split() == str(email.message_from_bytes(data, policy=policy.default)["Subject"]).split()


@given(st.one_of(ANY_NAME, st.text(st.sampled_from("ab é="), min_size=1, max_size=600)))
@example("a =?utf-8?q?b?= c")
@example("x" * 67)  # with its name as long as a line may be
@example("x" * 68)
@example(f"{'x' * 59} {'y' * 7} z")
@example(f"{'x' * 59} {'y' * 8} z")
@example("x" * 2000)
@example("é" * 2000)
@example("two  spaces")
@example(" spaces around ")
@example("a tab\tand a bell\a")
@example("Bcc: all@bank.example")
def test_any_subject_comes_back(subject: str) -> None:
    """Any text of one line is read back as it was, whatever it looks like."""
    check_subject(evolve(MARKETING, subject=subject))


def test_encoded_words_are_as_short_as_they_can_be() -> None:
    """What is mostly ASCII can still be read in the source, and another script takes no more than it has to."""
    assert b"From: =?utf-8?q?Harbour_J=C3=B5geva?= <ines@harbour.example>" in head(from_name("Harbour Jõgeva"))
    assert all(
        line.startswith((b"From: =?utf-8?b?", b" =?utf-8?b?")) for line in lines_of(from_name("נמל" * 60), "From")[:-1]
    )


# -- addresses, also those that are not ASCII


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("ines@jõgeva.ee", "xn--jgeva-dua.ee"),
        ("ines@例え.jp", "xn--r8jz45g.jp"),
        ("ines@" + ".".join(["abcdefghij"] * 20) + ".com", ".".join(["abcdefghij"] * 20) + ".com"),
        (f"{'i' * 64}@{'h' * 63}.com", f"{'h' * 63}.com"),
        ("o'brien+tag=a/b!#$%&*?^`{|}~-x@example.com", "example.com"),
    ],
)
def test_an_address_stays_whole(address: str, domain: str) -> None:
    """However long, it is on one line, its domain in ASCII; that of the sender is the one of its ids."""
    brand = evolve(BRAND, address=address, sender="Inês, Harbour")
    made = evolve(MARKETING, brand=brand, spec=evolve(MARKETING.spec, to=evolve(MARKETING.to, address=address)))
    assert not made.needs_smtputf8
    data = made.to_message().as_bytes()
    assert data.isascii()
    check_lines(data)
    local = address.partition("@")[0]
    for name, display in (("From", "Inês, Harbour"), ("To", "Ada Lovelace")):
        assert (display, f"{local}@{domain}") == who(data, name)
        assert f"{local}@{domain}" == newer(data, name)[1]
    assert re.fullmatch(rf"<[0-9a-f]{{40}}@{re.escape(domain)}>", unfolded(data, "Message-ID"))
    assert f"<harbour-news.{domain}>" == unfolded(data, "List-Id")
    assert 1 == len(lines_of(data, "List-Id")) == len(lines_of(data, "Message-ID"))


def with_addresses(*, sender: str = "", reader: str = "", replies: str = "", name: str = "Inês, Harbour") -> Mail:
    """Return a mail between addresses."""
    brand = evolve(BRAND, sender=name, address=sender or BRAND.address, reply_to=replies or None)
    to = evolve(MARKETING.to, address=reader or MARKETING.to.address)
    return evolve(MARKETING, brand=brand, spec=evolve(MARKETING.spec, to=to))


INTERNATIONAL: Final = {
    "From": with_addresses(sender="jõgeva@harbour.example"),
    "To": with_addresses(reader="用户@例え.jp"),
    "Reply-To": with_addresses(replies="jõgeva@harbour.example"),
}
"""Mails of which one address needs SMTPUTF8, by the header that it stands in."""


@pytest.mark.parametrize("name", INTERNATIONAL)
def test_an_address_that_is_not_ascii_is_written_as_it_is(name: str) -> None:
    """A local part is UTF-8, never an encoded word (RFC 2047, 5.3); the mail says that it needs SMTPUTF8 (R21)."""
    made = INTERNATIONAL[name]
    assert made.needs_smtputf8
    assert not with_addresses().needs_smtputf8
    data = made.to_message().as_bytes()
    expected = {
        "From": ("Inês, Harbour", str(made.brand.address)),
        "To": ("Ada Lovelace", str(made.to.address)),
        "Reply-To": ("Harbour", str(made.brand.replies)),
    }
    text = data.decode("utf-8")
    read = email.message_from_string(text, policy=policy.SMTPUTF8)
    header: Any = read[name]
    (one,) = header.addresses
    assert expected[name] == (one.display_name, one.addr_spec)
    assert f"<{expected[name][1]}>".encode() in b"".join(lines_of(data, name))
    assert email.message_from_bytes(data, policy=policy.default)["List-Unsubscribe"] == made.headers["List-Unsubscribe"]
    assert all(len(line) <= MAX_LINE for line in head(data))
    others = [line for line in head(data) if line not in lines_of(data, name)]
    assert all(line.isascii() for line in others)
    assert data.partition(b"\r\n\r\n")[2].isascii()


@pytest.mark.parametrize("name", INTERNATIONAL)
@pytest.mark.parametrize("chosen", ["SMTP", "default", "7bit"])
def test_an_address_that_is_not_ascii_is_never_encoded(name: str, chosen: str) -> None:
    """A caller's policy without UTF-8 is refused: an encoded address would be somebody else's, or nobody's (R21)."""
    message = INTERNATIONAL[name].to_message()
    with pytest.raises(InvalidInput, match=f"^{name}: .*SMTPUTF8"):
        message.as_bytes(policy=POLICIES[chosen])
    assert message.as_bytes() == message.as_bytes(policy=policy.SMTPUTF8)


# -- whoever writes it out


@pytest.mark.parametrize("chosen", POLICIES)
@pytest.mark.parametrize("name", ["Ines", "Ines, of Harbour", "é" * 200, WORD, NAMES["two senders"]])
def test_any_policy_writes_the_same_headers(chosen: str, name: str) -> None:
    """A caller's `as_bytes(policy=...)` leaves the link plain, and the names whole."""
    made = evolve(with_url(900), brand=evolve(BRAND, name=name, reply_to="care@harbour.example"), subject=name)
    message = made.to_message()
    ours, theirs = message.as_bytes(), message.as_bytes(policy=POLICIES[chosen])
    theirs = theirs.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    for header in SAID_HERE:
        assert [] != lines_of(ours, header)
        assert lines_of(ours, header) == lines_of(theirs, header)


@pytest.mark.parametrize("name", ["Ines", "Ines, of Harbour", "é" * 200])
def test_a_copy_is_written_alike(name: str) -> None:
    """A message that was copied, pickled for a queue, or turned into a text is the same."""
    message = evolve(with_url(900), brand=evolve(BRAND, sender=name)).to_message()
    unpickled: EmailMessage = pickle.loads(pickle.dumps(message))  # noqa: S301 - a message of our own
    for one in (copy.copy(message), copy.deepcopy(message), unpickled):
        assert message.as_bytes() == one.as_bytes()
        assert message.as_bytes(policy=policy.SMTP) == one.as_bytes(policy=policy.SMTP)
    assert message.as_bytes() == bytes(message) == message.as_string().encode("ascii")


def test_a_policy_of_the_past_folds_but_does_not_encode_the_link() -> None:
    """`policy.compat32`, against which `to_message` warns, may begin a line before the link; it stays readable."""
    data = with_url(900).to_message().as_bytes(policy=policy.compat32.clone(linesep="\r\n"))
    assert f"<{with_url(900).unsubscribe_url}>" == unfolded(data, "List-Unsubscribe").strip()
    assert f"<{with_url(900).unsubscribe_url}>".encode() in lines_of(data, "List-Unsubscribe")[-1]


def test_a_caller_may_change_a_message() -> None:
    """Other headers can be added, and a mail be sent to somebody else instead, as one does to try things out."""
    message = MARKETING.to_message()
    message["X-Campaign"] = "spring"
    message["Cc"] = "one@harbour.example, two@harbour.example"
    message.replace_header("To", '"Inês, QA" <qa@harbour.example>')
    data = message.as_bytes()
    check_lines(data)
    assert ("Inês, QA", "qa@harbour.example") == who(data, "To")
    assert b"X-Campaign: spring" in head(data)
    assert [b"Cc: one@harbour.example, two@harbour.example"] == lines_of(data, "Cc")


# -- over SMTP


class _Session(StreamRequestHandler):
    """Takes one mail, as a server does."""

    def handle(self) -> None:
        """Answer every command, and keep what was said."""
        kept: list[bytes] = self.server.kept  # type: ignore[attr-defined]
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            kept.append(line)
            command = line[:4].upper()
            if command == b"EHLO":
                self.wfile.write(b"250-here\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
            elif command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while (line := self.rfile.readline()) != b".\r\n":
                    kept.append(line)
                self.wfile.write(b"250 taken\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 fine\r\n")
                if command == b"QUIT":
                    return


@contextmanager
def serving() -> Iterator[tuple[int, list[bytes]]]:
    """Serve SMTP on this machine; give its port, and the lines that it is sent."""
    with ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.kept = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1], server.kept  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


def sent(message: EmailMessage, *, options: Sequence[str] = ()) -> tuple[list[bytes], bytes]:
    """Send a message by the standard library; return the commands, and the message as a server has it."""
    with serving() as (port, kept):
        with smtplib.SMTP("127.0.0.1", port, local_hostname="here.example", timeout=30) as client:
            assert {} == client.send_message(message, mail_options=options)
        lines = list(kept)
    start = lines.index(b"data\r\n")
    body = [line.removeprefix(b".") for line in lines[start + 1 : -1]]  # a dot is put before a dot (RFC 5321, 4.5.2)
    return lines[:start], b"".join(body)


@pytest.mark.parametrize("name", ["Ines", "Inês, Harbour", 'Ada <ada@bank.example>, "Ines"', WORD])
def test_smtplib_sends_the_bytes_of_the_message(name: str) -> None:
    """What arrives is `as_bytes()`, to the octet, from and to the right addresses."""
    message = evolve(with_url(900), brand=evolve(BRAND, sender=name), text=TRICKY, html=TRICKY).to_message()
    commands, data = sent(message)
    assert message.as_bytes() == data
    expected = [b"ehlo here.example\r\n", b"mail from:<ines@harbour.example>\r\n", b"rcpt to:<ada@reader.example>\r\n"]
    assert expected == [line.lower() for line in commands]


@pytest.mark.parametrize(("name", "options"), [("From", ()), ("To", ()), ("Reply-To", ("SMTPUTF8",))])
def test_smtplib_asks_for_smtputf8_where_it_is_needed(name: str, options: Sequence[str]) -> None:
    """An address that is not ASCII goes out with the extension, and the same bytes; the Reply-To if told to (R21)."""
    message = INTERNATIONAL[name].to_message()
    commands, data = sent(message, options=options)
    assert message.as_bytes() == data
    assert any(line.lower().startswith(b"mail from:") and b"SMTPUTF8" in line for line in commands)


# -- the body

TRICKY: Final = "\n".join(
    [
        "From here on, mbox files would have a mail of its own.",
        ">From there, too.",
        "F" * 75 + "From " * 40,
        ("x" * 73 + "From ") * 3,
        ".",
        "..two dots",
        "-- ",
        "--=_" + "0" * 32 + "--",
        "=_ =20 = at the end =",
        "a space at the end ",
        "a tab at the end\t",
        "õ" * 200,
        "🎈" * 100,
        "שלום",
        "x" * 2000,
        "word " * 500,
        "",
        "end",
        "",
    ]
)
"""Lines that something on the way could take for another thing."""


def parts_of(data: bytes) -> list[Any]:
    """Return the parts of a message, as the newer reader has them."""
    return list(email.message_from_bytes(data, policy=policy.default).iter_parts())


def check_body(made: Mail) -> None:
    """Hold the body against RFC 2045 and 2046, and against what the mail says."""
    data = made.to_message().as_bytes()
    body = data.partition(b"\r\n\r\n")[2]
    assert body.isascii()
    assert b"\r\n".join(body.splitlines()) + b"\r\n" == body
    assert all(len(line) <= 76 for line in body.splitlines())  # RFC 2045, 6.7
    assert not any(line.startswith(b"From ") for line in body.splitlines())
    plain, rich = parts_of(data)
    assert ["text/plain", "text/html"] == [plain.get_content_type(), rich.get_content_type()]
    assert ["utf-8", "utf-8"] == [plain.get_content_charset(), rich.get_content_charset()]
    assert ["quoted-printable"] * 2 == [str(part["Content-Transfer-Encoding"]) for part in (plain, rich)]
    assert [made.text.rstrip("\n"), made.html.rstrip("\n")] == [
        part.get_content().replace("\r\n", "\n").rstrip("\n") for part in (plain, rich)
    ]
    message = email.message_from_bytes(data, policy=policy.compat32)
    assert "multipart/alternative" == message.get_content_type()
    assert not message.defects
    old: list[Any] = message.get_payload()  # type: ignore[assignment]
    assert [made.text.rstrip("\n"), made.html.rstrip("\n")] == [
        part.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n").rstrip("\n") for part in old
    ]
    boundary = str(message.get_boundary()).encode()
    delimiters = [line for line in body.splitlines() if boundary in line]
    assert [b"--" + boundary] * 2 + [b"--" + boundary + b"--"] == delimiters
    assert b"=_" in boundary  # which no line of quoted-printable has
    assert 3 == body.count(b"=_")


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_the_body_of_every_mail_comes_back(kind: Kind, language: str) -> None:
    """Plain text first, then HTML, both UTF-8 in lines of at most 76, parted by what stands in neither."""
    check_body(mail(kind, language))


def test_a_tricky_text_comes_back() -> None:
    """Nothing on the way takes a line for another thing: no mbox, no boundary, no end of the message."""
    check_body(evolve(MARKETING, text=TRICKY, html=TRICKY))


@given(st.lists(st.sampled_from(["From ", "F", "\n", ".", "=", "_", "-", "é", " ", "\t", "🎈", "x" * 70]), max_size=60))
def test_any_text_comes_back(pieces: list[str]) -> None:
    """Whatever lines a text has."""
    check_body(evolve(MARKETING, text="".join(pieces) + ".\n", html="".join(pieces) + "."))


def test_a_text_cannot_hold_the_boundary() -> None:
    """Not even one that was written with the boundary in hand: the hash of the text would have to be in the text."""
    boundary = str(MARKETING.to_message().get_boundary())
    check_body(evolve(MARKETING, html=f"--{boundary}--\n{MARKETING.html}"))


# -- language, id, date


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_is_named(language: str) -> None:
    """Content-Language has the language of the texts (RFC 3282)."""
    data = mail(Kind.GOODBYE, language).to_message().as_bytes()
    assert [f"Content-Language: {language}".encode()] == lines_of(data, "Content-Language")


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("et_EE", "et-EE"), ("es-419", "es-419"), ("pt_BR", "pt-BR"), ("ja-JP", "en"), ("en_GB", "en-GB")],
)
def test_the_language_is_a_tag(locale: str, expected: str) -> None:
    """A locale as systems write it becomes a tag as mailboxes read it (BCP 47); one without texts is not named."""
    made = render(samples(sample_reader(locale))[Kind.GOODBYE])
    assert [f"Content-Language: {expected}".encode()] == lines_of(made.to_message().as_bytes(), "Content-Language")


def test_an_id_is_of_one_mail() -> None:
    """Other contacts, addresses, kinds, languages, texts and instants have other ids, each at the sender's domain."""
    made = [mail(kind, language) for kind, language in EVERY]
    readers = [evolve(MARKETING.to, contact_id=ContactId(other)) for other in ("c-18", "c-1", "C-17", "17")]
    readers.append(evolve(MARKETING.to, address="ada@elsewhere.example"))
    made += [evolve(MARKETING, spec=evolve(MARKETING.spec, to=to)) for to in readers]
    # A kind counts even where the texts are the same.
    other = evolve(specifications("en")[Kind.FINAL_NOTICE], to=MARKETING.to)
    made.append(evolve(MARKETING, spec=other))
    made.append(evolve(MARKETING, text=f"{MARKETING.text}\nAnd another thing.\n"))
    steps = (timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=365))
    made += [evolve(MARKETING, at=NOW + step) for step in steps]
    found = {one.message_id for one in made}
    assert len(made) == len(found)
    assert all(re.fullmatch(r"<[0-9a-f]{40}@harbour\.example>", one) for one in found)


def test_an_id_stays() -> None:
    """The same mail rendered once more has the same id, in its message too (C4: a repeated send can be told)."""
    again = Renderer(BRAND, links=LINKS).render(specifications("en")[Kind.LAST_CHANCE], now=NOW)
    assert again is not MARKETING
    assert MARKETING.message_id == again.message_id == unfolded(again.to_message().as_bytes(), "Message-ID")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW, "Tue, 03 Mar 2026 12:05:00 +0000"),
        (datetime(2026, 1, 1, tzinfo=UTC), "Thu, 01 Jan 2026 00:00:00 +0000"),
        (datetime(2028, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC), "Tue, 29 Feb 2028 23:59:59 +0000"),
    ],
)
def test_the_date_is_when_it_was_written(at: datetime, expected: str) -> None:
    """To the second, cut and not rounded: never later than it was."""
    data = evolve(MARKETING, at=at).to_message().as_bytes()
    assert [f"Date: {expected}".encode()] == lines_of(data, "Date")
    assert at.replace(microsecond=0) == parsedate_to_datetime(unfolded(data, "Date"))


# -- again


def digests() -> dict[str, str]:
    """Return a hash of the bytes of every mail, rendered afresh."""
    renderer = Renderer(BRAND, links=LINKS)
    return {
        f"{kind}.{language}": hashlib.sha256(
            renderer.render(specifications(language)[kind], now=NOW).to_message().as_bytes()
        ).hexdigest()
        for kind, language in EVERY
    }


def test_two_runs_write_the_same_bytes() -> None:
    """Neither another process nor another hash seed changes an octet."""
    program = "from tests.mails.test_messages import digests; print(*digests().values())"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "7"}, text=True,
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    assert list(digests().values()) == done.stdout.split()


def test_a_message_is_made_anew_each_time() -> None:
    """Two messages of one mail are equal in bytes, and changing one leaves the other alone."""
    one, other = MARKETING.to_message(), MARKETING.to_message()
    expected = one.as_bytes()
    del one["Subject"]
    one["Subject"] = "Changed"
    assert expected == other.as_bytes() == MARKETING.to_message().as_bytes()
    assert expected != one.as_bytes()
    assert POLICY.linesep == "\r\n"
    assert TRANSACTIONAL.to_message()["From"] == other["From"]
