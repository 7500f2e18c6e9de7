"""How near two processes of eight threads each come to a limit of 60 calls a minute together.

Both call a sandbox that keeps that limit and answers every call 50 ms late, as often as they may,
for four minutes and a half; what is counted is what the sandbox saw. Of the limit that is used, the
whole windows count, from the first call on.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

from benchmarks.figures import Figure
from benchmarks.first_runs import Calls
from benchmarks.sides import Side
from benchmarks.world import TOKEN, sandbox
from connectors.contract.settings import parse_rate
from trueup import open as open_workspace

LIMIT = "60/1m"
SECONDS = 270
PROCESSES, THREADS = 2, 8

_SETTINGS = """\
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.cards]
connector = "brex"
base_url = "{url}"
rate_limit = "{limit}"
token = "env:BREX_TOKEN"

[syncs.cards]
source = "erp"
target = "cards"
"""


def figures(
    sides: Sequence[Side], limit: str = LIMIT, seconds: float = SECONDS
) -> Iterator[Figure]:
    """The most calls in any window, those that were refused and the share used, in percent."""
    for side in sides:
        log = calls(side, limit, seconds)
        said = f"{PROCESSES} x {THREADS} at {limit}" + (f", {side.name}" if len(sides) > 1 else "")
        taken = [each["at"] / 1000 for each in log if each["status"] != 429]
        refused = 100 * (len(log) - len(taken)) / len(log)
        share = 100 * Calls([at - taken[0] for at in taken]).share(limit)
        most = most_in_a_window([each["at"] / 1000 for each in log], parse_rate(limit)[1])
        yield Figure(f"{said}, calls", [[len(log)]], digits=0)
        yield Figure(f"{said}, most in a window", [[most]], digits=0)
        yield Figure(f"{said}, % refused", [[refused]])
        yield Figure(f"{said}, % used", [[share]])


def calls(side: Side, limit: str, seconds: float) -> list[dict[str, Any]]:
    """What the sandbox saw."""
    late = {"kind": "delay", "times": -1, "seconds": 0.05}
    with tempfile.TemporaryDirectory() as name:
        options = ["--rate-limit", limit, "--fault", json.dumps(late), "--token", TOKEN]
        with sandbox("brex", *options) as url, ThreadPoolExecutor(PROCESSES) as pool:
            settings = Path(name) / "trueup.toml"
            settings.write_text(_SETTINGS.format(url=url, limit=limit), encoding="utf-8")
            said = ("-m", "benchmarks.together", str(settings), str(seconds))
            runs = [pool.submit(side.cost, *said, BREX_TOKEN=TOKEN) for _ in range(PROCESSES)]
            for run in runs:
                run.result()
            log: list[dict[str, Any]] = httpx.get(f"{url}/_sandbox/log", timeout=60).json()
    return log


def most_in_a_window(at: Sequence[float], window: float) -> int:
    """The most calls that any window of that length holds; `at` is sorted."""
    most, first = 0, 0
    for last in range(len(at)):
        while at[first] <= at[last] - window:
            first += 1
        most = max(most, last - first + 1)
    return most


def call(settings: str, seconds: float) -> int:
    """Call as often as one may, in `THREADS` threads, for so long; returns how often it was."""
    made = count()
    with open_workspace(settings) as workspace:
        assert workspace.store  # what is shared is in it
        system = workspace.system("cards")
        until = time.monotonic() + seconds

        def work() -> None:
            while time.monotonic() < until:
                system.check()
                next(made)

        threads = [Thread(target=work) for _ in range(THREADS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    return next(made)


if __name__ == "__main__":
    call(sys.argv[1], float(sys.argv[2]))
