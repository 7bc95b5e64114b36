"""What a vendor's specification gets wrong is written down, and must fit it."""

import sys
from pathlib import Path

import pytest
import requests

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.testing import contract
from lifecycle_mail.testing.contract import Correction, Limit, Overlay
from tests.testing.contract.books import KEY, Books, serve


def put(url: str, body: object) -> int:
    """Change a reader, and return the status of the answer."""
    return requests.put(f"{url}/readers/a", json=body, headers=KEY, timeout=5).status_code


def corrected(*corrections: Correction) -> Overlay:
    """Return an overlay of corrections only."""
    return Overlay(corrections=corrections)


def test_a_key_that_the_specification_lacks_can_be_added(tmp_path: Path) -> None:
    """What is newer than the specification is added, with a schema of its own."""
    new = Correction(
        operation="PUT /readers/{reader}", place="body.card", merge={"type": "integer"}, new=True, reason="newer"
    )
    with serve(tmp_path, overlay=corrected(new)) as server:
        assert [put(server.url, {"email": "a", "card": card}) for card in (7, "seven")] == [204, 400]


def test_a_parameter_can_be_added(tmp_path: Path) -> None:
    """A parameter of the query that nobody specified is added in the same way."""
    new = Correction(operation="GET /readers", place="query.page", merge={"type": "integer"}, new=True, reason="newer")
    with serve(tmp_path, overlay=corrected(new)) as server:
        answers = [
            requests.get(f"{server.url}/readers?page={page}", headers=KEY, timeout=5).status_code for page in ("2", "b")
        ]
        assert answers == [200, 400]


def test_a_schema_can_be_taken_from_elsewhere(tmp_path: Path) -> None:
    """A place may have the schema of another place: here, a home is what the fields are."""
    take = Correction(operation="PUT *", place="body.home", take="body.fields", reason="a home is free")
    with serve(tmp_path, overlay=corrected(take)) as server:
        assert put(server.url, {"email": "a", "home": {"street": "b"}}) == 204


def test_an_operation_can_be_corrected_as_a_whole(tmp_path: Path) -> None:
    """What takes a body and does not say so is given one."""
    body = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}
    fix = Correction(operation="GET /readers/{reader}", place="operation", merge=body, reason="it takes one")
    with serve(tmp_path, overlay=corrected(fix)) as server:
        assert requests.get(f"{server.url}/readers/a", json={"b": 1}, headers=KEY, timeout=5).status_code == 200
        server.require_clean()


def test_an_alternative_is_corrected_in_every_branch(tmp_path: Path) -> None:
    """A place under alternatives is wherever one of them has it."""
    fix = Correction(operation="POST /readers", place="body.asking[].value", merge={"type": "boolean"}, reason="so")
    with serve(tmp_path, overlay=corrected(fix)) as server:
        answers = [
            requests.post(
                f"{server.url}/readers", json={"asking": [{"kind": kind, "value": value}]}, headers=KEY, timeout=5
            ).status_code
            for kind in ("text", "number")
            for value in (True, "text", 1)
        ]
        assert answers == [200, 400, 400] * 2


def test_what_does_not_fit_is_listed(tmp_path: Path) -> None:
    """Every correction and limit about something that is not there is named at once: it would correct nothing."""
    overlay = Overlay(
        corrections=(
            Correction(operation="GET /writers", place="query.count", reason=""),
            Correction(operation="GET /readers", place="query.page", reason=""),
            Correction(operation="PUT *", place="body.nothing[].at", reason=""),
            Correction(operation="PUT *", place="body.email", new=True, reason=""),
            Correction(operation="PUT *", place="body.a b[", reason=""),
        ),
        limits=(
            Limit(operation="GET /readers", place="answer 200.writers", most=1, reason=""),
            Limit(operation="PUT *", place="body.home", most=1, reason=""),
            Limit(operation="GET /writers", place="bytes", most=1, reason=""),
        ),
    )
    with pytest.raises(Misconfigured) as failure:
        serve(tmp_path, overlay=overlay)
    assert str(failure.value).splitlines() == [
        "the overlay does not fit books.json:",
        "  GET /writers: no such operation",
        "  GET /readers: query.page: not in the specification",
        "  PUT /readers/{reader}: body.nothing[].at: not in the specification",
        "  PUT /readers/{reader}: body.email: it is in the specification already",
        "  PUT /readers/{reader}: body.a b[: write it as `body.members[].status`, `query.count` or `answer 200.total`",
        "  GET /readers: answer 200.writers: not in the specification",
        "  PUT /readers/{reader}: body.home: nothing to count: its type is 'object'",
        "  GET /writers: no such operation",
    ]


def test_the_same_files_are_loaded_once(tmp_path: Path) -> None:
    """A server of a large specification starts fast: another one of the process has loaded it."""
    overlay = Overlay()
    with serve(tmp_path, Books(), overlay) as one:
        (tmp_path / "books.json").write_text("{")
        with one.__class__([tmp_path / "books.json"], Books(), overlay=overlay, prefix="/v1") as other:
            assert put(other.url, {"email": "a"}) == 204


def test_without_openapi_core_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is needed by this alone, so that it is an extra."""
    monkeypatch.delattr(contract, "checking", raising=False)
    monkeypatch.delitem(sys.modules, "lifecycle_mail.testing.contract.checking", raising=False)
    monkeypatch.setitem(sys.modules, "openapi_core", None)
    with pytest.raises(Misconfigured, match=r"needs openapi_core: pip install 'lifecycle-mail\[contract\]'"):
        serve(tmp_path)
