"""Reading in two passes: an index of who there is, then the objects, each when its last row came.

The index is small (a ref and its currency a budget), so memory does not grow with what rows say.
A row that cannot be read sets its whole budget aside, and no other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Final, TypeAlias

from canonical.change import Problem
from connectors.contract.errors import Stale
from connectors.contract.records import Observed, Page
from connectors.file.layout import Position, Table, Wrong, at, place
from connectors.file.mapping import Reader, Said, WrongAt

Signature: TypeAlias = tuple[int, int, int]
"""Time of change, size and inode: another one means another content."""

PAGE: Final = 1000


@dataclass(slots=True)
class Index:
    """Who is in a file of budgets: each ref's currency, its last row where it has several, its
    parent; the refs whose parents lead back to themselves; and, once read, those set aside."""

    signature: Signature
    rows: int = 0
    units: dict[str, str] = field(default_factory=dict)
    last: dict[str, Position] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    cycles: dict[str, str] = field(default_factory=dict)
    aside: frozenset[str] | None = None


def index_of(table: Table, signature: Signature, currency: str | None) -> Index:
    """The first pass over a file of budgets."""
    index = Index(signature)
    for position, (ref, unit, parent) in table.picked(("ref", "currency", "parent")):
        index.rows += 1
        ref = ref.strip()
        if not ref:
            continue
        if ref in index.units:
            index.last[ref] = position
        else:
            index.units[ref] = intern(unit.strip() or currency or "")
            if parent := parent.strip():
                index.parents[ref] = parent
    index.cycles = cycles(index.parents)
    return index


def cycles(parents: Mapping[str, str]) -> dict[str, str]:
    """Each ref whose parents lead back to it, with the way round: "A → B → A"."""
    found: dict[str, str] = {}
    done: set[str] = set()
    for start in parents:
        way: dict[str, None] = {}
        ref: str | None = start
        while ref is not None and ref not in done and ref not in way:
            way[ref] = None
            ref = parents.get(ref)
        if ref is not None and ref in way:
            ring = list(way)[list(way).index(ref) :]
            found |= dict.fromkeys(ring, " → ".join([*ring, ref]))
        done |= way.keys()
    return found


def read_budgets(
    table: Table, index: Index, system: str, only: str | None = None
) -> Iterator[Observed | Problem]:
    """The second pass: every budget, or the one with ref `only`; leaves `index.aside` behind."""
    reader = Reader(table.columns, table.point, index.units)
    waiting: dict[str, list[tuple[Position, Said]]] = {}
    aside: set[str] = set()
    known = iter(index.units)
    for position, cells, wrong in table.rows():
        ref = cells.get("ref", "").strip()
        if ref and ref not in waiting and ref == (twin := next(known, None)):
            ref = cells["ref"] = twin  # the index's own text: whoever keeps it keeps one, not two
        if only is not None and ref != only:
            continue
        try:
            if wrong:
                raise wrong
            rows = waiting.setdefault(ref, []) if ref in index.last else []
            rows.append((position, reader.budget_row(cells)))
            if ref not in aside and index.last.get(ref, position) == position:
                yield _observed(reader, rows, index)
        except Wrong as error:
            found = error.position if isinstance(error, WrongAt) else position
            yield Problem(system, place(table, found, error.column), error.message, ref or None)
            aside.add(ref)
        if ref in waiting and (ref in aside or index.last[ref] == position):
            del waiting[ref]
    if only is None:
        index.aside = frozenset(aside)


def _observed(reader: Reader, rows: list[tuple[Position, Said]], index: Index) -> Observed:
    budget = reader.budget(rows)
    if budget.parent is not None:
        if budget.ref in index.cycles:
            way = index.cycles[budget.ref]
            raise WrongAt(rows[0][0], "parent", f"the parents go round in a circle: {way}")
        if budget.parent not in index.units:
            said = f"there is no budget {budget.parent!r}; name one by its ref"
            raise WrongAt(rows[0][0], "parent", said)
    return Observed(budget.ref, budget, container=budget.parent)


def read_allocations(
    table: Table, index: Index, system: str, only: str | None = None
) -> Iterator[Observed | Problem]:
    """Every allocation, or the one with id `only`; those of budgets set aside are counted only."""
    reader = Reader(table.columns, table.point, index.units)
    twice = _twice(table)
    with_budget: dict[str, int] = {}
    for position, cells, wrong in table.rows():
        budget, id = allocation_id(cells)
        if only is not None and id != only:
            continue
        if budget in (index.aside or ()):
            with_budget[budget] = with_budget.get(budget, 0) + 1
            continue
        try:
            if wrong:
                raise wrong
            allocation = reader.allocation(cells)
            if id in twice:
                other = next(each for each in twice[id] if each != position)
                raise Wrong("ref", f"{allocation.ref!r} of {budget} stands in {at(other)} too")
            yield Observed(id, allocation, container=budget)
        except Wrong as error:
            yield Problem(
                system, place(table, position, error.column), error.message, id if budget else None
            )
    for budget, count in with_budget.items():
        noun = "allocation" if count == 1 else "allocations"
        said = f"{count} {noun} of {budget} {'is' if count == 1 else 'are'} set aside with it"
        yield Problem(system, f"{table.label}, budget {budget}", said, budget)


def allocation_id(cells: Mapping[str, str]) -> tuple[str, str]:
    """The ref of its budget, and the id of an allocation's row: "BUDGET/REF"."""
    budget, ref, entity_type, entity = (
        cells.get(each, "") for each in ("budget", "ref", "entity_type", "entity")
    )
    return budget.strip(), _id(budget, ref, entity_type, entity)


def _id(budget: str, ref: str, entity_type: str, entity: str) -> str:
    return f"{budget.strip()}/{ref.strip() or f'{entity_type.strip()}:{entity.strip()}'}"


def _twice(table: Table) -> dict[str, list[Position]]:
    """The ids that several rows have, with the rows."""
    first: dict[str, Position] = {}
    found: dict[str, list[Position]] = {}
    for position, (budget, ref, entity_type, entity) in table.picked(
        ("budget", "ref", "entity_type", "entity")
    ):
        id = _id(budget, ref, entity_type, entity)
        if id in first:
            found.setdefault(id, [first[id]]).append(position)
        else:
            first[id] = position
    return found


def pages(
    stream: Iterator[Observed | Problem], signature: Signature, cursor: str | None, name: str
) -> Iterator[Page]:
    """The stream in pages, from `cursor`; raises `Stale` where the file is another one by now."""
    version = "-".join(map(str, signature))
    skip = 0
    if cursor is not None:
        number, _, seen = cursor.partition("@")
        if seen != version:
            raise Stale(f"{name} changed since {cursor} was read", hint="List from the beginning")
        skip = int(number)
    items: list[Observed] = []
    problems: list[Problem] = []
    number_of_page, here = 0, cursor
    for each in stream:
        if isinstance(each, Observed):
            items.append(each)
        else:
            problems.append(each)
        if len(items) == PAGE or len(problems) == PAGE:
            number_of_page += 1
            following = f"{number_of_page}@{version}"
            if number_of_page > skip:
                yield Page(items, problems, here, following)
                here = following
            items, problems = [], []
    yield Page(items, problems, here, None)
