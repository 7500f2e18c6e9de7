"""Exchange: a key pair turned into the token that some VTEX accounts ask for instead.

A token is fetched when it is first needed, renewed before it ends, and once more where VTEX
refuses it early. `HttpClient` fixes its headers, so each token has a client of its own.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final

from connectors.errors import ConnectorError, Missing, Rejected, Unauthorized
from connectors.http import HttpClient, Safety
from connectors.parsing import parsed
from connectors.vtex.wire import LOGIN, VtexToken

_EARLY: Final = timedelta(minutes=10)
"""How long before its end a token is renewed; VTEX's last a day."""


class Exchange:
    """Calls VTEX like an `HttpClient`, which `opened` makes for a token. Safe to share.

    `login` is a client of the login's own address, and `pair` what is sent to it.
    """

    def __init__(
        self,
        login: HttpClient,
        pair: Mapping[str, str],
        opened: Callable[[str], HttpClient],
        now: Callable[[], datetime],
    ) -> None:
        self._login, self._pair, self._opened, self._now = login, pair, opened, now
        self._lock = Lock()
        self._clients: list[HttpClient] = []
        self._renew_at: datetime | None = None

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        safety: Safety,
    ) -> Any:
        """As `HttpClient.call`. What was refused with 401 was not done: it is sent once more."""
        client = self._client()
        try:
            return client.call(method, path, params=params, json=json, safety=safety)
        except Unauthorized:
            client = self._client(refused=client)
            return client.call(method, path, params=params, json=json, safety=safety)

    def close(self) -> None:
        """Give back the connections of all tokens."""
        for client in (self._login, *self._clients):
            client.close()

    def _client(self, refused: HttpClient | None = None) -> HttpClient:
        """The client of a token that is not about to end, nor the one just `refused`."""
        with self._lock:
            late = self._renew_at is not None and self._now() >= self._renew_at
            if not self._clients or self._clients[-1] is refused or late:
                # Those before may still be in use by another thread: they are closed at the end.
                self._clients.append(self._opened(self._token()))
            return self._clients[-1]

    def _token(self) -> str:
        try:
            answer = self._login.call("POST", LOGIN, json=self._pair, safety=Safety.SAFE)
        except (Missing, Rejected) as error:
            raise self._refused(error) from None
        except ConnectorError as error:
            # What is sent here is in the body, where the client cannot know it for a secret.
            if any(secret in str(error) for secret in self._pair.values()):
                raise self._refused(error) from None
            raise
        found = parsed(VtexToken, answer)
        if not found.token:
            raise Unauthorized("VTEX gives no token for the key pair", hint=self._hint())
        end = found.expires and datetime.fromtimestamp(found.expires, UTC) - _EARLY
        self._renew_at = end or None
        return found.token

    def _refused(self, error: ConnectorError) -> Unauthorized:
        message = "VTEX does not exchange the key pair for a token"
        return Unauthorized(message, call=error.call, hint=self._hint())

    def _hint(self) -> str:
        return f"Check app_key, app_token and login_url of [systems.{self._login.vendor}]"
