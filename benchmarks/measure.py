"""What a command costs: CPU seconds and peak memory of a process of its own.

CPU is user and system time of that process, all its threads, as the kernel counted it; the server
that it talks to is another process and does not count.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_TO_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu` and `wall` in seconds, `peak` the most memory held, in bytes."""

    cpu: float
    wall: float
    peak: int


def command(arguments: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """What one Python command costs from its start to its end, start-up included.

    What it prints is thrown away; raises `RuntimeError` with that where it fails.
    """
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=said, stderr=said, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            text = said.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{text}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * _TO_BYTES)
