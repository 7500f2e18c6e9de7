"""What a Tryton connector may be told in the settings file, and what Tryton can be told."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from canonical.kind import Kind
from connectors.contract.capabilities import Capabilities, Phasing
from connectors.contract.settings import HttpSettings, RateLimit
from connectors.erp.holds import AMOUNTS_ARE_WRITTEN, SHARES_ARE_READ

CAPABILITIES: Final = Capabilities(
    vendor="tryton",
    budget=AMOUNTS_ARE_WRITTEN,
    allocation=SHARES_ARE_READ,
    phasing=Phasing.ALL,
    grace=timedelta(),
    takes_actuals=frozenset({Kind.BUDGET}),
    sums_actuals=True,
    unit_of_writing="the amounts of one budget",
)

_Name = Annotated[str, StringConstraints(min_length=1)]


class TrytonSettings(HttpSettings):
    """The keys of a system with connector = "tryton"."""

    rate_limit: RateLimit = Field(
        default="20/1s", description="Calls per window. Tryton has no limit of its own."
    )
    database: str = Field(description="The database's name, as at log-in.", pattern=r"^[^/?#\s%]+$")
    login: str | None = Field(default=None, description="A user's log-in, with `password`.")
    password: SecretStr | None = Field(default=None, description="As a reference.")
    key: SecretStr | None = Field(
        default=None,
        description="A user application's key for REST, as a reference, instead of the two; "
        "it only reads.",
    )
    company: _Name | None = Field(
        default=None, description="The company's name; default: the only one that the user sees."
    )
    budgets: Literal["analytic", "documents", "accounts"] = Field(
        default="analytic",
        description='What is a budget: "analytic", each analytic account; "documents", each '
        'account budget, with its lines as allocations; "accounts", each account of them.',
    )
    root: _Name | None = Field(
        default=None,
        description="Code or name of the analytic root; default: the only one with budgets.",
    )
    fiscal_years: tuple[_Name, ...] = Field(
        default=(), description="Names of the fiscal years that are read; default: all."
    )
    names: tuple[_Name, ...] = Field(
        default=(),
        description='Which budgets of Tryton are read, by name: "2026-*", "Operating"; default: '
        "all. Needed where several count at one time.",
    )
    accounts: tuple[_Name, ...] = Field(
        default=(),
        description='Which accounts of account budgets are read, by code: "6*"; default: all.',
    )
    allocations: tuple[_Name, ...] = Field(
        default=(),
        description="Which account budgets are allocations of the analytic account whose code "
        'they name, or whose name they have: "CC*"; default: none.',
    )
    actuals_budget: _Name | None = Field(
        default=None,
        description="Name of the analytic budgets that keep what is spent, copied from those that "
        'are read, one for each period: "Actuals 2026*". They are never read as budgets.',
    )
    make_actuals_lines: bool = Field(
        default=False,
        description="Whether a line that such a budget lacks for an analytic account is made.",
    )
    sign: Literal[-1, 1] = Field(
        default=-1, description="What amounts are multiplied by: −1 makes spend positive."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        pair = self.login is not None and self.password is not None
        if pair == (self.key is not None) or (self.login is None) != (self.password is None):
            raise ValueError("either login and password or key is needed")
        if self.budgets != "analytic" and (self.root or self.allocations):
            raise ValueError('root and allocations are for budgets = "analytic"')
        if self.actuals_budget and (self.budgets != "analytic" or self.key):
            raise ValueError(
                'actuals are kept in analytic budgets: budgets = "analytic", login and password'
            )
        if self.actuals_budget and not self.names:
            raise ValueError("actuals_budget needs names too: which budgets are read as such")
        return self

    def account(self, system: str, base: Path) -> str:
        return f"{super().account(system, base)} {self.database} {self.company or ''}".rstrip()
