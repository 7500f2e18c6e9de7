"""A desk at a BILL company: connectors to its sandbox, and what they are told."""

from datetime import UTC, datetime

from msgspec.structs import replace
from pydantic import SecretStr

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.period import Cadence
from connectors.bill.connector import Bill
from connectors.bill.declared import BillSettings
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime

NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
TOKEN = "bill_sandbox_token"
ADA, GRACE = "VXNlcjox", "VXNlcjoy"


class Desk:
    """Connectors to one sandbox, under one clock that only sleeping moves."""

    def __init__(self, stack, served):
        self.stack, self.served = stack, served
        self.now, self.slept = NOW, []
        self.rows = served.state

    def open(self, **settings):
        said = {"connector": "bill", "base_url": self.served.url, **settings}
        said.setdefault("api_token", SecretStr(TOKEN))
        runtime = Runtime(
            now=lambda: self.now, sleep=self.slept.append, monotonic=lambda: sum(self.slept)
        )
        return self.stack.enter_context(Bill("bill", BillSettings(**said), runtime))

    def move(self, now):
        self.now = datetime.fromisoformat(now)
        self.served.sandbox.controls()["clock"]({"now": now})

    def calls(self):
        """What was called since the last time it was asked."""
        seen = [
            (call["method"], call["path"].removeprefix("/v3/spend")) for call in self.served.log
        ]
        self.served.sandbox.log.clear()
        return seen


def usd(number):
    return Amount.of(number, "USD")


def budget(**changed):
    model = Budget(ref="CC1", name="Travel", amount=usd("100.50"), cadence=Cadence.MONTHLY)
    return Draft(model=replace(model, **changed), stamp="CC1")


def share(container, user="grace@example.com", number="20.25"):
    model = Allocation(ref="a", budget="CC1", entity=Entity("user", user), amount=usd(number))
    return Draft(model=model, container=container)


def listed(bill, kind, known=None):
    return {item.id: item for page in bill.list(kind, known=known) for item in page.items}
