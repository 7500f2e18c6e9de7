"""Nobody is offered a way out of what waits that no system could go."""

from contextlib import closing
from dataclasses import replace as replace_able

import pytest

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.kind import Kind
from connectors.contract.capabilities import Removal
from sync.decided import Take
from sync.queue import ANY_VALUE, asked_by
from sync.spec import OnRemove
from sync.state.store import Store
from tests.unit.test_sync.test_returns import NOW, Desk, converting, usd


@pytest.fixture
def store(tmp_path, empty_state):
    empty_state(tmp_path)
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as store:
        yield store


def ways(report):
    (question,) = asked_by(report.plan)
    return question.ways, question.waiting.reason


def able(system, **said):
    system.capabilities = replace_able(system.capabilities, **said)


def test_what_the_source_retired_for_good_is_not_taken_back_to_life_there(store):
    desk = Desk(store).agreed()
    able(desk.source, revives=frozenset())
    desk.edit(amount=usd(150))
    desk.source.edit("A", status=Status.RETIRED)

    offered, reason = ways(desk.run())

    assert offered == (Take.SOURCE,)
    assert reason.endswith('not "target": it was retired in memory, which cannot revive')


def test_what_the_target_retired_for_good_is_not_given_the_sources_life(store):
    desk = Desk(store).agreed()
    able(desk.target, revives=frozenset())
    desk.edit(status=Status.RETIRED)
    desk.source.edit("A", amount=usd(150))

    offered, reason = ways(desk.run())

    assert offered == (Take.TARGET,)
    assert reason.endswith("to make another one: trueup unlink s A --anew")


def test_what_both_sides_revive_is_offered_both_ways(store):
    desk = Desk(store).agreed()
    desk.edit(amount=usd(150))
    desk.source.edit("A", status=Status.RETIRED)

    assert ways(desk.run())[0] == (Take.SOURCE, Take.TARGET)


def test_an_amount_that_the_source_would_round_is_not_offered_to_it(store):
    desk = Desk(store).agreed()
    able(desk.source, amount_digits=0)
    desk.edit(amount=usd("150.50"))
    desk.source.edit("A", amount=usd(120))

    offered, reason = ways(desk.run())

    assert offered == (Take.SOURCE, ANY_VALUE)
    assert "holds no finer amount" in reason


def test_an_amount_that_no_amount_of_the_source_is_converted_to_is_not_offered_to_it(store):
    desk = converting(store)
    desk.edit(amount=usd("150.03"))
    desk.source.edit("A", amount=Amount.of(110, "EUR"))

    offered, reason = ways(desk.run())

    assert offered == (Take.SOURCE, ANY_VALUE)
    assert "no amount of the source comes to just that" in reason


def test_what_the_target_cannot_empty_is_not_offered_to_it(store):
    desk = Desk(store)
    desk.source.edit("A", owners=("ann",))
    desk.agreed()
    able(desk.target, clearable=frozenset())
    desk.edit(owners=("bob",))
    desk.source.edit("A", owners=None)

    offered, reason = ways(desk.run())

    assert offered == (Take.TARGET, ANY_VALUE)
    assert reason.endswith('not "source": memory cannot empty it again')


def test_what_the_target_lost_is_not_to_go_from_a_source_that_removes_nothing(store):
    desk = Desk(store).agreed()
    desk.more = {"on_remove": OnRemove.RETIRE}
    able(desk.source, removal=Removal.NONE)
    desk.target.delete(Kind.BUDGET, desk.of(desk.target)[0].id, "gone")

    offered, reason = ways(desk.run())

    assert offered == (Take.SOURCE,)
    assert reason.endswith('not "target": memory cannot remove anything')


def test_what_the_source_dropped_is_not_to_go_from_a_target_that_cannot_retire(store):
    desk = Desk(store).agreed()
    desk.more = {"on_remove": OnRemove.RETIRE}
    able(desk.target, removal=Removal.DELETE)
    desk.edit(amount=usd(150))
    desk.source.delete(Kind.BUDGET, "A", "gone")

    offered, reason = ways(desk.run())

    assert offered == (Take.TARGET,)
    assert 'not "source": memory cannot retire' in reason
