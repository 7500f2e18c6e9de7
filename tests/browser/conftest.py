"""One Chromium for all that looks at the pages as people do, and a console over a full state.

The browser is the one that TRUEUP_TEST_CHROMIUM names, or `chromium` where that is installed; else
these tests are skipped by name.
"""

import os
import shutil
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from sync.state.store import Store
from tests.unit.test_trueup.test_web import browsing
from tests.unit.test_trueup.test_web.browsing import Clock, fill, folder_of
from trueup.web.application import console
from trueup.web.headers import own_names
from trueup.web.jobs import Jobs
from trueup.web.serving import serve
from trueup.workspace import open_workspace

AXE = Path(__file__).parent / "axe" / "axe.min.js"
PAGES = {
    "overview": "/",
    "budgets": "/budgets",
    "budget": "/budget?source=erp&ref=CC3",
    "hostile": "/budget?source=erp&ref=CC2",
    "plans": "/plans",
    "waiting": "/waiting",
    "runs": "/runs",
    "run": f"/runs/{'f' * 12}",
    "audit": "/audit",
    "check": "/audit/check",
}
LOOKS = [(width, scheme) for width in (375, 1440) for scheme in ("light", "dark")]
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


def _chromium():
    return os.environ.get("TRUEUP_TEST_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def chromium():
    """The browser, one process for all tests of a session."""
    path = _chromium()
    if path is None:
        pytest.skip("no chromium: install it, or name one in TRUEUP_TEST_CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb",
                     "--font-render-hinting=none"]  # fmt: skip
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A console over HTTP on a state in which there is something: its address, and a session."""
    with _serving(folder_of(tmp_path_factory.mktemp("browser"))) as site:
        yield site


@pytest.fixture(scope="session")
def calm_site(tmp_path_factory):
    """The same with names as people give them, for pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(browsing, "HOSTILE", "Advertising")
        with _serving(folder_of(tmp_path_factory.mktemp("calm"))) as site:
            yield site


@contextmanager
def _serving(folder):
    stop, tokens = Event(), []
    with (
        open_workspace(folder / "trueup.toml") as workspace,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        workspace._store = Store.open(workspace.settings.state.url, folder, Clock())
        fill(workspace.store)
        port = listening.getsockname()[1]
        clock = lambda: AT  # noqa: E731
        made = console(
            workspace,
            hosts=own_names("127.0.0.1", port),
            announce=tokens.append,
            jobs=Jobs(clock, stop),
            now=clock,
        )
        thread = threading.Thread(target=serve, args=(made.answer, listening, stop))
        thread.start()
        try:
            base = f"http://127.0.0.1:{port}"
            while not tokens:
                pass
            yield SimpleNamespace(base=base, cookie=made.door.sessions.enter(tokens[0]))
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def opened(chromium, site):
    """Opens a page; all that it asks of other hosts is refused and kept in `page.strangers`."""
    contexts = []

    def open(path, width=1440, scheme="light", site=site, **more):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            timezone_id="UTC",
            **more,
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        context.add_cookies([{"name": "trueup", "value": site.cookie, "url": site.base}])
        page = context.new_page()
        page.strangers, page.wrong = [], []
        page.on("console", lambda said: page.wrong.append(said.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        context.route(
            lambda url: not url.startswith(site.base),
            lambda route: (page.strangers.append(route.request.url), route.abort()),
        )
        assert page.goto(site.base + path).status == 200
        return page

    yield open
    for each in contexts:
        each.close()
