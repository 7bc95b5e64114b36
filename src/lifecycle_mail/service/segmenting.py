"""Segments at the ESP: in its own words where it can express them exactly, else computed here and told (L7).

Either way it is the same people: those of the segment's lists who may be mailed about them now and of whom its
predicate is true. The ESP counts back, and the count is held against ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

from attrs import field, frozen

from lifecycle_mail.errors import EspError, Misconfigured
from lifecycle_mail.model.contacts import Contact, FieldType
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import ContactId, SegmentKey
from lifecycle_mail.policy.campaigns import Campaign, CampaignKind
from lifecycle_mail.policy.facts import Facts, Subject
from lifecycle_mail.policy.planning import put_ranks
from lifecycle_mail.policy.segments import Segment, ranks_needed
from lifecycle_mail.ports import Capability, CompilesSegments, Esp, HoldsSegments, Native, NotNative
from lifecycle_mail.service.syncing import shown

READS = 6
"""How often an ESP is asked to count that cannot tell yet."""


@frozen(kw_only=True)
class Published:
    """How a segment came to be at the ESP.

    Attributes:
        segment: which.
        native: the segment in the ESP's words, or None where its members were told.
        why: why it was done this way, each reason a sentence.
        expected: how many are in it, as computed here.
        counted: how many the ESP says are in it; None where it cannot tell yet.
        refused: whom the ESP did not take, with its error: who is not held there, for one.
    """

    segment: SegmentKey
    native: Native | None = None
    why: tuple[str, ...] = ()
    expected: int
    counted: int | None = None
    refused: Mapping[ContactId, EspError] = field(factory=dict)

    @property
    def agrees(self) -> bool | None:
        """Whether the ESP counts as many as we do; None where it cannot tell yet."""
        return None if self.counted is None else self.counted == self.expected

    def __str__(self) -> str:
        way = f"in its own words: {self.native.text}" if self.native else f"as a list of {self.expected:,} members"
        told = {
            True: f"it counts {self.counted}, as we do",
            None: f"it cannot count it yet; we count {self.expected:,}",
            False: f"it counts {self.counted}, we count {self.expected:,}: sync, then publish again",
        }[self.agrees]
        reasons = [f"because {why}" for why in self.why]
        refused = [f"refused {len(self.refused):,}"] if self.refused else []
        return "; ".join([f"{self.segment}: {way}", *reasons, told, *refused])


def publish(
    segment: Segment, inside: Sequence[Contact], esp: Esp, *, fields: Mapping[str, FieldType], native: bool | None,
    wait: Callable[[int], None],
) -> Published:  # fmt: skip
    """Put a segment at an ESP, of which we know who is inside; see `Lifecycle.publish`."""
    own_words, why = _choice(segment, esp, fields, native=native)
    holding = cast(HoldsSegments, esp)
    refused: Mapping[ContactId, EspError] = {}
    if own_words is not None:
        cast(CompilesSegments, esp).put_segment(segment, own_words)
    else:
        esp.capabilities.require(Capability.MEMBERS, esp.name)
        refused = holding.fill_segment(segment, inside).refused
    counted = None
    for attempt in range(1, READS + 1):
        counted = holding.segment_count(segment)
        if counted is not None:
            break
        if attempt < READS:
            wait(attempt)
    return Published(
        segment=segment.key, native=own_words, why=why, expected=len(inside), counted=counted, refused=refused
    )


def _choice(
    segment: Segment, esp: Esp, fields: Mapping[str, FieldType], *, native: bool | None
) -> tuple[Native | None, tuple[str, ...]]:
    if native is False:
        return None, ("you asked for its members",)
    ability = esp.capabilities.abilities[Capability.SEGMENTS]
    if not ability.usable:
        answer: Native | NotNative = NotNative(reasons=(f"{esp.name} does not compute segments: {ability}",))
    else:
        answer = cast(CompilesSegments, esp).compiled(segment, fields)
    if isinstance(answer, Native):
        return answer, (f"{esp.name} can express all of it", *([answer.inexact] if answer.inexact else ()))
    if native:
        raise Misconfigured(f"{esp.name} cannot express segment {segment.key!r}: {'; '.join(answer.reasons)}")
    return None, answer.reasons


def members(
    segment: Segment, subjects: Iterable[Subject], lists: Mapping[str, MailingList], *, now: datetime
) -> list[Contact]:
    """Return who is in a segment and may be mailed about its lists at an instant; in order of the subjects."""
    reachable = [
        subject
        for subject in subjects
        if subject.contact.address is not None and _may_be_in(segment, subject, lists, now)
    ]
    audience = [Facts(subject) for subject in reachable]
    if ranks_needed([segment.where]):
        # Only who is ranked first matters here; a campaign to the segment is what defines the audience of a rank.
        put_ranks(audience, Campaign("ranked", to=[segment], kind=CampaignKind.TRANSACTIONAL))
    return [facts.subject.contact for facts in audience if segment.where.holds(facts)]


def _may_be_in(segment: Segment, subject: Subject, lists: Mapping[str, MailingList], now: datetime) -> bool:
    look = shown(subject, lists, now=now)
    return not look.lists.isdisjoint(segment.of) if segment.of else not subject.person.held_by(now=now)
