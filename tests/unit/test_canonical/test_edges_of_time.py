"""Days at the edges of the calendar: ends that never come, starts of long ago."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.errors import CanonicalError
from canonical.period import FAR, Cadence, Period, moved, period_of

DAY = date(2026, 3, 18)
CALENDAR = [each for each in Cadence if each is not Cadence.ONCE]


def usd(number):
    return Amount.of(number, "USD")


def budget(**said):
    return Budget(**({"ref": "B", "name": "B", "amount": usd(10)} | said))


@pytest.mark.parametrize("end", [FAR, date(2999, 12, 31), date.max])
def test_an_end_that_never_comes_is_an_open_one_wherever_it_is_said(end):
    share = Allocation(ref="a", budget="B", entity=Entity("user", "a"), amount=None, end=end)
    assert budget(end=end).end is None
    assert share.end is None
    assert Phase(Period(DAY, end), usd(1)).period == Period(DAY)
    assert replace(budget(end=DAY), end=end).end is None


def test_the_last_day_before_is_an_end_like_any_other():
    last = FAR - timedelta(days=1)
    assert budget(end=last).end == last


@pytest.mark.parametrize("cadence", CALENDAR)
def test_what_the_calendar_has_no_day_for_is_wrong_data(cadence):
    with pytest.raises(CanonicalError):
        moved(period_of(cadence, date.max).end or date.max, 1)


def test_a_budget_since_a_day_has_no_period_that_ended_before():
    assert budget(cadence=Cadence.MONTHLY, start=date.min).since(DAY).start == date(2026, 3, 1)


def test_a_budget_that_is_over_keeps_its_last_period():
    over = budget(cadence=Cadence.MONTHLY, start=date(2020, 1, 1), end=date(2020, 9, 30))
    assert over.since(DAY).start == date(2020, 9, 1)


def test_years_and_quarters_are_cut_where_their_own_begin():
    years = budget(cadence=Cadence.YEARLY, start=date(2019, 4, 1), end=date(2027, 3, 31))
    assert years.since(DAY).start == date(2025, 4, 1)


def test_phases_are_cut_as_their_amounts_count():
    phases = (
        Phase(Period(date(2020, 1, 1), date(2025, 12, 31)), usd(1)),
        Phase(Period(date(2026, 1, 1)), usd(2)),
    )
    cut = budget(cadence=Cadence.MONTHLY, start=date(2019, 1, 1), phases=phases)
    cut = cut.since(date(2025, 11, 3))
    assert cut.phases == (Phase(Period(date(2025, 11, 1), date(2025, 12, 31)), usd(1)), phases[1])
    assert cut.all_phases() == cut.phases


def test_a_period_holds_what_shares_its_edges_and_nothing_beyond_them():
    march, open_end = Period(DAY, date(2026, 3, 31)), Period(DAY)
    assert march.holds(march)
    assert open_end.holds(open_end)
    assert open_end.holds(march)
    assert not march.holds(open_end)
    assert not march.holds(Period(DAY - timedelta(days=1), march.end))
    assert not open_end.holds(Period(DAY - timedelta(days=1)))
    assert not march.holds(Period(DAY, date(2026, 4, 1)))
