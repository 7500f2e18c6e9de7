"""How long a first run takes: its calls, the share of the limit, and the least time."""

import json

from benchmarks.first_runs import Calls, first_run
from benchmarks.sides import NOW
from benchmarks.vendors import VENDORS


def test_a_first_run_is_all_calls_from_the_first_to_the_last():
    calls = first_run(VENDORS[0], NOW, budgets=1, latency=0)
    assert len(calls.at) > 5  # what there is, one budget, four allocations
    assert (calls.at[0], calls.at) == (0, sorted(calls.at))


def test_the_share_is_that_of_the_whole_windows():
    burst = Calls([0, 1, 2, 10, 11, 20, 21])
    assert burst.share("3/10s") == 5 / 6


def test_a_run_within_one_window_has_no_share():
    assert str(Calls([0, 1, 2]).share("3/10s")) == "nan"


def test_the_least_time_is_that_of_the_windows_before_and_of_the_last_calls():
    calls = Calls([0.0] * 25)
    assert calls.least("10/1m", parallel=2, latency=0.5) == 2 * 60 + 2 * 0.5


def test_the_time_at_a_longer_window_has_as_many_of_them():
    assert Calls([*range(24), 131]).seconds("10/1m", "10/1h") == 131 + 2 * (3600 - 60)


def test_an_erps_allocations_are_what_the_vendor_holds(tmp_path):
    VENDORS[0].write_erp(tmp_path, 2)
    budgets = json.loads((tmp_path / "budgets.json").read_text())
    assert [len(each["allocations"]) for each in budgets] == [4, 4]
