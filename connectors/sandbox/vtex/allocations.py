"""VTEX's allocations: what is made, changed, linked and deleted within a budget.

Source: the Budgets API's OpenAPI document of May 2026. A deleted allocation stays to be read, and
can be changed no more.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from connectors.sandbox.api import Call, Refused
from connectors.sandbox.state import Row, State
from connectors.sandbox.vtex import wire as wire
from connectors.sandbox.vtex.movements import Movements
from connectors.sandbox.vtex.switches import VtexSwitches
from connectors.sandbox.vtex.wire import body_of, error, said_for


class Allocations:
    """The allocations of one account; `paged` answers a page of a table."""

    def __init__(
        self,
        state: State,
        switches: VtexSwitches,
        paged: Callable[..., Row],
        completed: Callable[[str, Row], Row],
    ) -> None:
        self._state, self._switches = state, switches
        self._paged, self._completed = paged, completed
        self._movements = Movements(state, switches, paged)
        self._index: tuple[Any, int, Mapping[str, list[Row]]] = (None, 0, {})

    def answer(self, call: Call, budget: Row, rest: list[str]) -> Response:
        """The calls below a budget's allocations."""
        match call.method, rest:
            case "GET", []:
                return self._listed(call, budget)
            case "POST", []:
                made = self.create(body_of(wire.ALLOCATION, call), budget)
                return said_for("allocation", self.shown(made), self._switches, created=True)
            case "POST", ["batch"]:
                return self._batch(call, budget)
            case _, [id, *rest]:
                share = self._state["allocations"].get(id)
                hidden = share and share["status"] == "DELETED" and self._switches.hides_deleted
                if share is None or share["budgetId"] != budget["id"] or hidden:
                    return error(404)
                return self._on_one(call, share, rest, budget)
        return error(404)

    def within(self, budget_id: str) -> list[Row]:
        """The rows of one budget, in the order they came."""
        hidden = "DELETED" if self._switches.hides_deleted else None
        table = self._state["allocations"]
        if self._index[:2] != (table, table.changes):
            within = defaultdict(list)
            for row in table.rows():
                within[row["budgetId"]].append(row)
            self._index = table, table.changes, within
        return [row for row in self._index[2].get(budget_id, ()) if row["status"] != hidden]

    def shown(self, share: Row) -> Row:
        """An allocation's answer, with its alerts in the form that is switched on."""
        said = wire.shown_allocation(share)
        settings = said.get("notificationSettings")
        if self._switches.array_alerts and isinstance(settings, dict):
            told = [{"email": each["identifier"]} for each in settings.get("recipients", ())]
            said["notificationSettings"] = [
                {"type": each["type"], "threshold": each["Value"], "recipients": told}
                for each in settings.get("thresholds", ())
            ]
        return said

    def create(self, body: Row, budget: Row) -> Row:
        """A row made of a body that was checked."""
        own = {"budgetId": budget["id"], "contextId": budget["contextId"]}
        row = self._completed("allocations", wire.spoken(body) | own)
        row |= self._linked(body["linkedEntity"], row)
        self._put(row, budget)
        self._add_up(row, row["balance"]["amount"])
        return row

    def fit(self, budget: Row, shares: list[Row]) -> bool:
        """Whether these rows are no more than the budget, where that counts."""
        given = sum(row["balance"]["amount"] for row in shares if row["status"] != "DELETED")
        return not self._switches.must_fit or given <= budget["balance"]["amount"]

    def _on_one(self, call: Call, share: Row, rest: list[str], budget: Row) -> Response:
        if share["status"] == "DELETED" and call.method != "GET":
            gone = call.method == "DELETE" and not self._switches.gone_is_409
            return error(404 if gone else 409)
        table = self._state["allocations"]
        match call.method, rest:
            case "GET", []:
                return said_for("", self.shown(share), self._switches)
            case "PUT", []:
                return self._update(call, share, budget)
            case "PUT", ["linked-entity"]:
                link = body_of(wire.LINK, call)
                entity = {"id": link["linkedEntityId"], "type": link["linkedEntityType"]}
                table.put(share | self._linked(entity, share))
                return Response()
            case "PUT", ["status"]:
                status = body_of(wire.STATUS, call)
                table.put(share | status)
                return said_for("update-allocation-activation", status, self._switches)
            case "DELETE", []:
                table.put(share | {"status": "DELETED"})
                self._add_up(share, -share["balance"]["amount"])
                return Response()
            case _, ["usage" | "transactions" | "reservations" | "statements", *_]:
                return self._movements.on_share(call, share, rest)
        return error(404)

    def _listed(self, call: Call, budget: Row) -> Response:
        asked, hidden = call.query, "DELETED" if self._switches.hides_deleted else None

        def where(row: Row) -> bool:
            return (
                row["budgetId"] == budget["id"]
                and row["status"] == asked.get("status", row["status"]) != hidden
                and row["linkedEntity"]["type"] == asked.get("type", row["linkedEntity"]["type"])
                and row.get("referenceId") == asked.get("referenceId", row.get("referenceId"))
            )

        page = self._paged(call, "allocations", where, "items", self._summary)
        return said_for("list-allocation", page, self._switches)

    def _summary(self, row: Row) -> Row:
        return wire.summary(row, legacy=self._switches.legacy_lists)

    def _batch(self, call: Call, budget: Row) -> Response:
        made: list[Row] = []
        for each in body_of(wire.BATCH, call)["allocations"]:
            try:
                made.append(self.create(each, budget))
            except Refused:
                if self._switches.batch == "skips_bad":
                    continue
                for row in made if self._switches.batch == "whole" else ():
                    self._state["allocations"].remove(row["id"])
                    self._add_up(row, -row["balance"]["amount"])
                raise
        answer = {"budgetId": budget["id"], "allocations": [self.shown(row) for row in made]}
        match self._switches.batch_answer:
            case "reversed":
                answer["allocations"].reverse()
            case "lacks_one":
                del answer["allocations"][:1]
        return said_for("allocation", answer, self._switches, created=True)

    def _put(self, share: Row, budget: Row) -> None:
        others = [row for row in self.within(budget["id"]) if row["id"] != share["id"]]
        if not self.fit(budget, [*others, share]):
            raise Refused(error(409))
        self._state["allocations"].put(share)

    def _update(self, call: Call, share: Row, budget: Row) -> Response:
        body = body_of(wire.ALLOCATION_UPDATE, call)
        body.pop("allocations", None)  # documented, and what they would do is not
        if not (body.get("referenceId") or body.get("contractId")):
            raise Refused(error(400))  # either was recorded as enough
        optional = ("contractId", "notificationSettings")
        row = wire.replaced(share, body, optional, clears=self._switches.put_clears)
        row |= self._linked(body["linkedEntity"], row)
        kept = row
        if self._switches.rounds:
            kept = wire.with_amount(row, round(row["balance"]["amount"]))
        self._put(kept, budget)
        self._add_up(kept, kept["balance"]["amount"] - share["balance"]["amount"])
        return said_for("allocation", self.shown(row), self._switches)

    def _linked(self, entity: Row, share: Row) -> Row:
        if self._switches.capitals:
            entity = entity | {"type": entity["type"].upper()}
        for row in self.within(share["budgetId"]):
            other = row["id"] != share["id"] and row["status"] != "DELETED"
            if other and row["linkedEntity"] == entity and not self._switches.twins:
                raise Refused(error(409))
        return {"linkedEntity": entity}

    def _add_up(self, share: Row, more: Any) -> None:
        budget = self._state["budgets"].get(share["budgetId"])
        if self._switches.adds_up and budget is not None:
            amount = budget["balance"]["amount"] + more
            self._state["budgets"].put(wire.with_amount(budget, amount))
