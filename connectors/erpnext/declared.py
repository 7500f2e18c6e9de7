"""What an ERPNext connector may be told in the settings file: it reads, and writes nothing."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, StringConstraints

from connectors.contract.capabilities import Capabilities, Hold, Phasing
from connectors.contract.settings import HttpSettings, RateLimit
from connectors.erp.holds import SHARES_ARE_READ

CAPABILITIES: Final = Capabilities(
    vendor="erpnext",
    budget={
        "name": Hold.READ_ONLY,
        "amount": Hold.READ_ONLY,
        "currency": Hold.READ_ONLY,
        "cadence": Hold.READ_ONLY,
        "start": Hold.READ_ONLY,
        "end": Hold.READ_ONLY,
        "phases": Hold.READ_ONLY,
        "status": Hold.READ_ONLY,
    },
    allocation=SHARES_ARE_READ,
    phasing=Phasing.ALL,
    unit_of_writing="nothing: it is a source",
)

_Name = Annotated[str, StringConstraints(min_length=1)]


class ErpnextSettings(HttpSettings):
    """The keys of a system with connector = "erpnext"."""

    def only_read(self) -> str:
        """Why no budget of ERPNext is changed."""
        return "ERPNext is a source: what it budgets is only read"

    rate_limit: RateLimit = Field(
        default="20/1s", description="Calls per window. A server has no limit unless it is set one."
    )
    api_key: SecretStr = Field(description="The user's API key, as a reference.")
    api_secret: SecretStr = Field(description="The user's API secret, as a reference.")
    company: _Name | None = Field(
        default=None, description="The company's name; default: the only one that the user sees."
    )
    against: tuple[_Name, ...] = Field(
        default=("Cost Center", "Project"),
        min_length=1,
        description='What budgets are read by what they are against: "Cost Center", "Project", '
        "an accounting dimension; default: the first two.",
    )
    fiscal_years: tuple[_Name, ...] = Field(
        default=(), description="Names of the fiscal years that are read; default: all."
    )
    accounts: tuple[_Name, ...] = Field(
        default=(), description='Which accounts are read, by name: "5*"; default: all.'
    )
    allocations: Literal["each", "several", "none"] = Field(
        default="each",
        description='Which accounts are allocations: "each"; "several", where the cost centre has '
        'more than one, so that one that is left alone is an allocation no more; or "none".',
    )
    undistributed: Literal["yearly", "monthly"] = Field(
        default="yearly",
        description="How a budget without a Monthly Distribution counts: a year's amount, or a "
        "twelfth a month; beside one with a distribution always the latter.",
    )
    drafts: bool = Field(default=False, description="Whether drafts count as what is submitted.")
    restricted: bool = Field(
        default=False,
        description="Whether a user whose User Permissions leave out some cost centres, projects "
        "or accounts is meant to be read: what he is not shown is then taken for gone.",
    )

    def account(self, system: str, base: Path) -> str:
        return f"{super().account(system, base)} {self.company or ''}".rstrip()
