"""A desk: a VTEX connector at a served sandbox, and runs that keep it true to an ERP."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory
from connectors.sandbox.server import Served, serve
from connectors.sandbox.vtex.api import VtexSandbox
from connectors.vtex.connector import Vtex
from connectors.vtex.declared import VtexSettings
from sync.engine import Engine
from sync.report import Report
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

KEYS = {"app_key": SecretStr("app_key_sandbox"), "app_token": SecretStr("app_token_sandbox")}
USER = {"user_token": SecretStr("user_token_sandbox")}


class Desk:
    """A connector at a served sandbox, with a clock that sleeping and tests move."""

    def __init__(self, stack: ExitStack, **switches: Any) -> None:
        self._stack = stack
        self.served: Served = stack.enter_context(serve(VtexSandbox(rate_limit="off", **switches)))
        self.now = datetime.now(UTC)
        self.vtex = self.opened()

    def opened(self, **said: Any) -> Vtex:
        own = {} if "discover" in said else {"context_id": "unit-first"}
        keys = {} if "user_token" in said else KEYS
        settings = VtexSettings(
            connector="vtex", base_url=self.served.url, **{"currency": "USD", **keys, **own, **said}
        )
        runtime = Runtime(
            now=lambda: self.now, monotonic=lambda: self.now.timestamp(), sleep=self.sleep
        )
        return self._stack.enter_context(Vtex("vtex", settings, runtime))

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def calls(self) -> list[str]:
        """The calls since the last time, without what all paths begin with."""
        log = self.served.log
        self.served.sandbox.log.clear()
        prefix = "/api/budgets/UNIT/"
        return [f"{call['method']} {call['path'].removeprefix(prefix)}" for call in log]

    def budget(self, name: str = "Travel", **said: Any):
        return self.vtex.create(Draft(model=budget(name, **said), stamp=f"ref-{name}"), "k")

    def share(self, within: str, who: str = "ada", **said: Any):
        return self.vtex.create(share(within, who, **said), "k")


def budget(name: str = "Travel", **said: Any) -> Budget:
    return Budget(**{"ref": f"ref-{name}", "name": name, "amount": usd(1000), **said})


def share(within: str, who: str = "ada", **said: Any) -> Draft:
    entity = said.pop("entity", Entity("user", who))
    model = Allocation(ref=who, budget="", entity=entity, amount=usd(10), **said)
    return Draft(model=model, container=within, stamp=who)


def usd(number: Any) -> Amount:
    return Amount.of(number, "USD")


def listed(vtex: Vtex, kind: Kind = Kind.BUDGET, known: Any = None) -> dict[str, Any]:
    return {item.id: item for page in vtex.list(kind, known=known) for item in page.items}


def stated_share(amount: Amount, who: str = "ada", **said: Any) -> Allocation:
    """An allocation of the budget Travel, as a source states it."""
    entity = said.pop("entity", Entity("user", who))
    return Allocation(ref=who, budget="ref-Travel", entity=entity, amount=amount, **said)


def mirrored(stack: ExitStack, desk: Desk, folder: Any, vtex: Any = None, **said: Any) -> Any:
    """Runs a sync to the desk's connector from whichever source it is given."""
    store = Store.open("sqlite:///state.db", folder, lambda: desk.now)
    stack.callback(store.close)
    rules = ("max_changes", "max_removals", "max_money", "max_budget_change", "min_listing")
    free = Limits(**dict.fromkeys(rules))
    spec = SyncSpec(name="s", source="erp", target="vtex", parallel=1, limits=free, **said)

    def run(erp: Memory) -> Report:
        engine = Engine(spec, erp, vtex or desk.vtex, store, now=lambda: desk.now)
        return engine.run(desk.now.date(), command="run")

    return run
