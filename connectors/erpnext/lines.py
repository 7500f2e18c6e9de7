"""Lines: what a document states of one account, period by period, to the cent of its amount."""

from calendar import month_name, monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

from canonical.amount import Amount
from canonical.currency import exponent
from canonical.period import Period, moved
from canonical.phase import Phase
from connectors.calling.parsing import begun
from connectors.contract.errors import Malformed
from connectors.erpnext.wire import (
    AccountBudget,
    DistributionRow,
    FiscalYear,
    MonthlyDistribution,
    YearBudget,
)

_ALLOWED: Final = Fraction(105, 1000)
"""How far ERPNext lets the rows of a distribution be from the budget's amount: 0.10 when both are
rounded to two digits."""
_ROUNDED: Final = Fraction(1, 200)
"""What a percentage that ERPNext adds up to 100.00 may lack."""
_MONTHS: Final = {month_name[number]: number for number in range(1, 13)}
_LONGEST: Final = 24
"""Months of a fiscal year; one has twelve, or fewer."""


@dataclass(frozen=True, slots=True)
class Line:
    """What `document` states of `account`. Where that is a year's amount of which nothing says how
    it falls into months, `months` are its twelfths."""

    document: str
    account: str
    phases: Sequence[Phase]
    months: Sequence[Phase] = ()


def line_of(budget: AccountBudget, unit: str) -> Line:
    """The line of a budget with rows of its own; raises `Malformed` where they do not make up its
    amount, or count at one time."""
    amount = Amount.of(budget.budget_amount, unit)
    rows = sorted(budget.budget_distribution, key=lambda row: (row.start_date, row.end_date))
    told = _sum([row.amount for row in rows])
    if abs(told - Fraction(amount.value)) >= _ALLOWED:
        raise Malformed(
            f"its rows come to {_shown(told)}, and its amount is {amount}: distribute all of it"
        )
    periods = [_period(row) for row in rows]
    for before, after in pairwise(periods):
        if before.overlaps(after):
            raise Malformed(f"two of its rows count on {after.start}")
    parts = exactly(amount, [row.amount for row in rows])
    return Line(budget.name, budget.account, _phases(periods, parts))


def lines_of(
    budget: YearBudget, year: FiscalYear, by: MonthlyDistribution | None, unit: str
) -> Iterator[Line]:
    """A line of each account of a budget for one fiscal year, split as the distribution says."""
    months = months_of(year)
    weights = _weights(by, year, months) if by else [1] * len(months)
    for row in budget.accounts:
        amount = Amount.of(row.budget_amount, unit)
        split = _phases(months, amount.split(weights))
        if by is not None:
            yield Line(budget.name, row.account, split)
            continue
        whole = Phase(Period(year.year_start_date, year.year_end_date), amount)
        yield Line(budget.name, row.account, (whole,), split)


def months_of(year: FiscalYear) -> Sequence[Period]:
    """The months of a fiscal year, from its own first day on; the last may be shorter."""
    first, last = year.year_start_date, year.year_end_date
    if last < first:
        raise Malformed(f"the fiscal year {year.name!r} ends before it begins")
    starts: list[date] = []
    while len(starts) <= _LONGEST and (start := _months_later(first, len(starts))) <= last:
        starts.append(start)
    if len(starts) > _LONGEST:
        raise Malformed(f"the fiscal year {year.name!r} has more than {_LONGEST} months")
    ends = [*(moved(start, -1) for start in starts[1:]), last]
    return [Period(start, end) for start, end in zip(starts, ends, strict=True)]


def exactly(total: Amount, parts: Sequence[Decimal]) -> Sequence[Amount]:
    """The parts in whole smallest units, so that they come to the total, which they may miss.

    What is missing is spread over them by their size, and units left over go to the largest
    remainders, the first of equals winning: parts that are whole and come to it stay.
    """
    minor, scale = total.minor(), 10 ** exponent(total.unit)
    exact = [Fraction(part) * scale for part in parts]
    missing, size = minor - sum(exact), sum(map(abs, exact))
    if missing and not size:
        raise Malformed(f"its rows come to nothing, and its amount is {total}")
    if missing:
        exact = [each + missing * abs(each) / size for each in exact]
    shares = [each.numerator // each.denominator for each in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))
    for index in by_remainder[: minor - sum(shares)]:
        shares[index] += 1
    return [Amount.from_minor(share, total.unit) for share in shares]


def _weights(
    by: MonthlyDistribution, year: FiscalYear, months: Sequence[Period]
) -> Sequence[Decimal]:
    """What part of the year's amount each month has; raises `Malformed` where it is not all."""
    named: dict[int, Decimal] = {}
    for row in by.percentages:
        month = _MONTHS.get(row.month)
        if month is None or month in named:
            what = "no month" if month is None else "a month that it has twice"
            raise Malformed(f"the Monthly Distribution {by.name!r} has {begun(row.month)}, {what}")
        named[month] = row.percentage_allocation
    weights = [named.get(period.start.month, Decimal(0)) for period in months]
    given = _sum(weights)
    if abs(100 - given) > _ROUNDED * len(months):
        raise Malformed(
            f"the Monthly Distribution {by.name!r} gives {_shown(given)} % to the months of "
            f"{year.name!r}; give them all of it"
        )
    if any(weight < 0 for weight in weights):
        raise Malformed(f"the Monthly Distribution {by.name!r} has a percentage below zero")
    return weights


def _sum(numbers: Sequence[Decimal]) -> Fraction:
    """Exactly; raises `Malformed` for what is no number."""
    if not all(each.is_finite() for each in numbers):
        raise Malformed("one of its rows has a number that nobody can reckon with")
    return sum(map(Fraction, numbers), Fraction(0))


def _shown(number: Fraction) -> str:
    return f"{Decimal(number.numerator) / Decimal(number.denominator):f}"


def _months_later(first: date, months: int) -> date:
    index = first.year * 12 + first.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if year > date.max.year:
        raise Malformed("a fiscal year goes on beyond the calendar")
    return date(year, month, min(first.day, monthrange(year, month)[1]))


def _period(row: DistributionRow) -> Period:
    if row.end_date < row.start_date:
        raise Malformed(f"a row ends on {row.end_date}, before its start {row.start_date}")
    return Period(row.start_date, row.end_date)


def _phases(periods: Sequence[Period], amounts: Sequence[Amount]) -> Sequence[Phase]:
    return [Phase(period, amount) for period, amount in zip(periods, amounts, strict=True)]
