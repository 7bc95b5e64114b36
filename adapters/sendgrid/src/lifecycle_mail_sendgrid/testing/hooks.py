"""The event webhook: its settings, and what it would post.

Nothing is sent anywhere. While no webhook was made through the API, the account has one that was set up by hand: it is
signed and gets every event. From then on the settings decide who gets what.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import frozen
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import Account, epoch, iso
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal

SIGNATURE: Final = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP: Final = "X-Twilio-Email-Event-Webhook-Timestamp"
MOST_HOOKS: Final = 5
MOST_EVENTS: Final = 1000
"""How many events are put into one body here; SendGrid fills bodies up to 768 KB."""

_PATH: Final = "/v3/user/webhooks/event/settings"
_FLAGS: Final = (
    "group_resubscribe", "delivered", "group_unsubscribe", "spam_report", "bounce", "deferred", "unsubscribe",
    "processed", "open", "click", "dropped",
)  # fmt: skip


@frozen
class HookPost:
    """A request that SendGrid would send to a webhook.

    Attributes:
        body: the raw bytes, with the line end that SendGrid puts behind the array.
        headers: the signature among them, where the webhook is signed.
        url: where to; empty for the webhook that was set up by hand.
    """

    body: bytes
    headers: Mapping[str, str]
    url: str = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        """What is in it."""
        events: list[dict[str, Any]] = json.loads(self.body)
        return events


class Hooks(Part):
    """The event webhooks of the account.

    Attributes:
        posted: every body that would have been posted, in order.
        public_key: what signatures are verified with: base64 of the DER form, as SendGrid shows it.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = b64encode(der).decode()
        self._hooks: dict[str, dict[str, Any]] = {}
        self._signed: set[str] = set()
        self.posted: list[HookPost] = []

    def post(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Post events to whoever wants them."""
        if not self._hooks:
            self._post(events, url="", signed=True)
        for hook_id, hook in self._hooks.items():
            if hook["enabled"]:
                wanted = [one for one in events if hook[_flag(one)]]
                self._post(wanted, url=hook["url"], signed=hook_id in self._signed)

    def _post(self, events: Sequence[Mapping[str, Any]], *, url: str, signed: bool) -> None:
        for start in range(0, len(events), MOST_EVENTS):
            text = json.dumps(events[start : start + MOST_EVENTS], separators=(",", ":"), ensure_ascii=False)
            self.posted.append(HookPost(*self._dressed(f"{text}\r\n".encode(), signed=signed), url=url))

    def again(self, post: HookPost, copies: int = 1) -> None:
        """Post the same once more, or more often: SendGrid delivers duplicates, each signed afresh."""
        for _ in range(copies):
            body, headers = self._dressed(post.body, signed=SIGNATURE in post.headers)
            self.posted.append(HookPost(body, headers, url=post.url))

    def _dressed(self, body: bytes, *, signed: bool) -> tuple[bytes, dict[str, str]]:
        headers = {"Content-Type": "application/json", "User-Agent": "SendGrid Event API"}
        if signed:
            timestamp = str(epoch(self._account.now))
            signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
            headers |= {SIGNATURE: b64encode(signature).decode(), TIMESTAMP: timestamp}
        return body, headers

    # -- settings

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            f"POST {_PATH}": self._create,
            f"GET {_PATH}/all": self._all,
            f"GET {_PATH}/{{id}}": self._one,
            f"PATCH {_PATH}/{{id}}": self._update,
            f"DELETE {_PATH}/{{id}}": self._delete,
            f"GET {_PATH}/signed/{{id}}": self._key_of,
            f"PATCH {_PATH}/signed/{{id}}": self._sign,
        }

    def _create(self, call: Call) -> Answer:
        if len(self._hooks) >= MOST_HOOKS:
            message = "You have reached the maximum number of webhooks per your current billing plan."
            raise Refusal(400, (None, message))
        url = self._checked(call.body.get("url"))
        hook: dict[str, Any] = {
            "id": self._account.new_id(),
            "enabled": True,
            **dict.fromkeys(_FLAGS, False),
            "url": url,
        }
        hook |= self._written(call.body) | {
            "created_date": iso(self._account.now),
            "updated_date": iso(self._account.now),
        }
        self._hooks[hook["id"]] = hook
        return Answer(status=201, json=hook)

    def _all(self, _: Call) -> Answer:
        hooks = [hook | self._shown_key(hook_id) for hook_id, hook in self._hooks.items()]
        return Answer(json={"max_allowed": MOST_HOOKS, "webhooks": hooks})

    def _one(self, call: Call) -> Answer:
        hook = self._found(call)
        shown = {key: value for key, value in hook.items() if not key.endswith("_date")}
        return Answer(json=shown | self._shown_key(hook["id"]))

    def _update(self, call: Call) -> Answer:
        hook = self._found(call)
        if "url" in call.body:
            hook["url"] = self._checked(call.body["url"], but=hook["id"])
        hook |= self._written(call.body) | {"updated_date": iso(self._account.now)}
        return Answer(json=hook)

    def _delete(self, call: Call) -> Answer:
        hook_id = self._found(call)["id"]
        del self._hooks[hook_id]
        self._signed.discard(hook_id)
        return Answer(status=204)

    def _key_of(self, call: Call) -> Answer:
        hook = self._found(call)
        return Answer(json={"id": hook["id"], "public_key": self._shown_key(hook["id"]).get("public_key", "")})

    def _sign(self, call: Call) -> Answer:
        hook = self._found(call)
        (self._signed.add if call.body["enabled"] else self._signed.discard)(hook["id"])
        return self._key_of(call)

    def _found(self, call: Call) -> dict[str, Any]:
        hook = self._hooks.get(call["id"])
        if hook is None:
            raise Refusal(404, (None, "Invalid id provided."))
        return hook

    def _checked(self, url: Any, *, but: str = "") -> str:
        parts = urlsplit(url if isinstance(url, str) else "")
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Refusal(400, (None, f"'{url}' is not a valid url"))
        for hook_id, hook in self._hooks.items():
            if hook["url"] == url and hook_id != but:
                message = f"Webhook at '{url}' already exists. Please provide a unique URL."
                raise Refusal(400, (None, message), id=hook_id, url=url)
        return str(url)

    def _shown_key(self, hook_id: str) -> dict[str, str]:
        return {"public_key": self.public_key} if hook_id in self._signed else {}

    @staticmethod
    def _written(body: Mapping[str, Any]) -> dict[str, Any]:
        kept = ("enabled", "friendly_name", "oauth_client_id", "oauth_token_url", *_FLAGS)
        return {key: body[key] for key in kept if body.get(key) is not None}


def _flag(event: Mapping[str, Any]) -> str:
    """Return the setting that turns an event on."""
    kind = str(event["event"])
    return "spam_report" if kind == "spamreport" else kind
