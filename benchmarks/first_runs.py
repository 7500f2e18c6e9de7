"""How long a first run takes at each vendor's limit: 500 budgets with 4 allocations each.

`trueup run` goes against each vendor's sandbox, which keeps the limit that the vendor documents and
answers every call 100 ms late. Where that would take hours, sandbox and settings have the same
number of calls in a shorter window: the calls and their order stay as they are, while latency and
computing weigh more, so that the share of the limit that is measured is the least that it can be.

The share is that of the calls that the limit allows, in the whole windows of the run, which were
made; windows follow each other from the first call on. What comes after the last whole window is
left out, as there is not enough left to do to fill it. The time is measured too; of a run at a
faster limit, the windows before that of the last call count as long as the documented ones.
The least time is that of a caller who waits for nothing but the limit and the answers: of n calls
at c per window, the last comes ceil(n / c) - 1 windows after the first, and after the others of its
own window, of which `PARALLEL` are under way at a time.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil, nan
from pathlib import Path

import httpx

from benchmarks.figures import Figure
from benchmarks.sides import Side
from benchmarks.vendors import CREDENTIALS, SYNC, TOKEN, VENDORS, Vendor
from benchmarks.world import sandbox
from connectors.contract.settings import parse_rate

BUDGETS = 500
LATENCY = 0.1
PARALLEL = 8
"""How many writes the sync has under way at a time, as it does by default."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one run: when each came, in seconds from the first of them."""

    at: Sequence[float]

    def share(self, limit: str) -> float:
        """How much of the limit was used, of one; not a number where no window was whole."""
        calls, window = parse_rate(limit)
        whole = int(self.at[-1] // window)
        made = sum(each < whole * window for each in self.at)
        return made / (whole * calls) if whole else nan

    def least(self, limit: str, parallel: int = PARALLEL, latency: float = LATENCY) -> float:
        """The least seconds in which they can be made at that limit."""
        calls, _ = parse_rate(limit)
        last = len(self.at) % calls or calls
        return self._waited(limit) + (ceil(last / parallel) - 1) * latency

    def seconds(self, measured: str, limit: str) -> float:
        """The seconds that they took at a `measured` limit, had the windows been those of `limit`.

        Both allow as many calls in a window.
        """
        return self.at[-1] + self._waited(limit) - self._waited(measured)

    def _waited(self, limit: str) -> float:
        """The seconds that pass at that limit before the window of the last call begins."""
        calls, window = parse_rate(limit)
        return (ceil(len(self.at) / calls) - 1) * window


def figures(
    sides: Sequence[Side], vendors: Sequence[Vendor] = VENDORS, budgets: int = BUDGETS
) -> Iterator[Figure]:
    """For each vendor the calls, the minutes at the documented limit, the least and the real ones,
    and the share of the limit in percent.

    One after the other, but those whose limit is slow go on beside the others: they mostly wait.
    """
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(len(vendors) * len(sides)) as slow:
        runs = [
            [
                (slow if vendor.faster else pool).submit(first_run, vendor, side, budgets)
                for side in sides
            ]
            for vendor in vendors
        ]
        for vendor, started in zip(vendors, runs, strict=True):
            yield from _figures(vendor, [run.result() for run in started])


def _figures(vendor: Vendor, calls: Sequence[Calls]) -> Iterator[Figure]:
    documented, limit = vendor.documented, vendor.limit
    what = f"first run, {vendor.name} at {documented}"
    measured = f" (as {limit})" if vendor.faster else ""
    minutes = [each.seconds(limit, documented) / 60 for each in calls]
    yield Figure(f"{what}, calls", [[len(each.at) for each in calls]], digits=0)
    yield Figure(f"{what}, least min", [[each.least(documented) / 60 for each in calls]])
    yield Figure(f"{what}{measured}, min", [minutes])
    yield Figure(f"{what}{measured}, % used", [[100 * each.share(limit) for each in calls]])


def first_run(
    vendor: Vendor, side: Side, budgets: int = BUDGETS, latency: float = LATENCY
) -> Calls:
    """The calls of a first run; raises `RuntimeError` where one was limited or the run failed."""
    late = {"kind": "delay", "times": -1, "seconds": latency}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vendor.write_erp(folder, budgets)
        (folder / "seed.json").write_text(json.dumps(vendor.seed))
        options = ["--rate-limit", vendor.limit, "--fault", json.dumps(late), "--token", TOKEN]
        with sandbox(vendor.name, *options, "--seed", str(folder / "seed.json")) as url:
            settings = vendor.write_settings(folder, url, PARALLEL)
            side.cost("-m", "trueup", "run", SYNC, "--config", str(settings), **CREDENTIALS)
            log = httpx.get(f"{url}/_sandbox/log", timeout=60).json()
    if limited := sum(call["status"] == 429 for call in log):
        raise RuntimeError(f"{limited} of {len(log)} calls at {vendor.name} were limited")
    return Calls([(call["at"] - log[0]["at"]) / 1000 for call in log])
