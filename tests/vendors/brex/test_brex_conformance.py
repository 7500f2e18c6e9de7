"""The Brex connector keeps the contract, over HTTP."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pydantic import SecretStr

from canonical.allocation import Entity
from connectors.brex.connector import Brex
from connectors.brex.declared import BrexSettings
from connectors.conformance import ConformanceSuite, World, waitless
from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import serve

TOKEN = "bxt_canary_91c2"
USERS = ("u1", "owner-1", "owner-2")
THINGS = {"departments": {"d1": "One", "d2": "Two"}, "legal_entities": {"l1": "Acme"}}
SETTINGS = {"parent_budget_id": "budget_root", "expense_policy_id": "policy_default"}


class TestBrex(ConformanceSuite):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        with ExitStack() as stack:
            sandbox = BrexSandbox(token=TOKEN, rate_limit="off", users=USERS, **THINGS)
            served = stack.enter_context(serve(sandbox))

            def opened(token: str = TOKEN) -> Brex:
                settings: Any = {"connector": "brex", "base_url": served.url, **SETTINGS}
                settings["token"] = SecretStr(token)
                return stack.enter_context(Brex("brex", BrexSettings(**settings), waitless()))

            yield World(
                connector=opened(),
                values={"allocation.entity": [Entity("user", "u1"), Entity("account", "6100")]},
                named=Entity("user", "u1@example.com"),
                nobody=Entity("user", "nobody@example.com"),
                listed_types=["user", "department", "legal_entity"],
                secrets=[TOKEN],
                wrong_credential=lambda: opened("bxt_wrong"),
                fault=lambda kind, times: served.faults.add(kind, times=times),
                break_off=served.faults.break_off,
                stored=served.state.records,
                calls=lambda: sum(call["method"] != "GET" for call in served.log),
            )
