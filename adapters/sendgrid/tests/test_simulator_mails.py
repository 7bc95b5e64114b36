"""The simulator's mails: what Mail Send refuses, who gets what, single sends, and what people do with them."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from lifecycle_mail_sendgrid.testing.hooks import SIGNATURE, TIMESTAMP, HookPost
from lifecycle_mail_sendgrid.testing.simulator import SendgridSimulator

SEND = "POST /v3/mail/send"
ADA = "ada@example.com"
HOOKS = "/v3/user/webhooks/event/settings"


def mail(*to: str, **more: Any) -> dict[str, Any]:
    """Return the body of a mail with a personalization for each address."""
    return {
        "personalizations": [{"to": [{"email": one}], "custom_args": {"lm_mail": f"spring:{one}"}} for one in to],
        "from": {"email": "news@example.com"},
        "subject": "Spring",
        "content": [{"type": "text/plain", "value": "Hello"}, {"type": "text/html", "value": "<p>Hello</p>"}],
        **more,
    }


def sent(simulator: SendgridSimulator, *to: str, **more: Any) -> list[str]:
    """Send a mail, let it go, and return who got it."""
    assert 202 == simulator.ask(SEND, mail(*to, **more)).status
    before = len(simulator.sent)
    simulator.settle()
    return [one.email for one in simulator.sent[before:]]


def verify(simulator: SendgridSimulator, post: HookPost) -> None:
    """Verify a body as an application would."""
    key = load_der_public_key(base64.b64decode(simulator.public_key))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signed = post.headers[TIMESTAMP].encode() + post.body
    key.verify(base64.b64decode(post.headers[SIGNATURE]), signed, ec.ECDSA(SHA256()))


# -- Mail Send


def test_a_mail_is_queued_and_goes_later() -> None:
    """202 with an id is not a mail that went; each recipient's mail has an id that begins with it."""
    simulator = SendgridSimulator()
    answer = simulator.ask(SEND, mail(ADA, "bob@example.com", asm={"group_id": 7}, categories=["spring"]))
    assert (202, None) == (answer.status, answer.json)
    assert [] == simulator.sent
    simulator.settle()
    assert [ADA, "bob@example.com"] == [one.email for one in simulator.sent]
    first = simulator.sent[0]
    assert answer.headers["X-Message-Id"] == first.message_id
    assert first.msg_id.startswith(f"{first.message_id}.")
    assert ({"lm_mail": f"spring:{ADA}"}, 7, ("spring",)) == (first.custom_args, first.group_id, first.categories)
    simulator.settle()
    assert 2 == len(simulator.sent), "it goes once"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": []}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "ada"}]}]}, "personalizations.0.to.0.email"),
        ({"personalizations": [{"to": [{"email": "ünï@example.com"}]}]}, "personalizations.0.to.0.email"),
        ({"personalizations": [{"to": [{"email": ADA}], "cc": [{"email": ADA.upper()}]}]}, "personalizations.0"),
        ({"personalizations": [{"to": [{"email": ADA}]}] * 1001}, "personalizations"),
        ({"personalizations": [{"to": [{"email": f"a{n}@example.com"} for n in range(1001)]}]}, "personalizations"),
        (
            {"personalizations": [{"to": [{"email": ADA}], "custom_args": {"a": "x" * 10_000}}]},
            "personalizations.0.custom_args",
        ),
        ({"personalizations": [{"to": [{"email": ADA}], "custom_args": {"a": 1}}]}, "personalizations.0.custom_args.a"),
        ({"from": {}}, "from.email"),
        ({"reply_to": {"email": "nobody"}}, "reply_to.email"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/html", "value": ""}]}, "content.0.value"),
        ({"content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]}, "content"),
        ({"headers": {"To": "x"}}, "headers.To"),
        ({"headers": {"X-A": "a\r\nBcc: eve@example.com"}}, "headers.X-A"),
        ({"categories": [str(number) for number in range(11)]}, "categories"),
        ({"categories": ["a", "a"]}, "categories"),
        ({"batch_id": "nobody's"}, "batch_id"),
        (
            {
                "mail_settings": {
                    "bypass_list_management": {"enable": True},
                    "bypass_spam_management": {"enable": True},
                }
            },
            "mail_settings.bypass_list_management",
        ),
        ({"asm": {"group_id": 1, "groups_to_display": list(range(26))}}, "asm.groups_to_display"),
    ],
)
def test_what_mail_send_refuses(change: dict[str, Any], field: str) -> None:
    """400 with the path of the field that is to blame, and nobody gets anything."""
    simulator = SendgridSimulator()
    answer = simulator.ask(SEND, mail(ADA) | change)
    assert 400 == answer.status
    assert field in [one["field"] for one in answer.json["errors"]]
    simulator.settle()
    assert [] == simulator.sent


def test_a_mail_larger_than_thirty_megabytes_is_refused() -> None:
    """413."""
    content = [{"type": "text/plain", "value": "x" * 30_000_000}]
    assert 413 == SendgridSimulator().ask(SEND, mail(ADA, content=content)).status


def test_a_sender_that_is_not_verified_is_refused() -> None:
    """403, once the test says who is verified: an address, or a domain."""
    simulator = SendgridSimulator()
    simulator.sending.verified = frozenset({"other@example.com", "@example.org"})
    assert 403 == simulator.ask(SEND, mail(ADA)).status
    assert 202 == simulator.ask(SEND, mail(ADA) | {"from": {"email": "news@example.org"}}).status


def test_a_sandbox_takes_a_mail_and_sends_nothing() -> None:
    """200, and no id."""
    simulator = SendgridSimulator()
    answer = simulator.ask(SEND, mail(ADA, mail_settings={"sandbox_mode": {"enable": True}}))
    assert 200 == answer.status
    assert "X-Message-Id" not in answer.headers
    simulator.settle()
    assert [] == simulator.sent


@pytest.mark.parametrize(
    ("held_by", "passing", "reason"),
    [
        ("unsubscribes", "bypass_unsubscribe_management", "Unsubscribed Address"),
        ("bounces", "bypass_bounce_management", "Bounced Address"),
        ("spam_reports", "bypass_spam_management", "Spam Reporting Address"),
        ("invalid_emails", "bypass_bounce_management", "Invalid"),
        ("group", "bypass_list_management", "Unsubscribed Address"),
    ],
)
def test_who_is_held_back_gets_nothing_unless_that_is_bypassed(held_by: str, passing: str, reason: str) -> None:
    """F31: the mail is taken, dropped later, and the event says why; the bypass lets it through."""
    simulator = SendgridSimulator()
    group = simulator.groups.add("News").id
    if held_by == "group":
        simulator.groups.leave(group, ADA)
    else:
        simulator.suppressions.add(held_by, ADA.upper())
    assert [] == sent(simulator, ADA, asm={"group_id": group})
    event = simulator.webhooks_sent[-1].events[-1]
    assert ("dropped", reason, f"spring:{ADA}") == (event["event"], event["reason"], event["lm_mail"])
    settings = {passing: {"enable": True}}
    assert [ADA] == sent(simulator, ADA, asm={"group_id": group}, mail_settings=settings)


def test_a_block_and_another_group_hold_nobody_back() -> None:
    """Nor does a group hold back who left another one."""
    simulator = SendgridSimulator()
    news, offers = simulator.groups.add("News").id, simulator.groups.add("Offers").id
    simulator.suppressions.add("blocks", ADA)
    simulator.groups.leave(offers, ADA)
    assert [ADA] == sent(simulator, ADA, asm={"group_id": news})


def test_bypassing_the_global_list_does_not_bypass_a_group() -> None:
    """Only `bypass_list_management` does."""
    simulator = SendgridSimulator()
    group = simulator.groups.add("News").id
    simulator.groups.leave(group, ADA)
    settings = {"bypass_unsubscribe_management": {"enable": True}}
    assert [] == sent(simulator, ADA, asm={"group_id": group}, mail_settings=settings)


def test_a_mail_can_wait_for_seventy_two_hours_and_not_longer() -> None:
    """It goes once the clock is there; a personalization may say its own instant."""
    simulator = SendgridSimulator()
    now = int(simulator.now.timestamp())
    assert 400 == simulator.ask(SEND, mail(ADA, send_at=now + 72 * 3600 + 1)).status
    assert [] == sent(simulator, ADA, send_at=now + 72 * 3600)
    simulator.now += timedelta(hours=72)
    simulator.settle()
    assert [simulator.now] == [one.at for one in simulator.sent]


def test_a_batch_is_stopped_and_goes_on() -> None:
    """A pause holds its mails, an end to the pause lets them go, and a cancelled batch never goes."""
    simulator = SendgridSimulator()
    batches = [simulator.ask("POST /v3/mail/batch").json["batch_id"] for _ in range(2)]
    stop, stopped = "POST /v3/user/scheduled_sends", "/v3/user/scheduled_sends/{batch_id}"
    for batch, status in zip(batches, ("pause", "cancel"), strict=True):
        assert 201 == simulator.ask(stop, {"batch_id": batch, "status": status}).status
        assert 400 == simulator.ask(stop, {"batch_id": batch, "status": status}).status
        assert [] == sent(simulator, ADA, batch_id=batch)
    assert 400 == simulator.ask(stop, {"batch_id": "nobody's", "status": "pause"}).status
    assert batches == [one["batch_id"] for one in simulator.ask("GET /v3/user/scheduled_sends").json]
    assert 204 == simulator.ask(f"DELETE {stopped}", batch_id=batches[0]).status
    simulator.settle()
    assert [batches[0]] == [one.batch_id for one in simulator.sent]


# -- single sends


def draft(simulator: SendgridSimulator, **more: Any) -> Any:
    """Make a single send that has everything it needs, to a list with Ada and Bob on it."""
    news = simulator.lists.add("News").id
    for one in (ADA, "bob@example.com"):
        simulator.contacts.add(email=one, list_ids=[news])
    group = simulator.groups.add("News").id
    email = {"subject": "Spring", "html_content": "<p>Hi</p>", "sender_id": 1, "suppression_group_id": group}
    body = {"name": "spring", "send_to": {"list_ids": [news]}, "email_config": email, **more}
    answer = simulator.ask("POST /v3/marketing/singlesends", body)
    assert (201, "draft") == (answer.status, answer.json["status"])
    return answer.json


def schedule(simulator: SendgridSimulator, one: Any, send_at: str = "now") -> Any:
    """Schedule a single send."""
    return simulator.ask("PUT /v3/marketing/singlesends/{id}/schedule", {"send_at": send_at}, id=one["id"])


def status(simulator: SendgridSimulator, one: Any) -> Any:
    """Return the state of a single send."""
    return simulator.ask("GET /v3/marketing/singlesends/{id}", id=one["id"]).json["status"]


def test_a_single_send_goes_once_to_who_is_on_its_lists_by_then() -> None:
    """Draft, scheduled, triggered; who is held back gets nothing; scheduling again is refused at any time."""
    simulator = SendgridSimulator()
    one = draft(simulator)
    assert (201, "scheduled") == ((answer := schedule(simulator, one)).status, answer.json["status"])
    assert 400 == schedule(simulator, one).status
    assert "scheduled" == status(simulator, one)
    simulator.contacts.add(email="eve@example.com", list_ids=one["send_to"]["list_ids"])
    simulator.groups.leave(one["email_config"]["suppression_group_id"], "bob@example.com")
    simulator.settle()
    assert "triggered" == status(simulator, one)
    assert [ADA, "eve@example.com"] == [mail.email for mail in simulator.sent]
    assert {one["id"]} == {mail.single_send for mail in simulator.sent}
    event = simulator.webhooks_sent[-1].events[0]
    assert (one["id"], "spring", "singlesend") == (event["singlesend_id"], event["singlesend_name"], event["mc_stats"])
    assert 400 == schedule(simulator, one).status
    simulator.settle()
    assert 2 == len(simulator.sent)


def test_a_single_send_to_lists_and_segments_reaches_each_once() -> None:
    """Whoever is in two of them gets one mail; `all` reaches everybody."""
    simulator = SendgridSimulator()
    one = draft(simulator)
    query = "SELECT contact_id, updated_at FROM contact_data WHERE email = 'ada@example.com'"
    segment = simulator.ask("POST /v3/marketing/segments/2.0", {"name": "Ada", "query_dsl": query}).json["id"]
    body = {"name": "spring", "send_to": one["send_to"] | {"segment_ids": [segment]}}
    assert 202 == simulator.ask("PATCH /v3/marketing/singlesends/{id}", body, id=one["id"]).status
    simulator.contacts.add(email="eve@example.com")
    schedule(simulator, one)
    simulator.settle()
    assert [ADA, "bob@example.com"] == [mail.email for mail in simulator.sent]
    copy = simulator.ask("POST /v3/marketing/singlesends/{id}", {}, id=one["id"]).json
    assert "Copy of spring" == copy["name"]
    to_all = {"name": "all", "send_to": {"all": True, "list_ids": [], "segment_ids": []}}
    simulator.ask("PATCH /v3/marketing/singlesends/{id}", to_all, id=copy["id"])
    schedule(simulator, copy)
    simulator.settle()
    assert 5 == len(simulator.sent)


def test_a_single_send_waits_for_its_time_and_can_be_called_back() -> None:
    """Not before its instant; as a draft again it can be changed, which a scheduled one cannot."""
    simulator = SendgridSimulator()
    one = draft(simulator)
    assert 400 == schedule(simulator, one, "2020-01-01T00:00:00Z").status
    assert 400 == schedule(simulator, one, "soon").status
    tomorrow = (simulator.now + timedelta(days=1)).isoformat()
    schedule(simulator, one, tomorrow)
    change, back = "PATCH /v3/marketing/singlesends/{id}", "DELETE /v3/marketing/singlesends/{id}/schedule"
    assert 400 == simulator.ask(change, {"name": "x"}, id=one["id"]).status
    simulator.settle()
    assert [] == simulator.sent
    assert "draft" == simulator.ask(back, id=one["id"]).json["status"]
    assert 400 == simulator.ask(back, id=one["id"]).status
    assert 202 == simulator.ask(change, {"name": "x"}, id=one["id"]).status
    schedule(simulator, one, tomorrow)
    simulator.now += timedelta(days=1)
    simulator.settle()
    assert 2 == len(simulator.sent)
    assert 400 == simulator.ask(back, id=one["id"]).status


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"subject": ""}, "email_config.subject"),
        ({"html_content": ""}, "email_config.html_content"),
        ({"sender_id": None}, "email_config.sender_id"),
        ({"suppression_group_id": None}, "email_config.suppression_group_id"),
    ],
)
def test_what_a_single_send_lacks_is_refused_when_it_is_scheduled(config: dict[str, Any], field: str) -> None:
    """A draft may lack anything; whoever is to leave must find a way."""
    simulator = SendgridSimulator()
    one = draft(simulator)
    body = {"name": "spring", "email_config": config}
    assert 202 == simulator.ask("PATCH /v3/marketing/singlesends/{id}", body, id=one["id"]).status
    answer = schedule(simulator, one)
    assert (400, [field]) == (answer.status, [error["field"] for error in answer.json["errors"]])
    assert "draft" == status(simulator, one)


def test_a_single_send_may_lead_to_a_page_of_ours() -> None:
    """A custom URL stands for the group."""
    simulator = SendgridSimulator()
    one = draft(simulator)
    config = {"suppression_group_id": None, "custom_unsubscribe_url": "https://example.com/leave"}
    body = {"name": "spring", "email_config": config}
    simulator.ask("PATCH /v3/marketing/singlesends/{id}", body, id=one["id"])
    assert 201 == schedule(simulator, one).status


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"send_to": {"list_ids": ["nowhere"]}}, "send_to.list_ids"),
        ({"send_to": {"segment_ids": ["nowhere"]}}, "send_to.segment_ids"),
        ({"email_config": {"sender_id": 9}}, "email_config.sender_id"),
        ({"email_config": {"suppression_group_id": 9}}, "email_config.suppression_group_id"),
        ({"send_at": "now"}, "send_at"),
        ({"name": ""}, "name"),
    ],
)
def test_a_single_send_that_names_what_is_not_there_is_refused(body: dict[str, Any], field: str) -> None:
    """And nothing is made."""
    simulator = SendgridSimulator()
    answer = simulator.ask("POST /v3/marketing/singlesends", {"name": "spring", **body})
    assert (400, field) == (answer.status, answer.json["errors"][0]["field"])
    assert [] == list(simulator.single_sends)


def test_single_sends_are_found_and_deleted() -> None:
    """By a part of the name, the state, a category; one or several at once."""
    simulator = SendgridSimulator()
    first = draft(simulator, categories=["spring"])
    second = simulator.ask("POST /v3/marketing/singlesends", {"name": "Autumn"}).json
    schedule(simulator, first)
    search = "POST /v3/marketing/singlesends/search"
    for body, found in (
        ({"name": "PRIN"}, [first]),
        ({"status": ["draft"]}, [second]),
        ({"categories": ["spring", "x"]}, [first]),
        ({"name": "x"}, []),
    ):
        assert [one["id"] for one in found] == [one["id"] for one in simulator.ask(search, body).json["result"]]
    assert ["spring"] == simulator.ask("GET /v3/marketing/singlesends/categories").json["categories"]
    assert 2 == simulator.ask("GET /v3/marketing/singlesends").json["_metadata"]["count"]
    assert 204 == simulator.ask("DELETE /v3/marketing/singlesends/{id}", id=second["id"]).status
    assert 404 == simulator.ask("GET /v3/marketing/singlesends/{id}", id=second["id"]).status
    assert 204 == simulator.ask("DELETE /v3/marketing/singlesends", query={"ids": f"{first['id']},x"}).status
    assert [] == list(simulator.single_sends)


# -- what people do


@pytest.mark.parametrize(
    ("deed", "event", "listed"),
    [
        (lambda simulator: simulator.person.unsubscribe(ADA), "unsubscribe", "unsubscribes"),
        (lambda simulator: simulator.person.complain(ADA), "spamreport", "spam_reports"),
        (lambda simulator: simulator.person.bounce(ADA), "bounce", "bounces"),
        (lambda simulator: simulator.person.bounce(ADA, status="4.2.2", type="blocked"), "bounce", "blocks"),
        (lambda simulator: simulator.person.defer(ADA), "deferred", ""),
        (lambda simulator: simulator.person.open(ADA), "open", ""),
        (lambda simulator: simulator.person.click(ADA, "https://example.com/a"), "click", ""),
    ],
)
def test_what_people_do_is_listed_and_posted_signed(deed: Any, event: str, listed: str) -> None:
    """Our arguments come back at the top level of the event, about the mail that they got last."""
    simulator = SendgridSimulator()
    sent(simulator, ADA)
    deed(simulator)
    post = simulator.webhooks_sent[-1]
    verify(simulator, post)
    assert post.body.endswith(b"]\r\n")
    (said,) = post.events
    assert (event, ADA, f"spring:{ADA}") == (said["event"], said["email"], said["lm_mail"])
    assert simulator.sent[-1].msg_id == said["sg_message_id"]
    for name in ("unsubscribes", "spam_reports", "bounces", "blocks"):
        assert (name == listed) is (ADA in simulator.suppressions(name))


def test_leaving_a_group_and_coming_back_by_sendgrids_page() -> None:
    """The group is in the event; a group that was deleted means everything."""
    simulator = SendgridSimulator()
    group = simulator.groups.add("News").id
    simulator.person.unsubscribe(ADA, group=group)
    assert [] == sent(simulator, ADA, asm={"group_id": group})
    simulator.person.resubscribe(ADA, group)
    assert [ADA] == sent(simulator, ADA, asm={"group_id": group})
    simulator.ask("DELETE /v3/asm/groups/{group_id}", group_id=group)
    simulator.person.unsubscribe(ADA, group=group)
    kinds = [event["event"] for post in simulator.webhooks_sent for event in post.events]
    assert ["group_unsubscribe", "dropped", "group_resubscribe", "processed", "delivered", "unsubscribe"] == kinds
    assert ADA in simulator.suppressions("unsubscribes")


def test_a_machine_opens_unlike_a_person() -> None:
    """R18: the event says so."""
    simulator = SendgridSimulator()
    sent(simulator, ADA)
    for machine in (True, False):
        simulator.person.open(ADA, machine=machine)
        assert machine is simulator.webhooks_sent[-1].events[0]["sg_machine_open"]


def test_a_person_may_do_something_about_an_older_mail_or_none() -> None:
    """The test names the mail and the instant; who got no mail can still complain."""
    simulator = SendgridSimulator()
    sent(simulator, ADA)
    sent(simulator, ADA)
    earlier = simulator.now - timedelta(hours=1)
    simulator.person.open(ADA, earlier, mail=simulator.sent[0])
    (said,) = simulator.webhooks_sent[-1].events
    assert (simulator.sent[0].msg_id, int(earlier.timestamp())) == (said["sg_message_id"], said["timestamp"])
    simulator.person.complain("eve@example.com")
    assert "eve@example.com" == simulator.webhooks_sent[-1].events[0]["email"]


def test_every_event_has_an_id_of_its_own_and_a_duplicate_has_the_same() -> None:
    """R25, F33: 46 copies of one body, each signed afresh, are one event."""
    simulator = SendgridSimulator()
    sent(simulator, ADA, "bob@example.com")
    simulator.person.open(ADA)
    simulator.hooks.again(simulator.webhooks_sent[-1], 45)
    for post in simulator.webhooks_sent[-46:]:
        verify(simulator, post)
    ids = [event["sg_event_id"] for post in simulator.webhooks_sent for event in post.events]
    assert (4 + 46, 4 + 1) == (len(ids), len(set(ids)))


def test_reserved_keys_outrank_our_arguments() -> None:
    """An argument called `event` is lost, as documented."""
    simulator = SendgridSimulator()
    body = mail(ADA)
    body["personalizations"][0]["custom_args"] = {"event": "mine", "email": "eve@example.com", "plan": "pro"}
    simulator.ask(SEND, body)
    simulator.settle()
    said = simulator.webhooks_sent[-1].events[0]
    assert ("processed", ADA, "pro") == (said["event"], said["email"], said["plan"])


# -- webhook settings


def test_settings_decide_who_gets_which_events() -> None:
    """A webhook gets what it asked for, while it is enabled, and is signed once that is turned on."""
    simulator = SendgridSimulator()
    made = simulator.ask(f"POST {HOOKS}", {"url": "https://example.com/hook", "open": True}).json
    sent(simulator, ADA)
    simulator.person.complain(ADA)
    simulator.person.open(ADA)
    assert ["open"] == [event["event"] for post in simulator.webhooks_sent for event in post.events]
    assert "https://example.com/hook" == simulator.webhooks_sent[-1].url
    assert SIGNATURE not in simulator.webhooks_sent[-1].headers
    signed = simulator.ask(f"PATCH {HOOKS}/signed/{{id}}", {"enabled": True}, id=made["id"]).json
    assert simulator.public_key == signed["public_key"]
    simulator.person.open(ADA)
    verify(simulator, simulator.webhooks_sent[-1])
    body = {"url": "https://example.com/hook", "enabled": False}
    simulator.ask(f"PATCH {HOOKS}/{{id}}", body, id=made["id"])
    simulator.person.open(ADA)
    assert 2 == len(simulator.webhooks_sent)
    assert simulator.public_key == simulator.ask(f"GET {HOOKS}/{{id}}", id=made["id"]).json["public_key"]


def test_webhooks_that_are_refused() -> None:
    """A URL that is none, one that is taken, one too many, and one that is not there."""
    simulator = SendgridSimulator()
    for number in range(5):
        assert 201 == simulator.ask(f"POST {HOOKS}", {"url": f"https://example.com/{number}"}).status
        if number == 0:
            assert 400 == simulator.ask(f"POST {HOOKS}", {"url": "example"}).status
            taken = simulator.ask(f"POST {HOOKS}", {"url": "https://example.com/0"})
            assert "https://example.com/0" == taken.json["errors"][0]["url"]
    assert 400 == simulator.ask(f"POST {HOOKS}", {"url": "https://example.com/5"}).status
    assert 5 == len(simulator.ask(f"GET {HOOKS}/all").json["webhooks"])
    for operation in (f"GET {HOOKS}/{{id}}", f"GET {HOOKS}/signed/{{id}}", f"DELETE {HOOKS}/{{id}}"):
        assert 404 == simulator.ask(operation, id="nobody's").status


# -- afterwards


def asked(simulator: SendgridSimulator, query: str) -> Any:
    """Ask e-mail activity."""
    return simulator.ask("GET /v3/messages", query={"query": query, "limit": 1000})


def test_email_activity_must_be_bought() -> None:
    """403 without; with it, a mail is found once it was worked on."""
    assert 403 == asked(SendgridSimulator(), "").status
    simulator = SendgridSimulator(email_activity=True)
    message_id = simulator.ask(SEND, mail(ADA, "bob@example.com")).headers["X-Message-Id"]
    query = f"unique_args['lm_mail']=\"spring:{ADA}\""
    assert [] == asked(simulator, query).json["messages"]
    simulator.suppressions.add("bounces", "bob@example.com")
    simulator.settle()
    (message,) = asked(simulator, query).json["messages"]
    assert ("delivered", ADA) == (message["status"], message["to_email"])
    assert [message] == asked(simulator, f'msg_id="{message["msg_id"]}"').json["messages"]
    assert 2 == len(asked(simulator, f"msg_id LIKE '{message_id}%'").json["messages"])
    (dropped,) = asked(simulator, 'to_email="bob@example.com" AND status="not_delivered"').json["messages"]
    assert "bob@example.com" == dropped["to_email"]
    simulator.person.open(ADA)
    simulator.person.click(ADA, "https://example.com")
    (message,) = asked(simulator, "clicks > 0").json["messages"]
    assert (1, 1) == (message["opens_count"], message["clicks_count"])
    assert 400 == asked(simulator, "lm_mail = 'x'").status


def test_erasing_takes_out_mails_and_not_that_somebody_is_held_back() -> None:
    """O5: a job; the contact and the suppression stay."""
    simulator = SendgridSimulator(email_activity=True)
    simulator.contacts.add(email=ADA)
    simulator.suppressions.add("spam_reports", "eve@example.com")
    sent(simulator, ADA, "bob@example.com")
    erase = "POST /v3/recipients/erasejob"
    assert 202 == simulator.ask(erase, {"email_addresses": [ADA.upper(), "eve@example.com"]}).status
    assert 2 == len(simulator.mailing.messages)
    simulator.settle()
    assert ["bob@example.com"] == [message.mail.email for message in simulator.mailing.messages]
    assert [ADA, "eve@example.com"] == simulator.erasure.erased
    assert 1 == len(simulator.contacts)
    assert "eve@example.com" in simulator.suppressions("spam_reports")
    for emails in ([], [ADA, ADA], [f"a{number}@example.com" for number in range(5001)], ["x" * 256_001]):
        assert 400 == simulator.ask(erase, {"email_addresses": emails}).status


# -- the key


def test_keys_scopes_and_limits() -> None:
    """401 with a wrong key, 403 without the scope, 429 beyond a limit, with headers that say when to come back."""
    simulator = SendgridSimulator(limits={"GET /v3/asm/groups": 2})
    answers = [simulator.ask("GET /v3/asm/groups") for _ in range(3)]
    assert [200, 200, 429] == [answer.status for answer in answers]
    assert ["1", "0", "0"] == [answer.headers["X-RateLimit-Remaining"] for answer in answers]
    assert "60" == answers[-1].headers["X-RateLimit-Reset"]
    simulator.reset_as_epoch = True
    reset = simulator.ask("GET /v3/asm/groups").headers["X-RateLimit-Reset"]
    assert int(simulator.now.timestamp()) + 60 == int(reset)
    simulator.now += timedelta(minutes=1)
    assert 200 == simulator.ask("GET /v3/asm/groups").status
    simulator.scopes.discard("mail.send")
    assert 403 == simulator.ask(SEND, mail(ADA)).status
    assert "mail.send" not in simulator.ask("GET /v3/scopes").json["scopes"]
    stranger = SendgridSimulator(api_key="SG.other")
    stranger._key = "SG.changed since"
    assert 200 == stranger.ask("GET /v3/scopes").status
    assert 501 == simulator.ask("GET /v3/nowhere").status


def test_senders_are_shown_both_ways() -> None:
    """As Marketing Campaigns and as sender verification show them."""
    simulator = SendgridSimulator()
    second = simulator.senders.add("offers@example.com", verified=False)
    senders = simulator.ask("GET /v3/marketing/senders").json["results"]
    assert [True, False] == [one["verified"] for one in senders]
    assert "offers@example.com" == simulator.ask("GET /v3/marketing/senders/{id}", id=second).json["from"]["email"]
    assert 404 == simulator.ask("GET /v3/marketing/senders/{id}", id=9).status
    verified = simulator.ask("GET /v3/verified_senders", query={"lastSeenID": 1}).json["results"]
    assert ["offers@example.com"] == [one["from_email"] for one in verified]
    assert json.dumps(senders)
