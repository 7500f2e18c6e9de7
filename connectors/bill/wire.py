"""BILL on the wire: the shapes that it answers and takes, and what its words mean to us."""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from canonical.period import Cadence

BUDGETS = "/v3/spend/budgets"
USERS = "/v3/spend/users"


class _Read(BaseModel):
    """As BILL answers: unknown fields are ignored; numbers are taken from text too.

    An id that an answer has no more is the uuid that is to take its place.
    """

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)
    spellings: ClassVar[dict[str, str]] = {}
    """The name of an id → that of its uuid."""

    @model_validator(mode="before")
    @classmethod
    def _by_uuid(cls, record: Any) -> Any:
        if not isinstance(record, dict):
            return record
        gone = [name for name in cls.spellings if record.get(name) is None]
        told = {name: record.get(cls.spellings[name]) for name in gone}
        return record | {name: said for name, said in told.items() if said is not None}


class BillSpent(_Read):
    total: Decimal
    pending: Decimal | None = None


class BillPeriod(_Read):
    start_date: date | None = None
    limit: Decimal | None = None
    overspend_buffer: Decimal | None = None
    assigned: Decimal | None = None
    spent: BillSpent | None = None


class BillBudget(_Read):
    spellings: ClassVar = {"id": "uuid", "parentBudgetId": "parentBudgetUuid"}
    id: str
    uuid: str | None = None
    name: str
    description: str | None = None
    retired: bool
    start_date: date | None = None
    expiration_date: date | None = None
    recurring_interval: str
    recur_month: int | None = None
    timezone: str | None = None
    carry_over: bool | None = None
    parent_budget_id: str | None = None
    budget_group: bool = False
    share_funds: str | None = None
    recurring_limit: Decimal | None = None
    limitless_overspend: bool = False
    current_period: BillPeriod = BillPeriod()


class BillMember(_Read):
    spellings: ClassVar = {"userId": "userUuid"}
    user_id: str
    user_uuid: str | None = None
    spent: Decimal | None = None
    limit: Decimal | None = None
    recurring_limit: Decimal | None = None
    budget_role: str | None = None
    retired: bool
    share_budget_funds: bool = False


class BillUser(_Read):
    spellings: ClassVar = {"id": "uuid"}
    id: str
    uuid: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    retired: bool = False
    role: str | None = None


class _Write(BaseModel):
    """As BILL is told: a field that it does not know is our mistake, not its problem."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)

    def body(self) -> dict[str, Any]:
        """What was set, and nothing else: an absent field stays as it is."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class BillBudgetWrite(_Write):
    name: str | None = None
    description: str | None = None
    owners: list[str] | None = None
    parent_budget_id: str | None = None
    budget_group: bool | None = None
    timezone: str | None = None
    recurring_interval: str | None = None
    recur_month: int | None = None
    expiration_date: date | None = None
    limit: Decimal | None = None
    recurring_limit: Decimal | None = None
    carry_over: bool | None = None
    limitless_overspend: bool | None = None
    overspend_buffer: Decimal | None = None


class BillMemberWrite(_Write):
    limit: Decimal | None = None
    recurring_limit: Decimal | None = None
    role: str | None = None
    share_budget_funds: bool | None = None


CADENCE = {
    "NONE": Cadence.ONCE,
    "DAILY": Cadence.DAILY,
    "WEEKLY": Cadence.WEEKLY,
    "MONTHLY": Cadence.MONTHLY,
    "QUARTERLY": Cadence.QUARTERLY,
    "YEARLY": Cadence.YEARLY,
}
FISCAL = {Cadence.QUARTERLY: 3, Cadence.YEARLY: 12}
"""Cadences that take a `recurMonth`, and how many months lie between two resets."""
BUFFERED = frozenset(CADENCE.values()) - {Cadence.DAILY, Cadence.WEEKLY}
"""Cadences that may say anything about spending beyond the limit."""
