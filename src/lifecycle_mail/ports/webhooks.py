"""What an ESP sends by itself: webhooks, as they come in (E3).

A delivery is parsed in one pure step: limits first, then the signature over the raw bytes, then the contents, one event
at a time. What is refused is refused whole, and nothing is written (F36, F38-F40, F43). What cannot be read among much
that can is kept as it came, and the rest is taken (F41, F42).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from lifecycle_mail.model.instants import as_utc
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.model.names import EntryId, entry_id
from lifecycle_mail.ports.esps import Esp


def _by_lower_name(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _upper(method: str) -> str:
    return method.upper()


@frozen(kw_only=True)
class Delivery:
    """One request of a webhook, as a server received it.

    Attributes:
        method: of the request; Mailchimp probes with a GET.
        headers: by name, lower case.
        body: the raw bytes, before anything decodes or re-serialises them (R25, F38).
        secret: what the URL holds that only the ESP was told: the last part of its path, or a query parameter.
    """

    method: str = field(default="POST", converter=_upper)
    headers: Mapping[str, str] = field(factory=dict, converter=_by_lower_name, repr=False)
    body: bytes = field(default=b"", repr=False)
    secret: str = field(default="", repr=False)


MOST_RAW = 20_000
"""How many characters of what could not be read are kept."""


def _cut(raw: str) -> str:
    return raw[:MOST_RAW]


@frozen(kw_only=True)
class Misfit:
    """Something an ESP sent that could not be read, or that we do not know: kept as it came, for a person to look at.

    Attributes:
        source: who sent it.
        raw: the event as it came, cut to 20,000 characters. It may name people; an erasure takes it out (O5).
        why: what is wrong with it.
        at: when it was received, aware UTC.
        id: a hash of the source and the contents: the same event delivered again is the same misfit.
    """

    source: str
    raw: str = field(converter=_cut, repr=False)
    why: str
    at: datetime = field(converter=as_utc)
    id: EntryId = field(init=False)

    @id.default
    def _make_id(self) -> EntryId:
        return entry_id("misfit", self.source, self.raw)


@frozen(kw_only=True)
class Heard:
    """What one delivery says.

    Attributes:
        statements: what follows for people and mails.
        misfits: what could not be read.
        events: how many events there were.
    """

    statements: tuple[Statement, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    events: int = 0


@runtime_checkable
class HearsWebhooks(Esp, Protocol):
    """An ESP whose webhooks are understood."""

    def hear(self, delivery: Delivery, *, now: datetime) -> Heard:
        """Verify and parse one delivery; nothing is written.

        The probe of an ESP that only asks whether somebody is there has nothing in it.

        Raises:
            WebhookRefused: the signature or the secret is wrong, the body is too large or cannot be read at all; its
                `status` is the answer to give.
            Misconfigured: there is no key to verify with: nothing is believed (F39).
        """
        ...
