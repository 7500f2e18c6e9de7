"""The books of a small company in a Tryton, and a hand that keeps them: the API as its own client
uses it, apart from the connector that is tested.
"""

from base64 import b64encode
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

ADMIN, PASSWORD = "admin", "canary-admin-7f21"
READER, READER_PASSWORD = "reader", "canary-reader-7f21"
YEAR = 2026
CENTRES = 40
PROJECTS = 4
ACCOUNTS = {"6100": "Travel", "6200": "Software", "6300": "Marketing", "6400": "Training"}


class Refused(Exception):
    """Tryton said no; the arguments are its own."""


class Hand:
    """Somebody who works in the database `name` of the server at `url`."""

    def __init__(
        self, url: str, name: str, login: str = ADMIN, password: str = PASSWORD, path: str = "/rpc/"
    ) -> None:
        self._http = httpx.Client(base_url=url, verify=False, timeout=60)
        self._path = f"/{name}{path}"
        self.user, token, *_ = self.call("common.db.login", login, {"password": password}, "en")
        session = b64encode(f"{login}:{self.user}:{token}".encode()).decode()
        self._http.headers["Authorization"] = f"Session {session}"

    def __enter__(self) -> "Hand":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, *params: Any) -> Any:
        """What Tryton answers to one call."""
        said = {"id": 1, "method": method, "params": params}
        answer = self._http.post(self._path, json=said).raise_for_status().json()
        if "error" in answer:
            raise Refused(method, answer["error"])
        return answer["result"]

    def model(self, name: str, method: str, *params: Any, **context: Any) -> Any:
        """A call of the model's method."""
        return self.call(f"model.{name}.{method}", *params, context)

    def make(self, model: str, *values: Mapping[str, Any]) -> list[int]:
        """New records, by their ids."""
        found: list[int] = self.model(model, "create", values)
        return found

    def find(self, model: str, *domain: Any) -> list[int]:
        """The ids of the records that meet the domain."""
        found: list[int] = self.model(model, "search", domain, 0, None, [["id", "ASC"]])
        return found

    def write(self, model: str, ids: list[int], **values: Any) -> None:
        """The records get the values."""
        self.model(model, "write", ids, values)

    def line(self, centre: str, month: str) -> int:
        """The line of that centre in the analytic budget of that month."""
        (found,) = self.find(
            "analytic_account.budget.line",
            ["account.code", "=", centre],
            ["budget.name", "=", month],
        )
        return found

    def amount(self, line: int) -> str:
        """What the line says."""
        (row,) = self.model("analytic_account.budget.line", "read", [line], ["amount"])
        return str(row["amount"]["decimal"])


def day(value: date) -> dict[str, Any]:
    """A day, as Tryton's JSON writes it."""
    return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}


def number(value: object) -> dict[str, str]:
    """A number, likewise."""
    return {"__class__": "Decimal", "decimal": str(value)}


def months(year: int = YEAR) -> Iterator[tuple[str, date, date]]:
    """Name, first and last day."""
    for month in range(1, 13):
        last = date(year, month, monthrange(year, month)[1])
        yield f"{year}-{month:02}", date(year, month, 1), last


def spend(centre: int, month: int) -> Decimal:
    """What the books plan for a cost centre's month; unlike for all, and with cents."""
    return Decimal(900 + 100 * centre) + Decimal(10 * month) + Decimal(centre * month) / 100


def share(centre: int, account: int) -> int:
    """What the books plan for an account of a centre in the whole year."""
    return 100 * (centre + account) + 1


def keep(hand: Hand, centres: int = CENTRES) -> None:
    """The books: a company, its year, accounts and centres, and their budgets for each month; for
    each centre an account budget too, whose four lines are a year's amount in twelfths. Beside
    them, under a root of their own, a few projects with budgets for two months."""
    company = _company(hand)
    year, periods = _fiscal_year(hand, company)
    accounts = _accounts(hand, company)
    spans = list(months())
    codes = [f"CC{n:04}" for n in range(1, centres + 1)]
    _monthly(hand, company, _analytic(hand, company, "Cost centres", "CC", codes), spans)
    _by_account(hand, company, year, periods, accounts, codes)
    codes = [f"PR{n}" for n in range(1, PROJECTS + 1)]
    _monthly(hand, company, _analytic(hand, company, "Projects", "PR", codes), spans[:2])
    _by_account(hand, company, year, periods[:2], accounts[:2], codes, ratio="0.5")
    _reader(hand, company)


def _company(hand: Hand) -> int:
    (usd,) = hand.make(
        "currency.currency",
        {
            "name": "US Dollar",
            "code": "USD",
            "symbol": "$",
            "digits": 2,
            "rounding": number("0.01"),
        },
    )
    (party,) = hand.make("party.party", {"name": "Acme"})
    (company,) = hand.make("company.company", {"party": party, "currency": usd})
    hand.write("res.user", [hand.user], companies=[["add", [company]]], company=company)
    return company


def _fiscal_year(hand: Hand, company: int) -> tuple[int, list[int]]:
    (kind,) = hand.find("ir.sequence.type", ["name", "=", "Account Move"])
    (sequence,) = hand.make(
        "ir.sequence.strict", {"name": "Moves", "sequence_type": kind, "company": company}
    )
    said = {"name": str(YEAR), "company": company, "move_sequence": sequence}
    span = {"start_date": day(date(YEAR, 1, 1)), "end_date": day(date(YEAR, 12, 31))}
    (year,) = hand.make("account.fiscalyear", {**said, **span})
    shared = {"fiscalyear": year, "type": "standard"}
    return year, hand.make(
        "account.period",
        *(
            {**shared, "name": name, "start_date": day(first), "end_date": day(last)}
            for name, first, last in months()
        ),
    )


def _accounts(hand: Hand, company: int) -> list[int]:
    (kind,) = hand.make(
        "account.account.type",
        {"name": "Expenses", "company": company, "statement": "income", "expense": True},
    )
    return hand.make(
        "account.account",
        *(
            {"code": code, "name": name, "company": company, "type": kind}
            for code, name in ACCOUNTS.items()
        ),
    )


def _analytic(hand: Hand, company: int, name: str, code: str, codes: list[str]) -> list[int]:
    """A root, and accounts below it."""
    model, said = "analytic_account.account", {"company": company, "state": "opened"}
    (root,) = hand.make(model, {**said, "name": name, "code": code, "type": "root"})
    below = {**said, "type": "normal", "root": root, "parent": root}
    named = ({**below, "code": each, "name": f"{name[:-1]} {n}"} for n, each in enumerate(codes, 1))
    return [root, *hand.make(model, *named)]


def _monthly(
    hand: Hand, company: int, analytic: list[int], spans: list[tuple[str, date, date]]
) -> None:
    root, *accounts = analytic
    shared = {"company": company, "root": root}
    budgets = hand.make(
        "analytic_account.budget",
        *(
            {**shared, "name": name, "start_date": day(first), "end_date": day(last)}
            for name, first, last in spans
        ),
    )
    hand.make(
        "analytic_account.budget.line",
        *(
            {"budget": budget, "account": account, "amount": number(-spend(n, month))}
            for month, budget in enumerate(budgets, 1)
            for n, account in enumerate(accounts, 1)
        ),
    )


def _by_account(
    hand: Hand,
    company: int,
    year: int,
    periods: list[int],
    accounts: list[int],
    codes: list[str],
    ratio: str = "0.0833",
) -> None:
    budgets = hand.make(
        "account.budget",
        *({"name": code, "company": company, "fiscalyear": year} for code in codes),
    )
    lines = hand.make(
        "account.budget.line",
        *(
            {"budget": budget, "account": account, "amount": number(-share(n, which))}
            for n, budget in enumerate(budgets, 1)
            for which, account in enumerate(accounts, 1)
        ),
    )
    hand.make(
        "account.budget.line.period",
        *(
            {"budget_line": line, "period": period, "ratio": number(ratio)}
            for line in lines
            for period in periods
        ),
    )


def _reader(hand: Hand, company: int) -> None:
    """A user who may read, and change budgets; and his key for REST."""
    groups = hand.find("res.group", ["name", "in", ["Accounting", "Account Budget"]])
    (user,) = hand.make(
        "res.user",
        {
            "login": READER,
            "name": "Reader",
            "password": READER_PASSWORD,
            "companies": [["add", [company]]],
            "company": company,
            "groups": [["add", groups]],
        },
    )
    hand.make("res.user.application", {"user": user, "application": "rest"})
