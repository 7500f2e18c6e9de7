"""Odoo's methods on records, under the rights and companies of the one user."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.sandbox.odoo.books import USER
from connectors.sandbox.odoo.switches import OdooSwitches
from connectors.sandbox.odoo.wire import (
    METHODS,
    MODELS,
    OF_RECORDS,
    OPERATORS,
    Failed,
    Field,
    as_float,
    shown_name,
    user_error,
    value_error,
)
from connectors.sandbox.state import Row, State

_DOCUMENTS = {
    "crossovered.budget": "crossovered_budget_id",
    "budget.analytic": "budget_analytic_id",
}
_KEYS_SINCE = 17
_BUDGETS = {*_DOCUMENTS, "crossovered.budget.lines", "budget.line"}


class Orm:
    """The records as they are for one call with its context."""

    def __init__(
        self,
        state: State,
        switches: OdooSwitches,
        context: Mapping[str, Any],
        second_page: Callable[[str], bool],
    ) -> None:
        self._state, self._switches, self._context = state, switches, context
        self._second_page = second_page

    def call(self, model: Any, method: Any, ids: Any, said: Row) -> Any:
        """What the method returns; raises `Failed`."""
        fields = self._fields(model)
        if method not in METHODS:
            raise Failed("builtins.AttributeError", f"{model} has no attribute {method}")
        for name in said:
            if name not in METHODS[method]:
                raise Failed("builtins.TypeError", f"{method}() got an unexpected argument {name}")
        if method in OF_RECORDS and not isinstance(ids, list):
            raise Failed("builtins.TypeError", f"{method}() wants ids")
        self._check_rights(model, method)
        match method:
            case "context_get":
                return {"lang": "en_US", "tz": False, "uid": USER}
            case "fields_get":
                wanted = said.get("allfields") or [*fields]
                return {name: _about(fields[name]) for name in wanted if name in fields}
            case "read":
                rows = [self._row(model, id) for id in ids]
                return [self._said(model, row, said.get("fields")) for row in rows if row]
            case "search_count":
                return len(self._found(model, said.get("domain") or []))
            case "search_read":
                return self._search_read(model, said)
        return self._write(model, ids, said.get("vals"))

    def _fields(self, model: Any) -> Mapping[str, Field]:
        installed = self._switches.budgets
        family = "crossovered.budget" if f"{model}".startswith("crossovered") else "budget.analytic"
        if model not in MODELS or (model in _BUDGETS and installed not in (family, "both")):
            if self._switches.version < _KEYS_SINCE:
                raise user_error(f"Object {model} doesn't exist")
            raise Failed("builtins.KeyError", f"'{model}'")
        return MODELS[model]

    def _check_rights(self, model: str, method: str) -> None:
        may = self._switches.rights
        writes = method == "write"
        if (writes and may != "write") or (model in _BUDGETS and may == "none"):
            said = f"You are not allowed to {'modify' if writes else 'access'} '{model}' records."
            raise Failed("odoo.exceptions.AccessError", said)
        if writes and model not in ("crossovered.budget.lines", "budget.line"):
            raise Failed("odoo.exceptions.AccessError", f"{model} is not written here")
        allowed = self._context.get("allowed_company_ids") or []
        if not {*allowed} <= {*self._companies()}:
            said = "Access to unauthorized or invalid companies."
            raise Failed("odoo.exceptions.AccessError", said)

    def _companies(self) -> Collection[int]:
        user = self._row_of("res.users", USER)
        return user["company_ids"] if user else []

    def _search_read(self, model: str, said: Row) -> list[Row]:
        domain, order = said.get("domain") or [], said.get("order")
        if order not in (None, "id", "id asc"):
            raise value_error(f"Invalid order {order}")
        if any(each[:2] == ["id", ">"] and each[2] for each in domain) and self._second_page(model):
            domain = [each for each in domain if each[:2] != ["id", ">"]]
        rows = self._found(model, domain)
        # Which order Odoo takes where none is asked is the model's own affair.
        rows.sort(key=lambda row: row["id"], reverse=order is None)
        begin, limit = said.get("offset") or 0, said.get("limit") or len(rows)
        rows = rows[begin : begin + min(limit, self._switches.largest)]
        return [self._said(model, row, said.get("fields")) for row in rows]

    def _found(self, model: str, domain: Any) -> list[Row]:
        fields = MODELS[model]
        for clause in domain:
            if not (isinstance(clause, list) and len(clause) == 3 and clause[1] in OPERATORS):
                raise value_error(f"Invalid leaf {clause}")
            if clause[0] not in fields:
                raise value_error(f"Invalid field {model}.{clause[0]} in leaf {clause}")
        if "active" in fields and self._context.get("active_test", True):
            domain = [*domain, ["active", "=", True]]
        rows = self._state[model].rows()
        return [
            row
            for row in rows
            if self._is_shown(model, row)
            and all(OPERATORS[op](row[name], value) for name, op, value in domain)
        ]

    def _is_shown(self, model: str, row: Row) -> bool:
        """What a rule hides is not there, without an error."""
        if model == "res.company":
            return row["id"] in self._companies()
        return not row.get("company_id") or row["company_id"] in self._companies()

    def _row_of(self, model: str, id: Any) -> Row | None:
        return self._state[model].get(id)

    def _row(self, model: str, id: Any) -> Row | None:
        row = self._row_of(model, id)
        return row if row and self._is_shown(model, row) else None

    def _said(self, model: str, row: Row, names: Any) -> Row:
        fields = MODELS[model]
        for name in names or ():
            if name not in fields:
                raise value_error(f"Invalid field {name!r} on model {model!r}")
        wanted = {"id": None, **dict.fromkeys(names or fields)}
        return {name: self._value(model, row, name, fields[name]) for name in wanted}

    def _value(self, model: str, row: Row, name: str, field: Field) -> Any:
        value = row[name]
        if name == "display_name":
            return shown_name(model, row)
        if field.type == "many2one" and not isinstance(value, bool) and field.relation:
            there = self._row_of(field.relation, value)  # shown by its name, rights or not
            return [value, shown_name(field.relation, there or {"id": value})]
        if field.type in ("float", "monetary") and isinstance(value, Decimal | int):
            return value if isinstance(value, bool) else as_float(value)
        return value

    def _write(self, model: str, ids: list[Any], values: Any) -> Any:
        fields = MODELS[model]
        if not isinstance(values, dict):
            raise Failed("builtins.TypeError", "write() wants a dict")
        for name, value in values.items():
            if name not in fields or fields[name].type not in ("float", "monetary"):
                raise value_error(f"Invalid field {name!r} on model {model!r}")
            if isinstance(value, bool) or not isinstance(value, Decimal | int):
                raise value_error(f"could not convert {value!r} to float")
        rows = [self._row(model, id) for id in ids]
        for row in rows:
            if row is None:
                said = "Record does not exist or has been deleted."
                raise Failed("odoo.exceptions.MissingError", said)
            self._check_lock(model, row)
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        for row in rows:
            assert row is not None
            self._state[model].put({**row, **values, "write_date": now})
        return {"true": True, "false": False, "nothing": None}[self._switches.write_says]

    def _check_lock(self, model: str, row: Row) -> None:
        documents = "crossovered.budget" if model.startswith("crossovered") else "budget.analytic"
        document = self._row_of(documents, row[_DOCUMENTS[documents]])
        if self._switches.locks_done and document and document["state"] == "done":
            raise user_error("The budget is done")


def _about(field: Field) -> Row:
    return {"type": field.type, **({"relation": field.relation} if field.relation else {})}
