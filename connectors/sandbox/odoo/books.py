"""The books of a fresh database: three cost centres, planned month by month for this year."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from connectors.sandbox.state import Row

COMPANY: Final = 1
USER: Final = 2
_ACCOUNTS: Final = (("0110", "Administration"), ("0210", "Marketing"), (None, "Crèche"))
_POSITIONS: Final = ("Office", "Travel")


def staff(login: str) -> Mapping[str, Collection[Row]]:
    """A company, its currency, and a user of it."""
    return {
        "res.currency": [{"id": 1, "name": "USD", "rounding": Decimal("0.01")}],
        "res.company": [{"id": COMPANY, "name": "Acme", "currency_id": 1}],
        "res.users": [
            {
                "id": USER,
                "name": "Trueup",
                "login": login,
                "company_id": COMPANY,
                "company_ids": [COMPANY],
            }
        ],
    }


def plans(year: int, *, crossovered: bool) -> Mapping[str, Collection[Row]]:
    """Analytic accounts, and what is planned for them in each month of the year."""
    accounts = [
        {"id": id, "name": name, "code": code or False}
        for id, (code, name) in enumerate(_ACCOUNTS, 1)
    ]
    positions = [{"id": id, "name": name} for id, name in enumerate(_POSITIONS, 1)]
    found: dict[str, Collection[Row]] = {"account.analytic.account": accounts}
    if crossovered:
        document = {"id": 1, "name": f"Budget {year}", "state": "validate", **_span(year, 1, 12)}
        return found | {
            "account.budget.post": positions,
            "crossovered.budget": [document],
            "crossovered.budget.lines": [*_lines_of_positions(year)],
        }
    documents = [
        {
            "id": month,
            "name": f"Budget {year}-{month:02}",
            "state": "confirmed",
            "budget_type": "expense",
            **_span(year, month, month),
        }
        for month in range(1, 13)
    ]
    return found | {"budget.analytic": documents, "budget.line": [*_lines(year)]}


def _lines_of_positions(year: int) -> Iterator[Row]:
    id = 0
    for month in range(1, 13):
        for account in range(1, len(_ACCOUNTS) + 1):
            for position in range(1, len(_POSITIONS) + 1 if account == 1 else 2):
                id += 1
                yield {
                    "id": id,
                    "crossovered_budget_id": 1,
                    "analytic_account_id": account,
                    "general_budget_id": position,
                    "planned_amount": -_amount(account, month) * position,
                    **_span(year, month, month),
                }


def _lines(year: int) -> Iterator[Row]:
    for month in range(1, 13):
        for account in range(1, len(_ACCOUNTS) + 1):
            yield {
                "id": (month - 1) * len(_ACCOUNTS) + account,
                "budget_analytic_id": month,
                "account_id": account,
                "budget_amount": _amount(account, month),
                **_span(year, month, month),
            }


def _amount(account: int, month: int) -> Decimal:
    return Decimal(1000 * account) + Decimal(month) * Decimal("10.40")


def _span(year: int, first: int, last: int) -> Row:
    following = date(year + last // 12, last % 12 + 1, 1)
    end = following - timedelta(days=1)
    return {
        "date_from": date(year, first, 1).isoformat(),
        "date_to": end.isoformat(),
        "company_id": COMPANY,
    }
