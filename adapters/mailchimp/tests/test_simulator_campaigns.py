"""Campaigns of the simulated account: who gets them, who gets them once, and what is reported."""

from typing import Any

import pytest

from adapters.mailchimp.tests.simulated import Api

ADA, BOB = "ada@example.com", "bob@example.com"
SETTINGS = {"subject_line": "Hello", "title": "spring", "from_name": "App", "reply_to": "app@example.org"}


def make(api: Api, segment: dict[str, Any] | None = None, **settings: Any) -> str:
    """Make a campaign that is ready, and return its path."""
    recipients = {"list_id": api.audience.id, **({"segment_opts": segment} if segment else {})}
    body = {"type": "regular", "recipients": recipients, "settings": {**SETTINGS, **settings}}
    path = f"/campaigns/{api.done('POST', '/campaigns', body)['id']}"
    api.done("PUT", f"{path}/content", {"html": "<p>Hello</p><p>*|UNSUB|*</p>"})
    return path


def sent(api: Api) -> list[str]:
    """Return who got a mail, in order."""
    return [email for _, email in api.simulator.sent]


@pytest.fixture
def people(api: Api) -> Api:
    """An audience of four."""
    api.join("ada", "bob", "cyd", "dan")
    return api


def test_a_campaign_goes_to_who_is_subscribed_and_in_the_segment(people: Api) -> None:
    """Who left since they were put into the segment gets nothing (F17)."""
    body = {"name": "vip", "static_segment": [ADA, BOB, "cyd@example.com"]}
    segment = people.done("POST", f"{people.list}/segments", body)["id"]
    path = make(people, {"saved_segment_id": segment})
    assert people.get(path)["recipients"]["recipient_count"] == 3
    people.simulator.person.unsubscribe(people.audience.id, BOB)

    assert people.done("POST", f"{path}/actions/send") is None
    assert sent(people) == [ADA, "cyd@example.com"]


def test_a_campaign_goes_from_saved_to_sending_to_sent(people: Api) -> None:
    """It is on its way for a while, and what it was sent to does not change any more (F18)."""
    path = make(people)
    assert people.get(path)["status"] == "save"
    people.done("POST", f"{path}/actions/send")
    people.simulator.person.unsubscribe(people.audience.id, ADA)
    found = people.get(path)
    assert (found["status"], found["emails_sent"]) == ("sending", 4)
    people.simulator.wait(minutes=1)
    found = people.get(path)
    assert (found["status"], found["send_time"]) == ("sent", "2026-03-02T09:00:00+00:00")


def test_nobody_gets_a_campaign_twice(people: Api) -> None:
    """A campaign that is on its way, or was sent, is not sent again (F19, F22)."""
    path = make(people)
    people.done("POST", f"{path}/actions/send")
    for _ in range(2):
        assert people.refused("POST", f"{path}/actions/send")[:2] == (400, "Bad Request")
        people.simulator.wait(minutes=1)
    assert len(sent(people)) == 4


def test_a_campaign_to_nobody_is_not_ready(people: Api) -> None:
    """An empty segment keeps a campaign from leaving, and so does a segment that was deleted."""
    segment = people.done("POST", f"{people.list}/segments", {"name": "none", "static_segment": []})["id"]
    path = make(people, {"saved_segment_id": segment})
    assert people.refused("POST", f"{path}/actions/send")[2] == "Your Campaign is not ready to send. recipients"
    people.done("DELETE", f"{people.list}/segments/{segment}")
    assert people.refused("POST", f"{path}/actions/send")[2] == "Your Campaign is not ready to send. recipients"


def test_a_checklist_says_what_is_missing(people: Api) -> None:
    """What is missing is listed, and named when it is sent all the same."""
    body = {"type": "regular", "recipients": {"list_id": people.audience.id}, "settings": {"subject_line": "Hello"}}
    path = f"/campaigns/{people.done('POST', '/campaigns', body)['id']}"
    found = people.get(f"{path}/send-checklist")
    errors = [one["heading"] for one in found["items"] if one["type"] == "error"]
    assert (found["is_ready"], errors) == (False, ["from name", "address(es)", "content"])
    assert "from name, address(es), content" in people.refused("POST", f"{path}/actions/send")[2]
    assert people.get(f"{make(people)}/send-checklist")["is_ready"] is True


def test_recipients_may_take_time_to_count(people: Api) -> None:
    """Mailchimp may not let a campaign go that it was told of a moment ago."""
    people.simulator.campaigns.counts_after = people.simulator.campaigns.takes
    path = make(people)
    assert "recipients not ready" in people.refused("POST", f"{path}/actions/send")[2]
    people.simulator.wait(minutes=1)
    people.done("POST", f"{path}/actions/send")
    assert len(sent(people)) == 4


def test_conditions_in_a_campaign_select_its_recipients(people: Api) -> None:
    """A campaign may hold conditions of its own, decided when it leaves."""
    condition = {"condition_type": "EmailAddress", "field": "EMAIL", "op": "contains", "value": "a@"}
    path = make(people, {"match": "all", "conditions": [condition]})
    people.join("mia")
    people.done("POST", f"{path}/actions/send")
    assert sent(people) == [ADA, "mia@example.com"]


def test_a_campaign_is_scheduled_and_taken_back(people: Api) -> None:
    """It leaves at its time, to who is subscribed then; quarters of an hour only, and not in the past."""
    path = make(people)
    for wrong in ("2026-03-02T08:00:00+00:00", "2026-03-02T10:05:00+00:00"):
        assert people.refused("POST", f"{path}/actions/schedule", {"schedule_time": wrong})[0] == 400
    time = {"schedule_time": "2026-03-02T10:15:00+00:00"}
    people.done("POST", f"{path}/actions/schedule", time)
    assert people.get(path)["status"] == "schedule"
    assert people.refused("PATCH", path, {"settings": SETTINGS})[0] == 400
    people.done("POST", f"{path}/actions/unschedule")
    people.done("POST", f"{path}/actions/schedule", time)
    people.simulator.person.unsubscribe(people.audience.id, ADA)
    assert sent(people) == []
    people.simulator.wait(minutes=75)
    assert (len(sent(people)), people.get(path)["status"]) == (3, "sending")
    people.simulator.wait(minutes=1)
    assert people.get(path)["status"] == "sent"


def test_a_scheduled_campaign_that_is_not_ready_pauses(people: Api) -> None:
    """Nothing leaves if nobody is left to get it."""
    path = make(people)
    people.done("POST", f"{path}/actions/schedule", {"schedule_time": "2026-03-02T10:00:00+00:00"})
    for name in ("ada", "bob", "cyd", "dan"):
        people.simulator.person.unsubscribe(people.audience.id, f"{name}@example.com")
    people.simulator.wait(hours=1)
    assert (people.get(path)["status"], sent(people)) == ("paused", [])


def test_a_campaign_is_cancelled_on_its_way_only(people: Api) -> None:
    """Cancelling stops the campaign; what has left has left."""
    path = make(people)
    assert people.refused("POST", f"{path}/actions/cancel-send")[0] == 400
    people.done("POST", f"{path}/actions/send")
    people.done("POST", f"{path}/actions/cancel-send")
    people.simulator.wait(minutes=5)
    assert people.get(path)["status"] == "canceled"
    assert people.refused("POST", f"{path}/actions/unschedule")[0] == 400


def test_campaigns_are_changed_until_they_leave(people: Api) -> None:
    """Settings and content can be changed, and the campaign deleted; afterwards it stays as it is."""
    path = make(people)
    assert (
        people.done("PATCH", path, {"settings": {**SETTINGS, "subject_line": "Hi"}})["settings"]["subject_line"] == "Hi"
    )
    content = people.done("PUT", f"{path}/content", {"html": "<h1>Hi</h1><p>there</p>"})
    assert (content["html"], content["plain_text"]) == ("<h1>Hi</h1><p>there</p>", "Hi\nthere")
    assert people.get(f"{path}/content")["plain_text"] == "Hi\nthere"
    people.done("POST", f"{path}/actions/send")
    assert people.refused("PUT", f"{path}/content", {"plain_text": "Late"})[0] == 400
    assert people.refused("DELETE", path)[0] == 400
    people.simulator.wait(minutes=1)
    people.done("DELETE", path)
    assert people.refused("GET", path)[0] == 404


def test_a_campaign_can_be_given_another_segment(people: Api) -> None:
    """Recipients are changed like settings, and must be there."""
    path, segments = make(people), f"{people.list}/segments"
    segment = people.done("POST", segments, {"name": "vip", "static_segment": [ADA]})["id"]
    recipients = {"list_id": people.audience.id, "segment_opts": {"saved_segment_id": segment}}
    found = people.done("PATCH", path, {"settings": SETTINGS, "recipients": recipients})
    assert found["recipients"]["segment_opts"]["saved_segment_id"] == segment
    assert found["recipients"]["recipient_count"] == 1
    for wrong in ({"list_id": "nothing"}, {"list_id": people.audience.id, "segment_opts": {"saved_segment_id": 1}}):
        assert people.refused("PATCH", path, {"settings": SETTINGS, "recipients": wrong})[0] == 400


def test_campaigns_are_found(people: Api) -> None:
    """Campaigns are listed by status, audience and time."""
    one = make(people, title="one")
    people.simulator.wait(minutes=10)
    make(people, title="two")
    people.done("POST", f"{one}/actions/send")

    def titles(**query: Any) -> list[str]:
        return [found["settings"]["title"] for found in people.get("/campaigns", **query)["campaigns"]]

    assert titles() == ["one", "two"]
    assert titles(status="save") == ["two"]
    assert titles(since_create_time="2026-03-02T09:05:00+00:00") == ["two"]
    assert titles(since_send_time="2026-03-02T09:05:00+00:00") == ["one"]
    assert titles(list_id="nothing") == []
    assert titles(sort_field="create_time", sort_dir="DESC") == ["two", "one"]
    assert people.refused("POST", "/campaigns", {"type": "regular", "recipients": {"list_id": "nothing"}})[0] == 400


def test_what_recipients_do_is_reported(people: Api) -> None:
    """Opens, clicks, bounces, complaints and unsubscribes show in the reports, and in the members' feeds."""
    path = make(people)
    campaign = path.rpartition("/")[2]
    report = f"/reports/{campaign}"
    assert people.refused("GET", report)[0] == 404
    people.done("POST", f"{path}/actions/send")
    person, list_id = people.simulator.person, people.audience.id
    people.simulator.wait(minutes=5)
    person.open(campaign, ADA)
    people.simulator.wait(minutes=5)
    person.open(campaign, BOB)
    person.click(campaign, BOB, "https://app.example/offer")
    person.unsubscribe(list_id, ADA, campaign_id=campaign)
    person.bounce(list_id, "cyd@example.com", campaign_id=campaign)
    person.complain(list_id, "dan@example.com", campaign_id=campaign)

    found = people.get(report)
    assert (found["emails_sent"], found["opens"]["unique_opens"], found["clicks"]["clicks_total"]) == (4, 2, 1)
    assert (found["bounces"]["hard_bounces"], found["abuse_reports"], found["unsubscribed"]) == (1, 1, 1)
    assert people.get("/reports")["total_items"] == 1
    assert people.get(path)["report_summary"]["open_rate"] == 0.5

    rows = people.get(f"{report}/email-activity", count=500)["emails"]
    assert [[done["action"] for done in one["activity"]] for one in rows] == [
        ["open"],
        ["open", "click"],
        ["bounce"],
        [],
    ]
    rows = people.get(f"{report}/email-activity", since="2026-03-02T09:05:00+00:00")["emails"]
    assert [one["email_address"] for one in rows] == [BOB, "cyd@example.com"]
    bob = people.get(f"{report}/email-activity/{people.member(BOB).rpartition('/')[2]}")
    assert bob["activity"][1]["url"] == "https://app.example/offer"

    assert [one["reason"] for one in people.get(f"{report}/unsubscribed")["unsubscribes"]] == [
        "normal_unsubscribe",
        "spam",
    ]
    assert [one["status"] for one in people.get(f"{report}/sent-to")["sent_to"]] == ["sent", "sent", "hard", "sent"]
    complaints = people.get(f"{people.list}/abuse-reports")["abuse_reports"]
    assert [one["email_address"] for one in complaints] == ["dan@example.com"]
    kinds = [one["activity_type"] for one in people.get(f"{people.member(ADA)}/activity-feed")["activity"]]
    assert kinds == ["unsub", "open", "sent"]


def test_segments_know_who_opened(people: Api) -> None:
    """Conditions ask for a campaign by its web id, or for any."""
    path = make(people)
    campaign = people.get(path)
    people.done("POST", f"{path}/actions/send")
    people.simulator.person.open(campaign["id"], ADA)
    for op, value, count in (("open", "any", 1), ("noopen", str(campaign["web_id"]), 3), ("sent", "any", 4)):
        condition = {"condition_type": "Aim", "field": "aim", "op": op, "value": value}
        options = {"match": "all", "conditions": [condition]}
        assert people.done("POST", f"{people.list}/segments", {"name": op, "options": options})["member_count"] == count


def test_pages_of_activity_are_short(people: Api) -> None:
    """More than 500 rows of activity at once break the contract, because Mailchimp timed out."""
    path = make(people)
    people.done("POST", f"{path}/actions/send")
    report = f"/reports/{path.rpartition('/')[2]}/email-activity"
    assert people.ask("GET", report, count=501).status_code == 400
    assert [one.where for one in people.server.violations] == ["query.count"]
    people.server.violations.clear()
