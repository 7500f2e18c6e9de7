"""Which budgets a sync carries, and what becomes of those that leave its selection."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Cause
from canonical.kind import Kind, Op
from canonical.period import Period
from canonical.phase import Phase
from canonical.text import joined
from connectors.memory.connector import Memory
from connectors.memory.declared import MemorySettings
from sync.engine import Engine
from sync.intake.selection import Rule, Selection
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def budget(ref, department=None, **said):
    dimensions = {"department": department} if department else {}
    stated = {"ref": ref, "name": ref, "amount": Amount.of(100, "USD"), "dimensions": dimensions}
    return Budget(**stated | said)


def share(budget, who="ada"):
    entity = Entity("user", who)
    return Allocation(ref=who, budget=budget, entity=entity, amount=Amount.of(5, "USD"))


def of(*departments):
    return Selection((Rule("dimension", departments, "department"),))


class World:
    def __init__(self, folder):
        self.erp = Memory("erp")
        self.targets = {"brex": Memory("brex"), "bill": Memory("bill")}
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)
        self.syncs = {}

    def sync(self, name, selection, target="brex", **said):
        spec = {"on_remove": OnRemove.RETIRE, "limits": OPEN} | said
        self.syncs[name] = SyncSpec(
            name=name, source="erp", target=target, select=selection, parallel=1, **spec
        )

    def engine(self, name):
        spec = self.syncs[name]
        near = {
            each.name: lambda: self.erp
            for each in self.syncs.values()
            if each.name != name and each.target == spec.target
        }
        selections = {each.name: each.select for each in self.syncs.values()}
        target = self.targets[spec.target]
        return Engine(
            spec, self.erp, target, self.store,
            now=lambda: NOW, neighbours=near, selections=selections,
        )  # fmt: skip

    def plan(self, name, allow=()):
        return self.engine(name).plan(TODAY, allow)

    def run(self, name, **said):
        return self.engine(name).run(TODAY, command="test", **said)

    def live(self, target="brex"):
        return sorted(
            row.model.name if isinstance(row.model, Budget) else row.model.entity.id
            for row in self.targets[target]._rows.values()
            if row.model.status == "active"
        )

    def above(self, name, target="brex"):
        rows = self.targets[target]._rows
        (row,) = (row for row in rows.values() if getattr(row.model, "name", None) == name)
        return rows[row.container].model.name if row.container else None


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    with closing(made.store):
        yield made


JAN = Phase(Period(date(2026, 1, 1)), Amount.of(1, "EUR"))


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        (Rule("ref", ("CC0*",)), True),
        (Rule("ref", ("cc0*",)), False),
        (Rule("ref", ("X", "CC00?")), True),
        (Rule("name", ("Marketing [[]EU]",)), True),
        (Rule("name", ("Marketing",)), False),
        (Rule("dimension", ("e*",), "region"), True),
        (Rule("dimension", ("*",), "absent"), False),
        (Rule("dimension", ("",), "absent"), True),
        (Rule("parent", ("TOP",)), True),
        (Rule("parent", ("",)), False),
        (Rule("status", ("[ai]*",)), True),
        (Rule("currency", ("EUR",)), True),
        (Rule("currency", ("", "USD")), False),
    ],
    ids=str,
)
def test_a_pattern_is_a_shells(rule, holds):
    stated = Budget(
        ref="CC001", name="Marketing [EU]", amount=None, phases=(JAN,), parent="TOP",
        dimensions={"region": "emea"},
    )  # fmt: skip

    assert rule.holds(stated) is holds


def test_every_key_has_to_match_and_none_of_not():
    selection = Selection(
        (Rule("ref", ("A*",)), Rule("name", ("A*",))), (Rule("name", ("*x",)), Rule("ref", ("A9",)))
    )

    held = [
        selection.holds(budget(ref, name=name))
        for ref, name in [("A1", "A"), ("A1", "B"), ("B1", "A"), ("A1", "Ax"), ("A9", "A")]
    ]

    assert held == [True, False, False, False, False]


def test_one_source_feeds_two_targets_each_with_its_part(world):
    world.erp.put(budget("M", "marketing"), budget("I", "it"), share("M"), share("I", "bob"))
    world.sync("cards", of("marketing"))
    world.sync("bills", of("it"), target="bill")

    assert world.run("cards").verified
    assert world.run("bills").verified

    assert (world.live("brex"), world.live("bill")) == (["M", "ada"], ["I", "bob"])
    assert not world.plan("cards").changes
    assert world.plan("cards").selected.budgets == 1
    assert world.engine("bills").verify(TODAY).agree


@pytest.fixture
def moved(world):
    """`cards` has made M and N with a share each; then N leaves the selection, X the source."""
    world.sync("cards", of("marketing"))
    for ref in ("M", "N", "X"):
        world.erp.put(budget(ref, "marketing"), share(ref, f"{ref}-ada"))
    assert world.run("cards").verified
    world.erp.put(budget("N", "it"))
    world.erp.drop("X")
    return world


def test_what_left_the_selection_is_told_apart_from_what_is_gone(moved):
    plan = moved.plan("cards")

    causes = {change.ref: (change.op, change.cause) for change in plan.changes}
    assert causes == {
        "N": (Op.RETIRE, Cause.SELECTION), "N-ada": (Op.RETIRE, Cause.SELECTION),
        "X": (Op.RETIRE, Cause.SOURCE), "X-ada": (Op.RETIRE, Cause.SOURCE),
    }  # fmt: skip
    assert moved.run("cards").verified
    assert moved.live() == ["M", "M-ada"]


def test_what_is_kept_says_that_it_left_the_selection(moved):
    moved.sync("cards", of("marketing"), on_remove=OnRemove.KEEP)

    plan = moved.plan("cards")

    told = {
        each.ref: (each.cause, "left the selection" in each.reason) for each in plan.kept_objects
    }
    assert told["N"] == told["N-ada"] == (Cause.SELECTION, True)
    assert told["X"] == (Cause.SOURCE, False)
    assert plan.changes == ()


def test_a_share_that_is_gone_is_not_said_to_have_left_with_its_budget(moved):
    moved.erp.drop(joined("N", "N-ada"))

    causes = {change.ref: change.cause for change in moved.plan("cards").changes}

    assert (causes["N"], causes["N-ada"]) == (Cause.SELECTION, Cause.SOURCE)


def test_a_typo_that_leaves_all_out_removes_nothing_and_says_why(moved):
    moved.sync("cards", of("marketng"), limits=replace(OPEN, min_listing=Limits().min_listing))

    plan = moved.plan("cards")

    assert [trip.rule for trip in plan.guards] == ["min_listing"]
    assert "left the selection" in plan.guards[0].message
    assert plan.selected.unmatched == ('dimension.department = "marketng" matches no budget',)
    assert moved.run("cards").outcome == "aborted"
    assert "M" in moved.live()


def test_a_selection_that_changes_places_counts_as_removals(moved):
    moved.erp.put(budget("N", "marketing"), *(budget(f"I{number}", "it") for number in range(9)))
    usual = replace(OPEN, min_listing=Limits().min_listing, max_removals=Limits().max_removals)
    moved.sync("cards", of("it"), limits=usual)

    rules = [trip.rule for trip in moved.plan("cards").guards]

    assert rules == ["min_listing", "max_removals"]


def test_what_is_kept_in_place_trips_no_listing_guard(moved):
    usual = replace(OPEN, min_listing=Limits().min_listing)
    moved.erp.put(budget("M", "it"))
    moved.sync("cards", of("marketing"), limits=usual, on_remove=OnRemove.KEEP)

    plan = moved.plan("cards")

    assert (plan.guards, plan.changes) == ((), ())
    assert [each.where for each in plan.problems] == ["[syncs.cards.select]"]


def test_a_first_selection_that_matches_nothing_is_told(world):
    world.erp.put(budget("M", "marketing"))
    world.sync("cards", Selection((Rule("dimension", ("x",), "departmnt"),)))

    plan = world.plan("cards")

    assert "none of the 1 budgets" in plan.problems[0].message
    assert plan.selected.unmatched == (
        "dimension.departmnt: no budget has this dimension; there are department",
    )


def test_what_not_never_matches_is_told(world):
    world.erp.put(budget("M", "marketing"))
    world.sync("cards", Selection((), (Rule("ref", ("M", "Q*")),)))

    assert world.plan("cards").selected.unmatched == ('not.ref = "Q*" matches no budget',)


def test_an_empty_source_is_no_fault_of_the_selection(world):
    world.sync("cards", of("marketing"))

    assert world.plan("cards").problems == ()


@pytest.mark.parametrize("page_size", [1, 100])
@pytest.mark.parametrize("order", [("P", "C"), ("C", "P")])
def test_a_child_without_its_parent_hangs_at_the_top_by_name(world, order, page_size):
    world.erp = Memory("erp", MemorySettings(page_size=page_size))
    stated = {"P": budget("P", "it"), "C": budget("C", "marketing", parent="P")}
    world.erp.put(*(stated[ref] for ref in order))
    world.sync("cards", of("marketing"))

    (change,) = world.plan("cards").changes

    (loss,) = change.losses
    assert (loss.name, "parent P is not in the selection" in loss.reason) == (
        "emulated:parent",
        True,
    )
    assert world.run("cards").verified
    assert world.above("C") is None
    assert not world.plan("cards").changes


@pytest.mark.parametrize("page_size", [1, 100])
def test_a_child_listed_before_its_parent_keeps_it_where_both_are_selected(world, page_size):
    world.erp = Memory("erp", MemorySettings(page_size=page_size))
    world.erp.put(budget("C", "it", parent="P"), budget("P", "it"))
    world.sync("cards", of("it"))

    assert world.run("cards").verified
    assert world.above("C") == "P"


def test_a_parent_stays_for_as_long_as_something_selected_hangs_below_it(world):
    able = {"clearable": frozenset()}
    world.targets["brex"] = Memory.with_capabilities(**able)("brex")
    world.erp.put(
        budget("G", "it"), budget("P", "it", parent="G"), budget("C", "it", parent="P"), share("P")
    )
    world.sync("cards", of("it"))
    assert world.run("cards").verified
    world.erp.put(budget("G", "x"), budget("P", "x", parent="G"))

    plan = world.plan("cards")

    assert [each.op for each in plan.changes if each.op is not Op.BLOCKED] == []
    assert {each.ref for each in plan.kept_objects} == {"G", "P", "ada"}
    assert "still hangs below" in plan.kept_objects[0].reason


def test_a_parent_goes_once_what_is_selected_has_left_it(world):
    world.erp.put(budget("P", "it"), budget("C", "it", parent="P"))
    world.sync("cards", of("it"))
    assert world.run("cards").verified
    world.erp.put(budget("P", "x"))

    world.run("cards")
    world.run("cards")

    assert (world.live(), world.above("C")) == (["C"], None)


@pytest.mark.parametrize("first", ["cards", "more"])
@pytest.mark.parametrize("policy", OnRemove)
def test_what_moves_to_the_selection_of_a_neighbour_is_handed_over(world, first, policy):
    world.sync("cards", of("marketing"), on_remove=policy)
    world.sync("more", of("it"), on_remove=policy)
    world.erp.put(budget("M", "marketing"), budget("I", "it"), budget("X", "marketing"), share("X"))
    assert world.run("cards").verified
    assert world.run("more").verified
    rows = set(world.targets["brex"]._rows)
    world.erp.put(budget("X", "it"))
    second = {"cards": "more", "more": "cards"}[first]

    outcomes = [world.run(name).outcome for name in (first, second, first)]

    assert outcomes == ["ok", "ok", "ok"]
    assert set(world.targets["brex"]._rows) == rows
    assert world.live() == ["I", "M", "X", "ada"]
    assert world.plan("more").selected.budgets == 2
    assert not world.plan("more").changes


def test_the_last_object_of_a_selection_can_be_handed_over(world):
    world.sync("cards", of("marketing"))
    world.sync("more", of("it"))
    world.erp.put(budget("X", "marketing"), budget("I", "it"))
    assert world.run("cards").verified
    world.erp.put(budget("X", "it"))

    plan = world.plan("more")

    assert ([each.ref for each in plan.handovers], plan.conflicts) == (["X"], ())


def test_what_two_selections_take_is_a_conflict(world):
    world.sync("cards", of("marketing"))
    world.sync("more", of("mark*"))
    world.erp.put(budget("X", "marketing"))
    assert world.run("cards").verified

    (conflict,) = world.plan("more").conflicts

    assert (conflict.ref, conflict.owner) == ("X", "cards")


def test_a_saved_plan_is_good_for_its_selection_alone(world):
    world.erp.put(budget("M", "marketing"))
    world.sync("cards", of("marketing"))
    plan = world.plan("cards")
    world.sync("cards", of("*"))

    report = world.run("cards", only=plan)

    assert "select dimension.department" in report.error


def test_a_repeated_record_is_judged_once(world):
    world.erp.put(budget("M", "marketing"))
    item = next(iter(world.erp.list(Kind.BUDGET))).items[0]
    other = structs.replace(item, model=budget("M", "it"))
    pages = Memory.list

    def twice(kind, cursor=None, known=None):
        for page in pages(world.erp, kind, cursor, known):
            more = [other] if kind is Kind.BUDGET else []
            yield replace(page, items=[*page.items, *more])

    world.erp.list = twice
    world.sync("cards", of("marketing"))

    assert [change.op for change in world.plan("cards").changes] == [Op.CREATE]
