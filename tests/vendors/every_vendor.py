"""One vendor's sandbox, a connector set up as in the demo, and runs by a clock that both share."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.period import Cadence
from config.load import load
from config.wiring import connect
from connectors.contract.interface import Connector
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory
from connectors.sandbox.__main__ import load as load_sandbox
from connectors.sandbox.server import serve
from sync.engine import Engine
from sync.report import Report
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store
from trueup.demo_settings import FOLLOWERS, settings_text

BEGAN = datetime(2026, 3, 15, 12, tzinfo=UTC)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None,
              min_listing=None)  # fmt: skip
SHARED = {
    "vtex": Entity("user", "ada@example.com"), "brex": Entity("account", "6100"),
    "bill": Entity("user", "grace@example.com"), "vantage": Entity("account", "6100"),
    "kaireon": Entity("offer", "summer"),
}  # fmt: skip
"""Whom a share may be for, at each vendor."""
REMOVE = dict.fromkeys(SHARED, OnRemove.RETIRE) | dict.fromkeys(
    ("vantage", "kaireon"), OnRemove.DELETE
)
SHARES = {"vtex": "allocations", "brex": "spend_limits", "bill": "members", "vantage": "budgets",
          "kaireon": "budgets"}  # fmt: skip
"""The table of the sandbox that holds shares."""


class Account:
    """At the vendor `name`; a sleep moves the clock of everyone and nothing else."""

    def __init__(self, name: str, folder: Path, stack: ExitStack, **switches: Any) -> None:
        self.name, self._folder, self._stack, self._slept = name, folder, stack, 0.0
        said: dict[str, Any] = {"now": BEGAN} if name == "bill" else {}
        said |= {"token": "canary", "rate_limit": "off", "monotonic": lambda: self._slept}
        sandbox = load_sandbox(name)(**said, **switches)
        self.served = stack.enter_context(serve(sandbox))
        for each in (*(f"{vendor}.token" for vendor in FOLLOWERS), "vtex.key"):
            (folder / each).touch(mode=0o600)
            (folder / each).write_text("app_key_sandbox" if each == "vtex.key" else "canary")
        (folder / "trueup.toml").write_text(settings_text(dict.fromkeys(FOLLOWERS, self.url)))
        self.source = Memory("erp")
        self.store = Store.open("sqlite:///s.db", folder, self.now)
        stack.callback(self.store.close)

    @property
    def url(self) -> str:
        """Where the sandbox answers."""
        return self.served.url

    def now(self) -> datetime:
        """The time of the runs."""
        return BEGAN + timedelta(seconds=self._slept)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._slept += seconds

    def opened(self) -> Connector:
        """A connector, as a new process has it."""
        runtime = Runtime(self._folder, self.now, lambda: self._slept, self.sleep)
        settings = load(self._folder / "trueup.toml")
        return self._stack.enter_context(connect(settings, self.name, runtime))

    def run(self, *allow: str) -> Report:
        """One run, as in a process of its own."""
        spec = SyncSpec(
            name="s",
            source="erp",
            target=self.name,
            limits=OPEN,
            parallel=1,
            on_remove=REMOVE[self.name],
        )
        engine = Engine(spec, self.source, self.opened(), self.store, now=self.now)
        return engine.run(self.now().date(), command="run", allow=allow)

    def rows(self, table: str = "budgets") -> list[dict[str, Any]]:
        """What is there in truth."""
        return self.served.state[table].rows()

    def stated(self, name: str = "Travel") -> tuple[Budget, Allocation]:
        """A budget of this month and a share of it, as a source states them."""
        first = self.now().date().replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        money = Amount.of(1000, "USD")
        said: dict[str, Any] = {"cadence": Cadence.MONTHLY, "start": first, "end": last}
        if self.name == "bill":
            said["owners"] = ("ada@example.com",)
        budget = Budget(ref=f"B-{name}", name=name, amount=money, **said)
        part = Amount.of(100, "USD")
        entity = SHARED[self.name]
        share = Allocation(ref=f"S-{name}", budget=budget.ref, entity=entity, amount=part)
        return budget, share
