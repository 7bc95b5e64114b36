"""What specifications are made of: each part is checked once, where the caller still knows where it came from."""

import pickle
import traceback
from collections.abc import Callable
from copy import copy, deepcopy
from decimal import Decimal
from typing import Any

import pytest
from attrs import asdict, evolve, fields
from attrs.exceptions import FrozenInstanceError
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidAddress, InvalidInput
from lifecycle_mail.mails.formats import Formats
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.lures import MAX_GREETING, NO_NAMES
from lifecycle_mail.mails.parts import Card, Item, Money, Recipient, Way
from lifecycle_mail.mails.promotions import find_promotion
from lifecycle_mail.mails.samples import sample_reader, samples
from lifecycle_mail.mails.texts import check_text
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.names import ContactId
from tests.mails.hidden import HIDDEN
from tests.mails.rendered import render

NUMBER = "4111111111111111"


class TestCards:
    """Cards are named by four digits."""

    @pytest.mark.parametrize(
        "number",
        [
            NUMBER,
            "4111 1111 1111 1111",
            "41111",
            "411",
            "",
            "abcd",
            "4242 ",
            "-424",
            "4242\n",
            4242,
            None,
            b"4242",
            "٤٢٤٢",
            "²²²²",
            ["4242"],
        ],
        ids=repr,
    )
    def test_anything_else_is_refused(self, number: Any) -> None:
        """It is not in the message, which goes into logs."""
        with pytest.raises(InvalidInput, match="last four digits") as refused:
            Card(number)
        said = "".join(traceback.format_exception_only(refused.value)).replace("such as '4242'", "")
        assert not number or str(number) not in said

    @pytest.mark.parametrize("kind", [Kind.CANCELLATION_CONFIRMED, Kind.PAYMENT_FAILED])
    @pytest.mark.parametrize("number", [NUMBER, int(NUMBER), {"number": NUMBER}, [NUMBER]], ids=repr)
    def test_the_number_of_a_card_is_in_no_message(self, kind: Kind, number: Any) -> None:
        """Who gives the number where a card belongs reads what is wrong, and nobody reads the number."""
        spec: Any = samples(sample_reader())[kind]
        with pytest.raises(InvalidInput, match="card") as refused:
            evolve(spec, card=number)
        assert NUMBER not in f"{refused.value!s} {refused.value!r}"

    def test_a_card_is_in_no_repr(self) -> None:
        """Not even its last four digits are in what is printed of it, of a specification or of a mail."""
        spec = samples(sample_reader())[Kind.PAYMENT_FAILED]
        assert "4242" not in f"{Card('4242')!r}{spec!r}{render(spec)!r}"


class TestSums:
    """Sums are exact."""

    @pytest.mark.parametrize(
        "amount",
        [
            4.03,
            True,
            "",
            "4,03",
            "four",
            "NaN",
            "sNaN",
            "inf",
            "-1",
            "-0.01",
            "1e12",
            "1e999999",
            "0.0000001",
            "1e-999999",
            None,
            b"4",
            object,
            "4.03 EUR",
            [4],
        ],
        ids=repr,
    )
    def test_what_is_no_sum_is_refused(self, amount: Any) -> None:
        """A float, a sign, too many decimals, something without end: the message says amount."""
        with pytest.raises(InvalidInput, match="amount") as refused:
            Money(amount, "EUR")
        assert 200 > len(str(refused.value))

    @pytest.mark.parametrize("currency", ["eur", "EURO", "E", "\u20ac", "", 5, None, "EUR\n", "\u0415UR"], ids=repr)
    def test_what_is_no_currency_is_refused(self, currency: Any) -> None:
        """An ISO 4217 code in capitals, of ASCII."""
        with pytest.raises(InvalidInput, match="currency"):
            Money("4.03", currency)

    @pytest.mark.parametrize("amount", ["four", 4.03, 0.0, False, "-1"], ids=repr)
    def test_all_that_is_wrong_with_a_sum_is_told_at_once(self, amount: Any) -> None:
        """The amount, however it is wrong, and the currency."""
        with pytest.raises(InvalidInput, match=r"^amount .*; currency 'eur'"):
            Money(amount, "eur")

    @pytest.mark.parametrize(
        ("amount", "expected"),
        [
            ("4.03", "4.03"),
            (4, "4"),
            (Decimal("4.0300000000"), "4.03"),
            ("0", "0"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("999999999999.99", "999999999999.99"),
            ("0.000001", "0.000001"),
        ],
    )
    def test_a_sum_is_what_was_given(self, amount: Any, expected: str) -> None:
        """With any zeros at its end, and never minus nothing."""
        money = Money(amount, "EUR")
        assert Decimal(expected) == money.amount
        assert not money.amount.is_signed()


class TestReaders:
    """Who gets a mail."""

    @pytest.mark.parametrize(
        "name",
        [
            "evil.com",
            "Win at evil.com",
            "evil.com!",
            "evil.com?x=1",
            "evil.com:8080",
            "(evil.com)",
            "evil.com, now",
            "evil.com.",
            "https://evil",
            "http://1.2.3.4",
            "www.evil",
            "WWW.EVIL.COM",
            "ada@evil.example",
            "163.com",
            "a1.io",
            "bit.ly/x",
            "t.me/x",
            "xn--80ak6aa92e.xn--p1ai",
            "\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444",
            "evil\u3002com",
            "evil\uff0ecom",
            "ada\uff20evil",
            "x" * (MAX_GREETING + 1),
        ],
    )
    def test_a_name_like_a_link_is_not_greeted_with(self, name: str) -> None:
        """Who fills a form with an advertisement and somebody else's address gets no mail made of it."""
        reader = sample_reader(name=name)
        assert "" == reader.greeting
        spec: Any = samples(reader)[Kind.WE_MISS_YOU]
        mail = render(spec)
        assert mail.text.startswith("Hello,\n")
        assert name not in mail.text + mail.html + mail.subject + str(mail.to_message()["To"])

    @pytest.mark.parametrize(
        "name",
        [
            "Ada",
            "Ada Lovelace",
            "J.R.R. Tolkien",
            "Dr. No",
            "M. Ali",
            "José P. García",
            "O'Neil",
            "Ada...",
            "A. B.",
            "👩\u200d🚀",
            "x" * MAX_GREETING,
        ],
    )
    def test_a_name_is_greeted_with(self, name: str) -> None:
        """Initials, titles and dots do not make a link."""
        assert name == sample_reader(name=name).greeting

    def test_a_greeting_is_one_line(self) -> None:
        """Spaces of all kinds are one space, and none stands around it."""
        assert "Ada Lovelace" == sample_reader(name=" Ada \u00a0\u3000 Lovelace ").greeting

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"contact_id": 5}, "contact_id"),
            ({"contact_id": None}, "contact_id"),
            ({"contact_id": ""}, "contact id"),
            ({"contact_id": "a\n"}, "contact id"),
            ({"contact_id": "c" * 257}, "contact id"),
            ({"timezone": 5}, "timezone"),
            ({"timezone": None}, "timezone"),
            ({"timezone": "Mars/Base"}, "time zone"),
            ({"timezone": ""}, "time zone"),
            ({"timezone": "../../etc/passwd"}, "time zone"),
            ({"locale": 5}, "locale"),
            ({"locale": ""}, "locale"),
            ({"locale": "en\n"}, "locale"),
            ({"locale": "<script>"}, "locale"),
            ({"address": 5}, "address"),
            ({"address": None}, "address"),
            ({"address": b"ada@reader.example"}, "address"),
        ],
        ids=repr,
    )
    def test_each_part_of_a_reader_is_checked(self, changes: dict[str, Any], expected: str) -> None:
        """It is `InvalidInput`, and names the part."""
        values: dict[str, Any] = {"contact_id": "c", "address": "ada@reader.example", **changes}
        with pytest.raises(InvalidInput, match=expected):
            Recipient(**values)

    @pytest.mark.parametrize("text", ["ada", "a@b.example\r\nBcc: eve@evil.example", "Ada <ada@reader.example>", ""])
    def test_an_address_that_cannot_be_mailed_is_refused(self, text: str) -> None:
        """With the reason, as everywhere."""
        with pytest.raises(InvalidAddress):
            Recipient(contact_id=ContactId("c"), address=text)

    def test_a_reader_is_taken_from_the_registry(self) -> None:
        """With what the registry knows, and else with what is given; without an address there is none."""
        contact = Contact(id=ContactId("c"), address=sample_reader().address, locale="et", timezone="Europe/Tallinn")
        taken = Recipient.of(contact, name="Ada", locale="en", timezone="UTC")
        assert ("et", "Europe/Tallinn", "Ada") == (taken.locale, taken.timezone, taken.name)
        given_here = Recipient.of(evolve(contact, locale=None, timezone=None), locale="pt", timezone="UTC")
        assert ("pt", "UTC") == (given_here.locale, given_here.timezone)
        with pytest.raises(InvalidInput, match="no address"):
            Recipient.of(evolve(contact, address=None))

    @pytest.mark.parametrize("what", HIDDEN)
    def test_a_name_is_what_is_seen_of_it(self, what: str) -> None:
        """Nobody goes without their mail for a mark in their name, and none of it gets into a header (F55, R15)."""
        name = sample_reader(name=f"\ufeff{HIDDEN[what]}\t").name
        check_text("name", name, empty=True)
        assert not set("\r\n\0\u202e\u200b\ufeff\t") & set(name)

    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("\u064a\u0648\u0633\u0641\u200f", "\u064a\u0648\u0633\u0641"), ("Ann\n", "Ann"), ("Ann\tLee", "Ann Lee"),
            ("\ufeffAnn", "Ann"), ("   ", ""), ("\u3164", ""), ("x" * 201, ""), ("x" * 200, "x" * 200),
            ("\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0645\u06cc\u200c\u0631\u0648\u0645"),
        ],
    )  # fmt: skip
    def test_a_name_keeps_what_spells_it(self, written: str, kept: str) -> None:
        """Direction marks and tabs go, joiners stay, and what can be no name is none."""
        assert kept == sample_reader(name=written).name


class TestGreetingsOnce:
    """A greeting is worked out once, and is no part of the reader."""

    def test_a_greeting_is_worked_out_once(self) -> None:
        """A mail asks for it four times, and a look at a name takes as long as a paragraph."""
        reader = sample_reader(name="Ada \u3000Lovelace")
        assert reader.greeting is reader.greeting

    def test_a_greeting_changes_nothing_else(self) -> None:
        """Who was greeted is equal to who was not, hashes and prints alike, and is copied and kept alike."""
        greeted, fresh = sample_reader(name="Ada"), sample_reader(name="Ada")
        assert "Ada" == greeted.greeting
        assert (greeted, hash(greeted), repr(greeted)) == (fresh, hash(fresh), repr(fresh))
        assert ["contact_id", "address", "name", "locale", "timezone"] == [one.name for one in fields(Recipient)]
        assert asdict(greeted) == asdict(fresh)
        for again in (pickle.loads(pickle.dumps(greeted)), copy(greeted), deepcopy(greeted)):  # noqa: S301 - our own
            assert (greeted, "Ada") == (again, again.greeting)

    def test_a_greeting_goes_with_its_name(self) -> None:
        """Of another name it is another one."""
        reader = sample_reader(name="Ada")
        assert "Ada" == reader.greeting
        assert ("", "Bo") == (evolve(reader, name="T.Me").greeting, evolve(reader, name="Bo").greeting)

    def test_a_greeting_is_not_written_to(self) -> None:
        """As nothing of a frozen value is."""
        for name in ("greeting", "_greeting"):
            with pytest.raises(AttributeError):
                setattr(sample_reader(), name, "Eve")


class TestNames:
    """Which names are greeted with, and which are advertisements."""

    @pytest.mark.parametrize(
        "name",
        [
            "J.R.R. Tolkien", "J.R.R.Tolkien", "J. R. R. Tolkien", "O'Brien", "O\u2019Brien", "Anne-Marie", "Dr. Kask",
            "Jos\u00e9", "M. de la Cr\u00e9\u014d", "O.Henry", "J.Smith-Jones", "J.O'Brien", "Ada Lovelace, M.Sc.",
            "Ph.D. Kask", "Smith Jr.", "Kask, A.", "Ng", "I", "van der Berg", "Louis XIV", "Mary 3rd", "d'Arc",
            "Zo\u00eb",
            "\u738b\u5c0f\u660e", "\u5c71\u7530 \u592a\u90ce", "\uae40\ubbfc\uc218", "\u845b\U000e0100\u57ce",
            "\u0645\u062d\u0645\u062f \u0639\u0644\u064a", "\u05d3\u05d5\u05d3", "\u0e2a\u0e21\u0e0a\u0e32\u0e22",
            "\u0418.\u0418.\u0418\u0432\u0430\u043d\u043e\u0432", "\u0418\u0432\u0430\u043d\u043e\u0432 \u0418.\u0418.",
            "\u0906\u0930\u094d\u092f", "Ng\u0169gi", "Nguy\u1ec5n V\u0103n A",
        ],
    )  # fmt: skip
    def test_people_are_greeted_with_their_names(self, name: str) -> None:
        """Initials with and without spaces, titles, degrees, hyphens, apostrophes, and every script."""
        reader = sample_reader(name=name)
        assert name == reader.greeting
        assert f"Hello {name}," in render(samples(reader)[Kind.WE_MISS_YOU]).text

    @pytest.mark.parametrize(
        "name",
        [
            "X.Com/evil", "T.me", "t.me", "t.co/x", "T.Me/x", "evil.x.com", "A.B.evil.com", "J.Smith.com", "a.co.uk",
            "A.Evil.Shop", "evil\u2024com", "evil\ufe52com", "\uff57\uff57\uff57\uff0eevil\uff0ecom", "ada\ufe6bevil",
            "\uff48ttps\uff1a\uff0f\uff0fevil", "evil\uff61com", "x evil.com", "tg://evil",
        ],
    )  # fmt: skip
    def test_a_link_in_disguise_is_not_greeted_with(self, name: str) -> None:
        """Signs that a browser takes for a dot or an at sign, and links behind what looks like initials."""
        assert "" == sample_reader(name=name).greeting

    @pytest.mark.parametrize(
        "name",
        [
            "You won 500 EUR", "$1000 for you", "50% off", "Free gift inside", "Cup\u00f3n gratis",
            "Um m\u00eas gr\u00e1tis", "Sooduskood", "Diskaun", "Call 0900 123 456", "+372 5555 5555",
            "\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
        ],
    )  # fmt: skip
    def test_an_advertisement_is_not_greeted_with(self, name: str) -> None:
        """What promotes, in any language, and what can be called: a form takes anything for a name."""
        reader = sample_reader(name=name)
        assert "" == reader.greeting
        assert render(samples(reader)[Kind.GOODBYE]).text.startswith("Hello,\n")

    @given(st.text(alphabet=st.characters(categories=["L", "M"]), min_size=1, max_size=12))
    def test_a_word_of_letters_is_greeted_with(self, name: str) -> None:
        """Letters and marks are no link and no number; of ours only what sells, or a null, is no name."""
        try:
            reader = sample_reader(name=name)
        except InvalidInput:
            return  # nothing of it is seen
        assert reader.greeting in (name, "")
        is_none = name.casefold() in NO_NAMES or not any(map(str.isalpha, name))
        assert reader.greeting or find_promotion(name) or is_none


class TestLanguagesAndZones:
    """What the application knows of a reader, written as applications write it."""

    @pytest.mark.parametrize(
        "locale",
        [
            "en", "et", "pt-BR", "pt_BR", "zh-Hant", "zh-Hant-TW", "es-419", "EN-gb", "fil", "sl-rozaj-biske-1994",
            "de-DE-u-co-phonebk", "et-EE-x-old", "en-US-u-ca-gregory-nu-latn", "ca-ES-valencia", "xx", "tlh",
        ],
    )  # fmt: skip
    def test_a_language_tag_is_taken_and_rendered(self, locale: str) -> None:
        """With script, region, variant and extension; of a language that nobody knows the mail falls back."""
        reader = sample_reader(locale)
        assert locale == reader.locale
        assert render(samples(reader)[Kind.GOODBYE]).text

    @pytest.mark.parametrize(
        "locale",
        ["e", "english-", "en US", "en-", "-en", "en--US", "en.UTF-8", "en_US.UTF-8", "*", "en;q=0.8", "C", "\u00e4t"],
    )
    def test_what_is_no_language_tag_is_refused(self, locale: str) -> None:
        """The message says what one looks like."""
        with pytest.raises(InvalidInput, match=r"^locale '.*language tag such as et, pt-BR or zh-Hant"):
            sample_reader(locale)

    @pytest.mark.parametrize("locale", ["en_US.UTF-8", "English", "C", "", "en US", None])
    def test_a_contact_with_no_language_tag_is_written_to_in_the_one_given(self, locale: str | None) -> None:
        """An import writes anything there; that keeps nobody from their notice."""
        contact = Contact(id=ContactId("c"), address=sample_reader().address, locale=locale)
        assert "pt" == Recipient.of(contact, locale="pt").locale

    def test_a_language_that_is_given_wrong_is_refused(self) -> None:
        """It is the caller's, who can mend it."""
        contact = Contact(id=ContactId("c"), address=sample_reader().address, locale="C")
        with pytest.raises(InvalidInput, match=r"^locale 'English please'"):
            Recipient.of(contact, locale="English please")

    @pytest.mark.parametrize("timezone", ["UTC", "Europe/Tallinn", "Asia/Kathmandu", "America/Argentina/Ushuaia"])
    def test_a_zone_is_one_of_the_table(self, timezone: str) -> None:
        """An IANA name."""
        assert timezone == evolve(sample_reader(), timezone=timezone).zone.key


class TestLaws:
    """What holds for any part."""

    def test_parts_are_frozen_values(self) -> None:
        """All of them can be hashed, and are equal where they say the same."""
        url = "https://harbour.example"
        makes: list[Callable[[], Any]] = [
            sample_reader, lambda: Card("4242"), lambda: Money("4.0", "EUR"), lambda: Item(title="a", url=url),
            lambda: Way(title="a", url=url),
        ]  # fmt: skip
        for make in makes:
            assert make() == make()
            assert hash(make()) == hash(make())
            with pytest.raises(FrozenInstanceError):
                make().title = "b"
        assert hash(Money("4.0", "EUR")) == hash(Money("4.00", "EUR"))
        assert Money("4.0", "EUR") == Money("4.00", "EUR") != Money("4.00", "USD")

    def test_equal_sums_are_written_alike(self) -> None:
        """A database writes 4.0300000000."""
        formats = Formats(Locale("en"), sample_reader().zone)
        assert "\u20ac4.03" == formats.money(Money("4.0300000000", "EUR")) == formats.money(Money("4.03", "EUR"))
