"""Amounts of money, or of a count: an exact number with its unit.

Never a float, on any path. Rounding happens only where the caller names it.
"""

import decimal
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cache
from typing import Self

from msgspec import Struct

from canonical.currency import exponent
from canonical.errors import CanonicalError, Inexact, UnitMismatch
from canonical.records import as_dataclass

_EXACT = decimal.Context(prec=60, traps=[decimal.Inexact, decimal.InvalidOperation])
_HALF_EVEN = decimal.Context(prec=60, rounding=ROUND_HALF_EVEN)


@cache
def _step(places: int) -> Decimal:
    """One in the last of `places` digits after the point: 0.01 for two."""
    return Decimal(1).scaleb(-places)


@as_dataclass
class Amount(Struct, frozen=True, gc=False):
    """`value` in major units of `unit`: Amount(Decimal("12.50"), "USD") is twelve dollars fifty.

    Two amounts are equal when unit and numeric value are, however many zeros were written.
    Comparison and arithmetic across units raise `UnitMismatch`.
    """

    value: Decimal
    unit: str

    @classmethod
    def of(cls, number: str | int | Decimal, unit: str) -> Self:
        """The amount written as `number`.

        Raises `CanonicalError` for what is not a finite decimal number, and for a float, whose
        digits are not the ones that were written; `UnknownUnit` for an unknown unit.
        """
        if isinstance(number, float):
            raise CanonicalError(f"{number!r} is a float; write the amount as text or Decimal")
        try:
            value = Decimal(number)
        except decimal.InvalidOperation:
            raise CanonicalError(f"{number!r} is not a number such as 1250.00") from None
        if not value.is_finite():
            raise CanonicalError(f"{number!r} is not a number such as 1250.00")
        exponent(unit)
        return cls(value, unit)

    @classmethod
    def from_minor(cls, minor: int, unit: str) -> Self:
        """The amount that `minor` smallest units make: 700 of USD is 7.00, 700 of JPY is 700."""
        return cls(Decimal(minor).scaleb(-exponent(unit), _EXACT), unit)

    def minor(self) -> int:
        """Whole smallest units; raises `Inexact` where the value has more digits than the unit."""
        scaled = self.value.scaleb(exponent(self.unit), _EXACT)
        whole = int(scaled)
        if whole != scaled:
            raise Inexact(f"{self} has more than {exponent(self.unit)} digits after the point")
        return whole

    def is_exact(self) -> bool:
        """Whether the unit can hold the value without rounding."""
        return self.rounded().value == self.value

    def rounded(self, digits: int | None = None) -> "Amount":
        """To `digits` after the point (the unit's own when not given), half to even."""
        step = _step(exponent(self.unit) if digits is None else digits)
        if self.value.same_quantum(step):
            return self
        return Amount(self.value.quantize(step, context=_HALF_EVEN), self.unit)

    def text(self) -> str:
        """The number alone, in plain digits with at least the unit's own fraction: "12500.00"."""
        value, places = self.value or Decimal(0), exponent(self.unit)  # zero has no sign
        if value.same_quantum(_step(places)):
            return str(value)  # with so few digits after the point it has no exponent
        whole, _, fraction = f"{value:f}".partition(".")
        fraction = fraction.rstrip("0").ljust(places, "0")
        return f"{whole}.{fraction}" if fraction else whole

    def __str__(self) -> str:
        return f"{self.text()} {self.unit}"

    def split(self, weights: Sequence[int | Decimal]) -> tuple["Amount", ...]:
        """Shares by `weights` whose sum is exactly this amount, in whole smallest units.

        The units left over go to the largest remainders, the first of equals winning. A negative
        amount splits as its positive twin does, so that a reversal cancels share by share.
        """
        total = sum(weights)
        if not weights or total <= 0 or any(weight < 0 for weight in weights):
            raise CanonicalError("an amount is split by weights that are not negative, one above 0")
        minor = abs(self.minor())
        exact = [minor * Fraction(weight) / Fraction(total) for weight in weights]
        shares = [int(share) for share in exact]
        by_remainder = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))
        for index in by_remainder[: minor - sum(shares)]:
            shares[index] += 1
        sign = -1 if self.value < 0 else 1
        return tuple(Amount.from_minor(sign * share, self.unit) for share in shares)

    def _same_unit(self, other: "Amount") -> None:
        if self.unit != other.unit:
            raise UnitMismatch(f"{self} and {other} have different units")

    def __add__(self, other: "Amount") -> "Amount":
        self._same_unit(other)
        return Amount(_EXACT.add(self.value, other.value), self.unit)

    def __sub__(self, other: "Amount") -> "Amount":
        self._same_unit(other)
        return Amount(_EXACT.subtract(self.value, other.value), self.unit)

    def __neg__(self) -> "Amount":
        return Amount(-self.value, self.unit)

    def __abs__(self) -> "Amount":
        return Amount(abs(self.value), self.unit)

    def __lt__(self, other: "Amount") -> bool:
        self._same_unit(other)
        return self.value < other.value

    def __le__(self, other: "Amount") -> bool:
        self._same_unit(other)
        return self.value <= other.value
