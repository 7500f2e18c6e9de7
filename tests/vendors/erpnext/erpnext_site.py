"""A site of ERPNext for tests: a sandbox with one company, and the documents that people make."""

from calendar import monthrange
from contextlib import contextmanager
from decimal import Decimal

from pydantic import SecretStr

from connectors.conformance import waitless
from connectors.erpnext.connector import Erpnext
from connectors.erpnext.declared import ErpnextSettings
from connectors.sandbox.erpnext.api import ErpnextSandbox
from connectors.sandbox.server import serve

KEY, SECRET = "erpnext_key_sandbox", "secret_canary_77c1"
COMPANY = "Acme Ltd"
TWELVE = ["100.00"] * 12


def months(year=2026):
    """First and last day of each month."""
    for month in range(1, 13):
        yield f"{year}-{month:02d}-01", f"{year}-{month:02d}-{monthrange(year, month)[1]}"


def rows(amounts, year=2026):
    """Rows of a distribution by months."""
    return [
        {"start_date": first, "end_date": last, "amount": Decimal(amount)}
        for (first, last), amount in zip(months(year), amounts, strict=False)
    ]


def budget(name, centre, account="Travel - AL", amounts=TWELVE, amount=None, **more):
    """A document from 16 on, submitted."""
    total = Decimal(amount) if amount is not None else sum(map(Decimal, amounts))
    return {
        "name": name, "company": COMPANY, "docstatus": 1, "cost_center": centre,
        "account": account, "from_fiscal_year": "2026", "to_fiscal_year": "2026",
        "budget_amount": total, "budget_distribution": rows(amounts), **more,
    }  # fmt: skip


def old_budget(name, centre, accounts, **more):
    """A document until 15, submitted."""
    return {
        "name": name, "company": COMPANY, "docstatus": 1, "cost_center": centre,
        "fiscal_year": "2026", "monthly_distribution": None,
        "accounts": [
            {"account": account, "budget_amount": Decimal(amount)}
            for account, amount in accounts.items()
        ],
        **more,
    }  # fmt: skip


def seed(budgets=(), **tables):
    """What a site has: the fiscal years 2026 and 2027, and the cost centres of its budgets."""
    centres = {each.get("cost_center") for each in budgets} - {None}
    return {
        "Fiscal Year": [
            {
                "name": f"{year}",
                "year_start_date": f"{year}-01-01",
                "year_end_date": f"{year}-12-31",
            }
            for year in (2026, 2027)
        ],
        "Cost Center": [{"name": each, "company": COMPANY} for each in centres],
        "Budget": list(budgets),
    } | tables


class Site:
    """A sandbox that is served, and connectors to it."""

    def __init__(self, served):
        self.served, self.url = served, served.url
        self.sandbox = served.sandbox
        self.opened = []

    def connector(self, secret=SECRET, page_size=None, **said):
        """A new one; it is closed with the site."""
        settings = ErpnextSettings(
            connector="erpnext", base_url=self.url, rate_limit="100000/1s",
            api_key=SecretStr(KEY), api_secret=SecretStr(secret), **said,
        )  # fmt: skip
        made = Erpnext("erp", settings, waitless())
        if page_size:
            made._site.page_size = page_size
        self.opened.append(made)
        return made

    def put(self, doctype, **row):
        """Somebody makes or changes a document."""
        return self.people("put", {"doctype": doctype, "row": row})

    def people(self, what, said):
        """Somebody works in ERPNext."""
        return self.sandbox.controls()[what](said)

    def paths(self):
        """What was asked, in order, without queries."""
        return [call["path"] for call in self.served.log]


@contextmanager
def site(budgets=(), *, token=SECRET, tables=None, **switches):
    """A site with these budgets."""
    sandbox = ErpnextSandbox(
        token=token, seed=seed(budgets, **(tables or {})), rate_limit="off", empty=True, **switches
    )
    with serve(sandbox) as served:
        found = Site(served)
        try:
            yield found
        finally:
            for each in found.opened:
                each.close()
