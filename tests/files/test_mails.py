import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidDocument
from lifecycle_mail.files.mails import (
    as_data,
    mail_converter,
    read_brand,
    read_catalogues,
    read_data,
    read_object,
    read_specification,
    read_templates,
    write_mail,
)
from lifecycle_mail.mails import Brand, Kind, Links, Renderer, Theme
from lifecycle_mail.mails.kinds import class_of
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader, samples
from lifecycle_mail.policy.documents import structure

SAMPLES = samples(sample_reader("et"))


@pytest.mark.parametrize("kind", Kind)
def test_what_a_mail_says_comes_back_from_json(kind: Kind) -> None:
    """A specification written as JSON reads back as the same."""
    data = json.loads(json.dumps(as_data(SAMPLES[kind])))
    assert SAMPLES[kind] == read_specification(kind, data, what="data.json")


def test_a_locale_may_count_instead_of_the_recipients_own() -> None:
    """`--locale` changes the language of the mail and nothing else."""
    data = as_data(SAMPLES[Kind.GOODBYE])
    assert "pt-BR" == read_specification(Kind.GOODBYE, data, what="data.json", locale="pt-BR").to.locale
    assert "et" == data["to"]["locale"]


def test_all_problems_are_told_at_once_with_their_paths() -> None:
    """Wrong types, missing fields, unknown keys, and values that only a finished class would refuse."""
    data = {
        "to": {"contact_id": "", "address": "nobody"},
        "product": "",
        "card": "4242424242424242",
        "amount": "12",
        "cancelled_at": "soon",
        "other_ways": [{"title": "Invoice", "url": "javascript:pay()"}, 7],
        "colour": "red",
    }
    with pytest.raises(InvalidDocument) as caught:
        read_specification(Kind.PAYMENT_FAILED, data, what="data.json")
    paths = [problem.path for problem in caught.value.problems]
    expected = [
        "$.to.contact_id",
        "$.to.address",
        "$.product",
        "$.card",
        "$.amount",
        "$.cancelled_at",
        "$.resume_url",
        "$.colour",
    ]
    assert set(expected) <= set(paths)
    assert {"$.other_ways[0].url", "$.other_ways[1]"} <= set(paths)
    assert "4242424242424242" not in str(caught.value)
    assert "colour" in str(caught.value)


LISTS = [
    (kind, name)
    for kind in Kind
    for name, hint in get_type_hints(class_of(kind)).items()
    if get_origin(hint) is tuple
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), LISTS)
@pytest.mark.parametrize("wrong", ["Maps", {"a": 1}, 7])
def test_a_list_is_no_text(kind: Kind, name: str, wrong: object) -> None:
    """A customer would read "M, a, p, s" of what stays theirs."""
    assert {f"$.{name}"} == told(kind, {**as_data(SAMPLES[kind]), name: wrong}).keys()


@pytest.mark.parametrize("wrong", ["2026-03-03", "2026-03-03T12:00:00", "soon", 7, None])
def test_an_instant_has_its_zone(wrong: object) -> None:
    """A mail states it as a fact (R15): nobody guesses whose noon it was."""
    data = {**as_data(SAMPLES[Kind.CANCELLATION_NOTE]), "cancelled_at": wrong}
    assert "2026-03-31T12:00:00+02:00" in told(Kind.CANCELLATION_NOTE, data)["$.cancelled_at"]
    right = {**data, "cancelled_at": "2026-03-03T12:00:00+02:00"}
    assert Kind.CANCELLATION_NOTE is read_specification(Kind.CANCELLATION_NOTE, right, what="data.json").kind


def told(kind: Kind, data: object, *, now: datetime | None = None) -> dict[str, str]:
    """Return the problems of data by their paths; each path has one."""
    with pytest.raises(InvalidDocument) as caught:
        read_specification(kind, data, what="data.json", now=now)
    found = {problem.path: problem.message for problem in caught.value.problems}
    assert len(found) == len(caught.value.problems)
    return found


def test_problems_inside_are_told_at_once_with_their_paths() -> None:
    """Of the reader, and of each entry of a list: values, types, and what is missing, whatever hides the others."""
    bad = {"title": "two\nlines", "url": "http://harbour.example", "summary": "x" * 201}
    data = {
        **as_data(SAMPLES[Kind.WE_MISS_YOU]),
        "to": {"contact_id": "", "address": "a@b.example", "locale": "C", "timezone": "Mars/Base", "name": 7},
        "news": [bad, {"title": 7, "url": "https://harbour.example"}, bad],
        "place": "Tallinn\n",
    }
    assert {
        *(f"$.to.{name}" for name in ("contact_id", "locale", "timezone", "name")),
        *(f"$.news[{place}].{name}" for place in (0, 2) for name in bad),
        "$.news[1].title",
        "$.place",
    } == told(Kind.WE_MISS_YOU, data).keys()


def test_a_problem_of_one_part_hides_none_of_another() -> None:
    """An unknown key, a missing one and a wrong type stand beside values that only a finished class would refuse."""
    data = {
        **as_data(SAMPLES[Kind.VALUE_PROPOSITION]),
        "to": {"contact_id": "c", "locale": 7, "timezone": "Mars/Base", "nmae": "Ada"},
        "items": [{"title": "a", "url": "javascript:x", "colour": "red"}, "an item", {"title": "\u200b"}],
        "published": 0,
    }
    found = told(Kind.VALUE_PROPOSITION, data)
    assert {
        "$.to.nmae", "$.to.address", "$.to.locale", "$.to.timezone", "$.published", "$.items[1]",
        *(f"$.items[{rest}" for rest in ("0].colour", "0].url", "2].title", "2].url")),
    } == found.keys()  # fmt: skip
    assert "unknown field 'nmae'" == found["$.to.nmae"]


def test_a_problem_of_a_name_hides_none_of_a_longer_one() -> None:
    """`to` begins like `topics`."""
    reader = {**as_data(sample_reader()), "locale": "C"}
    data = {**as_data(SAMPLES[Kind.PREFERENCE_UPDATE]), "to": reader, "topics": 7}
    assert {"$.to.locale", "$.topics"} == told(Kind.PREFERENCE_UPDATE, data).keys()


def test_every_list_that_cannot_be_named_is_told() -> None:
    """One without a title, one with a title of two lines, and one that is there twice."""
    lists = [{"key": "a"}, {"key": "b", "title": "two\nlines"}, {"key": "c", "title": "C"}, {"key": "c", "title": "D"}]
    said = told(Kind.GOODBYE, {**as_data(SAMPLES[Kind.GOODBYE]), "stays": lists})["$.stays"]
    assert all(part in said for part in ("stays[0]: give", "stays[1].title: character 4", "'c' is there twice"))


def test_the_number_of_a_card_is_in_no_problem() -> None:
    """However it is written."""
    for card in ("4111111111111111", {"last_four": "4111111111111111"}, 4111111111111111, ["4111111111111111"]):
        found = told(Kind.PAYMENT_FAILED, {**as_data(SAMPLES[Kind.PAYMENT_FAILED]), "card": card, "product": "\n"})
        assert {"$.card", "$.product"} == found.keys()
        assert "4111" not in str(found)


@pytest.mark.parametrize("data", [None, [], "text", 7, {"to": 7}, {"to": None}])
def test_what_is_no_table_is_said_to_be_none(data: object) -> None:
    """JSON of another shape is a problem with a path, and no crash."""
    with pytest.raises(InvalidDocument):
        read_specification(Kind.GOODBYE, data, what="data.json")


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(list(Kind)), st.data())
def test_no_data_breaks_the_reader(kind: Kind, data: st.DataObject) -> None:
    """Whatever stands in a field, the answer is a specification or its problems."""
    fields = as_data(SAMPLES[kind])
    wrong = {**fields, data.draw(st.sampled_from(sorted(fields))): data.draw(_PLAIN)}
    with suppress(InvalidDocument):
        assert kind == read_specification(kind, wrong, what="data.json").kind


@given(st.sampled_from(list(Kind)), st.data())
def test_no_data_inside_breaks_the_reader(kind: Kind, data: st.DataObject) -> None:
    """Nor does what stands in a part of a part; what is wrong there is said to be there."""
    fields = json.loads(json.dumps(as_data(SAMPLES[kind])))
    parts = [("$.to", fields["to"])]
    parts += [
        (f"$.{name}[{place}]", one)
        for name, several in fields.items() if isinstance(several, list)
        for place, one in enumerate(several) if isinstance(one, dict)
    ]  # fmt: skip
    path, part = data.draw(st.sampled_from(parts))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(_PLAIN)
    places: set[str] = set()
    try:
        read_specification(kind, fields, what="data.json")
    except InvalidDocument as error:
        places = {problem.path for problem in error.problems}
    assert all(place.startswith(path.partition("[")[0]) or place == "$" for place in places)


def test_a_promotion_in_a_transactional_mail_is_refused() -> None:
    """The rule of C6 holds for what comes from a file as well."""
    data = {**as_data(SAMPLES[Kind.MEMBERSHIP_ENDED]), "benefits": ["20 % off when you come back"]}
    with pytest.raises(InvalidDocument, match="a transactional mail promotes nothing") as caught:
        read_specification(Kind.MEMBERSHIP_ENDED, data, what="data.json")
    assert [("$.benefits[0]", "says '20 % off'")] == [(one.path, one.message) for one in caught.value.problems]


def test_a_promotion_is_told_beside_what_else_is_wrong() -> None:
    """Of texts that are right by themselves, in lists and tables, while other fields cannot be read."""
    way = {"title": "Get 20 % off", "url": "https://harbour.example"}
    data = {
        **as_data(SAMPLES[Kind.PAYMENT_FAILED]), "keeps": ["Maps", "50 % off"], "other_ways": [way], "card": "1",
        "prodct": "Charts",
    }  # fmt: skip
    del data["product"]
    assert {"$.keeps[1]", "$.other_ways[0]", "$.card", "$.product", "$.prodct"} == told(
        Kind.PAYMENT_FAILED, data
    ).keys()
    offer = {**as_data(SAMPLES[Kind.WE_MISS_YOU]), "place": "20 % off", "news": 7}
    assert {"$.news"} == told(Kind.WE_MISS_YOU, offer).keys()  # marketing may promote


NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def test_what_is_over_is_told_beside_what_else_is_wrong() -> None:
    """A deadline that is over and an instant to come have their paths; so has what cannot be read (S8)."""
    data = {**as_data(SAMPLES[Kind.PLAN_ENDING]), "cancelled_at": "2031-01-01T12:00:00+00:00", "ends_on": "2020-01-01"}
    late = told(Kind.PLAN_ENDING, data, now=NOON)
    assert {"$.cancelled_at", "$.ends_on"} == late.keys()
    assert "tell as past" in late["$.cancelled_at"]
    assert {"$.cancelled_at", "$.ends_on", "$.card"} == told(Kind.PLAN_ENDING, {**data, "card": "1"}, now=NOON).keys()
    read_specification(Kind.PLAN_ENDING, data, what="data.json")  # nobody said when it is written


def test_a_deadline_of_an_unknown_reader_is_told_as_far_as_it_is_known() -> None:
    """An instant is over for everybody; on which day it is over, only their zone says (S8)."""
    instant = {**as_data(SAMPLES[Kind.FINAL_NOTICE]), "to": 7, "stops_at": "2020-01-01T12:00:00+00:00"}
    assert {"$.to", "$.stops_at"} == told(Kind.FINAL_NOTICE, instant, now=NOON).keys()
    day = {**as_data(SAMPLES[Kind.LAST_CHANCE]), "to": 7, "deadline": "2020-01-01"}
    assert {"$.to"} == told(Kind.LAST_CHANCE, day, now=NOON).keys()
    known = {**day, "to": as_data(sample_reader()), "campaign": 7}
    assert {"$.campaign", "$.deadline"} == told(Kind.LAST_CHANCE, known, now=NOON).keys()


def test_an_account_that_is_used_is_a_problem_of_the_data() -> None:
    """What a kind asks of its days beyond the others is told as well (S8)."""
    data = {**as_data(SAMPLES[Kind.INACTIVITY_NOTICE]), "inactive_since": "2026-03-03", "closes_on": "2026-05-01"}
    found = told(Kind.INACTIVITY_NOTICE, data, now=NOON)
    assert ["$.inactive_since"] == list(found)
    assert "which is not a day ago" in found["$.inactive_since"]


def test_a_card_is_asked_for_in_the_words_of_a_file() -> None:
    """Who writes JSON is told no Python."""
    found = told(Kind.PAYMENT_FAILED, {**as_data(SAMPLES[Kind.PAYMENT_FAILED]), "card": 4242})
    assert "such as '4242'" in found["$.card"]
    assert "Card(" not in found["$.card"]


def test_a_sender_is_read_from_toml(tmp_path: Path) -> None:
    """A sender stands at the top of a file or under [brand], its theme in full or by one colour."""
    top = """
name = "Harbour"
address = "ines@harbour.example"
postal_address = ["Sadama 1", "10111 Tallinn"]
website = "https://harbour.example"
privacy_url = "https://harbour.example/privacy"
"""
    (tmp_path / "top.toml").write_text(top + '[theme]\naccent = "#0a5c63"\n')
    (tmp_path / "inner.toml").write_text("[brand]\n" + top + '[brand.theme]\naccent = "#0a5c63"\n')
    read = read_brand(tmp_path / "top.toml")
    assert read == read_brand(tmp_path / "inner.toml")
    assert (Theme.of("#0a5c63"), ("Sadama 1", "10111 Tallinn")) == (read.theme, read.postal_address)


def test_a_sender_comes_back_from_its_data() -> None:
    """A theme in full, a logo and all else of a sender survive the way through plain data."""
    assert BRAND == structure(as_data(BRAND), Brand, what="brand.toml", using=mail_converter())


def test_a_sender_with_problems_has_them_all_told(tmp_path: Path) -> None:
    """A faint colour, a missing address and an unknown key are told together."""
    path = tmp_path / "brand.toml"
    path.write_text('name = "Harbour"\nphone = "1"\n[theme]\naccent = "#ffff00"\nshade = 1\n')
    with pytest.raises(InvalidDocument) as caught:
        read_brand(path)
    message = str(caught.value)
    assert all(word in message for word in ("phone", "shade", "postal_address", "address"))


def test_problems_inside_a_sender_are_told_at_once_with_their_paths(tmp_path: Path) -> None:
    """Of its logo, of a palette, and of its own values."""
    path = tmp_path / "brand.toml"
    path.write_text(
        '[brand]\nname = "a\\tb"\naddress = "ines@harbour.example"\npostal_address = []\nwebsite = "http://harbour"\n'
        'privacy_url = "https://harbour.example/privacy"\n[brand.logo]\nurl = "x"\nalt = ""\nwidth = 999\nheight = 0\n'
        "[brand.theme]\nradius = 99\n"
    )
    with pytest.raises(InvalidDocument) as caught:
        read_brand(path)
    names = ("name", "postal_address", "website", "logo.url", "logo.alt", "logo.width", "logo.height", "theme.radius")
    assert {f"$.brand.{name}" for name in names} == {problem.path for problem in caught.value.problems}


def test_templates_are_read_by_name(tmp_path: Path) -> None:
    """Each file takes the place of the template of its name; one that has no name is said at once."""
    (tmp_path / "goodbye.jinja").write_text("a")
    (tmp_path / "mail.html.jinja").write_text("b")
    assert {"goodbye": "a", "mail.html": "b"} == read_templates(tmp_path)
    (tmp_path / "godbye.jinja").write_text("c")
    (tmp_path / "nothing.jinja").write_text("d")
    with pytest.raises(InvalidDocument) as caught:
        read_templates(tmp_path)
    assert 2 == len(caught.value.problems)
    assert "goodbye" in str(caught.value)


def test_a_folder_without_templates_is_a_mistake(tmp_path: Path) -> None:
    """Who names a folder means something by it."""
    with pytest.raises(InvalidDocument, match="no template"):
        read_templates(tmp_path)


def test_catalogues_are_read_by_language_and_their_problems_together(tmp_path: Path) -> None:
    """A translation that fills in what its sentence does not have is named with its file and line."""
    (tmp_path / "fi.po").write_text('msgid "Hello,"\nmsgstr "Hei,"\n', encoding="utf-8")
    assert ["fi"] == [one.language for one in read_catalogues(tmp_path)]
    for name in ("sv", "da"):
        (tmp_path / f"{name}.po").write_text('msgid "Hello,"\nmsgstr "Hej %(nom)s,"\n', encoding="utf-8")
    with pytest.raises(InvalidDocument) as caught:
        read_catalogues(tmp_path)
    assert 2 == len(caught.value.problems)
    assert "sv.po" in str(caught.value)
    assert "nom" in str(caught.value)


def test_a_catalogue_is_called_after_its_language(tmp_path: Path) -> None:
    """A backup beside it is no language: nobody reads in it, and nobody would notice."""
    for name in ("pt-BR", "et_EE", "fi-x-plain", "ca-valencia"):
        (tmp_path / f"{name}.po").write_text('msgid "Hello,"\nmsgstr "Oi,"\n', encoding="utf-8")
    assert ["ca-valencia", "et_EE", "fi-x-plain", "pt-BR"] == [one.language for one in read_catalogues(tmp_path)]
    (tmp_path / "fi.old.po").write_text('msgid "Hello,"\nmsgstr Hei\n', encoding="utf-8")
    (tmp_path / "backup.po").write_text("", encoding="utf-8")
    with pytest.raises(InvalidDocument) as caught:
        read_catalogues(tmp_path)
    assert ["'backup' is no language", "'fi.old' is no language", "'Hei' is not a text in quotes"] == [
        one.message for one in caught.value.problems
    ]


def test_lines_of_json_are_read_one_by_one(tmp_path: Path) -> None:
    """A line that is not JSON is refused with its place, and the others stand."""
    path = tmp_path / "data.jsonl"
    path.write_text('{"a": 1}\n\nnot json\n{"a": 2}\n')
    places = dict(read_data(path))
    assert [f"{path}:1", f"{path}:3", f"{path}:4"] == list(places)
    assert {"a": 2} == read_object(f"{path}:4", places[f"{path}:4"])
    with pytest.raises(InvalidDocument, match=r"data\.jsonl:3"):
        read_object(f"{path}:3", places[f"{path}:3"])


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_a_key_that_is_there_twice_is_refused(tmp_path: Path, suffix: str) -> None:
    """Of two products one would be lost without a word; each key is named with its place."""
    path = tmp_path / f"data.{suffix}"
    path.write_text('{"a": 1, "to": {"name": "Ada", "name": "Ada", "name": 1}, "a": 2, "ways": [{}, {"b": 1, "b": 1}]}')
    with pytest.raises(InvalidDocument) as caught:
        [read_object(place, one) for place, one in read_data(path)]
    assert ["$.to.name", "$.a", "$.ways[1].b"] == [problem.path for problem in caught.value.problems]
    assert "is there twice" in str(caught.value)
    path.write_text('{"a": [{"a": 1}, {"a": 1}]}')
    assert [{"a": [{"a": 1}, {"a": 1}]}] == [read_object(place, one) for place, one in read_data(path)]


def test_a_mail_is_written_as_html_text_and_message(tmp_path: Path) -> None:
    """The three files hold what the mail holds; the text has its headers on top."""
    renderer = Renderer(BRAND, links=Links("https://mail.example.com/m", ["a secret of 32 random bytes"]))
    mail = renderer.render(SAMPLES[Kind.LAST_CHANCE], now=NOW)
    html, text, message = write_mail(mail, tmp_path, "one")
    assert mail.html == html.read_text(encoding="utf-8")
    assert mail.to_message().as_bytes() == message.read_bytes()
    head, _, body = text.read_text(encoding="utf-8").partition("\n\n")
    assert mail.text == body
    assert f"Subject: {mail.subject}\nPreheader: {mail.preheader}\nList-Unsubscribe: <" == head[: head.index("https")]
