"""The VTEX connector keeps the contract, over HTTP."""

from contextlib import ExitStack

import pytest

from connectors.conformance import ConformanceSuite, World, waitless
from connectors.sandbox.server import serve
from connectors.sandbox.vtex.api import VtexSandbox
from connectors.vtex.connector import Vtex

TOKEN = "app_token_canary_91c2"


class TestVtex(ConformanceSuite):
    @pytest.fixture
    def world(self):
        with ExitStack() as stack:
            served = stack.enter_context(serve(VtexSandbox(token=TOKEN, rate_limit="off")))
            said = {"connector": "vtex", "base_url": served.url, "app_key": "app_key_sandbox"}
            said |= {"context_id": "unit-first", "currency": "USD", "rate_limit": "9999/1s"}

            def opened(token=TOKEN, page_size=50):
                settings = Vtex.Settings(**said, app_token=token, page_size=page_size)
                return stack.enter_context(Vtex("vtex", settings, waitless()))

            yield World(
                connector=opened(),
                currencies=["USD"],
                unknown_id="unit-first/no-such-object",
                secrets=[TOKEN],
                wrong_credential=lambda: opened("wrong"),
                reopen=lambda size: opened(page_size=size),
                fault=lambda kind, times: served.faults.add(kind, times=times),
                break_off=served.faults.break_off,
                stored=served.state.records,
                calls=lambda: sum(call["method"] != "GET" for call in served.log),
                garble=lambda kind: served.state[f"{kind}s"].put(
                    served.state[f"{kind}s"].rows()[0] | {"status": "ODD"}
                ),
            )
