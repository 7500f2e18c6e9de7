"""The world of one check: a live connector, and what its sandbox can be made to do."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any, Final
from uuid import uuid4

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.budget import Budget
from canonical.facts import Fact, facts
from canonical.kind import FIELDS, Kind
from canonical.spent import Spent
from connectors.conformance.drafts import (
    WRITTEN,
    drafts,
    ended,
    field_values,
    having,
    holds,
    some_amount,
)
from connectors.contract.capabilities import Hold
from connectors.contract.interface import Connector
from connectors.contract.records import Draft, Known, Observed, Page
from connectors.contract.runtime import Runtime

_ENDLESS: Final = 10_000
"""Pages after which a listing is held to loop."""


def _tag() -> str:
    return uuid4().hex[:8]


def waitless() -> Runtime:
    """A runtime in which waiting takes no time: a sleep moves its clock and nothing else."""
    slept = [0.0]

    def sleep(seconds: float) -> None:
        slept[0] += seconds

    return Runtime(sleep=sleep, monotonic=lambda: time.monotonic() + slept[0])


@dataclass(kw_only=True)
class World:
    """What a vendor's test tells the kit; all but `connector` may be left out.

    Fields are named with their kind: `values` gives "budget.owners" values that exist at the
    vendor, two where one is to become the other; `fixed` names fields that never change once an
    object is made. `tag` sets the names of one world's objects apart from all others. Waits are the
    connector's own: give it the `waitless` runtime. `named` is an entity that the vendor knows by
    another name than ours, `nobody` one that it does not know; `listed_types` are the types of whom
    its directory lists some.

    Hooks: `fresh_draft(kind, n)` replaces the kit's own drafts; `refused()` is a draft that the
    vendor refuses; `wrong_credential()` opens a connector with one; `reopen(page_size)` opens
    another connector to the same objects; `garble(kind)` makes one stored object unreadable;
    `calls()` counts the write calls that arrived; `fault(kind, times)` makes the next calls fail
    (-1: all from now on), as `lost_answer`, `error_before`, `error_after`, `rate_limit`,
    `garbage`, `cut`, `repeat_cursor` or `page_drift`, and raises `NotImplementedError` for what
    it cannot do; `break_off(how, skip, times)` lets `skip` writes pass and then `times` of them
    fail, as one of `connectors.conformance.breaking.HOWS`, and returns what ends that and says
    whether any did; `stored()` is every record there is, listed or not, by id; `spent_of()`
    is what was spent of an object like no other, which has a place in a system that keeps actuals.
    """

    connector: Connector
    currencies: Sequence[str] = ("USD", "JPY", "KWD")
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    read_only: bool = False
    secrets: Sequence[str] = field(default=(), repr=False)
    unknown_id: str = "no-such-object"
    named: Entity | None = None
    nobody: Entity | None = None
    listed_types: Sequence[str] = ()
    tag: str = field(default_factory=_tag)
    fresh_draft: Callable[[Kind, int], Draft] | None = None
    refused: Callable[[], Draft] | None = None
    wrong_credential: Callable[[], Connector] | None = None
    reopen: Callable[[int], Connector] | None = None
    garble: Callable[[Kind], None] | None = None
    calls: Callable[[], int] | None = None
    fault: Callable[[str, int], None] | None = None
    break_off: Callable[[str, int, int], Callable[[], bool]] | None = None
    stored: Callable[[], Mapping[str, Any]] | None = None
    spent_of: Callable[[], Spent] | None = None
    _made: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    _budgets: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._drafts: Mapping[Kind, Iterator[Draft]] = {
            kind: drafts(
                self.connector.capabilities,
                kind,
                day=self.day,
                currency=self.currencies[0],
                tag=self.tag,
            )
            for kind in Kind
        }

    @property
    def day(self) -> date:
        """Today, by the connector's own clock."""
        return self.connector.today()

    def hook(self, name: str) -> Any:
        """The hook of that name; without it the check is skipped."""
        found = getattr(self, name)
        if not found:
            pytest.skip(f"hook: {name}")
        return found

    def fail(self, kind: str, times: int) -> None:
        """Switch a fault on; where the sandbox has no such fault the check is skipped."""
        switch = self.hook("fault")
        try:
            switch(kind, times)
        except NotImplementedError:
            pytest.skip(f"fault: {kind}")

    def needs(self, kind: Kind, *, writing: bool = True) -> None:
        """Skip the check where there are no objects of `kind`, or nothing can be written."""
        if kind is Kind.ALLOCATION and not self.connector.capabilities.allocation:
            pytest.skip("capability: allocation")
        if writing and self.read_only:
            pytest.skip("world: read_only")

    def holds(self, kind: Kind, field: str) -> Hold:
        """How the connector declares that it holds a field."""
        return holds(self.connector.capabilities, kind)[field]

    def exact(self, kind: Kind) -> Sequence[str]:
        """The fields of `kind` declared exact."""
        return [each for each in FIELDS[kind] if self.holds(kind, each) is Hold.EXACT]

    def field_values(self, kind: Kind, field: str, at_least: int = 1) -> Sequence[Any]:
        """Values to write into a field; skips the check where fewer than `at_least` can be said."""
        found = self.values_of(kind, field)
        if len(found) < at_least:
            pytest.skip(f"values: {kind}.{field} has {len(found)}, the check takes {at_least}")
        return found

    def values_of(self, kind: Kind, field: str) -> Sequence[Any]:
        """Values to write into a field, one after the other: the world's own, or the kit's."""
        capabilities, name = self.connector.capabilities, f"{kind}.{field}"
        if name in self.values:
            return self.values[name]
        match field:
            case "name":
                return f"First {self.tag}", f"Second {self.tag}"
            case "parent" | "budget":
                large = some_amount(capabilities, self.currencies[0], 90_000)
                return [
                    self.create(having(self.draft(Kind.BUDGET), "amount", large)).id
                    for _ in range(2)
                ]
            case "entity":
                return [_entity(self.draft(kind)) for _ in range(2)]
            case "currency":
                return [
                    field_values(capabilities, "amount", day=self.day, currency=each)[0]
                    for each in self.currencies
                ]
        found = field_values(capabilities, field, day=self.day, currency=self.currencies[0])
        if name == "allocation.phases" and self.holds(Kind.BUDGET, "end") in WRITTEN:
            (end, *_) = field_values(capabilities, "end", day=self.day)  # of the draft's budget
            return [tuple(ended(phase, end) for phase in phases) for phases in found]
        return found

    def draft(self, kind: Kind) -> Draft:
        """A draft like no other in this world, with its container made."""
        n = self._made[kind]
        self._made[kind] += 1
        draft = self.fresh_draft(kind, n) if self.fresh_draft else next(self._drafts[kind])
        owners = self.values.get("budget.owners")
        if isinstance(draft.model, Budget):
            if owners and self.holds(kind, "owners") in WRITTEN:
                draft = having(draft, "owners", owners[0])
            return draft
        known, budget = self.values.get("allocation.entity"), 0
        if known:  # each entity once per budget
            budget, which = divmod(n, len(known))
            draft = having(draft, "entity", known[which])
        return draft if draft.container else self.below(draft, self._budget(budget))

    def below(self, draft: Draft, budget: str) -> Draft:
        """The allocation's draft, hanging below that budget."""
        assert isinstance(draft.model, Allocation)
        return replace(draft, container=budget, model=structs.replace(draft.model, budget=budget))

    def key(self) -> str:
        """An idempotency key that was never sent."""
        return uuid4().hex

    def create(self, draft: Draft) -> Observed:
        """The object that the draft makes."""
        return self.connector.create(draft, self.key())

    def make(self, kind: Kind) -> tuple[Draft, Observed]:
        """A new object, with the draft that it was made from."""
        draft = self.draft(kind)
        return draft, self.create(draft)

    def make_some(self, kind: Kind, many: int) -> set[str]:
        """The ids of new objects; none where nothing can be written."""
        self.needs(kind, writing=False)
        return set() if self.read_only else {self.make(kind)[1].id for _ in range(many)}

    def paged(self, size: int) -> AbstractContextManager[Connector]:
        """A connector with pages of `size`; where none can be opened, the one there is."""
        return self.reopen(size) if self.reopen else nullcontext(self.connector)

    def listed(self, kind: Kind, connector: Connector | None = None) -> Mapping[str, Observed]:
        """All objects of `kind`, as the listing shows them."""
        pages = all_pages(connector or self.connector, kind)
        return {item.id: item for page in pages for item in page.items}

    def everything(self) -> Mapping[Kind, Mapping[str, Observed]]:
        """All objects of every kind, to see what a call changed."""
        return {kind: self.listed(kind) for kind in self.kinds()}

    def kinds(self) -> Sequence[Kind]:
        """The kinds that the connector has."""
        return [*Kind] if self.connector.capabilities.allocation else [Kind.BUDGET]

    def _budget(self, which: int) -> str:
        if which not in self._budgets:
            self._budgets[which] = self.make(Kind.BUDGET)[1].id
        return self._budgets[which]


def all_pages(
    connector: Connector, kind: Kind, cursor: str | None = None, known: Known | None = None
) -> Sequence[Page]:
    """The pages of a whole listing; fails the check where it does not end."""
    pages = [*islice(connector.list(kind, cursor, known), _ENDLESS)]
    assert len(pages) < _ENDLESS, "the listing does not end"
    return pages


def writable(world: World, kind: Kind, field: str) -> Draft:
    """A draft to write `field` with; skips the check where the field cannot be changed."""
    world.needs(kind)
    hold = world.holds(kind, field)
    if hold is not Hold.EXACT:
        pytest.skip(f"capability: {kind}.{field} is {hold}")
    if f"{kind}.{field}" in world.fixed:
        pytest.skip(f"world: {kind}.{field} is fixed")
    return world.draft(kind)


def said(subject: Draft | Observed, fields: Sequence[str] | None = None) -> dict[str, Fact]:
    """Field → value, as comparison sees it; a parent is the container, in the vendor's own ids.

    Of a draft only what it says: a field that is None there is left to the vendor.
    """
    model = subject.model
    if isinstance(model, Budget):
        model = structs.replace(model, parent=subject.container)
        kind = Kind.BUDGET
    else:
        kind = Kind.ALLOCATION
    named = dict(zip(FIELDS[kind], facts(model), strict=True))
    return {
        name: value
        for name, value in named.items()
        if (fields is None or name in fields)
        and (value is not None or isinstance(subject, Observed))
    }


def _entity(draft: Draft) -> Any:
    assert isinstance(draft.model, Allocation)
    return draft.model.entity
