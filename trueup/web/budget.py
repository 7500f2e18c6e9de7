"""One budget: its periods, who holds what of it, its allocations, and what was done to it."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.errors import CanonicalError
from canonical.image import NotWhole, model_from
from canonical.kind import FIELDS, Kind
from canonical.money import counted_on
from canonical.period import Cadence, Period
from sync.state.holdings import Holdings
from sync.state.searching import Searching, Wanted
from sync.state.waits import Wait
from trueup.audited import told
from trueup.deeds import value_text
from trueup.waiting import wait_lines
from trueup.web.charts import Chart, Point, period_chart
from trueup.web.holdings import Holding, Row, held_money, stated_money
from trueup.web.site import Site
from trueup.web.spent import Spending

_HISTORY: Final = 40
_MOST: Final = 24
"""So many periods are shown, those around today."""
_YEAR: Final = timedelta(days=366)
_SHOWN: Final = (
    "description", "cadence", "start", "end", "enforcement", "carry_over", "parent", "owners",
    "dimensions", "alerts", "limits",
)  # fmt: skip


def routes(site: Site) -> list[Route]:
    """Its address."""
    return [Route("/budget", partial(_budget, site))]


def _budget(site: Site, request: Request) -> Response:
    store, asked = site.store, request.query_params
    row = site.books.row(store, asked.get("source", ""), asked.get("ref", ""))
    if row is None:
        raise HTTPException(404, "no system holds such a budget, as far as the state knows")
    spending, today = Spending(site), site.now().astimezone().date()
    agreed = Holdings(store).agreed([each.link for each in row.holdings.values()])
    history = Searching(store).newest(Wanted(ref=row.ref), _HISTORY)
    return site.page(
        request,
        "budget.html",
        row=row,
        use=spending.use(row),
        told={name: spending.of(each, row.ref) for name, each in row.holdings.items()},
        spending=spending,
        charts=_charts(row, agreed, spending, today),
        facts=_facts(agreed[row.first.link]) if row.first.link in agreed else [],
        shares=site.books.shares(store, row),
        waits=_waits(site, row),
        history=[told(each) for each in history],
        more=len(history) == _HISTORY,
    )


def _facts(agreed: Baseline) -> list[tuple[str, str]]:
    """What else is stated, by the names of the fields."""
    said = dict(zip(FIELDS[Kind.BUDGET], agreed.desired, strict=True))
    texts = ((name, value_text(name, said[name])) for name in _SHOWN)
    return [(name.replace("_", " "), text) for name, text in texts if text]


def _waits(site: Site, row: Row) -> list[tuple[Wait, list[str]]]:
    """What waits about the budget and its allocations, in the words of `trueup waiting`."""
    found = [
        each
        for own in row.holdings.values()
        if own.waits
        for each in site.workspace.waiting(own.sync).waits
        if row.ref in (each.waiting.ref, each.waiting.budget_ref)
    ]
    return [(each, [*wait_lines(each, site.now())]) for each in found]


# -- the charts ----------------------------------------------------------------------------------


def _charts(
    row: Row, agreed: Mapping[int, Baseline], spending: Spending, today: date
) -> list[tuple[str, str, Chart]]:
    """Systems that hold the same in every period and have one currency share a chart: their names,
    the currency, and the chart."""
    found: dict[Any, tuple[list[str], str, Sequence[Point]]] = {}
    for system, own in row.holdings.items():
        if own.link not in agreed or own.held is None:
            continue
        points = _points(own, row.ref, agreed[own.link], spending, today)
        key = tuple((each.label, each.stated, each.held, each.spent) for each in points)
        found.setdefault(key, ([], own.held.unit, points))[0].append(system)
    return [
        (", ".join(names), unit, period_chart(points)) for names, unit, points in found.values()
    ]


def _points(
    own: Holding, ref: str, agreed: Baseline, spending: Spending, today: date
) -> list[Point]:
    wanted, held = stated_money(Kind.BUDGET, agreed), held_money(Kind.BUDGET, agreed)
    is_for_now = bool(wanted[-1]) and not held[-1]  # it is told each period as that comes
    told = spending.of(own, ref)
    points = []
    for period, label in _periods(ref, agreed, today):
        states, holds = counted_on(wanted, period.start), counted_on(held, period.start)
        is_now = today in period
        amounts = [
            each.spent for each in told if each.spent and _is_in(each.period, period, is_now)
        ]
        points.append(
            Point(
                label=label,
                title=str(period),
                stated=states.amount if states else None,
                held=holds.amount if holds and (is_now or not is_for_now) else None,
                spent=sum((each.value for each in amounts), Decimal(0)) if amounts else None,
                is_now=is_now,
            )
        )
    return points


def _is_in(spent: Period | None, period: Period, is_now: bool) -> bool:
    """What says no period was spent in the current one."""
    return is_now if spent is None else spent.start in period


def _periods(ref: str, agreed: Baseline, today: date) -> list[tuple[Period, str]]:
    """The periods of the budget around today, with what each is called; today alone where it has
    none, or says too little."""
    image = dict(zip(FIELDS[Kind.BUDGET], agreed.desired, strict=True))
    try:
        model = model_from(Kind.BUDGET, ref, "", image)
        assert isinstance(model, Budget)
        cadence, all = model.cadence, [each.period for each in model.by_period(today + _YEAR)]
    except (NotWhole, CanonicalError, OverflowError):
        cadence, all = Cadence.ONCE, []
    now = next((at for at, each in enumerate(all) if each.end is None or each.end >= today), 0)
    first = max(0, min(now - _MOST // 2, len(all) - _MOST))
    if len(all) <= _MOST:
        first = 0
    some = all[first : first + _MOST] or [Period(today, today)]
    return [(each, _called(each, cadence)) for each in some]


def _called(period: Period, cadence: Cadence) -> str:
    if cadence in (Cadence.MONTHLY, Cadence.QUARTERLY):
        return f"{period.start:%b %y}"
    return f"{period.start:%Y}" if cadence is Cadence.YEARLY else period.start.isoformat()
