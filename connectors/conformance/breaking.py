"""Checks of operations that break off in the middle: behaviours 2.10 and 2.11.

Each call of an operation fails in turn, in every way there is; then what an engine would do is
done: settle by a look, and bring what differs to what it should be. Nothing may be there twice,
and nothing half made may stay.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from canonical.allocation import Status
from canonical.kind import FIELDS, Kind
from connectors.conformance.drafts import having
from connectors.conformance.reading import both_kinds
from connectors.conformance.world import World, said
from connectors.contract.capabilities import Hold, Removal
from connectors.contract.errors import ConnectorError, Missing, Uncertain
from connectors.contract.interface import Connector
from connectors.contract.records import Draft, Observed

HOWS: Final = (
    ("400", False), ("400", True), ("401", False), ("403", True), ("404", False), ("429", True),
    ("500", True), ("error_after", False), ("lost_call", True), ("lost_answer", False),
    ("lost_answer", True), ("garbage", False), ("empty", False),
)  # fmt: skip
"""What a call is answered: a status without effect, or with one; nothing; no JSON; or no body. And
whether all calls after it are answered so, those too that repeat it or take back what was done."""

_MOST: Final = 20
"""Calls after which an operation is held to have no end."""
_RUNS: Final = 4
_AS_SAID: Final = frozenset({Hold.EXACT, Hold.EMULATED})
_UPDATED: Final = (
    "name", "description", "owners", "alerts", "amount", "entity", "status", "parent", "budget",
)  # fmt: skip

every_break = pytest.mark.parametrize(("how", "lasting"), HOWS)


class Breaking:
    """2: an operation is done as a whole, or not, or it says that nobody knows."""

    @every_break
    @both_kinds
    def test_2_10_1_a_create_that_breaks_off_says_so_and_is_finished(
        self, world: World, kind: Kind, how: str, lasting: bool
    ) -> None:
        world.needs(kind)
        _each_step(world, how, lasting, lambda: _Create(world, kind))

    @every_break
    @both_kinds
    def test_2_10_2_an_update_that_breaks_off_says_so_and_is_finished(
        self, world: World, kind: Kind, how: str, lasting: bool
    ) -> None:
        world.needs(kind)
        _each_step(world, how, lasting, lambda: _Update(world, kind))

    @every_break
    @both_kinds
    def test_2_11_1_a_removal_that_breaks_off_says_so_and_is_finished(
        self, world: World, kind: Kind, how: str, lasting: bool
    ) -> None:
        world.needs(kind)
        if world.connector.capabilities.removal is Removal.NONE:
            pytest.skip(f"capability: removal is {Removal.NONE}")
        _each_step(world, how, lasting, lambda: _Remove(world, kind))


@dataclass(slots=True)
class _Operation:
    """One write on objects of its own, which it makes as it is made itself."""

    world: World
    kind: Kind
    id: str | None = None
    wanted: Draft | None = None
    others: Mapping[Kind, Mapping[str, Observed]] = field(default_factory=dict)

    def send(self, connector: Connector) -> None:
        """Send it once. Sets `id` where that is new."""
        raise NotImplementedError

    def settle(self, connector: Connector) -> None:
        """Look what became of it, as nobody knows."""

    def agree(self, connector: Connector) -> bool:
        """One plain run: write what is not as it should be; whether nothing was left to do."""
        raise NotImplementedError

    def remember(self) -> None:
        """Note all other objects: they stay as they are."""
        self.others = self.world.everything()

    def _repaired(self, connector: Connector) -> bool:
        """Bring every other object back to what it was; whether all of them were."""
        untouched = True
        for kind, objects in self.others.items():
            now = self.world.listed(kind, connector)
            for id, before in objects.items():
                if id == self.id:
                    continue
                assert id in now, f"another {kind} is gone: {id}"
                found = {
                    name for name, value in said(before).items() if said(now[id])[name] != value
                }
                if found:
                    untouched = False
                    _write(connector, self.world, id, _as_draft(before), found)
        return untouched


class _Create(_Operation):
    def __init__(self, world: World, kind: Kind) -> None:
        draft = world.draft(kind)
        if kind is Kind.ALLOCATION:
            draft = world.below(draft, world.create(world.draft(Kind.BUDGET)).id)
        elif "parent" in world.exact(kind):
            draft = having(draft, "parent", world.create(world.draft(Kind.BUDGET)).id)
            draft = having(draft, "amount", world.field_values(kind, "amount")[0])
        if alerts := _values(world, kind, "alerts"):
            draft = having(draft, "alerts", alerts[0])
        super().__init__(world, kind, wanted=draft)
        self.key = world.key()

    def send(self, connector: Connector) -> None:
        assert self.wanted is not None
        self.id = connector.create(self.wanted, self.key).id

    def settle(self, connector: Connector) -> None:
        assert self.wanted is not None
        found = connector.probe([self.wanted]).get(0, ())
        assert len(found) <= 1, "it is there twice"
        self.id = found[0].id if found else None
        if not self.world.connector.capabilities.key_lifetime:
            self.key = self.world.key()

    def agree(self, connector: Connector) -> bool:
        assert self.wanted is not None
        if self.id is None:
            self.send(connector)
            return False
        return _agrees(connector, self.world, self.kind, self.id, self.wanted) and self._repaired(
            connector
        )


class _Update(_Operation):
    def __init__(self, world: World, kind: Kind) -> None:
        start = world.draft(kind)
        if kind is Kind.ALLOCATION:
            start = world.below(start, world.create(world.draft(Kind.BUDGET)).id)
        wanted, self.fields = start, set[str]()
        for name in _UPDATED:
            values = [] if f"{kind}.{name}" in world.fixed else _values(world, kind, name)
            if name == "name" and values:  # the kit's own are the same for every operation
                values = [said(start)[name], f"{said(start)[name]} anew"]
            if len(values) > 1:
                start = having(start, name, values[0])
                wanted = having(wanted, name, values[1])
                self.fields.add(name)
        super().__init__(world, kind, world.create(start).id, wanted)

    def send(self, connector: Connector) -> None:
        assert self.id is not None
        assert self.wanted is not None
        _write(connector, self.world, self.id, self.wanted, self.fields)

    def agree(self, connector: Connector) -> bool:
        assert self.id is not None
        assert self.wanted is not None
        agreed = _agrees(connector, self.world, self.kind, self.id, self.wanted, self.fields)
        return agreed and self._repaired(connector)


class _Remove(_Operation):
    def __init__(self, world: World, kind: Kind) -> None:
        draft = world.draft(kind)
        if kind is Kind.ALLOCATION:
            draft = world.below(draft, world.create(world.draft(Kind.BUDGET)).id)
        if alerts := _values(world, kind, "alerts"):
            draft = having(draft, "alerts", alerts[0])
        super().__init__(world, kind, world.create(draft).id)
        if kind is Kind.BUDGET and world.connector.capabilities.allocation:
            share = world.create(world.below(world.draft(Kind.ALLOCATION), self.id or ""))
            self._remove(world.connector, Kind.ALLOCATION, share.id)

    def send(self, connector: Connector) -> None:
        self._remove(connector, self.kind, self.id or "")

    def agree(self, connector: Connector) -> bool:
        over = {Status.RETIRED, connector.capabilities.retires_to}
        try:
            gone = connector.get(self.kind, self.id or "").model.status in over
        except Missing:
            gone = True
        if not gone:
            self.send(connector)
        return gone and self._repaired(connector)

    def _remove(self, connector: Connector, kind: Kind, id: str) -> None:
        deletes = connector.capabilities.removal is Removal.DELETE
        (connector.delete if deletes else connector.retire)(kind, id, self.world.key())


def _each_step(world: World, how: str, lasting: bool, made: Callable[[], _Operation]) -> None:
    """Break off the operation at its first call, its second, and so on, until it has no more."""
    broken, stored = world.hook("break_off"), world.hook("stored")
    usual = _undisturbed(world, made())
    for step in range(_MOST):
        operation = made()
        operation.remember()
        before = stored()
        mend = broken(how, step, -1 if lasting else 1)
        error = _error_of(operation, world.connector)
        struck = mend()
        if error is not None and not isinstance(error, Uncertain):
            assert stored() == before, f"call {step + 1} failed after an effect: {error!r}"
        with world.paged(100) if lasting else nullcontext(world.connector) as connector:
            if isinstance(error, Uncertain):
                operation.settle(connector)
            runs = 0
            while not operation.agree(connector):
                runs += 1
                assert runs < _RUNS, f"after call {step + 1} it never agrees"
        left = len(stored()) - len(before)
        assert left == usual, f"after call {step + 1} there are {left} records, not {usual}"
        if not struck:
            return
    pytest.fail(f"an operation takes more than {_MOST} calls")


def _undisturbed(world: World, operation: _Operation) -> int:
    """How many records the operation adds, or takes away, when nothing fails."""
    before = len(world.hook("stored")())
    operation.send(world.connector)
    return len(world.hook("stored")()) - before


def _error_of(operation: _Operation, connector: Connector) -> ConnectorError | None:
    try:
        operation.send(connector)
    except ConnectorError as error:
        return error
    return None


def _agrees(
    connector: Connector,
    world: World,
    kind: Kind,
    id: str,
    wanted: Draft,
    among: set[str] | None = None,
) -> bool:
    """Whether the object is as wanted in what is held as it is said; writes what is not."""
    wanted = _fitted(connector, world, wanted)
    held = (each for each in FIELDS[kind] if world.holds(kind, each) in _AS_SAID)
    names = [name for name in held if among is None or name in among]
    now = said(connector.get(kind, id))
    found = {name for name, value in said(wanted, names).items() if now[name] != value}
    if found:
        _write(connector, world, id, wanted, found)
    return not found


def _write(connector: Connector, world: World, id: str, draft: Draft, fields: set[str]) -> None:
    connector.update(id, draft, fields, world.key())


def _fitted(connector: Connector, world: World, draft: Draft) -> Draft:
    until = world.day.replace(year=world.day.year + 1, day=1)
    return replace(draft, model=connector.fit(draft.model, until)[0])


def _as_draft(item: Observed) -> Draft:
    return Draft(model=item.model, container=item.container, stamp=item.stamp)


def _values(world: World, kind: Kind, name: str) -> Sequence[Any]:
    """Values of a field that can be written as they are; none of any other."""
    return world.values_of(kind, name) if name in world.exact(kind) else ()
