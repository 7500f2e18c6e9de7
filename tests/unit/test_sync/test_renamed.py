"""What vanished and what is new, where both may be one: a plan says so, and how to say it."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Plan
from canonical.kind import Kind
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def budget(ref, name, amount=100, **said):
    return Budget(ref=ref, name=name, amount=Amount.of(amount, "USD"), **said)


def share(above, ref, who="ada", amount=5):
    user = Entity("user", who)
    return Allocation(ref=ref, budget=above, entity=user, amount=Amount.of(amount, "USD"))


class Desk:
    def __init__(self, store, on_remove):
        self.store, self.target = store, Memory("target")
        self.spec = SyncSpec(
            name="s", source="erp", target="target", limits=OPEN, on_remove=on_remove
        )

    def engine(self, *models):
        source = Memory("erp")
        source.put(*models)
        return Engine(self.spec, source, self.target, self.store, now=lambda: NOW)

    def renames(self, *models):
        return self.engine(*models).plan(TODAY).to_data()["renames"]


@pytest.fixture(params=list(OnRemove))
def desk(tmp_path, request):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as store:
        yield Desk(store, request.param)


def seeded(desk, *models):
    assert desk.engine(*models).run(TODAY, command="run").verified
    return desk


@pytest.mark.parametrize(
    ("old", "new", "by"),
    [
        (budget("A", "Marketing"), budget("B c", "Marketing", 7), "name"),
        (budget("MKT", "Marketing"), budget("mkt", "Sales", 7), "spelling"),
        (budget("A", "Marketing"), budget("B", "Sales"), "amount"),
    ],
)
def test_a_plan_says_which_budget_may_be_which(desk, old, new, by):
    (said,) = seeded(desk, old, budget("Z", "Other", 3)).renames(new, budget("Z", "Other", 3))

    quoted = f"'{new.ref}'" if " " in new.ref else new.ref
    assert said == {
        "kind": "budget",
        "from": old.ref,
        "to": new.ref,
        "budget_ref": None,
        "by": by,
        "command": f"trueup rename s {old.ref} {quoted}",
    }


@pytest.mark.parametrize(
    ("new", "by"),
    [(share("A", "2", amount=9), "entity"), (share("A", "2", "bob"), "amount")],
)
def test_a_plan_says_which_allocation_may_be_which(desk, new, by):
    (said,) = seeded(desk, budget("A", "M"), share("A", "1")).renames(budget("A", "M"), new)

    command = "trueup rename s 1 2 --budget A"
    assert (said["by"], said["budget_ref"], said["command"]) == (by, "A", command)


def test_each_of_several_is_said_and_none_is_guessed(desk):
    seeded(desk, budget("A", "One"), budget("B", "Two"))

    said = desk.renames(budget("C", "Three"))

    assert [(each["from"], each["to"], each["by"]) for each in said] == [
        ("A", "C", "amount"),
        ("B", "C", "amount"),
    ]


def test_what_is_the_same_by_its_amount_alone_is_no_conflict(desk):
    seeded(desk, budget("A", "One"))

    report = desk.engine(budget("B", "Two")).run(TODAY, command="run")

    assert report.plan.conflicts == ()
    assert "Two" in [i.model.name for p in desk.target.list(Kind.BUDGET) for i in p.items]


def test_an_amount_in_another_currency_says_nothing(desk):
    seeded(desk, budget("A", "One"))

    assert desk.renames(Budget(ref="B", name="Two", amount=Amount.of(100, "EUR"))) == []


def test_what_is_over_is_followed_by_nothing(desk):
    over = {"start": date(2025, 1, 1), "end": date(2025, 12, 31)}
    seeded(desk, budget("A", "One", **over))

    assert desk.renames(budget("B", "Two")) == []


def test_where_nothing_vanished_the_ledger_is_asked_nothing(desk, monkeypatch):
    seeded(desk, budget("A", "One"))
    asked = []
    engine = desk.engine(budget("A", "One"), budget("B", "Two"))
    monkeypatch.setattr("sync.plan.Planner._hint", lambda planner: asked.append(planner))

    assert (engine.plan(TODAY).renames, asked) == ((), [])


def test_a_saved_plan_has_them_still(desk):
    seeded(desk, budget("A", "One"))
    plan = desk.engine(budget("B", "Two")).plan(TODAY)

    assert Plan.load(plan.save()).renames == plan.renames != ()
