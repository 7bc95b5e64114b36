"""What SendGrid's own OpenAPI files get wrong or leave out, with how one knows.

"Recorded" means a live exchange; "its own words" means a description in the same file that contradicts the schema
beside it. The files are OpenAPI 3.1 and still write `nullable`, which means nothing there: where null is sent or
answered, the type says so here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lifecycle_mail.testing.contract import Correction, Limit, Overlay
from lifecycle_mail_sendgrid.testing.activity import MOST_ERASED_BYTES
from lifecycle_mail_sendgrid.testing.contacts import MOST_BYTES, MOST_CONTACTS, MOST_IDS
from lifecycle_mail_sendgrid.testing.downloads import BEYOND
from lifecycle_mail_sendgrid.testing.finding import MOST_ASKED
from lifecycle_mail_sendgrid.testing.groups import MOST_SHOWN
from lifecycle_mail_sendgrid.testing.mail_rules import MOST_BYTES as MOST_MAIL_BYTES

_CONTACTS: Final = "/v3/marketing/contacts"
_SENDS: Final = "/v3/marketing/singlesends"
_NULLABLE: Final = "`nullable` means nothing in OpenAPI 3.1"
_TEXT: Final[Mapping[str, Any]] = {"type": "string"}


def _nullable(operation: str, place: str, kind: str, reason: str = _NULLABLE) -> Correction:
    return Correction(operation=operation, place=place, merge={"type": [kind, "null"]}, reason=reason)


_CORRECTIONS: Final = (
    Correction(
        operation=f"PUT {_CONTACTS}",
        place="body.contacts[].custom_fields",
        merge={"properties": None, "additionalProperties": True},
        reason="the file names one example, `w1`; recorded: ids such as `e2_T` with texts, numbers and dates",
    ),
    Correction(
        operation=f"PUT {_CONTACTS}",
        place="body.contacts[]",
        merge={"properties": dict.fromkeys(("phone_number", "whatsapp", "line", "facebook", "unique_name"), _TEXT)},
        reason="recorded: `phone_number` is taken and kept; the others are reserved fields that are not read-only",
    ),
    *(
        Correction(
            operation=operation,
            place="answer 202.job_id",
            merge={"type": "string", "additionalProperties": None},
            reason="recorded: the id is a string, and not an object",
        )
        for operation in (f"DELETE {_CONTACTS}", f"DELETE {_CONTACTS}/{{contact_id}}/identifiers")
    ),
    Correction(
        operation="DELETE /v3/marketing/lists/{id}",
        place="operation",
        merge={"responses": {"204": {"content": None}}},
        reason="recorded: 204 without a body",
    ),
    _nullable(f"POST {_CONTACTS}/search", "answer 200.result[].segment_ids", "array", "recorded: null"),
    Correction(
        operation=f"PUT {_SENDS}/{{id}}/schedule",
        place="body.send_at",
        merge={"format": None},
        reason="its own words: the string `now` sends at once",
    ),
    _nullable(f"POST {_SENDS}", "body.send_at", "string"),
    _nullable(f"PATCH {_SENDS}/{{id}}", "body.send_at", "string"),
    *(
        _nullable(operation, f"body.email_config.{key}", kind)
        for operation in (f"POST {_SENDS}", f"PATCH {_SENDS}/{{id}}")
        for key, kind in (
            ("suppression_group_id", "integer"),
            ("custom_unsubscribe_url", "string"),
            ("sender_id", "integer"),
            ("ip_pool", "string"),
        )
    ),
    _nullable(f"GET {_SENDS}", "answer 200.result[].abtest", "object"),
    _nullable(f"POST {_SENDS}/search", "answer 200.result[].abtest", "object"),
    Correction(
        operation="GET /v3/marketing/segments/2.0",
        place="answer 200",
        merge={
            "required": ["results"],
            "properties": {"results": {"type": "array", "items": {"$ref": "#/components/schemas/AllSegments200"}}},
        },
        reason="its own words: the answer holds an array `results`; the schema is that of one segment in it",
    ),
    Correction(
        operation="GET /v3/asm/suppressions/global/{email}",
        place="answer 200",
        merge={"required": None},
        reason="its own words: `{}` where the address is not suppressed",
    ),
    Correction(
        operation="GET /v3/asm/groups",
        place="query.id",
        merge={"type": "array", "items": {"type": "integer"}},
        reason="its own words: `?id=1&id=2` asks for several groups",
    ),
    Correction(
        operation="POST /v3/mail/send",
        place="operation",
        merge={"responses": {"200": {"description": "Taken in sandbox mode, and not sent."}}},
        reason="the documentation of sandbox mode: a mail that would be taken is answered with 200",
    ),
)

_LIMITS: Final = (
    Limit(operation=f"PUT {_CONTACTS}", place="bytes", most=MOST_BYTES, reason="its own words: 6 MB"),
    Limit(
        operation=f"PUT {_CONTACTS}",
        place="body.contacts",
        most=MOST_CONTACTS,
        reason="its own words: 30,000 contacts",
    ),
    Limit(operation=f"POST {_CONTACTS}/batch", place="body.ids", most=MOST_IDS, reason="its own words: 100 ids"),
    Limit(
        operation=f"POST {_CONTACTS}/search/emails",
        place="body.emails",
        most=MOST_ASKED,
        reason="its own words: 100 addresses",
    ),
    Limit(
        operation=f"POST {_CONTACTS}/search/identifiers/{{identifier_type}}",
        place="body.identifiers",
        most=MOST_ASKED,
        reason="its own words: 100 contacts",
    ),
    Limit(
        operation="POST /v3/mail/send",
        place="bytes",
        most=MOST_MAIL_BYTES,
        reason="the documentation of Mail Send: 30 MB with everything",
    ),
    Limit(
        operation="POST /v3/mail/send",
        place="body.asm.groups_to_display",
        most=MOST_SHOWN,
        reason="the documentation of unsubscribe groups: a page shows 25",
    ),
    Limit(
        operation="POST /v3/recipients/erasejob",
        place="bytes",
        most=MOST_ERASED_BYTES,
        reason="its own words: 256 KB",
    ),
)

OVERLAY: Final = Overlay(corrections=_CORRECTIONS, limits=_LIMITS, beyond=BEYOND)
"""What is held against requests and answers beside SendGrid's own files."""
