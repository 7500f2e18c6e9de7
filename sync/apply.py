"""Apply: send the changes of a plan, each journaled as it leaves, in an order that is safe
(`sync.order`).

A budget stays as long as the removal of one of its allocations did not end well.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event, Lock
from typing import Any, TypeAlias

from sqlalchemy import Connection

from canonical.budget import Budget
from canonical.change import Change
from canonical.errors import CanonicalError
from canonical.facts import Fact
from canonical.kind import Kind, Op
from canonical.side import Side
from connectors.contract.errors import (
    STOPS_CONNECTOR,
    ConnectorError,
    Malformed,
    RateLimited,
    Rejected,
    Stale,
    Transient,
    Uncertain,
)
from connectors.contract.interface import Connector
from connectors.contract.records import Draft, Observed
from connectors.contract.work import carried, working
from sync.depart import Departure
from sync.match import Key
from sync.naming import with_name
from sync.order import Step, moves, waves
from sync.outcome import Done
from sync.send import Statement, draft_data, remember, send, stored_otherwise
from sync.state.journal import Journal, Operation, State, new_operation_id
from sync.state.ledger import Ledger

log = logging.getLogger("trueup.sync")

_Batch: TypeAlias = Sequence[tuple[Step, Operation]]
_Key: TypeAlias = tuple[Kind, str, str]


@dataclass(frozen=True, slots=True)
class _Job:
    """An operation that is to be sent, and what it sends: as a draft, and as the journal has it."""

    step: Step
    operation: Operation
    draft: Draft | None
    data: dict[str, Any] | None


def _is_new_share(operation: Operation) -> bool:
    return operation.op is Op.CREATE and operation.kind is Kind.ALLOCATION


@dataclass(slots=True)
class _Progress:
    """How far the steps of one change came: the id of each operation, and what became of it."""

    change: Change
    ended: dict[str, tuple[str, str | None, str | None]] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        """Whether all that was tried is done."""
        return all(outcome == "applied" for outcome, _, _ in self.ended.values())

    def done(self) -> Done:
        """What became of the whole: the first step that did not end well speaks for it."""
        each = self.change
        last = [*self.ended.values()][-1]
        outcome, error, target_id = next(
            (e for e in self.ended.values() if e[0] != "applied"), last
        )
        return Done(
            each.op, each.kind, each.ref, each.budget_ref, target_id, outcome, error, each.side
        )


def _before(step: Step) -> dict[str, Fact]:
    """What the target held of what is written; of what is removed all that it held."""
    change, unshown = step.change, step.change.image or {}
    if change.op in (Op.RETIRE, Op.DELETE):
        return {**{name: before for name, (before, _) in change.fields.items()}, **unshown}
    held = {name: before for name, (before, _) in change.fields.items() if name in step.fields}
    return held | {name: said for name, said in unshown.items() if name in held}


def _removed_from(budget: str, done: Done) -> bool:
    return done.op in (Op.RETIRE, Op.DELETE) and done.budget_ref == budget


class Applier:
    """Sends changes to the target with `parallel` threads; once `stop` is set, only what is in hand
    is finished. What differs at the other side, `sync.returning.SourceApplier` says.

    `settle` finds out what became of writes whose answer was lost; it returns those it cannot tell.

    After a credential error, or when the vendor asks for more patience than there is, nothing
    more is sent: `halted` then says why.
    """

    side = Side.TARGET

    def __init__(
        self,
        target: Connector,
        ledger: Ledger,
        journal: Journal,
        *,
        run_id: str,
        stamp: bool,
        parallel: int,
        stop: Event,
        progress: Callable[[Done], None],
        settle: Callable[[], Sequence[Operation]],
        first: int = 0,
    ) -> None:
        """`first` is the number of its first operation within the run."""
        self._first = first
        self._target, self._ledger, self._journal = target, ledger, journal
        self._run_id, self._stamp = run_id, stamp
        self._parallel, self._stop, self._progress = parallel, stop, progress
        self._settle = settle
        self._lock = Lock()
        self._made: dict[str, str] = {}
        self._came: dict[_Key, _Progress] = {}
        self._places: dict[_Key, int] = {}
        self._sent_well: set[Step] = set()
        self._steps: dict[str, Step] = {}
        self.halted: ConnectorError | None = None
        self.done: list[Done] = []

    def apply(
        self, changes: Sequence[Change], stated: Mapping[tuple[Kind, Key], Statement]
    ) -> None:
        """Send all of them; what became of each is in `done`. Raises only what ends the run."""
        target = self._target
        groups = waves(
            changes, target.capabilities.unique, lambda model: target.fit(model, target.today())[0]
        )
        numbered = [step for group in groups for step in group]
        operations = [
            self._operation(seq, step, stated) for seq, step in enumerate(numbered, self._first)
        ]
        self._journal.plan(operations)
        by_step = dict(zip(numbered, operations, strict=True))
        self._steps = {each.id: step for step, each in by_step.items()}
        sending = carried(self._send)
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="apply") as pool:
            for group in groups:
                pairs = [(step, by_step[step]) for step in group]
                for job in [pool.submit(sending, batch) for batch in self._batches(pairs)]:
                    job.result()
                if self.halted is None and self._is_uncertain():
                    self._look_again()

    def _operation(
        self, seq: int, step: Step, stated: Mapping[tuple[Kind, Key], Statement]
    ) -> Operation:
        change = step.change
        key = change.budget_ref or "", change.ref
        draft = None
        if change.desired is not None:
            draft = self._data(change, self._draft(step, None), stated)
        id, idempotency_key = new_operation_id()
        return Operation(
            id=id,
            run_id=self._run_id,
            seq=seq,
            op=change.op,
            kind=change.kind,
            ref=change.ref,
            budget_ref=key[0],
            target_id=change.target_id,
            key=idempotency_key,
            fields=step.fields,
            before=_before(step),
            draft=draft,
            side=self.side,
        )

    def _data(
        self, change: Change, draft: Draft, stated: Mapping[tuple[Kind, Key], Statement]
    ) -> dict[str, Any]:
        """What the journal keeps of the draft."""
        return draft_data(draft, stated[change.kind, (change.budget_ref or "", change.ref)])

    def _draft(self, step: Step, container: str | None) -> Draft:
        change, model = step.change, step.change.desired
        assert model is not None
        if step.via is not None:
            model = with_name(model, step.via)
        return Draft(model=model, container=container, stamp=self._stamp_of(change))

    def _stamp_of(self, change: Change) -> str | None:
        has_room = change.kind in self._target.capabilities.stamps
        return change.ref if self._stamp and has_room else None

    def _is_uncertain(self) -> bool:
        ended = (each for came in self._came.values() for each in came.ended.values())
        return any(outcome == "uncertain" for outcome, _, _ in ended)

    def _look_again(self) -> None:
        """Settle what lost its answer before going on to what hangs on it, and correct `done`."""
        self._settle()
        for operation in self._journal.of_run(self._run_id):
            step = self._steps.get(operation.id)
            if step is None:
                continue
            came = self._came.get(step.change.key)
            if came is None or came.ended.get(operation.id, ("",))[0] != "uncertain":
                continue
            outcome = "deferred" if operation.state is State.LOST else operation.state.value
            came.ended[operation.id] = outcome, operation.error, operation.target_id
            if outcome == "applied":
                self._sent_well.add(step)
            if (place := self._places.get(step.change.key)) is not None:
                self.done[place] = came.done()

    # -- operations that go together ---------------------------------------------------------

    def _batches(self, group: _Batch) -> Iterator[_Batch]:
        """Each by itself, but new allocations of one budget together as the target takes them.

        One that was lost before goes alone: it may be what kept a batch from being answered.
        """
        size = self._target.capabilities.batch
        shares = [each for _, each in group if _is_new_share(each)] if size > 1 else []
        keys = [(each.budget_ref, each.ref) for each in shares]
        lost = self._journal.lost(Kind.ALLOCATION, keys)
        together: dict[str, list[tuple[Step, Operation]]] = defaultdict(list)
        for step, operation in group:
            alone = (operation.budget_ref, operation.ref) in lost
            if size > 1 and _is_new_share(operation) and not alone:
                together[operation.budget_ref].append((step, operation))
            else:
                yield [(step, operation)]
        for alike in together.values():
            for start in range(0, len(alike), size):
                yield alike[start : start + size]

    def _send(self, batch: _Batch) -> None:
        """Send the operations of a batch, all of one budget, and journal what became of each."""
        _, first = batch[0]
        with working(budget=first.budget_ref or first.ref):
            self._send_all(batch)

    def _send_all(self, batch: _Batch) -> None:
        jobs = [job for each in batch if (job := self._ready(*each)) is not None]
        departure = Departure(self._journal, [(job.operation, job.data) for job in jobs])
        with departure.open():
            echoes = self._echoes(jobs, departure)
        for job, echo in zip(jobs, echoes, strict=True):
            if isinstance(echo, ConnectorError):
                self._failed(job.step, job.operation, echo, departure)
            else:
                departure.record()  # it was so already: no call was needed
                operation = replace(job.operation, draft=job.data)
                self._applied(job.step, operation, echo, departure.request_ids)

    def _ready(self, step: Step, operation: Operation) -> _Job | None:
        """What is to be sent; None where that is nothing, which is journaled."""
        change = step.change
        if self._stop.is_set() or self.halted is not None:
            reason = str(self.halted) if self.halted else "the run was asked to stop"
            self._end(step, operation, State.DEFERRED, reason)
            return None
        if holder := self._held_by(step):
            self._end(step, operation, State.SKIPPED, f"{holder} still has the name")
            return None
        if part := self._still_within(change):
            self._end(step, operation, State.SKIPPED, f"its part {part} is still there")
            return None
        container, missing = self._container(change)
        if missing:
            self._end(step, operation, State.SKIPPED, f"{missing} is not there")
            return None
        draft = None if change.desired is None else self._draft(step, container)
        data = dict(operation.draft or {}, container=container) if draft else None
        if data is not None and not self._completes(step):
            data["part"] = True
        return _Job(step, operation, draft, data)

    def _completes(self, step: Step) -> bool:
        """Whether all of its change is done once this is."""
        with self._lock:
            came = self._came.get(step.change.key)
            return step.last and (came is None or came.is_well)

    def _held_by(self, step: Step) -> str | None:
        """Who was to give up the name that is taken, and did not."""
        if step.missing is not None:
            return step.missing
        with self._lock:
            waits = (each for each in step.waits_for if each not in self._sent_well)
            return next((each.change.ref for each in waits), None)

    def _echoes(
        self, jobs: Sequence[_Job], departure: Departure
    ) -> Sequence[Observed | ConnectorError | None]:
        try:
            if len(jobs) > 1:
                drafts = [job.draft for job in jobs if job.draft is not None]
                return self._target.create_many(drafts, [job.operation.key for job in jobs])
            return [send(self._target, job.operation, job.draft) for job in jobs]
        except ConnectorError as error:
            return [error] * len(jobs)
        except (ArithmeticError, CanonicalError) as error:  # of these objects, and of no other
            message = f"it cannot be reckoned with: {error}"
            failed = Uncertain(message) if departure.has_left else Rejected(message)
            return [failed] * len(jobs)

    def _still_within(self, change: Change) -> str | None:
        """An allocation whose removal did not end well: its budget is not taken from above it."""
        if change.kind is not Kind.BUDGET or change.op not in (Op.RETIRE, Op.DELETE):
            return None
        with self._lock:
            left = (each for each in self.done if each.outcome != "applied")
            return next((each.ref for each in left if _removed_from(change.ref, each)), None)

    def _container(self, change: Change) -> tuple[str | None, str | None]:
        """The target's id of what the object hangs on; or, as second, the ref that is missing."""
        if change.desired is None:
            return None, None
        above = (
            change.desired.parent if isinstance(change.desired, Budget) else change.desired.budget
        )
        if above is None:
            return None, None
        with self._lock:
            made = self._made.get(above)
        if made is None:
            made = self._id_of(above)
        needed = change.op is Op.CREATE or moves(change)
        return made, (f"budget {above}" if made is None and needed else None)

    def _id_of(self, ref: str) -> str | None:
        """The id of a budget that was there before; None where there is none of that ref."""
        link = self._ledger.by_refs(Kind.BUDGET, [("", ref)]).get(("", ref))
        return link.target_id if link else None

    def _applied(
        self, step: Step, operation: Operation, echo: Observed | None, request_ids: Sequence[str]
    ) -> None:
        change = step.change
        target_id = echo.id if echo else operation.target_id
        self._journal.applied(
            operation.id,
            target_id,
            lambda connection: self._remember(connection, operation, echo),
            request_ids,
        )
        if change.kind is Kind.BUDGET and echo is not None:
            with self._lock:
                self._made[change.ref] = echo.id
        error = None
        if echo is not None and change.desired is not None and step.last:
            error = stored_otherwise(self._target, change.kind, change.desired, echo)
        with self._lock:
            self._sent_well.add(step)
        self._finish(step, operation, target_id, "applied", error)

    def _remember(
        self, connection: Connection, operation: Operation, echo: Observed | None
    ) -> None:
        remember(self._target, self._ledger, connection, operation, echo)

    def _failed(
        self, step: Step, operation: Operation, error: ConnectorError, departure: Departure
    ) -> None:
        made = operation.op is Op.CREATE and isinstance(error, Malformed) and departure.has_left
        if made or isinstance(error, Uncertain):
            departure.record()
            state = State.UNCERTAIN  # what was made and cannot be read is there all the same
            if isinstance(error.__cause__, (RateLimited, *STOPS_CONNECTOR)):
                self.halted = error.__cause__
        elif isinstance(error, (Transient, Stale, *STOPS_CONNECTOR)):
            state = State.DEFERRED  # the next run looks again
            if isinstance(error, (RateLimited, *STOPS_CONNECTOR)):
                self.halted = error
        else:
            state = State.REJECTED
        self._end(step, operation, state, str(error), departure.request_ids)

    def _end(
        self,
        step: Step,
        operation: Operation,
        state: State,
        error: str,
        request_ids: Sequence[str] = (),
    ) -> None:
        self._journal.ended(operation.id, state, error, request_ids)
        self._finish(step, operation, operation.target_id, state.value, error)

    def _finish(
        self,
        step: Step,
        operation: Operation,
        target_id: str | None,
        outcome: str,
        error: str | None,
    ) -> None:
        """Take note of a step's end; with the last one that of its change is told."""
        key = step.change.key
        log.info("%s %s %s: %s", operation.op, operation.kind, operation.ref, outcome)
        with self._lock:
            came = self._came.setdefault(key, _Progress(step.change))
            came.ended[operation.id] = outcome, error, target_id
            if not step.last:
                return
            done = came.done()
            self._places[key] = len(self.done)
            self.done.append(done)
        self._progress(done)
