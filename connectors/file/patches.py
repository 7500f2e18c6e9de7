"""Patches: some cells of one worksheet written, all else of the workbook left to the byte.

Styles, widths, merged cells, charts and the formulas of other sheets stay; these are reckoned anew
when a spreadsheet program opens the workbook.
"""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, BinaryIO, Final, TypeAlias
from xml.sax.saxutils import escape

from connectors.file.workbooks import Book
from connectors.layouts.sheet import column_name, column_number
from connectors.layouts.stored import escaped

Changes: TypeAlias = Mapping[int, Mapping[int, Any]]
"""Row from 1 on → column from 0 on → what the cell is to hold."""

_ROW: Final = re.compile(r"<((?:\w+:)?)row\b([^>]*?)(?:/>|>(.*?)</\1row>)", re.DOTALL)
_CELL: Final = re.compile(r"<((?:\w+:)?)c\b([^>]*?)(?:/>|>(.*?)</\1c>)", re.DOTALL)
_DATA: Final = re.compile(r"<((?:\w+:)?)sheetData\b[^>]*?>(.*)</\1sheetData>", re.DOTALL)
_PLACE: Final = re.compile(r"""(?:^|\s)r=["']([A-Z]*)([0-9]+)["']""")
_STYLE: Final = re.compile(r"""(?:^|\s)s=["']([0-9]+)["']""")
_RECKONED: Final = re.compile(r"<((?:\w+:)?)calcPr\b")
_BEFORE_RECKONED: Final = re.compile(
    r"<((?:\w+:)?)(?:oleSize|customWorkbookViews|pivotCaches|fileRecoveryPr|extLst)\b|</(\w+:)?workbook>"
)
_TYPES: Final = "[Content_Types].xml"
_EPOCH: Final = date(1899, 12, 30)
_EPOCH_1904: Final = date(1904, 1, 1)


class Unpatched(Exception):
    """The worksheet is not written as programs write it."""


@dataclass(frozen=True, slots=True)
class _Cell:
    column: int
    style: str | None
    xml: str


def patched(file: BinaryIO, book: Book, part: str, changes: Changes, *, reckon: bool) -> bytes:
    """The workbook with these cells changed on one sheet; raises `Unpatched`."""
    raw = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(raw, "w") as new:
        if _TYPES not in old.namelist():
            raise Unpatched(f"it has no {_TYPES}, without which no spreadsheet program opens it")
        for info in old.infolist():
            content = old.read(info)
            name = info.filename.replace("\\", "/").lstrip("/").casefold()
            if name == part.casefold():
                content = _decoded(content, lambda xml: _Sheet(book, changes).patched(xml))
            elif reckon and name == "xl/workbook.xml":
                content = _decoded(content, _reckoned)
            new.writestr(info, content)
    return raw.getvalue()


def _decoded(content: bytes, change: Callable[[str], str]) -> bytes:
    try:
        return change(content.decode("utf-8")).encode("utf-8")
    except UnicodeDecodeError:
        raise Unpatched("its text is not UTF-8") from None


def _reckoned(xml: str) -> str:
    """Says that all formulas are to be reckoned when the workbook is opened."""
    if "fullCalcOnLoad" in xml:
        return re.sub(r"""fullCalcOnLoad=["'][^"']*["']""", 'fullCalcOnLoad="1"', xml)
    if found := _RECKONED.search(xml):
        return f'{xml[: found.end()]} fullCalcOnLoad="1"{xml[found.end() :]}'
    found = _BEFORE_RECKONED.search(xml)
    if found is None:
        raise Unpatched("its workbook has no end")
    prefix = found[1] or found[2] or ""
    return f'{xml[: found.start()]}<{prefix}calcPr fullCalcOnLoad="1"/>{xml[found.start() :]}'


class _Sheet:
    """The changes of one sheet; a new cell takes the style of the one above."""

    def __init__(self, book: Book, changes: Changes) -> None:
        self._book, self._left = book, {row: changes[row] for row in sorted(changes)}
        self._styles: dict[int, str] = {}

    def patched(self, xml: str) -> str:
        data = _DATA.search(xml)
        if data is None:
            raise Unpatched("it has no rows")
        prefix, rows = data.groups()
        said: list[str] = []
        end = 0
        for found in _ROW.finditer(rows):
            place = _PLACE.search(found[2])
            if place is None:
                raise Unpatched("its rows have no numbers")
            number = int(place[2])
            said += [rows[end : found.start()], *self._new(number, prefix)]
            said.append(self._row(number, found))
            end = found.end()
        said += [*self._new(None, prefix), rows[end:]]
        return f"{xml[: data.start(2)]}{''.join(said)}{xml[data.end(2) :]}"

    def _new(self, before: int | None, prefix: str) -> list[str]:
        """The rows that are not there, up to that number."""
        numbers = [each for each in self._left if before is None or each < before]
        made = [(n, "".join(self._made(n, self._left.pop(n), prefix))) for n in numbers]
        return [f'<{prefix}row r="{n}">{cells}</{prefix}row>' for n, cells in made]

    def _made(self, number: int, cells: Mapping[int, Any], prefix: str) -> list[str]:
        return [
            self._cell(prefix, number, column, self._styles.get(column), value)
            for column, value in sorted(cells.items())
            if value != ""
        ]

    def _row(self, number: int, found: re.Match[str]) -> str:
        cells = [self._seen(each) for each in _CELL.finditer(found[3] or "")]
        self._styles |= {each.column: each.style for each in cells if each.style is not None}
        wanted = dict(self._left.pop(number, {}))
        if not wanted:
            return found[0]
        said = {each.column: each.xml for each in cells}
        styles = self._styles | {each.column: each.style for each in cells}
        for column, value in wanted.items():
            if value != "" or column in said:
                said[column] = self._cell(found[1], number, column, styles.get(column), value)
        inner = "".join(said[column] for column in sorted(said))
        attributes = re.sub(r"""\sspans=["'][^"']*["']""", "", found[2])
        return f"<{found[1]}row{attributes}>{inner}</{found[1]}row>"

    def _seen(self, found: re.Match[str]) -> _Cell:
        place, style = _PLACE.search(found[2]), _STYLE.search(found[2])
        if place is None:
            raise Unpatched("its cells have no places")
        return _Cell(column_number(place[1]), style[1] if style else None, found[0])

    def _cell(self, prefix: str, row: int, column: int, style: str | None, value: Any) -> str:
        styled = f' s="{style}"' if style else ""
        begin = f'<{prefix}c r="{column_name(column)}{row}"{styled}'
        if isinstance(value, date):
            if not self._book.counted(style or "0"):
                value = value.isoformat()
            else:
                value = Decimal((value - (_EPOCH_1904 if self._book.since_1904 else _EPOCH)).days)
        if isinstance(value, Decimal):
            return f"{begin}><{prefix}v>{value:f}</{prefix}v></{prefix}c>"
        if value == "":
            return f"{begin}/>"
        text = f'<{prefix}t xml:space="preserve">{escape(escaped(value))}</{prefix}t>'
        return f'{begin} t="inlineStr"><{prefix}is>{text}</{prefix}is></{prefix}c>'
