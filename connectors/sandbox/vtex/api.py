"""VTEX: budgets and allocations of organization units, as the vendor's OpenAPI document has them.

Source: the Budgets API document of May 2026, VTEX's guides on budgets, authentication and response
codes, and the answers recorded in its Postman collection.
What those leave open is a switch; the default is what fits the rest best.
Of the neighbours there are the login that exchanges keys for a token, and the list of units.
"""

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, ClassVar

from starlette.responses import Response

from connectors.sandbox.api import Call, Refused, Sandbox, reply
from connectors.sandbox.fields import count
from connectors.sandbox.state import Row, loads
from connectors.sandbox.vtex import wire as wire
from connectors.sandbox.vtex.allocations import Allocations
from connectors.sandbox.vtex.movements import Movements
from connectors.sandbox.vtex.switches import VtexSwitches
from connectors.sandbox.vtex.wire import body_of, error, said_for


class VtexSandbox(Sandbox):
    """An account with its units, and nothing in them.

    `POST /_sandbox/spend {"allocation_id", "amount"}` books an order; `POST /_sandbox/renew
    {"budget_id"}` ends a cycle and starts the next.
    """

    CREDENTIAL = "app_token_sandbox"
    RATE_LIMIT = "20/1s"
    ID_FIELDS: ClassVar[Mapping[str, str]] = {
        "budgets": "id", "allocations": "id", "movements": "id", "tokens": "token",
    }  # fmt: skip
    PROMPT = ("tokens",)
    Switches = VtexSwitches
    switches: VtexSwitches

    @cached_property
    def _movements(self) -> Movements:
        return Movements(self.state, self.switches, self._paged)

    @cached_property
    def _allocations(self) -> Allocations:
        return Allocations(self.state, self.switches, self._paged, self.completed)

    def fresh(self) -> Mapping[str, Collection[Row]]:
        return {}

    def completed(self, table: str, row: Row) -> Row:
        if table in ("movements", "tokens"):
            return row
        unit = {"contextType": "UNIT", "contextId": self.switches.units[0], "status": "ACTIVE"}
        id = row.get("id") or self.state.new_id(table[:-1])
        amount = row.get("amount", 0)
        balance = {"amount": amount, "balanceAdjustment": 0, "remaining": amount}
        whole = {"id": id, **unit, "balance": balance, **row}
        whole.pop("amount", None)
        return whole

    def newcomer(self, table: str) -> Row:
        return self.completed(table, {"name": "Newcomer", "description": ""})

    def every_answer(self) -> Mapping[str, str]:
        return {"trace-id": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}

    def refusal(self, status: int) -> Response:
        return error(status)

    def controls(self) -> Mapping[str, Callable[[Any], Any]]:
        return {"spend": self._movements.spend, "renew": self._renew}

    def answer(self, call: Call) -> Response:
        match call.method, call.path.removesuffix("/").split("/")[1:]:
            case "POST", ["api", "vtexid", "apptoken", "login"]:
                return self._login(call)
            case "GET", ["api", "organization-units", "v1"]:
                self._authorize(call, reads=True)
                offset, size = self._asked(call)
                units = self.switches.units[offset : offset + size]
                return reply([{"id": unit, "name": unit.title()} for unit in units])
            case _, ["api", "budgets", "UNIT", unit, *rest]:
                self._authorize(call, reads=call.method == "GET")
                if unit not in self.switches.units:
                    return error(404)
                return self._within(call, unit, rest)
        return error(404)

    def _within(self, call: Call, unit: str, rest: list[str]) -> Response:
        match call.method, rest:
            case "GET", []:
                return self._listed(call, unit)
            case "POST", []:
                return self._create_budget(call, unit)
            case "POST", ["allocations", "query"]:
                return self._movements.query(call, unit)
            case _, [id, *rest]:
                budget = self.state["budgets"].get(id)
                if budget is None or budget["contextId"] != unit:
                    return error(404, "Budget not found.")
                return self._on_budget(call, budget, rest)
        return error(405)

    def _on_budget(self, call: Call, budget: Row, rest: list[str]) -> Response:
        match call.method, rest:
            case "GET", []:
                return self._shown(budget)
            case "PUT", []:
                return self._update_budget(call, budget)
            case "PUT", ["status"]:
                status = body_of(wire.STATUS, call)
                self._put(budget | status)
                return said_for("update-budget-activation", status, self.switches)
            case "DELETE", []:
                return self._purge(budget)
            case "GET", ["statements"]:
                return self._movements.statements(call, budget)
            case _, ["allocations", *rest]:
                return self._allocations.answer(call, budget, rest)
        return error(404)

    def _login(self, call: Call) -> Response:
        try:
            said = call.sent()
        except ValueError:
            return error(400)
        if said != {"appkey": self.switches.app_key, "apptoken": self.token}:
            return error(401)
        if self.switches.login == "refused":
            return error(400)
        expires = int(time.time()) + self.switches.token_seconds
        token = {"token": f"eyJ{secrets.token_hex(24)}", "expires": expires}
        self.state["tokens"].put(token)
        if self.switches.login == "tokenless":
            return reply({"authStatus": "Success"})
        said = {"authStatus": "Success", **token}
        return reply({"data": said} if self.switches.login == "wrapped" else said)

    def _authorize(self, call: Call, *, reads: bool) -> None:
        said = call.headers.get("vtexidclientautcookie", "")
        issued = self.state["tokens"].get(said)
        if said == self.switches.reader and not reads:
            raise Refused(error(403))
        if said in (self.switches.user_token, self.switches.reader):
            return
        if issued and issued["expires"] > time.time():
            return
        pair = [call.headers.get(f"x-vtex-api-{name}") for name in ("appkey", "apptoken")]
        if pair != [self.switches.app_key, self.token] or self.switches.tokens_only:
            raise Refused(error(401))

    def _asked(self, call: Call) -> tuple[int, int]:
        page, size = (call.query.get(name, default) for name, default in _PAGE.items())
        at, asked = count(page, 10**9), count(size, 10**9)
        if at is None or asked is None:
            raise Refused(error(400, "Invalid request parameters."))
        limit = min(asked, self.switches.largest_page)
        return (at - 1) * limit, limit

    def _paged(
        self,
        call: Call,
        table: str,
        where: Callable[[Row], bool],
        key: str,
        show: Callable[[Row], Row],
    ) -> Row:
        offset, size = self._asked(call)
        rows, after = self.page(table, call, offset, size, where)
        results, current = len(self.state[table].ids(where)), offset // size + 1
        pages = max(-(-results // size), 0 if after is None else current + 1)
        return {
            "pagination": {"current": current, "pages": pages, "results": results},
            key: [show(row) for row in loads(rows)],
        }

    def _listed(self, call: Call, unit: str) -> Response:
        asked = call.query
        try:
            low, high = (Decimal(asked.get(name, default)) for name, default in _AMOUNTS.items())
        except InvalidOperation:
            raise Refused(error(400, "Invalid request parameters.")) from None

        def where(row: Row) -> bool:
            return (
                row["contextId"] == unit
                and low <= row["balance"]["amount"] <= high
                and row["status"] == asked.get("status", row["status"])
                and asked.get("name", "").casefold() in row["name"].casefold()
            )

        page = self._paged(call, "budgets", where, "items", self._summary)
        return said_for("list-budgets", page, self.switches)

    def _summary(self, row: Row) -> Row:
        return wire.summary(row, legacy=self.switches.legacy_lists)

    def _shown(self, budget: Row) -> Response:
        said = wire.shown_budget(budget)
        if not self.switches.bare_budgets:
            said["allocations"] = self._shares(budget)
        return said_for("budget", said, self.switches)

    def _shares(self, budget: Row) -> list[Row]:
        return [self._allocations.shown(row) for row in self._allocations.within(budget["id"])]

    def _create_budget(self, call: Call, unit: str) -> Response:
        body = self._tidied(body_of(wire.BUDGET, call))
        shares = body.pop("allocations", None) or ()
        budget = self._put(self.completed("budgets", body | {"contextId": unit}))
        for share in shares:
            self._allocations.create(share, budget)
        said = wire.shown_budget(budget)
        if shares:
            said["allocations"] = self._shares(budget)
        return said_for("", said, self.switches, created=True)

    def _update_budget(self, call: Call, budget: Row) -> Response:
        body = self._tidied(body_of(wire.BUDGET_UPDATE, call))
        optional = ("cycleConfiguration", "notificationSettings")
        row = wire.replaced(budget, body, optional, clears=self.switches.put_clears)
        old, new = budget.get("cycleConfiguration"), row.get("cycleConfiguration")
        if self.switches.keeps_end and old and new and "endDate" not in new and "endDate" in old:
            row["cycleConfiguration"] = new | {"endDate": old["endDate"]}
        if not self._allocations.fit(row, self._allocations.within(row["id"])):
            return error(409)
        self._put(row)
        return said_for("budget", wire.shown_budget(row) | {"allocations": []}, self.switches)

    def _purge(self, budget: Row) -> Response:
        shares = self._allocations.within(budget["id"])
        alive = [row for row in shares if row["status"] != "DELETED"]
        moved = any(row["budgetId"] == budget["id"] for row in self.state["movements"].rows())
        if (alive or moved) and not self.switches.deletes_all:
            return error(409, "Cannot delete resource due to existing dependencies.")
        for share in shares:
            self.state["allocations"].remove(share["id"])
        self.state["budgets"].remove(budget["id"])
        return Response()

    def _renew(self, body: Any) -> Row:
        budget = self.state["budgets"].get(body["budget_id"])
        cycle = budget and budget.get("cycleConfiguration")
        if not budget or not cycle or not cycle["autoResetOnPeriodEnd"]:
            raise ValueError("there is no such budget, or it does not renew")
        amount = budget["balance"]["amount"]
        left = budget["balance"]["remaining"] if cycle["carryOverBalance"] else 0
        balance = {"amount": amount, "balanceAdjustment": -left, "remaining": amount + left}
        if self.switches.moves_cycles:
            start, end = (wire.moment(cycle[name]) for name in ("startDate", "endDate"))
            cycle = cycle | {"startDate": wire.stamp(end), "endDate": wire.stamp(_next(start, end))}
        return self._put(budget | {"balance": balance, "cycleConfiguration": cycle})

    def _put(self, budget: Row) -> Row:
        self.state["budgets"].put(budget)
        return budget

    def _tidied(self, body: Row) -> Row:
        said = wire.spoken(body)
        return said | {"name": said["name"].strip()} if self.switches.tidies else said


_PAGE = {"page": "1", "pageSize": "20"}
_AMOUNTS = {"minAmount": "-Infinity", "maxAmount": "Infinity"}


def _next(start: datetime, end: datetime) -> datetime:
    """The end of the cycle that follows: as many months later, or as many days."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if not months or start.day != end.day:
        return end + (end - start)
    index = end.year * 12 + end.month - 1 + months
    return end.replace(year=index // 12, month=index % 12 + 1)
