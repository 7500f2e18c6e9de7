"""Decisions: what people decided about what waits, remembered until it is done or moot.

Each is audited in the transaction in which it is made. Deciding again replaces what was decided
before; of two who decide at once the later one counts, and is told of the other.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection, RowMapping

from canonical.facts import Fact, lists, tuples
from canonical.kind import Kind
from canonical.waiting import Rule, Waiting
from sync.decided import Decision, Take
from sync.match import Key
from sync.meaning import Meaning, Word
from sync.state.audit import Audit
from sync.state.audited import decided
from sync.state.meanings import meaning_of
from sync.state.store import Store, decisions
from sync.state.waits import DecidedAlready, Wait, Waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What is decided of one wait: `value` is the fact of `Take.VALUE`, or the id of `Take.ID`."""

    wait: Wait
    take: Take
    value: Fact = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked(Decision):
    """A decision that notes whether it still held when planning asked."""

    answers: dict[int, bool] = field(compare=False, repr=False)

    def holds(self, waiting: Waiting) -> bool:
        """As any decision."""
        answer = Decision.holds(self, waiting)
        self.answers[self.number] = answer
        return answer


class Remembered:
    """The decisions of one sync as they were at one moment (`sync.decided.Decisions`).

    `answers` tells of each that planning asked about, whether it held. `numbers` are all, but for
    the `meanings`, which answer no question.
    """

    def __init__(self, found: Sequence[RowMapping]) -> None:
        self.answers: dict[int, bool] = {}
        self._of: dict[tuple[Kind, Key], dict[str | None, Decision]] = {}
        said = [(row, meaning_of(row)) for row in found]
        self.meanings: list[Meaning] = [meaning for _, meaning in said if meaning is not None]
        asked = [row for row, meaning in said if meaning is None]
        self.numbers = [row["number"] for row in asked]
        for row in asked:
            of = self._of.setdefault((Kind(row["kind"]), (row["budget_ref"], row["ref"])), {})
            of[row["field"] or None] = self._decision(row)

    def of(self, kind: Kind, key: Key) -> Mapping[str | None, Decision]:
        """Those about one object, by field; the latest of each."""
        return self._of.get((kind, key), {})

    def takers(self, id: str) -> list[tuple[Kind, Key]]:
        """What that object of the target was decided, or said, to be."""
        every = (each for of in self._of.values() for each in of.values())
        taking = [each for each in every if each.take is Take.ID and each.rule is Rule.MATCH]
        decided = [(each.kind, each.key) for each in taking if each.value == id]
        linked = [each for each in self.meanings if each.word is Word.LINK and each.id == id]
        return [*decided, *((each.kind, each.key) for each in linked)]

    def _decision(self, row: RowMapping) -> Decision:
        said = row["said"]
        return _Asked(
            number=row["number"],
            rule=Rule(row["rule"]),
            kind=Kind(row["kind"]),
            key=(row["budget_ref"], row["ref"]),
            field=row["field"] or None,
            take=Take(row["take"]),
            value=tuples(said["value"]),
            source=tuples(said["source"]),
            target=tuples(said["target"]),
            beside=tuples(said.get("beside")),
            answers=self.answers,
        )


class Decided:
    """What was decided in one state."""

    def __init__(self, store: Store) -> None:
        self._store, self._waits = store, Waits(store)

    def open(self, sync: str) -> Remembered:
        """What was decided in that sync and is not over."""
        query = select(decisions).where(decisions.c.sync == sync, decisions.c.ended_at.is_(None))
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(decisions.c.number)).mappings().all()
            return Remembered(rows)

    def decide(self, rulings: Sequence[Ruling], *, first: bool = False) -> None:
        """Remember them, all or, raising `Undecidable`, none. With `first` none replaces a decision
        that its wait was not read with: raises `DecidedAlready`."""
        with self._store.write() as connection:
            if first:
                self._ensure_first(connection, [each.wait for each in rulings])
            self.decide_within(connection, rulings)

    def decide_within(
        self, connection: Connection, rulings: Sequence[Ruling], *, done: bool = False
    ) -> None:
        """As `decide`, within the caller's transaction; to be called last in it. What is `done` at
        once waits for no run."""
        shown = [each.wait for each in rulings]
        before = self._waits.ensure_as_shown(connection, shown)
        self.close(connection, [number for number in before.values() if number is not None])
        now, by = self._store.now(), self._store.author.called
        rows = [
            self._row(each) | {"at": now, "by": by, "ended_at": now if done else None}
            for each in rulings
        ]
        inserted = insert(decisions).returning(decisions.c.number, sort_by_parameter_order=True)
        made = connection.execute(inserted, rows).scalars().all()
        numbers = [each.number for each in shown]
        self._waits.mark(connection, [*zip(numbers, made, strict=True)])
        if done:
            self._waits.close(connection, numbers)
        told = [
            decided(each, row, before[each.number]) for each, row in zip(shown, rows, strict=True)
        ]
        Audit(self._store).append(connection, *told)

    def _ensure_first(self, connection: Connection, shown: Sequence[Wait]) -> None:
        before = self._waits.ensure_as_shown(connection, shown)
        made = [number for number in before.values() if number is not None]
        open = decisions.c.number.in_(made), decisions.c.ended_at.is_(None)
        holding = {*connection.execute(select(decisions.c.number).where(*open)).scalars()}
        for each in shown:
            known = each.answer.number if each.answer is not None else None
            if before[each.number] in holding - {known}:
                raise DecidedAlready(each.number)

    def close(self, connection: Connection, numbers: Collection[int]) -> None:
        """What is done, or answers no question any more; within the caller's transaction."""
        if numbers:
            this = decisions.c.number == bindparam("its")
            query = update(decisions).where(this, decisions.c.ended_at.is_(None))
            connection.execute(
                query.values(ended_at=self._store.now()), [{"its": each} for each in numbers]
            )

    def reopen(self, connection: Connection, numbers: Collection[int]) -> None:
        """End these decisions although they were not done, so that what they were about waits for
        another one; within the caller's transaction."""
        self.close(connection, numbers)
        self._waits.unmark(connection, numbers)

    def _row(self, ruling: Ruling) -> dict[str, Any]:
        wait, said = ruling.wait, ruling.wait.waiting
        rule, kind, budget_ref, ref, name, _ = wait.question.name
        values = {"value": ruling.value, "source": said.source, "target": said.target}
        if said.beside is not None:
            values["beside"] = said.beside
        note = None if ruling.note is None else self._store.mask(ruling.note)
        return {
            "sync": wait.sync,
            "rule": str(rule),
            "kind": str(kind),
            "budget_ref": budget_ref,
            "ref": ref,
            "field": name,
            "take": ruling.take.value,
            "said": self._store.masked({key: lists(each) for key, each in values.items()}),
            "note": note,
        }
