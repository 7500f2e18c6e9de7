"""The BILL connector keeps the contract, over HTTP, at any page size."""

import pytest

from canonical.allocation import Entity
from connectors.conformance import ConformanceSuite, World
from tests.vendors.bill.conftest import PEOPLE, TOKEN

VALUES = {
    "allocation.entity": [Entity("user", each["email"]) for each in PEOPLE[1:]],
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
            named=Entity("user", "U1@X.com"),
            nobody=Entity("user", "nobody@x.com"),
            listed_types=["user"],
            secrets=[TOKEN],
            fault=company.fault,
            garble=company.garble,
            reopen=lambda size: company.opened(size=size),
            refused=company.refused,
            wrong_credential=lambda: company.opened("bill_wrong"),
            break_off=company.served.faults.break_off,
            stored=company.served.state.records,
            calls=company.writes,
        )
