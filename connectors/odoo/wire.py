"""Odoo's records as they are read, and the two families of budget models."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeAlias

from msgspec import Struct

from connectors.contract.errors import Malformed

Pair: TypeAlias = tuple[int, str | bool]
"""What a field refers to: its id, and the name that it is shown by, false where it has none."""

USERS, COMPANIES, CURRENCIES = "res.users", "res.company", "res.currency"
ACCOUNTS: Final = "account.analytic.account"


class _Read(Struct, kw_only=True):
    id: int


class User(_Read):
    """Whose companies' records he is shown."""

    company_ids: list[int]


class Company(_Read):
    name: str
    currency_id: Pair


class Currency(_Read):
    name: str
    rounding: Decimal


class Document(_Read):
    """A budget of Odoo; `budget_type` is of budget.analytic alone."""

    name: str
    state: str
    budget_type: str | bool = False


class Line(_Read):
    """A line under our names for the fields that differ between the families."""

    document: Pair
    account: Pair
    position: Pair | bool
    date_from: date
    date_to: date
    amount: Decimal


class Account(_Read):
    """An analytic account."""

    code: str | bool
    name: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How one Odoo names its budgets: models, what a line's fields are called, and its states.

    `in_force` are the states in which a document counts, `passed_over` all others.
    """

    documents: str
    lines: str
    document: str
    amount: str
    account: str
    position: str | None
    in_force: tuple[str, ...]
    passed_over: tuple[str, ...]
    typed: bool

    def document_fields(self) -> list[str]:
        """What is read of a document."""
        return ["name", "state", *(["budget_type"] if self.typed else [])]

    def line_fields(self) -> Mapping[str, str]:
        """Our names of a line's fields, and Odoo's."""
        named = {
            "document": self.document,
            "account": self.account,
            "position": self.position,
            "date_from": "date_from",
            "date_to": "date_to",
            "amount": self.amount,
        }
        return {ours: theirs for ours, theirs in named.items() if theirs is not None}

    def factor(self, document: Document) -> int:
        """What its amounts are multiplied by, so that spend is positive."""
        return 1 if self.typed and document.budget_type == "expense" else -1


CROSSOVERED: Final = Family(
    documents="crossovered.budget",
    lines="crossovered.budget.lines",
    document="crossovered_budget_id",
    amount="planned_amount",
    account="analytic_account_id",
    position="general_budget_id",
    in_force=("confirm", "validate", "done"),
    passed_over=("draft", "cancel"),
    typed=False,
)
ANALYTIC: Final = Family(
    documents="budget.analytic",
    lines="budget.line",
    document="budget_analytic_id",
    amount="budget_amount",
    account="account_id",
    position=None,
    in_force=("confirmed", "done"),
    passed_over=("draft", "revised", "canceled"),
    typed=True,
)
FAMILIES: Final = {each.documents: each for each in (CROSSOVERED, ANALYTIC)}


def stated(value: Any) -> Any:
    """What a field holds, None where it is unset; raises `Malformed` for what says neither."""
    if value is True:
        raise Malformed("a field that is set does not say to what")
    return None if value is False else value
