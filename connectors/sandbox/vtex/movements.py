"""Money that moves in VTEX: what checkout asks for, what orders book, reserve and give back.

Source: the Budgets API's OpenAPI document of May 2026. A movement on an allocation moves its budget
as well, and may take both below nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from connectors.sandbox.api import Call, Refused, reply
from connectors.sandbox.state import Row, State
from connectors.sandbox.vtex import wire as wire
from connectors.sandbox.vtex.switches import VtexSwitches
from connectors.sandbox.vtex.wire import body_of, error

_SIGN = {"DEBIT": -1, "CREDIT": 1}
_BACK = {"DEBIT": "CREDIT", "CREDIT": "DEBIT"}


class Movements:
    """The movements of one account; `paged` answers a page of a table."""

    def __init__(self, state: State, switches: VtexSwitches, paged: Callable[..., Row]) -> None:
        self._state, self._switches, self._paged = state, switches, paged

    def on_share(self, call: Call, share: Row, rest: list[str]) -> Response:
        """The calls below an allocation's path."""
        match call.method, rest:
            case "PUT", ["usage"]:
                self._book(share, body_of(wire.MOVEMENT, call))
                return Response()
            case "POST", ["transactions"]:
                return reply(self._book(share, body_of(wire.MOVEMENT, call)))
            case "POST", ["transactions", id, "refund"]:
                return self._refund(call, share, self._found(share, id))
            case "GET", ["transactions" | "reservations", id]:
                return reply(self._found(share, id))
            case "GET", ["statements"]:
                return self.statements(call, share)
            case "GET", ["reservations"]:
                asked = call.query.get("status", "").replace("CANCELED", "CANCELLED")
                status = {asked} if asked else {"RESERVED", "CONFIRMED", "CANCELLED"}
                return self._list(call, "items", lambda row: row["status"] in status, share)
            case "POST", ["reservations"]:
                return reply(self._book(share, body_of(wire.RESERVATION, call), "RESERVED"))
            case "DELETE", ["reservations", id]:
                return self._end(call, share, self._found(share, id), "CANCELLED")
            case "POST", ["reservations", id, "confirmation"]:
                return self._end(call, share, self._found(share, id), "CONFIRMED")
        return error(404)

    def statements(self, call: Call, within: Row) -> Response:
        """What was booked on a budget or an allocation."""
        return self._list(call, "transactions", lambda row: row["status"] is None, within)

    def query(self, call: Call, unit: str) -> Response:
        """The active allocations of some entities."""
        asked = {
            (each["id"], each["type"].casefold()) for each in body_of(wire.QUERY, call)["items"]
        }
        hits = []
        for share in self._state["allocations"].rows():
            budget = self._state["budgets"].get(share["budgetId"]) or {}
            entity = share["linkedEntity"]["id"], share["linkedEntity"]["type"].casefold()
            active = budget.get("status") == share["status"] == "ACTIVE"
            if active and share["contextId"] == unit and entity in asked:
                hits.append(wire.hit(budget, share))
        return wire.said_for("query-allocation", {"items": hits}, self._switches)

    def spend(self, asked: Any) -> Row:
        """Book an order on an allocation, from outside."""
        share = self._state["allocations"].get(asked["allocation_id"])
        if share is None or share["status"] != "ACTIVE":
            raise ValueError(f"there is no active allocation {asked['allocation_id']}")
        order = {"origin": "sandbox", "requestedBy": "shop@example.com", "type": "DEBIT"}
        return self._book(share, order | {"amount": asked["amount"]})

    def _list(self, call: Call, key: str, where: Callable[[Row], bool], within: Row) -> Response:
        def mine(row: Row) -> bool:
            return within["id"] in (row["budgetId"], row["allocationId"]) and where(row)

        return reply(self._paged(call, "movements", mine, key, dict))

    def _book(self, share: Row, order: Row, status: str | None = None) -> Row:
        """Move money and keep a line of it; a reservation has a `status`."""
        way = order["type"].upper()
        self._move(share, abs(order["amount"]) * _SIGN[way])
        row = {
            "id": order.get("reservationId") or self._state.new_id("movement"),
            "budgetId": share["budgetId"],
            "allocationId": share["id"],
            "origin": order["origin"],
            "reference": order.get("reference"),
            "amount": order["amount"],
            "requestedBy": order["requestedBy"],
            "date": wire.stamp(datetime.now(UTC)),
            "type": way,
            "contextType": "UNIT",
            "contextId": share["contextId"],
            "status": status,
        }
        self._state["movements"].put(row)
        return row

    def _move(self, share: Row, more: Any) -> None:
        for table, id in (("allocations", share["id"]), ("budgets", share["budgetId"])):
            row = self._state[table].get(id)
            if row is not None:
                old = row["balance"]
                used, left = old["balanceAdjustment"] - more, old["remaining"] + more
                balance = {"amount": old["amount"], "balanceAdjustment": used, "remaining": left}
                self._state[table].put(row | {"balance": balance})

    def _found(self, share: Row, id: str) -> Row:
        row = self._state["movements"].get(id)
        if row is None or row["allocationId"] != share["id"]:
            raise Refused(error(404))
        return row

    def _refund(self, call: Call, share: Row, row: Row) -> Response:
        said = body_of(wire.REQUESTED, call)
        booked = self._book(share, row | said | {"type": _BACK[row["type"]]})
        ids = {name: booked[name] for name in ("id", "budgetId", "allocationId")}
        return reply(ids | {"originalTransactionId": row["id"]})

    def _end(self, call: Call, share: Row, row: Row, status: str) -> Response:
        said = body_of(wire.REQUESTED, call)
        if row["status"] != "RESERVED":
            return error(409)
        self._move(share, -abs(row["amount"]) * _SIGN[row["type"]])
        if status == "CONFIRMED":
            self._book(share, row | said)
        ended = row | {"status": status}
        self._state["movements"].put(ended)
        return reply(ended)
