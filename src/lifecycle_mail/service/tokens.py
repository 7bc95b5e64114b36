"""Tokens of confirmation links: the id of a request, signed with a purpose. Nothing personal can be read from one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lifecycle_mail.errors import Misconfigured

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer


class Tokens:
    """Signs and reads tokens.

    Args:
        keys: secrets, newest last; tokens of older ones stay good as long as they are given.
    """

    def __init__(self, keys: Sequence[str | bytes]) -> None:
        if isinstance(keys, str | bytes) or not all(keys):
            # One text would be read as keys of one character each, and an empty key signs anybody's token.
            raise Misconfigured("signing_keys is a list of secrets, none of them empty: [os.environ['...']]")
        self._keys = [key.encode() if isinstance(key, str) else key for key in keys]

    def sign(self, request_id: str) -> str:
        """Return the token of a request.

        Raises:
            Misconfigured: there are no keys.
        """
        return str(self._serializer().dumps(request_id))

    def read(self, token: str) -> str | None:
        """Return the id of the request, or None for every token that is not whole and ours (F44)."""
        from itsdangerous import BadData, base64_decode, base64_encode

        try:
            found = self._serializer().loads(token)
            signature = token.rpartition(".")[2]
            # Base64 is read leniently: only the one spelling that we write is whole.
            if base64_encode(base64_decode(signature)).decode() != signature:
                return None
        except (BadData, UnicodeError):
            return None
        return found if isinstance(found, str) else None

    def _serializer(self) -> URLSafeSerializer:
        from itsdangerous import URLSafeSerializer

        if not self._keys:
            raise Misconfigured(
                "no signing keys: give Lifecycle(signing_keys=[...]) a secret of 32 random bytes or more"
            )
        return URLSafeSerializer(self._keys, salt="lifecycle_mail.confirm")
