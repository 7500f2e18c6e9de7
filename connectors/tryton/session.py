"""Session: a user's log-in, made when it is first needed, renewed once, closed in the end."""

from base64 import b64encode
from collections.abc import Callable
from contextlib import closing, suppress
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

from connectors.calling.auth import Token
from connectors.calling.client import HttpClient, Safety
from connectors.contract.errors import (
    Call,
    ConnectorError,
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Unauthorized,
    Unreadable,
)
from connectors.tryton.faults import fault_of

HEADER: Final = "Authorization"
_TOO_MANY: Final = 429
_NOT_THERE: Final = (Missing, Rejected, Unauthorized, Forbidden)
"""How an address answers to a version that has another."""


class _Locked(RateLimited):
    """No log-in is taken for a while."""


class Session:
    """The log-in of one user. `opened` makes a client of the server that sends what it is given.

    Safe to share between threads.
    """

    def __init__(
        self, name: str, base_url: str, database: str, pair: tuple[str, str],
        opened: Callable[..., HttpClient],
    ) -> None:  # fmt: skip
        self._name, self._base, self._database, self._pair = name, base_url, database, pair
        self._opened, self._lock = opened, Lock()
        self._address: str | None = None
        self._value: str | None = None
        self._refused: ConnectorError | None = None

    def address(self) -> str:
        """Where the database's calls go, whole: it differs by the server's version."""
        with self._lock:
            if self._address is None:
                database = f"{self._base}/{quote(self._database, safe='')}"
                with closing(self._opened()) as client:
                    new = _is_new(client, self._base)
                self._address = f"{database}/rpc/" if new else f"{database}/"
            return self._address

    def token(self) -> Token:
        """A new session, as a header has it; a password that was refused is not sent again."""
        if self._refused is not None:
            raise self._refused
        address, login = self.address(), self._pair[0]
        try:
            user, token = self._logged_in(address)
        except (Unauthorized, _Locked) as error:  # what may pass is asked again
            self._refused = error
            raise
        self._value = f"Session {b64encode(f'{login}:{user}:{token}'.encode()).decode('ascii')}"
        return Token(self._value)

    def close(self) -> None:
        """Log out, where there is a session; one that ended by itself is as good."""
        if self._value is None or self._address is None:
            return
        with suppress(ConnectorError), closing(self._opened(headers={HEADER: self._value})) as http:
            http.call("POST", self._address, json=said("common.db.logout"), safety=Safety.SAFE)
        self._value = None

    def _logged_in(self, address: str) -> tuple[int, str]:
        login, password = self._pair
        body = said("common.db.login", login, {"password": password}, "en")
        # Not "limited": what waits and repeats would make the next log-in wait longer.
        with closing(self._opened(secrets=[password], rate_limited=frozenset())) as client:
            try:
                answer = client.call("POST", address, json=body, safety=Safety.SAFE)
            except Missing as error:
                hint = f"Check the database of [systems.{self._name}]"
                message = f"there is no database {self._database!r}"
                raise Unreadable(message, call=error.call, hint=hint) from None
            except Rejected as error:
                raise _locked(error) from None
        match result_of(answer, Call(self._name, "POST", "log-in")):
            case [int(user), str(token), *_]:
                return user, token
        raise Malformed("the log-in is answered with no session")


def said(method: str, *params: Any) -> dict[str, Any]:
    """The body of a call: these three keys, as with any other the answer has no envelope."""
    return {"id": 1, "method": method, "params": params}


def result_of(answer: Any, call: Call, credential: str = "login and password") -> Any:
    """The result in the envelope; raises what its error means."""
    if not isinstance(answer, dict) or not {"result", "error"} & answer.keys():
        raise Malformed("the answer is no envelope with a result", call=call)
    if "error" in answer:
        raise fault_of(answer["error"], call, credential)
    return answer["result"]


def _is_new(client: HttpClient, base: str) -> bool:
    """Whether the server is of 8.0 or later; raises where no Tryton answers."""
    asked = said("common.server.version")
    try:
        answer = client.call("POST", f"{base}/rpc/", json=asked, safety=Safety.SAFE)
        return isinstance(result_of(answer, Call(client.vendor)), str)
    except _NOT_THERE:
        answer = client.call("POST", f"{base}/", json=asked, safety=Safety.SAFE)
        result_of(answer, Call(client.vendor))
        return False


def _locked(error: ConnectorError) -> ConnectorError:
    if error.call is None or error.call.status != _TOO_MANY:
        return error
    message = "Tryton takes no log-in for some minutes, as too many had a wrong password"
    return _Locked(message, call=error.call, hint=error.hint)
