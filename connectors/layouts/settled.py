"""What the periods of a file turned out to be, once all of them are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from canonical.amount import Amount
from canonical.period import Period
from connectors.layouts.numbers import PLACES
from connectors.layouts.questions import Question
from connectors.layouts.timelines import Timelines

_CENTS: Final = "USD"
"""A unit of two digits: what amounts are split to, whichever currency they are in."""


class Unsettled(Exception):
    """A period that a person has to say something about."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.what)
        self.question = question


@dataclass(slots=True)
class Settled:
    """What the periods turned out to be, by number, and what is to be told of them."""

    periods: dict[int, tuple[Period, ...]] = field(default_factory=dict)
    wrong: dict[int, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    spread: tuple[Decimal, ...] = ()
    """The ratios by which the amount of a period of several parts is split."""

    order: Sequence[Period] = ()
    """All periods in order of time."""
    places: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """By number, where its periods stand among them."""
    timelines: Timelines = field(default_factory=lambda: Timelines(()))
    in_order: bool = False
    """Whether each number is one period, and that at the same place among them."""

    def sort(self) -> None:
        """Put the periods in order, once all are known."""
        self.order = sorted({each for parts in self.periods.values() for each in parts})
        at = {period: place for place, period in enumerate(self.order)}
        self.places = {
            number: [at[each] for each in parts] for number, parts in self.periods.items()
        }
        self.timelines = Timelines(self.order)
        self.in_order = not self.wrong and all(
            [number] == places for number, places in self.places.items()
        )

    def shares(self, amount: int) -> list[int]:
        """An amount in ten-thousandths by those ratios, in whole cents that sum to it."""
        parts = Amount(Decimal(amount).scaleb(-PLACES), _CENTS).split(self.spread)
        return [int(part.value.scaleb(PLACES)) for part in parts]
