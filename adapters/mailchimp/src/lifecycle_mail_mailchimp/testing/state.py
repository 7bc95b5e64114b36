"""What a Mailchimp account keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from attrs import define, field, frozen

from lifecycle_mail_mailchimp.testing.problems import not_found

API: Final = "https://us6.api.mailchimp.com/3.0"
"""What Mailchimp calls itself in links, wherever it was reached."""


def iso(at: datetime | None) -> str:
    """Write an instant as Mailchimp does: `2021-11-23T22:51:56+00:00`; none is empty."""
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


def member_hash(email: str) -> str:
    """Return what a member is addressed by: the MD5 of the address in lower case."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def links(path: str) -> list[dict[str, str]]:
    """Return the one link that is worth its bytes: where something was read."""
    return [{"rel": "self", "href": f"{API}{path}", "method": "GET"}]


@frozen(kw_only=True)
class Happening:
    """Something that happened to a member.

    Attributes:
        kind: `sent`, `open`, `click`, `bounce`, `unsub` or `abuse`.
        at: when.
        member: to whom.
        campaign: by which campaign.
        url: what was clicked.
        hard: whether a bounce is for good.
        reason: why somebody left.
        by_admin: whether somebody else took them off.
    """

    kind: str
    at: datetime
    member: Member
    campaign: Campaign | None = None
    url: str = ""
    hard: bool = False
    reason: str = ""
    by_admin: bool = False


@define(eq=False, kw_only=True)
class Member:
    """Somebody in an audience.

    Attributes:
        email: their address.
        contact_id, unique_email_id, web_id: what else Mailchimp calls them. The first outlives a change of address.
        status: `subscribed`, `unsubscribed`, `cleaned`, `pending`, `transactional` or `archived`.
        left: why they are out: by themselves (`self`, `complaint`), by a `bounce`, or by the `api`. What they did
            themselves is remembered even while they are archived or asked to confirm.
        reason: what Mailchimp says of why they left.
        merge: the values of merge fields, by tag.
        interests: the ids of their interests.
        tags: the static segments that they are in, with the instant since when.
        timestamp_signup, timestamp_opt, last_changed: when they signed up, confirmed, and changed.
        happenings: what happened to them, in order.
    """

    email: str
    contact_id: str
    unique_email_id: str
    web_id: int
    last_changed: datetime
    status: str = ""
    left: str = ""
    reason: str = ""
    merge: dict[str, Any] = field(factory=dict)
    interests: set[str] = field(factory=set)
    tags: dict[int, datetime] = field(factory=dict)
    email_type: str = "html"
    language: str = ""
    vip: bool = False
    ip_signup: str = ""
    ip_opt: str = "192.0.2.1"
    location: dict[str, Any] = field(factory=dict)
    source: str = "API - Generic"
    timestamp_signup: datetime | None = None
    timestamp_opt: datetime | None = None
    happenings: list[Happening] = field(factory=list, repr=False)

    @property
    def id(self) -> str:
        """What they are addressed by."""
        return member_hash(self.email)


@define(eq=False, kw_only=True)
class MergeField:
    """A field that an audience keeps of its members."""

    merge_id: int
    tag: str
    name: str
    type: str = "text"
    required: bool = False
    default_value: str = ""
    public: bool = False
    display_order: int = 0
    options: dict[str, Any] = field(factory=dict)
    help_text: str = ""


@define(eq=False, kw_only=True)
class Interest:
    """Something that members may be interested in."""

    id: str
    category_id: str
    name: str
    display_order: int = 0


@define(eq=False, kw_only=True)
class Category:
    """Interests that belong together."""

    id: str
    title: str
    type: str
    display_order: int = 0
    interests: dict[str, Interest] = field(factory=dict)


@define(eq=False, kw_only=True)
class Segment:
    """A part of an audience: a static one, which is also a tag, or the members whom conditions select.

    Attributes:
        id: its number.
        name: its name.
        options: match and conditions; None of a static one.
        created_at, updated_at: when it was made, and changed.
    """

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    options: dict[str, Any] | None = None

    @property
    def is_static(self) -> bool:
        """Whether members were put in one by one."""
        return self.options is None


@define(eq=False, kw_only=True)
class Webhook:
    """Where an audience's events are posted to.

    Attributes:
        id: its id.
        url: the address.
        events, sources: what is posted, by whom it was caused.
        secret: what posts are signed with; Mailchimp shows it once, when the webhook is made.
    """

    id: str
    url: str
    events: dict[str, bool]
    sources: dict[str, bool]
    secret: str = field(repr=False)


@define(eq=False, kw_only=True)
class Audience:
    """A list of members."""

    id: str
    web_id: int
    name: str
    created_at: datetime
    members: dict[str, Member] = field(factory=dict, repr=False)
    forgotten: set[str] = field(factory=set, repr=False)
    fields: dict[str, MergeField] = field(factory=dict, repr=False)
    categories: dict[str, Category] = field(factory=dict, repr=False)
    segments: dict[int, Segment] = field(factory=dict, repr=False)
    webhooks: dict[str, Webhook] = field(factory=dict, repr=False)
    last_sub: datetime | None = None
    last_unsub: datetime | None = None

    def member(self, email_or_hash: str) -> Member:
        """Return a member, by hash or by address.

        Raises:
            Refusal: there is none.
        """
        found = self.members.get(email_or_hash.lower()) or self.members.get(member_hash(email_or_hash))
        if found is None:
            raise not_found()
        return found

    def interests(self) -> dict[str, Interest]:
        """Return the interests of all categories, by id."""
        return {one.id: one for category in self.categories.values() for one in category.interests.values()}

    def tag(self, name: str) -> Segment | None:
        """Return the static segment of a name; names differ by more than case."""
        wanted = name.casefold()
        return next((one for one in self.segments.values() if one.is_static and one.name.casefold() == wanted), None)


@define(eq=False, kw_only=True)
class Campaign:
    """A mail to an audience or a part of it.

    Attributes:
        status: `save`, `paused`, `schedule`, `sending`, `sent`, `canceling` or `canceled`.
        segment: which part: a saved segment's id, or match and conditions; empty is the whole audience.
        settings, tracking: as given.
        html, plain: what it says.
        send_time: when it goes out, or went.
        recipients: whom it went to.
        happenings: what they did, in order.
    """

    id: str
    web_id: int
    type: str
    audience: Audience
    created_at: datetime
    status: str = "save"
    segment: dict[str, Any] = field(factory=dict)
    settings: dict[str, Any] = field(factory=dict)
    tracking: dict[str, Any] = field(factory=dict)
    html: str = ""
    plain: str = ""
    send_time: datetime | None = None
    recipients: list[Member] = field(factory=list, repr=False)
    happenings: list[Happening] = field(factory=list, repr=False)

    @property
    def title(self) -> str:
        """What it is called."""
        return str(self.settings.get("title", ""))


class Account:
    """What all parts of the account share.

    Attributes:
        now: the clock, which only a test moves.
        audiences, campaigns: by id.
        sent: the campaign and the address of every mail that went out, in order.
        confirmations: the audience and the address of every mail that asked somebody to confirm, in order.
        on_change: what is told that a member changed: the audience, the kind of event, the member, further data, and
            whether a person, an administrator or the API caused it.
        on_sent: what is told that a campaign was sent, or cancelled.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.audiences: dict[str, Audience] = {}
        self.campaigns: dict[str, Campaign] = {}
        self.sent: list[tuple[str, str]] = []
        self.confirmations: list[tuple[str, str]] = []
        self.on_change: Callable[[Audience, str, Member, dict[str, str], str], None] = lambda *_: None
        self.on_sent: Callable[[Campaign], None] = lambda _: None
        self._numbers = count(1)

    def number(self) -> int:
        """Return a fresh number; the same run makes the same ones."""
        return 382_000 + next(self._numbers)

    def id(self, length: int = 10) -> str:
        """Return a fresh id of hexadecimal digits."""
        return hashlib.sha256(f"mailchimp:{next(self._numbers)}".encode()).hexdigest()[:length]

    def audience(self, list_id: str) -> Audience:
        """Return an audience.

        Raises:
            Refusal: there is none.
        """
        if list_id not in self.audiences:
            raise not_found()
        return self.audiences[list_id]

    def campaign(self, campaign_id: str) -> Campaign:
        """Return a campaign.

        Raises:
            Refusal: there is none.
        """
        if campaign_id not in self.campaigns:
            raise not_found()
        return self.campaigns[campaign_id]

    def happened(self, kind: str, member: Member, campaign: Campaign | None, at: datetime, **more: Any) -> None:
        """Keep what happened to a member."""
        happening = Happening(kind=kind, at=at, member=member, campaign=campaign, **more)
        member.happenings.append(happening)
        if campaign is not None:
            campaign.happenings.append(happening)
