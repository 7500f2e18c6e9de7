"""By which door people come in: the link in the terminal, a proxy's header, or a provider's login.

Whoever is in has a session, and in each request what they may do is looked up anew: a name that is
taken out of the settings is out with the next of them.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from config.console import ConsoleSettings
from trueup.output import plain
from trueup.web.person import Person
from trueup.web.roles import Identity, person_of
from trueup.web.sessions import WHOLE, Session, Sessions
from trueup.web.trusted import TrustedHeader, peer_of

_log = logging.getLogger("trueup.web")


Refuse = Callable[[Request, int, str], Response]
"""Makes the page of a refusal: its status, and why."""


class NoRole(Exception):
    """Somebody is known, and the settings give them nothing to do here; the message says it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Who asks: a session and what they may do. `begun` is the id of a session that begins now."""

    session: Session
    person: Person
    begun: str | None = None


class Door:
    """Finds who asks. `cookie` is the name of the session's."""

    def __init__(self, settings: ConsoleSettings, sessions: Sessions, cookie: str) -> None:
        self.settings, self.sessions = settings, sessions
        self.cookie = f"__Host-{cookie}" if self.is_secure else cookie
        self._trusted = TrustedHeader.of(settings)

    @property
    def is_secure(self) -> bool:
        """Whether browsers ask by https."""
        return (self.settings.url or "").startswith("https://")

    def origin(self, request: Request) -> str:
        """What the browser calls this server, as the origin of our forms."""
        return self.settings.url or f"http://{request.headers.get('host')}"

    def names(self) -> set[str]:
        """By which names the settings say that this server is known."""
        found = urlsplit(self.settings.url or "")
        usual = {"https": ":443", "http": ":80"}.get(found.scheme, "")
        return {found.netloc, found.netloc.removesuffix(usual)} - {""}

    def offer(self) -> None:
        """Where people come in by the link, announce one."""
        if not self.settings.is_for_a_team:
            self.sessions.offer()

    def find(self, request: Request, *, may_begin: bool) -> Found | None:
        """Who asks, None where nobody is in; of who comes by the header a session begins, if it
        may. Raises `Disbelieved` and `NoRole`."""
        session = self.sessions.of(request.cookies.get(self.cookie))
        if session is not None and (session.identity is None) is self.settings.is_for_a_team:
            session = None  # the settings have changed since it began
        if self._trusted is not None:
            return self._by_header(request, session, may_begin)
        if session is None:
            return None
        return Found(session, self.person(session.identity))

    def person(self, identity: Identity | None) -> Person:
        """What they may do. Raises `NoRole`."""
        if identity is None:
            return Person.here()
        person = person_of(identity, self.settings.roles)
        if person is None:
            raise NoRole(f"{identity.name} is in no role of [console.roles], and may see nothing")
        return person

    def _by_header(
        self, request: Request, session: Session | None, may_begin: bool
    ) -> Found | None:
        assert self._trusted is not None
        identity = self._trusted.identity(request)
        if identity is None:
            return None
        person = self.person(identity)
        if session is not None and session.identity and session.identity.name == identity.name:
            session.identity = identity  # groups as they are now
            return Found(session, person)
        if not may_begin:
            return None
        id = self.sessions.begin(identity)
        begun = self.sessions.of(id)
        return None if begun is None else Found(begun, person, id)

    def let_in(self, answer: Response, id: str) -> None:
        """Give the browser the session's cookie, which no other site makes it send."""
        whole = int(WHOLE.total_seconds())
        answer.set_cookie(
            self.cookie, id, max_age=whole, httponly=True, samesite="strict", secure=self.is_secure
        )

    def let_out(self, request: Request, answer: Response) -> None:
        """End the session, and have the browser forget it."""
        self.sessions.leave(request.cookies.get(self.cookie))
        answer.delete_cookie(self.cookie, httponly=True, samesite="strict", secure=self.is_secure)


def log_refusal(request: Request, status: int, why: str) -> None:
    """Every refusal stands in the log: who, from where, and what; nothing that lets anybody in."""
    person = getattr(request.state, "person", None)
    name = person.name if isinstance(person, Person) else "nobody who is logged in"
    _log.warning(
        "refused with %d: %s %s, of %s from %s: %s",
        status,
        request.method,
        plain(request.url.path[:200]),
        plain(name),
        peer_of(request) or "?",
        plain(why or "not logged in"),
    )
