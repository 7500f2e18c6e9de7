"""Whom Brex knows: its users, departments and legal entities, from the Team API.

Each list takes a scope beside those of budgets: `users.readonly`, `departments.readonly`,
`legal_entities.readonly`. Without it nobody of that type is listed, and ids pass as they are.
"""

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import Any, Final

from canonical.allocation import Entity
from canonical.identity import EntityMap
from connectors.brex.wire import BrexDepartment, BrexLegalEntity, BrexUser
from connectors.brex.words import OUT_OF_USE
from connectors.calling.client import HttpClient, Safety
from connectors.calling.paging import cursor_pages
from connectors.calling.parsing import decoded
from connectors.contract.errors import Forbidden, Malformed, Missing, Rejected, Unsupported
from connectors.contract.records import Listed

_PATHS: Final = {
    "user": "/v2/users",
    "department": "/v2/departments",
    "legal_entity": "/v2/legal_entities",
}
_SCOPES: Final = {
    "user": "users.readonly",
    "department": "departments.readonly",
    "legal_entity": "legal_entities.readonly",
}
_THINGS: Final = ("department", "legal_entity")


class Directory:
    """The lists of one account. Safe to use from several threads."""

    def __init__(self, http: HttpClient, rows: Mapping[str, str]) -> None:
        self._http, self._rows, self._read = http, rows, EntityMap(rows)
        self._ids: dict[str, frozenset[str] | None] = {}  # by type; None: not to be listed
        self._lock = Lock()

    def outdated(self) -> None:
        """A new reading begins: what was listed before is listed again."""
        with self._lock:
            self._ids.clear()

    def listed(self, type: str) -> Iterator[Listed]:
        """Whom a spend limit or a budget can name under that type, page by page."""
        if type not in _PATHS:
            raise Unsupported(f"{self._http.vendor} knows no {type}; it keeps one as text")
        try:
            for row in self._rows_of(type):
                if (found := _READ[type](row)) is not None:
                    yield found
        except Forbidden as error:
            said = f"its token may not list them, which takes the scope {_SCOPES[type]}"
            raise Forbidden(f"{self._http.vendor}: {said}", call=error.call) from error

    def unknown(self, entities: Iterable[Entity]) -> Mapping[Entity, str]:
        """Why a write would be refused that names departments or legal entities of nobody."""
        found, name = {}, self._http.vendor
        for entity in entities:
            ids = self._known(entity.type) if entity.type in _THINGS else None
            theirs = self._read.theirs(entity)
            if ids is None or theirs in ids:
                continue
            hint = f'give "{entity}" a row in [systems.{name}.entities]'
            if str(entity) in self._rows:
                hint = f'correct the row "{entity}" in [systems.{name}.entities]'
            found[entity] = f"{name} has no {entity.type.replace('_', ' ')} {theirs}; {hint}"
        return found

    def _known(self, type: str) -> frozenset[str] | None:
        """The ids of all of that type; None where they cannot be listed, which says nothing."""
        with self._lock:
            if type not in self._ids:
                try:
                    self._ids[type] = frozenset(each.id for each in self.listed(type))
                except (Forbidden, Malformed, Missing, Rejected):
                    self._ids[type] = None
            return self._ids[type]

    def _rows_of(self, type: str) -> Iterator[Any]:
        def fetch(token: str | None) -> Any:
            return self._http.call(
                "GET", _PATHS[type], params={"cursor": token}, safety=Safety.SAFE
            )

        pages = cursor_pages(fetch, items="items", next_token="next_cursor")  # noqa: S106
        return (row for page in pages for row in page.items)


def _user(row: Any) -> Listed | None:
    user = decoded(BrexUser, row)
    name = " ".join(filter(None, (user.first_name, user.last_name)))
    return None if user.status in OUT_OF_USE else Listed(user.id, name or None, user.email)


def _department(row: Any) -> Listed:
    department = decoded(BrexDepartment, row)
    return Listed(department.id, department.name)


def _legal_entity(row: Any) -> Listed:
    found = decoded(BrexLegalEntity, row)
    return Listed(found.id, found.display_name)


_READ: Final = {"user": _user, "department": _department, "legal_entity": _legal_entity}
