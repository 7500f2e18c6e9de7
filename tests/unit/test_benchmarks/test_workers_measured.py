"""The benchmark of workers, on a few budgets: it runs, and counts what it says it counts."""

import pytest

from benchmarks import workers


@pytest.mark.faults
def test_one_worker_is_measured_beside_three(postgres_server, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres_server)
    one, three, times = workers.figures([], syncs=2, budgets=1, rounds=1)
    assert times.rounds == [[one.rounds[0][0] / three.rounds[0][0]]]
