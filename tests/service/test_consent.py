"""Consent through `Lifecycle`: who is in, who is out, and who may change it (O1-O4, L3, L4)."""

from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from attrs import evolve

from lifecycle_mail.errors import (
    AmbiguousAddress,
    CampaignRefused,
    ConsentRefused,
    InvalidAddress,
    InvalidInput,
    LiftRefused,
    Misconfigured,
    UnknownName,
)
from lifecycle_mail.mails.links import Link, LinkPurpose, Links, Tokens
from lifecycle_mail.mails.signing import SigningKey
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.consent import ConsentState, ListStanding
from lifecycle_mail.model.entries import (
    Consent,
    ConsentRequest,
    Lift,
    OptOut,
    Standing,
    Suppression,
    SuppressionKind,
)
from lifecycle_mail.model.intake import Held, Joined, Known, Who
from lifecycle_mail.model.lists import Channel, MailingList, Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.consent_rules import ConsentRules
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.policy.segments import Segment
from lifecycle_mail.policy.where import where
from lifecycle_mail.service import Lifecycle, NeedsConfirmation, Subscribed
from lifecycle_mail.testing import SIGNING_KEY, assert_sendable, assert_withheld, lifecycle, said
from lifecycle_mail.testing.stores import PEPPERS
from tests.service.worlds import (
    DAY,
    HOUR,
    MINUTE,
    NEWS,
    NOW,
    OFFERS,
    PROOF,
    SPRING,
    address,
    entries,
    fake,
    left,
    mailed,
    needs_confirmation,
    world,
)

ACTIVE, OUT, OUT_OF_ALL = ListStanding.ACTIVE, ListStanding.OUT_OF_LIST, ListStanding.OUT_OF_ALL


def token_for(mail: Lifecycle, *, now: datetime = NOW) -> str:
    """Let ada ask to come back to the list, and return her token."""
    return needs_confirmation(mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=now)).token


# --- joining --------------------------------------------------------------------------------------------------------


def test_a_sign_up_makes_a_contact_and_a_consent_with_its_proof() -> None:
    """The person is on the list, the application knows them, and what shows it is kept (O1, R12)."""
    mail = lifecycle(OFFERS)
    done = mail.subscribe("Ada@Example.com", OFFERS, proof=PROOF, now=NOW, contact_id="ada", source="contest")
    assert isinstance(done, Subscribed)
    ada = mail.contact("ada@example.COM")
    assert ("ada", "contest", NOW) == (ada.id, ada.source, ada.signed_up_at)
    assert ACTIVE is mail.standing("ada", "offers", now=NOW)
    (consent,) = entries(mail, Consent)
    assert (done.entry, PROOF, Standing.EXPRESS) == (consent.id, consent.provenance.evidence, consent.standing)


def test_a_sign_up_without_proof_is_refused() -> None:
    """Consent that nobody could show later is none (R12), and a confirmed one does not come from a form (O4)."""
    mail = world()
    with pytest.raises(InvalidInput, match="proof"):
        mail.subscribe(address("ada"), OFFERS, proof="  ", now=NOW)
    with pytest.raises(ConsentRefused):
        mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, standing=Standing.CONFIRMED)
    assert 0 == mail.store.position()
    assert [] == list(mail.store.each())


def test_a_double_opt_in_list_waits_for_the_click() -> None:
    """Until the person confirms they are unconfirmed, and nothing is sent (O4)."""
    tips = MailingList("tips", double_opt_in=True)
    mail = lifecycle(tips, Campaign("tip-1", to=[tips]))
    asked = needs_confirmation(mail.subscribe(address("ada"), tips, proof=PROOF, now=NOW, contact_id="ada"))
    assert frozenset() == asked.overrides
    assert ListStanding.UNCONFIRMED is mail.standing("ada", tips, now=NOW)
    assert_withheld(mail.plan("tip-1", now=NOW), "ada", reason="unconfirmed")
    done = mail.confirm(asked.token, now=NOW + HOUR, evidence="click from 192.0.2.1")
    assert ("ada", "tips") == (done.contact_id, done.list)
    assert ACTIVE is mail.standing("ada", tips, now=NOW + HOUR)
    (consent,) = entries(mail, Consent)
    assert "192.0.2.1" in consent.provenance.evidence
    assert PROOF in consent.provenance.evidence
    assert isinstance(mail.subscribe(address("ada"), tips, proof=PROOF, now=NOW + DAY), Subscribed)


def test_implied_consent_runs_out() -> None:
    """On its date, to the instant, and a new sign-up renews it (R10)."""
    mail = lifecycle(OFFERS)
    end = NOW + 180 * DAY
    mail.subscribe(
        address("ada"), OFFERS, proof=PROOF, now=NOW, standing=Standing.IMPLIED, expires_at=end, contact_id="ada"
    )
    assert ACTIVE is mail.standing("ada", OFFERS, now=end - timedelta(microseconds=1))
    assert ListStanding.EXPIRED is mail.standing("ada", OFFERS, now=end)
    assert isinstance(mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=end), Subscribed)
    assert ACTIVE is mail.standing("ada", OFFERS, now=end)


@pytest.mark.parametrize(
    ("basis", "at", "until"),
    [
        ("purchase", "2024-02-29T09:00:00+00:00", "2026-02-28T09:00:00+00:00"),
        ("inquiry", "2026-08-31T09:00:00+00:00", "2027-02-28T09:00:00+00:00"),
    ],
)
def test_implied_consent_lasts_as_long_as_its_basis(basis: str, at: str, until: str) -> None:
    """Two calendar years after a purchase, six months after an inquiry, and the log says which (R10, R12, F65)."""
    mail = lifecycle(OFFERS)
    joined, end = datetime.fromisoformat(at), datetime.fromisoformat(until)
    mail.subscribe(
        address("ada"), OFFERS, proof="order 17", now=joined, standing=Standing.IMPLIED, basis=basis, contact_id="ada"
    )
    (consent,) = entries(mail, Consent)
    assert (end, f"implied by {basis}", "order 17") == (
        consent.expires_at, consent.provenance.text, consent.provenance.evidence,
    )  # fmt: skip
    assert ACTIVE is mail.standing("ada", OFFERS, now=end - timedelta(microseconds=1))
    assert ListStanding.EXPIRED is mail.standing("ada", OFFERS, now=end)


def test_a_programme_sets_how_long_implied_consent_lasts() -> None:
    """Other laws know other terms; a date that is given may come before the rule's and never stretches it (R10)."""
    mail = lifecycle(OFFERS)
    mail.programme = evolve(mail.programme, consent=ConsentRules(implied={"quote": 3}))
    tomorrow = NOW + DAY
    for name, basis, ends, expected in (
        ("ada", "quote", None, NOW + 92 * DAY),
        ("bob", "quote", tomorrow, tomorrow),
        ("cleo", None, tomorrow, tomorrow),
        ("dan", "quote", NOW + 36500 * DAY, NOW + 92 * DAY),
        ("eve", None, NOW + 36500 * DAY, NOW + 92 * DAY),
    ):
        mail.subscribe(
            address(name), OFFERS, proof=PROOF, now=NOW, standing=Standing.IMPLIED, basis=basis, expires_at=ends
        )
        assert expected == entries(mail, Consent)[-1].expires_at


def test_implied_consent_without_an_end_is_refused() -> None:
    """It always ends: the error says what to give, and nothing is written (R10)."""
    mail = lifecycle(OFFERS)
    with pytest.raises(InvalidInput, match="basis= one of inquiry, purchase, or give expires_at="):
        mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, standing=Standing.IMPLIED)
    with pytest.raises(UnknownName, match="did you mean purchase"):
        mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, standing=Standing.IMPLIED, basis="purchas")
    with pytest.raises(InvalidInput, match="IMPLIED"):
        mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, basis="purchase")
    assert (0, 0) == (mail.store.position(), mail.store.count())


def test_a_programme_can_ask_everybody_to_confirm() -> None:
    """With `double_opt_in` in the rules every list asks for the click, whatever it says itself (R12)."""
    mail = world("ada")
    mail.programme = evolve(mail.programme, consent=ConsentRules(double_opt_in=True))
    asked = needs_confirmation(mail.subscribe(address("bob"), OFFERS, proof=PROOF, now=NOW, contact_id="bob"))
    assert ListStanding.UNCONFIRMED is mail.standing("bob", OFFERS, now=NOW)
    mail.confirm(asked.token, now=NOW)
    assert ACTIVE is mail.standing("bob", OFFERS, now=NOW)
    needs_confirmation(mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW))  # on it, and never asked
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW)
    assert isinstance(mail.subscribe("bob", OFFERS, proof=PROOF, now=NOW), Subscribed)


@pytest.mark.parametrize("standing", [Standing.IMPORTED, Standing.IMPLIED, Standing.EXPRESS])
def test_no_weaker_consent_makes_the_click_needless(standing: Standing) -> None:
    """Anybody may type an address into a form, also that of somebody who is on the list for a while (R12)."""
    tips = MailingList("tips", double_opt_in=True)
    mail = lifecycle(tips)
    ends = NOW + 30 * DAY
    why = said(Actor.CONTACT, through=Through.SIGN_UP, evidence=PROOF)
    mail.receive(
        [Joined(who=Who("ada", parse_address(address("ada"))), list=tips.key, standing=standing, provenance=why,
                expires_at=ends)], now=NOW,
    )  # fmt: skip
    asked = needs_confirmation(mail.subscribe(address("ada"), tips, proof=PROOF, now=NOW + DAY))
    assert mail.standing("ada", tips, now=ends) is not ACTIVE
    mail.confirm(asked.token, now=NOW + DAY)
    assert ACTIVE is mail.standing("ada", tips, now=ends + 400 * DAY)


# --- what laws ask --------------------------------------------------------------------------------------------------


def test_a_no_holds_at_once_and_asks_for_nothing_but_the_address() -> None:
    """Before ten business days or five working days are over, without a login, by a mail of last year (R8, R9, R11)."""
    mail = world("ada")
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    later = NOW + 365 * DAY
    mail.programme = Programme()  # campaigns of last year are declared no more
    out = mail.opt_out(address("ada"), campaign="spring", through=Through.ONE_CLICK, now=later)
    assert Scope.list("offers") == out.opt_out.scope
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=later)
    again = Campaign("again", to=[OFFERS])
    assert_withheld(mail.plan(again, now=later), "ada", reason="out-of-list")


def test_whoever_left_is_kept_and_never_asked_back_by_mail() -> None:
    """Suppressed and not deleted, whatever is done to them; and no campaign reaches them, a win-back neither (R13)."""
    mail = world("ada", "bob", "cem", peppers=PEPPERS)
    for name in ("ada", "bob", "cem"):
        mail.opt_out(name, scope=Scope.all(), now=NOW)
    mail.archive("bob", by=Actor.OPERATOR, now=NOW, text="left the club")
    mail.erase("cem", by=Actor.CONTACT, now=NOW)
    assert 3 == len(entries(mail, OptOut))
    back = Campaign("come-back", to=[Segment("gone", of=[OFFERS])])
    mail.receive([Joined(who=Who(None, parse_address(address(one))), list=OFFERS.key, provenance=said(Actor.OPERATOR))
                  for one in ("ada", "bob", "cem")], now=NOW + DAY)  # fmt: skip
    for campaign in (Campaign("winback", to=[OFFERS]), back):
        assert 0 == mail.send(mail.plan(campaign, now=NOW + DAY), now=NOW + DAY).sent
    needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + DAY))  # it is they who asked
    assert [] == fake(mail).outbox


def test_consent_that_follows_from_a_sale_says_so_and_every_mail_has_a_way_out() -> None:
    """The soft opt-in needs a sale behind it, which the log names, and a list that each mail leaves (R14, L3)."""
    mail = lifecycle(OFFERS, SPRING)
    mail.subscribe(address("ada"), OFFERS, proof="order 17", now=NOW, standing=Standing.IMPLIED, basis="purchase")
    (consent,) = entries(mail, Consent)
    assert ("implied by purchase", "order 17") == (consent.provenance.text, consent.provenance.evidence)
    (recipient,) = mail.plan("spring", now=NOW).recipients
    assert "offers" == recipient.leaves_list
    with pytest.raises(CampaignRefused):
        mail.plan(Campaign("blast", to=[Segment("everybody")]), now=NOW)


def test_a_sign_up_with_a_known_id_and_a_foreign_address_is_refused() -> None:
    """An address is changed by saying so, never by signing up with another one."""
    mail = world("ada")
    with pytest.raises(InvalidInput, match="change_address"):
        mail.subscribe("other@example.com", OFFERS, proof=PROOF, now=NOW, contact_id="ada")
    assert [] == list(mail.store.find("1:other@example.com"))


def test_a_contact_without_an_address_gets_one_by_signing_up() -> None:
    """The application knew the person; now mail can reach them."""
    mail = world()
    mail.receive([Known(who=Who("ada"))], now=NOW - DAY)
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="ada")
    assert address("ada") == str(mail.contact("ada").address)
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW)


# --- leaving --------------------------------------------------------------------------------------------------------


def test_an_opt_out_deletes_nobody() -> None:
    """The contact, the history and the reason stay; marketing stops (O1, O3)."""
    mail = world("ada")
    out = mail.opt_out(
        "ada", scope=Scope.all(), now=NOW, through="one-click", reason="too-many", text="daily!", evidence="POST /u/7"
    )
    assert out.is_new
    assert "ada" == mail.contact(address("ada")).id
    assert 1 == len(entries(mail, Consent))
    said_so = out.opt_out.provenance
    assert (Actor.CONTACT, Through.ONE_CLICK, NOW) == (said_so.actor, said_so.through, said_so.at)
    assert (OptOutReason.TOO_MANY, "daily!", "POST /u/7") == (said_so.reason, said_so.text, said_so.evidence)
    assert_withheld(mail.plan("spring", now=NOW), "ada", reason="out-of-all")


def test_scopes_reach_as_far_as_they_say() -> None:
    """One list, one channel, all marketing; other lists and transactional mail go on (O2)."""
    texts = MailingList("texts", channel=Channel.SMS)
    for scope, expected in {
        Scope.list("offers"): (OUT, ACTIVE, ACTIVE),
        Scope.channel(Channel.EMAIL): (ListStanding.OUT_OF_CHANNEL, ListStanding.OUT_OF_CHANNEL, ACTIVE),
        Scope.channel(Channel.SMS): (ACTIVE, ACTIVE, ListStanding.OUT_OF_CHANNEL),
        Scope.all(): (OUT_OF_ALL, OUT_OF_ALL, OUT_OF_ALL),
    }.items():
        mail = world("ada", lists=(OFFERS, NEWS, texts))
        mail.opt_out("ada", scope=scope, now=NOW)
        assert expected == tuple(mail.standing("ada", to, now=NOW) for to in (OFFERS, NEWS, texts)), scope
        assert expected == tuple(mail.as_of(NOW).standing("ada", to) for to in (OFFERS, NEWS, texts)), scope
        assert expected[2] == mail.as_of(NOW).standing("ada", "texts")
        receipt = mail.plan(Campaign("receipt", kind="transactional"), now=NOW, to=["ada"])
        assert_sendable(receipt, "ada")


def test_a_double_click_is_one_entry() -> None:
    """The second click gets the same answer and writes nothing, an unknown address no less (F48, R22)."""
    mail = world("ada")
    for who in ("ada", address("ada"), "stranger@example.com"):
        before = mail.store.position()
        first = mail.opt_out(who, scope=Scope.list("offers"), now=NOW, through="one-click")
        for seconds in (0, 1, 3600):
            again = mail.opt_out(
                who, scope=Scope.list("offers"), now=NOW + timedelta(seconds=seconds), through="preference-page"
            )
            assert first.opt_out == again.opt_out
            assert not again.is_new
        assert mail.store.position() - before == (1 if who != address("ada") else 0)
    assert 2 == len(entries(mail, OptOut))


def test_a_report_with_the_sources_own_id_counts_once() -> None:
    """However often and whenever it comes, the one that stands is returned (F33)."""
    mail = world("ada")
    first = mail.opt_out("ada", scope=Scope.all(), now=NOW, event_id="evt-1", source="webhook")
    for days in range(1, 46):
        again = mail.opt_out("ada", scope=Scope.all(), now=NOW + days * DAY, event_id="evt-1", source="webhook")
        assert (first.opt_out, False) == (again.opt_out, again.is_new)
    assert 1 == len(entries(mail, OptOut))


def test_one_event_id_for_two_people_binds_both() -> None:
    """A source that counts badly costs nobody their no."""
    mail = world("ada", "bob")
    for who in ("ada", "bob"):
        assert mail.opt_out(who, scope=Scope.all(), now=NOW, event_id="1", source="crm").is_new
        assert OUT_OF_ALL is mail.standing(who, OFFERS, now=NOW)


def test_a_no_from_an_unknown_address_binds_who_has_it_later() -> None:
    """It is remembered by its key, whatever its case, and an import under that address stays out (O4, F61)."""
    mail = world()
    out = mail.opt_out("Stranger@Example.com", scope=Scope.all(), now=NOW)
    assert out.opt_out.subject.contact_id is None
    imported = [Joined(who=Who("s1", None), list=OFFERS.key, provenance=said(Actor.OPERATOR, through=Through.IMPORT))]
    asked = mail.subscribe("sTRANGER@example.com", OFFERS, proof=PROOF, now=NOW + DAY, contact_id="s1")
    assert frozenset({out.opt_out.id}) == needs_confirmation(asked).overrides
    mail.receive(imported, now=NOW + DAY)
    assert OUT_OF_ALL is mail.standing("s1", OFFERS, now=NOW + DAY)
    mail.confirm(needs_confirmation(asked).token, now=NOW + DAY)
    assert ACTIVE is mail.standing("s1", OFFERS, now=NOW + DAY)


def test_what_is_neither_an_id_nor_an_address_cannot_opt_out() -> None:
    """The error names the text; nothing is written."""
    mail = world("ada")
    before = mail.store.position()
    with pytest.raises(InvalidAddress):
        mail.opt_out("nobody", scope=Scope.all(), now=NOW)
    with pytest.raises(InvalidInput, match="scope="):
        mail.opt_out("ada", now=NOW)
    with pytest.raises(InvalidInput, match="sprnig"):
        mail.opt_out("ada", campaign="sprnig", now=NOW)
    assert before == mail.store.position()


def test_a_link_outlives_its_campaign_in_the_programme() -> None:
    """Links live for 60 days (R9): the claim still knows which list the mail named (L3)."""
    mail = world("ada")
    mail.send(mail.plan("spring", now=NOW), now=NOW)
    mail.programme = evolve(mail.programme, campaigns={})
    assert Scope.list("offers") == mail.opt_out("ada", campaign="spring", now=NOW + DAY).opt_out.scope


def test_leaving_through_a_campaign_leaves_the_list_that_its_mail_named() -> None:
    """With several lists behind it, the mail that was sent decides, even after the person's lists changed (L3)."""
    both = Campaign("both", to=[OFFERS, NEWS])
    mail = world("ada", lists=(OFFERS, NEWS))
    mail.send(mail.plan(both, now=NOW), now=NOW)
    assert "offers" == fake(mail).outbox[0].recipient.leaves_list
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW + MINUTE)
    again = mail.opt_out("ada", campaign=both, now=NOW + HOUR)
    assert (Scope.list("offers"), False) == (again.opt_out.scope, again.is_new)
    assert ACTIVE is mail.standing("ada", NEWS, now=NOW + HOUR)


def test_leaving_through_a_campaign_that_was_not_sent_leaves_the_first_list_they_are_on() -> None:
    """Without a mail the first list in `to` that they are on is left; the cause is kept (L3, O3)."""
    seg = Segment("spenders", of=[OFFERS, NEWS], where=where.field("spend") > 100)
    some = Campaign("some", to=[seg])
    mail = world("ada", lists=(NEWS,))
    out = mail.opt_out("ada", campaign=some, now=NOW, through="one-click")
    assert Scope.list("news") == out.opt_out.scope
    assert ("some", "spenders") == (out.opt_out.provenance.campaign, out.opt_out.provenance.segment)
    assert Scope.list("offers") == mail.opt_out("x@example.com", campaign=some, now=NOW).opt_out.scope
    with pytest.raises(InvalidInput, match="no list"):
        mail.opt_out("ada", campaign=Campaign("receipt", kind="transactional"), now=NOW)


# --- coming back ----------------------------------------------------------------------------------------------------


def test_only_the_person_comes_back_by_confirming() -> None:
    """A form alone is not enough; the confirmation cites the no that it overrides and keeps the proof (O4)."""
    mail = world("ada")
    no = mail.opt_out("ada", scope=Scope.list("offers"), now=NOW).opt_out
    asked = needs_confirmation(mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW + HOUR))
    assert frozenset({no.id}) == asked.overrides
    assert OUT is mail.standing("ada", OFFERS, now=NOW + HOUR)
    mail.confirm(asked.token, now=NOW + 2 * HOUR, evidence="click")
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW + 2 * HOUR)
    assert_sendable(mail.plan("spring", now=NOW + 2 * HOUR), "ada")
    back = entries(mail, Consent)[-1]
    assert (Standing.CONFIRMED, Actor.CONTACT, {no.id}) == (back.standing, back.provenance.actor, set(back.cites))
    assert [no] == entries(mail, OptOut)


def test_coming_back_to_one_list_leaves_the_rest_as_it_is() -> None:
    """A no to all marketing that is overridden for Offers still stands for News (O4)."""
    mail = world("ada", lists=(OFFERS, NEWS))
    mail.opt_out("ada", scope=Scope.all(), now=NOW)
    mail.confirm(token_for(mail), now=NOW + HOUR)
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW + HOUR)
    assert OUT_OF_ALL is mail.standing("ada", NEWS, now=NOW + HOUR)


@pytest.mark.parametrize("later", [HOUR, timedelta(0), -DAY])
@pytest.mark.parametrize("scope", [Scope.list("offers"), Scope.all()])
def test_a_second_genuine_no_counts(later: timedelta, scope: Scope) -> None:
    """After coming back one can leave again, in the same tick of the clock or with the clock set back (O4, F64)."""
    mail = world("ada")
    mail.opt_out("ada", scope=scope, now=NOW)
    mail.confirm(token_for(mail), now=NOW)
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW)
    second = mail.opt_out("ada", scope=scope, now=NOW + later)
    assert second.is_new
    assert mail.standing("ada", OFFERS, now=NOW + later) is not ACTIVE
    assert 2 == ConsentState(record.entry for record in mail.store.records()).opt_out_count()
    mail.confirm(token_for(mail), now=NOW + DAY)
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW + DAY)


def test_a_no_between_request_and_confirmation_keeps_them_out() -> None:
    """The token lists the opt-outs that stood when it was made; a later one is not among them (O4, F16)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    token = token_for(mail)
    mail.opt_out("ada", scope=Scope.all(), now=NOW + MINUTE)
    mail.confirm(token, now=NOW + HOUR)
    assert OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW + HOUR)


def test_a_no_to_another_list_asks_for_no_confirmation() -> None:
    """Who left News and joins Offers overrides nothing: one sign-up is enough."""
    mail = world("ada", lists=(NEWS,))
    mail.opt_out("ada", scope=Scope.list("news"), now=NOW)
    assert isinstance(mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW + HOUR), Subscribed)
    assert (ACTIVE, OUT) == tuple(mail.standing("ada", to, now=NOW + HOUR) for to in (OFFERS, NEWS))


def test_a_second_click_on_the_link_changes_nothing() -> None:
    """Two clicks, one consent, the same answer (F48)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    token = token_for(mail)
    first = mail.confirm(token, now=NOW + HOUR)
    before = mail.store.position()
    assert first == mail.confirm(token, now=NOW + 2 * HOUR)
    assert before == mail.store.position()
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW + DAY)
    mail.confirm(token, now=NOW + 2 * DAY)
    assert OUT is mail.standing("ada", OFFERS, now=NOW + 2 * DAY)


OPT_IN, OPT_OUT, ASK, CONFIRM, IMPORT = "opt-in", "opt-out", "ask", "confirm", "import"


@pytest.mark.parametrize("order", list(permutations([OPT_IN, OPT_OUT, ASK, CONFIRM, IMPORT])))
def test_every_interleaving_of_yes_and_no(order: tuple[str, ...]) -> None:
    """Out, unless a confirmation cites the no: whoever comes last, whatever the stamps say (F16, F35)."""
    mail = world("ada")
    token, refuses = None, set()
    asked_after_no = False
    for step in order:
        match step:
            case "opt-in":
                mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW + DAY)
            case "opt-out":
                refuses.add(mail.opt_out("ada", scope=Scope.list("offers"), now=NOW).opt_out.id)
            case "ask":
                answer = mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW + 2 * DAY)
                token = answer.token if isinstance(answer, NeedsConfirmation) else None
                asked_after_no = OPT_OUT in order[: order.index(ASK)]
            case "confirm" if token is not None:
                mail.confirm(token, now=NOW + 3 * DAY)
            case "import":
                late = said(Actor.OPERATOR, through=Through.IMPORT, at=NOW + 9 * DAY)
                mail.receive([Joined(who=Who("ada"), list=OFFERS.key, provenance=late)], now=NOW + 9 * DAY)
    back = asked_after_no and order.index(CONFIRM) > order.index(ASK)
    assert (mail.standing("ada", OFFERS, now=NOW + 10 * DAY) is ACTIVE) is back


@pytest.mark.parametrize("actor", [Actor.OPERATOR, Actor.ESP, Actor.POLICY])
@pytest.mark.parametrize("standing", list(Standing))
def test_nothing_that_is_reported_brings_anybody_back(actor: Actor, standing: Standing) -> None:
    """An import, an ESP's state or a later timestamp, however firmly it says subscribed (O4, F30, F35)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    late = said(actor, through=Through.IMPORT, at=NOW + 365 * DAY, source="memory")
    mail.receive([Joined(who=Who("ada"), list=OFFERS.key, provenance=late, standing=standing)], now=NOW + 365 * DAY)
    assert OUT is mail.standing("ada", OFFERS, now=NOW + 365 * DAY)


# --- tokens ---------------------------------------------------------------------------------------------------------


def signed(detail: str, purpose: LinkPurpose = LinkPurpose.CONFIRM, *, key: str = SIGNING_KEY, tenant: str = "") -> str:
    """Return a token of ada's, rightly signed."""
    link = Link(purpose=purpose, contact_id=ContactId("ada"), detail=detail, signed_at=NOW)
    return Tokens([key], tenant=tenant).sign(link)


def asked_in(token: str) -> Link:
    """Return what a token of confirmation says."""
    link = Tokens([SIGNING_KEY]).read(token, purpose=LinkPurpose.CONFIRM)
    assert link is not None
    return link


def wrong_tokens(token: str) -> dict[str, str]:
    """Return what might be sent instead of a token."""
    request = asked_in(token).detail
    return {
        "another key": signed(request, key="x" * 32),
        "another key of the same id": SigningKey.of(SIGNING_KEY).id + signed(request, key="x" * 32)[8:],
        "another purpose": signed(request, LinkPurpose.UNSUBSCRIBE),
        "another tenant": signed(request, tenant="another"),
        "an unknown request": signed("0" * 32),
        "no request": signed(""),
        "nothing": "",
        "a dot": ".",
        "only the signature": token.rpartition(".")[2],
        "only the payload": token.rpartition(".")[0],
        "twice": token + token,
        "a space after it": token + " ",
        "a line after it": token + "\n",
        "padding after it": token + "=",
        "a sign that base64 passes over": token[:-4] + "!" + token[-4:],
        "a character beyond ASCII": token[:-1] + "é",
        "half a character": "\ud800" + token,
    }


def test_a_token_that_is_not_whole_is_always_refused_alike() -> None:
    """Every character flipped to every other, every cut, another key or purpose: one error, nothing written (F44)."""
    mail = world("ada")
    no = mail.opt_out("ada", scope=Scope.list("offers"), now=NOW).opt_out
    token = token_for(mail)
    before = mail.store.position()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ "
    flipped = [
        token[:place] + other + token[place + 1 :]
        for place in range(len(token))
        for other in (alphabet if place >= len(token) - 2 else "Ab0-_.=")
        if other != token[place]
    ]
    cut = [token[:place] for place in range(len(token))] + [token[place:] for place in range(1, len(token))]
    messages = set()
    for wrong in [*flipped, *cut, *wrong_tokens(token).values(), no.id]:
        with pytest.raises(ConsentRefused) as caught:
            mail.confirm(wrong, now=NOW)
        messages.add(str(caught.value))
    assert 1 == len(messages)
    assert before == mail.store.position()
    assert OUT is mail.standing("ada", OFFERS, now=NOW)
    mail.confirm(token, now=NOW)


def test_no_other_entry_can_be_confirmed() -> None:
    """A token over the id of an opt-out or a consent, rightly signed, is no request."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    for record in list(mail.store.records()):
        with pytest.raises(ConsentRefused):
            mail.confirm(signed(record.entry.id), now=NOW)
    asked = token_for(mail)
    mail.confirm(signed(asked_in(asked).detail), now=NOW)


def test_a_token_says_nothing_personal() -> None:
    """It says to us whose it is, which list and which request; nobody else can read any of it (F51)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    token = token_for(mail)
    request = entries(mail, ConsentRequest)[0].id
    link = Link(
        purpose=LinkPurpose.CONFIRM, contact_id=ContactId("ada"), scope=Scope.list("offers"), detail=request,
        signed_at=NOW,
    )  # fmt: skip
    assert link == asked_in(token)
    raw = urlsafe_b64decode(token.split(".")[1] + "==")
    for said_by_it in ("ada", "offers", request):
        assert said_by_it not in token
        assert said_by_it.encode() not in raw


def test_a_token_has_no_age() -> None:
    """Mail may be found years later, and clocks be behind: a confirmation overrides the noes of its day alone (O4)."""
    for later in (-HOUR, 3650 * DAY):
        mail = world("ada")
        mail.opt_out("ada", scope=Scope.list("offers"), now=NOW - DAY / 2)
        mail.confirm(token_for(mail), now=NOW + later)
        assert ACTIVE is mail.standing("ada", OFFERS, now=NOW + max(later, HOUR))


def test_a_token_has_the_age_that_its_links_have() -> None:
    """Whoever sets how long a link works sets it for its button, too; too old is refused as whatever is wrong (F44)."""
    links = Links("https://mail.example.com/m", keys=["k1" * 16], ages={LinkPurpose.CONFIRM: 30 * DAY})
    mail = world("ada", signing_keys=links.tokens)
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    token = token_for(mail)
    before = mail.store.position()
    refusals = []
    for wrong, at in ((token, NOW + 30 * DAY + timedelta(microseconds=1)), (token[:-1], NOW)):
        with pytest.raises(ConsentRefused) as caught:
            mail.confirm(wrong, now=at)
        refusals.append((str(caught.value), caught.value.__cause__, caught.value.__suppress_context__))
    assert refusals[0] == refusals[1]
    assert before == mail.store.position()
    mail.confirm(token, now=NOW + 30 * DAY)
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW + 30 * DAY)


def test_a_page_reads_what_can_be_confirmed() -> None:
    """A clock that is behind keeps nobody out, on the page as little as behind its button."""
    links = Links("https://mail.example.com/m", keys=["k1" * 16])
    mail = world("ada", signing_keys=links.tokens)
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW - DAY)
    token = token_for(mail)
    for at in (NOW - HOUR, NOW, NOW + 3650 * DAY):
        assert "ada" == links.read(token, purpose=LinkPurpose.CONFIRM, now=at).contact_id
        mail.confirm(token, now=at)


def test_keys_rotate() -> None:
    """The newest key signs, older ones still open old links, and one that is taken out opens nothing (F46, F47)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    old = token_for(mail)
    rotated = lifecycle(OFFERS, store=mail.store, signing_keys=[SIGNING_KEY, "k2" * 16, b"k3" * 16])
    new = token_for(rotated, now=NOW + MINUTE)
    revoked = lifecycle(OFFERS, store=mail.store, signing_keys=["k2" * 16, b"k3" * 16])
    newest_only = lifecycle(OFFERS, store=mail.store, signing_keys=[b"k3" * 16])
    for holder, token, opens in (
        (revoked, old, False), (mail, new, False), (rotated, old, True), (newest_only, new, True), (revoked, new, True),
    ):  # fmt: skip
        if opens:
            holder.confirm(token, now=NOW + HOUR)
        else:
            with pytest.raises(ConsentRefused):
                holder.confirm(token, now=NOW + HOUR)


def test_keys_have_names_where_they_are_given_one() -> None:
    """A named key signs like a bare one; one that is revoked opens nothing and stays in the list (F47)."""
    named = SigningKey("2026a", SIGNING_KEY)
    mail = world("ada", signing_keys=[named])
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    token = token_for(mail)
    assert token.startswith("2026a.")
    leaked = lifecycle(OFFERS, store=mail.store, signing_keys=[evolve(named, revoked=True), "k2" * 16])
    with pytest.raises(ConsentRefused):
        leaked.confirm(token, now=NOW)
    mail.confirm(token, now=NOW)


def test_the_links_of_mails_carry_the_tokens_of_sign_ups() -> None:
    """Whoever shares the tokens of the links shares keys and tenant: the page reads what `confirm` takes (F45)."""
    links = Links("https://mail.example.com/m", keys=["k1" * 16], tenant="harbour")
    mail = world("ada", signing_keys=links.tokens)
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    url = links.url_of(token_for(mail), purpose=LinkPurpose.CONFIRM)
    token = url.removeprefix("https://mail.example.com/m/confirm/")
    read = links.read(token, purpose=LinkPurpose.CONFIRM, now=NOW, scope=Scope.list("offers"))
    assert ("ada", entries(mail, ConsentRequest)[0].id) == (read.contact_id, read.detail)
    mail.confirm(token, now=NOW)
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW)


def test_without_a_key_nothing_is_signed_and_nothing_written() -> None:
    """A missing key stops the sign-up that needs one, and neither an opt-out nor a plain sign-up (F39)."""
    mail = world("ada", signing_keys=[])
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    before = mail.store.position()
    with pytest.raises(Misconfigured, match="signing_keys"):
        mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW)
    with pytest.raises(Misconfigured, match="signing_keys"):
        mail.confirm("x.y", now=NOW)
    assert before == mail.store.position()


@pytest.mark.parametrize("keys", ["a secret as one text", b"or as bytes", [""], ["good" * 8, b""]])
def test_keys_that_would_sign_anything_are_refused(keys: list[str]) -> None:
    """One text instead of a list would make keys of one letter, and an empty key is everybody's."""
    with pytest.raises(Misconfigured, match="list of secrets"):
        lifecycle(OFFERS, signing_keys=keys)


# --- suppressions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SuppressionKind.COMPLAINT, SuppressionKind.BOUNCE])
def test_complaints_and_hard_bounces_survive_a_sign_up(kind: SuppressionKind) -> None:
    """Neither a form nor a confirmation lifts them (R23, O4)."""
    mail = world("ada")
    reported = said(Actor.ESP, through=Through.WEBHOOK)
    mail.receive([Held(who=Who("ada"), kind=kind, provenance=reported, event_id="b1")], now=NOW)
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    mail.confirm(token_for(mail), now=NOW + HOUR)
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW + DAY)
    expected = {SuppressionKind.COMPLAINT: "complained", SuppressionKind.BOUNCE: "bounced"}[kind]
    assert_withheld(mail.plan("spring", now=NOW + DAY), "ada", reason=expected)


def sunset(mail: Lifecycle) -> None:
    """Let the policy sunset ada."""
    mail.suppress("ada", "sunset", provenance=said(Actor.POLICY, through=Through.RUN), now=NOW)


def test_a_sunset_ends_by_ones_own_sign_up() -> None:
    """The person's own act brings them back (S11); nothing else is lifted by it."""
    mail = world("ada")
    sunset(mail)
    assert_withheld(mail.plan("spring", now=NOW), "ada", reason="sunset")
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW + HOUR)
    assert_sendable(mail.plan("spring", now=NOW + HOUR), "ada")
    (lift,) = entries(mail, Lift)
    assert (Actor.CONTACT, PROOF) == (lift.provenance.actor, lift.provenance.evidence)


def test_a_sign_up_that_waits_for_confirmation_ends_no_sunset() -> None:
    """Anybody may type an address into a form: only the click shows that it was the person (O4, S11)."""
    tips = MailingList("tips", double_opt_in=True)
    mail = world("ada")
    sunset(mail)
    asked = needs_confirmation(mail.subscribe(address("ada"), tips, proof=PROOF, now=NOW + HOUR))
    assert_withheld(mail.plan("spring", now=NOW + HOUR), "ada", reason="sunset")
    mail.confirm(asked.token, now=NOW + DAY)
    assert_sendable(mail.plan("spring", now=NOW + DAY), "ada")


@pytest.mark.parametrize(("kind", "reason"), [("pause", "paused"), ("bounce", "bounced"), ("complaint", "complained")])
def test_a_sign_up_ends_a_sunset_and_an_archive_and_nothing_else(kind: str, reason: str) -> None:
    """A pause runs to its date, a dead address stays dead and a complaint stands, until somebody says so (R23, O5)."""
    mail = world("ada")
    sunset(mail)
    mail.suppress("ada", "archive", provenance=said(), now=NOW)
    until = NOW + 30 * DAY if kind == "pause" else None
    mail.suppress("ada", kind, provenance=said(), now=NOW, until=until)
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW + HOUR)
    assert_withheld(mail.plan("spring", now=NOW + HOUR), "ada", reason=reason)
    assert [{SuppressionKind.SUNSET, SuppressionKind.ARCHIVE}] == [
        {held.kind for held in entries(mail, Suppression) if held.id in lift.cites} for lift in entries(mail, Lift)
    ]


def test_an_operator_lifts_a_sunset_with_a_reason_only() -> None:
    """Without words it is refused and stays; an opt-out no operator lifts (O4)."""
    mail = world("ada")
    sunset(mail)
    for text in ("", "  "):
        with pytest.raises(LiftRefused, match="text="):
            mail.lift("ada", "sunset", by=Actor.OPERATOR, now=NOW + HOUR, text=text)
    with pytest.raises(LiftRefused, match="policy"):
        mail.lift("ada", "sunset", by=Actor.POLICY, now=NOW + HOUR, text="because")
    assert_withheld(mail.plan("spring", now=NOW + HOUR), "ada", reason="sunset")
    mail.lift("ada", "sunset", by=Actor.OPERATOR, now=NOW + HOUR, text="phoned: still interested")
    assert_sendable(mail.plan("spring", now=NOW + HOUR), "ada")
    with pytest.raises(UnknownName):
        mail.lift("ada", "sunset", by=Actor.OPERATOR, now=NOW + HOUR, text="again")


@pytest.mark.parametrize(
    ("kind", "by", "text", "ends"),
    [
        ("bounce", Actor.OPERATOR, "mailbox works again", True),
        ("bounce", Actor.CONTACT, "please", False),
        ("complaint", Actor.CONTACT, "pressed it by mistake", True),
        ("complaint", Actor.CONTACT, "", False),
        ("complaint", Actor.OPERATOR, "they would like it", False),
        ("archive", Actor.OPERATOR, "came back as a customer", True),
        ("erasure", Actor.OPERATOR, "no", False),
        ("erasure", Actor.CONTACT, "no", False),
    ],
)
def test_who_may_end_which_suppression(kind: str, by: Actor, text: str, ends: bool) -> None:
    """Each kind has its rule, and nobody ends an erasure (R23, O5)."""
    mail = world("ada")
    mail.suppress("ada", kind, provenance=said(Actor.ESP, through=Through.WEBHOOK), now=NOW)
    if ends:
        mail.lift("ada", kind, by=by, now=NOW + HOUR, text=text)
        assert_sendable(mail.plan("spring", now=NOW + HOUR), "ada")
    else:
        with pytest.raises(LiftRefused):
            mail.lift("ada", kind, by=by, now=NOW + HOUR, text=text)
        assert_withheld(mail.plan("spring", now=NOW + HOUR), "ada")


def test_a_pause_ends_by_itself() -> None:
    """On its date, to the instant (P3); one without an end is refused."""
    mail = world("ada")
    mail.pause("ada", until=NOW + DAY, now=NOW)
    assert_withheld(mail.plan("spring", now=NOW + DAY - timedelta(microseconds=1)), "ada", reason="paused")
    assert_sendable(mail.plan("spring", now=NOW + DAY), "ada")
    with pytest.raises(InvalidInput, match="until="):
        mail.suppress("ada", "pause", provenance=said(), now=NOW)


def test_a_person_may_end_their_pause() -> None:
    """And no operator may."""
    mail = world("ada")
    mail.pause("ada", until=NOW + DAY, now=NOW)
    with pytest.raises(LiftRefused):
        mail.lift("ada", "pause", by=Actor.OPERATOR, now=NOW + HOUR, text="needed for figures")
    mail.lift("ada", "pause", by=Actor.CONTACT, now=NOW + HOUR)
    assert_sendable(mail.plan("spring", now=NOW + HOUR), "ada")


# --- addresses ------------------------------------------------------------------------------------------------------


def test_consent_follows_a_person_who_moves() -> None:
    """Who changes their address themselves goes on getting what they asked for, at the new one."""
    mail = world("ada")
    mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW, evidence="account page")
    assert ACTIVE is mail.standing("ada@new.example.com", OFFERS, now=NOW)
    with pytest.raises(UnknownName):
        mail.contact(address("ada"))


def test_consent_does_not_follow_a_move_by_somebody_else() -> None:
    """The new address must be confirmed, and until then nothing is sent (O4)."""
    mail = world("ada")
    mail.change_address("ada", "ada@new.example.com", by=Actor.OPERATOR, now=NOW)
    assert_withheld(mail.plan("spring", now=NOW), "ada", reason="unconfirmed")
    asked = needs_confirmation(mail.subscribe("ada@new.example.com", OFFERS, proof=PROOF, now=NOW + HOUR))
    mail.confirm(asked.token, now=NOW + DAY)
    assert_sendable(mail.plan("spring", now=NOW + DAY), "ada")


@pytest.mark.parametrize("by", [Actor.CONTACT, Actor.OPERATOR])
def test_a_no_follows_the_person_and_stays_on_the_address(by: Actor) -> None:
    """Whoever moved them: they are out at the new address, and the next owner of the old one is out too (O4)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.all(), now=NOW)
    mail.change_address("ada", "ada@new.example.com", by=by, now=NOW + HOUR)
    assert OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW + HOUR)
    needs_confirmation(mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW + DAY, contact_id="next"))
    assert OUT_OF_ALL is mail.standing("next", OFFERS, now=NOW + DAY)


def test_a_bounce_stays_on_the_old_address() -> None:
    """The mailbox is dead, not the person."""
    mail = world("ada")
    mail.suppress("ada", "bounce", provenance=said(Actor.ESP), now=NOW)
    mail.change_address("ada", "ada@new.example.com", by=Actor.CONTACT, now=NOW + HOUR)
    assert_sendable(mail.plan("spring", now=NOW + HOUR), "ada")


def test_a_change_to_the_same_address_is_no_move() -> None:
    """Only how it is written changed: consent stays, the log says nothing."""
    mail = world("ada")
    before = mail.store.position()
    mail.change_address("ada", "ADA@example.com", by=Actor.OPERATOR, now=NOW)
    assert "ADA@example.com" == str(mail.contact("ada").address)
    assert before == mail.store.position()
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW)


def test_a_no_from_an_address_that_several_share_binds_them_all() -> None:
    """Nobody can tell which of them said it, so the address is not mailed for any of them (O2)."""
    mail = world("ada")
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="a-twin")
    mail.opt_out(address("ada"), scope=Scope.all(), now=NOW)
    assert [ListStanding.OUT_OF_ALL] * 2 == [mail.standing(one, OFFERS, now=NOW) for one in ("ada", "a-twin")]


def test_an_address_that_several_share_is_an_error_that_names_them() -> None:
    """By id each of them can be reached."""
    mail = world("ada")
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="a-twin")
    for act in (
        lambda: mail.contact(address("ada")),
        lambda: mail.standing(address("ada"), OFFERS, now=NOW),
        lambda: mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW),
        lambda: mail.update(address("ada"), {"x": 1}, now=NOW),
    ):
        with pytest.raises(AmbiguousAddress) as caught:
            act()
        assert ("a-twin", "ada") == caught.value.contact_ids
        assert address("ada") not in str(caught.value)
    mail.opt_out("ada", scope=Scope.all(), now=NOW)
    assert OUT_OF_ALL is mail.standing("a-twin", OFFERS, now=NOW)


# --- L4 -------------------------------------------------------------------------------------------------------------


def test_the_worked_example() -> None:
    """Spend over 100 in 2020, a campaign, one recipient leaves: off Offers, on every other list (L4)."""
    spenders = Segment("spent-over-100-in-2020", of=OFFERS, where=where.field("2020_spend") > 100)
    thanks = Campaign("thank-you-offer", to=[spenders])
    mail = world("ada", "bob", "cem", "dee", lists=(OFFERS, NEWS))
    for name, spend in (("ada", 250), ("bob", 100.00), ("cem", 100.01)):
        mail.update(address(name), {"2020_spend": spend}, now=NOW)
    plan = mail.plan(thanks, now=NOW)
    assert "audience 4 = sendable 2 + withheld 2 (2 not-in-segment)" == str(plan)
    assert_withheld(plan, "bob", reason="not-in-segment")
    assert_withheld(plan, "dee", reason="not-in-segment")
    assert 2 == mail.send(plan, now=NOW).sent
    assert ["ada", "cem"] == mailed(mail, "thank-you-offer")
    out = mail.opt_out("ada", campaign=thanks, through="one-click", now=NOW + HOUR)
    assert ["thank-you-offer"] == [claim.campaign for claim in out.in_flight]
    assert OUT is mail.standing("ada", OFFERS, now=NOW + HOUR)
    assert ACTIVE is mail.standing("ada", NEWS, now=NOW + HOUR)
    assert 1 == mail.opt_out_causes().segments["spent-over-100-in-2020"]
    assert ACTIVE is mail.standing("cem", OFFERS, now=NOW + HOUR)


# --- echoes ---------------------------------------------------------------------------------------------------------


def count(mail: Lifecycle) -> int:
    """How many genuine opt-outs the log holds."""
    return ConsentState(record.entry for record in mail.store.records()).opt_out_count()


@pytest.mark.parametrize("wait", [timedelta(0), MINUTE, 3 * HOUR, 30 * DAY])
def test_the_echo_of_a_push_counts_once(wait: timedelta) -> None:
    """What the ESP reports because we told it is no second no, however long the push waited (F33)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    assert 1 == mail.drain(now=NOW + wait).told["opt-out"]
    assert 1 == mail.fetch(now=NOW + wait + MINUTE).entries
    assert 1 == count(mail)


def test_an_echo_that_arrives_after_the_person_came_back_does_not_put_them_out() -> None:
    """Late news of the old no is still the old no (O4)."""
    mail = world("ada")
    fake(mail).delay(DAY)
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    mail.drain(now=NOW + MINUTE)
    mail.confirm(token_for(mail, now=NOW + HOUR), now=NOW + HOUR)
    mail.fetch(now=NOW + 2 * DAY)
    assert ACTIVE is mail.standing("ada", OFFERS, now=NOW + 2 * DAY)
    assert 1 == count(mail)


@pytest.mark.parametrize("after", [5 * MINUTE, HOUR])
def test_a_second_genuine_no_at_the_esp_counts(after: timedelta) -> None:
    """After coming back, leaving through the ESP's own link puts them out again (O4, F31)."""
    mail = world("ada")
    mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
    mail.drain(now=NOW + MINUTE)
    mail.confirm(token_for(mail, now=NOW + 2 * MINUTE), now=NOW + 2 * MINUTE)
    mail.fetch(now=NOW + 3 * MINUTE)
    ada = mail.contact("ada").address
    assert ada is not None
    fake(mail).unsubscribe(ada, Scope.list("offers"), at=NOW + after)
    mail.fetch(now=NOW + DAY)
    assert OUT is mail.standing("ada", OFFERS, now=NOW + DAY)
    assert after < HOUR or 2 == count(mail)  # within minutes the log cannot tell it from the ESP's own word again


def test_a_dated_echo_is_one_only_near_the_push() -> None:
    """A report with a time of its own is an echo within minutes of the push, and a no of its own long after."""
    mail = world("ada", "bob")
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=Scope.all(), now=NOW)
    mail.drain(now=NOW + HOUR)
    near = left("ada", Scope.all(), at=NOW + HOUR + 5 * MINUTE, event_id="w1")
    far = left("bob", Scope.all(), at=NOW + 2 * DAY, event_id="w2")
    mail.receive([near, far], now=NOW + 3 * DAY)
    assert 3 == count(mail)


def test_who_is_out_at_the_esp_is_out_here_and_stays_subscribed_nowhere() -> None:
    """The ESP's no comes in, its yes never does; what came from it is not pushed back (F30, F31)."""
    mail = world("ada")
    mail.receive([left("ada", Scope.all(), event_id="w1")], now=NOW)
    assert OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW)
    assert 0 == mail.drain(now=NOW + HOUR).told["opt-out"]
    assert [] == fake(mail).suppressed


def test_pushing_again_pushes_nothing() -> None:
    """What the ESP took it is not told again, by another process neither (F4)."""
    mail = world("ada", "bob")
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=Scope.all(), now=NOW)
    assert 2 == mail.drain(now=NOW).told["opt-out"]
    assert 0 == mail.drain(now=NOW + HOUR).told["opt-out"]
    assert 0 == world(store=mail.store, esp=mail.esp).drain(now=NOW + DAY).told["opt-out"]
    assert 2 == len(fake(mail).suppressed)


@pytest.mark.parametrize("done", [False, True])
def test_a_push_that_failed_is_pushed_again(done: bool) -> None:
    """Nothing is lost between the log and the ESP, and nothing counts twice (F3, F4, F29)."""
    from lifecycle_mail.errors import EspUnavailable, OutcomeUnknown

    mail = world("ada", "bob")
    for name in ("ada", "bob"):
        mail.opt_out(name, scope=Scope.list("offers"), now=NOW)
    fake(mail).fail("suppress", OutcomeUnknown if done else EspUnavailable, done=done)
    first = mail.drain(now=NOW + MINUTE)
    assert isinstance(first.problems["esp:memory"], OutcomeUnknown if done else EspUnavailable)
    assert (0, 2) == (first.told["opt-out"], first.left)
    assert 2 == mail.drain(now=NOW + HOUR).told["opt-out"]
    assert {address("ada"), address("bob")} == {str(who) for who, _ in fake(mail).suppressed}
    mail.fetch(now=NOW + DAY)
    assert 2 == count(mail)


def test_an_esp_without_opt_outs_is_told_none() -> None:
    """The error says so before anything is written (E1)."""
    from lifecycle_mail.memory import MemoryEsp

    mail = world("ada", esp=MemoryEsp(capabilities=[]))
    mail.opt_out("ada", scope=Scope.all(), now=NOW)
    before = mail.store.position()
    with pytest.raises(Misconfigured):
        mail.drain(now=NOW)
    assert before == mail.store.position()


# --- instants -------------------------------------------------------------------------------------------------------


def test_naive_instants_are_refused_everywhere() -> None:
    """An instant without a zone means another moment on another machine."""
    mail = world("ada")
    naive = NOW.replace(tzinfo=None)
    plan = mail.plan("spring", now=NOW)
    before = mail.store.position()
    for act in (
        lambda: mail.subscribe(address("bob"), OFFERS, proof=PROOF, now=naive),
        lambda: mail.opt_out("ada", scope=Scope.all(), now=naive),
        lambda: mail.confirm("x", now=naive),
        lambda: mail.pause("ada", until=NOW, now=naive),
        lambda: mail.update("ada", {"x": 1}, now=naive),
        lambda: mail.change_address("ada", "b@example.com", by=Actor.CONTACT, now=naive),
        lambda: mail.receive([], now=naive),
        lambda: mail.fetch(now=naive),
        lambda: mail.drain(now=naive),
        lambda: mail.plan("spring", now=naive),
        lambda: mail.send(plan, now=naive),
        lambda: mail.decide(now=naive),
        lambda: mail.as_of(naive),
        lambda: mail.explain("ada", now=naive),
        lambda: mail.reconcile("spring", now=naive),
    ):
        with pytest.raises(InvalidInput, match="time zone"):
            act()
    assert before == mail.store.position()
    assert [] == fake(mail).outbox


def test_a_suppression_is_recorded_with_its_source() -> None:
    """What an operator suppresses keeps who, why and when (O3)."""
    mail = world("ada")
    why = Provenance(actor=Actor.OPERATOR, through=Through.APPLICATION, at=NOW, text="bought a list")
    mail.suppress("ada", "archive", provenance=why, now=NOW)
    (held,) = entries(mail, Suppression)
    assert (why, ContactId("ada")) == (held.provenance, held.subject.contact_id)
    assert_withheld(mail.plan(SPRING, now=NOW), "ada", reason="archived")


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda mail: mail.opt_out("ada", scope=Scope.all(), through="a dove", now=NOW), "through='a dove'"),
        (lambda mail: mail.opt_out("ada", scope=Scope.all(), reason="too-often", now=NOW), "reason='too-often'"),
        (lambda mail: mail.lift("ada", "bored", by=Actor.OPERATOR, text="why", now=NOW), "kind='bored'"),
        (lambda mail: mail.erase("ada", by="nobody", now=NOW), "by='nobody'"),
    ],
)
def test_a_word_that_is_none_of_ours_is_refused_with_those_that_are(call: Callable[[Any], object], what: str) -> None:
    """Nothing is written, and the message names the argument and what may stand there."""
    mail = world("ada")
    before = mail.store.position()
    with pytest.raises(InvalidInput, match=f"{what}: one of .+, .+"):
        call(mail)
    assert before == mail.store.position()


def test_asking_ends_no_consent_that_was_there() -> None:
    """With double opt-in an imported subscriber is asked, whoever fills in the form, and stays on until they answer."""
    mail = world()
    club = MailingList("club", double_opt_in=True)
    told = said(Actor.OPERATOR, through=Through.IMPORT, at=NOW - DAY)
    mail.receive([Joined(who=Who("ada", parse_address(address("ada"))), list=club.key, provenance=told)], now=NOW - DAY)
    assert isinstance(mail.subscribe(address("ada"), club, proof="somebody's form", now=NOW), NeedsConfirmation)
    assert ListStanding.ACTIVE is mail.standing("ada", club, now=NOW)
    later = said(Actor.OPERATOR, through=Through.IMPORT, at=NOW + DAY)
    mail.subscribe(address("bob"), club, proof="form 7", contact_id="bob", now=NOW)
    mail.receive(
        [Joined(who=Who("bob", parse_address(address("bob"))), list=club.key, provenance=later)], now=NOW + DAY
    )
    assert ListStanding.UNCONFIRMED is mail.standing("bob", club, now=NOW + DAY)
