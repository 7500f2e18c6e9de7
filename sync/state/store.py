"""The database that Trueup remembers in: one schema for SQLite and PostgreSQL.

A store is opened at the newest schema or not at all, and a transaction that `write` has left is on
the disk. On SQLite writers take the lock when they begin and one at a time, since the driver's own
mode lets two of them read the same row and the later one win; readers are never kept waiting.
Moments are text in UTC and of one width, so they sort and mean the same in both databases.
"""

import json
import logging
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from copy import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any, Final, Self

from sqlalchemy import (
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
)  # fmt: skip
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.sql import functions
from sqlalchemy.types import TypeDecorator

from sync.state.author import Author
from sync.state.genesis import genesis
from sync.state.waiting import let_take_its_time, limit, told, waited_in_vain

log = logging.getLogger("trueup.state")

VERSION_TABLE: Final = "trueup_schema"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
PATIENCE: Final = 30
"""Seconds that a writer waits for another process's transaction."""

_EXAMPLES = "sqlite:///trueup.db or postgresql://user@host/database"
_OPENING = 0x7472756570  # "trueup": the name of the lock that openers of one server's database take
_DAMAGED: Final = "it holds what Trueup did not write there; put back a copy of it"
_SQLITE_SAYS = {
    "SQLITE_READONLY": "it cannot be written; give this user the right to write it",
    "SQLITE_CANTOPEN": "it cannot be opened or made; the folder must be there and writable, "
    "and so must the file",
    "SQLITE_NOTADB": "it is not a database; name another file, Trueup makes its own",
    "SQLITE_CORRUPT": "it is damaged; put back a copy of it",
    "SQLITE_FULL": "the disk is full; make room on it",
    "SQLITE_IOERR": "the disk does not answer as it should; is it a local one?",
    "SQLITE_BUSY": f"another process has kept it locked for {PATIENCE} s; end that process, or use "
    "PostgreSQL where several of them write",
}


class StoreError(Exception):
    """The state cannot be used; the message is one line: what, where, and what would be right."""


def moment_text(moment: datetime) -> str:
    """A moment as it is kept: ISO, in UTC and of one width; `ValueError` for one without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Moment(TypeDecorator[datetime]):
    """A moment, kept as ISO text in UTC; one without a zone is refused."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else moment_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """JSON data, kept as text; numbers with a fraction come back as `Decimal`."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value, parse_float=Decimal)


metadata: Final = MetaData()

links: Final = Table(
    "links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sync", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("budget_ref", Text, nullable=False),
    Column("target_id", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("desired", LargeBinary, nullable=False),
    Column("echo", LargeBinary, nullable=False),
    Column("source", LargeBinary, nullable=False),
    UniqueConstraint("sync", "kind", "budget_ref", "ref", name="links_ref"),
    UniqueConstraint("sync", "kind", "target_id", name="links_target"),
)

baselines: Final = Table(
    "baselines",
    metadata,
    Column("link_id", ForeignKey("links.id", ondelete="CASCADE"), primary_key=True),
    Column("desired", Text, nullable=False),
    Column("echo", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("stated", Text),
    Column("rates", Text),
    Column("shown", Text),
)

versions: Final = Table(
    "versions",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("target_id", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("read_at", Moment),
)

accounts: Final = Table(
    "accounts",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("account", Text, nullable=False),
)

runs: Final = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("run_id", Text, nullable=False, unique=True),
    Column("sync", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("token", Integer),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", Text),
    Column("report", Json),
    Index("runs_sync", "sync", "number"),
)

operations: Final = Table(
    "operations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("run_id", Text, nullable=False),
    Column("sync", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("op", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("budget_ref", Text, nullable=False),
    Column("target_id", Text),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("fields", Json, nullable=False),
    Column("before", Json),
    Column("draft", Json),
    Column("state", Text, nullable=False),
    Column("error", Text),
    Column("sent_at", Moment),
    Column("ended_at", Moment),
    Column("side", Text, nullable=False, server_default="target"),
    Index("operations_run", "run_id", "seq"),
    Index("operations_state", "sync", "state"),
    Index("operations_ref", "sync", "kind", "budget_ref", "ref", "op"),
)

leases: Final = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", Integer, nullable=False),
    Column("host", Text),
    Column("machine", Text),
    Column("pid", Integer),
    Column("process", Text),
    Column("since", Moment),
    Column("until", Moment),
)

tellings: Final = Table(
    "tellings",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("standing", Text, nullable=False),
    Column("overdue", Integer, nullable=False),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("notifier", Text, nullable=False),
    Column("said", Json, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("again_at", Moment, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", Text),
)

pauses: Final = Table(
    "pauses",
    metadata,
    Column("system", Text, primary_key=True),
    Column("until", Moment, nullable=False),
)

call_slots: Final = Table(
    "call_slots",
    metadata,
    Column("credential", Text, primary_key=True),
    Column("state", Text, nullable=False),
)

stops: Final = Table(
    "stops",
    metadata,
    Column("sync", Text, primary_key=True),
    Column("since", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("because", Text),
)

waits: Final = Table(
    "waits",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("sync", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("budget_ref", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("side", Text, nullable=False, server_default="target"),
    Column("said", Json, nullable=False),
    Column("since", Moment, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("decided", Integer),
    Column("ended_at", Moment),
    Index("waits_open", "sync", "ended_at"),
)

decisions: Final = Table(
    "decisions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("sync", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("budget_ref", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("take", Text, nullable=False),
    Column("said", Json, nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text),
    Column("ended_at", Moment),
    Index("decisions_open", "sync", "ended_at"),
)

approvals: Final = Table(
    "approvals",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("sync", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("deeds", String(64), nullable=False),
    Column("plan", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("until", Moment, nullable=False),
    Column("approved_at", Moment),
    Column("approved_by", Text),
    Column("note", Text),
    Column("run_id", Text),
    Column("ended_at", Moment),
    Column("ended_as", Text),
    Column("ended_by", Text),
    Index("approvals_open", "sync", "ended_at"),
)

slots: Final = Table(
    "slots",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("sync", Text, nullable=False),
    Column("schedule", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("after", Integer, nullable=False),
    Column("fired_at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    UniqueConstraint("sync", "slot", name="slots_slot"),
    UniqueConstraint("sync", "after", name="slots_after"),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sync", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("budget_ref", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)

_version: Final = Table(  # Alembic's own, as it makes it; it is no table of the state
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)


class Store:
    """An open database. Safe to use from several threads; `close` it when done.

    `author` is who writes; `mask` makes a text fit to be kept, without a secret. Both may be set.
    """

    def __init__(self, engine: Engine, where: str, now: Callable[[], datetime]) -> None:
        """Use `open`: it brings the schema up to date first."""
        self.author = Author.here()
        self.mask: Callable[[str], str] = str
        self.engine = engine
        self.where = where
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._writer = engine.execution_options(writes=True)
        self._now = now
        self._skew = timedelta()
        self._turn = Lock() if self.is_sqlite else nullcontext()

    @classmethod
    def open(cls, url: str, base: Path, now: Callable[[], datetime]) -> Self:
        """The database at `url`, made or migrated where need be; raises `StoreError`.

        A relative SQLite path starts from `base`. Any number of processes may open at once.
        """
        parsed, where = _address(url, base)
        try:
            engine = _engine(parsed)
        except ImportError:
            raise StoreError(
                f"{where}: the PostgreSQL driver is missing; pip install 'trueup[postgres]'"
            ) from None
        store = cls(engine, where, now)
        try:
            store._prepare()
        except (DBAPIError, sqlite3.Error) as error:
            said = store.explained(error)
            store.close()
            raise StoreError(said) from None
        except (ValueError, LookupError, TypeError) as error:
            log.debug("what led to it:", exc_info=error)
            store.close()
            raise StoreError(f"{where}: {_DAMAGED}") from error
        except BaseException:
            store.close()
            raise
        return store

    def now(self) -> datetime:
        """The time by the clock that all users of this database share: the server's, if any."""
        return self.shared(self._now())

    def shared(self, moment: datetime) -> datetime:
        """`moment` of this machine's clock, told by the clock that `now` tells."""
        return moment + self._skew

    def by(self, author: Author) -> Self:
        """The same database, written by somebody else; closed with this one."""
        other = copy(self)
        other.author = author
        return other

    def masked(self, data: Any) -> Any:
        """JSON-ready data as it is kept where people read it: no secret in any text of it."""
        if data is None or self.mask is str:
            return data
        said = json.dumps(data, ensure_ascii=False)
        return data if self.mask(said) == said else _each_text(data, self.mask)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees the database as it is; what it changes is not kept.

        What cannot be made of what it holds, within the block, is a `StoreError` too.
        """
        with self._told(), self.engine.connect() as connection:
            try:
                yield connection
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                log.debug("what led to it:", exc_info=error)
                raise StoreError(f"{self.where}: {_DAMAGED}") from error

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """As `read`, all of one moment, however long the block takes."""
        with self.read() as connection:
            if not self.is_sqlite:  # where every transaction sees one moment
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: durable when the block ends, undone when it raises. Never nest two."""
        with self._turn, self._told(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def opening(self) -> Iterator[Connection]:
        """As `write`, at PostgreSQL, while nobody else opens this database or changes a table."""
        with self.write() as connection:
            connection.execute(select(functions.func.pg_advisory_xact_lock(_OPENING)))
            let_take_its_time(connection)
            yield connection

    def close(self) -> None:
        """Give back all connections; the store cannot tell and may be opened again."""
        self.engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise  # two writers met, which is for the caller to judge
        except DBAPIError as error:
            raise StoreError(self.explained(error)) from error

    def explained(self, error: DBAPIError | sqlite3.Error) -> str:
        """What the database refused, as `StoreError` says it."""
        if not waited_in_vain(error):
            return _explain(error, self.where, self.engine.url)
        return f"{self.where}: {told(self.engine, PATIENCE)}"

    def _prepare(self) -> None:
        if self.is_sqlite:
            _use_wal(self.where)
        with self._writer.begin() as connection:
            if not self.is_sqlite:
                connection.execute(select(functions.func.pg_advisory_xact_lock(_OPENING)))
                self._skew = _skew(connection)
                let_take_its_time(connection)
            _migrate(connection, self.where, self.now())


def _each_text(data: Any, mask: Callable[[str], str]) -> Any:
    if isinstance(data, str):
        return mask(data)
    if isinstance(data, Mapping):
        return {mask(str(key)): _each_text(value, mask) for key, value in data.items()}
    return [_each_text(each, mask) for each in data] if isinstance(data, list | tuple) else data


def _address(url: str, base: Path) -> tuple[URL, str]:
    try:
        parsed = make_url(url)
        if not url.isprintable():
            raise ValueError("a control character")
    except (ArgumentError, ValueError):
        raise StoreError(f"state.url is not a database's address, such as {_EXAMPLES}") from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        parsed = parsed.set(drivername="postgresql+psycopg")
        port = f":{parsed.port}" if parsed.port else ""
        return parsed, f"postgresql://{parsed.host or ''}{port}/{parsed.database or ''}"
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise StoreError(
            f"state.url: {parsed.drivername} is not a database that Trueup uses; try {_EXAMPLES}"
        )
    if parsed.database in (None, "", ":memory:") or parsed.query:
        raise StoreError("state.url must name a file that lasts, such as sqlite:///trueup.db")
    path = base.absolute() / str(parsed.database)
    if path.is_dir():
        raise StoreError(f"{path}: it is a folder; state.url must name a file in it")
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no folder {path.parent}; make it, or name another")
    return parsed.set(drivername="sqlite", database=str(path)), str(path)


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        engine = create_engine(url, connect_args={"isolation_level": None, "timeout": PATIENCE})
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine
    # poolers such as pgbouncer lose prepared statements between transactions
    given = {"connect_timeout": 10, "application_name": _who_we_are()}
    arguments = {key: value for key, value in given.items() if key not in url.query}
    engine = create_engine(
        url, connect_args={"prepare_threshold": None, **arguments}, pool_pre_ping=True
    )
    event.listen(engine, "begin", lambda connection: limit(connection, PATIENCE))
    return engine


def _who_we_are() -> str:
    return f"trueup {os.getpid()} on {socket.gethostname()}"[:63]  # what PostgreSQL keeps of it


def _set_up(connection: Any, _record: Any) -> None:
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_wal(path: str) -> None:
    """SQLite does not wait for other openers when it changes the journal mode, so we do."""
    give_up = time.monotonic() + PATIENCE
    with suppress(OSError):  # what is there keeps its rights; what cannot be made SQLite tells
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if _code(error) != "SQLITE_BUSY" or time.monotonic() > give_up:
                    raise
            time.sleep(0.02)


def _skew(connection: Connection) -> timedelta:
    """How far the server's clock is ahead of ours; what a round trip explains counts as nothing."""
    server = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    ahead: timedelta = server - datetime.now(UTC)
    return ahead if abs(ahead) >= timedelta(seconds=1) else timedelta()


def _migrate(connection: Connection, where: str, now: datetime) -> None:
    found = _schema(connection)
    if found is None:
        _make(connection, where, now)
    elif found != _newest():
        _upgrade(connection, where, now, found)


def _make(connection: Connection, where: str, now: datetime) -> None:
    """All tables in a database that has none: what the migrations, one by one, come to."""
    taken = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
    if taken:
        raise StoreError(
            f"{where}: it has a table {taken[0]!r} of another program; "
            "give Trueup a database of its own"
        )
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=_newest()))
    nothing = {"runs": 0, "operations": 0}
    connection.execute(insert(audit).values(genesis(now, nothing) | {"at": now}))


def _upgrade(connection: Connection, where: str, now: datetime, found: str) -> None:
    # here, since it takes a fifth of a second to import and is needed once
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["now"] = now
    scripts = ScriptDirectory.from_config(config)
    if found not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"{where}: a newer Trueup wrote it (schema {found}, this one knows up to "
            f"{scripts.get_current_head()}); install that version or a later one"
        )
    command.upgrade(config, "head")


def _schema(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(select(_version.c.version_num)).scalar()
    return found


def _newest() -> str:
    """The last migration there is; their files are named r0001_…, r0002_… by their revisions."""
    return max(path.name[1:5] for path in (MIGRATIONS / "versions").glob("r*.py"))


def _code(error: BaseException | None) -> str:
    """SQLite's name of what went wrong, without the refinement: SQLITE_BUSY, not …_SNAPSHOT."""
    return "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])


def _explain(error: DBAPIError | sqlite3.Error, where: str, url: URL) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if known := _SQLITE_SAYS.get(_code(cause)):
        return f"{where}: {known}"
    said = " ".join(str(cause).split())
    for secret in (url.password, url.query.get("password"), url.query.get("sslpassword")):
        if secret:
            said = said.replace(str(secret), "***")
    if url.drivername != "sqlite":
        said += "; check state.url, and that the server runs and lets this user in"
    return f"{where}: {said}"
