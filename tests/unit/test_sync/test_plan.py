"""What a plan makes of what the source states, object by object."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.identity import stamped
from canonical.kind import Kind, Op
from canonical.period import Cadence
from canonical.problem import Problem
from canonical.side import Side
from connectors.contract.capabilities import Hold
from connectors.contract.errors import Missing, Uncertain, Unseen
from connectors.contract.records import Page
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.fields import Fields, OnNew, Owner
from sync.intake.selection import Rule, Selection
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
NEW = ["amount", "cadence", "currency", "name", "status"]
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def usd(number):
    return Amount.of(number, "USD")


def budget(ref, **said):
    return Budget(**{"ref": ref, "name": f"Budget {ref}", "amount": usd(100)} | said)


def share(ref, above):
    return Allocation(ref=ref, budget=above, entity=Entity("user", ref), amount=usd(5))


class Shown(Memory):
    """Lists each object `times`, with `problems` beside the budgets; hides the ids in `hidden`, and
    `proves` that what it has no more is gone, or does not."""

    times, problems, hidden, proves = 1, (), frozenset(), False

    def list(self, kind, cursor=None, known=None):
        for page in super().list(kind, cursor):
            items = [item for item in page.items if item.id not in self.hidden]
            yield Page(items * self.times, self.problems if kind is Kind.BUDGET else ())

    def get(self, kind, id):
        try:
            if id in self.hidden:
                raise Missing(f"no {id}")
            return super().get(kind, id)
        except Missing as error:
            if self.proves:
                raise
            raise Unseen(f"{kind} {id} is not shown") from error


class World:
    def __init__(self, store, name):
        """Its target is its own: in one state, no two syncs have the same."""
        self.source, self.target, self.store = Shown("erp"), Shown(f"target {name}"), store
        self.name = name
        self.settings = {"limits": OPEN, "on_remove": OnRemove.RETIRE}

    def engine(self):
        systems = {"source": "erp", "target": self.target.name}
        spec = SyncSpec(name=self.name, **systems, parallel=1, **self.settings)
        return Engine(spec, self.source, self.target, self.store, now=lambda: NOW)

    def filled(self, *models):
        self.source.put(*models)
        assert self.engine().run(TODAY, command="test").verified
        return self

    def plan(self):
        return self.engine().plan(TODAY)

    def id(self, name):
        pages = self.target.list(Kind.BUDGET)
        return next(i.id for page in pages for i in page.items if i.model.name == name)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    with closing(Store.open("sqlite:///state.db", folder, lambda: NOW)) as store:
        yield store


@pytest.fixture
def world(store, request):
    return World(store, request.node.name)


def changed(plan):
    return [(each.op, each.ref, sorted(each.fields)) for each in plan.changes]


def test_what_is_as_agreed_on_both_sides_is_counted_and_no_more(world):
    plan = world.filled(budget("A"), budget("B"), share("a", "A")).plan()

    assert (changed(plan), plan.unchanged) == ([], 3)


def test_what_either_side_moved_is_a_change_and_the_rest_is_as_agreed(world):
    world.filled(budget("A"), budget("B"), budget("C"))
    world.source.put(budget("A", amount=usd(120)))
    world.target.edit(world.id("Budget B"), amount=usd(90))

    plan = world.plan()

    assert changed(plan) == [(Op.UPDATE, "A", ["amount"]), (Op.UPDATE, "B", ["amount"])]
    assert plan.unchanged == 1


def test_what_the_source_lists_twice_is_one_object(world):
    world.filled(budget("A"), budget("B"))
    world.source.put(budget("A", amount=usd(120)), budget("C"))
    world.source.times = 2

    plan = world.plan()

    assert changed(plan) == [(Op.UPDATE, "A", ["amount"]), (Op.CREATE, "C", NEW)]
    assert plan.unchanged == 1


def test_above_what_is_selected_the_target_is_told_of_nothing(world):
    world.settings["select"] = Selection(takes=(Rule("ref", ("B",)),))

    plan = world.filled(budget("A"), budget("B", parent="A")).plan()

    assert (changed(plan), plan.unchanged) == ([], 1)
    assert [i.model.parent for page in world.target.list(Kind.BUDGET) for i in page.items] == [None]


def test_what_the_target_hides_is_a_problem_and_its_shares_are_left_alone(world):
    world.filled(budget("A"), budget("B"), share("a", "A"), share("b", "B"))
    world.source.put(budget("A", amount=usd(120)), share("new", "A"), share("new", "B"))
    world.target.hidden = {world.id("Budget A")}

    plan = world.plan()

    done = [(each.op, each.budget_ref) for each in plan.changes if each.op is not Op.BLOCKED]
    assert done == [(Op.CREATE, "B")]
    (problem,) = [each for each in plan.problems if each.system == world.target.name]
    assert "A" in str(problem)


def test_where_a_row_of_the_source_cannot_be_read_nothing_is_removed(world):
    world.filled(budget("A"), budget("B"))
    world.source.drop("B")
    world.source.problems = [Problem("erp", "row 3", "no number")]

    assert changed(world.plan()) == []


def test_what_cannot_be_read_in_the_target_leaves_what_the_source_dropped_to_be_removed(world):
    world.filled(budget("A"), budget("B"))
    world.source.drop("B")
    world.target.problems = [Problem(world.target.name, "row 3", "no number")]

    assert [(op, ref) for op, ref, _ in changed(world.plan())] == [(Op.RETIRE, "B")]


@pytest.mark.parametrize(("status", "count"), [(Status.ACTIVE, 1), (Status.RETIRED, 0)])
def test_a_second_bearer_of_a_stamp_is_a_conflict_unless_it_is_retired(world, status, count):
    world.filled(budget("A"), budget("B"))
    copy = budget("copy", name="Copy", description=stamped(None, "A"), status=status)
    world.target.put(copy)

    conflicts = world.plan().conflicts

    assert len(conflicts) == count
    assert all(each.candidates == (world.id("Budget A"), "copy") for each in conflicts)


def test_behind_what_the_target_hides_all_else_is_judged(world):
    world.filled(budget("A"), budget("B"), share("a", "A"), share("b", "B"))
    dear = {"amount": usd(120)}
    world.source.put(budget("A", **dear), budget("B", **dear))
    world.source.put(*(replace_amount(share(ref, ref.upper())) for ref in "ab"))
    world.target.hidden = {world.id("Budget A")}

    done = [each for each in changed(world.plan()) if each[0] is not Op.BLOCKED]

    assert done == [(Op.UPDATE, "B", ["amount"]), (Op.UPDATE, "b", ["amount"])]


def replace_amount(said):
    return Allocation(ref=said.ref, budget=said.budget, entity=said.entity, amount=usd(7))


def test_a_share_that_says_no_cadence_goes_with_the_money_of_its_budgets(world):
    able = world.target.capabilities
    silent = {**able.allocation, "cadence": Hold.DROPPED}
    world.target.capabilities = replace(able, allocation=silent)
    world.filled(budget("A", cadence=Cadence.MONTHLY), share("a", "A"))
    world.source.drop("A/a")

    (change,) = world.plan().changes

    (move,) = change.money
    assert (change.op, move.before.cadence) == (Op.RETIRE, Cadence.MONTHLY)


@pytest.mark.parametrize(("name", "by"), [("Budget B", "name"), ("Trips", "amount")])
def test_what_vanished_and_what_is_new_may_be_one(world, name, by):
    world.filled(budget("A"), budget("B"))
    world.source.drop("B")
    world.source.put(budget("C", name=name))

    assert [(each.old, each.new, each.by) for each in world.plan().renames] == [("B", "C", by)]


# -- where the source is written too -------------------------------------------------------------


def both_sided(world, on_new=OnNew.CREATE):
    """Nothing is known yet of the budget T of the target, and of its share."""
    world.settings |= {"fields": Fields(default=Owner.SOURCE, on_new=on_new)}
    unsure = {"grace": timedelta(seconds=60), "key_lifetime": timedelta()}
    world.source.capabilities = replace(world.source.capabilities, **unsure)
    world.source.runtime = replace(world.source.runtime, patience=0.0)
    world.filled(budget("A"))
    world.target.put(budget("T", name="Tools", end=date(2026, 12, 31)), share("t", "T"))
    return world


def listed(system):
    return {item.id for kind in Kind for page in Memory.list(system, kind) for item in page.items}


def test_what_only_the_target_has_is_made_in_the_source(world):
    plan = both_sided(world).plan()

    assert [(each.side, each.op, each.ref) for each in plan.changes] == [
        (Side.SOURCE, Op.CREATE, "T"),
        (Side.SOURCE, Op.CREATE, "T/t"),
    ]


@pytest.mark.parametrize(("on_new", "strangers"), [(OnNew.REPORT, 2), (OnNew.IGNORE, 0)])
def test_nothing_is_made_in_the_source_where_that_is_not_asked_for(world, on_new, strangers):
    plan = both_sided(world, on_new).plan()

    assert (plan.changes, plan.stranger_count) == ((), strangers)


def test_what_was_just_made_in_the_source_and_is_not_listed_yet_is_waited_for(world):
    both_sided(world)
    known = listed(world.source)
    world.engine().run(TODAY, command="test")
    world.source.hidden = listed(world.source) - known

    plan = world.plan()

    assert len(world.source.hidden) == 2
    assert (changed(plan), plan.uncertain) == ([], 2)


def test_what_a_lost_answer_may_have_made_in_the_source_is_not_made_in_the_target(world):
    both_sided(world)
    world.source.before = lose_one()
    world.engine().run(TODAY, command="test")
    world.source.put(budget("X", name="Tools"), share("new", "X"), budget("Z"))

    plan = world.plan()

    ours = [each for each in plan.changes if each.side is Side.TARGET]
    assert [(each.op, each.ref) for each in ours] == [(Op.CREATE, "Z"), (Op.BLOCKED, "new")]
    assert "unknown outcome" in ours[1].losses[-1].reason


def lose_one():
    left = [Uncertain("the answer was lost")]

    def hook(named, _):
        if named == "create" and left:
            raise left.pop()

    return hook


def test_what_the_target_lost_waits_with_its_shares_where_both_sides_own_it(world):
    world.settings["fields"] = Fields(default=Owner.EITHER)
    world.filled(budget("A"), budget("B"), share("a", "A"), share("b", "B"))
    world.target.drop(world.id("Budget A"))
    world.target.proves = True
    world.source.put(budget("A", amount=usd(120)), budget("B", amount=usd(120)))
    world.source.put(share("new", "A"))

    plan = world.plan()

    assert ("removed", "A") in [(each.rule, each.ref) for each in plan.waits]
    assert [each for each in changed(plan) if each[0] is not Op.BLOCKED] == [
        (Op.UPDATE, "B", ["amount"])
    ]


def test_what_the_source_dropped_and_the_target_changed_waits(world):
    world.settings["fields"] = Fields(default=Owner.EITHER)
    world.filled(budget("A"), budget("B"), budget("C"))
    world.target.edit(world.id("Budget B"), amount=usd(150))
    world.source.drop("B")
    world.source.drop("C")

    plan = world.plan()

    assert [(each.rule, each.ref) for each in plan.waits] == [("removed", "B")]
    assert [each.ref for each in plan.changes] == ["C"]
