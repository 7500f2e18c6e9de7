"""Syncs of one workspace that run at the same time."""

from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import pytest

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
