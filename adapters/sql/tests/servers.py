"""A real Postgres server for the tests: started in a folder of its own, stopped with them."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

USER = "postgres"
MAIN = "postgres"
"""The database that a new server has."""
TAKE_TURN = f"SELECT pg_advisory_lock({0x6C_69_66_65}, hashtext(current_setting('search_path')))"
"""Takes the turn of the writers of a schema, as another process does."""
PATIENCE = 60.0
_schemas = count(1)


def binaries() -> Path | None:
    """Return the folder of the server's programs, the newest version, or None where there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return versions[-1].parent if versions else None


def free_port() -> int:
    """Return a port on the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server.

    Attributes:
        folder: where it keeps its data.
        port: where it listens, on 127.0.0.1.
        durable: whether what it acknowledges survives it; what is not killed or scrubbed is faster without.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        found = binaries()
        assert found is not None, "no initdb: apt-get install postgresql"
        self.bin = found
        self.folder = folder
        self.durable = durable
        self.port = free_port()
        folder.mkdir(parents=True)
        # The server refuses to run as root; then the account that its package made runs it.
        self._as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
        if self._as_user:
            shutil.chown(folder, USER, USER)
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8")
        self.start()

    def _run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        command = [*self._as_user, str(self.bin / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, input=stdin)  # noqa: S603 - ours
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        options += " -c max_connections=200 -c shared_buffers=64MB"
        if not self.durable:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        log = str(self.folder / "server.log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-w", "-t", "60", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast` breaks every connection, `immediate` is as a crash."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "60", "-m", how, "stop")

    def kill(self) -> None:
        """Kill the server as a power loss would, all its processes at once."""
        pid = int((self.folder / "data/postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for victim in [pid, *map(int, children)]:
            os.kill(victim, signal.SIGKILL)
        end = time.monotonic() + PATIENCE
        while any(Path(f"/proc/{one}").exists() and _runs(one) for one in [pid, *map(int, children)]):
            assert time.monotonic() < end, "the server does not die"
        # After a power loss no process has its number; here its parent may not have heard yet that it is dead.
        for left in (self.folder / "data/postmaster.pid", *self.folder.glob(".s.PGSQL.*")):
            left.unlink(missing_ok=True)

    @property
    def is_up(self) -> bool:
        """Whether it runs, as far as it has said."""
        return (self.folder / "data/postmaster.pid").exists()

    def url(self, schema: str = "lifecycle_mail", *, port: int | None = None, **more: str) -> str:
        """Return the URL of a registry in a schema of its own, also through another port or with more parameters."""
        query = urlencode({"schema": schema, **more})
        return f"postgresql://{USER}@127.0.0.1:{port or self.port}/{MAIN}?{query}"

    def dump(self, schema: str, *more: str) -> str:
        """Return a dump of one schema, as a backup holds it."""
        return self._run("pg_dump", *self._there, "-n", schema, *more, MAIN)

    def sql(self, statement: str) -> str:
        """Run one statement and return what it prints."""
        return self._run("psql", *self._there, "-d", MAIN, "-v", "ON_ERROR_STOP=1", "-XAt", "-c", statement)

    @contextmanager
    def beside(self, schema: str = "public") -> Iterator[Callable[[str], Any]]:
        """Give what runs SQL on a connection of its own, as an operator would, and returns the first value."""
        with psycopg.connect(host="127.0.0.1", port=self.port, user=USER, dbname=MAIN, autocommit=True) as connection:

            def run(statement: str) -> Any:
                done = connection.execute(statement)
                row = done.fetchone() if done.description else None
                return None if row is None else row[0]

            run(f'SET search_path TO "{schema}"')
            yield run

    def load(self, script: str) -> None:
        """Run a script, such as a dump."""
        self._run("psql", *self._there, "-d", MAIN, "-v", "ON_ERROR_STOP=1", "-XAtq", stdin=script)

    @property
    def _there(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER]


def new_schema() -> str:
    """Return the name of a schema that nobody has used."""
    return f"t{next(_schemas)}"


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@contextmanager
def started(*, durable: bool = True) -> Iterator[Server]:
    """Start a server in a folder of its own, and stop it at the end."""
    # Not in pytest's own folder, which other accounts may not enter: the server runs under one of its own.
    folder = Path(tempfile.mkdtemp(prefix="lifecycle-mail-"))
    folder.chmod(0o711)
    try:
        server = Server(folder / "server", durable=durable)
        try:
            yield server
        finally:
            if server.is_up:
                server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
