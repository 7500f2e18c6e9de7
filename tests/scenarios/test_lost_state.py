"""A state that is lost is made again from the stamps, at each vendor, and nothing is made twice."""

import pytest

from tests.scenarios.conftest import SYNC as AT_BREX
from tests.scenarios.conftest import Desk
from tests.scenarios.mortal_vendors import VENDORS
from tests.scenarios.mortal_world import DAY, LAG, world


def lose_state(folder) -> None:
    for file in folder.glob("trueup.db*"):
        file.unlink()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", VENDORS)
def test_all_links_are_found_again_and_nothing_is_sent(name, tmp_path):
    with world(name, tmp_path) as at:
        at.states(at.erp.few())
        with at.engine() as engine:
            made = engine.run(DAY, command="run")
        at.clock.time += LAG
        assert len(made.operations) > 3
        rows = at.served.state.document()

        lose_state(tmp_path)
        with at.engine() as engine:
            found = engine.run(DAY, command="run")
            after = engine.plan(DAY)
        assert found.plan.adopted == len(made.operations)
        assert (found.verified, found.operations, after.changes) == (True, [], ())
        assert at.served.state.document() == rows


def test_what_changed_since_is_brought_to_the_objects_that_are_there(filled: Desk) -> None:
    filled.budget("CC0001", amount="1030.00")
    ids = sorted(row["budget_id"] for row in filled.budgets)
    lose_state(filled.folder)

    told = filled.run("plan", AT_BREX, "--json").data
    assert told["adopted"] == 15
    assert [(each["op"], each["ref"]) for each in told["changes"]] == [("update", "CC0001")]
    assert filled.run("run", AT_BREX, "--allow", "max_changes,max_money").code == 0
    assert sorted(row["budget_id"] for row in filled.budgets) == ids
    assert filled.run("plan", AT_BREX, "--json").data["changes"] == []
