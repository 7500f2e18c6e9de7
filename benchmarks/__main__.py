"""`python -m benchmarks [--against REV] [NAME…]`: measure on loopback and print the figures.

With `--against`, an older revision is measured in the same run, in turns with this checkout's code;
the last column is what a figure is now, divided by what it was then.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module

from benchmarks.figures import heading
from benchmarks.sides import NOW, Side, revision

NAMES = ("startup", "listing", "unchanged", "allocations", "layouts")
BY_NAME = ("first_runs", "together", "workers")
"""Those that take long, or need PostgreSQL, and run only when they are asked for."""


def main(arguments: Sequence[str]) -> None:
    """Run those benchmarks, or all that are quick."""
    said = _said(arguments)
    with ExitStack() as stack:
        sides = [NOW]
        if said.against:
            try:
                sides.insert(0, stack.enter_context(revision(said.against)))
            except LookupError as error:
                sys.exit(str(error))
        for side in sides:
            side.compile()
        _measure(said.names or NAMES, sides)


def _measure(names: Sequence[str], sides: Sequence[Side]) -> None:
    print(heading([side.name for side in sides]), flush=True)
    for name in names:
        for figure in import_module(f"benchmarks.{name}").figures(sides):
            print(figure.line(len(sides)), flush=True)


def _said(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--against", metavar="REV", help="an older revision to measure beside it")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES + BY_NAME))
    said = parser.parse_args(arguments)
    if unknown := [name for name in said.names if name not in NAMES + BY_NAME]:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(NAMES + BY_NAME)}")
    return said


if __name__ == "__main__":
    main(sys.argv[1:])
