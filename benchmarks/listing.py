"""Listing 100,000 Brex budgets as canonical ones, against reading the same pages as plain JSON.

The last figure is what counts: how many times as much it costs to check every record and to make
of it a budget with an exact amount, as to parse it and forget it.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.sides import Side
from benchmarks.world import TOKEN, Desk, desks

BUDGETS = 100_000
ROUNDS = 5

_PROGRAM = Path(__file__).with_name("list_budgets.py")


def figures(
    sides: Sequence[Side], budgets: int = BUDGETS, rounds: int = ROUNDS
) -> Iterator[Figure]:
    """The plain listing and that of each side, in turns: microseconds of CPU per budget."""
    plain, ours = [], []
    with desks(sides, budgets) as all:
        for _ in range(rounds):
            plain.append([_cost(all[0], budgets, "plain", all[0].url, TOKEN)])
            ours.append([_cost(each, budgets, "trueup", str(each.settings)) for each in all])
    times = [[cost / bare for cost in row] for [bare], row in zip(plain, ours, strict=True)]
    yield Figure(f"list {budgets:,} budgets plainly, µs a budget", plain)
    yield Figure(f"list {budgets:,} budgets, µs a budget", ours)
    yield Figure(f"list {budgets:,} budgets, times plain", times, digits=2)


def _cost(desk: Desk, budgets: int, *way: str) -> float:
    said = subprocess.run(
        [sys.executable, str(_PROGRAM), *way],
        env=desk.side.environment(BREX_TOKEN=TOKEN),
        stdout=subprocess.PIPE,
        check=True,
    )
    cpu, found = json.loads(said.stdout)
    if found != budgets + 1:  # the account's root comes along
        raise RuntimeError(f"{found} of {budgets + 1} budgets were listed")
    return float(cpu) / budgets * 1e6
