"""What a run did to an object, of the parts that it was sent in."""

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.data import model_data
from canonical.kind import Kind, Op
from sync.state.journal import Operation, State
from sync.undo.deed import deeds_of

BUDGET = Budget(ref="B", name="New", amount=Amount.of(150, "USD"))


def sent(op, fields, before, *, model=BUDGET, state=State.APPLIED, id="b1"):
    draft = None if model is None else {"model": model_data(model)}
    return Operation(
        id=f"{op}{fields}", run_id="r", seq=0, op=op, kind=Kind.BUDGET, ref="B", target_id=id,
        key="k", fields=fields, before=before, draft=draft, state=state,
    )  # fmt: skip


def test_of_two_parts_the_first_tells_what_was_and_the_last_what_was_left():
    by_half = Budget(ref="B", name="New", amount=Amount.of(80, "USD"))
    (deed,) = deeds_of(
        [
            sent(Op.UPDATE, ("amount",), {"amount": "100.00"}, model=by_half),
            sent(Op.UPDATE, ("name",), {"name": "Old"}),
            sent(Op.UPDATE, ("amount",), {"amount": "80.00"}),
        ]
    )
    assert set(deed.fields) == {"amount", "name"}
    assert deed.before == {"amount": "100.00", "name": "Old"}
    assert (deed.after["amount"], deed.after["name"]) == ("150.00", "New")


def test_what_the_last_part_did_not_write_was_left_by_the_part_that_did():
    on_the_way = Budget(ref="B", name="B (moving)", amount=Amount.of(100, "USD"))
    (deed,) = deeds_of(
        [
            sent(Op.UPDATE, ("name",), {"name": "Old"}, model=on_the_way),
            sent(Op.UPDATE, ("amount",), {"amount": "100.00"}),
            sent(Op.UPDATE, ("name",), {"name": "Old"}, state=State.SKIPPED),
        ]
    )
    assert deed.after["name"] == "B (moving)"


def test_what_was_not_applied_was_not_done():
    for state in State:
        done = deeds_of([sent(Op.UPDATE, ("name",), {"name": "Old"}, state=state)])
        assert len(done) == (state is State.APPLIED)


def test_lists_of_the_journal_are_facts_again():
    before = {"phases": [["2026-01-01..2026-01-31", "5.00"]], "stamp": "B"}
    (deed,) = deeds_of([sent(Op.UPDATE, ("phases", "stamp"), before)])
    assert deed.before["phases"] == (("2026-01-01..2026-01-31", "5.00"),)
    assert deed.fields == ("phases",)
