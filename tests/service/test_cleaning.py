"""Screening bare addresses: verdicts are what a reading of the log says, a chunk at a time (F61, O2, O5)."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest
from attrs import define
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, RegistryUnavailable, UnknownName
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.model.addresses import EmailAddress, MatchKey, MatchRules, parse_address
from lifecycle_mail.model.consent import Person
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import AddressChanged, Entry, Subject, Suppression, SuppressionKind
from lifecycle_mail.model.intake import Held, Known, Left, Who
from lifecycle_mail.model.lists import Channel, MailingList, Scope, ScopeKind
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor, Through
from lifecycle_mail.policy.eligibility import GATES
from lifecycle_mail.ports import Marks
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.cleaning import INVALID, Verdict
from lifecycle_mail.testing import lifecycle, said
from lifecycle_mail.testing.stores import PEPPERS
from tests.service.worlds import (
    DAY,
    HOUR,
    NEWS,
    NOW,
    OFFERS,
    PROOF,
    address,
    entries,
    needs_confirmation,
    shelf,
    world,
)
from tests.strategies import CONTACTS, KEYS, MOMENTS, logs

ALL, EMAIL, SMS = Scope.all(), Scope.channel(Channel.EMAIL), Scope.channel(Channel.SMS)


def held(mail: Lifecycle, *texts: str, to: MailingList | str | None = None, **options: Any) -> list[str]:
    """Return what is held against each of these."""
    return [one.held for one in mail.screen_addresses(texts, to=to, now=NOW + HOUR, **options)]


# --- what is held ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "to", "why"),
    [
        (ALL, None, "out-of-all"),
        (ALL, "news", "out-of-all"),
        (EMAIL, None, "out-of-channel"),
        (EMAIL, "offers", "out-of-channel"),
        (SMS, None, ""),
        (SMS, "offers", ""),
        (Scope.list("offers"), "offers", "out-of-list"),
        (Scope.list("offers"), "news", ""),
        (Scope.list("offers"), None, ""),
    ],
)
def test_a_no_holds_what_it_covers(scope: Scope, to: str | None, why: str) -> None:
    """Without a list marketing as such is asked about: a no to one list says nothing of that (O2)."""
    mail = world("ada")
    mail.opt_out("ada", scope=scope, now=NOW)
    mail.opt_out("stranger@example.com", scope=scope, now=NOW)
    assert [why, why, ""] == held(mail, address("ada"), "stranger@example.com", "new@example.com", to=to)


def test_a_list_of_another_channel_is_asked_about_in_its_channel() -> None:
    """A no to e-mail does not hold an SMS list, and the other way round (O2)."""
    texts = MailingList("texts", channel=Channel.SMS)
    mail = world("ada", "bob")
    mail.opt_out("ada", scope=EMAIL, now=NOW)
    mail.opt_out("bob", scope=SMS, now=NOW)
    assert ["", "out-of-channel"] == held(mail, address("ada"), address("bob"), to=texts)
    assert ["out-of-channel", ""] == held(mail, address("ada"), address("bob"), to=OFFERS)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("bounce", "bounced"),
        ("complaint", "complained"),
        ("sunset", "sunset"),
        ("archive", "archived"),
        ("pause", "paused"),
        ("erasure", "erased"),
    ],
)
def test_a_suppression_holds(kind: str, why: str) -> None:
    """Each kind gives the reason of its gate, in the words of the gate."""
    mail = world("ada")
    until = NOW + DAY if kind == "pause" else None
    mail.suppress("ada", kind, provenance=said(), now=NOW, until=until)
    (verdict,) = mail.screen_addresses([address("ada")], now=NOW + HOUR)
    because = next(gate.because for gate in GATES if gate.withheld == why)
    assert Verdict(address("ada"), why, because) == verdict
    (later,) = mail.screen_addresses([address("ada")], now=NOW + 2 * DAY)
    assert ("" if kind == "pause" else why) == later.held


def test_the_first_gate_that_holds_is_the_reason() -> None:
    """As in a plan: what is true of the address, then what the person said, then what we decided."""
    mail = world("ada")
    steps: list[tuple[Any, str]] = [
        ("sunset", "sunset"), ("archive", "archived"), (Scope.list("offers"), "out-of-list"), (EMAIL, "out-of-channel"),
        (ALL, "out-of-all"), ("complaint", "complained"), ("bounce", "bounced"), ("erasure", "erased"),
    ]  # fmt: skip
    for what, why in steps:
        if isinstance(what, Scope):
            mail.opt_out("ada", scope=what, now=NOW)
        else:
            mail.suppress("ada", what, provenance=said(), now=NOW)
        assert [why] == held(mail, address("ada"), to=OFFERS)


def test_who_came_back_is_clear_for_that_list_alone() -> None:
    """Only the log tells that, and it is read for them (O4)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW))
    mail.confirm(asked.token, now=NOW)
    assert [""] == held(mail, address("ada"), to=OFFERS)
    assert ["out-of-all"] == held(mail, address("ada"), to=NEWS)
    assert ["out-of-all"] == held(mail, address("ada"))


def test_a_pause_of_nobody_we_know_holds() -> None:
    """Only the log tells when it ends, though it names an address alone (P3)."""
    mail = world()
    pause = Suppression(
        subject=Subject(key=parse_address(address("ada")).match_key()),
        kind=SuppressionKind.PAUSE,
        event_id="p1",
        provenance=said(),
        until=NOW + DAY,
    )
    mail.store.append([pause], at=NOW)
    assert ["paused"] == held(mail, address("ada"))
    assert [""] == [one.held for one in mail.screen_addresses([address("ada")], now=NOW + DAY)]


def test_who_came_back_after_a_no_that_names_their_address_alone_is_clear() -> None:
    """It was said before anybody here knew whose the address is; the person overrode it since (O4)."""
    mail = world()
    mail.opt_out(address("ada"), scope=ALL, now=NOW)
    asked = needs_confirmation(mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW))
    assert ["out-of-all"] == held(mail, address("ada"), to=OFFERS)
    mail.confirm(asked.token, now=NOW)
    assert [""] == held(mail, address("ada"), to=OFFERS)


def test_an_address_is_held_where_anybodys_reading_holds() -> None:
    """Of two who share it one came back: the other still said no."""
    mail = world()
    for name in ("dan", "eve"):
        mail.receive([Known(who=Who(name, parse_address("home@example.com")))], now=NOW)
    mail.opt_out("dan", scope=Scope.list("offers"), now=NOW)
    asked = needs_confirmation(mail.subscribe("dan", OFFERS, proof=PROOF, now=NOW))
    mail.confirm(asked.token, now=NOW)
    assert ["out-of-list"] == held(mail, "home@example.com", to=OFFERS)


def test_a_no_follows_to_and_stays_on_a_former_address() -> None:
    """Whoever moved is out at both addresses; whoever has the old one now is out, too."""
    mail = world("ada", "bob")
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.change_address("ada", "new@example.com", by=Actor.CONTACT, now=NOW)
    assert ["out-of-all", "out-of-all", ""] == held(mail, address("ada"), "new@example.com", address("bob"))


def test_spellings_are_folded_as_everywhere() -> None:
    """Case always; plus tags and dots where the rules say so (F61)."""
    for rules, expected in (
        (MatchRules(), ["out-of-all", "", ""]),
        (MatchRules(plus_tags=True, gmail_dots=True), ["out-of-all"] * 3),
    ):
        mail = world(match=rules)
        mail.opt_out("ada@gmail.com", scope=ALL, now=NOW)
        assert expected == held(mail, "Ada@GMAIL.com", "ada+x@gmail.com", "a.d.a@gmail.com")


def test_who_was_erased_is_held() -> None:
    """The hash that stays is recognised, and the address is written nowhere (O5, F62)."""
    mail = world("ada", peppers=PEPPERS)
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.erase("ada", by=Actor.CONTACT, now=NOW)
    position = mail.store.position()
    assert ["erased", "erased"] == held(mail, address("ada"), "ADA@example.com")
    assert position == mail.store.position()


@pytest.mark.parametrize("text", ["", "nobody", "a b@example.com", "ann@shop.test", "x" * 300, "ann@exam\u200bple.com"])
def test_what_is_no_address_is_invalid(text: str) -> None:
    """With the reason that parsing gives; the others are screened all the same."""
    mail = world()
    found = list(mail.screen_addresses([text, "ann@example.com"], now=NOW))
    assert (text, False, INVALID, True) == (found[0].text, found[0].address_ok, found[0].held, bool(found[0].reason))
    assert Verdict("ann@example.com") == found[1]


def test_an_address_beyond_ascii_is_screened() -> None:
    """However it is composed (R20)."""
    mail = world()
    mail.opt_out("jos\u00e9@b\u00fccher.example", scope=ALL, now=NOW)
    assert ["out-of-all", "out-of-all"] == held(
        mail, "jose\u0301@B\u00dcCHER.example", "Jos\u00e9@xn--bcher-kva.example"
    )


# --- a million of them -----------------------------------------------------------------------------------------------


class Counting(MemoryStore):
    """A store that counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.most = 0

    def marks(self, keys: Collection[MatchKey]) -> Mapping[MatchKey, Marks]:
        """Count it, and how many are asked about at once."""
        self.asked.append("marks")
        self.most = max(self.most, len(keys))
        return super().marks(keys)

    def about(
        self, whom: Mapping[ContactId, Collection[MatchKey]], *, until: int | None = None
    ) -> Mapping[ContactId, list[Entry]]:
        """Count it."""
        self.asked.append("about")
        return {one: list(entries) for one, entries in super().about(whom, until=until).items()}

    def find(self, identity: str) -> list[ContactId]:
        """Count it."""
        self.asked.append("find")
        return list(super().find(identity))


def test_a_chunk_asks_once() -> None:
    """For addresses that add up, the store is asked once a chunk, and nobody is looked up; order and number stay."""
    store = Counting()
    mail = lifecycle(OFFERS, NEWS, store=store)
    for name in ("ada", "bob"):
        mail.subscribe(address(name), OFFERS, proof=PROOF, now=NOW, contact_id=name)
        mail.opt_out(name, scope=ALL, now=NOW)
    store.asked.clear()
    texts = [address(name) for name in ("ada", "new", "ada", "bob", "other", "new", "x")]
    found = list(mail.screen_addresses(texts, now=NOW, chunk=3))
    assert texts == [one.text for one in found]
    assert ["out-of-all", "", "out-of-all", "out-of-all", "", "", ""] == [one.held for one in found]
    assert (["marks"] * 3, 3) == (store.asked, store.most)


def test_what_is_no_address_is_asked_of_no_store() -> None:
    """It is told from the text alone."""
    store = Counting()
    mail = lifecycle(OFFERS, store=store)
    assert [INVALID, "", INVALID] == held(mail, "nobody", address("ada"), "@")
    assert (["marks"], 1) == (store.asked, store.most)


def test_only_what_does_not_add_up_is_read() -> None:
    """Two reads of the log for a chunk in which somebody came back, however large it is."""
    store = Counting()
    mail = lifecycle(OFFERS, NEWS, store=store)
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW))
    mail.confirm(asked.token, now=NOW)
    store.asked.clear()
    texts = [address("ada"), *(address(f"p{place}") for place in range(99))]
    assert [""] * 100 == held(mail, *texts, to=OFFERS)
    assert ["marks", "about", "find", "about"] == store.asked


@define
class Question:
    """Marks that a store was asked for ahead."""

    store: MemoryStore
    keys: Collection[MatchKey]
    tells: bool
    state: str = "open"

    def answer(self) -> Mapping[MatchKey, Marks] | None:
        """Tell them, or not."""
        self.state = "answered"
        return self.store.marks(self.keys) if self.tells else None

    def close(self) -> None:
        """Note that nobody waits."""
        self.state = "closed"


class Working(MemoryStore):
    """A store that says that it works ahead, for every chunk or for some."""

    def __init__(self, tells: str) -> None:
        super().__init__()
        self.tells = tells
        self.questions: list[Question] = []

    def ask_marks(self, keys: Collection[MatchKey]) -> Question | None:
        """Take up a question, where the letter says so: a to answer it, n to have no answer."""
        letter = self.tells[len(self.questions) % len(self.tells)]
        self.questions.append(Question(self, keys, letter == "a"))
        return None if letter == "-" else self.questions[-1]


@pytest.mark.parametrize("tells", ["a", "n", "an-", "-a", "a-n", "aan--n"])
@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 9])
def test_a_store_may_work_ahead(tells: str, chunk: int) -> None:
    """Whatever it answers and leaves open, each address has its verdict once, in order, one chunk being worked on."""
    store = Working(tells)
    mail = lifecycle(OFFERS, NEWS, store=store)
    texts = [address(f"p{place}") if place % 3 else "nobody" for place in range(7)]
    for text in texts[1::3]:
        mail.opt_out(text, scope=ALL, now=NOW)
    found = mail.screen_addresses(texts, now=NOW, chunk=chunk)
    verdicts = [next(found)]
    assert sum(one.state == "open" for one in store.questions if one.tells) <= 1
    verdicts += found
    assert texts == [one.text for one in verdicts]
    assert [INVALID, "out-of-all", ""] * 2 + [INVALID] == [one.held for one in verdicts]
    assert {"answered"} >= {one.state for one in store.questions if one.tells}


def test_what_nobody_waits_for_is_given_up() -> None:
    """A screening that is left closes the question that is open, and so does one that fails."""
    for leave in (True, False):
        store = Working("a")
        mail = lifecycle(OFFERS, store=store)
        found = mail.screen_addresses([address(f"p{place}") for place in range(4)], now=NOW, chunk=2)
        if leave:
            next(found)
            found.close()  # type: ignore[attr-defined]
        else:
            store.fail("marks", RegistryUnavailable("gone"))
            with pytest.raises(RegistryUnavailable):
                next(found)
        assert ["answered", "closed"] == [one.state for one in store.questions]


def test_it_is_a_stream() -> None:
    """What was not asked for yet is not read, but for the chunk that a server is asked about meanwhile."""
    taken: list[int] = []

    def endless() -> Iterator[str]:
        place = 0
        while True:
            taken.append(place)
            yield address(f"p{place}")
            place += 1

    found = world().screen_addresses(endless(), now=NOW, chunk=10)
    assert [] == taken
    assert [address(f"p{place}") for place in range(11)] == [next(found).text for _ in range(11)]
    assert len(taken) in (20, 30)
    found.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("tells", ["-", "a"])
def test_what_came_before_an_error_of_the_source_is_told(tells: str) -> None:
    """A file that breaks off: each chunk that it gave has its verdicts, then comes the error."""
    given: list[Any] = [address(f"p{place}") for place in range(4)]

    def breaks() -> Iterator[str]:
        yield from given
        raise OSError("gone")

    told: list[Verdict] = []
    with pytest.raises(OSError, match="gone"):
        told.extend(world(store=Working(tells)).screen_addresses(breaks(), now=NOW, chunk=2))
    assert given == [one.text for one in told]
    told.clear()
    given.append(5)
    with pytest.raises((TypeError, OSError)):
        told.extend(world(store=Working(tells)).screen_addresses(breaks(), now=NOW, chunk=2))
    with pytest.raises(TypeError):
        told.extend(world(store=Working(tells)).screen_addresses(given, now=NOW, chunk=2))
    assert given[:4] * 2 == [one.text for one in told]


def test_what_cannot_be_asked_is_refused_at_once() -> None:
    """An unknown list, a naive instant or an empty chunk is an error before the first address."""
    mail = world()
    with pytest.raises(UnknownName, match="offers"):
        mail.screen_addresses([], to="ofers", now=NOW)
    with pytest.raises(InvalidInput, match="time zone"):
        mail.screen_addresses([], now=NOW.replace(tzinfo=None))
    with pytest.raises(InvalidInput, match="chunk"):
        mail.screen_addresses([], now=NOW, chunk=0)


def test_it_fails_closed() -> None:
    """Where the log cannot be read there is no verdict (F12)."""
    mail = world("ada")
    shelf(mail).fail("marks", RegistryUnavailable("gone"))
    with pytest.raises(RegistryUnavailable):
        list(mail.screen_addresses([address("ada")], now=NOW))


def test_nothing_is_written_and_nobody_is_made() -> None:
    """A list that was bought leaves no trace."""
    mail = world("ada")
    before = (mail.store.position(), mail.store.count())
    list(mail.screen_addresses([address("ada"), "bought@example.com"], now=NOW, to=OFFERS))
    assert before == (mail.store.position(), mail.store.count())


# --- any log ---------------------------------------------------------------------------------------------------------


def naive(entries: list[Entry], contacts: Mapping[ContactId, MatchKey], key: MatchKey, to: str | None, now: Any) -> str:
    """Read an address as everybody whom it names, one by one, over the whole log."""
    ids = {one.subject.contact_id for one in entries if one.subject.key == key} - {None}
    ids |= {one for one, theirs in contacts.items() if theirs == key}
    found: list[str] = []
    for one in ids or {ContactId("nobody at all")}:
        person = Person.read(entries, ContactId(one or ""), key)
        noes = person.opt_outs_of(to) if to else list(person.opt_outs.values())
        names = {ScopeKind.ALL: "out-of-all", ScopeKind.CHANNEL: "out-of-channel", ScopeKind.LIST: "out-of-list"}
        found += [names[no.scope.kind] for no in noes if to or no.scope in (ALL, EMAIL)]
        kinds = {
            SuppressionKind.ERASURE: "erased", SuppressionKind.BOUNCE: "bounced",
            SuppressionKind.COMPLAINT: "complained", SuppressionKind.PAUSE: "paused",
            SuppressionKind.ARCHIVE: "archived", SuppressionKind.SUNSET: "sunset",
        }  # fmt: skip
        found += [kinds[kind] for kind in person.held_by(now=now)]
    order = [str(gate.withheld) for gate in GATES]
    return min(found, key=order.index, default="")


@settings(max_examples=150, deadline=None)
@given(
    logs(),
    st.dictionaries(st.sampled_from(CONTACTS), st.sampled_from(KEYS)),
    st.sampled_from((None, "news", "offers")),
    st.sampled_from(MOMENTS),
)
def test_verdicts_are_what_a_naive_reading_says(
    log: list[Entry], contacts: dict[ContactId, MatchKey], to: str | None, now: Any
) -> None:
    """On any log, for everybody who has or had an address, whatever the store keeps beside the log (O2, O4)."""
    mail = lifecycle(MailingList("news"), MailingList("offers"))
    contacts = {one: key for one, key in contacts.items() if is_in_log(log, one, key)}
    written = [record.entry for record in mail.store.append(log, at=now)]
    mail.store.put([Contact(id=one, address=address_in(key)) for one, key in contacts.items()])
    texts = [str(address_in(key)) for key in KEYS]
    found = [one.held for one in mail.screen_addresses(texts, to=to, now=now)]
    assert [naive(written, contacts, key, to, now) for key in KEYS] == found


def is_in_log(log: list[Entry], contact_id: ContactId, key: MatchKey) -> bool:
    """Tell whether the log says that a contact has an address: whoever writes a contact sees to that."""
    named = [one for one in log if one.subject.contact_id == contact_id]
    return not named or any(key in (one.subject.key, getattr(one, "old", None)) for one in named)


def address_in(key: MatchKey) -> EmailAddress:
    """Return the address that a key was made from."""
    return parse_address(key.partition(":")[2])


def test_a_no_that_names_another_address_is_found_by_the_one_in_use() -> None:
    """A source knows a contact by an address that nobody else does: who asks by the contact's own finds the no, too."""
    mail = world()
    mail.receive([Known(who=Who("carl", parse_address("carl@example.com")))], now=NOW)
    told = said(Actor.ESP, through=Through.WEBHOOK, source="memory")
    elsewhere = Who("carl", parse_address("c.old@example.com"))
    no = Left(who=elsewhere, scope=ALL, event_id="n1", provenance=told)
    complaint = Held(who=elsewhere, kind=SuppressionKind.COMPLAINT, event_id="c1", provenance=told)
    dead = Held(who=elsewhere, kind=SuppressionKind.BOUNCE, event_id="b1", provenance=told)
    mail.receive([dead], now=NOW)
    assert ["bounced", ""] == held(mail, "c.old@example.com", "carl@example.com")
    for _ in range(2):
        mail.receive([no], now=NOW)
        assert ["out-of-all"] == held(mail, "carl@example.com")
    mail.receive([complaint], now=NOW)
    assert ["bounced", "complained"] == held(mail, "c.old@example.com", "carl@example.com")
    assert 1 == mail.opt_out_causes().total


def test_who_comes_back_from_an_archive_with_another_address_is_held_there() -> None:
    """The log says that they are one, so the no and the archive are found at the new address as well (O5)."""
    for road in ("import", "sign-up"):
        mail = world("ada")
        mail.opt_out("ada", scope=ALL, now=NOW)
        mail.archive("ada", by=Actor.OPERATOR, now=NOW, text="the year ends")
        if road == "import":
            mail.receive([Known(who=Who("ada", parse_address("new@example.com")))], now=NOW)
        else:
            mail.subscribe("new@example.com", OFFERS, proof=PROOF, now=NOW, contact_id="ada")
        assert ["out-of-all"] == held(mail, "new@example.com")
        assert [("1:ada@example.com", "1:new@example.com")] == [
            (one.old, one.subject.key) for one in entries(mail, AddressChanged)
        ]


def test_a_dead_address_of_a_former_owner_binds_the_next() -> None:
    """A bounce is a fact about the address, whoever has it (R23)."""
    mail = world("ada")
    bounced = said(Actor.ESP, through=Through.BOUNCE)
    mail.receive([Held(who=Who("ada"), kind=SuppressionKind.BOUNCE, provenance=bounced)], now=NOW)
    mail.change_address("ada", "new@example.com", by=Actor.CONTACT, now=NOW)
    assert ["bounced", ""] == held(mail, address("ada"), "new@example.com")
