"""Meanings: the words of `sync.meaning`, kept among the decisions of a sync.

A word holds until what it says is so, or somebody says otherwise: no run that asks nothing of it
ends it.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlalchemy.engine import Connection, RowMapping

from canonical.kind import Kind
from canonical.waiting import Rule
from sync.decided import Take
from sync.match import Key
from sync.meaning import Meaning, Word
from sync.state.store import Store, decisions, links

_TAKES: Final = {Word.LINK: Take.ID, Word.APART: Take.NONE, Word.ANEW: Take.NONE}


def meaning_of(row: RowMapping) -> Meaning | None:
    """What a row of the decisions says so; None for what was decided of a question."""
    word = row["said"].get("meant")
    if word is None:
        return None
    return Meaning(
        number=row["number"],
        word=Word(word),
        kind=Kind(row["kind"]),
        key=(row["budget_ref"], row["ref"]),
        id=row["said"]["value"],
    )


class Meanings:
    """What was said in one sync."""

    def __init__(self, store: Store, sync: str) -> None:
        self._store, self._sync = store, sync

    def all(self) -> list[Meaning]:
        """Those that hold, in the order in which they were said."""
        query = select(decisions).where(
            decisions.c.sync == self._sync, decisions.c.ended_at.is_(None)
        )
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(decisions.c.number)).mappings()
            return [each for each in map(meaning_of, rows) if each is not None]

    def of(self, kind: Kind, key: Key) -> list[Meaning]:
        """As `all`, of one ref."""
        return [each for each in self.all() if (each.kind, each.key) == (kind, key)]

    def say(self, connection: Connection, meanings: Sequence[Meaning]) -> None:
        """Remember them, within the caller's transaction."""
        if meanings:
            connection.execute(insert(decisions), [self._row(each) for each in meanings])

    def unsay(self, connection: Connection, meanings: Collection[Meaning]) -> None:
        """Those hold no more; within the caller's transaction."""
        if meanings:
            query = update(decisions).where(decisions.c.number == bindparam("its"))
            connection.execute(
                query.values(ended_at=self._store.now()),
                [{"its": each.number} for each in meanings],
            )

    def end_fulfilled(self, connection: Connection, meanings: Collection[Meaning]) -> None:
        """Where the object is linked to its ref, no word is needed; within the transaction."""
        if not meanings:
            return
        at = links.c
        named = tuple_(at.kind, at.budget_ref, at.ref, at.target_id)
        said = [(each.kind.value, *each.key, each.id) for each in meanings]
        query = select(at.kind, at.budget_ref, at.ref, at.target_id)
        rows = connection.execute(query.where(at.sync == self._sync, named.in_(said)))
        there = {tuple(row) for row in rows}
        self.unsay(connection, [e for e, name in zip(meanings, said, strict=True) if name in there])

    def _row(self, meaning: Meaning) -> dict[str, Any]:
        budget_ref, ref = meaning.key
        said = {"meant": meaning.word.value, "value": meaning.id, "source": None, "target": None}
        return {
            "sync": self._sync,
            "rule": str(Rule.MATCH),
            "kind": meaning.kind.value,
            "budget_ref": budget_ref,
            "ref": ref,
            "field": "",
            "take": _TAKES[meaning.word].value,
            "said": said,
            "at": self._store.now(),
            "by": self._store.author.called,
        }
