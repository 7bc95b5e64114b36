"""Holding requests and answers against the specification, by `openapi-core`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from attrs import define, frozen
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.datatypes import TemplateResult
from openapi_core.templating.paths.datatypes import PathOperationServer
from openapi_core.templating.paths.exceptions import PathNotFound
from openapi_core.templating.paths.finders import BasePathFinder
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.validation.request.exceptions import ParameterValidationError, SecurityValidationError
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from openapi_schema_validator import oas30_format_checker, oas31_format_checker
from werkzeug.datastructures import Headers, ImmutableMultiDict

from lifecycle_mail.testing.contract.exchanges import Request, Violation
from lifecycle_mail.testing.contract.overlay import Overlay
from lifecycle_mail.testing.contract.schemas import Json
from lifecycle_mail.testing.contract.specs import Operation

_LONGEST: Final = 300
_MOST: Final = 20
_ALTERNATIVES: Final = frozenset({"oneOf", "anyOf"})
_KINDS: Final = frozenset({"enum", "const", "type"})
_COUNTED: Final = {"maxItems": "items", "maxLength": "characters"}
_EMPTY: Final = frozenset({b"", b"null", b"{}"})


class _ByName(BasePathFinder):
    """Finds what was found already: the server knows the operation, under the template of its path."""

    def find(self, method: str, name: str) -> PathOperationServer:
        item = (self.spec / "paths").get(name)
        if item is None:
            raise PathNotFound(name)
        return PathOperationServer(item, item / method, None, TemplateResult(name, {}), TemplateResult("", {}))


@define
class _AsRequest:
    """A request as openapi-core reads it."""

    host_url: str
    path: str
    path_pattern: str
    method: str
    content_type: str
    body: bytes
    parameters: RequestParameters


@frozen
class Sent:
    """An answer as it goes out.

    Attributes:
        status: its status code.
        headers: by name.
        body: its bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def status_code(self) -> int:
        """The status code, as openapi-core calls it."""
        return self.status

    @property
    def content_type(self) -> str:
        """The type of the body."""
        return self.headers.get("Content-Type", "")

    @property
    def data(self) -> bytes:
        """The body, as openapi-core calls it."""
        return self.body


class Checker:
    """Holds what goes over the wire against the specification."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._apis: dict[int, tuple[OpenAPI, OpenAPI]] = {}

    def request(self, operation: Operation, request: Request) -> list[Violation]:
        """Return what is wrong with a request."""
        if operation.document is None:
            return []
        name = f"{request.method} {request.path}"
        strict, _ = self._api(operation.document)
        errors = strict.request_validator.iter_errors(_as_request(operation, request))
        told = chain(_beside(operation, request), *(_told(error, "body") for error in errors))
        return _listed(name, told)

    def answer(self, operation: Operation, request: Request, sent: Sent) -> list[Violation]:
        """Return what is wrong with an answer. An error whose status nobody specified is not held against anything."""
        if operation.document is None:
            return []
        name, place = f"{request.method} {request.path}", f"answer {sent.status}"
        if sent.status == 204 and sent.body:
            return [Violation(name, place, "a body where there can be none")]
        _, lenient = self._api(operation.document)
        errors = [
            error
            for error in lenient.response_validator.iter_errors(_as_request(operation, request), sent)
            if sent.status < 400 or not isinstance(error, ResponseNotFound)
        ]
        return _listed(name, chain.from_iterable(_told(error, place) for error in errors))

    def _api(self, document: Json) -> tuple[OpenAPI, OpenAPI]:
        """Return what checks requests, where every key must be specified, and answers, where more may come."""
        if id(document) not in self._apis:
            self._apis[id(document)] = (self._built(document, "forbid"), self._built(document, "allow"))
        return self._apis[id(document)]

    def _built(self, document: Json, unknown_keys: Any) -> OpenAPI:
        newer = str(document["openapi"]) >= "3.1"
        known = oas31_format_checker if newer else oas30_format_checker
        return OpenAPI.from_dict(
            document,
            config=Config(
                spec_validator_cls=None,
                path_finder_cls=_ByName,
                extra_media_type_deserializers={"application/problem+json": _problem},
                extra_format_validators={name: _or_empty(known, name) for name in self._overlay.may_be_empty},
                additional_properties_default_policy=unknown_keys,
            ),
        )


def _listed(name: str, told: Iterable[tuple[str, str]]) -> list[Violation]:
    """Return the first of many: whoever sends 30,000 contacts wrong in one way need not read it 30,000 times."""
    found = [Violation(name, where, message) for where, message in told]
    if len(found) > _MOST:
        return [*found[:_MOST], Violation(name, found[_MOST].where, f"and {len(found) - _MOST:,} more")]
    return found


def _problem(body: bytes, **_parameters: str) -> Any:
    return json.loads(body)


def _or_empty(known: Any, name: str) -> Callable[[object], bool]:
    return lambda value: value == "" or known.conforms(value, name)


def _as_request(operation: Operation, request: Request) -> _AsRequest:
    return _AsRequest(
        host_url="",
        path=operation.template,
        path_pattern=operation.template,
        method=operation.method.lower(),
        content_type=request.headers.get("content-type", "application/octet-stream").lower(),
        body=b"" if request.body.strip() in _EMPTY and not operation.takes_body else request.body,
        parameters=RequestParameters(
            query=ImmutableMultiDict([(name, value) for name, values in request.query.items() for value in values]),
            header=Headers(dict(request.headers)),
            path=dict(request.path_parameters),
        ),
    )


def _beside(operation: Operation, request: Request) -> Iterator[tuple[str, str]]:
    """Yield what openapi-core does not look at."""
    for name, values in request.query.items():
        specified = operation.queries.get(name)
        if specified is None:
            yield f"query.{name}", f"not a parameter of {operation.name}"
        elif len(values) > 1 and "array" not in str(specified.get("schema", {}).get("type", "array")):
            yield f"query.{name}", f"given {len(values)} times"
    if not operation.takes_body and request.body.strip() not in _EMPTY:
        yield "body", f"{operation.name} takes none"
    if operation.most_bytes is not None and len(request.body) > operation.most_bytes:
        yield "body", f"{len(request.body):,} bytes, and {operation.most_bytes:,} are the limit"


def _told(error: BaseException, place: str) -> Iterator[tuple[str, str]]:
    """Yield where an error of openapi-core stands and what it says."""
    if isinstance(error, ParameterValidationError):
        place = f"{error.location}.{error.name}"
    elif isinstance(error, SecurityValidationError):
        place = "headers.authorization"
    cause = error.__cause__ or error
    if isinstance(cause, InvalidSchemaValue):
        for one in cause.schema_errors:
            yield from _explained(one, place)
    else:
        yield place, str(cause)[:_LONGEST]


def _explained(error: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield what an error of `jsonschema` comes down to: of alternatives, the one that was meant."""
    at = place + "".join(_step(step) for step in error.absolute_path)
    if error.validator in _ALTERNATIVES and error.context:
        for one in _meant(error.context):
            yield from _explained(one, place)
        return
    if error.validator in _COUNTED:
        yield at, f"{len(error.instance):,} {_COUNTED[error.validator]}, and {error.validator_value:,} are the limit"
        return
    message = error.message
    yield at, message if len(message) <= _LONGEST else f"{message[:120]} ... {message[-170:]}"


def _meant(errors: Iterable[Any]) -> Sequence[Any]:
    """Return the errors of the alternative that fits best: one of the right kind, with the fewest errors."""
    branches: dict[object, list[Any]] = {}
    for error in errors:
        branches.setdefault(error.schema_path[0], []).append(error)
    return min(branches.values(), key=lambda branch: (sum(one.validator in _KINDS for one in branch), len(branch)))


def _step(step: object) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{step}"
