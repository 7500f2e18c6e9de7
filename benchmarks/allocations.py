"""`trueup plan` of 10,000 budgets with five allocations each: the first one, and an unchanged one.

The first plan meets an empty account and creates all 60,000 objects; in the unchanged one all of
them are there and linked. Start-up is included.
"""

import tempfile
from pathlib import Path

from benchmarks.measure import Cost, median_cost
from benchmarks.unchanged import trueup, unchanged
from benchmarks.world import brex, write_erp, write_settings

BUDGETS, SHARES = 10_000, 5
ROUNDS = 3


def main() -> None:
    """Measure and print both."""
    print(f"allocations: {BUDGETS:,} budgets of {SHARES} allocations, medians of {ROUNDS} rounds")
    for name, cost in (("first plan", first()), ("unchanged", unchanged(BUDGETS, SHARES)[0])):
        print(
            f"  {name:11} {cost.cpu:5.2f} s CPU, {cost.wall:5.2f} s in all, "
            f"at most {cost.peak / 1e6:4.0f} MB"
        )


def first() -> Cost:
    """The plan that creates everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_erp(folder, BUDGETS, SHARES)
        with brex() as url:
            settings = write_settings(folder, url)
            return median_cost([trueup("plan", settings) for _ in range(ROUNDS)])
