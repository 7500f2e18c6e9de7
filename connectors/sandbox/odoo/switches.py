"""Where Odoo's pages are silent, and where versions, editions and users differ."""

from typing import Literal

from pydantic import Field

from connectors.sandbox.api import SandboxSwitches


class OdooSwitches(SandboxSwitches):
    """How this Odoo is set up."""

    database: str = Field("sandbox", description="The database's name.")
    login: str = Field("trueup", description="The user's log-in.")
    version: int = Field(16, ge=14, description="Its version; JSON-2 is there from 19 on.")
    jsonrpc: bool = Field(True, description="JSON-RPC is there.")
    budgets: Literal["crossovered.budget", "budget.analytic", "both", "none"] = Field(
        "crossovered.budget", description="Which models for budgets are installed."
    )
    year: int | None = Field(None, description="The year that is planned; null is this one.")
    empty: bool = Field(False, description="A fresh database has no budgets.")
    rights: Literal["write", "read", "none"] = Field(
        "write", description="What the user may do with budgets."
    )
    largest: int = Field(1_000_000, ge=1, description="No page holds more, whatever is asked.")
    write_says: Literal["true", "nothing", "false"] = Field(
        "true", description="What a change is answered with."
    )
    locks_done: bool = Field(False, description="Lines of a budget that is done are not changed.")
    locks_after: int = Field(5, ge=1, description="So many wrong passwords lock the log-in.")
