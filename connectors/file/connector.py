"""Files of budgets, the ERP's side: what a planner exports is read, or a mirror is kept in it.

Vendor: none; the layout is ours and stands in `layout.py`. A budget's id is its ref, an
allocation's is "BUDGET/REF". Unit of writing: the whole file, put in place in one step.
"""

import threading
from collections import deque
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from canonical.allocation import Allocation, Status
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.problem import Problem
from connectors.contract.departure import leaving
from connectors.contract.errors import Malformed, Missing, Rejected, Unreadable
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Draft, Known, Observed, Page
from connectors.contract.runtime import Runtime
from connectors.file.declared import CAPABILITIES, HELD, FileSettings
from connectors.file.documents import State, open_document, save, state
from connectors.file.formats import READ_ONLY, Opened, Place, has_sheet, open_table, within
from connectors.file.grids import Match
from connectors.file.paths import is_several, whole
from connectors.file.tables import Form
from connectors.rows.layout import ALLOCATIONS, BUDGETS, Cells
from connectors.rows.reading import (
    Index,
    allocation_id,
    index_of,
    pages,
    read_allocations,
    read_budgets,
    ref_of,
)
from connectors.rows.written import (
    as_wanted,
    checked_allocation,
    checked_budget,
    drafted,
    merged,
)

if TYPE_CHECKING:
    from connectors.file.layouts.source import LayoutSource


class File(Connector):
    """Budgets and allocations in files."""

    capabilities = CAPABILITIES
    Settings = FileSettings

    def __init__(self, name: str, settings: FileSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        form = Form(settings.encoding, _delimiter(settings), settings.decimal)
        layout = BUDGETS
        if settings.currency is None:
            layout = replace(layout, required=(*layout.required, "currency"))
        apart = settings.allocations is not None
        place = Place(whole(runtime.base, settings.path), layout, form, settings.sheet, apart=apart)
        self._budgets = self._fitting(settings.path, place)
        self._own: Place | None = None
        if settings.allocations is not None:
            place = Place(whole(runtime.base, settings.allocations), ALLOCATIONS, form)
            self._own = self._fitting(settings.allocations, place)
        self._laid_out = _by_layout(name, settings, runtime.base)
        self._lock = threading.Lock()
        self._known: Index | None = None
        self._began: dict[Path, State | None] = {}

    def _fitting(self, text: str, place: Place) -> Place:
        several = is_several(self.runtime.base, text)
        return replace(place, pattern=self.settings.files) if several else place

    # Reading

    def check(self) -> Check:
        """Opens the files, reads their headers and counts their rows."""
        if self._laid_out is not None:
            return self._laid_out.check()
        with open_table(self._budgets) as opened:
            index = self._index(opened)
            identity = f"{opened.table.label}: {index.rows} rows"
        notes = [f"{len(index.units)} budgets"]
        place = self._place(Kind.ALLOCATION)
        if place is None:
            notes.append("no allocations")
        else:
            with open_table(place) as opened:
                count = sum(1 for _ in opened.table.rows())
                inside = " inside" if place.nested else ""
                notes.append(f"{opened.table.label}: {count} allocations{inside}")
        return Check(identity, notes)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """Pages of 1000; a row that cannot be read is a `Problem` with the place of its cell."""
        if self._laid_out is not None:
            stream = self._laid_out.stream(kind)
            yield from pages(stream, self._laid_out.signature(), cursor, self._laid_out.label)
            return
        place = self._place(kind)
        if place is None:
            yield Page(())
            return
        index = self._judged() if kind is Kind.ALLOCATION else None
        with open_table(place) as opened:
            found = self._stream(opened, index)
            yield from pages(found, opened.signature, cursor, opened.table.label)

    def get(self, kind: Kind, id: str) -> Observed:
        """The object, read afresh; raises `Malformed` where its rows cannot be read."""
        if self._laid_out is not None:
            return self._laid_out.get(kind, id)
        place = self._place(kind)
        if place is None:
            raise Missing(f"there is no {kind} {id!r}: no file of theirs is set")
        index = self._judged() if kind is Kind.ALLOCATION else None
        with open_table(place) as opened, closing(self._stream(opened, index, id)) as stream:
            for each in stream:
                if isinstance(each, Problem):
                    raise Malformed(f"{each.where}: {each.message}")
                return each
        raise Missing(f"there is no {kind} {id!r} in {place.path.name}")

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """What has the ref of a draft: here the ref is the id."""
        found: dict[int, Sequence[Observed]] = {}
        for number, draft in enumerate(drafts):
            kind, _, id = drafted(draft)
            if (seen := self._find(kind, id)) is not None:
                found[number] = [seen]
        return found

    def _stream(
        self, opened: Opened, index: Index | None, only: str | None = None
    ) -> Generator[Observed | Problem, None, None]:
        """Budgets, or with an `index` of judged ones the allocations."""
        if index is None:
            index = self._index(opened)
            yield from read_budgets(opened.table, index, self.name, only)
        else:
            yield from read_allocations(opened.table, index, self.name, only)
        opened.ensure_unchanged()

    def _place(self, kind: Kind) -> Place | None:
        """Where objects of `kind` are; None for allocations that nobody keeps."""
        if kind is Kind.BUDGET:
            return self._budgets
        place = within(self._budgets, ALLOCATIONS)
        if place is not None and place.sheet and not self._has(place):
            place = None
        if self._own is None:
            return place
        if place is not None and place.sheet:
            raise Unreadable(
                f"{place.path} has a sheet of allocations, and the settings name a file of them",
                hint=f"Keep them in one place: {self._own.path.name} or the sheet",
            )
        return self._own

    def _has(self, place: Place) -> bool:
        there = self._own is None or place.path.exists()  # a new workbook holds no sheet yet
        return there and has_sheet(place)

    def _index(self, opened: Opened) -> Index:
        """The index of the file as it is now, made again when it has changed."""
        index = self._known
        if index is None or index.signature != opened.signature:
            index = index_of(opened.table, opened.signature, self.settings.currency)
            self._known = index
        return index

    def _indexed(self) -> Index:
        with open_table(self._budgets) as opened:
            return self._index(opened)

    def _judged(self) -> Index:
        """The index, with the budgets that are set aside known."""
        with open_table(self._budgets) as opened:
            index = self._index(opened)
            if index.aside is None:
                deque(self._stream(opened, None), maxlen=0)
            return index

    # Writing

    def create(self, draft: Draft, key: str) -> Observed:
        """Adds the rows of a budget, or of an allocation; what is there with equal facts stays."""
        kind, model, id = drafted(draft)
        self._ensure_written()
        with self._alone():
            try:
                seen = self._find(kind, id)
            except Malformed as error:
                raise Rejected(f"{id} is there already and cannot be read: {error}") from None
            if seen is None:
                return self._put(kind, model, id)
            return as_wanted(id, model, seen, HELD[kind])

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """Puts rows with the changed fields where the object's rows stand; raises `Missing`."""
        kind, wanted, _ = drafted(draft)
        self._ensure_written()
        with self._alone():
            current = self.get(kind, id).model
            return self._put(kind, merged(current, wanted, fields), id, current)

    def retire(self, kind: Kind, id: str, key: str) -> None:
        """Sets the status to retired; raises `Missing`."""
        self._ensure_written()
        with self._alone():
            model = self.get(kind, id).model
            if model.status is not Status.RETIRED:
                retired = structs.replace(model, status=Status.RETIRED)
                self._put(kind, retired, id, model)

    def delete(self, kind: Kind, id: str, key: str) -> None:
        """Takes the object's rows out, and a budget's allocations with it.

        Raises `Rejected` for a budget that others hang below.
        """
        self._ensure_written()
        with self._alone():
            index = self._indexed()
            if kind is Kind.ALLOCATION:
                self._take_out(kind, lambda cells: allocation_id(cells)[1] == id)
            elif id in index.units:
                below = [ref for ref, parent in index.parents.items() if parent == id]
                if below:
                    raise Rejected(
                        f"{', '.join(below[:3])} hang below {id}", hint="Move them first"
                    )
                self._take_out(Kind.ALLOCATION, lambda cells: ref_of(cells["budget"]) == id)
                self._take_out(kind, lambda cells: ref_of(cells["ref"]) == id)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps the other threads out, and remembers the files as they are at the beginning."""
        with self._lock:
            places = filter(None, (self._budgets, self._own))
            self._began = {each.path: state(each.path) for each in places}
            yield

    def _ensure_written(self) -> None:
        """Raises `Rejected` where the file is another system's, which a layout only reads."""
        if self._laid_out is not None:
            raise Rejected(
                f"{self.name} is read by a layout, and such a file is never written",
                hint="Write into a file with our own columns: leave out layout",
            )
        for place in filter(None, (self._budgets, self._own)):
            if place.pattern is not None:
                raise Rejected(
                    f"{place.path} stands for several files, of which none is written",
                    hint="Write into one file: name it",
                )
            if reason := READ_ONLY.get(place.path.suffix.casefold()):
                raise Rejected(f"{place.path} {reason}", hint="Write into a file of another kind")

    def _find(self, kind: Kind, id: str) -> Observed | None:
        if self._laid_out is not None:
            return self._laid_out.find(kind, id)
        place = self._place(kind)
        if place is None or not place.path.exists():
            return None
        if kind is Kind.BUDGET and id not in self._indexed().units:
            return None
        try:
            return self.get(kind, id)
        except Missing:
            return None

    def _put(
        self,
        kind: Kind,
        model: Budget | Allocation,
        id: str,
        current: Budget | Allocation | None = None,
    ) -> Observed:
        """Makes the rows of `id`, which say `current`, say `model`; returns what they read back
        as."""
        index = self._indexed() if self._budgets.path.exists() else Index((0, 0, 0))
        before = [] if current is None else _rows_of(current, index)
        if isinstance(model, Budget):
            rows, budget = checked_budget(model, index, HELD[kind])
            self._replace(kind, lambda cells: ref_of(cells["ref"]) == id, rows, before)
            return Observed(id, budget, container=budget.parent)
        rows, allocation = checked_allocation(model, index, HELD[kind])
        self._replace(kind, lambda cells: allocation_id(cells)[1] == id, rows, before)
        return Observed(id, allocation, container=allocation.budget)

    def _take_out(self, kind: Kind, match: Match) -> None:
        place = self._place(kind)
        if place is not None and place.path.exists():
            self._replace(kind, match, ())

    def _replace(
        self, kind: Kind, match: Match, rows: Sequence[Cells], before: Sequence[Cells] = ()
    ) -> None:
        place = self._place(kind)
        if place is None:
            place = within(self._budgets, ALLOCATIONS)
        if place is None:
            raise Rejected(
                f"{self.name} has no file of allocations",
                hint='Set allocations = "allocations.csv" for it',
            )
        granted: dict[str, Any] = {"status": Status.ACTIVE.value}
        if len(rows) == 1:
            granted |= {"cadence": "once", "currency": self.settings.currency}
        document = open_document(place)
        document.replace(match, rows, granted, before)
        leaving()
        save(place.path, document.content(), self._began[place.path])
        self._began[place.path] = state(place.path)


def _delimiter(settings: FileSettings) -> str:
    tabs = settings.path.casefold().endswith(".tsv")
    return "\t" if tabs and "delimiter" not in settings.model_fields_set else settings.delimiter


def _by_layout(name: str, settings: FileSettings, base: Path) -> "LayoutSource | None":
    if settings.layout is None:
        return None
    from connectors.file.layouts.source import LayoutSource  # only who has a layout pays for it

    return LayoutSource(name, settings, base)


def _rows_of(model: Budget | Allocation, index: Index) -> Sequence[Cells]:
    """The rows that state what is there."""
    if isinstance(model, Budget):
        return checked_budget(model, index, ())[0]
    return checked_allocation(model, index, ())[0]
