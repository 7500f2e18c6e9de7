"""Money over time: the quick ways say what the plain way says, of any two statements."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.data import moves_data, moves_of
from canonical.facts import Facts, money_facts
from canonical.money import Move, counted_on, counted_throughout, moves
from canonical.period import Cadence, Period, add_months, moved

DAYS = st.dates(date(2025, 11, 1), date(2027, 2, 1))
SPANS = st.tuples(DAYS, DAYS).map(sorted)
AMOUNTS = st.sampled_from(["0", "7", "7.00", "30", "49", "84", "365.2425", "1000"])
UNITS = st.sampled_from(["USD", "USD", "EUR", "JPY"])


@st.composite
def budgets(draw: st.DrawFn, most: int = 4) -> Budget:
    """Of few amounts, so that many are alike; with up to so many phases of a month each."""
    unit, (start, end) = draw(UNITS), draw(SPANS)
    first = draw(st.sampled_from([date(2026, 1, 1), date(2026, 3, 1)]))
    phases = tuple(
        Phase(Period(month, moved(add_months(month, 1), -1)), Amount.of(draw(AMOUNTS), unit))
        for month in (add_months(first, n) for n in range(draw(st.integers(0, most))))
    )
    return Budget(
        ref="B",
        name="B",
        amount=draw(st.none() | AMOUNTS.map(lambda number: Amount.of(number, unit))),
        cadence=draw(st.sampled_from(Cadence)),
        start=draw(st.sampled_from([None, start])),
        end=draw(st.sampled_from([None, end])),
        phases=phases if most else (),
    )


@st.composite
def shares(draw: st.DrawFn) -> Allocation:
    """One that says of its time as much as a budget does, or less."""
    said = draw(budgets(most=0))
    cadence = draw(st.sampled_from([None, said.cadence]))
    who = Entity("user", "u")
    return Allocation(ref="A", budget="B", entity=who, amount=said.amount, cadence=cadence,
                      start=said.start, end=said.end)  # fmt: skip


STATED = st.none() | budgets().map(money_facts)


def _plainly(before: Facts | None, after: Facts | None, as_of: date) -> list[Move]:
    """Every day on which something begins, in fractions."""
    starts = {
        date.fromisoformat(period[:10])
        for money in (before, after)
        for period, _ in (money[-1] if money else None) or ()  # type: ignore[union-attr,misc]
    }
    found: list[Move] = []
    for day in [as_of, *sorted(each for each in starts if each > as_of)]:
        was = counted_on(before, day) if before else None
        will = counted_on(after, day) if after else None
        move = Move(day, was, will)
        if was is None and will is None:
            continue
        if was and will and was.unit == will.unit and move.step == Fraction(0):
            continue
        if not found or (found[-1].before, found[-1].after) != (was, will):
            found.append(move)
    return found


@given(STATED, STATED, DAYS)
def test_moves_are_those_that_reckoning_in_fractions_finds(before, after, as_of):
    assert list(moves(before, after, as_of)) == _plainly(before, after, as_of)


@given(STATED, DAYS)
def test_the_same_statement_moves_nothing(stated, as_of):
    assert _plainly(stated, stated, as_of) == [] == list(moves(stated, stated, as_of))


@given(budgets(most=0) | shares(), DAYS)
def test_without_phases_one_amount_counts_on_every_day(stated, day):
    counted = counted_throughout(stated)
    assert counted == counted_on(money_facts(stated), day)
    assert str(counted) == str(counted_on(money_facts(stated), day))


@given(STATED, STATED, DAYS)
def test_moves_come_back_from_a_saved_plan_as_they_were(before, after, as_of):
    found = moves(before, after, as_of)
    assert moves_of(moves_data(found)) == found
    assert {type(each.after.amount) for each in found if each.after} <= {Decimal}
