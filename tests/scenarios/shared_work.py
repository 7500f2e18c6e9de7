"""Work for several workers: many syncs from one ERP's file into one Brex, each of a part of it."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import Served, serve
from sync.state.jobs import Jobs
from sync.state.slots import Slots
from trueup.workspace import Workspace, open_workspace

TERM = 4.0
"""Seconds that a lease lasts here; what else workers wait for is a part of it."""
TOKEN = "bxt_canary_5f3a"
_WORKER = f"""
import sync.state.lease
sync.state.lease.TERM = {TERM}
from trueup.cli import main
main()
"""
_SYSTEMS = """\
[state]
url = "{state}"

[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.brex]
connector = "brex"
base_url = "{url}"
token = "env:BREX_TOKEN"
rate_limit = "100000/1m"
"""
_SYNC = """
[syncs.{name}]
source = "erp"
target = "brex"
parallel = {parallel}
select = {{ ref = "{name}-*" }}
guard = {{ max_changes = "off", max_money = "off", max_budget_change = "off" }}
"""


class SharedWork:
    """The syncs p00, p01 … of one settings file, their Brex, and processes that work on them."""

    def __init__(
        self, folder: Path, state: str, brex: Served, *, syncs: int, budgets: int, parallel: int = 8
    ) -> None:
        self.folder, self.brex, self.budgets = folder, brex, budgets
        self.names = [f"p{number:02}" for number in range(syncs)]
        self._processes: list[subprocess.Popen[bytes]] = []
        self.settings = folder / "trueup.toml"
        parts = (_SYNC.format(name=name, parallel=parallel) for name in self.names)
        self.settings.write_text(_SYSTEMS.format(state=state, url=brex.url) + "".join(parts))
        self._write()

    def _write(self) -> None:
        first = date.today().replace(day=1)  # noqa: DTZ011  # as runs count days
        rows = [
            f"{name}-{number},{name} {number},{100 + number}.00,USD,monthly,{first}"
            for name in self.names
            for number in range(self.budgets)
        ]
        head = "ref,name,amount,currency,cadence,start"
        (self.folder / "budgets.csv").write_text("\n".join([head, *rows, ""]))

    def add_budget(self) -> None:
        """The ERP has one more of each sync."""
        self.budgets += 1
        self._write()

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        with open_workspace(self.settings) as workspace:
            yield workspace

    def defer(self, workspace: Workspace, slot: str) -> None:
        """As `serve --defer` does, for each sync."""
        book = Slots(workspace.store, along=Jobs.open(workspace.store).put)
        for name in self.names:
            assert book.take(name, "often", slot, workspace.store.now(), book.last(name))

    def start(self) -> subprocess.Popen[bytes]:
        """A worker in a process of its own; what it says goes into the folder."""
        said = (self.folder / f"worker-{len(self._processes)}.txt").open("wb")
        command = [sys.executable, "-c", _WORKER, "worker", "--config", str(self.settings)]
        environment = {**os.environ, "BREX_TOKEN": TOKEN}
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment)
        said.close()
        self._processes.append(process)
        return process

    def racer(self, code: str) -> "subprocess.Popen[str]":
        """A process that is told by its stdin what to do, and answers on its stdout."""
        command = [sys.executable, "-c", code, str(self.settings)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        environment = {**os.environ, "BREX_TOKEN": TOKEN}
        return subprocess.Popen(command, env=environment, **pipes)

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    @property
    def said(self) -> str:
        return "\n".join(each.read_text() for each in sorted(self.folder.glob("worker-*.txt")))

    @property
    def made(self) -> Counter[str]:
        """How many budgets of a name Brex has."""
        rows: list[dict[str, Any]] = self.brex.state["budgets"].rows()
        return Counter(row["name"] for row in rows if row["parent_budget_id"])

    @property
    def wanted(self) -> Counter[str]:
        return Counter(f"{name} {n}" for name in self.names for n in range(self.budgets))


@contextmanager
def shared_work(
    folder: Path, state: str, *, syncs: int = 30, budgets: int = 3, parallel: int = 8
) -> Iterator[SharedWork]:
    """The syncs, with nothing at Brex yet."""
    with serve(BrexSandbox(token=TOKEN)) as brex:
        work = SharedWork(folder, state, brex, syncs=syncs, budgets=budgets, parallel=parallel)
        try:
            yield work
        finally:
            work.end()
