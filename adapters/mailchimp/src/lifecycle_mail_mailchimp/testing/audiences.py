"""Audiences, and what they keep of their members: merge fields, and interests in categories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_mailchimp.testing.calls import Call, Handler, Part
from lifecycle_mail_mailchimp.testing.problems import bad_request, invalid, malformed, not_found
from lifecycle_mail_mailchimp.testing.state import Account, Audience, Category, Interest, MergeField, iso, links

MOST_INTERESTS: Final = 60
"""How many interests an audience may have, over all categories."""

_TAG: Final = re.compile(r"[A-Z0-9_]{1,10}")
_OPTIONS: Final[Mapping[str, dict[str, Any]]] = {
    "text": {"size": 25},
    "address": {"default_country": 164},
    "date": {"date_format": "MM/DD/YYYY"},
    "birthday": {"date_format": "MM/DD"},
    "phone": {"phone_format": "none"},
}
_OUT: Final = ("unsubscribed", "cleaned")


class Audiences(Part):
    """Audiences.

    Attributes:
        most_fields: how many merge fields an audience may have, which depends on the plan.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self.most_fields = 80

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        fields = "/lists/{list_id}/merge-fields"
        categories = "/lists/{list_id}/interest-categories"
        interests = f"{categories}/{{interest_category_id}}/interests"
        return {
            "GET /lists": self.list_all,
            "GET /lists/{list_id}": lambda call: call.answer(self._shown(call.audience)),
            f"GET {fields}": self.list_fields,
            f"POST {fields}": self.add_field,
            f"GET {fields}/{{merge_id}}": lambda call: call.answer(_field(call.audience, self._field(call))),
            f"DELETE {fields}/{{merge_id}}": self.delete_field,
            f"GET {categories}": self.list_categories,
            f"POST {categories}": self.add_category,
            f"GET {categories}/{{interest_category_id}}": lambda call: call.answer(
                _category(call.audience, self._category(call))
            ),
            f"GET {interests}": self.list_interests,
            f"POST {interests}": self.add_interest,
            f"GET {interests}/{{interest_id}}": lambda call: call.answer(
                _interest(call.audience, self._interest(call))
            ),
            f"DELETE {interests}/{{interest_id}}": self.delete_interest,
        }

    def make(self, name: str, list_id: str | None = None) -> Audience:
        """Make an audience, with the fields that every new one has."""
        account = self._account
        audience = Audience(id=list_id or account.id(), web_id=account.number(), name=name, created_at=account.now)
        for tag, title, kind in (
            ("FNAME", "First Name", "text"),
            ("LNAME", "Last Name", "text"),
            ("ADDRESS", "Address", "address"),
            ("PHONE", "Phone Number", "phone"),
        ):
            self.make_field(audience, tag, title, kind)
        account.audiences[audience.id] = audience
        return audience

    def make_field(self, audience: Audience, tag: str, name: str, kind: str = "text", **more: Any) -> MergeField:
        """Give an audience a merge field."""
        number = max((one.merge_id for one in audience.fields.values()), default=0) + 1
        options = {**_OPTIONS.get(kind, {}), **more.pop("options", {})}
        order = more.pop("display_order", number + 1)
        field = MergeField(merge_id=number, tag=tag, name=name, type=kind, options=options, display_order=order, **more)
        audience.fields[tag] = field
        return field

    # audiences

    def list_all(self, call: Call) -> Answer:
        """Return the audiences, or those that somebody is subscribed to."""
        email = call.text("email")
        rows = [
            one
            for one in self._account.audiences.values()
            if (not email or any(member.email == email for member in one.members.values()))
            and call.within("since_date_created", "before_date_created", one.created_at)
        ]
        if call.text("sort_field"):
            rows.sort(key=lambda one: one.created_at, reverse=call.text("sort_dir").upper() == "DESC")
        count = len(self._account.audiences)
        constraints = {"may_create": False, "max_instances": count, "current_total_instances": count}
        return call.page("lists", rows, self._shown, constraints=constraints)

    def _shown(self, audience: Audience) -> dict[str, Any]:
        members = audience.members.values()
        counts = {status: sum(one.status == status for one in members) for status in ("subscribed", *_OUT)}
        campaigns = [one for one in self._account.campaigns.values() if one.audience is audience]
        sent = [one.send_time for one in campaigns if one.send_time is not None and one.status in ("sending", "sent")]
        url = f"https://example.us6.list-manage.com/subscribe?u=0&id={audience.id}"
        return {
            "id": audience.id,
            "web_id": audience.web_id,
            "name": audience.name,
            "contact": {"company": "", "address1": "", "city": "", "state": "", "zip": "", "country": "US"},
            "permission_reminder": "You signed up on our website.",
            "use_archive_bar": True,
            "campaign_defaults": {"from_name": "App", "from_email": "app@example.org", "subject": "", "language": "en"},
            "notify_on_subscribe": "",
            "notify_on_unsubscribe": "",
            "date_created": iso(audience.created_at),
            "list_rating": 0,
            "email_type_option": False,
            "subscribe_url_short": url,
            "subscribe_url_long": url,
            "beamer_address": f"us6-{audience.id}@inbound.mailchimp.com",
            "visibility": "prv",
            "double_optin": False,
            "has_welcome": False,
            "marketing_permissions": False,
            "modules": [],
            "stats": {
                "member_count": counts["subscribed"],
                "unsubscribe_count": counts["unsubscribed"],
                "cleaned_count": counts["cleaned"],
                "member_count_since_send": 0,
                "unsubscribe_count_since_send": 0,
                "cleaned_count_since_send": 0,
                "campaign_count": len(campaigns),
                "campaign_last_sent": iso(max(sent, default=None)),
                "merge_field_count": len(audience.fields),
                "avg_sub_rate": 0,
                "avg_unsub_rate": 0,
                "target_sub_rate": 0,
                "open_rate": 0,
                "click_rate": 0,
                "last_sub_date": iso(audience.last_sub),
                "last_unsub_date": iso(audience.last_unsub),
            },
            "_links": links(f"/lists/{audience.id}"),
        }

    # merge fields

    def list_fields(self, call: Call) -> Answer:
        """Return the merge fields; the address is not one of them."""
        audience = call.audience
        rows = [
            one
            for one in audience.fields.values()
            if call.text("type") in ("", one.type) and (one.required or not call.flag("required"))
        ]
        return call.page("merge_fields", rows, lambda one: _field(audience, one), list_id=audience.id)

    def add_field(self, call: Call) -> Answer:
        """Make a merge field."""
        audience, body = call.audience, call.body
        tag = str(body.get("tag") or f"MMERGE{len(audience.fields) + 1}").upper()
        if not _TAG.fullmatch(tag):
            raise malformed(("tag", "Merge tags may hold 10 letters, digits and underscores at most."))
        if tag in audience.fields or tag == "EMAIL":
            raise invalid(f'A Merge Field with the tag "{tag}" already exists for this list.')
        if len(audience.fields) >= self.most_fields:
            raise bad_request(f"This list has reached its limit of {self.most_fields} merge fields.")
        more = {
            name: body[name]
            for name in ("required", "default_value", "public", "display_order", "options", "help_text")
            if name in body
        }
        return call.answer(_field(audience, self.make_field(audience, tag, body["name"], body["type"], **more)))

    def _field(self, call: Call) -> MergeField:
        for one in call.audience.fields.values():
            if str(one.merge_id) == call["merge_id"]:
                return one
        raise not_found()

    def delete_field(self, call: Call) -> Answer:
        """Delete a merge field, and its values."""
        tag = self._field(call).tag
        del call.audience.fields[tag]
        for member in call.audience.members.values():
            member.merge.pop(tag, None)
        return Answer(status=204)

    # interests

    def list_categories(self, call: Call) -> Answer:
        """Return the categories of interests."""
        audience = call.audience
        rows = [one for one in audience.categories.values() if call.text("type") in ("", one.type)]
        return call.page("categories", rows, lambda one: _category(audience, one), list_id=audience.id)

    def add_category(self, call: Call) -> Answer:
        """Make a category."""
        audience, body = call.audience, call.body
        if any(one.title.casefold() == body["title"].casefold() for one in audience.categories.values()):
            raise bad_request(f'Cannot add "{body["title"]}" because it already exists on the list.')
        category = Category(
            id=self._account.id(), title=body["title"], type=body["type"], display_order=body.get("display_order", 0)
        )
        audience.categories[category.id] = category
        return call.answer(_category(audience, category))

    def _category(self, call: Call) -> Category:
        if call["interest_category_id"] not in call.audience.categories:
            raise not_found()
        return call.audience.categories[call["interest_category_id"]]

    def list_interests(self, call: Call) -> Answer:
        """Return the interests of a category."""
        audience, category = call.audience, self._category(call)
        rows = list(category.interests.values())
        more = {"list_id": audience.id, "category_id": category.id}
        return call.page("interests", rows, lambda one: _interest(audience, one), **more)

    def add_interest(self, call: Call) -> Answer:
        """Make an interest."""
        audience, category, name = call.audience, self._category(call), call.body["name"]
        if any(one.name.casefold() == name.casefold() for one in category.interests.values()):
            raise bad_request(f'Cannot add "{name}" because it already exists on the list.')
        if len(audience.interests()) >= MOST_INTERESTS:
            raise bad_request(f"Cannot have more than {MOST_INTERESTS} interests per list (Across all categories)")
        order = call.body.get("display_order", len(category.interests) + 1)
        interest = Interest(id=self._account.id(), category_id=category.id, name=name, display_order=order)
        category.interests[interest.id] = interest
        return call.answer(_interest(audience, interest))

    def _interest(self, call: Call) -> Interest:
        interests = self._category(call).interests
        if call["interest_id"] not in interests:
            raise not_found()
        return interests[call["interest_id"]]

    def delete_interest(self, call: Call) -> Answer:
        """Delete an interest: nobody has it any more."""
        interest = self._interest(call)
        del self._category(call).interests[interest.id]
        for member in call.audience.members.values():
            member.interests.discard(interest.id)
        return Answer(status=204)


def _field(audience: Audience, one: MergeField) -> dict[str, Any]:
    return {
        "merge_id": one.merge_id,
        "tag": one.tag,
        "name": one.name,
        "type": one.type,
        "required": one.required,
        "default_value": one.default_value,
        "public": one.public,
        "display_order": one.display_order,
        "options": one.options,
        "help_text": one.help_text,
        "list_id": audience.id,
        "_links": links(f"/lists/{audience.id}/merge-fields/{one.merge_id}"),
    }


def _category(audience: Audience, one: Category) -> dict[str, Any]:
    return {
        "list_id": audience.id,
        "id": one.id,
        "title": one.title,
        "display_order": one.display_order,
        "type": one.type,
        "_links": links(f"/lists/{audience.id}/interest-categories/{one.id}"),
    }


def _interest(audience: Audience, one: Interest) -> dict[str, Any]:
    count = sum(one.id in member.interests and member.status == "subscribed" for member in audience.members.values())
    return {
        "category_id": one.category_id,
        "list_id": audience.id,
        "id": one.id,
        "name": one.name,
        "subscriber_count": str(count),
        "display_order": one.display_order,
        "_links": links(f"/lists/{audience.id}/interest-categories/{one.category_id}/interests/{one.id}"),
    }
