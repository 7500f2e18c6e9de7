"""Start-up: the commands that do next to nothing, with settings that name a file and a Brex.

`trueup status` reads the settings and a state in which ten budgets are linked; it calls nobody.
"""

from collections.abc import Iterator, Sequence

from benchmarks.figures import Figure
from benchmarks.sides import Side
from benchmarks.unchanged import FEW
from benchmarks.world import desks

ROUNDS = 9


def figures(sides: Sequence[Side], rounds: int = ROUNDS) -> Iterator[Figure]:
    """Seconds of CPU of each command."""
    with desks(sides, FEW) as all:
        for desk in all:
            desk.adopt()
        status = [[desk.cost("status").cpu for desk in all] for _ in range(rounds)]
    help = [[side.cost("-m", "trueup", "--help").cpu for side in sides] for _ in range(rounds)]
    yield Figure("trueup status, s", status, digits=2)
    yield Figure("trueup --help, s", help, digits=2)
