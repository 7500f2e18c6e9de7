"""Answers by a layout: the budgets of one query, with the allocations of another where there is
one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from canonical.kind import Kind
from canonical.problem import Problem
from connectors.contract.errors import Unreadable
from connectors.contract.records import Observed
from connectors.layouts.grouping import Grouped
from connectors.layouts.headers import bind
from connectors.layouts.language import Layout
from connectors.layouts.language import Share as ShareColumns
from connectors.layouts.loading import LayoutError, layout_of, over, table_of
from connectors.layouts.questions import Finding
from connectors.layouts.reading import Reading, read_sheet
from connectors.layouts.stated import Stated, ensure_settled
from connectors.sql.answers import Answer
from connectors.sql.tables import sheet_of


def read_answer(answer: Answer, layout: Layout) -> Reading:
    """The answer as the layout says; raises `Unreadable` for columns that it lacks."""
    sheet = sheet_of(answer)
    bound = bind(layout, 0, 0, list(answer.names))
    bound.lettered = False
    if bound.missing:
        raise Unreadable(
            f"{answer.label} lacks {', '.join(_spelled(layout, name) for name in bound.missing)}",
            hint=f"Its columns are {', '.join(answer.names)}",
        )
    if not layout.is_long and not bound.periods:
        raise Unreadable(
            f"{answer.label}: no column names a period",
            hint='Say amount = "column" in the layout where a row holds one amount',
        )
    return ensure_settled(read_sheet(sheet, layout, bound), answer.label)


def laid_out(said: Layout | str, currency: str | None, base: Path) -> Layout:
    """The layout that the settings name, with their currency; raises `Unreadable`."""
    try:
        table = table_of(said, base) if isinstance(said, str) else None
        layout = said if isinstance(said, Layout) else layout_of(table or {})
        if currency is None:
            return layout
        return layout_of(over(layout.model_dump(exclude_unset=True), {"currency": currency}))
    except LayoutError as error:
        raise Unreadable(f"the layout: {error}") from None


def without_shares(layout: Layout) -> Layout:
    """The layout for a query of budgets beside one of allocations."""
    return layout.model_copy(update={"allocation": ShareColumns(type=layout.allocation.type)})


class ByTwoQueries(Stated):
    """Budgets as one query states them, and below them the shares that another states.

    A budget's amount is that of its own query, whatever its shares come to.
    """

    def __init__(self, system: str, label: str, budgets: Reading, shares: Reading) -> None:
        super().__init__(system, label, [budgets, shares])
        self._budgets, self._shares = budgets, shares
        self._alone = Stated(system, label, [budgets])

    def counts(self) -> tuple[int, int]:
        refs, _ = self._budgets.groups.counts(self._budgets.findings.aside)
        return len(refs), self._shares.groups.counts(self._shares.findings.aside)[1]

    def stream(self, kind: Kind, only: str | None = None) -> Iterator[Observed | Problem]:
        """What is wrong with its allocations sets no budget aside."""
        alone = kind is Kind.BUDGET
        yield from self._alone.stream(kind, only) if alone else super().stream(kind, only)

    def budgets(self) -> Iterator[Grouped | Finding]:
        below = {each.ref: each for each in self._shares.budgets()}
        for budget in self._budgets.budgets():
            yield self._with(budget, below.pop(budget.ref, None))
        for ref, each in below.items():
            if ref not in self._budgets.findings.aside:
                yield self._wrong(each, f"there is no budget {ref!r}; name one by its ref")

    def _with(self, budget: Grouped, below: Grouped | None) -> Grouped | Finding:
        if below is None:
            return budget
        if budget.shares:
            return self._wrong(below, f"both queries state allocations of {budget.ref}")
        if below.currency != budget.currency:
            said = f"{below.currency} is not its budget's currency; write {budget.currency}"
            return self._wrong(below, said)
        return replace(budget, shares=below.shares, entity_type=below.entity_type)

    def _wrong(self, group: Grouped, message: str) -> Finding:
        return Finding(f"{self._shares.label} row {group.row}", message, group.ref)


def _spelled(layout: Layout, name: str) -> str:
    column = layout.columns.get(name)
    return f"{name} ({column.any[0]!r})" if column and column.any and column.any[0] else repr(name)
