"""What the engine makes of an operation of several calls that broke off in the middle."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Enforcement, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import Rejected, Unauthorized, Uncertain
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Outcome
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def budget(ref, **said):
    return Budget(**{"ref": ref, "name": ref, "amount": Amount.of(100, "USD")} | said)


SHARE = Allocation(ref="a", budget="B", entity=Entity("user", "ada"), amount=Amount.of(5, "USD"))


class Stepwise(Memory):
    """Writes in steps: `breaks` is the error that the second call of a create or an update gets."""

    capabilities = replace(Memory.capabilities, key_lifetime=timedelta())
    breaks = None

    def create(self, draft, key):
        made = super().create(draft, key)
        self._break(made.id, description="half made")
        return made

    def update(self, id, draft, fields, key):
        if self.breaks:
            super().update(id, draft, set(fields) - {"parent"}, key)
        self._break(id)
        return super().update(id, draft, fields, key)

    def _break(self, id, **left):
        error, self.breaks = self.breaks, None
        if error is not None:
            self.edit(id, **left)
            raise Uncertain("one call had been done") from error


class World:
    def __init__(self, folder):
        self.source, self.target = Memory("erp"), Stepwise("target")
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)

    def run(self, on_remove=OnRemove.KEEP):
        spec = SyncSpec(
            name="s",
            source="erp",
            target="target",
            limits=OPEN,
            on_remove=on_remove,
            stamp=False,
            parallel=1,
        )
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(TODAY, command="test")

    def held(self, kind=Kind.BUDGET):
        return {item.model.ref: item for page in self.target.list(kind) for item in page.items}


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    with closing(world.store):
        yield world


def test_a_create_that_is_found_half_made_is_finished_and_not_called_whole(world):
    world.source.put(budget("B", description="Whole"))
    world.target.breaks = Rejected("no")
    world.run()
    assert world.run().verified
    (item,) = world.held().values()
    assert item.model.description == "Whole"


def test_what_the_target_says_by_itself_of_a_half_made_object_is_not_taken_back(world):
    world.target.capabilities = replace(Stepwise.capabilities, clearable=frozenset())
    world.source.put(budget("B", description="Whole"))
    made = world.target._made
    world.target._made = lambda draft: made(
        replace(draft, model=structs.replace(draft.model, enforcement=Enforcement.HARD))
    )
    world.target.breaks = Rejected("no")
    world.run()

    report = world.run()

    assert (report.outcome, report.verified) == (Outcome.OK, True)


def test_a_move_that_was_not_done_is_not_taken_for_done(world):
    world.source.put(budget("A"), budget("B"), budget("C", parent="A"))
    assert world.run().verified
    world.source.put(budget("C", parent="B", name="New"))
    world.target.breaks = Rejected("no")
    world.run()
    assert world.run().verified
    (parent,) = {item.container for item in world.held().values() if item.container}
    assert world.held()[parent].model.name == "B"


def test_a_wrong_credential_in_the_middle_of_an_operation_ends_the_run(world):
    world.source.put(budget("B"), budget("C"))
    world.target.breaks = Unauthorized("expired")
    report = world.run()
    assert (report.error, len(world.held())) == ("expired", 1)
    assert world.run().verified


def test_a_budget_stays_while_one_of_its_allocations_could_not_be_removed(world):
    world.source.put(budget("A"), budget("B"), SHARE)
    world.run()
    world.source.drop("B")
    kept = set(world.held(Kind.ALLOCATION))

    def refuse(operation, subject):
        if operation == "retire" and subject in kept:
            raise Rejected("it is in use")

    world.target.before = refuse
    report = world.run(OnRemove.RETIRE)
    assert [done.outcome for done in report.operations] == ["rejected", "skipped"]


def test_an_object_that_no_listing_shows_is_asked_for_before_it_is_left(world, monkeypatch):
    world.source.put(budget("B"), budget("C"))
    world.run()
    world.source.drop("C")
    id = next(item.id for item in world.held().values() if item.model.name == "C")
    pages = Memory.list

    def without(self, kind, cursor=None, known=None):
        for page in pages(self, kind, cursor, known):
            yield replace(page, items=[item for item in page.items if item.id != id])

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "list", without)
        report = world.run(OnRemove.RETIRE)
    assert [(done.target_id, done.outcome) for done in report.operations] == [(id, "applied")]
