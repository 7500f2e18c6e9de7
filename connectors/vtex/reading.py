"""Reading from VTEX: which calls show everything once, and as few of them as there can be.

Answers stay as they came; who maps them is the connector.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote

from canonical.kind import Kind
from connectors.calling.absence import of_a_listing
from connectors.calling.client import HttpClient, Safety
from connectors.calling.paging import RawPage, ahead, number_pages
from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed, Missing
from connectors.contract.work import carried
from connectors.vtex.declared import VtexSettings
from connectors.vtex.wire import UNITS, VtexUnit

_READERS: Final = 4
"""How many budgets are read side by side."""
_PARTS = {Kind.BUDGET: 2, Kind.ALLOCATION: 3}


class Reader:
    """Reads the units that the settings name, or all that VTEX knows. Safe to share.

    `units` are known once something was read.
    """

    def __init__(self, http: HttpClient, settings: VtexSettings) -> None:
        self._http = http
        self._settings = settings
        self.units = settings.units()

    def unit_path(self, unit: str) -> str:
        """The path of a unit's budgets."""
        return f"/api/budgets/{self._settings.context_type}/{quote(unit, safe='')}"

    def path(self, kind: Kind, id: str) -> str:
        """The path of an object; raises `Missing` for what cannot be an id of ours."""
        unit, *rest = [quote(part, safe="") for part in id.split("/")]
        if len(rest) + 1 != _PARTS[kind] or not all((unit, *rest)):
            raise Missing(f"{id!r} is not the id of a {kind}, such as UNIT/BUDGET")
        return f"{self.unit_path(unit)}/{'/allocations/'.join(rest)}"

    def one(self, kind: Kind, id: str) -> Any:
        """One object; raises `Missing`."""
        return self._http.call("GET", self.path(kind, id), safety=Safety.SAFE)

    def all_units(self) -> Sequence[str]:
        """The units, discovered the first time where none is named."""
        if not self.units:
            pages = self.pages(UNITS, items="")
            self.units = tuple(
                dict.fromkeys(parsed(VtexUnit, each).id for page in pages for each in page.items)
            )
        return self.units

    def pages(
        self,
        path: str,
        items: str = "items",
        cursor: str | None = None,
        *,
        below: bool = False,
        **filters: str | None,
    ) -> Iterator[RawPage]:
        """All pages of a listing, of what stands `below` an object or not; both page and size are
        always said, as VTEX has no default."""

        def fetch(page: str | None) -> Any:
            params = {"page": page, "pageSize": self._settings.page_size, **filters}
            return self._http.call("GET", path, params=params, safety=Safety.SAFE)

        found = fetch if below else of_a_listing(fetch)
        if not items:  # a bare array, without a word of where it is and how much there is
            return number_pages(found, items="", id="id", cursor=cursor)
        return number_pages(
            found,
            items=items,
            id="id",
            pages="pagination.pages",
            current="pagination.current",
            total="pagination.results",
            cursor=cursor,
        )

    def summaries(
        self, cursor: str | None = None, units: Iterable[str] | None = None
    ) -> Iterator[tuple[str, RawPage]]:
        """Pages of summaries, unit by unit, with the unit; an object on two pages comes once.

        A cursor names the unit and its page.
        """
        left = list(units or self.all_units())
        unit, _, page = (cursor or "").rpartition("/")
        if cursor is not None:
            if unit not in left:
                raise Malformed(f"the cursor {cursor!r} names no unit of {len(left)}")
            left = left[left.index(unit) :]
        seen = set[str]()
        for index, unit in enumerate(left):
            following = f"{left[index + 1]}/1" if index + 1 < len(left) else None
            for raw in ahead(self.pages(self.unit_path(unit), cursor=page or None)):
                fresh = [each for each in raw.items if id_of(each) not in seen]
                seen |= {id for id in map(id_of, fresh) if id}
                after = f"{unit}/{raw.next_cursor}" if raw.next_cursor else following
                yield unit, RawPage(fresh, cursor, after)
                cursor = after
            page = ""

    def whole(self, ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Budgets with their allocations, in order; those that are gone meanwhile are left out."""
        with ThreadPoolExecutor(_READERS, thread_name_prefix="read") as pool:
            for id, found in zip(ids, pool.map(carried(self._whole), ids), strict=True):
                if found is not None:
                    yield id, found

    def _whole(self, id: str) -> Any:
        try:
            found = self.one(Kind.BUDGET, id)
            if isinstance(found, dict) and found.get("allocations") is None:
                return found | {"allocations": self._allocations(id)}
        except Missing:
            return None
        return found

    def _allocations(self, budget: str) -> list[Any]:
        """Of a budget that does not show them itself: listed, and each read for its reference."""
        path = f"{self.path(Kind.BUDGET, budget)}/allocations"
        ids = [id_of(each) for page in self.pages(path, below=True) for each in page.items]
        return [self.one(Kind.ALLOCATION, f"{budget}/{id}") for id in ids if id]


def id_of(record: Any) -> str | None:
    """The record's own id, None where it shows none."""
    id = record.get("id") if isinstance(record, dict) else None
    return id if isinstance(id, str) else None
