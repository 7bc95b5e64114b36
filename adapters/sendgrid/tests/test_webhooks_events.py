"""SendGrid's Event Webhook: what events say, and that nothing counts twice (F33-F35)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifecycle_mail_sendgrid.testing.simulator import SendgridSimulator
from lifecycle_mail_sendgrid.topics import Topic, Topics
from lifecycle_mail_sendgrid.webhooks import Hook

from adapters.sendgrid.tests.signed import (
    AT,
    HOOK,
    NEWS,
    NOW,
    OFFERS,
    TOPICS,
    bodied,
    event,
    heard,
    outcome,
    said,
    signed,
    take,
    world,
)
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind, Evidence
from lifecycle_mail.model.intake import Happened, Held, Left
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.ports import Delivery

PAYLOADS = "data/webhook_payloads"
HOUR = timedelta(hours=1)


BY_TYPE: dict[str, list[object]] = {
    "processed": [EventKind.SENT],
    "bounced": [EventKind.HARD_BOUNCED, SuppressionKind.BOUNCE],
    "deferred": [EventKind.DEFERRED],
    "dropped": [EventKind.DROPPED, SuppressionKind.BOUNCE],
    "blocked": [EventKind.SOFT_BOUNCED],
    "delivered": [EventKind.DELIVERED],
    "clicked": [EventKind.CLICKED],
    "opened": [EventKind.OPENED],
    "spamreport": [SuppressionKind.COMPLAINT],
    "unsubscribe": [Scope.all()],
    "groupunsubscribe": [Scope.list("offers")],
    "groupresubscribe": [],
}
THEN = datetime(2017, 12, 15, 0, 59, 29, tzinfo=UTC)


def test_each_type_of_event_says_what_it_should(shared: Path) -> None:
    """Each of the twelve bodies by type gives its statements, with SendGrid's id and time, and no misfit."""
    events = json.loads((shared / PAYLOADS / "sendgrid_events_by_type.json").read_text())
    assert BY_TYPE.keys() == events.keys()
    for name, told in events.items():
        found = heard(told)
        assert (BY_TYPE[name], (), 1) == (said(found), found.misfits, found.events)
        for one in found.statements:
            assert "example@test.com" == str(one.who.address)
            assert isinstance(one, Happened | Held | Left)
            assert told["sg_event_id"] == one.event_id
            assert THEN == (one.at if isinstance(one, Happened) else one.provenance.at)
    assert [Evidence.HUMAN] == [getattr(one, "evidence", None) for one in heard(events["opened"]).statements]
    together = heard(*events.values())
    assert (12, 13) == (together.events, len(together.statements))


def test_each_example_of_the_docs_says_what_it_should(shared: Path) -> None:
    """The vendor's examples give what their types say."""
    examples = json.loads((shared / "contracts/sendgrid/event_webhook_examples.json").read_text())
    assert [
        ("processed", [EventKind.SENT]),
        ("dropped", [EventKind.DROPPED, SuppressionKind.BOUNCE]),
        ("delivered", [EventKind.DELIVERED]),
        ("deferred", [EventKind.DEFERRED]),
        ("bounce", [EventKind.HARD_BOUNCED, SuppressionKind.BOUNCE]),
        ("bounce", [EventKind.SOFT_BOUNCED]),
        ("open", [EventKind.OPENED]),
        ("click", [EventKind.CLICKED]),
        ("spamreport", [SuppressionKind.COMPLAINT]),
        ("unsubscribe", [Scope.all()]),
        ("group_unsubscribe", [Scope.list("offers")]),
        ("group_resubscribe", []),
    ] == [(told["event"], said(heard(told))) for told in examples]
    assert () == heard(*examples).misfits


def test_real_bodies_say_what_they_should(shared: Path) -> None:
    """The bodies of 2017 are events; the answers of 2011 to 2013 are none, and are kept and not lost."""
    expected: dict[str, tuple[list[object], int]] = {
        "01": ([], 1), "03": ([], 1), "05": ([], 1), "07": ([], 1), "09": ([], 1), "11": ([], 3),
        "13": ([EventKind.DELIVERED], 0), "15": ([SuppressionKind.COMPLAINT], 0),
        "17": ([SuppressionKind.COMPLAINT], 0),
    }  # fmt: skip
    folder = shared / PAYLOADS / "sendgrid_real"
    assert expected.keys() == {path.stem[-2:] for path in folder.iterdir()}
    for number, (statements, misfits) in expected.items():
        found = HOOK.hear(signed((folder / f"json-sendgrid-{number}.json").read_bytes()), topics=TOPICS, now=NOW)
        assert (statements, misfits) == (said(found), len(found.misfits))
        assert {"the event '' is not known and was set aside"} >= {misfit.why for misfit in found.misfits}


def test_what_our_adapter_wrote_comes_back() -> None:
    """Contact, campaign and mail are those that the mail was given, and a no binds the contact by the id, too."""
    ours = {"lm_contact": "ada", "lm_campaign": "spring", "lm_mail": "spring:ada"}
    (opened,) = heard(event("open", **ours)).statements
    assert isinstance(opened, Happened)
    assert ("ada", "ada@example.com", "spring", "spring:ada") == (
        opened.who.contact_id, str(opened.who.address), opened.campaign, opened.mail,
    )  # fmt: skip
    mail = world("ada")
    take(mail, signed(bodied([event("unsubscribe", "old", **ours)])))
    assert ListStanding.OUT_OF_ALL is mail.standing("ada", OFFERS, now=NOW)
    assert "ada@example.com" == str(mail.contact("ada").address)


def test_a_single_send_is_the_campaign_that_it_was_made_for() -> None:
    """Events of a single send carry our key where it is known, and SendGrid's id where not."""
    told = event("open", singlesend_id="7f-1", singlesend_name="Spring", mc_stats="singlesend", mc_auto_id="x")
    assert ["spring"] == [
        getattr(one, "campaign", None) for one in heard(told, campaigns={"7f-1": "spring"}).statements
    ]
    assert ["7f-1"] == [getattr(one, "campaign", None) for one in heard(told).statements]
    (left,) = heard(event("unsubscribe", singlesend_id="7f-1"), campaigns={"7f-1": "spring"}).statements
    assert isinstance(left, Left)
    assert "spring" == left.provenance.campaign


@pytest.mark.parametrize("group", [99, None, "x"])
def test_a_group_that_is_bound_to_no_list_is_all_marketing(group: object) -> None:
    """Losing a no is worse than widening it: it binds everything, and a misfit says what to bind."""
    found = heard(event("group_unsubscribe", asm_group_id=group))
    assert [Scope.all()] == said(found)
    (misfit,) = found.misfits
    assert "taken as leaving all marketing" in misfit.why


# --- effects (F33-F35) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unsubscribe", "group_unsubscribe", "spamreport", "bounce", "open"])
@pytest.mark.parametrize("deliveries", [1, 46])
def test_one_event_46_times_has_one_effect(kind: str, deliveries: int) -> None:
    """However often an event comes, in one delivery or in 46, it counts once (F33)."""
    told = event(kind, asm_group_id=10, status="5.1.1", lm_mail="spring:ada")
    once, often = world("ada"), world("ada")
    first = take(once, signed(bodied([told])))
    got = [
        take(often, signed(bodied([told] * (46 // deliveries)), at=AT + n), now=NOW + n * HOUR)
        for n in range(deliveries)
    ]
    assert outcome(once) == outcome(often)
    assert (first.entries, first.events) == (sum(one.entries for one in got), sum(one.events for one in got))
    assert once.store.position() == often.store.position()


def test_coming_back_at_sendgrid_brings_nobody_back() -> None:
    """Who left a group is out, though they are said to be back later, or earlier, or in the same body (F35, O4)."""
    left, back = (
        event("group_unsubscribe", asm_group_id=10),
        event("group_resubscribe", asm_group_id=10, timestamp=AT + 60),
    )
    for bodies in ([[left], [back]], [[back], [left]], [[left, back]], [[back, left]]):
        mail = world("ada")
        for events in bodies:
            take(mail, signed(bodied(events)))
        assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW)
    assert ((), ()) == (lambda found: (found.statements, found.misfits))(heard(back))


def test_a_second_no_counts_after_a_return() -> None:
    """A no with an id of its own is another no, once the person has come back (O4)."""
    mail = world("ada")
    take(mail, signed(bodied([event("group_unsubscribe", asm_group_id=10)])))
    asked = mail.subscribe("ada@example.com", OFFERS, proof="a form", now=NOW + HOUR)
    mail.confirm(getattr(asked, "token", ""), now=NOW + HOUR)
    take(mail, signed(bodied([event("group_unsubscribe", asm_group_id=10)])), now=NOW + 2 * HOUR)
    assert ListStanding.ACTIVE is mail.standing("ada", OFFERS, now=NOW + 2 * HOUR)
    again = event("group_unsubscribe", asm_group_id=10, timestamp=AT + 3 * 3600)
    take(mail, signed(bodied([again])), now=NOW + 3 * HOUR)
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW + 3 * HOUR)


def events() -> st.SearchStrategy[dict[str, Any]]:
    """Draw an event about one of three people, one of whom the world does not know."""

    def make(kind: str, name: str, minutes: int, mail: str, more: dict[str, Any]) -> dict[str, Any]:
        at = AT + 60 * minutes
        told = {
            **event(kind, name, timestamp=at),
            "asm_group_id": 10 + minutes % 3,
            "lm_mail": f"{mail}:{name}",
            **more,
        }
        return {**told, "sg_event_id": f"{kind}/{name}/{at}/{mail}/{sorted(more.items())}"}

    return st.builds(
        make,
        st.sampled_from([
            "processed", "delivered", "open", "click", "deferred", "bounce", "dropped", "spamreport", "unsubscribe",
            "group_unsubscribe", "group_resubscribe", "teleported",
        ]),
        st.sampled_from(["ada", "bob", "eve"]),
        st.integers(0, 5),
        st.sampled_from(["m1", "m2"]),
        st.sampled_from([
            {}, {"type": "blocked"}, {"status": "5.1.1"}, {"status": "5.7.515"}, {"reason": "Bounced Address"},
            {"reason": "Unsubscribed Address"}, {"sg_machine_open": True}, {"lm_contact": "ada"},
        ]),
    )  # fmt: skip


@settings(max_examples=60)
@given(st.lists(events(), max_size=12), st.data())
def test_no_order_of_events_matters(told: list[dict[str, Any]], data: st.DataObject) -> None:
    """Any permutation, with any repetition, over any number of deliveries, ends in the same state (F33, F34)."""
    one, other = world("ada", "bob"), world("ada", "bob")
    take(one, signed(bodied(told)))
    more = data.draw(st.lists(st.sampled_from(told), max_size=4)) if told else []
    shuffled = data.draw(st.permutations([*told, *more]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=3)))
    for begin, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True):
        take(other, signed(bodied(shuffled[begin:end])))
    assert outcome(one) == outcome(other)


def test_what_the_simulated_account_posts_is_heard() -> None:
    """What people do in the simulator comes out as what they did, once, whatever is delivered again."""
    simulator = SendgridSimulator()
    simulator.now = NOW
    hook, mail = Hook(keys=simulator.public_key), world("ada", "bob", "eve")
    group = simulator.ask("POST /v3/asm/groups", {"name": "Offers", "description": "one deal a week"})
    assert isinstance(group.json, dict)
    topics = Topics({ListKey("offers"): Topic(group.json["id"])})
    sent = {
        "personalizations": [
            {"to": [{"email": f"{name}@example.com"}], "custom_args": {"lm_contact": name, "lm_mail": f"spring:{name}"}}
            for name in ("ada", "bob", "eve")
        ],
        "from": {"email": "news@example.com"}, "subject": "Spring",
        "content": [{"type": "text/plain", "value": "Hello"}],
    }  # fmt: skip
    assert 202 == simulator.ask("POST /v3/mail/send", sent).status
    simulator.settle()
    simulator.person.open("ada@example.com")
    simulator.person.unsubscribe("ada@example.com", group=group.json["id"])
    simulator.person.complain("bob@example.com")
    simulator.person.bounce("eve@example.com")
    for post in [*simulator.webhooks_sent, *simulator.webhooks_sent]:
        found = hook.hear(Delivery(headers=post.headers, body=post.body), topics=topics, now=NOW)
        assert () == found.misfits
        mail.receive(found.statements, now=NOW)
    assert ListStanding.OUT_OF_LIST is mail.standing("ada", OFFERS, now=NOW)
    assert ListStanding.NONE is mail.standing("ada", NEWS, now=NOW)
    plan = mail.plan("spring", now=NOW)
    assert {"ada": "out-of-list", "bob": "complained", "eve": "bounced"} == {
        name: str(plan[name].decision.outcome) for name in ("ada", "bob", "eve")
    }
    profile = mail.store.profiles([ContactId("ada")])[ContactId("ada")]
    assert ["spring:ada"] == [one.id for one in profile.mails]


# --- independent schemas --------------------------------------------------------------------------------------------


def example(name: str, schema: Mapping[str, Any]) -> Any:
    """Return a value that a schema of a property describes."""
    known: dict[str, Any] = {
        "email": "ada@example.com",
        "timestamp": AT,
        "url": "https://example.com/",
        "ip": "192.0.2.1",
    }
    if name in known:
        return known[name]
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        return {one: example(one, of) for one, of in schema.get("properties", {}).items()}
    return {"string": "x" * schema.get("minLength", 1), "integer": 1, "boolean": True, "array": ["x"]}[kind]


SCHEMAS: dict[str, list[object]] = {
    "bounce": [EventKind.HARD_BOUNCED, SuppressionKind.BOUNCE],
    "click": [EventKind.CLICKED],
    "deferred": [EventKind.DEFERRED],
    "delivered": [EventKind.DELIVERED],
    "dropped": [EventKind.DROPPED],
    "group_resubscribe": [],
    "group_unsubscribe": [Scope.list("news")],
    "open": [EventKind.OPENED],
    "processed": [EventKind.SENT],
    "spamreport": [SuppressionKind.COMPLAINT],
    "unsubscribe": [Scope.all()],
}


def test_whatever_the_schemas_describe_is_read(shared: Path) -> None:
    """An event with every property of its schema, and without each of them, says what its type says."""
    import jsonschema  # type: ignore[import-untyped]

    paths = sorted((shared / PAYLOADS / "jsonschema").glob("com.sendgrid.*.json"))
    topics = Topics({ListKey("news"): Topic(1)})
    assert list(SCHEMAS) == [path.name.split(".")[2] for path in paths]
    for path in paths:
        kind, schema = path.name.split(".")[2], json.loads(path.read_text())
        whole = {name: example(name, of) for name, of in schema["properties"].items()} | {"event": kind}
        # The schemas describe what Snowplow makes of an event: its time is a text by then, its type is not in it.
        described = whole | {"timestamp": "2026-11-20T11:00:00Z"}
        jsonschema.Draft4Validator({**schema, "additionalProperties": True}).validate(described)
        for left_out in ("", *(whole.keys() - {"event", "email", "timestamp", "asm_group_id"})):
            told = {name: value for name, value in whole.items() if name != left_out}
            found = HOOK.hear(signed(bodied([told])), topics=topics, now=NOW)
            assert (SCHEMAS[kind], ()) == (said(found), found.misfits)
