"""Slots in the state: shared by all who open it, by the database's clock."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text

from connectors.contract.slots import Grant, Visit
from sync.state.call_slots import StoredSlots
from sync.state.store import Store, call_slots
from sync.state.window import Window


def visit(holder="a", **said):
    return Visit(**({"holder": holder, "calls": 60, "window": 60.0, "held": 0} | said))


@pytest.fixture
def shared(store):
    return StoredSlots(lambda: store)


def test_slots_that_one_holds_no_other_gets(shared):
    assert shared.visit("shop", visit("a", wants=40)).slots == 40
    assert shared.visit("shop", visit("b", wants=40)).slots == 20


def test_each_credential_has_a_window_of_its_own(shared):
    shared.visit("shop", visit("a", wants=60))
    assert shared.visit("another", visit("b", wants=60)).slots == 60


def test_who_opens_the_state_later_sees_what_is_held(shared, database_url, clock, tmp_path):
    shared.visit("shop", visit("a", wants=60))
    store = Store.open(database_url, tmp_path, clock)
    try:
        assert StoredSlots(lambda: store).visit("shop", visit("b", wants=1)).slots == 0
    finally:
        store.close()


def test_a_servers_clock_counts_and_not_that_of_the_machine(shared, store, clock):
    shared.visit("shop", visit("a", wants=60))
    clock.time += timedelta(days=1)
    granted = shared.visit("shop", visit("b", wants=60)).slots
    assert granted == (60 if store.is_sqlite else 0)


def test_a_row_that_cannot_be_read_begins_anew(shared, store):
    with store.write() as connection:
        connection.execute(insert(call_slots).values(credential="shop", state='{"holders": 7}'))
    assert shared.visit("shop", visit(wants=5)).slots == 5


def test_without_an_open_state_nothing_is_shared():
    assert StoredSlots(lambda: None).visit("shop", visit(wants=5)) is None


def test_a_state_that_is_away_holds_nobody_back_and_is_asked_again_later(store, caplog):
    now = [0.0]
    shared = StoredSlots(lambda: store, lambda: now[0])
    with store.write() as connection:
        connection.execute(text("ALTER TABLE call_slots RENAME TO elsewhere"))
    assert shared.visit("shop", visit(wants=5)) is None
    assert "each run counts its calls by itself for now" in caplog.text
    with store.write() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO call_slots"))
    assert shared.visit("shop", visit(wants=5)) is None
    now[0] = 6.0
    assert shared.visit("shop", visit(wants=5)).slots == 5


def test_a_row_stays_small_however_many_slots_rest(shared, store):
    shared.visit("shop", visit("a", calls=2000, wants=2000))
    back = [n * 60 / 2000 for n in range(2000)]
    shared.visit("shop", visit("a", calls=2000, back=back))
    with store.read() as connection:
        assert len(connection.execute(select(call_slots.c.state)).scalar()) < 2500


def test_a_slot_rests_no_longer_than_a_window_when_the_clock_is_put_back():
    window = Window()
    window.visit(visit("a", wants=60), 10_000_000)
    window.visit(visit("a", back=[60.0] * 60, over=True), 10_000_000)
    assert window.visit(visit("b", wants=60), 1_000_000).slots == 0
    assert window.visit(visit("b", wants=60), 1_061_000).slots == 60


def test_an_answer_that_was_lost_costs_a_window_and_no_more():
    window = Window()
    window.visit(visit("a", wants=60), 1_000_000)
    assert window.visit(visit("a", wants=60), 1_000_100).slots == 0
    assert window.visit(visit("a", wants=60), 1_060_200).slots == 60


def test_a_limit_that_was_lowered_is_owed_by_those_who_hold_more():
    window = Window()
    window.visit(visit("a", wants=60), 1_000_000)
    window.visit(visit("b", calls=30, wants=30), 1_000_100)
    assert window.visit(visit("a", held=60), 1_000_200).owed == 45


def test_who_is_no_more_is_no_sharer():
    window = Window()
    window.visit(visit("a", wants=1), 1_000_000)
    assert window.visit(visit("b", wants=1), 1_001_000).sharers == 2
    assert window.visit(visit("b", held=1), 1_009_000) == Grant(sharers=1)
