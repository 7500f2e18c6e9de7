"""Copying a state: all of it, to the other kind of database, or nothing."""

from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import (
    Integer,
    LargeBinary,
    String,
    column,
    func,
    insert,
    inspect,
    select,
    table,
    text,
)

from sync.state.audit import Audit, Entry, Event
from sync.state.checking import check
from sync.state.copying import TABLES, copy, ensure_something, held
from sync.state.history import History
from sync.state.lease import Lease, LeaseHeld, LeaseLost
from sync.state.ledger import Ledger
from sync.state.stops import Stops
from sync.state.store import (
    VERSION_TABLE,
    Json,
    Moment,
    Store,
    StoreError,
    audit,
    leases,
    links,
    metadata,
    runs,
    waits,
)  # fmt: skip


def nothing() -> None:
    """Nobody else may have written."""


@pytest.fixture
def other(other_url, clock, tmp_path):
    with closing(Store.open(other_url, tmp_path, clock)) as opened:
        yield opened


def value(of, number):
    """One for that column: no two alike, and hard to carry."""
    said = f"{of.name} {number} 'ä' \"€\"\n\\N 🙂 \t"
    makers = {
        Integer: lambda: number,
        LargeBinary: lambda: bytes([0, 255, number % 256]) + said.encode(),
        Moment: lambda: datetime(2026, 3, 1, 12, 0, number % 60, number, UTC),
        Json: lambda: {"said": said, "share": 0.1, "none": None, "digits": "0.10"},
        String: lambda: said[: of.type.length],
    }
    return next(make for kind, make in makers.items() if isinstance(of.type, kind))()


def fill(store, rows=3):
    """Rows in every table there is."""
    with store.write() as connection:
        connection.execute(audit.delete())
        for each in metadata.sorted_tables:
            made = [{c.name: value(c, n) for c in each.columns} for n in range(1, rows + 1)]
            connection.execute(insert(each), made)


def all_of(store):
    """What the tables hold, but who holds a lease, or slots of a limit."""
    with store.read() as connection:
        found = {
            each.name: sorted(map(repr, connection.execute(select(each)).all()))
            for each in metadata.sorted_tables
            if each.name not in ("leases", "call_slots")
        }
        kept = select(leases.c.name, leases.c.token).order_by(leases.c.token)
        return found | {"leases": connection.execute(kept).all()}


def test_every_table_that_the_database_has_is_copied(store):
    with store.read() as connection:
        there = set(inspect(connection).get_table_names()) - {VERSION_TABLE}
    assert {each.name for each in TABLES} == there - {"call_slots"}


def test_every_column_that_the_database_has_is_known(store):
    with store.read() as connection:
        for each in TABLES:
            there = {of["name"] for of in inspect(connection).get_columns(each.name)}
            assert {*each.columns.keys()} == there


def test_rows_of_every_table_arrive_as_they_were(store, other):
    fill(store)
    before = all_of(store)
    assert copy(store, other, nothing) == {each.name: 3 for each in TABLES}
    assert all_of(other) == before == all_of(store)


def test_more_rows_than_pass_at_once_arrive(store, other, monkeypatch):
    monkeypatch.setattr("sync.state.copying._BATCH", 3)
    fill(store, 7)
    assert set(copy(store, other, nothing).values()) == {7}
    assert all_of(other) == all_of(store)


def test_data_is_kept_to_the_letter(store, other):
    spelled = '{"a": 1.10,  "b":2}'
    moment = "2026-03-01T12:00:00.000000+00:00"
    values = {"run_id": "r", "sync": "s", "command": "run", "started_at": moment}
    plain = table("runs", *map(column, (*values, "report")))
    with store.write() as connection:
        connection.execute(insert(plain), values | {"report": spelled})
    copy(store, other, nothing)
    with other.read() as connection:
        said = connection.execute(select(plain.c.report)).scalar()
    assert said == spelled


def test_what_is_added_afterwards_has_the_next_number(store, other):
    fill(store, 7)
    copy(store, other, nothing)
    for each in (runs, links, waits):
        own = each.autoincrement_column
        row = {c.name: value(c, 8) for c in each.columns if c is not own}
        with other.write() as connection:
            connection.execute(insert(each), row)
        with other.read() as connection:
            assert connection.execute(select(func.max(own))).scalar() == 8


def test_tables_that_hold_nothing_begin_at_one(store, other, clock):
    Stops(store).pause("a")
    copy(store, other, nothing)
    History(other).start("r", "a", "run", clock())
    with other.read() as connection:
        assert connection.execute(select(runs.c.number)).scalar() == 1


def test_the_audit_can_be_checked_and_goes_on_at_the_new_place(store, other):
    Stops(store).pause("a", "moving")
    found = check(store)
    copy(store, other, nothing)
    assert check(other, found.head) == found
    with other.write() as connection:
        Audit(other).append(connection, Entry(kind=Event.RESUME, sync="a"))
    assert check(other, found.head).rows == found.rows + 1


def test_nothing_is_put_beside_what_is_there_already(store, other):
    fill(store)
    Stops(other).pause("b")
    before = all_of(other)
    with pytest.raises(StoreError, match="it is not empty, it holds 2 audit, 1 stops; a copy"):
        copy(store, other, nothing)
    assert all_of(other) == before


def test_a_state_is_not_copied_onto_itself(store, database_url, clock, tmp_path):
    fill(store)
    with (
        closing(Store.open(database_url, tmp_path, clock)) as same,
        pytest.raises(StoreError, match="it is not empty"),
    ):
        copy(store, same, nothing)


def test_a_state_that_remembers_nothing_is_not_copied(store, clock):
    Lease.take(store, "a", now=clock).release()
    with pytest.raises(StoreError, match="nothing to copy"):
        ensure_something(store)
    Stops(store).pause("a")
    ensure_something(store)


def test_a_copy_that_breaks_off_leaves_nothing(store, other):
    fill(store)
    before = all_of(other)

    def lost():
        raise LeaseLost("another process has it")

    with pytest.raises(LeaseLost):
        copy(store, other, lost)
    assert all_of(other) == before
    assert copy(store, other, nothing)


def test_what_was_written_meanwhile_is_found_and_nothing_is_copied(store, other, monkeypatch):
    fill(store)
    before = all_of(other)

    def number_on(*_):
        with store.write() as connection:
            connection.execute(runs.update().where(runs.c.number == 2).values(outcome="ok"))

    monkeypatch.setattr("sync.state.copying._number_on", number_on)
    with pytest.raises(StoreError, match=r"it was written meanwhile \(runs\); nothing was copied"):
        copy(store, other, nothing)
    assert all_of(other) == before


def test_what_reads_otherwise_than_it_was_written_is_found(store, other, monkeypatch):
    fill(store)

    def number_on(_, connection):
        connection.execute(runs.update().where(runs.c.number == 2).values(outcome="ok"))

    monkeypatch.setattr("sync.state.copying._number_on", number_on)
    with pytest.raises(StoreError, match=r"what was written reads otherwise \(runs\)"):
        copy(store, other, nothing)


def test_a_lease_that_somebody_holds_keeps_the_copy_from_beginning(store, clock):
    with (
        Lease.take(store, "b", now=clock),
        pytest.raises(LeaseHeld, match="b is being run by process"),
        held(store, ["a"], clock),
    ):
        pytest.fail("it is held")
    Lease.take(store, "a", now=clock).release()


def test_nobody_runs_a_sync_while_the_state_is_copied(store, clock):
    Lease.take(store, "left the settings", now=clock).release()
    with held(store, ["never ran"], clock) as ensure:
        ensure()
        for name in ("left the settings", "never ran"):
            with pytest.raises(LeaseHeld):
                Lease.take(store, name, now=clock)
    Lease.take(store, "never ran", now=clock).release()


def test_a_lease_is_free_at_the_new_place_and_its_token_goes_on(store, other, clock):
    Stops(store).pause("a")
    with held(store, ["a"], clock) as ensure:
        copy(store, other, ensure)
        with Lease.take(other, "a", now=clock) as lease:
            assert lease.token == 2


def test_each_lease_is_asked_for_before_the_copy_ends(store, clock, monkeypatch):
    asked = []
    monkeypatch.setattr(Lease, "ensure", lambda lease: asked.append(lease.name))
    with held(store, ["b", "a"], clock) as ensure:
        ensure()
    assert asked == ["a", "b"]


def test_links_are_found_at_the_new_place(store, other):
    fill(store)
    copy(store, other, nothing)
    with store.read() as connection:
        sync = connection.execute(select(links.c.sync)).scalars().first()
    assert Ledger(other, sync).count() == Ledger(store, sync).count() == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_does_not_end_the_copy_while_a_large_file_is_read(store, other, monkeypatch):
    fill(store)
    told = []

    def number_on(_, connection):
        asked = text("SELECT current_setting('idle_in_transaction_session_timeout')")
        told.append(connection.execute(asked).scalar())

    monkeypatch.setattr("sync.state.copying._number_on", number_on)
    copy(store, other, nothing)
    assert told == ["0"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_postgresql_cannot_hold_is_told_and_nothing_is_copied(store, other):
    fill(store)
    with store.write() as connection:
        connection.execute(runs.update().where(runs.c.number == 2).values(sync="a\0b"))
    before = all_of(other)
    with pytest.raises(StoreError, match=r"a row of runs does not fit: .*NUL.*nothing was copied"):
        copy(store, other, nothing)
    assert all_of(other) == before
