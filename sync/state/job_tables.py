"""The tables of the queue: Procrastinate's, beside the state's, under the names that it gives them.

Which version of them there is, is kept as the comment of one of them. They are made, and brought
up to date, under the lock that openers of the state take, so any number of processes may begin.
"""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import Connection

from sync.state.store import Store, StoreError

_OURS: Final = "trueup: tables of Procrastinate as of "
_NOT_OURS: Final = ""
# the catalogue itself is read: functions that look a name up may remember that there was none
_FOUND: Final = text("""
    SELECT d.description FROM pg_class c
    LEFT JOIN pg_description d
      ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
    WHERE c.relname = 'procrastinate_jobs' AND c.relkind = 'r' AND c.relnamespace IN (
        SELECT oid FROM pg_namespace WHERE nspname = ANY (current_schemas(false)))
""")


def ensure_tables(store: Store) -> None:
    """Make the tables, or bring them up to date; raises `StoreError`."""
    from procrastinate.schema import SchemaManager

    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    newest = steps[-1].stem
    with store.read() as connection:
        if _version(connection) == newest:
            return
    with store.opening() as connection:
        found = _version(connection)
        if found == _NOT_OURS:
            raise StoreError(
                f"{store.where}: it has a table 'procrastinate_jobs' of another program; "
                "give Trueup a database of its own"
            )
        if found is not None and found > newest:
            raise StoreError(
                f"{store.where}: a newer Procrastinate made its queue ({found}, this one knows up "
                f"to {newest}); install 'trueup[worker]' as it is there"
            )
        todo = [SchemaManager.get_schema()] if found is None else [
            step.read_text(encoding="utf-8") for step in steps if step.stem > found
        ]  # fmt: skip
        for script in todo:
            _run(store, driver(connection), script)
        if found != newest:
            comment = f"COMMENT ON TABLE procrastinate_jobs IS '{_OURS}{newest}'"
            connection.execute(text(comment))


def driver(connection: Connection) -> Any:
    """The driver's own connection: psycopg's, in the same transaction."""
    return connection.connection.driver_connection


def _version(connection: Connection) -> str | None:
    """The last step that the tables have seen; None where there are none."""
    rows = connection.execute(_FOUND).scalars().all()
    if not rows:
        return None
    said = str(rows[0])
    return said.removeprefix(_OURS) if said.startswith(_OURS) else _NOT_OURS


def _run(store: Store, connection: Any, script: str) -> None:
    """Several statements at once, which go without parameters."""
    import psycopg

    try:
        connection.execute(script)
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        raise StoreError(f"{store.where}: the tables of the queue cannot be made: {said}") from None
