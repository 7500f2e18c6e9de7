"""Findings: what planning finds out, before the guard judges it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from canonical.change import Change, Conflict, Handover, Renamed, Selected, Unstated, UsedRate
from canonical.kind import Kind
from canonical.loss import Loss
from canonical.problem import Problem
from canonical.waiting import Waiting
from sync.match import Key
from sync.returned import Returned
from sync.scales import Scales, Weighed
from sync.send import Statement
from sync.state.ledger import Entry
from sync.state.owners import Owned

MANY = 1000
"""So many objects of a sort are named one by one; the others are counted."""


@dataclass(slots=True)
class Findings:
    """What one plan found, filled step by step.

    `left` counts the links of what left the selection, `selected` says what came of that. `returns`
    are the changes of the source, beside those of the target; `returned` is what goes with each,
    `weighed_back` how they move money, `spent_back` what the source's objects have spent, by id.
    The guard puts down in `below_spent` what would be lowered so far: side, kind, budget ref, ref.
    """

    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    agreements: list[Entry] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    taken: list[Owned] = field(default_factory=list)
    unchanged: int = 0
    kept: int = 0
    kept_objects: list[Unstated] = field(default_factory=list)
    strangers: list[Unstated] = field(default_factory=list)
    stranger_count: int = 0
    waiting: int = 0
    adopted: int = 0
    lossy: dict[str, tuple[int, str]] = field(default_factory=dict)
    source_seen: int = 0
    left: int = 0
    selected: Selected | None = None
    rates: tuple[UsedRate, ...] = ()
    stated: dict[tuple[Kind, Key], Statement] = field(default_factory=dict)
    waits: list[Waiting] = field(default_factory=list)
    renames: list[Renamed] = field(default_factory=list)
    returns: list[Change] = field(default_factory=list)
    returned: dict[tuple[Kind, Key], Returned] = field(default_factory=dict)
    weighed_back: list[Weighed] = field(default_factory=list)
    spent_back: dict[str, Decimal] = field(default_factory=dict)
    scales: Scales = field(default_factory=Scales)
    below_spent: set[tuple[str, str, str, str]] = field(default_factory=set)

    def weigh_back(self, weighed: Weighed) -> None:
        """What a change of the source does to its money; one that moves none weighs nothing."""
        if weighed.moves:
            self.weighed_back.append(weighed)

    def note(self, losses: Sequence[Loss]) -> None:
        """Count the losses that need to be accepted by name."""
        for loss in losses:
            if loss.matters:
                count, reason = self.lossy.get(loss.name, (0, loss.reason))
                self.lossy[loss.name] = count + 1, reason

    def add(self, change: Change, stated: Statement) -> None:
        """A change, and what the source stated when it was decided."""
        self.changes.append(change)
        self.stated[change.kind, (change.budget_ref or "", change.ref)] = stated
