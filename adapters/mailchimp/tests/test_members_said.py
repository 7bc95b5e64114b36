"""What bodies of Mailchimp's webhooks say, and that nothing counts twice (F33-F35, F42)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from lifecycle_mail_mailchimp.members_said import CONTACT_TAG, Audiences, Interest
from lifecycle_mail_mailchimp.testing import MailchimpSimulator
from lifecycle_mail_mailchimp.topics import Topic, Topics
from lifecycle_mail_mailchimp.webhooks import Hook

from adapters.mailchimp.tests.posted import (
    APART,
    AUDIENCES,
    FIRED,
    HOOK,
    HOUR,
    INTERESTS,
    NEWS,
    NOW,
    OFFERS,
    OWN,
    SHARED,
    SIGNING,
    TOPICS,
    form,
    heard,
    outcome,
    posted,
    said,
    take,
    world,
)
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.intake import Held, Joined, Known, Left, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.peppers import PREFIX
from lifecycle_mail.model.provenance import Actor, OptOutReason, Through
from lifecycle_mail.ports import Delivery, Heard

BOTH = [Scope.list("news"), Scope.list("offers")]
WHOLE = Audiences(topics=Topics({ListKey("offers"): Topic(SHARED)}))
"""The audience of the samples is one list."""
THEN = datetime(2009, 3, 26, 21, tzinfo=UTC)


def left(found: Heard) -> list[Left]:
    """Return who left what."""
    return [one for one in found.statements if isinstance(one, Left)]


def held(found: Heard) -> list[Held]:
    """Return who is held."""
    return [one for one in found.statements if isinstance(one, Held)]


# --- the vendor's samples -------------------------------------------------------------------------------------------

SAMPLES: dict[str, tuple[list[object], str, int, str]] = {
    "subscribe": (["Known", "offers"], "api@mailchimp.com", 35, ""),
    "unsubscribe": ([Scope.list("offers")], "api+unsub@mailchimp.com", 40, ""),
    "profile": ([], "", 31, ""),
    "upemail": ([], "", 15, "a contact has another address at Mailchimp now"),
    "cleaned": ([SuppressionKind.BOUNCE], "api+cleaned@mailchimp.com", 1, ""),
    "campaign": ([], "", 31, ""),
}


def assert_says(found: Heard, kind: str) -> None:
    """Check what a sample says."""
    expected, email, minute, why = SAMPLES[kind]
    assert expected == said(found)
    assert 1 == found.events
    assert {email} >= {str(one.who.address) for one in found.statements}
    assert [True] * bool(why) == [misfit.why.startswith(why) for misfit in found.misfits]
    for one in found.statements:
        if isinstance(one, Left | Held | Joined):
            assert (minute, "mailchimp") == (one.provenance.at.minute, one.provenance.source)


def test_each_form_says_what_it_should(shared: Path) -> None:
    """The five bodies as they are posted, and the same decoded, give what their types say."""
    folder = shared / "data/webhook_payloads"
    bodies = (folder / "mailchimp_forms.txt").read_bytes().splitlines()
    decoded = json.loads((folder / "mailchimp_forms_decoded.json").read_text())
    assert decoded == [dict(parse_qsl(body.decode())) for body in bodies]
    assert ["subscribe", "unsubscribe", "profile", "upemail", "cleaned"] == [one["type"] for one in decoded]
    for body, fields in zip(bodies, decoded, strict=True):
        for delivery in (posted(body), posted(body + b"\r\n"), posted(fields)):
            assert_says(HOOK.hear(delivery, audiences=WHOLE, now=NOW), fields["type"])


def test_each_form_of_the_guide_says_what_it_should(shared: Path) -> None:
    """The six forms of Mailchimp's guide, `campaign` among them, give what their types say."""
    forms = json.loads((shared / "contracts/mailchimp/webhook_forms.json").read_text())["forms"]
    assert list(SAMPLES) == [one["type"] for one in forms]
    for fields in forms:
        assert_says(heard(fields, WHOLE), fields["type"])
    (manual,) = left(heard(forms[1], WHOLE))
    assert (Actor.CONTACT, Through.WEBHOOK, None, "") == (
        manual.provenance.actor, manual.provenance.through, manual.provenance.reason, manual.provenance.text,
    )  # fmt: skip
    assert (datetime(2009, 3, 26, 21, 40, 57, tzinfo=UTC), "cb398d21d2") == (
        manual.provenance.at, manual.provenance.campaign,
    )  # fmt: skip
    assert f"webhook unsubscribe of audience {SHARED}; ip_opt 10.20.10.30" == manual.provenance.evidence


def test_whatever_the_schemas_describe_is_read(shared: Path) -> None:
    """The five bodies fit the independent schemas; with all that a schema names, and without each, all is read."""
    import jsonschema  # type: ignore[import-untyped]

    folder = shared / "data/webhook_payloads/jsonschema"
    names = {
        "campaign_sending_status": "campaign", "cleaned_email": "cleaned", "email_address_change": "upemail",
        "profile_update": "profile", "subscribe": "subscribe", "unsubscribe": "unsubscribe",
    }  # fmt: skip
    paths = sorted(folder.glob("com.mailchimp.*.json"))
    assert list(names) == [path.name.split(".")[2] for path in paths]
    for path, kind in zip(paths, names.values(), strict=True):
        schema = json.loads(path.read_text())
        properties = schema["properties"]["data"]["properties"]
        known = {"list_id": SHARED, "email": "ada@example.com", "action": "unsub", "reason": "hard"}
        data: dict[str, Any] = {name: known.get(name, "x") for name in properties}
        if "merges" in properties:
            data["merges"] = dict.fromkeys(properties["merges"]["properties"], "x") | {"EMAIL": "ada@example.com"}
        jsonschema.Draft4Validator(schema).validate({"type": kind, "fired_at": "2026-11-20T11:00:00Z", "data": data})
        merges = data.pop("merges", {})
        whole = {"type": kind, "fired_at": FIRED} | {f"data[{name}]": value for name, value in data.items()}
        whole |= {f"data[merges][{tag}]": value for tag, value in merges.items()}
        expected = SAMPLES[kind][0]
        assert expected == said(heard(whole, WHOLE))
        for left_out in whole.keys() - {"type", "fired_at", "data[list_id]", "data[email]"}:
            assert expected == said(heard({name: whole[name] for name in whole if name != left_out}, WHOLE))


# --- leaving --------------------------------------------------------------------------------------------------------


def test_leaving_an_audience_leaves_every_list_bound_to_it() -> None:
    """A body does not say which interest the mail was for: all lists of the audience are left, and no other (L4)."""
    mail = world("ada")
    mail.subscribe("ada@example.com", OWN, proof="a form", now=NOW)
    take(mail, form("unsubscribe", action="unsub", reason="manual"))
    standings = [mail.standing("ada", to, now=NOW) for to in (OFFERS, NEWS, OWN)]
    assert [ListStanding.OUT_OF_LIST, ListStanding.OUT_OF_LIST, ListStanding.ACTIVE] == standings
    take(mail, form("unsubscribe", action="unsub", reason="manual", audience=APART))
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OWN, now=NOW)


@pytest.mark.parametrize("audience", ["ffffffffff", ""])
def test_an_audience_that_is_bound_to_no_list_is_all_marketing(audience: str) -> None:
    """Losing a no is worse than widening it: it binds everything, and a misfit says what to bind."""
    found = heard(form("unsubscribe", audience=audience))
    assert [Scope.all()] == said(found)
    (misfit,) = found.misfits
    assert f"the audience {audience!r} is bound to no list: taken as leaving all marketing" in misfit.why


@pytest.mark.parametrize(
    ("data", "actor", "reason", "text"),
    [
        ({"action": "unsub", "reason": "manual"}, Actor.CONTACT, None, ""),
        ({"reason": "manual"}, Actor.CONTACT, None, ""),
        ({}, Actor.CONTACT, None, ""),
        ({"action": "unsub", "reason": "abuse"}, Actor.CONTACT, None, ""),
        ({"action": "delete", "reason": "manual"}, Actor.ESP, None, "deleted from the audience"),
        ({"reason": "hard"}, Actor.ESP, None, "hard"),
        ({"reason": "Not_Signed_Up"}, Actor.CONTACT, OptOutReason.NEVER_SIGNED_UP, ""),
        ({"reason": "other"}, Actor.CONTACT, OptOutReason.OTHER, ""),
        ({"reason": "compliance " + "x" * 600}, Actor.ESP, None, ("compliance " + "x" * 600)[:500]),
    ],
)
def test_who_left_and_why_is_kept(data: dict[str, str], actor: Actor, reason: OptOutReason | None, text: str) -> None:
    """It was the person, unless Mailchimp says otherwise; it is a no in either case."""
    found = heard(form("unsubscribe", **data))
    assert BOTH == [one.scope for one in left(found)]
    assert {(actor, Through.WEBHOOK, reason, text)} == {
        (one.provenance.actor, one.provenance.through, one.provenance.reason, one.provenance.text)
        for one in left(found)
    }
    assert () == found.misfits


@pytest.mark.parametrize("reason", ["abuse", "spam"])
def test_leaving_by_a_complaint_is_a_complaint(reason: str) -> None:
    """Who leaves by calling a mail spam has left, and is held for good (R23)."""
    found = heard(form("unsubscribe", reason=reason))
    assert [*BOTH, SuppressionKind.COMPLAINT] == said(found)
    (complaint,) = held(found)
    assert (Actor.CONTACT, Through.COMPLAINT) == (complaint.provenance.actor, complaint.provenance.through)


@pytest.mark.parametrize(
    ("reason", "kind", "through", "doubts"),
    [
        ("hard", SuppressionKind.BOUNCE, Through.BOUNCE, 0),
        ("abuse", SuppressionKind.COMPLAINT, Through.COMPLAINT, 0),
        ("melted", SuppressionKind.BOUNCE, Through.BOUNCE, 1),
        ("", SuppressionKind.BOUNCE, Through.BOUNCE, 1),
    ],
)
def test_who_is_cleaned_is_held(reason: str, kind: SuppressionKind, through: Through, doubts: int) -> None:
    """A hard bounce is a dead address, `abuse` a complaint; another reason is taken for a dead address, and noted."""
    found = heard(form("cleaned", reason=reason, campaign_id="c9"))
    (one,) = held(found)
    assert (kind, through, "c9", doubts) == (
        one.kind,
        one.provenance.through,
        one.provenance.campaign,
        len(found.misfits),
    )
    assert not one.blocked


def test_a_campaign_is_ours_where_it_is_known() -> None:
    """A no carries our key of the campaign that led to it, or else Mailchimp's id."""
    audiences = evolve(AUDIENCES, campaigns={"cb398d21d2": "spring"})
    assert {"spring"} == {
        one.provenance.campaign for one in left(heard(form("unsubscribe", campaign_id="cb398d21d2"), audiences))
    }
    assert {"other"} == {one.provenance.campaign for one in left(heard(form("unsubscribe", campaign_id="other")))}
    assert {None} == {one.provenance.campaign for one in left(heard(form("unsubscribe")))}


# --- joining and knowing --------------------------------------------------------------------------------------------


def grouped(*groups: tuple[str, str]) -> dict[str, str]:
    """Return the fields that name interests, category by category."""
    fields = {}
    for place, (category, titles) in enumerate(groups):
        fields[f"merges__GROUPINGS__{place}__id"] = str(place)
        fields[f"merges__GROUPINGS__{place}__unique_id"] = category
        fields[f"merges__GROUPINGS__{place}__groups"] = titles
    return fields


@pytest.mark.parametrize(
    ("named", "lists"),
    [
        ({}, []),
        ({"merges__INTERESTS": "Group1,Group2"}, []),
        ({"merges__INTERESTS": "Offers"}, ["offers"]),
        ({"merges__INTERESTS": "Other, Offers, News\\, monthly"}, ["news", "offers"]),
        ({"merges__INTERESTS": "News, monthly"}, []),
        ({"merges__INTERESTS": "offers"}, []),
        (grouped(("cat1", "Offers")), ["offers"]),
        (grouped(("cat2", "Offers"), ("cat1", "News\\, monthly")), ["news"]),
        (grouped(("cat2", "Offers"), ("cat1", "")) | {"merges__INTERESTS": "Offers"}, []),
    ],
)
def test_lists_are_joined_whose_interests_are_named(named: dict[str, str], lists: list[str]) -> None:
    """An interest is told by its title, within its category where the body names that; others join nothing."""
    assert ["Known", *lists] == said(heard(form("subscribe", **named)))


def test_a_title_that_two_interests_have_joins_neither() -> None:
    """Without the category it could be the other one, which may be no list of ours."""
    audiences = evolve(AUDIENCES, interests={**INTERESTS, "int9": Interest("cat9", "Offers")})
    assert ["Known"] == said(heard(form("subscribe", merges__INTERESTS="Offers"), audiences))
    assert ["Known", "offers"] == said(heard(form("subscribe", **grouped(("cat1", "Offers"))), audiences))
    assert ["Known"] == said(heard(form("subscribe", **grouped(("cat9", "Offers"))), audiences))


def test_a_list_that_is_the_audience_is_joined_by_subscribing() -> None:
    """Whoever subscribes to an audience of its own is on its list; to one of nobody's, on none."""
    assert ["Known", "own"] == said(heard(form("subscribe", audience=APART)))
    assert ["Known"] == said(heard(form("subscribe", audience="ffffffffff")))
    joined = heard(form("subscribe", audience=APART, ip_opt="192.0.2.1", ip_signup="192.0.2.2")).statements[1]
    assert isinstance(joined, Joined)
    assert f"webhook subscribe of audience {APART}; ip_signup 192.0.2.2; ip_opt 192.0.2.1" == joined.provenance.evidence


def test_fields_are_taken_where_they_are_asked_for() -> None:
    """Merge fields become the fields that the application names, and no others; empty ones say nothing."""
    audiences = evolve(AUDIENCES, fields={"FNAME": "first_name", "LNAME": "last_name"})
    told = form("profile", merges__FNAME="Ada", merges__LNAME="", merges__PLAN="pro")
    (known,) = heard(told, audiences).statements
    assert isinstance(known, Known)
    assert {"first_name": "Ada"} == known.fields
    assert () == heard(told).statements
    assert () == heard(told).misfits


def test_a_profile_without_an_interest_is_no_no() -> None:
    """An interest that is missing may never have been chosen: nobody is opted out for it."""
    assert Heard(events=1) == heard(form("profile", **grouped(("cat1", "Offers"))))


def test_a_changed_address_is_for_a_person_to_look_at() -> None:
    """Nobody is moved and nobody is opted out by it; what came is kept, and why names nobody in full."""
    mail = world("ada")
    told = form("upemail", new_id="n", new_email="new@example.com", old_email="ada@example.com")
    found = heard(told)
    (misfit,) = found.misfits
    assert "ada@" not in misfit.why
    assert "new%40example.com" in misfit.raw
    before = outcome(mail)
    mail.receive(found.statements, now=NOW)
    assert before == outcome(mail)


# --- our id of a contact --------------------------------------------------------------------------------------------


def test_a_no_binds_the_contact_that_its_id_names() -> None:
    """Who moved at Mailchimp alone, and leaves from there, has left here: by the id, and by the address they left."""
    mail = world("ada")
    take(mail, form("unsubscribe", "moved", merges__LMCONTACT="ada"))
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW)
    assert "ada@example.com" == str(mail.contact("ada").address)
    assert ListStanding.OUT_OF_LIST is mail.standing("moved@example.com", OFFERS, now=NOW)


def test_a_no_with_id_and_address_of_one_contact_is_one_no() -> None:
    """Told by the id and by the address, it is written once."""
    by_both, by_address = world("ada"), world("ada")
    assert 2 == take(by_both, form("unsubscribe", merges__LMCONTACT="ada")).entries
    assert 2 == take(by_address, form("unsubscribe")).entries
    assert outcome(by_address) == outcome(by_both)


def test_somebody_elses_id_sends_nothing_elsewhere() -> None:
    """Who signs up with another's id gets a contact of their own: no address is taken over, and nobody subscribed."""
    mail = world("ada")
    mail.receive([Known(who=Who("phone"))], now=NOW)
    for kind in ("subscribe", "profile", "unsubscribe", "cleaned"):
        for victim in ("ada", "phone", "unknown"):
            take(mail, form(kind, "mallory", merges__LMCONTACT=victim, merges__INTERESTS="Offers"))
            if kind == "subscribe":
                assert ListStanding.NONE is mail.standing("phone", OFFERS, now=NOW)
                assert [one for one in mail.store.each() if one.id == "unknown"] == []
    assert "ada@example.com" == str(mail.contact("ada").address)
    assert mail.contact("phone").address is None
    assert mail.contact("unknown").address is None
    assert "of-1:mallory@example.com" == mail.contact("mallory@example.com").id


@pytest.mark.parametrize("bad", ["c" * 300, "a\u202eb", PREFIX + "1"])
def test_an_id_that_is_none_costs_itself(bad: str) -> None:
    """The no binds the address all the same, and the id is kept for a person to look at."""
    found = heard(form("unsubscribe", merges__LMCONTACT=bad))
    assert BOTH == said(found)
    assert {None} == {one.who.contact_id for one in found.statements}


@pytest.mark.parametrize("bad", ["", "nobody", "ada@@example.com"])
def test_an_address_that_is_none_costs_itself(bad: str) -> None:
    """With our id the no binds the contact; without it there is nobody to bind, and what came is kept."""
    found = heard(form("unsubscribe", email=bad, merges__LMCONTACT="ada"))
    assert [(None, "ada")] * 2 == [(one.who.address, one.who.contact_id) for one in found.statements]
    assert 1 == len(found.misfits)
    for kind in ("unsubscribe", "subscribe", "cleaned", "profile"):
        assert () == heard(form(kind, email=bad)).statements
        assert 1 == len(heard(form(kind, email=bad)).misfits)
    assert () == heard(form("subscribe", email=bad, merges__LMCONTACT="ada")).statements


def test_the_address_of_the_merges_will_do() -> None:
    """Where the address itself is missing, the merge field that holds it says who it is."""
    found = heard(form("unsubscribe", email="", merges__EMAIL="ada@example.com"))
    assert {"ada@example.com"} == {str(one.who.address) for one in found.statements}


# --- what nobody knows (F42) ----------------------------------------------------------------------------------------


def test_what_nobody_knows_is_kept() -> None:
    """An unknown type is a misfit and no error, and so is a body without one; an unknown field is none at all (F42)."""
    for told, why in (
        (form("teleported"), "the type 'teleported' is not known"),
        ({"a": "b"}, "it is no event: it has no type"),
    ):
        found = heard(told)
        assert ((), 1, [why]) == (found.statements, found.events, [misfit.why for misfit in found.misfits])
        assert [one.id for one in found.misfits] == [one.id for one in heard(told).misfits]
    assert BOTH == said(heard(form("unsubscribe", new="field", merges__NEW__a__b="c") | {"more": ""}))


@pytest.mark.parametrize("at", ["", "yesterday", "99999999999999999999"])
def test_a_no_without_a_time_is_taken_as_seen_now(at: str) -> None:
    """It binds from its receipt, and that it had no time is noted."""
    found = heard(form("unsubscribe", at=at))
    assert BOTH == said(found)
    assert {(NOW, False, None)} == {(one.provenance.at, one.dated, one.event_id) for one in left(found)}
    assert 1 == len(found.misfits)


# --- effects (F33-F35) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe", "cleaned"])
def test_one_event_46_times_has_one_effect(kind: str) -> None:
    """However often an event is delivered, it counts once (F33)."""
    once, often = world("ada"), world("ada")
    told = form(kind, reason="abuse", merges__LMCONTACT="ada")
    first = take(once, told)
    got = [take(often, told, now=NOW + n * HOUR / 40) for n in range(46)]
    assert first.entries == sum(one.entries for one in got)
    assert once.store.position() == often.store.position()
    assert outcome(once) == outcome(often)


def test_two_events_of_one_person_are_two() -> None:
    """Another time, audience or type is another event; without an id of the member the address tells."""
    base = form("unsubscribe")
    others = [
        form("unsubscribe", at="2026-11-20 11:00:01"),
        form("unsubscribe", "bob"),
        form("unsubscribe", audience=APART),
        form("cleaned", reason="hard"),
        form("unsubscribe", id=""),
        form("unsubscribe", "bob", id=""),
    ]
    ids = [getattr(heard(told).statements[0], "event_id", None) for told in (base, *others)]
    assert len(ids) == len(set(ids))
    assert ids[0] == getattr(heard(dict(reversed(base.items()))).statements[0], "event_id", None)
    upper = form("unsubscribe", id="", email="ADA@Example.com")
    assert ids[5] == getattr(heard(upper).statements[0], "event_id", None)


def test_subscribing_after_leaving_brings_nobody_back() -> None:
    """Who left is out, though they are said to have subscribed later, or earlier, in any order (F35, O4)."""
    out = form("unsubscribe")
    for back in (form("subscribe", at=at, merges__INTERESTS="Offers") for at in ("2026-11-20 11:30:00", FIRED)):
        for bodies in ([out, back], [back, out], [back, out, back]):
            mail = world("ada")
            for told in bodies:
                take(mail, told)
            assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW)


def test_who_subscribes_at_mailchimp_is_on_the_list() -> None:
    """Somebody new, who signed up by Mailchimp's form, is on the list that they ticked, and on no other."""
    mail = world()
    take(mail, form("subscribe", "eve", **grouped(("cat1", "Offers"))))
    assert ListStanding.ACTIVE is mail.standing("eve@example.com", OFFERS, now=NOW)
    assert ListStanding.NONE is mail.standing("eve@example.com", NEWS, now=NOW)


def forms() -> st.SearchStrategy[dict[str, str]]:
    """Draw a body about one of three people, one of whom the world does not know."""

    def make(kind: str, name: str, minute: int, audience: str, data: dict[str, str]) -> dict[str, str]:
        return form(kind, name, audience=audience, at=f"2026-11-20 11:{minute:02}:00", **data)

    return st.builds(
        make,
        st.sampled_from(["subscribe", "unsubscribe", "unsubscribe", "profile", "cleaned", "upemail", "teleported"]),
        st.sampled_from(["ada", "bob", "eve"]),
        st.integers(0, 5),
        st.sampled_from([SHARED, APART, "ffffffffff"]),
        st.sampled_from([
            {}, {"reason": "manual"}, {"reason": "abuse"}, {"action": "delete"}, {"merges__INTERESTS": "Offers"},
            {"merges__LMCONTACT": "ada"}, {"merges__LMCONTACT": "gone"}, {"id": ""},
        ]),
    )  # fmt: skip


@settings(max_examples=60)
@given(st.lists(forms(), max_size=10), st.data())
def test_no_order_of_deliveries_matters(told: list[dict[str, str]], data: st.DataObject) -> None:
    """Any permutation of deliveries, with any repetition, ends in the same state (F33, F34)."""
    one, other = world("ada", "bob"), world("ada", "bob")
    for body in told:
        take(one, body)
    more = data.draw(st.lists(st.sampled_from(told), max_size=4)) if told else []
    for body in data.draw(st.permutations([*told, *more])):
        take(other, body)
    assert outcome(one) == outcome(other)


def test_what_the_simulated_account_posts_is_heard() -> None:
    """What people do in the simulator comes out as what they did, signed and delivered twice."""
    simulator = MailchimpSimulator(NOW, signing_secret=SIGNING)
    audience = simulator.audience("Customers", SHARED)
    hook, mail = Hook(signing_secrets=SIGNING), world("bob", "eve")
    simulator.person.join(SHARED, "ada@example.com")
    for name in ("bob", "eve"):
        simulator.person.join(SHARED, f"{name}@example.com")
    simulator.person.complain(SHARED, "bob@example.com")
    simulator.person.bounce(SHARED, "eve@example.com")
    simulator.person.unsubscribe(SHARED, "ada@example.com")
    assert audience.id == SHARED
    for post in [*simulator.webhooks_sent, *simulator.webhooks_sent]:
        delivery = Delivery(headers=post.headers, body=post.body)
        found = hook.hear(delivery, audiences=Audiences(topics=TOPICS), now=NOW)
        assert () == found.misfits
        mail.receive(found.statements, now=NOW)
    plan = mail.plan("spring", now=NOW)
    assert {"bob": "complained", "eve": "bounced"} == {
        name: str(plan[name].decision.outcome) for name in ("bob", "eve")
    }
    assert ListStanding.OUT_OF_LIST is mail.standing("ada@example.com", OFFERS, now=NOW)
    assert CONTACT_TAG == "LMCONTACT"
