"""A budget or a share in Vantage's own terms: months, and nothing but periods."""

from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import facts
from canonical.period import Cadence, Period
from connectors.vantage.fitting import fitted, fitted_share

TODAY = date(2026, 1, 10)
HORIZON = date(2027, 3, 15)
EMULATED = {Cadence.YEARLY, Cadence.QUARTERLY, Cadence.ONCE}


def usd(number):
    return Amount.of(number, "USD")


def phase(start, end, number):
    last = date.fromisoformat(end) if end else None
    return Phase(Period(date.fromisoformat(start), last), usd(number))


def budget(amount=1200, cadence=Cadence.YEARLY, **said):
    whole = {"start": date(2026, 1, 1), "end": date(2026, 12, 31)}
    return Budget(ref="B", name="B", amount=usd(amount), cadence=cadence, **whole | said)


def share(amount=600, cadence=Cadence.YEARLY, **said):
    whole = {"start": date(2026, 1, 1), "end": date(2026, 12, 31)}
    entity = Entity("account", "6200")
    fields = whole | said
    return Allocation(
        ref="A", budget="B", entity=entity, amount=usd(amount), cadence=cadence, **fields
    )


def fit(model, emulated=EMULATED, spans=None):
    if isinstance(model, Budget):
        return fitted(model, emulated, TODAY, HORIZON)
    return fitted_share(model, emulated, TODAY, HORIZON, spans)


def names(losses):
    return [loss.name for loss in losses]


# Budgets


def test_an_open_end_whose_months_differ_by_a_cent_says_what_goes_on():
    fitted, losses = fit(budget(100, Cadence.QUARTERLY, end=None))
    (loss,) = [each for each in losses if each.field == "phases"]
    last = fitted.phases[-1]
    assert (last.amount, last.period.end) == (usd("33.33"), None)
    assert "from 2027-03-01 on it is 33.33 USD each month, -0.01 USD per 3 months" in loss.reason
    assert not loss.matters


def test_an_open_end_whose_months_are_alike_loses_nothing():
    _, losses = fit(budget(300, Cadence.QUARTERLY, end=None))
    assert names(losses) == ["emulated:cadence"]


def test_two_amounts_in_one_quarter_are_blocked():
    phases = (phase("2026-01-01", "2026-02-28", 90), phase("2026-03-01", "2026-12-31", 120))
    _, losses = fit(budget(90, Cadence.QUARTERLY, phases=phases))
    (loss,) = losses
    assert (loss.name, loss.reason[-22:]) == ("blocked:phases", "2026-01-01..2026-03-31"), loss


def test_parts_of_months_beside_a_gap_are_named():
    phases = (phase("2026-01-01", "2026-04-10", 1), phase("2026-06-20", "2026-12-31", 2))
    _, losses = fit(budget(1, Cadence.MONTHLY, phases=phases))
    assert [each.reason.partition(": ")[2] for each in losses] == [
        "1.00 USD counts until 2026-04-30",
        "2.00 USD counts from 2026-06-01",
    ]
    assert set(names(losses)) == {"rounded:phases"}


def test_a_monthly_budget_of_one_amount_stays_as_it_is():
    stated = budget(cadence=Cadence.MONTHLY)
    assert fit(stated) == (stated, ())


@pytest.mark.parametrize("cadence", [Cadence.YEARLY, Cadence.ONCE])
def test_an_amount_of_a_year_is_split_into_months_that_sum_to_it(cadence):
    months, losses = fit(budget(1000, cadence))
    assert (months.cadence, months.phases) == (
        Cadence.MONTHLY,
        (phase("2026-01-01", "2026-04-30", "83.34"), phase("2026-05-01", "2026-12-31", "83.33")),
    )
    assert 4 * Decimal("83.34") + 8 * Decimal("83.33") == 1000
    assert names(losses) == ["emulated:cadence"]


def test_each_quarter_of_a_longer_stretch_has_its_own_amount_split():
    stretches = (phase("2026-01-01", "2026-06-30", 300), phase("2026-07-01", None, 600))
    months, _ = fit(budget(300, Cadence.QUARTERLY, end=None, phases=stretches))
    assert months.phases == (
        phase("2026-01-01", "2026-06-30", 100),
        phase("2026-07-01", None, 200),
    )


@pytest.mark.parametrize(
    "said",
    [{"start": None}, {"cadence": Cadence.ONCE, "end": None}],
)
def test_what_has_no_start_or_never_ends_cannot_be_split(said):
    stated = budget(**said)
    model, losses = fit(stated)
    assert model == stated
    assert names(losses) == ["blocked:cadence"]


@pytest.mark.parametrize("cadence", [Cadence.MONTHLY, Cadence.YEARLY])
def test_fitting_what_is_fitted_changes_nothing(cadence):
    phases = (phase("2026-01-01", "2026-01-31", 0), phase("2026-02-01", "2026-12-31", 7))
    once, _ = fit(budget(5, cadence, phases=phases))
    assert fit(once) == (once, ())


# Periods alone


def test_a_phased_budget_has_amount_start_and_end_of_its_phases():
    phases = (phase("2026-02-01", "2026-02-28", 5), phase("2026-03-01", "2026-03-31", 6))
    model, losses = fit(budget(99, Cadence.MONTHLY, phases=phases))
    assert (model.amount, model.start, model.end) == (usd(5), date(2026, 2, 1), date(2026, 3, 31))
    assert model.phases == phases
    assert names(losses) == ["truncated:start", "truncated:end"]


def test_phases_of_one_amount_are_no_phases():
    phases = (phase("2026-01-01", "2026-01-31", 5), phase("2026-02-01", "2026-12-31", 5))
    model, losses = fit(budget(5, Cadence.MONTHLY, phases=phases))
    assert facts(model) == facts(budget(5, Cadence.MONTHLY))
    assert losses == ()


def test_two_amounts_in_one_month_are_blocked():
    phases = (phase("2026-01-01", "2026-01-15", 5), phase("2026-01-16", "2026-12-31", 6))
    _, (loss,) = fit(budget(5, Cadence.MONTHLY, phases=phases))
    assert loss.name == "blocked:phases"
    assert "January 2026" in loss.reason


def test_a_month_of_nothing_is_no_period_and_the_plan_says_so():
    phases = (
        phase("2026-01-01", "2026-01-31", 0),
        phase("2026-02-01", "2026-02-28", 5),
        phase("2026-03-01", "2026-12-31", 0),
    )
    model, losses = fit(budget(0, Cadence.MONTHLY, phases=phases))
    assert (model.start, model.end, model.phases) == (date(2026, 2, 1), date(2026, 2, 28), ())
    assert names(losses) == ["emulated:phases"]


def test_a_budget_of_nothing_is_kept():
    phases = (phase("2026-01-01", "2026-01-31", 0), phase("2026-02-01", "2026-12-31", 0))
    model, losses = fit(budget(0, Cadence.MONTHLY, phases=phases))
    assert facts(model) == facts(budget(0, Cadence.MONTHLY))
    assert losses == ()


# Shares


def test_a_share_of_a_split_budget_is_split_with_it():
    model, losses = fit(share(600))
    assert model == replace(share(50), cadence=None, start=None, end=None)
    assert names(losses) == ["emulated:amount"]
    assert fit(model) == (model, ())


def test_a_share_that_does_not_split_evenly_is_blocked():
    _, (loss,) = fit(share(1000))
    assert loss.name == "blocked:amount"
    assert "1000.00 USD yearly" in loss.reason


def test_a_share_without_an_end_of_what_counts_once_is_blocked():
    _, losses = fit(share(600, Cadence.ONCE, end=None))
    assert names(losses) == ["blocked:amount"]


def test_a_monthly_share_keeps_its_amount_and_follows_its_budget():
    model, losses = fit(share(600, Cadence.MONTHLY))
    assert model == replace(share(600), cadence=None, start=None, end=None)
    assert losses == ()


def phased(*phases, cadence=Cadence.MONTHLY):
    said = {"start": None, "end": None, "phases": phases, "amount": phases[0].amount}
    return replace(share(cadence=cadence), **said)


YEAR = (Period(date(2026, 1, 1), date(2026, 12, 31)),)


def test_a_share_of_differing_months_keeps_them():
    stated = phased(phase("2026-01-01", "2026-01-31", 5), phase("2026-02-01", "2026-12-31", 6))
    model, losses = fit(stated, spans=YEAR)
    assert (model, losses) == (replace(stated, cadence=None), ())
    assert fit(model, spans=YEAR) == (model, ())


def test_a_share_with_one_amount_and_a_time_of_its_own_is_one_phase():
    stated = phased(phase("2026-03-15", "2026-06-30", 5))
    model, losses = fit(stated, spans=YEAR)
    assert model.phases == (phase("2026-03-01", "2026-06-30", 5),)
    assert names(losses) == ["rounded:start"]


def test_a_share_that_in_whole_months_lasts_as_long_as_its_budget_has_no_phases():
    model, _ = fit(phased(phase("2026-01-15", "2026-12-31", 5)), spans=YEAR)
    assert (model.amount, model.phases) == (usd(5), ())


def test_a_share_of_two_amounts_in_one_month_is_blocked():
    stated = phased(phase("2026-01-01", "2026-01-15", 5), phase("2026-01-16", "2026-12-31", 6))
    assert names(fit(stated)[1]) == ["blocked:phases"]


def test_the_amounts_of_a_share_that_is_split_are_each_split():
    quarters = (phase("2026-01-01", "2026-03-31", 30), phase("2026-04-01", "2026-12-31", 60))
    model, losses = fit(phased(*quarters, cadence=Cadence.QUARTERLY), spans=YEAR)
    assert model.phases == (
        phase("2026-01-01", "2026-03-31", 10),
        phase("2026-04-01", "2026-12-31", 20),
    )
    assert names(losses) == ["emulated:amount"]


def test_an_amount_of_a_share_that_does_not_split_evenly_is_blocked():
    quarters = (phase("2026-01-01", "2026-03-31", 30), phase("2026-04-01", "2026-12-31", 50))
    _, (loss,) = fit(phased(*quarters, cadence=Cadence.QUARTERLY), spans=YEAR)
    assert loss.name == "blocked:amount"
    assert "50.00 USD quarterly" in loss.reason


def test_a_share_without_a_time_is_split_over_that_of_its_budget():
    model, _ = fit(replace(share(600), start=None, end=None), spans=YEAR)
    assert (model.amount, model.phases) == (usd(50), ())


# Parts of periods


@pytest.mark.parametrize(
    ("cadence", "end"),
    [(Cadence.QUARTERLY, date(2027, 1, 14)), (Cadence.MONTHLY, date(2026, 2, 14))],
)
def test_what_may_count_four_times_or_five_is_blocked(cadence, end):
    stated = budget(1200, cadence, start=date(2026, 1, 15), end=end)
    model, (loss,) = fit(stated)
    assert (model, loss.name) == (stated, "blocked:end")


def test_a_share_that_may_count_four_times_or_five_is_blocked():
    stated = share(cadence=Cadence.QUARTERLY, start=date(2026, 1, 15), end=date(2027, 1, 14))
    assert names(fit(stated)[1]) == ["blocked:amount"]


def test_a_monthly_budget_from_the_last_day_has_whole_months_and_says_so():
    model, losses = fit(budget(100, Cadence.MONTHLY, start=date(2026, 1, 31), end=None))
    assert (model.start, model.end, model.phases) == (date(2026, 1, 1), None, ())
    assert names(losses) == ["rounded:start"]
    assert fit(model) == (model, ())


def test_quarters_from_the_fifteenth_to_the_end_of_one_keep_their_sum_in_whole_months():
    model, losses = fit(budget(1200, Cadence.QUARTERLY, start=date(2026, 1, 15)))
    assert (model.start, model.end, model.amount) == (
        date(2026, 1, 1),
        date(2026, 12, 31),
        usd(400),
    )
    assert names(losses) == ["emulated:cadence", "rounded:start"]


def test_a_part_of_a_month_that_is_over_is_not_told_again():
    stated = budget(100, Cadence.MONTHLY, start=date(2025, 11, 10), end=date(2026, 6, 20))
    assert names(fit(stated)[1]) == ["rounded:end"]


def test_what_begins_beyond_the_horizon_is_split_as_what_begins_before():
    phases = (phase("2026-01-01", "2026-12-31", 300), phase("2030-01-01", None, 600))
    model, _ = fit(budget(300, Cadence.QUARTERLY, end=None, phases=phases))
    assert model.phases == (phase("2026-01-01", "2026-12-31", 100), phase("2030-01-01", None, 200))
