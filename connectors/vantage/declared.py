"""What a Vantage connector may be told in the settings file, and what Vantage can hold."""

from collections.abc import Collection
from dataclasses import replace
from typing import Literal

from pydantic import Field, SecretStr

from canonical.allocation import Status
from canonical.period import Cadence
from connectors.contract.capabilities import Capabilities, Hold, Numbers, Phasing, Removal
from connectors.contract.settings import Address, Currency, HttpSettings, RateLimit

CAPABILITIES = Capabilities(
    vendor="vantage",
    budget={
        "name": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.EXACT,
        "end": Hold.EXACT,
        "phases": Hold.EXACT,
        "status": Hold.EXACT,
        "parent": Hold.EXACT,
        "alerts": Hold.EXACT,
    },
    allocation={
        "budget": Hold.EXACT,
        "entity": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "status": Hold.EXACT,
        "cadence": Hold.FOLLOWS,
        "start": Hold.FOLLOWS,
        "end": Hold.FOLLOWS,
        "phases": Hold.EXACT,
        "alerts": Hold.EXACT,
    },
    cadences=frozenset({Cadence.MONTHLY}),
    native_entity_types=frozenset({"cost_report"}),
    statuses=frozenset({Status.ACTIVE}),
    removal=Removal.DELETE,
    numbers=Numbers.DOUBLE,
    phasing=Phasing.ALL,
    clearable=frozenset({"end", "phases", "alerts"}),
    sums_shares=True,
    shares_beyond="in Vantage a budget with shares is their sum",
    unit_of_writing="one budget; a share of a budget takes up to three calls",
    rate_limit="1000/1h",
    one_currency=True,
)


class VantageSettings(HttpSettings):
    """The keys of a system with connector = "vantage"."""

    base_url: Address = Field(default="https://api.vantage.sh/v2", description="Vantage's address.")
    rate_limit: RateLimit = Field(
        default="800/1h",
        description="Calls per window: 80 % of the account's, the rest is for its other tools.",
    )
    token: SecretStr = Field(description="API access token, as a reference.")
    workspace_token: str = Field(description="The workspace (wrkspc_…) whose budgets are meant.")
    emulate: frozenset[Literal["yearly", "quarterly", "once"]] = Field(
        default=frozenset(), description="Cadences to be written as months of equal shares."
    )
    currency: Currency = Field(description="ISO 4217 code of all amounts: Vantage names none.")


def widened(emulated: Collection[Cadence]) -> Capabilities:
    """With cadences that a setting allows; a share then tells its own, to be split by it."""
    said = {"cadence": Hold.EMULATED} if emulated else {}
    return replace(
        CAPABILITIES,
        cadences=CAPABILITIES.cadences | {*emulated},
        allocation={**CAPABILITIES.allocation, **said},
    )
