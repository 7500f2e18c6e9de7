"""What a sandbox shows to readers who are behind."""

import pytest

from connectors.sandbox.past import Past
from connectors.sandbox.state import State, Table


@pytest.fixture
def time():
    return [0.0]


@pytest.fixture
def table(time):
    table = Table("id", Past(lambda: time[0]))
    table.put({"id": "a", "n": 1})
    table.put({"id": "b", "n": 1})
    table.forget_the_past()
    return table


def shown(table, at):
    table.as_of(at)
    rows = {row["id"]: row["n"] for row in table.rows()}
    same = {id: row["n"] for id in "abc" if (row := table.get(id))}
    assert (rows, [*rows]) == (same, table.ids())
    assert all(b'"n":%d' % n in table.json(id) for id, n in rows.items())
    table.as_of(None)
    return rows


def test_what_is_behind_shows_rows_as_they_were(time, table):
    time[0] = 10
    table.put({"id": "c", "n": 1})
    table.put({"id": "a", "n": 2})
    time[0] = 20
    table.remove("b")
    table.put({"id": "a", "n": 3})
    assert shown(table, 5) == {"a": 1, "b": 1}
    assert shown(table, 15) == {"a": 2, "c": 1, "b": 1}
    assert shown(table, 20) == shown(table, None) == {"a": 3, "c": 1}


def test_what_is_there_from_the_start_is_behind_nothing(time, table):
    assert shown(table, -100) == {"a": 1, "b": 1}


def test_a_row_that_came_and_went_was_never_seen_before(time, table):
    time[0] = 10
    table.put({"id": "c", "n": 1})
    table.remove("c")
    assert shown(table, 5) == {"a": 1, "b": 1}


def test_writes_are_done_now_whoever_is_behind(time):
    state = State(
        {"rows": "id", "passes": "id"}, lambda _, row: row, None, lambda: time[0], ["passes"]
    )
    for name in ("rows", "passes"):
        state[name].put({"id": "a"})
    with state.as_of(-1):
        assert (state["rows"].rows(), state["passes"].rows()) == ([], [{"id": "a"}])
        assert not state["rows"].get("a")
    assert state["rows"].rows() == [{"id": "a"}]
