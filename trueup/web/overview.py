"""The first page: how each sync stands, in the words of `trueup status`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from canonical.waiting import Rule, Waiting
from sync.state.history import Run
from trueup.standing import gone_data, gone_line, moment_text, next_text
from trueup.web.charts import run_columns
from trueup.web.doing import going_on
from trueup.web.site import Site

_RUNS: Final = 30
_LOOKED_AT: Final = 2000
"""So many waits are added up: what a page may cost."""


def routes(site: Site) -> list[Route]:
    """Its addresses."""
    return [Route("/", partial(_overview, site))]


def _overview(site: Site, request: Request) -> Response:
    workspace, store = site.workspace, site.store
    queue = workspace.waiting(limit=_LOOKED_AT)
    apart = _apart(each.waiting for each in queue.waits if each.waiting.rule is Rule.DRIFT)
    by_sync: Mapping[str, list[Waiting]] = defaultdict(list)
    for each in queue.waits:
        by_sync[each.sync].append(each.waiting)
    syncs = [_sync(site, name, by_sync.get(name, [])) for name in workspace.settings.syncs]
    gone = [gone_line(each) for each in gone_data(workspace.settings, store, workspace.history)]
    return site.page(request, "overview.html", syncs=syncs, gone=gone, apart=apart)


def _sync(site: Site, name: str, waits: Sequence[Waiting]) -> Mapping[str, Any]:
    said, own = site.workspace.status(name), site.workspace.settings.syncs[name]
    runs = site.workspace.history.outlines(name, _RUNS)
    now = site.now()
    return {
        **said,
        "source": own.source,
        "target": own.target,
        "last_good_said": moment_text(good, now) if (good := said["last_good"]) else None,
        "next_said": next_text(said, now) if said["schedule"] and not said["paused"] else None,
        "drift_money": _apart(each for each in waits if each.rule is Rule.DRIFT),
        "waiting_money": _apart(waits),
        "runs": run_columns(runs, _RUNS),
        "runs_said": _in_words(runs),
        "job": site.jobs.last("plan", name),
        "plan": site.jobs.good("plan", name),
        "run": going_on(site, name),
    }


def _in_words(runs: Sequence[Run]) -> str:
    counts = Counter(each.outcome for each in runs)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    return f"the last {len(runs)} runs: {told}" if runs else "no run yet"


def _apart(waits: Iterable[Waiting]) -> list[tuple[Decimal, str]]:
    """How far the targets' amounts are from the sources', added up by currency, whichever way."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for each in waits:
        ours, theirs = each.currencies
        if each.field != "amount" or ours is None or ours != theirs:
            continue
        try:
            found[ours] += abs(Decimal(str(each.target)) - Decimal(str(each.source)))
        except InvalidOperation:  # one side has none
            continue
    return [(value, unit) for unit, value in sorted(found.items())]
