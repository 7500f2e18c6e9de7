"""A run for another day than today: what is sent counts on that day, at every vendor."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.bill.connector import Bill
from connectors.bill.declared import BillSettings
from connectors.contract.interface import Connector
from connectors.contract.runtime import Runtime
from connectors.kaireon.connector import Kaireon
from connectors.kaireon.declared import KaireonSettings
from connectors.memory.connector import Memory
from connectors.sandbox.bill.api import BillSandbox
from connectors.sandbox.kaireon.api import KaireonSandbox
from connectors.sandbox.server import serve
from sync.engine import Engine
from sync.spec import SyncSpec
from sync.state.store import Store

NOVEMBER = datetime(2026, 11, 27, 12, tzinfo=UTC)
JANUARY, FEBRUARY = date(2027, 1, 10), date(2027, 2, 10)


def usd(number: int) -> Amount:
    return Amount.of(number, "USD")


@pytest.fixture
def connected() -> Iterator[Any]:
    with ExitStack() as stack:
        runtime = Runtime(now=lambda: NOVEMBER, sleep=lambda seconds: None)

        def bill() -> Connector:
            served = stack.enter_context(serve(BillSandbox(rate_limit="off", now=NOVEMBER)))
            said: dict[str, Any] = {"connector": "bill", "base_url": served.url}
            said["api_token"] = SecretStr("bill_sandbox_token")
            return stack.enter_context(Bill("bill", BillSettings(**said), runtime))

        def kaireon() -> Connector:
            served = stack.enter_context(serve(KaireonSandbox(token="k", rate_limit="off")))
            said: dict[str, Any] = {"connector": "kaireon", "tenant_id": "acme", "currency": "USD"}
            said |= {"base_url": f"{served.url}/api/v1", "api_key": SecretStr("k")}
            return stack.enter_context(Kaireon("kaireon", KaireonSettings(**said), runtime))

        yield {"bill": bill, "kaireon": kaireon}


@pytest.mark.parametrize("vendor", ["bill", "kaireon"])
def test_a_run_for_a_month_sends_that_months_amount(
    connected: Any, vendor: str, tmp_path: Path
) -> None:
    months = [
        Phase(Period(date(2027, 1, 1), date(2027, 1, 31)), usd(100)),
        Phase(Period(date(2027, 2, 1), date(2027, 12, 31)), usd(250)),
    ]
    source, target = Memory("erp"), connected[vendor]()
    source.put(
        Budget(
            ref="B",
            name="B",
            amount=usd(100),
            cadence=Cadence.MONTHLY,
            start=date(2027, 1, 1),
            end=date(2027, 12, 31),
            phases=tuple(months),
        )
    )
    with closing(Store.open("sqlite:///state.db", tmp_path, lambda: NOVEMBER)) as store:
        spec = SyncSpec(name="s", source="erp", target=vendor)
        engine = Engine(spec, source, target, store, now=lambda: NOVEMBER)

        for day, amount in ((JANUARY, usd(100)), (FEBRUARY, usd(250)), (JANUARY, usd(100))):
            for change in engine.plan(day).changes:
                assert change.desired is not None
                assert change.desired.amount == amount
            report = engine.run(day, command="test")
            assert report.plan is not None
            assert report.plan.guards == ()
            assert report.verified, report.to_data()
            with target.on(day):
                (item,) = [i for page in target.list(Kind.BUDGET) for i in page.items]
                assert item.model.amount == amount
        assert target.day() is None
