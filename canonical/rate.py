"""Rates: what one unit of a currency is in another, exact, and never a float."""

import decimal
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from canonical.amount import Amount
from canonical.facts import Facts

_EXACT: Final = decimal.Context(prec=120, traps=[decimal.Inexact, decimal.InvalidOperation])
_WIDE: Final = decimal.Context(prec=120, traps=[decimal.InvalidOperation])


class Rounding(StrEnum):
    """How a converted amount comes to whole smallest units: a tie to the even neighbour, a tie
    away from zero, or always towards zero."""

    HALF_EVEN = "half-even"
    HALF_UP = "half-up"
    DOWN = "down"


_MODES: Final = {
    Rounding.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    Rounding.HALF_UP: decimal.ROUND_HALF_UP,
    Rounding.DOWN: decimal.ROUND_DOWN,
}


@dataclass(frozen=True, slots=True)
class Rate:
    """One `unit` is `value` of `to`, from `day` on; without a day always. `value` is above zero."""

    unit: str
    to: str
    value: Decimal
    day: date | None = None

    def exact(self, value: Decimal) -> Decimal:
        """So much of `unit` in `to`, with all its digits."""
        return _EXACT.multiply(value, self.value)

    def convert(self, amount: Amount, digits: int, rounding: Rounding) -> Amount:
        """The amount in `to`, with so many digits after the point.

        Raises `ArithmeticError` for one that is too large to be reckoned with.
        """
        return Amount(rounded(self.exact(amount.value), digits, rounding), self.to)

    def age(self, day: date) -> int | None:
        """How many days old the rate is on `day`; None for one without a day."""
        return None if self.day is None else (day - self.day).days

    def __str__(self) -> str:
        dated = f" of {self.day}" if self.day else ""
        return f"{self.value:f}{dated}"


def rounded(value: Decimal, digits: int, rounding: Rounding) -> Decimal:
    """The number with so many digits after the point."""
    step = Decimal(1).scaleb(-digits)
    return value.quantize(step, rounding=_MODES[rounding], context=_WIDE)


@dataclass(frozen=True, slots=True)
class Converted:
    """How an object was converted: `of` is the fingerprint of what the source stated itself, `own`
    are the facts of that, where they are needed."""

    of: bytes
    rates: tuple[Rate, ...]
    rounding: Rounding
    own: Facts | None = None

    def text(self) -> str:
        """What is remembered of it."""
        rates = [
            [each.unit, each.to, f"{each.value:f}", str(each.day) if each.day else None]
            for each in self.rates
        ]
        return json.dumps({"of": self.of.hex(), "rates": rates, "rounding": self.rounding.value})

    def is_rated_anew(self, remembered: str | None) -> bool:
        """Whether the source stated the same when that was `remembered`, at another rate."""
        return _read(remembered).get("of") == self.of.hex() and self.is_otherwise(remembered)

    def is_otherwise(self, remembered: str | None) -> bool:
        """Whether it was converted at another rate when that was `remembered`."""
        said = _read(remembered)
        if not said:
            return False
        then = [rate[:3] for rate in said.get("rates", ())], said.get("rounding")
        return then != (_values(self.rates), self.rounding.value)


def _read(remembered: str | None) -> dict[str, Any]:
    """What was remembered; nothing where it cannot be read: only a word in a plan hangs on it."""
    try:
        said = json.loads(remembered or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _values(rates: Sequence[Rate]) -> list[list[str]]:
    return [[each.unit, each.to, f"{each.value:f}"] for each in rates]
