"""`trueup look`: what a file of budgets is taken for, why, and what it states. Changes nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from canonical.period import Period
from connectors.contract.errors import ConnectorError
from connectors.file.layouts.look import Look, look, sorted_totals, texts
from connectors.layouts.calendars import label
from connectors.layouts.loading import (
    LayoutError,
    layout_of,
    names,
    ready_table,
    ready_text,
)
from sync.outcome import Exit
from trueup.output import plain, talk, tell, tell_json
from trueup.refusal import Refusal
from trueup.streams import OUT

FIRST: Final = 5
"""Budgets that are shown; `--json` has all of them."""
_SHARES: Final = 5
_FAULTS: Final = 20


def run_look(
    file: Path | None,
    layout: str | None,
    sets: Sequence[str],
    print_layout: str | None,
    as_json: bool,
) -> int:
    """The exit code: 0 read wholly, 4 where something is to be asked or could not be read.

    Raises `Refusal` for a layout, a change or a use of the command that cannot be.
    """
    try:
        if print_layout is not None:
            tell(ready_text(print_layout).rstrip("\n"))
        elif file is None:
            _list(as_json)
        else:
            return _look(file, layout, sets, as_json)
    except LayoutError as error:
        raise Refusal(str(error)) from None
    return _told(Exit.OK)


def _look(file: Path, layout: str | None, sets: Sequence[str], as_json: bool) -> int:
    try:
        found = look(file, layout, sets)
    except ConnectorError as error:
        talk(f"trueup: {error}")
        if as_json:
            tell_json({"error": plain(error)})
        return Exit.FAILED
    if as_json:
        tell_json(found.to_data())
    else:
        _tell(f"{file}: {found.layout or layout or 'no ready-made layout'}", found)
    return _told(Exit.OK if found.whole else Exit.PARTIAL)


def _told(code: int) -> int:
    return Exit.FAILED if code == Exit.OK and OUT.lost else code


def _list(as_json: bool) -> None:
    abouts = {name: layout_of(ready_table(name)).about for name in names()}
    if as_json:
        tell_json({"layouts": abouts})
        return
    for name, about in abouts.items():
        tell(f"{name:{max(map(len, abouts))}}  {about}")


def _tell(title: str, found: Look) -> None:
    """For people: what it is and why, what is to be said, the settings, the first budgets."""
    tell(plain(title))
    for each in found.why:
        tell(f"  {plain(each)}")
    for question in found.questions:
        tell(f"? {plain(question.what)}: {plain(question.setting)} decides")
        for reading in question.readings:
            tell(f"    {plain(reading)}")
    for problem in found.problems[:_FAULTS]:
        tell(f"! {plain(problem.where)}: {plain(problem.message)}")
    if len(found.problems) > _FAULTS:
        tell(f"! … and {len(found.problems) - _FAULTS} more; --json lists all")
    if found.settings:
        tell("")
        for line in found.settings.rstrip("\n").split("\n"):
            tell(plain(line))
    _tell_budgets(found)


def _tell_budgets(found: Look) -> None:
    if not found.budgets:
        return
    tell("")
    tell(f"{len(found.budgets)} budgets" + (", the first:" if len(found.budgets) > FIRST else ":"))
    for budget in found.budgets[:FIRST]:
        named = "" if budget.name == budget.ref else f" {plain(budget.name)}"
        unit = budget.currency or ""
        tell(f"  {plain(budget.ref)}{named}: {_in_short(budget.amounts, unit)}")
        for share in budget.shares[:_SHARES]:
            entity = plain(f"{budget.entity_type}:{share.entity}")
            tell(f"    {entity}: {_in_short(share.amounts, unit)}")
        if len(budget.shares) > _SHARES:
            tell(f"    … and {len(budget.shares) - _SHARES} more allocations")
    for currency, sums in sorted_totals(found):
        tell("")
        tell(f"sums in {currency or 'a currency that the file does not name'}:")
        for period, amount in texts(dict(sums), currency).items():
            tell(f"  {period:23} {amount:>16}")


def _in_short(amounts: dict[Period, int], unit: str) -> str:
    """An amount that is alike throughout, or the first, the last and their sum."""
    said = texts(amounts, unit or None)
    if not said:
        return "nothing"
    periods = [*amounts]
    span = label(periods[0])
    span += f" to {label(periods[-1])}" if len(periods) > 1 else ""
    values = [*said.values()]
    (whole,) = texts({periods[0]: sum(amounts.values())}, unit or None).values()
    each = f"{values[0]} each" if len(set(values)) == 1 else f"{values[0]} … {values[-1]}"
    each = values[0] if len(values) == 1 else f"{each}, {whole} in all"
    return f"{each} {unit}".rstrip() + f", {span}"
