"""What every kind of mail takes, and what it refuses (C1-C7, S7, S9, O7, R13, R15, F55)."""

import inspect
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from attrs import NOTHING, Attribute, evolve, fields, fields_dict
from attrs.exceptions import FrozenInstanceError

from lifecycle_mail.errors import InvalidInput, MailRefused
from lifecycle_mail.mails.brand import Brand, Logo, Palette, Theme
from lifecycle_mail.mails.choosing import Cancellation
from lifecycle_mail.mails.kinds import KINDS, Kind, class_of
from lifecycle_mail.mails.links import MAX_URL, SKEW, LinkPurpose
from lifecycle_mail.mails.parts import Card, Item, Money, Recipient, Way
from lifecycle_mail.mails.reasons import SINGLE_REASONS, SURVEY_REASONS, Answering, NextStep
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.replies import PersonalReply
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader
from lifecycle_mail.mails.specs import (
    CancellationConfirmed,
    ConfirmResubscription,
    ConfirmSubscription,
    FreshLink,
    Goodbye,
    InactivityNotice,
    Specification,
    ValueProposition,
)
from lifecycle_mail.mails.specs.base import LATE
from lifecycle_mail.mails.texts import MAX_ITEMS, MAX_LINE, MAX_PARAGRAPH
from lifecycle_mail.model.answers import Answer, CancellationReason
from lifecycle_mail.model.lists import MailingList
from tests.mails.rendered import LANGUAGES, LINKS, specifications

SPECS = specifications("en")
EVERY_KIND = pytest.mark.parametrize("kind", Kind)
RENDERER = Renderer(BRAND, links=LINKS)
NOT_PROSE = frozenset({"campaign", "subject", "token"})
"""Fields of text that are keys, and no texts."""


def hints(kind: Kind) -> dict[str, Any]:
    """What the fields of a kind are declared to be."""
    return {name: hint for name, hint in get_type_hints(class_of(kind)).items() if name in fields_dict(class_of(kind))}


def values(kind: Kind) -> dict[str, Any]:
    """What the sample of a kind says, by field."""
    spec = SPECS[kind]
    return {one.name: getattr(spec, one.name) for one in fields(type(spec))}


def built(kind: Kind, **changed: Any) -> Specification:
    """The sample of a kind, made anew with some of it changed."""
    made: Specification = class_of(kind)(**values(kind) | changed)
    return made


def a_text_in(kind: Kind, name: str, text: str) -> Specification:
    """The sample of a kind with a text where that field takes one: itself, an entry, or what an entry says."""
    hint = hints(kind)[name]
    if get_origin(hint) is not tuple:
        return built(kind, **{name: text})
    entry = {str: text, Way: None, Item: None}[get_args(hint)[0]]
    url = "https://harbour.example/a"
    return built(kind, **{name: [entry or get_args(hint)[0](title=text, url=url)]})


def prose(kind: Kind) -> Iterator[str]:
    """The fields of a kind that take a text of the caller's, alone or in entries."""
    for name, hint in hints(kind).items():
        several = get_origin(hint) is tuple and get_args(hint)[0] in (str, Way, Item)
        if several or (hint is str and not name.endswith("_url") and name not in NOT_PROSE):
            yield name


FIELDS = [(kind, name) for kind in Kind for name in hints(kind)]
PROSE = [(kind, name) for kind in Kind for name in prose(kind)]
LINES = [(kind, name) for kind, name in PROSE if name != "problem"]
URLS = [(kind, name) for kind, name in FIELDS if name.endswith("_url")]
SEVERAL = [(kind, name) for kind, name in FIELDS if get_origin(hints(kind)[name]) is tuple]
INSTANTS = [(kind, name) for kind, name in FIELDS if hints(kind)[name] is datetime]
TITLED = [(kind, name) for kind, name in FIELDS if MailingList in (hints(kind)[name], *get_args(hints(kind)[name]))]


# --- fields -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_only_what_may_be_left_out_can_be(kind: Kind, name: str) -> None:
    """Without a required field nothing is made; without another it is."""
    said = {key: value for key, value in values(kind).items() if key != name}
    if fields_dict(class_of(kind))[name].default is not NOTHING:
        assert class_of(kind)(**said)
        return
    with pytest.raises(TypeError, match=f"'{name}'"):
        class_of(kind)(**said)


@EVERY_KIND
def test_a_field_that_there_is_not_is_refused(kind: Kind) -> None:
    """A misspelt field is not lost in silence."""
    with pytest.raises(TypeError, match="pricee"):
        built(kind, pricee="5 EUR")


WRONG: tuple[Any, ...] = (
    object(), 17, 3.5, b"bytes", True, None, "\ud800", [], {}, [17], {"a": 1}, ("x", "x"), datetime(2026, 3, 3),  # noqa: DTZ001
    date(2026, 3, 3), Card("4242"), Money("1", "EUR"), CancellationReason.OTHER, sample_reader(), MailingList("bare"),
)  # fmt: skip
"""Values that are right for few fields."""


def is_right(value: Any, hint: Any) -> bool:
    """Whether a field that is declared so may hold such a value."""
    if get_origin(hint) is tuple:
        return isinstance(value, list | dict) and not value and not isinstance(value, dict)
    declared = get_args(hint) or (hint,)
    if isinstance(value, bool) or (isinstance(value, datetime) and date in declared):
        return type(value) in declared
    return any(isinstance(value, one) for one in declared)


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_value_of_another_type_is_refused_by_the_name_of_its_field(kind: Kind, name: str) -> None:
    """Whatever is given, it is InvalidInput and says where: nothing else gets out."""
    tried = 0
    for value in WRONG:
        if is_right(value, hints(kind)[name]):
            continue
        with pytest.raises(InvalidInput, match=rf"^(no )?{name}\b"):
            built(kind, **{name: value})
        tried += 1
    assert tried >= 12


@pytest.mark.parametrize(("kind", "name"), SEVERAL)
def test_what_may_not_be_empty_is_refused_so(kind: Kind, name: str) -> None:
    """A list that must have entries says how many; all others take none."""
    needs = {
        (Kind.VALUE_PROPOSITION, "items"): 1,
        (Kind.PREFERENCE_UPDATE, "topics"): 1,
        **{(one, "reasons"): 2 for one in (Kind.CANCELLATION_CONFIRMED, Kind.CANCELLATION_SURVEY)},
        **{(one, "reasons"): 2 for one in (Kind.CANCELLATION_REASON, Kind.SURVEY)},
    }
    least = needs.get((kind, name), 0)
    if least:
        with pytest.raises(InvalidInput, match=rf"^{name}: 0 entries; give {least} to"):
            built(kind, **{name: []})
    else:
        assert () == getattr(built(kind, **{name: []}), name)


@pytest.mark.parametrize(("kind", "name"), SEVERAL)
def test_an_entry_that_is_there_twice_is_refused(kind: Kind, name: str) -> None:
    """Nobody reads a thing twice, and two answers could not be told apart."""
    said = getattr(SPECS[kind], name) or ("a thing",)
    with pytest.raises(InvalidInput, match=rf"^{name}: .*twice"):
        built(kind, **{name: [*said, said[0]]})


@pytest.mark.parametrize(("kind", "name"), [one for one in SEVERAL if one[1] != "reasons"])
def test_too_many_entries_are_refused(kind: Kind, name: str) -> None:
    """More are not read: twelve, and five things to look at."""
    of = get_args(hints(kind)[name])[0]
    most = 5 if of is Item else MAX_ITEMS

    def several(count: int) -> list[Any]:
        if of is str:
            return [f"Chart {number}" for number in range(count)]
        if of is MailingList:
            return [MailingList(f"list-{number}", title=f"List {number}") for number in range(count)]
        return [of(title=f"Chart {number}", url="https://harbour.example/a") for number in range(count)]

    assert most == len(getattr(built(kind, **{name: several(most)}), name))
    with pytest.raises(InvalidInput, match=rf"^{name}: {most + 1} entries; give \d to {most}"):
        built(kind, **{name: several(most + 1)})


@pytest.mark.parametrize(("kind", "name"), SEVERAL)
def test_entries_are_kept_as_a_tuple_whatever_they_came_in(kind: Kind, name: str) -> None:
    """A list that is changed later changes no mail, and an iterator is read once."""
    said = getattr(SPECS[kind], name)
    given = list(said)
    spec = built(kind, **{name: given})
    given.clear()
    assert said == getattr(spec, name) == getattr(built(kind, **{name: iter(said)}), name)


@pytest.mark.parametrize(("kind", "name"), INSTANTS)
def test_instants_are_kept_in_utc(kind: Kind, name: str) -> None:
    """An instant is one, whatever zone it came in."""
    spec = built(kind, **{name: datetime(2026, 4, 3, 9, tzinfo=timezone(timedelta(hours=-5)))})
    assert datetime(2026, 4, 3, 14, tzinfo=UTC) == getattr(spec, name)
    assert UTC is getattr(spec, name).tzinfo


@pytest.mark.parametrize(("kind", "name"), INSTANTS)
@pytest.mark.parametrize(
    "edge",
    [
        datetime.max.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
        datetime.min.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
    ],
    ids=["max", "max-west", "min", "min-east"],
)
def test_an_instant_that_some_zone_cannot_write_is_refused(kind: Kind, name: str, edge: datetime) -> None:
    """Databases write the end of time for never; a mail would fail on it in some zones and not in others."""
    with pytest.raises(InvalidInput, match=rf"^{name}: "):
        built(kind, **{name: edge})


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_specification_is_frozen(kind: Kind, name: str) -> None:
    """What was checked stays as it was checked."""
    with pytest.raises(FrozenInstanceError):
        setattr(SPECS[kind], name, None)


@EVERY_KIND
def test_a_specification_is_a_value(kind: Kind) -> None:
    """All of them can be hashed; what says the same is the same, and of other kinds nothing is."""
    spec = SPECS[kind]
    assert spec == built(kind)
    assert hash(spec) == hash(built(kind))
    assert spec != built(kind, to=sample_reader("et"))
    assert [kind] == [other for other in Kind if SPECS[other] == spec]


def documented(cls: type) -> list[str]:
    """The names in the `Attributes:` sections of a class and its bases; what a class says anew counts once."""
    found: list[str] = []
    for one in reversed(cls.__mro__):
        _, _, section = inspect.cleandoc(one.__doc__ or "").partition("Attributes:\n")
        section = section.partition("\n\n")[0]
        for names in re.findall(r"^ {4}(\w+(?:, \w+)*): \S", section, re.MULTILINE):
            anew = [name for name in names.split(", ") if name in inspect.get_annotations(one)]
            found = [name for name in found if name not in anew] + names.split(", ")
    return found


@pytest.mark.parametrize(
    "cls",
    [
        *(class_of(kind) for kind in Kind), Recipient, Card, Money, Item, Way, Palette, Theme, Logo, Brand,
        Cancellation, PersonalReply, Answering, NextStep, Answer,
    ],
)  # fmt: skip
def test_each_field_is_documented(cls: type) -> None:
    """Each class, or a base of it, has each of its fields in `Attributes:`, once, and nothing that it does not have."""
    names = [one.name for one in fields(cls)]
    assert sorted(names) == sorted(documented(cls))


# --- texts ------------------------------------------------------------------------------------------------------------

HIDDEN = {
    "NUL": "\0", "tab": "\t", "newline": "\n", "return": "\r", "CR LF": "\r\nBcc: eve@evil.example",
    "escape": "\x1b[0m", "delete": "\x7f", "next line": "\x85", "line separator": "\u2028",
    "paragraph separator": "\u2029", "right-to-left override": "\u202e", "left-to-right mark": "\u200e",
    "isolate": "\u2066", "zero width space": "\u200b",
    "word joiner": "\u2060", "byte order mark": "\ufeff", "soft hyphen": "\u00ad", "surrogate": "\ud83d",
    "private use": "\ue000", "unassigned": "\u0378", "tag": "\U000e0041", "Hangul filler": "\u3164",
    "half-width Hangul filler": "\uffa0", "Hangul initial filler": "\u115f",
}  # fmt: skip


CLEANED = ("product", "problem")
"""What comes from forms and tables, and is owed a mail whatever is in it."""


@pytest.mark.parametrize(("kind", "name"), [one for one in PROSE if one[1] not in CLEANED])
def test_a_text_with_what_is_not_seen_is_refused(kind: Kind, name: str) -> None:
    """It ends a line of a header, turns round what follows, or hides (F55)."""
    for hidden in HIDDEN.values():
        with pytest.raises(InvalidInput, match=rf"^({name}|title)\b.*F55"):
            a_text_in(kind, name, f"Chart{hidden}s")


@pytest.mark.parametrize(("kind", "name"), [one for one in PROSE if one[1] in CLEANED])
def test_what_is_not_seen_keeps_nobody_from_their_notice(kind: Kind, name: str) -> None:
    """A direction mark or a tab in the name of a product is left out, and the mail that is owed goes (R15, F55)."""
    for called, hidden in HIDDEN.items():
        spec = a_text_in(kind, name, f"\ufeffChart{hidden}s\t")
        gap = "\n" if name == "problem" and hidden[-1] in "\r\n" else " " if hidden.isspace() else ""
        rest = "Bcc: eve@evil.example" if called == "CR LF" else ""
        if called == "escape":
            rest = "[0m"
        if called == "CR LF":
            gap = "\n" if name == "problem" else " "
        assert f"Chart{gap}{rest}s" == getattr(spec, name)
        assert kind is RENDERER.render(spec, now=NOW).kind


@pytest.mark.parametrize("text", ["title", "expect"])
@pytest.mark.parametrize(("kind", "name"), TITLED)
def test_a_list_whose_texts_hide_something_is_refused(kind: Kind, name: str, text: str) -> None:
    """A list is made elsewhere, and its texts go into subjects and footers (F55)."""
    several = get_origin(hints(kind)[name]) is tuple
    for hidden in HIDDEN.values():
        said = {"title": "Tips"} | {text: f"Tip{hidden}s"}
        listed = MailingList("tips", title=said["title"], expect=said.get("expect", ""))
        with pytest.raises(InvalidInput, match=rf"^{name}.*F55"):
            built(kind, **{name: [listed] if several else listed})


@pytest.mark.parametrize(("kind", "name"), PROSE)
def test_a_text_of_which_nothing_is_seen_is_refused(kind: Kind, name: str) -> None:
    """A mail about nothing, to a reader who sees an empty place, says nothing (R15)."""
    for blank in (" ", "\u00a0\u2003", "\u200c", "\u200d \u200d", "\ufe0f", "\u2800", "\u034f", "\u180b", "\U000e0100"):
        with pytest.raises(InvalidInput, match=rf"^({name}|title)\b.*nothing is written there"):
            a_text_in(kind, name, blank)


@pytest.mark.parametrize(("kind", "name"), PROSE)
def test_a_text_is_as_long_as_is_read(kind: Kind, name: str) -> None:
    """200 characters of a line and 2,000 of a paragraph; one more is refused, and the message says how many fit."""
    most = MAX_PARAGRAPH if name == "problem" else MAX_LINE
    assert kind is a_text_in(kind, name, "a" * most).kind
    with pytest.raises(InvalidInput, match=rf"^({name}|title)\b.*{most + 1:,} characters are too many, {most:,} fit"):
        a_text_in(kind, name, "a" * (most + 1))


WRITTEN = (
    "<script>alert(1)</script>", "{{ 77 * 99 }}", "{% raw %}", "%(product)s", "{0}", "Caf\u00e9 & Co.",
    "\u65e5\u672c",
    "\u0645\u06cc\u200c\u0631\u0648\u0645", "\U0001f468\u200d\U0001f469\u200d\U0001f467 plan", "\u2764\ufe0f",
    "\U0001f6d8 newer than Python", "e\u0301", "A\u00a0B", "\u845b\U000e0100\u57ce",
)  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), PROSE)
def test_what_people_write_is_taken_and_read_as_nothing_else(kind: Kind, name: str) -> None:
    """Markup, templates, all scripts, joiners that spell words, emoji: taken, escaped, and never rendered (F55)."""
    for text in WRITTEN:
        assert kind is a_text_in(kind, name, text).kind
    mail = RENDERER.render(a_text_in(kind, name, " ".join(WRITTEN)), now=NOW)
    assert mail.to_message().as_bytes()
    for part in (mail.subject, mail.text, mail.html):
        assert "7623" not in part
    assert "<script" not in mail.html


@pytest.mark.parametrize(("kind", "name"), [one for one in PROSE if one[1] in ("interest", "place", "source")], ids=str)
def test_what_people_came_for_is_no_lure(kind: Kind, name: str) -> None:
    """A sign-up form may have filled it in, with another's address: no link in it, no number to call (F55)."""
    for text in ("Node.js", "the form on harbour.example/offers", "Tallinn 10111", "3D & CAD"):
        assert text == getattr(built(kind, **{name: text}), name)
    for lure in ("see https://evil.example", "w\u200dww.evil.example", "ann@evil.example", "call 555 010 0199"):
        with pytest.raises(InvalidInput, match=rf"^{name}: ") as refused:
            built(kind, **{name: lure})
        assert lure not in str(refused.value)


@pytest.mark.parametrize("kind", [kind for kind, name in PROSE if name == "product"])
def test_a_product_is_stated_as_it_is_called(kind: Kind) -> None:
    """Each mail of a cancellation says what was cancelled (R15), and fills nothing in that stands in a name (F55)."""
    mail = RENDERER.render(built(kind, product="{{7*7}} %(product)s <b>Pro</b>"), now=NOW)
    assert "{{7*7}} %(product)s <b>Pro</b>" in " ".join(mail.text.split())
    assert "{{7*7}} %(product)s &lt;b&gt;Pro&lt;/b&gt;" in " ".join(mail.html.split())


# --- links ------------------------------------------------------------------------------------------------------------

BAD_LINKS = {
    "javascript": "javascript:alert(1)", "data": "data:text/html,x", "http": "http://harbour.example/a",
    "no scheme": "harbour.example/a", "relative": "/a", "scheme-relative": "//harbour.example/a", "empty": "",
    "no host": "https:///a", "user": "https://ann@harbour.example/", "password": "https://ann:s3cret@harbour.example/",
    "empty user": "https://@harbour.example/", "space": "https://harbour.example/a b",
    "lines": "https://harbour.example/\r\nA: b",
    "tab": "https://harbour.example/\ta", "not ASCII host": "https://h\u00e4rbour.example/",
    "not ASCII path": "https://harbour.example/\u00e4", "look-alike dot": "https://harbour\u3002example/",
    "quote": 'https://harbour.example/"onclick=', "apostrophe": "https://harbour.example/'x", "angle": "https://harbour.example/<b>",
    "backslash": "https://harbour.example\\@evil.example/", "braces": "https://harbour.example/{{7*7}}",
    "port": "https://harbour.example:99999/", "port zero": "https://harbour.example:0/", "bracket": "https://[::1/",
    "mailto": "mailto:ann@harbour.example", "file": "file:///etc/passwd", "local look-alike": "http://localhost.evil.example/",
    "901 characters": "https://harbour.example/".ljust(MAX_URL + 1, "a"),
}  # fmt: skip


GOOD_LINKS = (
    "https://harbour.example", "https://harbour.example:8443/a?b=c&d=%20#e", "HTTPS://harbour.example/",
    "https://xn--hrbour-bua.example/", "http://localhost:8000/a", "http://127.0.0.1/",
    "https://harbour.example/".ljust(MAX_URL, "a"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), URLS)
def test_a_link_that_a_mail_may_not_carry_is_refused(kind: Kind, name: str) -> None:
    """Not https, no host, a user name, or what breaks out of an attribute or a line; nothing of it is repeated."""
    for url in BAD_LINKS.values():
        with pytest.raises(InvalidInput, match=rf"^{name}: ") as refused:
            built(kind, **{name: url})
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(("kind", "name"), URLS)
def test_a_link_that_a_mail_may_carry_is_taken(kind: Kind, name: str) -> None:
    """https to any host, http to this machine alone, and 900 characters of it."""
    for url in GOOD_LINKS:
        assert url == getattr(built(kind, **{name: url}), name)


@pytest.mark.parametrize("of", [Item, Way])
@pytest.mark.parametrize("url", BAD_LINKS.values(), ids=BAD_LINKS)
def test_a_thing_or_a_way_leads_nowhere_else(of: type[Item | Way], url: str) -> None:
    """The same holds of the links in lists."""
    with pytest.raises(InvalidInput, match=r"^url: "):
        of(title="A", url=url)


# --- cards ------------------------------------------------------------------------------------------------------------

NUMBER = "4111111111111111"
NOT_FOUR = {
    "whole": NUMBER, "grouped": "4111 1111 1111 1111", "five": "54242", "three": "242", "none": "", "letters": "abcd",
    "Arabic": "\u0664\u0662\u0664\u0662", "full width": "\uff14\uff12\uff14\uff12",
    "superscript": "\u2074\u00b2\u2074\u00b2",
    "masked": "****4242", "space": " 424", "newline": "4242\n", "int": 4242, "whole int": int(NUMBER), "bytes": b"4242",
    "float": 4242.0, "list": list("4242"),
}  # fmt: skip


@pytest.mark.parametrize("given", NOT_FOUR.values(), ids=NOT_FOUR)
def test_a_card_is_four_digits_and_is_repeated_nowhere(given: Any) -> None:
    """Its number is in no message, and in no traceback of ours."""
    with pytest.raises(InvalidInput, match="last four digits and nothing more: a text such as '4242'") as refused:
        Card(given)
    written = "".join(traceback.format_exception(refused.value))
    assert str(given) == "" or str(given) not in written.replace("such as '4242'", "")
    assert refused.value.__cause__ is None is refused.value.__context__


@pytest.mark.parametrize(
    "given", [NUMBER, int(NUMBER), [NUMBER], {"last_four": NUMBER}], ids=["str", "int", "list", "dict"]
)
@pytest.mark.parametrize("kind", [Kind.CANCELLATION_CONFIRMED, Kind.PAYMENT_FAILED])
def test_a_number_in_the_place_of_a_card_is_repeated_nowhere(kind: Kind, given: Any) -> None:
    """Who forgets `Card(...)` is told so, without the number."""
    with pytest.raises(InvalidInput, match=r"^card: a .* is not a Card$") as refused:
        built(kind, card=given)
    assert NUMBER not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("kind", [Kind.CANCELLATION_CONFIRMED, Kind.PAYMENT_FAILED])
def test_the_digits_are_in_the_mail_and_in_no_repr(kind: Kind) -> None:
    """Logs show specifications; the mail shows the four digits."""
    spec = built(kind, card=Card("9876"))
    assert "9876" not in repr(spec)
    mail = RENDERER.render(spec, now=NOW)
    assert "9876" not in repr(mail)
    assert "9876" in mail.text
    assert "9876" in mail.html


def test_a_token_is_in_no_repr() -> None:
    """Who has it confirms."""
    for kind in (Kind.CONFIRM_SUBSCRIPTION, Kind.CONFIRM_RESUBSCRIPTION):
        assert values(kind)["token"] not in repr(SPECS[kind])


# --- promotions -------------------------------------------------------------------------------------------------------

PROMOTIONS = (
    "20 % off everything",
    "only 5 EUR",
    "un descuento",
    "um m\u00eas gr\u00e1tis",
    "potongan harga",
    "allahindlus",
)
TRANSACTIONAL = [kind for kind, row in KINDS.items() if not row.marketing]


NOT_OURS = ("product", "problem", "source", "ticket", "keeps")


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, name in PROSE if kind in TRANSACTIONAL and name not in NOT_OURS]
)
def test_a_transactional_mail_promotes_in_none_of_its_texts(kind: Kind, name: str) -> None:
    """Prices, price cuts, offers, in each language; the message quotes the words and names the field (C6)."""
    for text in PROMOTIONS:
        with pytest.raises(MailRefused, match=rf"^{kind}: {name}(\[0\])? says '.+', .*\(C6\)"):
            a_text_in(kind, name, text)


def test_all_that_promotes_is_named_at_once() -> None:
    """Who mends one text should not be sent back for the next (C6)."""
    with pytest.raises(MailRefused, match=r"benefits\[0\] says '20 % off', benefits\[2\] says 'buy now', and a trans"):
        built(Kind.MEMBERSHIP_ENDED, benefits=["Get 20 % off", "The library", "Come and buy now"])


@pytest.mark.parametrize("kind", [kind for kind, name in PROSE if name == "keeps"])
def test_what_somebody_keeps_is_theirs(kind: Kind) -> None:
    """A credit and vouchers may be stated, or the notice would not go; a discount for coming back may not (C6)."""
    mine = ["A credit of 12 EUR", "Your unused vouchers"]
    assert tuple(mine) == getattr(built(kind, keeps=mine), "keeps")  # noqa: B009 - not every kind has it
    with pytest.raises(MailRefused, match=rf"^{kind}: keeps\[0\] says '50 % off'"):
        built(kind, keeps=["50 % off when you come back"])


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name in PROSE if kind not in TRANSACTIONAL])
def test_a_marketing_mail_may_promote(kind: Kind, name: str) -> None:
    """That is what it is for (S9)."""
    for text in PROMOTIONS:
        assert kind is a_text_in(kind, name, text).kind


@pytest.mark.parametrize("kind", [kind for kind, name in PROSE if name == "product"])
def test_a_product_may_be_called_what_it_is_called(kind: Kind) -> None:
    """A notice that names it says what was cancelled (R15), and promotes nothing."""
    mail = RENDERER.render(built(kind, product="Buy Now, Pay Later: 50 % off, 5 EUR"), now=NOW)
    assert "Buy Now, Pay Later: 50 % off, 5 EUR" in " ".join(mail.text.split())


def test_what_a_customer_wrote_is_quoted_as_it_is() -> None:
    """Whoever was charged twice says a sum, and whoever signs up on a page of sales comes from one: no promotion."""
    wrote = "The discount code did not work, and I was charged 20 EUR."
    mail = RENDERER.render(built(Kind.TECHNICAL_FOLLOW_UP, problem=wrote, ticket="RM2041"), now=NOW)
    assert wrote in " ".join(mail.text.replace("> ", "").split())
    from_sale = built(Kind.CONFIRM_SUBSCRIPTION, source="the form on harbour.example/black-friday")
    assert "black-friday" in RENDERER.render(from_sale, now=NOW).text


def test_what_is_charged_or_paid_back_promotes_nothing() -> None:
    """A sum is stated as `Money`, and no text has to hold it (C6)."""
    spec = SPECS[Kind.CANCELLATION_CONFIRMED]
    assert isinstance(spec, CancellationConfirmed)
    assert spec.refund == Money("4.03", "EUR")
    assert "\u20ac4.03" in RENDERER.render(spec, now=NOW).text


@pytest.mark.parametrize("kind", [Kind.CONFIRM_SUBSCRIPTION, Kind.CONFIRM_RESUBSCRIPTION])
@pytest.mark.parametrize("token", ["k.AA-5EUR-AA.RM7", "2026a.AA5RM5_DXs.CLP7", "k.AA-bogo-AA.AA", "k.1JPY.AA"])
def test_a_token_promotes_nothing(kind: Kind, token: str) -> None:
    """It is chance: one in three hundred holds what looks like a sum, and nobody reads it."""
    spec = built(kind, token=token)
    assert isinstance(spec, ConfirmSubscription | ConfirmResubscription)
    assert token == spec.token


def test_a_link_promotes_nothing() -> None:
    """A key in an address is nothing that anybody reads (C6)."""
    spec = built(Kind.CANCELLATION_CONFIRMED, resume_url="https://harbour.example/?coupon=20%25&discount=1")
    assert isinstance(spec, CancellationConfirmed)


# --- what is announced ------------------------------------------------------------------------------------------------

DAYS = {Kind.INACTIVITY_NOTICE: "closes_on", Kind.INCENTIVE: "expires_on", Kind.LAST_CHANCE: "deadline"}
AT_ONCE = [kind for kind in DAYS if kind is not Kind.LAST_CHANCE]
"""Kinds that may announce tomorrow."""
EAST, WEST = "Pacific/Kiritimati", "America/Los_Angeles"


def announcing(kind: Kind, day: date, *, timezone: str) -> Specification:
    """A mail that announces a day to a reader in a zone."""
    return built(kind, to=evolve(sample_reader(), timezone=timezone), **{DAYS[kind]: day})


@pytest.mark.parametrize("kind", DAYS)
def test_each_kind_that_announces_a_day_says_which_field_has_it(kind: Kind) -> None:
    """The subject line takes it from there, and the check."""
    spec = announcing(kind, date(2026, 4, 1), timezone=EAST)
    assert DAYS[kind] == spec.deadline_field
    assert date(2026, 4, 1) == spec.deadline_day(spec.to.zone)


def test_all_others_but_one_announce_nothing() -> None:
    """The final notice announces an instant."""
    assert {*DAYS, Kind.FINAL_NOTICE} == {kind for kind in Kind if class_of(kind).deadline_field}
    assert SPECS[Kind.SURVEY].deadline_day(SPECS[Kind.SURVEY].to.zone) is None
    final = built(Kind.FINAL_NOTICE, stops_at=datetime(2026, 3, 5, 11, tzinfo=UTC))
    assert date(2026, 3, 6) == final.deadline_day(evolve(final.to, timezone=EAST).zone)


@pytest.mark.parametrize("kind", AT_ONCE)
@pytest.mark.parametrize(
    ("now", "timezone", "is_ahead"),
    [
        (datetime(2026, 3, 3, 12, tzinfo=UTC), "UTC", True),
        (datetime(2026, 3, 3, 12, tzinfo=UTC), EAST, False),  # there it is the fourth
        (datetime(2026, 3, 3, 9, 59, 59, tzinfo=UTC), EAST, True),
        (datetime(2026, 3, 3, 10, tzinfo=UTC), EAST, False),  # the very instant at which it becomes the fourth
        (datetime(2026, 3, 4, 2, tzinfo=UTC), "UTC", False),
        (datetime(2026, 3, 4, 2, tzinfo=UTC), WEST, True),  # there it is the third
        (datetime(2026, 3, 4, 7, 59, 59, tzinfo=UTC), WEST, True),
        (datetime(2026, 3, 4, 8, tzinfo=UTC), WEST, False),
        (datetime(2026, 3, 5, 12, tzinfo=UTC), WEST, False),
        (datetime(2026, 3, 3, 23, 30, tzinfo=timezone(timedelta(hours=14))), "UTC", True),
    ],
)
def test_a_day_is_announced_while_it_is_ahead_where_the_reader_is(
    kind: Kind, now: datetime, timezone: str, is_ahead: bool
) -> None:
    """The fourth of March is announced until the third is over in the reader's zone, whatever day UTC has (S8)."""
    spec = announcing(kind, date(2026, 3, 4), timezone=timezone)
    if is_ahead:
        assert kind is RENDERER.render(spec, now=now).kind
        return
    with pytest.raises(MailRefused, match=f"^{kind}: {DAYS[kind]} is 2026-03-04, .* write again with a later one"):
        RENDERER.render(spec, now=now)


@pytest.mark.parametrize("timezone", [EAST, "UTC", WEST])
def test_the_final_notice_comes_two_days_ahead(timezone: str) -> None:
    """48 hours (S7), whatever the zone; it may be written an hour later than planned, and no more."""
    spec = built(Kind.FINAL_NOTICE, to=evolve(sample_reader(), timezone=timezone), stops_at=NOW)
    planned = NOW - timedelta(hours=48)
    for now in (planned, planned + LATE):
        assert Kind.FINAL_NOTICE is RENDERER.render(spec, now=now).kind
    for now in (planned + LATE + timedelta(microseconds=1), NOW, NOW + timedelta(days=1)):
        with pytest.raises(MailRefused, match=r"^final-notice: stops_at is 2026-03-03 12:05.* 48 hours away or more"):
            RENDERER.render(spec, now=now)


@pytest.mark.parametrize(
    ("now", "timezone", "is_ahead"),
    [
        (datetime(2026, 3, 3, 12, tzinfo=UTC), "UTC", True),
        (datetime(2026, 3, 4, 0, 59, 59, tzinfo=UTC), "UTC", True),  # planned for the third
        (datetime(2026, 3, 4, 1, tzinfo=UTC), "UTC", False),
        (datetime(2026, 3, 3, 12, tzinfo=UTC), EAST, False),  # there it is the fourth
        (datetime(2026, 3, 4, 8, 59, tzinfo=UTC), WEST, True),  # there it is the third, and an hour
        (datetime(2026, 3, 9, 12, tzinfo=UTC), "UTC", False),
    ],
)
def test_a_last_chance_is_a_week(now: datetime, timezone: str, is_ahead: bool) -> None:
    """Who is asked by the tenth of March is asked on the third, by the reader's calendar (S7)."""
    spec = announcing(Kind.LAST_CHANCE, date(2026, 3, 10), timezone=timezone)
    if is_ahead:
        assert Kind.LAST_CHANCE is RENDERER.render(spec, now=now).kind
        return
    with pytest.raises(MailRefused, match=r"^last-chance: deadline is 2026-03-10, .* 168 hours away or more"):
        RENDERER.render(spec, now=now)


PAST = [(kind, name) for kind in Kind for name in class_of(kind).past]
UP_TO = [(kind, name) for kind in Kind for name in class_of(kind).up_to]


def test_each_day_and_instant_is_past_or_to_come_or_announced() -> None:
    """No field with one is forgotten: the mail would tell of it whatever it is."""
    for kind in Kind:
        cls = class_of(kind)
        when = {name for name, hint in hints(kind).items() if {date, datetime} & {hint, *get_args(hint)}}
        held = {*cls.past, *cls.up_to, cls.deadline_field} - {""}
        assert held == when - ({"inactive_since"} if kind is Kind.INACTIVITY_NOTICE else set())


@pytest.mark.parametrize(("kind", "name"), PAST)
def test_what_is_still_to_come_is_not_told_as_past(kind: Kind, name: str) -> None:
    """A mail that says that it ended tomorrow is written tomorrow; clocks may differ a little, and zones a day."""
    is_day = date in (hints(kind)[name], *get_args(hints(kind)[name]))
    if is_day:
        fine: date = NOW.date() + timedelta(days=1)  # at noon UTC it is tomorrow on an island
        wrong: date = fine + timedelta(days=1)
    else:
        fine, wrong = NOW + SKEW, NOW + SKEW + timedelta(microseconds=1)
    assert kind is RENDERER.render(built(kind, **{name: fine}), now=NOW).kind
    with pytest.raises(MailRefused, match=rf"^{kind}: {name} is .* would tell as past"):
        RENDERER.render(built(kind, **{name: wrong}), now=NOW)


@pytest.mark.parametrize(("kind", "name"), UP_TO)
def test_what_is_over_is_not_told_as_to_come(kind: Kind, name: str) -> None:
    """The last day counts, wherever on Earth it is still that day."""
    today = NOW.date()
    assert kind is RENDERER.render(built(kind, **{name: today}), now=NOW).kind
    with pytest.raises(MailRefused, match=rf"^{kind}: {name} is .* would say that it is to come"):
        RENDERER.render(built(kind, **{name: today - timedelta(days=1)}), now=NOW)


def test_all_that_is_not_so_is_told_at_once() -> None:
    """Who mends one day should not be sent back for the next."""
    spec = built(Kind.PLAN_ENDING, cancelled_at=NOW + timedelta(days=2), ends_on=NOW.date() - timedelta(days=2))
    with pytest.raises(MailRefused, match=r"cancelled_at is .*; ends_on is "):
        RENDERER.render(spec, now=NOW)


@pytest.mark.parametrize("kind", [*DAYS, Kind.FINAL_NOTICE])
def test_the_check_takes_no_instant_without_a_zone(kind: Kind) -> None:
    """It would be read in the zone of the machine."""
    with pytest.raises(InvalidInput, match="no time zone"):
        SPECS[kind].require_timely(datetime(2020, 1, 1))  # noqa: DTZ001


def test_an_account_closes_after_it_was_used() -> None:
    """The days between are counted in the mail."""
    used = date(2026, 3, 1)
    next_day = built(Kind.INACTIVITY_NOTICE, inactive_since=used, closes_on=date(2026, 3, 2))
    assert isinstance(next_day, InactivityNotice)
    assert date(2026, 3, 2) == next_day.closes_on
    for closes in (used, used - timedelta(days=1)):
        with pytest.raises(InvalidInput, match=f"^closes_on: {closes} is not after 2026-03-01"):
            built(Kind.INACTIVITY_NOTICE, inactive_since=used, closes_on=closes)


# --- single kinds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        (Kind.CANCELLATION_CONFIRMED, set(CancellationReason) - set(SURVEY_REASONS)),
        (Kind.CANCELLATION_SURVEY, set(CancellationReason) - set(SURVEY_REASONS)),
        (Kind.CANCELLATION_REASON, set(CancellationReason) - set(SINGLE_REASONS)),
    ],
)
def test_a_question_offers_its_own_reasons_alone(kind: Kind, other: set[CancellationReason]) -> None:
    """The survey and the one question have reasons of their own (C2)."""
    assert other
    for reason in other:
        with pytest.raises(InvalidInput, match=rf"^reasons\[1\]: '{reason}' is none of "):
            built(kind, reasons=[CancellationReason.OTHER, reason])


@pytest.mark.parametrize(("kind", "name"), [one for one in SEVERAL if one[1] == "reasons"])
def test_reasons_may_be_given_as_words(kind: Kind, name: str) -> None:
    """They are read from files; a word that is none is refused with all that there are."""
    said = getattr(SPECS[kind], name)
    assert said == getattr(built(kind, reasons=[str(one) for one in said]), name)
    with pytest.raises(InvalidInput, match=r"^reasons='boredom': one of .*other"):
        built(kind, reasons=["boredom", "other"])


def goodbye(**changed: Any) -> Goodbye:
    """The sample of a goodbye, changed."""
    made = built(Kind.GOODBYE, **changed)
    assert isinstance(made, Goodbye)
    return made


def test_who_left_everything_is_offered_nothing() -> None:
    """Neither lists nor channels: nobody is asked back by mail (R13)."""
    for offered in ("stays", "channels"):
        kept = {name: () for name in ("stays", "channels") if name != offered}
        with pytest.raises(InvalidInput, match=r"^stays, channels: .*\(R13\)"):
            goodbye(left=None, **kept)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_goodbye_to_who_left_everything_leads_nowhere_but_to_their_choices(language: str) -> None:
    """No list, no call to action, no other channel: reasons, preferences, and the privacy policy (R13, O7)."""
    reader = sample_reader(language)
    mail = RENDERER.render(goodbye(to=reader, left=None, stays=(), channels=()), now=NOW)
    places = {url.rpartition("/")[0] if "/m/" in url else url for url in re.findall(r"https://[^\s\"<]+", mail.html)}
    ours = "https://mail.harbour.example/m"
    footer = {"https://harbour.example", "https://harbour.example/privacy"}
    assert {f"{ours}/answer", f"{ours}/preferences"} <= places <= {f"{ours}/answer", f"{ours}/preferences", *footer}
    for part in (mail.text, mail.html, mail.subject):
        assert "Harbour News" not in part
        assert "Sailing Tips" not in part
    assert "\n* " not in mail.text  # a primary call to action in plain text


def test_the_goodbye_to_who_left_a_list_says_what_else_there_is() -> None:
    """It names the list, those that stay, and the other channels (O7, P6)."""
    text = " ".join(RENDERER.render(goodbye(), now=NOW).text.split())
    for said in ("You left Harbour News on", "You are still on: - Sailing Tips", "Harbour on your phone"):
        assert said in text


def test_nobody_stays_on_the_list_that_they_left() -> None:
    """Whatever title it goes by: it is the key that says which list it is."""
    with pytest.raises(InvalidInput, match=r"^stays: 'harbour-news' is the list that was left"):
        goodbye(stays=[MailingList("harbour-news", title="News by another name")])


@pytest.mark.parametrize(("kind", "name"), [one for one in SEVERAL if one in TITLED])
def test_a_list_is_there_once_by_its_key(kind: Kind, name: str) -> None:
    """Two titles of one list are one choice, and not two."""
    twice = [MailingList("tips", title="Tips"), MailingList("tips", title="Lessons")]
    with pytest.raises(InvalidInput, match=rf"^{name}: .*'tips'.*twice"):
        built(kind, **{name: twice})


@pytest.mark.parametrize(("kind", "name"), TITLED)
def test_a_list_has_a_title(kind: Kind, name: str) -> None:
    """Readers know it by that, and not by its key."""
    bare = MailingList("tips")
    with pytest.raises(InvalidInput, match=rf"^{name}(\[0\])?: give a MailingList with a title"):
        built(kind, **{name: [bare] if get_origin(hints(kind)[name]) is tuple else bare})


@pytest.mark.parametrize("purpose", LinkPurpose)
def test_a_fresh_link_leads_out(purpose: LinkPurpose) -> None:
    """A fresh link to a confirmation comes from `subscribe`, which knows what it would take back (F47, O4)."""
    if purpose in (LinkPurpose.UNSUBSCRIBE, LinkPurpose.PREFERENCES):
        made = built(Kind.FRESH_LINK, purpose=str(purpose))
        assert isinstance(made, FreshLink)
        assert purpose is made.purpose
        return
    with pytest.raises(InvalidInput, match=r"^purpose: a fresh link is for unsubscribe or preferences"):
        built(Kind.FRESH_LINK, purpose=purpose)


@pytest.mark.parametrize("token", ["", "k.\u00e4.A", "k A", "k\n", 17, None])
def test_a_confirmation_takes_a_token(token: Any) -> None:
    """It is what `subscribe` returned; the message does not repeat it."""
    with pytest.raises(InvalidInput, match=r"^token: give the token of NeedsConfirmation"):
        ConfirmSubscription(**values(Kind.CONFIRM_SUBSCRIPTION) | {"token": token})


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "47", 10**9 + 1])
def test_a_count_is_one(count: Any) -> None:
    """Nobody counted, or somebody did: "0 guides since you signed up" is no value (S7)."""
    with pytest.raises(InvalidInput, match=r"^published: "):
        ValueProposition(**values(Kind.VALUE_PROPOSITION) | {"published": count})


def test_words_name_members() -> None:
    """Enumerations are read from files as words."""
    assert built(Kind.INCENTIVE) == built(Kind.INCENTIVE, incentive="discount")
    assert built(Kind.SURVEY, style="honest") == built(Kind.SURVEY, style="honest", subject="")
    with pytest.raises(InvalidInput, match=r"^incentive='bribe': one of discount, "):
        built(Kind.INCENTIVE, incentive="bribe")
    with pytest.raises(InvalidInput, match=r"^style='shouting': one of curiosity, "):
        built(Kind.SURVEY, style="shouting")


def test_a_campaign_is_named_by_its_key() -> None:
    """Its links carry it."""
    for kind in Kind:
        if kind not in TRANSACTIONAL:
            with pytest.raises(InvalidInput, match=r"^campaign 'Win back': a key is"):
                built(kind, campaign="Win back")


@EVERY_KIND
def test_a_mail_may_say_only_what_it_has_to(kind: Kind) -> None:
    """What may be left out is left out: the mail is made, and lacks nothing."""
    said = {one.name: values(kind)[one.name] for one in fields(class_of(kind)) if one.default is NOTHING}
    mail = RENDERER.render(class_of(kind)(**said), now=NOW)
    assert kind is mail.kind
    assert mail.subject


@pytest.mark.parametrize("kind", [Kind.CANCELLATION_CONFIRMED, Kind.PAYMENT_FAILED])
def test_no_card_and_nothing_kept_has_to_be_said(kind: Kind) -> None:
    """None and the empty list are answers that the caller gives, and no defaults (C1)."""
    text = RENDERER.render(built(kind, card=None, keeps=[]), now=NOW).text
    assert "card ending" not in text
    assert "This stays yours" not in text


@pytest.mark.parametrize(("card", "amount"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_failed_payment_says_what_is_known_of_it(card: bool, amount: bool) -> None:
    """The card, the sum, both or neither; it failed all the same (C2)."""
    spec = built(
        Kind.PAYMENT_FAILED, card=Card("4242") if card else None, amount=Money("12", "EUR") if amount else None
    )
    mail = RENDERER.render(spec, now=NOW)
    for said in (mail.text, mail.html):
        assert ("4242" in said, "12.00" in said) == (card, amount)
        assert "so we had to cancel your" in " ".join(said.split())


@pytest.mark.parametrize("attribute", fields(Specification), ids=lambda one: one.name)
def test_every_kind_is_to_somebody(attribute: "Attribute[Any]") -> None:
    """All specifications share the reader, and nothing else."""
    assert "to" == attribute.name
    with pytest.raises(InvalidInput, match=r"^to: a EmailAddress is not a Recipient"):
        built(Kind.CANCELLATION_NOTE, to=sample_reader().address)
