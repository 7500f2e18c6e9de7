"""The reference connector: a system that lives in memory and keeps the contract to the letter.

It gives its own ids, lists in pages, honours idempotency keys, stamps what it makes and holds each
field as its capabilities say. Engine tests make other vendors of it: `with_capabilities` changes
what it can be told, `normalise` what it stores, `listed` whom it knows, by type; `before` and
`after` refuse, lose answers, crash; in `waits` a write has yet to leave.
"""

import copy
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any, Self, TypeAlias

from msgspec import structs

from canonical.actual import Actual
from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS, facts, fields_of
from canonical.identity import folded, stamped, unstamped
from canonical.kind import Kind, kind_of
from canonical.spent import Place, Spent, place_of, summed
from canonical.text import joined
from connectors.contract.capabilities import Capabilities, Hold, Phasing, Removal, Unique
from connectors.contract.departure import leaving
from connectors.contract.errors import Missing, Rejected, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import (
    Check,
    Draft,
    Keeping,
    Known,
    Listed,
    Observed,
    Page,
    Recorded,
)
from connectors.contract.runtime import Runtime
from connectors.memory.declared import MemorySettings

Model: TypeAlias = Budget | Allocation
Hook: TypeAlias = Callable[[str, Any], None]
"""Told the operation's name and its subject: the draft, the id, or the kind that is listed."""

_NOT_WRITTEN = {None, Hold.DROPPED, Hold.READ_ONLY, Hold.FOLLOWS}
_RETIRES = {Removal.RETIRE, Removal.RETIRE_FOR_GOOD, Removal.RETIRE_OR_DELETE}
_DELETES = {Removal.RETIRE, Removal.DELETE, Removal.RETIRE_OR_DELETE}


@dataclass(slots=True)
class _Row:
    """One stored object; a budget's stamp is in its description, an allocation's beside it."""

    id: str
    serial: int
    model: Model
    container: str | None = None
    reference: str | None = None
    actual: Actual | None = None


class Memory(Connector):
    """A dict of budgets and allocations, behind the contract."""

    Settings = MemorySettings
    capabilities = Capabilities(
        vendor="memory",
        budget=dict.fromkeys(BUDGET_FIELDS, Hold.EXACT),
        allocation=dict.fromkeys(ALLOCATION_FIELDS, Hold.EXACT),
        statuses=frozenset(Status),
        removal=Removal.RETIRE,
        revives=frozenset(Kind),
        phasing=Phasing.ALL,
        below_zero=True,
        clearable=frozenset(BUDGET_FIELDS[4:]) - {"cadence", "status"} | {"description"},
        key_lifetime=timedelta(days=1),
        stamps=frozenset(Kind),
        grace=timedelta(),
        reads_actuals=True,
        spent_by_share=True,
        takes_actuals=frozenset(Kind),
        sums_actuals=True,
    )

    def __init__(
        self,
        name: str = "memory",
        settings: MemorySettings | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        super().__init__(name, settings or MemorySettings(), runtime or Runtime())
        self.waits: Hook = _pass
        self.before: Hook = _pass
        self.after: Hook = _pass
        self.normalise: Callable[[Model], Model] = _as_it_is
        self.listed: Mapping[str, Sequence[Listed]] = {}
        self._rows: dict[str, _Row] = {}
        self.kept: dict[Place, Amount] = {}
        self._answers: dict[str, tuple[datetime, object, Observed]] = {}
        self._serials = count(1)
        self._lock = threading.RLock()

    @classmethod
    def with_capabilities(cls, **changed: Any) -> "type[Memory]":
        """A vendor like this one, except for the capabilities that `changed` names."""
        shaped: type[Memory] = type(
            cls.__name__, (cls,), {"capabilities": replace(cls.capabilities, **changed)}
        )
        return shaped

    def reopened(self, page_size: int) -> Self:
        """Another connector to the same objects, with pages of another size."""
        twin = copy.copy(self)
        twin.settings = self.settings.model_copy(update={"page_size": page_size})
        return twin

    def check(self) -> Check:
        self.before("check", None)
        return Check(f"{self.name}: {len(self._rows)} objects in memory")

    def directory(self, type: str) -> Iterator[Listed]:
        self.before("directory", type)
        if type not in self.listed:
            raise Unsupported(f"{self.name} lists no {type}")
        return iter(self.listed[type])

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        while True:
            page = self._page(kind, cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def get(self, kind: Kind, id: str) -> Observed:
        self.before("get", id)
        with self._lock:
            observed = _observed(self._row(kind, id))
        self.after("get", id)
        return observed

    def create(self, draft: Draft, key: str) -> Observed:
        self._leave("create", draft)
        with self._lock:
            made = self._once(key, draft, lambda: self._made(draft))
        self.after("create", draft)
        return made

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        self._leave("update", id)
        request = (id, draft, frozenset(fields))
        with self._lock:
            changed = self._once(key, request, lambda: self._changed(id, draft, fields))
        self.after("update", id)
        return changed

    def retire(self, kind: Kind, id: str, key: str) -> None:
        if self.capabilities.removal not in _RETIRES:
            raise Unsupported(f"{self.name} cannot retire")
        self._leave("retire", id)
        with self._lock:
            row = self._row(kind, id)
            row.model = structs.replace(row.model, status=self.capabilities.retires_to)
        self.after("retire", id)

    def delete(self, kind: Kind, id: str, key: str) -> None:
        if self.capabilities.removal not in _DELETES:
            raise Unsupported(f"{self.name} cannot delete")
        self._leave("delete", id)
        with self._lock:
            if id in self._rows and kind_of(self._rows[id].model) is kind:
                self.drop(id)
        self.after("delete", id)

    def actuals(self) -> Iterator[Actual]:
        self.before("actuals", None)
        with self._lock:
            rows = [row for row in self._rows.values() if isinstance(row.model, Budget)]
        return iter([row.actual for row in rows if row.actual])

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        self.before("record_actuals", rows)
        with self._lock:
            answers = {place: self._keeping(place, spent) for place, spent in summed(rows).items()}
            for place, answer in answers.items():
                if answer.outcome is Keeping.WRITTEN and answer.after and not dry_run:
                    self.waits("record_actuals", place)
                    leaving()
                    self.kept[place] = answer.after
        self.after("record_actuals", rows)
        places = map(place_of, rows)
        return [answers[each] for each in places if each is not None]

    # What people and shops do in the system itself, beside the contract; no hook hears of it.

    def put(self, *models: Model) -> None:
        """Store budgets with their allocations, or allocations, under their own refs.

        What already has that id is replaced; it keeps its place, its stamp and its spending.
        """
        for model in models:
            if isinstance(model, Budget):
                self._place(model.ref, structs.replace(model, allocations=()), model.parent)
                self.put(*model.allocations)
            else:
                self._place(joined(model.budget, model.ref), model, model.budget)

    def edit(self, id: str, **changed: Any) -> None:
        """Change attributes of a stored object; another description loses a budget's stamp."""
        with self._lock:
            self._rows[id].model = structs.replace(self._rows[id].model, **changed)

    def move(self, id: str, container: str) -> None:
        """Hang a stored object below another budget."""
        with self._lock:
            row = self._rows[id]
            row.container = container
            if isinstance(row.model, Budget):
                row.model = structs.replace(row.model, parent=container)
            else:
                row.model = structs.replace(row.model, budget=container)

    def drop(self, id: str) -> None:
        """Take away an object and all that hangs below it."""
        with self._lock:
            del self._rows[id]
            for below in [row.id for row in self._rows.values() if row.container == id]:
                self.drop(below)

    def spend(self, id: str, spent: Amount) -> None:
        """Say how much of the object's amount is spent by now."""
        with self._lock:
            row = self._rows[id]
            left = row.model.amount - spent if row.model.amount else None
            row.actual = Actual(id, spent, left, self.runtime.now())

    def _keeping(self, place: Place, spent: Amount) -> Recorded:
        id = joined(place.budget_ref, place.ref) if place.budget_ref else place.ref
        row = self._rows.get(id)
        if row is None or kind_of(row.model) is not place.kind:
            return Recorded(Keeping.REFUSED, reason=f"{self.name} has no {place.kind} {place.ref}")
        if row.model.amount is not None and row.model.amount.unit != place.unit:
            return Recorded(Keeping.REFUSED, reason=f"{id} is in {row.model.amount.unit}")
        before = self.kept.get(place)
        outcome = Keeping.UNCHANGED if before == spent else Keeping.WRITTEN
        return Recorded(outcome, f"{place.ref} {place.period}", before, spent)

    def _leave(self, operation: str, subject: Any) -> None:
        self.waits(operation, subject)
        leaving()
        self.before(operation, subject)

    def _page(self, kind: Kind, cursor: str | None) -> Page:
        self.before("list", kind)
        size, after = self.settings.page_size, _serial(cursor)
        with self._lock:
            rest = (
                row
                for row in self._rows.values()
                if row.serial > after and kind_of(row.model) is kind
            )
            rows = [*islice(rest, size + 1)]
            items = [_observed(row) for row in rows[:size]]
        self.after("list", kind)
        following = f"after-{rows[size - 1].serial}" if len(rows) > size else None
        return Page(items, cursor=cursor, next_cursor=following)

    def _row(self, kind: Kind, id: str) -> _Row:
        row = self._rows.get(id)
        if row is None or kind_of(row.model) is not kind:
            raise Missing(f"{self.name} has no {kind} {id!r}")
        return row

    def _once(self, key: str, request: object, write: Callable[[], Observed]) -> Observed:
        """The first answer to `key` while the key is remembered, else that of `write`."""
        now = self.runtime.now()
        if key in self._answers:
            at, first, answer = self._answers[key]
            if now - at < self.capabilities.key_lifetime:
                if first != request:
                    raise Rejected("this idempotency key was sent with another request")
                return answer
        answer = write()
        self._answers[key] = now, request, answer
        return answer

    def _made(self, draft: Draft) -> Observed:
        serial = next(self._serials)
        id = f"mem-{serial}"
        model = draft.model
        fresh: Model = Budget(ref=id, name="", amount=None)
        row = _Row(id, serial, fresh)
        if isinstance(model, Allocation):
            if draft.container is None:
                raise Rejected("an allocation needs the budget that it is a share of")
            row.container = draft.container
            entity = Entity(model.entity.type, "")
            row.model = Allocation(ref=id, budget=draft.container, entity=entity, amount=None)
        self._refuse(draft, ("parent", *fields_of(model)))
        self._write(row, draft, fields_of(model))
        self._rows[id] = row
        return _observed(row)

    def _changed(self, id: str, draft: Draft, fields: Collection[str]) -> Observed:
        row = self._row(kind_of(draft.model), id)
        if (
            row.model.status is Status.RETIRED
            and kind_of(draft.model) not in self.capabilities.revives
        ):
            raise Rejected(f"{id} is retired for good")
        self._refuse(draft, fields)
        self._write(row, draft, fields)
        return _observed(row)

    def _refuse(self, draft: Draft, fields: Collection[str]) -> None:
        """Raise `Rejected` for what the capabilities rule out, and for an unknown container."""
        can, model = self.capabilities, draft.model
        known = draft.container is None or draft.container in self._rows
        if not {"parent", "budget"}.isdisjoint(fields) and not known:
            raise Rejected(f"there is no budget {draft.container!r} to hang below")
        if "cadence" in fields and model.cadence not in (None, *can.cadences):
            raise Rejected(f"no budget here counts {model.cadence}")
        if "status" in fields and model.status not in can.statuses:
            raise Rejected(f"nothing here can be {model.status}")
        if "entity" in fields and isinstance(model, Allocation):
            kind_of_entity = model.entity.type
            if kind_of_entity not in (can.entity_types or {kind_of_entity}):
                raise Rejected(f"nothing is allocated to a {kind_of_entity} here")

    def _refuse_twins(self, row: _Row) -> None:
        """Raise `Rejected` where names are unique and another object has that of `row`."""
        kind = kind_of(row.model)
        unique = self.capabilities.unique.get(kind)
        if unique is None or row.model.status is Status.RETIRED:
            return
        name = _name(row, unique)
        for other in self._rows.values():
            alike = kind_of(other.model) is kind and other.id != row.id
            if alike and other.model.status is not Status.RETIRED and _name(other, unique) == name:
                raise Rejected(f"{other.id} has the name {name[-1]!r}")

    def _write(self, row: _Row, draft: Draft, fields: Collection[str]) -> None:
        """Bring what is held of `fields` to what the draft says; all of it or nothing."""
        kind = kind_of(draft.model)
        holds = self.capabilities.budget if kind is Kind.BUDGET else self.capabilities.allocation
        stamp = draft.stamp if kind in self.capabilities.stamps else None
        container, values = row.container, {}
        for field in fields:
            if holds.get(field) in _NOT_WRITTEN:
                continue
            attribute = "amount" if field == "currency" else field
            value = getattr(draft.model, attribute)
            if field == "description":
                value = stamped(value, stamp) or None
            elif field in ("parent", "budget"):
                value = container = draft.container
            elif attribute == "amount" and value and holds["amount"] is Hold.ROUNDED:
                value = value.rounded(self.capabilities.amount_digits)
            values[attribute] = value
        model = self.normalise(structs.replace(row.model, **values))
        self._refuse_twins(replace(row, model=model, container=container))
        row.model, row.container = model, container
        if kind is Kind.ALLOCATION and stamp is not None:
            row.reference = stamp
        if "stamp" in fields:
            _restamp(row, stamp)

    def _place(self, id: str, model: Model, container: str | None) -> None:
        with self._lock:
            row = self._rows.get(id) or _Row(id, next(self._serials), model)
            if isinstance(model, Budget) and isinstance(row.model, Budget):
                _, stamp = unstamped(row.model.description)
                model = structs.replace(
                    model, description=stamped(model.description, stamp) or None
                )
            row.model, row.container = model, container
            self._rows[id] = row


def _pass(operation: str, subject: Any) -> None:
    """Nothing happens."""


def _as_it_is(model: Model) -> Model:
    return model


def _serial(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(cursor.removeprefix("after-"))
    except ValueError:
        raise Rejected(f"{cursor!r} is not a cursor of this listing") from None


def _name(row: _Row, unique: Unique) -> tuple[object, ...]:
    said = dict(zip(fields_of(row.model), facts(row.model), strict=True))
    named = [said[field] for field in sorted(unique.fields)]
    if unique.folded:
        named = [folded(each) if isinstance(each, str) else each for each in named]
    return row.container if isinstance(row.model, Allocation) else None, *named


def _observed(row: _Row) -> Observed:
    model, stamp = row.model, row.reference
    if isinstance(model, Budget):
        text, stamp = unstamped(model.description)
        if stamp is not None:
            model = structs.replace(model, description=text)
    return Observed(row.id, model, stamp, row.container, row.actual)


def _restamp(row: _Row, stamp: str | None) -> None:
    """Give a stored object the stamp that it is to bear; None: none any more."""
    if isinstance(row.model, Budget):
        text, _ = unstamped(row.model.description)
        row.model = structs.replace(row.model, description=stamped(text, stamp) or None)
    else:
        row.reference = stamp
