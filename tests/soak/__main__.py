"""`python -m tests.soak`: services on one PostgreSQL state under faults, kills and restarts.

At the end all is calmed, one quiet round is awaited, and what must be true then is looked at:
nothing twice, nothing lost, each amount to the cent, a whole audit, nothing of unknown outcome,
memory that is flat, and no connection, thread or file that is left.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random, randrange

from tests.soak.vendors import TRADES
from tests.soak.weather import Weather, brief, settle
from tests.soak.world import World, world


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak; 1 where something is wrong, and then the folder stays."""
    asked = _asked(arguments)
    folder = Path(tempfile.mkdtemp(prefix="trueup-soak-"))
    folder.chmod(0o755)  # a PostgreSQL of our own runs as a user of its own
    names = asked.vendors[:1] if asked.brief else asked.vendors
    _say(f"seed {asked.seed}, in {folder}")
    with world(folder, names, Random(asked.seed), asked.every) as made:
        wrong = _brief(made) if asked.brief else _long(made, asked.minutes * 60)
    for each in wrong:
        _say(f"WRONG: {each}")
    if wrong:
        _say(f"seed {asked.seed}; what there is stays in {folder}")
        return 1
    shutil.rmtree(folder)
    _say("nothing twice, nothing lost, to the cent; the audit is whole; nothing leaked")
    return 0


def _brief(made: World) -> list[str]:
    return [*brief(made), *settle(made)]


def _long(made: World, seconds: float) -> list[str]:
    weather = Weather(made, _say)
    for service in made.services:
        service.start()
    weather.last(seconds)
    wrong = [*settle(made), *weather.grown()]
    for line in weather.table():
        _say(line)
    return wrong


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="of weather (%(default)s)")
    parser.add_argument("--seed", type=int, default=randrange(10**6), help="of chance; told")
    parser.add_argument(
        "--every", type=int, default=3, help="seconds from run to run (%(default)s)"
    )
    parser.add_argument("--brief", action="store_true", help="one of each, at the first vendor")
    parser.add_argument("vendors", nargs="*", default=list(TRADES), help="of " + ", ".join(TRADES))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
