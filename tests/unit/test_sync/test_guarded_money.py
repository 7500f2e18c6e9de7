"""Whole runs under the default guards: what of money stops them, at targets of every phasing."""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import BUDGET_FIELDS
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.contract.capabilities import Hold, Phasing
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Exit
from sync.spec import Limit, Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW = datetime(2026, 6, 10, tzinfo=UTC)
JUNE, JULY = date(2026, 6, 10), date(2026, 7, 10)
CURRENT = {
    "phasing": Phasing.CURRENT,
    "budget": dict.fromkeys(BUDGET_FIELDS, Hold.EXACT) | {"phases": Hold.DROPPED},
}


def usd(number: object) -> Amount:
    return Amount.of(str(number), "USD")


def monthly(ref: str, june: object = 1000, july: object | None = None, **said: object) -> Budget:
    """A budget of 2026; from July on with another amount, where one is given."""
    year = Period(date(2026, 1, 1), date(2026, 12, 31))
    first = Phase(Period(year.start, date(2026, 6, 30)), usd(june))
    phases = () if july is None else (first, Phase(Period(date(2026, 7, 1), year.end), usd(july)))
    made = Budget(ref=ref, name=ref, amount=usd(june), cadence=Cadence.MONTHLY,
                  start=year.start, end=year.end, phases=phases)  # fmt: skip
    return replace(made, **said)


@dataclass
class World:
    """Twenty rows of 1,000 a month, filled into a target in June."""

    folder: Path
    able: dict[str, object] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    day: date = JUNE

    def __post_init__(self) -> None:
        self.source = Memory("erp")
        self.target = Memory.with_capabilities(**self.able)("target")
        self.store = Store.open("sqlite:///state.db", self.folder, lambda: NOW)
        self.on_remove = OnRemove.RETIRE

    def engine(self) -> Engine:
        spec = SyncSpec(name="s", source="erp", target="target", limits=self.limits, parallel=1,
                        on_remove=self.on_remove)  # fmt: skip
        return Engine(spec, self.source, self.target, self.store, now=lambda: NOW)

    def run(self, *allow: str):
        return self.engine().run(self.day, command="test", allow=allow)

    def trips(self, *allow: str) -> list[str]:
        report = self.run(*allow)
        assert report.plan is not None
        assert (report.exit_code == Exit.GUARD) == bool(report.plan.guards)
        return [trip.rule for trip in report.plan.guards]

    def message(self, rule: str) -> str:
        (trip,) = [each for each in self.run().plan.guards if each.rule == rule]
        return trip.message

    def there(self, ref: str) -> Budget:
        pages = self.target.list(Kind.BUDGET)
        (found,) = [i.model for page in pages for i in page.items if i.model.name == ref]
        return found


@pytest.fixture
def make(tmp_path):
    opened = []

    def make(able=None, rows=20, **said):
        world = World(tmp_path, able or {}, **said)
        opened.append(world.store)
        world.source.put(*(monthly(f"B{n}") for n in range(rows)))
        world.source.put(monthly("P", 1000, 1000.00))
        assert world.trips() == []
        return world

    yield make
    for store in opened:
        with closing(store):
            pass


PHASINGS = [
    pytest.param({"phasing": Phasing.ALL}, id="all"),
    pytest.param({"phasing": Phasing.PERIODS}, id="periods"),
    pytest.param({"phasing": Phasing.CURRENT_AND_NEXT}, id="next"),
    pytest.param(CURRENT, id="current"),
]


@pytest.mark.parametrize("able", PHASINGS)
@pytest.mark.parametrize("name", ["P", "another name"])
def test_a_future_amount_is_judged_when_it_is_stated(make, able, name):
    world = make(able)
    world.source.put(monthly("P", 1000, 100000, name=name))
    assert "max_budget_change" in world.trips()


@pytest.mark.parametrize("able", PHASINGS)
def test_the_calendar_brings_what_was_judged_and_nothing_else(make, able):
    world = make(able)
    world.source.put(monthly("P", 1000, 100000, name="P2"))
    assert world.run("max_budget_change", "max_money").exit_code == 0
    world.day = JULY
    assert world.trips() == []
    assert world.there("P2").in_force(JULY) == usd(100000)


@pytest.mark.parametrize("able", PHASINGS)
def test_what_is_adopted_is_judged_by_all_that_is_stated(tmp_path, able):
    world = World(tmp_path, able)
    with closing(world.store):
        world.target.put(*(monthly(f"B{n}") for n in range(20)), monthly("P"))
        world.source.put(*(monthly(f"B{n}") for n in range(20)), monthly("P", 1000, 100000))
        assert "max_budget_change" in world.trips()
        assert "budget P would go from 1,000.00 USD to 100,000.00 USD (from 2026-07-01 on)" in (
            world.message("max_budget_change")
        )
        assert world.run("max_budget_change", "max_money").exit_code == 0
        assert world.trips() == []


def test_a_rename_in_a_new_period_does_not_have_the_season_judged(make):
    world = make(CURRENT)
    world.source.put(monthly("P", 1000, 1400))
    assert world.trips() == []
    world.source.put(monthly("P", 1400, 4000, name="P2"))
    assert world.trips("max_budget_change", "max_money") == []
    world.day = JULY
    world.source.put(monthly("P", 1400, 4000, name="P3"))
    assert world.trips() == []
    assert world.there("P3").amount == usd(4000)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(monthly("B1", amount=Amount.of("1000", "EUR")), id="currency"),
        pytest.param(monthly("B1", cadence=Cadence.WEEKLY), id="cadence"),
        pytest.param(monthly("B1", cadence=Cadence.YEARLY), id="yearly"),
        pytest.param(monthly("B1", 999_999_999_999), id="amount"),
        pytest.param(monthly("N", 999_999_999_999), id="new row"),
        pytest.param(monthly("N", amount=Amount.of("9", "EUR")), id="new row in new money"),
        pytest.param(monthly("N", 1500, cadence=Cadence.DAILY), id="new row that counts daily"),
    ],
)
def test_money_is_what_counts_per_day(make, changed):
    world = make()
    world.source.put(changed)
    assert {"max_money", "max_budget_change"} & {*world.trips()}


def test_what_was_nothing_has_no_share_but_an_amount(tmp_path):
    world = World(tmp_path, limits=Limits())
    with closing(world.store):
        world.source.put(monthly("Z", 0), *(monthly(f"B{n}") for n in range(20)))
        assert world.trips() == []
        world.source.put(monthly("Z", 1500))
        (trip,) = world.run().plan.guards
        assert (trip.rule, trip.actual) == ("max_budget_change", "from nothing")
        assert 'max_budget_change = "50%, at least 1500 USD"' in trip.override
        world.limits = Limits(max_budget_change=Limit(Decimal("0.5"), 0, {"USD": Decimal(1500)}))
        assert world.trips() == []


def test_a_slip_over_several_rows_is_named(make):
    world = make()
    world.source.put(*(monthly(f"B{n}", 100_000) for n in range(3)))
    assert "3 amounts become 100 times what they were" in world.message("max_budget_change")
    world.source.put(*(monthly(f"B{n}", 1) for n in range(3)))
    assert "3 amounts become one 1000th of" in world.message("max_budget_change")


def test_one_leaver_and_one_change_stop_nothing(tmp_path):
    world = World(tmp_path)
    people = [
        Allocation(ref=f"S{n}", budget="B", entity=Entity("user", f"u{n}"), amount=usd(100))
        for n in range(3)
    ]
    with closing(world.store):
        world.source.put(monthly("B"), *people)
        assert world.trips() == []
        world.source.put(monthly("B", 1400))
        assert world.trips() == []
        (leaver,) = [i for i in _ids(world.source, Kind.ALLOCATION) if i.endswith("S2")]
        world.source.drop(leaver)
        assert world.trips() == []


def test_removals_count_in_money_and_are_named(make):
    world = make(limits=Limits(max_changes=None, max_removals=None))
    for name in ("B0", "B1", "B2"):
        world.source.drop(name)
    (trip,) = world.run().plan.guards
    assert (trip.rule, trip.actual) == ("max_money", "14.3%")
    assert trip.message.startswith("3,000 of 21,000 USD a month in budgets would move: ")
    assert "budget B0 gives up 1,000.00 USD" in trip.message
    assert 'max_money = "14.3%"' in trip.override
    world.limits = Limits(
        max_changes=None, max_removals=None, max_money=Limit(money={"USD": Decimal(3000)})
    )
    assert world.trips() == []


def test_what_would_just_be_enough_is_enough(make):
    world = make(limits=Limits(max_changes=None))
    for name in ("B0", "B1"):
        world.source.drop(name)
    (trip,) = world.run().plan.guards
    assert (trip.rule, trip.limit, trip.actual) == ("max_removals", "5%, at least 1", "9.6%")
    assert 'max_removals = "9.6%"' in trip.override
    world.limits = Limits(max_changes=None, max_removals=Limit(Decimal("0.096")))
    assert world.trips() == []


def test_an_amount_moved_by_hand_is_judged_as_it_is_there(make):
    world = make()
    (id,) = [each for each in _ids(world.target, Kind.BUDGET) if world_name(world, each) == "B1"]
    world.target.edit(id, amount=usd(9))
    assert "max_budget_change" in world.trips()


def world_name(world, id):
    return world.target.get(Kind.BUDGET, id).model.name


def _ids(system, kind):
    return [item.id for page in system.list(kind) for item in page.items]
