"""Who waits for another's transaction waits for so long and no longer, and is told for whom."""

from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert, select, text, update

from sync.state.store import Store, StoreError, leases

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def shared(store):
    with store.write() as connection:
        connection.execute(insert(leases).values(name="x", token=1))
    return store


@contextmanager
def frozen(store, application="frozen-one", statement="UPDATE leases SET token = 2"):
    """Another program's transaction that has locked a row, and does nothing more."""
    address = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, application_name=application) as held:
        held.execute(statement)
        yield held.info.backend_pid
        held.rollback()


def add(store):
    with store.write() as connection:
        connection.execute(update(leases).values(token=5))


def test_who_waits_for_a_lock_in_vain_is_told_who_holds_it(shared, monkeypatch):
    monkeypatch.setattr("sync.state.store.PATIENCE", 0.3)
    with frozen(shared) as session, pytest.raises(StoreError) as caught:
        add(shared)
    said = str(caught.value)
    assert "locked for 0.3 s by 'frozen-one' " in said
    assert f"(session {session}, idle in transaction) since 20" in said
    assert "\n" not in said
    add(shared)


def test_of_many_who_wait_only_the_one_who_holds_the_lock_is_named(shared, monkeypatch):
    monkeypatch.setattr("sync.state.store.PATIENCE", 0.3)
    reader = frozen(shared, "a-reader", "SELECT * FROM leases")
    with reader, frozen(shared, "the-holder"), pytest.raises(StoreError, match="the-holder"):
        add(shared)


def test_a_transaction_of_ours_that_stands_still_is_ended_by_the_server(shared, monkeypatch):
    def stand_still():
        monkeypatch.setattr("sync.state.store.PATIENCE", 0.2)
        with shared.write() as connection:
            connection.execute(update(leases).values(token=7))
            monkeypatch.setattr("sync.state.store.PATIENCE", 30)
            add(shared)  # it waits until the server has ended the other one
            connection.execute(select(leases.c.token))

    with pytest.raises(StoreError):
        stand_still()
    with shared.read() as connection:
        assert connection.execute(select(leases.c.token)).scalar() == 5


def test_who_opens_while_another_keeps_the_schema_locked_is_told_so(shared, monkeypatch):
    monkeypatch.setattr("sync.state.store.PATIENCE", 0.3)
    lock = f"SELECT pg_advisory_xact_lock({0x7472756570})"
    url = shared.engine.url.render_as_string(hide_password=False)
    with frozen(shared, "migrates", lock), pytest.raises(StoreError, match="'migrates'"):
        Store.open(url, Path("/"), lambda: None)


def test_a_statement_that_works_for_too_long_is_ended(shared, monkeypatch):
    monkeypatch.setattr("sync.state.store.PATIENCE", 0.1)
    with pytest.raises(StoreError, match="does not show who"), shared.read() as connection:
        connection.execute(text("SELECT pg_sleep(30)"))


def test_our_own_sessions_say_who_they_are(shared):
    with shared.read() as connection:
        said = connection.execute(text("SHOW application_name")).scalar()
    assert said.startswith("trueup ")
