"""The connector of databases: budgets and allocations as queries answer them, actuals kept.

A budget's id is its ref, an allocation's is "BUDGET/REF", as in files.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from typing import ClassVar, TypeAlias

from canonical.kind import Kind
from canonical.spent import Spent
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import Unreadable, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Known, Observed, Page, Recorded
from connectors.contract.runtime import Runtime
from connectors.layouts.stated import Stated
from connectors.rows.reading import pages
from connectors.sql.answers import Answer
from connectors.sql.database import Database
from connectors.sql.declared import CAPABILITIES, SqlSettings
from connectors.sql.laid import ByTwoQueries, laid_out, read_answer, without_shares
from connectors.sql.own import Own
from connectors.sql.queries import query_text
from connectors.sql.spent import Kept

_Read: TypeAlias = Own | Stated
_log = logging.getLogger("trueup.sql")


class Sql(Connector):
    """One database."""

    Settings: ClassVar = SqlSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: SqlSettings

    def __init__(self, name: str, settings: SqlSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._database = Database(name, settings.url.get_secret_value(), settings.timeout, runtime)
        self._lock = threading.Lock()
        self._held: _Snapshot | None = None
        self._told: set[str] = set()

    # Reading

    def check(self) -> Check:
        """Runs the queries and counts what they answer; without them it opens the database."""
        notes = self._database.notes()
        if self.settings.budgets is None:
            with self._database.reading():
                return Check(self._database.name(), notes)
        held = self._taken()
        budgets, shares = held.read.counts()
        found = [f"{budgets} budgets", f"{shares} allocations", *held.floats()]
        if isinstance(held.read, Stated):
            found += [note for each in held.read.readings for note in each.notes]
        return Check(f"{self._database.name()}: {held.said()}", [*found, *notes])

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """Pages of 1000, all of one snapshot: both queries are asked when budgets are listed.

        A row that cannot be read is a `Problem` with its query, number and column.
        """
        held = self._snapshot(kind)
        yield from pages(held.read.stream(kind), held.signature(), cursor, self.name)

    def get(self, kind: Kind, id: str) -> Observed:
        """The object as the database has it now; raises `Missing`."""
        return self._taken().read.get(kind, id)

    # Actuals

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        """Keeps each row by its system and id there, and its period, all in one transaction."""
        if self.settings.actuals is None:
            raise Unsupported(
                f"{self.name} has no table of actuals", hint='Set actuals = "table" for it'
            )
        kept = Kept(self.settings.actuals, create=self.settings.create_actuals)
        opened = self._database.reading() if dry_run else self._database.writing()
        with opened as connection:
            return kept.record(connection, rows, dry_run=dry_run)

    def close(self) -> None:
        """Forget what was read; no connection outlives a reading."""
        self._held = None

    def _snapshot(self, kind: Kind) -> "_Snapshot":
        """What the queries answer now; for allocations, once, what the budgets were listed of."""
        if kind is Kind.BUDGET:
            taken = self._taken()
            with self._lock:
                self._held = taken
            return taken
        with self._lock:
            held, self._held = self._held, None
        return held or self._taken()

    def _taken(self) -> "_Snapshot":
        """What the queries answer now, both at one moment."""
        if self.settings.budgets is None:
            raise Unsupported(f"{self.name} has no query of budgets; it only keeps actuals")
        answers = self._asked(self.settings.budgets)
        held = _Snapshot(answers, self._read(answers))
        self._tell(held.floats())
        return held

    def _tell(self, notes: Sequence[str]) -> None:
        """Once, however often it is read."""
        with self._lock:
            new = [note for note in notes if note not in self._told]
            self._told.update(new)
        for note in new:
            _log.warning("%s", note)

    def _asked(self, budgets: str) -> Sequence[Answer]:
        said = {"budgets": budgets, "allocations": self.settings.allocations}
        queries = {
            key: query_text(each, self.runtime.base, key) for key, each in said.items() if each
        }
        with self._database.reading() as connection:
            answers = [
                self._database.ask(connection, f"{self.name} query {key}", text)
                for key, text in queries.items()
            ]
        if not answers[0].count and not self.settings.empty:
            raise Unreadable(
                f"{answers[0].label} answers with no row at all, as it does for a user who may see "
                "nothing",
                hint="Set empty = true if there may be no budgets",
            )
        return answers

    def _read(self, answers: Sequence[Answer]) -> _Read:
        said, currency = self.settings.layout, self.settings.currency
        budgets, *others = answers
        if said is None:
            return Own(self.name, budgets, next(iter(others), None), currency)
        layout = laid_out(said, currency, self.runtime.base)
        if not others:
            return Stated(self.name, self.name, [read_answer(budgets, layout)])
        own = self.settings.allocations_layout
        below = layout if own is None else laid_out(own, currency, self.runtime.base)
        return ByTwoQueries(
            self.name,
            self.name,
            read_answer(budgets, without_shares(layout)),
            read_answer(others[0], below),
        )


class _Snapshot:
    """What the queries answered at one moment, and what was read of it."""

    def __init__(self, answers: Sequence[Answer], read: _Read) -> None:
        self._answers, self.read = answers, read

    def signature(self) -> tuple[int, int, int]:
        """What tells this content from another."""
        found = [each.signature for each in self._answers]
        first, size, count = zip(*found, strict=True)
        return hash(first) & ((1 << 63) - 1), sum(size), sum(count)

    def said(self) -> str:
        """How many rows came."""
        return ", ".join(f"{each.count} rows" for each in self._answers)

    def floats(self) -> Sequence[str]:
        """What to tell of columns that are binary floats."""
        return [
            f"{each.label}, column {name}: a binary float, read at 15 digits; "
            "NUMERIC is exact, and in SQLite TEXT"
            for each in self._answers
            for name in each.floats
        ]
