"""What becomes of the fields of one object, and what is said of those that wait."""

from dataclasses import replace

import pytest

from canonical.compare import Baseline, Cause, Difference
from canonical.kind import FIELDS, Kind
from canonical.waiting import Rule, Waiting
from sync.decided import Decision, Take
from sync.fields import Fields, OnConflict, Owner
from sync.merge import Pair, merge
from sync.remembering import UNWRITTEN
from sync.unread import TOGETHER

NAMES = FIELDS[Kind.BUDGET]


def whole(**said):
    """The facts of a budget."""
    first = {"name": "N", "amount": "100", "currency": "USD", "cadence": "month"}
    return tuple(({"status": "active"} | first | said).get(name) for name in NAMES)


AGREED = whole()


def merged(source, target, word=Owner.EITHER, *, agreed=AGREED, echo=None, answers=(), **more):
    """The merge of what each side shows instead of what was agreed; `more` is of the pair."""
    winner = more.pop("on_conflict", OnConflict.ASK)
    mine = more.pop("mine", NAMES)
    baseline = agreed and Baseline(agreed, echo or agreed)
    desired = whole(**source)
    shown = more.pop("shown", baseline.desired if baseline else UNWRITTEN)
    pair = Pair(
        kind=Kind.BUDGET,
        key=("", "A"),
        name="Travel",
        desired=desired,
        observed=whole(**target),
        baseline=baseline,
        stated=more.pop("stated", desired),
        shown=shown,
        **more,
    )
    fields = Fields(words={(Kind.BUDGET, name): word for name in mine}, on_conflict=winner)
    return merge(pair, frozenset(NAMES), fields, {each.field: each for each in answers})


def decided(wait, take, value=None):
    return Decision(
        number=1, rule=wait.rule, kind=wait.kind, key=("", wait.ref), field=wait.field,
        take=take, value=value, source=wait.source, target=wait.target, beside=wait.beside,
    )  # fmt: skip


# -- what is said --------------------------------------------------------------------------------


def test_a_conflict_says_both_values_what_was_agreed_and_the_money():
    found = merged({"amount": "120"}, {"amount": "150"})

    assert found.waits == [
        Waiting(
            rule=Rule.CONFLICT, reason="both sides moved it", kind=Kind.BUDGET, ref="A",
            budget_ref=None, name="Travel", field="amount", source="120", target="150",
            agreed="100", money="150 USD",
            beside=(("currency", "USD", "USD"), ("cadence", "month", "month")),
        )
    ]  # fmt: skip
    assert found.open == {"amount"}


def test_no_money_hangs_on_a_text():
    (wait,) = merged({"name": "O"}, {"name": "T"}).waits

    assert wait.money is None


def test_no_money_hangs_on_a_budget_that_has_none_in_the_target():
    (wait,) = merged({"amount": "120"}, {"amount": None}).waits

    assert (wait.target, wait.money) == (None, None)


def test_what_was_never_agreed_is_asked_about_as_such():
    (wait,) = merged({"name": "O"}, {}, agreed=None).waits

    assert wait.reason == "both sides have it, and nothing was agreed yet"
    assert wait.agreed is None


def test_a_field_that_was_agreed_to_be_empty_was_moved_by_both():
    agreed = whole(description="")

    (wait,) = merged({"description": "ours"}, {"description": "theirs"}, agreed=agreed).waits

    assert wait.reason == "both sides moved it"


def test_an_edit_of_a_field_that_asks_is_asked_about_as_drift():
    (wait,) = merged({}, {"name": "T"}, Owner.ASK).waits

    assert (wait.rule, wait.field) == (Rule.DRIFT, "name")
    assert wait.reason == "it was edited in the target"


def test_another_period_after_an_accepted_edit_says_what_it_is_about():
    (wait,) = merged(
        {"amount": "200"}, {"amount": "150"}, echo=whole(amount="150"), stated=AGREED
    ).waits

    assert (wait.rule, wait.field) == (Rule.CONFLICT, "amount")
    assert wait.reason.startswith("another value of the target was accepted")


# -- what is written and why ---------------------------------------------------------------------


def test_what_the_source_moved_is_written_as_its_change():
    found = merged({"name": "O"}, {})

    assert found.write == [Difference("name", "N", "O", Cause.SOURCE)]


def test_what_is_written_over_an_edit_is_drift():
    found = merged({"name": "O"}, {"name": "T"}, on_conflict=OnConflict.SOURCE)

    assert found.write == [Difference("name", "T", "O", Cause.DRIFT)]


def test_what_the_target_wins_is_taken_back():
    found = merged({"name": "O"}, {"name": "T"}, on_conflict=OnConflict.TARGET)

    assert (found.write, found.take, found.waits) == ([], {"name": "T"}, [])


@pytest.mark.parametrize(
    ("value", "write", "take", "both"),
    [
        ("X", ("T", "X"), {}, {"name": "X"}),
        ("O", ("T", "O"), {}, {}),
        ("T", None, {"name": "T"}, {}),
    ],
)
def test_a_value_that_a_side_has_already_is_written_only_to_the_other(value, write, take, both):
    (wait,) = merged({"name": "O"}, {"name": "T"}).waits

    found = merged({"name": "O"}, {"name": "T"}, answers=[decided(wait, Take.VALUE, value)])

    assert [(each.before, each.after) for each in found.write] == ([write] if write else [])
    assert (found.take, found.both, found.waits) == (take, both, [])


def test_a_decision_that_is_no_way_out_leaves_the_question():
    (wait,) = merged({"name": "O"}, {"name": "T"}).waits

    found = merged({"name": "O"}, {"name": "T"}, answers=[decided(wait, Take.NONE)])

    assert found.waits == [wait]


# -- what says how much counts when --------------------------------------------------------------


def test_where_each_side_moved_a_part_both_parts_wait():
    found = merged({"amount": "120"}, {"cadence": "year"})

    assert {each.field: each.rule for each in found.waits} == dict.fromkeys(
        ("amount", "cadence"), Rule.CONFLICT
    )
    assert {each.reason for each in found.waits} == {
        "each side moved a part of what says how much counts when"
    }
    assert (found.write, found.take) == ([], {})


@pytest.mark.parametrize("winner", [OnConflict.SOURCE, OnConflict.TARGET])
def test_where_each_side_moved_a_part_the_winner_has_all_of_it(winner):
    found = merged({"amount": "120"}, {"cadence": "year"}, on_conflict=winner)

    written = {each.field: each.after for each in found.write}
    ours, theirs = {"amount": "120", "cadence": "month"}, {"amount": "100", "cadence": "year"}
    by_source = winner is OnConflict.SOURCE
    assert (written, found.take) == ((ours, {}) if by_source else ({}, theirs))


def test_of_two_parts_of_which_one_is_decided_nothing_is_done():
    (amount, _) = merged({"amount": "120"}, {"cadence": "year"}).waits

    found = merged({"amount": "120"}, {"cadence": "year"}, answers=[decided(amount, Take.SOURCE)])

    assert [each.field for each in found.waits] == ["cadence"]
    assert (found.write, found.take, found.open) == ([], {}, {"amount", "cadence"})


def test_two_parts_that_were_decided_for_different_sides_wait_again():
    waits = merged({"amount": "120"}, {"cadence": "year"}).waits
    answers = [
        decided(each, take) for each, take in zip(waits, (Take.SOURCE, Take.TARGET), strict=True)
    ]

    found = merged({"amount": "120"}, {"cadence": "year"}, answers=answers)

    assert [each.field for each in found.waits] == ["amount", "cadence"]
    assert (found.write, found.take) == ([], {})


# -- removed -------------------------------------------------------------------------------------

RETIRED, EDITED = {"status": "retired"}, {"name": "T"}


@pytest.mark.parametrize(
    ("source", "target", "values"),
    [
        (RETIRED, EDITED, ("retired", (("name", "N", "T"),))),
        ({"name": "O"}, RETIRED, ((("name", "O", "N"),), "retired")),
    ],
)
def test_what_one_side_retired_and_the_other_changed_waits_as_a_whole(source, target, values):
    found = merged(source, target)

    (wait,) = found.waits
    assert (wait.rule, wait.field, wait.ref, wait.name) == (Rule.REMOVED, None, "A", "Travel")
    assert (wait.source, wait.target) == values
    assert (found.write, found.take, found.open) == ([], {}, set(NAMES))
    by, other = ("source", "target") if source is RETIRED else ("target", "source")
    assert wait.reason.startswith(f"the {by} retired it, and the {other} changed it")


def test_what_the_source_retires_and_nobody_changed_is_retired():
    found = merged(RETIRED, {})

    assert [(each.field, each.after) for each in found.write] == [("status", "retired")]
    assert found.waits == []


def test_what_the_target_retires_and_nobody_changed_is_taken_back():
    found = merged({}, RETIRED)

    assert (found.write, found.take, found.waits) == ([], {"status": "retired"}, [])


def test_a_change_of_a_field_that_the_source_owns_does_not_keep_what_it_retires():
    found = merged(RETIRED, EDITED, mine=["status"])

    assert found.waits == []
    assert ("status", "retired") in {(each.field, each.after) for each in found.write}


def test_where_the_source_owns_the_status_an_edit_of_another_field_keeps_it():
    found = merged(RETIRED, EDITED, mine=["name"])

    assert [each.rule for each in found.waits] == [Rule.REMOVED]
    assert found.write == []


@pytest.mark.parametrize("said", ["beforehand", "by a person"])
@pytest.mark.parametrize(
    ("source", "target", "take", "write", "taken"),
    [
        (RETIRED, EDITED, "source", {"status": "retired"}, {}),
        (RETIRED, EDITED, "target", {}, {"status": "active", "name": "T"}),
        ({"name": "O"}, RETIRED, "source", {"status": "active", "name": "O"}, {}),
        ({"name": "O"}, RETIRED, "target", {}, {"status": "retired"}),
    ],
)
def test_who_wins_has_all_of_it(said, source, target, take, write, taken):
    if said == "beforehand":
        found = merged(source, target, on_conflict=OnConflict(take))
    else:
        (wait,) = merged(source, target).waits
        found = merged(source, target, answers=[decided(wait, Take(take))])

    assert {each.field: each.after for each in found.write} == write
    assert (found.take, found.waits) == (taken, [])


def test_another_answer_to_a_removal_leaves_it_waiting():
    (wait,) = merged(RETIRED, EDITED).waits
    stale = replace(decided(wait, Take.SOURCE), target="something else")

    assert merged(RETIRED, EDITED, answers=[stale]).waits == [wait]
    assert merged(RETIRED, EDITED, answers=[decided(wait, Take.NONE)]).waits == [wait]


# -- shares that take from here ------------------------------------------------------------------


def test_what_shares_take_from_here_is_asked_about_with_the_reason():
    said = {(Kind.BUDGET, name): Owner.EITHER for name in TOGETHER}
    pair = Pair(
        kind=Kind.BUDGET, key=("", "A"), name="Travel", desired=AGREED,
        observed=whole(cadence="year"), baseline=Baseline(AGREED, AGREED), stated=AGREED,
        shown=AGREED, lent=frozenset({"cadence"}),
    )  # fmt: skip

    (wait,) = merge(pair, frozenset(NAMES), Fields(words=said), {}).waits

    assert (wait.field, wait.rule) == ("cadence", Rule.CONFLICT)
    assert wait.reason.endswith("the shares that the source owns take it from there")
