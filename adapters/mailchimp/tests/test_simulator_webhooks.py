"""What the simulated account posts to webhooks."""

import hmac
import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from lifecycle_mail_mailchimp.testing import MailchimpSimulator, Posted

from adapters.mailchimp.tests.simulated import Api

ADA = "ada@example.com"
URL = "https://app.example/hooks/mailchimp"
ALL = {"subscribe": True, "unsubscribe": True, "profile": True, "upemail": True, "cleaned": True, "campaign": True}
NOT_API = {"user": True, "admin": True, "api": False}


def form(posted: Posted) -> dict[str, str]:
    """Return what a post says."""
    return dict(parse_qsl(posted.body.decode(), keep_blank_values=True))


def kinds(api: Api) -> list[str]:
    """Return which events were posted."""
    return [posted.kind for posted in api.simulator.webhooks_sent]


def test_what_people_do_is_posted_as_documented(api: Api, shared: Path) -> None:
    """Each event has the type, and all the fields, of Mailchimp's own examples."""
    api.simulator.audiences.make_field(api.audience, "PLAN", "Plan")
    api.simulator.webhook(api.audience.id)
    person, list_id = api.simulator.person, api.audience.id
    person.join(list_id, ADA, merge={"FNAME": "Ada"})
    person.update_profile(list_id, ADA, merge={"PLAN": "pro"})
    person.change_email(list_id, ADA, "lady@example.com")
    body = {
        "type": "regular",
        "recipients": {"list_id": list_id},
        "settings": {"subject_line": "Hello", "from_name": "App", "reply_to": "app@example.org"},
    }
    campaign = api.done("POST", "/campaigns", body)["id"]
    api.done("PUT", f"/campaigns/{campaign}/content", {"plain_text": "Hello"})
    api.done("POST", f"/campaigns/{campaign}/actions/send")
    person.unsubscribe(list_id, "lady@example.com", campaign_id=campaign)
    person.join(list_id, "bob@example.com")
    person.bounce(list_id, "bob@example.com", campaign_id=campaign)
    assert all("X-Mailchimp-Signature" in one.headers for one in api.simulator.webhooks_sent)
    api.simulator.wait(minutes=1)

    documented = json.loads((shared / "contracts" / "mailchimp" / "webhook_forms.json").read_text())["forms"]
    posted = {one.kind: form(one) for one in api.simulator.webhooks_sent}
    assert len(documented) == 6
    for example in documented:
        assert set(example) <= set(posted[example["type"]]), example["type"]
    told = posted["unsubscribe"]
    assert (told["data[action]"], told["data[reason]"], told["data[campaign_id]"]) == ("unsub", "manual", campaign)
    assert told["data[merges][PLAN]"] == "pro"
    assert (posted["campaign"]["data[status]"], posted["campaign"]["data[subject]"]) == ("sent", "Hello")
    assert told["fired_at"] == "2026-03-02 09:00:00"
    assert (posted["upemail"]["data[old_email]"], posted["upemail"]["data[new_email]"]) == (ADA, "lady@example.com")


def test_a_complaint_says_so(api: Api) -> None:
    """Who calls a mail spam is posted as leaving for abuse."""
    api.join("ada")
    api.simulator.person.complain(api.audience.id, ADA)
    [posted] = api.simulator.webhooks_sent
    assert (posted.kind, form(posted)["data[reason]"]) == ("unsubscribe", "abuse")


def test_interests_are_posted_by_name(api: Api) -> None:
    """Interests come as names, all together and by category; a comma in a name is escaped."""
    category = api.done("POST", f"{api.list}/interest-categories", {"title": "Topics", "type": "checkboxes"})["id"]
    path = f"{api.list}/interest-categories/{category}/interests"
    ids = [api.done("POST", path, {"name": name})["id"] for name in ("News", "Tips, tricks", "Offers")]
    api.simulator.person.join(api.audience.id, ADA, interests=ids[:2])
    told = form(api.simulator.webhooks_sent[-1])
    assert told["data[merges][INTERESTS]"] == "News, Tips\\, tricks"
    assert told["data[merges][GROUPINGS][0][unique_id]"] == category
    assert told["data[merges][GROUPINGS][0][groups]"] == "News, Tips\\, tricks"


def test_the_signature_covers_time_and_body(api: Api) -> None:
    """A post is signed with the secret that the webhook's making showed, and no later answer shows."""
    made = api.done("POST", f"{api.list}/webhooks", {"url": URL, "events": ALL, "sources": NOT_API})
    secret = made["signing_secret"]
    assert made["signing_enabled"] is True
    for found in (api.get(f"{api.list}/webhooks")["webhooks"][0], api.get(f"{api.list}/webhooks/{made['id']}")):
        assert "signing_secret" not in found

    api.simulator.person.join(api.audience.id, ADA)
    [posted] = api.simulator.webhooks_sent
    time, _, signature = posted.headers["X-Mailchimp-Signature"].partition(",v1=")
    assert posted.url == URL
    assert time == f"t={int(api.simulator.now.timestamp())}"
    signed = time.removeprefix("t=").encode() + b"." + posted.body
    assert signature == hmac.digest(secret.encode(), signed, "sha256").hex()
    assert posted.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert ADA not in repr(posted)


@pytest.mark.parametrize(("secret", "signed"), [(None, False), ("a secret", True)])
def test_without_a_webhook_it_is_signed_if_told(secret: str | None, signed: bool) -> None:
    """A test that makes no webhook sees what would be posted, signed with the secret of the account if there is one."""
    simulator = MailchimpSimulator(signing_secret=secret)
    simulator.person.join(simulator.audience().id, ADA)
    [posted] = simulator.webhooks_sent
    assert ("X-Mailchimp-Signature" in posted.headers) is signed


def test_only_what_was_asked_for_is_posted(api: Api) -> None:
    """Events and sources that are switched off are not posted; what the API does comes back only if asked for."""
    made = api.done("POST", f"{api.list}/webhooks", {"url": URL, "events": {"subscribe": True}, "sources": NOT_API})
    api.join("ada")
    api.simulator.person.join(api.audience.id, "bob@example.com")
    api.simulator.person.unsubscribe(api.audience.id, "bob@example.com")
    assert kinds(api) == ["subscribe"]

    changed = {"events": ALL, "sources": {"user": False, "admin": False, "api": True}}
    api.done("PATCH", f"{api.list}/webhooks/{made['id']}", changed)
    api.done("PATCH", api.member(ADA), {"merge_fields": {"FNAME": "Ada"}})
    api.done("PATCH", api.member(ADA), {"merge_fields": {"FNAME": "Ada"}})
    api.done("PATCH", api.member(ADA), {"status": "unsubscribed"})
    api.done("PATCH", api.member(ADA), {"status": "subscribed"})
    api.done("PATCH", api.member(ADA), {"email_address": "lady@example.com"})
    api.done("DELETE", api.member("lady@example.com"))
    assert kinds(api)[1:] == ["profile", "unsubscribe", "subscribe", "upemail", "unsubscribe"]
    assert form(api.simulator.webhooks_sent[-1])["data[action]"] == "archive"


def test_a_webhook_must_answer_the_probe(api: Api) -> None:
    """An address that does not answer 200 to a GET is not taken (R24), and none is taken twice."""
    probed: list[str] = []

    def probe(url: str) -> int:
        probed.append(url)
        return 404 if "down" in url else 200

    api.simulator.hooks.probe = probe
    body = {"url": URL, "events": ALL, "sources": NOT_API}
    made = api.done("POST", f"{api.list}/webhooks", body)
    assert api.refused("POST", f"{api.list}/webhooks", body)[2] == (
        "Sorry, you can't set up multiple WebHooks for one URL"
    )
    assert api.refused("POST", f"{api.list}/webhooks", {**body, "url": "https://down.example"})[0] == 400
    assert api.refused("PATCH", f"{api.list}/webhooks/{made['id']}", {"url": "https://down.example"})[0] == 400
    assert api.refused("POST", f"{api.list}/webhooks", {**body, "url": "mailto:me"})[0] == 400
    assert probed == [URL, URL, "https://down.example", "https://down.example"]
    api.done("DELETE", f"{api.list}/webhooks/{made['id']}")
    assert api.refused("GET", f"{api.list}/webhooks/{made['id']}")[0] == 404


def test_people_do_not_do_what_they_cannot(api: Api) -> None:
    """A test that lets the wrong person do something is told at once."""
    api.join("ada", "bob")
    person = api.simulator.person
    with pytest.raises(ValueError, match="is in the audience already"):
        person.change_email(api.audience.id, ADA, "bob@example.com")
    with pytest.raises(ValueError, match="was not asked to confirm"):
        person.confirm(api.audience.id, ADA)
    body = {"type": "regular", "recipients": {"list_id": api.audience.id}}
    campaign = api.done("POST", "/campaigns", body)["id"]
    with pytest.raises(ValueError, match="did not get the campaign"):
        person.open(campaign, ADA)
