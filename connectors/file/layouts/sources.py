"""A file as sheets of rows of cells, whatever its format; cells are as they stand.

Text files are read as a stream in an encoding and with a delimiter of those that the layout allows;
workbooks bring typed cells, and which of them are bold.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final

from connectors.contract.errors import Unreadable
from connectors.file.exact import Beyond
from connectors.file.tables import open_file
from connectors.layouts.language import FileForm
from connectors.layouts.sheet import WIDEST, Row, Sheet
from connectors.layouts.stored import Fault, Value

TEXT: Final = (".csv", ".tsv", ".txt", ".iif")
BOOKS: Final = (".xlsx", ".xlsm")
FOREIGN: Final = (".xls", ".xlsb", ".ods")
RECORDS: Final = (".json", ".jsonl")
ASKING: Final = (*TEXT, *RECORDS)
"""Files that are read in other ways by other layouts; a workbook is itself, whatever reads it."""
PARQUET: Final = ".parquet"
ENDINGS: Final = (*TEXT, *BOOKS, *FOREIGN, *RECORDS, PARQUET)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(slots=True)
class TextSheet:
    """A text file, its columns parted by `delimiter`."""

    path: Path
    file: BinaryIO
    encoding: str
    delimiter: str
    quote: str
    label: str
    name: str | None = None
    hidden: bool = False
    typed: bool = False
    unsure: bool = False

    def rows(self) -> Iterator[Row]:
        self.file.seek(0)
        text = io.TextIOWrapper(self.file, encoding=self.encoding, newline="")
        quoting: dict[str, Any] = {"quotechar": self.quote, "strict": True}
        if not self.quote:
            quoting = {"quoting": csv.QUOTE_NONE}
        reader = csv.reader(text, delimiter=self.delimiter, **quoting)
        line = 1
        try:
            for cells in reader:
                yield line, cells, ()
                line = reader.line_num + 1
        except csv.Error as error:
            raise Unreadable(
                f"{self.path} line {line}: {error}",
                hint='Close every quote, and write a quote inside quotes twice: "a ""b"" c"',
            ) from None
        finally:
            text.detach()


def encoding_of(file: BinaryIO, path: Path, allowed: Sequence[str]) -> str:
    """The encoding that the file's mark tells, or the first of `allowed` in which all of it reads.

    Raises `Unreadable` where there is none.
    """
    file.seek(0)
    begin = file.read(4)
    for mark, name in _MARKS:
        if begin.startswith(mark):
            return name
    for name in allowed:
        if _reads(file, name):
            return name
    raise Unreadable(
        f"{path} is not text in {' or '.join(allowed)}",
        hint='Set file.encoding, such as "cp1250" or "utf-16"',
    )


def _reads(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        while piece := file.read(1 << 20):
            decoder.decode(piece)
        decoder.decode(b"", True)
    except (UnicodeError, LookupError):
        return False
    return True


@dataclass(slots=True)
class BookSheet:
    """A worksheet of an xlsx workbook."""

    book: Any
    sheet: Any
    path: Path
    label: str
    name: str | None
    hidden: bool
    typed: bool = True
    unsure: bool = False

    def rows(self) -> Iterator[Row]:
        from connectors.file.package import readable_workbook

        with readable_workbook(self.path):
            for number, filled, bold in self.book.styled_rows(self.sheet):
                width = min(max(filled) + 1, WIDEST)
                yield number, [filled.get(column, "") for column in range(width)], bold


@dataclass(slots=True)
class RecordSheet:
    """Records of a json file as rows; the first row names their keys."""

    records: Sequence[Any]
    label: str
    lines: str | None
    name: str | None = None
    hidden: bool = False
    typed: bool = True
    unsure: bool = False

    def rows(self) -> Iterator[Row]:
        keys: dict[str, int] = {}
        for record in self._flat():
            for key in record:
                keys.setdefault(key, len(keys))
        yield 0, list(keys), ()
        for number, record in enumerate(self._flat(), start=1):
            yield number, [_cell(record.get(key)) for key in keys], ()

    def _flat(self) -> Iterator[dict[str, Any]]:
        for record in self.records:
            if not isinstance(record, dict):
                yield {"": Fault("is no object; write {…}")}
                continue
            lines = record.get(self.lines) if self.lines else None
            for line in lines if isinstance(lines, list) and lines else [None]:
                whole = record if line is None else {**record, self.lines: line}
                yield dict(_pairs("", whole, 0))


def _pairs(prefix: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """The values inside objects, each by the keys that lead to it with a point between."""
    if isinstance(value, dict) and depth < 8:
        for key, each in value.items():
            yield from _pairs(f"{prefix}.{key}" if prefix else key, each, depth + 1)
    else:
        yield prefix, value


def _cell(value: Any) -> Value:
    if value is None:
        return ""
    if isinstance(value, str | bool | Decimal | Fault):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Beyond):
        return Fault(f"{value} is beyond any amount")
    return Fault("holds a list or an object; file.lines names a list that makes rows")


def open_sheets(path: Path, form: FileForm, held: ExitStack) -> list[list[Sheet]]:
    """The sheets of the file: for each way in which it may be read (delimiters) a list of them.

    What is opened is closed with `held`. Raises `Unreadable` with what would be right.
    """
    ending = path.suffix.casefold()
    if ending not in ENDINGS:
        raise Unreadable(
            f"{path}: {ending or 'a name without ending'} is not a format of budgets",
            hint=f"Use a file that ends in {', '.join(ENDINGS)}",
        )
    if ending in FOREIGN:
        from connectors.file.layouts.foreign import foreign_sheets

        return [foreign_sheets(path, held)]
    file = held.enter_context(open_file(path))
    if ending in TEXT:
        encoding = encoding_of(file, path, form.encoding)
        return [
            [TextSheet(path, file, encoding, delimiter, form.quote, path.name)]
            for delimiter in form.delimiter
        ]
    if ending in BOOKS:
        return [_of_book(file, path)]
    if ending == PARQUET:
        from connectors.file.parquet import parquet_sheet

        return [[parquet_sheet(file, path)]]
    return [[RecordSheet(_records(file, path, form), path.name, form.lines)]]


def _of_book(file: BinaryIO, path: Path) -> list[Sheet]:
    from connectors.file.sheets import open_book  # 2 MB that a text file has no use for

    book = open_book(file, path)
    alone = len(book.sheets) == 1
    return [
        BookSheet(
            book,
            each,
            path,
            path.name if alone else f"{path.name} sheet {each.name}",
            each.name,
            each.hidden,
        )
        for each in book.sheets
    ]


def _records(file: BinaryIO, path: Path, form: FileForm) -> Sequence[Any]:
    from connectors.file.exact import parse

    encoding = encoding_of(file, path, form.encoding)
    file.seek(0)
    text = file.read().decode(encoding).removeprefix("\ufeff")
    try:
        if path.suffix.casefold() == ".jsonl":
            return [parse(line) for line in text.split("\n") if line.strip()]
        found = parse(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: {error}", hint="Correct the JSON") from None
    for key in form.records.split(".") if form.records else ():
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise Unreadable(
            f"{path} is no list of records", hint='file.records says where one is, such as "value"'
        )
    return found
