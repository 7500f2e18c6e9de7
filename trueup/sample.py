"""A sample ERP: cost centres of one year, each with twelve monthly amounts and four shares."""

import csv
from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

from canonical.amount import Amount
from trueup.files import write_private

BUDGET_COLUMNS = (
    "ref", "name", "description", "currency", "amount", "cadence", "start", "end", "status",
    "parent", "owners",
)  # fmt: skip
ALLOCATION_COLUMNS = ("budget", "ref", "entity_type", "entity", "amount", "status")

ACCOUNTS = (
    ("6100", "Travel", 4),
    ("6200", "Software", 7),
    ("6300", "Marketing", 6),
    ("6400", "Training", 3),
)
_SEASON = (0, 0, 2, 3, 3, 5, 8, 8, 4, 3, 2, 6)
"""Percent by which each month exceeds the first."""


def write_sample(folder: Path, *, year: int = 2026, cost_centres: int = 40) -> None:
    """Write `budgets.csv` and `allocations.csv` into `folder`; the same ones every time."""
    numbers = range(1, cost_centres + 1)
    _write(folder / "budgets.csv", BUDGET_COLUMNS, _budgets(numbers, year))
    _write(folder / "allocations.csv", ALLOCATION_COLUMNS, _allocations(numbers))


def cost_centre(number: int) -> str:
    """The code of a cost centre, which is its budget's ref."""
    return f"CC{number:04}"


def months(number: int) -> list[Amount]:
    """The twelve amounts of a cost centre."""
    base = _base(number).value
    return [Amount(base * (100 + percent) / 100, "USD").rounded() for percent in _SEASON]


def _budgets(numbers: Iterable[int], year: int) -> Iterable[Sequence[object]]:
    for number in numbers:
        ref = cost_centre(number)
        for month, amount in enumerate(months(number), start=1):
            first, last = date(year, month, 1), date(year, month, monthrange(year, month)[1])
            yield (
                ref, f"Cost centre {number} ({ref})", f"Operating budget of cost centre {number}",
                "USD", amount.text(), "monthly", first, last, "active", "", "",
            )  # fmt: skip


def _allocations(numbers: Iterable[int]) -> Iterable[Sequence[object]]:
    for number in numbers:
        shares = _base(number).split([weight for _, _, weight in ACCOUNTS])
        for (code, name, _), share in zip(ACCOUNTS, shares, strict=True):
            ref = cost_centre(number)
            yield ref, f"{ref}-{code}", "account", f"{code} {name}", share.text(), "active"


def _base(number: int) -> Amount:
    return Amount(Decimal(1000) + Decimal("137.35") * (number - 1), "USD")


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_private(path, text.getvalue())
