"""A state that knows one account refuses another, and says what to do."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.records import Draft
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Outcome
from sync.spec import Limits, SyncSpec
from sync.state.history import History
from sync.state.owners import OtherAccount, Owners
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)
DEPARTMENTS = ("Human Resources", "Sales", "Travel", "Software")


def holding(system, *names):
    """A system with budgets of those names; their ids are alike in every such system."""
    made = Memory(system)
    for name in names:
        budget = Budget(ref=name, name=name, amount=Amount.of(100, "USD"))
        made.create(Draft(model=budget), key=name)
    return made


@pytest.fixture
def store(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as opened:
        yield opened


@pytest.fixture
def engine(store):
    source = holding("erp", *DEPARTMENTS)

    def at(target):
        spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN)
        return Engine(spec, source, target, store, now=lambda: NOW)

    return at


def names_at(target):
    return sorted(item.model.name for page in target.list(Kind.BUDGET) for item in page.items)


@pytest.fixture
def mirrored(engine):
    """Staging, adopted and in step with the source."""
    staging = holding("staging", *DEPARTMENTS)
    assert engine(staging).run(TODAY, command="run").verified
    return staging


def run(engine, target):
    return engine(target).run(TODAY, command="run")


def test_budgets_of_another_account_are_not_taken_for_those_of_the_same_id(engine, mirrored):
    production = holding("production", "Sales", "Legal", "Security", "Rent")

    report = run(engine, production)

    assert (report.outcome, report.operations) == (Outcome.FAILED, [])
    assert "memory staging" in report.error
    assert "memory production" in report.error
    assert "trueup repoint s" in report.error
    assert names_at(production) == ["Legal", "Rent", "Sales", "Security"]


def test_an_empty_account_is_another_one_too(engine, mirrored):
    report = run(engine, holding("production"))

    assert "shows none of them" in report.error


@pytest.mark.parametrize("command", ["plan", "verify"])
def test_nothing_is_said_about_another_account_either(engine, mirrored, command):
    with pytest.raises(OtherAccount, match="looks like another account"):
        getattr(engine(holding("production", "Legal")), command)(TODAY)


def test_what_was_refused_is_still_unknown_afterwards(engine, mirrored):
    production = holding("production", "Legal")
    run(engine, production)

    assert run(engine, production).outcome is Outcome.FAILED
    assert run(engine, mirrored).verified


def test_the_same_account_at_a_new_address_vouches_for_itself(engine, mirrored):
    moved = holding("gateway", *DEPARTMENTS[:3])  # and one was removed meanwhile

    report = run(engine, moved)

    assert report.verified
    assert names_at(moved) == sorted(DEPARTMENTS)


def test_whoever_says_that_it_is_the_same_is_believed(engine, store, mirrored):
    production = holding("production", "Legal")
    owners = Owners(store, "s", production.settings.account("production", production.runtime.base))
    with store.write() as connection:
        owners.say(connection)

    assert run(engine, production).outcome is not Outcome.FAILED


def test_a_first_run_has_nothing_to_refuse(engine, store):
    assert run(engine, holding("production", "Legal")).verified
    assert [each.outcome for each in History(store).runs()] == ["ok"]
