"""Whole runs against VTEX's sandbox: what they leave there, and that a second one does nothing."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from msgspec import structs

from canonical.allocation import Entity, Status
from canonical.kind import Kind, Op
from connectors.memory.connector import Memory
from sync.spec import OnRemove
from tests.vendors.vtex.vtex_desk import Desk, budget, listed, mirrored, stated_share, usd


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def desk(stack: ExitStack) -> Desk:
    return Desk(stack)


def test_an_allocation_that_vtex_rounds_behind_its_answer_is_not_verified(stack, tmp_path):
    desk = Desk(stack, rounds=True)
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path)
    erp.put(budget(), stated_share(usd(100)))
    assert run(erp).verified
    erp.put(stated_share(usd("133.77")))
    report = run(erp)
    (held,) = listed(desk.vtex, Kind.ALLOCATION).values()
    assert (held.model.amount, report.verified, report.exit_code) == (usd(134), False, 4)
    assert not run(erp).verified


# The contract


def test_allocations_belong_to_the_contract_of_their_unit(stack, desk, tmp_path):
    vtex = desk.opened(contract_id={"unit-first": "contract-7"})
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path, vtex)
    erp.put(budget(), *(stated_share(usd(10), who) for who in ("ada", "grace", "joan")))
    assert run(erp).verified
    erp.put(stated_share(usd(10), "eve"))
    assert run(erp).verified
    rows = desk.served.state["allocations"].rows()
    assert [(row["referenceId"], row["contractId"]) for row in rows] == [("contract-7",) * 2] * 4


def stamp_the_references(desk: Desk) -> None:
    """As earlier versions left them."""
    table = desk.served.state["allocations"]
    for row in table.rows():
        row.pop("contractId", None)
        table.put(row | {"referenceId": f"[trueup:{row['linkedEntity']['id']}]"})


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_stamp_of_an_earlier_version_becomes_the_contract(stack, desk, tmp_path, forgotten):
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path, full_pass_every=1)
    erp.put(budget(), stated_share(usd(10)), stated_share(usd(20), "grace"))
    assert run(erp).verified
    stamp_the_references(desk)
    assert run(erp).plan.changes == ()
    folder = tmp_path / "new" if forgotten else tmp_path
    folder.mkdir(exist_ok=True)
    vtex = desk.opened(contract_id="contract-7")
    run = mirrored(stack, desk, folder, vtex)
    report = run(erp)
    assert [[*change.fields] for change in report.plan.changes] == [["stamp"], ["stamp"]]
    assert report.verified
    rows = desk.served.state["allocations"].rows()
    assert {(row["referenceId"], row["contractId"]) for row in rows} == {("contract-7",) * 2}
    assert len(rows) == 2
    assert run(erp).plan.changes == ()


@pytest.mark.parametrize("many", [1, 3])
def test_creates_with_lost_answers_are_found_by_entity(stack, desk, tmp_path, many):
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path)
    erp.put(budget())
    assert run(erp).verified
    erp.put(*(stated_share(usd(10), f"who-{number}") for number in range(many)))
    desk.served.faults.add("lost_answer", times=1, method="POST")
    report = run(erp)
    assert (report.verified, len(desk.served.state["allocations"].rows())) == (True, many)
    assert run(erp).plan.changes == ()


def of_ada(ref: str, number: int) -> Any:
    return structs.replace(stated_share(usd(number)), ref=ref)


def shares_of_ada(desk: Desk) -> list[int]:
    return [int(row["balance"]["amount"]) for row in desk.served.state["allocations"].rows()]


def test_two_lost_creates_for_one_entity_of_a_budget_are_told_apart_by_amount(stack, tmp_path):
    desk = Desk(stack, twins=True)
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path)
    erp.put(budget())
    assert run(erp).verified
    erp.put(of_ada("A", 10), of_ada("B", 20))
    desk.served.faults.add("lost_answer", times=2, method="POST")
    assert run(erp).verified
    assert (run(erp).plan.changes, shares_of_ada(desk)) == ((), [10, 20])


def test_after_the_state_is_lost_shares_of_one_entity_are_adopted_beside_a_new_row(stack, tmp_path):
    desk = Desk(stack, twins=True)
    erp = Memory("erp")
    erp.put(budget(), of_ada("A", 10), of_ada("B", 20))
    assert mirrored(stack, desk, tmp_path)(erp).verified
    (tmp_path / "lost").mkdir()
    erp.put(of_ada("0", 30))
    run = mirrored(stack, desk, tmp_path / "lost")
    report = run(erp)
    assert [(done.op, done.ref) for done in report.operations] == [(Op.CREATE, "0")]
    assert (report.verified, run(erp).plan.changes) == (True, ())
    assert shares_of_ada(desk) == [10, 20, 30]


def test_a_check_says_which_units_have_no_contract(desk):
    assert "contract_id says no contract of unit-first" in desk.vtex.check().notes[0]
    assert desk.opened(contract_id="contract-7").check().notes == []


# Entities


def centre(id: str = "CC1", type: str = "cost_centre") -> Any:
    return stated_share(usd(10), id, entity=Entity(type, id))


def test_an_entity_goes_out_as_its_row_says_and_comes_back_as_ours(stack, desk, tmp_path):
    rows = {"cost_centre:CC1": "CUSTOMFIELD:doc-1", "user:ada@example.com": "USER:u-1"}
    vtex = desk.opened(entities=rows)
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path, vtex)
    ada = stated_share(usd(5), "ada", entity=Entity("user", "ada@example.com"))
    erp.put(budget(), centre(), ada)
    report = run(erp)
    assert (report.verified, [change.losses for change in report.plan.changes]) == (True, [()] * 3)
    sent = [row["linkedEntity"] for row in desk.served.state["allocations"].rows()]
    assert sent == [{"id": "doc-1", "type": "CUSTOMFIELD"}, {"id": "u-1", "type": "USER"}]
    seen = {str(item.model.entity) for item in listed(vtex, Kind.ALLOCATION).values()}
    assert seen == {"cost_centre:CC1", "user:ada@example.com"}


def test_the_plan_names_entities_that_checkout_cannot_match(stack, desk, tmp_path):
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path)
    ada = stated_share(usd(5), "ada", entity=Entity("user", "ada@example.com"))
    native = stated_share(usd(5), "n", entity=Entity("CUSTOMFIELD", "doc-2"))
    erp.put(budget(), centre(), ada, native)
    report = run(erp)
    said = {change.ref: [loss.name for loss in change.losses] for change in report.plan.changes}
    named = ["emulated:entity"]
    assert said == {"ref-Travel": [], "CC1": named, "ada": named, "n": []}
    reasons = " ".join(loss.reason for change in report.plan.changes for loss in change.losses)
    assert "checkout cannot match cost_centre:CC1" in reasons


def test_a_row_that_comes_later_links_the_allocation_anew(stack, desk, tmp_path):
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path)
    erp.put(budget(), centre())
    assert run(erp).verified
    vtex = desk.opened(entities={"cost_centre:CC1": "CUSTOMFIELD:doc-1"})
    run = mirrored(stack, desk, tmp_path, vtex)
    report = run(erp)
    assert ([[*each.fields] for each in report.plan.changes], report.verified) == (
        [["entity"]],
        True,
    )
    (row,) = desk.served.state["allocations"].rows()
    assert row["linkedEntity"] == {"id": "doc-1", "type": "CUSTOMFIELD"}
    assert run(erp).plan.changes == ()


@pytest.mark.parametrize("capitals", [False, True])
@pytest.mark.parametrize("type", ["CostCenter", "cost_centre", "COSTCENTER"])
def test_two_words_for_one_entity_are_no_change_also_after_the_state_is_lost(
    stack, tmp_path, type, capitals
):
    desk = Desk(stack, capitals=capitals)
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path)
    erp.put(budget(), centre(type=type))
    assert run(erp).verified
    (tmp_path / "lost").mkdir()
    for _ in range(2):
        report = mirrored(stack, desk, tmp_path / "lost")(erp)
        assert (report.plan.changes, report.verified) == ((), True)


# Retiring


def statuses(desk: Desk) -> dict[str, list[str]]:
    tables = ("budgets", "allocations")
    return {each: [row["status"] for row in desk.served.state[each].rows()] for each in tables}


def retiring(stack: ExitStack, desk: Desk, folder: Any) -> Any:
    return mirrored(stack, desk, folder, on_remove=OnRemove.RETIRE, full_pass_every=1)


def test_what_the_source_no_longer_has_is_made_inactive_and_then_left_alone(stack, desk, tmp_path):
    erp, run = Memory("erp"), retiring(stack, desk, tmp_path)
    erp.put(budget(), stated_share(usd(10)), budget("Books"))
    assert run(erp).verified
    erp.drop("ref-Travel")
    report = run(erp)
    assert [change.op for change in report.plan.changes] == [Op.RETIRE] * 2
    assert report.verified
    assert statuses(desk) == {"budgets": ["INACTIVE", "ACTIVE"], "allocations": ["INACTIVE"]}
    again = run(erp)
    assert (again.plan.changes, again.plan.kept, again.verified) == ((), 0, True)


def test_what_was_retired_is_made_active_again_when_the_source_has_it_again(stack, desk, tmp_path):
    erp, run = Memory("erp"), retiring(stack, desk, tmp_path)
    erp.put(budget(), stated_share(usd(10)))
    assert run(erp).verified
    erp.drop("ref-Travel/ada")
    assert run(erp).verified
    assert statuses(desk) == {"budgets": ["ACTIVE"], "allocations": ["INACTIVE"]}
    erp.put(stated_share(usd(12)))
    assert run(erp).verified
    assert statuses(desk) == {"budgets": ["ACTIVE"], "allocations": ["ACTIVE"]}
    assert run(erp).plan.changes == ()


def test_what_the_source_calls_retired_is_made_inactive(stack, desk, tmp_path):
    erp, run = Memory("erp"), mirrored(stack, desk, tmp_path, full_pass_every=1)
    erp.put(budget(), stated_share(usd(10)))
    assert run(erp).verified
    erp.edit("ref-Travel", status=Status.RETIRED)
    assert run(erp).verified
    assert statuses(desk) == {"budgets": ["INACTIVE"], "allocations": ["INACTIVE"]}
    assert run(erp).plan.changes == ()


@pytest.mark.parametrize("fault", ["lost_answer", "error_before"])
def test_a_retirement_without_an_answer_is_settled_by_looking(stack, desk, tmp_path, fault):
    erp, run = Memory("erp"), retiring(stack, desk, tmp_path)
    erp.put(budget(), stated_share(usd(10)))
    assert run(erp).verified
    erp.drop("ref-Travel")
    desk.served.faults.add(fault, times=1, method="PUT")
    run(erp)
    report = run(erp)
    assert (report.verified, statuses(desk)["budgets"]) == (True, ["INACTIVE"])
    assert run(erp).plan.changes == ()


def test_retiring_what_is_deleted_already_is_no_error(desk):
    made = desk.share(desk.budget().id)
    for _ in range(2):
        desk.vtex.delete(Kind.ALLOCATION, made.id, "k")
        desk.vtex.retire(Kind.ALLOCATION, made.id, "k")
