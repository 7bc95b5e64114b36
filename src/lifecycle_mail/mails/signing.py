"""Signing: how a few bytes become a text that says something to us, and to nobody else.

Theory of operation. A token is `KEY.MASKED.SIGNATURE`:

1. The payload is masked: a nonce, which is a keyed hash of the payload, and the payload XORed with a stream made from
   that nonce. Nothing of it can be read or guessed at; only the length of a token says how long the payload is.
2. `itsdangerous` signs the key's id and the masked payload.

Each step has a subkey of its own, which the secret gives for one purpose and one tenant: a token of another purpose,
or of another tenant (F45), fails in its signature. There is no chance in it: the same payload is the same token.

Keys come newest last. Each of them opens its tokens as long as it is given, so links outlive any number of rotations
(F46): keep an old key for at least 60 days after the last mail that it signed (R9). A key that leaked is `revoked`:
it opens nothing, and stays listed so that it is not used again by mistake. Whoever follows one of its links gets the
answer for any link that is not valid. The way out is by mail (F47): the page asks for an address and sends a fresh
link there, and gives the same answer for known, unknown and repeated addresses (R22).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, Misconfigured

if TYPE_CHECKING:
    from itsdangerous import Signer

MAX_TOKEN = 2000
"""The longest token that is made or read, in characters."""

_KEY_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,15}")
_TOKEN = re.compile(
    rf"(?P<value>(?P<key>{_KEY_ID.pattern})\.(?P<masked>[A-Za-z0-9_-]+))\.(?P<signature>[A-Za-z0-9_-]+)"
)
_SHORTEST = 16
_NONCE = 16


def _as_bytes(secret: str | bytes) -> bytes:
    return secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret


def _check_secret(secret: Any, of: str) -> None:
    if not isinstance(secret, str | bytes):
        raise Misconfigured(f"the secret of {of} is {type(secret).__name__}: give text or bytes")
    if len(_as_bytes(secret)) < _SHORTEST:
        raise Misconfigured(f"the secret of {of} is shorter than {_SHORTEST} bytes: make one of 32 random bytes")


@frozen
class SigningKey:
    """A secret that signs links, and what it is called.

    Attributes:
        id: its name, which every token shows: 1 to 16 characters of a-z, 0-9, '-' and '_'.
        secret: 16 bytes or more, text or bytes; never printed. Make one of 32 random bytes, kept outside the database.
        revoked: whether it leaked: then it signs nothing and opens nothing.

    Raises:
        Misconfigured: an id or a secret that cannot be used; the message repeats neither.
    """

    id: str = field()
    secret: bytes = field(converter=_as_bytes, repr=False)
    revoked: bool = field(default=False, kw_only=True)

    @id.validator
    def _is_slug(self, _attribute: object, value: Any) -> None:
        if not isinstance(value, str) or not _KEY_ID.fullmatch(value):  # not repeated: it may be the secret
            raise Misconfigured(
                "the id of a signing key is 1 to 16 characters of a-z, 0-9, '-' and '_', starting with a letter or "
                "digit: write SigningKey(id, secret), with the id first"
            )

    @secret.validator
    def _is_secret(self, _attribute: object, value: Any) -> None:
        _check_secret(value, f"signing key {self.id!r}")

    @classmethod
    def of(cls, secret: str | bytes, *, what: str = "a signing key") -> Self:
        """Return the key of a bare secret, named by a short hash of it.

        Args:
            secret: text or bytes.
            what: how an error calls it.
        """
        _check_secret(secret, what)
        name = hashlib.blake2b(_as_bytes(secret), digest_size=4, key=b"lifecycle_mail key id").hexdigest()
        return cls(name, secret)


def as_keys(keys: Iterable[SigningKey | str | bytes]) -> tuple[SigningKey, ...]:
    """Return signing keys in order, bare secrets among them named by a short hash.

    Raises:
        Misconfigured: it is no list; a key that cannot be used; two of one id; the secret of a revoked key under
            another id; or all of them are revoked.
    """
    # One text would be read as keys of one character each, the names of a mapping as secrets, and an empty key
    # signs anybody's token.
    is_one = isinstance(keys, str | bytes | Mapping | SigningKey)
    given = () if is_one else tuple(keys)
    if is_one or not all(given):
        raise Misconfigured("signing keys are a list of secrets, none of them empty: [os.environ['...']]")
    found = tuple(
        key if isinstance(key, SigningKey) else SigningKey.of(key, what=f"signing key {number}")
        for number, key in enumerate(given, start=1)
    )
    ids = [key.id for key in found]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise Misconfigured(f"two signing keys are called {twice[0]!r}: give each secret once, with an id of its own")
    if found and all(key.revoked for key in found):
        raise Misconfigured("every signing key is revoked: add a new one at the end of the list")
    leaked = {key.secret for key in found if key.revoked}
    again = [key.id for key in found if not key.revoked and key.secret in leaked]
    if again:
        raise Misconfigured(f"signing key {again[0]!r} has the secret of one that is revoked: give it a new secret")
    return found


def is_token(text: object) -> bool:
    """Whether something has the form of a token; whose it is, and whether it is whole, takes the keys to say."""
    return _parts(text) is not None


def _parts(token: object) -> re.Match[str] | None:
    # The length is looked at before anything else: what is sent may be of any size.
    return _TOKEN.fullmatch(token) if isinstance(token, str) and len(token) <= MAX_TOKEN else None


@frozen(eq=False)
class _Seal:
    """What one key does for one purpose of one tenant."""

    key: str
    signer: Signer
    to_hash: bytes
    to_mask: bytes

    @classmethod
    def of(cls, key: SigningKey, purpose: str, tenant: str) -> Self:
        from itsdangerous import Signer

        def label(step: str) -> bytes:  # printable texts, so that no NUL is in any of them
            return f"lifecycle_mail link\0{step}\0{purpose}\0{tenant}".encode()

        return cls(
            key.id,
            Signer(key.secret, salt=label("sign"), key_derivation="hmac", digest_method=hashlib.sha256),
            to_hash=hmac.digest(key.secret, label("hash"), "sha256"),
            to_mask=hmac.digest(key.secret, label("mask"), "sha256"),
        )

    def close(self, payload: bytes) -> str:
        nonce = hmac.digest(self.to_hash, payload, "sha256")[:_NONCE]
        masked = base64.urlsafe_b64encode(nonce + self._mask(payload, nonce)).rstrip(b"=").decode()
        return self.signer.sign(f"{self.key}.{masked}").decode()

    def open(self, parts: re.Match[str]) -> bytes | None:
        # Compared as text, in constant time: base64 can be spelled in several ways, and only ours is whole (F44).
        if not hmac.compare_digest(self.signer.get_signature(parts["value"]), parts["signature"].encode()):
            return None
        raw = base64.urlsafe_b64decode(parts["masked"] + "=" * (-len(parts["masked"]) % 4))
        return self._mask(raw[_NONCE:], raw[:_NONCE])

    def _mask(self, text: bytes, nonce: bytes) -> bytes:
        stream = hashlib.shake_256(self.to_mask + nonce).digest(len(text))
        return (int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(text), "big")


def check_tenant(_instance: object, _attribute: object, value: Any) -> None:
    """Check the id of a tenant, as an attrs validator."""
    if not isinstance(value, str) or not value.isprintable():
        raise Misconfigured(f"tenant {str(value)[:70]!r}: give the tenant's own id as printable text")


@frozen(eq=False)
class Keyring:
    """Signing keys, newest last, of one tenant. Safe to share between threads.

    Attributes:
        keys: the last one that is not revoked signs; every one that is not revoked opens. Bare secrets are taken too,
            and named by a short hash. To name keys from now on, add named ones with new secrets after them.
        tenant: whose they are: tokens of another tenant are refused, under the same keys too (F45).

    Raises:
        Misconfigured: keys or a tenant that cannot be used; see `as_keys`.
    """

    keys: tuple[SigningKey, ...] = field(default=(), converter=as_keys)
    tenant: str = field(default="", kw_only=True, validator=check_tenant)
    _open: dict[str, SigningKey] = field(init=False, repr=False)
    _seals: dict[tuple[str, str], _Seal] = field(init=False, factory=dict, repr=False)

    @_open.default
    def _find_open(self) -> dict[str, SigningKey]:
        return {key.id: key for key in self.keys if not key.revoked}

    @property
    def newest(self) -> SigningKey:
        """The key that signs.

        Raises:
            Misconfigured: there are no keys.
        """
        if not self._open:
            raise Misconfigured(
                "no signing keys: give Lifecycle(signing_keys=[...]) or Links(..., keys=[...]) "
                "a secret of 32 random bytes or more"
            )
        return next(reversed(self._open.values()))

    def close(self, payload: bytes, purpose: str) -> str:
        """Return the token of a payload: URL-safe text, the same for the same payload, purpose and key.

        Raises:
            InvalidInput: it would be longer than `MAX_TOKEN`.
            Misconfigured: there are no keys.
        """
        token = self._seal(self.newest, purpose).close(payload)
        if len(token) > MAX_TOKEN:
            raise InvalidInput(
                f"a token of {len(token):,} characters is longer than the {MAX_TOKEN:,} that are read: "
                f"shorten detail, or give the contact a shorter id"
            )
        return token

    def open(self, token: object, purpose: str) -> bytes | None:
        """Return the payload; None for whatever is not whole, or not made for that purpose by a key that is open.

        Raises:
            Misconfigured: there are no keys.
        """
        parts, key = _parts(token), self.newest
        found = None if parts is None else self._open.get(parts["key"])
        # Who asks with a key that is not known, or revoked, waits as long as everybody.
        payload = None if parts is None else self._seal(found or key, purpose).open(parts)
        return None if found is None else payload

    def _seal(self, key: SigningKey, purpose: str) -> _Seal:
        seal = self._seals.get((key.id, purpose))
        if seal is None:
            seal = self._seals[key.id, purpose] = _Seal.of(key, purpose, self.tenant)
        return seal
