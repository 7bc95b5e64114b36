"""Which tables a database holds: none, ours, or somebody else's.

A registry is made only where there is nothing, so that no table of an application is ever taken for one of ours. What
has our version is looked over whenever it is opened: each of our tables is there with each of its columns. Further
tables and columns are nobody's problem.
"""

from __future__ import annotations

from sqlalchemy import Connection, MetaData, bindparam, text

from lifecycle_mail.errors import Misconfigured, Problem, RegistryUnavailable

_NAMED = 5
_FIX = "restore a backup, then sweep"

_IN_FILE = text("SELECT DISTINCT tbl_name FROM sqlite_master WHERE tbl_name NOT LIKE 'sqlite^_%' ESCAPE '^' ORDER BY 1")
_IN_SCHEMA = text(
    "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = :schema AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') ORDER BY 1"
).bindparams(bindparam("schema"))
_COLUMNS_IN_FILE = text(
    "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'"
)
_COLUMNS_IN_SCHEMA = text(
    "SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
    "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = :schema AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped"
).bindparams(bindparam("schema"))
_MAY = text(
    "SELECT has_schema_privilege(oid, 'USAGE') AS uses, has_schema_privilege(oid, 'CREATE') AS makes "
    "FROM pg_namespace WHERE nspname = :schema"
).bindparams(bindparam("schema"))


def require_empty(tx: Connection, schema: str) -> None:
    """Check that there is nothing where a registry is to be made (F5).

    Args:
        tx: a connection that writes, so that nobody else makes anything meanwhile.
        schema: the schema of Postgres; empty for a file of SQLite.

    Raises:
        Misconfigured: with the names of the tables in the way.
    """
    found = tx.execute(_IN_SCHEMA, {"schema": schema}) if schema else tx.execute(_IN_FILE)
    names = list(found.scalars())
    place = f"the schema {schema}" if schema else "the file"
    own = "give another with ?schema=" if schema else "give the registry a file of its own"
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise Misconfigured(
            f"{place} is not empty, and is no registry: it holds {', '.join(names[:_NAMED])}{more}: {own}"
        )
    if not schema and tx.exec_driver_sql("PRAGMA application_id").scalar_one():
        raise Misconfigured(f"{place} is another application's, by its application_id: {own}")


def require_usable(tx: Connection, schema: str, *, to_make: bool = False) -> bool:
    """Check that a schema of Postgres may be used, and return whether it is there.

    A role that may not use it sees none of its tables, and would take a full registry for an empty one.

    Raises:
        RegistryUnavailable: with what to grant.
    """
    may = tx.execute(_MAY, {"schema": schema}).one_or_none()
    if may is None:
        return False
    if not may.uses or (to_make and not may.makes):
        lacking = "USAGE" if not may.uses else "CREATE"
        role = tx.exec_driver_sql("SELECT current_user").scalar_one()
        raise RegistryUnavailable(
            f"the registry cannot be used (role {role} lacks {lacking} on the schema {schema}): "
            f'GRANT {lacking} ON SCHEMA "{schema}" TO "{role}"'
        )
    return True


def missing(tx: Connection, metadata: MetaData, schema: str) -> list[Problem]:
    """Return which of our tables, and which of their columns, are not there (F11)."""
    there: dict[str, set[str]] = {}
    for table, column in tx.execute(_COLUMNS_IN_SCHEMA, {"schema": schema}) if schema else tx.execute(_COLUMNS_IN_FILE):
        there.setdefault(table, set()).add(column)
    problems = []
    for table in metadata.sorted_tables:
        if table.name not in there:
            problems.append(Problem(table.name, "the table is not there", _FIX))
            continue
        lacking = [column.name for column in table.c if column.name not in there[table.name]]
        if lacking:
            problems.append(Problem(table.name, f"the table has no column {', '.join(lacking)}", _FIX))
    return problems
