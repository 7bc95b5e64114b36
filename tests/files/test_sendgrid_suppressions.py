import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lifecycle_mail.errors import InvalidDocument
from lifecycle_mail.files import Source
from lifecycle_mail.files.sendgrid_suppressions import kind_in_name
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.intake import Happened, Held, Left
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Through
from tests.files.samples import RECEIVED, only, read_all, written

GROUPS = {"1": "weekly", "2": "daily"}
WEEKLY = Source(files=("*",), format="sendgrid-suppressions", list="weekly")
ANY = Source(files=("*",), format="sendgrid-suppressions")


def consequences(statements: list[Any]) -> list[tuple[str, object]]:
    """Return whom and what of each statement."""
    return [(str(each.who.address), each.scope if isinstance(each, Left) else each.kind) for each in statements]


@pytest.mark.parametrize(
    ("path", "method", "source", "expected"),
    [
        ("/v3/suppression/bounces", "GET", None, [("example@example.com", SuppressionKind.BOUNCE)] * 2),
        ("/v3/suppression/bounces/{email}", "GET", None, [("bounce1@test.com", SuppressionKind.BOUNCE)]),
        ("/v3/suppression/blocks", "GET", None,
         [("example@example.com", EventKind.SOFT_BOUNCED), ("example1@example.com", EventKind.SOFT_BOUNCED)]),
        ("/v3/suppression/blocks/{email}", "GET", None, [("example@example.com", EventKind.SOFT_BOUNCED)]),
        ("/v3/suppression/invalid_emails", "GET", None,
         [("user1@example.com", SuppressionKind.BOUNCE), ("user2@example.com", SuppressionKind.BOUNCE)]),
        ("/v3/suppression/invalid_emails/{email}", "GET", None, [("test1@example.com", SuppressionKind.BOUNCE)]),
        ("/v3/suppression/spam_reports", "GET", None,
         [("user1@example.com", SuppressionKind.COMPLAINT), ("user2@example.com", SuppressionKind.COMPLAINT)]),
        ("/v3/suppression/spam_reports/{email}", "GET", None, [("test1@example.com", SuppressionKind.COMPLAINT)]),
        ("/v3/suppression/unsubscribes", "GET", None,
         [("user1@example.com", Scope.all()), ("user2@example.com", Scope.all())]),
        ("/v3/asm/suppressions", "GET", None,
         [("test1@example.com", Scope.list("weekly")), ("test1@example.com", Scope.list("daily")),
          ("test2@example.com", Scope.list("daily"))]),
        ("/v3/asm/groups/{group_id}/suppressions", "GET", WEEKLY,
         [("example@example.com", Scope.list("weekly")), ("example2@example.com", Scope.list("weekly"))]),
        ("/v3/asm/groups/{group_id}/suppressions", "POST", WEEKLY,
         [("test1@example.com", Scope.list("weekly")), ("test2@example.com", Scope.list("weekly"))]),
        ("/v3/asm/suppressions/global/{email}", "GET", None, [("test@example.com", Scope.all())]),
        ("/v3/asm/suppressions/global", "POST", ANY,
         [("test1@example.com", Scope.all()), ("test2@example.com", Scope.all())]),
    ],
)  # fmt: skip
def test_the_vendors_answers(
    shared: Path, tmp_path: Path, path: str, method: str, source: Source | None, expected: list[tuple[str, object]]
) -> None:
    """Each example answer of the vendor is recognised where it can be, and gives what its list means."""
    text = (shared / "data/sendgrid_response_examples/response_examples.jsonl").read_text(encoding="utf-8")
    answers = [json.loads(line) for line in text.splitlines()]
    (body,) = [
        answer["body"] for answer in answers
        if (answer["path"], answer["method"]) == (path, method) and answer["status"][0] == "2"
    ]  # fmt: skip
    file = written(tmp_path, "answer.json", json.dumps(body))
    statements, reading = read_all(file, lists=GROUPS, sources=[] if source is None else [source])
    assert expected == consequences(statements)
    assert [] == reading.rejects


@pytest.mark.parametrize("created", [1318077134, "1318077134", "2011-10-08 12:32:14"], ids=repr)
def test_times_come_in_two_forms(tmp_path: Path, created: object) -> None:
    """Seconds since 1970 and a text without a zone are both UTC."""
    rows = [{"email": "ann@example.com", "created": created}]
    statements, _ = read_all(written(tmp_path, "x.json", json.dumps(rows)))
    (left,) = only(Left, statements)
    assert datetime(2011, 10, 8, 12, 32, 14, tzinfo=UTC) == left.provenance.at
    assert ("sendgrid", Through.IMPORT, True, None) == (
        left.provenance.source, left.provenance.through, left.dated, left.event_id,
    )  # fmt: skip


def test_a_bare_list_says_neither_when_nor_what(tmp_path: Path) -> None:
    """It is not recognised by itself; told to be a group's it is read as observed; without a list, all are left."""
    path = written(tmp_path, "x.json", '["ann@example.com", "nobody"]')
    with pytest.raises(InvalidDocument, match="not recognised"):
        read_all(path)
    statements, reading = read_all(path, sources=[WEEKLY])
    (left,) = only(Left, statements)
    assert (Scope.list("weekly"), False, RECEIVED) == (left.scope, left.dated, left.provenance.at)
    assert 1 == reading.rejected
    statements, _ = read_all(path, sources=[ANY])
    assert [("ann@example.com", Scope.all())] == consequences(statements)


def test_an_unmapped_group_fails_closed(tmp_path: Path) -> None:
    """A group without a list counts for all marketing, and is noted."""
    rows = [{"email": "ann@example.com", "group_id": 9, "created_at": 1410986704}]
    statements, reading = read_all(written(tmp_path, "x.json", json.dumps(rows)), lists=GROUPS)
    assert [("ann@example.com", Scope.all())] == consequences(statements)
    (note,) = reading.rejects
    assert not note.whole
    assert "lists.9" in note.fix


@pytest.mark.parametrize("status", ["4.0.0", "5.7.1", "550 5.7.515"])
def test_a_soft_bounce_on_the_list_suppresses_nobody(tmp_path: Path, status: str) -> None:
    """What is temporary or about the sender is an event and no suppression (R17), whatever the list."""
    rows = [{"email": "ann@example.com", "created": 1410986704, "reason": "no", "status": status}]
    statements, _ = read_all(written(tmp_path, "bounces.json", json.dumps(rows)))
    assert [EventKind.SOFT_BOUNCED] == [each.kind for each in only(Happened, statements)]
    assert [] == only(Held, statements)


def test_blocks_told_to_be_such_suppress_nobody(tmp_path: Path) -> None:
    """A file called blocks is soft whatever the status; one of another name is read by status."""
    rows = [{"email": "ann@example.com", "created": 1410986704, "reason": "554 listed", "status": "5.0.0"}]
    blocks, _ = read_all(written(tmp_path, "suppression_blocks.json", json.dumps(rows)))
    other, _ = read_all(written(tmp_path, "blocklist.json", json.dumps(rows)))
    assert [EventKind.SOFT_BOUNCED] == [each.kind for each in only(Happened, blocks)]
    assert [SuppressionKind.BOUNCE] == [each.kind for each in only(Held, other)]


def test_a_block_without_a_time_is_noted(tmp_path: Path) -> None:
    """There is no event without an instant."""
    rows = [{"email": "ann@example.com", "created": None, "status": "4.0.0"}]
    statements, reading = read_all(written(tmp_path, "x.json", json.dumps(rows)))
    assert [] == statements
    assert [False] == [reject.whole for reject in reading.rejects]


def test_tables_of_the_vendors_pages_are_read(tmp_path: Path) -> None:
    """The CSV files that SendGrid's pages export say the same as its answers."""
    bounces = written(
        tmp_path, "suppression_bounces.csv", "status,reason,email,created\n5.1.1,gone,ann@example.com,1410986704\n"
    )
    group = written(tmp_path, "x.csv", "email,created\nbob@example.com,1410986704\n")
    assert [("ann@example.com", SuppressionKind.BOUNCE)] == consequences(read_all(bounces)[0])
    assert [("bob@example.com", Scope.all())] == consequences(read_all(group)[0])


def test_an_address_that_is_not_suppressed(tmp_path: Path) -> None:
    """The empty answer says nothing, and is no fault."""
    statements, reading = read_all(written(tmp_path, "x.json", "{}"), sources=[ANY])
    assert ([], 1, []) == (statements, reading.accepted, reading.rejects)


def test_one_bad_address_of_many_costs_itself(tmp_path: Path) -> None:
    """In an answer that lists addresses, the others are taken."""
    path = written(tmp_path, "x.json", '{"recipient_emails": ["nobody", "ann@example.com", 5]}')
    statements, reading = read_all(path, sources=[WEEKLY])
    assert [("ann@example.com", Scope.list("weekly"))] == consequences(statements)
    assert [False, False] == [reject.whole for reject in reading.rejects]


def test_rows_that_are_none_are_refused(tmp_path: Path) -> None:
    """Numbers and objects without an address are rejects; a wrong state is an error."""
    path = written(tmp_path, "x.json", '[5, {"reason": "x"}]')
    assert 2 == read_all(path, sources=[ANY])[1].rejected
    with pytest.raises(InvalidDocument, match="'bouncy' is no kind of suppressions"):
        read_all(path, sources=[Source(files=("*",), format="sendgrid-suppressions", state="bouncy")])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("suppression_blocks.csv", "blocks"),
        ("blocklist.json", None),
        ("2026-01-bounces.json.gz", "bounces"),
        ("spam-reports.json", "spam_reports"),
        ("invalid_emails.json", "invalid_emails"),
        ("suppression_group_unsubscribes_12.csv", "group"),
        ("bounces-and-blocks.json", None),
        ("answer.json", None),
    ],
)
def test_a_name_may_tell_the_list(name: str, kind: str | None) -> None:
    """Only SendGrid's own words in the name of a file tell which list it is."""
    assert kind == kind_in_name(name)


def test_a_bounce_keeps_its_status(shared: Path, tmp_path: Path) -> None:
    """The status of a row is told on with it; lists that have none tell none (R17, F66)."""
    lines = (
        (shared / "data/sendgrid_response_examples/response_examples.jsonl").read_text(encoding="utf-8").splitlines()
    )
    for path, expected in (("/v3/suppression/bounces", True), ("/v3/suppression/invalid_emails", False)):
        (answer,) = [one for one in map(json.loads, lines) if (one["path"], one["method"]) == (path, "GET")]
        statements, _ = read_all(written(tmp_path, "bounces.json", json.dumps(answer["body"])))
        held = only(Held, statements)
        assert [row.get("status", "") for row in answer["body"]] == [one.status for one in held]
        assert expected is all(one.status for one in held)
        assert not any(one.blocked for one in held)
