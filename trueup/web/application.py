"""The console as one application: its pages, behind what every answer says and who is let in."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Event
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from config.load import SettingsError
from config.wiring import secret_at
from sync.state.history import UnknownRun
from sync.state.store import StoreError
from trueup.endings import lines_of
from trueup.refusal import Refusal
from trueup.web import (
    approving,
    audit,
    budget,
    budgets,
    doing,
    overview,
    plan,
    runs,
    stopping,
    undoing,
    waiting,
)
from trueup.web.admission import Admission
from trueup.web.door import Door, log_refusal
from trueup.web.headers import OnEveryAnswer, OwnNames
from trueup.web.holdings import Books
from trueup.web.jobs import Jobs
from trueup.web.rendering import STATIC
from trueup.web.sessions import Sessions, TooMany
from trueup.web.site import Site
from trueup.workspace import Workspace

_PAGES: Final = (
    overview, budgets, budget, plan, doing, approving, waiting, runs, undoing, stopping, audit,
)  # fmt: skip
_LOGGED: Final = (401, 403, 413, 429, 503)
_WORDS: Final = {401: "Not logged in", 404: "Not here", 503: "Not now"}


def utc() -> datetime:
    """Now."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Console:
    """The pages of one workspace, as an application. `begin` before the first request, where the
    server has not done it, and `end` after the last."""

    answer: ASGIApp
    site: Site
    door: Door

    def begin(self) -> None:
        """First of all there is a link, and budgets are read before it is used."""
        self.door.offer()
        site = self.site
        site.jobs.start("books", "", lambda watch: len(site.books.rows(site.store)))

    def end(self) -> None:
        """Wait for what is made in the background."""
        self.site.jobs.close()


def app(workspace: Workspace, **more: Any) -> ASGIApp:
    """`console`, for a server that begins and ends it."""
    return console(workspace, **more).answer


def console(
    workspace: Workspace,
    *,
    hosts: Collection[str],
    announce: Callable[[str], None],
    jobs: Jobs | None = None,
    now: Callable[[], datetime] = utc,
    cookie: str = "trueup",
    sessions: Sessions | None = None,
) -> Console:
    """The console over a workspace, for a server that is known by `hosts`, each with its port.

    `announce` is told the token of each link that lets somebody in: at /enter?token=…; `jobs` are
    what is made in the background; `cookie` is the name of the session's.
    `sessions` are those that go on where the settings were read anew.
    """
    door = Door(workspace.settings.console, sessions or Sessions(now, announce), cookie)
    jobs = jobs or Jobs(now, Event())
    books = Books(workspace.settings, lambda: now().astimezone().date())
    site = Site(workspace, now, jobs, books)
    routes = [route for page in _PAGES for route in page.routes(site)]
    routes += _login(site, door)
    routes += [
        Route("/enter", partial(_enter, site, door)),
        Route("/leave", partial(_leave, door), methods=["POST"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    inner = Starlette(
        routes=routes,
        lifespan=lambda app: _open(made),
        middleware=[Middleware(Admission, door=door, refused=partial(_refused, site))],
        exception_handlers={
            HTTPException: partial(_told, site),
            StoreError: partial(_away, site),
            UnknownRun: partial(_unknown, site),
            SettingsError: partial(_unknown, site),
            Exception: partial(_mistake, site),
        },
    )
    made: Console = Console(OnEveryAnswer(OwnNames(inner, door.names() or hosts)), site, door)
    return made


def _login(site: Site, door: Door) -> list[Route]:
    """The pages of a provider's login, where the settings name one; raises `Refusal` where what it
    needs is not installed, and `SettingsError` where its secret is not there."""
    settings = site.workspace.settings
    oidc = settings.console.oidc
    if oidc is None:
        return []
    try:
        from trueup.web.login import Login  # with an extra
        from trueup.web.provider import Provider
    except ImportError:
        raise Refusal("[console.oidc] needs authlib: pip install 'trueup[oidc]'") from None
    reference, path = oidc.client_secret, ("console", "oidc", "client_secret")
    secret = secret_at(settings, reference, path) if reference else None
    provider = Provider(oidc, secret, f"{settings.console.url}/login/back", site.now)
    return Login(site, door, provider, partial(_refused, site)).routes()


@asynccontextmanager
async def _open(made: Console) -> AsyncIterator[None]:
    """While it is served."""
    made.begin()
    yield
    made.end()


def _enter(site: Site, door: Door, request: Request) -> Response:
    """Change the link's token for a session; the page then goes on to the first one by itself, so
    that also a browser that came from elsewhere sends the session along."""
    if request.method != "GET":  # whoever only looks what is there has not opened it
        return Response()
    if door.settings.is_for_a_team:
        return _refused(site, request, 403, "people log in here; no link lets anybody in")
    try:
        id = door.sessions.enter(request.query_params.get("token", ""))
    except TooMany:
        return _refused(site, request, 429, "too many links were tried; wait a minute")
    if id is None:
        door.offer()
        return _refused(site, request, 403, "this link was used already, or its time is over")
    answer = site.answer(request, "enter.html")
    door.let_in(answer, id)
    return answer


def _leave(door: Door, request: Request) -> Response:
    answer = RedirectResponse("/", 303)
    door.let_out(request, answer)
    return answer


# -- answers that are no pages -------------------------------------------------------------------


def _refused(site: Site, request: Request, status: int, why: str) -> Response:
    if status in _LOGGED:
        log_refusal(request, status, why)
    words = _WORDS.get(status, "Refused")
    return site.answer(request, "refused.html", status, title=words, why=why)


def _told(site: Site, request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    why = "there is no such page" if error.status_code == 404 else error.detail
    return _refused(site, request, error.status_code, why)


def _away(site: Site, request: Request, error: Exception) -> Response:
    why = f"{lines_of(error)}. Load this page again once it is."
    answer = site.answer(request, "refused.html", 503, title="The state is away", why=why)
    answer.headers["retry-after"] = "10"
    return answer


def _unknown(site: Site, request: Request, error: Exception) -> Response:
    return _refused(site, request, 404, lines_of(error))


def _mistake(site: Site, request: Request, error: Exception) -> Response:
    why = "this is a mistake in Trueup, not yours; its log says more"
    return _refused(site, request, 500, why)
