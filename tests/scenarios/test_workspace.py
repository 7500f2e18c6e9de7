"""Syncs of one workspace that run at the same time."""

from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

import trueup
from connectors.sandbox.server import Served
from tests.scenarios.conftest import TOKEN
from trueup.workspace import open_workspace

SETTINGS = """\
[systems.brex]
connector = "brex"
base_url = "{url}"
token = "env:BREX_TOKEN"
"""
PART = """
[systems.{name}]
connector = "file"
path = "{name}.csv"
currency = "USD"

[syncs.{name}-to-brex]
source = "{name}"
target = "brex"
"""


def test_two_syncs_into_one_target_take_turns(
    tmp_path: Path, brex: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    settings, names = SETTINGS.format(url=brex.url), ["north", "south"]
    for name in names:
        settings += PART.format(name=name)
        rows = [f"{name}{number},{name} {number},10.00\n" for number in range(20)]
        (tmp_path / f"{name}.csv").write_text("".join(["ref,name,amount\n", *rows]))
    (tmp_path / "trueup.toml").write_text('[state]\nurl = "sqlite:///s.db"\n' + settings)

    with (
        open_workspace(tmp_path / "trueup.toml") as workspace,
        ThreadPoolExecutor(2) as pool,
    ):
        reports = list(pool.map(workspace.apply, [f"{name}-to-brex" for name in names]))

    assert [(report.outcome, report.error) for report in reports] == [("ok", None)] * 2
    made = [row["name"].split()[0] for row in brex.state["budgets"].rows()]
    ours = [name for name in made if name in names]
    assert sorted(name for name, _ in groupby(ours)) == names


STATED = (
    '[state]\nurl = "sqlite:///s.db"\n' + SETTINGS + PART.format(name="erp")
)  # the file that the settings name is not there


def budget(ref: str, amount: int, **said: Any) -> trueup.Budget:
    return trueup.Budget(ref=ref, name=f"Centre {ref}", amount=usd(amount), **said)


def usd(amount: int) -> trueup.Amount:
    return trueup.Amount.of(amount, "USD")


def test_a_script_states_the_budgets_itself(
    tmp_path: Path, brex: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    (tmp_path / "trueup.toml").write_text(STATED.format(url=brex.url))
    source = trueup.sync_from(budget(f"CC{n}", 100 + n) for n in range(3))

    with trueup.open(tmp_path / "trueup.toml") as workspace:
        plan = workspace.plan("erp-to-brex", source=source)
        report = workspace.apply(plan, source=source)
        found = workspace.verify("erp-to-brex", source=source)
        raised = trueup.sync_from([budget("CC0", 500), budget("CC1", 101), budget("CC2", 102)])
        (change,) = workspace.plan("erp-to-brex", source=raised).changes

    assert (report.outcome, found.agree) == ("ok", True)
    assert (change.ref, change.op) == ("CC0", trueup.Op.UPDATE)
    rows = [row for row in brex.state["budgets"].rows() if row["name"].startswith("Centre")]
    assert {row["amount"]["amount"] for row in rows} == {100_00, 101_00, 102_00}


def test_a_plan_of_what_a_script_states_is_not_applied_to_what_a_file_states(
    tmp_path: Path, brex: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    (tmp_path / "trueup.toml").write_text(STATED.format(url=brex.url))
    (tmp_path / "erp.csv").write_text("ref,name,amount\nCC0,Centre CC0,100.00\n")

    with trueup.open(tmp_path / "trueup.toml") as workspace:
        plan = workspace.plan("erp-to-brex", source=trueup.sync_from([budget("CC0", 100)]))
        report = workspace.apply(plan)

    assert report.outcome == "failed"
    assert "the plan was made for source" in str(report.error)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ([budget("A", 1), budget("A", 2)], "two budgets have the ref 'A'"),
        ([{"ref": "A"}], "is no trueup.Budget"),
        (
            [
                budget("A", 1, allocations=(
                    trueup.Allocation(
                        ref="x", budget="B", entity=trueup.Entity("user", "ada"), amount=usd(1)
                    ),
                ))
            ],
            "an allocation of 'A' names 'B'",
        ),
    ],
)  # fmt: skip
def test_what_a_script_states_wrongly_is_refused_at_once(stated: list[Any], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        trueup.sync_from(stated)


def test_problems_may_be_collected_instead_of_raised(tmp_path: Path) -> None:
    (tmp_path / "trueup.toml").write_text('[systems.erp]\nconnector = "file"\npath = "b.csv"\n')
    (tmp_path / "b.csv").write_text("ref,name,amount,currency\nA,a,1.00,USD\nB,b,oh,USD\n")
    problems: list[trueup.Problem] = []

    with trueup.open(tmp_path / "trueup.toml") as workspace:
        budgets = list(workspace.budgets("erp", problems))
        with pytest.raises(trueup.ConnectorError):
            list(workspace.budgets("erp"))

    assert [each.ref for each in budgets] == ["A"]
    assert [each.ref for each in problems] == ["B"]


def test_the_public_names_are_listed() -> None:
    assert {"sync_from", "Change", "Actual", "Kind", "Op", "LeaseHeld"} <= set(dir(trueup))
    assert all(getattr(trueup, name) is not None for name in dir(trueup))
