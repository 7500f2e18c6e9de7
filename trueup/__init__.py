"""Trueup for scripts: open a settings file, read a system's budgets, plan, apply, verify.

    import trueup

    with trueup.open("trueup.toml") as workspace:
        for budget in workspace.budgets("erp"):
            print(budget.ref, budget.amount)
        plan = workspace.plan("erp-to-cards")
        report = workspace.apply(plan)

Names are imported when they are first used, so that the command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from canonical.allocation import Allocation
    from canonical.amount import Amount
    from canonical.budget import Budget
    from canonical.change import Plan
    from config.load import SettingsError
    from connectors.contract.errors import ConnectorError
    from sync.engine import Verification
    from sync.report import Report
    from trueup.workspace import Workspace
    from trueup.workspace import open_workspace as open

__all__ = [
    "Allocation",
    "Amount",
    "Budget",
    "ConnectorError",
    "Plan",
    "Report",
    "SettingsError",
    "Verification",
    "Workspace",
    "open",
]

_HOMES = {
    "Allocation": "canonical.allocation",
    "Amount": "canonical.amount",
    "Budget": "canonical.budget",
    "ConnectorError": "connectors.contract.errors",
    "Plan": "canonical.change",
    "Report": "sync.report",
    "SettingsError": "config.load",
    "Verification": "sync.engine",
    "Workspace": "trueup.workspace",
}


def __getattr__(name: str) -> Any:
    if name == "open":
        return import_module("trueup.workspace").open_workspace
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'trueup' has no attribute {name!r}")
