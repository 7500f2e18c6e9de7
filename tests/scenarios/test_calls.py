"""How many calls a run costs, counted on the sandbox's log; docs/calls.md gives the reasons."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.__main__ import load
from connectors.sandbox.server import Served, serve
from trueup.demo_settings import FOLLOWERS, settings_text
from trueup.workspace import Workspace, open_workspace

COUNT = 500
PERSON = {"id": "u1", "firstName": "Ada", "lastName": "L", "email": "ada@example.com"}


@dataclass(frozen=True)
class Cost:
    """The least calls of a first run: writes, then reads; and the most of an unchanged one."""

    shares: int
    writes: int
    first_reads: int
    unchanged_reads: int


COSTS = {
    "brex": Cost(shares=1, writes=1000, first_reads=6, unchanged_reads=3),
    "vantage": Cost(shares=0, writes=500, first_reads=2, unchanged_reads=1),
    "kaireon": Cost(shares=0, writes=500, first_reads=504, unchanged_reads=2),
    "bill": Cost(shares=1, writes=1000, first_reads=1020, unchanged_reads=10),
    "vtex": Cost(shares=1, writes=1000, first_reads=520, unchanged_reads=10),
}


class Office:
    """A source of 500 budgets and one vendor."""

    def __init__(self, workspace: Workspace, served: Served, sync: str) -> None:
        self.workspace, self.served, self.sync = workspace, served, sync

    def run(self) -> Counter[str]:
        """One run; the calls that it made, reads and writes."""
        httpx.delete(f"{self.served.url}/_sandbox/log").raise_for_status()
        report = self.workspace.apply(self.sync)
        assert (report.outcome, report.verified) == ("ok", True), report.to_data()
        calls = (call for call in self.served.log if not call["path"].startswith("/_sandbox"))
        return Counter("reads" if call["method"] == "GET" else "writes" for call in calls)

    def forget_what_is_not_ours(self) -> None:
        """The spend limit that a Brex account has from the start would make a page of its own."""
        if self.sync == "erp-to-brex":
            limits = self.served.state["spend_limits"]
            for row in limits.rows():
                if "[trueup:" not in (row["description"] or ""):
                    limits.remove(row["id"])


def _budget(number: int, shares: int, entity: dict[str, str]) -> dict[str, Any]:
    share = {"amount": "10.00", "status": "active"}
    return {
        "ref": f"B{number}", "name": f"Budget {number}", "currency": "USD", "amount": "100.00",
        "cadence": "monthly", "start": "2026-11-01", "end": "2026-11-30",
        "allocations": [
            share | {"ref": f"B{number}-{each}"} | entity | {"entity": f"{entity['entity']}{each or ''}"}
            for each in range(shares)
        ],
    }  # fmt: skip


@pytest.fixture(params=COSTS)
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    vendor: str = request.param
    user = {"entity_type": "user", "entity": "ada@example.com"}
    entity = user if vendor == "bill" else {"entity_type": "account", "entity": "6100"}
    rows = [_budget(number, COSTS[vendor].shares, entity) for number in range(COUNT)]
    (tmp_path / "budgets.json").write_text(json.dumps(rows))
    for name in (*(f"{each}.token" for each in FOLLOWERS), "vtex.key"):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text("app_key_sandbox" if name == "vtex.key" else "canary")
    seed = {"users": [PERSON]} if vendor == "bill" else None
    with ExitStack() as stack:
        sandbox = load(vendor)(token="canary", rate_limit="off", seed=seed)
        served = stack.enter_context(serve(sandbox))
        addresses = dict.fromkeys(FOLLOWERS, served.url)
        text = settings_text(addresses, files='path = "budgets.json"\n')
        (tmp_path / "trueup.toml").write_text(text)
        workspace = stack.enter_context(open_workspace(tmp_path / "trueup.toml"))
        yield Office(workspace, served, f"erp-to-{vendor}")


@pytest.mark.faults
def test_a_run_costs_no_more_calls_than_the_page_says(office: Office) -> None:
    cost = COSTS[office.sync.removeprefix("erp-to-")]

    first = office.run()
    office.forget_what_is_not_ours()
    unchanged = office.run()

    assert first["writes"] == cost.writes
    assert first["reads"] <= cost.first_reads
    assert unchanged["writes"] == 0
    assert unchanged["reads"] <= cost.unchanged_reads
