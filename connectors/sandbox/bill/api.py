"""BILL Spend & Expense: budgets, their members and users, v3, as the vendor's pages have them.

Source: developer.bill.com, "Budgets and Users", the reference of /v3/spend, rate limits, lists and
error codes, in November 2026. What those leave open is a switch; the default is what fits best.
Not here: changing users, cards, transactions, custom fields.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from starlette.responses import Response

from connectors.sandbox.api import Call, Refused, Sandbox, reply
from connectors.sandbox.bill.lists import filters, in_order, page, page_size, place, shown
from connectors.sandbox.bill.members import Members, member
from connectors.sandbox.bill.periods import new_period, with_spent
from connectors.sandbox.bill.wire import (
    BLANK_BUDGET,
    BUDGET_CREATE,
    BUDGET_UPDATE,
    USER,
    BillSwitches,
    answered,
    body_of,
    budget_rules,
    checked,
    errors,
    opaque,
    refused,
    spelled,
    taken,
    with_money,
)
from connectors.sandbox.faults import Fault
from connectors.sandbox.state import Row


class BillSandbox(Sandbox):
    """A company in which Ada made the token, Grace is a member, and there is no budget.

    `POST /_sandbox/spend {"budgetId", "amount", "userId"?}` spends; `POST /_sandbox/clock {"now"}`
    moves the time and resets the budgets whose period is over.
    """

    CREDENTIAL = "bill_sandbox_token"
    RATE_LIMIT = "60/1m"
    ID_FIELDS: ClassVar[Mapping[str, str]] = {"users": "id", "budgets": "id", "members": "_id"}
    Switches = BillSwitches
    switches: BillSwitches
    _now: datetime | None = None
    _reset_in: str = ""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._members = Members(self.state)

    def fresh(self) -> Mapping[str, Collection[Row]]:
        people = [("Ada", "Lovelace", "ADMIN"), ("Grace", "Hopper", "MEMBER")]
        return {
            "users": [
                {
                    "firstName": first,
                    "lastName": last,
                    "role": role,
                    "email": f"{first.lower()}@example.com",
                }
                for first, last, role in people
            ]
        }

    def completed(self, table: str, row: Row) -> Row:
        if table == "members":
            return member(row)
        whole = {**row}
        if "id" not in row:
            whole["uuid"] = self.state.new_id("bgt" if table == "budgets" else "usr")
            whole["id"] = opaque(f"{table[:-1].capitalize()}:{int(whole['uuid'][4:], 16)}")
        if table == "users":
            created = self._time().isoformat(timespec="milliseconds")
            return {"email": "", "retired": False, "createdTime": created, **whole}
        whole = {"timezone": self.switches.timezone, **BLANK_BUDGET, **whole}
        whole.setdefault("startDate", self._day(whole).isoformat())
        if "currentPeriod" not in whole:
            whole["currentPeriod"] = self._period(whole)
        return answered(whole)

    def newcomer(self, table: str) -> Row:
        return self.completed(table, {"name": "0 Newcomer", "recurringLimit": Decimal(1)})

    def refusal(self, status: int) -> Response:
        if status == 401 and self.switches.text_401:
            return Response("Unauthorized", 401, media_type="text/plain")
        message = {401: "Unauthorized", 429: "Max number of allowed requests reached: 60."}
        answer = errors(status, [message.get(status, "Something went wrong")])
        if status == 429 and self.switches.retry_after is not None:
            answer.headers["Retry-After"] = str(self.switches.retry_after)
        return answer

    def controls(self) -> Mapping[str, Callable[[Any], Any]]:
        return {"spend": self._spend, "clock": self._clock}

    def catch_up(self) -> None:
        self._reset()
        self._members.catch_up()

    def answer(self, call: Call) -> Response:
        if call.headers.get("apitoken") != self.token:
            raise Refused(self.refusal(401))
        match call.method, call.path.split("/"):
            case "GET", ["", "v3", "spend", ("budgets" | "users") as table]:
                return self._list(call, table, self.state[table].rows())
            case "POST", ["", "v3", "spend", "budgets"]:
                return self._create(body_of(call))
            case "POST", ["", "v3", "spend", "users"]:
                return self._create_user(body_of(call))
            case "GET", ["", "v3", "spend", "users", "current"]:
                return self._shown(self.state["users"].rows()[0])
            case "GET", ["", "v3", "spend", ("budgets" | "users") as table, id]:
                return self._shown(self._row(table, id))
            case "PATCH", ["", "v3", "spend", "budgets", id]:
                return self._update(self._row("budgets", id), body_of(call))
            case "DELETE", ["", "v3", "spend", "budgets", id]:
                return self._retire("budgets", self._row("budgets", id))
            case "GET", ["", "v3", "spend", "budgets", id, "members"]:
                return self._list(call, "members", self._members.of(self._row("budgets", id)))
            case "GET", ["", "v3", "spend", "budgets", id, "members", user]:
                return self._shown(self._member(id, user))
            case "PUT", ["", "v3", "spend", "budgets", id, "members", "bulk"]:
                return self._put_many(self._row("budgets", id), body_of(call))
            case "PUT", ["", "v3", "spend", "budgets", id, "members", user]:
                return self._put(id, user, body_of(call))
            case "DELETE", ["", "v3", "spend", "budgets", id, "members", user]:
                return self._retire("members", self._member(id, user))
        raise refused(404, "Not Found")

    # -- reading -----------------------------------------------------------------------------

    def _found(self, table: str, id: str) -> Row | None:
        rows = self.state[table]
        return rows.get(id) or next((row for row in rows.rows() if row.get("uuid") == id), None)

    def _row(self, table: str, id: str) -> Row:
        found = self._found(table, id)
        if found is None:
            raise refused(404, f"There is no {table[:-1]} {id}")
        return found

    def _member(self, budget: str, user: str) -> Row:
        return self._members.row(self._row("budgets", budget), self._row("users", user))

    def _shown(self, row: Row, status: int = 200) -> Response:
        return reply(self._said(row), status)

    def _said(self, row: Row) -> Row:
        return spelled(row, self.state["budgets"].get(row.get("parentBudgetId", "")), self.switches)

    def _list(self, call: Call, table: str, rows: list[Row]) -> Response:
        query = {name: call.query[name] for name in _QUERY if name in call.query}
        offset = 0
        if said := call.query.get("nextPage") or call.query.get("prevPage"):
            offset, carried = place(said)
            query = carried if self.switches.token_carries_query else query
        if offset and table != "members" and self._due(Fault.PAGE_DRIFT, call):
            self.state[table].put(self.newcomer(table), first=True)
            rows = self.state[table].rows()
        where = filters(table, query.get("filters", ""))
        rows = [row for row in rows if shown(table, row, where, self.switches)]
        rows = in_order(table, rows, query.get("sort", ""))
        limit = min(page_size(query), self.switches.largest_page)
        end = len(rows) + self.switches.empty_last_page
        after = offset + limit if offset + limit < end else None
        if self._due(Fault.REPEAT_CURSOR, call):
            after = offset or limit
        found = [self._said(row) for row in rows[offset : offset + limit]]
        before = max(0, offset - limit) if offset else None
        return reply(page(found, before, after, query, self.switches.last_page))

    # -- writing -----------------------------------------------------------------------------

    def _create(self, body: Row) -> Response:
        said = taken(BUDGET_CREATE, body)
        checked(budget_rules(said, {**BLANK_BUDGET, **said}, creates=True))
        if above := said.get("parentBudgetId"):
            found = self._found("budgets", above)
            if found is None or not found["budgetGroup"] or found["retired"]:
                raise refused(400, "parentBudgetId: must be a budget group")
            said["parentBudgetId"] = found["id"]
        people = {}
        for field, role in _ROLES.items():
            for id in said.get(field, ()):
                user = self._found("users", id)
                if user is None:
                    raise refused(400, f"{field}: {id} is unknown")
                checked([f"{field}: {id} is retired"] if user["retired"] else [])
                people[user["id"]] = user, role
        checked([] if said["owners"] else ["owners: must not be empty"])
        if self.switches.trims_names:
            said["name"] = said["name"].strip()
        row = self.completed("budgets", with_money(said))
        self.state["budgets"].put(row)
        for user, role in people.values():
            self._members.join(row, user, {"budgetRole": role})
        return self._shown(self._row("budgets", row["id"]), self.switches.created)

    def _create_user(self, body: Row) -> Response:
        said = taken(USER, body)
        in_use = any(row["email"] == said["email"] for row in self.state["users"].rows())
        if in_use and not self.switches.repeats_emails:
            raise refused(400, "email: is in use")
        row = self.completed("users", said)
        self.state["users"].put(row)
        return self._shown(row, self.switches.created)

    def _update(self, row: Row, body: Row) -> Response:
        said = with_money(taken(BUDGET_UPDATE, body))
        if row["retired"]:
            raise refused(400, "budgetId: is retired")
        whole, period = {**row, **said}, row["currentPeriod"]
        if "expirationDate" in body:
            whole["expirationDate"] = body["expirationDate"]
        checked(budget_rules(said, whole, creates=False))
        if any(whole.get(name) != row.get(name) for name in _CUT_BY):
            whole = {name: whole[name] for name in whole if name != "recurMonth"} | said
            kept = {name: period[name] for name in ("limit", "assigned")}
            period = {**self._period(whole), **kept}
        money = {name: said[name] for name in ("limit", "overspendBuffer") if name in said}
        row = answered({**whole, "currentPeriod": {**period, **money}})
        self.state["budgets"].put(row)
        return self._shown(row)

    def _put(self, budget: str, user: str, body: Row) -> Response:
        rows = self._row("budgets", budget), self._row("users", user)
        return self._shown(self._members.put(*rows, body, self.switches))

    def _put_many(self, budget: Row, body: Row) -> Response:
        rows = self._members.put_many(budget, body, partial(self._row, "users"), self.switches)
        if self.switches.bulk_answer == "members":
            return reply({"members": [self._said(row) for row in rows]})
        return Response("OK" if self.switches.bulk_answer == "text" else None)

    def _retire(self, table: str, row: Row) -> Response:
        if row["retired"]:
            if self.switches.second_delete != 200:
                raise refused(self.switches.second_delete, f"This {table[:-1]} is retired")
        elif table == "members":
            self._members.remove(row, forgets=self.switches.forgets_members)
        else:
            self.state[table].put({**row, "retired": True})
        if self.switches.delete_shows:
            return self._shown({**row, "retired": True})
        return Response(status_code=self.switches.deleted)

    # -- time and money ----------------------------------------------------------------------

    def _time(self) -> datetime:
        return self._now or self.switches.now or datetime.now(UTC)

    def _day(self, budget: Row) -> date:
        return self._time().astimezone(ZoneInfo(budget["timezone"])).date()

    def _period(self, budget: Row) -> Row:
        said = budget.get("limit", Decimal()), budget.get("overspendBuffer", Decimal())
        return new_period(budget, self._day(budget), *said, end=self.switches.end_date)

    def _reset(self) -> None:
        """Begin the next period of each budget whose own is over; looked at once an hour."""
        hour = self._time().isoformat()[:13]
        if hour == self._reset_in:
            return
        self._reset_in = hour
        for row in self.state["budgets"].rows():
            old = row["currentPeriod"]
            if row["recurringInterval"] == "NONE" or row["retired"]:
                continue
            new = self._period({**old, **row, "limit": row["recurringLimit"]})
            if new["startDate"] != old["startDate"]:
                self.state["budgets"].put({**row, "currentPeriod": new})
                self._members.renew(row["id"])

    def _clock(self, body: Any) -> str:
        self._now = datetime.fromisoformat(body["now"])
        self._reset()
        return self._now.isoformat()

    def _spend(self, body: Any) -> Row:
        row, amount = self.state["budgets"].get(body["budgetId"]), Decimal(body["amount"])
        if row is None or row["retired"]:
            raise ValueError(f"there is no budget {body['budgetId']} in use")
        row = {**row, "currentPeriod": with_spent(row["currentPeriod"], amount)}
        self.state["budgets"].put(row)
        if user := body.get("userId"):
            self._members.spend(row, self._row("users", user), amount)
        return row


_QUERY = ("max", "sort", "filters")
_CUT_BY = ("recurringInterval", "recurMonth")
_ROLES = {"observers": "OBSERVER", "members": "MEMBER", "owners": "OWNER"}
