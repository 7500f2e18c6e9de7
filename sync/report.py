"""Report: what a run did, operation by operation, and how it ended.

Written also when a run fails. An outcome only ever gets worse.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sync.bounded import bounded
from sync.drift import drifted, drifted_money
from sync.outcome import COUNTS, WORSE, Done, Exit, Outcome

if TYPE_CHECKING:
    from canonical.change import Plan
    from sync.state.approvals import Request


@dataclass(slots=True, kw_only=True)
class Report:
    """One run of one sync; `unseen` counts what it left and the target does not show yet.

    `audit_head` is the digest of the audit's last row when the run had ended, and `waiting` how
    many decisions waited for somebody then; `undoes` is the run that this one takes back, if any,
    `left` how many objects it leaves as they are, or in part. `asked` is the approval that it waits
    for, `approved` the one that it made use of. `late` is how a scheduled run that comes late, or
    stands for several slots, says so.
    """

    run_id: str
    sync: str
    plan: "Plan | None" = None
    outcome: Outcome = Outcome.OK
    operations: list[Done] = field(default_factory=list)
    verified: bool = False
    error: str | None = None
    settled: int = 0
    unseen: int = 0
    audit_head: str | None = None
    left: int = 0
    undoes: str | None = None
    waiting: int = 0
    asked: "Request | None" = None
    approved: "Request | None" = None
    late: str | None = None

    def worsen(self, outcome: Outcome) -> None:
        """End no better than `outcome`."""
        self.outcome = max(self.outcome, outcome, key=WORSE.index)

    @property
    def counts(self) -> dict[str, int]:
        """Operations by outcome."""
        seen = Counter(done.outcome for done in self.operations)
        return {name: seen[name] for name in COUNTS}

    @property
    def pending(self) -> int:
        """How many changes of the plan the run left."""
        planned = len(self.plan.pending) if self.plan is not None else 0
        return max(0, planned - self.counts["applied"])

    def conclude(self) -> None:
        """Let the operations and the plan have their say in the outcome."""
        counts, plan = self.counts, self.plan
        unfinished = any(counts[name] for name in COUNTS if name != "applied")
        if unfinished or any(done.error for done in self.operations):
            self.worsen(Outcome.PARTIAL)
        left = plan and (plan.conflicts or plan.waits or plan.problems)
        if plan and (left or plan.unaccepted or plan.uncertain):
            self.worsen(Outcome.PARTIAL)
        if self.left:
            self.worsen(Outcome.PARTIAL)
        if plan and plan.guards:
            self.worsen(Outcome.ABORTED)

    @property
    def exit_code(self) -> int:
        """The most pressing thing about the run, as the process's exit code."""
        if self.outcome is Outcome.FAILED:
            return Exit.FAILED
        if self.counts["uncertain"] or self.unseen:
            return Exit.UNCERTAIN
        if self.asked is not None:
            return Exit.GUARD
        if self.plan is not None:
            code = plan_exit_code(self.plan)
            if code != Exit.OK:
                return code
        return Exit.OK if self.outcome is Outcome.OK else Exit.PARTIAL

    def to_data(self) -> dict[str, Any]:
        """The report as JSON-ready data, in the shape that `run --json` prints."""
        head: dict[str, Any] = {} if self.audit_head is None else {"audit_head": self.audit_head}
        head |= {"waiting": self.waiting} if self.waiting else {}
        if self.plan is not None:
            head |= {"pending": self.pending, "drift": drifted(self.plan)}
            head |= {"drift_money": drifted_money(self.plan)}
        if self.late is not None:
            head |= {"late": self.late}
        back = {} if self.undoes is None else {"undoes": self.undoes, "left": self.left}
        for name, request in (("approval", self.asked), ("approved", self.approved)):
            if request is not None:
                head |= {name: request.to_data()}
        return {
            "run_id": self.run_id,
            "sync": self.sync,
            "outcome": self.outcome.value,
            "counts": self.counts,
            "operations": list(_operations(self.operations)),
            "verified": self.verified,
            "error": self.error,
            "plan": bounded(self.plan.brief()) if self.plan else None,
            **head,
            **back,
        }


def plan_exit_code(plan: "Plan") -> int:
    """What in a plan needs a person: guard or approval, unknown outcome, a decision, a loss."""
    if plan.guards or plan.approval:
        return Exit.GUARD
    if plan.uncertain:
        return Exit.UNCERTAIN
    if plan.conflicts or plan.waits:
        return Exit.CONFLICTS
    if plan.problems or plan.unaccepted:
        return Exit.PARTIAL
    return Exit.OK


def _operations(operations: Iterable[Done]) -> Iterable[dict[str, Any]]:
    for done in operations:
        yield {
            "op": done.op.value,
            "side": done.side.value,
            "kind": done.kind.value,
            "ref": done.ref,
            "budget_ref": done.budget_ref,
            "target_id": done.target_id,
            "outcome": done.outcome,
            "error": done.error,
        }
