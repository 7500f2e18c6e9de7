"""A tenant of the Kaireon sandbox, and connectors to it whose clock is ours."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from canonical.change import Kind
from connectors.contract.runtime import Runtime
from connectors.kaireon.connector import Kaireon
from connectors.kaireon.declared import KaireonSettings
from connectors.sandbox.kaireon.api import KaireonSandbox
from connectors.sandbox.server import Served, serve

KEY = "krn_canary_7f21"
TODAY = date(2026, 3, 18)


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
            settings = {"token": KEY, "rate_limit": "off", **settings}
            return Tenant(stack.enter_context(serve(KaireonSandbox(**settings))), stack)

        yield opened


@pytest.fixture
def tenant(open_tenant: Callable[..., Tenant]) -> Tenant:
    return open_tenant()
