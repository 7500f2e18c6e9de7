"""What phases out of an ERP's books say of amount, cadence and time."""

from datetime import date

import pytest

from canonical.amount import Amount
from canonical.period import Cadence, Period
from canonical.phase import Phase
from connectors.erp.timing import overlap, time_of


def phase(first, last, amount="1"):
    return Phase(
        Period(date.fromisoformat(first), date.fromisoformat(last)), Amount.of(amount, "USD")
    )


@pytest.mark.parametrize(
    ("spans", "cadence"),
    [
        ([("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")], Cadence.MONTHLY),
        ([("2026-02-01", "2026-04-30"), ("2026-05-01", "2026-07-31")], Cadence.QUARTERLY),
        ([("2026-07-01", "2027-06-30")], Cadence.YEARLY),
        ([("2026-01-01", "2026-06-30"), ("2026-07-01", "2026-12-31")], Cadence.ONCE),
        ([("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-04-30")], Cadence.ONCE),
    ],
)
def test_the_cadence_is_that_of_which_each_phase_is_a_whole_period(spans, cadence):
    assert time_of(tuple(phase(*each) for each in spans))["cadence"] is cadence


def test_one_amount_again_and_again_has_no_phases():
    found = time_of((phase("2026-01-01", "2026-01-31"), phase("2026-02-01", "2026-02-28")))
    assert (found["phases"], found["start"], found["end"]) == (
        (), date(2026, 1, 1), date(2026, 2, 28),
    )  # fmt: skip


@pytest.mark.parametrize(
    "later", [phase("2026-02-01", "2026-02-28", "2"), phase("2026-03-01", "2026-03-31")]
)
def test_amounts_that_differ_or_leave_a_gap_stay_phases(later):
    phases = (phase("2026-01-01", "2026-01-31"), later)
    assert time_of(phases)["phases"] == phases


def test_what_counts_once_is_never_joined():
    halves = (phase("2026-01-01", "2026-06-30"), phase("2026-07-01", "2026-12-31"))
    assert time_of(halves)["phases"] == halves


def test_phases_overlap_where_they_share_a_day():
    first = phase("2026-01-01", "2026-01-31")
    assert overlap([first, phase("2026-01-31", "2026-02-28")])
    assert not overlap([first, phase("2026-02-01", "2026-02-28")])
