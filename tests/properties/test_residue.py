"""Converted shares: whatever the amounts and the rate, they come to no more than they did."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from canonical.rate import Rate, Rounding, rounded
from sync.intake.residue import Part, settle

CENT = Decimal("0.01")
cents = st.integers(0, 10**7).map(lambda number: Decimal(number) * CENT)
values = st.integers(1, 10**7).map(lambda number: Decimal(number).scaleb(-5))


def part(ref, exact, rounding):
    return Part(ref, None, date.min, date.max, exact, rounded(exact, 2, rounding))


def settled(amounts, given_away, rate, rounding, *, fills):
    convert = Rate("EUR", "USD", rate).exact
    had = part("B", convert(given_away), rounding)
    shares = [part(ref, convert(amount), rounding) for ref, amount in amounts]
    settle([had], shares, CENT, fills=fills)
    return had.rounded, {each.ref: each.rounded for each in shares}


@given(
    st.lists(cents, min_size=1, max_size=12),
    cents,
    values,
    st.sampled_from(Rounding),
    st.booleans(),
)
def test_shares_that_fit_fit_when_they_are_converted(amounts, more, rate, rounding, fills):
    named = list(enumerate(amounts))
    named = [(f"{ref:02}", amount) for ref, amount in named]

    had, shares = settled(named, sum(amounts) + more, rate, rounding, fills=fills)

    assert sum(shares.values()) <= had
    for ref, amount in named:
        assert abs(shares[ref] - rounded(amount * rate, 2, rounding)) <= CENT


@given(st.lists(cents, min_size=1, max_size=12), values, st.sampled_from(["half-even", "half-up"]))
def test_shares_that_fill_their_budget_fill_it_converted(amounts, rate, rounding):
    named = [(f"{ref:02}", amount) for ref, amount in enumerate(amounts)]

    had, shares = settled(named, sum(amounts), rate, Rounding(rounding), fills=True)

    assert sum(shares.values()) == had


@given(st.lists(cents, min_size=2, max_size=8), values, st.randoms(use_true_random=False))
def test_the_order_of_a_listing_does_not_matter(amounts, rate, chance):
    named = [(f"{ref:02}", amount) for ref, amount in enumerate(amounts)]
    other = named.copy()
    chance.shuffle(other)

    found = [
        settled(each, sum(amounts), rate, Rounding.HALF_UP, fills=True) for each in (named, other)
    ]

    assert found[0] == found[1]
