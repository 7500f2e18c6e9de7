"""Lines to budgets and allocations: all that is stated for one cost centre, project or the like."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.period import Period
from canonical.phase import Phase
from canonical.text import ref as spelled
from connectors.contract.errors import Malformed
from connectors.erp.timing import overlap, time_of
from connectors.erpnext.lines import Line

ACCOUNT: Final = "account"
"""The type of an allocation's entity."""

Phases = Mapping[str, Sequence[Phase]]
"""By account, in order of time."""


def phases_of(lines: Iterable[Line], *, monthly: bool) -> Phases:
    """What the lines of one cost centre state, by account.

    Years that nothing splits count by the year, or in twelfths where `monthly`, or where another
    line has periods of its own. Raises `Malformed` where an account counts twice at one time.
    """
    lines = list(lines)
    monthly = monthly or not all(line.months for line in lines)
    found: dict[str, list[tuple[Phase, str]]] = defaultdict(list)
    for line in lines:
        phases = line.months if monthly and line.months else line.phases
        found[line.account] += [(phase, line.document) for phase in phases]
    for account, stated in found.items():
        stated.sort(key=lambda each: each[0].period)
        for (before, document), (after, other) in pairwise(stated):
            if before.period.overlaps(after.period):
                raise Malformed(
                    f"{account} counts twice on {after.period.start}, in {document!r} and {other!r}"
                )
    return {account: [phase for phase, _ in stated] for account, stated in found.items()}


def budget_of(ref: str, name: str, status: Status, accounts: Phases) -> Budget:
    """All accounts of a cost centre together; raises `Malformed` where their periods are unlike."""
    sums: dict[Period, Amount] = {}
    for phase in (phase for phases in accounts.values() for phase in phases):
        before = sums.get(phase.period)
        sums[phase.period] = phase.amount if before is None else before + phase.amount
    phases = tuple(Phase(period, sums[period]) for period in sorted(sums))
    if overlap(phases):
        raise Malformed("its accounts count in unlike periods: give all one distribution frequency")
    return Budget(ref=ref, name=name, status=status, **time_of(phases))


def allocations_of(budget: Budget, accounts: Phases) -> Sequence[Allocation]:
    """An allocation of each account; raises `Malformed` where two accounts have one spelling. Each
    counts as often as its budget.
    """
    found = [_allocation(budget, account, tuple(each)) for account, each in accounts.items()]
    refs = [each.ref for each in found]
    if len(set(refs)) < len(refs):
        raise Malformed("two of its accounts have names that nobody can tell apart")
    return found


def _allocation(budget: Budget, account: str, phases: tuple[Phase, ...]) -> Allocation:
    said = time_of(phases)
    if said["cadence"] is not budget.cadence:  # of unlike years it has those of one kind alone
        said |= {"cadence": budget.cadence, "phases": phases}
    entity = Entity(ACCOUNT, spelled(account))
    ref = str(entity)  # as an export has it that is read as a file
    return Allocation(ref=ref, budget=budget.ref, entity=entity, status=budget.status, **said)
