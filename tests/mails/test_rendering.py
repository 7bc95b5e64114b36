"""What each kind of mail says, in both of its parts (C2, S7, O7); in English, by its meaning."""

import gc
import re
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from attrs import evolve

from lifecycle_mail.errors import MailRefused
from lifecycle_mail.mails.formats import locale_of
from lifecycle_mail.mails.kinds import KINDS, Family, Kind, Point
from lifecycle_mail.mails.links import PURPOSES, LinkPurpose, Links
from lifecycle_mail.mails.messages import Mail
from lifecycle_mail.mails.parts import Money
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW, bare
from lifecycle_mail.mails.specs import Goodbye, Specification
from lifecycle_mail.mails.subjects import Style
from tests.mails.reading import Page, links_of_text, plain, words
from tests.mails.rendered import EVERY, LINKS, mail, render, specifications

SPECS: Final = specifications("en")
PROGRAMME: Final = [kind for kind, row in KINDS.items() if row.family is Family.PROGRAMME]

A_LINK: Final = "https://harbour.example"

SAYS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.CANCELLATION_CONFIRMED: (
        "subscription to Harbour Pro is cancelled", "nothing left for you to do",
        "4242 will not be charged for Harbour Pro from now on", "paying back €4.03", "until March 31, 2026",
        "stays yours: .*Your logbook .*Your saved charts", "[Tt]hank you",
        "You told us why: “It does not work with my other tools”", "Tell us more", "come back",
    ),
    Kind.CANCELLATION_NOTE: (
        "You cancelled Harbour Pro on March 3, 2026", "nothing left for you to do", "[Tt]hank you", "What was missing",
        "reply to this mail", "A person reads",
    ),
    Kind.CANCELLATION_SURVEY: (
        "[Tt]hank you .*Harbour Pro", "three short questions", "why you left", "which tool you use now",
        "what we should do better", "up to three reasons", "did not bring the results", "work with my other tools",
        "is missing", "hard to use", "costs too much", "did not get the help", "test account", "organisation closed",
        "Another reason",
    ),
    Kind.CANCELLATION_REASON: (
        "subscription to Harbour Pro is cancelled", "paying back €4.03", "[Tt]hank you", "What was the main reason",
        "Choose one", "Something did not work", "is missing", "not sure how to use it", "costs too much",
        "moving to another tool", "organisation closed", "Another reason",
    ),
    Kind.TECHNICAL_FOLLOW_UP: (
        "[Tt]hank you for telling us .*Harbour Pro", "You wrote: .*The chart stays white", "when I zoom in",
        "H-2041", "reply to this mail", "will answer", "paying back €4.03", "try again",
    ),
    Kind.PLAN_ENDING: (
        "Harbour Pro is cancelled", "works as before until March 31, 2026", "will not renew",
        "Last day:? March 31, 2026", "Afterwards you keep, free of charge: .*Your logbook .*One chart at a time",
        "[Tt]hank you", "keep your subscription after all", "paying back €4.03",
    ),
    Kind.MEMBERSHIP_ENDED: (
        "membership of Harbour Club ended on March 2, 2026", "[Tt]hank you",
        "had: .*The winter meetings .*The library of charts", "by mistake, you can bring it back", "help centre",
    ),
    Kind.INACTIVITY_NOTICE: (
        "used your Harbour account for 365 days", "close it on March 17, 2026", "sign in once before", "Keep my",
        "Take my data", "Get help",
    ),
    Kind.PAYMENT_FAILED: (
        "could not charge €12.00 to your card ending in 4242", "had to cancel your subscription to Harbour Pro",
        "a card expires", "stays yours: .*Your logbook", "[Tt]hank you", "check your payment details", "Reactivate",
        "Pay by invoice",
    ),
    Kind.WE_MISS_YOU: (
        "been a while .*we noticed", "no hard feelings",
        "signed up for Harbour News on January 27, 2025 because you were interested in ice sailing",
        "through the boat show", "one story a week about sailing in cold water", "Ten quiet anchorages",
        "Where nobody else drops anchor", "Charts that work offline", "choose something else, or leave",
    ),
    Kind.VALUE_PROPOSITION: (
        "Since you signed up for Harbour News, we published 47 pieces", "for you in Tallinn", "Ten quiet anchorages",
        "Charts that work offline",
    ),
    Kind.INCENTIVE: ("20 % off your next chart", "BACK20", "Good until:? March 10, 2026", "Conditions"),
    Kind.PREFERENCE_UPDATE: (
        "Too many mails, too few", "how often", "Harbour News:? one story a week", "Sailing Tips:? a short lesson",
    ),
    Kind.SURVEY: (
        "one question", "since you read Harbour News", "Too many mails", "Not about what interests me", "no time",
        "somewhere else", "Another reason", "No answer is wrong",
    ),
    Kind.LAST_CHANCE: (
        "without hearing back", "keep getting Harbour News. .*by March 10, 2026", "Yes, keep", "No, please stop",
        "Less often, or other topics", "If we hear nothing, we stop",
    ),
    Kind.FINAL_NOTICE: (
        r"last mail from Harbour News, unless you stay. We stop on March 5, 2026, 2:05 PM GMT\+02:00",
        "nothing to do", "Keep me on the list", "subscribe again on our website",
    ),
    Kind.GOODBYE: (
        "left Harbour News on March 3, 2026", "no more mails from it", "already on its way", "orders and your account",
        "[Tt]hank you", "still on: .*Sailing Tips:? a short lesson", "tell us why in one click. You do not have to",
        "never signed up", "other topics, fewer mails or a pause", "take this back at any time", "Your preferences",
        "Harbour on your phone",
    ),
    Kind.CONFIRM_SUBSCRIPTION: (
        "On March 3, 2026 somebody entered this address for Harbour News, in the form on harbour.example",
        "one story a week", "Yes, it was me", "If it was not you, there is nothing to do", "no mail from this list",
    ),
    Kind.PREFERENCE_REQUEST: ("On March 3, 2026 you asked for the link to your preferences", "yours alone"),
    Kind.CONFIRM_RESUBSCRIPTION: (
        "opted out of our mails on December 3, 2025", "On March 3, 2026 somebody entered this address again",
        "Harbour News", "left all our mailing lists", "Harbour News alone", "Yes, I want it again", "Nothing changes",
    ),
    Kind.FRESH_LINK: (
        "On March 3, 2026 you followed a link of ours that did not work", "Here is a new one", "Leave Harbour News",
    ),
}  # fmt: skip
"""What a sample of each kind says, in this order or another."""

LEADS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.CANCELLATION_CONFIRMED: ("answer", f"{A_LINK}/start"),
    Kind.CANCELLATION_NOTE: ("answer", f"{A_LINK}/start"),
    Kind.CANCELLATION_SURVEY: ("answer",),
    Kind.CANCELLATION_REASON: ("answer", f"{A_LINK}/start"),
    Kind.TECHNICAL_FOLLOW_UP: (f"{A_LINK}/start",),
    Kind.PLAN_ENDING: (f"{A_LINK}/start",),
    Kind.MEMBERSHIP_ENDED: (f"{A_LINK}/start", f"{A_LINK}/help"),
    Kind.INACTIVITY_NOTICE: (f"{A_LINK}/sign-in", f"{A_LINK}/export", f"{A_LINK}/help"),
    Kind.PAYMENT_FAILED: (f"{A_LINK}/card", f"{A_LINK}/invoice"),
    Kind.WE_MISS_YOU: (f"{A_LINK}/new", f"{A_LINK}/anchorages", f"{A_LINK}/offline"),
    Kind.VALUE_PROPOSITION: (f"{A_LINK}/new", f"{A_LINK}/anchorages", f"{A_LINK}/offline"),
    Kind.INCENTIVE: (f"{A_LINK}/new", f"{A_LINK}/terms"),
    Kind.PREFERENCE_UPDATE: (),
    Kind.SURVEY: ("answer",),
    Kind.LAST_CHANCE: ("stay",),
    Kind.FINAL_NOTICE: ("stay", f"{A_LINK}/subscribe"),
    Kind.GOODBYE: ("answer", "preferences", f"{A_LINK}/app"),
    Kind.CONFIRM_SUBSCRIPTION: ("confirm",),
    Kind.PREFERENCE_REQUEST: ("preferences",),
    Kind.CONFIRM_RESUBSCRIPTION: ("confirm",),
    Kind.FRESH_LINK: ("unsubscribe",),
}
"""Where a sample of each kind leads, beside what stands below every mail: the path of a link of ours, or a link."""

CALLS: Final[dict[Kind, str]] = {
    Kind.WE_MISS_YOU: f"{A_LINK}/new",
    Kind.VALUE_PROPOSITION: f"{A_LINK}/new",
    Kind.INCENTIVE: f"{A_LINK}/new",
    Kind.PREFERENCE_UPDATE: "preferences",
    Kind.SURVEY: "answer",
    Kind.LAST_CHANCE: "stay",
    Kind.FINAL_NOTICE: "stay",
}
"""Where the one primary call to action of a mail of the programme leads (S7)."""


def said(made: Mail) -> tuple[str, str]:
    """Return what the plain text and the HTML of a mail say, each as one line."""
    return plain(made.text), plain(Page(made.html).shown)


def place(url: str) -> str:
    """Return the purpose of a link of ours, or the link."""
    return url.removeprefix(f"{LINKS.base_url}/").partition("/")[0] if url.startswith(LINKS.base_url) else url


def everything(made: Mail) -> str:
    """Return all that a mail says, subject and preheader included."""
    return plain(" ".join((made.subject, made.preheader, *said(made))))


def of_kind(kind: Kind, **changes: Any) -> Specification:
    """Return the sample of a kind, changed."""
    return evolve(SPECS[kind], **changes)


def read_in(spec: Specification, zone: str) -> Specification:
    """Return a specification for a reader in another zone."""
    return evolve(spec, to=evolve(spec.to, timezone=zone))


class TestWhatItSays:
    """The story of each kind."""

    @pytest.mark.parametrize("kind", Kind)
    def test_a_kind_says_what_it_is_for(self, kind: Kind) -> None:
        """Each part says all that C2, S7 and O7 ask of the kind."""
        for part in said(mail(kind)):
            assert [] == [one for one in SAYS[kind] if not re.search(one, part)]

    @pytest.mark.parametrize("kind", Kind)
    def test_a_kind_leads_where_it_says(self, kind: Kind) -> None:
        """Links of ours are of the right purpose, and those of the caller's are all there."""
        made = mail(kind)
        below = {"unsubscribe", "preferences"} if made.marketing else set()
        expected = {*LEADS[kind], *below, BRAND.privacy_url}
        assert expected == {place(url) for url in links_of_text(made)}

    @pytest.mark.parametrize("kind", Kind)
    @pytest.mark.parametrize("least", [False, True], ids=["full", "bare"])
    def test_both_parts_say_the_same(self, kind: Kind, least: bool) -> None:
        """Below the head, the HTML has the words and the links of the plain text, all of them and in their order."""
        made = render(bare(SPECS[kind])) if least else mail(kind)
        page = Page(made.html)
        head = words(BRAND.name) + words(made.subject)
        assert head + words(made.text) == words(page.shown)
        assert [url for _, url in page.links] == links_of_text(made)

    @pytest.mark.parametrize(("kind", "language"), EVERY)
    def test_both_parts_say_the_same_in_every_language(self, kind: Kind, language: str) -> None:
        """It does not hang on the language."""
        made = mail(kind, language)
        head = words(BRAND.name) + words(made.subject)
        assert head + words(made.text) == words(Page(made.html).shown)

    @pytest.mark.parametrize("kind", Kind)
    def test_what_is_left_out_leaves_no_gap(self, kind: Kind) -> None:
        """A mail that says only what it has to is whole: nothing is empty, and nothing is said of what is not there."""
        made = render(bare(SPECS[kind]))
        assert made.subject
        assert made.preheader
        assert [] == [
            one for one in Page(made.html).elements if one.tag in ("a", "p", "li", "td", "th") and not one.text
        ]
        assert not re.search(r"\bNone\b|%\(|\( ?\)| ,|:\s*$|\n\n\n", made.text)
        assert "Hello," in made.text

    def test_every_family_says_why_it_comes(self) -> None:
        """A notice is about its product, a mail of the programme about its list, and an answer about a request."""
        assert "This mail is about Harbour Pro. It reaches you whatever" in plain(mail(Kind.PLAN_ENDING).text)
        assert "because you are on the list Harbour News" in plain(mail(Kind.SURVEY).text)
        assert "because of a choice or a request" in plain(mail(Kind.GOODBYE).text)

    @pytest.mark.parametrize("kind", Kind)
    def test_the_three_things_stay_apart(self, kind: Kind) -> None:
        """A cancelled plan is no list that was left, and neither is a programme that ends (C7)."""
        text = everything(mail(kind)).lower()
        if KINDS[kind].family is Family.CANCELLATION:
            assert not re.search(r"unsubscribe|mailing list|opt(ed)? out", text)
        else:
            assert not re.search(r"cancel|subscription to", text)

    def test_a_table_has_every_kind(self) -> None:
        """No kind goes without a story."""
        assert set(Kind) == set(SAYS) == set(LEADS)
        assert set(PROGRAMME) == set(CALLS)


class TestCards:
    """A card is named by its last four digits, where there is one."""

    @pytest.mark.parametrize("kind", [Kind.CANCELLATION_CONFIRMED, Kind.PAYMENT_FAILED])
    def test_four_digits_and_no_more(self, kind: Kind) -> None:
        """No longer run of digits stands beside the word."""
        for part in said(mail(kind)):
            assert ["4242"] == re.findall(r"card ending in (\d+)", part)

    def test_who_paid_in_another_way_reads_of_no_card(self) -> None:
        """Without a card nothing is said of one (C2)."""
        assert "card" not in everything(render(of_kind(Kind.CANCELLATION_CONFIRMED, card=None)))

    def test_a_sum_is_stated_as_it_was_given(self) -> None:
        """What is paid back is not rounded."""
        made = render(of_kind(Kind.CANCELLATION_REASON, refund=Money("4.0350", "EUR")))
        assert ["We are paying back €4.035 to you"] == re.findall(r"We are paying back \S+ to you", plain(made.text))


class TestWhen:
    """Days and instants, as the reader's calendar has them (R15)."""

    @pytest.mark.parametrize(
        ("zone", "expected"),
        [
            ("UTC", "March 3, 2026, 10:30 PM GMT+00:00"),
            ("Europe/Tallinn", "March 4, 2026, 12:30 AM GMT+02:00"),
            ("America/Los_Angeles", "March 3, 2026, 2:30 PM GMT-08:00"),
            ("Pacific/Kiritimati", "March 4, 2026, 12:30 PM GMT+14:00"),
            ("Asia/Kathmandu", "March 4, 2026, 4:15 AM GMT+05:45"),
        ],
    )
    @pytest.mark.parametrize(
        "kind", [Kind.CANCELLATION_CONFIRMED, Kind.CANCELLATION_REASON, Kind.PLAN_ENDING, Kind.PAYMENT_FAILED]
    )
    def test_a_notice_says_what_was_cancelled_and_when(self, kind: Kind, zone: str, expected: str) -> None:
        """Each notice has the product, and the instant with its zone on the reader's side of midnight (R15)."""
        spec = of_kind(kind, cancelled_at=datetime(2026, 3, 3, 22, 30, tzinfo=UTC))
        made = Renderer(BRAND, links=LINKS).render(read_in(spec, zone), now=NOW + timedelta(days=1))
        rows = {name.text: plain(value.text) for name, value in rows_of(Page(made.html))}
        assert expected == rows["Cancelled on"]
        assert "Harbour Pro" in rows.values()
        assert f"Cancelled on: {expected} " in plain(made.text)

    def test_every_kind_that_confirms_a_cancellation_is_a_notice(self) -> None:
        """Whatever makes the point of the confirmation names its product and a day (C1, R15)."""
        for kind, row in KINDS.items():
            if Point.CONFIRMATION in row.points:
                spec = SPECS[kind]
                day = "March 2, 2026" if kind is Kind.MEMBERSHIP_ENDED else "March 3, 2026"
                for part in said(mail(kind)):
                    assert day in part
                    assert str(getattr(spec, "product", None)) in part

    @pytest.mark.parametrize(("zone", "expected"), [("Europe/Tallinn", "March 4, 2026"), ("UTC", "March 3, 2026")])
    def test_a_day_is_the_readers(self, zone: str, expected: str) -> None:
        """An instant that is only named by its day has the reader's too."""
        late = datetime(2026, 3, 3, 22, 30, tzinfo=UTC)
        spec = read_in(of_kind(Kind.GOODBYE, left_at=late), zone)
        made = Renderer(BRAND, links=LINKS).render(spec, now=NOW + timedelta(days=1))
        assert f"left Harbour News on {expected}." in plain(made.text)

    @pytest.mark.parametrize(
        ("zone", "until", "since"),
        [
            ("UTC", "2 days", "1 day"),
            ("Pacific/Kiritimati", "1 day", "2 days"),
            ("Europe/Tallinn", "1 day", "2 days"),
            ("Pacific/Pago_Pago", "2 days", "1 day"),
        ],
    )
    def test_days_are_counted_where_the_reader_is(self, zone: str, until: str, since: str) -> None:
        """An hour before midnight in UTC, it is tomorrow already in the east."""
        spec = of_kind(Kind.INACTIVITY_NOTICE, inactive_since=date(2026, 3, 2), closes_on=date(2026, 3, 5))
        made = Renderer(BRAND, links=LINKS).render(read_in(spec, zone), now=datetime(2026, 3, 3, 23, 0, tzinfo=UTC))
        assert f"Your Harbour account closes in {until}" == made.subject
        assert f"account for {since}." in plain(made.text)

    @pytest.mark.parametrize(("zone", "over"), [("Pacific/Kiritimati", True), ("Pacific/Pago_Pago", False)])
    @pytest.mark.parametrize(
        ("kind", "deadline", "day"),
        [
            (Kind.INACTIVITY_NOTICE, "closes_on", 4),
            (Kind.INCENTIVE, "expires_on", 4),
            (Kind.LAST_CHANCE, "deadline", 10),
        ],
    )
    def test_a_deadline_is_over_where_the_reader_is(
        self, kind: Kind, deadline: str, day: int, zone: str, over: bool
    ) -> None:
        """On its own day there is no time left, nor for an answer in the last week; what is over is not said (S8)."""
        spec = read_in(of_kind(kind, **{deadline: date(2026, 3, day)}), zone)
        if over:
            with pytest.raises(MailRefused, match=f"{kind}: {deadline} is 2026-03-{day:02}"):
                render(spec)
        else:
            assert f"March {day}, 2026" in plain(render(spec).text)

    @pytest.mark.parametrize("inactive_since", [date(2026, 3, 3), date(2026, 3, 6)])
    def test_nobody_is_told_of_no_days(self, inactive_since: date) -> None:
        """An account that was used today is not unused for a number of days, and less so for fewer than none."""
        spec = of_kind(Kind.INACTIVITY_NOTICE, inactive_since=inactive_since)
        with pytest.raises(MailRefused, match=f"inactive_since is {inactive_since}, which is not a day ago"):
            render(spec)

    def test_the_last_instant_is_exact(self) -> None:
        """Mails that stop at an instant are announced 48 hours before, and an hour late at most."""
        spec = SPECS[Kind.FINAL_NOTICE]
        renderer = Renderer(BRAND, links=LINKS)
        latest = NOW + timedelta(hours=1)
        assert renderer.render(spec, now=latest).text
        with pytest.raises(MailRefused, match="stops_at"):
            renderer.render(spec, now=latest + timedelta(seconds=1))


def rows_of(page: Page) -> Iterator[Any]:
    """Return the small table of a notice: its names and its values."""
    return zip(page.all("th", "name"), page.all("td", "value"), strict=True)


class TestCallsToAction:
    """One thing to do, and it is clear which (S7)."""

    @pytest.mark.parametrize("kind", Kind)
    @pytest.mark.parametrize("least", [False, True], ids=["full", "bare"])
    def test_there_is_one_at_most(self, kind: Kind, least: bool) -> None:
        """Each mail of the programme has exactly one primary call to action, in each part, and it is the same one."""
        made = render(bare(SPECS[kind])) if least else mail(kind)
        buttons = [one.attributes["href"] for one in Page(made.html).all("a", "act")]
        assert buttons == re.findall(r"^\* .+:\n  (\S+)$", made.text, re.MULTILINE)
        if kind in CALLS:
            assert [CALLS[kind]] == [place(url) for url in buttons]
        else:
            assert 1 >= len(buttons)

    def test_no_and_preferences_are_plain_links(self) -> None:
        """Whoever says no, or wants something else, finds that beside the call (S7)."""
        links = {one.text: one for one in Page(mail(Kind.LAST_CHANCE).html).all("a", "link")}
        assert "unsubscribe" == place(links["No, please stop"].attributes["href"])
        assert "preferences" == place(links["Less often, or other topics"].attributes["href"])

    @pytest.mark.parametrize("kind", PROGRAMME)
    def test_a_way_out_stands_below_every_mail_of_the_programme(self, kind: Kind) -> None:
        """It names the list, and the header leads to the same (O2, R8)."""
        made = mail(kind)
        links = dict(Page(made.html).links)
        assert made.unsubscribe_url == links["Leave Harbour News"]
        assert "preferences" == place(links["Choose what you get"])
        for part in said(made):
            assert "Harbour OÜ Sadama 1 10111 Tallinn Estonia" in part

    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in PROGRAMME])
    def test_a_transactional_mail_has_no_way_out(self, kind: Kind) -> None:
        """There is nothing to leave, but where leaving is what was asked for (C6)."""
        made = mail(kind)
        assert made.unsubscribe_url is None
        assert ("unsubscribe" in {place(url) for url in links_of_text(made)}) == (kind is Kind.FRESH_LINK)


class TestGoodbye:
    """The last chance for a good impression (O7)."""

    def test_who_left_everything_is_offered_nothing(self) -> None:
        """It is done, and can be taken back; nobody is asked back (R13)."""
        text = everything(render(Goodbye(to=SPECS[Kind.GOODBYE].to, left=None, left_at=NOW)))
        assert "You left all our mailing lists on March 3, 2026" in text
        assert "You have left all our mailing lists" in text
        assert "take it back in your preferences at any time" in text
        assert not re.search("still on|other topics|fewer mails|pause|phone|Harbour News", text)

    def test_who_said_why_is_not_asked_again(self) -> None:
        """Without reasons there is no question, and no link to one."""
        made = render(of_kind(Kind.GOODBYE, reasons=()))
        assert "why" not in everything(made)
        assert "answer" not in {place(url) for url in links_of_text(made)}

    def test_each_reason_is_one_click(self) -> None:
        """Every reason that can be given has a link of its own, in both parts (O7)."""
        made = mail(Kind.GOODBYE)
        urls = [url for url in links_of_text(made) if place(url) == "answer"]
        assert 6 == len(urls) == len(set(urls))


class TestSubjects:
    """The subject line of a mail of the programme, by default, by style and by key (S8)."""

    @pytest.mark.parametrize(
        ("kind", "changes", "expected"),
        [
            (Kind.LAST_CHANCE, {}, "Do you still want Harbour News?"),
            (Kind.LAST_CHANCE, {"emoji": True}, "Do you still want Harbour News?"),
            (Kind.LAST_CHANCE, {"style": Style.PERSONAL}, "Ada Lovelace, shall we keep writing?"),
            (Kind.LAST_CHANCE, {"style": "urgency"}, "Stay or go? Please tell us by March 10, 2026"),
            (Kind.LAST_CHANCE, {"style": "urgency", "emoji": True}, "⏳ Stay or go? Please tell us by March 10, 2026"),
            (Kind.LAST_CHANCE, {"subject": "last-yes-or-no"}, "Yes or no?"),
            (Kind.LAST_CHANCE, {"subject": "last-yes-or-no", "style": "urgency"}, "Yes or no?"),
            (Kind.VALUE_PROPOSITION, {"style": "value"}, "47 new things since you signed up"),
            (Kind.VALUE_PROPOSITION, {"style": "value", "published": 1}, "1 new thing since you signed up"),
            (Kind.VALUE_PROPOSITION, {"style": "value", "published": 12345}, "12,345 new things since you signed up"),
            (Kind.VALUE_PROPOSITION, {"style": "value", "published": None}, "New at Harbour since you last looked"),
            (Kind.WE_MISS_YOU, {"style": "personal", "emoji": True}, "Ada Lovelace, it has been a while"),
            (Kind.WE_MISS_YOU, {"subject": "miss-interest", "emoji": True}, "🌱 Still curious about ice sailing?"),
            (
                Kind.WE_MISS_YOU,
                {"style": "personal", "place": "Tartu", "to": "nobody"},
                "A hello to Tartu from Harbour",
            ),
            (Kind.SURVEY, {"style": "personal", "to": "nobody"}, "One question from Harbour"),
            (Kind.INCENTIVE, {"style": "value"}, "For you: 20 % off your next chart"),
            (Kind.FINAL_NOTICE, {"style": "urgency"}, "No more Harbour News after March 5, 2026"),
        ],
    )
    def test_a_line_is_chosen(self, kind: Kind, changes: dict[str, Any], expected: str) -> None:
        """A key before a style, of a style the first line that can be filled in; where none can, the default."""
        if "to" in changes:
            changes = {**changes, "to": evolve(SPECS[kind].to, name="")}
        assert expected == render(of_kind(kind, **changes)).subject

    @pytest.mark.parametrize(
        ("kind", "changes", "reason"),
        [
            (
                Kind.SURVEY,
                {"style": "urgency"},
                "survey: no subject line of it is of the style urgency: use honest, personal, value, curiosity$",
            ),
            (Kind.SURVEY, {"subject": "last-yes-or-no"}, "'last-yes-or-no' is for last-chance"),
            (
                Kind.WE_MISS_YOU,
                {"subject": "miss-hello-place"},
                "needs brand, place; here is brand, interest, list, name",
            ),
            (Kind.VALUE_PROPOSITION, {"subject": "value-count", "published": None}, "needs count"),
        ],
    )
    def test_a_line_that_cannot_be_filled_in_is_refused(self, kind: Kind, changes: dict[str, Any], reason: str) -> None:
        """What was asked for and cannot be said is no reason to say something else."""
        with pytest.raises(MailRefused, match=reason):
            render(of_kind(kind, **changes))

    def test_who_has_no_name_is_not_called_by_it(self) -> None:
        """A name that is no name, but an advertisement, is not known either."""
        reader = evolve(SPECS[Kind.SURVEY].to, name="WIN at casino.example")
        with pytest.raises(MailRefused, match="needs name"):
            render(of_kind(Kind.SURVEY, to=reader, subject="survey-name-one-thing"))


class TestHead:
    """What stands around the words."""

    @pytest.mark.parametrize(("kind", "language"), EVERY)
    def test_a_page_names_its_language_and_its_title(self, kind: Kind, language: str) -> None:
        """A screen reader speaks the right language, and the title is the subject, which is also the heading."""
        made = mail(kind, language)
        page = Page(made.html)
        assert {"lang": language, "dir": "ltr"} == page.one("html").attributes
        assert made.subject == page.one("title").text == page.one("h1").text
        assert language == made.language

    @pytest.mark.parametrize("kind", Kind)
    def test_a_preheader_is_there_and_not_seen(self, kind: Kind) -> None:
        """A mailbox shows it beside the subject, and the page hides it; it stands before all other words."""
        made = mail(kind)
        page = Page(made.html)
        before = page.one("div", "before")
        assert made.preheader == before.text
        assert "none" == before.style["display"]
        assert page.one("body").text.lstrip().startswith(made.preheader)
        assert not plain(page.shown).startswith(made.preheader)
        assert made.preheader != made.subject


class TestRepeatable:
    """The same mail is the same bytes, whoever renders it beside it."""

    @pytest.mark.parametrize("kind", Kind)
    def test_two_renderers_make_the_same_bytes(self, kind: Kind) -> None:
        """Nothing of a renderer, nor of what it rendered before, is in a mail."""
        used = Renderer(BRAND, links=LINKS)
        for language in ("et", "en"):
            used.render(specifications(language)[Kind.SURVEY], now=NOW)
        fresh = Renderer(BRAND, links=Links(LINKS.base_url, LINKS.keys))
        first, again = used.render(SPECS[kind], now=NOW), fresh.render(SPECS[kind], now=NOW)
        assert first.to_message().as_bytes() == again.to_message().as_bytes()

    def test_threads_do_not_disturb_each_other(self) -> None:
        """Eight that render at once, with a renderer that is new, make what one makes."""
        jobs = [specifications(language)[kind] for kind, language in EVERY] * 2
        shared = Renderer(BRAND, links=LINKS)
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda spec: shared.render(spec, now=NOW), jobs))
        expected = [mail(kind, language) for kind, language in EVERY] * 2
        assert [(one.subject, one.text, one.html) for one in expected] == [
            (one.subject, one.text, one.html) for one in made
        ]

    def test_a_link_maker_that_renders_does_not_disturb_either(self) -> None:
        """A rendering within another has its own limits, and gives back those of the other."""
        inner = Renderer(BRAND, links=LINKS)

        class Rendering(Links):
            def url(self, purpose: LinkPurpose | str, contact_id: str, **said: Any) -> str:
                inner.render(SPECS[Kind.CANCELLATION_SURVEY], now=NOW)
                return super().url(purpose, contact_id, **said)

        outer = Renderer(BRAND, links=Rendering(LINKS.base_url, LINKS.keys))
        assert mail(Kind.GOODBYE).html == outer.render(SPECS[Kind.GOODBYE], now=NOW).html

    def test_ever_so_many_mails_take_no_memory(self) -> None:
        """Two thousand to two thousand people are rendered one at a time, and none is kept."""
        spec = SPECS[Kind.PREFERENCE_REQUEST]
        people = (evolve(spec.to, contact_id=f"c-{number}", name=f"Reader {number}") for number in range(2_000))
        measured: list[int] = []
        tracemalloc.start()
        try:
            mails = Renderer(BRAND, links=LINKS).render_all((evolve(spec, to=one) for one in people), now=NOW)
            for number, made in enumerate(mails):
                assert f"Reader {number}," in made.text
                if number % 500 == 499:
                    gc.collect()
                    measured.append(tracemalloc.get_traced_memory()[0])
            assert 4 == len(measured)
            assert measured[-1] < measured[0] + 100_000  # a mail has about 10,000
            assert tracemalloc.get_traced_memory()[1] < measured[0] + 4_000_000
        finally:
            tracemalloc.stop()

    def test_ever_so_many_languages_do_not_either(self) -> None:
        """What is kept is kept by the languages that there are, and not by those that are asked for."""
        renderer = Renderer(BRAND, links=LINKS)
        spec = SPECS[Kind.PREFERENCE_REQUEST]
        letters = "abcdefghijklmnopqrstuvwxyz"
        tags = [f"et-{one}{other}" for one in letters for other in letters[:10]]
        tags += [f"q{one}{other}" for one in letters for other in letters[:10]]
        for tag in tags:
            renderer.render(evolve(spec, to=evolve(spec.to, locale=tag)), now=NOW)
        assert 500 <= len(tags)
        assert 4 == len(renderer._translators)
        assert 256 >= locale_of.cache_info().currsize

    def test_links_are_made_with_the_instant_that_was_given(self) -> None:
        """No clock is read: what is written a year later is signed a year later."""
        later = NOW + timedelta(days=365)
        made = Renderer(BRAND, links=LINKS).render(SPECS[Kind.PREFERENCE_REQUEST], now=later)
        (url,) = [url for url in links_of_text(made) if place(url) == PURPOSES[LinkPurpose.PREFERENCES].path]
        link = LINKS.read(url.rpartition("/")[2], purpose=LinkPurpose.PREFERENCES, now=later)
        assert (later, later) == (link.signed_at, made.at)
