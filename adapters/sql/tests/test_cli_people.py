"""The command line on the registry of the demo: one person at a time, the outbox, decisions."""

import io
import json
import sys
from pathlib import Path

import pytest
from lifecycle_mail_sql import keeping

from adapters.sql.tests.registries import CONFIG, PEPPER, Registry, copied, demo_registry
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.entries import SuppressionKind
from lifecycle_mail.model.intake import Held, Who
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Attempt, Task, TaskKind, TaskState
from lifecycle_mail.service import Breaker
from lifecycle_mail.testing import frozen_now
from tests.cli.running import rows_of, run, run_well, written

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registry of the demo, which no test changes."""
    return demo_registry(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def db(original: Path, tmp_path: Path) -> Registry:
    """A copy of it."""
    return copied(original, tmp_path / "mail.db")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration that an application of the demo would have."""
    return written(tmp_path / "lifecycle.toml", CONFIG)


@pytest.fixture
def pepper(monkeypatch: pytest.MonkeyPatch) -> str:
    """A pepper in the environment."""
    monkeypatch.setenv("LIFECYCLE_MAIL_PEPPERS", PEPPER)
    return PEPPER.partition("=")[2]


def _answers(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_a_picture_is_whole(db: Registry, config: Path) -> None:
    """Text and JSON hold who they are, how they stand with each list, every no, what they were sent, and why (O9)."""
    text = db.well("picture", ADA, "-c", config, "--now", "2026-02-10").out
    data = json.loads(db.well("picture", ADA, "-c", config, "--now", "2026-02-10", "--format", "json").out)
    assert {"news": "none", "offers": "active"} == data["lists"]
    (no,) = data["opt_outs"]
    assert ("list:offers", "one-click", "thank-you-offer") == (no["scope"], no["through"], no["campaign"])
    (mail,) = data["mails"]
    assert ("thank-you-offer", "handed-off") == (mail["campaign"], mail["state"])
    assert no["said_at"] == mail["opted_out_at"]
    assert 250 == data["fields"]["2025_spend"]
    assert {"opened": 29, "sent": 31} == data["engagement"]["counts"]
    for said in (
        ADA,
        data["contact_id"],
        "offers: active",
        "out of list:offers",
        "too late for it",
        data["tier_reason"],
    ):
        assert said in text, said
    assert (
        data["contact_id"] == json.loads(db.well("picture", data["contact_id"], "--format", "json").out)["contact_id"]
    )


def test_a_picture_says_what_somebody_is_worth(db: Registry) -> None:
    """`--value-field` names the field; of somebody who is not there it is 3, and the address is masked."""
    data = json.loads(db.well("picture", ADA, "--value-field", "2025_spend", "--format", "json").out)
    assert 250 == data["value"]
    ran = db.run("picture", "nobody@example.com")
    assert 3 == ran.code
    assert "nobody@" not in ran.err


def test_who_is_known_by_a_no_alone_is_shown(db: Registry) -> None:
    """Whom `optouts add` remembers is found, now and as of an instant, though they are no contact (O3, O10)."""
    db.well("optouts", "add", "zoe@example.com", "--all", "--reason", "too-many")
    text = db.well("picture", "Zoe@Example.com").out
    assert "no contact" in text
    assert "out of all, through application" in text
    data = json.loads(db.well("picture", "zoe@example.com", "--format", "json").out)
    assert (None, ["all"]) == (data["contact_id"], [no["scope"] for no in data["opt_outs"]])
    then = db.well("optouts", "as-of", "2099-01-01", "--who", "zoe@example.com", "--format", "json")
    assert ["all"] == [no["scope"] for no in json.loads(then.out)["opt_outs"]]
    assert [{"list": "offers", "standing": "out-of-all"}] == json.loads(then.out)["lists"]
    assert "still to come" in then.err
    before = db.run("optouts", "as-of", "2026-02-04", "--who", "zoe@example.com")
    assert (3, False) == (before.code, "still to come" in before.err)


def test_how_somebody_stood_at_an_instant(db: Registry) -> None:
    """An hour before she left, Ada is on the list without a no; afterwards her no is shown, though overridden (O10)."""
    before = json.loads(db.well("optouts", "as-of", "2026-02-03T11:00Z", "--who", ADA, "--format", "json").out)
    assert ([{"list": "offers", "standing": "active"}], []) == (before["lists"], before["opt_outs"])
    after = db.well("optouts", "as-of", "2026-02-04", "--who", ADA).out
    assert "active" in after
    assert "list:offers" in after


# --- erasing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["n\n", "\n", ""], ids=["no", "nothing", "nobody"])
def test_an_erasure_asks_and_may_be_declined(
    answer: str, db: Registry, pepper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows what would go; no, no answer and nobody to answer erase nothing, and exit with 1 (O5)."""
    _answers(answer, monkeypatch)
    ran = db.run("erase", ADA)
    assert 1 == ran.code
    assert "1 opt-outs, 1 mails of campaigns" in ran.out
    assert "1 lists: offers active" in ran.out
    assert ran.out.endswith("nothing was erased\n")
    assert pepper
    db.well("picture", ADA)


def test_an_erasure_leaves_nothing_readable(db: Registry, pepper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a yes the address is nowhere in the file, and she is unknown and unmailed; again changes nothing (O5)."""
    _answers("y\n", monkeypatch)
    ran = db.well("erase", ADA)
    assert "erased: 1 addresses" in ran.out
    assert "no ESP was told" in ran.out
    raw = b"".join(path.read_bytes() for path in Path(db.db).parent.glob("mail.db*"))
    assert ADA.encode() not in raw
    assert pepper.encode() not in raw
    assert 3 == db.run("picture", ADA).code
    people = written(Path(db.db).parent / "people.txt", f"{ADA}\n")
    db.well("screen", people, "--out", people.parent)
    assert "erased" == rows_of(people.parent / "screened.csv")[0]["held"]
    assert "erased before" in db.well("erase", ADA, "--yes").out
    assert "hmac:2026:" in db.well("optouts", "list", "--most", "0").out


def test_an_erasure_says_that_a_scrub_is_due(db: Registry, pepper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file too large to be written anew at once says so, until that is done (O5)."""
    assert pepper
    with monkeypatch.context() as once:
        once.setattr(keeping, "_QUICK", 0)
        assert "run `lifecycle-mail db scrub`" in db.well("erase", ADA, "--yes").out
    db.well("db", "scrub")
    assert "db scrub" not in db.well("erase", "bob@example.com", "--yes").out


def test_an_erasure_without_a_pepper_is_refused(db: Registry) -> None:
    """A hash without a secret could be tried: 3, with how to give one, and she is still there (F63)."""
    ran = db.run("erase", ADA, "--yes")
    assert 3 == ran.code
    assert "--pepper-file" in ran.err
    db.well("picture", ADA)


def test_what_was_erased_with_a_pepper_needs_it(db: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, or with another secret under its id, nothing is read: 3, and no secret is shown (F63)."""
    monkeypatch.delenv("LIFECYCLE_MAIL_PEPPERS", raising=False)
    right, wrong = written(tmp_path / "right", PEPPER), written(tmp_path / "wrong", "2026=quite-another-secret")
    db.well("erase", ADA, "--yes", "--pepper-file", right)
    db.well("optouts", "list", "--pepper-file", right)
    for options in ([], ["--pepper-file", wrong]):
        for command in (["optouts", "list"], ["db", "check"], ["screen", right]):
            ran = db.run(*command, *options)
            assert 3 == ran.code
            assert "pepper" in ran.err
            assert "quite-another" not in ran.err


def test_an_esp_is_told_of_an_erasure(db: Registry, pepper: str) -> None:
    """With `--esp` it is told to forget them, and it is said who was told (O5)."""
    assert pepper
    assert "told: memory" in db.well("erase", BOB, "--yes", "--esp", "memory").out
    ran = db.run("erase", ADA, "--yes", "--esp", "mailchimp-not-installed")
    assert 3 == ran.code


# --- archives ---------------------------------------------------------------------------------------------------------


def test_a_contact_is_archived_and_restored(db: Registry, tmp_path: Path) -> None:
    """The document holds them, they are gone and unmailed, and it brings them back as they were (O5)."""
    before = json.loads(db.well("picture", BOB, "--now", "2026-02-10", "--format", "json").out)
    out = tmp_path / "bob.json"
    ran = db.well("archive", BOB, "--out", out, "--why", "left the club", "--yes")
    assert before["contact_id"] in ran.out
    assert 0 == out.stat().st_mode & 0o077
    assert BOB == json.loads(out.read_text(encoding="utf-8"))["contact"]["address"]
    assert 3 == db.run("picture", BOB).code
    people = written(tmp_path / "people.txt", f"{BOB}\n")
    db.well("screen", people, "--out", tmp_path)
    assert "archived" == rows_of(tmp_path / "screened.csv")[0]["held"]
    db.well("restore", out, "--why", "joined again")
    assert before == json.loads(db.well("picture", BOB, "--now", "2026-02-10", "--format", "json").out)


def test_an_archive_writes_over_nothing(db: Registry, tmp_path: Path) -> None:
    """A file that is there may be the only copy of somebody: 3, it stays, and so does the contact."""
    out = written(tmp_path / "bob.json", "somebody else")
    ran = db.run("archive", BOB, "--out", out, "--why", "left", "--yes")
    assert 3 == ran.code
    assert "give another --out" in ran.err
    assert "somebody else" == out.read_text(encoding="utf-8")
    db.well("picture", BOB)
    assert 3 == db.run("archive", BOB, "--out", tmp_path / "no" / "folder.json", "--why", "left", "--yes").code
    db.well("picture", BOB)


def test_an_archive_may_be_declined(db: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows what would go, and a no keeps them: 1, and no document."""
    _answers("n\n", monkeypatch)
    ran = db.run("archive", BOB, "--out", tmp_path / "bob.json", "--why", "left")
    assert 1 == ran.code
    assert "events of engagement" in ran.out
    assert not (tmp_path / "bob.json").exists()
    db.well("picture", BOB)


@pytest.mark.parametrize("why", ["", "  "])
def test_a_reason_says_something(why: str, db: Registry, tmp_path: Path) -> None:
    """An archive, and its end, has a reason; an empty one is wrong usage, and names the option."""
    for command in (["archive", BOB, "--out", tmp_path / "bob.json", "--yes"], ["restore", tmp_path / "letter"]):
        written(tmp_path / "letter", "{}")
        ran = db.run(*command, "--why", why)
        assert (2, True) == (ran.code, "--why" in ran.err)
    db.well("picture", BOB)


@pytest.mark.parametrize("text", ["no json", "[]", '{"format": "else"}', "[" * 100_000, '{"log":' * 50_000, "\udcff"])
def test_what_is_no_document_restores_nobody(text: str, db: Registry, tmp_path: Path) -> None:
    """Another file is 3, with the place and what to give."""
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    ran = db.run("restore", path, "--why", "back")
    assert 3 == ran.code
    assert "archive: 1 problem" in ran.err


# --- the outbox -------------------------------------------------------------------------------------------------------


def test_the_outbox_is_drained_and_told_of(db: Registry) -> None:
    """An opt-out reaches the ESP once; each try is in the journal, that there was nothing to tell as well (E2)."""
    assert [] == db.rows("outbox", "list")
    assert "told 1 opt-out, passed over 1\n" == db.well("outbox", "drain", "--esp", "memory").out
    assert "told nothing" in db.well("outbox", "drain", "--esp", "memory").out
    done = db.rows("outbox", "list", "--state", "done")
    assert ["done", "done"] == [one["state"] for one in done]
    assert "2 done, 0 refused" in db.well("outbox", "list").out
    assert [] == db.rows("outbox", "list", "--state", "done", "--target", "esp:else")
    notes = [tried["note"] for one in done for tried in db.rows("outbox", "journal", one["task"])]
    assert [True, False] == sorted(map(bool, notes), reverse=True)


def test_what_the_esp_refused_is_shown_and_tried_again(db: Registry) -> None:
    """A task that was refused stands in the list with its journal, until a person lets it be tried again (E2)."""
    with db.open() as mail:
        task = Task(target="esp:memory", kind=TaskKind.TAG, contact_id=ContactId("x"), detail="vip", made_at=frozen_now)
        mail.store.post([task])
        mail.store.note([Attempt(task=task.id, at=frozen_now, state=TaskState.REFUSED, note="400: no such tag")])
    (refused,) = db.rows("outbox", "list")
    assert (task.id, "refused", 1) == (refused["task"], refused["state"], refused["tries"])
    assert [{"at": "2026-03-02T09:00:00+00:00", "state": "refused", "note": "400: no such tag"}] == db.rows(
        "outbox", "journal", task.id
    )
    assert "1 tasks are due again" in db.well("outbox", "retry", task.id).out
    assert "0 tasks are due again" in db.well("outbox", "retry", "--all").out
    assert ["due"] == [one["state"] for one in db.rows("outbox", "list")]


def test_the_outbox_is_shown_in_part(db: Registry) -> None:
    """Of many tasks the first are shown, and it is said how many more there are."""
    db.run("outbox", "drain", "--esp", "memory")
    ran = db.well("outbox", "list", "--state", "done", "--state", "refused", "--most", "1")
    assert "1 more are not shown: --most 0 shows all" in ran.err


def test_the_outbox_is_drained_for_somebody(db: Registry) -> None:
    """Without an ESP there is nobody to tell: 2; a task that is none, and retrying none, are told too."""
    nobody = db.run("outbox", "drain")
    assert 2 == nobody.code
    assert "--esp NAME" in nobody.err
    assert 3 == db.run("outbox", "journal", "0000").code
    assert 2 == db.run("outbox", "retry").code
    assert 2 == db.run("outbox", "retry", "0000", "--all").code


# --- what a breaker set aside -----------------------------------------------------------------------------------------


@pytest.fixture
def blocked(db: Registry) -> Registry:
    """A registry in which a breaker keeps the bounces of three of ten people out of the log."""
    with db.open() as mail:
        mail.breaker = Breaker(share=0.1, least=1)
        said = Provenance(actor=Actor.ESP, through=Through.BOUNCE, at=frozen_now, source="esp")
        whom = [Who(address=parse_address(f"{name}@example.com")) for name in ("bob", "cleo", "eve")]
        held = [
            Held(who=who, kind=SuppressionKind.BOUNCE, provenance=said, event_id=f"b{n}") for n, who in enumerate(whom)
        ]
        mail.receive(held, now=frozen_now)
        assert 3 == len(mail.aside())
    return db


def test_what_was_set_aside_is_shown_and_decided(blocked: Registry) -> None:
    """Each is shown with why it waits; accepted it suppresses, let go of with a reason it does not (F66)."""
    first, second, third = blocked.rows("aside", "list")
    assert ("bounce", "esp", True) == (first["kind"], first["source"], bool(first["why"]))
    assert "1 suppressed" in blocked.well("aside", "accept", first["id"]).out
    assert [second, third] == blocked.rows("aside", "list")
    assert "1 let go" in blocked.well("aside", "discard", second["id"], "--why", "blocked").out
    assert "1 suppressed" in blocked.well("aside", "accept", "--all").out
    assert "0 wait" in blocked.well("aside", "list").out
    held = {who: json.loads(blocked.well("picture", who, "--format", "json").out)["suppressions"]
            for who in (first["who"], second["who"], third["who"])}  # fmt: skip
    assert {first["who"]: ["bounce"], second["who"]: [], third["who"]: ["bounce"]} == {
        who: list(kinds) for who, kinds in held.items()
    }


def test_a_decision_says_about_what(blocked: Registry) -> None:
    """Neither all nor none is guessed, an empty reason is none, and what does not wait is unknown."""
    waiting = blocked.rows("aside", "list")
    for arguments in (["accept"], ["accept", "x", "--all"], ["discard", "--all"], ["discard", "--all", "--why", " "]):
        assert 2 == blocked.run("aside", *arguments).code
    assert 3 == blocked.run("aside", "accept", "0000").code
    assert waiting == blocked.rows("aside", "list")


def test_the_esp_is_swept(db: Registry) -> None:
    """What an ESP can say is taken, with `--esp`; without one there is nobody to ask: 2 (E3)."""
    nobody = db.run("sweep")
    assert (2, True) == (nobody.code, "--esp NAME" in nobody.err)
    assert "0 statements" in db.well("sweep", "--esp", "memory").out


# --- decisions --------------------------------------------------------------------------------------------------------


def test_a_registry_is_decided_about_as_files_are(original: Path, tmp_path: Path) -> None:
    """`decide`, `plan` and `explain` give the same from a registry as from the files that went into it."""
    run_well("demo", "--keep", tmp_path / "files")
    files = [*sorted((tmp_path / "files").glob("*.csv")), tmp_path / "files" / "events.jsonl"]
    loaded = tmp_path / "loaded"
    stored = tmp_path / "stored"
    always = ["-c", tmp_path / "files" / "lifecycle.toml", "--now", "2026-02-03T10:00:00Z"]
    db = Registry(original)
    run_well("plan", "weekly-offer", *files, *always, "--out", loaded)
    ran = db.well("plan", "weekly-offer", *always, "--out", stored)
    assert (loaded / "plan.csv").read_text() == (stored / "plan.csv").read_text()
    assert "wrote" in ran.err
    assert "read " not in ran.err
    run_well("decide", *files, *always, "--out", loaded)
    db.well("decide", *always, "--out", stored)
    ids = [row["contact_id"] for row in rows_of(loaded / "decisions.csv")]
    assert ids == [row["contact_id"] for row in rows_of(stored / "decisions.csv")]
    assert not (stored / "rejects.csv").exists()
    assert run_well("explain", BOB, *files, *always).out == db.well("explain", BOB, *always).out
    sent = db.well("plan", "thank-you-offer", *always, "--out", stored, "--format", "json")
    assert {"already-sent": 3}.items() <= {row["reason"]: row["count"] for row in json.loads(sent.out)}.items()


def test_nothing_is_decided_about_a_registry_that_is_not_there(tmp_path: Path) -> None:
    """A mistyped path is no registry without contacts: 3."""
    assert 3 == run("decide", "--db", tmp_path / "no.db", "--out", tmp_path).code
    assert not (tmp_path / "no.db").exists()


def test_snapshots_alone_are_asked_of_files(db: Registry, tmp_path: Path) -> None:
    """`--now snapshot` is for files of snapshots, and a registry has its own instants: 3."""
    assert 3 == db.run("decide", "--now", "snapshot", "--out", tmp_path).code
