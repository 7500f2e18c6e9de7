"""Selection: which budgets of a source a sync carries, as its settings say. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from typing import Final

from canonical.budget import Budget

KEYS: Final = ("ref", "name", "dimension", "parent", "status", "currency")
"""What a budget can be selected by."""


@dataclass(frozen=True)
class Rule:
    """One key and the patterns of which a budget's value has to match one.

    A pattern is a shell's: `*` any text, `?` any character, `[ab]` one of those. Capitals count. A
    budget without a value matches the empty pattern alone. `dimension` names which of them is
    meant where `key` is "dimension".
    """

    key: str
    patterns: tuple[str, ...]
    dimension: str | None = None

    @cached_property
    def _matches(self) -> re.Pattern[str]:
        return re.compile("|".join(translate(each) for each in self.patterns if each) or r"\Z.")

    def value(self, budget: Budget) -> str:
        """What of the budget the patterns are compared with; empty where it has none."""
        if self.dimension is not None:
            return budget.dimensions.get(self.dimension, "")
        if self.key == "currency":
            amount = budget.amount or next((each.amount for each in budget.phases), None)
            return amount.unit if amount else ""
        return str(getattr(budget, self.key) or "")

    def holds(self, budget: Budget) -> bool:
        """Whether the budget's value matches one of the patterns."""
        value = self.value(budget)
        return bool(self._matches.match(value)) if value else "" in self.patterns

    def __str__(self) -> str:
        name = self.key if self.dimension is None else f"{self.key}.{self.dimension}"
        return f"{name} = {_listed(self.patterns)}"


@dataclass(frozen=True)
class Selection:
    """A budget is selected where each rule of `takes` holds for it, and none of `leaves`."""

    takes: tuple[Rule, ...] = ()
    leaves: tuple[Rule, ...] = ()

    def holds(self, budget: Budget) -> bool:
        """Whether the sync carries the budget."""
        return all(rule.holds(budget) for rule in self.takes) and not any(
            rule.holds(budget) for rule in self.leaves
        )

    def __str__(self) -> str:
        """The selection in one line: alike for two that say the same in the same order."""
        return "; ".join([*map(str, self.takes), *(f"not {rule}" for rule in self.leaves)])


def _listed(patterns: Sequence[str]) -> str:
    quoted = [f'"{each}"' for each in patterns]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"
