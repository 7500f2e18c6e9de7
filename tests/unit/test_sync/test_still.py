"""What of an object is as a run left it, and may be put back."""

from dataclasses import replace

import pytest

from canonical.compare import Baseline
from canonical.facts import BUDGET_FIELDS
from canonical.kind import Kind, Op
from sync.state.journal import Operation, State
from sync.undo.deed import Deed
from sync.undo.still import Still

WAS = dict.fromkeys(BUDGET_FIELDS) | {
    "name": "Travel", "amount": "100.00", "currency": "USD", "cadence": "monthly",
    "status": "active",
}  # fmt: skip
MINE, OTHER = "undo-1", "run-9"


def still(fields, *, now=None, said=None, echo=None, later=(), before=None):
    """A budget of which a run changed `fields`, from what they were; `now` is what is there."""
    left = WAS | fields
    deed = Deed(
        op=Op.UPDATE,
        kind=Kind.BUDGET,
        key=("", "B"),
        target_id="b1",
        fields=tuple(fields),
        before=before or {name: WAS[name] for name in fields},
        after=left,
    )
    there = left | (now or {})
    wanted, echoed = left | (said or {}), left | (echo or {})
    agreed = Baseline(tuple(wanted.values()), tuple(echoed.values()))
    return Still(deed, there, agreed, later, frozenset({MINE}))


def judged(*given, **said):
    return still(*given, **said).judged(BUDGET_FIELDS)


def wrote(run, state=State.APPLIED, fields=("amount",)):
    return Operation(
        id="o", run_id=run, seq=0, op=Op.UPDATE, kind=Kind.BUDGET, ref="B", key="k",
        fields=fields, state=state,
    )  # fmt: skip


def test_what_is_as_it_was_left_goes_back():
    assert judged({"name": "New", "amount": "150.00"}) == (
        {"name": "Travel", "amount": "100.00"},
        {},
    )


def test_what_the_vendor_spells_otherwise_is_as_it_was_left():
    back, stays = judged({"name": "New  name"}, now={"name": "New name"}, echo={"name": "New name"})
    assert (back, stays) == ({"name": "Travel"}, {})


def test_what_somebody_changed_stays_and_the_rest_goes_back():
    back, stays = judged({"name": "New", "amount": "150.00"}, now={"name": "By hand"})
    assert back == {"amount": "100.00"}
    assert stays == {"name": "it was changed since, from New to By hand"}


def test_what_is_back_already_is_in_neither():
    assert judged({"name": "New"}, now={"name": "Travel"}) == ({}, {})


@pytest.mark.parametrize(
    ("fields", "now"),
    [
        ({"amount": "1200.00", "cadence": "yearly"}, {"amount": "1300.00"}),
        ({"cadence": "yearly"}, {"amount": "1200.00"}),
        ({"amount": "90.00", "currency": "EUR"}, {"amount": "95.00"}),
    ],
    ids=["both were changed", "the amount followed by hand", "another currency"],
)
def test_money_goes_back_together_or_not_at_all(fields, now):
    back, stays = judged(fields, now=now)
    assert back == {}
    assert stays.keys() == fields.keys()


def test_money_that_an_earlier_undo_brought_back_by_half_goes_all_the_way():
    fields, now = {"amount": "150.00"}, {"amount": "120.00"}
    by_half = still(fields, now=now, said=now, echo=now, later=[wrote(MINE)])
    assert by_half.judged(BUDGET_FIELDS) == ({"amount": "100.00"}, {})


def test_what_an_earlier_undo_left_torn_goes_all_the_way():
    found = judged({"amount": "150.00"}, now={"amount": "7.00"}, later=[wrote(MINE, State.LOST)])
    assert found == ({"amount": "100.00"}, {})


@pytest.mark.parametrize("later", [[wrote(OTHER)], [wrote(OTHER), wrote(MINE)]])
def test_what_another_run_wrote_since_stays(later):
    now = {"amount": "120.00"}
    back, stays = judged({"amount": "150.00"}, now=now, said=now, echo=now, later=later)
    assert (back, [*stays]) == ({}, ["amount"])


def test_an_edit_after_an_earlier_undo_stays():
    back, stays = judged(
        {"amount": "150.00"}, now={"amount": "77.00"}, said={"amount": "100.00"},
        echo={"amount": "100.00"}, later=[wrote(MINE)],
    )  # fmt: skip
    assert (back, [*stays]) == ({}, ["amount"])


def test_what_the_target_never_shows_is_not_taken_for_undone():
    hidden = {"owners": None}
    back, stays = judged({"owners": ("ada",)}, now=hidden, echo=hidden)
    assert back == {}
    assert "nobody knows what it was" in stays["owners"]
    back, stays = judged({"owners": ("ada",)}, now=hidden, echo=hidden, before={"owners": ("bob",)})
    assert (back, stays) == ({"owners": ("bob",)}, {})


def test_a_text_that_held_a_secret_is_not_written_back_masked():
    back, stays = judged({"name": "New"}, before={"name": "token ***"})
    assert back == {}
    assert "secret" in stays["name"]


def test_a_field_that_the_target_does_not_hold_is_no_matter():
    assert still({"name": "New", "amount": "150.00"}).judged({"name"}) == ({"name": "Travel"}, {})


def test_what_nobody_said_is_not_said_by_an_undo():
    standing = still({"name": "New"}, now={"description": "by hand"})
    assert standing.as_agreed()["description"] is None
    moved = still({"name": "New"}, now={"amount": "130.00"})
    assert moved.as_agreed()["amount"] == "130.00"
    assert replace(moved, now=moved.now | {"name": "x"}).as_agreed()["name"] == "x"


def test_what_had_no_value_and_must_have_one_keeps_it_with_the_money_that_goes_along():
    before = {"start": None, "amount": "100.00"}
    back, stays = judged({"start": "2026-03-01", "amount": "150.00"}, before=before)
    assert back == {}
    assert stays.keys() == {"start", "amount"}
