"""The HTTP client that every vendor's file calls through.

It owns what must never differ between vendors: timeouts, retries, the rate limit, the order in
which an answer is judged (status, then content type, then body) and the error that comes of it.
A write is sent again only where that cannot double it, and one whose answer was lost is never
called failed: it is `Uncertain`. A credential goes to one scheme, host and port and nowhere else.
Every sending of a write asks first whether it may leave (`connectors.contract.departure`).
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from threading import Lock
from typing import Any, Final

import httpx
from tenacity import RetryCallState, Retrying

from connectors.calling.answers import Dialect, Judge
from connectors.calling.auth import RenewedToken, may_be_header
from connectors.calling.bounds import CallEnded, Term, bind, bounded
from connectors.calling.decoding import ACCEPTED, TooLarge, Undecodable, decoded
from connectors.calling.exact_json import read, written
from connectors.calling.limiter import Limiter
from connectors.calling.measure import received
from connectors.calling.steps import step_taken
from connectors.calling.surroundings import transport_to, way_to
from connectors.contract.departure import leaving
from connectors.contract.errors import (
    Call,
    ConnectorError,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Transient,
    Unauthorized,
    Uncertain,
    Unreadable,
)
from connectors.contract.request_ids import note
from connectors.contract.runtime import Runtime
from connectors.contract.work import working

log = logging.getLogger("trueup.http")

MAX_BODY: Final = 32 * 1024 * 1024
_TRIES: Final = 6
_BACKOFF: Final = 0.5
_LONGEST_BACKOFF: Final = 60.0
_LONGEST: Final = 120.0
"""Seconds that an answer may take from its first sign of life to its last."""
_GRACE: Final = 10.0
"""Seconds in which what is in hand may end, and be looked at, once the process is told to stop."""
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": ACCEPTED}
_TIMEOUT: Final = httpx.Timeout(connect=10, read=30, write=30, pool=30)
_BEGINS: Final = ("send_request_headers.started", "send_request_body.started")
_NEVER_LEFT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    UnicodeError,  # a host that cannot be a name
)


class Safety(StrEnum):
    """What sending a call twice does; every vendor file says it of each of its calls."""

    SAFE = "safe"
    """It only reads."""
    IDEMPOTENT = "idempotent"
    """A write that leaves the same state, however often it is sent."""
    KEYED = "keyed"
    """A write that the vendor does once per key."""
    ONCE = "once"
    """A write that might be done twice: never sent again once it may have arrived."""


@dataclass(slots=True, repr=False, eq=False)
class _Pending:
    """A call under way, and what its attempts have shown so far."""

    request: httpx.Request
    safety: Safety
    reader: Callable[[bytes], Any]
    term: Term
    deadline: float | None = None
    attempt: int = 0
    again: bool = False  # the last attempt failed in a way that may pass
    unknown: bool = False  # an attempt of this write may have been done

    def lost(self) -> None:
        self.unknown = self.unknown or self.safety is not Safety.SAFE

    def repeatable(self) -> bool:
        return self.again and not (self.unknown and self.safety is Safety.ONCE)


class HttpClient:
    """Calls one vendor under one credential. Safe to share between threads; `close` it when done.

    `vendor` is the system's name in the settings file. `headers` prove who we are, or `auth` does
    where that changes with time. All of them are kept secret, and so are `secrets`, which may be
    in a body. `calls` counts what was sent, repeats included.
    """

    def __init__(
        self,
        vendor: str,
        base_url: str,
        *,
        limiter: Limiter,
        runtime: Runtime,
        dialect: Dialect,
        headers: Mapping[str, str] | None = None,
        auth: RenewedToken | None = None,
        secrets: Collection[str] = (),
        max_body: int = MAX_BODY,
    ) -> None:
        self.vendor = vendor
        self.calls = 0
        self._base = _address(base_url)
        self._prefix = str(self._base).rstrip("/")
        self._limiter = limiter
        self._runtime = runtime
        self._max_body = max_body
        self._counting = Lock()
        self._stopped: float | None = None  # when the stop was first seen
        headers = headers or {}
        fixed = _secrets({*headers.values(), *secrets})
        self._judge = Judge(
            vendor,
            self._prefix,
            dialect,
            lambda: [*fixed, *auth.secrets] if auth else fixed,
            runtime.now,
        )
        self._check(headers)
        self._way = way_to(self._base)
        self._client = httpx.Client(
            headers={**_HEADERS, "User-Agent": _user_agent(), **headers},
            auth=auth,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=_TIMEOUT,
            trust_env=False,
            transport=bind(transport_to(self._base, self._way)),
            event_hooks={"request": [_leave], "response": [_forget_location]},
        )
        self._retrying = Retrying(
            sleep=runtime.sleep,
            retry=lambda state: state.args[0].repeatable(),
            wait=self._wait,
            stop=self._stop,
            reraise=True,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        safety: Safety,
        key: str | None = None,
        key_header: str = "Idempotency-Key",
        reader: Callable[[bytes], Any] = read,
    ) -> Any:
        """The parsed answer, None where it has no body; numbers with a point are `Decimal`.

        `reader` makes data of the body and raises `UNREADABLE` where it is no JSON.
        `path` follows the base address, or is an address that `absolute` allows. Parameters that
        are None are not sent. Raises the errors of `connectors.contract.errors`.
        """
        if safety is Safety.KEYED and not key:
            raise ValueError("a keyed call needs its key")
        request = self._request(method, path, params, json, {key_header: key} if key else None)
        if safety is not Safety.SAFE:
            request.extensions["trace"] = _trace
        term = Term(self._runtime.monotonic, self._stop_at)
        pending = _Pending(request, safety, reader, term)
        try:
            with working(system=self.vendor):
                answer = self._retrying(self._attempt, pending)
            if safety is not Safety.SAFE:
                step_taken()
            return answer
        except Missing:
            raise
        except ConnectorError as error:
            # After an attempt that may have been done, a later refusal (of the repeat, of the
            # rate, of the credential) says nothing about the first. Only absence is proof.
            if not pending.unknown:
                raise
            step_taken()
            message = f"{error.message}; it may have been done all the same"
            raise Uncertain(message, call=error.call) from error

    def absolute(self, url: str) -> str:
        """A next-link made whole; raises `Malformed` if it leaves our scheme, host or port."""
        try:
            # httpx judges it, as httpx will send to it: two readers may see two hosts in one text.
            found = self._base.join(url)
        except httpx.InvalidURL:
            raise Malformed(f"{self.vendor}: a link of the answer is not an address") from None
        base = self._base
        if (found.scheme, found.netloc, found.userinfo) != (base.scheme, base.netloc, b""):
            raise Malformed(
                f"{self.vendor}: a link of the answer leads away from {self._prefix}, "
                f"to {found.scheme}://{found.host}; it is not followed"
            )
        return str(found)

    def close(self) -> None:
        """Give back the connections, and what is leased of the limit."""
        self._client.close()
        self._limiter.close()

    def _check(self, headers: Mapping[str, str]) -> None:
        # httpx would find it too, and print the value.
        for name, value in headers.items():
            if not may_be_header(value):
                message = f"{self.vendor}: the header {name} has characters that no header can"
                raise Unauthorized(message, hint=self._judge.see())

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: Any,
        headers: dict[str, str] | None,
    ) -> httpx.Request:
        whole = path.startswith(("http://", "https://"))
        if not whole:
            _check_path(path, f"{self.vendor}: {method}")
        url = self.absolute(path) if whole else f"{self._prefix}{path}"
        sent = {name: value for name, value in (params or {}).items() if value is not None}
        content = None
        if body is not None:
            content = written(body).encode("ascii")
            headers = {**(headers or {}), "Content-Type": "application/json"}
        try:
            return self._client.build_request(
                method, url, params=sent or None, content=content, headers=headers
            )
        except httpx.InvalidURL:
            raise Rejected(f"{self.vendor}: {method} has no address that can be sent") from None

    def _attempt(self, pending: _Pending) -> Any:
        now, patience = self._runtime.monotonic(), self._runtime.patience
        pending.attempt += 1
        pending.again = False
        try:
            left = patience if pending.deadline is None else pending.deadline - now
            pending.term.until = None
            with self._limiter.slot(left, pending.term.check):
                # Waiting for our own slot is pacing; only what the vendor costs us is counted.
                asked, now = now, self._runtime.monotonic()
                self._runtime.calls.waited(self.vendor, now - asked)
                if pending.deadline is None:
                    pending.deadline = now + patience
                pending.term.until = min(pending.deadline, now + _LONGEST)
                response, raw, fault = self._exchange(pending)
        except RateLimited as error:
            error.call = self._call(pending)
            raise
        except CallEnded as ended:  # before it left
            raise Transient(str(ended), call=self._call(pending)) from None
        if not response.is_success:
            raise self._refusal(pending, response, raw)
        if fault is None:
            try:
                call = self._call(pending, response)
                return self._judge.value(response, raw, call, pending.reader)
            except Malformed as error:
                fault = error
        pending.lost()
        raise fault

    def _stop_at(self) -> float | None:
        """Until when calls may go on, where the process was told to stop."""
        if not self._runtime.stopping():
            return None
        if self._stopped is None:
            self._stopped = self._runtime.monotonic()
        return self._stopped + _GRACE

    def _exchange(self, pending: _Pending) -> tuple[httpx.Response, bytes, ConnectorError | None]:
        """Send once. The error in the result is what kept the body from being read."""
        with self._counting:
            self.calls += 1
        began, response = self._runtime.monotonic(), None
        try:
            with bounded(pending.term):
                response = self._client.send(pending.request, stream=True)
                if pending.safety is not Safety.SAFE:
                    note(self._judge.request_id(response))
                if left := self._judge.left(response):
                    self._limiter.learn(*left)
                with closing(response):
                    return response, *self._body(pending, response)
        except _NEVER_LEFT as error:
            pending.again = True
            raise self._nobody(pending, error) from error
        except CallEnded as ended:
            pending.lost()
            raise Transient(str(ended), call=self._call(pending)) from None
        except httpx.TransportError as error:
            pending.again = True
            pending.lost()
            message = f"no answer came ({self._reason(error)})"
            raise Transient(message, call=self._call(pending)) from error
        finally:
            call, took = self._call(pending, response), self._runtime.monotonic() - began
            self._runtime.calls.called(call, took, pending.attempt)
            if log.isEnabledFor(logging.DEBUG):
                said = "%s in %.0f ms, attempt %d"
                with working(request_id=call.request_id):
                    log.debug(said, call, took * 1000, pending.attempt)

    def _body(
        self, pending: _Pending, response: httpx.Response
    ) -> tuple[bytes, ConnectorError | None]:
        call, encoding = self._call(pending, response), response.headers.get("content-encoding", "")
        try:
            raw = decoded(_raw(response), encoding, self._max_body)
            received(len(raw))
            return raw, None
        except TooLarge:
            return b"", Malformed(f"the answer is larger than {self._max_body} bytes", call=call)
        except Undecodable as error:
            return b"", Malformed(str(error), call=call)
        except CallEnded as error:
            return b"", Transient(str(error), call=call)
        except httpx.TimeoutException:
            pending.again = True
            return b"", Transient("the answer stopped coming", call=call)
        except httpx.TransportError:
            pending.again = True
            return b"", Malformed("the answer breaks off in the middle", call=call)

    def _refusal(self, pending: _Pending, response: httpx.Response, raw: bytes) -> ConnectorError:
        """The error that a status other than success stands for, and what it means for repeats."""
        error = self._judge.refusal(response, raw, self._call(pending, response))
        pending.again = isinstance(error, Transient)
        if pending.again and not self._judge.limited(response):
            pending.lost()
        if isinstance(error, RateLimited) and error.after is not None:
            self._limiter.pause(error.after)
        return error

    def _wait(self, state: RetryCallState) -> float:
        """Seconds to the next attempt: what the vendor asks, else backoff with jitter."""
        error = state.outcome.exception() if state.outcome else None
        chance, doubled = self._runtime.random(), 2.0 ** (state.attempt_number - 1)
        if not isinstance(error, RateLimited):
            return min(_LONGEST_BACKOFF, _BACKOFF * doubled) * chance
        if error.after is not None:
            return error.after
        # Limits are mostly per minute: never less than a second, and six tries outlast half one.
        wait = min(_LONGEST_BACKOFF, doubled * (1 + chance))
        self._limiter.pause(wait)
        return wait

    def _stop(self, state: RetryCallState) -> bool:
        deadline = state.args[0].deadline
        late = self._runtime.monotonic() + state.upcoming_sleep > deadline
        return state.attempt_number >= _TRIES or late

    def _call(self, pending: _Pending, response: httpx.Response | None = None) -> Call:
        request = pending.request
        path = request.url.raw_path.partition(b"?")[0].decode("ascii")
        if response is None:
            return Call(self.vendor, request.method, path)
        request_id = self._judge.request_id(response)
        return Call(self.vendor, request.method, path, response.status_code, request_id)

    def _nobody(self, pending: _Pending, error: Exception) -> Unreadable:
        """Nobody answers: at the address, or at the proxy on the way to it."""
        message = f"no server answers at {self._prefix} ({self._reason(error)})"
        hint = self._judge.see("base_url")
        if self._way.variable:
            message = f"{message}, asked through the proxy of {self._way.variable}"
            hint = f"Check {self._way.variable}, or {hint[:1].lower()}{hint[1:]}"
        return Unreadable(message, call=self._call(pending), hint=hint)

    def _reason(self, error: Exception) -> str:
        return self._judge.plain(str(error)) or type(error).__name__


def _address(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise Unreadable("base_url is not an address such as https://api.example.com")
    return url


def _secrets(whole: Collection[str]) -> list[str]:
    """The values, and what follows a scheme such as Bearer; longest first."""
    bare = {value.partition(" ")[2] for value in whole}
    return sorted((each for each in {*whole, *bare} if each), key=len, reverse=True)


def _check_path(path: str, said: str) -> None:
    """Raise `Rejected` where a part of the path would make another path of it."""
    for part in path.partition("?")[0].split("/")[1:]:
        if part in ("", ".", ".."):
            what = f"the id {part!r}" if part else "an id that is empty"
            raise Rejected(f"{said} is not sent for {what}: it would name another object")


def _raw(response: httpx.Response) -> Iterator[bytes]:
    """What came, as it came."""
    if response.is_stream_consumed:  # an answer that never was on a wire
        yield response.content
    else:
        yield from response.iter_raw()


@cache
def _user_agent() -> str:
    return f"trueup/{version('trueup')}"


def _leave(request: httpx.Request) -> None:
    # Here and not before the send: a token may have to be fetched first, or a second time.
    if request.extensions.get("trace") is _trace:
        leaving()


def _trace(event: str, info: Mapping[str, Any]) -> None:
    # Connecting takes its time too, so a write asks once more when it has its connection.
    if event.endswith(_BEGINS):
        leaving()


def _forget_location(response: httpx.Response) -> None:
    # Even when it follows none, httpx parses a redirect's target, and a bad one would look as if
    # the connection had failed.
    if 300 <= response.status_code < 400:
        response.headers.pop("location", None)
