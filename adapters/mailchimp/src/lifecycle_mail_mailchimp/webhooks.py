"""Webhooks of Mailchimp's audiences: verified, then read (E3, R24).

Theory of operation
===================

- *The probe.* Before Mailchimp takes an address, and now and then afterwards, it asks for it by GET: the answer is 200
  and nothing is in it. It comes before the signing secret can be known, so nothing is asked of it. Whatever else goes
  wrong, the answer is never 410, which turns the hook off.
- *The secret in the URL* keeps strangers out of hooks that are not signed. It is compared in constant time.
- *The signature*, which Mailchimp offers since 2025, is an HMAC over a time and the raw body. Mailchimp makes a secret
  for each webhook, which is for each audience, so there may be several. Once one is given, what is not signed is
  refused.
- *Its age.* Mailchimp says to refuse what is signed more than 5 minutes ago, and to expect retries for 75 minutes. It
  does not say that a retry is signed anew, and one that is refused for its age is lost. So what is at most 80 minutes
  old is taken. It costs nothing: an event that is sent again has the id of the first, and changes nothing (F33, F37).

One of the two secrets must be given, or nothing is believed (F39); if both are, both must be right. What bodies say is
decided in `members_said`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, Misconfigured, WebhookRefused
from lifecycle_mail.files.bodies import MOST_BYTES, open_body, read_form, why
from lifecycle_mail.files.mailchimp import SOURCE
from lifecycle_mail.model.instants import SECOND, from_micros
from lifecycle_mail.model.intake import Statement
from lifecycle_mail.ports import Delivery, Heard, Misfit
from lifecycle_mail_mailchimp.members_said import Audiences, member_statements

SIGNATURE: Final = "x-mailchimp-signature"
"""The header of a signed delivery: `t=1718000000,v1=...`."""

OLDEST: Final = timedelta(minutes=80)
"""How long ago a delivery may have been signed: retries for 75 minutes, and 5 for clocks that disagree."""
AHEAD: Final = timedelta(minutes=5)
"""How far ahead of ours Mailchimp's clock may be."""
SHORTEST: Final = 16
"""The fewest characters of a secret in a URL."""

_LONGEST_HEADER: Final = 1_000
_PART: Final = re.compile(r"(t|v1)=([0-9a-f]{1,64})", re.ASCII)


def _as_secrets(secrets: str | Iterable[str]) -> tuple[str, ...]:
    return (secrets,) if isinstance(secrets, str) else tuple(secrets)


@frozen(kw_only=True)
class Hook:
    """What verifies and reads the deliveries of webhooks.

    Attributes:
        secrets: what the webhook's URL holds, one or several; each of 16 characters at least.
        signing_secrets: what Mailchimp showed when the webhooks were made, one for each.
        most_bytes: how large a delivery may be.

    Raises:
        Misconfigured: a secret is too short to keep anybody out.
    """

    secrets: tuple[str, ...] = field(default=(), converter=_as_secrets, repr=False)
    signing_secrets: tuple[str, ...] = field(default=(), converter=_as_secrets, repr=False)
    most_bytes: int = MOST_BYTES

    def __attrs_post_init__(self) -> None:
        if any(len(secret) < SHORTEST for secret in self.secrets):
            raise Misconfigured(
                f"the secret in the webhook's URL is shorter than {SHORTEST} characters: make one by "
                f"secrets.token_urlsafe()"
            )
        if not all(self.signing_secrets):
            raise Misconfigured("a signing secret is empty: give what Mailchimp showed when the webhook was made")

    def hear(self, delivery: Delivery, *, audiences: Audiences, now: datetime) -> Heard:
        """Verify and read one delivery; nothing is written.

        Args:
            delivery: what came.
            audiences: what is known of the audiences.
            now: the instant of receipt.

        Raises:
            WebhookRefused: it is not Mailchimp's, too large, or cannot be read.
            Misconfigured: neither secret was given.
        """
        if delivery.method in ("GET", "HEAD"):
            return Heard()
        if delivery.method != "POST":
            raise WebhookRefused(
                f"Mailchimp posts its events: {delivery.method[:20]!r} is nothing it sends", status=405
            )
        if not self.secrets and not self.signing_secrets:
            raise Misconfigured(
                "nothing that Mailchimp's webhooks say can be believed without a secret: give webhook_secrets=, which "
                "the webhook's URL holds, or signing_secrets=, which Mailchimp shows when a webhook is made"
            )
        body = open_body(delivery, media_type="application/x-www-form-urlencoded", most=self.most_bytes)
        if self.secrets and not _among(delivery.secret, self.secrets):
            raise WebhookRefused("the URL does not hold the secret that Mailchimp was given", status=401)
        if self.signing_secrets:
            self._require_signed(delivery, now)
        text = body.text()
        form = read_form(text)
        statements: list[Statement] = []
        doubts: list[str] = []
        try:
            statements = member_statements(
                form, audiences=audiences, received_at=now, note=lambda reason, fix: doubts.append(why(reason, fix))
            )
        except InvalidInput as problem:
            doubts.append(why(problem))
        misfits = (Misfit(source=SOURCE, raw=text, why="; ".join(doubts), at=now),) if doubts else ()
        return Heard(statements=tuple(statements), misfits=misfits, events=1)

    def _require_signed(self, delivery: Delivery, now: datetime) -> None:
        header = delivery.headers.get(SIGNATURE, "")
        parts = [part.strip() for part in header.split(",")] if len(header) <= _LONGEST_HEADER else []
        found = [(told[1], told[2]) for part in parts if (told := _PART.fullmatch(part))]
        times, signatures = ([value for name, value in found if name == kind] for kind in ("t", "v1"))
        if len(times) == 1 and times[0].isdecimal() and _is_recent(int(times[0]), now):
            told_at = f"{times[0]}.".encode()
            wanted = [
                hmac.digest(one.encode(), told_at + delivery.body, "sha256").hex() for one in self.signing_secrets
            ]
            if any([_among(signature, wanted) for signature in signatures]):  # noqa: C419 - all of them, always
                return
        raise WebhookRefused(
            "the delivery is not signed by Mailchimp with a secret that was given, or long ago", status=401
        )


def _is_recent(seconds: int, now: datetime) -> bool:
    try:
        signed_at = from_micros(seconds * SECOND)
    except OverflowError:
        return False
    return now - OLDEST <= signed_at <= now + AHEAD


def _among(given: str, wanted: Iterable[str]) -> bool:
    """Whether a text is one of some secrets, in a time that tells nothing of them."""
    told = given.encode("utf-8", "surrogatepass")
    return any([hmac.compare_digest(told, one.encode()) for one in wanted])  # noqa: C419 - none is left out
