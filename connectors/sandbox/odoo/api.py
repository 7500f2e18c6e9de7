"""Odoo: its records over JSON-RPC and JSON-2, as far as budgets need them.

Source: Odoo's pages on its external APIs and the fields of its budget models, in November 2026, and
what a running 16.0 answered. What those leave open is a switch; where there is none, the worse.
Not here: creating and removing, domains with `|` and `!`, and all that is computed.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from starlette.responses import Response

from connectors.sandbox.api import Call, Sandbox, reply
from connectors.sandbox.faults import Fault
from connectors.sandbox.odoo.books import USER, plans, staff
from connectors.sandbox.odoo.orm import Orm
from connectors.sandbox.odoo.switches import OdooSwitches
from connectors.sandbox.odoo.wire import METHODS, MODELS, OF_RECORDS, Failed, blank
from connectors.sandbox.state import Row

_JSON2 = "/json/2/"
_JSON2_SINCE = 19
_AMOUNTS = {"crossovered.budget.lines": "planned_amount", "budget.line": "budget_amount"}
_STATUSES = {
    "AccessDenied": 401,
    "AccessError": 403,
    "MissingError": 404,
    "KeyError": 404,
    "UserError": 422,
    "ValidationError": 422,
}


class OdooSandbox(Sandbox):
    """The database of the switch `database`, with a company and three planned cost centres.

    The token is the password of the switch `login` and his API key.
    `POST /_sandbox/plan {"line", "amount"}` is somebody who changes an amount in Odoo.
    """

    CREDENTIAL = "odoo_sandbox"
    RATE_LIMIT = "1000/1s"
    ID_FIELDS: ClassVar[Mapping[str, str]] = dict.fromkeys(MODELS, "id")
    Switches = OdooSwitches
    switches: OdooSwitches
    _wrong = 0

    def fresh(self) -> Mapping[str, Collection[Row]]:
        people = staff(self.switches.login)
        if self.switches.empty:
            return people
        year = self.switches.year or datetime.now(UTC).year
        return {**people, **plans(year, crossovered=self.switches.budgets != "budget.analytic")}

    def completed(self, table: str, row: Row) -> Row:
        whole = {name: blank(field) for name, field in MODELS[table].items()}
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")  # cut to seconds, as Odoo does
        id = row.get("id") or self._new_id()
        active = {"active": True} if "active" in MODELS[table] else {}
        return {**whole, **active, "write_date": now, **row, "id": id}

    def newcomer(self, table: str) -> Row:
        return self.completed(table, {})

    def refusal(self, status: int) -> Response:
        page = "<!doctype html><title>Something went wrong</title>"
        return Response(page, status, media_type="text/html")

    def reset(self) -> None:
        """Wrong passwords are forgotten too."""
        self._wrong = 0
        super().reset()

    def controls(self) -> Mapping[str, Callable[[Any], Any]]:
        return {"plan": self._plan}

    def seen_as(self, call: Call) -> tuple[str, str]:
        """As what they do: every call is a POST, and those of JSON-RPC have one path."""
        model, method = _named(call)
        reads = method != "write"
        return "GET" if reads else "POST", f"{call.path}/{model}/{method}" if model else call.path

    def answer(self, call: Call) -> Response:
        if call.method != "POST":
            return self.refusal(405)
        if call.path == "/jsonrpc" and self.switches.jsonrpc:
            return self._rpc(call)
        if call.path.startswith(_JSON2) and self.switches.version >= _JSON2_SINCE:
            return self._json2(call)
        return self.refusal(404)

    # -- JSON-RPC ------------------------------------------------------------------------------

    def _rpc(self, call: Call) -> Response:
        try:
            said = call.sent()
            id, params = said["id"], said["params"]
            service, method, args = params["service"], params["method"], params["args"]
            wrong = said.get("jsonrpc") != "2.0" or said.get("method") != "call"
        except (ValueError, KeyError, TypeError):
            wrong = True
        if wrong or not isinstance(args, list):
            return self.refusal(400)
        envelope = {"jsonrpc": "2.0", "id": id}
        try:
            found = self._served(service, method, args)
        except Failed as error:
            return reply({**envelope, "error": _error(error)})
        return reply(envelope if found is None else {**envelope, "result": found})

    def _served(self, service: str, method: str, args: list[Any]) -> Any:
        match service, method, args:
            case "common", "version", []:
                return {"server_version": f"{self.switches.version}.0", "protocol_version": 1}
            case "common", "authenticate", [database, login, password, dict()]:
                self._known(database)
                return USER if self._is_password(login, password) else False
            case "object", "execute_kw", [
                database,
                user,
                password,
                model,
                method,
                list(given),
                *more,
            ]:
                self._known(database)
                if user != USER or not self._is_password(self.switches.login, password):
                    raise Failed("odoo.exceptions.AccessDenied", "Access Denied")
                named = more[0] if more else {}
                return self._orm(named).call(model, method, *_argued(method, given, named))
        raise Failed("builtins.KeyError", f"{service}.{method}")

    def _known(self, database: Any) -> None:
        if database != self.switches.database:
            said = f'connection to server failed: FATAL:  database "{database}" does not exist'
            raise Failed("psycopg2.OperationalError", said)

    def _is_password(self, login: Any, password: Any) -> bool:
        if self._wrong >= self.switches.locks_after:
            said = "Too many login failures, please wait a bit before trying again."
            raise Failed("odoo.exceptions.AccessDenied", said)
        right = (login, password) == (self.switches.login, self.token)
        self._wrong = 0 if right else self._wrong + 1
        return right

    # -- JSON-2 --------------------------------------------------------------------------------

    def _json2(self, call: Call) -> Response:
        database = call.headers.get("x-odoo-database")
        if database not in (None, self.switches.database):
            return self.refusal(404)
        try:
            if call.headers.get("authorization") != f"bearer {self.token}":
                raise Failed("werkzeug.exceptions.Unauthorized", "Invalid apikey")
            said = call.sent()
            if not isinstance(said, dict):
                raise Failed("werkzeug.exceptions.BadRequest", "the body is no object")
            model, method = _named(call)
            given = dict(said)
            ids = given.pop("ids", None)
            found = self._orm(given).call(model, method, ids, given)
        except ValueError:
            return self.refusal(400)
        except Failed as error:
            return self._failed(error)
        return reply(found)

    def _failed(self, error: Failed) -> Response:
        last = error.name.rpartition(".")[2]
        status = {"Unauthorized": 401, "BadRequest": 400, **_STATUSES}.get(last, 500)
        said = {"name": error.name, "message": error.message, "arguments": [error.message]}
        return reply({**said, "context": {}, "debug": "Traceback (most recent call last):"}, status)

    # -- both ----------------------------------------------------------------------------------

    def _orm(self, named: Row) -> Orm:
        context = named.pop("context", None) or {}
        return Orm(self.state, self.switches, context, self._second_page)

    def _second_page(self, model: str) -> bool:
        """Between two pages somebody makes a record, where a fault says so; whether another one
        says that the first page comes again."""
        path = f"/jsonrpc/{model}/search_read"
        if self.faults.due(Fault.PAGE_DRIFT, "GET", path):
            self.state[model].put(self.newcomer(model))
        return self.faults.due(Fault.REPEAT_CURSOR, "GET", path) is not None

    def _plan(self, body: Any) -> Row:
        for model, field in _AMOUNTS.items():
            row = self.state[model].get(body["line"])
            if row is not None:
                row = row | {field: Decimal(body["amount"])}
                self.state[model].put(row)
                return row
        raise ValueError(f"there is no line {body['line']}")

    def _new_id(self) -> int:
        return 100_000 + int(self.state.new_id("row").rpartition("_")[2], 16)


def _named(call: Call) -> tuple[str, str]:
    """The model and the method of a call; neither where it names none."""
    if call.path.startswith(_JSON2):
        model, _, method = call.path.removeprefix(_JSON2).partition("/")
        return model, method
    try:
        args = call.sent()["params"]["args"]
        return str(args[3]), str(args[4])
    except (ValueError, KeyError, TypeError, IndexError):
        return "", ""


def _argued(method: str, given: list[Any], named: Row) -> tuple[Any, Row]:
    """The ids and the arguments by name of what comes by position."""
    ids = given.pop(0) if method in OF_RECORDS and given else None
    names = METHODS.get(method, ())
    if method in METHODS and len(given) > len(names):
        raise Failed("builtins.TypeError", f"{method}() takes {len(names)} arguments")
    return ids, {**dict(zip(names, given, strict=False)), **named}


def _error(error: Failed) -> Row:
    data = {"name": error.name, "message": error.message, "arguments": [error.message]}
    debug = "Traceback (most recent call last):"
    return {"code": 200, "message": "Odoo Server Error", "data": {**data, "debug": debug}}
