"""Gone: an object is gone when a listing that otherwise works does not show it.

That a vendor answers "no such object" to a removal, or to one read, proves nothing: the answer may
come from a cache, a replica or a gateway.
"""

from collections.abc import Mapping, Sequence

from canonical.compare import Baseline
from canonical.facts import facts
from canonical.kind import Kind, Op
from canonical.side import Side
from connectors.contract.errors import Missing
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.decide import is_out_of_use
from sync.outcome import Done
from sync.spec import OnRemove
from sync.state.ledger import Entry, Link

STILL_THERE = "it was removed, as the target said, and the target still shows it"
STILL_THERE_SOURCE = "it was removed, as the source said, and the source still shows it"


def in_use(target: Connector, item: Observed, op: Op) -> bool:
    """Whether an object is not what `op` would leave of it. What is retired is over in any case: an
    older namesake, or a twin that a person put away."""
    policy = OnRemove.RETIRE if op is Op.RETIRE else OnRemove.DELETE
    return not is_out_of_use(item.model.status, target.capabilities, policy)


def still_there(
    target: Connector, shown: Mapping[Kind, Mapping[str, Observed]], done: Sequence[Done]
) -> Mapping[int, Observed]:
    """Index into `done` → the object in use that a removal left; `shown` is without a link."""
    found = {}
    for index, each in enumerate(done):
        removed = (
            each.op in (Op.RETIRE, Op.DELETE)
            and each.outcome == "applied"
            and each.side is Side.TARGET
        )
        item = shown.get(each.kind, {}).get(each.target_id or "") if removed else None
        if item is None or not in_use(target, item, each.op):
            continue
        if _reads(target, each.kind, item.id, each.op):
            found[index] = item
    return found


def linked_again(done: Done, item: Observed) -> Entry:
    """The link by which the next run finds what is still to be removed."""
    values = facts(item.model)
    return Entry(
        kind=done.kind,
        ref=done.ref,
        budget_ref=done.budget_ref or "",
        target_id=item.id,
        origin="adopted",
        baseline=Baseline(values, values),
        source=b"",
    )


def linked_still(link: Link, agreed: Baseline) -> Entry:
    """The link as it was before what it stands for was removed from the source."""
    return Entry(
        kind=link.kind,
        ref=link.ref,
        budget_ref=link.budget_ref,
        target_id=link.target_id,
        origin=link.origin,
        baseline=agreed,
        source=link.source,
        agreed=False,
    )


def lists(target: Connector, kind: Kind, id: str, op: Op) -> bool:
    """Whether a listing shows the object as in use, or a record of it that cannot be read."""
    for page in target.list(kind):
        if any(item.id == id and in_use(target, item, op) for item in page.items):
            return True
        if any(problem.ref == id for problem in page.problems):
            return True
    return False


def _reads(target: Connector, kind: Kind, id: str, op: Op) -> bool:
    """A listing may lag behind a removal: then a read of its own does not show the object."""
    try:
        return in_use(target, target.get(kind, id), op)
    except Missing:
        return False
