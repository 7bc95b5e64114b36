"""What the webhooks of a Mailchimp audience say of its members.

Theory of operation
===================

| type | what follows |
|---|---|
| subscribe | known; joined to each list that is the audience, and to those whose interests are named |
| unsubscribe | left every list bound to the audience; a complaint, too, where the reason is `abuse` or `spam` |
| profile | known, where a merge field is taken for a field of ours |
| cleaned | held: a dead address (`hard`), or a complaint (`abuse`) |
| upemail | nothing by itself: a misfit, for a person to look at |
| campaign | nothing: it is about nobody |

- *Leaving* is leaving the audience. A body never says which interest a mail was sent for, so every list bound to the
  audience is left (L4). An audience that nobody bound is taken for all marketing: losing a no is worse than widening
  it. It was the person who left unless Mailchimp says otherwise (`delete`, a reason that is not theirs); it is a no
  in either case.
- *Joining* never overrides a no (O4, F35). Bodies name interests by their titles, so that a list is joined only where
  the title is no other interest's as well.
- *Profiles* name interests, too, and nothing follows from one that is missing: it may never have been chosen, and
  whether it was before the body does not say.
- *A changed address* names the old one and the new one, and nobody by our id. Moving the contact would take a link to
  a profile for the person; opting somebody out would take a change for a no. So a person decides.
- *Our id of a contact* comes back in the merge field `CONTACT_TAG`. Whoever fills in a form at Mailchimp may write
  into it, so it is believed for a no alone, beside the address and never together with it: somebody else's id costs
  them mails at worst, and never sends theirs elsewhere.

`fired_at` is UTC without a zone. There is no id of a delivery: an event is known again by its type, audience, member
and time (F33).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from attrs import frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.files.cells import address_in, contact_id_in
from lifecycle_mail.files.mailchimp import REASONS, SOURCE, read_reason
from lifecycle_mail.files.reading import Note, RowRefused
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.instants import parse_instant
from lifecycle_mail.model.intake import Held, Joined, Known, Left, Statement, Who
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ListKey, entry_id
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail_mailchimp.topics import Topics

CONTACT_TAG: Final = "LMCONTACT"
"""The merge field that holds our id of a contact."""

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_CATEGORY: Final = re.compile(r"data\[merges\]\[GROUPINGS\]\[(\d{1,4})\]\[unique_id\]")
# A comma within a title is written with a backslash before it.
_BETWEEN: Final = re.compile(r"(?<!\\),")


@frozen
class Interest:
    """What bodies call an interest.

    Attributes:
        category: the id of the category that it belongs to.
        title: what subscribers read.
    """

    category: str
    title: str


@frozen(kw_only=True)
class Audiences:
    """What must be known of Mailchimp's audiences to read what their webhooks say.

    Attributes:
        topics: which of our lists is which audience or interest.
        interests: every interest by its id, those that are bound to no list as well; without it nobody joins an
            interest.
        campaigns: our campaign keys by the ids of Mailchimp's campaigns.
        fields: our fields by the merge tags that may change them; without it none is changed, since the application
            knows its contacts better than a form at Mailchimp.
    """

    topics: Topics
    interests: Mapping[str, Interest] = MappingProxyType({})
    campaigns: Mapping[str, str] = _NONE
    fields: Mapping[str, str] = _NONE


def member_statements(
    form: Mapping[str, str], *, audiences: Audiences, received_at: datetime, note: Note
) -> list[Statement]:
    """Say what one body says.

    Args:
        form: its fields, decoded.
        audiences: what is known of the audiences.
        received_at: when it came; the instant of what has none of its own.
        note: told of what is set aside.

    Raises:
        InvalidInput: it is of no type that is known, names nobody, or only a person can tell what follows.
    """
    kind = form.get("type", "")
    if kind == "campaign":
        return []
    if kind == "upemail":
        raise RowRefused(
            "a contact has another address at Mailchimp now, and keeps theirs here",
            "if it is them, change it by Lifecycle.change_address",
        )
    say = _SAYS.get(kind)
    if say is None:
        raise RowRefused(f"the type {kind[:60]!r} is not known" if kind else "it is no event: it has no type")  # F42
    return say(_Event.read(form, audiences, received_at, note))


@frozen(kw_only=True)
class _Event:
    """What all events about a member have in common.

    Attributes:
        form: the fields of the body.
        audiences: what is known of the audiences.
        address: theirs; None where it is none that mail can be sent to.
        own_id: our id of them, or empty.
        at: when it happened, or else when it came.
        dated: whether it says when it happened.
        event_id: by what it is known again; None where it does not say when.
        note: told of what is set aside.
    """

    form: Mapping[str, str]
    audiences: Audiences
    address: EmailAddress | None
    own_id: str
    at: datetime
    dated: bool
    event_id: str | None
    note: Note

    @classmethod
    def read(cls, form: Mapping[str, str], audiences: Audiences, received_at: datetime, note: Note) -> _Event:
        """Read them.

        Raises:
            InvalidInput: it names nobody.
        """
        at = None
        try:
            at = parse_instant(form.get("fired_at", ""))
        except InvalidInput as problem:
            note(f"fired_at: {problem}", "")
        member = form.get("data[id]") or form.get("data[email]", "").lower()
        event_id = None if at is None else entry_id(SOURCE, form["type"], form.get("data[list_id]"), member, at)
        address, own_id = _named(form, note)
        return cls(
            form=form, audiences=audiences, address=address, own_id=own_id, at=at or received_at,
            dated=at is not None, event_id=event_id, note=note,
        )  # fmt: skip

    @property
    def audience(self) -> str:
        return self.data("list_id")

    @property
    def reason(self) -> str:
        return self.data("reason").casefold()

    @property
    def who(self) -> Who:
        """Whom a yes is about."""
        if self.address is None:
            raise RowRefused("its address is none that mail can be sent to")
        return Who(None, self.address)

    @property
    def whom(self) -> Sequence[Who]:
        """Whom a no binds."""
        by_id = [Who(self.own_id)] if self.own_id else []
        return by_id if self.address is None else [*by_id, Who(None, self.address)]

    def data(self, name: str) -> str:
        return self.form.get(f"data[{name}]", "").strip()

    def merged(self, tag: str) -> str:
        return self.form.get(f"data[merges][{tag}]", "").strip()

    def provenance(
        self, actor: Actor, through: Through = Through.WEBHOOK, *, reason: OptOutReason | None = None, text: str = ""
    ) -> Provenance:
        theirs = self.data("campaign_id")
        ips = "".join(f"; {name} {ip[:64]}" for name in ("ip_signup", "ip_opt") if (ip := self.data(name)))
        return Provenance(
            actor=actor, through=through, at=self.at, source=SOURCE, reason=reason, text=text[:500],
            campaign=self.audiences.campaigns.get(theirs, theirs) or None,
            evidence=f"webhook {self.form['type']} of audience {self.audience[:64]}{ips}",
        )  # fmt: skip


def _named(form: Mapping[str, str], note: Note) -> tuple[EmailAddress | None, str]:
    """Say whom a body names: the address, and our id. Of the two, one that is bad costs itself."""
    own_id = form.get(f"data[merges][{CONTACT_TAG}]", "")
    try:
        own_id = contact_id_in(own_id)
    except InvalidInput as problem:
        note(str(problem), "")
        own_id = ""
    email = form.get("data[email]", "").strip() or form.get("data[merges][EMAIL]", "").strip()
    try:
        return address_in(email), own_id
    except InvalidInput as problem:
        if not own_id:
            raise
        note(str(problem), "")
        return None, own_id


def _subscribed(event: _Event) -> list[Statement]:
    said = event.provenance(Actor.ESP)
    lists = sorted({*event.audiences.topics.whole(event.audience), *_chosen(event)})
    return [_known(event), *(Joined(who=event.who, list=key, provenance=said) for key in lists)]


def _chosen(event: _Event) -> list[ListKey]:
    """Return the lists whose interests a body names."""
    form, interests = event.form, event.audiences.interests
    categories = {category: found[1] for name, category in form.items() if (found := _CATEGORY.fullmatch(name))}
    if categories:
        titles = {
            category: _titles(event.merged(f"GROUPINGS][{place}][groups")) for category, place in categories.items()
        }
        chosen = {one for one, what in interests.items() if what.title in titles.get(what.category, ())}
    else:
        named, known = _titles(event.merged("INTERESTS")), Counter(what.title for what in interests.values())
        chosen = {one for one, what in interests.items() if what.title in named and known[what.title] == 1}
    return [key for one, key in event.audiences.topics.by_interest(event.audience).items() if one in chosen]


def _titles(text: str) -> set[str]:
    return {title.replace("\\,", ",").strip() for title in _BETWEEN.split(text)} - {""}


def _known(event: _Event) -> Known:
    given = ((name, event.merged(tag)) for tag, name in event.audiences.fields.items())
    return Known(who=event.who, fields={name: text for name, text in given if text})


def _changed(event: _Event) -> list[Statement]:
    known = _known(event)
    return [known] if known.fields else []


def _left(event: _Event) -> list[Statement]:
    word, deleted = event.reason, event.data("action") == "delete"
    theirs = not deleted and (word in ("", "manual", "abuse") or word in REASONS)
    reason, text = read_reason(word) if word in REASONS else (None, "" if word in ("manual", "abuse") else word)
    said = event.provenance(
        Actor.CONTACT if theirs else Actor.ESP, reason=reason, text="deleted from the audience" if deleted else text
    )
    scopes = [Scope.list(key) for key in event.audiences.topics.lists(event.audience)]
    if not scopes:
        # Fails closed: we cannot tell which list was left, so all are.
        event.note(
            f"the audience {event.audience[:40]!r} is bound to no list: taken as leaving all marketing",
            "bind it when you make MailchimpEsp",
        )
        scopes = [Scope.all()]
    statements: list[Statement] = [
        Left(who=who, scope=scope, provenance=said, event_id=event.event_id, dated=event.dated)
        for who in event.whom
        for scope in scopes
    ]
    return [*statements, *_held(event, SuppressionKind.COMPLAINT)] if word in ("abuse", "spam") else statements


def _cleaned(event: _Event) -> list[Statement]:
    if event.reason not in ("hard", "abuse"):
        event.note(f"the reason {event.reason[:40]!r} for cleaning is not known: taken for a dead address", "")
    return _held(event, SuppressionKind.COMPLAINT if event.reason == "abuse" else SuppressionKind.BOUNCE)


def _held(event: _Event, kind: SuppressionKind) -> list[Statement]:
    complained = kind is SuppressionKind.COMPLAINT
    said = event.provenance(
        Actor.CONTACT if complained else Actor.ESP, Through.COMPLAINT if complained else Through.BOUNCE
    )
    return [Held(who=who, kind=kind, provenance=said, event_id=event.event_id, dated=event.dated) for who in event.whom]


_SAYS: Final[Mapping[str, Callable[[_Event], list[Statement]]]] = {
    "subscribe": _subscribed,
    "unsubscribe": _left,
    "profile": _changed,
    "cleaned": _cleaned,
}
