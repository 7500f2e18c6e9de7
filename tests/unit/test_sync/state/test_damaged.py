"""A state that is damaged is told in one line, with the file and without a word of SQL."""

import random
import sqlite3
from datetime import UTC, datetime

import pytest

from canonical.kind import Kind
from sync.state.history import History
from sync.state.journal import Journal
from sync.state.ledger import Ledger
from sync.state.store import Store, StoreError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    store = opened(tmp_path)
    History(store).start("r1", "s", "run", NOW)
    History(store).finish("r1", "ok", NOW, {"counts": {}})
    store.close()
    path = tmp_path / "trueup.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO links VALUES (1,'s','budget','A','','b1','made',x'00',x'00',x'00')"
        )
        connection.execute(
            "INSERT INTO baselines (link_id, desired, echo, run_id) VALUES (1,'[]','[]','r1')"
        )
        connection.execute(
            "INSERT INTO operations VALUES (1,'o1','r1','s',0,'create','budget','A','',NULL,'k','f',"
            "'[]',NULL,NULL,'sent',NULL,'2026-03-01T00:00:00+00:00',NULL,'target')"
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def opened(folder):
    return Store.open("sqlite:///trueup.db", folder, lambda: NOW)


def read_all(folder):
    """Everything that a run reads of its state."""
    store = opened(folder)
    try:
        History(store).runs()
        Journal(store, "s").open()
        ledger = Ledger(store, "s")
        ledger.count()
        ledger.by_targets(Kind.BUDGET, ["b1"])
        ledger.baselines([1])
        ledger.versions(["b1"])
    finally:
        store.close()


@pytest.mark.parametrize(
    "change",
    ["runs SET report = 'oops'", "runs SET report = '[1]'", "runs SET started_at = 'yesterday'", "operations SET op = 'odd'", "operations SET fields = '{'",
     "operations SET fields = 'null'", "operations SET sent_at = '9'",
     "baselines SET desired = '{}'", "baselines SET echo = ''", "runs SET report = x'ff00'"],
)  # fmt: skip
def test_what_is_no_json_no_date_and_no_word_is_told(path, change):
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {change}")
    connection.close()
    with pytest.raises(StoreError) as caught:
        read_all(path.parent)
    assert str(caught.value).startswith(f"{path}: ")
    assert "SELECT" not in str(caught.value)


def test_any_damaged_page_is_told_or_does_no_harm(path):
    whole, chance = path.read_bytes(), random.Random(7)
    told = []
    for _ in range(60):
        raw = bytearray(whole)
        start = chance.randrange(0, len(raw) - 64)
        raw[start : start + 64] = chance.randbytes(64)
        path.write_bytes(raw)
        for also in ("-wal", "-shm"):
            path.with_name(path.name + also).unlink(missing_ok=True)
        try:
            read_all(path.parent)
        except StoreError as error:
            told.append(str(error))
    assert told
    assert all(each.startswith(f"{path}: ") for each in told)
    assert not any("SELECT" in each or "\n" in each for each in told)
