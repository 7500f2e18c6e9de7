"""Names that pass from one budget or share to another: in one run, and told where that cannot be."""

import pytest
from msgspec.structs import replace

from canonical.identity import is_temporary
from canonical.kind import Op
from canonical.loss import Effect
from sync.spec import OnRemove
from tests.vendors.kaireon.stated import budget, share, usd


def named(ref, name, amount, **said):
    return budget(ref, name=name, amount=amount, **said)


def held(tenant):
    """Name → what its rows say, of budgets; the entity as well, of shares."""
    return {
        (row["name"], *filter(None, [row["scopeId"]])): int(row["maxSpend"])
        for row in tenant.rows()
    }


def told(report):
    """Ref → how its name is told."""
    return {
        each.ref: loss.effect
        for each in report.plan.changes
        for loss in each.losses
        if loss.field in ("name", "entity")
    }


SHAPES = {
    "swap": ("AB", "BA"),
    "circle of three": ("ABC", "BCA"),
    "two circles": ("ABCDE", "BADEC"),
    "chain": ("ABC", "BCX"),
    "backwards": ("CBA", "XCB"),
}


@pytest.mark.parametrize(("before", "after"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("amounts", ["kept", "raised", "lowered"])
def test_names_pass_on_in_one_run(mirror, tenant, before, after, amounts):
    more = {"kept": 0, "raised": 5, "lowered": -5}[amounts]
    refs = range(len(before))
    mirror(*(named(f"r{i}", before[i], 100 + i) for i in refs))
    report, _ = mirror(*(named(f"r{i}", after[i], 100 + i + more) for i in refs))
    assert report.verified
    assert len(report.operations) == len(refs)
    assert {done.outcome for done in report.operations} == {"applied"}
    assert held(tenant) == {(after[i],): 100 + i + more for i in refs}
    assert mirror()[1] == []


def test_a_circle_has_one_temporary_name_and_the_plan_tells_it(mirror, tenant):
    mirror(*(named(ref, name, 1) for ref, name in zip("abc", "ABC", strict=True)))
    report, writes = mirror(*(named(ref, name, 1) for ref, name in zip("abc", "BCA", strict=True)))
    assert told(report) == {"a": Effect.EMULATED}
    assert writes == ["PUT"] * 3 * 4
    (change,) = (each for each in report.plan.changes if each.via)
    assert (is_temporary(change.via), change.via.startswith("a ")) == (True, True)


def test_budgets_take_their_shares_along(mirror, tenant):
    mirror(
        named("a", "A", 100, allocations=(share("1", of="a"),)),
        named("b", "B", 200, allocations=(share("2", of="b", amount=50),)),
    )
    assert mirror(named("a", "B", 100), named("b", "A", 200))[0].verified
    assert held(tenant) == {("B",): 100, ("B", "email"): 40, ("A",): 200, ("A", "email"): 50}
    assert mirror()[1] == []


def test_a_name_comes_free_by_a_removal(mirror, tenant):
    mirror.on_remove = OnRemove.DELETE
    mirror(*(named(ref, name, 1) for ref, name in zip("abc", "ABC", strict=True)))
    mirror.source.drop("c")
    assert mirror(named("a", "B", 1), named("b", "C", 2))[0].verified
    assert held(tenant) == {("B",): 1, ("C",): 2}
    assert mirror()[1] == []


def test_a_new_budget_takes_a_name_that_another_gives_up(mirror, tenant):
    mirror(named("z", "A", 1))
    report, _ = mirror(named("z", "B", 1), named("a", "A", 2, allocations=(share("s", of="a"),)))
    assert report.verified
    assert held(tenant) == {("B",): 1, ("A",): 2, ("A", "email"): 40}
    assert mirror()[1] == []


def test_a_new_budget_takes_the_name_of_one_that_goes(mirror, tenant):
    mirror.on_remove = OnRemove.DELETE
    mirror(named("a", "A", 1), named("b", "B", 1))
    mirror.source.drop("a")
    report, _ = mirror(named("b", "A", 1), named("n", "B", 2))
    assert report.verified
    assert held(tenant) == {("A",): 1, ("B",): 2}


def test_a_name_that_somebody_elses_budget_has_is_blocked_and_so_is_what_waits_for_it(
    mirror, tenant
):
    mirror(named("a", "A", 1), named("b", "B", 2))
    row = {"name": "X", "periodType": "monthly", "periodKey": "2026-03", "maxSpend": 9}
    tenant.client().post("/budgets", json=row)
    report, writes = mirror(
        named("a", "B", 7),
        named("b", "X", 2),
        named("n", "A", 3, allocations=(share("s", of="n"),)),
    )
    assert told(report) == {"a": Effect.BLOCKED, "b": Effect.BLOCKED, "n": Effect.BLOCKED}
    reasons = {each.ref: str(each.losses) for each in report.plan.changes}
    assert "which nobody states here" in reasons["b"]
    assert "b keeps it" in reasons["a"]
    assert writes == ["PUT"] * 3
    assert held(tenant) == {("A",): 7, ("B",): 2, ("X",): 9}
    assert {each.ref: each.op for each in report.plan.changes} == {
        "a": Op.UPDATE, "b": Op.BLOCKED, "n": Op.BLOCKED, "s": Op.BLOCKED,
    }  # fmt: skip
    assert mirror()[1] == []


def test_what_the_source_dropped_and_the_target_keeps_holds_its_name(mirror, tenant):
    mirror(named("a", "A", 1), named("b", "B", 2))
    mirror.source.drop("b")
    report, writes = mirror(named("a", "B", 1))
    assert "it is the name of b (" in str(report.plan.changes[0].losses)
    assert writes == []


def test_entities_of_shares_go_round_within_their_budget(mirror, tenant):
    one, two = (share("1", entity="offer:x"), share("2", entity="offer:y", amount=7))
    mirror(budget(allocations=(one, two)))
    swapped = (replace(one, entity=two.entity), replace(two, entity=one.entity))
    report, _ = mirror(budget(allocations=swapped))
    assert report.verified
    assert held(tenant) == {("Name B",): 100, ("Name B", "y"): 40, ("Name B", "x"): 7}
    assert mirror()[1] == []


def test_a_share_takes_the_entity_of_one_that_goes(mirror, tenant):
    mirror.on_remove = OnRemove.DELETE
    mirror(budget(allocations=(share("1", entity="offer:x"), share("2", entity="offer:y"))))
    mirror.source.drop("B/1")
    moved = share("2", entity="offer:x", amount=8)
    report, _ = mirror(budget(allocations=(moved, share("3", entity="offer:y", amount=9))))
    assert report.verified
    assert held(tenant) == {("Name B",): 100, ("Name B", "x"): 8, ("Name B", "y"): 9}


def test_dimensions_go_round_as_names_do(mirror, tenant):
    x, y = ({"offer": each} for each in "xy")
    mirror(named("a", "N", 1, dimensions=x), named("b", "N", 2, dimensions=y))
    report, _ = mirror(named("a", "N", 1, dimensions=y), named("b", "N", 2, dimensions=x))
    assert report.verified
    assert held(tenant) == {("N", "y"): 1, ("N", "x"): 2}
    assert mirror()[1] == []


@pytest.mark.parametrize("fault", ["error_before", "lost_answer"])
def test_nothing_takes_a_name_that_was_not_given_up(mirror, tenant, fault):
    mirror(named("a", "A", 1), named("b", "B", 2), named("c", "C", 3))
    tenant.served.faults.add(fault, method="PUT", every=1, times=30)
    after = named("a", "B", 1), named("b", "C", 2), named("c", "A", 3)
    mirror(*after)
    tenant.served.faults.clear()
    assert mirror(*after)[0].verified
    assert held(tenant) == {("B",): 1, ("C",): 2, ("A",): 3}
    assert len(tenant.rows()) == 9


def test_a_source_that_changes_its_mind_after_half_a_circle_leaves_no_temporary_name(
    mirror, tenant
):
    before = named("a", "A", 1), named("b", "B", 2)
    mirror(*before)
    tenant.served.faults.add("error_before", method="PUT", every=1, skip=2, times=30)
    mirror(named("a", "B", 1), named("b", "A", 2))
    tenant.served.faults.clear()
    assert mirror(replace(before[0], amount=usd(5)), before[1])[0].verified
    assert held(tenant) == {("A",): 5, ("B",): 2}
    assert len(tenant.rows()) == 6
