"""VTEX on the wire: the shapes that it answers and takes, and what its words mean to us."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)
from pydantic.alias_generators import to_camel

from canonical.allocation import Status

LOGIN = "/api/vtexid/apptoken/login"
COOKIE = "VtexIdclientAutCookie"
"""The header that carries a token, a user's or one that was exchanged."""
UNITS = "/api/organization-units/v1"


def moment(text: str) -> datetime:
    """An instant in UTC, from any of the spellings that VTEX is known to answer.

    2025-04-01T00:00:00.0000000Z, 2025-04-01, 2025-04-01 00:00:00 or 04/01/2025 00:00:00; without a
    zone it is UTC. Raises `ValueError` for any other.
    """
    with suppress(ValueError):
        return datetime.strptime(text, "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    found = datetime.fromisoformat(text)
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"the calendar has no {text} in UTC") from None


def _dated(text: str) -> str:
    moment(text)
    return text


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("it should be a number")
    return value


Number = Annotated[Decimal, BeforeValidator(_number)]
Dated = Annotated[str, AfterValidator(_dated)]


class _Read(BaseModel):
    """As VTEX answers: builds differ in what they add, so unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)


class VtexBalance(_Read):
    amount: Number
    remaining: Number | None = None


class VtexCycle(_Read):
    start_date: Dated
    end_date: Dated | None = None
    auto_reset_on_period_end: bool = False
    carry_over_balance: bool = False


class VtexRecipient(_Read):
    identifier: str = Field(validation_alias=AliasChoices("identifier", "email"))


class VtexThreshold(_Read):
    type: str
    value: Number = Field(validation_alias=AliasChoices("Value", "value", "threshold"))
    recipients: list[VtexRecipient] = []


class VtexNotifications(_Read):
    enable: bool = True
    thresholds: list[VtexThreshold] = []
    recipients: list[VtexRecipient] = []


Notifications = VtexNotifications | list[VtexThreshold]


class VtexSummary(_Read):
    id: str
    name: str
    balance: VtexBalance | None = None


class VtexBudget(_Read):
    id: str
    name: str
    description: str | None = None
    balance: VtexBalance
    cycle_configuration: VtexCycle | None = None
    notification_settings: Notifications | None = None
    status: str


class VtexEntity(_Read):
    id: str
    type: str


class VtexAllocation(_Read):
    id: str
    linked_entity: VtexEntity
    balance: VtexBalance
    notification_settings: Notifications | None = None
    status: str
    reference_id: str | None = None
    contract_id: str | None = None


class VtexHit(_Read):
    budget_id: str
    allocation_id: str
    linked_entity: VtexEntity
    budget_balance: VtexBalance
    allocation_balance: VtexBalance


class VtexHits(_Read):
    items: list[VtexHit]


class VtexMovement(_Read):
    id: str
    allocation_id: str
    amount: Number
    type: str | None = None
    date: Dated | None = None
    reference: str | None = None
    status: str | None = None


class VtexUnit(_Read):
    id: str


class VtexToken(_Read):
    auth_status: str
    token: str | None = None
    expires: int | None = Field(default=None, ge=0, lt=253_402_300_800)  # seconds, to year 9999


class _Write(BaseModel):
    """As VTEX is told: a field that it does not know is our mistake, not its problem."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def body(self) -> dict[str, Any]:
        """What is said; None is left out, as VTEX does not say what a null would do."""
        return self.model_dump(by_alias=True, exclude_none=True)


class VtexBudgetWrite(_Write):
    name: str
    description: str
    amount: Decimal | int
    cycle_configuration: VtexCycle | None = None
    notification_settings: dict[str, Any] | None = None


class VtexAllocationWrite(_Write):
    linked_entity: VtexEntity
    amount: Decimal | int
    reference_id: str
    contract_id: str | None = None
    notification_settings: dict[str, Any] | None = None


STATUS = {
    "ACTIVE": Status.ACTIVE,
    "INACTIVE": Status.INACTIVE,
    "DELETED": Status.RETIRED,
}
IS_PERCENT = {"PERCENT": True, "AMOUNT": False}
IS_DEBIT = {"DEBIT": True, "CREDIT": False}
SPELT = {"CANCELLED": "CANCELED"}
"""A reservation's status in answers → in the filter of a list, where VTEX's pages differ."""
ENTITY_TYPE = {"user": "User", "address": "Address", "cost_centre": "CostCenter"}
"""Their words for our entity types; an account may have others. Any other type is passed through,
as a custom field has whatever name the account gave it."""
