"""The connector contract: what a vendor's file promises to the engine.

Every behaviour has a number; the conformance suite (`connectors.conformance`) tests them by it.

Reading
  1.1  `list` yields every object of a kind exactly once, whatever the page size.
  1.2  A listing that ends without an error is complete, from first page to last.
  1.3  A record that cannot be read comes as a `Problem` in its page; the others come as usual.
  1.4  A repeated page token ends the listing with `Malformed`; it never loops.
  1.5  `get` returns what `list` shows for the same id, and raises `Missing` for an unknown id.
  1.6  Reading changes nothing.
Writing
  2.1  `create` returns the object as the vendor stored it; a later `get` equals it.
  2.2  `update` changes the named fields and no other; it returns the object as stored.
  2.3  `retire` and `delete` do what the capabilities say they do; removing twice is no error.
  2.4  A write the vendor refuses raises `Rejected` and changes nothing.
  2.5  A write whose answer is lost raises `Uncertain`, unless a key made repeating it safe.
  2.6  Where keys are supported, the same key and draft make one object, however often sent.
  2.7  `probe` finds what a lost create left behind, and only that.
  2.8  Every field declared exact reads back as it was written; every other one as declared.
  2.9  `create_many` makes of each draft what `create` would; one that is refused stops no other.
Failing
  3.1  A wrong credential raises `Unauthorized` or `Forbidden`, from `check` and every call.
  3.2  A garbled answer raises `Malformed`, a full server `RateLimited`, a broken one `Transient`.
  3.3  No error, log line or representation holds a secret.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from canonical.actual import Actual
from canonical.allocation import Allocation, Enforcement, Status
from canonical.budget import Budget
from canonical.change import Kind, Loss, Problem
from canonical.period import Cadence
from connectors.contract.errors import ConnectorError, Unsupported
from connectors.contract.runtime import Runtime
from connectors.contract.settings import SystemSettings


class Hold(StrEnum):
    """How a target holds a canonical field."""

    EXACT = "exact"
    ROUNDED = "rounded"
    TRUNCATED = "truncated"
    EMULATED = "emulated"
    DROPPED = "dropped"
    READ_ONLY = "read-only"
    FOLLOWS = "follows"
    """An allocation's field that the target takes from the allocation's budget."""


class Removal(StrEnum):
    """What a vendor's removal means."""

    RETIRE_FOR_GOOD = "retire, no way back"
    RETIRE = "retire, can be revived"
    DELETE = "delete, history is lost"
    NONE = "none"


class Phasing(StrEnum):
    """How many of a budget's differing period amounts a target can hold at a time."""

    CURRENT = "current"
    CURRENT_AND_NEXT = "current and next"
    """The amount of the current period, and in one phase that of all that follow."""
    PERIODS = "one entry per period"
    ALL = "as stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a vendor can be told. What it may refuse, it refuses: its limits are not copied here.

    A field not named in `budget` or `allocation` is dropped. `clearable` fields can be emptied
    again. `entity_types` of None takes any. `key_lifetime` is how long the vendor remembers an
    idempotency key; zero where it takes none. `ascii_text` marks vendors that refuse other text.
    `revives` are the kinds of which a retired object can be made active again. `batch` is how
    many new allocations of one budget go into one call.
    """

    vendor: str
    budget: Mapping[str, Hold]
    allocation: Mapping[str, Hold] = field(default_factory=dict)
    cadences: frozenset[Cadence] = frozenset(Cadence)
    entity_types: frozenset[str] | None = None
    native_entity_types: frozenset[str] | None = None
    statuses: frozenset[Status] = frozenset({Status.ACTIVE})
    enforcements: frozenset[Enforcement] = frozenset(Enforcement)
    removal: Removal = Removal.NONE
    revives: frozenset[Kind] = frozenset()
    phasing: Phasing = Phasing.CURRENT
    clearable: frozenset[str] = frozenset()
    complete_listing: bool = True
    key_lifetime: timedelta = timedelta()
    stamps: frozenset[Kind] = frozenset()
    ascii_text: bool = False
    amount_digits: int | None = None
    batch: int = 1
    unit_of_writing: str = "one object"
    rate_limit: str | None = None
    reads_actuals: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """The names of all fields that are held somehow, of either kind."""
        return frozenset(self.budget) | frozenset(self.allocation)


@dataclass(frozen=True, slots=True)
class Observed:
    """An object as a system holds it.

    `model.ref` is the system's own id; `stamp` is the owner's ref found in its text, if any.
    `container` is the vendor's id of the parent budget, or of an allocation's budget.
    `actual` comes along where the listing has it. `version` is what a cheap listing shows of the
    object and, for a budget, of its allocations: while it stays the same, so probably do they.
    """

    id: str
    model: Budget | Allocation
    stamp: str | None = None
    container: str | None = None
    actual: Actual | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: the cursor that fetched it, and the one that comes next.

    `unchanged` are ids of objects that are there and were not read, as `Known` vouched for their
    version; `unchanged_within` are ids of budgets whose allocations were not read for that reason.
    """

    items: Sequence[Observed]
    problems: Sequence[Problem] = ()
    cursor: str | None = None
    next_cursor: str | None = None
    unchanged: Sequence[str] = ()
    unchanged_within: Sequence[str] = ()


class Known(Protocol):
    """What is remembered of an earlier reading, for vendors where a detail costs a call."""

    def unchanged(self, versions: Mapping[str, str]) -> Collection[str]:
        """Those budgets, by id, that were as agreed when last read, at this very version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a write should leave behind: `model` is whole, also for an update.

    `container` is the vendor's id of the parent budget (None: the connector's own root) or of the
    allocation's budget. `stamp` is the ref to write into the object, None to write none.
    """

    model: Budget | Allocation
    container: str | None = None
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What `check` proved: who we are there, and anything worth knowing before a first run."""

    identity: str
    notes: Sequence[str] = ()


class Connector(ABC):
    """One system. Safe to use from several threads; `close` it when done."""

    capabilities: ClassVar[Capabilities]
    Settings: ClassVar[type[SystemSettings]]

    def __init__(self, name: str, settings: Any, runtime: Runtime) -> None:
        """`name` is the system's in the settings file; `settings` an instance of `Settings`."""
        self.name = name
        self.settings = settings
        self.runtime = runtime

    @abstractmethod
    def check(self) -> Check:
        """The cheapest call that proves address, credential and rights."""

    @abstractmethod
    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """Pages of all objects of `kind`, fetched lazily, from `cursor` or the beginning.

        Where a detail costs a call per object, what is `known` to be unchanged need not be read.
        Budgets are listed before allocations; a connector may keep what the first shows it.
        """

    @abstractmethod
    def get(self, kind: Kind, id: str) -> Observed:
        """One object; raises `Missing`."""

    def fit(
        self, model: Budget | Allocation, until: date
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """`model`, already projected by the capabilities, in this system's own terms; and what
        that loses.

        For what capabilities cannot say: periods cut otherwise, an open end held up to `until`.
        Fitting what is fitted changes nothing. Makes no call; asked of every object in each plan.
        """
        return model, ()

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """What this system, as it is set up, cannot be told about a new `model`.

        Asked while planning, after the target was listed; makes no call.
        """
        return ()

    def create(self, draft: Draft, key: str) -> Observed:
        """Make the object and return it as stored. Sent once, unless `key` makes repeating safe."""
        raise Unsupported(f"{self.name} cannot be written to")

    def create_many(
        self, drafts: Sequence[Draft], keys: Sequence[str]
    ) -> Sequence[Observed | ConnectorError]:
        """Make new allocations of one budget, no more than `batch`, in the fewest calls.

        Returns for each draft, in their order, the object as stored or the error that `create`
        would have raised: what is refused or uncertain about one says nothing of the others.
        """
        made: list[Observed | ConnectorError] = []
        for draft, key in zip(drafts, keys, strict=True):
            try:
                made.append(self.create(draft, key))
            except ConnectorError as error:
                made.append(error)
        return made

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """Bring `fields` of the object to what `draft` says and return it as stored."""
        raise Unsupported(f"{self.name} cannot be written to")

    def retire(self, kind: Kind, id: str, key: str) -> None:
        """Take the object out of use, keeping its history. No error if it is already."""
        raise Unsupported(f"{self.name} cannot retire")

    def delete(self, kind: Kind, id: str, key: str) -> None:
        """Remove the object for good. No error if it is already gone."""
        raise Unsupported(f"{self.name} cannot delete")

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """What creates with lost answers left behind: index into `drafts` → what matches it.

        An index without a match is absent. The default reads the listing once for all drafts and
        takes the stamp, or where none is written the natural key.
        """
        from connectors.contract.probing import probe_by_listing

        return probe_by_listing(self, drafts)

    def actuals(self) -> Iterator[Actual]:
        """What has been spent, per budget, where the vendor tells; nothing where it does not."""
        return iter(())

    def close(self) -> None:
        """Give back connections and files."""

    def __enter__(self) -> "Connector":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
