"""ERPNext: Frappe's REST below /api/resource, as its sources have it, for what budgets take.

Source: frappe/api/v1.py, frappe/client.py and frappe/model/db_query.py, and ERPNext's definitions,
versions 13 to develop, in November 2026.
What those leave open is a switch; the default is what fits the rest best.
Not here: whatever writes over REST. People work by the controls below.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, ClassVar

from starlette.responses import HTMLResponse, Response

from connectors.sandbox.api import Call, Refused, Sandbox, reply
from connectors.sandbox.erpnext.queries import Query
from connectors.sandbox.erpnext.switches import ErpnextSwitches
from connectors.sandbox.erpnext.wire import (
    BUDGET,
    KINDS,
    PERMISSION,
    TABLES,
    as_float,
    fresh_rows,
    kind_of,
)
from connectors.sandbox.faults import Fault
from connectors.sandbox.state import Row, dumps

_ERRORS = {
    401: "AuthenticationError",
    403: "PermissionError",
    404: "DoesNotExistError",
    417: "ValidationError",
    429: "TooManyRequestsError",
}
_METHOD = "/api/method/"
_RESOURCE = "/api/resource/"
_PERMISSIONS = "frappe.core.doctype.user_permission.user_permission.get_user_permissions"
_STANDARD = ("name", "owner", "creation", "modified", "modified_by", "docstatus", "idx")


class ErpnextSandbox(Sandbox):
    """A site with one company; the token is the API secret of its user.

    Its people work by `POST /_sandbox/`:
    `put {"doctype", "row"}` makes or changes a document as it is, `cancel {"budget"}` cancels one,
    `amend {"budget", "changes"}` makes the draft that is to replace one that was cancelled (from 16
    on as a revision, if "revision" is true), `submit {"budget"}` submits a draft; each answers with
    the document. A row of "User Permission" (allow, for_value, applicable_for) is of the only user.
    """

    CREDENTIAL = "erpnext_secret_sandbox"
    RATE_LIMIT = "1000/1m"
    ID_FIELDS: ClassVar[Mapping[str, str]] = dict.fromkeys(KINDS, "name")
    Switches = ErpnextSwitches
    switches: ErpnextSwitches

    def fresh(self) -> Mapping[str, Collection[Row]]:
        year = datetime.now(UTC).year
        return fresh_rows(year, old=self.switches.old, empty=self.switches.empty)

    def completed(self, table: str, row: Row) -> Row:
        kind = kind_of(table, row)
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        name = row.get("name") or self.state.new_id(table)
        standard = {
            "name": name, "owner": "Administrator", "creation": now, "modified": now,
            "modified_by": "Administrator", "docstatus": 0, "idx": 0,
        }  # fmt: skip
        whole = {**standard, **kind.blank, **row, "name": name}
        for field, blank in kind.blank.items():
            whole[field] = _typed(blank, whole[field])
        if "from_fiscal_year" in whole:
            whole |= self._dates(whole)
        for field, blank in kind.tables.items():
            rows = whole.get(field)
            whole[field] = _rows(rows, blank, name) if isinstance(rows, list) else rows or []
        return whole

    def _dates(self, row: Row) -> Row:
        """From when to when a budget counts, as its fiscal years have it."""
        found = {}
        for field, year, end in (
            ("budget_start_date", "from_fiscal_year", "year_start_date"),
            ("budget_end_date", "to_fiscal_year", "year_end_date"),
        ):
            named = self.state["Fiscal Year"].get(row[year] or "")
            found[field] = row[field] or (named and named[end])
        return found

    def newcomer(self, table: str) -> Row:
        return self.completed(table, {"name": f"!{self.state.new_id('first')}"})

    def refusal(self, status: int) -> Response:
        said = {401: "Invalid API key or secret", 429: "Too many requests"}
        return self._error(status, said.get(status, "Something went wrong"))

    def controls(self) -> Mapping[str, Callable[[Any], Any]]:
        return {
            "put": lambda said: self._put(said["doctype"], said["row"]),
            "cancel": lambda said: self._moved(said["budget"], 1, 2),
            "submit": lambda said: self._moved(said["budget"], 0, 1),
            "amend": self._amended,
        }

    def answer(self, call: Call) -> Response:
        self._authorize(call)
        if call.method != "GET":
            raise Refused(self._error(403, "This site is only read"))
        if call.path == f"{_METHOD}{_PERMISSIONS}":
            return self._permissions()
        if call.path == f"{_METHOD}frappe.auth.get_logged_user":
            return reply({"message": "trueup@example.com"})
        if not call.path.startswith(_RESOURCE):
            raise Refused(self._error(404, "Not found"))
        doctype, _, name = call.path.removeprefix(_RESOURCE).partition("/")
        if doctype in TABLES and not name:
            return self._table(doctype, call)
        if doctype not in KINDS or doctype == PERMISSION:
            raise Refused(self._error(404, f"DocType {doctype} not found"))
        if not self.switches.reads:
            raise Refused(
                self._error(403, f"Insufficient Permission for <strong>{doctype}</strong>")
            )
        return self._document(doctype, name) if name else self._list(doctype, call)

    # -- reading -----------------------------------------------------------------------------

    def _list(self, doctype: str, call: Call) -> Response:
        query, table = self._query(call), self.state[doctype]
        if query.after and self._due(Fault.PAGE_DRIFT, call):
            table.put(self.newcomer(doctype), first=True)
        again = query.after and self._due(Fault.REPEAT_CURSOR, call)
        rows = [row for row in table.rows() if self._is_shown(doctype, row)]
        try:
            met = query.ordered([row for row in rows if again or query.meets(row)])
        except TypeError:
            raise Refused(self._error(417, "Invalid filters")) from None
        length = min(query.length or len(met), self.switches.most)
        page = met[query.start : query.start + length]
        return reply({"data": [self._picked(doctype, row, query.fields) for row in page]})

    def _table(self, doctype: str, call: Call) -> Response:
        """Rows of budgets, of all together: what hides a budget hides none of them."""
        if not self.switches.lists_tables or call.query.get("parent") != BUDGET:
            raise Refused(self._error(403, f"Insufficient Permission for {doctype}"))
        field, query = TABLES[doctype], self._query(call)
        rows = [
            {**row, "parentfield": field, "parenttype": BUDGET, "docstatus": budget["docstatus"]}
            for budget in self.state[BUDGET].rows()
            for row in budget.get(field) or ()
        ]
        met = query.ordered([row for row in rows if query.meets(row)])
        length = min(query.length or len(met), self.switches.most)
        return reply({"data": [self._less(row) for row in met[:length]]})

    def _query(self, call: Call) -> Query:
        try:
            return Query.of(call.query)
        except (ValueError, TypeError) as error:
            raise Refused(self._error(417, f"Invalid {error}")) from None

    def _document(self, doctype: str, name: str) -> Response:
        row = self.state[doctype].get(name.rstrip("/"))
        if row is None:
            raise Refused(self._error(404, f"{doctype} {name} not found"))
        if not self._is_shown(doctype, row, whole=True):
            raise Refused(self._error(403, f"User has no permission for {doctype} {name}"))
        return reply({"data": self._less({**row, "doctype": doctype})})

    def _picked(self, doctype: str, row: Row, fields: Sequence[str]) -> Row:
        kind = kind_of(doctype, row)
        columns = [each for each in row if each not in kind.tables]
        wanted = columns if "*" in fields else list(fields)
        for field in wanted:
            if field not in columns:
                raise Refused(self._error(417, f"Unknown column 'tab{doctype}.{field}'"))
        return self._less({field: row[field] for field in wanted})

    def _less(self, row: Row) -> Row:
        """Without what the user may not read."""
        found: Row = {}
        for field, value in row.items():
            if field in self.switches.hidden and field not in _STANDARD:
                found |= {field: None} if self.switches.hidden_is_null else {}
            elif isinstance(value, list):
                found[field] = [
                    self._less(each) if isinstance(each, dict) else each for each in value
                ]
            else:
                found[field] = value
        return found

    def _is_shown(self, doctype: str, row: Row, *, whole: bool = False) -> bool:
        """Whether User Permissions leave the document; a listing looks at no row of its tables."""
        if doctype == BUDGET and self.switches.owner_only:
            return False
        links = {**kind_of(doctype, row).links, "name": doctype}
        named = [(kind, row.get(field)) for field, kind in links.items() if row.get(field)]
        if whole and isinstance(row.get("accounts"), list):
            named += [("Account", each["account"]) for each in row["accounts"]]
        return all(self._allows(doctype, kind, value) for kind, value in named)

    def _allows(self, doctype: str, kind: str, value: Any) -> bool:
        rules = [
            rule["for_value"]
            for rule in self.state[PERMISSION].rows()
            if rule["allow"] == kind and rule["applicable_for"] in (None, "", doctype)
        ]
        return not rules or value in rules

    def _permissions(self) -> Response:
        if not self.switches.tells_permissions:
            raise Refused(self._error(403, "Not permitted"))
        found: dict[str, list[Row]] = {}
        for rule in self.state[PERMISSION].rows():
            said = {
                "doc": rule["for_value"], "applicable_for": rule["applicable_for"], "is_default": 0,
            }  # fmt: skip
            found.setdefault(rule["allow"], []).append(said)
        return reply({"message": found})

    # -- refusing ----------------------------------------------------------------------------

    def _authorize(self, call: Call) -> None:
        said = call.headers.get("authorization", "")
        if said == f"token {self.switches.api_key}:{self.token}":
            return
        if self.switches.guest or not said:
            raise Refused(self._error(403, "Login to access"))
        raise Refused(self.refusal(401))

    def _error(self, status: int, message: str) -> Response:
        if self.switches.html_errors or status >= 500:
            page = f"<!DOCTYPE html><html><body><h1>{status}</h1>{escape(message)}</body></html>"
            return HTMLResponse(page, status)
        kind = _ERRORS.get(status, "ValidationError")
        trace = (
            f'Traceback (most recent call last):\n  File "apps/frappe/app.py"\n{kind}: {message}'
        )
        told = dumps([dumps({"message": message, "indicator": "red"}).decode()]).decode()
        body = {
            "exception": f"frappe.exceptions.{kind}: {message}",
            "exc_type": kind,
            "exc": dumps([trace]).decode(),
            "_server_messages": told,
        }
        return reply(body, status)

    # -- people ------------------------------------------------------------------------------

    def _put(self, doctype: str, row: Row) -> Row:
        if doctype not in KINDS:
            raise ValueError(f"there is no {doctype}")
        before = self.state[doctype].get(row.get("name", "")) or {}
        merged = {field: value for field, value in {**before, **row}.items() if field != "modified"}
        whole = self.completed(doctype, merged)
        self.state[doctype].put(whole)
        return whole

    def _budget(self, name: str, docstatus: int) -> Row:
        row = self.state[BUDGET].get(name)
        if row is None or row["docstatus"] != docstatus:
            raise ValueError(f"there is no budget {name} of docstatus {docstatus}")
        return row

    def _moved(self, name: str, before: int, after: int) -> Row:
        self._budget(name, before)
        return self._put(BUDGET, {"name": name, "docstatus": after})

    def _amended(self, said: Any) -> Row:
        old = self._budget(said["budget"], 2)
        base, _, count = old["name"].rpartition("-")
        amended = bool(old.get("amended_from")) and count.isdecimal()
        name = f"{base}-{int(count) + 1}" if amended else f"{old['name']}-1"
        field = "revision_of" if said.get("revision") else "amended_from"
        links = {"amended_from": None, field: old["name"]}
        changes = {**links, **said.get("changes", {}), "name": name, "docstatus": 0}
        return self._put(BUDGET, {**old, **changes})


def _typed(blank: Any, value: Any) -> Any:
    """A number with a point where the field is one of money."""
    return value if isinstance(blank, int | str | None) else as_float(value)


def _rows(rows: Sequence[Any], blank: Row, parent: str) -> list[Any]:
    found: list[Any] = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            found.append(row)
            continue
        whole = {"name": f"{parent}-{number}", "idx": number, "parent": parent, **blank, **row}
        found.append({field: _typed(blank.get(field), value) for field, value in whole.items()})
    return found
