"""`trueup plan` of 10,000 budgets with five allocations each: the first one, and an unchanged one.

The first plan meets an empty account and creates all 60,000 objects; in the unchanged one all of
them are there and linked. Start-up is included.
"""

from collections.abc import Iterator, Sequence

from benchmarks.figures import Figure
from benchmarks.measure import Cost
from benchmarks.sides import Side
from benchmarks.unchanged import costs, peaks
from benchmarks.world import desks

BUDGETS, SHARES = 10_000, 5
ROUNDS = 3


def figures(
    sides: Sequence[Side], budgets: int = BUDGETS, shares: int = SHARES, rounds: int = ROUNDS
) -> Iterator[Figure]:
    """Seconds of CPU and the peak in MB, of both plans."""
    with desks(sides, budgets, shares, mirrored=False) as all:
        first = [[desk.plan() for desk in all] for _ in range(rounds)]
    yield from _both("first plan", first, budgets, shares)
    _, unchanged = costs(sides, budgets, shares, rounds)
    yield from _both("plan unchanged", unchanged, budgets, shares)


def _both(
    what: str, rounds: Sequence[Sequence[Cost]], budgets: int, shares: int
) -> Iterator[Figure]:
    size = f"{budgets:,} budgets x {shares}"
    yield Figure(f"{what}, {size}, s", [[cost.cpu for cost in costs] for costs in rounds], digits=2)
    yield Figure(f"{what}, {size}, MB", peaks(rounds), digits=0)
