"""One object among those that are shown."""

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.problem import Problem
from connectors.contract.errors import Malformed, Missing
from connectors.erp.shown import Shown, observed

AMOUNT = Amount.of(1, "USD")
SALES = Budget(ref="Sales", name="Sales", amount=AMOUNT)
SHARE = Allocation(ref="a/b", budget="Sales", entity=Entity("account", "a/b"), amount=AMOUNT)


def test_a_budget_is_known_by_its_ref_and_a_share_by_its_budget_and_its_own():
    shown = Shown([observed(SALES), observed(SHARE)])
    assert [(each.id, each.container) for each in shown.items] == [
        ("Sales", None), ("Sales/a%2Fb", "Sales"),
    ]  # fmt: skip
    assert shown.budgets() == {"Sales": SALES}
    assert shown.only("Sales").model is SALES


def test_what_could_not_be_read_is_not_missing():
    shown = Shown(problems=[Problem("erp", "budget HR", "it counts twice", "HR")])
    with pytest.raises(Malformed, match="budget HR: it counts twice"):
        shown.only("HR")
    with pytest.raises(Missing):
        shown.only("Sales")
