"""What a Kaireon connector may be told in the settings file, and what Kaireon can hold."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from canonical.allocation import Enforcement, Status
from canonical.kind import Kind
from connectors.contract.capabilities import (
    Capabilities,
    Hold,
    Numbers,
    Phasing,
    Removal,
    Unique,
)
from connectors.contract.settings import Address, Currency, HttpSettings, RateLimit
from connectors.kaireon.wire import CADENCE, SCOPES

CAPABILITIES = Capabilities(
    vendor="kaireon",
    budget={
        "name": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "limits": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.EMULATED,
        "end": Hold.EMULATED,
        "phases": Hold.EXACT,
        "status": Hold.EXACT,
        "enforcement": Hold.READ_ONLY,
        "dimensions": Hold.EXACT,
    },
    allocation={
        "budget": Hold.EXACT,
        "entity": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "status": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.EMULATED,
        "end": Hold.EMULATED,
        "phases": Hold.EXACT,
        "enforcement": Hold.READ_ONLY,
    },
    cadences=frozenset(CADENCE.values()),
    entity_types=frozenset(SCOPES),
    statuses=frozenset({Status.ACTIVE}),
    enforcements=frozenset({Enforcement.TRACK, Enforcement.HARD}),
    identity=frozenset({"dimensions"}),
    unique={
        Kind.BUDGET: Unique(fields=frozenset({"name", "dimensions"})),
        Kind.ALLOCATION: Unique(fields=frozenset({"entity"})),
    },
    removal=Removal.DELETE,
    phasing=Phasing.PERIODS,
    amount_digits=2,
    numbers=Numbers.DOUBLE,
    name_length=255,
    batch=10,
    shares_beyond="they are sent all the same: Kaireon's rows do not know of each other",
    unit_of_writing="one period of a budget or an allocation",
    rate_limit="2000/1m",
    one_currency=True,
)


class KaireonSettings(HttpSettings):
    """The keys of a system with connector = "kaireon"."""

    base_url: Address = Field(
        default="https://playground.kaireonai.com/api/v1", description="Kaireon's address."
    )
    rate_limit: RateLimit = Field(default="2000/1m", description="Calls per window.")
    api_key: SecretStr = Field(description="API key (krn_…), as a reference.")
    auth: Literal["bearer", "x-api-key"] = Field(
        default="bearer", description="The header that carries the key."
    )
    tenant_id: str = Field(description="The tenant that the key belongs to.")
    currency: Currency = Field(description="Currency of every maxSpend, as Kaireon names none.")
    emulate: tuple[Literal["yearly", "once"], ...] = Field(
        default=(),
        description="Cadences that Kaireon does not have and that may be held as quarters or "
        "months whose amounts sum to the whole.",
    )

    def account(self, system: str, base: Path) -> str:
        """A tenant's own: two tenants may have objects of one id."""
        return f"{super().account(system, base)} {self.tenant_id}"
