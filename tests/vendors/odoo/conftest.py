"""An Odoo to work in: a sandbox over HTTP, connectors to it, and a hand that keeps its budgets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from canonical.allocation import Allocation, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Period
from canonical.problem import Problem
from canonical.spent import Spent
from connectors.contract.runtime import Runtime
from connectors.odoo.connector import Odoo
from connectors.odoo.declared import OdooSettings
from connectors.sandbox.odoo.api import OdooSandbox
from connectors.sandbox.server import Served, serve

PASSWORD = "odoo_canary_5f3a"
LINES, DOCUMENTS = "crossovered.budget.lines", "crossovered.budget"
ACCOUNTS, POSITIONS = "account.analytic.account", "account.budget.post"
TODAY = datetime(2026, 3, 15, 12, tzinfo=UTC)


@dataclass
class Erp:
    """A served Odoo. The fresh one plans the months of 2026: 0110 by two positions, 0210 and an
    account without a code by one."""

    served: Served
    stack: ExitStack
    slept: list[float] = field(default_factory=list)

    def connector(self, **settings: Any) -> Odoo:
        """A connector of the user's, or under the credential that is given."""
        said = {"login": "trueup", "password": PASSWORD} if "key" not in settings else {}
        address = {"base_url": self.served.url, "database": "sandbox", "rate_limit": "1000000/1s"}
        own = OdooSettings.model_validate({"connector": "odoo", **address, **said, **settings})
        runtime = Runtime(
            now=lambda: TODAY, sleep=self.slept.append, monotonic=lambda: sum(self.slept)
        )
        return self.stack.enter_context(Odoo("erp", own, runtime))

    def rows(self, model: str, **like: Any) -> list[dict[str, Any]]:
        """The records of a model that have these values."""
        rows = self.served.state[model].rows()
        return [row for row in rows if all(row[name] == value for name, value in like.items())]

    def put(self, model: str, **values: Any) -> dict[str, Any]:
        """Somebody makes a record, or gives the one of that id other values."""
        before = self.served.state[model].get(values.get("id", 0)) or {}
        row = self.served.sandbox.completed(model, before | values)
        self.served.state[model].put(row)
        return row

    def line(self, account: int, month: int, position: int = 1) -> dict[str, Any]:
        """The line of an account, a position and a month."""
        first = f"2026-{month:02}-01"
        (row,) = self.rows(
            LINES, analytic_account_id=account, general_budget_id=position, date_from=first
        )
        return row

    def plan(self, account: int, amount: str, first: str, last: str, **more: Any) -> dict[str, Any]:
        """Somebody makes a line."""
        said = {"analytic_account_id": account, "planned_amount": Decimal(amount)}
        span = {"date_from": first, "date_to": last, "company_id": 1}
        return self.put(LINES, **{"crossovered_budget_id": 1, **said, **span, **more})

    def with_actuals(self) -> dict[str, Any]:
        """A second budget, which keeps what is spent; the settings that name both."""
        self.put(DOCUMENTS, id=1, name="Budget 2026", state="validate", company_id=1)
        self.put(DOCUMENTS, id=50, name="Actuals 2026", state="draft", company_id=1)
        return {"names": ["Budget*"], "actuals_budget": "Actuals*"}

    def spent_of_another(self) -> Spent:
        """What was spent in March of an account like no other, which both budgets have lines for."""
        row = self.put(ACCOUNTS, name="Another", company_id=1)
        ref = f"C{row['id']}"
        self.put(ACCOUNTS, id=row["id"], code=ref)
        for document in (1, 50):
            said = {"crossovered_budget_id": document}
            self.plan(row["id"], "0", "2026-03-01", "2026-03-31", **said)
        return spent(ref)

    def writes(self) -> list[str]:
        """The calls that wrote since the last time."""
        seen = [call["path"] for call in self.served.log if call["method"] != "GET"]
        self.served.sandbox.log.clear()
        return seen

    def asked(self, ending: str) -> int:
        """How many calls of that model and method there were."""
        return sum(call["path"].endswith(ending) for call in self.served.log)

    def budgets(self, **settings: Any) -> tuple[dict[str, Budget], list[Problem]]:
        """What a connector lists, by ref, and what it cannot read."""
        (page,) = self.connector(**settings).list(Kind.BUDGET)
        return {each.id: each.model for each in page.items}, [*page.problems]

    def shares(self, **settings: Any) -> tuple[dict[str, Allocation], list[Problem]]:
        """The same of allocations."""
        connector = self.connector(**settings)
        [*connector.list(Kind.BUDGET)]
        (page,) = connector.list(Kind.ALLOCATION)
        return {each.id: each.model for each in page.items}, [*page.problems]


def spent(ref: str = "0210", amount: str = "12.34", unit: str = "USD", **said: Any) -> Spent:
    """What a platform has seen spent of that budget in March."""
    row = Spent(
        system="brex", sync="mirror", kind=Kind.BUDGET, ref=ref, budget_ref=None, name=ref,
        target_id=f"b-{ref}", above=None, status=Status.ACTIVE, amount=None,
        spent=Amount.of(amount, unit), pending=None, remaining=None, at=None, source="erp",
        period=Period(date(2026, 3, 1), date(2026, 3, 31)),
    )  # fmt: skip
    return replace(row, **said)


Opened = Callable[..., Erp]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens an Odoo with these switches."""
    with ExitStack() as stack:

        def opened(**switches: Any) -> Erp:
            said = {"year": 2026, **switches}
            sandbox = OdooSandbox(token=PASSWORD, rate_limit="off", **said)
            return Erp(stack.enter_context(serve(sandbox)), stack)

        yield opened


@pytest.fixture
def erp(opened: Opened) -> Erp:
    return opened()
