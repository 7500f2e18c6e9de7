"""What writes: one run of a sync at a time, begun by a button, in the background, with progress.

It is the same call as that of the command line, told as the person's who pressed the button.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, cast

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from canonical.change import Plan
from sync.report import Report
from sync.state.history import Run
from sync.watch import Watch
from trueup.refusal import Refusal
from trueup.web.jobs import Job
from trueup.web.person import operator
from trueup.web.site import Site, named
from trueup.workspace import Workspace, ensure_rules

KIND: Final = "run"


def routes(site: Site) -> list[Route]:
    """Its addresses."""
    return [
        Route("/doing/{sync}", partial(_doing, site)),
        Route("/doing/{sync}/progress", partial(_progress, site)),
    ]


def begin(
    site: Site,
    request: Request,
    sync: str,
    what: str,
    do: Callable[[Workspace, Watch], Report],
) -> Response:
    """Begin a run of the sync, unless one goes on here, and go to the page that follows it."""
    person = operator(request)
    site.store  # noqa: B018  # a state that has gone is told at once
    make = partial(do, site.workspace.acting(person.name))
    if not site.jobs.start(KIND, sync, make, f"{what}, begun by {person.name}"):
        return busy(site, request, sync, what) or _follow(sync)
    return _follow(sync)


def busy(site: Site, request: Request, sync: str, what: str) -> Response | None:
    """The page that follows the run of that sync which goes on here, None where none does. It tells
    that nothing was begun, unless it is the same button of the same person once more."""
    job, person = going_on(site, sync), operator(request)
    if job is None:
        return None
    if job.about != f"{what}, begun by {person.name}":
        site.notices.tell(request, f"nothing more was begun: {job.about}, goes on", refusal=True)
    return _follow(sync)


def _follow(sync: str) -> Response:
    return RedirectResponse(f"/doing/{sync}", 303)


def going_on(site: Site, sync: str) -> Job[Report] | None:
    """The run of that sync that goes on here."""
    job = cast("Job[Report] | None", site.jobs.last(KIND, sync))
    return job if job is not None and job.goes_on else None


def ensure_shown(site: Site, sync: str, shown: Job[Plan] | None, form: FormData) -> Plan:
    """The plan that the form is about; raises `Refusal` where it is another one by now, or where a
    run began since it was made."""
    if shown is None or shown.made is None or shown.made.plan_id != form.get("plan_id"):
        raise Refusal(
            "the plan that you looked at is not the last one any more; look at this one, or make "
            "a new one"
        )
    if (run := ran_since(site, sync, shown)) is not None:
        raise Refusal(
            f"the plan has gone stale: the run {run.run_id[:12]} ({run.command}) began at "
            f"{run.started_at:%Y-%m-%d %H:%M} UTC, after it was made; make a new one"
        )
    return shown.made


def ran_since(site: Site, sync: str, shown: Job[Plan]) -> Run | None:
    """The run that began since a plan was made, so that it may be true no more."""
    last = site.workspace.history.outlines(sync, 1)
    return last[0] if last and last[0].started_at >= site.store.shared(shown.begun) else None


def allowed(form: FormData) -> tuple[list[str], str | None]:
    """The guards that are let through, and why; raises `Refusal` where one is said without the
    other, or no guard has such a rule or limit."""
    allow = [str(each) for each in form.getlist("allow")]
    because = str(form.get("because") or "").strip() or None
    if allow and because is None:
        raise Refusal("say why the guards are let through")
    if because is not None and not allow:
        raise Refusal("a reason says why a guard is let through, and none is ticked")
    try:
        ensure_rules(allow)
    except ValueError as error:
        raise Refusal(str(error)) from None
    return allow, because


def _doing(site: Site, request: Request) -> Response:
    sync = named(site, request)
    job = cast("Job[Report] | None", site.jobs.last(KIND, sync))
    if job is None:
        return RedirectResponse(f"/plans/{sync}", 303)
    if job.made is not None:
        return RedirectResponse(f"/runs/{job.made.run_id}", 303)
    return site.page(request, "doing.html", sync=sync, job=job, at=f"/doing/{sync}/progress")


def _progress(site: Site, request: Request) -> Response:
    sync = named(site, request)
    return site.progress(request, site.jobs.last(KIND, sync), f"/doing/{sync}/progress")
