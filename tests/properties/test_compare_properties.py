"""Comparison: what nobody touched is no change, and money that differs always is one."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Baseline, Cause, differences
from canonical.facts import (
    BUDGET_FIELDS,
    MONEY_FIELDS,
    SAID_BY_NONE,
    TAKEN_BACK_BY_NONE,
    facts,
    fingerprint,
)

VALUE = st.none() | st.sampled_from(["a", "b", "c"])
FACTS = st.tuples(*[VALUE] * len(BUDGET_FIELDS))
HELD = st.sets(st.sampled_from(BUDGET_FIELDS))
BASELINES = st.none() | st.builds(Baseline, FACTS, FACTS)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


def _found(held, desired, observed, baseline=None):
    return {
        each.field: each for each in differences(BUDGET_FIELDS, held, desired, observed, baseline)
    }


@given(HELD, FACTS, BASELINES)
def test_what_is_as_desired_is_never_a_difference(held, facts, baseline):
    assert not _found(held, facts, facts, baseline)


@given(HELD, FACTS, FACTS, BASELINES)
def test_only_fields_that_are_held_and_said_differ(held, desired, observed, baseline):
    for name, each in _found(held, desired, observed, baseline).items():
        assert name in held
        assert each.after is not None or name in SAID_BY_NONE | TAKEN_BACK_BY_NONE
        assert (each.before, each.after) == (
            observed[BUDGET_FIELDS.index(name)],
            desired[BUDGET_FIELDS.index(name)],
        )


@given(HELD, FACTS, FACTS, BASELINES)
def test_silence_takes_back_what_was_stated_and_nobody_touched(held, desired, observed, baseline):
    found = _found(held, desired, observed, baseline)
    for index, name in enumerate(BUDGET_FIELDS):
        if desired[index] is not None or name in SAID_BY_NONE:
            continue
        taken_back = (
            name in held & TAKEN_BACK_BY_NONE
            and baseline is not None
            and baseline.desired[index] is not None
            and observed[index] is not None
            and observed[index] == baseline.echo[index]
        )
        assert (name in found) == taken_back


@given(HELD, FACTS, FACTS, BASELINES)
def test_money_that_differs_is_a_difference_whatever_was_agreed(held, desired, observed, baseline):
    found = _found(held, desired, observed, baseline)
    for name in held & MONEY_FIELDS:
        index = BUDGET_FIELDS.index(name)
        if desired[index] != observed[index] and desired[index] is not None:
            assert name in found


@given(HELD, FACTS, FACTS, BASELINES)
def test_all_that_is_stated_and_not_agreed_is_found(held, desired, observed, baseline):
    found = _found(held, desired, observed, baseline)
    for index, name in enumerate(BUDGET_FIELDS):
        if name not in held or desired[index] is None or desired[index] == observed[index]:
            continue
        spelling = (
            baseline is not None
            and name not in MONEY_FIELDS
            and (desired[index], observed[index]) == (baseline.desired[index], baseline.echo[index])
        )
        assert (name in found) != spelling, name


@given(HELD, FACTS, FACTS)
def test_what_was_agreed_in_another_spelling_stays_agreed(held, desired, echo):
    assert set(_found(held, desired, echo, Baseline(desired, echo))) <= MONEY_FIELDS


@given(HELD, FACTS, FACTS, FACTS)
def test_an_edit_in_the_target_is_drift(held, desired, echo, observed):
    for name, each in _found(held, desired, observed, Baseline(desired, echo)).items():
        assert each.cause is Cause.DRIFT, name


@given(HELD, FACTS, FACTS, FACTS)
def test_a_change_of_the_source_alone_is_the_sources(held, before, desired, echo):
    for name, each in _found(held, desired, echo, Baseline(before, echo)).items():
        index = BUDGET_FIELDS.index(name)
        assert (each.cause is Cause.SOURCE) == (desired[index] != before[index])


@given(st.integers(-(10**9), 10**9), st.integers(0, 6), TEXTS, st.permutations(["x", "y", "z"]))
def test_another_spelling_has_the_same_facts(cents, zeros, name, owners):
    amount = Decimal(cents).scaleb(-2)
    plain = Budget(ref="B", name=name, amount=Amount(amount, "USD"), owners=("x", "y", "z"))
    padded = amount.quantize(Decimal(1).scaleb(-2 - zeros))
    spelt = Budget(ref="B", name=f" {name}\n", amount=Amount(padded, "USD"), owners=tuple(owners))
    assert facts(spelt) == facts(plain)
    assert fingerprint(facts(spelt)) == fingerprint(facts(plain))


@given(FACTS, FACTS)
def test_fingerprints_differ_exactly_where_facts_do(one, other):
    assert (fingerprint(one) == fingerprint(other)) == (one == other)
