"""What `import trueup` gives to a script; imported when a script first uses one of the names."""

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
