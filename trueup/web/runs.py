"""The history of runs, and each of them operation by operation."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.wiring import sync_of
from sync.state.approvals import Approvals
from sync.state.audit import Row
from sync.state.history import Run
from sync.state.journal import Journal, Operation
from sync.state.searching import Searching
from trueup.approved import became_text, used_text
from trueup.deeds import deed_data, value_text
from trueup.waits import of_report
from trueup.web.site import Site, paging_of

_SIZE: Final = 50
_OPERATIONS: Final = 200


def routes(site: Site) -> list[Route]:
    """Their addresses."""
    return [Route("/runs", partial(_runs, site)), Route("/runs/{run_id}", partial(_run, site))]


def _runs(site: Site, request: Request) -> Response:
    workspace, paging = site.workspace, paging_of(request, _SIZE)
    history, sync = workspace.history, request.query_params.get("sync") or None
    if sync is not None and sync not in history.syncs():
        sync_of(workspace.settings, sync)
    paging = paging.of(history.count(sync))
    runs = history.outlines(sync, _SIZE, paging.skipped)
    counts = Journal(site.store, "").counts_of([each.run_id for each in runs])
    return site.page(
        request,
        "runs.html",
        runs=[(run, counts.get(run.run_id, {})) for run in runs],
        paging=paging,
        sync=sync,
        syncs=sorted({*workspace.settings.syncs, *history.syncs()}),
    )


def _run(site: Site, request: Request) -> Response:
    run = site.workspace.history.get(request.path_params["run_id"])
    done = Journal(site.store, run.sync).of_run(run.run_id)
    asked = _requests(Searching(site.store).of_run(run.run_id, run.started_at))
    paging = paging_of(request, _OPERATIONS).of(len(done))
    report = run.report or {}
    return site.page(
        request,
        "run.html",
        run=run,
        report=report,
        counts={name: count for name, count in (report.get("counts") or {}).items() if count},
        notes=_notes(site, run, report),
        stop=site.workspace.stop_of(run.sync),
        asked=(report.get("approval") or {}).get("plan_id"),
        can_undo=bool(done) and run.sync in site.workspace.settings.syncs,
        operations=[_operation(each, asked) for each in paging.cut(done)],
        paging=paging,
    )


def _operation(done: Operation, asked: Mapping[tuple[str, ...], Sequence[str]]) -> dict[str, Any]:
    data = deed_data(done)
    lines = [
        (field, *(value_text(field, both[side], data["currency"]) for side in ("before", "after")))
        for field, both in data["fields"].items()
    ]
    key = done.op.value, done.kind.value, done.budget_ref, done.ref, done.side.value
    return {**data, "lines": lines, "request_ids": asked.get(key, ())}


def _requests(rows: Sequence[Row]) -> Mapping[tuple[str, ...], Sequence[str]]:
    """What the vendor calls the requests of each operation, as the audit was told."""
    found: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        try:
            said = row.data["said"]
            key = said["op"], said["kind"], row.budget_ref, row.ref, said.get("side", "target")
            found.setdefault(key, []).extend(map(str, said["request_ids"]))
        except (LookupError, TypeError, ValueError):  # the audit's check tells of it
            continue
    return found


def _notes(site: Site, run: Run, report: Mapping[str, Any]) -> list[str]:
    """What else a report tells, in the words of `trueup show`."""
    plan = report.get("plan") or {}
    said = report.get("approval")
    notes = [f"guard {each['rule']}: {each['message']}" for each in plan.get("guards") or ()]
    notes += [
        f"{each['kind']} {each['ref']}: {each['reason']}" for each in plan.get("conflicts") or ()
    ]
    notes += [f"waits: {of_report(each)}" for each in plan.get("waits") or ()]
    notes += [
        f"{each['system']}: {each['where']}: {each['message']}"
        for each in plan.get("problems") or ()
    ]
    notes += [
        f"{each['op']} {each['kind']} {each['ref']} skipped: {each['error']}"
        for each in report.get("operations") or ()
        if each["outcome"] == "skipped"
    ]
    notes += [report["error"]] if report.get("error") else []
    notes += [used_text(report["approved"])] if report.get("approved") else []
    if said:
        notes.append(became_text(said, Approvals(site.store).get(said["plan_id"])))
    if run.report is None and run.ended_at is not None:
        notes.append("its report was let go of: what it did may stand in the audit")
    return notes
