"""A new ref for what may be an old budget is a conflict, not a create and a removal."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.capabilities import Removal
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def budget(ref, name, **said):
    return Budget(ref=ref, name=name, amount=Amount.of(100, "USD"), **said)


def share(ref):
    user = Entity("user", "ada")
    return Allocation(ref=f"{ref}-1", budget=ref, entity=user, amount=Amount.of(5, "USD"))


class Desk:
    def __init__(self, store, on_remove):
        self.store, self.target = (
            store,
            Memory.with_capabilities(removal=Removal.RETIRE_OR_DELETE)("target"),
        )
        self.spec = SyncSpec(
            name="s", source="erp", target="target", limits=OPEN, on_remove=on_remove
        )

    def run(self, *models):
        source = Memory("erp")
        source.put(*models)
        return Engine(self.spec, source, self.target, self.store, now=lambda: NOW).run(
            TODAY, command="run"
        )

    def names(self):
        found = (item.model for page in self.target.list(Kind.BUDGET) for item in page.items)
        return sorted(model.name for model in found if model.status == "active")


@pytest.fixture(params=list(OnRemove))
def desk(tmp_path, request):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as store:
        yield Desk(store, request.param)


@pytest.mark.parametrize(
    ("old", "new"), [("MKT", "mkt"), ("00123", "123"), ("CC-7", "CC-8")], ids=str
)
def test_another_ref_for_the_same_budget_waits_for_a_person(desk, old, new):
    assert desk.run(budget(old, "Marketing"), budget("B", "Travel")).verified

    report = desk.run(budget(new, "Marketing"), budget("B", "Travel"), share(new))

    (conflict,) = report.plan.conflicts
    assert (conflict.ref, len(conflict.candidates)) == (new, 1)
    assert f"state it as {old} again" in conflict.reason
    assert report.plan.pending == ()
    assert report.exit_code == 6
    assert desk.names() == ["Marketing", "Travel"]
    assert [each.ref for each in report.plan.kept_objects] == [old]


def test_whoever_states_the_old_ref_again_is_done(desk):
    desk.run(budget("MKT", "Marketing"))
    desk.run(budget("mkt", "Marketing"))

    report = desk.run(budget("MKT", "Marketing"))

    assert (report.plan.conflicts, report.plan.changes, report.verified) == ((), (), True)


def test_a_new_budget_of_a_new_name_is_made(desk):
    desk.run(budget("MKT", "Marketing"))

    report = desk.run(budget("SAL", "Sales"))

    assert report.plan.conflicts == ()
    assert "Sales" in desk.names()


def test_the_next_years_budget_of_a_name_is_made(desk):
    over = {"start": date(2025, 1, 1), "end": date(2025, 12, 31)}
    desk.run(budget("HR-2025", "Human Resources", **over), budget("B", "Travel"))

    report = desk.run(budget("HR-2026", "Human Resources"), budget("B", "Travel"))

    assert report.plan.conflicts == ()
    assert "Human Resources" in desk.names()


def test_two_budgets_of_one_name_that_are_both_stated_are_two(desk):
    desk.run(budget("A", "Travel"))

    report = desk.run(budget("A", "Travel"), budget("B", "Travel"))

    assert report.plan.conflicts == ()


def test_what_was_removed_in_the_target_stands_in_nobodys_way(desk):
    desk.run(budget("MKT", "Marketing"))
    (item,) = (item for page in desk.target.list(Kind.BUDGET) for item in page.items)
    desk.target.delete(Kind.BUDGET, item.id, "theirs")

    report = desk.run(budget("mkt", "Marketing"))

    assert report.plan.conflicts == ()
    assert desk.names() == ["Marketing"]
