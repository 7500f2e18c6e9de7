"""Credentials: what may be a header, and a token that is fetched and renewed while it is in use."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import httpx

from connectors.contract.errors import Unauthorized


@dataclass(frozen=True, slots=True)
class Token:
    """A credential for a while; `renew_at` is when to fetch the next, None where nobody says."""

    value: str
    renew_at: datetime | None = None


class RenewedToken(httpx.Auth):
    """Puts into `header` a token that `fetch` gets: when one is first needed, when it is about to
    end, and once more for a call that is refused with 401, as what was refused was not done.

    Safe to share between threads. `secrets` are all tokens so far.
    """

    def __init__(
        self,
        header: str,
        fetch: Callable[[], Token],
        now: Callable[[], datetime],
        hide: Callable[[str], None] = lambda token: None,
    ) -> None:
        """`hide` is told of each token."""
        self._header, self._fetch, self._now, self._hide = header, fetch, now, hide
        self._token: Token | None = None
        self._lock = Lock()
        self.secrets: list[str] = []

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with the token, and a second time with another where that is refused."""
        token = self._current()
        request.headers[self._header] = token
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            request.headers[self._header] = self._current(refused=token)
            yield request

    def _current(self, refused: str | None = None) -> str:
        with self._lock:
            token = self._token
            late = token and token.renew_at and self._now() >= token.renew_at
            if token is None or late or token.value == refused:
                token = self._token = self._fetch()
                self.secrets.append(token.value)
                self._hide(token.value)
                if not may_be_header(token.value):
                    raise Unauthorized("the token that came has characters that no header can")
            return token.value


def may_be_header(value: str) -> bool:
    """Whether a header can carry the value as it is."""
    return value.isascii() and value.isprintable() and value == value.strip()
