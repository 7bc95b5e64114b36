"""How lists are used, read from a programme and the consent log (L5)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.lint import Usage, usage_of
from lifecycle_mail.model.consent import ConsentState, Person
from lifecycle_mail.model.entries import Consent, Entry, OptOut, Pushed, Standing, Subject
from lifecycle_mail.model.lists import Channel, MailingList, Scope
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.programme import Programme
from tests.lint.samples import used
from tests.strategies import CONTACTS, KEYS, PEOPLE, START, opt_outs, plain_consents, subjects

ANN, BOB = (Subject(contact_id=contact, key=key) for contact, key in ((CONTACTS[0], KEYS[0]), (CONTACTS[1], KEYS[2])))
OFFERS = MailingList("offers", title="Offers")
TEXTS = MailingList("texts", title="Texts", channel=Channel.SMS)
SAID = Provenance(actor=Actor.CONTACT, through=Through.SIGN_UP, at=START)


def yes(subject: Subject, key: str) -> Consent:
    """A yes to a list."""
    return Consent(subject=subject, list=ListKey(key), standing=Standing.EXPRESS, provenance=SAID)


def no(subject: Subject, scope: Scope, event: str = "e1") -> OptOut:
    """A no."""
    return OptOut(subject=subject, scope=scope, event_id=event, provenance=SAID)


def people(*entries: Entry) -> list[Person]:
    """Ann and Bob, as these entries show them."""
    return [Person.read(entries, one.contact_id, one.key) for one in (ANN, BOB) if one.contact_id is not None]


def shape(usage: Usage) -> dict[str, tuple[int, int]]:
    """Subscribers and opt-outs of each list."""
    return {one.list.key: (one.subscribers, one.opt_outs) for one in usage.lists}


def test_counts_the_active_and_the_gone() -> None:
    """Who left is no subscriber; opt-outs count for their list, and from all marketing for none (L5)."""
    persons = people(
        yes(ANN, "offers"), yes(BOB, "offers"), yes(BOB, "news"), no(ANN, Scope.list("offers")), no(BOB, Scope.all())
    )
    usage = usage_of(Programme.of(OFFERS), persons, now=START)
    assert {"news": (0, 0), "offers": (0, 1)} == shape(usage)
    assert (1, 1) == (usage.master_opt_outs, usage.list_opt_outs)
    assert {"offers": (2, 0)} == shape(
        usage_of(Programme.of(OFFERS), people(yes(ANN, "offers"), yes(BOB, "offers")), now=START)
    )


def test_a_no_to_a_channel_is_neither() -> None:
    """It says nothing about lists; it ends the subscriptions that travel over that channel."""
    channel = no(ANN, Scope.channel(Channel.SMS))
    usage = usage_of(Programme.of(OFFERS, TEXTS), people(yes(ANN, "offers"), yes(ANN, "texts"), channel), now=START)
    assert {"offers": (1, 0), "texts": (0, 0)} == shape(usage)
    assert (0, 0) == (usage.master_opt_outs, usage.list_opt_outs)


def test_time_is_taken_from_the_caller() -> None:
    """Consent that has run out makes no subscriber."""
    consent = Consent(
        subject=ANN, list=ListKey("offers"), standing=Standing.IMPLIED, provenance=SAID, expires_at=START + timedelta(1)
    )
    assert {"offers": (1, 0)} == shape(usage_of(Programme(), people(consent), now=START))
    assert {"offers": (0, 0)} == shape(usage_of(Programme(), people(consent), now=START + timedelta(1)))


def test_one_no_of_two_people_is_one() -> None:
    """An opt-out that binds everybody at an address was still said once; two events are two."""
    shared = Subject(key=KEYS[1])
    both = [Subject(contact_id=contact, key=KEYS[1]) for contact in CONTACTS]
    entries: list[Entry] = [no(shared, Scope.all()), *(yes(one, "offers") for one in both)]
    persons = [Person.read(entries, contact, KEYS[1]) for contact in CONTACTS]
    assert all(person.opt_outs for person in persons)
    assert 1 == usage_of(Programme(), persons, now=START).master_opt_outs
    assert (
        2 == usage_of(Programme(), people(no(ANN, Scope.all()), no(ANN, Scope.all(), "e2")), now=START).master_opt_outs
    )


def test_an_echo_is_no_second_no() -> None:
    """What an ESP reports because we told it counts once."""
    said = no(ANN, Scope.list("offers"))
    at_esp = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=START, source="mailchimp")
    pushed = Pushed(subject=ANN, opt_out=said.id, scope=said.scope, provenance=at_esp)
    echo = OptOut(subject=ANN, scope=said.scope, event_id="back", provenance=at_esp)
    assert 2 == usage_of(Programme(), people(said, echo), now=START).list_opt_outs
    assert 1 == usage_of(Programme(), people(said, echo, pushed), now=START).list_opt_outs


def test_campaigns_are_planned_or_sent() -> None:
    """Those of the programme and those that were sent both count, each once (L3)."""
    programme = Programme.of(OFFERS, Campaign("sale", to=[OFFERS, TEXTS]))
    usage = usage_of(
        programme,
        (),
        {"offers": frozenset({"sale", "old"}), "texts": frozenset({"old"}), "gone": frozenset({"old"})},
        now=START,
    )
    assert {"offers": {"sale", "old"}, "texts": {"sale", "old"}, "gone": {"old"}} == {
        one.list.key: one.campaigns for one in usage.lists
    }


def test_lists_that_only_the_log_knows_are_there() -> None:
    """A list of an old export, joined or only left, has no title."""
    persons = people(*(yes(ANN, key) for key in ("q3-import", "q1", "q2")), no(BOB, Scope.list("left")))
    usage = usage_of(Programme.of(OFFERS), persons, now=START)
    assert [("left", ""), ("offers", "Offers"), ("q1", ""), ("q2", ""), ("q3-import", "")] == [
        (one.list.key, one.list.title) for one in usage.lists
    ]
    assert {"left": (0, 1), "offers": (0, 0), "q1": (1, 0), "q2": (1, 0), "q3-import": (1, 0)} == shape(usage)


def test_each_list_is_given_once() -> None:
    """The same list twice is refused, with its key."""
    with pytest.raises(InvalidInput, match="'deals' are given twice"):
        Usage(lists=[used("deals", "Deals"), used("deals", "More deals"), used("news", "News")])


@given(st.lists(st.one_of(opt_outs(), plain_consents(), st.builds(no, subjects(), st.just(Scope.all()))), max_size=8))
def test_counts_agree_with_the_log(entries: list[Entry]) -> None:
    """Every list and every no of the log is counted, those to channels aside."""
    persons = [Person.read(entries, contact, key) for contact, key in PEOPLE]
    usage = usage_of(Programme(), persons, now=START)
    state = ConsentState(entries)
    channels = {entry.id for entry in state.of(OptOut) if str(entry.scope).startswith("channel")}
    bound = {entry.id for person in persons for entry in person.opt_outs.values()}
    assert len(bound - channels) == usage.master_opt_outs + usage.list_opt_outs
    assert usage.list_opt_outs == sum(one.opt_outs for one in usage.lists)
    assert {key for person in persons for key in person.lists()} <= {one.list.key for one in usage.lists}
    assert usage == usage_of(Programme(), reversed(persons), now=START)
