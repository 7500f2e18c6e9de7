"""Returning: what sends, and what settles, on the source's side of a sync.

There the refs of budgets are their ids, nothing is stamped, and what is remembered is
`sync.returned`. The ids of other syncs are the target's: none of them is looked for.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from canonical.change import Change
from canonical.kind import Kind, Op
from canonical.side import Side
from connectors.contract.records import Draft, Observed
from sync.apply import Applier
from sync.intake.select import key_of
from sync.match import Key
from sync.returned import Returned, remember_returned, returned_data
from sync.send import Statement
from sync.settle import Settler
from sync.state.journal import Operation


class SourceApplier(Applier):
    """Sends changes to the source; `returned` is what goes with each."""

    side = Side.SOURCE

    def __init__(
        self, *args: Any, returned: Mapping[tuple[Kind, Key], Returned], **named: Any
    ) -> None:
        super().__init__(*args, **named)
        self._returned = returned

    def _data(
        self, change: Change, draft: Draft, stated: Mapping[tuple[Kind, Key], Statement]
    ) -> dict[str, Any]:
        key = change.budget_ref or "", change.ref
        return returned_data(draft, self._returned[change.kind, key])

    def _stamp_of(self, change: Change) -> str | None:
        return None

    def _id_of(self, ref: str) -> str | None:
        return None if ref in self._to_be_made else ref

    @cached_property
    def _to_be_made(self) -> frozenset[str]:
        """The refs by which budgets of this run are planned; they get others where the source gives
        its own."""
        made = (each.change for each in self._steps.values())
        return frozenset(
            each.ref for each in made if each.op is Op.CREATE and each.kind is Kind.BUDGET
        )

    def _remember(
        self, connection: Connection, operation: Operation, echo: Observed | None
    ) -> None:
        remember_returned(self._ledger, connection, operation, echo)


class SourceSettler(Settler):
    """Settles what was sent to the source."""

    def _linked(self, kind: Kind, items: Sequence[Observed]) -> Collection[str]:
        links = self._ledger.by_refs(kind, [key_of(item) for item in items])
        return {item.id for item in items if key_of(item) in links}

    def _owner(self, kind: Kind, items: Sequence[Observed]) -> str | None:
        return None

    def _remember(
        self, connection: Connection, operation: Operation, echo: Observed | None, whole: bool
    ) -> None:
        remember_returned(self._ledger, connection, operation, echo, whole=whole)
