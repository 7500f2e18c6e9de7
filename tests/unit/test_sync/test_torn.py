"""What an undo that broke off may have left anywhere: sums above, shares below, and what is ours."""

from contextlib import closing
from datetime import UTC, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.facts import facts
from canonical.kind import Kind, Op, kind_of
from sync.state.journal import Operation, State, new_operation_id
from sync.state.ledger import Ledger
from sync.state.store import Store
from sync.undo.deed import Deed
from sync.undo.torn import Torn, with_money

NOW = datetime(2026, 3, 10, tzinfo=UTC)
A, S, TOP = ("", "A"), ("A", "s"), ("", "TOP")


def usd(number):
    return Amount.of(number, "USD")


AGREED = (
    Budget(ref="TOP", name="Top", amount=usd(300)),
    Budget(ref="A", name="A", amount=usd(100), parent="TOP"),
    Budget(ref="C", name="C", amount=usd(200)),
    Allocation(ref="s", budget="A", entity=Entity("user", "s"), amount=usd(20)),
    Allocation(ref="u", budget="A", entity=Entity("user", "u"), amount=usd(30)),
    Allocation(ref="v", budget="C", entity=Entity("user", "v"), amount=usd(40)),
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """All is linked as it was agreed."""
    folder = tmp_path_factory.mktemp("torn")
    with closing(Store.open("sqlite:///state.db", folder, lambda: NOW)) as store:
        ledger = Ledger(store, "s")
        with store.write() as connection:
            for model in AGREED:
                ledger.save(
                    connection, kind=kind_of(model), ref=model.ref, target_id=f"t{model.ref}",
                    budget_ref=getattr(model, "budget", ""), origin="created", run_id="r",
                    baseline=Baseline(facts(model), facts(model)), source=b"",
                )  # fmt: skip
        yield ledger


def deed(kind, key, *fields, **after):
    return Deed(
        op=Op.UPDATE, kind=kind, key=key, target_id="t", fields=fields, after=after,
        before=dict.fromkeys(fields),
    )  # fmt: skip


BUDGET, SHARE = deed(Kind.BUDGET, A, "name"), deed(Kind.ALLOCATION, S, "amount")


def written(run, state=State.LOST):
    id, key = new_operation_id()
    return Operation(
        id=id, key=key, run_id=run, op=Op.UPDATE, seq=0, kind=Kind.BUDGET, ref="A", state=state
    )


def torn(ledger, later=None, *, sums_moved=False):
    return Torn(ledger, {}, later or {}, ["undo"], sums_moved=sums_moved)


def keys(deeds):
    return [each.key for each in deeds]


def test_where_nothing_moves_with_others_the_deeds_are_all(ledger):
    assert torn(ledger).with_others([BUDGET, SHARE]) == [BUDGET, SHARE]


def test_budgets_that_are_sums_are_as_agreed_all_the_way_up(ledger):
    found = torn(ledger, sums_moved=True)

    above = found.with_others([SHARE])

    assert sorted(keys(above)) == [A, TOP, S]
    money = {each.key: each.after["amount"] for each in above if each.kind is Kind.BUDGET}
    assert money == {A: "100.00", TOP: "300.00"}
    assert [found.is_torn(each) for each in above] == [each.kind is Kind.BUDGET for each in above]


def test_what_the_run_wrote_itself_is_no_second_deed(ledger):
    assert sorted(keys(torn(ledger, sums_moved=True).with_others([BUDGET, SHARE]))) == [A, TOP, S]


def test_the_shares_of_a_budget_whose_undo_broke_off_are_as_agreed(ledger):
    found = torn(ledger, {BUDGET.object: [written("undo")]})

    deeds = found.with_others([BUDGET, SHARE])

    assert keys(deeds) == [A, S, ("A", "u")]
    assert (deeds[-1].after["amount"], deeds[-1].before["amount"]) == ("30.00", "30.00")
    assert deeds[-1].before["budget"] == "A"
    assert all(found.is_torn(each) for each in deeds)


@pytest.mark.parametrize(
    "later",
    [
        [],
        [written("undo", State.APPLIED)],
        [written("another")],
        [written("another"), written("undo")],
        [written("undo"), written("undo", State.APPLIED)],
    ],
)
def test_only_what_an_undo_of_the_run_wrote_last_and_lost_is_torn(ledger, later):
    found = torn(ledger, {BUDGET.object: later})

    assert not found.is_torn(BUDGET)
    assert keys(found.with_others([BUDGET])) == [A]


def test_money_that_the_run_did_not_write_is_to_be_as_it_left_it():
    whole = with_money(deed(Kind.ALLOCATION, S, "amount", amount="20.00", currency="USD"))

    assert "currency" in whole.fields
    assert whole.before["currency"] == "USD"
    assert whole.before["amount"] is None
    assert whole.before["budget"] == "A"
    assert whole.fields.count("amount") == 1
