"""A saved plan is applied where it was made for, and nowhere else."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Plan
from canonical.kind import Kind
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Outcome
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
SPEC = SyncSpec(name="s", source="erp", target="target")


@pytest.fixture
def engine(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as store:
        source = Memory("erp")
        source.put(Budget(ref="A", name="Travel", amount=Amount.of(100, "USD")))

        def made(target, spec=SPEC):
            return Engine(spec, source, target, store, now=lambda: NOW)

        yield made


def saved(engine):
    """As it comes back from its file."""
    return Plan.load(engine.plan(TODAY).save())


def held(target):
    return [item for page in target.list(Kind.BUDGET) for item in page.items]


def test_a_plan_for_staging_is_not_applied_to_production(engine):
    plan, production = saved(engine(Memory("staging"))), Memory("production")

    report = engine(production).run(TODAY, command="apply", only=plan)

    assert report.outcome is Outcome.FAILED
    assert report.error == (
        "the plan was made for target memory staging (now memory production): plan again"
    )
    assert held(production) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"on_remove": OnRemove.DELETE}, "on_remove keep (now delete)"),
        ({"accept": frozenset({"dropped:phases"})}, "accept nothing (now dropped:phases)"),
        ({"stamp": False}, "stamp true (now false)"),
        ({"horizon_months": 3}, "horizon_months 12 (now 3)"),
    ],
)
def test_nor_is_one_that_was_made_under_other_settings(engine, changed, said):
    target = Memory("target")
    plan = saved(engine(target))

    report = engine(target, replace(SPEC, **changed)).run(TODAY, command="apply", only=plan)

    assert said in report.error
    assert held(target) == []


def test_limits_may_be_changed_between_the_two(engine):
    target = Memory("target")
    plan, spec = saved(engine(target)), replace(SPEC, limits=Limits(max_money=None))

    assert engine(target, spec).run(TODAY, command="apply", only=plan).verified


def test_a_plan_of_an_earlier_version_is_bound_to_nothing(engine):
    target = Memory("target")
    plan = replace(saved(engine(target)), bound_to={})

    assert engine(target).run(TODAY, command="apply", only=plan).verified
