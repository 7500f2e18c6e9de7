"""The reference connector keeps the contract."""

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.conformance import ConformanceSuite, World
from connectors.contract.records import Listed
from connectors.memory.connector import Memory


class TestMemory(ConformanceSuite):
    @pytest.fixture
    def world(self) -> World:
        memory = Memory()
        memory.listed = {"user": [Listed("u1", "Ada"), Listed("u2", "Grace")]}
        return World(connector=memory, reopen=memory.reopened, listed_types=["user"])


def test_what_people_do_in_the_system_is_seen_by_its_readers() -> None:
    memory = Memory()
    memory.put(Budget(ref="B1", name="Travel", amount=Amount.of(100, "USD")))
    memory.edit("B1", description="[trueup:7]")
    memory.spend("B1", Amount.of(30, "USD"))
    seen = memory.get(Kind.BUDGET, "B1")
    assert (seen.stamp, seen.model.amount) == ("7", Amount.of(100, "USD"))
    assert [actual.remaining for actual in memory.actuals()] == [Amount.of(70, "USD")]
