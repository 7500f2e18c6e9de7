"""What becomes of a value that a target cannot hold as it is."""

from dataclasses import dataclass
from enum import StrEnum

from canonical.facts import MONEY_FIELDS


class Effect(StrEnum):
    """What becomes of a value that a target cannot hold as it is."""

    ROUNDED = "rounded"
    TRUNCATED = "truncated"
    EMULATED = "emulated"
    DROPPED = "dropped"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Loss:
    """`field` cannot be held as it is: `effect` says what happens to it, `reason` why."""

    field: str
    effect: Effect
    reason: str

    @property
    def name(self) -> str:
        """The word by which a sync's `accept` list allows this loss: "rounded:amount"."""
        return f"{self.effect}:{self.field}"

    @property
    def matters(self) -> bool:
        """Whether it needs acceptance: blocked, or touching amounts, periods or limits."""
        return self.effect is Effect.BLOCKED or (
            self.field in MONEY_FIELDS and self.effect is not Effect.EMULATED
        )
