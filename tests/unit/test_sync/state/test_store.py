"""The store: opens at the newest schema or says in one line why not, and loses no write."""

import logging
import os
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, inspect, select, text, update
from sqlalchemy.exc import StatementError

from sync.state.audit import Audit
from sync.state.checking import check
from sync.state.store import VERSION_TABLE, Store, StoreError, _upgrade, leases, metadata, runs

OPENER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy import text
from sync.state.store import Store

sys.stdin.readline()
store = Store.open(sys.argv[1], Path("/"), lambda: datetime.now(UTC))
for _ in range(int(sys.argv[2])):
    with store.write() as connection:
        count = connection.execute(text("SELECT token FROM leases FOR_UPDATE".replace(
            "FOR_UPDATE", "" if store.is_sqlite else "FOR UPDATE"))).scalar()
        connection.execute(text("UPDATE leases SET token = :n"), {"n": count + 1})
print("done")
"""


def opened(url, base=Path("/"), now=lambda: datetime.now(UTC)):
    return Store.open(url, base, now)


def complaint(url, base=Path("/")):
    with pytest.raises(StoreError) as caught:
        opened(url, base)
    said = str(caught.value)
    assert "\n" not in said
    return said


def processes(url, count, turns):
    """Run that many openers at once; each adds one to a number, `turns` times."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, url, str(turns)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    for each in started:
        each.stdin.write("\n")
        each.stdin.flush()
    assert [each.communicate(timeout=120)[0] for each in started] == ["done\n"] * count


def number(store):
    with store.read() as connection:
        return connection.execute(select(leases.c.token)).scalar()


# -- opening -------------------------------------------------------------------------------------


@pytest.fixture
def migrated(database_url, tmp_path, clock, monkeypatch):
    """A state that came by all migrations, one after another, as those of old customers did."""
    with closing(Store.open(database_url, tmp_path, clock)) as made:
        drop_all(made)
    with monkeypatch.context() as patch:
        patch.setattr("sync.state.store._make", partial(_upgrade, found="0001"))
        store = Store.open(database_url, tmp_path, clock)
    yield store
    store.close()


def drop_all(store):
    with store.write() as connection:
        metadata.drop_all(connection)
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))


def shape(store):
    """What the database says of each of its tables, whatever the order of their columns."""
    with store.read() as connection:
        looked = inspect(connection)
        return {
            table: {
                "columns": {
                    each["name"]: (str(each["type"]), each["nullable"], each["default"])
                    for each in looked.get_columns(table)
                },
                "key": looked.get_pk_constraint(table),
                "unique": sorted(map(str, looked.get_unique_constraints(table))),
                "others": looked.get_foreign_keys(table),
                "indexes": sorted(map(str, looked.get_indexes(table))),
            }
            for table in looked.get_table_names()
        }


def beginning(store):
    """The row that the audit begins with, but for what no two states have in common."""
    (row,) = (row.data for row in Audit(store).rows())
    assert row["said"].pop("state")
    return {key: value for key, value in row.items() if key not in {"digest", "entry"}}


def test_the_migrated_schema_is_the_one_that_the_tables_say(migrated):
    with migrated.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_a_new_state_is_what_the_migrations_come_to(migrated, database_url, tmp_path, clock):
    schema, begun = shape(migrated), beginning(migrated)
    drop_all(migrated)
    with closing(Store.open(database_url, tmp_path, clock)) as new:
        assert shape(new) == schema
        assert beginning(new) == begun
        assert check(new).fault is None


def test_opening_again_finds_what_was_written(database_url, clock):
    first = opened(database_url)
    with first.write() as connection:
        connection.execute(insert(leases).values(name="x", token=5))
    first.close()
    second = opened(database_url)
    assert number(second) == 5
    second.close()


def test_the_state_of_an_older_version_is_migrated_and_keeps_its_rows(database_url, store):
    with store.write() as connection:
        connection.execute(insert(leases).values(name="x", token=5))
        made = ("versions", "pauses", "accounts", "audit", "stops", "tellings", "messages")
        for table in (*made, "waits", "decisions", "approvals", "slots", "call_slots"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("ALTER TABLE baselines DROP COLUMN stated"))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'"))
    upgraded = opened(database_url)
    assert number(upgraded) == 5
    with upgraded.read() as connection:
        for table in ("versions", "pauses", "accounts"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
    upgraded.close()


def test_a_relative_path_starts_from_the_settings_folder(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    store = opened("sqlite:///state.db", tmp_path)
    store.close()
    assert (tmp_path / "state.db").is_file()


def test_opening_leaves_logging_and_the_streams_alone(tmp_path, capfd, caplog):
    root = logging.getLogger()
    before = root.level, list(root.handlers), logging.getLogger("sync").disabled
    opened("sqlite:///state.db", tmp_path).close()
    assert (root.level, list(root.handlers), logging.getLogger("sync").disabled) == before
    assert capfd.readouterr() == ("", "")


def test_many_processes_may_open_a_new_file_at_once(tmp_path):
    processes(f"sqlite:///{tmp_path}/new.db", 3, 0)


def test_many_processes_may_migrate_a_database_at_once(database_url, store):
    with store.write() as connection:
        for table in (VERSION_TABLE, *(each.name for each in reversed(metadata.sorted_tables))):
            connection.execute(text(f"DROP TABLE {table}"))
    processes(database_url, 3, 0)
    assert number(store) is None


def test_a_percent_sign_in_the_address_is_no_trouble(tmp_path):
    folder = tmp_path / "100% mine"
    folder.mkdir()
    opened("sqlite:///state.db", folder).close()


# -- refusing ------------------------------------------------------------------------------------


def test_a_folder_is_refused(tmp_path):
    assert complaint("sqlite:///", tmp_path).startswith("state.url must name a file")
    (tmp_path / "state").mkdir()
    said = complaint("sqlite:///state", tmp_path)
    assert said == f"{tmp_path}/state: it is a folder; state.url must name a file in it"


def test_a_missing_folder_is_refused(tmp_path):
    assert f"there is no folder {tmp_path}/no" in complaint("sqlite:///no/state.db", tmp_path)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path):
    file = tmp_path / "budgets.csv"
    file.write_text("ref,name,amount\n" * 100)
    assert "it is not a database" in complaint("sqlite:///budgets.csv", tmp_path)
    assert file.read_text() == "ref,name,amount\n" * 100


def test_a_place_where_nothing_can_be_made_is_refused():
    assert complaint("sqlite:////proc/state.db").startswith("/proc/state.db: it cannot be opened")


@contextmanager
def as_nobody():
    """Root may write everywhere, so it steps down for a moment."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_file_that_cannot_be_written_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        opened("sqlite:///state.db", Path(folder)).close()
        (Path(folder) / "state.db").chmod(0o444)
        Path(folder).chmod(0o555)
        with as_nobody():
            said = complaint("sqlite:///state.db", Path(folder))
    assert said.startswith(f"{folder}/state.db: it cannot be")
    assert "writ" in said


def test_a_database_that_another_process_keeps_locked_is_said_to_be_so(tmp_path, monkeypatch):
    monkeypatch.setattr("sync.state.store.PATIENCE", 0.05)
    opened("sqlite:///state.db", tmp_path).close()
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "another process has kept it locked" in complaint("sqlite:///state.db", tmp_path)
    other.close()


def test_a_schema_of_a_newer_program_is_refused(database_url, store):
    with store.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    assert "a newer Trueup wrote it (schema 9999, " in complaint(database_url)


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path):
    other = sqlite3.connect(tmp_path / "erp.db")
    other.execute("CREATE TABLE runs (shoe TEXT)")
    assert "it has a table 'runs' of another program" in complaint("sqlite:///erp.db", tmp_path)
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("runs",)]
    other.close()


@pytest.mark.parametrize(
    "url", ["mysql://root:hunter2@host/db", "hunter2", "", "postgresql://u:hunter2@h:x/db"]
)
def test_an_address_of_no_known_kind_is_refused_without_repeating_it(url):
    said = complaint(url)
    assert "state.url" in said
    assert "postgresql://" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///x.db?mode=ro"])
def test_a_state_that_would_not_last_is_refused(url, tmp_path):
    assert "a file that lasts" in complaint(url, tmp_path)


def test_a_server_that_is_down_is_named():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = complaint(f"postgresql://ada:hunter2@127.0.0.1:{port}/trueup")
    assert said.startswith(f"postgresql://127.0.0.1:{port}/trueup: ")
    assert "refused" in said
    assert "hunter2" not in said


@pytest.fixture
def refusing_server():
    """Speaks as much of PostgreSQL as it takes to refuse a password, repeating it."""

    def serve(listener):
        connection, _ = listener.accept()
        with connection:
            while True:
                length, code = struct.unpack("!II", connection.recv(8))
                connection.recv(length - 8)
                if code >> 16 == 3:
                    break
                connection.sendall(b"N")  # no, neither TLS nor GSS
            said = b'password authentication failed for user "ada" (hunter2)'
            fields = b"SFATAL\0VFATAL\0C28P01\0M" + said + b"\0\0"
            connection.sendall(b"E" + struct.pack("!I", len(fields) + 4) + fields)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, args=[listener])
        thread.start()
        yield listener.getsockname()[1]
        thread.join(30)


def test_a_wrong_password_is_said_to_be_wrong_and_not_printed(refusing_server):
    said = complaint(f"postgresql://ada:hunter2@127.0.0.1:{refusing_server}/trueup")
    assert "password authentication failed" in said
    assert "hunter2" not in said


# -- reading and writing -------------------------------------------------------------------------


def test_a_transaction_that_fails_leaves_nothing(store):
    def written_and_failed():
        with store.write() as connection:
            connection.execute(insert(leases).values(name="x", token=1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        written_and_failed()
    assert number(store) is None


def test_what_a_reader_changes_is_not_kept(store):
    with store.read() as connection:
        connection.execute(insert(leases).values(name="x", token=1))
    assert number(store) is None


def test_no_update_of_many_processes_is_lost(database_url, store):
    with store.write() as connection:
        connection.execute(insert(leases).values(name="x", token=0))
    processes(database_url, 2, 30)
    assert number(store) == 60


def test_no_update_of_many_threads_is_lost(store):
    with store.write() as connection:
        connection.execute(insert(leases).values(name="x", token=0))

    def add():
        for _ in range(20):
            with store.write() as connection:
                query = select(leases.c.token).with_for_update()
                count = connection.execute(query).scalar_one()
                connection.execute(update(leases).values(token=count + 1))

    threads = [Thread(target=add) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert number(store) == 80


def test_writers_of_one_process_take_turns_instead_of_waiting_for_a_lock(tmp_path, monkeypatch):
    monkeypatch.setattr("sync.state.store.PATIENCE", 0)
    store = opened("sqlite:///state.db", tmp_path)

    def add(name):
        for n in range(20):
            with store.write() as connection:
                connection.execute(insert(leases).values(name=f"{name}-{n}", token=1))

    threads = [Thread(target=add, args=[name]) for name in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with store.read() as connection:
        assert len(connection.execute(select(leases)).all()) == 80
    store.close()


def test_readers_go_on_beside_a_writer(store):
    writing, read = Event(), Event()

    def write():
        with store.write() as connection:
            connection.execute(insert(leases).values(name="x", token=1))
            writing.set()
            read.wait(30)

    thread = Thread(target=write)
    thread.start()
    writing.wait(30)
    assert number(store) is None
    read.set()
    thread.join()
    assert number(store) == 1


def test_sqlite_writes_through_to_the_disk(tmp_path):
    store = opened("sqlite:///state.db", tmp_path)
    for context in (store.read, store.write):
        with context() as connection:
            asked = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            }
        assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    store.close()


def test_json_keeps_its_decimals_and_moments_their_zone(store, clock):
    row = {"run_id": "a", "sync": "s", "command": "run", "started_at": clock()}
    with store.write() as connection:
        connection.execute(insert(runs).values(**row, report={"a": ["ü", None, 1]}))
        connection.execute(text("UPDATE runs SET report = '[1234567890123.1234567]'"))
    with store.read() as connection:
        found = connection.execute(select(runs.c.started_at, runs.c.report)).one()
    assert found == (clock(), [Decimal("1234567890123.1234567")])
    assert found.started_at.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(store):
    row = {"run_id": "a", "sync": "s", "command": "run", "started_at": datetime(2026, 1, 1)}  # noqa: DTZ001
    with pytest.raises(StatementError, match="no time zone"), store.write() as connection:
        connection.execute(insert(runs).values(row))


def test_a_database_that_fails_later_is_a_store_error_too(store):
    with store.write() as connection:
        connection.execute(insert(leases).values(name="x", token=1))
    fatal = "SELECT token, pg_terminate_backend(pg_backend_pid()) FROM leases"
    if store.is_sqlite:
        fatal = "SELECT token FROM gone"
    with pytest.raises(StoreError) as caught, store.read() as connection:
        connection.execute(text(fatal)).all()
    assert str(caught.value).startswith(store.where)
    assert number(store) == 1
