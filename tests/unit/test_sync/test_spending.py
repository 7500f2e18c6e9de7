"""Of which period, and by whose refs, what is spent is told."""

from datetime import date
from typing import Any

import pytest

from canonical.actual import Actual
from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence, Period
from canonical.spent import Spent
from connectors.memory.connector import Memory
from sync.spending import spending
from sync.state.ledger import Link

DAY = date(2026, 3, 15)
MARCH, WEEK = (Period(date(2026, 3, n), date(2026, 3, m)) for n, m in ((1, 31), (9, 15)))
BUDGET = Budget(
    ref="b", name="B", amount=Amount.of(9, "USD"), cadence=Cadence.MONTHLY, start=date(2026, 1, 1)
)
SHARE = Allocation(ref="1", budget="b", entity=Entity("user", "u"), amount=Amount.of(3, "USD"))


class Links:
    """A ledger in which budgets stand for those of the source."""

    def by_targets(self, kind: Kind, ids: list[str]) -> dict[str, Any]:
        link = Link(1, kind, "CC1", "", "b", "created", b"", b"", b"")
        return {id: link for id in ids if kind is Kind.BUDGET}


def told(*periods: Period) -> list[Spent]:
    memory = Memory("cards")
    memory.put(BUDGET, SHARE)
    memory._rows["b"].actual = Actual("b", Amount.of(1, "USD"), periods=periods)
    memory.spend("b/1", Amount.of(1, "USD"))
    return [*spending(memory, {"s": Links()}, DAY, sources={"s": "erp"})]  # type: ignore[dict-item]


def test_it_is_of_the_present_period_of_the_budget_and_so_are_its_shares() -> None:
    assert [row.period for row in told()] == [MARCH, MARCH]


def test_a_system_knows_better_of_which_period_it_tells() -> None:
    assert told(WEEK)[0].period == WEEK


def test_a_sum_of_several_periods_is_of_none() -> None:
    assert told(MARCH, WEEK)[0].period is None


@pytest.mark.parametrize(("kind", "source"), [(Kind.BUDGET, "erp"), (Kind.ALLOCATION, None)])
def test_the_ref_is_of_the_source_of_the_sync_that_links_it(kind: Kind, source: str | None) -> None:
    (row,) = [each for each in told() if each.kind is kind]
    assert row.source == source
