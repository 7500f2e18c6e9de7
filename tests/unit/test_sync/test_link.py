"""A person says which object of the target is meant by a ref, and which is not."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind, Op
from connectors.contract.capabilities import Removal
from connectors.contract.errors import Uncertain
from connectors.memory.connector import Memory
from sync.decided import Take
from sync.engine import Engine
from sync.link import Linker
from sync.links import CannotLink, LinkWaits
from sync.rename import Renamer
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.audit import Audit
from sync.state.checking import check
from sync.state.lease import Lease, LeaseHeld
from sync.state.owners import Owners
from sync.state.store import Store
from sync.unlink import Unlinker
from tests.unit.test_sync.people import People

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)
ForGood = Memory.with_capabilities(removal=Removal.RETIRE_FOR_GOOD, revives=frozenset())


def budget(ref, name="Marketing", amount=100, **said):
    return Budget(ref=ref, name=name, amount=Amount.of(amount, "USD"), **said)


def share(above, ref, who="ada"):
    user = Entity("user", who)
    return Allocation(ref=ref, budget=above, entity=user, amount=Amount.of(5, "USD"))


class Desk:
    def __init__(self, store, target):
        self.store, self.target, self.source = store, target, Memory("erp")
        self.spec = SyncSpec(
            name="s", source="erp", target="target", limits=OPEN, on_remove=OnRemove.RETIRE
        )
        self.people = People(store)

    def state(self, *models):
        self.source = Memory("erp")
        self.source.put(*models)

    def engine(self):
        return Engine(self.spec, self.source, self.target, self.store, now=lambda: NOW)

    def run(self):
        return self.engine().run(TODAY, command="run")

    def plan(self):
        return self.engine().plan(TODAY)

    def link(self, ref, id, above=None, approve=lambda linking: True):
        owners = Owners(self.store, "s", "memory:target", {})
        linker = Linker(
            self.spec, self.source, self.target, self.store, owners, lambda: NOW,
            lambda meaning: self.engine().plan(TODAY, supposed=[meaning]),
        )  # fmt: skip
        return linker.link(ref, id, above, approve)

    def unlink(self, ref, above=None, anew=False, approve=lambda unlinking: True):
        return Unlinker("s", self.store, lambda: NOW).unlink(ref, above, anew, approve)

    def put(self, *models):
        """Somebody makes them in the target by hand; returns their ids."""
        before = {*self.ids(Kind.BUDGET), *self.ids(Kind.ALLOCATION)}
        self.target.put(*models)
        return sorted({*self.ids(Kind.BUDGET), *self.ids(Kind.ALLOCATION)} - before)

    def there(self, kind):
        return {item.id: item for page in self.target.list(kind) for item in page.items}

    def ids(self, kind=Kind.BUDGET):
        return set(self.there(kind))

    def stamps(self):
        return {id: item.stamp for id, item in self.there(Kind.BUDGET).items()}


@pytest.fixture
def open_desk(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as store:
        yield lambda vendor=Memory: Desk(store, vendor("target"))


@pytest.fixture
def desk(open_desk):
    return open_desk()


def hand_made(desk, name="Human Resources", **said):
    (id,) = desk.put(budget("", name, **said))
    return id


# -- link ----------------------------------------------------------------------------------------


def test_what_is_linked_is_adopted_and_its_differences_are_brought(desk):
    id = hand_made(desk, amount=70)
    desk.state(budget("HR", "HR"))

    found = desk.link("HR", id)
    report = desk.run()

    assert found.done
    assert found.sides["name"] == ("HR", "Human Resources")
    (change,) = report.plan.changes
    assert (change.op, change.target_id, change.matched) == (Op.UPDATE, id, "decision")
    assert change == found.change
    assert report.verified
    assert desk.ids() == {id}
    assert desk.run().plan.changes == ()


def test_nothing_is_agreed_before_a_run(desk):
    id = hand_made(desk)
    desk.state(budget("HR", "HR"))

    desk.link("HR", id)

    assert desk.plan().adopted == 1
    assert desk.plan().changes[0].target_id == id


def test_an_allocation_is_linked_within_its_budget(desk):
    desk.state(budget("A"))
    desk.run()
    (above,) = desk.ids()
    other = Entity("user", "somebody")
    (id,) = desk.put(Allocation(ref="9", budget=above, entity=other, amount=Amount.of(5, "USD")))
    desk.state(budget("A"), share("A", "1"))

    desk.link("1", id, "A")
    report = desk.run()

    assert report.verified
    assert set(desk.there(Kind.ALLOCATION)) == {id}
    assert desk.there(Kind.ALLOCATION)[id].container == above


def test_what_bears_another_stamp_gets_its_own(desk):
    desk.state(budget("OLD"))
    desk.run()
    (id,) = desk.ids()
    desk.unlink("OLD")
    desk.state(budget("HR"))

    desk.link("HR", id)

    assert desk.run().verified
    assert desk.stamps() == {id: "HR"}


def test_who_says_no_links_nothing(desk):
    id = hand_made(desk)
    desk.state(budget("HR", "HR"))

    assert not desk.link("HR", id, approve=lambda linking: False).done
    assert [each.op for each in desk.plan().changes] == [Op.CREATE]


def test_what_is_not_there_cannot_be_linked(desk):
    desk.state(budget("HR"))
    with pytest.raises(CannotLink, match="target has no budget nothing"):
        desk.link("HR", "nothing")


def test_a_ref_that_is_not_stated_cannot_be_linked(desk):
    id = hand_made(desk)
    desk.state(budget("HR"))
    with pytest.raises(CannotLink, match="erp states no budget X"):
        desk.link("X", id)


def test_what_is_linked_says_which_command_frees_it(desk):
    desk.state(budget("A", "One"), budget("B", "Two"))
    desk.run()
    mine, other = sorted(desk.ids(), key=lambda id: desk.stamps()[id])
    desk.state(budget("A", "One"), budget("B", "Two"), budget("C c", "Three"))

    with pytest.raises(CannotLink, match=f"linked A to {mine}; trueup unlink s A frees it"):
        desk.link("A", other)
    with pytest.raises(CannotLink, match=f"linked {other} to B; trueup unlink s B frees it"):
        desk.link("C c", other)
    with pytest.raises(CannotLink, match="already"):
        desk.link("A", mine)


def test_one_object_is_said_to_be_one_ref(desk):
    id = hand_made(desk)
    desk.state(budget("A", "One"), budget("B", "Two"))
    desk.link("A", id)
    with pytest.raises(CannotLink, match=f"said already that {id} is A; trueup unlink s A"):
        desk.link("B", id)


def test_what_is_retired_for_good_cannot_be_linked(open_desk):
    desk = open_desk(ForGood)
    id = hand_made(desk)
    desk.target.retire(Kind.BUDGET, id, "by hand")
    desk.state(budget("HR"))
    with pytest.raises(CannotLink, match="cannot revive"):
        desk.link("HR", id)


def test_what_can_be_revived_is_linked_and_comes_back(desk):
    id = hand_made(desk, "Marketing")
    desk.target.retire(Kind.BUDGET, id, "by hand")
    desk.state(budget("HR"))

    desk.link("HR", id)

    assert desk.run().verified
    assert desk.there(Kind.BUDGET)[id].model.status is Status.ACTIVE


def test_what_lies_in_another_budget_cannot_be_linked(desk):
    desk.state(budget("A", "One"), budget("B", "Two"), share("B", "9"))
    desk.run()
    other = next(id for id, stamp in desk.stamps().items() if stamp == "B")
    (id,) = desk.put(share(other, "8", "x"))
    desk.state(budget("A", "One"), budget("B", "Two"), share("B", "9"), share("A", "1"))
    with pytest.raises(CannotLink, match="lies in"):
        desk.link("1", id, "A")


def test_what_vanished_since_it_was_linked_is_a_conflict_and_nothing_is_made(desk):
    id = hand_made(desk)
    desk.state(budget("HR", "HR"))
    desk.link("HR", id)
    desk.target.drop(id)

    report = desk.run()

    (conflict,) = report.plan.conflicts
    assert "the target has it no more" in conflict.reason
    assert desk.ids() == set()


def test_a_linked_object_is_adopted_by_no_other_ref(desk):
    id = hand_made(desk, "Marketing")
    desk.state(budget("A", "Other"), budget("B", "Marketing"))

    desk.link("A", id)
    desk.run()

    assert desk.there(Kind.BUDGET)[id].model.name == "Other"
    assert len(desk.ids()) == 2


# -- unlink --------------------------------------------------------------------------------------


@pytest.fixture
def parted(desk):
    """`A` was unlinked from the only object, which bears its stamp and its name."""
    desk.state(budget("A"))
    desk.run()
    assert desk.unlink("A").done
    return desk


def test_what_was_unlinked_is_asked_about_and_neither_adopted_nor_made_anew(parted):
    before = parted.ids()

    report = parted.run()

    (conflict,) = report.plan.conflicts
    assert (conflict.ref, set(conflict.candidates)) == ("A", before)
    assert report.plan.changes == ()
    assert parted.ids() == before
    assert parted.run().plan.conflicts == (conflict,)


def decide(desk, take, value=None):
    from sync.state.waits import Waits

    (wait,) = Waits(desk.store).queue(["s"]).waits
    desk.people.take(wait.waiting, take, value)


def test_that_id_can_be_taken_again(parted):
    (id,) = parted.ids()
    parted.run()

    decide(parted, Take.ID, id)

    assert parted.run().verified
    assert parted.ids() == {id}
    assert parted.run().plan.conflicts == ()


def test_none_of_it_makes_another_one_and_no_twin_is_reported(parted):
    (old,) = parted.ids()
    parted.run()

    decide(parted, Take.NONE)
    report = parted.run()

    assert report.verified
    assert parted.stamps() == {old: "A", **dict.fromkeys(parted.ids() - {old}, "A")}
    assert len(parted.ids()) == 2
    assert parted.run().verified


def test_anew_makes_another_one_at_once(desk):
    desk.state(budget("A"))
    desk.run()
    (old,) = desk.ids()

    desk.unlink("A", anew=True)
    report = desk.run()

    assert [each.op for each in report.plan.changes] == [Op.CREATE]
    assert report.verified
    assert desk.there(Kind.BUDGET)[old].model.status is Status.ACTIVE
    assert desk.run().verified


def test_anew_settles_what_was_unlinked_before(parted):
    parted.unlink("A", anew=True)

    assert parted.run().verified
    assert len(parted.ids()) == 2


def test_what_was_retired_for_good_names_the_command_and_is_made_anew(open_desk):
    desk = open_desk(ForGood)
    desk.state(budget("A b"))
    desk.run()
    (old,) = desk.ids()
    desk.target.retire(Kind.BUDGET, old, "by hand")
    (blocked,) = desk.run().plan.changes
    assert "trueup unlink s 'A b' --anew" in blocked.losses[0].reason

    desk.unlink("A b", anew=True)

    assert desk.run().verified
    assert len(desk.ids()) == 2


def test_allocations_below_an_unlinked_budget_go_with_it_and_come_back_with_it(desk):
    desk.state(budget("A"), share("A", "1"))
    desk.run()
    (id,), (below,) = desk.ids(), desk.ids(Kind.ALLOCATION)

    found = desk.unlink("A")
    report = desk.run()

    assert [link.target_id for link in found.below] == [below]
    assert [each.op for each in report.plan.changes] == [Op.BLOCKED]
    decide(desk, Take.ID, id)
    assert desk.run().verified
    assert (desk.ids(), desk.ids(Kind.ALLOCATION)) == ({id}, {below})


def test_allocations_of_a_budget_made_anew_are_made_in_it(desk):
    desk.state(budget("A"), share("A", "1"))
    desk.run()
    (old,) = desk.ids()

    desk.unlink("A", anew=True)

    assert desk.run().verified
    (new,) = desk.ids() - {old}
    places = sorted(item.container for item in desk.there(Kind.ALLOCATION).values())
    assert places == sorted([old, new])


def test_what_hangs_below_an_unlinked_budget_moves_to_the_new_one(desk):
    desk.state(budget("A"), budget("C", "Child", parent="A"))
    desk.run()

    desk.unlink("A", anew=True)

    assert desk.run().verified
    stamps = desk.stamps()
    (child,) = (i for i in desk.there(Kind.BUDGET).values() if i.stamp == "C")
    old = min(id for id, stamp in stamps.items() if stamp == "A")
    assert child.container != old


def test_an_unlinked_allocation_is_asked_about(desk):
    desk.state(budget("A"), share("A", "1"))
    desk.run()
    (id,) = desk.ids(Kind.ALLOCATION)

    desk.unlink("1", "A")
    report = desk.run()

    assert [(each.ref, each.candidates) for each in report.plan.conflicts] == [("1", (id,))]
    decide(desk, Take.ID, id)
    assert desk.run().verified
    assert desk.ids(Kind.ALLOCATION) == {id}


def test_another_ref_does_not_adopt_what_was_unlinked_by_its_name(desk):
    id = hand_made(desk, "Marketing")
    desk.state(budget("A"))
    desk.run()
    desk.unlink("A")
    desk.state(budget("B"))

    report = desk.run()

    assert [(each.ref, each.candidates) for each in report.plan.conflicts] == [("B", (id,))]
    assert desk.ids() == {id}


def test_what_was_unlinked_and_is_gone_is_asked_about_no_more(parted):
    (id,) = parted.ids()
    parted.target.drop(id)

    assert parted.run().verified
    assert len(parted.ids()) == 1


def test_what_was_unlinked_and_is_stated_no_more_stays(parted):
    before = parted.ids()
    parted.state()

    assert parted.run().plan.changes == ()
    assert parted.ids() == before


def test_a_link_that_no_run_adopted_yet_is_taken_back(desk):
    id = hand_made(desk)
    desk.state(budget("HR", "HR"))
    desk.link("HR", id)

    assert desk.unlink("HR").pending
    assert [each.op for each in desk.plan().changes] == [Op.CREATE]


def test_what_was_never_linked_cannot_be_unlinked(desk):
    desk.state(budget("A"))
    with pytest.raises(CannotLink, match="linked no budget A"):
        desk.unlink("A", anew=True)


def test_a_lost_state_tells_of_both_that_bear_one_stamp(desk, tmp_path):
    desk.state(budget("A"))
    desk.run()
    desk.unlink("A", anew=True)
    desk.run()

    with closing(Store.open(f"sqlite:///{tmp_path}/new.db", tmp_path, lambda: NOW)) as store:
        desk.store = store
        report = desk.run()

    assert [each.ref for each in report.plan.conflicts] == ["A"]
    assert report.plan.changes == ()


def test_a_copy_that_bears_the_stamp_is_among_what_is_asked(parted):
    (old,) = parted.ids()
    parted.target.put(structs.replace(parted.there(Kind.BUDGET)[old].model, ref="copy"))
    copy = parted.target._rows["copy"]
    copy.model = structs.replace(copy.model, description="[trueup:A]")

    report = parted.run()

    (conflict,) = report.plan.conflicts
    assert set(conflict.candidates) == {old, "copy"}
    assert report.plan.changes == ()


def test_a_question_under_other_conflicts_is_decided_by_link_as_well(parted):
    (old,) = parted.ids()
    parted.run()

    parted.link("A", old)

    report = parted.run()
    assert report.verified
    assert (parted.ids(), report.plan.conflicts) == ({old}, ())
    assert parted.run().verified


def test_an_unlinked_object_in_a_renamed_ref_keeps_its_question(desk):
    desk.state(budget("A"), share("A", "1"))
    desk.run()
    desk.unlink("1", "A")
    desk.state(budget("B"), share("B", "1"))
    owners = Owners(desk.store, "s", "memory:target", {})
    renamer = Renamer(desk.spec, desk.source, desk.store, owners, lambda: NOW)
    renamer.rename("A", "B", None, lambda renaming: True)

    report = desk.run()

    assert [(each.budget_ref, each.ref) for each in report.plan.conflicts] == [("B", "1")]


# -- both ----------------------------------------------------------------------------------------


def test_a_write_of_unknown_outcome_is_settled_first(desk):
    desk.state(budget("A"))
    desk.run()
    desk.source.edit("A", amount=Amount.of(120, "USD"))

    def lost(operation, _):
        if operation in ("update", "get"):
            raise Uncertain("no answer")

    desk.target.before = lost
    desk.run()

    with pytest.raises(LinkWaits, match="unknown outcome"):
        desk.unlink("A")
    with pytest.raises(LinkWaits, match="unknown outcome"):
        desk.link("A", "x")


def test_nothing_is_linked_or_unlinked_while_a_run_goes_on(desk):
    desk.state(budget("A"))
    desk.run()

    with Lease.take(desk.store, "s", now=lambda: NOW):
        with pytest.raises(LeaseHeld):
            desk.unlink("A")
        with pytest.raises(LeaseHeld):
            desk.link("A", "x")


def test_the_audit_tells_of_both_and_stays_whole(desk):
    id = hand_made(desk)
    desk.state(budget("HR", "HR"))
    desk.link("HR", id)
    desk.run()
    desk.unlink("HR", anew=True)

    rows = [row for row in Audit(desk.store).rows() if row.kind in ("link", "unlink")]
    assert [(row.kind, row.ref) for row in rows] == [("link", "HR"), ("unlink", "HR")]
    assert rows[0].data["said"]["target_id"] == id
    assert rows[1].data["said"]["anew"] is True
    assert check(desk.store).fault is None
