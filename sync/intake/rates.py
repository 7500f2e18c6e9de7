"""Rates: at which rates a sync converts for a target that holds one currency, as settings say."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from canonical.rate import Rate, Rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What converts into the currency `to`; nothing is inverted or crossed.

    `rates` are those of each other currency, by day, or one without a day. One that is older than
    `max_age` days does not count. `inverses` are currencies of which only the inverse is stated.
    `said` names the settings.
    """

    to: str
    rates: Mapping[str, tuple[Rate, ...]] = field(default_factory=dict)
    rounding: Rounding = Rounding.HALF_EVEN
    max_age: int | None = None
    inverses: frozenset[str] = frozenset()
    said: str = ""

    def on(self, unit: str, day: date) -> Rate | str:
        """The last rate of `unit` up to `day`; or why there is none to go by."""
        stated = self.rates.get(unit, ())
        if not stated:
            other = (
                f"; {self.to} to {unit} is, and an inverse is not guessed"
                if unit in self.inverses
                else ""
            )
            return f"no rate from {unit} to {self.to} is stated{other}"
        last = bisect_right(stated, day, key=lambda rate: rate.day or date.min)
        if not last:
            return f"the first rate from {unit} to {self.to} is of {stated[0].day}"
        rate = stated[last - 1]
        age = rate.age(day)
        if self.max_age is not None and age is not None and age > self.max_age:
            old = f"the last rate from {unit} to {self.to} is of {rate.day}, {age} days before"
            return f"{old}; max_age_days is {self.max_age}"
        return rate
