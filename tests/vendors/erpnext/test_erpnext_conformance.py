"""The ERPNext connector keeps the contract as a source, over HTTP, with budgets of both forms."""

import pytest

from connectors.conformance import ConformanceSuite, World
from tests.vendors.erpnext.erpnext_site import KEY, SECRET, budget, old_budget, site

CENTRES = [f"Centre {n} - AL" for n in range(4)]
NEW = [budget(f"BUDGET-{n:08d}", centre) for n, centre in enumerate(CENTRES)]
OLD = [old_budget(f"{centre}/2026/001", centre, {"Travel - AL": "1200.00"}) for centre in CENTRES]
AMOUNT = {"budget_amount": "a lot"}


@pytest.fixture(scope="class")
def erp(request):
    """The site of a class of checks; each of them begins with it as it was."""
    own = request.cls
    with site(own.documents, lists_tables=own.tables) as found:
        yield found


class _Reading(ConformanceSuite):
    documents: list
    broken: dict
    tables = False

    @pytest.fixture
    def world(self, erp):
        erp.sandbox.reset()
        return World(
            connector=erp.connector(),
            read_only=True,
            secrets=[SECRET, KEY],
            wrong_credential=lambda: erp.connector("wrong"),
            garble=lambda kind: erp.put("Budget", name=self.documents[2]["name"], **self.broken),
            fault=lambda kind, times: erp.served.faults.add(kind, times=times),
            calls=lambda: sum(call["method"] != "GET" for call in erp.served.log),
            stored=erp.served.state.records,
        )


class TestErpnext(_Reading):
    """One account a document."""

    documents, broken = NEW, AMOUNT


@pytest.mark.faults
class TestErpnextByTables(_Reading):
    """Their rows together."""

    documents, broken, tables = NEW, AMOUNT, True


@pytest.mark.faults
class TestErpnextUntil15(_Reading):
    """Several accounts a document."""

    documents, broken = OLD, {"accounts": [{"account": "Travel - AL", **AMOUNT}]}
