"""What a page says once: what came of a button, told on the page that is shown after it."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

from starlette.requests import Request

_SESSIONS: Final = 500
_KEPT: Final = 50


@dataclass(frozen=True, slots=True)
class Notice:
    """One text; `is_refusal` where nothing was done, and it says why."""

    text: str
    is_refusal: bool = False


class Notices:
    """What is to be told to each session, until a page of it is shown. Kept in memory; safe to
    share between threads."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, list[Notice]] = OrderedDict()
        self._lock = Lock()

    def tell(self, request: Request, *texts: str, refusal: bool = False) -> None:
        """Say it on the next page of the request's session."""
        key = _key(request)
        with self._lock:
            told = self._told.setdefault(key, [])
            told += (Notice(each, refusal) for each in texts)
            del told[:-_KEPT]
            self._told.move_to_end(key)
            while len(self._told) > _SESSIONS:
                self._told.popitem(last=False)

    def take(self, request: Request) -> list[Notice]:
        """What is to be told now; it is told once."""
        with self._lock:
            return self._told.pop(_key(request), [])


def _key(request: Request) -> str:
    session = getattr(request.state, "session", None)
    return session.form_token if session else ""
