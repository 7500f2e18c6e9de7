"""Reading in two passes: an index of who there is, then the objects, each when its last row came.

The index is small (a ref and its currency a budget), so memory does not grow with what rows say.
A row that cannot be read sets its whole budget aside, and no other.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from sys import intern
from typing import Final, TypeAlias

from canonical.problem import Problem
from canonical.text import Unkept, joined, likeness
from canonical.text import ref as spelled_ref
from canonical.traces import Traces
from connectors.contract.errors import Stale
from connectors.contract.records import Observed, Page
from connectors.rows.faults import IN_ALL, Faults
from connectors.rows.layout import Position, Table, Wrong, at
from connectors.rows.mapping import Reader, Said, WrongAt

Signature: TypeAlias = tuple[int, int, int]
"""Time of change, size and inode: another one means another content."""

PAGE: Final = 1000
DIFFERS: Final = "differs by capitals or leading zeros only; give both one spelling, or other refs"


@dataclass(slots=True)
class Index:
    """Who is in a file of budgets: each ref's currency, its last row where it has several, its
    parent; the refs whose parents lead back to themselves, those that are too much alike with what
    they are like; and, once read, those set aside."""

    signature: Signature
    rows: int = 0
    units: dict[str, str] = field(default_factory=dict)
    last: dict[str, Position] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    cycles: dict[str, str] = field(default_factory=dict)
    alike: dict[str, str] = field(default_factory=dict)
    aside: frozenset[str] | None = None


def index_of(table: Table, signature: Signature, currency: str | None) -> Index:
    """The first pass over a file of budgets."""
    index = Index(signature)
    spellings: dict[str, str] = {}
    several: set[str] = set()
    for position, (text, unit, parent) in table.picked(("ref", "currency", "parent")):
        index.rows += 1
        ref = ref_of(text)
        if not ref:
            continue
        if ref in index.units:
            index.last[ref] = position
        else:
            index.units[ref] = intern(unit.strip() or currency or "")
            if parent and (parent := ref_of(parent)):
                index.parents[ref] = parent
            like = likeness(ref)
            if spellings.setdefault(ref if like == ref else like, ref) != ref:
                several.add(like)
    index.cycles = cycles(index.parents)
    if several:
        index.alike = alike(table, several)
    return index


def alike(table: Table, several: Collection[str]) -> dict[str, str]:
    """Each ref of those likenesses, with the other one that it is like and its row in words."""
    first: dict[str, dict[str, Position]] = {}
    for position, (text,) in table.picked(("ref",)):
        if (ref := ref_of(text)) and (like := likeness(ref)) in several:
            first.setdefault(like, {}).setdefault(ref, position)
    return {ref: _like(refs, ref) for refs in first.values() for ref in refs}


def _like(refs: Mapping[str, Position], ref: str) -> str:
    other, position = next(each for each in refs.items() if each[0] != ref)
    return f"{other!r} in {at(position)} {DIFFERS}"


def ref_of(text: str) -> str:
    """The ref that a cell spells; blank for what spells none, which is told where it is read."""
    try:
        return spelled_ref(text)
    except Unkept:
        return ""


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
    faults = Faults(system, table)
    for position, cells, wrong in table.rows():
        ref = cells.get("ref", "").strip()
        ref = ref if ref.isalnum() and ref.isascii() else ref_of(ref)
        if ref and ref not in waiting and ref == (twin := next(known, None)):
            ref = cells["ref"] = twin  # the index's own text: whoever keeps it keeps one, not two
        if only is not None and ref != only:
            continue
        try:
            if wrong:
                raise wrong
            if ref in index.alike:
                raise Wrong("ref", f"{ref!r}: {index.alike[ref]}")
            rows = waiting.setdefault(ref, []) if ref in index.last else []
            rows.append((position, reader.budget_row(cells)))
            if ref not in aside and index.last.get(ref, position) == position:
                yield _observed(reader, rows, index)
        except Wrong as error:
            found = error.position if isinstance(error, WrongAt) else position
            yield from faults.told(found, error.column, error.message, ref or None)
            aside.add(ref)
        if ref in waiting and (ref in aside or index.last[ref] == position):
            del waiting[ref]
    yield from faults.rest()
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
    several = _several(table)
    waiting: dict[str, list[tuple[Position, Said]]] = {}
    aside: set[str] = set()
    faults = Faults(system, table)
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
            said = reader.allocation_row(cells)
            rows = [(position, said)]
            if several and (others := several.get((budget, likeness(said["ref"])))):
                _ensure_phase(said, position, others)
                rows = [*waiting.pop(id, ()), *rows]
                if position != next(reversed(others)):
                    waiting[id] = rows
                    continue
            if id not in aside:
                yield Observed(id, reader.allocation(rows), container=budget)
        except Wrong as error:
            found = error.position if isinstance(error, WrongAt) else position
            yield from faults.told(found, error.column, error.message, id if budget else None)
            aside.add(id)
    yield from faults.rest()
    yield from _with_budgets(with_budget, system, table.label)


def _with_budgets(counts: Mapping[str, int], system: str, label: str) -> Iterator[Problem]:
    for number, (budget, count) in enumerate(counts.items()):
        if number == IN_ALL:
            said = f"allocations of {len(counts) - number} more budgets are set aside with them"
            ids = frozenset(islice(counts, number, None))
            yield Problem(system, label, said, traces=Traces(ids=ids))
            return
        noun = "allocation" if count == 1 else "allocations"
        said = f"{count} {noun} of {budget} {'is' if count == 1 else 'are'} set aside with it"
        yield Problem(system, f"{label}, budget {budget}", said, budget)


def _ensure_phase(said: Said, position: Position, others: Mapping[Position, str]) -> None:
    """Raises `Wrong` for a row of several that are not the phases of one share."""
    ref = said["ref"]
    if "start" not in said or {*others.values()} != {ref}:
        raise Wrong("ref", _other(ref, said["budget"], position, others))


def _other(ref: str, budget: str, position: Position, others: Mapping[Position, str]) -> str:
    other = next(each for each in others if each != position)
    if others[other] == ref:
        here = f"{ref!r} of {budget} stands in {at(other)} too"
        return f"{here}; give each row its own start and end, or take one out"
    return f"{ref!r} of {budget}: {others[other]!r} in {at(other)} {DIFFERS}"


def allocation_id(cells: Mapping[str, str]) -> tuple[str, str]:
    """The ref of its budget, and the id of an allocation's row: "BUDGET/REF"."""
    cell = cells.get
    named = cell("entity_type", ""), cell("entity", "")
    budget, ref = _pair(cell("budget", ""), cell("ref", ""), *named)
    return budget, joined(budget, ref)


def _pair(budget: str, ref: str, entity_type: str, entity: str) -> tuple[str, str]:
    said = f"{budget}{ref}"
    if ref and said.isascii() and said.isprintable() and (plain := ref.strip()):
        return budget.strip(), plain  # what `ref_of` makes of nearly every cell
    return ref_of(budget), ref_of(ref) or f"{ref_of(entity_type)}:{ref_of(entity)}"


def _several(table: Table) -> dict[tuple[str, str], dict[Position, str]]:
    """What several rows have in common, budget and likeness of the ref, with the refs by row, in
    their order."""
    first: dict[tuple[str, str], tuple[Position, str]] = {}
    found: dict[tuple[str, str], dict[Position, str]] = {}
    for position, cells in table.picked(("budget", "ref", "entity_type", "entity")):
        budget, ref = _pair(*cells)
        key = budget, likeness(ref)
        if key in first:
            found.setdefault(key, dict([first[key]]))[position] = ref
        else:
            first[key] = position, ref
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
