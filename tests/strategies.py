"""Hypothesis strategies that tests share.

The worlds are small on purpose: two contacts, three addresses, two lists, a handful of instants. Two entries
that are drawn apart then often concern the same person at the same moment, where the rules decide something.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import evolve
from hypothesis import strategies as st

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.entries import (
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Standing,
    Subject,
    Suppression,
    SuppressionKind,
)
from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.lists import Channel, Scope
from lifecycle_mail.model.names import ContactId, EntryId, ListKey
from lifecycle_mail.model.provenance import Actor, Provenance, Through

START = datetime(2026, 2, 3, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

CONTACTS = (ContactId("ann"), ContactId("bob"))
KEYS = (MatchKey("1:ann@example.com"), MatchKey("1:home@example.com"), MatchKey("1:bob@example.com"))
LISTS = (ListKey("news"), ListKey("offers"))
SCOPES = (Scope.all(), Scope.channel(Channel.EMAIL), Scope.channel(Channel.SMS), *map(Scope.list, LISTS))
SOURCES = ("app", "mailchimp")

PEOPLE = tuple((contact, key) for contact in CONTACTS for key in (*KEYS, None))
"""Every way to read a log: as each contact at each address, or at none."""

MOMENTS = tuple(START + minutes * MINUTE for minutes in (0, 1, 2, 5, 15, 16, 60, 24 * 60, 8 * 24 * 60))
"""Instants close enough for an echo of a push, and some that are too far off for one."""

_PROVENANCES = [
    Provenance(actor=actor, through=through, at=at, source=source, text=text)
    for at in MOMENTS
    for actor in Actor
    for source in SOURCES
    for through, text in ((Through.APPLICATION, ""), (Through.IMPORT, "they asked for it"))
]
_SUBJECTS = [
    Subject(contact_id=contact, key=key)
    for contact in (*CONTACTS, None)
    for key in (*KEYS, None)
    if contact is not None or key is not None
]
_REASONS = [
    *((kind, None) for kind in SuppressionKind),
    *((SuppressionKind.PAUSE, until) for until in (START, START + MINUTE, START + DAY)),
]


def provenances(*actors: Actor, source: str | None = None) -> st.SearchStrategy[Provenance]:
    """Who, when, with and without words; by any of these actors, or by anyone."""
    return st.sampled_from(
        [one for one in _PROVENANCES if one.actor in (actors or Actor) and source in (None, one.source)]
    )


def subjects() -> st.SearchStrategy[Subject]:
    """A contact, an address, or both."""
    return st.sampled_from(_SUBJECTS)


def people() -> st.SearchStrategy[Subject]:
    """A contact and an address, as a consent names them; mostly the contact's usual address."""
    usual = [Subject(contact_id=CONTACTS[0], key=KEYS[0]), Subject(contact_id=CONTACTS[1], key=KEYS[2])]
    return st.sampled_from([*usual * 3, *(one for one in _SUBJECTS if one.contact_id and one.key)])


def opt_outs() -> st.SearchStrategy[OptOut]:
    """A no of any scope by anyone; the few event ids make twins, equal and not quite equal ones."""
    return st.builds(
        OptOut,
        subject=subjects(),
        scope=st.sampled_from(SCOPES),
        event_id=st.sampled_from(("e1", "e2")),
        provenance=provenances(),
        dated=st.booleans(),
    )


def suppressions() -> st.SearchStrategy[Suppression]:
    """Any other reason not to mail; only a pause has an end of its own."""

    def suppress(
        subject: Subject, reason: tuple[SuppressionKind, datetime | None], event_id: str, said: Provenance
    ) -> Suppression:
        kind, until = reason
        return Suppression(subject=subject, kind=kind, until=until, event_id=event_id, provenance=said)

    return st.builds(suppress, subjects(), st.sampled_from(_REASONS), st.sampled_from(("s1", "s2")), provenances())


def plain_consents() -> st.SearchStrategy[Consent]:
    """A yes that cites nothing, however firm and however late."""
    return st.builds(
        Consent,
        subject=people(),
        list=st.sampled_from(LISTS),
        standing=st.sampled_from(Standing),
        provenance=provenances(),
        expires_at=st.sampled_from((None, None, START + DAY)),
    )


def citing_consents(
    cites: st.SearchStrategy[frozenset[EntryId]], *, by: Subject | None = None
) -> st.SearchStrategy[Consent]:
    """The person's own confirmation, which overrides what it cites."""
    return st.builds(
        Consent,
        subject=people() if by is None else st.just(by),
        list=st.sampled_from(LISTS),
        standing=st.just(Standing.CONFIRMED),
        provenance=provenances(Actor.CONTACT).map(
            lambda said: evolve(said, through=Through.CONFIRMATION, evidence="click in the mail")
        ),
        cites=cites,
    )


def requests(cites: st.SearchStrategy[frozenset[EntryId]]) -> st.SearchStrategy[ConsentRequest]:
    """A request to join that nobody has confirmed."""
    return st.builds(
        ConsentRequest, subject=people(), list=st.sampled_from(LISTS), provenance=provenances(), asks=cites
    )


def lifts(cites: st.SearchStrategy[frozenset[EntryId]]) -> st.SearchStrategy[Lift]:
    """A lift by anyone of anything."""
    return st.builds(Lift, subject=subjects(), cites=cites, provenance=provenances())


def address_changes(*actors: Actor) -> st.SearchStrategy[AddressChanged]:
    """A contact's move to another address, or to none."""
    return st.builds(
        AddressChanged,
        subject=st.sampled_from([one for one in _SUBJECTS if one.contact_id]),
        old=st.sampled_from((*KEYS, None)),
        provenance=provenances(*actors),
    )


def pushes_of(known: Sequence[OptOut]) -> st.SearchStrategy[Pushed]:
    """Our telling Mailchimp of one of these opt-outs."""

    def push(told: OptOut, said: Provenance) -> Pushed:
        return Pushed(subject=told.subject, opt_out=told.id, scope=told.scope, provenance=said)

    return st.builds(push, st.sampled_from(known), provenances(Actor.POLICY, source="mailchimp"))


def reports_of(known: Sequence[OptOut]) -> st.SearchStrategy[OptOut]:
    """What Mailchimp reports of one of these opt-outs: an echo, if it was pushed shortly before."""

    def report(told: OptOut, said: Provenance, event_id: str, dated: bool) -> OptOut:
        return OptOut(subject=told.subject, scope=told.scope, event_id=event_id, provenance=said, dated=dated)

    said = provenances(Actor.ESP, source="mailchimp")
    return st.builds(report, st.sampled_from(known), said, st.sampled_from(("h1", "h2")), st.booleans())


@st.composite
def logs(draw: st.DrawFn, *, citing: bool = True) -> list[Entry]:
    """A consent log of up to some fifteen entries that refer to one another.

    Args:
        draw: given by Hypothesis.
        citing: whether people may come back.
    """
    out = draw(st.lists(opt_outs(), max_size=3))
    held = draw(st.lists(suppressions(), max_size=3))
    entries: list[Entry] = [*out, *held]
    told: bool = draw(st.booleans())
    if out and told:
        pushed = draw(st.lists(pushes_of(out), min_size=1, max_size=2))
        reported = draw(st.lists(reports_of(out), max_size=3))
        entries += [*pushed, *reported]
        out += reported
    if citing and out:
        entries += draw(st.lists(citing_consents(cites_of(out, at_least=1)), max_size=2))
    cites = cites_of([*out, *held])
    others: list[st.SearchStrategy[Entry]] = [
        plain_consents(), plain_consents(), requests(cites), lifts(cites), address_changes(),
    ]  # fmt: skip
    return [*entries, *draw(st.lists(st.one_of(others), max_size=4))]


def cites_of(known: Sequence[OptOut | Suppression], *, at_least: int = 0) -> st.SearchStrategy[frozenset[EntryId]]:
    """Some of the ids of these entries."""
    if not known:
        return st.just(frozenset())
    return st.frozensets(st.sampled_from([entry.id for entry in known]), min_size=at_least, max_size=3)


MAIL_IDS = ("m1", "m2", "m3", "m4", "")
"""Mails, one of them without an id."""

EVENT_MOMENTS = tuple(datetime(2026, 1, 31, 22, tzinfo=UTC) + hours * timedelta(hours=1) for hours in range(8))
"""Eight hours around the end of a month."""


_HAPPENINGS = [
    (kind, evidence, purpose)
    for purpose in Purpose
    for evidence in Evidence
    for kind in (EventKind.SENT, EventKind.SENT, EventKind.OPENED, EventKind.OPENED, *EventKind)
]


def events(
    contact: ContactId = CONTACTS[0],
    *,
    moments: Sequence[datetime] = EVENT_MOMENTS,
    mails: Sequence[str] = MAIL_IDS,
) -> st.SearchStrategy[EngagementEvent]:
    """Anything that can happen to a mail; half of it is a send or an open, as in life."""

    def happen(what: tuple[EventKind, Evidence, Purpose], at: datetime, mail: str, link: str) -> EngagementEvent:
        kind, evidence, purpose = what
        return EngagementEvent(
            contact_id=contact, kind=kind, at=at, mail=mail, link=link, evidence=evidence, purpose=purpose
        )

    return st.builds(
        happen,
        st.sampled_from(_HAPPENINGS),
        st.sampled_from(moments),
        st.sampled_from(mails),
        st.sampled_from(("", "a")),
    )


def histories(
    *, moments: Sequence[datetime] = EVENT_MOMENTS, mails: Sequence[str] = MAIL_IDS, max_size: int = 14
) -> st.SearchStrategy[list[EngagementEvent]]:
    """Distinct events of one contact, in no order."""
    return st.lists(events(moments=moments, mails=mails), max_size=max_size, unique_by=lambda event: event.id)


@st.composite
def two_instalments(draw: st.DrawFn) -> tuple[list[EngagementEvent], list[EngagementEvent]]:
    """What was known, and what came later: of new mails, of the mails that were known, or of neither.

    The later events are drawn from one pool of mails at a time: a mixture almost always needs a recount.
    """
    known = draw(histories(moments=EVENT_MOMENTS[:5]))
    fresh, touched = ("m7", "m8", "m9"), tuple({e.mail for e in known if e.mail}) or ("m1",)
    pool = draw(st.sampled_from((fresh, (*fresh, ""), touched, (*fresh, *touched), ("",), (*MAIL_IDS, *fresh))))
    later = draw(
        st.lists(events(moments=EVENT_MOMENTS[5:], mails=pool), min_size=1, max_size=6, unique_by=lambda e: e.id)
    )
    return known, later


@st.composite
def scheduled_histories(draw: st.DrawFn, *, mails: int = 6) -> list[EngagementEvent]:
    """A well-behaved source: mails go out one after another, and what follows refers to one already sent."""
    happened: list[EngagementEvent] = []
    sent: list[str] = []
    steps = draw(st.lists(st.sampled_from(("send", "send", "anonymous send", "touch", "orphan")), max_size=3 * mails))
    moment = datetime(2026, 1, 29, tzinfo=UTC)
    for number, step in enumerate(steps):
        moment += draw(st.sampled_from((timedelta(0), timedelta(hours=1), DAY)))
        mail, kind = "", draw(st.sampled_from(tuple(EventKind)[2:]))
        if step == "send":
            mail, kind = f"m{number}", EventKind.SENT
            sent.append(mail)
        elif step == "anonymous send":
            kind = EventKind.SENT
        elif step == "touch" and sent:
            mail = draw(st.sampled_from(sent[-3:]))
        happened.append(
            EngagementEvent(
                contact_id=CONTACTS[0],
                kind=kind,
                at=moment,
                mail=mail,
                link=str(number),
                evidence=draw(st.sampled_from(Evidence)),
                purpose=draw(st.sampled_from((Purpose.REGULAR, *Purpose))),
            )
        )
    return happened
