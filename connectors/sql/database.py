"""The database: one transaction at a time that only reads, or one that writes what was spent.

A connection is made for each and given back at its end, whatever happens in it. What keeps a
transaction from writing, and a statement from taking too long, depends on the database:

PostgreSQL        a transaction READ ONLY, at one snapshot; statement_timeout
SQLite            the file opened with mode=ro, query_only; interrupted when its time is over
MySQL, MariaDB    a transaction READ ONLY, at one snapshot; max_execution_time, max_statement_time
Oracle            a transaction READ ONLY; the driver's call_timeout
any other         rolled back at its end, never committed; no limit of time
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection, CursorResult, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from connectors.contract.errors import Rejected, Transient, Uncertain, Unreadable
from connectors.contract.runtime import Runtime
from connectors.sql.answers import Answer
from connectors.sql.drivers import missing
from connectors.sql.faults import refused, told

ROWS: Final = 1000
"""How many rows of an answer are asked for at a time."""
_ALIVE: Final = {
    "connect_timeout": 15,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""PostgreSQL: how long a server has to answer at all, and how a way that is cut is noticed."""
_STEPS: Final = 10_000
"""After how many of its steps SQLite looks at the clock."""
_SHORTEST: Final = 4
"""A shorter secret is none, and hiding it would show where it is."""
_SECRET: Final = ("pass", "pwd", "secret", "token", "key", "odbc_connect", "credential")


@dataclass(frozen=True, slots=True)
class _Manner:
    """The statements that begin a transaction which reads; `limit` one of any."""

    reading: Sequence[str] = ()
    limit: Sequence[str] = ()
    only_reads: bool = True
    in_time: bool = True


_MANNERS: Final = {
    "postgresql": _Manner(limit=("SET LOCAL statement_timeout = {ms}",)),
    "sqlite": _Manner(reading=("PRAGMA query_only = ON", "BEGIN")),
    "mysql": _Manner(
        ("SET SESSION TRANSACTION READ ONLY",), ("SET SESSION max_execution_time = {ms}",)
    ),
    "mariadb": _Manner(
        ("SET SESSION TRANSACTION READ ONLY",), ("SET SESSION max_statement_time = {s}",)
    ),
    "oracle": _Manner(("SET TRANSACTION READ ONLY",)),
}
_OTHER: Final = _Manner(only_reads=False, in_time=False)


class Database:
    """The database of one system. Safe to use from several threads."""

    def __init__(self, system: str, url: str, timeout: int, runtime: Runtime) -> None:
        self._system, self._timeout, self._runtime = system, timeout, runtime
        self._given, self._secrets = url, {url}
        with suppress(ArgumentError, ValueError):  # what is no address is told when it is used
            self._secrets |= _secrets_of(make_url(url.strip()))
        self._lock = threading.Lock()
        self._engines: dict[bool, Engine] = {}

    def name(self) -> str:
        """What it is and where, without user and password."""
        url = self._url()
        host = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
        kind = url.get_backend_name()
        if kind == "sqlite":
            return f"sqlite {url.database}"
        return f"{kind} {host}/{url.database or ''}" if host else f"{kind} {url.database or ''}"

    def notes(self) -> list[str]:
        """What this kind of database does not see to, and the user has to."""
        kind = self._url().get_backend_name()
        manner = _MANNERS.get(kind, _OTHER)
        notes = []
        if not manner.only_reads:
            notes.append(
                f"{kind} is not told that a transaction only reads: it is rolled back at its end; "
                "use a login that may only read"
            )
        if not manner.in_time:
            notes.append(f"{kind} is not told of timeout: its statements take as long as they take")
        return notes

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction at one snapshot that cannot write, rolled back at its end.

        Raises the errors of `connectors.contract.errors`; so do all that is done in it.
        """
        with self._connected(writing=False) as connection:
            manner = self._manner(connection)
            for statement in (*manner.reading, *manner.limit):
                connection.exec_driver_sql(self._with_time(statement))
            self._ensure_only_reads(connection)
            self._watch(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at its end, and rolled back where anything fails."""
        with self._connected(writing=True) as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            for statement in self._manner(connection).limit:
                connection.exec_driver_sql(self._with_time(statement))
            self._watch(connection)
            yield connection
            connection.commit()

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """As `writing`, for budgets: what the database refuses is `Rejected` and changed nothing;
        a commit whose answer is lost is `Uncertain`."""
        with self._settled(), self._engine(True).connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            for statement in self._manner(connection).limit:
                connection.exec_driver_sql(self._with_time(statement))
            self._watch(connection)
            yield connection
            try:
                connection.commit()
            except SQLAlchemyError as error:
                found = told(error, self._system, self._secrets)
                if isinstance(found, Transient):
                    raise Uncertain(f"{found.message}: whether it was kept is not known") from None
                raise Rejected(found.message) from None

    @contextmanager
    def _settled(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise refused(told(error, self._system, self._secrets), error) from None

    def ask(self, connection: Connection, label: str, query: str) -> Answer:
        """The whole answer to a query; raises where it breaks off, or is none."""
        with self._told(label):
            options = {"no_parameters": True, "yield_per": ROWS}
            result = connection.exec_driver_sql(query, execution_options=options)
            with closing(result):
                if not result.returns_rows:
                    raise Unreadable(f"{label} answers with no rows; write a SELECT")
                return _kept(label, result)

    # -- connections -------------------------------------------------------------------------

    @contextmanager
    def _connected(self, *, writing: bool) -> Iterator[Connection]:
        with self._told(self._system), self._engine(writing).connect() as connection:
            yield connection

    @contextmanager
    def _told(self, where: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise told(error, where, self._secrets) from None

    def _engine(self, writing: bool) -> Engine:
        with self._lock:
            if writing not in self._engines:
                self._engines[writing] = self._made(self._url(), writing)
            return self._engines[writing]

    def _made(self, url: URL, writing: bool) -> Engine:
        options: dict[str, Any] = {"poolclass": NullPool, "hide_parameters": True}
        kind = url.get_backend_name()
        if kind == "sqlite":
            options["creator"] = self._sqlite(url, writing)
        if kind in ("postgresql", "mysql", "mariadb") and not writing:
            options["isolation_level"] = "REPEATABLE READ"
        if kind == "postgresql":
            said = {key: value for key, value in _ALIVE.items() if key not in url.query}
            options["connect_args"] = said
        if kind == "postgresql" and not writing:
            options["execution_options"] = {"postgresql_readonly": True}
        try:
            return create_engine(url, **options)
        except (ImportError, NoSuchModuleError) as error:
            raise missing(self._system, url, error) from None
        except (ArgumentError, TypeError, ValueError):
            raise Unreadable(f"{self._system}: the url cannot be used", hint=_FORM) from None

    def _url(self) -> URL:
        try:
            url = make_url(self._given.strip())
        except (ArgumentError, ValueError):
            raise Unreadable(f"{self._system}: the url is no address", hint=_FORM) from None
        if _is_misread(self._given):
            raise Unreadable(
                f"{self._system}: the url cannot be told apart into its parts",
                hint="Write @ as %40 and % as %25 within a password",
            )
        if url.drivername in ("postgres", "postgresql"):
            return url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() != "sqlite":
            return url
        name = url.database or ""
        if not name or name == ":memory:" or name.startswith("file:"):
            raise Unreadable(f"{self._system}: the url names no file", hint=_FORM)
        return url.set(database=str(self._runtime.base / Path(name).expanduser()))

    def _sqlite(self, url: URL, writing: bool) -> Callable[[], sqlite3.Connection]:
        mode = "rw" if writing else "ro"
        address = f"file:{quote(str(url.database))}?mode={mode}"

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(
                address,
                uri=True,
                timeout=min(self._timeout, 30),
                isolation_level=None,
                check_same_thread=False,
            )

        return connect

    # -- what keeps a transaction in bounds --------------------------------------------------

    def _manner(self, connection: Connection) -> _Manner:
        kind = connection.dialect.name
        if kind == "mysql" and getattr(connection.dialect, "is_mariadb", False):
            kind = "mariadb"
        return _MANNERS.get(kind, _OTHER)

    def _with_time(self, statement: str) -> str:
        return statement.format(ms=int(self._timeout * 1000), s=self._timeout)

    def _ensure_only_reads(self, connection: Connection) -> None:
        """Ask PostgreSQL itself: what stands between may have taken the option away."""
        if connection.dialect.name == "postgresql":
            said = connection.exec_driver_sql("SHOW transaction_read_only").scalar()
            if said != "on":
                raise Unreadable(f"{self._system}: the transaction is not one that only reads")

    def _watch(self, connection: Connection) -> None:
        """Let a statement end when its time is over, where that is the driver's to see to."""
        plain: Any = connection.connection.dbapi_connection
        if connection.dialect.name == "sqlite":
            ends = self._runtime.monotonic() + self._timeout
            plain.set_progress_handler(lambda: self._runtime.monotonic() > ends, _STEPS)
        elif connection.dialect.name == "oracle":
            plain.call_timeout = self._timeout * 1000


_FORM: Final = "Write it like postgresql://user:password@host/database or sqlite:///FILE"


def _is_misread(address: str) -> bool:
    """Whether more than one @ stands in it: part of the password would be told as the host."""
    return address.count("@") > 1 and "odbc_connect" not in address


def _kept(label: str, result: CursorResult[Any]) -> Answer:
    try:
        return Answer(label, list(result.keys()), result)
    except (ValueError, OverflowError) as error:  # a text, or a day, that no value can be
        raise Unreadable(f"{label}: a value cannot be read: {error}") from None
    except OSError as error:
        raise Unreadable(
            f"{label}: its answer cannot be kept: {error.strerror or error}",
            hint="Make room in this machine's folder of temporary files",
        ) from None


def _secrets_of(url: URL) -> set[str]:
    """The parts of an address that nobody is shown."""
    found = {str(url.password)} if url.password else set()
    for key, value in url.query.items():
        if any(each in key.casefold() for each in _SECRET):
            found |= {value} if isinstance(value, str) else set(value)
    return {each for each in found if len(each) >= _SHORTEST}
