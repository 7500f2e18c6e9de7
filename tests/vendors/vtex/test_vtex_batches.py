"""New allocations of one budget in one call, however VTEX takes and answers a batch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from pydantic import SecretStr

from canonical.allocation import Alert, Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.conformance import waitless
from connectors.contract.errors import ConnectorError, Missing, Rejected, Uncertain
from connectors.contract.records import Draft, Observed
from connectors.memory.connector import Memory
from connectors.sandbox.server import Served, serve
from connectors.sandbox.vtex.api import VtexSandbox
from connectors.vtex.connector import Vtex
from connectors.vtex.declared import VtexSettings
from sync.engine import Engine
from sync.report import Report
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

WHO = ("ada", "grace", "joan")
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
FREE = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


class Desk:
    """A connector at a served sandbox, with one budget."""

    def __init__(self, stack: ExitStack, **switches: Any) -> None:
        self.served: Served = stack.enter_context(serve(VtexSandbox(rate_limit="off", **switches)))
        settings = VtexSettings(
            connector="vtex",
            base_url=self.served.url,
            currency="USD",
            context_id="unit-first",
            user_token=SecretStr("user_token_sandbox"),
        )
        self.vtex = stack.enter_context(Vtex("vtex", settings, waitless()))
        self.budget = self.vtex.create(Draft(model=budget()), "k").id
        self.calls()

    def many(self, drafts: Sequence[Draft]) -> Sequence[Observed | ConnectorError]:
        return self.vtex.create_many(drafts, ["k" for _ in drafts])

    def drafts(self, *who: str, **said: Any) -> Sequence[Draft]:
        return [
            Draft(model=share(each, **said), container=self.budget, stamp=each)
            for each in who or WHO
        ]

    def calls(self) -> list[str]:
        """The calls since the last time, the last word of each path."""
        log = self.served.log
        self.served.sandbox.log.clear()
        return [f"{call['method']} {call['path'].rpartition('/')[2]}" for call in log]

    def listed(self) -> dict[str, str]:
        """Who has an allocation, and its id."""
        pages = self.vtex.list(Kind.ALLOCATION)
        return {item.model.entity.id: item.id for page in pages for item in page.items}


def budget(**said: Any) -> Budget:
    return Budget(ref="B", name="Travel", amount=Amount.of(1000, "USD"), **said)


def share(who: str, **said: Any) -> Allocation:
    amount = Amount.of(10, said.pop("currency", "USD"))
    return Allocation(ref=who, budget="B", entity=Entity("user", who), amount=amount, **said)


def made_of(made: Sequence[Observed | ConnectorError]) -> list[Any]:
    """The entity of each that was made, and the type of each error."""
    return [
        each.model.entity.id
        if isinstance(each, Observed) and isinstance(each.model, Allocation)
        else type(each)
        for each in made
    ]


@pytest.fixture
def opened() -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:
        yield lambda **switches: Desk(stack, **switches)


# What goes together


def test_allocations_of_one_budget_are_one_call(opened):
    desk = opened()
    assert made_of(desk.many(desk.drafts())) == [*WHO]
    assert desk.calls() == ["POST batch"]


def test_a_single_one_is_no_batch(opened):
    desk = opened()
    assert made_of(desk.many(desk.drafts("ada"))) == ["ada"]
    assert desk.calls() == ["POST allocations"]


def test_one_with_alerts_goes_by_itself_as_its_form_in_a_batch_is_contradictory(opened):
    desk = opened()
    alerts = (Alert(Decimal(80), recipients=("ada@example.com",)),)
    made = desk.many([*desk.drafts("ada", alerts=alerts), *desk.drafts("grace", "joan", alerts=())])
    assert desk.calls() == ["POST batch", "POST allocations"]
    assert [each.model.alerts for each in made] == [alerts, (), ()]


def test_one_that_cannot_be_said_is_refused_and_the_others_are_made(opened):
    desk = opened()
    made = desk.many([*desk.drafts("ada", currency="EUR"), *desk.drafts("grace", "joan")])
    assert made_of(made) == [Rejected, "grace", "joan"]
    assert desk.calls() == ["POST batch"]


def test_one_that_is_not_active_takes_a_call_more(opened):
    desk = opened()
    made = desk.many([*desk.drafts("ada"), *desk.drafts("grace", status=Status.INACTIVE)])
    assert [each.model.status for each in made] == [Status.ACTIVE, Status.INACTIVE]
    assert desk.calls() == ["POST batch", "PUT status"]


def test_a_status_that_cannot_be_set_leaves_only_its_own_uncertain(opened):
    desk = opened()
    desk.served.faults.add("error_before", times=-1, method="PUT")
    made = desk.many([*desk.drafts("ada"), *desk.drafts("grace", status=Status.INACTIVE)])
    assert made_of(made) == ["ada", Uncertain]


# How it is taken


@pytest.mark.parametrize(
    ("batch", "made", "alone"),
    [
        ("whole", ["ada", Uncertain, "joan"], ["POST allocations"] * 2),
        ("until_bad", [Uncertain, Uncertain, "joan"], ["POST allocations"]),
    ],
)
def test_one_that_vtex_refuses_stops_no_other(opened, batch, made, alone):
    desk = opened(batch=batch)
    (held,) = desk.many(desk.drafts("grace"))
    desk.calls()
    assert made_of(desk.many(desk.drafts("ada", "grace", "joan"))) == made
    assert desk.calls() == ["POST batch", f"GET {desk.budget.rpartition('/')[2]}", *alone]
    assert desk.listed().keys() == {*WHO}
    assert desk.listed()["grace"] == held.id


def test_one_that_vtex_passes_over_in_silence_is_uncertain(opened):
    desk = opened(batch="skips_bad")
    desk.many(desk.drafts("grace"))
    made = desk.many(desk.drafts("ada", "grace", "joan"))
    assert made_of(made) == ["ada", Uncertain, "joan"]


def test_a_refused_batch_that_cannot_be_looked_for_is_uncertain(opened):
    desk = opened(batch="until_bad")
    desk.many(desk.drafts("joan"))
    desk.served.faults.add("error_before", times=-1, method="GET")
    made = desk.many(desk.drafts("ada", "grace", "joan"))
    assert made_of(made) == [Uncertain] * 3
    desk.served.faults.clear()
    assert desk.listed().keys() == {*WHO}


def test_what_was_deleted_is_no_part_of_a_refused_batch(opened):
    desk = opened()
    for each in desk.many(desk.drafts("ada")):
        desk.vtex.delete(Kind.ALLOCATION, each.id, "k")
    desk.many(desk.drafts("grace"))
    made = desk.many(desk.drafts("ada", "grace"))
    assert made_of(made) == ["ada", Uncertain]


def test_of_a_budget_that_is_not_there_each_is_missing(opened):
    desk = opened()
    desk.vtex.delete(Kind.BUDGET, desk.budget, "k")
    assert made_of(desk.many(desk.drafts())) == [Missing] * 3


# How it is answered


def test_an_answer_in_another_order_is_told_apart(opened):
    desk = opened(batch_answer="reversed")
    made = desk.many(desk.drafts())
    assert made_of(made) == [*WHO]
    assert {each.model.entity.id: each.id for each in made} == desk.listed()


def test_what_the_answer_does_not_show_is_uncertain_and_found(opened):
    desk = opened(batch_answer="lacks_one")
    drafts = desk.drafts()
    assert made_of(desk.many(drafts)) == [Uncertain, "grace", "joan"]
    assert [len(found) for found in desk.vtex.probe(drafts).values()] == [1, 1, 1]


def test_two_of_one_entity_do_not_go_together(opened):
    desk = opened(twins=True, batch_answer="reversed")
    made = desk.many([*desk.drafts("ada"), *desk.drafts("grace"), *desk.drafts("ada")])
    assert made_of(made) == ["ada", "grace", "ada"]
    assert desk.calls() == ["POST batch", "POST allocations"]


@pytest.mark.parametrize("switch", ["capitals", "array_alerts", "created_is_201", "plain_types"])
def test_a_batch_lives_through_a_switch(opened, switch):
    desk = opened(**{switch: True})
    assert made_of(desk.many(desk.drafts())) == [*WHO]


# In a run


class Office:
    """An ERP whose budgets a desk's VTEX is kept true to."""

    def __init__(self, desk: Desk, store: Store) -> None:
        self.erp = Memory("erp")
        spec = SyncSpec(name="s", source="erp", target="vtex", limits=FREE)
        self._engine = Engine(spec, self.erp, desk.vtex, store, now=lambda: NOW)

    def put(self, ref: str, amount: int, *who: str, each: int = 10) -> None:
        shares = tuple(
            structs.replace(
                share(one), ref=f"{ref}-{one}", budget=ref, amount=Amount.of(each, "USD")
            )
            for one in who
        )
        whole = budget(allocations=shares)
        self.erp.put(structs.replace(whole, ref=ref, name=ref, amount=Amount.of(amount, "USD")))

    def run(self) -> Report:
        return self._engine.run(NOW.date(), command="run")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open("sqlite:///batches.db", tmp_path, lambda: NOW)) as store:
        yield store


@pytest.mark.parametrize(
    "switches",
    [{}, {"batch_answer": "reversed"}, {"batch_answer": "lacks_one"}, {"batch": "until_bad"}],
    ids=str,
)
def test_a_first_run_makes_the_allocations_of_each_budget_in_one_call(opened, store, switches):
    desk = opened(**switches)
    office = Office(desk, store)
    for ref in ("one", "two"):
        office.put(ref, 1000, *WHO)
    report, again = office.run(), office.run()
    assert (report.verified, again.verified, again.operations) == (True, True, [])
    writes = [call for call in desk.calls() if not call.startswith("GET")]
    assert sorted(writes) == ["POST batch"] * 2 + ["POST unit-first"] * 2
    assert len(desk.served.state["allocations"].rows()) == 6


@pytest.mark.parametrize("batch", ["whole", "until_bad", "skips_bad"])
def test_where_allocations_must_fit_money_goes_up_and_down_in_one_run(opened, store, batch):
    office = Office(opened(must_fit=True, batch=batch), store)
    for amount, each in ((30, 10), (60, 20), (12, 4)):
        office.put("one", amount, *WHO, each=each)
        assert office.run().verified, (amount, each)
        assert office.run().operations == []
