"""Formats: which ending is read by what, and where allocations are that have no file set."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from connectors.contract.errors import Transient, Unreadable
from connectors.file.records import RecordTable
from connectors.file.tables import CsvTable, Form, open_file
from connectors.rows.layout import Layout, Table
from connectors.rows.reading import Signature

_LIKE: Final = {".tsv": ".csv", ".txt": ".csv", ".xlsm": ".xlsx"}
"""Endings of files that are read as those of another."""
ENDINGS: Final = (".csv", ".json", ".jsonl", ".xlsx", *_LIKE)
ALLOCATIONS_SHEET: Final = "allocations"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table is: a file, a sheet of it, or (`nested`) inside the budgets of a json file.

    `apart`: a table of budgets whose allocations are in a file of their own.
    """

    path: Path
    layout: Layout
    form: Form
    sheet: str | None = None
    nested: bool = False
    apart: bool = False

    @property
    def ending(self) -> str:
        """The ending that tells the format; raises `Unreadable` for one that has no reader."""
        ending = self.path.suffix.casefold()
        if ending not in ENDINGS:
            raise Unreadable(
                f"{self.path}: {ending or 'a name without ending'} is not a format of budgets",
                hint=f"Use a file that ends in {', '.join(ENDINGS)}",
            )
        return _LIKE.get(ending, ending)


@dataclass(frozen=True, slots=True)
class Opened:
    """A table of an open file, which stays the same file even when another takes its name."""

    table: Table
    file: BinaryIO
    signature: Signature

    def ensure_unchanged(self) -> None:
        """Raises `Transient` where the file was written over while it was being read."""
        if signature_of(self.file) != self.signature:
            raise Transient(f"{self.table.label} changed while it was read", hint="Read it again")


def signature_of(file: BinaryIO) -> Signature:
    """What tells this content from another."""
    found = os.fstat(file.fileno())
    return found.st_mtime_ns, found.st_size, found.st_ino


@contextmanager
def open_table(place: Place) -> Iterator[Opened]:
    """The table at `place`; raises `Unreadable` with what would be right."""
    ending = place.ending
    with open_file(place.path) as file:
        signature = signature_of(file)
        if ending == ".csv":
            table: Table = CsvTable(file, place.path, place.layout, place.form)
        elif ending == ".xlsx":
            from connectors.file.sheets import (
                open_book,
                open_sheet,
            )  # 2 MB that a csv has no use for

            book = open_book(file, place.path)
            table = open_sheet(book, place.path, place.sheet, place.layout, place.form.point)
        else:
            table = RecordTable(
                file,
                place.path,
                place.layout,
                place.form.encoding,
                nested=place.nested,
                apart=place.apart,
            )
        yield Opened(table, file, signature)


def within(budgets: Place, layout: Layout) -> Place | None:
    """Where the allocations are that a file of budgets holds itself; None where it holds none."""
    if budgets.ending == ".csv":
        return None
    if budgets.ending == ".xlsx":
        return Place(budgets.path, layout, budgets.form, sheet=ALLOCATIONS_SHEET)
    return Place(budgets.path, layout, budgets.form, nested=True)


def has_sheet(place: Place) -> bool:
    """Whether the workbook at `place` has its sheet."""
    from connectors.file.sheets import find_sheet, open_book

    with open_file(place.path) as file:
        return find_sheet(open_book(file, place.path), place.sheet or "") is not None
