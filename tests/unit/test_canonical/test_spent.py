"""Which period an amount spent is of, and what belongs together."""

from dataclasses import replace
from datetime import date

import pytest

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind
from canonical.period import Cadence, Period
from canonical.spent import Spent, by_place, period_now

DAY = date(2026, 3, 15)
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


def usd(value: str) -> Amount:
    return Amount.of(value, "USD")


def budget(cadence: Cadence, start: date | None = None, end: date | None = None) -> Budget:
    return Budget(ref="A", name="A", amount=usd("1"), cadence=cadence, start=start, end=end)


@pytest.mark.parametrize(
    ("cadence", "start", "first", "last"),
    [
        (Cadence.DAILY, None, DAY, DAY),
        (Cadence.WEEKLY, None, date(2026, 3, 9), DAY),
        (Cadence.MONTHLY, date(2026, 1, 1), MARCH.start, MARCH.end),
        (Cadence.QUARTERLY, date(2025, 12, 1), MARCH.start, date(2026, 5, 31)),
        (Cadence.YEARLY, date(2025, 7, 1), date(2025, 7, 1), date(2026, 6, 30)),
    ],
)
def test_what_counts_again_and_again_is_spent_in_the_period_of_the_day(
    cadence: Cadence, start: date | None, first: date, last: date
) -> None:
    assert period_now(budget(cadence, start), DAY) == Period(first, last)


def test_what_is_over_keeps_its_last_period_and_what_is_to_come_has_its_first() -> None:
    over = budget(Cadence.MONTHLY, date(2026, 1, 1), date(2026, 2, 28))
    later = budget(Cadence.MONTHLY, date(2026, 5, 1))

    assert period_now(over, DAY) == Period(date(2026, 2, 1), date(2026, 2, 28))
    assert period_now(later, DAY) == Period(date(2026, 5, 1), date(2026, 5, 31))


def test_what_counts_once_is_spent_in_its_own_time() -> None:
    start, end = date(2026, 2, 10), date(2026, 4, 9)
    whole = budget(Cadence.ONCE, start, end)
    phase = Phase(Period(date(2026, 3, 10), date(2026, 4, 9)), usd("2"))
    parts = Budget(ref="A", name="A", amount=usd("1"), start=start, phases=(phase,))

    assert period_now(whole, DAY) == Period(start, end)
    assert period_now(parts, DAY) == phase.period
    assert period_now(budget(Cadence.ONCE), DAY) is None


def test_a_day_that_the_calendar_cannot_cut_has_no_period() -> None:
    assert period_now(budget(Cadence.MONTHLY, date(9999, 12, 1)), DAY) is None


def test_a_share_without_a_cadence_of_its_own_counts_once() -> None:
    share = Allocation(ref="1", budget="A", entity=Entity("user", "u"), amount=usd("1"))

    assert period_now(share, DAY) is None


def test_rows_of_one_object_period_and_unit_belong_together() -> None:
    row = Spent(
        system="brex", sync="s", kind=Kind.BUDGET, ref="A", budget_ref=None, name="A",
        target_id="b1", above=None, status=Status.ACTIVE, amount=None, spent=usd("1"),
        pending=None, remaining=None, at=None, period=MARCH,
    )  # fmt: skip
    other = replace(row, system="bill", target_id="x1")
    others = [
        replace(row, spent=Amount.of("1", "EUR")),
        replace(row, period=Period(DAY)),
        replace(row, ref="B"),
        replace(row, kind=Kind.ALLOCATION, budget_ref="A"),
    ]
    silent = [replace(row, ref=None), replace(row, period=None), replace(row, spent=None)]

    found = by_place([row, *others, *silent, other])

    assert [*found.values()] == [[row, other], *([each] for each in others)]
