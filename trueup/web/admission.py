"""Who is let through to the pages, and which forms are taken.

A form is taken where the browser's session and the token of that session come together: a page
elsewhere can make a browser send the one, and never knows the other. Of whoever may only look no
form is taken but the one that logs them out.
"""

from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import FormData, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trueup.web.door import Door, Found, NoRole, Refuse
from trueup.web.sessions import is_pair
from trueup.web.trusted import Disbelieved

FIELD: Final = "form_token"
"""The hidden field of every form."""
_LONGEST: Final = 64 * 1024
_FIELDS: Final = 2000
_FORM: Final = "application/x-www-form-urlencoded"
_SAFE: Final = ("GET", "HEAD")
_OPEN: Final = ("/static/", "/enter", "/login")
_LEAVE: Final = "/leave"


class Admission:
    """Lets through what has a session, and of what would change something only our own forms.

    `request.state` then has the `session` and the `person`, both None on what is open to all, and
    of a POST the `form`. `refused` makes the answer to all else.
    """

    def __init__(self, app: ASGIApp, door: Door, refused: Refuse) -> None:
        self._app, self._door, self._refused = app, door, refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or refuse."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        request = Request(scope, receive)
        request.state.session = request.state.person = None
        is_open = request.url.path.startswith(_OPEN)
        try:
            may_begin = request.method in _SAFE and not is_open
            found = self._door.find(request, may_begin=may_begin)
        except (Disbelieved, NoRole) as error:
            if not request.url.path.startswith("/static/"):
                return await self._refused(request, 403, str(error))(scope, receive, send)
            found = None
        if found is not None:
            request.state.session, request.state.person = found.session, found.person
            send = self._with_cookie(send, found)
        answer = await self._answer(request, found, is_open)
        return await (answer or self._app)(scope, receive, send)

    def _with_cookie(self, send: Send, found: Found) -> Send:
        """Gives the browser the session that begins with this answer."""
        if found.begun is None:
            return send
        given = Response()
        self._door.let_in(given, found.begun)
        cookie = given.headers["set-cookie"]

        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        return said

    async def _answer(
        self, request: Request, found: Found | None, is_open: bool
    ) -> Response | None:
        """The refusal, None where it may pass."""
        if request.method in _SAFE:
            if found is None and not is_open:
                self._door.offer()
                return self._refused(request, 401, "")
            return None
        if found is None:
            return self._refused(request, 403, "the session is over, and nothing was done")
        if request.method != "POST" or not self._is_own(request):
            return self._refused(request, 403, "this did not come from a page of the console")
        form = await _form(request)
        if form is None:
            return self._refused(request, 413, "this is no form of the console")
        if not is_pair(found.session.form_token, str(form.get(FIELD) or "")):
            return self._refused(request, 403, "this form is not of this session; load it anew")
        if not found.person.may_act and request.url.path != _LEAVE:
            why = f"{found.person.name} may look, and do nothing here: no role says otherwise"
            return self._refused(request, 403, why)
        request.state.form = form
        return None

    def _is_own(self, request: Request) -> bool:
        """Whether the browser says so, as far as it says anything: told to send no referrer, it
        calls the origin "null"."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        own = self._door.origin(request)
        return _is_from(origin, site, own)


def _is_from(origin: str | None, site: str | None, own: str) -> bool:
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
