"""Rows put together: which of them make one object, and what its id is.

What cannot be read is never passed over: an object with such a row is unreadable as a whole, as
whoever wrote to the rest of it would make the period a second time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from canonical.change import Kind
from canonical.period import Cadence, Period
from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed
from connectors.kaireon.fitting import last_day
from connectors.kaireon.wire import CADENCE, GLOBAL, SCOPES, KaireonRow


class Title(NamedTuple):
    """What the rows of one object share, beside the type of their periods."""

    name: str
    scope: str
    scope_id: str | None


@dataclass(frozen=True, slots=True)
class Series:
    """The rows of one object with their periods, in order of time."""

    rows: tuple[tuple[Period, KaireonRow], ...]

    @property
    def oldest(self) -> KaireonRow:
        """The row whose id is the object's."""
        return min((row for _, row in self.rows), key=age)

    @property
    def id(self) -> str:
        """The object's id."""
        return self.oldest.id

    @property
    def title(self) -> Title:
        """What all its rows share."""
        return title_of(self.rows[0][1])

    @property
    def periods(self) -> frozenset[Period]:
        """The periods that have a row."""
        return frozenset(period for period, _ in self.rows)

    @property
    def cadence(self) -> Cadence:
        """How long its periods are."""
        return CADENCE[self.rows[0][1].period_type]

    def current(self, today: date) -> Sequence[tuple[Period, KaireonRow]]:
        """The rows that have not passed; the last one where all have."""
        return [each for each in self.rows if last_day(each[0]) >= today] or self.rows[-1:]


def title_of(row: KaireonRow) -> Title:
    """What a row shares with the others of its object."""
    return Title(row.name, row.scope, None if row.scope == GLOBAL else row.scope_id)


def titled(title: Title, records: Iterable[Any]) -> Iterator[KaireonRow]:
    """The rows of that title; raises `Malformed` where one of them cannot be read."""
    for record in records:
        of_scope = _at(record, "name") == title.name and _at(record, "scope") == title.scope
        if of_scope and (title.scope == GLOBAL or _at(record, "scopeId") == title.scope_id):
            yield parsed(KaireonRow, record)


def grouped(kind: Kind, records: Iterable[Any]) -> list[list[Any]]:
    """The records of that kind by the object that they are rows of; one that does not say which
    stands alone."""
    groups: dict[object, list[Any]] = defaultdict(list)
    for index, record in enumerate(records):
        scope = _at(record, "scope")
        if (scope == GLOBAL) is not (kind is Kind.BUDGET):
            continue
        name, length, of = (_at(record, each) for each in ("name", "periodType", "scopeId"))
        whole = all(isinstance(word, str) for word in (name, scope, length))
        said = (name, scope, length, None if scope == GLOBAL else repr(of))
        groups[said if whole else index].append(record)
    return [*groups.values()]


def series_id(records: Sequence[Any]) -> str | None:
    """The id of the object that the records make, readable or not."""
    ids = [
        (str(_at(each, "createdAt") or ""), each["id"])
        for each in records
        if isinstance(_at(each, "id"), str)
    ]
    return min(ids)[1] if ids else None


def container_of(name: str, period_type: str, records: Iterable[Any]) -> str | None:
    """The id of the budget of that name: the one with such periods, else the only one."""
    budgets = _budgets_of(name, records)
    alike = [each for each in budgets if each[0]["periodType"] == period_type] or budgets
    return series_id(alike[0]) if len(alike) == 1 else None


def called(budget: str | None, records: Sequence[Any]) -> str | None:
    """The name of the budget with that id, readable or not."""
    for record in records:
        name = _at(record, "name") if _at(record, "id") == budget else None
        if isinstance(name, str) and budget in map(series_id, _budgets_of(name, records)):
            return name
    return None


def _budgets_of(name: str, records: Iterable[Any]) -> list[list[Any]]:
    return grouped(Kind.BUDGET, (each for each in records if _at(each, "name") == name))


def title_said(record: Any) -> Title | None:
    """The title that a record says, readable or not; None where it says none."""
    name, scope, scope_id = (_at(record, field) for field in ("name", "scope", "scopeId"))
    if not isinstance(name, str) or not isinstance(scope, str):
        return None
    return Title(name, scope, None if scope == GLOBAL else str(scope_id))


def first_day(record: Any) -> date | None:
    """The first day of a record's period; None where it cannot be read."""
    try:
        return parsed(KaireonRow, record).period.start
    except Malformed:
        return None


def series_of(records: Sequence[Any]) -> Series:
    """The records as one object.

    Raises `Malformed` where one cannot be read, or two are for one period: what cannot be read
    whole must not be written to.
    """
    return placed(parsed(KaireonRow, record) for record in records)


def placed(rows: Iterable[KaireonRow]) -> Series:
    """Rows in order of their periods; raises `Malformed` as `series_of` does.

    A row that two pages showed is one row.
    """
    by_period: dict[Period, KaireonRow] = {}
    for row in rows:
        if row.scope not in (GLOBAL, *SCOPES):
            raise Malformed(
                f"scope is {row.scope!r}, which is none of {GLOBAL}, {', '.join(SCOPES)}"
            )
        twin = by_period.setdefault(row.period, row)
        if twin.id != row.id:
            raise Malformed(
                f"{row.name!r} has two rows for {row.period_key}, {twin.id} and {row.id}: "
                "delete the one that is wrong"
            )
    return Series(tuple(sorted(by_period.items())))


def age(row: KaireonRow) -> tuple[str, str]:
    """What the rows of an object are sorted by to find the oldest."""
    return row.created_at or "", row.id


def _at(record: Any, name: str) -> Any:
    return record.get(name) if isinstance(record, dict) else None
