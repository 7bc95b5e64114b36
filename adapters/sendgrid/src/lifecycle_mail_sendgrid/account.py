"""What the parts of the adapter share: the client, bindings, topics, jobs, exports, and things found by name."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import IO, Any, Final, cast
from urllib.parse import parse_qs, urlsplit

from lifecycle_mail_http.bindings import OwnBindings

from lifecycle_mail.errors import EspUnavailable, OutcomeUnknown
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.ports import Bindings
from lifecycle_mail_sendgrid.client import SendgridClient
from lifecycle_mail_sendgrid.topics import Topic, Topics

NAME: Final = "sendgrid"
TARGET: Final = f"esp:{NAME}"
OWN: Final = "lifecycle_mail"
"""How the names begin of what we make there, so that it is found again."""
CONTACT_FIELD: Final = "lm_contact"
"""The custom field that holds our id of a contact."""
POLLS: Final = 40
"""How often a job is asked about; the pauses grow to fifteen seconds."""
LARGEST_EXPORT: Final = 5 * 2**30
_IDS: Final = 100
"""How many ids go into a query."""


class Account:
    """A SendGrid account as one adapter uses it.

    Attributes:
        client: the package, over our transport.
        given: what lists are, as the application says; it outranks what the registry keeps.
        bindings: where ids are kept that stand for our keys.
        clock: tells the instant, aware UTC.
    """

    def __init__(
        self, client: SendgridClient, *, given: Mapping[ListKey, Topic], clock: Callable[[], datetime]
    ) -> None:
        self.client = client
        self.given = given
        self.bindings: Bindings = OwnBindings()
        self.clock = clock

    @property
    def topics(self) -> Topics:
        """What each list is, as it stands."""
        return Topics.read(self.bindings, TARGET, self.given)

    def bind(self, kind: str, ours: str, theirs: str) -> None:
        """Keep an id."""
        self.bindings.bind(TARGET, kind, ours, theirs)

    def bound(self, kind: str) -> Mapping[str, str]:
        """Return the ids of a kind that are kept."""
        return self.bindings.bound(TARGET, kind)

    def ask(self, operation: str, call: Callable[..., Any], *, repeatable: bool | None = None, **given: Any) -> Any:
        """Make a call of the package, and return what its answer holds."""
        with self.client.transport.operation(operation, repeatable=repeatable):
            return call(**given).to_dict

    # -- jobs and exports

    def finished(self, operation: str, job_id: str) -> Mapping[str, Any]:
        """Wait until a job is through, and return what became of it.

        Raises:
            EspUnavailable: it failed, and nothing of it was done.
            OutcomeUnknown: it takes too long.
        """
        for attempt in range(POLLS):
            found = self.ask(operation, self.client.marketing.contacts.imports._(job_id).get)
            # A job of which nobody was taken has failed, and says of each why.
            if found["status"] in ("completed", "errored") or found["results"].get("errors_url"):
                return cast(Mapping[str, Any], found)
            if found["status"] == "failed":
                raise EspUnavailable(esp=NAME, operation=operation, body="the job failed", fix="try again later")
            self.client.transport.wait(min(15.0, 0.5 * 2**attempt))
        raise OutcomeUnknown(esp=NAME, operation=operation, body="its job is still pending", fix="try again later")

    def exported(self, operation: str, list_ids: Sequence[str] = ()) -> Iterator[Mapping[str, Any]]:
        """Yield the contacts of lists, or all, as SendGrid's export has them."""
        exports = self.client.marketing.contacts.exports
        body = {"file_type": "json", **({"list_ids": list(list_ids)} if list_ids else {})}
        export_id = self.ask(operation, exports.post, repeatable=True, request_body=body)["id"]
        for attempt in range(POLLS):
            found = self.ask(operation, exports._(export_id).get)
            if found["status"] == "ready":
                break
            if found["status"] == "failure":
                raise EspUnavailable(esp=NAME, operation=operation, body="the export failed", fix="try again later")
            self.client.transport.wait(min(15.0, 0.5 * 2**attempt))
        else:
            raise EspUnavailable(esp=NAME, operation=operation, body="the export is still pending", fix="try again")
        for url in found.get("urls") or ():
            with tempfile.TemporaryFile() as file:
                self.client.transport.fetch(url, file, name=operation, limit=LARGEST_EXPORT)
                file.seek(0)
                with _unpacked(file) as lines:
                    yield from (json.loads(line) for line in lines if line.strip())

    # -- found by name

    def rows(self, operation: str, call: Callable[..., Any], key: str = "result") -> Iterator[Mapping[str, Any]]:
        """Yield what SendGrid lists in pages."""
        query: dict[str, str] = {"page_size": "100"}
        while True:
            page = self.ask(operation, call, query_params=query)
            yield from page[key]
            after = parse_qs(urlsplit(page.get("_metadata", {}).get("next") or "").query)
            if not after.get("page_token"):
                return
            query["page_token"] = after["page_token"][0]

    def contact_list(self, operation: str, name: str) -> str:
        """Return the id of the contact list of a name, which is made if there is none."""
        found = self.named_list(operation, name)
        if found is not None:
            return found
        made = self.ask(operation, self.client.marketing.lists.post, request_body={"name": name})
        return str(made["id"])

    def named_list(self, operation: str, name: str) -> str | None:
        """Return the id of the contact list of a name, or None."""
        rows = self.rows(operation, self.client.marketing.lists.get)
        return next((str(row["id"]) for row in rows if row["name"] == name), None)

    def take_off(self, operation: str, list_id: str, contact_ids: Sequence[str]) -> None:
        """Take contacts off a list, and wait until they are."""
        for at in range(0, len(contact_ids), _IDS):
            some = ",".join(contact_ids[at : at + _IDS])
            contacts = self.client.marketing.lists._(list_id).contacts
            job = self.ask(operation, contacts.delete, repeatable=True, query_params={"contact_ids": some})
            self.finished(operation, str(job["job_id"]))


def written(address: EmailAddress) -> str:
    """Return an address as SendGrid is told it, and as it shows it: lower case."""
    return address.deliverable.lower()


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return cast(IO[bytes], gzip.open(file)) if packed else file
