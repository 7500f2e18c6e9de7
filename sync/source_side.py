"""The source's side of a plan that also writes to it: what is known of earlier writes."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.identity import folded
from canonical.kind import Kind, Op, kind_of
from canonical.side import Side
from connectors.contract.interface import Connector
from sync.returned import returned_of
from sync.send import draft_of
from sync.state.journal import Journal, Operation
from sync.state.ledger import Ledger


@dataclass(frozen=True, slots=True)
class SourceSide:
    """`being_made` is what objects are called of which a create may have happened: by the side,
    the kind, the ref of their budget or "", and the name. `newborn` are the links of what was just
    made in the source, which need not show it yet. `removed` says which ids of the target are of
    objects that this sync has removed there."""

    being_made: frozenset[tuple[Side, Kind, str, str]]
    newborn: frozenset[int]
    removed: Callable[[Kind, Collection[str]], Collection[str]]

    def is_being_made(self, model: Budget | Allocation, budget_ref: str, *sides: Side) -> bool:
        """Whether an object may be what a lost answer of one of those sides was about."""
        named = kind_of(model), budget_ref, _called(model)
        return any((side, *named) in self.being_made for side in sides)


def source_side(
    source: Connector, ledger: Ledger, journal: Journal, now: datetime, open: Sequence[Operation]
) -> SourceSide:
    """As the journal tells it; `open` are the operations of unknown outcome."""
    back = journal.of_side(Side.SOURCE)
    grace = source.capabilities.grace
    made = back.made_since(now - grace) if grace else []
    links = (
        ledger.by_targets(kind, [returned_of(each).target_id for each in made if each.kind is kind])
        for kind in Kind
    )
    return SourceSide(
        frozenset(_being_made(each) for each in open if each.op is Op.CREATE),
        frozenset(link.id for each in links for link in each.values()),
        lambda kind, ids: journal.of_side(Side.TARGET).removed(kind, ids),
    )


def _being_made(operation: Operation) -> tuple[Side, Kind, str, str]:
    draft = draft_of(operation)[0]
    above = operation.budget_ref
    if operation.side is Side.SOURCE and operation.kind is Kind.ALLOCATION:
        above = draft.container or above  # there the ids of budgets are our refs
    return operation.side, operation.kind, above, _called(draft.model)


def _called(model: Budget | Allocation) -> str:
    return folded(model.name) if isinstance(model, Budget) else str(model.entity)
