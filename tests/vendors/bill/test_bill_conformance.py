"""The BILL connector keeps the contract, over HTTP, at any page size."""

import pytest

from canonical.allocation import Entity
from canonical.amount import Amount
from canonical.budget import Phase
from connectors.conformance import ConformanceSuite, World
from tests.vendors.bill.conftest import APRIL, PEOPLE, TOKEN

VALUES = {
    "allocation.entity": [Entity("user", each["email"]) for each in PEOPLE[1:]],
    "budget.phases": [(Phase(APRIL, Amount.of(number, "USD")),) for number in (60, 70)],
}
FIXED = frozenset({"budget.parent", "allocation.entity"})


class TestBill(ConformanceSuite):
    @pytest.fixture
    def world(self, company):
        return World(
            connector=company.opened(),
            currencies=["USD"],
            values=VALUES,
            fixed=FIXED,
            secrets=[TOKEN],
            fault=company.fault,
            garble=company.garble,
            reopen=lambda size: company.opened(size=size),
            refused=company.refused,
            wrong_credential=lambda: company.opened("bill_wrong"),
            calls=company.writes,
        )
