"""Entities that pass from one allocation of a budget to another: in one run, though two at once are
refused."""

from contextlib import ExitStack

import pytest
from msgspec import structs

from canonical.allocation import Entity
from connectors.memory.connector import Memory
from sync.spec import OnRemove
from tests.vendors.vtex.vtex_desk import Desk, budget, mirrored, stated_share, usd


@pytest.fixture
def run(tmp_path):
    """Gives the desk, and what runs a sync of the allocations that it is called with."""
    with ExitStack() as stack:
        desk, erp = Desk(stack), Memory("erp")
        mirror = mirrored(stack, desk, tmp_path, on_remove=OnRemove.DELETE)

        def stated(*shares):
            erp.put(budget(), *shares)
            return mirror(erp)

        stated.desk, stated.erp = desk, erp
        yield stated


def of(ref, entity, amount=10):
    share = stated_share(usd(amount))
    return structs.replace(share, ref=ref, entity=Entity("user", entity))


def held(desk):
    return {
        row["linkedEntity"]["id"]: int(row["balance"]["amount"])
        for row in desk.served.state["allocations"].rows()
        if row["status"] != "DELETED"
    }


@pytest.mark.parametrize("after", ["ba", "bca", "bcx"], ids=["swap", "circle", "chain"])
def test_entities_pass_on_in_one_run(run, after):
    before = "abc"[: len(after)]
    run(*(of(f"r{i}", each, 10 + i) for i, each in enumerate(before)))
    ids = {row["id"] for row in run.desk.served.state["allocations"].rows()}
    report = run(*(of(f"r{i}", each, 10 + i) for i, each in enumerate(after)))
    assert (report.verified, report.error) == (True, None)
    assert held(run.desk) == {each: 10 + i for i, each in enumerate(after)}
    assert {row["id"] for row in run.desk.served.state["allocations"].rows()} == ids
    assert run().plan.changes == ()


def test_a_new_allocation_takes_the_entity_that_another_gives_up(run):
    run(of("r0", "a"))
    assert run(of("r0", "b"), of("r1", "a", 7)).verified
    assert held(run.desk) == {"b": 10, "a": 7}


def test_an_allocation_takes_the_entity_of_one_that_goes(run):
    first = of("r0", "a")
    run(first, of("r1", "b", 7))
    run.erp.drop(f"{first.budget}/r0")
    assert run(of("r1", "a", 7), of("r2", "b", 8)).verified
    assert held(run.desk) == {"a": 7, "b": 8}
