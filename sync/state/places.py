"""Places: where the target last showed each object, asked of the ledger singly or all at once."""

import json
from collections.abc import ItemsView, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Select, select

from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS
from canonical.kind import Kind
from sync.state.store import Store, baselines, links

ABOVE: Final = {
    Kind.BUDGET: BUDGET_FIELDS.index("parent"),
    Kind.ALLOCATION: ALLOCATION_FIELDS.index("budget"),
}
"""Which of an object's facts names the budget above it."""
_KINDS = {kind.value: kind for kind in Kind}


class Places(Mapping[str, str]):
    """Target id → that of the budget above it, of what one sync links.

    One id costs one small query, and `items` one that reads all baselines.
    """

    def __init__(self, store: Store, sync: str) -> None:
        self._store = store
        self._said = (
            select(links.c.kind, links.c.target_id, baselines.c.echo)
            .join(baselines, baselines.c.link_id == links.c.id)
            .where(links.c.sync == sync)
        )

    def __getitem__(self, id: str) -> str:
        query = self._said.where(links.c.kind.in_(list(_KINDS)), links.c.target_id == id)
        return self._read(query)[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read(self._said))

    def __len__(self) -> int:
        return len(self._read(self._said))

    def items(self) -> ItemsView[str, str]:
        """All of them, in one reading."""
        return self._read(self._said).items()

    def _read(self, query: Select[Any]) -> dict[str, str]:
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        said = ((id, json.loads(echo)[ABOVE[_KINDS[kind]]]) for kind, id, echo in rows)
        return {id: above for id, above in said if isinstance(above, str)}
