"""What a judged plan meant and did not finish is finished without another judgement."""

from contextlib import closing
from dataclasses import replace as with_
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Plan
from canonical.kind import Kind
from canonical.period import Cadence
from connectors.contract.errors import Rejected, Transient
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Exit
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store
from tests.examples import examples

NOW, DAY = datetime(2026, 6, 10, tzinfo=UTC), date(2026, 6, 10)


class Killed(BaseException):
    """The process ends here."""


def budget(ref, amount=1000):
    value = Amount.of(str(amount), "USD")
    return Budget(ref=ref, name=ref, amount=value, cadence=Cadence.MONTHLY)


class World:
    def __init__(self, store):
        self.source, self.target, self.store = Memory("erp"), Memory("target"), store

    @property
    def engine(self):
        spec = SyncSpec(name="s", source="erp", target="target", limits=Limits(), parallel=1,
                        on_remove=OnRemove.RETIRE)  # fmt: skip
        return Engine(spec, self.source, self.target, self.store, now=lambda: NOW)

    def run(self, *allow, only=None):
        return self.engine.run(DAY, command="test", allow=allow, only=only)

    def dies_at(self, write, *allow):
        """A run that is killed as it begins that write, and after the effect of those before."""
        left = [write]

        def count(operation, subject):
            if operation in ("create", "update", "retire"):
                left[0] -= 1
                if left[0] < 0:
                    raise Killed

        self.target.before = count
        try:
            self.run(*allow)
        except Killed:
            pass
        finally:
            self.target.before = lambda operation, subject: None


@pytest.fixture
def world(tmp_path):
    with closing(Store.open("sqlite:///state.db", tmp_path, lambda: NOW)) as store:
        yield World(store)


@pytest.mark.parametrize("write", range(0, 12, 3))
def test_a_first_filling_that_was_killed_is_finished(world, write):
    world.source.put(*(budget(f"B{n}") for n in range(12)))
    world.dies_at(write)
    report = world.run()
    assert (report.exit_code, report.verified) == (Exit.OK, True)


@pytest.mark.parametrize("write", range(0, 8, 2))
def test_what_was_allowed_once_is_finished(world, write):
    world.source.put(*(budget(f"B{n}") for n in range(12)))
    world.run()
    world.source.put(*(budget(f"B{n}", 5000) for n in range(6)))
    for n in (10, 11):
        world.source.drop(f"B{n}")
    allow = ("max_money", "max_budget_change", "max_changes", "max_removals")
    assert world.run().exit_code == Exit.GUARD
    world.dies_at(write, *allow)
    report = world.run()
    assert (report.exit_code, report.verified) == (Exit.OK, True)


def test_what_comes_new_beside_an_unfinished_plan_is_judged(world):
    world.source.put(*(budget(f"B{n}") for n in range(12)))
    world.dies_at(6)
    world.source.put(budget("B11", 9_000_000))
    assert world.run().exit_code == Exit.GUARD


def test_what_was_moved_by_hand_meanwhile_is_judged(world):
    world.source.put(*(budget(f"B{n}") for n in range(12)))
    world.run()
    world.source.put(budget("B0", 1400))
    world.dies_at(0)
    (id,) = [i.id for p in world.target.list(Kind.BUDGET) for i in p.items if i.model.name == "B0"]
    world.target.edit(id, amount=Amount.of("1", "USD"))
    assert world.run().exit_code == Exit.GUARD


def torn(world, write=0):
    """B0 is raised in a run that is killed; then the target shows no single amount of it."""
    world.source.put(*(budget(f"B{n}") for n in range(12)))
    world.run()
    world.source.put(budget("B0", 1400))
    world.dies_at(write)
    world.target.edit(id_of(world, "B0"), amount=None)


def id_of(world, name):
    items = (item for page in world.target.list(Kind.BUDGET) for item in page.items)
    return next(item.id for item in items if item.model.name == name)


def test_an_amount_that_an_update_left_half_changed_is_finished(world):
    torn(world)
    report = world.run()
    assert (report.exit_code, report.verified) == (Exit.OK, True)


def test_an_amount_that_is_gone_though_no_update_left_is_judged(world):
    def before_it_leaves(operation, subject):
        if operation == "update":
            raise Killed

    world.target.waits = before_it_leaves
    torn(world)
    world.target.waits = lambda operation, subject: None
    assert world.run().exit_code == Exit.GUARD


def test_allocations_that_a_renamed_budget_left_behind_are_finished(world):
    world.source.put(budget("B0"), budget("B1"))
    for n in range(4):
        entity = Entity("user", f"u{n}@example.com")
        amount = Amount.of("10", "USD")
        world.source.put(Allocation(ref=f"a{n}", budget="B0", entity=entity, amount=amount))
    world.run()
    world.source.edit("B0", name="Renamed")
    world.dies_at(0, "max_changes")
    for page in world.target.list(Kind.ALLOCATION):
        for item in page.items:
            world.target.move(item.id, id_of(world, "B1"))
    report = world.run()
    assert (report.exit_code, report.verified) == (Exit.OK, True)


def test_a_plan_is_over_once_a_run_has_ended_well(world):
    world.source.put(*(budget(f"B{n}") for n in range(12)))
    world.run()
    world.source.put(budget("B0", 9000))
    world.dies_at(0, "max_money", "max_budget_change")
    world.source.put(budget("B0"))
    assert world.run().verified
    world.source.put(budget("B0", 9000))
    assert world.run().exit_code == Exit.GUARD


@pytest.mark.parametrize("error", [Rejected("no"), Transient("not now")])
def test_what_the_target_refused_is_tried_again_without_a_guard(world, error):
    def refuse(operation, subject):
        if operation == "update":
            raise error

    world.source.put(*(budget(f"B{n}") for n in range(12)))
    world.run()
    world.source.put(*(budget(f"B{n}", 5000) for n in range(6)))
    world.target.before = refuse
    world.run("max_money", "max_budget_change", "max_changes")
    world.target.before = lambda operation, subject: None
    assert world.run().verified


def saved(world, *allow):
    return Plan.load(world.engine.plan(DAY, allow).save())


def test_an_approved_plan_is_not_stopped_again(world):
    world.source.put(*(budget(f"B{n}") for n in range(12)))
    world.run()
    world.source.put(budget("B0", 9000))
    plan = saved(world, "max_money", "max_budget_change")
    world.source.put(*(budget(f"N{n}") for n in range(5)))  # not in the plan, and not made by it
    report = world.run(only=plan)
    assert (report.plan.guards, report.counts["applied"]) == ((), 1)


def test_a_plan_that_was_stopped_when_it_was_made_needs_to_be_allowed(world):
    world.source.put(*(budget(f"B{n}") for n in range(12)))
    world.run()
    world.source.put(budget("B0", 9000))
    plan = saved(world, "max_money")
    assert [trip.rule for trip in world.run(only=plan).plan.guards] == ["max_budget_change"]
    assert world.run("max_budget_change", only=plan).verified


def test_a_plan_whose_statement_changed_is_not_carried_out(world):
    world.source.put(budget("A"), budget("B"))
    world.run()
    world.source.put(budget("A", 1100))
    plan = saved(world)
    hidden = with_(plan.changes[0], stated="00" * 16)
    report = world.run(only=with_(plan, changes=(hidden,)))
    assert (report.counts["applied"], report.counts["skipped"]) == (0, 1)


@given(
    st.lists(st.sampled_from([0, 1, 900, 1000, 1400, 9000]), min_size=6, max_size=6),
    st.integers(0, 8),
)
@settings(max_examples=examples(8), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_a_run_that_was_interrupted_never_trips_what_it_passed(tmp_path_factory, amounts, write):
    folder = tmp_path_factory.mktemp("run")
    with closing(Store.open("sqlite:///state.db", folder, lambda: NOW)) as store:
        world = World(store)
        world.source.put(*(budget(f"B{n}") for n in range(8)))
        world.run()
        world.source.put(*(budget(f"B{n}", amount) for n, amount in enumerate(amounts)))
        world.source.put(budget("N"))
        if world.engine.plan(DAY).guards:
            allow = ("max_money", "max_budget_change", "max_changes")
        else:
            allow = ()
        world.dies_at(write, *allow)
        report = world.run()
        assert (report.plan.guards, report.verified) == ((), True)
