"""Queue: what a run of one sync leaves for people to decide, and what they decided for it.

The last plan of the run says what waits, the journal which writes have no known outcome. A run that
came to no plan, or takes back what an earlier one did, speaks only of those writes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from shlex import quote
from typing import Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from canonical.change import Conflict, Plan, Trip, title_of
from canonical.kind import Op
from canonical.side import Side
from canonical.waiting import Rule, Waiting
from sync.answers import waiting_of
from sync.decided import Take
from sync.meaning import Meaning
from sync.outcome import Done
from sync.send import draft_of
from sync.state.approvals import undecided
from sync.state.decisions import Decided, Remembered
from sync.state.journal import Operation
from sync.state.meanings import Meanings
from sync.state.store import Store, approvals
from sync.state.waits import Question, Waits

ANY_VALUE: Final = "VALUE"
ANY_ID: Final = "ID"
"""Ways out that stand for any value of the field, and for any object of the target."""

_WAYS: Final[Mapping[Rule, tuple[str, ...]]] = {
    Rule.CONFLICT: (Take.SOURCE, Take.TARGET, ANY_VALUE),
    Rule.DRIFT: (Take.SOURCE, Take.TARGET, ANY_VALUE),
    Rule.REMOVED: (Take.SOURCE, Take.TARGET),
}

_DONE_IN: Final[Mapping[Side, tuple[Take, ...]]] = {
    Side.SOURCE: (Take.TARGET, Take.VALUE),
    Side.TARGET: (Take.SOURCE, Take.VALUE),
}
"""By side, what is written there of a decision."""


class RunQueue:
    """What one run asks and was told; used by its engine, step by step."""

    def __init__(self, store: Store, sync: str) -> None:
        self._store, self._sync = store, sync
        self._waits, self._decided = Waits(store), Decided(store)
        self._plan: Plan | None = None
        self._stopped: tuple[Trip, ...] = ()
        self._now = Remembered(())
        self._held: set[int] = set()
        self.supposed: tuple[Meaning, ...] = ()
        """What planning is to take for said, though nobody said it yet."""
        self.candidates: dict[str, tuple[str, ...]] = {}
        """What each operation of unknown outcome may have made, by its id."""

    def begin(self) -> None:
        """A run begins: what an earlier one of this engine saw is over."""
        self._plan, self._now = None, Remembered(())
        self._held.clear()
        self.candidates.clear()

    def decisions(self) -> Remembered:
        """What holds for the plan that is made next."""
        self._held |= {number for number, held in self._now.answers.items() if held}
        self._now = self._decided.open(self._sync)
        self._now.meanings += self.supposed
        return self._now

    def refused(self, operations: Iterable[Done]) -> None:
        """What a system refused to do of what was decided is asked anew: else each run would try
        it again, and nobody could decide otherwise."""
        refused = [
            decision.number
            for each in operations
            if each.outcome == "rejected"
            for decision in self._now.of(each.kind, (each.budget_ref or "", each.ref)).values()
            if decision.take in _DONE_IN[each.side] and self._now.answers.get(decision.number)
        ]
        if refused:
            with self._store.write() as connection:
                self._decided.reopen(connection, refused)

    def saw(self, plan: Plan) -> None:
        """The plan that was made last. Guards stop a run at its first one: the look back after it
        is made without what was allowed."""
        if self._plan is None:
            self._stopped = plan.guards
        self._plan = plan

    def end(self, connection: Connection, run_id: str, open: Sequence[Operation]) -> int:
        """Leave in the queue what is open now, and close the decisions that are done or moot;
        within the transaction in which the run ends. Returns how many wait."""
        questions = [*map(self._uncertain, _by_object(open))]
        judged: Collection[Rule] = (Rule.UNCERTAIN,)
        if self._plan is not None:
            judged = tuple(Rule)
            questions += asked_by(self._plan)
            approvals = [*self._approvals(connection)]
            questions += _stopped(self._stopped, self._sync, approvals)
            questions += approvals
            self._decided.close(connection, self._over(self._plan))
            Meanings(self._store, self._sync).end_fulfilled(connection, self._now.meanings)
        return self._waits.record(connection, self._sync, run_id, questions, judged)

    def _over(self, plan: Plan) -> list[int]:
        """The decisions that answer no question any more. What the last plan did not ask was done
        by this run, or is asked no more; where not all could be read it may yet be asked."""
        whole = not (plan.problems or plan.guards or plan.uncertain or plan.conflicts)
        answers = self._now.answers
        return [
            each
            for each in self._now.numbers
            if not answers.get(each, not whole and each not in self._held)
        ]

    def _approvals(self, connection: Connection) -> Iterator[Question]:
        """The plans of the sync that wait for somebody to approve them."""
        waiting = undecided(self._store.now())
        query = select(approvals).where(approvals.c.sync == self._sync, waiting)
        for row in connection.execute(query):
            who = f"asked for by {row.asked_by}, until {row.until:%Y-%m-%d %H:%M} UTC"
            id = row.plan_id[:12]
            yield Question(
                waiting=Waiting(
                    rule=Rule.APPROVAL, reason=f"{row.reason} ({who})", ref=row.plan_id
                ),
                ways=(f"trueup approve {id}", f"trueup reject {id}"),
            )

    def _uncertain(self, operations: Sequence[Operation]) -> Question:
        """The writes of one object whose outcome nobody knows, as one question."""
        last = operations[-1]
        model = None if last.op in (Op.RETIRE, Op.DELETE) else draft_of(last)[0].model
        amount = model.amount if model is not None else None
        candidates = tuple(id for each in operations for id in self.candidates.get(each.id, ()))
        if last.op is Op.CREATE:
            ways = (*(candidates or (ANY_ID,)), Take.NOT_APPLIED)
        else:
            ways = (Take.APPLIED, Take.NOT_APPLIED)
        return Question(
            waiting=Waiting(
                rule=Rule.UNCERTAIN,
                reason=_said(last),
                kind=last.kind,
                ref=last.ref,
                budget_ref=last.budget_ref or None,
                name=title_of(model) if model is not None else "",
                money=str(amount) if amount is not None else None,
                candidates=candidates,
                side=last.side,
            ),
            ways=ways,
        )


def asked_by(plan: Plan) -> Iterator[Question]:
    """What a plan leaves to people, but for its guards and writes of unknown outcome."""
    for waiting in plan.waits:
        ways = [each for each in _WAYS.get(waiting.rule, ()) if each not in waiting.barred]
        yield Question(waiting=waiting, ways=tuple(ways))
    for conflict in plan.conflicts:
        yield Question(waiting=waiting_of(conflict), ways=_ways_of(conflict, plan.sync))


def _ways_of(conflict: Conflict, sync: str) -> tuple[str, ...]:
    if conflict.owner is not None:
        ref = conflict.budget_ref or conflict.ref
        return (f"trueup handover {quote(sync)} --from {quote(conflict.owner)} {quote(ref)}",)
    ids = conflict.candidates if Take.ID in conflict.ways else ()
    commands = [each for each in conflict.ways if each.startswith("trueup ")]
    return (*ids, Take.NONE, *commands) if conflict.ways else ()


def _stopped(trips: Sequence[Trip], sync: str, approvals: Sequence[Question]) -> Iterator[Question]:
    """The limit stands where a source's value does, what was found where the target's does.

    Each is let through by the command that lets all of them through, as one alone would not do; or
    by the approval of the plan that met them, where one is asked for.
    """
    allowed = dict.fromkeys(trip.allow or trip.rule for trip in trips)
    options = "".join(f" --allow {quote(each)}" for each in allowed)
    approving = [each.ways[0] for each in approvals]
    for trip in trips:
        yield Question(
            waiting=Waiting(
                rule=Rule.GUARD,
                reason=f"{trip.message}; to allow it: {trip.override}",
                field=trip.rule,
                source=trip.limit,
                target=trip.actual,
            ),
            ways=(*approving, f"trueup run {quote(sync)}{options}"),
        )


def _by_object(open: Sequence[Operation]) -> list[list[Operation]]:
    found: dict[tuple[str, str, str, str], list[Operation]] = {}
    for each in open:
        found.setdefault((each.side, each.kind, each.budget_ref, each.ref), []).append(each)
    return [*found.values()]


def _said(operation: Operation) -> str:
    sent = f" sent {operation.sent_at:%Y-%m-%d %H:%M} UTC" if operation.sent_at else ""
    error = f": {operation.error}" if operation.error else ""
    where = " in the source" if operation.side is Side.SOURCE else ""
    return f"the {operation.op}{where}{sent} may or may not have happened{error}"
