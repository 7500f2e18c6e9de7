"""The settings of a BILL system."""

from pydantic import Field, SecretStr

from connectors.settings import HttpSettings


class BillSettings(HttpSettings):
    """The keys of a system with connector = "bill"."""

    base_url: str = Field(
        default="https://gateway.prod.bill.com/connect", description="BILL's address."
    )
    rate_limit: str = Field(default="60/1m", description="Calls per window.")
    api_token: SecretStr = Field(description="Token of an administrator, as a reference.")
    currency: str = Field(default="USD", description="BILL names none; it holds US dollars.")
    default_owner: str | None = Field(
        default=None,
        description="Owner of new budgets that state none; default: the user who made the token.",
    )
    timezone: str | None = Field(
        default=None,
        pattern="^US/.+",
        description="In which new budgets are reset at midnight, such as US/Pacific; default: the "
        "company's own, taken for US/Eastern when a first period is computed.",
    )
    budget_groups: bool = Field(
        default=False, description="Make budgets without a parent groups, so that they can be one."
    )
    create_users: bool = Field(
        default=False, description="Make users whose email BILL does not know, as members."
    )
