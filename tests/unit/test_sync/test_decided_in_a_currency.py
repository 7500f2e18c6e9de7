"""What was decided of an amount, once its currency is another one."""

import pytest

from canonical.amount import Amount
from sync.decided import Take
from sync.fields import Owner
from tests.unit.test_sync.people import People
from tests.unit.test_sync.test_returns import Desk, store, usd

assert store


def waiting(desk):
    desk.source.edit("A", amount=usd(200))
    desk.edit(amount=usd(300))
    (asked,) = (each for each in desk.run().plan.waits if each.field == "amount")
    return asked


def eur(n):
    return Amount.of(n, "EUR")


@pytest.mark.parametrize("take", [Take.VALUE, Take.SOURCE, Take.TARGET])
@pytest.mark.parametrize("mover", ["source", "target", "both"])
@pytest.mark.parametrize("word", [Owner.EITHER, Owner.ASK])
def test_it_is_asked_anew(store, take, mover, word):
    desk = Desk(store, word).agreed()
    People(store).take(waiting(desk), take, "250" if take is Take.VALUE else None)
    if mover in ("source", "both"):
        desk.source.edit("A", amount=eur(200))
    if mover in ("target", "both"):
        desk.edit(amount=eur(300))

    report = desk.run()

    assert any(each.field == "amount" for each in report.plan.waits)
    assert desk.stated.amount == (usd(200) if mover == "target" else eur(200))
    assert desk.held.amount == (usd(300) if mover == "source" else eur(300))
