"""Trueup for scripts: open a settings file, read a system's budgets, plan, apply, verify.

    import trueup

    with trueup.open("trueup.toml") as workspace:
        for budget in workspace.budgets("erp"):
            print(budget.ref, budget.amount)
        plan = workspace.plan("erp-to-cards")
        report = workspace.apply(plan)

Names are imported when the first of them is used, so that the command line starts at once.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trueup.scripting import (
        Actual,
        Allocation,
        Amount,
        Budget,
        Cadence,
        Change,
        ConnectorError,
        Entity,
        Kind,
        LeaseHeld,
        Op,
        Paused,
        Period,
        Phase,
        Plan,
        Problem,
        Report,
        Rule,
        SettingsError,
        Spent,
        Status,
        Undecidable,
        Verification,
        Workspace,
        open,
        sync_from,
    )

__all__ = [
    "Actual",
    "Allocation",
    "Amount",
    "Budget",
    "Cadence",
    "Change",
    "ConnectorError",
    "Entity",
    "Kind",
    "LeaseHeld",
    "Op",
    "Paused",
    "Period",
    "Phase",
    "Plan",
    "Problem",
    "Report",
    "Rule",
    "SettingsError",
    "Spent",
    "Status",
    "Undecidable",
    "Verification",
    "Workspace",
    "open",
    "sync_from",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'trueup' has no attribute {name!r}")
    from trueup import scripting

    return getattr(scripting, name)


def __dir__() -> list[str]:
    return [*__all__]
