"""Vantage's own sample answers, read into our model and written back, without a call."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from canonical.allocation import Alert, Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import facts
from canonical.identity import EntityMap
from canonical.period import Cadence, Period
from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed, Rejected
from connectors.contract.records import Draft
from connectors.vantage.budget_tree import BudgetTree
from connectors.vantage.mapping import (
    alert_of,
    alert_write,
    allocation_of,
    budget_of,
    entity_said,
    name_write,
)
from connectors.vantage.periods import (
    joined,
    period_write,
    phases_of,
    remainder,
    settled,
    stated_phases,
    summed,
    throughout,
)
from connectors.vantage.wire import VantageAlert, VantageBudget

EXAMPLES = Path(__file__).parent / "examples"
ROWS = EntityMap({"account:6200": "rprt_92062240b4ffda91", "user:ada": "usr_8e44c17792242852"})


def usd(number):
    return Amount.of(number, "USD")


def phase(start, end, number):
    last = date.fromisoformat(end) if end else None
    return Phase(Period(date.fromisoformat(start), last), usd(number))


def example(name):
    return json.loads((EXAMPLES / f"{name}.json").read_text(), parse_float=Decimal)


def read(record, parent=None):
    wire = parsed(VantageBudget, record)
    return budget_of(wire, phases_of(wire, "USD"), [], parent)


YEAR = (
    phase("2024-01-01", "2024-01-31", "100"),
    phase("2024-02-01", "2024-02-29", "200"),
    phase("2024-03-01", "2024-04-30", "300"),
)
GOLDEN = {
    "one_budget": Budget(
        ref="bdgt_24068dbacaaad7fb",
        name="Total",
        amount=usd(10000),
        cadence=Cadence.MONTHLY,
        start=date(2024, 7, 1),
        end=date(2024, 9, 30),
        alerts=(),
    ),
    "created_budget": Budget(
        ref="bdgt_ea1eaec89d553e34",
        name="New Budget Name",
        amount=usd(100),
        cadence=Cadence.MONTHLY,
        start=date(2024, 1, 1),
        end=date(2024, 4, 30),
        phases=YEAR,
        alerts=(),
    ),
    "updated_budget": Budget(
        ref="bdgt_39ce7f848dff6d54",
        name="New Name New Budget Who Dis",
        amount=usd(234),
        cadence=Cadence.MONTHLY,
        start=date(2023, 1, 1),
        end=date(2024, 9, 30),
        phases=(
            phase("2023-01-01", "2023-01-31", "234"),
            phase("2024-01-01", "2024-01-31", "123"),
            phase("2024-07-01", "2024-09-30", "10000"),
        ),
        alerts=(),
    ),
}
GOLDEN["coming_budget"] = GOLDEN["created_budget"]


# Reading


@pytest.mark.parametrize("name", GOLDEN)
def test_a_sample_answer_reads_as_its_golden_budget(name):
    observed = read(example(name))
    assert observed.model == GOLDEN[name]
    assert (observed.id, observed.container, observed.stamp) == (GOLDEN[name].ref, None, None)


def test_the_sample_listing_reads():
    (record,) = example("list_budgets")["budgets"]
    assert read(record).model.name == "database"


@pytest.mark.parametrize("name", GOLDEN)
def test_what_was_read_is_written_as_it_was(name):
    record = example(name)
    model = read(record).model
    wire = period_write(stated_phases(model, date(2000, 1, 1)))
    said = [(str(each.start_at), str(each.end_at), each.amount) for each in wire]
    assert said == [(p["start_at"], p["end_at"], Decimal(p["amount"])) for p in record["periods"]]


@pytest.mark.parametrize("end", [{"end_at": None}, {"end_at": ""}, {}])
def test_an_open_end_is_read_in_all_its_spellings(end):
    record = example("one_budget") | {
        "periods": [{"start_at": "2026-01-01", "amount": "5.0"} | end]
    }
    model = read(record).model
    assert (model.start, model.end, model.phases) == (date(2026, 1, 1), None, ())


def test_a_time_behind_a_date_is_left_out():
    periods = [
        {"start_at": "2024-03-01T00:00:00Z", "end_at": "2024-03-31T00:00:00Z", "amount": "1"}
    ]
    assert read(example("one_budget") | {"periods": periods}).model.end == date(2024, 3, 31)


def test_equal_periods_without_a_gap_are_one_amount():
    parts = (phase("2026-01-01", "2026-01-31", 7), phase("2026-02-01", None, 7))
    said = settled(joined(parts))
    assert said == {"amount": usd(7), "start": date(2026, 1, 1), "end": None, "phases": ()}


def test_equal_periods_with_a_gap_stay_phases():
    parts = (phase("2026-01-01", "2026-01-31", 7), phase("2026-03-01", "2026-03-31", 7))
    assert settled(joined(parts))["phases"] == parts


def test_a_budget_without_periods_states_no_amount():
    assert read(example("one_budget") | {"periods": []}).model.amount is None


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("periods", [{"start_at": "2024-07-01", "amount": "many"}], r"periods\.0\.amount"),
        ("token", None, "token"),
        ("period_cadence", {"interval_count": 2, "interval_unit": "week"}, "2 week"),
    ],
)
def test_what_cannot_be_read_names_its_field(field, value, says):
    with pytest.raises(Malformed, match=says):
        read(example("one_budget") | {field: value})


def test_a_yearly_interval_is_a_yearly_cadence():
    interval = {"interval_count": 1, "interval_unit": "year"}
    assert read(example("one_budget") | {"period_cadence": interval}).model.cadence == "yearly"


# Hierarchies


@pytest.fixture
def tree():
    found = BudgetTree("USD")
    for record in example("hierarchy")["budgets"]["budgets"]:
        found.put(parsed(VantageBudget, record))
    return found


def test_a_parent_holds_what_its_children_make_together(tree):
    assert tree.phases("bdgt_0000000000000001") == (
        phase("2026-01-01", "2026-06-30", "1000"),
        phase("2026-07-01", None, "1250.50"),
    )


def test_a_parent_shows_its_own_periods_where_a_child_cannot_be_seen(tree):
    tree.drop("bdgt_0000000000000003")
    assert tree.phases("bdgt_0000000000000001") == ()


def test_a_child_that_names_an_entity_is_an_allocation(tree):
    share = tree.get("bdgt_0000000000000002")
    phases = tree.phases(share.token)
    above = tree.phases(tree.above(share.token))
    observed = allocation_of(share, phases, [], tree.above(share.token), above, ROWS)
    assert observed.model == Allocation(
        ref="bdgt_0000000000000002",
        budget="bdgt_0000000000000001",
        entity=Entity("account", "6200"),
        amount=usd(600),
        cadence=Cadence.MONTHLY,
        alerts=(),
    )
    assert observed.container == "bdgt_0000000000000001"


def test_a_share_whose_report_became_anothers_has_another_entity(tree):
    share = tree.get("bdgt_0000000000000002").model_copy(update={"cost_report_token": "rprt_x"})
    observed = allocation_of(share, (), [], None, (), ROWS)
    assert observed.model.entity == Entity("cost_report", "rprt_x")


def test_a_share_below_no_budget_states_no_amount(tree):
    share, phases = tree.get("bdgt_0000000000000002"), YEAR
    model = allocation_of(share, phases, [], None, (), ROWS).model
    assert (model.amount, model.phases) == (None, ())


def test_a_share_with_differing_amounts_has_phases(tree):
    share, above = tree.get("bdgt_0000000000000002"), tree.above("bdgt_0000000000000002")
    model = allocation_of(share, YEAR, [], above, YEAR, ROWS).model
    assert (model.amount, model.phases) == (YEAR[0].amount, YEAR)


def test_a_share_of_a_budget_that_cannot_be_read_has_the_one_amount_that_it_has(tree):
    share, above = tree.get("bdgt_0000000000000002"), tree.above("bdgt_0000000000000002")
    model = allocation_of(share, YEAR[:1], [], above, (), ROWS).model
    assert (model.amount, model.phases) == (YEAR[0].amount, ())


def test_a_share_that_is_shorter_than_its_budget_has_a_phase(tree):
    share, above = tree.get("bdgt_0000000000000002"), tree.above("bdgt_0000000000000002")
    (first, *_) = YEAR
    assert allocation_of(share, (first,), [], above, YEAR, ROWS).model.phases == (first,)


def test_the_entity_is_what_follows_the_last_slash():
    assert entity_said("R / D / user:ada@example.com") == Entity("user", "ada@example.com")
    assert entity_said("Travel / EMEA") is None


def test_a_share_is_named_after_its_budget_and_entity_and_carries_the_report():
    share = Allocation(ref="A", budget="B", entity=Entity("account", "6200"), amount=usd(1))
    assert name_write(Draft(model=share), {"entity"}, "Platform", ROWS).body() == {
        "name": "Platform / account:6200",
        "cost_report_token": "rprt_92062240b4ffda91",
    }


# Sums


def test_a_sum_is_cut_where_a_part_begins_or_ends():
    parts = [phase("2026-01-01", None, 5), phase("2026-02-01", "2026-02-28", "0.01")]
    assert summed(parts, "USD") == (
        phase("2026-01-01", "2026-01-31", 5),
        phase("2026-02-01", "2026-02-28", "5.01"),
        phase("2026-03-01", None, 5),
    )


def test_the_remainder_and_its_shares_make_the_whole_again():
    shares = [phase("2026-01-01", None, "33.33"), phase("2026-01-01", None, "33.33")]
    left = remainder((phase("2026-01-01", None, 100),), shares, "USD")
    assert summed([*left, *shares], "USD") == (phase("2026-01-01", None, 100),)


def test_shares_beyond_the_budget_are_refused_with_the_day_and_the_money():
    with pytest.raises(Rejected, match=r"20\.00 USD a month .* from 2026-01-01"):
        remainder((phase("2026-01-01", None, 100),), [phase("2026-01-01", None, 120)], "USD")


def test_a_share_leaves_out_the_gaps_of_its_budget():
    assert throughout(usd(1), read(example("updated_budget")).model.phases) == (
        phase("2023-01-01", "2023-01-31", 1),
        phase("2024-01-01", "2024-01-31", 1),
        phase("2024-07-01", "2024-09-30", 1),
    )


def test_a_period_is_cut_where_a_stored_one_begins():
    stored = [{"start_at": f"2026-0{month}-01", "amount": 5} for month in (1, 4)]
    wire = parsed(VantageBudget, example("one_budget") | {"periods": stored})
    said = period_write((phase("2026-01-01", None, 9),), wire.periods)
    assert [(each.start_at, each.end_at) for each in said] == [
        (date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 4, 1), None),
    ]


# Alerts


def test_an_alert_reads_with_its_people():
    (record,) = example("hierarchy")["budget_alerts"]["budget_alerts"]
    alert = alert_of(parsed(VantageAlert, record), ROWS)
    assert alert == Alert(Decimal(75), recipients=("ada", "cfo@example.com"))
    assert alert_write(alert, ROWS).body() == {
        "threshold": 75,
        "user_tokens": ["usr_8e44c17792242852"],
        "recipient_emails": ["cfo@example.com"],
    }


def test_a_flat_budget_without_a_start_begins_when_told():
    budget = Budget(ref="B", name="B", amount=usd(5), cadence=Cadence.MONTHLY)
    assert stated_phases(budget, date(2026, 3, 1)) == (phase("2026-03-01", None, 5),)


def test_a_time_that_ends_before_it_begins_is_refused():
    budget = Budget(ref="B", name="B", amount=usd(5), end=date(2026, 2, 1))
    with pytest.raises(Rejected, match="2026-02-01"):
        stated_phases(budget, date(2026, 3, 1))


def test_the_facts_of_what_is_written_are_those_of_what_is_read():
    record = example("created_budget")
    model = read(record).model
    again = [each.model_dump() for each in period_write(stated_phases(model, date(2000, 1, 1)))]
    assert facts(read(record | {"periods": again}).model) == facts(model)
