"""Rows that somebody else made under a name of ours are told, and never deleted."""

import pytest
from msgspec.structs import replace

from connectors.contract.records import Draft
from sync.spec import OnRemove
from tests.vendors.kaireon.stated import budget, day, share, told

SCOPES = ["global", "channel"]


def add(tenant, scope, key, **said):
    """Somebody makes one more row like those of that scope."""
    table = tenant.served.state["budgets"]
    row = next(row for row in tenant.rows() if row["scope"] == scope)
    made = row | {"id": f"stranger-{key}", "periodKey": key, "createdAt": "2030-01-01"} | said
    table.put(made)
    return made


def keys(tenant, scope):
    return sorted(row["periodKey"] for row in tenant.rows() if row["scope"] == scope)


@pytest.fixture
def stated(mirror):
    stated = budget(allocations=(share("A"),))
    assert mirror(stated)[0].verified
    return stated


@pytest.mark.parametrize("on_remove", [*OnRemove])
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("key", ["2026-01", "2026-06", "2026-12"])
def test_a_row_for_another_period_is_told_and_stays(mirror, tenant, stated, scope, key, on_remove):
    mirror.on_remove = on_remove
    strange = add(tenant, scope, key, maxSpend=9)
    for _ in range(2):
        report, writes = mirror(stated)
        assert (writes, report.verified) == ([], False)
        (problem,) = report.plan.problems
        assert f"the rows for {key} are not ours" in problem.message
    assert strange in tenant.rows()


@pytest.mark.parametrize("scope", SCOPES)
def test_what_is_ours_beside_it_still_follows(mirror, tenant, stated, scope):
    strange = add(tenant, scope, "2026-12", maxSpend=9)
    shorter = replace(
        stated, end=day("2026-04-30"), amount=replace(stated.amount, value=stated.amount.value + 7)
    )
    mirror(shorter)
    assert keys(tenant, scope) == ["2026-03", "2026-04", "2026-12"]
    assert mirror(shorter)[1] == []
    assert strange in tenant.rows()


@pytest.mark.parametrize("scope", SCOPES)
def test_where_the_strange_row_is_the_oldest_nothing_is_deleted_either(
    mirror, tenant, stated, scope
):
    strange = add(tenant, scope, "2026-12", maxSpend=9, createdAt="2020-01-01")
    before = tenant.rows()
    for _ in range(2):
        assert mirror(stated)[1] == []
    assert (tenant.rows(), strange in before) == (before, True)


def test_with_the_budget_only_its_own_rows_go(mirror, tenant, stated):
    strange = add(tenant, "global", "2026-12")
    mirror.on_remove = OnRemove.DELETE
    mirror.source.drop("B")
    mirror()
    assert tenant.rows() == [strange]


def test_what_a_longer_end_takes_in_is_ours_from_then_on(mirror, tenant, stated):
    add(tenant, "global", "2026-06", maxSpend=9)
    longer = replace(stated, end=day("2026-06-30"), allocations=())
    assert mirror(longer)[0].verified
    assert {amount for _, key, amount in told(tenant) if key == "2026-06"} == {100, 40}


def test_of_what_is_recognised_by_its_name_nothing_is_deleted(mirror, tenant):
    whole = budget("X", name="Travel", start="2026-01-01", end="2026-12-31", amount=7)
    tenant.connector().create(Draft(model=whole), "k")
    report, writes = mirror(budget("B", name="Travel"))
    assert (report.plan.adopted, writes) == (1, ["PUT"] * 3)
    assert len(tenant.rows()) == 12
    assert mirror()[1] == []
