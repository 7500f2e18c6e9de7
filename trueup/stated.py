"""Stated: budgets that a script states itself, as the source of a plan."""

from collections.abc import Iterable
from dataclasses import dataclass

from canonical.budget import Budget
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory
from connectors.memory.declared import MemorySettings


@dataclass(frozen=True, slots=True)
class Stated:
    """All the budgets, with their allocations, that a script states; `sync_from` makes it."""

    budgets: tuple[Budget, ...]

    def system(self, name: str, runtime: Runtime) -> Memory:
        """A system of that name that holds them."""
        made = Memory(name, MemorySettings(connector="script"), runtime)
        made.put(*self.budgets)
        return made


def sync_from(budgets: Iterable[Budget]) -> Stated:
    """What a script states, to be given to `plan`, `apply` and `verify` as their `source`.

    It is all there is: a budget that a run made before and that is not among them has left the
    source. Raises `TypeError` for what is no budget, and `ValueError` for a ref that two of them
    have, or two allocations of one, or an allocation that names another budget.
    """
    found: dict[str, Budget] = {}
    for budget in budgets:
        if not isinstance(budget, Budget):
            raise TypeError(f"{budget!r} is no trueup.Budget")
        if budget.ref in found:
            raise ValueError(f"two budgets have the ref {budget.ref!r}")
        found[budget.ref] = budget
        shares: set[str] = set()
        for share in budget.allocations:
            if share.budget != budget.ref:
                raise ValueError(f"an allocation of {budget.ref!r} names {share.budget!r}")
            if share.ref in shares:
                raise ValueError(f"two allocations of {budget.ref!r} have the ref {share.ref!r}")
            shares.add(share.ref)
    return Stated(tuple(found.values()))
