"""Amounts that share a period, fill none, or are not stated for the day: named with what they are."""

from datetime import date

import pytest

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Cadence, Period
from connectors.contract.capabilities import Phasing
from sync.parts import parted, unstated

DAY = date(2026, 3, 18)
NOW, NEXT = Phasing.CURRENT, Phasing.CURRENT_AND_NEXT
MARCH, APRIL = "2026-03-01..2026-03-31", "2026-04-01..2026-04-30"


def usd(number):
    return Amount.of(number, "USD")


def budget(*phases, cadence=Cadence.MONTHLY, **said):
    """Of phases ("0101", "0314", 100), which are days of 2026."""
    made = [
        Phase(Period(_day(start), _day(end) if end else None), usd(number))
        for start, end, number in phases
    ]
    whole = {"start": made[0].period.start, "end": made[-1].period.end, "amount": made[0].amount}
    return Budget(ref="B", name="B", cadence=cadence, phases=tuple(made), **(whole | said))


def _day(text):
    return date(2026, int(text[:2]), int(text[2:]))


def losses(model, phasing, day=DAY):
    return [(each.name, each.reason) for each in parted(model, phasing, day, "shop")]


@pytest.mark.parametrize("phasing", [NOW, NEXT])
def test_two_amounts_in_the_period_of_the_day_are_named_with_the_one_that_is_held(phasing):
    said = losses(budget(("0101", "0314", 100), ("0315", "0630", 200)), phasing)
    both = "100.00 USD in 2026-01-01..2026-03-14, 200.00 USD in 2026-03-15..2026-06-30"
    held = f"shop holds 200.00 USD for all of {MARCH}"
    assert said == [("truncated:phases", f"the source states {both}; {held}")]


def test_two_amounts_in_the_next_period_are_named_where_that_is_held_too():
    model = budget(("0101", "0414", 100), ("0415", None, 200))
    assert losses(model, NOW) == []
    ((name, reason),) = losses(model, NEXT)
    assert name == "truncated:phases"
    assert f"holds 100.00 USD for all of {APRIL}" in reason


def test_an_amount_for_a_part_of_a_period_between_gaps_is_named():
    model = budget(("0101", "0131", 100), ("0310", "0320", 200), ("0601", "0630", 300))
    ((name, reason),) = losses(model, NOW)
    assert name == "rounded:phases"
    assert "200.00 USD in 2026-03-10..2026-03-20; shop holds 200.00 USD for all of" in reason


def test_a_next_period_in_a_gap_is_named_with_what_is_held_in_it():
    model = budget(("0101", "0331", 100), ("0601", "0630", 300))
    assert losses(model, NEXT) == [
        (
            "emulated:phases",
            f"the source states no amount for {APRIL}; shop holds 100.00 USD for all of {APRIL}",
        )
    ]


def test_what_counts_once_in_several_stretches_is_named_as_it_is_held_in_one():
    model = budget(("0101", "0331", 100), ("0401", "0630", 200), cadence=Cadence.ONCE)
    ((name, reason),) = losses(model, NOW)
    assert name == "truncated:phases"
    assert "shop holds 100.00 USD once, in 2026-01-01..2026-06-30" in reason


def test_a_budgets_own_edges_and_whole_periods_lose_nothing():
    model = budget(("0315", "0331", 100), ("0401", "0430", 200), ("0501", "0512", 300))
    for day in (DAY, date(2026, 4, 2), date(2026, 5, 2), date(2026, 9, 1)):
        assert losses(model, NEXT, day) == []


@pytest.mark.parametrize("phasing", [Phasing.ALL, Phasing.PERIODS])
def test_who_holds_all_phases_loses_nothing_here(phasing):
    model = budget(("0101", "0314", 100), ("0320", "0630", 200))
    assert losses(model, phasing) == []
    assert [*unstated(model, phasing, date(2026, 3, 16))] == []


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 1, 31), "for 2026-01-31; its first one, from 2026-02-01 on, counts, 1.00 USD"),
        (date(2026, 3, 1), "for 2026-03-01; the last one before it, until 2026-02-28, counts, 1"),
        (date(2026, 5, 1), "for 2026-05-01; the last one before it, until 2026-04-30, counts, 2"),
    ],
)
def test_a_day_before_between_and_after_what_is_stated_is_told_by_date(day, said):
    model = budget(("0201", "0228", 1), ("0401", "0430", 2))
    (loss,) = unstated(model, NOW, day)
    assert loss.name == "emulated:amount"
    assert said in loss.reason
    assert not loss.matters


@pytest.mark.parametrize("day", [date(2026, 2, 1), date(2026, 4, 30)])
def test_a_day_that_has_an_amount_is_not_told(day):
    assert [*unstated(budget(("0201", "0228", 1), ("0401", "0430", 2)), NOW, day)] == []


def test_an_amount_beside_the_phases_counts_before_the_first():
    for start in (None, date(2026, 1, 1)):
        model = budget(("0201", "0228", 1), start=start, amount=usd(7))
        assert [*unstated(model, NOW, date(2026, 1, 31))] == []
