"""A run that is killed after any of its deeds is ended by one run more, as if undisturbed.

Its deeds are the calls that change something at the vendor, and the commits of its state; all are
counted in a run that nothing disturbs. What must be the same then is in `mortal_outcome`: the exit
code, each of the vendor's records but for its id, each link, and that no outcome is unknown.
Listings lag, so that what only a journal knows is not found by looking.
"""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from connectors.contract.registry import load
from sync.spec import OnRemove
from tests.scenarios.mortal_vendors import VENDORS
from tests.scenarios.mortal_world import DAY, LAG, SYNC, Sweep, world
from trueup.cli import app

AT_ONCE = timedelta()
LATER = timedelta(days=2)
"""When keys are forgotten, and nothing that was made can be hidden any more."""

DIES = """
import sys
from tests.scenarios.mortal import Life, living
from trueup.cli import app
with living(Life(int(sys.argv.pop(1)), really=True)):
    app()
"""

UNIQUE = [name for name in VENDORS if load(name).capabilities.unique]
"""Vendors at which no two objects may have one name."""

CHANGES = [(name, how) for name, vendor in VENDORS.items() for how in vendor.removes]


def check(sweep, points, *, parallel, later=AT_ONCE, again=None):
    faults = sweep.faults(points, parallel=parallel, later=later, again=again)
    assert not faults, "\n".join(faults)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_change_killed_at_a_few_points_is_ended_by_one_run_more(vendor, tmp_path):
    with world(vendor, tmp_path, VENDORS[vendor].removes[-1]) as at:
        sweep = Sweep(at, filled=True)
        check(sweep, [len(sweep.deeds) // 3], parallel=1)
        check(sweep, [len(sweep.deeds) * 2 // 3], parallel=4)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_first_filling_killed_at_a_few_points_is_ended_by_one_run_more(vendor, tmp_path):
    with world(vendor, tmp_path) as at:
        sweep = Sweep(at, filled=False)
        check(sweep, [len(sweep.deeds) // 2], parallel=1)
        check(sweep, [len(sweep.deeds) * 3 // 4], parallel=4, later=LATER)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("vendor", UNIQUE)
def test_names_that_pass_on_are_where_they_belong_after_a_kill_at_a_few_points(vendor, tmp_path):
    with world(vendor, tmp_path, OnRemove.DELETE) as at:
        sweep = Sweep(at, filled=True, names=True)
        points = [point for point, deed in enumerate(sweep.deeds, 1) if deed.startswith("PUT")]
        check(sweep, points[2 :: len(points) // 3], parallel=1)


@pytest.mark.faults
@pytest.mark.parametrize("later", [AT_ONCE, LATER], ids=["at_once", "later"])
@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("vendor", UNIQUE)
def test_names_that_pass_on_are_where_they_belong_after_a_kill_anywhere(
    vendor, parallel, later, tmp_path
):
    with world(vendor, tmp_path, OnRemove.DELETE) as at:
        sweep = Sweep(at, filled=True, names=True)
        check(sweep, range(1, len(sweep.deeds) + 1), parallel=parallel, later=later)


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


@pytest.mark.faults
@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize(("vendor", "on_remove"), CHANGES)
def test_a_change_is_ended_by_one_run_more_after_the_run_that_was_to_end_it_is_killed_too(
    vendor, on_remove, parallel, tmp_path
):
    with world(vendor, tmp_path, on_remove) as at:
        sweep = Sweep(at, filled=True)
        points = range(2, len(sweep.deeds) + 1, 5)
        for again in (1, 3, 4, 5, 6, 8):  # of its taking the lease, settling and first writes
            check(sweep, points, parallel=parallel, again=again)


# -- SIGKILL of a process that is one ------------------------------------------------------------


def killed_for_good(folder, vendor, point, database_url):
    """What a first filling left that was killed at that point, after one run more."""
    with world(vendor, folder, state=database_url) as at:
        at.states(at.erp.few())
        command = ["run", SYNC, "--as-of", f"{DAY}", "--config", str(at.file)]
        died = subprocess.run(
            [sys.executable, "-c", DIES, str(point), *command], capture_output=True, text=True
        )
        assert died.returncode == -signal.SIGKILL, died.stdout + died.stderr
        at.clock.sleep(LAG.total_seconds())  # these runs go by the machine's clock
        said = CliRunner().invoke(app, command)
        assert said.exit_code == 0, said.output
        return at.outcome(at.run())


def undisturbed(folder, vendor):
    with world(vendor, folder) as at:
        at.states(at.erp.few())
        return at.outcome(at.run())


@pytest.mark.faults
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("point", [8, 15, 20])
def test_a_process_that_is_killed_leaves_no_more_than_one_run_ends(tmp_path, database_url, point):
    folders = tmp_path / "killed", tmp_path / "undisturbed"
    for folder in folders:
        folder.mkdir()
    killed = killed_for_good(folders[0], "vantage", point, database_url)
    assert undisturbed(folders[1], "vantage").otherwise(killed) is None
