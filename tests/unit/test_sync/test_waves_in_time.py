"""The order of writes where amounts differ by month: no sum exceeds its budget in any of them."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.change import Change
from canonical.facts import facts
from canonical.kind import FIELDS, Kind, Op, kind_of
from canonical.period import Cadence, Period, period_of
from sync import order

MONTHS = [period_of(Cadence.MONTHLY, date(2026, month, 1)) for month in (1, 2, 3)]


def usd(number):
    return Amount.of(number, "USD")


def phases(amounts):
    return tuple(Phase(month, usd(n)) for month, n in zip(MONTHS, amounts, strict=False))


def budget(amounts, ref="B"):
    months = phases(amounts)
    return Budget(
        ref=ref, name=ref, amount=months[0].amount, cadence=Cadence.MONTHLY, phases=months,
        start=MONTHS[0].start, end=months[-1].period.end,
    )  # fmt: skip


def share(ref, amounts):
    months = phases(amounts)
    return Allocation(
        ref=ref, budget="B", entity=Entity("user", ref), amount=months[0].amount, phases=months
    )


def change(before, after, op=Op.UPDATE):
    model = after or before
    kind = kind_of(model)
    was = facts(before) if before else [None] * len(FIELDS[kind])
    fields = {
        name: (one, two)
        for name, one, two in zip(FIELDS[kind], was, facts(model), strict=True)
        if one != two and name in ("amount", "phases")
    }
    return Change(
        op=op, kind=kind, ref=model.ref, fields=fields if after else {}, desired=after,
        budget_ref="B" if kind is Kind.ALLOCATION else None,
    )  # fmt: skip


def waves(changes):
    """The changes of the steps, in the groups in which they are sent."""
    found = order.waves(changes)
    assert all(set(step.fields) == set(step.change.fields) for wave in found for step in wave)
    lasts = [step.change.key for wave in found for step in wave if step.last]
    assert len(lasts) == len(changes) == len({*lasts})
    return [[step.change for step in wave] for wave in found]


def held(model):
    """What the model says of each month; one amount says all of them."""
    stretches = model.phases or (Phase(Period(MONTHS[0].start), model.amount),)
    return [
        sum(each.amount.value for each in stretches if month.start in each.period)
        for month in MONTHS
    ]


def test_what_lowers_in_each_month_goes_before_what_raises():
    down = change(share("a", (5, 5)), share("a", (4, 5)))
    up = change(share("b", (5, 5)), share("b", (5, 6)))
    assert [[each.ref for each in wave] for wave in waves([up, down])] == [["a"], ["b"]]


def test_a_share_that_changes_alone_is_written_once_whatever_its_months_do():
    alone = change(share("a", (5, 5)), share("a", (4, 6)))
    assert waves([alone]) == [[alone]]


def test_two_shares_that_exchange_their_months_are_lowered_before_they_are_raised():
    one = change(share("a", (5, 1)), share("a", (1, 5)))
    two = change(share("b", (1, 5)), share("b", (5, 1)))
    down, up = waves([one, two])
    assert [held(each.desired)[:2] for each in down] == [[1, 1], [1, 1]]
    assert up == [one, two]


def test_a_share_that_only_makes_room_for_another_is_written_once_before_it():
    gives = change(share("a", (5, 5)), share("a", (1, 6)))
    takes = change(share("b", (1, 1)), share("b", (5, 1)))
    assert waves([takes, gives]) == [[gives], [takes]]


def test_what_is_lowered_at_first_says_so_in_its_fields():
    one = change(share("a", (5, 1)), share("a", (1, 5)))
    two = change(share("b", (1, 5)), share("b", (5, 1)))
    first = waves([one, two])[0][0]
    assert set(first.fields) == {"amount", "phases"}
    assert first.fields["amount"] == ("5.00", "1.00")


def test_what_gets_one_amount_again_is_lowered_to_the_least_it_ever_had():
    flat = structs.replace(share("a", (3,)), phases=())
    one = change(share("a", (5, 1)), flat)
    two = change(share("b", (1, 5)), share("b", (5, 1)))
    first = waves([one, two])[0][0]
    assert (first.desired.amount, first.desired.phases) == (usd(1), ())


@pytest.mark.parametrize("later", [(4, 6), (6, 4)])
def test_todays_amount_and_that_of_later_are_each_a_stretch(later):
    following = Period(MONTHS[1].start)
    before = structs.replace(share("a", (5,)), phases=(Phase(following, usd(5)),))
    after = structs.replace(before, amount=usd(later[0]), phases=(Phase(following, usd(later[1])),))
    other = change(share("b", (5, 5)), share("b", (later[1], later[0])))
    first = waves([change(before, after), other])[0]
    (lowered,) = [each.desired for each in first if each.ref == "a"]
    assert (lowered.amount, lowered.phases[0].amount) == (
        usd(min(5, later[0])),
        usd(min(5, later[1])),
    )


AMOUNTS = st.tuples(*[st.integers(0, 20)] * 3)
PARTS = st.dictionaries(st.sampled_from("abc"), AMOUNTS)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(PARTS, PARTS, AMOUNTS, AMOUNTS, st.randoms())
def test_shares_never_exceed_their_budget_in_any_month(before, after, spare, later, chance):
    """Each state has room for itself; a budget that is not changed has the same in both."""
    wholes = [
        [sum(part[m] for part in state.values()) + slack[m] for m in range(3)]
        for state, slack in ((before, spare), (after, later))
    ]
    if chance.random() < 0.3:
        wholes = [[max(month) for month in zip(*wholes, strict=True)]] * 2
    steps = [change(budget(wholes[0]), budget(wholes[1]))] if wholes[0] != wholes[1] else []
    for ref in sorted({*before, *after}):
        was, will = (share(ref, state[ref]) if ref in state else None for state in (before, after))
        if was is None or will is None or was != will:
            op = Op.CREATE if was is None else Op.RETIRE if will is None else Op.UPDATE
            steps.append(change(was, will, op))
    now = {ref: list(amounts) for ref, amounts in before.items()}
    limit = wholes[0]
    for wave in waves(chance.sample(steps, len(steps))):
        for each in chance.sample(wave, len(wave)):
            if each.kind is Kind.BUDGET:
                limit = held(each.desired)
            else:
                now[each.ref] = held(each.desired) if each.desired else [0] * 3
            for month in range(3):
                assert sum(amounts[month] for amounts in now.values()) <= limit[month]
    assert now | dict.fromkeys(now.keys() - after.keys(), [0] * 3) == now
    assert {ref: now[ref] for ref in after} == {ref: list(a) for ref, a in after.items()}


def test_a_change_that_moves_elsewhere_is_never_halved():
    one = change(share("a", (5, 1)), share("a", (1, 5)))
    moved = replace(one, fields={**one.fields, "budget": ("C", "B")})
    two = change(share("b", (1, 5)), share("b", (5, 1)))
    assert [each.ref for wave in waves([moved, two]) for each in wave].count("a") == 1
