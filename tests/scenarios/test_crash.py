"""SIGKILL at any moment of an apply: the next run goes on, and nothing is doubled or lost."""

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from connectors.sandbox.server import Served
from tests.scenarios.conftest import SYNC, TOKEN, Desk
from trueup.sample import write_sample


@pytest.fixture
def large(tmp_path: Path, brex: Served, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    write_sample(tmp_path, cost_centres=40)
    return Desk(tmp_path, brex)


def _kill_after(desk: Desk, writes: int, chance: random.Random) -> bool:
    """Start a run and kill it once it has sent `writes` more; false when it ended before that."""
    seen = len(desk.calls("POST", "PUT"))
    process = desk.start("run", SYNC, "--as-of", "2026-03-15")
    try:
        while process.poll() is None:
            if len(desk.calls("POST", "PUT")) - seen >= writes:
                time.sleep(chance.random() / 50)
                process.send_signal(signal.SIGKILL)
                process.wait()
                return True
            time.sleep(0.002)
        return False
    finally:
        process.communicate()


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.faults)])
def test_kills_leave_every_object_once(large: Desk, kills: int) -> None:
    chance = random.Random(20261122)
    large.brex.faults.add("delay", times=-1, seconds=0.004, method="POST")

    killed = sum(_kill_after(large, chance.randint(0, 9), chance) for _ in range(kills))

    assert killed == kills
    result = large.run("run", SYNC, "--json")
    assert result.code == 0, result.out
    assert (len(large.budgets), len(large.limits)) == (40, 160)
    assert not [n for n, count in Counter(b["name"] for b in large.budgets).items() if count > 1]
    shares = Counter((limit["parent_budget_id"], limit["name"]) for limit in large.limits)
    assert max(shares.values()) == 1
    large.clear_log()
    assert large.run("run", SYNC).code == 0
    assert not large.calls("POST", "PUT")


def test_a_killed_update_is_settled_by_looking(filled: Desk) -> None:
    chance = random.Random(7)
    filled.brex.faults.add("delay", times=-1, seconds=0.01, method="PUT")
    for turn in range(3):
        for number in (1, 2, 3):
            filled.budget(f"CC000{number}", amount=f"{1100 + 50 * number + turn}.00")
        assert _kill_after(filled, chance.randint(0, 2), chance)
        assert filled.run("run", SYNC, "--allow", "max_money").code == 0

    assert sorted(b["amount"]["amount"] for b in filled.budgets) == [115200, 120200, 125200]
