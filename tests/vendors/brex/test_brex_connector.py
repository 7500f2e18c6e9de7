"""What the Brex connector adds where Brex's pages are silent, over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date

import pytest
from pydantic import SecretStr

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.identity import EntityMap
from canonical.kind import Kind
from canonical.loss import Effect
from canonical.period import Cadence, Period
from connectors.brex.connector import Brex
from connectors.brex.declared import BrexSettings
from connectors.brex.mapping import SPEND_LIMIT_PERIOD_TYPE, allocation_of, periods_within
from connectors.brex.wire import BrexSpendLimit
from connectors.calling.parsing import decoded
from connectors.contract.errors import Malformed, Rejected
from connectors.contract.records import Draft, Observed
from connectors.contract.runtime import Runtime
from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import Served, serve

Open = Callable[..., Brex]
BUDGET = Draft(model=Budget(ref="B", name="B", amount=Amount.of(1, "USD")))
SHARE = Budget(ref="B", name="B", amount=None).complete(
    Allocation(ref="A", budget="B", entity=Entity("user", "u"), amount=Amount.of(1, "USD"))
)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def served(stack: ExitStack) -> Served:
    sandbox = BrexSandbox(token="bxt_test", rate_limit="off", users=("u",))
    return stack.enter_context(serve(sandbox))


@pytest.fixture
def opened(stack: ExitStack, served: Served) -> Open:
    def opened(**settings: str) -> Brex:
        token = SecretStr("bxt_test")
        made = BrexSettings(connector="brex", base_url=served.url, token=token, **settings)
        return stack.enter_context(Brex("cards", made, Runtime(sleep=lambda seconds: None)))

    return opened


def test_the_only_root_is_the_parent_of_what_we_make(opened: Open) -> None:
    assert opened().create(BUDGET, "k1").container == "budget_root"


def test_periods_that_two_readings_count_otherwise_are_told(opened: Open) -> None:
    said = {"cadence": Cadence.MONTHLY, "start": date(2026, 1, 31), "end": date(2026, 4, 29)}
    budget = Budget(ref="B", name="B", amount=Amount.of(100, "USD"), **said)
    model, (loss,) = opened().fit(budget, date(2027, 1, 1))

    assert (model, loss.name) == (budget, "emulated:end")
    assert "holds 3 monthly periods of its own and touches 4" in loss.reason


def test_of_two_roots_none_is_guessed(opened: Open, served: Served) -> None:
    root = served.state["budgets"].get("budget_root")
    assert root
    served.state["budgets"].put(dict(root, budget_id="budget_other"))
    brex = opened()

    with pytest.raises(Rejected, match="parent_budget_id"):
        brex.create(BUDGET, "k1")
    (objection,) = brex.objections(BUDGET.model)
    assert objection.effect is Effect.BLOCKED
    assert opened(parent_budget_id="budget_other").create(BUDGET, "k2").container == "budget_other"


def test_a_new_spend_limit_takes_the_policy_that_the_others_have(
    opened: Open, served: Served
) -> None:
    brex = opened()
    budget = brex.create(BUDGET, "k1")

    made = brex.create(Draft(model=SHARE, container=budget.id), "k2")

    stored = served.state["spend_limits"].get(made.id)
    assert stored
    assert stored["expense_policy_id"] == "policy_default"


def test_without_any_policy_brex_has_the_last_word(opened: Open, served: Served) -> None:
    for row in served.state["spend_limits"].rows():
        served.state["spend_limits"].remove(row["id"])
    brex = opened()
    budget = brex.create(BUDGET, "k1")
    list(brex.list(Kind.ALLOCATION))

    (objection,) = brex.objections(SHARE)
    assert objection.effect is Effect.DROPPED
    with pytest.raises(Rejected, match="expense_policy_id"):
        brex.create(Draft(model=SHARE, container=budget.id), "k2")


def test_actuals_are_the_sum_of_the_spend_limits_below(opened: Open, served: Served) -> None:
    brex = opened()
    budget = brex.create(BUDGET, "k1")
    for key in ("k2", "k3"):
        brex.create(Draft(model=SHARE, container=budget.id), key)
    for row in served.state["spend_limits"].rows():
        if row["parent_budget_id"] == budget.id:
            row["current_period_balance"] = {"amount_spent": {"amount": 40, "currency": "USD"}}
            served.state["spend_limits"].put(row)

    (actual,) = [each for each in brex.actuals() if each.ref == budget.id]

    assert (str(actual.spent), str(actual.remaining)) == ("0.80 USD", "1.20 USD")


MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
WEEK = Period(date(2026, 3, 9), date(2026, 3, 15))
ALL = Period(date.min)
Told = tuple[Cadence, str | None, int]


@pytest.mark.parametrize(
    ("cadence", "limits", "periods"),
    [
        (Cadence.MONTHLY, [(Cadence.MONTHLY, None, 4), (Cadence.MONTHLY, "2026-03-01", 4)], ()),
        (Cadence.MONTHLY, [(Cadence.WEEKLY, None, 4)], (WEEK,)),
        (Cadence.MONTHLY, [(Cadence.WEEKLY, None, 0), (Cadence.MONTHLY, None, 4)], (MARCH, WEEK)),
        (Cadence.MONTHLY, [(Cadence.ONCE, None, 4), (Cadence.MONTHLY, None, 4)], (ALL, MARCH)),
        (Cadence.MONTHLY, [(Cadence.MONTHLY, "2026-02-01", 0), (Cadence.MONTHLY, None, 4)], ()),
        (
            Cadence.MONTHLY,
            [(Cadence.MONTHLY, "2026-03-12", 4)],
            (Period(date(2026, 3, 12), date(2026, 3, 12)),),
        ),
        (Cadence.ONCE, [(Cadence.ONCE, None, 4)], ()),
        (Cadence.ONCE, [(Cadence.MONTHLY, None, 4)], (MARCH,)),
    ],
)
def test_of_which_periods_a_budgets_sum_is_told_where_they_are_not_its_own(
    cadence: Cadence, limits: list[Told], periods: tuple[Period, ...]
) -> None:
    start, end = date(2026, 1, 1), date(2026, 12, 31)
    spans = {"start": start, "end": end} if cadence is Cadence.ONCE else {}
    budget = Budget(ref="b", name="B", amount=None, cadence=cadence, **spans)  # type: ignore[arg-type]
    parts = [limit_of(n, *each) for n, each in enumerate(limits)]

    assert periods_within(budget, parts, date(2026, 3, 12)) == periods


def limit_of(number: int, cadence: Cadence, begun: str | None, cents: int) -> Observed:
    wire = {
        "id": f"l{number}", "name": "L", "parent_budget_id": "b", "status": "ACTIVE",
        "member_user_ids": ["u"], "expense_policy_id": "p",
        "period_recurrence_type": SPEND_LIMIT_PERIOD_TYPE[cadence],
        "current_period_balance": {
            "amount_spent": {"amount": cents, "currency": "USD"}, "start_date": begun,
            "end_date": None,
        },
    }  # fmt: skip
    return allocation_of(decoded(BrexSpendLimit, wire), EntityMap())


def test_no_budget_is_ever_sent_a_limit_type(opened: Open, served: Served) -> None:
    brex = opened()
    made = brex.create(BUDGET, "k1")
    brex.update(made.id, BUDGET, {"name", "amount"}, "k2")

    assert all(row.get("limit_type") is None for row in served.state["budgets"].rows())


@pytest.mark.parametrize("once", [False, True])
def test_archiving_twice_is_no_error(opened: Open, served: Served, once: bool) -> None:
    served.sandbox.switches = served.sandbox.Switches(archives_once=once)
    brex = opened()
    made = brex.create(BUDGET, "k1")
    for key in ("k2", "k3"):
        brex.retire(Kind.BUDGET, made.id, key)

    assert brex.get(Kind.BUDGET, made.id).model.status == "retired"


def test_a_currency_that_nobody_knows_is_malformed_wherever_it_is_read(
    opened: Open, served: Served
) -> None:
    brex = opened()
    made = brex.create(BUDGET, "k1")
    row = served.state["budgets"].get(made.id)
    assert row
    served.state["budgets"].put(row | {"amount": {"amount": 1, "currency": "ABC"}})

    with pytest.raises(Malformed, match="ABC"):
        brex.get(Kind.BUDGET, made.id)
    (problem,) = [each for page in brex.list(Kind.BUDGET) for each in page.problems]
    assert (problem.ref, "ABC" in problem.message) == (made.id, True)
