"""Shares that come to more than their budget has: told with the sum, the amount and the time."""

from dataclasses import replace as with_
from datetime import date

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Cadence, Period
from connectors.contract.capabilities import Capabilities
from sync.shares import Shares

DAY = date(2026, 3, 18)
ABLE = Capabilities(vendor="shop", budget={}, shares_beyond="so it is")
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


def usd(number):
    return Amount.of(number, "USD")


def budget(number=100, **said):
    whole = {"cadence": Cadence.MONTHLY, "start": YEAR.start, "end": YEAR.end} | said
    return Budget(ref="B", name="B", amount=number and usd(number), **whole)


def told(stated, *shares, able=ABLE):
    """What is said of each share of a number, or of an allocation of the budget."""
    watch = Shares(able, DAY)
    watch.state(stated)
    made = [stated.complete(_share(index, each)) for index, each in enumerate(shares)]
    return [[loss.reason for loss in watch.beyond(each, stated)] for each in made]


def _share(index, said):
    number, changed = said if isinstance(said, tuple) else (said, {})
    entity = Entity("user", f"u{index}")
    return Allocation(ref=f"S{index}", budget="B", entity=entity, amount=usd(number), **changed)


def test_the_share_that_goes_beyond_is_told_with_the_sum_the_amount_and_the_time():
    assert told(budget(), 60, 40, "0.01", 5) == [
        [],
        [],
        [
            f"the shares of B come to 100.01 USD, more than its 100.00 USD, monthly, in {YEAR}; so it is"
        ],
        [
            f"the shares of B come to 105.01 USD, more than its 100.00 USD, monthly, in {YEAR}; so it is"
        ],
    ]


def test_of_several_amounts_the_first_that_is_exceeded_from_the_day_on_is_named():
    months = [(1, 10), (2, 10), (3, 90), (4, 50), (5, 50)]
    phases = [
        Phase(Period(date(2026, month, 1), date(2026, month, 28)), usd(number))
        for month, number in months
    ]
    (reasons,) = told(budget(10, end=date(2026, 5, 28), phases=tuple(phases)), 60)
    assert ["50.00 USD, monthly, in 2026-04-01..2026-04-28" in each for each in reasons] == [True]


def test_shares_that_follow_each_other_are_not_added_up():
    first = (100, {"end": date(2026, 6, 30)})
    second = (100, {"start": date(2026, 7, 1)})
    assert told(budget(), first, second) == [[], []]
    assert [len(each) for each in told(budget(), first, second, 1)] == [0, 0, 1]


def test_shares_that_share_one_day_are_added_up_on_it():
    until, since = (60, {"end": date(2026, 7, 1)}), (60, {"start": date(2026, 7, 1)})
    assert [len(each) for each in told(budget(), until, since)] == [0, 1]


@pytest.mark.parametrize(
    ("stated", "share"),
    [
        (budget(None), 60),
        (budget(end=date(2026, 2, 28)), 200),
        (budget(), (200, {"cadence": Cadence.ONCE})),
        (budget(), (200, {"status": Status.INACTIVE})),
        (budget(status=Status.RETIRED), 200),
        (budget(), (200, {"end": date(2026, 3, 17)})),
    ],
)
def test_nothing_is_said_where_nothing_can_be_compared(stated, share):
    assert told(stated, share) == [[]]


def test_other_money_is_not_compared():
    watch = Shares(ABLE, DAY)
    watch.state(budget())
    euros = replace(budget().complete(_share(0, 200)), amount=Amount.of(200, "EUR"))
    assert not watch.beyond(euros, budget())


def test_where_a_budget_is_the_sum_the_share_is_blocked_and_the_next_is_not():
    able = with_(ABLE, sums_shares=True)
    assert [len(each) for each in told(budget(), 60, 60, 40, 1, able=able)] == [0, 1, 0, 1]
    watch = Shares(able, DAY)
    watch.state(budget())
    (loss,) = watch.beyond(budget().complete(_share(0, 101)), budget())
    assert loss.name == "blocked:amount"


def test_the_months_of_a_share_count_each_in_their_own():
    first, second = (Phase(Period(date(2026, n, 1), date(2026, n, 28)), usd(60)) for n in (4, 5))
    may = replace(second, amount=usd(41))
    june = Phase(Period(date(2026, 6, 1), date(2026, 6, 30)), usd(100))
    stated = budget()
    assert told(stated, (60, {"phases": (first, june)}), (41, {"phases": (second,)})) == [[], []]
    (_, (reason,)) = told(stated, (60, {"phases": (first, second)}), (41, {"phases": (may,)}))
    assert "come to 101.00 USD" in reason


def test_a_share_of_months_that_is_not_given_frees_all_of_them():
    able = with_(ABLE, sums_shares=True)
    month = Phase(Period(date(2026, 4, 1), date(2026, 4, 30)), usd(101))
    later = Phase(Period(date(2026, 5, 1), date(2026, 5, 31)), usd(99))
    said = told(budget(), (101, {"phases": (month, later)}), 99, 1, able=able)
    assert [len(each) for each in said] == [1, 0, 0]
