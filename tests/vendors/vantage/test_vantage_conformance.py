"""The Vantage connector keeps the contract, whichever way a PUT treats periods it does not name."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
from pydantic import SecretStr

from connectors.conformance import ConformanceSuite, World, waitless
from connectors.sandbox.server import serve
from connectors.sandbox.vantage import WORKSPACE, VantageSandbox
from connectors.vantage.connector import Vantage, VantageSettings

KEYS = {"connector": "vantage", "workspace_token": WORKSPACE, "currency": "USD"}


class TestVantage(ConformanceSuite):
    # Where a PUT keeps what it does not name, a start cannot be moved into a stored period.
    @pytest.fixture(params=[(True, frozenset()), (False, frozenset({"budget.start"}))])
    def world(self, request):
        switches = {"replaces_periods": request.param[0], "open_end": "empty"}
        sandbox = VantageSandbox(rate_limit="off", **switches)
        with ExitStack() as stack:
            served = stack.enter_context(serve(sandbox))

            def opened(token="vntg_sandbox", size=1000):
                sandbox.switches = sandbox.switches.model_copy(update={"largest_page": size})
                keys = KEYS | {"base_url": f"{served.url}/v2", "token": SecretStr(token)}
                runtime = replace(waitless(), patience=4000)
                return stack.enter_context(Vantage("vantage", VantageSettings(**keys), runtime))

            def garble(kind):
                rows = served.state["budgets"].rows()
                row = [row for row in rows if kind == "budget" or ":" in row["name"]][-1]
                served.state["budgets"].put(row | {"period_cadence": {"interval_count": 5}})

            def fault(kind, times):
                once_only = times == 1 and kind in ("lost_answer", "error_after", "garbage", "cut")
                served.faults.add(kind, times=times, method="POST" if once_only else None)

            yield World(connector=opened(), currencies=["USD"], fixed=request.param[1], secrets=["vntg_sandbox"], fault=fault, garble=garble, reopen=lambda size: opened(size=size), wrong_credential=lambda: opened("vntg_wrong"), calls=lambda: sum(call["method"] != "GET" for call in served.log))  # fmt: skip
