"""What Mailchimp's specification gets wrong or leaves out, as recorded exchanges and its own documentation show."""

from __future__ import annotations

from typing import Final

from lifecycle_mail.testing.contract import Answer, Correction, Limit, Overlay
from lifecycle_mail_mailchimp.testing.problems import too_many

_MEMBER: Final = "PUT /lists/{list_id}/members/{subscriber_hash}"
_CONDITIONS: Final = "options.conditions"

_TOO_MANY: Final[Answer] = too_many("You have exceeded the limit of 10 simultaneous connections.").answer

OVERLAY: Final = Overlay(
    corrections=(
        Correction(
            operation="*",
            place="answer default",
            merge={"required": ["title", "detail"]},
            reason='recorded: "Member Exists" and others come without a type',
        ),
        Correction(
            operation=_MEMBER,
            place="body",
            merge={"required": None},
            reason='recorded: a PUT of {"status": "unsubscribed"} alone, and without status_if_new, is taken',
        ),
        Correction(
            operation="PATCH /lists/{list_id}/segments/{segment_id}",
            place="body.options.conditions",
            take="body.options.conditions[]",
            reason="the specification has an array of arrays; POST and the documentation have an array of conditions",
        ),
        Correction(
            operation="POST /lists/{list_id}",
            place="body.members[].tags",
            merge={"type": "array", "items": {"type": "string"}},
            new=True,
            reason="sync_tags is about the tags of these members, which the specification names for single ones only",
        ),
    ),
    limits=(
        Limit(operation="POST /lists/{list_id}", place="body.members", most=500, reason="documented: 500 a call"),
        *(
            Limit(
                operation="POST /lists/{list_id}/segments/{segment_id}",
                place=f"body.{name}",
                most=500,
                reason="documented: 500 a call",
            )
            for name in ("members_to_add", "members_to_remove")
        ),
        *(
            Limit(operation=operation, place=f"body.{place}", most=10, reason="a segment has at most 10 conditions")
            for operation, place in (
                ("POST /lists/{list_id}/segments", _CONDITIONS),
                ("PATCH /lists/{list_id}/segments/{segment_id}", _CONDITIONS),
                ("POST /campaigns", "recipients.segment_opts.conditions"),
                ("PATCH /campaigns/{campaign_id}", "recipients.segment_opts.conditions"),
            )
        ),
        Limit(
            operation="POST /lists/{list_id}/merge-fields",
            place="body.tag",
            most=10,
            reason="documented: a merge tag has at most 10 characters",
        ),
        Limit(operation="GET *", place="query.count", most=1000, reason="documented: 1000 a page"),
        Limit(
            operation="GET /reports/{campaign_id}/email-activity",
            place="query.count",
            most=500,
            reason="not documented: pages of 1000 timed out",
        ),
    ),
    beyond=("POST /segments", "GET /batch-results/{name}"),
    may_be_empty=frozenset({"date-time"}),
    connections=10,
    too_many=_TOO_MANY,
)
"""Written corrections and limits; each says how it is known."""
