"""The connector of databases: budgets and allocations as queries answer them, actuals kept.

A budget's id is its ref, an allocation's is "BUDGET/REF", as in files.
"""

import logging
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import ClassVar, TypeAlias

from sqlalchemy.engine import Connection

from canonical.kind import Kind
from canonical.spent import Spent
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import Missing, Unreadable, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Draft, Known, Observed, Page, Recorded
from connectors.contract.runtime import Runtime
from connectors.layouts.stated import Stated
from connectors.rows.reading import pages
from connectors.rows.written import drafted
from connectors.sql.answers import Answer
from connectors.sql.database import Database
from connectors.sql.declared import CAPABILITIES, SqlSettings
from connectors.sql.kept import KeptTable, able, kept_table
from connectors.sql.laid import ByTwoQueries, laid_out, read_answer, without_shares
from connectors.sql.own import Own
from connectors.sql.queries import query_text
from connectors.sql.spent import Kept
from connectors.sql.writer import Writer

_Read: TypeAlias = Own | Stated
_log = logging.getLogger("trueup.sql")


class _Able:
    """What a system is able to: by its tables, once they could be seen; of the class, to read."""

    def __get__(self, held: "Sql | None", owner: type["Sql"]) -> Capabilities:
        return CAPABILITIES if held is None else held.able()


class Sql(Connector):
    """One database."""

    Settings: ClassVar = SqlSettings
    capabilities: ClassVar[Capabilities] = _Able()  # type: ignore[assignment]  # per system
    settings: SqlSettings

    def __init__(self, name: str, settings: SqlSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._database = Database(name, settings.url.get_secret_value(), settings.timeout, runtime)
        self._lock = threading.Lock()
        self._held: _Snapshot | None = None
        self._told: set[str] = set()
        self._able: Capabilities | None = None

    # Reading

    def check(self) -> Check:
        """Runs the queries and counts what they answer; without them it opens the database."""
        notes = self._database.notes()
        if self._reads_nothing():
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

    # Writing

    def able(self) -> Capabilities:
        """What the tables hold; all that tables of ours can hold where they cannot be seen."""
        if self.settings.budgets_table is None:
            return CAPABILITIES
        with self._lock:
            if self._able is None:
                with self._database.reading() as connection:
                    self._able = able(
                        self._tables(connection), actuals=self.settings.actuals is not None
                    )
            return self._able

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """What has the ref of a draft: here the ref is the id."""
        read = self._taken().read
        found: dict[int, Sequence[Observed]] = {}
        for number, draft in enumerate(drafts):
            kind, _, id = drafted(draft)
            with suppress(Missing):
                found[number] = [read.get(kind, id)]
        return found

    def create(self, draft: Draft, key: str) -> Observed:
        """Adds the rows of the object; what is there with equal facts stays."""
        kind, model, id = drafted(draft)
        with self._writer(alone=True) as writer:
            return writer.create(kind, model, id)

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """Writes the cells that change; raises `Missing`, and `Stale` where a row moved."""
        kind, wanted, _ = drafted(draft)
        with self._writer() as writer:
            return writer.update(kind, wanted, id, fields)

    def retire(self, kind: Kind, id: str, key: str) -> None:
        """Sets the status to retired; raises `Missing`."""
        with self._writer() as writer:
            writer.retire(kind, id)

    @contextmanager
    def _writer(self, *, alone: bool = False) -> Iterator[Writer]:
        """A transaction on the tables; `alone` where nobody else may add rows meanwhile."""
        if self.settings.budgets_table is None:
            raise Unsupported(f"{self.name}: {self.settings.only_read()}")
        able, currency = self.able(), self.settings.currency
        with self._database.changing() as connection:
            tables = self._tables(connection)
            if alone and connection.dialect.name == "postgresql":
                for each in tables.values():
                    connection.exec_driver_sql(
                        f"LOCK TABLE {each.sql} IN SHARE ROW EXCLUSIVE MODE",
                        execution_options={"no_parameters": True},
                    )
            yield Writer(self.name, connection, tables, able, currency)

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
        if self._reads_nothing():
            raise Unsupported(f"{self.name} has no query of budgets; it only keeps actuals")
        answers = self._asked()
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

    def _reads_nothing(self) -> bool:
        return self.settings.budgets is None and self.settings.budgets_table is None

    def _tables(self, connection: Connection) -> Mapping[Kind, KeptTable]:
        """The tables that are written, as they are now; none where queries are read."""
        named = {
            Kind.BUDGET: self.settings.budgets_table,
            Kind.ALLOCATION: self.settings.allocations_table,
        }
        return {k: kept_table(connection, said, k) for k, said in named.items() if said}

    def _queries(self, connection: Connection) -> Mapping[str, str]:
        if self.settings.budgets_table is not None:
            return {each.said: each.query() for each in self._tables(connection).values()}
        said = {"budgets": self.settings.budgets, "allocations": self.settings.allocations}
        return {key: query_text(each, self.runtime.base, key) for key, each in said.items() if each}

    def _asked(self) -> Sequence[Answer]:
        with self._database.reading() as connection:
            queries = self._queries(connection)
            noun = "table" if self.settings.budgets_table else "query"
            answers = [
                self._database.ask(connection, f"{self.name} {noun} {key}", text)
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
