"""Keyed hashes of addresses and ids (O5).

What must be recognised and not read is kept as `hmac:PEPPER:HEX`, the HMAC-SHA256 of the plain text under a secret that
stays outside the database. Several peppers may be valid at once: the newest makes new hashes, and every one of them
is tried when somebody is looked up. Whoever holds the database alone cannot try addresses against it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.model.addresses import MatchKey

PREFIX = "hmac:"
"""How a text begins that is a keyed hash and no longer what it was made from."""

_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_WHOLE = re.compile(rf"{PREFIX}{_ID.pattern}:[0-9a-f]{{64}}")
_SHORTEST = 16
_PROOF = b"lifecycle_mail pepper"


def is_hashed(text: str) -> bool:
    """Whether a match key or an id is a keyed hash."""
    return text.startswith(PREFIX)


def require_whole(name: str) -> None:
    """Refuse what begins like a keyed hash and is none: hidden under it, somebody would stay readable.

    Raises:
        InvalidInput: it is not a whole keyed hash.
    """
    if is_hashed(name) and not _WHOLE.fullmatch(name):
        raise InvalidInput(f"{name[:40]!r} begins like a keyed hash and is none: names that begin so are never taken")


def pepper_of(hashed: str) -> str:
    """Return the id of the pepper that made a keyed hash."""
    return hashed.split(":", 2)[1]


def _as_secrets(secrets: Mapping[str, str | bytes]) -> Mapping[str, bytes]:
    clean = {}
    for number, (name, secret) in enumerate(secrets.items(), start=1):
        if not isinstance(name, str) or not _ID.fullmatch(name):  # not repeated: it may be the secret
            raise Misconfigured(
                f"the id of pepper {number} is none: 1 to 32 characters of a-z, 0-9, '.', '-' and '_'; "
                f"write peppers={{id: secret}}, with the id first"
            )
        if not isinstance(secret, str | bytes):
            raise Misconfigured(f"pepper {name!r} is {type(secret).__name__}: give a secret as text or bytes")
        clean[name] = secret.encode() if isinstance(secret, str) else secret
        if len(clean[name]) < _SHORTEST:
            raise Misconfigured(f"pepper {name!r} is shorter than {_SHORTEST} bytes: make one of 32 random bytes")
    return MappingProxyType(clean)


@frozen
class Peppers:
    """The secrets that keyed hashes are made with, by id, the newest last.

    Never printed: they say who was erased.

    Raises:
        Misconfigured: an id or a secret that cannot be used.
    """

    secrets: Mapping[str, bytes] = field(factory=dict, converter=_as_secrets, repr=lambda found: repr(sorted(found)))

    def __bool__(self) -> bool:
        return bool(self.secrets)

    def hashed(self, text: str, pepper: str | None = None) -> MatchKey:
        """Return the keyed hash of a text, under one pepper or the newest.

        Raises:
            Misconfigured: that pepper is not here.
        """
        if pepper is None:
            if not self.secrets:
                raise Misconfigured("erasing needs a pepper: give peppers={'2026': a secret of 32 random bytes}")
            pepper = list(self.secrets)[-1]
        self.require([pepper])
        return MatchKey(f"{PREFIX}{pepper}:{hmac.digest(self.secrets[pepper], text.encode(), 'sha256').hex()}")

    def forms(self, text: str) -> list[MatchKey]:
        """Return the keyed hash of a text under every pepper."""
        return [self.hashed(text, pepper) for pepper in self.secrets]

    def require(self, used: Iterable[str]) -> None:
        """Check that every pepper in use is here: without one, who was erased could be mailed again (F63).

        Raises:
            Misconfigured: with the ids of those that are missing.
        """
        missing = sorted(set(used) - self.secrets.keys())
        if missing:
            raise Misconfigured(
                f"the registry holds hashes made with pepper {', '.join(missing)}, which is not given: "
                f"give peppers={{{missing[0]!r}: ...}}; without it nothing is read and nothing is sent"
            )

    def proof(self, pepper: str) -> str:
        """Return a text by which a store tells later whether it is given the same secret under that id."""
        self.require([pepper])
        return hmac.digest(self.secrets[pepper], _PROOF, "sha256").hex()[:16]

    def proves(self, pepper: str, proof: str) -> bool:
        """Whether the secret given under that id is the one that made a proof."""
        # As bytes: a damaged proof may hold letters of which texts are not compared in constant time.
        told = proof.encode("utf-8", "surrogatepass")
        return pepper in self.secrets and hmac.compare_digest(self.proof(pepper).encode(), told)
