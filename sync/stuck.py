"""Stuck: budgets that nothing can be hung on yet, and why; what should hang there waits."""

from collections.abc import Iterable
from dataclasses import replace

from msgspec import structs

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.change import Change
from canonical.kind import Kind, Op
from canonical.loss import Effect, Loss
from canonical.problem import Problem
from connectors.contract.errors import Unseen
from sync.match import Key
from sync.state.ledger import Link

RETIRED = "it is retired"
LEFT_RETIRED = "the target has retired it"
UNDECIDED = "a conflict about it waits for a decision"
UNKNOWN = "an earlier write of it has an unknown outcome"
UNREADABLE = "it could not be read in the target"
GONE = "the target has it no more, and both sides own it"
NOT_SEEN = "the target does not show it any more"


class Stuck:
    """The budgets of one plan that are not there, or not to be touched, by ref."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def __contains__(self, ref: str | None) -> bool:
        return ref in self._reasons

    def add(self, kind: Kind, key: Key, reason: str) -> None:
        """Remember why; nothing hangs on an allocation."""
        if kind is Kind.BUDGET:
            self._reasons[key[1]] = reason

    def is_retired(self, ref: str) -> bool:
        """Whether the source itself says that the budget is over."""
        return self._reasons[ref] == RETIRED

    def is_left_alone(self, ref: str) -> bool:
        """Whether the target may hide the budget, or a person is to say whether it is over: then
        its shares are left alone with it."""
        return self._reasons.get(ref) in (NOT_SEEN, GONE)

    def waits_for(self, ref: str) -> Loss:
        """What blocks an object that belongs below that budget."""
        reason = f"{ref} has to be there first, and {self._reasons[ref]}"
        return Loss("parent", Effect.BLOCKED, reason)

    def left_in_place(self, changes: Iterable[Change]) -> list[Change]:
        """What would move below a budget that is stuck stays; the rest of its change need not."""
        return [self._without_move(change) for change in changes] if self._reasons else [*changes]

    def _without_move(self, change: Change) -> Change:
        _, above = change.fields.get("parent", (None, None))
        if change.op is not Op.UPDATE or above not in self._reasons:
            return change
        fields = {name: said for name, said in change.fields.items() if name != "parent"}
        return replace(
            change,
            op=Op.UPDATE if fields else Op.BLOCKED,
            fields=fields,
            losses=(*change.losses, self.waits_for(str(above))),
            desired=_without_parent(change.desired),
        )


def _without_parent(desired: Budget | Allocation | None) -> Budget | Allocation | None:
    """What is written, and so remembered: the next plan finds the parent wanting again."""
    return structs.replace(desired, parent=None) if isinstance(desired, Budget) else desired


def unseen(target: str, link: Link, error: Unseen) -> Problem:
    """What is linked and not shown, which is no proof that it is gone: what that means, and what
    to do."""
    reason = (
        f"{error.message}; nothing is made in its place: let it be seen again, or if it is gone, "
        f"say so with --allow unseen"
    )
    return Problem(target, f"{link.kind} {link.ref}", reason, link.target_id)
