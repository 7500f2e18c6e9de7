"""BILL's requests field by field, and what an answer holds where nothing was said.

Source: the reference pages of /v3/spend and the guide "Budgets and Users", read in November 2026.
"""

import base64
import json
import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field
from starlette.responses import Response

from connectors.sandbox import fields
from connectors.sandbox.api import Call, Refused, SandboxSwitches, reply
from connectors.sandbox.fields import Shape, listed, shapes, whole
from connectors.sandbox.state import Row, dumps

_CENT, _MOST = Decimal("0.01"), Decimal(10**15)
_DIGITS = re.compile(r"\d+(\.\d+)?", re.ASCII)
_CODES = {401: "BDC_1109", 429: "BDC_1144"}
_MONEY = ("limit", "recurringLimit", "overspendBuffer", "limitlessGoal", "maxTxSize")


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _any_text(value: Any) -> bool:
    return isinstance(value, str)


def money(value: Any) -> bool:
    """A number that is not negative and of some size, also written as text, as one sample of the
    guide does."""
    if isinstance(value, str):
        return bool(_DIGITS.fullmatch(value)) and Decimal(value) <= _MOST
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return is_number and 0 <= value <= _MOST


def zone(value: Any) -> bool:
    """A time zone such as US/Eastern."""
    if not isinstance(value, str) or not re.match("US/.", value):
        return False
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


BUDGET_CREATE, BUDGET_UPDATE = shapes(
    """
    name                 required optional text
    owners               required no       texts
    members              optional no       texts
    observers            optional no       texts
    parentBudgetId       optional no       text
    budgetGroup          optional no       flag
    description          optional optional words
    expirationDate       optional optional day
    recurringInterval    required optional NONE|DAILY|WEEKLY|MONTHLY|QUARTERLY|YEARLY
    recurMonth           optional optional month
    timezone             optional optional zone
    autoAddUsers         optional optional flag
    receiptRequired      optional optional flag
    maxTxSize            optional optional money
    carryOver            optional optional flag
    limitlessOverspend   optional optional flag
    limit                optional optional money
    limitlessGoal        optional optional money
    recurringLimit       optional optional money
    overspendBuffer      optional optional money
    shareFunds           optional optional DO_NOT_SHARE|SHARE_MANUALLY
    """,
    text=_text,
    texts=listed(_text),
    words=_any_text,
    day=fields.day,
    month=whole(1, 12),
    flag=fields.flag,
    money=money,
    zone=zone,
)
MEMBER, _ = shapes(
    """
    limit             optional no money
    recurringLimit    optional no money
    role              optional no MEMBER|OWNER|OBSERVER
    shareBudgetFunds  optional no flag
    """,
    money=money,
    flag=fields.flag,
)
BULK, _ = shapes(
    """
    members  required no items
    """,
    items=listed(lambda value: isinstance(value, dict) and _text(value.get("userId"))),
)
USER, _ = shapes(
    """
    firstName    required no text
    lastName     required no text
    email        required no text
    role         required no ADMIN|AUDITOR|BOOKKEEPER|MEMBER
    dateOfBirth  optional no day
    """,
    text=_text,
    day=fields.day,
)
BLANK_BUDGET: Row = {
    "name": "Unnamed",
    "retired": False,
    "recurringInterval": "MONTHLY",
    "autoAddUsers": False,
    "receiptRequired": True,
    "carryOver": False,
    "budgetGroup": False,
    "shareFunds": "SHARE_MANUALLY",
    "limitlessOverspend": False,
    "default": False,
}
_SAID_ELSEWHERE = frozenset(
    {"limit", "limitlessGoal", "overspendBuffer", "owners", "members", "observers"}
)
"""Fields of a request that no budget's answer has under that name."""

_IDS = frozenset({"id", "userId", "parentBudgetId"})
"""What the changelog of 2025-02-28 says will go; a row then has its uuids."""


def failures(shape: Shape, body: Any) -> list[str]:
    """One message per field that is missing or wrong; unknown fields are no fault."""
    if not isinstance(body, dict):
        return ["body: must be an object"]
    missing = [f"{name}: must not be null" for name in shape.required if body.get(name) is None]
    wrong = [
        f"{name}: is invalid"
        for name, value in body.items()
        if name in shape.checks and value is not None and not shape.checks[name](value)
    ]
    return sorted(missing) + wrong


def budget_rules(said: Row, whole: Row, *, creates: bool) -> list[str]:
    """What the reference says of fields together; `whole` is the budget as it would become."""
    interval, limitless = whole["recurringInterval"], whole["limitlessOverspend"]
    short = interval in ("DAILY", "WEEKLY")
    told = {name for name, value in said.items() if value is not None}
    rules = {
        "limit: must not be null": creates and "limit" not in told and not limitless,
        "recurringLimit: must not be null": interval != "NONE"
        and whole.get("recurringLimit") is None,
        "recurMonth: only with QUARTERLY or YEARLY": "recurMonth" in told
        and interval not in ("QUARTERLY", "YEARLY"),
        "limitlessOverspend: not with DAILY or WEEKLY": limitless and short,
        "limitlessGoal: only with limitlessOverspend": "limitlessGoal" in told and not limitless,
        "overspendBuffer: not with this": "overspendBuffer" in told and (limitless or short),
    }
    return [message for message, broken in rules.items() if broken]


def member_rules(said: Row, *, recurs: bool) -> list[str]:
    """Limits are for those who do not share the budget's funds, and for them only."""
    names = ["limit", "recurringLimit"] if recurs else ["limit"]
    if said.get("shareBudgetFunds"):
        told = [name for name in ("limit", "recurringLimit") if said.get(name) is not None]
        return [f"{name}: must not be set with shareBudgetFunds" for name in told]
    return [f"{name}: must not be null" for name in names if said.get(name) is None]


class BillSwitches(SandboxSwitches):
    """Where BILL's pages are silent, and where companies differ."""

    now: datetime | None = Field(None, description="The time it is; the clock's where not said.")
    timezone: str = Field("US/Eastern", description="Of the company's billing address.")
    trims_names: bool = Field(False, description="A name is stored without blanks around it.")
    uuids: bool = Field(True, description="Answers have `uuid` and `userUuid`.")
    ids: bool = Field(True, description="Answers have `id`, `userId` and `parentBudgetId`.")
    parent_as_uuid: bool = Field(False, description="`parentBudgetId` is answered as a uuid.")
    hides_parent: bool = Field(False, description="No answer has `parentBudgetId`.")
    hides_recur_month: bool = Field(False, description="No answer has `recurMonth`.")
    hides_retired: bool = Field(True, description="Without a filter, lists leave out the retired.")
    blind: bool = Field(False, description="Lists show no budget that is in use.")
    ignores_filters: bool = Field(False, description="All filters but `retired` do nothing.")
    ignores_retired: bool = Field(False, description="The filter `retired` does nothing.")
    token_carries_query: bool = Field(True, description="A page token brings max and filters.")
    last_page: Literal["null", "absent", "empty"] = Field("null", description="Its `nextPage`.")
    empty_last_page: bool = Field(False, description="A full page is followed, if by an empty one.")
    largest_page: int = Field(100, ge=1, description="No page holds more, whatever is asked.")
    created: Literal[200, 201] = Field(200, description="Status of an answered POST.")
    deleted: Literal[200, 204] = Field(200, description="Status of an answered DELETE.")
    delete_shows: bool = Field(False, description="A DELETE answers what it retired.")
    second_delete: Literal[200, 400, 404] = Field(404, description="What a second DELETE gets.")
    repeats_emails: bool = Field(False, description="Two users may have one email.")
    forgets_members: bool = Field(False, description="A removed member is unknown, not retired.")
    put_resets_role: bool = Field(False, description="A PUT without a role makes a MEMBER.")
    bulk_answer: Literal["nothing", "members", "text"] = Field(
        "nothing", description="What putting several members answers."
    )
    bulk_refusal: Literal["all", "one", "silent"] = Field(
        "all",
        description="With one that is wrong, it does nothing; or the others, and says 400; or "
        "the others, and says nothing.",
    )
    money_as_text: bool = Field(False, description="Numbers are answered as text.")
    end_date: Literal["exclusive", "inclusive", "absent"] = Field(
        "exclusive", description="What `endDate` of a period is."
    )
    text_401: bool = Field(False, description="A 401 is plain text.")
    retry_after: int | None = Field(None, description="Seconds that a 429 tells.")


def errors(status: int, messages: list[str]) -> Response:
    """The vendor's list of errors, at the top of the body."""
    said = {
        "timestamp": "2026-11-22T00:00:00.000+00:00",
        "code": _CODES.get(status, "BDC_1001"),
        "severity": "ERROR",
        "category": "SERVER" if status >= 500 else "REQUEST",
    }
    return reply([{**said, "message": message} for message in messages], status)


def refused(status: int, message: str) -> Refused:
    """To be raised where the call ends."""
    return Refused(errors(status, [message]))


def checked(messages: list[str]) -> None:
    """Refuses with one item per message, if there is any."""
    if messages:
        raise Refused(errors(400, messages))


def body_of(call: Call) -> Any:
    """The request's JSON."""
    try:
        return call.sent()
    except ValueError:
        raise refused(400, "body: is not JSON") from None


def taken(shape: Shape, body: Any) -> Row:
    """What a request says in so many words; fields that BILL does not know are ignored."""
    checked(failures(shape, body))
    return {name: body[name] for name in shape.checks if body.get(name) is not None}


def with_money(said: Row) -> Row:
    """The same, its numbers as exact cents, whichever way they were written."""
    cents = {n: Decimal(said[n]).quantize(_CENT) for n in _MONEY if said.get(n) is not None}
    return said | cents


def answered(whole: Row) -> Row:
    """Of a budget and its request what an answer shows at the top."""
    return {n: v for n, v in whole.items() if n not in _SAID_ELSEWHERE and v is not None}


def spelled(row: Row, above: Row | None, switches: BillSwitches) -> Row:
    """The row as an answer has it; `above` is the budget it hangs below."""
    said = {name: value for name, value in row.items() if not name.startswith("_")}
    if not switches.uuids:
        said = {name: said[name] for name in said if name not in ("uuid", "userUuid")}
    if above and switches.parent_as_uuid:
        said["parentBudgetId"] = above["uuid"]
    if above and switches.uuids:
        said["parentBudgetUuid"] = above["uuid"]
    if not switches.ids:
        said = {name: said[name] for name in said if name not in _IDS}
    if switches.hides_parent:
        said = {name: said[name] for name in said if not name.startswith("parentBudget")}
    if switches.hides_recur_month:
        said.pop("recurMonth", None)
    if switches.money_as_text:
        return json.loads(dumps(said), parse_float=str)  # type: ignore[no-any-return]
    return said


def opaque(text: str) -> str:
    """An id as BILL writes them: "User:7" becomes VXNlcjo3."""
    return base64.b64encode(text.encode()).decode()
