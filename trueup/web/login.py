"""Logging in by a provider: a browser goes there with a number of ours, and comes back with it.

State, nonce and verifier are of one login and of the browser that began it, and count once.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from trueup.web.door import Door, NoRole, Refuse
from trueup.web.provider import LoginFailed, Provider, ProviderAway
from trueup.web.sessions import is_pair
from trueup.web.site import Site
from trueup.web.tries import Tries
from trueup.web.trusted import peer_of

LOGIN: Final = timedelta(minutes=10)
"""How long a login may take."""
_MOST: Final = 1000
_BEGUN: Final = 30
"""So many logins a minute begin from an address."""
_FAILED: Final = 10
"""So many fail."""
_LETTERS: Final = 32


@dataclass(frozen=True, slots=True)
class _Begun:
    until: datetime
    browser: str
    nonce: str
    verifier: str


class Login:
    """The two pages of a login: the one that it begins at, and the one that it ends at."""

    def __init__(self, site: Site, door: Door, provider: Provider, refuse: Refuse) -> None:
        self._site, self._door, self._provider, self._refuse = site, door, provider, refuse
        self._begun: dict[str, _Begun] = {}
        self._lock = Lock()
        self._often = Tries(site.now, _BEGUN)
        self._failed = Tries(site.now, _FAILED)

    def routes(self) -> list[Route]:
        """Where they are."""
        return [Route("/login", self.begin), Route("/login/back", self.end)]

    @property
    def cookie(self) -> str:
        """The name of the cookie by which the browser is known that began a login. It is sent
        along when the provider sends the browser back, which the session's is not."""
        return f"{self._door.cookie}_login"

    def begin(self, request: Request) -> Response:
        """Send the browser to the provider."""
        if request.method != "GET":
            return Response()
        peer = peer_of(request)
        if self._failed.are_too_many(peer) or self._often.are_too_many(peer):
            return self._refuse(request, 429, "too many logins were begun; wait a minute")
        self._often.note(peer)
        state, browser, nonce, verifier = (secrets.token_urlsafe(_LETTERS) for _ in range(4))
        try:
            address = self._provider.address(state=state, nonce=nonce, verifier=verifier)
        except ProviderAway as error:
            return self._away(request, error)
        self._keep(state, _Begun(self._site.now() + LOGIN, browser, nonce, verifier))
        answer = RedirectResponse(address, 303)
        answer.set_cookie(
            self.cookie, browser, max_age=int(LOGIN.total_seconds()), httponly=True,
            samesite="lax", secure=self._door.is_secure,
        )  # fmt: skip
        return answer

    def end(self, request: Request) -> Response:
        """Let the browser in that comes back, if it is the one that went."""
        if request.method != "GET":
            return Response()
        peer = peer_of(request)
        if self._failed.are_too_many(peer):
            return self._refuse(request, 429, "too many logins failed; wait a minute")
        try:
            return self._let_in(request)
        except ProviderAway as error:
            return self._away(request, error)
        except NoRole as error:
            return self._refuse(request, 403, str(error))
        except LoginFailed as error:
            self._failed.note(peer)
            return self._refuse(request, 403, f"the login did not succeed: {error}")

    def _let_in(self, request: Request) -> Response:
        said = request.query_params
        begun = self._take(said.get("state", ""), request.cookies.get(self.cookie))
        if said.get("iss", self._provider.settings.issuer) != self._provider.settings.issuer:
            raise LoginFailed("another provider answered")
        if "error" in said or not said.get("code"):
            raise LoginFailed("the provider let nobody in")
        identity = self._provider.identity(
            code=said["code"], nonce=begun.nonce, verifier=begun.verifier
        )
        self._door.person(identity)
        answer = self._site.answer(request, "enter.html")
        self._door.sessions.leave(request.cookies.get(self._door.cookie))
        self._door.let_in(answer, self._door.sessions.begin(identity))
        answer.delete_cookie(
            self.cookie, httponly=True, samesite="lax", secure=self._door.is_secure
        )
        return answer

    def _away(self, request: Request, error: ProviderAway) -> Response:
        why = f"nobody can log in now: {error}. Who is logged in stays so."
        return self._refuse(request, 503, why)

    def _keep(self, state: str, begun: _Begun) -> None:
        """Of too many the one that began first is forgotten."""
        with self._lock:
            now = self._site.now()
            self._begun = {each: one for each, one in self._begun.items() if now < one.until}
            if len(self._begun) >= _MOST:
                del self._begun[next(iter(self._begun))]
            self._begun[state] = begun

    def _take(self, state: str, browser: str | None) -> _Begun:
        """The login of that state, once. Raises `LoginFailed` where this browser did not begin it,
        or too long ago."""
        with self._lock:
            begun = self._begun.get(state)
            if begun is None or not is_pair(begun.browser, browser):
                raise LoginFailed("it was not begun in this browser; begin it again")
            del self._begun[state]
        if self._site.now() >= begun.until:
            raise LoginFailed("it took too long; begin it again")
        return begun
