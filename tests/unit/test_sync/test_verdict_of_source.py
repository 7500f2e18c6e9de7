"""How a write to the source of unknown outcome ended, as a person says it."""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind, Op
from canonical.side import Side
from connectors.contract.capabilities import Removal
from connectors.contract.errors import Transient, Uncertain
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory
from sync.decided import Take
from sync.engine import Engine
from sync.fields import Fields, OnNew, Owner
from sync.link import LinkWaits
from sync.outcome import Exit, Outcome
from sync.spec import Limits, SyncSpec
from sync.state.audit import Audit
from sync.state.decisions import Ruling
from sync.state.journal import Journal
from sync.state.owners import Owners
from sync.state.store import Store
from sync.state.waits import Undecidable, Waits
from sync.unlink import Unlinker
from sync.verdict import Verdicts

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)
LOST = Uncertain("the answer was lost")


def usd(number):
    return Amount.of(number, "USD")


class Desk:
    """Two sides that agree on a budget; neither finds out what became of a lost answer."""

    def __init__(self, store):
        self.store = store
        able = {"grace": timedelta(hours=1), "removal": Removal.RETIRE_OR_DELETE}
        patient = Runtime(now=lambda: NOW, patience=0.0)
        kind = Memory.with_capabilities(key_lifetime=timedelta(), **able)
        self.source, self.target = kind("erp", runtime=patient), kind("shop", runtime=patient)
        self.source.put(Budget(ref="A", name="Travel", amount=usd(100)))
        assert self.run().verified

    def run(self):
        fields = Fields(default=Owner.EITHER, on_new=OnNew.CREATE)
        spec = SyncSpec(
            name="s", source="erp", target="shop", limits=OPEN, fields=fields, parallel=1
        )
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(TODAY, command="run")

    def waits(self):
        return Waits(self.store).queue().waits

    def say(self, take, id=None, side=Side.SOURCE):
        (wait,) = (each for each in self.waits() if each.waiting.side is side)
        systems = {Side.SOURCE: lambda: self.source, Side.TARGET: lambda: self.target}
        owners = Owners(self.store, "s", "shop")
        verdicts = Verdicts(self.store, "s", systems, owners, lambda: NOW, TODAY)
        verdicts.end(Ruling(wait=wait, take=take, value=id))

    def of(self, system):
        return {item.model.name: item for page in system.list(Kind.BUDGET) for item in page.items}

    def names(self):
        return [*self.of(self.source)], [*self.of(self.target)]

    def money(self):
        return [self.of(each)["Travel"].model.amount for each in (self.source, self.target)]

    def new_in_target(self):
        """Somebody makes a budget there; the answer of making it in the source is lost."""
        self.target.put(Budget(ref="T", name="Tools", amount=usd(50)))
        lose(self.source, Op.CREATE, "before")
        assert self.run().exit_code == Exit.UNCERTAIN
        return self

    def raised_in_target(self, *, arrives):
        """Somebody raises the budget there; nobody can look whether it reached the source."""
        self.target.edit(self.of(self.target)["Travel"].id, amount=usd(150))
        lose(self.source, Op.UPDATE, "after" if arrives else "before", blind=True)
        assert self.run().waiting == 1
        self.source.before = lambda *_: None
        return self


def lose(system, op, when, *, blind=False):
    """Lose the answer of the next such write; `blind`: nothing can be looked at from then on."""
    left = [LOST]

    def losing(named, _):
        if named == op and left:
            raise left.pop()

    def looking(named, _):
        if when == "before":
            losing(named, _)
        if blind and named == "get" and not left:
            raise Transient("the books are closed")

    system.before = looking
    if when == "after":
        system.after = losing


@pytest.fixture
def desk(tmp_path):
    with closing(Store.open("sqlite:///state.db", tmp_path, lambda: NOW)) as store:
        yield Desk(store)


def settled(desk):
    """What is left is done by one run, and nothing is left."""
    assert desk.run().outcome is Outcome.OK
    assert desk.run().plan.changes == ()
    assert desk.waits() == ()


def test_what_a_create_made_is_linked_and_no_twin_is_made(desk):
    desk.new_in_target()
    desk.source.put(Budget(ref="late", name="Tools", amount=usd(50)))

    desk.say(Take.ID, desk.of(desk.source)["Tools"].id)

    settled(desk)
    assert desk.names() == (["Travel", "Tools"], ["Travel", "Tools"])


def test_what_did_not_happen_is_made_once(desk):
    desk.new_in_target()

    desk.say(Take.NOT_APPLIED)

    settled(desk)
    assert desk.names() == (["Travel", "Tools"], ["Travel", "Tools"])


def test_the_way_out_is_the_same_on_both_sides(desk):
    desk.new_in_target()
    (wait,) = desk.waits()
    assert (wait.waiting.side, wait.question.ways) == (Side.SOURCE, ("ID", "not-applied"))


def test_it_cannot_have_made_what_is_not_there_or_is_something_else(desk):
    desk.new_in_target()
    for id, said in (("nowhere", "erp has no budget nowhere"), ("A", "is linked to .* already")):
        with pytest.raises(Undecidable, match=said):
            desk.say(Take.ID, id)
    assert len(Journal(desk.store, "s").of_side(Side.SOURCE).open()) == 1


def test_its_object_is_not_unlinked_before_that(desk):
    desk.raised_in_target(arrives=False)
    unlinker = Unlinker("s", desk.store, lambda: NOW)
    with pytest.raises(LinkWaits, match="has an unknown outcome"):
        unlinker.unlink("A", None, False, lambda _: True)
    desk.say(Take.NOT_APPLIED)
    unlinker.unlink("A", None, False, lambda _: True)


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("take", [Take.APPLIED, Take.NOT_APPLIED])
def test_whatever_is_said_of_an_update_the_edit_is_not_overwritten(desk, take, arrives):
    desk.raised_in_target(arrives=arrives)

    desk.say(take)
    desk.run()

    stated, held = desk.money()
    assert held == usd(150)
    asked = {each.waiting.field for each in desk.waits()}
    assert stated == held or asked == {"amount"}


def test_what_was_decided_is_in_the_audit_with_its_side(desk):
    desk.new_in_target()
    desk.say(Take.NOT_APPLIED)
    (said,) = (row.data["said"] for row in Audit(desk.store).rows() if row.kind == "decision")
    assert said["side"] == "source"
