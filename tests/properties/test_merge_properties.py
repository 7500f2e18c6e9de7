"""The merge of one object from three, over every word and every way in which both sides move."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.allocation import Status
from canonical.compare import Baseline, differences
from canonical.kind import FIELDS, Kind
from canonical.waiting import Rule
from sync.decided import Decision, Take
from sync.fields import Fields, OnConflict, Owner
from sync.merge import Pair, merge
from sync.remembering import UNWRITTEN
from sync.unread import TOGETHER
from tests.examples import examples

KIND = Kind.BUDGET
NAMES = FIELDS[KIND]
HELD = frozenset(NAMES)
AT = {name: index for index, name in enumerate(NAMES)}
MINE = (Owner.EITHER, Owner.ASK, Owner.TARGET)


def whole(**said):
    """The facts of a budget."""
    first = {"name": "N", "amount": "100", "currency": "USD", "cadence": "month"}
    return tuple(({"status": "active"} | first | said).get(name) for name in NAMES)


def pair(desired, observed, baseline, stated=None, shown=None):
    stated = desired if stated is None else stated
    return Pair(
        kind=KIND,
        key=("", "A"),
        name="N",
        desired=desired,
        observed=observed,
        baseline=baseline,
        stated=stated,
        shown=(baseline.desired if baseline else UNWRITTEN) if shown is None else shown,
    )


def words(word, *names, **more):
    return Fields(words={(KIND, name): word for name in names}, **more)


def decided(wait, take, value=None):
    return Decision(
        number=1,
        rule=wait.rule,
        kind=wait.kind,
        key=("", wait.ref),
        field=wait.field,
        take=take,
        value=value,
        source=wait.source,
        target=wait.target,
        beside=wait.beside,
    )


values = st.sampled_from([None, "1", "2", "3"])
some_facts = st.tuples(
    *(values if name != "status" else st.sampled_from([*map(str, Status)]) for name in NAMES)
)
baselines = st.none() | st.builds(Baseline, some_facts, some_facts)


@settings(max_examples=examples(20))
@given(some_facts, some_facts, baselines, st.frozensets(st.sampled_from(NAMES)))
def test_where_the_source_owns_all_the_merge_is_the_comparison(desired, observed, agreed, held):
    found = merge(pair(desired, observed, agreed), held, Fields(), {})

    assert found.write == differences(NAMES, held, desired, observed, agreed)
    assert (found.take, found.both, found.waits, found.open) == ({}, {}, [], set())


FIELD = ("description", "amount")
MOVES = [(False, False), (True, False), (False, True), (True, True)]
EXPECTED = {
    (Owner.SOURCE, (True, False)): "write",
    (Owner.SOURCE, (False, True)): "write",
    (Owner.SOURCE, (True, True)): "write",
    (Owner.TARGET, (True, False)): "take",
    (Owner.TARGET, (False, True)): "take",
    (Owner.TARGET, (True, True)): "take",
    (Owner.EITHER, (True, False)): "write",
    (Owner.EITHER, (False, True)): "take",
    (Owner.EITHER, (True, True)): Rule.CONFLICT,
    (Owner.ASK, (True, False)): "write",
    (Owner.ASK, (False, True)): Rule.DRIFT,
    (Owner.ASK, (True, True)): Rule.CONFLICT,
}


def outcome(found, name):
    """What becomes of that field."""
    told = [each.rule for each in found.waits if each.field == name]
    told += ["write"] if any(each.field == name for each in found.write) else []
    told += ["take"] if name in found.take else []
    assert len(told) < 2
    return told[0] if told else None


@pytest.mark.parametrize("name", FIELD)
@pytest.mark.parametrize(("word", "moved"), [*product(Owner, MOVES)])
def test_each_word_says_what_becomes_of_each_move(name, word, moved):
    source, target = moved
    agreed = whole(**{name: "100"})
    desired = whole(**{name: "120"}) if source else agreed
    observed = whole(**{name: "150"}) if target else agreed

    found = merge(pair(desired, observed, Baseline(agreed, agreed)), HELD, words(word, name), {})

    assert outcome(found, name) == EXPECTED.get((word, moved))


@pytest.mark.parametrize("name", FIELD)
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (Owner.SOURCE, "write"),
        (Owner.TARGET, "take"),
        (Owner.EITHER, Rule.CONFLICT),
        (Owner.ASK, Rule.CONFLICT),
        (Owner.IGNORE, None),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_where_nothing_was_agreed_yet(name, word, expected, known):
    none = (None,) * len(NAMES)
    there = pair(
        whole(**{name: "120"}),
        whole(**{name: "150"}),
        Baseline(none, none) if known else None,
    )

    assert outcome(merge(there, HELD, words(word, name), {}), name) == expected


@pytest.mark.parametrize("name", FIELD)
@pytest.mark.parametrize("word", [*Owner])
def test_what_both_moved_to_one_value_is_agreed(name, word):
    now, agreed = whole(**{name: "150"}), whole(**{name: "100"})

    found = merge(pair(now, now, Baseline(agreed, agreed)), HELD, words(word, name), {})

    assert outcome(found, name) is None


@settings(max_examples=examples(20))
@given(some_facts, some_facts, some_facts, some_facts, st.sampled_from(MINE), st.data())
def test_no_edit_of_the_target_is_overwritten_unasked(desired, observed, was, echo, word, data):
    """What the target moved is written over only where the word is "source"."""
    mine = data.draw(st.frozensets(st.sampled_from(NAMES)))
    mine = mine | (TOGETHER if mine & TOGETHER else set())
    there = pair(desired, observed, Baseline(was, echo))

    found = merge(there, HELD, words(word, *mine), {})

    for each in found.write:
        assert each.field not in mine or observed[AT[each.field]] == echo[AT[each.field]]


@settings(max_examples=examples(20))
@given(some_facts, some_facts, some_facts, some_facts, st.data())
def test_no_edit_of_the_source_is_overwritten_unasked(desired, observed, was, echo, data):
    """What the source moved is taken back only where the word is "target"."""
    word = data.draw(st.sampled_from([Owner.EITHER, Owner.ASK]))
    mine = data.draw(st.frozensets(st.sampled_from(NAMES)))
    mine = mine | (TOGETHER if mine & TOGETHER else set())

    found = merge(pair(desired, observed, Baseline(was, echo)), HELD, words(word, *mine), {})

    assert all(desired[AT[name]] == was[AT[name]] for name in found.take)


@settings(max_examples=examples(20))
@given(some_facts, some_facts, baselines, st.sampled_from([*Owner]), st.sampled_from(OnConflict))
def test_money_of_one_object_comes_from_one_side(desired, observed, agreed, word, winner):
    there = pair(desired, observed, agreed)

    found = merge(there, HELD, words(word, *TOGETHER, on_conflict=winner), {})

    written = {each.field for each in found.write} & TOGETHER
    waits = {each.field for each in found.waits} & TOGETHER
    assert sum(map(bool, (written, found.take.keys() & TOGETHER, waits))) < 2


@settings(max_examples=examples(20))
@given(some_facts, some_facts, baselines, st.sampled_from(MINE))
def test_what_is_decided_for_one_side_waits_no_more(desired, observed, agreed, word):
    there = pair(desired, observed, agreed)
    fields = words(word, *NAMES)
    for take in (Take.SOURCE, Take.TARGET):
        answers = {}
        for _ in range(3):  # what goes together may be asked about once it comes apart
            waits = merge(there, HELD, fields, answers).waits
            answers |= {each.field: decided(each, take) for each in waits}

        assert merge(there, HELD, fields, answers).waits == []


@settings(max_examples=examples(20))
@given(some_facts, some_facts, baselines)
def test_a_decision_about_other_values_answers_nothing(desired, observed, agreed):
    there = pair(desired, observed, agreed)
    fields = words(Owner.EITHER, *NAMES)
    waits = merge(there, HELD, fields, {}).waits
    stale = {each.field: replace(decided(each, Take.SOURCE), target="another") for each in waits}

    assert merge(there, HELD, fields, stale).waits == waits


def test_a_value_that_was_decided_on_goes_to_both_sides():
    agreed = whole()
    there = pair(whole(amount="120"), whole(amount="150"), Baseline(agreed, agreed))
    fields = words(Owner.EITHER, *TOGETHER)
    (wait,) = merge(there, HELD, fields, {}).waits

    found = merge(there, HELD, fields, {"amount": decided(wait, Take.VALUE, "135")})

    assert found.both == {"amount": "135"}
    assert [(each.field, each.after) for each in found.write] == [("amount", "135")]


# -- the calendar and the rates ------------------------------------------------------------------


def test_another_period_of_the_same_statement_is_written():
    agreed = whole()
    there = pair(whole(amount="110"), agreed, Baseline(agreed, agreed), stated=agreed, shown=agreed)

    assert outcome(merge(there, HELD, words(Owner.EITHER, *TOGETHER), {}), "amount") == "write"


def test_another_period_does_not_write_over_what_was_accepted():
    agreed, accepted = whole(), whole(amount="150")
    there = pair(
        whole(amount="110"), accepted, Baseline(agreed, accepted), stated=agreed, shown=agreed
    )

    found = merge(there, HELD, words(Owner.EITHER, *TOGETHER), {})

    assert outcome(found, "amount") is Rule.CONFLICT


@pytest.mark.parametrize(("echo", "expected"), [("100", "write"), ("150", None)])
def test_another_rate_writes_over_nothing_that_was_accepted(echo, expected):
    agreed, seen = whole(), whole(amount=echo)
    there = Pair(
        kind=KIND,
        key=("", "A"),
        name="N",
        desired=whole(amount="110"),
        observed=seen,
        baseline=Baseline(agreed, seen),
        stated=agreed,
        shown=agreed,
        rated=True,
    )

    assert outcome(merge(there, HELD, words(Owner.EITHER, *TOGETHER), {}), "amount") == expected


@pytest.mark.parametrize("word", [*Owner])
def test_what_broke_off_as_it_was_made_is_written_whatever_its_word(word):
    seen = whole(amount="7")
    there = pair(whole(), seen, Baseline(seen, seen, shown=UNWRITTEN), shown=UNWRITTEN)

    assert outcome(merge(there, HELD, words(word, *TOGETHER), {}), "amount") == "write"


# -- what a side says nothing of -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "agreed", "expected"),
    [
        (Owner.EITHER, None, None),
        (Owner.TARGET, None, "take"),
        (Owner.EITHER, (None, None), "take"),
        (Owner.ASK, (None, None), Rule.DRIFT),
        (Owner.EITHER, (None, "theirs"), None),
        (Owner.EITHER, ("ours", "theirs"), "write"),  # the source takes it back
        (Owner.EITHER, ("ours", "ours"), Rule.CONFLICT),
    ],
)
def test_a_description_of_which_the_source_says_nothing(word, agreed, expected):
    was = agreed and Baseline(whole(description=agreed[0]), whole(description=agreed[1]))
    there = pair(whole(), whole(description="theirs"), was)

    found = merge(there, HELD, words(word, "description"), {})

    assert outcome(found, "description") == expected


@pytest.mark.parametrize(
    ("of_shares", "expected"), [(Owner.SOURCE, Rule.CONFLICT), (Owner.TARGET, "take")]
)
def test_what_shares_of_the_source_take_from_a_budget_is_not_taken_back_unasked(
    of_shares, expected
):
    agreed = whole()
    there = replace(
        pair(agreed, whole(cadence="year"), Baseline(agreed, agreed)), lent=frozenset({"cadence"})
    )
    said = {(KIND, name): Owner.TARGET for name in TOGETHER}

    found = merge(there, HELD, Fields(words={**said, (Kind.ALLOCATION, "amount"): of_shares}), {})

    assert outcome(found, "cadence") == expected


def test_an_edit_and_the_time_that_the_source_moved_are_asked_about_once_each():
    agreed = whole()
    there = pair(whole(start="2026-02-01"), whole(amount="150"), Baseline(agreed, agreed))
    fields, answers, asked = words(Owner.ASK, *TOGETHER), {}, []
    for _ in range(3):
        waits = merge(there, HELD, fields, answers).waits
        asked += [each.field for each in waits]
        answers |= {each.field: decided(each, Take.TARGET) for each in waits}

    found = merge(there, HELD, fields, answers)

    assert asked == ["amount", "start"]
    assert (found.take, found.write) == ({"amount": "150", "start": None}, [])
