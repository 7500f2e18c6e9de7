"""Budgets in euros at each vendor that holds dollars: converted, read back as agreed, re-rated."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import trueup
from connectors.contract import registry
from connectors.sandbox.__main__ import load as load_sandbox
from connectors.sandbox.server import serve
from trueup.demo_settings import FOLLOWERS, settings_text
from trueup.workspace import Workspace

DAY = date(2026, 3, 15)
HOLDERS = {name for name in FOLLOWERS if registry.load(name).capabilities.one_currency}
ENTITIES = {
    "bill": ("user", "ada@example.com"),
    "kaireon": ("offer", "summer"),
    "vantage": ("account", "6100"),
    "vtex": ("user", "ada@example.com"),
}
RATES = """
[systems.{name}.rates]
file = "rates.csv"
"""


def euros(number: str) -> trueup.Amount:
    return trueup.Amount.of(number, "EUR")


def month(number: int, amount: str) -> trueup.Phase:
    last = {3: 31, 4: 30}[number]
    period = trueup.Period(date(2026, number, 1), date(2026, number, last))
    return trueup.Phase(period, euros(amount))


def stated(name: str) -> Any:
    entity = trueup.Entity(*ENTITIES[name])
    share = trueup.Allocation(ref="S", budget="B", entity=entity, amount=euros("33.33"))
    budget = trueup.Budget(
        ref="B", name="Travel", amount=euros("1000.01"), cadence=trueup.Cadence.MONTHLY,
        start=date(2026, 3, 1), end=date(2026, 4, 30), owners=("ada@example.com",),
        phases=(month(3, "1000.01"), month(4, "1100.01")), allocations=(share,),
    )  # fmt: skip
    return trueup.sync_from([budget])


def rate(folder: Path, number: str, day: str = "2026-03-02") -> None:
    (folder / "rates.csv").write_text(f"date,from,to,rate\n{day},EUR,USD,{number}\n")


@pytest.fixture(params=sorted(HOLDERS))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path, Workspace]]:
    name: str = request.param
    with ExitStack() as stack:
        sandbox = load_sandbox(name)(token="canary", rate_limit="off")
        url = stack.enter_context(serve(sandbox)).url
        for file, secret in ((f"{name}.token", "canary"), ("vtex.key", "app_key_sandbox")):
            (tmp_path / file).touch(mode=0o600)
            (tmp_path / file).write_text(secret)
        text = settings_text(dict.fromkeys(FOLLOWERS, "http://127.0.0.1:9") | {name: url})
        (tmp_path / "trueup.toml").write_text(text + RATES.format(name=name))
        rate(tmp_path, "1.0855")
        yield name, tmp_path, stack.enter_context(trueup.open(tmp_path / "trueup.toml"))


def test_they_are_those_that_name_one_currency() -> None:
    assert {"bill", "kaireon", "vantage", "vtex"} == HOLDERS


def test_euros_arrive_as_dollars_and_the_second_plan_is_empty(place: Any) -> None:
    name, _, workspace = place
    sync, source = f"erp-to-{name}", stated(name)

    report = workspace.apply(sync, as_of=DAY, source=source)

    assert (report.outcome, report.verified) == ("ok", True), report.error
    (held,) = [each for each in workspace.budgets(name) if each.name.startswith("Travel")]
    march = held.in_force(DAY)
    assert str(march) == "1085.51 USD"  # 1000.01 at 1.0855 is 1085.510855
    assert [str(each.amount) for each in held.allocations if each.amount][:1] == ["36.18 USD"]
    plan = workspace.plan(sync, as_of=DAY, source=source)
    assert (plan.changes, plan.rates[0].age_days) == ((), 13)
    assert workspace.verify(sync, as_of=DAY, source=source).agree
    assert {each.amount.unit for each in workspace.spending(name) if each.amount} <= {"USD"}


def test_a_rate_that_moves_is_one_update_of_each_and_told_as_that(place: Any) -> None:
    name, folder, workspace = place
    sync, source = f"erp-to-{name}", stated(name)
    workspace.apply(sync, as_of=DAY, source=source)
    rate(folder, "1.1000", "2026-03-14")

    plan = workspace.plan(sync, as_of=DAY, source=source)

    assert plan.guards == ()
    assert {each.cause for each in plan.changes} == {"rate"}
    report = workspace.apply(sync, as_of=DAY, source=source)
    assert report.verified
    (held,) = [each for each in workspace.budgets(name) if each.name.startswith("Travel")]
    assert held.in_force(DAY).value == Decimal("1100.01")


def test_where_rates_are_taken_out_what_is_there_is_blocked_and_stays(place: Any) -> None:
    name, folder, workspace = place
    sync, source = f"erp-to-{name}", stated(name)
    assert workspace.apply(sync, as_of=DAY, source=source).error is None
    settings = folder / "trueup.toml"
    settings.write_text(settings.read_text().replace(RATES.format(name=name), ""))

    with trueup.open(settings) as without:
        plan = without.plan(sync, as_of=DAY, source=stated(name))

    assert {each.ref: str(each.op) for each in plan.changes} == {"B": "blocked", "S": "blocked"}
    assert all("blocked:currency" in map(str, _names(each)) for each in plan.changes)


def _names(change: trueup.Change) -> Iterator[str]:
    yield from (loss.name for loss in change.losses)


def test_without_a_rate_nothing_is_sent(place: Any) -> None:
    name, folder, workspace = place
    (folder / "rates.csv").write_text("date,from,to,rate\n2026-03-02,USD,EUR,0.9\n")

    report = workspace.apply(f"erp-to-{name}", as_of=DAY, source=stated(name))

    assert report.operations == []
    reasons = [loss.reason for each in report.plan.changes for loss in each.losses]
    assert any("an inverse is not guessed" in reason for reason in reasons)
