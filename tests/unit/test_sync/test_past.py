"""What is over stays as the target has it, where the source says nothing of it any more."""

from datetime import date

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import facts
from canonical.period import Cadence, Period
from sync.past import share_with_past, with_earlier_start, with_past

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def usd(number):
    return Amount.of(number, "USD")


def phase(start, end, number):
    return Phase(Period(start, end), usd(number))


def share(number=20, **said):
    return Allocation(ref="s", budget="B", entity=Entity("user", "s"), amount=usd(number), **said)


PAST = phase(JANUARY, date(2026, 1, 31), 10), phase(FEBRUARY, date(2026, 2, 28), 11)


def test_phases_that_are_over_stay_before_what_is_stated():
    stated = Budget(ref="B", name="B", amount=usd(30), start=MARCH)
    there = Budget(ref="B", name="B", amount=usd(10), phases=(*PAST, phase(MARCH, None, 12)))

    kept = with_past(stated, facts(there), MARCH)

    assert (kept.start, kept.phases) == (JANUARY, (*PAST, phase(MARCH, None, 30)))


def test_of_what_is_over_only_that_since_a_day_stays():
    stated = Budget(ref="B", name="B", amount=usd(30), start=MARCH)
    there = Budget(ref="B", name="B", amount=usd(10), phases=PAST)

    kept = with_past(stated, facts(there), MARCH, FEBRUARY)

    assert kept.phases == (PAST[1], phase(MARCH, None, 30))


@pytest.mark.parametrize("begins", [None, JANUARY])
def test_where_nothing_is_over_all_is_as_stated(begins):
    stated = Budget(ref="B", name="B", amount=usd(30), start=JANUARY)
    there = Budget(ref="B", name="B", amount=usd(10), phases=PAST)

    assert with_past(stated, facts(there), begins) is stated


def test_a_share_of_its_budgets_time_keeps_its_past_and_says_no_time():
    stated = share(30, cadence=Cadence.MONTHLY, start=MARCH)
    there = share(10, phases=PAST)

    kept = share_with_past(share(30), stated, facts(there), MARCH)

    assert (kept.start, kept.end, kept.amount) == (None, None, usd(10))
    assert kept.phases == (*PAST, phase(MARCH, None, 30))


def test_a_share_whose_past_says_the_same_amount_says_no_phases():
    stated = share(30, cadence=Cadence.MONTHLY, start=MARCH)
    there = share(30, phases=(phase(JANUARY, date(2026, 2, 28), 30),))
    wanted = share(30)

    assert share_with_past(wanted, stated, facts(there), MARCH) is wanted


def test_a_gap_in_a_shares_past_is_kept():
    stated = share(30, cadence=Cadence.MONTHLY, start=MARCH)
    there = share(30, phases=(phase(JANUARY, date(2026, 1, 31), 30),))

    kept = share_with_past(share(30), stated, facts(there), MARCH)

    assert kept.phases == (phase(JANUARY, date(2026, 1, 31), 30), phase(MARCH, None, 30))


@pytest.mark.parametrize(
    ("there", "since", "start"),
    [
        (JANUARY, None, JANUARY),
        (JANUARY, FEBRUARY, FEBRUARY),
        (APRIL, None, APRIL),
        (None, None, APRIL),
    ],
)
def test_a_share_begins_as_early_as_it_did_there_but_not_before_it_is_stated(there, since, start):
    told = with_earlier_start(share(start=APRIL), facts(share(start=there)), MARCH, since)

    assert told.start == start


def test_a_share_that_says_no_start_gets_none():
    wanted = share()

    assert with_earlier_start(wanted, facts(share(start=JANUARY)), MARCH, None) is wanted
