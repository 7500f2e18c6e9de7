"""What `import trueup` gives to a script; imported when a script first uses one of the names."""

from canonical.actual import Actual
from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Change, Plan
from canonical.kind import Kind, Op
from canonical.period import Cadence, Period
from canonical.phase import Phase
from canonical.problem import Problem
from canonical.spent import Spent
from canonical.waiting import Rule
from config.load import SettingsError
from connectors.contract.errors import ConnectorError
from sync.engine import Verification
from sync.report import Report
from sync.state.lease import LeaseHeld
from sync.state.stops import Paused
from sync.state.waits import Undecidable
from trueup.stated import sync_from
from trueup.workspace import Workspace
from trueup.workspace import open_workspace as open

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
