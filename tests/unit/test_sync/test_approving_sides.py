"""Approval where both sides may change: what counts, what is shown, and what just that plan is."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec import structs

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence
from canonical.side import Side
from canonical.waiting import Rule
from connectors.memory.connector import Memory
from sync.decided import Take
from sync.engine import Engine
from sync.fields import Fields, OnNew, Owner
from sync.spec import Approval, Limit, Limits, SyncSpec
from sync.state.approvals import Approvals
from sync.state.author import Author
from sync.state.decisions import Decided
from sync.state.ledger import Ledger
from sync.state.renaming import Rename, rename
from sync.state.stops import Stops
from sync.state.store import Store
from sync.state.waits import Waits
from sync.undo.plan import Undo
from tests.unit.test_sync.people import People

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


def usd(number):
    return Amount.of(number, "USD")


def budget(ref, amount=1000, **said):
    return Budget(ref=ref, name=ref, amount=usd(amount), cadence=Cadence.MONTHLY, **said)


class Desk:
    """Ten budgets of 1,000 that both sides may move, agreed; then `approval` counts."""

    def __init__(self, store):
        self.store, self.people = store, People(store)
        self.source, self.target = Memory("erp"), Memory("shop")
        self.spec = SyncSpec(
            name="s", source="erp", target="shop", limits=OPEN, fields=Fields(default=Owner.EITHER),
            parallel=1,
        )  # fmt: skip
        self.source.put(*(budget(f"B{n}") for n in range(10)))
        assert self.run().verified

    def run(self, **said):
        engine = Engine(self.spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(TODAY, command="test", **said)

    def asking(self, *limits, **spec):
        approval = Approval(Limit(*limits) if limits else None)
        self.spec = replace(self.spec, approval=approval, **spec)
        return self

    def approve(self):
        request = Approvals(self.store).open_of("s")
        Approvals(self.store).approve(request, Author("ada", "h"), None, alone=True)

    def there(self, ref):
        link = Ledger(self.store, "s").by_refs(Kind.BUDGET, [("", ref)])["", ref]
        return self.target.get(Kind.BUDGET, link.target_id)

    def edit(self, ref, **values):
        self.target.edit(self.there(ref).id, **values)

    def state(self, ref, **values):
        self.source.put(structs.replace(self.stated(ref), **values))

    def stated(self, ref):
        pages = self.source.list(Kind.BUDGET)
        return next(item.model for page in pages for item in page.items if item.model.ref == ref)


@pytest.fixture
def desk(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as store:
        yield Desk(store)


def done(report):
    return sorted((o.side.value, o.ref, o.outcome) for o in report.operations)


FIVE_HUNDRED = (None, 0, {"USD": Decimal(500)})


@pytest.mark.parametrize(("amount", "asks"), [(1500, False), (1501, True), (499, True)])
def test_money_that_goes_back_into_the_source_counts(desk, amount, asks):
    desk.asking(*FIVE_HUNDRED)
    desk.edit("B0", amount=usd(amount))
    report = desk.run()
    assert (report.asked is not None) is asks
    if asks:
        assert f"({abs(amount - 1000)} of it in the source)" in report.asked.reason
        assert desk.stated("B0").amount == usd(1000)


def test_money_of_both_sides_counts_together(desk):
    desk.asking(*FIVE_HUNDRED)
    desk.edit("B0", amount=usd(1300))
    desk.state("B1", amount=usd(1201))
    report = desk.run()
    assert report.asked.reason.startswith("501 USD in budgets would move (300 of it in the")


def test_what_is_made_in_the_source_counts(desk):
    desk.asking(*FIVE_HUNDRED, fields=Fields(default=Owner.EITHER, on_new=OnNew.CREATE))
    desk.target.put(budget("N", 501))
    assert "501 of it in the source" in desk.run().asked.reason


def test_a_name_that_goes_back_moves_no_money_and_needs_one_only_where_all_do(desk):
    desk.asking(*FIVE_HUNDRED)
    desk.edit("B0", name="Trips")
    assert desk.run().asked is None
    desk.asking()
    desk.edit("B0", name="Travels")
    assert desk.run().asked is not None
    assert desk.stated("B0").name == "Trips"


def test_a_name_that_goes_back_meets_the_guards_of_money_with_no_money(desk):
    desk.spec = replace(desk.spec, limits=Limits())
    desk.edit("B0", name="Trips")
    assert desk.run().verified


def both_ways(desk, amount=1600):
    """One budget: its amount goes back into the source, its name to the target."""
    desk.asking()
    desk.edit("B0", amount=usd(amount))
    desk.state("B0", name="Trips")


def test_both_changes_of_one_object_are_applied_as_they_were_approved(desk):
    both_ways(desk)
    plan = desk.run().plan
    assert {each.side for each in plan.pending} == {*Side}
    desk.approve()
    report = desk.run()
    assert done(report) == [("source", "B0", "applied"), ("target", "B0", "applied")]
    assert (report.verified, desk.stated("B0").amount, desk.there("B0").model.name) == (
        True, usd(1600), "Trips",
    )  # fmt: skip


def test_of_two_changes_of_one_object_the_one_that_is_otherwise_by_now_is_left(desk):
    both_ways(desk)
    desk.state("B1", amount=usd(1001))
    desk.run()
    desk.approve()
    desk.edit("B0", amount=usd(9000))
    report = desk.run()
    assert done(report) == [
        ("source", "B0", "skipped"), ("target", "B0", "skipped"), ("target", "B1", "applied"),
    ]  # fmt: skip
    assert desk.stated("B0").amount == usd(1000)
    assert report.asked is not None


def test_what_came_on_the_other_side_of_an_object_since_is_not_approved(desk):
    desk.asking()
    desk.state("B0", name="Trips")
    desk.state("B1", name="Rent")
    desk.run()
    desk.approve()
    desk.edit("B0", amount=usd(1600))
    report = desk.run()
    assert ("source", "B0", "applied") not in done(report)
    assert desk.stated("B0").amount == usd(1000)
    assert report.asked is not None


def test_the_side_is_part_of_what_is_asked_for(desk):
    desk.asking()
    desk.edit("B0", amount=usd(1600))
    first = desk.run().asked
    desk.edit("B0", amount=usd(1000))
    desk.state("B0", amount=usd(1600))
    second = desk.run().asked
    assert (first.plan_id == second.plan_id, first.deeds == second.deeds) == (False, False)


# -- what comes between asking and using -----------------------------------------------------------


def test_what_a_person_decides_between_asking_and_using_is_asked_for_and_not_forgotten(desk):
    words = Fields(default=Owner.ASK)
    desk.asking(fields=words)
    desk.edit("B0", name="Trips")
    desk.state("B1", name="Rent")
    report = desk.run()
    assert report.waiting == 2
    desk.approve()
    (drift,) = [w for w in Waits(desk.store).queue(["s"]).waits if w.waiting.rule is Rule.DRIFT]
    desk.people.take(drift.waiting, Take.TARGET)
    report = desk.run()
    assert done(report) == [("target", "B1", "applied")]
    assert (desk.stated("B0").name, len(Decided(desk.store).open("s").numbers)) == ("B0", 1)
    assert report.asked is not None
    desk.approve()
    assert desk.run().verified
    assert (desk.stated("B0").name, Decided(desk.store).open("s").numbers) == ("Trips", [])


def test_what_a_person_decides_before_the_approval_makes_another_plan(desk):
    desk.asking(fields=Fields(default=Owner.ASK))
    desk.edit("B0", name="Trips")
    desk.state("B1", name="Rent")
    first = desk.run().asked
    (drift,) = [w for w in Waits(desk.store).queue(["s"]).waits if w.waiting.rule is Rule.DRIFT]
    desk.people.take(drift.waiting, Take.SOURCE)
    second = desk.run().asked
    assert second.plan_id != first.plan_id
    desk.approve()
    assert desk.run().verified
    assert desk.there("B0").model.name == "B0"


def test_an_undo_between_asking_and_using_leaves_nothing_of_the_plan_to_apply(desk):
    desk.state("B0", amount=usd(1100))
    before = desk.run()
    desk.asking()
    desk.state("B0", amount=usd(1500))
    desk.run()
    desk.approve()
    undone = desk.run(undo=Undo(run=before.run_id, refs=frozenset()))
    assert (undone.asked, desk.there("B0").model.amount) == (None, usd(1000))
    Stops(desk.store).resume("s")
    report = desk.run()
    assert (report.approved, report.asked is not None) == (None, True)
    assert desk.there("B0").model.amount == usd(1000)


def test_an_object_that_was_renamed_between_asking_and_using_is_asked_for_anew(desk):
    desk.asking()
    desk.state("B0", amount=usd(1500))
    desk.state("B1", amount=usd(1600))
    desk.run()
    desk.approve()
    with desk.store.write() as connection:
        moved = Rename(Kind.BUDGET, ("", "B0"), ("", "N0"))
        rename(connection, Ledger(desk.store, "s"), "s", [moved], [])
    renamed = structs.replace(desk.stated("B0"), ref="N0")
    desk.source.drop("B0")
    desk.source.put(renamed)
    report = desk.run()
    assert ("target", "B1", "applied") in done(report)
    assert ("target", "B0", "skipped") in done(report)
    assert desk.there("N0").model.amount == usd(1000)
    assert report.asked is not None
