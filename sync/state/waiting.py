"""Waiting at PostgreSQL: nobody waits without limit, and who waited in vain is told for whom.

A process that was stopped inside a transaction keeps what it locked. The server ends such a
transaction before those who wait for it give up; a statement that works all the time may go on for
longer. The limits hold for one transaction each, as a pooler gives the connection to others.
"""

from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

_LIMIT: Final = text(
    "SELECT set_config('lock_timeout', :wait, true), set_config('statement_timeout', :work, true), "
    "set_config('idle_in_transaction_session_timeout', :idle, true)"
)
_UNLIMITED: Final = text("SELECT set_config('statement_timeout', '0', true)")
_IDLE: Final = text("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
_IN_VAIN: Final = frozenset({"55P03", "57014"})  # lock_not_available, query_canceled

_HOLDERS: Final = text("""
    SELECT a.pid, a.application_name, a.client_addr, a.state, a.xact_start
    FROM pg_stat_activity a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
      AND cardinality(pg_blocking_pids(a.pid)) = 0
      AND EXISTS (
        SELECT 1 FROM pg_locks l
        WHERE l.pid = a.pid AND l.granted AND (
          l.locktype = 'advisory'
          OR (l.locktype = 'relation' AND l.mode <> 'AccessShareLock' AND l.relation IN (
            SELECT c.oid FROM pg_class c WHERE c.relkind = 'r'
              AND c.relnamespace = current_schema()::regnamespace))))
    ORDER BY a.xact_start
    LIMIT 1
""")
"""The oldest transaction that holds a lock on a table of ours and waits for nobody itself."""


def limit(connection: Connection, patience: float) -> None:
    """Limit the transaction that begins: `patience` seconds for a lock, twice that for one
    statement, half of it for doing nothing."""
    patience *= 1000
    values = {
        name: f"{milliseconds:.0f}ms"
        for name, milliseconds in (
            ("wait", patience),
            ("work", patience * 2),
            ("idle", patience / 2),
        )
    }
    connection.execute(_LIMIT, values)


def let_take_its_time(connection: Connection) -> None:
    """A migration may work for as long as it takes."""
    connection.execute(_UNLIMITED)


def let_stand_idle(connection: Connection) -> None:
    """A transaction that waits for another database's rows may do nothing for as long as that."""
    connection.execute(_IDLE)


def waited_in_vain(error: BaseException) -> bool:
    """Whether the server ended a statement because it waited or worked for too long."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) in _IN_VAIN


def told(engine: Engine, patience: float) -> str:
    """Says who has kept others waiting, as far as the server shows it now."""
    try:
        with engine.connect() as connection:
            row = connection.execute(_HOLDERS).mappings().first()
    except SQLAlchemyError:
        row = None
    if row is None:
        return (
            f"a statement took longer than {patience:g} s, and the server does not show who kept "
            "it waiting; try again"
        )
    return (
        f"it has been locked for {patience:g} s by {_named(row)}; end that process, or its session "
        f"with SELECT pg_terminate_backend({row['pid']})"
    )


def _named(row: Any) -> str:
    who = f"{row['application_name']!r} " if row["application_name"] else ""
    where = f"at {row['client_addr']}" if row["client_addr"] else "on the server's own machine"
    since = f"{row['xact_start']:%Y-%m-%d %H:%M:%S %Z}"
    return f"{who}{where} (session {row['pid']}, {row['state']}) since {since}"
