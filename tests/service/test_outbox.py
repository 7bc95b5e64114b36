"""The outbox: what an ESP must be told is told once, noes first, and never lost (E2, F3, F4, F26, F29)."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import EspRefused, EspUnavailable, Misconfigured, OutcomeUnknown
from lifecycle_mail.memory import MemoryCrm, MemoryEsp, MemoryStore
from lifecycle_mail.model.addresses import MatchKey, MatchRules, parse_address
from lifecycle_mail.model.consent import ConsentState, ListStanding
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut, Pushed, Subject
from lifecycle_mail.model.intake import Joined, Known, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Capability, TaskKind, TaskState
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.leasing import LEASE
from lifecycle_mail.service.outbox import Drained, post_tags
from lifecycle_mail.service.telling import LONGEST_PAUSE, pause_after, without_addresses
from tests.service.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OFFERS,
    PROOF,
    Meddling,
    address,
    entries,
    fake,
    left,
    needs_confirmation,
    world,
)

ALL, OFFERS_ONLY = Scope.all(), Scope.list("offers")
TARGET = "esp:memory"


def told(mail: Lifecycle) -> list[str]:
    """Return the addresses that the ESP was told are out, in order."""
    return [str(who) for who, _ in fake(mail).suppressed]


def journal(mail: Lifecycle, *, contact: str | None = None) -> list[tuple[str, str]]:
    """Return state and note of every try, of the tasks in order."""
    return [
        (line.state.value, line.note)
        for posted in mail.outbox()
        if contact in (None, posted.task.contact_id)
        for line in mail.store.attempts(posted.task.id)
    ]


def due(mail: Lifecycle) -> list[timedelta]:
    """Return how long after now each task that is due is tried again."""
    return [posted.due_at - NOW for posted in mail.outbox(states=[TaskState.DUE])]


def tag(mail: Lifecycle, *names: str, present: bool = True, now: datetime = NOW, label: str = "vip") -> None:
    """Put a tag on contacts or take it off, and post it, as `apply` does."""
    with mail.store.transaction():
        for name in names:
            contact = mail.contact(name)
            mail.store.put([evolve(contact, tags=contact.tags | {label} if present else contact.tags - {label})])
        post_tags(mail.store, mail.esp, [ContactId(name) for name in names], label, present=present, now=now)


# --- noes -----------------------------------------------------------------------------------------------------------


def test_every_no_is_told_once_whoever_wrote_it() -> None:
    """The log is the outbox: a call, an import and a webhook of another source reach the ESP without more ado (E2)."""
    mail = world("ada", "bob", "cem", "dee")
    mail.opt_out("ada", scope=OFFERS_ONLY, now=NOW)
    mail.receive([left("bob", ALL, source="file:out.csv"), left("cem", ALL, source="memory")], now=NOW)
    drained = mail.drain(now=NOW)
    assert Drained(told=Counter({"opt-out": 2})) == drained
    assert "told 2 opt-out" == str(drained)
    assert [(address("ada"), OFFERS_ONLY), (address("bob"), ALL)] == [
        (str(who), scope) for who, scope in fake(mail).suppressed
    ]
    assert "told nothing" == str(mail.drain(now=NOW))
    assert 2 == fake(mail).calls.count("suppress")


def test_an_esp_that_is_added_later_hears_of_every_earlier_no() -> None:
    """So does one that learns to take noes (E1, E2)."""
    mail = world("ada", "bob")
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=ALL, now=NOW)
    mail.drain(now=NOW)
    later = world(store=mail.store, esp=MemoryEsp(name="second", capabilities={Capability.TAGS}))
    assert "told nothing" == str(later.drain(now=NOW + DAY))
    grown = world(store=mail.store, esp=MemoryEsp(name="second"))
    assert 2 == grown.drain(now=NOW + DAY).told["opt-out"]
    assert [address("ada"), address("bob")] == told(grown)


def test_the_log_knows_of_a_push_before_it_is_made() -> None:
    """`Pushed` is written before the call and again after it, so that the echo is known for one (F4, F33)."""
    esp = Meddling()
    mail = world("ada", esp=esp)
    mail.opt_out("ada", scope=ALL, now=NOW)
    seen: list[list[bool]] = []
    esp.before["suppress"] = lambda: seen.append([push.done for push in entries(mail, Pushed)])
    mail.drain(now=NOW + HOUR)
    assert [[False]] == seen
    assert [False, True] == [push.done for push in entries(mail, Pushed)]
    assert {NOW + HOUR} == {push.provenance.at for push in entries(mail, Pushed)}


def test_a_no_that_the_person_has_overridden_is_not_told() -> None:
    """Who came back before the ESP heard of it is not thrown out there; the journal says why (O4, F30)."""
    mail = world("ada", "bob")
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=ALL, now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    drained = mail.drain(now=NOW + 2 * HOUR)
    assert ({"opt-out": 1}, 1, 0) == (drained.told, drained.moot, drained.refused)
    assert "told 1 opt-out, passed over 1" == str(drained)
    assert [address("bob")] == told(mail)
    assert [("done", "overridden by the person")] == journal(mail, contact="ada")


def test_an_import_overrides_nothing() -> None:
    """A file that says subscribed keeps no no from the ESP (O4, F30)."""
    mail = world("ada")
    mail.opt_out("ada", scope=OFFERS_ONLY, now=NOW)
    said = Provenance(actor=Actor.OPERATOR, through=Through.IMPORT, at=NOW + HOUR, source="file:members.csv")
    mail.receive([Joined(who=Who("ada"), list=OFFERS.key, provenance=said)], now=NOW + HOUR)
    assert 1 == mail.drain(now=NOW).told["opt-out"]


def test_a_late_report_of_an_overridden_no_is_not_told_to_another_esp() -> None:
    """What only echoes a no that was overridden is as overridden (O4, F33)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.drain(now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    mail.fetch(now=NOW + DAY)
    other = world(store=mail.store, esp=MemoryEsp(name="second"))
    assert 2 == len(entries(mail, OptOut))
    assert (0, 2) == (other.drain(now=NOW + DAY).told.total(), len(list(other.outbox(target="esp:second"))))
    assert ListStanding.ACTIVE is mail.standing("ada", OFFERS, now=NOW + DAY)


def test_a_no_by_address_is_told_for_everybody_who_has_it() -> None:
    """An address that several contacts share, or that a contact came to have since (O2)."""
    mail = world("ada")
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="twin")
    mail.opt_out(address("ada"), scope=ALL, now=NOW)
    mail.opt_out("later@example.com", scope=ALL, now=NOW)
    mail.subscribe("later@example.com", OFFERS, proof=PROOF, now=NOW, contact_id="later")
    mail.opt_out("nobody@example.com", scope=ALL, now=NOW)
    drained = mail.drain(now=NOW)
    assert [address("ada"), address("ada"), "later@example.com", "nobody@example.com"] == told(mail)
    assert Drained(told=Counter({"opt-out": 3})) == drained
    mail.fetch(now=NOW + MINUTE)
    assert 3 == ConsentState(record.entry for record in mail.store.records()).opt_out_count()


def test_where_spellings_are_folded_a_no_is_told_for_whom_it_binds() -> None:
    """A key that several spellings share does not say which of them: nothing is told on a guess (F61, E2)."""
    mail = world("ada", match=MatchRules(plus_tags=True))
    mail.opt_out("bob+x@example.com", scope=ALL, now=NOW)
    mail.opt_out("ada+x@example.com", scope=ALL, now=NOW)
    assert Drained(told=Counter({"opt-out": 1})) == mail.drain(now=NOW)
    assert [address("ada")] == told(mail)
    for tag_of_hers in ("y", "z"):  # each a spelling of the same, and the ESP knows them apart
        mail.subscribe(f"bob+{tag_of_hers}@example.com", OFFERS, proof=PROOF, now=NOW + HOUR)
        mail.drain(now=NOW + HOUR)
    assert [address("ada"), "bob+y@example.com", "bob+z@example.com"] == told(mail)


def test_the_no_of_a_contact_without_an_address_waits_for_one() -> None:
    """It is told as soon as the log names one, without anybody's doing, and is no refusal (E2)."""
    mail = world("ada")
    mail.receive([Known(who=Who("zed"))], now=NOW)
    mail.opt_out("zed", scope=ALL, now=NOW)
    assert Drained(left=1) == mail.drain(now=NOW)
    assert [("due", "waits for an address to tell")] == journal(mail, contact="zed")
    assert Drained(left=1) == mail.drain(now=NOW + 11 * HOUR)
    mail.receive([Known(who=Who("zed", parse_address("zed@example.com")))], now=NOW + 11 * HOUR)
    assert Drained(told=Counter({"opt-out": 1}), left=1) == mail.drain(now=NOW + 11 * HOUR)
    assert ["zed@example.com"] == told(mail)
    assert Drained(moot=1) == mail.drain(now=NOW + 12 * HOUR)
    assert ("done", "known to the target already") == journal(mail, contact="zed")[1]


def test_the_address_in_a_no_is_told_whoever_has_it() -> None:
    """A list of addresses that were never contacts reaches the ESP whole, and so does who was archived since (E2)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.archive("ada", by=Actor.OPERATOR, now=NOW, text="left the club")
    mail.receive([left("zed", OFFERS_ONLY, source="file:out.csv")], now=NOW)
    mail.opt_out("alone@example.com", scope=ALL, now=NOW)
    assert Drained(told=Counter({"opt-out": 3})) == mail.drain(now=NOW)
    assert [address("ada"), address("zed"), "alone@example.com"] == told(mail)
    mail.fetch(now=NOW + MINUTE)
    assert "told nothing" == str(mail.drain(now=NOW + MINUTE))
    assert 3 == ConsentState(record.entry for record in mail.store.records()).opt_out_count()


def test_a_key_that_holds_no_address_holds_nobody_up() -> None:
    """Whatever wrote it: the noes of others are told (E2)."""
    mail = world("ada")
    why = Provenance(actor=Actor.OPERATOR, through=Through.IMPORT, at=NOW, source="an older version")
    odd = OptOut(subject=Subject(key=MatchKey("1:no address")), scope=ALL, event_id="1", provenance=why)
    mail.store.append([odd], at=NOW)
    mail.opt_out("ada", scope=ALL, now=NOW)
    assert Drained(told=Counter({"opt-out": 1})) == mail.drain(now=NOW)


# --- addresses that change ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drained_before", [False, True])
@pytest.mark.parametrize("by", [Actor.CONTACT, Actor.OPERATOR])
def test_a_no_is_told_for_the_old_address_and_the_new_one(drained_before: bool, by: Actor) -> None:
    """It stays on the one and follows the person to the other, whichever was told when, and counts once (O2, E2)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    if drained_before:
        mail.drain(now=NOW)
    mail.change_address("ada", "ada@new.example.com", by=by, now=NOW + HOUR)
    mail.drain(now=NOW + HOUR)
    assert {address("ada"), "ada@new.example.com"} == set(told(mail))
    assert 2 == len(told(mail))
    for hours in (1, 2):
        mail.fetch(now=NOW + DAY + hours * HOUR)
        assert 0 == mail.drain(now=NOW + DAY + hours * HOUR).told.total() or hours == 1
    assert 1 == ConsentState(record.entry for record in mail.store.records()).opt_out_count()


def test_who_came_back_before_the_move_is_not_put_out_at_the_new_address() -> None:
    """What the person has overridden follows nobody (O4)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.drain(now=NOW)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW + 2 * HOUR)
    assert "told nothing" == str(mail.drain(now=NOW + 2 * HOUR))


def test_a_no_at_an_address_that_was_left_follows_the_person() -> None:
    """By the link in an old mail, here or at the ESP: it binds them here, and the ESP hears of the new address (O2)."""
    for source in ("app", "memory"):
        mail = world("ada")
        mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW)
        mail.receive([left("ada", ALL, source=source, at=NOW + HOUR)], now=NOW + HOUR)
        assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW + HOUR)
        mail.drain(now=NOW + HOUR)
        assert {"ada@new.example.com", address("ada")} - ({address("ada")} if source == "memory" else set()) == set(
            told(mail)
        )


def test_of_two_addresses_the_one_that_is_refused_is_tried_again_alone() -> None:
    """What the ESP took of a no is not told again when a person lets the rest be tried (F26)."""
    mail = world("ada")
    mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW)
    mail.opt_out(address("ada"), scope=ALL, now=NOW)
    fake(mail).fail("suppress", EspRefused)
    assert Drained(refused=1) == mail.drain(now=NOW)
    assert [address("ada")] == told(mail)
    assert 1 == mail.retry_refused(now=NOW)
    assert Drained(told=Counter({"opt-out": 1})) == mail.drain(now=NOW)
    assert [address("ada"), "ada@new.example.com"] == told(mail)


# --- an ESP that says otherwise -------------------------------------------------------------------------------------


def rejoined(at: datetime, *, source: str = "memory", name: str = "ada") -> Joined:
    """Return an ESP's word that somebody is subscribed."""
    said_so = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=at, source=source)
    return Joined(who=Who(None, parse_address(address(name))), list=OFFERS.key, provenance=said_so)


@pytest.mark.parametrize("scope", [ALL, OFFERS_ONLY])
def test_an_esp_that_says_subscribed_of_who_is_out_is_told_again(scope: Scope) -> None:
    """Once for each such report, however often it is delivered, and nobody is pulled in (F30)."""
    mail = world("ada", "bob")
    mail.opt_out("ada", scope=scope, now=NOW)
    mail.drain(now=NOW)
    for hours in (1, 2):
        for _ in range(3):
            mail.receive([rejoined(NOW + hours * HOUR), rejoined(NOW, name="bob")], now=NOW + hours * HOUR)
        assert {"opt-out": 1} == mail.drain(now=NOW + hours * HOUR).told
        mail.fetch(now=NOW + hours * HOUR)
    assert [address("ada")] * 3 == told(mail)
    assert mail.standing("ada", OFFERS, now=NOW + DAY) is not ListStanding.ACTIVE
    assert 1 == ConsentState(record.entry for record in mail.store.records()).opt_out_count()
    mail.receive([rejoined(NOW + DAY, source="file:members.csv")], now=NOW + DAY)
    assert "told nothing" == str(mail.drain(now=NOW + DAY))


def test_an_esp_that_makes_somebody_known_who_is_out_is_told() -> None:
    """A no by address alone, told before there was a contact: the ESP's word makes one, who stays out (F30)."""
    mail = world("ada")
    mail.opt_out("new@example.com", scope=ALL, now=NOW)
    mail.drain(now=NOW)
    mail.receive([rejoined(NOW + HOUR, name="new")], now=NOW + HOUR)
    assert 1 == mail.drain(now=NOW + HOUR).told["opt-out"]
    assert ["new@example.com"] * 2 == told(mail)
    assert ListStanding.OUT_OF_ALL is mail.standing("new@example.com", OFFERS, now=NOW + HOUR)


def test_who_came_back_here_is_not_put_out_for_what_the_esp_says() -> None:
    """It says subscribed, and so they are (O4, F30)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.drain(now=NOW)
    mail.receive([rejoined(NOW + HOUR)], now=NOW + HOUR)
    asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + HOUR)
    assert Drained(moot=1) == mail.drain(now=NOW + 2 * HOUR)
    mail.receive([rejoined(NOW + 2 * HOUR)], now=NOW + 2 * HOUR)
    assert "told nothing" == str(mail.drain(now=NOW + 2 * HOUR))
    assert 1 == len(told(mail))


def test_one_event_id_of_two_people_is_two_noes() -> None:
    """A careless source gives two people's noes one id: the ESP hears of both (F33)."""
    mail = world("ada", "bob")
    for name in ("ada", "bob", "stranger"):
        mail.receive([left(name, ALL, event_id="1", source="crm", with_id=name != "stranger")], now=NOW)
    mail.drain(now=NOW)
    assert [address("ada"), address("bob"), address("stranger")] == told(mail)


@given(st.lists(st.sampled_from(["no", "no by address", "back", "drain", "fetch"]), max_size=9))
def test_whatever_the_order_the_esp_knows_every_no_that_stands(acts: list[str]) -> None:
    """After a drain nobody who is out here is unknown there, and what comes back counts for nothing (E2, F33)."""
    mail = world("ada")
    for hours, act in enumerate(acts):
        now = NOW + hours * HOUR
        match act:
            case "no":
                mail.opt_out("ada", scope=OFFERS_ONLY, now=now)
            case "no by address":
                mail.opt_out(address("ada"), scope=OFFERS_ONLY, now=now)
            case "back":
                answer = mail.subscribe("ada", OFFERS, proof=PROOF, now=now)
                if not hasattr(answer, "standing"):
                    mail.confirm(needs_confirmation(answer).token, now=now)
            case "drain":
                mail.drain(now=now)
            case "fetch":
                mail.fetch(now=now)
    end = NOW + DAY
    before = mail.standing("ada", OFFERS, now=end)
    assert 0 == mail.drain(now=end).left
    mail.fetch(now=end)
    assert before is mail.standing("ada", OFFERS, now=end)
    assert before is ListStanding.ACTIVE or told(mail)


# --- outages --------------------------------------------------------------------------------------------------------


def test_a_target_that_is_out_of_reach_is_left_alone_for_a_while() -> None:
    """Each try in vain doubles the pause, up to six hours, and one call a drain is enough to know (F29)."""
    mail = world("ada", "bob")
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=ALL, now=NOW)
    esp, at, pauses = fake(mail), NOW, []
    esp.fail("suppress", EspUnavailable, times=100, status=503)
    for _ in range(11):
        drained = mail.drain(now=at)
        assert (0, 2) == (drained.told.total(), drained.left)
        (waiting,) = [one for one in mail.outbox() if one.tries and one.task.contact_id == "ada"]
        pauses.append(waiting.due_at - at)
        at = waiting.due_at
    assert [timedelta(minutes=2**n) for n in range(1, 9)] + [LONGEST_PAUSE] * 3 == pauses
    assert "left 2; esp:memory stopped: memory answered 503 to suppress" in str(drained)


@pytest.mark.parametrize(("asked", "rests"), [(30, 2), (600, 10), (10**9, 360)])
def test_a_target_that_asks_for_time_gets_it(asked: int, rests: int) -> None:
    """Its Retry-After outlasts our own pause, up to six hours; a shorter one shortens nothing (F24)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    fake(mail).fail("suppress", EspUnavailable, status=429, retry_after=timedelta(seconds=asked))
    mail.drain(now=NOW)
    assert [timedelta(minutes=rests)] == due(mail)


def test_the_pause_ends_at_six_hours_however_many_tries() -> None:
    """No number of tries is too large to count with."""
    assert timedelta(minutes=2) == pause_after(1)
    assert timedelta(minutes=256) == pause_after(8)
    assert [timedelta(hours=6)] * 3 == [pause_after(9), pause_after(100), pause_after(10**9)]


def test_one_call_finds_out_that_a_target_is_out_of_reach() -> None:
    """The others are not tried in vain, and are not made to wait for it (F29)."""
    mail = world(*(f"c{n}" for n in range(5)), crm=MemoryCrm())
    for n in range(5):
        mail.opt_out(f"c{n}", scope=ALL, now=NOW)
    fake(mail).fail("suppress", EspUnavailable)
    drained = mail.drain(now=NOW)
    assert 1 == fake(mail).calls.count("suppress")
    assert ([TARGET], 10) == (list(drained.problems), drained.told["picture"])  # the CRM is well: a yes and a no each
    assert 4 == mail.drain(now=NOW).told["opt-out"]
    assert 1 == mail.drain(now=NOW + 2 * MINUTE).told["opt-out"]


def test_after_a_week_noes_go_first() -> None:
    """What was due before them, and less urgent, waits: nothing of either is lost (F29)."""
    esp = MemoryEsp()
    mail = world("ada", "bob", "cem", esp=esp)
    tag(mail, "ada", "bob", "cem")
    esp.limit(0)
    for day in range(7):
        mail.opt_out(("ada", "bob", "cem")[day % 3], scope=ALL, now=NOW + day * DAY)
        assert EspUnavailable is type(mail.drain(now=NOW + day * DAY).problems[TARGET])
    esp.limit(100)
    esp.calls.clear()
    assert Counter({"opt-out": 3, "tag": 3}) == mail.drain(now=NOW + 8 * DAY).told
    assert ["suppress"] * 3 + ["tag"] == esp.calls
    assert {"ada", "bob", "cem"} == esp.tags["vip"]


def test_an_answer_that_is_lost_is_asked_for_again() -> None:
    """Telling again changes nothing there, and the second report counts for nothing here (F22, F4)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    fake(mail).fail("suppress", OutcomeUnknown, done=True)
    assert 1 == mail.drain(now=NOW).left
    assert 1 == mail.drain(now=NOW + HOUR).told["opt-out"]
    mail.fetch(now=NOW + DAY)
    assert 1 == ConsentState(record.entry for record in mail.store.records()).opt_out_count()


def test_what_is_refused_is_kept_with_the_reason_and_without_the_address() -> None:
    """The others go on; a person looks at it and lets it be tried again, one or all (F26, F28)."""
    mail = world("ada", "bob", "cem")
    for name in ("ada", "bob", "cem"):
        mail.opt_out(name, scope=ALL, now=NOW)
    body = f"<{address('ada')}> is in a state (ada%40example.com)"
    fake(mail).fail("suppress", EspRefused, status=400, body=body, times=2)
    assert ({"opt-out": 1}, 2) == (mail.drain(now=NOW).told, len(list(mail.outbox(states=[TaskState.REFUSED]))))
    (state, note), *_ = journal(mail)
    assert "refused" == state
    assert "memory answered 400 to suppress: [cut] is in a state [cut]" == note
    assert "told nothing" == str(mail.drain(now=NOW + DAY))
    first, _ = mail.outbox(states=[TaskState.REFUSED])
    assert 1 == mail.retry_refused([first.task.id], now=NOW + DAY)
    assert 1 == mail.retry_refused(now=NOW + DAY)
    assert 0 == mail.retry_refused(now=NOW + DAY)
    assert 2 == mail.drain(now=NOW + DAY).told["opt-out"]
    assert {"bob@example.com", "ada@example.com", "cem@example.com"} == set(told(mail))


@given(st.text(alphabet="a.-@%40\uff20 <>\"'\n", max_size=30))
def test_no_note_holds_an_address(text: str) -> None:
    """Whatever an ESP answers, nothing with an at sign reaches the journal, however it is written."""
    note = without_addresses(text)
    assert not {"@", "\uff20"} & set(note)
    assert "%40" not in note


# --- workers --------------------------------------------------------------------------------------------------------


def test_two_workers_never_tell_the_same() -> None:
    """While one tells the ESP, another takes the next task, not that one (F19)."""
    esp = Meddling()
    mail = world("ada", "bob", esp=esp)
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=ALL, now=NOW)
    others: list[Drained] = []
    esp.before["suppress"] = lambda: others.append(world(store=mail.store, esp=esp).drain(now=NOW))
    assert (1, 1) == (mail.drain(now=NOW).told["opt-out"], others[0].told["opt-out"])
    assert [address("bob"), address("ada")] == told(mail)


def test_workers_side_by_side_tell_everything_once() -> None:
    """Six threads drain at once: every no is told once, and none is left (F19, F20)."""
    names = [f"c{n}" for n in range(40)]
    mail = world(*names, crm=MemoryCrm())
    for name in names:
        mail.opt_out(name, scope=ALL, now=NOW)
    start = Barrier(6)
    found: list[Drained] = []

    def work() -> None:
        mine = world(store=mail.store, esp=mail.esp, crm=mail.crm)
        start.wait()
        found.append(mine.drain(now=NOW))

    threads = [Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 40 == sum(one.told["opt-out"] for one in found)
    assert sorted(map(address, names)) == sorted(told(mail))
    assert 0 == mail.drain(now=NOW).left
    assert isinstance(mail.crm, MemoryCrm)
    assert set(names) == {one for one, shown in mail.crm.shown.items() if shown.opt_outs}


def test_what_a_dead_worker_held_is_told_when_its_hold_has_run_out() -> None:
    """Not before, and what it had not begun at once (F3)."""
    esp = Meddling()
    mail = world("ada", "bob", esp=esp)
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=ALL, now=NOW)

    def die() -> None:
        raise KeyboardInterrupt

    esp.before["suppress"] = die
    with pytest.raises(KeyboardInterrupt):
        mail.drain(now=NOW)
    assert (1, 1) == ((drained := mail.drain(now=NOW)).told["opt-out"], drained.left)
    assert 0 == mail.drain(now=NOW + LEASE - MINUTE).told["opt-out"]
    assert 1 == mail.drain(now=NOW + LEASE).told["opt-out"]
    assert [address("bob"), address("ada")] == told(mail)


def test_the_log_is_looked_through_a_chunk_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks and bookmark are written together, and the next drain begins at the bookmark (F3, F68)."""
    monkeypatch.setattr("lifecycle_mail.service.outbox.LARGEST_CHUNK", 2)
    mail = world("ada", "bob", "cem")
    for name in ("ada", "bob", "cem"):
        mail.opt_out(name, scope=ALL, now=NOW)
    read: list[tuple[int, int | None]] = []
    records = mail.store.records

    def reading(*, after: int = 0, until: int | None = None) -> object:
        read.append((after, until))
        return records(after=after, until=until)

    monkeypatch.setattr(mail.store, "records", reading)
    mail.drain(now=NOW, most=0)
    assert [(0, 2), (2, 4), (4, 6), (6, 8)] == read
    mark = mail.store.bookmark(f"outbox:{TARGET}")
    assert mark is not None
    assert (6, NOW) == (mark.place, mark.at)
    read.clear()
    mail.drain(now=NOW, most=0)
    assert [] == read
    assert 3 == mail.drain(now=NOW).told["opt-out"]


def test_who_looks_the_log_through_does_it_alone() -> None:
    """A second worker posts nothing meanwhile, and still tells what is posted (F20)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.store.begin(f"outbox:{TARGET}", "another", at=NOW, until=NOW + LEASE)
    assert "told nothing" == str(mail.drain(now=NOW))
    assert [] == list(mail.outbox())
    mail.store.finish(f"outbox:{TARGET}", "another")
    assert 1 == mail.drain(now=NOW).told["opt-out"]


def test_at_most_so_many_are_told_in_one_call() -> None:
    """The rest stays due, and the next call goes on."""
    mail = world(*(f"c{n}" for n in range(5)))
    for n in range(5):
        mail.opt_out(f"c{n}", scope=ALL, now=NOW)
    assert (2, 3) == ((drained := mail.drain(now=NOW, most=2)).told["opt-out"], drained.left)
    assert "told 2 opt-out, left 3" == str(drained)
    assert [address("c0"), address("c1")] == told(mail)
    assert 2 == world(store=mail.store, esp=MemoryEsp(name="second")).drain(now=NOW, most=3).left  # its own
    assert 3 == mail.drain(now=NOW, most=9).told["opt-out"]


def test_nobody_to_tell_is_an_error() -> None:
    """An ESP that takes nothing of ours, and no CRM: it is said before anything is written (E1)."""
    mail = world("ada", esp=MemoryEsp(capabilities={Capability.CAMPAIGNS}))
    with pytest.raises(Misconfigured, match="no CRM"):
        mail.drain(now=NOW)
    assert ["matching"] == [one.name for one in mail.store.bookmarks()]


def test_an_esp_that_no_longer_can_is_not_asked() -> None:
    """Tasks that were due when it lost a capability are refused with that reason, and can be tried again (E1)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    tag(mail, "ada")
    mail.drain(now=NOW, most=0)
    less = world(store=mail.store, esp=MemoryEsp(capabilities={Capability.TAGS}))
    assert ({"tag": 1}, 1) == ((drained := less.drain(now=NOW)).told, drained.refused)
    tag(mail, "ada", present=False)
    least = world(store=mail.store, esp=MemoryEsp(capabilities={Capability.OPT_OUTS}))
    assert 1 == least.drain(now=NOW).refused
    assert [("refused", "the target can no longer do that")] * 2 == [
        line for line in journal(mail) if line[0] == "refused"
    ]


# --- clocks ---------------------------------------------------------------------------------------------------------


def test_a_long_drain_says_when_each_no_was_told() -> None:
    """The ESP's report of the last one is still near its push, and an echo of it (F33)."""
    seconds = [0.0]

    class Slow(MemoryEsp):
        def suppress(self, opt_out: OptOut, contact: Contact, *, at: datetime) -> None:
            assert NOW + timedelta(seconds=seconds[0]) == at
            super().suppress(opt_out, contact, at=at)
            seconds[0] += 1000

    names = ["ada", "bob", "cem"]
    mail = world(*names, esp=Slow(), ticks=lambda: seconds[0])
    for name in names:
        mail.opt_out(name, scope=ALL, now=NOW)
    assert 3 == mail.drain(now=NOW).told["opt-out"]
    assert [0, 1000, 2000] == [
        (push.provenance.at - NOW).total_seconds() for push in entries(mail, Pushed) if push.done
    ]
    mail.fetch(now=NOW + DAY)
    assert 3 == ConsentState(record.entry for record in mail.store.records()).opt_out_count()


@pytest.mark.parametrize("ahead", [12 * HOUR, 3650 * DAY])
def test_a_no_that_was_recorded_by_a_clock_ahead_is_told_now(ahead: timedelta) -> None:
    """Hours or years ahead, and put right: the ESP does not wait that long for it (F64)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW + ahead)
    assert 1 == mail.drain(now=NOW).told["opt-out"]


# --- tags -----------------------------------------------------------------------------------------------------------


def test_tags_are_told_in_one_call_each() -> None:
    """However many carry it: one call for each tag and direction (E2, S12)."""
    mail = world("ada", "bob", "cem")
    tag(mail, "ada", "bob", "cem")
    tag(mail, "ada", "bob", label="two words")
    tag(mail, "cem", present=False, now=NOW + MINUTE)
    assert Counter({"tag": 5, "untag": 1}) == mail.drain(now=NOW + MINUTE).told
    assert 3 == fake(mail).calls.count("tag")
    assert ({"ada", "bob"}, {"ada", "bob"}) == (fake(mail).tags["vip"], fake(mail).tags["two words"])


@given(st.lists(st.booleans(), max_size=8), st.sets(st.integers(0, 7)))
def test_the_esp_ends_with_the_tags_that_hold_here(changes: list[bool], drains: set[int]) -> None:
    """Whatever was posted in which order, and whenever it is told (S12)."""
    mail = world("ada")
    for number, present in enumerate(changes):
        tag(mail, "ada", present=present, now=NOW + number * MINUTE)
        if number in drains:
            mail.drain(now=NOW + number * MINUTE)
    assert 0 == mail.drain(now=NOW + HOUR).left
    assert ("ada" in fake(mail).tags["vip"]) is ("vip" in mail.contact("ada").tags)


def test_a_tag_that_changes_during_the_call_is_told_again() -> None:
    """The slower of two workers does not have the last word (S12)."""
    esp = Meddling()
    mail = world("ada", "bob", esp=esp)
    tag(mail, "ada", "bob")

    def take_it_off() -> None:
        tag(mail, "ada", present=False, now=NOW + MINUTE)
        world(store=mail.store, esp=esp).drain(now=NOW + MINUTE)

    esp.before["tag"] = take_it_off
    mail.drain(now=NOW)
    assert {"bob"} == esp.tags["vip"]
    assert 0 == mail.drain(now=NOW + MINUTE).left
    assert ("due", "changed meanwhile") in journal(mail, contact="ada")


def test_of_a_batch_only_those_that_are_refused_are_refused() -> None:
    """Three of a hundred that the ESP does not take keep nobody else from their tag (F26)."""

    class Picky(MemoryEsp):
        def tag(self, contacts: Sequence[Contact], tag: str, *, present: bool) -> None:
            if any(contact.id in bad for contact in contacts):
                raise EspRefused(esp=self.name, operation="tag", status=400, body="one of them")
            super().tag(contacts, tag, present=present)

    names = [f"c{n:02}" for n in range(100)]
    bad = {"c07", "c08", "c93"}
    mail = world(*names, esp=Picky())
    tag(mail, *names)
    drained = mail.drain(now=NOW)
    assert (97, 3) == (drained.told["tag"], drained.refused)
    assert set(names) - bad == fake(mail).tags["vip"]
    assert bad == {posted.task.contact_id for posted in mail.outbox(states=[TaskState.REFUSED])}


def test_a_batch_that_breaks_off_in_the_middle_is_told_again() -> None:
    """Of several calls the first that cannot be made ends the drain for that ESP (F29)."""
    mail = world("ada", "bob")
    tag(mail, "ada", label="one")
    tag(mail, "bob", label="two")
    fake(mail).fail("tag", EspUnavailable)
    drained = mail.drain(now=NOW)
    assert (0, 2, 1) == (drained.told.total(), drained.left, fake(mail).calls.count("tag"))
    assert 2 == mail.drain(now=NOW + 2 * MINUTE).told["tag"]


def test_a_tag_of_somebody_who_is_gone_is_passed_over() -> None:
    """Removed meanwhile, and nothing to tell, which is no refusal; the others get theirs."""
    mail = world("ada", "bob")
    tag(mail, "ada", "bob")
    mail.store.remove([ContactId("ada")])
    drained = mail.drain(now=NOW)
    assert (1, 1, 0) == (drained.told["tag"], drained.moot, drained.refused)
    assert [("done", "no contact of that id")] == journal(mail, contact="ada")


# --- erasure --------------------------------------------------------------------------------------------------------


PEPPERS = {"test": "sixteen bytes or more"}


def erase(mail: Lifecycle, name: str) -> None:
    """Erase somebody from the store, as an erasure does at its end."""
    contact = mail.contact(name)
    assert contact.address is not None
    mail.store.erase(contact.id, [contact.address.match_key()])


def test_nobody_is_told_of_the_erased() -> None:
    """Neither what was due nor what the log holds under a hash (O5)."""
    mail = world("ada", "bob", store=MemoryStore(peppers=PEPPERS))
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=ALL, now=NOW)
    mail.drain(now=NOW, most=0)
    erase(mail, "ada")
    assert 1 == mail.drain(now=NOW).told["opt-out"]
    other = world(store=mail.store, esp=MemoryEsp(name="second"))
    assert {"opt-out": 1} == (drained := other.drain(now=NOW)).told
    assert 0 == drained.refused
    assert [address("bob")] == told(mail) == told(other)


@pytest.mark.parametrize("who", ["ada", "alone@example.com"])
def test_an_esp_that_cannot_erase_is_told_first_what_is_due(who: str) -> None:
    """Afterwards nobody could tell it whose the no was; what it knows already it is not told (O5, E2)."""
    esp = MemoryEsp(capabilities=frozenset(Capability) - {Capability.ERASURE})
    mail = world("ada", esp=esp, peppers=PEPPERS)
    mail.opt_out(who, scope=OFFERS_ONLY, now=NOW)
    mail.drain(now=NOW)
    mail.opt_out(who, scope=ALL, now=NOW)
    if who == "ada":
        mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW)
    esp.fail("suppress", EspUnavailable)
    with pytest.raises(EspUnavailable):
        mail.erase(who, by=Actor.CONTACT, now=NOW + HOUR)
    assert [] == list(mail.store.erased([who]))
    mail.erase(who, by=Actor.CONTACT, now=NOW + HOUR)
    at = {address("ada"): {OFFERS_ONLY, ALL}, "ada@new.example.com": {OFFERS_ONLY, ALL}}
    expected = at if who == "ada" else {who: {OFFERS_ONLY, ALL}}
    assert expected == {
        name: {scope for other, scope in esp.suppressed if str(other) == name} for name in set(told(mail))
    }
    assert len(esp.suppressed) == sum(map(len, expected.values()))
    assert "told nothing" == str(mail.drain(now=NOW + DAY))


@pytest.mark.parametrize("kind", ["suppress", "tag"])
def test_who_is_erased_while_the_esp_is_told_is_forgotten_there(kind: str) -> None:
    """The call that was under way must not leave at the ESP what was erased here (O5)."""
    esp = Meddling()
    mail = world("ada", esp=esp, store=MemoryStore(peppers=PEPPERS))
    actions: dict[str, Callable[[], object]] = {
        "suppress": lambda: mail.opt_out("ada", scope=ALL, now=NOW),
        "tag": lambda: tag(mail, "ada"),
    }
    actions[kind]()
    esp.before[kind] = lambda: erase(mail, "ada")
    mail.drain(now=NOW)
    assert ["ada"] == esp.forgotten
    assert set() == esp.tags["vip"]
    assert 0 == mail.drain(now=NOW + DAY).left


def test_forgetting_that_fails_is_reported() -> None:
    """The ESP cannot be reached just then: the drain says so (O5)."""
    esp = Meddling()
    mail = world("ada", esp=esp, store=MemoryStore(peppers=PEPPERS))
    tag(mail, "ada")
    esp.before["tag"] = lambda: erase(mail, "ada")
    esp.fail("forget")
    assert "forget" in str(mail.drain(now=NOW))


# --- what is kept ---------------------------------------------------------------------------------------------------


def test_the_outbox_can_be_read() -> None:
    """Every task with its target, state, tries and due instant, in the order in which it is done (E2)."""
    mail = world("ada", crm=MemoryCrm())
    tag(mail, "ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    fake(mail).fail("tag")
    mail.drain(now=NOW)
    assert [("opt-out", "done", 1), ("tag", "due", 1)] == [
        (posted.task.kind, posted.state, posted.tries) for posted in mail.outbox(target=TARGET)
    ]
    assert {"crm:memory-crm"} == {posted.task.target for posted in mail.outbox() if posted.task.kind == "picture"}
    assert [2 * MINUTE] == due(mail)


def test_a_task_is_posted_once() -> None:
    """Looking the log through again, from the beginning, posts nothing anew (F4)."""
    mail = world("ada")
    mail.opt_out("ada", scope=ALL, now=NOW)
    mail.drain(now=NOW)
    before = list(mail.outbox())
    mark = mail.store.bookmark(f"outbox:{TARGET}")
    assert mark is not None
    mail.store.mark(evolve(mark, place=0))
    assert "told nothing" == str(mail.drain(now=NOW + DAY))
    assert before == list(mail.outbox())
    (task,) = [posted.task for posted in before]
    assert (TaskKind.OPT_OUT, "ada", entries(mail, OptOut)[0].id) == (task.kind, task.contact_id, task.entry)


@pytest.mark.parametrize("event_id", [None, "e2"], ids=["as a state", "as an event"])
def test_one_click_that_the_esp_told_twice_follows_the_person(event_id: str | None) -> None:
    """O2, F30: neither is a no of ours, so at a new address the ESP knows of neither, and is told."""
    mail = world("ada")
    first = left("ada", ALL, at=NOW, event_id="e1")
    mail.receive([first, evolve(left("ada", ALL, at=NOW + timedelta(seconds=10)), event_id=event_id)], now=NOW + HOUR)
    mail.drain(now=NOW + HOUR)
    mail.change_address("ada", "ada@new.example", by=Actor.CONTACT, now=NOW + 2 * HOUR)
    mail.drain(now=NOW + 3 * HOUR)
    assert "ada@new.example" in {str(address) for address, _ in fake(mail).suppressed}


def test_an_erasure_does_not_wait_for_what_an_esp_refuses_for_good() -> None:
    """O5: an ESP that cannot erase, and refuses to take the no, keeps nobody from being erased here."""
    esp = MemoryEsp(capabilities=frozenset(Capability) - {Capability.ERASURE})
    mail = world("ada", esp=esp, peppers=PEPPERS)
    mail.opt_out("ada", scope=ALL, now=NOW)
    esp.refuse(address("ada"), status=404)
    esp.fail("suppress", EspRefused, status=404)
    assert mail.erase("ada", by=Actor.CONTACT, now=NOW + HOUR).is_new
    assert ["ada"] == list(mail.store.erased(["ada"]))
