"""Reading BILL: its listings page by page, and what was last seen of each budget.

Budgets are listed twice, what is in use and what is retired, as the one list hides the other; each
row counts once, so that a server that ignores the filter does no harm.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import quote

from canonical.kind import Kind
from canonical.problem import Problem
from canonical.traces import Traces
from connectors.bill.wire import BUDGETS, USERS, BillBudget, BillMember, BillUser
from connectors.calling.absence import of_a_listing
from connectors.calling.client import HttpClient, Safety
from connectors.calling.paging import RawPage, cursor_pages
from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed
from connectors.contract.records import Observed, Page

PAGE_SIZE: Final = 100
"""The most that a page may hold; BILL answers 400 above it."""
UUID: Final = "bgt_"
"""How the other spelling of a budget's id begins; answers are compared by `id`."""
_HALVES: Final = ("false", "true")


def budget_path(id: str) -> str:
    """Where one budget is."""
    return f"{BUDGETS}/{quote(id, safe='')}"


def member_path(budget: str, user: str) -> str:
    """Where one member of a budget is."""
    return f"{budget_path(budget)}/members/{quote(user, safe='')}"


def bulk_path(budget: str) -> str:
    """Where several members of a budget are put at once."""
    return f"{budget_path(budget)}/members/bulk"


class Reader:
    """Lists and gets, and keeps the budgets that it saw.

    `listed` are the ids of a complete listing that nobody has used yet, and no write has outdated.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._budgets: dict[str, BillBudget] = {}
        self._ids: dict[str, str] = {}
        self._listed: list[str] | None = None

    def saw(self, budget: BillBudget) -> BillBudget:
        """Keep what an answer shows of a budget."""
        self._budgets[budget.id] = budget
        if budget.uuid:
            self._ids[budget.uuid] = budget.id
        return budget

    def outdate(self, id: str | None = None) -> None:
        """A write has changed something: the budget of that `id`, where one is said."""
        self._listed = None
        if id is not None:
            self._budgets.pop(self._ids.get(id, id), None)

    def budget(self, id: str) -> BillBudget:
        """The budget as it is now; raises `Missing`."""
        found = self._http.call("GET", budget_path(id), safety=Safety.SAFE)
        budget = self.saw(parsed(BillBudget, found))
        self._ids[id] = budget.id  # it may have been asked for by an id that it shows no more
        return budget

    def known(self, id: str) -> BillBudget:
        """The budget as it was last seen, read now where it never was."""
        return self._budgets.get(self._ids.get(id, id)) or self.budget(id)

    def parent(self, budget: BillBudget) -> str | None:
        """The `id` of the budget above, in whichever spelling the answer names it."""
        named = budget.parent_budget_id
        if named is None or not named.startswith(UUID):
            return named
        return self._ids.get(named) or self.budget(named).id

    def has_groups(self) -> bool:
        """Whether any budget that was seen can be a parent."""
        return any(each.budget_group and not each.retired for each in self._budgets.values())

    def member(self, budget: str, user: str) -> BillMember:
        """One member as they are now; raises `Missing`."""
        found = self._http.call("GET", member_path(budget, user), safety=Safety.SAFE)
        return parsed(BillMember, found)

    def budgets(self, cursor: str | None, name: str | None = None) -> Iterator[RawPage]:
        """Pages of budgets from `cursor`, those in use first; only those of a `name`, if given."""
        first, _, token = (cursor or _HALVES[0]).partition(" ")
        seen: dict[str, None] = {}
        for half in _HALVES[_HALVES.index(first) :]:
            wanted = f"retired:eq:{half}" + (f",name:eq:{name}" if name else "")
            asked = {"sort": "name:asc", "filters": wanted}
            for raw in self._pages(BUDGETS, asked, token or None):
                rows = [row for row in raw.items if _id(row) is None or _id(row) not in seen]
                seen.update((id, None) for row in rows if (id := _id(row)) is not None)
                here = None if half == _HALVES[0] and not raw.cursor else _place(half, raw.cursor)
                following = _place(half, raw.next_cursor) if raw.next_cursor else None
                if following is None and half == _HALVES[0]:
                    following = _HALVES[1]
                yield RawPage(rows, here, following)
            token = ""
        if cursor is None and name is None:
            self._listed = list(seen)

    def in_use(self) -> dict[str, BillBudget]:
        """The budgets that are not retired, by id: as just listed, else listed now."""
        if self._listed is None:
            for page in self.budgets(None):
                self.keep(page)
        listed, self._listed = self._listed or [], None
        found = {id: self._budgets[id] for id in sorted(listed) if id in self._budgets}
        return {id: budget for id, budget in found.items() if not budget.retired}

    def keep(self, page: RawPage) -> None:
        """Keep those budgets of a page that can be read, before any of them is looked at."""
        for row in page.items:
            try:
                self.saw(parsed(BillBudget, row))
            except Malformed:
                self._budgets.pop(_id(row) or "", None)

    def members(self, budget: str, token: str | None = None) -> Iterator[RawPage]:
        """Pages of a budget's members."""
        return self._pages(
            f"{budget_path(budget)}/members", {"sort": "name:asc"}, token, below=True
        )

    def users(self) -> Iterator[BillUser]:
        """All users, those in use first."""
        for half in _HALVES:
            for raw in self._pages(USERS, {"filters": f"retired:eq:{half}"}, None):
                for row in raw.items:
                    yield parsed(BillUser, row)

    def _pages(
        self, path: str, asked: dict[str, str], token: str | None, *, below: bool = False
    ) -> Iterator[RawPage]:
        def fetch(token: str | None) -> Any:
            # Whether a token carries the rest of the query is not documented: it is said again.
            params = {"max": PAGE_SIZE, **asked, "nextPage": token}
            return self._http.call("GET", path, params=params, safety=Safety.SAFE)

        found = fetch if below else of_a_listing(fetch)
        return cursor_pages(found, items="results", next_token="nextPage", cursor=token)  # noqa: S106


def page_of(
    system: str,
    kind: Kind,
    raw: RawPage,
    read: Callable[[Any], Observed | None],
    below: str = "",
) -> Page:
    """The page with its rows read; a row that cannot be becomes a problem, None is left out.

    `below` begins the ids of members, whose rows have the user's alone.
    """
    items, problems = [], []
    for row in raw.items:
        try:
            item = read(row)
        except (Malformed, ValueError) as error:
            id = _id(row, "userId", "userUuid") if below else _id(row)
            ref = f"{below}{id}" if id else None
            where = f"{kind} {ref or 'without an id'}"
            traces = Traces.of(row, name=None if below else "name", within=[below.rstrip("/")])
            problems.append(Problem(system, where, str(error), ref, traces))
        else:
            if item is not None:
                items.append(item)
    return Page(items, problems, raw.cursor, raw.next_cursor)


def _id(row: Any, field: str = "id", spare: str = "uuid") -> str | None:
    """The id of a row, or the uuid of one that has only that."""
    said = [row.get(field), row.get(spare)] if isinstance(row, dict) else []
    return next((each for each in said if isinstance(each, str)), None)


def _place(half: str, token: str | None) -> str:
    return f"{half} {token}" if token else half
