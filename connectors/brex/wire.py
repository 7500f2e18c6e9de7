"""Brex on the wire: the shapes that it answers and takes."""

from datetime import date
from typing import Any

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, StrictInt

from canonical.kind import Kind

PATH = {Kind.BUDGET: "/v2/budgets", Kind.ALLOCATION: "/v2/spend_limits"}
USERS = "/v2/users"


# As Brex answers: new fields count as compatible, so unknown ones are ignored.
# Structs, as a page holds a thousand of them: they are decoded straight from its bytes.


class BrexMoney(Struct, frozen=True, kw_only=True, gc=False):
    amount: int
    currency: str | None = None


class BrexBudget(Struct, frozen=True, kw_only=True, gc=False):
    budget_id: str
    account_id: str
    name: str
    description: str | None = None
    parent_budget_id: str | None = None
    owner_user_ids: list[str]
    period_recurrence_type: str
    start_date: date | None = None
    end_date: date | None = None
    amount: BrexMoney | None = None
    spend_budget_status: str
    limit_type: str | None = None


class BrexAuthorization(Struct, frozen=True, kw_only=True, gc=False):
    base_limit: BrexMoney
    authorization_type: str
    rollover_refresh_rate: str
    limit_with_increases: BrexMoney


class BrexPeriodBalance(Struct, frozen=True, kw_only=True, gc=False):
    amount_spent: BrexMoney | None = None
    start_date: date | None = None


class BrexPage(Struct, frozen=True, kw_only=True, gc=False):
    items: list[dict[str, Any]]


class BrexSpendLimit(Struct, frozen=True, kw_only=True, gc=False):
    id: str
    name: str
    description: str | None = None
    parent_budget_id: str | None = None
    status: str
    period_recurrence_type: str
    start_date: date | None = None
    end_date: date | None = None
    authorization_settings: BrexAuthorization | None = None
    member_user_ids: list[str]
    expense_policy_id: str
    department_id: str | None = None
    legal_entity_id: str | None = None
    current_period_balance: BrexPeriodBalance | None = None


class BrexUser(Struct, frozen=True, kw_only=True, gc=False):
    id: str
    email: str
    first_name: str | None = None
    last_name: str | None = None
    status: str | None = None


class BrexDepartment(Struct, frozen=True, kw_only=True, gc=False):
    id: str
    name: str | None = None


class BrexLegalEntity(Struct, frozen=True, kw_only=True, gc=False):
    id: str
    display_name: str | None = None


class _Write(BaseModel):
    """As Brex is told: a field that it does not know is our mistake, not its problem."""

    model_config = ConfigDict(extra="forbid")

    def body(self) -> dict[str, Any]:
        """What was set, and nothing else: an absent field stays as it is."""
        return self.model_dump(mode="json", exclude_unset=True)


class BrexMoneyWrite(_Write):
    amount: StrictInt
    currency: str


class BrexBudgetWrite(_Write):
    name: str | None = None
    description: str | None = None
    parent_budget_id: str | None = None
    owner_user_ids: list[str] | None = None
    period_recurrence_type: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    amount: BrexMoneyWrite | None = None


class BrexAuthorizationWrite(_Write):
    base_limit: BrexMoneyWrite | None = None
    authorization_type: str | None = None
    rollover_refresh_rate: str | None = None


class BrexSpendLimitWrite(_Write):
    name: str | None = None
    description: str | None = None
    parent_budget_id: str | None = None
    period_recurrence_type: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    authorization_settings: BrexAuthorizationWrite | None = None
    member_user_ids: list[str] | None = None
    department_id: str | None = None
    legal_entity_id: str | None = None
    expense_policy_id: str | None = None
    authorization_visibility: str | None = None
    expense_visibility: str | None = None
    limit_increase_setting: str | None = None
    spend_type: str | None = None
    auto_transfer_cards_setting: str | None = None
    auto_create_limit_cards_setting: str | None = None
