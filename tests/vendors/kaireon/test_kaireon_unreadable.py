"""Rows that nobody can read: nothing is made, changed or removed of all that they may be of."""

import pytest

from canonical.kind import Kind, Op
from connectors.contract.errors import Malformed, Rejected
from connectors.contract.records import Draft
from sync.spec import OnRemove
from tests.vendors.kaireon.stated import budget, share, told, usd

YEAR = {"start": "2026-01-01", "end": "2026-12-31"}
WRONG = {
    "an unknown scope": {"scope": "region", "scopeId": "emea"},
    "no scope": {"scope": None},
    "an unknown type of period": {"periodType": "yearly"},
    "no type of period": {"periodType": None},
    "a key of no period": {"periodKey": "soon"},
    "the type of another key": {"periodType": "daily"},
    "the key of another type": {"periodKey": "2026-Q1"},
    "no name": {"name": None},
    "money that is no number": {"maxSpend": "much"},
}


@pytest.fixture
def filled(mirror):
    """A budget with a share of twelve months each, and another one."""
    other = budget("C", name="Other", **YEAR)
    stated = budget("B", name="Travel", **YEAR, allocations=(share("A"),))
    assert mirror(stated, other)[0].verified
    return stated, other


def rows_of(tenant, scope):
    """Of the budget with a share, the newest first."""
    return [row for row in tenant.rows() if (row["name"], row["scope"]) == ("Travel", scope)]


@pytest.mark.sampled(7)
@pytest.mark.parametrize("at", [0, 5, -1], ids=["newest", "between", "oldest"])
@pytest.mark.parametrize("scope", ["global", "channel"])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_no_twin_is_made_of_a_row_that_cannot_be_read(mirror, tenant, filled, wrong, scope, at):
    row = rows_of(tenant, scope)[at]
    tenant.edit(row["id"], **wrong)
    for _ in range(2):
        report, writes = mirror()
        assert (writes, len(tenant.rows()), report.verified) == ([], 36, False)
        assert any(row["id"] in f"{each.where} {each.message}" for each in report.plan.problems)
    assert not mirror.verified().agree
    tenant.edit(row["id"], **{name: row[name] for name in wrong})
    assert mirror()[0].verified
    assert len(tenant.rows()) == 36


def test_twelve_rows_that_cannot_be_read_are_not_made_again(mirror, tenant, filled):
    for row in rows_of(tenant, "channel"):
        tenant.edit(row["id"], scope="segment")
    assert mirror()[1] == []
    assert len(tenant.rows()) == 36


def test_a_row_says_only_what_it_may_be_of(mirror, tenant, filled):
    tenant.edit(rows_of(tenant, "global")[3]["id"], scope="region")
    changed = [type(each)(**{**_said(each), "amount": usd(7)}) for each in filled]
    report, writes = mirror(*changed)
    assert {change.ref for change in report.plan.changes if change.op is Op.UPDATE} == {"C"}
    assert writes == ["PUT"] * 12
    assert {amount for name, _, amount in told(tenant) if name == "Travel"} == {100, 40}


def test_nothing_new_is_made_below_a_budget_that_cannot_be_read(mirror, tenant, filled):
    travel, _ = filled
    tenant.edit(rows_of(tenant, "global")[3]["id"], periodType="yearly")
    offer = share("N", entity="offer:card")
    more = type(travel)(**{**_said(travel), "allocations": (*travel.allocations, offer)})
    report, writes = mirror(more)
    assert writes == []
    assert {change.ref: change.op for change in report.plan.changes} == {"N": Op.BLOCKED}


def test_what_cannot_be_read_is_not_removed(mirror, tenant, filled):
    mirror.on_remove = OnRemove.DELETE
    tenant.edit(rows_of(tenant, "channel")[3]["id"], periodKey="soon")
    mirror.source.drop("B")
    assert mirror()[1] == []
    assert len(tenant.rows()) == 36


def test_a_newcomer_that_the_row_may_be_is_blocked(mirror, tenant):
    table = tenant.served.state["budgets"]
    tenant.connector().create(Draft(model=budget(name="Travel")), "k")
    for row in tenant.rows():
        table.put(row | {"scope": "region"})
    report, writes = mirror(budget("B", name="Travel"), budget("C", name="Other"))
    assert {each.ref: each.op for each in report.plan.changes} == {"B": Op.BLOCKED, "C": Op.CREATE}
    assert writes == ["POST"] * 3


def test_the_connector_itself_writes_nothing_beside_such_a_row(tenant):
    kaireon = tenant.connector()
    draft = Draft(model=budget(name="Travel"))
    id = kaireon.create(draft, "k").id
    tenant.edit("2026-05", scope="region")
    for call in (
        lambda: kaireon.update(id, draft, {"amount", "phases"}, "k"),
        lambda: kaireon.delete(Kind.BUDGET, id, "k"),
        lambda: kaireon.get(Kind.BUDGET, id),
    ):
        with pytest.raises(Malformed, match="may be one of its rows: scope is 'region'"):
            call()
    with pytest.raises(Rejected, match="may be there already"):
        kaireon.create(draft, "k")
    assert len(tenant.rows()) == 3


def _said(model):
    return {name: getattr(model, name) for name in model.__struct_fields__}
