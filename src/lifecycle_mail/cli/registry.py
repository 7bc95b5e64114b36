"""Opening a registry for a command: where it is, the peppers, the ESP, and the configuration.

What only reads takes `mail.db` in the current folder where nothing is said; what writes must be told which registry
it writes to. Only `db init` makes one: a path that is mistyped is no new registry without opt-outs.
"""

from __future__ import annotations

import functools
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from attrs import frozen

from lifecycle_mail.cli.options import config_option, guard, say
from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.files import Config
from lifecycle_mail.files.apart import require_apart
from lifecycle_mail.files.config import EspConfig
from lifecycle_mail.plugins import load_esp, load_store
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.ports import Capabilities, Esp, Store
from lifecycle_mail.service import Lifecycle

F = TypeVar("F", bound=Callable[..., Any])

DB = "LIFECYCLE_MAIL_DB"
PEPPERS = "LIFECYCLE_MAIL_PEPPERS"
HERE = "mail.db"
"""What is read where nothing is said."""

_BESIDE = ("", "-journal", "-wal", "-shm")
"""How the names of the files end that a database of SQLite lies in."""

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")
_PEPPER_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_SHORTEST = 16

database_option = click.option(
    "--db",
    metavar="URL|PATH",
    envvar=DB,
    help=f"The registry: a file of SQLite, or a URL such as postgresql://user@host/name. Or {DB}.",
)
peppers_option = click.option(
    "--pepper-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"File of the peppers, one ID=SECRET a line, the newest last. Or {PEPPERS}, parted by commas.",
)
esp_option = click.option(
    "--esp",
    metavar="NAME",
    help="The ESP: the name of an installed one, with what [esp] of the configuration says. Default: that of [esp].",
)


@frozen
class NoEsp:
    """Stands in where a command was told of no ESP: it can do nothing, and nobody is told."""

    name: str = "none"

    @property
    def capabilities(self) -> Capabilities:
        """What it can do: nothing."""
        return Capabilities.of((), otherwise="no ESP was named: --esp NAME")


# --- where it is ------------------------------------------------------------------------------------------------------


def url_of(text: str) -> str:
    """Return the URL of a registry that is named by a URL or by the path of a file.

    Raises:
        InvalidInput: a path that no URL can hold.
    """
    if _URL.match(text):
        return text
    if "?" in text:
        raise InvalidInput(f"--db {text}: a path with a question mark cannot be told from a URL's: name it otherwise")
    return f"sqlite:///{Path(text).absolute()}"


def file_of(url: str) -> Path | None:
    """Return the file that a URL names, or None where it is no file of SQLite."""
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] != "sqlite":
        return None
    return Path(rest.partition("?")[0].removeprefix("/")).absolute()


def _said_or_here(db: str | None, *, writes: bool) -> str:
    if db is not None:
        return db
    if writes:
        raise click.UsageError(f"say which registry is written to: --db mail.db, or {DB}=mail.db")
    if not Path(HERE).exists():
        raise click.UsageError(f"say which registry: --db URL or PATH, or {DB}; there is no {HERE} in this folder")
    return HERE


def _require_registry(url: str) -> None:
    if url.partition(":")[0] == "memory":
        raise InvalidInput("--db memory: forgets all when the command ends: give a file, or the URL of a server")
    path = file_of(url)
    if path is not None and (not path.exists() or path.stat().st_size == 0):
        raise InvalidInput(f"{path}: there is no registry; make one with `lifecycle-mail db init --db {path}`")


def require_apart_from_read(target: Path, *read: Path) -> None:
    """Check that what a command writes takes the place of nothing that it goes by, nor of the registry.

    Args:
        target: the file that is going to be written.
        read: the files that the command reads.

    Raises:
        InvalidInput: it does.
    """
    given = click.get_current_context().params
    kept = [("a file that is read", one) for one in read]
    named = {"config": "the configuration", "pepper_file": "the file of peppers", "policy": "the policy"}
    for name, what in named.items():
        if given.get(name) is not None:
            kept.append((what, Path(given[name])))
    registry_file = file_of(url_of(given.get("db") or HERE))
    if registry_file is not None:
        kept += [("the registry", registry_file.with_name(registry_file.name + end)) for end in _BESIDE]
    require_apart(target, kept)


# --- peppers ----------------------------------------------------------------------------------------------------------


def read_peppers(file: Path | None, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Read the peppers from a file, or else from the environment. Nothing of them is ever printed.

    Raises:
        Misconfigured: a line that is none; the message says which, and not what it holds.
    """
    where = PEPPERS if file is None else str(file)
    try:
        text = environment.get(PEPPERS, "") if file is None else file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Misconfigured(f"{where}: it is not UTF-8: write one ID=SECRET a line, as text") from None
    found: dict[str, str] = {}
    for number, line in enumerate(re.split(r"[\n,]", text), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, secret = (part.strip() for part in line.partition("="))
        if not equals or not _PEPPER_ID.fullmatch(name) or len(secret.encode()) < _SHORTEST:
            raise Misconfigured(
                f"{where}, entry {number}: write ID=SECRET, with an id of 1 to 32 characters of a-z, 0-9, '.', '-' "
                f"and '_', and a secret of at least {_SHORTEST} bytes without commas"
            )
        if name in found:
            raise Misconfigured(f"{where}, entry {number}: pepper {name!r} stands there twice: a pepper has one secret")
        found[name] = secret
    return found


# --- opening ----------------------------------------------------------------------------------------------------------


def open_store(url: str, peppers: Mapping[str, str], **options: Any) -> Store:
    """Open a store; what it warns of is said in a line."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        store = load_store(url, peppers=peppers, **options)
    for one in found:
        say(f"warning: {one.message}")
    return store


@contextmanager
def store_for_upkeep(db: str | None, pepper_file: Path | None, *, writes: bool, make: bool = False) -> Iterator[Store]:
    """Open a store for a command that looks after it; only with `make` may it be a new one.

    One that is not whole, or of another schema, is opened all the same: these commands are for it.
    """
    url = url_of(_said_or_here(db, writes=writes))
    if not make:
        _require_registry(url)
    upkeep = {} if make or url.startswith("memory:") else {"ready": False}
    store = open_store(url, read_peppers(pepper_file), **upkeep)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def registry(
    db: str | None, pepper_file: Path | None, programme: Programme, *, writes: bool, esp: Esp | None = None
) -> Iterator[Lifecycle]:
    """Open a registry with what a command goes by. The lists that the registry knows are declared with it.

    Raises:
        Misconfigured: a plugin or a pepper that is missing.
        InvalidInput: there is no registry.
        RegistryUnavailable: it cannot be opened.
    """
    url = url_of(_said_or_here(db, writes=writes))
    _require_registry(url)
    peppers = read_peppers(pepper_file)
    told: Esp = NoEsp() if esp is None else esp
    with closing(open_store(url, peppers)) as store:
        mail = Lifecycle(told, store, programme=programme, peppers=peppers)
        for key, one in mail.store.lists().items():
            if key not in programme.lists:
                mail.programme = mail.programme.with_(one)
        yield mail


def open_esp(name: str | None, config: EspConfig | None, environment: Mapping[str, str] = os.environ) -> Esp | None:
    """Make the ESP that a command talks to, if it is told of one.

    Raises:
        Misconfigured: there is no such adapter, an option is wrong, or a variable that is named is not set.
    """
    if config is None or (name is not None and name != config.name):
        return None if name is None else load_esp(name)
    missing = sorted({one for one in config.environment.values() if not environment.get(one)})
    if missing:
        raise Misconfigured(f"[esp] names {', '.join(missing)}, and the environment has no such variable: set it")
    secrets = {option: environment[variable] for option, variable in config.environment.items()}
    return load_esp(config.name, **config.options, **secrets)


def with_registry(*, writes: bool, esp: bool = False) -> Callable[[F], F]:
    """Give a command the options that name a registry, and call it with `mail`, which is open.

    Args:
        writes: whether it writes: then the registry must be named.
        esp: whether it takes an ESP.
    """
    takes_esp = esp

    def decorate(command: F) -> F:
        @functools.wraps(command)
        @guard
        def run(
            *args: Any, db: str | None, pepper_file: Path | None, config: Path | None, esp: str | None = None,
            **kwargs: Any,
        ) -> Any:  # fmt: skip
            settings = Config.read(config)
            told = open_esp(esp, settings.esp) if takes_esp else None
            with registry(db, pepper_file, settings.programme, writes=writes, esp=told) as mail:
                return command(*args, mail=mail, **kwargs)

        options = [database_option, peppers_option, config_option, *([esp_option] if takes_esp else [])]
        for option in reversed(options):
            run = option(run)
        return run  # type: ignore[return-value]

    return decorate
