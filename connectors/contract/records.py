"""What passes between the engine and a connector: objects as held, pages of them, drafts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from canonical.actual import Actual
from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.loss import Loss
from canonical.problem import Problem
from canonical.records import as_dataclass


@as_dataclass
class Observed(Struct, frozen=True, gc=False):
    """An object as a system holds it.

    `model.ref` is the system's own id; `stamp` is the owner's ref found in its text, if any.
    `container` is the vendor's id of the parent budget, or of an allocation's budget.
    `actual` comes along where the listing has it. `version` is what a cheap listing shows of a
    budget and its allocations: what cannot change while it stays is said by the capabilities
    (`version_covers`). `losses` are what this system's reading of its own record lost, such as
    decimals that its settings round; they stand in the plan beside those of the target.
    """

    id: str
    model: Budget | Allocation
    stamp: str | None = None
    container: str | None = None
    actual: Actual | None = None
    version: str | None = None
    losses: tuple[Loss, ...] = ()


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
class Resolved:
    """Who entities of ours are in a system.

    `there` is what its listings call them, `unknown` why a write that names them would be refused,
    or would be for nobody. `doubtful` are those of whom no call is needed to say that they want a
    row of `entities`, and why: `fit` or `objections` tell that as a loss. An entity in none passes
    as it is.
    """

    there: Mapping[Entity, Entity] = field(default_factory=dict)
    unknown: Mapping[Entity, str] = field(default_factory=dict)
    doubtful: Mapping[Entity, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody or something that a system knows and that an entity of ours may be.

    `id` is what a row of `entities` gives for it.
    """

    id: str
    name: str | None = None
    email: str | None = None


class Keeping(StrEnum):
    """What becomes of an amount spent that a system is to keep."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one row of actuals: `place` is where it stands, in the system's own words;
    `before` what stood there until then, `after` what stands there now, with what other systems
    have seen spent of the same where the system sums it; `reason` is why it was refused."""

    outcome: Keeping
    place: str = ""
    before: Amount | None = None
    after: Amount | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What `check` proved: who we are there, and anything worth knowing before a first run."""

    identity: str
    notes: Sequence[str] = ()
