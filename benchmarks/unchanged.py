"""A plan in which nothing changed, and the first run that adopts: a CSV file against Brex, at two
sizes.

Adopting, each budget is recognised by its stamp and linked; nothing is written to Brex.
Start-up is the same command for ten budgets; it is taken off before a budget's share is told.
"""

from collections.abc import Iterator, Sequence

from benchmarks.figures import Figure
from benchmarks.measure import Cost
from benchmarks.sides import Side
from benchmarks.world import desks

SIZES = (10_000, 100_000)
FEW = 10
ROUNDS = 3


def figures(
    sides: Sequence[Side], sizes: Sequence[int] = SIZES, rounds: int = ROUNDS
) -> Iterator[Figure]:
    """For each size, microseconds of CPU per budget and the peak in MB, of both commands."""
    few = costs(sides, FEW, 0, rounds)
    for size in sizes:
        many = costs(sides, size, 0, rounds)
        for what, start, whole in zip(("adopt", "plan unchanged"), few, many, strict=True):
            yield Figure(f"{what}, {size:,} budgets, µs a budget", _each(whole, start, size))
            yield Figure(f"{what}, {size:,} budgets, MB", peaks(whole), digits=0)


def costs(
    sides: Sequence[Side], budgets: int, shares: int, rounds: int
) -> tuple[list[list[Cost]], list[list[Cost]]]:
    """What adopting costs each side in each round, and what an unchanged plan costs after it."""
    adopting, unchanged = [], []
    with desks(sides, budgets, shares) as all:
        for _ in range(rounds):
            adopting.append([desk.adopt() for desk in all])
            unchanged.append([desk.unchanged() for desk in all])
    return adopting, unchanged


def peaks(rounds: Sequence[Sequence[Cost]]) -> list[list[float]]:
    """The most memory that each held, in MB."""
    return [[cost.peak / 1e6 for cost in costs] for costs in rounds]


def _each(
    rounds: Sequence[Sequence[Cost]], starts: Sequence[Sequence[Cost]], budgets: int
) -> list[list[float]]:
    return [
        [(cost.cpu - start.cpu) / budgets * 1e6 for cost, start in zip(costs, few, strict=True)]
        for costs, few in zip(rounds, starts, strict=True)
    ]
