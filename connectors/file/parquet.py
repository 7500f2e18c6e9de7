"""Parquet files, by pyarrow, which comes with the extra `trueup[parquet]`.

Decimals and whole numbers are exact; a double is read at 15 digits, as a worksheet's is. A float of
32 bits holds no cents of a larger amount, and is refused wherever something stands in it.
Rows are read batch by batch, so that the size of the file does not matter.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final

from connectors.contract.errors import Unreadable
from connectors.layouts.stored import Exact, Fault, Value
from connectors.rows.layout import Layout, header
from connectors.rows.typed import TypedSheet, TypedTable, code_or_text

_BATCH: Final = 4096
_LARGEST: Final = 60
"""The exponent of a number that may be an amount or a code; more than either can have."""


class ParquetRows:
    """The rows of such a file as cells, several times if need be; raises `Unreadable`."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._path, self._file = path, file
        with self._readable() as parquet:
            self.names: list[str] = parquet.schema_arrow.names
        folded = [name.strip().casefold() for name in self.names]
        if twice := next((n for n in self.names if folded.count(n.strip().casefold()) > 1), None):
            raise Unreadable(f"{path}: column {twice} stands there twice", hint="Keep one of them")

    def __iter__(self) -> Iterator[Sequence[Value]]:
        with self._readable() as parquet:
            narrow = [str(each.type) in ("float", "halffloat") for each in parquet.schema_arrow]
            for batch in parquet.iter_batches(batch_size=_BATCH, use_threads=False):
                columns = [
                    [_cell(each, narrow=is_narrow) for each in _values(column)]
                    for column, is_narrow in zip(batch.columns, narrow, strict=True)
                ]
                yield from zip(*columns, strict=True)

    @contextmanager
    def _readable(self) -> Iterator[Any]:
        """The file, opened anew; what is wrong with it is told as one message."""
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise Unreadable(
                f"{self._path} is a parquet file, which takes pyarrow",
                hint="Install it: pip install 'trueup[parquet]'",
            ) from None
        try:
            self._file.seek(0)
            yield pyarrow.parquet.ParquetFile(self._file, pre_buffer=False)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            said = str(error).partition("\n")[0][:200]
            raise Unreadable(
                f"{self._path} is a damaged parquet file ({said})", hint="Export it again"
            ) from None


def parquet_table(file: BinaryIO, path: Path, layout: Layout, point: str) -> TypedTable:
    """A parquet file whose columns have our own names."""
    rows = ParquetRows(file, path)

    def text(column: str, value: Value) -> str:
        return code_or_text(column, value, point, "export it as text")

    return TypedTable(path.name, header(rows.names, layout, str(path)), rows, text, point)


def parquet_sheet(file: BinaryIO, path: Path) -> TypedSheet:
    """A parquet file whose columns are named by a layout."""
    rows = ParquetRows(file, path)
    return TypedSheet(path.name, rows.names, rows)


def _values(column: Any) -> Sequence[Any]:
    """A batch's values as Python has them; of a moment what is finer than a millionth is cut."""
    import pyarrow

    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pyarrow.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pyarrow.timestamp("us", kind.tz), safe=False)
    found: Sequence[Any] = column.to_pylist()
    return found


def _cell(value: object, *, narrow: bool) -> Value:
    if value is None:
        return ""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int | Decimal):
        return _exact(value)
    if isinstance(value, float):
        return _rough(value, narrow=narrow)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date | time):
        return value
    if isinstance(value, bytes):
        return Fault("is bytes, not text; export it as text")
    kind = type(value).__name__
    return Fault(f"is of the type {kind}, which has no reading; export it as text or a number")


def _exact(value: int | Decimal) -> Value:
    number = Exact(value)
    if number and abs(number.adjusted()) > _LARGEST:
        return Fault("is a number beyond any amount or code")
    return number


def _rough(value: float, *, narrow: bool) -> Value:
    if narrow:
        return Fault("is a float of 32 bits, which holds 7 digits; export it as decimal or double")
    if not math.isfinite(value):
        return Fault(f"is {value}, which is no number")
    return Decimal(repr(value))


def _moment(value: datetime) -> Value:
    """A day where it is the beginning of one; with a zone anything else may be two days."""
    if value.time() == time():
        return value.date()
    if value.tzinfo is None:
        return value
    said = f"{value.isoformat()} is a moment, which is another day in another time zone"
    return Fault(f"{said}; export it as a date")
