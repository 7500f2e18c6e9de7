"""The program that `benchmarks.listing` measures: list all budgets, and print what that cost.

    python list_budgets.py plain URL TOKEN     with httpx.AsyncClient and json.loads
    python list_budgets.py trueup SETTINGS     with the Trueup that is on the path

It is started by its path and imports nothing of ours but `trueup`, so that it is the same program
for every revision. What comes before the listing (imports, settings, the connection) is not
counted. Prints the CPU seconds and the number of budgets, as JSON.
"""

import asyncio
import json
import sys
import time


async def plain(url: str, token: str) -> tuple[float, int]:
    """What a script would do at best: page by page of 1000, keeping nothing."""
    import httpx

    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:

        async def page(limit: int, cursor: str | None) -> tuple[int, str | None]:
            params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
            answer = await client.get("/v2/budgets", params=params)
            said = json.loads(answer.raise_for_status().content)
            return len(said["items"]), said["next_cursor"]

        await page(1, None)
        began = time.process_time()
        total, cursor = await page(1000, None)
        while cursor is not None:
            found, cursor = await page(1000, cursor)
            total += found
        return time.process_time() - began, total


def trueup(settings: str) -> tuple[float, int]:
    """Each record checked, and made a budget with an exact amount."""
    import trueup

    with trueup.open(settings) as workspace:
        workspace.system("brex").check()
        began = time.process_time()
        total = sum(1 for _ in workspace.budgets("brex"))
        return time.process_time() - began, total


if __name__ == "__main__":
    way, *given = sys.argv[1:]
    print(json.dumps(asyncio.run(plain(*given)) if way == "plain" else trueup(*given)))
