"""Which money is over the limit of an approval, and how that is said."""

from datetime import date
from decimal import Decimal

import pytest

from canonical.kind import Kind, Op
from canonical.money import Counted, Move
from canonical.period import Cadence
from sync.approval import reason
from sync.scales import Scales, Weighed
from sync.spec import Limit

TODAY = date(2026, 3, 10)


def counted(number, unit="USD"):
    return Counted(Decimal(number), unit, Cadence.MONTHLY)


def moving(before, after, ref="A"):
    return Weighed(Kind.BUDGET, ("", ref), Op.UPDATE, (Move(TODAY, before, after),), before)


def judged(limit, *there, back=(), total=1000):
    scales = Scales(TODAY)
    scales.put(Weighed(Kind.BUDGET, ("", "rest"), None, (), counted(total)))
    scales.put(Weighed(Kind.ALLOCATION, ("A", "s"), None, (), counted(1)))
    return reason(limit, scales, there, back)


TENTH = Limit(Decimal("0.1"))


@pytest.mark.parametrize(("after", "over"), [(200, False), (201, True), (0, False)])
def test_a_share_is_one_of_all_that_counts_of_that_kind_and_currency(after, over):
    said = judged(TENTH, moving(counted(100), counted(after)))

    assert bool(said) == over
    if said:
        assert said == "101 USD in budgets would move, 10.10% of what counts: over 10%"


def test_what_moves_on_both_sides_is_one_sum_and_the_sources_part_is_told():
    there, here = moving(counted(100), counted(160)), moving(counted(100), counted(150), "B")

    said = judged(TENTH, there, back=[here])

    assert said == (
        "110 USD in budgets would move (50 of it in the source), 11.00% of what counts: over 10%"
    )


def test_a_currency_that_is_given_up_moves_too():
    limit = Limit(money={"USD": Decimal(99), "EUR": Decimal(999)})

    said = judged(limit, moving(counted(100), counted(90, "EUR")))

    assert said == "100 USD in budgets would move, 10.00% of what counts: over 99 USD"


def test_of_a_currency_without_a_limit_all_is_over():
    said = judged(Limit(money={"USD": Decimal(99)}), moving(None, counted(1, "EUR")))

    assert "from nothing: over nothing, as approval names no amount of EUR" in said


def test_a_share_of_nothing_is_over_every_share():
    assert "from nothing: over 10%" in judged(TENTH, moving(None, counted(1, "EUR")))


def test_what_stays_within_both_limits_needs_no_approval():
    both = Limit(Decimal("0.1"), 0, {"USD": Decimal(50)})

    assert judged(both, moving(counted(100), counted(150))) is None
    assert judged(both, moving(counted(100), counted(151))).endswith("over 50 USD")
