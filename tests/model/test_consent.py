"""Consent is a log, its state a lattice: opt-out wins, and only the person comes back."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import event, given, settings
from hypothesis import strategies as st

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.consent import ConsentState, ListStanding, Person
from lifecycle_mail.model.echoes import ECHO
from lifecycle_mail.model.entries import (
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Standing,
    Subject,
    Suppression,
    SuppressionKind,
    state_event_id,
)
from lifecycle_mail.model.lists import Channel, Scope
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from tests.strategies import (
    CONTACTS,
    DAY,
    KEYS,
    LISTS,
    MINUTE,
    PEOPLE,
    SCOPES,
    START,
    address_changes,
    cites_of,
    citing_consents,
    lifts,
    logs,
    opt_outs,
    plain_consents,
    pushes_of,
    requests,
    suppressions,
)

ANN, BOB = CONTACTS
HERE, HOME, ELSEWHERE = KEYS
NEWS, OFFERS = LISTS
ANN_HERE = Subject(contact_id=ANN, key=HERE)
LEAVES_NEWS = Scope.list(NEWS)

ACTIVE, OUT_OF_ALL, OUT_OF_LIST = ListStanding.ACTIVE, ListStanding.OUT_OF_ALL, ListStanding.OUT_OF_LIST
UNCONFIRMED, EXPIRED, NONE = ListStanding.UNCONFIRMED, ListStanding.EXPIRED, ListStanding.NONE
OUT = {OUT_OF_ALL, ListStanding.OUT_OF_CHANNEL, OUT_OF_LIST}


def said(
    actor: Actor = Actor.CONTACT,
    minutes: float = 0,
    *,
    source: str = "app",
    text: str = "",
    evidence: str = "",
) -> Provenance:
    """Who said it, so many minutes after the start."""
    at = START + minutes * MINUTE
    return Provenance(actor=actor, through=Through.APPLICATION, at=at, source=source, text=text, evidence=evidence)


def no(scope: Scope = LEAVES_NEWS, minutes: float = 0, event_id: str = "click", **more: Subject) -> OptOut:
    """Ann's no, said to us."""
    return OptOut(
        subject=more.get("subject", ANN_HERE),
        scope=scope,
        event_id=event_id,
        provenance=said(minutes=minutes),
    )


def yes(
    mailing_list: ListKey = NEWS,
    minutes: float = 0,
    *,
    subject: Subject = ANN_HERE,
    cites: Iterable[OptOut] = (),
    standing: Standing = Standing.CONFIRMED,
    expires_at: datetime | None = None,
) -> Consent:
    """Ann's yes, confirmed by herself."""
    return Consent(
        subject=subject,
        list=mailing_list,
        standing=standing,
        provenance=said(minutes=minutes, evidence="click in the confirmation mail"),
        cites=frozenset(one.id for one in cites),
        expires_at=expires_at,
    )


def standing(
    entries: Iterable[Entry],
    mailing_list: ListKey = NEWS,
    *,
    contact: ContactId = ANN,
    key: MatchKey | None = HERE,
    now: datetime = START + 30 * DAY,
) -> ListStanding:
    """Tell how somebody stands with a list, a month later."""
    return ConsentState(entries).person(contact, key).standing(mailing_list, now=now)


def binding(entries: Iterable[Entry], contact: ContactId, key: MatchKey | None, mailing_list: ListKey) -> set[EntryId]:
    """Name the opt-outs that bind somebody."""
    return {one.id for one in Person.read(entries, contact, key).opt_outs_of(mailing_list)}


def reading(entries: Iterable[Entry]) -> list[object]:
    """Read off everything that anybody could ask of a log."""
    entries = list(entries)
    everything: list[object] = [ConsentState(entries).opt_out_count()]
    for contact, key in PEOPLE:
        person = Person.read(entries, contact, key)
        everything += [person.opt_outs, person.suppressions, person.echoes, person.lists(), person.out_of_all]
        everything += [{one.id for one in person.opt_outs_of(mailing_list)} for mailing_list in LISTS]
        for now in (START, START + 30 * DAY):
            everything.append(person.held_by(now=now))
            everything += [person.standing(mailing_list, now=now) for mailing_list in LISTS]
    return everything


class TestLattice:
    """A state is what was said, whatever the order and however often."""

    @settings(max_examples=50)
    @given(logs(), logs(), logs())
    def test_merging(self, one: list[Entry], two: list[Entry], three: list[Entry]) -> None:
        """Merging states is commutative, associative and idempotent (F34)."""
        a, b, c = ConsentState(one), ConsentState(two), ConsentState(three)
        assert a.merge(b) == b.merge(a) == (a | b)
        assert a.merge(b).merge(c) == a.merge(b.merge(c))
        assert a.merge(a) == a.merge(ConsentState()) == a
        assert reading(a.merge(b).entries) == reading([*one, *two])

    @settings(max_examples=250)
    @given(logs(), st.data())
    def test_any_permutation_with_repeats(self, entries: list[Entry], data: st.DataObject) -> None:
        """Entries that arrive in another order, some several times, give the same answers (F33, F34)."""
        again = data.draw(st.lists(st.sampled_from(entries), max_size=4)) if entries else []
        shuffled = data.draw(st.permutations([*entries, *again]))
        assert reading(shuffled) == reading(entries)
        ids = [one.id for one in set(entries)]
        event(f"twins that differ: {len(ids) > len(set(ids))}")
        event(f"echoes: {any(Person.read(entries, *reader).echoes for reader in PEOPLE)}")

    @settings(max_examples=100)
    @given(logs(), st.data())
    def test_any_permutation_agrees_to_the_same(self, entries: list[Entry], data: st.DataObject) -> None:
        """What somebody agreed to, asked for, and when they were won anew is read the same in any order."""
        shuffled = data.draw(st.permutations(entries))
        for contact, key in PEOPLE:
            one, other = (Person.read(each, contact, key) for each in (entries, shuffled))
            assert (one.consents, one.requests) == (other.consents, other.requests)
            assert (one.elsewhere, one.renewed_at) == (other.elsewhere, other.renewed_at)

    def test_two_reports_of_one_instant(self) -> None:
        """Under one id and of one instant, with other words: which of them is kept depends on no order."""
        twins = [evolve(no(), provenance=said(text=text)) for text in ("b", "a")]
        held_twice = [held(SuppressionKind.SUNSET), evolve(held(SuppressionKind.SUNSET), provenance=said(text="a"))]
        assert 1 == len({one.id for one in twins}) == len({one.id for one in held_twice})
        entries: list[Entry] = [*twins, *held_twice]
        one, other = (Person.read(each, ANN, HERE) for each in (entries, entries[::-1]))
        assert (one.opt_outs, one.suppressions) == (other.opt_outs, other.suppressions)

    def test_one_event_46_times(self) -> None:
        """One click that arrives 46 times is one no (F33)."""
        state = ConsentState([no()] * 46)
        assert state.opt_out_count() == 1
        for _ in range(46):
            state = state.merge(ConsentState([no()]))
        assert state.opt_out_count() == 1


class TestOptOutWins:
    """Nothing but a consent that cites it overrides a no."""

    @settings(max_examples=250)
    @given(logs(citing=False))
    def test_without_a_citing_consent_nobody_comes_back(self, entries: list[Entry]) -> None:
        """Imports, later stamps, requests, lifts and pushes leave everybody out (O4, F16, F35)."""
        active = 0
        for contact, key in PEOPLE:
            person = Person.read(entries, contact, key)
            for mailing_list in LISTS:
                found = person.standing(mailing_list, now=START)
                active += found is ACTIVE
                if any(
                    isinstance(one, OptOut)
                    and one.scope.covers(mailing_list)
                    and (one.subject.contact_id == contact or (key is not None and one.subject.key == key))
                    for one in entries
                ):
                    assert found in OUT
        event(f"somebody is active: {active > 0}")

    @settings(max_examples=300)
    @given(logs(), st.data())
    def test_nothing_else_frees_anybody(self, entries: list[Entry], data: st.DataObject) -> None:
        """An entry that is no citing consent frees nobody from any opt-out (O4, F16).

        Two kinds bear on a return that the person did confirm, and so are left out here: that we pushed the no
        which it cites, and that the person moved from the address at which they confirmed it.
        """
        said_no = [one for one in entries if isinstance(one, OptOut)]
        overridden = {cite for one in entries if isinstance(one, Consent) for cite in one.cites}
        uncited = [one for one in said_no if one.id not in overridden]
        cites = cites_of(said_no)
        kinds: list[st.SearchStrategy[Entry]] = [
            opt_outs(),
            suppressions(),
            plain_consents(),
            requests(cites),
        ]
        kinds += [lifts(cites), address_changes(Actor.OPERATOR, Actor.ESP, Actor.POLICY)]
        if uncited:
            kinds.append(pushes_of(uncited))
        extra = data.draw(st.one_of(kinds))
        bound = False
        for contact, key in PEOPLE:
            for mailing_list in LISTS:
                before = binding(entries, contact, key, mailing_list)
                bound = bound or bool(before)
                assert before <= binding([*entries, extra], contact, key, mailing_list)
        event(f"somebody was out: {bound}; had come back: {bool(overridden)}; new: {type(extra).__name__}")

    @pytest.mark.parametrize("scope", SCOPES, ids=str)
    def test_the_scope_decides_the_lists(self, scope: Scope) -> None:
        """One list, one channel or all marketing: each no covers what it says (O2)."""
        found = {mailing_list: standing([yes(mailing_list), no(scope, 1)], mailing_list) for mailing_list in LISTS}
        expected = {
            "all": (OUT_OF_ALL, OUT_OF_ALL),
            "channel:email": (ListStanding.OUT_OF_CHANNEL, ListStanding.OUT_OF_CHANNEL),
            "channel:sms": (ACTIVE, ACTIVE),
            "list:news": (OUT_OF_LIST, ACTIVE),
            "list:offers": (ACTIVE, OUT_OF_LIST),
        }
        assert (found[NEWS], found[OFFERS]) == expected[str(scope)]

    def test_a_no_to_all_is_one_beside_others(self) -> None:
        """It stands whatever else they said no to, until a yes to anything cites it."""
        everything = no(Scope.all(), event_id="all")
        assert Person.read([no(), everything], ANN, HERE).out_of_all
        assert not Person.read([no()], ANN, HERE).out_of_all
        assert not Person.read([no(), everything, yes(OFFERS, 1, cites=[everything])], ANN, HERE).out_of_all

    def test_a_no_by_another_channel_binds_that_channel(self) -> None:
        """A no to text messages says nothing of mail, and binds text messages."""
        person = Person.read([yes(), no(Scope.channel(Channel.SMS))], ANN, HERE)
        assert person.standing(NEWS, now=START) is ACTIVE
        assert person.standing(NEWS, now=START, channel=Channel.SMS) is ListStanding.OUT_OF_CHANNEL

    def test_the_widest_no_is_the_one_told(self) -> None:
        """Of several that bind, the one that reaches furthest explains."""
        entries: list[Entry] = [no(), no(Scope.channel(Channel.EMAIL))]
        assert standing(entries) is ListStanding.OUT_OF_CHANNEL
        assert standing([*entries, no(Scope.all())]) is OUT_OF_ALL

    def test_subscribe_stamped_after_unsubscribe(self) -> None:
        """A sign-up stamped later than the no, by a clock or in a file, brings nobody back (F35, F64)."""
        ten_years = 10 * 365 * 24 * 60
        assert standing([no(), yes(minutes=ten_years)], now=START + 7300 * DAY) is OUT_OF_LIST
        assert standing([no(minutes=ten_years), yes(minutes=-ten_years)]) is OUT_OF_LIST

    def test_an_import_of_a_subscriber_list(self) -> None:
        """An import that says 'subscribed', or an operator's lift that cites the no, frees nobody (O4)."""
        said_no = no()
        imported = Consent(
            subject=ANN_HERE,
            list=NEWS,
            standing=Standing.IMPORTED,
            provenance=said(Actor.OPERATOR, 60, source="file:members.csv"),
        )
        lifted = Lift(subject=ANN_HERE, cites=[said_no.id], provenance=said(Actor.OPERATOR, 61, text="she called us"))
        request = ConsentRequest(subject=ANN_HERE, list=NEWS, provenance=said(minutes=62), asks=[said_no.id])
        assert standing([said_no, imported, lifted, request]) is OUT_OF_LIST

    def test_a_yes_for_one_list_does_not_free_another(self) -> None:
        """Whoever left everything and came back for Offers is still out of News (O2)."""
        master = no(Scope.all())
        entries: list[Entry] = [yes(NEWS), yes(OFFERS), master, yes(OFFERS, 10, cites=[master])]
        assert (standing(entries, OFFERS), standing(entries, NEWS)) == (ACTIVE, OUT_OF_ALL)
        assert not ConsentState(entries).person(ANN, HERE).out_of_all
        assert ConsentState(entries[:3]).person(ANN, HERE).out_of_all

    @settings(max_examples=200)
    @given(logs(), st.sampled_from(PEOPLE), st.data())
    def test_citing_for_one_list_leaves_the_others(
        self, entries: list[Entry], reader: tuple[ContactId, MatchKey | None], data: st.DataObject
    ) -> None:
        """Coming back for one list after leaving all frees no other, and changes nothing there (O2)."""
        master = no(Scope.all(), event_id="master", subject=Subject(contact_id=reader[0], key=reader[1]))
        back = data.draw(citing_consents(st.just(frozenset({master.id})), by=master.subject))
        other = NEWS if back.list == OFFERS else OFFERS
        before = Person.read([*entries, master], *reader)
        after = Person.read([*entries, master, back], *reader)
        assert before.standing(other, now=START) in OUT
        assert {o.id for o in before.opt_outs_of(other)} <= {o.id for o in after.opt_outs_of(other)}
        if not before.echoes:
            assert before.standing(other, now=START) is after.standing(other, now=START)
        event(f"came back: {after.standing(back.list, now=START) is ACTIVE}")


MAILCHIMP = "mailchimp"


def push_of(opt_out: OptOut, minutes: float) -> Pushed:
    """Our telling Mailchimp of a no."""
    return Pushed(
        subject=opt_out.subject,
        opt_out=opt_out.id,
        scope=opt_out.scope,
        provenance=said(Actor.OPERATOR, minutes, source=MAILCHIMP),
    )


def report(
    event_id: str,
    minutes: float,
    scope: Scope = LEAVES_NEWS,
    *,
    subject: Subject = ANN_HERE,
    source: str = MAILCHIMP,
    actor: Actor = Actor.ESP,
    dated: bool = True,
) -> OptOut:
    """What an ESP reports of a no."""
    return OptOut(
        subject=subject,
        scope=scope,
        event_id=event_id,
        provenance=said(actor, minutes, source=source),
        dated=dated,
    )


ECHO_MINUTES = tuple(limit / MINUTE for limit in ECHO)
PUSHED_AT = 2
BACK_AT = 10
"""The person comes back ten minutes after the start, while echoes may still arrive."""

WHOMS = st.sampled_from((ANN_HERE, Subject(contact_id=ANN), Subject(key=HERE)))


@st.composite
def returns(draw: st.DrawFn) -> tuple[list[Entry], Scope]:
    """Somebody leaves, comes back by their own confirmation, and is talked about, in any order."""
    scope = draw(st.sampled_from((Scope.list(NEWS), Scope.channel(Channel.EMAIL), Scope.all())))
    click = no(scope)
    asked = ConsentRequest(subject=ANN_HERE, list=NEWS, provenance=said(minutes=BACK_AT - 1), asks=[click.id])
    confirmed = evolve(yes(minutes=BACK_AT), cites=asked.asks, request=asked.id)
    repeats: st.SearchStrategy[Entry] = st.builds(no, st.just(scope), st.sampled_from((-1, 0, 1, 30)), subject=WHOMS)
    minutes = st.sampled_from((PUSHED_AT + ECHO_MINUTES[0], PUSHED_AT, PUSHED_AT + 5, BACK_AT))
    hooks: st.SearchStrategy[Entry] = st.builds(
        report, st.sampled_from(("hook-1", "hook-2")), minutes, st.just(scope), subject=WHOMS
    )
    exports: st.SearchStrategy[Entry] = st.builds(
        lambda minute, whom: report(state_event_id(whom, START + minute * MINUTE), minute, scope, subject=whom),
        minutes,
        WHOMS,
    )
    observed: st.SearchStrategy[Entry] = st.builds(
        lambda minute, whom: report(state_event_id(whom, None), minute, scope, subject=whom, dated=False),
        minutes,
        WHOMS,
    )
    elsewhere: st.SearchStrategy[Entry] = st.builds(
        yes, st.sampled_from(LISTS), st.sampled_from((-5, 5, 50)), standing=st.sampled_from(Standing)
    )
    talk = draw(st.lists(st.one_of(repeats, hooks, exports, observed, elsewhere), max_size=8))
    story: list[Entry] = [click, push_of(click, PUSHED_AT), asked, confirmed, *talk]
    return draw(st.permutations(story)), scope


class TestComingBack:
    """Whoever confirmed stays in, until they say no once more."""

    @settings(max_examples=300)
    @given(returns())
    def test_a_returner_stays(self, story: tuple[list[Entry], Scope]) -> None:
        """Repeats, echoes, exports and observations of the one no leave a returner in (O4, F33, F34)."""
        entries, _ = story
        assert standing(entries) is ACTIVE
        assert ConsentState(entries).opt_out_count() == 1
        event(f"echoes: {len(ConsentState(entries).person(ANN, HERE).echoes)}")

    @settings(max_examples=300)
    @given(returns(), st.data())
    def test_a_second_no_counts(self, story: tuple[list[Entry], Scope], data: st.DataObject) -> None:
        """A second no, with an event id of its own, takes the returner out again, in any order (F34).

        Ours counts whenever it bears; one that an ESP reports counts if it is too far from our push to be its
        echo, or came after the return.
        """
        entries, scope = story
        at_the_esp = data.draw(st.sampled_from((BACK_AT + 0.5, PUSHED_AT + 16, 10_000, PUSHED_AT - 3)))
        at_ours = data.draw(st.sampled_from((-5, PUSHED_AT, BACK_AT, 10_000)))
        again = data.draw(
            st.sampled_from(
                (
                    no(scope, at_ours, "second click"),
                    report("hook-9", at_the_esp, scope),
                    report(state_event_id(ANN_HERE, START + at_the_esp * MINUTE), at_the_esp, scope),
                )
            )
        )
        place = data.draw(st.integers(0, len(entries)))
        assert standing([*entries[:place], again, *entries[place:]]) in OUT
        assert ConsentState([*entries, again]).opt_out_count() == 2

    def test_one_click_that_came_back_four_times(self) -> None:
        """Our own entry, the webhook our push caused, a pull and next week's export are one no (F33)."""
        click = no()
        state_id = state_event_id(ANN_HERE, START + 3 * MINUTE)
        told: list[Entry] = [
            click,
            push_of(click, 2),
            report("hook", 3),
            report(state_id, 3),
            report(state_id, 3),
        ]
        assert ConsentState(told).opt_out_count() == 1
        assert Person.read(told, ANN, HERE).echoes.keys() == {told[2].id, told[3].id}
        assert standing(told) is OUT_OF_LIST
        assert standing([*told, yes(minutes=60, cites=[click])]) is ACTIVE

    @pytest.mark.parametrize("exported_at", [3, 3.5, 2.1], ids=["same time", "cut seconds", "before"])
    def test_one_click_at_the_esp_told_under_two_ids(self, exported_at: float) -> None:
        """A click at the ESP comes as a webhook and again in next week's export: one no, cited with either (O4)."""
        hook = report("hook", 3)
        state = report(state_event_id(ANN_HERE, START + exported_at * MINUTE), exported_at)
        for told in ([hook, state], [state, hook]):
            assert ConsentState(told).opt_out_count() == 1
            assert standing(told) is OUT_OF_LIST
            assert standing([*told, yes(minutes=60, cites=[hook])]) is ACTIVE

    def test_a_second_click_at_the_esp_after_the_return(self) -> None:
        """Whoever came back and says no again minutes later is out, though the first no is near in time (O4)."""
        hook, again = report("hook", 3), report("hook-2", 8)
        back = yes(minutes=5, cites=[hook])
        assert standing([hook, back]) is ACTIVE
        assert standing([hook, back, again]) is OUT_OF_LIST
        assert ConsentState([again, back, hook]).opt_out_count() == 2

    def test_a_state_without_a_time_after_the_return(self) -> None:
        """An observation never seen before opens a new no once somebody came back: the registry errs on that side."""
        hook, observed = report("hook", 3), report("observed", 90, dated=False)
        back = yes(minutes=60, cites=[hook])
        assert standing([hook, observed]) is OUT_OF_LIST
        assert ConsentState([hook, observed]).opt_out_count() == 1
        assert standing([hook, back, observed]) is OUT_OF_LIST

    @pytest.mark.parametrize(
        ("why", "again", "back"),
        [
            ("another system says so", report("hook", 3, source="sendgrid"), 60),
            ("it reaches further", report("hook", 3, Scope.all()), 60),
            ("it is about another address", report("hook", 3, subject=Subject(contact_id=ANN, key=HOME)), 60),
            ("the person says so there", report("hook", 3, actor=Actor.CONTACT), 60),
            ("too late to be an echo", report("hook", 2 + 15.1), 60),
            ("too early to be an echo", report("hook", 2 - 1.1), 60),
            ("after the return", report("hook", 10.1), 10),
            ("observed before the push", report("observed", 0.5, dated=False), 60),
        ],
    )
    def test_what_is_no_echo_is_a_no(self, why: str, again: OptOut, back: float) -> None:
        """Only what our own push can have caused is its echo; all else is a no that counts."""
        click = no(subject=Subject(key=HERE))
        entries: list[Entry] = [click, push_of(click, 2), yes(minutes=back, cites=[click])]
        assert standing(entries) is ACTIVE
        assert standing([*entries, again]) in OUT, why
        assert ConsentState([*entries, again]).opt_out_count() == 2

    @pytest.mark.parametrize("minutes", [ECHO_MINUTES[0], 0, ECHO_MINUTES[1]])
    def test_how_far_an_echo_may_be_off(self, minutes: float) -> None:
        """ESPs cut seconds off and queue: from a minute before our push to a quarter of an hour after it."""
        click = no()
        entries: list[Entry] = [
            click,
            push_of(click, 2),
            report("hook", 2 + minutes),
            yes(minutes=60, cites=[click]),
        ]
        assert ECHO_MINUTES == (-1, 15)
        assert standing(entries) is ACTIVE

    @pytest.mark.parametrize("through", [Through.WEBHOOK, Through.IMPORT, Through.APPLICATION])
    def test_a_report_is_one_whoever_is_said_to_have_acted(self, through: Through) -> None:
        """A webhook or a file is a system's word, and may be an echo; what the person tells us is none (F33)."""
        click, told = no(), report("hook", 3, actor=Actor.CONTACT)
        told = evolve(told, provenance=evolve(told.provenance, through=through))
        noes = 2 if through is Through.APPLICATION else 1
        assert noes == ConsentState([click, push_of(click, 2), told]).opt_out_count()

    def test_a_state_without_a_time_after_our_push(self) -> None:
        """However late it is seen, our push may have caused it."""
        click = no()
        assert 1 == ConsentState([click, push_of(click, 2), report("observed", 90, dated=False)]).opt_out_count()

    @pytest.mark.parametrize("scope", [Scope.all(), Scope.channel(Channel.EMAIL)])
    def test_a_wide_no_is_echoed_list_by_list(self, scope: Scope) -> None:
        """An ESP that knows lists alone reports each of them when we tell it of a no to all: that is one no (F33)."""
        wide = no(scope)
        entries: list[Entry] = [wide, push_of(wide, 2), report("hook", 3), report("hook", 3, Scope.list("offers"))]
        assert 1 == ConsentState(entries).opt_out_count()
        assert standing([*entries, yes(minutes=60, cites=[wide])]) is ACTIVE

    def test_a_narrow_no_is_not_echoed_by_a_wider_one(self) -> None:
        """Who is told of one list and reports that all were left says something new; so does its own word."""
        narrow, wide = no(), report("hook", 3, Scope.all())
        assert 2 == ConsentState([narrow, push_of(narrow, 2), wide]).opt_out_count()
        assert 2 == ConsentState([wide, report(state_event_id(ANN_HERE, START + 3 * MINUTE), 3)]).opt_out_count()

    def test_two_words_of_one_kind_are_two_noes(self) -> None:
        """Two states with times of their own, or a no that we heard ourselves and a state, are no echoes."""
        states = [report(state_event_id(ANN_HERE, START + minutes * MINUTE), minutes) for minutes in (3, 3.5)]
        assert 2 == ConsentState(states).opt_out_count()
        heard = evolve(no(minutes=3), provenance=said(minutes=3, source=MAILCHIMP))
        assert 2 == ConsentState([heard, states[1]]).opt_out_count()

    def test_how_near_two_words_for_one_click_are(self) -> None:
        """Less than a minute apart; a state without a time is seen at the same instant or later, and never before."""
        hook = report("hook", 3)
        for minutes, noes in ((3.99, 1), (4, 2), (2.01, 1), (2, 2)):
            state = report(state_event_id(ANN_HERE, START + minutes * MINUTE), minutes)
            assert noes == ConsentState([hook, state]).opt_out_count()
        for minutes, noes in ((3, 1), (2.5, 2)):
            assert noes == ConsentState([hook, report("observed", minutes, dated=False)]).opt_out_count()

    def test_two_people_do_not_echo_each_other(self) -> None:
        """Neither where no address is known of them, nor where no contact is."""
        for one, other in (
            (Subject(contact_id=ANN), Subject(contact_id=BOB)),
            (Subject(key=HERE), Subject(key=HOME)),
        ):
            state = report(state_event_id(other, START + 3 * MINUTE), 3, subject=other)
            assert 2 == ConsentState([report("hook", 3, subject=one), state]).opt_out_count()

    def test_the_return_of_another_parts_no_words(self) -> None:
        """Bob comes back between the ESP's two words for Ann's click: it is one no all the same."""
        hook, state = report("hook", 3), report(state_event_id(ANN_HERE, START + 3.5 * MINUTE), 3.5)
        bobs = yes(minutes=3.2, subject=Subject(contact_id=BOB, key=HOME), cites=[no(event_id="of Bob")])
        assert 1 == ConsentState([hook, state, bobs]).opt_out_count()

    def test_no_report_echoes_itself(self) -> None:
        """What an ESP told us and we then told it of is the no, and no echo."""
        hook = report("hook", 3)
        assert {} == Person.read([hook, push_of(hook, 3)], ANN, HERE).echoes

    @pytest.mark.parametrize(("back", "expected"), [(3, OUT_OF_LIST), (3.5, ACTIVE)])
    def test_the_very_instant_of_a_return(self, back: float, expected: ListStanding) -> None:
        """A return at the instant of the first word parts it from the second; one at that of the second does not."""
        hook, state = report("hook", 3), report(state_event_id(ANN_HERE, START + 3.5 * MINUTE), 3.5)
        assert expected is standing([hook, state, yes(minutes=back, cites=[hook])])

    def test_an_echo_of_an_uncited_no_keeps_it(self) -> None:
        """The report that our push caused is evidence of the no, and frees nobody."""
        click = no()
        entries: list[Entry] = [click, push_of(click, 2), report("hook", 3)]
        assert binding(entries, ANN, HERE, NEWS) == {click.id, entries[2].id}

    def test_reported_twice_and_once_too_early(self) -> None:
        """An ESP's no that was seen before our push, and again after it, was not caused by it."""
        click = no(minutes=5)
        seen = [report("observed", minutes, dated=False) for minutes in (0, 7)]
        entries: list[Entry] = [click, push_of(click, 6), *seen, yes(minutes=10, cites=[click])]
        assert standing(entries) is OUT_OF_LIST
        assert standing(reversed(entries)) is OUT_OF_LIST

    def test_two_pushes_in_one_quarter_of_an_hour(self) -> None:
        """What either of two pushes can have caused is an echo to whoever came back from one of them."""
        first, second = no(), no(event_id="second", minutes=1, subject=Subject(contact_id=BOB, key=HOME))
        pushes = [push_of(first, 2), evolve(push_of(second, 3), subject=ANN_HERE)]
        for cited in (first, second):  # whichever id sorts first
            entries: list[Entry] = [cited, *pushes, report("hook", 4), yes(minutes=60, cites=[cited])]
            assert standing(entries) is ACTIVE

    def test_the_earliest_no_is_told_first(self) -> None:
        """Whatever came first, the opt-outs that bind a list are given in order of time."""
        early, late = no(event_id="z"), no(minutes=5)
        for entries in ([early, late], [late, early]):
            assert [early, late] == Person.read(entries, ANN, HERE).opt_outs_of(NEWS)

    def test_the_earliest_report_is_kept(self) -> None:
        """Of one no that is told with two times, the earlier is shown, whatever came first."""
        early, late = no(minutes=0), no(minutes=5)
        for entries in ([early, late], [late, early]):
            assert Person.read(entries, ANN, HERE).opt_outs == {early.id: early}


class TestWhoseConsent:
    """Consent counts where contact and address both match; a no where either does."""

    @pytest.mark.parametrize("contact", CONTACTS)
    @pytest.mark.parametrize("key", [*KEYS, None])
    def test_consent_needs_both(self, contact: ContactId, key: MatchKey | None) -> None:
        """Ann's yes is nobody else's, and at another address of hers it must be confirmed."""
        expected = NONE if contact == BOB else ACTIVE if key == HERE else UNCONFIRMED
        assert standing([yes()], contact=contact, key=key) is expected

    @pytest.mark.parametrize("subject", [ANN_HERE, Subject(contact_id=ANN), Subject(key=HERE)], ids=str)
    @pytest.mark.parametrize("contact", CONTACTS)
    @pytest.mark.parametrize("key", KEYS)
    def test_a_no_needs_either(self, subject: Subject, contact: ContactId, key: MatchKey) -> None:
        """A no binds the contact at any address, and anybody at the address (F61)."""
        mine = subject.contact_id == contact or subject.key == key
        entries: list[Entry] = [yes(subject=Subject(contact_id=contact, key=key)), no(subject=subject)]
        assert standing(entries, contact=contact, key=key) is (OUT_OF_LIST if mine else ACTIVE)

    def test_another_person_at_the_same_address_cannot_come_back_for_me(self) -> None:
        """Two contacts share an address, and one of them returns: the other stays out (O4)."""
        click = no(subject=Subject(key=HERE))
        bob = Subject(contact_id=BOB, key=HERE)
        entries: list[Entry] = [yes(), yes(subject=bob), click, yes(subject=bob, cites=[click])]
        assert standing(entries, contact=BOB) is ACTIVE
        assert standing(entries, contact=ANN) is OUT_OF_LIST

    @settings(max_examples=300)
    @given(
        st.lists(st.sampled_from(Actor), max_size=4),
        st.integers(0, 4),
        st.sampled_from(("contact", "key", "both")),
        st.data(),
    )
    def test_moving(self, movers: list[Actor], where: int, named: str, data: st.DataObject) -> None:
        """The person's own moves carry a yes along; a no comes along on any move, and stays behind too."""
        keys = [MatchKey(f"1:ann@{number}.example") for number in range(len(movers) + 1)]
        where = min(where, len(movers))
        moves = [
            AddressChanged(
                subject=Subject(contact_id=ANN, key=keys[step + 1]),
                old=keys[step],
                provenance=said(mover, step),
            )
            for step, mover in enumerate(movers)
        ]
        there = Subject(contact_id=ANN, key=keys[where])
        agreed: list[Entry] = [*moves, yes(subject=there)]
        carried = all(mover is Actor.CONTACT for mover in movers[where:])
        assert standing(data.draw(st.permutations(agreed)), key=keys[-1]) is (ACTIVE if carried else UNCONFIRMED)

        whom = {"contact": Subject(contact_id=ANN), "key": Subject(key=keys[where]), "both": there}[named]
        finally_there = Subject(contact_id=ANN, key=keys[-1])
        story: list[Entry] = [*moves, yes(subject=finally_there), no(subject=whom)]
        left = data.draw(st.permutations(story))
        assert standing(left, key=keys[-1]) is OUT_OF_LIST
        stranger = yes(subject=Subject(contact_id=BOB, key=keys[where]))
        stays = named != "contact"
        assert standing([*left, stranger], contact=BOB, key=keys[where]) is (OUT_OF_LIST if stays else ACTIVE)
        event(f"moves: {len(movers)}, carried: {carried}")

    def test_a_yes_comes_along_through_every_move(self) -> None:
        """Two moves of their own carry it from the first address to the last, in whatever order they are told."""
        moves = [
            AddressChanged(subject=Subject(contact_id=ANN, key=new), old=old, provenance=said(minutes=minutes))
            for minutes, (old, new) in enumerate([(HERE, HOME), (HOME, ELSEWHERE)])
        ]
        for told in (moves, moves[::-1]):
            assert ACTIVE is standing([yes(), *told], key=ELSEWHERE)

    def test_a_return_moves_with_the_person_alone(self) -> None:
        """Whoever came back and then moves stays in; one who was moved by others is out at the new address."""
        click = no()
        entries: list[Entry] = [click, yes(minutes=5, cites=[click])]
        for mover, expected in ((Actor.CONTACT, ACTIVE), (Actor.OPERATOR, OUT_OF_LIST)):
            moved = AddressChanged(subject=Subject(contact_id=ANN, key=HOME), old=HERE, provenance=said(mover, 6))
            assert standing([*entries, moved], key=HOME) is expected
        assert standing(entries, key=HERE) is ACTIVE

    def test_a_request_is_unconfirmed_until_answered(self) -> None:
        """A sign-up that awaits its click is unconfirmed; the click answers it for good."""
        asked = ConsentRequest(subject=ANN_HERE, list=NEWS, provenance=said())
        answer = evolve(yes(minutes=1, expires_at=START + DAY), request=asked.id)
        assert standing([asked]) is UNCONFIRMED
        assert standing([asked], OFFERS) is NONE
        assert standing([asked, answer], now=START) is ACTIVE
        assert standing([asked, answer], now=START + DAY) is EXPIRED
        assert Person.read([asked], BOB, HERE).requests == Person.read([asked], ANN, HOME).requests == ()

    def test_implied_consent_ends(self) -> None:
        """Implied consent counts until its last instant and not in it; another yes outlives it (R10)."""
        implied = yes(standing=Standing.IMPLIED, expires_at=START + DAY)
        assert standing([implied], now=START + DAY - timedelta(microseconds=1)) is ACTIVE
        assert standing([implied], now=START + DAY) is EXPIRED
        assert standing([implied, yes(minutes=1)], now=START + DAY) is ACTIVE

    def test_what_others_did_is_not_mine(self) -> None:
        """Bob left an address, Bob said no without one: neither binds Ann, with an address or with none (F61)."""
        left = AddressChanged(subject=Subject(contact_id=BOB, key=ELSEWHERE), old=HOME, provenance=said())
        his = no(subject=Subject(contact_id=BOB))
        entries: list[Entry] = [left, his, no(subject=Subject(key=HOME), event_id="another")]
        for key in (HERE, None):
            assert {} == Person.read(entries, ANN, key).opt_outs
        moved = AddressChanged(subject=Subject(contact_id=ANN), old=HERE, provenance=said())
        assert {} == Person.read([moved, his], ANN, None).opt_outs

    def test_a_request_at_another_address_is_to_be_confirmed(self) -> None:
        """It waits, as a yes there does, and is no request at this address."""
        asked = ConsentRequest(subject=ANN_HERE, list=NEWS, provenance=said())
        person = Person.read([asked], ANN, HOME)
        assert UNCONFIRMED is person.standing(NEWS, now=START)
        assert (frozenset({NEWS}), 0) == (person.elsewhere, len(person.requests))

    def test_an_import_answers_for_nobody_who_was_asked(self) -> None:
        """While a request waits, only the person's own yes counts (O4)."""
        asked = ConsentRequest(subject=ANN_HERE, list=NEWS, provenance=said())
        for kind, expected in ((Standing.IMPORTED, UNCONFIRMED), (Standing.EXPRESS, ACTIVE)):
            assert expected is standing([asked, yes(standing=kind)])
            assert ACTIVE is standing([yes(standing=kind)])

    @pytest.mark.parametrize("kind", [Standing.IMPORTED, Standing.EXPRESS])
    def test_no_import_agrees_to_an_address_that_others_chose(self, kind: Standing) -> None:
        """Where an operator moved somebody, a list says nothing of them; a yes of their own does (O4)."""

        def move(mover: Actor, old: MatchKey | None, new: MatchKey, minutes: float) -> AddressChanged:
            whom = Subject(contact_id=ANN, key=new)
            return AddressChanged(subject=whom, old=old, provenance=said(mover, minutes))

        there = yes(subject=Subject(contact_id=ANN, key=HOME), standing=kind)
        disputed = UNCONFIRMED if kind is Standing.IMPORTED else ACTIVE
        assert disputed is standing([there, move(Actor.OPERATOR, HERE, HOME, 1)], key=HOME)
        assert ACTIVE is standing([there, move(Actor.CONTACT, HERE, HOME, 1)], key=HOME)
        assert ACTIVE is standing([there, move(Actor.OPERATOR, None, HOME, 1)], key=HOME)
        undone = [move(Actor.OPERATOR, HERE, HOME, 1), move(Actor.OPERATOR, HOME, HERE, 2)]
        for moves in (undone, undone[::-1]):
            assert ACTIVE is standing([yes(standing=kind), *moves]), "the address they began with is theirs"
            assert disputed is standing([there, *moves, move(Actor.OPERATOR, HERE, HOME, 3)], key=HOME)

    def test_when_they_were_last_won_anew(self) -> None:
        """By a yes of their own, or the end of their sunset; no list, no other lift and no word of others does it."""
        sunset, pause = held(SuppressionKind.SUNSET), held(SuppressionKind.PAUSE)
        both = {sunset.id, pause.id}
        back = Lift(subject=ANN_HERE, cites=both, provenance=said(minutes=5))
        silent = Lift(subject=ANN_HERE, cites=both, provenance=said(Actor.OPERATOR, 9))
        listed = yes(standing=Standing.IMPORTED, minutes=9)

        def renewed(*entries: Entry) -> datetime | None:
            return Person.read(entries, ANN, HERE).renewed_at

        assert None is renewed(listed, sunset, pause, silent, yes(subject=Subject(contact_id=BOB, key=HERE)))
        assert START + 2 * MINUTE == renewed(yes(minutes=1), yes(OFFERS, 2), listed)
        assert START + 5 * MINUTE == renewed(yes(minutes=1), sunset, pause, back)
        assert START + 1 * MINUTE == renewed(yes(minutes=1), pause, back)

    def test_the_audience_is_whoever_said_yes_or_asked(self) -> None:
        """Every list they agreed to, asked for or agreed to elsewhere is listed, before any gate."""
        asked = ConsentRequest(subject=ANN_HERE, list=OFFERS, provenance=said())
        assert Person.read([asked, no(), yes(subject=Subject(contact_id=ANN, key=HOME))], ANN, HERE).lists() == {
            NEWS,
            OFFERS,
        }
        assert Person.read([asked, yes()], BOB, HERE).lists() == frozenset()


def held(
    kind: SuppressionKind,
    minutes: float = 0,
    *,
    subject: Subject = ANN_HERE,
    event_id: str = "s1",
    until: datetime | None = None,
) -> Suppression:
    """A reason not to mail Ann that is not her no."""
    return Suppression(subject=subject, kind=kind, event_id=event_id, provenance=said(Actor.ESP, minutes), until=until)


def held_by(
    entries: Iterable[Entry], contact: ContactId = ANN, key: MatchKey | None = HERE, now: datetime = START
) -> set[SuppressionKind]:
    """Name the suppressions in force."""
    return set(Person.read(entries, contact, key).held_by(now=now))


ANY, WORDS, NEVER = "may", "may, in words", "may not"
MAY_LIFT = {
    SuppressionKind.BOUNCE: {Actor.OPERATOR: WORDS},
    SuppressionKind.COMPLAINT: {Actor.CONTACT: WORDS},
    SuppressionKind.SUNSET: {Actor.CONTACT: ANY, Actor.OPERATOR: WORDS},
    SuppressionKind.PAUSE: {Actor.CONTACT: ANY},
    SuppressionKind.ARCHIVE: {Actor.CONTACT: ANY, Actor.OPERATOR: WORDS},
    SuppressionKind.ERASURE: {},
}
"""Who may lift what, written down a second time, so that no slip in the rules goes unnoticed."""


class TestSuppressions:
    """Each reason not to mail ends by its own rule."""

    @pytest.mark.parametrize("text", ["", "   ", "the mailbox works again"])
    @pytest.mark.parametrize("actor", Actor)
    @pytest.mark.parametrize("kind", SuppressionKind)
    def test_who_may_lift_what(self, kind: SuppressionKind, actor: Actor, text: str) -> None:
        """A lift ends what its actor may lift, in words where they are due, and no more (O4, S11, R23)."""
        rule = MAY_LIFT[kind].get(actor, NEVER)
        lifts_it = rule == ANY or (rule == WORDS and bool(text.strip()))
        entries: list[Entry] = [held(kind)]
        lift = Lift(subject=ANN_HERE, cites=[entries[0].id], provenance=said(actor, 5, text=text))
        assert held_by(entries) == {kind}
        assert held_by([*entries, lift]) == held_by([lift, *entries]) == (set() if lifts_it else {kind})

    @settings(max_examples=150)
    @given(logs(), st.data())
    def test_a_lift_touches_no_opt_out(self, entries: list[Entry], data: st.DataObject) -> None:
        """Whoever lifts whatever, opt-outs stay as they were, and so does every erasure (O4, F62)."""
        known = [one for one in entries if isinstance(one, OptOut | Suppression)]
        lift = data.draw(lifts(cites_of(known)))
        for contact, key in PEOPLE:
            before, after = Person.read(entries, contact, key), Person.read([*entries, lift], contact, key)
            assert before.opt_outs == after.opt_outs
            for mailing_list in LISTS:
                assert before.standing(mailing_list, now=START) is after.standing(mailing_list, now=START)
            kinds = before.held_by(now=START).keys()
            assert after.held_by(now=START).keys() <= kinds
            assert (SuppressionKind.ERASURE in kinds) == (SuppressionKind.ERASURE in after.held_by(now=START))
        event(f"the lift cites: {len(lift.cites)}")

    def test_a_lift_ends_only_what_it_cites(self) -> None:
        """A lift of one sunset leaves another."""
        entries: list[Entry] = [held(SuppressionKind.SUNSET), held(SuppressionKind.SUNSET, event_id="s2")]
        lift = Lift(subject=ANN_HERE, cites=[entries[0].id], provenance=said(Actor.CONTACT))
        assert Person.read([*entries, lift], ANN, HERE).suppressions.keys() == {entries[1].id}

    def test_a_lift_by_somebody_else_is_none(self) -> None:
        """Bob withdraws no complaint of Ann's, even if he cites it: only the person does (O4, R23)."""
        complaint = held(SuppressionKind.COMPLAINT)
        words = said(Actor.CONTACT, 5, text="I like it after all")
        bobs = Lift(subject=Subject(contact_id=BOB, key=HOME), cites=[complaint.id], provenance=words)
        anns = Lift(subject=Subject(contact_id=ANN), cites=[complaint.id], provenance=words)
        assert held_by([complaint, bobs]) == {SuppressionKind.COMPLAINT}
        assert held_by([complaint, anns]) == set()

    def test_a_lift_survives_a_move(self) -> None:
        """What was lifted at the old address, by an entry that names it alone, stays lifted after a move."""
        sunset = held(SuppressionKind.SUNSET)
        lift = Lift(subject=Subject(key=HERE), cites=[sunset.id], provenance=said(Actor.CONTACT))
        moved = AddressChanged(subject=Subject(contact_id=ANN, key=HOME), old=HERE, provenance=said(minutes=9))
        assert held_by([sunset, moved], key=HOME) == {SuppressionKind.SUNSET}
        assert held_by([sunset, moved, lift], key=HOME) == set()

    def test_a_pause_ends_on_its_date(self) -> None:
        """A pause holds until its date and is over at that instant (P3)."""
        pause = held(SuppressionKind.PAUSE, until=START + DAY)
        assert held_by([pause], now=START + DAY - timedelta(microseconds=1)) == {SuppressionKind.PAUSE}
        assert held_by([pause], now=START + DAY) == set()

    def test_a_pause_told_twice_holds_for_the_longer(self) -> None:
        """One pause told with two ends holds until the later, in any order; without an end, for good."""
        short, long = (held(SuppressionKind.PAUSE, until=START + days * DAY) for days in (1, 3))
        endless = held(SuppressionKind.PAUSE)
        for entries in ([short, long], [long, short]):
            assert held_by(entries, now=START + 2 * DAY) == {SuppressionKind.PAUSE}
            assert held_by(entries, now=START + 3 * DAY) == set()
        for entries in ([endless, long], [long, endless]):
            assert held_by(entries, now=START + 9 * DAY) == {SuppressionKind.PAUSE}

    def test_the_earliest_of_a_kind_is_told(self) -> None:
        """Of two sunsets in force, the earlier explains."""
        late, early = held(SuppressionKind.SUNSET, 5), held(SuppressionKind.SUNSET, 1, event_id="s2")
        assert Person.read([late, early], ANN, HERE).held_by(now=START) == {SuppressionKind.SUNSET: early}

    @pytest.mark.parametrize("kind", SuppressionKind)
    @pytest.mark.parametrize("actor", [Actor.CONTACT, Actor.OPERATOR])
    def test_what_follows_a_move(self, kind: SuppressionKind, actor: Actor) -> None:
        """A dead mailbox stays behind, whoever moves; what is about the person comes along (R23)."""
        moved = AddressChanged(subject=Subject(contact_id=ANN, key=HOME), old=HERE, provenance=said(actor, 5))
        for whom in (ANN_HERE, Subject(key=HERE)):
            entries: list[Entry] = [held(kind, subject=whom), moved]
            assert held_by(entries, key=HOME) == (set() if kind is SuppressionKind.BOUNCE else {kind})
            assert held_by(entries, key=HERE) == {kind}

    @pytest.mark.parametrize("kind", SuppressionKind)
    def test_who_else_is_held(self, kind: SuppressionKind) -> None:
        """A suppression holds whoever uses its address; one that names none holds its contact everywhere."""
        assert held_by([held(kind)], contact=BOB, key=HERE) == {kind}
        assert held_by([held(kind)], contact=BOB, key=HOME) == set()
        alone = held(kind, subject=Subject(contact_id=ANN))
        assert held_by([alone], key=HOME) == held_by([alone], key=None) == {kind}
        assert held_by([alone], contact=BOB) == set()

    @pytest.mark.parametrize("kind", [SuppressionKind.BOUNCE, SuppressionKind.COMPLAINT])
    def test_a_new_sign_up_lifts_nothing(self, kind: SuppressionKind) -> None:
        """Complaints and hard bounces survive a sign-up, even one that cites an opt-out (O4, R23)."""
        click = no()
        entries: list[Entry] = [held(kind), click, yes(minutes=5, cites=[click])]
        assert standing(entries) is ACTIVE
        assert held_by(entries) == {kind}
