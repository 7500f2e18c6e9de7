"""Budgets with phases at every vendor: what its sandbox then holds, day by day, is what was stated,
or the change is blocked, or a loss names the amounts.

Days are compared from the first of the period that a vendor is in to the last that it holds: VTEX
and Brex hold the period of the day, BILL also the one after it, Vantage and Kaireon all of them.
"""

from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.count import year_starts
from canonical.kind import Kind
from canonical.loss import Effect
from canonical.period import Cadence, Period, add_months, period_of
from connectors.contract.records import Draft
from connectors.kaireon.wire import KaireonRow
from sync.project import Projector
from tests.examples import examples
from tests.vendors.every_vendor import BEGAN, SHARED, Account

TODAY = BEGAN.date()
DAY = timedelta(days=1)


def usd(number):
    return Amount.of(number, "USD")


def of_phases(cadence, *phases):
    """A budget as sources state one: its start, end and amount are those of its phases."""
    made = tuple(Phase(Period(start, end), usd(number)) for start, end, number in phases)
    first, last = made[0], made[-1]
    return Budget(ref="B", name="B", amount=first.amount, cadence=cadence, phases=made,
                  start=first.period.start, end=last.period.end)  # fmt: skip


@st.composite
def budgets(draw, cadences=(Cadence.WEEKLY, Cadence.MONTHLY, Cadence.QUARTERLY)):
    phases, day = [], draw(st.dates(date(2025, 10, 1), date(2026, 3, 31)))
    if draw(st.booleans()):
        day = day.replace(day=1)
    for index in range(draw(st.integers(2, 4))):
        end = day + timedelta(days=draw(st.integers(0, 120)))
        if draw(st.booleans()):
            end = add_months(end.replace(day=1), 1) - DAY
        phases.append((day, end, draw(st.sampled_from([100, "33.34", 250, 250 + index]))))
        day = end + timedelta(days=draw(st.sampled_from([1, 1, 20, 45])))
    if draw(st.booleans()):
        phases[-1] = (phases[-1][0], None, phases[-1][2])
    return of_phases(draw(st.sampled_from(cadences)), *phases)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Writes a budget as a run does: what is lost, and the rows there then; None where blocked."""
    serial, opened = count(), {}
    with ExitStack() as stack:

        def write(vendor, budget):
            if vendor not in opened:
                account = Account(vendor, tmp_path_factory.mktemp(vendor), stack)
                opened[vendor] = account, stack.enter_context(account.opened())
                assert [*opened[vendor][1].list(Kind.BUDGET)]
            account, target = opened[vendor]
            projector = Projector(target.capabilities, TODAY, 12)
            with target.on(TODAY):
                model, losses = projector.budget(budget)
                model, more = target.fit(model, projector.horizon)
                losses = (*losses, *more, *target.objections(model))
                if any(each.effect is Effect.BLOCKED for each in losses):
                    return losses, None
                name = f"Name {next(serial)}"
                target.create(Draft(model=replace(model, name=name)), key=name)
            return losses, [row for row in account.rows() if row["name"] == name]

        yield write


def vtex(rows, budget):
    (row,) = rows
    cycle, amount = row["cycleConfiguration"], row["balance"]["amount"]
    return [(_day(cycle["startDate"]), _day(cycle["endDate"]) - DAY, amount)]


def brex(rows, budget):
    (row,) = rows
    first, last = _day(row["start_date"]), _day(row["end_date"])
    whole = period_of(budget.cadence, max(TODAY, first), budget.start.month)
    end = min(filter(None, (whole.end, last)))
    return [(max(first, whole.start), end, Decimal(row["amount"]["amount"]) / 100)]


def bill(rows, budget):
    (row,) = rows
    now, month = row["currentPeriod"], row.get("recurMonth", 1)
    begins = _day(now["endDate"])
    later = period_of(budget.cadence, begins, month)
    last = _day(row.get("expirationDate")) or date.max
    found = [(_day(now["startDate"]), min(begins - DAY, last), now["limit"])]
    return found + [(begins, min(later.end, last), row["recurringLimit"])] * (begins <= last)


def vantage(rows, budget):
    (row,) = rows
    return [(_day(p["start_at"]), _day(p["end_at"]), Decimal(p["amount"])) for p in row["periods"]]


def kaireon(rows, budget):
    found = [KaireonRow.model_validate(row) for row in rows]
    return sorted((each.period.start, each.period.end, each.max_spend) for each in found)


def _day(text):
    return date.fromisoformat(text[:10]) if text else None


HELD = {"vtex": vtex, "brex": brex, "bill": bill, "vantage": vantage, "kaireon": kaireon}


def differing(held, budget, cadence):
    """Days of a span that a vendor holds for which the source states another amount, or none.

    Nothing is asked of the days before and after the budget, and of periods that are over.
    """
    found = []
    first, last = budget.start, budget.end or date.max
    now = period_of(cadence, TODAY, year_starts(budget)).start
    for start, end, amount in held:
        day, end = max(start, first, now), min(end or date(2027, 3, 31), last)
        while day <= end:
            stated = [each.amount.value for each in budget.phases if day in each.period]
            if stated != [amount]:
                found.append(day)
            day += DAY
    return found


def untold(held, budget):
    """Days ahead, as far as the vendor holds any, on which it holds nothing of what is stated."""
    last, day = max(end or date(2027, 3, 31) for _, end, _ in held), TODAY
    days = []
    while day <= last:
        stated = any(day in each.period for each in budget.phases)
        if stated and not any(start <= day and (not end or day <= end) for start, end, _ in held):
            days.append(day)
        day += DAY
    return days


HALVES = of_phases(Cadence.MONTHLY, (date(2026, 1, 1), date(2026, 3, 14), 100),
                   (date(2026, 3, 15), date(2026, 6, 30), 200))  # fmt: skip
NEXT_HALVES = of_phases(Cadence.MONTHLY, (date(2026, 1, 1), date(2026, 4, 14), 100),
                        (date(2026, 4, 15), None, 200))  # fmt: skip
GAPS = of_phases(Cadence.MONTHLY, (date(2026, 1, 1), date(2026, 2, 10), 100),
                 (date(2026, 3, 10), date(2026, 3, 20), 200),
                 (date(2026, 5, 1), date(2026, 6, 30), 300))  # fmt: skip
AHEAD = of_phases(Cadence.MONTHLY, (date(2026, 1, 1), date(2026, 2, 28), 100),
                  (date(2026, 5, 1), date(2026, 6, 30), 300))  # fmt: skip


@pytest.mark.parametrize("vendor", SHARED)
@settings(deadline=None, max_examples=examples(10), suppress_health_check=list(HealthCheck))
@given(budget=budgets())
@example(budget=HALVES)
@example(budget=NEXT_HALVES)
@example(budget=GAPS)
@example(budget=AHEAD)
def test_each_day_is_held_as_it_is_stated_or_its_amounts_are_named(written, vendor, budget):
    assume(vendor != "kaireon" or budget.cadence is not Cadence.WEEKLY)  # a call for each week
    losses, rows = written(vendor, budget)
    if rows is None:
        return
    held = HELD[vendor](rows, budget)
    about = [each for each in losses if each.field in ("amount", "phases")]
    if days := differing(held, budget, budget.cadence):
        assert about, days
    assert not untold(held, budget) or about
    if not days:
        assert not [each for each in about if each.effect is Effect.TRUNCATED]


ONCE = of_phases(Cadence.ONCE, (date(2026, 1, 1), date(2026, 3, 31), 100),
                 (date(2026, 4, 1), date(2026, 6, 30), 200))  # fmt: skip


@pytest.mark.parametrize("vendor", ["vtex", "brex", "bill"])
def test_amounts_that_count_once_each_are_named_where_one_is_held(written, vendor):
    losses, rows = written(vendor, ONCE)
    (loss,) = [each for each in losses if each.name == "truncated:phases"]
    assert "100.00 USD in 2026-01-01..2026-03-31, 200.00 USD in 2026-04-01" in loss.reason
    assert rows
