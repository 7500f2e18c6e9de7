"""What was spent, kept in one table: a row for each object of a system and each of its periods.

Values are bound and names quoted, so nothing of a value is in a statement. All rows of a call are
written in one transaction, in which what was written is read again: a column that does not keep an
amount to the cent is told, and nothing is written.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Dialect,
    MetaData,
    Numeric,
    Table,
    Text,
    bindparam,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql import quoted_name
from sqlalchemy.types import String, TypeDecorator, TypeEngine

from canonical.amount import Amount
from canonical.period import Period
from canonical.spent import Spent
from connectors.contract.departure import leaving
from connectors.contract.errors import Rejected, Unreadable
from connectors.contract.records import Keeping, Recorded

Key: TypeAlias = tuple[str, str, str, date, date]

_OPEN: Final = date(9999, 12, 31)
"""The end of a period without one."""
_KEY: Final = ("system", "kind", "target_id", "period_start", "period_end")
_NEEDED: Final = (*_KEY, "budget_ref", "ref", "currency", "spent")
_MORE: Final = ("name", "amount", "pending", "remaining", "sync", "source", "at")


class Money(TypeDecorator[Decimal]):
    """An exact amount: NUMERIC, and text in SQLite, whose numbers are binary floats."""

    impl = Numeric(38, 4)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        sqlite = dialect.name == "sqlite"
        return dialect.type_descriptor(Text() if sqlite else Numeric(38, 4))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return f"{value:f}" if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """None also for what is no number: it is written over as if nothing stood there."""
        with suppress(ArithmeticError):
            return None if value is None else Decimal(str(value))
        return None


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; in SQLite as ISO text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        sqlite = dialect.name == "sqlite"
        return dialect.type_descriptor(Text() if sqlite else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        if dialect.name in ("mysql", "mariadb"):  # their moments have no zone
            return moment.replace(tzinfo=None)
        return moment.isoformat() if dialect.name == "sqlite" else moment


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A row as the table should hold it."""

    key: Key
    values: Mapping[str, Any]


class Kept:
    """The table that the settings name."""

    def __init__(self, said: str, *, create: bool) -> None:
        schema, _, name = said.rpartition(".")
        self._said, self._create = said, create
        self._name = quoted_name(name, quote=True)
        self._schema = quoted_name(schema, quote=True) if schema else None

    def record(
        self, connection: Connection, rows: Sequence[Spent], *, dry_run: bool
    ) -> Sequence[Recorded]:
        """What becomes of each row; with `dry_run` nothing is written."""
        columns = self._columns(connection)
        table = self._described(columns or {*_NEEDED, *_MORE})
        if not dry_run:
            self._opened(connection, table, made=not columns)
        systems = {row.system for row in rows}
        days = {row.period.start for row in rows if row.period is not None}
        there = _there(connection, table, systems, days) if columns else {}
        told, new, changed = self._sorted(table, rows, there)
        if not dry_run and (new or changed):
            leaving()
            _write(connection, table, new, changed)
            self._ensure_exact(connection, table, [*new, *changed])
        return told

    # -- the table ---------------------------------------------------------------------------

    def _columns(self, connection: Connection) -> Collection[str]:
        """The columns of the table, none where it is not there and may be made."""
        inspector = inspect(connection)
        if not inspector.has_table(self._name, schema=self._schema):
            if self._create:
                return ()
            raise Unreadable(
                f"there is no table {self._said}",
                hint="Set create_actuals = true to have it made, or make it yourself",
            )
        columns = {each["name"] for each in inspector.get_columns(self._name, self._schema)}
        if missing := [each for each in _NEEDED if each not in columns]:
            raise Unreadable(
                f"table {self._said} lacks {', '.join(missing)}",
                hint=f"It has {', '.join(_NEEDED)}, and may have {', '.join(_MORE)}",
            )
        return columns

    def _opened(self, connection: Connection, table: Table, *, made: bool) -> None:
        """Make the table where it is `made` only now; nobody else writes it until the end."""
        if made:
            leaving()
            table.create(connection)
        elif connection.dialect.name == "postgresql":
            name = connection.dialect.identifier_preparer.format_table(table)
            connection.exec_driver_sql(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")

    def _described(self, columns: Collection[str]) -> Table:
        kinds: dict[str, TypeEngine[Any]] = {
            **dict.fromkeys(("period_start", "period_end"), Date()),
            **dict.fromkeys(("spent", "amount", "pending", "remaining"), Money()),
            **dict.fromkeys(("system", "kind", "target_id"), String(255)),
            "at": Moment(),
        }
        return Table(
            self._name,
            MetaData(),
            *[
                Column(
                    name,
                    kinds.get(name, Text()),
                    primary_key=name in _KEY,
                    nullable=name not in _NEEDED or name == "budget_ref",
                )
                for name in (*_NEEDED, *_MORE)
                if name in columns
            ],
            schema=self._schema,
        )

    # -- rows --------------------------------------------------------------------------------

    def _sorted(
        self, table: Table, rows: Sequence[Spent], there: Mapping[Key, Mapping[str, Any]]
    ) -> tuple[list[Recorded], list[_Wanted], list[_Wanted]]:
        """What becomes of each row; those that are not there yet; those that say something else."""
        told: list[Recorded] = []
        seen: set[Key] = set()
        new: list[_Wanted] = []
        changed: list[_Wanted] = []
        for row in rows:
            values = {name: each for name, each in _values(row).items() if name in table.c}
            wanted = _Wanted(_key(values), values)
            held = there.get(wanted.key)
            found = self._become(row, wanted, held, seen)
            seen.add(wanted.key)
            told.append(found)
            if found.outcome is Keeping.WRITTEN:
                (new if held is None else changed).append(wanted)
        return told, new, changed

    def _become(
        self, row: Spent, wanted: _Wanted, held: Mapping[str, Any] | None, seen: Collection[Key]
    ) -> Recorded:
        place = self._place(row)
        if row.spent is None or row.period is None or row.ref is None:
            return Recorded(Keeping.REFUSED, place, reason="it says too little")
        if wanted.key in seen:
            return Recorded(Keeping.REFUSED, place, reason="the same object is told twice")
        if held is None:
            return Recorded(Keeping.WRITTEN, place, None, row.spent)
        if held["currency"] != row.spent.unit:
            reason = f"it stands there in {held['currency']}, and is told in {row.spent.unit}"
            return Recorded(Keeping.REFUSED, place, reason=reason)
        before = None if held["spent"] is None else Amount(held["spent"], row.spent.unit).rounded()
        same = all(held[name] == each for name, each in wanted.values.items() if name != "at")
        outcome = Keeping.UNCHANGED if same else Keeping.WRITTEN
        return Recorded(outcome, place, before, row.spent)

    def _place(self, row: Spent) -> str:
        return f"{self._said}: {row.system} {row.target_id}, {_days(row.period)}"

    def _ensure_exact(
        self, connection: Connection, table: Table, written: Sequence[_Wanted]
    ) -> None:
        """Raises `Rejected` where what is kept is not what was written."""
        systems = {str(each.values["system"]) for each in written}
        days = {each.values["period_start"] for each in written}
        there = _there(connection, table, systems, days)
        for each in written:
            kept = there.get(each.key)
            for name in ("spent", "amount", "pending", "remaining"):
                if kept is None or (name in each.values and kept[name] != each.values[name]):
                    raise Rejected(
                        f"table {self._said} does not keep {name} as it is written",
                        hint="Make the column NUMERIC, or TEXT in SQLite",
                    )


def _there(
    connection: Connection, table: Table, systems: Collection[str], days: Collection[date]
) -> dict[Key, Mapping[str, Any]]:
    """What stands there of these systems, of periods that begin on these days."""
    query = select(table).where(
        table.c.system.in_(sorted(systems)), table.c.period_start.in_(sorted(days))
    )
    found: dict[Key, Mapping[str, Any]] = {}
    for row in connection.execute(query).mappings():
        held = dict(row)
        found[_key(held)] = held
    return found


def _write(
    connection: Connection, table: Table, new: Sequence[_Wanted], changed: Sequence[_Wanted]
) -> None:
    if new:
        connection.execute(insert(table), [dict(each.values) for each in new])
    if changed:
        at_key = [table.c[name] == bindparam(f"key_{name}") for name in _KEY]
        values: dict[str, Any] = {
            name: bindparam(name) for name in changed[0].values if name not in _KEY
        }
        connection.execute(
            update(table).where(*at_key).values(values),
            [
                {f"key_{name}" if name in _KEY else name: v for name, v in each.values.items()}
                for each in changed
            ],
        )


def _values(row: Spent) -> dict[str, Any]:
    period = row.period or Period(_OPEN)
    return {
        "system": row.system,
        "kind": row.kind.value,
        "target_id": row.target_id,
        "period_start": period.start,
        "period_end": period.end or _OPEN,
        "budget_ref": row.budget_ref,
        "ref": row.ref,
        "currency": row.spent.unit if row.spent else None,
        "name": row.name,
        "sync": row.sync,
        "source": row.source,
        "at": row.at,
        **{
            name: None if amount is None else amount.value
            for name, amount in (
                ("spent", row.spent),
                ("amount", row.amount),
                ("pending", row.pending),
                ("remaining", row.remaining),
            )
        },
    }


def _key(row: Mapping[str, Any]) -> Key:
    return row["system"], row["kind"], row["target_id"], row["period_start"], row["period_end"]


def _days(period: Period | None) -> str:
    if period is None:
        return "no period"
    return f"{period.start} to {period.end}" if period.end else f"from {period.start}"
