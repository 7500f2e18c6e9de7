"""Planning: from what is observed on both sides to a plan that guards have judged."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from canonical.change import Change, Plan, Trip
from canonical.kind import Kind
from canonical.side import Side
from connectors.contract.records import Known, Observed
from sync.allowed import ceilings, in_force, switched_off
from sync.approving import Grant
from sync.binding import binding
from sync.context import Context
from sync.decide import covers_all
from sync.findings import Findings
from sync.finish import unfinished
from sync.grace import Newborn
from sync.guard import Guard, Sides
from sync.match import Key
from sync.neighbours import Neighbours
from sync.observe import Agreed, Observation, observe
from sync.ownership import Ownership
from sync.plan import Planner
from sync.settle import waiting
from sync.source_side import SourceSide, source_side
from sync.spec import OnRemove
from sync.state.journal import Journal, Operation
from sync.state.undos import undos_of
from sync.undo.plan import Undo, UndoPlanner


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what it was made from; only the engine that made it can apply it.

    `granted` are the changes of it that the approval in `grant` allows, as they were approved.
    """

    plan: Plan
    found: Findings
    versions: Mapping[str, str]
    strangers: Mapping[Kind, Mapping[str, Observed]]
    read_at: datetime
    grant: Grant | None = None
    granted: tuple[Change, ...] = ()


class Planning:
    """Makes the plans of one sync."""

    def __init__(self, context: Context) -> None:
        self._spec, self._store = context.spec, context.store
        self._source, self._target = context.source, context.target
        self._ledger, self._owners, self._history = context.ledger, context.owners, context.history
        self._queue, self._approving = context.queue, context.approving
        self._watch, self._now = context.watch, context.now
        self._neighbours, self._selections = context.neighbours, context.selections
        self._takes_back = context.takes_back

    def plan(
        self,
        as_of: date,
        allow: Collection[str],
        journal: Journal,
        uncertain: list[Operation],
        only: Plan | None = None,
        undo: Undo | None = None,
        grant: Grant | None = None,
        made: int = 0,
    ) -> Planned:
        """`made` are the objects that earlier waves of a migration made: they are no reason to
        think that those of the next ones double what there was."""
        read_at = self._now()
        observation = self.observe(self._known() if undo is None else None)
        left_alone = waiting(uncertain) | self.unseen(observation, journal)
        earlier = (only, grant.plan if grant is not None else None)
        allowed = {*allow, *(rule for plan in earlier if plan for rule in plan.allowed)}
        gone = "unseen" in allowed
        if undo is None:
            side = self.source_side(journal, uncertain)
            found = self.planner(observation, as_of, left_alone, side, unseen_is_gone=gone).plan()
        else:
            found = self._undoing(undo, observation, as_of, left_alone, journal, gone)
        sides = replace(self._sides(found, observation), made=made)
        plan = Plan(
            plan_id=uuid4().hex,
            sync=self._spec.name,
            source=self._spec.source,
            target=self._spec.target,
            as_of=as_of,
            changes=(*found.returns, *found.changes),
            conflicts=tuple(found.conflicts),
            handovers=tuple(found.handovers),
            guards=self._judged(found, observation, sides, allow, journal, only),
            problems=tuple(found.problems),
            lossy=found.lossy,
            unchanged=found.unchanged,
            kept=found.kept,
            kept_objects=tuple(found.kept_objects),
            strangers=tuple(found.strangers),
            stranger_count=found.stranger_count,
            waits=tuple(found.waits),
            renames=tuple(found.renames),
            selected=found.selected,
            rates=found.rates,
            adopted=found.adopted,
            uncertain=found.waiting,
            allowed=tuple(sorted(in_force(allow))),
            bound_to=binding(self._spec, self._source, self._target),
            accepted=self._spec.accept,
        )
        if undo is None:
            meant = plan.pending if only is None else only.pending
            plan = replace(plan, approval=self._approving.needed(found, meant))
        versions = observation.vouched
        planned = Planned(plan, found, versions, observation.strangers, read_at)

        def guard(seen: Collection[str]) -> tuple[Trip, ...]:
            judged = Guard(self._spec.name, self._spec.limits, in_force(seen, allow))
            objects, back = _objects(found.changes), _objects(found.returns)
            return judged.judge(found, observation, sides, objects, back)

        if grant is not None:
            planned = self._judge_grant(planned, grant, guard)
        if undo is None:
            self._queue.saw(planned.plan)
        return planned

    def granted(self) -> Grant | None:
        return self._approving.granted(binding(self._spec, self._source, self._target))

    def _judge_grant(
        self, planned: Planned, grant: Grant, guard: Callable[[Collection[str]], tuple[Trip, ...]]
    ) -> Planned:
        """The plan under an approval; without it where none of it is as it was approved, or where
        something stands in the way that the approver did not see."""
        kept = self._approving.kept(grant, planned.plan)
        if not kept and (grant.plan.pending or not grant.beyond):
            return planned
        if self._approving.needed(planned.found, (), grant) is not None:
            return planned
        if not all(grant.saw(each, planned.found) for each in guard(grant.plan.allowed)):
            return planned
        plan = replace(planned.plan, guards=(), approval=None)
        return replace(planned, plan=plan, grant=grant, granted=kept)

    def _judged(
        self,
        found: Findings,
        observation: Observation,
        sides: Sides,
        allow: Collection[str],
        journal: Journal,
        only: Plan | None,
    ) -> tuple[Trip, ...]:
        """The guards that stop the run. What a saved plan shows was judged when it was made: its
        own guards stop it still, and a limit that is given now counts for it too."""
        given = ceilings(allow)
        if only is not None:
            allow = in_force(only.allowed, allow)
        guard = Guard(self._spec.name, self._spec.limits, allow)
        if only is not None:
            objects, back = _objects(found.changes), _objects(found.returns)
            off, other = switched_off(allow), ceilings(allow)
            kept = tuple(t for t in only.guards if t.rule not in off | other)
            if again := ({t.rule for t in only.guards} & other) | given:
                kept += tuple(t for t in guard.judge(found, observation, sides) if t.rule in again)
            left = guard.judge(found, observation, sides, objects, back)
            return tuple(dict.fromkeys((*kept, *left)))
        trips = guard.judge(found, observation, sides)
        if trips:
            rest = unfinished(journal, found.changes)
            rest_back = unfinished(journal.of_side(Side.SOURCE), found.returns)
            trips = guard.judge(found, observation, sides, rest, rest_back)
        return trips

    def _sides(self, found: Findings, observation: Observation) -> Sides:
        """What left the selection counts as not shown by the source, unless it is kept in place."""
        linked, seen = self._ledger.count(), found.source_seen
        if self._spec.select is not None:
            keeps = self._spec.on_remove is OnRemove.KEEP
            seen = seen + found.left if keeps else min(seen, max(0, linked - found.left))
        return Sides(
            linked=linked,
            linked_shown=observation.shown(),
            source_seen=seen,
            adopted=found.adopted,
            left=found.left,
        )

    # -- what is read ------------------------------------------------------------------------

    def observe(self, known: Known | None) -> Observation:
        self._watch.stage("observe")
        self._owners.refresh()
        return observe(self._target, self._ledger, self._owners, known)

    def unseen(self, observation: Observation, journal: Journal) -> frozenset[tuple[Kind, Key]]:
        """What was just made and is not shown yet; it is waited for."""
        newborn = Newborn(self._target, self._ledger, journal)
        return newborn.unseen(observation, self._store.now, self._watch.stop)

    def source_side(self, journal: Journal, open: Sequence[Operation]) -> SourceSide | None:
        """What a plan is to know that also changes the source; None where it does not."""
        if not self._takes_back:
            return None
        return source_side(self._source, self._ledger, journal, self._store.now(), open)

    def _known(self) -> Known | None:
        """What need not be read in detail; nothing when a full pass is due."""
        every = self._spec.full_pass_every
        if isinstance(every, timedelta):
            ages = not covers_all(self._target.capabilities)
            return Agreed(self._ledger, self._now() - every if ages else None)
        full = self._history.count(self._spec.name) % every == 0
        return None if full else Agreed(self._ledger)

    def planner(
        self,
        observation: Observation,
        as_of: date,
        left_alone: frozenset[Any],
        side: SourceSide | None,
        *,
        thorough: bool = False,
        unseen_is_gone: bool = False,
    ) -> Planner:
        self._watch.stage("plan")
        neighbours = Neighbours(self._owners, self._neighbours, self._selections)
        identity = self._target.capabilities.identity
        ownership = Ownership(self._spec.name, self._owners, neighbours, observation, identity)
        return Planner(
            self._spec,
            self._source,
            self._target,
            self._ledger,
            observation,
            ownership,
            as_of,
            left_alone,
            thorough=thorough,
            unseen_is_gone=unseen_is_gone,
            side=side,
            decisions=self._queue.decisions(),
        )

    def _undoing(
        self,
        undo: Undo,
        observation: Observation,
        as_of: date,
        left_alone: frozenset[Any],
        journal: Journal,
        unseen_is_gone: bool,
    ) -> Findings:
        self._watch.stage("plan")
        earlier = undos_of(self._store, self._spec.name, undo.run)
        broke_off = self._history.broke_off(earlier)
        return UndoPlanner(
            replace(undo, earlier=earlier, broke_off=broke_off),
            self._target,
            self._ledger,
            self._owners,
            journal,
            observation,
            as_of,
            left_alone,
            source=self._source,
            unseen_is_gone=unseen_is_gone,
        ).plan()


def _objects(changes: Collection[Change]) -> set[tuple[Kind, Key]]:
    return {(each.kind, (each.budget_ref or "", each.ref)) for each in changes}
