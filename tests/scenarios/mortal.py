"""A life that ends at a given point: right after a call that may write had its effect at the vendor,
or right after a commit of the state.

In this process the end is an exception of its own, after which nothing of the dead can send or
commit; in a process of its own it is SIGKILL.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from sync.state.store import Store


class Killed(BaseException):
    """The process is no more."""


class Life:
    """What a process does that others can see, up to its `last` deed (None: it lives on).

    `deeds` are its commits, and its calls other than GET, in their order.
    """

    def __init__(self, last: int | None = None, *, really: bool = False) -> None:
        """`really` sends SIGKILL to this process."""
        self.deeds: list[str] = []
        self.last, self._really = last, really
        self._dead = False
        self._lock = Lock()

    @property
    def calls(self) -> list[str]:
        """Those of its deeds that a vendor saw."""
        return [deed for deed in self.deeds if deed != "commit"]

    def goes_on(self) -> None:
        """Asked before anything is done; raises once it has ended."""
        if self._dead:
            raise Killed

    def has_done(self, deed: str) -> None:
        """Told after each deed; raises when it was the last one, and of what ends after it."""
        with self._lock:
            self.goes_on()
            self.deeds.append(deed)
            if len(self.deeds) != self.last:
                return
            if self._really:
                os.kill(os.getpid(), signal.SIGKILL)
            self._dead = True
            raise Killed


@contextmanager
def living(life: Life) -> Iterator[Life]:
    """What is called and committed in this block, in any thread, is what `life` does."""
    send, write = httpx.HTTPTransport.handle_request, Store.write

    def sends(transport: Any, request: httpx.Request) -> httpx.Response:
        life.goes_on()
        response = send(transport, request)
        if request.method != "GET":
            try:
                life.has_done(f"{request.method} {request.url.path}")
            except Killed:
                response.close()
                raise
        return response

    @contextmanager
    def writes(store: Store) -> Iterator[Any]:
        life.goes_on()
        with write(store) as connection:
            yield connection
            life.goes_on()
        life.has_done("commit")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.HTTPTransport, "handle_request", sends)
        patch.setattr(Store, "write", writes)
        yield life


def in_a_hurry(store: Store) -> Store:
    """The same store, which trusts that the machine does not lose power."""
    if store.is_sqlite:
        event.listen(store.engine, "connect", _hurry)
        store.engine.dispose()
    return store


def _hurry(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")
