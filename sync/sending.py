"""Sending: what a plan changes goes to both sides, the source first, and what was removed is looked
for once more."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from canonical.change import Change, Plan
from canonical.kind import Kind, Op
from canonical.side import Side
from connectors.contract.errors import STOPS_CONNECTOR, RateLimited
from sync.apply import Applier
from sync.approving import Grant
from sync.context import Context
from sync.gone import (
    STILL_THERE,
    STILL_THERE_SOURCE,
    linked_again,
    linked_still,
    lists,
    still_there,
)
from sync.match import Key
from sync.outcome import Done
from sync.planning import Planned
from sync.report import Report
from sync.returning import SourceApplier
from sync.state import audited
from sync.state.audit import Audit
from sync.state.journal import Journal, Operation
from sync.state.ledger import Entry
from sync.state.stops import Stops
from sync.undo.plan import Undo

_HALF: Final = "the source did not take the value that was decided for both sides"


class Sending:
    """Sends the changes of one run. `settle` finds out what became of writes whose answer was lost;
    `hold_back` remembers what a system asked for."""

    def __init__(
        self,
        context: Context,
        settle: Callable[[Journal, Report], list[Operation]],
        hold_back: Callable[[RateLimited, Side], None],
    ) -> None:
        self._spec, self._store, self._ledger = context.spec, context.store, context.ledger
        self._source, self._target = context.source, context.target
        self._approving, self._watch = context.approving, context.watch
        self._settle, self._hold_back = settle, hold_back

    def apply(
        self,
        report: Report,
        journal: Journal,
        planned: Planned,
        changes: Collection[Change],
        undo: Undo | None,
    ) -> None:
        self._outdate(journal, report.run_id, planned.plan, changes, undo, planned.grant)
        if planned.grant is not None:
            report.approved = planned.grant.request
        self._watch.stage("apply")
        self._watch.planned(len(changes))
        back = tuple(each for each in changes if each.side is Side.SOURCE)
        there = tuple(each for each in changes if each.side is Side.TARGET)
        if back:
            self._send(report, self._to_source(report, journal, planned), back, planned)
        if back:
            there = self._with_source(report, planned, there)
        if there and report.error is None:
            applier = Applier(self._target, self._ledger, journal, **self._sending(report, journal))
            self._send(report, applier, there, planned)

    def _outdate(
        self,
        journal: Journal,
        run_id: str,
        plan: Plan,
        changes: Collection[Change],
        undo: Undo | None,
        grant: Grant | None,
    ) -> None:
        """No version vouches for a budget in which something is about to be written.

        Before the first write, so that after a crash too all of it is read again. The audit is
        told in the same moment of what is about to be done; and before an undo the sync is paused,
        unless it is so already.
        """
        budgets = {each.budget_ref or each.ref for each in changes}
        sync, stops = self._spec.name, Stops(self._store)
        paused = stops.of(sync) is not None
        with journal.writing() as connection:
            self._ledger.outdate_versions(connection, budgets)
            told = [audited.planned(run_id, plan)]
            if grant is not None:  # once: whatever becomes of the run from here on
                told.insert(0, self._approving.use(connection, grant, run_id))
            if undo is not None:
                told.append(audited.undone(run_id, sync, undo.run, undo.refs))
            Audit(self._store).append(connection, *told)
            if undo is not None and not paused:
                stops.pause_within(
                    connection,
                    sync,
                    f"undo of the run {undo.run[:12]}, which the next run would do again",
                )

    def _with_source(
        self, report: Report, planned: Planned, there: Sequence[Change]
    ) -> tuple[Change, ...]:
        """Those without what both sides are to have and the source did not get: one side alone has
        no value that was decided for both."""
        told = {place for place, each in planned.found.returned.items() if each.told}
        missed = {
            (each.kind, (each.budget_ref or "", each.ref))
            for each in report.operations
            if each.side is Side.SOURCE and each.outcome != "applied"
        }
        half = [each for each in there if (each.kind, _key(each)) in told & missed]
        report.operations.extend(_left(each) for each in half)
        return tuple(each for each in there if each not in half)

    def _to_source(self, report: Report, journal: Journal, planned: Planned) -> Applier:
        """What sends to the source, which goes first (docs/architecture.md says why)."""
        return SourceApplier(
            self._source,
            self._ledger,
            journal.of_side(Side.SOURCE),
            returned=planned.found.returned,
            **self._sending(report, journal),
        )

    def _sending(self, report: Report, journal: Journal) -> dict[str, Any]:
        return {
            "run_id": report.run_id,
            "stamp": self._spec.stamp,
            "parallel": self._spec.parallel,
            "stop": self._watch.stop,
            "progress": self._watch.done,
            "settle": lambda: self._settle(journal, report),
            "first": sum(journal.counts(report.run_id).values()),
        }

    def _send(
        self, report: Report, applier: Applier, changes: Sequence[Change], planned: Planned
    ) -> None:
        try:
            applier.apply(changes, planned.found.stated)
        finally:
            report.operations.extend(applier.done)
        if applier.halted is not None:
            report.error = str(applier.halted)
            if isinstance(applier.halted, RateLimited):
                self._hold_back(applier.halted, applier.side)
            if isinstance(applier.halted, STOPS_CONNECTOR):
                raise applier.halted

    def going(self, changes: Collection[Change]) -> Mapping[tuple[Kind, Key], Entry]:
        """The links of what is about to be removed from the source."""
        found: dict[tuple[Kind, Key], Entry] = {}
        for each in changes:
            if each.side is Side.SOURCE and each.op in (Op.RETIRE, Op.DELETE):
                key = each.budget_ref or "", each.ref
                if link := self._ledger.by_refs(each.kind, [key]).get(key):
                    agreed = self._ledger.baselines([link.id])[link.id]
                    found[each.kind, key] = linked_still(link, agreed)
        return found

    def confirm_source(
        self, report: Report, journal: Journal, going: Mapping[tuple[Kind, Key], Entry]
    ) -> None:
        """What the source said it removed and still shows gets its link back, before a plan takes
        it for new."""
        for index, done in enumerate(report.operations):
            entry = going.get((done.kind, (done.budget_ref or "", done.ref)))
            if done.side is not Side.SOURCE or done.outcome != "applied" or entry is None:
                continue
            if lists(self._source, done.kind, str(done.target_id), done.op):
                with journal.writing() as connection:
                    self._ledger.save_many(connection, [entry], report.run_id)
                report.operations[index] = replace(done, error=STILL_THERE_SOURCE)

    def confirm_removals(self, report: Report, journal: Journal, planned: Planned) -> bool:
        """Whether nothing of what was removed is shown; what is gets its link back."""
        left = still_there(self._target, planned.strangers, report.operations)
        if not left:
            return True
        entries = [linked_again(report.operations[index], item) for index, item in left.items()]
        with journal.writing() as connection:
            self._ledger.save_many(connection, entries, report.run_id)
        for index in left:
            report.operations[index] = replace(report.operations[index], error=STILL_THERE)
        return False


def _key(change: Change) -> Key:
    return change.budget_ref or "", change.ref


def _left(change: Change) -> Done:
    return Done(
        change.op, change.kind, change.ref, change.budget_ref, change.target_id, "skipped", _HALF
    )
