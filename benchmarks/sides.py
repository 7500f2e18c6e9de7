"""The revisions that are measured: this checkout's code, and an older revision's beside it.

Only what each of them has in public is used: the command line, and `import trueup`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from benchmarks.measure import Cost, command

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Side:
    """One revision's code, in the folder `root`; `name` stands over its column."""

    name: str
    root: Path

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a process that runs this side's code, whatever else is installed."""
        own = {"PYTHONPATH": str(self.root), "PYTHONSAFEPATH": "1"}
        return {**os.environ, **own, **more}

    def cost(self, *arguments: str, **environment: str) -> Cost:
        """What a Python command costs that runs this side's code."""
        return command(arguments, self.environment(**environment))

    def compile(self) -> None:
        """Compile its rooms, so that no measured process has to."""
        rooms = sorted(str(each.parent) for each in self.root.glob("*/__init__.py"))
        subprocess.run([sys.executable, "-m", "compileall", "-q", *rooms], check=True)


@contextmanager
def revision(name: str, repository: Path = ROOT) -> Iterator[Side]:
    """The code of that revision, in a temporary folder that goes with the block.

    Raises `LookupError`, with what git says, where there is none.
    """
    with tempfile.TemporaryDirectory() as folder:
        packed, root = Path(folder) / "revision.zip", Path(folder) / "revision"
        git = ["git", "-C", str(repository), "archive", "--format=zip", f"--output={packed}", name]
        done = subprocess.run(git, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise LookupError(f"there is no revision {name}: {done.stderr.strip()}")
        with ZipFile(packed) as archive:
            archive.extractall(root)
        yield Side(name, root)


NOW = Side("now", ROOT)
"""The code that stands in this checkout, committed or not."""
