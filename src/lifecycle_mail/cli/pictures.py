"""A contact's whole picture, as data and as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lifecycle_mail.model.answers import Answer
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.instants import from_micros
from lifecycle_mail.model.pictures import Mailed, Picture
from lifecycle_mail.model.profiles import EngagementProfile


def picture_as_json(picture: Picture) -> dict[str, Any]:
    """Return a picture as plain JSON data."""
    contact = picture.contact
    return {
        "contact_id": contact.id,
        "at": _iso(picture.at),
        "email": contact.email,
        "fields": {name: _plain(value) for name, value in contact.fields.items()},
        "tags": sorted(contact.tags),
        "source": contact.source,
        "signed_up_at": _maybe(contact.signed_up_at),
        "frequency": contact.frequency,
        "timezone": contact.timezone,
        "locale": contact.locale,
        "lists": {key: standing.value for key, standing in picture.lists.items()},
        "opt_outs": [_no(one) for one in picture.opt_outs],
        "suppressions": {
            kind.value: {"since": _iso(one.provenance.at), "until": _maybe(one.until)}
            for kind, one in sorted(picture.suppressions.items())
        },
        "engagement": _engagement(picture.engagement),
        "tier": picture.tier,
        "tier_reason": picture.tier_reason,
        "step": picture.step,
        "step_reason": picture.step_reason,
        "mails": [_mail(one) for one in picture.mails],
        "answers": [_answer(one) for one in picture.answers],
        "value": _plain(picture.value),
    }


def picture_as_text(picture: Picture) -> str:
    """Return a picture as lines for people."""
    return "\n".join(_lines(picture_as_json(picture)))


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield f"{data['email'] or data['contact_id']} at {data['at']}"
    if data["email"]:
        yield f"  contact id: {data['contact_id']}"
    for name in ("source", "signed_up_at", "frequency", "timezone", "locale", "value"):
        if data[name] is not None:
            yield f"  {name.replace('_', ' ')}: {data[name]}"
    yield from (f"  {name} = {value}" for name, value in data["fields"].items())
    if data["tags"]:
        yield f"  tags: {', '.join(data['tags'])}"
    yield f"tier: {data['tier']}: {data['tier_reason']}"
    yield f"next step: {data['step']}: {data['step_reason']}"
    yield "lists:" if data["lists"] else "lists: none"
    yield from (f"  {key}: {standing}" for key, standing in data["lists"].items())
    yield "opt-outs:" if data["opt_outs"] else "opt-outs: none"
    for no in data["opt_outs"]:
        why = "".join(f", {name} {no[name]}" for name in ("campaign", "reason", "text") if no[name])
        yield f"  {no['said_at'] or 'some day'}: out of {no['scope']}, through {no['through']}{why}"
    for kind, since in data["suppressions"].items():
        ends = f" until {since['until']}" if since["until"] else ""
        yield f"suppressed: {kind}, since {since['since']}{ends}"
    counts = ", ".join(f"{count:,} {mark}" for mark, count in data["engagement"]["counts"].items())
    yield f"engagement: {counts or 'nothing is known'}"
    yield from (f"  last {mark}: {at}" for mark, at in data["engagement"]["last"].items())
    yield "mails:" if data["mails"] else "mails: none"
    for mail in data["mails"]:
        late = f", said no at {mail['opted_out_at']}, too late for it" if mail["opted_out_at"] else ""
        yield f"  {mail['at']}: {mail['campaign']}, {mail['state']}{late}"
    for answer in data["answers"]:
        about = f" of {answer['about']}" if answer["about"] else ""
        words = "".join(f", {name}: {answer[name]}" for name in ("text", "tool", "improve") if answer[name])
        yield f"answered {answer['at']}, {answer['question']}{about}: {', '.join(answer['reasons']) or '-'}{words}"


def _answer(one: Answer) -> dict[str, Any]:
    return {
        "at": _iso(one.at),
        "question": one.question.value,
        "about": one.about,
        "reasons": [str(reason) for reason in one.reasons],
        "campaign": one.campaign,
        "text": one.text,
        "tool": one.tool,
        "improve": one.improve,
    }


def _no(one: OptOut) -> dict[str, Any]:
    said = one.provenance
    return {
        "id": one.id,
        "said_at": _iso(said.at) if one.dated else None,
        "scope": str(one.scope),
        "through": said.through.value,
        "source": said.source,
        "campaign": said.campaign,
        "segment": said.segment,
        "reason": None if said.reason is None else said.reason.value,
        "text": said.text,
    }


def _mail(one: Mailed) -> dict[str, Any]:
    late = _maybe(one.opted_out_at)
    return {"campaign": one.campaign, "state": one.state, "at": _iso(one.at), "opted_out_at": late}


def _engagement(profile: EngagementProfile) -> dict[str, Any]:
    return {
        "counts": {mark: profile.count(mark) for mark in sorted(profile.first)},
        "first": {mark: _iso(from_micros(at)) for mark, at in sorted(profile.first.items())},
        "last": {mark: _iso(from_micros(at)) for mark, at in sorted(profile.last.items())},
    }


def _plain(value: Any) -> Any:
    return _iso(value) if isinstance(value, datetime) else value


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else _iso(at)
