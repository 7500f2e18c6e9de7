"""Site: how one ERPNext is asked, for all records of a kind, for one document, for a method.

Pages go by name: each asks for the names after the last one's, so that a record that is made or
deleted meanwhile moves none of the others. The database compares names in an order of its own, so
here it is only seen to that none comes twice. The end is a page without records, as a shorter one
may be a limit of the server's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient, Safety
from connectors.calling.exact_json import written
from connectors.calling.limiter import Limiter
from connectors.calling.paging import cursor_pages
from connectors.calling.parsing import begun, decoded
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    Missing,
    Rejected,
    Unauthorized,
    Unreadable,
)
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate
from connectors.erpnext.declared import ErpnextSettings
from connectors.erpnext.faults import message_of
from connectors.erpnext.wire import BUDGET, Named

PAGE_SIZE: Final = 500
_NEXT: Final = "next"
_LONGEST: Final = 560
"""Characters of a name: Frappe's have at most 140, each may be four bytes."""

Shape = TypeVar("Shape", bound=Named)
Filter = Sequence[Any]
"""A clause such as ["company", "=", "Acme"]; all of them are to be met."""


class Site:
    """One ERPNext, as one user sees it; a credential that was refused is not sent again."""

    def __init__(self, name: str, settings: ErpnextSettings, runtime: Runtime) -> None:
        key, secret = (each.get_secret_value() for each in (settings.api_key, settings.api_secret))
        self._name = name
        self.page_size = PAGE_SIZE
        self._refused: Unauthorized | None = None
        self._http = HttpClient(
            name,
            settings.base_url,
            headers={"Authorization": f"token {key}:{secret}"},
            secrets=[key, secret],
            limiter=Limiter(*parse_rate(settings.rate_limit), runtime),
            runtime=runtime,
            dialect=Dialect(
                message=message_of,
                request_id=("X-Frappe-Request-Id",),
                reset_headers=("X-RateLimit-Reset",),
                credential="api_key and api_secret",
            ),
        )

    def records(
        self, doctype: str, filters: Sequence[Filter] = (), fields: Sequence[str] = ("*",)
    ) -> list[Any]:
        """All records that the user is shown, as they came, child rows left out.

        Raises `Unreadable` where there is no such kind of document: that is no ERPNext.
        """
        seen = set[str]()

        def fetch(last: str | None) -> Any:
            after = [] if last is None else [["name", ">", last]]
            answer = self._page(doctype, [*filters, *after], fields)
            return {"data": answer, _NEXT: _last(doctype, answer, seen)}

        pages = cursor_pages(fetch, items="data", next_token=_NEXT)
        return [record for page in pages for record in page.items]

    def all(self, shape: type[Shape], doctype: str, filters: Sequence[Filter] = ()) -> list[Shape]:
        """All records, in their shape; raises `Malformed` for one that has another."""
        fields = list(shape.__struct_fields__)
        found = self.records(doctype, filters, fields)
        return [self._shaped(shape, doctype, each) for each in found]

    def rows(self, table: str, parents: Sequence[str], most: int) -> list[Any] | None:
        """Rows of a table of budgets, at most so many; None where the server lists none.

        Whether they are all of them the caller has to see: a listing leaves out what the user may
        not read, and a server may give fewer than it was asked for.
        """
        filters: list[Filter] = [["parenttype", "=", BUDGET], ["parent", "in", list(parents)]]
        params = _asked(("*",), filters, most) | {"parent": BUDGET}
        try:
            found = self._data(_path(table), params)
        except (Forbidden, Missing, Rejected, Malformed):
            return None
        return found if isinstance(found, list) else None

    def document(self, doctype: str, name: str) -> Any:
        """One document with its child rows; raises `Missing`."""
        found = self._data(f"{_path(doctype)}/{quote(name, safe='')}")
        if not isinstance(found, Mapping) or found.get("name") != name:
            raise Malformed(f"{doctype} {begun(name)} is answered with something else")
        return found

    def method(self, path: str) -> Any:
        """What a method that only reads answers."""
        answer = self._call(f"/api/method/{path}")
        return answer.get("message")

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def _page(self, doctype: str, filters: Sequence[Filter], fields: Sequence[str]) -> list[Any]:
        try:
            found = self._data(_path(doctype), _asked(fields, filters, self.page_size))
        except Missing as error:
            hint = f"Check base_url of [systems.{self._name}]"
            message = f"no ERPNext answers there: it has no {doctype} ({error.message})"
            raise Unreadable(message, call=error.call, hint=hint) from None
        if not isinstance(found, list):
            raise Malformed(f"{self._name}: the listing of {doctype} has no list 'data'")
        return found

    def _data(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        answer = self._call(path, params)
        if "data" not in answer:
            raise Malformed(f"{self._name}: the answer of {path} has no 'data'")
        return answer["data"]

    def _call(self, path: str, params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        if self._refused is not None:
            raise self._refused
        try:
            answer = self._http.call("GET", path, params=params, safety=Safety.SAFE)
        except Unauthorized as error:
            self._refused = error
            raise
        except Forbidden as error:
            error.hint = f"{error.hint}: reading budgets takes the role Accounts Manager"
            raise
        if not isinstance(answer, dict):
            raise Malformed(f"{self._name}: the answer of {path} is no object")
        if answer.get("exc") or answer.get("exc_type"):
            said = message_of(answer) or "an error without words"
            raise Malformed(
                f"{self._name}: {path} answers as done, and with an error: {said[:300]}"
            )
        return answer

    def _shaped(self, shape: type[Shape], doctype: str, record: Any) -> Shape:
        try:
            return decoded(shape, record)
        except Malformed as error:
            raise Malformed(f"{doctype} {begun(_name(record))}: {error.message}") from None


def _asked(fields: Sequence[str], filters: Sequence[Filter], size: int) -> dict[str, Any]:
    return {
        "fields": written(list(fields)),
        "filters": written(list(filters)) if filters else None,
        "order_by": "name asc",
        "limit_start": 0,
        "limit_page_length": size,
    }


def _path(doctype: str) -> str:
    return f"/api/resource/{quote(doctype, safe='')}"


def _name(record: Any) -> Any:
    return record.get("name") if isinstance(record, Mapping) else None


def _last(doctype: str, page: Sequence[Any], seen: set[str]) -> str | None:
    """The last name of a page; raises `Malformed` where one has none, or was there before."""
    for record in page:
        name = _name(record)
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
            raise Malformed(f"a record of {doctype} has no name")
        if name in seen:
            raise Malformed(f"the listing of {doctype} repeats {begun(name)}")
        seen.add(name)
    return None if not page else str(_name(page[-1]))
