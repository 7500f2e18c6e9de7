"""Vantage: budgets and budget alerts, v2, as the vendor's OpenAPI document has them.

Source: the document of August 2026, the vendor's own clients and guide pages on pagination, rate
limits and hierarchical budgets. What those leave open is a switch; the default is what fits the
rest best. Of cost reports only the list is here, and of what is spent nothing: a budget's
performance is always 0%.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field
from starlette.responses import Response

from connectors.sandbox.api import Call, Refused, Sandbox, SandboxSwitches, reply
from connectors.sandbox.fields import Shape
from connectors.sandbox.state import Row, loads
from connectors.sandbox.vantage.lists import links, paging, where
from connectors.sandbox.vantage.periods import (
    Span,
    in_whole_months,
    performance,
    spans,
    stored,
    summed,
    written,
)
from connectors.sandbox.vantage.wire import ALERT, BUDGET, CREATED, as_of_old, error, invalid

WORKSPACE = "wrkspc_sandbox"
_DEFAULT_PERIODS = ({"start_at": "2024-07-01", "end_at": "2024-09-30", "amount": "10000.0"},)


class VantageSwitches(SandboxSwitches):
    """Where Vantage's pages are silent, and where accounts differ."""

    reader: str = Field("vntg_readonly", description="A token that may read and not write.")
    narrow: str = Field("vntg_narrow", description="A token that does not see what it `hides`.")
    hides: tuple[str, ...] = Field((), description="How names begin that are hidden from it.")
    reports: tuple[str, ...] | None = Field(
        None, description="The cost reports that a budget may have; None: any."
    )
    titles: dict[str, str] = Field(
        {}, description="Titles of cost reports; with neither, the token may not list them."
    )
    replaces_periods: bool = Field(False, description="PUT drops the periods it does not name.")
    default_periods: bool = Field(False, description="An empty list brings periods of their own.")
    open_end: Literal["null", "empty", "absent"] = Field("null", description="An open end_at.")
    parent_periods: Literal["sum", "none", "own"] = Field("sum", description="What parents show.")
    lean_answers: bool = Field(False, description="Budgets without children do not say so.")
    lean_writes: bool = Field(False, description="Answers to a PUT never name children.")
    silent: bool = Field(False, description="No answer names children, as in the samples.")
    coming_fields: bool = Field(False, description="period_cadence, type and unit are there.")
    relative_links: bool = Field(False, description="Next-links begin at the path.")
    bare_links: bool = Field(False, description="`links` is empty on the last page.")
    ignores_workspace: bool = Field(False, description="Listings show all workspaces, as of old.")
    keeps_children: bool = Field(False, description="A child cannot be deleted while it is one.")
    keeps_alerted: bool = Field(False, description="A budget with alerts cannot be deleted.")
    old_alerts: bool = Field(False, description="Alerts read as on old pages: texts, no lists.")
    mid_month: Literal["taken", "refused", "widened"] = Field(
        "taken", description="Periods that begin or end within a month."
    )
    largest_page: int = Field(1000, ge=1, description="No page holds more, whatever is asked.")


_SAID = {401: "Unauthorized", 403: "Forbidden", 404: "Resource not found", 429: "Rate limited"}


class VantageSandbox(Sandbox):
    """An account with the workspace `WORKSPACE` and no budgets."""

    CREDENTIAL = "vntg_sandbox"
    RATE_LIMIT = "1000/1h"
    ID_FIELDS: ClassVar[Mapping[str, str]] = {
        "budgets": "token",
        "budget_alerts": "token",
        "cost_reports": "token",
    }
    Switches = VantageSwitches
    switches: VantageSwitches

    def fresh(self) -> Mapping[str, Collection[Row]]:
        titles, tokens = self.switches.titles, self.switches.reports or self.switches.titles
        rows = [{"token": token, "title": titles.get(token, token)} for token in tokens]
        return {"cost_reports": rows} if rows else {}

    def completed(self, table: str, row: Row) -> Row:
        if table == "cost_reports":
            return {"workspace_token": WORKSPACE, "created_at": CREATED, "title": None, **row}
        blank, prefix = (BUDGET, "bdgt") if table == "budgets" else (ALERT, "bdgt_alrt")
        token = row.get("token") or self.state.new_id(prefix)
        whole = {"token": token, "workspace_token": WORKSPACE, "created_at": CREATED}
        return whole | blank.blank | row

    def newcomer(self, table: str) -> Row:
        return self.completed(table, {"name": "Newcomer"})

    def every_answer(self) -> Mapping[str, str]:
        calls, window = self._rate or (1000, 3600.0)
        left = max(0, calls - len(self._recent))
        resets = self._recent[0] + window - self._monotonic() if self._recent else window
        return {
            "x-rate-limit-limit": str(calls),
            "x-rate-limit-remaining": str(left),
            "x-rate-limit-reset": str(int(time.time() + resets) + 1),
        }

    def refusal(self, status: int) -> Response:
        return error(status, _SAID.get(status, "Something went wrong"))

    def answer(self, call: Call) -> Response:
        self._authorize(call)
        match call.method, call.path.split("/")[1:]:
            case "GET", ["v2", "ping"]:
                return reply({"ping": "pong"})
            case "GET", ["v2", "me"]:
                return self._me(call)
            case "GET", ["v2", "budgets" | "budget_alerts" as table]:
                return self._list(call, table)
            case "GET", ["v2", "cost_reports"]:
                return self._reports(call)
            case "POST", ["v2", "budgets"]:
                return self._create(self._body(call, BUDGET.create))
            case "POST", ["v2", "budget_alerts"]:
                return self._stored_alert(self._body(call, ALERT.create), {}, 201)
            case method, ["v2", "budgets" | "budget_alerts" as table, token]:
                row = self._row(table, token)
                return (
                    self._one(method, call, table, row)
                    if self._sees(call)(row)
                    else self.refusal(404)
                )
        return self.refusal(404)

    def _one(self, method: str, call: Call, table: str, row: Row) -> Response:
        budget = table == "budgets"
        match method:
            case "GET":
                full = budget and call.query.get("include_performance") != "false"
                return reply(self._shown(row, full) if budget else self._alert(row))
            case "PUT" if budget:
                return self._update(row, self._body(call, BUDGET.update))
            case "PUT":
                return self._stored_alert(self._body(call, ALERT.update), row, 200)
            case "DELETE":
                self._delete(table, row["token"])
                return Response(status_code=204)
        return self.refusal(404)

    def _authorize(self, call: Call) -> None:
        said = call.headers.get("authorization", "")
        token = said.removeprefix("Bearer ")
        if token == self.switches.reader and call.method != "GET":
            raise Refused(self.refusal(403))
        known = (self.token, self.switches.reader, self.switches.narrow)
        if token == said or token not in known:
            raise Refused(self.refusal(401))

    def _sees(self, call: Call) -> Callable[[Row], bool]:
        hides = self.switches.hides
        if not call.headers["authorization"].endswith(self.switches.narrow):
            hides = ()
        return lambda row: not str(row.get("name") or "").startswith(hides)

    def _body(self, call: Call, shape: Shape) -> Row:
        try:
            body = call.sent()
        except ValueError:
            raise invalid("The body is not JSON") from None
        if wrong := shape.wrong(body):
            raise invalid(f"{wrong} is invalid")
        said: Row = {name: value for name, value in body.items() if value is not None}
        return said

    def _row(self, table: str, token: str) -> Row:
        row = self.state[table].get(token)
        if row is None:
            raise Refused(self.refusal(404))
        return row

    def _me(self, call: Call) -> Response:
        may = ["read"] if call.headers["authorization"].endswith(self.switches.reader) else None
        space: Row = {
            "token": WORKSPACE,
            "name": "Sandbox",
            "created_at": CREATED,
            "currency": "USD",
        }
        space |= {"enable_currency_conversion": False, "exchange_rate_date": "daily_rate"}
        bearer = {
            "description": "sandbox",
            "created_at": CREATED,
            "scope": may or ["read", "write"],
        }
        me = {"default_workspace_token": WORKSPACE, "default_dashboard_token": None}
        return reply({**me, "workspaces": [space], "bearer_token": bearer})

    # -- listings ----------------------------------------------------------------------------

    def _list(self, call: Call, table: str) -> Response:
        offset, limit = paging(call, self.switches.largest_page)
        asked, seen = where(call, self.switches.ignores_workspace), self._sees(call)
        items, after = self.page(table, call, offset, limit, lambda row: asked(row) and seen(row))
        rows = loads(items)
        if table == "budgets":
            rows = [self._shown(row, full=False) for row in rows]
        else:
            rows = [self._alert(row) for row in rows]
        return reply({"links": self._links(call, limit, after), table: rows})

    def _reports(self, call: Call) -> Response:
        if self.switches.reports is None and not self.switches.titles:
            return self.refusal(403)
        offset, limit = paging(call, self.switches.largest_page)
        asked = where(call, self.switches.ignores_workspace)
        items, after = self.page("cost_reports", call, offset, limit, asked)
        return reply({"links": self._links(call, limit, after), "cost_reports": loads(items)})

    def _links(self, call: Call, limit: int, after: int | None) -> Row:
        if after is None and self.switches.bare_links:
            return {}
        following = None if after is None else after // limit + 1
        return links(call, following, self.switches.relative_links)

    def _shown(self, row: Row, full: bool) -> Row:
        alerts = self.state["budget_alerts"].rows()
        mine = [alert["token"] for alert in alerts if row["token"] in alert["budget_tokens"]]
        held = list(self._spans(row))
        shown = {
            **row,
            "budget_alert_tokens": mine,
            "periods": written(held, self.switches.open_end),
        }
        if row["child_budget_tokens"] and self.switches.parent_periods == "none":
            shown["periods"] = []
        if self.switches.silent or (self.switches.lean_answers and not row["child_budget_tokens"]):
            del shown["child_budget_tokens"]
        if self.switches.coming_fields:
            cadence = {"interval_count": 1, "interval_unit": "month", "starts_at": None}
            shown = {"period_cadence": cadence, "type": "cost", "unit": None} | shown
        return shown | {"performance": performance(held)} if full else shown

    def _spans(self, row: Row, own: bool = False) -> Iterator[Span]:
        children = row["child_budget_tokens"]
        if not children or (self.switches.parent_periods == "own" and not own):
            return iter(spans(row["periods"]))
        below = [self._spans(self._row("budgets", child), own=True) for child in children]
        return summed([span for part in below for span in part])

    # -- writes ------------------------------------------------------------------------------

    def _create(self, body: Row) -> Response:
        if not body["name"].strip():
            raise invalid("name is missing")
        if body.setdefault("workspace_token", WORKSPACE) != WORKSPACE:
            raise invalid("workspace_token is unknown")
        row = self.completed("budgets", {"periods": [], "user_token": None} | body)
        row["periods"] = []
        return self._stored(row, body, 201)

    def _update(self, row: Row, body: Row) -> Response:
        return self._stored(row, body, 200)

    def _stored(self, row: Row, body: Row, status: int) -> Response:
        report, children = body.get("cost_report_token"), body.get("child_budget_tokens")
        if report and self.switches.reports is not None and report not in self.switches.reports:
            raise invalid("cost_report_token is unknown", 404 if status == 200 else 400)
        row = row | {name: value for name, value in body.items() if name != "periods"}
        if children is not None:
            self._check_children(row)
        if not row["child_budget_tokens"] and "periods" in body:
            row["periods"] = self._periods(row["periods"], body["periods"])
        self.state["budgets"].put(row)
        shown = self._shown(row, full=True)
        if self.switches.lean_writes and status == 200:
            shown.pop("child_budget_tokens", None)
        return reply(shown, status)

    def _periods(self, before: list[Row], said: list[Row]) -> list[Row]:
        if not said:
            return before or list(_DEFAULT_PERIODS if self.switches.default_periods else ())
        if self.switches.mid_month != "taken":
            said = in_whole_months(said, widens=self.switches.mid_month == "widened")
        return stored(before, said, self.switches.replaces_periods)

    def _check_children(self, row: Row) -> None:
        for child in row["child_budget_tokens"]:
            if self.state["budgets"].get(child) is None:
                raise invalid(f"{child} is unknown")
        below = list(self._below(row, 1))
        if row["token"] in below or len(below) != len(set(below)):
            raise invalid("A budget stands twice in the hierarchy", 422)

    def _below(self, row: Row, depth: int) -> Iterator[str]:
        if depth > 10:
            raise invalid("A hierarchy has at most 10 levels", 422)
        for child in row["child_budget_tokens"]:
            yield child
            if child != row["token"]:
                yield from self._below(self._row("budgets", child), depth + 1)

    def _delete(self, table: str, token: str) -> None:
        parents = [
            row for row in self.state["budgets"].rows() if token in row["child_budget_tokens"]
        ]
        if parents and self.switches.keeps_children:
            raise invalid("It is part of a hierarchical budget", 422)
        alerts = self.state["budget_alerts"].rows()
        if self.switches.keeps_alerted and any(token in row["budget_tokens"] for row in alerts):
            raise invalid("It has budget alerts", 422)
        for row in parents:
            left = [child for child in row["child_budget_tokens"] if child != token]
            self.state["budgets"].put(row | {"child_budget_tokens": left})
        self.state[table].remove(token)
        for alert in alerts if table == "budgets" else ():
            self._without(alert, token)

    def _without(self, alert: Row, token: str) -> None:
        """What becomes of an alert as a budget of it goes: without any it goes too."""
        left = [each for each in alert["budget_tokens"] if each != token]
        if not left:
            self.state["budget_alerts"].remove(alert["token"])
        elif left != alert["budget_tokens"]:
            self.state["budget_alerts"].put(alert | {"budget_tokens": left})

    def _stored_alert(self, body: Row, row: Row, status: int) -> Response:
        unknown = [
            each for each in body.get("budget_tokens", ()) if each not in self.state["budgets"]
        ]
        if unknown:
            raise invalid(f"{unknown[0]} is unknown")
        days = body.pop("duration_in_days", "")
        row = self.completed("budget_alerts", row | body)
        row["duration_in_days"] = int(days) if days else row["duration_in_days"]
        self.state["budget_alerts"].put(row)
        return reply(self._alert(row), status)

    def _alert(self, row: Row) -> Row:
        return as_of_old(row) if self.switches.old_alerts else row
