"""The Tryton connector keeps the contract, against a real server, as far as Tryton can be told.

Nothing is made in Tryton by it, so the checks of writing that can be made are those of amounts:
there the budgets are made by somebody who works in Tryton.
"""

from dataclasses import dataclass
from itertools import count
from uuid import uuid4

import pytest
from msgspec import structs

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.conformance import ConformanceSuite, World
from connectors.conformance.leaving import Leaving
from connectors.conformance.writing import Writing
from connectors.contract.records import Draft
from tests.vendors.tryton.tryton_books import READER_PASSWORD, months

PROJECTS = {"root": "PR", "allocations": ["PR*"]}
_NO_PAGES = ("repeat_cursor", "page_drift")


class _Reading(ConformanceSuite):
    """What is there is read; nothing is written."""

    credential: dict[str, str]

    @pytest.fixture
    def world(self, erp):
        def fault(kind, times):
            if kind in _NO_PAGES:
                raise NotImplementedError("a listing is one page")
            erp.proxy.faults.add(kind, times=times)

        with erp.garbling() as garble:
            yield World(
                connector=erp.connector(**PROJECTS, **self.said(erp)),
                read_only=True,
                secrets=self.secrets(erp),
                wrong_credential=lambda: erp.connector(**self.wrong()),
                garble=garble,
                fault=fault,
                calls=erp.proxy.sandbox.written,
            )


@pytest.mark.faults
class TestTryton(_Reading):
    """Over JSON-RPC."""

    def said(self, erp):
        return {}

    def secrets(self, erp):
        return [READER_PASSWORD]

    def wrong(self):
        # each failure of one user makes the next wait longer
        return {"login": f"nobody-{uuid4().hex}", "password": "wrong"}


@pytest.mark.faults
class TestTrytonByKey(_Reading):
    """Over REST."""

    def said(self, erp):
        return {"key": erp.key()}

    def secrets(self, erp):
        return [erp.key()]

    def wrong(self):
        return {"key": "wrong"}


@dataclass(kw_only=True)
class _Worked(World):
    """A world in which somebody makes the budgets in Tryton, for all months of the year."""

    erp: object = None

    def create(self, draft):
        self.erp.plan(draft.model)
        return self.connector.get(Kind.BUDGET, draft.model.ref)


@pytest.mark.faults
class TestTrytonAmounts:
    """Amounts are written."""

    @pytest.fixture
    def world(self, erp):
        numbers = count()

        def fresh(kind, n):
            ref = f"K{uuid4().hex[:6]}"
            model = Budget(
                ref=ref, name=f"Centre {ref}", amount=Amount.of(100 + next(numbers), "USD"),
                cadence=Cadence.MONTHLY,
            )  # fmt: skip
            first, last, *_ = months()
            return Draft(model=structs.replace(model, start=first[1], end=last[2]))

        def phases(step):
            spans = (Period(first, last) for _, first, last in [*months()][:2])
            return tuple(Phase(s, Amount.of(50 + step * n, "USD")) for n, s in enumerate(spans, 1))

        return _Worked(
            connector=erp.connector(root="PR"),
            erp=erp,
            currencies=["USD"],
            values={"budget.phases": [phases(1), phases(2)]},
            fresh_draft=fresh,
            calls=erp.proxy.sandbox.written,
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
