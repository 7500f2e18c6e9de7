"""Kaireon's page as ours and back, and budgets cut into its periods, to the cent."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Enforcement, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.identity import EntityMap
from canonical.kind import Kind
from canonical.loss import Effect
from canonical.period import Cadence, Period, period_of, periods
from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed
from connectors.kaireon.fitting import Terms, fitted
from connectors.kaireon.mapping import allocation_of, budget_of, steps
from connectors.kaireon.rows import Rows
from connectors.kaireon.series import Title, placed
from connectors.kaireon.wire import (
    CADENCE,
    KaireonRow,
    count_of,
    key_of,
    page_of,
    period_named,
)

EXAMPLES = Path(__file__).parent / "examples"
TODAY = date(2026, 3, 18)
UNTIL = date(2027, 3, 18)
TERMS = Terms("USD")
BOTH = Terms("USD", frozenset({Cadence.YEARLY, Cadence.ONCE}))
EVERY = {"name", "amount", "currency", "limits", "cadence", "start", "end", "phases", "entity"}


def example(name):
    text = (EXAMPLES / f"{name}.json").read_text()
    return json.loads(text, parse_float=Decimal)


def usd(number):
    return Amount.of(number, "USD")


def budget(**said):
    said = {"start": date(2026, 1, 1), "end": date(2026, 12, 31), "cadence": "monthly", **said}
    said["cadence"] = Cadence(said["cadence"])
    return Budget(ref="B", name="Travel", **{"amount": usd(100), **said})


def fit(model, terms=TERMS, today=TODAY):
    whole, losses = fitted(model, terms, today, UNTIL)
    return whole, {loss.name for loss in losses}


def stored(model, title=Title("Travel", "global", None)):  # noqa: B008
    """The rows that a create of `model` makes, as read back."""
    todo = steps(None, title, model, EVERY, TODAY)
    return placed(
        parsed(KaireonRow, {"id": f"clx{n}", **row.body()}) for n, row in enumerate(todo.post)
    )


# The page's examples


def test_the_listed_example_is_a_budget_of_a_channel():
    (group,) = Rows(page_of(example("list"))["rows"]).of(Kind.BUDGET)
    found = budget_of(group.series(), EntityMap({"channel:email": "ch_email"}), "USD", TODAY)
    assert (found.model.name, found.model.dimensions) == ("Q1 Email Budget", {"channel": "email"})
    assert (found.model.amount, found.model.enforcement) == (usd("10000.00"), Enforcement.TRACK)


def test_the_listed_example_is_an_allocation_below_a_global_row_of_its_name():
    (row,) = page_of(example("list"))["rows"]
    above = row | {"id": "clx_b", "scope": "global", "scopeId": None}
    (group,) = Rows([row, above]).of(Kind.ALLOCATION)
    entities = EntityMap({"channel:email": "ch_email"})
    found = allocation_of(group.series(), "clx_b", entities, "USD", TODAY)
    assert found.model == Allocation(
        ref="clx0000000000000000000001",
        budget="clx_b",
        entity=Entity("channel", "email"),
        amount=usd("10000.00"),
        cadence=Cadence.MONTHLY,
        start=date(2026, 3, 1),
        end=date(2026, 3, 31),
        enforcement=Enforcement.TRACK,
    )


def test_the_sent_example_is_what_we_send():
    model = Allocation(
        ref="A",
        budget="B",
        entity=Entity("offer", "offer_premium_card"),
        amount=usd(5000),
        cadence=Cadence.MONTHLY,
        start=date(2026, 3, 1),
        end=date(2026, 3, 31),
    )
    title = Title("March Premium Card Budget", "offer", "offer_premium_card")
    (row,) = steps(None, title, model, EVERY, TODAY).post
    assert row.body() | {"maxImpressions": 10000} == example("create")


def test_the_count_of_the_example_is_read():
    assert count_of(example("list")) == 1


@pytest.mark.parametrize(
    ("said", "following"),
    [
        ({"hasMore": False, "nextCursor": "clx9"}, None),
        ({"hasMore": True, "nextCursor": "clx9"}, "clx9"),
        ({"hasMore": True, "cursor": "clx9"}, "clx9"),
    ],
)
def test_a_cursor_is_followed_where_there_is_more(said, following):
    assert page_of({"budgets": [], **said})["next"] == following
    assert page_of({"data": [], "pagination": said}) == {"rows": [], "next": following}


def test_more_without_a_cursor_is_malformed():
    with pytest.raises(Malformed, match="there is more"):
        page_of({"budgets": [], "hasMore": True})


# Period keys


@pytest.mark.parametrize(
    ("type", "key", "first", "last"),
    [
        ("daily", "2026-03-18", date(2026, 3, 18), date(2026, 3, 18)),
        ("weekly", "2026-W12", date(2026, 3, 16), date(2026, 3, 22)),
        ("weekly", "2020-W53", date(2020, 12, 28), date(2021, 1, 3)),
        ("monthly", "2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("quarterly", "2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_a_key_names_its_days_and_they_name_it(type, key, first, last):
    cadence = CADENCE[type]
    assert period_named(cadence, key) == Period(first, last)
    assert {key_of(cadence, day) for day in (first, last)} == {key}


@pytest.mark.parametrize(
    ("type", "key"),
    [
        ("daily", "2026-03"),
        ("daily", "2026-02-30"),
        ("weekly", "2026-W54"),
        ("monthly", "2026-13"),
        ("quarterly", "2026-Q5"),
        ("monthly", "2026-03-18"),
    ],
)
def test_a_key_that_is_not_of_its_type_is_malformed(type, key):
    with pytest.raises(Malformed, match=key):
        period_named(CADENCE[type], key)


# There and back


@pytest.mark.parametrize("cadence", ["daily", "weekly", "monthly", "quarterly"])
def test_what_is_written_reads_back_equal(cadence):
    span = period_of(Cadence.WEEKLY, TODAY) if cadence == "weekly" else None
    said = {"start": span.start, "end": span.end} if span else {}
    whole, losses = fit(budget(cadence=cadence, **said))
    read = budget_of(stored(whole), EntityMap(), "USD", TODAY).model
    assert replace(read, ref="B", enforcement=None) == whole
    assert losses == set()


def test_phases_with_a_gap_read_back_equal():
    months = periods(Cadence.MONTHLY, date(2026, 1, 1), date(2026, 6, 30))
    phases = tuple(Phase(p, usd(10 + n)) for n, p in enumerate(months) if n != 3)
    whole, _ = fit(budget(phases=phases, end=date(2026, 6, 30)))
    read = budget_of(stored(whole), EntityMap(), "USD", TODAY).model
    assert (read.phases, read.amount, read.end) == (phases, usd(12), date(2026, 6, 30))


def test_counts_are_limits_beside_the_money_and_the_amount_without_it():
    limits = (Amount.of(50000, "impressions"), Amount.of(20, "conversions"))
    read = budget_of(stored(fit(budget(limits=limits))[0]), EntityMap(), "USD", TODAY).model
    assert (read.amount, read.limits) == (usd(100), limits)
    count = Amount.of(700, "impressions")
    read = budget_of(stored(fit(budget(amount=count))[0]), EntityMap(), "USD", TODAY).model
    assert (read.amount, read.limits) == (count, ())


def offer(**amounts):
    """A year of rows for an offer, 100 each, but for those of the months in `amounts`."""
    rows = [row for _, row in stored(fit(budget())[0]).rows]
    months = {f"2026-{month[1:]}": amount for month, amount in amounts.items()}
    said = {"scope": "offer", "scope_id": "o"}
    return placed(
        row.model_copy(update=said | {"max_spend": months.get(row.period_key, Decimal(100))})
        for row in rows
        if months.get(row.period_key) != "gone"
    )


def shown(series):
    model = allocation_of(series, "clx_b", EntityMap(), "USD", TODAY).model
    return model.amount, len(model.phases)


def test_an_allocation_of_several_amounts_has_a_phase_for_each_period():
    assert shown(offer()) == (usd(100), 0)
    assert shown(offer(m01=Decimal(7))) == (usd(100), 12)
    assert shown(offer(m03=Decimal(7))) == (usd(7), 12)


def test_an_allocation_that_lacks_a_period_in_between_has_those_that_are_there():
    assert shown(offer(m02="gone")) == (usd(100), 11)
    assert shown(offer(m07=None)) == (usd(100), 11)
    assert shown(offer(m01="gone", m12="gone")) == (usd(100), 0)


@pytest.mark.parametrize("number", [5, None])
def test_the_months_of_an_allocation_are_the_rows_that_it_gets(number):
    months = [*periods(Cadence.MONTHLY, date(2026, 1, 1), date(2026, 12, 31))]
    phases = tuple(Phase(each, usd(number or each.start.month)) for each in months)
    share = Allocation(
        ref="A", budget="B", entity=Entity("offer", "o"), amount=phases[0].amount,
        cadence=Cadence.MONTHLY, start=date(2026, 1, 1), end=date(2026, 12, 31), phases=phases,
    )  # fmt: skip
    whole, losses = fit(share)
    assert (whole.amount, len(whole.phases), losses) == (
        usd(number or TODAY.month),
        0 if number else 12,
        set(),
    )
    assert fit(whole) == (whole, set())
    read = allocation_of(
        stored(whole, Title("B", "offer", "o")), "clx_b", EntityMap(), "USD", TODAY
    ).model
    assert (read.amount, read.phases) == (whole.amount, whole.phases)


def test_an_allocation_whose_budget_is_not_there_has_its_amount():
    found = allocation_of(offer(), None, EntityMap(), "USD", TODAY).model
    assert (found.budget, found.amount) == ("", usd(100))


def test_two_rows_for_one_period_are_no_object():
    row = stored(fit(budget())[0]).rows[0][1]
    with pytest.raises(Malformed, match="two rows for 2026-01"):
        placed([row, row.model_copy(update={"id": "clx_twin"})])


# Fitting


def test_the_amount_is_that_of_the_day():
    months = periods(Cadence.MONTHLY, date(2026, 1, 1), date(2026, 6, 30))
    phases = tuple(Phase(month, usd(n)) for n, month in enumerate(months, 1))
    model = budget(phases=phases, end=date(2026, 6, 30), amount=None)
    assert [fit(model, today=date(2026, m, 9))[0].amount for m in (3, 5)] == [usd(3), usd(5)]


def test_an_open_end_is_held_up_to_the_whole_period_of_the_horizon():
    whole, losses = fit(budget(end=None))
    assert (whole.end, len(whole.phases), losses) == (date(2027, 3, 31), 15, {"emulated:end"})


def test_what_starts_beyond_the_horizon_has_its_first_period():
    whole, _ = fit(budget(start=date(2028, 1, 9), end=None))
    assert [phase.period.start for phase in whole.phases] == [date(2028, 1, 1)]


def test_parts_of_a_cent_are_rounded_and_phases_say_so():
    assert fit(budget(amount=usd("10.005")))[0].amount == usd("10.00")
    months = periods(Cadence.MONTHLY, date(2026, 1, 1), date(2026, 2, 28))
    fine = tuple(Phase(month, usd("1.005")) for month in months)
    whole, losses = fit(budget(phases=fine))
    assert {phase.amount.text() for phase in whole.phases} == {"1.00"}
    assert losses == {"rounded:phases"}


def test_an_amount_that_no_row_holds_is_not_the_amount():
    months = periods(Cadence.MONTHLY, date(2026, 5, 1), date(2026, 12, 31))
    later = tuple(Phase(month, usd(7)) for month in months)
    assert fit(budget(start=date(2026, 5, 1), phases=later))[0].amount == usd(7)


def test_an_end_that_was_cut_at_the_horizon_is_whole_again():
    cut = budget(end=None)
    whole, _ = fit(replace(cut, phases=cut.by_period(UNTIL)))
    assert whole == fit(cut)[0]


@pytest.mark.parametrize(
    ("said", "terms"),
    [
        ({"end": None}, TERMS),
        ({"start": date(2026, 3, 10)}, TERMS),
        ({"start": None, "end": None}, TERMS),
        ({"cadence": "yearly", "end": None}, BOTH),
        ({"cadence": "once"}, BOTH),
    ],
)
def test_fitting_what_is_fitted_changes_nothing(said, terms):
    whole, _ = fit(budget(**said), terms)
    assert fit(whole, terms) == (whole, set())


def test_a_period_that_is_cut_is_taken_whole_and_says_so_while_it_counts():
    cut = budget(start=date(2026, 3, 10), end=date(2026, 6, 15))
    whole, losses = fit(cut)
    assert (whole.start, whole.end) == (date(2026, 3, 1), date(2026, 6, 30))
    assert losses == {"rounded:start", "rounded:end"}
    assert fit(cut, today=date(2026, 4, 1))[1] == {"rounded:end"}
    assert fit(cut, today=date(2026, 7, 1))[1] == set()


@pytest.mark.parametrize("end", [date(2026, 4, 30), date(2026, 7, 31)])
def test_quarters_that_are_not_the_calendars_are_blocked(end):
    assert fit(budget(cadence="quarterly", start=date(2026, 2, 1), end=end))[1] == {
        "blocked:cadence"
    }


def test_two_amounts_in_one_month_are_blocked():
    halves = (Period(date(2026, 1, 1), date(2026, 1, 15)), Period(date(2026, 1, 16), TODAY))
    phases = tuple(Phase(half, usd(n)) for n, half in enumerate(halves, 1))
    assert fit(budget(phases=phases))[1] == {"blocked:phases"}


def test_parts_of_months_beside_a_gap_are_taken_whole_and_named_while_they_count():
    spans = (date(2026, 1, 1), date(2026, 4, 10)), (date(2026, 6, 20), date(2026, 12, 31))
    parted = budget(phases=tuple(Phase(Period(*span), usd(n)) for n, span in enumerate(spans, 1)))
    _, losses = fitted(parted, TERMS, TODAY, UNTIL)
    assert [(each.name, each.reason) for each in losses] == [
        ("rounded:phases", "1.00 USD counts in all of the calendar period 2026-04-01..2026-04-30"),
        ("rounded:phases", "2.00 USD counts in all of the calendar period 2026-06-01..2026-06-30"),
    ]
    assert fit(parted, today=date(2026, 7, 1))[1] == set()


def test_what_counts_once_is_not_divided_over_more_than_a_century():
    whole = budget(cadence="once", start=date(2026, 2, 1), end=date(2149, 12, 31))
    assert fit(whole, BOTH)[1] == {"blocked:end"}


def test_a_year_is_four_quarters_that_sum_to_it():
    whole, losses = fit(budget(cadence="yearly", amount=usd("1000.01")), BOTH)
    shares = [phase.amount.value for phase in whole.phases]
    assert (whole.cadence, len(shares), sum(shares)) == (Cadence.QUARTERLY, 4, Decimal("1000.01"))
    assert losses == {"emulated:cadence"}


def test_a_fiscal_year_from_february_is_twelve_months():
    said = {"start": date(2026, 2, 1), "end": date(2027, 1, 31), "cadence": "yearly"}
    whole, _ = fit(budget(amount=usd("1000.01"), **said), BOTH)
    shares = [phase.amount.value for phase in whole.phases]
    assert (whole.cadence, len(shares), sum(shares)) == (Cadence.MONTHLY, 12, Decimal("1000.01"))


def test_years_without_an_end_are_never_cut():
    whole, losses = fit(budget(cadence="yearly", amount=usd(400), end=None), BOTH)
    assert (len(whole.phases), whole.end) == (8, date(2027, 12, 31))
    assert {phase.amount for phase in whole.phases} == {usd(100)}
    assert losses == {"emulated:cadence", "emulated:end"}


def test_what_counts_once_is_divided_over_its_months():
    said = {"start": date(2026, 2, 1), "end": date(2026, 4, 30), "cadence": "once"}
    whole, _ = fit(budget(**said), BOTH)
    assert [phase.amount.text() for phase in whole.phases] == ["33.34", "33.33", "33.33"]


@pytest.mark.parametrize(
    ("said", "blocked"),
    [
        ({"cadence": "once", "end": None}, "end"),
        ({"cadence": "once", "start": date(2026, 2, 3)}, "cadence"),
        ({"cadence": "yearly", "start": None}, "start"),
        ({"cadence": "yearly", "limits": (Amount.of(10, "conversions"),)}, "limits"),
        ({"amount": Amount.of(1, "EUR")}, "currency"),
        ({"limits": (Amount.of("0.5", "impressions"),)}, "limits"),
        ({"cadence": "once", "amount": Amount.of("0.5", "impressions")}, "currency"),
        ({"limits": (usd(1),)}, "limits"),
        ({"amount": Amount.of(5, "conversions"), "limits": (usd(1),)}, "limits"),
        ({"start": date(2026, 6, 1), "end": date(2026, 3, 31)}, "end"),
    ],
)
def test_what_cannot_be_held_is_blocked(said, blocked):
    model = budget(**said)
    _, losses = fitted(model, BOTH, TODAY, UNTIL)
    assert [loss.field for loss in losses if loss.effect is Effect.BLOCKED] == [blocked]


def test_without_the_setting_a_year_is_blocked():
    assert fit(budget(cadence="yearly"))[1] == {"blocked:cadence"}


def test_an_allocation_is_divided_to_the_cent():
    said = {"cadence": Cadence.YEARLY, "start": date(2026, 1, 1), "end": date(2026, 12, 31)}
    share = Allocation(ref="A", budget="B", entity=Entity("offer", "o"), amount=usd("1.01"), **said)
    whole, losses = fit(share, BOTH)
    assert [each.amount.text() for each in whole.phases] == ["0.26", "0.25", "0.25", "0.25"]
    assert losses == {"emulated:cadence"}
    whole, _ = fit(replace(share, amount=usd(100)), BOTH)
    assert (whole.cadence, whole.amount) == (Cadence.QUARTERLY, usd(25))
