"""The processes of a soak: started, killed, frozen and thawed, and measured from outside."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from tests.soak.settings import ROOT
from trueup.cli import app

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Size:
    """What a process has at a moment: memory in bytes, open files, threads."""

    memory: int
    files: int
    threads: int


class Service:
    """`trueup COMMAND` as a process; `spared` is never killed, so that what it holds is measured."""

    def __init__(
        self, name: str, command: str, folder: Path, secrets: Mapping[str, str], *, spared: bool
    ) -> None:
        self.name, self.spared = name, spared
        self._command = [sys.executable, "-m", "trueup", command]
        self._folder, self.said = folder, folder / f"{name}.log"
        paths = {"PYTHONPATH": f"{ROOT}"}
        self._environment = {**os.environ, **secrets, **paths}
        self.frozen = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Unless it runs already."""
        if self.lives:
            return
        with self.said.open("ab") as said:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment,
                stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.frozen = False

    def kill(self) -> None:
        """At once, whatever it does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)
        self.frozen = False

    def end(self, seconds: float = 30) -> int | None:
        """As an operator does; its exit code, None where it did not end in time."""
        self._signal(signal.SIGTERM)
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def size(self) -> Size:
        """What it has now; Linux alone tells."""
        assert self._process is not None
        place = Path(f"/proc/{self._process.pid}")
        memory = int((place / "statm").read_text().split()[1]) * _PAGE
        return Size(memory, *(len(os.listdir(place / name)) for name in ("fd", "task")))

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def once(folder: Path, secrets: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """The exit code and the output of one command, given in this process."""
    command = [*arguments, "--config", str(folder / "trueup.toml")]
    ended = CliRunner().invoke(app, command, env=dict(secrets))
    return ended.exit_code, ended.output
