import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.model.names import CampaignKey
from lifecycle_mail.plugins import ESPS, STORES, load_esp, load_store, names
from lifecycle_mail.ports import Capability

PLUGIN = '''
"""A plugin as a third party would write one."""
from lifecycle_mail.memory import MemoryEsp, MemoryStore


class NotAnEsp:
    def __init__(self, **options):
        pass


class HalfAStore:
    def __init__(self, url, **options):
        pass

    def append(self, entries, *, at):
        return []


def esp(*, api_key="", **options):
    return MemoryEsp(name=f"acme-{api_key}", **options)


def store(url, *, echo=False):
    made = MemoryStore(url)
    made.echo = echo
    return made


raise_on_import = False
'''

ENTRY_POINTS = """
[lifecycle_mail.esps]
acme = acme_plugin:esp
wrong = acme_plugin:NotAnEsp
absent = acme_plugin_that_is_not_there:esp

[lifecycle_mail.stores]
acme = acme_plugin:store
half = acme_plugin:HalfAStore
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a third party's distribution: a module and its metadata, on the path and nowhere else."""
    (tmp_path / "acme_plugin.py").write_text(PLUGIN, encoding="utf-8")
    info = tmp_path / "acme_mail-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-mail\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    invalidate_caches()
    yield tmp_path
    sys.modules.pop("acme_plugin", None)


def test_the_in_memory_ones_are_registered_like_any_other() -> None:
    """Both are found by entry point (E5)."""
    assert "memory" in names(ESPS)
    assert "memory" in names(STORES)
    assert isinstance(load_esp("memory"), MemoryEsp)
    assert isinstance(load_store("memory:"), MemoryStore)
    assert isinstance(load_store("memory"), MemoryStore)


def test_options_reach_the_factory() -> None:
    """What is given by name goes to whoever makes it."""
    esp = load_esp("memory", capabilities=[Capability.CAMPAIGNS])
    assert {Capability.CAMPAIGNS} == set(esp.capabilities)
    assert isinstance(esp, MemoryEsp)
    assert esp.released(CampaignKey("spring")) is False


@pytest.mark.usefixtures("acme")
def test_a_third_partys_plugin_is_found_and_made() -> None:
    """Installed outside this repository, found by name, imported when first asked for (E5)."""
    assert "acme_plugin" not in sys.modules
    assert {"acme", "memory"} <= set(names(ESPS))
    assert list(names(ESPS)) == sorted(names(ESPS))
    assert "acme_plugin" not in sys.modules
    assert "acme-s3cret" == load_esp("acme", api_key="s3cret").name
    assert "acme_plugin" in sys.modules


@pytest.mark.usefixtures("acme")
def test_the_scheme_of_a_url_names_the_store() -> None:
    """Without its driver; the store gets the whole URL."""
    for url in ("acme://host/db?x=1", "acme+driver://host/db", "acme:"):
        made = load_store(url, echo=True)
        assert isinstance(made, MemoryStore)
        assert (url, True) == (made.url, made.echo)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("acme")
def test_a_plugin_that_makes_the_wrong_thing_is_named() -> None:
    """What it made cannot be used, and the message says what it lacks."""
    with pytest.raises(Misconfigured, match=r"'wrong' made NotAnEsp.*ports.Esp"):
        load_esp("wrong")
    with pytest.raises(Misconfigured, match=r"'half' made HalfAStore.*ports.Store"):
        load_store("half:")


def test_an_unknown_name_says_what_there_is_and_what_to_install() -> None:
    """The hint names a distribution only where one is known."""
    with pytest.raises(Misconfigured, match=r"'nothing'.*lifecycle_mail.esps.*memory") as caught:
        load_esp("nothing")
    assert "pip install" not in str(caught.value)
    with pytest.raises(Misconfigured, match=r"lifecycle_mail\.stores.*memory"):
        load_store("mysql://host/db")


@pytest.mark.parametrize(
    ("name", "distribution"),
    [
        ("mailchimp", "lifecycle-mail-mailchimp"),
        ("sendgrid", "lifecycle-mail-sendgrid"),
        ("sqlite:///mail.db", "lifecycle-mail-sql"),
        ("postgresql+psycopg://host/db", "lifecycle-mail-sql"),
    ],
)
def test_what_is_ours_and_not_installed_names_its_distribution(
    name: str, distribution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command mends it. Adapters that this environment has are hidden by an empty search path."""
    monkeypatch.setattr(sys, "path", [])
    load = load_store if ":" in name else load_esp
    with pytest.raises(Misconfigured, match=f"found: nothing.*pip install {distribution}"):
        load(name)
