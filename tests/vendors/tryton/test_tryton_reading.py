"""What is read out of a real Tryton."""


from tests.vendors.tryton.tryton_books import CENTRES, spend


def test_each_cost_centre_is_a_budget_with_the_amounts_of_its_months(erp):
    found, problems = erp.budgets()
    assert problems == []
    assert len(found) == CENTRES
    said = {
        (ref, phase.period.start.month): phase.amount.value
        for ref, budget in found.items()
        for phase in budget.phases
    }
    assert said == {
        (f"CC{n:04}", month): spend(n, month)
        for n in range(1, CENTRES + 1)
        for month in range(1, 13)
    }
