"""What a program costs: CPU seconds and peak memory, each time in a process of its own.

CPU is user and system time of that process, all its threads, as the kernel counted it; the server
that it talks to is another process and does not count.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from typing import Any

_TO_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu` and `wall` in seconds, `peak` the most memory held, in bytes."""

    cpu: float
    wall: float
    peak: int


def median_cost(costs: Sequence[Cost]) -> Cost:
    """The middle one of each figure."""
    return Cost(
        median(each.cpu for each in costs),
        median(each.wall for each in costs),
        int(median(each.peak for each in costs)),
    )


def command(arguments: Sequence[str], **environment: str) -> Cost:
    """What one Python command costs from its start to its end, start-up included.

    What it prints is thrown away; raises `RuntimeError` where it fails.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}: {said!r}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(cpu, time.monotonic() - began, usage.ru_maxrss * _TO_BYTES)


def work(function: Callable[..., object], *arguments: object) -> Cost:
    """What one call of `function` costs, in a new process, its start-up and imports left out.

    `function` is a module's own and returns what is then called and measured.
    """
    said = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps([function.__module__, function.__name__, arguments]),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return Cost(**json.loads(said.stdout))


def _measured(task: Callable[[], object]) -> dict[str, Any]:
    import resource

    wall, cpu = time.monotonic(), time.process_time()
    task()
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _TO_BYTES
    return {"cpu": cpu, "wall": wall, "peak": peak}


if __name__ == "__main__":
    module, name, given = json.load(sys.stdin)
    print(json.dumps(_measured(getattr(import_module(module), name)(*given))))
