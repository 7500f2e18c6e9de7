"""What is removed is in the journal as it was there, so that it can be made again."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.facts import facts
from canonical.image import model_from
from canonical.kind import Kind
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.journal import Journal
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, min_listing=None)
TRAVEL = Budget(ref="T", name="Travel", amount=Amount.of(100, "USD"), description="by rail")
SHARE = Allocation(
    ref="T-1", budget="T", entity=Entity("user", "ada"), amount=Amount.of(5, "USD")
)  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with closing(Store.open("sqlite:///state.db", tmp_path, lambda: NOW)) as opened:
        yield opened


def run(source, target, store, on_remove):
    spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN, on_remove=on_remove)
    return Engine(spec, source, target, store, now=lambda: NOW).run(TODAY, command="test")


def removed(store, report):
    return {each.kind: each.before for each in Journal(store, "s").of_run(report.run_id)}


@pytest.mark.parametrize("on_remove", [OnRemove.RETIRE, OnRemove.DELETE])
def test_what_the_source_drops_is_journaled_whole(store, on_remove):
    source, target = Memory("erp"), Memory("target")
    source.put(TRAVEL, SHARE)
    run(source, target, store, on_remove)

    report = run(Memory("erp"), target, store, on_remove)

    before = removed(store, report)
    assert before[Kind.BUDGET]["description"] == "by rail"
    assert facts(model_from(Kind.ALLOCATION, "T-1", "T", before[Kind.ALLOCATION]))[:3] == (
        "user:ada",
        "5.00",
        "USD",
    )
    assert before[Kind.ALLOCATION]["budget"] == "T", "a ref of ours, no id of the target"


def test_what_the_source_says_is_over_is_journaled_whole(store):
    source, target = Memory("erp"), Memory("target")
    source.put(TRAVEL)
    run(source, target, store, OnRemove.KEEP)
    source = Memory("erp")
    source.put(structs.replace(TRAVEL, status=Status.RETIRED))

    report = run(source, target, store, OnRemove.KEEP)

    assert removed(store, report)[Kind.BUDGET]["amount"] == "100.00"


def test_what_is_journaled_whole_is_not_in_a_plan_that_is_printed(store):
    source, target = Memory("erp"), Memory("target")
    source.put(TRAVEL)
    run(source, target, store, OnRemove.RETIRE)
    report = run(Memory("erp"), target, store, OnRemove.RETIRE)
    assert report.plan is not None
    (change,) = report.plan.changes
    assert change.image is not None
    assert "image" not in report.plan.to_data()["changes"][0]
    assert replace(change, image=None) == change
