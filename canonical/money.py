"""Money over time: what a statement lets count on each day, and how far another one moves it.

What counts is compared per day: an amount over the length of its cadence's period, or where it
counts once over its own span. So a currency and a cadence are part of the money, and each stretch
of the present and the future is looked at, not only the day in force.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, cast

from msgspec import Struct

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.facts import Fact, Facts, phases_of
from canonical.period import Cadence
from canonical.records import as_dataclass

MONEY: Final = ("amount", "currency", "cadence", "start", "end", "phases")
"""The facts that say how much counts when, in the order of what `money_of` returns."""

_YEAR: Final = Fraction(146_097, 400)  # days: four centuries of the calendar have no remainder
_DAYS: Final[Mapping[Cadence, Fraction]] = {
    Cadence.DAILY: Fraction(1),
    Cadence.WEEKLY: Fraction(7),
    Cadence.MONTHLY: _YEAR / 12,
    Cadence.QUARTERLY: _YEAR / 4,
    Cadence.YEARLY: _YEAR,
}
_CENT: Final = Decimal("0.01")
_cadence: Final = lru_cache(maxsize=16)(Cadence)  # a fifth of what the enumeration itself takes


@as_dataclass
class Counted(Struct, frozen=True, gc=False):
    """`amount` of `unit` per period of `cadence`; `days` is the span of what counts once, where
    both its ends are known."""

    amount: Decimal
    unit: str
    cadence: Cadence
    days: int | None = None

    def length(self, other: "Counted | None" = None) -> Fraction:
        """The days over which the amount counts; a span that is not known is that of `other`."""
        if self.cadence is not Cadence.ONCE:
            return _DAYS[self.cadence]
        if self.days is not None:
            return Fraction(self.days)
        return Fraction(other.days) if other and other.days else _YEAR

    def in_terms_of(self, other: "Counted") -> Fraction:
        """The same money per day, as an amount per period of the other's cadence."""
        mine, theirs = self.length(other), other.length(self)
        return Fraction(self.amount) if mine == theirs else Fraction(self.amount) * theirs / mine

    def in_a_year(self) -> Fraction:
        """What counts in a year; what counts once, and not for longer than one, as a whole."""
        if self.cadence is Cadence.ONCE and self.length() <= 366:
            return Fraction(self.amount)
        return Fraction(self.amount) * _YEAR / self.length()

    def __str__(self) -> str:
        return f"{said(self.amount)} {self.unit}"


@as_dataclass
class Move(Struct, frozen=True, gc=False):
    """From `day` on, `after` counts in place of `before`; None is nothing at all."""

    day: date
    before: Counted | None
    after: Counted | None

    @property
    def unit(self) -> str:
        """What it is counted in, afterwards."""
        counted = self.after or self.before
        assert counted is not None
        return counted.unit

    @property
    def cadence(self) -> Cadence:
        """The cadence in whose periods `step` is told: that of afterwards."""
        counted = self.after or self.before
        assert counted is not None
        return counted.cadence

    @property
    def base(self) -> Fraction:
        """What counted before, in terms of afterwards; nothing where it was another unit."""
        if self.before is None or self.before.unit != self.unit:
            return Fraction(0)
        return self.before.in_terms_of(self.after) if self.after else Fraction(self.before.amount)

    @property
    def step(self) -> Fraction:
        """How far the amount moves up, or with a minus down, per period of `cadence`."""
        return (Fraction(self.after.amount) if self.after else Fraction(0)) - self.base

    @property
    def share(self) -> Fraction | None:
        """The step as a share of what was; None where that was nothing."""
        return abs(self.step / self.base) if self.base else None


def money_of(names: Sequence[str], values: Facts) -> Facts:
    """Those of an object's facts that say how much counts when."""
    facts = dict(zip(names, values, strict=True))
    return tuple(facts.get(name) for name in MONEY)


def counted_on(money: Facts, day: date) -> Counted | None:
    """What counts on `day`: before the first phase what is stated first, in a gap and after the
    end what counted last. None without an amount."""
    amount, unit, cadence, start, end, _ = money
    now = None if amount is None else (str(amount), start, end)
    for first, last, value in _phases(money) if money[-1] else ():
        if date.fromisoformat(first) > day and now is not None:
            break
        now = value, first, last
        if date.fromisoformat(first) > day:
            break
    if now is None or unit is None:
        return None
    value, begins, ends = now
    counts = _cadence(str(cadence)) if cadence else Cadence.ONCE
    days = _span(begins, ends) if counts is Cadence.ONCE else None
    return Counted(Decimal(value), str(unit), counts, days)


def counted_throughout(stated: Budget | Allocation) -> Counted | None:
    """What counts on each day, by what has no phases: as `counted_on` says of its facts."""
    amount, counts = stated.amount, stated.cadence or Cadence.ONCE
    if amount is None:
        return None
    days = _days_of(stated.start, stated.end) if counts is Cadence.ONCE else None
    return Counted(Decimal(amount.text()), amount.unit, counts, days)


def moves(before: Facts | None, after: Facts | None, as_of: date) -> tuple[Move, ...]:
    """How `after` moves what `before` said, on `as_of` and on every later day that says another."""
    if before == after:
        return ()
    found: list[Move] = []
    for day in _days(before, after, as_of):
        was = counted_on(before, day) if before else None
        will = counted_on(after, day) if after else None
        if was is None and will is None:
            continue
        if was is not None and will is not None and _is_same(was, will):
            continue
        if found and (found[-1].before, found[-1].after) == (was, will):
            continue
        found.append(Move(day, was, will))
    return tuple(found)


def _is_same(was: Counted, will: Counted) -> bool:
    """Whether both are as much per day, in one unit."""
    if was.unit != will.unit:
        return False
    if was.cadence is will.cadence and was.days == will.days:  # mostly: no fraction is needed
        return was.amount == will.amount
    return Fraction(will.amount) == was.in_terms_of(will)


def said(amount: Decimal | Fraction) -> str:
    """A number for people: thousands apart, and no more than two digits after the point."""
    value = amount if isinstance(amount, Decimal) else _decimal(amount)
    if value == value.to_integral_value() and value.as_tuple().exponent == 0:
        return f"{value:,}"
    return f"{value.quantize(_CENT):,}" if abs(value) < 10**20 else f"{value:,}"


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)


def _days(before: Facts | None, after: Facts | None, as_of: date) -> list[date]:
    starts = {
        date.fromisoformat(first)
        for money in (before, after)
        if money and money[-1]
        for first, _, _ in _phases(money)
    }
    return [as_of, *sorted(day for day in starts if day > as_of)]


def _phases(money: Facts) -> Iterator[tuple[str, str, str]]:
    """First day, last day or "", and amount of each."""
    if isinstance(money[-1], str):
        for phase in phases_of(money[-1]):
            first, _, last = str(phase.period).partition("..")
            yield first, last, phase.amount.text()
        return
    for period, value in cast("tuple[tuple[str, str], ...]", money[-1] or ()):
        first, _, last = period.partition("..")
        yield first, last, value


def _span(first: Fact, last: Fact) -> int | None:
    if not first or not last:
        return None
    return _days_of(date.fromisoformat(str(first)), date.fromisoformat(str(last)))


def _days_of(first: date | None, last: date | None) -> int | None:
    """The days from the first to the last, both included; None of what ends before it begins."""
    if first is None or last is None or last < first:
        return None
    return (last - first).days + 1
