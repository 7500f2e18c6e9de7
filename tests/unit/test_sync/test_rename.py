"""A code that changed in the source keeps its object in the target."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.identity import unstamped
from canonical.kind import Kind, Op
from connectors.contract.errors import Uncertain
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.rename import Renamer
from sync.renames import CannotRename, RenameWaits
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.audit import Audit
from sync.state.checking import check
from sync.state.lease import Lease, LeaseHeld
from sync.state.owners import Owners
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def budget(ref, name="Marketing", **said):
    return Budget(ref=ref, name=name, amount=Amount.of(100, "USD"), **said)


def share(above, ref, who="ada"):
    user = Entity("user", who)
    return Allocation(ref=ref, budget=above, entity=user, amount=Amount.of(5, "USD"))


class Desk:
    def __init__(self, store):
        self.store, self.target, self.source = store, Memory("target"), Memory("erp")
        self.spec = SyncSpec(
            name="s", source="erp", target="target", limits=OPEN, on_remove=OnRemove.RETIRE
        )

    def state(self, *models):
        self.source = Memory("erp")
        self.source.put(*models)

    def run(self, **said):
        engine = Engine(self.spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(TODAY, command="run", **said)

    def rename(self, old, new, budget=None, approve=lambda renaming: True):
        owners = Owners(self.store, "s", "memory:target", {})
        renamer = Renamer(self.spec, self.source, self.store, owners, lambda: NOW)
        return renamer.rename(old, new, budget, approve)

    def there(self, kind):
        found = [item for page in self.target.list(kind) for item in page.items]
        return {item.id: item for item in found}


@pytest.fixture
def desk(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as store:
        yield Desk(store)


def test_a_renamed_budget_keeps_its_object_and_gets_the_new_stamp(desk):
    desk.state(budget("A"), share("A", "1"))
    desk.run()
    before = {kind: set(desk.there(kind)) for kind in Kind}
    desk.state(budget("B"), share("B", "1"))

    found = desk.rename("A", "B")
    report = desk.run()

    assert found.done
    assert {kind: set(desk.there(kind)) for kind in Kind} == before
    assert [each.stamp for each in desk.there(Kind.BUDGET).values()] == ["B"]
    assert [(each.op, set(each.fields)) for each in report.plan.changes] == [(Op.UPDATE, {"stamp"})]
    assert report.verified
    assert desk.run().plan.changes == ()


def test_an_allocation_whose_ref_holds_the_old_code_follows_by_its_entity(desk):
    desk.state(budget("A"), share("A", "A-1"), share("A", "A-2", "bob"))
    desk.run()
    before = set(desk.there(Kind.ALLOCATION))
    desk.state(budget("B"), share("B", "B-1"), share("B", "B-2", "bob"))

    desk.rename("A", "B")
    report = desk.run()

    assert set(desk.there(Kind.ALLOCATION)) == before
    assert {each.op for each in report.plan.changes} == {Op.UPDATE}
    assert report.verified


def test_allocations_of_one_entity_are_not_guessed(desk):
    desk.state(budget("A"), share("A", "A-1"))
    desk.run()
    desk.state(budget("B"), share("B", "B-1"), share("B", "B-2"))

    (link,) = desk.rename("A", "B").left

    assert link.ref == "A-1"


def test_what_hangs_below_a_renamed_budget_is_written_no_more(desk):
    desk.state(budget("A"), budget("C", "Child", parent="A"))
    desk.run()
    desk.state(budget("B"), budget("C", "Child", parent="B"))

    desk.rename("A", "B")

    assert [each.ref for each in desk.run().plan.changes] == ["B"]


def test_an_allocation_is_renamed_within_its_budget(desk):
    desk.state(budget("A"), share("A", "1"))
    desk.run()
    before = set(desk.there(Kind.ALLOCATION))
    desk.state(budget("A"), share("A", "2"))

    desk.rename("1", "2", "A")

    assert desk.run().verified
    assert set(desk.there(Kind.ALLOCATION)) == before


def test_what_a_run_did_before_can_still_be_undone(desk):
    desk.state(budget("A"))
    desk.run()
    desk.source.edit("A", amount=Amount.of(120, "USD"))
    run = desk.run()
    desk.state(Budget(ref="B", name="Marketing", amount=Amount.of(120, "USD")))
    desk.rename("A", "B")
    desk.run()

    from sync.undo.plan import Undo

    desk.run(undo=Undo(run.run_id, frozenset()))

    (item,) = desk.there(Kind.BUDGET).values()
    assert item.model.amount == Amount.of(100, "USD")


@pytest.mark.parametrize(
    ("stated", "old", "new", "said"),
    [
        (("A", "B"), "A", "B", "still states A"),
        (("C",), "A", "B", "states no budget B"),
        (("B",), "X", "B", "linked no budget X"),
        (("B",), "A", " A ", "one ref"),
        (("B", "Z"), "A", "Z", "to Z already"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_moves(desk, stated, old, new, said):
    desk.state(budget("A"), budget("Z", "Other"))
    desk.run()
    desk.state(*(budget(ref, f"name {ref}") for ref in stated))

    with pytest.raises(CannotRename, match=said):
        desk.rename(old, new)

    assert not [row for row in Audit(desk.store).rows() if row.kind == "rename"]


def test_a_write_of_unknown_outcome_is_settled_first(desk):
    desk.state(budget("A"))
    desk.run()
    desk.source.edit("A", amount=Amount.of(120, "USD"))

    def lost(operation, _):
        if operation in ("update", "get"):
            raise Uncertain("no answer")

    desk.target.before = lost
    desk.run()
    desk.state(budget("B"))

    with pytest.raises(RenameWaits, match="unknown outcome"):
        desk.rename("A", "B")


def test_nothing_is_renamed_while_a_run_goes_on(desk):
    desk.state(budget("A"))
    desk.run()

    with Lease.take(desk.store, "s", now=lambda: NOW), pytest.raises(LeaseHeld):
        desk.rename("A", "B")


def test_who_says_no_renames_nothing(desk):
    desk.state(budget("A"))
    desk.run()
    desk.state(budget("B"))

    found = desk.rename("A", "B", approve=lambda renaming: False)

    assert not found.done
    assert [each.ref for each in desk.run().plan.conflicts] == ["B"]


def test_the_audit_tells_of_it_and_stays_whole(desk):
    desk.state(budget("A"))
    desk.run()
    desk.state(budget("B"))

    desk.rename("A", "B")

    (row,) = [row for row in Audit(desk.store).rows() if row.kind == "rename"]
    assert (row.ref, row.data["said"]["from"]) == ("B", "A")
    assert check(desk.store).fault is None


def test_a_plan_prints_the_command(desk):
    desk.state(budget("A"))
    desk.run()
    desk.state(budget("B c"))

    (conflict,) = desk.run().plan.conflicts

    assert "trueup rename s A 'B c'" in conflict.reason


def test_the_old_code_can_be_stated_again_as_another_one(desk):
    desk.state(budget("A"))
    desk.run()
    desk.state(budget("B"))
    desk.rename("A", "B")
    desk.state(budget("B"), budget("A", "Sales"))

    report = desk.run()

    assert report.verified
    stamps = {
        unstamped(each.model.description)[1] or each.stamp
        for each in desk.there(Kind.BUDGET).values()
    }
    assert stamps == {"A", "B"}
