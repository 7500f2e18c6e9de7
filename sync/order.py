"""Order: the changes of a plan in groups that are sent one after the other.

First what lowers an amount or gives up a share, children before parents; then what creates or
raises one, parents before children; budgets are removed last. So no sum of shares ever exceeds its
budget on the way, nothing is made before what it hangs on, and nothing is removed from under it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from canonical.budget import Budget
from canonical.change import Change, Kind, Op


def waves(changes: Iterable[Change]) -> list[list[Change]]:
    """The changes in groups to be sent one after the other; order within a group is free."""
    changes = list(changes)
    parents = {
        each.ref: each.desired.parent
        for each in changes
        if isinstance(each.desired, Budget) and each.desired.parent
    }
    groups: dict[tuple[int, int], list[Change]] = defaultdict(list)
    for each in changes:
        below = _depth(each.ref, parents) if each.kind is Kind.BUDGET else 1_000
        removed = each.op in (Op.RETIRE, Op.DELETE)
        if removed and each.kind is Kind.BUDGET:
            groups[2, -below].append(each)
        elif removed or _lowers(each):
            groups[0, -below].append(each)
        else:
            groups[1, below].append(each)
    return [groups[rank] for rank in sorted(groups)]


def _depth(ref: str, parents: Mapping[str, str]) -> int:
    depth = 0
    while ref in parents and depth < 1_000:
        ref, depth = parents[ref], depth + 1
    return depth


def _lowers(change: Change) -> bool:
    if change.op is not Op.UPDATE or "amount" not in change.fields or moves(change):
        return False  # it waits for where it moves to
    before, after = change.fields["amount"]
    return before is not None and Decimal(str(after)) < Decimal(str(before))


def moves(change: Change) -> bool:
    """Whether the object is to hang on another one than it does."""
    return not {"parent", "budget"}.isdisjoint(change.fields)
