"""Tryton's records as they are read, and how its JSON writes dates and numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, DecimalException
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct, field

from connectors.contract.errors import Malformed


class _Read(Struct, kw_only=True):
    id: int


class Currency(_Read):
    code: str


class Company(_Read):
    rec_name: str
    currency: Currency


class Analytic(_Read):
    """An analytic account."""

    code: str | None
    name: str
    active: bool | int
    state: str


class Root(_Read):
    code: str | None
    name: str


class AnalyticBudget(_Read):
    name: str
    start_date: date
    end_date: date
    root: Root


class AnalyticLine(_Read):
    budget: int
    account: Analytic | None
    name: str | None
    amount: Decimal | None
    stamp: str | None = field(name="_timestamp", default=None)


class FiscalYear(_Read):
    name: str
    start_date: date
    end_date: date


class AccountBudget(_Read):
    name: str
    fiscalyear: FiscalYear


class Account(_Read):
    code: str | None
    name: str
    closed: bool | int | None


class AccountType(_Read):
    name: str


class AccountLine(_Read):
    budget: int
    account: Account | None
    account_type: AccountType | None
    name: str | None
    amount: Decimal | None


class LinePeriod(_Read):
    """What part of a line's amount counts in a period."""

    budget_line: int
    ratio: Decimal | None
    period: FiscalYear


class Preferences(Struct, frozen=True):
    """Which companies' records a user is shown."""

    companies: Sequence[int] = ()
    company: int | None = None
    company_filter: str = "one"

    def shown(self) -> Sequence[int]:
        """The companies by their ids."""
        if self.company_filter == "all":
            return self.companies
        return [each for each in self.companies if each == self.company]


Shape = TypeVar("Shape", bound=_Read)


@dataclass(frozen=True, slots=True)
class Model(Generic[Shape]):
    """A model of Tryton's, by its name there, and what is read of it."""

    name: str
    shape: type[Shape]
    fields: tuple[str, ...]
    module: str


COMPANIES: Final = Model("company.company", Company, ("rec_name", "currency.code"), "company")
FISCAL_YEARS: Final = Model(
    "account.fiscalyear", FiscalYear, ("name", "start_date", "end_date"), "account"
)
ANALYTIC_BUDGETS: Final = Model(
    "analytic_account.budget",
    AnalyticBudget,
    ("name", "start_date", "end_date", "root.code", "root.name"),
    "analytic_budget",
)
ANALYTIC_LINES: Final = Model(
    "analytic_account.budget.line",
    AnalyticLine,
    (
        "budget",
        "name",
        "amount",
        "_timestamp",
        *(f"account.{each}" for each in Analytic.__struct_fields__ if each != "id"),
    ),
    "analytic_budget",
)
ACCOUNT_BUDGETS: Final = Model(
    "account.budget",
    AccountBudget,
    ("name", "fiscalyear.name", "fiscalyear.start_date", "fiscalyear.end_date"),
    "account_budget",
)
ACCOUNT_LINES: Final = Model(
    "account.budget.line",
    AccountLine,
    (
        "budget", "name", "amount", "account.code", "account.name", "account.closed",
        "account_type.name",
    ),
    "account_budget",
)  # fmt: skip
LINE_PERIODS: Final = Model(
    "account.budget.line.period",
    LinePeriod,
    ("budget_line", "ratio", "period.name", "period.start_date", "period.end_date"),
    "account_budget",
)


def data_of(value: Any) -> Any:
    """What Tryton's JSON says: numbers and dates for the objects that stand for them, and what a
    field refers to under the field's own name. Raises `Malformed`."""
    if isinstance(value, list):
        return [data_of(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if "__class__" in value:
        return _special(value)
    found = {name: data_of(each) for name, each in value.items() if not name.endswith(".")}
    return found | {name[:-1]: data_of(each) for name, each in value.items() if name.endswith(".")}


def number(value: Decimal) -> dict[str, str]:
    """A number as Tryton's JSON writes it."""
    return {"__class__": "Decimal", "decimal": f"{value:f}"}


def _special(value: Mapping[str, Any]) -> Any:
    kind = value["__class__"]
    try:
        if kind == "date":
            return date(value["year"], value["month"], value["day"])
        if kind != "Decimal":
            return value  # of a field that is not ours
        if isinstance(value["decimal"], str):
            return Decimal(value["decimal"])
    except (KeyError, TypeError, ValueError, DecimalException):
        pass
    raise Malformed(f"a {kind} of the answer is none that can be read")
