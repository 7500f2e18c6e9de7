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
_FOUND: Final = text("SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class')")
_THERE: Final = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")


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
        if found is None and connection.execute(_THERE).scalar_one():
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
    """The last step that the tables have seen; None where they are not there, or not ours."""
    said = connection.execute(_FOUND).scalar()
    return said.removeprefix(_OURS) if said and said.startswith(_OURS) else None


def _run(store: Store, connection: Any, script: str) -> None:
    """Several statements at once, which go without parameters."""
    import psycopg

    try:
        connection.execute(script)
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        raise StoreError(f"{store.where}: the tables of the queue cannot be made: {said}") from None
