from sync.state.history import History


def test_the_last_reports_are_kept_and_of_older_runs_a_line(store, clock):
    history = History(store)
    for sync in ("a", "b"):
        for number in range(6):
            history.start(f"{sync}{number}", sync, "run", clock())
            history.finish(f"{sync}{number}", "ok", clock(), {"number": number})
    assert history.forget_reports("a", 2) == 4
    assert history.forget_reports("a", 2) == 0
    assert [run.report for run in history.runs("a")] == [{"number": 5}, {"number": 4}, *[None] * 4]
    assert all(run.report for run in history.runs("b"))
    assert history.count("a") == 6


def test_fewer_runs_than_are_kept_lose_nothing(store, clock):
    history = History(store)
    history.start("r", "a", "run", clock())
    assert history.forget_reports("a", 500) == 0
