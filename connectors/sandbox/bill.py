"""BILL Spend & Expense: budgets, their members and users, v3, as the vendor's pages have them.

Source: developer.bill.com, "Budgets and Users", the reference of /v3/spend, rate limits, lists and
error codes, in November 2026. What those leave open is a switch; the default is what fits best.
Not here: members/bulk, changing users, cards, transactions, custom fields.
"""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from starlette.responses import Response

from connectors.sandbox.api import Call, Refused, Sandbox, reply
from connectors.sandbox.bill_lists import (
    Filter,
    filters,
    holds,
    in_order,
    page_size,
    place,
    token,
)
from connectors.sandbox.bill_wire import (
    BLANK_BUDGET,
    BLANK_MEMBER,
    BUDGET_CREATE,
    BUDGET_UPDATE,
    MEMBER,
    USER,
    BillSwitches,
    answered,
    budget_rules,
    checked,
    errors,
    failures,
    member_rules,
    new_period,
    opaque,
    refused,
    with_money,
)
from connectors.sandbox.faults import Fault
from connectors.sandbox.fields import Shape
from connectors.sandbox.state import Row, dumps, loads


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
            return {"_id": f"{row['_budget']}/{row['userId']}", **BLANK_MEMBER, **row}
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

    def answer(self, call: Call) -> Response:
        if call.headers.get("apitoken") != self.token:
            raise Refused(self.refusal(401))
        self._reset()
        match call.method, call.path.split("/"):
            case "GET", ["", "v3", "spend", ("budgets" | "users") as table]:
                return self._list(call, table, self.state[table].rows())
            case "POST", ["", "v3", "spend", "budgets"]:
                return self._create(_body(call))
            case "POST", ["", "v3", "spend", "users"]:
                return self._create_user(_body(call))
            case "GET", ["", "v3", "spend", "users", "current"]:
                return self._shown("users", self.state["users"].rows()[0])
            case "GET", ["", "v3", "spend", ("budgets" | "users") as table, id]:
                return self._shown(table, self._row(table, id))
            case "PATCH", ["", "v3", "spend", "budgets", id]:
                return self._update(self._row("budgets", id), _body(call))
            case "DELETE", ["", "v3", "spend", "budgets", id]:
                return self._retire("budgets", self._row("budgets", id))
            case "GET", ["", "v3", "spend", "budgets", id, "members"]:
                return self._list(call, "members", self._members(self._row("budgets", id)["id"]))
            case "GET", ["", "v3", "spend", "budgets", id, "members", user]:
                return self._shown("members", self._member(id, user))
            case "PUT", ["", "v3", "spend", "budgets", id, "members", user]:
                return self._put(self._row("budgets", id), self._row("users", user), _body(call))
            case "DELETE", ["", "v3", "spend", "budgets", id, "members", user]:
                return self._retire("members", self._member(id, user))
        raise refused(404, "Not Found")

    # -- reading -----------------------------------------------------------------------------

    def _row(self, table: str, id: str) -> Row:
        rows = self.state[table]
        found = rows.get(id) or next((row for row in rows.rows() if row.get("uuid") == id), None)
        if found is None:
            raise refused(404, f"There is no {table[:-1]} {id}")
        return found

    def _members(self, budget: str) -> list[Row]:
        return [row for row in self.state["members"].rows() if row["_budget"] == budget]

    def _member(self, budget: str, user: str) -> Row:
        id = f"{self._row('budgets', budget)['id']}/{self._row('users', user)['id']}"
        found = self.state["members"].get(id)
        if found is None:
            raise refused(404, f"{user} is no member of {budget}")
        return found

    def _shown(self, table: str, row: Row, status: int = 200) -> Response:
        return reply(self._said(table, row), status)

    def _said(self, table: str, row: Row) -> Row:
        said = {name: value for name, value in row.items() if not name.startswith("_")}
        if not self.switches.uuids:
            said = {name: said[name] for name in said if name not in ("uuid", "userUuid")}
        if table == "budgets":
            above = self.state["budgets"].get(said.get("parentBudgetId") or "")
            if above and self.switches.parent_as_uuid:
                said["parentBudgetId"] = above["uuid"]
            if self.switches.hides_parent:
                said.pop("parentBudgetId", None)
        if self.switches.money_as_text:
            return json.loads(dumps(said), parse_float=str)  # type: ignore[no-any-return]
        return said

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
        rows = [row for row in rows if self._matches(table, row, where)]
        rows = in_order(table, rows, query.get("sort", ""))
        limit = min(page_size(query), self.switches.largest_page)
        end = len(rows) + self.switches.empty_last_page
        after = offset + limit if offset + limit < end else None
        if self._due(Fault.REPEAT_CURSOR, call):
            after = offset or limit
        page = {
            "results": [self._said(table, row) for row in rows[offset : offset + limit]],
            "nextPage": token(after, query) if after else _LAST[self.switches.last_page],
            "prevPage": token(max(0, offset - limit), query) if offset else None,
        }
        if after is None and self.switches.last_page == "absent":
            del page["nextPage"]
        return reply(page)

    def _matches(self, table: str, row: Row, where: Collection[Filter]) -> bool:
        retired = {value for field, _, value in where if field == "retired"}
        if self.switches.ignores_retired or not retired:
            retired = {"false"} if self.switches.hides_retired else {"false", "true"}
        is_retired = row.get("retired", False)
        if str(is_retired).lower() not in retired:
            return False
        if table == "budgets" and self.switches.blind and not is_retired:
            return False
        if self.switches.ignores_filters:
            return True
        return all(holds(row, *each) for each in where if each[0] != "retired")

    # -- writing -----------------------------------------------------------------------------

    def _create(self, body: Row) -> Response:
        said = _taken(BUDGET_CREATE, body)
        checked(budget_rules(said, {**BLANK_BUDGET, **said}, creates=True))
        if above := said.get("parentBudgetId"):
            found = next((row for row in self.state["budgets"].rows() if _is(row, above)), None)
            if found is None or not found["budgetGroup"] or found["retired"]:
                raise refused(400, "parentBudgetId: must be a budget group")
            said["parentBudgetId"] = found["id"]
        people = {}
        for field, role in _ROLES.items():
            for id in said.get(field, ()):
                user = next((row for row in self.state["users"].rows() if _is(row, id)), None)
                if user is None:
                    raise refused(400, f"{field}: {id} is unknown")
                people[user["id"]] = user, role
        checked([] if said["owners"] else ["owners: must not be empty"])
        if self.switches.trims_names:
            said["name"] = said["name"].strip()
        row = self.completed("budgets", with_money(said))
        self.state["budgets"].put(row)
        for user, role in people.values():
            self._join(row, user, {"budgetRole": role})
        return self._shown("budgets", self._row("budgets", row["id"]), self.switches.created)

    def _create_user(self, body: Row) -> Response:
        said = _taken(USER, body)
        if any(row["email"] == said["email"] for row in self.state["users"].rows()):
            raise refused(400, "email: is in use")
        row = self.completed("users", said)
        self.state["users"].put(row)
        return self._shown("users", row, self.switches.created)

    def _update(self, row: Row, body: Row) -> Response:
        said = with_money(_taken(BUDGET_UPDATE, body))
        if row["retired"]:
            raise refused(400, "budgetId: is retired")
        whole, period = {**row, **said}, row["currentPeriod"]
        if "expirationDate" in body:
            whole["expirationDate"] = body["expirationDate"]
        checked(budget_rules(said, whole, creates=False))
        if whole["recurringInterval"] != row["recurringInterval"]:
            whole = {name: whole[name] for name in whole if name != "recurMonth"} | said
            period = {
                **self._period(whole),
                "limit": period["limit"],
                "assigned": period["assigned"],
            }
        money = {name: said[name] for name in ("limit", "overspendBuffer") if name in said}
        row = answered({**whole, "currentPeriod": {**period, **money}})
        self.state["budgets"].put(row)
        return self._shown("budgets", row)

    def _put(self, budget: Row, user: Row, body: Row) -> Response:
        said = _taken(MEMBER, body)
        if budget["retired"] or user["retired"]:
            raise refused(400, "the budget or the user is retired")
        before = self.state["members"].get(f"{budget['id']}/{user['id']}") or {}
        recurs = budget["recurringInterval"] != "NONE"
        shares = said.get("shareBudgetFunds", before.get("shareBudgetFunds", False))
        checked(member_rules({**said, "shareBudgetFunds": shares}, recurs=recurs))
        kept = "MEMBER" if self.switches.put_resets_role else before.get("budgetRole", "MEMBER")
        row = {"shareBudgetFunds": shares, "budgetRole": said.get("role", kept), "retired": False}
        limits = {name: said.get(name) for name in ("limit", "recurringLimit")}
        stored = self._join(budget, user, {**before, **row, **with_money(limits)})
        return self._shown("members", stored)

    def _join(self, budget: Row, user: Row, said: Row) -> Row:
        who = {"userId": user["id"], "name": f"{user['firstName']} {user['lastName']}"}
        if "uuid" in user:
            who["userUuid"] = user["uuid"]
        recurs = budget["recurringInterval"] != "NONE"
        row = self.completed(
            "members", {"_budget": budget["id"], "recurring": recurs, **who, **said}
        )
        self.state["members"].put(row)
        self._assign(budget["id"])
        return row

    def _assign(self, budget: str) -> None:
        row = self._row("budgets", budget)
        shares = [each["limit"] or 0 for each in self._members(budget) if not each["retired"]]
        period = {**row["currentPeriod"], "assigned": sum(shares, Decimal())}
        self.state["budgets"].put({**row, "currentPeriod": period})

    def _retire(self, table: str, row: Row) -> Response:
        if row["retired"]:
            if self.switches.second_delete != 200:
                raise refused(self.switches.second_delete, f"This {table[:-1]} is retired")
        elif table == "members" and self.switches.forgets_members:
            self.state[table].remove(row["_id"])
        else:
            self.state[table].put({**row, "retired": True})
        if table == "members":
            self._assign(row["_budget"])
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
            buffer = old["overspendBuffer"]
            new = self._period({**row, "limit": row["recurringLimit"], "overspendBuffer": buffer})
            if new["startDate"] == old["startDate"]:
                continue
            self.state["budgets"].put({**row, "currentPeriod": new})
            for member in self._members(row["id"]):
                limit = member["recurringLimit"]
                self.state["members"].put({**member, "limit": limit, "spent": Decimal()})
            self._assign(row["id"])

    def _clock(self, body: Any) -> str:
        self._now = datetime.fromisoformat(body["now"])
        self._reset()
        return self._now.isoformat()

    def _spend(self, body: Any) -> Row:
        row, amount = self.state["budgets"].get(body["budgetId"]), Decimal(body["amount"])
        if row is None or row["retired"]:
            raise ValueError(f"there is no budget {body['budgetId']} in use")
        spent = {**row["currentPeriod"]["spent"]}
        spent |= {name: spent[name] + amount for name in ("cleared", "total")}
        row = {**row, "currentPeriod": {**row["currentPeriod"], "spent": spent}}
        self.state["budgets"].put(row)
        if user := body.get("userId"):
            member = self._member(row["id"], user)
            self.state["members"].put({**member, "spent": member["spent"] + amount})
        return row


_QUERY = ("max", "sort", "filters")
_LAST = {"null": None, "empty": "", "absent": None}
_ROLES = {"observers": "OBSERVER", "members": "MEMBER", "owners": "OWNER"}


def _body(call: Call) -> Any:
    try:
        return loads(call.body)
    except ValueError:
        raise refused(400, "body: is not JSON") from None


def _taken(shape: Shape, body: Any) -> Row:
    """What a request says in so many words; fields that BILL does not know are ignored."""
    checked(failures(shape, body))
    return {name: body[name] for name in shape.checks if body.get(name) is not None}


def _is(row: Row, id: str) -> bool:
    return id in (row["id"], row.get("uuid"))
