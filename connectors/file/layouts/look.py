"""A look at a file: the layout that reads it and why, the settings for it, and what it states."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from canonical.currency import exponent
from canonical.period import Period
from connectors.contract.errors import Unreadable
from connectors.file.layouts.begun import Beginnings
from connectors.file.layouts.choosing import choose, read_file
from connectors.file.layouts.draft import draft
from connectors.file.layouts.own import own_columns
from connectors.file.layouts.recognise import candidates, how_read
from connectors.file.layouts.sources import open_sheets
from connectors.layouts.calendars import label
from connectors.layouts.grouping import Grouped
from connectors.layouts.language import Layout
from connectors.layouts.loading import Table, changed, layout_of, table_of
from connectors.layouts.numbers import plain_text
from connectors.layouts.questions import Finding, Question
from connectors.layouts.reading import Reading
from connectors.layouts.timelines import Amounts
from connectors.layouts.written import settings_block


@dataclass(slots=True)
class Look:
    """What a look at a file found; `layout` is the name of a ready-made one."""

    layout: str | None
    why: list[str]
    settings: str
    questions: list[Question] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    budgets: list[Grouped] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether all of the file was read and nothing is left to ask."""
        return not self.questions and not self.problems and bool(self.budgets)

    def totals(self) -> dict[str | None, Amounts]:
        """By currency, the sums over all budgets by period."""
        found: dict[str | None, Amounts] = {}
        for budget in self.budgets:
            sums = found.setdefault(budget.currency, {})
            for period, amount in budget.amounts.items():
                sums[period] = sums.get(period, 0) + amount
        return {unit: dict(sorted(sums.items())) for unit, sums in found.items()}

    def to_data(self) -> dict[str, Any]:
        """The document of `trueup look --json`; amounts are texts, periods as `label` says."""
        sums: dict[Period, int] = {}
        for each in self.totals().values():
            for period, amount in each.items():
                sums[period] = sums.get(period, 0) + amount
        return {
            "layout": self.layout,
            "why": self.why,
            "settings": self.settings,
            "questions": [
                {"what": each.what, "readings": [*each.readings], "setting": each.setting}
                for each in self.questions
            ],
            "problems": [{"where": e.where, "message": e.message} for e in self.problems],
            "budgets": [_budget(each) for each in self.budgets],
            "totals": texts(dict(sorted(sums.items()))),
        }


def _budget(budget: Grouped) -> dict[str, Any]:
    entity_type = budget.entity_type
    return {
        "ref": budget.ref,
        "name": budget.name,
        "currency": budget.currency,
        "periods": texts(budget.amounts, budget.currency),
        "allocations": [
            {
                "entity_type": entity_type,
                "entity": share.entity,
                "periods": texts(share.amounts, budget.currency),
            }
            for share in budget.shares
        ],
    }


def texts(amounts: Amounts, unit: str | None = None) -> dict[str, str]:
    """Amounts as text by the names of their periods."""
    digits = exponent(unit) if unit else 2
    return {label(period): plain_text(amount, digits) for period, amount in amounts.items()}


def look(
    path: Path, layout: str | None = None, sets: Sequence[str] = (), base: Path | None = None
) -> Look:
    """Look at the file at `path`: by the layout that is named, or the one that is recognised.

    `sets` are KEY=VALUE changes of it. Raises `LayoutError`, and `Unreadable` for what is no file.
    """
    if layout is not None:
        return _by(path, layout, table_of(layout, base or Path()), sets, [])
    if not sets and (own := own_columns(path)) is not None:
        return Look(None, own.why, own.settings, [], own.problems, own.budgets)
    opening = [each for each in sets if each.strip().startswith("file.")]
    with ExitStack() as held:
        begun = Beginnings(path, held)
        found = candidates(begun, opening)
        header = [each for each in sets if each.strip().startswith("header.")]
        drafted = None if found else draft(begun, [*opening, *header])
    if drafted is not None:
        return _unknown(path, sets, *drafted)
    best = found[0]
    alike = [each.name for each in found if each.score == best.score]
    if len(alike) > 1:
        what = f"which of the layouts {' and '.join(alike)} it is"
        question = Question(what, tuple(f"--layout {each}" for each in alike), "layout")
        return Look(None, [*best.why], "", [question])
    why = [f"{best.name}: {layout_of(table_of(best.name, Path())).about}", *best.why]
    return _by(path, best.name, table_of(best.name, Path()), sets, why)


def _by(path: Path, name: str, table: Table, sets: Sequence[str], why: list[str]) -> Look:
    made = changed(table, sets)
    layout = layout_of(made)
    found = _read(path, layout)
    ready = None if name.casefold().endswith(".toml") else name
    block = settings_block(path, name, table, made, found.layout, _currencies(found))
    told = [*(why or _how(path, layout)), *found.notes]
    return Look(ready, told, block, found.questions, [*found.problems()], [*found.budgets()])


def _read(path: Path, layout: Layout) -> Reading:
    return read_file(path, layout)


def _how(path: Path, layout: Layout) -> list[str]:
    with ExitStack() as held:
        sheet, bound, _ = choose(open_sheets(path, layout.file, held), layout, path)
        return [*how_read(sheet, bound, layout)]


def _currencies(found: Reading) -> bool:
    """Whether every budget names its currency."""
    heads = found.groups.heads.values()
    return bool(heads) and all(head.currency for head in heads)


def _unknown(
    path: Path,
    sets: Sequence[str],
    table: Table | None,
    why: list[str],
    questions: Sequence[Question],
) -> Look:
    """A file that no ready-made layout fits: what can be told of it, and what is to be said."""
    if table is None:
        return Look(None, why, "", [*questions])
    made = changed(table, sets)
    said = {each.partition("=")[0].strip() for each in sets}
    said |= {each.rpartition(".")[0] for each in said}  # one key of several that would do
    said |= {"budget.ref", "columns.ref.at"} if "columns.ref" in said else set()
    left = [each for each in questions if each.setting not in said]
    block = settings_block(path, "", {}, made, layout_of(made), False)
    if left:
        return Look(None, why, block, left)
    try:
        found = read_file(path, layout_of(made))
    except Unreadable as error:
        return Look(None, why, block, [], [Finding(path.name, error.message)])
    block = settings_block(path, "", {}, made, found.layout, _currencies(found))
    why = [*why, *found.notes]
    return Look(None, why, block, found.questions, [*found.problems()], [*found.budgets()])


def sorted_totals(look: Look) -> Iterator[tuple[str | None, Mapping[Period, int]]]:
    """The sums by currency, those without one last."""
    yield from sorted(look.totals().items(), key=lambda pair: (pair[0] is None, pair[0] or ""))
