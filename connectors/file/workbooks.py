"""Workbooks (xlsx): their sheets, and the cells of each as they are stored.

Readers made for speed give an error or a formula without a result as a blank cell, and make room
for every cell up to the last one. Here only cells that are there are held, a row at a time.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeAlias

from connectors.file.package import Captured, Damaged, Elements, Package
from connectors.layouts.sheet import column_name, column_number
from connectors.layouts.stored import (
    NEVER_CALCULATED,
    Fault,
    Value,
    counts_days,
    iso_day,
    number,
    serial,
    truth,
    unescaped,
)

Filled: TypeAlias = dict[int, Value]
"""The cells of a row that hold something, by column from 0 on."""

ROWS: Final = 1 << 20
_NOT_BOLD: Final[frozenset[int]] = frozenset()
COLUMNS: Final = 1 << 14
_ROW = re.compile(r"[1-9][0-9]{0,6}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet of a workbook."""

    name: str
    part: str
    hidden: bool = False


class Book:
    """An open workbook. What is wrong with it is raised as `readable_workbook` expects it."""

    def __init__(self, file: BinaryIO) -> None:
        self._package = Package(file)
        main = _related(self._package, "", "_rels/.rels").get("officeDocument", {})
        self._main = next(iter(main.values()), "xl/workbook.xml")
        folder, name = posixpath.split(self._main)
        self._parts = _related(self._package, folder, f"{folder}/_rels/{name}.rels")
        self.since_1904 = False
        self.sheets = self._sheets()
        self._texts: list[str] | None = None
        self._styles: list[str] | None = None

    def _sheets(self) -> tuple[Sheet, ...]:
        found: list[Sheet] = []
        worksheets = self._parts.get("worksheet", {})

        def seen(name: str, attributes: Mapping[str, str]) -> None:
            if name == "workbookPr":
                self.since_1904 = attributes.get("date1904") in ("1", "true")
            if name != "sheet":
                return
            relation = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            if part := worksheets.get(relation):
                hidden = attributes.get("state", "visible") != "visible"
                found.append(Sheet(attributes.get("name", ""), part, hidden))

        self._package.read(self._main, Elements(seen))
        return tuple(found)

    def rows(self, sheet: Sheet) -> Iterator[tuple[int, Filled]]:
        """The rows that hold something, by number from 1 on."""
        reader = _SheetReader(self)
        for _ in self._package.pieces(sheet.part, reader):
            yield from reader.rows
            reader.rows.clear()

    def styled_rows(self, sheet: Sheet) -> Iterator[tuple[int, Filled, frozenset[int]]]:
        """As `rows`, with the columns whose cells are bold."""
        reader = _SheetReader(self, self._bold_styles())
        for _ in self._package.pieces(sheet.part, reader):
            for (row, filled), bold in zip(reader.rows, reader.bolds, strict=True):
                yield row, filled, bold
            reader.rows.clear()
            reader.bolds.clear()

    def _bold_styles(self) -> frozenset[str]:
        """The styles in which text is bold."""
        fonts = _Fonts()
        for part in self._parts.get("styles", {}).values():
            self._package.read(part, fonts)
        return frozenset(
            str(style) for style, font in enumerate(fonts.of_styles) if font in fonts.bold
        )

    def text(self, index: str) -> str | Fault:
        """The text that a cell refers to."""
        if self._texts is None:
            self._texts = self._shared()
        place = int(index) if index.isascii() and index.isdecimal() and len(index) < 10 else -1
        if not 0 <= place < len(self._texts):
            return Fault("refers to a text that the workbook does not hold")
        return self._texts[place]

    def counted(self, style: str) -> str:
        """How cells of `style` show a number: as a date, as elapsed time or (blank) as it is."""
        if self._styles is None:
            self._styles = self._formats()
        place = int(style) if style.isascii() and style.isdecimal() and len(style) < 10 else 0
        return self._styles[place] if place < len(self._styles) else ""

    def _shared(self) -> list[str]:
        texts = _Texts()
        for part in self._parts.get("sharedStrings", {}).values():
            self._package.read(part, texts)
        return texts.found

    def _formats(self) -> list[str]:
        codes: dict[str, str] = {}
        found: list[str] = []
        within = ""

        def seen(name: str, attributes: Mapping[str, str]) -> None:
            nonlocal within
            if name in ("cellXfs", "cellStyleXfs", "dxfs"):
                within = name
            elif name == "numFmt" and within != "dxfs":
                codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            elif name == "xf" and within == "cellXfs":
                id = attributes.get("numFmtId", "0")
                known = int(id) if id.isascii() and id.isdecimal() and len(id) < 10 else 0
                found.append(counts_days(known, codes.get(id)))

        for part in self._parts.get("styles", {}).values():
            self._package.read(part, Elements(seen))
        return found


class _SheetReader:
    """Makes rows of a worksheet's elements."""

    def __init__(self, book: Book, bold_styles: frozenset[str] | None = None) -> None:
        self.rows: list[tuple[int, Filled]] = []
        self.bolds: list[frozenset[int]] = []
        """For each of the rows its bold columns, where it is asked for them."""
        self._book, self._bold_styles = book, bold_styles
        self._bold: set[int] = set()
        self._row, self._column = 0, -1
        self._filled: Filled = {}
        self._kind, self._style = "n", "0"
        self._formula = self._spoken = False
        self._held: str | None = None
        self._captured = Captured()
        self.text = self._captured.add

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v" or (name == "t" and not self._spoken):
            self._captured.begin()
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._spoken = True
        elif name == "row":
            self._begin_row(attributes.get("r"))

    def end(self, name: str) -> None:
        if name == "v":
            self._held = self._captured.taken()
        elif name == "t" and not self._spoken:
            self._held = (self._held or "") + self._captured.taken()
        elif name == "c":
            self._end_cell()
        elif name == "rPh":
            self._spoken = False
        elif name == "row" and self._filled:
            self.rows.append((self._row, self._filled))
            self._filled = {}
            if self._bold_styles is not None:
                self.bolds.append(frozenset(self._bold) if self._bold else _NOT_BOLD)
                self._bold.clear()

    def _begin_row(self, said: str | None) -> None:
        row = self._row + 1 if said is None else int(said) if _ROW.fullmatch(said) else 0
        if not self._row < row <= ROWS:
            raise Damaged(f"row {said or row} comes after row {self._row}")
        self._row, self._column = row, -1

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        said = attributes.get("r")
        column = self._column + 1
        if said is not None:
            letters = said.rstrip("0123456789")
            column = column_number(letters)
            if said[len(letters) :] != str(self._row):
                raise Damaged(f"cell {said} is said to be in row {self._row}")
        if not self._column < column < COLUMNS:
            raise Damaged(f"cell {said or column_name(column)} is not where a cell can be")
        self._column = column
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s", "0")
        self._formula, self._held = False, None

    def _end_cell(self) -> None:
        held, kind = self._held, self._kind
        if held is None or (not held and kind not in ("str", "inlineStr", "s")):
            if self._formula:
                self._filled[self._column] = NEVER_CALCULATED
            elif kind == "e":
                self._filled[self._column] = Fault("shows an error")
            return
        value = self._value(kind, held)
        if value != "":
            self._filled[self._column] = value
            if self._bold_styles and self._style in self._bold_styles:
                self._bold.add(self._column)

    def _value(self, kind: str, held: str) -> Value:
        if kind == "s":
            return self._book.text(held)
        if kind in ("inlineStr", "str"):
            return unescaped(held)
        held = held.strip()
        if kind == "n":
            return self._number(held)
        if kind == "b":
            return truth(held)
        if kind == "d":
            return iso_day(held)
        if kind == "e":
            return Fault(f"shows the error {held[:40]}", held)
        return Fault(f"is of a kind that is not known: {kind[:40]!r}")

    def _number(self, held: str) -> Value:
        found = number(held)
        if self._style == "0" or isinstance(found, Fault):
            return found
        counted = self._book.counted(self._style)
        if not counted:
            return found
        return serial(found, self._book.since_1904, counted == "elapsed")


class _Fonts:
    """Gathers which fonts are bold, and the font of each style of cells."""

    def __init__(self) -> None:
        self.bold: set[int] = set()
        self.of_styles: list[int] = []
        self._within, self._font = "", -1

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in ("fonts", "cellXfs", "cellStyleXfs", "dxfs"):
            self._within = name
        elif name == "font" and self._within == "fonts":
            self._font += 1
        elif name == "b" and self._within == "fonts":
            if attributes.get("val", "1") not in ("0", "false"):
                self.bold.add(self._font)
        elif name == "xf" and self._within == "cellXfs":
            id = attributes.get("fontId", "0")
            known = id.isascii() and id.isdecimal() and len(id) < 10
            self.of_styles.append(int(id) if known else 0)

    def text(self, data: str) -> None:
        """Of no interest."""

    def end(self, name: str) -> None:
        """Of no interest."""


class _Texts:
    """Gathers the texts that cells share, without how they are spoken."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] = []
        self._spoken = False
        self._captured = Captured()
        self.text = self._captured.add

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "t" and not self._spoken:
            self._captured.begin()
        elif name == "rPh":
            self._spoken = True

    def end(self, name: str) -> None:
        if name == "t" and not self._spoken:
            self._parts.append(self._captured.taken())
        elif name == "si":
            self.found.append(unescaped("".join(self._parts)))
            self._parts.clear()
        elif name == "rPh":
            self._spoken = False


def _related(package: Package, folder: str, part: str) -> dict[str, dict[str, str]]:
    """The parts that `part` relates: by what they are, then by id; none where there is no such."""
    found: dict[str, dict[str, str]] = {}

    def seen(name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            kind = attributes.get("Type", "").rpartition("/")[2]
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "")))
            found.setdefault(kind, {})[attributes.get("Id", "")] = target.lstrip("/")

    part = part.lstrip("/")
    if part in package:
        package.read(part, Elements(seen))
    return found
