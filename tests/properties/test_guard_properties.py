"""Money beyond the limits stops a run, whatever the target can be told of it, and beside whatever."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import BUDGET_FIELDS
from canonical.period import Cadence, Period, add_months
from connectors.contract.capabilities import Hold, Phasing
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Exit
from sync.spec import Limits, SyncSpec
from sync.state.store import Store
from tests.examples import examples

NOW, DAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
HELD = dict.fromkeys(BUDGET_FIELDS, Hold.EXACT)
TARGETS = {
    phasing: {"phasing": phasing, "budget": HELD | ({"phases": Hold.DROPPED} if drops else {})}
    for phasing, drops in [
        (Phasing.ALL, False),
        (Phasing.PERIODS, False),
        (Phasing.CURRENT_AND_NEXT, False),
        (Phasing.CURRENT, True),
    ]
}
AMOUNTS = st.lists(st.integers(100, 10_000), min_size=12, max_size=12)


def year(ref: str, amounts: list[int], name: str = "") -> Budget:
    """Twelve months, each with an amount of its own."""
    firsts = [add_months(date(2026, 1, 1), n) for n in range(13)]
    phases = tuple(
        Phase(Period(first, after.fromordinal(after.toordinal() - 1)), Amount.of(amount, "USD"))
        for first, after, amount in zip(firsts, firsts[1:], amounts, strict=False)
    )
    return Budget(
        ref=ref,
        name=name or ref,
        amount=phases[0].amount,
        cadence=Cadence.MONTHLY,
        start=firsts[0],
        end=date(2026, 12, 31),
        phases=phases,
    )


def flat(ref: str, amount: int) -> Budget:
    """One amount, throughout."""
    return Budget(ref=ref, name=ref, amount=Amount.of(amount, "USD"), cadence=Cadence.MONTHLY)


@pytest.mark.parametrize("phasing", [*TARGETS])
@given(
    amounts=AMOUNTS,
    month=st.integers(2, 11),
    times=st.sampled_from([2, 10, 100, 1000]),
    renamed=st.booleans(),
    others=st.integers(0, 2),
)
@settings(max_examples=examples(3), deadline=None)
def test_a_period_that_is_multiplied_is_stopped(
    tmp_path_factory, phasing, amounts, month, times, renamed, others
):
    source, target = Memory("erp"), Memory.with_capabilities(**TARGETS[phasing])("target")
    folder = tmp_path_factory.mktemp("run")
    with closing(Store.open("sqlite:///state.db", folder, lambda: NOW)) as store:
        spec = SyncSpec(name="s", source="erp", target="target", limits=Limits(), parallel=1)
        engine = Engine(spec, source, target, store, now=lambda: NOW)
        source.put(year("B", amounts), *(flat(f"O{n}", 500) for n in range(12)))
        assert engine.run(DAY, command="test").verified

        source.put(*(flat(f"O{n}", 501) for n in range(others)))
        raised = [each * times if n == month else each for n, each in enumerate(amounts)]
        source.put(year("B", raised, "another" if renamed else ""))
        report = engine.run(DAY, command="test")

        assert report.exit_code == Exit.GUARD
        assert "max_budget_change" in [trip.rule for trip in report.plan.guards]

        source.put(year("B", amounts, "another" if renamed else ""))
        assert engine.run(DAY, command="test").verified
        for later in (date(2026, 4, 10), date(2026, 12, 10)):
            assert engine.run(later, command="test").exit_code == Exit.OK
