"""The server between an adapter and the simulator of its vendor."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from attrs import evolve

from lifecycle_mail.errors import Misconfigured, UnknownName
from lifecycle_mail.testing.contract.exchanges import Answer, Request, Simulator, Violation
from lifecycle_mail.testing.contract.faults import Fault, Manner
from lifecycle_mail.testing.contract.overlay import Overlay
from lifecycle_mail.testing.contract.specs import Operation, load

if TYPE_CHECKING:
    from lifecycle_mail.testing.contract.wire import Reply, Taken


class ContractServer:
    """Stands in for a vendor at `url`, and holds all that goes over the wire against its contract.

    A request that violates it never reaches the simulator: it gets a 400 that names what is wrong, and is kept in
    `violations`, so that no test can overlook it. Call `require_clean` at the end.

    Args:
        specs: the OpenAPI files of the vendor, as JSON.
        simulator: what stands in for the vendor. It is asked one request at a time.
        overlay: what the files get wrong or leave out.
        prefix: what stands before every path of the files, such as `/3.0`.
        latency: for how many seconds every answer is held back. Only benchmarks want that.

    Attributes:
        url: where it listens, prefix included.
        requests: what came in, in order, violations included.
        violations: what was wrong with requests and answers.
        busiest: how many requests there were at once at most.

    Raises:
        Misconfigured: `openapi-core` is not installed, or the overlay does not fit the files.
    """

    def __init__(
        self,
        specs: Sequence[Path],
        simulator: Simulator,
        *,
        overlay: Overlay,
        prefix: str = "",
        latency: float = 0,
    ) -> None:
        try:
            from lifecycle_mail.testing.contract import checking, wire
        except ImportError as error:
            raise Misconfigured(
                f"the contract server needs {error.name}: pip install 'lifecycle-mail[contract]'"
            ) from error
        self._specs = load(specs, overlay)
        self._checker = checking.Checker(overlay)
        self._overlay = overlay
        self._prefix = prefix
        self._latency = latency
        self._simulator = simulator
        self._one_at_a_time = RLock()
        self._lock = Lock()
        self._faults: list[Fault] = []
        self._closing = Event()
        self._at_once = 0
        self.busiest = 0
        self.requests: list[Request] = []
        self.violations: list[Violation] = []
        self._packed = wire.packed
        self._reply = wire.Reply
        self._wire = wire.Wire(self._serve)
        self.url = f"http://127.0.0.1:{self._wire.port}{prefix}"

    def __enter__(self) -> ContractServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go on whatever is held, and end every connection."""
        self._closing.set()
        for fault in self._faults:
            fault.release()
        self._wire.close()

    @property
    def connections(self) -> int:
        """How many connections were opened."""
        return self._wire.connections

    def calls(self, match: str) -> list[Request]:
        """Return the requests for an operation, given by its name or a pattern."""
        names = {operation.name for operation in self._named(match)}
        return [request for request in self.requests if request.operation in names]

    def require_clean(self) -> None:
        """Fail if any request or answer violated the contract.

        Raises:
            AssertionError: every violation, one a line, those that came again with how often.
        """
        if self.violations:
            count = len(self.violations)
            lines = "\n".join(
                f"  {violation}" + (f" ({times} times)" if times > 1 else "")
                for violation, times in Counter(self.violations).items()
            )
            raise AssertionError(f"{count} violation{'' if count == 1 else 's'} of the contract\n{lines}")

    # faults: each is by the name of an operation, such as `POST /lists/{list_id}`, or a pattern, such as `*`

    @property
    def unfired(self) -> list[Fault]:
        """The faults that were scripted and have not happened as often as they should."""
        return [fault for fault in self._faults if fault.times > 0]

    def fail(self, match: str, answer: Answer, *, times: int = 1, done: bool = False) -> Fault:
        """Give this answer instead of doing the work; or, with `done`, after it."""
        return self._script(Fault(match, Manner.FAIL, times, done, answer=answer))

    def cut(self, match: str, *, done: bool, times: int = 1) -> Fault:
        """Reset the connection without an answer, before the work or after it."""
        return self._script(Fault(match, Manner.CUT, times, done))

    def stall(self, match: str, *, done: bool, times: int = 1) -> Fault:
        """Hold the answer until the fault is released. What is not done by then is done late."""
        return self._script(Fault(match, Manner.STALL, times, done))

    def truncate(self, match: str, *, times: int = 1) -> Fault:
        """Do the work, and end the connection in the middle of the answer."""
        return self._script(Fault(match, Manner.TRUNCATE, times, True))

    def mislabel(self, match: str, content_type: str | None, *, times: int = 1) -> Fault:
        """Do the work, and send the right answer under another content type, or without any."""
        return self._script(Fault(match, Manner.MISLABEL, times, True, content_type=content_type))

    def _script(self, fault: Fault) -> Fault:
        self._named(fault.match)
        with self._lock:
            self._faults.append(fault)
        return fault

    def _named(self, match: str) -> list[Operation]:
        found = self._specs.named(match)
        if not found:
            raise UnknownName("operation", match, [operation.name for operation in self._specs.operations])
        return found

    # what happens to a request

    def _serve(self, taken: Taken) -> Reply:
        with self._counted() as at_once:
            if self._latency:
                self._closing.wait(self._latency)
            if self._overlay.connections is not None and at_once > self._overlay.connections:
                return self._reply(self._packed(self._overlay.too_many))
            return self._answered(taken)

    @contextmanager
    def _counted(self) -> Iterator[int]:
        with self._lock:
            self._at_once += 1
            self.busiest = max(self.busiest, self._at_once)
            at_once = self._at_once
        try:
            yield at_once
        finally:
            with self._lock:
                self._at_once -= 1

    def inside(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Carry out a request that came within another one, as the operations of a batch do.

        It is held against the contract like any other, and no fault is about it.

        Args:
            method: in capitals.
            target: the path, without the prefix, and the query.
            body: its bytes.
            headers: by name, in lower case.
        """
        request, operation, _ = self._request(method, self._prefix + target, headers, body)
        if operation is None:
            self._note([Violation(f"{method} {request.path}", "path", "nothing is specified under it")])
            return Answer(status=404, json={"title": "Contract Violated", "status": 404})
        violations = self._checker.request(operation, request)
        if violations:
            self._note(violations)
            return Answer(status=400, json={"title": "Contract Violated", "status": 400})
        answer = self._worked(request)
        self._note(self._checker.answer(operation, request, self._packed(answer)))
        return answer

    def _answered(self, taken: Taken) -> Reply:
        request, operation, methods = self._request(taken.method, taken.target, taken.headers, taken.body)
        if operation is None:
            return self._unspecified(request, methods)
        violations = self._checker.request(operation, request)
        if violations:
            keyless = any(one.where == "headers.authorization" for one in violations)
            return self._violated(401 if keyless else 400, violations)
        return self._carried_out(operation, request)

    def _request(
        self, method: str, written: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Request, Operation | None, Sequence[str]]:
        """Return a request, which operation it is for, and else which methods its path takes."""
        target = urlsplit(written)
        inside = target.path.startswith(f"{self._prefix}/")
        path = target.path.removeprefix(self._prefix) if inside else target.path
        found = self._specs.find(method, path) if inside else None
        operation, parameters = found if found is not None else (None, {})
        request = Request(
            method=method,
            path=path,
            query=parse_qs(target.query, keep_blank_values=True),
            headers=headers,
            body=body,
            json=_read(body),
            operation=operation.name if operation is not None else f"{method} {path}",
            path_parameters=parameters,
        )
        with self._lock:
            self.requests.append(request)
        return request, operation, self._specs.methods(path) if inside and operation is None else []

    def _unspecified(self, request: Request, methods: Sequence[str]) -> Reply:
        name = f"{request.method} {request.path}"
        if methods:
            return self._violated(405, [Violation(name, "method", f"this path takes {', '.join(methods)}")])
        return self._violated(404, [Violation(name, "path", "nothing is specified under it")])

    def _violated(self, status: int, violations: Sequence[Violation]) -> Reply:
        self._note(violations)
        told = [{"where": one.where, "message": one.message} for one in violations]
        detail = "; ".join(f"{one.where}: {one.message}" for one in violations)
        body = {"title": "Contract Violated", "status": status, "detail": detail, "violations": told}
        return self._reply(self._packed(Answer(status=status, json=body)))

    def _note(self, violations: Sequence[Violation]) -> None:
        with self._lock:
            self.violations.extend(violations)

    def _carried_out(self, operation: Operation, request: Request) -> Reply:
        fault = self._next_fault(operation.name)
        if fault is None or fault.done:
            return self._after(fault, operation, request)
        if fault.manner is Manner.STALL:
            fault.hold()
            return self._after(None, operation, request)
        return self._reply(self._packed(fault.answer) if fault.answer is not None else None)

    def _after(self, fault: Fault | None, operation: Operation, request: Request) -> Reply:
        """Do the work; then let go wrong what was to go wrong after it."""
        sent = self._packed(self._worked(request))
        self._note(self._checker.answer(operation, request, sent))
        if fault is None:
            return self._reply(sent)
        if fault.manner is Manner.STALL:
            fault.hold()
        elif fault.manner is Manner.MISLABEL:
            labels = {"Content-Type": fault.content_type} if fault.content_type is not None else {}
            kept = {name: value for name, value in sent.headers.items() if name != "Content-Type"}
            return self._reply(evolve(sent, headers={**kept, **labels}))
        elif fault.manner is Manner.FAIL and fault.answer is not None:
            return self._reply(self._packed(fault.answer))
        elif fault.manner is Manner.CUT:
            return self._reply(None)
        return self._reply(sent, fault.manner is not Manner.TRUNCATE)

    def _worked(self, request: Request) -> Answer:
        try:
            with self._one_at_a_time:
                return self._simulator.answer(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must fail by it and not hang
            self._note([Violation(f"{request.method} {request.path}", "simulator", f"raised {error!r}")])
            return Answer(status=500, json={"title": "Internal Server Error", "status": 500, "detail": repr(error)})

    def _next_fault(self, name: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and any(one.name == name for one in self._specs.named(fault.match)):
                    fault.times -= 1
                    return fault
        return None


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
