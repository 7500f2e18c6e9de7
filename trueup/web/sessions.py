"""Who is in: the sessions of browsers, and the link in a terminal that begins one, once.

All of it is kept in memory, and ends with the process.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from threading import Lock
from typing import Final

from trueup.web.roles import Identity
from trueup.web.tries import Tries

WHOLE: Final = timedelta(hours=8)
"""How long a session lasts."""
IDLE: Final = timedelta(minutes=30)
"""How long it lasts while nobody asks for anything."""
LINK: Final = timedelta(minutes=15)
"""How long a link waits for somebody to open it."""
MOST: Final = 2000
"""So many sessions go on at a time."""
_WRONG: Final = 10
"""So many wrong links a minute are looked at."""
_ANYWHERE: Final = ""
"""They count together, whatever address they come from."""
_LETTERS: Final = 32


class TooMany(Exception):
    """Somebody tries links one after the other."""


@dataclass(slots=True)
class Session:
    """One browser that was let in. `form_token` has to be in every form that it sends; `identity`
    is who logged in, None where it came in by the link."""

    begun: datetime
    seen: datetime
    identity: Identity | None = None
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(_LETTERS))


class Sessions:
    """The open link, and who was let in. Safe to share between threads.

    `announce` is told each new link's token, for somebody who sees this process's terminal.
    """

    def __init__(self, now: Callable[[], datetime], announce: Callable[[str], None]) -> None:
        self._now, self._announce = now, announce
        self._link: tuple[str, datetime] | None = None
        self._wrong = Tries(now, _WRONG)
        self._open: dict[str, Session] = {}
        self._lock = Lock()

    def offer(self) -> None:
        """Announce a new link, unless one waits to be opened."""
        with self._lock:
            now = self._now()
            if self._link is not None and now < self._link[1]:
                return
            token = secrets.token_urlsafe(_LETTERS)
            self._link = token, now + LINK
        self._announce(token)

    def enter(self, token: str) -> str | None:
        """Begin a session by the open link, which is void from then on; its id, or None where the
        token opens nothing. Raises `TooMany`."""
        with self._lock:
            now = self._now()
            if self._wrong.are_too_many(_ANYWHERE):
                raise TooMany
            link, until = self._link or ("", now)
            if not is_pair(link, token) or now >= until:
                self._wrong.note(_ANYWHERE)
                return None
            self._link = None
            return self._begin(now, None)

    def begin(self, identity: Identity) -> str:
        """Begin a session of somebody who logged in; its id."""
        with self._lock:
            return self._begin(self._now(), identity)

    def _begin(self, now: datetime, identity: Identity | None) -> str:
        """Of too many the one that nobody asked for longest ends."""
        if len(self._open) >= MOST:
            del self._open[min(self._open, key=lambda id: self._open[id].seen)]
        id = secrets.token_urlsafe(_LETTERS)
        self._open[id] = Session(begun=now, seen=now, identity=identity)
        return id

    def of(self, id: str | None) -> Session | None:
        """The session of that id, which has been seen now; None where it is over or never was."""
        with self._lock:
            now = self._now()
            self._open = {name: each for name, each in self._open.items() if _lasts(each, now)}
            found = self._open.get(id or "")
            if found is not None:
                found.seen = now
            return found

    def leave(self, id: str | None) -> None:
        """End a session."""
        with self._lock:
            self._open.pop(id or "", None)


def is_pair(kept: str | None, sent: str | None) -> bool:
    """Whether both are there and the same; two that are nothing are no pair."""
    return bool(kept) and bool(sent) and compare_digest(str(kept).encode(), str(sent).encode())


def _lasts(session: Session, now: datetime) -> bool:
    return now - session.begun < WHOLE and now - session.seen < IDLE
