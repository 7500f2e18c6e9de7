"""What a VTEX connector may be told in the settings file, and what VTEX can hold."""

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import Field, SecretStr, model_validator

from canonical.allocation import Status
from canonical.kind import Kind
from connectors.contract.capabilities import Capabilities, Hold, Numbers, Removal, Unique
from connectors.contract.settings import Address, Currency, HttpSettings, RateLimit

AT_ONCE: Final = 20
"""How many go into one batch: as many as VTEX's samples ask of a page. No limit is documented, and
the fewer they are, the fewer a lost answer or a refusal leaves to be looked for."""

CAPABILITIES = Capabilities(
    vendor="vtex",
    budget={
        "name": Hold.EXACT,
        "description": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.EMULATED,
        "end": Hold.EMULATED,
        "status": Hold.EXACT,
        "carry_over": Hold.EXACT,
        "dimensions": Hold.EMULATED,
        "alerts": Hold.EMULATED,
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
        "carry_over": Hold.FOLLOWS,
        "alerts": Hold.EMULATED,
    },
    statuses=frozenset(Status),
    removal=Removal.RETIRE_OR_DELETE,
    numbers=Numbers.DOUBLE,
    retires_to=Status.INACTIVE,
    revives=frozenset(Kind),
    clearable=frozenset({"description", "end", "alerts"}),
    stamps=frozenset({Kind.BUDGET}),
    unique={Kind.ALLOCATION: Unique(fields=frozenset({"entity"}), surely=False)},
    batch=AT_ONCE,
    version_covers={Kind.BUDGET: frozenset({"name", "amount", "status"})},
    shares_beyond="they are sent all the same; whether VTEX then stops at the budget is not "
    "documented",
    unit_of_writing="one budget or one allocation, its status apart; new allocations by batch",
    rate_limit="20/1s",
    reads_actuals=True,
    spent_by_share=True,
    one_currency=True,
)


class VtexSettings(HttpSettings):
    """The keys of a system with connector = "vtex"."""

    rate_limit: RateLimit = Field(
        default="20/1s",
        description="Calls per window. VTEX documents none for budgets: this is a careful guess.",
    )
    app_key: SecretStr | None = Field(default=None, description="Application key, as a reference.")
    app_token: SecretStr | None = Field(default=None, description="The token that belongs to it.")
    user_token: SecretStr | None = Field(
        default=None, description="A user's token of 24 hours, instead of the two."
    )
    exchange: bool = Field(
        default=False, description="Exchange app_key and app_token for a user token, as needed."
    )
    login_url: Address | None = Field(
        default=None,
        description="Where tokens come from; default: the account's own address at "
        "vtexcommercestable.com.br.",
    )
    context_type: Literal["UNIT"] = Field(default="UNIT", description="What owns the budgets.")
    context_id: str | tuple[str, ...] | None = Field(
        default=None, description="Id of the organization unit, or a list of several."
    )
    discover: bool = Field(default=False, description="Ask VTEX for all units, instead.")
    currency: Currency = Field(description="Currency of all amounts, as VTEX names none.")
    scale: Literal["major", "minor"] = Field(
        default="major", description="Whether 12.50 is written as 12.50 or as 1250."
    )
    end_date: Literal["exclusive", "inclusive"] = Field(
        default="exclusive", description="Whether a cycle's endDate is the day after its last one."
    )
    contract_id: str | dict[str, str] | None = Field(
        default=None,
        description="The contract that allocations belong to, written as their referenceId and "
        "contractId: one id, or a table of unit = id.",
    )
    entity_types: dict[str, str] = Field(
        default_factory=dict,
        description="Our entity types → types of linked entities; default: user = User, "
        "address = Address, cost_centre = CostCenter, and any other as it is.",
    )
    entities: dict[str, str] = Field(
        default_factory=dict,
        description='Who is who: "type:id" of ours → TYPE:ID of VTEX\'s linked entity, such as '
        '"cost_centre:CC1" = "CUSTOMFIELD:<document id of the value>" or "user:ada@example.com" = '
        '"USER:<user id>"; or file = "people.csv" with columns entity_type,entity,id.',
    )
    page_size: int = Field(default=50, ge=1, description="Budgets in one page of a listing.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        pair = self.app_key is not None and self.app_token is not None
        if self.exchange and not pair:
            raise ValueError("exchange needs app_key and app_token")
        if pair == (self.user_token is not None):
            raise ValueError("either app_key and app_token or user_token is needed")
        if self.discover == bool(self.context_id):
            raise ValueError("either context_id or discover = true is needed")
        return self

    def units(self) -> tuple[str, ...]:
        """The units that are named; none where they are to be discovered."""
        named = self.context_id or ()
        return (named,) if isinstance(named, str) else tuple(dict.fromkeys(named))

    def contracts(self) -> Mapping[str, str]:
        """The contracts' ids by unit; that of "" is every other unit's."""
        said = self.contract_id or {}
        return {"": said} if isinstance(said, str) else said
