"""What a BILL connector may be told in the settings file, and what BILL can hold."""

from decimal import Decimal
from typing import Final

from pydantic import Field, SecretStr

from canonical.allocation import Enforcement, Status
from canonical.kind import Kind
from connectors.bill.mapping import RECURRING_INTERVAL
from connectors.contract.capabilities import Capabilities, Hold, Numbers, Phasing, Removal
from connectors.contract.settings import Address, Currency, HttpSettings, RateLimit

AT_ONCE: Final = 5
"""How many members BILL puts in one call; it works on more of them later."""

CAPABILITIES = Capabilities(
    vendor="bill",
    budget={
        "name": Hold.EXACT,
        "description": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.READ_ONLY,
        "end": Hold.EXACT,
        "phases": Hold.EXACT,
        "status": Hold.EXACT,
        "enforcement": Hold.EXACT,
        "carry_over": Hold.EXACT,
        "parent": Hold.EXACT,
        "owners": Hold.EMULATED,
    },
    allocation={
        "budget": Hold.READ_ONLY,
        "entity": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "status": Hold.EXACT,
        "cadence": Hold.FOLLOWS,
        "start": Hold.FOLLOWS,
        "end": Hold.FOLLOWS,
        "phases": Hold.EXACT,
        "enforcement": Hold.FOLLOWS,
        "carry_over": Hold.FOLLOWS,
    },
    cadences=frozenset(RECURRING_INTERVAL),
    entity_types=frozenset({"user"}),
    statuses=frozenset({Status.ACTIVE, Status.RETIRED}),
    enforcements=frozenset({Enforcement.SOFT, Enforcement.HARD}),
    removal=Removal.RETIRE_FOR_GOOD,
    revives=frozenset({Kind.ALLOCATION}),
    phasing=Phasing.CURRENT_AND_NEXT,
    clearable=frozenset({"description", "end"}),
    stamps=frozenset({Kind.BUDGET}),
    amount_digits=2,
    numbers=Numbers.DOUBLE,
    batch=AT_ONCE,
    version_covers={Kind.BUDGET: frozenset({"amount"})},
    shares_beyond="they are sent all the same; in BILL's own pages a hard budget gives away no "
    "more than it has",
    unit_of_writing="one budget, or up to five members of one",
    rate_limit="60/1m",
    reads_actuals=True,
    spent_by_share=True,
    one_currency=True,
)


class BillSettings(HttpSettings):
    """The keys of a system with connector = "bill"."""

    base_url: Address = Field(
        default="https://gateway.prod.bill.com/connect", description="BILL's address."
    )
    rate_limit: RateLimit = Field(default="60/1m", description="Calls per window.")
    api_token: SecretStr = Field(description="Token of an administrator, as a reference.")
    currency: Currency = Field(default="USD", description="BILL names none; it holds US dollars.")
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
    overspend_buffer: Decimal | None = Field(
        default=None,
        ge=0,
        decimal_places=2,
        description="How much more than its amount a soft budget may spend; default: any amount.",
    )
    budget_groups: bool = Field(
        default=False, description="Make budgets without a parent groups, so that they can be one."
    )
    create_users: bool = Field(
        default=False, description="Make users whose email BILL does not know, as members."
    )
