"""A BILL company whose sandbox stands still on one day, for the conformance kit; and desks."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from canonical.allocation import Enforcement
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.bill.connector import Bill
from connectors.bill.declared import BillSettings
from connectors.conformance import waitless
from connectors.contract.records import Draft
from connectors.sandbox.bill.api import BillSandbox
from connectors.sandbox.server import Served, serve
from tests.vendors.bill import desk as desks

TOKEN, NOW = "bill_canary_91c2", datetime(2026, 3, 10, 12, tzinfo=UTC)
APRIL = Period(date(2026, 4, 1), date(2026, 4, 30))
PEOPLE = [
    {"id": id, "firstName": "A", "lastName": "User", "email": f"{id}@x.com"}
    for id in ("boss", "u1", "u2", "u3", "u4")
]
KEYS = {"connector": "bill", "budget_groups": True, "default_owner": "boss"}
AMOUNT = Amount.of(1, "USD")
REFUSED = Budget(
    ref="r", name="R", amount=AMOUNT, cadence=Cadence.WEEKLY, enforcement=Enforcement.SOFT
)


@dataclass(frozen=True)
class Company:
    """The sandbox, and how to open it with a token and a page size."""

    served: Served
    opened: Callable[..., Bill]

    def fault(self, kind: str, times: int) -> None:
        written = times == 1 and kind in ("lost_answer", "error_after", "garbage", "cut")
        for method in ("POST", "PUT", "PATCH", "DELETE") if written else (None,):
            self.served.faults.add(kind, times=times, method=method)

    def garble(self, kind: Kind) -> None:
        rows = self.served.state["budgets" if kind is Kind.BUDGET else "members"]
        last = rows.rows()[-1]
        rows.put({name: last[name] for name in last if name != "retired"})

    def writes(self) -> int:
        return sum(call["method"] != "GET" for call in self.served.log)

    def refused(self) -> Draft:
        return Draft(model=REFUSED)


@pytest.fixture
def company() -> Iterator[Company]:
    sandbox = BillSandbox(token=TOKEN, rate_limit="off", seed={"users": PEOPLE}, now=NOW)
    with ExitStack() as stack:
        served = stack.enter_context(serve(sandbox))

        def opened(token: str = TOKEN, size: int = 100) -> Bill:
            sandbox.switches = sandbox.switches.model_copy(update={"largest_page": size})
            keys: Any = KEYS | {"base_url": served.url, "api_token": SecretStr(token)}
            runtime = replace(waitless(), now=lambda: NOW)
            return stack.enter_context(Bill("bill", BillSettings(**keys), runtime))

        yield Company(served, opened)


@pytest.fixture
def open_desk() -> Iterator[Callable[..., desks.Desk]]:
    with ExitStack() as stack:

        def opened(**switches: Any) -> desks.Desk:
            said = {"rate_limit": "off", "now": desks.NOW, **switches}
            return desks.Desk(stack, stack.enter_context(serve(BillSandbox(**said))))

        yield opened


@pytest.fixture
def desk(open_desk: Callable[..., desks.Desk]) -> desks.Desk:
    return open_desk()
