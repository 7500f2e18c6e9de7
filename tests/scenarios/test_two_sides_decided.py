"""What both sides moved, what one has alone, and what a person decides of it, by the commands."""

from datetime import date

import pytest

from tests.scenarios.two_sides import NAMES, pair

EITHER = '[syncs.pair.fields]\namount = "either"'
OPEN = """
[syncs.pair.guard]
max_changes = "100%"
max_removals = "100%"
max_money = "100%"
"""
ENDS = [("file", "brex"), ("vtex", "brex"), ("brex", "bill"), ("kaireon", "vtex"),
        ("bill", "vtex")]  # fmt: skip

ENDING = date(2026, 12, 31)
"""KaireonAI states an end of every budget, and is given none that has no end."""


def amounts(at, name="Travel"):
    return at.source.shown()[name][0], at.target.shown()[name][0]


def both_moved(at):
    assert at.run().code == 0
    at.source.edit("Travel", amount="1010.00")
    at.target.edit("Travel", amount="1020.00")


TAKEN = {"source": "1010.00", "target": "1020.00", "1030.00": "1030.00"}


@pytest.mark.sampled(12)
@pytest.mark.parametrize("take", TAKEN)
@pytest.mark.parametrize(("source", "target"), ENDS)
def test_a_conflict_waits_is_decided_and_done_by_the_next_run(source, target, take, tmp_path):
    with pair(source, target, tmp_path, EITHER) as at:
        both_moved(at)
        run = at.run()
        assert (run.code, amounts(at)) == (6, ("1010.00", "1020.00"))
        said = at.do("waiting").out
        assert "source 1,010.00 USD, target 1,020.00 USD, last agreed 1,000.00 USD" in said
        at.decide(take)
        assert at.run().code == 0
        assert amounts(at) == (TAKEN[take],) * 2
        assert at.waits() == []
        assert at.is_quiet()


def test_a_decision_is_over_once_either_side_has_moved_again(tmp_path):
    with pair("file", "brex", tmp_path, EITHER) as at:
        both_moved(at)
        at.run()
        at.decide("source")
        at.target.edit("Travel", amount="1025.00")
        assert at.run().code == 6
        assert amounts(at) == ("1010.00", "1025.00")
        assert at.waits()[0]["decided"] is None


@pytest.mark.sampled(16)
@pytest.mark.parametrize("wins", ["source", "target"])
@pytest.mark.parametrize(("source", "target"), ENDS)
def test_a_conflict_goes_to_the_side_that_the_settings_name(source, target, wins, tmp_path):
    with pair(source, target, tmp_path, f'on_conflict = "{wins}"\n{EITHER}') as at:
        both_moved(at)
        assert at.run().code == 0
        assert amounts(at) == (TAKEN[wins],) * 2
        assert at.is_quiet()


@pytest.mark.sampled(12)
@pytest.mark.parametrize("new", ["report", "create", "ignore"])
@pytest.mark.parametrize(("source", "target"), ENDS)
def test_what_only_the_target_has_goes_as_the_settings_say(source, target, new, tmp_path):
    with pair(source, target, tmp_path, f'on_new = "{new}"\n{EITHER}{OPEN}') as at:
        assert at.run().code == 0
        at.target.add("Travel East", "500.00", ENDING if source == "kaireon" else None)
        plan = at.plan()
        assert ("Travel East" in plan) is (new != "ignore")
        assert at.run().code == 0
        assert set(at.source.shown()) - {*NAMES} == ({"Travel East"} if new == "create" else set())
        assert at.is_quiet()
        if new == "create":
            at.source.edit("Travel East", amount="510.00")
            assert at.run().code == 0
            assert amounts(at, "Travel East") == ("510.00", "510.00")


def test_what_nobody_stated_is_told_in_each_run_also_where_versions_save_its_reading(tmp_path):
    with pair("file", "vtex", tmp_path) as at:
        assert at.run().code == 0
        at.target.add("Travel East", "500.00")
        assert all("Travel East, 500.00 USD" in at.run().out for _ in range(2))


@pytest.mark.sampled(6)
@pytest.mark.parametrize(("source", "target"), ENDS)
def test_with_two_ways_each_side_gets_what_the_other_moved(source, target, tmp_path):
    with pair(source, target, tmp_path, f'mode = "two-way"{OPEN}') as at:
        assert at.run().code == 0
        at.target.edit("Travel", name="Travel abroad")
        at.source.edit("Travel", amount="1010.00")
        at.target.edit("Software", amount="2020.00")
        plan, run = at.plan(), at.run()
        assert run.code == 0, run.out
        assert "budgets in here: +20.00 USD" in plan
        assert "budgets in there: +10.00 USD" in plan
        assert amounts(at, "Travel abroad") == ("1010.00", "1010.00")
        assert amounts(at, "Software") == ("2020.00", "2020.00")
        assert at.is_quiet()


@pytest.mark.sampled(8)
@pytest.mark.parametrize("take", ["source", "target"])
@pytest.mark.parametrize(("source", "target"), [("file", "brex"), ("vtex", "brex"),
                                                ("brex", "bill"), ("bill", "vtex")])  # fmt: skip
def test_what_the_source_dropped_and_the_target_changed_waits(source, target, take, tmp_path):
    words = f'mode = "two-way"\non_remove = "retire"{OPEN}'
    with pair(source, target, tmp_path, words) as at:
        assert at.run().code == 0
        at.source.remove("Travel")
        at.target.edit("Travel", amount="1020.00")
        assert at.run().code == 6
        assert at.target.shown()["Travel"][0] == "1020.00"
        if take == "target" and source in ("brex", "bill"):
            (command,) = at.waits()[0]["commands"]
            assert command.endswith("--take source")
            assert f"it was retired in {source}, which cannot revive" in at.do("waiting").out
            return
        at.decide(take)
        run = at.run()
        assert run.code == 0, run.out + run.err
        assert ("Travel" in at.target.shown()) is (take == "target")
