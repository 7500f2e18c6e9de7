"""Shares whose amount differs by month: projected, remembered, weighed and written."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.compare import Cause
from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS
from canonical.kind import Kind
from canonical.period import Cadence, Period, period_of
from connectors.contract.capabilities import Capabilities, Hold, Phasing
from connectors.contract.errors import Transient
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Outcome
from sync.project import Projector
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

NOW = datetime(2026, 2, 10, tzinfo=UTC)
FEBRUARY, MARCH = date(2026, 2, 10), date(2026, 3, 10)
EXACT = dict.fromkeys(ALLOCATION_FIELDS, Hold.EXACT)
FOLLOWING = EXACT | dict.fromkeys(("cadence", "start", "end"), Hold.FOLLOWS)
PRESENT = {"phasing": Phasing.CURRENT, "allocation": EXACT | {"phases": Hold.DROPPED}}
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


def usd(number):
    return Amount.of(number, "USD")


def months(*amounts):
    return tuple(
        Phase(period_of(Cadence.MONTHLY, date(2026, n, 1)), usd(amount))
        for n, amount in enumerate(amounts, 1)
    )


BUDGET = Budget(
    ref="B", name="B", amount=usd(100), cadence=Cadence.MONTHLY, start=date(2026, 1, 1),
    end=date(2026, 12, 31),
)  # fmt: skip
YEAR = months(*range(1, 13))


def share(*amounts, **said):
    phases = months(*amounts) if amounts else ()
    base = {"ref": "a", "budget": "B", "entity": Entity("user", "ada"), "amount": usd(1)}
    return Allocation(**(base | {"phases": phases} | said))


def project(model, **able):
    said = {
        "vendor": "shop",
        "budget": dict.fromkeys(BUDGET_FIELDS, Hold.EXACT),
        "allocation": EXACT,
        "phasing": Phasing.ALL,
    }
    projector = Projector(Capabilities(**(said | able)), FEBRUARY, horizon_months=2)
    return projector.allocation(BUDGET.complete(model), BUDGET)


def names(losses):
    return {loss.name for loss in losses}


@pytest.mark.parametrize(
    ("phasing", "amount", "periods"),
    [
        (Phasing.ALL, 1, 12),
        (Phasing.PERIODS, 2, 12),
        (Phasing.CURRENT_AND_NEXT, 2, 1),
        (Phasing.CURRENT, 2, 0),
    ],
)
def test_as_many_amounts_are_held_as_of_a_budget(phasing, amount, periods):
    projected, losses = project(share(*range(1, 13)), phasing=phasing)
    assert (projected.amount, len(projected.phases), losses) == (usd(amount), periods, ())


def test_where_phases_of_shares_are_not_held_the_amount_of_the_day_is():
    able = {"allocation": EXACT | {"phases": Hold.DROPPED}}
    projected, losses = project(share(*range(1, 13)), **able)
    assert (projected.amount, projected.phases, losses) == (usd(2), (), ())


def test_months_of_one_amount_are_none_where_the_time_is_the_budgets():
    projected, losses = project(share(*[4] * 12), allocation=FOLLOWING)
    assert (projected.amount, projected.phases, losses) == (usd(4), (), ())


@pytest.mark.parametrize("own", [share(4, 4, 4), share(start=date(2026, 1, 1), end=date(2026, 3, 31), amount=usd(4))])  # fmt: skip
def test_a_time_of_its_own_is_a_phase_where_the_time_is_the_budgets(own):
    projected, losses = project(own, allocation=FOLLOWING)
    assert projected.phases == (Phase(Period(date(2026, 1, 1), date(2026, 3, 31)), usd(4)),)
    assert (projected.start, projected.end, losses) == (None, None, ())


@pytest.mark.parametrize(
    ("time", "lost"),
    [
        ({"start": date(2026, 3, 1)}, {"dropped:start"}),
        ({"end": date(2026, 3, 31)}, {"dropped:end"}),
        ({"start": date(2026, 2, 1)}, set()),
        ({}, set()),
    ],
)
def test_a_time_of_its_own_is_a_loss_where_only_the_present_is_held(time, lost):
    able = {"phasing": Phasing.CURRENT, "allocation": FOLLOWING | {"phases": Hold.DROPPED}}
    assert names(project(share(**time), **able)[1]) == lost


@pytest.mark.parametrize("kind", ["budget", "share"])
def test_an_amount_below_zero_is_blocked_where_none_is_held(kind):
    model = share(2, -1) if kind == "share" else replace(BUDGET, phases=months(2, -1))
    projector = Projector(
        Capabilities(
            vendor="shop", budget=dict.fromkeys(BUDGET_FIELDS, Hold.EXACT), allocation=EXACT,
            phasing=Phasing.ALL,
        ),
        FEBRUARY, horizon_months=2,
    )  # fmt: skip
    said = projector.allocation(model) if kind == "share" else projector.budget(model)
    (loss,) = said[1]
    assert (loss.name, loss.reason) == (
        "blocked:phases",
        "shop takes no amount below zero, such as -1.00 USD",
    )


@pytest.mark.parametrize("able", [{"below_zero": True}, {"phasing": Phasing.CURRENT}])
def test_an_amount_below_zero_is_no_matter_where_it_is_held_or_does_not_count(able):
    assert project(share(-1, 2), **able)[1] == ()


class World:
    def __init__(self, folder, **able):
        self.source = Memory("erp")
        self.target = Memory.with_capabilities(**able)("target")
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)
        self.limits = OPEN
        self.source.put(BUDGET, share(*range(1, 13)))

    def engine(self):
        spec = SyncSpec(name="s", source="erp", target="target", limits=self.limits, parallel=1)
        return Engine(spec, self.source, self.target, self.store, now=lambda: NOW)

    def run(self, day=FEBRUARY):
        report = self.engine().run(day, command="test")
        assert (report.outcome, report.verified) == (Outcome.OK, True)
        return report


@pytest.fixture
def made(tmp_path):
    opened = []

    def make(**able):
        opened.append(World(tmp_path, **able))
        return opened[-1]

    yield make
    for world in opened:
        world.store.close()


def held(target):
    ((item,),) = [page.items for page in target.list(Kind.ALLOCATION)]
    return item.model


@pytest.mark.parametrize("able", [{}, PRESENT, {"allocation": FOLLOWING}])
def test_the_second_run_has_nothing_to_do(made, able):
    world = made(**able)
    assert world.run().counts["applied"] == 2
    assert world.run().counts["applied"] == 0


def test_the_calendar_brings_the_next_months_share_unweighed(made):
    world = made(**PRESENT)
    world.run()
    world.limits = Limits()
    (change,) = world.engine().plan(MARCH).changes
    assert (change.cause, change.fields) == (Cause.CALENDAR, {"amount": ("2.00", "3.00")})
    assert world.engine().plan(MARCH).guards == ()


def test_a_later_month_that_moves_is_weighed_where_only_the_present_is_held(made):
    world = made(**PRESENT)
    world.run()
    world.limits = Limits()
    world.source.edit("B/a", phases=(*YEAR[:11], Phase(YEAR[11].period, usd(1200))))
    (trip,) = [
        each for each in world.engine().plan(FEBRUARY).guards if each.rule == "max_budget_change"
    ]
    assert (
        "allocation a would go from 12.00 USD to 1,200.00 USD (from 2026-12-01 on)" in trip.message
    )


def test_what_somebody_changes_in_one_month_is_put_back(made):
    world = made()
    world.run()
    (id,) = [id for id, row in world.target._rows.items() if row.container]
    world.target.edit(id, phases=(*YEAR[:11], Phase(YEAR[11].period, usd(1))))
    (change,) = world.engine().plan(FEBRUARY).changes
    assert (change.cause, set(change.fields)) == (Cause.DRIFT, {"phases"})
    world.run()
    assert held(world.target).phases == YEAR


def test_a_month_below_what_is_spent_is_stopped(made):
    world = made(**PRESENT)
    world.run()
    (id,) = [id for id, row in world.target._rows.items() if row.container]
    world.target.spend(id, usd("2.50"))
    world.source.edit("B/a", phases=(YEAR[0], Phase(YEAR[1].period, usd(1)), *YEAR[2:]))
    assert [each.rule for each in world.engine().plan(FEBRUARY).guards] == ["below_spent"]


def test_shares_that_exchange_their_months_end_as_they_are_stated(made):
    world = made()
    world.source.put(replace(share(*range(12, 0, -1)), ref="b", entity=Entity("user", "bob")))
    world.run()
    world.source.edit("B/a", phases=months(*range(12, 0, -1)))
    world.source.edit("B/b", phases=YEAR)
    world.limits = Limits()
    assert world.engine().plan(FEBRUARY).guards != ()
    world.limits = OPEN
    assert world.run().counts["applied"] == 2
    assert world.run().counts["applied"] == 0


def test_a_half_of_an_exchange_that_was_not_made_is_made_without_another_look(made):
    world = made()
    world.source.put(replace(share(*range(12, 0, -1)), ref="b", entity=Entity("user", "bob")))
    world.run()
    world.source.edit("B/a", phases=months(*range(12, 0, -1)))
    world.source.edit("B/b", phases=YEAR)
    done = []

    def break_off(operation, subject):
        if operation == "update":
            done.append(subject)
            if len(done) > 2:
                raise Transient("busy")

    world.target.before = break_off
    assert world.engine().run(FEBRUARY, command="test").counts["deferred"] == 2
    world.target.before = lambda operation, subject: None
    world.limits = Limits()
    plan = world.engine().plan(FEBRUARY)
    assert (plan.guards, len(plan.changes)) == ((), 2)
    assert world.run().counts["applied"] == 2


@pytest.mark.parametrize("able", [{}, {"allocation": FOLLOWING}])
def test_what_is_over_stays_where_the_source_knows_only_the_present(made, able):
    world = made(**able)
    world.source = Memory.with_capabilities(**PRESENT)("erp")
    world.source.put(BUDGET, share(amount=usd(5)))
    world.run()
    assert held(world.target).phases == ()
    world.source.edit("B/a", amount=usd(6))
    assert world.run().counts["applied"] == 1
    assert [(str(each.period), each.amount) for each in held(world.target).phases] == [
        ("2026-01-01..2026-01-31", usd(5)),
        ("2026-02-01..2026-12-31", usd(6)),
    ]
    assert world.run().counts["applied"] == 0
