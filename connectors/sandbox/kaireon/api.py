"""KaireonAI: budget allocations, v1, as the vendor's page has them.

Source: docs.kaireonai.com/api-reference/budgets, and for what that page leaves open the pages on
authentication, security, users, offers and frequency caps of the same site, in November 2026.
What all of them leave open is a switch; the default is what fits the rest best.
Not here: every other resource but the list of offers, and whatever spends from a budget, as no
call tells of it.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import Field
from starlette.responses import Response

from connectors.sandbox.api import Call, Refused, Sandbox, SandboxSwitches, reply
from connectors.sandbox.kaireon.wire import CREATE, UPDATE, fits
from connectors.sandbox.state import Row

_ALL = 1_000_000_000
_NEVER_NULL = ("name", "scope", "periodType", "periodKey")
_LIMITS = ("maxImpressions", "maxSpend", "maxConversions")


class KaireonSwitches(SandboxSwitches):
    """Where Kaireon's pages are silent or disagree, and where tenants differ."""

    tenant: str = Field("acme", description="The tenant of every key here.")
    editor: str = Field("krn_editor", description="A key that may write and not delete.")
    viewer: str = Field("krn_viewer", description="A key that may only read.")
    scoped: str = Field("krn_scim", description="A key whose scopes leave budgets out.")
    open: bool = Field(False, description="No key is needed, as in the page's own example.")
    checks_tenant: bool = Field(False, description="Another X-Tenant-Id is refused, not ignored.")
    delete_is_204: bool = Field(False, description="A delete is answered 204, without a body.")
    put_says: Literal["object", "success", "nothing"] = Field(
        "object", description="What a PUT is answered with."
    )
    put_replaces: bool = Field(False, description="What a PUT leaves out is emptied, not kept.")
    null_clears: bool = Field(True, description="A null limit in a PUT empties it; else a 400.")
    zero: bool = Field(True, description="A limit may be 0; else a 400.")
    whole_money: bool = Field(False, description="maxSpend is kept without its fraction.")
    wants_header: bool = Field(False, description="A write needs X-Requested-With; else a 403.")
    unique: bool = Field(False, description="A second row for one thing and period is a 400.")
    strict_keys: bool = Field(False, description="A key that is not of its periodType is a 400.")
    oldest_first: bool = Field(False, description="Rows come in the order they were made.")
    shape: Literal["budgets", "data", "nextCursor", "cursor"] = Field(
        "budgets", description="As documented; as other lists of theirs; and those with pages."
    )
    page_size: int = Field(25, ge=1, description="Rows in a page, where the shape has pages.")
    offers: dict[str, str] | None = Field(
        None, description="Offers, id and name; None: any, and the key may not list them."
    )
    most: int = Field(_ALL, ge=1, description="No answer holds more rows, and none says so.")
    empty_errors: bool = Field(False, description="Refusals have no body.")


_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
}


class KaireonSandbox(Sandbox):
    """One tenant, empty at first, at /api/v1; the token is an admin's key."""

    CREDENTIAL = "krn_sandbox"
    RATE_LIMIT = "2000/1m"
    ID_FIELDS: ClassVar[Mapping[str, str]] = {"budgets": "id", "offers": "id"}
    Switches = KaireonSwitches
    switches: KaireonSwitches

    def fresh(self) -> Mapping[str, Collection[Row]]:
        offers = (self.switches.offers or {}).items()
        return {"offers": [{"id": id, "name": name} for id, name in offers]} if offers else {}

    def completed(self, table: str, row: Row) -> Row:
        if table == "offers":
            return {"tenantId": self.switches.tenant, **row}
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        limits = {limit: row.get(limit) for limit in _LIMITS}
        if self.switches.whole_money and limits["maxSpend"] is not None:
            limits["maxSpend"] = int(limits["maxSpend"])
        scope = row.get("scope") or "global"
        return {
            "id": row.get("id") or self.state.new_id("clx"),
            "name": row["name"],
            "scope": scope,
            "scopeId": None if scope == "global" else row.get("scopeId"),
            "periodType": row.get("periodType") or "daily",
            "periodKey": row["periodKey"],
            **limits,
            "tenantId": row.get("tenantId") or self.switches.tenant,
            "createdAt": row.get("createdAt") or now.replace("+00:00", "Z"),
        }

    def newcomer(self, table: str) -> Row:
        return self.completed(
            table, {"name": "Newcomer", "periodKey": "2026-03-18", "maxImpressions": 1}
        )

    def refusal(self, status: int) -> Response:
        return self._error(status, "Too many requests" if status == 429 else "Something went wrong")

    def answer(self, call: Call) -> Response:
        role = self._role(call)
        if (call.method, call.path) == ("GET", "/api/v1/offers"):
            return self._offers(call)
        if call.path.removeprefix("/api/v1") != "/budgets":
            return self._error(404, "Not found")
        if call.method == "GET":
            return self._list(call)
        if role == "viewer" or (call.method == "DELETE" and role != "admin"):
            return self._error(403, f"Forbidden: the role {role} may not do this")
        if self.switches.wants_header and "x-requested-with" not in call.headers:
            return self._error(403, "X-Requested-With is missing")
        if call.method == "DELETE":
            return self._delete(call)
        if not call.headers.get("content-type", "").startswith("application/json"):
            return self._error(415, "Content-Type must be application/json")
        if call.method == "POST":
            return self._create(self._body(call))
        if call.method == "PUT":
            return self._update(self._body(call))
        return self._error(405, "Method not allowed")

    def _error(self, status: int, message: str) -> Response:
        if self.switches.empty_errors:
            return Response(status_code=status)
        code = _CODES.get(status, "INTERNAL_ERROR")
        return reply({"error": {"code": code, "message": message, "status": status}}, status)

    def _invalid(self, message: str) -> Refused:
        return Refused(self._error(400, message))

    def _role(self, call: Call) -> str:
        bearer = call.headers.get("authorization", "").partition("Bearer ")[2]
        key = bearer or call.headers.get("x-api-key")
        tenant = call.headers.get("x-tenant-id")
        if not key and not self.switches.open:
            raise Refused(self._error(401, "Missing API key or session"))
        if key == self.switches.scoped:
            raise Refused(self._error(403, "The key's scopes do not include budgets"))
        keys = {
            self.token: "admin",
            self.switches.editor: "editor",
            self.switches.viewer: "viewer",
        }
        if key and key not in keys:
            raise Refused(self._error(401, "Invalid API key"))
        of_header = self.switches.checks_tenant or not key
        if of_header and tenant != self.switches.tenant:
            raise Refused(self._error(403, "The tenant cannot be resolved"))
        return keys[key] if key else "admin"

    def _body(self, call: Call) -> Row:
        try:
            body = call.sent()
        except ValueError:
            raise self._invalid("The body is not JSON") from None
        if not isinstance(body, dict):
            raise self._invalid("The body is not an object")
        return body

    def _row(self, id: str | None) -> Row:
        row = self.state["budgets"].get(id or "")
        if row is None or row["tenantId"] != self.switches.tenant:
            raise Refused(self._error(404, "Budget allocation not found"))
        return row

    def _list(self, call: Call) -> Response:
        asked = {name: call.query.get(name) for name in ("periodKey", "scope")}
        filters = {name: value for name, value in asked.items() if value}
        cursor, shape = call.query.get("cursor", "0"), self.switches.shape
        paged = shape in ("nextCursor", "cursor")
        if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 9):
            raise self._invalid("cursor is invalid")

        def where(row: Row) -> bool:
            return all(row[name] == value for name, value in filters.items())

        size = min(self.switches.page_size if paged else _ALL, self.switches.most)
        rows, after = self.page("budgets", call, int(cursor) if paged else 0, size, where)
        total = len(self.state["budgets"].ids(where))
        if shape == "budgets":
            return self._json(b'{"budgets":%s,"count":%d}' % (rows, total))
        if shape == "data":
            return self._json(b'{"data":%s,"total":%d}' % (rows, total))
        more = b"true" if after else b"false"
        following = b'"%d"' % after if after else b"null"
        said = b'{"total":%d,"hasMore":%s,"%s":%s}' % (total, more, shape.encode(), following)
        return self._json(b'{"data":%s,"pagination":%s}' % (rows, said))

    def _offers(self, call: Call) -> Response:
        """As the page on offers has it: 25 at a time, the cursor being the last one's id."""
        if self.switches.offers is None:
            return self._error(403, "The key's scopes do not include offers")
        ids, last = self.state["offers"].ids(), call.query.get("cursor")
        if last is not None and last not in ids:
            raise self._invalid("cursor is invalid")
        offset = 0 if last is None else ids.index(last) + 1
        rows, after = self.page("offers", call, offset, self.switches.page_size)
        more, following = b"false", b"null"
        if after is not None:
            more, following = b"true", b'"%s"' % ids[after - 1].encode()
        said = b'{"total":%d,"limit":%d,"hasMore":%s,"nextCursor":%s}'
        said %= (len(ids), self.switches.page_size, more, following)
        return self._json(b'{"data":%s,"pagination":%s}' % (rows, said))

    def _json(self, body: bytes) -> Response:
        return Response(body, media_type="application/json")

    def _create(self, body: Row) -> Response:
        if wrong := CREATE.wrong(body):
            raise self._invalid(f"{wrong} is missing or invalid")
        row = self.completed("budgets", body)
        self._judge(row)
        self.state["budgets"].put(row, first=not self.switches.oldest_first)
        return reply(row, 201)

    def _update(self, body: Row) -> Response:
        if wrong := UPDATE.wrong(body):
            raise self._invalid(f"{wrong} is missing or invalid")
        if nameless := [each for each in _NEVER_NULL if body.get(each, "") is None]:
            raise self._invalid(f"{nameless[0]} is missing or invalid")
        row = self._row(body["id"])
        if not self.switches.null_clears and None in body.values():
            raise self._invalid("a limit cannot be null")
        kept = {} if self.switches.put_replaces else row
        fixed = {name: row[name] for name in ("id", "tenantId", "createdAt")}
        if kept == {} and not {"name", "periodKey"} <= body.keys():
            raise self._invalid("name and periodKey are required")
        row = self.completed("budgets", {**kept, **body, **fixed})
        self._judge(row)
        self.state["budgets"].put(row)
        match self.switches.put_says:
            case "object":
                return reply(row)
            case "success":
                return reply({"success": True})
            case _:
                return Response(status_code=204)

    def _judge(self, row: Row) -> None:
        """The rules that a row keeps as a whole."""
        if all(row[limit] is None for limit in _LIMITS):
            raise self._invalid("At least one of maxImpressions, maxSpend, maxConversions")
        if not self.switches.zero and 0 in [row[limit] for limit in _LIMITS]:
            raise self._invalid("A limit must be more than 0")
        if row["scope"] != "global" and not row["scopeId"]:
            raise self._invalid("scopeId is required unless scope is global")
        if self.switches.strict_keys and not fits(row["periodType"], row["periodKey"]):
            raise self._invalid("periodKey does not match periodType")
        same = ("name", "scope", "scopeId", "periodType", "periodKey")
        twins = (
            other
            for other in self.state["budgets"].rows()
            if other["id"] != row["id"] and all(other[name] == row[name] for name in same)
        )
        if self.switches.unique and next(twins, None):
            raise self._invalid("There is a budget allocation for this scope and period")

    def _delete(self, call: Call) -> Response:
        row = self._row(call.query.get("id"))
        self.state["budgets"].remove(row["id"])
        return (
            Response(status_code=204) if self.switches.delete_is_204 else reply({"success": True})
        )
