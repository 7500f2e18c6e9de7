"""What was decided and a system refuses when it is sent is told, done nowhere, and asked anew."""

from contextlib import closing

import pytest

from connectors.contract.errors import Rejected, Uncertain
from sync.decided import Take
from sync.outcome import Exit
from sync.state.store import Store
from sync.state.waits import Waits
from tests.unit.test_sync.people import People
from tests.unit.test_sync.test_returns import NOW, conflicting, once, usd


@pytest.fixture
def store(tmp_path, empty_state):
    empty_state(tmp_path)
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as store:
        yield store


def refusing(store, side, take, value=None):
    """A conflict that was decided, and a run in which that side refuses it."""
    desk, wait = conflicting(store)
    People(store).take(wait, take, value)
    getattr(desk, side).before = once(Rejected("the books are closed"))
    return desk, desk.run()


def amounts(desk):
    return desk.stated.amount, desk.held.amount


def test_a_value_that_the_source_refuses_is_not_left_in_the_target_alone(store):
    desk, report = refusing(store, "source", Take.VALUE, "135.00")

    assert amounts(desk) == (usd(120), usd(150))
    assert [each.outcome for each in report.operations] == ["rejected", "skipped"]
    assert "the books are closed" in report.operations[0].error
    assert report.exit_code == Exit.PARTIAL


@pytest.mark.parametrize(
    ("side", "take", "value"),
    [("source", Take.VALUE, "135.00"), ("source", Take.TARGET, None),
     ("target", Take.SOURCE, None)],
)  # fmt: skip
def test_what_a_side_refuses_waits_again_and_can_be_decided_otherwise(store, side, take, value):
    desk, report = refusing(store, side, take, value)

    (wait,) = Waits(store).queue(["s"]).waits
    assert (wait.answer, report.waiting) == (None, 1)
    assert Waits(store).counts(["s"]) == {"s": 1}
    assert desk.run().operations == []  # nobody decided anew
    People(store).take(wait.waiting, Take.VALUE, "140.00")
    assert desk.run().verified
    assert amounts(desk) == (usd(140), usd(140))


def test_a_value_whose_answer_from_the_source_was_lost_reaches_the_target_once_it_is_settled(store):
    desk, wait = conflicting(store)
    People(store).take(wait, Take.VALUE, "135.00")
    desk.source.after = once(Uncertain("the line went dead"))

    desk.run()
    desk.run()

    assert amounts(desk) == (usd(135), usd(135))


def test_a_refusal_of_what_nobody_decided_ends_no_decision(store):
    desk, wait = conflicting(store)
    People(store).take(wait, Take.SOURCE)
    desk.edit(name="Trips")
    desk.source.before = once(Rejected("the books are closed"))

    assert [each.outcome for each in desk.run().operations] == ["rejected", "applied"]
    assert amounts(desk) == (usd(120), usd(120))
