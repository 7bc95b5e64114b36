"""`Lifecycle`: the one place that calls ports.

It holds an ESP, a store and a programme, and every method that depends on time takes `now`. Reading never writes:
`plan`, `decide` and `explain` can be called as often as one likes.
"""

from __future__ import annotations

import secrets
from types import TracebackType
from typing import Any, Self

from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.service.facade.answering import Answering
from lifecycle_mail.service.facade.consent import Consenting
from lifecycle_mail.service.facade.deciding import Deciding
from lifecycle_mail.service.facade.forgetting import Forgetting
from lifecycle_mail.service.facade.moving import Moving
from lifecycle_mail.service.facade.people import People
from lifecycle_mail.service.facade.sending import Sending
from lifecycle_mail.service.facade.syncing import Syncing
from lifecycle_mail.service.facade.watching import Watching


class Lifecycle(People, Consenting, Answering, Forgetting, Syncing, Moving, Deciding, Sending, Watching):
    """Decides, explains and enforces who may be e-mailed.

    Args:
        esp: an ESP, or the name of an installed one (`memory`, `mailchimp`, ...).
        store: a store, or the URL of one (`memory:`, `sqlite:///mail.db`, ...).
        programme: lists, segments, campaigns, fields and policy; what calls name is added to it.
        signing_keys: secrets for the tokens of confirmation links, newest last, bare or as `SigningKey`. Needed as soon
            as a token is made; keep them outside the database, and keep old ones as long as their links should work.
            Where there are links in mails, give `links.tokens`, so that both know the same keys and the same tenant.
        match: how addresses are matched for suppression (F61). Who opens a registry first settles it for good; left
            out, it is what the registry keeps, and the defaults where nobody has opened it yet.
        new_id: makes the id of a contact that the application has not named.
        crm: the customer database that is shown the same state (O9), or None.
        peppers: secrets by id, the newest last, for the keyed hashes that erasures leave (O5); keep them outside the
            database. Without one that was used nothing is read. For a store that is given as a URL.
        breaker: how many may stop being mailed at once before somebody is asked (F66, F67).
        value_field: the field that says what a contact is worth, for `picture`, or None.
        sweep_every: how long a sweep is good for: a later `send` sweeps first (F13).
        wait: called with the number of the attempt where an ESP needs time to show what it was told, and where a
            store is busy.
        ticks: counts seconds and never back; by it a long run knows how late it is.

    Every instant is an aware datetime; naive ones raise `InvalidInput`.

    Raises:
        Misconfigured: a plugin, a URL, a signing key or a pepper that cannot be used; or the registry goes by other
            match rules.
        RegistryUnavailable: the store cannot be opened or read; `RegistryBusy`, after several tries.
    """

    @classmethod
    def in_memory(cls, *, programme: Programme | None = None, **options: Any) -> Self:
        """Return one on the in-memory ESP and store: for tests, notebooks and first steps."""
        options.setdefault("signing_keys", [secrets.token_bytes(32)])
        return cls(options.pop("esp", "memory"), options.pop("store", "memory:"), programme=programme, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
