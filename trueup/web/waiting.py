"""What waits for somebody to decide, as `trueup waiting` lists it, with its ways out."""

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.wiring import sync_of
from trueup.waiting import commands_of, decided_text, title_of, value_texts
from trueup.waits import money_text
from trueup.web.site import Site, paging_of

_SIZE: Final = 50


def routes(site: Site) -> list[Route]:
    """Its address."""
    return [Route("/waiting", partial(_waiting, site))]


def _waiting(site: Site, request: Request) -> Response:
    workspace, paging = site.workspace, paging_of(request, _SIZE)
    sync = request.query_params.get("sync") or None
    if sync is not None:
        sync_of(workspace.settings, sync)
    queue = workspace.waiting(sync, limit=paging.skipped + _SIZE)
    paging = paging.of(queue.count)
    waits = [
        {
            "wait": each,
            "title": title_of(each),
            "money": money_text(each.waiting.money) if each.waiting.money else "",
            "values": value_texts(each),
            "commands": commands_of(each) if each.answer is None else [],
            "decided": decided_text(each),
        }
        for each in paging.cut(queue.waits)
    ]
    return site.page(
        request,
        "waiting.html",
        waits=waits,
        paging=paging,
        sync=sync,
        syncs=[*workspace.settings.syncs],
        now=site.now(),
    )
