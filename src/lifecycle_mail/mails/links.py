"""Signed links in mails: what they say, where they lead, how long they work, and how they are refused.

Theory of operation. A link is `https://host/base/PURPOSE/TOKEN`. Its token says what it is for, whose it is, which
list, campaign or answer it is about, and when it was signed; `signing` tells how nobody else can read or make one,
and what to do when a key leaks.

Whatever is wrong with a link, it is refused alike (F44, R22): one error, one message, raised in one place. Nobody
learns from it who is known here. How long a link works is a table by purpose (`PURPOSES`), and where in doubt people
can leave: an unsubscribe link has no end, and no clock that is wrong shuts it. Nor does one shut a confirmation.

A link can be followed more than once (F48), and scanners follow every one: a page reads it on GET, and acts on POST
only (R3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, LinkRefused, Misconfigured
from lifecycle_mail.mails.hosts import MAX_PORT, OURSELVES, is_host
from lifecycle_mail.mails.signing import Keyring, SigningKey, as_keys, check_tenant, is_token
from lifecycle_mail.model.instants import as_utc, from_micros, to_micros
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId, check_slug, one_of

MAX_URL = 900
"""The longest URL that is made, in characters: a header line holds 998 octets, with its name and brackets (R5)."""

SKEW = timedelta(minutes=10)
"""How far the clock of whoever signs may be ahead of the clock of whoever reads."""


class LinkPurpose(StrEnum):
    """What a link is for. One that was made for one purpose is refused for every other."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    STAY = "stay"
    ANSWER = "answer"


@frozen(kw_only=True)
class PurposeRule:
    """Where links of one purpose lead, and how long they work.

    Attributes:
        path: the segment of the URL that names the page.
        age: how long after signing a link works; None is without end.
        at_least: the shortest age that may be set instead.
        ahead: how far ahead of the reader's clock it may be signed; None where that does not matter.
        because: why.
    """

    path: str
    age: timedelta | None
    at_least: timedelta
    ahead: timedelta | None = SKEW
    because: str


_DAY = timedelta(days=1)

PURPOSES: Mapping[LinkPurpose, PurposeRule] = MappingProxyType(
    {
        LinkPurpose.UNSUBSCRIBE: PurposeRule(
            path="unsubscribe", age=None, at_least=60 * _DAY, ahead=None,
            because="the link works for 60 days by law (R9; 30 by R8), and a no is never too late",
        ),
        LinkPurpose.PREFERENCES: PurposeRule(
            path="preferences", age=400 * _DAY, at_least=60 * _DAY,
            because="people leave here too, so 60 days at least (R9); a mail of years ago shows nobody's choices",
        ),
        LinkPurpose.CONFIRM: PurposeRule(
            path="confirm", age=None, at_least=_DAY, ahead=None,
            because="mail is read a day late; years late is no harm, as it overrides no newer opt-out (O4)",
        ),
        LinkPurpose.STAY: PurposeRule(
            path="stay", age=90 * _DAY, at_least=_DAY,
            because="mail is read a day late; years late the programme that asked is over",
        ),
        LinkPurpose.ANSWER: PurposeRule(
            path="answer", age=400 * _DAY, at_least=_DAY,
            because="mail is read a day late; years late it is an answer about another product",
        ),
    }
)  # fmt: skip
"""The rule for each purpose."""


# -- what a token says


def _as_purpose(purpose: LinkPurpose | str) -> LinkPurpose:
    return purpose if isinstance(purpose, LinkPurpose) else one_of(LinkPurpose, purpose, "purpose")


def _check_text(what: str, value: Any, *, least: int, most: int) -> None:
    # Printable texts hold no NUL, which parts them in the payload, and all of them can be written as UTF-8.
    if not isinstance(value, str) or not least <= len(value) <= most or not value.isprintable():
        raise InvalidInput(f"{what} {str(value)[:70]!r}: give {least} to {most} printable characters")


@frozen(kw_only=True)
class Link:
    """What a token says.

    Attributes:
        purpose: what it is for.
        contact_id: whose link it is.
        scope: what it is about: one list, one channel, all marketing, or None.
        campaign: the key of the campaign that it came with, or None.
        detail: the id of a request, a question with its answer, or empty; up to 200 printable characters.
        signed_at: when it was signed, an aware UTC instant.

    Raises:
        InvalidInput: a contact id that no contact can have, a campaign that is no slug, a detail that is too long.
    """

    purpose: LinkPurpose = field(converter=_as_purpose)
    contact_id: ContactId
    scope: Scope | None = None
    campaign: CampaignKey | None = None
    detail: str = ""
    signed_at: datetime = field(converter=as_utc)

    def __attrs_post_init__(self) -> None:
        _check_text("contact id", self.contact_id, least=1, most=256)
        _check_text("detail", self.detail, least=0, most=200)
        if self.campaign is not None:
            check_slug("campaign", self.campaign)
        if self.scope is not None and not isinstance(self.scope, Scope):
            raise InvalidInput(
                f"scope {str(self.scope)[:70]!r}: give Scope.list(key), Scope.channel(...) or Scope.all()"
            )


_FORMAT = b"\x01"


def _packed(link: Link) -> bytes:
    scope = "" if link.scope is None else str(link.scope)
    texts = "\0".join((link.contact_id, scope, link.campaign or "", link.detail))
    return _FORMAT + to_micros(link.signed_at).to_bytes(8, "big", signed=True) + texts.encode()


def _unpacked(payload: bytes, purpose: LinkPurpose) -> Link | None:
    """Return what a payload says; None where another release wrote what this one cannot read."""
    if payload[:1] != _FORMAT:
        return None
    try:
        contact_id, scope, campaign, detail = payload[9:].decode().split("\0")
        return Link(
            purpose=_as_purpose(purpose),
            contact_id=ContactId(contact_id),
            scope=Scope.parse(scope) if scope else None,
            campaign=CampaignKey(campaign) if campaign else None,
            detail=detail,
            signed_at=from_micros(int.from_bytes(payload[1:9], "big", signed=True)),
        )
    except (ValueError, OverflowError):
        return None


# -- tokens


def _as_ages(ages: Mapping[LinkPurpose, timedelta | None]) -> Mapping[LinkPurpose, timedelta | None]:
    found = {purpose: rule.age for purpose, rule in PURPOSES.items()}
    for name, age in ages.items():
        purpose = one_of(LinkPurpose, name, "ages")
        rule = PURPOSES[purpose]
        if age is not None and (not isinstance(age, timedelta) or age < rule.at_least):
            raise Misconfigured(
                f"ages: {purpose} is {age!r}: give timedelta(days={rule.at_least.days}) or more, or None for no end, "
                f"because {rule.because}"
            )
        found[purpose] = age
    return MappingProxyType(found)


@frozen(eq=False)
class Tokens(Keyring):
    """Signs and reads tokens, whatever URL carries them. See `Keyring` for the other arguments.

    Attributes:
        ages: how long links of each purpose work after they were signed; None is without end. What is not given is as
            in `PURPOSES`.

    Raises:
        Misconfigured: an unsubscribe link that ends within 60 days (R9), or another age below that of `PURPOSES`.
        InvalidInput: ages of a purpose that is none.
    """

    ages: Mapping[LinkPurpose, timedelta | None] = field(factory=dict, converter=_as_ages, kw_only=True)

    def sign(self, link: Link) -> str:
        """Return the token of a link: URL-safe text, the same for the same link and key.

        Raises:
            InvalidInput: it would be longer than `MAX_TOKEN`.
            Misconfigured: there are no keys.
        """
        return self.close(_packed(link), link.purpose)

    def read(self, token: str, *, purpose: LinkPurpose | str) -> Link | None:
        """Return what a token says, of whatever age; None for any that is not whole, ours and of that purpose (F44).

        Raises:
            Misconfigured: there are no keys.
        """
        purpose = _as_purpose(purpose)
        payload = self.open(token, purpose)
        return None if payload is None else _unpacked(payload, purpose)

    def follow(self, token: str, *, purpose: LinkPurpose | str, now: datetime, scope: Scope | None = None) -> Link:
        """Return what a token says, where all of it holds; see `Links.read`.

        Raises:
            LinkRefused: it does not; always alike (F44).
            Misconfigured: there are no keys.
        """
        now = as_utc(now)
        link = self.read(token, purpose=purpose)
        if link is None or (scope is not None and link.scope != scope) or not self._is_timely(link, now):
            raise LinkRefused
        return link

    def _is_timely(self, link: Link, now: datetime) -> bool:
        age, ahead = self.ages[link.purpose], PURPOSES[link.purpose].ahead
        return (age is None or now - link.signed_at <= age) and (ahead is None or link.signed_at - now <= ahead)


# -- URLs

_PLACE = re.compile(r"(?P<host>[^/:]*)(?::(?P<port>[1-9][0-9]{0,4}))?(?:/[A-Za-z0-9._~-]+)*/?")


def _as_base(url: str) -> str:
    scheme, parted, rest = url.partition("://") if isinstance(url, str) else ("", "", "")
    place = _PLACE.fullmatch(rest)
    if not parted or scheme not in ("https", "http"):
        wrong = "does not begin with https://"
    elif not rest.isascii():
        wrong = "is not ASCII: write the host as IDNA does, xn--..."
    elif "@" in rest:
        wrong = "holds a user name"
    elif "?" in rest or "#" in rest:
        wrong = "holds a query or a fragment"
    elif place is None or not is_host(place["host"]) or int(place["port"] or 443) > MAX_PORT:
        wrong = "is not a host, perhaps with a port, and a path of a-z, A-Z, 0-9, '.', '_', '~' and '-'"
    elif scheme == "http" and place["host"] not in OURSELVES:
        wrong = "is not https, and whoever passes it on could read and change it (R4)"
    else:
        return url.rstrip("/")
    # It is not repeated: it may hold a password.
    raise Misconfigured(f"base_url {wrong}: give one like https://mail.example.com/m")


@frozen(eq=False)
class Links:
    """Makes and reads the links of mails.

    Attributes:
        base_url: where the pages are, such as `https://mail.example.com/m`; http on this machine only.
        keys: signing keys or bare secrets, newest last; see `Keyring`.
        ages: how long links of each purpose work after they were signed; None is without end. What is not given is as
            in `PURPOSES`.
        tenant: whose links these are; see `Keyring`.
        tokens: what signs. `Lifecycle(signing_keys=links.tokens)` makes the tokens that these links carry, and follows
            links as long as these do.

    Raises:
        Misconfigured: no key that can be used; a base_url that mails cannot carry; an unsubscribe link that ends within
            60 days (R9), or another age below that of `PURPOSES`.
        InvalidInput: ages of a purpose that is none.
    """

    base_url: str = field(converter=_as_base)
    keys: tuple[SigningKey, ...] = field(converter=as_keys)
    ages: Mapping[LinkPurpose, timedelta | None] = field(factory=dict, converter=_as_ages, kw_only=True)
    tenant: str = field(default="", kw_only=True, validator=check_tenant)
    tokens: Tokens = field(init=False, repr=False)

    @tokens.default
    def _make_tokens(self) -> Tokens:
        return Tokens(self.keys, tenant=self.tenant, ages=self.ages)

    def __attrs_post_init__(self) -> None:
        self.tokens.newest  # noqa: B018 - without a key it fails here, and not at the first mail

    def url(
        self, purpose: LinkPurpose | str, contact_id: str, *, now: datetime, scope: Scope | None = None,
        campaign: str | None = None, detail: str = "",
    ) -> str:  # fmt: skip
        """Return the URL of a link that is signed now. The arguments are the attributes of `Link`.

        It has about 210 characters where the contact id has 36. An id of 256 ASCII characters fits; one of as many in
        another script does not.

        Raises:
            InvalidInput: something that no link can say; or the URL would be longer than `MAX_URL`.
        """
        link = Link(
            purpose=_as_purpose(purpose),
            contact_id=ContactId(contact_id),
            scope=scope,
            campaign=None if campaign is None else CampaignKey(campaign),
            detail=detail,
            signed_at=now,
        )
        return self.url_of(self.token(link), purpose=link.purpose)

    def url_of(self, token: str, *, purpose: LinkPurpose | str) -> str:
        """Return the URL that carries a token, such as that of `NeedsConfirmation`.

        Raises:
            InvalidInput: it does not have the form of a token, or the URL would be longer than `MAX_URL`.
        """
        if not is_token(token):
            raise InvalidInput("this is no token: give what Links.token, Tokens.sign or subscribe() returned")
        made = f"{self.base_url}/{PURPOSES[_as_purpose(purpose)].path}/{token}"
        if len(made) > MAX_URL:
            raise InvalidInput(
                f"a URL of {len(made):,} characters is too long for the header of a mail, which takes {MAX_URL} (R5): "
                f"shorten base_url or detail, or give the contact a shorter id"
            )
        return made

    def token(self, link: Link) -> str:
        """Return the token of a link; see `Tokens.sign`."""
        return self.tokens.sign(link)

    def read(self, token: str, *, purpose: LinkPurpose | str, now: datetime, scope: Scope | None = None) -> Link:
        """Return what a token says, where all of it holds.

        Args:
            token: the last segment of the URL, as it came.
            purpose: what the page is for.
            now: when it is read, an aware instant.
            scope: what the page is about, where it is about one thing: a link about anything else is refused (F45).

        Raises:
            LinkRefused: not whole, not ours, of a key that is unknown or revoked, of another purpose, tenant or scope,
                too old, or signed more than `SKEW` ahead of now; always alike (F44).
        """
        return self.tokens.follow(token, purpose=purpose, now=now, scope=scope)
