"""The check of a subject line (S8, C1, C6)."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.lint.subjects import RULES, Finding, check_subject
from lifecycle_mail.mails.kinds import KINDS, Kind

WAVE = "\U0001f44b"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TRANSACTIONAL = [kind for kind, row in KINDS.items() if not row.marketing]

# What a generated subject is made of: all that some rule looks for, so that rules meet.
PIECES = st.sampled_from([
    "Hello", "WORLD", "LOUDLY", " ", "!", "!!", "?!", "Re:", "Fwd: ", WAVE, FAMILY, "\U0001f1ea\U0001f1ea",
    "\u2764\ufe0f", "last chance", "20 %", "\u20ac5", "click here", "how could you", "\u202e", "\u200d", "\x00",
    "\r\n", "{{", "%(name)s", "ä\u0301", "\ud800", "\u0915\u094d\u200d\u0937", "RFC8058",
])  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join), st.lists(PIECES, max_size=12).map(" ".join))


def rules(text: str, **options: Any) -> list[str]:
    """The rules that a subject breaks."""
    return [finding.rule for finding in check_subject(text, **options)]


def the(rule: str, text: str, **options: Any) -> Finding:
    """The finding of one rule."""
    (finding,) = (one for one in check_subject(text, **options) if one.rule == rule)
    return finding


@pytest.mark.parametrize(
    "text",
    [
        "A short hello from Harbour", "Ada, it has been a while", "Thank you!", "Is it?", "Yes?", "Oui.",
        "3 new guides", "Your final invoice", "\u00a1Hola! \u00bfQu\u00e9 tal?",
        "\u041f\u0440\u0438\u0432\u0435\u0442",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0628\u062f\u0627\u0646\u0645",
        "\u0915\u094d\u200d\u0937 \u0939\u093f\u0928\u094d\u0926\u0940", f"{WAVE} Hello again",
        f"Hello again {FAMILY}", "Hello again \u2764\ufe0f", "Regarding: your plan", "Results: see them",
        "Re-opening on Monday", "TV and NASA news", "x" * 60,
    ],
)  # fmt: skip
def test_a_good_subject_gives_no_finding(text: str) -> None:
    """What people write to each other is left in peace."""
    assert () == check_subject(text)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("empty", ""),
        ("empty", " \u00a0\t"),
        ("empty", "\u200b\u2800\u3164"),
        ("too-long", "x" * 61),
        ("too-long", "x" * 999),
        ("too-short", "Hey"),
        ("too-short", "  Hey  "),
        ("too-short", WAVE),
        ("too-short", "?????"),
        ("shouting", "READ THIS"),
        ("shouting", "READ This"),
        ("shouting", "RFC8058 IS FOR YOU"),
        ("shouting", "Please READTHIS now"),
        ("shouting", "Please read ÄÖÜÕŠ now"),
        ("punctuation", "Hello!!"),
        ("punctuation", "Hello?!"),
        ("punctuation", "Hello??"),
        ("punctuation", "Hello! Hello!"),
        ("punctuation", "Hello\u203c"),
        ("punctuation", "Hello\uff01\uff01"),
        ("fake-reply", "Re: your order"),
        ("fake-reply", "RE : your order"),
        ("fake-reply", "re[2]: your order"),
        ("fake-reply", "Fw: your order"),
        ("fake-reply", "FWD:your order"),
        ("fake-reply", "AW: your order"),
        ("fake-reply", "TR: your order"),
        ("fake-reply", "RV: your order"),
        ("fake-reply", "Res: your order"),
        ("fake-reply", "Enc: your order"),
        ("fake-reply", "VS: your order"),
        ("fake-reply", "Antw: your order"),
        ("fake-reply", f"{WAVE} Re: your order"),
        ("fake-reply", "  [Re: your order]"),
        ("emoji", f"{WAVE} Hello {WAVE}"),
        ("emoji", f"{WAVE}{WAVE} Hello"),
        ("emoji", f"Hello {WAVE} there"),
        ("emoji", f"Hello {WAVE}."),
        ("urgency", "Last chance to stay"),
        ("urgency", "Offer expires"),
        ("urgency", "Today only, for you"),
        ("spam-words", "Click here for news"),
        ("spam-words", "It is 100% free"),
        ("spam-words", "You are a winner"),
        ("spam-words", "Risk-free for you"),
        ("guilt", "We are heartbroken"),
        ("guilt", "Don\u2019t leave us"),
        ("guilt", "How could you"),
        ("guilt", "You will regret it"),
        ("hidden-characters", "Hello\u202e there"),
        ("hidden-characters", "Hel\u200blo there"),
        ("hidden-characters", "Hel\u200dlo there"),
        ("hidden-characters", "Hello\x00 there"),
        ("hidden-characters", "Hello\r\nBcc: someone"),
        ("hidden-characters", "Hello\u2028 there"),
        ("hidden-characters", "Hello\t there"),
        ("hidden-characters", "Hello \u3164 there"),
        ("placeholder", "Hello %(name)s"),
        ("placeholder", "Hello {{ name }}"),
        ("placeholder", "Hello {% if name %}"),
        ("placeholder", "Hello *|FNAME|*"),
        ("placeholder", "Hello [[name]]"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_found(rule: str, text: str) -> None:
    """Each rule is broken by what it is about, in one finding with a reason and a fix."""
    finding = the(rule, text)
    assert finding.message
    assert finding.fix


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("empty", "."),
        ("too-long", "x" * 60),
        ("too-long", f"{FAMILY} {'x' * 58}"),
        ("too-short", "Four"),
        ("too-short", f"{WAVE} Hi"),
        ("shouting", "NASA"),
        ("shouting", "READ this"),
        ("shouting", "USA, GB, EU"),
        ("shouting", "All of RFC8058 and COVID-19"),
        ("shouting", "Read UNIX by heart"),
        ("shouting", "\u0391\u0392 \u0433\u0434 \u4f60\u597d"),
        ("punctuation", "Hello! Is it you?"),
        ("punctuation", "Really? Yes? Well..."),
        ("fake-reply", "Rest: an idea"),
        ("fake-reply", "Your order, re: delivery"),
        ("fake-reply", "Re your order"),
        ("fake-reply", "Are: a unit"),
        ("emoji", f"  {WAVE} Hello  "),
        ("emoji", f"Hello {FAMILY}"),
        ("emoji", "\u00a9 Harbour \u2122 2026"),
        ("urgency", "The final of the cup"),
        ("urgency", "What lasts"),
        ("spam-words", "Feel free to write"),
        ("spam-words", "Here and there"),
        ("guilt", "Sorry to see you go"),
        ("guilt", "Sorry that we disappointed you"),
        ("hidden-characters", f"{FAMILY} Hello"),
        ("hidden-characters", "Hello\u00a0there"),
        ("hidden-characters", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f Hello"),
        ("hidden-characters", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("placeholder", "100 % (of it) [and] {more} * | *"),
    ],
)  # fmt: skip
def test_what_comes_near_is_let_through(rule: str, text: str) -> None:
    """Each rule lets through what only resembles what it is about."""
    assert rule not in rules(text)


@pytest.mark.parametrize(
    ("locale", "urgent", "spam", "guilty"),
    [
        ("en-GB", "Act now", "Click here", "We are disappointed"),
        ("es", "Última oportunidad", "Haz clic aquí", "No nos dejes"),
        ("pt-BR", "ultima chance", "Clique aqui", "Você nos esqueceu"),
        ("ms", "Peluang terakhir", "Klik di sini", "Jangan tinggalkan kami"),
        ("et", "Viimane võimalus", "Kliki siia", "Ära jäta meid"),
    ],
)
def test_words_are_judged_in_their_language(locale: str, urgent: str, spam: str, guilty: str) -> None:
    """Each language that ships has its own words, and another language is not judged by them (C5)."""
    for rule, text in (("urgency", urgent), ("spam-words", spam), ("guilt", guilty)):
        assert rule in rules(text, locale=locale)
        assert rule not in rules(text, locale="fi")
        assert repr(text) in the(rule, text, locale=locale).message


def test_a_deadline_may_be_urgent() -> None:
    """With a real deadline a mail may say that time is short (S8)."""
    assert ["urgency"] == rules("Last chance: 31 March")
    assert [] == rules("Last chance: 31 March", deadline=True)


@pytest.mark.parametrize("kind", TRANSACTIONAL)
def test_a_transactional_mail_promotes_nothing(kind: Kind) -> None:
    """Prices, price cuts and emoji are for mails of a list (C6)."""
    for text in ("20 % off if you stay", "It is \u20ac5 now", "Un cupón para ti", "Half price"):
        assert ["promotion"] == rules(text, kind=kind)
    assert ["emoji"] == rules(f"{WAVE} You have cancelled", kind=kind)
    assert [] == rules("You have cancelled Harbour", kind=kind)
    assert [] == rules("100 % of your data is kept", kind=kind)


@pytest.mark.parametrize("kind", [None, Kind.INCENTIVE])
def test_a_marketing_mail_may_promote(kind: Kind | None) -> None:
    """What a list sends may name a price and bear an emoji, and so may what is not known to be transactional."""
    assert [] == rules(f"{WAVE} 20 % off for you", kind=kind)


def test_how_long_is_an_argument() -> None:
    """The limit is the caller's, an emoji counts as one, and white space around the text as none."""
    assert ["too-long"] == rules("Hello Ada", most=8)
    assert [] == rules("Hello Ada", most=9)
    assert [] == rules(f" Hello {FAMILY} ", most=7)
    assert "'Hello Ad'" in the("too-long", "Hello Ada", most=8).message


def test_a_header_line_bounds_what_is_read() -> None:
    """What stands behind the first 998 characters is not read, and the length is found (R5)."""
    text = "x" * 998 + " click here"
    assert ["too-long"] == rules(text)
    assert "1,009 characters" in the("too-long", text).message
    assert ["too-long", "spam-words"] == rules("click here " + "x" * 1000)


def test_a_finding_names_all_that_breaks_its_rule() -> None:
    """Several words are one finding, each quoted once, five at most."""
    finding = the("spam-words", "click here, winner, winner, no risk")
    assert finding.message.startswith("'click here', 'winner', 'no risk': ")
    many = the("spam-words", "click here winner cash guarantee lottery miracle")
    assert "'lottery'" in many.message
    assert "miracle" not in many.message
    assert "U+0000" in the("hidden-characters", "Hello\x00").message
    assert "RIGHT-TO-LEFT OVERRIDE" in the("hidden-characters", "Hello\u202e").message


def test_findings_come_in_the_order_of_the_rules() -> None:
    """A subject that breaks nearly all rules is told so in the order of the table."""
    text = f"RE: {WAVE} LAST CHANCE!! 20 % OFF, CLICK HERE, HOW COULD YOU, %(name)s\x00 AND MORE OF IT"
    found = rules(text, kind=Kind.PAYMENT_FAILED)
    assert [rule for rule in RULES if rule not in ("empty", "too-short")] == found


@given(
    TEXTS, st.sampled_from([None, *Kind]), st.sampled_from(["en", "es", "pt-BR", "ms", "et", "fi", ""]), st.booleans()
)
def test_every_finding_says_what_and_what_to_do(text: str, kind: Kind | None, locale: str, deadline: bool) -> None:
    """Nothing raises; rules are known ones, in order, each once; message and fix are said, in characters that show."""
    findings = check_subject(text, kind=kind, locale=locale, deadline=deadline)
    order = list(RULES)
    places = [order.index(finding.rule) for finding in findings]
    assert sorted(set(places)) == places
    for finding in findings:
        assert finding.message.isprintable()
        assert len(finding.message) < 700
        assert finding.fix


@given(TEXTS)
def test_white_space_around_makes_no_difference(text: str) -> None:
    """A subject is judged by what is seen of it: spaces around it change nothing."""
    if len(text) < 900:
        assert [one.rule for one in check_subject(text)] == [one.rule for one in check_subject(f"  {text} ")]


@pytest.mark.parametrize(
    "piece",
    ["x", "!?", f"{WAVE}\u200d", "\u0301\u0323", "Re", "\U0001f1ea", "last ", "%(", "\u200d", " ", "1\ufe0f", "[Re"],
)
def test_takes_linear_time(piece: str) -> None:
    """A hundred thousand characters are judged at once, whatever they are."""
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    check_subject(text, kind=Kind.GOODBYE)
    assert time.perf_counter() - begun < 1
