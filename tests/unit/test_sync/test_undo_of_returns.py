"""Undo of a run that wrote to the source."""

from canonical.amount import Amount
from canonical.kind import Op
from canonical.side import Side
from connectors.contract.capabilities import Phasing
from sync.outcome import Outcome
from sync.state.stops import Stops
from sync.undo.plan import Undo
from tests.unit.test_sync.test_additions import Desk as Adding
from tests.unit.test_sync.test_returns import TODAY, Desk, month, store, usd

__all__ = ["store"]


def undone(desk, report):
    return desk.engine().run(TODAY, command="undo", undo=Undo(report.run_id))


def taken_back(store):
    desk = Desk(store).agreed()
    desk.edit(amount=usd(150))
    return desk, desk.run()


def test_what_was_taken_back_is_put_back_in_the_source_and_the_target_stays(store):
    desk, report = taken_back(store)

    undo = undone(desk, report)

    assert [(each.side, each.op, each.outcome) for each in undo.operations] == [
        (Side.SOURCE, Op.UPDATE, "applied")
    ]
    assert (undo.outcome, undo.verified) == (Outcome.OK, True)
    assert (desk.stated.amount, desk.held.amount) == (usd(100), usd(150))


def test_the_source_keeps_its_own_rows_where_their_amounts_are_put_back(store):
    desk = Desk(store, phasing=Phasing.CURRENT)
    desk.source.edit("A", phases=tuple(month(number, 100) for number in range(1, 7)))
    before = desk.agreed().stated.phases
    desk.edit(amount=usd(150))

    undone(desk, desk.run())

    assert desk.stated.phases == before


def test_a_second_undo_has_nothing_to_do(store):
    desk, report = taken_back(store)
    undone(desk, report)

    assert undone(desk, report).operations == []


def test_after_it_neither_value_is_written_over_the_other_unasked(store):
    desk, report = taken_back(store)
    undone(desk, report)
    Stops(store).resume("s")

    (wait,) = desk.run().plan.waits

    assert (wait.source, wait.target) == ("100.00", "150.00")
    assert (desk.stated.amount, desk.held.amount) == (usd(100), usd(150))


def test_what_somebody_changed_in_the_source_since_stays_and_is_told(store):
    desk, report = taken_back(store)
    desk.source.edit("A", amount=usd(170))

    undo = undone(desk, report)

    (change,) = undo.plan.changes
    assert (change.op, change.side, undo.left) == (Op.BLOCKED, Side.SOURCE, 1)
    assert "somebody changed it in the source since" in change.losses[0].reason
    assert desk.stated.amount == usd(170)


def test_what_was_made_in_the_source_stays_and_is_told(store):
    desk = Adding(store).filled()
    report = desk.run()

    undo = desk.run(undo=Undo(report.run_id))

    assert [(each.op, each.side) for each in undo.plan.changes] == [(Op.BLOCKED, Side.SOURCE)] * 2
    assert desk.names(desk.source) == desk.names(desk.target) == ["Tools", "Travel"]


def test_an_amount_is_not_put_back_into_another_currency_of_the_source(store):
    desk, report = taken_back(store)
    desk.source.edit("A", amount=Amount.of(150, "EUR"))

    undo = undone(desk, report)

    assert desk.stated.amount == Amount.of(150, "EUR")
    assert undo.left == 1
