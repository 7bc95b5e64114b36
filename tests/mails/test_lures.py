"""What strangers write into forms for others to read (F55)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.mails.lures import greeting_of, has_lure
from lifecycle_mail.model.unseen import JOINERS

UNSEEN = [*JOINERS, "\u034f", "\ufe0f", "\U000e0100"]
HOSTS = ["evil.com", "T.Me", "www.evil", "https://evil", "ada@evil", "x.io", "A.Evil.Shop", "0900 123 456", "50% off"]


class TestGreetings:
    """Names that a greeting uses."""

    @pytest.mark.parametrize(
        "name",
        [
            "T.Me", "J.Co", "B.Ly", "G.Co", "J.Li", "X.Com", "X.COM", "T.Me.", "T.Me,", "(T.Me)", "J.R.Co", "A.B.Shop",
            "X.Shop", "X.ONLINE", "A.Link", "T.Co'x", "T.Co\u2019x", "T.Me-x", "X.Shop-Ada", "Ada T.Me", "M.Sc.Com",
            "\u042f.\u0420\u0444", "\u042f.\u041e\u043d\u043b\u0430\u0439\u043d", "\uff34.\uff2d\uff45",
        ],
    )  # fmt: skip
    def test_a_domain_is_not_taken_for_initials(self, name: str) -> None:
        """A surname of two or three letters, or an ending of domains: a greeting without a name is no harm."""
        assert "" == greeting_of(name)

    @pytest.mark.parametrize(
        "name",
        [
            "J.R.R.Tolkien", "A.Einstein", "J.TOLKIEN", "J.Smith-Li", "J.Bond", "J.O'Brien", "J.R.O\u2019Brien",
            "Ada, M.Sc.", "Ada B.Eng, M.Phil.", "A.B.", "A.B", "Ada. Li", "J. Li",
        ],
    )  # fmt: skip
    def test_initials_and_degrees_are_greeted_with(self, name: str) -> None:
        """Before a surname of four letters; a space makes a name of any."""
        assert name == greeting_of(name)

    @pytest.mark.parametrize(
        "name",
        [
            "ann[.]com", "Ann [.] com", "ann(.)com", "ann{.}com", "ann<.>com", "ann\u3010.\u3011com", "ann[dot]com",
            "Ann [DOT] Com", "ann(dot)com", "ann (dot) com", "Ann{dot}com", "ann\uff3b\uff0e\uff3dcom",
            "ann[\u3002]com", "ann[.\u200d]com", "t[.]me", "bit [ . ] ly", "ann[at]evil", "Ann (at) evil",
            "ann [@] evil",
        ],
    )  # fmt: skip
    def test_a_dot_in_brackets_is_a_dot(self, name: str) -> None:
        """Who writes a host so that no machine finds it has people in mind who do."""
        assert "" == greeting_of(name)

    @pytest.mark.parametrize(
        "name", ["Dorothy (Dot) Smith", "Ann [Bo] Li", "Ann (Bo) Li", "Ann (At\u0131l) Li", "Ann (Nat) Li", "Ann (.)"]
    )
    def test_a_nickname_in_brackets_is_none(self, name: str) -> None:
        """A Dorothy is called Dot."""
        assert name == greeting_of(name)

    @pytest.mark.parametrize(
        "name",
        [
            "{{first_name}}", "{{ contact.name }}", "*|FNAME|*", "%FIRSTNAME%", "${name}", "<name>", "null", "None",
            "NULL", "undefined", "N/A", "(unknown)", "[Name]", "First Name", "-", "...", "\u2014", " - ", "?",
        ],
    )  # fmt: skip
    def test_what_a_program_left_is_no_name(self, name: str) -> None:
        """A merge tag that nobody filled in, a null, a dash: nobody is called so."""
        assert "" == greeting_of(name)

    @pytest.mark.parametrize("name", ["Nan", "Na", "Nil", "Nullarbor", "Noname Smith", "Li", "\u674e", "\U0001f680"])
    def test_what_only_looks_like_a_null_is_a_name(self, name: str) -> None:
        """People are called Nan, and Nil, and as they like."""
        assert name == greeting_of(name)

    @pytest.mark.parametrize("unseen", UNSEEN)
    @pytest.mark.parametrize("lure", HOSTS)
    def test_nothing_unseen_hides_a_lure(self, lure: str, unseen: str) -> None:
        """Before, behind and between any two characters of it."""
        for place in range(len(lure) + 1):
            assert "" == greeting_of(lure[:place] + unseen + lure[place:])

    def test_what_is_not_seen_stays_in_a_name(self) -> None:
        """Persian needs it, and pictures do."""
        for name in ("\u0645\u06cc\u200c\u0631", "\u845b\U000e0100\u57ce", "\U0001f469\u200d\U0001f680"):
            assert name == greeting_of(name)


class TestWords:
    """Texts that are not greeted with, but said."""

    @pytest.mark.parametrize(
        "text",
        [
            "https://evil", "HTTP://evil", "tg://x", "www.evil.com", "Www.evil", "www\u3002evil", "ada@evil",
            "ada\uff20evil", "\uff57\uff57\uff57\uff0eevil", "call 0900 1234",
            "\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "ht\u200dtps:\u200d/\u200c/evil",
            "www[.]evil.com", "ada[at]evil.com", "ada [at] evil [dot] com",
            "ww\u200dw.evil", "ww\ufe0fw.evil", "09\u200c00\u200c12\u200c34",
        ],
    )  # fmt: skip
    def test_a_lure_is_found(self, text: str) -> None:
        """A link, an address, a number to call, in any script, whatever hides it."""
        assert has_lure(text)
        assert has_lure(f"ice sailing {text} now")

    @pytest.mark.parametrize(
        "text",
        [
            "", "ice sailing", "the form on harbour.example/offers", "Node.js", "St. Ives", "T.Me", "the fair of 2026",
            "1 2 3 4 5 6", "www", "a: //", "days [at sea]", "(at home)", "\u0645\u06cc\u200c\u0631",
        ],
    )  # fmt: skip
    def test_words_are_none(self, text: str) -> None:
        """A page of the sender's own, a technology, a year."""
        assert not has_lure(text)

    @given(st.text(max_size=30), st.sampled_from(["://", "www.", "@", "1234567"]), st.text(max_size=30))
    def test_a_lure_is_found_wherever_it_stands(self, before: str, lure: str, behind: str) -> None:
        """Whatever is around it."""
        assert has_lure(before + lure + behind)
