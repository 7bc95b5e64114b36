"""Mappings: how the columns of any file say what we understand.

A `Source` is plain data, as it stands in a TOML document. It names the files it speaks for, the format, and
for a table or JSON lines the columns. `problems` finds everything that is wrong with it at once, before a row
is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from attrs import asdict, field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.events import EventKind, Purpose
from lifecycle_mail.model.instants import parse_instant


class Format(StrEnum):
    """What a file holds."""

    EVENTS = "events"
    SNAPSHOT = "snapshot"
    CONTACTS = "contacts"
    MAILCHIMP = "mailchimp"
    MAILCHIMP_TABLES = "mailchimp-tables"
    SENDGRID_EVENTS = "sendgrid-events"
    SENDGRID_SUPPRESSIONS = "sendgrid-suppressions"
    IGNORE = "ignore"


MAPPED: Final = frozenset({Format.EVENTS, Format.SNAPSHOT, Format.CONTACTS})
"""The formats that need columns."""

SUBSCRIBED: Final = "subscribed"
UNSUBSCRIBED: Final = "unsubscribed"
BOUNCED: Final = "bounced"
COMPLAINED: Final = "complained"
IGNORE: Final = "ignore"

EVENT_KINDS: Final[Mapping[str, tuple[EventKind, Purpose]]] = {
    **{kind.value: (kind, Purpose.REGULAR) for kind in EventKind},
    **{purpose.value: (EventKind.SENT, purpose) for purpose in Purpose if purpose is not Purpose.REGULAR},
}
"""What a value of the kind column may mean, beside the statuses: `re-engagement` is a mail sent as one."""

STATUSES: Final = (SUBSCRIBED, UNSUBSCRIBED, BOUNCED, COMPLAINED, IGNORE)
"""What a value of the status column may mean."""

KINDS: Final[Mapping[Format, tuple[str, ...]]] = {
    Format.EVENTS: (*EVENT_KINDS, UNSUBSCRIBED, COMPLAINED, IGNORE),
    Format.CONTACTS: STATUSES,
    Format.SNAPSHOT: STATUSES,
}


@frozen(kw_only=True)
class FieldColumn:
    """The column of a custom field.

    Attributes:
        column: its name in the header.
        type: the type that the application declares for the field.
    """

    column: str
    type: FieldType = field(default=FieldType.TEXT, converter=FieldType)


@frozen(kw_only=True)
class Columns:
    """Which column says what; None where none does. Instants without a zone are in the source's time zone.

    Attributes:
        contact_id: the application's id.
        email: the address.
        source: how the contact signed up.
        signed_up_at: when.
        timezone: IANA name.
        locale: language tag.
        status: subscribed or not; its values are mapped by `kinds`.
        tags: labels, separated by commas, each perhaps in quotes.
        at: events: when it happened.
        kind: events: what happened; its values are mapped by `kinds`.
        mail: events: the id of the mail.
        campaign: events: the campaign.
        link: events: the link clicked.
        event_id: events: the source's own id of the event.
        evidence: events: `human`, `machine` or `unknown`.
        taken_at: snapshot: when it was counted.
        last_open, last_click, last_sent, first_sent: snapshot: instants; empty means never.
        last_open_days, last_click_days, last_sent_days: snapshot: days before `taken_at`; empty means never.
        mails, mails_30d, unopened_streak: snapshot: whole numbers.
        opened_share, unopened_share: snapshot: the share of the last ten mails that was opened or was not, 0
            to 1.
    """

    contact_id: str | None = None
    email: str | None = None
    source: str | None = None
    signed_up_at: str | None = None
    timezone: str | None = None
    locale: str | None = None
    status: str | None = None
    tags: str | None = None
    at: str | None = None
    kind: str | None = None
    mail: str | None = None
    campaign: str | None = None
    link: str | None = None
    event_id: str | None = None
    evidence: str | None = None
    taken_at: str | None = None
    last_open: str | None = None
    last_click: str | None = None
    last_sent: str | None = None
    first_sent: str | None = None
    last_open_days: str | None = None
    last_click_days: str | None = None
    last_sent_days: str | None = None
    mails: str | None = None
    mails_30d: str | None = None
    unopened_streak: str | None = None
    opened_share: str | None = None
    unopened_share: str | None = None


def _patterns(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@frozen(kw_only=True)
class Source:
    """Some files and how to read them.

    Attributes:
        name: what provenance and events call it; without one, its first pattern. Keep it the same: reports are known
            again by it.
        files: glob patterns of paths, matched from the right: `email_events.csv*`, `exports/*.jsonl`.
        format: what they hold.
        columns: which column says what, for events, snapshots and contacts.
        fields: custom fields of the contact, by name.
        kinds: what the values of the kind or status column mean; upper and lower case are the same. Without
            it the values must be our own words.
        timezone: the IANA zone of instants that name none.
        encoding: the encoding of files that are not UTF-8, such as `cp1252`; without it their rows are
            refused.
        delimiter: what stands between cells, where it should not be found out.
        email_template: an address made of columns, such as `user{user_id}@example.com`, for logs without
            addresses.
        list: the key of the list that statuses and unsubscribes speak of; without it an unsubscribe is from
            all marketing. For Mailchimp exports, the key of the audience.
        lists: our list keys by the source's own ids: SendGrid unsubscribe groups, Mailchimp lists.
        assume_list: the key of a list to which everybody in the files is assumed to be subscribed. Recorded
            as an import that says so; it overrides no opt-out.
        assume_at: since when: a column or an instant. Without it, the sign-up or else the time of reading.
        taken_at: when a snapshot without such a column was counted.
        state: for Mailchimp exports `subscribed`, `unsubscribed`, `cleaned` or `nonsubscribed`; for SendGrid
            suppressions `bounces`, `blocks`, `invalid_emails`, `spam_reports`, `unsubscribes` or `group`,
            where the files themselves do not tell.
    """

    name: str = ""
    files: tuple[str, ...] = field(default=(), converter=_patterns)
    format: Format = field(default=Format.EVENTS, converter=Format)
    columns: Columns = Columns()
    fields: Mapping[str, FieldColumn] = field(factory=dict)
    kinds: Mapping[str, str] = field(factory=dict)
    timezone: str = "UTC"
    encoding: str | None = None
    delimiter: str | None = None
    email_template: str | None = None
    list: str | None = None
    lists: Mapping[str, str] = field(factory=dict)
    assume_list: str | None = None
    assume_at: str | None = None
    taken_at: str | None = None
    state: str | None = None

    def claims(self, path: Path) -> bool:
        """Whether it speaks for that file."""
        return any(path.match(pattern) for pattern in self.files)

    @property
    def mapped(self) -> Mapping[str, str]:
        """The columns that are mapped, by what they say; fields as `fields.NAME`."""
        said: dict[str, str] = {name: column for name, column in asdict(self.columns).items() if column is not None}
        said.update({f"fields.{name}": spec.column for name, spec in self.fields.items()})
        return said

    @property
    def needed(self) -> tuple[str, ...]:
        """The names of all columns that are used, each once."""
        names = [
            *self.mapped.values(),
            *(template_columns(self.email_template) if self.email_template else ()),
        ]
        if self.assume_at is not None and not is_instant(self.assume_at):
            names.append(self.assume_at)
        return tuple(dict.fromkeys(names))


TEMPLATE: Final = re.compile(r"\{([^{}]*)\}")
"""A column within an address template."""

LATEST: Final = ("last_open", "last_click", "last_sent")
"""What a snapshot may give as an instant or as days ago."""


def template_columns(template: str) -> tuple[str, ...]:
    """The columns of an address template. `{...}` holds a column's name and nothing else is understood."""
    return tuple(TEMPLATE.findall(template))


def is_instant(text: str) -> bool:
    """Whether a text is an instant and not the name of a column."""
    try:
        parse_instant(text)
    except InvalidInput:
        return False
    return True
