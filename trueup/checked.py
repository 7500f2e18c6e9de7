"""What `trueup check` says of a system beside who we are there: rates, and what syncs select."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from canonical.budget import Budget
from canonical.kind import Kind
from canonical.rate import Rate
from config.rates import rates_of
from connectors.contract.settings import HttpSettings
from trueup.workspace import Workspace

_SHOWN: Final = 5


def notes(workspace: Workspace, system: str, day: date) -> Iterator[str]:
    """Of a system that is read without a call what is selected; of each at which rates it is told.

    Raises `SettingsError` for a file of rates that cannot be used.
    """
    yield from _rates(workspace, system, day)
    if not isinstance(workspace.settings.systems[system], HttpSettings):
        yield from _selected(workspace, system)


def _rates(workspace: Workspace, system: str, day: date) -> Iterator[str]:
    rates = rates_of(workspace.settings, system)
    if rates is None:
        return
    units = sorted(rates.rates)
    for unit in units[:_SHOWN]:
        yield _said(rates.on(unit, day), day)
    if len(units) > _SHOWN:
        yield f"and rates of {len(units) - _SHOWN} more currencies"


def _said(rate: Rate | str, day: date) -> str:
    """A rate with its age, or why there is none."""
    if isinstance(rate, str):
        return rate
    age = rate.age(day)
    old = "" if age is None else f" of {rate.day}, {age} days old" if age else " of the day"
    return f"1 {rate.unit} is {rate.value:f} {rate.to}{old}"


def _selected(workspace: Workspace, system: str) -> Iterator[str]:
    syncs = workspace.settings.syncs.items()
    selecting = {
        name: each.select.selection()
        for name, each in syncs
        if each.source == system and each.select is not None
    }
    if not selecting:
        return
    pages = workspace.system(system).list(Kind.BUDGET)
    budgets = [
        item.model for page in pages for item in page.items if isinstance(item.model, Budget)
    ]
    for name, selection in selecting.items():
        count = sum(map(selection.holds, budgets))
        yield f"{name} selects {count} of {len(budgets)} budgets"
