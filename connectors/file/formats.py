"""Formats: which ending is read by what, and where allocations are that have no file set."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, Literal

from connectors.contract.errors import Transient, Unreadable
from connectors.file.paths import matching
from connectors.file.records import RecordTable
from connectors.file.tables import CsvTable, Form, open_file
from connectors.rows.layout import Layout, Table
from connectors.rows.reading import Signature

_LIKE: Final = {".tsv": ".csv", ".txt": ".csv", ".xlsm": ".xlsx"}
"""Endings of files that are read as those of another."""
ENDINGS: Final = (".csv", ".json", ".jsonl", ".xlsx", ".parquet", *_LIKE)
READ_ONLY: Final = {".xlsm": "may hold macros, which would be lost", ".parquet": "is only read"}
"""Endings of files that are never written, and why."""
ALLOCATIONS_SHEET: Final = "allocations"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table is: a file, a sheet of it, or (`nested`) inside the budgets of a json file.

    `apart`: a table of budgets whose allocations are in a file of their own. Where `path` stands
    for several files, `pattern` says which of them are meant.
    """

    path: Path
    layout: Layout
    form: Form
    sheet: str | None = None
    nested: bool = False
    apart: bool = False
    pattern: Literal["all", "newest"] | None = None

    def files(self) -> Sequence[Path]:
        """The files, by name; raises `Unreadable` where a pattern fits none."""
        return matching(self.path, self.pattern) if self.pattern else [self.path]

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
    """A table of open files, which stay the same even when others take their names."""

    table: Table
    files: Sequence[BinaryIO]
    signature: Signature

    def ensure_unchanged(self) -> None:
        """Raises `Transient` where a file was written over while it was being read."""
        if signature_of(self.files) != self.signature:
            raise Transient(f"{self.table.label} changed while it was read", hint="Read it again")


def signature_of(files: Sequence[BinaryIO]) -> Signature:
    """What tells this content from another."""
    found = [os.fstat(file.fileno()) for file in files]
    return (
        sum(each.st_mtime_ns for each in found),
        sum(each.st_size for each in found),
        sum(each.st_ino for each in found),
    )


@contextmanager
def open_table(place: Place) -> Iterator[Opened]:
    """The table at `place`; raises `Unreadable` with what would be right."""
    if place.pattern is None:
        with _open_one(place) as opened:
            yield opened
        return
    from connectors.file.several import Several

    with ExitStack() as held:
        each = [replace(place, path=path, pattern=None) for path in place.files()]
        if place.sheet == ALLOCATIONS_SHEET:
            each = [one for one in each if has_sheet(one)]
        found = [held.enter_context(_open_one(one)) for one in each]
        files = [file for one in found for file in one.files]
        table = Several(place.path.name, [one.table for one in found])
        yield Opened(table, files, signature_of(files))


@contextmanager
def _open_one(place: Place) -> Iterator[Opened]:
    ending = place.ending
    with open_file(place.path) as file:
        signature = signature_of([file])
        if ending == ".csv":
            table: Table = CsvTable(file, place.path, place.layout, place.form)
        elif ending == ".parquet":
            from connectors.file.parquet import parquet_table

            table = parquet_table(file, place.path, place.layout, place.form.point)
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
        yield Opened(table, [file], signature)


def within(budgets: Place, layout: Layout) -> Place | None:
    """Where the allocations are that a file of budgets holds itself; None where it holds none."""
    if budgets.ending in (".csv", ".parquet"):
        return None
    if budgets.ending == ".xlsx":
        return replace(budgets, layout=layout, sheet=ALLOCATIONS_SHEET, apart=False)
    return replace(budgets, layout=layout, sheet=None, nested=True, apart=False)


def has_sheet(place: Place) -> bool:
    """Whether the workbook at `place`, or one of those that it fits, has its sheet."""
    from connectors.file.sheets import find_sheet, open_book

    for path in place.files():
        with open_file(path) as file:
            if find_sheet(open_book(file, path), place.sheet or "") is not None:
                return True
    return False
