"""Brex: budgets and spend limits, v2, as the vendor's OpenAPI document has them.

Source: the Budgets API document as bundled on developer.brex.com in July 2026, and the guide pages
on authentication, idempotency, pagination, rate limits and error codes.
Of the Team API the lists of users, departments and legal entities, as budgets and spend limits
name them.
What those leave open is a switch; the default is what fits the rest best.
Not here: /v1/budgets (spend limits under their old name) and budget programs.
"""

import base64
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, ClassVar

from starlette.responses import Response

from connectors.sandbox.api import Call, Refused, Sandbox, reply
from connectors.sandbox.brex.switches import BrexSwitches
from connectors.sandbox.brex.wire import BLANK_USER, KINDS, SETTINGS, Kind
from connectors.sandbox.fields import Shape, count
from connectors.sandbox.state import Row

ACCOUNT = "account_sandbox"
ROOT = "budget_root"


_ERRORS = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    429: "RATE_LIMITED",
}


_THINGS = ("departments", "legal_entities")
_THINGS_NAMED = {"department_id": "departments", "legal_entity_id": "legal_entities"}


def _error(status: int, message: str, code: str | None = None) -> Response:
    said = {"type": _ERRORS.get(status, "INTERNAL_SERVER_ERROR"), "message": message}
    return reply(said | {"code": code} if code else said, status)


def _invalid(field: str) -> Refused:
    return Refused(_error(400, f"{field} is invalid"))


class BrexSandbox(Sandbox):
    """An account with a root budget `ROOT`, a spend limit that uses the policy `POLICY`, and the
    users of the switch `users`; departments and legal entities as the switches say.

    `POST /_sandbox/spend {"spend_limit_id", "amount"}` spends, in the smallest unit.
    """

    CREDENTIAL = "bxt_sandbox"
    RATE_LIMIT = "1000/1m"
    ID_FIELDS: ClassVar[Mapping[str, str]] = {
        "users": "id",
        "departments": "id",
        "legal_entities": "id",
        **{kind.table: kind.id for kind in KINDS.values()},
    }
    Switches = BrexSwitches
    switches: BrexSwitches

    def fresh(self) -> Mapping[str, Collection[Row]]:
        root = {"budget_id": ROOT, "name": "Company", "period_recurrence_type": "YEARLY"}
        limit = {
            "id": "spend_limit_first",
            "name": "Company card",
            "parent_budget_id": ROOT,
            "authorization_settings": {
                "base_limit": {"amount": 100_000, "currency": "USD"},
                "authorization_type": "HARD",
                "rollover_refresh_rate": "OFF",
            },
        }
        departments = (self.switches.departments or {}).items()
        legal = (self.switches.legal_entities or {}).items()
        return {
            "users": [{"id": id} for id in self.switches.users],
            "departments": [{"id": id, "name": name} for id, name in departments],
            "legal_entities": [{"id": id, "display_name": name} for id, name in legal],
            "budgets": [root],
            "spend_limits": [] if self.switches.without_limits else [limit],
        }

    def completed(self, table: str, row: Row) -> Row:
        if table == "users":
            id = row.get("id") or self.state.new_id("cuuser")
            return {"id": id, "email": f"{id.rpartition('_')[2]}@example.com", **BLANK_USER, **row}
        if table in _THINGS:
            return {"id": self.state.new_id(table), "description": None, **row}
        kind = KINDS[table]
        id = row.get(kind.id) or self.state.new_id(kind.prefix)
        whole = {kind.id: id, "account_id": ACCOUNT, **kind.blank, **row}
        if table == "spend_limits":
            whole |= _derived(whole)
        return whole

    def newcomer(self, table: str) -> Row:
        return self.completed(table, {"name": "Newcomer", "parent_budget_id": ROOT})

    def every_answer(self) -> Mapping[str, str]:
        return {"X-Brex-Trace-Id": secrets.token_hex(8)}

    def refusal(self, status: int) -> Response:
        if status == 401:
            return _error(401, "PERMISSION_DENIED: Invalid or Revoked Token")
        if status == 429 and not self.switches.json_429:
            return Response(status_code=429)
        return _error(status, "Too many requests" if status == 429 else "Something went wrong")

    def controls(self) -> Mapping[str, Callable[[Any], Any]]:
        return {"spend": self._spend}

    def answer(self, call: Call) -> Response:
        self._authorize(call)
        match call.method, call.path.split("/"):
            case "GET", ["", "v2", "users"]:
                return self._users(call)
            case "GET", ["", "v2", ("departments" | "legal_entities") as table]:
                return self._things(call, table)
            case "GET", ["", "v2", table] if table in KINDS:
                return self._list(call, KINDS[table])
            case "POST", ["", "v2", table] if table in KINDS:
                return self._keyed(call, lambda body: self._create(KINDS[table], body))
            case "GET", ["", "v2", table, id] if table in KINDS:
                return self._shown(KINDS[table], self._row(KINDS[table], id))
            case "PUT", ["", "v2", table, id] if table in KINDS:
                return self._keyed(call, lambda body: self._update(KINDS[table], id, body))
            case "POST", ["", "v2", table, id, "archive"] if table in KINDS:
                return self._archive(KINDS[table], id)
        return _error(404, "Not Found")

    def _authorize(self, call: Call) -> None:
        said = call.headers.get("authorization")
        if said is None:
            raise Refused(Response(status_code=401))
        token = said.removeprefix("Bearer ")
        if token == self.switches.reader:
            if call.method != "GET":
                raise Refused(_error(403, "The token lacks the scope budgets"))
        elif token != self.token or token == said:
            wrong = _error(403, "Invalid or Revoked Token")
            raise Refused(self.refusal(401) if self.switches.bad_token_is_401 else wrong)
        elif call.method != "GET" and not self.switches.budget_management:
            raise Refused(_error(403, "Not permitted; contact support"))

    def _keyed(self, call: Call, write: Callable[[Row], Response]) -> Response:
        key = call.headers.get("idempotency-key")
        if not key:
            raise _invalid("Idempotency-Key")
        try:
            request = [call.method, call.path, call.sent()]
        except ValueError:
            raise _invalid("body") from None
        if first := self.state["keys"].get(key):
            if first["request"] != request and not self.switches.lenient_keys:
                return _error(409, "Idempotency-Key was used for another request")
            if self.switches.replay == "refused":
                return _error(409, "Idempotency-Key was used before")
            if self.switches.replay == "nothing":
                return Response()
            return Response(first["body"], first["status"], media_type="application/json")
        answer = write(request[2])
        body = bytes(answer.body).decode()
        self.state["keys"].put(
            {"key": key, "request": request, "status": answer.status_code, "body": body}
        )
        return answer

    def _row(self, kind: Kind, id: str) -> Row:
        row = self.state[kind.table].get(id)
        if row is None:
            raise Refused(_error(404, "Not Found", f"{kind.prefix.upper()}_NOT_FOUND"))
        return row

    def _shown(self, kind: Kind, row: Row) -> Response:
        return Response(self.state[kind.table].json(row[kind.id]), media_type="application/json")

    def _users(self, call: Call) -> Response:
        if not self.switches.reads_users:
            return _error(403, "The token lacks the scope users.readonly")
        email = None if self.switches.ignores_email else call.query.get("email")

        def where(row: Row) -> bool:
            return email is None or row["email"].casefold() == email.casefold()

        return self._paged(call, "users", where)

    def _things(self, call: Call, table: str) -> Response:
        if self._may_be_any(table):
            return _error(403, f"The token lacks the scope {table}.readonly")
        return self._paged(call, table)

    def _may_be_any(self, table: str) -> bool:
        """Whether nothing is known of them: neither a switch nor a seed names any."""
        return getattr(self.switches, table) is None and not len(self.state[table].ids())

    def _list(self, call: Call, kind: Kind) -> Response:
        said = call.query.getlist("member_user_id[]") if kind.table == "spend_limits" else []
        members = {id for ids in said for id in ids.split(",")}
        hidden = "ARCHIVED" if self.switches.hides_archived else None

        def where(row: Row) -> bool:
            return row[kind.status] != hidden and (
                not members or not members.isdisjoint(row["member_user_ids"])
            )

        return self._paged(call, kind.table, where if members or hidden else None)

    def _paged(
        self, call: Call, table: str, where: Callable[[Row], bool] | None = None
    ) -> Response:
        asked = count(call.query.get("limit", "100"), 1000)
        if asked is None:
            raise _invalid("limit")
        limit = min(asked, self.switches.largest_page)
        cursor = call.query.get("cursor")
        offset = 0 if cursor is None else _offset(table, cursor)
        items, after = self.page(table, call, offset, limit, where)
        if after is None and self.switches.absent_last_cursor:
            return Response(b'{"items":%s}' % items, media_type="application/json")
        following = b"null" if after is None else b'"%s"' % _cursor(table, after)
        page = b'{"next_cursor":%s,"items":%s}' % (following, items)
        return Response(page, media_type="application/json")

    def _create(self, kind: Kind, body: Any) -> Response:
        self._check(kind.create, body)
        return self._stored(kind, _said(body))

    def _update(self, kind: Kind, id: str, body: Any) -> Response:
        row = self._row(kind, id)
        self._check(kind.update, body, id)
        said = _said(body)
        for name in ("start_date", "end_date", "transaction_limit"):
            if said.pop(f"set_{name}_null", False):
                said[name] = None
        if self.switches.null_clears and kind.table == "budgets":
            nulls = (name for name, value in body.items() if value is None)
            said |= {name: kind.blank[name] for name in nulls if not kind.blank.get(name, True)}
        if settings := said.get("authorization_settings"):
            whole = (row["authorization_settings"] or {}) | settings
            if any(whole.get(name) is None for name in SETTINGS.required):
                raise _invalid("authorization_settings")
            said["authorization_settings"] = whole
        return self._stored(kind, row | said)

    def _archive(self, kind: Kind, id: str) -> Response:
        row = self._row(kind, id)
        if self.switches.archives_once and row[kind.status] == "ARCHIVED":
            return _error(409, "It is archived already")
        self._put_away(kind, row)
        return Response()

    def _put_away(self, kind: Kind, row: Row) -> None:
        self.state[kind.table].put({**row, kind.status: "ARCHIVED"})
        if kind.table == "budgets" and self.switches.archives_below:
            for each in KINDS.values():
                for below in self.state[each.table].rows():
                    if below["parent_budget_id"] == row["budget_id"]:
                        self._put_away(each, below)

    def _stored(self, kind: Kind, row: Row) -> Response:
        if self.switches.tidies:
            owners = row.get("owner_user_ids") or [self.switches.users[0]]
            row = row | {"name": row["name"].strip(), "owner_user_ids": owners}
        row = self.completed(kind.table, row)
        self.state[kind.table].put(row)
        return self._shown(kind, row)

    def _check(self, shape: Shape, body: Any, id: str | None = None) -> None:
        if wrong := shape.wrong(body):
            raise _invalid(wrong)
        parent = body.get("parent_budget_id")
        line = [row["budget_id"] for row in self._line(parent)]
        if parent is not None and (not line or id in line):
            raise _invalid("parent_budget_id")
        for name in ("owner_user_ids", "member_user_ids"):
            unknown = any(id not in self.state["users"] for id in body.get(name) or ())
            if unknown and self.switches.known_users_only:
                raise _invalid(name)
        for field, table in _THINGS_NAMED.items():
            said = body.get(field)
            if said is not None and not self._may_be_any(table) and said not in self.state[table]:
                raise _invalid(field)

    def _line(self, budget_id: str | None) -> Iterator[Row]:
        """A budget, its parent, and so on up to the root."""
        while budget_id and (row := self.state["budgets"].get(budget_id)):
            yield row
            budget_id = row["parent_budget_id"]

    def _spend(self, body: Any) -> Row:
        limit = self.state["spend_limits"].get(body["spend_limit_id"])
        if limit is None:
            raise ValueError(f"there is no spend limit {body['spend_limit_id']}")
        above = self._line(limit["parent_budget_id"])
        statuses = {limit["status"], *(row["spend_budget_status"] for row in above)}
        if "ARCHIVED" in statuses:
            raise ValueError("the spend limit, or a budget above it, is archived")
        balance = limit["current_period_balance"]
        spent = balance["amount_spent"]
        spent = spent | {"amount": spent["amount"] + body["amount"]}
        row = limit | {"current_period_balance": balance | {"amount_spent": spent}}
        self.state["spend_limits"].put(row)
        return row


def _said(body: Row) -> Row:
    """What was said in so many words: without nulls, and money with its currency."""
    said = {name: value for name, value in body.items() if value is not None}
    for name, value in said.items():
        if isinstance(value, dict):
            said[name] = {"currency": "USD"} | _said(value) if "amount" in value else _said(value)
    return said


def _derived(limit: Row) -> Row:
    """The fields of a spend limit that follow from others, or that only spending moves."""
    start, end, settings = limit["start_date"], limit["end_date"], limit["authorization_settings"]
    base = settings and settings.get("base_limit")
    nothing = {"amount": 0, "currency": base["currency"] if base else "USD"}
    balance = dict.fromkeys(("start_date", "end_date", "start_time", "end_time"))
    return {
        "start_time_utc": start and f"{start}T00:00:00Z",
        "end_time_utc": end and f"{end}T23:59:59Z",
        "authorization_settings": settings
        and {"limit_buffer_percentage": None, **settings, "limit_with_increases": base},
        "current_period_balance": limit["current_period_balance"]
        or {**balance, "amount_spent": nothing, "rollover_amount": nothing},
    }


def _cursor(table: str, offset: int) -> bytes:
    return base64.urlsafe_b64encode(f"{table}:{offset}".encode())


def _offset(table: str, cursor: str) -> int:
    try:
        within, _, offset = base64.urlsafe_b64decode(cursor).decode().partition(":")
        if within == table:
            return int(offset)
    except ValueError:
        pass
    raise _invalid("cursor")
