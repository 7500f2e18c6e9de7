"""Bounds: how long one call may take altogether, and that it ends when the process is told to stop.

Timeouts of a connection begin anew with each byte that comes, so a server that sends one a second,
or a hundred informational answers before none, could keep a call for ever. Here each look at the
network asks the call's `Term` first.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final

import httpcore
import httpx

from connectors.calling.resolving import addresses_of

_LOOK: Final = 0.5
"""Seconds after which a call that waits for the network looks whether to go on."""


class CallEnded(Exception):
    """The call's time is over; the message says why."""


@dataclass(slots=True)
class Term:
    """How long a call may go on, by `monotonic`: until a moment, and until one after a stop.

    `stop_at` is the latter, None while nobody has asked the process to stop.
    """

    monotonic: Callable[[], float]
    stop_at: Callable[[], float | None]
    until: float | None = None

    def check(self) -> None:
        """Raise `CallEnded` where the call may not go on."""
        now, stop_at = self.monotonic(), self.stop_at()
        if stop_at is not None and now >= stop_at:
            raise CallEnded("told to stop before the answer came")
        if self.until is not None and now >= self.until:
            raise CallEnded("the answer took too long altogether")

    def left(self, timeout: float | None) -> float | None:
        """Seconds of `timeout` that the call still has; raises as `check` does."""
        self.check()
        if self.until is None:
            return timeout
        rest = self.until - self.monotonic()
        return rest if timeout is None else min(timeout, rest)


_term: ContextVar[Term | None] = ContextVar("term", default=None)


@contextmanager
def bounded(term: Term) -> Iterator[None]:
    """What this thread does on the network within the block is bound to `term`."""
    token = _term.set(term)
    try:
        yield
    finally:
        _term.reset(token)


def bind(transport: httpx.HTTPTransport) -> httpx.HTTPTransport:
    """The transport, whose connections ask the term of the call that uses them."""
    # httpx passes no backend on; tests/unit/…/test_bounds.py sees it when these names change
    pool = transport._pool
    pool._network_backend = _Backend(pool._network_backend)
    return transport


class _Backend(httpcore.NetworkBackend):
    """Connections that look at the term of the call they are used by."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failed: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses_of(host, port, _left(timeout), lambda: _left(None)):
            try:
                found = self._inner.connect_tcp(
                    address, port, _left(timeout), local_address, socket_options
                )
                return _Stream(found)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        waited = 0.0
        while True:
            rest = None if timeout is None else timeout - waited
            left = _left(rest)
            look = _LOOK if left is None else min(_LOOK, left)
            try:
                return self._inner.read(max_bytes, look)
            except httpcore.ReadTimeout:
                waited += look
                if timeout is not None and waited >= timeout:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    term = _term.get()
    return timeout if term is None else term.left(timeout)
