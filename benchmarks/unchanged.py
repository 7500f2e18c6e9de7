"""`trueup plan` where nothing changed: a CSV file against Brex over HTTP, at two sizes.

The budgets are adopted by an earlier `trueup run`, which recognises each by its stamp.
Start-up is the same command for ten budgets; it is taken off before a budget's share is told.
"""

import tempfile
from pathlib import Path

from benchmarks.measure import Cost, command, median_cost
from benchmarks.world import DAY, SYNC, TOKEN, brex, write_erp, write_seed, write_settings

SIZES = (10_000, 100_000)
ROUNDS = 3


def main() -> None:
    """Measure and print what a budget costs, and how memory grows."""
    start, _ = unchanged(10)
    print(f"unchanged: medians of {ROUNDS} rounds; start-up {start.cpu:.2f} s CPU, taken off")
    for size in SIZES:
        cost, adopting = unchanged(size)
        print(
            f"  {size:7,} budgets: {(cost.cpu - start.cpu) / size * 1e6:5.1f} µs CPU a budget, "
            f"{cost.wall:5.2f} s in all, at most {cost.peak / 1e6:4.0f} MB "
            f"(adopting: {adopting.cpu / size * 1e6:.0f} µs, {adopting.peak / 1e6:.0f} MB)"
        )


def unchanged(budgets: int, shares: int = 0) -> tuple[Cost, Cost]:
    """What planning costs where all is linked and nothing changed, and what adopting it cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_erp(folder, budgets, shares)
        write_seed(folder / "seed.json", budgets, shares)
        with brex(folder / "seed.json") as url:
            settings = write_settings(folder, url)
            adopting = trueup("run", settings)
            costs = [trueup("plan", settings, "--detailed-exitcode") for _ in range(ROUNDS)]
    return median_cost(costs), adopting


def trueup(verb: str, settings: Path, *options: str) -> Cost:
    """What one command of the sync costs; `--detailed-exitcode` makes pending changes an error."""
    arguments = [verb, SYNC, "--config", str(settings), "--as-of", DAY, *options]
    return command(["-m", "trueup", *arguments], BREX_TOKEN=TOKEN)
