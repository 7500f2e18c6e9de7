"""What a Brex connector may be told in the settings file, and what Brex can hold."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr

from canonical.allocation import Enforcement, Status
from canonical.kind import Kind
from connectors.brex.words import CADENCE, NATIVE
from connectors.contract.capabilities import Capabilities, Hold, Numbers, Removal
from connectors.contract.settings import Address, HttpSettings, RateLimit

CAPABILITIES = Capabilities(
    vendor="brex",
    budget={
        "name": Hold.EXACT,
        "description": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.EXACT,
        "end": Hold.EXACT,
        "status": Hold.EXACT,
        "parent": Hold.EXACT,
        "owners": Hold.EXACT,
    },
    allocation={
        "budget": Hold.READ_ONLY,
        "entity": Hold.EMULATED,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "status": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.EXACT,
        "end": Hold.EXACT,
        "enforcement": Hold.EXACT,
        "carry_over": Hold.EXACT,
    },
    cadences=frozenset(CADENCE.values()),
    native_entity_types=NATIVE,
    statuses=frozenset({Status.ACTIVE, Status.RETIRED}),
    enforcements=frozenset({Enforcement.SOFT, Enforcement.HARD}),
    removal=Removal.RETIRE_FOR_GOOD,
    numbers=Numbers.MINOR,
    clearable=frozenset({"description"}),
    key_lifetime=timedelta(days=1),
    stamps=frozenset(Kind),
    ascii_text=True,
    shares_beyond="they are sent all the same: Brex's budgets only track, and each spend limit "
    "allows its own amount",
    unit_of_writing="one budget or one spend limit",
    rate_limit="1000/1m",
    reads_actuals=True,
    spent_by_share=True,
)


class BrexSettings(HttpSettings):
    """The keys of a system with connector = "brex"."""

    base_url: Address = Field(default="https://api.brex.com", description="Brex's address.")
    rate_limit: RateLimit = Field(default="1000/1m", description="Calls per window.")
    token: SecretStr = Field(description="User token (bxt_…) or access token, as a reference.")
    parent_budget_id: str | None = Field(
        default=None, description="Budgets that we make hang below it; default: the only root."
    )
    expense_policy_id: str | None = Field(
        default=None,
        description="Policy of new spend limits; default: the one that all existing ones have.",
    )
    authorization_type: Literal["HARD", "SOFT"] = Field(
        default="HARD",
        description="Whether new spend limits block spending, where the source does not say.",
    )
