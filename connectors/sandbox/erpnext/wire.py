"""ERPNext's kinds of document: the fields of each, its tables, and what a fresh site has.

Source: the definitions of the document types, versions 13 to develop, in November 2026.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, DecimalException
from typing import Any, Final

from canonical.period import Cadence, periods
from connectors.sandbox.state import Row

_COLUMN: Final = Context(prec=60)

COMPANY, YEAR = "Company", "Fiscal Year"
COST_CENTER, PROJECT, ACCOUNT = "Cost Center", "Project", "Account"
BUDGET, DISTRIBUTION, PERMISSION = "Budget", "Monthly Distribution", "User Permission"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: `blank` are the fields that it has, `links` those that name another kind,
    `tables` those that hold rows, which no listing shows."""

    blank: Row
    links: Mapping[str, str]
    tables: Mapping[str, Row]


_BUDGET: Row = {
    "naming_series": "BUDGET-.########", "budget_against": "Cost Center", "company": None,
    "cost_center": None, "project": None, "amended_from": None,
}  # fmt: skip
_LINKS = {"company": COMPANY, "cost_center": COST_CENTER, "project": PROJECT}

YEARLY = Kind(
    _BUDGET | {"fiscal_year": None, "monthly_distribution": None},
    _LINKS | {"fiscal_year": YEAR, "monthly_distribution": DISTRIBUTION},
    {"accounts": {"account": None, "budget_amount": Decimal("0.0")}},
)
"""Budgets until 15."""

KINDS: Mapping[str, Kind] = {
    COMPANY: Kind({"abbr": "", "default_currency": "USD"}, {}, {}),
    YEAR: Kind({"year_start_date": None, "year_end_date": None}, {}, {"companies": {}}),
    COST_CENTER: Kind(
        {"company": None, "parent_cost_center": None, "is_group": 0, "disabled": 0},
        {"company": COMPANY},
        {},
    ),
    PROJECT: Kind(
        {"company": None, "status": "Open", "is_active": "Yes"}, {"company": COMPANY}, {}
    ),
    DISTRIBUTION: Kind(
        {"fiscal_year": None},
        {"fiscal_year": YEAR},
        {"percentages": {"month": None, "percentage_allocation": Decimal("0.0")}},
    ),
    BUDGET: Kind(
        _BUDGET
        | {
            "account": None, "from_fiscal_year": None, "to_fiscal_year": None,
            "budget_start_date": None, "budget_end_date": None,
            "distribution_frequency": "Monthly", "budget_amount": Decimal("0.0"),
            "revision_of": None,
        },
        _LINKS | {"account": ACCOUNT, "from_fiscal_year": YEAR, "to_fiscal_year": YEAR},
        {
            "budget_distribution": {
                "start_date": None, "end_date": None, "amount": Decimal("0.0"),
                "percent": Decimal("0.0"),
            }
        },
    ),
    PERMISSION: Kind({"allow": None, "for_value": None, "applicable_for": None}, {}, {}),
}  # fmt: skip
"""By its name; a table of the sandbox each."""


TABLES: Mapping[str, str] = {
    "Budget Distribution": "budget_distribution",
    "Budget Account": "accounts",
}
"""The tables of budgets, and the field that each is in."""


def kind_of(doctype: str, row: Row) -> Kind:
    """The kind of a row: a budget with accounts is one until 15."""
    return YEARLY if doctype == BUDGET and "accounts" in row else KINDS[doctype]


def as_float(value: Any) -> Any:
    """A number as its column keeps it, with nine digits after the point, and as a JSON float is
    written: with all of them, and at least one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    try:
        kept = _COLUMN.quantize(Decimal(value), Decimal("1e-9"))
    except DecimalException:
        return value
    digits = f"{kept:f}".rstrip("0")
    return Decimal(f"{digits}0" if digits.endswith(".") else digits)


def fresh_rows(year: int, *, old: bool, empty: bool) -> Mapping[str, list[Row]]:
    """A company with budgets of that year: two cost centres, one with two accounts."""
    first, last = f"{year}-01-01", f"{year}-12-31"
    rows: dict[str, list[Row]] = {
        COMPANY: [{"name": "Acme Ltd", "abbr": "AL"}],
        YEAR: [{"name": f"{year}", "year_start_date": first, "year_end_date": last}],
    }
    if empty:
        return rows
    group = "Acme Ltd - AL"
    rows[COST_CENTER] = [{"name": group, "company": "Acme Ltd", "is_group": 1}] + [
        {"name": name, "company": "Acme Ltd", "parent_cost_center": group}
        for name in ("IT - AL", "Sales - AL")
    ]
    stated = [
        ("IT - AL", "Software - AL", 12_000),
        ("IT - AL", "Training - AL", 6_000),
        ("Sales - AL", "Travel Expenses - AL", 30_000),
    ]
    made = _old(stated, year) if old else _new(stated, year)
    rows[BUDGET] = [{"company": "Acme Ltd", "docstatus": 1, **row} for row in made]
    return rows


def _new(stated: list[tuple[str, str, int]], year: int) -> Iterator[Row]:
    for number, (centre, account, amount) in enumerate(stated, 1):
        yield {
            "name": f"BUDGET-{number:08d}", "cost_center": centre, "account": account,
            "from_fiscal_year": f"{year}", "to_fiscal_year": f"{year}", "budget_amount": amount,
            "budget_distribution": [
                {"start_date": f"{each.start}", "end_date": f"{each.end}", "amount": amount // 12}
                for each in periods(Cadence.MONTHLY, date(year, 1, 1), date(year, 12, 31))
            ],
        }  # fmt: skip


def _old(stated: list[tuple[str, str, int]], year: int) -> Iterator[Row]:
    for centre in dict.fromkeys(each[0] for each in stated):
        yield {
            "name": f"{centre}/{year}/001", "cost_center": centre, "fiscal_year": f"{year}",
            "accounts": [
                {"account": account, "budget_amount": amount}
                for own, account, amount in stated
                if own == centre
            ],
        }  # fmt: skip
