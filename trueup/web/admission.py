"""Who is let through to the pages, and which forms are taken.

A form is taken where the browser's session and the token of that session come together: a page
elsewhere can make a browser send the one, and never knows the other.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from trueup.web.sessions import Session, Sessions, is_pair

FIELD: Final = "form_token"
"""The hidden field of every form."""
_LONGEST: Final = 64 * 1024
_FIELDS: Final = 2000
_FORM: Final = "application/x-www-form-urlencoded"
_SAFE: Final = ("GET", "HEAD")
_OPEN: Final = ("/static/", "/enter")

Refused = Callable[[Request, int, str], Response]


class Admission:
    """Lets through what has a session, and of what would change something only our own forms.

    `request.state` then has the `session`, None on what is open to all, and of a POST the `form`.
    `refused` makes the answer to all else.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, cookie: str, refused: Refused) -> None:
        self._app, self._sessions, self._cookie, self._refused = app, sessions, cookie, refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or refuse."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        request = Request(scope, receive)
        session = self._sessions.of(request.cookies.get(self._cookie))
        request.state.session = session
        answer = await self._answer(request, session)
        if answer is not None:
            return await answer(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _answer(self, request: Request, session: Session | None) -> Response | None:
        """The refusal, None where it may pass."""
        if request.method in _SAFE:
            if session is None and not request.url.path.startswith(_OPEN):
                self._sessions.offer()
                return self._refused(request, 401, "")
            return None
        if session is None:
            return self._refused(request, 403, "the session is over, and nothing was done")
        if request.method != "POST" or not _is_own(request):
            return self._refused(request, 403, "this did not come from a page of the console")
        form = await _form(request)
        if form is None:
            return self._refused(request, 413, "this is no form of the console")
        if not is_pair(session.form_token, str(form.get(FIELD) or "")):
            return self._refused(request, 403, "this form is not of this session; load it anew")
        request.state.form = form
        return None


def _is_own(request: Request) -> bool:
    """Whether the browser says so, as far as it says anything: told to send no referrer, it calls
    the origin "null"."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    own = f"{request.url.scheme}://{request.headers.get('host')}"
    return origin in (None, "null", own) and site in (None, "same-origin", "none")


async def _form(request: Request) -> FormData | None:
    """The fields; None where it is too long, or something else than a form."""
    kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if kind != _FORM:
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            return None
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        return None
    return FormData([(name, each) for name, values in found.items() for each in values])
