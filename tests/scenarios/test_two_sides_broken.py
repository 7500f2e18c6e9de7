"""Two sides that answer nothing, or otherwise than they were told, and a run that ends in between:
neither side loses an edit, nothing is made twice, and the next runs agree and then do nothing.
"""

import pytest

from tests.scenarios.mortal import Killed, Life, living
from tests.scenarios.two_sides import NAMES, Vendor, pair

DYING = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
"""The thread that renews a dead run's lease ends as the run does."""

BOTH = """mode = "two-way"
on_new = "create"
[syncs.pair.guard]
max_changes = "100%"
max_removals = "100%"
max_money = "100%"
"""
ENDS = [("file", "brex"), ("vtex", "brex"), ("brex", "bill"), ("bill", "vtex")]
DONE = {"Travel": "1010.00", "Software": "2020.00", "Marketing": "3000.00", "Travel East": "500.00"}


def edited(at):
    """Each side has moved another budget, and the target has one more."""
    assert at.run().code == 0
    at.source.edit("Travel", amount="1010.00")
    at.target.edit("Software", amount="2020.00")
    at.target.add("Travel East", "500.00")


def held(at):
    """What each side holds, every record by itself."""
    return [sorted((n, a) for n, (a, _) in side.shown().items()) for side in (at.source, at.target)]


def settles(at):
    """Whether both sides come to hold what was meant, once each, in a few runs."""
    for _ in range(3):
        if at.run().code == 0:
            break
    assert held(at) == [sorted(DONE.items())] * 2
    names = [[each.model.name for each in side.every()] for side in vendors(at)]
    assert all(len(found) == len({*found}) for found in names), "something is there twice"
    return at.is_quiet()


def vendors(at):
    return [side for side in (at.source, at.target) if isinstance(side, Vendor)]


def killed(at, point):
    """A run that dies right after that deed; its deeds."""
    life = Life(point)
    with living(life), pytest.raises(Killed):
        at.run()
    at.forgets_who_ran()
    return life.deeds


@DYING
@pytest.mark.faults
@pytest.mark.parametrize(("source", "target"), [("vtex", "brex")])
def test_a_run_that_dies_after_its_first_write_is_completed_by_the_next(source, target, tmp_path):
    with pair(source, target, tmp_path, BOTH) as at:
        edited(at)
        before, point = held(at), 1
        while held(at) == before:
            point += 1
            killed(at, point)
        assert settles(at)


@DYING
@pytest.mark.faults
@pytest.mark.parametrize("point", range(1, 40))
@pytest.mark.parametrize(("source", "target"), ENDS)
def test_a_run_that_dies_anywhere_is_completed_by_the_next(source, target, point, tmp_path):
    with pair(source, target, tmp_path, BOTH) as at:
        edited(at)
        life = Life(point)
        with living(life):
            try:
                at.run()
            except Killed:
                at.forgets_who_ran()
        assert settles(at)


@pytest.mark.sampled(12)
@pytest.mark.parametrize("fault", ["lost_answer", "garbage", "error_after", "lost_call"])
@pytest.mark.parametrize(("source", "target"), ENDS)
def test_answers_that_are_lost_on_both_sides_lose_nothing(source, target, fault, tmp_path):
    with pair(source, target, tmp_path, BOTH) as at:
        edited(at)
        for side in vendors(at):
            side.served.faults.add(fault, writes=True, times=2)
        at.run()
        assert settles(at)


@pytest.mark.parametrize("source", ["file", "brex"])
def test_a_source_that_trims_and_a_target_that_does_have_moved_nothing(source, tmp_path):
    target = "vtex" if source == "brex" else "brex"
    with pair(source, target, tmp_path, BOTH, brex={"tidies": True}, vtex={"tidies": True}) as at:
        assert at.run().code == 0
        at.target.edit("Travel", name="Travel abroad ")
        at.source.edit("Software", description="  For   all ")
        run = at.run()
        assert run.code == 0, run.out
        assert at.waits() == []
        assert {*map(str.strip, at.source.shown())} == {"Travel abroad", *NAMES[1:]}
        assert at.is_quiet()
