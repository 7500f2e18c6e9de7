"""What needs an approval, and what becomes of one when a run is killed."""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace as with_fields

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import BUDGET_FIELDS
from canonical.period import Cadence, Period
from connectors.contract.capabilities import Hold, Phasing
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Exit
from sync.spec import Approval, Limit, Limits, OnRemove, SyncSpec
from sync.state.approvals import Approvals
from sync.state.author import Author
from sync.state.store import Store

NOW, DAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)
TENTH, SUM = Approval(Limit(Decimal("0.1"))), Approval(Limit(money={"USD": Decimal(500)}))
BOTH = Approval(Limit(Decimal("0.1"), 0, {"USD": Decimal(500)}))


def budget(ref, amount, unit="USD", **said):
    made = Budget(ref=ref, name=ref, amount=Amount.of(amount, unit), cadence=Cadence.MONTHLY)
    return with_fields(made, **said)


class World:
    def __init__(self, folder, able=None):
        self.source = Memory("erp")
        self.target = Memory.with_capabilities(**(able or {}))("target")
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)
        self.approval = None

    def run(self, **said):
        spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN, parallel=1,
                        on_remove=OnRemove.RETIRE, approval=self.approval)  # fmt: skip
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(DAY, command="test", **said)

    def asks(self):
        report = self.run()
        assert (report.exit_code == Exit.GUARD) == (report.asked is not None)
        return report.asked is not None

    def approve(self):
        request = Approvals(self.store).open_of("s")
        Approvals(self.store).approve(request, Author("ada", "h"), None, alone=True)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    with closing(world.store):
        world.source.put(*(budget(f"B{n}", 1000) for n in range(10)))
        assert world.run().verified
        yield world


@pytest.mark.parametrize(
    ("approval", "amount", "asks"),
    [
        (None, 9000, False),
        (Approval(), 1001, True),
        (TENTH, 2000, False),
        (TENTH, 2001, True),
        (TENTH, 0, False),
        (SUM, 1500, False),
        (SUM, 1501, True),
        (SUM, 499, True),
        (BOTH, 1600, True),
        (BOTH, 1500, False),
    ],
)
def test_a_plan_that_moves_more_than_the_limit_needs_an_approval(world, approval, amount, asks):
    world.approval = approval
    world.source.put(budget("B0", amount))
    assert world.asks() is asks


def test_what_is_new_counts_and_what_goes(world):
    world.approval = SUM
    world.source.put(budget("N", 501))
    assert world.asks()
    world.source.put(budget("N", 500))
    assert not world.asks()
    world.source.drop("B0")
    assert world.asks()


def test_a_currency_that_no_amount_names_is_over_the_limit(world):
    world.approval = SUM
    world.source.put(budget("E", 1, "EUR"))
    assert world.asks()


def test_money_from_nothing_is_over_every_share(tmp_path):
    world = World(tmp_path)
    with closing(world.store):
        world.approval = TENTH
        world.source.put(budget("B0", 1))
        assert world.asks()
        world.approve()
        assert world.run().verified


def test_a_name_alone_moves_no_money(world):
    world.approval = TENTH
    world.source.put(budget("B0", 1000, name="another"))
    assert not world.asks()


def test_nothing_to_do_needs_no_approval(world):
    world.approval = Approval()
    assert not world.asks()


def test_money_of_a_later_month_that_the_target_is_not_told_yet_is_asked_for(tmp_path):
    held = dict.fromkeys(BUDGET_FIELDS, Hold.EXACT) | {"phases": Hold.DROPPED}
    world = World(tmp_path, {"phasing": Phasing.CURRENT, "budget": held})

    def year(july):
        first, last = date(2026, 1, 1), date(2026, 12, 31)
        phases = (Phase(Period(first, date(2026, 6, 30)), Amount.of(1000, "USD")),
                  Phase(Period(date(2026, 7, 1), last), Amount.of(july, "USD")))  # fmt: skip
        return budget("P", 1000, start=first, end=last, phases=phases)

    with closing(world.store):
        world.source.put(year(1000))
        assert world.run().verified
        world.approval = TENTH
        world.source.put(year(9000))
        assert world.asks()
        assert world.asks()
        world.approve()
        world.source.put(year(9001))
        assert world.asks(), "not what was approved"
        world.approve()
        report = world.run()
        assert report.approved is not None
        assert report.verified
        assert not world.asks()


def test_a_run_that_was_killed_after_its_first_write_has_used_the_approval(world, monkeypatch):
    world.approval = TENTH
    world.source.put(budget("B0", 3000), budget("B1", 3000))
    assert world.asks()
    world.approve()
    update, sent = Memory.update, []

    def dying(self, *said, **more):
        if self is world.target and sent:
            raise KeyboardInterrupt
        sent.append(said)
        return update(self, *said, **more)

    monkeypatch.setattr(Memory, "update", dying)
    with pytest.raises(KeyboardInterrupt):
        world.run()
    monkeypatch.setattr(Memory, "update", update)

    assert world.asks(), "the rest of it is asked for anew"
    world.approve()
    assert world.run().verified


def test_a_run_that_failed_before_its_first_write_has_not_used_it(world, monkeypatch):
    world.approval = TENTH
    world.source.put(budget("B0", 3000))
    assert world.asks()
    world.approve()
    with monkeypatch.context() as patch:
        patch.setattr(Memory, "list", lambda *said, **more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.run()
    assert not world.run(approve=lambda plan: False).verified
    assert world.run().verified


def test_what_came_since_it_was_approved_is_not_applied_with_it(world):
    world.approval = Approval(expires=timedelta(days=1))
    world.source.put(budget("B0", 3000))
    assert world.asks()
    world.approve()
    world.source.put(budget("B1", 3000))
    report = world.run()
    assert [done.ref for done in report.operations] == ["B0"]
    assert report.asked is not None
    assert report.exit_code == Exit.GUARD
