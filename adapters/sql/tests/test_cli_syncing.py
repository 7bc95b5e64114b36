"""The command line on the registry of the demo: syncing with an ESP, segments, and what the ESPs can do."""

import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from adapters.sql.tests.registries import CONFIG, Registry, copied, demo_registry
from lifecycle_mail.errors import EspRefused
from lifecycle_mail.memory import MemoryEsp
from tests.cli.running import run, run_well, written

PLUGIN = """
from lifecycle_mail.memory import MemoryEsp

MADE = {}


def acme(*, api_key, audience="main", refuses=""):
    assert api_key == "s3cret-of-acme"
    if audience not in MADE:
        MADE[audience] = MemoryEsp(name="acme")
        if refuses:
            MADE[audience].refuse(refuses, body="looks fake")
    return MADE[audience]


acme.CAPABILITIES = MemoryEsp.CAPABILITIES
"""

ESP = """
[esp]
name = "acme"
audience = "{audience}"
api_key_env = "ACME_KEY"
"""

SEGMENT = """
[fields]
spend = "number"

[[segments]]
key = "all-of-offers"
of = ["offers"]

[[segments]]
key = "quiet"
of = ["offers"]
where = "days_inactive >= 1"
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registry of the demo, which no test changes."""
    return demo_registry(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def db(original: Path, tmp_path: Path) -> Registry:
    """A copy of it."""
    return copied(original, tmp_path / "mail.db")


@pytest.fixture(autouse=True)
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install an ESP that remembers what it was told from one command to the next, and set its key."""
    (tmp_path / "acme_esp.py").write_text(PLUGIN, encoding="utf-8")
    info = tmp_path / "acme_esp-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-esp\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[lifecycle_mail.esps]\nacme = acme_esp:acme\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ACME_KEY", "s3cret-of-acme")
    invalidate_caches()
    yield
    sys.modules.pop("acme_esp", None)


def made(audience: str) -> MemoryEsp:
    """Return the ESP that commands have talked to."""
    esp: MemoryEsp = sys.modules["acme_esp"].MADE[audience]
    return esp


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that names the ESP."""
    return written(tmp_path / "lifecycle.toml", CONFIG + SEGMENT + ESP.format(audience="main"))


def test_a_dry_run_shows_what_a_sync_would_do(db: Registry, config: Path) -> None:
    """The difference is listed with masked addresses, and nobody is told (E2)."""
    ran = db.well("sync", "--dry-run", "-c", config)
    assert "would be told" in ran.out
    assert "would make" in ran.out
    assert ": new" in ran.out
    assert "@" in ran.out
    assert "ada@example.com" not in ran.out
    assert {} == made("main").members


def test_a_sync_tells_the_rest_once(db: Registry, config: Path) -> None:
    """The second one finds that all looks right."""
    first = db.well("sync", "-c", config)
    assert "told" in first.out
    assert made("main").members
    again = db.well("sync", "-c", config)
    assert "0 new, 0 changed" in again.out


def test_reconcile_tells_noes_alone(db: Registry, config: Path) -> None:
    """Towards do-not-mail: the demo's opt-out reaches the ESP, and nobody is made known."""
    db.well("reconcile", "-c", config)
    assert {} == made("main").members
    assert made("main").suppressed


def test_what_the_esp_refuses_ends_with_one(db: Registry, tmp_path: Path) -> None:
    """It says whom and why, and how to try again."""
    text = CONFIG + ESP.format(audience="strict") + 'refuses = "bob@example.com"\n'
    ran = db.run("sync", "-c", written(tmp_path / "strict.toml", text))
    assert 1 == ran.code
    assert "looks fake" in ran.err
    assert "outbox retry --all" in ran.err


def test_an_esp_that_is_out_of_reach_ends_with_one(db: Registry, config: Path) -> None:
    """What stopped the sync is said."""
    db.well("sync", "--dry-run", "-c", config)
    made("main").fail("kept", EspRefused, status=403, body="no such scope")
    ran = db.run("sync", "-c", config)
    assert 1 == ran.code
    assert "no such scope" in ran.out


def test_without_an_esp_it_says_what_to_give(db: Registry) -> None:
    """Wrong usage, with the fix."""
    for command in (["sync"], ["reconcile"], ["segments", "publish", "quiet"]):
        ran = db.run(*command)
        assert 2 == ran.code
        assert "--esp NAME" in ran.err


def test_a_segment_is_published_and_counted(db: Registry, config: Path) -> None:
    """In the ESP's words, or as members, with the reason; a count that is not ours ends with 1 (L7)."""
    missing = db.run("segments", "publish", "all-of-offers", "-c", config)
    assert 1 == missing.code
    assert "sync, then publish again" in missing.out
    db.well("sync", "-c", config)
    assert "in its own words" in db.well("segments", "publish", "all-of-offers", "-c", config).out
    assert "you asked for its members" in db.well("segments", "publish", "all-of-offers", "--members", "-c", config).out
    assert "days_inactive" in db.well("segments", "publish", "quiet", "-c", config).out
    refused = db.run("segments", "publish", "quiet", "--native", "-c", config)
    assert 3 == refused.code
    assert "cannot express" in refused.err


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('audience = "main"', "name"),
        ('name = "acme"\napi_key = "s3cret-of-acme"', 'api_key_env = "SOME_VARIABLE"'),
        ('name = "acme"\napi_key_env = 5', "api_key_env"),
        ('name = "acme"\napi_key_env = "NOT_SET_ANYWHERE"', "NOT_SET_ANYWHERE"),
        ('name = "acme"\napi_key_env = "ACME_KEY"\naudiense = "x"', "did you mean 'audience'"),
        ('name = "acme"', "it needs 'api_key'"),
    ],
)
def test_what_is_wrong_with_the_esp_is_named(db: Registry, tmp_path: Path, lines: str, says: str) -> None:
    """A configuration that cannot be used is 3, with the place and the fix, and no secret in the message."""
    ran = db.run("sync", "-c", written(tmp_path / "wrong.toml", f"{CONFIG}\n[esp]\n{lines}\n"))
    assert 3 == ran.code
    assert says in ran.err
    assert "s3cret" not in ran.err


def test_a_table_that_is_none(db: Registry, tmp_path: Path) -> None:
    """`esp = "acme"` says to write a table."""
    ran = db.run("sync", "-c", written(tmp_path / "wrong.toml", 'esp = "acme"\n' + CONFIG))
    assert 3 == ran.code
    assert "write [esp]" in ran.err


def test_what_each_esp_can_do_is_a_table() -> None:
    """Every capability, with the reason where it is not there (E1)."""
    out = run_well("esps", "--format", "csv").out
    assert "campaigns" in out
    assert "acme" in out.splitlines()[0]
    assert 0 == run("esps").code
