"""Odoo's models field by field, the methods that can be called, and how its JSON writes values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

from connectors.sandbox.state import Row


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its type there, and the model that it refers to."""

    type: str
    relation: str | None = None


def _ref(model: str) -> Field:
    return Field("many2one", model)


_CHAR, _DATE, _STATE = Field("char"), Field("date"), Field("selection")
_FLOAT, _MONEY, _YES = Field("float"), Field("monetary"), Field("boolean")
_ALWAYS: Final = {
    "id": Field("integer"),
    "display_name": _CHAR,
    "write_date": Field("datetime"),
}
_COMPANY: Final = _ref("res.company")
_ACCOUNT: Final = _ref("account.analytic.account")
_SPAN: Final = {"date_from": _DATE, "date_to": _DATE, "company_id": _COMPANY}

_MODELS: Final[Mapping[str, Mapping[str, Field]]] = {
    "res.users": {
        "name": _CHAR,
        "login": _CHAR,
        "company_id": _COMPANY,
        "company_ids": Field("many2many", "res.company"),
    },
    "res.company": {"name": _CHAR, "currency_id": _ref("res.currency")},
    "res.currency": {"name": _CHAR, "rounding": _FLOAT, "active": _YES},
    "account.analytic.account": {
        "name": _CHAR,
        "code": _CHAR,
        "active": _YES,
        "company_id": _COMPANY,
    },
    "account.budget.post": {"name": _CHAR, "company_id": _COMPANY},
    "crossovered.budget": {"name": _CHAR, "state": _STATE, **_SPAN},
    "crossovered.budget.lines": {
        "crossovered_budget_id": _ref("crossovered.budget"),
        "analytic_account_id": _ACCOUNT,
        "general_budget_id": _ref("account.budget.post"),
        "planned_amount": _FLOAT,
        **_SPAN,
    },
    "budget.analytic": {"name": _CHAR, "state": _STATE, "budget_type": _STATE, **_SPAN},
    "budget.line": {
        "budget_analytic_id": _ref("budget.analytic"),
        "account_id": _ACCOUNT,
        "x_plan2_id": _ACCOUNT,
        "budget_amount": _MONEY,
        **_SPAN,
    },
}
MODELS: Final = {model: {**_ALWAYS, **fields} for model, fields in _MODELS.items()}
"""All models that there are, whichever of them an edition has."""

METHODS: Final[Mapping[str, Sequence[str]]] = {
    "context_get": (),
    "fields_get": ("allfields", "attributes"),
    "read": ("fields", "load"),
    "search_count": ("domain", "limit"),
    "search_read": ("domain", "fields", "offset", "limit", "order"),
    "write": ("vals",),
}
"""The arguments of each method, in their order."""
OF_RECORDS: Final = frozenset({"read", "write"})
"""Those that are of records, whose ids come first."""

Check: TypeAlias = Callable[[Any, Any], bool]
OPERATORS: Final[Mapping[str, Check]] = {
    "=": lambda own, said: own == said,
    "!=": lambda own, said: own != said,
    "in": lambda own, said: own in said,
    "not in": lambda own, said: own not in said,
    ">": lambda own, said: own is not False and own > said,
    ">=": lambda own, said: own is not False and own >= said,
    "<": lambda own, said: own is not False and own < said,
    "<=": lambda own, said: own is not False and own <= said,
}


class Failed(Exception):
    """A call ends with this exception of Odoo's, by its whole name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name, self.message = name, message


def user_error(message: str) -> Failed:
    """What Odoo says of what it does not do."""
    return Failed("odoo.exceptions.UserError", message)


def value_error(message: str) -> Failed:
    """What Odoo says of what it does not understand."""
    return Failed("builtins.ValueError", message)


def as_float(value: Decimal | int) -> Decimal:
    """The number as JSON has a float: always with a point, and with no zero at the end."""
    plain = f"{Decimal(value):f}"
    whole, _, fraction = plain.partition(".")
    return Decimal(f"{whole}.{fraction.rstrip('0') or '0'}")


def shown_name(model: str, row: Row) -> str:
    """By which name a record is shown."""
    name = row.get("name") or f"{model},{row['id']}"
    code = row.get("code")
    return f"[{code}] {name}" if code else f"{name}"


def blank(field: Field) -> Any:
    """What an unset field holds: false, but for numbers and lists."""
    if field.type in ("float", "monetary"):
        return Decimal("0.0")
    if field.type == "many2many":
        return []
    return field.type == "boolean"
