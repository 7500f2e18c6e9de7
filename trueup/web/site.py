"""What all pages have: the workspace, the templates, and what was made in the background."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from config.console import ConsoleSettings
from config.wiring import sync_of
from sync.state.store import Store, StoreError
from sync.state.waits import Waits
from trueup.files import file_at
from trueup.web.holdings import Books
from trueup.web.jobs import Job, Jobs
from trueup.web.notices import Notices
from trueup.web.paging import Paging
from trueup.web.rendering import templates
from trueup.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Site:
    """The console of one workspace. `now` is the clock; `jobs` are what it does beside pages,
    `books` the budgets. `notices` are what the next page of a session tells; `file` is which file
    the state was seen in."""

    workspace: Workspace
    now: Callable[[], datetime]
    jobs: Jobs
    books: Books
    pages: Environment = field(default_factory=templates)
    notices: Notices = field(default_factory=Notices)
    file: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The state; raises `StoreError` also where its file has gone, or is another one now.

        SQLite would go on with the file that it has open, and make a new one where there is none.
        """
        store = self.workspace.store
        if store.is_sqlite:
            found = file_at(store.where)
            if found is None or self.file.setdefault(store.where, found) != found:
                store.close()  # its connections are to a file that is no more
                self.file.clear()
            if found is None:
                raise StoreError(f"{store.where}: the state is not there; is its folder mounted?")
            self.file[store.where] = found
        return store

    def page(
        self, request: Request, template: str, /, status: int = 200, **data: Any
    ) -> HTMLResponse:
        """A page of the console, with how many decisions wait beside the name of their page."""
        syncs = [*self.workspace.settings.syncs]
        waiting = sum(Waits(self.store).counts(syncs).values())
        return self.answer(request, template, status, waiting_count=waiting, **data)

    def answer(
        self, request: Request, template: str, /, status: int = 200, **data: Any
    ) -> HTMLResponse:
        """The same where the state may not be there."""
        session = getattr(request.state, "session", None)
        said = {
            "path": request.url.path,
            "form_token": session.form_token if session else None,
            "waiting_count": 0,
            "me": getattr(request.state, "person", None),
            "notices": partial(self.notices.take, request),
            "way": _way(self.workspace.settings.console),
            **data,
        }
        return HTMLResponse(self.pages.get_template(template).render(said), status)

    def progress(self, request: Request, job: Job[Any] | None, at: str) -> HTMLResponse:
        """How far a job is, for the page that waits for it and asks `at`; once it has ended, that
        page is loaded anew."""
        answer = self.answer(request, "progress.html", job=job, at=at)
        if job is None or not job.goes_on:
            answer.headers["hx-refresh"] = "true"
        return answer

    def is_part(self, request: Request) -> bool:
        """Whether the browser asks for the part of a page that it shows already."""
        asked = request.headers.get
        return asked("hx-request") == "true" and asked("hx-history-restore-request") != "true"


def named(site: Site, request: Request) -> str:
    """The sync that the address names; raises `SettingsError` for one that is none."""
    name = str(request.path_params["sync"])
    sync_of(site.workspace.settings, name)
    return name


def _way(settings: ConsoleSettings) -> str:
    """How people come in."""
    return "oidc" if settings.oidc else "proxy" if settings.trusted_header else "link"


def paging_of(request: Request, size: int) -> Paging:
    """Which page of a list was asked for; the first where that cannot be read."""
    said = request.query_params.get("page", "")
    number = int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 1
    others = [(k, v) for k, v in request.query_params.multi_items() if k != "page" and v]
    return Paging(number=max(1, number), size=size, path=request.url.path, others=tuple(others))


def attachment(text: str, name: str, media: str) -> Response:
    """A file to keep."""
    safe = "".join(each if each.isalnum() and each.isascii() else "-" for each in name)
    head = {
        "content-disposition": f'attachment; filename="{safe[:100]}.{media.rpartition("/")[2]}"'
    }
    return Response(text, media_type=f"{media}; charset=utf-8", headers=head)
