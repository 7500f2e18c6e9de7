"""The Vantage connector keeps the contract, whichever way a PUT treats periods it does not name."""

from contextlib import ExitStack

import pytest

from connectors.conformance import ConformanceSuite, World, waitless
from connectors.sandbox.server import serve
from connectors.sandbox.vantage.api import WORKSPACE, VantageSandbox
from connectors.vantage.connector import Vantage

KEYS = {"connector": "vantage", "workspace_token": WORKSPACE, "currency": "USD"}
TITLES = {"rprt_1": "AWS", "rprt_2": "Datadog"}
OF_A_WRITE = {("cut", 1), ("garbage", 1)}  # a reading comes first, and is not meant


class TestVantage(ConformanceSuite):
    @pytest.fixture(params=[{"replaces_periods": True}, {"replaces_periods": False}])
    def world(self, request):
        sandbox = VantageSandbox(
            rate_limit="9999/1m", open_end="empty", titles=TITLES, **request.param
        )
        with ExitStack() as stack:
            served, table = stack.enter_context(serve(sandbox)), sandbox.state["budgets"]

            def opened(token="vntg_sandbox", **switches):
                sandbox.switches = sandbox.switches.model_copy(update=switches)
                told = Vantage.Settings(**KEYS, base_url=f"{served.url}/v2", token=token)
                return stack.enter_context(Vantage("vantage", told, waitless()))

            yield World(
                connector=opened(),
                currencies=["USD"],
                secrets=["vntg_sandbox"],
                wrong_credential=lambda: opened("vntg_wrong"),
                listed_types=["cost_report"],
                reopen=lambda size: opened(largest_page=size),
                garble=lambda kind: table.put(table.rows()[-1] | {"period_cadence": "odd"}),
                break_off=served.faults.break_off,
                stored=sandbox.state.records,
                calls=lambda: sum(call["method"] != "GET" for call in served.log),
                fault=lambda kind, times: served.faults.add(
                    kind, times=times, method="POST" if (kind, times) in OF_A_WRITE else None
                ),
            )
