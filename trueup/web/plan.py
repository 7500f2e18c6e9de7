"""Plans: made by the button of a sync, shown as `trueup plan` shows them, applied, downloaded."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from canonical.change import Plan
from config.logs import redact
from sync.report import Report
from sync.watch import Watch
from trueup.output import json_text
from trueup.plan_pages import Form, page, told
from trueup.plan_rows import csv_text
from trueup.refusal import Refusal
from trueup.web.doing import allowed, begin, busy, ensure_shown, going_on, ran_since
from trueup.web.jobs import Job
from trueup.web.site import Site, attachment, named, paging_of
from trueup.workspace import Workspace

_SIZE: Final = 100
_FORMS: Final[Mapping[str, tuple[str, Callable[[Plan], str]]]] = {
    "html": ("text/html", partial(page, Form.HTML)),
    "json": ("application/json", lambda plan: _sealed(plan)),
    "csv": ("text/csv", csv_text),
}


def routes(site: Site) -> list[Route]:
    """Its addresses."""
    return [
        Route("/plans", partial(_plans, site)),
        Route("/plans/{sync}", partial(_plan, site)),
        Route("/plans/{sync}/progress", partial(_progress, site)),
        Route("/plans/{sync}/make", partial(_make, site), methods=["POST"]),
        Route("/plans/{sync}/apply", partial(_apply, site), methods=["POST"]),
        Route("/plans/{sync}/as/{form}", partial(_download, site)),
    ]


def _plans(site: Site, request: Request) -> Response:
    syncs = [
        {
            "sync": name,
            "source": each.source,
            "target": each.target,
            "job": site.jobs.last("plan", name),
            "plan": site.jobs.good("plan", name),
        }
        for name, each in site.workspace.settings.syncs.items()
    ]
    return site.page(request, "plans.html", syncs=syncs)


def _plan(site: Site, request: Request) -> Response:
    name = named(site, request)
    job, good = site.jobs.last("plan", name), _good(site, name)
    said: dict[str, Any] = {"sync": name, "job": job, "good": good}
    if good is not None and good.made is not None:
        found = told(good.made)
        paging = paging_of(request, _SIZE).of(len(found["entries"]))
        said |= {**found, "entries": paging.cut(found["entries"]), "paging": paging}
        said["stale"] = ran_since(site, name, good) is not None
    said |= {"stop": site.workspace.stop_of(name), "asked": site.workspace.approval_of(name)}
    said |= {"at": f"/plans/{name}/progress", "going": going_on(site, name)}
    return site.page(request, "plan_page.html", **said)


def _progress(site: Site, request: Request) -> Response:
    name = named(site, request)
    return site.progress(request, site.jobs.last("plan", name), f"/plans/{name}/progress")


def _make(site: Site, request: Request) -> Response:
    """For whoever may do anything at all: a plan writes nothing, and is what is approved."""
    name = named(site, request)

    def make(watch: Watch) -> Plan:
        return site.workspace.plan(name, watch=watch)

    site.jobs.start("plan", name, make)
    return RedirectResponse(f"/plans/{name}", 303)


def _apply(site: Site, request: Request) -> Response:
    """As `trueup apply` of the plan that was looked at, or where that needs it, asks for a yes."""
    name, form = named(site, request), request.state.form
    what = f"the plan {str(form.get('plan_id') or '')[:12]}"
    if (follow := busy(site, request, name, what)) is not None:
        return follow
    try:
        plan = ensure_shown(site, name, _good(site, name), form)
        allow, because = allowed(form)
    except Refusal as error:
        site.notices.tell(request, f"nothing was applied: {error}", refusal=True)
        return RedirectResponse(f"/plans/{name}", 303)

    def do(workspace: Workspace, watch: Watch) -> Report:
        return workspace.apply(plan, allow=allow, because=because, watch=watch)

    return begin(site, request, name, what, do)


def _download(site: Site, request: Request) -> Response:
    name, form = named(site, request), request.path_params["form"]
    good = _good(site, name)
    if good is None or good.made is None or form not in _FORMS:
        raise HTTPException(404)
    media, text = _FORMS[form]
    return attachment(text(good.made), f"{name}-{good.made.as_of}", media)


def _good(site: Site, name: str) -> Job[Plan] | None:
    return cast("Job[Plan] | None", site.jobs.good("plan", name))


def _sealed(plan: Plan) -> str:
    """As `trueup plan --out` saves it, for `trueup apply`; with a secret in it, as JSON without."""
    text = plan.save()
    return text if redact(text) == text else json_text(plan.to_data()) + "\n"
