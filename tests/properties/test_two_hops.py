"""From an ERP to one vendor and from there to another is the same as to the other at once.

Over real HTTP, for each ordered pair of vendors, in all that the first declares to hold exactly.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import Fact, facts, fields_of
from canonical.kind import Kind, Op
from canonical.period import Cadence, periods
from config.load import load
from config.wiring import connect
from connectors.conformance import waitless
from connectors.contract.capabilities import Capabilities, Hold, Phasing
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from connectors.memory.connector import Memory
from connectors.sandbox.__main__ import load as load_sandbox
from connectors.sandbox.server import serve
from sync.decide import held
from sync.engine import Engine
from sync.outcome import Outcome
from sync.spec import Limits, SyncSpec
from sync.state.store import Store
from tests.examples import examples
from trueup.demo_settings import FOLLOWERS, settings_text

TODAY, NOW = date(2026, 3, 15), datetime(2026, 3, 15, 12, tzinfo=UTC)
YEAR, NEXT = date(2026, 12, 31), date(2027, 12, 31)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None,
              min_listing=None)  # fmt: skip
ADA, SUMMER, TRAVEL = (
    Entity("user", "ada@example.com"), Entity("offer", "summer"), Entity("account", "6100")
)  # fmt: skip
PEOPLE = f'[systems.brex.entities]\n"{ADA}" = "cuuser_ada"\n'
REPORTS = f'"{ADA}" = "rprt_software"\n"{SUMMER}" = "rprt_training"\n'


class Place:
    """Every vendor's sandbox, and the settings of an ERP team that has them all."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        folder.mkdir()
        self._folder, self._made = folder, 0
        self._urls = {}
        for name in FOLLOWERS:
            clock: dict[str, Any] = {"now": NOW} if name == "bill" else {}
            sandbox = load_sandbox(name)(token="canary", rate_limit="off", **clock)
            self._urls[name] = stack.enter_context(serve(sandbox)).url
            _keep(folder / f"{name}.token", "canary")
        _keep(folder / "vtex.key", "app_key_sandbox")
        rows = "[systems.vantage.entities]"
        before, _, after = settings_text(self._urls).partition(rows)
        (folder / "trueup.toml").write_text(f"{before}{rows}\n{REPORTS}{after}\n{PEOPLE}")
        self._settings = load(folder / "trueup.toml")
        self._runtime = replace(waitless(), base=folder, now=lambda: NOW)

    def open(self, name: str) -> Connector:
        """A connector to that vendor."""
        return connect(self._settings, name, self._runtime)

    def mirror(self, source: Connector, name: str) -> None:
        """Mirror `source` into the vendor, emptied before, and see that nothing is left to do."""
        httpx.post(f"{self._urls[name]}/_sandbox/reset").raise_for_status()
        self._made += 1
        spec = SyncSpec(  # all of the past is asked for: on the way it may not be left out
            name="hop", source="a", target=name, limits=OPEN, parallel=1, past_months=1200
        )
        store = Store.open(f"sqlite:///{self._made}.db", self._folder, lambda: NOW)
        with closing(store), self.open(name) as target:
            engine = Engine(spec, source, target, store, now=lambda: NOW)
            report = engine.run(TODAY, command="hop")
            second = engine.plan(TODAY)
        assert report.outcome in (Outcome.OK, Outcome.PARTIAL), report.error
        assert [done.error for done in report.operations if done.error] == []
        assert {change.op for change in second.changes} <= {Op.BLOCKED}, second.to_data()


def _keep(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(secret)


@pytest.fixture(scope="module")
def halfway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("hops") / "halfway", stack)


@pytest.fixture(scope="module")
def end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(tmp_path_factory.mktemp("hops") / "end", stack)


CADENCES = {Cadence.MONTHLY, Cadence.QUARTERLY, Cadence.YEARLY}
MONEY = st.builds(Amount.from_minor, st.integers(min_value=2, max_value=10**9), st.just("USD"))


@st.composite
def phased(draw: st.DrawFn, start: date, end: date | None) -> tuple[Phase, ...]:
    """Differing amounts of the months, or none: the same throughout."""
    if end is None or draw(st.booleans()):
        return ()
    months = [*periods(Cadence.MONTHLY, start, end)]
    amounts = draw(st.lists(MONEY, min_size=len(months), max_size=len(months)))
    return tuple(map(Phase, months, amounts))


@st.composite
def budgets(draw: st.DrawFn, able: Capabilities) -> Budget:
    """A budget of USD in force today, as whoever is `able` can hold it."""
    name = draw(st.from_regex(r"\A[A-Z][a-z]{2,8} [1-9][0-9]{0,3}\Z"))
    cadence = draw(st.sampled_from(sorted(able.cadences & CADENCES)))
    start = draw(st.sampled_from([date(2025, 1, 1), date(2026, 1, 1)]))
    end = draw(st.sampled_from([None, YEAR, NEXT] if "end" in able.clearable else [YEAR, NEXT]))
    phases = draw(phased(start, end)) if cadence is Cadence.MONTHLY else ()
    return Budget(
        ref=name,
        name=name,
        description=draw(st.none() | st.just("For all of us")),
        amount=phases[0].amount if phases else draw(MONEY),
        cadence=cadence,
        start=start,
        end=end,
        phases=phases,
    )


def _entity(*able: Capabilities) -> Entity | None:
    """One that all can hold a share for."""
    for entity in (TRAVEL, ADA, SUMMER):
        if all(each.entity_types is None or entity.type in each.entity_types for each in able):
            return entity
    return None


def _half(amount: Amount) -> Amount:
    return max(Amount(amount.value / 2, "USD").rounded(), Amount.from_minor(1, "USD"))


def _share(budget: Budget, entity: Entity, by_month: bool) -> Allocation:
    """Half of the least that the budget ever has; or of every other month, and else a quarter."""
    phases: tuple[Phase, ...] = ()
    least = min(budget.phases, key=lambda phase: phase.amount.value, default=None)
    half = _half(least.amount if least else budget.amount)
    if by_month and budget.cadence is Cadence.MONTHLY:
        months = (
            budget.phases
            or [
                Phase(month, budget.amount)
                for month in periods(Cadence.MONTHLY, budget.start, NEXT)
            ][: 12 if budget.end else None]
        )
        phases = tuple(
            Phase(each.period, _half(each.amount) if n % 2 else _half(half))
            for n, each in enumerate(months)
        )
    return Allocation(
        ref=f"{budget.ref}/1",
        budget=budget.ref,
        entity=entity,
        amount=phases[0].amount if phases else half,
        phases=phases,
    )


def _exact(able: Capabilities, kind: Kind) -> set[str]:
    """What `able` declares exact; of a list of amounts only who can hold all of it."""
    holds = able.budget if kind is Kind.BUDGET else able.allocation
    exact = {name for name, hold in holds.items() if hold is Hold.EXACT}
    return exact if able.phasing in (Phasing.PERIODS, Phasing.ALL) else exact - {"phases"}


def _held(target: Connector, fields: dict[Kind, set[str]]) -> dict[object, dict[str, Fact]]:
    """What a vendor holds, by name and entity; an account's own root has no amount.

    Of amounts that differ in time it is the one in force: where they begin is not for all to say.
    """
    found, names = {}, {}
    for kind in Kind:
        for item in _listed(target, kind):
            said = dict(zip(fields_of(item.model), facts(item.model), strict=True))
            if isinstance(item.model, Budget):
                key: object = item.model.name
                names[item.id] = key
                said["amount"] = _text(item.model.in_force(TODAY))
                said["parent"] = names.get(str(said["parent"]))
            else:
                said["budget"] = names[item.model.budget]
                said["amount"] = _text(Budget.of_share(item.model).in_force(TODAY))
                key = said["budget"], item.model.entity
            if said["amount"] is not None:
                found[key] = {name: said[name] for name in fields[kind]}
    return found


def _text(amount: Amount | None) -> str | None:
    return amount.text() if amount else None


def _listed(target: Connector, kind: Kind) -> list[Observed]:
    return [item for page in target.list(kind) for item in page.items]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("by", "to"), [*permutations(FOLLOWERS, 2)])
@settings(
    max_examples=examples(2),
    deadline=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # each example costs seconds
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_two_hops_are_one(
    halfway: Place, end: Place, by: str, to: str, data: st.DataObject
) -> None:
    with halfway.open(by) as between, end.open(to) as target:
        first, last = between.capabilities, target.capabilities
        stated = data.draw(
            st.lists(budgets(first), min_size=1, max_size=3, unique_by=lambda b: b.name.lower())
        )
        source = Memory("erp")
        source.put(*stated)
        if entity := _entity(first, last):
            by_month = data.draw(st.booleans())
            source.put(*(_share(budget, entity, by_month) for budget in stated))
        fields = {
            Kind.BUDGET: _exact(first, Kind.BUDGET) & held(last.budget),
            Kind.ALLOCATION: _exact(first, Kind.ALLOCATION) & held(last.allocation),
        }

        end.mirror(source, to)
        at_once = _held(target, fields)
        halfway.mirror(source, by)
        end.mirror(between, to)
        by_way = _held(target, fields)

    assert {"name", "amount"} <= fields[Kind.BUDGET]
    assert by_way == at_once
