"""A migration: one sync, applied in waves that stop by themselves, and gone on with from the state.

Each wave is a run of its own with the sync's guards, journal and undo. Which wave is next is told
by the journal of the migration's runs: nothing else is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from canonical.compare import Cause
from canonical.kind import Kind, Op
from sync.approving import with_only
from sync.outcome import Exit, Outcome
from sync.report import plan_exit_code
from sync.state.journal import Journal, State
from sync.state.ledger import Ledger
from sync.waves import Mark, cut
from trueup.endings import KNOWN, code_of, lines_of

if TYPE_CHECKING:
    from canonical.change import Change, Plan
    from sync.report import Report
    from trueup.workspace import Workspace

COMMAND: Final = "migrate"
_WRITING: Final = frozenset({COMMAND, "apply", "run"})
_RUNS: Final = 1000
_Key = tuple[Kind, str, str]


class StopOn(StrEnum):
    """What ends a migration after a wave; what a guard stops is never written, named or not."""

    ERRORS = "errors"
    DRIFT = "drift"
    GUARDS = "guards"


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave that was run: where it ends, how many objects it held, and the run."""

    mark: Mark
    objects: int
    report: Report
    left: int = 0

    def to_data(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "wave": str(self.mark),
            "objects": self.objects,
            "left": self.left,
            "run_id": self.report.run_id,
            "counts": self.report.counts,
            "undo": f"trueup undo {self.report.run_id[:12]}",
        }


@dataclass(slots=True)
class Migration:
    """What came of it: the waves, why it stopped (None where all is in place) and its exit code."""

    sync: str
    waves: list[Wave] = field(default_factory=list)
    stopped: str | None = None
    exit_code: int = Exit.OK
    remaining: int = 0
    plan: Plan | None = None

    def to_data(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "sync": self.sync,
            "waves": [each.to_data() for each in self.waves],
            "stopped": self.stopped,
            "remaining": self.remaining,
            "exit_code": self.exit_code,
        }

    def stop(self, why: str, code: int) -> None:
        """It goes no further."""
        self.stopped, self.exit_code = why, code


class Migrating:
    """Moves what a sync carries, wave by wave. `stop` is set by who asks it to end."""

    def __init__(
        self,
        workspace: Workspace,
        sync: str,
        marks: Sequence[Mark],
        stop_on: Collection[StopOn],
        stop: Event,
        *,
        as_of: date | None = None,
        allow: Collection[str] = (),
        because: str | None = None,
    ) -> None:
        self._workspace, self._sync, self._marks = workspace, sync, marks
        self._stop_on, self._stop = stop_on, stop
        self._as_of, self._allow, self._because = as_of, allow, because
        self._tried: set[_Key] = set()

    def plan(self) -> tuple[Plan, int]:
        """What is left to move, and how many objects the waves until now have in place."""
        written, created = self._written()
        made = self._linked(created)
        plan = self._workspace.plan(self._sync, as_of=self._as_of, allow=self._allow, made=made)
        return plan, len(written - {each.key for each in plan.pending})

    def waves(self, plan: Plan, done: int) -> list[tuple[Mark, tuple[Change, ...]]]:
        """The waves that are left of a plan, without what was tried and could not be done."""
        changes = [each for each in plan.pending if each.key not in self._tried]
        return cut(changes, self._marks, done + len(self._tried))

    def migrate(self, plan: Plan, done: int, said: Callable[[Wave], None]) -> Migration:
        """Run the waves of `plan`; each that has ended is given to `said`."""
        found = Migration(self._sync, plan=plan)
        while found.stopped is None:
            found.plan, found.remaining = plan, len(plan.pending)
            if plan.guards:
                found.stop(f"the guard {plan.guards[0].rule}: {plan.guards[0].message}", Exit.GUARD)
                break
            left = self.waves(plan, done)
            if not left:
                self._conclude(found, plan)
                break
            if self._stop.is_set():
                found.stop("asked to stop", Exit.PARTIAL)
                break
            plan, done = self._wave(found, plan, *left[0], said)
        return found

    def _wave(
        self,
        found: Migration,
        plan: Plan,
        mark: Mark,
        changes: tuple[Change, ...],
        said: Callable[[Wave], None],
    ) -> tuple[Plan, int]:
        """One wave, and what both sides show after it."""
        report = self._workspace.apply(
            with_only(plan, changes),
            as_of=self._as_of,
            allow=self._allow,
            because=self._because,
            command=COMMAND,
        )
        keys = {each.key for each in changes}
        if report.error is not None or report.outcome in (Outcome.ABORTED, Outcome.FAILED):
            found.waves.append(Wave(mark, len(changes), report))
            said(found.waves[-1])
            code = Exit.FAILED if report.outcome is Outcome.FAILED else report.exit_code
            found.stop(_why(report), code or Exit.PARTIAL)
            return plan, 0
        if self._stop.is_set():
            found.waves.append(Wave(mark, len(changes), report))
            said(found.waves[-1])
            found.stop("asked to stop", Exit.PARTIAL)
            return plan, 0
        try:
            after, done = self.plan()
        except KNOWN as error:  # the wave is written all the same, and can be taken back
            found.waves.append(Wave(mark, len(changes), report))
            found.remaining -= report.counts["applied"]
            said(found.waves[-1])
            found.stop(lines_of(error), code_of(error))
            return plan, 0
        again = [each for each in after.pending if each.key in keys]
        self._tried |= {each.key for each in again}
        left = [each for each in again if each.cause is not Cause.DRIFT]
        found.waves.append(Wave(mark, len(changes), report, len(left)))
        found.plan, found.remaining = after, len(after.pending)
        said(found.waves[-1])
        self._judge(found, report, after, keys, len(left))
        return after, done

    def _judge(
        self, found: Migration, report: Report, after: Plan, keys: set[_Key], left: int
    ) -> None:
        """Whether the wave was good enough for the next one."""
        counts = report.counts
        failed = sum(counts.values()) - counts["applied"]
        if StopOn.ERRORS in self._stop_on and (failed or left):
            said = f"{failed or left} of the {len(keys)} objects of this wave are not in place"
            found.stop(said, report.exit_code or Exit.PARTIAL)
            return
        edited = sorted(
            f"{each.kind} {each.ref}" for each in after.changes if each.cause is Cause.DRIFT
        )
        if StopOn.DRIFT in self._stop_on and edited:
            more = f" and {len(edited) - 5} more" if len(edited) > 5 else ""
            named = ", ".join(edited[:5]) + more
            found.stop(f"changed in {after.target} since it was written: {named}", Exit.PENDING)

    def _conclude(self, found: Migration, plan: Plan) -> None:
        """All waves have been run: whether that is all there is to move."""
        if plan.pending:
            found.stop(f"{len(plan.pending)} objects are beyond the last wave", Exit.PENDING)
            if self._tried:
                found.stop(f"{len(plan.pending)} objects are not in place", Exit.PARTIAL)
        else:
            found.exit_code = plan_exit_code(plan)

    def _written(self) -> tuple[set[_Key], set[_Key]]:
        """What the runs of the migration that goes on have written, and what of it they made."""
        workspace = self._workspace
        journal, written, created = Journal(workspace.store, self._sync), set[_Key](), set[_Key]()
        for run in workspace.history.runs(self._sync, limit=_RUNS):
            if run.command in _WRITING and (run.report or {}).get("pending") == 0:
                break
            if run.command == COMMAND:
                done = [e for e in journal.of_run(run.run_id) if e.state is State.APPLIED]
                written |= {(e.kind, e.budget_ref or "", e.ref) for e in done}
                created |= {(e.kind, e.budget_ref or "", e.ref) for e in done if e.op is Op.CREATE}
        return written, created

    def _linked(self, created: set[_Key]) -> int:
        """How many of them are linked still: what was taken back since counts as never made."""
        ledger = Ledger(self._workspace.store, self._sync)
        return sum(
            len(ledger.by_refs(kind, [(above, ref) for of, above, ref in created if of is kind]))
            for kind in Kind
        )


def _why(report: Report) -> str:
    if report.error is not None:
        return report.error
    if report.asked is not None:
        return f"this wave has to be approved: trueup approve {report.asked.plan_id[:12]}"
    if report.plan is not None and report.plan.guards:
        trip = report.plan.guards[0]
        return f"the guard {trip.rule}: {trip.message}"
    return report.outcome.value
