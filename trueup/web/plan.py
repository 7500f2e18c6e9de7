"""Plans: made by the button of a sync, shown as `trueup plan` shows them, and downloaded."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from canonical.change import Plan
from config.logs import redact
from config.wiring import sync_of
from sync.watch import Watch
from trueup.output import json_text
from trueup.plan_pages import Form, page, told
from trueup.plan_rows import csv_text
from trueup.web.jobs import Job
from trueup.web.site import Site, attachment, paging_of

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
    name = _named(site, request)
    job, good = site.jobs.last("plan", name), _good(site, name)
    said: dict[str, Any] = {"sync": name, "job": job, "good": good}
    if good is not None and good.made is not None:
        found = told(good.made)
        paging = paging_of(request, _SIZE).of(len(found["entries"]))
        said |= {**found, "entries": paging.cut(found["entries"]), "paging": paging}
        said["stale"] = _ran_since(site, name, good)
    return site.page(request, "plan_page.html", **said)


def _progress(site: Site, request: Request) -> Response:
    """How far the plan is, for the page that waits for it; once it is there, the whole page."""
    name = _named(site, request)
    job = site.jobs.last("plan", name)
    answer = site.answer(request, "progress.html", sync=name, job=job)
    if job is not None and not job.goes_on:
        answer.headers["hx-refresh"] = "true"
    return answer


def _make(site: Site, request: Request) -> Response:
    name = _named(site, request)

    def make(watch: Watch) -> Plan:
        return site.workspace.plan(name, watch=watch)

    site.jobs.start("plan", name, make)
    return RedirectResponse(f"/plans/{name}", 303)


def _download(site: Site, request: Request) -> Response:
    name, form = _named(site, request), request.path_params["form"]
    good = _good(site, name)
    if good is None or good.made is None or form not in _FORMS:
        raise HTTPException(404)
    media, text = _FORMS[form]
    return attachment(text(good.made), f"{name}-{good.made.as_of}", media)


def _named(site: Site, request: Request) -> str:
    name = str(request.path_params["sync"])
    sync_of(site.workspace.settings, name)
    return name


def _good(site: Site, name: str) -> Job[Plan] | None:
    return cast("Job[Plan] | None", site.jobs.good("plan", name))


def _ran_since(site: Site, name: str, good: Job[Plan]) -> bool:
    """Whether a run began since the plan was made, so that it may be true no more."""
    last = site.workspace.history.outlines(name, 1)
    return bool(last) and last[0].started_at >= site.store.shared(good.begun)


def _sealed(plan: Plan) -> str:
    """As `trueup plan --out` saves it, for `trueup apply`; with a secret in it, as JSON without."""
    text = plan.save()
    return text if redact(text) == text else json_text(plan.to_data()) + "\n"
