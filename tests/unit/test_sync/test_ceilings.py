"""Guards with another limit for one run: what a message prints is just enough, and a hair less not."""

import re
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Plan
from canonical.period import Cadence
from config.limits import ensure_ceiling
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limit, Limits, OnRemove, SyncSpec, limit_of
from sync.state.store import Store
from tests.examples import examples

NOW, DAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
UNITS = ("USD", "EUR")
STATED = st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(UNITS)), min_size=4, max_size=8)


def budget(ref: str, amount: int, unit: str) -> Budget:
    return Budget(ref=ref, name=ref, amount=Amount.of(amount, unit), cadence=Cadence.MONTHLY)


class World:
    """Budgets in two currencies, filled in; then others are stated."""

    def __init__(self, folder, limits=None) -> None:
        self.source, self.target = Memory("erp"), Memory("target")
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)
        self.limits = limits or Limits()

    def engine(self) -> Engine:
        spec = SyncSpec(name="s", source="erp", target="target", limits=self.limits, parallel=1,
                        on_remove=OnRemove.RETIRE)  # fmt: skip
        return Engine(spec, self.source, self.target, self.store, now=lambda: NOW)

    def trips(self, allow=()):
        return self.engine().plan(DAY, allow).guards


def printed(trips) -> dict[str, str]:
    """What the messages say to type."""
    found = [re.match(r'--allow (?:"([^"]+)"|(\S+)) for this run', each.override) for each in trips]
    said = [match[1] or match[2] for match in found if match]
    assert len(said) == len(trips)
    return {each.partition("=")[0]: each for each in said}


def less(said: str) -> str:
    """A hair less of each part of a limit; more of what must be shown."""
    rule, _, text = said.partition("=")
    limit = limit_of(text)
    assert limit is not None
    hair = Decimal("-0.001") if rule == "min_listing" else Decimal("0.001")
    share = None if limit.share is None else max(Decimal(0), limit.share - hair)
    money = {
        unit: max(Decimal(0), amount - Decimal("0.01")) for unit, amount in limit.money.items()
    }
    return f"{rule}={Limit(share, max(0, limit.objects - 1), money)}"


@given(before=STATED, after=STATED, amounts=st.booleans())
@settings(max_examples=examples(4), deadline=None)
def test_what_is_printed_lets_it_pass_and_a_hair_less_does_not(
    tmp_path_factory, before, after, amounts
):
    limit = Limit(money={"USD": Decimal(10)}) if amounts else Limit(Decimal("0.10"))
    limits = Limits(max_changes=Limit(objects=1), max_money=limit, max_budget_change=limit)
    world = World(tmp_path_factory.mktemp("run"), limits)
    with closing(world.store):
        world.source.put(*(budget(f"B{n}", *each) for n, each in enumerate(before)))
        assert world.engine().run(DAY, command="test").verified
        for n in range(len(before)):
            world.source.drop(f"B{n}")
        world.source.put(*(budget(f"B{n}", *each) for n, each in enumerate(after)))
        said = printed(world.trips())
        for each in said.values():
            ensure_ceiling(*each.split("=", 1))
        assert world.trips([*said.values()]) == ()
        for rule, each in said.items():
            assert rule in {trip.rule for trip in world.trips([less(each)])}


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    with closing(world.store):
        world.source.put(*(budget(f"B{n}", 1000, "USD") for n in range(10)))
        assert world.engine().run(DAY, command="test").verified
        world.source.put(*(budget(f"B{n}", 1400, "USD") for n in range(3)))
        yield world


def test_a_ceiling_is_for_one_run(world):
    assert [trip.rule for trip in world.trips()] == ["max_money"]
    assert world.trips(["max_money=12%"]) == ()
    assert [trip.rule for trip in world.trips(["max_money=11.9%"])] == ["max_money"]
    assert [trip.rule for trip in world.trips(["max_money=1200 EUR"])] == ["max_money"]
    assert world.trips(["max_money=1200 USD"]) == ()
    assert world.trips(["max_money=off"]) == ()
    assert [trip.rule for trip in world.trips()] == ["max_money"]


def test_a_ceiling_may_be_lower_than_the_settings(world):
    assert "max_changes" in [trip.rule for trip in world.trips(["max_changes=2"])]


def test_a_saved_plan_keeps_the_ceiling_that_it_was_made_with(world):
    plan = Plan.load(world.engine().plan(DAY, ["max_money=12%"]).save())
    assert plan.allowed == ("max_money=12%",)
    assert world.engine().run(DAY, command="test", only=plan).verified


@pytest.mark.parametrize(("ceiling", "stops"), [("12%", []), ("11%", ["max_money"])])
def test_a_saved_plan_that_a_guard_stops_is_judged_by_the_ceiling(world, ceiling, stops):
    plan = Plan.load(world.engine().plan(DAY).save())
    report = world.engine().run(DAY, command="test", only=plan, allow=[f"max_money={ceiling}"])
    assert [trip.rule for trip in report.plan.guards] == stops


@pytest.mark.parametrize(
    ("rule", "text", "said"),
    [
        ("below_spent", "5%", "has no limit"),
        ("unseen", "3", "has no limit"),
        ("max_money", "25", "is not a share"),
        ("max_money", "lots", "is not a share"),
        ("max_changes", "5 USD", "is not a share"),
        ("min_listing", "3", "is not a share"),
    ],
)
def test_what_is_no_limit_of_a_rule_is_refused(rule, text, said):
    with pytest.raises(ValueError, match=said):
        ensure_ceiling(rule, text)


@pytest.mark.parametrize(
    ("said", "stops"),
    [
        (["max_money", "max_money=1%"], True),
        (["max_money=1%", "max_money"], False),
        (["max_money=90%", "max_money=1%"], True),
        (["max_money=1%", "max_money=90%"], False),
    ],
)
def test_of_two_for_one_rule_the_last_counts_also_for_a_saved_plan(tmp_path, said, stops):
    limits = Limits(max_changes=None, max_budget_change=None, max_money=Limit(Decimal("0.01")))
    world = World(tmp_path, limits)
    with closing(world.store):
        world.source.put(*(budget(f"B{n}", 1000, "USD") for n in range(4)))
        assert world.engine().run(DAY, command="run").verified
        world.source.put(budget("B0", 2000, "USD"))
        assert bool(world.trips(said)) is stops
        saved = Plan.load(world.engine().plan(DAY, said[:1]).save())
        report = world.engine().run(DAY, command="apply", allow=said[1:], only=saved)
    assert bool(report.plan.guards) is stops
