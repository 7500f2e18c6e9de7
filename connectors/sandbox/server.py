"""Serving a sandbox on loopback: in a thread for tests, or as a process of its own.

It answers before its address is told, and it ends at once and leaves nothing behind.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from connectors.sandbox.api import Sandbox
from connectors.sandbox.faults import Faults
from connectors.sandbox.state import Row, State


@dataclass(frozen=True, slots=True)
class Served:
    """A sandbox that answers at `url`."""

    url: str
    sandbox: Sandbox

    @property
    def state(self) -> State:
        """What it holds."""
        return self.sandbox.state

    @property
    def log(self) -> list[Row]:
        """The calls it saw, oldest first; `status` is None where no answer went out."""
        return list(self.sandbox.log)

    @property
    def faults(self) -> Faults:
        """What goes wrong in it."""
        return self.sandbox.faults


@contextmanager
def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Iterator[Served]:
    """The sandbox in a thread of its own, from when it answers until the block ends."""
    answers = threading.Event()
    server = _Server(sandbox, answers.set)
    listening = _bound(host, port)
    thread = threading.Thread(target=server.run, args=([listening],), name="sandbox")
    thread.start()
    try:
        assert answers.wait(10), "the sandbox did not start"
        yield Served(_url(listening), sandbox)
    finally:
        server.stop()
        thread.join()


def run(sandbox: Sandbox, name: str, host: str, port: int, *, with_parent: bool = False) -> None:
    """The sandbox in this process, until SIGTERM or SIGINT, or the end of the parent process.

    Prints `name` and its address on one line once it answers.
    """
    listening = _bound(host, port)
    parent = os.getppid() if with_parent else None
    line = f"{name} {_url(listening)}"
    _Server(sandbox, lambda: print(line, flush=True), parent).run([listening])


def _bound(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's delay, 40 ms a call, off by it.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


class _Protocol(H11Protocol):
    """Shows the application its connection, so that it can close it without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """Tells when it answers, and ends at once: no call to a sandbox is worth waiting for."""

    def __init__(
        self, app: Sandbox, answers: Callable[[], None], parent: int | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(app, http=_Protocol, ws="none", lifespan="off", log_config=None)
        )
        self._answers = answers
        self._parent = parent
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._answers()

    async def main_loop(self) -> None:
        while self._parent in (None, os.getppid()):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), 1)
                return

    def stop(self) -> None:
        """May be called from any thread, and from a signal's handler."""
        self.should_exit = True
        if self._loop:
            self._loop.call_soon_threadsafe(self._stopped.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=0.5)
