"""Undo: what taking a run back would do, shown as a plan, and then done, as `trueup undo`."""

from functools import partial
from typing import Any, Final, cast

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from canonical.change import Plan
from config.wiring import sync_of
from sync.report import Report
from sync.state.history import Run
from sync.watch import Watch
from trueup.plan_pages import told
from trueup.refusal import Refusal
from trueup.undone import heading, not_as_before
from trueup.web.doing import allowed, begin, busy, ensure_shown, ran_since
from trueup.web.jobs import Job
from trueup.web.person import operator
from trueup.web.site import Site, paging_of
from trueup.workspace import Workspace

_KIND: Final = "undo"
_SIZE: Final = 100


def routes(site: Site) -> list[Route]:
    """Its addresses."""
    at = "/runs/{run_id}/undo"
    return [
        Route(at, partial(_shown, site)),
        Route(f"{at}/progress", partial(_progress, site)),
        Route(f"{at}/make", partial(_make, site), methods=["POST"]),
        Route(f"{at}/do", partial(_do, site), methods=["POST"]),
    ]


def _shown(site: Site, request: Request) -> Response:
    run = _run(site, request)
    job, good = site.jobs.last(_KIND, run.run_id), _good(site, run)
    said: dict[str, Any] = {"run": run, "job": job, "good": good, "heading": heading(run)}
    if good is not None and good.made is not None:
        found = told(good.made)
        paging = paging_of(request, _SIZE).of(len(found["entries"]))
        sections = {name: lines for name, lines in found["sections"].items() if name != "Next"}
        said |= {**found, "entries": paging.cut(found["entries"]), "sections": sections}
        said |= {"paging": paging, "stays": not_as_before(good.made)}
        said["stale"] = ran_since(site, run.sync, good) is not None
    return site.page(
        request,
        "undo.html",
        **said,
        at=_at(run, "/progress"),
        stop=site.workspace.stop_of(run.sync),
    )


def _progress(site: Site, request: Request) -> Response:
    run = _run(site, request)
    return site.progress(request, site.jobs.last(_KIND, run.run_id), _at(run, "/progress"))


def _make(site: Site, request: Request) -> Response:
    operator(request)
    run = _run(site, request)
    site.jobs.start(
        _KIND, run.run_id, lambda watch: site.workspace.undo_plan(run.run_id, watch=watch)
    )
    return RedirectResponse(_at(run), 303)


def _do(site: Site, request: Request) -> Response:
    run, form = _run(site, request), request.state.form
    if (follow := busy(site, request, run.sync, _what(run))) is not None:
        return follow
    try:
        shown = ensure_shown(site, run.sync, _good(site, run), form)
        allow, because = allowed(form)
    except Refusal as error:
        site.notices.tell(request, f"nothing was undone: {error}", refusal=True)
        return RedirectResponse(_at(run), 303)

    def do(workspace: Workspace, watch: Watch) -> Report:
        others: list[Plan] = []

        def same(plan: Plan) -> bool:
            if plan.pending != shown.pending:
                others.append(plan)
            return not others

        report = workspace.undo(run.run_id, allow=allow, because=because, approve=same, watch=watch)
        if others:
            raise Refusal("what it would do is otherwise by now than what was shown; look again")
        return report

    return begin(site, request, run.sync, _what(run), do)


def _what(run: Run) -> str:
    return f"undo of the run {run.run_id[:12]}"


def _run(site: Site, request: Request) -> Run:
    site.store  # noqa: B018  # a state that has gone is told as that
    run = site.workspace.history.get(str(request.path_params["run_id"]))
    sync_of(site.workspace.settings, run.sync)
    return run


def _at(run: Run, more: str = "") -> str:
    return f"/runs/{run.run_id}/undo{more}"


def _good(site: Site, run: Run) -> Job[Plan] | None:
    return cast("Job[Plan] | None", site.jobs.good(_KIND, run.run_id))
