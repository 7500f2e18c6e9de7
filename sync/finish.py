"""Finish: which changes of a plan are only the rest of an earlier one, which was judged then.

A run that was killed, or that could not do all it meant, leaves its operations in the journal. What
the source stated then and states still, of an object that is as it was or as far as the run came,
is no new change.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from canonical.change import Change
from canonical.facts import Fact, facts, fields_of
from canonical.kind import Kind, Op
from canonical.money import MONEY, counted_on, money_of
from sync.guard import Objects
from sync.match import Key
from sync.state.journal import Journal, Operation

_REMOVALS = (Op.RETIRE, Op.DELETE)


def unfinished(journal: Journal, changes: Sequence[Change]) -> Objects:
    """The objects whose change an earlier run meant to make and did not."""
    keys: dict[Kind, list[Key]] = defaultdict(list)
    for each in changes:
        keys[each.kind].append((each.budget_ref or "", each.ref))
        if _is_elsewhere(each):
            keys[Kind.BUDGET].append(("", each.budget_ref or ""))
    meant = {kind: journal.unfinished(kind, refs) for kind, refs in keys.items()}
    found = set()
    for each in changes:
        key = each.budget_ref or "", each.ref
        operation = meant[each.kind].get(key)
        left = set[str]()
        if _is_elsewhere(each) and _broke_off(meant[Kind.BUDGET].get(("", key[0]))):
            left = {"budget"}
        if set(each.fields) == left or (operation and _is_rest_of(each, operation, left)):
            found.add((each.kind, key))
    return found


def _is_elsewhere(change: Change) -> bool:
    """Whether an allocation is not within its budget, as one that was renamed by half leaves it."""
    return change.op is Op.UPDATE and change.kind is Kind.ALLOCATION and "budget" in change.fields


def _broke_off(operation: Operation | None) -> bool:
    """Whether an update left, and nobody knows how far it came."""
    return operation is not None and operation.op is Op.UPDATE and operation.sent_at is not None


def _is_rest_of(change: Change, operation: Operation, left: Set[str]) -> bool:
    """`left` are fields that another operation left otherwise."""
    if change.op in _REMOVALS:
        return operation.op in _REMOVALS
    draft = operation.draft
    if not isinstance(draft, Mapping) or draft.get("stated") != change.stated:
        return False
    if operation.op is Op.CREATE:
        return change.op is Op.CREATE or change.matched is not None
    left = left | _torn(change, operation)
    if operation.op is not change.op or not set(change.fields) - left <= set(operation.fields):
        return False
    return _is_where_it_was(change, operation.before or {}, left)


def _torn(change: Change, operation: Operation) -> Set[str]:
    """The amount and its currency, where an update of them left the target without a single one:
    it broke off between calls that each change a part."""
    sent = _broke_off(operation) and "amount" in operation.fields
    is_gone = "amount" in change.fields and change.fields["amount"][0] is None
    return {"amount", "currency"} if sent and is_gone else set()


def _is_where_it_was(change: Change, before: Mapping[str, object], left: Set[str]) -> bool:
    """Whether each stretch of the target's money is as it was then, as it is to be, or `left`."""
    assert change.desired is not None
    wanted = facts(change.desired)
    after = money_of(fields_of(change.desired), wanted)
    then = tuple(_fact(before.get(name, value)) for name, value in zip(MONEY, after, strict=True))
    for name, (now, _) in change.fields.items():
        if name in MONEY and name not in {"phases", *left} and now != _fact(before.get(name)):
            return False
    return all(
        move.before is None or move.before == counted_on(then, move.day)
        for move in change.money
        if "phases" in change.fields
    )


def _fact(value: object) -> Fact:
    return tuple(map(_fact, value)) if isinstance(value, list) else value  # type: ignore[return-value]
