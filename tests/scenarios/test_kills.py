"""A run that is killed after any of its deeds is ended by one run more, as if undisturbed.

Its deeds are the calls that change something at the vendor, and the commits of its state; all are
counted in a run that nothing disturbs. What must be the same then is in `mortal_outcome`: the exit
code, each of the vendor's records but for its id, each link, and that no outcome is unknown.
"""

from datetime import timedelta

import pytest

from tests.scenarios.mortal_vendors import VENDORS
from tests.scenarios.mortal_world import Sweep, world

AT_ONCE = timedelta()
LATER = timedelta(days=2)
"""When keys are forgotten, and nothing that was made can be hidden any more."""

CHANGES = [(name, how) for name, vendor in VENDORS.items() for how in vendor.removes]


def check(sweep, points, *, parallel, later=AT_ONCE):
    faults = sweep.faults(points, parallel=parallel, later=later)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_change_killed_at_a_few_points_is_ended_by_one_run_more(vendor, tmp_path):
    with world(vendor, tmp_path, VENDORS[vendor].removes[-1]) as at:
        sweep = Sweep(at, filled=True)
        check(sweep, [len(sweep.deeds) // 3], parallel=1)
        check(sweep, [len(sweep.deeds) * 2 // 3], parallel=4)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_first_filling_killed_at_a_few_points_is_ended_by_one_run_more(vendor, tmp_path):
    with world(vendor, tmp_path) as at:
        sweep = Sweep(at, filled=False)
        check(sweep, [len(sweep.deeds) // 2], parallel=1)
        check(sweep, [len(sweep.deeds) * 3 // 4], parallel=4, later=LATER)


@pytest.mark.faults
@pytest.mark.parametrize("later", [AT_ONCE, LATER], ids=["at_once", "later"])
@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize(("vendor", "on_remove"), CHANGES)
def test_a_change_killed_anywhere_is_ended_by_one_run_more(
    vendor, on_remove, parallel, later, tmp_path
):
    with world(vendor, tmp_path, on_remove) as at:
        sweep = Sweep(at, filled=True)
        check(sweep, range(1, len(sweep.deeds) + 1), parallel=parallel, later=later)


@pytest.mark.faults
@pytest.mark.parametrize("later", [AT_ONCE, LATER], ids=["at_once", "later"])
@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_first_filling_killed_anywhere_is_ended_by_one_run_more(
    vendor, parallel, later, tmp_path
):
    with world(vendor, tmp_path) as at:
        sweep = Sweep(at, filled=False)
        check(sweep, range(1, len(sweep.deeds) + 1), parallel=parallel, later=later)
