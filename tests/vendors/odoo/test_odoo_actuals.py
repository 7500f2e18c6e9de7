"""What was spent is kept in budgets of actuals in Odoo, and nothing else is touched."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from canonical.amount import Amount
from canonical.period import Period
from connectors.conformance import World
from connectors.conformance.recording import Recording
from connectors.contract.errors import Rejected
from connectors.contract.records import Keeping
from tests.vendors.odoo.conftest import DOCUMENTS, LINES, PASSWORD, spent

KEPT = {"names": ["Budget*"], "actuals_budget": "Actuals*"}


def copied(erp, state="draft", name="Actuals 2026"):
    """Somebody copies the budget that is read; the lines of 0210 are all that is left of them."""
    erp.put(DOCUMENTS, id=50, name=name, state=state, company_id=1)
    for month in (2, 3):
        first, last = f"2026-{month:02}-01", f"2026-{month:02}-{28 if month == 2 else 31}"
        erp.plan(2, "0", first, last, id=500 + month, crossovered_budget_id=50)
    return erp


@pytest.fixture
def kept(erp):
    return copied(erp)


def amounts(erp):
    return [row["planned_amount"] for row in erp.rows(LINES, crossovered_budget_id=50)]


@pytest.mark.parametrize("said", [{}, {"key": PASSWORD}], ids=["json-rpc", "json-2"])
def test_what_was_spent_is_the_amount_of_its_month_below_zero_in_one_call(opened, said):
    erp = copied(opened(version=19))
    (found,) = erp.connector(**KEPT, **said).record_actuals([spent()])
    assert (found.outcome, found.place) == (Keeping.WRITTEN, "Actuals 2026")
    assert (found.before, found.after) == (Amount.of(0, "USD"), Amount.of("12.34", "USD"))
    assert (amounts(erp), len(erp.writes())) == ([Decimal(0), Decimal("-12.34")], 1)


def test_no_budget_that_is_read_is_one_of_actuals(kept):
    before = kept.budgets(names=["Budget*"])
    kept.connector(**KEPT).record_actuals([spent()])
    assert kept.budgets(**KEPT) == before


@pytest.mark.parametrize(
    ("names", "actuals", "said"),
    [
        (["Budget*"], "Budget 2026", "is read as a budget, and to keep actuals"),
        (["*"], "Actuals*", "is read as a budget, and to keep actuals"),
        (["Budget*"], "Actual 2026", "no budget of Odoo is called 'Actual 2026'"),
        (["Budget*"], None, "no budget of actuals is named"),
    ],
)
def test_a_name_that_is_wrong_is_told_and_nothing_is_written(erp, names, actuals, said):
    copied(erp, state="validate")
    with pytest.raises(Rejected, match=said):
        erp.connector(names=names, actuals_budget=actuals).record_actuals([spent()])
    assert erp.writes() == []


def test_check_says_for_how_many_budgets_it_is_kept(kept):
    assert kept.connector(**KEPT).check().notes == [
        "3 budgets, in USD",
        "what is spent is kept for 1 of them",
    ]
    with pytest.raises(Rejected, match="no budget of Odoo is called 'Spent'"):
        kept.connector(names=["Budget*"], actuals_budget="Spent").check()


def test_a_budget_of_actuals_that_was_cancelled_is_none(erp):
    copied(erp, state="cancel")
    with pytest.raises(Rejected, match="no budget of Odoo is called"):
        erp.connector(**KEPT).record_actuals([spent()])


def test_actuals_need_to_know_which_budgets_are_read(erp):
    with pytest.raises(ValidationError, match="actuals_budget needs names too"):
        erp.connector(actuals_budget="Actuals*")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (spent("0990"), "no budget of actuals has a line"),
        (spent(period=Period(date(2026, 4, 1), date(2026, 4, 30))), "no budget of actuals has"),
        (spent(unit="EUR"), "keeps its books in USD, not in EUR"),
    ],
)
def test_what_has_no_place_is_refused_and_stops_no_other(kept, row, reason):
    found = kept.connector(**KEPT).record_actuals([row, spent(amount="5")])
    assert [each.outcome for each in found] == [Keeping.REFUSED, Keeping.WRITTEN]
    assert reason in found[0].reason
    assert amounts(kept)[1] == -5


def test_an_amount_that_the_currency_does_not_hold_is_refused(kept):
    (found,) = kept.connector(**KEPT).record_actuals([spent(amount="1.005")])
    assert (found.outcome, "is no multiple of 0.01" in found.reason) == (Keeping.REFUSED, True)
    assert kept.writes() == []


def test_two_lines_of_one_month_are_a_question(kept):
    kept.plan(2, "0", "2026-03-01", "2026-03-31", crossovered_budget_id=50, general_budget_id=1)
    (found,) = kept.connector(**KEPT).record_actuals([spent()])
    assert "2 lines of 'Actuals 2026'" in found.reason
    assert kept.writes() == []


def test_what_odoo_refuses_is_told_with_its_words(opened):
    erp = copied(opened(locks_done=True), state="done")
    (found,) = erp.connector(**KEPT).record_actuals([spent()])
    assert (found.outcome, "The budget is done" in found.reason) == (Keeping.REFUSED, True)
    assert amounts(erp) == [0, 0]


class TestOdooActuals(Recording):
    """The kit's own checks."""

    @pytest.fixture
    def world(self, opened):
        erp = opened(empty=True)
        return World(
            connector=erp.connector(**erp.with_actuals()),
            spent_of=erp.spent_of_another,
            fault=lambda kind, times: erp.served.faults.add(kind, times=times, writes=True),
        )
