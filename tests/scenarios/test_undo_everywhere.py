"""What a run did is taken back at each vendor, as far as its capabilities say.

The run creates, updates, moves money between shares and removes, of either kind; what is compared
is what each vendor lists as in use, its ids apart.
"""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from canonical.allocation import Allocation, Status
from canonical.budget import Budget
from canonical.facts import facts
from canonical.kind import Kind
from config.wiring import connect
from connectors.contract.registry import load
from connectors.contract.runtime import Runtime
from sync.spec import OnRemove
from sync.state.stops import Stops
from sync.undo.plan import Undo
from tests.scenarios.mortal import Killed, Life, living
from tests.scenarios.mortal_vendors import VENDORS
from tests.scenarios.mortal_world import DAY, SYNC, world

CHANGES = [(name, how) for name, vendor in VENDORS.items() for how in vendor.removes]
UNIQUE = [name for name in VENDORS if load(name).capabilities.unique]
LAGGED = timedelta(minutes=5)
ALL = ("max_changes", "max_removals", "max_money", "max_budget_change", "below_spent")


def in_use(at):
    """What the vendor lists as in use: each object's facts, with names in the place of ids."""
    at.clock.time += LAGGED
    clock = at.clock
    runtime = Runtime(base=at.folder, now=clock, monotonic=clock.monotonic, sleep=clock.sleep)
    with connect(at.settings, "it", runtime) as target, target.on(DAY):
        items = [item for kind in Kind for page in target.list(kind) for item in page.items]
    names = {item.id: item.model.name for item in items if isinstance(item.model, Budget)}
    return sorted(
        str([names.get(value, value) if isinstance(value, str) else value for value in said])
        for item in items
        if item.model.status is not Status.RETIRED and not is_without_money(item.model)
        if (said := facts(item.model))
    )


def is_without_money(model):
    """BILL keeps who was an owner as a member that may spend nothing."""
    return isinstance(model, Allocation) and model.amount is not None and not model.amount.value


def undo(at, run_id, *, refs=(), life=None):
    with at.engine() as engine, living(life or Life()):
        try:
            return engine.run(DAY, command="undo", allow=ALL, undo=Undo(run_id, frozenset(refs)))
        except Killed:
            return None


def changed(at, before, after):
    """What was in use before a run, and the id of that run."""
    at.states(before)
    report = at.run()
    assert report.exit_code == 0, report.to_data()
    was = in_use(at)
    at.states(after)
    report = at.run()
    assert report.exit_code == 0, report.to_data()
    assert in_use(at) != was
    return was, report.run_id


def resumed(at):
    with closing(at.store()) as store:
        Stops(store).resume(SYNC)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("vendor", "on_remove"), CHANGES)
def test_what_a_run_did_is_taken_back(vendor, on_remove, tmp_path):
    with world(vendor, tmp_path, on_remove) as at:
        was, run_id = changed(at, at.erp.before(), at.erp.after())
        then = in_use(at)

        report = undo(at, run_id)

        assert report.outcome == "ok", report.to_data()
        assert report.verified, report.to_data()
        assert in_use(at) == was
        again = undo(at, run_id)
        assert (again.outcome, again.operations, again.plan.changes) == ("ok", [], ())
        resumed(at)
        with at.engine() as engine:
            plan = engine.plan(DAY)
        assert {change.cause for change in plan.changes} <= {"source", "calendar"}
        assert not plan.conflicts
        at.run()
        assert in_use(at) == then


def moving(at, parent, first, second):
    """A budget below that parent, and one beside it, with their shares."""
    erp, nests = at.erp, at.vendor.nests
    return [
        *erp._fillers(),
        erp._budget("P1", "2000.00", {}),
        erp._budget("P2", "2000.00", {}),
        erp._budget("B1", "1000.00", first, parent=parent if nests else None),
        erp._budget("B2", "800.00", second, parent="P1" if nests else None),
    ]


@pytest.mark.faults
@pytest.mark.parametrize(("vendor", "on_remove"), CHANGES)
def test_what_was_moved_elsewhere_is_moved_back(vendor, on_remove, tmp_path):
    with world(vendor, tmp_path, on_remove) as at:
        before = moving(at, "P1", {1: "100.00", 2: "50.00"}, {3: "20.00"})
        after = moving(at, "P2", {1: "100.00"}, {3: "20.00", 2: "50.00"})
        was, run_id = changed(at, before, after)

        report = undo(at, run_id)

        assert report.outcome == "ok", report.to_data()
        assert in_use(at) == was


@pytest.mark.sampled(2)
@pytest.mark.parametrize("vendor", UNIQUE)
def test_names_that_were_passed_on_are_passed_back(vendor, tmp_path):
    with world(vendor, tmp_path, OnRemove.DELETE) as at:
        was, run_id = changed(at, at.erp.named(), at.erp.renamed())

        report = undo(at, run_id)

        assert report.outcome == "ok", report.to_data()
        assert in_use(at) == was


@pytest.mark.faults
def test_an_undo_that_is_undone_leaves_what_the_run_had_left(tmp_path):
    with world("vtex", tmp_path, OnRemove.RETIRE) as at:
        was, run_id = changed(at, at.erp.before(), at.erp.after())
        then = in_use(at)
        first = undo(at, run_id)
        assert in_use(at) == was

        second = undo(at, first.run_id)

        assert second.outcome == "ok", second.to_data()
        assert in_use(at) == then


def test_an_edit_that_no_listing_shows_is_seen_by_an_undo_and_by_the_run_after_it(tmp_path):
    with world("vtex", tmp_path, OnRemove.RETIRE) as at:
        _, run_id = changed(at, at.erp.before(), at.erp.after())
        table = at.served.state["allocations"]
        (row,) = [row for row in table.rows() if row["balance"]["amount"] == 310]
        table.put(row | {"balance": row["balance"] | {"amount": 333, "remaining": 333}})

        report = undo(at, run_id)

        stays = {each.ref for each in report.plan.changes if each.op == "blocked"}
        assert stays == {"B1-1"}
        resumed(at)
        with at.engine() as engine:
            plan = engine.plan(DAY)
        assert {each.cause for each in plan.changes if each.ref == "B1-1"} == {"drift"}


class Killing:
    """The same undo again and again from the same beginning, killed each time somewhere else."""

    def __init__(self, at, before, after):
        self.at = at
        self.was, self.run_id = changed(at, before, after)
        self.kept = at.keep()
        life = Life()
        report = undo(at, self.run_id, life=life)
        assert report.outcome == "ok", report.to_data()
        self.deeds = life.deeds

    def faults(self, points):
        return [f"{point} {fault}" for point in points if (fault := self._fault(point))]

    def _fault(self, point):
        at, life = self.at, Life(point)
        at.back(self.kept)
        if undo(at, self.run_id, life=life) is not None:
            return None if point > len(life.deeds) else "lived on"
        at.sees_it_dead()
        at.clock.time += LAGGED
        report = undo(at, self.run_id)
        deed = life.deeds[-1]
        if report.outcome != "ok" or not report.verified:
            return f"{deed}: {report.outcome} {said(report)}"
        with closing(at.store()) as store:
            is_paused = Stops(store).of(SYNC) is not None
        wrote = any(deed != "commit" for deed in life.deeds) or bool(report.operations)
        if wrote and not is_paused:
            return f"{deed}: it is not paused"
        now = in_use(at)
        return None if now == self.was else f"{deed}: {sorted(set(now) ^ set(self.was))}"


def said(report):
    """Why something was left, or did not work."""
    reasons = (
        f"{each.op} {each.kind} {each.ref}: {loss.field}: {loss.reason}"
        for each in report.plan.changes
        for loss in each.losses
    )
    errors = (done.error for done in report.operations)
    return "; ".join(filter(None, [report.error, *reasons, *errors]))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("vendor", VENDORS)
def test_an_undo_killed_in_the_middle_is_completed_by_undoing_again(vendor, tmp_path):
    with world(vendor, tmp_path, VENDORS[vendor].removes[-1]) as at:
        killing = Killing(at, at.erp.before(), at.erp.after())
        assert killing.faults([len(killing.deeds) * 2 // 3]) == []


@pytest.mark.faults
@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize(("vendor", "on_remove"), CHANGES)
def test_an_undo_killed_anywhere_is_completed_by_undoing_again(
    vendor, on_remove, parallel, tmp_path
):
    with world(vendor, tmp_path, on_remove) as at:
        at.spec = replace(at.spec, parallel=parallel)
        killing = Killing(at, at.erp.before(), at.erp.after())
        assert killing.faults(range(1, len(killing.deeds) + 1)) == []


@pytest.mark.faults
@pytest.mark.parametrize("vendor", UNIQUE)
def test_names_on_their_way_back_are_where_they_belong_after_a_kill_anywhere(vendor, tmp_path):
    with world(vendor, tmp_path, OnRemove.DELETE) as at:
        killing = Killing(at, at.erp.named(), at.erp.renamed())
        assert killing.faults(range(1, len(killing.deeds) + 1)) == []
