"""The rows of one object: what they share, their order in time, and what its id is."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from canonical.period import Cadence, Period
from connectors.contract.errors import Malformed
from connectors.kaireon.fitting import last_day
from connectors.kaireon.wire import CADENCE, GLOBAL, KaireonRow


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

    def current(self, today: date) -> Collection[tuple[Period, KaireonRow]]:
        """The rows that have not passed; the last one where all have."""
        return [each for each in self.rows if last_day(each[0]) >= today] or self.rows[-1:]


def title_of(row: KaireonRow) -> Title:
    """What a row shares with the others of its object."""
    return Title(row.name, row.scope, None if row.scope == GLOBAL else row.scope_id)


def placed(rows: Iterable[KaireonRow]) -> Series:
    """Rows in order of their periods; raises `Malformed` where two are for one.

    A row that two pages showed is one row.
    """
    by_period: dict[Period, KaireonRow] = {}
    for row in rows:
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
