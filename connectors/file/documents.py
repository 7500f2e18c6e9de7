"""Documents: a whole file with some rows changed, put in the old one's place in one step.

A crash at any moment leaves either the old file or the new one, never a part.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from connectors.contract.errors import Rejected, Stale, Unreadable
from connectors.file.exact import Record, parse, written
from connectors.file.formats import Place
from connectors.file.grids import CsvDocument, Match, encoded
from connectors.file.records import flat
from connectors.file.tables import open_file
from connectors.rows.layout import DIMENSION, LIMITS, Cells

State: TypeAlias = tuple[int, int, int]
"""Time of change, size and inode."""

_PHASE: Final = ("start", "end", "amount")


class Document(Protocol):
    """A file held whole."""

    def replace(
        self,
        match: Match,
        rows: Sequence[Cells],
        taken_for_granted: Cells,
        before: Sequence[Cells] = (),
    ) -> None:
        """Puts `rows` where the rows that `match`, which say `before`, stand; else at the end."""

    def content(self) -> bytes:
        """The file as it should be."""


def open_document(place: Place) -> Document:
    """The file at `place`, whole; an empty one with a header where there is none yet."""
    if place.ending == ".csv":
        return CsvDocument(place)
    if place.ending == ".xlsx":
        from connectors.file.books import BookDocument  # only who writes a workbook pays for it

        return BookDocument(place)
    return RecordDocument(place)


def state(path: Path) -> State | None:
    """What tells whether somebody else wrote the file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def save(path: Path, content: bytes, was: State | None) -> None:
    """Puts `content` in place of the file at `path`, with its mode and, where this user may give it
    away, its owner; raises `Rejected`, or `Stale` where it is not as it `was`, and changes nothing.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else None
        if mode is not None and not target.is_file():
            raise Rejected(f"{path} is no file", hint="Name a file")
        if mode is not None and not (mode & 0o222 and os.access(target, os.W_OK)):
            raise Rejected(f"{path} is read-only", hint="Give this user write permission")
        _write(temporary, content, mode)
        _give(temporary, target)
        if state(path) != was:
            raise Stale(f"{path} was written by another process meanwhile", hint="Run again")
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise Rejected(
            f"{path} cannot be written: {error.strerror or error}",
            hint=f"See that {target.parent} is a folder with room that this user may write to",
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, content: bytes, mode: int | None) -> None:
    with path.open("xb") as file:
        if mode is not None:
            path.chmod(mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _give(temporary: Path, target: Path) -> None:
    """Let the new file belong to whom the old one belongs; a group alone where that is all."""
    if os.name != "posix" or not target.exists():
        return
    old, new = target.stat(), temporary.stat()
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        with suppress(OSError):
            os.chown(temporary, -1, old.st_gid)
        with suppress(OSError):
            os.chown(temporary, old.st_uid, -1)
        temporary.chmod(old.st_mode & 0o777)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # elsewhere a folder cannot be opened
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class RecordDocument:
    """A json or jsonl file; a line that is no record is kept as it stands."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._by_line = place.ending == ".jsonl"
        self._items: list[Any] = []
        if place.path.exists():
            with open_file(place.path) as file:
                text = file.read().decode(place.form.encoding)
            self._items = [*self._lines(text)] if self._by_line else self._list(text)

    def _list(self, text: str) -> list[Any]:
        found = parse(text)
        if not isinstance(found, list):
            raise Unreadable(f"{self._place.path} is not a list", hint="Write [ {…}, {…} ]")
        return found

    def _lines(self, text: str) -> Iterator[Any]:
        for line in text.removesuffix("\n").split("\n"):
            try:
                record = parse(line)
            except (ValueError, RecursionError):
                record = None
            yield record if isinstance(record, dict) else line

    def replace(
        self,
        match: Match,
        rows: Sequence[Cells],
        taken_for_granted: Cells,
        before: Sequence[Cells] = (),
    ) -> None:
        """See `Document.replace`; allocations inside budgets are put into theirs."""
        if not self._place.nested:
            self._items = self._replaced(self._items, {}, match, rows)
            return
        for item in self._items:
            if isinstance(item, dict):
                budget = _cells(item, self._place)["ref"]
                inside = [row for row in rows if row["budget"] == budget]
                held = item.get("allocations") or []
                left = self._replaced(held, {"budget": budget}, match, inside)
                if left or held:
                    item["allocations"] = left

    def _replaced(
        self, items: list[Any], around: Cells, match: Match, rows: Sequence[Cells]
    ) -> list[Any]:
        kept: list[Any] = []
        at, held = None, None
        for item in items:
            if isinstance(item, dict) and match({**_cells(item, self._place), **around}):
                at = len(kept) if at is None else at
                held = held or item.get("allocations")
            else:
                kept.append(item)
        new = [self._record(rows, held)] if rows else []
        at = len(kept) if at is None else at
        return kept[:at] + new + kept[at:]

    def _record(self, rows: Sequence[Cells], allocations: Any) -> Record:
        if self._place.layout.noun == "budgets":
            record = _budget_record(rows)
            return record | ({"allocations": allocations} if allocations else {})
        without = {"budget"} if self._place.nested else set()
        without |= {*_PHASE} if len(rows) > 1 else set()
        share: Record = {k: text for k, text in rows[0].items() if text and k not in without}
        return share | ({"phases": _phases(rows)} if len(rows) > 1 else {})

    def content(self) -> bytes:
        """The file as it should be, in UTF-8 or the encoding that is set."""
        try:
            text = self._text()
        except RecursionError:
            raise Rejected(
                f"{self._place.path} holds a record that is nested too deeply to be written again"
            ) from None
        encoding = self._place.form.encoding
        return encoded(text, "utf-8" if encoding == "utf-8-sig" else encoding)

    def _text(self) -> str:
        if self._by_line:
            lines = [item if isinstance(item, str) else written(item) for item in self._items]
            return "".join(f"{line}\n" for line in lines)
        inner = ",\n".join(written(item, "  ") for item in self._items)
        return f"[\n{inner}\n]\n" if inner else "[]\n"


def _cells(record: Record, place: Place) -> Cells:
    plain = {key: value for key, value in record.items() if not isinstance(value, dict | list)}
    return {"ref": "", "budget": "", **flat("", plain, place.layout)[1]}


def _budget_record(rows: Sequence[Cells]) -> Record:
    """The budget that `rows` state as json writes it; amounts are text, counts are numbers."""
    record: Record = {}
    for column, text in rows[0].items():
        if not text or (len(rows) > 1 and column in _PHASE):
            continue
        if column in LIMITS:
            record.setdefault("limits", {})[column] = Decimal(text)
        elif column.startswith(DIMENSION):
            record.setdefault("dimensions", {})[column.removeprefix(DIMENSION)] = text
        elif column == "owners":
            record["owners"] = [each for each in text.split(";") if each]
        else:
            record[column] = text == "true" if column == "carry_over" else text
    if len(rows) > 1:
        record["phases"] = _phases(rows)
    return record


def _phases(rows: Sequence[Cells]) -> list[Record]:
    return [{key: row[key] for key in _PHASE} for row in rows]
