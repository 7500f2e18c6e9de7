"""Answers: all rows of a query, taken whole before any of them is read, in a file without a name.

An answer that broke off raises while it is taken, and so is none. Rows are read again and again
without asking the database, by several threads, and memory holds a few of them at a time.
"""

import hashlib
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from connectors.layouts.stored import Exact, Fault, Value
from connectors.sql.cells import cell

Signature: TypeAlias = tuple[int, int, int]

_IN_MEMORY: Final = 4 << 20
"""Bytes of an answer that need no file."""
_BLOCK: Final = 1 << 18
_SIZE: Final = 4
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[str]).decode


class Answer:
    """The answer to one query; `names` are its columns, `floats` those that held a binary one."""

    def __init__(self, label: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Takes all of `rows`; lets through what they raise."""
        self.label, self.names = label, tuple(names)
        self.floats: tuple[str, ...] = ()
        self.count = 0
        self._lock = threading.Lock()
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self.signature = self._taken(rows)

    def _taken(self, rows: Iterable[Sequence[object]]) -> Signature:
        digest = hashlib.blake2b("\x1f".join(self.names).encode(), digest_size=8)
        rough: set[int] = set()
        size = 0
        for row in rows:
            rough.update([place for place, each in enumerate(row) if isinstance(each, float)])
            record = _encode([_written(cell(each)) for each in row])
            written = len(record).to_bytes(_SIZE, "big") + record
            self._file.write(written)
            digest.update(written)
            size += len(written)
            self.count += 1
        self.floats = tuple(self.names[place] for place in sorted(rough))
        return int.from_bytes(digest.digest(), "big"), size, self.count

    def __iter__(self) -> Iterator[list[Value]]:
        """Every row, in the order in which they came."""
        at, rest = 0, b""
        while block := self._block(at):
            at += len(block)
            rest += block
            start = 0
            while (end := _end(rest, start)) is not None:
                yield [_read(text) for text in _decode(rest[start + _SIZE : end])]
                start = end
            rest = rest[start:]

    def _block(self, at: int) -> bytes:
        with self._lock:
            self._file.seek(at)
            return self._file.read(_BLOCK)


def _end(rest: bytes, start: int) -> int | None:
    """Where the record at `start` ends; None where not all of it is there."""
    begin = start + _SIZE
    end = begin + int.from_bytes(rest[start:begin], "big")
    return end if begin <= len(rest) and end <= len(rest) else None


def _written(value: Value) -> str:
    if isinstance(value, str):
        return f"s{value}" if value else ""
    if isinstance(value, bool):
        return "b1" if value else "b0"
    if isinstance(value, Decimal):
        return f"{'n' if isinstance(value, Exact) else 'f'}{value}"
    if isinstance(value, Fault):
        return f"!{value.message}"
    if isinstance(value, datetime):
        return f"t{value.isoformat()}"
    if isinstance(value, timedelta):
        return f"e{value // timedelta(microseconds=1)}"
    return f"{'d' if isinstance(value, date) else 'h'}{value.isoformat()}"


def _read(text: str) -> Value:
    if not text or text[0] == "s":
        return text[1:]
    return _READERS[text[0]](text[1:])


def _truth(text: str) -> bool:
    return text == "1"


def _lasting(text: str) -> timedelta:
    return timedelta(microseconds=int(text))


_READERS: Final[Mapping[str, Callable[[str], Value]]] = {
    "n": Exact,
    "f": Decimal,
    "d": date.fromisoformat,
    "t": datetime.fromisoformat,
    "b": _truth,
    "h": time.fromisoformat,
    "e": _lasting,
    "!": Fault,
}
