"""Shares above their budget, in the plan of every vendor."""

from contextlib import ExitStack

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.kind import Op
from canonical.loss import Effect
from tests.vendors.every_vendor import SHARED, Account

OTHERS = {"vtex": "grace@example.com", "brex": "6200", "bill": "ada@example.com",
          "vantage": "6200", "kaireon": "winter"}  # fmt: skip


@pytest.mark.parametrize("vendor", SHARED)
@pytest.mark.parametrize("stated", [True, False])
def test_it_is_told_or_blocked_and_never_where_no_amount_is_stated(vendor, stated, tmp_path):
    with ExitStack() as stack:
        account = Account(vendor, tmp_path, stack)
        budget, share = account.stated()
        if not stated:
            budget = replace(budget, amount=None)
        entity = Entity(SHARED[vendor].type, OTHERS[vendor])
        money = Amount.of(901, "USD")
        other = Allocation(ref="S-Other", budget=budget.ref, entity=entity, amount=money)
        account.source.put(budget, share, other)
        report = account.run()

        losses = {each.ref: each.losses for each in report.plan.changes}
        told = [each for each in losses["S-Other"] if "come to 1001.00 USD" in each.reason]
        assert len(told) == stated
        assert not [each for each in losses["S-Travel"] if "come to" in each.reason]
        if stated:
            assert "more than its 1000.00 USD, monthly, in 2026-03-01..2026-03-31" in told[0].reason
            blocks = vendor == "vantage"
            assert (told[0].effect is Effect.BLOCKED) == blocks
            assert [each.op for each in report.plan.changes if each.ref == "S-Other"] == [
                Op.BLOCKED if blocks else Op.CREATE
            ]
            assert len([each for each in report.operations if each.outcome != "applied"]) == 0
