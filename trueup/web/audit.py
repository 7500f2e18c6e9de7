"""The audit: searched, exported, and its chain checked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sync.state.audit import Event, Row
from sync.state.checking import check
from sync.state.searching import Searching, Wanted
from trueup.audited import Form, checked_text, rows_text, told
from trueup.web.site import Site

_SIZE: Final = 100
_BATCH: Final = 1000
_MEDIA: Final = {Form.CSV: "text/csv", Form.JSON: "application/json"}
_ASKED: Final = ("sync", "kind", "ref", "since", "text")


def routes(site: Site) -> list[Route]:
    """Its addresses."""
    return [
        Route("/audit", partial(_audit, site)),
        Route("/audit/check", partial(_check, site)),
        Route("/audit/as/{form}", partial(_download, site)),
    ]


def _audit(site: Site, request: Request) -> Response:
    wanted, before = _wanted(request), _number(request.query_params.get("before", ""))
    rows = Searching(site.store).newest(wanted, _SIZE + 1, before)
    asked = {name: request.query_params.get(name, "") for name in _ASKED}
    kept = {name: value for name, value in asked.items() if value}
    older = urlencode({**kept, "before": str(rows[_SIZE - 1].number)}) if len(rows) > _SIZE else ""
    return site.page(
        request,
        "audit_rows.html" if site.is_part(request) else "audit.html",
        rows=[told(row) for row in rows[:_SIZE]],
        older=older,
        newest=urlencode(kept),
        is_first=before is None,
        asked=asked,
        query=urlencode(kept),
        kinds=[*Event],
        syncs=site.workspace.history.syncs(),
        found=None,
    )


def _check(site: Site, request: Request) -> Response:
    found = check(site.store, None)
    said = checked_text(found)
    return site.page(request, "audit_check.html", is_whole=found.fault is None, said=said)


def _download(site: Site, request: Request) -> Response:
    form = request.path_params["form"]
    if form not in _MEDIA:
        raise HTTPException(404)
    rows = _all(Searching(site.store), _wanted(request))
    head = {"content-disposition": f'attachment; filename="audit.{form}"'}
    text = rows_text(Form(form), rows)
    return StreamingResponse(text, media_type=f"{_MEDIA[form]}; charset=utf-8", headers=head)


def _all(searching: Searching, wanted: Wanted) -> Iterator[Row]:
    last = 0
    while rows := searching.oldest(wanted, _BATCH, last):
        yield from rows
        last = rows[-1].number


def _wanted(request: Request) -> Wanted:
    said = request.query_params
    return Wanted(
        sync=said.get("sync") or None,
        kind=said.get("kind") or None,
        ref=said.get("ref") or None,
        text=said.get("text") or None,
        since=_moment(said.get("since", "")),
    )


def _moment(said: str) -> datetime | None:
    """From that day on, UTC; None where it is none."""
    try:
        return datetime.fromisoformat(said[:19]).replace(tzinfo=UTC)
    except ValueError:
        return None


def _number(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None
