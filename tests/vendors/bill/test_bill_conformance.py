"""The BILL connector keeps the contract, over HTTP, at any page size."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pydantic import SecretStr

from canonical.allocation import Enforcement, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.change import Kind
from canonical.period import Cadence, Period
from connectors.bill.connector import Bill, BillSettings
from connectors.conformance import ConformanceSuite, World, waitless
from connectors.interface import Draft
from connectors.sandbox.bill import BillSandbox
from connectors.sandbox.server import serve

TOKEN, NOW = "bill_canary_91c2", datetime(2026, 3, 10, 12, tzinfo=UTC)
APRIL = Period(date(2026, 4, 1), date(2026, 4, 30))
PEOPLE = [
    {"id": id, "firstName": "A", "lastName": "User", "email": f"{id}@x.com"}
    for id in ("boss", "u1", "u2", "u3", "u4")
]
VALUES = {
    "allocation.entity": [Entity("user", each["email"]) for each in PEOPLE[1:]],
    "budget.phases": [(Phase(APRIL, Amount.of(number, "USD")),) for number in (60, 70)],
}
FIXED = frozenset({"budget.parent", "allocation.entity"})
KEYS = {"connector": "bill", "budget_groups": True, "default_owner": "boss"}
AMOUNT = Amount.of(1, "USD")
REFUSED = Budget(
    ref="r", name="R", amount=AMOUNT, cadence=Cadence.WEEKLY, enforcement=Enforcement.SOFT
)


class TestBill(ConformanceSuite):
    @pytest.fixture
    def world(self):
        sandbox = BillSandbox(token=TOKEN, rate_limit="off", seed={"users": PEOPLE}, now=NOW)
        with ExitStack() as stack:
            served = stack.enter_context(serve(sandbox))

            def opened(token=TOKEN, size=100):
                sandbox.switches = sandbox.switches.model_copy(update={"largest_page": size})
                settings = BillSettings(**KEYS, base_url=served.url, api_token=SecretStr(token))
                runtime = replace(waitless(), now=lambda: NOW)
                return stack.enter_context(Bill("bill", settings, runtime))

            def fault(kind, times):
                written = times == 1 and kind in ("lost_answer", "error_after", "garbage", "cut")
                for method in ("POST", "PUT", "PATCH", "DELETE") if written else (None,):
                    served.faults.add(kind, times=times, method=method)

            def garble(kind):
                rows = served.state["budgets" if kind is Kind.BUDGET else "members"]
                last = rows.rows()[-1]
                rows.put({name: last[name] for name in last if name != "retired"})

            yield World(connector=opened(), currencies=["USD"], values=VALUES, fixed=FIXED, secrets=[TOKEN], fault=fault, garble=garble, reopen=lambda size: opened(size=size), refused=lambda: Draft(model=REFUSED), wrong_credential=lambda: opened("bill_wrong"), calls=lambda: sum(call["method"] != "GET" for call in served.log))  # fmt: skip
