"""The sum over time at every vendor: what is written is what was stated, or it is blocked or named.

A whole span of time is one that begins where a period that is stated does, and ends where one ends.
"""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import SecretStr

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.count import calendar_periods, own_periods, year_starts
from canonical.loss import Effect
from canonical.period import Cadence, Period, add_months, moved, periods
from connectors.bill.connector import Bill
from connectors.bill.declared import BillSettings
from connectors.brex.connector import Brex
from connectors.brex.declared import BrexSettings
from connectors.contract.runtime import Runtime
from connectors.kaireon.connector import Kaireon
from connectors.kaireon.declared import KaireonSettings
from connectors.vantage.connector import Vantage
from connectors.vantage.declared import VantageSettings
from connectors.vtex.connector import Vtex
from connectors.vtex.cycle import Recurrence, cycle_on
from connectors.vtex.declared import VtexSettings
from sync.project import Projector

TODAY = date(2026, 3, 18)
KEY = SecretStr("canary")
VENDORS = {
    "vantage": (Vantage, VantageSettings(connector="vantage", token=KEY, workspace_token="w",
                                         currency="USD", emulate={"yearly", "quarterly", "once"})),
    "kaireon": (Kaireon, KaireonSettings(connector="kaireon", api_key=KEY, tenant_id="t",
                                         currency="USD", emulate=("yearly", "once"))),
    "vtex": (Vtex, VtexSettings(connector="vtex", base_url="http://127.0.0.1:9", user_token=KEY,
                                context_id="u", currency="USD")),
    "bill": (Bill, BillSettings(connector="bill", api_token=KEY)),
    "brex": (Brex, BrexSettings(connector="brex", token=KEY)),
}  # fmt: skip


@st.composite
def budgets(draw):
    start = draw(st.dates(date(2025, 6, 1), date(2026, 9, 30)))
    end = start + timedelta(days=draw(st.integers(0, 800)))
    if draw(st.booleans()):
        start = start.replace(day=1)
    if draw(st.booleans()):
        end = (end.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    cents = draw(st.integers(1, 10**7))
    return Budget(
        ref="B", name="B", amount=Amount.from_minor(cents, "USD"),
        cadence=draw(st.sampled_from(Cadence)), start=start, end=max(start, end),
    )  # fmt: skip


@pytest.fixture(scope="module")
def fits():
    noon = datetime.combine(TODAY, time(12), UTC)  # the vendor's day and the run's are one
    runtime = Runtime(now=lambda: noon, sleep=lambda seconds: None)
    opened = {name: make(name, own, runtime) for name, (make, own) in VENDORS.items()}

    def fit(vendor, budget, share=None):
        """The budget as it is written; or with one the share of it, after its budget."""
        target = opened[vendor]
        projector = Projector(target.capabilities, TODAY, 12)
        with target.on(TODAY):
            model, losses = projector.budget(budget)
            fitted, more = target.fit(model, projector.horizon)
            if share is None:
                return fitted, (*losses, *more)
            model, lost = projector.allocation(budget.complete(share), budget)
            part, still = target.fit(model, projector.horizon)
        return fitted, part, (*losses, *more), (*lost, *still)

    yield fit
    for each in opened.values():
        each.close()


def stated_sums(budget):
    """What the budget comes to, by the calendar and by its own days."""
    if budget.cadence is Cadence.ONCE:
        return {budget.amount.value}
    first, last = budget.start, budget.end
    return {
        budget.amount.value * calendar_periods(budget.cadence, first, last, year_starts(budget)),
        budget.amount.value * own_periods(budget.cadence, first, last),
    }


def monthly(budget):
    """Vantage's periods: an amount per month, however long they are."""
    spans = [(each.period.start, each.period.end, each.amount) for each in budget.phases]
    for first, last, amount in spans or [(budget.start, budget.end, budget.amount)]:
        yield amount.value * calendar_periods(Cadence.MONTHLY, first, last)


def rows(budget):
    """Kaireon's rows: an amount per calendar period."""
    for each in budget.phases:
        yield each.amount.value * len(
            [*periods(budget.cadence, each.period.start, each.period.end)]
        )


def cycles(budget):
    """VTEX's cycles, from the first to the one that does not renew."""
    recurrence = Recurrence(budget.cadence, budget.start, budget.end)
    day = budget.start
    while True:
        cycle = cycle_on(recurrence, day)
        yield budget.amount.value
        if not cycle.renews:
            return
        day = cycle.last + timedelta(days=1)


def resets(budget):
    """BILL's periods, from that of its first day to that of its last."""
    spans = periods(budget.cadence, budget.start, budget.end, year_starts(budget))
    return (budget.amount.value for _ in spans)


WRITTEN = {"vantage": monthly, "kaireon": rows, "vtex": cycles, "bill": resets}


@pytest.mark.parametrize("vendor", VENDORS)
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(budget=budgets())
@example(budget=Budget(ref="B", name="B", amount=Amount.of(1200, "USD"),
                       cadence=Cadence.QUARTERLY, start=date(2026, 1, 15), end=date(2027, 1, 14)))  # fmt: skip
@example(budget=Budget(ref="B", name="B", amount=Amount.of(100, "USD"),
                       cadence=Cadence.MONTHLY, start=date(2026, 1, 31), end=date(2026, 4, 29)))  # fmt: skip
@example(budget=Budget(ref="B", name="B", amount=Amount.of(100, "USD"),
                       cadence=Cadence.WEEKLY, start=date(2026, 1, 7), end=date(2026, 1, 20)))  # fmt: skip
def test_what_is_written_comes_to_what_was_stated_or_is_blocked(fits, vendor, budget):
    fitted, losses = fits(vendor, budget)
    if any(loss.effect is Effect.BLOCKED for loss in losses):
        return
    named = {loss.name for loss in losses}
    if vendor == "brex":
        whole = (fitted.cadence, fitted.start, fitted.end, fitted.amount)
        assert whole == (budget.cadence, budget.start, budget.end, budget.amount)
        assert ("emulated:end" in named) == (len(stated_sums(budget)) > 1)
        return
    written = sum(map(Fraction, WRITTEN[vendor](fitted)))
    over = "emulated:start" in named  # what is long over is not written
    over |= vendor == "kaireon" and "emulated:end" in named  # nor what is far ahead
    assert over or {written} == {*map(Fraction, stated_sums(budget))}


@pytest.mark.parametrize("vendor", ["vantage", "kaireon", "vtex"])
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(budget=budgets())
def test_a_start_that_moves_is_named_while_it_counts(fits, vendor, budget):
    fitted, losses = fits(vendor, budget)
    if budget.start < TODAY or any(loss.effect is Effect.BLOCKED for loss in losses):
        return
    begins = fitted.start
    if vendor == "vtex":
        begins = cycle_on(Recurrence(budget.cadence, budget.start, budget.end), TODAY).first
    moved = begins != budget.start
    assert moved == any(loss.matters and loss.field == "start" for loss in losses)


@st.composite
def shared(draw):
    """A budget of some months, and a share of it with a time and amounts of its own."""
    first, last = draw(st.integers(0, 12)), draw(st.integers(0, 20))
    start = add_months(date(2025, 10, 1), first)
    months = [*periods(Cadence.MONTHLY, start, moved(add_months(start, last + 1), -1))]
    budget = Budget(
        ref="B", name="B", amount=Amount.of(10**6, "USD"), cadence=Cadence.MONTHLY, start=start,
        end=months[-1].end,
    )  # fmt: skip
    begins = draw(st.integers(0, len(months) - 1))
    own = months[begins : draw(st.integers(begins, len(months) - 1)) + 1]
    cents = draw(
        st.lists(st.sampled_from([0, 500, 501, 99_999]), min_size=len(own), max_size=len(own))
    )
    phases = tuple(
        Phase(each, Amount.from_minor(n, "USD")) for each, n in zip(own, cents, strict=True)
    )
    share = Allocation(
        ref="S", budget="B", entity=Entity("offer", "o"), amount=phases[0].amount, phases=phases
    )
    return budget, share


@pytest.mark.parametrize("vendor", ["vantage", "kaireon"])
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(both=shared())
def test_all_months_of_a_share_come_to_what_was_stated(fits, vendor, both):
    budget, share = both
    above, part, _, losses = fits(vendor, budget, share)
    assert {each.name for each in losses if each.matters} == set()
    if "emulated:start" in {each.name for each in losses}:
        return  # what is long over is not written
    whole = replace(Budget.of_share(part), cadence=Cadence.MONTHLY)
    if not part.phases and part.start is None:
        whole = replace(whole, start=above.start, end=above.end)
    if vendor == "kaireon" and not part.phases:
        whole = replace(whole, phases=(Phase(Period(part.start, part.end), part.amount),))
    assert sum(map(Fraction, WRITTEN[vendor](whole))) == sum(
        each.amount.value for each in share.phases
    )


@pytest.mark.parametrize("vendor", ["bill", "vtex"])
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(both=shared())
def test_the_months_of_a_share_that_are_held_are_those_that_were_stated(fits, vendor, both):
    """Where it has its budget's time, one of its own that is yet to begin or to end is a loss."""
    budget, share = both
    _, part, _, losses = fits(vendor, replace(budget, end=None), share)
    named = {each.name for each in losses}
    held = [(TODAY, part.amount), *((each.period.start, each.amount) for each in part.phases)]
    for day, amount in held[: 1 if vendor == "vtex" else 2]:
        if any(day in each.period for each in share.phases):
            assert amount == Budget.of_share(share).in_force(day)
    assert ("dropped:end" in named) == (share.phases[-1].period.end is not None)
    assert ("dropped:start" in named) == (share.phases[0].period.start > max(TODAY, budget.start))
