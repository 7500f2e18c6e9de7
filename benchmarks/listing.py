"""Listing 100,000 Brex budgets as canonical ones, against reading the same pages as plain JSON.

The plain side is what a script would do at best: `httpx.AsyncClient` and `json.loads`, page by page
of 1000, keeping nothing. Ours checks every record and turns it into a budget with exact amounts.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import median_cost, work
from benchmarks.world import TOKEN, brex, write_seed

BUDGETS = 100_000
ROUNDS = 5


def main() -> None:
    """Measure both sides in turns and print what a record costs each."""
    with tempfile.TemporaryDirectory() as folder:
        seed = Path(folder) / "seed.json"
        write_seed(seed, BUDGETS)
        with brex(seed) as url:
            ours, theirs = [], []
            for _ in range(ROUNDS):
                theirs.append(work(plain, url))
                ours.append(work(trueup, url))
    a, b = median_cost(ours), median_cost(theirs)
    print(f"listing: {BUDGETS:,} budgets, pages of 1000, medians of {ROUNDS} rounds in turns")
    for name, cost in (("trueup", a), ("httpx and json.loads", b)):
        per_record = cost.cpu / BUDGETS * 1e6
        print(f"  {name:21} {per_record:6.1f} µs CPU a record, {cost.wall:5.2f} s in all")
    print(f"  ratio of CPU          {a.cpu / b.cpu:6.2f}")


def trueup(url: str) -> Callable[[], object]:
    """Through the connector, as a run lists."""
    from canonical.change import Kind
    from connectors.brex.connector import Brex
    from connectors.brex.declared import BrexSettings
    from connectors.contract.runtime import Runtime

    settings = BrexSettings(
        connector="brex",
        base_url=url,
        rate_limit="1000000/1s",
        token=TOKEN,  # type: ignore[arg-type]
    )

    def listed() -> None:
        with Brex("brex", settings, Runtime()) as connector:
            _check(sum(len(page.items) for page in connector.list(Kind.BUDGET)))

    return listed


def plain(url: str) -> Callable[[], object]:
    """Through httpx's asynchronous client, as plain JSON."""
    import httpx

    async def read() -> int:
        found, cursor = 0, None
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            while True:
                params = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
                answer = await client.get("/v2/budgets", params=params)
                page = json.loads(answer.raise_for_status().content)
                found += len(page["items"])
                cursor = page["next_cursor"]
                if cursor is None:
                    return found

    return lambda: _check(asyncio.run(read()))


def _check(found: int) -> None:
    if found != BUDGETS + 1:  # the account's root comes along
        raise SystemExit(f"{found} of {BUDGETS + 1} budgets were listed")
