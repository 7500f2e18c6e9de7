"""VTEX's requests and answers field by field: what may be said, and what is shown of a row.

Source: the schemas of the Budgets API's OpenAPI document of May 2026, and the answers recorded in
VTEX's own Postman collection, where they show more or other fields.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from connectors.sandbox.api import Call, Refused, reply
from connectors.sandbox.fields import Check, Shape, flag, listed, one_of, shapes
from connectors.sandbox.state import Row, dumps
from connectors.sandbox.vtex.switches import VtexSwitches


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not flag(value)


def _moment(value: Any) -> bool:
    try:
        return bool(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return False


_TYPES: dict[str, Check] = {"text": _text, "number": _number, "flag": flag, "moment": _moment}


def _shape(table: str, **types: Check) -> Shape:
    """A shape of which a create and an update make the same."""
    return shapes(table, **_TYPES, **types)[0]


_ENTITY = _shape(
    """
    id    required required text
    type  required required text
    """
)
_OBJECT_FORM = _shape(
    """
    enable      required required flag
    thresholds  optional optional thresholds
    recipients  optional optional recipients
    """,
    thresholds=listed(
        _shape(
            """
            type   required required PERCENT|AMOUNT
            Value  required required number
            """
        )
    ),
    recipients=listed(
        _shape(
            """
            type        required required text
            identifier  required required text
            """
        )
    ),
)
_ARRAY_FORM = listed(
    _shape(
        """
        type        required required PERCENT|AMOUNT
        threshold   required required number
        recipients  optional optional recipients
        """,
        recipients=listed(_shape("email required required text")),
    )
)
_CYCLE = _shape(
    """
    startDate             required required moment
    endDate               optional optional moment
    autoResetOnPeriodEnd  required required flag
    carryOverBalance      required required flag
    """
)
ALLOCATION, ALLOCATION_UPDATE = shapes(
    """
    linkedEntity          required required entity
    amount                required required number
    referenceId           required optional text
    contractId            optional optional text
    allocations           no       optional allocations
    notificationSettings  optional optional alerts
    """,
    **_TYPES,
    entity=_ENTITY,
    alerts=_OBJECT_FORM,
    allocations=lambda value: isinstance(value, list),
)
_BATCHED = _shape(
    """
    linkedEntity          required required entity
    amount                required required number
    referenceId           optional optional text
    contractId            optional optional text
    notificationSettings  optional optional alerts
    """,
    entity=_ENTITY,
    alerts=lambda value: _OBJECT_FORM(value) or _ARRAY_FORM(value),
)
BATCH = _shape("allocations required required batched", batched=listed(_BATCHED))
BUDGET, BUDGET_UPDATE = shapes(
    """
    name                  required required text
    description           required required text
    amount                required required number
    cycleConfiguration    optional optional cycle
    notificationSettings  optional optional alerts
    allocations           optional no       allocations
    """,
    **_TYPES,
    cycle=_CYCLE,
    alerts=_OBJECT_FORM,
    allocations=listed(ALLOCATION),
)
STATUS = _shape("status required required ACTIVE|INACTIVE")
LINK = _shape(
    """
    linkedEntityId    required required text
    linkedEntityType  required required text
    """
)
_MOVEMENT = """
    origin       required required text
    reference    optional required text
    amount       required required number
    requestedBy  required required text
    type         required required direction
"""
_DIRECTION = one_of("DEBIT|CREDIT|Debit|Credit")
MOVEMENT, _ = shapes(_MOVEMENT, **_TYPES, direction=_DIRECTION)
_, RESERVATION = shapes(
    f"{_MOVEMENT}    reservationId no required text", **_TYPES, direction=_DIRECTION
)
REQUESTED = _shape("requestedBy required required text")
QUERY = _shape("items required required entities", entities=listed(_ENTITY))

_ERRORS = {
    400: "Validation error in request body.",
    401: "Authentication required.",
    403: "Access denied.",
    404: "Resource not found.",
    409: "Resource conflict.",
    429: "Rate limit exceeded for this account",
}


def error(status: int, message: str | None = None) -> Response:
    """VTEX's answer with that error status."""
    said = message or _ERRORS.get(status, "An internal server error occurred.")
    return reply({"error": said}, status)


def body_of(shape: Shape, call: Call) -> Any:
    """What a call says, in that shape; anything else is a 400. What is null within an object of it
    is not said."""
    try:
        said = call.sent()
    except ValueError:
        raise Refused(error(400)) from None
    if shape.wrong(said):
        raise Refused(error(400))
    return {name: _said(value) for name, value in said.items()}


def _said(value: Any) -> Any:
    if isinstance(value, list):
        return [_said(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _said(each) for name, each in value.items() if each is not None}


_CONTEXT = ("contextType", "contextId")
_BUDGET = (
    "id", "name", "description", "balance", "cycleConfiguration", "notificationSettings", "status",
    *_CONTEXT,
)  # fmt: skip
_ALLOCATION = (
    "id", "budgetId", "linkedEntity", "balance", "notificationSettings", "status", "referenceId",
    "contractId", *_CONTEXT,
)  # fmt: skip
_SUMMARY = ("id", "budgetId", "name", "linkedEntity", "startDate", "endDate", "balance", "status")


def shown_budget(row: Row) -> Row:
    """A budget's answer without its allocations; its next renewal follows from its cycle."""
    said = _some(row, _BUDGET)
    cycle = row.get("cycleConfiguration")
    if cycle and cycle["autoResetOnPeriodEnd"] and cycle.get("endDate"):
        said["cycleConfiguration"] = cycle | {"nextRenewal": cycle["endDate"]}
    return said


def shown_allocation(row: Row) -> Row:
    """An allocation's answer."""
    return _some(row, _ALLOCATION)


def summary(row: Row, *, legacy: bool) -> Row:
    """A row of a list; a `legacy` one has American dates, old thresholds and no context."""
    cycle = row.get("cycleConfiguration") or {}
    flat = row | {name: cycle.get(name) for name in ("startDate", "endDate")}
    if not legacy:
        return _some(flat, (*_SUMMARY, *_CONTEXT))
    for name in ("startDate", "endDate"):
        if flat[name]:
            flat[name] = moment(flat[name]).strftime("%m/%d/%Y %H:%M:%S")
    balance = dict(flat["balance"])
    balance["totalUtilized"] = balance.pop("balanceAdjustment")
    settings = row.get("notificationSettings")
    listed = settings["thresholds"] if isinstance(settings, dict) else settings or []
    old = [{"type": each["type"], "threshold": each.get("Value", 0)} for each in listed]
    return _some(flat, _SUMMARY) | {"balance": balance, "notifyThresholds": old}


def hit(budget: Row, share: Row) -> Row:
    """What a query shows of an allocation."""
    return {
        "budgetId": budget["id"],
        "allocationId": share["id"],
        "linkedEntity": share["linkedEntity"],
        "budgetBalance": budget["balance"],
        "cycleConfiguration": budget.get("cycleConfiguration"),
        "allocationBalance": share["balance"],
    }


def said_for(kind: str, row: Any, switches: VtexSwitches, *, created: bool = False) -> Response:
    """An answer of the vendor's own type, or of plain JSON where it has none."""
    own = kind and not switches.plain_types
    media_type = f"application/vnd.vtex.{kind}+json" if own else "application/json"
    status = 201 if created and switches.created_is_201 else 200
    return Response(dumps(row), status, media_type=media_type)


def spoken(body: Row) -> Row:
    """A body without what it says nothing of."""
    return {name: value for name, value in body.items() if value is not None}


def replaced(row: Row, body: Row, optional: Collection[str], *, clears: bool) -> Row:
    """A row after a PUT, which keeps the `optional` fields that are left out, or clears them."""
    said = spoken(body)
    amount = said.pop("amount")
    gone = set(optional) - said.keys() if clears else set()
    kept = {name: value for name, value in row.items() if name not in gone}
    return with_amount(kept | said, amount)


def with_amount(row: Row, amount: Any) -> Row:
    """A row with another amount, of which as much is used as was."""
    used = row["balance"]["balanceAdjustment"]
    balance = {"amount": amount, "balanceAdjustment": used, "remaining": amount - used}
    return row | {"balance": balance}


def moment(text: str) -> datetime:
    """An instant; without a zone it is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def stamp(instant: datetime) -> str:
    """An instant in VTEX's seven digits."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _some(row: Row, names: tuple[str, ...]) -> Row:
    return {name: row[name] for name in names if row.get(name) is not None}
