"""The history: how each run ended, also those that could not say."""

import pytest

from sync.state.history import INTERRUPTED, RUNNING, History, Run, UnknownRun
from sync.state.lease import Holder, Lease


@pytest.fixture
def history(store):
    return History(store)


@pytest.fixture
def held(store, clock):
    with Lease.take(store, "erp-to-brex", now=clock) as lease:
        yield lease


def test_a_run_comes_back_with_its_report(history, held, clock):
    began = clock()
    history.start("ab12", "erp-to-brex", "run", began)
    clock.advance(5)
    report = {"counts": {"applied": 2}, "error": "größer"}
    history.finish("ab12", "partial", clock(), report)
    assert history.get("ab12") == Run(
        run_id="ab12",
        sync="erp-to-brex",
        command="run",
        outcome="partial",
        started_at=began,
        ended_at=clock(),
        report=report,
    )


def test_a_run_without_an_end_is_running_while_its_lease_is_renewed(history, held, clock):
    history.start("ab12", "erp-to-brex", "run", clock())
    assert history.get("ab12").outcome == RUNNING
    clock.advance(31)
    assert history.get("ab12").outcome == INTERRUPTED


def test_a_run_whose_lease_was_given_back_is_interrupted(history, store, clock):
    with Lease.take(store, "erp-to-brex", now=clock):
        history.start("ab12", "erp-to-brex", "run", clock())
    assert history.get("ab12").outcome == INTERRUPTED


def test_a_run_whose_process_is_gone_is_interrupted_at_once(history, store, clock):
    here = Holder.here()
    gone = Holder(here.host, here.machine, here.pid, "another beginning")
    with Lease.take(store, "erp-to-brex", now=clock, holder=gone):
        history.start("ab12", "erp-to-brex", "run", clock())
        assert history.get("ab12").outcome == INTERRUPTED


def test_a_later_runs_lease_does_not_make_an_earlier_one_run_on(history, store, clock):
    with Lease.take(store, "erp-to-brex", now=clock):
        history.start("first", "erp-to-brex", "run", clock())
    with Lease.take(store, "erp-to-brex", now=clock):
        history.start("second", "erp-to-brex", "run", clock())
        assert [(each.run_id, each.outcome) for each in history.runs()] == [
            ("second", RUNNING),
            ("first", INTERRUPTED),
        ]


def test_a_run_without_a_lease_and_without_an_end_is_interrupted(history, clock):
    history.start("ab12", "erp-to-brex", "run", clock())
    assert history.get("ab12").outcome == INTERRUPTED


def test_a_run_ends_once(history, clock):
    history.start("ab12", "erp-to-brex", "run", clock())
    history.finish("ab12", "ok", clock(), {})
    with pytest.raises(UnknownRun):
        history.finish("ab12", "failed", clock(), {})
    assert history.get("ab12").outcome == "ok"


def test_runs_are_listed_newest_first_by_sync_and_up_to_a_limit(history, clock):
    for n in range(5):
        history.start(f"run-{n}", "erp-to-brex" if n % 2 else "erp-to-bill", "run", clock())
    assert [each.run_id for each in history.runs(limit=3)] == ["run-4", "run-3", "run-2"]
    assert [each.run_id for each in history.runs("erp-to-brex")] == ["run-3", "run-1"]
    assert history.latest("erp-to-bill").run_id == "run-4"
    assert history.latest("erp-to-vtex") is None


def test_a_run_is_found_by_the_beginning_of_its_id(history, clock):
    for id in ("abc", "abd", "abc1"):
        history.start(id, "erp-to-brex", "run", clock())
    assert history.get("abd").run_id == "abd"
    assert history.get("abc").run_id == "abc"
    with pytest.raises(UnknownRun, match="several runs begin with 'ab'"):
        history.get("ab")
    for unknown in ("x", "", "a%", "a_c"):
        with pytest.raises(UnknownRun, match="there is no run"):
            history.get(unknown)


def test_of_some_runs_the_last_that_is_over_says_whether_they_broke_off(history, held, clock):
    assert not history.broke_off([])
    for run_id, outcome in (("a1", "partial"), ("b2", "ok"), ("c3", "failed")):
        history.start(run_id, "erp-to-brex", "undo", clock())
        history.finish(run_id, outcome, clock(), {})
    history.start("d4", "erp-to-brex", "undo", clock())
    assert history.broke_off(["a1"])
    assert not history.broke_off(["a1", "b2"])
    assert history.broke_off(["a1", "b2", "c3"])
    assert history.broke_off(["c3", "d4"]), "one that goes on has not broken off"
    assert not history.broke_off(["b2", "d4"])
