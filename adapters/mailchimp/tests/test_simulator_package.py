"""The simulated account through the official package, as it comes."""

import mailchimp_marketing
import pytest
from lifecycle_mail_mailchimp.testing.state import member_hash
from mailchimp_marketing.api_client import ApiClientError

from adapters.mailchimp.tests.simulated import Api

ADA = "ada@example.com"


def test_the_official_package_works_against_it(api: Api) -> None:
    """From an empty audience to a report, every call of the package keeps the contract."""
    client = mailchimp_marketing.Client()
    client.set_config({"api_key": "key-us6"})
    client.api_client.host = api.server.url
    audience = api.audience.id

    assert client.ping.get() == {"health_status": "Everything's Chimpy!"}
    client.lists.add_list_merge_field(audience, {"tag": "LTV", "name": "Value", "type": "number"})
    members = [{"email_address": ADA, "status": "subscribed", "merge_fields": {"LTV": 7}}]
    assert client.lists.batch_list_members(audience, {"members": members})["total_created"] == 1
    member = client.lists.set_list_member(
        audience, member_hash(ADA), {"email_address": ADA, "status_if_new": "pending"}
    )
    assert member["status"] == "subscribed"
    segment = client.lists.create_segment(audience, {"name": "vip", "static_segment": [ADA]})
    assert client.lists.get_segment_members_list(audience, segment["id"], count=1000)["total_items"] == 1
    recipients = {"list_id": audience, "segment_opts": {"saved_segment_id": segment["id"]}}
    settings = {"subject_line": "Hello", "from_name": "App", "reply_to": "app@example.org"}
    campaign = client.campaigns.create({"type": "regular", "recipients": recipients, "settings": settings})["id"]
    client.campaigns.set_content(campaign, {"html": "<p>Hello</p>"})
    client.campaigns.send(campaign)
    assert api.simulator.sent == [(campaign, ADA)]
    assert client.reports.get_campaign_report(campaign)["emails_sent"] == 1
    client.lists.delete_list_member_permanent(audience, member_hash(ADA))


def test_the_official_package_gives_errors_as_text(api: Api) -> None:
    """A problem document comes out of the package as a string, which an adapter has to read (see `errors`)."""
    client = mailchimp_marketing.Client()
    client.set_config({"api_key": "key-us6"})
    client.api_client.host = api.server.url
    with pytest.raises(ApiClientError) as failure:
        client.lists.get_list_member(api.audience.id, member_hash(ADA))
    assert failure.value.status_code == 404
    assert '"title": "Resource Not Found"' in failure.value.text
