"""All rows of a listing, put together: which of them make one object, of which kind.

What cannot be read is never passed over: an object with such a row is unreadable as a whole, as
whoever wrote to the rest of it would make the period a second time. A row that does not even say
which object it is of casts its doubt on all that it may be of.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from canonical.kind import Kind
from connectors.calling.parsing import begun, parsed
from connectors.contract.errors import Malformed, Missing
from connectors.kaireon.series import Series, Title, placed
from connectors.kaireon.wire import GLOBAL, SCOPES, KaireonRow, period_said


class Said(NamedTuple):
    """What a row says it is of; None where that cannot be read, so that it may be of any."""

    name: str | None
    scope: str | None
    scope_id: str | None
    period_type: str | None

    def may_be(self, title: Title, period_type: str | None = None) -> bool:
        """Whether this may be a row of that title, and type where one is given."""
        if self.name not in (None, title.name) or self.scope not in (None, title.scope):
            return False
        if title.scope != GLOBAL and self.scope_id not in (None, title.scope_id):
            return False
        return period_type is None or self.period_type in (None, period_type)


@dataclass
class Group:
    """The rows of one title and type of period, readable as one object or not.

    A write looks at all rows for the few that it is about: only of those the rest is read.
    """

    title: Title
    period_type: str
    records: list[tuple[str | None, Any]] = field(default_factory=list)
    ages: list[tuple[str, str]] = field(default_factory=list)

    @property
    def id(self) -> str | None:
        """The id of the object, readable or not."""
        return min(self.ages)[1] if self.ages else None

    @property
    def rows(self) -> Sequence[KaireonRow]:
        """Those that can be read."""
        return self._read[0]

    @property
    def error(self) -> Malformed | None:
        """Why the first of the others cannot be read."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[Sequence[KaireonRow], Malformed | None]:
        rows, error = [], None
        for id, record in self.records:
            try:
                rows.append(parsed(KaireonRow, record))
            except Malformed as wrong:
                error = error or Malformed(f"row {id or 'without an id'}: {wrong.message}")
        return rows, error

    def series(self) -> Series:
        """The object; raises `Malformed` where a row cannot be read, or two are for one period."""
        if self.error is not None:
            raise self.error
        return placed(self.rows)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that may be of several objects, as it does not say of which; `error` is why."""

    said: Said
    id: str | None
    error: Malformed

    def __str__(self) -> str:
        name = "without a name" if self.said.name is None else f"of {self.said.name!r}"
        return f"row {self.id or 'without an id'} {name}"

    def casts_on(self, group: Group) -> bool:
        """Whether it may be a row of that group."""
        return self.said.may_be(group.title, group.period_type)


class Rows:
    """All rows that a listing showed, by the objects that they make."""

    def __init__(self, records: Iterable[Any]) -> None:
        self._groups: dict[tuple[Title, str], Group] = {}
        self._budgets: set[str] = set()
        self.doubts: list[Doubt] = []
        for record in records:
            self._take(record)

    def _take(self, record: Any) -> None:
        said, error = _said(record)
        id = _at(record, "id")
        id = id if isinstance(id, str) else None
        if said.scope == GLOBAL and said.name is not None:
            self._budgets.add(said.name)
        name, scope, scope_id, period_type = said
        if name is None or scope is None or period_type is None:
            self.doubts.append(Doubt(said, id, error or Malformed("it does not say of what")))
            return
        if scope_id is None and scope != GLOBAL:
            self.doubts.append(Doubt(said, id, Malformed(f"a row of scope {scope} has no scopeId")))
            return
        title = Title(name, scope, scope_id)
        group = self._groups.get((title, period_type))
        if group is None:
            group = self._groups[title, period_type] = Group(title, period_type)
        if id is not None:
            group.ages.append((str(_at(record, "createdAt") or ""), id))
        group.records.append((id, record))

    def kind_of(self, title: Title) -> Kind:
        """Rows of a scope are an allocation below a global row of their name, else a budget."""
        alone = title.scope == GLOBAL or title.name not in self._budgets
        return Kind.BUDGET if alone else Kind.ALLOCATION

    def of(self, kind: Kind) -> list[Group]:
        """The objects of that kind on which no row casts a doubt."""
        return [each for each in self._of(kind) if not self.doubted(each)]

    def _of(self, kind: Kind) -> Iterator[Group]:
        return (each for each in self._groups.values() if self.kind_of(each.title) is kind)

    def doubted(self, group: Group) -> Doubt | None:
        """The row that may be one of that object, and cannot be read."""
        return next((each for each in self.doubts if each.casts_on(group)), None)

    def doubts_of(self, kind: Kind) -> Iterator[tuple[Doubt, frozenset[str]]]:
        """Each row that may be of an object of that kind, with the ids of all that it may be of."""
        for doubt in self.doubts:
            if self._may_be(doubt.said, kind):
                cast = (each for each in self._groups.values() if doubt.casts_on(each))
                yield doubt, frozenset(each.id for each in cast if each.id)

    def _may_be(self, said: Said, kind: Kind) -> bool:
        """Whether a row that says so may be of an object of that kind."""
        if said.scope == GLOBAL:
            return kind is Kind.BUDGET
        if said.scope is None or said.name is None:
            return True
        return self.kind_of(Title(said.name, said.scope, said.scope_id)) is kind

    def series(self, kind: Kind, id: str) -> Series:
        """The object with that id; an allocation also where its budget is gone.

        Raises `Missing`, or `Malformed` where it cannot be read, or a row that may be its own.
        """
        group = self._by_id.get(id)
        doubts = [each for each in self.doubts if each.id == id]
        if group is not None:
            if not self._is(kind, group):
                raise Missing(f"there is no {kind} {id!r}")
            doubts += filter(None, [self.doubted(group)])
        if doubts:
            raise Malformed(f"{doubts[0]} may be one of its rows: {doubts[0].error}")
        if group is None:
            raise Missing(f"there is no {kind} {id!r}")
        return group.series()

    def _is(self, kind: Kind, group: Group) -> bool:
        """Whether it can be asked for as one of that kind: an allocation outlives its budget."""
        if kind is Kind.ALLOCATION:
            return group.title.scope != GLOBAL
        return self.kind_of(group.title) is kind

    @cached_property
    def _by_id(self) -> Mapping[str, Group]:
        return {each.id: each for each in self._groups.values() if each.id}

    @cached_property
    def _by_title(self) -> Mapping[Title, list[Group]]:
        found = defaultdict(list)
        for group in self._groups.values():
            found[group.title].append(group)
        return found

    def titled(self, title: Title) -> list[KaireonRow]:
        """The rows of that title; raises `Malformed` where one of them cannot be read, or a row
        that may be one of them."""
        doubt = next((each for each in self.doubts if each.said.may_be(title)), None)
        if doubt is not None:
            raise Malformed(f"{doubt} may be one of its rows: {doubt.error}")
        groups = self._by_title.get(title, [])
        for group in groups:
            if group.error is not None:
                raise group.error
        return [row for group in groups for row in group.rows]

    def ids_of(self, title: Title) -> frozenset[str]:
        """The ids of the objects of that title, whatever their type of period."""
        return frozenset(each.id for each in self._by_title.get(title, []) if each.id)

    def below(self, name: str) -> Iterator[Group]:
        """The allocations of the budget of that name, readable or not."""
        return (each for each in self._of(Kind.ALLOCATION) if each.title.name == name)

    def leaves_alone(self, budget: Series) -> bool:
        """Whether rows of a scope would stand without a global one if the budget's were gone."""
        title = budget.title
        last = title.scope == GLOBAL and len(self._by_title[title]) == 1
        return last and any(True for _ in self.below(title.name))

    def container(self, name: str, period_type: str) -> str | None:
        """The id of the budget of that name: the one with such periods, else the only one."""
        budgets = self._by_title.get(Title(name, GLOBAL, None), [])
        alike = [each for each in budgets if each.period_type == period_type] or budgets
        return alike[0].id if len(alike) == 1 else None

    def containers(self, name: str) -> frozenset[str]:
        """The ids of all budgets of that name."""
        budgets = self._by_title.get(Title(name, GLOBAL, None), [])
        return frozenset(each.id for each in budgets if each.id)

    def title_of(self, id: str | None) -> Title | None:
        """The title of the object with that id, readable or not."""
        group = self._by_id.get(id or "")
        return group.title if group else None

    def begins(self, kind: Kind) -> dict[Title, date | None]:
        """Each title of that kind with the first day of its rows, None where none can be read."""
        return {
            each.title: min((row.period.start for row in each.rows), default=None)
            for each in self._of(kind)
        }


def _said(record: Any) -> tuple[Said, Malformed | None]:
    """What a record says it is of; and why not all of it, where it does not.

    A key that is none of its type leaves open which of the two is wrong.
    """
    name, scope, scope_id, period_type, key = (
        value if isinstance(value := _at(record, each), str) else None
        for each in ("name", "scope", "scopeId", "periodType", "periodKey")
    )
    error = None
    if scope not in (GLOBAL, *SCOPES):
        error = Malformed(
            f"scope is {begun(scope)}, which is none of {GLOBAL}, {', '.join(SCOPES)}"
        )
        scope = None
    try:
        period_said(period_type, key)
    except Malformed as wrong:
        error, period_type = error or wrong, None
    of_scope = scope_id or None if scope in SCOPES else None
    return Said(name, scope, of_scope, period_type), error


def _at(record: Any, name: str) -> Any:
    return record.get(name) if isinstance(record, dict) else None
