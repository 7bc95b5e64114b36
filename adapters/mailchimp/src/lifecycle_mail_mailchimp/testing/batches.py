"""Batches: many requests in one, done some time later and in no order."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from attrs import define, field

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_mailchimp.testing.calls import Call, Handler, Part
from lifecycle_mail_mailchimp.testing.problems import malformed, not_found, too_many
from lifecycle_mail_mailchimp.testing.state import Account, iso, links

LINK_LIVES: Final = timedelta(minutes=10)
RESULTS_LIVE: Final = timedelta(days=7)

Inner = Callable[[str, str, bytes, Mapping[str, str]], Answer]
"""What carries out an operation: its method, path and query, body, and the headers that the batch came with."""


@define(eq=False, kw_only=True)
class Batch:
    """Many requests in one.

    Attributes:
        id: its id.
        operations: as they came.
        headers: those of the request that brought them.
        submitted_at, completed_at: when it came, and was done.
        results: what came of each operation, in the order in which they were done.
        links: the names of its results, and until when they live.
    """

    id: str
    operations: list[dict[str, Any]]
    headers: Mapping[str, str] = field(repr=False)
    submitted_at: datetime
    completed_at: datetime | None = None
    results: list[dict[str, Any]] = field(factory=list, repr=False)
    links: dict[str, datetime] = field(factory=dict)


class Batches(Part):
    """Batches.

    Attributes:
        takes: how long a batch waits before it is done.
        most_pending: how many may wait at once.
        inner: what carries out an operation; a server sets it, so that each is held against the contract.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._batches: dict[str, Batch] = {}
        self.takes = timedelta(minutes=1)
        self.most_pending = 500
        self.inner: Inner | None = None

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            "GET /batches": lambda call: call.page(
                "batches", list(self._batches.values()), lambda one: self._shown(call, one)
            ),
            "POST /batches": self.add,
            "GET /batches/{batch_id}": lambda call: call.answer(self._shown(call, self._batch(call))),
            "DELETE /batches/{batch_id}": self.delete,
            "GET /batch-results/{name}": self.fetch,
        }

    def settle(self) -> None:
        """Do the batches that are due."""
        for batch in list(self._batches.values()):
            if batch.completed_at is None and self._account.now >= batch.submitted_at + self.takes:
                batch.completed_at = self._account.now
                batch.results = [self._done(batch, one) for one in _shuffled(batch)]

    def add(self, call: Call) -> Answer:
        """Take a batch."""
        for index, one in enumerate(call.body["operations"]):
            if one.get("body") and _object(one["body"]) is None:
                raise malformed((f"operations.item:{index}.body", "The body must be a JSON object, as a string."))
        if sum(one.completed_at is None for one in self._batches.values()) >= self.most_pending:
            raise too_many(f"You have more than {self.most_pending} pending batches.")
        batch = Batch(
            id=self._account.id(),
            operations=call.body["operations"],
            headers=call.request.headers,
            submitted_at=self._account.now,
        )
        self._batches[batch.id] = batch
        return call.answer(self._shown(call, batch))

    def delete(self, call: Call) -> Answer:
        """Give a batch up: what is not done stays undone."""
        del self._batches[self._batch(call).id]
        return Answer(status=204)

    def fetch(self, call: Call) -> Answer:
        """Hand out results, to whoever has the link and to nobody who also shows a key, as the storage behind it."""
        if "authorization" in call.request.headers:
            return _storage(400, "InvalidArgument", "Only one auth mechanism allowed")
        for batch in self._batches.values():
            if batch.links.get(call["name"], self._account.now) > self._account.now:
                body = _archive(batch)
                return Answer(body=body, headers={"Content-Type": "application/x-gzip"})
        return _storage(403, "AccessDenied", "Request has expired")

    def _batch(self, call: Call) -> Batch:
        if call["batch_id"] not in self._batches:
            raise not_found()
        return self._batches[call["batch_id"]]

    def _done(self, batch: Batch, operation: dict[str, Any]) -> dict[str, Any]:
        if self.inner is None:
            raise NotImplementedError("operations of batches need a server: use mailchimp_server")
        path = f"/{operation['path'].lstrip('/')}"
        if params := operation.get("params"):
            path += f"?{urlencode(params)}"
        answer = self.inner(operation["method"], path, operation.get("body", "").encode(), batch.headers)
        told = "" if answer.json is None else json.dumps(answer.json)
        return {"status_code": answer.status, "operation_id": operation.get("operation_id", ""), "response": told}

    def _shown(self, call: Call, batch: Batch) -> dict[str, Any]:
        waited = self._account.now - batch.submitted_at
        status = "pending" if waited < self.takes / 2 else "started"
        url = ""
        if batch.completed_at is not None:
            status = "finished"
            if self._account.now < batch.completed_at + RESULTS_LIVE:
                name = f"{batch.id}-{len(batch.links)}-response.tar.gz"
                batch.links[name] = self._account.now + LINK_LIVES
                url = f"{call.origin}/3.0/batch-results/{name}"
        return {
            "id": batch.id,
            "status": status,
            "total_operations": len(batch.operations),
            "finished_operations": len(batch.results),
            "errored_operations": sum(one["status_code"] >= 400 for one in batch.results),
            "submitted_at": iso(batch.submitted_at),
            "completed_at": iso(batch.completed_at),
            "response_body_url": url,
            "_links": links(f"/batches/{batch.id}"),
        }


def _object(written: str) -> dict[str, Any] | None:
    try:
        read = json.loads(written)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def _shuffled(batch: Batch) -> list[dict[str, Any]]:
    """Return the operations in an order that nobody can count on, and that is the same every time."""

    def key(index: int) -> bytes:
        return hashlib.sha256(f"{batch.id}:{index}".encode()).digest()

    return [batch.operations[index] for index in sorted(range(len(batch.operations)), key=key)]


def _archive(batch: Batch) -> bytes:
    """Return a gzipped archive of one JSON file, as batches come back."""
    told = json.dumps(batch.results).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(f"{batch.id}/0.json")
        entry.size = len(told)
        archive.addfile(entry, io.BytesIO(told))
    return gzip.compress(packed.getvalue(), mtime=0)


def _storage(status: int, code: str, message: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status=status, body=body.encode(), headers={"Content-Type": "application/xml"})
