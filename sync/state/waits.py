"""Waits: the queue of what people are to decide, as the last run of each sync left it.

A wait keeps its beginning for as long as it stays open by one rule, for one object and field, and
its number for as long as it asks of the same values: nobody decides by it about others. One that is
over is closed and stays in the table, so no number comes twice.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection

from canonical.facts import Fact, lists, tuples
from canonical.kind import Kind
from canonical.side import Side
from canonical.waiting import Rule, Waiting
from sync.state.approvals import undecided
from sync.state.store import Store, approvals, decisions, waits

_BATCH: Final = 1000
_OPEN: Final = waits.c.ended_at.is_(None)
_ASKED: Final = ("source", "target", "beside")
"""Where these are others, it is another question."""

Name = tuple[str, str, str, str, str, str]
"""What tells a question from others of its sync: rule, kind, budget ref, ref, field, side."""


class Undecidable(Exception):
    """What cannot be decided, or not so; the message says why, and what would be right."""


class DecidedAlready(Undecidable):
    """Somebody decided it, of which who decides now has not seen anything."""

    def __init__(self, number: int) -> None:
        super().__init__(f"{number} was decided by somebody in the meantime")
        self.number = number


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What waits, with the ways out: words that a decision takes, or whole commands."""

    waiting: Waiting
    ways: tuple[str, ...] = ()

    @property
    def name(self) -> Name:
        """The same while it is the same question."""
        said = self.waiting
        above, field = said.budget_ref or "", said.field or ""
        return said.rule, said.kind or "", above, said.ref, field, said.side


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was decided of a wait, and waits for the next run."""

    number: int
    take: str
    value: Fact
    at: datetime
    by: str
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One question of the queue; `run_id` is the run that asked it first."""

    number: int
    sync: str
    since: datetime
    run_id: str
    question: Question
    answer: Answer | None = None

    @property
    def waiting(self) -> Waiting:
        """What waits."""
        return self.question.waiting


@dataclass(frozen=True, slots=True)
class Queue:
    """The first of the waits, and how many there are."""

    waits: tuple[Wait, ...]
    count: int


class Waits:
    """The queue of all syncs of a state."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- what a run leaves open --------------------------------------------------------------

    def record(
        self,
        connection: Connection,
        sync: str,
        run_id: str,
        questions: Iterable[Question],
        judged: Collection[Rule],
    ) -> int:
        """Make the queue of a sync what a run found of the rules that it `judged`; within the
        caller's transaction. Returns how many wait now for somebody to decide."""
        query = select(waits).where(waits.c.sync == sync, _OPEN)
        there = {_name(row): row for row in connection.execute(query)}
        asked: dict[Name, Question] = {}
        for each in questions:
            asked.setdefault(each.name, each)
        rows = {name: self._row(each) for name, each in asked.items()}
        moved = {name for name in rows if name in there and _is_other(rows[name], there[name])}
        now = self._store.now()
        new = [
            row
            | {"sync": sync, "since": there[name].since if name in there else now, "run_id": run_id}
            for name, row in rows.items()
            if name not in there or name in moved
        ]
        if new:
            connection.execute(insert(waits), new)
        still = [(there[name], rows[name]) for name in rows if name in there and name not in moved]
        self._renew(connection, still)
        over = [
            row.number
            for name, row in there.items()
            if name in moved or (name not in asked and name[0] in judged)
        ]
        self.close(connection, over)
        return self._counts(connection, [sync]).get(sync, 0)

    def _renew(
        self, connection: Connection, pairs: Iterable[tuple[Row[Any], dict[str, Any]]]
    ) -> None:
        """What is asked still, in the words of now."""
        changed = [
            {"its": there.number, "said": row["said"]}
            for there, row in pairs
            if row["said"] != there.said
        ]
        if changed:
            query = update(waits).where(waits.c.number == bindparam("its"))
            connection.execute(query.values(said=bindparam("said")), changed)

    def close(self, connection: Connection, numbers: Sequence[int]) -> None:
        """What waits no more; within the caller's transaction."""
        if numbers:
            query = update(waits).where(waits.c.number == bindparam("its"), _OPEN)
            connection.execute(
                query.values(ended_at=self._store.now()), [{"its": each} for each in numbers]
            )

    def _row(self, question: Question) -> dict[str, Any]:
        rule, kind, budget_ref, ref, field, side = question.name
        said = question.waiting
        return {
            "rule": str(rule),
            "kind": str(kind),
            "budget_ref": budget_ref,
            "ref": ref,
            "field": field,
            "side": str(side),
            "said": self._store.masked(
                {
                    "name": said.name,
                    "reason": said.reason,
                    "source": lists(said.source),
                    "target": lists(said.target),
                    "agreed": lists(said.agreed),
                    "money": said.money,
                    "candidates": [*said.candidates],
                    "beside": lists(said.beside),
                    "ways": [*question.ways],
                }
            ),
        }

    # -- what is read ------------------------------------------------------------------------

    def queue(self, syncs: Collection[str] | None = None, limit: int | None = None) -> Queue:
        """What waits in those syncs, or in all, by sync and number: the first `limit` of it, and
        how many there are in all."""
        query = _QUERY.where(self._listed()).order_by(waits.c.sync, waits.c.number).limit(limit)
        if syncs is not None:
            query = query.where(waits.c.sync.in_(syncs))
        with self._store.read() as connection:
            rows = connection.execute(query).all()
            found = tuple(_wait(row) for row in rows)
        return Queue(found, rows[0].all if rows else 0)

    def get(self, numbers: Collection[int]) -> dict[int, Wait]:
        """Those of these numbers that are open."""
        wanted, found = sorted({*numbers}), dict[int, Wait]()
        with self._store.read() as connection:
            for start in range(0, len(wanted), _BATCH):
                some = waits.c.number.in_(wanted[start : start + _BATCH])
                rows = connection.execute(_QUERY.where(self._listed(), some)).all()
                found.update((row.number, _wait(row)) for row in rows)
        return found

    def last(self, number: int) -> Wait | None:
        """The wait of that number with what was decided of it last, also where both are over."""
        query = select(waits, *_DECISION).select_from(
            waits.outerjoin(decisions, decisions.c.number == waits.c.decided)
        )
        with self._store.read() as connection:
            row = connection.execute(query.where(waits.c.number == number)).first()
            return None if row is None else _wait(row)

    def counts(self, syncs: Collection[str]) -> dict[str, int]:
        """How many wait in each sync for somebody to decide; those without any are absent."""
        with self._store.read() as connection:
            return self._counts(connection, syncs)

    def syncs(self) -> list[str]:
        """The syncs in which something waits, decided or not."""
        query = select(waits.c.sync).where(self._listed()).distinct().order_by(waits.c.sync)
        with self._store.read() as connection:
            return [*connection.execute(query).scalars()]

    def _listed(self) -> ColumnElement[bool]:
        """What waits: a plan whose time is over, or that was approved, rejected or overtaken, does
        so no more, before any run says so."""
        stands = (
            select(approvals.c.plan_id)
            .where(approvals.c.plan_id == waits.c.ref, undecided(self._store.now()))
            .exists()
        )
        return and_(_OPEN, or_(waits.c.rule != str(Rule.APPROVAL), stands))

    def _counts(self, connection: Connection, syncs: Collection[str]) -> dict[str, int]:
        query = (
            select(waits.c.sync, func.count())
            .where(waits.c.sync.in_(syncs), self._listed(), waits.c.decided.is_(None))
            .group_by(waits.c.sync)
        )
        return {sync: count for sync, count in connection.execute(query)}  # noqa: C416

    # -- what is decided ---------------------------------------------------------------------

    def ensure_as_shown(
        self, connection: Connection, shown: Sequence[Wait]
    ) -> dict[int, int | None]:
        """The decision about each that was made before; until the transaction ends nobody else
        makes one. Raises `Undecidable` where one is over, or asks of other values by now."""
        decided: dict[int, int | None] = {}
        for start in range(0, len(shown), _BATCH):
            some = [each.number for each in shown[start : start + _BATCH]]
            query = select(waits).where(waits.c.number.in_(some)).order_by(waits.c.number)
            now = {row.number: row for row in connection.execute(query.with_for_update())}
            for number in some:
                row = now.get(number)
                if row is None or row.ended_at is not None:
                    raise Undecidable(
                        f"{number} waits no more, or asks of other values by now; "
                        "`trueup waiting` lists what does"
                    )
                decided[number] = row.decided
        return decided

    def mark(self, connection: Connection, decided: Sequence[tuple[int, int]]) -> None:
        """Which decision is about which wait: (wait, decision)."""
        query = update(waits).where(waits.c.number == bindparam("its"))
        rows = [{"its": number, "by": decision} for number, decision in decided]
        connection.execute(query.values(decided=bindparam("by")), rows)

    def unmark(self, connection: Connection, decided: Collection[int]) -> None:
        """What was decided so is to be decided again."""
        query = update(waits).where(waits.c.decided.in_(decided), _OPEN)
        connection.execute(query.values(decided=None))


_DECISION: Final = (
    decisions.c.take,
    decisions.c.said.label("decision"),
    decisions.c.at,
    decisions.c.by,
    decisions.c.note,
)
_QUERY: Final[Select[Any]] = select(
    waits,
    *_DECISION,
    func.count().over().label("all"),
).select_from(
    waits.outerjoin(
        decisions,
        (decisions.c.number == waits.c.decided) & decisions.c.ended_at.is_(None),
    )
)


def _is_other(row: dict[str, Any], there: Row[Any]) -> bool:
    """Whether it asks of other values than it did: whoever read its number has not seen them. What
    is answered by a command has nothing that is decided between."""
    if row["rule"] in (Rule.GUARD, Rule.APPROVAL, Rule.UNCERTAIN):
        return False
    return any(row["said"][each] != there.said.get(each) for each in _ASKED)


def _name(row: Row[Any]) -> Name:
    return row.rule, row.kind, row.budget_ref, row.ref, row.field, row.side


def _wait(row: Row[Any]) -> Wait:
    said = row.said
    question = Question(
        waiting=Waiting(
            rule=Rule(row.rule),
            reason=said["reason"],
            kind=Kind(row.kind) if row.kind else None,
            ref=row.ref,
            budget_ref=row.budget_ref or None,
            name=said["name"],
            field=row.field or None,
            source=tuples(said["source"]),
            target=tuples(said["target"]),
            agreed=tuples(said["agreed"]),
            money=said["money"],
            candidates=tuple(said["candidates"]),
            beside=tuples(said.get("beside")),
            side=Side(row.side),
        ),
        ways=tuple(said["ways"]),
    )
    wait = Wait(
        number=row.number, sync=row.sync, since=row.since, run_id=row.run_id, question=question
    )
    if row.take is None:
        return wait
    value = tuples(row.decision["value"])
    return replace(
        wait,
        answer=Answer(
            number=row.decided, take=row.take, value=value, at=row.at, by=row.by, note=row.note
        ),
    )
