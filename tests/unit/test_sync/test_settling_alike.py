"""Creates whose answers were lost, of objects that bear no stamp and are alike."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import Uncertain
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)
ADA = Entity("user", "ada")


def share(ref, amount, budget="B"):
    return Allocation(ref=ref, budget=budget, entity=ADA, amount=Amount.of(amount, "USD"))


class Forgetful(Memory):
    """Neither keys nor stamps; the answers of `lost` creates of allocations do not arrive, and
    those of the `vain` have no effect."""

    capabilities = replace(Memory.capabilities, key_lifetime=timedelta(), stamps=frozenset())
    lost, vain, meanwhile = frozenset(), frozenset(), None

    def create(self, draft, key):
        if draft.model.ref in self.vain:
            raise Uncertain("nothing came back")
        made = super().create(draft, key)
        if draft.model.ref in self.lost:
            if self.meanwhile:
                self.meanwhile(made)
            raise Uncertain("nothing came back")
        return made


class World:
    def __init__(self, folder):
        self.source, self.target = Memory("erp"), Forgetful("target")
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)
        self.source.put(Budget(ref="B", name="B", amount=Amount.of(100, "USD")))
        assert self.run().verified

    def run(self):
        spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN, parallel=1)
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(TODAY, command="test")

    def loses(self, *refs, vain=(), meanwhile=None):
        """A run in which these are made, or those not, and nobody says so; it looks what became of
        them. `meanwhile` is told what each lost create made."""
        self.target.lost, self.target.vain = frozenset(refs), frozenset(vain)
        self.target.meanwhile = meanwhile
        self.run()
        self.target.lost, self.target.vain = frozenset(), frozenset()

    def amounts(self):
        pages = self.target.list(Kind.ALLOCATION)
        return sorted(str(item.model.amount.value) for page in pages for item in page.items)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    with closing(world.store):
        yield world


def test_two_that_are_the_same_and_were_both_lost_are_each_given_one(world):
    world.source.put(share("a", "5.00"), share("b", "5.00"))
    world.loses("a", "b")
    assert world.run().verified
    assert world.amounts() == ["5.00", "5.00"]


def test_two_of_one_entity_are_told_apart_by_their_amounts(world):
    world.source.put(share("a", "5.00"), share("b", "7.00"))
    world.loses("a", "b")
    report = world.run()
    assert report.verified
    assert not report.plan.pending
    assert world.amounts() == ["5.00", "7.00"]


def test_where_each_is_given_one_the_plan_puts_right_what_somebody_edited(world):
    world.source.put(share("a", "5.00"), share("b", "7.00"))
    nine = Amount.of("9.00", "USD")
    world.loses("a", "b", meanwhile=lambda made: world.target.edit(made.id, amount=nine))
    assert world.run().verified
    assert world.amounts() == ["5.00", "7.00"]


def test_of_two_of_which_one_had_no_effect_one_is_made_again(world):
    world.source.put(share("a", "5.00"), share("b", "5.00"))
    world.loses("a", vain=["b"])
    assert world.run().verified
    assert world.amounts() == ["5.00", "5.00"]


def test_where_more_are_there_than_were_lost_a_person_has_to_say_which(world):
    world.source.put(share("a", "5.00"), share("b", "5.00"))
    world.loses(
        "a", "b", meanwhile=lambda made: world.target.put(share("x", "5.00", made.container))
    )
    report = world.run()
    assert not report.verified
    assert report.plan.uncertain == 2
    assert world.amounts() == ["5.00", "5.00", "5.00"]
