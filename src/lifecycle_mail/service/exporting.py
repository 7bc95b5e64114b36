"""Exports: the noes, the subscriptions and the people of a registry, in files that bring them back (O3, O10).

Each is written whole or not at all, from the log as it stands when it begins, a chunk at a time: ten million rows take
no more memory than ten thousand (F68).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from attrs import frozen

from lifecycle_mail.files.exporting import (
    OPT_OUT_COLUMNS,
    SUBSCRIPTION_COLUMNS,
    TEXT,
    hashing,
    opt_out_rows,
    pieces,
    require_pepper,
    shortened,
)
from lifecycle_mail.files.profile_lines import ContactLine, as_json, moves_in
from lifecycle_mail.files.writing import write_csv, write_jsonl
from lifecycle_mail.model.consent import ListStanding, Person
from lifecycle_mail.model.contacts import Contact, FieldValue
from lifecycle_mail.model.entries import Consent, ConsentRequest, OptOut, Record, Standing, Suppression
from lifecycle_mail.model.instants import to_micros
from lifecycle_mail.model.lists import Channel
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.service.reading import Reader, chunks
from lifecycle_mail.service.standings import Standings

Progress = Callable[[int], object]
"""Called with the number of rows that are done."""

_FIRMNESS = {standing: place for place, standing in enumerate(Standing)}


@frozen(kw_only=True)
class Exported:
    """What was written.

    Attributes:
        rows: how many rows.
        position: the sequence number of the last record of the log that was looked at: the next export may begin
            after it.
    """

    rows: int
    position: int


def export_opt_outs(
    reader: Reader, path: Path, *, peppers: Peppers, hashed: str | None, after: int, until: int, progress: Progress
) -> Exported:
    """Write the opt-outs and suppressions of a part of the log."""
    standings = Standings(reader, until=until)
    hide = None if hashed is None else hashing(peppers, hashed)

    def rows() -> Iterator[Sequence[FieldValue | None]]:
        done = 0
        for chunk in chunks(_noes(reader.store.records(after=after, until=until))):
            for record, verdict in zip(chunk, standings.of(chunk), strict=True):
                entry = record.entry
                assert isinstance(entry, OptOut | Suppression)  # noqa: S101 - _noes passes on nothing else
                yield from opt_out_rows(
                    record, entry if hide is None else hide(entry), standing=verdict.standing,
                    overridden_for=verdict.overridden_for, rules=reader.rules,
                )  # fmt: skip
            done += len(chunk)
            progress(done)

    return Exported(rows=write_csv(path, OPT_OUT_COLUMNS, rows()), position=until)


def _noes(records: Iterable[Record]) -> Iterator[Record]:
    return (record for record in records if isinstance(record.entry, OptOut | Suppression))


def export_subscriptions(
    reader: Reader, path: Path, *, now: datetime, peppers: Peppers, hashed: str | None,
    channels: Mapping[str, Channel], progress: Progress,
) -> Exported:  # fmt: skip
    """Write how every contact stands with every list that they agreed to, or asked for."""
    if hashed is not None:
        require_pepper(peppers, hashed)
    position = reader.store.position()

    def rows() -> Iterator[Sequence[FieldValue | None]]:
        done = 0
        for chunk in chunks(reader.store.each()):
            for contact, person in zip(chunk, reader.people(chunk), strict=True):
                names = _names(contact, person, peppers, hashed)
                for key in sorted(person.lists()):
                    channel = channels.get(key, Channel.EMAIL)
                    hide = hashed is not None
                    yield from _subscription(person, key, names, now=now, channel=channel, hide=hide)
            done += len(chunk)
            progress(done)

    return Exported(rows=write_csv(path, SUBSCRIPTION_COLUMNS, rows()), position=position)


def _names(contact: Contact, person: Person, peppers: Peppers, hashed: str | None) -> tuple[str, str]:
    if hashed is None:
        return contact.id, contact.email
    return peppers.hashed(contact.id, hashed), "" if person.key is None else peppers.hashed(person.key, hashed)


def _subscription(
    person: Person, key: ListKey, names: tuple[str, str], *, now: datetime, channel: Channel, hide: bool
) -> Iterator[Sequence[FieldValue | None]]:
    standing = person.standing(key, now=now, channel=channel)
    unsure = standing is ListStanding.UNCONFIRMED
    best = _request(person, key) if unsure else _best(person, key)
    if best is None:  # agreed to at an address that somebody else replaced
        yield (*names, key, standing, None, None, None, None, None, None, None)
        return
    said = best.provenance
    firm, expires_at = (best.standing, best.expires_at) if isinstance(best, Consent) else (None, None)
    source, evidence = (None, None) if hide else (said.source, said.evidence)
    for name, text in (("source", source), ("evidence", evidence)):
        for piece in pieces(text):
            yield (*names, key, TEXT, None, None, None, None, None, name, piece)
    yield (
        *names, key, standing, said.at, expires_at, firm, said.actor, said.through, shortened(source),
        shortened(evidence),
    )  # fmt: skip


def _request(person: Person, key: ListKey) -> ConsentRequest | None:
    """Return what asks for consent to a list, and is not answered."""
    return next((request for request in person.requests if request.list == key), None)


def _best(person: Person, key: ListKey) -> Consent | ConsentRequest | None:
    """Return the consent to a list that lasts longest, of equals the firmest; or what asks for one."""
    asked = _request(person, key)

    def lasts(consent: Consent) -> tuple[bool, int, int]:
        ends = consent.expires_at
        return ends is None, 0 if ends is None else to_micros(ends), _FIRMNESS[consent.standing]

    # An import does not answer for the person who was asked.
    agreed = [
        one for one in person.consents if one.list == key and (asked is None or one.standing is not Standing.IMPORTED)
    ]
    return max(agreed, key=lasts, default=asked)


def export_profiles(reader: Reader, path: Path, *, progress: Progress) -> Exported:
    """Write every contact with their engagement and their changes of address, one a line."""
    position = reader.store.position()

    def lines() -> Iterator[Mapping[str, object]]:
        done = 0
        for chunk in chunks(reader.store.each()):
            profiles = reader.store.profiles([contact.id for contact in chunk])
            about = reader.store.about({contact.id: [] for contact in chunk})
            for contact in chunk:
                moves = moves_in(about[contact.id], contact)
                yield as_json(ContactLine(contact=contact, profile=profiles.get(contact.id), moves=moves))
            done += len(chunk)
            progress(done)

    return Exported(rows=write_jsonl(path, lines()), position=position)
