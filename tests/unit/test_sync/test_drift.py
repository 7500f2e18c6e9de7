"""How much of what people edited in the target is money, per currency and exact."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from canonical.change import Change
from canonical.compare import Cause
from canonical.kind import Kind, Op
from canonical.money import Counted, Move
from canonical.period import Cadence
from canonical.waiting import Rule, Waiting
from sync.drift import drifted, drifted_money

DAY = date(2026, 3, 1)


def counted(amount, unit="USD", cadence=Cadence.MONTHLY):
    return Counted(Decimal(amount), unit, cadence)


def edited(ref, before, after, cause=Cause.DRIFT):
    move = Move(DAY, before, after)
    return Change(op=Op.UPDATE, kind=Kind.BUDGET, ref=ref, cause=cause, money=(move,))


def asked(ref, source, target, money="9 USD", **more):
    return Waiting(
        rule=more.pop("rule", Rule.DRIFT), reason="", kind=Kind.BUDGET, ref=ref,
        field=more.pop("field", "amount"), source=source, target=target, money=money, **more,
    )  # fmt: skip


def plan(*found):
    return SimpleNamespace(
        changes=[each for each in found if isinstance(each, Change)],
        waits=[each for each in found if isinstance(each, Waiting)],
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], {}),
        ([edited("A", counted("100.10"), counted("100"))], {"USD": "0.1"}),
        (
            [edited("A", counted("3"), counted("1")), edited("B", counted("1"), counted("3"))],
            {"USD": "4"},
        ),
        ([edited("A", counted("5"), counted("7", "EUR"))], {"EUR": "7", "USD": "5"}),
        ([edited("A", None, counted("7"))], {"USD": "7"}),
        ([edited("A", counted("9" * 60 + ".01"), counted("0.02"))], {"USD": "9" * 59 + "8.99"}),
        ([edited("A", counted("1"), counted("9"), Cause.SOURCE)], {}),
        ([edited("A", counted("99"), counted("1", cadence=Cadence.DAILY))], {"USD": "2.25"}),
        ([asked("A", "10.00", "12.50")], {"USD": "2.5"}),
        ([asked("A", None, "12.5")], {"USD": "12.5"}),
        ([asked("A", "1", "2", beside=("currency", "EUR", "USD"))], {"USD": "1"}),
        ([asked("A", "1", "2", beside=(("currency", "EUR", "USD"),))], {"EUR": "1", "USD": "2"}),
        ([asked("A", "1", "2", money=None)], {}),
        ([asked("A", "1", "2", rule=Rule.CONFLICT)], {}),
        ([asked("A", "one", "two", field="name")], {}),
    ],
)
def test_each_edit_counts_by_how_far_it_is_off(found, said):
    assert drifted_money(plan(*found)) == said


def test_an_object_that_is_edited_and_asked_about_is_one():
    found = plan(edited("A", None, counted("7")), asked("A", "x", "y", field="name"))
    assert drifted(found) == 1
