"""Workbooks of other kinds (xls, xlsb, ods), read by python-calamine in a process of its own.

Whatever a damaged or hostile file does there, it ends as one message here: the process has a limit
of memory and of time. Such a reader gives no bold cells, and shows an error as a blank: an ods with
errors is refused, and whether the blanks of an xls or xlsb are blank is asked (`Sheet.unsure`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final

from connectors.contract.errors import Unreadable
from connectors.file.tables import open_file
from connectors.layouts.sheet import WIDEST, Row, Sheet
from connectors.layouts.stored import Fault, Value

SECONDS: Final = 120
_FAULTS: Final = 3
"""How the program ends where cells hold what it would show as blank."""
_PROGRAM: Final = Path(__file__).with_name("foreign_reader.py")


@dataclass(slots=True)
class ForeignSheet:
    """A sheet of such a workbook: its rows lie in a file of their own from `start` on."""

    held: BinaryIO
    start: int
    label: str
    name: str | None
    hidden: bool
    typed: bool = True
    unsure: bool = True

    def rows(self) -> Iterator[Row]:
        place = self.start
        while True:
            self.held.seek(place)  # sheets share the file
            line = self.held.readline()
            place = self.held.tell()
            said = json.loads(line)
            if isinstance(said, dict):
                return
            number, cells = said
            yield number, [_value(each) for each in cells[:WIDEST]], ()


def _value(said: Any) -> Value:
    """A cell as the process wrote it: text, true or false, or what it is and its text."""
    if isinstance(said, str | bool):
        return said
    kind, text = said
    if kind == "number":
        return Decimal(text)
    if kind == "day":
        found = datetime.fromisoformat(text)
        return date(found.year, found.month, found.day) if found.time() == _MIDNIGHT else found
    return Fault(f"is of a kind that is not known: {text}")


_MIDNIGHT: Final = datetime.min.time()


def foreign_sheets(path: Path, kept: ExitStack) -> list[Sheet]:
    """The sheets of the workbook, open as long as `kept` is.

    Raises `Unreadable` for what is no workbook, or takes too much.
    """
    open_file(path).close()
    held: BinaryIO = TemporaryFile()  # noqa: SIM115  # it outlives this call
    kept.callback(held.close)
    _run(path, held)
    held.seek(0)
    found: list[Sheet] = []
    start: int | None = None
    name, hidden = "", False
    while line := held.readline():
        said = json.loads(line) if line.startswith(b"{") else None
        if said is not None and "sheet" in said:
            name, hidden, start = said["sheet"], said["hidden"], held.tell()
        elif said is not None and start is not None:
            found.append(ForeignSheet(held, start, f"{path.name} sheet {name}", name, hidden))
    for each in found:
        each.unsure = path.suffix.casefold() != ".ods"
    if len(found) == 1:
        found[0].label = path.name
    return found


def _run(path: Path, held: BinaryIO) -> None:
    """The process: what it finds is in `held`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(  # noqa: S603  # our own program
            [sys.executable, str(_PROGRAM), str(path)],
            stdout=held,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable(
            f"{path} takes longer than {SECONDS} s to read", hint="Save it as xlsx"
        ) from None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode == _FAULTS:
        raise Unreadable(f"{path} {lines[-1]}", hint="Correct them, or save it as xlsx")
    if done.returncode:
        said = lines[-1] if done.returncode == 1 and lines else "it takes too much memory"
        raise Unreadable(
            f"{path} is a damaged workbook ({said[:200]})",
            hint="Open it in a spreadsheet program and save it again, best as xlsx",
        )
