"""The Odoo connector keeps the contract, as far as Odoo can be told.

Nothing is made in Odoo by it, so the checks of writing that can be made are those of amounts: there
the budgets are made by somebody who works in Odoo.
"""

from dataclasses import dataclass
from itertools import count
from typing import ClassVar
from uuid import uuid4

import pytest
from msgspec import structs

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind
from canonical.period import Cadence, add_months, moved, period_of
from connectors.conformance import ConformanceSuite, World
from connectors.conformance.leaving import Leaving
from connectors.conformance.writing import Writing
from connectors.contract.records import Draft
from tests.vendors.odoo.conftest import ACCOUNTS, PASSWORD, TODAY

_NO_PAGES = ("repeat_cursor", "page_drift")


class _Reading(ConformanceSuite):
    """What is there is read; nothing is written."""

    said: ClassVar[dict[str, object]] = {}
    switches: ClassVar[dict[str, object]] = {}

    @pytest.fixture
    def world(self, opened):
        erp = opened(**self.switches)

        def garble(kind):
            line = erp.line(2 if kind is Kind.ALLOCATION else 1, 3)
            erp.put("crossovered.budget.lines", **line | {"planned_amount": False})

        def fault(kind, times):
            if kind in _NO_PAGES:
                raise NotImplementedError("a listing is one page")
            erp.served.faults.add(kind, times=times)

        wrong = {"key": "wrong"} if self.said else {"password": "wrong"}
        return World(
            connector=erp.connector(**self.said, **erp.with_actuals()),
            spent_of=erp.spent_of_another,
            read_only=True,
            secrets=[PASSWORD],
            wrong_credential=lambda: erp.connector(**wrong),
            garble=garble,
            fault=fault,
            calls=lambda: sum(call["method"] != "GET" for call in erp.served.log),
        )


class TestOdoo(_Reading):
    """Over JSON-RPC."""


@pytest.mark.faults
class TestOdooByKey(_Reading):
    """Over JSON-2."""

    said: ClassVar = {"key": PASSWORD}
    switches: ClassVar = {"version": 19}


@dataclass(kw_only=True)
class _Worked(World):
    """A world in which somebody makes the budgets in Odoo, for all months of the year."""

    erp: object = None

    def create(self, draft):
        model = draft.model
        account = self.erp.put(ACCOUNTS, name=model.name, code=model.ref, company_id=1)["id"]
        first = model.start
        while first <= model.end:
            amount = model.in_force(first).value
            last = moved(add_months(first, 1), -1)
            self.erp.plan(account, -amount, f"{first}", f"{last}")
            first = moved(last, 1)
        return self.connector.get(Kind.BUDGET, model.ref)


@pytest.mark.parametrize("said", [{}, {"key": PASSWORD}], ids=["json-rpc", "json-2"])
class TestOdooAmounts:
    """Amounts are written."""

    @pytest.fixture
    def world(self, opened, said):
        erp, numbers = opened(version=19, empty=True), count()
        erp.put("crossovered.budget", id=1, name="Budget 2026", state="validate", company_id=1)
        months = [
            period_of(Cadence.MONTHLY, add_months(TODAY.date().replace(day=1), n)) for n in (0, 1)
        ]

        def fresh(kind, n):
            ref = f"K{uuid4().hex[:6]}"
            model = Budget(
                ref=ref, name=f"Centre {ref}", amount=Amount.of(100 + next(numbers), "USD"),
                cadence=Cadence.MONTHLY,
            )  # fmt: skip
            return Draft(model=structs.replace(model, start=months[0].start, end=months[1].end))

        def phases(step):
            return tuple(Phase(s, Amount.of(50 + step * n, "USD")) for n, s in enumerate(months, 1))

        return _Worked(
            connector=erp.connector(**said),
            erp=erp,
            currencies=["USD"],
            values={"budget.phases": [phases(1), phases(2)]},
            fresh_draft=fresh,
            calls=lambda: sum(call["method"] != "GET" for call in erp.served.log),
        )

    @pytest.mark.parametrize("field", ["amount", "phases"])
    def test_2_2_1_update_changes_the_named_field_alone(self, world, field):
        Writing().test_2_2_1_update_changes_the_named_field_alone(world, Kind.BUDGET, field)

    def test_2_2_3_update_of_nothing_changes_nothing(self, world):
        Writing().test_2_2_3_update_of_nothing_changes_nothing(world, Kind.BUDGET)

    def test_2_2_4_update_leaves_other_objects_alone(self, world):
        Writing().test_2_2_4_update_leaves_other_objects_alone(world, Kind.BUDGET)

    def test_2_2_5_update_of_an_unknown_id_raises_missing(self, world):
        Writing().test_2_2_5_update_of_an_unknown_id_raises_missing(world, Kind.BUDGET)

    @pytest.mark.parametrize("verb", ["retire", "delete"])
    def test_2_3_7_removal_that_is_not_declared_is_unsupported(self, world, verb):
        Writing().test_2_3_7_removal_that_is_not_declared_is_unsupported(world, verb)

    def test_4_1_1_a_write_that_may_not_leave_changes_nothing(self, world):
        Leaving().test_4_1_1_a_write_that_may_not_leave_changes_nothing(
            world, Kind.BUDGET, "update"
        )

    def test_4_1_3_a_write_that_may_leave_is_asked_for_and_done(self, world):
        Leaving().test_4_1_3_a_write_that_may_leave_is_asked_for_and_done(
            world, Kind.BUDGET, "update"
        )
