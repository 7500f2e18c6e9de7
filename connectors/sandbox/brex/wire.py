"""Brex's requests and answers field by field: what may be said, and what is there if nothing was.

Source: the schemas of the Budgets API's OpenAPI document of July 2026.
"""

from dataclasses import dataclass
from typing import Any

from connectors.sandbox import fields
from connectors.sandbox.fields import Check, Shape, listed, one_of, shapes, whole
from connectors.sandbox.state import Row

POLICY = "policy_default"
"""The expense policy of a spend limit that names none."""


def _ascii(value: Any) -> bool:
    return isinstance(value, str) and value.isascii()


_MONEY, _ = shapes(
    """
    amount    required no int64
    currency  optional no currency
    """,
    int64=whole(-(2**63), 2**63 - 1),
    currency=fields.currency,
)
SETTINGS, _SOME_SETTINGS = shapes(
    """
    base_limit               required optional money
    limit_buffer_percentage  optional optional percentage
    authorization_type       required optional HARD|SOFT
    rollover_refresh_rate    required optional OFF|NEVER|PER_MONTH|PER_QUARTER|PER_YEAR
    """,
    money=_MONEY,
    percentage=whole(0, 100),
)
_MERCHANT = one_of(
    "ADVERTISING_MARKETING|GROCERY|TELEPHONY|OFFICE_SUPPLIES|PRIVATE_AIR_TRAVEL|CLOTHING|"
    "CAR_RENTAL|VEHICLE_EXPENSES|RESTAURANTS|GAMBLING|FLOWERS|ELECTRONICS|LEGAL_SERVICES|"
    "UTILITIES|FURNITURE|BARS_NIGHTLIFE|LAUNDRY|EVENT_EXPENSES|SHIPPING|OTHER_TRAVEL_EXPENSES|"
    "CHARITY|SOFTWARE|LODGING|FACILITIES_EXPENSES|SERVERS|CONFERENCES|FOOD_DELIVERY|RENT|"
    "AIRLINE_EXPENSES|OTHER_BUSINESS_EXPENSES|BANK_FINANCIAL_FEES|BOOKS_NEWSPAPERS|"
    "CONSULTANT_CONTRACTOR|CORPORATE_INSURANCE|DIGITAL_GOODS|LICENSES_TAXES|GAS_FUEL|"
    "GENERAL_MERCHANDISE|MEDICAL|MEMBERSHIPS_CLUBS|PARKING_EXPENSES|POLITICAL_DONATIONS|"
    "PUBLIC_TRANSPORTATION|RECURRING_SOFTWARE_SAAS|RIDESHARE_TAXI|TOLL_BRIDGE_FEES|"
    "TRAINING_EDUCATION|TRAVEL"
)
_MERCHANTS, _ = shapes(
    """
    allowed_merchant_categories  optional no categories
    blocked_merchant_categories  optional no categories
    """,
    categories=listed(_MERCHANT),
)
_TYPES: dict[str, Check] = {
    "text": _ascii,
    "texts": listed(_ascii),
    "day": fields.day,
    "money": _MONEY,
    "flag": fields.flag,
}

_BUDGET = shapes(
    """
    name                    required optional text
    description             required optional text
    parent_budget_id        required optional text
    owner_user_ids          optional optional texts
    period_recurrence_type  required optional WEEKLY|MONTHLY|QUARTERLY|YEARLY|ONE_TIME
    amount                  required optional money
    limit_type              optional optional SOFT
    start_date              optional optional day
    end_date                optional optional day
    """,  # HARD stands in the enum of limit_type and is refused
    **_TYPES,
)
_BLANK_BUDGET: Row = {
    **dict.fromkeys(_BUDGET[0].checks),
    "name": "Unnamed",
    "owner_user_ids": [],
    "period_recurrence_type": "MONTHLY",
    "spend_budget_status": "ACTIVE",
}
_LIMIT = shapes(
    """
    name                              required optional text
    description                       optional optional text
    parent_budget_id                  optional no       text
    status                            no       optional ACTIVE|EXPIRED|ARCHIVED|DELETED
    period_recurrence_type            required optional period
    start_date                        optional optional day
    end_date                          optional optional day
    set_start_date_null               no       optional flag
    set_end_date_null                 no       optional flag
    authorization_settings            required no       settings
    authorization_settings            no       optional some_settings
    authorization_visibility          required optional PUBLIC|PRIVATE
    expense_visibility                required optional SHARED|PRIVATE
    transaction_limit                 optional optional money
    set_transaction_limit_null        no       optional flag
    limit_increase_setting            required optional ENABLED|DISABLED
    spend_type                        required optional cards
    auto_transfer_cards_setting       required optional DISABLED|ENABLED
    auto_create_limit_cards_setting   required optional DISABLED|ALL_MEMBERS
    owner_user_ids                    optional optional texts
    member_user_ids                   optional optional texts
    expense_policy_id                 required optional text
    limit_increase_request_policy_id  optional optional text
    limit_approval_policy_id          optional optional text
    legal_entity_id                   optional optional text
    department_id                     optional optional text
    merchant_category_controls        no       optional merchants
    """,
    period=one_of("PER_WEEK|PER_MONTH|PER_QUARTER|PER_YEAR|ONE_TIME"),
    cards=one_of("BUDGET_PROVISIONED_CARDS_ONLY|NON_BUDGET_PROVISIONED_CARDS_ALLOWED"),
    settings=SETTINGS,
    some_settings=_SOME_SETTINGS,
    merchants=_MERCHANTS,
    **_TYPES,
)
_BLANK_LIMIT: Row = {
    **dict.fromkeys(_LIMIT[0].checks),
    "name": "Unnamed",
    "merchant_category_controls": None,
    "current_period_balance": None,
    "status": "ACTIVE",
    "period_recurrence_type": "PER_MONTH",
    "authorization_visibility": "PUBLIC",
    "expense_visibility": "SHARED",
    "limit_increase_setting": "ENABLED",
    "spend_type": "BUDGET_PROVISIONED_CARDS_ONLY",
    "auto_transfer_cards_setting": "DISABLED",
    "auto_create_limit_cards_setting": "DISABLED",
    "expense_policy_id": POLICY,
    "owner_user_ids": [],
    "member_user_ids": [],
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: its table, its id and status fields, and its three shapes."""

    table: str
    id: str
    prefix: str
    status: str
    create: Shape
    update: Shape
    blank: Row


BLANK_USER: Row = {
    "first_name": "",
    "last_name": "",
    "status": "ACTIVE",
    **dict.fromkeys(("manager_id", "department_id", "location_id", "title_id")),
}
"""What a user has besides an id and an e-mail; source: `GET /v2/users` of the Team API."""

KINDS = {
    "budgets": Kind(
        "budgets", "budget_id", "budget", "spend_budget_status", *_BUDGET, _BLANK_BUDGET
    ),
    "spend_limits": Kind("spend_limits", "id", "spend_limit", "status", *_LIMIT, _BLANK_LIMIT),
}
