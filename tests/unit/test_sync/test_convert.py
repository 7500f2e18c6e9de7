"""Amounts of other currencies, converted for a target that holds one."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from canonical.allocation import Alert, Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Plan
from canonical.compare import Cause
from canonical.kind import Kind, Op
from canonical.loss import Effect, Loss
from canonical.period import Cadence, Period
from canonical.phase import Phase
from canonical.rate import Rate, Rounding
from canonical.text import joined
from connectors.memory.connector import Memory
from connectors.memory.declared import MemorySettings
from sync.engine import Engine
from sync.intake.rates import Rates
from sync.spec import Limits, SyncSpec
from sync.state.ledger import Ledger
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)


def eur(number):
    return Amount.of(number, "EUR")


def usd(number):
    return Amount.of(number, "USD")


def budget(ref="B", amount=None, **said):
    stated = {"ref": ref, "name": ref, "amount": amount or eur("100.00")}
    return Budget(**stated | {"cadence": Cadence.MONTHLY, "start": date(2026, 1, 1)} | said)


def share(who, amount, budget="B", **said):
    return Allocation(ref=who, budget=budget, entity=Entity("user", who), amount=amount, **said)


def rates(value="1.0850", day=None, **said):
    rate = Rate("EUR", "USD", Decimal(value), day)
    return Rates(**{"to": "USD", "rates": {"EUR": (rate,)}, "said": "into USD"} | said)


class Dollars(Memory):
    """Holds US dollars, and refuses all else, as BILL does."""

    def objections(self, model):
        if model.amount and model.amount.unit != "USD":
            return (Loss("currency", Effect.BLOCKED, "holds USD"),)
        return ()


class World:
    def __init__(self, folder):
        self.erp = Memory("erp")
        self.target = Dollars("bill", MemorySettings(currency="USD"))
        self.target.capabilities = replace(Memory.capabilities, one_currency=True)
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)
        self.rates, self.limits, self.day = rates(), Limits(), TODAY

    def engine(self):
        spec = SyncSpec(
            name="s", source="erp", target="bill", rates=self.rates, limits=self.limits, parallel=1
        )
        return Engine(spec, self.erp, self.target, self.store, now=lambda: NOW)

    def plan(self):
        return self.engine().plan(self.day)

    def run(self, **said):
        return self.engine().run(self.day, command="test", **said)

    def held(self):
        rows = (row.model for row in self.target._rows.values())
        return {
            row.name if isinstance(row, Budget) else row.entity.id: str(row.amount) for row in rows
        }


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    with closing(made.store):
        yield made


def test_an_amount_arrives_converted_and_is_as_agreed(world):
    world.erp.put(budget(), share("ada", eur("10.01")))

    assert world.run().verified

    assert world.held() == {"B": "108.50 USD", "ada": "10.86 USD"}
    again = world.plan()
    assert (again.changes, again.unchanged) == ((), 2)
    assert world.engine().verify(TODAY).agree


@pytest.mark.parametrize(
    ("rounding", "held"),
    [(Rounding.HALF_EVEN, "0.12"), (Rounding.HALF_UP, "0.13"), (Rounding.DOWN, "0.12")],
)
def test_a_tie_is_rounded_as_the_settings_say(world, rounding, held):
    world.rates = rates("0.125", rounding=rounding)
    world.erp.put(budget(amount=eur("1.00")))

    world.run()

    assert world.held() == {"B": f"{held} USD"}


def test_what_is_in_the_targets_currency_or_a_count_stays(world):
    world.erp.put(
        budget(amount=usd("100.01")), budget("N", Amount.of(7, "impressions"), cadence=Cadence.ONCE)
    )

    plan = world.plan()

    assert {str(each.desired.amount) for each in plan.changes} == {"100.01 USD", "7 impressions"}
    assert plan.rates == ()


def test_phases_limits_and_alerts_of_money_are_converted_too(world):
    alerts = (Alert(Decimal(80)), Alert(Decimal("50.00"), percent=False))
    phases = tuple(
        Phase(Period(date(2026, month, 1), date(2026, month, 28)), eur(month)) for month in (3, 4)
    )
    world.erp.put(
        budget(phases=phases, alerts=alerts, limits=(eur(5), Amount.of(9, "conversions")))
    )

    (change,) = world.plan().changes

    assert [str(each.amount) for each in change.desired.phases] == [
        "108.50 USD", "3.26 USD", "4.34 USD",
    ]  # fmt: skip
    assert [each.threshold for each in change.desired.alerts] == [80, Decimal("54.25")]
    assert [str(each) for each in change.desired.limits] == ["5.42 USD", "9 conversions"]


def test_the_rate_and_its_day_are_in_the_plan_and_in_each_change(world):
    world.rates = rates(day=date(2026, 3, 2))
    world.erp.put(budget(), budget("U", usd(1)))

    plan = Plan.load(world.plan().save())

    (used,) = plan.rates
    assert (used.currency, used.into, used.rate, used.objects) == ("EUR", "USD", "1.0850", 1)
    assert (used.dated, used.age_days, used.rounding) == (date(2026, 3, 2), 8, "half-even")
    (loss,) = next(each for each in plan.changes if each.ref == "B").losses
    assert loss.name == "emulated:currency"
    assert loss.reason == "100.00 EUR at 1.0850 of 2026-03-02 is 108.50 USD"


def test_the_rate_is_remembered(world):
    world.rates = rates(day=date(2026, 3, 2))
    world.erp.put(budget())
    world.run()

    ledger = Ledger(world.store, "s")
    (baseline,) = ledger.baselines(list(ledger.ids(Kind.BUDGET))).values()

    assert json.loads(baseline.rates)["rates"] == [["EUR", "USD", "1.0850", "2026-03-02"]]


def test_a_rate_that_moves_is_seen_as_that(world):
    world.erp.put(*(budget(ref) for ref in "ABC"), share("ada", eur(10), "A"))
    world.run()
    world.rates = rates("1.1000")

    plan = world.plan()

    assert {(each.op, each.cause) for each in plan.changes} == {(Op.UPDATE, Cause.RATE)}
    assert plan.guards == ()
    assert world.run().verified
    assert world.held()["A"] == "110.00 USD"


def test_a_new_statement_is_not_laid_to_the_rate(world):
    world.erp.put(budget())
    world.run()
    world.rates = rates("1.1000")
    world.erp.put(budget(amount=eur(101)))

    assert world.plan().changes[0].cause is Cause.SOURCE


def test_the_same_rate_of_another_day_changes_nothing(world):
    world.rates = rates(day=date(2026, 3, 2))
    world.erp.put(budget())
    world.run()
    world.rates = rates("1.085", day=date(2026, 3, 9))

    assert world.plan().changes == ()


def test_a_rate_that_slipped_is_stopped_by_the_guards_of_money(world):
    world.erp.put(*(budget(ref) for ref in "ABC"))
    world.run()
    world.rates = rates("10.850")

    assert [trip.rule for trip in world.plan().guards] == ["max_budget_change", "max_money"]
    assert world.run().outcome == "aborted"
    assert world.held()["A"] == "108.50 USD"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"rates": {}}, "no rate from EUR to USD is stated"),
        ({"rates": {}, "inverses": frozenset({"EUR"})}, "an inverse is not guessed"),
        (
            {"rates": {"EUR": (Rate("EUR", "USD", Decimal(1), date(2026, 3, 11)),)}},
            "the first rate from EUR to USD is of 2026-03-11",
        ),
        (
            {
                "rates": {"EUR": (Rate("EUR", "USD", Decimal(1), date(2026, 3, 2)),)},
                "max_age": 7,
            },
            "is of 2026-03-02, 8 days before; max_age_days is 7",
        ),
    ],
)
def test_without_a_rate_to_go_by_it_is_blocked_by_name(world, said, reason):
    world.erp.put(budget(), share("ada", eur(1)))
    world.rates = rates(**said)

    changes = world.plan().changes

    assert {each.op for each in changes} == {Op.BLOCKED}
    assert reason in changes[0].losses[0].reason
    assert world.run().counts["applied"] == 0


def test_without_a_rate_what_is_there_stays_as_it_is(world):
    world.erp.put(budget())
    world.run()
    world.rates = rates(rates={})
    world.erp.put(budget(amount=eur(1)))

    (change,) = world.plan().changes

    assert change.op is Op.BLOCKED
    world.run()
    assert world.held() == {"B": "108.50 USD"}
    assert not world.engine().verify(TODAY).agree


def test_the_last_rate_up_to_the_day_counts():
    found = rates(
        rates={
            "EUR": tuple(Rate("EUR", "USD", Decimal(day), date(2026, 3, day)) for day in (1, 5, 9))
        }
    )

    values = [found.on("EUR", date(2026, 3, day)).value for day in (1, 4, 5, 8, 9, 31)]

    assert values == [1, 1, 5, 5, 9, 9]


def test_shares_never_come_to_more_than_their_budget_by_rounding(world):
    people = ["ada", "bob", "cy"]
    world.erp.put(budget(amount=eur("3.00")), *(share(who, eur("1.00")) for who in people))
    world.rates = rates("1.006")  # 3.02 is not three times 1.01

    plan = world.plan()

    amounts = {each.ref: str(each.desired.amount) for each in plan.changes}
    assert [amounts.pop("B"), *sorted(amounts.values())] == [
        "3.02 USD", "1.00 USD", "1.01 USD", "1.01 USD",
    ]  # fmt: skip
    told = [
        each.losses[0].reason for each in plan.changes if "less 0.01 USD" in each.losses[0].reason
    ]
    assert len(told) == 1
    assert "the shares of B come to no more than it has" in told[0]
    assert world.run().verified
    assert world.plan().changes == ()


def test_which_share_gives_a_cent_up_does_not_hang_on_the_order(world):
    world.rates = rates("1.006")
    world.erp.put(budget(amount=eur("3.00")), *(share(who, eur("1.00")) for who in "abc"))
    world.run()
    for who in "abc":
        world.erp.drop(joined("B", who))
    world.erp.put(*(share(who, eur("1.00")) for who in "cba"))

    assert world.plan().changes == ()


def test_shares_that_fill_their_budget_fill_it_still(world):
    world.rates = rates("1.004")  # 3.01 is more than three times 1.00
    world.erp.put(budget(amount=eur("3.00")), *(share(who, eur("1.00")) for who in "abc"))

    plan = world.plan()

    shares = [each.desired.amount.value for each in plan.changes if each.kind is Kind.ALLOCATION]
    assert sum(shares) == Decimal("3.01")
    assert any("and 0.01 USD more" in each.losses[0].reason for each in plan.changes)


def test_each_month_of_shares_is_held_by_that_of_the_budget(world):
    world.rates = rates("1.006")

    def months(number):
        return tuple(
            Phase(Period(date(2026, month, 1), date(2026, month, 28)), eur(number))
            for month in (3, 4)
        )

    world.erp.put(
        budget(amount=eur(3), start=date(2026, 3, 1), phases=months(3)),
        *(share(who, eur(1), phases=months(1)) for who in "abc"),
    )

    plan = world.plan()

    held = [each.desired.phases for each in plan.changes]
    assert [str(each.amount) for each in held[0]] == ["3.02 USD", "3.02 USD"]
    for month in (0, 1):
        assert sum(each[month].amount.value for each in held[1:]) == Decimal("3.02")


def test_a_share_that_does_not_count_takes_no_room(world):
    world.rates = rates("1.006")
    world.erp.put(
        budget(amount=eur("2.00")),
        *(share(who, eur("1.00")) for who in "ab"),
        share("c", eur("1.00"), status=Status.INACTIVE),
    )

    amounts = {each.ref: each.desired.amount.value for each in world.plan().changes}

    assert amounts == {"B": Decimal("2.01"), "a": Decimal("1.00"), "b": Decimal("1.01"),
                       "c": Decimal("1.01")}  # fmt: skip


def test_a_foreign_share_of_a_home_budget_is_converted(world):
    world.erp.put(budget(amount=usd("108.50")), share("ada", eur("100.00")))

    assert world.run().verified
    assert world.held()["ada"] == "108.50 USD"


def test_an_amount_too_large_to_reckon_with_is_blocked(world):
    world.erp.put(budget(amount=eur("9" * 119)), budget("C"))

    ops = {each.ref: each.op for each in world.plan().changes}

    assert ops == {"B": Op.BLOCKED, "C": Op.CREATE}


def test_a_saved_plan_is_good_for_its_rates_settings_alone(world):
    world.erp.put(budget())
    plan = world.plan()
    world.rates = rates(said="into USD, half-up")

    assert "rates into USD" in world.run(only=plan).error


def test_a_saved_plan_made_at_another_rate_is_not_carried_out(world):
    world.erp.put(budget())
    plan = world.plan()
    world.rates = rates("1.1")

    report = world.run(only=plan)

    assert [each.outcome for each in report.operations] == ["skipped"]
    assert world.held() == {}


def test_a_share_of_another_cadence_takes_no_room(world):
    world.rates = rates("1.006")
    world.erp.put(
        budget(amount=eur("3.00")),
        *(share(who, eur("1.00")) for who in "ab"),
        share("c", eur("1.00"), cadence=Cadence.YEARLY),
    )

    amounts = {each.ref: each.desired.amount.value for each in world.plan().changes}

    assert {amounts[who] for who in "abc"} == {Decimal("1.01")}


def test_the_share_that_rounding_raised_most_gives_the_cent_up(world):
    world.rates = rates("1.006")  # 1.006 and 1.006 and 3.018: the first two are raised by most
    world.erp.put(
        budget(amount=eur("5.00")),
        share("a", eur("3.00")),
        share("y", eur("1.00")),
        share("z", eur("1.00")),
    )

    amounts = {each.ref: str(each.desired.amount.value) for each in world.plan().changes}

    assert amounts == {"B": "5.03", "a": "3.02", "y": "1.00", "z": "1.01"}


def test_a_share_that_lasts_longer_gets_no_cent_that_a_later_month_has_not(world):
    world.rates = rates("1.004")
    march, april = (
        Period(date(2026, 3, 1), date(2026, 3, 31)), Period(date(2026, 4, 1), date(2026, 4, 30))
    )  # fmt: skip
    phases = Phase(march, eur("3.00")), Phase(april, eur("1.00"))
    world.erp.put(
        budget(amount=eur("3.00"), start=march.start, end=april.end, phases=phases),
        share("a", eur("1.00"), start=march.start, end=april.end),
        *(share(who, eur("1.00"), start=march.start, end=march.end) for who in "bc"),
    )

    amounts = {each.ref: each.desired.amount.value for each in world.plan().changes}

    assert [amounts[who] for who in "abc"] == [Decimal("1.00")] * 3
