"""What a version vouches for: never for what a run wrote in, and for the rest only so long."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import Uncertain
from connectors.contract.records import Page
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


def usd(number):
    return Amount.of(number, "USD")


def share(who, amount=5):
    return Allocation(ref=who, budget="A", entity=Entity("user", who), amount=usd(amount))


class Summaries(Memory):
    """Lists budgets by name and amount; anything else of them, and their shares, is a detail."""

    shows_all = False

    def __init__(self, name="target"):
        super().__init__(name)
        self.details = 0

    def version(self, item):
        within = self._rows.values() if self.shows_all else ()
        below = [each.model.amount for each in within if each.container == item.id]
        return f"{item.model.name} {item.model.amount} {below}"

    def list(self, kind, cursor=None, known=None):
        budgets = [each for page in super().list(Kind.BUDGET) for each in page.items]
        versions = {each.id: self.version(each) for each in budgets}
        same = sorted(known.unchanged(versions)) if known else []
        if kind is Kind.BUDGET:
            read = [structs.replace(b, version=versions[b.id]) for b in budgets if b.id not in same]
            self.details += len(read)
            yield Page(read, unchanged=same)
            return
        shares = [each for page in super().list(kind) for each in page.items]
        yield Page([each for each in shares if each.container not in same], unchanged_within=same)


class ShowsAll(Summaries):
    """Its summaries hold the amounts of the shares too, and nothing else can be told it."""

    capabilities = Memory.with_capabilities(
        budget={"name": "exact", "amount": "exact"},
        allocation={"entity": "exact", "amount": "exact"},
        version_covers={
            Kind.BUDGET: frozenset({"name", "amount"}),
            Kind.ALLOCATION: frozenset({"entity", "amount", "budget"}),
        },
    ).capabilities
    shows_all = True


class World:
    def __init__(self, folder):
        self.source, self.target = Memory("erp"), Summaries()
        self.now, self.every = datetime(2026, 3, 10, tzinfo=UTC), timedelta(hours=12)
        self.store = Store.open("sqlite:///state.db", folder, lambda: self.now)

    def run(self, hours=0):
        self.now += timedelta(hours=hours)
        spec = SyncSpec(
            name="s", source="erp", target="target", limits=OPEN, full_pass_every=self.every
        )
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: self.now)
        self.target.details = 0
        return engine.run(self.now.date(), command="test")

    def started(self):
        self.source.put(Budget(ref="A", name="A", amount=usd(100)), share("ada"))
        assert self.run().verified
        return self

    def held_amount(self):
        (row,) = (each for each in self.target._rows.values() if each.container)
        return row.model.amount

    def held(self):
        pages = Memory.list(self.target, Kind.ALLOCATION)
        return {each.model.entity.id: each for page in pages for each in page.items}


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    with closing(world.store):
        yield world


def round_what_is_stored(target):
    def after(operation, id):
        row = target._rows.get(id)
        if operation == "update" and isinstance(row.model, Allocation):
            target.edit(id, amount=usd(round(row.model.amount.value)))

    target.after = after


def test_an_allocation_that_a_run_wrote_is_read_again_in_that_run(world):
    world.started()
    round_what_is_stored(world.target)
    world.source.put(share("ada", "133.77"))
    assert not world.run().verified
    assert world.held_amount() == usd(134)


def test_what_was_written_before_a_crash_is_read_again_in_the_next_run(world):
    def crash(operation, subject):
        if operation == "list" and world.held_amount() == usd(134):
            raise KeyboardInterrupt

    world.started()
    world.source.put(share("ada", "133.77"))
    round_what_is_stored(world.target)
    world.target.before = crash
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.target.before = world.target.after = lambda operation, subject: None
    report = world.run()
    assert (report.counts["applied"], world.held_amount()) == (1, usd("133.77"))


def test_a_budget_in_which_nothing_was_written_is_not_read_again(world):
    world.source.put(Budget(ref="B", name="B", amount=usd(7)))
    world.started()
    world.source.put(share("ada", 6))
    assert (world.run().verified, world.target.details) == (True, 1)


@pytest.mark.parametrize(("hours", "seen"), [(11, False), (13, True)])
def test_what_a_person_edits_unseen_is_unseen_for_as_long_as_the_settings_say(world, hours, seen):
    world.started()
    world.target.edit(world.held()["ada"].id, amount=usd(1))
    assert world.run(hours).counts["applied"] == seen


def test_reading_for_one_budget_does_not_make_another_look_read(world):
    world.source.put(Budget(ref="B", name="B", amount=usd(7)))
    world.started()
    world.source.put(share("ada", 6))
    world.run(hours=8)
    world.run(hours=8)
    assert world.target.details == 1


def test_a_number_of_runs_is_a_full_pass_too(world):
    world.every = 2
    world.started()
    world.run(hours=48)
    details = [world.target.details]
    world.run()
    assert [*details, world.target.details] == [1, 0]


def test_a_version_that_shows_all_that_is_compared_never_ages(world):
    world.target = ShowsAll()
    world.started()
    world.run(hours=1000)
    assert world.target.details == 0


def test_what_verification_adopts_is_remembered_with_the_version(world):
    def lag(operation, draft):
        if operation == "create" and draft.model.ref == "bob":
            hidden["row"] = world.target._rows.pop(next(reversed(world.target._rows)))
            raise Uncertain("no answer")

    def show(operation, kind):
        looks["left"] -= operation == "list" and kind is Kind.ALLOCATION and "row" in hidden
        if looks["left"] == 0 and "row" in hidden:
            row = hidden.pop("row")
            world.target._rows[row.id] = row

    hidden, looks = {}, {"left": 2}
    world.target.capabilities = Memory.with_capabilities(key_lifetime=timedelta()).capabilities
    world.started()
    world.source.put(share("bob"))
    world.target.after, world.target.before = lag, show
    world.run()
    report = world.run()
    assert (report.verified, report.plan.changes, len(world.held())) == (True, (), 2)
