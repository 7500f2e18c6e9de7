"""`python -m benchmarks [NAME…]`: measure on loopback, side by side, and print the figures."""

import sys
from importlib import import_module

NAMES = ("listing", "unchanged", "allocations")


def main(names: list[str]) -> None:
    """Run those benchmarks, or all."""
    if unknown := [name for name in names if name not in NAMES]:
        sys.exit(f"there is no benchmark {unknown[0]}; there are {', '.join(NAMES)}")
    for name in names or NAMES:
        import_module(f"benchmarks.{name}").main()


main(sys.argv[1:])
