"""Looking after a database: making and upgrading it, verifying it, counting what is in it.

Migrations are Alembic's, each in one transaction: a kill leaves the old schema or the new one (F5). A new database gets
the newest tables at once; a test holds these and what the migrations build to be the same. A registry is made only
where there is nothing (`tables`).

What is verified of a file when it is opened (F11): all of a small one. Of a large one its structure, and that each name
is found by its index and each mark by its key, for there a single bit would hide a no; that takes as long again as the
structure, about half a second for 100 MB. Of Postgres nothing: its pages have checksums of their own, where the server
was set up with them. That every table and column is there is seen to in every case.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Text, delete, func, inspect, select, text

from lifecycle_mail.errors import Misconfigured, Problem, RegistryBusy, RegistryDamaged, RegistryUnavailable
from lifecycle_mail.ports import Checked
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.beside import Beside
from lifecycle_mail_sql.connecting import MORE, translated
from lifecycle_mail_sql.entries import check_row
from lifecycle_mail_sql.log import READ
from lifecycle_mail_sql.opening import Opened, readable_disk
from lifecycle_mail_sql.parts import PAGE, SCRUB, Part
from lifecycle_mail_sql.tables import missing, require_empty, require_usable
from lifecycle_mail_sql.texts import verified

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = "lifecycle_mail_version"
_ERROR_CODE = re.compile(r"error code=(\d+)")
_QUICK = 64 * 1024 * 1024
"""A file up to so many bytes is verified whole when it is opened; of a larger one what keeps noes to be found."""
_RESTORE = "restore a backup, then sweep"
_FINDS = ("people", "match_keys", "marks", "complicated", "links")
"""The tables in which a no is looked up for many addresses at once; the indexes of a large log take too long (F11)."""


class KeepingPart(Part):
    """`ports.Maintained`."""

    opened: Opened

    def _prepare(self) -> None:
        super()._prepare()
        self.__kept = Beside(self.dialect)
        self.__due = select(schema.chores.c.name).where(schema.chores.c.name.startswith(SCRUB))
        self.__scrubbed = delete(schema.chores).where(self.dialect.among(schema.chores.c.name, "done"))

    # -- schema

    def make_ready(self) -> None:
        """Verify the file, make the tables of an empty database, and check schema and peppers.

        Raises:
            Misconfigured: there are tables that are not ours, or of another version; or a pepper is missing.
            RegistryDamaged: it is not whole (F11).
        """
        self._verify_file()
        found = self.revision()
        if found is None:
            with self.db.writing() as tx:
                found = self._revision(tx)  # perhaps another process was faster
                if found is None:
                    self._create(tx)
                    found = schema.REVISION
        if found != schema.REVISION:
            older = found in self._revisions()
            raise Misconfigured(
                f"the database has schema {found}, and this version needs {schema.REVISION}: "
                + ("run `lifecycle-mail db upgrade`" if older else "it was written by a newer version; install that")
            )
        with self.db.reading() as tx:
            lacking = missing(tx, schema.metadata, self.opened.schema)
            if lacking:
                raise RegistryDamaged(f"the registry is not whole: {lacking[0]}")
            self.names.used(tx)

    def revision(self) -> str | None:
        """Return the schema of the database, or None where there is none of ours."""
        with self.db.reading() as tx:
            return self._revision(tx)

    def _revision(self, tx: Connection) -> str | None:
        if not inspect(tx).has_table(_VERSION):
            if not self.dialect.is_sqlite:
                require_usable(tx, self.opened.schema)
            return None
        said = tx.execute(select(text("version_num")).select_from(text(_VERSION))).scalars().all()
        if len(said) != 1:
            raise RegistryDamaged(f"{_VERSION} names {len(said)} schemas, not one: restore a backup, then sweep")
        return str(said[0])

    def _create(self, tx: Connection) -> None:
        if not self.dialect.is_sqlite and not require_usable(tx, self.opened.schema, to_make=True):
            # Not "if not exists": that needs the right to make schemas even where there is nothing to make.
            tx.exec_driver_sql(f'CREATE SCHEMA "{self.opened.schema}"')
        require_empty(tx, self.opened.schema)
        schema.metadata.create_all(tx, checkfirst=False)
        self._environment(tx).stamp(self._scripts(), "head")

    @staticmethod
    def _scripts() -> ScriptDirectory:
        from alembic.script import ScriptDirectory as Scripts

        return Scripts(str(_MIGRATIONS))

    def _revisions(self) -> list[str]:
        return [script.revision for script in self._scripts().walk_revisions()]

    @staticmethod
    def _environment(tx: Connection) -> MigrationContext:
        from alembic.runtime.migration import MigrationContext as Context

        return Context.configure(tx, opts={"version_table": _VERSION})

    def upgrade(self) -> tuple[str, str]:
        """Bring the schema to what this version needs, in one transaction."""
        from alembic.operations import Operations

        with self.db.writing() as tx:
            before = self._revision(tx)
            if before is None:
                self._create(tx)
                return "", schema.REVISION
            scripts, context = self._scripts(), self._environment(tx)
            if before not in self._revisions():
                raise Misconfigured(f"schema {before} was written by a newer version: install that")
            for script in reversed(list(scripts.iterate_revisions("head", before))):
                with Operations.context(context):
                    script.module.upgrade()
            context.stamp(scripts, "head")
        return before, schema.REVISION

    # -- verifying

    def _verify_file(self) -> None:
        """Refuse a file of SQLite that is not whole (F11)."""
        path, how = self.opened.path, self.opened.verify
        if path is None or how == "off":
            return
        with readable_disk():
            size = path.stat().st_size if path.exists() else 0
        if size == 0:
            return
        small = size <= _QUICK
        problems = self._structure(quick=how == "quick" or not small)
        if not problems and how == "full" and not small:
            problems = [one for table in _FINDS for one in self._structure(of=table)]
        if not problems and how == "full" and small and self.revision() == schema.REVISION:
            with self.db.reading() as tx:
                problems = missing(tx, schema.metadata, "")
            if not problems:
                problems = [*self._checksums()[0], *self._differences()]
        if problems:
            raise RegistryDamaged(f"{path} is damaged: {problems[0]}")

    def check(self) -> Checked:
        """Verify integrity, version, checksums, and what is kept beside the log against the log."""
        problems: list[Problem] = []
        counted: dict[str, int] = {}
        try:
            problems += self._structure() if self.dialect.is_sqlite else []
            problems += self._of_schema()
            if not [one for one in problems if one.path != "file"]:
                damaged, counted = self._checksums()
                problems += [*damaged, *self._differences()]
        except RegistryDamaged as error:  # it cannot be read any further
            if not problems:
                said, path = str(error).removesuffix(MORE).removesuffix(f": {_RESTORE}"), self.opened.path
                place, said = ("database", said) if path is None else ("file", f"{path}: {said}")
                problems.append(Problem(place, said, _RESTORE))
        return Checked(problems=tuple(problems), counted=counted)

    def _of_schema(self) -> list[Problem]:
        """Return what is wrong with the schema, so that nobody knows what the rows would mean."""
        try:
            found = self.revision()
        except RegistryDamaged as error:
            return [Problem("schema", str(error))]
        if found is None:
            fix = "name the registry, or make one with `lifecycle-mail db init` where there is nothing"
            return [Problem("schema", "there is no registry here", fix)]
        if found != schema.REVISION:
            older = found in self._revisions()
            fix = "run `lifecycle-mail db upgrade`" if older else "install the version that wrote it"
            return [Problem("schema", f"{found}, and this version needs {schema.REVISION}", fix)]
        with self.db.reading() as tx:
            lacking = missing(tx, schema.metadata, self.opened.schema)
            if not lacking:
                self.names.used(tx)
        return lacking

    def _structure(self, *, quick: bool = False, of: str = "20") -> list[Problem]:
        """Let SQLite look over the file, or one table of it and its indexes; quickly, without the indexes."""
        with self.db.reading() as tx:
            said = tx.exec_driver_sql(f"PRAGMA {'quick' if quick else 'integrity'}_check({of})").scalars()
            lines = [line for line in said if line != "ok"]
        # It reports a disk that does not read like damage, and goes on.
        codes = [int(code) & 0xFF for line in lines for code in _ERROR_CODE.findall(line)]
        if sqlite3.SQLITE_IOERR in codes:
            raise RegistryUnavailable(f"the disk does not read: look after it, then call again ({lines[0]})")
        return [Problem("file", line, _RESTORE) for line in lines]

    def _checksums(self) -> tuple[list[Problem], dict[str, int]]:
        """Verify the checksums of every row that has one, and that the log has no gaps."""
        problems: list[Problem] = []
        counted: dict[str, int] = {}
        last = 0
        while True:
            before = last
            with self.db.reading() as tx:
                rows = tx.execute(READ.where(schema.log.c.seq > last).order_by(schema.log.c.seq).limit(PAGE)).all()
            for row in rows:
                if row[0] != last + 1:
                    gap = f"records {last + 1} to {row[0] - 1} are missing"
                    problems.append(Problem("log", gap, _RESTORE))
                last = row[0]
                try:
                    check_row(row)
                except RegistryDamaged as error:
                    problems.append(Problem("log", str(error)))
            if last <= before:  # the end, or out of order
                break
        counted["log"] = last
        for table in (schema.contacts, schema.profiles, schema.claims, schema.answers):
            counted[table.name] = 0
            with self.db.reading() as tx:
                for row in tx.execute(select(table), execution_options={"yield_per": PAGE}):
                    counted[table.name] += 1
                    try:
                        verified(tuple(row[:-1]), row[-1], f"row {counted[table.name]}")
                    except RegistryDamaged as error:
                        problems.append(Problem(table.name, str(error)))
        return problems, counted

    def _differences(self) -> list[Problem]:
        with self.db.reading() as tx:
            found = self.__kept.differences(tx)
        return [
            Problem(name, f"{count} rows are not what the log says", "run `lifecycle-mail db check --rebuild`")
            for name, count in found.items()
            if count
        ]

    def rebuild(self) -> None:
        """Make anew from the log what is kept beside it.

        Raises:
            Misconfigured: the tables are not ours, or of another version.
        """
        wrong = self._of_schema()
        if wrong:
            raise Misconfigured(f"there is nothing to make anew: {wrong[0]}")
        with self.db.writing() as tx:
            self.__kept.rebuild(tx)

    # -- after erasures

    def scrub_if_due(self) -> None:
        """Write a small file of SQLite anew, so that free space holds nothing of who was erased (O5)."""
        path = self.opened.path
        # Where others are at it, or the disk is full, it stays due: the next erasure or `db scrub` does it.
        with suppress(RegistryUnavailable), readable_disk():
            if path is not None and path.stat().st_size <= _QUICK and self.scrub_due():
                self.scrub()

    def scrub_due(self) -> bool:
        """Whether free space may still hold what was erased."""
        with self.db.reading() as tx:
            return tx.execute(self.__due).first() is not None

    def scrub(self) -> None:
        """Write every table anew, so that free space holds nothing of who was erased (O5).

        SQLite: needs the file for itself, and as much room again. Postgres: `VACUUM FULL`, which locks one table after
        the other, and new samples for the planner; what its write-ahead log, replicas and backups keep goes when these
        are recycled. It stays due for an erasure that comes meanwhile.
        """
        with self.db.reading() as tx:
            due = tx.execute(self.__due).scalars().all()
        with translated(self.db.engine.dialect.loaded_dbapi.Error):
            raw = self.db.engine.raw_connection()
            try:
                driver: Any = raw.driver_connection
                if self.dialect.is_sqlite:
                    driver.execute("PRAGMA temp_store=FILE")  # as large as the database: not into memory
                    driver.execute("VACUUM")
                    # A write-ahead log keeps what was there until all of it is in the file. A journal is empty by now.
                    if driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                        raise RegistryBusy("others are reading what was there before: call again")
                else:
                    driver.autocommit = True
                    for table in schema.metadata.sorted_tables:
                        # A type that is set anew drops the planner's samples, which ANALYZE leaves of an empty table.
                        words = [column.name for column in table.c if isinstance(column.type, Text)]
                        same = ", ".join(f'ALTER COLUMN "{name}" TYPE TEXT COLLATE "C"' for name in words)
                        if same:
                            driver.execute(f'ALTER TABLE "{table.name}" {same}')
                        driver.execute(f'VACUUM (FULL, ANALYZE) "{table.name}"')
                    # Where the samples were; passed over, with a warning, for who does not own the database.
                    driver.execute("VACUUM FULL pg_statistic")
            finally:
                raw.invalidate()  # it is set up for this alone
        with self.db.writing() as tx:
            tx.execute(self.__scrubbed, {"done": self.dialect.many(due)})

    def stats(self) -> dict[str, int | str]:
        """Return how much of what the store holds."""
        found: dict[str, int | str] = {"schema": self.revision() or ""}
        with self.db.reading() as tx:
            for table in schema.metadata.sorted_tables:
                found[table.name] = int(tx.execute(select(func.count()).select_from(table)).scalar_one())
            for kind, count in tx.execute(select(schema.log.c.kind, func.count()).group_by(schema.log.c.kind)):
                found[f"log: {kind}"] = int(count)
        found["scrub due"] = "yes" if self.scrub_due() else "no"
        if self.opened.path is not None:
            found["bytes"] = self.opened.path.stat().st_size
        return found
