"""VTEX: budgets and allocations of organization units, as the vendor's OpenAPI document has them.

Source: the Budgets API document of May 2026, VTEX's guides on budgets, authentication and response
codes, and the answers recorded in its Postman collection.
What those leave open is a switch; the default is what fits the rest best.
Of the neighbours there are the login that exchanges keys for a token, and the list of units.
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from pydantic import Field
from starlette.responses import Response

from connectors.sandbox import vtex_wire as wire
from connectors.sandbox.api import Call, Refused, Sandbox, SandboxSwitches, reply
from connectors.sandbox.state import Row, loads
from connectors.sandbox.vtex_movements import Movements
from connectors.sandbox.vtex_wire import body_of, error


class VtexSwitches(SandboxSwitches):
    """Where VTEX's pages are silent, and where builds and accounts differ."""

    app_key: str = Field("app_key_sandbox", description="The key that the token belongs to.")
    user_token: str = Field("user_token_sandbox", description="A user's token.")
    reader: str = Field("user_token_readonly", description="A user's token with ViewBudget only.")
    tokens_only: bool = Field(False, description="Budgets take a user's token and no key pair.")
    token_seconds: int = Field(86_400, description="How long an exchanged token lives.")
    units: tuple[str, ...] = Field(("unit-first",), min_length=1, description="The units.")
    created_is_201: bool = Field(False, description="A create is answered 201, not 200.")
    plain_types: bool = Field(False, description="All answers are application/json.")
    legacy_lists: bool = Field(False, description="Summaries as older builds have them.")
    bare_budgets: bool = Field(False, description="A budget does not show its allocations.")
    array_alerts: bool = Field(False, description="Allocations show alerts in the array form.")
    put_clears: bool = Field(False, description="PUT empties optional objects that are left out.")
    keeps_end: bool = Field(False, description="A cycle without an end date keeps the old one.")
    moves_cycles: bool = Field(False, description="A renewal moves the dates of the cycle.")
    hides_deleted: bool = Field(False, description="Deleted allocations are shown nowhere.")
    twins: bool = Field(False, description="One entity may have several allocations of a budget.")
    deletes_all: bool = Field(False, description="A budget goes with what hangs on it; else 409.")
    gone_is_409: bool = Field(False, description="Deleting a deleted allocation is 409, not 404.")
    adds_up: bool = Field(False, description="An allocation's amount moves its budget's total.")
    capitals: bool = Field(False, description="Types of linked entities are put in capitals.")
    tidies: bool = Field(False, description="Names are trimmed.")
    largest_page: int = Field(1000, ge=1, description="No page holds more, whatever is asked.")


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
    Switches = VtexSwitches
    switches: VtexSwitches
    _index: tuple[Any, int, Mapping[str, list[Row]]] = (None, 0, {})

    @property
    def _movements(self) -> Movements:
        return Movements(self.state, self._paged)

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
        match call.method, call.path.split("/")[1:]:
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
                return self._listed(call, "budgets", self._budget_filter(call, unit))
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
                return self._set_status(call, "budgets", budget)
            case "DELETE", []:
                return self._purge(budget)
            case "GET", ["statements"]:
                return self._movements.statements(call, budget)
            case "GET", ["allocations"]:
                return self._listed(call, "allocations", self._share_filter(call, budget))
            case "POST", ["allocations"]:
                made = self._create_share(body_of(wire.ALLOCATION, call), budget)
                return self._said("allocation", self._share(made), created=True)
            case "POST", ["allocations", "batch"]:
                return self._batch(call, budget)
            case _, ["allocations", id, *rest]:
                share = self.state["allocations"].get(id)
                hidden = share and share["status"] == "DELETED" and self.switches.hides_deleted
                if share is None or share["budgetId"] != budget["id"] or hidden:
                    return error(404)
                return self._on_share(call, share, rest)
        return error(404)

    def _on_share(self, call: Call, share: Row, rest: list[str]) -> Response:
        if share["status"] == "DELETED" and call.method != "GET":
            gone = call.method == "DELETE" and not self.switches.gone_is_409
            return error(404 if gone else 409)
        match call.method, rest:
            case "GET", []:
                return self._said("", self._share(share))
            case "PUT", []:
                return self._update_share(call, share)
            case "PUT", ["linked-entity"]:
                link = body_of(wire.LINK, call)
                entity = {"id": link["linkedEntityId"], "type": link["linkedEntityType"]}
                self._put("allocations", share | self._linked(entity, share))
                return Response()
            case "PUT", ["status"]:
                return self._set_status(call, "allocations", share)
            case "DELETE", []:
                self._put("allocations", share | {"status": "DELETED"})
                return Response()
            case _, ["usage" | "transactions" | "reservations" | "statements", *_]:
                return self._movements.on_share(call, share, rest)
        return error(404)

    def _login(self, call: Call) -> Response:
        if loads(call.body) != {"appkey": self.switches.app_key, "apptoken": self.token}:
            return error(401)
        expires = int(time.time()) + self.switches.token_seconds
        token = {"token": f"eyJ{secrets.token_hex(24)}", "expires": expires}
        self.state["tokens"].put(token)
        return reply({"authStatus": "Success", **token})

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

    def _said(self, kind: str, row: Any, *, created: bool = False) -> Response:
        said = wire.said("" if self.switches.plain_types else kind, row)
        said.status_code = 201 if created and self.switches.created_is_201 else 200
        return said

    def _shown(self, budget: Row) -> Response:
        said = wire.shown_budget(budget)
        if not self.switches.bare_budgets:
            said["allocations"] = [self._share(row) for row in self._shares(budget)]
        return self._said("budget", said)

    def _share(self, share: Row) -> Row:
        said = wire.shown_allocation(share)
        settings = said.get("notificationSettings")
        if self.switches.array_alerts and isinstance(settings, dict):
            told = [{"email": each["identifier"]} for each in settings.get("recipients", ())]
            said["notificationSettings"] = [
                {"type": each["type"], "threshold": each["Value"], "recipients": told}
                for each in settings.get("thresholds", ())
            ]
        return said

    def _shares(self, budget: Row) -> list[Row]:
        hidden = "DELETED" if self.switches.hides_deleted else None
        table = self.state["allocations"]
        if self._index[:2] != (table, table.changes):
            within = defaultdict(list)
            for row in table.rows():
                within[row["budgetId"]].append(row)
            self._index = table, table.changes, within
        return [row for row in self._index[2].get(budget["id"], ()) if row["status"] != hidden]

    def _asked(self, call: Call) -> tuple[int, int]:
        page, size = (call.query.get(name, default) for name, default in _PAGE.items())
        if not (page.isdecimal() and size.isdecimal() and int(page) and int(size)):
            raise Refused(error(400, "Invalid request parameters."))
        limit = min(int(size), self.switches.largest_page)
        return (int(page) - 1) * limit, limit

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

    def _listed(self, call: Call, table: str, where: Callable[[Row], bool]) -> Response:
        legacy = self.switches.legacy_lists
        page = self._paged(
            call, table, where, "items", lambda row: wire.summary(row, legacy=legacy)
        )
        return self._said("list-budgets" if table == "budgets" else "list-allocation", page)

    def _budget_filter(self, call: Call, unit: str) -> Callable[[Row], bool]:
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

        return where

    def _create_budget(self, call: Call, unit: str) -> Response:
        body = self._tidied(body_of(wire.BUDGET, call))
        shares = body.pop("allocations", None) or ()
        budget = self._put("budgets", self.completed("budgets", body | {"contextId": unit}))
        for share in shares:
            self._create_share(share, budget)
        said = wire.shown_budget(budget)
        if shares:
            said["allocations"] = [self._share(row) for row in self._shares(budget)]
        return self._said("", said, created=True)

    def _update_budget(self, call: Call, budget: Row) -> Response:
        body = self._tidied(body_of(wire.BUDGET_UPDATE, call))
        row = self._replaced(budget, body, ("cycleConfiguration", "notificationSettings"))
        old, new = budget.get("cycleConfiguration"), row.get("cycleConfiguration")
        if self.switches.keeps_end and old and new and "endDate" not in new and "endDate" in old:
            row["cycleConfiguration"] = new | {"endDate": old["endDate"]}
        self._put("budgets", row)
        return self._said("budget", wire.shown_budget(row) | {"allocations": []})

    def _purge(self, budget: Row) -> Response:
        shares = [row for row in self._shares(budget) if row["status"] != "DELETED"]
        moved = any(row["budgetId"] == budget["id"] for row in self.state["movements"].rows())
        if (shares or moved) and not self.switches.deletes_all:
            return error(409, "Cannot delete resource due to existing dependencies.")
        for share in self._shares(budget):
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
        return self._put("budgets", budget | {"balance": balance, "cycleConfiguration": cycle})

    def _share_filter(self, call: Call, budget: Row) -> Callable[[Row], bool]:
        asked, hidden = call.query, "DELETED" if self.switches.hides_deleted else None

        def where(row: Row) -> bool:
            return (
                row["budgetId"] == budget["id"]
                and row["status"] == asked.get("status", row["status"]) != hidden
                and row["linkedEntity"]["type"] == asked.get("type", row["linkedEntity"]["type"])
                and row.get("referenceId") == asked.get("referenceId", row.get("referenceId"))
            )

        return where

    def _create_share(self, body: Row, budget: Row) -> Row:
        own = {"budgetId": budget["id"], "contextId": budget["contextId"]}
        row = self.completed("allocations", self._tidied(body) | own)
        self._put("allocations", row | self._linked(body["linkedEntity"], row))
        self._add_up(budget, row["balance"]["amount"])
        return self.state["allocations"].get(row["id"]) or row

    def _batch(self, call: Call, budget: Row) -> Response:
        made = [
            self._create_share(each, budget) for each in body_of(wire.BATCH, call)["allocations"]
        ]
        said = {"budgetId": budget["id"], "allocations": [self._share(row) for row in made]}
        return self._said("allocation", said, created=True)

    def _update_share(self, call: Call, share: Row) -> Response:
        body = body_of(wire.ALLOCATION_UPDATE, call)
        before = share["balance"]["amount"]
        row = self._replaced(share, body, ("contractId", "notificationSettings"))
        self._put("allocations", row | self._linked(body["linkedEntity"], row))
        budget = self.state["budgets"].get(share["budgetId"])
        assert budget is not None
        self._add_up(budget, row["balance"]["amount"] - before)
        return self._said(
            "allocation", self._share(self.state["allocations"].get(row["id"]) or row)
        )

    def _linked(self, entity: Row, share: Row) -> Row:
        if self.switches.capitals:
            entity = entity | {"type": entity["type"].upper()}
        for row in self._shares({"id": share["budgetId"]}):
            other = row["id"] != share["id"] and row["status"] != "DELETED"
            if other and row["linkedEntity"] == entity and not self.switches.twins:
                raise Refused(error(409))
        return {"linkedEntity": entity}

    def _add_up(self, budget: Row, more: Any) -> None:
        if self.switches.adds_up:
            amount = budget["balance"]["amount"] + more
            self._put("budgets", _with_amount(budget, amount))

    def _put(self, table: str, row: Row) -> Row:
        self.state[table].put(row)
        return row

    def _tidied(self, body: Row) -> Row:
        said = {name: value for name, value in body.items() if value is not None}
        if self.switches.tidies and "name" in said:
            said["name"] = said["name"].strip()
        return said

    def _replaced(self, row: Row, body: Row, optional: Collection[str]) -> Row:
        said = {name: value for name, value in body.items() if value is not None}
        gone = set(optional) - said.keys() if self.switches.put_clears else set()
        amount = said.pop("amount")
        kept = {name: value for name, value in row.items() if name not in gone}
        return _with_amount(kept | said, amount)

    def _set_status(self, call: Call, table: str, row: Row) -> Response:
        said = body_of(wire.STATUS, call)
        self._put(table, row | said)
        kind = "update-budget-activation" if table == "budgets" else "update-allocation-activation"
        return self._said(kind, said)


_PAGE = {"page": "1", "pageSize": "20"}
_AMOUNTS = {"minAmount": "-Infinity", "maxAmount": "Infinity"}


def _with_amount(row: Row, amount: Any) -> Row:
    used = row["balance"]["balanceAdjustment"]
    balance = {"amount": amount, "balanceAdjustment": used, "remaining": amount - used}
    return row | {"balance": balance}


def _next(start: datetime, end: datetime) -> datetime:
    """The end of the cycle that follows: as many months later, or as many days."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if not months or start.day != end.day:
        return end + (end - start)
    index = end.year * 12 + end.month - 1 + months
    return end.replace(year=index // 12, month=index % 12 + 1)
