"""ERPNext's documents as they are read."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from canonical.errors import CanonicalError
from canonical.text import kept, told
from connectors.calling.parsing import begun
from connectors.contract.errors import Malformed

DRAFT: Final = 0
SUBMITTED: Final = 1
CANCELLED: Final = 2
BUDGET: Final = "Budget"
COST_CENTER: Final = "Cost Center"
PROJECT: Final = "Project"


class Named(Struct, kw_only=True):
    """Any document: its name is its id."""

    name: str


class Company(Named):
    default_currency: str


class FiscalYear(Named):
    year_start_date: date
    year_end_date: date


class CostCenter(Named):
    disabled: int


class Project(Named):
    status: str | None
    is_active: str | None


class Header(Named):
    """A budget as a listing shows it, in either form; `against` is the cost centre or the like."""

    docstatus: int
    modified: str
    company: str
    budget_against: str
    amended_from: str | None = None
    revision_of: str | None = None
    fiscal_year: str | None = None
    from_fiscal_year: str | None = None
    to_fiscal_year: str | None = None
    account: str | None = None
    budget_amount: Decimal | None = None
    budget_start_date: date | None = None
    budget_end_date: date | None = None
    against: str | None = None

    @property
    def replaces(self) -> str | None:
        """The cancelled document that this one is to replace."""
        return self.amended_from or self.revision_of or None

    @property
    def stamp(self) -> tuple[str, ...]:
        """What changes whenever the document does."""
        return (
            self.name, f"{self.docstatus}", self.modified, self.budget_against, self.against or "",
        )  # fmt: skip


class AccountRow(Struct, kw_only=True):
    """A row of the table `accounts`, until 15: an account's amount for the fiscal year."""

    account: str
    budget_amount: Decimal


class DistributionRow(Struct, kw_only=True):
    """A row of `budget_distribution`, from 16 on: what counts in one period."""

    start_date: date
    end_date: date
    amount: Decimal


class YearBudget(Named):
    """A budget until 15: several accounts, one fiscal year."""

    fiscal_year: str
    monthly_distribution: str | None
    accounts: list[AccountRow]


class AccountBudget(Named):
    """A budget from 16 on: one account, as many periods as it has rows."""

    account: str
    budget_amount: Decimal
    budget_distribution: list[DistributionRow]


class ListedRow(DistributionRow, kw_only=True):
    """A row of a distribution, listed apart from its budget."""

    parent: str
    parentfield: str


class PercentageRow(Struct, kw_only=True):
    month: str
    percentage_allocation: Decimal


class MonthlyDistribution(Named):
    percentages: list[PercentageRow]


def field_of(doctype: str) -> str:
    """The field of a budget that names what of this kind it is against."""
    return doctype.lower().replace(" ", "_").replace("-", "_")


def with_against(record: Any) -> Any:
    """The record, in which `against` is what its own field for it says.

    Raises `Malformed` where that has characters that nobody sees: without them it is another's.
    """
    if not isinstance(record, Mapping):
        return record
    kind = record.get("budget_against")
    said = record.get(field_of(kind)) if isinstance(kind, str) else None
    if isinstance(said, str) and not is_seen(said):
        raise Malformed(
            f"{field_of(str(kind))} has characters that nobody sees: {begun(told(said))}"
        )
    return {**record, "against": said or None}


def is_seen(text: str) -> bool:
    """Whether reading leaves the text as it is."""
    try:
        return kept(text) == text
    except CanonicalError:
        return False


def form_of(record: Any) -> type[YearBudget] | type[AccountBudget]:
    """In which form a document is; raises `Malformed` where it shows neither.

    A field that the user may not read is missing, so an absent table is never an empty one.
    """
    said: Sequence[str] = [*record] if isinstance(record, Mapping) else ()
    for table, form in (("budget_distribution", AccountBudget), ("accounts", YearBudget)):
        rows = record[table] if table in said else None
        if isinstance(rows, list):
            if not rows:
                raise Malformed(f"{table} is empty: the user may not read its rows")
            return form
        if rows is not None:
            raise Malformed(f"{table} is {begun(rows)}, not a list of rows")
    raise Malformed("it shows neither accounts nor budget_distribution to this user")
