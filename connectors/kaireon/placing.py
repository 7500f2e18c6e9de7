"""Where rows go: the title that a write gives them, and what stands there already.

Rows have no owner but their title, so nothing is written under one that is somebody else's.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date

from canonical.budget import Budget
from canonical.identity import is_temporary
from canonical.kind import Kind
from connectors.contract.errors import Malformed, Missing, Rejected
from connectors.contract.records import Draft
from connectors.kaireon.fitting import Model
from connectors.kaireon.mapping import wanted
from connectors.kaireon.names import Names
from connectors.kaireon.rows import Rows
from connectors.kaireon.series import Series, Title, placed
from connectors.kaireon.wire import CADENCE, GLOBAL, KaireonRow


class Placing:
    """Titles within the system `name`; `today` is the day that a write is for."""

    def __init__(self, name: str, names: Names, today: Callable[[], date]) -> None:
        self._name, self._names, self._today = name, names, today

    def title(self, draft: Draft, rows: Rows) -> Title:
        """What a new object is to be called; raises `Missing` where its budget is not there."""
        if isinstance(draft.model, Budget):
            return self._names.title(draft.model)
        above = rows.title_of(draft.container)
        if above is None or above.scope != GLOBAL:
            raise Missing(f"{self._name} has no budget {draft.container!r} of scope {GLOBAL}")
        return self._names.title(draft.model, above.name)

    def title_after(
        self, series: Series, draft: Draft, fields: Collection[str], rows: Rows
    ) -> Title:
        """What an update leaves; an allocation is brought back below its budget."""
        before = series.title
        if isinstance(draft.model, Budget):
            after = self._names.title(draft.model)
            scoped = after if "dimensions" in fields else before
            return Title(after.name if "name" in fields else before.name, *scoped[1:])
        title = self.title(draft, rows) if draft.container else before
        if "entity" not in fields:
            return Title(title.name, *before[1:])
        return self._names.title(draft.model, title.name)

    def _there(self, title: Title, rows: Rows) -> Sequence[KaireonRow]:
        """The rows of that title; nothing is made beside one that cannot be read."""
        try:
            return rows.titled(title)
        except Malformed as error:
            raise Rejected(f"it may be there already: {error.message}") from error

    def half(self, title: Title, rows: Rows) -> Series | None:
        """What of that title is there already."""
        try:
            return placed(there) if (there := self._there(title, rows)) else None
        except Malformed as error:
            raise Rejected(error.message) from error

    def make_sure(self, kind: Kind, title: Title, rows: Rows) -> None:
        """Rows of a scope, made below a global row of their name, would be its allocation."""
        if rows.kind_of(title) is not kind:
            raise self._names.taken(Title(title.name, GLOBAL, None))

    def joined(self, series: Series, title: Title, model: Model, rows: Rows) -> Series:
        """`series` with the rows that have the `title` already: those of a rename that broke off,
        or that stayed what they were when somebody gave the oldest another name or type."""
        ours = {row.id for _, row in series.rows}
        others = [row for row in self._there(title, rows) if row.id not in ours]
        if title == series.title:
            others = [row for row in others if CADENCE.get(row.period_type) is model.cadence]
        if not others:
            return series
        if not self._continue(series, others, title, model):
            raise self._names.taken(title)
        return placed([*(row for _, row in series.rows), *others])

    def parts(
        self, series: Series, model: Model, container: str | None, rows: Rows
    ) -> frozenset[str]:
        """The ids of the objects that `joined` would take in as `series` becomes `model`."""
        title = self._names.title(model)
        if not isinstance(model, Budget) and (above := rows.title_of(container)) is not None:
            title = self._names.title(model, above.name)
        ours = {row.id for _, row in series.rows}
        others = [row for row in self._there(title, rows) if row.id not in ours]
        if not others or not self._continue(series, others, title, model):
            return frozenset()
        return rows.ids_of(title)

    def _continue(
        self, series: Series, others: Sequence[KaireonRow], title: Title, model: Model
    ) -> bool:
        """Whether those rows go on where `series` ends: no period is in both, and all are wanted.

        Those of a temporary name are its own, whatever is wanted by now.
        """
        theirs = placed(others).periods
        if theirs & series.periods:
            return False
        due = set(wanted(model, self._today(), series))
        return is_temporary(title.name) or theirs <= due
