from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.errors import CanonicalError
from canonical.period import Cadence, Period


def usd(number):
    return Amount.of(number, "USD")


def budget(**said):
    return Budget(**({"ref": "B", "name": "B", "amount": usd(100)} | said))


JANUARY = Phase(Period(date(2026, 1, 1), date(2026, 1, 31)), usd(10))
MARCH = Phase(Period(date(2026, 3, 1), date(2026, 3, 31)), usd(30))


@pytest.mark.parametrize(
    ("day", "amount"),
    [("2025-12-31", 100), ("2026-01-01", 10), ("2026-01-31", 10), ("2026-02-15", 10),
     ("2026-03-01", 30), ("2026-04-01", 30)],
)  # fmt: skip
def test_in_force_before_within_between_and_after_the_phases(day, amount):
    phased = budget(phases=(JANUARY, MARCH))
    assert phased.in_force(date.fromisoformat(day)) == usd(amount)


def test_without_phases_the_amount_is_always_in_force():
    assert budget().in_force(date(2026, 1, 1)) == usd(100)


def test_by_period_cuts_an_open_end_at_the_horizon():
    found = budget(cadence=Cadence.MONTHLY, start=date(2026, 1, 15)).by_period(date(2026, 3, 10))
    assert [str(phase.period) for phase in found] == [
        "2026-01-15..2026-01-31",
        "2026-02-01..2026-02-28",
        "2026-03-01..2026-03-10",
    ]
    assert {phase.amount for phase in found} == {usd(100)}


def test_by_period_ends_with_the_budget_though_the_horizon_is_farther():
    ending = budget(cadence=Cadence.YEARLY, start=date(2026, 4, 1), end=date(2027, 3, 31))
    assert [str(each.period) for each in ending.by_period(date(2030, 1, 1))] == [
        "2026-04-01..2027-03-31"
    ]


def test_a_years_periods_begin_where_the_budget_does_and_a_months_do_not():
    yearly = budget(cadence=Cadence.YEARLY, start=date(2026, 4, 15))
    assert yearly.by_period(date(2028, 1, 1))[1].period.start == date(2027, 4, 1)


def test_a_phase_counts_in_each_period_that_it_holds():
    half = Phase(Period(date(2026, 1, 10), date(2026, 3, 31)), usd(5))
    rest = Phase(Period(date(2026, 4, 1)), usd(7))
    phased = budget(cadence=Cadence.MONTHLY, phases=(half, rest))
    assert [(str(each.period), each.amount) for each in phased.by_period(date(2026, 5, 20))] == [
        ("2026-01-10..2026-01-31", usd(5)),
        ("2026-02-01..2026-02-28", usd(5)),
        ("2026-03-01..2026-03-31", usd(5)),
        ("2026-04-01..2026-04-30", usd(7)),
        ("2026-05-01..2026-05-20", usd(7)),
    ]


@pytest.mark.parametrize("cadence", [Cadence.QUARTERLY, Cadence.YEARLY, Cadence.ONCE])
def test_phases_that_are_finer_than_the_cadence_stay_as_they_are(cadence):
    phased = budget(cadence=cadence, start=date(2026, 1, 1), phases=(JANUARY, MARCH))
    assert phased.by_period(date(2026, 12, 31)) == (JANUARY, MARCH)


def test_a_phase_across_two_periods_that_holds_neither_is_one():
    across = Phase(Period(date(2026, 2, 1), date(2026, 4, 30)), usd(5))
    phased = budget(cadence=Cadence.QUARTERLY, phases=(across,))
    assert phased.by_period(date(2026, 12, 31)) == (across,)


def test_what_counts_once_and_begins_beyond_the_horizon_has_no_period_yet():
    assert budget(start=date(2027, 1, 1)).by_period(date(2026, 12, 31)) == ()


def test_without_a_start_there_are_no_periods():
    assert budget(cadence=Cadence.MONTHLY).by_period(date(2026, 12, 31)) == ()


def month(number, amount):
    end = date(2026, number + 1, 1) - timedelta(days=1)
    return Phase(Period(date(2026, number, 1), end), usd(amount))


def test_months_of_one_amount_that_follow_each_other_are_one_stretch():
    phased = budget(cadence=Cadence.MONTHLY, phases=(month(1, 5), month(2, 5), month(3, 7)))
    whole = Phase(Period(date(2026, 1, 1), date(2026, 2, 28)), usd(5))
    assert phased.stretches() == (whole, month(3, 7))


def test_a_gap_parts_two_stretches_of_one_amount():
    phased = budget(cadence=Cadence.MONTHLY, phases=(month(1, 5), month(3, 5)))
    assert phased.stretches() == phased.phases


def test_stretches_that_meet_within_a_period_of_the_cadence_stay_two():
    phased = budget(cadence=Cadence.QUARTERLY, phases=(month(1, 5), month(2, 5), month(3, 5)))
    assert phased.stretches() == phased.phases


def test_joining_makes_no_whole_period_of_two_parts():
    ends = Phase(Period(date(2026, 2, 1), date(2026, 3, 31)), usd(5))
    begins = Phase(Period(date(2026, 4, 1), date(2026, 5, 31)), usd(5))
    phased = budget(cadence=Cadence.QUARTERLY, phases=(ends, begins))
    assert phased.stretches() == phased.phases


def test_a_fiscal_quarter_ends_where_the_budgets_own_do():
    halves = (
        Phase(Period(date(2026, 2, 1), date(2026, 4, 30)), usd(5)),
        Phase(Period(date(2026, 5, 1), date(2026, 7, 31)), usd(5)),
    )
    fiscal = budget(cadence=Cadence.QUARTERLY, start=date(2026, 2, 1), phases=halves)
    assert len(fiscal.stretches()) == 1
    assert len(replace(fiscal, start=None).stretches()) == 2


def test_what_counts_once_in_each_stretch_is_never_joined():
    phased = budget(cadence=Cadence.ONCE, phases=(month(1, 5), month(2, 5)))
    assert phased.stretches() == phased.phases


def share(**said):
    base = {"ref": "a", "budget": "B", "entity": Entity("user", "ada"), "amount": usd(1)}
    return Allocation(**(base | said))


def test_an_allocation_takes_what_it_leaves_unsaid_from_its_budget():
    full = budget(
        cadence=Cadence.MONTHLY,
        start=date(2026, 1, 1),
        end=date(2026, 12, 31),
        enforcement=Enforcement.HARD,
        carry_over=True,
    ).complete(share())
    assert (full.cadence, full.start, full.end) == (
        Cadence.MONTHLY,
        date(2026, 1, 1),
        date(2026, 12, 31),
    )
    assert (full.enforcement, full.carry_over) == (Enforcement.HARD, True)


def test_an_allocation_keeps_what_it_says():
    own = share(end=date(2026, 6, 30), carry_over=False)
    full = budget(end=date(2026, 12, 31), carry_over=True).complete(own)
    assert (full.end, full.carry_over) == (date(2026, 6, 30), False)


@pytest.mark.parametrize("status", [Status.INACTIVE, Status.RETIRED])
def test_a_budget_that_is_not_active_takes_its_allocations_with_it(status):
    assert budget(status=status).complete(share()).status is status


def test_an_active_budget_leaves_its_allocations_their_status():
    assert budget().complete(share(status=Status.INACTIVE)).status is Status.INACTIVE


def test_a_period_never_ends_before_it_starts():
    with pytest.raises(CanonicalError, match="before its start"):
        Period(date(2026, 1, 2), date(2026, 1, 1))


YEARLONG = budget(cadence=Cadence.MONTHLY, start=date(2026, 1, 1), end=date(2026, 12, 31))


def test_the_time_of_a_share_with_phases_is_theirs():
    full = YEARLONG.complete(share(phases=(JANUARY, MARCH)))
    assert (full.start, full.end, full.phases) == (
        date(2026, 1, 1),
        date(2026, 3, 31),
        (JANUARY, MARCH),
    )


def test_the_last_phase_of_a_share_that_is_open_ends_with_its_budget():
    open_end = Phase(Period(date(2026, 2, 1)), usd(20))
    full = YEARLONG.complete(share(phases=(JANUARY, open_end)))
    assert full.phases[1].period == Period(date(2026, 2, 1), date(2026, 12, 31))
    assert full.end == date(2026, 12, 31)


def test_a_share_is_by_itself_a_budget_with_its_phases():
    assert Budget.of_share(share(phases=(JANUARY, MARCH))).in_force(date(2026, 3, 1)) == usd(30)
