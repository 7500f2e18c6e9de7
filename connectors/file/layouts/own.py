"""A look at a file whose columns have our own names, which needs no layout."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Period
from connectors.contract.errors import ConnectorError
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings
from connectors.file.formats import ENDINGS
from connectors.layouts.grouping import Grouped
from connectors.layouts.numbers import SCALE
from connectors.layouts.questions import Finding
from connectors.layouts.timelines import Amounts, Counted
from connectors.layouts.toml import value_text

_KEY: Final = "is not a key of"
"""What is told of a record that has other keys than ours, as no json file has a header."""


@dataclass(slots=True)
class Own:
    """What such a file states."""

    why: list[str]
    settings: str
    budgets: list[Grouped] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)


def own_columns(path: Path) -> Own | None:
    """The budgets of the file at `path`; None where its columns are not ours."""
    if path.suffix.casefold() not in ENDINGS:
        return None
    settings = FileSettings(connector="file", path=str(path.absolute()))
    connector = File("erp", settings, Runtime())
    try:
        connector.check()
    except ConnectorError:
        return None
    said = ["the columns have our own names: no layout is needed"]
    block = f'[systems.erp]\nconnector = "file"\npath = {value_text(str(path))}\n'
    found = Own(said, block)
    for page in connector.list(Kind.BUDGET):
        found.budgets += [_grouped(each.model) for each in page.items]
        found.problems += [Finding(each.where, each.message, each.ref) for each in page.problems]
    records_of_others = not found.budgets and any(_KEY in each.message for each in found.problems)
    return None if records_of_others else found


def _grouped(budget: object) -> Grouped:
    assert isinstance(budget, Budget)
    unit = None if budget.amount is None else budget.amount.unit
    counted = Counted.of(dict(_amounts(budget)))
    return Grouped(budget.ref, budget.name, unit, {}, 0, counted, ())


def _amounts(budget: Budget) -> Iterator[tuple[Period, int]]:
    """Each period of the budget with its amount; one with an open end is told as it stands."""
    phases: Amounts = {}
    if budget.end is not None:
        phases = {each.period: _scaled(each.amount.value) for each in budget.by_period(budget.end)}
    elif budget.start is not None and budget.amount is not None:
        phases = {Period(budget.start): _scaled(budget.amount.value)}
    yield from phases.items()


def _scaled(value: Decimal) -> int:
    return int(value * SCALE)
