"""A tenant of the Kaireon sandbox, and connectors to it whose clock is ours."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from canonical.budget import Budget
from canonical.change import Plan
from canonical.kind import Kind
from connectors.contract.runtime import Runtime
from connectors.kaireon.connector import Kaireon
from connectors.kaireon.declared import KaireonSettings
from connectors.memory.connector import Memory
from connectors.sandbox.kaireon.api import KaireonSandbox
from connectors.sandbox.server import Served, serve
from sync.engine import Engine, Verification
from sync.report import Report
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store
from tests.vendors.kaireon.stated import day

KEY = "krn_canary_7f21"
TODAY = date(2026, 3, 18)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)
EVERY_CADENCE = ("yearly", "once")


@dataclass
class Tenant:
    """A served sandbox; what we sleep is what our clock moves."""

    served: Served
    stack: ExitStack
    today: date = TODAY
    slept: list[float] = field(default_factory=list)

    def connector(self, key: str = KEY, **settings: Any) -> Kaireon:
        said = {"tenant_id": "acme", "currency": "USD", "rate_limit": "1000000/1s", **settings}
        address = f"{self.served.url}/api/v1"
        own = KaireonSettings(connector="kaireon", base_url=address, api_key=SecretStr(key), **said)
        runtime = Runtime(
            now=lambda: datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC),
            sleep=self.slept.append,
            monotonic=lambda: sum(self.slept),
        )
        return self.stack.enter_context(Kaireon("kaireon", own, runtime))

    def client(self, **headers: str) -> httpx.Client:
        sent = headers or {"Authorization": f"Bearer {KEY}", "X-Tenant-Id": "acme"}
        # Without TLS to load, a client costs 1 ms in place of 40.
        address = f"{self.served.url}/api/v1"
        return self.stack.enter_context(httpx.Client(base_url=address, headers=sent, verify=False))

    def rows(self) -> list[dict[str, Any]]:
        return self.served.state["budgets"].rows()

    def edit(self, where: str, **changed: Any) -> None:
        """Somebody changes the row of that period key, or with that id."""
        row = next(row for row in self.rows() if where in (row["id"], row["periodKey"]))
        self.served.state["budgets"].put(row | changed)

    def garble(self, kind: Kind) -> None:
        """Somebody gives the newest row of that kind a key that no period has."""
        of_kind = (row for row in self.rows() if (row["scope"] == "global") is (kind == "budget"))
        self.edit(next(of_kind)["id"], periodKey="soon")

    def calls(self) -> list[str]:
        """The methods called since the last time."""
        seen = [call["method"] for call in self.served.log]
        self.served.sandbox.log.clear()
        return seen


@pytest.fixture
def open_tenant() -> Iterator[Callable[..., Tenant]]:
    with ExitStack() as stack:

        def opened(**settings: Any) -> Tenant:
            slept: list[float] = []
            settings = {
                "token": KEY,
                "rate_limit": "off",
                "monotonic": lambda: sum(slept),
            } | settings
            served = stack.enter_context(serve(KaireonSandbox(**settings)))
            return Tenant(served, stack, slept=slept)

        yield opened


@pytest.fixture
def tenant(open_tenant: Callable[..., Tenant]) -> Tenant:
    return open_tenant()


class Mirror:
    """Called with budgets, puts them into the source, and runs; gives the report, and the methods
    of its writes."""

    def __init__(self, tenant: Tenant, folder: Path) -> None:
        self.tenant, self.source, self.folder = tenant, Memory("erp"), folder
        self.store = Store.open("sqlite:///s.db", folder, self.now)
        self.on_remove = OnRemove.KEEP
        self.spec: dict[str, int] = {}

    def now(self) -> datetime:
        today = self.tenant.today
        return datetime(today.year, today.month, today.day, 12, tzinfo=UTC)

    def engine(self) -> Engine:
        """One with a connector of its own, as in a process of its own."""
        spec = SyncSpec(
            name="s",
            source="erp",
            target="kaireon",
            limits=OPEN,
            parallel=1,
            on_remove=self.on_remove,
            **self.spec,
        )
        target = self.tenant.connector(emulate=EVERY_CADENCE)
        return Engine(spec, self.source, target, self.store, now=self.now)

    def __call__(self, *budgets: Budget, on: str | None = None) -> tuple[Report, list[str]]:
        self.tenant.today = day(on) or self.tenant.today
        self.source.put(*budgets)
        self.tenant.calls()
        report = self.engine().run(self.tenant.today, command="run")
        return report, [method for method in self.tenant.calls() if method != "GET"]

    def forget(self) -> None:
        """The state is lost."""
        self.store.close()
        (self.folder / "s.db").unlink()
        self.store = Store.open("sqlite:///s.db", self.folder, self.now)

    def planned(self) -> Plan:
        return self.engine().plan(self.tenant.today)

    def verified(self) -> Verification:
        return self.engine().verify(self.tenant.today)


@pytest.fixture
def mirror(tenant: Tenant, tmp_path: Path) -> Iterator[Mirror]:
    mirror = Mirror(tenant, tmp_path)
    yield mirror
    mirror.store.close()
