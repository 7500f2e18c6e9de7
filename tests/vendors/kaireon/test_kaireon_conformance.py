"""The Kaireon connector keeps the contract, over HTTP."""

from dataclasses import replace
from datetime import date

import pytest
from msgspec import structs

from canonical.kind import Kind
from connectors.conformance import ConformanceSuite, World, drafts
from connectors.kaireon.declared import CAPABILITIES


class TestKaireon(ConformanceSuite):
    @pytest.fixture
    def world(self, open_tenant):
        tenant = open_tenant(offers={"o1": "Premium card", "o2": "Loan"}, page_size=1)
        made = {kind: drafts(CAPABILITIES, kind, day=tenant.today) for kind in Kind}

        def short(kind, n, **said):  # each period is a call
            draft, span = next(made[kind]), {"start": date(2026, 1, 1), "end": date(2026, 6, 30)}
            return replace(draft, model=structs.replace(draft.model, **span, **said))

        def fault(kind, times):
            if kind in ("repeat_cursor", "page_drift"):
                raise NotImplementedError("no pages")
            for method in ("POST", "PUT", "DELETE") if times == 1 else (None,):
                # Only what is whole is found by a probe: of six rows the last is the lost one.
                last = method == "POST" and kind in ("lost_answer", "error_after", "cut", "garbage")
                every = 6 if last else 1
                tenant.served.faults.add(kind, times=times, method=method, every=every)

        return World(
            connector=tenant.connector(),
            currencies=["USD"],
            values={"budget.dimensions": [{"channel": "email"}, {"channel": "sms"}]},
            fresh_draft=short,
            listed_types=["offer"],
            secrets=["krn_canary_7f21"],
            refused=lambda: short(Kind.BUDGET, 0, name="x" * 256),
            wrong_credential=lambda: tenant.connector("krn_wrong"),
            garble=tenant.garble,
            fault=fault,
            break_off=tenant.served.faults.break_off,
            stored=tenant.served.state.records,
            calls=lambda: sum(each["method"] != "GET" for each in tenant.served.log),
        )
