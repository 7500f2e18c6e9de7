"""What an Odoo connector may be told in the settings file, and what Odoo can be told."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from canonical.kind import Kind
from connectors.contract.capabilities import Capabilities, Numbers, Phasing
from connectors.contract.settings import HttpSettings, RateLimit
from connectors.erp.holds import AMOUNTS_ARE_WRITTEN, SHARES_ARE_READ

CAPABILITIES: Final = Capabilities(
    vendor="odoo",
    budget=AMOUNTS_ARE_WRITTEN,
    allocation=SHARES_ARE_READ,
    phasing=Phasing.ALL,
    numbers=Numbers.DOUBLE,
    below_zero=True,
    grace=timedelta(),
    takes_actuals=frozenset({Kind.BUDGET}),
    sums_actuals=True,
    unit_of_writing="the lines of one amount",
)

_Name = Annotated[str, StringConstraints(min_length=1)]
_Field = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")]


class OdooSettings(HttpSettings):
    """The keys of a system with connector = "odoo"."""

    rate_limit: RateLimit = Field(
        default="10/1s", description="Calls per window. Odoo documents no limit of its own."
    )
    database: str = Field(description="The database's name, as at log-in.", pattern=r"^[^/?#\s%]+$")
    login: str | None = Field(default=None, description="A user's log-in, with `password`.")
    password: SecretStr | None = Field(
        default=None, description="The user's password or API key, as a reference; for JSON-RPC."
    )
    key: SecretStr | None = Field(
        default=None,
        description="A user's API key, as a reference, instead of the two; for JSON-2, from 19 on.",
    )
    company: _Name | None = Field(
        default=None, description="The company's name; default: the only one that the user sees."
    )
    budget_model: Literal["crossovered.budget", "budget.analytic"] | None = Field(
        default=None, description="Where budgets are kept; default: the one of the two there is."
    )
    account_field: _Field | None = Field(
        default=None,
        description='A line\'s field for what is a budget, such as "x_plan2_id" of another plan; '
        "default: its analytic account.",
    )
    position_field: _Field | None = Field(
        default=None,
        description="A line's field for what is an allocation; default: its budgetary position, "
        "where there are such.",
    )
    allocations: bool = Field(
        default=True, description="Whether an account's budgetary positions are its allocations."
    )
    names: tuple[_Name, ...] = Field(
        default=(),
        description='Which budgets of Odoo are read, by name: "Budget 2026*"; default: all. '
        "Needed where several plan the same.",
    )
    sum_documents: bool = Field(
        default=False,
        description="Whether what several budgets of Odoo plan for one position at one time is "
        "added; otherwise that account is set aside.",
    )
    accounts: tuple[_Name, ...] = Field(
        default=(), description='Which analytic accounts are read, by ref: "6*"; default: all.'
    )
    states: tuple[_Name, ...] = Field(
        default=(),
        description='In which states a budget of Odoo counts: "validate"; default: confirm, '
        "validate and done, or confirmed and done of budget.analytic.",
    )
    actuals_budget: _Name | None = Field(
        default=None,
        description="Name of the budgets of Odoo that keep what is spent, copied from those that "
        'are read: "Actuals 2026*". They are never read as budgets.',
    )
    sign: Literal[-1, 1] | None = Field(
        default=None,
        description="What amounts are multiplied by; default: −1, which makes spend positive, and "
        "1 in expense budgets of budget.analytic.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        pair = self.login is not None and self.password is not None
        if pair == (self.key is not None) or (self.login is None) != (self.password is None):
            raise ValueError("either login and password or key is needed")
        if self.actuals_budget and not self.names:
            raise ValueError("actuals_budget needs names too: which budgets are read as such")
        return self

    def account(self, system: str, base: Path) -> str:
        return f"{super().account(system, base)} {self.database} {self.company or ''}".rstrip()
