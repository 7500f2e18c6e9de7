"""What a sandbox holds: tables of rows, kept in memory and where wished in a file.

The file is always whole: it is written beside and renamed.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from connectors.calling.exact_json import read, written
from connectors.sandbox.past import Old, Past

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

    A row is read only; to change it, `put` another one. With a `past`, what is read may be what
    was there at an earlier time (`as_of`); what is written is written now.
    """

    def __init__(self, id_field: str, past: Past | None = None) -> None:
        self.id_field = id_field
        self.changes = 0
        self._rows: dict[str, Row] = {}
        self._order: list[str] = []
        self._json: dict[str, bytes] = {}
        self._past, self._old = past, Old()

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self.get(id) is not None

    def as_of(self, time: float | None) -> None:
        """From now on show what was there at that time; None is now."""
        if self._past is not None:
            self._old = Old() if time is None else self._past.at(time)
            self.changes += 1  # what somebody made of the rows is so no more

    def get(self, id: str) -> Row | None:
        """The row with that id."""
        return self._old[id] if id in self._old else self._rows.get(id)

    def put(self, row: Row, *, first: bool = False) -> None:
        """Add the row, at the end or as the `first`; one with the same id is replaced in place."""
        id = row[self.id_field]
        self._note(id)
        if id not in self._rows:
            self._order.insert(0 if first else len(self._order), id)
        self._rows[id] = row
        self._json.pop(id, None)
        self.changes += 1

    def remove(self, id: str) -> None:
        """Forget the row; raises `KeyError` when there is none."""
        self._note(id)
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

    def forget_the_past(self) -> None:
        """What is there now was always there."""
        if self._past is not None:
            self._past.clear()

    def rows(self) -> list[Row]:
        """All rows in order; those that are gone by now come last."""
        return [row for id in self.ids() if (row := self.get(id)) is not None]

    def ids(self, where: Callable[[Row], bool] | None = None) -> list[str]:
        """All ids in order, or those of the rows that `where` holds for."""
        ids = self._old.ids(self._order) if self._old else self._order
        if where is None:
            return ids
        return [id for id in ids if (row := self.get(id)) is not None and where(row)]

    def json(self, id: str) -> bytes:
        """The row as JSON; raises `KeyError` when there is none."""
        if id in self._old:
            return dumps(self._old[id])
        if id not in self._json:
            self._json[id] = dumps(self._rows[id])
        return self._json[id]

    def _note(self, id: str) -> None:
        if self._past is not None:
            self._past.note(id, self._rows.get(id))


class State:
    """All tables of one account, by name. `state["keys"]` is always there, with the id `key`.

    `completed` gives a row that was read all the fields that an answer has. With a `clock` the past
    of all tables is kept, but of those that are `prompt`.
    """

    def __init__(
        self,
        id_fields: Mapping[str, str],
        completed: Callable[[str, Row], Row],
        persist: Path | None = None,
        clock: Callable[[], float] | None = None,
        prompt: Collection[str] = (),
    ) -> None:
        self._id_fields = {**id_fields, "keys": "key"}
        self._clock, self._prompt = clock, {*prompt, "keys"}
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
        self._tables = {
            name: Table(field, self._past(name)) for name, field in self._id_fields.items()
        }
        for document in documents:
            self._serial = max(self._serial, document.get("serial", 0))
            for name, table in self._tables.items():
                for row in document.get(name, ()):
                    table.put(row if name == "keys" else self._completed(name, row))
        for table in self._tables.values():
            table.forget_the_past()
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

    @contextmanager
    def as_of(self, time: float | None) -> Iterator[None]:
        """Within it all that is read is what was there at that time; None is now."""
        if time is None:
            yield
            return
        for table in self._tables.values():
            table.as_of(time)
        try:
            yield
        finally:
            for table in self._tables.values():
                table.as_of(None)

    def has(self, id: str) -> bool:
        """Whether any table has a row of that id."""
        return any(id in table for table in self._tables.values())

    def save(self) -> None:
        """Write the file, if there is one and anything changed since the last time."""
        changes = self._changes()
        if self._persist and changes != self._saved:
            half = self._persist.with_name(self._persist.name + ".part")
            number = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(number, "wb") as file:
                file.write(self.document())
            os.replace(half, self._persist)
        self._saved = changes

    def _past(self, name: str) -> Past | None:
        return None if self._clock is None or name in self._prompt else Past(self._clock)

    def _changes(self) -> int:
        return sum(table.changes for table in self._tables.values())
