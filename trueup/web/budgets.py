"""All budgets, one a row, over all systems that hold them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from trueup.web import spent
from trueup.web.holdings import Row
from trueup.web.site import Site, paging_of
from trueup.web.spent import Spending, Use

_SIZE: Final = 50
ANY: Final = ""
_ZERO: Final = Decimal(0)
_DIFFERENCES: Final[Mapping[str, str]] = {
    ANY: "all",
    "differs": "held otherwise than stated",
    "waits": "with something to decide",
    "over": "over-spent",
    "none": "held as stated",
}
_ORDERS: Final[Mapping[str, str]] = {
    ANY: "by ref",
    "difference": "largest difference first",
    "share": "most spent first",
    "amount": "largest amount first",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table."""

    row: Row
    use: Use | None

    @property
    def address(self) -> str:
        """Of the budget's own page."""
        return f"/budget?{urlencode({'source': self.row.source, 'ref': self.row.ref})}"


@dataclass(slots=True)
class Sum:
    """The budgets of one currency, added up."""

    count: int = 0
    stated: Decimal = _ZERO
    difference: Decimal = _ZERO
    spent: Decimal = _ZERO
    remaining: Decimal = _ZERO


def routes(site: Site) -> list[Route]:
    """Its addresses."""
    return [
        Route("/budgets", partial(_budgets, site)),
        Route("/budgets/spent", partial(_read_spent, site), methods=["POST"]),
    ]


def _budgets(site: Site, request: Request) -> Response:
    spending = Spending(site)
    rows = site.books.rows(site.store)
    found = _sorted([Line(row, spending.use(row)) for row in _wanted(rows, request)], request)
    found = _differing(found, request.query_params.get("difference", ANY))
    paging = paging_of(request, _SIZE).of(len(found))
    lines = paging.cut(found)
    asked = {name: request.query_params.get(name, ANY) for name in _ASKED}
    return site.page(
        request,
        "budgets_table.html" if site.is_part(request) else "budgets.html",
        lines=lines,
        paging=paging,
        systems=_systems(site),
        statuses=sorted({row.status for row in rows}),
        all_count=len(rows),
        sums=_sums(found),
        asked=asked,
        differences=_DIFFERENCES,
        orders=_ORDERS,
        spending=spending,
    )


_ASKED: Final = ("text", "system", "status", "difference", "order")


def _read_spent(site: Site, request: Request) -> Response:
    spent.read(site)
    return RedirectResponse("/budgets", 303)


def _systems(site: Site) -> list[str]:
    return list(dict.fromkeys(each.target for each in site.workspace.settings.syncs.values()))


def _wanted(rows: Sequence[Row], request: Request) -> Sequence[Row]:
    said = request.query_params
    text, system, status = (said.get(name, ANY) for name in ("text", "system", "status"))
    if words := text.casefold().split():
        rows = [row for row in rows if all(word in row.searched for word in words)]
    if system:
        rows = [row for row in rows if system in row.holdings]
    if status:
        rows = [row for row in rows if row.status == status]
    return rows


def _differing(lines: list[Line], said: str) -> list[Line]:
    test = _TESTS.get(said)
    return lines if test is None else [each for each in lines if test(each)]


_TESTS: Final[Mapping[str, Callable[[Line], bool]]] = {
    "differs": lambda line: bool(line.row.difference),
    "waits": lambda line: bool(line.row.waits),
    "over": lambda line: line.use is not None and line.use.is_over,
    "none": lambda line: not line.row.difference,
}


def _sorted(lines: list[Line], request: Request) -> list[Line]:
    key = _KEYS.get(request.query_params.get("order", ANY))
    return lines if key is None else sorted(lines, key=key, reverse=True)


_KEYS: Final[Mapping[str, Callable[[Line], Decimal]]] = {
    "difference": lambda line: abs(line.row.difference or _ZERO),
    "share": lambda line: (line.use and line.use.share) or _ZERO,
    "amount": lambda line: line.row.stated.amount if line.row.stated else -Decimal(1),
}


def _sums(lines: Sequence[Line]) -> list[tuple[str, Sum]]:
    """By currency; what is spent counts where it is in the currency that is stated."""
    found: dict[str, Sum] = defaultdict(Sum)
    for line in lines:
        stated = line.row.stated
        if stated is None:
            continue
        its = found[stated.unit]
        its.count += 1
        its.stated += stated.amount
        its.difference += line.row.difference or _ZERO
        if line.use is not None and line.use.unit == stated.unit:
            its.spent += line.use.spent
            its.remaining += line.use.remaining or _ZERO
    return sorted(found.items())
