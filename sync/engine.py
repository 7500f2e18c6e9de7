"""A run as a table of contents: settle, observe, match, plan, guard, apply, verify, remember."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from threading import Event
from uuid import uuid4

from sqlalchemy.engine import Connection

from canonical.change import Change, Conflict, Plan, Unstated
from canonical.kind import Kind, Op
from canonical.loss import Effect
from canonical.problem import Problem
from canonical.side import Side
from canonical.waiting import Waiting
from connectors.contract.departure import departing
from connectors.contract.errors import ConnectorError, RateLimited
from connectors.contract.interface import Connector
from connectors.contract.work import working
from sync.account import ensure_known
from sync.approving import Approving, Grant, with_only
from sync.binding import ForeignPlan, binding, ensure_bound
from sync.context import Context
from sync.handover import take_over
from sync.intake.selection import Selection
from sync.meaning import Meaning
from sync.neighbours import Sources
from sync.outcome import Done, Outcome
from sync.planning import Planned, Planning
from sync.queue import RunQueue
from sync.report import Report
from sync.returning import SourceSettler
from sync.sending import Sending
from sync.settle import Settler
from sync.spec import SyncSpec
from sync.state.approvals import NotApproved
from sync.state.audit import Audit
from sync.state.history import History
from sync.state.journal import Journal, JournalError, Operation
from sync.state.lease import Lease, LeaseHeld, LeaseLost, elapsed
from sync.state.ledger import Ledger, LedgerError
from sync.state.owners import OtherAccount, Owners
from sync.state.pauses import Pauses
from sync.state.stops import Stops
from sync.state.store import Store, StoreError
from sync.undo.plan import Undo
from sync.watch import Watch

log = logging.getLogger("trueup.sync")

_FAILURES = (
    ConnectorError,
    LeaseLost,
    StoreError,
    JournalError,
    LedgerError,
    OtherAccount,
    ForeignPlan,
    NotApproved,
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Both live sides compared field by field, taking nothing on the ledger's word.

    `accepted` counts the objects that the target cannot hold and the settings do without.
    """

    sync: str
    as_of: date
    compared: int
    accepted: int
    differences: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    problems: tuple[Problem, ...]
    waits: tuple[Waiting, ...] = ()
    kept_objects: tuple[Unstated, ...] = ()
    strangers: tuple[Unstated, ...] = ()
    stranger_count: int = 0

    @property
    def agree(self) -> bool:
        """Whether the target holds all it should."""
        return not (self.differences or self.conflicts or self.waits or self.problems)


class Engine:
    """Runs one sync between two connectors, remembering in `store`."""

    def __init__(
        self,
        spec: SyncSpec,
        source: Connector,
        target: Connector,
        store: Store,
        *,
        now: Callable[[], datetime] = _utc_now,
        monotonic: Callable[[], float] = elapsed,
        watch: Watch | None = None,
        neighbours: Sources | None = None,
        selections: Mapping[str, Selection | None] | None = None,
    ) -> None:
        """`neighbours` are the sources of the other syncs into the same account, `selections` what
        of them each carries."""
        self._spec, self._source, self._target, self._store = spec, source, target, store
        self._now, self._monotonic = now, monotonic
        self._watch = watch or Watch(stop=Event())
        account = target.settings.account(target.name, target.runtime.base)
        self._owners = Owners(store, spec.name, account, neighbours or {})
        self._ledger = Ledger(store, spec.name, lambda: self._owners.names)
        self._lately: Collection[str] = frozenset()
        target.recall(self._ledger.placed, lambda: self._lately)
        self._history = History(store)
        self._pauses = Pauses(store)
        self._queue, self._approving = RunQueue(store, spec.name), Approving(spec, store)
        context = Context(
            spec=spec,
            source=source,
            target=target,
            store=store,
            ledger=self._ledger,
            owners=self._owners,
            history=self._history,
            queue=self._queue,
            approving=self._approving,
            watch=self._watch,
            now=now,
            neighbours=neighbours or {},
            selections=selections,
        )
        self._planning = Planning(context)
        self._sending = Sending(context, self._settle, self._hold_back)

    def plan(
        self,
        as_of: date,
        allow: Collection[str] = (),
        *,
        supposed: Sequence[Meaning] = (),
        made: int = 0,
        undo: Undo | None = None,
    ) -> Plan:
        """What would change. Reads both sides; writes nothing anywhere. What is `supposed` counts
        as said by a person; `made` is as in `Planning.plan`. With `undo` it is what would take back
        an earlier run."""
        self._queue.supposed = tuple(supposed)
        self._wait_for_both()
        journal = Journal(self._store, self._spec.name)
        with self._source.on(as_of), self._target.on(as_of):
            self._ensure_account()
            open = journal.open_on_both_sides()
            grant = self._planning.granted() if undo is None else None
            return self._planning.plan(
                as_of, allow, journal, open, undo=undo, grant=grant, made=made
            ).plan

    def verify(self, as_of: date) -> Verification:
        """Read both live sides again and compare them field by field."""
        self._wait_for_both()
        with self._source.on(as_of), self._target.on(as_of):
            self._ensure_account()
            observation = self._planning.observe(None)
            journal = Journal(self._store, self._spec.name)
            unseen, side = (
                self._planning.unseen(observation, journal),
                self._planning.source_side(journal, ()),
            )
            found = self._planning.planner(observation, as_of, unseen, side, thorough=True).plan()
        changes = [*found.returns, *found.changes]
        differences = tuple(each for each in changes if not self._accepts(each))
        return Verification(
            sync=self._spec.name,
            as_of=as_of,
            compared=found.source_seen,
            accepted=len(changes) - len(differences),
            differences=differences,
            conflicts=tuple(found.conflicts),
            problems=tuple(found.problems),
            waits=tuple(found.waits),
            kept_objects=tuple(found.kept_objects),
            strangers=tuple(found.strangers),
            stranger_count=found.stranger_count,
        )

    def _accepts(self, change: Change) -> bool:
        """Whether the settings do without this object, for itself or for what it hangs on."""
        names = {loss.name for loss in change.losses if loss.effect is Effect.BLOCKED}
        hangs = change.kind is Kind.ALLOCATION or change.target_id is None
        above = {"blocked:parent"} if hangs else set()
        return change.op is Op.BLOCKED and names <= self._spec.accept | above

    def _holds_all(self, plan: Plan) -> bool:
        """Whether nothing is blocked that the settings do not do without, as `verify` has it."""
        return all(self._accepts(each) for each in plan.changes if each.op is Op.BLOCKED)

    def run(
        self,
        as_of: date,
        *,
        command: str,
        allow: Collection[str] = (),
        because: str | None = None,
        approve: Callable[[Plan], bool] = lambda plan: True,
        only: Plan | None = None,
        undo: Undo | None = None,
        late: str | None = None,
    ) -> Report:
        """Bring the target to what the source states, and report what became of it.

        `allow` says which guards are switched off, or have another limit, in this run, and
        `because` why, for the audit.
        `late` says in words that its slot was another one, for the report.
        `approve` sees the plan before anything is sent. With `only`, changes that are not exactly
        as in that earlier plan are skipped; one that was made for other accounts or settings fails
        the run before anything is asked. With `undo` the target is brought back to what was there
        before an earlier run, also where the sync is paused; it is paused before the first write,
        as the next run would do it all again. Raises `LeaseHeld` when another run of the sync goes
        on, and `Paused` when it is not to run; every other failure is in the report.
        """
        lease = Lease.take(self._store, self._spec.name, now=self._now, monotonic=self._monotonic)
        run_id = uuid4().hex
        with lease, departing(lease.ensure), working(run=run_id, sync=self._spec.name):
            if undo is None:
                Stops(self._store).ensure_running(self._spec.name)
            undoes = None if undo is None else undo.run
            report = Report(run_id=run_id, sync=self._spec.name, undoes=undoes, late=late)
            self._history.start(
                report.run_id, self._spec.name, command, self._now(), allow, because
            )
            self._queue.begin()
            journal = Journal(self._store, self._spec.name, lease)
            try:
                with self._source.on(as_of), self._target.on(as_of):
                    self._run(report, journal, as_of, allow, approve, only, undo)
            except RateLimited as error:
                self._hold_back(error)
                report.error = f"deferred: {error}"
                report.worsen(Outcome.PARTIAL)
            except LeaseHeld as error:
                report.error = f"deferred: {error}"
                report.worsen(Outcome.PARTIAL)
            except _FAILURES as error:
                report.error = str(error)
                report.worsen(Outcome.FAILED)
            except BaseException as error:
                report.error = f"stopped by {type(error).__name__}"
                report.worsen(Outcome.FAILED)
                raise
            finally:
                report.conclude()
                self._finish(report, journal)
                log.info("the run ended: %s", report.outcome.value)
                self._watch.ended(report.outcome)
            return report

    def _finish(self, report: Report, journal: Journal) -> None:
        """Put down how the run ended, and what it leaves for people to decide."""
        open = journal.open_on_both_sides()

        def leave(connection: Connection) -> dict[str, int]:
            report.waiting = self._queue.end(connection, report.run_id, open)
            return {"waiting": report.waiting} if report.waiting else {}

        report.audit_head = self._history.finish(
            report.run_id, report.outcome.value, self._now(), report.to_data(), leave
        )

    def _written_lately(self, journal: Journal) -> Collection[str]:
        """The ids of what earlier runs wrote and the target need not show yet, and of what is above
        that."""
        written = journal.written_since(self._store.now() - self._target.capabilities.grace)
        above = sorted({("", ref) for ref, _ in written if ref})
        links = self._ledger.by_refs(Kind.BUDGET, above).values()
        return {id for _, id in written if id} | {link.target_id for link in links}

    # -- what a vendor asked for ---------------------------------------------------------------

    def _wait_for_both(self) -> None:
        """Leave a system alone for as long as it asked an earlier run to."""
        for system in (self._source, self._target):
            self._pauses.wait(system)

    def _hold_back(self, error: RateLimited, side: Side = Side.TARGET) -> None:
        """Remember what a system asked for; one that is not named by the error is of that side."""
        named = error.call is not None and error.call.vendor == self._source.name
        source = named or side is Side.SOURCE
        with suppress(StoreError):  # the run says it all the same
            self._pauses.keep((self._source if source else self._target).name, error)

    # -- the steps ---------------------------------------------------------------------------

    def _run(
        self,
        report: Report,
        journal: Journal,
        as_of: date,
        allow: Collection[str],
        approve: Callable[[Plan], bool],
        only: Plan | None,
        undo: Undo | None,
    ) -> None:
        if only is not None:
            ensure_bound(only, binding(self._spec, self._source, self._target))
        self._wait_for_both()
        self._ensure_account()
        self._say_account(journal)
        self._lately = self._written_lately(journal)
        uncertain = self._settle(journal, report)
        journal.abandon_planned(report.run_id)
        grant = self._planning.granted() if undo is None else None
        planned = self._planning.plan(as_of, allow, journal, uncertain, only, undo, grant)
        report.plan = plan = planned.plan
        changes = plan.pending
        if only is not None:
            changes = self._still_as_planned(report, only, changes)
        if plan.approval is not None:
            self._ask(report, journal, planned, changes)
        if plan.guards or plan.approval is not None:
            return
        if planned.grant is not None:
            changes = self._still_as_approved(report, planned, changes)
            plan = with_only(plan, changes)
        elif undo is None:
            self._approving.let_go(journal)
        if changes and not approve(plan):
            report.error = "not approved"
            report.worsen(Outcome.ABORTED)
            return
        grant = planned.grant
        if grant is not None and not changes:
            self._use(report, journal, grant)
        self._remember(report, journal, planned)
        if changes:
            going = self._sending.going(changes)
            self._sending.apply(report, journal, planned, changes, undo)
            self._queue.refused(report.operations)
            if report.error is not None:
                return
            self._sending.confirm_source(report, journal, going)
            self._watch.stage("verify")
            planned = self._planning.plan(
                as_of, (), journal, journal.open_on_both_sides(), undo=undo
            )
            if grant is not None and planned.plan.approval is not None:
                self._ask(report, journal, planned, planned.plan.pending)
            elif not planned.plan.guards:
                self._remember(report, journal, planned)
        removed = self._sending.confirm_removals(report, journal, planned)
        in_step = _in_sync(planned.plan) and removed
        report.verified = in_step and self._holds_all(planned.plan)
        if undo is not None:
            report.left = sum(each.op is Op.BLOCKED for each in planned.plan.changes)
        elif in_step:
            with journal.writing() as connection:
                self._ledger.save_versions(connection, planned.versions, planned.read_at)
        if not in_step:
            report.worsen(Outcome.PARTIAL)
            self._say_unseen(report, planned.plan)

    # -- approval ----------------------------------------------------------------------------

    def _ask(
        self, report: Report, journal: Journal, planned: Planned, changes: Collection[Change]
    ) -> None:
        """Put down what somebody is to approve; the run ends with that."""
        plan, why = planned.plan, str(planned.plan.approval)
        asked = self._approving.ask(journal, with_only(plan, changes), why, planned.found)
        report.asked = asked
        report.worsen(Outcome.PARTIAL if report.approved else Outcome.ABORTED)

    def _use(self, report: Report, journal: Journal, grant: Grant) -> None:
        """An approved plan that only restates money of later days is used up without a write."""
        with journal.writing() as connection:
            used = self._approving.use(connection, grant, report.run_id)
            Audit(self._store).append(connection, used)
        report.approved = grant.request

    def _still_as_approved(
        self, report: Report, planned: Planned, changes: Collection[Change]
    ) -> tuple[Change, ...]:
        """Those of `changes` that are approved; what was approved and is otherwise now is said."""
        assert planned.grant is not None
        mine = {(each.side, each.key) for each in changes}
        now = {(each.side, each.key) for each in planned.granted}
        for approved in planned.grant.plan.pending:
            if (approved.side, approved.key) not in now:
                report.operations.append(_skipped(approved, "it changed since it was approved"))
        return tuple(each for each in planned.granted if (each.side, each.key) in mine)

    def _say_unseen(self, report: Report, plan: Plan) -> None:
        """Say what the target may have and does not show, unless an operation says it already."""
        report.unseen = max(0, plan.uncertain - report.counts["uncertain"])
        if report.unseen:
            objects = "1 object is" if report.unseen == 1 else f"{report.unseen} objects are"
            report.error = (
                f"{objects} not shown yet by {self._spec.target}; the next run looks again"
            )

    def _ensure_account(self) -> None:
        self._owners.refresh()
        ensure_known(self._spec.name, self._target, self._ledger, self._owners)

    def _say_account(self, journal: Journal) -> None:
        if not self._owners.is_said:
            with journal.writing() as connection:
                self._owners.say(connection)

    def _settle(self, journal: Journal, report: Report) -> list[Operation]:
        pending = journal.open_on_both_sides()
        if not pending:
            return []
        self._watch.stage("settle")
        remaining: list[Operation] = []
        for made, system, side in (
            (SourceSettler, self._source, Side.SOURCE),
            (Settler, self._target, Side.TARGET),
        ):
            settler = made(
                system,
                self._ledger,
                self._owners,
                journal.of_side(side),
                self._store.now,
                self._watch.stop,
            )
            remaining += settler.settle()
            self._queue.candidates |= settler.candidates
        report.settled += len(pending) - len(remaining)
        return remaining

    def _still_as_planned(
        self, report: Report, only: Plan, changes: Collection[Change]
    ) -> tuple[Change, ...]:
        """The changes that are exactly those of the earlier plan; the others are reported."""
        now = {(each.side, each.key): each for each in changes}
        kept = []
        for approved in only.pending:
            change = now.get((approved.side, approved.key))
            if change is not None and change == _as_approved(approved, change):
                kept.append(change)
                continue
            said = "it changed since the plan was made; plan again"
            report.operations.append(_skipped(approved, said))
        return tuple(kept)

    def _remember(self, report: Report, journal: Journal, planned: Planned) -> None:
        """Links and baselines of what agrees without a write; links of what is gone go."""
        found = planned.found
        if not (found.agreements or found.forgotten or found.taken):
            return
        with (
            take_over(self._store, self._owners, found.taken, self._now) as taking,
            journal.writing() as connection,
        ):
            taking(connection)
            for id in found.forgotten:
                self._ledger.forget(connection, id)
            self._ledger.save_many(connection, found.agreements, report.run_id)


def _skipped(change: Change, why: str) -> Done:
    return Done(
        change.op,
        change.kind,
        change.ref,
        change.budget_ref,
        change.target_id,
        "skipped",
        why,
        change.side,
    )


def _as_approved(approved: Change, now: Change) -> Change:
    """The approved change, but for what may differ: its cause, and what older plans do not say."""
    return replace(approved, cause=now.cause, stated=approved.stated or now.stated)


def _in_sync(plan: Plan) -> bool:
    waits = plan.conflicts or plan.waits or plan.uncertain
    return not (plan.pending or plan.problems or waits)
