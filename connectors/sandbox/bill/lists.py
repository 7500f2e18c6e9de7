"""BILL's listings: page size, filters, order and page tokens, as its page on lists has them.

Every refusal is the vendor's 400.
"""

import base64
import json
import re
from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

from connectors.sandbox.bill.wire import BillSwitches, refused
from connectors.sandbox.fields import count
from connectors.sandbox.state import Row

Filter: TypeAlias = tuple[str, str, str]
"""Field, operator, value."""

_FILTER = re.compile(r'(\w+):(\w+):("[^"]*"|[^,]*)(?:,|$)')
_FILTERS = {
    "budgets": {"isBudgetGroup", "budgetIds", "parentBudgetId", "name", "retired"},
    "members": {"retired"},
    "users": {"retired"},
}
_LAST = {"null": None, "empty": "", "absent": None}
_SORTS = {
    "budgets": {"name", "assigned", "limit", "spent"},
    "members": {"name", "spent"},
    "users": set[str](),
}


def page_size(query: Mapping[str, str]) -> int:
    """What `max` asks for, 1 to 100."""
    asked = query.get("max", "20")
    found = count(asked, 100)
    if found is None:
        too_many = asked.isdecimal() and asked.strip("0") != ""
        bound = "less than or equal to 100" if too_many else "greater than or equal to 1"
        raise refused(400, f"max: must be {bound}")
    return found


def filters(table: str, text: str) -> list[Filter]:
    """field:operator:value, joined by commas; a value with commas stands between quotes."""
    found, end = [], 0
    while end < len(text):
        part = _FILTER.match(text, end)
        if part is None or part[1] not in _FILTERS[table] or part[2] not in ("eq", "in", "sw"):
            raise refused(400, f"filters: {text[end:]} is invalid")
        found.append((part[1], part[2], part[3].strip('"')))
        end = part.end()
    return found


def shown(table: str, row: Row, where: Collection[Filter], switches: BillSwitches) -> bool:
    """Whether a list has the row; of the retired, where nothing is asked, as the switch says."""
    retired = {value for field, _, value in where if field == "retired"}
    if switches.ignores_retired or not retired:
        retired = {"false"} if switches.hides_retired else {"false", "true"}
    is_retired = row.get("retired", False)
    if str(is_retired).lower() not in retired:
        return False
    if table == "budgets" and switches.blind and not is_retired:
        return False
    if switches.ignores_filters:
        return True
    return all(_holds(row, *each) for each in where if each[0] != "retired")


def _holds(row: Row, field: str, operator: str, value: str) -> bool:
    """Whether a budget is what a filter asks for."""
    named = {"isBudgetGroup": "budgetGroup", "budgetIds": "id"}.get(field, field)
    there = str(row.get(named)).lower() if named == "budgetGroup" else str(row.get(named))
    if operator == "sw":
        return there.startswith(value)
    values = value.split(",") if operator == "in" else [value]
    return there in values or (field == "budgetIds" and row.get("uuid") in values)


def in_order(table: str, rows: list[Row], sort: str) -> list[Row]:
    """By one field, as `sort` says; as they came where it says nothing."""
    field, _, order = sort.partition(":")
    if not sort:
        return rows
    if field not in _SORTS[table] or order not in ("asc", "desc"):
        raise refused(400, f"sort: {sort} is invalid")

    def key(row: Row) -> Any:
        found = row["name"] if field == "name" else row.get("currentPeriod", row)[field]
        return found["total"] if isinstance(found, dict) else found

    return sorted(rows, key=key, reverse=order == "desc")


def page(
    rows: list[Row], before: int | None, after: int | None, query: Mapping[str, str], last: str
) -> Row:
    """A page and the offsets of its neighbours; `last` says what stands for no next one."""
    said = {
        "results": rows,
        "nextPage": _LAST[last] if after is None else token(after, query),
        "prevPage": None if before is None else token(before, query),
    }
    if after is None and last == "absent":
        del said["nextPage"]
    return said


def token(offset: int, query: Mapping[str, str]) -> str:
    """An opaque page token, which also carries the query."""
    return base64.b64encode(json.dumps([offset, dict(query)]).encode()).decode()


def place(text: str) -> tuple[int, dict[str, str]]:
    """The offset and the query of a page token."""
    try:
        match json.loads(base64.b64decode(text)):
            case [int(offset), dict(query)] if offset >= 0:
                return offset, query
    except ValueError:
        pass
    raise refused(400, "nextPage: is invalid")
