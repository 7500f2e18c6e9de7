"""What waits for somebody to decide, as `trueup waiting` lists it, with its ways out as buttons."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from config.wiring import sync_of
from sync.state.waits import DecidedAlready, Undecidable, Wait, Waits
from trueup.endings import KNOWN, lines_of
from trueup.waiting import decided_text, deed_lines, title_of, value_texts
from trueup.waits import money_text
from trueup.web.person import operator
from trueup.web.site import Site, paging_of
from trueup.web.ways import TYPED, WORD, Way, ways_of

_SIZE: Final = 50
_TOLD: Final = 20


def routes(site: Site) -> list[Route]:
    """Its addresses."""
    return [
        Route("/waiting", partial(_waiting, site)),
        Route("/waiting/decide", partial(_decide, site), methods=["POST"]),
    ]


def _waiting(site: Site, request: Request) -> Response:
    workspace, paging = site.workspace, paging_of(request, _SIZE)
    sync = request.query_params.get("sync") or None
    if sync is not None:
        sync_of(workspace.settings, sync)
    queue = workspace.waiting(sync, limit=paging.skipped + _SIZE)
    paging = paging.of(queue.count)
    rows = [_row(each) for each in paging.cut(queue.waits)]
    return site.page(
        request,
        "waiting.html",
        waits=rows,
        words=_words(rows),
        paging=paging,
        sync=sync,
        syncs=[*workspace.settings.syncs],
        now=site.now(),
    )


def _row(wait: Wait) -> Mapping[str, Any]:
    return {
        "wait": wait,
        "title": title_of(wait),
        "money": money_text(wait.waiting.money) if wait.waiting.money else "",
        "values": value_texts(wait),
        "ways": [*ways_of(wait)],
        "decided": decided_text(wait),
        "shown": f"{wait.number}:{wait.answer.number if wait.answer else 0}",
    }


def _words(rows: Sequence[Mapping[str, Any]]) -> list[Way]:
    """The words that decide several at once: each that more than one row has."""
    found = [way for row in rows for way in row["ways"] if way.said.startswith(WORD)]
    count: dict[str, list[Way]] = {}
    for way in found:
        count.setdefault(way.said, []).append(way)
    return [ways[0] for ways in count.values() if len(ways) > 1]


# -- deciding ------------------------------------------------------------------------------------


def _decide(site: Site, request: Request) -> Response:
    person, form = operator(request), request.state.form
    seen = dict(_shown(form))
    take = _take(form)
    note = str(form.get("note") or "").strip() or None
    store, tell = site.store, partial(site.notices.tell, request)
    try:
        if not seen:
            raise Undecidable("nothing is ticked, so nothing was decided")
        deed = site.workspace.acting(person.name).decide(*seen, take=take, note=note, seen=seen)
    except KNOWN as error:
        already = isinstance(error, DecidedAlready)
        others = [*_by_others(Waits(store), seen)]
        why = [] if already and others else [f"nothing was decided: {lines_of(error)}"]
        tell(*why, *others, refusal=True)
    else:
        tell(*deed_lines(deed))
    return RedirectResponse(_back(site, form), 303)


def _shown(form: FormData) -> Iterator[tuple[int, int | None]]:
    """The numbers that were ticked, and which decision was shown with each."""
    for said in form.getlist("shown"):
        number, _, decision = str(said).partition(":")
        if _is_number(number) and _is_number(decision):
            yield int(number), int(decision) or None


def _is_number(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) < 10


def _take(form: FormData) -> str:
    """The word of the button, or what stands in its field."""
    way = str(form.get("way") or "")
    return str(form.get("value") or "") if way == TYPED else way.removeprefix(WORD)


def _by_others(waits: Waits, seen: Mapping[int, int | None]) -> Iterator[str]:
    """What somebody decided since these were shown, by whom and when."""
    for number, known in [*seen.items()][:_TOLD]:
        wait = waits.last(number)
        if wait is not None and wait.answer is not None and wait.answer.number != known:
            yield (
                f"{number} was decided already: {title_of(wait)}: {decided_text(wait)}; "
                "what you pressed changed nothing"
            )


def _back(site: Site, form: FormData) -> str:
    """The page that the form stood on."""
    sync, page = str(form.get("sync") or ""), str(form.get("page") or "")
    said = {"sync": sync} if sync in site.workspace.settings.syncs else {}
    said |= {"page": page} if _is_number(page) and page != "1" else {}
    return f"/waiting?{urlencode(said)}" if said else "/waiting"
