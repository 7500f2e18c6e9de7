"""The order of writes: parents first, and no moment at which the shares exceed their budget."""

from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Change
from canonical.kind import Kind, Op
from sync.order import waves


def usd(number):
    return Amount.of(number, "USD")


def budget(ref, op=Op.UPDATE, before=None, after=0, parent=None):
    gone = op in (Op.RETIRE, Op.DELETE)
    model = None if gone else Budget(ref=ref, name=ref, amount=usd(after), parent=parent)
    return Change(op=op, kind=Kind.BUDGET, ref=ref, fields=moved(before, after), desired=model)


def share(ref, op=Op.UPDATE, before=None, after=0, within="B"):
    entity = Entity("user", ref)
    model = Allocation(ref=ref, budget=within, entity=entity, amount=usd(after))
    return Change(
        op=op,
        kind=Kind.ALLOCATION,
        ref=ref,
        budget_ref=within,
        fields=moved(before, after),
        desired=None if op in (Op.RETIRE, Op.DELETE) else model,
    )


def moved(before, after):
    return {"amount": (None if before is None else str(before), str(after))}


def order(*changes):
    return [{step.change.ref for step in wave} for wave in waves(changes)]


def test_nothing_takes_no_wave():
    assert waves([]) == []


def test_parents_are_made_before_children_and_those_before_shares():
    assert order(
        share("a", Op.CREATE),
        budget("child", Op.CREATE, parent="B"),
        budget("grandchild", Op.CREATE, parent="child"),
        budget("B", Op.CREATE),
    ) == [{"B"}, {"child"}, {"grandchild"}, {"a"}]


def test_shares_are_given_up_first_and_budgets_removed_last():
    assert order(
        budget("B", Op.RETIRE), share("a", Op.DELETE), budget("C", Op.CREATE), share("b", Op.CREATE)
    ) == [{"a"}, {"C"}, {"b"}, {"B"}]


def test_shares_are_lowered_before_their_budget_and_raised_after_it():
    assert order(budget("B", before=10, after=5), share("a", before=9, after=5)) == [{"a"}, {"B"}]
    assert order(share("a", before=5, after=9), budget("B", before=5, after=10)) == [{"B"}, {"a"}]


def test_a_change_of_anything_else_lowers_nothing():
    renamed = Change(op=Op.UPDATE, kind=Kind.BUDGET, ref="B", fields={"name": ("x", "y")})
    assert waves([renamed, budget("C", before=2, after=1)])[0][0].change.ref == "C"


def test_a_circle_of_parents_ends():
    assert len(order(budget("A", Op.CREATE, parent="B"), budget("B", Op.CREATE, parent="A"))) == 1


@given(st.permutations(["B", "C", "D"]), st.permutations(["a", "b", "c"]))
def test_every_change_is_sent_once_whatever_the_order_it_came_in(budgets, shares):
    changes = [budget(ref, Op.CREATE) for ref in budgets] + [share(ref) for ref in shares]
    sent = [step.change.ref for wave in waves(changes) for step in wave]
    assert sorted(sent) == sorted(budgets + shares)


PARTS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 50))


def _steps(before, after, slack):
    """The changes from one state to another, each share and the budget with its slack on top."""
    whole = [sum(state.values()) + more for state, more in zip((before, after), slack, strict=True)]
    yield budget("B", before=whole[0], after=whole[1])
    for ref, amount in after.items():
        if ref in before:
            yield share(ref, before=before[ref], after=amount)
        else:
            yield share(ref, Op.CREATE, after=amount)
    for ref in before.keys() - after.keys():
        yield share(ref, Op.RETIRE, before=before[ref])


@given(PARTS, PARTS, st.tuples(st.integers(0, 20), st.integers(0, 20)), st.randoms())
def test_shares_never_exceed_the_larger_of_the_old_and_the_new_budget(before, after, slack, chance):
    steps = list(_steps(before, after, slack))
    limit, held = int(steps[0].fields["amount"][0]), dict(before)
    for wave in waves(steps):
        for change in (step.change for step in chance.sample(wave, len(wave))):
            if change.kind is Kind.BUDGET:
                limit = int(change.fields["amount"][1])
            else:
                held[change.ref] = int(change.fields["amount"][1])
            assert sum(held.values()) <= limit


@pytest.mark.parametrize("op", [Op.RETIRE, Op.DELETE])
def test_a_share_that_takes_anothers_place_never_counts_beside_it(op):
    changes = [share("old", op, before=100), share("new", Op.CREATE, after=100)]
    first = next(chain.from_iterable(waves(changes)))
    assert first.change.ref == "old"


def test_what_moves_below_a_new_budget_waits_for_it_though_it_is_lowered():
    moves = budget("child", before=10, after=5, parent="B")
    moves = replace(moves, fields={**moves.fields, "parent": (None, "B")})
    assert order(moves, budget("B", Op.CREATE)) == [{"B"}, {"child"}]
