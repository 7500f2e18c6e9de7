"""Pausing a sync and letting it run again, as `trueup pause` and `resume`."""

from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from trueup.web.person import operator
from trueup.web.site import Site, named


def routes(site: Site) -> list[Route]:
    """Its addresses."""
    return [
        Route("/syncs/{sync}/pause", partial(_pause, site), methods=["POST"]),
        Route("/syncs/{sync}/resume", partial(_resume, site), methods=["POST"]),
    ]


def _pause(site: Site, request: Request) -> Response:
    person, sync = operator(request), named(site, request)
    because = str(request.state.form.get("because") or "").strip()
    site.store  # noqa: B018  # a state that has gone is told as that
    there = site.workspace.stop_of(sync)
    if there is not None:
        site.notices.tell(request, f"nothing was done: {there}", refusal=True)
    elif not because:
        site.notices.tell(request, f"say why {sync} is paused", refusal=True)
    else:
        stop = site.workspace.acting(person.name).pause(sync, because)
        site.notices.tell(request, str(stop))
    return RedirectResponse("/", 303)


def _resume(site: Site, request: Request) -> Response:
    person, sync = operator(request), named(site, request)
    site.store  # noqa: B018  # a state that has gone is told as that
    stop = site.workspace.acting(person.name).resume(sync)
    if stop is None:
        site.notices.tell(request, f"nothing was done: {sync} was not paused", refusal=True)
    else:
        site.notices.tell(request, f"{sync} runs again; until now: {stop}")
    return RedirectResponse("/", 303)
