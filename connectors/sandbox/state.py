"""What a sandbox holds: tables of rows, kept in memory and where wished in a file.

The file is always whole: it is written beside and renamed.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from connectors.calling.exact_json import read, written

Row: TypeAlias = dict[str, Any]


def dumps(value: Any) -> bytes:
    """Compact JSON in which a `Decimal` is the number that it is."""
    return written(value).encode()


def loads(text: bytes) -> Any:
    """JSON parsed, fractions as `Decimal`; raises `ValueError` where it is none."""
    try:
        return read(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


class Table:
    """Rows in the order they came, each with its JSON kept until it changes.

    A row is read only; to change it, `put` another one.
    """

    def __init__(self, id_field: str) -> None:
        self.id_field = id_field
        self.changes = 0
        self._rows: dict[str, Row] = {}
        self._order: list[str] = []
        self._json: dict[str, bytes] = {}

    def __contains__(self, id: object) -> bool:
        return id in self._rows

    def get(self, id: str) -> Row | None:
        """The row with that id."""
        return self._rows.get(id)

    def put(self, row: Row, *, first: bool = False) -> None:
        """Add the row, at the end or as the `first`; one with the same id is replaced in place."""
        id = row[self.id_field]
        if id not in self._rows:
            self._order.insert(0 if first else len(self._order), id)
        self._rows[id] = row
        self._json.pop(id, None)
        self.changes += 1

    def remove(self, id: str) -> None:
        """Forget the row; raises `KeyError` when there is none."""
        del self._rows[id]
        self._order.remove(id)
        self._json.pop(id, None)
        self.changes += 1

    def clear(self) -> None:
        """Forget all rows."""
        self._rows.clear()
        self._order.clear()
        self._json.clear()
        self.changes += 1

    def rows(self) -> list[Row]:
        """All rows in order."""
        return [self._rows[id] for id in self._order]

    def ids(self, where: Callable[[Row], bool] | None = None) -> list[str]:
        """All ids in order, or those of the rows that `where` holds for."""
        if where is None:
            return self._order
        return [id for id in self._order if where(self._rows[id])]

    def json(self, id: str) -> bytes:
        """The row as JSON; raises `KeyError` when there is none."""
        if id not in self._json:
            self._json[id] = dumps(self._rows[id])
        return self._json[id]


class State:
    """All tables of one account, by name. `state["keys"]` is always there, with the id `key`.

    `completed` gives a row that was read all the fields that an answer has.
    """

    def __init__(
        self,
        id_fields: Mapping[str, str],
        completed: Callable[[str, Row], Row],
        persist: Path | None = None,
    ) -> None:
        self._id_fields = {**id_fields, "keys": "key"}
        self._completed = completed
        self._persist = persist
        self.fill()

    def __getitem__(self, table: str) -> Table:
        return self._tables[table]

    def new_id(self, prefix: str) -> str:
        """An id never given before; the same in each run that makes the same calls."""
        self._serial += 1
        return f"{prefix}_{self._serial:08x}"

    def fill(self, *documents: Mapping[str, Any]) -> None:
        """Forget everything, then take the rows by table of each document; a later one's win."""
        self._serial = 0
        self._tables = {name: Table(field) for name, field in self._id_fields.items()}
        for document in documents:
            self._serial = max(self._serial, document.get("serial", 0))
            for name, table in self._tables.items():
                for row in document.get(name, ()):
                    table.put(row if name == "keys" else self._completed(name, row))
        self._saved = self._changes()

    def document(self) -> bytes:
        """Everything as one JSON object, which `fill` takes again."""
        parts = [b'"serial":%d' % self._serial]
        for name, table in self._tables.items():
            parts.append(b'"%s":[%s]' % (name.encode(), b",".join(map(table.json, table.ids()))))
        return b"{" + b",".join(parts) + b"}"

    def records(self) -> Mapping[str, Row]:
        """Every row of the vendor's own, by its table and id."""
        return {
            f"{name} {row[table.id_field]}": row
            for name, table in self._tables.items()
            if name != "keys"
            for row in table.rows()
        }

    def save(self) -> None:
        """Write the file, if there is one and anything changed since the last time."""
        changes = self._changes()
        if self._persist and changes != self._saved:
            half = self._persist.with_name(self._persist.name + ".part")
            half.write_bytes(self.document())
            os.replace(half, self._persist)
        self._saved = changes

    def _changes(self) -> int:
        return sum(table.changes for table in self._tables.values())
